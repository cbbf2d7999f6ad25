"""Hedge ratio and spread, step by step: the kernels against matrices and against sums over all that was seen."""

import math

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.signals.pairs import SPREAD, decay_of_span, kalman_path, spread_path, spread_step

pytestmark = pytest.mark.interpreted


def naive_kalman(y, x, drift_a, drift_b, noise, slope, variance_a, variance_b):
    """The textbook's recursion with matrices; the state is (intercept where x is the first x, slope)."""
    m, p = np.array([y[0], slope]), np.diag([variance_a, variance_b])
    rows = [[m[0], m[1], p[1, 1], 0.0, 0.0]]
    for now_y, now_x in zip(y[1:], x[1:], strict=True):
        h = np.array([[1.0, now_x - x[0]]])
        p = p + np.diag([drift_a, drift_b])
        surprise = now_y - (h @ m)[0]
        variance = (h @ p @ h.T)[0, 0] + noise
        gain = (p @ h.T)[:, 0] / variance
        m = m + gain * surprise
        p = (np.eye(2) - np.outer(gain, h)) @ p
        rows.append([m[0], m[1], p[1, 1], surprise, variance])
    return np.array(rows)


def walk(seed, n=200):
    random = np.random.default_rng(seed)
    x = 100.0 + np.cumsum(random.normal(size=n))
    return 3.0 + 2.0 * x + random.normal(size=n), x


def test_the_filter_is_the_textbook_s():
    y, x = walk(1)
    given = {"drift_a": 0.01, "drift_b": 1e-5, "noise": 1.3, "slope": 1.5, "variance_a": 4.0, "variance_b": 0.25}
    np.testing.assert_allclose(kalman_path(y, x, **given), naive_kalman(y, x, **given), rtol=1e-9, atol=1e-9)


def test_without_drift_and_without_knowledge_it_is_least_squares_of_what_comes_after_the_start():
    y, x = walk(2)
    last = kalman_path(y, x, drift_a=0.0, drift_b=0.0, noise=1.0, variance_a=1e8, variance_b=1e8)[-1]
    assert last[1] == pytest.approx(np.polyfit(x[1:], y[1:], 1)[0], rel=1e-5)


def test_a_slope_that_is_known_stays():
    y, x = walk(3)
    path = kalman_path(y, x, drift_a=0.1, drift_b=0.0, noise=1.0, slope=2.0, variance_a=1.0, variance_b=0.0)
    assert np.all(path[:, 1] == 2.0)


def test_spread_is_weighted_mean_and_deviation_of_all_that_was_seen():
    values = np.random.default_rng(4).normal(size=60) + 5.0
    decay = decay_of_span(10.0)
    assert decay == 10.0 / 11.0
    path = spread_path(values, 10.0)
    for i in (1, 5, 59):
        weights = decay ** np.arange(i, -1, -1.0)
        mean = np.average(values[: i + 1], weights=weights)
        deviation = math.sqrt(np.average((values[: i + 1] - mean) ** 2, weights=weights))
        assert path[i, 1] == pytest.approx(mean, rel=1e-12)
        assert path[i, 2] == pytest.approx(deviation, rel=1e-9)
    assert path[40, 0] == pytest.approx((values[40] - path[39, 1]) / path[39, 2], rel=1e-12)  # against what was known before
    assert np.all(path[:2, 0] == 0.0)


def test_half_life_of_a_spread_that_comes_back_and_none_of_a_walk_that_only_rises():
    random, phi = np.random.default_rng(5), 0.8
    values = np.zeros(1500)
    for i in range(1, len(values)):
        values[i] = phi * values[i - 1] + random.normal()
    assert spread_path(values, 500.0)[-1, 3] == pytest.approx(math.log(2.0) / -math.log(phi), rel=0.25)
    assert spread_path(np.arange(50.0), 10.0)[-1, 3] == 0.0


def test_a_spread_that_stands_still_has_no_score():
    row = np.zeros(1, SPREAD)[0]
    for _ in range(5):
        spread_step(row, 3.0, 0.9)
    assert (row["z"], row["deviation"], row["half_life"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"noise": 0.0}, "noise is 0.0"), ({"drift_b": -1.0}, "drift_b is -1.0"), ({"x": np.ones(3)}, "y has 200 samples and x 3")],
)
def test_what_is_no_variance_or_does_not_match_is_refused(change, said):
    y, x = walk(1)
    given = {"y": y, "x": x, "drift_a": 0.1, "drift_b": 0.1, "noise": 1.0, "variance_a": 1.0, "variance_b": 1.0, **change}
    with pytest.raises(InputError, match=said):
        kalman_path(**given)
    with pytest.raises(InputError, match="span is 0"):
        spread_path(y, 0.0)
    with pytest.raises(InputError, match="holds NaN"):
        spread_path(np.array([1.0, np.nan]), 5.0)
