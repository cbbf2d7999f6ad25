"""Overlays of the width, and of the size with it: `volatility_width`, `linear_volatility`, `liquidity_stress`, `session_edges`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

import math
from typing import Any

from twosided.signals.volatility import VOLATILITY, update_volatility
from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.overlays.reference import decay_of, own_sigma, power
from twosided.strategies.plan import Cause, resize, widen
from twosided.strategies.quoting import mid_ticks

__all__ = ["linear_volatility", "liquidity_stress", "session_edges", "volatility_width"]

_VOLATILITY, _LIQUIDITY, _SESSION = int(Cause.VOLATILITY), int(Cause.LIQUIDITY), int(Cause.SESSION)
_DAY_S = 86_400.0


def _settle_reference(params: Any, _instruments: tuple[Any, ...], _memory: Any) -> None:
    own_sigma(params, "volatility_reference")


@overlay(
    volatility_reference=Param(
        0.0, unit="price/sqrt(s)", minimum=0, help="volatility at which the plan stays as it is; 0 is the strategy's sigma"
    ),
    volatility_half_life_s=Param(10.0, unit="s", minimum=1e-3, help="half-life of the estimate of the present volatility"),
    volatility_width_power=Param(1.0, minimum=0, help="the width grows with this power of volatility / reference"),
    volatility_size_power=Param(1.25, minimum=0, help="quantities shrink with this power of it; 1 keeps quantity × volatility"),
    volatility_most=Param(5.0, unit="times the width", minimum=1),
    prepare=_settle_reference,
    memory={"volatility_of_mid": VOLATILITY},
)
def volatility_width(ctx: Any) -> None:
    """Widen by (volatility / reference)^width_power, and divide quantities by its size_power; never narrower than planned.

    The volatility is the root of the squared moves of the mid between decisions over the time that they took, each weighted by half
    per half-life since (see `twosided.signals.volatility`). In the first half-life of a run nothing changes.
    """
    params, market, plan, estimate = ctx.params, ctx.market[0], ctx.memory.plan, ctx.memory.volatility_of_mid
    update_volatility(estimate, ctx.now_ns, mid_ticks(market), params.volatility_half_life_s / math.log(2.0))
    volatility = estimate.value * market.tick_size
    if volatility > params.volatility_reference and ctx.now_ns - ctx.start_ns >= params.volatility_half_life_s * 1e9:
        ratio = volatility / params.volatility_reference
        widen(plan, min(power(ratio, params.volatility_width_power), params.volatility_most))
        resize(plan, power(ratio, -params.volatility_size_power), market.lot_size)
        plan.causes |= _VOLATILITY


@overlay(
    linear_slope=Param(10.0, unit="times the width, for each 100 % of the price in 5 s", minimum=0),
    signals=("short_volatility",),
)
def linear_volatility(ctx: Any) -> None:
    """Widen by 1 + slope·v, where v is how far the mid moves in 5 s (one standard deviation), as a share of the price."""
    market = ctx.market[0]
    move = ctx.signals.short_volatility[0] * math.sqrt(5.0) / max(mid_ticks(market), 1.0)
    if move > 0.0:
        widen(ctx.memory.plan, 1.0 + ctx.params.linear_slope * move)
        ctx.memory.plan.causes |= _VOLATILITY


@overlay(
    liquidity_spread=Param(2.0, unit="times its average", minimum=1, help="a market's spread above it is stress"),
    liquidity_thin=Param(0.25, unit="of its average", minimum=0, maximum=1, help="a thinner side of the touch below it is stress"),
    liquidity_half_life_s=Param(60.0, unit="s", minimum=1e-3, help="of the average size of the thinner side"),
    liquidity_width=Param(1.5, unit="times the width", minimum=1),
    liquidity_size=Param(0.5, unit="times the quantity", minimum=0, maximum=1),
    signals=("spread_ratio",),
    memory={"liquidity_touch": "f8", "liquidity_ns": "i8"},
)
def liquidity_stress(ctx: Any) -> None:
    """Widen and resize while the spread is above liquidity_spread · its average, or the touch below liquidity_thin · its own."""
    memory, params, market = ctx.memory, ctx.params, ctx.market[0]
    touch = float(min(market.bid_lots, market.ask_lots))
    if memory.liquidity_ns == 0:
        memory.liquidity_touch = touch
    thin = touch < params.liquidity_thin * memory.liquidity_touch
    if thin or ctx.signals.spread_ratio[0] > params.liquidity_spread:
        widen(memory.plan, params.liquidity_width)
        resize(memory.plan, params.liquidity_size, market.lot_size)
        memory.plan.causes |= _LIQUIDITY
    if memory.liquidity_ns != 0:
        decay = decay_of((ctx.now_ns - memory.liquidity_ns) * 1e-9, params.liquidity_half_life_s)
        memory.liquidity_touch = decay * memory.liquidity_touch + (1.0 - decay) * touch
    memory.liquidity_ns = ctx.now_ns


@overlay(
    edges_open_s=Param(0.0, unit="s after midnight UTC", minimum=0, maximum=_DAY_S, help="when the session opens"),
    edges_close_s=Param(_DAY_S, unit="s after midnight UTC", minimum=0, maximum=_DAY_S, help="when it closes; may be the next day"),
    edges_first_s=Param(300.0, unit="s", minimum=0, help="how long after the open it is wider, less and less"),
    edges_last_s=Param(300.0, unit="s", minimum=0, help="how long before the close it is wider, more and more"),
    edges_width=Param(2.0, unit="times the width", minimum=1, help="at the open and at the close"),
    edges_size=Param(0.5, unit="times the quantity", minimum=0, maximum=1, help="at the open and at the close"),
)
def session_edges(ctx: Any) -> None:
    """Widen by 1 + (edges_width - 1)·e and resize by 1 - (1 - edges_size)·e: e falls from 1 at the open, and is 1 at the close."""
    params, plan = ctx.params, ctx.memory.plan
    length_s = params.edges_close_s - params.edges_open_s
    if length_s <= 0.0:
        length_s += _DAY_S
    since_s = (ctx.now_ns % 86_400_000_000_000) * 1e-9 - params.edges_open_s
    if since_s < 0.0:
        since_s += _DAY_S
    left_s = length_s - since_s
    edge = 0.0
    if left_s >= 0.0:
        if since_s < params.edges_first_s:
            edge = 1.0 - since_s / params.edges_first_s
        if left_s < params.edges_last_s:
            edge = max(edge, 1.0 - left_s / params.edges_last_s)
    if edge > 0.0:
        widen(plan, 1.0 + (params.edges_width - 1.0) * edge)
        resize(plan, 1.0 - (1.0 - params.edges_size) * edge, ctx.market[0].lot_size)
        plan.causes |= _SESSION
