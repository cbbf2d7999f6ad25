"""A Run's frames as step functions of time, one market at a time: what split, statistics and pictures are worked out from.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

A step function is a pair of arrays: times that never decrease, and the value that holds from each time on. Of several values at
one instant the last holds.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from twosided.errors import DataError
from twosided.market.order import OrderAction
from twosided.market.run import Run

__all__ = [
    "Fills",
    "Floats",
    "Integers",
    "Mids",
    "exact_pnl_path",
    "fills_of",
    "last_at",
    "last_before",
    "mids_of",
    "pnl_path",
    "position_path",
    "standing_path",
    "time_shares",
]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


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
    cause: Integers

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


def pnl_path(run: Run, markets: Sequence[int]) -> tuple[Integers, Floats]:
    """Return (times, P&L in currency) of *markets* together, from zero at the start to the total at the end of the run.

    Times are those of the equity frame, exchange clock; between them the value before holds. All markets have one currency.
    """
    start, end = int(run.facts["start_ns"]), int(run.facts["end_ns"])
    paths = [_market_pnl(run, market) for market in markets]
    times = np.unique(np.concatenate([[start, end], *(ns for ns, _ in paths)])).astype(np.int64)
    times = times[(times >= start) & (times <= end)]
    total = np.zeros(len(times))
    for ns, value in paths:
        total += value[last_at(ns, times)]
    return times, total


def _market_pnl(run: Run, market: int) -> tuple[Integers, Floats]:
    instrument, mids = run.instruments[market], mids_of(run, market)
    opening, closing = run.facts["opening"][market], run.facts["closing"][market]
    priced = instrument.price_units(mids.half_ticks)
    m_0, m_end = (int(priced[0]), int(priced[-1])) if len(mids.ns) else (0, 0)
    rows = run.equity.filter((pl.col("market") == market) & (pl.col("ns") < run.facts["end_ns"]))
    ns, cash, held, mid = (rows[name].to_numpy() for name in ("ns", "cash", "position_lots", "mid_half_ticks"))
    known = mid != 0  # rows before the first valid mid are not
    mid = np.where(known, instrument.price_units(np.where(known, mid, 1)), m_0)
    start_value = int(opening["cash"]) + int(opening["position_lots"]) * m_0 * instrument.unit_quanta
    end_value = int(closing["cash"]) + int(closing["position_lots"]) * m_end * instrument.unit_quanta
    quanta = np.concatenate([[0], cash + held * mid * instrument.unit_quanta - start_value, [end_value - start_value]])
    times = np.concatenate([[run.facts["start_ns"]], ns, [run.facts["end_ns"]]]).astype(np.int64)
    return times, quanta * float(instrument.money_quantum)


def exact_pnl_path(run: Run, market: int) -> tuple[Integers, Floats]:
    """Return (times, P&L in currency) of one market at every fill and every mid, from zero at the run's start; exchange clock.

    `pnl_path` has it as the engine sampled it; this is for a look at seconds. Empty where there never was a mid.
    """
    instrument, mids, fills = run.instruments[market], mids_of(run, market), fills_of(run, market)
    if not len(mids.ns):
        return np.zeros(0, np.int64), np.zeros(0)
    opening, closing = run.facts["opening"][market], run.facts["closing"][market]
    start, quanta = int(run.facts["start_ns"]), instrument.unit_quanta
    priced = instrument.price_units(mids.half_ticks)
    paid = fills.side * instrument.price_units(2 * fills.ticks) * fills.lots * quanta + fills.fee + fills.tax
    spent = np.concatenate([[0], np.cumsum(paid)]).astype(np.int64)
    held_ns, held = position_path(run, market)
    times = np.unique(np.concatenate([[start], fills.ns, mids.ns[mids.ns > start]])).astype(np.int64)
    at = last_at(held_ns, times)
    value = held[at] * priced[last_at(mids.ns, times)] * quanta
    change = value - spent[at] - int(opening["position_lots"]) * int(priced[0]) * quanta
    if closing["funding"] != opening["funding"]:  # only the samples of the account say when it was paid
        rows = run.equity.filter(pl.col("market") == market)
        ns = rows["ns"].to_numpy()
        funding = int(opening["cash"]) - spent[last_at(held_ns, ns)] - rows["cash"].to_numpy()
        change = change - np.where(times >= ns[0], funding[last_at(ns, times)], 0)
    return times, (change * float(instrument.money_quantum)).astype(np.float64)


def standing_path(run: Run, market: int, side: int) -> tuple[Integers, Integers]:
    """Return (times, ticks) of the own best order that stood in the market on one side; 0 ticks where there was none.

    Rebuilt from the log of orders, not from what the strategy wished for: an order stands from the report that accepted or
    replaced it to the one that ended it. Where the response latency is constant it is taken off, and times are the exchange's;
    else they are those at which the reports reached us.
    """
    start, end = int(run.facts["start_ns"]), int(run.facts["end_ns"])
    turns = [int(action) for action in (OrderAction.ACCEPTED, OrderAction.REPLACED, OrderAction.FILLED, OrderAction.CANCELLED)]
    rows = run.orders.filter((pl.col("market") == market) & (pl.col("side") == side) & pl.col("action").is_in(turns))
    rows = rows.sort("order_id", maintain_order=True)
    ns, order, action, ticks = (rows[name].to_numpy() for name in ("ns", "order_id", "action", "ticks"))
    ns = np.maximum(ns - _response_ns(run), start)
    same = np.append(order[1:] == order[:-1], np.zeros(min(len(order), 1), np.bool_))
    until = np.where(same, np.append(ns[1:], ns[:1])[: len(ns)], end)
    stands = np.isin(action, turns[:2]) & (until > ns)
    begins, ends, ticks = ns[stands], until[stands], ticks[stands]
    times = np.unique(np.concatenate([[start - 1], begins, ends])).astype(np.int64)
    best = _largest_over(np.searchsorted(times, begins), np.searchsorted(times, ends), side * ticks, len(times))
    return times, np.where(best == _NOTHING, 0, side * best).astype(np.int64)


def _response_ns(run: Run) -> int:
    """Return the exchange's response latency where it is constant, 0 where it is not or not known."""
    latency = run.facts["settings"].get("response_latency")
    return int(latency["ns"]) if isinstance(latency, dict) and latency.get("kind") == "constant" else 0


_NOTHING = np.iinfo(np.int64).min


def _largest_over(begins: Integers, ends: Integers, values: Integers, count: int) -> Integers:
    """Return for each of *count* places the largest of the *values* whose range [begin, end) covers it.

    A range is the union of two ranges of 2^k places; from the longest to the shortest, each hands its value to its two halves.
    n·log n, and no loop over ranges.
    """
    best = np.full(count, _NOTHING)
    if not len(values):
        return best
    powers = np.log2(ends - begins).astype(np.int64)
    for power in range(int(powers.max()), -1, -1):
        length = 1 << power
        np.maximum(best[length:], best[:-length].copy(), out=best[length:])
        chosen = powers == power
        np.maximum.at(best, begins[chosen], values[chosen])
        np.maximum.at(best, ends[chosen] - length, values[chosen])
    return best


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
