"""Bars over the network: both wire formats, and everything that goes wrong, told in words; nothing here waits."""

import json

import numpy as np
import pytest
from bar_server import NOW_S, price, serving

from twosided.data.bars import Limiter, Quote, bars_of, synthetic_book, write_book
from twosided.data.bars_finnhub import Finnhub
from twosided.data.recording import load
from twosided.errors import InputError
from twosided.market.touch import touches

KEY = "sekrit-key-123"
CANDLE, KLINES = "/stock/candle", "/api/v3/klines"


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def server():
    with serving() as made:
        yield made


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def patience_s(request):
    """How long an answer is waited for: briefly where none will come, else longer than a busy machine may take."""
    return 0.3 if "timeout" in request.node.name else 30.0


@pytest.fixture
def finnhub(server, clock, patience_s):
    limiter = Limiter(60, 60.0, clock, clock.sleep)
    return Finnhub(KEY, address=server.address, limiter=limiter, now_s=lambda: NOW_S, timeout_s=patience_s)


@pytest.fixture
def binance(server, clock, patience_s):
    source = pytest.importorskip("twosided.data.bars_ccxt", exc_type=InputError)
    exchange = source.new_binance(f"{server.address}/api/v3", timeout_s=patience_s)

    def fetch(symbol="BTC/USDT", count=1000):
        return source.binance_bars(symbol, count=count, exchange=exchange, limiter=Limiter(600, 60.0, clock, clock.sleep))

    return fetch


# ---------------------------------------------------------------- what comes


def test_a_thousand_bars_of_binance_come_in_pages_and_without_the_unfinished_one(server, binance):
    found = binance()
    last = NOW_S // 60 - 1
    np.testing.assert_array_equal(found.begin_ns, np.arange(last - 999, last + 1) * 60 * 10**9)
    np.testing.assert_array_equal(found.open, [price(minute) for minute in range(last - 999, last + 1)])
    assert (found.high - found.low == 10).all()
    asked = [query for path, query, _ in server.seen if path == KLINES]
    assert [query["limit"] for query in asked] == ["500", "500"]
    assert {query["symbol"] for query in asked} == {"BTCUSDT"}


def test_bars_of_finnhub_come_page_by_page_where_a_market_was_closed(server, finnhub):
    found = finnhub.bars("AAPL", "1m", 6000)
    assert len(found) == 6000
    assert (np.diff(found.begin_ns) > 0).all()
    assert found.begin_ns[-1] <= NOW_S * 10**9
    pages = [query for path, query, _ in server.seen if path == CANDLE]
    assert pages[0]["resolution"] == "1"
    assert all(headers["X-Finnhub-Token"] == KEY for _, _, headers in server.seen)
    assert not any(KEY in json.dumps(query) for _, query, _ in server.seen)  # never in an address


def test_after_a_long_weekend_there_are_still_bars_of_the_week_before(finnhub):
    assert len(finnhub.bars("WEEKEND", "1m", 20)) == 20


def test_the_bar_that_is_still_being_made_is_left_out(server):
    now_s = NOW_S + 60  # in the middle of a minute of which there is a bar
    found = Finnhub(KEY, address=server.address, now_s=lambda: now_s).bars("AAPL", "1m", 20)
    assert len(found) == 20
    assert found.begin_ns[-1] + 60 * 10**9 <= now_s * 10**9 < found.begin_ns[-1] + 180 * 10**9


def test_the_key_follows_no_redirection(server, finnhub):
    with serving() as elsewhere:
        server.script[CANDLE] = [(302, b"", {"Location": f"{elsewhere.address}{CANDLE}?symbol=AAPL&from=0&to=60000"})]
        finnhub.bars("AAPL", "1m", 20)
        assert elsewhere.seen
        assert all("X-Finnhub-Token".lower() not in map(str.lower, headers) for _, _, headers in elsewhere.seen)


def test_a_price_that_is_none_makes_no_book(server, finnhub):
    for price_of in ("Infinity", "NaN", "-3", "null", '"much"'):
        server.script["/quote"] = [(200, f'{{"c":{price_of},"t":1}}'.encode(), {})]
        with pytest.raises(InputError, match="Finnhub has no price of AAPL"):
            finnhub.quote("AAPL")


def test_bars_can_be_written(finnhub):
    lines = finnhub.bars("AAPL", "1m", 20).csv_text().splitlines()
    assert lines[0] == "begin_ns,open,high,low,close,volume"
    assert len(lines) == 21


def test_a_quote_makes_a_book_that_says_it_is_synthetic(finnhub, tmp_path):
    path = write_book(finnhub.quote("AAPL"), tmp_path / "book.parquet")
    recording = load(path)
    assert recording.instruments[0].symbol == "AAPL (synthetic book)"
    assert recording.instruments[0].venue == "synthetic"
    assert recording.notes == ("synthetic: one quote of Finnhub, AAPL at 213.31; spread and depth are made up",)
    top = touches(recording.events)[-1]
    assert (top["bid_ticks"], top["ask_ticks"], top["bid_lots"], top["ask_lots"]) == (21_331, 21_332, 100, 100)


# ---------------------------------------------------------------- what goes wrong


REFUSALS = {
    "bad key": (
        (401, b'{"error":"Invalid API key"}', {}),
        "does not take the key in FINNHUB_API_KEY; check it, or use the simulated",
    ),
    "plan": ((403, b'{"error":"You don\'t have access to this resource."}', {}), "plan of this key does not include bars"),
    "down": ((502, b"<html>", {}), "HTTP status 502; try again later, or use the simulated market"),
    "truncated": ("truncate", "breaks off or is not JSON"),
    "no HTTP": ("garbage", "breaks off or is not JSON"),
    "timeout": ("hang", "did not answer within 0.3 s; try again later, or use the simulated market"),
    "not bars": ((200, b'{"s":"what"}', {}), "is not one of bars"),
    "a column short": ((200, b'{"s":"ok","t":[1],"o":[1],"h":[1],"l":[1],"c":[1],"v":[]}', {}), "one is shorter than another"),
    "impossible": ((200, b'{"s":"ok","t":[1],"o":[1],"h":[1],"l":[3],"c":[1],"v":[1]}', {}), "is no bar of AAPL"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_finnhub_s_refusals_are_said_in_words_without_the_key(server, finnhub, case):
    answer, said = REFUSALS[case]
    server.script[CANDLE] = [answer]
    with pytest.raises(InputError) as raised:
        finnhub.bars("AAPL", "1m", 20)
    assert said in str(raised.value)
    assert KEY not in f"{raised.value!r}{finnhub!r}"
    assert raised.value.__cause__ is None  # the original error names the address, and is not shown


BINANCE = {
    "place": (
        (451, b'{"code":0,"msg":"Service unavailable from a restricted location"}', {}),
        "cannot be reached, or refuses this place",
    ),
    "truncated": ("truncate", "or its answer breaks off"),
    "timeout": ("hang", "did not answer within 0.3 s; try again later, or use the simulated market"),
    "down": ((503, b"<html>", {}), "cannot be reached"),
    "not json": ((200, b"<html>", {}), "Binance's answer is not one of bars"),
}


@pytest.mark.parametrize("case", BINANCE)
def test_binance_s_refusals_are_said_in_words(server, binance, case):
    answer, said = BINANCE[case]
    server.script[KLINES] = [answer]
    with pytest.raises(InputError, match=said):
        binance(count=20)


def test_no_network_is_said_and_the_simulated_market_named(binance, finnhub, server):
    server.server_close()
    server.shutdown()
    for call in (binance, lambda: finnhub.bars("AAPL")):
        with pytest.raises(InputError, match=r"cannot be reached.*; without a network there is the simulated market"):
            call()


def test_a_wait_that_is_asked_for_is_waited_and_the_call_repeated(server, finnhub, binance, clock):
    server.script[CANDLE] = [(429, b'{"error":"API limit reached."}', {"Retry-After": "7"})]
    server.script[KLINES] = [(429, b'{"code":-1003,"msg":"Too much request weight used"}', {"Retry-After": "11"})]
    assert len(finnhub.bars("AAPL", "1m", 20)) == 20
    assert len(binance(count=20)) == 20
    assert clock.slept == [7.0, 11.0]


def test_patience_ends(server, finnhub, clock):
    server.script[CANDLE] = [(429, b"{}", {"Retry-After": "5"})] * 3
    with pytest.raises(InputError, match="takes no more calls now and asks to wait 5 s"):
        finnhub.bars("AAPL", "1m", 20)
    server.script[CANDLE] = [(429, b"{}", {"Retry-After": "3600"})]
    with pytest.raises(InputError, match="asks to wait 3600 s"):
        finnhub.bars("AAPL", "1m", 20)
    assert clock.slept == [5.0, 5.0]


def test_sixty_calls_pass_in_a_minute_and_the_next_one_waits(clock):
    limiter = Limiter(60, 60.0, clock, clock.sleep)
    for _ in range(60):
        limiter.wait()
        clock.now += 0.5
    assert clock.slept == []
    limiter.wait()
    assert clock.slept == [30.0]


def test_a_symbol_that_is_not_there(finnhub, binance):
    with pytest.raises(InputError, match="Finnhub has no bars of NONE"):
        finnhub.bars("NONE")
    with pytest.raises(InputError, match="Finnhub has no price of NONE"):
        finnhub.quote("NONE")
    with pytest.raises(InputError, match="Binance has no 'NO/SUCH'; expected a pair such as BTC/USDT"):
        binance("NO/SUCH")


def test_keys_and_rows_that_are_none():
    with pytest.raises(InputError, match="does not hold a key"):
        Finnhub(" ")
    with pytest.raises(InputError, match="is no bar of X"):
        bars_of("S", "X", 60, [(0, 1.0, 2.0, 1.5, 1.0, 3.0)])
    with pytest.raises(InputError, match="needs a higher price"):
        synthetic_book(Quote("S", "X", 0.05, 0))
