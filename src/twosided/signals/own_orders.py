"""A book without own orders: on a real or local exchange they are part of what one sees.

Where you are in the pipe: events -> *book -> signals* -> strategy. A replay does not need this: its own orders never enter the
recorded book. Who quotes alone at a price and takes that price for the market's follows himself.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = ["take_own_out", "without_own"]

Integers = npt.NDArray[np.int64]


def _take_own_out(ticks: Any, lots: Any, own_ticks: Any, own_lots: Any) -> int:
    """Take own lots out of the levels of one side, best first, in place; return how many levels are left, all in front.

    What is own is at most what is shown: an own order that has filled, or has not come, is not in the book.
    """
    left = 0
    for i in range(ticks.shape[0]):
        rest = lots[i]
        for j in range(own_ticks.shape[0]):
            if own_ticks[j] == ticks[i]:
                rest -= own_lots[j]
        if rest > 0:
            ticks[left], lots[left] = ticks[i], rest
            left += 1
    return left


take_own_out = compiled(_take_own_out)


def without_own(
    ticks: npt.ArrayLike, lots: npt.ArrayLike, own_ticks: npt.ArrayLike, own_lots: npt.ArrayLike
) -> tuple[Integers, Integers]:
    """Return prices and lots of one side of a book without own working orders; levels that were only ours are gone.

    Args:
        ticks: levels, best first, shape (n,).
        lots: displayed there, own ones included.
        own_ticks: of own working orders, in any order, shape (m,); several may share a price.
        own_lots: open.

    Raises:
        InputError: shapes that differ, or negative lots.
    """
    columns = [np.array(given, np.int64).reshape(-1) for given in (ticks, lots, own_ticks, own_lots)]
    price, size, own_price, own_size = columns
    if price.shape != size.shape or own_price.shape != own_size.shape:
        raise InputError(f"shapes are {', '.join(str(column.shape) for column in columns)}; allowed: lots for each price")
    if np.any(size < 0) or np.any(own_size < 0):
        raise InputError("lots are negative; allowed: 0 or more")
    left = int(take_own_out(price, size, own_price, own_size))
    return price[:left], size[:left]
