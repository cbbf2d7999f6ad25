"""What a future is worth, given what it is on: the cost of carrying that until it expires, or of a perpetual's funding.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

**Dated**: F = S exp((r + u - q) T): buy at S with money at r, pay u for storage (a fraction a year), earn q (dividends, the coin's
own rate), deliver after T. Source: Hull, "Options, Futures, and Other Derivatives", 10th ed., (5.3) and section 5.11.

**Perpetual**: nothing is ever delivered; instead longs pay kappa·(F - S) + iota·S a year, the premium over the time constant
1/kappa plus an interest iota. Say F = theta·S. Holding one costs nothing, so its expected gain pays the funding:
theta·S·(r - q) = kappa·(theta - 1)·S + iota·S, hence

    F = S (kappa - iota) / (kappa - r + q)

Source: derived as above; Ackerer, Hugonnier and Jermann (2024), "Perpetual futures pricing", NBER working paper 32936, have it for
linear contracts. Of Binance kappa is 3·365 a year: the mean premium of eight hours is paid every eight hours, and iota 0.01 % each
time. Its rule has a dead zone besides, see `funding_rate`, within which nothing pulls the price back.
"""

import math

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = ["fair_future", "fair_perpetual", "funding_rate", "future_factor", "implied_carry", "perpetual_factor"]


def _future_factor(carry: float, years: float) -> float:
    """Return F/S = exp(carry·years)."""
    return math.exp(carry * years)


future_factor = compiled(_future_factor)


def _perpetual_factor(carry: float, kappa: float, iota: float) -> float:
    """Return F/S = (kappa - iota)/(kappa - carry)."""
    return (kappa - iota) / (kappa - carry)


perpetual_factor = compiled(_perpetual_factor)


def fair_future(spot: float, *, years: float, rate: float = 0.0, dividend_yield: float = 0.0, storage: float = 0.0) -> float:
    """Return the price of a future that expires in *years*: S exp((rate + storage - dividend_yield)·years).

    Args:
        spot: price of what is delivered.
        years: until it is; 0 is now.
        rate: interest, a year, continuously compounded.
        dividend_yield: what holding it earns, the same.
        storage: what holding it costs, the same.

    Raises:
        InputError: a spot that is not positive, a negative time, or a number that is not finite.
    """
    _require(spot=spot, rate=rate, dividend_yield=dividend_yield, storage=storage)
    if not 0.0 <= years < math.inf:
        raise InputError(f"years is {years}; allowed: at least 0")
    return spot * float(_future_factor(rate + storage - dividend_yield, years))


def implied_carry(spot: float, future: float, years: float) -> float:
    """Return the carry, r + u - q a year, at which *future* is fair: ln(F/S)/T.

    Raises:
        InputError: a number that is not positive.
    """
    for name, value in (("spot", spot), ("future", future), ("years", years)):
        if not 0.0 < value < math.inf:
            raise InputError(f"{name} is {value}; allowed: a positive number")
    return math.log(future / spot) / years


def fair_perpetual(
    spot: float, *, kappa: float = 1095.0, iota: float = 0.1095, rate: float = 0.0, dividend_yield: float = 0.0
) -> float:
    """Return the price of a perpetual: S (kappa - iota)/(kappa - rate + dividend_yield).

    Args:
        spot: price of what it is on.
        kappa: how fast funding takes the premium back, 1/year; 1095 is once in eight hours.
        iota: interest that longs pay in any case, a year; 0.1095 is 0.01 % in eight hours.
        rate: interest on the quote currency, a year.
        dividend_yield: of the coin, a year.

    Raises:
        InputError: a spot that is not positive, or funding that does not pull back: kappa not above rate - dividend_yield and iota.
    """
    _require(spot=spot, iota=iota, rate=rate, dividend_yield=dividend_yield)
    if not max(rate - dividend_yield, iota, 0.0) < kappa < math.inf:
        raise InputError(f"kappa is {kappa}; allowed: above rate - dividend_yield ({rate - dividend_yield:g}) and iota ({iota:g})")
    return spot * float(_perpetual_factor(rate - dividend_yield, kappa, iota))


def funding_rate(premium: float, *, interest: float = 1e-4, clamp: float = 5e-4) -> float:
    """Return Binance's rate of one funding: premium + clamp(interest - premium, ±clamp), fractions of the value.

    Where the premium is within *clamp* of the interest, the rate is the interest.

    Args:
        premium: the mean premium index, (perpetual - index)/index.
        interest: of one funding.
        clamp: half-width of the dead zone.

    Raises:
        InputError: a number that is not finite, or a negative clamp.

    Source: Binance, "Introduction to Binance Futures funding rates" (as published; contracts with other intervals scale it).
    """
    _require(premium=premium, interest=interest)
    if not 0.0 <= clamp < math.inf:
        raise InputError(f"clamp is {clamp}; allowed: at least 0")
    return premium + min(max(interest - premium, -clamp), clamp)


def _require(**numbers: float) -> None:
    for name, value in numbers.items():
        if not math.isfinite(value) or (name == "spot" and value <= 0.0):
            raise InputError(f"{name} is {value}; allowed: a {'positive ' if name == 'spot' else ''}number")
