"""Binance captures: what the book is made of, which clock says when, and how defects are met."""

import numpy as np
import pytest

from twosided.data.formats import open_source
from twosided.data.info import describe
from twosided.data.recording import load
from twosided.errors import DataError
from twosided.market.event import Flag, Kind, exchange_order
from twosided.market.touch import touches

MS = 1_000_000
DEPTH, TRADE, BEGIN, END = Kind.DEPTH, Kind.TRADE, Kind.SNAPSHOT_BEGIN, Kind.SNAPSHOT_END


def read(made, tmp_path, **options):
    path = made.write(tmp_path / "capture.gz")
    return load(path, **{"tick_size": "0.1", "lot_size": "0.01", "clock_offset_ns": 0, **options})


def shown(recording, *fields):
    return list(zip(*(recording.events[field].tolist() for field in fields), strict=True))


def book_of(recording):
    """Return the book at the end, as two dictionaries."""
    book = {1: {}, -1: {}}
    for event in recording.events:
        if event["kind"] == BEGIN:
            book = {1: {}, -1: {}}
        elif event["kind"] == DEPTH:
            book[int(event["side"])][int(event["ticks"])] = int(event["lots"])
    return tuple({ticks: lots for ticks, lots in book[side].items() if lots} for side in (1, -1))


def test_a_snapshot_becomes_one_message_and_changes_follow_it(capture, tmp_path):
    made = capture().snapshot([["99.9", "1.5"]], [["100.1", "2"], ["100.2", "0.5"]]).change([["99.8", "1.00"]], [["100.1", "0"]])
    recording = read(made, tmp_path)
    kinds = [BEGIN, DEPTH, DEPTH, DEPTH, END, DEPTH, DEPTH]
    assert shown(recording, "kind", "side", "ticks", "lots") == list(
        zip(kinds, (0, 1, -1, -1, 0, 1, -1), (0, 999, 1001, 1002, 0, 998, 1001), (0, 150, 200, 50, 0, 100, 0), strict=True)
    )
    last, snapshot = int(Flag.LAST_OF_MESSAGE), int(Flag.SNAPSHOT)
    assert recording.events["flags"].tolist() == [snapshot] * 4 + [snapshot | last, 0, last]
    assert recording.events["id"].tolist() == [100] * 5 + [102] * 2


def test_changes_before_the_snapshot_wait_for_it_and_carry_its_local_time(capture, tmp_path):
    made = capture()
    made.change([["99.0", "1"]]).change([["99.1", "1"]]).change([["99.2", "1"]])  # 101-102, 103-104, 105-106
    made.trade("99.5", "1")  # a spot snapshot has no time of its own: this one's is later than that of the change that is held
    made.snapshot([["99.5", "3"]], [["100.5", "3"]], update_id=104)
    made.change([["99.3", "1"]])
    recording = read(made, tmp_path)
    assert book_of(recording) == ({995: 300, 992: 100, 993: 100}, {1005: 300})
    held = recording.events[recording.events["ticks"] == 992][0]
    snapshot = recording.events[recording.events["kind"] == BEGIN][0]
    assert held["local_ns"] == snapshot["local_ns"]
    assert snapshot["exch_ns"] <= held["exch_ns"]
    assert recording.defects == {"exch_backwards": 1}  # after the trade, and no time of the book was moved


@pytest.mark.parametrize("futures", [False, True])
def test_a_hole_is_counted_named_and_the_book_kept(capture, tmp_path, futures):
    made = capture(futures=futures).snapshot([["99.5", "3"]], [["100.5", "3"]]).change([["99.4", "1"]])
    made.change([["99.3", "1"]], first=120, last=121, previous=119)
    recording = read(made, tmp_path)
    assert recording.defects["gaps"] == 1
    assert recording.notes[0] == "capture.gz, line 3: updates 120 to 121 do not follow 102"
    assert book_of(recording)[0] == {995: 300, 994: 100, 993: 100}


def test_a_later_snapshot_heals_the_book(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    made.change([["99.3", "1"]], first=120, last=121).change([["99.2", "1"]])  # 122-123
    made.snapshot([["99.4", "7"]], [["100.6", "7"]], update_id=121)
    recording = read(made, tmp_path)
    assert book_of(recording) == ({994: 700, 992: 100}, {1006: 700})
    assert recording.defects["gaps"] == 1


def test_repeated_and_old_changes_are_left_out_and_counted(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]]).change([["99.4", "1"]])
    made.change([["99.4", "9"]], first=101, last=102)
    recording = read(made, tmp_path)
    assert recording.defects["stale_updates"] == 1
    assert book_of(recording)[0] == {995: 300, 994: 100}


def test_a_file_without_a_snapshot_is_read_and_says_so(capture, tmp_path):
    recording = read(capture().change([["99.4", "1"]], [["100.4", "1"]]).change([["99.3", "1"]]), tmp_path)
    assert recording.defects["no_snapshot"] == 1
    assert "begins without a snapshot" in recording.notes[0]
    assert book_of(recording) == ({994: 100, 993: 100}, {1004: 100})


def test_the_aggressor_sells_when_the_buyer_rested(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    made.trade("99.5", "1", buyer_rested=True, number=5).trade("100.5", "2", buyer_rested=False, number=6)
    trades = read(made, tmp_path).events[-2:]
    assert trades["kind"].tolist() == [TRADE, TRADE]
    assert trades["side"].tolist() == [-1, 1]
    assert trades["id"].tolist() == [5, 6]
    assert trades["lots"].tolist() == [100, 200]


def test_aggregated_trades_are_read_only_where_there_are_no_single_ones(capture, tmp_path):
    def made(*kinds):
        one = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
        for kind in kinds:
            one.trade("99.5", "1", kind=kind)
        return one

    assert (read(made("aggTrade", "aggTrade"), tmp_path).events["kind"] == TRADE).sum() == 2
    assert (read(made("aggTrade", "trade"), tmp_path).events["kind"] == TRADE).sum() == 1


def test_trades_outside_the_book_are_left_out_and_counted(capture, tmp_path):
    made = capture(futures=True).snapshot([["99.5", "3"]], [["100.5", "3"]])
    made.trade("99.5", "1", X="INSURANCE_FUND").trade("99.5", "0.000", X="MARKET").trade("99.5", "1", X="MARKET")
    recording = read(made, tmp_path)
    assert recording.defects["other_trades"] == 2
    assert (recording.events["kind"] == TRADE).sum() == 1


def test_times_are_those_of_matching_where_the_venue_sends_them(capture, tmp_path):
    for futures, extra in ((True, 1), (False, 0)):
        made = capture(futures=futures).snapshot([["99.5", "3"]], [["100.5", "3"]])
        sent_ms = made.now_ms
        change = read(made.change([["99.4", "1"]]), tmp_path).events[-1]
        assert change["exch_ns"] == (sent_ms - extra) * MS


def test_book_messages_never_go_back_in_exchange_time(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]]).change([["99.4", "1"]])
    made.change([["99.4", "2"]], E=made.now_ms - 500)
    recording = read(made, tmp_path)
    depth = recording.events[recording.events["kind"] == DEPTH]
    assert (np.diff(depth["exch_ns"]) >= 0).all()
    assert recording.defects["book_time_backwards"] == 1


def test_other_streams_are_counted_and_left_out(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    made.add({"result": None, "id": 1}, stream="").add({"e": "markPriceUpdate", "s": "BTCUSDT"}, stream="markPrice")
    made.add({"lastUpdateId": 5, "bids": [["1", "1"]], "asks": []}, stream="depth5")
    recording = read(made, tmp_path)
    assert recording.defects["other_messages"] == 3
    assert book_of(recording) == ({995: 300}, {1005: 300})


def test_the_instrument_is_the_file_s(capture, tmp_path):
    for futures, venue in ((False, "binance"), (True, "binance-futures")):
        made = capture(futures=futures).snapshot([["99.5", "3"]], [["100.5", "3"]]).change([["99.4", "1"]])
        (instrument,) = read(made, tmp_path).instruments
        assert (instrument.symbol, instrument.venue, instrument.currency) == ("BTCUSDT", venue, "USDT")


def test_of_several_symbols_the_user_chooses_one(capture, tmp_path):
    made = capture().change([["99.4", "1"]]).trade("1.5", "1", s="ETHUSDT").trade("99.4", "2")
    with pytest.raises(DataError, match="messages of BTCUSDT and of ETHUSDT; choose one with --symbol"):
        read(made, tmp_path)
    assert len(read(made, tmp_path, symbol="btcusdt").events) == 2
    assert len(read(made, tmp_path, symbol="ETHUSDT").events) == 1
    with pytest.raises(DataError, match="no messages of SOLUSDT, only of BTCUSDT, ETHUSDT"):
        read(made, tmp_path, symbol="SOLUSDT")


def test_a_snapshot_that_could_be_of_any_symbol_is_refused(capture, tmp_path):
    made = capture().change([["99.4", "1"]]).trade("1.5", "1", s="ETHUSDT").snapshot([["99.5", "3"]], [["100.5", "3"]])
    with pytest.raises(DataError, match="line 3: a snapshot that does not say of which symbol it is"):
        read(made, tmp_path, symbol="BTCUSDT")


def test_files_join_in_any_order_and_the_sequence_is_checked_across_them(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    for i in range(20):
        made.change([["99.4", f"{i}"]])
    first, second = capture(), capture()
    first.lines, second.lines = made.lines[:9], made.lines[9:]
    paths = [second.write(tmp_path / "a.gz"), first.write(tmp_path / "b.gz")]
    options = {"tick_size": "0.1", "lot_size": "0.01"}
    joined, whole = load(paths, **options), load(made.write(tmp_path / "c.gz"), **options)
    assert joined.names == ("b.gz", "a.gz")
    assert joined.defects == whole.defects
    assert (joined.events == whole.events).all()


def test_between_two_changes_the_book_follows_the_best_prices(capture, tmp_path):
    made = capture(futures=True).snapshot([["99.5", "3"], ["99.3", "8"]], [["100.5", "3"]])
    made.quote(101, ("99.3", "7"), ("99.5", "2"), T=made.now_ms)  # ids of the change below: 101 to 102
    made.quote(102, ("99.3", "7"), ("99.5", "1"), T=made.now_ms)
    made.change([["99.5", "0"]], [["99.5", "1"]])  # silent about 99.3, whose size went and came back
    recording = read(made, tmp_path)
    assert shown(recording, "kind", "side", "ticks", "lots", "id")[5:] == [
        (DEPTH, 1, 995, 0, 101),
        (DEPTH, 1, 993, 700, 101),
        (DEPTH, -1, 995, 200, 101),
        (DEPTH, -1, 995, 100, 102),
        (DEPTH, 1, 995, 0, 102),
        (DEPTH, -1, 995, 100, 102),
        (DEPTH, 1, 993, 800, 102),
    ]
    assert [flags & Flag.LAST_OF_MESSAGE for flags in recording.events["flags"].tolist()[5:]] == [0, 0, 1, 1, 0, 0, 1]
    assert recording.notes[-1].startswith("touch from bookTicker: 1 change of the best prices between depth updates; without ")


def test_best_prices_that_come_late_only_check_the_book(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]]).change([["99.6", "1"]])  # 101 to 102
    made.quote(101, ("99.5", "9"), ("100.5", "3")).quote(102, ("99.6", "1"), ("100.5", "3"))
    source = open_source(made.write(tmp_path / "a.gz"), tick_size="0.1", lot_size="0.01")
    told = describe(source)
    assert book_of(read(made, tmp_path)) == ({995: 300, 996: 100}, {1005: 300})
    assert (told["book_check"]["compared"], told["book_check"]["agree"]) == (1, 1)
    assert (told["book_check"]["touch"]["messages"], told["book_check"]["touch"]["late"]) == (2, 2)


def test_a_change_under_way_does_not_take_back_what_later_best_prices_said(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    made.quote(105, ("99.7", "2"), ("100.5", "3"))
    made.change([["99.6", "1"], ["99.8", "5"]])  # 101 to 102: at 105 nothing is above 99.7
    assert book_of(read(made, tmp_path)) == ({995: 300, 996: 100, 997: 200}, {1005: 300})
    made.change([["99.4", "1"]])  # 103 to 104
    assert book_of(read(made, tmp_path)) == ({994: 100, 995: 300, 996: 100, 997: 200}, {1005: 300})
    made.change([["99.7", "0"]])  # 105 to 106: the level came and went
    assert book_of(read(made, tmp_path)) == ({994: 100, 995: 300, 996: 100, 998: 500}, {1005: 300})


def test_best_prices_before_the_snapshot_wait_for_it(capture, tmp_path):
    made = capture().quote(99, ("99.1", "1"), ("99.2", "1")).quote(104, ("99.4", "2"), ("99.9", "1"))
    made.change([["99.5", "1"]], first=99, last=103)
    made.snapshot([["99.5", "3"]], [["100.5", "3"]])
    recording = read(made, tmp_path)
    assert book_of(recording) == ({994: 200}, {999: 100, 1005: 300})
    assert len(set(recording.events["local_ns"].tolist())) == 1


def test_a_change_without_a_level_ends_what_best_prices_said(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]]).quote(101, ("99.5", "1"), ("100.5", "3")).change()
    recording = read(made, tmp_path)
    assert shown(recording, "kind", "ticks", "lots", "id")[-2:] == [(DEPTH, 995, 100, 101), (DEPTH, 995, 300, 102)]
    assert read(capture().snapshot([["99.5", "3"]], [["100.5", "3"]]).change(), tmp_path).events["kind"].tolist()[-1] == END


def test_trades_of_the_same_millisecond_come_before_the_best_prices_that_lack_them(capture, tmp_path):
    made = capture(futures=True).snapshot([["99.5", "3"]], [["100.5", "3"]])
    made.quote(101, ("99.5", "1"), ("100.5", "3"), T=made.now_ms, E=made.now_ms + 1)
    made.now_ms -= 10
    made.trade("99.5", "2", buyer_rested=True)
    in_order = exchange_order(read(made, tmp_path).events)
    assert in_order["kind"].tolist()[-2:] == [TRADE, DEPTH]
    assert in_order["exch_ns"][-1] - in_order["exch_ns"][-2] == 1


def test_best_prices_without_a_time_get_the_latest_that_is_possible(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    for latency_ms in (7, 3):
        made.change([["99.4", f"{latency_ms}"]])
        made.lines[-1] = f"{(made.now_ms - 10 + latency_ms) * MS} {made.lines[-1].partition(' ')[2]}"
    made.now_ms += 10
    made.quote(105, ("99.5", "1"), ("100.5", "3"))  # arrives 2 ms before now_ms, as we see it
    best = read(made, tmp_path).events[-1]
    assert best["local_ns"] - best["exch_ns"] == 3 * MS


def test_the_latency_that_best_prices_are_given_follows_a_clock_that_drifts(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    for _ in range(4):
        made.change([["99.4", "1"]])
        made.quote(made.last_id + 1, ("99.5", f"{made.last_id}"), ("100.5", "3"))
        made.now_ms += 10_000
        made.lines[-2:] = [f"{int(line[:19]) + 5 * len(made.lines) * MS}{line[19:]}" for line in made.lines[-2:]]
    events = read(made, tmp_path).events
    latency = (events["local_ns"] - events["exch_ns"])[-1]
    assert latency > 20 * MS  # the first ones had less


@pytest.mark.parametrize(("gaps_ms", "said"), [((90, 90, 290), "100 ms"), ((40,), "50 ms")])
def test_without_best_prices_the_pace_of_the_updates_is_said(capture, tmp_path, gaps_ms, said):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]]).change([["99.4", "1"]])
    for gap_ms in gaps_ms:
        made.now_ms += gap_ms
        made.change([["99.4", "2"]])
    assert read(made, tmp_path).notes == (f"no bookTicker: the touch moves with depth updates alone, every {said} in the median",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no numbers here", "expected `<local ns> <json>`|not `<local ns> <json>`"),
        ('1700000000000000000 {"e":"trade"', r"line 3: not `<local ns> <json>` .* truncated"),
        ("1700000000000000000 [1]\n", "line 3"),
        ('1700000000000000000 {"stream":"a@trade","data":{"e":"trade"}}\n', "line 3: not a message as Binance sends them: no 's'"),
        ('1700000000000000000 {"stream":"a@trade","data":7}\n', "line 3: not a message"),
        ('99999999999999999999 {"e":"trade"}\n', "line 3: begins with"),
        ('9999999999999999999 {"e":"trade"}\n', "line 3: begins with"),
    ],
)
def test_a_line_that_is_none_is_named(capture, tmp_path, line, said):
    path = capture().snapshot([["99.5", "3"]], [["100.5", "3"]]).change([["99.4", "1"]]).write(tmp_path / "capture")
    path.write_text(path.read_text() + line)
    with pytest.raises(DataError, match=said):
        load(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"U": 1.5}, "U is 1.5; expected a whole number"),
        ({"u": -1}, "u is -1"),
        ({"E": "soon"}, "E is 'soon'"),
        ({"E": 10**18}, "E is"),
        ({"b": [["99.4"]]}, "line 2"),
        ({"b": [["99.4", "1", "2"]]}, "line 2"),
        ({"b": [["99.4", 1.0]]}, "line 2: a price or size is 1.0; expected a decimal number as text"),
        ({"b": [["99.4", "-1"]]}, "line 2: size is -1; allowed: 0 or more"),
        ({"b": [["nan", "1"]]}, "line 2: price is 'nan'; expected a decimal number"),
        (
            {"b": [["99.45", "1"]]},
            r"line 2: price is 99.45, which is not a multiple of the tick size 0.1; --tick 0.05 would fit both",
        ),
        (
            {"b": [["99.4", "1.001"]]},
            r"line 2: size is 1.001, which is not a multiple of the lot size 0.01; --lot 0.001 would fit both",
        ),
        ({"b": [["999999999999", "1"]]}, "line 2: price is 999999999999, more than 2.31 ticks"),
        ({"s": 5}, "symbol is 5"),
    ],
)
def test_a_field_that_cannot_be_is_named(capture, tmp_path, change, said):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    made.change(**{"bids": [["99.4", "1"]], **change})
    with pytest.raises(DataError, match=said):
        read(made, tmp_path)


def test_a_crossed_snapshot_is_refused(capture, tmp_path):
    made = capture().snapshot([["100.5", "3"]], [["100.5", "3"]])
    with pytest.raises(DataError, match=r"line 1: the snapshot is crossed: best bid 100.5, best ask 100.5"):
        read(made, tmp_path)


def test_a_crossed_book_is_kept_and_seen_by_those_who_look(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]]).change([["101", "1"]])
    line = touches(read(made, tmp_path).events)[-1]
    assert line["bid_ticks"] > line["ask_ticks"]
