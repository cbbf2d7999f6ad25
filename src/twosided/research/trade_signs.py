"""Who traded: the sign of a trade from prices alone, and how often that is right where the venue says it.

Where you are in the pipe: research, on top of all rooms; plain functions of arrays. +1 is a buyer who took, -1 a seller, 0
not known.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError
from twosided.research.columns import columns
from twosided.research.measured import Measured

__all__ = ["SignAccuracy", "lee_ready", "sign_accuracy", "tick_rule"]

Floats = npt.NDArray[np.float64]
Signs = npt.NDArray[np.int8]

_SAME = 1e-12  # of the price: the middle of prices that are no binary fractions is met to rounding


def tick_rule(prices: Floats) -> Signs:
    """Return +1 after a rise, -1 after a fall, and what the last change said where a price did not change; 0 before the first one.

    Raises:
        InputError: a price that is no number.

    Source: Lee and Ready (1991), "Inferring trade direction from intraday data", J. of Finance 46, section I.
    """
    (prices,) = columns(prices=prices)
    moves = np.sign(np.diff(prices, prepend=prices[:1]))
    last = np.maximum.accumulate(np.where(moves != 0, np.arange(len(moves)), 0))
    return np.asarray(moves[last], np.int8)


def lee_ready(prices: Floats, bid: Floats, ask: Floats) -> Signs:
    """Return +1 above the middle of the quote, -1 below it, and the `tick_rule` at the middle.

    Args:
        prices: of the trades, in order, shape (n,).
        bid: best bid strictly before each trade. (The paper's five seconds of delay are of 1988's quotes.)
        ask: best ask strictly before each trade.

    Raises:
        InputError: arrays of different lengths, or what is no number in them.

    Source: Lee and Ready (1991), section IV.
    """
    prices, bid, ask = columns(prices=prices, bid=bid, ask=ask)
    above = 2.0 * prices - bid - ask
    signs = np.where(np.abs(above) <= _SAME * np.abs(prices), 0, np.sign(above)).astype(np.int8)
    return np.where(signs == 0, tick_rule(prices), signs).astype(np.int8)


@dataclass(frozen=True)
class SignAccuracy:
    """How often a rule is right.

    Args:
        right: share of the trades that have a true side and that the rule gives one.
        undecided: share of the trades with a true side that the rule says nothing of.
        trades: with a true side.
    """

    right: Measured
    undecided: float
    trades: int


def sign_accuracy(signs: Signs, truth: Signs) -> SignAccuracy:
    """Compare a rule with the side that the venue recorded; the interval is Wilson's (1927), of trades one by one.

    Raises:
        InputError: no trade has both, or arrays of different lengths.
    """
    if len(signs) != len(truth):
        raise InputError(f"there are {len(signs)} signs and {len(truth)} true sides; allowed: as many")
    known = truth != 0
    decided = known & (signs != 0)
    count = int(decided.sum())
    if not count:
        raise InputError("no trade has both a recorded side and one by the rule")
    share, z2 = float(np.mean(signs[decided] == truth[decided])), 1.959964**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = (z2 * (share * (1 - share) / count + z2 / (4 * count**2))) ** 0.5 / (1 + z2 / count)
    return SignAccuracy(Measured(share, middle - half, middle + half), 1.0 - count / int(known.sum()), int(known.sum()))
