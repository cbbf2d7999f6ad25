"""`twosided replay --limits`: from a file, by name, or in a configuration; what they did is said; what is wrong is one sentence."""

import json
from decimal import Decimal

import pytest

from twosided.market.run import Run

FIXED = ("--strategy", "fixed", "--set", "half_spread=0.5", "--set", "unit=ticks", "--set", "quantity=100")


def test_a_limit_holds_and_what_it_denied_is_said(command, session, tmp_path):
    answer = command("replay", session, *FIXED, "--limit", "max_position=150", "--out", tmp_path / "out", "--quiet")
    assert answer.code == 0
    assert "limits: denied" in answer.out
    run = Run.load(tmp_path / "out" / "fixed")
    assert run.fills["position_lots"].abs().max() * float(run.instruments[0].lot_size) <= 150
    assert "max position" in (tmp_path / "out" / "report.html").read_text()
    assert run.facts["settings"]["limits"]["max_position"] == "150"


def test_a_file_a_name_and_a_configuration_say_the_same(command, session, tmp_path):
    limits = tmp_path / "limits.yaml"
    limits.write_text("max_position: 120\nmax_drawdown: 1000\n")
    config = tmp_path / "run.yaml"
    config.write_text(
        f"data: {{files: {session}}}\nstrategies: [{{name: fixed, params: {{half_spread: 0.5, unit: ticks, quantity: 100}}}}]\n"
        "settings: {limits: {max_position: 120, max_drawdown: 1000}}\n"
    )
    asked = [
        (session, *FIXED, "--limits", limits),
        (session, *FIXED, "--limits", limits, "--limit", "max-position=120"),
        (config,),
        (session, *FIXED, "--limit", "max_position=120", "--limit", "max_drawdown=1000"),
    ]
    found = [json.loads(command("replay", *each, "--json", "--quiet").out, parse_float=Decimal) for each in asked]
    assert len({each["digest"] for each in found}) == 1
    assert all(each["risk"]["state"] == "NORMAL" for each in found)
    free = json.loads(command("replay", session, *FIXED, "--json", "--quiet").out)
    assert free["risk"] is None
    assert free["digest"] != found[0]["digest"]


def test_a_limit_in_a_file_may_need_one_that_is_given_by_name(command, session, tmp_path):
    limits = tmp_path / "limits.yaml"
    limits.write_text("fills_within: 2s\n")
    alone = command("replay", session, *FIXED, "--limits", limits, "--quiet")
    assert "fills_within says nothing without max_fills_per_side" in alone.err
    both = command("replay", session, *FIXED, "--limits", limits, "--limit", "max_fills_per_side=2", "--out", tmp_path / "out")
    assert both.code == 0
    stated = Run.load(tmp_path / "out" / "fixed").facts["settings"]["limits"]
    assert (stated["fills_within"], stated["max_fills_per_side"]) == (2_000_000_000, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--limit", "max_positon=3"), "--limit max_positon is unknown; did you mean 'max_position'?"),
        (("--limit", "max_position"), "--limit is 'max_position'; allowed: NAME=VALUE, as max_position=100"),
        (("--limit", "max_position=-3"), "--limit max_position is '-3'; allowed: greater than 0"),
        (("--limit", "max_open_orders=10s"), "--limit max_open_orders is '10s'; allowed: a whole number"),
        (("--limit", "fills_within=2s"), "--limit: fills_within says nothing without max_fills_per_side; state that limit too"),
        (("--limit", "max_leverage=3"), "--limit: max_leverage is 3 without capital; state capital, which it is measured on"),
        (("--limit", "instruments=A"), "instruments allows 'A', which is not traded here; known: "),
        (("--limits", "none.yaml"), "none.yaml: no such file"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(command, session, options, message):
    answer = command("replay", session, *FIXED, *options, "--quiet")
    assert answer.code == 2
    assert answer.err.startswith(f"twosided: {message}")
    assert answer.err.count("\n") == 1
