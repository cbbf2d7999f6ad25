"""What is in a recording, and writing it once in this package's own format; both in constant memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from twosided.data.numbers import Ints
from twosided.data.recording import clock_offset_of
from twosided.data.source import Source
from twosided.data.store import Header, write_store
from twosided.errors import DataError, InputError
from twosided.market.event import Events, Flag, Kind
from twosided.market.touch import TouchTracker

__all__ = ["convert", "describe"]

_QUANTILES = {"min": 0.0, "p1": 0.01, "p10": 0.1, "p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
_MOST_LATENCIES = 1 << 20


class _Latencies:
    """Recorded latencies of messages: all of them up to a million, then every second, every fourth, and so on."""

    def __init__(self) -> None:
        self.every = 1
        self._seen = 0
        self._kept: list[Ints] = []
        self._count = 0
        self.smallest, self.largest = 1 << 62, -(1 << 62)

    def see(self, latency_ns: Ints) -> None:
        if not len(latency_ns):
            return
        self.smallest, self.largest = min(self.smallest, int(latency_ns.min())), max(self.largest, int(latency_ns.max()))
        kept = latency_ns[-self._seen % self.every :: self.every]
        self._seen += len(latency_ns)
        self._kept.append(kept)
        self._count += len(kept)
        while self._count > _MOST_LATENCIES:
            self._kept = [np.concatenate(self._kept)[::2]]
            self._count, self.every = len(self._kept[0]), self.every * 2

    def quantiles(self, offset_ns: int) -> dict[str, int]:
        """Return quantiles of the latencies less *offset_ns*; the smallest and largest are exact."""
        values = np.quantile(np.concatenate(self._kept), list(_QUANTILES.values()), method="nearest").astype(np.int64) - offset_ns
        result = dict(zip(_QUANTILES, values.tolist(), strict=True))
        return {**result, "min": self.smallest - offset_ns, "max": self.largest - offset_ns}


class _Contents:
    """Everything about a recording that one pass over it can count."""

    def __init__(self, markets: int) -> None:
        self.trackers = [TouchTracker(market) for market in range(markets)]
        self.latencies = _Latencies()
        self.kinds = np.zeros(256, np.int64)
        self.events = self.messages = self.same_millisecond = 0
        self.start_ns, self.end_ns = 1 << 62, 0
        self._last_ms = -1

    def see(self, events: Events) -> None:
        """Take in one block."""
        for tracker in self.trackers:
            tracker.feed(events)
        self.kinds += np.bincount(events["kind"], minlength=256)
        self.events += len(events)
        ends = events[events["flags"] & Flag.LAST_OF_MESSAGE != 0]
        milliseconds = ends["exch_ns"] // 1_000_000
        self.same_millisecond += int(np.count_nonzero(milliseconds == np.concatenate(([self._last_ms], milliseconds[:-1]))))
        self._last_ms = int(milliseconds[-1])
        self.messages += len(ends)
        self.latencies.see(ends["local_ns"] - ends["exch_ns"])
        self.start_ns, self.end_ns = (
            min(self.start_ns, int(events["exch_ns"].min())),
            max(self.end_ns, int(events["exch_ns"].max())),
        )


def describe(
    source: Source,
    *,
    min_latency_ns: int | None = None,
    clock_offset_ns: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Read *source* once and return what is in it, ready for JSON.

    Times are ns: ``start_ns`` and ``end_ns`` by the exchange's clock, latencies as recorded and corrected by ``clock_offset_ns``.
    ``crossed`` counts states after a whole message whose best bid is not below the best ask. ``book_check`` compares the book with
    the best prices that the venue sent (see `BookCheck`) or the book that the file itself holds (`RowCheck`), None without either.
    Shares are of messages.

    Args:
        source: from `open_source`.
        min_latency_ns: as for `load`, like the next.
        clock_offset_ns: the offset of the clocks where it is known.
        progress: is called with the fraction read, 0 to 1.

    Raises:
        DataError: the recording is damaged or holds no events.
    """
    contents = _Contents(len(source.instruments))
    for events in source.chunks():
        contents.see(events)
        if progress is not None:
            progress(source.fraction_read)
    if not contents.events:
        raise DataError(", ".join(source.names), "", "holds no events; expected changes of a book or trades")
    offset = clock_offset_of(source, contents.latencies.smallest, min_latency_ns, clock_offset_ns)
    return {**_identity(source), **_counts(source, contents), **_clocks(source, contents, offset)}


def _identity(source: Source) -> dict[str, Any]:
    first = source.instruments[0]
    return {
        "files": list(source.names),
        "format": source.format,
        "made_from": list(source.made_from),
        "instrument": ", ".join(instrument.symbol for instrument in source.instruments),
        "venue": first.venue,
        "currency": first.currency,
        "tick_size": float(first.tick_size),
        "lot_size": float(first.lot_size),
        "instruments": [instrument.model_dump(mode="json") for instrument in source.instruments],
        "inferred": source.inferred,
    }


def _counts(source: Source, contents: _Contents) -> dict[str, Any]:
    return {
        "events": contents.events,
        "messages": contents.messages,
        "events_by_kind": {Kind(kind).name: int(contents.kinds[kind]) for kind in np.flatnonzero(contents.kinds).tolist()},
        "trades": int(contents.kinds[Kind.TRADE]),
        "snapshots": int(contents.kinds[Kind.SNAPSHOT_BEGIN]),
        "gaps": source.defects["gaps"],
        "crossed": sum(tracker.crossed for tracker in contents.trackers),
        "orphans": source.defects["orphans"],
        "unknown_removals": sum(tracker.unknown_removals for tracker in contents.trackers),
        "book_check": _book_check(source),
        "defects": source.defects.counts,
        "notes": list(source.defects.notes),
    }


def _book_check(source: Source) -> dict[str, Any] | None:
    """Return what the rebuilt book was compared with, and how it came out."""
    if source.row_check.has_rows:
        return source.row_check.result()
    return source.book_check.result() if source.book_check.has_quotes else None


def _clocks(source: Source, contents: _Contents, offset: int) -> dict[str, Any]:
    latencies = contents.latencies
    return {
        "start_ns": contents.start_ns,
        "end_ns": contents.end_ns,
        "span_ns": contents.end_ns - contents.start_ns,
        "clock_offset_ns": offset,
        "min_latency_ns": latencies.smallest - offset,
        "latency_ns": {
            "recorded": latencies.quantiles(0),
            "corrected": latencies.quantiles(offset),
            "sampled_every": latencies.every,
        },
        "exch_backwards_share": source.defects["exch_backwards"] / contents.messages,
        "same_millisecond_share": contents.same_millisecond / contents.messages,
    }


def convert(
    source: Source,
    out_path: str | Path,
    *,
    min_latency_ns: int | None = None,
    clock_offset_ns: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Write *source* as one Parquet file of this package and return what was written, ready for JSON.

    The recording is read twice, because the offset of its clocks is known only at its end. `load` of the result gives the very
    events that `load` of the source gives.

    Args:
        source: from `open_source`.
        out_path: where to; an older file there is replaced, a file is left there only when it is whole.
        min_latency_ns: as for `load`, like the next.
        clock_offset_ns: the offset of the clocks where it is known.
        progress: is called with the fraction done, 0 to 1.

    Raises:
        DataError: the recording is damaged or holds no events.
        InputError: the file cannot be written.
    """
    out_path = Path(out_path)
    if any(file.path.exists() and out_path.exists() and file.path.samefile(out_path) for file in source.files):
        raise InputError(f"{out_path} is one of the files to convert; name another")
    smallest, count = 1 << 62, 0
    for events in source.chunks():
        smallest, count = min(smallest, int((events["local_ns"] - events["exch_ns"]).min())), count + len(events)
        if progress is not None:
            progress(source.fraction_read / 2)
    if not count:
        raise DataError(", ".join(source.names), "", "holds no events; expected changes of a book or trades")
    offset = clock_offset_of(source, smallest, min_latency_ns, clock_offset_ns)
    header = Header(
        instruments=source.instruments,
        events=count,
        clock_offset_ns=offset,
        min_latency_ns=smallest - offset,
        names=source.made_from or source.names,
        source_format=source.format,
        defects=source.defects.counts,
        notes=tuple(source.defects.notes),
        inferred=source.inferred,
    )
    write_store(out_path, header, _corrected(source, offset, progress))
    return {
        "out": str(out_path),
        "bytes": out_path.stat().st_size,
        **header.model_dump(mode="json", exclude={"format", "checksums"}),
    }


def _corrected(source: Source, offset: int, progress: Callable[[float], None] | None) -> Iterator[Events]:
    for events in source.chunks():
        events["local_ns"] -= offset
        yield events
        if progress is not None:
            progress(0.5 + source.fraction_read / 2)
