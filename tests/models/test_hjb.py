"""The HJB equation for any intensity: against the exact solutions where there are any, and against itself where there are none."""

import numpy as np
import pytest

from twosided.models import cartea_jaimungal, glft
from twosided.models.hjb import distances, values
from twosided.models.intensity import Exponential, Logistic, Power, best_distance, earned

MARKET = {"sigma": 0.3, "gamma": 0.1}
FAMILIES = [Exponential(0.5, 0.3), Power(0.5, 0.3, 3.0), Logistic(0.5, 0.3, 0.0)]


@pytest.mark.parametrize("remaining_s", [0.0, 1.0, 40.0, 600.0, np.inf])
@pytest.mark.parametrize("gamma", [0.01, 0.1, 2.0])
def test_the_exponential_is_glft_to_1e_8(remaining_s, gamma):
    bid, ask = distances(Exponential(0.5, 0.3), np.array([remaining_s]), q_max=30, sigma=0.3, gamma=gamma)
    exact = glft.distances(sigma=0.3, A=0.5, k=0.3, gamma=gamma, q_max=30, remaining_s=remaining_s)
    np.testing.assert_allclose(bid[0], exact[0], atol=1e-8)
    np.testing.assert_allclose(ask[0], exact[1], atol=1e-8)


@pytest.mark.parametrize("remaining_s", [1.0, 60.0, np.inf])
@pytest.mark.parametrize("mu", [0.0, 1e-3])
def test_without_risk_aversion_it_is_cartea_jaimungal_to_1e_8(remaining_s, mu):
    problem = {"q_max": 10, "phi": 1e-3, "alpha": 1e-2, "mu": mu}
    bid, ask = distances(Exponential(1.0, 100.0), np.array([remaining_s]), **problem)
    exact = cartea_jaimungal.distances(A=1.0, k=100.0, remaining_s=remaining_s, **problem)
    np.testing.assert_allclose(bid[0], exact[0], atol=1e-8)
    np.testing.assert_allclose(ask[0], exact[1], atol=1e-8)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_long_horizon_is_the_infinite_one(family):
    late, _ = distances(family, np.array([5000.0]), q_max=10, **MARKET)
    never, _ = distances(family, np.array([np.inf]), q_max=10, **MARKET)
    np.testing.assert_allclose(late, never, atol=1e-8)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_value_does_satisfy_its_equation(family):
    times, step = np.array([9.999, 10.0, 10.001]), 1e-3
    theta = values(family, times, q_max=6, phi=0.002, alpha=0.1, xi=0.2, **MARKET)
    q = np.arange(-6.0, 7.0)
    grown = -(0.002 + 0.5 * 0.1 * 0.09) * q * q
    grown[:-1] += earned(family, theta[1, :-1] - theta[1, 1:] + 0.1, 0.1)[0]
    grown[1:] += earned(family, theta[1, 1:] - theta[1, :-1] + 0.1, 0.1)[0]
    np.testing.assert_allclose((theta[2] - theta[0]) / (2 * step), grown, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_simulated_policy_values_are_not_better_than_the_optimum(family):
    """Another policy, its value by its own linear equation, is worth less at every inventory."""
    times = np.array([20.0])
    best = values(family, times, q_max=5, phi=0.005)[0]
    step_s, q = 0.002, np.arange(-5.0, 6.0)
    value = np.zeros(11)
    distance = best_distance(family, np.zeros(10)) + 0.7
    rate = family.rate(distance)
    for _ in range(10_000):
        gain = -0.005 * q * q
        gain[:-1] += rate * (distance + np.diff(value))
        gain[1:] += rate * (distance - np.diff(value))
        value = value + step_s * gain
    assert np.all(value < best)


@pytest.mark.parametrize("family", FAMILIES)
def test_at_the_horizon_only_what_is_left_matters(family):
    bid, ask = distances(family, np.array([0.0]), q_max=3, alpha=0.05)
    np.testing.assert_allclose(bid[0, :-1], best_distance(family, 0.05 * (2 * np.arange(-3.0, 3.0) + 1)), rtol=1e-13)
    np.testing.assert_array_equal(ask[0], bid[0, ::-1])


def test_where_trading_never_earns_what_holding_costs_there_is_no_stationary_quote():
    with pytest.raises(ArithmeticError, match="no stationary"):
        distances(Logistic(0.01, 1.5, 0.0), np.array([np.inf]), q_max=30, sigma=2.0, gamma=1.0)
