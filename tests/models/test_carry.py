"""What a future is worth: dated by the cost of carry, perpetual by its funding."""

import math

import pytest

from twosided.errors import InputError
from twosided.models.carry import fair_future, fair_perpetual, funding_rate, implied_carry


def test_hull_s_example_5_3_and_storage():
    """A future on an index of 1,300 for three months, 5 % a year, yield 1 %: 1,313.07."""
    assert fair_future(1300.0, years=0.25, rate=0.05, dividend_yield=0.01) == pytest.approx(1313.07, abs=0.005)
    assert fair_future(100.0, years=1.0, rate=0.03, storage=0.02) == pytest.approx(100.0 * math.exp(0.05))
    assert fair_future(100.0, years=0.0, rate=0.5) == 100.0


def test_the_carry_is_found_again():
    assert implied_carry(1300.0, fair_future(1300.0, years=0.25, rate=0.05, dividend_yield=0.01), 0.25) == pytest.approx(0.04)


def test_a_perpetual_s_funding_pays_for_its_expected_gain():
    spot, kappa, iota, rate, dividend_yield = 60_000.0, 1095.0, 0.1095, 0.08, 0.01
    price = fair_perpetual(spot, kappa=kappa, iota=iota, rate=rate, dividend_yield=dividend_yield)
    assert price * (rate - dividend_yield) == pytest.approx(kappa * (price - spot) + iota * spot, rel=1e-9)
    assert fair_perpetual(spot, kappa=kappa, iota=rate, rate=rate) == pytest.approx(spot)  # interest paid is interest saved
    assert fair_perpetual(spot, kappa=1e9, iota=iota) == pytest.approx(spot)


def test_binance_s_dead_zone():
    assert funding_rate(0.0004) == pytest.approx(0.0001)
    assert funding_rate(-0.0003) == pytest.approx(0.0001)
    assert funding_rate(0.001) == pytest.approx(0.0005)
    assert funding_rate(-0.001) == pytest.approx(-0.0005)


def test_what_makes_no_price_is_refused():
    with pytest.raises(InputError, match=r"spot is -1.0; allowed: a positive number"):
        fair_future(-1.0, years=1.0)
    with pytest.raises(InputError, match=r"years is -1.0"):
        fair_future(1.0, years=-1.0)
    with pytest.raises(InputError, match=r"kappa is 0.05; allowed: above rate - dividend_yield"):
        fair_perpetual(1.0, kappa=0.05, iota=0.0, rate=0.06)
    with pytest.raises(InputError, match=r"future is 0.0"):
        implied_carry(1.0, 0.0, 1.0)
    with pytest.raises(InputError, match=r"clamp is -1"):
        funding_rate(0.0, clamp=-1)
