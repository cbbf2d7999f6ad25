"""`avellaneda_stoikov`: the quotes of Avellaneda and Stoikov (2008) for a finite horizon, see `twosided.models.avellaneda_stoikov`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

All parameters are in money, not ticks, and inventory counts quotes, so that neither a finer tick nor a finer lot changes a price.
"""

import math
from typing import Any

from twosided._compile import compiled
from twosided.models.avellaneda_stoikov import optimal_spread, reservation_price
from twosided.strategies.compose import quoter
from twosided.strategies.contract import Param
from twosided.strategies.plan import make_plan
from twosided.strategies.quoting import inventory, mid_ticks

__all__ = ["avellaneda_stoikov"]


def _remaining_s(now_ns: int, start_ns: int, horizon_s: float) -> float:
    """Return T - t: the seconds until the present horizon, which follow one another from the start of the run."""
    elapsed_s = (now_ns - start_ns) * 1e-9
    return horizon_s - (elapsed_s - math.floor(elapsed_s / horizon_s) * horizon_s)


remaining_s = compiled(_remaining_s)


@quoter(
    gamma=Param(0.1, unit="1/(price × quote)", minimum=1e-12, help="risk aversion"),
    sigma=Param(unit="price/sqrt(s)", minimum=0, help="volatility of the mid"),
    k=Param(unit="1/price", minimum=1e-12, help="decay of the intensity of fills with the distance from the mid"),
    horizon_s=Param(600.0, unit="s", minimum=1e-3, help="length of a session of the model; the next one follows at once"),
)
def avellaneda_stoikov(ctx: Any) -> None:
    """Quote r ± spread/2 with r = mid - q·gamma·sigma²·(T - t), spread = gamma·sigma²·(T - t) + (2/gamma)·ln(1 + gamma/k)."""
    market = ctx.market[0]
    gamma, sigma, k = ctx.params.gamma, ctx.params.sigma, ctx.params.k
    q = inventory(market, ctx.params.target_position) / ctx.params.quantity
    remaining = remaining_s(ctx.now_ns, ctx.start_ns, ctx.params.horizon_s)
    skew = reservation_price(0.0, q, gamma, sigma, remaining) / market.tick_size
    half = 0.5 * optimal_spread(gamma, sigma, k, remaining) / market.tick_size
    make_plan(ctx.memory.plan, mid_ticks(market) + skew, half, half, ctx.params.quantity, ctx.params.quantity)
