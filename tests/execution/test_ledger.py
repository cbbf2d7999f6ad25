"""Money is counted in integers: against Python's own, fill by fill and in sum, up to the edge of 64 bits and not beyond."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.execution.ledger import ACCOUNT, FEES, MOST_TIERS, book_fill, fee_and_tax, fee_schedule, mul_div
from twosided.market.instrument import Fees, FeeTier, Instrument

pytestmark = pytest.mark.interpreted

MOST_MONEY = 2**61
SCALE = 10**9


def half_away(number: Fraction) -> int:
    whole = int(abs(number) + Fraction(1, 2))
    return whole if number >= 0 else -whole


def naive(fees, turnover, side, ticks, lots, maker):
    """(fee, tax) with Python's integers; *fees* is a dictionary, tiers a list of (from, maker, taker)."""
    value = 2 * abs(ticks) * lots * fees["half_tick_lot"]
    rate, per_lot = (fees["maker_rate"], fees["maker_per_lot"]) if maker else (fees["taker_rate"], fees["taker_per_lot"])
    for start, maker_rate, taker_rate in fees["tiers"]:
        if turnover >= start:
            rate = maker_rate if maker else taker_rate
    fee = half_away(Fraction(value * rate, SCALE)) + half_away(Fraction(lots * per_lot, SCALE))
    return fee, half_away(Fraction(value * fees["tax_buy_rate" if side > 0 else "tax_sell_rate"], SCALE))


def record(fees):
    row = np.zeros(1, FEES)[0]
    for name, value in fees.items():
        if name != "tiers":
            row[name] = value
    row["n_tiers"] = len(fees["tiers"])
    for i, (start, maker_rate, taker_rate) in enumerate(fees["tiers"]):
        row["tier_from"][i], row["tier_maker_rate"][i], row["tier_taker_rate"][i] = start, maker_rate, taker_rate
    return row


def account():
    return np.zeros(1, ACCOUNT)[0]


rates = st.integers(-(10**8), 10**8)  # 1e-9 of value: up to 10 %, the most that an instrument may charge
taxes = st.integers(0, 10**8)
turnovers = st.integers(0, MOST_MONEY)


def scaled_to(quanta):
    """Fees per lot of up to so many quanta, in 1e-9 quanta."""
    return st.integers(-(quanta * SCALE), quanta * SCALE)


@st.composite
def fills(draw):
    """A fill worth at most 2^60 quanta, and fees: (fees, turnover, side, ticks, lots, maker)."""
    ticks = draw(st.integers(-(2**31), 2**31 - 1))
    half_tick_lot = draw(st.integers(1, 10**9))
    lots = draw(st.integers(1, max(1, 2**60 // (2 * max(abs(ticks), 1) * half_tick_lot))))
    most_per_lot = min(2**60 // lots, 2**62 // SCALE)
    fees = {
        "half_tick_lot": half_tick_lot,
        **{name: draw(rates) for name in ("maker_rate", "taker_rate")},
        **{name: draw(scaled_to(most_per_lot)) for name in ("maker_per_lot", "taker_per_lot")},
        **{name: draw(taxes) for name in ("tax_buy_rate", "tax_sell_rate")},
        "tiers": [(start, draw(rates), draw(rates)) for start in sorted(draw(st.sets(turnovers, max_size=4)))],
    }
    return fees, draw(turnovers), draw(st.sampled_from([-1, 1])), ticks, lots, draw(st.booleans())


# ---------------------------------------------------------------- rounding


@given(st.integers(-(2**62), 2**62), st.integers(-SCALE, SCALE))
def test_a_rate_of_a_value_is_exact_although_the_product_needs_more_than_64_bits(value, rate):
    assert mul_div(value, rate) == half_away(Fraction(value * rate, SCALE))


@pytest.mark.parametrize(
    ("value", "rate", "rounded"),
    [
        (5, 10**8, 1),  # 0.5
        (-5, 10**8, -1),
        (5, -(10**8), -1),
        (-5, -(10**8), 1),
        (4, 10**8, 0),
        (-4, 10**8, 0),
        (15, 10**8, 2),  # 1.5
        (2**62, SCALE, 2**62),
    ],
)
def test_halves_round_away_from_zero_on_both_sides(value, rate, rounded):
    assert mul_div(value, rate) == rounded


# ---------------------------------------------------------------- one fill


@given(fills())
def test_fee_and_tax_are_those_of_exact_arithmetic(fill):
    fees, *rest = fill
    assert tuple(map(int, fee_and_tax(record(fees), *rest))) == naive(*fill)


def btc(**fees):
    """BTCUSDT perpetual: half a tick times a lot is 0.00005, 5,000 quanta of 1e-8."""
    return fee_schedule(Instrument(symbol="BTCUSDT", tick_size="0.1", lot_size="0.001", fees=Fees(**fees)))


def test_two_basis_points_of_a_bitcoin():
    # 1 BTC at 60,000.0 is 60,000; the maker pays 2 bps = 12, the taker 4 bps = 24
    fees = btc(maker_bps="2", taker_bps="4")
    assert fee_and_tax(fees, 0, 1, 600_000, 1000, True) == (12 * 10**8, 0)
    assert fee_and_tax(fees, 0, 1, 600_000, 1000, False) == (24 * 10**8, 0)


def test_a_maker_rebate_is_a_negative_fee():
    assert fee_and_tax(btc(maker_bps="-0.5"), 0, -1, 600_000, 1000, True) == (-3 * 10**8, 0)


def test_a_rebate_per_share_is_money_per_share_whatever_the_price():
    stock = Instrument(symbol="X", tick_size="0.01", lot_size=1, fees=Fees(maker_per_unit="-0.0025", taker_per_unit="0.003"))
    fees = fee_schedule(stock)
    for ticks in (100, 15_000, -300):
        assert fee_and_tax(fees, 0, 1, ticks, 400, True) == (-1 * 10**8, 0)
        assert fee_and_tax(fees, 0, 1, ticks, 400, False) == (12 * 10**7, 0)


def test_fees_of_both_kinds_add_up_and_are_rounded_apart():
    # quantum 1e-8, value 2 × 1 × 1 × 50 = 100 quanta: 0.5 % is half a quantum, and so is 5e-9 money per unit
    one = Instrument(symbol="X", tick_size="0.000001", lot_size=1, fees=Fees(maker_bps="50", maker_per_unit="5e-9"))
    assert fee_schedule(one)["half_tick_lot"] == 50
    assert fee_and_tax(fee_schedule(one), 0, 1, 1, 1, True) == (1 + 1, 0)  # rounded together they would make 1


def test_stamp_duty_is_charged_on_the_side_it_is_stated_for():
    fees = fee_schedule(Instrument(symbol="0005", tick_size="0.05", lot_size=400, fees=Fees(tax_sell_bps="10")))
    # 400 shares at 60.00 are 24,000: 10 bps are 24
    assert fee_and_tax(fees, 0, -1, 1200, 1, True) == (0, 24 * 10**8)
    assert fee_and_tax(fees, 0, 1, 1200, 1, True) == (0, 0)
    both = fee_schedule(Instrument(symbol="0005", tick_size="0.05", lot_size=400, fees=Fees(tax_sell_bps="10", tax_buy_bps="10")))
    assert fee_and_tax(both, 0, 1, 1200, 1, False) == (0, 24 * 10**8)


def test_the_tier_is_the_one_reached_before_the_fill():
    tiers = (FeeTier(from_value=1000, maker_bps=1, taker_bps=3), FeeTier(from_value=5000, maker_bps=0, taker_bps=2))
    fees = btc(maker_bps=2, taker_bps=4, tiers=tiers)
    of_60 = 60 * 10**8 // 10_000  # one basis point of 60, which is 0.001 BTC at 60,000
    for turnover, maker, taker in ((0, 2, 4), (999, 2, 4), (1000, 1, 3), (4999, 1, 3), (5000, 0, 2), (10**9, 0, 2)):
        assert fee_and_tax(fees, turnover * 10**8, 1, 600_000, 1, True)[0] == maker * of_60
        assert fee_and_tax(fees, turnover * 10**8, 1, 600_000, 1, False)[0] == taker * of_60


# ---------------------------------------------------------------- the account


schedules = st.fixed_dictionaries(
    {
        "half_tick_lot": st.integers(1, 10**6),
        "maker_rate": rates,
        "taker_rate": rates,
        "maker_per_lot": st.integers(-(10**15), 10**15),
        "taker_per_lot": st.integers(-(10**15), 10**15),
        "tax_buy_rate": taxes,
        "tax_sell_rate": taxes,
        "tiers": st.lists(st.tuples(st.integers(0, 2**45), rates, rates), max_size=3).map(sorted),
    }
)
trades = st.lists(
    st.tuples(st.sampled_from([-1, 1]), st.integers(-(10**6), 10**6), st.integers(1, 10**4), st.booleans()), max_size=12
)


@given(schedules, trades)
def test_an_account_is_the_sum_of_its_fills(fees, listed):
    row, book = record(fees), account()
    cash = paid = taxed = position = volume = turnover = 0
    for side, ticks, lots, maker in listed:
        fee, tax = naive(fees, turnover, side, ticks, lots, maker)
        assert tuple(map(int, book_fill(book, row, side, ticks, lots, maker))) == (fee, tax)
        value = 2 * ticks * lots * fees["half_tick_lot"]
        cash -= side * value + fee + tax
        paid, taxed = paid + fee, taxed + tax
        position, volume, turnover = position + side * lots, volume + lots, turnover + abs(value)
    assert {name: int(book[name]) for name in ACCOUNT.names} == {
        "position_lots": position,
        "cash": cash,
        "fees": paid,
        "taxes": taxed,
        "funding": 0,
        "volume_lots": volume,
        "turnover": turnover,
        "fills": len(listed),
    }


def test_a_round_trip_earns_the_difference_and_pays_twice():
    fees, book = btc(maker_bps="2"), account()
    book_fill(book, fees, 1, 600_000, 1000, True)  # 1 BTC at 60,000: fee 12
    book_fill(book, fees, -1, 600_010, 1000, True)  # and at 60,001: fee 12.0002
    assert book["position_lots"] == 0
    assert book["fees"] == 2_400_020_000
    assert book["cash"] == 100_000_000 - 2_400_020_000
    assert book["turnover"] == 120_001 * 10**8


def test_a_short_sale_is_a_negative_position_and_its_proceeds():
    book = account()
    book_fill(book, btc(), -1, 600_000, 5, True)
    assert (book["position_lots"], book["cash"]) == (-5, 300 * 10**8)


# ---------------------------------------------------------------- the guard


def one_quantum_per_half_tick(**more):
    names = ("maker_rate", "taker_rate", "maker_per_lot", "taker_per_lot", "tax_buy_rate", "tax_sell_rate")
    return record({"half_tick_lot": 1, **dict.fromkeys(names, 0), "tiers": [], **more})


def test_money_beyond_2_to_the_61_is_an_error_and_not_a_wrong_number():
    fees, book = one_quantum_per_half_tick(), account()
    book_fill(book, fees, 1, 2**30, 2**29, True)  # 2^60
    book_fill(book, fees, 1, 2**30, 2**29, True)  # 2^61 is still allowed
    with pytest.raises(OverflowError, match="state a coarser tick or lot size"):
        book_fill(book, fees, 1, 1, 1, True)


@pytest.mark.parametrize("lots", [2**33, 2**34, 2**40, 2**62])
def test_a_fill_whose_own_value_leaves_64_bits_is_caught_before_it_wraps(lots):
    book = account()
    with pytest.raises(OverflowError, match="coarser"):
        book_fill(book, one_quantum_per_half_tick(), 1, 2**30, lots, True)


def test_a_fee_per_lot_that_leaves_64_bits_is_caught_as_well():
    book = account()
    with pytest.raises(OverflowError, match="coarser"):
        book_fill(book, one_quantum_per_half_tick(maker_per_lot=-(2**61)), 1, 1, 2**40, True)
    assert not any(book[name] for name in ACCOUNT.names)  # nothing is half entered


# ---------------------------------------------------------------- from an instrument


def test_rates_are_integers_in_billionths_of_value():
    fees = btc(maker_bps="-0.25", taker_bps="1.75", tax_buy_bps="10", tax_sell_bps="0.00001")
    assert fees["half_tick_lot"] == 5000
    assert (fees["maker_rate"], fees["taker_rate"], fees["tax_buy_rate"], fees["tax_sell_rate"]) == (-25_000, 175_000, 10**6, 1)
    assert (fees["maker_per_lot"], fees["taker_per_lot"], fees["n_tiers"]) == (0, 0, 0)


def test_a_fee_per_unit_becomes_one_per_lot():
    fees = btc(maker_per_unit="1.5")  # 0.001 units a lot: 0.0015 = 150,000 quanta
    assert fees["maker_per_lot"] == 150_000 * SCALE


def test_more_tiers_than_there_is_room_for_are_refused():
    tiers = tuple(FeeTier(from_value=i, maker_bps=0, taker_bps=0) for i in range(MOST_TIERS + 1))
    with pytest.raises(InputError, match=f"^BTCUSDT has {MOST_TIERS + 1} fee tiers; allowed: at most {MOST_TIERS}$"):
        btc(tiers=tiers)


def test_a_fee_per_unit_too_fine_or_too_large_to_count_is_refused():
    with pytest.raises(InputError, match="a fee of 1E-15 per unit cannot be counted in 1E-8 money quanta per lot"):
        btc(maker_per_unit="1e-15")
    with pytest.raises(InputError, match="cannot be counted"):
        btc(taker_per_unit="1e14")


def test_a_tier_beyond_all_money_that_can_be_counted_is_never_reached():
    fees = btc(maker_bps=2, tiers=(FeeTier(from_value=Decimal("1e15"), maker_bps=1, taker_bps=1),))
    assert fee_and_tax(fees, MOST_MONEY, 1, 600_000, 1000, True) == (12 * 10**8, 0)
