"""Events of several markets by exchange time: what a sort by time, market and place gives, also where a market is out of order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.market.event import EVENT, exchange_order
from twosided.market.merge import markets_in_exchange_order

pytestmark = pytest.mark.interpreted

times = st.lists(st.integers(0, 12), max_size=25)


def told(listed, shuffled):
    """Return events of as many markets as lists of exchange times, in an order that keeps each market's own; ids number them."""
    queues = [list(each) for each in listed]
    rows = []
    while any(queues):
        market = next(m for m in (next(shuffled) for _ in iter(int, 1)) if queues[m % len(queues)]) % len(queues)
        rows.append((queues[market].pop(0), market))
    events = np.zeros(len(rows), EVENT)
    if rows:
        events["exch_ns"], events["market"] = zip(*rows, strict=True)
    events["id"] = range(len(rows))
    return events


@given(st.lists(times, min_size=1, max_size=4), st.randoms(use_true_random=False), st.booleans())
def test_it_is_a_sort_by_time_then_market_then_place(listed, random, in_order):
    listed = [sorted(each) if in_order else each for each in listed]
    events = told(listed, iter(lambda: random.randrange(100), None))
    before = events.copy()
    naive = sorted(events[["exch_ns", "market", "id"]].tolist())
    if len(listed) == 1:
        naive = sorted(naive, key=lambda row: (row[0], row[2]))
    assert markets_in_exchange_order(events, len(listed))[["exch_ns", "market", "id"]].tolist() == naive
    assert np.array_equal(events, before)


def test_of_one_market_it_is_a_stable_sort():
    events = told([[5, 3, 5, 1]], iter(lambda: 0, None))
    assert np.array_equal(markets_in_exchange_order(events, 1), exchange_order(events))


def test_a_market_without_events_is_no_trouble():
    events = told([[1, 2], [], [0]], iter(np.random.default_rng(1).integers(0, 3, 10**4).tolist()))
    assert markets_in_exchange_order(events, 3)["exch_ns"].tolist() == [0, 1, 2]
    assert len(markets_in_exchange_order(events[:0], 3)) == 0
