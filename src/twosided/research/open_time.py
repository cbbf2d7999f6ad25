"""What estimators look at: best prices and trades while a market was open, as if it had never closed.

Where you are in the pipe: research, on top of all rooms: *events* in, parameters of strategies out.

A closed market moves nothing and trades nothing: its hours would dilute every rate. Where the venue says its status, only time in
continuous trading counts; before the first word of it a market is taken for open, as in a replay. The stretches are put end to end:
what lies between is taken off the clock, and off all prices what the mid moved by meanwhile (in whole steps), so that no change
from one day to the next passes for a change within a second. Books are built from everything.

What the venue does not say shows as silence, which is measured: gaps of more than a minute without any message, and of more than a
hundred times the usual one, so that a market in which little happens is not taken for a closed one.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided.market.event import Events, Flag, Kind, Status
from twosided.market.instrument import Instrument
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.touch import touches
from twosided.units import NS_PER_SECOND, duration_text

__all__ = ["OpenMarket", "open_market", "step_ticks"]

SILENCE_NS = 60 * NS_PER_SECOND
_UNUSUAL = 100  # times the median distance of two messages
_NOTABLE = 0.05  # share of the time from which on a dilution is warned about

Integers = npt.NDArray[np.int64]
Stretches = list[tuple[int, int]]


@dataclass(frozen=True)
class OpenMarket:
    """Best prices and trades in open time.

    Args:
        book: `TOUCH` rows from the first that has a bid below an ask; empty where there never was one.
        valid: which of them have.
        trades: events of known side after the first of them.
        end_ns: until when there was anything to see; ``exch_ns`` is the open market's clock everywhere.
        closed_s: seconds that were left out, in which the market was not open.
        silent: share of the time in silence.
        silences: how many, and the longest of them, seconds.
        invalid: share of the time in which the book was crossed or one-sided.
    """

    book: Any
    valid: npt.NDArray[np.bool_]
    trades: Any
    end_ns: int
    closed_s: float = 0.0
    silent: float = 0.0
    silences: tuple[int, float] = (0, 0.0)
    invalid: float = 0.0

    @property
    def seconds(self) -> float:
        """Open time that was looked at."""
        return (self.end_ns - int(self.book["exch_ns"][0])) / NS_PER_SECOND

    def warnings(self) -> tuple[str, ...]:
        """Return what dilutes rates and volatility, a sentence each."""
        found = []
        if self.silent > _NOTABLE:
            count, longest_s = self.silences
            said = f"{count} silence{'s' * (count > 1)} of over a minute, the longest {duration_text(round(longest_s * 1e9))}"
            found.append(
                f"for {self.silent:.0%} of the time no message came ({said}): a closed market dilutes sigma and A; take its "
                "trading hours only, with --start and --end"
            )
        if self.invalid > _NOTABLE:
            found.append(
                f"for {self.invalid:.0%} of the time the book was crossed or one-sided, as before an opening: it dilutes sigma"
            )
        return tuple(found)


def open_market(ordered: Events, instrument: Instrument, *, from_ns: int | None = None, market: int = 0) -> OpenMarket:
    """Return what was seen of *market* while it was open.

    Args:
        ordered: its events, of dtype `EVENT`, by the exchange's clock, from the beginning of the recording.
        instrument: of it.
        from_ns: time before this does not count.
        market: its index.
    """
    book = touches(ordered, market)
    trades = ordered[(ordered["kind"] == Kind.TRADE) & (ordered["side"] != 0)]
    if not len(book):
        return OpenMarket(book, np.zeros(0, np.bool_), trades, 0)
    begin_ns, end_ns = _recorded_from(ordered), int(ordered["exch_ns"][-1])
    begin_ns = begin_ns if from_ns is None else max(begin_ns, from_ns)
    stretches = _open_stretches(ordered, begin_ns, end_ns)
    open_ns = sum(end - begin for begin, end in stretches)
    times = [np.append(begin, _within(ordered["exch_ns"], begin, end)) for begin, end in stretches]
    whole = [(int(ordered["exch_ns"][0]), end_ns)]
    if stretches != whole:
        book, trades = _joined(book, trades, stretches, instrument)
        end_ns = stretches[0][0] + open_ns if stretches else 0
    valid = _valid(book)
    if not np.any(valid):
        return OpenMarket(book[:0], valid[:0], trades[:0], end_ns)
    first = int(np.argmax(valid))
    book, valid = book[first:], valid[first:]
    gaps = np.diff(np.append(book["exch_ns"], end_ns))
    return OpenMarket(
        book=book,
        valid=valid,
        trades=trades[trades["exch_ns"] > book["exch_ns"][0]],
        end_ns=end_ns,
        closed_s=(int(ordered["exch_ns"][-1]) - begin_ns - open_ns) / NS_PER_SECOND,
        invalid=float(gaps[~valid].sum() / max(int(gaps.sum()), 1)),
        **_silence(np.concatenate([np.diff(each) for each in times])),
    )


def step_ticks(instrument: Instrument, price_ticks: float) -> int:
    """Return the distance of neighbouring valid prices, in ticks: 1, or what the tick table says for that price."""
    step = instrument.tick_size
    for band in instrument.tick_table:
        if float(band.from_price) <= instrument.price(price_ticks):
            step = band.tick_size
    return int(step / instrument.tick_size)


def _recorded_from(ordered: Events) -> int:
    """Return when there is news: the orders of a snapshot have the times at which they came, maybe days before."""
    restated = (ordered["flags"] & Flag.SNAPSHOT != 0) | np.isin(ordered["kind"], (Kind.SNAPSHOT_BEGIN, Kind.SNAPSHOT_END))
    news = ordered["exch_ns"][~restated]
    by_order = np.any(restated & (ordered["kind"] == Kind.ADD))
    return int(news[0]) if by_order and len(news) else int(ordered["exch_ns"][0])


def _open_stretches(ordered: Events, begin_ns: int, end_ns: int) -> Stretches:
    """Return when the market was open, within two times."""
    said = ordered[ordered["kind"] == Kind.STATUS]
    edges = np.concatenate([[begin_ns], said["exch_ns"], [end_ns]]).clip(begin_ns, end_ns)
    is_open = np.append(True, said["lots"] == Status.OPEN)
    found: Stretches = []
    for begin, end, is_one in zip(edges[:-1].tolist(), edges[1:].tolist(), is_open.tolist(), strict=True):
        if not is_one or begin >= end:
            continue
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def _within(times: Integers, begin_ns: int, end_ns: int) -> Integers:
    first, last = np.searchsorted(times, [begin_ns, end_ns], side="right")
    return times[first:last]


def _valid(book: Any) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (
        (book["bid_ticks"] > NO_BID) & (book["ask_ticks"] < NO_ASK) & (book["bid_ticks"] < book["ask_ticks"])
    )
    return found


def _joined(book: Any, trades: Any, stretches: Stretches, instrument: Instrument) -> tuple[Any, Any]:
    """Return rows and trades of the stretches, put end to end in time and in price."""
    rows, prints = [book[:0]], [trades[:0]]
    shut_ns, shift, last_mid = 0, 0, math.nan
    for number, (begin, end) in enumerate(stretches):
        shut_ns += begin - stretches[number - 1][1] if number else 0
        first, last = np.searchsorted(book["exch_ns"], [begin, end], side="right")
        part = book[max(first - 1, 0) : last].copy()
        part["exch_ns"] = np.maximum(part["exch_ns"], begin) - shut_ns
        first, last = np.searchsorted(trades["exch_ns"], [begin, end], side="right")
        printed = trades[first:last].copy()
        printed["exch_ns"] -= shut_ns
        good = _valid(part)
        mids = 0.5 * (part["bid_ticks"][good] + part["ask_ticks"][good])
        if len(mids):
            if not math.isnan(last_mid):
                step = step_ticks(instrument, float(mids[0]))
                shift = step * round((last_mid - float(mids[0])) / step)
            last_mid = float(mids[-1]) + shift
        for side, empty in (("bid_ticks", NO_BID), ("ask_ticks", NO_ASK)):
            part[side] += np.where(part[side] == empty, 0, shift)
        printed["ticks"] += shift
        rows.append(part)
        prints.append(printed)
    return np.concatenate(rows).view(np.recarray), np.concatenate(prints).view(np.recarray)


def _silence(gaps_ns: Integers) -> dict[str, Any]:
    if not len(gaps_ns):
        return {}
    long = gaps_ns[gaps_ns > max(SILENCE_NS, _UNUSUAL * float(np.median(gaps_ns)))]
    longest_s = float(long.max()) / NS_PER_SECOND if len(long) else 0.0
    return {"silent": float(long.sum() / gaps_ns.sum()), "silences": (len(long), longest_s)}
