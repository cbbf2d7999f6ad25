"""Tables of optimal quotes by name of the model: what `twosided models quotes MODEL` prints and what strategies look up.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

`MODELS` declares each model with its parameters and units. `optimal_quotes` checks the values and returns a `QuoteTable`: distances
for every whole inventory and, where asked, for several times left. The same question is answered from memory; a strategy's
``prepare`` copies what it needs into its own memory, where looking up a distance costs nanoseconds.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError, suggest
from twosided.models import avellaneda_stoikov, cartea_jaimungal, glft, hjb, short_term_alpha
from twosided.models.intensity import Exponential, Intensity, Logistic, Power

__all__ = ["MODELS", "Model", "ModelParam", "QuoteTable", "optimal_quotes", "quote_table"]

Floats = npt.NDArray[np.float64]
Params = Mapping[str, float]


@dataclass(frozen=True)
class QuoteTable:
    """Optimal distances from the mid, in the price unit of the parameters; NaN where a side is not quoted.

    Args:
        inventory: whole quotes, from -q_max to q_max.
        remaining_s: seconds left, increasing; one infinite number for an infinite horizon.
        bid: how far below the mid to bid, a row per time and a column per inventory.
        ask: how far above it to ask.
    """

    inventory: Floats
    remaining_s: Floats
    bid: Floats
    ask: Floats

    def rows(self) -> list[dict[str, float | int | None]]:
        """Return one row per inventory for the longest time left, None where a side is not quoted."""
        return [
            {"q": int(q), "bid": None if math.isnan(b) else float(b), "ask": None if math.isnan(a) else float(a)}
            for q, b, a in zip(self.inventory, self.bid[-1], self.ask[-1], strict=True)
        ]


@dataclass(frozen=True)
class ModelParam:
    """One parameter of a model.

    Args:
        unit: what one of it is; "price" is whatever unit all parameters share, ticks or money.
        default: None means that the user must say it.
        least: the smallest allowed; None means any positive number.
        maximum: inclusive; infinity is an allowed value only where it is the default.
        integer: whole numbers only.
        help: one line.
    """

    unit: str
    default: float | None = None
    least: float | None = None
    maximum: float = math.inf
    integer: bool = False
    help: str = ""

    def checked(self, name: str, value: Any) -> float:
        """Return *value* as a number.

        Raises:
            InputError: not a number, NaN, too small, too large, or not whole where it must be.
        """
        try:
            number = float(value) if not isinstance(value, bool) else math.nan
        except (TypeError, ValueError):
            number = math.nan
        fits = number > 0.0 if self.least is None else number >= self.least
        endless = math.isinf(number) and number != self.default
        if not fits or not number <= self.maximum or endless or (self.integer and number != math.floor(number)):
            raise InputError(f"{name} is {value!r}; allowed: {self._allowed()}")
        return int(number) if self.integer else number

    def _allowed(self) -> str:
        kind = f"a {'positive ' if self.least is None else ''}{'whole ' if self.integer else ''}number of {self.unit}"
        least = f", at least {self.least:g}" if self.least is not None and self.least > -math.inf else ""
        return kind + least + (f", at most {self.maximum:g}" if self.maximum < math.inf else "")


@dataclass(frozen=True)
class Model:
    """A model's name, its distances from the mid as a function of inventory and time left, and its parameters.

    ``distances(inventory, params, remaining_s)`` returns bid and ask distances in the price unit of the parameters, a row per
    time; NaN is no quote.
    """

    name: str
    distances: Callable[[Floats, Params, Floats], tuple[Floats, Floats]] = field(repr=False)
    params: Mapping[str, ModelParam] = field(repr=False)
    help: str = ""


_SIGMA = ModelParam("price/sqrt(s)", help="volatility of the mid")
_A = ModelParam("fills per second", help="intensity of fills at the mid, on each side")
_K = ModelParam("1/price", help="decay of the intensity with the distance from the mid")
_UNUSED_A = ModelParam("fills per second", 1.0, help="moves no quote in this model; accepted so that models take the same options")
_GAMMA = ModelParam("1/(price × quote)", help="risk aversion")
_PHI = ModelParam("price/(quote × s)", least=0.0, help="running penalty: phi·q² a second for holding q")
_ALPHA = ModelParam("price/quote", 0.0, 0.0, help="terminal penalty: alpha·q² for what is left at the end")
_MU = ModelParam("price/s", 0.0, -math.inf, help="drift of the mid")
_XI = ModelParam("price", 0.0, 0.0, help="how far each fill moves the mid against us")
_HORIZON = ModelParam("seconds", math.inf, help="time left; without it, the solution for an infinite horizon")
_Q_MAX = ModelParam("quotes", 30, maximum=1000, integer=True, help="inventory bound, and the length of the table")
_LIMITS = {"horizon_s": _HORIZON, "q_max": _Q_MAX}


def _each(solve: Callable[[float], tuple[Floats, Floats]], remaining_s: Floats) -> tuple[Floats, Floats]:
    bids, asks = zip(*(solve(float(time)) for time in remaining_s), strict=True)
    return np.stack(bids), np.stack(asks)


def _avellaneda_stoikov(inventory: Floats, p: Params, remaining_s: Floats) -> tuple[Floats, Floats]:
    def solve(time: float) -> tuple[Floats, Floats]:
        if time == math.inf:
            return avellaneda_stoikov.stationary_distances(inventory, gamma=p["gamma"], k=p["k"], q_max=int(p["q_max"]))
        return avellaneda_stoikov.distances(inventory, gamma=p["gamma"], sigma=p["sigma"], k=p["k"], remaining_s=time)

    return _each(solve, remaining_s)


def _given(p: Params, *names: str) -> dict[str, Any]:
    return {name: p[name] for name in names}


def _glft(_inventory: Floats, p: Params, remaining_s: Floats) -> tuple[Floats, Floats]:
    q_max = int(p["q_max"])
    if len(remaining_s) > 1:  # one integration in time gives all rows
        return hjb.distances(Exponential(p["A"], p["k"]), remaining_s, q_max=q_max, **_given(p, "sigma", "gamma", "mu", "xi"))
    market = _given(p, "sigma", "A", "k", "gamma", "mu", "xi")
    return _each(lambda time: glft.distances(**market, q_max=q_max, remaining_s=time), remaining_s)


def _glft_closed_form(inventory: Floats, p: Params, remaining_s: Floats) -> tuple[Floats, Floats]:
    market = _given(p, "sigma", "A", "k", "gamma", "mu", "xi")
    return _each(lambda time: glft.closed_form_distances(inventory, **market, remaining_s=time), remaining_s)


def _cartea_jaimungal(_inventory: Floats, p: Params, remaining_s: Floats) -> tuple[Floats, Floats]:
    q_max = int(p["q_max"])
    if len(remaining_s) > 1:
        return hjb.distances(Exponential(p["A"], p["k"]), remaining_s, q_max=q_max, **_given(p, "phi", "alpha", "mu"))
    market = _given(p, "A", "k", "phi", "alpha", "mu")
    return _each(lambda time: cartea_jaimungal.distances(**market, q_max=q_max, remaining_s=time), remaining_s)


def _short_term_alpha(_inventory: Floats, p: Params, remaining_s: Floats) -> tuple[Floats, Floats]:
    market, q_max = _given(p, "A", "k", "phi", "alpha", "zeta", "eta", "epsilon"), int(p["q_max"])
    signal = np.array([p["signal"]])

    def solve(time: float) -> tuple[Floats, Floats]:
        bid, ask = short_term_alpha.distances(signal, **market, q_max=q_max, remaining_s=time)
        return bid[0], ask[0]

    return _each(solve, remaining_s)


def _hjb(intensity: Callable[[Params], Intensity]) -> Callable[[Floats, Params, Floats], tuple[Floats, Floats]]:
    def solve(_inventory: Floats, p: Params, remaining_s: Floats) -> tuple[Floats, Floats]:
        problem = _given(p, "sigma", "gamma", "phi", "alpha", "mu", "xi")
        return hjb.distances(intensity(p), remaining_s, q_max=int(p["q_max"]), **problem)

    return solve


_MARKET = {"sigma": _SIGMA, "A": _A, "k": _K, "gamma": _GAMMA}
_PENALISED = {"A": _A, "k": _K, "phi": _PHI, "alpha": _ALPHA}
_OPTIONAL_PHI = ModelParam(_PHI.unit, 0.0, 0.0, help=_PHI.help)
_GENERAL = {**_MARKET, "phi": _OPTIONAL_PHI, "alpha": _ALPHA, "mu": _MU, "xi": _XI}

MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        Model(
            "avellaneda_stoikov",
            _avellaneda_stoikov,
            {**_MARKET, "A": _UNUSED_A, **_LIMITS},
            "Avellaneda and Stoikov 2008; bounded by q_max only in its infinite-horizon form, in which sigma cancels",
        ),
        Model(
            "glft",
            _glft,
            {**_MARKET, "mu": _MU, "xi": _XI, **_LIMITS},
            "Guéant, Lehalle and Fernandez-Tapia 2013, exact, with an inventory bound",
        ),
        Model(
            "glft_closed_form",
            _glft_closed_form,
            {**_MARKET, "mu": _MU, "xi": _XI, **_LIMITS},
            "its closed-form approximation, without a bound: q_max is only the length of the table",
        ),
        Model(
            "cartea_jaimungal",
            _cartea_jaimungal,
            {**_PENALISED, "mu": _MU, **_LIMITS},
            "Cartea, Jaimungal and Penalva 2015: penalties for holding, and for what is left at the end",
        ),
        Model(
            "short_term_alpha",
            _short_term_alpha,
            {
                **_PENALISED,
                "signal": ModelParam("price/s", 0.0, -math.inf, help="present short-term alpha, the drift of the mid that fades"),
                "zeta": ModelParam("1/s", least=0.0, help="how fast the short-term alpha fades"),
                "eta": ModelParam("price/s^1.5", 0.0, 0.0, help="its volatility"),
                "epsilon": ModelParam("price/s", 0.0, 0.0, help="its jump at each market order"),
                "horizon_s": ModelParam("seconds", 60.0, help="time left"),
                "q_max": ModelParam("quotes", 10, maximum=100, integer=True, help=_Q_MAX.help),
            },
            "the same dealer where the mid has a drift that fades, and that market orders foretell (section 10.4.2)",
        ),
        Model(
            "power",
            _hjb(lambda p: Power(p["A"], p["k"], p["tail"])),
            {**_GENERAL, "tail": ModelParam("powers", 3.0, 1.01, help="exponent n of the intensity A·(1 + k·d/n)^-n"), **_LIMITS},
            "as glft and cartea_jaimungal, with an intensity that falls as a power: the HJB equation solved numerically",
        ),
        Model(
            "logistic",
            _hjb(lambda p: Logistic(p["A"], p["k"], p["shift"])),
            {
                **_GENERAL,
                "shift": ModelParam(
                    "k·price", 0.0, -30.0, 30.0, help="a of the intensity ~ 1/(1 + e^(a + k'·d)); large is exponential"
                ),
                **_LIMITS,
            },
            "as glft and cartea_jaimungal, with an intensity that levels off: the HJB equation solved numerically",
        ),
    )
}
"""The models whose quotes can be printed and compared."""


def optimal_quotes(model: str, *, remaining_s: Sequence[float] | None = None, **params: Any) -> QuoteTable:
    """Return the optimal distances from the mid for every whole inventory from -q_max to q_max.

    Args:
        model: a name in `MODELS`.
        remaining_s: times left, seconds, increasing; only ``horizon_s`` where not given.
        params: the model's parameters, as declared there.

    Returns:
        A table whose arrays cannot be written to: it is shared by all who ask the same.

    Raises:
        InputError: an unknown model or parameter (the nearest known is suggested), a missing one, a value that is not allowed, or
            parameters so extreme that the quotes exceed a double.
    """
    if model not in MODELS:
        raise InputError(f"model {model!r} is unknown{suggest(model, MODELS)}")
    declared = MODELS[model].params
    for name in params:
        if name not in declared:
            raise InputError(f"model {model} has no parameter {name!r}{suggest(name, declared)}")
    values = {name: _value(model, name, param, params.get(name)) for name, param in declared.items()}
    times = (values["horizon_s"],) if remaining_s is None else tuple(float(time) for time in remaining_s)
    if not times or not all(time >= 0.0 and (math.isfinite(time) or len(times) == 1) for time in times):
        raise InputError(f"remaining_s is {times!r}; allowed: numbers of seconds, at least one, finite where there are several")
    if any(later <= sooner for sooner, later in pairwise(times)):
        raise InputError(f"remaining_s is {times!r}; allowed: increasing numbers")
    return _solved(model, tuple(values.items()), times)


def quote_table(model: str, **params: Any) -> list[dict[str, float | int | None]]:
    """Return the rows of `optimal_quotes`: one per inventory, for one horizon.

    Args:
        model: a name in `MODELS`.
        params: its parameters, as declared there.

    Returns:
        Rows ``{"q": inventory in quotes, "bid": distance below the mid, "ask": distance above it}`` in the price unit of the
        parameters; None where that side is not quoted.

    Raises:
        InputError: as `optimal_quotes`.
    """
    return optimal_quotes(model, **params).rows()


@lru_cache(maxsize=256)
def _solved(model: str, items: tuple[tuple[str, float], ...], times: tuple[float, ...]) -> QuoteTable:
    values = dict(items)
    q_max = int(values["q_max"])
    inventory, remaining_s = np.arange(-q_max, q_max + 1, dtype=np.float64), np.array(times)
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            bid, ask = MODELS[model].distances(inventory, values, remaining_s)
    except (ArithmeticError, np.linalg.LinAlgError) as error:
        own_words = str(error) if type(error) is ArithmeticError else ""  # its subclasses are numpy's and Python's
        raise _out_of_range(model, values, own_words) from error
    if np.any(np.isinf(bid) | np.isinf(ask)) or not np.all(np.isfinite(bid[:, 1:-1] + ask[:, 1:-1])):
        raise _out_of_range(model, values)
    for array in (inventory, remaining_s, bid, ask):
        array.setflags(write=False)
    return QuoteTable(inventory, remaining_s, bid, ask)


def _value(model: str, name: str, param: ModelParam, value: Any) -> float:
    if value is None:
        if param.default is None:
            raise InputError(f"model {model} needs {name}, {param.help} ({param.unit})")
        return param.default
    return param.checked(name, value)


def _out_of_range(model: str, values: Mapping[str, float], why: str = "") -> InputError:
    given = ", ".join(f"{name} {value:g}" for name, value in values.items())
    return InputError(
        f"model {model}: {why or 'quotes exceed the range of numbers'}, for {given}; allowed: less extreme parameters"
    )
