"""Tables of optimal quotes by name of the model: what `twosided models quotes MODEL` prints.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

`MODELS` declares each model with its parameters and units; `quote_table` checks the values and returns one row per inventory.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError, suggest
from twosided.models import avellaneda_stoikov, glft

__all__ = ["MODELS", "Model", "ModelParam", "quote_table"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ModelParam:
    """One parameter of a model; all are positive.

    Args:
        unit: what one of it is; "price" is whatever unit all parameters share, ticks or money.
        default: None means that the user must say it.
        maximum: inclusive; infinity is an allowed value only where it is the default.
        integer: whole numbers only.
        help: one line.
    """

    unit: str
    default: float | None = None
    maximum: float = math.inf
    integer: bool = False
    help: str = ""

    def checked(self, name: str, value: Any) -> float:
        """Return *value* as a number.

        Raises:
            InputError: not a number, NaN, not positive, too large, or not whole where it must be.
        """
        try:
            number = float(value) if not isinstance(value, bool) else math.nan
        except (TypeError, ValueError):
            number = math.nan
        endless = number == math.inf and self.default != math.inf
        if not 0.0 < number <= self.maximum or endless or (self.integer and number != math.floor(number)):
            most = f", at most {self.maximum:g}" if self.maximum < math.inf else ""
            raise InputError(
                f"{name} is {value!r}; allowed: a positive {'whole ' if self.integer else ''}number of {self.unit}{most}"
            )
        return int(number) if self.integer else number


@dataclass(frozen=True)
class Model:
    """A model's name, its distances from the mid as a function of inventory, and its parameters.

    ``distances(inventory, params)`` returns bid and ask distances in the price unit of the parameters; NaN is no quote.
    """

    name: str
    distances: Callable[[Floats, Mapping[str, float]], tuple[Floats, Floats]] = field(repr=False)
    params: Mapping[str, ModelParam] = field(repr=False)
    help: str = ""


def _finite(quoted: Mapping[str, ModelParam]) -> dict[str, ModelParam]:
    return {
        **quoted,
        "gamma": ModelParam("1/(price × quote)", help="risk aversion"),
        "horizon_s": ModelParam("seconds", math.inf, help="time left; without it, the solution for an infinite horizon"),
        "q_max": ModelParam("quotes", 30, maximum=1000, integer=True, help="inventory bound, and the length of the table"),
    }


_SIGMA = ModelParam("price/sqrt(s)", help="volatility of the mid")
_A = ModelParam("fills per second", help="intensity of fills at the mid, on each side")
_K = ModelParam("1/price", help="decay of the intensity with the distance from the mid")
_UNUSED_A = ModelParam("fills per second", 1.0, help="moves no quote in this model; accepted so that models take the same options")


def _avellaneda_stoikov(inventory: Floats, p: Mapping[str, float]) -> tuple[Floats, Floats]:
    gamma, sigma, k = p["gamma"], p["sigma"], p["k"]
    if p["horizon_s"] == math.inf:
        return avellaneda_stoikov.stationary_distances(inventory, gamma=gamma, k=k, q_max=int(p["q_max"]))
    return avellaneda_stoikov.distances(inventory, gamma=gamma, sigma=sigma, k=k, remaining_s=p["horizon_s"])


def _glft(_inventory: Floats, p: Mapping[str, float]) -> tuple[Floats, Floats]:
    market = {"sigma": p["sigma"], "A": p["A"], "k": p["k"]}
    return glft.distances(**market, gamma=p["gamma"], q_max=int(p["q_max"]), remaining_s=p["horizon_s"])


def _glft_closed_form(inventory: Floats, p: Mapping[str, float]) -> tuple[Floats, Floats]:
    market = {"sigma": p["sigma"], "A": p["A"], "k": p["k"]}
    return glft.closed_form_distances(inventory, **market, gamma=p["gamma"], remaining_s=p["horizon_s"])


MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        Model(
            "avellaneda_stoikov",
            _avellaneda_stoikov,
            _finite({"sigma": _SIGMA, "A": _UNUSED_A, "k": _K}),
            "Avellaneda and Stoikov 2008; bounded by q_max only in its infinite-horizon form, in which sigma cancels",
        ),
        Model(
            "glft",
            _glft,
            _finite({"sigma": _SIGMA, "A": _A, "k": _K}),
            "Guéant, Lehalle and Fernandez-Tapia 2013, exact, with an inventory bound",
        ),
        Model(
            "glft_closed_form",
            _glft_closed_form,
            _finite({"sigma": _SIGMA, "A": _A, "k": _K}),
            "its closed-form approximation, without a bound: q_max is only the length of the table",
        ),
    )
}
"""The models whose quotes can be printed and compared."""


def quote_table(model: str, **params: Any) -> list[dict[str, float | int | None]]:
    """Return the optimal distances from the mid for every whole inventory from -q_max to q_max.

    Args:
        model: a name in `MODELS`.
        params: its parameters, as declared there.

    Returns:
        Rows ``{"q": inventory in quotes, "bid": distance below the mid, "ask": distance above it}`` in the price unit of the
        parameters; None where that side is not quoted.

    Raises:
        InputError: an unknown model or parameter (the nearest known is suggested), a missing one, or a value that is not a
            positive number, or parameters so extreme that the quotes exceed a double.
    """
    if model not in MODELS:
        raise InputError(f"model {model!r} is unknown{suggest(model, MODELS)}")
    declared = MODELS[model].params
    for name in params:
        if name not in declared:
            raise InputError(f"model {model} has no parameter {name!r}{suggest(name, declared)}")
    values = {name: _value(model, name, param, params.get(name)) for name, param in declared.items()}
    q_max = int(values["q_max"])
    inventory = np.arange(-q_max, q_max + 1, dtype=np.float64)
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            bid, ask = MODELS[model].distances(inventory, values)
    except (ArithmeticError, np.linalg.LinAlgError) as error:
        raise _out_of_range(model, values) from error
    if np.any(np.isinf(bid) | np.isinf(ask)) or not np.all(np.isfinite(bid[1:-1] + ask[1:-1])):
        raise _out_of_range(model, values)
    return [
        {"q": int(q), "bid": None if math.isnan(b) else float(b), "ask": None if math.isnan(a) else float(a)}
        for q, b, a in zip(inventory, bid, ask, strict=True)
    ]


def _value(model: str, name: str, param: ModelParam, value: Any) -> float:
    if value is None:
        if param.default is None:
            raise InputError(f"model {model} needs {name}, {param.help} ({param.unit})")
        return param.default
    return param.checked(name, value)


def _out_of_range(model: str, values: Mapping[str, float]) -> InputError:
    given = ", ".join(f"{name} {value:g}" for name, value in values.items())
    return InputError(f"model {model}: quotes for {given} exceed the range of numbers; allowed: less extreme parameters")
