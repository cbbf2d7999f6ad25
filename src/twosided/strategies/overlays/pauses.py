"""Overlays that withdraw all quotes for a while: `toxicity_pause`, `feed_guard`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

import math
from typing import Any

from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.plan import Cause, pause
from twosided.strategies.quoting import mid_ticks

__all__ = ["feed_guard", "toxicity_pause"]

_TRADE_IMBALANCE, _SHORT_VOLATILITY = int(Cause.TRADE_IMBALANCE), int(Cause.SHORT_VOLATILITY)
_VPIN, _STALE_FEED = int(Cause.VPIN), int(Cause.STALE_FEED)


@overlay(
    toxicity_trade_imbalance=Param(
        0.7, minimum=0, maximum=1, help="|bought - sold| / (bought + sold) over 1 s above it is toxic; 1 is never"
    ),
    toxicity_persist_s=Param(2.0, unit="s", minimum=0, help="for how long: one trade alone is one-sided for a second"),
    toxicity_volatility=Param(
        0.02, unit="of the price in 5 s", minimum=0, help="a standard deviation of the mid's move above it is toxic"
    ),
    toxicity_vpin=Param(1.0, minimum=0, maximum=1, help="VPIN above it is toxic; 1 is never: what is much differs by market"),
    toxicity_cool_s=Param(1.0, unit="s", minimum=0, help="quotes come back this long after it ended"),
    signals=("trade_imbalance", "short_volatility", "vpin"),
    memory={"toxicity_since_ns": "i8", "toxicity_last_ns": "i8", "toxicity_causes": "i8"},
)
def toxicity_pause(ctx: Any) -> None:
    """Withdraw while |trade imbalance| was above its limit for toxicity_persist_s, or short volatility or VPIN is; and a bit after.

    Sources: the thresholds of the `production` preset; Easley, López de Prado and O'Hara (2012) for VPIN. A limit on imbalance
    alone would stop at each single trade of a quiet market.
    """
    memory, params = ctx.memory, ctx.params
    causes = 0
    if abs(ctx.signals.trade_imbalance[0]) > params.toxicity_trade_imbalance:
        if memory.toxicity_since_ns == 0:
            memory.toxicity_since_ns = ctx.now_ns
        if (ctx.now_ns - memory.toxicity_since_ns) * 1e-9 >= params.toxicity_persist_s:
            causes |= _TRADE_IMBALANCE
    else:
        memory.toxicity_since_ns = 0
    move = ctx.signals.short_volatility[0] * math.sqrt(5.0) / max(mid_ticks(ctx.market[0]), 1.0)
    if move > params.toxicity_volatility:
        causes |= _SHORT_VOLATILITY
    if ctx.signals.vpin[0] > params.toxicity_vpin:
        causes |= _VPIN
    if causes != 0:
        memory.toxicity_causes, memory.toxicity_last_ns = causes, ctx.now_ns
    if memory.toxicity_causes != 0 and (ctx.now_ns - memory.toxicity_last_ns) * 1e-9 <= params.toxicity_cool_s:
        pause(memory.plan, memory.toxicity_causes)


@overlay(feed_most_age_s=Param(1.0, unit="s", minimum=0, help="how long the feed may be silent"), signals=("feed_age_s",))
def feed_guard(ctx: Any) -> None:
    """Withdraw while nothing at all has come of the market, heartbeats included, for more than feed_most_age_s."""
    if ctx.signals.feed_age_s[0] > ctx.params.feed_most_age_s:
        pause(ctx.memory.plan, _STALE_FEED)
