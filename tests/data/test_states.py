"""Messages that repeat the whole book become what changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.data.states import StateDifferences, _differences, differences
from twosided.market.event import EVENT, Flag, Kind

LAST, SNAPSHOT = int(Flag.LAST_OF_MESSAGE), int(Flag.SNAPSHOT)

level = st.tuples(st.sampled_from([1, -1]), st.integers(1, 6), st.integers(1, 3))
states = st.lists(st.lists(level, max_size=5, unique_by=lambda each: each[:2]), max_size=6)


@pytest.mark.interpreted
@pytest.mark.parametrize("kernel", [differences, _differences])
@given(states=states, cut=st.integers(0, 6))
def test_the_differences_rebuild_every_state(kernel, states, cut):
    """Each message of a stream states the whole book; an empty one is a CLEAR."""
    rows = []
    for time, state in enumerate(states):
        lines = [(side, ticks, lots, Kind.DEPTH) for side, ticks, lots in state] or [(0, 0, 0, Kind.CLEAR)]
        for i, (side, ticks, lots, kind) in enumerate(lines):
            rows.append((time, time, 0, lots, ticks, kind, LAST if i == len(lines) - 1 else 0, side, 0))
    events = np.array(rows, EVENT) if rows else np.zeros(0, EVENT)
    ends = np.flatnonzero(events["flags"] & LAST) + 1
    middle = int(ends[cut - 1]) if 0 < cut <= len(ends) else 0
    before, begun, result = np.zeros(0, EVENT), False, []
    for part in (events[:middle], events[middle:]):
        if not len(part):
            continue
        room = 2 * len(part) + len(before) + 2
        out, origin = np.zeros(room, EVENT), np.zeros(room, np.int64)
        last = np.zeros(2, np.int64)
        count = kernel(part, before, begun, SNAPSHOT, out, origin, last)
        assert (part["exch_ns"][origin[:count]] == out["exch_ns"][:count]).all()
        result.append(out[:count])
        state = part[last[0] : last[1]]
        assert (state["exch_ns"] == part["exch_ns"][-1]).all()
        before, begun = state[state["kind"] == Kind.DEPTH], True
    book, found = {}, {}
    for event in (event for part in result for event in part):
        if event["kind"] == Kind.DEPTH:
            book[int(event["side"]), int(event["ticks"])] = int(event["lots"])
        elif event["kind"] == Kind.SNAPSHOT_BEGIN:
            book = {}
        if event["flags"] & LAST:
            found[int(event["exch_ns"])] = {key: lots for key, lots in book.items() if lots}
    expected = {}
    for time, state in enumerate(states):
        now = {(side, ticks): lots for side, ticks, lots in state}
        if time == 0 or now != {(side, ticks): lots for side, ticks, lots in states[time - 1]}:
            expected[time] = now
    assert found == expected


def row(time, kind, side=0, ticks=0, lots=0, flags=0, number=0):
    return (time, time, number, lots, ticks, kind, flags, side, 0)


def test_trades_pass_in_front_of_the_levels_and_alone_say_nothing_of_the_book():
    events = np.array(
        [
            row(1, Kind.DEPTH, 1, 99, 5, LAST),
            row(2, Kind.TRADE, 1, 100, 1, LAST, number=7),
            row(3, Kind.DEPTH, 1, 99, 4),
            row(3, Kind.TRADE, -1, 99, 1, LAST),
        ],
        EVENT,
    )
    out, origin = StateDifferences().settle(events)
    assert out["kind"].tolist() == [Kind.SNAPSHOT_BEGIN, Kind.DEPTH, Kind.SNAPSHOT_END, Kind.TRADE, Kind.TRADE, Kind.DEPTH]
    assert out["flags"].tolist() == [SNAPSHOT, SNAPSHOT, SNAPSHOT | LAST, LAST, 0, LAST]
    assert (out["id"][3], origin.tolist()) == (7, [0, 0, 0, 1, 3, 2])


def test_a_first_state_that_is_crossed_is_a_snapshot_that_no_check_refuses():
    crossed = np.array([row(1, Kind.DEPTH, 1, 101, 5), row(1, Kind.DEPTH, -1, 100, 5, LAST)], EVENT)
    for may_cross, mark in ((False, SNAPSHOT), (True, 0)):
        out, _origin = StateDifferences(may_cross=may_cross).settle(crossed.copy())
        assert out["flags"].tolist() == [SNAPSHOT, mark, mark, SNAPSHOT | LAST]
