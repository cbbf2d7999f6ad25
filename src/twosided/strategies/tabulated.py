"""What strategies share whose quotes come out of a table of `twosided.models.quotes`: its bound, and how to look things up.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

``prepare`` solves the model once and copies distances into ``memory``; a decision then reads two numbers, four where time counts.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.strategies.quoting import settle

__all__ = ["at", "filled", "settle_bound"]


def settle_bound(params: Any, instruments: tuple[Any, ...], memory: Any, most: int) -> int:
    """Settle ``q_max`` and ``max_position``, of which the smaller holds, and return the model's inventory bound in quotes.

    Raises:
        InputError: an inventory bound that is not between one quote and *most*, the length of the table.
    """
    limited = params.max_position > 0.0
    settle(params, instruments, memory)
    bound = int(params.q_max) or math.floor(params.max_position / params.quantity + 1e-9)
    if not 1 <= bound <= most:
        raise InputError(
            f"max_position is {params.max_position:g}, {bound} quotes of {params.quantity:g}; allowed: 1 to {most} quotes, "
            f"or q_max to bound the model's inventory apart"
        )
    model_limit = bound * params.quantity
    params.max_position = min(params.max_position, model_limit) if limited else model_limit
    params.q_max = bound
    return bound


def filled(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return bid distances with the last inventory, where no bid is quoted, by the last slope: for the last fraction of a quote."""
    whole = distances.copy()
    whole[..., -1] = 2.0 * whole[..., -2] - whole[..., -3]
    return whole


def _at(table: Any, bound: int, q: float) -> float:
    """Return the table's value at inventory *q*, in quotes, linear between whole inventories."""
    place = min(max(q + bound, 0.0), 2.0 * bound)
    whole = min(int(math.floor(place)), 2 * bound - 1)
    share = place - whole
    return float((1.0 - share) * table[whole] + share * table[whole + 1])


at = compiled(_at)
