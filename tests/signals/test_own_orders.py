"""A book without own orders: what is ours is not the market's price, nor its size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.signals.own_orders import without_own
from twosided.signals.top import queue_imbalance

pytestmark = pytest.mark.interpreted


def test_a_level_that_is_only_ours_is_gone_and_another_is_smaller():
    ticks, lots = without_own([101, 100, 98], [5, 30, 7], [100, 101, 100], [4, 5, 6])
    assert (ticks.tolist(), lots.tolist()) == ([100, 98], [20, 7])


def test_an_order_that_the_book_does_not_show_takes_nothing_more():
    assert [part.tolist() for part in without_own([100], [3], [100, 50], [9, 9])] == [[], []]


levels = st.dictionaries(st.integers(90, 110), st.integers(1, 50), max_size=8)


@given(levels, levels)
def test_adding_own_orders_to_a_book_and_taking_them_out_changes_nothing(market, own):
    together = {ticks: market.get(ticks, 0) + own.get(ticks, 0) for ticks in market | own}
    ticks = sorted(together, reverse=True)
    found = without_own(ticks, [together[each] for each in ticks], list(own), list(own.values()))
    assert dict(zip(*map(np.ndarray.tolist, found), strict=True)) == market


def test_imbalance_is_then_that_of_the_others():
    _, bids = without_own([100], [50], [100], [40])
    assert queue_imbalance(bids, [10]).tolist() == [0.0]
    with pytest.raises(InputError, match="lots are negative"):
        without_own([1], [-1], [], [])
    with pytest.raises(InputError, match="shapes are"):
        without_own([1], [1, 2], [], [])
