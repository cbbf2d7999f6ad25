"""`grid`: a ladder of quotes on both sides, at equal steps.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

from typing import Any

from twosided.strategies.compose import quoter
from twosided.strategies.contract import Param
from twosided.strategies.plan import make_plan
from twosided.strategies.quoting import UNIT, in_ticks, mid_ticks

__all__ = ["grid"]

_MOST = 10


@quoter(
    half_spread=Param(5.0, minimum=0, help="distance of the nearest quotes from the mid, in `unit`"),
    step=Param(5.0, minimum=0, help="distance from one quote to the next, in `unit`; at least a tick"),
    unit=UNIT,
    rungs=Param(3, unit="quotes a side", minimum=1, maximum=_MOST, integer=True),
    levels=_MOST,
)
def grid(ctx: Any) -> None:
    """Quote mid ± (half_spread + n·step) for n = 0 … rungs - 1, the quantity on each; together they respect the position limit."""
    market = ctx.market[0]
    half = in_ticks(market, ctx.params.half_spread, ctx.params.unit)
    make_plan(ctx.memory.plan, mid_ticks(market), half, half, ctx.params.quantity, ctx.params.quantity)
    ctx.memory.plan.step = max(in_ticks(market, ctx.params.step, ctx.params.unit), 1.0)
    ctx.memory.plan.rungs = ctx.params.rungs
