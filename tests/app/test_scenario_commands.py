"""``twosided scenario``: lists, one scenario, all of them, and what is refused."""

import json

from twosided.research.scenarios import SCENARIOS


def test_scenarios_are_listed(command):
    answer = command("scenario", "list", "--json")
    assert answer.code == 0
    listed = json.loads(answer.out)
    assert [each["scenario"] for each in listed] == list(SCENARIOS)
    assert all(each["sentence"] and each["how"] and each["expectations"] for each in listed)
    assert "volatility-spike" in command("scenario", "list").out


def test_one_scenario_is_a_table_json_or_a_page(command, tmp_path):
    asked = ("scenario", "halt", "--strategy", "fixed", "--set", "half_spread=4", "--quiet")
    table = command(*asked)
    assert table.code == 0
    assert "sends no order from when it hears of the halt" in table.out
    answer = command(*asked, "--json", "--out", tmp_path)
    (one,) = json.loads(answer.out)
    (only,) = one["strategies"]
    assert only["params"]["half_spread"] == 4
    assert only["params"]["quantity"] == 10
    assert {each["expectation"]: each["verdict"] for each in only["checks"]}["no order"] == "pass"
    assert (tmp_path / "halt.html").stat().st_size > 100_000


def test_all_scenarios_make_a_matrix(command):
    answer = command("scenario", "all", "--strategy", "skewed_price", "--quiet")
    assert answer.code == 0
    assert "expectations met" in answer.out
    assert "feed-outage" in answer.out
    assert "blind" in answer.out


def test_what_is_not_there_is_refused_in_one_sentence(command):
    answer = command("scenario", "flash-crush", "--strategy", "fixed")
    assert answer.code == 2
    assert "scenario 'flash-crush' is unknown; did you mean 'flash-crash'?" in answer.err
    assert "name one with --strategy" in command("scenario", "halt").err
