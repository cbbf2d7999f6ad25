"""The touch is what a book held in two dictionaries says, after every whole message and never inside one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.market.event import EVENT, Flag, Kind
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.touch import TOUCH, TouchTracker, touches

pytestmark = pytest.mark.interpreted

LAST = int(Flag.LAST_OF_MESSAGE)


def rows(*lines):
    """Build events from (kind, side, ticks, lots, last) or the same with a market at the end."""
    events = np.zeros(len(lines), EVENT)
    for i, (kind, side, ticks, lots, last, *market) in enumerate(lines):
        events[i] = (1000 + i, 2000 + i, i, lots, ticks, kind, LAST if last else 0, side, market[0] if market else 0)
    return events


def naive(events, market=0):
    """Return the touches and the count of crossed states, from a book that is two dictionaries."""
    book = {1: {}, -1: {}}
    last, lines, crossed, changed = (NO_BID, 0, NO_ASK, 0), [], 0, False
    for i, event in enumerate(events):
        if event["market"] != market:
            continue
        kind, side = event["kind"], int(event["side"])
        if kind == Kind.DEPTH:
            book[side][int(event["ticks"])] = int(event["lots"])
            book[side] = {ticks: lots for ticks, lots in book[side].items() if lots}
            changed = True
        elif kind in {Kind.SNAPSHOT_BEGIN, Kind.CLEAR}:
            for each in (1, -1):
                if kind == Kind.SNAPSHOT_BEGIN or side in {0, each}:
                    book[each] = {}
            changed = True
        if event["flags"] & LAST and changed:
            changed = False
            bid, ask = max(book[1], default=NO_BID), min(book[-1], default=NO_ASK)
            touch = (bid, book[1].get(bid, 0), ask, book[-1].get(ask, 0))
            crossed += bid >= ask
            if touch != last:
                lines.append((i, int(event["exch_ns"]), int(event["local_ns"]), int(event["id"]), *touch))
                last = touch
    return lines, crossed


LINE = st.one_of(
    st.tuples(st.just(Kind.DEPTH), st.sampled_from([1, -1]), st.integers(-5000, 5000), st.integers(0, 3), st.booleans()),
    st.tuples(st.just(Kind.DEPTH), st.sampled_from([1, -1]), st.integers(-6, 6), st.integers(0, 2), st.booleans()),
    st.tuples(st.just(Kind.TRADE), st.sampled_from([1, -1]), st.integers(-6, 6), st.integers(1, 3), st.booleans()),
    st.tuples(st.just(Kind.SNAPSHOT_BEGIN), st.just(0), st.just(0), st.just(0), st.booleans()),
    st.tuples(st.just(Kind.CLEAR), st.sampled_from([1, 0, -1]), st.just(0), st.just(0), st.booleans()),
)


@given(st.lists(st.tuples(LINE, st.integers(0, 1)), max_size=40), st.integers(0, 40))
def test_touches_are_those_of_a_book_in_two_dictionaries_in_one_piece_or_two(lines, cut):
    events = rows(*((*line, market) for line, market in lines))
    expected, crossed = naive(events)
    tracker = TouchTracker()
    found = np.concatenate([tracker.feed(events[:cut]), tracker.feed(events[cut:])])
    assert [tuple(line.tolist()) for line in found] == expected
    assert tracker.crossed == crossed
    assert found.dtype == TOUCH


def test_a_state_inside_a_message_is_never_seen_though_it_is_crossed():
    events = rows(
        (Kind.DEPTH, 1, 99, 5, False),
        (Kind.DEPTH, -1, 100, 5, True),
        (Kind.DEPTH, 1, 100, 2, False),  # crossed here, until the ask is taken away
        (Kind.DEPTH, -1, 100, 0, False),
        (Kind.DEPTH, -1, 101, 4, True),
    )
    tracker = TouchTracker()
    assert [(line["bid_ticks"], line["ask_ticks"]) for line in tracker.feed(events)] == [(99, 100), (100, 101)]
    assert (tracker.crossed, tracker.messages, tracker.updates) == (0, 2, 2)


def test_each_whole_message_that_leaves_the_book_crossed_is_counted():
    events = rows((Kind.DEPTH, 1, 99, 5, False), (Kind.DEPTH, -1, 99, 5, True), (Kind.DEPTH, 1, 50, 1, True))
    tracker = TouchTracker()
    assert len(tracker.feed(events)) == 1  # the touch did not change with the second message
    assert tracker.crossed == 2


def test_removing_a_level_that_is_not_there_is_counted():
    tracker = TouchTracker()
    tracker.feed(rows((Kind.DEPTH, 1, 99, 5, True), (Kind.DEPTH, 1, 98, 0, True), (Kind.DEPTH, 1, 99, 0, True)))
    assert tracker.unknown_removals == 1


def test_trades_and_unchanged_touches_write_nothing():
    events = rows((Kind.DEPTH, 1, 99, 5, True), (Kind.TRADE, -1, 99, 1, True), (Kind.DEPTH, 1, 98, 7, True))
    assert touches(events)["event"].tolist() == [0]
    assert len(touches(rows())) == 0


def test_prices_spread_over_more_pages_than_the_book_began_with():
    prices = [(i - 50) * 40_000_000 for i in range(100)]
    events = rows(*((Kind.DEPTH, 1, ticks, 1, True) for ticks in prices))
    assert touches(events)["bid_ticks"].tolist() == prices
