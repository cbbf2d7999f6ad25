"""LOBSTER: what each row means, how the recorded book completes the messages, and what is refused, line by line."""

import gzip
import re
import zipfile
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from lobster_days import (
    ANONYMOUS,
    NAME,
    START,
    Market,
    assert_rebuilds,
    book_text,
    events_as_told,
    message_text,
    midnight,
    naive_books,
    naive_events,
    naive_messages,
    times_of,
    write_pair,
    write_zip,
)

from twosided.data import lobster as lobster_module
from twosided.data import lobster_book
from twosided.data.formats import open_source
from twosided.data.info import describe
from twosided.data.lobster_files import day_name
from twosided.data.recording import load
from twosided.errors import DataError
from twosided.market.event import Flag, Kind, Status

LAST, HIDDEN = int(Flag.LAST_OF_MESSAGE), int(Flag.HIDDEN)
NS = 10**9


def at(*seconds_and_rest):
    """Return messages; the first of each is in ms after half past nine."""
    return [(f"{START + ms // 1000}.{ms % 1000:03}", *rest) for ms, *rest in seconds_and_rest]


def message_file(folder, rows, name=NAME):
    path = folder / name.format(kind="message", levels=2)
    path.write_text(rows if isinstance(rows, str) else message_text(rows))
    return path


def told(events):
    return [(Kind(kind).name, order, side, ticks, lots) for _ns, order, lots, ticks, kind, _hidden, side in events_as_told(events)]


# ---------------------------------------------------------------- messages alone


@pytest.mark.parametrize(
    ("row", "events"),
    [
        ((1, 8, 50, 1_000_000, 1), [("ADD", 8, 1, 10_000, 50)]),
        ((2, 8, 50, 1_000_000, -1), [("CANCEL", 8, -1, 10_000, 50)]),
        ((3, 8, 50, 1_000_000, 1), [("CANCEL", 8, 1, 10_000, 0)]),
        ((4, 8, 50, 1_000_000, 1), [("TRADE", 0, -1, 10_000, 50), ("FILL", 8, 1, 10_000, 50)]),
        ((5, 0, 50, 1_000_000, -1), [("TRADE", 0, 1, 10_000, 50)]),
        ((6, -1, 50, 1_000_000, -1), [("TRADE", 0, 0, 10_000, 50)]),
        ((7, 0, 0, -1, -1), [("STATUS", 0, 0, 0, Status.HALT)]),
        ((7, 0, 0, 0, -1), [("STATUS", 0, 0, 0, Status.AUCTION)]),
        ((7, 0, 0, 1, -1), [("STATUS", 0, 0, 0, Status.OPEN)]),
    ],
)
def test_every_type_of_message_is_what_it_says(tmp_path, row, events):
    path = message_file(tmp_path, at((0, *row)))
    read = open_source(path).read_all()
    assert told(read) == events
    assert [bool(flags & HIDDEN) for flags in read["flags"]] == [row[0] in {5, 6}] * len(events)


def test_times_are_exact_decimals_of_seconds_after_midnight_in_new_york(tmp_path):
    rows = [("34200", 1, 1, 5, 10_000, 1), ("34200.000000001", 1, 2, 5, 10_000, 1), ("34200.1", 1, 3, 5, 10_000, 1)]
    rows.append(("34200.12345678900", 1, 4, 5, 10_000, 1))
    events = load(message_file(tmp_path, rows), clock_offset_ns=0).events
    assert (events["exch_ns"] - midnight() - START * NS).tolist() == [0, 1, 10**8, 123_456_789]
    assert np.array_equal(events["exch_ns"], events["local_ns"])


def test_rows_with_equal_times_are_one_message(tmp_path):
    rows = at(
        (0, 1, 1, 5, 10_000, 1), (0, 1, 2, 5, 10_000, 1), (1, 4, 1, 5, 10_000, 1), (1, 4, 2, 5, 10_000, 1), (2, 5, 0, 1, 10_000, 1)
    )
    assert load(message_file(tmp_path, rows)).events["flags"].tolist() == [0, LAST, 0, 0, 0, LAST, LAST | HIDDEN]


def test_a_hidden_trade_between_two_ticks_is_moved_and_counted_and_exact_with_a_finer_tick(tmp_path):
    rows = at((0, 1, 1, 5, 10_000, 1), (1, 5, 0, 5, 10_050, 1), (2, 5, 0, 5, 10_050, -1), (3, 6, 0, 5, 10_150, 1))
    path = message_file(tmp_path, rows)
    recording = load(path)
    assert recording.events["ticks"].tolist() == [100, 101, 100, 102]
    assert recording.defects["between_ticks"] == 3
    exact = load(path, tick_size="0.0001")
    assert exact.events["ticks"].tolist() == [10_000, 10_050, 10_050, 10_150]
    assert "between_ticks" not in exact.defects


def test_the_side_of_hidden_trades_is_unknown_since_nasdaq_stopped_saying_it(tmp_path):
    rows = at((0, 1, 1, 5, 10_000, 1), (1, 5, 0, 5, 10_000, 1))
    assert load(message_file(tmp_path, rows, NAME.replace("2012-06-21", "2014-07-11"))).events["side"].tolist() == [1, -1]
    assert load(message_file(tmp_path, rows, NAME.replace("2012-06-21", "2014-07-14"))).events["side"].tolist() == [1, 0]


def test_a_cross_in_which_nobody_traded_is_counted(tmp_path):
    recording = load(message_file(tmp_path, at((0, 6, -1, 0, 0, -1), (1, 1, 1, 5, 10_000, 1))))
    assert told(recording.events) == [("ADD", 1, 1, 100, 5)]
    assert recording.defects["other_trades"] == 1


def test_messages_alone_say_what_is_missing(tmp_path):
    recording = load(message_file(tmp_path, at((0, 1, 1, 5, 10_000, 1))))
    assert recording.defects["no_snapshot"] == 1
    assert "without its orderbook file, orders from before its start and levels that leave the 2 visible ones" in recording.notes[0]


def test_a_seventh_column_other_line_ends_and_a_missing_last_one_change_nothing(tmp_path):
    rows = at((0, 1, 1, 5, 10_000, 1), (1, 4, 1, 5, 10_000, 1))
    plain = load(message_file(tmp_path, rows)).events
    text = message_text(rows)
    for other in (text.replace("\n", ",null\n"), text.replace("\n", "\r\n"), text.removesuffix("\n"), text.replace("\n", ",\r\n")):
        assert np.array_equal(load(message_file(tmp_path, other)).events, plain)
    packed = tmp_path / f"{NAME.format(kind='message', levels=2)}.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert np.array_equal(load(packed).events, plain)


def test_small_steps_back_in_time_are_moved_forward_and_counted(tmp_path):
    recording = load(message_file(tmp_path, at((5, 1, 1, 5, 10_000, 1), (3, 1, 2, 5, 10_000, 1), (6, 1, 3, 5, 10_000, 1))))
    assert np.diff(recording.events["exch_ns"]).tolist() == [0, 1_000_000]
    assert recording.defects["exch_backwards"] == 1


@pytest.mark.interpreted
@pytest.mark.parametrize("seed", range(4))
def test_messages_alone_are_what_the_twin_reads_however_small_the_blocks(tmp_path, monkeypatch, seed):
    rng = np.random.default_rng(seed)
    text = message_text(Market(rng, 3).play(80).rows)
    monkeypatch.setattr("twosided.data.files._BLOCK_BYTES", int(rng.integers(3, 300)))
    monkeypatch.setattr(lobster_module, "_ROWS", int(rng.integers(1, 20)))
    events = open_source(message_file(tmp_path, text)).read_all()
    assert events_as_told(events) == [event for row in naive_events(naive_messages(text)) for event in row]
    ends = np.append(np.diff(events["exch_ns"]) != 0, True)
    assert ((events["flags"] & LAST != 0) == ends).all()


# ---------------------------------------------------------------- messages and the recorded book


def completed(folder, rows, states, levels=2, **options):
    """Return the events, and what was found out by comparing."""
    source = open_source(write_pair(folder, message_text(rows), book_text(states, levels), levels), **options)
    return source.read_all(), source


BEFORE = ({10_300: 30, 10_400: 40}, {10_000: 10, 9_900: 9})


def test_the_first_row_less_its_message_is_a_snapshot_of_anonymous_orders(tmp_path):
    asks, bids = BEFORE
    events, source = completed(tmp_path, at((0, 1, 5, 7, 10_000, 1)), [(asks, {**bids, 10_000: 17})])
    assert told(events) == [
        ("SNAPSHOT_BEGIN", 0, 0, 0, 0),
        ("ADD", ANONYMOUS, -1, 103, 30),
        ("ADD", ANONYMOUS + 1, -1, 104, 40),
        ("ADD", ANONYMOUS + 2, 1, 99, 9),
        ("ADD", ANONYMOUS + 3, 1, 100, 10),
        ("SNAPSHOT_END", 0, 0, 0, 0),
        ("ADD", 5, 1, 100, 7),
    ]
    assert events["flags"].tolist() == [2, 2, 2, 2, 2, 3, 1]
    assert source.defects.counts == {}


def test_an_order_that_nobody_saw_arrive_takes_from_the_anonymous_one_which_stands_in_front(tmp_path):
    asks, bids = BEFORE
    rows = at((0, 1, 5, 7, 10_000, 1), (1, 4, 2, 4, 10_000, 1), (2, 3, 3, 6, 10_000, 1), (3, 2, 5, 1, 10_000, 1))
    states = [(asks, {**bids, 10_000: size}) for size in (17, 13, 7, 6)]
    events, source = completed(tmp_path, rows, states)
    assert told(events)[7:] == [
        ("TRADE", 0, -1, 100, 4),
        ("FILL", ANONYMOUS + 3, 1, 100, 4),
        ("CANCEL", ANONYMOUS + 3, 1, 100, 6),
        ("CANCEL", 5, 1, 100, 1),
    ]
    assert source.row_check.result()["borrowed"] == 2
    assert source.defects.counts == {}


def test_a_level_that_comes_into_view_is_restated_in_the_same_message(tmp_path):
    rows = at((0, 3, 1, 1, 10_000, 1), (1, 3, 2, 10, 10_000, 1))
    asks = {10_300: 30}
    states = [(asks, {10_000: 10, 9_900: 9}), (asks, {9_900: 9, 9_800: 80})]
    events, source = completed(tmp_path, rows, states)
    assert told(events)[-2:] == [("CANCEL", ANONYMOUS + 2, 1, 100, 10), ("ADD", ANONYMOUS + 3, 1, 98, 80)]
    assert events["flags"][-2:].tolist() == [0, LAST]
    result = source.row_check.result()
    assert (result["rows"], result["rows_determined"], result["rows_agree"]) == (2, 0, 2)
    assert (result["levels"], result["compared"], result["agree"], result["came_with_more"]) == (6, 2, 2, 1)


def out_of_view_and_back(folder, back, rows=(), states=()):
    """Play: order 5 of 7 lots joins 9 anonymous ones at the second bid, which leaves the view and comes back with *back*."""
    asks = {10_300: 30}
    first = at((0, 1, 5, 7, 9_900, 1), (1, 1, 6, 1, 9_950, 1), (2, 3, 6, 1, 9_950, 1))
    first_states = [
        (asks, {10_000: 10, 9_900: 16}),
        (asks, {10_000: 10, 9_950: 1}),
        (asks, {10_000: 10, 9_900: back} if back else {10_000: 10, 9_850: 5}),
    ]
    events, source = completed(folder, [*first, *rows], [*first_states, *states], tick_size="0.0050")
    return told(events)[5:], source


def test_a_level_that_comes_back_unchanged_is_left_alone(tmp_path):
    assert out_of_view_and_back(tmp_path, 16)[0][2:] == [("CANCEL", 6, 1, 199, 0)]


def test_a_level_that_comes_back_with_more_gains_an_anonymous_order_behind_the_others(tmp_path):
    assert out_of_view_and_back(tmp_path, 20)[0][3:] == [("ADD", ANONYMOUS + 3, 1, 198, 4)]


def test_a_level_that_comes_back_with_less_loses_anonymous_lots_first_and_then_from_the_end(tmp_path):
    assert out_of_view_and_back(tmp_path, 9)[0][3:] == [("CANCEL", ANONYMOUS + 1, 1, 198, 7)]
    assert out_of_view_and_back(tmp_path, 5)[0][3:] == [("CANCEL", ANONYMOUS + 1, 1, 198, 9), ("CANCEL", 5, 1, 198, 2)]


def test_a_level_that_does_not_come_back_goes(tmp_path):
    events, source = out_of_view_and_back(tmp_path, 0)
    assert sorted(events[3:]) == [("ADD", ANONYMOUS + 3, 1, 197, 5), ("CANCEL", 5, 1, 198, 7), ("CANCEL", ANONYMOUS + 1, 1, 198, 9)]
    assert source.row_check.result()["gone_unseen"] == 1


def test_an_order_that_was_out_of_view_may_turn_out_to_be_smaller_or_another(tmp_path):
    asks = {10_300: 30}
    smaller = out_of_view_and_back(tmp_path, 16, at((3, 3, 5, 4, 9_900, 1)), [(asks, {10_000: 10, 9_900: 12})])
    assert smaller[0][3:] == [("CANCEL", 5, 1, 198, 0), ("ADD", ANONYMOUS + 3, 1, 198, 3)]
    another = out_of_view_and_back(tmp_path, 7, at((3, 3, 4, 7, 9_900, 1)), [(asks, {10_000: 10, 9_850: 1})])
    assert another[0][4:] == [("CANCEL", 5, 1, 198, 7), ("ADD", ANONYMOUS + 3, 1, 197, 1)]
    assert smaller[1].defects.counts == another[1].defects.counts == {}


def test_a_row_that_contradicts_the_messages_is_counted_and_restated(tmp_path):
    asks, bids = BEFORE
    rows = at((0, 1, 5, 7, 10_000, 1), (1, 1, 6, 1, 10_000, 1), (2, 5, 0, 1, 10_000, 1))
    states = [(asks, {**bids, 10_000: 17}), (asks, {**bids, 10_000: 16}), (asks, {9_900: 9, 9_800: 1})]
    events, source = completed(tmp_path, rows, states)
    assert source.defects["book_disagreements"] == 2
    assert any("line 2: the recorded book is not what the messages say" in note for note in source.defects.notes)
    assert_rebuilds(events, times_of(naive_messages(message_text(rows))), naive_books(book_text(states, 2), 2, 3), 2)
    result = source.row_check.result()
    assert (result["rows_agree"], result["extra_levels"]) == (1, 1)


def test_an_empty_side_is_shown_in_full(tmp_path):
    rows = at((0, 1, 5, 7, 10_000, 1), (1, 4, 5, 7, 10_000, 1), (2, 1, 6, 7, 10_100, 1))
    states = [({}, {10_000: 7}), ({}, {}), ({}, {10_100: 7})]
    events, source = completed(tmp_path, rows, states)
    assert told(events)[:3] == [("SNAPSHOT_BEGIN", 0, 0, 0, 0), ("SNAPSHOT_END", 0, 0, 0, 0), ("ADD", 5, 1, 100, 7)]
    assert source.row_check.result()["rows_determined"] == 2


@pytest.mark.interpreted
@pytest.mark.parametrize("seed", range(8))
def test_a_random_market_seen_through_a_window_is_rebuilt_and_all_that_is_determined_agrees(tmp_path, monkeypatch, seed):
    rng = np.random.default_rng(seed)
    levels = int(rng.integers(1, 6))
    market = Market(rng, levels, orders=int(rng.integers(4, 60))).play(120)
    monkeypatch.setattr(lobster_module, "_ROWS", int(rng.integers(1, 40)))
    monkeypatch.setattr(lobster_book, "new_orders", lambda: _new_orders(2))
    messages, books = market.texts()
    source = open_source(write_pair(tmp_path, messages, books, levels))
    events = source.read_all()
    rows = naive_messages(messages)
    assert_rebuilds(events, times_of(rows), naive_books(books, levels, len(rows)), levels)
    result = source.row_check.result()
    assert result["rows"] == result["rows_agree"] == len(rows)
    assert result["compared"] == result["agree"] > 0
    assert "book_disagreements" not in source.defects.counts
    trades = [event for row in naive_events(rows) for event in row if event[4] in {Kind.TRADE, Kind.STATUS}]
    assert [event for event in events_as_told(events) if event[4] in {Kind.TRADE, Kind.STATUS}] == trades


_new_orders = lobster_book.new_orders


def test_with_every_level_in_view_the_messages_determine_everything(tmp_path):
    market = Market(np.random.default_rng(3), 40).play(200)
    source = open_source(write_pair(tmp_path, *market.texts(), 40))
    source.read_all()
    result = source.row_check.result()
    assert result["rows_determined"] == result["rows"] - 1  # all but the first
    assert result["came_with_more"] == result["came_with_less"] == result["gone_unseen"] == 0


# ---------------------------------------------------------------- files


def a_day(seed=1, levels=3):
    return (*Market(np.random.default_rng(seed), levels).play(40).texts(), levels)


def test_a_zip_is_what_its_two_files_are_in_either_order(tmp_path):
    messages, books, levels = a_day()
    paths = write_pair(tmp_path, messages, books, levels)
    zipped = write_zip(tmp_path / "sample.zip", (messages, books, levels, NAME))
    events = load(zipped).events
    assert len(events) > 40
    assert np.array_equal(load(paths).events, events)
    assert np.array_equal(load(paths[::-1]).events, events)
    assert load(zipped).instruments[0].symbol == "ABC"


def test_a_zip_of_one_message_file_is_read_too(tmp_path):
    messages, _books, levels = a_day()
    zipped = write_zip(tmp_path / "sample.zip", (messages, None, levels, NAME), readme=False)
    assert np.array_equal(load(zipped).events, load(message_file(tmp_path, messages)).events)


def test_days_in_one_zip_or_in_several_are_read_in_their_order_and_each_begins_anew(tmp_path):
    names = [NAME, NAME.replace("06-21", "06-22")]
    days = [(*a_day(seed), name) for seed, name in enumerate(names)]
    both = load(write_zip(tmp_path / "both.zip", *days[::-1]))
    assert np.count_nonzero(both.events["kind"] == Kind.SNAPSHOT_BEGIN) == 2
    ids = both.events["id"][both.events["id"] >= ANONYMOUS]
    adds = both.events[(both.events["kind"] == Kind.ADD) & (both.events["id"] >= ANONYMOUS)]
    assert len(np.unique(adds["id"])) == len(adds) <= len(ids)
    single = [write_zip(tmp_path / f"{i}.zip", day) for i, day in enumerate(days)]
    assert np.array_equal(load(single[::-1]).events, both.events)
    alone = [message_file(tmp_path, day[0], day[3]) for day in days]
    assert np.count_nonzero(load(alone).events["kind"] == Kind.CLEAR) == 1


def test_shares_in_one_zip_are_chosen_by_their_symbol(tmp_path):
    other = NAME.replace("ABC", "BRK.B")
    path = write_zip(tmp_path / "two.zip", (*a_day(1), NAME), (*a_day(2), other))
    assert load(path, symbol="BRK.B").instruments[0].symbol == "BRK.B"
    with pytest.raises(DataError, match=r"is of BRK.B, after a file of ABC; choose one with --symbol"):
        load(path)
    with pytest.raises(DataError, match=r"holds ABC, BRK.B; no messages of XYZ"):
        load(path, symbol="XYZ")


def test_tick_and_lot_are_the_venues_and_not_inferred(tmp_path):
    source = open_source(message_file(tmp_path, at((0, 1, 1, 500, 5_000_000, 1))))
    assert source.inferred == ""
    assert (source.instruments[0].tick_size, source.instruments[0].lot_size) == (Decimal("0.01"), 1)


def test_names_say_the_day_and_the_window():
    found = day_name("folder/BRK.B_2012-06-21_34200000_57600000_orderbook_50.csv")
    assert (found.symbol, found.day, found.start_ms, found.levels, found.kind) == (
        "BRK.B",
        date(2012, 6, 21),
        34_200_000,
        50,
        "orderbook",
    )
    assert day_name("ABC_2012-13-21_34200000_57600000_message_1.csv") is None
    assert day_name("ABC_message_1.csv") is None


# ---------------------------------------------------------------- what is refused

GOOD = message_text(at((0, 1, 1, 5, 10_000, 1), (1, 1, 2, 5, 10_100, -1), (2, 4, 1, 5, 10_000, 1)))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("34200.001,1,2,5,10100,-1", "34200.001,1,2,5,10100", "line 2: has 5 fields; expected 6: time, type, order id"),
        (",10100,-1", ",10100,-1,null,x", "line 2: has 8 fields; expected 6"),
        ("34200.001", "34200.0010000001", "line 2: time is '34200.0010000001'; expected seconds with at most 9 decimals"),
        ("34200.001", "-1", "line 2: time is '-1'; expected seconds"),
        ("34200.001", "86400", "line 2: time is 86400.000000000; allowed: seconds of one day"),
        ("34200.001", "3420000.1", "line 2: time is '3420000.1'; expected seconds"),
        ("34200.001,1,2", "34200.001,x,2", "line 2: type is 'x'; expected a whole number of at most 18 digits"),
        ("34200.001,1,2", "34200.001,8,2", "line 2: type is 8; allowed: 1 to 7"),
        ("34200.001,1,2", "34200.001,1,-2", "line 2: order id is -2; allowed: 0 to 2^62 - 1"),
        ("34200.001,1,2", "34200.001,1,1234567890123456789", "line 2: order id is '1234567890123456789'; expected a whole number"),
        (",2,5,", ",2,0,", "line 2: size is 0; allowed: 1 to 2^32 - 1"),
        (",2,5,", ",2,5.0,", "line 2: size is '5.0'; expected a whole number"),
        ("10100", "-10100", "line 2: price is -10100; allowed: 1 to 2^32 - 1"),
        ("10100", "10150", "line 2: price is 1.0150, which is not a multiple of the tick size 0.0100; --tick 0.0001 fits"),
        (",-1", ",0", "line 2: direction is 0; allowed: 1 or -1"),
        (",-1", ",", "line 2: direction is ''; expected a whole number"),
        ("34200.001", "34210.001", "line 3: time runs back by 9.999 s; expected messages in the order of time"),
        ("34200.002,4", "\n34200.002,4", "line 3: has 1 fields; expected 6"),
        ("34200.001,1,2,5,10100,-1", "34200.001,7,0,0,2,-1", "line 2: price is 2; allowed: -1, 0 or 1 for a halt"),
    ],
)
def test_a_line_that_the_format_does_not_allow_is_refused(tmp_path, old, new, words):
    assert old in GOOD
    path = message_file(tmp_path, GOOD.replace(old, new))
    with pytest.raises(DataError, match=re.escape(f"{path}, {words}")):
        load(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda book: book[:-1],
            "line 2: ends after 2 lines, ABC_2012-06-21_34200000_57600000_message_1.csv does not; expected one line for",
        ),
        (lambda book: [*book, book[-1]], "line 4: goes on, but ABC_2012-06-21_34200000_57600000_message_1.csv ends with line 3"),
        (lambda book: [book[0], "10100,5,10000,x", book[2]], "line 2: bid size 1 is 'x'; expected a whole number"),
        (
            lambda book: [book[0], "10100,5,10000", book[2]],
            "line 2: has 3 fields; expected 4: ask price 1, ask size 1, bid price 1, bid size 1",
        ),
        (lambda book: [book[0], "10100,5,10050,5", book[2]], "line 2: price is 1.0050, which is not a multiple of the tick size"),
        (lambda book: [book[0], "10100,-5,10000,5", book[2]], "line 2: ask 1 is -5 at 10100; expected sizes from 0"),
        (lambda book: [book[0], "10100,5,10000,5,1,1,1,1", book[2]], "line 2: has 8 fields; expected 4"),
        (lambda book: ["1,1,1,1,1,1,1,1", *book[1:]], "line 1: has 8 fields; expected 4 for each of 1 levels, as the name says"),
    ],
)
def test_a_row_of_the_book_that_cannot_be_is_refused(tmp_path, change, words):
    book = ["9999999999,0,10000,5", "10100,5,10000,5", "10100,5,-9999999999,0"]
    paths = write_pair(tmp_path, GOOD, "\n".join(change(book)) + "\n", 1)
    with pytest.raises(DataError, match=re.escape(f"{paths[1]}, {words}")):
        load(paths)


@pytest.mark.parametrize(
    "row", ["10200,5,10000,5,10100,5,9900,5", "9999999999,0,10000,5,10100,5,9900,5", "10100,5,10000,5,10100,5,9900,5"]
)
def test_levels_out_of_order_are_no_book(tmp_path, row):
    paths = write_pair(tmp_path, GOOD.split("\n")[0], row, 2)
    with pytest.raises(DataError, match=r"line 1: ask 2 is 5 at 10100; expected sizes from 0 and prices .* best first"):
        load(paths)


def test_a_book_without_its_messages_is_refused(tmp_path):
    paths = write_pair(tmp_path, GOOD, "1,1,1,1\n", 1)
    with pytest.raises(DataError, match=r"has no message file beside it; expected ABC_2012-06-21_34200000_57600000_message_1.csv"):
        load(paths[1])
    other = message_file(tmp_path, GOOD, NAME.replace("ABC", "XYZ"))
    with pytest.raises(DataError, match="has no message file beside it"):
        load([other, paths[1]])


def test_errors_inside_a_zip_name_the_member_and_damage_names_the_archive(tmp_path):
    messages, books, levels = a_day()
    path = write_zip(tmp_path / "a.zip", (messages.replace("\n", "x\n", 1), books, levels, NAME))
    with pytest.raises(DataError, match=r"a.zip.ABC_2012-06-21_34200000_57600000_message_3.csv, line 1: direction is "):
        load(path)
    good = write_zip(path, (messages, books, levels, NAME)).read_bytes()
    for content, words in ((good[:-200], "truncated or corrupt zip archive"), (good[:300] + b"xxx" + good[303:], "corrupt")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=words):
            load(path)


# ---------------------------------------------------------------- the recordings

PROOF = {
    "GOOG_2012-06-21_10": {"rows": 147_916, "rows_determined": 103_464, "levels": 2_958_320, "compared": 2_913_849},
    "AAPL_2012-06-21_1": {"rows": 118_497, "rows_determined": 88_425, "levels": 236_994, "compared": 206_921},
}


@pytest.mark.parametrize("name", PROOF)
def test_the_recorded_book_is_what_the_messages_say_wherever_they_determine_it(shared, name):
    told_of = describe(open_source(shared("data", "lobster", f"LOBSTER_SampleFile_{name}.zip")))
    check = told_of["book_check"]
    assert {key: check[key] for key in PROOF[name]} == PROOF[name]
    assert check["agree"] == check["compared"]
    assert check["rows_agree"] == check["rows"]
    assert check["extra_levels"] == 0
    assert "book_disagreements" not in told_of["defects"]


@pytest.mark.parametrize("name", PROOF)
def test_the_book_rebuilt_from_our_events_is_the_recorded_book_row_by_row(shared, name):
    path = shared("data", "lobster", f"LOBSTER_SampleFile_{name}.zip")
    with zipfile.ZipFile(path) as archive:
        texts = {kind: archive.read(next(each for each in archive.namelist() if kind in each)) for kind in ("message", "orderbook")}
    states = []
    for line in texts["orderbook"].splitlines():
        numbers = list(map(int, line.split(b",")))
        sides = (zip(numbers[across::4], numbers[across + 1 :: 4], strict=True) for across in (0, 2))
        states.append(tuple([(price // 100, size) for price, size in side if size] for side in sides))
    times = [midnight() + int(Decimal(line.split(b",", 1)[0].decode()) * NS) for line in texts["message"].splitlines()]
    events = open_source(path).read_all()
    assert_rebuilds(events, times, states, int(name.rsplit("_", 1)[1]))
