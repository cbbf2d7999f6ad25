"""`skewed_size`: less of what adds to the inventory, more of what reduces it."""

import pytest

from twosided.strategies.skewed_size import skewed_size

pytestmark = pytest.mark.interpreted

PARAMS = {"half_spread": 10, "unit": "ticks", "quantity": 100, "max_position": 1000}


def sizes(quotes):
    return quotes.bids[0][1], quotes.asks[0][1]


@pytest.mark.parametrize(("position", "expected"), [(0, (100, 100)), (500, (75, 125)), (-500, (125, 75)), (333, (83, 116))])
def test_sizes_change_by_half_the_share_of_the_limit_and_round_down(decide, position, expected):
    assert sizes(decide(skewed_size, PARAMS, position=position)) == expected


def test_prices_stay(decide):
    flat, long = decide(skewed_size, PARAMS), decide(skewed_size, PARAMS, position=700)
    assert (flat.bid, flat.ask) == (long.bid, long.ask) == (99_990, 100_010)


def test_one_lot_is_not_rounded_away(decide):
    assert sizes(decide(skewed_size, {**PARAMS, "quantity": 1, "skew": 1}, position=900)) == (1, 1)
