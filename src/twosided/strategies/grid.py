"""`grid`: a ladder of quotes on both sides, at equal steps.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

from typing import Any

from twosided.strategies.contract import Param, strategy
from twosided.strategies.quoting import INVENTORY, UNIT, in_ticks, mid_ticks, quote_both, settle

__all__ = ["grid"]

_MOST = 10


@strategy(
    half_spread=Param(5.0, minimum=0, help="distance of the nearest quotes from the mid, in `unit`"),
    step=Param(5.0, minimum=0, help="distance from one quote to the next, in `unit`; at least a tick"),
    unit=UNIT,
    rungs=Param(3, unit="quotes a side", minimum=1, maximum=_MOST, integer=True),
    **INVENTORY,
    levels=_MOST,
    prepare=settle,
)
def grid(ctx: Any) -> None:
    """Quote mid ± (half_spread + n·step) for n = 0 … rungs - 1, the quantity on each; together they respect the position limit."""
    market = ctx.market[0]
    mid = mid_ticks(market)
    half = in_ticks(market, ctx.params.half_spread, ctx.params.unit)
    step = max(in_ticks(market, ctx.params.step, ctx.params.unit), 1.0)
    for level in range(ctx.params.rungs):
        away = half + level * step
        quote_both(ctx, level, mid - away, mid + away, ctx.params.quantity, ctx.params.quantity)
