"""`fixed`: the same distance from the mid on both sides, whatever happens; the naive quoter that others are compared with.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

from typing import Any

from twosided.strategies.compose import quoter
from twosided.strategies.contract import Param
from twosided.strategies.plan import make_plan
from twosided.strategies.quoting import UNIT, in_ticks, mid_ticks

__all__ = ["fixed"]


@quoter(
    half_spread=Param(5.0, minimum=0, help="distance of each quote from the mid, in `unit`"),
    unit=UNIT,
)
def fixed(ctx: Any) -> None:
    """Quote bid = mid - half_spread and ask = mid + half_spread."""
    market = ctx.market[0]
    half = in_ticks(market, ctx.params.half_spread, ctx.params.unit)
    make_plan(ctx.memory.plan, mid_ticks(market), half, half, ctx.params.quantity, ctx.params.quantity)
