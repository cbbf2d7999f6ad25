"""A Run: everything an engine knows about what happened, and all that reports and statistics ever read.

A Run is a handful of Polars frames (columns as in `twosided.market.order`, without ``strategy``) and a dictionary of facts. It is
saved to a folder of Parquet files and one JSON file. Its digest says whether two runs did the same, to the last integer.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import polars as pl

from twosided.errors import DataError, InputError
from twosided.market.instrument import Instrument

__all__ = ["FRAMES", "Run", "digest_of"]

FRAMES = ("fills", "orders", "quotes", "decisions", "equity", "mids")
"""The frames of a Run, in the order in which the digest reads them."""

_FACTS = "run.json"
_FORMAT = 1
_CANNOT = (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What a full or broken disk, or a damaged file, makes polars raise."""


class _Frame:
    """A frame of a Run: given as it is, or as a function that makes it when somebody looks."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._kept = f"_{name}"

    def __get__(self, run: Any, _owner: type) -> pl.DataFrame:
        if run is None:
            raise AttributeError  # no default: the dataclass asks
        frame = run.__dict__[self._kept]
        if callable(frame):
            frame = run.__dict__[self._kept] = frame()
        return cast("pl.DataFrame", frame)

    def __set__(self, run: Any, frame: pl.DataFrame | Callable[[], pl.DataFrame]) -> None:
        run.__dict__[self._kept] = frame


@dataclass(frozen=True)
class Run:
    """What an engine returns.

    Of a frame that it has not made yet an engine gives a function instead, which is called when the frame is first read.

    ``facts`` holds at least: ``strategy`` (its name), ``params``, ``engine``, ``seed``, ``start_ns``, ``end_ns`` (exchange clock),
    ``events``, ``seconds`` (wall time), ``versions``, ``data`` (what was read and which defects it had), ``settings`` (latencies,
    queue model, order manager), ``opening`` and ``closing`` (per market: ``position_lots``, ``cash``, ``fees``, ``taxes``,
    ``funding``, ``volume_lots``, ``turnover``; money in quanta), ``counts`` (decisions, messages sent) and ``complete`` (False
    after Ctrl-C).
    """

    instruments: tuple[Instrument, ...]
    facts: dict[str, Any]
    fills: _Frame = _Frame()
    orders: _Frame = _Frame()
    quotes: _Frame = _Frame()
    decisions: _Frame = _Frame()
    equity: _Frame = _Frame()
    mids: _Frame = _Frame()
    _digest: list[str] = field(default_factory=list, init=False, repr=False, compare=False)  # not copied by dataclasses.replace

    def digest(self) -> str:
        """Return a hash of every frame's column names, types and values, and of the closing accounts.

        It does not depend on wall time, versions, files, compression, the number of cores or what else ran in the same pass.
        """
        if not self._digest:
            closing = json.dumps(self.facts["closing"], sort_keys=True).encode()
            self._digest.append(_hash(self._each_frame(), closing))
        return self._digest[0]

    def _each_frame(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield name and frame one after the other; one that had not been made is not kept: all together may be too large."""
        for name in FRAMES:
            kept = self.__dict__[f"_{name}"]
            yield name, kept() if callable(kept) else kept

    def with_facts(self, **facts: Any) -> Self:
        """Return this Run with more facts; no frame is made for it."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__ | {"facts": {**self.facts, **facts}, "_digest": []})
        return other

    def __reduce__(self) -> Any:
        """Travel to another process with all frames made."""
        return partial(type(self), **{each.name: getattr(self, each.name) for each in fields(self) if each.init}), ()

    def save(self, folder: str | Path) -> Path:
        """Write the Run to *folder*, completely or not at all; an older Run there is replaced.

        Raises:
            InputError: the place cannot be written, or *folder* exists and holds anything but a Run.
        """
        folder = Path(folder)
        _require_replaceable(folder)
        partial = None
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
            for name, frame in self._each_frame():
                frame.write_parquet(partial / f"{name}.parquet")
            instruments = [instrument.model_dump(mode="json") for instrument in self.instruments]
            content = {"format": _FORMAT, "digest": self.digest(), "instruments": instruments, "facts": self.facts}
            (partial / _FACTS).write_text(json.dumps(content, indent=1, sort_keys=True))
            partial.chmod(0o755)
            _take_place(partial, folder)
        except _CANNOT as error:
            said = getattr(error, "strerror", None) or error
            raise InputError(f"{folder} cannot be written: {said}; nothing was left behind") from None
        finally:
            if partial is not None and partial.exists():
                shutil.rmtree(partial, ignore_errors=True)
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a Run that `save` wrote.

        Raises:
            DataError: the folder is missing, incomplete, or its content does not have the digest it was saved with.
        """
        folder = Path(folder)
        try:
            content = json.loads((folder / _FACTS).read_text())
            frames = {name: pl.read_parquet(folder / f"{name}.parquet") for name in FRAMES}
            instruments = tuple(Instrument.model_validate(each) for each in content["instruments"])
            run = cls(instruments=instruments, facts=content["facts"], **frames)
            written, saved, found = content["format"], content["digest"], run.digest()
        except (*_CANNOT, ValueError, KeyError, TypeError) as error:
            raise DataError(folder, "", f"not a saved Run ({error}); expected {_FACTS} and {len(FRAMES)} Parquet files") from None
        if written != _FORMAT:
            raise DataError(folder, "", f"not a saved Run of this version: its format is {written!r}; expected {_FORMAT}")
        if found != saved:
            raise DataError(folder, "", f"digest {found} differs from the saved {saved}: a file was changed")
        return run


def _require_replaceable(folder: Path) -> None:
    """Refuse a place where anything stands that `save` did not write: it would be lost."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file and does not hold a Run; name a new folder")
    foreign = sorted({entry.name for entry in folder.iterdir()} - {_FACTS, *(f"{name}.parquet" for name in FRAMES)})
    if foreign:
        raise InputError(
            f"{folder} exists and holds {foreign[0]}, which is not part of a Run; name a new folder, or remove it first"
        )


def _take_place(partial: Path, folder: Path) -> None:
    """Let *partial* become *folder*; what stood there goes only when that has worked."""
    if not folder.exists():
        partial.rename(folder)
        return
    old = partial.with_name(f"{partial.name}.old")
    folder.rename(old)
    try:
        partial.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def digest_of(frames: dict[str, pl.DataFrame], extra: bytes = b"") -> str:
    """Return the hash of *frames*: names, types, and values as little-endian buffers, in the given order.

    Raises:
        TypeError: a column does not hold numbers, so that its buffer would hold addresses.
    """
    return _hash(frames.items(), extra)


def _hash(frames: Iterable[tuple[str, pl.DataFrame]], extra: bytes) -> str:
    digest = hashlib.sha256(extra)
    for name, frame in frames:
        for column in frame.columns:
            values = np.ascontiguousarray(frame[column].to_numpy())
            if values.dtype.hasobject:
                raise TypeError(f"column {name}.{column} holds {frame[column].dtype}; a Run holds numbers")
            values = values.astype(values.dtype.newbyteorder("<"), copy=False)
            digest.update(f"{name}.{column}:{values.dtype.str}:{len(values)};".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()[:32]
