"""Damaged files of NASDAQ's messages: refused in one sentence where the slow twin refuses them, or read as the twin reads them.

The normal run takes a sample; `make slow` takes a hundred thousand for each format. A mutation hits bytes anywhere, or one field of
one message or line, so that most of what a reader looks at is hit while the rest still holds together.
"""

import random
import re
import struct
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from itch_bytes import BODIES, small
from itch_bytes import RefusedError as ItchRefusedError
from itch_bytes import naive as naive_itch
from lobster_days import (
    ANONYMOUS,
    HALT,
    NAME,
    Market,
    assert_rebuilds,
    events_as_told,
    message_text,
    naive_books,
    naive_events,
    naive_messages,
    times_of,
    write_zip,
)
from lobster_days import RefusedError as LobsterRefusedError

from twosided.data import itch, lobster_book
from twosided.data.files import InputFile
from twosided.data.formats import open_source
from twosided.data.itch import ItchReader
from twosided.data.itch_kernel import COUNTED
from twosided.data.lobster import LobsterReader
from twosided.data.source import RawSource, Stream
from twosided.errors import DataError, InputError
from twosided.market.event import Flag, Kind
from twosided.market.instrument import Instrument
from twosided.market.order_queues import new_orders

SAMPLE, ALL = 700, 100_000
ITCH_DAY = date(2019, 12, 30)
LAST = int(Flag.LAST_OF_MESSAGE)
LETTERS = b"0123456789.-+eE,\"'\n\r \x00\xffABSYNDUXPQ"
NUMBERS = (
    "0",
    "-1",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "100",
    "9999999999",
    "1e3",
    "",
    "x",
    "4611686018427387904",
    "99.5",
    "34200",
)

runs = pytest.mark.parametrize("rounds", [SAMPLE, pytest.param(ALL, marks=pytest.mark.slow)])


def with_bytes_changed(content, rng):
    """Return *content* with a few bytes changed, removed, repeated or put elsewhere."""
    result = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        place, length = rng.randrange(len(result) + 1), rng.choice((1, 1, 2, 8, 40))
        match rng.randrange(6):
            case 0:
                result[place : place + 1] = bytes([rng.choice(LETTERS)])
            case 1:
                result[place : place + 1] = bytes([rng.randrange(256)])
            case 2:
                del result[place : place + length]
            case 3:
                result[place:place] = bytes(rng.choice(LETTERS) for _ in range(length))
            case 4:
                result[place:place] = result[place : place + length]
            case _:
                other = rng.randrange(len(result) + 1)
                result[place : place + length] = result[other : other + length]
    return bytes(result)


@pytest.fixture(autouse=True)
def _little_room(monkeypatch):
    """Give the readers room for eight orders, which they must enlarge."""
    for module in (itch, lobster_book):
        monkeypatch.setattr(module, "new_orders", lambda: new_orders(8))


def read(paths, reader, rng, *, step, symbol=None, day=None, front_door=0.05):
    """Return (events, source, None), or (None, None, the error), which is one short sentence; now and then by the front door."""
    tick = Decimal(step) / 10_000
    source, error = None, None
    try:
        if rng.random() < front_door:
            source = open_source(paths, tick_size=tick, symbol=symbol)
        else:
            files = tuple(map(InputFile, paths))
            instrument = Instrument(symbol="ABC", tick_size=tick, lot_size=1)
            source = RawSource("", (Stream(files, reader),), (instrument,), "", symbol=symbol, day=day, tick_size=tick)
        return source.read_all(), source, None
    except InputError as refused:
        error = refused
    assert "\n" not in str(error)
    assert len(str(error)) < 600
    return None, None, error


def answer(twin, *arguments, **options):
    """Return what the twin says, or the place at which it refuses, as an exception."""
    try:
        return twin(*arguments, **options)
    except (ItchRefusedError, LobsterRefusedError) as refused:
        return refused


def assert_valid_messages(events):
    """What engines rely on: sides, sizes, a price where there is an order, one message for each time, times in order."""
    assert (np.diff(events["exch_ns"]) >= 0).all()
    assert np.array_equal(events["exch_ns"], events["local_ns"])
    assert events["flags"][-1] & LAST
    changes = np.diff(events["exch_ns"]) != 0
    assert (events["flags"][:-1][changes] & LAST != 0).all()
    adds, trades = events[events["kind"] == Kind.ADD], events[events["kind"] == Kind.TRADE]
    assert (adds["side"] != 0).all()
    assert (adds["lots"] > 0).all()
    assert (adds["ticks"] > 0).all()
    assert (trades["lots"] > 0).all()
    assert (trades["ticks"] >= 0).all()
    assert (events["lots"] >= 0).all()
    assert not events["market"].any()


# ---------------------------------------------------------------- ITCH


def places_of(content):
    places, place = [], 0
    while place < len(content):
        places.append(place)
        place += 2 + int.from_bytes(content[place : place + 2], "big")
    return places


def with_a_field_changed(content, places, rng):
    """Return *content* with one field of a message another number or letter, or with a message moved, repeated or left out."""
    result, place = bytearray(content), rng.choice(places)
    length = 2 + int.from_bytes(content[place : place + 2], "big")
    if rng.random() < 0.25:
        message, other = content[place : place + length], rng.choice(places)
        if rng.random() < 0.5:
            del result[place : place + length]
            other = min(other, len(result)) if other <= place else other - length
        result[other:other] = message
        return bytes(result)
    forms = ("H", "H", "6s", *re.findall(r"[0-9]*[a-zA-Z]", BODIES[chr(content[place + 2])]))
    fields = [(form, struct.calcsize(f">{form}")) for form in forms]
    offset, which = place + 3, rng.randrange(len(fields))
    offset += sum(size for _form, size in fields[:which])
    form, size = fields[which]
    if form[-1] in "cs" and form != "6s":
        value = bytes(rng.choice(b"BSYNHPQTOMECXA ?\x00\xff") for _ in range(size))
    else:
        old = int.from_bytes(result[offset : offset + size], "big")
        new = rng.choice(
            (
                0,
                1,
                2,
                3,
                4,
                7,
                21,
                22,
                old + 1,
                old - 1,
                old + 50,
                old ^ (1 << rng.randrange(8 * size)),
                rng.getrandbits(8 * size),
                -1,
            )
        )
        value = (new % (1 << (8 * size))).to_bytes(size, "big")
    result[offset : offset + size] = value
    return bytes(result)


@runs
def test_damaged_itch_is_refused_at_the_very_message_or_read_like_the_twin(tmp_path, rounds):
    rng, path, counts = random.Random(f"itch {rounds}"), tmp_path / "abc_20191230.itch", {"refused": 0, "read": 0}
    content = bytes(small().content)
    places = places_of(content)
    for _ in range(rounds):
        damaged = with_bytes_changed(content, rng) if rng.random() < 0.35 else with_a_field_changed(content, places, rng)
        if rng.random() < 0.05:
            damaged = damaged[: rng.randrange(1, len(damaged) + 1)]
        path.write_bytes(damaged)
        step, stock = rng.choice((100, 100, 1)), rng.choice((None, "ABC"))
        events, source, error = read([path], ItchReader, rng, step=step, symbol=stock)
        expected = answer(naive_itch, damaged, ITCH_DAY, step=step, stock=stock)
        counts["refused" if error else "read"] += 1
        if isinstance(expected, ItchRefusedError):
            assert_refused_itch(events, error, *expected.args)
            continue
        expected, defects = expected
        times = np.array([row[0] for row in expected])
        moved = np.maximum.accumulate(times)
        if (moved - times > 10**9).any():
            assert "time runs back" in str(error)
            continue
        assert error is None, error
        names = ("exch_ns", "id", "lots", "ticks", "kind", "flags", "side")
        mine = zip(*(events[name].tolist() for name in names), strict=True)
        theirs = zip(moved.tolist(), (row[2:] for row in expected), strict=True)
        assert [(*row[:5], row[5] & ~LAST, row[6]) for row in mine] == [(time, *row) for time, row in theirs]
        assert {name: count for name, count in source.defects.counts.items() if name in COUNTED} == defects
        assert_valid_messages(events)
    assert min(counts.values()) > rounds // 10, counts


def assert_refused_itch(events, error, place):
    """The reader refuses what the twin refuses, at the same byte; *place* is None where there is just nothing to read."""
    if error is None:
        assert place is None
        assert len(events) == 0
    elif place is not None and error.where:
        assert error.where == f"byte {place}" or "time runs back" in error.problem


# ---------------------------------------------------------------- LOBSTER


def with_a_value_changed(text, rng):
    """Return CSV with one value another, or with a line moved, repeated or left out."""
    lines = text.splitlines()
    number = rng.randrange(len(lines))
    if rng.random() < 0.3:
        line = lines.pop(number) if rng.random() < 0.5 else lines[number]
        if rng.random() < 0.7:
            lines.insert(rng.randrange(len(lines) + 1), line)
        return "".join(f"{each}\n" for each in lines)
    values = lines[number].split(",")
    column = rng.randrange(len(values))
    if rng.random() < 0.6 and re.fullmatch("-?[0-9]+", values[column]):
        values[column] = str(int(values[column]) + rng.choice((1, -1, 3, 50, 100, -100, 1000)))
    else:
        values[column] = rng.choice((*NUMBERS, rng.choice(rng.choice(lines).split(","))))
    lines[number] = ",".join(values)
    return "".join(f"{each}\n" for each in lines)


def damaged_text(text, rng):
    if rng.random() < 0.3:
        return with_bytes_changed(text.encode(), rng).decode("latin-1")
    for _ in range(rng.choice((1, 1, 1, 2))):
        text = with_a_value_changed(text, rng) if text else text
    return text


def days():
    """Return small days: messages with something of everything, books, and how many levels they show."""
    for seed, levels in ((1, 1), (2, 3), (3, 10)):
        market = Market(np.random.default_rng(seed), levels, orders=25).play(25)
        text = market.texts()
        halts = [(market.rows[-1][0], HALT, 0, 0, price, -1) for price in (-1, 0, 1)]
        crosses = [(market.rows[-1][0], 6, -1, 30, 1_000_050, -1), (market.rows[-1][0], 6, -1, 0, 0, -1)]
        last = text[1].splitlines()[-1] + "\n"
        yield text[0] + message_text(halts + crosses), text[1] + 5 * last, levels


@runs
def test_damaged_lobster_is_refused_or_read_like_the_twin_and_rebuilds_the_recorded_book(tmp_path, rounds):
    rng, counts = random.Random(f"lobster {rounds}"), {"refused": 0, "read": 0}
    samples = list(days())
    for _ in range(rounds):
        messages, books, levels = rng.choice(samples)
        with_book, step = rng.random() < 0.75, rng.choice((100, 100, 1))
        if rng.random() < 0.7:
            messages = damaged_text(messages, rng)
        if with_book and rng.random() < 0.6:
            books = damaged_text(books, rng)
        paths = [tmp_path / NAME.format(kind=kind, levels=levels) for kind in ("orderbook", "message")]
        for path, text in zip(paths, (books, messages), strict=True):
            path.write_bytes(text.encode("latin-1"))
        events, source, error = read(paths[0 if with_book else 1 :], LobsterReader, rng, step=step)
        counts["refused" if error else "read"] += 1
        rows = answer(naive_messages, messages, step=step)
        states = answer(naive_books, books, levels, len(rows), step=step) if with_book and isinstance(rows, list) else []
        if isinstance(rows, LobsterRefusedError) or isinstance(states, LobsterRefusedError):
            assert isinstance(error, DataError), (rows, states)
            assert re.fullmatch(r"line [0-9]+|", error.where), error
            assert NAME[:10] in error.source
            continue
        told = [event for row in naive_events(rows, step=step) for event in row]
        if not with_book and not told:
            assert error is not None or len(events) == 0
            continue
        assert error is None, error
        assert_valid_messages(events)
        mine = events_as_told(events)
        if not with_book:
            assert mine == told
            continue
        others = {Kind.TRADE, Kind.STATUS}
        assert [event for event in mine if event[4] in others] == [event for event in told if event[4] in others]
        named = [event for event in mine if event[4] == Kind.ADD and event[1] < ANONYMOUS]
        assert named == [event for event in told if event[4] == Kind.ADD]
        assert_rebuilds(events, times_of(rows), states, levels)
        check = source.row_check.result()
        wrong = check["compared"] - check["agree"] + check["extra_levels"]
        assert (check["rows"], wrong) == (len(rows), source.defects["book_disagreements"])
    assert min(counts.values()) > rounds // 10, counts


@runs
def test_a_damaged_zip_of_lobster_is_refused_or_read_as_the_whole_one(tmp_path, rounds):
    rng, path, counts = random.Random(f"zip {rounds}"), tmp_path / "a.zip", {"refused": 0, "read": 0}
    messages, books, levels = next(days())
    expected = [open_source(write_zip(path, (messages, text, levels, NAME))).read_all() for text in (None, books)]
    content = path.read_bytes()
    for _ in range(rounds // 10):
        path.write_bytes(with_bytes_changed(content, rng))
        events, _source, error = read([path], LobsterReader, rng, step=100, front_door=1)
        if error is None:  # an orderbook file whose name is damaged is none
            assert any(np.array_equal(events, whole) for whole in expected)
        counts["refused" if error else "read"] += 1
    assert min(counts.values()) > rounds // 200, counts
