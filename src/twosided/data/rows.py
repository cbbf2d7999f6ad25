"""A block of messages of a capture in columns, expanded into events at its end: work per level is done for thousands at once."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from twosided.data.files import InputFile
from twosided.data.numbers import Ints
from twosided.data.raw import Raw, new_events
from twosided.errors import DataError
from twosided.market.event import Flag, Kind

__all__ = ["Rows", "Side", "Texts"]

Texts = Sequence[str]
Side = tuple[Texts, Texts]  # prices, sizes

_MOST_LEVELS, _MOST_MESSAGES, _MOST_BEST = 1 << 16, 1 << 13, 1 << 15
_FIELDS = 10
_ZERO = (("0",), ("0",))
_NONE: Side = ((), ())
_DEPTH, _TRADE, _CLEAR = int(Kind.DEPTH), int(Kind.TRADE), int(Kind.CLEAR)
_BEGIN, _END, _SNAPSHOT = int(Kind.SNAPSHOT_BEGIN), int(Kind.SNAPSHOT_END), int(Flag.SNAPSHOT)


class Rows:
    """Messages so far: one line of numbers each, and the texts of all their prices and sizes."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._lines: list[
            tuple[int, ...]
        ] = []  # line, local_ns, exch_ns, id, kind, flags of all, last, first side, n first, n second
        self._prices: list[str] = []
        self._sizes: list[str] = []
        self._best = 0  # how many messages are best prices

    @property
    def messages(self) -> int:
        """How many messages wait to be taken."""
        return len(self._lines)

    @property
    def is_full(self) -> bool:
        """Whether it is time to `take` the block; best prices, which other messages may be few among, do not count as such."""
        best = self._best
        return len(self._lines) - best >= _MOST_MESSAGES or len(self._prices) - 2 * best >= _MOST_LEVELS or best >= _MOST_BEST

    def add_change(self, line: int, local_ns: int, exch_ns: int, number: int, bids: Side, asks: Side) -> None:
        """Add one message that sets levels."""
        self._add((line, local_ns, exch_ns, number, _DEPTH, 0, 1, 1), bids, asks)

    def add_best(self, line: int, local_ns: int, exch_ns: int, number: int, flags: int, prices: Texts, sizes: Texts) -> None:
        """Add one message of a bid and an ask, with *flags*: for whoever settles the events."""
        self._best += 1
        self._lines.append((line, local_ns, exch_ns, number, _DEPTH, flags, 1, 1, 1, 1))
        self._prices += prices
        self._sizes += sizes

    def add_mark(self, line: int, local_ns: int, exch_ns: int, number: int, flags: int) -> None:
        """Add one message without a level, for whoever settles the events: its only event has no kind, but *flags*."""
        self._add((line, local_ns, exch_ns, number, 0, flags, 1, 0), _ZERO, _NONE)

    def add_trade(self, line: int, local_ns: int, exch_ns: int, number: int, side: int, trade: tuple[str, str]) -> None:
        """Add one trade; *side* is the aggressor's."""
        self._add((line, local_ns, exch_ns, number, _TRADE, 0, 1, side), ((trade[0],), (trade[1],)), _NONE)

    def add_snapshot(self, line: int, local_ns: int, exch_ns: int, number: int, bids: Side, asks: Side) -> None:
        """Add one message that restates the book."""
        self._add((line, local_ns, exch_ns, number, _BEGIN, _SNAPSHOT, 0, 0), _ZERO, _NONE)
        self._add((line, local_ns, exch_ns, number, _DEPTH, _SNAPSHOT, 0, 1), bids, asks)
        self._add((line, local_ns, exch_ns, number, _END, _SNAPSHOT, 1, 0), _ZERO, _NONE)

    def add_state(self, line: int, local_ns: int, exch_ns: int, bids: Side, asks: Side) -> None:
        """Add one message that shows the whole book, for `StateDifferences`."""
        if bids[0] or asks[0]:
            self._add((line, local_ns, exch_ns, 0, _DEPTH, 0, 1, 1), bids, asks)
        else:
            self._add((line, local_ns, exch_ns, 0, _CLEAR, 0, 1, 0), _ZERO, _NONE)

    def _add(self, numbers: tuple[int, ...], first: Side, second: Side) -> None:
        self._lines.append((*numbers, len(first[0]), len(second[0])))
        self._prices += first[0]
        self._prices += second[0]
        self._sizes += first[1]
        self._sizes += second[1]

    def take(self, file: InputFile) -> Raw:
        """Return the block, whose lines stand in *file*, and begin a new one.

        Raises:
            DataError: a price or size that is not text.
        """
        table = np.array(self._lines, np.int64).reshape(-1, _FIELDS).T
        lines, local, exch, number, kind, flags, last, side, n_first, n_second = table
        counts = n_first + n_second
        events = new_events(int(counts.sum()))
        for name, column in (("local_ns", local), ("exch_ns", exch), ("id", number), ("kind", kind), ("flags", flags)):
            events[name] = np.repeat(column, counts)
        events["side"] = np.repeat(np.column_stack((side, -side)).ravel(), np.column_stack((n_first, n_second)).ravel())
        ends = np.cumsum(counts)[(last == 1) & (counts > 0)] - 1
        events["flags"][ends] |= np.uint8(Flag.LAST_OF_MESSAGE)
        places = np.repeat(lines, counts)
        raw = Raw(file, events, _texts(file, self._prices, places), _texts(file, self._sizes, places), places)
        self._clear()
        return raw


def _texts(file: InputFile, values: list[str], places: Ints) -> pl.Series:
    try:
        return pl.Series(values, dtype=pl.String)
    except TypeError:
        wrong = next(i for i, value in enumerate(values) if not isinstance(value, str))
        problem = f"a price or size is {values[wrong]!r:.60}; expected a decimal number as text"
        raise DataError(file.path, f"line {places[wrong]}", problem) from None
