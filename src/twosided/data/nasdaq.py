"""What LOBSTER's files and NASDAQ's own have in common: New York's midnight, a unit of 1e-4 dollars, ticks of a cent, shares.

Where you are in the pipe: file -> *nasdaq* -> raw block. Times in both are nanoseconds since midnight in New York, of a day that
only the file's name tells. The venue's rule for US shares is a tick of 0.01 from one dollar on and a lot of one share (SEC Rule
612), while prices are written in units of 0.0001: hidden orders and crosses trade between two ticks. A trade there is moved to the
tick that flatters nobody's resting order: a seller's up, a buyer's down; where nobody knows who came last to the nearer tick, and
from the middle to the even one, so that neither side gains on average. With a tick of 0.0001 nothing is moved.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import polars as pl

from twosided.data.defects import Defects
from twosided.data.files import InputFile
from twosided.data.numbers import Ints
from twosided.data.raw import Raw, new_events
from twosided.errors import DataError
from twosided.market.event import Events, Flag, Kind
from twosided.units import duration_text

__all__ = [
    "DAY_NS",
    "HIDDEN_SIDE_UNTIL",
    "LOT",
    "TICK",
    "UNIT",
    "Made",
    "VenueClock",
    "WholeMessages",
    "date_in",
    "midnight_ns",
    "moved",
    "step_of",
]

UNIT, TICK, LOT = Decimal("0.0001"), Decimal("0.01"), Decimal(1)
DAY_NS = 86_400_000_000_000
HIDDEN_SIDE_UNTIL = date(2014, 7, 14)
"""From this day on NASDAQ calls every hidden order that traded a buyer, whatever it was (ITCH 5.0, 4.4.1)."""

_NEW_YORK = ZoneInfo("America/New_York")
_MOST_BACKWARDS_NS = 1_000_000_000
_LAST = int(Flag.LAST_OF_MESSAGE)
_DIGITS = re.compile(
    r"(?<![0-9])(?:(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2})|(?P<eight>[0-9]{8})|(?<![A-Za-z])[Ss](?P<six>[0-9]{6}))(?![0-9])"
)


def midnight_ns(day: date) -> int:
    """Return the midnight in New York with which *day* begins, ns since 1970 UTC."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=_NEW_YORK).astimezone(UTC)
    return int(midnight.timestamp()) * 1_000_000_000


def date_in(name: str) -> date | None:
    """Return the one date that a file's name holds: 2019-12-30, 20191230, 12302019 or S123019; None without one, or with two.

    >>> date_in("aapl_20191230_0935.itch50"), date_in("01302019.NASDAQ_ITCH50.gz"), date_in("S081321-v50.txt.gz")
    (datetime.date(2019, 12, 30), datetime.date(2019, 1, 30), datetime.date(2021, 8, 13))
    """
    forms = {"iso": ("%Y-%m-%d",), "eight": ("%Y%m%d", "%m%d%Y"), "six": ("%m%d%y",)}
    found = set()
    for match in _DIGITS.finditer(name):
        for form in forms[str(match.lastgroup)]:
            try:
                day = datetime.strptime(match[0].lstrip("sS"), form).date()  # noqa: DTZ007 - a day, not an instant
            except ValueError:
                continue
            if 1990 <= day.year < 2100:
                found.add(day)
    return found.pop() if len(found) == 1 else None


def step_of(tick_size: Decimal) -> int:
    """Return the least number of units whose multiples are whole ticks."""
    return (Fraction(tick_size) / Fraction(UNIT)).numerator


def moved(units: Ints, sides: Ints, step: int) -> Ints:
    """Return the ticks of trades at *units*, moved to whole steps as the module says; *sides* are the aggressors'."""
    ticks = units // step
    rest = units - ticks * step
    nearest = (2 * rest > step) | ((2 * rest == step) & (ticks & 1 == 1))
    up: npt.NDArray[np.bool_] = np.where(sides < 0, rest > 0, np.where(sides > 0, False, nearest))
    return ticks + up


class Made(NamedTuple):
    """Events with their ticks and lots, and where in the file each was made from."""

    events: Events
    places: Ints


def cleared(made: Made) -> Made:
    """Return *made* with a CLEAR in front: yesterday's orders are gone."""
    clear = new_events(1)
    clear["exch_ns"] = clear["local_ns"] = made.events["exch_ns"][0]
    clear["kind"], clear["flags"] = Kind.CLEAR, Flag.LAST_OF_MESSAGE
    return Made(np.concatenate([clear, made.events]), np.concatenate([made.places[:1], made.places]))


class VenueClock:
    """Keeps time from running back: steps of up to a second are moved forward and counted.

    Args:
        file: for the places of what is wrong.
        defects: where steps back are counted.
    """

    def __init__(self, file: InputFile, defects: Defects) -> None:
        self._file, self._defects = file, defects
        self._last_ns = 0

    def ordered(self, times: Ints, places: Ints) -> Ints:
        """Return *times*, which stand at *places*, in order.

        Raises:
            DataError: they run back by more than a second.
        """
        if not len(times):
            return times
        latest: Ints = np.maximum(np.maximum.accumulate(times), self._last_ns)
        back = latest - times
        if back.any():
            worst = int(np.argmax(back > _MOST_BACKWARDS_NS)) if back.max() > _MOST_BACKWARDS_NS else int(np.argmax(back > 0))
            place = f"{self._file.place} {places[worst]}"
            if back.max() > _MOST_BACKWARDS_NS:
                problem = f"time runs back by {duration_text(int(back[worst]))}; expected messages in the order of time"
                raise DataError(self._file.path, place, problem)
            count = len(np.unique(places[back > 0]))
            self._defects.add("exch_backwards", count, note=f"{self._file.path}, {place}: time steps back, moved forward")
        self._last_ns = int(latest[-1])
        return latest


class WholeMessages:
    """Joins events of equal time into messages, and keeps the last message back until it is known to be whole.

    A sweep is one row an order that it met, all with one time, and nobody could act between two of them.

    Args:
        file: of the events.
        unit: what ticks count, in dollars.
    """

    def __init__(self, file: InputFile, unit: Decimal) -> None:
        self._file, self._unit = file, unit
        self._rest: Made | None = None

    def take(self, made: Made) -> Raw | None:
        """Return what is whole; flags that are set already stay set."""
        if self._rest is not None:
            made = Made(np.concatenate([self._rest.events, made.events]), np.concatenate([self._rest.places, made.places]))
        times = made.events["exch_ns"]
        ends = np.flatnonzero(times[1:] != times[:-1])
        made.events["flags"][ends] |= _LAST
        cut = int(ends[-1]) + 1 if len(ends) else 0
        self._rest = Made(made.events[cut:], made.places[cut:])
        return self._raw(Made(made.events[:cut], made.places[:cut])) if cut else None

    def finish(self) -> Raw | None:
        """Return what was kept back."""
        rest, self._rest = self._rest, None
        if rest is None or not len(rest.events):
            return None
        rest.events["flags"][-1] |= _LAST
        return self._raw(rest)

    def _raw(self, made: Made) -> Raw:
        events, status = made.events, made.events["kind"] == Kind.STATUS
        sizes = np.where(status, 0, events["lots"])
        events["lots"][~status] = 0
        prices = pl.Series(events["ticks"].astype(np.int64))
        return Raw(self._file, events, prices, pl.Series(sizes), made.places, unit=self._unit)
