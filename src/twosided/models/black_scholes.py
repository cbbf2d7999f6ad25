"""What a European option is worth, and how that changes: Black, Scholes and Merton, with a continuous yield.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

    d1 = [ln(S/K) + (r - q + sigma²/2)·T] / (sigma·sqrt(T)),   d2 = d1 - sigma·sqrt(T)
    call = S e^{-qT} N(d1) - K e^{-rT} N(d2),                  put = K e^{-rT} N(-d2) - S e^{-qT} N(-d1)

so call - put = S e^{-qT} - K e^{-rT}. With q = r it is Black's (1976) formula for an option on a future at S.

Sources: Black and Scholes (1973), "The pricing of options and corporate liabilities", J. of Political Economy 81, (13); Merton
(1973), "Theory of rational option pricing", Bell J. of Economics 4, for the yield; greeks: Hull, "Options, Futures, and Other
Derivatives", 10th ed., chapters 17 and 19.
"""

import math
from dataclasses import dataclass

from scipy import optimize

from twosided.errors import InputError

__all__ = ["Option", "black_scholes", "implied_volatility"]

_KINDS = ("call", "put")


@dataclass(frozen=True)
class Option:
    """A price and its derivatives.

    Args:
        price: unit of the spot.
        delta: per unit of the spot.
        gamma: of delta, per unit of the spot.
        vega: per 1 (not per cent) of volatility.
        theta: per year that passes.
        rho: per 1 (not per cent) of the rate.
    """

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float


def black_scholes(
    kind: str, *, spot: float, strike: float, years: float, sigma: float, rate: float = 0.0, dividend_yield: float = 0.0
) -> Option:
    """Return an option's price and greeks.

    Args:
        kind: "call" or "put".
        spot: price of what it is on.
        strike: price at which it is exercised.
        years: until then.
        sigma: volatility, a fraction per square root of a year.
        rate: interest, a year, continuously compounded.
        dividend_yield: of what it is on, the same.

    Raises:
        InputError: another kind, or a spot, strike, time or volatility that is not positive.
    """
    if kind not in _KINDS:
        raise InputError(f"kind is {kind!r}; allowed: {', '.join(_KINDS)}")
    for name, value in (("spot", spot), ("strike", strike), ("years", years), ("sigma", sigma)):
        if not 0.0 < value < math.inf:
            raise InputError(f"{name} is {value}; allowed: a positive number")
    for name, value in (("rate", rate), ("dividend_yield", dividend_yield)):
        if not math.isfinite(value):
            raise InputError(f"{name} is {value}; allowed: a number")
    side = 1.0 if kind == "call" else -1.0
    root = sigma * math.sqrt(years)
    d1 = (math.log(spot / strike) + (rate - dividend_yield + 0.5 * sigma * sigma) * years) / root
    d2 = d1 - root
    held, paid = spot * math.exp(-dividend_yield * years), strike * math.exp(-rate * years)
    density = math.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
    n1, n2 = _normal(side * d1), _normal(side * d2)
    return Option(
        price=side * (held * n1 - paid * n2),
        delta=side * math.exp(-dividend_yield * years) * n1,
        gamma=held * density / (spot * spot * root),
        vega=held * density * math.sqrt(years),
        theta=-held * density * sigma / (2.0 * math.sqrt(years)) + side * (dividend_yield * held * n1 - rate * paid * n2),
        rho=side * years * paid * n2,
    )


def implied_volatility(
    kind: str, price: float, *, spot: float, strike: float, years: float, rate: float = 0.0, dividend_yield: float = 0.0
) -> float:
    """Return the volatility at which an option is worth *price*.

    Raises:
        InputError: as `black_scholes`, or a price that no volatility gives.
    """

    def excess(sigma: float) -> float:
        worth = black_scholes(
            kind, spot=spot, strike=strike, years=years, sigma=sigma, rate=rate, dividend_yield=dividend_yield
        ).price
        return worth - price

    low, high = 1e-6, 20.0
    if not excess(low) < 0.0 < excess(high):
        raise InputError(
            f"price is {price}; allowed: between {price + excess(low):g} and {price + excess(high):g}, what volatility can give"
        )
    return float(optimize.brentq(excess, low, high, xtol=1e-12))


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
