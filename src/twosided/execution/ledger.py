"""The ledger: fills in; position, cash, fees and taxes out. The one place that counts money while an engine runs.

All money is an integer number of the instrument's money quanta, so accounts add up with ``==``. Each fee and each tax is rounded
once per fill, half away from zero. What a position cost, and what is realised, is worked out afterwards from the fills by
`twosided.execution.cost_basis`; why money was made, by `twosided.explain.split`.
"""

from decimal import Decimal
from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.market.instrument import FEE_SCALE, Instrument

__all__ = ["ACCOUNT", "FEES", "MOST_TIERS", "book_fill", "book_funding", "fee_and_tax", "fee_schedule", "mul_div", "worth"]

MOST_TIERS = 16

FEES = np.dtype(
    (
        np.record,
        [
            ("half_tick_lot", "i8"),  # quanta per half tick and lot
            ("inverse_lot", "i8"),  # of an inverse contract: quanta per lot at half a tick, over `inverse_over`; 0 of any other
            ("inverse_over", "i8"),
            ("maker_rate", "i8"),  # 1e-9 of value, from a traded value on: see tiers
            ("taker_rate", "i8"),
            ("maker_per_lot", "i8"),  # 1e-9 quanta per lot
            ("taker_per_lot", "i8"),
            ("tax_buy_rate", "i8"),  # 1e-9 of value
            ("tax_sell_rate", "i8"),
            ("n_tiers", "i8"),
            ("tier_from", "i8", (MOST_TIERS,)),  # quanta
            ("tier_maker_rate", "i8", (MOST_TIERS,)),
            ("tier_taker_rate", "i8", (MOST_TIERS,)),
        ],
    ),
)
"""An instrument's fees as integers; `fee_schedule` makes it."""

ACCOUNT = np.dtype(
    (
        np.record,
        [
            ("position_lots", "i8"),
            ("cash", "i8"),  # quanta; fees and taxes are taken off
            ("fees", "i8"),  # quanta paid so far, rebates negative
            ("taxes", "i8"),
            ("funding", "i8"),
            ("volume_lots", "i8"),  # bought plus sold
            ("turnover", "i8"),  # quanta of value bought plus sold
            ("fills", "i8"),
        ],
    ),
)
"""One strategy's account in one market."""


def _rate(bps: Decimal) -> int:
    return int(bps * FEE_SCALE / 10_000)


def fee_schedule(instrument: Instrument) -> Any:
    """Return *instrument*'s fees as one `FEES` record.

    Raises:
        InputError: more than `MOST_TIERS` tiers, or a fee per unit that is finer than 1e-9 money quanta per lot.
    """
    fees, quantum = instrument.fees, instrument.money_quantum
    if len(fees.tiers) > MOST_TIERS:
        raise InputError(f"{instrument.symbol} has {len(fees.tiers)} fee tiers; allowed: at most {MOST_TIERS}")
    row = np.zeros(1, FEES)[0]
    row["half_tick_lot"] = instrument.half_tick_lot
    if instrument.inverse:
        row["inverse_lot"], row["inverse_over"] = instrument.inverse_lot
    row["maker_rate"], row["taker_rate"] = _rate(fees.maker_bps), _rate(fees.taker_bps)
    row["tax_buy_rate"], row["tax_sell_rate"] = _rate(fees.tax_buy_bps), _rate(fees.tax_sell_bps)
    for name, per_unit in (("maker_per_lot", fees.maker_per_unit), ("taker_per_lot", fees.taker_per_unit)):
        scaled = per_unit * instrument.lot_size / quantum * FEE_SCALE
        if scaled != int(scaled) or abs(scaled) >= 2**62:
            raise InputError(
                f"{instrument.symbol}: a fee of {per_unit} per unit cannot be counted in {quantum} money quanta per lot"
            )
        row[name] = int(scaled)
    row["n_tiers"] = len(fees.tiers)
    for i, tier in enumerate(fees.tiers):
        row["tier_from"][i] = min(int(tier.from_value / quantum), 2**63 - 1)  # no account gets there
        row["tier_maker_rate"][i], row["tier_taker_rate"][i] = _rate(tier.maker_bps), _rate(tier.taker_bps)
    return row


def _mul_div(value: int, rate: int) -> int:
    """Return value × rate / 1e9 rounded half away from zero, exact although the product may exceed 64 bits (|rate| <= 1e9)."""
    if rate == 0:
        return 0
    negative = (value < 0) != (rate < 0)
    value, rate = abs(value), abs(rate)
    whole, rest = value // FEE_SCALE, value % FEE_SCALE
    result = whole * rate + (rest * rate + FEE_SCALE // 2) // FEE_SCALE
    return -result if negative else result


mul_div = compiled(_mul_div)


def _worth(fees: Any, half_ticks: int) -> int:
    """Return what a lot counts for at a price, in quanta: of an inverse contract -c / x, rounded once (`Instrument.price_units`).

    Raises:
        ValueError: a price of an inverse contract that is not positive.
    """
    if fees.inverse_lot == 0:
        return int(half_ticks * fees.half_tick_lot)
    if half_ticks <= 0:
        raise ValueError("an inverse contract has a price that is not above zero, at which it has no value")
    over = fees.inverse_over * half_ticks
    return -int((2 * fees.inverse_lot + over) // (2 * over))


worth = compiled(_worth)


def _fee_and_tax(fees: Any, turnover: int, side: int, ticks: int, lots: int, maker: bool) -> tuple[int, int]:
    """Return (fee, tax) of one fill in quanta; positive = paid.

    Args:
        fees: the `FEES` record.
        turnover: value traded before this fill, in quanta: picks the tier.
        side: +1 a purchase, -1 a sale.
        ticks: price.
        lots: quantity.
        maker: whether the order rested.
    """
    value = abs(worth(fees, 2 * ticks) * lots)
    rate = fees.maker_rate if maker else fees.taker_rate
    for i in range(fees.n_tiers):
        if turnover >= fees.tier_from[i]:
            rate = fees.tier_maker_rate[i] if maker else fees.tier_taker_rate[i]
    per_lot = fees.maker_per_lot if maker else fees.taker_per_lot
    fee = mul_div(value, rate)
    if per_lot != 0:
        # lots × per_lot may be large on both sides: split per_lot, whose whole quanta need no rounding
        whole = abs(per_lot) // FEE_SCALE * lots
        part = mul_div(lots, abs(per_lot) % FEE_SCALE)
        fee += whole + part if per_lot > 0 else -(whole + part)
    return fee, mul_div(value, fees.tax_buy_rate if side > 0 else fees.tax_sell_rate)


fee_and_tax = compiled(_fee_and_tax, inline=True)

_MOST_CASH = 1 << 61


def _book_fill(account: Any, fees: Any, side: int, ticks: int, lots: int, maker: bool) -> tuple[int, int]:
    """Enter one fill into *account* and return its (fee, tax) in quanta.

    Raises:
        OverflowError: this fill, cash or turnover beyond 2^61 quanta, which 64-bit sums could no longer be trusted with.
    """
    per_lot = max(abs(fees.maker_per_lot), abs(fees.taker_per_lot))
    of_a_lot = abs(2.0 * ticks * fees.half_tick_lot) if fees.inverse_lot == 0 else abs(float(worth(fees, 2 * ticks)))
    if per_lot != 0:
        of_a_lot += per_lot / FEE_SCALE
    if lots * of_a_lot > _MOST_CASH:  # in floats: integers would wrap unnoticed
        raise OverflowError("money beyond 2^61 quanta: state a coarser tick or lot size")
    fee, tax = fee_and_tax(fees, account.turnover, side, ticks, lots, maker)
    value = worth(fees, 2 * ticks) * lots
    account.position_lots += side * lots
    account.cash -= side * value + fee + tax
    account.fees += fee
    account.taxes += tax
    account.volume_lots += lots
    account.turnover += abs(value)
    account.fills += 1
    if abs(account.cash) > _MOST_CASH or account.turnover > _MOST_CASH:
        raise OverflowError("money beyond 2^61 quanta: state a coarser tick or lot size")
    return fee, tax


book_fill = compiled(_book_fill, inline=True)


def _book_funding(account: Any, fees: Any, mid_half_ticks: int, rate: int) -> None:
    """Exchange a funding payment: a long position pays position × mid × *rate* (1e-9 of value), a short one receives it.

    Of an inverse contract: position / mid × rate.
    """
    value = account.position_lots * worth(fees, mid_half_ticks)
    payment = mul_div(-value if fees.inverse_lot != 0 else value, rate)
    account.funding += payment
    account.cash -= payment


book_funding = compiled(_book_funding)
