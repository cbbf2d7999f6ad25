"""NASDAQ TotalView-ITCH 5.0: binary messages, each behind its length in two bytes, as in the files of whole days.

Only the messages of one share are turned into events; it is found by its stock locate, which the directory (R) or any message that
names the stock tells. Times are nanoseconds after midnight in New York; the day stands in the file's name (20191230, 12302019 or
S123019), or the user states it. Messages with equal times are one message of ours (`nasdaq.WholeMessages`).

    A F  new order              ADD
    E    executed               TRADE at the order's price, FILL
    C    executed at a price    TRADE there, FILL; without the TRADE where it is not printable: a cross reports that volume
    X D  cancelled              CANCEL
    U    replaced               CANCEL of the old, ADD of the new order, on the side of the old one
    P    hidden order traded    TRADE, hidden; its side is unknown since 14 July 2014, when NASDAQ began to call them all buyers
    Q    cross                  TRADE, hidden, of unknown side
    S H  hours, trading action  STATUS: closed outside market hours, where one can trade too but few do; else what H says

Broken trades (B) and the other kinds are counted. A file may start in the middle of a day: an execution of an order that was never
added has no price, and the replacement of one no side; they are counted and left out. Byte positions are of the unpacked file.
Layouts: "Nasdaq TotalView-ITCH 5.0", section 4.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import numpy as np

from twosided.data.files import InputFile
from twosided.data.itch_kernel import (
    ANY_SYMBOL,
    BAD_FLAG,
    BAD_LENGTH,
    BAD_PRICE,
    BAD_SHARES,
    BAD_SIDE,
    BAD_STOCK,
    BAD_TIME,
    BAD_TYPE,
    COUNT,
    COUNTED,
    LENGTHS,
    LOCATE,
    MOST_EVENTS,
    NO_LOCATE,
    NO_MORE,
    NO_ROOM,
    OFF_TICK,
    SEVERAL,
    SIDED,
    START_NS,
    STATE,
    STATUS,
    STEP,
    STOCK_AT,
    SYMBOL,
    scan,
)
from twosided.data.nasdaq import (
    DAY_NS,
    HIDDEN_SIDE_UNTIL,
    LOT,
    TICK,
    UNIT,
    Made,
    VenueClock,
    WholeMessages,
    cleared,
    date_in,
    midnight_ns,
    step_of,
)
from twosided.data.numbers import Ints
from twosided.data.raw import Raw, Settings, new_events
from twosided.errors import DataError, InputError
from twosided.market.event import Events
from twosided.market.ladder import new_books
from twosided.market.order_queues import grow_orders, new_orders

__all__ = ["ItchReader", "is_itch", "itch_start_ns"]

_ROOM = 1 << 16
_MOST_SHOWN = 64
_END_MARK = b"\0\0"  # a length of 0, with which some files end
_TYPES = "".join(chr(letter) for letter in np.flatnonzero(LENGTHS))


def is_itch(file: InputFile) -> str | None:
    """Return "" for a file that begins with the length of a message of ITCH 5.0 and its type, else None."""
    head = file.head
    return "" if len(head) > 2 and head[0] == 0 and 0 < head[1] == LENGTHS[head[2]] else None


def itch_start_ns(file: InputFile) -> int:
    """Return the time of the first message; since 1970 where the name holds the day."""
    day = date_in(file.member or file.name)
    return (midnight_ns(day) if day else 0) + int.from_bytes(file.head[7:13], "big")


class ItchReader:
    """Reads one share from files of one or several days."""

    def __init__(self, settings: Settings) -> None:
        self._wanted, self._defects, self._stated = settings.symbol, settings.defects, settings.day
        if self._wanted is not None and not re.fullmatch(r"[!-~]{1,8}", self._wanted):
            raise InputError(f"symbol is {self._wanted!r:.60}; expected a stock's name of at most 8 letters, as AAPL")
        self.symbol, self.venue, self.currency, self.multiplier = settings.symbol or "", "NASDAQ", "USD", Decimal(1)
        self.tick_size, self.lot_size = settings.tick_size or TICK, LOT
        self._step = step_of(self.tick_size)
        self._day: date | None = None  # of the file before

    def read(self, file: InputFile) -> Iterator[Raw]:
        """Yield the events of *file*.

        Raises:
            DataError: a message that the format does not allow, one that breaks off, several stocks, no day.
        """
        file.place = "byte"
        day = self._day_of(file)
        clear = self._day is not None and day != self._day
        if day != self._day:
            self._begin_day()
        self._day = day
        self._state[START_NS] = midnight_ns(day)
        self._state[SIDED] = day < HIDDEN_SIDE_UNTIL
        clock, whole = VenueClock(file, self._defects), WholeMessages(file, UNIT * self._step)
        for made in self._scanned(file):
            if len(made.events) == 0:
                continue
            made.events["exch_ns"] = made.events["local_ns"] = clock.ordered(made.events["exch_ns"], made.places)
            raw = whole.take(cleared(made) if clear else made)
            clear = False
            if raw is not None:
                yield raw
        raw = whole.finish()
        if raw is not None:
            yield raw
        if self._wanted is not None and self._state[LOCATE] == NO_LOCATE:
            raise DataError(file.path, "", f"has no messages of {self._wanted}; expected the name of a stock that it holds")

    def finish(self) -> Iterator[Raw]:
        """Yield nothing: nothing is held back."""
        return iter(())

    def settle(self, events: Events) -> tuple[Events, Ints | None]:
        """Return *events* as they are."""
        return events, None

    def _begin_day(self) -> None:
        self._levels, self._orders = new_books(2), new_orders()
        self._state = np.zeros(STATE, np.int64)
        self._state[LOCATE] = NO_LOCATE
        self._state[SYMBOL] = ANY_SYMBOL if self._wanted is None else int.from_bytes(self._wanted.ljust(8).encode(), "big")
        self._state[STATUS] = -1
        self._state[STEP] = self._step

    def _day_of(self, file: InputFile) -> date:
        """Return the day of *file* and note where it comes from.

        Raises:
            DataError: nobody says.
        """
        named = date_in(file.member or file.name)
        day = self._stated or named
        if day is None:
            raise DataError(file.path, "", "holds times since midnight and no day, nor does its name; state it: --date 2019-12-30")
        self._defects.note(f"{file.path}: the day, {day}, {'is stated' if self._stated else 'is from the name of the file'}")
        return day

    def _scanned(self, file: InputFile) -> Iterator[Made]:
        """Yield the events of *file*, message by message."""
        begin, rest = 0, b""  # where in the file *rest* begins
        out, places = new_events(_ROOM), np.zeros(_ROOM, np.int64)
        for piece in file.pieces():
            content = rest + piece
            block, position, code = np.frombuffer(content, np.uint8), 0, MOST_EVENTS
            while code != NO_MORE:
                if code == NO_ROOM:
                    self._orders = grow_orders(self._orders)
                elif code != MOST_EVENTS:
                    raise self._bad_message(file, code, content[position : position + _MOST_SHOWN], begin + position)
                any_symbol = self._wanted is None
                position, code = map(
                    int,
                    scan(
                        block, position, begin, any_symbol, LENGTHS, STOCK_AT, self._levels, self._orders, self._state, out, places
                    ),
                )
                count = int(self._state[COUNT])
                self._report()
                yield Made(out[:count].copy(), places[:count].copy())
            begin, rest = begin + position, content[position:]
        if rest and rest != _END_MARK:
            wanted = f" of {int.from_bytes(rest[:2], 'big') + 2}" if len(rest) > 1 else ""
            problem = f"the message that begins here breaks off after {len(rest)} bytes{wanted}: the file is truncated"
            raise DataError(file.path, f"byte {begin}", problem)

    def _report(self) -> None:
        """Hand on what was counted."""
        for name, word in COUNTED.items():
            self._defects.add(name, int(self._state[word]))
            self._state[word] = 0
        if self._state[SYMBOL] != ANY_SYMBOL:
            self.symbol = _text(int(self._state[SYMBOL]).to_bytes(8, "big", signed=True))

    def _bad_message(self, file: InputFile, code: int, content: bytes, place: int) -> DataError:
        """Return what is wrong with a message; *content* begins with its length."""
        length, kind, at = int.from_bytes(content[:2], "big"), chr(content[2]), content[2:]
        share_at = 27 if kind == "U" else 11 if kind == "Q" else 20 if kind in "AFP" else 19
        shares = int.from_bytes(at[share_at : share_at + (8 if kind == "Q" else 4)], "big")
        price_at = 31 if kind == "U" else 27 if kind == "Q" else 32
        price = int.from_bytes(at[price_at : price_at + 4], "big") * UNIT
        stock = _text(at[STOCK_AT[content[2]] :][:8]) or "none"
        own = _text(int(self._state[SYMBOL]).to_bytes(8, "big", signed=True)) or f"locate {self._state[LOCATE]}"
        other = stock if STOCK_AT[content[2]] else f"locate {int.from_bytes(at[1:3], 'big')}"
        flag = {"C": (31, "printable", "Y or N"), "S": (11, "event", "O, S, Q, M, E or C"), "H": (19, "state", "H, P, Q or T")}
        flag_at, flag_name, flags = flag.get(kind, (0, "", ""))
        problems = {
            BAD_TYPE: f"message type is {content[2:3]!r} behind a length of {length}; expected one of ITCH 5.0: {_TYPES}",
            BAD_LENGTH: f"length is {length} before a message of type {kind}; expected {LENGTHS[content[2]]}",
            BAD_TIME: f"time is {int.from_bytes(at[5:11], 'big')} ns after midnight; expected less than {DAY_NS}, a day",
            BAD_SIDE: f"side is {at[19:20]!r}; expected B or S",
            BAD_SHARES: f"shares is {shares}; expected 1 or more, as a venue can trade",
            BAD_PRICE: f"price is {price:f}; expected more than 0 and less than 2^31 ticks",
            BAD_FLAG: f"{flag_name} is {at[flag_at : flag_at + 1]!r}; expected {flags}",
            BAD_STOCK: f"stock is {stock} in a message with the locate of {own}; expected one name for each locate",
            OFF_TICK: f"price is {price:f}, which is not a multiple of the tick size {self.tick_size:f}; --tick {UNIT} fits",
            SEVERAL: f"holds messages of {own} and of {other}; choose one with --symbol",
        }
        return DataError(file.path, f"byte {place}", problems[code])


def _text(name: bytes) -> str:
    """Return a stock's name without the spaces behind it; bytes that are no letters as Python writes them."""
    return repr(name.rstrip(b" "))[2:-1]
