"""What a reader makes of a file before prices and sizes are integers, and the one place where they become integers.

Where you are in the pipe: file -> reader -> *raw block* -> events. A reader decides times, kinds, sides and what belongs to one
message; it leaves prices and sizes as the file has them. `Grid` turns them into ticks and lots, or says which line is in the way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import gcd
from typing import NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from twosided.data.book_check import BookCheck, RowCheck
from twosided.data.defects import Defects
from twosided.data.files import InputFile
from twosided.data.numbers import OFF_GRID, Ints, Unusable, steps_of, unusable_text
from twosided.errors import DataError
from twosided.market.event import EVENT, Events, Flag, Kind
from twosided.market.instrument import Instrument

__all__ = ["Grid", "Raw", "Reader", "Settings", "new_events", "with_brackets"]

LAST = int(Flag.LAST_OF_MESSAGE)


def new_events(count: int) -> Events:
    """Return *count* events of zeros."""
    return cast("Events", np.zeros(count, EVENT))


@dataclass(slots=True)
class Raw:
    """A block of whole messages.

    ``events`` holds everything but ``ticks`` and ``lots`` (lots may be set where the size is "0"); ``prices`` and ``sizes`` are
    texts, floats, or integers that count ``unit`` (prices) and ones (sizes), one per event; ``lines`` says where in *file* each
    stands.
    """

    file: InputFile
    events: Events
    prices: pl.Series
    sizes: pl.Series
    lines: Ints
    unit: Decimal = Decimal(1)

    @property
    def messages(self) -> int:
        """How many messages end in it."""
        return int(np.count_nonzero(self.events["flags"] & LAST))

    def error(self, index: int, problem: str) -> DataError:
        """Return the error that names the place of event *index*."""
        return DataError(self.file.path, f"{self.file.place} {self.lines[index]}", problem)


def with_brackets(raw: Raw, starts: npt.NDArray[np.bool_], ends: npt.NDArray[np.bool_]) -> Raw:
    """Return *raw* with a SNAPSHOT_BEGIN before each event of *starts* and a SNAPSHOT_END after each of *ends*."""
    if not starts.any():
        return raw
    copies = 1 + starts.astype(np.int64) + ends
    source = np.repeat(np.arange(len(raw.events)), copies)
    first = np.cumsum(copies) - copies  # where each event's copies begin
    begins, finishes, last_inside = first[starts], (first + copies - 1)[ends], (first + starts)[ends]
    events = raw.events[source]
    for places, kind in ((begins, Kind.SNAPSHOT_BEGIN), (finishes, Kind.SNAPSHOT_END)):
        events["kind"][places], events["side"][places] = kind, 0
    events["flags"][begins] &= ~np.uint8(LAST)
    events["flags"][last_inside] &= ~np.uint8(LAST)
    mark = np.zeros(len(source), np.bool_)
    mark[begins] = mark[finishes] = True
    prices, sizes = (_zero_where(mark, series.gather(source)) for series in (raw.prices, raw.sizes))
    return Raw(raw.file, events, prices, sizes, raw.lines[source], unit=raw.unit)


def _zero_where(mark: npt.NDArray[np.bool_], series: pl.Series) -> pl.Series:
    zero = pl.Series(["0"]) if series.dtype == pl.String else pl.Series([0], dtype=series.dtype)
    return zero.new_from_index(0, len(series)).zip_with(pl.Series(mark), series)


class Settings(NamedTuple):
    """What a reader is told for one pass."""

    symbol: str | None  # take only this one; None: there must be only one
    defects: Defects
    beside: tuple[InputFile, ...] = ()  # files of the same format that describe the instruments
    day: date | None = None  # of times since midnight, where the user states it
    tick_size: Decimal | None = None  # likewise
    row_check: RowCheck = RowCheck()  # where what is compared with the file's own book is counted; this one nobody reads
    book_check: BookCheck | None = None  # where what is compared with the venue's best prices is counted


class Reader(Protocol):
    """One recorded format. A reader lives for one pass over one or several files that continue one another."""

    symbol: str  # what the files say, once something was read; "" where they do not
    venue: str
    currency: str
    multiplier: Decimal

    def __init__(self, settings: Settings) -> None: ...

    @property
    def tick_size(self) -> Decimal | None:
        """What the files say, once something was read; None where they do not."""

    @property
    def lot_size(self) -> Decimal | None:
        """Likewise."""

    def read(self, file: InputFile) -> Iterator[Raw]:
        """Yield what *file* says, in its order."""

    def finish(self) -> Iterator[Raw]:
        """Yield what was held back."""

    def settle(self, events: Events) -> tuple[Events, Ints | None]:
        """Return the final events, and from which of the given ones each was made (None: nothing changed)."""


class Grid:
    """Turns prices and sizes into ticks and lots.

    Args:
        instruments: one per market.
        inferred: the sentence that says which steps were inferred; "" where none was.
    """

    def __init__(self, instruments: tuple[Instrument, ...], inferred: str) -> None:
        self._instruments, self._inferred = instruments, inferred

    def events(self, raw: Raw) -> Events:
        """Return the events of *raw*, completed in place.

        Raises:
            DataError: a number that is malformed, off the grid, too large or, for a size, negative.
        """
        if len(self._instruments) == 1 and not raw.events["market"].any():
            self._fill(raw, np.arange(len(raw.events)), raw.prices, raw.sizes, self._instruments[0])
            return raw.events
        unknown = np.flatnonzero(raw.events["market"] >= len(self._instruments))
        if len(unknown):
            market = raw.events["market"][unknown[0]]
            raise raw.error(
                int(unknown[0]), f"market is {market}; expected 0 to {len(self._instruments) - 1}, as in the file's head"
            )
        for market, instrument in enumerate(self._instruments):
            rows = np.flatnonzero(raw.events["market"] == market)
            self._fill(raw, rows, raw.prices.gather(rows), raw.sizes.gather(rows), instrument)
        return raw.events

    def _fill(self, raw: Raw, rows: Ints, prices: pl.Series, sizes: pl.Series, instrument: Instrument) -> None:
        ticks, bad = steps_of(prices, instrument.tick_size, raw.unit)
        if bad is not None:
            raise raw.error(int(rows[bad.place]), self._problem(bad, "price", "tick size", "tick", instrument.tick_size))
        wide = np.flatnonzero(np.abs(ticks) >= 2**31)
        if len(wide):
            price = prices[int(wide[0])]
            price = price * raw.unit if prices.dtype.is_integer() else price
            problem = f"price is {price}, more than 2^31 ticks of {instrument.tick_size:f}; state a coarser tick size"
            raise raw.error(int(rows[wide[0]]), problem)
        lots, bad = steps_of(sizes, instrument.lot_size)
        if bad is not None:
            raise raw.error(int(rows[bad.place]), self._problem(bad, "size", "lot size", "lot", instrument.lot_size))
        negative = np.flatnonzero(lots < 0)
        if len(negative):
            raise raw.error(int(rows[negative[0]]), f"size is {sizes[int(negative[0])]}; allowed: 0 or more")
        raw.events["ticks"][rows] = ticks
        raw.events["lots"][rows] += lots

    def _problem(self, bad: Unusable, what: str, step_name: str, option: str, step: Decimal) -> str:
        text = unusable_text(bad, what, step, step_name)
        if bad.code != OFF_GRID:
            return text
        inferred = " (inferred from the head of the recording)" if step_name in self._inferred else ""
        return f"{text}{inferred}; --{option} {_common_step(Decimal(bad.value), step):f} would fit both"


def _common_step(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest step that divides both."""
    scale = max(0, -int(value.normalize().as_tuple().exponent), -int(step.as_tuple().exponent))
    common = Decimal(gcd(int(value.scaleb(scale)), int(step.scaleb(scale)))).scaleb(-scale).normalize()
    return common if int(common.as_tuple().exponent) <= 0 else common.quantize(Decimal(1))
