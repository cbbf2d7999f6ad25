"""Tardis.dev CSV: trades, quotes, incremental_book_L2 and book_snapshot_N, one kind per file, times in microseconds.

Columns as in docs.tardis.dev, "Downloadable CSV files". Trades and one description of the book may be read together: they are
merged by local time, trades first where times are equal (the book's change already contains what was traded). Rows of
incremental_book_L2 with equal times are one message; a run of ``is_snapshot`` rows after others replaces the book. A row
of quotes or of book_snapshot_N is the whole book that it shows: it becomes the differences to the row before it.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from twosided.data.files import InputFile
from twosided.data.numbers import Ints
from twosided.data.raw import Raw, Reader, Settings, new_events, with_brackets
from twosided.data.states import StateDifferences
from twosided.data.table import LINE, changed, column_ns, header_of, mapped, tables, whole_groups
from twosided.errors import DataError
from twosided.market.event import Events, Flag, Kind

__all__ = ["TardisReader", "is_tardis", "tardis_reader", "tardis_start_ns"]

_NS_PER_UNIT = 1_000
_COMMON = ["exchange", "symbol", "timestamp", "local_timestamp"]
_HEADERS = {
    "trades": [*_COMMON, "id", "side", "price", "amount"],
    "incremental_book_L2": [*_COMMON, "is_snapshot", "side", "price", "amount"],
    "quotes": [*_COMMON, "ask_amount", "ask_price", "bid_price", "bid_amount"],
}
_SNAPSHOT_COLUMN = re.compile(r"(asks|bids)\[([0-9]+)\]\.(price|amount)")
_SIDES = {"buy": 1, "sell": -1, "bid": 1, "ask": -1}
_LAST = int(Flag.LAST_OF_MESSAGE)


def is_tardis(file: InputFile) -> str | None:
    """Return which kind of Tardis file this is, None where it is none."""
    names = header_of(file.head)
    for kind, columns in _HEADERS.items():
        if names == columns:
            return kind
    if names[:4] == _COMMON and len(names) > 4 and all(map(_SNAPSHOT_COLUMN.fullmatch, names[4:])):
        return "book_snapshot"
    return None


def tardis_start_ns(file: InputFile) -> int:
    """Return the local time of the first row, 0 where there is none."""
    fields = file.head.split(b"\n", 2)[1:2]
    value = fields[0].split(b",")[3:4] if fields else []
    return int(value[0]) * _NS_PER_UNIT if value and value[0].isdigit() else 0


def tardis_reader(kind: str) -> Callable[[Settings], Reader]:
    """Return what reads files of *kind*."""
    return partial(TardisReader, kind=kind)


class TardisReader:
    """Reads one symbol of files of one kind."""

    def __init__(self, settings: Settings, kind: str) -> None:
        self._wanted, self._defects = settings.symbol, settings.defects
        self.symbol, self.venue, self.currency, self.multiplier = self._wanted or "", "", "USD", Decimal(1)
        self.tick_size = self.lot_size = None
        self._kind = kind
        self._differences = StateDifferences()  # of rows of quotes or book_snapshot

    def read(self, file: InputFile) -> Iterator[Raw]:
        """Yield the events of *file*.

        Raises:
            DataError: a line that does not have the form that the header promises, or several symbols.
        """
        rows = (self._of_symbol(file, frame) for frame in tables(file))
        if self._kind == "trades":
            yield from (self._trades(file, frame) for frame in whole_groups(rows, _trades_begin))
        elif self._kind == "incremental_book_L2":
            yield from (self._changes(file, frame) for frame in whole_groups(rows, _changes_begin))
        else:
            yield from (self._states(file, frame) for frame in rows if frame.height)

    def finish(self) -> Iterator[Raw]:
        """Yield nothing: nothing is held back."""
        return iter(())

    def settle(self, events: Events) -> tuple[Events, Ints | None]:
        """Return *events*; rows that state the book become the differences to the row before."""
        if self._kind in {"trades", "incremental_book_L2"} or not len(events):
            return events, None
        return self._differences.settle(events)

    def _of_symbol(self, file: InputFile, frame: pl.DataFrame) -> pl.DataFrame:
        """Keep the rows of the symbol that is read."""
        if self._wanted:
            frame = frame.filter(pl.col("symbol") == self._wanted)
        if frame.height and not self.venue:
            self.symbol, self.venue = frame["symbol"][0], frame["exchange"][0]
        other = (frame["symbol"] != self.symbol).arg_max() if frame.height else None
        if other is not None and frame["symbol"][other] != self.symbol:
            problem = f"has rows of {self.symbol:.60} and of {frame['symbol'][other]:.60}; choose one with --symbol"
            raise DataError(file.path, f"line {frame[LINE][other]}", problem)
        return frame

    def _events(self, file: InputFile, frame: pl.DataFrame) -> Events:
        events = new_events(frame.height)
        events["exch_ns"] = column_ns(file, frame, "timestamp", _NS_PER_UNIT)
        events["local_ns"] = column_ns(file, frame, "local_timestamp", _NS_PER_UNIT)
        return events

    def _trades(self, file: InputFile, frame: pl.DataFrame) -> Raw:
        events = self._events(file, frame)
        events["kind"] = Kind.TRADE
        events["side"] = mapped(file, frame, "side", {**_SIDES, "unknown": 0})
        ids = frame["id"].cast(pl.UInt64, strict=False)
        self._defects.add("bad_trade_ids", ids.null_count())
        events["id"] = ids.fill_null(0).to_numpy()
        events["flags"] = _ends(_trades_begin(frame)) * _LAST
        return Raw(file, events, frame["price"], frame["amount"], frame[LINE].to_numpy())

    def _changes(self, file: InputFile, frame: pl.DataFrame) -> Raw:
        snapshot = mapped(file, frame, "is_snapshot", {"true": 1, "false": 0}) == 1
        events = self._events(file, frame)
        events["kind"] = Kind.DEPTH
        events["side"] = mapped(file, frame, "side", _SIDES)
        begins = _changes_begin(frame)
        ends = _ends(begins)
        # a snapshot in several pieces is known when its last piece is: all of it has that time
        last = np.flatnonzero(ends)[np.cumsum(begins) - 1]
        events["exch_ns"], events["local_ns"] = events["exch_ns"][last], events["local_ns"][last]
        events["flags"] = ends * _LAST + snapshot * int(Flag.SNAPSHOT)
        raw = Raw(file, events, frame["price"], frame["amount"], frame[LINE].to_numpy())
        return with_brackets(raw, begins & snapshot, ends & snapshot)

    def _states(self, file: InputFile, frame: pl.DataFrame) -> Raw:
        """Return all levels of each row as one message; a row without any is a CLEAR."""
        asks, bids = _level_columns(frame.columns)
        columns = [*((-1, *names) for names in asks), *((1, *names) for names in bids), (0, "", "")]
        width, height = len(columns), frame.height
        by_row = (np.arange(width)[None, :] * height + np.arange(height)[:, None]).ravel()
        zeros = pl.Series(["0"]).new_from_index(0, height)
        prices = pl.concat([frame[price] if side else zeros for side, price, _size in columns]).gather(by_row)
        sizes = pl.concat([frame[size] if side else zeros for side, _price, size in columns]).gather(by_row)
        side = np.tile(np.array([column[0] for column in columns]), height)
        there = ((prices != "") | (sizes != "")).to_numpy()
        there[width - 1 :: width] = ~there.reshape(height, width)[:, :-1].any(axis=1)
        keep = np.flatnonzero(there)
        events = self._events(file, frame)[keep // width]
        events["side"] = side[keep]
        events["kind"] = np.where(side[keep] == 0, Kind.CLEAR, Kind.DEPTH)
        events["flags"] = _ends(changed(keep // width)) * _LAST
        return Raw(file, events, prices.gather(keep), sizes.gather(keep), frame[LINE].to_numpy()[keep // width])


def _trades_begin(frame: pl.DataFrame) -> npt.NDArray[np.bool_]:
    return changed(frame["timestamp"], frame["local_timestamp"])


def _changes_begin(frame: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """A message begins where the times change, except inside a run of snapshot rows."""
    snapshot = (frame["is_snapshot"] == "true").to_numpy()
    inside = np.zeros(frame.height, np.bool_)
    inside[1:] = snapshot[1:] & snapshot[:-1]
    return changed(frame["timestamp"], frame["local_timestamp"], snapshot) & ~inside


def _ends(begins: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which rows are the last of their group."""
    return np.append(begins[1:], True)


def _level_columns(names: list[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the (price, amount) columns of the asks and of the bids, best first."""
    if "ask_price" in names:
        return [("ask_price", "ask_amount")], [("bid_price", "bid_amount")]
    prices = [name for name in names if name.endswith(".price")]
    pairs = [(name, f"{name.removesuffix('price')}amount") for name in prices]
    return [pair for pair in pairs if pair[0][0] == "a"], [pair for pair in pairs if pair[0][0] == "b"]
