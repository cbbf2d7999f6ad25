"""Tick-size tables by name, and the arithmetic of prices that move on one.

Where you are in the pipe: before it; an *instrument* carries its table. The tables are data, in ``rules/*.yaml``, each with its
sources and the day from which it holds.

A row says: from this price on, prices are multiples of this step. Venues write "over 20.00 to 50.00", which includes the upper end;
the end of a row is a multiple of both neighbouring steps, so the valid prices are the same, and only the step *down* from a row's
first price is the row's before.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from twosided._compile import compiled
from twosided.errors import InputError, suggest
from twosided.market.instrument import Instrument, TickBand
from twosided.units import exact_decimal

__all__ = ["TickTable", "mifid_liquidity_band", "step_rows", "tick_table", "tick_tables", "valid_at_or_above", "valid_at_or_below"]


@dataclass(frozen=True)
class TickTable:
    """A published table of price steps.

    Attributes:
        name: what `tick_table` calls it.
        about: one line.
        since: the first day on which it held; None where that day could not be established.
        sources: where it was read.
        bands: its rows, as `Instrument.tick_table` takes them.
    """

    name: str
    about: str
    since: date | None
    sources: tuple[str, ...]
    bands: tuple[TickBand, ...]

    @property
    def tick_size(self) -> Decimal:
        """The price quantum, for `Instrument.tick_size`: the largest that divides every step (of 0.0002 and 0.0005: 0.0001)."""
        finest = Decimal("0.0001")
        return finest * math.gcd(*(int(band.tick_size / finest) for band in self.bands))

    def step(self, price: str | float | Decimal, *, down: bool = False) -> Decimal:
        """Return the distance to the next valid price above *price*, or below it.

        Raises:
            InputError: *price* is not on the table.
        """
        asked = exact_decimal(price, name="price")
        step = self.bands[0].tick_size
        for band in self.bands:
            if band.from_price < asked or (band.from_price == asked and not down):
                step = band.tick_size
        if (Fraction(asked) / Fraction(step)).denominator != 1 or asked < self.bands[0].from_price:
            raise InputError(f"price is {asked}, which is not on the tick table {self.name}; there, prices move by {step}")
        return step

    def valid(self, price: str | float | Decimal) -> bool:
        """Say whether *price* is on the table."""
        try:
            self.step(price)
        except InputError:
            return False
        return True


def tick_table(name: str) -> TickTable:
    """Return a table by its name: ``hkex-2006``, ``hkex-2025``, ``hkex-2026``, ``mifid-1`` to ``mifid-6``.

    Raises:
        InputError: there is none of that name; the nearest is suggested.
    """
    known = tick_tables()
    if name not in known:
        raise InputError(f"tick table {name!r} is unknown{suggest(name, known)}")
    return known[name]


@cache
def tick_tables() -> Mapping[str, TickTable]:
    """Return all tables by name."""
    return {table.name: table for table in (*_hkex(), *_mifid())}


def mifid_liquidity_band(daily_transactions: float) -> str:
    """Return the name of the MiFID II table of a share with so many transactions a day, in the mean (RTS 11, articles 2 and 3).

    Raises:
        InputError: a negative number, or none.
    """
    if not daily_transactions >= 0:
        raise InputError(f"daily_transactions is {daily_transactions}; allowed: 0 or more")
    starts = read_rules("mifid_tick_sizes")["transactions"]
    return f"mifid-{sum(start <= daily_transactions for start in starts)}"


def read_rules(name: str) -> Any:
    """Return what the data file ``rules/NAME.yaml`` of this room holds."""
    return yaml.safe_load((files("twosided.market") / "rules" / f"{name}.yaml").read_text(encoding="utf-8"))


def _bands(rows: list[tuple[str, str]]) -> tuple[TickBand, ...]:
    return tuple(TickBand(from_price=Decimal(start), tick_size=Decimal(step)) for start, step in rows)


def _hkex() -> list[TickTable]:
    read = read_rules("hkex_spread_table")
    sources = tuple(read["sources"])
    return [TickTable(name, it["about"], it["since"], sources, _bands(it["rows"])) for name, it in read["tables"].items()]


def _mifid() -> list[TickTable]:
    read = read_rules("mifid_tick_sizes")
    ends = [*read["transactions"][1:], None]
    tables = []
    for i, (start, end) in enumerate(zip(read["transactions"], ends, strict=True)):
        about = f"liquidity band {i + 1}: {start} {'or more' if end is None else f'to below {end}'} transactions a day"
        rows = _bands([(price, steps[i]) for price, steps in read["rows"].items()])
        merged = tuple(row for k, row in enumerate(rows) if k == 0 or row.tick_size != rows[k - 1].tick_size)
        tables.append(TickTable(f"mifid-{i + 1}", about, read["since"], tuple(read["sources"]), merged))
    return tables


# ---------------------------------------------------------------- in ticks, for kernels


def step_rows(instrument: Instrument) -> npt.NDArray[np.int64]:
    """Return the instrument's table as rows (from ticks, step in ticks), shape (n, 2); one row (0, 1) where it has none."""
    rows = [(instrument.ticks(band.from_price), instrument.ticks(band.tick_size)) for band in instrument.tick_table]
    return np.array(rows or [(0, 1)], np.int64)


def _step_of(rows: Any, ticks: int, down: bool) -> int:
    """Return the step from *ticks* up, or *down*."""
    step = rows[0, 1]
    for i in range(1, rows.shape[0]):
        if rows[i, 0] < ticks or (rows[i, 0] == ticks and not down):
            step = rows[i, 1]
    return int(step)


step_of = compiled(_step_of)


def _valid_at_or_below(rows: Any, ticks: int) -> int:
    """Return the highest price that is on the table and not above *ticks*."""
    return int(ticks - ticks % step_of(rows, ticks, False))


valid_at_or_below = compiled(_valid_at_or_below)


def _valid_at_or_above(rows: Any, ticks: int) -> int:
    """Return the lowest price that is on the table and not below *ticks*."""
    return int(ticks + -ticks % step_of(rows, ticks, True))


valid_at_or_above = compiled(_valid_at_or_above)
