"""Overlays of the centre: `alpha_shift`, `flow_shift`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

from typing import Any

from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.quoting import mid_ticks

__all__ = ["alpha_shift", "flow_shift"]


@overlay(
    alpha_microprice=Param(1.0, unit="ticks per tick", help="weight of microprice - mid"),
    alpha_imbalance=Param(0.0, unit="ticks", help="shift where everything at the touch is bid"),
    alpha_most=Param(5.0, unit="ticks", minimum=0, help="the shift is never larger"),
    signals=("imbalance", "microprice_ticks"),
)
def alpha_shift(ctx: Any) -> None:
    """Move the centre by microprice weight·(microprice - mid) + imbalance weight·imbalance, within ±alpha_most (Stoikov 2018)."""
    params, signals = ctx.params, ctx.signals
    shift = params.alpha_imbalance * signals.imbalance[0]
    if signals.microprice_ticks[0] != 0.0:  # 0 before the first book
        shift += params.alpha_microprice * (signals.microprice_ticks[0] - mid_ticks(ctx.market[0]))
    ctx.memory.plan.centre += min(max(shift, -params.alpha_most), params.alpha_most)


@overlay(
    flow_ofi=Param(
        0.5, unit="ticks", help="shift where the order flow of a second is as large as the touch; the source's is half a tick"
    ),
    flow_trades=Param(0.0, unit="ticks", help="shift where all that traded in a second was bought"),
    flow_from=Param(0.0, unit="sizes of the touch", minimum=0, help="a smaller order flow, either way, counts as none"),
    flow_most=Param(5.0, unit="ticks", minimum=0, help="the shift is never larger"),
    signals=("ofi", "trade_imbalance"),
)
def flow_shift(ctx: Any) -> None:
    """Move the centre by ofi weight·order flow imbalance + trades weight·trade imbalance, within ±flow_most.

    Source: Cont, Kukanov and Stoikov (2014): the mid moves with the order flow imbalance over twice the depth.
    """
    params, flow = ctx.params, ctx.signals.ofi[0]
    shift = params.flow_trades * ctx.signals.trade_imbalance[0]
    if abs(flow) >= params.flow_from:
        shift += params.flow_ofi * flow
    ctx.memory.plan.centre += min(max(shift, -params.flow_most), params.flow_most)
