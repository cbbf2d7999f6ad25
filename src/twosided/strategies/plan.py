"""The plan: a centre, a width and a size, which a quoter makes, overlays change, and `place_plan` turns into quotes.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

A composed strategy is a row of stages, each a function of ``ctx``: the quoter writes the whole plan with `make_plan`, each overlay
changes some of it in the order of the strategy's name, and the last stage quotes it. The plan is ``ctx.memory.plan``, a record of
`PLAN`.
"""

from enum import IntEnum
from typing import Any, Self

import numpy as np

from twosided._compile import compiled
from twosided.strategies.quoting import place

__all__ = ["PLAN", "Cause", "cause_words", "make_plan", "pause", "place_plan", "resize", "widen"]

PLAN = np.dtype(
    (
        np.record,
        [
            ("centre", "f8"),  # ticks; what the quotes lie around
            ("half_bid", "f8"),  # ticks from the centre down to the bid; negative where inventory brings the bid above it
            ("half_ask", "f8"),  # ticks from the centre up to the ask
            ("to_buy", "f8"),  # base units to bid for on each rung; 0 or less: no bid
            ("to_sell", "f8"),
            ("step", "f8"),  # ticks from one rung to the next
            ("rungs", "i8"),  # quotes a side
            ("paused", "i8"),  # 1: no quotes at all, whatever else the plan says
            ("keep", "i8"),  # 1: quotes stand as they are
            ("may_take", "i8"),  # +1: the bid may reach the market's ask; -1: the ask may reach its bid; 0: neither
            ("hedge", "i8"),  # +1: the bid is a hedge; -1: the ask is; 0: both are quotes
            ("causes", "i8"),  # bits of Cause
        ],
    )
)
"""A plan for market 0."""


class Cause(IntEnum):
    """Why a plan is not what the quoter alone made of it: a bit each, since several may hold, and `words` for people."""

    words: str

    def __new__(cls, bit: int, words: str) -> Self:
        """Make a member of its bit and what it means."""
        member = int.__new__(cls, bit)
        member._value_ = bit
        member.words = words
        return member

    VOLATILITY = 1 << 0, "volatility is above its reference: wider and smaller"
    LIQUIDITY = 1 << 1, "the spread is far above its average, or the touch thin: wider and smaller"
    ADVERSE_SELECTION = 1 << 2, "the mid moves against recent fills: wider"
    TRADE_IMBALANCE = 1 << 3, "trades are one-sided: paused"
    SHORT_VOLATILITY = 1 << 4, "the mid moves too fast: paused"
    VPIN = 1 << 5, "order flow is toxic by VPIN: paused"
    FILL_RATE = 1 << 6, "fills come too often: wider, then paused"
    INVENTORY = 1 << 7, "inventory: the side that adds to it is smaller"
    ONE_SIDED = 1 << 8, "inventory is near its limit: only the side that reduces it is quoted"
    STALE_FEED = 1 << 9, "the feed is silent: withdrawn"
    BAND = 1 << 10, "a price limit is near: kept inside and smaller"
    SESSION = 1 << 11, "the session has just begun or is about to end: wider"
    FLATTENING = 1 << 12, "the session is about to end: inventory follows its schedule to the target"
    HOLDING_COSTS = 1 << 13, "holding the inventory costs more than crossing the spread: it is reduced at the market"
    INTERVAL = 1 << 14, "decided a moment ago: quotes stand"
    QUEUE = 1 << 15, "queue value: a quote joins or leaves the touch"
    OWN = 1 << 62, "a cause of the user's own overlay"


def cause_words(causes: int) -> list[str]:
    """Return what the bits of a plan's ``causes`` mean."""
    return [cause.words for cause in Cause if int(causes) & cause]


def _make_plan(plan: Any, centre: float, half_bid: float, half_ask: float, to_buy: float, to_sell: float) -> None:
    """Write a whole plan of one quote a side: distances in ticks, quantities in base units."""
    plan.centre = centre
    plan.half_bid, plan.half_ask = half_bid, half_ask
    plan.to_buy, plan.to_sell = to_buy, to_sell
    plan.step, plan.rungs = 0.0, 1
    plan.paused = plan.keep = plan.may_take = plan.hedge = plan.causes = 0


make_plan = compiled(_make_plan)


def _widen(plan: Any, factor: float) -> None:
    """Multiply the distances of both quotes from the centre, and from one rung to the next."""
    plan.half_bid *= factor
    plan.half_ask *= factor
    plan.step *= factor


widen = compiled(_widen)


def _resize(plan: Any, factor: float, lot_size: float) -> None:
    """Multiply both quantities; what was a lot or more stays a lot or more."""
    plan.to_buy = max(plan.to_buy * factor, min(plan.to_buy, lot_size))
    plan.to_sell = max(plan.to_sell * factor, min(plan.to_sell, lot_size))


resize = compiled(_resize)


def _pause(plan: Any, cause: int) -> None:
    """Ask for no quotes at all, and say why."""
    plan.paused = 1
    plan.causes |= cause


pause = compiled(_pause)


def _quote_plan(market: Any, quotes: Any, plan: Any, max_position: float, target_position: float) -> None:
    """Do what `place_plan` says; it sees no record of the strategy's own, so that it compiles once for all of them."""
    if plan.keep == 1 and plan.paused == 0:
        return
    for level in range(quotes.shape[2]):
        if plan.paused == 0 and level < plan.rungs:
            away = level * plan.step
            bid, ask = plan.centre - (plan.half_bid + away), plan.centre + (plan.half_ask + away)
            place(market, quotes, level, bid, ask, plan.to_buy, plan.to_sell, max_position, target_position, plan.may_take)
            quotes[0, 0, level].hedge = int(plan.hedge > 0)
            quotes[0, 1, level].hedge = int(plan.hedge < 0)
        else:
            quotes[0, 0, level].lots = 0
            quotes[0, 1, level].lots = 0


quote_plan = compiled(_quote_plan)


def place_plan(ctx: Any) -> None:
    """Quote the plan: each rung rounded outward, with as much of its quantity as the limit has room for; see `quoting.place`."""
    quote_plan(ctx.market[0], ctx.quotes, ctx.memory.plan, ctx.params.max_position, ctx.params.target_position)
