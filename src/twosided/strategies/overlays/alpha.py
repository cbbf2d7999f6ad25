"""Overlays of the centre: `alpha_shift`, `flow_shift`, `mean_reversion`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

from typing import Any

from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.overlays.reference import decay_of
from twosided.strategies.quoting import mid_ticks

__all__ = ["alpha_shift", "flow_shift", "mean_reversion"]


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


@overlay(
    reversion_strength=Param(0.5, unit="ticks per tick", minimum=0, help="share of the deviation that is expected to come back"),
    reversion_half_life_s=Param(60.0, unit="s", minimum=1e-3, help="of the average that the mid is held against"),
    reversion_hurst=Param(
        0.45, minimum=0, maximum=1, help="the mid reverts while its Hurst exponent is below; 0.5 is a random walk"
    ),
    reversion_most=Param(5.0, unit="ticks", minimum=0, help="the shift is never larger"),
    signals=("hurst",),
    memory={"reversion_average": "f8", "reversion_ns": "i8"},
)
def mean_reversion(ctx: Any) -> None:
    """Move the centre by -strength·(mid - average), within ±reversion_most, while the Hurst exponent is below reversion_hurst."""
    memory, params = ctx.memory, ctx.params
    mid = mid_ticks(ctx.market[0])
    if memory.reversion_ns == 0:
        memory.reversion_average = mid
    else:
        decay = decay_of((ctx.now_ns - memory.reversion_ns) * 1e-9, params.reversion_half_life_s)
        memory.reversion_average = decay * memory.reversion_average + (1.0 - decay) * mid
    memory.reversion_ns = ctx.now_ns
    if ctx.signals.hurst[0] < params.reversion_hurst:
        shift = -params.reversion_strength * (mid - memory.reversion_average)
        memory.plan.centre += min(max(shift, -params.reversion_most), params.reversion_most)
