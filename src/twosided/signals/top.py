"""Signals of the best prices and sizes: which side is heavier, and where that puts the price.

Where you are in the pipe: events -> book -> *signals* -> strategy.

- queue imbalance: (bid size - ask size) / (bid size + ask size), between -1 and 1.
- weighted mid: (ask × bid size + bid × ask size) / (bid size + ask size): the mid, pulled to the thinner side.

Neither has a memory, so neither has to warm up. `microprice` fits, from data, by how much the mid really moves.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = ["imbalance_of", "queue_imbalance", "weighted_mid", "weighted_mid_of"]

Floats = npt.NDArray[np.float64]


def _imbalance_of(bid_lots: int, ask_lots: int) -> float:
    """Return the queue imbalance; 0 where nothing is displayed."""
    total = float(bid_lots + ask_lots)
    return (bid_lots - ask_lots) / total if total > 0.0 else 0.0


imbalance_of = compiled(_imbalance_of)


def _weighted_mid_of(bid: int, ask: int, bid_lots: int, ask_lots: int) -> float:
    """Return the weighted mid in ticks; the mid where nothing is displayed."""
    total = float(bid_lots + ask_lots)
    return (float(ask) * bid_lots + float(bid) * ask_lots) / total if total > 0.0 else 0.5 * (bid + ask)


weighted_mid_of = compiled(_weighted_mid_of)


def _over_tops(tops: Any, imbalance: Any, mid: Any) -> None:
    """Write both signals of each row of *tops*: bid, ask, and the lots there."""
    for i in range(tops.shape[0]):
        imbalance[i] = imbalance_of(tops[i, 2], tops[i, 3])
        mid[i] = weighted_mid_of(tops[i, 0], tops[i, 1], tops[i, 2], tops[i, 3])


over_tops = compiled(_over_tops)


def queue_imbalance(bid_lots: npt.ArrayLike, ask_lots: npt.ArrayLike) -> Floats:
    """Return (bid - ask) / (bid + ask) of sizes in lots, 0 where both are 0.

    Raises:
        InputError: shapes that differ.
    """
    return _both(bid_lots, ask_lots, bid_lots, ask_lots)[0]


def weighted_mid(bid_ticks: npt.ArrayLike, ask_ticks: npt.ArrayLike, bid_lots: npt.ArrayLike, ask_lots: npt.ArrayLike) -> Floats:
    """Return (ask × bid size + bid × ask size) / (bid size + ask size) in ticks; the mid where both sizes are 0.

    Raises:
        InputError: shapes that differ.
    """
    return _both(bid_ticks, ask_ticks, bid_lots, ask_lots)[1]


def _both(*columns: npt.ArrayLike) -> tuple[Floats, Floats]:
    given = [np.asarray(column, np.int64) for column in columns]
    if given[0].ndim != 1 or any(column.shape != given[0].shape for column in given):
        raise InputError(f"shapes are {', '.join(str(column.shape) for column in given)}; allowed: all the same, one row")
    imbalance, mid = np.empty(len(given[0])), np.empty(len(given[0]))
    over_tops(np.stack(given, axis=1), imbalance, mid)
    return imbalance, mid
