"""A recording in memory: its events in local order with the two clocks brought together, and what is known about it.

The offset of two clocks cannot be known from one-way messages: by convention the smallest latency in a recording becomes
``min_latency_ns``, so ``clock_offset_ns = min(local_ns - exch_ns) - min_latency_ns`` is taken off every local time. Both numbers
are reported. A recording in this package's own Parquet files was corrected when it was written and keeps that correction.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date as calendar_date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from twosided.data.formats import open_source
from twosided.data.overview import Overview, pieces
from twosided.data.source import Source
from twosided.errors import DataError, InputError
from twosided.market.event import Events
from twosided.market.instrument import Fees, Instrument
from twosided.market.survey import Survey, survey

__all__ = ["DEFAULT_MIN_LATENCY_NS", "Recording", "clock_offset_of", "load"]

DEFAULT_MIN_LATENCY_NS = 500_000
"""What the smallest latency of a recording is taken for: 0.5 ms."""


@dataclass(frozen=True)
class Recording:
    """What `load` returns.

    Attributes:
        events: shape (n,), dtype `EVENT`, in local order, ``local_ns`` corrected.
        instruments: one per market.
        clock_offset_ns: what was taken off the recorded local times.
        min_latency_ns: the smallest ``local_ns - exch_ns`` after that.
        names, format: the files (without folders) and their format.
        defects, notes: counts by the names of `defects.DEFECTS`, and words on the first of them.
        inferred: the sentence about steps that were inferred from the data; "" where none was.
    """

    events: Events
    instruments: tuple[Instrument, ...]
    clock_offset_ns: int
    min_latency_ns: int
    names: tuple[str, ...] = ()
    format: str = ""
    defects: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    inferred: str = ""

    @classmethod
    def of(
        cls,
        source: Source,
        *,
        min_latency_ns: int | None = None,
        clock_offset_ns: int | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Read all of *source*; the arguments are those of `load`."""
        events = source.read_all(progress)
        if not len(events):
            raise DataError(", ".join(source.names), "", "holds no events; expected changes of a book or trades")
        overview = _overview(events, source.instruments)
        offset = clock_offset_of(source, overview.shortest_ns, min_latency_ns, clock_offset_ns)
        events["local_ns"] -= offset
        overview.require_headroom()
        for sentence in overview.silences():
            source.defects.add("book_ends_early", note=sentence)
        return cls(
            events=events,
            instruments=source.instruments,
            clock_offset_ns=offset,
            min_latency_ns=overview.shortest_ns - offset,
            names=source.names,
            format=source.format,
            defects=source.defects.counts,
            notes=tuple(source.defects.notes),
            inferred=source.inferred,
        )

    def facts(self) -> dict[str, Any]:
        """Return what a Run keeps about its data, ready for JSON."""
        return {
            "names": list(self.names),
            "format": self.format,
            **self._counted,
            "clock_offset_ns": self.clock_offset_ns,
            "min_latency_ns": self.min_latency_ns,
            "defects": dict(self.defects),
            "notes": list(self.notes),
            "inferred": self.inferred,
        }

    @cached_property
    def _counted(self) -> dict[str, Any]:
        return _overview(self.events, self.instruments).facts()

    @property
    def span_ns(self) -> tuple[int, int]:
        """When the first and the last event arrived, our clock."""
        return int(self.events["local_ns"][0]), int(self.events["local_ns"][-1])

    def beginning(self, *, until_ns: int | None = None, most: int | None = None) -> Self:
        """Return what had arrived before *until_ns*, our clock, and of that at most *most* events."""
        cut = len(self.events) if until_ns is None else int(np.searchsorted(self.events["local_ns"], until_ns))
        return replace(self, events=self.events[:cut][:most])

    def chunks(self) -> Iterator[Events]:
        """Yield the events, all at once: what a recording in memory has in common with one that is streamed."""
        yield self.events

    def survey(self) -> Survey:
        """Return what a replay must know before it begins."""
        return survey(self.events, len(self.instruments))


def _overview(events: Events, instruments: tuple[Instrument, ...]) -> Overview:
    overview = Overview(instruments)
    for piece in pieces(events):
        overview.see(piece)
    return overview


def load(
    paths: str | Path | Iterable[str | Path],
    *,
    min_latency_ns: int | None = None,
    clock_offset_ns: int | None = None,
    format: str | None = None,  # noqa: A002 - the word that users know it by
    symbol: str | None = None,
    tick_size: str | float | Decimal | None = None,
    lot_size: str | float | Decimal | None = None,
    fees: Fees | None = None,
    date: str | calendar_date | None = None,
    progress: Callable[[float], None] | None = None,
) -> Recording:
    """Read recorded market data into memory.

    Args:
        paths: one file, or several that continue one another (in any order).
        min_latency_ns: what the smallest latency is to be, 500,000 by default; sets the offset of the clocks.
        clock_offset_ns: the offset itself, where it is known: taken off every recorded local time; 0 leaves them alone.
        format: as for `open_source`, like the next four.
        symbol: which instrument to read, and its name where the files do not say.
        tick_size: price step.
        lot_size: quantity step.
        fees: what the venue charges.
        date: the day, as for `open_source`.
        progress: is called with the fraction read, 0 to 1.

    Raises:
        DataError: a file that cannot be read as what it claims to be; it names the place.
        InputError: an argument that cannot be used.
    """
    source = open_source(paths, format=format, symbol=symbol, tick_size=tick_size, lot_size=lot_size, fees=fees, date=date)
    return Recording.of(source, min_latency_ns=min_latency_ns, clock_offset_ns=clock_offset_ns, progress=progress)


def clock_offset_of(source: Source, smallest_ns: int, min_latency_ns: int | None, clock_offset_ns: int | None) -> int:
    """Return what to take off recorded local times, *smallest_ns* being the smallest recorded ``local_ns - exch_ns``.

    Raises:
        InputError: both were stated, or the latency is negative.
    """
    if clock_offset_ns is not None:
        if min_latency_ns is not None:
            raise InputError(f"min_latency_ns is {min_latency_ns} and clock_offset_ns {clock_offset_ns}; state one of them")
        return clock_offset_ns
    if min_latency_ns is not None:
        if min_latency_ns < 0:
            raise InputError(f"min_latency_ns is {min_latency_ns}; allowed: 0 or more")
        return smallest_ns - min_latency_ns
    if source.recorded is not None:
        return source.recorded.clock_offset_ns
    return smallest_ns - DEFAULT_MIN_LATENCY_NS
