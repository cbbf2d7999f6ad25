"""Optimal quotes of Avellaneda and Stoikov (2008), "High-frequency trading in a limit order book", Quantitative Finance 8(3).

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

A dealer with utility -exp(-gamma·wealth) quotes around a mid that is a Brownian motion; an order at distance delta from the mid
is filled with intensity A·exp(-k·delta). Any price unit will do (ticks, money) as long as all share it:

    sigma   price / sqrt(s)      volatility of the mid
    k       1 / price            decay of the intensity; its level A moves no quote in this model
    gamma   1 / (price × quote)  risk aversion; inventory q is counted in quotes, signed
    distances                    price; bid = mid - distance, ask = mid + distance

The scalar formulas are kernels: strategies call them compiled, and they check nothing. `twosided.models.quotes` checks.
"""

import math

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled

__all__ = ["distances", "optimal_spread", "reservation_price", "risk_half_spread", "stationary_distances"]

Floats = npt.NDArray[np.float64]


def _risk_half_spread(gamma: float, k: float) -> float:
    """Return ln(1 + gamma/k) / gamma: the half-spread of a dealer who holds nothing and has no time to hold it (price).

    Tends to 1/k, the half-spread that earns most per second, as gamma goes to 0.
    """
    ratio = gamma / k
    one_more = 1.0 + ratio
    if one_more == 1.0:
        return 1.0 / k
    return math.log(one_more) * (ratio / (one_more - 1.0)) / gamma  # the bracket undoes the rounding of 1 + gamma/k


risk_half_spread = compiled(_risk_half_spread)


def _reservation_price(mid: float, inventory: float, gamma: float, sigma: float, remaining_s: float) -> float:
    """Return r = s - q·gamma·sigma²·(T - t), section 2.2: long inventory lowers it, and both quotes with it."""
    return mid - inventory * gamma * sigma * sigma * remaining_s


reservation_price = compiled(_reservation_price)


def _optimal_spread(gamma: float, sigma: float, k: float, remaining_s: float) -> float:
    """Return the whole spread gamma·sigma²·(T - t) + (2/gamma)·ln(1 + gamma/k), section 3.2; inventory does not enter."""
    return gamma * sigma * sigma * remaining_s + 2.0 * risk_half_spread(gamma, k)


optimal_spread = compiled(_optimal_spread)


def distances(inventory: Floats, *, gamma: float, sigma: float, k: float, remaining_s: float) -> tuple[Floats, Floats]:
    """Return how far below the mid to bid and how far above it to ask, with a finite horizon.

    Args:
        inventory: q, in quotes, any shape.
        gamma: risk aversion, 1/(price × quote).
        sigma: volatility, price/sqrt(s).
        k: decay of the intensity, 1/price.
        remaining_s: T - t, seconds until the horizon.

    Returns:
        Two arrays of the shape of *inventory*, in price units; negative means through the mid, as happens far from the horizon.
    """
    half = 0.5 * _optimal_spread(gamma, sigma, k, remaining_s)
    skew = _reservation_price(0.0, 1.0, gamma, sigma, remaining_s) * np.asarray(inventory, np.float64)
    return half - skew, half + skew


def stationary_distances(inventory: Floats, *, gamma: float, k: float, q_max: int) -> tuple[Floats, Floats]:
    """Return the distances for an infinite horizon, from the indifference prices of section 2.3.

        r_bid = s + (1/gamma)·ln(1 - (2q + 1)·x),   r_ask = s - (1/gamma)·ln(1 + (2q - 1)·x),
        x = gamma²sigma² / (2·omega - gamma²q²sigma²),   omega = gamma²sigma²·(q_max + 1)²/2
        bid distance = s - r_bid + (1/gamma)·ln(1 + gamma/k), ask distance = r_ask - s + the same                  (section 3.1)

    By this omega, the paper's, sigma cancels: the discount rate is proportional to the risk. The ask is derived from the
    definition of indifference, u(x + r_ask, q - 1) = u(x, q); the form that is often quoted, + ln(1 + (1 - 2q)·x), agrees to
    first order only, is no mirror image of the bid and would go on selling at -q_max.

    Args:
        inventory: q, in quotes, any shape, at most *q_max* in size.
        gamma: risk aversion, 1/(price × quote).
        k: decay of the intensity, 1/price.
        q_max: the largest inventory, in quotes. There one side is infinitely far away: it is not quoted.

    Returns:
        Two arrays of the shape of *inventory*, in price units; NaN where that side is not quoted.
    """
    q = np.asarray(inventory, np.float64)
    x = 1.0 / ((q_max + 1.0) ** 2 - q * q)
    base = _risk_half_spread(gamma, k)
    bid = base - np.log1p(np.where(q < q_max, -(2.0 * q + 1.0) * x, np.nan)) / gamma
    ask = base - np.log1p(np.where(q > -q_max, (2.0 * q - 1.0) * x, np.nan)) / gamma
    return bid, ask
