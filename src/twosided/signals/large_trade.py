"""An alarm for large trades: somebody wants much more at once than is usual here.

Where you are in the pipe: events -> book -> *signals* -> strategy.

Trades of one side at one instant are one *sweep*, however many resting orders it met. A sweep of at least `TIMES` the usual size
raises the alarm: the side of its aggressor, for `HOLD_NS`. The usual size is the mean of sweeps, the last 500 weighing most; before
`WARM` sweeps nothing is unusual and the signal is 0.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.signals.flow import require_columns

__all__ = ["HOLD_NS", "LARGE_TRADE", "TIMES", "WARM", "large_trade", "large_trade_at", "update_large_trade"]

TIMES = 10.0
HOLD_NS = 5_000_000_000
WARM = 50
_MEMORY = 500  # sweeps

LARGE_TRADE = np.dtype(
    (
        np.record,
        [
            ("usual_lots", "f8"),  # mean size of sweeps
            ("count", "i8"),  # sweeps before the present one; warm from `WARM` on
            ("alarm_side", "i8"),  # the last alarm: 0 before the first
            ("alarm_ns", "i8"),
            ("sweep_side", "i8"),  # the present sweep
            ("sweep_lots", "i8"),
            ("sweep_ns", "i8"),
        ],
    )
)
"""What is usual in one market, and the last alarm; zeroed at the start."""


def _update_large_trade(row: Any, now_ns: int, side: int, lots: int) -> None:
    """Take in a trade of *lots*; *side* is its aggressor's, 0 where it is not known."""
    if now_ns != row.sweep_ns or side != row.sweep_side:
        if row.sweep_lots > 0:
            row.count += 1
            row.usual_lots += (row.sweep_lots - row.usual_lots) / min(row.count, _MEMORY)
        row.sweep_ns, row.sweep_side, row.sweep_lots = now_ns, side, 0
    row.sweep_lots += lots
    if side != 0 and row.count >= WARM and row.sweep_lots >= TIMES * row.usual_lots:
        row.alarm_side, row.alarm_ns = side, now_ns


update_large_trade = compiled(_update_large_trade)


def _large_trade_at(row: Any, now_ns: int) -> float:
    """Return the side of an alarm that is less than `HOLD_NS` old, else 0."""
    return float(row.alarm_side) if now_ns - row.alarm_ns < HOLD_NS else 0.0


large_trade_at = compiled(_large_trade_at)


def _large_trades(trades: Any, state: Any, out: Any) -> None:
    """Write the alarm after each trade."""
    row = state[0]
    for i in range(trades.shape[0]):
        update_large_trade(row, trades[i, 0], trades[i, 1], trades[i, 2])
        out[i] = large_trade_at(row, trades[i, 0])


large_trades = compiled(_large_trades)


def large_trade(ns: npt.ArrayLike, side: npt.ArrayLike, lots: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the alarm after each trade: +1 or -1, the side of a large aggressor, or 0.

    Args:
        ns: of each trade, after 1970 and never backwards, shape (n,).
        side: of its aggressor, 0 where it is not known.
        lots: its size.

    Raises:
        InputError: shapes that differ, or time that runs backwards.
    """
    trades = require_columns(ns, side, lots)
    out = np.empty(len(trades))
    large_trades(trades, np.zeros(1, LARGE_TRADE), out)
    return out
