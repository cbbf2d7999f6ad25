"""A recording that can be read again and again, in constant memory: files -> reader -> grid -> clock -> *events*.

A `Source` yields events in the order in which they arrived, with the times that were recorded (the offset of the two clocks is
corrected by those who have seen the whole: `load`, `convert`). What it meets on the way it counts in ``defects``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twosided.data.book_check import BookCheck, RowCheck
from twosided.data.defects import Defects
from twosided.data.files import InputFile
from twosided.data.numbers import Ints
from twosided.data.order_check import OrderCheck
from twosided.data.raw import Grid, Raw, Reader, Settings, new_events
from twosided.market.event import Events, Flag, Kind
from twosided.market.instrument import Instrument
from twosided.units import duration_text, time_text

__all__ = ["LocalClock", "RawSource", "Recorded", "Source", "Stream"]

MOST_BACKWARDS_NS = 1_000_000_000
"""The local clock may step back this far, as clocks do when they are set; beyond it the file is out of order."""

_LATEST_NS = 1 << 62
_SAME_NS = 1
"""A step back of so little is none: readers place what is later at the same time a nanosecond later (`binance.py`)."""


class Stream(NamedTuple):
    """Files of one kind that continue one another, and what reads them."""

    files: tuple[InputFile, ...]
    reader: Callable[[Settings], Reader]
    beside: tuple[InputFile, ...] = ()  # files that describe the instruments


class Recorded(NamedTuple):
    """What a file says about a correction of its clocks that was made before it was written."""

    clock_offset_ns: int
    min_latency_ns: int


class LocalClock:
    """Keeps local time from running backwards, as far as a clock that was set explains it."""

    def __init__(self, defects: Defects) -> None:
        self._defects = defects
        self._last_ns = 0

    def ordered(self, raw: Raw, exch_ns: Ints, local_ns: Ints) -> Ints:
        """Return the local times of the events of *raw* with small steps back moved forward.

        Raises:
            DataError: a larger step back, or a time that is not one.
        """
        if not len(local_ns):
            return local_ns
        for name, times in (("exch_ns", exch_ns), ("local_ns", local_ns)):
            if times.min() < 0 or times.max() >= _LATEST_NS:
                wrong = int(np.argmax((times < 0) | (times >= _LATEST_NS)))
                raise raw.error(wrong, f"{name} is {times[wrong]}; expected nanoseconds since 1970")
        if local_ns[0] >= self._last_ns and np.all(local_ns[1:] >= local_ns[:-1]):
            self._last_ns = int(local_ns[-1])
            return local_ns
        latest: Ints = np.maximum(np.maximum.accumulate(local_ns), self._last_ns)
        back = latest - local_ns
        if back.max() > MOST_BACKWARDS_NS:
            wrong = int(np.argmax(back > MOST_BACKWARDS_NS))
            problem = (
                f"local time {time_text(local_ns[wrong])} is {duration_text(int(back[wrong]))} before that of an earlier message; "
                f"expected times in order, with steps back of {duration_text(MOST_BACKWARDS_NS)} at most"
            )
            raise raw.error(wrong, problem)
        moved = back > 0
        count = int(np.count_nonzero(moved & (raw.events["flags"] & Flag.LAST_OF_MESSAGE != 0)))
        self._defects.add("local_backwards", count, note=str(raw.error(int(np.argmax(moved)), "the local clock stepped back")))
        self._last_ns = int(latest[-1])
        return latest


class _ExchangeClock:
    """Counts messages whose exchange time runs backwards, and books that begin without a snapshot."""

    def __init__(self, defects: Defects) -> None:
        self._defects = defects
        self._last_ns = 0
        self._book_begun: set[int] = set()

    def see(self, events: Events) -> None:
        ends = events["exch_ns"][events["flags"] & Flag.LAST_OF_MESSAGE != 0]
        if len(ends):
            before = np.concatenate(([self._last_ns], ends[:-1]))
            self._defects.add("exch_backwards", int(np.count_nonzero(ends < before - _SAME_NS)))
            self._last_ns = int(ends[-1])
        for market in set(np.unique(events["market"]).tolist()) - self._book_begun:
            book = events[(events["market"] == market) & (events["kind"] != Kind.TRADE)]
            kinds = book["kind"]
            if not np.isin(kinds, (Kind.DEPTH, Kind.SNAPSHOT_BEGIN)).any():
                continue
            self._book_begun.add(market)
            first = book[np.isin(kinds, (Kind.DEPTH, Kind.SNAPSHOT_BEGIN))][0]
            if first["kind"] == Kind.DEPTH and not first["flags"] & Flag.SNAPSHOT:
                self._defects.add("no_snapshot", note="the book begins without a snapshot: it holds only what changed since")


class Source(ABC):
    """A recording, read anew by every call of `chunks`.

    Attributes:
        format: name of the recorded format.
        instruments: one per market.
        defects: what the last pass met, filled while it reads.
        row_check: how the rebuilt book compares with the one that the file holds; likewise.
        book_check: how it compares with the venue's best prices; likewise.
        inferred: the sentence that says which steps were inferred from the data and how to state them; "" where none was.
        recorded: the correction of clocks that the files state themselves, None for raw recordings.
        made_from: names of the files that stored files were made from.
    """

    recorded: Recorded | None = None
    made_from: tuple[str, ...] = ()

    def __init__(self, kind: str, files: Sequence[InputFile], instruments: tuple[Instrument, ...], inferred: str) -> None:
        self.format = kind
        self.instruments = instruments
        self.inferred = inferred
        self.defects = Defects()
        self.row_check = RowCheck()
        self.book_check = BookCheck()
        self.files = tuple(files)

    @property
    def names(self) -> tuple[str, ...]:
        """File names without folders, in the order in which they are read."""
        return tuple(file.name for file in self.files)

    @property
    def fraction_read(self) -> float:
        """How much of the files the current pass has read, 0 to 1."""
        return sum(file.bytes_read for file in self.files) / sum(file.bytes_total for file in self.files)

    def chunks(self) -> Iterator[Events]:
        """Yield the events in local order, whole messages at a time, with ``local_ns`` as it was recorded.

        Raises:
            DataError: the file, the place in it, what was found there and what was expected.
        """
        self._begin()
        for events in self._blocks():
            if len(events):
                yield events

    def read_all(self, progress: Callable[[float], None] | None = None) -> Events:
        """Return what `chunks` yields as one array; *progress* is called with the fraction read."""
        chunks = [new_events(0)]
        for chunk in self.chunks():
            chunks.append(chunk)
            if progress is not None:
                progress(self.fraction_read)
        return np.concatenate(chunks)

    def _begin(self) -> None:
        """Forget the pass before."""
        self.defects.clear()
        self.row_check.clear()
        self.book_check.clear()
        for file in self.files:
            file.bytes_read = 0

    @abstractmethod
    def _blocks(self) -> Iterator[Events]: ...


class RawSource(Source):
    """A recording in a format of others: one stream of files, or several that are merged by local time.

    *symbol*, *day* and *tick_size* are what the user stated.
    """

    def __init__(
        self,
        kind: str,
        streams: tuple[Stream, ...],
        instruments: tuple[Instrument, ...],
        inferred: str,
        *,
        symbol: str | None,
        day: date | None,
        tick_size: Decimal | None,
    ) -> None:
        super().__init__(kind, [file for stream in streams for file in stream.files], instruments, inferred)
        self._streams, self._symbol, self._day, self._tick_size = streams, symbol, day, tick_size
        self._grid = Grid(instruments, inferred)

    def _blocks(self) -> Iterator[Events]:
        parts = [self._read(stream) for stream in self._streams]
        check, orders = _ExchangeClock(self.defects), OrderCheck(self.defects, len(self.instruments))
        for events in parts[0] if len(parts) == 1 else _merge(parts):
            if len(events):
                check.see(events)
                orders.see(events)
            yield events

    def _read(self, stream: Stream) -> Iterator[Events]:
        reader = stream.reader(
            Settings(self._symbol, self.defects, stream.beside, self._day, self._tick_size, self.row_check, self.book_check)
        )
        clock = LocalClock(self.defects)
        for file in stream.files:
            for raw in reader.read(file):
                yield self._settle(reader, clock, raw)
        for raw in reader.finish():
            yield self._settle(reader, clock, raw)

    def _settle(self, reader: Reader, clock: LocalClock, raw: Raw) -> Events:
        """Turn a raw block into final events."""
        events = self._grid.events(raw)
        events["local_ns"] = clock.ordered(raw, events["exch_ns"], events["local_ns"].copy())
        events, origin = reader.settle(events)
        self._check_snapshots(raw, events, origin)
        return events

    def _check_snapshots(self, raw: Raw, events: Events, origin: Ints | None) -> None:
        """Refuse a snapshot whose best bid is not below its best ask: no change made it so, the file is wrong."""
        places = np.flatnonzero((events["flags"] & Flag.SNAPSHOT != 0) & (events["kind"] == Kind.DEPTH) & (events["lots"] > 0))
        if not len(places):
            return
        message = np.cumsum(events["flags"] & Flag.LAST_OF_MESSAGE)[places]  # the last event of a message counts with the next:
        message -= events["flags"][places] & Flag.LAST_OF_MESSAGE  # not so any more
        for begin, end in zip(*_runs(message), strict=True):
            levels = events[places[begin:end]]
            bids, asks = levels["ticks"][levels["side"] > 0], levels["ticks"][levels["side"] < 0]
            if len(bids) and len(asks) and bids.max() >= asks.min():
                tick = self.instruments[levels["market"][0]].tick_size
                problem = f"the snapshot is crossed: best bid {tick * int(bids.max())}, best ask {tick * int(asks.min())}"
                index = int(places[begin])
                raise raw.error(index if origin is None else int(origin[index]), f"{problem}; expected the bid below the ask")


def _runs(values: npt.NDArray[Any]) -> tuple[list[int], list[int]]:
    """Return where runs of equal values begin and end."""
    cuts = np.flatnonzero(values[1:] != values[:-1]) + 1
    return [0, *cuts.tolist()], [*cuts.tolist(), len(values)]


def _merge(parts: list[Iterator[Events]]) -> Iterator[Events]:
    """Yield the blocks of several streams as one, by local time; of equal times the earlier stream goes first."""
    waiting = [_next(part) for part in parts]
    while any(events is not None for events in waiting):
        until = min(int(events["local_ns"][-1]) for events in waiting if events is not None)
        ready: list[Events] = []
        for index, events in enumerate(waiting):
            if events is None:
                continue
            cut = int(np.searchsorted(events["local_ns"], until, side="right"))
            ready.append(events[:cut])
            waiting[index] = events[cut:] if cut < len(events) else _next(parts[index])
        merged = np.concatenate(ready)
        yield merged[np.argsort(merged["local_ns"], kind="stable")]


def _next(part: Iterator[Events]) -> Events | None:
    """Return the events of the next block that has any."""
    return next((events for events in part if len(events)), None)
