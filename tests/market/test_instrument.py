"""Prices, quantities, fees and money of an instrument: exact as written, worked by hand, refused in one sentence."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from twosided.errors import InputError
from twosided.market.instrument import FEE_SCALE, Fees, FeeTier, Instrument, TickBand

pytestmark = pytest.mark.interpreted

HKEX = [("0", "0.001"), ("0.25", "0.005"), ("0.5", "0.01"), ("10", "0.02"), ("20", "0.05"), ("100", "0.1"), ("200", "0.2")]


def make(tick="0.01", lot="1", **more):
    return Instrument(symbol="X", tick_size=tick, lot_size=lot, **more)


def bands(rows):
    return tuple(TickBand(from_price=start, tick_size=step) for start, step in rows)


def refusal(build):
    """Return what a validation error says, which the command line shows as one sentence."""
    with pytest.raises(ValidationError) as caught:
        build()
    (problem,) = caught.value.errors(include_url=False)
    assert "\n" not in problem["msg"]
    return ".".join(map(str, problem["loc"])), problem["msg"].removeprefix("Value error, ")


# ---------------------------------------------------------------- exact numbers


@pytest.mark.parametrize("tenth", ["0.1", 0.1, Decimal("0.1"), "1e-1"])
def test_sizes_are_the_decimal_numbers_that_people_write(tenth):
    assert make(tenth, tenth, multiplier=tenth) == make("0.1", "0.1", multiplier="0.1")
    assert make(tenth).tick_size * 3 == Decimal("0.3")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("tick_size", 0, "Input should be greater than 0"),
        ("tick_size", "-0.01", "Input should be greater than 0"),
        ("lot_size", 0, "Input should be greater than 0"),
        ("multiplier", -1, "Input should be greater than 0"),
        ("tick_size", "a cent", "value is 'a cent'; allowed: a decimal number"),
        ("lot_size", float("nan"), "value is nan; allowed: a finite number"),
        ("tick_size", "1e99", "value is 1e99; allowed: a number below 1e28 with at most 28 decimals"),
    ],
)
def test_a_size_that_is_none_is_refused_by_name(field, value, said):
    assert refusal(lambda: Instrument(**{"symbol": "X", "tick_size": 1, "lot_size": 1, field: value})) == (field, said)


def test_a_misspelt_field_is_refused_and_an_instrument_does_not_change():
    assert refusal(lambda: make(tik_size=1)) == ("tik_size", "Extra inputs are not permitted")
    with pytest.raises(ValidationError, match="frozen"):
        make().tick_size = Decimal(1)


def test_it_survives_json_to_the_last_digit():
    full = make("0.001", "0.00000001", multiplier="12.5", tick_table=bands(HKEX), fees=Fees(maker_bps="-0.00001", tiers=(tier(5),)))
    assert Instrument.model_validate_json(full.model_dump_json()) == full


def test_prices_and_quantities_become_ticks_and_lots_or_an_error_that_names_the_step():
    btc = make("0.1", "0.001")
    assert (btc.ticks("60000.1"), btc.ticks(60000.1), btc.ticks(-37)) == (600_001, 600_001, -370)
    assert (btc.lots("0.001"), btc.lots(2)) == (1, 2000)
    with pytest.raises(
        InputError, match=r"^price is 60000\.05, which is not a multiple of the tick size 0\.1; the nearest below is 60000$"
    ):
        btc.ticks("60000.05")
    with pytest.raises(InputError, match=r"^opening is 0\.0005, which is not a multiple of the lot size 0\.001"):
        btc.lots(0.0005, name="opening")


def test_for_people_ticks_and_lots_become_numbers_again():
    btc = make("0.1", "0.001")
    assert btc.price(600_001) == pytest.approx(60_000.1)
    assert btc.price(600_000.5) == pytest.approx(60_000.05)
    assert btc.quantity(2000) == 2.0
    assert btc.money(-12_345_678_900) == -123.456789


# ---------------------------------------------------------------- money

BY_HAND = [
    # half a tick times a lot, in money; quantum; how many quanta
    pytest.param("0.1", "0.001", 1, "0.00005", "1e-8", 5000, id="BTCUSDT perpetual"),
    pytest.param("0.01", "0.00001", 1, "0.00000005", "1e-8", 5, id="BTCUSDT spot"),
    pytest.param("0.01", "0.000001", 1, "0.000000005", "1e-9", 5, id="BTCUSDT spot, finer lot"),
    pytest.param("0.25", "1", 50, "6.25", "1e-8", 625_000_000, id="ES"),
    pytest.param("0.05", "400", 1, "10", "1e-8", 1_000_000_000, id="HSBC in Hong Kong"),
    pytest.param("0.01", "1", 1, "0.005", "1e-8", 500_000, id="US share"),
    pytest.param("0.00000001", "1", 1, "0.000000005", "1e-9", 5, id="SHIB"),
    pytest.param("0.0001", "0.0003", "0.7", "0.0000000105", "1e-10", 105, id="nothing round"),
]


@pytest.mark.parametrize(("tick", "lot", "multiplier", "worth", "quantum", "quanta"), BY_HAND)
def test_half_a_tick_times_a_lot_is_a_whole_number_of_quanta(tick, lot, multiplier, worth, quantum, quanta):
    instrument = make(tick, lot, multiplier=multiplier)
    assert instrument.money_quantum == Decimal(quantum)
    assert instrument.half_tick_lot == quanta
    assert instrument.half_tick_lot * instrument.money_quantum == Decimal(worth)


steps = st.decimals("0.000001", "1000", places=6)


@given(steps, steps, steps)
def test_value_in_quanta_is_exact_for_any_steps(tick, lot, multiplier):
    instrument = make(tick, lot, multiplier=multiplier)
    assert 2 * instrument.half_tick_lot * Fraction(instrument.money_quantum) == Fraction(tick) * Fraction(lot) * Fraction(
        multiplier
    )
    assert instrument.money_quantum <= Decimal("1e-8")
    assert instrument.money_quantum == Decimal("1e-8") or instrument.half_tick_lot % 10  # no finer than it must be


def test_a_lot_whose_tick_is_worth_more_than_money_can_count_is_refused():
    with pytest.raises(InputError, match=r"^X: one tick of one lot is worth 1E\+30 USD; allowed: up to 1E\+9$"):
        _ = make("1e15", "1e15").half_tick_lot


def test_headroom_is_refused_where_the_largest_order_leaves_64_bits():
    btc = make("0.1", "0.001")  # 5,000 quanta per half tick and lot
    most = 2**62 // (2 * 600_000 * 5000)
    btc.require_headroom(600_000, most)
    btc.require_headroom(-600_000, most)
    for ticks in (600_000, -600_000):
        with pytest.raises(InputError, match=f"^X: {most + 1} lots at {ticks} ticks are worth too many money quanta of 1E-8"):
            btc.require_headroom(ticks, most + 1)


# ---------------------------------------------------------------- tick tables


def test_a_tick_table_has_its_steps_in_order():
    assert len(make("0.001", tick_table=bands(HKEX)).tick_table) == 7
    said = "the tick table's from_price must increase from row to row"
    assert refusal(lambda: make("0.001", tick_table=bands([("1", "0.01"), ("0", "0.001")]))) == ("", said)
    assert refusal(lambda: make("0.001", tick_table=bands([("0", "0.01"), ("0", "0.001")]))) == ("", said)


def test_every_step_and_start_of_a_tick_table_is_a_multiple_of_the_quantum():
    assert refusal(lambda: make("0.01", tick_table=bands([("0", "0.005")]))) == (
        "",
        "tick_table.tick_size is 0.005, which is not a multiple of the tick_size 0.01; the nearest below is 0",
    )
    assert refusal(lambda: make("0.01", tick_table=bands([("0.255", "0.05")]))) == (
        "",
        "tick_table.from_price is 0.255, which is not a multiple of the tick_size 0.01; the nearest below is 0.25",
    )


def test_a_row_of_a_tick_table_cannot_stand_still_or_begin_below_zero():
    assert refusal(lambda: TickBand(from_price=0, tick_size=0)) == ("tick_size", "Input should be greater than 0")
    assert refusal(lambda: TickBand(from_price=-1, tick_size=1)) == ("from_price", "Input should be greater than or equal to 0")


# ---------------------------------------------------------------- fees


def tier(start, maker=1, taker=2):
    return FeeTier(from_value=start, maker_bps=maker, taker_bps=taker)


def test_nothing_is_charged_unless_it_is_stated():
    assert make().fees == Fees(
        maker_bps=0, taker_bps=0, maker_per_unit=0, taker_per_unit=0, tax_buy_bps=0, tax_sell_bps=0, tiers=()
    )


def test_a_rebate_per_share_is_not_basis_points():
    per_share = Fees(maker_per_unit="-0.0025")
    assert (per_share.maker_per_unit, per_share.maker_bps) == (Decimal("-0.0025"), 0)
    # as basis points, on a share of 10, it would be a thousandth of what is meant; and read as per cent, 25 bps, ten times as much
    assert Fees(maker_bps="-0.0025").maker_bps * 10 / 10_000 == Decimal("-0.0000025")


@pytest.mark.parametrize("field", ["maker_bps", "taker_bps", "tax_buy_bps", "tax_sell_bps"])
def test_rates_beyond_a_tenth_of_value_are_a_mistake_of_units(field):
    assert getattr(Fees(**{field: 1000}), field) == 1000
    assert refusal(lambda: Fees(**{field: "1000.5"})) == (
        "",
        "a fee of 1000.5 bps is 10.005 % of value; allowed: -1000 to 1000 bps",
    )
    if not field.startswith("tax"):
        assert refusal(lambda: Fees(**{field: -1001}))[1].startswith("a fee of -1001 bps")


def test_the_bounds_hold_in_tiers_too():
    assert (
        refusal(lambda: Fees(tiers=(tier(0, maker=-2000),)))[1]
        == "a fee of -2000 bps is -20 % of value; allowed: -1000 to 1000 bps"
    )


def test_a_rate_finer_than_what_is_counted_is_refused():
    assert Decimal("0.00001") * FEE_SCALE / 10_000 == 1
    said = "fee in bps is 0.000005, which is not a multiple of the fee step 0.00001; the nearest below is 0"
    assert refusal(lambda: Fees(maker_bps="0.000005")) == ("", said)


def test_taxes_are_paid_and_not_received():
    assert refusal(lambda: Fees(tax_sell_bps=-1)) == ("tax_sell_bps", "Input should be greater than or equal to 0")


def test_tiers_begin_at_increasing_values():
    assert [each.from_value for each in Fees(tiers=(tier(0), tier(10), tier(20))).tiers] == [0, 10, 20]
    said = "fee tiers start at 10, 5; allowed: increasing traded values"
    assert refusal(lambda: Fees(tiers=(tier(10), tier(5)))) == ("", said)
    assert refusal(lambda: Fees(tiers=(tier(10), tier(10))))[1].startswith("fee tiers start at 10, 10")
    assert refusal(lambda: tier(-1)) == ("from_value", "Input should be greater than or equal to 0")


@pytest.mark.parametrize("name", ["maker", "fee_bps", "maker_fee"])
def test_a_fee_without_its_unit_is_no_field(name):
    assert refusal(lambda: Fees(**{name: 1})) == (name, "Extra inputs are not permitted")
