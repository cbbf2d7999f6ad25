"""Overlays of the width, and of the size with it: `volatility_width`, `session_edges`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

import math
from typing import Any

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.plan import Cause, resize, widen
from twosided.strategies.quoting import mid_ticks

__all__ = ["session_edges", "volatility_width"]

_VOLATILITY, _SESSION = int(Cause.VOLATILITY), int(Cause.SESSION)
_DAY_S = 86_400.0


def own_sigma(params: Any, name: str) -> None:
    """Put the strategy's own ``sigma`` in the place of a volatility *name* that is 0.

    Raises:
        InputError: it has none.
    """
    if params[name] == 0.0:
        if "sigma" not in (params.dtype.names or ()):
            raise InputError(
                f"parameter {name} is 0, which stands for the strategy's sigma, but it has none; set {name} (price/sqrt(s))"
            )
        params[name] = params.sigma


def _settle_reference(params: Any, _instruments: tuple[Any, ...], _memory: Any) -> None:
    own_sigma(params, "volatility_reference")


def _power(base: float, exponent: float) -> float:
    """Return base^exponent for a base above 0, the same compiled and interpreted."""
    return math.exp(exponent * math.log(base))


power = compiled(_power)


@overlay(
    volatility_reference=Param(
        0.0, unit="price/sqrt(s)", minimum=0, help="volatility at which the plan stays as it is; 0 is the strategy's sigma"
    ),
    volatility_half_life_s=Param(10.0, unit="s", minimum=1e-3, help="half-life of the estimate of the present volatility"),
    volatility_width_power=Param(1.0, minimum=0, help="the width grows with this power of volatility / reference"),
    volatility_size_power=Param(1.25, minimum=0, help="quantities shrink with this power of it; 1 keeps quantity × volatility"),
    volatility_most=Param(5.0, unit="times the width", minimum=1),
    prepare=_settle_reference,
    memory={"volatility_mid": "f8", "volatility_ns": "i8", "volatility_squares": "f8", "volatility_seconds": "f8"},
)
def volatility_width(ctx: Any) -> None:
    """Widen by (volatility / reference)^width_power, and divide quantities by its size_power; never narrower than planned.

    The volatility is the root of the squared moves of the mid between decisions over the time that they took, each weighted by half
    per half-life since (RiskMetrics 1996, section 5.2, on irregular times). In the first half-life of a run nothing changes.
    """
    memory, params, market = ctx.memory, ctx.params, ctx.market[0]
    mid = mid_ticks(market)
    if memory.volatility_ns != 0:
        seconds = (ctx.now_ns - memory.volatility_ns) * 1e-9
        decay = math.exp(-math.log(2.0) * seconds / params.volatility_half_life_s)
        move = mid - memory.volatility_mid
        memory.volatility_squares = decay * memory.volatility_squares + move * move
        memory.volatility_seconds = decay * memory.volatility_seconds + seconds
    memory.volatility_mid, memory.volatility_ns = mid, ctx.now_ns
    warm = ctx.now_ns - ctx.start_ns >= params.volatility_half_life_s * 1e9 and memory.volatility_seconds > 0.0
    if warm:
        volatility = math.sqrt(memory.volatility_squares / memory.volatility_seconds) * market.tick_size
        ratio = volatility / params.volatility_reference
        if ratio > 1.0:
            widen(memory.plan, min(power(ratio, params.volatility_width_power), params.volatility_most))
            resize(memory.plan, power(ratio, -params.volatility_size_power), market.lot_size)
            memory.plan.causes |= _VOLATILITY


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
