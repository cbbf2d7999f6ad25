"""The strategy contract: a plain function of one record, and what it declares about itself.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

    @strategy(
        half_spread_ticks=Param(5.0, unit="ticks", minimum=0),
        quantity=Param(unit="base units", minimum=0),    # no default: the user must say it
        memory={"ewma": "f8"},
    )
    def simple(ctx):
        market = ctx.market[0]
        mid = 0.5 * (market.bid_ticks + market.ask_ticks)
        quote_bid(ctx, 0, 0, mid - ctx.params.half_spread_ticks, ctx.params.quantity)
        quote_ask(ctx, 0, 0, mid + ctx.params.half_spread_ticks, ctx.params.quantity)

The same function runs compiled, as plain Python (``compiled=False``: a neural network, pandas, print), in replay and in every other
engine. ``ctx`` has the fields of `HEADER`, then by name ``market[M]`` (`MARKET_VIEW`), ``quotes[M, 2, L]`` (`QUOTE`), ``signals``,
``params`` and ``memory``. Quotes stand until they are written again. A strategy is woken only while every market it sees has a
bid and an ask.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import from_dtype, types

from twosided._compile import INTERPRETED, address_of, compiled, decision_type
from twosided.errors import InputError, suggest
from twosided.strategies.chain import Stage, chained
from twosided.strategies.diagnosis import compile_failure

__all__ = [
    "HEADER",
    "MARKET_VIEW",
    "MOST_LEVELS",
    "QUOTE",
    "Param",
    "Strategy",
    "Wake",
    "quote_ask",
    "quote_bid",
    "strategy",
    "withdraw",
]


class Wake(IntFlag):
    """Why a strategy is woken; declare any combination."""

    TIMER = 1  # every `every_ns`
    BOOK = 2  # a message that changed the best bid or ask, in price or size
    TRADE = 4  # a message with a trade
    ORDER = 8  # an acknowledgement, fill or rejection of an own order


def _record(fields: list[Any]) -> np.dtype[Any]:
    return np.dtype((np.record, fields), align=True)


HEADER = _record(
    [
        ("now_ns", "i8"),  # our clock, ns since epoch UTC
        ("start_ns", "i8"),  # when this run began, our clock
        ("wake", "i8"),  # bits of Wake
        ("wake_market", "i8"),  # the market that woke it, -1 for the timer
    ]
)

MARKET_VIEW = _record(
    [
        ("bid_ticks", "i8"),  # best prices and sizes as known here, after feed latency
        ("ask_ticks", "i8"),
        ("bid_lots", "i8"),
        ("ask_lots", "i8"),
        ("book_ns", "i8"),  # our clock, when the last book message arrived
        ("trade_ticks", "i8"),  # last trade; 0 lots before the first
        ("trade_lots", "i8"),
        ("trade_side", "i8"),  # the aggressor's: +1 buyer, -1 seller, 0 unknown
        ("position_lots", "i8"),  # signed, from the fills that have been reported to us
        ("working_bid_lots", "i8"),  # own open lots, requests in flight included
        ("working_ask_lots", "i8"),
        ("open", "i8"),  # 1 in continuous trading
        ("cash", "f8"),  # quote currency, fees taken off
        ("tick_size", "f8"),  # price of one tick: converts to and from prices
        ("lot_size", "f8"),  # quantity of one lot
    ]
)
"""What a strategy sees of one market: its own delayed view, never the exchange's present."""

QUOTE = _record(
    [
        ("ticks", "i8"),
        ("lots", "i8"),
        ("hedge", "i8"),  # 1: it is a hedge: its fills are marked, and explained apart
    ]
)
"""What a strategy asks for on one level; zero lots is no quote. Index as ``quotes[market, 0 for bid or 1 for ask, level]``."""

DECIDE = decision_type(HEADER)

MOST_LEVELS = 4096
"""Quotes per side and market: an engine counts four orders to each in 16 bits."""


@dataclass(frozen=True)
class Param:
    """One parameter of a strategy.

    Args:
        default: its value unless the user sets it; None means that the user (or ``--calibrate-first``) must.
        unit: said in errors and listings, for example ``"ticks"`` or ``"ticks/sqrt(s)"``.
        minimum, maximum: allowed bounds, inclusive.
        choices: where given, the value is one of these names; the compiled code sees its index.
        integer: whole numbers only.
        help: one line.
    """

    default: float | str | None = None
    unit: str = ""
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: tuple[str, ...] = ()
    integer: bool = False
    help: str = ""

    def checked(self, name: str, value: Any) -> float | int:
        """Return *value* as the compiled code will see it.

        Raises:
            InputError: of the wrong type, NaN, out of bounds, or not one of the choices.
        """
        if self.choices:
            if value not in self.choices:
                raise InputError(f"parameter {name} is {value!r}; allowed: {', '.join(self.choices)}")
            return self.choices.index(value)
        allowed = f"a {'whole ' if self.integer else ''}number{' in ' + self.unit if self.unit else ''}{self._bounds()}"
        try:
            number = float(value) if not isinstance(value, bool) else math.nan
        except (TypeError, ValueError):
            number = math.nan
        whole = math.isfinite(number) and number == int(number) and abs(number) < 2**53  # beyond it, floats skip integers
        if not math.isfinite(number) or (self.integer and not whole) or not self.minimum <= number <= self.maximum:
            raise InputError(f"parameter {name} is {value!r}; allowed: {allowed}")
        return int(number) if self.integer else number

    def _bounds(self) -> str:
        low, high = self.minimum > -math.inf, self.maximum < math.inf
        if low and high:
            return f" from {self.minimum:g} to {self.maximum:g}"
        return f", at least {self.minimum:g}" if low else f", at most {self.maximum:g}" if high else ""


Prepare = Callable[[Any, Any, Any], None]
Around = Callable[[Any, np.dtype[Any]], tuple[Callable[..., Any], Any]]


@dataclass(frozen=True)
class Strategy:
    """A declared strategy: the function and everything an engine must know to run it. Made by `strategy`.

    ``stages`` are what the function calls one after the other where it was put together, see `twosided.strategies.compose`.
    """

    name: str
    function: Callable[[Any], None]
    params: Mapping[str, Param]
    memory: npt.DTypeLike
    signals: tuple[str, ...] = ()
    every_ns: int = 100_000_000
    wake: Wake = Wake.TIMER
    levels: int = 1
    prepare: Prepare | None = None
    compiled: bool = True
    hedges: tuple[int, ...] = ()
    stages: tuple[Stage, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    _addresses: dict[tuple[Any, ...], tuple[Any, int]] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, ctx: Any) -> None:
        """Decide once, as plain Python: for tests and notebooks."""
        self.function(ctx)

    def with_params(self, values: Mapping[str, Any] | None = None, **more: Any) -> "Strategy":
        """Return this strategy with parameters set; those already set stay.

        Raises:
            InputError: an unknown parameter (the nearest known one is suggested), or a value that is not allowed.
        """
        given = {**self.values, **(values or {}), **more}
        for name, value in given.items():
            if name not in self.params:
                raise InputError(f"strategy {self.name} has no parameter {name!r}{suggest(name, self.params)}")
            self.params[name].checked(name, value)
        return self._replace(values=given)

    def called(self, name: str) -> "Strategy":
        """Return this strategy under another name."""
        return self._replace(name=name)

    def _replace(self, **changes: Any) -> "Strategy":
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Strategy(**{**fields, **changes})  # addresses are shared: machine code does not depend on values

    @property
    def missing(self) -> tuple[str, ...]:
        """Parameters that have neither a value nor a default."""
        return tuple(name for name, param in self.params.items() if name not in self.values and param.default is None)

    def resolved(self) -> dict[str, Any]:
        """Return every parameter as people write it.

        Raises:
            InputError: one is missing.
        """
        if self.missing:
            name = self.missing[0]
            unit = f" ({self.params[name].unit})" if self.params[name].unit else ""
            hint = ", or let --calibrate-first 10m estimate it" if name in {"sigma", "A", "k"} else ""
            raise InputError(f"strategy {self.name} needs parameter {name}{unit}; set it with --set {name}=…{hint}")
        return {name: self.values.get(name, param.default) for name, param in self.params.items()}

    def row_dtype(self, markets: int) -> np.dtype[Any]:
        """Return the record that the function is handed when it sees *markets* markets.

        Up to ``quotes`` it is the same for all strategies with as many levels, so that an engine can see many rows as one array.
        """
        params = tuple((name, "i8" if param.integer or param.choices else "f8") for name, param in self.params.items())
        return _row_dtype(markets, self.levels, self.signals, params, np.dtype(self.memory))

    def address(self, markets: int, around: "Around | None" = None) -> int:
        """Return the address of the machine code for *markets* markets; 0 when Python must decide.

        With *around* it is that of another function, which contains this one: an engine's way to ask about many records at once.

        Raises:
            StrategyError: it cannot be compiled; the message says why, and in which line.
        """
        if INTERPRETED or not self.compiled:
            return 0
        key = (markets, self.levels) if around is None else (markets, self.levels, around)
        if key not in self._addresses:
            row_dtype = self.row_dtype(markets)
            try:
                stages = [compiled(stage, checked=True) for stage in self.stages]
                function = chained(stages) if stages else self.function
                if around is None:
                    dispatcher = compiled(function, types.void(from_dtype(row_dtype)), checked=True)
                else:
                    dispatcher = compiled(*around(compiled(function, checked=True, inline=True), row_dtype))
            except Exception as error:  # noqa: BLE001 - the compiler's own errors are of many types
                raise compile_failure(self.name, self.function, error, row_dtype) from None
            self._addresses[key] = (dispatcher, address_of(dispatcher))
        return self._addresses[key][1]

    def fill_params(self, row: Any, instruments: tuple[Any, ...]) -> None:
        """Write parameters into *row* and run `prepare`, once, before the first event."""
        params = row["params"]
        for name, value in self.resolved().items():
            params[name] = self.params[name].checked(name, value)
        if self.prepare is not None:
            self.prepare(params, instruments, row["memory"])


@cache
def _row_dtype(markets: int, levels: int, signals: tuple[str, ...], params: Any, memory: np.dtype[Any]) -> np.dtype[Any]:
    """See `Strategy.row_dtype`."""
    return _record(
        [
            *[(name, HEADER[name]) for name in HEADER.names or ()],
            ("market", MARKET_VIEW, (markets,)),
            ("quotes", QUOTE, (markets, 2, levels)),
            ("signals", _record([(name, "f8", (markets,)) for name in signals] or [("none", "f8")])),
            ("params", _record(list(params) or [("none", "f8")])),
            ("memory", np.dtype((np.record, memory))),
        ]
    )


def strategy(
    *,
    memory: Mapping[str, Any] | None = None,
    signals: tuple[str, ...] = (),
    every_ns: int = 100_000_000,
    wake: Wake = Wake.TIMER,
    levels: int = 1,
    prepare: Prepare | None = None,
    compiled: bool = True,
    hedges: tuple[int, ...] = (),
    **params: Param | float | str,
) -> Callable[[Callable[[Any], None]], Strategy]:
    """Declare a function as a strategy; see the module's text for an example.

    Args:
        memory: fields kept between decisions, name to numpy type, or to (type, shape) for tables; zero at the start.
        signals: names of run-level signals to be handed in, each as ``ctx.signals.name[market]``.
        every_ns: period of the timer.
        wake: what wakes it.
        levels: quotes per side and market, up to `MOST_LEVELS`.
        prepare: ``f(params, instruments, memory)``, plain Python, run once before the first event: the place for scipy and tables.
        compiled: False keeps the function plain Python; results are the same.
        hedges: markets in which it only hedges, whatever its quotes say: its fills there are marked, and explained apart.
        params: a `Param`, or simply the default value.

    Raises:
        InputError: the function does not take exactly one argument, or a declaration makes no sense.
    """
    declared = {name: value if isinstance(value, Param) else Param(value) for name, value in params.items()}
    fields = [(name, *spec) if isinstance(spec, tuple) else (name, spec) for name, spec in (memory or {"none": "f8"}).items()]

    def declare(function: Callable[[Any], None]) -> Strategy:
        name = function.__name__
        if len(inspect.signature(function).parameters) != 1:
            raise InputError(f"strategy {name} takes {inspect.signature(function)}; allowed: exactly one argument, ctx")
        for field_name in (*declared, *signals, *(field[0] for field in fields)):
            if hasattr(np.record, field_name) or not field_name.isidentifier():
                raise InputError(
                    f"strategy {name} declares {field_name!r}, which numpy's records use themselves; choose another name"
                )
        for param_name, param in declared.items():
            try:
                if param.default is not None:
                    param.checked(param_name, param.default)
            except InputError as error:
                raise InputError(f"strategy {name}: {error}") from None
        if every_ns <= 0 or levels < 1 or not wake:
            raise InputError(f"strategy {name}: every_ns and levels must be positive and wake not empty")
        if levels > MOST_LEVELS:
            raise InputError(f"strategy {name} declares {levels:,} levels; allowed: up to {MOST_LEVELS:,}")
        return Strategy(
            name,
            function,
            declared,
            np.dtype(fields, align=True),
            tuple(signals),
            every_ns,
            Wake(wake),
            levels,
            prepare,
            compiled,
            tuple(hedges),
        )

    return declare


# ---------------------------------------------------------------- what strategies write quotes with

_NOISE = 1e-9  # ticks or lots: 99.99999999999 that was meant as 100 is 100
_ROUNDING = 1e-15  # of the number: four roundings of a float, which beyond a million ticks are more than that


def _noise(number: float) -> float:
    """Return by how much *number* may differ from a whole one that was meant."""
    return min(max(_NOISE, abs(number) * _ROUNDING), 0.25)


noise_of = compiled(_noise)


def _bid_ticks(price_ticks: float) -> int:
    """Return the tick at or below a price in ticks: a bid rounds outward, down.

    Raises:
        ValueError: NaN or infinite.
    """
    if not -2147483648.0 < price_ticks < 2147483647.0:
        raise ValueError("a bid price is not a number or out of range")
    return int(math.floor(price_ticks + noise_of(price_ticks)))


bid_ticks = compiled(_bid_ticks)


def _ask_ticks(price_ticks: float) -> int:
    """Return the tick at or above a price in ticks: an ask rounds outward, up.

    Raises:
        ValueError: NaN or infinite.
    """
    if not -2147483648.0 < price_ticks < 2147483647.0:
        raise ValueError("an ask price is not a number or out of range")
    return int(math.ceil(price_ticks - noise_of(price_ticks)))


ask_ticks = compiled(_ask_ticks)


def _whole_lots(quantity: float, lot_size: float) -> int:
    """Return a quantity in whole lots, rounded down; what is negative, as ``limit - position`` may be, is none.

    Raises:
        ValueError: NaN or infinite.
    """
    lots = quantity / lot_size
    if not -9.0e18 < lots < 9.0e18:
        raise ValueError("a quote size is not a number or out of range")
    return max(int(math.floor(lots + noise_of(lots))), 0)


whole_lots = compiled(_whole_lots)


def _require_place(ctx: Any, market: int, level: int) -> None:
    """Refuse a quote on a market or level that the strategy does not have.

    Raises:
        IndexError: there is no such place.
    """
    if market < 0 or market >= ctx.quotes.shape[0]:
        raise IndexError("a quote is for a market that is not in this run; allowed: 0 to one less than there are")
    if level < 0 or level >= ctx.quotes.shape[2]:
        raise IndexError(
            "a quote is on a level that the strategy did not declare; allowed: 0 to levels - 1, see @strategy(levels=)"
        )


require_place = compiled(_require_place)


def _quote_bid(ctx: Any, market: int, level: int, price_ticks: float, quantity: float, hedge: int = 0) -> None:
    """Ask for a bid of *quantity* (0 or less: none) at *price_ticks* (any fraction: rounds down) on a level of a market.

    Where *hedge* is 1 its fills are marked as those of a hedge, and explained apart.
    """
    require_place(ctx, market, level)
    quote = ctx.quotes[market, 0, level]
    quote.lots = whole_lots(quantity, ctx.market[market].lot_size)
    quote.ticks = bid_ticks(price_ticks) if quote.lots > 0 else 0
    quote.hedge = hedge


quote_bid = compiled(_quote_bid)


def _quote_ask(ctx: Any, market: int, level: int, price_ticks: float, quantity: float, hedge: int = 0) -> None:
    """Ask for an ask of *quantity* (0 or less: none) at *price_ticks* (any fraction: rounds up) on a level of a market.

    Where *hedge* is 1 its fills are marked as those of a hedge, and explained apart.
    """
    require_place(ctx, market, level)
    quote = ctx.quotes[market, 1, level]
    quote.lots = whole_lots(quantity, ctx.market[market].lot_size)
    quote.ticks = ask_ticks(price_ticks) if quote.lots > 0 else 0
    quote.hedge = hedge


quote_ask = compiled(_quote_ask)


def _withdraw(ctx: Any, market: int) -> None:
    """Ask for no quotes in a market."""
    for side in range(2):
        for level in range(ctx.quotes.shape[2]):
            ctx.quotes[market, side, level].lots = 0


withdraw = compiled(_withdraw)
