"""Kraken: captures of its ``book`` and ``trade`` channels, version 1 (arrays) and version 2 (objects), every checksum verified.

A book has a depth: 10, 25, 100, 500 or 1000 levels a side, as the channel's name (``book-1000``) or the answer to the subscription
says. A level that an update pushes beyond the depth is forgotten, for Kraken says no more of it; the reader keeps a book of its own
to know which, and adds their removal to the update. An update carries the CRC32 of the best ten asks (from the lowest)
and bids (from the highest), each as price and quantity without their point and without zeros in front. In version 1 the texts are
those of the message, in version 2 numbers with the decimals of the ``instrument`` channel, where it was recorded, and as they stand
otherwise. A checksum that differs is counted: the book is wrong until the next snapshot.

Times: the latest of a message's levels (version 1), or its ``timestamp``. A trade's side is the taker's. Tick and lot: of the
``instrument`` channel (version 2), or of the AssetPairs that were asked for through REST and recorded. Rules:
docs.kraken.com/exchange/guides/websockets/book-checksum-v1 and -v2.
"""

import json
import re
from bisect import bisect_left
from decimal import Decimal
from typing import Any, NoReturn
from zlib import crc32

from twosided.data.capture import CaptureReader, Message, time_ns, whole
from twosided.data.files import InputFile
from twosided.data.raw import Settings
from twosided.data.rows import Side
from twosided.units import exact_decimal

__all__ = ["KrakenBook", "KrakenReader", "is_kraken"]

_HEADER = re.compile(rb'^\{"t":"header"[^\n]{0,200}"exchange":"KRAKEN"')
_CHANNEL = re.compile(
    rb'\\?"channel\\?": ?\\?"(?:book|trade|instrument)\\?", ?\\?"type\\?": ?\\?"(?:snapshot|update)\\?"'  # version 2
    rb'|\\?"book-[0-9]{2,4}\\?", ?\\?"'  # version 1
)
_NUMBER = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")
_DEPTHS = (10, 25, 100, 500, 1000)
_MOST_DECIMALS = 18
_CHECKED = 10
Changes = list[tuple[int, str, str]]  # side, price, size

_SIDES = {"b": 1, "s": -1, "buy": 1, "sell": -1}
_QUIET = {"heartbeat", "status", "systemStatus", "subscriptionStatus", "pong"}


def is_kraken(file: InputFile) -> str | None:
    """Return "" for a capture of Kraken, else None."""
    return "" if _HEADER.match(file.head) or _CHANNEL.search(file.head) else None


class KrakenBook:
    """The best levels of one symbol, as Kraken wants them kept.

    >>> book = KrakenBook(10)
    >>> book.set(-1, "0.05005", "0.00000500"); book.set(1, "0.05000", "0.00000500")
    >>> book.checksum() == crc32(b"5005500" + b"5000500")
    True
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self._prices: dict[int, list[Decimal]] = {1: [], -1: []}  # ascending in side × price, so the best bid is the last one
        self._texts: dict[int, dict[Decimal, tuple[str, str]]] = {1: {}, -1: {}}  # price as it was written, and for the checksum

    def set(self, side: int, price: str, size: str) -> None:
        """Let the level at *price* hold *size*; zero removes it."""
        key = Decimal(price)
        prices, texts = self._prices[side], self._texts[side]
        if not size.strip("0."):
            if texts.pop(key, None) is not None:
                del prices[bisect_left(prices, key)]
            return
        if key not in texts:
            prices.insert(bisect_left(prices, key), key)
        texts[key] = price, f"{price.replace('.', '').lstrip('0')}{size.replace('.', '').lstrip('0')}"

    def truncate(self, side: int) -> list[str]:
        """Forget the levels beyond the depth; return their prices."""
        prices, texts = self._prices[side], self._texts[side]
        extra = len(prices) - self.depth
        if extra <= 0:
            return []
        gone = slice(0, extra) if side > 0 else slice(self.depth, None)
        forgotten = [texts.pop(key)[0] for key in prices[gone]]
        del prices[gone]
        return forgotten

    def checksum(self) -> int:
        """Return the CRC32 of the best ten levels of both sides."""
        asks, bids = self._prices[-1][:_CHECKED], self._prices[1][: -_CHECKED - 1 : -1]
        text = "".join([self._texts[-1][key][1] for key in asks] + [self._texts[1][key][1] for key in bids])
        return crc32(text.encode())


class KrakenReader(CaptureReader):
    """Reads one symbol; the module says by which rules."""

    venue = "kraken"
    shapes = (dict, list)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._book: KrakenBook | None = None  # from the first snapshot on
        self._depth = 0  # 0 while it is not known
        self._pairs: dict[str, dict[str, Any]] = {}  # what is said of symbols before the one that is read is known
        self._decimals: tuple[int, int] | None = None  # of prices and sizes (version 2)

    @staticmethod
    def _loads(body: bytes | str) -> Any:
        return json.loads(body, parse_float=str, parse_constant=_refuse)  # numbers stay as they are written

    def _add(self, message: Message) -> None:
        data = message.data
        if message.kind == "http":
            if isinstance(data.get("result"), dict):
                self._pairs |= {pair["wsname"]: pair for pair in data["result"].values() if "wsname" in pair}
            return
        if message.kind != "recv":
            return
        if isinstance(data, list):
            self._add_array(message, data)
        elif data.get("channel") == "book":
            for entry in data["data"]:
                if self._is_ours(message, entry["symbol"]):
                    self._add_entry(message, data["type"], entry)
        elif data.get("channel") == "trade":
            for trade in data["data"]:
                if self._is_ours(message, trade["symbol"]):
                    said = (*self._texts(trade["price"], trade["qty"]), trade["timestamp"], trade["side"])
                    self._add_trade(message, said, whole(trade, "trade_id"), is_past=data["type"] == "snapshot")
        elif data.get("channel") == "instrument":
            self._pairs |= {pair["symbol"]: pair for pair in data["data"]["pairs"]}
            self._take_pair()
        elif data.get("method") == "subscribe":
            self._take_depth(data.get("result"))
        elif data.get("channel", data.get("event")) not in _QUIET:
            self._defects.add("other_messages")

    def _take_depth(self, result: Any) -> None:
        """Take the depth that the answer to a subscription states."""
        if isinstance(result, dict) and result.get("channel") == "book" and result.get("depth") in _DEPTHS:
            self._depth = result["depth"]

    def _begin_symbol(self) -> None:
        super()._begin_symbol()
        self._take_pair()

    def _take_pair(self) -> None:
        """Take what is said of the symbol that is read."""
        pair = self._pairs.get(self.symbol)
        if not pair:
            return
        if "price_increment" in pair:
            self.tick_size, self.lot_size = (exact_decimal(pair[name], name=name) for name in ("price_increment", "qty_increment"))
            self._decimals = whole(pair, "price_precision", _MOST_DECIMALS), whole(pair, "qty_precision", _MOST_DECIMALS)
        else:
            decimals = [whole(pair, name, _MOST_DECIMALS) for name in ("pair_decimals", "lot_decimals")]
            self.tick_size, self.lot_size = (Decimal(1).scaleb(-each) for each in decimals)
            if "tick_size" in pair:
                self.tick_size = exact_decimal(pair["tick_size"], name="tick_size")
        if min(self.tick_size, self.lot_size) <= 0:
            raise ValueError(f"steps are {self.tick_size} and {self.lot_size}; expected above 0")
        self._pairs.clear()

    # ------------------------------------------------------------ version 1

    def _add_array(self, message: Message, data: list[Any]) -> None:
        """Add [channel, content, (more content,) name, pair]."""
        name, symbol = data[-2], data[-1]
        if not isinstance(name, str):
            raise TypeError(f"the channel's name is {name!r:.60}; expected text")
        if name != "trade" and not name.startswith("book"):
            self._defects.add("other_messages")
        elif not self._is_ours(message, symbol):
            return
        elif name == "trade":
            for trade in data[1]:
                self._add_trade(message, (_text(trade[0]), _text(trade[1]), trade[2], trade[3]), 0, is_past=False)
        else:
            self._depth = _depth_in(name)
            content: dict[str, Any] = {}
            for part in data[1:-2]:
                content |= part
            is_snapshot = "as" in content or "bs" in content
            levels = [(side, level) for side, key in ((1, "b"), (-1, "a")) for level in content.get(key + "s" * is_snapshot, [])]
            exch_ns = max((time_ns(level[2]) for _side, level in levels), default=0)
            changes = [(side, _text(level[0]), _text(level[1])) for side, level in levels]
            self._add_book(message, changes, exch_ns, content.get("c"), is_snapshot=is_snapshot)

    # ------------------------------------------------------------ version 2

    def _add_entry(self, message: Message, kind: Any, entry: dict[str, Any]) -> None:
        if kind not in {"snapshot", "update"}:
            raise ValueError(f"type is {kind!r:.60}; expected snapshot or update")
        sides = (1, entry.get("bids", [])), (-1, entry.get("asks", []))
        if kind == "snapshot" and not self._depth:
            longest = max(len(levels) for _side, levels in sides)
            self._depth = longest if longest in _DEPTHS else _DEPTHS[-1]  # a thin book does not show its depth
        exch_ns = time_ns(entry["timestamp"]) if "timestamp" in entry else 0
        changes = [(side, *self._texts(level["price"], level["qty"])) for side, levels in sides for level in levels]
        self._add_book(message, changes, exch_ns, entry.get("checksum"), is_snapshot=kind == "snapshot")

    def _texts(self, price: Any, size: Any) -> tuple[str, str]:
        """Return a price and a size with the decimals that the checksum wants."""
        texts = _text(price), _text(size)
        if self._decimals is None:
            return texts
        return _with_decimals(texts[0], self._decimals[0]), _with_decimals(texts[1], self._decimals[1])

    # ------------------------------------------------------------ both

    def _add_book(self, message: Message, changes: Changes, exch_ns: int, checksum: Any, *, is_snapshot: bool) -> None:
        exch_ns = self._book_time(exch_ns or self._book_ns or message.local_ns)
        if is_snapshot:
            self._book = KrakenBook(self._depth or _DEPTHS[-1])
        if self._book is not None:
            for side, price, size in changes:
                self._book.set(side, price, size)
            changes += [(side, price, "0") for side in (1, -1) for price in self._book.truncate(side)]
            if checksum is not None:
                self._verify(message, checksum)
        bids, asks = ([each[1:] for each in changes if each[0] == side] for side in (1, -1))
        place = message.line, message.local_ns or exch_ns, exch_ns, 0
        self._add_levels(place, _columns(bids), _columns(asks), is_snapshot=is_snapshot)

    def _verify(self, message: Message, checksum: Any) -> None:
        if not (isinstance(checksum, int | str) and str(checksum).isdecimal()):
            raise ValueError(f"checksum is {checksum!r:.60}; expected a whole number")
        expected = self._book.checksum() if self._book is not None else 0
        if str(checksum) != str(expected):
            note = f"{message.file.name}, line {message.line}: the book's checksum is {expected}, Kraken's {checksum!s:.20}"
            self._defects.add("checksum_failures", note=note)

    def _add_trade(self, message: Message, trade: tuple[str, str, Any, Any], number: int, *, is_past: bool) -> None:
        price, size, time, side = trade
        exch_ns = time_ns(time)
        if side not in _SIDES:
            raise ValueError(f"side is {side!r:.60}; expected b, s, buy or sell")
        if is_past:
            self._defects.add("past_trades")
        elif not size.strip("0."):
            self._defects.add("other_trades")
        else:
            self._rows.add_trade(message.line, message.local_ns or exch_ns, exch_ns, number, _SIDES[side], (price, size))


def _depth_in(name: str) -> int:
    """Return the depth of a channel such as ``book-1000``; ``book`` alone has 10 levels."""
    depth = name.partition("-")[2] or "10"
    if depth not in {str(known) for known in _DEPTHS}:
        raise ValueError(f"the channel is {name!r:.60}; expected book-N with N of {', '.join(map(str, _DEPTHS))}")
    return int(depth)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"a number is {name}; expected a decimal number")


def _text(value: Any) -> str:
    """Return a number as it is written.

    Raises:
        ValueError: it is none.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise ValueError(f"a price or size is {value!r:.60}; expected a decimal number")
    return f"{Decimal(text):f}" if "e" in text.lower() else text


def _columns(levels: list[tuple[str, str]]) -> Side:
    """Return (prices, sizes)."""
    return [price for price, _size in levels], [size for _price, size in levels]


def _with_decimals(text: str, decimals: int) -> str:
    """Return a number with *decimals*, or as it stands where that would round it."""
    number = Decimal(text)
    shown = f"{number:.{decimals}f}"
    return shown if Decimal(shown) == number else text
