"""Volatility of the mid as it moves: squared changes over the time that they took, exponentially weighted.

Where you are in the pipe: events -> book -> *signals* -> strategy.

    sigma² = Σ w_i (m_i - m_{i-1})² / Σ w_i (t_i - t_{i-1}),     w_i = exp(-(now - t_i) / time constant),     ticks²/s

Both sums are updated in one step. The estimate contains the bounce of the mid between ticks; `twosided.research.volatility` has
estimators that do not. It is 0 until the mid has been seen twice, and rests on few moves before a time constant has passed.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = ["VOLATILITY", "require_series", "short_volatility", "update_volatility", "volatility_at"]

Floats = npt.NDArray[np.float64]

VOLATILITY = np.dtype(
    (
        np.record,
        [
            ("value", "f8"),  # ticks/√s, as of the last mid; 0 before the second
            ("last_mid", "f8"),  # ticks; state from here on
            ("squares", "f8"),
            ("seconds", "f8"),
            ("last_ns", "i8"),  # 0 before the first mid
        ],
    )
)
"""Volatility of one mid, and what is needed to update it; zeroed at the start."""


def _update_volatility(row: Any, now_ns: int, mid: float, time_constant_s: float) -> None:
    """Take in the mid at *now_ns*, whether it has changed or not."""
    if row.last_ns != 0:
        seconds = (now_ns - row.last_ns) * 1e-9
        decay = math.exp(-seconds / time_constant_s)
        change = mid - row.last_mid
        row.squares = decay * row.squares + change * change
        row.seconds = decay * row.seconds + seconds
        if row.seconds > 0.0:
            row.value = math.sqrt(row.squares / row.seconds)
    row.last_mid = mid
    row.last_ns = now_ns


update_volatility = compiled(_update_volatility)


def _volatility_at(row: Any, now_ns: int, time_constant_s: float) -> float:
    """Return the volatility as of *now_ns*: since the last mid that came, it has stood still."""
    seconds = (now_ns - row.last_ns) * 1e-9
    decay = math.exp(-seconds / time_constant_s)
    quiet = decay * row.seconds + seconds
    return math.sqrt(decay * row.squares / quiet) if quiet > 0.0 else 0.0


volatility_at = compiled(_volatility_at)


def _volatilities(ns: Any, mid: Any, time_constant_s: float, state: Any, out: Any) -> None:
    """Write the volatility at each mid."""
    row = state[0]
    for i in range(ns.shape[0]):
        update_volatility(row, ns[i], mid[i], time_constant_s)
        out[i] = row.value


volatilities = compiled(_volatilities)


def short_volatility(ns: npt.ArrayLike, mid: npt.ArrayLike, time_constant_s: float = 5.0) -> Floats:
    """Return the volatility at each mid, in units of *mid* per √s; 0 at the first.

    Args:
        ns: when each was seen, after 1970 and never backwards, shape (n,).
        mid: shape (n,).
        time_constant_s: after which a change's weight is 1/e.

    Raises:
        InputError: shapes that differ, numbers that are not finite, time that runs backwards, a time constant that is not positive.
    """
    times, given = require_series(ns, mid, "mid")
    if not 0 < time_constant_s < math.inf:
        raise InputError(f"time_constant_s is {time_constant_s}; allowed: more than 0 and finite")
    out = np.empty(len(given))
    volatilities(times, given, time_constant_s, np.zeros(1, VOLATILITY), out)
    return out


def require_series(ns: npt.ArrayLike, values: npt.ArrayLike, name: str) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return times and values as arrays.

    Raises:
        InputError: shapes that differ, values that are not finite, times that are not positive or run backwards.
    """
    times, given = np.ascontiguousarray(ns, np.int64), np.ascontiguousarray(values, np.float64)
    if times.ndim != 1 or times.shape != given.shape or not np.all(np.isfinite(given)):
        raise InputError(f"{name} has shape {given.shape}, ns {times.shape}; allowed: as many finite numbers as times")
    if len(times) and (times[0] <= 0 or np.any(np.diff(times) < 0)):
        raise InputError("ns runs backwards or is not positive; allowed: nanoseconds since 1970, in order")
    return times, given
