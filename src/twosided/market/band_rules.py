"""Rules of price bands and pauses by name: what a venue publishes, as data.

Where you are in the pipe: before it; `volatility_control` and `limit_up_down` apply them to *events*. The rules are in
``rules/hkex_vcm.yaml`` and ``rules/luld.yaml``, with their sources and days.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError, suggest
from twosided.market.tick_tables import read_rules
from twosided.units import NS_PER_SECOND, duration_ns

__all__ = ["LimitUpDownRule", "VolatilityControlRule", "band_rule", "band_rules"]

PPM = 1_000_000
"""Shares are integers in millionths."""


@dataclass(frozen=True)
class VolatilityControlRule:
    """A volatility control mechanism: bands around the price of some minutes ago, and a cooling-off period inside them.

    Attributes:
        ppm: distance of the limits from the reference, in millionths of it.
        lookback_ns: the reference is the last price that is at least this old.
        cooling_ns: how long the band stands after an order would have traded outside.
        most_triggers: in a session; 0 is any number.
        sessions: (from, until, not in the first, not in the last), local times and nanoseconds.
    """

    name: str
    about: str
    timezone: str
    ppm: int
    lookback_ns: int
    cooling_ns: int
    most_triggers: int
    sessions: tuple[tuple[time, time, int, int], ...]

    def windows(self, days: Iterable[date]) -> npt.NDArray[np.int64]:
        """Return when it watches, as rows (from ns, until ns, number of the session), shape (n, 3)."""
        rows: list[tuple[int, int, int]] = []
        for day in sorted(set(days)):
            for start, end, first, last in self.sessions:
                rows.append((_at(day, start, self.timezone) + first, _at(day, end, self.timezone) - last, len(rows)))
        return np.array(rows, np.int64).reshape(-1, 3)


@dataclass(frozen=True)
class LimitUpDownRule:
    """Limit up-limit down: bands around a mean price, a limit state when the touch rests on one, then a pause.

    Attributes:
        percent: rows (above this close, ppm of the reference, at most this much money; 0: no such limit), highest close first.
        wide: (from, until, factor, up to this close; 0: any): when bands are multiplied.
    """

    name: str
    about: str
    timezone: str
    session: tuple[time, time]
    lookback_ns: int
    least_move_ppm: int
    least_hold_ns: int
    limit_state_ns: int
    pause_ns: int
    no_reopening_ns: int
    percent: tuple[tuple[Decimal, int, Decimal], ...]
    wide: tuple[tuple[time, time, int, Decimal], ...]

    def width(self, previous_close: Decimal) -> tuple[int, Decimal]:
        """Return (ppm of the reference, at most this much money or 0) for a share that closed at *previous_close*.

        Raises:
            InputError: a close that is not positive.
        """
        if previous_close <= 0:
            raise InputError(f"previous_close is {previous_close}; allowed: above 0")
        for i, (above, ppm, most) in enumerate(self.percent):  # "above 3.00", but "0.75 up to and including 3.00"
            if previous_close > above or (i > 0 and previous_close == above):
                return ppm, most
        raise AssertionError

    def windows(self, days: Iterable[date], previous_close: Decimal) -> npt.NDArray[np.int64]:
        """Return when it holds, as rows (from ns, until ns, factor, end of the session ns), shape (n, 4)."""
        rows: list[tuple[int, int, int, int]] = []
        for day in sorted(set(days)):
            cuts = {*self.session}
            wide = [each for each in self.wide if not each[3] or previous_close <= each[3]]
            for start, end, _, _ in wide:
                cuts |= {start, end}
            ends = _at(day, self.session[1], self.timezone)
            edges = sorted(cuts)
            for start, end in pairwise(edges):
                factor = max((each[2] for each in wide if each[0] <= start < each[1]), default=1)
                rows.append((_at(day, start, self.timezone), _at(day, end, self.timezone), factor, ends))
        return np.array(rows, np.int64).reshape(-1, 4)


BandRule = VolatilityControlRule | LimitUpDownRule


def band_rule(name: str) -> BandRule:
    """Return a rule by its name: ``hkex-vcm-large``, ``-mid``, ``-small``, ``-futures``, ``luld-tier1``, ``luld-tier2``, ….

    Raises:
        InputError: there is none of that name; the nearest is suggested.
    """
    known = band_rules()
    if name not in known:
        raise InputError(f"price band rule {name!r} is unknown{suggest(name, known)}")
    return known[name]


@cache
def band_rules() -> Mapping[str, BandRule]:
    """Return all rules by name."""
    rules: list[BandRule] = [*_volatility_controls(), *_limit_up_downs()]
    return {rule.name: rule for rule in rules}


def days_of(first_ns: int, last_ns: int, timezone: str) -> list[date]:
    """Return the days of *timezone* from one instant to another."""
    zone = ZoneInfo(timezone)
    first, last = (datetime.fromtimestamp(ns // NS_PER_SECOND, zone).date().toordinal() for ns in (first_ns, last_ns))
    return [date.fromordinal(day) for day in range(first, last + 1)]


def _at(day: date, at: time, timezone: str) -> int:
    return int(datetime.combine(day, at, ZoneInfo(timezone)).timestamp()) * NS_PER_SECOND


def _ppm(percent: float) -> int:
    return int(Decimal(str(percent)) * PPM / 100)


def _volatility_controls() -> list[VolatilityControlRule]:
    read = read_rules("hkex_vcm")

    def session(row: list[str]) -> tuple[time, time, int, int]:
        return time.fromisoformat(row[0]), time.fromisoformat(row[1]), duration_ns(row[2]), duration_ns(row[3])

    return [
        VolatilityControlRule(
            name=name,
            about=it["about"],
            timezone=read["timezone"],
            ppm=_ppm(it["percent"]),
            lookback_ns=duration_ns(read["lookback"]),
            cooling_ns=duration_ns(read["cooling_off"]),
            most_triggers=read["triggers_per_session"] or 0,
            sessions=tuple(session(row) for row in it["sessions"]),
        )
        for name, it in read["rules"].items()
    ]


def _limit_up_downs() -> list[LimitUpDownRule]:
    read = read_rules("luld")
    start, end = read["session"]

    def money(value: Any) -> Decimal:
        return Decimal(str(value or 0))

    return [
        LimitUpDownRule(
            name=name,
            about=it["about"],
            timezone=read["timezone"],
            session=(time.fromisoformat(start), time.fromisoformat(end)),
            lookback_ns=duration_ns(read["lookback"]),
            least_move_ppm=_ppm(read["least_move_percent"]),
            least_hold_ns=duration_ns(read["least_hold"]),
            limit_state_ns=duration_ns(read["limit_state"]),
            pause_ns=duration_ns(read["pause"]),
            no_reopening_ns=duration_ns(read["no_reopening_in_last"]),
            percent=tuple((money(close), _ppm(percent), money(most)) for close, percent, most in it["percent"]),
            wide=tuple((time.fromisoformat(a), time.fromisoformat(b), factor, money(most)) for a, b, factor, most in it["wide"]),
        )
        for name, it in read["rules"].items()
    ]
