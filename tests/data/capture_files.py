"""Small captures of Bybit, Coinbase, Kraken and Hyperliquid, message by message, and the three ways of writing them down."""

import json
from zlib import crc32

MS, T0 = 1_000_000, 1_700_000_000_000  # ms


def dumped(message):
    return message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))


def stamped(messages, *, step_ms=10):
    """Return lines of ``<local ns> <json>``, 3 ms after the venue's time of each message."""
    return "".join(f"{(T0 + i * step_ms + 3) * MS} {dumped(message)}\n" for i, message in enumerate(messages))


def plain(messages):
    """Return lines of JSON."""
    return "".join(f"{dumped(message)}\n" for message in messages)


def wrapped(exchange, messages, *, http=(), connection="A.ws.1", converted=None, begin=0, step_ms=10):
    """Return lines with connections, a header and REST answers."""
    start = T0 + begin
    lines = [{"t": "header", "format": 2, "exchange": exchange, "recorded": start / 1000, "converted_from": converted}]
    lines += [{"t": "http", "conn": "A.http.1", "ts": start / 1000, "url": url, "data": dumped(said)} for url, said in http]
    lines.append({"t": "connect", "conn": connection, "ts": start / 1000, "addr": "wss://x"})
    lines.append({"t": "send", "conn": connection, "ts": start / 1000, "addr": "wss://x", "data": "{}"})
    lines += [
        {"t": "recv", "conn": connection, "ts": (start + i * step_ms + 3) / 1000, "data": dumped(message)}
        for i, message in enumerate(messages)
    ]
    return plain(lines)


def iso(ms):
    """Return a time of the first minutes after T0 (22:13:20) as Coinbase and Kraken write it."""
    seconds, rest = divmod(ms - T0 + 20_000, 1000)
    return f"2023-11-14T22:{13 + seconds // 60:02}:{seconds % 60:02}.{rest:03}Z"


# ---------------------------------------------------------------- Bybit


def bybit_book(kind, number, bids=(), asks=(), *, at=0, topic="orderbook.50.BTCUSDT", **fields):
    symbol = topic.rsplit(".", 1)[1]
    data = {"s": symbol, "b": list(bids), "a": list(asks), "u": number, "seq": 9 * number}
    return {"topic": topic, "type": kind, "ts": T0 + at, "data": data, "cts": T0 + at - 2, **fields}


def bybit_trade(price, size, side="Buy", *, at=0, **fields):
    trade = {"T": T0 + at - 1, "s": "BTCUSDT", "S": side, "v": size, "p": price, "i": "a-uuid", "BT": False, **fields}
    return {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": T0 + at, "data": [trade]}


def bybit_small():
    messages = [bybit_book("snapshot", 7, [["99.5", "1.5"], ["99.0", "2"]], [["100.5", "1"], ["101.0", "3"]])]
    for step in range(8):
        at = 10 * step + 10
        messages.append(bybit_book("delta", 8 + step, [["99.5", f"{step}.25"]], [["100.5", f"{9 - step}"]], at=at))
        messages.append(bybit_trade("100.5", "0.25", "Buy" if step % 2 else "Sell", at=at + 1))
    return messages


# ---------------------------------------------------------------- Coinbase


def coinbase(channel, number, *events, at=0):
    return {"channel": channel, "client_id": "", "timestamp": iso(T0 + at), "sequence_num": number, "events": list(events)}


def coinbase_book(kind, bids=(), asks=(), *, at=0, product="BTC-USD"):
    levels = [("bid", level) for level in bids] + [("offer", level) for level in asks]
    updates = [
        {"side": side, "event_time": iso(T0 + at - 2), "price_level": price, "new_quantity": size} for side, (price, size) in levels
    ]
    return {"type": kind, "product_id": product, "updates": updates}


def coinbase_trade(price, size, maker_side, *, at=0, number="7", product="BTC-USD"):
    return {"product_id": product, "trade_id": number, "price": price, "size": size, "time": iso(T0 + at), "side": maker_side}


def coinbase_small():
    messages = [
        coinbase("subscriptions", 0, {"subscriptions": {"level2": ["BTC-USD"]}}),
        coinbase("l2_data", 1, coinbase_book("snapshot", [("99.5", "1.5"), ("99", "2")], [("100.5", "1"), ("101", "3")])),
        coinbase("market_trades", 2, {"type": "snapshot", "trades": [coinbase_trade("99.5", "1", "BUY")]}),
    ]
    for step in range(6):
        at = 10 * step + 30
        update = coinbase_book("update", [("99.5", f"{step}.25")], [("100.5", f"{9 - step}")], at=at)
        trade = coinbase_trade("100.5", "0.25", "SELL" if step % 2 else "BUY", at=at, number=f"{8 + step}")
        messages.append(coinbase("l2_data", 3 + 3 * step, update, at=at))
        messages.append(coinbase("market_trades", 4 + 3 * step, {"type": "update", "trades": [trade]}, at=at))
        messages.append(coinbase("heartbeats", 5 + 3 * step, {"heartbeat_counter": step}, at=at))
    return messages


# ---------------------------------------------------------------- Kraken


def kraken_checksum(bids, asks):
    """Return Kraken's checksum of two whole sides, as its documentation words it."""
    best = [*sorted(asks, key=lambda level: float(level[0]))[:10], *sorted(bids, key=lambda level: -float(level[0]))[:10]]
    return crc32("".join(f"{text.replace('.', '').lstrip('0')}" for level in best for text in level[:2]).encode())


class Kraken:
    """Sends a book as Kraken does, in version 1 or 2, with the right checksums."""

    def __init__(self, version, *, symbol="XBT/USD", depth=10):
        self.version, self.symbol, self.depth, self.sides, self.at, self.messages = version, symbol, depth, ({}, {}), 0, []

    def book(self, bids=(), asks=(), *, snapshot=False, checksum=None, symbol=None):
        if snapshot:
            self.sides = ({}, {})
        for side, levels in zip(self.sides, (bids, asks), strict=True):
            for price, size in levels:
                side.pop(price, None)
                if float(size):
                    side[price] = size
        for index, sign in ((0, -1), (1, 1)):
            kept = sorted(self.sides[index].items(), key=lambda level: sign * float(level[0]))[: self.depth]
            self.sides = (dict(kept), self.sides[1]) if index == 0 else (self.sides[0], dict(kept))
        right = kraken_checksum(*(list(side.items()) for side in self.sides)) if checksum is None else checksum
        self.at += 10
        return self._say(bids, asks, snapshot, right, symbol or self.symbol)

    def _say(self, bids, asks, snapshot, checksum, symbol):
        if self.version == 1:
            time = f"{(T0 + self.at) / 1000:.6f}"
            parts = [{key + "s" * snapshot: [[*level, time] for level in levels]} for key, levels in (("a", asks), ("b", bids))]
            parts = [{**parts[0], **parts[1]}] if snapshot else [part for part in parts if next(iter(part.values()))]
            if not snapshot:
                parts[-1]["c"] = str(checksum)
            self.messages.append(dumped([5, *parts, f"book-{self.depth}", symbol]))
        else:
            shown = ["[" + ",".join(f'{{"price":{price},"qty":{size}}}' for price, size in levels) + "]" for levels in (bids, asks)]
            entry = (
                f'"symbol":"{symbol}","bids":{shown[0]},"asks":{shown[1]},"checksum":{checksum},"timestamp":"{iso(T0 + self.at)}"'
            )
            kind = "snapshot" if snapshot else "update"
            self.messages.append(f'{{"channel":"book","type":"{kind}","data":[{{{entry}}}]}}')
        return self

    def trade(self, price, size, side="buy", *, number=7, snapshot=False):
        if self.version == 1:
            self.messages.append([6, [[price, size, f"{(T0 + self.at) / 1000:.6f}", side[0], "l", ""]], "trade", self.symbol])
        else:
            kind = "snapshot" if snapshot else "update"
            entry = f'"symbol":"{self.symbol}","side":"{side}","price":{price},"qty":{size},"ord_type":"limit","trade_id":{number}'
            self.messages.append(f'{{"channel":"trade","type":"{kind}","data":[{{{entry},"timestamp":"{iso(T0 + self.at)}"}}]}}')
        return self

    def instrument(self, price_precision=1, qty_precision=8):
        pair = {
            "symbol": self.symbol,
            "price_precision": price_precision,
            "qty_precision": qty_precision,
            "price_increment": 10.0**-price_precision,
            "qty_increment": 10.0**-qty_precision,
        }
        self.messages.append({"channel": "instrument", "type": "snapshot", "data": {"assets": [], "pairs": [pair]}})
        return self


def asset_pairs(symbol="XBT/USD", **fields):
    """Return the REST answer that states a pair's decimals."""
    pair = {"altname": "X", "wsname": symbol, "pair_decimals": 1, "lot_decimals": 8, **fields}
    return ("https://api.kraken.com/0/public/AssetPairs", {"error": [], "result": {"XXBTZUSD": pair}})


def kraken_small(version):
    made = Kraken(version)
    if version == 2:
        made.instrument()
    made.book([("99.5", "1.50000000"), ("99.0", "2.00000000")], [("100.5", "1.00000000"), ("101.0", "3.00000000")], snapshot=True)
    for step in range(8):
        made.book([("99.5", f"{step}.25000000")], [("100.5", f"{9 - step}.00000000")])
        made.trade("100.5", "0.25000000", "buy" if step % 2 else "sell")
    return made.messages


# ---------------------------------------------------------------- Hyperliquid


def hyperliquid_book(bids=(), asks=(), *, at=0, coin="BTC"):
    sides = [[{"n": 1, "px": price, "sz": size} for price, size in side] for side in (bids, asks)]
    return {"channel": "l2Book", "data": {"coin": coin, "levels": sides, "time": T0 + at}}


def hyperliquid_trade(price, size, side="B", *, at=0, coin="BTC", number=7):
    trade = {"coin": coin, "hash": "0x0", "px": price, "side": side, "sz": size, "tid": number, "time": T0 + at}
    return {"channel": "trades", "data": [trade]}


def hyperliquid_small():
    messages = []
    for step in range(8):
        at = 10 * step
        bids = [("99.5", f"{step}.25"), ("99.0", "2")][step % 3 % 2 :]
        messages.append(hyperliquid_book(bids, [("100.5", f"{9 - step}"), ("101.0", "3")], at=at))
        messages.append(hyperliquid_trade("100.5", "0.25", "AB"[step % 2], at=at, number=step))
    return messages


SMALL = {
    "bybit": lambda: plain(bybit_small()),
    "bybit stamped": lambda: stamped(bybit_small()),
    "coinbase": lambda: stamped(coinbase_small()),
    "coinbase wrapped": lambda: wrapped("COINBASE", coinbase_small(), http=[coinbase_products()]),
    "kraken 1": lambda: wrapped("KRAKEN", kraken_small(1), http=[asset_pairs()]),
    "kraken 2": lambda: stamped(kraken_small(2)),
    "hyperliquid": lambda: stamped(hyperliquid_small()),
}


def coinbase_products(**fields):
    """Return the REST answer that states a product's steps."""
    product = {"product_id": "BTC-USD", "price_increment": "0.01", "base_increment": "0.00000001", "quote_currency_id": "USD"}
    return ("https://api.coinbase.com/api/v3/brokerage/market/products", {"products": [{**product, **fields}]})
