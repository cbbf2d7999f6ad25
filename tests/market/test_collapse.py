"""Both views of one market: the levels that single orders leave, message by message."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.engines.flow import generate_market
from twosided.market.collapse import by_level
from twosided.market.event import BY_ORDER, EVENT, Flag, Kind
from twosided.market.touch import TouchTracker, touches

FIELDS = ["exch_ns", "local_ns", "bid_ticks", "bid_lots", "ask_ticks", "ask_lots"]


@pytest.fixture(scope="module")
def both():
    """The same session by order and by level, as the generator writes them."""
    return tuple(generate_market(seed=3, seconds=300, by_order=by_order)[0] for by_order in (True, False))


def test_a_generated_session_becomes_what_the_generator_writes_by_level(both):
    by_order, levels = both
    made = by_level(by_order)
    assert not np.isin(made["kind"], list(BY_ORDER)).any()
    assert touches(made)[FIELDS].tolist() == touches(levels)[FIELDS].tolist()
    trades = [each[each["kind"] == Kind.TRADE][["exch_ns", "ticks", "lots", "side"]].tolist() for each in (made, levels)]
    assert trades[0] == trades[1]
    ends = [each["exch_ns"][each["flags"] & Flag.LAST_OF_MESSAGE != 0].tolist() for each in (made, levels)]
    assert ends[0] == ends[1]


LINE = st.tuples(
    st.sampled_from([Kind.ADD, Kind.ADD, Kind.MODIFY, Kind.CANCEL, Kind.FILL, Kind.TRADE, Kind.SNAPSHOT_BEGIN, Kind.CLEAR]),
    st.integers(1, 6),
    st.sampled_from([1, -1, 0]),
    st.integers(-2, 3),
    st.integers(0, 4),
    st.booleans(),
    st.integers(0, 1),
)


@pytest.mark.interpreted
@given(st.lists(LINE, max_size=50))
def test_both_views_show_the_same_touch_after_every_message(lines):
    events = np.zeros(len(lines), EVENT)
    for i, (kind, order_id, side, ticks, lots, last, market) in enumerate(lines):
        events[i] = (i, i, order_id, lots, ticks, kind, Flag.LAST_OF_MESSAGE if last else 0, side, market)
    changed = np.flatnonzero(events["market"][1:] != events["market"][:-1])
    events["flags"][changed] |= np.uint8(Flag.LAST_OF_MESSAGE)  # a message is of one market
    made = by_level(events)
    for market in (0, 1):
        assert states(made, market) == states(events, market)


def states(events, market):
    """Return the touch after each message's time, the last one of those with equal content only once."""
    found = TouchTracker(market).feed(events)
    return found[["exch_ns", "bid_ticks", "bid_lots", "ask_ticks", "ask_lots"]].tolist()


@pytest.mark.interpreted
def test_a_level_is_written_once_in_a_message_and_a_snapshot_ends_with_its_end():
    begin, end = (Kind.SNAPSHOT_BEGIN, 0, 0, 0, 0, 0), (Kind.SNAPSHOT_END, 0, 0, 0, 0, 1)
    add = [(Kind.ADD, i, 1, 100, 5, 0) for i in range(3)]
    events = np.zeros(7, EVENT)
    lines = [begin, *add, end, (Kind.CANCEL, 0, 0, 0, 2, 0), (Kind.CANCEL, 1, 0, 0, 5, 1)]
    for i, (kind, order_id, side, ticks, lots, last) in enumerate(lines):
        events[i] = (0, 0, order_id, lots, ticks, kind, last, side, 0)
    made = by_level(events)
    assert made[["kind", "ticks", "lots", "flags"]].tolist() == [
        (Kind.SNAPSHOT_BEGIN, 0, 0, 0),
        (Kind.DEPTH, 100, 15, 0),
        (Kind.SNAPSHOT_END, 0, 0, 1),
        (Kind.DEPTH, 100, 8, 1),
    ]
