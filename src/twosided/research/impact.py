"""What flow does to prices: Kyle's lambda, order flow imbalance, and what a spread pays for.

Where you are in the pipe: research, on top of all rooms; plain functions of arrays. All are regressions; their intervals come from
blocks of time (`block_bootstrap`), because neighbours are alike. Q is the side of a trade, +1 a buyer who took.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError
from twosided.research.block_bootstrap import least_squares
from twosided.research.columns import columns
from twosided.research.measured import Measured

__all__ = ["GlostenHarris", "HuangStoll", "Slope", "glosten_harris", "huang_stoll", "impact_slope", "order_flow_imbalance"]

Floats = npt.NDArray[np.float64]

FEWEST = 100
"""Observations that a regression needs at least."""


@dataclass(frozen=True)
class Slope:
    """A slope with its interval, the share of variance that it explains, and from how many observations."""

    slope: Measured
    r_squared: float
    observations: int


def impact_slope(price_changes: Floats, flow: Floats) -> Slope:
    """Return the slope of *price_changes* on *flow* (and a constant), one of each per interval of time.

    With signed volume of trades as flow it is Kyle's lambda (price per unit); with `order_flow_imbalance` it is the price impact
    coefficient beta of Cont, Kukanov and Stoikov. Both say how price and flow move together in the same interval. Where flow
    answers to prices, the slope is not what one more order would do.

    Raises:
        InputError: fewer than 100 intervals, arrays that do not fit, or a flow that never changes.

    Source: Kyle (1985), "Continuous auctions and insider trading", Econometrica 53, theorem 1: price = p0 + lambda·flow; Cont,
    Kukanov and Stoikov (2014), "The price impact of order book events", J. of Financial Econometrics 12, section 2.
    """
    price_changes, flow = columns(price_changes=price_changes, flow=flow)
    _require(len(flow), "intervals of time")
    if np.ptp(flow) == 0.0:
        raise InputError(f"flow is {flow[0]:g} in every interval: nothing can be said of what it does")
    scale = float(np.std(flow))
    found, explained = least_squares(np.stack([np.ones(len(flow)), flow / scale], axis=1), price_changes)
    return Slope(found[1].scaled(1.0 / scale), explained, len(flow))


def order_flow_imbalance(bid: Floats, bid_size: Floats, ask: Floats, ask_size: Floats) -> Floats:
    """Return the contribution of each change of the touch to the order flow imbalance, shape (n - 1,).

        e = 1[b' >= b] s_b' - 1[b' <= b] s_b - 1[a' <= a] s_a' + 1[a' >= a] s_a,      primes after the change

    Args:
        bid: best bids after each change, shape (n,).
        bid_size: what is displayed there.
        ask: best asks.
        ask_size: what is displayed there.

    Raises:
        InputError: arrays that do not fit.

    Source: Cont, Kukanov and Stoikov (2014), section 2.1; their OFI is its sum over an interval.
    """
    bid, bid_size, ask, ask_size = columns(bid=bid, bid_size=bid_size, ask=ask, ask_size=ask_size)
    up = np.where(bid[1:] >= bid[:-1], bid_size[1:], 0.0) - np.where(bid[1:] <= bid[:-1], bid_size[:-1], 0.0)
    down = np.where(ask[1:] <= ask[:-1], ask_size[1:], 0.0) - np.where(ask[1:] >= ask[:-1], ask_size[:-1], 0.0)
    return np.asarray(up - down, np.float64)


@dataclass(frozen=True)
class GlostenHarris:
    """Half the traded spread in two parts, price.

    Args:
        transitory: what bounces back (costs and rents), at volume 0.
        transitory_per_unit: and per unit of volume.
        adverse: what stays (information), at volume 0.
        adverse_per_unit: and per unit of volume.
        adverse_share: of the whole, at the mean volume.
        trades: that were looked at.
    """

    transitory: Measured
    transitory_per_unit: Measured
    adverse: Measured
    adverse_per_unit: Measured
    adverse_share: Measured
    trades: int


def glosten_harris(prices: Floats, signs: Floats, volumes: Floats) -> GlostenHarris:
    """Split the spread in two, from trades alone: change of price = c0·d(Q) + c1·d(QV) + z0·Q + z1·QV + e.

    c bounces back with the next trade on the other side; z stays. Where sides run on (sweeps, split orders) what only persists for
    a while is taken for information: see `huang_stoll`. Prices are taken as they are, on their lattice (the source also models it).

    Args:
        prices: of the trades, in order, shape (n,).
        signs: +1 or -1.
        volumes: of the trades, not negative.

    Raises:
        InputError: fewer than 101 trades, arrays that do not fit, a negative volume, or prices or volumes all alike.

    Source: Glosten and Harris (1988), "Estimating the components of the bid/ask spread", J. of Financial Economics 21, section 2.
    """
    prices, signs, volumes = columns(prices=prices, signs=signs, volumes=volumes)
    _require(len(prices) - 1, "changes of price")
    _require_moved(prices)
    if np.any(volumes < 0.0):
        raise InputError(f"volumes holds {volumes[volumes < 0.0][0]:g}; allowed: numbers of 0 or more")
    mean = float(np.mean(volumes))
    if np.ptp(volumes) == 0.0:
        raise InputError(f"every trade has the volume {volumes[0]:g}: nothing can be said of its effect")
    signed = signs * volumes / mean
    design = np.stack([np.diff(signs), np.diff(signed), signs[1:], signed[1:]], axis=1).astype(np.float64)

    def parts(found: Floats, _square: Floats) -> Floats:
        c0, c1, z0, z1 = found.T
        return np.stack([c0, c1 / mean, z0, z1 / mean, (z0 + z1) / (c0 + c1 + z0 + z1)], axis=1)

    c0, c1, z0, z1, share = least_squares(design, np.diff(prices), parts)[0]
    return GlostenHarris(c0, c1, z0, z1, share, len(prices))


@dataclass(frozen=True)
class HuangStoll:
    """The traded spread and what it pays for.

    Args:
        spread: S, price.
        adverse: share of it that pays for adverse selection, alpha.
        inventory: for inventory, beta.
        processing: for order processing, 1 - alpha - beta.
        reversal: probability that a trade has the other side than the one before, pi.
        trades: that were looked at.
    """

    spread: Measured
    adverse: Measured
    inventory: Measured
    processing: Measured
    reversal: Measured
    trades: int


def huang_stoll(prices: Floats, signs: Floats) -> HuangStoll:
    """Split the spread in three, from trades alone.

        change of price = (S/2)·Q + (alpha + beta - 1)·(S/2)·Q[-1] - alpha·(S/2)·(1 - 2 pi)·Q[-2] + e,
        E[Q[-1] | Q[-2]] = (1 - 2 pi)·Q[-2]

    As many equations as unknowns, so the source's method of moments is a regression. Near pi = ½ alpha and beta cannot be told
    apart, and the intervals say so. Where sides run on (pi below ½: sweeps printed as many trades, orders split by their owners)
    alpha comes out small or negative, as the source found; make one trade of a sweep first.

    Args:
        prices: of the trades, in order, shape (n,).
        signs: +1 or -1.

    Raises:
        InputError: fewer than 102 trades, arrays that do not fit, prices all alike, or trades all on one side.

    Source: Huang and Stoll (1997), "The components of the bid-ask spread", Review of Financial Studies 10, section 3.2.
    """
    prices, signs = columns(prices=prices, signs=signs)
    _require(len(prices) - 2, "changes of price")
    _require_moved(prices)
    if np.all(signs == signs[0]):
        raise InputError("all trades have one side: a spread cannot be seen")
    design = np.stack([signs[2:], signs[1:-1], signs[:-2]], axis=1).astype(np.float64)

    def parts(found: Floats, square: Floats) -> Floats:
        half, runs = found[:, 0], square[:, 1, 2] / square[:, 2, 2]
        adverse = -found[:, 2] / (half * runs)
        inventory = found[:, 1] / half + 1.0 - adverse
        return np.stack([2.0 * half, adverse, inventory, 1.0 - adverse - inventory, 0.5 * (1.0 - runs)], axis=1)

    spread, adverse, inventory, processing, reversal = least_squares(design, np.diff(prices[1:]), parts)[0]
    return HuangStoll(spread, adverse, inventory, processing, reversal, len(prices))


def _require_moved(prices: Floats) -> None:
    if np.ptp(prices) == 0.0:
        raise InputError(f"every trade has the price {prices[0]:g}: a spread cannot be seen")


def _require(count: int, what: str) -> None:
    if count < FEWEST:
        raise InputError(f"too little to regress on: {max(count, 0)} {what}; needed: {FEWEST}")
