"""One pass finds what a replay must know of its events, as a plain loop would."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.market.event import EVENT, Kind
from twosided.market.survey import Survey, Surveyor, survey

pytestmark = pytest.mark.interpreted

KINDS = [int(kind) for kind in Kind]


def steps_back(times):
    return sum(later < earlier for earlier, later in pairwise(times))


def naive(rows, markets):
    local, exch, ticks, lots = range(4)
    of_market = [[r for r in rows if r[4] == m] for m in range(markets)]
    moves = [[r[exch] for r in some if r[5] != Kind.TRADE] for some in of_market]
    return Survey(
        events=len(rows),
        local_backwards=steps_back([r[local] for r in rows]),
        exch_backwards=steps_back([r[exch] for r in rows]),
        shortest_ns=min((r[local] - r[exch] for r in rows), default=2**63 - 1),
        longest_ns=max((r[local] - r[exch] for r in rows), default=1 - 2**63),
        most_market=max((r[4] for r in rows), default=0),
        kinds=tuple(frozenset(r[5] for r in some) for some in of_market),
        most_ticks=tuple(max((abs(r[ticks]) for r in some), default=0) for some in of_market),
        most_lots=tuple(max((r[lots] for r in some if r[5] != Kind.FUNDING), default=0) for some in of_market),
        moves_backwards=tuple(steps_back(times) for times in moves),
    )


def events_of(rows):
    events = np.zeros(len(rows), EVENT)
    for i, (local, exch, ticks, lots, market, kind) in enumerate(rows):
        events[i] = (exch, local, 0, lots, ticks, kind, 0, 1, market)
    return events


times = st.integers(0, 5)
rows_of_events = st.lists(
    st.tuples(times, times, st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**62), st.integers(0, 3), st.sampled_from(KINDS)),
    max_size=30,
)


def in_order(rows):
    """Return the same rows as a recording has them: neither clock goes backwards."""
    clocks = [sorted(clock) for clock in zip(*[row[:2] for row in rows], strict=True)] or [[], []]
    return [(local, exch, *row[2:]) for local, exch, row in zip(*clocks, rows, strict=True)]


@given(rows_of_events, st.integers(1, 4))
def test_it_counts_what_a_plain_loop_counts(rows, markets):
    assert survey(events_of(rows), markets) == naive(rows, markets)


@given(rows_of_events, rows_of_events, st.booleans())
def test_it_makes_no_difference_that_clocks_are_in_order_for_a_while(orderly, rows, one_market):
    """From there on anything may come: 128 events at a time are looked at together."""
    orderly = [(*row[:4], 0 if one_market else row[4], row[5]) for row in in_order(orderly)]
    orderly += orderly[-1:] * (128 - len(orderly) if orderly else 0)
    for each in (orderly, orderly + rows):
        assert survey(events_of(each), 3) == naive(each, 3)


@given(rows_of_events, st.integers(0, 30))
def test_it_may_be_told_in_pieces(rows, cut):
    surveyor = Surveyor(2)
    surveyor.see(events_of(rows[:cut]))
    surveyor.see(events_of(rows[cut:]))
    assert surveyor.found() == survey(events_of(rows), 2)


def test_the_lowest_price_there_is_has_a_size_that_still_fits():
    found = survey(events_of([(0, 0, -(2**31), 1, 0, 1)]), 1)
    assert found.most_ticks == (2**31,)


def test_a_market_that_was_not_announced_is_reported_and_writes_nowhere():
    found = survey(events_of([(0, 0, 7, 7, 255, 1)]), 1)
    assert (found.most_market, found.most_ticks, found.most_lots) == (255, (0,), (0,))


def test_an_unknown_kind_is_seen_and_does_not_shift_out_of_the_word():
    assert 62 in survey(events_of([(0, 0, 1, 1, 0, 200)]), 1).kinds[0]


def test_a_view_of_other_events_is_surveyed_as_a_copy_would_be():
    events = events_of([(i, -i, i, 10 * i, 0, 1) for i in range(10)])
    assert survey(events[::-2], 1) == survey(events[::-2].copy(), 1)


def test_a_trade_does_not_say_when_the_book_last_moved():
    """The exchange's clock goes back behind the trade, but not behind the book's last move."""
    rows = [(1, 1, 100, 5, 0, int(Kind.DEPTH))] * 127 + [(5, 5, 100, 5, 0, int(Kind.TRADE)), (6, 3, 100, 5, 0, int(Kind.DEPTH))]
    found = survey(events_of(rows), 1)
    assert (found.exch_backwards, found.moves_backwards) == (1, (0,))
