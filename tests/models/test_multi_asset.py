"""Quotes in correlated assets: the reference's limit, the Riccati equation itself, and one asset alone."""

import csv

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import solve_continuous_are

from twosided.errors import InputError
from twosided.models import glft, hjb
from twosided.models.intensity import Exponential
from twosided.models.multi_asset import coefficients, distances

SIGMA, RHO = np.array([0.3, 0.4]), 0.6
TWO = {
    "covariance": np.outer(SIGMA, SIGMA) * np.array([[1.0, RHO], [RHO, 1.0]]),
    "A": np.array([0.9, 0.6]),
    "k": np.array([0.3, 0.5]),
    "gamma": 0.01,
}
ONE = {"covariance": [[0.09]], "A": [0.9], "k": [0.3], "gamma": 0.01}


def curvature(A, k, gamma, size):  # noqa: N803
    g = gamma * size / k
    return np.diag(2 * size * A * k * (1 + g) ** -(1 + 1 / g))


def test_the_long_horizon_limit_is_the_reference_s():
    a, b = coefficients(**TWO)
    np.testing.assert_allclose(a, [[0.0315323249, 0.0118539566], [0.0118539566, 0.0412872971]], atol=1e-10)
    np.testing.assert_array_equal(b, 0.0)


def test_one_asset_matches_the_reference_at_every_time(shared):
    with shared("reference", "glft_riccati_as.csv").open() as file:
        for row in csv.DictReader(file):
            bid, _ = distances(np.array([float(row["q"])]), **ONE, remaining_s=600.0 - float(row["t"]))
            assert bid[0] == pytest.approx(float(row["bid_riccati_closed_form"]), abs=1e-7)


@pytest.mark.parametrize("remaining_s", [0.0, 3.0, 50.0, 1e5, np.inf])
def test_one_asset_is_glft_s_closed_form(remaining_s):
    q = np.arange(-5.0, 6.0)
    bid, ask = distances(q[:, None], **ONE, mu=[0.01], remaining_s=remaining_s)
    other = glft.closed_form_distances(q, sigma=0.3, A=0.9, k=0.3, gamma=0.01, mu=0.01, remaining_s=remaining_s)
    np.testing.assert_allclose(bid[:, 0], other[0], atol=1e-12)
    np.testing.assert_allclose(ask[:, 0], other[1], atol=1e-12)


@pytest.mark.parametrize("remaining_s", [0.5, 30.0, 200.0])
def test_the_closed_form_solves_the_riccati_equation(remaining_s):
    size, mu = np.array([2.0, 5.0]), np.array([0.01, -0.02])
    curved = curvature(TWO["A"], TWO["k"], TWO["gamma"], size)

    def change(_tau, y):
        a, b = y[:4].reshape(2, 2), y[4:]
        return np.append((0.005 * TWO["covariance"] - 2 * a @ curved @ a).ravel(), -mu - 2 * a @ curved @ b)

    y = solve_ivp(change, (0.0, remaining_s), np.zeros(6), rtol=1e-12, atol=1e-14).y[:, -1]
    a, b = coefficients(**TWO, size=size, mu=mu, remaining_s=remaining_s)
    np.testing.assert_allclose(a.ravel(), y[:4], atol=1e-11)
    np.testing.assert_allclose(b, y[4:], atol=1e-10)


def test_the_limit_is_scipy_s_algebraic_riccati_solution():
    curved = curvature(TWO["A"], TWO["k"], TWO["gamma"], np.ones(2))
    expected = solve_continuous_are(np.zeros((2, 2)), np.sqrt(2.0 * curved), 0.005 * TWO["covariance"], np.eye(2))
    np.testing.assert_allclose(coefficients(**TWO)[0], expected, atol=1e-10)


def test_long_in_one_asset_lowers_the_quotes_in_those_that_move_with_it():
    flat_bid, flat_ask = distances(np.zeros(2), **TWO)
    bid, ask = distances(np.array([5.0, 0.0]), **TWO)
    assert np.all(bid > flat_bid)
    assert np.all(ask < flat_ask)
    hedged, _ = distances(np.array([5.0, -5.0 * 0.6 * 0.3 / 0.4]), **TWO)
    assert hedged[0] < bid[0]


def test_without_correlation_each_asset_is_alone():
    alone = {**TWO, "covariance": np.diag(SIGMA**2)}
    bid, _ = distances(np.array([3.0, -2.0]), **alone)
    first, _ = distances(np.array([3.0]), **ONE)
    assert bid[0] == pytest.approx(first[0], abs=1e-12)


def test_gamma_counts_price_times_size():
    """One quote of 10 shares is the same as ten quotes' worth of a share ten times as dear: quotes do not see lots."""
    small, _ = distances(np.array([50.0]), **{**ONE, "gamma": 0.001}, size=[10.0])
    large, _ = distances(np.array([5.0]), **ONE, size=[1.0])
    assert small[0] == pytest.approx(large[0], rel=1e-12)


def test_near_the_mid_it_is_close_to_the_exact_quotes():
    exact, _ = hjb.distances(Exponential(0.9, 0.3), np.array([np.inf]), q_max=30, sigma=0.3, gamma=0.01)
    bid, _ = distances(np.arange(-5.0, 6.0)[:, None], **ONE)
    np.testing.assert_allclose(bid[:, 0], exact[0, 25:36], atol=2e-3)


def test_perfectly_correlated_assets_have_an_answer():
    a, b = coefficients(**{**TWO, "covariance": np.outer(SIGMA, SIGMA)}, mu=np.array([0.01, 0.0]), remaining_s=100.0)
    assert np.all(np.isfinite(a))
    assert np.all(np.isfinite(b))


def test_a_drift_across_a_portfolio_without_risk_has_an_answer_for_ever():
    """What drifts alike is no reason to hold one against the other; what does not is, without end."""
    twins = {**TWO, "covariance": np.outer(SIGMA, SIGMA)}
    long = coefficients(**twins, mu=0.1 * SIGMA, remaining_s=1e6)[1]
    np.testing.assert_allclose(coefficients(**twins, mu=0.1 * SIGMA)[1], long, rtol=1e-9)
    with pytest.raises(InputError, match=r"mu is \[0.3, 0.3\]; allowed without a horizon: none along a portfolio that has no risk"):
        coefficients(**twins, mu=np.array([0.3, 0.3]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"covariance": np.array([[1.0, 2.0], [2.0, 1.0]])}, "eigenvalue -1"),
        ({"covariance": np.ones((2, 3))}, "symmetric"),
        ({"k": np.array([0.3])}, "k is .*2 positive numbers"),
        ({"A": np.array([0.9, 0.0])}, "A is .*positive"),
        ({"gamma": 0.0}, "gamma is 0"),
        ({"mu": np.array([np.nan, 0.0])}, "mu is .*2 numbers"),
    ],
)
def test_what_does_not_fit_is_refused(change, said):
    with pytest.raises(InputError, match=said):
        coefficients(**{**TWO, **change})
