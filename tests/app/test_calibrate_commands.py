"""``twosided calibrate queue`` tells how wrong each guess is; ``--start`` says when quoting begins."""

import json

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
    assert refused("replay", session, *fixed, "--start", "5s", "--calibrate-first", "5s").startswith(
        "--start and --calibrate-first"
    )
