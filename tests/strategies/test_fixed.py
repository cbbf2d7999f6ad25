"""`fixed`: the same distance on both sides, in whichever unit it is said."""

import pytest

from twosided.errors import InputError
from twosided.strategies.fixed import fixed

pytestmark = pytest.mark.interpreted


@pytest.mark.parametrize(("unit", "half_spread"), [("ticks", 50), ("money", 0.5), ("bps", 5)])
def test_units_of_the_half_spread(decide, unit, half_spread):
    quotes = decide(fixed, {"half_spread": half_spread, "unit": unit})  # mid 1000.00, tick 0.01
    assert (quotes.bid, quotes.ask) == (99_950, 100_050)


def test_prices_round_outward(decide):
    quotes = decide(fixed, {"half_spread": 2.3, "unit": "ticks"}, bid=1000, ask=1001)
    assert (quotes.bid, quotes.ask) == (998, 1003)  # 998.2 down, 1002.8 up


def test_no_half_spread_still_leaves_a_tick(decide):
    assert (decide(fixed, {"half_spread": 0}, bid=1000, ask=1001).bid, decide(fixed, {"half_spread": 0}).ask) == (1000, 100_001)
    quotes = decide(fixed, {"half_spread": 0}, bid=1000, ask=1002)
    assert quotes.bid < quotes.ask


def test_inventory_moves_nothing_before_the_limit(decide):
    params = {"half_spread": 5, "unit": "ticks", "max_position": 10, "quantity": 2}
    assert decide(fixed, params, position=8) == decide(fixed, params, position=-8) == decide(fixed, params)


def test_the_last_quote_before_the_limit_is_as_large_as_the_room(decide):
    quotes = decide(fixed, {"max_position": 10, "quantity": 4}, position=9)
    assert [lots for _, lots in quotes.bids] == [1]
    assert [lots for _, lots in quotes.asks] == [4]


def test_an_unknown_unit_is_refused():
    with pytest.raises(InputError, match="parameter unit is 'pips'; allowed: bps, ticks, money"):
        fixed.with_params(unit="pips")
