"""Overlays that look at a second market: `pair_alpha`, `carry`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

Both quote market 0 and only watch market 1, so they need a run of two markets (docs/markets.md).
"""

import math
from typing import Any

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.models.carry import future_factor, perpetual_factor
from twosided.signals.pairs import KALMAN, SPREAD, kalman_start, kalman_step, spread_step
from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.quoting import mid_ticks

__all__ = ["carry", "mid_price", "pair_alpha", "require_two"]

_YEAR_S = 365.0 * 86_400.0


def require_two(_params: Any, instruments: tuple[Any, ...], _memory: Any) -> None:
    """Refuse a run of one market.

    Raises:
        InputError: there is no market 1.
    """
    if len(instruments) < 2:
        raise InputError("this overlay looks at market 1, and the run has one market; name a second with --market")


def _mid_price(market: Any) -> float:
    """Return the mid in money."""
    return float(mid_ticks(market) * market.tick_size)


mid_price = compiled(_mid_price)


def _clipped(value: float, most: float) -> float:
    return min(max(value, -most), most)


clipped = compiled(_clipped)


@overlay(
    pair_ratio=Param(1.0, unit="price of 0 per price of 1", help="hedge ratio at the start: `twosided pairs` measures it"),
    pair_drift=Param(0.0, unit="of the ratio per sqrt(s)", minimum=0, help="how fast the ratio walks; 0 keeps it"),
    pair_mean_s=Param(60.0, unit="s", minimum=1e-3, help="time constant of the spread's mean"),
    pair_sample_s=Param(0.1, unit="s", minimum=1e-3, help="time between two samples of the pair"),
    pair_weight=Param(1.0, minimum=0, help="share of the mispricing by which the centre moves; 1 is the fair price"),
    pair_from_z=Param(0.0, minimum=0, help="smaller mispricings, in deviations of the spread, move nothing"),
    pair_most=Param(20.0, unit="ticks", minimum=0, help="the shift is never larger"),
    prepare=require_two,
    memory={"pair_filter": KALMAN, "pair_spread": SPREAD, "pair_ns": "i8"},
)
def pair_alpha(ctx: Any) -> None:
    """Move the centre by -weight · mispricing, the own mid less intercept + ratio · the other's mid, by a Kalman filter.

    All variances count in that of the noise, which is the spread's own. The intercept walks as fast as makes it an exponential mean
    over pair_mean_s: with K = 1 - exp(-dt/pair_mean_s), its variance is K²/(1 - K) a step, and K where it rests.
    """
    params, memory, plan = ctx.params, ctx.memory, ctx.memory.plan
    own, other = mid_price(ctx.market[0]), mid_price(ctx.market[1])
    line, spread = memory.pair_filter, memory.pair_spread
    if line.count == 0:
        kalman_start(line, params.pair_ratio, 1.0 - math.exp(-params.pair_sample_s / params.pair_mean_s), 0.0)
        kalman_step(line, other, own, 0.0, 0.0, 1.0)
        memory.pair_ns = ctx.now_ns
        return
    mispricing = own - line.intercept - line.slope * (other - line.origin)
    passed_ns = ctx.now_ns - memory.pair_ns
    if passed_ns + 1 >= 1e9 * params.pair_sample_s:
        seconds = 1e-9 * passed_ns
        gain = 1.0 - math.exp(-seconds / params.pair_mean_s)
        spread_step(spread, mispricing, 1.0 - gain)
        noise = max(spread.deviation * spread.deviation, ctx.market[0].tick_size * ctx.market[0].tick_size)
        walk = params.pair_drift * params.pair_ratio
        kalman_step(line, other, own, gain * gain / (1.0 - gain), walk * walk * seconds / noise, 1.0)
        memory.pair_ns = ctx.now_ns
    if abs(mispricing) >= params.pair_from_z * spread.deviation:
        plan.centre += clipped(-params.pair_weight * mispricing / ctx.market[0].tick_size, params.pair_most)


@overlay(
    carry_contract=Param("dated", choices=("dated", "perpetual"), help="market 0: a future that expires, or a perpetual"),
    carry_rate=Param(0.0, unit="1/year", help="interest on money, continuously compounded"),
    carry_yield=Param(0.0, unit="1/year", help="what holding market 1 earns, less its storage"),
    carry_days=Param(0.0, unit="days", minimum=0, help="from the start of the run until the future expires"),
    carry_kappa=Param(1095.0, unit="1/year", minimum=1e-6, help="perpetual: speed at which funding takes the premium back"),
    carry_iota=Param(0.1095, unit="1/year", help="perpetual: interest that longs pay in any case"),
    carry_ratio=Param(
        1.0, unit="price of 0 per price of 1", minimum=1e-12, help="units: an index future against a tenth of it: 10"
    ),
    carry_weight=Param(1.0, minimum=0, maximum=1, help="share of the way from the own mid to the fair price"),
    carry_aggression=Param(0.0, minimum=0, maximum=1, help="share by which the side that trades at a good price comes nearer"),
    carry_from=Param(1.0, unit="ticks", minimum=0, help="a smaller gap makes no side more aggressive"),
    carry_most=Param(20.0, unit="ticks", minimum=0, help="the centre never moves farther"),
    prepare=require_two,
)
def carry(ctx: Any) -> None:
    """Put the centre at the fair price of a future on market 1, and come nearer on the cheap side (`twosided.models.carry`).

    Where the future is below its fair price the bid is the side that trades well, above it the ask.
    """
    params, plan, market = ctx.params, ctx.memory.plan, ctx.market[0]
    rate = params.carry_rate - params.carry_yield
    if params.carry_contract == 0:
        years = max(params.carry_days * 86_400.0 - 1e-9 * (ctx.now_ns - ctx.start_ns), 0.0) / _YEAR_S
        factor = future_factor(rate, years)
    else:
        factor = perpetual_factor(rate, params.carry_kappa, params.carry_iota)
    fair = params.carry_ratio * factor * mid_price(ctx.market[1]) / market.tick_size
    gap = fair - mid_ticks(market)
    plan.centre += clipped(params.carry_weight * gap, params.carry_most)
    if abs(gap) >= params.carry_from:
        if gap > 0.0:
            plan.half_bid *= 1.0 - params.carry_aggression
        else:
            plan.half_ask *= 1.0 - params.carry_aggression
