"""Captures of Bybit, Coinbase, Kraken and Hyperliquid: their rules one by one, and the proof on real ones."""

import pytest
from capture_files import (
    MS,
    SMALL,
    T0,
    Kraken,
    asset_pairs,
    bybit_book,
    bybit_trade,
    coinbase,
    coinbase_book,
    coinbase_small,
    coinbase_trade,
    dumped,
    hyperliquid_book,
    hyperliquid_trade,
    kraken_small,
    plain,
    stamped,
    wrapped,
)

from twosided.data.capture import time_ns
from twosided.data.formats import open_source
from twosided.data.kraken import KrakenBook
from twosided.data.recording import load
from twosided.errors import DataError
from twosided.market.event import Flag, Kind
from twosided.market.ladder import ASK, BID, Ladder
from twosided.market.touch import TouchTracker

STEPS = {"tick_size": "0.5", "lot_size": "0.25"}


@pytest.fixture
def read(tmp_path):
    """Return a function that writes a capture and returns (events, source)."""

    def run(text, **options):
        path = tmp_path / "capture"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        source = open_source(path, **{**STEPS, **options})
        return source.read_all(), source

    return run


def told(events):
    """Return (kind, side, ticks, lots) of every event."""
    return [tuple(row) for row in zip(*(events[name].tolist() for name in ("kind", "side", "ticks", "lots")), strict=True)]


def books(events, levels=3):
    """Return the book after every message that touches it, as ([(bid, lots)], [(ask, lots)]), best first."""
    ladder, found = Ladder(), []
    for event in events:
        if event["kind"] == Kind.SNAPSHOT_BEGIN:
            ladder.clear()
        elif event["kind"] == Kind.DEPTH:
            ladder.set(int(event["side"]), int(event["ticks"]), int(event["lots"]))
        if event["flags"] & Flag.LAST_OF_MESSAGE and event["kind"] != Kind.TRADE:
            found.append((ladder.depth(BID, levels), ladder.depth(ASK, levels)))
    return found


SNAPSHOT = bybit_book("snapshot", 7, [["99.5", "1.5"]], [["100.5", "1"]])


# ---------------------------------------------------------------- Bybit


def test_bybit_snapshots_replace_the_book_and_deltas_set_levels(read):
    events, source = read(
        plain(
            [
                SNAPSHOT,
                bybit_book("delta", 8, [["99.5", "0"], ["99.0", "2"]], at=10),
                bybit_book("snapshot", 1, [["98.5", "1"]], [["99.5", "1"]], at=20),
                bybit_book("delta", 2, [], [["99.5", "2"]], at=30),
            ]
        )
    )
    assert books(events) == [([(199, 6)], [(201, 4)]), ([(198, 8)], [(201, 4)]), ([(197, 4)], [(199, 4)]), ([(197, 4)], [(199, 8)])]
    assert source.defects.counts == {}
    assert (source.instruments[0].symbol, source.instruments[0].venue, source.instruments[0].currency) == (
        "BTCUSDT",
        "bybit",
        "USDT",
    )
    assert events["id"][-1] == 2


def test_bybit_without_a_time_of_receipt_the_time_of_sending_is_local_time(read):
    messages = [SNAPSHOT, bybit_trade("100.5", "0.25", at=10)]
    for text, local_ms in ((plain(messages), [0, 0, 0, 0, 10]), (stamped(messages), [3, 3, 3, 3, 13])):
        events, _ = read(text)
        assert events["local_ns"].tolist() == [(T0 + ms) * MS for ms in local_ms]
        assert events["exch_ns"].tolist() == [(T0 + ms) * MS for ms in (-2, -2, -2, -2, 9)]


def test_bybit_holes_are_counted_old_deltas_left_out_and_other_depths_and_block_trades_too(read):
    events, source = read(
        plain(
            [
                SNAPSHOT,
                bybit_book("delta", 7, [["99.5", "9"]], at=5),
                bybit_book("delta", 10, [["99.0", "2"]], at=10),
                bybit_book("delta", 11, [["99.5", "9"]], at=15, topic="orderbook.1.BTCUSDT"),
                bybit_trade("100.5", "0.5", "Sell", at=20),
                bybit_trade("100.5", "0.5", "Sell", at=20, BT=True),
                {"success": True, "op": "subscribe"},
            ]
        )
    )
    assert source.defects.counts == {"gaps": 1, "stale_updates": 1, "other_messages": 2, "other_trades": 1}
    assert source.defects.notes == ["capture, line 3: update 10 does not follow 7"]
    assert told(events)[-2:] == [(Kind.DEPTH, 1, 198, 8), (Kind.TRADE, -1, 201, 2)]


def test_levels_at_absurd_prices_are_counted_and_left_out(read):
    events, source = read(plain([bybit_book("snapshot", 7, [["99.5", "1.5"]], [["100.5", "1"], ["30000000000.5", "1"]])]))
    assert books(events) == [([(199, 6)], [(201, 4)])]
    assert source.defects.counts == {"far_levels": 1}


# ---------------------------------------------------------------- Coinbase


def test_coinbase_levels_trades_and_who_was_the_aggressor(read):
    events, source = read(
        stamped(
            [
                coinbase("l2_data", 0, coinbase_book("snapshot", [("99.5", "1.5")], [("100.5", "1")])),
                coinbase("l2_data", 1, coinbase_book("update", [("99.5", "0")], [("100.5", "2")], at=10), at=10),
                coinbase(
                    "market_trades",
                    2,
                    {
                        "type": "update",
                        "trades": [
                            coinbase_trade("100.5", "0.5", "SELL", at=21, number="9"),  # the latest first
                            coinbase_trade("99.5", "0.25", "BUY", at=20, number="8"),
                        ],
                    },
                    at=21,
                ),
            ]
        )
    )
    assert books(events) == [([(199, 6)], [(201, 4)]), ([], [(201, 8)])]
    assert told(events)[-2:] == [(Kind.TRADE, -1, 199, 1), (Kind.TRADE, 1, 201, 2)]
    assert events["id"].tolist()[-2:] == [8, 9]
    assert events["exch_ns"].tolist()[-3:] == [(T0 + ms) * MS for ms in (8, 20, 21)]
    assert events["local_ns"].tolist()[-1] == (T0 + 23) * MS
    assert (source.instruments[0].symbol, source.instruments[0].currency, source.defects.counts) == ("BTC-USD", "USD", {})


def test_coinbase_counts_messages_of_a_connection_over_all_channels(read):
    messages = [
        coinbase("heartbeats", 0),
        coinbase("l2_data", 1, coinbase_book("snapshot", [("99.5", "1")])),
        coinbase("ticker", 3),
    ]
    _, source = read(stamped(messages))
    assert source.defects.counts == {"gaps": 1, "other_messages": 1}
    assert source.defects.notes == ["capture, line 3: message 3 does not follow 1"]
    again = wrapped("COINBASE", messages[:2]) + wrapped("COINBASE", messages[:2], begin=100)
    assert read(again)[1].defects.counts == {}  # connected anew


def test_coinbase_trades_from_before_the_recording_are_left_out(read):
    _, source = read(stamped(coinbase_small()))
    assert source.defects.counts == {"past_trades": 1}


def test_coinbase_products_say_tick_and_lot(read):
    _, source = read(SMALL["coinbase wrapped"](), tick_size=None, lot_size=None)
    instrument = source.instruments[0]
    assert (f"{instrument.tick_size:f}", f"{instrument.lot_size:f}", source.inferred) == ("0.01", "0.00000001", "")


def test_levels_without_a_time_have_that_of_the_message(read):
    text = stamped([coinbase("l2_data", 0, coinbase_book("snapshot", [("99.5", "1")]), at=7)])
    events, _ = read(text.replace("2023-11-14T22:13:19.998Z", "1970-01-01T00:00:00Z"))
    assert set(events["exch_ns"].tolist()) == {(T0 + 7) * MS}


# ---------------------------------------------------------------- Kraken


@pytest.mark.parametrize("version", [1, 2])
def test_kraken_books_trades_and_checksums(read, version):
    made = Kraken(version)
    made.book([("99.5", "1.50000000")], [("100.5", "1.00000000")], snapshot=True)
    made.book([("99.0", "2.00000000")], [("100.5", "0.00000000"), ("101.0", "0.50000000")])
    made.trade("101.0", "0.25000000", "sell")
    events, source = read(stamped(made.messages))
    assert books(events) == [([(199, 6)], [(201, 4)]), ([(199, 6), (198, 8)], [(202, 2)])]
    assert told(events)[-1] == (Kind.TRADE, -1, 202, 1)
    assert events["exch_ns"].tolist()[-2:] == [(T0 + 20) * MS] * 2
    assert source.defects.counts == {}
    assert source.instruments[0].currency == "USD"


@pytest.mark.parametrize("version", [1, 2])
def test_kraken_levels_beyond_the_depth_are_forgotten(read, version):
    made = Kraken(version)
    made.book([(f"{90 - i}.0", "1.00000000") for i in range(10)], [(f"{91 + i}.0", "1.00000000") for i in range(10)], snapshot=True)
    made.book([("90.5", "2.00000000")], [])
    made.book([("90.5", "0.00000000")], [])
    events, source = read(stamped(made.messages))
    assert [len(bids) for bids, _asks in books(events, 20)] == [10, 10, 9]
    assert books(events, 20)[1][0] == [(181, 8)] + [(180 - 2 * i, 4) for i in range(9)]
    assert source.defects.counts == {}


@pytest.mark.parametrize("version", [1, 2])
def test_kraken_a_checksum_that_differs_is_counted(read, version):
    made = Kraken(version).book([("99.5", "1.50000000")], [("100.5", "1.00000000")], snapshot=True)
    made.book([("99.0", "2.00000000")], checksum=12345)
    _, source = read(stamped(made.messages))
    assert source.defects.counts == {"checksum_failures": 1}
    assert source.defects.notes[0].startswith("capture, line 2: the book's checksum is ")


def test_kraken_s_own_example_has_the_checksum_that_its_documentation_says():
    """docs.kraken.com, "Book checksum (WebSocket v1)"."""
    book = KrakenBook(10)
    for thousandths in (5, 10, 15, 20, 25, 30, 35, 40, 45, 50):
        book.set(-1, f"0.05{thousandths:03}", "0.00000500")
    for price in ("0.05000", "0.04995", "0.04990", "0.04980", "0.04975", "0.04970", "0.04965", "0.04960", "0.04955", "0.04950"):
        book.set(1, price, "0.00000500")
    assert book.checksum() == 974_947_235


def test_kraken_numbers_get_the_decimals_of_the_instrument_channel(read):
    made = Kraken(2).instrument(price_precision=1, qty_precision=8)
    made.book([("99.5", "1.50000000")], [("100.0", "1.00000000")], snapshot=True)
    text = stamped(made.messages).replace("1.50000000", "1.5").replace("1.00000000", "1").replace("100.0", "100")
    events, source = read(text, tick_size=None, lot_size=None)
    assert source.defects.counts == {}
    assert (f"{source.instruments[0].tick_size:f}", f"{source.instruments[0].lot_size:f}") == ("0.1", "0.00000001")
    assert books(events) == [([(995, 150_000_000)], [(1000, 100_000_000)])]
    without = text.split("\n", 1)[1]
    assert read(without)[1].defects.counts == {"checksum_failures": 1}


@pytest.mark.parametrize(("fields", "tick"), [({}, "0.1"), ({"tick_size": "0.5"}, "0.5")])
def test_kraken_asset_pairs_say_tick_and_lot(read, fields, tick):
    text = wrapped("KRAKEN", kraken_small(1), http=[asset_pairs(**fields)])
    _, source = read(text, tick_size=None, lot_size=None)
    instrument = source.instruments[0]
    assert (f"{instrument.tick_size:f}", f"{instrument.lot_size:f}", source.inferred) == (tick, "0.00000001", "")


def test_kraken_trades_from_before_the_recording_are_left_out(read):
    made = Kraken(2).trade("99.5", "1.00000000", snapshot=True).trade("99.5", "2.00000000")
    events, source = read(stamped(made.messages))
    assert told(events) == [(Kind.TRADE, 1, 199, 8)]
    assert source.defects.counts == {"past_trades": 1}


def test_kraken_of_several_symbols_the_user_chooses_one(read):
    made = Kraken(1).book([("99.5", "1.50000000")], snapshot=True).book([("9.5", "1.00000000")], snapshot=True, symbol="ETH/USD")
    text = stamped(made.messages)
    with pytest.raises(DataError, match="line 2: has messages of XBT/USD and of ETH/USD; choose one with --symbol"):
        read(text)
    events, source = read(text, symbol="eth/usd")
    assert (books(events), source.instruments[0].symbol) == ([([(19, 4)], [])], "ETH/USD")
    with pytest.raises(DataError, match="has no messages of DOGE/USD, only of ETH/USD, XBT/USD"):
        read(text, symbol="DOGE/USD")


# ---------------------------------------------------------------- Hyperliquid


def test_hyperliquid_books_become_differences_and_sides_are_the_taker_s(read):
    events, source = read(
        stamped(
            [
                hyperliquid_book([("99.5", "1"), ("99.0", "2")], [("100.5", "1")]),
                hyperliquid_trade("99.5", "0.25", "A", at=-5),
                hyperliquid_trade("99.5", "0.25", "A", at=15),
                hyperliquid_book([("99.0", "2")], [("100.5", "1"), ("101.0", "1")], at=20),
                hyperliquid_book(at=30),
            ]
        )
    )
    assert told(events)[3:] == [
        (Kind.DEPTH, -1, 201, 4),
        (Kind.SNAPSHOT_END, 0, 0, 0),
        (Kind.TRADE, -1, 199, 1),
        (Kind.DEPTH, 1, 199, 0),
        (Kind.DEPTH, -1, 202, 4),
        (Kind.DEPTH, 1, 198, 0),
        (Kind.DEPTH, -1, 201, 0),
        (Kind.DEPTH, -1, 202, 0),
    ]
    assert source.defects.counts == {"past_trades": 1}
    assert (source.instruments[0].symbol, source.instruments[0].venue) == ("BTC", "hyperliquid")


# ---------------------------------------------------------------- what they share


@pytest.mark.parametrize("name", SMALL)
def test_small_captures_are_valid_and_recognised(tmp_path, assert_valid, name):
    (tmp_path / "a").write_text(SMALL[name]())
    recording = load(tmp_path / "a", **STEPS if "kraken 1" not in name else {})
    assert recording.format == name.split()[0]
    assert_valid(recording)
    assert set(recording.defects) <= {"past_trades"}


def test_connections_that_stand_one_after_the_other_are_merged_by_time(read):
    book = [
        coinbase("l2_data", i, coinbase_book("update" if i else "snapshot", [("99.5", f"{i + 1}")], at=10 * i)) for i in range(4)
    ]
    trades = [
        coinbase("market_trades", i, {"type": "update", "trades": [coinbase_trade("99.5", "1", "BUY", at=10 * i + 5)]})
        for i in range(4)
    ]
    text = wrapped("COINBASE", book, connection="A.ws.1", converted=1)
    text += wrapped("COINBASE", trades, connection="A.ws.2", begin=5).split("\n", 1)[1]
    events, source = read(text)
    assert events["kind"].tolist()[3:] == [Kind.TRADE, *(Kind.DEPTH, Kind.TRADE) * 3]
    assert source.defects.counts == {}
    with pytest.raises(DataError, match="more than 64 connections one after the other"):
        read(text + "".join(wrapped("COINBASE", [], connection=f"B.{i}").split("\n", 1)[1] for i in range(70)))
    lines = text.splitlines(keepends=True)
    with pytest.raises(DataError, match=r"line 7: begins with b'\[1\]\\n'; expected a connection"):
        read("".join([*lines[:6], "[1]\n", *lines[6:]]))


GOOD = dumped(SNAPSHOT)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (plain([SNAPSHOT]) + GOOD[:-9], r"line 2: not a message in JSON \(.*\); the line has no end, so the file may be truncated"),
        (
            plain([SNAPSHOT, GOOD.replace('"u":7', '"u":-8')]),
            "line 2: not a message as bybit sends them: u is -8; expected a whole",
        ),
        (plain([SNAPSHOT, GOOD.replace('"u"', '"w"')]), "line 2: not a message as bybit sends them: no 'u'"),
        (plain([SNAPSHOT, GOOD.replace('"99.5"', "99.5")]), "a price or size is 99.5; expected a decimal number as text"),
        (
            plain([SNAPSHOT, GOOD.replace('"99.5"', '"99.7"')]),
            "line 2: price is 99.7, which is not a multiple of the tick size 0.5",
        ),
        (plain([SNAPSHOT, GOOD.replace('"99.5"', '"inf"')]), "line 2: not a message as bybit sends them: a price is not a number"),
        (plain([SNAPSHOT, GOOD.replace('"1.5"', '"-1.5"')]), "line 2: size is -1.5; allowed: 0 or more"),
        (plain([SNAPSHOT, GOOD.replace('"99.5"', '"101.5"')]), "line 2: the snapshot is crossed: best bid 101.5, best ask 100.5"),
        (plain([SNAPSHOT, GOOD.replace("snapshot", "partial")]), "type is 'partial'; expected snapshot or delta"),
        (plain([SNAPSHOT, GOOD.replace("BTCUSDT", "ETHUSDT")]), "line 2: has messages of BTCUSDT and of ETHUSDT; choose one"),
        (plain([SNAPSHOT, GOOD.replace(f"{T0}", f"{T0}9999999")]), "ts is 17000000000009999999; expected a whole number"),
        (plain([SNAPSHOT, "[[]]"]), r"line 2: not a message as bybit sends them: it is \[\[\]\]; expected an object"),
        (stamped([SNAPSHOT]) + "17e9 " + GOOD, "line 2: begins with b'17e9 "),
        (stamped([SNAPSHOT]) + "9999999999999999999 " + GOOD, "line 2: local time is 9999999999999999999; expected ns since 1970"),
        (plain([bybit_trade("100.5", "1", "Up")]), "line 1: not a message as bybit sends them: S is 'Up'; expected Buy or Sell"),
    ],
)
def test_what_cannot_be_is_named_with_its_line(read, text, said):
    with pytest.raises(DataError, match=f"capture, .*{said}"):
        read(text)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("coinbase wrapped", '"ts":17', '"ts":-17', "ts is -1700000000.0; expected seconds since 1970"),
        ("coinbase wrapped", '"data":"{', '"date":"{', "data is None; expected the message as text"),
        ("coinbase", '"offer"', '"sell"', "side is 'sell'; expected bid or offer"),
        ("coinbase", "2023-11-14", "2023-13-14", "not a message as coinbase sends them: time data"),
        ("coinbase", '"SELL"', '"SOLD"', "side is 'SOLD'; expected BUY or SELL"),
        ("kraken 1", "book-10", "book-11", "the channel is 'book-11'; expected book-N with N of 10, 25, 100, 500, 1000"),
        ("kraken 2", '"price":99.5', '"price":NaN', "not a message in JSON"),
        ("kraken 2", '"qty":1.50000000', '"qty":"x"', "a price or size is 'x'; expected a decimal number"),
        ("kraken 2", '"side":"buy"', '"side":"up"', "side is 'up'; expected b, s, buy or sell"),
        ("hyperliquid", '"side":"B"', '"side":"C"', "side is 'C'; expected A or B"),
        ("hyperliquid", '"levels":[', '"levels":[[],', "levels are .*; expected bids and asks"),
    ],
)
def test_messages_that_cannot_be_are_named(read, name, old, new, said):
    text = SMALL[name]()
    assert old in text
    with pytest.raises(DataError, match=rf"capture, line \d+: .*{said}"):
        read(text.replace(old, new), tick_size="0.1", lot_size="0.00000001")


def test_times_are_read_to_the_nanosecond():
    assert time_ns("2023-11-14T22:13:20.123456789Z") == T0 * MS + 123_456_789
    assert time_ns("1700000000.000001") == T0 * MS + 1000
    for wrong in ("2023-11-14 22:13:20Z", "1700000000,5", "9999-01-01T00:00:00Z", None, "1e9", "١"):
        with pytest.raises(ValueError, match="time"):
            time_ns(wrong)


# ---------------------------------------------------------------- the proof


def touches_and_trades(recording):
    """Return how often the book was crossed, and how many trades lie at or beyond the touch on their aggressor's side."""
    tracker = TouchTracker()
    tracker.feed(recording.events)
    ladder, agree, trades = Ladder(), 0, 0
    for event in recording.events:
        side, ticks = int(event["side"]), int(event["ticks"])
        if event["kind"] == Kind.SNAPSHOT_BEGIN:
            ladder.clear()
        elif event["kind"] == Kind.DEPTH:
            ladder.set(side, ticks, int(event["lots"]))
        elif event["kind"] == Kind.TRADE and ladder.best_bid is not None and ladder.best_ask is not None:
            trades += 1
            middle = ladder.best_bid + ladder.best_ask
            agree += (2 * ticks - middle) * side > 0
    return tracker.crossed, agree, trades


def test_bybit_recorded(shared):
    recording = load(shared("data", "bybit", "xrpusdt-ob500.data.zip"))
    assert (recording.defects, str(recording.instruments[0].tick_size)) == ({}, "0.0001")
    assert touches_and_trades(recording) == (0, 0, 0)
    assert len(recording.events) == 3_968
    assert (recording.events["flags"] & Flag.LAST_OF_MESSAGE != 0).sum() == 50


@pytest.mark.parametrize(("symbol", "tick", "least"), [("BTC-USD", "0.01", 0.8), ("ETH-USD", "0.01", 0.8)])
def test_coinbase_recorded(shared, symbol, tick, least):
    recording = load(shared("data", "coinbase", "COINBASE.jsonl.zst"), symbol=symbol)
    crossed, agree, trades = touches_and_trades(recording)
    assert crossed == 0
    assert agree / trades > least
    assert trades > 30
    assert str(recording.instruments[0].tick_size) == tick
    assert "gaps" not in recording.defects
    assert (recording.events["kind"] == Kind.SNAPSHOT_BEGIN).sum() == 1


KRAKEN = {
    "KSM/XBT": 335,
    "XMR/USD": 846,
    "ETH/CHF": 317,
    "OMG/USD": 573,
    "GRT/ETH": 20,
    "WAVES/EUR": 576,
    "ADA/XBT": 347,
    "XBT/CHF": 289,
    "SC/EUR": 818,
    "OCEAN/XBT": 148,
}


@pytest.mark.parametrize("symbol", KRAKEN)
def test_kraken_recorded_every_checksum_is_right(shared, monkeypatch, symbol):
    source, computed = open_source(shared("data", "kraken", "KRAKEN.jsonl.zst"), symbol=symbol), []
    checksum = KrakenBook.checksum
    monkeypatch.setattr(KrakenBook, "checksum", lambda book: computed.append(checksum(book)) or computed[-1])
    assert len(source.read_all()) > 100
    assert source.defects["checksum_failures"] == 0
    assert len(computed) == KRAKEN[symbol]


@pytest.mark.parametrize("symbol", ["XMR/USD", "SC/EUR"])
def test_kraken_recorded_is_never_crossed(shared, symbol):
    recording = load(shared("data", "kraken", "KRAKEN.jsonl.zst"), symbol=symbol)
    crossed, agree, trades = touches_and_trades(recording)
    assert (crossed, agree) == (0, trades)
    assert trades >= 3


def test_hyperliquid_recorded(shared):
    recording = load(shared("data", "hyperliquid", "btcusd_20250126.gz"))
    crossed, agree, trades = touches_and_trades(recording)
    assert (crossed, agree, trades) == (0, 34, 34)
    assert recording.defects == {"past_trades": 30}
    assert str(recording.instruments[0].tick_size) == "1"
