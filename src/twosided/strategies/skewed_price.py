"""`skewed_price`: a fixed spread around a price that leans against the inventory.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

from typing import Any

from twosided.strategies.compose import quoter
from twosided.strategies.contract import Param
from twosided.strategies.plan import make_plan
from twosided.strategies.quoting import UNIT, in_ticks, inventory, mid_ticks

__all__ = ["skewed_price"]


@quoter(
    half_spread=Param(5.0, minimum=0, help="half the distance between bid and ask, in `unit`"),
    unit=UNIT,
    skew=Param(
        1.0, unit="half-spreads", minimum=0, help="how far both quotes have moved at the position limit; 1 brings one to the mid"
    ),
)
def skewed_price(ctx: Any) -> None:
    """Quote r ± half_spread around r = mid - skew·half_spread·(inventory / limit): long inventory lowers both quotes."""
    market = ctx.market[0]
    half = in_ticks(market, ctx.params.half_spread, ctx.params.unit)
    share = min(max(inventory(market, ctx.params.target_position) / ctx.params.max_position, -1.0), 1.0)
    reservation = mid_ticks(market) - ctx.params.skew * half * share
    make_plan(ctx.memory.plan, reservation, half, half, ctx.params.quantity, ctx.params.quantity)
