"""Binance: raw captures of the websocket streams, one ``<local ns> <json>`` a line, with the REST snapshot among them.

Read are ``depth@...`` (changes of the book, in order of their update ids: `sequence.py`), ``bookTicker`` (the best prices, each
time they change), ``trade`` (``aggTrade`` only where there is none) and the REST snapshot. Changes that came before the snapshot
wait for it; those that it contains are left out, the others follow it and carry its local time, because only then could they
be used. A hole is counted and the book kept: no better is known. Between two changes the book follows ``bookTicker``, as far as its
ids are later than the last change's: `overlay.py`. One that comes after a change of a later id, or its own, only checks the book.

Times: ``T`` (matching) where there is one, else ``E`` (sending), in milliseconds. A spot snapshot has no time: it gets that of the
message before it, and never one later than the changes that follow it. Book messages never go back in exchange time: the
venue's ids say in which order they happened.

What trades did to the book is in the ``bookTicker`` after them, but the streams do not keep that order among themselves, and times
are whole milliseconds. So that no trade meets a book that already lacks what it took, a ``bookTicker`` gets the latest time that
is possible: on futures a nanosecond after its ``T``, behind the trades of the same millisecond; on spot, where it has no time, its
local time less the smallest latency (of ``T`` or ``E`` to receipt) of the last ten to twenty seconds.
"""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from twosided.data.files import InputFile, brief
from twosided.data.numbers import Ints
from twosided.data.overlay import BEST_PRICES, SILENT, Overlay
from twosided.data.raw import Raw, Settings
from twosided.data.rows import Rows, Texts
from twosided.data.sequence import BookSequence, Change, Verdict
from twosided.errors import DataError
from twosided.market.event import Events
from twosided.units import duration_text

__all__ = ["BinanceReader", "binance_start_ns", "is_binance"]

_FEWEST_HEAD_LINES, _MOST_HEAD_LINES = 1_000, 10_000
_LATEST_NS = 1 << 62
_LATEST_MS = _LATEST_NS // 1_000_000
_LATEST_ID = 1 << 63
_CHANGE_STREAM, _STREAM_BYTES, _LINES_AT_ONCE = b"@depth", 64, 64
_NS_PER_MS = 1_000_000
_LONGEST_GAP_MS = 60_000  # longer ones are counted as this
_PIECE_NS = 10 * 10**9  # the smallest latency is that of the current piece of time and the one before
_QUOTE_CURRENCIES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "JPY")
_PARTIAL_BOOK = re.compile(r"@depth[0-9]")


class _Message(NamedTuple):
    """One line."""

    file: InputFile
    line: int
    local_ns: int
    stream: str  # "" where the capture does not name it
    data: dict[str, Any]


def is_binance(head: bytes) -> bool:
    """Say whether a file that begins with *head* has lines of ``<local ns> <json>``."""
    stamp, _, body = head.split(b"\n", 1)[0].partition(b" ")
    return stamp.isdigit() and body[:1] == b"{"


def binance_start_ns(file: InputFile) -> int:
    """Return the local time of the first line."""
    return int(file.head.split(b" ", 1)[0])


class BinanceReader:
    """Reads one symbol of a capture; the module says by which rules."""

    def __init__(self, settings: Settings) -> None:
        self._wanted = settings.symbol.upper() if settings.symbol else ""
        self._defects, self._check = settings.defects, settings.book_check
        self.symbol, self.venue, self.currency, self.multiplier = self._wanted, "binance", "USD", Decimal(1)
        self.tick_size = self.lot_size = None
        self._symbols: set[str] = set()
        self._head: list[_Message] | None = []  # held until it is known where the snapshot is; None once it is
        self._lines = 0
        self._snapshot_seen = False
        self._trades = "trade"
        self._book = BookSequence(wait=True)
        self._overlay = Overlay()
        self._exch_ns = 0  # of the last message that has a time
        self._book_ns = 0  # of the last book message
        self._change_ns = 0  # of the last change, as the venue says it
        self._gaps_ms: Counter[int] = Counter()  # from change to change
        self._latency = _SmallestLatency()
        self._file: InputFile | None = None  # of the block
        self._rows = Rows()

    def read(self, file: InputFile) -> Iterator[Raw]:
        """Yield the events of *file*.

        Raises:
            DataError: a line that is not ``<local ns> <json>`` of a known shape, or messages of several symbols.
        """
        for number, line in file.lines():
            if self._head is None:
                if number % _LINES_AT_ONCE == 0 or file is not self._file:
                    yield from self._turn(file)
                if _CHANGE_STREAM in line[:_STREAM_BYTES] or not self._put_short(number, line):
                    self._put(_parsed(file, number, line))
                continue
            message = _parsed(file, number, line)
            self._lines += 1
            self._snapshot_seen = self._snapshot_seen or (not message.stream and "lastUpdateId" in message.data)
            self._head.append(message)
            if self._lines >= (_FEWEST_HEAD_LINES if self._snapshot_seen else _MOST_HEAD_LINES):
                yield from self._open_head()

    def finish(self) -> Iterator[Raw]:
        """Yield what was held back.

        Raises:
            DataError: there was nothing of the symbol asked for.
        """
        yield from self._open_head()
        yield from self._turn(None)
        self._say_touch()
        if self._wanted and self._symbols and self._wanted not in self._symbols and self._file is not None:
            raise DataError(self._file.path, "", f"has no messages of {self._wanted}, only of {', '.join(sorted(self._symbols))}")

    def settle(self, events: Events) -> tuple[Events, Ints | None]:
        """Return *events*, between the changes of which the book follows the best prices."""
        settled = self._overlay.settle(events)
        if self._check is not None:
            self._check.see(settled.checks, settled.best)
        return settled.events, settled.origin

    def _open_head(self) -> Iterator[Raw]:
        """Decide what the first lines let one decide, and read them."""
        if self._head is None:
            return
        head, self._head = self._head, None
        kinds = {message.data.get("e") for message in head}
        self._trades = "aggTrade" if "aggTrade" in kinds and "trade" not in kinds else "trade"
        self._book.wait = self._snapshot_seen
        self._exch_ns = next((time for time in map(_time_of_any, head) if time), 0)
        for message in head:
            if _time_of_any(message):
                self._latency.see(message.local_ns, _time_of_any(message))
        for message in head:
            yield from self._turn(message.file)
            self._put(message)

    def _put_short(self, line: int, content: bytes) -> bool:
        """Add a bookTicker or a trade, most lines are such, by the shortest way; False where it is unlike the others."""
        stamp, _, body = content.partition(b" ")
        try:
            data, local_ns = orjson.loads(body)["data"], int(stamp) if stamp.isdigit() else _LATEST_NS
            if local_ns >= _LATEST_NS or data["s"] != self.symbol or self.symbol not in self._symbols:
                return False
            kind = data.get("e")
            if kind is None or kind == "bookTicker":
                self._add_best(line, local_ns, data)
            elif kind == "trade":
                self._add_trade(line, local_ns, data, kind)
            else:
                return False
        except (KeyError, TypeError, ValueError, AttributeError):
            return False
        return True

    def _put(self, message: _Message) -> None:
        """Add one message to the block.

        Raises:
            DataError: it is not as Binance sends them.
        """
        try:
            self._add(message)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, DataError):
                raise
            reason = f"no {error}" if isinstance(error, KeyError) else brief(error)
            raise DataError(message.file.path, f"line {message.line}", f"not a message as Binance sends them: {reason}") from None

    def _turn(self, file: InputFile | None) -> Iterator[Raw]:
        """Yield the block where it is full, or of another file than what comes next (None: nothing comes)."""
        if self._rows.is_full or file is not self._file:
            if self._file is not None and self._rows.messages:
                yield self._rows.take(self._file)
            self._file = file or self._file

    def _say_touch(self) -> None:
        """Say how the touch was made, once everything is settled."""
        found = self._overlay.staleness
        if found.messages:
            share = found.stale_ns / found.total_ns if found.total_ns else 0.0
            self._defects.note(
                f"touch from bookTicker: {found.changes:,} change{'s' * (found.changes != 1)} of the best prices between depth "
                f"updates; without it the touch would be wrong {share:.1%} of the time, "
                f"for up to {duration_text(found.longest_ns)} and by up to {found.furthest_ticks:,} ticks"
            )
            if self._check is not None:
                self._check.say({"touch": {"from": "bookTicker", **found._asdict()}})
        elif self._gaps_ms:
            gap = duration_text(_median(self._gaps_ms) * _NS_PER_MS)
            self._defects.note(f"no bookTicker: the touch moves with depth updates alone, every {gap} in the median")

    # ------------------------------------------------------------ messages

    def _add(self, message: _Message) -> None:
        data = message.data
        kind = data.get("e")
        if kind == "bookTicker" or (kind is None and "u" in data and "B" in data):  # spot does not name it
            if self._is_ours(message):
                self._add_best(message.line, message.local_ns, data)
        elif kind in {"trade", "aggTrade"}:
            if self._is_ours(message):
                self._add_trade(message.line, message.local_ns, data, kind)
        elif kind == "depthUpdate" and not _PARTIAL_BOOK.search(message.stream):
            if self._is_ours(message):
                self._add_change(message)
        elif kind is None and not message.stream and "lastUpdateId" in data:
            self._add_snapshot(message)
        else:
            self._defects.add("other_messages")

    def _is_ours(self, message: _Message) -> bool:
        """Say whether a message is of the symbol that is read; the first one decides where the user did not.

        Raises:
            DataError: a second symbol, and the user did not choose.
        """
        symbol = message.data["s"]
        if symbol == self.symbol and symbol in self._symbols:
            return True
        if not isinstance(symbol, str):
            raise TypeError(f"symbol is {symbol!r:.60}")
        self._symbols.add(symbol)
        if not self.symbol:
            self.symbol = symbol
        elif symbol != self.symbol and not self._wanted:
            problem = f"has messages of {self.symbol:.60} and of {symbol:.60}; choose one with --symbol"
            raise DataError(message.file.path, f"line {message.line}", problem)
        self.currency = next((each for each in _QUOTE_CURRENCIES if self.symbol.endswith(each)), "USD")
        return symbol == self.symbol

    def _add_snapshot(self, message: _Message) -> None:
        if len(self._symbols) > 1:
            problem = f"a snapshot that does not say of which symbol it is, in a capture of {', '.join(sorted(self._symbols))}"
            raise DataError(message.file.path, f"line {message.line}", f"{problem}; expected one symbol per file")
        update_id = _whole(message.data, "lastUpdateId", _LATEST_ID)
        again = self._book.snapshot(update_id)
        if again is None:
            self._defects.add("stale_snapshots")
            return
        exch_ns = _time_of(message.data) or self._exch_ns or message.local_ns
        if again:
            exch_ns = min(exch_ns, _time_of(again[0].what.data))
        self._book_ns = max(self._book_ns, exch_ns)
        bids, asks = _levels(message.data["bids"]), _levels(message.data["asks"])
        self._rows.add_snapshot(message.line, message.local_ns, self._book_ns, update_id, bids, asks)
        for change in again:
            self._add_change(change.what._replace(local_ns=message.local_ns))

    def _add_change(self, message: _Message) -> None:
        data = message.data
        previous = None
        if "pu" in data:
            previous, self.venue = _whole(data, "pu", _LATEST_ID), "binance-futures"
        change = Change(_whole(data, "U", _LATEST_ID), _whole(data, "u", _LATEST_ID), previous, message)
        exch_ns = _time_of(data)
        self._latency.see(message.local_ns, exch_ns)
        before = self._book.last_id
        verdict = self._book.change(change)
        if verdict is Verdict.STALE:
            self._defects.add("stale_updates")
        elif verdict is Verdict.GAP:
            place = f"{message.file.name}, line {message.line}"
            self._defects.add("gaps", note=f"{place}: updates {change.first_id} to {change.last_id} do not follow {before}")
        if verdict in {Verdict.APPLY, Verdict.GAP}:
            if exch_ns < self._change_ns:
                self._defects.add("book_time_backwards")
            if self._change_ns:
                self._gaps_ms[min(max(exch_ns - self._change_ns, 0) // _NS_PER_MS, _LONGEST_GAP_MS)] += 1
            self._change_ns = max(self._change_ns, exch_ns)
            self._book_ns = max(self._book_ns, exch_ns)
            head = message.line, message.local_ns, self._book_ns, change.last_id
            bids, asks = _levels(data["b"]), _levels(data["a"])
            if bids[0] or asks[0]:
                self._rows.add_change(*head, bids, asks)
            else:
                self._rows.add_mark(*head, SILENT)
        self._exch_ns = exch_ns

    def _add_trade(self, line: int, local_ns: int, data: dict[str, Any], kind: str) -> None:
        if kind != self._trades:
            return
        if type(data["m"]) is not bool:
            raise TypeError(f"m is {data['m']!r:.60}; expected true or false")
        number = _whole(data, "t" if kind == "trade" else "a", _LATEST_ID)
        self._exch_ns = _time_of(data)
        self._latency.see(local_ns, self._exch_ns)
        if data.get("X", "MARKET") != "MARKET" or not data["q"].strip("0."):
            self._defects.add("other_trades")
            return
        side = -1 if data["m"] else 1  # m: the buyer rested, so the seller came for him
        self._rows.add_trade(line, local_ns, self._exch_ns, number, side, (data["p"], data["q"]))

    def _add_best(self, line: int, local_ns: int, data: dict[str, Any]) -> None:
        number, prices, sizes = _whole(data, "u", _LATEST_ID), (data["b"], data["a"]), (data["B"], data["A"])
        name = "T" if "T" in data else "E"
        timed = name in data
        exch_ns = _whole(data, name, _LATEST_MS) * _NS_PER_MS + 1 if timed else local_ns - self._latency.smallest_ns
        if self._book.last_id is not None:  # else it waits for the book
            self._book_ns = exch_ns = max(self._book_ns, exch_ns)
        self._rows.add_best(line, local_ns, exch_ns, number, BEST_PRICES, prices, sizes)


class _SmallestLatency:
    """The smallest ``local_ns - exch_ns`` of late; not of ever, because clocks drift."""

    def __init__(self) -> None:
        self.smallest_ns = self._before_ns = self._now_ns = 0
        self._piece = -1

    def see(self, local_ns: int, exch_ns: int) -> None:
        """Take in the two times of a message."""
        latency_ns, piece = local_ns - exch_ns, local_ns // _PIECE_NS
        if piece != self._piece:
            self._before_ns = self._now_ns if self._piece >= 0 else latency_ns
            self._now_ns, self._piece = latency_ns, piece
        self._now_ns = min(self._now_ns, latency_ns)
        self.smallest_ns = min(self._before_ns, self._now_ns)


def _median(counts: Counter[int]) -> int:
    """Return the lower median of what was counted."""
    half = (counts.total() + 1) // 2
    for value in sorted(counts):
        half -= counts[value]
        if half <= 0:
            return value
    return 0


def _parsed(file: InputFile, number: int, line: bytes) -> _Message:
    """Split a line.

    Raises:
        DataError: it is not ``<local ns> <json>``.
    """
    stamp, _, body = line.partition(b" ")
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        end = "" if line.endswith(b"\n") else "; the line has no end, so the file may be truncated"
        raise DataError(file.path, f"line {number}", f"not `<local ns> <json>` ({error}){end}") from None
    if not stamp.isdigit() or not isinstance(data, dict) or len(stamp) > 19 or int(stamp) >= _LATEST_NS:
        raise DataError(file.path, f"line {number}", f"begins with {line[:24]!r}; expected `<local ns> <json>`")
    stream = data.get("stream", "")
    if stream:
        data = data.get("data")
    if not isinstance(stream, str) or not isinstance(data, dict):
        raise DataError(file.path, f"line {number}", "not a message as Binance sends them: expected stream and data")
    return _Message(file, number, int(stamp), stream, data)


def _whole(data: dict[str, Any], name: str, limit: int) -> int:
    value = data[name]
    if type(value) is not int or not 0 <= value < limit:
        raise ValueError(f"{name} is {value!r:.60}; expected a whole number")
    return value


def _time_of(data: dict[str, Any]) -> int:
    """Return a message's exchange time in ns: ``T``, else ``E``; 0 where it has none (spot snapshots)."""
    name = "T" if "T" in data else "E"
    if name not in data and "lastUpdateId" in data:
        return 0
    return _whole(data, name, _LATEST_MS) * 1_000_000


def _time_of_any(message: _Message) -> int:
    """Return the exchange time of a message of any kind, 0 where it has none that can be used."""
    value = message.data.get("T", message.data.get("E"))
    return value * 1_000_000 if type(value) is int and 0 <= value < _LATEST_MS else 0


def _levels(levels: list[list[str]]) -> tuple[Texts, Texts]:
    """Return (prices, sizes) of a list of [price, size]."""
    if not levels:
        return (), ()
    prices, sizes = zip(*levels, strict=True)
    return prices, sizes
