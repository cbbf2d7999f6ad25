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
"""Name of a log: the field of `CORE` that counts its rows, and what a row is: 64-bit integers throughout."""


def _count(rows: Any, at: int, counts: Any) -> None:
    """Add to *counts* how many *rows* each strategy has; *at* is the column that says whose a row is."""
    for i in range(rows.shape[0]):
        counts[rows[i, at]] += 1


def _deal(rows: Any, at: int, places: Any, columns: Any) -> None:
    """Write *rows* into *columns*, each at the next of its strategy's *places*."""
    for i in range(rows.shape[0]):
        k = rows[i, at]
        place = places[k]
        places[k] = place + 1
        for j in range(rows.shape[1]):
            columns[j, place] = rows[i, j]


_ROWS_READ = 1 << 16

count_rows, deal_rows = compiled(_count), compiled(_deal)


class _Log:
    """One log of all strategies of a pass."""

    def __init__(self, dtype: np.dtype[Any], most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.names = list(dtype.names or ())
        self.parts: list[Any] = []
        self.file: IO[bytes] | None = None
        self.rows_on_disk = self.bytes_in_memory = 0
        self.frames: list[pl.DataFrame] = []

    def keep(self, rows: Any) -> None:
        """Keep *rows*, which nobody writes to any more."""
        table = rows.view(np.int64).reshape(len(rows), len(self.names))
        if self.file is None and self.bytes_in_memory + table.nbytes <= self.most_bytes:
            self.parts.append(table)
            self.bytes_in_memory += table.nbytes
            return
        if self.file is None:
            self.file = tempfile.TemporaryFile(prefix="twosided-")  # noqa: SIM115 - it lives as long as the log
            weakref.finalize(self, self.file.close)
        table.tofile(self.file)
        self.rows_on_disk += len(table)

    def tables(self) -> Iterator[Any]:
        """Yield the rows as tables of integers, in the order in which they were logged."""
        yield from self.parts
        if self.file is not None:
            self.file.flush()
            self.file.seek(0)
            for begin in range(0, self.rows_on_disk, _ROWS_READ):  # a map of the file would count as memory
                rows = min(_ROWS_READ, self.rows_on_disk - begin)
                yield np.fromfile(self.file, np.int64, rows * len(self.names)).reshape(rows, len(self.names))
            self.file.seek(0, os.SEEK_END)

    def _column(self, j: int) -> Any:
        return np.concatenate([np.zeros(0, np.int64), *(table[:, j].copy() for table in self.tables())])

    def split(self, count: int) -> list[pl.DataFrame]:
        """Return one frame for each of *count* strategies, without the column that says whose a row is."""
        at = self.names.index("strategy") if "strategy" in self.names else -1
        if at < 0 or count == 1:
            return [pl.DataFrame([pl.Series(name, self._column(j)) for j, name in enumerate(self.names) if j != at])]
        counts = np.zeros(count, np.int64)
        for table in self.tables():
            count_rows(table, at, counts)
        ends = np.cumsum(counts)
        columns, places = np.empty((len(self.names), int(ends[-1])), np.int64), ends - counts
        for table in self.tables():
            deal_rows(table, at, places, columns)
        return [
            pl.DataFrame({name: columns[j, end - n : end] for j, name in enumerate(self.names) if j != at})
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
