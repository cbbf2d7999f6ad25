"""What holds for every shipped strategy with any overlays of its market on it, in any order, whatever they see and have seen."""

import math
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.strategies.catalogue import OVERLAYS, STRATEGIES
from twosided.strategies.compose import compose
from twosided.strategies.overlays.pair import require_two

pytestmark = pytest.mark.interpreted

QUANTITY, LIMIT, MID = 24, 96, 100_000
NUMBERS = {
    "sigma": 0.05,
    "A": 1.0,
    "k": 20.0,
    "horizon_s": 60.0,
    "phi": 0.001,  # money: a tick is 0.01
    "unit": "ticks",
    "half_spread": 7.0,
    "step": 2.0,
    "quantity": QUANTITY,
    "max_position": LIMIT,
    "volatility_reference": 0.01,
    "volatility_half_life_s": 0.5,
    "reduction_sigma": 0.05,
    "flatten_sigma": 0.05,
    "interval_reference": 0.05,
    "adverse_horizon_s": 0.2,
    "fill_half_life": 1.0,
    "band_share": 1e-3,
    "queue_reach": 10.0,
    "edges_open_s": 80_000.0,
    "flatten_close_s": 80_060.0,
    "flatten_window_s": 120.0,
    "flatten_risk_aversion": 0.1,
    "alpha_imbalance": 3.0,
    "toxicity_persist_s": 0.1,
    "queue_spread": 2.0,
    "target_widen": 0.5,
    "linear_slope": 1000.0,
}
OF_ONE_MARKET = [name for name, each in OVERLAYS.items() if each.declared.prepare is not require_two]
START_NS = 1_700_000_000_000_000_000 // 86_400_000_000_000 * 86_400_000_000_000 + 79_990 * 10**9


@dataclass(frozen=True)
class Seen:
    """What is seen at one decision; signals are what they are in a market like this, in eighths, so that they mirror exactly."""

    elapsed_s: float
    bid: int
    spread: int
    position: int
    bid_lots: int
    ask_lots: int
    micro: float
    ofi: float
    trade_imbalance: float
    short_volatility: float
    feed_age_s: float
    spread_ratio: float

    def view(self):
        return {
            "elapsed_s": self.elapsed_s,
            "bid": self.bid,
            "ask": self.bid + self.spread,
            "position": self.position,
            "bid_lots": self.bid_lots,
            "ask_lots": self.ask_lots,
            "imbalance": (self.bid_lots - self.ask_lots) / (self.bid_lots + self.ask_lots),
            "microprice_ticks": self.bid + self.spread * self.micro,
            "ofi": self.ofi,
            "trade_imbalance": self.trade_imbalance,
            "short_volatility": self.short_volatility,
            "feed_age_s": self.feed_age_s,
            "spread_ratio": self.spread_ratio,
            "hurst": 0.3,
            "vpin": abs(self.trade_imbalance),
        }

    def mirrored(self):
        return replace(
            self,
            bid=2 * MID - self.bid - self.spread,
            position=-self.position,
            bid_lots=self.ask_lots,
            ask_lots=self.bid_lots,
            micro=1.0 - self.micro,
            ofi=-self.ofi,
            trade_imbalance=-self.trade_imbalance,
        )


eighths = st.integers(-8, 8).map(lambda n: n / 8)
seen = st.builds(
    Seen,
    elapsed_s=st.integers(1, 1000).map(lambda n: n / 8),
    bid=st.integers(MID - 60, MID + 60),
    spread=st.sampled_from([1, 1, 2, 5, 20]),
    position=st.one_of(st.integers(-LIMIT - 2, LIMIT + 2), st.integers(-LIMIT // 6, LIMIT // 6)),
    bid_lots=st.integers(1, 64),
    ask_lots=st.integers(1, 64),
    micro=st.integers(0, 8).map(lambda n: n / 8),
    ofi=eighths,
    trade_imbalance=eighths,
    short_volatility=st.sampled_from([0.0, 3.0, 30.0, 900.0]),
    feed_age_s=st.sampled_from([0.0, 0.0, 0.5, 2.0]),
    spread_ratio=st.sampled_from([1.0, 1.0, 3.0]),
)
histories = st.lists(seen, min_size=1, max_size=5).map(lambda each: sorted(each, key=lambda one: one.elapsed_s))
composed = st.tuples(
    st.sampled_from(sorted(name for name, each in STRATEGIES.items() if each.stages)),
    st.lists(st.sampled_from(sorted(OF_ONE_MARKET)), min_size=1, max_size=6, unique=True),
).map(lambda parts: compose(STRATEGIES[parts[0]], *(OVERLAYS[name] for name in parts[1])))
many = settings(max_examples=120)


@pytest.fixture(scope="module")
def watch(watched):
    """Watch a strategy with the numbers that it has parameters for."""
    return lambda strategy: watched(strategy, {name: value for name, value in NUMBERS.items() if name in strategy.params})


def ask_all(asked, history):
    for each in history:
        quotes = asked(start_ns=START_NS, **each.view())
    return quotes


@many
@given(composed, histories)
def test_quotes_cross_neither_each_other_nor_the_market_and_keep_the_limit(watch, strategy, history):
    asked = watch(strategy)
    quotes, last = ask_all(asked, history), history[-1]
    assert all(math.isfinite(asked.plan[name]) for name in ("centre", "half_bid", "half_ask", "to_buy", "to_sell", "step"))
    if asked.plan.keep and not asked.plan.paused:
        return  # what stands was judged when it was quoted
    if quotes.bids and quotes.asks:
        assert quotes.bid <= quotes.ask - 1
    for ticks, lots in quotes.bids:
        assert ticks < last.bid + last.spread + (asked.plan.may_take == 1)
        assert lots > 0
    for ticks, lots in quotes.asks:
        assert ticks > last.bid - (asked.plan.may_take == -1)
        assert lots > 0
    if quotes.bids:
        assert last.position + sum(lots for _, lots in quotes.bids) <= LIMIT
        assert quotes.bid <= asked.plan.centre - asked.plan.half_bid + 1e-6  # outward: never above what is planned
    if quotes.asks:
        assert last.position - sum(lots for _, lots in quotes.asks) >= -LIMIT
        assert quotes.ask >= asked.plan.centre + asked.plan.half_ask - 1e-6
    if asked.plan.paused:
        assert not quotes.bids
        assert not quotes.asks


@many
@given(composed, histories, st.integers(1, LIMIT))
def test_long_inventory_raises_neither_quote(watch, strategy, history, position):
    flat, long = (
        ask_all(watch(strategy), [replace(each, position=held) for each in history])  # held from the beginning: no fill in between
        for held in (0, position)
    )
    for before, after in ((flat.bids, long.bids), (flat.asks, long.asks)):
        assert all(more[0] <= less[0] for less, more in zip(before, after, strict=False))


def require_mirrored(watch, strategy, history):
    there, here = watch(strategy), watch(strategy)
    mirror, quotes = ask_all(there, [each.mirrored() for each in history]), ask_all(here, history)
    assert there.plan.causes == here.plan.causes
    assert there.plan.may_take == -here.plan.may_take
    for one, other in ((quotes.bids, mirror.asks), (quotes.asks, mirror.bids)):
        assert len(one) == len(other)
        for (ticks, lots), (its_ticks, its_lots) in zip(one, other, strict=True):
            assert abs(2 * MID - ticks - its_ticks) <= 1  # shares of the price differ by a hair
            assert abs(lots - its_lots) <= 1


@many
@given(composed, histories)
def test_what_is_mirrored_is_quoted_mirrored(watch, strategy, history):
    require_mirrored(watch, strategy, history)


@pytest.mark.parametrize("name", OF_ONE_MARKET)
@settings(max_examples=40)
@given(history=histories)
def test_each_overlay_alone_mirrors_what_is_mirrored(watch, name, history):
    require_mirrored(watch, compose(STRATEGIES["fixed"], OVERLAYS[name]), history)


@pytest.mark.parametrize("name", OF_ONE_MARKET)
@settings(max_examples=25)
@given(history=histories)
def test_each_overlay_alone_makes_no_quote_larger_or_closer_than_planned_but_where_it_says_so(watch, name, history):
    bare, asked = watch(STRATEGIES["fixed"]), watch(compose(STRATEGIES["fixed"], OVERLAYS[name]))
    ask_all(bare, history)
    ask_all(asked, history)
    before, after = bare.plan, asked.plan
    moves_the_centre = {"alpha_shift", "flow_shift", "mean_reversion", "target_inventory"}
    takes = {"aggressive_reduction", "flatten_before_close"}
    if name not in moves_the_centre:
        assert after.centre == before.centre
    if name not in takes | {"queue_value"}:
        assert after.half_bid >= before.half_bid
        assert after.half_ask >= before.half_ask
    if name not in takes:
        assert after.to_buy <= before.to_buy
        assert after.to_sell <= before.to_sell
        assert after.may_take == 0
