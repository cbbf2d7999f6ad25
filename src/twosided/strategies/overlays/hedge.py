"""Overlays about hedges: `hedger` offsets inventory in another market, `exits_as_hedges` marks what gets rid of it in its own.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

`hedger` works for market 0 in market 1. It takes what that shows, so that market must allow it: ``settings: markets: [{},
{post_only: false}]``. Fills of hedges are marked, and are a part of their own in the split.
"""

import math
from typing import Any

from twosided.models.no_trade_band import band_of
from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param, quote_ask, quote_bid, withdraw
from twosided.strategies.overlays.pair import mid_price, require_two
from twosided.strategies.quoting import inventory

__all__ = ["exits_as_hedges", "hedger"]


@overlay(
    hedge_ratio=Param(1.0, unit="units of 1 per unit of 0", help="how many hedge one: `twosided pairs` measures it"),
    hedge_gamma=Param(1e-4, unit="1/quote currency", minimum=1e-12, help="risk aversion: larger makes the band narrower"),
    hedge_sigma=Param(0.0, unit="price/sqrt(s)", minimum=0, help="volatility of market 1; 0 is what is measured"),
    hedge_fee=Param(0.0, unit="bps", minimum=0, help="taker fee and tax of market 1: what a trade costs besides half the spread"),
    hedge_band=Param(0.0, unit="base units of 1", minimum=0, help="half-width of the band; 0 is the one that costs least"),
    hedge_memory_s=Param(300.0, unit="s", minimum=1e-3, help="time constant over which moves of the inventory are measured"),
    signals=("volatility",),
    prepare=require_two,
    hedges=(1,),
    memory={"hedge_target": "f8", "hedge_squares": "f8", "hedge_seconds": "f8", "hedge_ns": "i8", "hedge_band_now": "f8"},
)
def hedger(ctx: Any) -> None:
    """Do nothing while the position in 1 is within ±band of -ratio · inventory in 0; outside, take as much as leads to its edge.

    The band is that of `twosided.models.no_trade_band`: (3 c v / (2 gamma sigma²))^(1/3), c half the spread of market 1 and its
    fee, v the mean square of the target's moves a second. Before volatility and moves were measured there is no band, and
    inventory is offset at once. While an order is under way it stands.
    """
    params, memory, market = ctx.params, ctx.memory, ctx.market[1]
    target = -params.hedge_ratio * inventory(ctx.market[0], params.target_position)
    if memory.hedge_ns != 0:
        seconds = 1e-9 * (ctx.now_ns - memory.hedge_ns)
        decay = math.exp(-seconds / params.hedge_memory_s)
        move = target - memory.hedge_target
        memory.hedge_squares = decay * memory.hedge_squares + move * move
        memory.hedge_seconds = decay * memory.hedge_seconds + seconds
    memory.hedge_target = target
    memory.hedge_ns = ctx.now_ns

    band = params.hedge_band
    sigma = params.hedge_sigma
    if sigma == 0.0:
        sigma = ctx.signals.volatility[1] * market.tick_size
    if band == 0.0 and sigma > 0.0 and memory.hedge_seconds > 0.0:
        cost = 0.5 * (market.ask_ticks - market.bid_ticks) * market.tick_size + 1e-4 * params.hedge_fee * mid_price(market)
        band = band_of(cost, memory.hedge_squares / memory.hedge_seconds, params.hedge_gamma, sigma)
    memory.hedge_band_now = band

    needed = target - market.position_lots * market.lot_size
    if abs(needed) <= band:
        withdraw(ctx, 1)
    elif needed > 0.0:
        quote_ask(ctx, 1, 0, float(market.ask_ticks), 0.0)
        if market.working_bid_lots == 0 or ctx.quotes[1, 0, 0].ticks < market.ask_ticks:
            quote_bid(ctx, 1, 0, float(market.ask_ticks), needed - band)
    else:
        quote_bid(ctx, 1, 0, float(market.bid_ticks), 0.0)
        if market.working_ask_lots == 0 or ctx.quotes[1, 1, 0].ticks > market.bid_ticks:
            quote_ask(ctx, 1, 0, float(market.bid_ticks), -needed - band)


@overlay()
def exits_as_hedges(ctx: Any) -> None:
    """Mark as a hedge what an overlay before this one offers at the market to get rid of inventory; orders stay as they are.

    What quoting earned and what getting out cost are then parts of their own in the split.
    """
    ctx.memory.plan.hedge = ctx.memory.plan.may_take
