"""What overlays measure against: a volatility that is declared, or else the strategy's own.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

import math
from typing import Any

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = ["decay_of", "own_sigma", "power"]


def own_sigma(params: Any, name: str) -> None:
    """Put the strategy's own ``sigma`` in the place of a volatility *name* that is 0.

    Raises:
        InputError: it has none.
    """
    if params[name] == 0.0:
        if "sigma" not in (params.dtype.names or ()):
            raise InputError(
                f"parameter {name} is 0, which stands for the strategy's sigma, but it has none; set --set {name}=… (price/sqrt(s))"
            )
        params[name] = params.sigma


def _power(base: float, exponent: float) -> float:
    """Return base^exponent for a base above 0, the same compiled and interpreted."""
    return math.exp(exponent * math.log(base))


power = compiled(_power)


def _decay_of(seconds: float, half_life_s: float) -> float:
    """Return 2^(-seconds / half-life): what is left of a weight."""
    return math.exp(-math.log(2.0) * seconds / half_life_s)


decay_of = compiled(_decay_of)
