"""Rolling statistics: a million updates against a calculation in two passes, and nothing left behind by what has gone."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided._compile import INTERPRETED
from twosided.errors import InputError
from twosided.signals.rolling import (
    EWMA,
    ROLLING,
    _update_rolling,
    ewma,
    rolling,
    rolling_volatility,
    update_ewma,
    update_rolling,
)

interpreted = pytest.mark.interpreted


def two_passes(values):
    """Return mean and deviation of *values*, each sum exact and rounded once."""
    mean = math.fsum(values) / len(values)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return mean, math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else 0.0


@pytest.mark.skipif(INTERPRETED, reason="a million updates")
@pytest.mark.parametrize("level", [0.0, 1e6, 1e9])
def test_a_million_updates_stay_as_exact_as_two_passes(level):
    values = (
        level + np.cumsum(np.random.default_rng(1).normal(0, 0.01, 1_000_000)) + np.random.default_rng(2).normal(0, 1, 1_000_000)
    )
    window = 1000
    mean, deviation = rolling(values, window)
    for end in [*range(window, 1_000_001, 99_991), 1_000_000]:
        expected_mean, expected = two_passes(values[end - window : end].tolist())
        assert mean[end - 1] == pytest.approx(expected_mean, rel=2e-15, abs=1e-12)
        assert deviation[end - 1] == pytest.approx(expected, rel=1e-13)


@interpreted
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.integers(2, 9))
def test_every_window_is_that_of_two_passes(values, window):
    mean, deviation = rolling(values, window)
    for end in range(1, len(values) + 1):
        expected_mean, expected = two_passes(values[max(end - window, 0) : end])
        assert mean[end - 1] == pytest.approx(expected_mean, rel=1e-12, abs=1e-9)
        assert deviation[end - 1] == pytest.approx(expected, rel=1e-9, abs=1e-8)


@interpreted
def test_an_outlier_leaves_nothing_behind():
    values = np.random.default_rng(5).normal(0, 1, 200)
    values[50] = 1e12
    mean, deviation = rolling(values, 20)
    for end in range(71, 201):
        expected_mean, expected = two_passes(values[end - 20 : end].tolist())
        assert mean[end - 1] == pytest.approx(expected_mean, rel=1e-13, abs=1e-13)
        assert deviation[end - 1] == pytest.approx(expected, rel=1e-13)


@interpreted
def test_streaming_and_arrays_and_plain_python_agree_bit_by_bit():
    values = np.random.default_rng(7).normal(50, 3, 100)
    mean, deviation = rolling(values, 7)
    row, plain, ring, plain_ring = np.zeros(1, ROLLING)[0], np.zeros(1, ROLLING)[0], np.zeros((7, 2)), np.zeros((7, 2))
    for i, value in enumerate(values):
        update_rolling(row, ring, value)
        _update_rolling(plain, plain_ring, value)
        assert row.tobytes() == plain.tobytes()
        assert (row.average, row.deviation, row.count) == (mean[i], deviation[i], min(i + 1, 7))


@interpreted
def test_volatility_of_equal_steps_is_their_deviation_over_the_root_of_time():
    mid = [100.0, 101.0, 100.0, 101.0, 100.0]
    assert rolling_volatility(mid, 4.0, 4)[-1] == pytest.approx(math.sqrt(4 / 3) / 2)
    assert rolling_volatility(mid, 4.0, 4)[:2].tolist() == [0.0, 0.0]


@interpreted
def test_a_weighted_mean_moves_by_the_share_that_its_time_constant_says():
    second = 10**9
    found = ewma([1.0, 3.0, 3.0], [second, 2 * second, 12 * second], 2.0)
    first = 3.0 - 2.0 * math.exp(-0.5)
    np.testing.assert_allclose(found, [1.0, first, 3.0 - (3.0 - first) * math.exp(-5.0)], rtol=1e-15)
    row = np.zeros(1, EWMA)[0]
    for value, ns in ((1.0, second), (3.0, 2 * second), (3.0, 12 * second)):
        update_ewma(row, ns, value, 2.0)
    assert (row.value, row.count) == (found[-1], 3)


@interpreted
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: rolling([1.0], 1), "window is 1"),
        (lambda: rolling([math.nan], 5), "finite numbers"),
        (lambda: rolling_volatility([1.0], 0.0, 5), "every_s is 0"),
        (lambda: ewma([1.0], [1], -1.0), "time_constant_s is -1"),
        (lambda: ewma([1.0, 2.0], [2, 1], 1.0), "never backwards"),
    ],
)
def test_what_cannot_be_used_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()
