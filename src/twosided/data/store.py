"""This package's own Parquet files: a column for each field of `EVENT`, and what is known about them in the file's metadata.

Where you are in the pipe: any source -> *stored once* -> read again, much faster. Local times are stored corrected, and the
correction beside them (`Recorded`), so that what was recorded can be restored. A file is written under another name in the same
folder and renamed when it is whole.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.io.plugins import register_io_source
from pydantic import BaseModel, ValidationError

from twosided.data.checksum import EVENTS_PER_SUM, Checksums
from twosided.data.files import InputFile, brief
from twosided.data.parquet import ROWS_PER_BLOCK, frames, is_parquet, metadata_of, rows_of, schema_of
from twosided.data.raw import Raw, new_events
from twosided.data.source import LocalClock, Recorded, Source
from twosided.errors import DataError, InputError
from twosided.market.event import EVENT, Events, Flag, Kind
from twosided.market.instrument import Instrument

__all__ = ["Header", "StoredSource", "is_stored", "write_store"]

_KEY = "twosided"
_VERSION = 2
_COLUMNS = {name: pl.Series(np.zeros(0, EVENT[name])).dtype for name in EVENT.names or ()}
_KNOWN_KINDS = np.isin(np.arange(256), list(Kind))
_ROWS_AT_ONCE = 1 << 13  # columns are interleaved in pieces that fit the cache


class Header(BaseModel):
    """What a file says about its events."""

    format: int = _VERSION
    instruments: tuple[Instrument, ...]
    events: int
    clock_offset_ns: int
    min_latency_ns: int
    names: tuple[str, ...]  # of the files that it was made from
    source_format: str
    defects: dict[str, int]
    notes: tuple[str, ...]
    inferred: str
    checksums: tuple[str, ...] = ()  # see `checksum`; `write_store` fills them in


def is_stored(file: InputFile) -> str | None:
    """Return "" for a Parquet file that this package wrote, else None."""
    return "" if is_parquet(file) and _KEY in metadata_of(file) else None


class StoredSource(Source):
    """A recording in one or several files of this package."""

    def __init__(self, files: Sequence[InputFile]) -> None:
        if len(files) > 1:
            files = sorted(files, key=_first_local_ns)
        headers = [_header_of(file) for file in files]
        first = headers[0]
        for file, header in zip(files, headers, strict=True):
            if header.instruments != first.instruments:
                problem = f"holds other instruments than {files[0].name}; expected the same in files that continue one another"
                raise DataError(file.path, "", problem)
        inferred = " ".join(dict.fromkeys(header.inferred for header in headers)).strip()
        super().__init__("twosided", files, first.instruments, inferred)
        self._headers = headers
        self.made_from = tuple(name for header in headers for name in header.names)
        corrections = {Recorded(header.clock_offset_ns, header.min_latency_ns) for header in headers}
        self.recorded = corrections.pop() if len(corrections) == 1 else None

    def read_all(self, progress: Callable[[float], None] | None = None) -> Events:
        """Return all events as one array, each decoded to where it belongs."""
        self._begin()
        whole = new_events(sum(header.events for header in self._headers))
        done = 0
        for file, header in zip(self.files, self._headers, strict=True):
            for events in self._decoded(file, header, whole[done:]):
                done += len(events)
                if progress is not None:
                    progress(self.fraction_read)
            _require_end(file, whole[:done])
        return whole

    def _blocks(self) -> Iterator[Events]:
        for file, header in zip(self.files, self._headers, strict=True):
            rest = new_events(0)
            for decoded in self._decoded(file, header, None):
                events = np.concatenate([rest, decoded]) if len(rest) else decoded
                ends = np.flatnonzero(events["flags"] & Flag.LAST_OF_MESSAGE)
                cut = int(ends[-1]) + 1 if len(ends) else 0
                rest = events[cut:]
                yield events[:cut]
            _require_end(file, rest)

    def _decoded(self, file: InputFile, header: Header, into: Events | None) -> Iterator[Events]:
        """Yield the events of a file with recorded local times, in *into* where it is given."""
        self.defects.restore(header.defects, list(header.notes))
        done, found = 0, Checksums()
        for frame in frames(file, list(_COLUMNS)):
            if done + frame.height <= header.events:
                events = new_events(frame.height) if into is None else into[done : done + frame.height]
                _decode(file, frame, done, len(self.instruments), header.clock_offset_ns, self._clock, events, found)
                _require_equal(file, header, found.sums)
                yield events
            done += frame.height
        _require_equal(file, header, found.finish())
        if done != header.events:  # not what the file's own index says: it is damaged in a way that Polars did not see
            raise DataError(file.path, "", f"holds {done} events; expected {header.events}, as its metadata says")

    def _begin(self) -> None:
        super()._begin()
        self._clock = LocalClock(self.defects)


def _require_end(file: InputFile, events: Events) -> None:
    if len(events) and not events["flags"][-1] & Flag.LAST_OF_MESSAGE:
        raise DataError(file.path, "", "its last message does not end; expected LAST_OF_MESSAGE in the last flags")


def _require_equal(file: InputFile, header: Header, sums: Sequence[str]) -> None:
    """Refuse events whose checksums are not those that were written."""
    for block, (found, expected) in enumerate(zip(sums, header.checksums, strict=False)):
        if found != expected:
            rows = f"rows {block * EVENTS_PER_SUM} to {min((block + 1) * EVENTS_PER_SUM, header.events) - 1}"
            raise DataError(file.path, rows, f"their checksum is {found}; expected {expected}: the file is damaged")


def _header_of(file: InputFile) -> Header:
    """Read a file's metadata and check its columns."""
    text = metadata_of(file)[_KEY]
    try:
        header = Header.model_validate_json(text)
    except ValidationError as error:
        raise DataError(
            file.path, "", f"its metadata cannot be read ({brief(error.errors()[0]['msg'])}); convert the recording again"
        ) from None
    if header.format != _VERSION or not header.instruments:
        raise DataError(file.path, "", f"is of version {header.format} of this format; this package reads version {_VERSION}")
    if len(header.checksums) != -(-header.events // EVENTS_PER_SUM):
        raise DataError(
            file.path, "", f"has {len(header.checksums)} checksums of {header.events} events; convert the recording again"
        )
    if rows_of(file) != header.events:
        raise DataError(file.path, "", f"holds {rows_of(file)} events; expected {header.events}, as its metadata says")
    schema = schema_of(file)
    for name, kind in _COLUMNS.items():
        if schema.get(name) != kind:
            raise DataError(file.path, "", f"the column {name!r} is {schema.get(name, 'missing')}; expected {kind}")
    return header


def _first_local_ns(file: InputFile) -> int:
    """Return the first local time as it was recorded."""
    header = _header_of(file)
    first = next(frames(file, ["local_ns"]), None)
    return int(first["local_ns"][0]) + header.clock_offset_ns if first is not None and first.height else 0


def _decode(
    file: InputFile,
    frame: pl.DataFrame,
    first: int,
    markets: int,
    offset_ns: int,
    clock: LocalClock,
    events: Events,
    sums: Checksums,
) -> None:
    """Write the rows of *frame*, the first of which is row *first*, into *events* with recorded local times, and add to *sums*.

    Raises:
        DataError: a value that no event can have.
    """
    if sum(frame.null_count().row(0)):
        raise DataError(file.path, f"rows {first} to {first + frame.height - 1}", "a value is missing; expected none")
    columns: dict[str, npt.NDArray[Any]] = {name: frame[name].to_numpy() for name in _COLUMNS}
    kind, lots, side = columns["kind"], columns["lots"], columns["side"]
    for name, wrong in (
        ("kind", ~_KNOWN_KINDS[kind]),
        ("lots", (lots < 0) & (kind != Kind.FUNDING)),
        ("side", (side < -1) | (side > 1)),
        ("market", columns["market"] >= markets),
    ):
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DataError(file.path, f"row {first + row}", f"{name} is {columns[name][row]}, which no event can have")
    sums.see(columns)
    empty = pl.Series([], dtype=pl.String)
    events["flags"] = columns["flags"]  # the clock counts messages
    raw = Raw(file, events, empty, empty, np.arange(first, first + frame.height))
    columns["local_ns"] = clock.ordered(raw, columns["exch_ns"], columns["local_ns"] + offset_ns)
    targets = [(events[name], column) for name, column in columns.items()]
    for begin in range(0, frame.height, _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        for target, column in targets:
            target[part] = column[part]


def write_store(path: str | Path, header: Header, chunks: Iterator[Events]) -> Path:
    """Write *chunks*, whose local times are corrected, with *header*, completely or not at all; an older file is replaced.

    Raises:
        InputError: the place cannot be written, or the disk is full.
        DataError: what the chunks are read from is damaged.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is no folder, so {path.name} cannot be written there")
    partial, sums = _partial_name(path), Checksums()

    def stored_frames(*_wishes: Any) -> Iterator[pl.DataFrame]:
        for events in chunks:
            columns = {name: np.ascontiguousarray(events[name]) for name in _COLUMNS}
            sums.see(columns)
            yield pl.DataFrame(columns)

    def metadata(_context: Any) -> dict[str, str]:  # is asked for when all rows are written
        return {_KEY: header.model_copy(update={"checksums": sums.finish()}).model_dump_json()}

    try:
        frame = register_io_source(stored_frames, schema=_COLUMNS)
        frame.sink_parquet(partial, metadata=metadata, row_group_size=ROWS_PER_BLOCK, statistics=False)
        partial.replace(path)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise InputError(f"{path} cannot be written: {brief(error)}; nothing was left behind") from None
    finally:
        partial.unlink(missing_ok=True)
    return path


def _partial_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")
