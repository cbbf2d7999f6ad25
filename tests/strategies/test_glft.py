"""`glft`: the model's table, in money, between whole inventories too."""

import math

import pytest

from twosided.errors import InputError
from twosided.models.quotes import quote_table
from twosided.strategies.glft import glft

pytestmark = pytest.mark.interpreted

MARKET = {"gamma": 0.1, "sigma": 0.3, "A": 0.5, "k": 0.3}
WIDE = {"bid": 98_000, "ask": 102_000}  # mid 1000.00, tick 0.01


@pytest.mark.parametrize("inventory", [-29, -5, 0, 1, 5, 29])
def test_quotes_at_whole_inventories_are_the_model_s(decide, inventory):
    quotes = decide(glft, {**MARKET, "quantity": 2, "max_position": 60}, position=2 * inventory, **WIDE)
    row = quote_table("glft", **MARKET, q_max=30)[30 + inventory]
    assert quotes.bid == math.floor(100_000 - row["bid"] / 0.01)
    assert quotes.ask == math.ceil(100_000 + row["ask"] / 0.01)


def test_the_readme_preset_at_five_quotes_long(decide):
    quotes = decide(glft, {**MARKET, "quantity": 1, "max_position": 30}, position=5, tick="0.0001", bid=9_800_000, ask=10_200_000)
    assert (quotes.bid, quotes.ask) == (10_000_000 - 45_812, 10_000_000 + 14_773)  # 4.5811 and 1.4772, outward


def test_at_the_bound_only_the_side_that_brings_it_back_is_quoted(decide):
    params = {**MARKET, "quantity": 2, "max_position": 10}
    assert not decide(glft, params, position=10, **WIDE).bids
    assert decide(glft, params, position=10, **WIDE).asks
    assert [lots for _, lots in decide(glft, params, position=9, **WIDE).bids] == [1]


def test_the_last_fraction_of_a_quote_goes_on_with_the_last_slope(decide):
    params = {**MARKET, "quantity": 2, "max_position": 10}
    last, one_before = (quote_table("glft", **MARKET, q_max=5)[q + 5]["bid"] for q in (4, 3))
    expected = last + 0.5 * (last - one_before)
    assert decide(glft, params, position=9, **WIDE).bid == math.floor(100_000 - expected / 0.01)


def test_q_max_bounds_the_model_and_the_smaller_limit_holds(decide):
    def bids(position, **params):
        return decide(glft, {**MARKET, "quantity": 2, **params}, position=position, **WIDE).bids

    assert bids(5, q_max=3)
    assert not bids(6, q_max=3)
    assert not bids(6, q_max=3, max_position=100)
    assert not bids(4, q_max=3, max_position=4)
    model = quote_table("glft", **MARKET, q_max=3)
    assert bids(2, q_max=3, max_position=4)[0][0] == math.floor(100_000 - model[4]["bid"] / 0.01)


@pytest.mark.parametrize(
    ("params", "said"), [({"quantity": 2, "max_position": 1}, "0 quotes"), ({"max_position": 301}, "301 quotes")]
)
def test_a_limit_of_less_than_a_quote_or_more_than_the_table_is_refused(decide, params, said):
    with pytest.raises(InputError, match=f"max_position is .* {said} of .*; allowed: 1 to 300 quotes"):
        decide(glft, {**MARKET, **params})


def test_extreme_parameters_are_refused_before_the_first_event(decide):
    with pytest.raises(InputError, match="exceed the range of numbers"):
        decide(glft, {**MARKET, "sigma": 1e200})
