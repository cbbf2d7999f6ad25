"""Captures of a venue's websocket: lines of JSON with or without the time of receipt, and what all their readers share.

Where you are in the pipe: file -> *messages* -> reader -> events. Three ways of writing a capture are known, by the first line:

    <local ns> <json>                                                            as many collectors do
    {"t":"recv","conn":"KRAKEN.ws.1","ts":1618678133.55,"data":"<json>"}         with connections, requests and a header
    <json>                                                                       as downloaded: the venue's send time is local time

The second kind also tells of connections that were opened (``"t":"connect"``) and of REST answers (``"t":"http"``), which state the
instruments. One that says in its header that it was converted from several files has their connections one after the other: they
are read side by side and merged by time, each by a pass of its own.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from heapq import merge
from math import isfinite
from typing import Any, NamedTuple

import orjson

from twosided.data.files import InputFile, brief
from twosided.data.numbers import Ints
from twosided.data.raw import Raw, Settings
from twosided.data.rows import Rows, Side
from twosided.errors import DataError
from twosided.market.event import Events

__all__ = ["CaptureReader", "Message", "capture_start_ns", "changes", "messages", "millis_ns", "number_text", "time_ns", "whole"]

_LATEST_NS = 1 << 62
_LATEST_MS = _LATEST_NS // 1_000_000
_LATEST_ID = 1 << 63
_MOST_TICKS = (1 << 31) - 1
_MOST_CONNECTIONS = 64
_CARRYING = ("recv", "http")  # kinds of message that carry what the venue sent
_CONNECTION = re.compile(rb'"conn":"([^"]{1,200})"')
_CONVERTED = re.compile(rb'^\{"t":"header".*"converted_from":[^n]')
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}):([0-5][0-9])(?:\.([0-9]{1,9}))?Z")
_CURRENCIES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD", "BTC", "ETH", "EUR", "GBP", "JPY", "BRL", "TRY")

Loads = Callable[[bytes | str], Any]


class Message(NamedTuple):
    """One line."""

    file: InputFile
    line: int
    local_ns: int  # 0 where the line does not say
    kind: str  # "recv", "http", "connect", ...; "recv" where the capture does not tell them apart
    where: str  # the connection, or the address that was asked
    data: Any  # what the venue sent; None for kinds that carry nothing


# ---------------------------------------------------------------- lines


def messages(file: InputFile, loads: Loads = orjson.loads) -> Iterator[Message]:
    """Yield the messages of a capture, by time where its connections stand one after the other.

    Raises:
        DataError: a line of another form, or JSON that is damaged.
    """
    if not _CONVERTED.match(file.head[: file.head.find(b"\n") + 1]):
        yield from (_parsed(file, number, line, loads) for number, line in file.lines())
        return
    names = _connections(file)
    if len(names) < 2:
        yield from (_parsed(file, number, line, loads) for number, line in file.lines())
    else:
        parts = [_of_connection(file, name, loads) for name in names]
        yield from merge(*parts, key=lambda message: message.local_ns)


def _connections(file: InputFile) -> list[bytes]:
    """Return the connections of a capture in their order."""
    names: dict[bytes, None] = {}
    for number, line in file.lines():
        found = _CONNECTION.search(line[:300])
        if found:
            names[found[1]] = None
        if len(names) > _MOST_CONNECTIONS:
            problem = f"has more than {_MOST_CONNECTIONS} connections one after the other; split it"
            raise DataError(file.path, f"line {number}", problem)
    return list(names)


def _of_connection(file: InputFile, name: bytes, loads: Loads) -> Iterator[Message]:
    """Yield the messages of one connection."""
    own = InputFile(file.path)  # each pass has a place of its own in the file
    for number, line in own.lines():
        found = _CONNECTION.search(line[:300])
        if found and found[1] == name:
            yield _parsed(file, number, line, loads)
        elif not found and not line.startswith(b'{"t":"header"'):
            _parsed(file, number, line, loads)  # a line of no connection has no place: say what it is
            raise DataError(file.path, f"line {number}", f"begins with {line[:24]!r}; expected a connection")
    file.bytes_read = max(file.bytes_read, own.bytes_read)


def _parsed(file: InputFile, number: int, line: bytes, loads: Loads) -> Message:
    """Split a line.

    Raises:
        DataError: it has no form that is known.
    """
    local_ns, body = 0, line
    if line[:1].isdigit():
        stamp, _, body = line.partition(b" ")
        if not stamp.isdigit() or len(stamp) > 19:
            raise DataError(file.path, f"line {number}", f"begins with {line[:24]!r}; expected `<local ns> <json>`")
        local_ns = int(stamp)
        if local_ns >= _LATEST_NS:
            raise DataError(file.path, f"line {number}", f"local time is {local_ns}; expected ns since 1970")
    data = _loaded(file, number, body, loads, line)
    if isinstance(data, dict) and isinstance(data.get("t"), str) and ("ts" in data or "recorded" in data):
        return _unwrapped(file, number, data, loads, line)
    return Message(file, number, local_ns, "recv", "", data)


def _unwrapped(file: InputFile, number: int, data: dict[str, Any], loads: Loads, line: bytes) -> Message:
    """Return the message of a line of the second kind."""
    kind, stamp, body = data["t"], data.get("ts", data.get("recorded")), data.get("data")
    where = data.get("url", data.get("conn", ""))
    if not isinstance(where, str) or not isinstance(stamp, float | int | str) or isinstance(stamp, bool):
        raise DataError(file.path, f"line {number}", f"conn is {where!r:.60} and ts {stamp!r:.60}; expected text and seconds")
    local_ns = _seconds_ns(str(stamp))
    if local_ns < 0:
        raise DataError(file.path, f"line {number}", f"ts is {stamp!r:.60}; expected seconds since 1970")
    if kind in _CARRYING:
        if not isinstance(body, str):
            raise DataError(file.path, f"line {number}", f"data is {body!r:.60}; expected the message as text")
        return Message(file, number, local_ns, kind, where, _loaded(file, number, body, loads, line))
    return Message(file, number, local_ns, kind, where, None)


def _loaded(file: InputFile, number: int, body: bytes | str, loads: Loads, line: bytes) -> Any:
    try:
        return loads(body)
    except (ValueError, RecursionError) as error:
        end = "" if line.endswith(b"\n") else "; the line has no end, so the file may be truncated"
        raise DataError(file.path, f"line {number}", f"not a message in JSON ({brief(error)}){end}") from None


def capture_start_ns(file: InputFile) -> int:
    """Return the first time of receipt in a capture, or the first ``ts`` in ms where there is none; 0 for neither."""
    for message in messages(file):
        if message.local_ns:
            return message.local_ns
        sent = message.data.get("ts") if isinstance(message.data, dict) else None
        return sent * 1_000_000 if type(sent) is int and 0 <= sent < _LATEST_MS else 0
    return 0


# ---------------------------------------------------------------- values


def _seconds_ns(text: str) -> int:
    """Return decimal seconds as ns, -1 where they are none."""
    seconds, _, fraction = text.partition(".")
    if not seconds.isdecimal() or len(seconds) > 10 or not (fraction or "0").isdecimal() or not (seconds + fraction).isascii():
        return -1
    total = int(seconds) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
    return total if total < _LATEST_NS else -1


@lru_cache(maxsize=1024)
def _minute_ns(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def time_ns(value: Any) -> int:
    """Return a time as ns: ``2026-08-09T21:05:48.228568804Z``, or decimal seconds as text.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str):
        found = _TIME.fullmatch(value)
        if found:
            time = _minute_ns(found[1]) + int(found[2]) * 1_000_000_000 + int((found[3] or "").ljust(9, "0"))
        else:
            time = _seconds_ns(value)
        if 0 <= time < _LATEST_NS:
            return time
    raise ValueError(f"time is {value!r:.60}; expected YYYY-MM-DDThh:mm:ss.sssZ or seconds")


def whole(data: dict[str, Any], name: str, limit: int = _LATEST_ID) -> int:
    """Return a whole number of a message.

    Raises:
        KeyError, ValueError: it has none of this name, or one that is no whole number from 0 to below *limit*.
    """
    value = data[name]
    if type(value) is not int or not 0 <= value < limit:
        raise ValueError(f"{name} is {value!r:.60}; expected a whole number")
    return value


def millis_ns(data: dict[str, Any], name: str) -> int:
    """Return a time in milliseconds as ns; raises as `whole` does."""
    return whole(data, name, _LATEST_MS) * 1_000_000


def number_text(value: Any) -> str:
    """Return a number that stands in JSON as text.

    Raises:
        ValueError: it is not text.
    """
    if not isinstance(value, str):
        raise ValueError(f"a price or size is {value!r:.60}; expected a decimal number as text")  # noqa: TRY004 - a value of a file
    return value


def changes(levels: Any) -> Side:
    """Return (prices, sizes) of a list of [price, size, ...] in text.

    Raises:
        ValueError, TypeError: it is not one.
    """
    if not isinstance(levels, list):
        raise TypeError(f"levels are {levels!r:.60}; expected a list")
    return [number_text(level[0]) for level in levels], [number_text(level[1]) for level in levels]


def _finest(prices: list[str]) -> float:
    """Return the step of the price with the most decimals."""
    return float(10.0 ** -max((len(price.partition(".")[2]) for price in prices), default=0))


# ---------------------------------------------------------------- what readers share


class CaptureReader(ABC):
    """Reads one symbol of a capture; a venue's reader says what its messages mean."""

    venue = ""
    shapes: tuple[type, ...] = (dict,)  # of what the venue sends

    def __init__(self, settings: Settings) -> None:
        self._wanted, self._defects = settings.symbol, settings.defects
        self.symbol, self.currency, self.multiplier = settings.symbol or "", "USD", Decimal(1)
        self.tick_size: Decimal | None = None
        self.lot_size: Decimal | None = None
        self._symbols: set[str] = set()
        self._file: InputFile | None = None  # of the block
        self._rows = Rows()
        self._book_ns = 0  # exchange time of the last book message
        self._highest = 0.0  # price of a level that is read; 0 before the first snapshot

    def read(self, file: InputFile) -> Iterator[Raw]:
        """Yield the events of *file*.

        Raises:
            DataError: a line that is no message as the venue sends them, or messages of several symbols.
        """
        for message in messages(file, self._loads):
            if self._rows.is_full or message.file is not self._file:
                yield from self._flush()
                self._file = message.file
            try:
                if message.kind in _CARRYING and not isinstance(message.data, self.shapes):
                    raise ValueError(f"it is {message.data!r:.60}; expected an object")  # noqa: TRY301 - a value of a file
                self._add(message)
            except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
                if isinstance(error, DataError):
                    raise
                reason = f"no {error}" if isinstance(error, KeyError) else brief(error)
                raise DataError(file.path, f"line {message.line}", f"not a message as {self.venue} sends them: {reason}") from None

    def finish(self) -> Iterator[Raw]:
        """Yield what was held back.

        Raises:
            DataError: there was nothing of the symbol asked for.
        """
        yield from self._flush()
        if self._wanted and self._symbols and self.symbol not in self._symbols and self._file is not None:
            known = ", ".join(sorted(self._symbols)[:20])
            raise DataError(self._file.path, "", f"has no messages of {self._wanted:.60}, only of {known}")

    def settle(self, events: Events) -> tuple[Events, Ints | None]:
        """Return *events* as they are."""
        return events, None

    @staticmethod
    def _loads(body: bytes | str) -> Any:
        return orjson.loads(body)

    @abstractmethod
    def _add(self, message: Message) -> None:
        """Add one message to the block."""

    def _flush(self) -> Iterator[Raw]:
        if self._file is not None and self._rows.messages:
            yield self._rows.take(self._file)

    def _is_ours(self, message: Message, symbol: Any) -> bool:
        """Say whether a symbol is the one that is read; the first one decides where the user did not.

        Raises:
            DataError: a second symbol, and the user did not choose.
        """
        if symbol == self.symbol and symbol in self._symbols:
            return True
        if not isinstance(symbol, str):
            raise TypeError(f"symbol is {symbol!r:.60}; expected text")
        self._symbols.add(symbol)
        if not self.symbol or (self._wanted and symbol.upper() == self._wanted.upper()):
            self.symbol = symbol
            self._begin_symbol()
        elif symbol != self.symbol and not self._wanted:
            problem = f"has messages of {self.symbol:.60} and of {symbol:.60}; choose one with --symbol"
            raise DataError(message.file.path, f"line {message.line}", problem)
        return symbol == self.symbol

    def _begin_symbol(self) -> None:
        """Take note of the symbol, now that it is known."""
        separate = re.split(r"[/-]", self.symbol)
        ending = next((each for each in _CURRENCIES if self.symbol.upper().endswith(each)), "USD")
        self.currency = separate[1] if len(separate) == 2 and separate[1] else ending

    def _add_levels(self, place: tuple[int, int, int, int], bids: Side, asks: Side, *, is_snapshot: bool) -> None:
        """Add a message that sets levels; *place* is its line, times and number.

        Anybody may offer at any price: levels beyond 2^31 ticks, which no 32-bit price can name, are left out.
        """
        if is_snapshot:
            self._highest = _MOST_TICKS * float(self.tick_size or _finest([*bids[0], *asks[0]]))
        add = self._rows.add_snapshot if is_snapshot else self._rows.add_change
        add(*place, self._nearby(bids), self._nearby(asks))

    def _nearby(self, levels: Side) -> Side:
        """Return *levels* without those that are too far away to be counted."""
        prices, sizes = levels
        if not self._highest or not prices or max(map(float, prices)) < self._highest:
            return levels
        if not all(map(isfinite, map(float, prices))):
            raise ValueError("a price is not a number")
        near = [(price, size) for price, size in zip(prices, sizes, strict=True) if float(price) < self._highest]
        self._defects.add("far_levels", len(prices) - len(near))
        return [price for price, _size in near], [size for _price, size in near]

    def _book_time(self, exch_ns: int) -> int:
        """Return the exchange time of a book message: the venue's order says in which order they happened."""
        if exch_ns < self._book_ns:
            self._defects.add("book_time_backwards")
        self._book_ns = max(self._book_ns, exch_ns)
        return self._book_ns
