"""A recording that is read while it is replayed, in constant memory, whatever its size.

Where you are in the pipe: source -> grid -> clock -> *events* -> replay. The files are read once before, because the offset of
their clocks, and whether the exchange's clock runs backwards, is known only at their end; after that once for each replay.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date as calendar_date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from twosided.data.formats import open_source
from twosided.data.overview import Overview
from twosided.data.recording import Recording, clock_offset_of
from twosided.data.source import Source
from twosided.errors import DataError
from twosided.market.event import Events
from twosided.market.instrument import Fees, Instrument
from twosided.market.survey import Survey, Surveyor

__all__ = ["StreamedRecording", "stream"]


@dataclass(frozen=True)
class StreamedRecording:
    """What `stream` returns: `replay` takes it as it takes a `Recording`, and the digests are the same.

    Attributes:
        instruments: one per market.
        clock_offset_ns: what is taken off the recorded local times.
        min_latency_ns: the smallest ``local_ns - exch_ns`` after that.
        names, format, defects, notes, inferred: as of a `Recording`.
    """

    source: Source = field(repr=False)
    instruments: tuple[Instrument, ...]
    clock_offset_ns: int
    min_latency_ns: int
    names: tuple[str, ...]
    format: str
    defects: dict[str, int]
    notes: tuple[str, ...]
    inferred: str
    _overview: Overview = field(repr=False)
    _survey: Survey = field(repr=False)

    def chunks(self) -> Iterator[Events]:
        """Yield the events in local order, whole messages at a time, ``local_ns`` corrected."""
        for events in self.source.chunks():
            events["local_ns"] -= self.clock_offset_ns
            yield events

    def survey(self) -> Survey:
        """Return what a replay must know before it begins."""
        return self._survey

    def facts(self) -> dict[str, Any]:
        """Return what a Run keeps about its data, ready for JSON; the same as of a `Recording`."""
        return {
            "names": list(self.names),
            "format": self.format,
            **self._overview.facts(),
            "instruments": [instrument.model_dump(mode="json") for instrument in self.instruments],
            "clock_offset_ns": self.clock_offset_ns,
            "min_latency_ns": self.min_latency_ns,
            "defects": dict(self.defects),
            "notes": list(self.notes),
            "inferred": self.inferred,
        }

    @property
    def span_ns(self) -> tuple[int, int]:
        """When the first and the last event arrived, our clock."""
        offset = self.clock_offset_ns
        return self._overview.first_local_ns - offset, self._overview.last_local_ns - offset

    def beginning(self, *, until_ns: int | None = None, most: int | None = None) -> Recording:
        """Return what had arrived before *until_ns*, our clock, and of that at most *most* events, as a recording in memory."""
        parts, count = [], 0
        for events in self.chunks():
            cut = len(events) if until_ns is None else int(np.searchsorted(events["local_ns"], until_ns))
            parts.append(events[:cut])
            count += cut
            if cut < len(events) or (most is not None and count >= most):
                break
        return Recording(np.concatenate(parts)[:most], self.instruments, self.clock_offset_ns, self.min_latency_ns)


def stream(
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
) -> StreamedRecording:
    """Look over recorded market data once, so that it can be replayed without ever being in memory as a whole.

    Converted recordings (``twosided data convert``) are read several times faster than any other format. The arguments, and what
    is raised, are those of `load`.
    """
    source = open_source(paths, format=format, symbol=symbol, tick_size=tick_size, lot_size=lot_size, fees=fees, date=date)
    overview, surveyor = Overview(source.instruments), Surveyor(len(source.instruments))
    for events in source.chunks():
        overview.see(events)
        surveyor.see(events)
        if progress is not None:
            progress(source.fraction_read)
    if not overview.events:
        raise DataError(", ".join(source.names), "", "holds no events; expected changes of a book or trades")
    offset = clock_offset_of(source, overview.shortest_ns, min_latency_ns, clock_offset_ns)
    overview.require_headroom()
    for sentence in overview.silences():
        source.defects.add("book_ends_early", note=sentence)
    return StreamedRecording(
        source=source,
        instruments=source.instruments,
        clock_offset_ns=offset,
        min_latency_ns=overview.shortest_ns - offset,
        names=source.names,
        format=source.format,
        defects=dict(source.defects.counts),
        notes=tuple(source.defects.notes),
        inferred=source.inferred,
        _overview=overview,
        _survey=surveyor.found(clock_offset_ns=offset),
    )
