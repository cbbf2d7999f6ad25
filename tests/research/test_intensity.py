"""The fit of A·exp(-k·delta): finds what was put in, and knows how well."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from twosided.errors import InputError
from twosided.research.intensity import Reaches, fit_intensity, observed_rates
from twosided.research.measured import Measured


def simulated(random, *, A, k, tick, seconds, every_s, nearest_ticks=2):  # noqa: N803
    """Return reaches of Poisson arrivals in intervals of equal length; mids on and between ticks."""
    count = 2 * round(seconds / every_s)
    nearest = tick * (nearest_ticks + random.choice([0.0, 0.5], count))
    arrivals = random.poisson(A * np.exp(-k * nearest) * every_s)
    deepest = -np.log1p(-(random.random(count) ** (1.0 / np.maximum(arrivals, 1)))) / k  # the largest of so many exponentials
    reached = np.where(arrivals > 0, nearest + np.floor(deepest / tick) * tick, -np.inf)
    return Reaches(np.full(count, every_s), nearest, reached, tick)


CASES = [
    {"A": 1.0, "k": 0.3, "tick": 1.0, "seconds": 600, "every_s": 0.05},
    {"A": 5.0, "k": 0.3, "tick": 1.0, "seconds": 600, "every_s": 1.0},  # often several arrivals in one interval
    {"A": 2.0, "k": 3.0, "tick": 1.0, "seconds": 3000, "every_s": 0.2, "nearest_ticks": 1},  # few go beyond the nearest price
    {"A": 140.0, "k": 1.5, "tick": 0.01, "seconds": 60, "every_s": 0.02},  # prices are nearly continuous
]


@pytest.mark.parametrize("case", CASES)
def test_intervals_of_95_per_cent_hold_the_truth_about_as_often(case):
    random = np.random.default_rng(3)
    fits = [fit_intensity(simulated(random, **case)) for _ in range(100)]
    for errors in (
        [(fit.log_A - math.log(case["A"])) / fit.log_A_error for fit in fits],
        [(fit.k - case["k"]) / fit.k_error for fit in fits],
    ):
        assert 88 <= np.sum(np.abs(errors) < 1.96) <= 100
        assert abs(np.mean(errors)) < 0.35  # no bias: three standard errors of a mean of 100
        assert 0.8 < np.std(errors) < 1.25


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_intervals_hold_the_truth_95_times_in_100(covered, case):
    def intervals(random):
        fit = fit_intensity(simulated(random, **case))
        return {"A": Measured.of(math.exp(fit.log_A), fit.log_A_error), "k": Measured.of(fit.k, fit.k_error / fit.k)}

    found = covered(intervals, {"A": case["A"], "k": case["k"]})
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


@pytest.mark.parametrize("every_s", [0.05, 2.0])
def test_the_rate_at_each_distance_is_the_one_of_greatest_likelihood(every_s):
    reaches = simulated(np.random.default_rng(8), A=4.0, k=0.5, tick=0.5, seconds=400, every_s=every_s)
    rates = observed_rates(reaches, 8.0)
    for step, at in enumerate(rates[:4]):
        hit = reaches.reached >= reaches.nearest + (step - 0.01) * reaches.tick

        def minus_log_likelihood(log_rate, hit=hit):
            return every_s * np.exp(log_rate) * np.sum(~hit) - np.sum(hit) * np.log(-np.expm1(-every_s * np.exp(log_rate)))

        best = minimize_scalar(minus_log_likelihood, (-3.0, 2.0), tol=1e-12)
        assert at.rate.value == pytest.approx(math.exp(best.x), rel=1e-6)
        assert at.reached == hit.sum()
    assert rates[0].distance == pytest.approx(reaches.nearest.mean())


def test_intervals_of_the_rate_at_each_distance_hold_the_truth(covered):
    def intervals(random):
        rates = observed_rates(simulated(random, A=4.0, k=0.5, tick=0.5, seconds=400, every_s=0.5), 6.0)
        return {f"{at.distance:.1f}": at.rate for at in rates}

    truth = {f"{d:.1f}": 4.0 * math.exp(-0.5 * d) for d in np.arange(1.125, 5.2, 0.5)}
    assert min(covered(intervals, truth, 60).values()) > 0.85


def test_where_hardly_anything_came_no_rate_is_told():
    reaches = Reaches(np.ones(100), np.ones(100), np.where(np.arange(100) < 4, 3.0, -np.inf), 1.0)
    assert observed_rates(reaches, 5.0) == ()


def by_search(reaches):
    """Return (ln A, k) at the maximum of the likelihood as the module's text states it, found without derivatives."""

    def minus_log_likelihood(at):
        def exposed(x):
            return np.exp(at[0] - at[1] * x) * reaches.seconds

        hit = reaches.reached >= reaches.nearest
        chance = np.exp(-exposed(reaches.nearest))
        x = np.where(hit, reaches.reached, reaches.nearest)
        chance = np.where(hit, np.exp(-exposed(x + reaches.tick)) - np.exp(-exposed(x)), chance)
        return -np.sum(np.log(np.maximum(chance, 1e-300)))

    return minimize(
        minus_log_likelihood, [0.5, 0.5], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5000}
    ).x


def test_agrees_with_a_search_without_derivatives():
    reaches = simulated(np.random.default_rng(5), A=2.0, k=0.7, tick=0.5, seconds=100, every_s=0.3)
    fit = fit_intensity(reaches)
    np.testing.assert_allclose((fit.log_A, fit.k), by_search(reaches), rtol=1e-6)


def test_short_intervals_give_the_exponential_tail_s_estimator():
    # k = 1 / mean excess and A·exp(-k·n) = arrivals / time, on each side
    random = np.random.default_rng(11)
    excess = random.exponential(2.0, 400)
    seconds = np.full(100_000, 1e-3)
    reached = np.full(100_000, -np.inf)
    reached[random.choice(100_000, 400, replace=False)] = 1.0 + excess
    fit = fit_intensity(Reaches(seconds, np.ones(100_000), reached, 1e-6))
    assert fit.k == pytest.approx(1 / excess.mean(), rel=3e-3)
    assert fit.k_error == pytest.approx(fit.k / 20, rel=0.01)
    assert math.exp(fit.log_A - fit.k) == pytest.approx(400 / 100, rel=3e-3)


def test_another_price_unit_gives_the_same_fit():
    reaches = simulated(np.random.default_rng(5), A=2.0, k=0.7, tick=0.5, seconds=100, every_s=0.3)
    scaled = Reaches(reaches.seconds, 1000 * reaches.nearest, 1000 * reaches.reached, 1000 * reaches.tick)
    here, there = fit_intensity(reaches), fit_intensity(scaled)
    assert there.k * 1000 == pytest.approx(here.k, rel=1e-7)
    assert there.log_A == pytest.approx(here.log_A, rel=1e-7)


def test_reaches_at_one_distance_only_are_refused():
    reached = np.array([1.0, 1.0, -np.inf, 1.0])
    with pytest.raises(InputError, match="all reach equally far"):
        fit_intensity(Reaches(np.ones(4), np.ones(4), reached, 1.0))
