"""`fixed`: the same distance from the mid on both sides, whatever happens; the naive quoter that others are compared with.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

from typing import Any

from twosided.strategies.contract import Param, strategy
from twosided.strategies.quoting import INVENTORY, UNIT, in_ticks, mid_ticks, quote_both, settle

__all__ = ["fixed"]


@strategy(
    half_spread=Param(5.0, minimum=0, help="distance of each quote from the mid, in `unit`"),
    unit=UNIT,
    **INVENTORY,
    prepare=settle,
)
def fixed(ctx: Any) -> None:
    """Quote bid = mid - half_spread and ask = mid + half_spread."""
    market = ctx.market[0]
    mid = mid_ticks(market)
    half = in_ticks(market, ctx.params.half_spread, ctx.params.unit)
    quote_both(ctx, 0, mid - half, mid + half, ctx.params.quantity, ctx.params.quantity)
