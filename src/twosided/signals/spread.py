"""The spread against its own average: how much wider than usual the market quotes.

Where you are in the pipe: events -> book -> *signals* -> strategy.

    average = Σ w_i s_i dt_i / Σ w_i dt_i,     w_i = exp(-(now - t_i) / time constant)

The average is over time: a spread that stood for a second counts a thousand times one that stood for a millisecond, however many
messages came meanwhile. The ratio is 1 until `WARM_S` seconds have been seen.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.signals.volatility import require_series

__all__ = ["SPREAD", "WARM_S", "spread_ratio", "spread_ratio_at", "update_spread"]

Floats = npt.NDArray[np.float64]

WARM_S = 10.0
"""Seconds of spreads before the ratio says anything."""

SPREAD = np.dtype(
    (
        np.record,
        [
            ("last", "f8"),  # the present spread
            ("weighted", "f8"),  # state from here on
            ("seconds", "f8"),
            ("seen_s", "f8"),  # since the first
            ("last_ns", "i8"),  # 0 before the first
        ],
    )
)
"""The spread and the sums of its average; zeroed at the start."""


def _update_spread(row: Any, now_ns: int, spread: float, time_constant_s: float) -> None:
    """Take in the spread that stands from *now_ns* on."""
    if row.last_ns != 0:
        seconds = (now_ns - row.last_ns) * 1e-9
        decay = math.exp(-seconds / time_constant_s)
        stood = time_constant_s * (1.0 - decay)
        row.weighted = decay * row.weighted + row.last * stood
        row.seconds = decay * row.seconds + stood
        row.seen_s += seconds
    row.last = spread
    row.last_ns = now_ns


update_spread = compiled(_update_spread)


def _spread_ratio_at(row: Any, now_ns: int, time_constant_s: float) -> float:
    """Return the present spread over its average up to *now_ns*; 1 while less than `WARM_S` has been seen."""
    seconds = (now_ns - row.last_ns) * 1e-9
    if row.last_ns == 0 or row.seen_s + seconds < WARM_S:
        return 1.0
    decay = math.exp(-seconds / time_constant_s)
    stood = time_constant_s * (1.0 - decay)
    weighted = decay * row.weighted + row.last * stood
    return float(row.last * (decay * row.seconds + stood) / weighted) if weighted > 0.0 else 1.0


spread_ratio_at = compiled(_spread_ratio_at)


def _spread_ratios(ns: Any, spread: Any, time_constant_s: float, state: Any, out: Any) -> None:
    """Write the ratio at each change of the spread."""
    row = state[0]
    for i in range(ns.shape[0]):
        update_spread(row, ns[i], spread[i], time_constant_s)
        out[i] = spread_ratio_at(row, ns[i], time_constant_s)


spread_ratios = compiled(_spread_ratios)


def spread_ratio(ns: npt.ArrayLike, spread: npt.ArrayLike, time_constant_s: float = 60.0) -> Floats:
    """Return each spread over the time-weighted average of those before it; 1 for the first `WARM_S` seconds.

    Args:
        ns: from when on each stands, after 1970 and never backwards, shape (n,).
        spread: not negative, any unit, shape (n,).
        time_constant_s: after which a second's weight is 1/e.

    Raises:
        InputError: shapes that differ, a negative spread, time that runs backwards, a time constant that is not positive.
    """
    times, given = require_series(ns, spread, "spread")
    if np.any(given < 0):
        raise InputError(f"spread is {given.min():g} at the least; allowed: 0 or more")
    if not 0 < time_constant_s < math.inf:
        raise InputError(f"time_constant_s is {time_constant_s}; allowed: more than 0 and finite")
    out = np.empty(len(given))
    spread_ratios(times, given, time_constant_s, np.zeros(1, SPREAD), out)
    return out
