"""What limits did is said once, with times and reasons, and that there were some where they never bound."""

import polars as pl

from twosided.explain.risk_words import risk_sentences
from twosided.market.order import Reason
from twosided.market.run import Run

HALF_PAST_TWO = 1_704_205_800_000_000_000


def run(changes, denied, state="NORMAL"):
    risk = {
        "state": state,
        "n_changes": len(changes),
        "changes": [dict(zip(("ns", "state", "why"), each, strict=True)) for each in changes],
        "denied": {reason.name: count for reason, count in denied.items()},
    }
    none = pl.DataFrame()
    return Run((), {"risk": risk}, fills=none, orders=none, quotes=none, decisions=none, equity=none, mids=none)


def test_nothing_is_said_without_limits():
    assert risk_sentences(run([], {}).with_facts(risk=None)) == []


def test_limits_that_never_bound_are_said_to_have_been_there():
    assert risk_sentences(run([], {Reason.NO_FREE_SLOT: 3})) == ["limits: none was reached"]


def test_changes_and_denials_are_said_with_their_reasons():
    changes = [(HALF_PAST_TWO, "REDUCE_ONLY", "DAILY_LOSS"), (HALF_PAST_TWO + 10**9, "HALTED", "DAILY_LOSS")]
    said = risk_sentences(run(changes, {Reason.HALTED: 1, Reason.MAX_POSITION: 1200}, "HALTED"))
    assert said[0] == f"limits: reduce-only from 2024-01-02 14:30:00.000 UTC: daily loss ({Reason.DAILY_LOSS.words})"
    assert said[1].startswith("limits: halted, everything cancelled from 2024-01-02 14:30:01.000 UTC: daily loss (")
    assert said[2:] == ["limits: denied, each time that it was asked: 1,200 × max position, 1 × halted"]


def test_many_changes_are_cut_and_counted():
    changes = [(HALF_PAST_TWO, "REDUCE_ONLY", "INVENTORY_AGE"), (HALF_PAST_TWO, "NORMAL", "NONE")] * 4
    said = risk_sentences(run(changes, {}))
    assert said[1] == "limits: normal again from 2024-01-02 14:30:00.000 UTC"
    assert said[3:] == ["limits: 5 more changes of state, at the end normal"]
