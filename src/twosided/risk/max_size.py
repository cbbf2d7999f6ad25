"""The largest bid and the largest ask that limits leave room for.

Where you are in the pipe: strategy -> *risk* -> order manager -> venue. The gate itself sends a quote smaller by the same rule
(`twosided.risk.gate.trim`); this answers people, and tests.
"""

import math
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from twosided.market.instrument import Instrument
from twosided.risk.checks import room
from twosided.risk.limits import Limits
from twosided.risk.state import ASKED, OFF, new_gate

__all__ = ["MaxSizes", "max_sizes"]


class MaxSizes(NamedTuple):
    """Quantities; infinite where no limit says anything."""

    bid: float
    ask: float


def max_sizes(limits: Limits, instrument: Instrument, *, position: str | float | Decimal, price: str | float | Decimal) -> MaxSizes:
    """Return the largest bid and ask that may be sent at *price* when nothing else is open.

    bid = min(max_position - q, max_position_value / price - q), ask = the same with -q, neither beyond what one order, or the open
    orders of one side, may be; whole lots. With a position of 450 at 150, limits of 1,000 shares and 150,000 of value leave room
    for 550 and 1,450: down to -1,000 shares.

    Args:
        limits: of these, what bounds sizes: position, its value, quantity and value of an order, open value per side.
        instrument: says what a lot is worth.
        position: quantity held, signed.
        price: of the order, and what the position is valued at.

    Raises:
        InputError: *position* is not in whole lots, or *price* not in whole ticks.
    """
    _, (market,) = new_gate(limits.model_copy(update={"instruments": None}), [instrument])
    lot_value = abs(float(instrument.price_units([2 * instrument.ticks(price)])[0]) * instrument.unit_quanta)
    market.position_lots, market.lot_value = instrument.lots(position, name="position"), lot_value
    of_values = min(market.max_order_value, market.max_open_value)
    most = OFF >> 1 if math.isinf(of_values) or lot_value == 0 else math.floor(of_values / lot_value)
    asked = np.zeros(1, ASKED)[0]
    asked.lot_value, sizes = lot_value, []
    for side in (1, -1):
        asked.side, asked.lots = side, min(most, int(market.max_order_lots), OFF >> 1)
        lots = int(room(market, asked, False))
        sizes.append(math.inf if lots == OFF >> 1 else instrument.quantity(lots))
    return MaxSizes(*sizes)
