"""What the order manager keeps about a desk is what looking at all of its slots finds, at every decision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import Told, random_market, scripted

from twosided.engines.replay_pass import Pass
from twosided.engines.settings import Orders, ReplaySettings
from twosided.execution.order_state import is_live

pytestmark = pytest.mark.interpreted


def look(tables, index):
    """Return the slots taken and the open lots of a desk, slot by slot."""
    orders = tables["orders"][0, 0, index]
    live = [order for order in orders if is_live(int(order["state"]))]
    return int(orders["used"].sum()), sum(int(order["open_lots"]) for order in live)


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    levels=st.sampled_from([1, 3]),
    replaces=st.booleans(),
    ways=st.sampled_from([("1ms", "1ms"), ("7ms", "3ms"), ("sampled*3", "sampled*2")]),
)
def test_a_desk_knows_its_orders(seed, levels, replaces, ways):
    rng, events, script = np.random.default_rng(seed), random_market(seed, n=100), {}
    for ms in range(2, 100, 4):
        places = [(side, at) for side in (1, -1) for at in range(levels)]
        wanted = [(side, at, 1000 - side * (at + int(rng.integers(0, 4))), int(rng.integers(1, 40))) for side, at in places]
        script[ms] = [quote for quote in wanted if rng.random() < 0.8]
    seen = []

    def check(ctx):
        actor.function(ctx)
        for index, shown in enumerate((ctx.market[0].working_bid_lots, ctx.market[0].working_ask_lots)):
            desk, (used, open_lots) = engine.tables["desks"][0, 0, index], look(engine.tables, index)
            assert (desk["used"], desk["open_lots"], shown) == (used, open_lots, open_lots)
            seen.append(used)

    actor = scripted(script, levels)
    chosen = ReplaySettings(orders=Orders(replace=replaces), entry_latency=ways[0], response_latency=ways[1])
    told = Told(events)
    engine = Pass(told, [actor._replace(function=check)], [chosen], None, told.survey())
    engine.run(None)
    assert max(seen) >= levels
