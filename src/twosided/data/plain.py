"""Plain CSV and Parquet with named columns: the format to write when a source has no reader here.

    exch_ns,local_ns,kind,side,price,size[,id][,market]

``exch_ns``, ``local_ns``: nanoseconds since 1970 UTC, by the exchange's clock and by ours. ``kind``: depth, trade,
snapshot_begin, snapshot_end, clear, status, funding, band; and add, modify, cancel, fill where books are recorded order by order.
``side``: bid or buy, ask or sell, or nothing; for a trade the aggressor's, for clear the side that is forgotten, for an order its
own. ``price`` and ``size``: decimal numbers in units of the instrument; size is the new size of the level for depth (0 removes it),
the Status number for status (0 closed, 1 open, 2 auction, 3 halt), the rate as a fraction of value for funding; a band is a price
limit, above which nobody buys (bid) or below which nobody sells (ask), and none where its size is 0. ``id``: update,
trade or order id. ``market``: 0, 1, ... where a file holds several instruments.

Columns may stand in any order. Consecutive rows of a market with equal times are one message, and so is everything from a
snapshot_begin to its snapshot_end, at the time of the latter. In Parquet, times are integers, price and size floats, decimals or
text.
"""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import polars as pl

from twosided.data.files import InputFile, brief
from twosided.data.numbers import Ints, steps_of, unusable_text
from twosided.data.parquet import frames, is_parquet, schema_of
from twosided.data.raw import Raw, Settings, new_events
from twosided.data.table import LINE, changed, column_ns, header_of, mapped, tables, whole_groups
from twosided.errors import DataError
from twosided.market.event import Events, Flag, Kind, Status

__all__ = ["PlainReader", "is_plain", "plain_start_ns"]

_NEEDED = ("exch_ns", "local_ns", "kind", "side", "price", "size")
_OPTIONAL = ("id", "market")
_KINDS = {kind.name.lower(): int(kind) for kind in Kind}
_SIDES = {"bid": 1, "buy": 1, "1": 1, "+1": 1, "ask": -1, "sell": -1, "-1": -1, "": 0, "0": 0, "unknown": 0}
_LAST = int(Flag.LAST_OF_MESSAGE)
_FUNDING_STEP = Decimal("1e-9")


def is_plain(file: InputFile) -> str | None:
    """Return "" where at least three columns have the names of this format, else None."""
    names = list(schema_of(file)) if is_parquet(file) else header_of(file.head)
    return "" if len(set(names) & {*_NEEDED, *_OPTIONAL}) >= 3 else None


def plain_start_ns(file: InputFile) -> int:
    """Return the local time of the first row, 0 where there is none."""
    first = next(_rows(file), None)
    return int(_times(file, first, "local_ns")[0]) if first is not None and first.height else 0


class PlainReader:
    """Reads files of named columns."""

    def __init__(self, settings: Settings) -> None:
        self.symbol, self.venue, self.currency, self.multiplier = settings.symbol or "", "", "USD", Decimal(1)
        self.tick_size = self.lot_size = None

    def read(self, file: InputFile) -> Iterator[Raw]:
        """Yield the events of *file*.

        Raises:
            DataError: a column is missing or unknown, or a row does not say what its columns promise.
        """
        for frame in whole_groups(_rows(file), _begins):
            yield _raw(file, frame)

    def finish(self) -> Iterator[Raw]:
        """Yield nothing: nothing is held back."""
        return iter(())

    def settle(self, events: Events) -> tuple[Events, Ints | None]:
        """Return *events* as they are."""
        return events, None


def _rows(file: InputFile) -> Iterator[pl.DataFrame]:
    """Yield the file's rows: kind and side as text, `LINE` beside them."""
    schema = schema_of(file) if is_parquet(file) else dict.fromkeys(header_of(file.head), pl.String())
    missing = [name for name in _NEEDED if name not in schema]
    unknown = [name for name in schema if name not in {*_NEEDED, *_OPTIONAL}]
    if missing or unknown:
        found = " and ".join(
            f"{what} the column{'s' * (len(names) > 1)} {', '.join(map(repr, names))}"
            for what, names in (("lacks", missing), ("has", unknown))
            if names
        )
        raise DataError(file.path, "", f"{brief(found)}; expected {', '.join(_NEEDED)} and optionally {', '.join(_OPTIONAL)}")
    if not is_parquet(file):
        yield from tables(file)
        return
    for name, kind in schema.items():
        if not (kind.is_numeric() or isinstance(kind, pl.String)):
            raise DataError(file.path, "", f"the column {name!r} is of type {kind}; expected numbers or text")
    row = 0
    for frame in frames(file, list(schema)):
        yield frame.with_columns(_as_read(name, kind) for name, kind in schema.items()).with_columns(
            pl.int_range(row, row + frame.height, dtype=pl.Int64).alias(LINE)
        )
        row += frame.height


def _as_read(name: str, kind: pl.DataType) -> pl.Expr:
    """Return floats as they are (missing: NaN), and everything else as text (missing: empty)."""
    if name in {"price", "size"} and kind.is_float():
        return pl.col(name).cast(pl.Float64).fill_null(float("nan"))
    return pl.col(name).cast(pl.String).fill_null("")


def _market(frame: pl.DataFrame) -> pl.Series:
    return frame["market"] if "market" in frame.columns else pl.Series(["0"]).new_from_index(0, frame.height)


def _open_before(frame: pl.DataFrame) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Return where snapshots begin and end, and how many are open before each row."""
    begin = (frame["kind"] == "snapshot_begin").to_numpy()
    end = (frame["kind"] == "snapshot_end").to_numpy()
    opened = np.cumsum(begin.astype(np.int64) - end)
    return begin, end, np.concatenate(([0], opened[:-1]))


def _begins(frame: pl.DataFrame) -> npt.NDArray[np.bool_]:
    begin, end, opened = _open_before(frame)
    after_end = np.concatenate(([False], end[:-1]))
    fresh: npt.NDArray[np.bool_] = changed(frame["exch_ns"], frame["local_ns"], _market(frame)) | begin | after_end
    outside: npt.NDArray[np.bool_] = opened == 0
    return fresh & outside


def _raw(file: InputFile, frame: pl.DataFrame) -> Raw:
    """Turn whole messages into a raw block."""
    begin, end, opened = _open_before(frame)
    events = new_events(frame.height)
    events["exch_ns"], events["local_ns"] = _times(file, frame, "exch_ns"), _times(file, frame, "local_ns")
    kind, side = mapped(file, frame, "kind", _KINDS), mapped(file, frame, "side", _SIDES)
    takes_side = np.isin(kind, (Kind.DEPTH, Kind.TRADE, Kind.CLEAR, Kind.BAND))
    events["kind"], events["side"] = kind, np.where(takes_side, side, 0)
    events["id"] = _unsigned(file, frame, "id", pl.UInt64) if "id" in frame.columns else 0
    events["market"] = _unsigned(file, frame, "market", pl.UInt8) if "market" in frame.columns else 0
    begins = _begins(frame)
    ends = np.append(begins[1:], True)
    final = np.flatnonzero(ends)[np.cumsum(begins) - 1]  # a snapshot whose rows have several times is known at the last of them
    events["exch_ns"], events["local_ns"] = events["exch_ns"][final], events["local_ns"][final]
    events["flags"] = ends * _LAST + ((opened > 0) | begin) * int(Flag.SNAPSHOT)
    priced = np.isin(kind, (Kind.DEPTH, Kind.TRADE, Kind.BAND))
    raw = Raw(file, events, _zero_unless(priced, frame["price"]), _zero_unless(priced, frame["size"]), frame[LINE].to_numpy())
    market = events["market"]
    inside = (opened > 0) & ~end
    for wrong, problem in (
        (begin & (opened > 0), "a snapshot begins inside another; expected snapshot_end first"),
        (end & (opened < 1), "a snapshot ends that never began; expected snapshot_begin first"),
        (inside & (kind != Kind.DEPTH), "expected only depth between snapshot_begin and snapshot_end"),
        ((opened > 0) & (market != np.roll(market, 1)), "expected one market between snapshot_begin and snapshot_end"),
        ((kind == Kind.DEPTH) & (side == 0), "a depth row without a side; allowed: bid, ask"),
    ):
        if wrong.any():
            raise raw.error(int(np.argmax(wrong)), problem)
    if opened[-1] + begin[-1] - end[-1] > 0:
        raise raw.error(frame.height - 1, "the file ends inside a snapshot; expected snapshot_end")
    _fill_special(raw, frame["size"])
    return raw


def _fill_special(raw: Raw, sizes: pl.Series) -> None:
    """Set what is not a size: the trading status and the funding rate."""
    for kind, step, what in ((Kind.STATUS, Decimal(1), "status"), (Kind.FUNDING, _FUNDING_STEP, "funding rate")):
        rows = np.flatnonzero(raw.events["kind"] == kind)
        if not len(rows):
            continue
        values, bad = steps_of(sizes.gather(rows), step)
        if bad is not None:
            raise raw.error(int(rows[bad.place]), unusable_text(bad, what, step, "step"))
        wrong = np.flatnonzero(~np.isin(values, list(Status))) if kind == Kind.STATUS else np.zeros(0, np.int64)
        if len(wrong):
            raise raw.error(int(rows[wrong[0]]), f"status is {values[wrong[0]]}; allowed: 0 closed, 1 open, 2 auction, 3 halt")
        raw.events["lots"][rows] = values


def _zero_unless(keep: npt.NDArray[np.bool_], values: pl.Series) -> pl.Series:
    if keep.all():
        return values
    zero = pl.Series(["0"]) if values.dtype == pl.String else pl.Series([0.0])
    return values.zip_with(pl.Series(keep), zero.new_from_index(0, len(values)))


def _times(file: InputFile, frame: pl.DataFrame, name: str) -> Ints:
    return column_ns(file, frame, name, 1)


def _unsigned(file: InputFile, frame: pl.DataFrame, name: str, kind: type[pl.DataType]) -> npt.NDArray[np.unsignedinteger]:
    numbers = frame[name].replace("", "0").cast(kind, strict=False)
    if numbers.null_count():
        row = int(numbers.is_null().arg_max() or 0)
        raise DataError(
            file.path, f"{file.place} {frame[LINE][row]}", f"{name} is {frame[name][row]!r:.60}; expected a whole number"
        )
    return numbers.to_numpy()
