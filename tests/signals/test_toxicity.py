"""Toxicity: VPIN by hand, the fill rate against its own average, and a verdict in words."""

import math

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.signals.toxicity import (
    BUCKETS,
    FILL_RATE,
    TOXICITY_LIMITS,
    VPIN,
    _update_fill_rate,
    _update_usual_vpin,
    bulk_buy_share,
    toxic_signs,
    toxic_words,
    update_fill_rate,
    update_usual_vpin,
    vpin,
)

pytestmark = pytest.mark.interpreted


def by_hand(lots, share, bucket):
    """Return |bought - sold| of every full bucket, one lot at a time."""
    bought = np.repeat(share, lots)
    full = len(bought) // bucket
    return np.abs(2 * bought[: full * bucket].reshape(full, bucket).sum(axis=1) - bucket)


def test_buckets_of_ten_lots_by_hand():
    # 7 bought and 3 sold; 10 sold (a trade of 12 fills it and goes on); 2 sold and 8 bought
    assert by_hand([7, 3, 12, 8], [1, 0, 0, 1], 10).tolist() == [4, 10, 6]
    found = vpin([7, 3, 12, 8] * 17, [1, 0, 0, 1] * 17, 10.0)
    assert set(found[: 4 * 16]) == {0.0}  # 48 buckets are full
    assert found[-1] == pytest.approx((4 + 10 + 6) / 30, abs=0.01)
    assert found[-1] == np.sum([10, 6, *[4, 10, 6] * 16]) / 500


def test_any_trades_give_what_a_lot_at_a_time_gives():
    random = np.random.default_rng(1)
    lots, share = random.integers(1, 60, 200), random.integers(0, 2, 200)
    found = vpin(lots, share, 13.0)
    for end in range(200):
        gaps = by_hand(lots[: end + 1], share[: end + 1], 13)
        expected = gaps[-BUCKETS:].sum() / (13 * BUCKETS) if len(gaps) >= BUCKETS else 0.0
        assert found[end] == pytest.approx(expected, rel=1e-12)


def test_a_trade_larger_than_the_whole_window_is_the_window():
    assert vpin([7, 10_000_003], [0, 1], 10.0).tolist() == [0.0, 1.0]


def test_buckets_of_the_usual_size_hold_twenty_trades_and_plain_python_agrees():
    row, plain = np.zeros(1, VPIN)[0], np.zeros(1, VPIN)[0]
    for i in range(20 + 20 * BUCKETS):
        assert row.value == 0.0
        update_usual_vpin(row, 1 if i % 4 else -1, 5)
        _update_usual_vpin(plain, 1 if i % 4 else -1, 5)
    assert (row.count, row.value) == (BUCKETS, 0.5)
    assert row.tobytes() == plain.tobytes()


def test_the_volume_of_a_bar_is_split_by_its_change_of_price():
    share = bulk_buy_share([-1.0, 0.0, 1.0])
    np.testing.assert_allclose(share, [0.5 * (1 - math.erf(1 / math.sqrt(2))), 0.5, 0.5 * (1 + math.erf(1 / math.sqrt(2)))])
    with pytest.raises(InputError, match="at least two that differ"):
        bulk_buy_share([1.0, 1.0])


def test_twice_the_usual_fills_are_told_from_noise_by_how_many_there_are():
    row, plain = np.zeros(1, FILL_RATE)[0], np.zeros(1, FILL_RATE)[0]
    for i in range(3000):
        update_fill_rate(row, 1.0, int(i % 10 == 0))
        _update_fill_rate(plain, 1.0, int(i % 10 == 0))
        if i == 150:
            assert (row.ratio, row.surprise) == (1.0, 0.0)  # fewer than 20 fills
    assert row.tobytes() == plain.tobytes()
    assert row.ratio == pytest.approx(1.0, abs=0.15)
    assert abs(row.surprise) < 0.5
    for i in range(100):
        update_fill_rate(row, 1.0, int(i % 3 == 0))
    assert row.ratio == pytest.approx(1 + 2.3 * (1 - math.exp(-2)), rel=0.15)
    assert row.surprise > 4


def test_the_verdict_names_what_is_beyond_its_limit():
    limits = np.zeros(1, TOXICITY_LIMITS)[0]
    assert toxic_signs(limits, -1.0, 99.0, 1.0, 99.0, 99.0) == 0  # no limits, no verdict
    limits.trade_imbalance, limits.vpin, limits.spread_ratio = 0.8, 0.5, 2.0
    values = (-0.9, 5.0, 0.3, 1.0, 2.5)
    signs = toxic_signs(limits, *values)
    assert toxic_words(signs, *values) == "trades are one-sided: imbalance -0.90; the spread is 2.5 times its average"
    assert toxic_words(0, *values) == ""


def test_what_cannot_be_used_is_refused():
    with pytest.raises(InputError, match="out of range"):
        vpin([1.0], [1.5], 10.0)
    with pytest.raises(InputError, match="buy_share has shape"):
        vpin([1.0], [1.0, 0.0], 10.0)
