"""`skewed_size`: a fixed spread around the mid, less size on the side that adds to the inventory and more on the other.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

from typing import Any

from twosided.strategies.compose import quoter
from twosided.strategies.contract import Param
from twosided.strategies.plan import make_plan
from twosided.strategies.quoting import UNIT, in_ticks, inventory, mid_ticks

__all__ = ["skewed_size"]


@quoter(
    half_spread=Param(5.0, minimum=0, help="distance of each quote from the mid, in `unit`"),
    unit=UNIT,
    skew=Param(0.5, minimum=0, maximum=1, help="share of the quantity by which both sizes have changed at the position limit"),
)
def skewed_size(ctx: Any) -> None:
    """Quote quantity·(1 ∓ skew·inventory / limit) to buy and to sell; rounded down to lots, but at least one lot."""
    market = ctx.market[0]
    half = in_ticks(market, ctx.params.half_spread, ctx.params.unit)
    share = min(max(inventory(market, ctx.params.target_position) / ctx.params.max_position, -1.0), 1.0)
    tilt = ctx.params.skew * share
    to_buy = max(ctx.params.quantity * (1.0 - tilt), market.lot_size)
    to_sell = max(ctx.params.quantity * (1.0 + tilt), market.lot_size)
    make_plan(ctx.memory.plan, mid_ticks(market), half, half, to_buy, to_sell)
