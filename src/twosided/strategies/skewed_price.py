"""`skewed_price`: a fixed spread around a price that leans against the inventory.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

from typing import Any

from twosided.strategies.contract import Param, strategy
from twosided.strategies.quoting import INVENTORY, UNIT, in_ticks, inventory, mid_ticks, quote_both, settle

__all__ = ["skewed_price"]


@strategy(
    half_spread=Param(5.0, minimum=0, help="half the distance between bid and ask, in `unit`"),
    unit=UNIT,
    skew=Param(
        1.0, unit="half-spreads", minimum=0, help="how far both quotes have moved at the position limit; 1 brings one to the mid"
    ),
    **INVENTORY,
    prepare=settle,
)
def skewed_price(ctx: Any) -> None:
    """Quote r ± half_spread around r = mid - skew·half_spread·(inventory / limit): long inventory lowers both quotes."""
    market = ctx.market[0]
    half = in_ticks(market, ctx.params.half_spread, ctx.params.unit)
    share = min(max(inventory(market, ctx.params.target_position) / ctx.params.max_position, -1.0), 1.0)
    reservation = mid_ticks(market) - ctx.params.skew * half * share
    quote_both(ctx, 0, reservation - half, reservation + half, ctx.params.quantity, ctx.params.quantity)
