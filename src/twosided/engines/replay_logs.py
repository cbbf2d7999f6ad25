"""What a replay logged, and the frames that it becomes.

Where you are in the pipe: behind the ledger: fills, orders, quotes, decisions, equity and mids on their way into a `Run`.

Rows are kept as the engine wrote them, those of all strategies one after the other. They become columns when somebody looks: a
search over hundreds of parameter sets that reads nothing but equity pays for nothing else. What does not fit in the memory allowed
goes to a file in the meantime, which has no name and goes with the process.
"""

import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import polars as pl

from twosided._compile import compiled
from twosided.market.order import DECISION, EQUITY, FILL, MID, ORDER_EVENT, QUOTE_CHANGE

__all__ = ["COUNTERS", "Logs"]

COUNTERS = {
    "fills": ("n_fills", FILL),
    "order_log": ("n_orders", ORDER_EVENT),
    "quote_log": ("n_quotes", QUOTE_CHANGE),
    "decisions": ("n_decisions", DECISION),
    "equity": ("n_equity", EQUITY),
    "mids": ("n_mids", MID),
}
"""Name of a log: the field of `CORE` that counts its rows, and what a row is."""


def _take_places(whose: Any, next_places: Any, places: Any) -> None:
    """Give each row the next of its strategy's places."""
    for i in range(len(whose)):
        k = whose[i]
        places[i] = next_places[k]
        next_places[k] += 1


take_places = compiled(_take_places)

_ROWS_READ = 1 << 16


class _Log:
    """One log of all strategies of a pass."""

    def __init__(self, dtype: np.dtype[Any], most_bytes: int) -> None:
        self.dtype = dtype
        self.most_bytes = most_bytes
        self.parts: list[Any] = []
        self.file: IO[bytes] | None = None
        self.rows_on_disk = self.bytes_in_memory = 0
        self.frames: list[pl.DataFrame] = []

    def keep(self, rows: Any) -> None:
        """Keep *rows*, which nobody writes to any more."""
        if self.file is None and self.bytes_in_memory + rows.nbytes <= self.most_bytes:
            self.parts.append(rows)
            self.bytes_in_memory += rows.nbytes
            return
        if self.file is None:
            self.file = tempfile.TemporaryFile(prefix="twosided-")  # noqa: SIM115 - it lives as long as the log
            weakref.finalize(self, self.file.close)
        rows.tofile(self.file)
        self.rows_on_disk += len(rows)

    def tables(self) -> Iterator[Any]:
        """Yield the rows in the order in which they were logged."""
        yield from self.parts
        if self.file is not None:
            self.file.flush()
            self.file.seek(0)
            for begin in range(0, self.rows_on_disk, _ROWS_READ):  # a map of the file would count as memory
                yield np.fromfile(self.file, self.dtype, min(_ROWS_READ, self.rows_on_disk - begin))
            self.file.seek(0, os.SEEK_END)

    def split(self, count: int) -> list[pl.DataFrame]:
        """Return a frame for each of *count* strategies, without the column that says whose a row is; one for all without it."""
        names = self.dtype.names or ()
        owned = "strategy" in names
        counts = np.zeros(count if owned else 1, np.int64)
        for rows in self.tables():
            counts += np.bincount(rows["strategy"], minlength=count) if owned else len(rows)
        ends = np.cumsum(counts)
        next_places = ends - counts
        columns = {name: np.empty(ends[-1], np.int64) for name in names if name != "strategy"}
        for rows in self.tables():
            places = np.empty(len(rows), np.int64)
            take_places(rows["strategy"].astype(np.int64) if owned else np.zeros(len(rows), np.int64), next_places, places)
            for name, column in columns.items():
                column[places] = rows[name]
        return [
            pl.DataFrame({name: column[end - n : end] for name, column in columns.items()})
            for n, end in zip(counts.tolist(), ends.tolist(), strict=True)
        ]


class Logs:
    """The logs of a pass of *count* strategies, each of which may take *most_bytes* of memory until somebody looks."""

    def __init__(self, count: int, most_bytes: int) -> None:
        self.count = count
        self._logs = {name: _Log(dtype, most_bytes) for name, (_, dtype) in COUNTERS.items()}

    def keep(self, name: str, rows: Any) -> None:
        """Keep *rows* of the log *name*, which nobody writes to any more."""
        if len(rows):
            self._logs[name].keep(rows)

    def frame(self, name: str, k: int = 0) -> pl.DataFrame:
        """Return what was logged of strategy *k* under *name*; of a log that all share, everything."""
        log = self._logs[name]
        if log.file is not None:  # too large to keep a second time
            return log.split(self.count)[k]
        if not log.frames:
            log.frames, log.parts = log.split(self.count), []
        return log.frames[k]
