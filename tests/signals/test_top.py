"""The signals of the top of the book: each formula worked by hand, over arrays by the same kernel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.signals.top import imbalance_of, queue_imbalance, weighted_mid, weighted_mid_of

pytestmark = pytest.mark.interpreted


@pytest.mark.parametrize(
    ("bid_lots", "ask_lots", "imbalance", "mid"),
    [(3, 1, 0.5, 100.5), (1, 3, -0.5, 99.5), (5, 5, 0.0, 100.0), (7, 0, 1.0, 101.0), (0, 7, -1.0, 99.0), (0, 0, 0.0, 100.0)],
)
def test_the_heavier_side_pushes_the_price_to_the_other(bid_lots, ask_lots, imbalance, mid):
    assert imbalance_of(bid_lots, ask_lots) == imbalance
    assert weighted_mid_of(99, 101, bid_lots, ask_lots) == mid


lots = st.integers(0, 10**12)


@given(st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(1, 100), lots, lots), min_size=1, max_size=20))
def test_arrays_give_what_the_kernel_gives_and_stay_in_bounds(rows):
    bid, spread, bids, asks = np.array(rows).T
    found, mid = queue_imbalance(bids, asks), weighted_mid(bid, bid + spread, bids, asks)
    for i in range(len(rows)):
        assert found[i] == imbalance_of(bids[i], asks[i])
        assert mid[i] == weighted_mid_of(bid[i], bid[i] + spread[i], bids[i], asks[i])
    assert np.all(np.abs(found) <= 1.0)
    assert np.all((bid - 1e-9 <= mid) & (mid <= bid + spread + 1e-9))
    np.testing.assert_array_equal(queue_imbalance(asks, bids), -found)


def test_arrays_must_be_alike():
    with pytest.raises(InputError, match="shapes are"):
        queue_imbalance([1, 2], [1])
