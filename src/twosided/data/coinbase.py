"""Coinbase Advanced Trade: captures of its channels ``level2`` (sent as ``l2_data``) and ``market_trades``.

An ``l2_data`` event is a snapshot of a product or sets levels to a new quantity, 0 removes. ``sequence_num`` counts the messages of
a connection over all its channels and products: a hole may hold anything, so it is counted whatever symbol is read. Trades of a
``market_trades`` snapshot happened before the capture began and are left out; `side` is the maker's, so the aggressor's is the
other. Times: ``event_time`` of levels and ``time`` of trades (matching), where they say nothing the message's ``timestamp``.
Tick, lot and currency are those of the product list, where it was asked for through REST and recorded.
Rules: docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels.
"""

import re
from decimal import Decimal
from typing import Any

from twosided.data.capture import CaptureReader, Message, number_text, time_ns, whole
from twosided.data.files import InputFile
from twosided.data.raw import Settings
from twosided.units import exact_decimal

__all__ = ["CoinbaseReader", "is_coinbase"]

_HEADER = re.compile(rb'^\{"t":"header"[^\n]{0,200}"exchange":"COINBASE"')
_CHANNEL = re.compile(rb'\\?"channel\\?": ?\\?"(l2_data|market_trades)\\?"')
_QUIET = {"subscriptions", "heartbeats", "status"}
_SIDES = {"bid": 1, "offer": -1}
_AGGRESSORS = {"BUY": -1, "SELL": 1}  # of the maker's side


def is_coinbase(file: InputFile) -> str | None:
    """Return "" for a capture of Coinbase, else None."""
    return "" if _HEADER.match(file.head) or _CHANNEL.search(file.head) else None


class CoinbaseReader(CaptureReader):
    """Reads one symbol; the module says by which rules."""

    venue = "coinbase"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._last: dict[str, int] = {}  # sequence number by connection
        self._products: dict[str, dict[str, Any]] = {}

    def _add(self, message: Message) -> None:
        data = message.data
        if message.kind == "http":
            if isinstance(data.get("products"), list):
                self._products |= {product["product_id"]: product for product in data["products"]}
            return
        if message.kind == "connect":
            self._last.pop(message.where, None)
        if message.kind != "recv":
            return
        channel = data.get("channel", "")
        if "sequence_num" in data:
            self._count(message, whole(data, "sequence_num"))
        if channel == "l2_data":
            for event in data["events"]:
                if self._is_ours(message, event["product_id"]):
                    self._add_book(message, event)
        elif channel == "market_trades":
            for event in data["events"]:
                for trade in reversed(event["trades"]):  # the latest stands first
                    if self._is_ours(message, trade["product_id"]):
                        self._add_trade(message, event, trade)
        elif channel not in _QUIET:
            self._defects.add("other_messages")

    def _begin_symbol(self) -> None:
        super()._begin_symbol()
        product = self._products.get(self.symbol, {})
        if product:
            self.tick_size = _step(product, "price_increment" if "price_increment" in product else "quote_increment")
            self.lot_size = _step(product, "base_increment")
            self.currency = product.get("quote_currency_id") or self.currency
            self._products.clear()

    def _count(self, message: Message, number: int) -> None:
        """Count a hole in the numbers of a connection; 0 begins anew."""
        last = self._last.get(message.where)
        if last is not None and number not in {last + 1, 0}:
            note = f"{message.file.name}, line {message.line}: message {number} does not follow {last}"
            self._defects.add("gaps", note=note)
        self._last[message.where] = number

    def _add_book(self, message: Message, event: dict[str, Any]) -> None:
        kind, updates = event["type"], event["updates"]
        if kind not in {"snapshot", "update"}:
            raise ValueError(f"type is {kind!r:.60}; expected snapshot or update")
        sides: dict[int, tuple[list[str], list[str]]] = {1: ([], []), -1: ([], [])}
        event_ns, text = 0, ""
        for update in updates:
            if update["side"] not in _SIDES:
                raise ValueError(f"side is {update['side']!r:.60}; expected bid or offer")
            prices, sizes = sides[_SIDES[update["side"]]]
            prices.append(number_text(update["price_level"]))
            sizes.append(number_text(update["new_quantity"]))
            if update["event_time"] != text:
                text = update["event_time"]
                event_ns = max(event_ns, time_ns(text))
        sent_ns = time_ns(message.data["timestamp"])
        exch_ns = self._book_time(event_ns or sent_ns)
        number, local_ns = whole(message.data, "sequence_num"), message.local_ns or sent_ns
        self._add_levels((message.line, local_ns, exch_ns, number), sides[1], sides[-1], is_snapshot=kind == "snapshot")

    def _add_trade(self, message: Message, event: dict[str, Any], trade: dict[str, Any]) -> None:
        if event["type"] == "snapshot":
            self._defects.add("past_trades")
            return
        price, size, number = (number_text(trade[name]) for name in ("price", "size", "trade_id"))
        if trade["side"] not in _AGGRESSORS:
            raise ValueError(f"side is {trade['side']!r:.60}; expected BUY or SELL")
        if not size.strip("0."):
            self._defects.add("other_trades")
            return
        if not (number.isascii() and number.isdecimal() and len(number) < 19):
            self._defects.add("bad_trade_ids")
            number = "0"
        exch_ns, side = time_ns(trade["time"]), _AGGRESSORS[trade["side"]]
        local_ns = message.local_ns or time_ns(message.data["timestamp"])
        self._rows.add_trade(message.line, local_ns, exch_ns, int(number), side, (price, size))


def _step(product: dict[str, Any], name: str) -> Decimal:
    step = exact_decimal(product[name], name=name)
    if step <= 0:
        raise ValueError(f"{name} is {step}; expected above 0")
    return step
