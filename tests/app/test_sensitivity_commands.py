"""``--sensitivity`` and comparisons from the command line."""

import json
import re
from decimal import Decimal

import pytest

from twosided.market.run import Run

FIXED = ("--strategy", "fixed", "--set", "half_spread=0.5", "--set", "unit=ticks", "--set", "quantity=100")
SETTINGS = ["as assumed", "order latency × 0.5", "order latency × 2", "order latency × 5", "queue conservative", "queue optimistic"]


@pytest.fixture
def found(command, session):
    answer = command("replay", session, *FIXED, "--sensitivity", "--json", "--quiet")
    assert (answer.code, answer.err) == (0, "")
    return json.loads(answer.out, parse_float=Decimal)


def test_json_has_every_assumption_with_exact_money(found, command, session):
    rows = found["sensitivity"]["rows"]
    assert [row["setting"] for row in rows] == [*SETTINGS, "fees + 1 bps", "fees − 1 bps"]
    assert rows[0]["pnl"] == found["pnl"]
    assert all(row["pnl"] - row["change"] == found["pnl"] for row in rows)
    slow = json.loads(
        command("replay", session, *FIXED, "--entry-latency", "5ms", "--response-latency", "5ms", "--json", "--quiet").out,
        parse_float=Decimal,
    )
    assert (rows[3]["pnl"], rows[3]["fills"]) == (slow["pnl"], slow["fills"])
    dear = json.loads(command("replay", session, *FIXED, "--maker-bps", "1", "--taker-bps", "1", "--json").out, parse_float=Decimal)
    assert rows[6]["pnl"] == dear["pnl"]


def test_the_run_itself_is_what_it_is_without_the_others(found, command, session):
    plain = json.loads(command("replay", session, *FIXED, "--json", "--quiet").out, parse_float=Decimal)
    assert plain["sensitivity"] is None
    assert found["digest"] == plain["digest"]
    assert found["statistics"] == plain["statistics"]


def test_the_table_shows_the_band_and_the_verdict_for_every_strategy(command, session):
    out = command("replay", session, *FIXED, "--strategy", "skewed_price", "--sensitivity", "--quiet").out
    for words in (
        *SETTINGS,
        "fixed: if the assumptions were others",
        "skewed_price: if the assumptions were others",
        "fees + 1 bps",
    ):
        assert words in out
    assert out.count("every assumption tried") + out.count("changes its sign") == 2


def test_the_saved_run_and_its_report_keep_what_was_tried(command, session, tmp_path):
    assert command("replay", session, *FIXED, "--sensitivity", "--out", tmp_path / "out", "--quiet").code == 0
    assert len(Run.load(tmp_path / "out" / "fixed").facts["sensitivity"]["rows"]) == 8
    assert command("report", tmp_path / "out", "--out", tmp_path / "again.html").code == 0
    for page in (tmp_path / "out" / "report.html", tmp_path / "again.html"):
        assert "If the assumptions were others" in page.read_text()


def test_own_orders_that_are_not_small_are_warned_of(command, session):
    large = ("--strategy", "fixed", "--set", "half_spread=0.5", "--set", "unit=ticks", "--set", "quantity=2000")
    answer = command("replay", session, *large, "--quiet")
    (said,) = re.findall(r"^warning: (.*)$", answer.out, re.MULTILINE)
    assert "own quotes of 2,000 shares stand beside " in said
    assert json.loads(command("replay", session, *large, "--json", "--quiet").out)["warnings"] == [said]
    small = (*FIXED[:-1], "quantity=1")
    assert "warning" not in command("replay", session, *small, "--quiet").out


def test_several_runs_are_held_against_the_first(command, session, tmp_path):
    command("replay", session, *FIXED, "--out", tmp_path / "a", "--quiet")
    command("replay", session, *FIXED, "--queue", "optimistic", "--out", tmp_path / "b", "--quiet")
    answer = command("report", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "compare.html")
    assert answer.code == 0
    assert re.search(r"fixed queue=optimistic made [\d,.]+ USD (more|less) than fixed queue=power:3; 95 % interval", answer.out)
    assert "Held against fixed queue=power:3" in (tmp_path / "compare.html").read_text()


def test_runs_that_are_not_comparable_are_reported_with_a_warning(command, session, session_by_order, tmp_path):
    for name, data in (("a", session), ("b", session_by_order)):
        command("replay", data, *FIXED, "--out", tmp_path / name, "--quiet")
    answer = command("report", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "compare.html")
    assert answer.code == 0
    assert "is not held against" in answer.out
    assert "it ran from" in answer.out
