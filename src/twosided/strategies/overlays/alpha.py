"""Overlays of the centre: `alpha_shift`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

from typing import Any

from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.quoting import mid_ticks

__all__ = ["alpha_shift"]


@overlay(
    alpha_microprice=Param(1.0, unit="ticks per tick", help="weight of microprice - mid"),
    alpha_imbalance=Param(0.0, unit="ticks", help="shift where everything at the touch is bid"),
    alpha_most=Param(5.0, unit="ticks", minimum=0, help="the shift is never larger"),
    signals=("imbalance", "microprice_ticks"),
)
def alpha_shift(ctx: Any) -> None:
    """Move the centre by microprice_weight·(microprice - mid) + imbalance_weight·imbalance, within ±alpha_most."""
    params, signals = ctx.params, ctx.signals
    shift = params.alpha_imbalance * signals.imbalance[0]
    if signals.microprice_ticks[0] != 0.0:  # 0 before the first book
        shift += params.alpha_microprice * (signals.microprice_ticks[0] - mid_ticks(ctx.market[0]))
    ctx.memory.plan.centre += min(max(shift, -params.alpha_most), params.alpha_most)
