"""What holds for every shipped strategy, whatever it sees."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.strategies.catalogue import STRATEGIES

pytestmark = pytest.mark.interpreted

MARKET = {"sigma": 0.05, "A": 1.0, "k": 20.0}  # money: a tick is 0.01
MODEL_BASED = ("avellaneda_stoikov", "glft")
ALL = sorted(name for name, each in STRATEGIES.items() if each.stages)  # that quote one market
LEANING = ("skewed_price", "avellaneda_stoikov", "glft")


def params_of(name, **more):
    """Return parameters under which quotes are some ticks wide: those that *name* has."""
    wanted = {**MARKET, "half_spread": 7.0, "step": 2.0, "unit": "ticks", "horizon_s": 60.0, **more}
    return {key: value for key, value in wanted.items() if key in STRATEGIES[name].params}


touch = st.tuples(st.integers(50_000, 150_000), st.integers(1, 40))
quantity = st.sampled_from([0, 1, 3, 10])
by_name = pytest.mark.parametrize("name", ALL)
few = settings(max_examples=40)


@by_name
@few
@given(touch, st.integers(-40, 40), quantity, st.floats(0.0, 300.0), st.sampled_from([0.0, 0.3, 7.0]), st.floats(0.01, 5.0))
def test_never_crosses_the_market_or_itself_and_never_quotes_a_negative_size(
    decide, name, market, position, size, elapsed_s, half, gamma
):
    bid, ask = market[0], market[0] + market[1]
    params = params_of(name, quantity=size, half_spread=half, gamma=gamma, skew=1.0)
    quotes = decide(STRATEGIES[name], params, bid=bid, ask=ask, position=position, elapsed_s=elapsed_s)
    for ticks, lots in quotes.bids:
        assert ticks < ask
        assert lots > 0
    for ticks, lots in quotes.asks:
        assert ticks > bid
        assert lots > 0
    if quotes.bids and quotes.asks:
        assert quotes.bid < quotes.ask
    assert [price for price, _ in quotes.bids] == sorted({price for price, _ in quotes.bids}, reverse=True)
    assert [price for price, _ in quotes.asks] == sorted({price for price, _ in quotes.asks})


@by_name
@few
@given(touch, st.integers(-60, 60), st.sampled_from([1, 3, 10]), st.integers(1, 50), st.integers(-20, 20))
def test_no_fill_can_bring_the_position_beyond_its_limit(decide, name, market, position, size, limit, target):
    params = params_of(name, quantity=size, max_position=max(limit, size), target_position=target)
    quotes = decide(STRATEGIES[name], params, bid=market[0], ask=market[0] + market[1], position=position)
    high, low = target + max(limit, size), target - max(limit, size)
    if quotes.bids:
        assert position + sum(lots for _, lots in quotes.bids) <= high
    if quotes.asks:
        assert position - sum(lots for _, lots in quotes.asks) >= low
    if position >= high:
        assert not quotes.bids
        assert quotes.asks
    if position <= low:
        assert not quotes.asks
        assert quotes.bids


@by_name
@few
@given(touch, st.integers(-10, 10), st.integers(1, 10), st.floats(0.0, 50.0))
def test_more_inventory_never_raises_a_quote(decide, name, market, position, more, elapsed_s):
    # a long quoter's ask never moves away from the mid because of its inventory, nor a short quoter's bid
    view = {"bid": market[0], "ask": market[0] + market[1], "elapsed_s": elapsed_s}
    params = params_of(name, quantity=2, max_position=20)
    less = decide(STRATEGIES[name], params, position=position, **view)
    most = decide(STRATEGIES[name], params, position=position + more, **view)
    for before, after in ((less.bid, most.bid), (less.ask, most.ask)):
        assert before is None or after is None or after <= before


@pytest.mark.parametrize("name", LEANING)
def test_long_inventory_lowers_both_quotes(decide, name):
    params = params_of(name, quantity=1, max_position=20, gamma=2.0)
    flat, long = (decide(STRATEGIES[name], params, position=position) for position in (0, 10))
    assert long.bid < flat.bid
    assert long.ask < flat.ask


@by_name
def test_quotes_mirror_each_other(decide, name):
    params = params_of(name, quantity=1, max_position=20)
    long, short = (decide(STRATEGIES[name], params, position=position) for position in (6, -6))
    assert [(200_000 - ticks, lots) for ticks, lots in long.bids] == short.asks
    assert [(200_000 - ticks, lots) for ticks, lots in long.asks] == short.bids


@by_name
def test_the_target_counts_as_no_inventory(decide, name):
    params = params_of(name, quantity=1, max_position=20)
    assert decide(STRATEGIES[name], {**params, "target_position": 12}, position=12) == decide(STRATEGIES[name], params)


@by_name
@few
@given(st.integers(-8, 8), st.floats(0.01, 3.0), st.sampled_from([10, 1000]))
def test_a_finer_lot_changes_neither_price_nor_quantity(decide, name, position, gamma, finer):
    params = params_of(name, quantity=2.0, max_position=20.0, gamma=gamma, skew=1.0)
    coarse = decide(STRATEGIES[name], params, position=position, lot="1")
    fine = decide(STRATEGIES[name], params, position=position * finer, lot=str(1 / finer))
    assert [price for price, _ in fine.bids] == [price for price, _ in coarse.bids]
    assert [price for price, _ in fine.asks] == [price for price, _ in coarse.asks]
    if name != "skewed_size":  # whose sizes are fractions of the quantity, rounded down to lots
        assert [lots for _, lots in fine.bids + fine.asks] == [lots * finer for _, lots in coarse.bids + coarse.asks]


@by_name
@few
@given(st.integers(-8, 8), st.floats(0.01, 3.0))
def test_a_finer_tick_changes_no_price_but_by_rounding(decide, name, position, gamma):
    params = params_of(name, quantity=2.0, max_position=20.0, gamma=gamma) | {"unit": "money", "half_spread": 0.233, "step": 0.05}
    params = {key: value for key, value in params.items() if key in STRATEGIES[name].params}
    coarse = decide(STRATEGIES[name], params, position=position, bid=99_500, ask=100_500)
    fine = decide(STRATEGIES[name], params, position=position, bid=995_000, ask=1_005_000, tick="0.001")
    assert [math.floor(price / 10) for price, _ in fine.bids] == [price for price, _ in coarse.bids]
    assert [math.ceil(price / 10) for price, _ in fine.asks] == [price for price, _ in coarse.asks]


@by_name
def test_compiled_and_plain_python_write_the_same_bytes(both_ways, name):
    random = np.random.default_rng(7)
    for _ in range(3):
        more = {"quantity": 0.1 * random.integers(1, 20), "gamma": random.uniform(0.01, 2), "half_spread": random.uniform(0, 9)}
        params = params_of(name, unit=random.choice(["bps", "ticks", "money"]), sigma=random.uniform(0.01, 0.5), **more)
        params = {**params, "quantity": round(params["quantity"], 1)}
        bids = random.integers(50_000, 150_000, 60)
        views = [(b, b + random.integers(1, 50), random.integers(-250, 250), random.uniform(0, 500)) for b in bids]
        compiled, plain = both_ways(STRATEGIES[name], params, views)
        assert compiled == plain


@by_name
def test_without_a_quantity_one_lot_is_quoted_and_ten_are_the_limit(decide, name):
    def of(position):
        return decide(STRATEGIES[name], params_of(name), position=position, lot="0.001")

    flat = of(0)
    assert flat.bids[0][1] == flat.asks[0][1] == 1
    assert of(9).bids
    assert not of(10).bids
    assert not of(-10).asks


@by_name
@pytest.mark.parametrize("bad", [0.0015, 0.0004])
def test_a_quantity_is_a_whole_number_of_lots(decide, name, bad):
    with pytest.raises(InputError, match=r"quantity is .* not a multiple of the lot size 0.001"):
        decide(STRATEGIES[name], params_of(name, quantity=bad), lot="0.001")


@by_name
@pytest.mark.parametrize("parameter", ["quantity", "max_position"])
def test_negative_sizes_are_refused(name, parameter):
    with pytest.raises(InputError, match=f"parameter {parameter} is -1"):
        STRATEGIES[name].with_params({parameter: -1})


@pytest.mark.parametrize("name", MODEL_BASED)
def test_what_only_data_can_say_has_no_default(name):
    needed = {"glft": {"sigma", "A", "k"}, "avellaneda_stoikov": {"sigma", "k"}}[name]
    assert set(STRATEGIES[name].missing) == needed


@by_name
def test_nothing_is_bid_below_one_tick(decide, name):
    quotes = decide(STRATEGIES[name], params_of(name), bid=1, ask=2)
    assert all(ticks >= 1 for ticks, _ in quotes.bids)
    assert quotes.asks
