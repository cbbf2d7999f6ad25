"""Signals of the best prices and sizes, updated once per book message for all strategies together.

Where you are in the pipe: events -> book -> *signals* -> strategy. A strategy names those it wants and finds them as
``ctx.signals.name[market]``. All start at 0 and are defined from the first two-sided book on.

- ``imbalance``: (bid size - ask size) / (bid size + ask size), between -1 and 1.
- ``microprice_ticks``: (ask × bid size + bid × ask size) / (bid size + ask size), in ticks: the mid, pulled to the thinner side.
- ``volatility``: root of the sum of squared mid changes over the time they took, exponentially weighted with a time constant of
  60 s, in ticks per square root of a second. It contains the bounce of the mid between ticks; calibration has better estimators.
"""

import math
from typing import Any

import numpy as np

from twosided._compile import compiled

__all__ = ["SIGNALS", "SIGNALS_OF_MARKET", "update_signals"]

SIGNALS = ("imbalance", "microprice_ticks", "volatility")
"""Names that a strategy can ask for, in the order of the fields of `SIGNALS_OF_MARKET`."""

SIGNALS_OF_MARKET = np.dtype(
    (
        np.record,
        [
            *[(name, "f8") for name in SIGNALS],
            ("last_mid", "f8"),  # ticks; state from here on
            ("squares", "f8"),
            ("seconds", "f8"),
            ("last_ns", "i8"),  # 0 before the first update
        ],
    )
)
"""Signals of one market, and what is needed to update them."""

_TIME_CONSTANT_S = 60.0


def _update_signals(row: Any, now_ns: int, bid: int, ask: int, bid_lots: int, ask_lots: int) -> None:
    """Take a two-sided top of book into a market's signals."""
    total = float(bid_lots + ask_lots)
    if total <= 0.0:
        return
    row.imbalance = (bid_lots - ask_lots) / total
    row.microprice_ticks = (float(ask) * bid_lots + float(bid) * ask_lots) / total
    mid = 0.5 * (bid + ask)
    if row.last_ns != 0:
        seconds = (now_ns - row.last_ns) * 1e-9
        decay = math.exp(-seconds / _TIME_CONSTANT_S)
        change = mid - row.last_mid
        row.squares = decay * row.squares + change * change
        row.seconds = decay * row.seconds + seconds
        if row.seconds > 0.0:
            row.volatility = math.sqrt(row.squares / row.seconds)
    row.last_mid = mid
    row.last_ns = now_ns


update_signals = compiled(_update_signals)
