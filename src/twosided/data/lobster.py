"""LOBSTER: NASDAQ's messages on one share, as CSV, and the order book after each of them; a zip of both, or the files themselves.

Columns of a message: seconds after midnight in New York, type, order id, size, price × 10⁴, direction of the resting order (1 buy,
-1 sell); newer files have one more, which is left out. Types: 1 a new order, 2 part of one cancelled, 3 all of it, 4 executed, 5 a
hidden one executed, 6 a cross, 7 a halt (price -1), quotation (0) or trading (1) that resumes. A cross says nothing of status: the
rows of type 7 do. The book's columns are ask price, ask size, bid price, bid size of every level; size 0 is no level. The readme of
LOBSTER's sample files says all this. The day stands in the file's name alone.

Rows with equal times are one message: a sweep is a row for each order that it met, at one instant of the matching engine, and
nobody could act in between. The recorded book is compared, and restated, after every row all the same (`lobster_book.py`).

A message file and its orderbook file, in one zip or named one beside the other, belong together when their names differ in that
word alone. A message file by itself is read too: then orders from before its start, and what happened to levels outside the N
visible ones, stay unknown.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from twosided.data.files import InputFile
from twosided.data.lobster_book import DIRECTION, ID, PRICE, SIZE, TIME, TYPE, Follower, events_of
from twosided.data.lobster_files import DayName, Rows, ZipMember, day_name, members
from twosided.data.nasdaq import (
    DAY_NS,
    HIDDEN_SIDE_UNTIL,
    LOT,
    TICK,
    UNIT,
    Made,
    VenueClock,
    WholeMessages,
    cleared,
    midnight_ns,
    moved,
    step_of,
)
from twosided.data.numbers import Ints
from twosided.data.raw import Raw, Settings
from twosided.errors import DataError
from twosided.market.event import Events

__all__ = ["LobsterReader", "is_lobster", "lobster_start_ns"]

_ROWS = 1 << 14
_COLUMNS = ["time", "type", "order id", "size", "price", "direction"]
_MOST_PRICE, _MOST_SIZE, _MOST_ID = 1 << 32, 1 << 32, 1 << 62
_EXECUTED, _CROSS, _HALT = 4, 6, 7
_MOST_LEVELS = 1000


def is_lobster(file: InputFile) -> str | None:
    """Return "" for a zip archive with members that are LOBSTER's by their names, or for a file of such a name and content."""
    if members(file):
        return ""
    name = _name_of(file)
    if name is None:
        return None
    fields = file.head.split(b"\n", 1)[0].split(b",")
    return "" if len(fields) in {6, 7} or (name.kind == "orderbook" and len(fields) % 4 == 0) else None


def lobster_start_ns(file: InputFile) -> int:
    """Return where the file begins by its name; an orderbook file just before its messages, for which it is kept."""
    names = [name for name in (*members(file).values(), _name_of(file)) if name is not None]
    return min((midnight_ns(name.day) + name.start_ms * 1_000_000 - (name.kind == "orderbook") for name in names), default=0)


class LobsterReader:
    """Reads days of one share."""

    def __init__(self, settings: Settings) -> None:
        self._wanted, self._defects, self._check = settings.symbol, settings.defects, settings.row_check
        self.symbol, self.venue, self.currency, self.multiplier = self._wanted or "", "NASDAQ", "USD", Decimal(1)
        self.tick_size, self.lot_size = settings.tick_size or TICK, LOT
        self._step = step_of(self.tick_size)
        self._date = settings.day
        self._books: dict[DayName, InputFile] = {}  # orderbook files that wait for their messages
        self._days = self._anonymous = 0

    def read(self, file: InputFile) -> Iterator[Raw]:
        """Yield the events of *file*; an orderbook file is kept for its messages.

        Raises:
            DataError: a line that does not hold what the format promises, files that do not belong together, several shares.
        """
        for name, messages in self._messages(file):
            self._require_symbol(messages, name.symbol)
            book = self._books.pop(name._replace(kind="orderbook"), None)
            with ExitStack() as stack:
                yield from self._day(name, messages, book, stack)
            file.bytes_read = max(file.bytes_read, messages.bytes_read)
        file.bytes_read = file.bytes_total

    def finish(self) -> Iterator[Raw]:
        """Yield nothing: nothing is held back.

        Raises:
            DataError: an orderbook file whose messages never came.
        """
        for name, file in self._books.items():
            wanted = file.name.replace("_orderbook_", "_message_")
            raise DataError(file.path, "", f"has no message file beside it; expected {wanted} of {name.symbol} too")
        return iter(())

    def settle(self, events: Events) -> tuple[Events, Ints | None]:
        """Return *events* as they are."""
        return events, None

    def _messages(self, file: InputFile) -> Iterator[tuple[DayName, InputFile]]:
        """Yield the message files in *file* in the order of time, and keep the orderbook files."""
        inside = members(file)
        found: list[tuple[DayName, InputFile]] = [(name, ZipMember(file, member)) for member, name in inside.items()]
        if not inside:
            name = _name_of(file)
            assert name is not None  # noqa: S101 - is_lobster has seen to it
            found = [(name, file)]
        symbols = sorted({name.symbol for name, _file in found})
        if self._wanted and self._wanted not in symbols:
            raise DataError(file.path, "", f"holds {', '.join(symbols)}; no messages of {self._wanted:.60}")
        found = [(name, each) for name, each in found if name.symbol == (self._wanted or name.symbol)]
        self._books |= {name: each for name, each in found if name.kind == "orderbook"}
        yield from sorted((pair for pair in found if pair[0].kind == "message"), key=lambda pair: pair[0])

    def _require_symbol(self, file: InputFile, symbol: str) -> None:
        if self._days and symbol != self.symbol:
            raise DataError(file.path, "", f"is of {symbol}, after a file of {self.symbol}; choose one with --symbol")
        self.symbol = symbol

    def _day(self, name: DayName, messages: InputFile, book: InputFile | None, stack: ExitStack) -> Iterator[Raw]:
        """Yield one day."""
        day = self._date or name.day
        start_ns, sided = midnight_ns(day), day < HIDDEN_SIDE_UNTIL
        clock, whole = VenueClock(messages, self._defects), WholeMessages(messages, UNIT * self._step)
        rows = Rows(messages, _COLUMNS, stack, one_more=True)
        shown = _BookRows(book, name.levels, self._step, stack) if book is not None else None
        follower = Follower(book, self._check, self._defects, self._anonymous, sided=sided) if book is not None else None
        if follower is None:
            self._defects.add("no_snapshot", note=f"{messages.path}: {_NO_BOOK.format(levels=name.levels)}")
        self._days += 1
        while True:
            line = rows.line
            table = self._table(messages, rows.take(_ROWS), line, start_ns)
            if not len(table):
                break
            table[:, TIME] = clock.ordered(table[:, TIME], line + np.arange(len(table)))
            if follower is None or shown is None:
                made = events_of(table, line, sided=sided)
                made = cleared(made) if line == 1 and self._days > 1 else made
            else:
                states = shown.take(len(table), messages)
                made = follower.take(table, states, line) if line > 1 else _begun(follower, table, states)
            raw = whole.take(made)
            if raw is not None:
                yield raw
        if shown is not None:
            shown.require_end(messages, rows.line)
        self._anonymous = follower.next_id if follower is not None else 0
        raw = whole.finish()
        if raw is not None:
            yield raw

    def _table(self, file: InputFile, table: Ints, line: int, start_ns: int) -> Ints:
        """Return messages with times since 1970 and prices in ticks; crosses of no size are counted.

        Raises:
            DataError: a value that a message cannot have.
        """
        kind, price, size = table[:, TYPE], table[:, PRICE], table[:, SIZE]
        named, halt, empty = (kind >= 1) & (kind <= _EXECUTED), kind == _HALT, (kind == _CROSS) & (size == 0)
        for column, allowed, good in (
            (TIME, "seconds of one day", table[:, TIME] < DAY_NS),
            (TYPE, "1 to 7", (kind >= 1) & (kind <= _HALT)),
            (ID, "0 to 2^62 - 1", ~named | ((table[:, ID] >= 0) & (table[:, ID] < _MOST_ID))),
            (SIZE, "1 to 2^32 - 1", halt | empty | ((size >= 1) & (size < _MOST_SIZE))),
            (PRICE, "-1, 0 or 1 for a halt", ~halt | (np.abs(price) <= 1)),
            (PRICE, "1 to 2^32 - 1", halt | empty | ((price >= 1) & (price < _MOST_PRICE))),
            (DIRECTION, "1 or -1", halt | (kind == _CROSS) | (np.abs(table[:, DIRECTION]) == 1)),
        ):
            _require(file, table[:, column], line, _COLUMNS[column], allowed, good)
        displayed = named & (kind != _EXECUTED)
        _require_ticks(file, price, line, displayed, self._step)
        ticks = moved(price, np.where(kind == _CROSS, 0, -table[:, DIRECTION]), self._step)
        self._defects.add("other_trades", int(np.count_nonzero(empty)))
        self._defects.add("between_ticks", int(np.count_nonzero(~halt & ~empty & (price % self._step != 0))))
        table[:, PRICE] = np.where(halt | empty, price, ticks)
        table[:, TIME] += start_ns
        return table


_NO_BOOK = "without its orderbook file, orders from before its start and levels that leave the {levels} visible ones are unknown"


class _BookRows:
    """The recorded book in ticks, some rows at a time."""

    def __init__(self, file: InputFile, levels: int, step: int, stack: ExitStack) -> None:
        self._file, self._step = file, step
        fields = file.head.split(b"\n", 1)[0].count(b",") + 1
        if fields != 4 * levels or levels > _MOST_LEVELS:
            raise DataError(file.path, "line 1", f"has {fields} fields; expected 4 for each of {levels} levels, as the name says")
        names = [
            f"{side} {what} {level}" for level in range(1, levels + 1) for side in ("ask", "bid") for what in ("price", "size")
        ]
        self._rows = Rows(file, names, stack)

    def take(self, count: int, messages: InputFile) -> Ints:
        """Return the next rows.

        Raises:
            DataError: fewer rows than messages, or levels that are no book.
        """
        line = self._rows.line
        shown = self._rows.take(count)
        if len(shown) < count:
            lines = self._rows.line - 1
            problem = f"ends after {lines} lines, {messages.name} does not; expected one line for each message"
            raise DataError(self._file.path, f"line {lines}", problem)
        for side, across in ((1, 2), (-1, 0)):
            price, size = shown[:, across::4], shown[:, across + 1 :: 4]
            there = size > 0
            good = (size >= 0) & (size < _MOST_SIZE * _MOST_LEVELS) & (~there | ((price > 0) & (price < _MOST_PRICE)))
            good[:, 1:] &= ~there[:, 1:] | (there[:, :-1] & ((price[:, :-1] - price[:, 1:]) * side > 0))
            if not good.all():
                row, level = np.argwhere(~good)[0].tolist()
                what = f"{'bid' if side > 0 else 'ask'} {level + 1} is {size[row, level]} at {price[row, level]}"
                problem = f"{what}; expected sizes from 0 and prices from 1 to 2^32 - 1, best first"
                raise DataError(self._file.path, f"line {line + row}", problem)
            _require_ticks(self._file, price, line, there, self._step)
            shown[:, across::4] = price // self._step
        return shown

    def require_end(self, messages: InputFile, line: int) -> None:
        """Refuse rows after the last message; *line* is the number of the line after it.

        Raises:
            DataError: there are some.
        """
        if len(self._rows.take(1)):
            problem = f"goes on, but {messages.name} ends with line {line - 1}; expected one line for each message"
            raise DataError(self._file.path, f"line {line}", problem)


def _name_of(file: InputFile) -> DayName | None:
    """Return what the name of a file says, or that of the one file that it packs."""
    return day_name(file.member or file.name)


def _begun(follower: Follower, table: Ints, states: Ints) -> Made:
    """Return the snapshot from before the first message, and the events after it."""
    before, after = follower.snapshot(table[0], states[0], 1), follower.take(table, states, 1)
    return Made(np.concatenate([before.events, after.events]), np.concatenate([before.places, after.places]))


def _require(file: InputFile, values: Ints, line: int, name: str, allowed: str, good: npt.NDArray[np.bool_]) -> None:
    """Refuse the first value that is not *good*."""
    if not good.all():
        row = int(np.argmin(good))
        value = f"{values[row] // 1_000_000_000}.{values[row] % 1_000_000_000:09}" if name == "time" else values[row]
        raise DataError(file.path, f"line {line + row}", f"{name} is {value}; allowed: {allowed}")


def _require_ticks(file: InputFile, prices: Ints, line: int, displayed: npt.NDArray[np.bool_], step: int) -> None:
    """Refuse the first displayed price between two ticks."""
    off = displayed & (prices % step != 0)
    if off.any():
        row = np.argwhere(off)[0]
        problem = (
            f"price is {prices[tuple(row)] * UNIT:f}, which is not a multiple of the tick size {step * UNIT:f}; --tick {UNIT} fits"
        )
        raise DataError(file.path, f"line {line + row[0]}", problem)
