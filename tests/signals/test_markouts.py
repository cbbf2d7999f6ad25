"""Markouts as they come: by hand, and those of the explanation of a whole run."""

import numpy as np
import polars as pl
import pytest

from twosided.engines.flow import generate_market
from twosided.engines.replay import replay
from twosided.errors import InputError
from twosided.explain.markouts import markouts
from twosided.signals.markouts import HORIZONS_NS, MARKOUTS, markouts_of, see_fill, see_mid, settle_markouts
from twosided.strategies.catalogue import find_strategy

SECOND = 10**9
interpreted = pytest.mark.interpreted


@interpreted
def test_the_mid_before_the_fill_is_compared_with_the_one_that_stands_at_the_horizon():
    mid_ns = np.array([1, 2, 3, 4, 20]) * SECOND
    mid = np.array([100.0, 101.0, 103.0, 104.0, 90.0])
    # bought at 2 s, at whose instant the mid became 101: before it, 100; after 1 s 103, after 10 s 104, after a minute 90
    found = markouts_of(mid_ns, mid, [2 * SECOND], [1], 62 * SECOND)
    assert found.average.tolist() == [3.0, 4.0, -10.0]
    assert found.fills.tolist() == [1, 1, 1]
    assert markouts_of(mid_ns, mid, [2 * SECOND], [-1], 62 * SECOND).average.tolist() == [-3.0, -4.0, 10.0]


@interpreted
def test_a_fill_counts_once_its_horizon_has_passed_and_not_before():
    row = np.zeros(1, MARKOUTS)[0]
    see_mid(row, SECOND, 100.0)
    see_fill(row, 2 * SECOND, 1)
    see_mid(row, 3 * SECOND, 101.0)
    assert row.count.tolist() == [0, 0, 0]  # another mid could come at this very instant
    settle_markouts(row, 3 * SECOND + 1)
    assert (row.count.tolist(), row.average[0], row.recent[0]) == ([1, 0, 0], 1.0, 1.0)
    assert row.horizon_ns.tolist() == list(HORIZONS_NS)


@interpreted
def test_of_more_fills_than_there_is_room_for_the_oldest_are_lost():
    row = np.zeros(1, MARKOUTS)[0]
    see_mid(row, SECOND, 100.0)
    for i in range(600):
        see_fill(row, SECOND + i, 1)
    settle_markouts(row, 100 * SECOND)
    assert row.lost == 3 * 88
    assert row.count.tolist() == [512] * 3


def test_they_are_those_of_the_explanation_of_a_whole_run():
    events, instrument = generate_market(seed=3, seconds=600.0)
    run = replay(events, find_strategy("fixed").with_params(half_spread=1.0, unit="ticks"), instruments=instrument)
    fills, mids = run.fills.filter(pl.col("hedge") == 0), run.mids
    assert len(fills) > 100
    found = markouts_of(
        mids["exch_ns"].to_numpy(),
        0.5 * (mids["bid_ticks"] + mids["ask_ticks"]).to_numpy(),
        fills["exch_ns"].to_numpy(),
        fills["side"].to_numpy(),
        run.facts["end_ns"],
    )
    for h, explained in enumerate(markouts(run)):
        assert found.fills[h] == explained.fills
        assert found.average[h] == pytest.approx(explained.ticks.mean, rel=1e-9)


@interpreted
def test_what_cannot_be_used_is_refused():
    with pytest.raises(InputError, match="times in order"):
        markouts_of([5], [1.0], [4], [1], 9)
    with pytest.raises(InputError, match="horizons_ns is"):
        markouts_of([5], [1.0], [6], [1], 9, (3, 2, 1))
