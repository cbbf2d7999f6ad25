"""Overlays that learn from own fills: `adverse_selection`, `fill_rate`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

A strategy is not handed its fills one by one; a change of its position between two decisions is one.
"""

from typing import Any

from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.overlays.reference import decay_of
from twosided.strategies.plan import Cause, pause, widen
from twosided.strategies.quoting import mid_ticks

__all__ = ["adverse_selection", "fill_rate"]

_ADVERSE_SELECTION, _FILL_RATE = int(Cause.ADVERSE_SELECTION), int(Cause.FILL_RATE)
_KEPT = 64


@overlay(
    adverse_horizon_s=Param(1.0, unit="s", minimum=0, help="how long after a fill the mid is looked at again"),
    adverse_enter=Param(0.5, unit="half-widths", minimum=0, help="an average loss by markouts beyond which it is wider"),
    adverse_leave=Param(0.25, unit="half-widths", minimum=0, help="the loss below which it is as planned again"),
    adverse_width=Param(1.5, unit="times the width", minimum=1),
    adverse_fills=Param(5.0, unit="fills", minimum=1e-3, help="half-life of a markout in the average"),
    adverse_half_life_s=Param(
        60.0, unit="s", minimum=1e-3, help="half-life of the average itself, so that it lets go without fills"
    ),
    memory={
        "adverse_due_ns": ("i8", (_KEPT,)),
        "adverse_mid": ("f8", (_KEPT,)),
        "adverse_side": ("i8", (_KEPT,)),
        "adverse_first": "i8",
        "adverse_count": "i8",
        "adverse_position": "i8",
        "adverse_last_mid": "f8",
        "adverse_last_ns": "i8",
        "adverse_markout": "f8",
        "adverse_wide": "i8",
    },
)
def adverse_selection(ctx: Any) -> None:
    """Widen while the average markout of own fills is a loss beyond adverse_enter, until it is one below adverse_leave.

    The markout of a fill of side s is s·(mid after the horizon - mid at the decision before the fill), in ticks, above 0 where
    the mid went our way; the average is exponential over fills. Fills come from changes of the position, so several between two
    decisions count as one. At most 64 wait for their horizon; of more, the oldest are not counted.
    """
    memory, params, market = ctx.memory, ctx.params, ctx.market[0]
    mid = mid_ticks(market)
    if memory.adverse_last_ns != 0:
        memory.adverse_markout *= decay_of((ctx.now_ns - memory.adverse_last_ns) * 1e-9, params.adverse_half_life_s)
        change = market.position_lots - memory.adverse_position
        if change != 0:
            if memory.adverse_count == _KEPT:
                memory.adverse_first = (memory.adverse_first + 1) % _KEPT
                memory.adverse_count -= 1
            place = (memory.adverse_first + memory.adverse_count) % _KEPT
            memory.adverse_due_ns[place] = ctx.now_ns + int(params.adverse_horizon_s * 1e9)
            memory.adverse_mid[place] = memory.adverse_last_mid
            memory.adverse_side[place] = 1 if change > 0 else -1
            memory.adverse_count += 1
    memory.adverse_position, memory.adverse_last_mid, memory.adverse_last_ns = market.position_lots, mid, ctx.now_ns
    kept = decay_of(1.0, params.adverse_fills)
    while memory.adverse_count > 0 and memory.adverse_due_ns[memory.adverse_first] <= ctx.now_ns:
        first = memory.adverse_first
        markout = memory.adverse_side[first] * (mid - memory.adverse_mid[first])
        memory.adverse_markout = kept * memory.adverse_markout + (1.0 - kept) * markout
        memory.adverse_first = (first + 1) % _KEPT
        memory.adverse_count -= 1
    half = 0.5 * (memory.plan.half_bid + memory.plan.half_ask)
    most = params.adverse_leave if memory.adverse_wide == 1 else params.adverse_enter
    memory.adverse_wide = 1 if -memory.adverse_markout > most * half else 0
    if memory.adverse_wide == 1:
        widen(memory.plan, params.adverse_width)
        memory.plan.causes |= _ADVERSE_SELECTION


@overlay(
    fill_widen_at=Param(0.8, unit="fills per decision", minimum=0, maximum=1),
    fill_stop_at=Param(0.9, unit="fills per decision", minimum=0, maximum=1),
    fill_width=Param(1.5, unit="times the width", minimum=1),
    fill_half_life=Param(20.0, unit="decisions", minimum=1e-3, help="of the average"),
    memory={"fill_position": "i8", "fill_seen": "i8", "fill_share": "f8"},
)
def fill_rate(ctx: Any) -> None:
    """Widen while more than fill_widen_at of recent decisions were filled before the next one; withdraw beyond fill_stop_at.

    The share is an exponential average, in which decisions without quotes count as not filled: so it lets go again.
    """
    memory, params, position = ctx.memory, ctx.params, ctx.market[0].position_lots
    if memory.fill_seen == 1:
        kept = decay_of(1.0, params.fill_half_life)
        memory.fill_share = kept * memory.fill_share + (1.0 - kept) * (1.0 if position != memory.fill_position else 0.0)
    memory.fill_position, memory.fill_seen = position, 1
    if memory.fill_share > params.fill_stop_at:
        pause(memory.plan, _FILL_RATE)
    elif memory.fill_share > params.fill_widen_at:
        widen(memory.plan, params.fill_width)
        memory.plan.causes |= _FILL_RATE
