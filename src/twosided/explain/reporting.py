"""Money of several currencies in one: the split in a reporting currency, with a part for what exchange rates did.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

Let X be the price of one unit of an account's currency in the reporting currency: a constant, or the mid of a market of the run.
V_0 is the account's opening value, a_j the amounts that its split is the sum of, and t_j when each counts (`split.counted`):

    each part  = Σ a_j X(t_j)                          at the rate when it counts
    currency   = Σ_k [ V_0 + Σ_{t_j < u_k} a_j ] · (X_k - X_{k-1})   over moves of the rate at u_k: what was held meanwhile
    total      = V_T X_T - V_0 X_0 = the sum of the seven,  V_T = V_0 + Σ a_j

An identity (summation by parts), and exact: a mid is a whole number of half ticks, a stated rate a decimal number, and products
of whole numbers are whole, in the quantum of money times that of the rate. Nothing is rounded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from twosided.errors import DataError, InputError
from twosided.explain.paths import Integers, last_at, mids_of
from twosided.explain.split import HORIZON_NS, PARTS, Counted, SplitError, counted
from twosided.market.instrument import Instrument
from twosided.market.run import Run

__all__ = ["REPORTED_PARTS", "Reported", "Reporting", "reported", "require_rates"]

REPORTED_PARTS = (*PARTS, "currency")
"""The parts in a reporting currency; they add up to the total."""


@dataclass(frozen=True)
class Reporting:
    """A currency to report in, and what one unit of each other costs in it.

    Args:
        currency: to report in.
        rates: by currency: a positive number, or ``"market:1"``: the mid of that market of the run, whose prices are in *currency*.
    """

    currency: str
    rates: Mapping[str, Decimal | str]


@dataclass(frozen=True)
class Reported:
    """A split in a reporting currency.

    Args:
        currency: of the amounts.
        exponent: amounts count 10^exponent of it.
        amounts: of each of `REPORTED_PARTS`, and of ``"total"``.
    """

    currency: str
    exponent: int
    amounts: Mapping[str, int]

    def money(self, name: str) -> Decimal:
        """Return one amount with all its digits."""
        whole = self.amounts[name]
        return Decimal((int(whole < 0), tuple(map(int, str(abs(whole)))), self.exponent))


def reported(run: Run, reporting: Reporting, horizon_ns: int = HORIZON_NS) -> Reported:
    """Return the split of all markets of *run* in one currency.

    Raises:
        InputError: a currency without a rate, a rate that is not positive, or a market that cannot give one.
        DataError, SplitError: as `twosided.explain.split.split`.
    """
    sheets = []
    for market, instrument in enumerate(run.instruments):
        times, steps, quantum = _rate(run, reporting, instrument.currency)
        sheet = _converted(counted(run, market, horizon_ns), times, steps)
        exponent = int((quantum * instrument.money_quantum).as_tuple().exponent)
        scale = int((quantum * instrument.money_quantum).scaleb(-exponent))
        sheets.append((exponent, {name: scale * amount for name, amount in sheet.items()}))
    finest = min(exponent for exponent, _ in sheets)
    sums = {name: sum(sheet[name] * 10 ** (exponent - finest) for exponent, sheet in sheets) for name in (*REPORTED_PARTS, "total")}
    return Reported(reporting.currency, finest, sums)


def require_rates(reporting: Reporting, instruments: Sequence[Instrument]) -> None:
    """Make sure that every currency has a rate.

    Raises:
        InputError: one has none, or one that cannot be used.
    """
    for instrument in instruments:
        _source(reporting, instrument.currency, instruments)


def _source(reporting: Reporting, currency: str, instruments: Sequence[Instrument]) -> Decimal | int:
    """Return the rate of *currency*, or the number of the market that has it."""
    if currency == reporting.currency:
        return Decimal(1)
    if currency not in reporting.rates:
        raise InputError(
            f"money is in {currency}, and no rate to {reporting.currency} is given; state one: {currency}=1.08, or the market "
            f"whose price it is: {currency}=market:0"
        )
    rate = reporting.rates[currency]
    if isinstance(rate, Decimal):
        if not rate > 0:
            raise InputError(f"the rate of {currency} is {rate}; allowed: a positive number")
        return rate
    market = int(rate.removeprefix("market:")) if rate.removeprefix("market:").isdigit() else -1
    if not rate.startswith("market:") or not 0 <= market < len(instruments):
        raise InputError(f"the rate of {currency} is {rate!r}; allowed: a number, or market:0 to market:{len(instruments) - 1}")
    instrument = instruments[market]
    if not instrument.inverse and instrument.currency != reporting.currency:
        raise InputError(
            f"the rate of {currency} is the price of {instrument.symbol}, which is in {instrument.currency}; allowed: a market "
            f"whose prices are in {reporting.currency}"
        )
    return market


def _rate(run: Run, reporting: Reporting, currency: str) -> tuple[Integers, Integers, Decimal]:
    """Return when the rate of *currency* took which value, and what the values count."""
    source = _source(reporting, currency, run.instruments)
    if isinstance(source, Decimal):
        exponent = int(source.as_tuple().exponent)
        return np.array([run.facts["start_ns"]], np.int64), np.array([int(source.scaleb(-exponent))]), Decimal(1).scaleb(exponent)
    instrument, mids = run.instruments[source], mids_of(run, source)
    if not len(mids.ns):
        raise DataError("the run's mids", instrument.symbol, f"never a valid mid, so that {currency} has no rate; expected one")
    return mids.ns, mids.half_ticks, instrument.tick_size / 2


def _converted(account: Counted, times: Integers, rate: Integers) -> dict[str, int]:
    """Return the parts of one account at the rate that held when each amount counted, and the total from its two ends."""
    moves = np.diff(rate)
    held = np.zeros(len(times), np.int64)  # amounts by the step of the rate in which they count
    found = dict.fromkeys(REPORTED_PARTS, 0)
    for name, at, amounts in account.amounts:
        step = last_at(times, at)
        by_step = np.zeros(len(times), np.int64)
        np.add.at(by_step, step, amounts)
        found[name] += _product(by_step, rate)
        held += by_step
    found["currency"] = _product(account.opening + np.cumsum(held)[:-1], moves)
    closing = account.opening + account.total
    total = closing * int(rate[-1]) - account.opening * int(rate[0])
    if total != sum(found.values()):
        raise SplitError(f"the parts in another currency add up to {sum(found.values())}, not to {total}: {found}")
    return {**found, "total": total}


def _product(amounts: Integers, factors: Integers) -> int:
    """Return the sum of products, in whole numbers of any size."""
    there = np.flatnonzero(amounts)
    return int(np.dot(amounts[there].astype(object), factors[there].astype(object))) if len(there) else 0
