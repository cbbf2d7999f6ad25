"""Tardis CSV: four kinds of file, one book."""

import numpy as np
import pytest

from twosided.data.recording import load
from twosided.errors import DataError
from twosided.market.event import Flag, Kind
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.touch import TouchTracker, touches

US = 1_000
START = 1_700_000_000_000_000
LAST, SNAPSHOT = int(Flag.LAST_OF_MESSAGE), int(Flag.SNAPSHOT)


def columns(recording, *names):
    return list(zip(*(recording.events[name].tolist() for name in names), strict=True))


def test_trades_keep_side_id_and_order_and_equal_times_are_one_message(recording_file):
    recording = load(recording_file("trades"), tick_size="0.5", lot_size="1", clock_offset_ns=0)
    assert columns(recording, "side", "id", "ticks", "lots", "flags") == [
        (1, 11, 201, 2, 0),
        (1, 12, 202, 1, LAST),
        (-1, 13, 199, 4, LAST),
        (0, 0, 200, 1, LAST),
    ]
    assert recording.defects == {"bad_trade_ids": 1}
    assert recording.events["exch_ns"][0] == START * US
    assert recording.events["local_ns"][0] == (START + 1000) * US
    (instrument,) = recording.instruments
    assert (instrument.symbol, instrument.venue) == ("BTC-PERP", "deribit")


def test_a_run_of_snapshot_rows_replaces_the_book_and_equal_times_are_one_message(recording_file):
    recording = load(recording_file("changes"), tick_size="0.5", lot_size="1", clock_offset_ns=0)
    assert columns(recording, "kind", "side", "ticks", "lots", "flags") == [
        (Kind.SNAPSHOT_BEGIN, 0, 0, 0, SNAPSHOT),
        (Kind.DEPTH, 1, 199, 10, SNAPSHOT),
        (Kind.DEPTH, -1, 201, 7, SNAPSHOT),
        (Kind.DEPTH, -1, 202, 7, SNAPSHOT),
        (Kind.SNAPSHOT_END, 0, 0, 0, SNAPSHOT | LAST),
        (Kind.DEPTH, -1, 201, 5, 0),
        (Kind.DEPTH, -1, 202, 6, LAST),
        (Kind.DEPTH, 1, 199, 0, LAST),
        (Kind.DEPTH, 1, 198, 3, LAST),
    ]
    assert len(set(recording.events["local_ns"][:5].tolist())) == 1  # in two pieces: known when the second was
    assert recording.events["local_ns"][0] == 1_699_999_999_901_200 * US


def test_quotes_are_the_differences_between_their_rows(recording_file):
    recording = load(recording_file("quotes"), tick_size="0.5", lot_size="1", clock_offset_ns=0)
    states = [(line["bid_ticks"], line["bid_lots"], line["ask_ticks"], line["ask_lots"]) for line in touches(recording.events)]
    assert states == [
        (199, 10, 201, 5),
        (199, 8, 201, 5),
        (199, 8, 202, 4),
        (199, 8, NO_ASK, 0),
        (NO_BID, 0, NO_ASK, 0),
        (200, 1, 202, 3),
    ]
    assert recording.events["kind"].tolist().count(Kind.SNAPSHOT_BEGIN) == 1
    assert len(recording.events) == 4 + 1 + 2 + 1 + 1 + 2


def test_rows_that_repeat_the_book_say_nothing(recording_file):
    recording = load(recording_file("levels"), tick_size="0.5", lot_size="1", clock_offset_ns=0)
    times = [START * US + i * 10_000 * US for i in range(4)]
    assert sorted(set(recording.events["exch_ns"].tolist())) == [times[0], times[2], times[3]]


def test_trades_and_the_book_are_merged_by_local_time_trades_first(recording_file):
    recording = load([recording_file("changes"), recording_file("trades")], tick_size="0.5", lot_size="1", clock_offset_ns=0)
    assert recording.names == ("trades.csv", "changes.csv")
    same = recording.events[recording.events["local_ns"] == (START + 1000) * US]
    assert same["kind"].tolist() == [Kind.TRADE, Kind.TRADE, Kind.DEPTH, Kind.DEPTH]
    assert (np.diff(recording.events["local_ns"]) >= 0).all()
    assert len(recording.events) == 9 + 4


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("trades", "buy,101", "bought,101", "line 3: side is 'bought'; allowed: buy, sell"),
        ("trades", "99.5,4", "99.5,-4", "line 4: size is -4; allowed: 0 or more"),
        ("trades", "99.5,4", "NaN,4", "line 4: price is 'NaN'; expected a decimal number"),
        ("trades", "99.5,4", "99.5", "line 4: has 7 fields; expected 8"),
        ("trades", "1700000000101500,13", "soon,13", "line 4: local_timestamp is 'soon'"),
        (
            "trades",
            "99.5,4",
            "99.6,4",
            "line 4: price is 99.6, which is not a multiple of the tick size 0.5; --tick 0.1 would fit both",
        ),
        ("changes", "true,ask,101", "yes,ask,101", "line 4: is_snapshot is 'yes'; allowed: true, false"),
        ("changes", "true,ask,101,", "true,ask,99.5,", "line 2: the snapshot is crossed: best bid 99.5, best ask 99.5"),
        ("quotes", "5,100.5,99.5,10", "5,100.5,100.5,10", "line 2: the snapshot is crossed"),
        ("quotes", "8\nderibit,BTC", "8\nderibit,ETH", "has rows of BTC-PERP and of ETH-PERP; choose one with --symbol"),
        ("levels", "asks[1].amount", "asks[1].size", "is of no known format"),
    ],
)
def test_a_field_that_cannot_be_is_named(recording_file, text_of, name, old, new, said):
    text = text_of(name)
    assert old in text
    with pytest.raises(DataError, match=said):
        load(recording_file(name, text=text.replace(old, new, 1)), tick_size="0.5", lot_size="1")


def test_of_several_symbols_the_user_chooses_one(recording_file, text_of):
    path = recording_file("trades", text=text_of("trades").replace("BTC-PERP", "ETH-PERP", 1))
    assert len(load(path, symbol="ETH-PERP").events) == 1
    assert len(load(path, symbol="BTC-PERP").events) == 3


def test_real_quotes_show_every_row_and_real_trades_every_trade(shared):
    quotes, trades = shared("data", "tardis", "nautilus_quotes.csv.gz"), shared("data", "tardis", "nautilus_trades.csv.gz")
    recording = load([quotes, trades])
    tracker = TouchTracker()
    assert len(tracker.feed(recording.events)) == 9_999
    assert tracker.crossed == 0
    assert (recording.events["kind"] == Kind.TRADE).sum() == 9_999
    assert str(recording.instruments[0].tick_size) == "0.01"
    assert recording.events["lots"][recording.events["kind"] == Kind.TRADE][0] == 132
