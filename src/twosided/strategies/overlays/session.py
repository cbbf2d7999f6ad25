"""Overlays of the clock: `flatten_before_close`, `decision_interval`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

import math
from typing import Any

from twosided.models.almgren_chriss import Market, liquidate
from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.overlays.holding import reduce_at_market
from twosided.strategies.overlays.reference import own_sigma
from twosided.strategies.plan import Cause
from twosided.strategies.quoting import inventory

__all__ = ["decision_interval", "flatten_before_close"]

_FLATTENING, _INTERVAL = int(Cause.FLATTENING), int(Cause.INTERVAL)
_DAY_S = 86_400.0
_STEPS = 100


def _tabulate_schedule(params: Any, _instruments: tuple[Any, ...], memory: Any) -> None:
    """Fill ``memory.flatten_share``: what share of the inventory is left after each hundredth of the window.

    Raises:
        InputError: no volatility was given, and the strategy has none.
    """
    own_sigma(params, "flatten_sigma")
    market = Market(sigma=float(params.flatten_sigma), temporary=float(params.flatten_temporary))
    risk, window = float(params.flatten_risk_aversion), float(params.flatten_window_s)
    memory.flatten_share[:] = liquidate(market, position=1.0, horizon_s=window, risk_aversion=risk).left[:: 1000 // _STEPS]


@overlay(
    flatten_close_s=Param(_DAY_S, unit="s after midnight UTC", minimum=0, maximum=_DAY_S, help="when the session closes"),
    flatten_window_s=Param(900.0, unit="s", minimum=1, help="how long before it inventory begins to go"),
    flatten_sigma=Param(0.0, unit="price/sqrt(s)", minimum=0, help="volatility of the mid; 0 is the strategy's sigma"),
    flatten_temporary=Param(
        1e-3, unit="price/(unit/s)", minimum=1e-15, help="how much worse the price is for each unit a second that is traded"
    ),
    flatten_risk_aversion=Param(1e-3, unit="1/money", minimum=0, help="0 trades at an even pace, more trades earlier"),
    prepare=_tabulate_schedule,
    memory={"flatten_share": ("f8", (_STEPS + 1,)), "flatten_from": "f8", "flatten_on": "i8"},
)
def flatten_before_close(ctx: Any) -> None:
    """Let |inventory| be at most X·sinh(kappa·left) / sinh(kappa·window), X what it was when the window began.

    That is the schedule of Almgren and Chriss (2000), kappa = sigma·sqrt(risk aversion / temporary). In the window
    nothing is quoted that adds; what is above the schedule is offered at the market (see `aggressive_reduction` about taking).
    """
    memory, params, market = ctx.memory, ctx.params, ctx.market[0]
    left_s = params.flatten_close_s - (ctx.now_ns % 86_400_000_000_000) * 1e-9
    if left_s < 0.0:
        left_s += _DAY_S
    if left_s >= params.flatten_window_s:
        memory.flatten_on = 0
    else:
        away = inventory(market, params.target_position)
        if memory.flatten_on == 0:
            memory.flatten_on, memory.flatten_from = 1, abs(away)
        place = (1.0 - left_s / params.flatten_window_s) * _STEPS
        step = min(int(math.floor(place)), _STEPS - 1)
        share = memory.flatten_share[step] + (place - step) * (memory.flatten_share[step + 1] - memory.flatten_share[step])
        excess = abs(away) - memory.flatten_from * share
        if away >= 0.0:
            memory.plan.to_buy = 0.0
        if away <= 0.0:
            memory.plan.to_sell = 0.0
        if excess >= market.lot_size:
            reduce_at_market(memory.plan, market, away, excess)
        memory.plan.causes |= _FLATTENING


def _settle_interval(params: Any, _instruments: tuple[Any, ...], _memory: Any) -> None:
    own_sigma(params, "interval_reference")


@overlay(
    interval_slow_s=Param(1.0, unit="s", minimum=1e-3, help="between two changes of the quotes in a calm market"),
    interval_fast_s=Param(0.1, unit="s", minimum=1e-3, help="the shortest"),
    interval_reference=Param(
        0.0, unit="price/sqrt(s)", minimum=0, help="volatility up to which the market is calm; 0 is the strategy's sigma"
    ),
    interval_messages_per_s=Param(20.0, unit="messages/s", minimum=1e-3, help="budget; a change of the quotes is 2 for each rung"),
    signals=("short_volatility",),
    every_ns=50_000_000,
    prepare=_settle_interval,
    memory={"interval_ns": "i8", "interval_position": "i8"},
)
def decision_interval(ctx: Any) -> None:
    """Leave quotes as they are for slow·reference/volatility since they changed, at least fast and 2·rungs/budget, at most slow.

    What moves at all moves sigma·sqrt(dt) in dt: an interval that goes with 1/sigma lets quotes be less stale where it matters. A
    fill ends the interval, and so does what pauses the strategy.
    """
    memory, params, market = ctx.memory, ctx.params, ctx.market[0]
    least = max(params.interval_fast_s, 2.0 * memory.plan.rungs / params.interval_messages_per_s)
    volatility = ctx.signals.short_volatility[0] * market.tick_size
    wanted = params.interval_slow_s
    if volatility > params.interval_reference:
        wanted = params.interval_slow_s * params.interval_reference / volatility
    interval_s = max(wanted, least)
    fresh = (ctx.now_ns - memory.interval_ns) * 1e-9 < interval_s
    if fresh and memory.interval_ns != 0 and market.position_lots == memory.interval_position:
        memory.plan.keep = 1
        memory.plan.causes |= _INTERVAL
    else:
        memory.interval_ns, memory.interval_position = ctx.now_ns, market.position_lots
