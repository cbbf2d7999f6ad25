"""Who quotes in a simulation: a strategy, a table of distances, or a plain function of inventory and time left.

Where you are in the pipe: events -> *strategy* -> venue -> fills -> ledger.

Whatever it is, it becomes a row of `QUOTER` for the loop of `twosided.engines.montecarlo_kernel`: a strategy through the contract's
own binding, with a record of its own dtype; the others as a table of distances and of the probabilities that they are reached.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import address_of_array
from twosided.engines.montecarlo_kernel import QUOTER, START_NS
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.errors import InputError, suggest
from twosided.signals.top import SIGNALS, SIGNALS_OF_MARKET
from twosided.strategies.contract import Strategy, Wake

__all__ = ["Bound", "QuoteFunction", "QuoteTable", "Quoter", "bind", "named", "settled"]

Floats = npt.NDArray[np.float64]
QuoteFunction = Callable[[float, float], tuple[float | None, float | None]]

_SLICES = 1000
"""Most slices of time into which a function of the time left is cut."""

_BOUND = 100
"""Inventory up to which a function is asked where no position limit says how far, in quotes."""

_NO_LIMIT = 2**60


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
        """Ask ``function(inventory, time_left)`` (base units, seconds) for every inventory and step, or at most 1,000 slices of time.

        Raises:
            InputError: it does not return two numbers; None or NaN is no quote.
        """
        bound = _BOUND if settings.position_limit is None else max(1, int(settings.position_limit / quantity + 1e-9))
        slices = -(-settings.steps // _steps_per_slice(settings.steps, _SLICES))
        left = [settings.horizon_s - i * _steps_per_slice(settings.steps, _SLICES) * settings.step_s for i in range(slices)]
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
            raise InputError(f"quoter {name!r} is {each!r}; allowed: a strategy, a QuoteTable, or a function of inventory and time left")
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
    """Quoters bound to one thread's memory.

    Args:
        quoters: the rows of `QUOTER`.
        tables: their tables, one after the other.
        standing: room for their decisions.
        rows: the record of each strategy, None for a table.
    """

    quoters: npt.NDArray[Any]
    tables: Floats
    standing: Floats
    rows: list[Any]
    kept: list[Any]  # arrays that rows of `quoters` know the addresses of


def bind(quoters: Mapping[str, Quoter], settings: SimulationSettings, quantity: float) -> Bound:
    """Return *quoters* (functions made tables before) ready to run.

    Raises:
        InputError: parameters that are missing or not allowed, a quantity that is not a whole number of lots.
        StrategyError: a strategy cannot be compiled.
    """
    bound = Bound(np.zeros(len(quoters), QUOTER), np.zeros(0), np.zeros(0), [], [])
    instrument = settings.instrument()
    lots = instrument.lots(quantity, name="quantity")
    if lots < 1:
        raise InputError(f"quantity is {quantity:g}; allowed: at least one lot of {settings.lot_size}")
    limit = _NO_LIMIT if settings.position_limit is None else int(settings.position_limit / float(settings.lot_size) + 1e-9)
    tables: list[Floats] = []
    room = 0
    for q, quoter in zip(bound.quoters, quoters.values(), strict=True):
        q["limit_lots"], q["levels"], q["standing"] = limit, 1, room
        if isinstance(quoter, QuoteTable):
            q["table"] = sum(map(len, tables))
            tables.append(_lay_table(q, quoter, settings, lots))
            bound.rows.append(None)
        elif isinstance(quoter, Strategy):
            _lay_row(q, quoter, instrument, bound)
        room += (settings.latency_steps + 1) * 4 * int(q["levels"])
    bound.tables, bound.standing = np.concatenate([*tables, np.zeros(1)]), np.zeros(room)
    return bound


def _lay_table(q: Any, table: QuoteTable, settings: SimulationSettings, lots: int) -> Floats:
    """Fill *q* for *table* and return its distances and probabilities, as the loop reads them."""
    slices, width = table.bid.shape
    if slices > settings.steps:
        raise InputError(f"a table has {slices} slices of time; allowed: at most as many as there are steps ({settings.steps})")
    largest = width // 2
    q["bound"] = most = max(1, min(largest, int(q["limit_lots"]) // lots))
    q["tabled"], q["slices"], q["quote_lots"] = 1, slices, lots
    q["steps_per_slice"] = _steps_per_slice(settings.steps, slices)
    q["limit_lots"] = min(int(q["limit_lots"]), most * lots)
    plain = settings.latency == 0 and settings.order_size is None and settings.tick_size is None and not settings.snipers
    q["textbook"] = plain and int(q["limit_lots"]) == most * lots
    distances = np.stack([table.bid, table.ask], axis=2)[:, largest - most : largest + most + 1]
    hazard = settings.A * settings.step_s * np.exp(-settings.k * distances)
    reached = np.minimum(hazard, 1.0) if settings.linear_probability else -np.expm1(-hazard)
    reached = np.where(np.isnan(distances), 0.0, reached)
    reached[:, -1, 0] = reached[:, 0, 1] = 0.0
    return np.concatenate([np.nan_to_num(distances), reached], axis=2).ravel()


def _lay_row(q: Any, strategy: Strategy, instrument: Any, bound: Bound) -> None:
    """Give *strategy* its record, and fill *q* for it."""
    dtype = strategy.row_dtype(1)
    words = np.zeros(-(-dtype.itemsize // 8), np.int64)
    row = np.ndarray(1, dtype, words.data)[0]
    fields: Any = dtype.fields
    for name in ("market", "quotes", "signals"):
        q[f"{name}_offset"] = fields[name][1]
    for j, name in enumerate(strategy.signals):
        if name not in SIGNALS:
            raise InputError(f"strategy {strategy.name} asks for the signal {name!r}{suggest(name, SIGNALS)}")
        q["signal_sources"][j] = SIGNALS.index(name)
    q["n_signals"], q["levels"], q["row_bytes"] = len(strategy.signals), strategy.levels, words.nbytes
    row["start_ns"], row["wake"], row["wake_market"] = START_NS, int(Wake.TIMER), -1
    market = row["market"][0]
    market["tick_size"], market["lot_size"] = float(instrument.tick_size), float(instrument.lot_size)
    market["bid_lots"], market["ask_lots"], market["open"] = 1, 1, 1
    strategy.fill_params(row, (instrument,))
    template, signals = words.copy(), np.zeros(1, SIGNALS_OF_MARKET)
    q["address"] = strategy.address(1)
    for name, array in (("row", words), ("template", template), ("signal_state", signals)):
        q[name] = address_of_array(array)
        bound.kept.append(array)
    bound.rows.append(row)
