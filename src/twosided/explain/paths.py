"""A Run's frames as step functions of time, one market at a time: what split, statistics and pictures are worked out from.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

A step function is a pair of arrays: times that never decrease, and the value that holds from each time on. Of several values at
one instant the last holds.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from twosided.errors import DataError
from twosided.market.run import Run

__all__ = ["Fills", "Integers", "Mids", "fills_of", "last_at", "last_before", "mids_of", "position_path", "time_shares"]

Integers = npt.NDArray[np.int64]


class Mids(NamedTuple):
    """The valid touch of one market, from the state that holds when the run begins; exchange clock."""

    ns: Integers
    bid: Integers  # ticks
    ask: Integers  # ticks
    half_ticks: Integers  # bid + ask: twice the mid in ticks


class Fills(NamedTuple):
    """One market's own fills in the order of the exchange's clock; columns as in `twosided.market.order.FILL`."""

    ns: Integers  # exchange clock
    side: Integers
    ticks: Integers
    lots: Integers
    fee: Integers
    tax: Integers
    maker: Integers
    hedge: Integers
    order_id: Integers

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Fills":
        """Return the chosen fills."""
        return Fills(*(column[chosen] for column in self))


def mids_of(run: Run, market: int) -> Mids:
    """Return the touch of *market*, beginning with the last state at or before the run's start (or the first after it).

    Raises:
        DataError: the run's mids are not in the order of time.
    """
    ns, bid, ask = _columns(run.mids, market, "exch_ns", "bid_ticks", "ask_ticks")
    _ordered(run, "mids", market, ns)
    first = max(int(np.searchsorted(ns, run.facts["start_ns"], "right")) - 1, 0)
    ns, bid, ask = ns[first:], bid[first:], ask[first:]
    return Mids(ns, bid, ask, bid + ask)


def fills_of(run: Run, market: int) -> Fills:
    """Return the fills of *market*.

    Raises:
        DataError: the run's fills are not in the order of time.
    """
    columns = _columns(run.fills, market, "exch_ns", *Fills._fields[1:])
    _ordered(run, "fills", market, columns[0])
    return Fills(*columns)


def last_before(times: Integers, at: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the index of the last of *times* strictly before each of *at*; the first where there is none."""
    return np.maximum(np.searchsorted(times, at, "left") - 1, 0)


def last_at(times: Integers, at: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the index of the last of *times* at or before each of *at*; the first where there is none."""
    return np.maximum(np.searchsorted(times, at, "right") - 1, 0)


def position_path(run: Run, market: int) -> tuple[Integers, Integers]:
    """Return (times, position in lots): the opening position at the run's start, then the position after each fill."""
    fills = fills_of(run, market)
    opening = int(run.facts["opening"][market]["position_lots"])
    times = np.concatenate([[run.facts["start_ns"]], fills.ns]).astype(np.int64)
    return times, opening + np.concatenate([[0], np.cumsum(fills.side * fills.lots)]).astype(np.int64)


def time_shares(times: Integers, end_ns: int) -> Integers:
    """Return for how long, in ns, each value of a step function holds, up to *end_ns*."""
    lengths: Integers = np.maximum(np.diff(np.minimum(times, end_ns), append=end_ns), 0)
    return lengths


def _columns(frame: pl.DataFrame, market: int, *names: str) -> list[Any]:
    rows = frame.filter(pl.col("market") == market)
    return [rows[name].to_numpy().astype(np.int64, copy=False) for name in names]


def _ordered(run: Run, name: str, market: int, times: Integers) -> None:
    if np.any(times[1:] < times[:-1]):
        row = int(np.argmax(times[1:] < times[:-1])) + 1
        symbol = run.instruments[market].symbol
        raise DataError(
            f"the run's {name}", f"{symbol}, row {row}", f"time {times[row]} follows {times[row - 1]}; expected order of time"
        )
