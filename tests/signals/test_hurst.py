"""The Hurst exponent: recovered from paths whose exponent is known, and the same over a ring of samples as over an array."""

import numpy as np
import pytest

from twosided._compile import INTERPRETED
from twosided.errors import InputError
from twosided.signals.hurst import EVERY_NS, HURST, STEPS, dfa, rescaled_range, update_hurst

SECOND = 10**9


def fractional_noise(exponent, count, seed):
    """Return steps of a fractional Brownian path, exactly (Davies and Harte 1987): the covariance's circulant has known roots."""
    lag = np.arange(count + 1)
    cover = 0.5 * (np.abs(lag - 1) ** (2 * exponent) - 2.0 * lag ** (2 * exponent) + (lag + 1.0) ** (2 * exponent))
    roots = np.fft.fft(np.concatenate([cover, cover[-2:0:-1]])).real
    random = np.random.default_rng(seed)
    noise = random.normal(size=len(roots)) + 1j * random.normal(size=len(roots))
    return np.fft.fft(np.sqrt(np.maximum(roots, 0.0) / len(roots)) * noise).real[:count]


@pytest.mark.skipif(INTERPRETED, reason="long paths")
@pytest.mark.parametrize("exponent", [0.3, 0.5, 0.7, 0.85])
def test_both_estimators_find_the_exponent_of_fractional_brownian_paths(exponent):
    paths = [fractional_noise(exponent, 1 << 14, seed) for seed in range(20)]
    assert np.mean([dfa(steps) for steps in paths]) == pytest.approx(exponent, abs=0.03)
    assert np.std([dfa(steps) for steps in paths]) < 0.04
    # R/S is known to pull towards a half, the more the further off
    assert np.mean([rescaled_range(steps) for steps in paths]) == pytest.approx(exponent, abs=0.05 if exponent < 0.8 else 0.08)


@pytest.mark.skipif(INTERPRETED, reason="many paths")
def test_on_a_ring_of_samples_the_error_is_a_tenth():
    found = np.array([dfa(fractional_noise(0.5, STEPS, seed)) for seed in range(300)])
    assert np.mean(found) == pytest.approx(0.5, abs=0.02)
    assert 0.06 < np.std(found) < 0.12


@pytest.mark.interpreted
def test_detrending_is_that_of_least_squares():
    steps = np.random.default_rng(1).normal(0.3, 1, 64)
    profile = np.cumsum(steps - steps.mean())
    x, y = [], []
    for scale in (8, 16):
        left = []
        for first in range(0, 64, scale):
            piece = profile[first : first + scale]
            line = np.polyval(np.polyfit(np.arange(scale), piece, 1), np.arange(scale))
            left.append(np.mean((piece - line) ** 2))
        x.append(np.log(scale))
        y.append(0.5 * np.log(np.mean(left) / ((scale**2 - 4) / (15 * scale))))
    assert dfa(steps) == pytest.approx(0.5 + (y[1] - y[0]) / (x[1] - x[0]), rel=1e-9)


@pytest.mark.interpreted
def test_a_ring_of_samples_gives_what_the_array_of_its_last_steps_gives():
    random = np.random.default_rng(2)
    samples = 100.0 + np.cumsum(random.integers(-2, 3, STEPS + 40)) * 0.5
    row = np.zeros(1, HURST)[0]
    seen = []
    for i, mid in enumerate(samples):
        update_hurst(row, SECOND + i * EVERY_NS, mid)
        seen.append(row.value)
    assert set(seen[:STEPS]) == {0.5}
    steps = np.append(0.0, np.diff(samples))  # a sample has the mid that stood before its instant
    renewed = [i for i in range(1, STEPS + 40) if seen[i] != seen[i - 1]]
    assert renewed == [STEPS, STEPS + 16, STEPS + 32]
    for i in renewed:
        assert seen[i] == dfa(steps[i - STEPS : i])


@pytest.mark.interpreted
def test_samples_do_not_depend_on_how_often_the_mid_is_told_and_silence_stands_still():
    rows = [np.zeros(1, HURST)[0] for _ in range(2)]
    update_hurst(rows[0], SECOND, 100.0)
    update_hurst(rows[0], SECOND + 10 * EVERY_NS, 101.0)
    for i in range(10):
        update_hurst(rows[1], SECOND + i * EVERY_NS, 100.0)
    update_hurst(rows[1], SECOND + 10 * EVERY_NS, 101.0)
    assert rows[0].tobytes() == rows[1].tobytes()
    update_hurst(rows[0], SECOND + 10**6 * EVERY_NS, 101.0)
    assert (rows[0].value, rows[0].count) == (0.5, STEPS + 11)


@pytest.mark.interpreted
def test_too_little_is_refused_and_a_path_that_stands_still_has_none():
    assert dfa(np.zeros(64)) == rescaled_range(np.zeros(64)) == 0.5
    for estimate in (dfa, rescaled_range):
        with pytest.raises(InputError, match="at least 64"):
            estimate(np.ones(63))
