"""Mean and standard deviation of the last n values, and exponentially weighted means, in a bounded number of steps an update.

Where you are in the pipe: events -> book -> *signals* -> strategy.

Adding the new value to running sums and taking the oldest off, as is often done, never forgets: one price of 10⁹ that passes
through such a window leaves an error of 100 behind, for good. Here nothing is ever taken off. The values come in blocks of n; a
window is the end of the block before and the beginning of the present one. Of the present one a running mean and sum of squares are
kept (Welford 1962, Technometrics 4). When a block is full, those of each of its ends are found from the back, in n steps: two steps
an update on average. The two parts are put together with the formula of Chan, Golub and LeVeque (1983, The American Statistician
37). All are measured from a value of the last full block, so that the common part of prices does not cost digits.

So what has left the window has no effect, and the error is that of adding up n numbers: see the test, a million updates against a
calculation in two passes.

State is a record (`ROLLING`, `EWMA`) that fits in a strategy's memory; a rolling window also has a table of shape (n, 2)::

    @strategy(memory={"stats": ROLLING, "ring": ("f8", (100, 2))})
    def mine(ctx):
        update_rolling(ctx.memory.stats, ctx.memory.ring, value)
        ctx.memory.stats.average, ctx.memory.stats.deviation, ctx.memory.stats.count
"""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = ["EWMA", "ROLLING", "Rolled", "ewma", "rolling", "rolling_volatility", "update_ewma", "update_rolling"]

Floats = npt.NDArray[np.float64]


ROLLING = np.dtype(
    (
        np.record,
        [
            ("average", "f8"),  # of the values in the window; 0 before the first
            ("deviation", "f8"),  # their standard deviation, divided by count - 1; 0 before the second
            ("count", "i8"),  # values in the window: it is warm when they are n
            ("place", "i8"),  # in the block; state from here on
            ("origin", "f8"),  # what values are measured from
            ("head", "f8"),  # mean of the present block, from the origin
            ("squares", "f8"),  # and its sum of squared differences from that mean
        ],
    )
)
"""Mean and standard deviation of the last n values, and what is needed to update them."""

EWMA = np.dtype((np.record, [("value", "f8"), ("count", "i8"), ("last_ns", "i8")]))
"""An exponentially weighted mean; it is the first value when one has come, 0 before."""


def _middle_of(first: float, second: float, third: float) -> float:
    """Return the middle one of three values: unlike their mean it is near the others when one is far off."""
    return max(min(first, second), min(max(first, second), third))


middle_of = compiled(_middle_of)


def _close_block(row: Any, ring: Any) -> None:
    """Turn the values of a full block into mean and squares of each of its ends, measured from a value in the middle of it."""
    row.origin = middle_of(ring[0, 0], ring[ring.shape[0] // 2, 0], ring[ring.shape[0] - 1, 0])
    mean = squares = 0.0
    for back in range(ring.shape[0]):
        at = ring.shape[0] - 1 - back
        gap = (ring[at, 0] - row.origin) - mean
        mean += gap / (back + 1)
        squares += gap * ((ring[at, 0] - row.origin) - mean)
        ring[at, 0], ring[at, 1] = mean, squares
    row.place = 0
    row.head = row.squares = 0.0


close_block = compiled(_close_block)


def _update_rolling(row: Any, ring: Any, value: float) -> None:
    """Take *value* into the `ROLLING` window of as many values as the zeroed float table *ring*, shape (n, 2), has rows."""
    if row.count == 0:
        row.origin = value
    place = row.place
    ring[place, 0] = value
    gap = (value - row.origin) - row.head
    row.head += gap / (place + 1)
    row.squares += gap * ((value - row.origin) - row.head)
    row.place = place + 1
    row.count = min(row.count + 1, ring.shape[0])
    mean, squares, rest = row.head, row.squares, row.count - row.place
    if rest > 0:  # the end of the block before
        apart = ring[row.place, 0] - mean
        mean += apart * rest / row.count
        squares += ring[row.place, 1] + apart * apart * rest * row.place / row.count
    row.average = row.origin + mean
    row.deviation = math.sqrt(max(squares, 0.0) / (row.count - 1)) if row.count > 1 else 0.0
    if row.place == ring.shape[0]:
        close_block(row, ring)


update_rolling = compiled(_update_rolling)


def _roll(values: Any, state: Any, ring: Any, mean: Any, deviation: Any) -> None:
    """Write mean and deviation after each of *values*."""
    row = state[0]
    for i in range(values.shape[0]):
        update_rolling(row, ring, values[i])
        mean[i], deviation[i] = row.average, row.deviation


roll = compiled(_roll)


class Rolled(NamedTuple):
    """Mean and standard deviation after each value; the first n - 1 are of those that there are."""

    mean: Floats
    deviation: Floats


def rolling(values: npt.ArrayLike, window: int) -> Rolled:
    """Return mean and standard deviation of the last *window* values, after each value.

    Args:
        values: finite, shape (n,).
        window: how many; fewer at the beginning. The deviation is divided by one less than there are, and 0 of a single value.

    Raises:
        InputError: a window below 2, or values that are not finite.
    """
    given = _finite(values, "values")
    if window < 2:
        raise InputError(f"window is {window}; allowed: 2 or more")
    mean, deviation = np.empty(len(given)), np.empty(len(given))
    roll(given, np.zeros(1, ROLLING), np.zeros((window, 2)), mean, deviation)
    return Rolled(mean, deviation)


def rolling_volatility(mid: npt.ArrayLike, every_s: float, window: int) -> Floats:
    """Return the volatility of a mid that is sampled every *every_s* seconds: the deviation of its last changes over √every_s.

    Args:
        mid: samples, shape (n,).
        every_s: between them.
        window: how many changes; fewer at the beginning, 0 before the second.

    Returns:
        In units of *mid* per √s, shape (n,).

    Raises:
        InputError: as `rolling`, or time that is not positive.
    """
    given = _finite(mid, "mid")
    if not every_s > 0:
        raise InputError(f"every_s is {every_s}; allowed: more than 0")
    if not len(given):
        return given
    return np.append(0.0, rolling(np.diff(given), window).deviation / math.sqrt(every_s))


def _update_ewma(row: Any, now_ns: int, value: float, time_constant_s: float) -> None:
    """Take *value*, measured at *now_ns*, into an `EWMA`: it moves there by 1 - exp(-dt / time constant)."""
    if row.count == 0:
        row.value = value
    else:
        row.value += (1.0 - math.exp(-(now_ns - row.last_ns) * 1e-9 / time_constant_s)) * (value - row.value)
    row.count += 1
    row.last_ns = now_ns


update_ewma = compiled(_update_ewma)


def _smooth(values: Any, ns: Any, time_constant_s: float, state: Any, out: Any) -> None:
    """Write the weighted mean after each of *values*."""
    row = state[0]
    for i in range(values.shape[0]):
        update_ewma(row, ns[i], values[i], time_constant_s)
        out[i] = row.value


smooth = compiled(_smooth)


def ewma(values: npt.ArrayLike, ns: npt.ArrayLike, time_constant_s: float) -> Floats:
    """Return the exponentially weighted mean after each value: m += (1 - exp(-dt / *time_constant_s*)) (x - m).

    Args:
        values: finite, shape (n,).
        ns: when they were measured, never backwards, shape (n,).
        time_constant_s: after which a value's weight is 1/e.

    Raises:
        InputError: shapes that differ, time that runs backwards, or a time constant that is not positive.
    """
    given, times = _finite(values, "values"), np.ascontiguousarray(ns, np.int64)
    if given.shape != times.shape or np.any(np.diff(times) < 0):
        raise InputError(f"ns has shape {times.shape}, values {given.shape}; allowed: one time each, never backwards")
    if not 0 < time_constant_s < math.inf:
        raise InputError(f"time_constant_s is {time_constant_s}; allowed: more than 0 and finite")
    out = np.empty(len(given))
    smooth(given, times, time_constant_s, np.zeros(1, EWMA), out)
    return out


def _finite(values: npt.ArrayLike, name: str) -> Floats:
    given = np.ascontiguousarray(values, np.float64)
    if given.ndim != 1 or not np.all(np.isfinite(given)):
        raise InputError(f"{name} has shape {given.shape}; allowed: one row of finite numbers")
    return given
