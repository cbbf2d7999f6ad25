"""Guéant, Lehalle and Fernandez-Tapia's quotes, against the reference and against two slower methods."""

import csv
from decimal import Decimal, localcontext
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from twosided.models import hjb
from twosided.models.glft import closed_form_distances, coefficients, distances
from twosided.models.intensity import Exponential

PAPER = {"sigma": 0.3, "A": 0.9, "k": 0.3, "gamma": 0.01}
README = {"sigma": 0.3, "A": 0.5, "k": 0.3, "gamma": 0.1}


def by_matrix_exponential(sigma, A, k, gamma, q_max, remaining_s):  # noqa: N803
    """Return bid distances by a Padé exponential: right while v does not span more than a double's digits."""
    alpha, eta = coefficients(sigma=sigma, A=A, k=k, gamma=gamma)
    q = np.arange(-q_max, q_max + 1.0)
    beside = np.eye(2 * q_max + 1, k=1) + np.eye(2 * q_max + 1, k=-1)
    v = expm(-(np.diag(alpha * q * q) - eta * beside) * remaining_s) @ np.ones(2 * q_max + 1)
    return np.log(v[:-1] / v[1:]) / k + np.log1p(gamma / k) / gamma


def by_long_decimals(sigma, A, k, gamma, q_max, remaining_s):  # noqa: N803
    """Return bid distances by the Taylor series of the exponential, in 500 digits: slow, and right whatever the parameters."""
    with localcontext() as context:
        context.prec = 500
        sigma, A, k, gamma, time = (Decimal(repr(x)) for x in (sigma, A, k, gamma, remaining_s))  # noqa: N806
        alpha = k * gamma * sigma * sigma / 2
        eta = A * (-(1 + k / gamma) * (1 + gamma / k).ln()).exp()
        diagonal = [-alpha * q * q for q in range(-q_max, q_max + 1)]
        v = term = [Decimal(1)] * len(diagonal)
        n = 0
        while n < 50 or max(abs(x) for x in term) > Decimal("1e-300"):
            n += 1
            low, high = [Decimal(0), *term[:-1]], [*term[1:], Decimal(0)]
            term = [(d * x + eta * (a + b)) * time / n for d, x, a, b in zip(diagonal, term, low, high, strict=True)]
            v = [x + y for x, y in zip(v, term, strict=True)]
        base = (1 + gamma / k).ln() / gamma
        return [float((x / y).ln() / k + base) for x, y in pairwise(v)]


@pytest.fixture(scope="module")
def reference(shared):
    with shared("reference", "glft_2013_quotes.csv").open() as file:
        rows = [{name: float(value) for name, value in row.items() if name != "set"} for row in csv.DictReader(file)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def at(table, q):
    return table[q.astype(int) + len(table) // 2]


def test_exact_quotes_match_the_reference(reference):
    bid, ask = distances(**PAPER, q_max=30, remaining_s=600.0)
    q = reference["q"]
    np.testing.assert_allclose(at(bid, q), reference["delta_bid_t0"], atol=1e-8)
    np.testing.assert_allclose(at(ask, q), reference["delta_ask_t0"], atol=1e-8)
    np.testing.assert_allclose(at(bid, q) + at(ask, q), reference["spread_t0"], atol=1e-8)


def test_asymptotic_quotes_match_the_reference(reference):
    bid, ask = distances(**PAPER, q_max=30)
    np.testing.assert_allclose(at(bid, reference["q"]), reference["delta_bid_asym_eig"], atol=1e-8)
    np.testing.assert_allclose(at(ask, reference["q"]), reference["delta_ask_asym_eig"], atol=1e-8)


def test_closed_form_matches_the_reference(reference):
    bid, ask = closed_form_distances(reference["q"], **PAPER)
    np.testing.assert_allclose(bid, reference["delta_bid_closed"], atol=1e-8)
    np.testing.assert_allclose(ask, reference["delta_ask_closed"], atol=1e-8)


def test_quotes_at_every_time_match_the_second_reference(shared):
    with shared("reference", "glft_riccati_as.csv").open() as file:
        for row in csv.DictReader(file):
            remaining, q = 600.0 - float(row["t"]), int(row["q"])
            exact, _ = distances(**PAPER, q_max=30, remaining_s=remaining)
            closed, _ = closed_form_distances(np.array(float(q)), **PAPER, remaining_s=remaining)
            assert exact[30 + q] == pytest.approx(float(row["bid_exact"]), abs=1e-7)
            assert float(closed) == pytest.approx(float(row["bid_riccati_closed_form"]), abs=1e-7)


def test_the_readme_preset_is_the_exact_solution_ten_minutes_from_the_horizon():
    # sigma .3, gamma .1, k .3, A .5, T 600, bound 30: at q = 5 bid 4.5811, ask 1.4772; the closed form gives 4.5704 and 1.4912.
    bid, ask = distances(**README, q_max=30, remaining_s=600.0)
    assert bid[35] == pytest.approx(4.5811, abs=5e-5)
    assert ask[35] == pytest.approx(1.4772, abs=5e-5)
    assert bid[25] == pytest.approx(1.4772, abs=5e-5)
    assert ask[25] == pytest.approx(4.5811, abs=5e-5)


@pytest.mark.parametrize("remaining_s", [0.0, 0.1, 3.0, 40.0, 600.0])
def test_agrees_with_the_matrix_exponential_where_that_is_right(remaining_s):
    bid, _ = distances(**PAPER, q_max=12, remaining_s=remaining_s)
    np.testing.assert_allclose(bid[:-1], by_matrix_exponential(**PAPER, q_max=12, remaining_s=remaining_s), atol=1e-10)


@pytest.mark.parametrize(
    "case",
    [
        {**README, "q_max": 30, "remaining_s": 40.0},  # v spans 10^18: eigenvectors in doubles lose the outer quotes
        {**README, "q_max": 12, "remaining_s": 400.0},
        {"sigma": 2.0, "A": 0.01, "k": 1.5, "gamma": 1.0, "q_max": 6, "remaining_s": 6.0},  # stiff: alpha/eta is 1,700
        {"sigma": 2.0, "A": 5.0, "k": 1.5, "gamma": 1.0, "q_max": 1, "remaining_s": 0.6},
        {"sigma": 0.01, "A": 5.0, "k": 1.5, "gamma": 1e-9, "q_max": 4, "remaining_s": 3.0},  # hardly any risk aversion
    ],
)
def test_agrees_with_long_decimals_where_doubles_fail(case):
    bid, _ = distances(**case)
    np.testing.assert_allclose(bid[:-1], by_long_decimals(**case), rtol=0, atol=1e-11)


@pytest.mark.parametrize("market", [README, {**README, "gamma": 50.0}, {**README, "sigma": 30.0}, {**README, "A": 1e-6}])
@pytest.mark.parametrize("remaining_s", [0.01, np.inf])
def test_large_bounds_and_stiff_parameters_do_not_underflow(market, remaining_s):
    bid, ask = distances(**market, q_max=1000, remaining_s=remaining_s)  # v spans up to 10^10,000
    assert np.all(np.isfinite(bid[:-1]))
    assert np.all(np.diff(bid[:-1]) > 0)
    np.testing.assert_array_equal(ask, bid[::-1])


def test_a_large_bound_and_a_long_horizon_are_the_infinite_one():
    market = {**README, "gamma": 50.0}
    near, _ = distances(**market, q_max=300, remaining_s=1e9)
    never, _ = distances(**market, q_max=300)
    np.testing.assert_allclose(near[:-1], never[:-1], atol=1e-9)


def test_in_between_large_bounds_do_not_matter_either():
    large, _ = distances(**README, q_max=300, remaining_s=60.0)  # P underflows: ln v is integrated instead
    small, _ = distances(**README, q_max=40, remaining_s=60.0)
    np.testing.assert_allclose(large[300 - 20 : 300 + 21], small[40 - 20 : 40 + 21], atol=1e-9)  # far from both bounds
    assert np.all(np.diff(large[:-1]) > 0)


@pytest.mark.parametrize("remaining_s", [5.0, 50.0, np.inf])
@pytest.mark.parametrize(("mu", "xi"), [(0.02, 0.0), (0.0, 0.5), (-0.01, 0.5)])
def test_drift_and_impact_agree_with_the_hjb_equation_and_nearly_with_the_closed_form(remaining_s, mu, xi):
    bid, ask = distances(**README, q_max=30, remaining_s=remaining_s, mu=mu, xi=xi)
    problem = {"sigma": 0.3, "gamma": 0.1, "q_max": 30, "mu": mu, "xi": xi}
    other_bid, other_ask = hjb.distances(Exponential(0.5, 0.3), np.array([remaining_s]), **problem)
    np.testing.assert_allclose(bid, other_bid[0], atol=1e-9)
    np.testing.assert_allclose(ask, other_ask[0], atol=1e-9)
    near, _ = closed_form_distances(np.arange(-2.0, 3.0), **README, remaining_s=remaining_s, mu=mu, xi=xi)
    np.testing.assert_allclose(near, bid[28:33], atol=0.02)


def test_a_rising_mid_raises_both_quotes_and_impact_widens_them():
    still, rising, moved = (distances(**README, q_max=10, **more) for more in ({}, {"mu": 0.02}, {"xi": 0.5}))
    assert np.all(rising[0][:-1] < still[0][:-1])
    assert np.all(rising[1][1:] > still[1][1:])
    assert np.all((moved[0] + moved[1])[1:-1] > (still[0] + still[1])[1:-1])


def test_a_long_horizon_is_the_infinite_one():
    near, _ = distances(**README, q_max=20, remaining_s=1e9)
    never, _ = distances(**README, q_max=20)
    np.testing.assert_allclose(near[:-1], never[:-1], atol=1e-12)


def test_at_the_horizon_inventory_does_not_matter():
    bid, _ = distances(**README, q_max=5, remaining_s=0.0)
    np.testing.assert_allclose(bid[:-1], np.log1p(0.1 / 0.3) / 0.1, atol=1e-13)


positive = st.floats(0.01, 10.0)


@given(positive, positive, positive, positive, st.integers(1, 25), st.one_of(st.just(np.inf), st.floats(0.01, 1000.0)))
def test_a_long_dealer_bids_lower_asks_lower_and_stops_bidding_at_the_bound(sigma, A, k, gamma, q_max, remaining_s):  # noqa: N803
    bid, ask = distances(sigma=sigma, A=A, k=k, gamma=gamma, q_max=q_max, remaining_s=remaining_s)
    slack = 1e-12 * np.nanmax(np.abs(bid))
    assert np.all(np.diff(bid[:-1]) >= -slack)
    assert np.all(np.diff(ask[1:]) <= slack)
    assert np.all((bid + ask)[1:-1] > 0)
    assert list(np.isnan(bid)) == [False] * (2 * q_max) + [True]
    assert list(np.isnan(ask)) == [True] + [False] * (2 * q_max)


@given(positive, positive, positive, positive, st.floats(0.001, 1000.0))
def test_the_price_unit_does_not_matter(sigma, A, k, gamma, unit):  # noqa: N803
    here, _ = distances(sigma=sigma, A=A, k=k, gamma=gamma, q_max=8, remaining_s=20.0)
    there, _ = distances(sigma=sigma * unit, A=A, k=k / unit, gamma=gamma / unit, q_max=8, remaining_s=20.0)
    np.testing.assert_allclose(there, here * unit, rtol=1e-7, atol=1e-9 * unit * np.nanmax(np.abs(here)))
