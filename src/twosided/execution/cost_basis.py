"""Realised and unrealised profit: what a position cost, by average cost and first-in-first-out.

Where you are in the pipe: ... -> order manager -> venue -> fills -> *ledger* -> explanation.

Realised profit needs a cost basis: selling at 101 what was bought at 103 is a loss of 2, wherever the mid stands. Two bases are
common, and they differ only in *when* profit is called realised, never in the sum:

    realised + unrealised = q_T m_T - q_0 m_0 - Σ s n p          the same integer for both, before fees

Positions are signed and may pass through zero in one fill: the fill closes what was open and opens the rest at its own price.
All sums are integers in units of price × lots (`Instrument.price_units`: half ticks, unless the contract is inverse), turned into
money quanta at the end, so nothing is lost: average cost keeps the *total* cost of the open position and takes a once-rounded share
out of it, instead of storing a rounded average price.

Cost: average cost is a handful of additions per fill and six divisions per closing fill. First-in-first-out touches each open lot
once when it is opened and once when it is closed, O(fills) in all; one fill that closes many small lots pays for all of them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = ["MOST_LOTS", "CostBasis", "RoundTrips", "average_cost", "fifo"]

MOST_LOTS = 2**52
"""The largest volume, in lots, for which shares are exact in 64 bits."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CostBasis:
    """Profit under one convention, in money quanta.

    ``realised`` (one number per fill) and ``unrealised`` are before fees. ``fees`` are the fees and taxes of all fills, paid when
    they happened. ``cost`` is the signed cost of the open position: positive for a long one, negative for a short one.
    """

    realised: Integers
    unrealised: int
    fees: int
    position_lots: int
    cost: int

    @property
    def total(self) -> int:
        """Profit after fees: the change in equity over the fills, without funding."""
        return int(self.realised.sum()) + self.unrealised - self.fees


@dataclass(frozen=True)
class RoundTrips:
    """Lots of one opening fill paired, first in first out, with lots of one closing fill. One entry per pair.

    ``opened`` and ``closed`` are indices of fills (-1: held when the run began), ``side`` is +1 for a long trip, ``gain`` is before
    and ``fees`` are the shares of both fills' fees and taxes, in money quanta. Shares are rounded once and lose nothing: those of a
    fill add up to its fees.
    """

    opened: Integers
    closed: Integers
    side: Integers
    lots: Integers
    gain: Integers
    fees: Integers

    @property
    def net(self) -> Integers:
        """What each trip earned after its fees, in money quanta."""
        return self.gain - self.fees

    @property
    def win_rate(self) -> float | None:
        """Share of round trips with ``net > 0``, each counted once whatever its size; None when there were none."""
        return float(np.mean(self.net > 0)) if len(self.net) else None


def average_cost(
    side: npt.ArrayLike,
    price: npt.ArrayLike,
    lots: npt.ArrayLike,
    fees: npt.ArrayLike,
    *,
    mark: int,
    unit_quanta: int,
    opening_lots: int = 0,
    opening_price: int = 0,
) -> CostBasis:
    """Return profit by average cost: a closing fill realises against the mean cost of the whole open position.

    Args:
        side: +1 bought, -1 sold; one entry per fill, in the order in which they happened.
        price: of each fill, in the instrument's `price_units`: half ticks, unless it is inverse.
        lots: size of each fill, positive.
        fees: fee and tax of each fill, money quanta, positive = paid.
        mark: mid at which the open position is valued, in the same units.
        unit_quanta: money quanta per lot and unit of price (`Instrument.unit_quanta`).
        opening_lots: position before the first fill, signed.
        opening_price: mid at which it is taken over.

    Raises:
        InputError: arrays of unequal length or not of whole numbers, a side that is not ±1, a size that is not positive.
    """
    sides, prices, sizes, paid = _checked(side, price, lots, fees, opening_lots)
    realised = np.zeros(len(sides), np.int64)
    position, cost = _average_kernel(sides, prices, sizes, np.int64(opening_lots), np.int64(opening_price), realised)
    return _in_money(realised, int(position), int(cost), int(paid.sum()), mark, unit_quanta)


def fifo(
    side: npt.ArrayLike,
    price: npt.ArrayLike,
    lots: npt.ArrayLike,
    fees: npt.ArrayLike,
    *,
    mark: int,
    unit_quanta: int,
    opening_lots: int = 0,
    opening_price: int = 0,
) -> tuple[CostBasis, RoundTrips]:
    """Return profit first-in-first-out, and the round trips: a closing fill realises against the oldest open lots.

    The arguments and errors are those of `average_cost`.
    """
    sides, prices, sizes, paid = _checked(side, price, lots, fees, opening_lots)
    realised = np.zeros(len(sides), np.int64)
    trips = np.zeros((2 * len(sides) + 1, 6), np.int64)  # each pair uses up an opening or a closing fill
    count, position, cost = _fifo_kernel(
        sides, prices, sizes, paid, np.int64(opening_lots), np.int64(opening_price), realised, trips
    )
    opened, closed, direction, matched, gain, trip_fees = (trips[: int(count), column].copy() for column in range(6))
    basis = _in_money(realised, int(position), int(cost), int(paid.sum()), mark, unit_quanta)
    return basis, RoundTrips(opened, closed, direction, matched, gain * unit_quanta, trip_fees)


def _in_money(realised: Integers, position: int, cost: int, fees: int, mark: int, unit_quanta: int) -> CostBasis:
    unrealised = (position * mark - cost) * unit_quanta
    return CostBasis(realised * unit_quanta, unrealised, fees, position, cost * unit_quanta)


def _checked(
    side: npt.ArrayLike, price: npt.ArrayLike, lots: npt.ArrayLike, fees: npt.ArrayLike, opening_lots: int
) -> tuple[Integers, Integers, Integers, Integers]:
    arrays = []
    for name, values in (("side", side), ("price", price), ("lots", lots), ("fees", fees)):
        array = np.asarray(values)
        if array.ndim != 1 or (len(array) and array.dtype.kind not in "iu"):
            raise InputError(
                f"{name} is an array of {array.ndim} dimensions and type {array.dtype}; allowed: one, of whole numbers"
            )
        arrays.append(np.ascontiguousarray(array, dtype=np.int64))
    sides, prices, sizes, paid = arrays
    if len({len(array) for array in arrays}) > 1:
        raise InputError(f"side, price, lots and fees have lengths {[len(array) for array in arrays]}; allowed: equal ones")
    if not np.all(np.abs(sides) == 1):
        raise InputError(f"side holds {sides[np.abs(sides) != 1][0]}; allowed: +1 (bought) and -1 (sold)")
    if not np.all(sizes > 0):
        raise InputError(f"lots holds {sizes[sizes <= 0][0]}; allowed: 1 or more")
    if float(sizes.sum(dtype=np.float64)) + abs(opening_lots) >= MOST_LOTS:
        raise InputError(f"the fills add up to {sizes.sum(dtype=np.float64):.3g} lots; allowed: fewer than {MOST_LOTS}")
    return sides, prices, sizes, paid


# ---------------------------------------------------------------- kernels: units of price × lots


def _rounded_share(total: Any, part: Any, whole: Any) -> Any:
    """Return total × part / whole, rounded half away from zero; 0 <= part <= whole < `MOST_LOTS`, any 64-bit total.

    The product may need more than 64 bits, so the remainder is divided ten bits of *part* at a time, as on paper.
    """
    amount = -total if total < 0 else total
    quotient = amount // whole
    rest = amount - quotient * whole
    fraction = np.int64(0)
    left = np.int64(0)
    for shift in range(50, -1, -10):
        left = (left << np.int64(10)) + rest * ((part >> np.int64(shift)) & np.int64(1023))
        digit = left // whole
        fraction = (fraction << np.int64(10)) + digit
        left -= digit * whole
    share = quotient * part + fraction
    if 2 * left >= whole:
        share += 1
    return -share if total < 0 else share


rounded_share = compiled(_rounded_share)


def _average(side: Any, price: Any, lots: Any, opening_lots: Any, opening_price: Any, realised: Any) -> Any:
    """Fill *realised* per fill; return the closing position and its cost."""
    position = opening_lots
    cost = opening_lots * opening_price
    for i in range(len(side)):
        closing = np.int64(0)
        if position * side[i] < 0:
            closing = min(lots[i], abs(position))
            share = rounded_share(cost, closing, abs(position))
            realised[i] = -side[i] * closing * price[i] - share
            cost -= share
        cost += side[i] * (lots[i] - closing) * price[i]
        position += side[i] * lots[i]
    return position, cost


_average_kernel = compiled(_average)


def _fifo(side: Any, price: Any, lots: Any, fees: Any, opening_lots: Any, opening_price: Any, realised: Any, trips: Any) -> Any:
    """Fill *realised* per fill and *trips* per pair; return the number of pairs, the closing position and its cost."""
    count = len(side)
    # The queue of open lots, oldest first, all of one side: [head, tail). Entry 0 may be the opening position.
    fill = np.empty(count + 1, np.int64)
    entry_price = np.empty(count + 1, np.int64)
    left = np.empty(count + 1, np.int64)
    fees_left = np.empty(count + 1, np.int64)
    head, tail, pairs = 0, 0, 0
    position = opening_lots
    if opening_lots != 0:
        fill[0], entry_price[0], left[0], fees_left[0] = -1, opening_price, abs(opening_lots), 0
        tail = 1
    for i in range(count):
        rest = lots[i]
        rest_fees = fees[i]
        while rest > 0 and position * side[i] < 0:
            matched = min(rest, left[head])
            gain = -side[i] * matched * (price[i] - entry_price[head])
            entry_fees = rounded_share(fees_left[head], matched, left[head])
            exit_fees = rounded_share(rest_fees, matched, rest)
            trips[pairs, 0] = fill[head]
            trips[pairs, 1] = i
            trips[pairs, 2] = -side[i]
            trips[pairs, 3] = matched
            trips[pairs, 4] = gain
            trips[pairs, 5] = entry_fees + exit_fees
            pairs += 1
            realised[i] += gain
            fees_left[head] -= entry_fees
            rest_fees -= exit_fees
            left[head] -= matched
            rest -= matched
            position += side[i] * matched
            if left[head] == 0:
                head += 1
        if rest > 0:
            fill[tail], entry_price[tail], left[tail], fees_left[tail] = i, price[i], rest, rest_fees
            tail += 1
            position += side[i] * rest
    cost = np.int64(0)
    for entry in range(head, tail):
        cost += left[entry] * entry_price[entry]
    return pairs, position, cost if position >= 0 else -cost


_fifo_kernel = compiled(_fifo)
