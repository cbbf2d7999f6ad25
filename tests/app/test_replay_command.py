"""``twosided replay`` prints exact money, saves what it ran, and does the same from a command line, a file, alone or in company."""

import html
import json
import os
import re
import signal
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from twosided.app.console import ReplayProgress
from twosided.data.store import Header, write_store
from twosided.engines.flow import generate_market
from twosided.market.instrument import Fees
from twosided.market.run import Run

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
FIXED = ("--strategy", "fixed", "--set", "half_spread=0.5", "--set", "unit=ticks", "--set", "quantity=100")
FEES = ("--maker-per-unit", "-0.002", "--taker-per-unit", "0.003")


@pytest.fixture
def results(command, session):
    def run(*arguments: object) -> dict:
        answer = command("replay", session, *arguments, "--json", "--quiet")
        assert (answer.code, answer.err) == (0, "")
        return json.loads(answer.out, parse_float=Decimal)

    return run


def test_the_parts_of_the_split_add_up_to_the_pnl_to_the_last_digit(results):
    found = results(*FIXED, *FEES)
    assert found["fills"] > 20
    assert found["pnl"] != 0
    assert sum(found["split"].values()) == found["pnl"]
    assert found["fees"] == -found["split"]["fees"]
    assert found["fees"] == Decimal("-0.002") * found["volume"]


def test_the_fixed_names_are_there(results):
    found = results(*FIXED)
    names = {"pnl", "fees", "position", "fills", "volume", "events", "events_per_second", "digest", "split"}
    assert names <= set(found)
    assert set(found["split"]) == {"spread", "adverse", "fees", "alpha", "inventory", "hedge"}
    assert found["complete"] is True
    assert found["events"] > 1000


def test_the_same_run_twice_has_the_same_digest_and_another_one_has_not(results):
    first = results(*FIXED)["digest"]
    assert results(*FIXED)["digest"] == first
    assert results(*FIXED, "--entry-latency", "20ms")["digest"] != first


def test_strategies_side_by_side_do_what_they_do_alone(results):
    both = results(*FIXED, "--strategy", "skewed_price")["runs"]
    assert [run["strategy"] for run in both] == ["fixed", "skewed_price"]
    assert both[0]["digest"] == results(*FIXED)["digest"]
    assert both[0]["digest"] != both[1]["digest"]


def test_the_table_names_every_strategy_and_every_part(command, session):
    answer = command("replay", session, *FIXED, "--strategy", "skewed_price", "--quiet")
    for word in ("fixed", "skewed_price", "P&L", "adverse selection", "inventory", "Sharpe", "drawdown"):
        assert word in answer.out


def test_out_holds_every_run_and_one_report(command, session, tmp_path, results):
    out = tmp_path / "out" / "both"
    for _ in range(2):  # the second time replaces the first
        assert command("replay", session, *FIXED, "--strategy", "skewed_price", "--out", out).code == 0
        assert sorted(entry.name for entry in out.iterdir()) == ["fixed", "report.html", "skewed_price"]
    assert Run.load(out / "fixed").digest() == results(*FIXED)["digest"]
    assert not list(out.parent.glob(".*"))


def test_a_report_is_made_again_from_saved_runs(command, session, tmp_path):
    command("replay", session, *FIXED, "--out", tmp_path / "out")
    again = tmp_path / "again.html"
    assert command("report", tmp_path / "out", "--out", again).code == 0
    assert "fixed" in again.read_text()
    beside = sorted((tmp_path / "out").iterdir())  # what a shell makes of out/*
    assert [entry.name for entry in beside] == ["fixed", "report.html"]
    assert command("report", *beside, "--out", tmp_path / "same.html").code == 0


def test_a_configuration_does_what_its_options_do(command, session, tmp_path, results):
    path = tmp_path / "run.yaml"
    path.write_text(
        f"data: {{files: {session}}}\n"
        "strategies: [{name: fixed, params: {half_spread: 0.5, unit: ticks, quantity: 100}}]\n"
        "settings: {entry_latency: 20ms}\n"
        "instrument: {fees: {maker_per_unit: -0.002}}\n"
    )
    found = json.loads(command("replay", path, "--json").out, parse_float=Decimal)
    assert found["digest"] == results(*FIXED, "--entry-latency", "20ms", "--maker-per-unit", "-0.002")["digest"]
    overridden = json.loads(command("replay", path, "--entry-latency", "1ms", "--json").out)
    assert overridden["digest"] == results(*FIXED, "--maker-per-unit", "-0.002")["digest"]


def test_calibration_fills_in_what_was_not_set_and_quotes_only_after_it(command, session):
    answer = command("replay", session, "--strategy", "glft", "--set", "k=200", "--calibrate-first", "60s", "--json")
    found = json.loads(answer.out)
    assert "sigma" in answer.err  # says what it found
    assert found["params"]["k"] == 200
    assert found["params"]["sigma"] > 0
    assert found["params"]["A"] > 0
    whole = json.loads(command("replay", session, "--strategy", "fixed", "--json").out)
    assert found["start_ns"] == whole["start_ns"] + 60 * 10**9


def test_a_recording_is_streamed_on_demand_and_nothing_else_changes(results):
    for given in (FIXED, ("--strategy", "glft", "--set", "k=200", "--calibrate-first", "60s")):
        streamed, loaded = results(*given, "--stream"), results(*given)
        differ = {name for name in loaded if streamed[name] != loaded[name]}
        assert differ <= {"seconds", "events_per_second", "configuration"}
        assert streamed["digest"] == loaded["digest"]


def test_stated_capital_gives_a_return(results):
    account = results(*FIXED, "--capital", "100000")["statistics"]["accounts"][0]
    assert float(account["return_on_capital"]) == pytest.approx(float(account["pnl"]) / 1e5)


def test_statistics_rest_on_what_is_asked_for(results):
    by_day, by_year = results(*FIXED), results(*FIXED, "--hours-per-day", "6.5", "--horizon", "1s")
    assert by_year["statistics"]["hours_per_day"] == Decimal("6.5")
    assert by_year["split"]["adverse"] != by_day["split"]["adverse"]
    assert by_year["pnl"] == by_day["pnl"] == sum(by_year["split"].values())
    assert by_year["digest"] == by_day["digest"]


def test_the_strategy_of_the_docs_runs(results):
    assert results("--strategy", f"{EXAMPLES / 'lean.py'}:lean", "--set", "lean=0.01")["fills"] > 0


BROKEN = """
from twosided import strategy

@strategy(count=3.0, compiled={compiled}, memory={{"calls": "i8"}})
def broken(ctx):
    ctx.memory.calls += 1
    if ctx.memory.calls == 5:
        raise {error}
"""


@pytest.mark.parametrize("compiled", [True, False])
def test_an_exception_names_the_strategy_the_time_and_the_users_own_line(refused, session, tmp_path, compiled):
    (tmp_path / "mine.py").write_text(BROKEN.format(compiled=compiled, error='ValueError("five")'))
    said = refused("replay", session, "--strategy", "mine.py:broken", "--out", "out", "--quiet")
    assert said.startswith("strategy broken raised ValueError: five at 2024-01-02 14:30:")
    assert said.endswith("mine.py:8)")


def test_a_run_that_was_interrupted_is_kept_as_far_as_it_got(command, session, tmp_path):
    (tmp_path / "stops.py").write_text(BROKEN.format(compiled=False, error="KeyboardInterrupt"))
    answer = command("replay", session, "--strategy", f"{tmp_path / 'stops.py'}:broken", "--out", tmp_path / "out", "--json")
    assert answer.code == 130
    found = json.loads(answer.out)
    assert found["complete"] is False
    assert found["end_ns"] - found["start_ns"] < 2 * 10**9
    assert Run.load(tmp_path / "out" / "broken").digest() == found["digest"]


def test_ctrl_c_waits_for_the_engine_and_then_stops_it():
    before = signal.getsignal(signal.SIGINT)
    with ReplayProgress(quiet=True).shown() as progress:
        progress(1, 10)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            progress(2, 10)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_stops_at_once():
    with ReplayProgress(quiet=True).shown():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_saved_run_says_how_to_make_it_again(command, session, tmp_path):
    out = tmp_path / "out"
    asked = ("--strategy", "fixed", "--strategy", "glft", "--set", "gamma=5", "--set", "quantity=20", "--calibrate-first", "60s")
    command("replay", session, *asked, *FEES, "--seed", "7", "--queue", "log", "--horizon", "2s", "--out", out, "--quiet")
    for name in ("fixed", "glft"):
        saved = Run.load(out / name)
        again = tmp_path / f"{name}.yaml"
        again.write_text(yaml.safe_dump(saved.facts["configuration"]))
        found = json.loads(command("replay", again, "--json", "--quiet").out)
        assert found["digest"] == saved.digest()
        assert found["statistics"]["horizon_seconds"] == 2
    shown = re.findall(r"<pre>(.*?)</pre>", (out / "report.html").read_text(), re.DOTALL)
    assert yaml.safe_load(html.unescape(shown[1])) == saved.facts["configuration"]


def test_a_saved_run_says_what_was_estimated_and_from_what(command, session, tmp_path):
    asked = ("--strategy", "glft", "--set", "k=200", "--calibrate-first", "60s")
    answer = command("replay", session, *asked, "--out", tmp_path / "out", "--json")
    saved = Run.load(tmp_path / "out" / "glft")
    found = saved.facts["calibration"]
    assert found["used"] == ["sigma", "A"]  # k was given
    assert saved.facts["start_ns"] == found["from_ns"] + 60 * 10**9
    assert saved.facts["start_ns"] - 10**9 < found["until_ns"] < saved.facts["start_ns"]
    for name in ("sigma", "A", "k"):
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]
        assert found[name]["unit"]
    assert saved.facts["parameters"]["sigma"] == {"used": found["sigma"]["value"], "unit": "price/sqrt(s)", "estimated": True}
    assert saved.facts["parameters"]["k"]["estimated"] is False
    assert json.loads(answer.out)["calibration"] == found
    assert "calibration" not in json.loads(command("replay", session, *FIXED, "--json").out)["statistics"]


def test_parameters_are_told_as_they_took_effect(command, session, results, tmp_path):
    command("replay", session, "--strategy", "fixed", "--out", tmp_path / "out", "--quiet")
    facts = Run.load(tmp_path / "out" / "fixed").facts
    used = {name: each["used"] for name, each in facts["parameters"].items()}
    assert used == {"half_spread": 5.0, "unit": "bps", "quantity": 1.0, "max_position": 10.0, "target_position": 0.0}
    assert facts["params"]["quantity"] == 0.0  # what was asked for
    assert facts["parameters"]["quantity"]["unit"] == "shares"
    page = (tmp_path / "out" / "report.html").read_text()
    assert "10 shares (0 asked for)" in page
    told = results("--strategy", "glft", *(word for name in ("sigma", "A", "k") for word in ("--set", f"{name}=1")))["parameters"]
    assert [told[name]["used"] for name in ("quantity", "max_position", "q_max")] == [1, 10, 10]


def test_results_that_are_replaced_are_named(command, session, tmp_path):
    out = tmp_path / "x"
    assert "replaced the" not in command("replay", session, *FIXED, "--out", out).err
    answer = command("replay", session, "--strategy", "skewed_price", "--out", out)
    assert f"replaced the earlier results in {out} (fixed)\n" in answer.err


def test_fees_that_a_file_states_are_not_replaced_in_silence(command, tmp_path):
    events, instrument = generate_market(seed=3, seconds=20.0)
    charged = instrument.model_copy(update={"fees": Fees(maker_per_unit=Decimal("-0.002"))})
    header = {"instruments": (charged,), "events": len(events), "clock_offset_ns": 0, "min_latency_ns": 0, "defects": {}}
    words = {"names": ("made up",), "source_format": "generated", "notes": (), "inferred": ""}
    path = write_store(tmp_path / "x.parquet", Header(**header, **words), iter([events]))
    said = "the fees given here replace all that the file states: maker −0.002 USD per share"
    assert said in command("replay", path, *FIXED, "--maker-bps", "1").err
    for fees in ((), ("--maker-per-unit", "-0.002")):
        answer = command("replay", path, *FIXED, *fees)
        assert "replace" not in answer.err
        assert "fees: maker −0.002 USD per share" in answer.out  # and the table says what was charged


def test_two_runs_of_a_strategy_are_told_apart_by_what_differs(command, session, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(
        f"data: {{files: {session}}}\nstrategies: [{{name: fixed}}, {{name: fixed}}, {{name: fixed, params: {{half_spread: 2}}}}]\n"
    )
    assert command("replay", path, "--out", tmp_path / "out").code == 0
    names = sorted(entry.name for entry in (tmp_path / "out").iterdir())
    assert names == ["fixed_half_spread=2", "fixed_half_spread=5.0_1", "fixed_half_spread=5.0_2", "report.html"]


def test_quotes_that_stand_where_nobody_trades_are_told(command, session):
    def run(gamma):
        asked = ("--strategy", "avellaneda_stoikov", "--set", f"gamma={gamma}", "--set", "k=200", "--calibrate-first", "60s")
        return command("replay", session, *asked, "--set", "quantity=10", "--quiet").out

    assert "nothing was filled" not in run(0.1)
    assert "warning: FLOW twosided: nothing was filled: quotes stood " in run(1e6)
