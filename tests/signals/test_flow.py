"""Order flow: the formulas on their own cases, sums over windows against sums written out, arrays against streaming."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.research.impact import order_flow_imbalance
from twosided.signals.flow import (
    OFI,
    _update_ofi,
    aggressor_of,
    flow_of,
    multi_level_ofi,
    ofi,
    ofi_at,
    trade_imbalance,
    trade_imbalance_at,
    update_ofi,
    update_trade_imbalance,
)
from twosided.signals.window import PARTS, WINDOW

pytestmark = pytest.mark.interpreted

SECOND = 10**9


def in_window(ns, now_ns, span_ns):
    """Say which of *ns* lie in the present sixteenth of the span and the fifteen before."""
    part = span_ns // PARTS
    return (np.asarray(ns) // part > now_ns // part - PARTS) & (np.asarray(ns) <= now_ns)


@pytest.mark.parametrize(
    ("after", "flow"),
    [
        ((99, 101, 5, 7), 0),
        ((99, 101, 8, 7), 3),  # 3 lots more are bid for
        ((99, 101, 5, 9), -2),  # 2 more are offered
        ((100, 101, 4, 7), 4),  # a better bid brings what is there
        ((98, 101, 30, 7), -5),  # the bid is gone: its 5 lots are
        ((99, 102, 5, 30), 7),  # the ask is gone
        ((99, 100, 5, 4), -4),
    ],
)
def test_the_flow_of_a_change_is_what_bids_gain_less_what_asks_gain(after, flow):
    assert flow_of(99, 101, 5, 7, *after) == flow
    bid, ask, bid_lots, ask_lots = after
    assert flow_of(-101, -99, 7, 5, -ask, -bid, ask_lots, bid_lots) == -flow


def walk(count, seed):
    random = np.random.default_rng(seed)
    bid = 1000 + np.cumsum(random.integers(-1, 2, count))
    return (
        SECOND + np.cumsum(random.integers(0, SECOND // 4, count)),
        bid,
        bid + random.integers(1, 4, count),
        random.integers(1, 50, count),
        random.integers(1, 50, count),
    )


def test_the_sum_over_a_window_is_that_of_its_changes_and_that_of_plain_python():
    ns, bid, ask, bids, asks = walk(80, 1)
    lots, depths = ofi(ns, bid, ask, bids, asks, SECOND)
    flows = np.append(0.0, order_flow_imbalance(bid * 1.0, bids * 1.0, ask * 1.0, asks * 1.0))
    plain = np.zeros(1, OFI)[0]
    for i in range(80):
        inside = in_window(ns, ns[i], SECOND) & (np.arange(80) <= i)
        assert lots[i] == flows[inside].sum()
        _update_ofi(plain, ns[i], SECOND, bid[i], ask[i], bids[i], asks[i])
        assert plain.flow.up - plain.flow.down == lots[i]
        assert ofi_at(plain, ns[i], SECOND) == depths[i]


def test_it_is_counted_in_average_sizes_of_the_touch_over_time():
    row = np.zeros(1, OFI)[0]
    for seconds, bid_lots in ((1, 10), (4, 40), (5, 10)):  # 10 lots on average stand for 3 s, 25 for 1 s
        update_ofi(row, seconds * SECOND, SECOND, 99, 101, bid_lots, 10)
    weights = np.exp(-np.array([4.0, 1.0, 0.0]) / 60.0)
    expected = (10 * (weights[1] - weights[0]) + 25 * (weights[2] - weights[1])) / (weights[2] - weights[0])
    assert row.depth == pytest.approx(expected, rel=1e-12)
    # the 30 lots that came at 4 s are a whole second old: only those that left count
    assert ofi_at(row, 5 * SECOND, SECOND) == pytest.approx(-30 / expected)
    assert ofi_at(row, 6 * SECOND, SECOND) == 0.0


def test_mirrored_books_give_mirrored_flow():
    ns, bid, ask, bids, asks = walk(60, 2)
    np.testing.assert_array_equal(ofi(ns, bid, ask, bids, asks)[1], -ofi(ns, -ask, -bid, asks, bids)[1])


def test_each_level_is_compared_with_itself():
    _, bid, ask, bids, asks = walk(30, 3)
    levels = [np.stack([each, each + step], axis=1) for each, step in ((bid, -1), (bids, 5), (ask, 1), (asks, 9))]
    found = multi_level_ofi(*levels)
    for level in range(2):
        columns = (column[:, level].astype(float) for column in levels)
        np.testing.assert_array_equal(found[:, level], order_flow_imbalance(*columns))
    none = multi_level_ofi([[9], [0]], [[4], [0]], [[11], [11]], [[5], [5]])  # a side that empties takes its lots away
    assert none.tolist() == [[-4]]


trades = st.lists(st.tuples(st.integers(0, SECOND), st.sampled_from([-1, 0, 1]), st.integers(1, 100)), min_size=1, max_size=40)


@given(trades)
def test_trade_imbalance_is_bought_less_sold_over_both_in_the_window(rows):
    waits, side, lots = np.array(rows).T
    ns = SECOND + np.cumsum(waits)
    found, row = trade_imbalance(ns, side, lots, SECOND), np.zeros(1, WINDOW)[0]
    for i in range(len(rows)):
        update_trade_imbalance(row, ns[i], SECOND, side[i], lots[i])
        inside = in_window(ns, ns[i], SECOND) & (np.arange(len(rows)) <= i)
        total = np.sum((np.abs(side) * lots)[inside])
        assert found[i] == (np.sum((side * lots)[inside]) / total if total else 0.0)
        assert trade_imbalance_at(row, ns[i], SECOND) == found[i]
    assert trade_imbalance_at(row, ns[-1] + SECOND, SECOND) == 0.0


@pytest.mark.parametrize(
    ("side", "ticks", "aggressor"), [(1, 99, 1), (-1, 101, -1), (0, 101, 1), (0, 102, 1), (0, 99, -1), (0, 98, -1), (0, 100, 0)]
)
def test_an_unknown_aggressor_is_told_by_the_touch_or_not_at_all(side, ticks, aggressor):
    assert aggressor_of(side, ticks, 99, 101) == aggressor


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: ofi([2, 1], [1, 1], [2, 2], [1, 1], [1, 1]), "ns runs backwards"),
        (lambda: ofi([1, 2], [1, 1], [2, 2], [1, 1], [1]), "shapes are"),
        (lambda: trade_imbalance([1], [1], [1], 15), "span_ns is 15"),
        (lambda: multi_level_ofi([1], [1], [2], [1]), "bid_ticks has shape"),
    ],
)
def test_what_cannot_be_used_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()
