"""`cartea_jaimungal`: quotes that pay for holding and for what is left at the end, see `twosided.models.cartea_jaimungal`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

All parameters are in money, not ticks, and inventory counts quotes, so that neither a finer tick nor a finer lot changes a price.
"""

import math
from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.models.quotes import optimal_quotes
from twosided.strategies.avellaneda_stoikov import remaining_s
from twosided.strategies.compose import quoter
from twosided.strategies.contract import Param
from twosided.strategies.plan import make_plan
from twosided.strategies.quoting import inventory, mid_ticks
from twosided.strategies.tabulated import at, filled, settle_bound

__all__ = ["cartea_jaimungal"]

_MOST = 100  # quotes; the size of the table is fixed when the strategy is compiled
_TIMES = 96  # steps of the table in time, which are closer together towards the end, where quotes change fastest


def _tabulate(params: Any, instruments: tuple[Any, ...], memory: Any) -> None:
    """Settle ``q_max`` and fill ``memory.bid_distance``, a row per time left; the ask's is its mirror image.

    Raises:
        InputError: an inventory bound that is not between one quote and the length of the table, or parameters out of range.
    """
    bound = settle_bound(params, instruments, memory, _MOST)
    model = {"A": params.A, "k": params.k, "phi": params.phi, "alpha": params.alpha, "q_max": bound}
    times = None
    if params.horizon_s > 0.0:
        times = params.horizon_s * (np.arange(_TIMES + 1) / _TIMES) ** 2
    memory.bound = bound
    memory.bid_distance[:, : 2 * bound + 1] = filled(optimal_quotes("cartea_jaimungal", remaining_s=times, **model).bid)


def _later(table: Any, bound: int, share_left: float, q: float) -> float:
    """Return the distance at inventory *q* and a share of the horizon, linear between the table's times."""
    place = math.sqrt(share_left) * _TIMES
    row = min(int(math.floor(place)), _TIMES - 1)
    share = place - row
    return float((1.0 - share) * at(table[row], bound, q) + share * at(table[row + 1], bound, q))


later = compiled(_later)


@quoter(
    phi=Param(0.001, unit="price/(quote × s)", minimum=1e-15, help="running penalty: phi·q² a second for holding q quotes"),
    A=Param(unit="1/s", minimum=1e-12, help="intensity of fills at the mid, on each side"),
    k=Param(unit="1/price", minimum=1e-12, help="decay of the intensity of fills with the distance from the mid"),
    alpha=Param(0.0, unit="price/quote", minimum=0, help="terminal penalty: alpha·q² for what is left at the end of a session"),
    horizon_s=Param(
        0.0, unit="s", minimum=0, help="length of a session of the model, the next one follows at once; 0 is one that never ends"
    ),
    q_max=Param(
        0, unit="quotes", minimum=0, maximum=_MOST, integer=True, help="the model's inventory bound; 0 follows max_position"
    ),
    memory={"bound": "i8", "bid_distance": ("f8", (_TIMES + 1, 2 * _MOST + 1))},
    prepare=_tabulate,
)
def cartea_jaimungal(ctx: Any) -> None:
    """Quote mid - bid_distance(q, time left) and mid + bid_distance(-q, time left), q the inventory in quotes."""
    market = ctx.market[0]
    bound, horizon_s = ctx.memory.bound, ctx.params.horizon_s
    q = inventory(market, ctx.params.target_position) / ctx.params.quantity
    share_left = 1.0
    if horizon_s > 0.0:
        share_left = remaining_s(ctx.now_ns, ctx.start_ns, horizon_s) / horizon_s
    bid = later(ctx.memory.bid_distance, bound, share_left, q) / market.tick_size
    ask = later(ctx.memory.bid_distance, bound, share_left, -q) / market.tick_size
    make_plan(ctx.memory.plan, mid_ticks(market), bid, ask, ctx.params.quantity, ctx.params.quantity)
