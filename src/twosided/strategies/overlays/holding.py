"""Overlays of what inventory does to a plan: `inventory_size`, `one_sided`, `target_inventory`, `aggressive_reduction`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

Inventory is the position less its target. Only the side that adds to it is made smaller or taken away.
"""

from typing import Any

from twosided._compile import compiled
from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.overlays.reference import own_sigma
from twosided.strategies.plan import Cause
from twosided.strategies.quoting import inventory, mid_ticks

__all__ = ["aggressive_reduction", "inventory_size", "one_sided", "reduce_at_market", "target_inventory"]

_INVENTORY, _ONE_SIDED, _HOLDING_COSTS = int(Cause.INVENTORY), int(Cause.ONE_SIDED), int(Cause.HOLDING_COSTS)


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


@overlay(
    target_lean=Param(1.0, unit="half-widths", minimum=0, help="how far both quotes have moved where inventory is at the limit"),
    target_widen=Param(0.0, minimum=0, help="share by which the side that adds to inventory is wider at the limit"),
)
def target_inventory(ctx: Any) -> None:
    """Move the centre by -lean·half-width·s, s = inventory / limit, and widen the side that adds to inventory by 1 + widen·|s|.

    Inventory is the position less `target_position`: quotes lean towards the target, which need not be 0.
    """
    params, plan = ctx.params, ctx.memory.plan
    s = min(max(inventory(ctx.market[0], params.target_position) / params.max_position, -1.0), 1.0)
    plan.centre -= params.target_lean * 0.5 * (plan.half_bid + plan.half_ask) * s
    if s > 0.0:
        plan.half_bid += params.target_widen * s * abs(plan.half_bid)
    elif s < 0.0:
        plan.half_ask -= params.target_widen * s * abs(plan.half_ask)
    if s != 0.0:
        plan.causes |= _INVENTORY


def _reduce_at_market(plan: Any, market: Any, away: float, quantity: float) -> None:
    """Take away the side that adds to an inventory of *away*, and offer *quantity* of it at the opposite best price."""
    plan.rungs = 1
    if away > 0.0:
        plan.to_buy, plan.to_sell = 0.0, quantity
        plan.half_ask = market.bid_ticks - plan.centre
        plan.half_bid = 1.0 - plan.half_ask
        plan.may_take = -1
    else:
        plan.to_buy, plan.to_sell = quantity, 0.0
        plan.half_bid = plan.centre - market.ask_ticks
        plan.half_ask = 1.0 - plan.half_bid
        plan.may_take = 1


reduce_at_market = compiled(_reduce_at_market)


def _settle_reduction(params: Any, _instruments: tuple[Any, ...], _memory: Any) -> None:
    own_sigma(params, "reduction_sigma")


@overlay(
    reduction_gamma=Param(0.1, unit="1/(price × quote)", minimum=1e-12, help="risk aversion"),
    reduction_sigma=Param(0.0, unit="price/sqrt(s)", minimum=0, help="volatility of the mid; 0 is the strategy's sigma"),
    reduction_horizon_s=Param(60.0, unit="s", minimum=0, help="how long inventory would be held"),
    reduction_taker_bps=Param(0.0, unit="bps", help="the taker's fee"),
    prepare=_settle_reduction,
)
def aggressive_reduction(ctx: Any) -> None:
    """Sell (buy) at the market what is held beyond q*, where gamma·sigma²·q*·horizon = half the market's spread + the taker's fee.

    The left side is what Avellaneda and Stoikov's (2008) reservation price gives up for q quotes: beyond q* the
    market pays more. The order must be allowed to take (``--no-post-only``); otherwise it rests one tick inside the spread.
    """
    params, market = ctx.params, ctx.market[0]
    away = inventory(market, params.target_position)
    a_quote = params.reduction_gamma * params.reduction_sigma * params.reduction_sigma * params.reduction_horizon_s
    spread = 0.5 * (market.ask_ticks - market.bid_ticks) * market.tick_size
    crossing = spread + params.reduction_taker_bps * 1e-4 * mid_ticks(market) * market.tick_size
    if a_quote * abs(away) / params.quantity > crossing:
        excess = abs(away) - max(crossing, 0.0) / a_quote * params.quantity
        reduce_at_market(ctx.memory.plan, market, away, max(excess, market.lot_size))
        ctx.memory.plan.causes |= _HOLDING_COSTS
