"""A recording in memory: its events in local order with the two clocks brought together, and what is known about it.

The offset of two clocks cannot be known from one-way messages: by convention the smallest latency in a recording becomes
``min_latency_ns``, so ``clock_offset_ns = min(local_ns - exch_ns) - min_latency_ns`` is taken off every local time. Both numbers
are reported. A recording in this package's own Parquet files was corrected when it was written and keeps that correction.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date as calendar_date
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import numpy as np

from twosided.data.formats import open_source
from twosided.data.source import Source
from twosided.errors import DataError, InputError
from twosided.market.event import Events, Flag, Kind
from twosided.market.instrument import Fees, Instrument
from twosided.units import duration_text

__all__ = ["DEFAULT_MIN_LATENCY_NS", "Recording", "clock_offset_of", "load"]

MOST_SILENCE = 0.1
"""A book that does not change for this share of the recording at its end is remarked on."""

DEFAULT_MIN_LATENCY_NS = 500_000
"""What the smallest latency of a recording is taken for: 0.5 ms."""

_BLOCK = 1 << 16
_NOT_THE_BOOK = (Kind.TRADE, Kind.STATUS, Kind.FUNDING)


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
        smallest = min(int((block["local_ns"] - block["exch_ns"]).min()) for block in _blocks(events))
        offset = clock_offset_of(source, smallest, min_latency_ns, clock_offset_ns)
        events["local_ns"] -= offset
        _require_headroom(source.instruments, events)
        for sentence in _silences(source.instruments, events):
            source.defects.add("book_ends_early", note=sentence)
        return cls(
            events=events,
            instruments=source.instruments,
            clock_offset_ns=offset,
            min_latency_ns=smallest - offset,
            names=source.names,
            format=source.format,
            defects=source.defects.counts,
            notes=tuple(source.defects.notes),
            inferred=source.inferred,
        )

    def facts(self) -> dict[str, Any]:
        """Return what a Run keeps about its data, ready for JSON."""
        exch = self.events["exch_ns"]
        return {
            "names": list(self.names),
            "format": self.format,
            "instruments": [instrument.model_dump(mode="json") for instrument in self.instruments],
            "events": len(self.events),
            "messages": int(np.count_nonzero(self.events["flags"] & Flag.LAST_OF_MESSAGE)),
            "trades": int(np.count_nonzero(self.events["kind"] == Kind.TRADE)),
            "start_ns": int(exch.min()),
            "end_ns": int(exch.max()),
            "clock_offset_ns": self.clock_offset_ns,
            "min_latency_ns": self.min_latency_ns,
            "defects": dict(self.defects),
            "notes": list(self.notes),
            "inferred": self.inferred,
        }


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


def _blocks(events: Events) -> Iterator[Events]:
    """Yield *events* in pieces that fit the processor's cache."""
    return (events[begin : begin + _BLOCK] for begin in range(0, len(events), _BLOCK))


def _silences(instruments: tuple[Instrument, ...], events: Events) -> Iterator[str]:
    """Yield a sentence for each market whose book stands still for the last part of the recording, `MOST_SILENCE` of it or more."""
    first_ns, last_ns = int(events["local_ns"][0]), int(events["local_ns"][-1])
    for market, instrument in enumerate(instruments):
        for begin in range((len(events) - 1) // _BLOCK * _BLOCK, -1, -_BLOCK):
            block = events[begin : begin + _BLOCK]
            ours = np.flatnonzero((block["market"] == market) & ~np.isin(block["kind"], _NOT_THE_BOOK))
            if len(ours):
                silence = last_ns - int(block["local_ns"][ours[-1]])
                if silence > MOST_SILENCE * (last_ns - first_ns):
                    yield (
                        f"the book of {instrument.symbol} stands still for the last {duration_text(silence)} "
                        f"of {duration_text(last_ns - first_ns)}: what is quoted then is quoted blind"
                    )
                break


def _require_headroom(instruments: tuple[Instrument, ...], events: Events) -> None:
    """Prove that 64-bit integers can count money on the scale of the largest trade.

    Raises:
        InputError: they cannot; a coarser lot or tick is needed.
    """
    for market, instrument in enumerate(instruments):
        most_ticks = most_lots = 0
        for block in _blocks(events):
            traded = (block["kind"] == Kind.TRADE) & (block["market"] == market)
            most_ticks = max(most_ticks, int(np.max(np.abs(block["ticks"]), where=traded, initial=0)))
            most_lots = max(most_lots, int(np.max(block["lots"], where=traded, initial=0)))
        instrument.require_headroom(most_ticks, most_lots)
