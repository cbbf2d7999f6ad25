"""Writes small days of LOBSTER, by hand or from a random market with N visible levels, and reads them slowly and plainly."""

import datetime as dt
import re
import zipfile
from bisect import bisect_left, insort
from decimal import Decimal
from zoneinfo import ZoneInfo

from twosided.market.event import Flag, Kind, Status

START = 34_200
NAME = "ABC_2012-06-21_34200000_57600000_{kind}_{levels}.csv"
DAY = dt.date(2012, 6, 21)
ANONYMOUS = 2**62
EMPTY_ASK, EMPTY_BID = "9999999999,0", "-9999999999,0"
SUBMITTED, REDUCED, DELETED, EXECUTED, HIDDEN, CROSS, HALT = range(1, 8)


def midnight(day=DAY):
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("America/New_York")).timestamp()) * 10**9


def message_text(rows):
    """Return CSV of (seconds as text, type, id, size, price, direction)."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def book_text(states, levels):
    """Return CSV of books, each a dict from price to size for asks and one for bids."""
    lines = []
    for asks, bids in states:
        best_asks, best_bids = sorted(asks.items())[:levels], sorted(bids.items(), reverse=True)[:levels]
        pairs = []
        for level in range(levels):
            pairs.append("{},{}".format(*best_asks[level]) if level < len(best_asks) else EMPTY_ASK)
            pairs.append("{},{}".format(*best_bids[level]) if level < len(best_bids) else EMPTY_BID)
        lines.append(",".join(pairs) + "\n")
    return "".join(lines)


def write_pair(folder, messages, books, levels, name=NAME):
    paths = []
    for kind, text in (("message", messages), ("orderbook", books)):
        path = folder / name.format(kind=kind, levels=levels)
        path.write_text(text)
        paths.append(path)
    return paths


def write_zip(path, *days, readme=True):
    """Write a zip of (messages, books, levels, name) as LOBSTER ships it: books first, and a readme."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for messages, books, levels, name in days:
            for kind, text in (("orderbook", books), ("message", messages)):
                if text is not None:
                    archive.writestr(name.format(kind=kind, levels=levels), text)
        if readme:
            archive.writestr("LOBSTER_SampleFiles_ReadMe.txt", "Readme\n")
    return path


class Market:
    """A true book by order of which a window of N levels a side is shown, message by message when it changes."""

    def __init__(self, rng, levels, *, orders=40):
        self.rng, self.levels = rng, levels
        self.orders, self.fresh, self.rows, self.states, self.ns = {}, 1, [], [], START * 10**9
        while len(self.orders) < orders:
            self._add(shown=False)

    def totals(self, side):
        found = {}
        for its_side, price, size in self.orders.values():
            if its_side == side:
                found[price] = found.get(price, 0) + size
        return found

    def view(self):
        asks, bids = self.totals(-1), self.totals(1)
        return sorted(asks.items())[: self.levels], sorted(bids.items(), reverse=True)[: self.levels]

    def play(self, steps):
        for _ in range(steps):
            chance = self.rng.random()
            if chance < 0.05:
                self._record(HIDDEN, 0, int(self.rng.integers(1, 9)), 1_000_000 + 50 * int(self.rng.integers(-9, 9)), 1)
            elif chance < 0.5 or len(self.orders) < 4:
                self._add(shown=True)
            elif chance < 0.75:
                self._change()
            else:
                self._sweep()
        return self

    def _advance(self):
        self.ns += int(self.rng.integers(0, 3)) * 1001

    def _record(self, what, order, size, price, side):
        text = f"{self.ns // 10**9}.{self.ns % 10**9:09}".rstrip("0")
        self.rows.append((text.rstrip("."), what, order, size, price, side))
        self.states.append((self.totals(-1), self.totals(1)))

    def _add(self, *, shown):
        self._advance()
        side = 1 if self.rng.random() < 0.5 else -1
        best = max(self.totals(1), default=999_000), min(self.totals(-1), default=1_001_000)
        price = int((best[1] - 100 if side > 0 else best[0] + 100) - side * 100 * self.rng.integers(0, 12))
        before, size = self.view(), int(self.rng.integers(1, 20))
        self.orders[self.fresh] = (side, price, size)
        if shown and self.view() != before:
            self._record(SUBMITTED, self.fresh, size, price, side)
        self.fresh += 1

    def _change(self):
        self._advance()
        order = int(self.rng.choice(list(self.orders)))
        size = self.orders[order][2]
        taken = size if self.rng.random() < 0.6 else int(self.rng.integers(1, size + 1))
        self._take(order, taken, DELETED if taken == size else REDUCED)

    def _take(self, order, taken, what):
        side, price, size = self.orders[order]
        before = self.view()
        if taken == size:
            del self.orders[order]
        else:
            self.orders[order] = (side, price, size - taken)
        if self.view() != before:
            self._record(what, order, taken, price, side)

    def _sweep(self):
        """Execute against the best orders of a side, first come first served, at one instant."""
        self._advance()
        side, lots = (1 if self.rng.random() < 0.5 else -1), int(self.rng.integers(1, 40))
        for order in sorted(
            (each for each, it in self.orders.items() if it[0] == side), key=lambda each: (-side * self.orders[each][1], each)
        ):
            if lots == 0 or sum(it[0] == side for it in self.orders.values()) < 2:
                return
            taken = min(lots, self.orders[order][2])
            lots -= taken
            self._take(order, taken, EXECUTED)

    def texts(self):
        return message_text(self.rows), book_text(self.states, self.levels)


# ---------------------------------------------------------------- the twin


class RefusedError(Exception):
    """The files are not what the format allows; says in which lines of which."""


_TIME = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9}0*)?")
_WHOLE = re.compile(r"-?[0-9]{1,18}")


def naive_messages(text, *, step=100):
    """Return messages as (ns after midnight, type, id, size, price in units, direction)."""
    rows = []
    for number, line in enumerate(_lines(text), 1):
        fields = line.removesuffix("\r").split(",")
        if len(fields) not in {6, 7} or not _TIME.fullmatch(fields[0]) or not all(map(_WHOLE.fullmatch, fields[1:6])):
            raise RefusedError(number)
        ns, (what, order, size, price, side) = int(Decimal(fields[0]) * 10**9), map(int, fields[1:6])
        empty = what == CROSS and size == 0
        good = ns < 86_400 * 10**9 and SUBMITTED <= what <= HALT
        good = good and (what > EXECUTED or 0 <= order < 2**62)
        good = good and (what == HALT or empty or (0 < size < 2**32 and 0 < price < 2**32))
        good = good and (what != HALT or price in {-1, 0, 1}) and (what >= CROSS or side in {1, -1})
        good = good and (what > DELETED or price % step == 0)
        if not good:
            raise RefusedError(number)
        rows.append((ns, what, order, size, price, side))
    if not rows:
        raise RefusedError(0)
    latest = 0
    for number, row in enumerate(rows, 1):
        if row[0] < latest - 10**9:
            raise RefusedError(number)
        latest = max(latest, row[0])
    return rows


def naive_books(text, levels, count, *, step=100):
    """Return books as (asks, bids), each a list of (ticks, size), best first."""
    states = []
    for number, line in enumerate(_lines(text), 1):
        fields = line.removesuffix("\r").split(",")
        if len(fields) != 4 * levels or not all(map(_WHOLE.fullmatch, fields)):
            raise RefusedError(number)
        numbers, sides = [int(field) for field in fields], []
        for side, across in ((-1, 0), (1, 2)):
            pairs = [(numbers[at], numbers[at + 1]) for at in range(across, 4 * levels, 4)]
            there = [(price, size) for price, size in pairs if size != 0]
            ordered = sorted(there, key=lambda pair: -side * pair[0])
            good = there == pairs[: len(there)] == ordered and len({price for price, _size in there}) == len(there)
            if not good or not all(0 < price < 2**32 and price % step == 0 and 0 < size < 2**32 * 1000 for price, size in there):
                raise RefusedError(number)
            sides.append([(price // step, size) for price, size in there])
        states.append(tuple(sides))
    if len(states) != count:
        raise RefusedError(min(len(states), count))
    return states


def _lines(text):
    return text.removesuffix("\n").split("\n") if text else []


def times_of(rows, day=DAY):
    """Return the times of messages, steps back moved forward."""
    times, latest = [], 0
    for row in rows:
        latest = max(latest, row[0])
        times.append(midnight(day) + latest)
    return times


def moved(price, side, step):
    if side:
        return -(-price // step) if side < 0 else price // step
    return round(price / step)


def naive_events(rows, *, day=DAY, step=100):
    """Return what each message says by itself: per message a list of (time, id, lots, ticks, kind, hidden, side)."""
    result = []
    for (_ns, what, order, size, price, side), time in zip(rows, times_of(rows, day), strict=True):
        ticks = moved(price, -side if what != CROSS else 0, step)
        hidden_side = -side if what == HIDDEN and day < dt.date(2014, 7, 14) else 0
        result.append({
            SUBMITTED: [(time, order, size, ticks, Kind.ADD, False, side)],
            REDUCED: [(time, order, size, ticks, Kind.CANCEL, False, side)],
            DELETED: [(time, order, 0, ticks, Kind.CANCEL, False, side)],
            EXECUTED: [(time, 0, size, ticks, Kind.TRADE, False, -side), (time, order, size, ticks, Kind.FILL, False, side)],
            HIDDEN: [(time, 0, size, moved(price, hidden_side or -side, step), Kind.TRADE, True, hidden_side)],
            CROSS: [(time, 0, size, ticks, Kind.TRADE, True, 0)] if size else [],
            HALT: [(time, 0, {-1: Status.HALT, 0: Status.AUCTION, 1: Status.OPEN}.get(price), 0, Kind.STATUS, False, 0)],
        }[what])  # fmt: skip
    return result


def events_as_told(events):
    """Return events as `naive_events` gives them."""
    return [
        (
            int(e["exch_ns"]),
            int(e["id"]),
            int(e["lots"]),
            int(e["ticks"]),
            int(e["kind"]),
            bool(e["flags"] & Flag.HIDDEN),
            int(e["side"]),
        )
        for e in events
    ]


class NaiveBook:
    """Orders and levels in dictionaries, prices in sorted lists."""

    def __init__(self):
        self.orders, self.totals, self.prices = {}, {1: {}, -1: {}}, {1: [], -1: []}

    def _change(self, side, ticks, lots):
        totals, prices = self.totals[side], self.prices[side]
        if ticks not in totals:
            insort(prices, -side * ticks)
        totals[ticks] = totals.get(ticks, 0) + lots
        if totals[ticks] == 0:
            del totals[ticks]
            prices.pop(bisect_left(prices, -side * ticks))

    def take(self, kind, order, lots, side, ticks):
        if kind in (Kind.SNAPSHOT_BEGIN, Kind.CLEAR):
            self.__init__()
        elif kind == Kind.ADD:
            assert order not in self.orders
            assert lots > 0
            self.orders[order] = [side, ticks, lots]
            self._change(*self.orders[order])
        elif kind in (Kind.CANCEL, Kind.FILL):
            assert order in self.orders, "an event refers to an order that is not there"
            mine = self.orders[order]
            assert lots <= mine[2]
            assert kind == Kind.CANCEL or lots > 0
            lots = lots or mine[2]
            self._change(mine[0], mine[1], -lots)
            mine[2] -= lots
            if mine[2] == 0:
                del self.orders[order]

    def levels(self, side, count):
        return [(-side * price, self.totals[side][-side * price]) for price in self.prices[side][:count]]


def assert_rebuilds(events, times, states, levels):
    """After every message the book of *events* shows the state that was recorded after its last row; *times* are those of rows."""
    book = NaiveBook()
    last_row = {time: number for number, time in enumerate(times)}
    checked = 0
    for event in zip(*(events[name].tolist() for name in ("kind", "id", "lots", "side", "ticks", "flags", "exch_ns")), strict=True):
        book.take(*event[:5])
        if event[5] & Flag.LAST_OF_MESSAGE and event[0] != Kind.SNAPSHOT_END:
            asks, bids = states[last_row[event[6]]]
            assert (book.levels(-1, levels), book.levels(1, levels)) == (asks, bids)
            checked += 1
    assert checked == len(set(events["exch_ns"].tolist()))
