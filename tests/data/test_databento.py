"""DBN: order by order, by level, trades, definitions; and the proof on the recording of ESH4."""

from collections import defaultdict

import databento_dbn as dbn
import numpy as np
import pytest
from dbn_files import BAD_TIME, DOUBTFUL, LAST, PRICE, SNAPSHOT, T0, definition, metadata, record, small
from hypothesis import given
from hypothesis import strategies as st

from twosided.data.databento import _settle_sorted_fills, settle_sorted_fills
from twosided.data.dbn import _find_records, find_records
from twosided.data.formats import open_source
from twosided.data.recording import load
from twosided.errors import DataError, InputError
from twosided.market.event import Flag, Kind
from twosided.market.ladder import ASK, BID
from twosided.market.orderbook import OrderBook

MS = 1_000_000
MARK, LAST_FLAG = int(Flag.SNAPSHOT), int(Flag.LAST_OF_MESSAGE)


@pytest.fixture
def read(tmp_path):
    """Return a function that writes records of a schema and returns (events, source)."""

    def run(schema, *records, head=None, beside=(), **options):
        paths = [tmp_path / "a.dbn"]
        paths[0].write_bytes((metadata(schema) if head is None else head) + b"".join(records))
        for index, content in enumerate(beside):
            paths.append(tmp_path / f"beside{index}.dbn")
            paths[-1].write_bytes(content)
        source = open_source(paths, **{"tick_size": "0.25", **options})
        return source.read_all(), source

    return run


def told(events):
    """Return (kind, id, side, ticks, lots) of every event."""
    return [tuple(row) for row in zip(*(events[name].tolist() for name in ("kind", "id", "side", "ticks", "lots")), strict=True)]


def mbo(action, order, side="B", price=100.0, size=1, *, at=0, flags=0, **fields):
    return record("mbo", action, side, price, size, order=order, at=at, flags=flags, **fields)


# ---------------------------------------------------------------- order by order


def test_orders_come_change_and_go(read):
    events, source = read(
        "mbo",
        mbo("A", 1, size=5, at=1, flags=LAST),
        mbo("M", 1, price=99.75, size=6, at=2, flags=LAST),
        mbo("C", 1, price=99.75, size=2, at=3, flags=LAST),
        mbo("R", 0, "N", None, 0, at=4, flags=LAST),
    )
    assert told(events) == [
        (Kind.ADD, 1, 1, 400, 5),
        (Kind.MODIFY, 1, 1, 399, 6),
        (Kind.CANCEL, 1, 1, 399, 2),
        (Kind.CLEAR, 0, 0, 0, 0),
    ]
    assert events["exch_ns"].tolist() == [T0 + at * MS for at in (1, 2, 3, 4)]
    assert events["local_ns"].tolist() == [T0 + at * MS for at in (2, 3, 4, 5)]
    assert (events["flags"] == LAST_FLAG).all()
    assert (source.instruments[0].symbol, source.instruments[0].venue, source.format) == ("ESH4", "GLBX.MDP3", "databento")


def test_a_fill_takes_the_lots_and_the_cancel_after_it_does_not_take_them_twice(read):
    events, source = read(
        "mbo",
        mbo("A", 1, "A", size=5, at=1, flags=LAST),
        mbo("A", 2, "A", size=5, at=1, flags=LAST),
        mbo("A", 3, "A", size=5, at=1, flags=LAST),
        mbo("T", 9, "B", size=9, at=2),
        mbo("F", 1, "A", size=5, at=2),
        mbo("F", 2, "A", size=3, at=2),
        mbo("F", 3, "A", size=1, at=2),
        mbo("C", 1, "A", size=5, at=2),  # filled: nothing is left to cancel
        mbo("C", 2, "A", size=5, at=2),  # three lots filled, the other two cancelled
        mbo("M", 3, "A", size=4, at=2, flags=LAST),
    )
    assert told(events[3:]) == [
        (Kind.TRADE, 9, 1, 400, 9),
        (Kind.FILL, 1, -1, 400, 5),
        (Kind.FILL, 2, -1, 400, 3),
        (Kind.FILL, 3, -1, 400, 1),
        (Kind.CANCEL, 2, -1, 400, 2),
        (Kind.MODIFY, 3, -1, 400, 4),
    ]
    assert events["flags"].tolist() == [LAST_FLAG] * 3 + [0] * 5 + [LAST_FLAG]
    assert source.defects.counts == {}


def test_a_cancel_in_a_later_message_is_a_cancel(read):
    events, _ = read(
        "mbo",
        mbo("A", 1, size=5, at=1, flags=LAST),
        mbo("T", 9, "A", size=2, at=2),
        mbo("F", 1, size=2, at=2),
        mbo("C", 1, size=2, at=2, flags=LAST),  # the lots that were filled, as some venues are normalised
        mbo("C", 1, size=3, at=2, flags=LAST),
    )
    assert [event[0] for event in told(events)] == [Kind.ADD, Kind.TRADE, Kind.FILL, Kind.CANCEL]
    assert events["lots"].tolist() == [5, 2, 2, 3]


def test_fills_of_orders_that_were_never_displayed_take_nothing_from_the_book(read):
    events, source = read(
        "mbo",
        mbo("T", 9, "N", size=3, at=1),
        mbo("F", 1, "N", size=3, at=1, flags=LAST),
        mbo("T", 0, "B", size=4, at=2, flags=LAST),
    )
    assert told(events) == [(Kind.TRADE, 9, 0, 400, 3), (Kind.TRADE, 0, 1, 400, 4)]
    assert (events["flags"] == LAST_FLAG | Flag.HIDDEN).all()
    assert source.defects.counts == {"hidden_fills": 1}


def test_a_message_ends_with_f_last_or_where_the_venue_s_time_changes_and_has_the_time_of_its_last_record(read):
    events, _ = read(
        "mbo",
        mbo("A", 1, at=1),
        mbo("A", 2, at=1, ts_recv=T0 + 7 * MS),
        mbo("A", 3, at=2, ts_recv=T0 + 8 * MS),
    )
    assert events["flags"].tolist() == [0, LAST_FLAG, LAST_FLAG]
    assert events["local_ns"].tolist() == [T0 + 7 * MS, T0 + 7 * MS, T0 + 8 * MS]


@pytest.mark.parametrize("cleared", [True, False])
def test_snapshot_records_are_one_snapshot_at_the_time_of_its_latest_order(read, cleared):
    head = [mbo("R", 0, "N", None, 0, at=0, flags=SNAPSHOT | BAD_TIME, ts_recv=T0 + 9 * MS)] if cleared else []
    events, source = read(
        "mbo",
        *head,
        mbo("A", 1, size=5, at=5, flags=SNAPSHOT | BAD_TIME, ts_recv=T0 + 9 * MS),
        mbo("A", 2, "A", 101.0, 6, at=3, flags=SNAPSHOT | BAD_TIME, ts_recv=T0 + 9 * MS),
        mbo("A", 3, size=1, at=10, flags=LAST | BAD_TIME),
    )
    assert events["kind"].tolist() == [Kind.SNAPSHOT_BEGIN, Kind.ADD, Kind.ADD, Kind.SNAPSHOT_END, Kind.ADD]
    assert events["flags"].tolist() == [MARK, MARK, MARK, MARK | LAST_FLAG, LAST_FLAG]
    assert events["exch_ns"].tolist() == [T0 + 5 * MS] * 4 + [T0 + 10 * MS]
    assert events["local_ns"].tolist()[:4] == [T0 + 9 * MS] * 4
    assert source.defects.counts == {"bad_local_times": 1}  # that of a snapshot is the time for which it was asked


def test_a_snapshot_of_an_empty_book_clears_it_and_a_second_snapshot_is_another(read):
    events, _ = read(
        "mbo",
        mbo("R", 0, "N", None, 0, at=1, flags=SNAPSHOT),
        mbo("R", 0, "N", None, 0, at=1, flags=SNAPSHOT),
        mbo("A", 1, at=1, flags=SNAPSHOT | LAST),
    )
    assert events["kind"].tolist() == [Kind.CLEAR, Kind.SNAPSHOT_BEGIN, Kind.ADD, Kind.SNAPSHOT_END]


def test_records_that_cannot_be_placed_are_left_out_and_counted(read):
    events, source = read(
        "mbo",
        mbo("A", 1, price=None, at=1, flags=LAST),
        mbo("A", 2, "N", at=2, flags=LAST),
        mbo("A", 3, size=dbn.UNDEF_ORDER_SIZE, at=3, flags=LAST),
        mbo("N", 4, at=4, flags=LAST | DOUBTFUL),
        mbo("C", 5, price=None, size=3, at=5, flags=LAST),
    )
    assert told(events) == [(Kind.CANCEL, 5, 1, 0, 3)]
    assert source.defects.counts == {"incomplete_orders": 3, "other_messages": 1, "doubtful_books": 1, "orphans": 1}


lots_filled = st.lists(st.integers(1, 4), max_size=3)
change = st.tuples(st.integers(1, 3), lots_filled, st.sampled_from("CM"), st.integers(0, 5))


@pytest.mark.interpreted
@pytest.mark.parametrize("kernel", [settle_sorted_fills, _settle_sorted_fills])
@given(changes=st.lists(change, max_size=6), never_shown=lots_filled)
def test_databento_s_rule_and_ours_leave_every_order_with_the_same_lots(kernel, changes, never_shown):
    """There, C and M say everything and F nothing; here, FILL takes lots, and C what it takes beyond the fills before it."""
    records = []
    for order, fills, action, more in changes:
        records += [("F", order, lots) for lots in fills]
        records.append((action, order, sum(fills) + more if action == "C" else 50 + more))
    records += [("F", 4, lots) for lots in never_shown]
    action = np.array([ord(letter) for letter, _order, _lots in records], np.uint8)
    ids = np.array([order for _letter, order, _lots in records], np.uint64)
    lots = np.array([size for _letter, _order, size in records], np.int64)
    theirs, message, keep = lots.copy(), np.zeros(len(records), np.int64), np.ones(len(records), np.bool_)
    hidden = kernel(np.lexsort((ids, message)), message, ids, action, lots, keep)
    assert hidden == len(never_shown)
    after_theirs, after_ours = (dict.fromkeys((1, 2, 3, 4), 100) for _ in range(2))
    for index, (letter, order, _lots) in enumerate(records):
        if letter == "M":
            after_theirs[order] = after_ours[order] = int(theirs[index])
            assert keep[index]
        else:
            after_theirs[order] -= int(theirs[index]) if letter == "C" else 0
            after_ours[order] -= int(lots[index]) if keep[index] else 0
    assert after_theirs == after_ours


# ---------------------------------------------------------------- by level


def test_states_of_the_book_become_differences_and_trades_stand_in_front(read):
    events, _ = read(
        "mbp-1",
        record("mbp-1", "A", "B", 100, 5, at=1, flags=LAST, levels=[(100, 5, None, 0)]),
        record("mbp-1", "A", "A", 101, 7, at=2, flags=LAST, levels=[(100, 5, 101, 7)]),
        record("mbp-1", "T", "B", 101, 7, at=3, levels=[(100, 5, 101, 7)], sequence=8),
        record("mbp-1", "C", "A", 101, 7, at=3, flags=LAST, levels=[(100, 5, 101.25, 2)], sequence=9),
        record("mbp-1", "R", "N", None, 0, at=4, flags=LAST),
    )
    assert told(events) == [
        (Kind.SNAPSHOT_BEGIN, 0, 0, 0, 0),
        (Kind.DEPTH, 0, 1, 400, 5),
        (Kind.SNAPSHOT_END, 0, 0, 0, 0),
        (Kind.DEPTH, 0, -1, 404, 7),
        (Kind.TRADE, 8, 1, 404, 7),
        (Kind.DEPTH, 9, -1, 404, 0),
        (Kind.DEPTH, 9, -1, 405, 2),
        (Kind.DEPTH, 0, 1, 400, 0),
        (Kind.DEPTH, 0, -1, 405, 0),
    ]
    assert np.flatnonzero(events["flags"] & LAST_FLAG).tolist() == [2, 3, 6, 8]


def test_ten_levels_are_read_and_an_undefined_price_is_no_level(read):
    levels = [(100 - i, 1 + i, None if i == 3 else 101 + i, 2 + i) for i in range(10)]
    events, _ = read("mbp-10", record("mbp-10", "A", "B", 100, 1, at=1, flags=LAST, levels=levels))
    depth = events[events["kind"] == Kind.DEPTH]
    assert depth["ticks"].tolist() == [400 - 4 * i for i in range(10)] + [404 + 4 * i for i in range(10) if i != 3]
    assert depth["lots"].tolist() == [1 + i for i in range(10)] + [2 + i for i in range(10) if i != 3]


def test_levels_out_of_order_are_refused(read):
    levels = [(100, 1, 101, 1), (100.25, 1, 102, 1)]
    with pytest.raises(DataError, match=r"a.dbn, byte \d+: level 2 is not behind level 1; expected the best price first"):
        read("mbp-10", record("mbp-10", "A", "B", 100, 1, at=1, flags=LAST, levels=levels))


def test_a_book_that_is_crossed_before_the_open_is_read(read):
    events, _ = read("mbp-1", record("mbp-1", "A", "B", 100, 5, at=1, flags=LAST, levels=[(102, 5, 101, 7)]))
    assert events["kind"].tolist() == [Kind.SNAPSHOT_BEGIN, Kind.DEPTH, Kind.DEPTH, Kind.SNAPSHOT_END]


def test_trades_alone_are_trades_and_are_not_read_beside_a_book_that_has_them(read):
    trades = [record("trades", "T", side, 100, 2, at=at) for at, side in enumerate("BAN")]
    events, _ = read("trades", *trades)
    assert told(events) == [(Kind.TRADE, 0, side, 400, 2) for side in (1, -1, 0)]
    with pytest.raises(InputError, match="paths hold trades and mbp-1; mbp-1 contains the trades: leave the others out"):
        read("mbp-1", record("mbp-1", "N"), beside=[metadata("trades") + trades[0]])


# ---------------------------------------------------------------- instruments


def test_the_definition_says_tick_multiplier_and_currency(read):
    beside = [metadata("definition") + definition("NQH4", 18, 0.5) + definition() + definition(currency="EUR")]
    _, source = read("mbo", mbo("A", 1, price=4799.5, flags=LAST), beside=beside, tick_size=None)
    instrument = source.instruments[0]
    assert [str(value) for value in (instrument.tick_size, instrument.lot_size, instrument.multiplier)] == ["0.25", "1", "50"]
    assert (instrument.currency, source.inferred) == ("EUR", "")


@pytest.mark.parametrize(
    ("fields", "multiplier"),
    [
        ({"min_price_increment_amount": dbn.UNDEF_PRICE}, "50"),  # the contract's size
        ({"min_price_increment_amount": dbn.UNDEF_PRICE, "unit_of_measure_qty": dbn.UNDEF_PRICE}, "1"),
        ({"display_factor": PRICE, "tick": 1 / 64, "min_price_increment_amount": 15_625_000_000}, "1000"),  # a bond
    ],
)
def test_the_multiplier_is_what_a_point_is_worth(read, fields, multiplier):
    _, source = read("mbo", mbo("A", 1, flags=LAST), beside=[metadata("definition") + definition(**fields)], tick_size=None)
    assert str(source.instruments[0].multiplier) == multiplier


@pytest.mark.parametrize("fields", [{"tick": 0.3}, {"tick": 1e-9, "display_factor": 1}])
def test_a_multiplier_that_cannot_be_is_named_with_the_definition_s_byte(read, fields):
    head = metadata("definition")
    said = rf"beside0\.dbn, byte {len(head)}: a point of ESH4 is worth .*; expected less than 10+ with 9 decimals at most"
    with pytest.raises(DataError, match=said):
        read("mbo", mbo("A", 1, flags=LAST), beside=[head + definition(**fields)])


def test_without_a_definition_the_tick_is_inferred_and_the_lot_is_one(read):
    _, source = read(
        "mbo", mbo("A", 1, price=100.25, size=10, flags=LAST), mbo("A", 2, price=100.5, size=20, flags=LAST), tick_size=None
    )
    assert [str(value) for value in (source.instruments[0].tick_size, source.instruments[0].lot_size)] == ["0.25", "1"]
    assert source.inferred.startswith("tick size 0.25 inferred")


def test_of_several_instruments_the_user_chooses_one_by_name_or_number(read):
    head = metadata("mbo", {17: "ESH4", 18: "NQH4", 19: "RTYH4"})
    records = [
        mbo("A", 1, number=17, at=1, flags=LAST),
        mbo("A", 2, number=18, at=2, flags=LAST),
        mbo("A", 3, number=17, at=3, flags=LAST),
    ]
    place = len(head) + 56
    with pytest.raises(
        DataError, match=f"byte {place}: has records of ESH4 and of NQH4; choose one of ESH4, NQH4, RTYH4 with --symbol"
    ):
        read("mbo", *records, head=head)
    for symbol in ("ESH4", "17"):
        events, source = read("mbo", *records, head=head, symbol=symbol)
        assert (events["id"].tolist(), source.instruments[0].symbol) == ([1, 3], "ESH4")
    with pytest.raises(DataError, match="has no instrument 'CLH4'; it has ESH4, NQH4, RTYH4"):
        read("mbo", *records, head=head, symbol="CLH4")


def test_a_name_that_changes_its_instrument_is_refused_but_for_its_numbers(read):
    head = metadata("mbo", {17: "ES.c.0", 18: "ES.c.0"})
    records = [mbo("A", 1, number=17, at=1, flags=LAST), mbo("A", 2, number=18, at=2, flags=LAST)]
    with pytest.raises(DataError, match=r"ES\.c\.0 stands for instruments 17 and 18; choose one by its number"):
        read("mbo", *records, head=head, symbol="ES.c.0")
    events, _ = read("mbo", *records, head=head, symbol="18")
    assert events["id"].tolist() == [2]


def test_names_are_found_whichever_way_the_user_asked_databento(read):
    _, source = read("mbo", mbo("A", 1, flags=LAST), head=metadata("mbo", by_number=True))
    assert source.instruments[0].symbol == "ESH4"


def test_books_of_two_publishers_are_refused(read):
    with pytest.raises(DataError, match="has books of publishers 1 and 2; expected one venue per file"):
        read("mbo", mbo("A", 1, flags=LAST), mbo("A", 2, flags=LAST, publisher=2))


# ---------------------------------------------------------------- the encoding


def test_records_of_other_kinds_are_passed_over_and_their_length_is_their_own(read):
    system = bytes(dbn.SystemMsg(T0, "a heartbeat"))
    short = bytes([4, 18]) + bytes(14)
    events, source = read("mbo", system, mbo("A", 1, at=1, flags=LAST), system, short, mbo("A", 2, at=2, flags=LAST), short)
    assert events["id"].tolist() == [1, 2]
    assert source.defects.counts == {"other_messages": 4}


def test_send_times_at_the_end_of_records_are_passed_over(read):
    records = [mbo("A", order, at=order, flags=LAST, length=16) + bytes(8) for order in (1, 2, 3)]
    events, _ = read("mbo", *records, head=metadata("mbo", ts_out=True))
    assert events["id"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_is_read(read, version):
    events, source = read("mbo", mbo("A", 1, flags=LAST), head=metadata("mbo", version=version))
    assert (events["id"].tolist(), source.instruments[0].symbol) == ([1], "ESH4")


def test_files_that_continue_one_another_are_one_recording(tmp_path):
    for name, at in (("later", 10), ("earlier", 5)):
        (tmp_path / name).write_bytes(metadata("mbo") + mbo("A", at, at=at, flags=LAST))
    assert load([tmp_path / "later", tmp_path / "earlier"], tick_size="0.25").events["id"].tolist() == [5, 10]


GOOD = mbo("A", 1, flags=LAST)


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([GOOD, GOOD[:-1]], r"byte {1}: the file is truncated: a record breaks off after 55 of 56 bytes"),
        ([GOOD, b"\x0d" + GOOD[1:]], r"byte {1}: a record of type 160 states a length of 52 bytes; expected 56 for mbo, type 160"),
        ([GOOD, b"\x00" + GOOD[1:]], r"byte {1}: a record of type 160 states a length of 0 bytes"),
        (
            [GOOD, GOOD[:1] + b"\x07" + GOOD[2:]],
            r"byte {1}: a record's type is 7, which DBN does not know; expected records of mbo",
        ),
        ([GOOD, mbo("X", 1)], r"byte {1}: action is 'X'; expected A, C, M, R, T, F or N"),
        ([GOOD, mbo("A", 1, "X")], r"byte {1}: side is 'X'; expected A, B or N"),
        ([GOOD, mbo("A", 1, price=100.1)], r"byte {1}: price is 100.1\d*, which is not a multiple of the tick size 0.25"),
        ([GOOD, mbo("A", 1, ts_recv=2**64 - 1)], r"byte {1}: local_ns is -1; expected nanoseconds since 1970"),
    ],
)
def test_what_cannot_be_is_named_with_its_byte(read, records, said):
    place = len(metadata("mbo")) + 56
    with pytest.raises(DataError, match=r"a\.dbn, " + said.replace("{1}", str(place))):
        read("mbo", *records)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (metadata("mbo")[:60], "byte 60: the file is truncated: it breaks off in its metadata"),
        (metadata("mbo")[:4] + b"\xff\xff\xff\xff" + metadata("mbo")[8:], "byte 4: the metadata have 4294967303 bytes"),
        (metadata("mbo").replace(b"ESH4", b"\xff\xff\xff\xff"), "byte 0: the metadata are corrupt"),
        (metadata("ohlcv-1s"), "byte 0: holds DBN of schema ohlcv-1s; expected mbo, mbp-1, mbp-10, trades, definition"),
    ],
)
def test_metadata_that_cannot_be_are_said_to(read, head, said):
    with pytest.raises(DataError, match=said):
        read("mbo", head=head)


def test_definitions_alone_are_no_recording_and_must_be_of_the_instrument(read):
    content = metadata("definition") + definition("NQH4", 18)
    with pytest.raises(DataError, match="describes instruments and holds no events"):
        read("definition", definition())
    with pytest.raises(DataError, match=r"beside0\.dbn: has no definition of ESH4; it has NQH4"):
        read("mbo", GOOD, beside=[content])
    with pytest.raises(
        DataError, match=r"beside0.dbn, byte \d+: the file is truncated: a record breaks off after 519 of 520 bytes"
    ):
        read("mbo", GOOD, beside=[content[:-1]])


@pytest.mark.interpreted
@pytest.mark.parametrize("kernel", [find_records, _find_records])
@given(
    kinds=st.lists(st.sampled_from([(14, 160), (4, 18), (6, 23), (13, 160), (3, 18), (5, 7)]), max_size=8), cut=st.integers(0, 60)
)
def test_records_are_found_one_by_one(kernel, kinds, cut):
    content = b"".join(bytes([words, rtype]) + bytes(4 * words - 2) for words, rtype in kinds)
    content = content[: max(len(content) - cut, 0)]
    known = np.isin(np.arange(256), (18, 23, 160))
    places = np.zeros(len(content) // 16 + 1, np.int64)
    expected, position, stop = [], 0, None
    for words, rtype in kinds:
        if position + 1 >= len(content):
            break
        if words < 4 or (rtype == 160 and words != 14) or rtype == 7:
            stop = 2 if rtype == 7 else 1
            break
        if position + 4 * words > len(content):
            break
        expected += [position] if rtype == 160 else []
        position += 4 * words
    found, _others, end, code = kernel(np.frombuffer(content, np.uint8), 160, 56, known, places)
    assert (places[:found].tolist(), end, code) == (expected, position, stop or 0)


@pytest.mark.parametrize("schema", ["mbo", "mbp-1", "mbp-10", "trades"])
def test_small_recordings_are_valid(tmp_path, assert_valid, schema):
    (tmp_path / "a").write_bytes(small(schema))
    recording = load(tmp_path / "a", tick_size="0.25")
    assert_valid(recording)
    assert set(recording.defects) <= {"no_snapshot"}


# ---------------------------------------------------------------- the proof


class NaiveBook:
    """Orders in a dict, queues in lists: the rules of the event record, one line each."""

    def __init__(self):
        self.orders, self.queues = {}, defaultdict(list)
        self.orphans = self.shown_anew = self.filled_beyond_what_was_shown = 0

    def add(self, number, side, ticks, lots):
        assert number not in self.orders
        self.orders[number] = [side, ticks, lots]
        self.queues[side, ticks].append(number)

    def remove(self, number):
        side, ticks, _lots = self.orders.pop(number)
        self.queues[side, ticks].remove(number)

    def take(self, number, lots):
        order = self.orders[number]
        self.filled_beyond_what_was_shown += lots > order[2]
        order[2] -= lots
        if order[2] <= 0:
            self.remove(number)

    def apply(self, kind, number, side, ticks, lots, filled):
        if kind == Kind.ADD:
            self.add(number, side, ticks, lots)
        elif kind == Kind.MODIFY:
            old = self.orders.get(number)
            if old is None:
                self.orphans += number not in filled
                self.shown_anew += number in filled
                self.add(number, side, ticks, lots)
            elif old[:2] == [side, ticks] and lots <= old[2]:
                old[2] = lots
            else:
                self.remove(number)
                self.add(number, side, ticks, lots)
        elif number not in self.orders:
            self.orphans += 1
        else:
            self.take(number, lots)

    def best(self, side):
        prices = [ticks for (of, ticks), queue in self.queues.items() if of == side and queue]
        return max(prices, key=lambda ticks: side * ticks, default=None)


def follow(book, kind, number, side, ticks, lots, held):
    """Let the house's book by order take in one event on an order that holds *held* lots, 0 where there is none."""
    if not held:
        book.add(number, side, ticks, lots)
    elif kind == Kind.MODIFY:
        book.replace(number, ticks, lots)
    else:
        book.reduce(number, min(lots, held))


def test_esh4_misses_no_order_and_is_never_crossed_in_continuous_trading(shared):
    recording = load(shared("data", "databento", "esh4-glbx-mdp3-20231225.mbo.dbn.zst"), clock_offset_ns=0)
    events = recording.events
    assert recording.defects["hidden_fills"] == 7
    assert len(events) == 63_458
    assert (events["kind"] == Kind.TRADE).sum() == 2_973
    opening = np.datetime64("2023-12-25T23:00", "ns").astype(np.int64)
    naive, book, filled = NaiveBook(), OrderBook(), set()
    states, crossed, compared = [0, 0], [0, 0], 0  # before the open, after it
    columns = [events[name].tolist() for name in ("kind", "id", "side", "ticks", "lots", "flags", "exch_ns")]
    for kind, number, side, ticks, lots, flags, exch_ns in zip(*columns, strict=True):
        if kind in {Kind.ADD, Kind.MODIFY, Kind.CANCEL, Kind.FILL}:
            old = naive.orders.get(number, (0, 0, 0))
            places = {(side, ticks), tuple(old[:2])} - {(0, 0), (0, ticks)}
            follow(book, kind, number, side, ticks, lots, old[2])
            naive.apply(kind, number, side, ticks, lots, filled)
            if kind == Kind.FILL:
                filled.add(number)
            for place in places:
                held = [naive.orders[order][2] for order in naive.queues[place]]
                assert min(held, default=1) > 0
                assert book.lots(*place) == sum(held)  # a level is the sum of its orders
            compared += len(places)
        if flags & LAST_FLAG:
            filled.clear()
            bid, ask, after = book.best_bid, book.best_ask, int(exch_ns >= opening)
            states[after] += 1
            crossed[after] += bid is not None and ask is not None and bid >= ask
    assert naive.orphans == 0
    assert states[1] > 40_000
    assert crossed[1] == 0
    assert crossed[0] == 891
    assert compared > 60_000
    assert (naive.shown_anew, naive.filled_beyond_what_was_shown) == (83, 28)  # icebergs
    for side in (BID, ASK):
        assert naive.best(side) == (book.best_bid if side > 0 else book.best_ask)
        levels = book.depth(side)
        assert len(levels) == sum(1 for (of, _ticks), queue in naive.queues.items() if of == side and queue)
        for ticks, lots in levels:
            queue = [(order, naive.orders[order][2]) for order in naive.queues[side, ticks]]
            assert book.queue(side, ticks) == queue
            assert lots == sum(held for _order, held in queue)
    assert len(book) == len(naive.orders)
    book.validate()


def test_esu4_shows_every_touch_and_every_trade(shared):
    definition_file = shared("data", "databento", "esu4_definition.dbn.zst")
    recording = load([shared("data", "databento", "esu4_mbp1_20240701.dbn.zst"), definition_file], clock_offset_ns=0)
    trades = load([shared("data", "databento", "esu4_trades_20240701.dbn.zst"), definition_file], clock_offset_ns=0)
    instrument = recording.instruments[0]
    assert (instrument.symbol, str(instrument.tick_size), str(instrument.multiplier), instrument.currency) == (
        "ESU4",
        "0.25",
        "50",
        "USD",
    )
    inside = recording.events[recording.events["kind"] == Kind.TRADE]
    assert len(inside) == len(trades.events) == 120
    for name in ("exch_ns", "id", "ticks", "lots", "side"):
        assert (inside[name] == trades.events[name]).all()
    assert set(recording.defects) <= {"exch_backwards"}
