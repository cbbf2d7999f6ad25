"""Options: known values, parity, and greeks against differences of the price."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.models.black_scholes import black_scholes, implied_volatility

HULL = {"spot": 42.0, "strike": 40.0, "years": 0.5, "sigma": 0.2, "rate": 0.1}


def test_hull_s_example_15_6():
    assert black_scholes("call", **HULL).price == pytest.approx(4.76, abs=0.005)
    assert black_scholes("put", **HULL).price == pytest.approx(0.81, abs=0.005)


def test_hull_s_index_option_17_1_with_a_yield():
    found = black_scholes("call", spot=930.0, strike=900.0, years=2 / 12, sigma=0.2, rate=0.08, dividend_yield=0.03)
    assert found.price == pytest.approx(51.83, abs=0.005)


def test_with_a_yield_of_the_rate_it_is_black_s_formula_for_a_future():
    """Hull's example 18.2: a put on a future at the money, 20 and 20."""
    found = black_scholes("put", spot=20.0, strike=20.0, years=4 / 12, sigma=0.25, rate=0.09, dividend_yield=0.09)
    assert found.price == pytest.approx(1.12, abs=0.005)


@given(
    st.floats(50, 200), st.floats(50, 200), st.floats(0.01, 3), st.floats(0.05, 1.0), st.floats(-0.05, 0.15), st.floats(-0.05, 0.15)
)
def test_a_call_less_a_put_is_a_forward(spot, strike, years, sigma, rate, dividend_yield):
    given_ = {
        "spot": spot, "strike": strike, "years": years, "sigma": sigma, "rate": rate, "dividend_yield": dividend_yield,
    }  # fmt: skip
    call, put = (black_scholes(kind, **given_) for kind in ("call", "put"))
    forward = spot * math.exp(-dividend_yield * years) - strike * math.exp(-rate * years)
    assert call.price - put.price == pytest.approx(forward, abs=1e-9)
    assert call.delta - put.delta == pytest.approx(math.exp(-dividend_yield * years), abs=1e-12)
    assert (call.gamma, call.vega) == (put.gamma, put.vega)


@pytest.mark.parametrize("kind", ["call", "put"])
def test_greeks_are_derivatives(kind):
    at = {**HULL, "dividend_yield": 0.02}
    found = black_scholes(kind, **at)

    def slope(name, step):
        up, down = (black_scholes(kind, **{**at, name: at[name] + sign * step}) for sign in (1, -1))
        return (up.price - down.price) / (2 * step), (up.delta - down.delta) / (2 * step)

    assert found.delta == pytest.approx(slope("spot", 1e-4)[0], rel=1e-6)
    assert found.gamma == pytest.approx(slope("spot", 1e-4)[1], rel=1e-6)
    assert found.vega == pytest.approx(slope("sigma", 1e-5)[0], rel=1e-6)
    assert found.theta == pytest.approx(-slope("years", 1e-5)[0], rel=1e-6)
    assert found.rho == pytest.approx(slope("rate", 1e-5)[0], rel=1e-6)


def test_implied_volatility_gives_the_price_back():
    for kind in ("call", "put"):
        price = black_scholes(kind, **HULL).price
        rest = {name: value for name, value in HULL.items() if name != "sigma"}
        assert implied_volatility(kind, price, **rest) == pytest.approx(0.2, abs=1e-9)
    with pytest.raises(InputError, match=r"price is 50.0; allowed: between"):
        implied_volatility("call", 50.0, **rest)


@pytest.mark.parametrize(
    ("change", "said"), [({"sigma": 0.0}, "sigma is 0.0"), ({"years": -1.0}, "years is -1.0"), ({"rate": math.nan}, "rate is nan")]
)
def test_what_makes_no_option_is_refused(change, said):
    with pytest.raises(InputError, match=said):
        black_scholes("call", **{**HULL, **change})
    with pytest.raises(InputError, match=r"kind is 'straddle'; allowed: call, put"):
        black_scholes("straddle", **HULL)
