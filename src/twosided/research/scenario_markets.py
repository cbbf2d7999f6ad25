"""Scenarios of prices and people: volatility, inventory, informed flow, a crash, a spread that opens.

Where you are in the pipe: beside it, see `twosided.research.scenario`.
"""

import math
from typing import Any

import numpy as np

from twosided.engines.flow_phases import Phase
from twosided.research.expectations import Expectation
from twosided.research.scenario import QUIET, Scenario, Span
from twosided.research.scenario_common import ALWAYS, BEFORE, EARLY, END_S, ROUGH_S, number_or, presence, ratio_or, spans_until
from twosided.research.scenario_watch import Watch
from twosided.strategies.plan import Cause

__all__ = ["MARKETS"]

# ---------------------------------------------------------------- volatility


_HALF_LIFE_S = 10.0


def _after_three(watch: Watch) -> tuple[float, float]:
    """Return the ten seconds that end three half-lives of the volatility estimate after the spike."""
    half_life_s = float(watch.run.facts["params"].get("volatility_half_life_s", _HALF_LIFE_S))
    return ROUGH_S + 3 * half_life_s - 10, ROUGH_S + 3 * half_life_s


def _width_ratio(watch: Watch) -> float | str:
    return ratio_or(
        watch.mean(watch.width, *_after_three(watch)),
        watch.mean(watch.width, BEFORE.from_s, BEFORE.to_s),
        "it never quoted both sides",
    )


def _size_ratio(watch: Watch) -> float | str:
    return ratio_or(
        watch.mean(watch.size, *_after_three(watch)),
        watch.mean(watch.size, BEFORE.from_s, BEFORE.to_s),
        "it never quoted before",
    )


_SPIKE = Scenario(
    name="volatility-spike",
    sentence="Volatility rises from 1 % to 5 % a day, all at once, and stays there.",
    how="The efficient price's volatility goes from 0.65 to 3.25 ticks/√s at 60 s; people act seven times as often, 60 % of "
    "traders are informed, and makers react three times as much to a trade and post a tick further out: then the mid follows.",
    spans=(EARLY, BEFORE, Span("during", ROUGH_S, 180)),
    phases=(
        Phase(
            at_s=ROUGH_S,
            volatility_ticks=3.25,
            impact_ticks=2.6,
            half_spread_ticks=1.2,
            acts_per_second=250,
            informed_share=0.6,
        ),
    ),
    expectations=(
        Expectation(
            "width",
            "in the 10 s that end three half-lives of its volatility estimate (10 s where it has none) after the spike, the "
            "planned width is 3 to 5 times that before",
            _width_ratio,
            low=3.0,
            high=5.0,
            unit="times",
        ),
        Expectation("size", "and the planned size at most a fifth", _size_ratio, high=0.2, unit="times"),
        presence("presence", ROUGH_S, 180, 0.8, "during the spike"),
        *ALWAYS,
    ),
)

# ---------------------------------------------------------------- inventory


def _when(watch: Watch, low: float, high: float) -> Any:
    """Say at which decisions the position, over the limit, was between two bounds."""
    held = watch.position / watch.limit
    return np.asarray((held >= low) & (held <= high) & (watch.t >= EARLY.to_s))


def _typical(watch: Watch, values: Any, low: float, high: float) -> float:
    chosen = values[_when(watch, low, high)]
    chosen = chosen[np.isfinite(chosen)]
    return float(chosen.mean()) if len(chosen) else math.nan


_NEVER_HALF = "it never held 40 to 60 % of its limit"
_HALF, _FLAT = (0.4, 0.6), (-0.1, 0.1)


def _bid_further(watch: Watch) -> float | str:
    return number_or(_typical(watch, watch.to_bid, *_HALF) - _typical(watch, watch.to_ask, *_HALF), _NEVER_HALF)


def _bid_lower(watch: Watch) -> float | str:
    return number_or(_typical(watch, watch.to_bid, *_HALF) - _typical(watch, watch.to_bid, *_FLAT), _NEVER_HALF)


def _ask_lower(watch: Watch) -> float | str:
    return number_or(_typical(watch, watch.to_ask, *_FLAT) - _typical(watch, watch.to_ask, *_HALF), _NEVER_HALF)


_ACCUMULATION = Scenario(
    name="one-sided-accumulation",
    sentence="The crowd sells for two minutes, makers take it for noise, and the bid is hit again and again.",
    how="From 60 to 180 s all uninformed traders sell, nine in ten traders are uninformed, and makers' belief follows a trade by "
    "0.1 tick instead of 0.8.",
    spans=spans_until(180, 240),
    phases=(
        Phase(at_s=ROUGH_S, crowd=-1.0, impact_ticks=0.1, informed_share=0.1),
        Phase(at_s=180, crowd=0.0, impact_ticks=QUIET.impact_ticks, informed_share=QUIET.informed_share),
    ),
    expectations=(
        Expectation(
            "further",
            "long half the limit (40 to 60 %), the bid is further from the mid than the ask",
            _bid_further,
            0.05,
            unit="ticks",
        ),
        Expectation("bid lower", "and lower, against the mid, than when flat", _bid_lower, 0.05, unit="ticks"),
        Expectation("ask lower", "and so is the ask", _ask_lower, 0.05, unit="ticks"),
        *ALWAYS,
    ),
)


def _skew(watch: Watch) -> float | str:
    """Return how much further from the mid the side that adds to the inventory is than the other."""
    held = np.abs(watch.position) >= 0.2 * watch.limit
    chosen = held & watch.within(ROUGH_S, 150) & np.isfinite(watch.to_bid) & np.isfinite(watch.to_ask)
    if not chosen.any():
        return "it never held a fifth of its limit"
    return float(np.mean(np.sign(watch.position[chosen]) * (watch.to_bid - watch.to_ask)[chosen]))


_TREND = Scenario(
    name="trend",
    sentence="The price rises by 40 ticks in a minute and a half, in small steps.",
    how="The efficient price drifts by 1.1 ticks a second from 60 to 150 s; makers learn of it from trades, and slowly.",
    spans=spans_until(150, 180),
    phases=(Phase(at_s=ROUGH_S, drift_ticks=1.1), Phase(at_s=150, drift_ticks=0.0)),
    expectations=(
        Expectation(
            "skew",
            "while it holds a fifth of its limit or more, the side that adds is further from the mid than the other",
            _skew,
            0.05,
            unit="ticks",
        ),
        *ALWAYS,
    ),
)

# ---------------------------------------------------------------- people who know more


_TOXIC_CAUSES = int(Cause.TRADE_IMBALANCE) | int(Cause.SHORT_VOLATILITY) | int(Cause.VPIN)


def _paused(watch: Watch) -> float | str:
    toxic = (watch.causes & _TOXIC_CAUSES) != 0
    return watch.mean((toxic & np.isnan(watch.bid) & np.isnan(watch.ask)).astype(np.float64), ROUGH_S, END_S)


def _paused_before(watch: Watch) -> float:
    return watch.mean(((watch.causes & _TOXIC_CAUSES) != 0).astype(np.float64), BEFORE.from_s, BEFORE.to_s)


def _lot_worse(watch: Watch) -> float | str:
    """Return by how much a lot that was filled while it was toxic had earned more after 10 s than one filled before."""
    return number_or(watch.markout(ROUGH_S, END_S, 10.0) - watch.markout(BEFORE.from_s, 50.0, 10.0), "nothing was filled")


_SWING = 0.3
"""How far the price goes in one swing of the toxic minute."""


def _toxic_loss(watch: Watch) -> float | str:
    if not math.isfinite(watch.limit):
        return "the strategy has no max_position"
    return max(-watch.earned(ROUGH_S, END_S), 0.0) / (watch.limit * _SWING)


_TOXIC = Scenario(
    name="toxic-flow",
    sentence="For a minute nine of ten traders know where the price goes, and it goes up and down by turns.",
    how="From 60 to 120 s the efficient price drifts by 3 ticks a second, up for 15 s, down for 15 s, and again (the mid "
    "swings by about 30 ticks); 90 % of traders are informed, traders are half as frequent again, and makers' belief follows a "
    "trade by 0.5 instead of 0.8 ticks.",
    spans=spans_until(END_S, 180),
    phases=(
        Phase(at_s=ROUGH_S, drift_ticks=3.0, informed_share=0.9, trade_share=0.05, impact_ticks=0.5, acts_per_second=72),
        Phase(at_s=75, drift_ticks=-3.0),
        Phase(at_s=90, drift_ticks=3.0),
        Phase(at_s=105, drift_ticks=-3.0),
        Phase(
            at_s=END_S,
            drift_ticks=0.0,
            informed_share=QUIET.informed_share,
            trade_share=QUIET.trade_share,
            impact_ticks=QUIET.impact_ticks,
            acts_per_second=QUIET.acts_per_second,
        ),
    ),
    expectations=(
        Expectation(
            "pause",
            "withdrawn for at least a quarter of the time, and the plan says that it is because trades are toxic",
            _paused,
            0.25,
            unit="of the time",
        ),
        Expectation(
            "no false alarm",
            "withdrawn for that reason at most 5 % of the quiet time before",
            _paused_before,
            high=0.05,
            unit="of the time",
        ),
        Expectation(
            "markout",
            "a lot filled meanwhile is worth, 10 s later, at most 5 ticks less than one filled before",
            _lot_worse,
            -5.0,
            unit="ticks a lot",
        ),
        Expectation(
            "loss", "loses at most a third of what its limit would on one swing of 30 ticks", _toxic_loss, high=0.33, unit="of it"
        ),
        presence("return", END_S + 10, 180, 0.8, "from 10 s after it ended"),
        *ALWAYS,
    ),
)

# ---------------------------------------------------------------- prices that jump, makers who leave


def _loss(watch: Watch) -> float | str:
    """Return the loss during the crash over what the limit would have lost on its whole move."""
    chosen = watch.mid[watch.within(ROUGH_S, 95)]
    if not math.isfinite(watch.limit) or not len(chosen):
        return "the strategy has no max_position"
    move = float(chosen.max() - chosen.min()) * float(watch.run.instruments[0].tick_size)
    return max(-watch.earned(ROUGH_S, 95), 0.0) / (watch.limit * move)


_CRASH = Scenario(
    name="flash-crash",
    sentence="The price falls by 1.6 per cent in fifteen seconds while the book empties, and comes most of the way back.",
    how="From 60 s four of five traders are informed and the efficient price falls by 20 ticks a second for 10 s; makers post five "
    "times as often but wider, and the book holds a third of its orders; from 75 to 90 s it rises by 12 ticks a second.",
    spans=spans_until(95, 180),
    phases=(
        Phase(
            at_s=ROUGH_S,
            drift_ticks=-20.0,
            acts_per_second=180,
            informed_share=0.8,
            impact_ticks=2.0,
            half_spread_ticks=2.0,
            resting_orders=50,
        ),
        Phase(at_s=70, drift_ticks=0.0),
        Phase(at_s=75, drift_ticks=12.0),
        Phase(at_s=90, drift_ticks=0.0),
        Phase(
            at_s=95,
            acts_per_second=QUIET.acts_per_second,
            informed_share=QUIET.informed_share,
            impact_ticks=QUIET.impact_ticks,
            half_spread_ticks=QUIET.half_spread_ticks,
            resting_orders=QUIET.resting_orders,
        ),
    ),
    expectations=(
        Expectation("loss", "loses no more than its limit would on the whole move", _loss, high=1.0, unit="of limit × move"),
        presence("return", 105, 180, 0.8, "from 10 s after the recovery"),
        *ALWAYS,
    ),
)


_JUST_BEFORE, _STRESSED = (ROUGH_S - 15, ROUGH_S), (ROUGH_S + 3, ROUGH_S + 18)
"""A spread that lasts becomes the usual one: overlays compare it with its average over a minute."""


def _wider(watch: Watch) -> float | str:
    before = watch.mean(watch.width, *_JUST_BEFORE)
    return ratio_or(watch.mean(watch.width, *_STRESSED), before, "it never quoted both sides")


def _smaller(watch: Watch) -> float | str:
    before = watch.mean(watch.size, *_JUST_BEFORE)
    return ratio_or(watch.mean(watch.size, *_STRESSED), before, "it never quoted before")


_WIDE = Scenario(
    name="wide-spread",
    sentence="Most makers leave for a minute: the spread is seven times as wide, and little stands at the touch.",
    how="From 60 to 120 s makers post at least 6 ticks from their belief instead of 0.3, and 25 orders rest instead of 140; "
    "they are gone within two busy seconds, and what is left happens a third as often.",
    spans=spans_until(END_S, 180),
    phases=(
        Phase(at_s=ROUGH_S, half_spread_ticks=6.0, resting_orders=25, acts_per_second=200),
        Phase(at_s=62, acts_per_second=12),
        Phase(
            at_s=END_S,
            half_spread_ticks=QUIET.half_spread_ticks,
            resting_orders=QUIET.resting_orders,
            acts_per_second=QUIET.acts_per_second,
        ),
    ),
    expectations=(
        Expectation(
            "width",
            "from 3 to 18 s on, the planned width is at least 1.4 times that of the last 15 s before",
            _wider,
            1.4,
            unit="times",
        ),
        Expectation("size", "and the planned size at most 0.6 times", _smaller, high=0.6, unit="times"),
        presence("return", END_S + 10, 180, 0.8, "from 10 s after it ended"),
        *ALWAYS,
    ),
)

MARKETS = (_SPIKE, _ACCUMULATION, _TOXIC, _TREND, _CRASH, _WIDE)
"""In the order in which they are listed."""
