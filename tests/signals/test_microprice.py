"""Stoikov's micro-price: mirrored books have mirrored prices, its two forms agree, and on a known chain it is a martingale."""

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.signals.microprice import _bucket_of, adjustment_of, bucket_of, fit_microprice

interpreted = pytest.mark.interpreted


def book(count, seed, pull=0.8):
    """Return a touch of one tick whose mid moves, when it does, mostly to the side that is thinner."""
    random = np.random.default_rng(seed)
    bid, rows = 1000, []
    share = 0.5
    for _ in range(count):
        share = min(max(share + random.normal(0, 0.15), 0.02), 0.98)
        if random.random() < 0.15:
            bid += 1 if random.random() < 0.5 + pull * (share - 0.5) else -1
            share = random.uniform(0.05, 0.95)
        bids = max(int(round(100 * share)), 1)
        rows.append((bid, bid + 1, bids, 101 - bids))
    return np.array(rows).T


@interpreted
@pytest.mark.parametrize("buckets", [3, 11])
def test_mirrored_sizes_are_in_mirrored_buckets(buckets):
    for bids in range(30):
        for asks in range(30):
            assert bucket_of(bids, asks, buckets) == _bucket_of(bids, asks, buckets)
            assert bucket_of(bids, asks, buckets) + bucket_of(asks, bids, buckets) == buckets - 1
    assert (bucket_of(1, 0, buckets), bucket_of(5, 5, buckets), bucket_of(0, 1, buckets)) == (buckets - 1, buckets // 2, 0)


def test_a_mirrored_book_has_a_mirrored_price():
    bid, ask, bids, asks = book(5000, 1)
    bid, bids = bid - (np.arange(5000) % 7 == 0), bids + np.arange(5000) % 3  # spreads of one and two ticks
    fitted, mirrored = fit_microprice(bid, ask, bids, asks), fit_microprice(-ask, -bid, asks, bids)
    np.testing.assert_allclose(fitted.table, mirrored.table, atol=1e-12)
    np.testing.assert_allclose(fitted.table, -fitted.table[:, ::-1], atol=1e-15)
    np.testing.assert_allclose(fitted.price(bid, ask, bids, asks), -mirrored.price(-ask, -bid, asks, bids), atol=1e-9)


def test_the_sum_over_moves_of_the_source_gives_the_same():
    bid, ask, bids, asks = book(20_000, 2)
    fitted = fit_microprice(bid, ask, bids, asks, buckets=5, spreads=1)
    state = np.array([bucket_of(*sizes, 5) for sizes in zip(bids, asks, strict=True)])
    stay, move, drift, begun = np.zeros((5, 5)), np.zeros((5, 5)), np.zeros(5), np.zeros(5)
    for x, y, step in zip(state, state[1:], np.diff(bid), strict=False):
        for a, b, change in ((x, y, step), (4 - x, 4 - y, -step)):
            (stay if change == 0 else move)[a, b] += 1
            drift[a] += change
            begun[a] += 1
    inverse = np.linalg.inv(np.eye(5) - stay / begun[:, None])
    first, again = inverse @ (drift / begun), inverse @ (move / begun[:, None])
    total, term = np.zeros(5), first
    for _ in range(200):
        total, term = total + term, again @ term
    np.testing.assert_allclose(fitted.table[0], total, atol=1e-9)
    np.testing.assert_array_equal(fitted.transitions[0], begun)


def test_what_it_forecasts_comes_true_out_of_sample():
    bid, ask, bids, asks = book(60_000, 3)
    half = 30_000
    fitted = fit_microprice(bid[:half], ask[:half], bids[:half], asks[:half])
    later = slice(half, None)
    micro, mid = fitted.price(bid[later], ask[later], bids[later], asks[later]), 0.5 * (bid + ask)[later]
    ahead = 20  # a move comes every seven changes, and forgets
    ahead_mid = mid[ahead:]
    lean = (micro - mid)[:-ahead]
    slope = np.sum(lean * (ahead_mid - mid[:-ahead])) / np.sum(lean * lean)
    assert np.std(lean) > 0.1
    assert slope == pytest.approx(1.0, abs=0.3)  # the mid goes where it says, on average all the way
    assert np.all(np.diff(fitted.table[0]) > -0.05)  # and the further, the heavier the bid


@interpreted
def test_a_wider_spread_than_was_learnt_counts_as_the_widest():
    table = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0]])
    assert [adjustment_of(table, spread, 9, 1) for spread in (1, 2, 7)] == [1.0, 2.0, 2.0]


@interpreted
@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        (([1, 1], [2, 2], [1, 1], [1, 1]), {"buckets": 4}, "buckets is 4"),
        (([1], [2], [1], [1]), {}, "at least two"),
        (([1, 3], [2, 2], [1, 1], [1, 1]), {}, "its bid below its ask"),
        (([1, 1, 1], [2, 2, 2], [9, 9, 9], [1, 1, 1]), {}, "hardly leaves"),
    ],
)
def test_what_cannot_be_used_is_refused(columns, options, said):
    with pytest.raises(InputError, match=said):
        fit_microprice(*columns, **options)
