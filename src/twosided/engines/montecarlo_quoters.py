"""Who quotes in a simulation: a strategy, a table of distances, or a plain function of inventory and time left.

Where you are in the pipe: events -> *strategy* -> venue -> fills -> ledger.

Whatever it is, it becomes a row of `QUOTER` for the loop of `twosided.engines.montecarlo_kernel`: a strategy through the contract's
own binding, with a record of its own dtype; the others as a table of distances and of the probabilities that they are reached.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import address_of_array
from twosided.engines.montecarlo_flow import reaching_marks
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.engines.montecarlo_together import asked_in_turn, show_signals_address
from twosided.engines.montecarlo_world import LANES, QUOTER, SHEET, STANDING, START_NS, TABULATED
from twosided.errors import InputError
from twosided.signals.by_name import SIGNALS_OF_A_MID, SIGNALS_OF_MARKET, signal_numbers, wanted_groups
from twosided.strategies.contract import Strategy, Wake

__all__ = ["Bound", "Prepared", "QuoteFunction", "QuoteTable", "Quoter", "named", "prepared", "settled"]

Floats = npt.NDArray[np.float64]
QuoteFunction = Callable[[float, float], tuple[float | None, float | None]]

_SLICES = 5000
"""Most slices of time into which a function of the time left, or a table, is cut: a longer path has several steps a slice."""

_BOUND = 100
"""Inventory up to which a function is asked where no position limit says how far, in quotes."""

_MOST_BOUND, _MOST_ASKED = 1000, 1_005_000
"""Most inventory and most questions that a function is asked."""

_NO_LIMIT = 2**60

_MOST_BYTES = 1 << 18
"""Of strategies' records for all paths that are walked in step: half of a core's own cache."""


@dataclass(frozen=True)
class QuoteTable:
    """Distances of bid and ask from the mid for every whole inventory.

    Args:
        bid, ask: price, shape (2·Q + 1,) for inventories -Q … Q in quotes, or (slices, 2·Q + 1) for equal slices of time from the
            start to the horizon. NaN: no quote. At Q no bid is quoted, and at -Q no ask.

    Raises:
        InputError: shapes that do not fit, or an infinite distance.
    """

    bid: Floats
    ask: Floats

    def __post_init__(self) -> None:
        for name in ("bid", "ask"):
            values = np.atleast_2d(np.array(getattr(self, name), np.float64))
            if values.ndim != 2 or values.shape[1] < 3 or values.shape[1] % 2 == 0 or np.any(np.isinf(values)):
                raise InputError(
                    f"{name} has shape {values.shape}; allowed: finite distances or NaN for inventories -Q to Q, an odd number, "
                    f"at least 3, in one row or one row per slice of time"
                )
            object.__setattr__(self, name, values)
        if self.bid.shape != self.ask.shape:
            raise InputError(f"bid has shape {self.bid.shape} and ask {self.ask.shape}; allowed: the same")

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]]) -> "QuoteTable":
        """Return the table that `twosided.quote_table` printed."""
        sides = ([math.nan if row[side] is None else row[side] for row in rows] for side in ("bid", "ask"))
        return cls(*(np.array(side, np.float64) for side in sides))

    @classmethod
    def of_function(cls, function: QuoteFunction, settings: SimulationSettings, quantity: float = 1.0) -> "QuoteTable":
        """Ask ``function(inventory, time_left)`` (base units, seconds) for every inventory and step, or up to 5,000 slices of time.

        Raises:
            InputError: it does not return two numbers; None or NaN is no quote.
        """
        bound = _BOUND if settings.position_limit is None else max(1, int(settings.position_limit / quantity + 1e-9))
        if bound > _MOST_BOUND:
            raise InputError(
                f"position_limit is {settings.position_limit:g}, {bound} quotes of {quantity:g}; "
                f"allowed for a function of inventory: up to {_MOST_BOUND} quotes"
            )
        every = _steps_per_slice(settings.steps, min(_SLICES, _MOST_ASKED // (2 * bound + 1)))
        left = [settings.horizon_s - step * settings.step_s for step in range(0, settings.steps, every)]
        quotes = np.array([[_asked(function, q * quantity, t) for q in range(-bound, bound + 1)] for t in left])
        if np.array_equal(quotes, np.broadcast_to(quotes[:1], quotes.shape), equal_nan=True):
            quotes = quotes[:1]
        return cls(quotes[:, :, 0], quotes[:, :, 1])


def _steps_per_slice(steps: int, slices: int) -> int:
    return -(-steps // slices)


def _asked(function: QuoteFunction, inventory: float, time_left: float) -> tuple[float, float]:
    try:
        bid, ask = function(inventory, time_left)
        return math.nan if bid is None else float(bid), math.nan if ask is None else float(ask)
    except (TypeError, ValueError) as error:
        name = getattr(function, "__name__", "a function")
        raise InputError(
            f"{name}({inventory:g}, {time_left:g}) gave no two distances: {error}; allowed: a function of inventory and time left "
            f"that returns (bid distance, ask distance), None for no quote"
        ) from error


Quoter = Strategy | QuoteTable | QuoteFunction


def named(quoters: Quoter | Sequence[Quoter] | Mapping[str, Quoter]) -> dict[str, Quoter]:
    """Return *quoters* by name; a second one of a name has a number.

    Raises:
        InputError: there are none, or one is neither a strategy, nor a table, nor a function.
    """
    if isinstance(quoters, Mapping):
        found = dict(quoters)
    else:
        found = {}
        for each in [quoters] if isinstance(quoters, Strategy | QuoteTable) or callable(quoters) else quoters:
            name = each.name if isinstance(each, Strategy) else getattr(each, "__name__", "table")
            number = 2
            while name in found:
                name = f"{name.split(' ')[0]} {number}"
                number += 1
            found[name] = each
    if not found:
        raise InputError("quoters is empty; allowed: at least one strategy, table or function")
    for name, each in found.items():
        if not isinstance(each, Strategy | QuoteTable) and not callable(each):
            raise InputError(
                f"quoter {name!r} is {each!r}; allowed: a strategy, a QuoteTable, or a function of inventory and time left"
            )
    return found


def settled(strategy: Strategy, settings: SimulationSettings, *, recorded: bool = False) -> Strategy:
    """Return *strategy* knowing what the simulation knows: sigma, A and k where the user did not set them, and the horizon."""
    known: dict[str, float] = {"horizon_s": settings.horizon_s, "A": settings.A, "k": settings.k}
    if not recorded:
        known["sigma"] = math.hypot(settings.sigma, settings.jump_size * math.sqrt(settings.jump_rate))
    unset = {name: value for name, value in known.items() if name in strategy.params and name not in strategy.values}
    return strategy.with_params({name: value for name, value in unset.items() if name in strategy.missing or name == "horizon_s"})


@dataclass
class Bound:
    """Quoters bound to the memory of one thread.

    Args:
        quoters: `QUOTER`, [lane, quoter]: a lane for each path that is walked in step.
        rows: by lane, the record of each strategy, None for a table.
        kept: the arrays whose addresses stand in `quoters`.
    """

    quoters: npt.NDArray[Any]
    rows: list[list[Any]]
    kept: list[npt.NDArray[Any]]


@dataclass
class Prepared:
    """Quoters and all that threads share: tables, and how the record of each strategy begins.

    Args:
        quoters: `QUOTER`, one each.
        rows: the record of each strategy, an array of one, at the beginning of a path; None for a table.
        lanes: how many paths are walked in step.
        kept: the arrays whose addresses stand in `quoters`.
    """

    quoters: npt.NDArray[Any]
    rows: list[npt.NDArray[Any] | None] = field(default_factory=list)
    lanes: int = 1
    kept: list[npt.NDArray[Any]] = field(default_factory=list)

    def bound(self) -> Bound:
        """Return the quoters with the memory that one thread needs for them."""
        found = Bound(np.tile(self.quoters, (self.lanes, 1)), [[] for _ in range(self.lanes)], [*self.kept])
        for k, row in enumerate(self.rows):
            rows = None if row is None else np.repeat(row, self.lanes)
            for lane in range(self.lanes):
                q = found.quoters[lane, k]
                _point(q, "standing", np.zeros((int(q["slots"]), 2, int(q["levels"])), STANDING), found.kept)
                if rows is not None:  # those of all lanes stand one after the other
                    _point(q, "row", rows.view(np.int64).reshape(self.lanes, -1)[lane], found.kept)
                    _point(q, "sheet", np.zeros(1, SHEET), found.kept)
                if q["n_signals"] > 0:
                    _point(q, "signal_state", np.zeros(1, SIGNALS_OF_MARKET).view(np.int64), found.kept)
                found.rows[lane].append(None if rows is None else rows[lane])
        return found


def _point(q: Any, name: str, array: npt.NDArray[Any], kept: list[npt.NDArray[Any]]) -> None:
    """Write the address of *array* into the field *name* of a quoter; it is among what is *kept* from then on."""
    q[name] = address_of_array(array)
    kept.append(array)


def prepared(quoters: Mapping[str, Quoter], settings: SimulationSettings, quantity: float) -> Prepared:
    """Return *quoters* (functions made tables before) ready to be bound to each thread's memory.

    Raises:
        InputError: parameters that are missing or not allowed, a quantity that is not a whole number of lots.
        StrategyError: a strategy cannot be compiled.
    """
    ready, limit = Prepared(np.zeros(len(quoters), QUOTER)), settings.position_limit
    instrument = settings.instrument()
    lots = instrument.lots(quantity, name="quantity")
    if lots < 1:
        raise InputError(f"quantity is {quantity:g}; allowed: at least one lot of {settings.lot_size}")
    for q, quoter in zip(ready.quoters, quoters.values(), strict=True):
        q["limit_lots"] = _NO_LIMIT if limit is None else int(limit / float(settings.lot_size) + 1e-9)
        q["levels"], q["slots"] = 1, settings.latency_steps + 1
        if isinstance(quoter, QuoteTable):
            _lay_table(q, quoter, settings, lots, ready)
        elif isinstance(quoter, Strategy):
            _lay_row(q, quoter, instrument, ready)
            q["plain"] = _is_plain(settings) and q["levels"] == 1 and q["address"] != 0
    ready.lanes = _lanes(ready.quoters)
    return ready


def _lanes(quoters: npt.NDArray[Any]) -> int:
    """Return how many paths are walked in step: one where Python decides, it spares nothing, or records are large."""
    strategies = quoters[quoters["tabled"] == 0]
    spares = np.any(strategies["plain"] == 1) and np.all(strategies["address"] != 0)
    return LANES if spares and LANES * int(strategies["row_bytes"].sum()) <= _MOST_BYTES else 1


def _lay_table(q: Any, table: QuoteTable, settings: SimulationSettings, lots: int, ready: Prepared) -> None:
    """Fill *q* for *table*: its distances, and the probabilities that they are reached, by inventory and then time."""
    slices, width = table.bid.shape
    if slices > settings.steps:
        raise InputError(f"a table has {slices} slices of time; allowed: at most as many as there are steps ({settings.steps})")
    largest = width // 2
    q["bound"] = most = max(1, min(largest, int(q["limit_lots"]) // lots))
    q["tabled"], q["quote_lots"], q["slices"] = 1, lots, settings.steps if slices > 1 else 1
    q["limit_lots"] = min(int(q["limit_lots"]), most * lots)
    q["plain"] = _is_plain(settings) and settings.tick_size is None and int(q["limit_lots"]) == most * lots
    places: npt.NDArray[Any] = np.zeros((2 * most + 1, slices), TABULATED)
    both = np.ones(places.shape, np.bool_)
    for name, end in (("bid", -1), ("ask", 0)):
        distances = getattr(table, name).T[largest - most : largest + most + 1]
        quoted = np.isfinite(distances)
        quoted[end] = False
        distances = np.where(np.isfinite(distances), distances, 0.0)
        hazard = settings.A * settings.step_s * np.exp(-settings.k * distances)
        reached = np.minimum(hazard, 1.0) if settings.linear_probability else -np.expm1(-hazard)
        places[f"{name}_reach"] = np.where(quoted, reaching_marks(reached), -1.0)
        places[name] = distances
        both &= quoted
    places["both"] = places["bid"] + places["ask"]
    q["both_sides"] = _first_one_sided(np.all(both, axis=1))
    if 1 < slices < settings.steps:
        places = places[:, np.arange(settings.steps) // _steps_per_slice(settings.steps, slices)]
    q["places"], q["cells"] = places.size, places.nbytes // 8
    _point(q, "tabulated", np.ascontiguousarray(places), ready.kept)
    ready.rows.append(None)


def _is_plain(settings: SimulationSettings) -> bool:
    return settings.latency == 0 and settings.order_size is None and not settings.snipers


def _first_one_sided(two_sided: npt.NDArray[np.bool_]) -> int:
    """Return the smallest inventory, long or short, that has not two quotes at all times."""
    middle = len(two_sided) // 2
    return next(q for q in range(middle + 1) if not (two_sided[middle + q] and two_sided[middle - q]))


def _lay_row(q: Any, strategy: Strategy, instrument: Any, ready: Prepared) -> None:
    """Fill *q* for *strategy*, and lay out its record."""
    rows = np.zeros(1, strategy.row_dtype(1))
    row, fields = rows[0], rows.dtype.fields or {}
    for name in ("market", "quotes", "signals"):
        q[f"{name}_offset"] = fields[name][1]
    numbers = signal_numbers(strategy.signals, f"{strategy.name} in a simulation", SIGNALS_OF_A_MID)
    q["signal_sources"][: len(numbers)] = numbers
    q["signals_wanted"] = wanted_groups(numbers)
    if numbers:
        q["show_signals"] = show_signals_address()
    q["n_signals"], q["levels"], q["row_bytes"] = len(strategy.signals), strategy.levels, rows.itemsize
    row["start_ns"], row["wake"], row["wake_market"] = START_NS, int(Wake.TIMER), -1
    market = row["market"][0]
    market["tick_size"], market["lot_size"] = float(instrument.tick_size), float(instrument.lot_size)
    market["bid_lots"], market["ask_lots"], market["open"] = 1, 1, 1
    strategy.fill_params(row, (instrument,))
    q["address"] = strategy.address(1, asked_in_turn)
    _point(q, "template", rows.view(np.int64), ready.kept)
    ready.rows.append(rows)
