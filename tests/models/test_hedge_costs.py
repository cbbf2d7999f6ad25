"""Futures against puts: what each costs wherever the price goes."""

import pytest

from twosided.errors import InputError
from twosided.models.black_scholes import black_scholes
from twosided.models.hedge_costs import hedge_costs

WORLD = {"spot": 100.0, "strike": 95.0, "years": 0.25, "sigma": 0.2, "rate": 0.04}


def test_futures_lock_a_result_and_puts_a_floor():
    found = hedge_costs(10.0, **WORLD, future_cost=0.02, put_cost=0.05)
    assert len({round(row[2], 9) for row in found.rows}) == 1
    assert found.rows[0][2] == pytest.approx(10.0 * (found.future - 100.0 - 0.02)) == found.worst_future
    below = [row[3] for row in found.rows if row[0] <= 95.0]
    assert len(set(below)) == 1
    assert below[0] == pytest.approx(found.worst_put)
    assert min(row[3] for row in found.rows) == pytest.approx(found.worst_put)
    up = [row for row in found.rows if row[0] > found.break_even]
    assert up
    assert all(row[3] > row[2] for row in up)
    assert all(row[3] < row[2] for row in found.rows if row[0] < found.break_even)


def test_the_premium_is_black_scholes_and_both_outlays_are_told_apart():
    found = hedge_costs(10.0, **WORLD, future_cost=0.02, put_cost=0.05)
    assert found.premium == black_scholes("put", **WORLD).price
    assert found.outlay_put == pytest.approx(10.0 * (found.premium + 0.05))
    assert found.outlay_future == pytest.approx(0.2)
    assert -1.0 < found.delta < 0.0
    assert "price then" in found.table()
    assert f"{found.break_even:,.2f}" in found.table()


def test_without_costs_a_put_and_a_short_call_are_the_future():
    """Parity: the put less the call of the same strike locks what the future locks."""
    found = hedge_costs(1.0, **WORLD)
    call = black_scholes("call", **WORLD).price
    grown = found.future / 100.0  # e^{rT}, no yield
    for price, _alone, future, put in found.rows:
        assert put - max(price - 95.0, 0.0) + call * grown == pytest.approx(future, abs=1e-9)


def test_a_given_future_counts_instead_of_the_fair_one():
    assert hedge_costs(1.0, **WORLD, future=99.0).worst_future == pytest.approx(-1.0)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match=r"position is -1.0; allowed: positive; a short one is protected by calls"):
        hedge_costs(-1.0, **WORLD)
    with pytest.raises(InputError, match=r"put_cost is -1"):
        hedge_costs(1.0, **WORLD, put_cost=-1)
    with pytest.raises(InputError, match=r"moves are"):
        hedge_costs(1.0, **WORLD, moves=(-2.0,))
