"""Composed strategies in the engine: the same compiled and as plain Python, alone and among others."""

import pytest
from scene import INSTRUMENT, random_market

from twosided._compile import INTERPRETED
from twosided.engines.replay import replay
from twosided.engines.settings import ReplaySettings
from twosided.errors import InputError
from twosided.strategies.catalogue import find_strategy
from twosided.strategies.plan_log import logged

NUMBERS = {
    "half_spread": 1.0,
    "step": 1.0,
    "unit": "ticks",
    "quantity": 5,
    "volatility_reference": 0.1,
    "volatility_half_life_s": 0.05,
    "adverse_horizon_s": 0.02,
    "interval_reference": 0.3,
    "interval_slow_s": 0.02,
    "interval_fast_s": 0.01,
    "interval_messages_per_s": 1000.0,
    "liquidity_half_life_s": 0.05,
    "feed_most_age_s": 0.01,
    "flatten_sigma": 0.3,
}
NAMES = (
    "fixed+volatility_width+adverse_selection+inventory_size+one_sided+alpha_shift",
    "skewed_price+liquidity_stress+flow_shift+feed_guard+decision_interval",
    "grid+target_inventory+queue_value+band_guard+flatten_before_close+session_edges",
)


def ready(name):
    strategy = find_strategy(name)
    numbers = {key: value for key, value in NUMBERS.items() if key in strategy.params}
    return strategy.with_params(numbers)._replace(every_ns=5_000_000)


def run(strategies):
    return replay(random_market(2024, n=1500), strategies, instruments=INSTRUMENT, settings=ReplaySettings(seed=11))


@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
def test_compiled_and_plain_python_alone_and_among_others_do_the_same():
    among = run([ready(name) for name in NAMES])
    assert [each.facts["strategy"] for each in among] == list(NAMES)
    for name, one in zip(NAMES, among, strict=True):
        assert len(one.fills) >= 5, name
        assert run(ready(name)).digest() == one.digest(), name
        assert run(ready(name)._replace(compiled=False)).digest() == one.digest(), name
    assert len({each.digest() for each in among} | {run(ready(name.split("+")[0])).digest() for name in NAMES}) == 6


def test_plans_can_be_logged_with_their_causes_without_changing_the_run():
    strategy, log = logged(ready(NAMES[0]))
    with pytest.raises(InputError, match="the log of plans has 0 decisions"):
        log.frame()
    seen = run(strategy)
    assert seen.digest() == run(ready(NAMES[0])).digest()
    assert seen.facts["strategy"] == NAMES[0]
    plans = log.frame()
    assert len(plans) == seen.facts["counts"]["decisions"]
    assert plans["now_ns"].is_sorted()
    assert (plans["half_bid"] >= 1.0).all()
    widened = plans.filter(plans["why"].str.contains("volatility is above its reference"))
    assert 0 < len(widened) < len(plans)
    assert (widened["half_bid"] > 1.0).all()
    strategy, log = logged(ready(NAMES[0]), most=3)
    run(strategy)
    with pytest.raises(InputError, match="allowed: 1 to 3, see logged"):
        log.frame()
