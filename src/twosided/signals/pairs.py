"""Two prices that go together: how many of one hedge one of the other, and how far they are apart now, step by step.

Where you are in the pipe: events -> book -> *signals* -> strategy. Kernels are given one sample at a time and keep what they know
in a record; the functions over whole arrays call the same kernels.

**Hedge ratio by Kalman filter.** y = intercept + slope·x + v, v of variance R, where intercept and slope walk at random with the
variances Q_a and Q_b a step. With H = (1, x), state m and covariance P:

    P <- P + Q,   e = y - H m,   S = H P H' + R,   K = P H'/S,   m <- m + K e,   P <- P - K S K'

x counts from the first x, which keeps the two apart; the intercept that is stored does so too. A step costs 9 multiplications, no
matrix. Source: Durbin and Koopman (2012), "Time Series Analysis by State Space Methods", 2nd ed., (4.24); for pairs Chan (2013),
"Algorithmic Trading", chapter 3.

**Spread.** Mean, variance and the first autocorrelation, weighted by decay^age, with the weights' sum kept, so that early values
are weighted means and not pulled towards zero. The z-score compares a value with mean and deviation *before* it. The half-life is
ln 2 / -ln(phi), in steps, phi the weighted regression of the spread on the one before.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = [
    "KALMAN",
    "SPREAD",
    "decay_of_span",
    "kalman_path",
    "kalman_start",
    "kalman_step",
    "spread_path",
    "spread_step",
]

Floats = npt.NDArray[np.float64]

KALMAN = np.dtype(
    (
        np.record,
        [
            ("intercept", "f8"),  # of y where x is `origin`, unit of y
            ("slope", "f8"),  # units of x that hedge one of y
            ("p_aa", "f8"),  # variances and covariance of the two
            ("p_ab", "f8"),
            ("p_bb", "f8"),
            ("origin", "f8"),  # the first x
            ("surprise", "f8"),  # e, of the last step
            ("variance", "f8"),  # S, of the last step
            ("count", "i8"),  # steps taken
        ],
    )
)
"""The filter's state. `kalman_start` says where it begins."""

SPREAD = np.dtype(
    (
        np.record,
        [
            ("average", "f8"),
            ("deviation", "f8"),  # root of the weighted variance; 0 before the second value
            ("z", "f8"),  # of the last value, against mean and deviation before it; 0 until there is a deviation
            ("half_life", "f8"),  # steps; 0 where the spread is not seen to come back
            ("weight", "f8"),  # sum of weights; state from here on
            ("square", "f8"),  # weighted sum of squared deviations
            ("lagged", "f8"),  # weighted sum of products of neighbouring deviations
            ("before", "f8"),  # weighted sum of squared deviations of the earlier of each two
            ("last", "f8"),
            ("count", "i8"),
        ],
    )
)
"""What is known of a spread."""

_MOST_STEPS = 1e9  # a longer half-life is none


def _kalman_start(row: Any, slope: float, variance_a: float, variance_b: float) -> None:
    """Begin with intercept y - slope·x of the first sample, known to *variance_a*, and *slope*, known to *variance_b*."""
    row.slope = slope
    row.p_aa = variance_a
    row.p_ab = 0.0
    row.p_bb = variance_b
    row.count = 0


kalman_start = compiled(_kalman_start)


def _kalman_step(row: Any, x: float, y: float, drift_a: float, drift_b: float, noise: float) -> None:
    """Take in a sample; *drift_a*, *drift_b* and *noise* are Q_a, Q_b and R."""
    if row.count == 0:
        row.origin = x
        row.intercept = y
        row.surprise = 0.0
        row.variance = 0.0
        row.count = 1
        return
    h = x - row.origin
    p_aa = row.p_aa + drift_a
    p_ab = row.p_ab
    p_bb = row.p_bb + drift_b
    up_a = p_aa + p_ab * h  # P H'
    up_b = p_ab + p_bb * h
    surprise = y - row.intercept - row.slope * h
    variance = up_a + h * up_b + noise
    gain_a = up_a / variance
    gain_b = up_b / variance
    row.intercept += gain_a * surprise
    row.slope += gain_b * surprise
    row.p_aa = p_aa - gain_a * up_a
    row.p_ab = p_ab - gain_a * up_b
    row.p_bb = p_bb - gain_b * up_b
    row.surprise = surprise
    row.variance = variance
    row.count += 1


kalman_step = compiled(_kalman_step)


def _spread_step(row: Any, value: float, decay: float) -> None:
    """Take in a value of the spread; *decay* is the weight of all before it, from `decay_of_span`."""
    if row.count == 0:
        row.average = value
        row.weight = 1.0
        row.last = value
        row.count = 1
        return
    away = value - row.average
    if row.deviation > 0.0:
        row.z = away / row.deviation
    row.lagged = decay * row.lagged + (row.last - row.average) * away
    row.before = decay * row.before + (row.last - row.average) * (row.last - row.average)
    weight = decay * row.weight + 1.0
    row.average += away / weight
    row.square = decay * row.square + away * (value - row.average)  # Welford's update, weighted
    row.weight = weight
    row.deviation = math.sqrt(max(row.square / weight, 0.0))
    row.last = value
    row.count += 1
    row.half_life = 0.0
    if row.before > 0.0 and 0.0 < row.lagged < row.before:
        speed = -math.log(row.lagged / row.before)
        if speed * _MOST_STEPS > 0.6931471805599453:
            row.half_life = 0.6931471805599453 / speed


spread_step = compiled(_spread_step)


def _kalman_loop(row: Any, x: Any, y: Any, drift_a: float, drift_b: float, noise: float, out: Any) -> None:
    for i in range(len(x)):
        kalman_step(row, x[i], y[i], drift_a, drift_b, noise)
        out[i, 0] = row.intercept
        out[i, 1] = row.slope
        out[i, 2] = row.p_bb
        out[i, 3] = row.surprise
        out[i, 4] = row.variance


kalman_loop = compiled(_kalman_loop)


def _spread_loop(row: Any, values: Any, decay: float, out: Any) -> None:
    for i in range(len(values)):
        spread_step(row, values[i], decay)
        out[i, 0] = row.z
        out[i, 1] = row.average
        out[i, 2] = row.deviation
        out[i, 3] = row.half_life


spread_loop = compiled(_spread_loop)


def decay_of_span(span: float) -> float:
    """Return the weight of the past whose mean age is *span* samples: span / (1 + span).

    Raises:
        InputError: not positive.
    """
    if not 0.0 < span < math.inf:
        raise InputError(f"span is {span}; allowed: a positive number of samples")
    return span / (1.0 + span)


def kalman_path(
    y: Floats,
    x: Floats,
    *,
    drift_a: float,
    drift_b: float,
    noise: float,
    slope: float = 0.0,
    variance_a: float,
    variance_b: float,
) -> Floats:
    """Return the filter's intercept (where x is the first x), slope, variance of the slope, surprise and its variance, by step.

    Shape (n, 5). The first row is the start: its surprise and variance are 0.

    Args:
        y: samples, shape (n,).
        x: samples at the same times.
        drift_a: variance a step of the intercept, unit of y, squared.
        drift_b: variance a step of the slope, squared.
        noise: variance of y around the line.
        slope: what it begins with.
        variance_a: how well the first intercept is known.
        variance_b: how well the first slope is known.

    Raises:
        InputError: arrays of different lengths, a number that is not finite, or a variance that is negative (noise: or zero).
    """
    y, x = _finite(y, "y"), _finite(x, "x")
    if len(y) != len(x):
        raise InputError(f"y has {len(y)} samples and x {len(x)}; allowed: as many")
    variances = {"drift_a": drift_a, "drift_b": drift_b, "variance_a": variance_a, "variance_b": variance_b}
    for name, value in variances.items():
        if not 0.0 <= value < math.inf:
            raise InputError(f"{name} is {value}; allowed: a variance, at least 0")
    if not 0.0 < noise < math.inf:
        raise InputError(f"noise is {noise}; allowed: a positive variance")
    row = np.zeros(1, KALMAN)[0]
    kalman_start(row, float(slope), float(variance_a), float(variance_b))
    out = np.empty((len(y), 5))
    kalman_loop(row, x, y, float(drift_a), float(drift_b), float(noise), out)
    return out


def spread_path(values: Floats, span: float) -> Floats:
    """Return z-score, mean, deviation and half-life (steps; 0: none) after each value, shape (n, 4).

    Args:
        values: of the spread, equally spaced, shape (n,).
        span: mean age of what they are compared with, samples.

    Raises:
        InputError: a value that is not finite, or a span that is not positive.
    """
    row = np.zeros(1, SPREAD)[0]
    out = np.empty((len(values), 4))
    spread_loop(row, _finite(values, "spread"), decay_of_span(span), out)
    return out


def _finite(values: Floats, name: str) -> Floats:
    values = np.ascontiguousarray(values, np.float64)
    if values.ndim != 1 or not np.all(np.isfinite(values)):
        raise InputError(f"{name} has the shape {values.shape} and holds NaN or infinity, or is no list; allowed: finite numbers")
    return values
