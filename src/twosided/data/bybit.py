"""Bybit: lines of its ``orderbook.N`` stream as its site offers them for download, and of ``publicTrade``.

A ``snapshot`` replaces the book, also in the middle (the venue's service restarted); a ``delta`` sets levels, a size of 0 removes.
The update id ``u`` grows by one from message to message; a hole is counted and the book kept, and a delta that is not newer than
the book is left out. Where a capture has books of several depths, the first one is read. Times: ``cts`` (matching) where
there is one, else ``ts`` (sending), in ms; where the lines have no time of receipt it is ``ts``. A trade's ``S`` is the taker's.
Rules: bybit-exchange.github.io/docs/v5/websocket/public/orderbook and .../trade.
"""

import re
from typing import Any

from twosided.data.capture import CaptureReader, Message, changes, millis_ns, number_text, whole
from twosided.data.files import InputFile
from twosided.data.raw import Settings

__all__ = ["BybitReader", "is_bybit"]

_TOPIC = re.compile(rb'\\?"topic\\?": ?\\?"(orderbook\.[0-9]|publicTrade\.)')
_SIDES = {"Buy": 1, "Sell": -1}


def is_bybit(file: InputFile) -> str | None:
    """Return "" for a file whose head has a book or trades of Bybit, else None."""
    return "" if _TOPIC.search(file.head) else None


class BybitReader(CaptureReader):
    """Reads one symbol; the module says by which rules."""

    venue = "bybit"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._topic = ""  # of the book
        self._last_id = 0  # where the book stands; 0 before it begins

    def _add(self, message: Message) -> None:
        data = message.data
        topic = data.get("topic", "") if message.kind == "recv" else ""
        if topic.startswith("orderbook."):
            if self._is_ours(message, data["data"]["s"]):
                self._add_book(message, topic)
        elif topic.startswith("publicTrade."):
            for trade in data["data"]:
                if self._is_ours(message, trade["s"]):
                    self._add_trade(message, trade)
        elif message.kind == "recv":
            self._defects.add("other_messages")

    def _add_book(self, message: Message, topic: str) -> None:
        self._topic = self._topic or topic
        if topic != self._topic:
            self._defects.add("other_messages")
            return
        data = message.data["data"]
        number, sent_ns = whole(data, "u"), millis_ns(message.data, "ts")
        bids, asks = changes(data["b"]), changes(data["a"])
        kind = message.data["type"]
        if kind not in {"snapshot", "delta"}:
            raise ValueError(f"type is {kind!r:.60}; expected snapshot or delta")
        if kind == "delta" and self._last_id and number <= self._last_id:
            self._defects.add("stale_updates")
            return
        if kind == "delta" and self._last_id and number != self._last_id + 1:
            note = f"{message.file.name}, line {message.line}: update {number} does not follow {self._last_id}"
            self._defects.add("gaps", note=note)
        self._last_id = number
        exch_ns = self._book_time(millis_ns(message.data, "cts") if "cts" in message.data else sent_ns)
        local_ns = message.local_ns or sent_ns
        self._add_levels((message.line, local_ns, exch_ns, number), bids, asks, is_snapshot=kind == "snapshot")

    def _add_trade(self, message: Message, trade: dict[str, Any]) -> None:
        price, size = number_text(trade["p"]), number_text(trade["v"])
        if trade.get("BT") is True or not size.strip("0."):
            self._defects.add("other_trades")
            return
        if trade["S"] not in _SIDES:
            raise ValueError(f"S is {trade['S']!r:.60}; expected Buy or Sell")
        number = whole(trade, "seq") if "seq" in trade else 0
        local_ns = message.local_ns or millis_ns(message.data, "ts")
        self._rows.add_trade(message.line, local_ns, millis_ns(trade, "T"), number, _SIDES[trade["S"]], (price, size))
