"""How large orders and trades of a market usually are: what own size is held against.

Where you are in the pipe: events -> *book* -> signals.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twosided.market.event import Events, Kind
from twosided.market.touch import touches

__all__ = ["MOST_EVENTS", "typical_sizes"]

MOST_EVENTS = 2_000_000
"""Only the first so many events are looked at: it takes some 0.1 s, and what is typical shows by then."""


def typical_sizes(events: Events, markets: int) -> list[dict[str, int]]:
    """Return for each of *markets* markets its ``touch_lots`` and ``trade_lots``, of at most the first `MOST_EVENTS` events.

    ``touch_lots``: median over time of what is displayed at the best bid and at the best ask, both sides together, while neither is
    empty and they do not cross. ``trade_lots``: median over reported trades. 0 where there is none.

    Args:
        events: shape (n,), dtype `EVENT`, in local order.
        markets: how many there are.
    """
    events = events[:MOST_EVENTS]
    return [{"touch_lots": _touch_lots(events, market), "trade_lots": _trade_lots(events, market)} for market in range(markets)]


def _trade_lots(events: Events, market: int) -> int:
    trades = events["lots"][(events["kind"] == Kind.TRADE) & (events["market"] == market)]
    return int(np.median(trades)) if len(trades) else 0


def _touch_lots(events: Events, market: int) -> int:
    shown: Any = touches(events, market)
    if not len(shown):
        return 0
    lasted = np.diff(shown["local_ns"], append=events["local_ns"][-1])
    valid = (shown["bid_lots"] > 0) & (shown["ask_lots"] > 0) & (shown["bid_ticks"] < shown["ask_ticks"])
    lots = np.concatenate([shown["bid_lots"][valid], shown["ask_lots"][valid]])
    return _weighted_median(lots, np.tile(lasted[valid], 2))


def _weighted_median(values: npt.NDArray[np.int64], weights: npt.NDArray[np.int64]) -> int:
    """Return the smallest value that, with all smaller ones, has at least half of the weight."""
    if not weights.sum():
        return 0
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order])
    return int(values[order][np.searchsorted(sums, sums[-1] / 2)])
