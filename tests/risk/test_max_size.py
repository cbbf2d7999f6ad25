"""The largest sizes are what people work out by hand, and what the gate would let pass."""

import math

import pytest
from desk import SHARE, Desk
from hypothesis import given
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.market.instrument import Instrument
from twosided.risk.limits import Limits
from twosided.risk.max_size import max_sizes

pytestmark = pytest.mark.interpreted


def test_long_450_at_150_within_1000_shares_and_150_000_of_value():
    limits = Limits(max_position=1000, max_position_value=150_000)
    assert max_sizes(limits, SHARE, position=450, price=150) == (550, 1450)
    assert max_sizes(limits, SHARE, position=-450, price=150) == (1450, 550)


@pytest.mark.parametrize(
    ("limits", "position", "price", "sizes"),
    [
        (Limits(), 0, 150, (math.inf, math.inf)),
        (Limits(max_position=1000), 0, 150, (1000, 1000)),
        (Limits(max_position=1000), 1200, 150, (0, 2200)),
        (Limits(max_position_value=150_000), 450, 200, (300, 1200)),
        (Limits(max_position_value=100), 0, 3, (33, 33)),
        (Limits(max_position=1000, max_order_quantity=100), 950, 150, (50, 100)),
        (Limits(max_order_value=1500, max_open_value_per_side=900), 0, 150, (6, 6)),
    ],
)
def test_whatever_limit_is_nearest_decides(limits, position, price, sizes):
    assert max_sizes(limits, SHARE, position=position, price=price) == sizes


def test_an_inverse_contract_is_worth_the_more_the_lower_its_price():
    coin = Instrument(symbol="C", tick_size="0.5", lot_size="1", multiplier="100", currency="BTC", inverse=True)
    limits = Limits(max_position_value=1)
    assert max_sizes(limits, coin, position=0, price=20_000) == (200, 200)
    assert max_sizes(limits, coin, position=0, price=10_000) == (100, 100)


@given(position=st.integers(-1500, 1500), most=st.integers(1, 1000), value=st.integers(1000, 200_000))
def test_the_gate_lets_the_largest_size_pass_and_not_a_lot_more(position, most, value):
    limits = {"max_position": most, "max_position_value": value, "max_order_quantity": 800}
    sizes = max_sizes(Limits(**limits), SHARE, position=position, price=150)
    for side, size in ((1, int(sizes.bid)), (-1, int(sizes.ask))):
        desk = Desk(**limits).tell(position_lots=position)
        assert size == 0 or desk.ask(side, 15_000, size) == "PASS"
        assert desk.ask(side, 15_000, size + 1) != "PASS"


def test_a_price_between_two_ticks_is_refused():
    with pytest.raises(InputError, match="price is 150\\.005"):
        max_sizes(Limits(), SHARE, position=0, price="150.005")
