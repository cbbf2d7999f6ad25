"""`glft`: the asymptotic quotes of Guéant, Lehalle and Fernandez-Tapia (2013), see `twosided.models.glft`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

All parameters are in money, not ticks, and inventory counts quotes, so that neither a finer tick nor a finer lot changes a price.
"""

import math
from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.models.quotes import quote_table
from twosided.strategies.contract import Param, strategy
from twosided.strategies.quoting import INVENTORY, inventory, mid_ticks, quote_both, settle

__all__ = ["glft"]

_MOST = 300  # quotes; the length of the table is fixed when the strategy is compiled


def _tabulate(params: Any, instruments: tuple[Any, ...], memory: Any) -> None:
    """Settle ``q_max`` and fill ``memory.bid_distance`` for inventories -q_max … q_max; the ask's is its mirror image.

    Raises:
        InputError: an inventory bound that is not between one quote and the length of the table.
    """
    limited = params.max_position > 0.0
    settle(params, instruments, memory)
    bound = int(params.q_max) or math.floor(params.max_position / params.quantity + 1e-9)
    if not 1 <= bound <= _MOST:
        raise InputError(
            f"max_position is {params.max_position:g}, {bound} quotes of {params.quantity:g}; allowed: 1 to {_MOST} quotes, "
            f"or q_max to bound the model's inventory apart"
        )
    model_limit = bound * params.quantity
    params.max_position = min(params.max_position, model_limit) if limited else model_limit
    params.q_max = bound
    table = quote_table("glft", sigma=params.sigma, A=params.A, k=params.k, gamma=params.gamma, q_max=bound)
    distances = np.array([row["bid"] for row in table], np.float64)
    distances[-1] = 2.0 * distances[-2] - distances[-3]  # not quoted: the slope for the last fraction of a quote
    memory.bound = bound
    memory.bid_distance[: len(distances)] = distances


def _at(table: Any, bound: int, q: float) -> float:
    """Return the table's value at inventory *q*, in quotes, linear between whole inventories."""
    place = min(max(q + bound, 0.0), 2.0 * bound)
    whole = min(int(math.floor(place)), 2 * bound - 1)
    share = place - whole
    return float((1.0 - share) * table[whole] + share * table[whole + 1])


at = compiled(_at)


@strategy(
    gamma=Param(0.1, unit="1/(price × quote)", minimum=1e-12, help="risk aversion"),
    sigma=Param(unit="price/sqrt(s)", minimum=1e-12, help="volatility of the mid"),
    A=Param(unit="1/s", minimum=1e-12, help="intensity of fills at the mid, on each side"),
    k=Param(unit="1/price", minimum=1e-12, help="decay of the intensity of fills with the distance from the mid"),
    q_max=Param(
        0, unit="quotes", minimum=0, maximum=_MOST, integer=True, help="the model's inventory bound; 0 follows max_position"
    ),
    **INVENTORY,
    memory={"bound": "i8", "bid_distance": ("f8", (2 * _MOST + 1,))},
    prepare=_tabulate,
)
def glft(ctx: Any) -> None:
    """Quote mid - bid_distance(q) and mid + bid_distance(-q), q the inventory in quotes."""
    market = ctx.market[0]
    q = inventory(market, ctx.params.target_position) / ctx.params.quantity
    mid = mid_ticks(market)
    bid = mid - at(ctx.memory.bid_distance, ctx.memory.bound, q) / market.tick_size
    ask = mid + at(ctx.memory.bid_distance, ctx.memory.bound, -q) / market.tick_size
    quote_both(ctx, 0, bid, ask, ctx.params.quantity, ctx.params.quantity)
