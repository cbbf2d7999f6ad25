"""`skewed_price`: a fixed spread around a price that leans against the inventory."""

import pytest

from twosided.strategies.skewed_price import skewed_price

pytestmark = pytest.mark.interpreted

PARAMS = {"half_spread": 40, "unit": "ticks", "quantity": 1, "max_position": 20}


@pytest.mark.parametrize(("position", "shift"), [(0, 0), (5, 10), (10, 20), (-10, -20)])
def test_both_quotes_move_down_by_skew_half_spreads_times_the_share_of_the_limit(decide, position, shift):
    quotes = decide(skewed_price, PARAMS, position=position)  # mid 100,000
    assert (quotes.bid, quotes.ask) == (99_960 - shift, 100_040 - shift)


def test_at_the_limit_the_ask_stands_at_the_mid(decide):
    quotes = decide(skewed_price, PARAMS, position=20)
    assert quotes.bid is None
    assert quotes.ask == 100_000


def test_beyond_the_limit_the_shift_grows_no_further(decide):
    assert decide(skewed_price, PARAMS, position=50).ask == 100_000


def test_a_strong_skew_stops_short_of_crossing(decide):
    assert decide(skewed_price, {**PARAMS, "skew": 10}, position=20).ask == 99_991  # the market's bid is 99,990


def test_without_skew_it_is_fixed(decide):
    assert decide(skewed_price, {**PARAMS, "skew": 0}, position=15) == decide(skewed_price, PARAMS)
