"""How far a hedge may be from its target before it is worth a trade.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

The target moves at random with variance v a second (inventory does, as fills come on both sides); being z units away costs
gamma·sigma²·z²/2 a second, and each unit that is traded costs c. It is best to do nothing within ±b and to trade back to the edge
outside. Between the edges z is then uniform, so z² is b²/3 on average, and v/(2b) units a second are traded at the two edges:

    cost(b) = gamma·sigma²·b²/6 + c·v/(2b),      least at   b = (3 c v / (2 gamma sigma²))^(1/3)

With v = Gamma²·sigma²·S², the moves of an option's delta, this is the band of Whalley and Wilmott (1997), "An asymptotic analysis
of an optimal hedging model for option pricing with transaction costs", Mathematical Finance 7; Rogers (2004), "Why is the effect of
proportional transaction costs O(delta^{2/3})?", argues as above.
"""

import math

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = ["band_cost", "band_of", "no_trade_band"]


def _band_of(cost: float, variance: float, gamma: float, sigma: float) -> float:
    """Return b; 0 where trading is free or the target stands still. gamma and sigma are positive."""
    cube = 1.5 * cost * variance / (gamma * sigma * sigma)
    return math.exp(math.log(cube) / 3.0) if cube > 0.0 else 0.0


band_of = compiled(_band_of)


def no_trade_band(*, cost: float, variance: float, gamma: float, sigma: float) -> float:
    """Return b, in units of the hedge: nothing is done while it is within ±b of its target.

    Args:
        cost: of trading a unit: half the spread, fee and tax, quote currency.
        variance: of the target's moves, units² a second.
        gamma: risk aversion, 1/quote currency.
        sigma: volatility of the hedge's price, quote currency per sqrt(s).

    Raises:
        InputError: a negative number, or gamma or sigma that is zero.
    """
    for name, value, least in (("cost", cost, "at least 0"), ("variance", variance, "at least 0")):
        if not 0.0 <= value < math.inf:
            raise InputError(f"{name} is {value}; allowed: {least}")
    for name, value in (("gamma", gamma), ("sigma", sigma)):
        if not 0.0 < value < math.inf:
            raise InputError(f"{name} is {value}; allowed: a positive number")
    return float(_band_of(cost, variance, gamma, sigma))


def band_cost(band: float, *, cost: float, variance: float, gamma: float, sigma: float) -> float:
    """Return what a band costs a second, risk and trades together: gamma·sigma²·band²/6 + cost·variance/(2·band).

    Raises:
        InputError: a band that is not positive.
    """
    if not 0.0 < band < math.inf:
        raise InputError(f"band is {band}; allowed: a positive number")
    return gamma * sigma * sigma * band * band / 6.0 + cost * variance / (2.0 * band)
