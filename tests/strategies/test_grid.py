"""`grid`: a ladder of quotes."""

import pytest

from twosided.errors import InputError
from twosided.strategies.grid import grid

pytestmark = pytest.mark.interpreted

PARAMS = {"half_spread": 20, "step": 10, "unit": "ticks", "rungs": 4, "quantity": 2, "max_position": 100}


def test_quotes_stand_at_equal_steps(decide):
    quotes = decide(grid, PARAMS)
    assert quotes.bids == [(99_980, 2), (99_970, 2), (99_960, 2), (99_950, 2)]
    assert quotes.asks == [(100_020, 2), (100_030, 2), (100_040, 2), (100_050, 2)]


def test_all_rungs_together_respect_the_limit_nearest_first(decide):
    quotes = decide(grid, {**PARAMS, "max_position": 10}, position=5)
    assert [lots for _, lots in quotes.bids] == [2, 2, 1]
    assert [lots for _, lots in quotes.asks] == [2, 2, 2, 2]


def test_steps_are_at_least_a_tick(decide):
    prices = [price for price, _ in decide(grid, {**PARAMS, "step": 0.01}).bids]
    assert prices == [99_980, 99_979, 99_978, 99_977]


@pytest.mark.parametrize("rungs", [0, 11, 2.5])
def test_one_to_ten_rungs(rungs):
    with pytest.raises(InputError, match=r"parameter rungs is .* from 1 to 10"):
        grid.with_params(rungs=rungs)
