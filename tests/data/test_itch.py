"""ITCH 5.0: what each message means, whose messages are read, and what is refused, byte by byte."""

import gzip
import re
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from itch_bytes import Itch, RefusedError, midnight, naive, small

from twosided.data import itch as itch_module
from twosided.data.formats import open_source
from twosided.data.itch_kernel import COUNTED, LENGTHS
from twosided.data.recording import load
from twosided.errors import DataError, InputError
from twosided.market.event import Flag, Kind, Status

DAY = date(2019, 12, 30)
LAST, HIDDEN = int(Flag.LAST_OF_MESSAGE), int(Flag.HIDDEN)


def told(made, tmp_path, **options):
    """Return (kind, id, side, ticks, lots) of every event."""
    return rows_of(load(made.write(tmp_path), **options).events)


def rows_of(events):
    return [(Kind(int(e["kind"])).name, int(e["id"]), int(e["side"]), int(e["ticks"]), int(e["lots"])) for e in events]


# ---------------------------------------------------------------- what messages mean


def test_an_order_is_added_with_or_without_attribution(tmp_path):
    made = Itch().add(5, "B", 100, 1_000_000).add(6, "S", 200, 1_000_100, attributed=True)
    assert told(made, tmp_path) == [("ADD", 5, 1, 10_000, 100), ("ADD", 6, -1, 10_001, 200)]


def test_an_execution_is_a_trade_at_the_orders_price_in_front_of_its_fill(tmp_path):
    made = Itch().add(5, "B", 100, 1_000_000).execute(5, 40, match=77)
    assert told(made, tmp_path)[1:] == [("TRADE", 77, -1, 10_000, 40), ("FILL", 5, 1, 10_000, 40)]


def test_an_execution_at_another_price_trades_there_and_fills_the_order_where_it_stands(tmp_path):
    made = Itch().add(5, "S", 100, 1_000_200).execute_at(5, 40, 1_000_100, match=77)
    assert told(made, tmp_path)[1:] == [("TRADE", 77, 1, 10_001, 40), ("FILL", 5, -1, 10_002, 40)]


def test_an_execution_that_is_not_printable_takes_its_lots_and_is_no_trade(tmp_path):
    made = Itch().add(5, "S", 100, 1_000_200).execute_at(5, 40, 1_000_100, printable="N").execute(5, 60)
    assert [row[0] for row in told(made, tmp_path)] == ["ADD", "FILL", "TRADE", "FILL"]


def test_a_cancel_takes_some_lots_and_a_delete_all(tmp_path):
    made = Itch().add(5, "B", 100, 1_000_000).cancel(5, 30).delete(5)
    assert told(made, tmp_path)[1:] == [("CANCEL", 5, 1, 10_000, 30), ("CANCEL", 5, 1, 10_000, 0)]


def test_a_replacement_cancels_the_old_order_and_adds_the_new_one_on_its_side_in_one_message(tmp_path):
    events = load(Itch().add(5, "S", 100, 1_000_000).replace(5, 6, 70, 1_000_300).execute(6, 70).write(tmp_path)).events
    assert rows_of(events)[1:3] == [("CANCEL", 5, -1, 10_000, 0), ("ADD", 6, -1, 10_003, 70)]
    assert (events["flags"] & LAST).tolist() == [LAST, 0, LAST, 0, LAST]


def test_a_hidden_trade_has_the_side_that_its_time_knew(tmp_path):
    made = Itch().add(1, "B", 1, 10_000).trade("B", 40, 1_000_000, match=9).trade("S", 40, 1_000_000)
    path = made.write(tmp_path, "x_20140711.itch")
    events = load(path).events[1:]
    assert events["side"].tolist() == [-1, 1]
    assert (events["flags"] & HIDDEN != 0).all()
    assert load(path, date="2014-07-14").events[1:]["side"].tolist() == [0, 0]


def test_a_cross_is_a_hidden_trade_of_unknown_side_and_one_in_which_nobody_traded_is_none(tmp_path):
    recording = load(Itch().add(1, "B", 1, 10_000).cross(0, 0).cross(3 * 10**9, 1_000, match=4).write(tmp_path))
    assert rows_of(recording.events)[1:] == [("TRADE", 4, 0, 10, 3 * 10**9)]
    assert recording.events["flags"].tolist() == [LAST, LAST | HIDDEN]
    assert recording.defects["other_trades"] == 1


def test_status_is_closed_outside_market_hours_and_what_the_trading_action_says_inside(tmp_path):
    made = Itch().system("O").action("T").system("S").add(1, "B", 5, 10_000).system("Q")
    made.action("T").action("H").action("P").action("Q").action("T").system("M").action("H").system("E")
    rows = [row for row in told(made, tmp_path) if row[0] == "STATUS"]
    assert [Status(row[4]).name for row in rows] == ["CLOSED", "OPEN", "HALT", "AUCTION", "OPEN", "CLOSED"]


def test_a_halt_from_before_the_bell_holds_after_it(tmp_path):
    made = Itch().system("S").action("H").add(1, "B", 5, 10_000).system("Q")
    assert [row[4] for row in told(made, tmp_path) if row[0] == "STATUS"] == [Status.CLOSED, Status.HALT]


def test_a_file_that_starts_in_the_middle_says_nothing_of_status_until_it_does(tmp_path):
    made = Itch().add(1, "B", 5, 10_000).action("T")
    assert [row[0] for row in told(made, tmp_path)] == ["ADD", "STATUS"]


def test_what_is_not_needed_is_counted(tmp_path):
    made = Itch().directory().add(1, "B", 5, 10_000).imbalance().broken(3).say("Y", "ABC     ", "0").say("V", 1, 2, 3, locate=0)
    assert load(made.write(tmp_path)).defects == {"other_messages": 2, "broken_trades": 1}


def test_orders_that_were_never_added_are_passed_on_and_what_cannot_be_is_counted(tmp_path):
    made = (
        Itch().add(1, "B", 5, 10_000).execute(9, 10).replace(8, 7, 10, 1_000_000).cancel(7, 5).delete(7).execute_at(6, 3, 1_000_000)
    )
    recording = load(made.write(tmp_path))
    assert rows_of(recording.events)[1:] == [
        ("FILL", 9, 0, 0, 10),
        ("CANCEL", 8, 0, 0, 0),
        ("CANCEL", 7, 0, 0, 5),
        ("CANCEL", 7, 0, 0, 0),
        ("TRADE", 1, 0, 10_000, 3),
        ("FILL", 6, 0, 0, 3),
    ]
    assert own(recording.defects) == {"unplaced_orders": 1, "unpriced_trades": 1}


# ---------------------------------------------------------------- times, ticks, days


def test_times_are_nanoseconds_after_midnight_in_new_york_on_both_clocks(tmp_path):
    events = load(Itch(ns=34_200_000_000_000).add(1, "B", 5, 10_000, after=1).write(tmp_path), clock_offset_ns=0).events
    assert int(events["exch_ns"][0]) == int(events["local_ns"][0]) == 1_577_682_000 * 10**9 + 34_200_000_000_001


def test_equal_times_are_one_message(tmp_path):
    made = Itch().add(1, "B", 5, 10_000).add(2, "B", 5, 10_000, after=0).add(3, "B", 5, 10_000)
    assert load(made.write(tmp_path)).events["flags"].tolist() == [0, LAST, LAST]


def test_a_small_step_back_in_time_is_moved_forward_and_counted(tmp_path):
    recording = load(Itch().add(1, "B", 5, 10_000).add(2, "B", 5, 10_000, after=-999).add(3, "B", 5, 10_000).write(tmp_path))
    assert np.diff(recording.events["exch_ns"]).tolist() == [0, 1]
    assert recording.defects == {"exch_backwards": 1}


def test_a_midpoint_trade_is_moved_to_a_tick_and_counted_and_with_a_finer_tick_it_is_exact(tmp_path):
    made = Itch().add(5, "S", 100, 1_000_000).execute_at(5, 40, 999_950)
    recording = load(made.write(tmp_path))
    assert rows_of(recording.events)[1] == ("TRADE", 1, 1, 9_999, 40)
    assert recording.defects == {"between_ticks": 1}
    exact = load(made.write(tmp_path), tick_size="0.0001")
    assert rows_of(exact.events)[1:] == [("TRADE", 1, 1, 999_950, 40), ("FILL", 5, -1, 1_000_000, 40)]
    assert exact.defects == {}


def test_tick_and_lot_are_the_venues_and_not_inferred(tmp_path):
    source = open_source(small().write(tmp_path))
    assert source.inferred == ""
    instrument = source.instruments[0]
    assert (instrument.tick_size, instrument.lot_size, instrument.venue, instrument.currency) == (
        Decimal("0.01"),
        1,
        "NASDAQ",
        "USD",
    )


def test_the_day_comes_from_the_name_or_from_the_user_and_a_note_says_so(tmp_path):
    made = Itch().add(1, "B", 5, 10_000)
    assert load(made.write(tmp_path)).notes[0].endswith("the day, 2019-12-30, is from the name of the file")
    path = made.write(tmp_path, "feed.itch")
    with pytest.raises(DataError, match=r"no day, nor does its name; state it: --date"):
        load(path)
    recording = load(path, date="2012-06-21")
    assert recording.notes[0].endswith("the day, 2012-06-21, is stated")
    assert int(recording.events["exch_ns"][0]) == midnight(date(2012, 6, 21)) + made.ns
    with pytest.raises(InputError, match=r"date is '30.12.2019'; expected a day such as"):
        load(path, date="30.12.2019")


def test_files_of_one_day_continue_and_a_new_day_begins_with_an_empty_book(tmp_path):
    first, second = Itch().add(1, "B", 5, 10_000), Itch(ns=10**9 * 40_000).execute(1, 2)
    third = Itch(locate=9).execute(1, 3).add(2, "B", 5, 10_000)
    paths = [
        third.write(tmp_path, "20191231.itch"),
        second.write(tmp_path, "b20191230.itch"),
        first.write(tmp_path, "a20191230.itch"),
    ]
    paths[1].rename(tmp_path / "b_20191230.itch"), paths[2].rename(tmp_path / "a_20191230.itch")
    recording = load([paths[0], tmp_path / "b_20191230.itch", tmp_path / "a_20191230.itch"])
    assert [row[0] for row in rows_of(recording.events)] == ["ADD", "TRADE", "FILL", "CLEAR", "FILL", "ADD"]
    assert own(recording.defects) == {"unpriced_trades": 1}


# ---------------------------------------------------------------- whose messages


def two_stocks():
    made = Itch("ABC", 7).system("O").directory()
    other = Itch("XYZ", 8, ns=made.ns)
    other.directory().add(100, "B", 5, 20_000).add(101, "S", 5, 20_100).execute(100, 2)
    made.content += other.content
    return made.add(1, "B", 5, 10_000).execute(1, 5)


@pytest.mark.parametrize(("symbol", "orders"), [("ABC", [1, 1]), ("XYZ", [100, 101, 100])])
def test_one_stock_is_found_by_its_name(tmp_path, symbol, orders):
    recording = load(two_stocks().write(tmp_path), symbol=symbol)
    events = recording.events
    assert events["id"][np.isin(events["kind"], (Kind.ADD, Kind.FILL))].tolist() == orders
    assert recording.instruments[0].symbol == symbol


def test_a_stock_is_found_without_a_directory(tmp_path):
    made = Itch("XYZ", 8).add(100, "B", 5, 20_000)
    made.stock, made.locate = "ABC", 7
    made.add(1, "B", 5, 10_000).execute(1, 5)
    assert [row[0] for row in told(made, tmp_path, symbol="ABC")] == ["ADD", "TRADE", "FILL"]


def test_several_stocks_are_refused_without_a_name_and_an_unknown_name_too(tmp_path):
    path = two_stocks().write(tmp_path)
    with pytest.raises(DataError, match="holds messages of ABC and of XYZ; choose one with --symbol"):
        load(path)
    with pytest.raises(DataError, match=r"has no messages of AB; expected the name of a stock"):
        load(path, symbol="AB")
    with pytest.raises(InputError, match="symbol is 'TOOLONGNAME'; expected a stock's name of at most 8 letters"):
        load(path, symbol="TOOLONGNAME")


# ---------------------------------------------------------------- against the twin


def assert_like_the_twin(path, content, day, **options):
    """The reader says what the slow twin says; events that share a time share a message."""
    expected, counts = naive(content, day, **options)
    source = open_source(path, symbol=options.get("stock"), tick_size=Decimal(options.get("step", 100)) / 10_000, date=day)
    events = source.read_all()
    names = ("exch_ns", "id", "lots", "ticks", "kind", "side")
    assert np.array_equal(np.column_stack([events[name].astype(np.int64) for name in names]), columns(expected))
    assert (events["flags"] & ~np.uint8(LAST)).tolist() == [row[6] for row in expected]
    ends = np.append(np.diff(events["exch_ns"]) != 0, True)
    assert ((events["flags"] & LAST != 0) == ends).all()
    assert own(source.defects.counts) == counts


def own(counts):
    """Return the defects that the reader counts; those of the book that its events make are counted elsewhere."""
    return {name: count for name, count in counts.items() if name in COUNTED}


def columns(rows):
    return np.array([(ns, order, lots, ticks, kind, side) for ns, _place, order, lots, ticks, kind, _flags, side in rows], np.int64)


def test_a_file_with_everything_in_it_is_what_the_twin_reads(tmp_path):
    made = small()
    assert_like_the_twin(made.write(tmp_path), bytes(made.content), DAY)
    assert_like_the_twin(made.write(tmp_path), bytes(made.content), DAY, step=1)


@pytest.mark.interpreted
@pytest.mark.parametrize("seed", range(6))
def test_random_messages_are_what_the_twin_reads_however_small_the_blocks(tmp_path, monkeypatch, seed):
    rng = np.random.default_rng(seed)
    made, live, fresh = Itch(), [], 1
    made.add(1_000_000, "B", 1, 10_000)
    for _ in range(150):
        shares, price, after = int(rng.integers(1, 50)), int(rng.integers(9_900, 10_100)) * 100, int(rng.integers(0, 3))
        order = int(rng.choice(live)) if live and rng.random() < 0.9 else 10_000 + int(rng.integers(5))
        match int(rng.integers(8)):
            case 0 | 1 | 2:
                made.add(fresh, "BS"[int(rng.integers(2))], shares, price, after=after)
                live.append(fresh)
                fresh += 1
            case 3:
                made.execute(order, shares, after=after)
            case 4:
                made.execute_at(order, shares, price + int(rng.integers(100)), printable="YN"[int(rng.integers(2))], after=after)
            case 5:
                made.cancel(order, shares, after=after)
            case 6:
                made.delete(order, after=after)
            case _:
                made.replace(order, fresh, shares, price, after=after)
                live.append(fresh)
                fresh += 1
    monkeypatch.setattr("twosided.data.files._BLOCK_BYTES", int(rng.integers(3, 200)))
    monkeypatch.setattr(itch_module, "_ROOM", 4)
    monkeypatch.setattr(itch_module, "new_orders", lambda: _new_orders(4))
    assert_like_the_twin(made.write(tmp_path), bytes(made.content), DAY)


_new_orders = itch_module.new_orders


def test_packed_files_are_unpacked_on_the_way(tmp_path):
    path = tmp_path / "12302019.NASDAQ_ITCH50.gz"
    path.write_bytes(gzip.compress(small().content))
    assert np.array_equal(load(path).events, load(small().write(tmp_path)).events)


def test_an_end_mark_ends_a_file(tmp_path):
    made = small()
    made.content += b"\0\0"
    assert_like_the_twin(made.write(tmp_path), bytes(made.content), DAY)


# ---------------------------------------------------------------- what is refused


def changed(at, new, *, kind="A"):
    """Return the small file with bytes of its first message of *kind* changed, and where that message begins."""
    content, place = bytearray(small().content), 0
    while content[place + 2] != ord(kind):
        place += 2 + int.from_bytes(content[place : place + 2], "big")
    content[place + 2 + at : place + 2 + at + len(new)] = new
    return content, place


@pytest.mark.parametrize(
    ("kind", "at", "new", "words"),
    [
        ("A", 0, b"Z", "message type is b'Z' behind a length of 36; expected one of ITCH 5.0"),
        ("A", -1, b"\x23", "length is 35 before a message of type A; expected 36"),
        ("E", 0, b"A", "length is 31 before a message of type A; expected 36"),
        ("A", 5, b"\xff", "ns after midnight; expected less than 86400000000000, a day"),
        ("A", 19, b"b", "side is b'b'; expected B or S"),
        ("A", 20, bytes(4), "shares is 0; expected 1 or more"),
        ("Q", 11, b"\xff" * 8, "shares is 18446744073709551615; expected 1 or more, as a venue can trade"),
        ("X", 19, bytes(4), "shares is 0; expected 1 or more"),
        ("A", 32, bytes(4), "price is 0.0000; expected more than 0"),
        ("A", 35, b"\x0f", "which is not a multiple of the tick size 0.01; --tick 0.0001 fits"),
        ("U", 34, b"\x0f", "which is not a multiple of the tick size 0.01; --tick 0.0001 fits"),
        ("C", 31, b"?", "printable is b'?'; expected Y or N"),
        ("S", 11, b"?", "event is b'?'; expected O, S, Q, M, E or C"),
        ("H", 19, b"?", "state is b'?'; expected H, P, Q or T"),
        ("P", 19, b"?", "side is b'?'; expected B or S"),
        ("F", 24, b"X", "stock is XBC in a message with the locate of ABC; expected one name for each locate"),
        ("D", 1, b"\0\x09", "holds messages of ABC and of locate 9; choose one with --symbol"),
    ],
)
def test_a_message_that_the_format_does_not_allow_is_refused_with_its_byte(tmp_path, kind, at, new, words):
    content, place = changed(at, new, kind=kind)
    path = Itch(content=content).write(tmp_path)
    if place == 0:
        with pytest.raises(DataError):
            load(path)
        return
    with pytest.raises(DataError, match=re.escape(words)) as caught:
        load(path)
    assert (caught.value.source, caught.value.where) == (str(path), f"byte {place}")
    with pytest.raises(RefusedError, match=f"^{place}$"):
        naive(bytes(content), DAY)


def test_a_file_that_breaks_off_names_the_message(tmp_path):
    content = small().content
    with pytest.raises(
        DataError, match=r"byte .*: the message that begins here breaks off after 11 bytes of 14: the file is truncated"
    ):
        load(Itch(content=content[:-3]).write(tmp_path))


def test_data_after_the_end_mark_are_refused(tmp_path):
    made = small()
    place = len(made.content)
    made.content += b"\0\0\0"
    with pytest.raises(DataError, match=f"byte {place}: message type is .* behind a length of 0"):
        load(made.write(tmp_path))


def test_time_that_runs_back_is_refused(tmp_path):
    made = Itch().add(1, "B", 5, 10_000)
    place = len(made.content)
    with pytest.raises(DataError, match=f"byte {place}: time runs back by 2"):
        load(made.add(2, "B", 5, 10_000, after=-2 * 10**9).write(tmp_path))


def test_a_price_beyond_32_bits_needs_a_coarser_tick(tmp_path):
    made = Itch().add(1, "B", 5, 3_000_000_000)
    assert told(made, tmp_path) == [("ADD", 1, 1, 30_000_000, 5)]
    with pytest.raises(DataError, match=r"price is 300000.0000; expected more than 0 and less than 2\^31 ticks"):
        told(made, tmp_path, tick_size="0.0001")


def test_a_file_without_events_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no events"):
        load(Itch().directory().write(tmp_path))


def test_lengths_are_those_of_the_specification():
    layouts = {"A": 36, "F": 40, "E": 31, "C": 36, "X": 23, "D": 19, "U": 35, "P": 44, "Q": 40, "B": 19, "S": 12, "R": 39, "H": 25}
    assert {kind: int(LENGTHS[ord(kind)]) for kind in layouts} == layouts
    assert int((LENGTHS > 0).sum()) == 23


# ---------------------------------------------------------------- the recording


def test_the_recording_is_what_the_twin_reads(shared):
    path = shared("data", "itch", "aapl_20191230_0935.itch50")
    assert_like_the_twin(path, path.read_bytes(), DAY)


def test_the_recording_starts_in_the_middle_and_says_how_much_is_missing(shared):
    recording = load(shared("data", "itch", "aapl_20191230_0935.itch50"))
    assert recording.instruments[0].symbol == "AAPL"
    assert recording.defects["unpriced_trades"] == 540
    assert recording.defects["unplaced_orders"] == 67
