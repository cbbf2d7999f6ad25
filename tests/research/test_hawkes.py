"""Hawkes processes: the reference likelihood, its gradient, and simulated flows that give back what they were made of."""

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.research.hawkes import _value, fit_hawkes, log_likelihood, simulate_hawkes

TIMES = np.array([0.5, 0.9, 1.1, 2.3, 3.0, 3.05, 3.2, 4.8, 6.1, 6.15, 7.7, 9.2])
ONE = np.zeros(12, np.int8)
TWO = np.array([0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1], np.int8)
ALPHA = np.array([[0.4, 0.15], [0.2, 0.3]])


def intensity(now, times, kinds, kind, mu, alpha, beta):
    """Return one kind's intensity, by the formula, over all earlier events."""
    earlier = times < now
    return mu[kind] + np.sum(alpha[kind, kinds[earlier]] * beta * np.exp(-beta * (now - times[earlier])))


def likelihood_by_the_formula(times, kinds, seconds, mu, alpha, beta):
    logs = sum(np.log(intensity(now, times, kinds, kind, mu, alpha, beta)) for now, kind in zip(times, kinds, strict=True))
    answers = sum(alpha[:, kind].sum() * (1 - np.exp(-beta * (seconds - now))) for now, kind in zip(times, kinds, strict=True))
    return logs - mu.sum() * seconds - answers


@pytest.mark.interpreted
def test_the_reference_value():
    assert log_likelihood(TIMES, ONE, 10.0, [0.6], [[0.5]], 1.3) == pytest.approx(-11.6752159089, abs=5e-11)


@pytest.mark.interpreted
def test_two_kinds_agree_with_the_formula_and_its_derivatives():
    mu, beta = np.array([0.6, 0.4]), 1.3
    expected = likelihood_by_the_formula(TIMES, TWO, 10.0, mu, ALPHA, beta)
    assert log_likelihood(TIMES, TWO, 10.0, mu, ALPHA, beta) == pytest.approx(expected, rel=1e-12)
    at = np.concatenate([mu, ALPHA.ravel(), [beta]])
    value, gradient = _value(TIMES, TWO, 10.0, at, 2)
    assert value == pytest.approx(expected, rel=1e-12)
    for place in range(len(at)):
        step = np.zeros(len(at))
        step[place] = 1e-6
        slope = (_value(TIMES, TWO, 10.0, at + step, 2)[0] - _value(TIMES, TWO, 10.0, at - step, 2)[0]) / 2e-6
        assert gradient[place] == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.interpreted
def test_a_simulated_flow_has_the_rate_that_its_branching_makes():
    times, kinds = simulate_hawkes([0.5, 0.3], ALPHA, 3.0, 200.0, seed=4)
    assert np.all(np.diff(times) > 0)
    rates = np.linalg.solve(np.eye(2) - ALPHA, [0.5, 0.3])  # of a flow in its steady state
    np.testing.assert_allclose(np.bincount(kinds) / 200.0, rates, rtol=0.35)


def test_times_made_uniform_by_their_own_intensity():
    """The integral of the intensity from event to event is exponential: the simulation is what the likelihood says."""
    times, _ = simulate_hawkes([0.6], [[0.5]], 3.0, 3000.0, seed=1)
    age, spent, last = 0.0, [], 0.0
    for now in times:
        decay = np.exp(-3.0 * (now - last))
        spent.append(0.6 * (now - last) + 0.5 * age * (1 - decay))
        age, last = age * decay + 1, now
    assert np.mean(spent) == pytest.approx(1, abs=0.06)
    assert np.var(spent) == pytest.approx(1, abs=0.15)
    assert abs(np.corrcoef(spent[1:], spent[:-1])[0, 1]) < 0.06


def covers_one_kind(random):
    times, _ = simulate_hawkes([0.6], [[0.5]], 3.0, 1500.0, int(random.integers(2**31)))
    fit = fit_hawkes(times, 1500.0)
    return {"mu": fit.mu[0], "alpha": fit.alpha[0][0], "beta": fit.beta}


def covers_two_kinds(random):
    times, kinds = simulate_hawkes([0.5, 0.3], ALPHA, 3.0, 2000.0, int(random.integers(2**31)))
    fit = fit_hawkes(times, 2000.0, kinds)
    cells = {f"alpha{i}{j}": fit.alpha[i][j] for i in range(2) for j in range(2)}
    return {"mu0": fit.mu[0], "mu1": fit.mu[1], "beta": fit.beta, **cells}


ONE_KIND = {"mu": 0.6, "alpha": 0.5, "beta": 3.0}
TWO_KINDS = {"mu0": 0.5, "mu1": 0.3, "beta": 3.0, **{f"alpha{i}{j}": ALPHA[i, j] for i in range(2) for j in range(2)}}


@pytest.mark.slow
def test_intervals_of_one_kind_hold_the_truth_95_times_in_100(covered):
    found = covered(covers_one_kind, ONE_KIND)
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


@pytest.mark.slow
def test_intervals_of_two_kinds_hold_the_truth_95_times_in_100(covered):
    found = covered(covers_two_kinds, TWO_KINDS)
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


@pytest.mark.parametrize(("intervals", "truth"), [(covers_one_kind, ONE_KIND), (covers_two_kinds, TWO_KINDS)])
def test_a_few_simulated_flows_are_found_again(covered, intervals, truth):
    assert min(covered(intervals, truth, seeds=15).values()) >= 0.73


def test_buys_that_never_answer_to_sells_have_an_interval_that_begins_at_zero():
    times, kinds = simulate_hawkes([0.5, 0.5], [[0.5, 0.0], [0.0, 0.5]], 3.0, 3000.0, seed=5)
    cross = [fit_hawkes(times, 3000.0, kinds).alpha[i][1 - i] for i in range(2)]
    assert all(each.low < 0.02 and each.high < 0.15 for each in cross)


def test_excitement_explains_a_clustered_flow_and_not_an_independent_one():
    clustered = fit_hawkes(simulate_hawkes([0.6], [[0.5]], 3.0, 1500.0, seed=2)[0], 1500.0)
    assert clustered.log_likelihood > clustered.poisson_log_likelihood + 50
    assert clustered.branching == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fit_hawkes(TIMES, 10.0), "too few events to fit excitement: 12 of each kind; needed: 100"),
        (lambda: fit_hawkes(np.zeros(200), 10.0), "events at the same instant are to be made one before"),
        (lambda: fit_hawkes(np.arange(200.0), 10.0), "times must increase from 0 to 10 s"),
        (lambda: fit_hawkes(np.arange(200.0), 300.0, np.ones(200, np.int8)), "too few events to fit excitement: 0, 200"),
        (lambda: log_likelihood(TIMES, TWO, 10.0, [0.6], [[0.5]], 1.0), "mu has 1 kinds and alpha the shape"),
        (lambda: log_likelihood(TIMES, -TWO, 10.0, [0.6], [[0.5]], 1.0), "kinds has -1"),
        (lambda: fit_hawkes(np.arange(200.0), np.inf), "seconds is inf; allowed: a positive number"),
        (lambda: simulate_hawkes([1.0], [[1.0]], 1.0, 10.0, 1), "else the flow explodes"),
        (lambda: simulate_hawkes([-1.0], [[0.5]], 1.0, 10.0, 1), r"mu is \[-1.0\].*; allowed: numbers of 0 or more"),
        (lambda: simulate_hawkes([1.0], [[0.5]], 0.0, 10.0, 1), "some mu and beta above 0"),
        (lambda: simulate_hawkes([1.0, 1.0], [[0.5]], 1.0, 10.0, 1), "mu has 2 kinds and alpha the shape"),
        (lambda: simulate_hawkes([1.0], [[0.5]], 1.0, 100.0, 1, most=10), "more than 10 events"),
    ],
)
def test_what_cannot_be_fitted_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()
