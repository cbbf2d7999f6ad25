"""The signals of the top of the book: each formula worked by hand, and the same bits compiled and as plain Python."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.signals.top import SIGNALS, SIGNALS_OF_MARKET, _update_signals, update_signals

pytestmark = pytest.mark.interpreted

SECOND = 10**9


def fresh():
    return np.zeros(1, SIGNALS_OF_MARKET)[0]


def after(*updates):
    """Return the row after updates of (ns, bid, ask, bid lots, ask lots)."""
    row = fresh()
    for update in updates:
        update_signals(row, *update)
    return row


def test_a_strategy_can_ask_for_these_by_name():
    assert SIGNALS == ("imbalance", "microprice_ticks", "volatility")
    assert SIGNALS_OF_MARKET.names[: len(SIGNALS)] == SIGNALS


def test_all_start_at_zero():
    row = fresh()
    assert [row[name] for name in SIGNALS] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("bid_lots", "ask_lots", "imbalance"), [(3, 1, 0.5), (1, 3, -0.5), (5, 5, 0.0), (7, 0, 1.0), (0, 7, -1.0)])
def test_imbalance_is_the_difference_of_sizes_over_their_sum(bid_lots, ask_lots, imbalance):
    assert after((1, 99, 101, bid_lots, ask_lots)).imbalance == imbalance


@pytest.mark.parametrize(
    ("bid_lots", "ask_lots", "price"), [(3, 1, 100.5), (1, 3, 99.5), (5, 5, 100.0), (7, 0, 101.0), (0, 7, 99.0)]
)
def test_the_microprice_leans_towards_the_thinner_side(bid_lots, ask_lots, price):
    assert after((1, 99, 101, bid_lots, ask_lots)).microprice_ticks == price


def test_volatility_is_zero_until_the_mid_has_had_time_to_move():
    assert after((SECOND, 99, 101, 1, 1)).volatility == 0.0
    assert after((SECOND, 99, 101, 1, 1), (2 * SECOND, 99, 101, 1, 1)).volatility == 0.0


def test_volatility_of_one_move_is_its_size_over_the_root_of_its_time():
    # a mid that moved by 3 ticks in 4 seconds: sqrt(9 / 4) ticks per sqrt second
    row = after((SECOND, 99, 101, 1, 1), (5 * SECOND, 102, 104, 1, 1))
    assert row.volatility == 1.5


def test_volatility_forgets_with_a_time_constant_of_a_minute():
    row = after((SECOND, 99, 101, 1, 1), (5 * SECOND, 102, 104, 1, 1), (65 * SECOND, 102, 104, 1, 1))
    squares, seconds = 9 * math.exp(-1), 4 * math.exp(-1) + 60
    assert row.volatility == pytest.approx(math.sqrt(squares / seconds), rel=1e-15)


def test_moves_within_one_nanosecond_count_without_dividing_by_zero():
    row = after((SECOND, 99, 101, 1, 1), (SECOND, 100, 102, 1, 1))
    assert (row.volatility, row.squares, row.seconds) == (0.0, 1.0, 0.0)


def test_a_book_without_size_changes_nothing():
    row, same = after((SECOND, 99, 101, 3, 1)), after((SECOND, 99, 101, 3, 1))
    update_signals(row, 2 * SECOND, 50, 150, 0, 0)
    assert row.tobytes() == same.tobytes()


ticks = st.integers(-(10**6), 10**6)
lots = st.integers(0, 10**12)
books = st.lists(st.tuples(st.integers(0, 10**10), ticks, st.integers(1, 100), lots, lots), max_size=20)


@given(books)
def test_compiled_and_plain_python_agree_bit_by_bit_and_signals_stay_in_bounds(updates):
    row, plain, now = fresh(), fresh(), SECOND
    for wait, bid, spread, bid_lots, ask_lots in updates:
        now += wait
        update_signals(row, now, bid, bid + spread, bid_lots, ask_lots)
        _update_signals(plain, now, bid, bid + spread, bid_lots, ask_lots)
        if bid_lots + ask_lots:
            assert bid - 1e-9 <= row.microprice_ticks <= bid + spread + 1e-9
        assert -1.0 <= row.imbalance <= 1.0
        assert row.volatility >= 0.0
    assert row.tobytes() == plain.tobytes()
