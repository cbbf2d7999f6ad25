"""Intensities of fills, and the distances that make the most of them."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import wrightomega

from twosided.models.intensity import Exponential, Logistic, Power, best_distance, earned

FAMILIES = [Exponential(0.7, 1.5), Power(0.7, 1.5, 3.0), Power(0.7, 1.5, 1.2), Logistic(0.7, 1.5, 0.0), Logistic(0.7, 1.5, -2.0)]
P = np.linspace(-8.0, 8.0, 33)


@pytest.mark.parametrize("family", FAMILIES)
def test_at_the_mid_each_is_a_and_falls_with_decay_k(family):
    step = 1e-6
    assert family.rate(np.array(0.0)) == pytest.approx(0.7, rel=1e-14)
    slope = (family.rate(np.array(step)) - family.rate(np.array(-step))) / (2 * step)
    assert -slope / 0.7 == pytest.approx(1.5, rel=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_patience_is_minus_lambda_over_its_slope(family):
    distance, step = np.linspace(-1.0, 4.0, 41) + 0.0123, 1e-6
    slope = (family.rate(distance + step) - family.rate(distance - step)) / (2 * step)
    patience, change = family.patience(distance)
    np.testing.assert_allclose(patience, -family.rate(distance) / slope, rtol=1e-5)
    np.testing.assert_allclose(
        change, (family.patience(distance + step)[0] - family.patience(distance - step)[0]) / (2 * step), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("gamma", [0.0, 1e-9, 0.1, 5.0])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_best_distance_earns_most(family, gamma):
    best = best_distance(family, P, gamma)
    for p, distance in zip(P, best, strict=True):

        def lost(d, p=p):
            margin = d - p
            return -float(family.rate(np.array(d))) * (-np.expm1(-gamma * margin) / gamma if gamma else margin)

        found = minimize_scalar(lost, bracket=(distance - 0.3, distance, distance + 0.3), tol=1e-12)
        assert -lost(distance) == pytest.approx(-found.fun, rel=1e-12)
        assert earned(family, np.array([p]), gamma)[0][0] == pytest.approx(-found.fun, rel=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 0.1])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_derivative_of_what_is_earned_is_its_derivative(family, gamma):
    step = 1e-5
    slope = (earned(family, P + step, gamma)[0] - earned(family, P - step, gamma)[0]) / (2 * step)
    np.testing.assert_allclose(earned(family, P, gamma)[1], slope, rtol=1e-5)


def test_the_exponential_s_best_distance_is_p_plus_the_half_spread():
    np.testing.assert_allclose(best_distance(Exponential(0.7, 1.5), P, 0.1), P + np.log1p(0.1 / 1.5) / 0.1, atol=1e-13)
    np.testing.assert_allclose(best_distance(Exponential(0.7, 1.5), P), P + 1 / 1.5, atol=1e-13)


def test_the_logistic_s_best_distance_is_lambert_s_function():
    family = Logistic(0.7, 1.5, 0.5)
    k = family.steepness
    np.testing.assert_allclose(best_distance(family, P), P + (1 + wrightomega(-(0.5 + k * P + 1)).real) / k, rtol=1e-12, atol=1e-12)


def test_far_out_both_are_the_exponential():
    exponential = best_distance(Exponential(0.7, 1.5), P, 0.1)
    np.testing.assert_allclose(best_distance(Power(0.7, 1.5, 1e9), P, 0.1), exponential, atol=1e-7)
    np.testing.assert_allclose(best_distance(Logistic(0.7, 1.5, 30.0), P, 0.1), exponential, atol=1e-7)
