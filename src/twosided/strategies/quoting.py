"""What the shipped strategies share: how much to quote, how far the position may go, and never to cross the market.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

Every quoter quotes the first market it sees and has the parameters of `INVENTORY`. Its ``prepare`` is, or calls, `settle`, which
puts the defaults that depend on the instrument in their places: compiled code only sees settled numbers.
"""

from collections.abc import Mapping
from typing import Any

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.strategies.contract import Param, ask_ticks, bid_ticks, whole_lots

__all__ = ["INVENTORY", "UNIT", "in_ticks", "inventory", "mid_ticks", "place", "settle"]

DEFAULT_LIMIT_QUOTES = 10
"""How many quotes the position may be away from its target unless the user says otherwise."""

INVENTORY: Mapping[str, Any] = {
    "quantity": Param(0.0, unit="base units", minimum=0, help="size of one quote, a whole number of lots; 0 is one lot"),
    "max_position": Param(
        0.0,
        unit="base units",
        minimum=0,
        help=f"how far from its target quotes may bring the position; 0 is {DEFAULT_LIMIT_QUOTES} quotes",
    ),
    "target_position": Param(0.0, unit="base units", help="the position that counts as no inventory, signed"),
}
"""Parameters that every shipped strategy has. At the limit only the side that brings the position back is quoted."""

UNIT = Param("bps", choices=("bps", "ticks", "money"), help="unit of distances: 1e-4 of the mid, ticks, or quote currency per unit")


def settle(params: Any, instruments: tuple[Any, ...], _memory: Any) -> None:
    """Replace 0 by the defaults that it stands for: one lot for ``quantity``, ten quotes for ``max_position``.

    Raises:
        InputError: the quantity is not a whole number of lots.
    """
    instrument = instruments[0]
    if params.quantity == 0.0:
        params.quantity = float(instrument.lot_size)
    if instrument.lots(float(params.quantity), name="quantity") < 1:
        raise InputError(f"quantity is {params.quantity:g}; allowed: at least one lot of {instrument.lot_size}")
    if params.max_position == 0.0:
        params.max_position = DEFAULT_LIMIT_QUOTES * params.quantity


def _mid_ticks(market: Any) -> float:
    """Return the mid in ticks; it may lie half-way between two."""
    return float(0.5 * (market.bid_ticks + market.ask_ticks))


mid_ticks = compiled(_mid_ticks)


def _in_ticks(market: Any, distance: float, unit: int) -> float:
    """Return a distance in ticks that is given in the unit with index *unit* in `UNIT`."""
    if unit == 0:
        return distance * 1e-4 * mid_ticks(market)
    if unit == 1:
        return distance
    return float(distance / market.tick_size)


in_ticks = compiled(_in_ticks)


def _inventory(market: Any, target_position: float) -> float:
    """Return the position less its target, in base units, signed."""
    return float(market.position_lots * market.lot_size - target_position)


inventory = compiled(_inventory)


def _place(
    market: Any,
    quotes: Any,
    level: int,
    bid: float,
    ask: float,
    to_buy: float,
    to_sell: float,
    max_position: float,
    target_position: float,
    may_take: int,
) -> None:
    """Quote a level at *bid* and *ask*, in ticks, rounded outward, each with as much of its quantity as the limit has room for.

    A bid stays below the market's ask and an ask above its bid, so that a post-only order is not refused, unless *may_take* says
    that the bid (+1) or the ask (-1) may take; both are at least a tick apart; and nothing is quoted below one tick. Levels are
    written from 0 upwards: what stands on nearer levels uses up room.
    """
    too_narrow = 1.0 - (ask - bid)
    if too_narrow > 0.0:
        bid -= 0.5 * too_narrow
        ask += 0.5 * too_narrow
    away = inventory(market, target_position)
    for row in range(2):
        if row == 0:
            most = market.ask_ticks - (0 if may_take > 0 else 1)
            ticks, quantity, room = min(bid_ticks(bid), most), to_buy, max_position - away
        else:
            least = market.bid_ticks + (0 if may_take < 0 else 1)
            ticks, quantity, room = max(ask_ticks(ask), least), to_sell, max_position + away
        for nearer in range(level):
            room -= quotes[0, row, nearer].lots * market.lot_size
        lots = whole_lots(min(quantity, room), market.lot_size) if ticks >= 1 else 0
        quotes[0, row, level].lots = lots
        quotes[0, row, level].ticks = ticks if lots > 0 else 0


place = compiled(_place)
