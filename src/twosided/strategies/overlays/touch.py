"""Overlays of where quotes may stand: `queue_value`, `band_guard`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

import math
from typing import Any

from twosided._compile import compiled
from twosided.signals.by_name import NO_LIMIT_TICKS
from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.plan import Cause, pause, resize, widen
from twosided.strategies.quoting import mid_ticks

__all__ = ["band_guard", "queue_value"]

_QUEUE, _BAND = int(Cause.QUEUE), int(Cause.BAND)
_SAMPLES = 64


def _joins(edge: float, joined: int, join: float, leave: float) -> int:
    """Return whether a side stands at the touch: it joins from *join* on, and stays down to *leave*."""
    return 1 if edge >= (leave if joined == 1 else join) else 0


joins = compiled(_joins)


@overlay(
    queue_spread=Param(1.0, unit="ticks", minimum=1, help="a tick is large while the market's spread is at most this"),
    queue_join=Param(0.4, unit="ticks", help="edge from which on a side joins the touch"),
    queue_leave=Param(
        0.25, unit="ticks", help="edge below which it leaves it; in between it stays, and keeps its place in the queue"
    ),
    queue_reach=Param(1.0, unit="ticks", minimum=0, help="only a quote planned this close to the touch joins it"),
    queue_fee_bps=Param(0.0, unit="bps", help="the maker's fee; negative is a rebate"),
    signals=("microprice_ticks",),
    memory={"queue_bid": "i8", "queue_ask": "i8"},
)
def queue_value(ctx: Any) -> None:
    """Let a bid join the touch from microprice - touch - fee = queue_join ticks on, and leave below queue_leave; asks mirrored.

    With a large tick the price of a quote is hardly a choice, but to be in the queue is: a fill there is worth what the market will
    be worth next less the price (Moallemi and Yuan 2016, "A model for queue position valuation in a limit order book"; here the
    micro-price stands for what it will be worth, and the place in the queue, which nobody is told, is left out).
    """
    memory, params, plan, market = ctx.memory, ctx.params, ctx.memory.plan, ctx.market[0]
    micro = ctx.signals.microprice_ticks[0]
    if market.ask_ticks - market.bid_ticks <= params.queue_spread and micro != 0.0:
        fee = params.queue_fee_bps * 1e-4 * mid_ticks(market)
        memory.queue_bid = joins(micro - market.bid_ticks - fee, memory.queue_bid, params.queue_join, params.queue_leave)
        memory.queue_ask = joins(market.ask_ticks - micro - fee, memory.queue_ask, params.queue_join, params.queue_leave)
        bid, ask = plan.centre - plan.half_bid, plan.centre + plan.half_ask
        if memory.queue_bid == 0:
            bid = min(bid, market.bid_ticks - 1.0)
        elif bid >= market.bid_ticks - params.queue_reach:
            bid = float(market.bid_ticks)
        if memory.queue_ask == 0:
            ask = max(ask, market.ask_ticks + 1.0)
        elif ask <= market.ask_ticks + params.queue_reach:
            ask = float(market.ask_ticks)
        plan.half_bid, plan.half_ask = plan.centre - bid, ask - plan.centre
        plan.causes |= _QUEUE


@overlay(
    band_share=Param(
        0.1, unit="of the price", minimum=1e-6, maximum=1, help="half the band: 10 % for shares of the Hang Seng index"
    ),
    band_lookback_s=Param(300.0, unit="s", minimum=1, help="the band lies around the mid of so long ago"),
    band_near=Param(0.3, unit="of half the band", minimum=0, maximum=1, help="how near to a limit quotes begin to yield"),
    signals=("band_low_ticks", "band_high_ticks"),
    memory={"band_mids": ("f8", (_SAMPLES,)), "band_seen": "i8"},
)
def band_guard(ctx: Any) -> None:
    """Quote nothing outside reference·(1 ± share); where d = room / (near·half band) is below 1, resize by d and widen by 2 - d.

    Where the market has limits of its own (`twosided.market.price_bands`), the band is theirs. Elsewhere the reference is the mid
    band_lookback_s ago, to a 64th of it, and the first one until then, as in the volatility control
    mechanism of HKEX. Beyond a limit everything is withdrawn.
    """
    memory, params, plan = ctx.memory, ctx.params, ctx.memory.plan
    mid = mid_ticks(ctx.market[0])
    slot = 1 + int(math.floor((ctx.now_ns - ctx.start_ns) * 1e-9 / params.band_lookback_s * _SAMPLES))
    first = max(memory.band_seen, slot - _SAMPLES)  # each slot has the mid that stood when it began: the last one seen before
    for each in range(first, slot):
        memory.band_mids[each % _SAMPLES] = mid
    memory.band_seen = max(memory.band_seen, slot)
    reference = memory.band_mids[max(slot - _SAMPLES, 0) % _SAMPLES]
    half = params.band_share * reference
    low, high = ctx.signals.band_low_ticks[0], ctx.signals.band_high_ticks[0]
    if 0.0 < low < high < NO_LIMIT_TICKS:
        reference, half = 0.5 * (low + high), 0.5 * (high - low)
    room = half - abs(mid - reference)
    if room <= 0.0:
        pause(plan, _BAND)
    else:
        d = room / (params.band_near * half) if params.band_near > 0.0 else 1.0
        if d < 1.0:
            widen(plan, 2.0 - d)
            resize(plan, d, ctx.market[0].lot_size)
            plan.causes |= _BAND
        fits = half - (plan.centre - reference) - plan.half_ask  # from the ask up to the limit
        below = half + (plan.centre - reference) - plan.half_bid
        if fits < 0.0:
            plan.to_sell = 0.0
            plan.causes |= _BAND
        if below < 0.0:
            plan.to_buy = 0.0
            plan.causes |= _BAND
        while plan.rungs > 1 and (plan.rungs - 1) * plan.step > min(fits, below):
            plan.rungs -= 1
