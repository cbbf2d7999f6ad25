"""`glft`: the asymptotic quotes of Guéant, Lehalle and Fernandez-Tapia (2013), see `twosided.models.glft`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

All parameters are in money, not ticks, and inventory counts quotes, so that neither a finer tick nor a finer lot changes a price.
"""

from typing import Any

from twosided.models.quotes import optimal_quotes
from twosided.strategies.compose import quoter
from twosided.strategies.contract import Param
from twosided.strategies.plan import make_plan
from twosided.strategies.quoting import inventory, mid_ticks
from twosided.strategies.tabulated import at, filled, settle_bound

__all__ = ["glft"]

_MOST = 300  # quotes; the length of the table is fixed when the strategy is compiled


def _tabulate(params: Any, instruments: tuple[Any, ...], memory: Any) -> None:
    """Settle ``q_max`` and fill ``memory.bid_distance`` for inventories -q_max … q_max; the ask's is its mirror image.

    Raises:
        InputError: an inventory bound that is not between one quote and the length of the table, or parameters out of range.
    """
    bound = settle_bound(params, instruments, memory, _MOST)
    table = optimal_quotes("glft", sigma=params.sigma, A=params.A, k=params.k, gamma=params.gamma, q_max=bound)
    memory.bound = bound
    memory.bid_distance[: 2 * bound + 1] = filled(table.bid[0])


@quoter(
    gamma=Param(0.1, unit="1/(price × quote)", minimum=1e-12, help="risk aversion"),
    sigma=Param(unit="price/sqrt(s)", minimum=1e-12, help="volatility of the mid"),
    A=Param(unit="1/s", minimum=1e-12, help="intensity of fills at the mid, on each side"),
    k=Param(unit="1/price", minimum=1e-12, help="decay of the intensity of fills with the distance from the mid"),
    q_max=Param(
        0, unit="quotes", minimum=0, maximum=_MOST, integer=True, help="the model's inventory bound; 0 follows max_position"
    ),
    memory={"bound": "i8", "bid_distance": ("f8", (2 * _MOST + 1,))},
    prepare=_tabulate,
)
def glft(ctx: Any) -> None:
    """Quote mid - bid_distance(q) and mid + bid_distance(-q), q the inventory in quotes."""
    market = ctx.market[0]
    q = inventory(market, ctx.params.target_position) / ctx.params.quantity
    bid = at(ctx.memory.bid_distance, ctx.memory.bound, q) / market.tick_size
    ask = at(ctx.memory.bid_distance, ctx.memory.bound, -q) / market.tick_size
    make_plan(ctx.memory.plan, mid_ticks(market), bid, ask, ctx.params.quantity, ctx.params.quantity)
