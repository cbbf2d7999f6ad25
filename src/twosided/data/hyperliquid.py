"""Hyperliquid: captures of its channels ``l2Book`` (the best 20 levels of both sides, whole, every time) and ``trades``.

Each book becomes the differences to the one before (`states.py`); a level that leaves the best 20 is gone, although orders may
stand there. A book is as of the block whose ``time`` it has, in ms; a trade's ``side`` is the taker's, B a buyer and A a seller.
The first message of ``trades`` repeats trades from before the subscription: those older than the first book are left out.
Tick and lot are inferred: prices have five significant digits, so the tick grows with the price. Rules:
hyperliquid.gitbook.io/hyperliquid-docs, "Websocket" and "Tick and lot size".
"""

import re
from typing import Any

from twosided.data.capture import CaptureReader, Message, millis_ns, number_text, whole
from twosided.data.files import InputFile
from twosided.data.numbers import Ints
from twosided.data.raw import Settings
from twosided.data.rows import Side
from twosided.data.states import StateDifferences
from twosided.market.event import Events

__all__ = ["HyperliquidReader", "is_hyperliquid"]

_CHANNEL = re.compile(rb'\\?"channel\\?": ?\\?"(?:l2Book\\?"|trades\\?", ?\\?"data\\?": ?\[\{\\?"coin\\?")')
_SIDES = {"B": 1, "A": -1}
_QUIET = {"subscriptionResponse", "pong"}


def is_hyperliquid(file: InputFile) -> str | None:
    """Return "" for a capture of Hyperliquid, else None."""
    return "" if _CHANNEL.search(file.head) else None


class HyperliquidReader(CaptureReader):
    """Reads one coin; the module says by which rules."""

    venue = "hyperliquid"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.currency = "USD"
        self._differences = StateDifferences()
        self._first_ns = 0  # time of the first book

    def settle(self, events: Events) -> tuple[Events, Ints | None]:
        """Return *events*, every book replaced by what changed since the one before."""
        return self._differences.settle(events)

    def _begin_symbol(self) -> None:
        """Do nothing: a coin's name does not say its currency, and all are quoted in dollars."""

    def _add(self, message: Message) -> None:
        data = message.data
        if message.kind != "recv":
            return
        channel = data["channel"]
        if channel == "l2Book":
            if self._is_ours(message, data["data"]["coin"]):
                self._add_book(message, data["data"])
        elif channel == "trades":
            for trade in data["data"]:
                if self._is_ours(message, trade["coin"]):
                    self._add_trade(message, trade)
        elif channel not in _QUIET:
            self._defects.add("other_messages")

    def _add_book(self, message: Message, book: dict[str, Any]) -> None:
        sides = book["levels"]
        if not isinstance(sides, list) or len(sides) != 2:
            raise ValueError(f"levels are {sides!r:.60}; expected bids and asks")
        bids, asks = (_levels(side) for side in sides)
        sent_ns = millis_ns(book, "time")
        self._first_ns = self._first_ns or sent_ns
        self._rows.add_state(message.line, message.local_ns or sent_ns, self._book_time(sent_ns), bids, asks)

    def _add_trade(self, message: Message, trade: dict[str, Any]) -> None:
        exch_ns, price, size = millis_ns(trade, "time"), number_text(trade["px"]), number_text(trade["sz"])
        if trade["side"] not in _SIDES:
            raise ValueError(f"side is {trade['side']!r:.60}; expected A or B")
        number = whole(trade, "tid")
        if exch_ns < self._first_ns:
            self._defects.add("past_trades")
        elif not size.strip("0."):
            self._defects.add("other_trades")
        else:
            side = _SIDES[trade["side"]]
            self._rows.add_trade(message.line, message.local_ns or exch_ns, exch_ns, number, side, (price, size))


def _levels(side: Any) -> Side:
    """Return (prices, sizes) of one side."""
    return [number_text(level["px"]) for level in side], [number_text(level["sz"]) for level in side]
