"""Avellaneda and Stoikov's quotes: the paper's formulas, and the mistakes that are often made with them."""

import csv
import math

import numpy as np
import pytest

from twosided.models.avellaneda_stoikov import (
    distances,
    optimal_spread,
    reservation_price,
    risk_half_spread,
    stationary_distances,
)

pytestmark = pytest.mark.interpreted

PAPER = {"gamma": 0.1, "sigma": 2.0, "k": 1.5}
Q = np.arange(-20.0, 21.0)


def test_long_inventory_lowers_both_quotes():
    bid, ask = distances(Q, **PAPER, remaining_s=1.0)
    assert np.all(np.diff(-bid) < 0)  # bid price = mid - distance
    assert np.all(np.diff(ask) < 0)


def test_inventory_moves_the_reservation_price_by_gamma_sigma_squared_and_the_time_left():
    assert reservation_price(100.0, 3.0, 0.1, 2.0, 0.5) == pytest.approx(100.0 - 3 * 0.1 * 4.0 * 0.5)


def test_inventory_does_not_move_the_spread():
    bid, ask = distances(Q, **PAPER, remaining_s=0.7)
    np.testing.assert_allclose(bid + ask, optimal_spread(0.1, 2.0, 1.5, 0.7), rtol=1e-14)


def test_the_spread_is_risk_over_the_time_left_plus_what_the_decay_of_intensity_allows():
    assert optimal_spread(0.1, 2.0, 1.5, 0.5) == pytest.approx(0.1 * 4 * 0.5 + 2 / 0.1 * math.log(1 + 0.1 / 1.5), rel=1e-14)


def test_at_the_horizon_only_the_intensity_matters():
    assert reservation_price(100.0, 7.0, 0.1, 2.0, 0.0) == 100.0
    assert optimal_spread(0.1, 2.0, 1.5, 0.0) == pytest.approx(1.29, abs=0.005)


@pytest.mark.parametrize(("gamma", "published"), [(0.1, 1.49), (0.01, 1.35), (1.0, 3.02)])
def test_mean_spread_over_the_paper_s_horizon_is_the_published_one(gamma, published):
    spreads = [optimal_spread(gamma, 2.0, 1.5, 1.0 - t) for t in np.arange(0.0, 1.0, 0.005)]
    assert np.mean(spreads) == pytest.approx(published, abs=0.015)


def test_mean_spread_is_the_reference_to_all_digits(shared):
    with shared("reference", "avellaneda_stoikov_2008.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["time_scheme"] == "discrete dt=.005"]
    for row in rows:
        spreads = [optimal_spread(float(row["gamma"]), 2.0, 1.5, 1.0 - n * 0.005) for n in range(200)]
        assert np.mean(spreads) == pytest.approx(float(row["avg_spread_exact"]), abs=1e-6)


def test_quotes_match_the_reference(shared):
    with shared("reference", "glft_2013_quotes.csv").open() as file:
        rows = list(csv.DictReader(file))
    q = np.array([float(row["q"]) for row in rows])
    bid, ask = distances(q, gamma=0.01, sigma=0.3, k=0.3, remaining_s=600.0)
    np.testing.assert_allclose(bid, [float(row["delta_bid_AS"]) for row in rows], atol=1e-6)
    np.testing.assert_allclose(ask, [float(row["delta_ask_AS"]) for row in rows], atol=1e-6)


def test_the_half_spread_tends_to_one_over_k_without_losing_digits():
    for gamma in (1e-4, 1e-8, 1e-12, 1e-16, 1e-300):
        assert risk_half_spread(gamma, 1.5) == pytest.approx(math.log1p(gamma / 1.5) / gamma, rel=1e-14)
    assert risk_half_spread(1e-300, 1.5) == 1 / 1.5


def test_infinite_horizon_is_mirrored_and_quotes_one_side_at_the_bound():
    bid, ask = stationary_distances(np.arange(-5.0, 6.0), gamma=0.1, k=1.5, q_max=5)
    np.testing.assert_array_equal(bid, ask[::-1])
    assert np.isnan(bid[-1])
    assert np.isnan(ask[0])
    assert np.all(np.isfinite(bid[:-1]))
    assert np.all(np.diff(bid[:-1]) > 0)


def test_infinite_horizon_prices_leave_the_dealer_indifferent():
    # u(x, s, q) = -exp(-gamma·(x + q·s)) / (omega - gamma²sigma²q²/2): buying at the indifference bid changes nothing.
    gamma, k, sigma, q_max, s = 0.1, 1.5, 2.0, 5, 100.0
    omega = 0.5 * (gamma * sigma * (q_max + 1)) ** 2

    def utility(x, q):
        return -math.exp(-gamma * (x + q * s)) / (omega - 0.5 * (gamma * sigma * q) ** 2)

    q = np.arange(-q_max, q_max + 1.0)
    bid, ask = stationary_distances(q, gamma=gamma, k=k, q_max=q_max)
    base = risk_half_spread(gamma, k)
    for n in range(len(q) - 1):
        assert utility(-(s - (bid[n] - base)), q[n] + 1) == pytest.approx(utility(0.0, q[n]), rel=1e-12)
        assert utility(s + (ask[n + 1] - base), q[n + 1] - 1) == pytest.approx(utility(0.0, q[n + 1]), rel=1e-12)
