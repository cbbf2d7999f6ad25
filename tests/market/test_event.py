"""The event record's vocabulary: numbers that files carry, and the exchange's own order. (Its layout: tests/test_layout.py.)"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.market.event import EVENT, Flag, Kind, Status, exchange_order

pytestmark = pytest.mark.interpreted


def test_the_numbers_of_kinds_flags_and_statuses_never_change_because_files_hold_them():
    assert {kind.name: int(kind) for kind in Kind} == {
        "DEPTH": 1,
        "TRADE": 2,
        "SNAPSHOT_BEGIN": 3,
        "SNAPSHOT_END": 4,
        "CLEAR": 5,
        "STATUS": 6,
        "FUNDING": 7,
        "BAND": 8,
        "ADD": 10,
        "MODIFY": 11,
        "CANCEL": 12,
        "FILL": 13,
    }
    assert {flag.name: int(flag) for flag in Flag} == {"LAST_OF_MESSAGE": 1, "SNAPSHOT": 2, "HIDDEN": 4}
    assert {status.name: int(status) for status in Status} == {"CLOSED": 0, "OPEN": 1, "AUCTION": 2, "HALT": 3}


def with_times(times):
    events = np.zeros(len(times), EVENT)
    events["exch_ns"] = times
    events["id"] = np.arange(len(times))
    return events


@given(st.lists(st.integers(0, 20), max_size=40))
def test_the_exchange_order_is_by_its_clock_and_keeps_arrival_order_where_times_are_equal(times):
    events = with_times(times)
    before = events.copy()
    ordered = exchange_order(events)
    assert list(zip(ordered["exch_ns"].tolist(), ordered["id"].tolist(), strict=True)) == sorted(
        zip(times, range(len(times)), strict=True)
    )
    assert np.array_equal(events, before)


def test_events_in_order_already_are_not_copied():
    events = with_times([1, 1, 2, 5])
    assert exchange_order(events) is events
