"""Inverse (coin-margined) contracts: known answers of the venues' own formula, in fractions, from the ledger to the explanation."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.execution.cost_basis import average_cost, fifo
from twosided.execution.ledger import ACCOUNT, book_fill, book_funding, fee_schedule, worth
from twosided.market.instrument import Fees, Instrument

pytestmark = pytest.mark.interpreted

XBT = Instrument(symbol="XBTUSD", tick_size="0.5", lot_size="100", currency="XBT", inverse=True)
COIN_M = Instrument(symbol="BTCUSD_PERP", tick_size="0.1", lot_size="1", multiplier="100", currency="BTC", inverse=True)
DOGE = Instrument(symbol="DOGEUSD_PERP", tick_size="0.00001", lot_size="1", multiplier="10", currency="DOGE", inverse=True)
ODD = Instrument(symbol="ODD", tick_size="0.03", lot_size="7", currency="X", inverse=True)
ALL = (XBT, COIN_M, DOGE, ODD)


def account():
    return np.zeros(1, ACCOUNT)[0]


def exact(instrument, half_ticks):
    """Return -multiplier × lot / price in quanta, as a fraction."""
    price = Fraction(half_ticks) * Fraction(instrument.tick_size) / 2
    return -Fraction(instrument.multiplier * instrument.lot_size) / price / Fraction(instrument.money_quantum)


def rounded(number):
    """Half away from zero."""
    whole = int(abs(number) + Fraction(1, 2))
    return whole if number >= 0 else -whole


@given(st.sampled_from(ALL), st.integers(1, 2**32))
def test_a_price_counts_as_minus_c_over_itself_rounded_once(instrument, half_ticks):
    units = rounded(exact(instrument, half_ticks))
    assert instrument.price_units(half_ticks) == units
    assert instrument.price_units(np.array([half_ticks, half_ticks])).tolist() == [units, units]
    assert worth(fee_schedule(instrument), half_ticks) == units
    assert instrument.unit_quanta == 1


@pytest.mark.parametrize("instrument", ALL)
def test_a_lot_is_worth_enough_quanta_for_rounding_not_to_matter(instrument):
    assert -(2 * 10**16) < instrument.price_units(1) <= -2 * 10**15
    assert abs(instrument.price_units(2 * 10**6)) >= 10**9


def test_of_a_linear_contract_a_price_counts_as_it_is():
    linear = Instrument(symbol="ES", tick_size="0.25", lot_size="1", multiplier="50")
    assert linear.price_units([3, -4]).tolist() == [3, -4]
    assert worth(fee_schedule(linear), 7) == 7 * linear.half_tick_lot
    assert linear.unit_quanta == linear.half_tick_lot == Decimal("6.25") / linear.money_quantum


def test_ten_thousand_dollars_bought_at_50_000_and_sold_at_55_000():
    """Long 10,000 contracts of 1 USD: 10,000 × (1/50,000 - 1/55,000) = 0.018181818... XBT."""
    fees, book = fee_schedule(XBT), account()
    book_fill(book, fees, 1, 100_000, 100, True)
    assert (book["position_lots"], book["cash"] * XBT.money_quantum) == (100, Decimal("0.2"))
    book_fill(book, fees, -1, 110_000, 100, True)
    earned = Fraction(10_000, 50_000) - Fraction(10_000, 55_000)
    assert book["position_lots"] == 0
    assert abs(Fraction(int(book["cash"])) * Fraction(XBT.money_quantum) - earned) <= 100 * Fraction(XBT.money_quantum)
    assert float(book["cash"] * XBT.money_quantum) == pytest.approx(0.0181818181818, abs=1e-11)
    assert book["turnover"] == 100 * (rounded(-exact(XBT, 200_000)) + rounded(-exact(XBT, 220_000)))


def test_a_short_loses_in_coin_what_a_long_earns():
    sold, bought = account(), account()
    for book, side in ((sold, -1), (bought, 1)):
        book_fill(book, fee_schedule(COIN_M), side, 600_000, 3, True)
        book_fill(book, fee_schedule(COIN_M), -side, 650_000, 3, True)
    assert sold["cash"] == -bought["cash"] < 0


def test_fees_are_a_share_of_the_value_in_coin():
    """3 contracts of 100 USD at 60,000 are 0.005 BTC: 2 bps of that are 0.000001 BTC, 5 bps 0.0000025."""
    charged = COIN_M.model_copy(update={"fees": Fees(maker_bps="2", taker_bps="5")})
    book = account()
    fee, _ = book_fill(book, fee_schedule(charged), 1, 600_000, 3, True)
    assert fee * charged.money_quantum == Decimal("0.000001")
    fee, _ = book_fill(book, fee_schedule(charged), -1, 600_000, 3, False)
    assert fee * charged.money_quantum == Decimal("0.0000025")
    assert book["cash"] * charged.money_quantum == -Decimal("0.0000035")


def test_a_long_pays_funding_in_coin():
    """30 contracts of 100 USD at a mid of 60,000 are 0.05 BTC; 1 bp of that is 0.000005."""
    fees = fee_schedule(COIN_M)
    for side in (1, -1):
        book = account()
        book_fill(book, fees, side, 600_000, 30, True)
        before = int(book["cash"])
        book_funding(book, fees, 2 * 600_000, 100_000)
        paid = rounded(side * 30 * -Fraction(rounded(exact(COIN_M, 1_200_000))) * Fraction(1, 10_000))
        assert (book["funding"], before - book["cash"]) == (paid, paid)
        assert paid * COIN_M.money_quantum == pytest.approx(side * Decimal("0.000005"), abs=Decimal("1e-14"))


trades = st.lists(st.tuples(st.sampled_from([-1, 1]), st.integers(100, 10**7), st.integers(1, 10**4)), max_size=15)


@given(st.sampled_from(ALL), trades, st.integers(200, 2 * 10**7))
def test_cash_is_the_sum_of_rounded_values_and_both_cost_bases_agree_with_it(instrument, listed, mark):
    fees, book, cash, held = fee_schedule(instrument), account(), 0, 0
    for side, ticks, lots in listed:
        book_fill(book, fees, side, ticks, lots, True)
        cash -= side * lots * rounded(exact(instrument, 2 * ticks))
        held += side * lots
    assert (book["cash"], book["position_lots"]) == (cash, held)
    side, ticks, lots = (np.array([row[i] for row in listed], np.int64) for i in range(3))
    priced = instrument.price_units(2 * ticks)
    given_ = {"mark": int(instrument.price_units(mark)), "unit_quanta": instrument.unit_quanta}
    total = cash + held * rounded(exact(instrument, mark))
    nothing = np.zeros(len(side), np.int64)
    assert average_cost(side, priced, lots, nothing, **given_).total == total
    first, trips = fifo(side, priced, lots, nothing, **given_)
    assert first.total == total
    assert trips.gain.sum() == first.realised.sum()


def test_a_price_that_is_not_positive_has_no_value():
    with pytest.raises(InputError, match="XBTUSD is inverse and has a price of 0 ticks; allowed: above 0"):
        XBT.price_units([4, 0])
    with pytest.raises(ValueError, match="not above zero"):
        book_fill(account(), fee_schedule(XBT), 1, 0, 1, True)


def test_what_64_bits_cannot_count_is_refused():
    XBT.require_headroom(120_000, 10**6)
    with pytest.raises(InputError, match="too many money quanta"):
        XBT.require_headroom(120_000, 10**9)
    with pytest.raises(OverflowError, match="state a coarser"):
        book_fill(account(), fee_schedule(XBT), 1, 1, 10**4, True)
    with pytest.raises(InputError, match=r"tick size of 0\.0099999999; allowed: one with fewer digits"):
        _ = XBT.model_copy(update={"tick_size": Decimal("0.0099999999")}).inverse_lot
