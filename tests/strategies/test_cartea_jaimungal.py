"""`cartea_jaimungal`: the model's quotes, in money, at the time that is left."""

import math

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.models import cartea_jaimungal as model
from twosided.strategies.cartea_jaimungal import cartea_jaimungal

MARKET = {"A": 0.5, "k": 0.3, "phi": 0.005}
WIDE = {"bid": 98_000, "ask": 102_000}  # mid 1000.00, tick 0.01
SESSION = {**MARKET, "alpha": 0.4, "horizon_s": 60.0, "quantity": 2, "max_position": 20}


@pytest.mark.interpreted
@pytest.mark.parametrize("inventory", [-9, -5, 0, 1, 5, 9])
def test_without_a_horizon_quotes_are_the_stationary_ones(decide, inventory):
    quotes = decide(cartea_jaimungal, {**MARKET, "quantity": 2, "max_position": 20}, position=2 * inventory, **WIDE)
    bid, ask = model.distances(**MARKET, q_max=10)
    assert quotes.bid == math.floor(100_000 - bid[10 + inventory] / 0.01)
    assert quotes.ask == math.ceil(100_000 + ask[10 + inventory] / 0.01)


@pytest.mark.interpreted
@pytest.mark.parametrize("elapsed_s", [0.0, 20.0, 55.0, 59.5, 59.999])
@pytest.mark.parametrize("inventory", [-9, 0, 3, 9])
def test_with_one_they_are_those_of_the_time_that_is_left(decide, inventory, elapsed_s):
    quotes = decide(
        cartea_jaimungal, SESSION, position=2 * inventory, elapsed_s=elapsed_s, tick="0.0001", bid=9_800_000, ask=10_200_000
    )
    bid, ask = model.distances(**MARKET, alpha=0.4, q_max=10, remaining_s=60.0 - elapsed_s)
    assert quotes.bid == pytest.approx(10_000_000 - bid[10 + inventory] / 0.0001, abs=20)  # 0.002 of money, 1e-3 of the half-spread
    assert quotes.ask == pytest.approx(10_000_000 + ask[10 + inventory] / 0.0001, abs=20)


def test_a_new_session_begins_when_one_ends(decide):
    def at(elapsed_s):
        return decide(cartea_jaimungal, SESSION, position=6, elapsed_s=elapsed_s, **WIDE)

    assert at(60.0) == at(0.0) == at(180.0)
    assert at(59.0) != at(0.0)


def test_neither_lots_nor_ticks_change_a_price(decide):
    def prices(tick, lot, position):
        scale = round(0.01 / float(tick))
        params = {**MARKET, "quantity": 2, "max_position": 20}
        quotes = decide(cartea_jaimungal, params, position=position, tick=tick, lot=lot, bid=98_000 * scale, ask=102_000 * scale)
        return quotes.bid / scale, quotes.ask / scale

    whole, fine = prices("0.01", "1", 6), prices("0.0001", "0.01", 600)
    np.testing.assert_allclose(whole, fine, atol=1.0)  # a tick, by rounding outward
    assert whole[0] <= fine[0]
    assert whole[1] >= fine[1]


def test_at_the_bound_only_the_side_that_brings_it_back_is_quoted(decide):
    params = {**MARKET, "quantity": 2, "max_position": 10}
    assert not decide(cartea_jaimungal, params, position=10, **WIDE).bids
    assert decide(cartea_jaimungal, params, position=10, **WIDE).asks


def test_a_bound_beyond_the_table_is_refused(decide):
    with pytest.raises(InputError, match=r"max_position is .* 101 quotes of .*; allowed: 1 to 100 quotes"):
        decide(cartea_jaimungal, {**MARKET, "max_position": 101})


def test_compiled_and_interpreted_write_the_same(both_ways):
    views = [(99_990, 100_010, position, elapsed) for position in (-30, 0, 7) for elapsed in (0.0, 13.3, 59.99)]
    first, *others = both_ways(cartea_jaimungal, {**SESSION, "quantity": 2.0}, views)
    assert all(other == first for other in others)
