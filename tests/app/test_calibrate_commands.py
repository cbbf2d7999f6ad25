"""``twosided calibrate queue`` tells how wrong each guess is; ``--start`` says when quoting begins."""

import json

import numpy as np
import pytest

from twosided.app import bar_sources
from twosided.data.bars import bars_of
from twosided.research.queue_study import MODELS


def test_the_table_compares_every_model_with_the_truth_and_names_the_best_exponent(command, session_by_order):
    answer = command("calibrate", "queue", session_by_order, "--wait", "2s")
    assert answer.code == 0
    for model in ("truth", *MODELS):
        assert f" {model} " in answer.out
    assert "smallest squared error of the wait: --queue power:" in answer.out


def test_json_holds_what_the_table_shows(command, session_by_order):
    found = json.loads(command("calibrate", "queue", session_by_order, "--wait", "2s", "--start", "5m", "--json").out)
    assert [model["model"] for model in found["models"]] == list(MODELS)
    assert found["probes"] > 1_000
    assert found["wait_s"] == 2.0
    assert found["exponent"]["best"] in found["exponents"]


def test_a_recording_by_level_is_refused(refused, session):
    assert refused("calibrate", "queue", session).startswith("FLOW is recorded by level: its queues are not known; a study needs")


def test_times_that_are_none_are_refused(refused, session_by_order):
    assert refused("calibrate", "queue", session_by_order, "--wait", "soon").startswith("--wait is 'soon'; allowed:")
    assert refused("calibrate", "queue", session_by_order, "--start", "noon").startswith("--start is 'noon'; allowed: a UTC time")


def test_a_replay_begins_to_quote_at_a_time_or_after_a_while(command, session, refused):
    fixed = ("--strategy", "fixed", "--set", "quantity=10", "--set", "half_spread=1", "--set", "unit=ticks", "--json", "--quiet")

    def run(*arguments):
        return json.loads(command("replay", session, *fixed, *arguments).out)

    later, all_of_it = run("--start", "60s"), run()
    assert 0 < later["fills"] < all_of_it["fills"]
    assert run("--start", "2024-01-02T14:31:00Z")["digest"] != all_of_it["digest"]
    assert refused("replay", session, *fixed, "--start", "2h").startswith("start is 2h; allowed: from 2024-01-02 ")


def test_a_calibration_before_quoting_begins_at_the_start(command, session, refused):
    asked = ("replay", session, "--strategy", "glft", "--set", "k=200", "--start", "30s", "--calibrate-first", "60s")
    run = json.loads(command(*asked, "--json", "--quiet").out)
    found, first = run["calibration"], 1_704_205_800 * 10**9
    assert first + 29 * 10**9 < found["from_ns"] < first + 31 * 10**9
    assert found["seconds"] == pytest.approx(60, abs=1)
    assert refused(*asked[:-1], "100s").startswith(
        "--calibrate-first is 1.667 min, but the recording lasts 1.5 min from --start on"
    )


def test_trading_hours_are_taken_out_of_a_recording(command, session, refused, tmp_path):
    out = tmp_path / "hours.yaml"
    answer = command("calibrate", session, "--start", "10s", "--end", "2024-01-02T14:31:20", "--out", out, "--json")
    found = json.loads(answer.out)["strategy"]
    assert found["seconds"] == pytest.approx(70, abs=1)
    assert "start: '2024-01-02 14:31:20.000000000Z'" in out.read_text()  # what comes after is new to the strategy
    replayed = json.loads(command("replay", out, "--set", "quantity=10", "--json", "--quiet").out)
    assert replayed["fills"] > 0
    assert refused("calibrate", session, "--start", "2h").startswith("--start is 2h; allowed: from 2024-01-02 ")
    assert refused("calibrate", session, "--start", "20s", "--end", "10s").startswith("--end is 10s; allowed: after 2024-01-02 ")
    assert refused("calibrate", session, "--end", "noon").startswith("--end is 'noon'; allowed: a UTC time")


def test_a_recording_is_calibrated_and_the_file_that_comes_of_it_is_replayed(command, session, tmp_path):
    out = tmp_path / "strategy.yaml"
    answer = command("calibrate", session, "--out", out, "--set", "quantity=10", "--plot", tmp_path / "fit.html")
    assert answer.code == 0
    for name in ("sigma", "A", "k", "sigma, two scales", "Kyle's lambda", "OFI slope", "beta", "tick rule is right"):
        assert f" {name} " in answer.out
    assert f"next: twosided replay {out}" in answer.err
    assert (tmp_path / "fit.html").read_text().count("plotly-graph-div") >= 2
    found = json.loads(command("calibrate", session, "--json").out)
    replayed = json.loads(command("replay", out, "--json", "--quiet").out)
    for name in ("sigma", "A", "k"):
        assert replayed["parameters"][name]["used"] == found["strategy"][name]["value"] == found["estimates"][name]["value"]
    assert replayed["parameters"]["quantity"]["used"] == 10


def test_every_estimate_has_an_interval_a_unit_and_a_basis(command, session):
    found = json.loads(command("calibrate", "estimates", session, "--json").out)
    for name, row in found["estimates"].items():
        assert row["low"] <= row["value"] <= row["high"], name
        assert row["unit"]
        assert row["basis"]
    assert found["signature"]["mid"]
    assert found["virtual_orders"]


def test_options_may_stand_before_the_recording(command, session, tmp_path):
    out = tmp_path / "as.yaml"
    assert command("calibrate", "--out", out, "--strategy", "avellaneda_stoikov", session, "--quiet").err == ""
    assert "avellaneda_stoikov" in out.read_text()
    assert command("calibrate", session, "--out", out, "--quiet").code == 0  # ours to replace


def test_a_strategy_file_replaces_nothing_that_is_not_ours(refused, session, tmp_path):
    (tmp_path / "mine.yaml").write_text("data: mine\n")
    assert (
        refused("calibrate", session, "--out", "mine.yaml") == "mine.yaml exists and was not written by calibrate; name a new file"
    )
    assert refused("calibrate", session, "--out", "strategy.txt").startswith("--out is 'strategy.txt'; allowed:")
    assert refused("calibrate", session, "--strategy", "glfd").startswith("strategy 'glfd' is unknown; did you mean 'glft'?")
    assert refused("calibrate", session, "--plot", "x.png").startswith("--plot is 'x.png'; allowed:")


def test_bars_without_a_key_name_the_simulated_market(refused, monkeypatch):
    monkeypatch.delenv("FINNHUB_API_KEY", raising=False)
    said = refused("calibrate", "bars", "finnhub", "AAPL")
    assert said.startswith("Finnhub needs a key in FINNHUB_API_KEY, which is not set; without one there is the simulated market")
    assert refused("calibrate", "bars", "binance", "BTC/USDT", "--book", "x.parquet").startswith("--book makes a synthetic book")


def test_the_key_is_asked_for_unseen_on_a_terminal(monkeypatch):
    asked = {}
    monkeypatch.delenv("FINNHUB_API_KEY", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.prompt", lambda text, **how: asked.update(how, text=text) or "typed")
    assert repr(bar_sources.finnhub()) == "Finnhub(address='https://finnhub.io/api/v1')"
    assert asked["hide_input"] is True
    assert "FINNHUB_API_KEY" in asked["text"]


def test_bars_say_their_volatility(command, monkeypatch, tmp_path):
    random = np.random.default_rng(2)
    close = 100 * np.exp(np.cumsum(random.normal(0, 1e-3, 500)))
    rows = [(60 * n, price, 1.001 * price, 0.999 * price, price, 1.0) for n, price in enumerate(close)]
    monkeypatch.setattr("twosided.app.calibrate_commands.binance", lambda *_: bars_of("Binance", "BTC/USDT", 60, rows))
    answer = command("calibrate", "bars", "binance", "BTC/USDT", "--json", "--out", tmp_path / "bars.csv")
    found = json.loads(answer.out)
    assert found["bars"] == len((tmp_path / "bars.csv").read_text().splitlines()) - 1 == 500
    still = [(60 * n, 5.0, 5.0, 5.0, 5.0, 1.0) for n in range(50)]
    monkeypatch.setattr("twosided.app.calibrate_commands.binance", lambda *_: bars_of("Binance", "X/USDT", 60, still))
    unmoved = command("calibrate", "bars", "binance", "X/USDT", "--out", tmp_path / "still.csv")
    assert (unmoved.code, "the price never moved" in unmoved.err) == (2, True)
    assert not (tmp_path / "still.csv").exists()
    once = found["estimates"]["close to close"]
    assert once["low"] < 1e-3 / 60**0.5 < once["high"]
    assert once["annual"] == pytest.approx(once["value"] * (365 * 86400) ** 0.5)
