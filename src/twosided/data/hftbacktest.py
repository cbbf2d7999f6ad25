"""hftbacktest npz: one array ``data`` of its ``event_dtype``, times in ns, prices and sizes as floats.

Read are the rows that were seen here (LOCAL_EVENT), in their order; rows of the exchange's side alone, which repeat others in the
exchange's order, are counted and left out. Consecutive rows with equal times are one message. A DEPTH_CLEAR row forgets one side
from the touch up to its price, so it becomes the removal of every level there that the snapshot rows with it do not restate;
without a price it is a CLEAR. Order-by-order rows are refused. Floats must be on the grid (`numbers.py`).
"""

import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any

import numpy as np
import numpy.lib.format as npy
import numpy.typing as npt
import polars as pl

from twosided._compile import compiled
from twosided.data.files import InputFile, brief
from twosided.data.numbers import Ints
from twosided.data.raw import Raw, Settings, new_events
from twosided.data.table import changed
from twosided.errors import DataError
from twosided.market.event import Events, Flag, Kind
from twosided.market.ladder import Ladder, clear_row, grow_books, is_full, set_level

__all__ = ["HftbacktestReader", "hftbacktest_start_ns", "is_hftbacktest"]

_ROWS = 1 << 16
_LOCAL, _BUY, _SELL = 1 << 30, 1 << 29, 1 << 28
_DEPTH, _TRADE, _CLEAR, _SNAPSHOT = 1, 2, 3, 4
_BEST = 5  # the best prices alone, beside the book
_TYPES = {"ev": "<u8", "exch_ts": "<i8", "local_ts": "<i8", "px": "<f8", "qty": "<f8"}
_PRICED = 1  # in `lots` of a CLEAR on its way to `settle`: it has a price
_LAST = int(Flag.LAST_OF_MESSAGE)
_DEPTH_KIND, _CLEAR_KIND = int(Kind.DEPTH), int(Kind.CLEAR)


def is_hftbacktest(file: InputFile) -> str | None:
    """Return "" for a zip archive whose first member, or any, is ``data.npy``, else None."""
    return "" if file.head.startswith(b"PK\x03\x04") and b"data.npy" in file.head[:128] else None


def hftbacktest_start_ns(file: InputFile) -> int:
    """Return the first local time, 0 where there is none."""
    rows = next(_rows(file), None)
    return int(rows["local_ts"][0]) if rows is not None and len(rows) else 0


class HftbacktestReader:
    """Reads npz files of hftbacktest."""

    def __init__(self, settings: Settings) -> None:
        self.symbol, self.venue, self.currency, self.multiplier = settings.symbol or "", "", "USD", Decimal(1)
        self.tick_size = self.lot_size = None
        self._defects = settings.defects
        self._ladder = Ladder()

    def read(self, file: InputFile) -> Iterator[Raw]:
        """Yield the events of *file*.

        Raises:
            DataError: the archive is damaged, its array is not hftbacktest's, or a row is of no known kind.
        """
        first, rest = 0, None
        for block in _rows(file):
            rows = block if rest is None else np.concatenate([rest, block])
            starts = np.flatnonzero(_begins(rows))
            cut = int(starts[-1])
            if cut:
                yield self._raw(file, rows[:cut], first)
            first, rest = first + cut, rows[cut:]
        if rest is not None:
            yield self._raw(file, rest, first)

    def finish(self) -> Iterator[Raw]:
        """Yield nothing: nothing is held back."""
        return iter(())

    def settle(self, events: Events) -> tuple[Events, Ints | None]:
        """Return *events*, every CLEAR up to a price replaced by the removals that it stands for."""
        priced = np.flatnonzero((events["kind"] == Kind.CLEAR) & (events["lots"] == _PRICED))
        if not len(priced):
            self._apply(events)
            return events, None
        message = np.cumsum(np.concatenate(([0], events["flags"][:-1] & _LAST)))
        pieces, origins, done = [], [], 0
        for index in priced.tolist():
            end = int(np.searchsorted(message, message[index], side="right"))
            before = events[done:index]
            self._apply(before)
            removals = self._removals(events[index], events[index:end])
            self._apply(removals)
            pieces += [before, removals]
            origins += [np.arange(done, index), np.full(len(removals), index)]
            done = index + 1
        self._apply(events[done:])
        result = np.concatenate([*pieces, events[done:]])
        origin = np.concatenate([*origins, np.arange(done, len(events))])
        last = np.append(message[origin][1:] != message[origin][:-1], True)[: len(result)]
        result["flags"] = (result["flags"] & ~np.uint8(_LAST)) | (last * np.uint8(_LAST))
        return result, origin

    def _removals(self, clear: np.record, message: Events) -> Events:
        """Return the removal of each level from the touch to the price of *clear* that its message does not restate."""
        side, limit = int(clear["side"]), int(clear["ticks"])
        restated = set(message["ticks"][(message["kind"] == Kind.DEPTH) & (message["side"] == side)].tolist())
        gone = [ticks for ticks, _lots in self._ladder.depth(side) if (ticks - limit) * side >= 0 and ticks not in restated]
        removals = new_events(len(gone))
        for name in ("exch_ns", "local_ns", "side", "flags"):
            removals[name] = clear[name]
        removals["kind"], removals["ticks"] = Kind.DEPTH, gone
        return removals

    def _apply(self, events: Events) -> None:
        begin = 0
        while begin < len(events):
            if is_full(self._ladder.books):
                self._ladder.books = grow_books(self._ladder.books)
            begin = int(apply_levels(events, begin, self._ladder.books))

    def _raw(self, file: InputFile, rows: npt.NDArray[Any], first: int) -> Raw:
        """Turn whole messages into a raw block."""
        places = first + np.arange(len(rows), dtype=np.int64)
        ev = rows["ev"].astype(np.int64)
        kind = ev & 0xFF
        wrong = np.flatnonzero((kind < _DEPTH) | (kind > _BEST))
        if len(wrong):
            what = "order by order" if 10 <= kind[wrong[0]] <= 13 else "of no known kind"
            raise DataError(
                file.path,
                f"row {places[wrong[0]]}",
                f"ev is {ev[wrong[0]]}, which is {what}; expected depth, trade, clear, snapshot",
            )
        seen = ev & _LOCAL != 0
        self._defects.add("exchange_only", int(np.count_nonzero(~seen)))
        self._defects.add("other_messages", int(np.count_nonzero(seen & (kind == _BEST))))
        keep = seen & (kind != _BEST)
        rows, places, ev, kind = rows[keep], places[keep], ev[keep], kind[keep]
        side = np.where(ev & _BUY != 0, 1, np.where(ev & _SELL != 0, -1, 0))
        wrong = np.flatnonzero((side == 0) & np.isin(kind, (_DEPTH, _SNAPSHOT)))
        if len(wrong):
            raise DataError(
                file.path, f"row {places[wrong[0]]}", f"ev is {ev[wrong[0]]}, depth without a side; expected bid or ask"
            )
        priced = (kind == _CLEAR) & np.isfinite(rows["px"]) & (side != 0)
        events = new_events(len(rows))
        events["exch_ns"], events["local_ns"], events["side"] = rows["exch_ts"], rows["local_ts"], side
        events["kind"] = np.where(kind == _TRADE, Kind.TRADE, np.where(kind == _CLEAR, Kind.CLEAR, Kind.DEPTH))
        events["lots"] = priced * _PRICED
        events["flags"] = np.append(_begins(rows)[1:], True)[: len(rows)] * _LAST
        events["flags"][priced | (kind == _SNAPSHOT)] |= np.uint8(Flag.SNAPSHOT)
        prices = np.where((kind == _CLEAR) & ~priced, 0.0, rows["px"])
        sizes = np.where(kind == _CLEAR, 0.0, rows["qty"])
        return Raw(file, events, pl.Series(prices), pl.Series(sizes), places)


def _begins(rows: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which rows begin a message: those whose times differ from the row before."""
    return changed(rows["exch_ts"], rows["local_ts"]) if len(rows) else np.zeros(0, np.bool_)


def _rows(file: InputFile) -> Iterator[npt.NDArray[Any]]:
    """Yield the array's rows in blocks, never more of them in memory.

    Raises:
        DataError: the archive is damaged or its array is of another type.
    """
    try:
        with file.open() as raw, zipfile.ZipFile(raw) as archive, archive.open("data.npy") as stream:
            shape, dtype = _header(stream)
            for name, kind in _TYPES.items():
                if dtype.names is None or name not in dtype.names or dtype[name].str != kind or len(shape) != 1:
                    raise DataError(
                        file.path, "", f"its array is {brief(dtype)}; expected one dimension with the fields {', '.join(_TYPES)}"
                    )
            for begin in range(0, shape[0], _ROWS):
                count = min(_ROWS, shape[0] - begin)
                content = stream.read(count * dtype.itemsize)
                if len(content) < count * dtype.itemsize:
                    raise DataError(
                        file.path,
                        f"row {begin + len(content) // dtype.itemsize}",
                        f"the array breaks off; expected {shape[0]} rows",
                    )
                file.bytes_read = file.bytes_total * (begin + count) // shape[0]
                yield np.frombuffer(content, dtype)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(file.path, "", f"is a truncated or corrupt npz file ({brief(error)}); expected the array `data`") from None


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of the array that begins here.

    Raises:
        ValueError: there is none.
    """
    try:
        version = npy.read_magic(stream)  # type: ignore[no-untyped-call]
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _fortran, dtype = read(stream)  # type: ignore[no-untyped-call]
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise
    except Exception as error:  # noqa: BLE001 - numpy parses the header as Python: it fails in as many ways as Python does
        raise ValueError(f"its array has no header that can be read: {error}") from None
    return shape, dtype


def _apply_levels(events: Any, begin: int, books: Any) -> int:
    """Let the book take in ``events[begin:]``; return where it stopped: at the end, or where it needs more room."""
    for index in range(begin, len(events)):
        if is_full(books):
            return index
        event = events[index]
        if event["kind"] == _DEPTH_KIND:
            set_level(books, 0 if event["side"] > 0 else 1, event["ticks"], event["lots"])
        elif event["kind"] == _CLEAR_KIND and event["lots"] == 0:
            if event["side"] >= 0:
                clear_row(books, 0)
            if event["side"] <= 0:
                clear_row(books, 1)
    return len(events)


apply_levels = compiled(_apply_levels)
