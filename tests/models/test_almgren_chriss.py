"""Almgren and Chriss: the paper's example, the quadratic programme that it solves, and the limit of continuous time."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.linalg import solve

from twosided.errors import InputError
from twosided.models.almgren_chriss import Market, efficient_frontier, liquidate

# The paper's example (section 3.4), in days instead of seconds: a million shares at 50, volatility 0.95 a day.
PAPER = Market(sigma=0.95, temporary=2.5e-6, permanent=2.5e-7, fixed=0.0625)
SALE = {"position": 1e6, "horizon_s": 5.0}


def by_quadratic_programme(market, position, horizon_s, risk_aversion, buckets):
    """Return x_1 … x_{n-1} by setting the gradient of mean + risk aversion × variance to zero."""
    tau = horizon_s / buckets
    pace, risk = (market.temporary - 0.5 * market.permanent * tau) / tau, risk_aversion * market.sigma**2 * tau
    n = buckets - 1
    hessian = (2 * pace + risk) * np.eye(n) - pace * (np.eye(n, k=1) + np.eye(n, k=-1))
    return solve(hessian, np.append(pace * position, np.zeros(n - 1)))


def test_urgency_is_the_paper_s():
    assert liquidate(PAPER, **SALE, risk_aversion=1e-6, buckets=5).kappa == pytest.approx(
        0.607, abs=5e-4
    )  # "approximately 0.6/day"


@pytest.mark.parametrize("risk_aversion", [1e-9, 1e-6, 2e-6, 1e-4])
@pytest.mark.parametrize("buckets", [2, 5, 50])
@pytest.mark.parametrize("position", [1e6, -3e5])
def test_the_schedule_solves_the_quadratic_programme(risk_aversion, buckets, position):
    found = liquidate(PAPER, position=position, horizon_s=5.0, risk_aversion=risk_aversion, buckets=buckets)
    expected = by_quadratic_programme(PAPER, position, 5.0, risk_aversion, buckets)
    np.testing.assert_allclose(found.left[1:-1], expected, rtol=1e-9, atol=1e-9 * abs(position))
    assert found.left[0] == position
    assert found.left[-1] == 0.0


def test_costs_are_the_paper_s_closed_forms():
    """Equation 20, with its hyperbolic functions, against the sums."""
    found = liquidate(PAPER, **SALE, risk_aversion=1e-6, buckets=5)
    kappa, tau, T, X = found.kappa, 1.0, 5.0, 1e6  # noqa: N806
    eta = PAPER.temporary - 0.5 * PAPER.permanent * tau
    half = np.tanh(kappa * tau / 2) * (tau * np.sinh(2 * kappa * T) + 2 * T * np.sinh(kappa * tau))
    mean = 0.5 * PAPER.permanent * X**2 + PAPER.fixed * X + eta * X**2 * half / (2 * tau**2 * np.sinh(kappa * T) ** 2)
    held = tau * np.sinh(kappa * T) * np.cosh(kappa * (T - tau)) - T * np.sinh(kappa * tau)
    variance = 0.5 * PAPER.sigma**2 * X**2 * held / (np.sinh(kappa * T) ** 2 * np.sinh(kappa * tau))
    assert found.mean == pytest.approx(mean, rel=1e-12)
    assert found.variance == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize("risk_aversion", [0.0, 1e-16, 1e-12, 1e-6, 1e-3, 10.0])
def test_continuous_costs_are_the_integrals_of_the_trajectory(risk_aversion):
    found = liquidate(PAPER, **SALE, risk_aversion=risk_aversion)
    kappa = found.kappa

    def left(t):
        if kappa < 1e-7:
            return 1 - t / 5
        return np.exp(-kappa * t) * np.expm1(-2 * kappa * (5 - t)) / np.expm1(-10 * kappa)

    def pace(t):
        if kappa < 1e-7:
            return 1 / 5
        return kappa * np.exp(-kappa * t) * (1 + np.exp(-2 * kappa * (5 - t))) / -np.expm1(-10 * kappa)

    end = min(5.0, 60 / max(kappa, 1e-9))
    spent, held = (quad(lambda t, f=f: f(t) ** 2, 0.0, end, epsabs=0, epsrel=1e-12, limit=500)[0] for f in (pace, left))
    unavoidable = 0.5 * PAPER.permanent * 1e12 + PAPER.fixed * 1e6
    assert found.mean == pytest.approx(unavoidable + PAPER.temporary * 1e12 * spent, rel=1e-9)
    assert found.variance == pytest.approx(PAPER.sigma**2 * 1e12 * held, rel=1e-9)


def test_many_buckets_are_continuous_time():
    fine, smooth = (liquidate(PAPER, **SALE, risk_aversion=1e-6, buckets=n) for n in (100_000, None))
    np.testing.assert_allclose(fine.left[::100], smooth.left, atol=1e-4 * 1e6)
    assert fine.mean == pytest.approx(smooth.mean, rel=1e-4)
    assert fine.variance == pytest.approx(smooth.variance, rel=1e-4)


def test_urgent_or_not_nothing_overflows():
    for risk_aversion in (0.0, 1e-30, 1e6):
        found = liquidate(PAPER, **SALE, risk_aversion=risk_aversion, buckets=100)
        assert np.all(np.diff(found.left) <= 0)
        assert found.traded.sum() == pytest.approx(1e6)
    np.testing.assert_allclose(liquidate(PAPER, **SALE, risk_aversion=0.0, buckets=4).traded, 2.5e5)


def test_along_the_frontier_less_risk_costs_more():
    points = efficient_frontier(PAPER, **SALE, risk_aversions=[1e-8, 1e-7, 1e-6, 1e-5], buckets=10)
    assert [point[0] for point in points] == [1e-8, 1e-7, 1e-6, 1e-5]
    assert np.all(np.diff([mean for _, mean, _ in points]) > 0)
    assert np.all(np.diff([deviation for _, _, deviation in points]) < 0)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="temporary is 0"):
        Market(sigma=1.0, temporary=0.0)
    with pytest.raises(InputError, match="sigma is nan"):
        Market(sigma=float("nan"), temporary=1.0)
    with pytest.raises(InputError, match="buckets is 5; allowed: at least 26"):
        liquidate(Market(1.0, 1e-7, 1e-6), **SALE, risk_aversion=0.0, buckets=5)
    with pytest.raises(InputError, match="horizon_s 0"):
        liquidate(PAPER, position=1.0, horizon_s=0, risk_aversion=0.0)
    for buckets in (0, 2.5, 10**9):
        with pytest.raises(InputError, match=f"buckets is {buckets}; allowed: a whole number from 1 to 1,000,000"):
            liquidate(PAPER, **SALE, risk_aversion=0.0, buckets=buckets)


@pytest.mark.parametrize("buckets", [None, 10])
@pytest.mark.parametrize(
    ("market", "position"), [(Market(1.0, 1.0, 1.0), 1e200), (Market(1.0, 1e-320), 1.0), (Market(1e300, 1.0), 1.0)]
)
def test_costs_beyond_the_range_of_numbers_are_refused_in_a_sentence(market, position, buckets):
    with pytest.raises(InputError, match=r"exceeds the range of numbers|buckets is 10; allowed: at least"):
        liquidate(market, position=position, horizon_s=600.0, risk_aversion=1.0, buckets=buckets)
