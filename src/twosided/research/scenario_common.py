"""What scenarios have in common: when things happen, and what is expected in all of them.

Where you are in the pipe: beside it, see `twosided.research.scenario`.
"""

import math

import numpy as np

from twosided.research.expectations import Expectation
from twosided.research.scenario import Span
from twosided.research.scenario_watch import Watch

__all__ = ["ALWAYS", "BEFORE", "EARLY", "END_S", "ROUGH_S", "number_or", "presence", "ratio_or", "spans_until"]

ROUGH_S, END_S = 60.0, 120.0
"""When it gets rough in every scenario, and when most of them get quiet again."""

EARLY = Span("warm-up", 0, 20)
BEFORE = Span("before", 20, ROUGH_S)


def spans_until(until_s: float, last_s: float) -> tuple[Span, ...]:
    """Return the phases of a scenario that is rough until one time, and lasts until another."""
    return EARLY, BEFORE, Span("during", ROUGH_S, until_s), Span("after", until_s, last_s)


def ratio_or(one: float, other: float, nothing: str) -> float | str:
    """Return one / other, or *nothing* where there is no such number."""
    return one / other if math.isfinite(one) and math.isfinite(other) and other != 0.0 else nothing


def number_or(value: float, nothing: str) -> float | str:
    """Return *value*, or *nothing* where it is no number."""
    return value if math.isfinite(value) else nothing


def _most_inventory(watch: Watch) -> float | str:
    if not math.isfinite(watch.limit):
        return "the strategy has no max_position"
    held = watch.run.fills["position_lots"].to_numpy()
    return float(np.max(np.abs(held), initial=0)) * watch.lot / watch.limit


def _through_the_book(watch: Watch) -> float:
    """Count decisions after which a quote would take, or meet the other."""
    crossing = (watch.bid >= watch.market_ask) | (watch.ask <= watch.market_bid) | (watch.bid >= watch.ask)
    return float(np.sum(crossing))


ALWAYS = (
    Expectation("limit", "inventory is never beyond the limit", _most_inventory, high=1.0, unit="of the limit"),
    Expectation(
        "book", "no quote at or through the market's other side, or its own", _through_the_book, high=0.0, unit="decisions"
    ),
)


def presence(name: str, from_s: float, to_s: float, least: float, when: str) -> Expectation:
    """Expect quotes on both sides for a share of a stretch of time."""
    rule = f"quotes both sides for at least {least:.0%} of the time {when}"
    return Expectation(name, rule, lambda watch: watch.presence(from_s, to_s), low=least, unit="of the time")
