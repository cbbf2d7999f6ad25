"""What is traded: price steps, quantity steps, fees, and the integer money that follows from them.

Prices are integers in the instrument's price quantum (`Instrument.tick_size`; with a tick table, its finest step), quantities
integers in its lot. Money is an integer number of `Instrument.money_quantum`, chosen so that half a tick times one lot is a whole
number of quanta: a mid price, which may lie half-way between two ticks, is then exact too.

An inverse contract (coin-margined) is quoted in one currency and paid in another: one unit at price x is worth multiplier / x of
`Instrument.currency`. Whoever holds it gains multiplier × (1/x_0 - 1/x_1), which is what he would gain of a linear one at the
prices -multiplier / x. So accounts count a price x as -c / x, a whole number rounded once, and have no other rule for inverse
contracts.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from twosided.errors import InputError
from twosided.units import exact_decimal, whole_steps

__all__ = ["FeeTier", "Fees", "Instrument", "TickBand"]

Exact = Annotated[Decimal, BeforeValidator(exact_decimal)]
"""A decimal number exactly as written: 0.1 in a YAML file is one tenth."""

FEE_SCALE = 10**9
"""Fee rates are integers in 1e-9 of value in compiled code: 1 bps is 100,000."""

FINEST_QUANTUM = Decimal("1e-8")
"""Money is counted in 1e-8 of the quote currency, or finer where half a tick times a lot asks for it."""

_MOST_TICK_LOT = Decimal("1e9")
_INVERSE_SCALE = Decimal("1e15")
_FALL = 10


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FeeTier(_Frozen):
    """Rates that hold from a traded value on."""

    from_value: Exact = Field(ge=0, description="traded value, in quote currency, from which these rates hold")
    maker_bps: Exact
    taker_bps: Exact


class Fees(_Frozen):
    """What a venue and the state charge. Positive is paid, negative is a rebate; the unit is in the name.

    Each of the three kinds is rounded once per fill, half away from zero, to the money quantum.
    """

    maker_bps: Exact = Decimal(0)
    taker_bps: Exact = Decimal(0)
    maker_per_unit: Exact = Field(default=Decimal(0), description="money per unit of quantity (per share), not per cent")
    taker_per_unit: Exact = Decimal(0)
    tax_buy_bps: Exact = Field(default=Decimal(0), ge=0, description="tax on purchases, for example Hong Kong stamp duty")
    tax_sell_bps: Exact = Field(default=Decimal(0), ge=0)
    tiers: tuple[FeeTier, ...] = Field(default=(), description="replace maker_bps and taker_bps from a traded value on")

    @model_validator(mode="after")
    def _ordered_and_sane(self) -> Self:
        values = [tier.from_value for tier in self.tiers]
        if values != sorted(set(values)):
            raise ValueError(f"fee tiers start at {', '.join(map(str, values))}; allowed: increasing traded values")
        rates = [self.maker_bps, self.taker_bps, self.tax_buy_bps, self.tax_sell_bps]
        rates += [rate for tier in self.tiers for rate in (tier.maker_bps, tier.taker_bps)]
        for rate in rates:
            if abs(rate) > 1000:
                raise ValueError(f"a fee of {rate} bps is {rate / 100} % of value; allowed: -1000 to 1000 bps")
            whole_steps(rate, Decimal("1e-5"), name="fee in bps", step_name="fee step")
        return self


class TickBand(_Frozen):
    """One row of a tick table: from this price on, prices move in steps of `tick_size`."""

    from_price: Exact = Field(ge=0)
    tick_size: Exact = Field(gt=0)


class Instrument(_Frozen):
    """An instrument at a venue: a *market*.

    Raises:
        pydantic.ValidationError: a size that is not positive, a tick table that is not in order or whose steps are not multiples
            of `tick_size`; readers and the command line turn it into an `InputError` of one sentence.
    """

    symbol: str
    tick_size: Exact = Field(gt=0, description="price quantum; with a tick table its finest step")
    lot_size: Exact = Field(gt=0, description="quantity step")
    venue: str = ""
    currency: str = "USD"
    multiplier: Exact = Field(default=Decimal(1), gt=0, description="value of one unit of quantity per unit of price")
    inverse: bool = Field(
        default=False, description="coin-margined: one unit of quantity is worth multiplier / price, in currency (the coin)"
    )
    tick_table: tuple[TickBand, ...] = ()
    fees: Fees = Fees()

    @model_validator(mode="after")
    def _tick_table_fits(self) -> Self:
        starts = [band.from_price for band in self.tick_table]
        if starts != sorted(set(starts)):
            raise ValueError("the tick table's from_price must increase from row to row")
        for band in self.tick_table:
            whole_steps(band.tick_size, self.tick_size, name="tick_table.tick_size", step_name="tick_size")
            whole_steps(band.from_price, self.tick_size, name="tick_table.from_price", step_name="tick_size")
        return self

    @property
    def money_quantum(self) -> Decimal:
        """The smallest amount of money that is counted: 1e-8, or finer so that half a tick times one lot is whole.

        Of an inverse contract: so that a lot at half a tick is worth 2e15 quanta or more, but not ten times as much. At a price
        of a million ticks its value then has ten digits or more, and is rounded by less than 1e-9 of itself.

        Raises:
            InputError: one tick of one lot is worth so much that no integer of 64 bits could count it.
        """
        if self.inverse:
            finest = self.multiplier * self.lot_size / self.tick_size / _INVERSE_SCALE
            return Decimal(1).scaleb(finest.adjusted())
        worth = self.tick_size * self.lot_size * self.multiplier
        if worth > _MOST_TICK_LOT:
            raise InputError(
                f"{self.symbol}: one tick of one lot is worth {worth} {self.currency}; allowed: up to {_MOST_TICK_LOT}"
            )
        quantum = FINEST_QUANTUM
        while worth / 2 % quantum:
            quantum /= 10
        return quantum

    @property
    def half_tick_lot(self) -> int:
        """Value of one lot over half a tick, in money quanta: value = (2 × ticks) × lots × half_tick_lot; 0 where inverse."""
        return 0 if self.inverse else int(self.tick_size * self.lot_size * self.multiplier / 2 / self.money_quantum)

    @property
    def inverse_lot(self) -> tuple[int, int]:
        """Value of one lot of an inverse contract at a price of half a tick, in money quanta, as (numerator, denominator).

        Raises:
            InputError: the tick size is such an odd number that it is not counted in 64 bits.
        """
        value = Fraction(self.multiplier) * Fraction(self.lot_size) * 2 / Fraction(self.tick_size) / Fraction(self.money_quantum)
        if value.numerator >= 2**60:
            raise InputError(f"{self.symbol} is inverse with a tick size of {self.tick_size}; allowed: one with fewer digits")
        return value.numerator, value.denominator

    @property
    def unit_quanta(self) -> int:
        """Money quanta per lot and unit of `price_units`."""
        return 1 if self.inverse else self.half_tick_lot

    def price_units(self, half_ticks: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return prices as accounts count them: half ticks themselves; of an inverse contract -c / half ticks, rounded once.

        Args:
            half_ticks: twice the price in ticks, so that a mid is whole: bid + ask. Above 0 where the contract is inverse.

        Returns:
            Whole numbers that grow with the price; a position of q lots is worth q × price_units × unit_quanta money quanta.

        Raises:
            InputError: a price of an inverse contract that is not positive.
        """
        prices = np.asarray(half_ticks, np.int64)
        if not self.inverse:
            return prices
        if prices.size and prices.min() <= 0:
            raise InputError(f"{self.symbol} is inverse and has a price of {prices.min() / 2:g} ticks; allowed: above 0")
        value, over = self.inverse_lot
        return -((2 * value + over * prices) // (2 * over * prices))

    def ticks(self, price: str | float | Decimal, *, name: str = "price") -> int:
        """Return *price* in ticks.

        Raises:
            InputError: the tick size does not divide it.
        """
        return whole_steps(price, self.tick_size, name=name, step_name="tick size")

    def lots(self, quantity: str | float | Decimal, *, name: str = "quantity") -> int:
        """Return *quantity* in lots.

        Raises:
            InputError: the lot size does not divide it.
        """
        return whole_steps(quantity, self.lot_size, name=name, step_name="lot size")

    def price(self, ticks: float) -> float:
        """Return *ticks* as a price, for people."""
        return float(ticks) * float(self.tick_size)

    def quantity(self, lots: float) -> float:
        """Return *lots* as a quantity, for people."""
        return float(lots) * float(self.lot_size)

    def money(self, quanta: int) -> float:
        """Return integer money as an amount of the quote currency, for people and statistics."""
        return float(int(quanta) * self.money_quantum)

    def require_headroom(self, most_ticks: int, most_lots: int) -> None:
        """Prove that 64-bit integers suffice to value the largest order of a recording; the ledger watches sums as they grow.

        Raises:
            InputError: they do not; a coarser lot or tick is needed.
        """
        if self.inverse:  # worth the more the lower the price: room for a fall to a tenth
            value, over = self.inverse_lot
            worth = value * _FALL * most_lots // (over * max(2 * abs(most_ticks), 1))
        else:
            worth = 2 * abs(most_ticks) * most_lots * self.half_tick_lot
        if worth >= 2**62:
            raise InputError(
                f"{self.symbol}: {most_lots} lots at {most_ticks} ticks are worth too many money quanta of {self.money_quantum} "
                f"to be counted in 64 bits; state a coarser lot size than {self.lot_size} or tick size than {self.tick_size}"
            )
