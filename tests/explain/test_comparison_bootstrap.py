"""An interval of 95 % holds the truth 95 times in a hundred, also where neighbours are alike."""

import numpy as np
import pytest
from scipy.stats import t

from twosided.explain.comparison_bootstrap import LEAST_INCREMENTS, block_length, drawn_blocks, paired_interval
from twosided.explain.markouts import student_975


def autoregressive(random, phi, n, worlds):
    """Return AR(1) increments with mean zero, shape (worlds, n)."""
    noise, values = random.standard_normal((worlds, n + 50)), np.zeros((worlds, n + 50))
    for i in range(1, n + 50):
        values[:, i] = phi * values[:, i - 1] + noise[:, i]
    return values[:, 50:]


def total(values):
    return values.sum(axis=-1)


def sharpe(values):
    return values.mean(axis=-1) / values.std(axis=-1, ddof=1)


def coverage(phi, n, statistic, truth, shift=0.0, worlds=400):
    """Return how often the interval of the difference of two runs, which share most of their noise, holds the truth."""
    random = np.random.default_rng(7)
    shared, own = autoregressive(random, phi, n, worlds), autoregressive(random, phi, n, worlds)
    found = (paired_interval(a + 0.3 * b + shift, a, statistic, draws=200) for a, b in zip(shared, own, strict=True))
    return np.mean([each.low <= truth <= each.high for each in found])


@pytest.mark.parametrize("phi", [-0.3, 0.0, 0.3, 0.5])
def test_the_interval_of_a_difference_in_pnl_holds_the_truth_as_often_as_it_says(phi):
    assert 0.90 <= coverage(phi, 400, total, 400 * 0.1, shift=0.1) <= 0.97


def test_so_does_that_of_a_difference_in_sharpe_ratio():
    assert 0.90 <= coverage(0.2, 400, sharpe, 0.0) <= 0.98


def test_ignoring_that_neighbours_are_alike_would_not_do(monkeypatch):
    monkeypatch.setattr("twosided.explain.comparison_bootstrap.block_length", lambda _: 1)
    assert coverage(0.5, 400, total, 0.0) < 0.85


def test_what_both_runs_share_does_not_widen_the_interval():
    random = np.random.default_rng(1)
    market = 100 * random.standard_normal(500)
    found = paired_interval(market + random.standard_normal(500), market + random.standard_normal(500), total)
    assert found.high - found.low < 4 * 2 * (2 * 500) ** 0.5  # of the difference, not of a hundred times as much


def test_it_is_the_same_every_time_and_turns_with_the_sides():
    random = np.random.default_rng(2)
    ours, base = random.standard_normal((2, 300))
    found, turned = paired_interval(ours, base, total), paired_interval(base, ours, total)
    assert found == paired_interval(ours, base, total)
    assert (turned.value, turned.low, turned.high) == pytest.approx((-found.value, -found.high, -found.low))


def test_a_run_does_not_differ_from_itself_and_too_few_increments_say_nothing():
    ours = np.random.default_rng(3).standard_normal(LEAST_INCREMENTS)
    assert paired_interval(ours, ours, total)[:3] == (0.0, 0.0, 0.0)
    assert paired_interval(ours[1:], ours[1:], total) is None


def test_blocks_are_neighbours_on_a_circle_and_every_place_is_as_likely():
    at = drawn_blocks(np.random.default_rng(4), 101, 7, 2000)
    assert at.shape == (2000, 101)
    starts = at[:, ::7]
    assert np.array_equal(at[:, 1:7], (starts[:, :1] + np.arange(1, 7)) % 101)
    counts = np.bincount(at.ravel(), minlength=101)
    assert 0.9 < counts.min() / counts.mean() <= counts.max() / counts.mean() < 1.1


def test_blocks_are_longer_where_neighbours_are_more_alike():
    random = np.random.default_rng(5)
    lengths = [np.mean([block_length(each) for each in autoregressive(random, phi, 500, 50)]) for phi in (0.0, 0.3, 0.6, 0.9)]
    assert lengths == sorted(lengths)
    assert lengths[0] < 3
    assert lengths[-1] > 15
    assert block_length(np.zeros(500)) == 1
    assert block_length(np.cumsum(random.standard_normal(500))) <= 50


def test_the_length_of_blocks_is_that_of_the_formula():
    # an AR(1) has R(k) = φ^k / (1 - φ²), hence Σ |k| R(k) and Σ R(k) in closed form
    phi, n = 0.5, 20_000
    values = autoregressive(np.random.default_rng(6), phi, n, 1)[0]
    g = 2 * phi / (1 - phi) ** 2 / (1 - phi**2)
    long_run = 1 / (1 - phi) ** 2
    assert block_length(values) == pytest.approx((2 * g**2 / (4 / 3 * long_run**2) * n) ** (1 / 3), rel=0.25)


@pytest.mark.parametrize("freedom", [9, 12.5, 40, 1000])
def test_the_quantile_of_students_distribution(freedom):
    assert student_975(freedom) == pytest.approx(t.ppf(0.975, freedom), abs=1e-3)
