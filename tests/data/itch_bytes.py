"""Writes small ITCH 5.0 files message by message, and reads them with `struct`, slowly and plainly: the twin of the reader."""

import datetime as dt
import struct
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from twosided.market.event import Flag, Kind, Status

OPEN_NS = 34_200 * 10**9
DAY_NS = 86_400 * 10**9
LAST, HIDDEN = int(Flag.LAST_OF_MESSAGE), int(Flag.HIDDEN)
BODIES = {  # behind type, locate, tracking number and time
    "S": "c", "R": "8sccIcc2scccccIc", "H": "8scc4s", "Y": "8sc", "L": "4s8sccc", "V": "QQQ", "W": "c", "K": "8sIcI", "J": "8sIIII",
    "h": "8scc", "A": "QcI8sI", "F": "QcI8sI4s", "E": "QIQ", "C": "QIQcI", "X": "QI", "D": "Q", "U": "QQII", "P": "QcI8sIQ",
    "Q": "Q8sIQc", "B": "Q", "I": "QQc8sIIIcc", "N": "8sc", "O": "8scIIIQII",
}  # fmt: skip
STOCKS = {kind: body.index("8s") for kind, body in BODIES.items() if "8s" in body}


def midnight(day):
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("America/New_York")).timestamp()) * 10**9


@dataclass
class Itch:
    """A file that grows message by message; each is a microsecond after the one before, unless *after* says otherwise."""

    stock: str = "ABC"
    locate: int = 7
    ns: int = OPEN_NS
    content: bytearray = field(default_factory=bytearray)

    def say(self, kind, *fields, after=1000, locate=None):
        self.ns += after
        time = self.ns.to_bytes(6, "big")
        body = struct.pack(f">{BODIES[kind]}", *(each.encode() if isinstance(each, str) else each for each in fields))
        where = self.locate if locate is None else locate
        message = kind.encode() + struct.pack(">HH", where, 0) + time + body
        self.content += struct.pack(">H", len(message)) + message
        return self

    @property
    def name(self):
        return f"{self.stock:8}"

    def directory(self, **options):
        return self.say("R", self.name, "Q", "N", 100, "N", "C", "Z ", "P", "N", " ", "1", "N", 0, "N", **options)

    def system(self, event, **options):
        return self.say("S", event, locate=0, **options)

    def action(self, state, **options):
        return self.say("H", self.name, state, " ", "    ", **options)

    def add(self, order, side, shares, price, *, attributed=False, **options):
        return self.say("F" if attributed else "A", order, side, shares, self.name, price, *(["NSDQ"] * attributed), **options)

    def execute(self, order, shares, match=1, **options):
        return self.say("E", order, shares, match, **options)

    def execute_at(self, order, shares, price, match=1, printable="Y", **options):
        return self.say("C", order, shares, match, printable, price, **options)

    def cancel(self, order, shares, **options):
        return self.say("X", order, shares, **options)

    def delete(self, order, **options):
        return self.say("D", order, **options)

    def replace(self, old, new, shares, price, **options):
        return self.say("U", old, new, shares, price, **options)

    def trade(self, side, shares, price, match=1, **options):
        return self.say("P", 0, side, shares, self.name, price, match, **options)

    def cross(self, shares, price, match=1, **options):
        return self.say("Q", shares, self.name, price, match, "O", **options)

    def broken(self, match, **options):
        return self.say("B", match, **options)

    def imbalance(self, **options):
        return self.say("I", 0, 0, "N", self.name, 1, 1, 1, "C", " ", **options)

    def write(self, folder, name="abc_20191230.itch"):
        path = folder / name
        path.write_bytes(self.content)
        return path


def small():
    """Return a file with something of everything in it."""
    made = Itch()
    made.system("O").directory().system("S").action("T").system("Q")
    for order in range(1, 9):
        made.add(order, "BS"[order % 2], 100 * order, 1_000_000 - 200 * order if order % 2 == 0 else 1_000_500 + 300 * order)
    made.execute(1, 50, 11).execute(3, 300, 12, after=0).cancel(5, 100).delete(7).replace(2, 21, 150, 1_000_100)
    made.replace(21, 22, 80, 999_900).trade("B", 40, 1_000_250, 13).cross(0, 0).cross(5000, 1_000_300, 14).broken(12)
    made.execute_at(4, 10, 999_950, 15).execute_at(4, 10, 999_900, 16, "N").imbalance().add(30, "S", 10, 1_001_000, attributed=True)
    made.action("H").action("Q").action("T").execute(99, 10, 17).replace(98, 97, 10, 1_000_000).delete(96).cancel(30, 10)
    made.add(40, "B", 500, 990_000, after=0).system("M").system("E").system("C")
    return made


class RefusedError(Exception):
    """The file is not what the format allows; says at which byte."""

    def __init__(self, place):
        super().__init__(place)
        self.place = place


def moved(price, side, step):
    """Return the ticks that a trade is moved to: a seller's up, a buyer's down, else to the nearer, from the middle to the even."""
    if side:
        return -(-price // step) if side < 0 else price // step
    return round(price / step)  # banker's rounding; exact in binary for the steps 1 and 100


def naive(content, day, *, step=100, stock=None):
    """Return (events as tuples, counts of defects), without grouping into messages: flags hold HIDDEN alone.

    An event is (exch_ns, place, id, lots, ticks, kind, flags, side).
    """
    reader = _Naive(day, step, stock)
    for here, kind, message in _messages(content):
        reader.take(here, kind, message)
    if not reader.events or (stock is not None and reader.locate is None):
        raise RefusedError(None)
    return reader.events, reader.counts


def _messages(content):
    """Yield (place, kind, content) of every message; an empty one ends the file."""
    place = 0
    while place < len(content) and content[place:] != b"\0\0":
        if place + 3 > len(content):
            raise RefusedError(place)
        length, kind = int.from_bytes(content[place : place + 2], "big"), chr(content[place + 2])
        if kind not in BODIES or length != 11 + struct.calcsize(f">{BODIES[kind]}"):
            raise RefusedError(place)
        message = content[place + 2 : place + 2 + length]
        if len(message) < length:
            raise RefusedError(place)
        yield place, kind, message
        place += 2 + length


class _Naive:
    """One message after the other; `here` and `ns` are those of the message that is being taken."""

    def __init__(self, day, step, stock):
        self.start, self.step, self.stock = midnight(day), step, stock
        self.name = None if stock is None else f"{stock:8}".encode()
        self.sided = day < dt.date(2014, 7, 14)
        self.orders, self.events, self.counts, self.locate = {}, [], {}, None
        self.hours, self.action, self.status = None, "T", None

    def take(self, here, kind, message):
        self.here, self.ns = here, int.from_bytes(message[5:11], "big")
        if kind in "VW" or (kind != "S" and not self.is_ours(kind, message)):
            return
        if self.ns >= DAY_NS:
            raise RefusedError(here)
        fields = struct.unpack(f">{BODIES[kind]}", message[11:])
        for kinds, reads in (
            ("AF", self.added),
            ("ECX", self.took),
            ("D", self.deleted),
            ("U", self.replaced),
            ("PQ", self.traded),
            ("SH", self.said),
        ):
            if kind in kinds:
                reads(kind, fields)
                return
        if kind != "R":
            self.count("broken_trades" if kind == "B" else "other_messages")

    def is_ours(self, kind, message):
        its_locate, its_name = int.from_bytes(message[1:3], "big"), None
        if kind in STOCKS:
            at = {"L": 15, "A": 24, "F": 24, "P": 24, "Q": 19, "I": 28}.get(kind, 11)
            its_name = message[at : at + 8]
        if self.locate is None:
            if self.stock is not None and its_name != self.name:
                return False
            self.locate = its_locate
        elif its_locate != self.locate:
            if self.stock is None:
                raise RefusedError(self.here)
            return False
        if its_name is not None:
            if self.name is not None and its_name != self.name:
                raise RefusedError(self.here)
            self.name = its_name
        return True

    # what is written, and what a field may be

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def put(self, kind, order, side, ticks, lots, flags=0):
        self.events.append((self.start + self.ns, self.here, order, lots, ticks, int(kind), flags, side))

    def priced(self, price, *, trade=False):
        if price == 0 or price // self.step >= 2**31 - trade or (price % self.step and not trade):
            raise RefusedError(self.here)
        return price // self.step

    def positive(self, shares, most=2**32):
        if not 0 < shares < most:
            raise RefusedError(self.here)
        return shares

    def one_of(self, letter, letters):
        if letter not in [each.encode() for each in letters]:
            raise RefusedError(self.here)
        return letter.decode()

    # what each kind of message does

    def added(self, _kind, fields):
        order, side, shares, _stock, price = fields[:5]
        side = {"B": 1, "S": -1}[self.one_of(side, "BS")]
        self.orders[order] = [side, self.priced(price), self.positive(shares)]
        self.put(Kind.ADD, order, side, self.priced(price), shares)

    def took(self, kind, fields):
        order, shares = fields[:2]
        side, ticks, _left = self.orders.get(order, (0, 0, 0))
        self.positive(shares)
        if kind == "X":
            self.put(Kind.CANCEL, order, side, ticks, shares)
        else:
            if kind == "C":
                self.executed_at(fields, side)
            elif side:
                self.put(Kind.TRADE, fields[2], -side, ticks, shares)
            else:
                self.count("unpriced_trades")
            self.put(Kind.FILL, order, side, ticks, shares)
        if order in self.orders:
            self.orders[order][2] -= shares
            if self.orders[order][2] <= 0:
                del self.orders[order]

    def executed_at(self, fields, side):
        printable = self.one_of(fields[3], "YN") == "Y"
        self.priced(fields[4], trade=True)
        if printable:
            self.put(Kind.TRADE, fields[2], -side, moved(fields[4], -side, self.step), fields[1])
            if fields[4] % self.step:
                self.count("between_ticks")

    def deleted(self, _kind, fields):
        side, ticks, _left = self.orders.pop(fields[0], (0, 0, 0))
        self.put(Kind.CANCEL, fields[0], side, ticks, 0)

    def replaced(self, _kind, fields):
        old, new, shares, price = fields
        self.positive(shares)
        ticks_now, known = self.priced(price), old in self.orders
        side, ticks, _left = self.orders.pop(old, (0, 0, 0))
        self.put(Kind.CANCEL, old, side, ticks, 0)
        if known:
            self.orders[new] = [side, ticks_now, shares]
            self.put(Kind.ADD, new, side, ticks_now, shares)
        else:
            self.count("unplaced_orders")

    def traded(self, kind, fields):
        if kind == "P":
            letter = self.one_of(fields[1], "BS")
            side = {"B": -1, "S": 1}[letter] if self.sided else 0
            shares, price, match = fields[2], fields[4], fields[5]
        else:
            side, shares, price, match = 0, fields[0], fields[2], fields[3]
            if shares == 0:
                self.count("other_trades")
                return
        self.positive(shares, 2**40)
        self.priced(price, trade=True)
        if price % self.step:
            self.count("between_ticks")
        self.put(Kind.TRADE, match, side, moved(price, side, self.step), shares, HIDDEN)

    def said(self, kind, fields):
        if kind == "S":
            self.hours = self.one_of(fields[0], "OSQMEC")
        else:
            self.action = self.one_of(fields[1], "HPQT")
        now = {"H": Status.HALT, "P": Status.HALT, "Q": Status.AUCTION}.get(self.action, Status.OPEN)
        now = Status.CLOSED if self.hours is not None and self.hours != "Q" else now
        if now != self.status:
            self.put(Kind.STATUS, 0, 0, 0, int(now))
        self.status = now
