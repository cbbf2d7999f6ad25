"""Overlays of what inventory does to a plan: `inventory_size`, `one_sided`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

Inventory is the position less its target. Only the side that adds to it is made smaller or taken away.
"""

from typing import Any

from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.plan import Cause
from twosided.strategies.quoting import inventory

__all__ = ["inventory_size", "one_sided"]

_INVENTORY, _ONE_SIDED = int(Cause.INVENTORY), int(Cause.ONE_SIDED)


@overlay(
    inventory_law=Param(
        "linear", choices=("linear", "step"), help="linear in |inventory| / limit, or all at once beyond `inventory_from`"
    ),
    inventory_from=Param(0.5, unit="of the limit", minimum=0, maximum=1, help="where the step is"),
    inventory_shrink=Param(0.5, minimum=0, maximum=1, help="share by which the side that adds is smaller at the limit"),
    inventory_grow=Param(0.0, minimum=0, help="share by which the other side is larger at the limit"),
    inventory_floor=Param(0.0, unit="base units", minimum=0, help="no quantity falls below it by this; 0 is one lot"),
)
def inventory_size(ctx: Any) -> None:
    """Multiply the side that adds to inventory by 1 - shrink·s, the other by 1 + grow·s, with s = min(|inventory| / limit, 1)."""
    params, plan, market = ctx.params, ctx.memory.plan, ctx.market[0]
    away = inventory(market, params.target_position)
    s = min(abs(away) / params.max_position, 1.0)
    if params.inventory_law == 1:
        s = 1.0 if s > params.inventory_from else 0.0
    if s > 0.0:
        less, more = 1.0 - params.inventory_shrink * s, 1.0 + params.inventory_grow * s
        floor = max(params.inventory_floor, market.lot_size)
        if away > 0.0:
            plan.to_buy = max(plan.to_buy * less, min(plan.to_buy, floor))
            plan.to_sell *= more
        else:
            plan.to_sell = max(plan.to_sell * less, min(plan.to_sell, floor))
            plan.to_buy *= more
        plan.causes |= _INVENTORY


@overlay(
    one_sided_at=Param(
        0.8, unit="of the limit", minimum=0, maximum=1, help="from this inventory on only the side that reduces it is quoted"
    ),
)
def one_sided(ctx: Any) -> None:
    """Take away the side that adds where |inventory| is one_sided_at · limit or more."""
    plan = ctx.memory.plan
    away = inventory(ctx.market[0], ctx.params.target_position)
    most = ctx.params.one_sided_at * ctx.params.max_position
    if abs(away) >= most and away != 0.0:
        if away > 0.0:
            plan.to_buy = 0.0
        else:
            plan.to_sell = 0.0
        plan.causes |= _ONE_SIDED
