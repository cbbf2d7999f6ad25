"""The strategy of the benchmarks: one bid and one ask, leaning against the position. `_peer.py` has it for hftbacktest.

It quotes at the touch or outside it, so that the price is the same whether or not a post-only order is moved off a crossing price,
and its prices are whole ticks, so that nothing depends on rounding.
"""

import math
from typing import Any

from twosided.strategies.contract import Param, quote_ask, quote_bid, strategy

__all__ = ["PARAMS", "quoter"]

PARAMS = {"half_spread_ticks": 0.5, "skew_ticks": 0.5, "quantity": 0.01, "most_quantities": 10.0}
"""What both sides are given; the position is held within ± `most_quantities` × `quantity`, skewed by `skew_ticks` per quantity."""


@strategy(
    half_spread_ticks=Param(PARAMS["half_spread_ticks"], unit="ticks"),
    skew_ticks=Param(PARAMS["skew_ticks"], unit="ticks per quantity held"),
    quantity=Param(PARAMS["quantity"], unit="base units"),
    most_quantities=Param(PARAMS["most_quantities"]),
)
def quoter(ctx: Any) -> None:
    """Quote around a mid that is lowered by the position; nothing on the side that would exceed the limit."""
    market, params = ctx.market[0], ctx.params
    held = market.position_lots * market.lot_size / params.quantity
    fair = 0.5 * (market.bid_ticks + market.ask_ticks) - params.skew_ticks * held
    bid = min(math.floor(fair - params.half_spread_ticks), market.bid_ticks)
    ask = max(math.ceil(fair + params.half_spread_ticks), market.ask_ticks)
    quote_bid(ctx, 0, 0, float(bid), params.quantity if held < params.most_quantities - 0.5 else 0.0)
    quote_ask(ctx, 0, 0, float(ask), params.quantity if held > 0.5 - params.most_quantities else 0.0)
