"""How soon a spread comes back: half-life of an autoregression, with an interval that holds near a random walk.

Where you are in the pipe: research, on top of all rooms; plain functions of arrays.

The spread is e_t = c + phi·e_{t-1} + noise, the samples of an Ornstein-Uhlenbeck process of speed kappa = -ln(phi)/dt, whose
half-life is ln 2 / kappa. Near phi = 1 the estimate is too low and far from normal, the more so when the spread is itself what a
regression left over. So the interval is found by turning the test around: it holds every phi whose own distribution of the
t-statistic, simulated with the same regression, makes the observed one likely. That distribution depends on n·(1 - phi) alone.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from twosided.errors import InputError
from twosided.research.measured import Measured

__all__ = ["Reversion", "reversion"]

Floats = npt.NDArray[np.float64]

FEWEST = 30

_SAMPLES, _DRAWS, _SEED = 500, 2000, 19870301
_SPEEDS = np.concatenate([[0.0], np.geomspace(0.5, 200.0, 24)])  # n·(-ln phi)


@dataclass(frozen=True)
class Reversion:
    """How a spread comes back.

    Args:
        half_life_s: ln 2 / kappa; infinite ends are those of a spread that cannot be told from a random walk.
        kappa: 1/s.
        phi: from one sample to the next, as estimated.
        deviation: of the process where it rests, unit of the spread.
    """

    half_life_s: Measured
    kappa: Measured
    phi: float
    deviation: float


def reversion(spread: Floats, every_s: float, *, regressors: int = 1) -> Reversion:
    """Return the half-life of *spread*, with its 95 % interval.

    The value is the one at which half of the simulated statistics lie on each side (median-unbiased).

    Args:
        spread: equally spaced samples, shape (n,).
        every_s: their distance, s.
        regressors: how many wandering prices were fitted (with a constant) to make it: 0 of a spread with known ratio, or 1.

    Raises:
        InputError: fewer than 30 samples, or a spread that does not move.

    Source: Uhlenbeck and Ornstein (1930), Physical Review 36, for the process; the interval: Stock (1991), "Confidence intervals
    for the largest autoregressive root", J. of Monetary Economics 28, and Andrews (1993), "Exactly median-unbiased estimation",
    Econometrica 61.
    """
    n = len(spread)
    if n < FEWEST:
        raise InputError(f"the spread has {n} samples; allowed: at least {FEWEST}")
    phi, error = _autoregression(np.asarray(spread, np.float64)[None, :])
    if not float(error[0]) > 0.0:
        raise InputError("the spread does not move; there is nothing to come back")
    speeds = [_speed_at(float(phi[0]), float(error[0]), n, level, regressors) for level in (0.5, 0.025, 0.975)]
    kappa = Measured(*(speed / every_s for speed in speeds))
    ends = [math.log(2.0) / each if each > 0.0 else math.inf for each in (kappa.value, kappa.high, kappa.low)]
    return Reversion(Measured(*ends), kappa, float(phi[0]), float(np.std(spread)))


def _speed_at(phi: float, error: float, n: int, level: float, regressors: int) -> float:
    """Return the speed per sample at which the observed t-statistic is the *level* quantile of its distribution."""

    def excess(speed: float) -> float:
        return (phi - math.exp(-speed / n)) / error - _quantile(speed, level, regressors)

    low, high = 0.0, 40.0 * n
    if excess(low) >= 0.0:  # not even a walk makes it unlikely
        return 0.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) < 0.0 else (low, middle)
    return high / n


def _quantile(speed: float, level: float, regressors: int) -> float:
    """Return the quantile of the t-statistic at *speed* = n·(-ln phi): interpolated, and normal beyond the table."""
    column = {0.025: 0, 0.5: 1, 0.975: 2}[level]
    table = _quantiles(regressors)[:, column]
    if speed <= _SPEEDS[-1]:
        return float(np.interp(math.sqrt(speed), np.sqrt(_SPEEDS), table))
    normal = (-1.959964, 0.0, 1.959964)[column]
    return normal + float(table[-1] - normal) * math.sqrt(float(_SPEEDS[-1]) / speed)  # the bias dies out as 1/sqrt(speed)


@functools.cache
def _quantiles(regressors: int) -> Floats:
    """Return quantiles of the t-statistic, shape (speeds, 3), by simulation."""
    random = np.random.default_rng(_SEED)
    noise = random.standard_normal((_DRAWS, _SAMPLES))
    walks = np.cumsum(random.standard_normal((_DRAWS, _SAMPLES)), axis=1)
    walks -= walks.mean(axis=1, keepdims=True)
    found = np.empty((len(_SPEEDS), 3))
    for row, speed in enumerate(_SPEEDS):
        true = math.exp(-speed / _SAMPLES)
        first = noise[:, :1] / math.sqrt(1.0 - true * true) if speed > 0.0 else noise[:, :1]
        series = lfilter([1.0], [1.0, -true], np.concatenate([first, noise[:, 1:]], axis=1), axis=1)
        series -= series.mean(axis=1, keepdims=True)
        if regressors:
            ratios = np.sum(series * walks, axis=1) / np.sum(walks * walks, axis=1)
            series -= ratios[:, None] * walks
        phi, error = _autoregression(series)
        found[row] = np.quantile((phi - true) / error, [0.025, 0.5, 0.975])
    return found


def _autoregression(series: Floats) -> tuple[Floats, Floats]:
    """Return phi of each row with a constant, and its error."""
    earlier = series[:, :-1] - series[:, :-1].mean(axis=1, keepdims=True)
    later = series[:, 1:] - series[:, 1:].mean(axis=1, keepdims=True)
    squares = np.sum(earlier * earlier, axis=1)
    phi = np.divide(np.sum(earlier * later, axis=1), squares, out=np.zeros(len(series)), where=squares > 0.0)
    left = later - phi[:, None] * earlier
    variance = np.sum(left * left, axis=1) / (series.shape[1] - 3)
    return phi, np.sqrt(np.divide(variance, squares, out=np.zeros(len(series)), where=squares > 0.0))
