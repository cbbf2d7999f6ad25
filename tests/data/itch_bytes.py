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
    start, place, orders, events, locate, name = midnight(day), 0, {}, [], None, None if stock is None else f"{stock:8}".encode()
    counts, hours, action, status = {}, None, "T", None
    sided = day < dt.date(2014, 7, 14)

    def count(what):
        counts[what] = counts.get(what, 0) + 1

    while place < len(content):
        if content[place:] == b"\0\0":
            break
        if place + 3 > len(content):
            raise RefusedError(place)
        length, kind = int.from_bytes(content[place : place + 2], "big"), chr(content[place + 2])
        if kind not in BODIES or length != 11 + struct.calcsize(f">{BODIES[kind]}"):
            raise RefusedError(place)
        message = content[place + 2 : place + 2 + length]
        if len(message) < length:
            raise RefusedError(place)
        here, place = place, place + 2 + length
        its_locate, ns = int.from_bytes(message[1:3], "big"), int.from_bytes(message[5:11], "big")
        fields = struct.unpack(f">{BODIES[kind]}", message[11:])
        if kind in "VW":
            continue
        if kind != "S":
            its_name = None
            if kind in STOCKS:
                at = {"L": 15, "A": 24, "F": 24, "P": 24, "Q": 19, "I": 28}.get(kind, 11)
                its_name = message[at : at + 8]
            if locate is None:
                if stock is not None and its_name != name:
                    continue
                locate = its_locate
            elif its_locate != locate:
                if stock is None:
                    raise RefusedError(here)
                continue
            if its_name is not None:
                if name is not None and its_name != name:
                    raise RefusedError(here)
                name = its_name
        if ns >= DAY_NS:
            raise RefusedError(here)

        def put(kind, order, side, ticks, lots, flags=0, *, ns=ns, here=here):
            events.append((start + ns, here, order, lots, ticks, int(kind), flags, side))

        def priced(price, *, trade=False, here=here):
            if price == 0 or price // step >= 2**31 - trade or (price % step and not trade):
                raise RefusedError(here)
            return price // step

        def positive(shares, most=2**32, *, here=here):
            if not 0 < shares < most:
                raise RefusedError(here)
            return shares

        def one_of(letter, letters, *, here=here):
            if letter not in [each.encode() for each in letters]:
                raise RefusedError(here)
            return letter.decode()

        if kind in "AF":
            order, side, shares, _stock, price = fields[:5]
            side = {"B": 1, "S": -1}[one_of(side, "BS")]
            orders[order] = [side, priced(price), positive(shares)]
            put(Kind.ADD, order, side, priced(price), shares)
        elif kind in "ECX":
            order, shares = fields[:2]
            side, ticks, _left = orders.get(order, (0, 0, 0))
            positive(shares)
            if kind == "X":
                put(Kind.CANCEL, order, side, ticks, shares)
            else:
                if kind == "C":
                    printable = one_of(fields[3], "YN") == "Y"
                    priced(fields[4], trade=True)
                    if printable:
                        put(Kind.TRADE, fields[2], -side, moved(fields[4], -side, step), shares)
                        if fields[4] % step:
                            count("between_ticks")
                elif side:
                    put(Kind.TRADE, fields[2], -side, ticks, shares)
                else:
                    count("unpriced_trades")
                put(Kind.FILL, order, side, ticks, shares)
            if order in orders:
                orders[order][2] -= shares
                if orders[order][2] <= 0:
                    del orders[order]
        elif kind == "D":
            side, ticks, _left = orders.pop(fields[0], (0, 0, 0))
            put(Kind.CANCEL, fields[0], side, ticks, 0)
        elif kind == "U":
            old, new, shares, price = fields
            positive(shares), priced(price)
            known = old in orders
            side, ticks, _left = orders.pop(old, (0, 0, 0))
            put(Kind.CANCEL, old, side, ticks, 0)
            if known:
                orders[new] = [side, priced(price), shares]
                put(Kind.ADD, new, side, priced(price), shares)
            else:
                count("unplaced_orders")
        elif kind in "PQ":
            if kind == "P":
                side = {"B": -1, "S": 1}[one_of(fields[1], "BS")] if sided or one_of(fields[1], "BS") == "" else 0
                shares, price, match = fields[2], fields[4], fields[5]
            else:
                side, shares, price, match = 0, fields[0], fields[2], fields[3]
                if shares == 0:
                    count("other_trades")
                    continue
            positive(shares, 2**40), priced(price, trade=True)
            if price % step:
                count("between_ticks")
            put(Kind.TRADE, match, side, moved(price, side, step), shares, HIDDEN)
        elif kind in "SH":
            if kind == "S":
                hours = one_of(fields[0], "OSQMEC")
            else:
                action = one_of(fields[1], "HPQT")
            now = {"H": Status.HALT, "P": Status.HALT, "Q": Status.AUCTION}.get(action, Status.OPEN)
            now = Status.CLOSED if hours is not None and hours != "Q" else now
            if now != status:
                put(Kind.STATUS, 0, 0, 0, int(now))
            status = now
        elif kind == "B":
            count("broken_trades")
        elif kind != "R":
            count("other_messages")
    if not events or (stock is not None and locate is None):
        raise RefusedError(None)
    return events, counts
