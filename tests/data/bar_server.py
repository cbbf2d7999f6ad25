"""A local HTTP server that speaks Binance's and Finnhub's wire formats, and fails on demand."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

NOW_S = 1_723_161_630
FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
    {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001"},
]
MARKET = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "baseAssetPrecision": 8,
    "quoteAsset": "USDT",
    "quotePrecision": 8,
    "quoteAssetPrecision": 8,
    "orderTypes": ["LIMIT"],
    "isSpotTradingAllowed": True,
    "isMarginTradingAllowed": False,
    "filters": FILTERS,
    "permissions": [],
    "permissionSets": [["SPOT"]],
}


def price(minute):
    return 60_000.0 + minute % 97


class Server(ThreadingHTTPServer):
    """Answers as told: ``script`` holds, per path, what comes before the usual answer."""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.seen, self.release = {}, [], threading.Event()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.seen.append((parts.path, query, dict(self.headers)))
        told = self.server.script.get(parts.path)
        step = told.pop(0) if told else None
        if step == "hang":
            self.server.release.wait(5)
            return
        if step == "garbage":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
            self.close_connection = True
            return
        if isinstance(step, tuple):
            self._send(*step)
            return
        body = json.dumps(ANSWERS[parts.path](query)).encode()
        self._send(200, body[: len(body) // 2] if step == "truncate" else body, {}, announced=len(body))

    def _send(self, code, body, headers, announced=None):
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(announced or len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True


def klines(query):
    begin, most = int(query["startTime"]) // 60_000, int(query["limit"])
    last = NOW_S // 60  # the bar that is still being made is among them
    return [
        [
            minute * 60_000,
            *(f"{price(minute) + more:.2f}" for more in (0, 5, -5, 1)),
            "1.5",
            minute * 60_000 + 59_999,
            "9",
            3,
            "1",
            "6",
            "0",
        ]
        for minute in range(begin, min(begin + most, last + 1))
    ]


def candles(query):
    until_s = min(int(query["to"]), NOW_S - 3 * 86_400 if query["symbol"] == "WEEKEND" else 2**40)
    minutes = [minute for minute in range(int(query["from"]) // 60 + 1, until_s // 60 + 1) if minute % 3]  # gaps
    if not minutes or query["symbol"] == "NONE":
        return {"s": "no_data"}
    columns = {name: [price(minute) + more for minute in minutes] for name, more in zip("ohlc", (0, 5, -5, 1), strict=True)}
    return {**columns, "s": "ok", "t": [60 * minute for minute in minutes], "v": [100] * len(minutes)}


ANSWERS = {
    "/api/v3/time": lambda _: {"serverTime": NOW_S * 1000},
    "/api/v3/exchangeInfo": lambda _: {"timezone": "UTC", "serverTime": NOW_S * 1000, "rateLimits": [], "symbols": [MARKET]},
    "/api/v3/klines": klines,
    "/stock/candle": candles,
    "/quote": lambda query: {"c": 0 if query["symbol"] == "NONE" else 213.31, "d": 1.2, "dp": 0.5, "t": NOW_S},
}


@contextmanager
def serving():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()
