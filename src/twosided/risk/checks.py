"""The pre-trade controls that an order must pass, one small function each: what they compare, and nothing else.

Where you are in the pipe: strategy -> *risk* -> order manager -> venue. `twosided.risk.gate` calls them in turn. Each returns True
when the order must be denied. A number that is not one (NaN) never passes: every comparison is written so that it denies.

*gate*, *market* and *asked* are the records of `twosided.risk.state`.
"""

import math
from typing import Any

from twosided._compile import compiled
from twosided.risk.limits import MOST_MESSAGES
from twosided.units import NS_PER_SECOND

__all__ = [
    "beyond_budget",
    "beyond_gross",
    "beyond_leverage",
    "beyond_net",
    "beyond_open_orders",
    "beyond_open_value",
    "beyond_order_to_trade",
    "beyond_order_value",
    "beyond_position",
    "beyond_position_value",
    "crosses_own",
    "duplicates",
    "increases",
    "index_of",
    "is_stale",
    "lot_worth",
    "off_table",
    "outside_collar",
    "reference_is_stale",
    "room",
    "too_large",
    "too_small",
    "would_take",
]

_MOST_LOTS = 1 << 52
"""A float still counts lots exactly, and a sum of a thousand such orders fits into 64 bits."""


def _index_of(side: int) -> int:
    """Return where a side stands in arrays of two: 0 for bids, 1 for asks."""
    return 0 if side > 0 else 1


index_of = compiled(_index_of)


def _is_stale(now_ns: int, then_ns: int, limit_ns: int) -> bool:
    """Say whether something of *then_ns* is older than *limit_ns*. What comes from the future is no better: that clock is wrong."""
    return bool(now_ns - then_ns > limit_ns or then_ns - now_ns > limit_ns)


is_stale = compiled(_is_stale)

# ---------------------------------------------------------------- the order by itself


def _reference_is_stale(gate: Any, market: Any, now_ns: int) -> bool:
    """C1: deny where prices must be near a reference and there is none, or none that is fresh."""
    if market.price_collar == math.inf:
        return False
    return not 0.0 < market.reference_ticks < math.inf or is_stale(now_ns, market.reference_ns, gate.max_reference_age_ns)


reference_is_stale = compiled(_reference_is_stale)


def _outside_collar(market: Any, asked: Any) -> bool:
    """C1: deny a price further from the reference than a fraction of it, on either side."""
    if market.price_collar == math.inf:
        return False
    return not abs(asked.ticks - market.reference_ticks) <= market.price_collar * market.reference_ticks * (1.0 + 1e-12)


outside_collar = compiled(_outside_collar)


def _off_table(market: Any, asked: Any) -> bool:
    """C2: deny a price that the tick table does not have."""
    step = 1
    for i in range(market.n_bands):
        if market.band_from[i] <= asked.ticks:
            step = market.band_step[i]
    return bool(asked.ticks % step != 0)


off_table = compiled(_off_table)


def _too_small(market: Any, asked: Any) -> bool:
    """C2: deny less than a lot, or less than the minimum value."""
    return asked.lots < 1 or not asked.lots * asked.lot_value >= market.min_order_value


too_small = compiled(_too_small)


def _too_large(market: Any, asked: Any) -> bool:
    """C3: deny more lots than the largest order has, or than can be counted."""
    return bool(asked.lots > market.max_order_lots or asked.lots > _MOST_LOTS)


too_large = compiled(_too_large)


def _beyond_order_value(market: Any, asked: Any) -> bool:
    """C4: deny an order that is worth too much."""
    return market.max_order_value != math.inf and not asked.lots * asked.lot_value <= market.max_order_value


beyond_order_value = compiled(_beyond_order_value)


def _would_take(gate: Any, market: Any, asked: Any) -> bool:
    """C12: deny a bid at or above the best ask known here, and the reverse."""
    if gate.post_only == 0:
        return False
    return bool(asked.ticks >= market.ask_ticks if asked.side > 0 else asked.ticks <= market.bid_ticks)


would_take = compiled(_would_take)

# ---------------------------------------------------------------- the order beside the others


def _duplicates(gate: Any, asked: Any) -> bool:
    """C10: deny an order like one that is open."""
    return bool(gate.deny_duplicates != 0 and asked.twins > 0)


duplicates = compiled(_duplicates)


def _crosses_own(gate: Any, market: Any, asked: Any) -> bool:
    """C11: deny a bid at or above an own ask, and the reverse."""
    if gate.deny_own_crossing == 0:
        return False
    return bool(asked.ticks >= market.own_ask_ticks if asked.side > 0 else asked.ticks <= market.own_bid_ticks)


crosses_own = compiled(_crosses_own)


def _beyond_open_orders(gate: Any, asked: Any) -> bool:
    """C14: deny one order more than may be open."""
    return bool(gate.open_orders + 1 - asked.replaces > gate.max_open_orders)


beyond_open_orders = compiled(_beyond_open_orders)


def _beyond_open_value(market: Any, asked: Any) -> bool:
    """C5: deny what makes the open orders of its side worth too much."""
    if market.max_open_value == math.inf:
        return False
    others = market.open_value[index_of(asked.side)] - asked.freed_value
    return not others + asked.lots * asked.lot_value <= market.max_open_value


beyond_open_value = compiled(_beyond_open_value)

# ---------------------------------------------------------------- positions, at their worst


def _worst_lots(market: Any, asked: Any) -> int:
    """Return the position in the direction of the order, were it and all other open orders of its side filled."""
    return int(asked.side * market.position_lots + market.open_lots[index_of(asked.side)] - asked.freed_lots + asked.lots)


worst_lots = compiled(_worst_lots)


def _lot_worth(market: Any, asked: Any) -> float:
    """Return the larger value of a lot, at the order's price and at the reference; NaN without a reference."""
    return float(asked.lot_value) if market.lot_value <= asked.lot_value else float(market.lot_value)


lot_worth = compiled(_lot_worth)


def _beyond_position(market: Any, asked: Any) -> bool:
    """C6: deny what could bring the position beyond its limit; what cannot, because it reduces, passes from any position."""
    return bool(worst_lots(market, asked) > market.max_position_lots)


beyond_position = compiled(_beyond_position)


def _beyond_position_value(market: Any, asked: Any) -> bool:
    """C6: deny what could make the position worth too much."""
    if market.max_position_value == math.inf:
        return False
    return not worst_lots(market, asked) * lot_worth(market, asked) <= market.max_position_value


beyond_position_value = compiled(_beyond_position_value)


def _other_side(market: Any, asked: Any) -> int:
    """Return the position in the other direction, were all open orders of that side filled."""
    return int(market.open_lots[1 - index_of(asked.side)] - asked.side * market.position_lots)


other_side = compiled(_other_side)


def _gross_after(gate: Any, market: Any, asked: Any) -> float:
    """Return the gross value of all markets at their worst, with the order; quote currency."""
    lots = max(worst_lots(market, asked), other_side(market, asked))
    return float(gate.other_gross + lots * lot_worth(market, asked) * market.quantum)


gross_after = compiled(_gross_after)


def _adds_gross(market: Any, asked: Any) -> bool:
    """Say whether the order makes its market's worst case larger than it is."""
    worst = worst_lots(market, asked)
    return bool(worst > max(worst - asked.lots + asked.freed_lots, other_side(market, asked)))


adds_gross = compiled(_adds_gross)


def _beyond_gross(gate: Any, market: Any, asked: Any) -> bool:
    """C7: deny what could bring the gross value beyond its limit."""
    if gate.max_gross_value == math.inf or not adds_gross(market, asked):
        return False
    return not gross_after(gate, market, asked) <= gate.max_gross_value


beyond_gross = compiled(_beyond_gross)


def _beyond_net(gate: Any, market: Any, asked: Any) -> bool:
    """C7: deny what could bring the net value, in the direction of the order, beyond its limit."""
    if gate.max_net_value == math.inf:
        return False
    others = gate.other_long if asked.side > 0 else gate.other_short
    return not others + worst_lots(market, asked) * lot_worth(market, asked) * market.quantum <= gate.max_net_value


beyond_net = compiled(_beyond_net)


def _beyond_leverage(gate: Any, market: Any, asked: Any) -> bool:
    """C7: deny what could bring the gross value beyond so many times the capital that is left."""
    if gate.max_leverage == math.inf or not adds_gross(market, asked):
        return False
    return not gross_after(gate, market, asked) <= gate.max_leverage * (gate.capital + gate.profit)


beyond_leverage = compiled(_beyond_leverage)


def _increases(market: Any, asked: Any) -> bool:
    """Say whether an order could do anything but bring the position towards zero: add to it, or overshoot."""
    return bool(asked.side * market.position_lots >= 0 or worst_lots(market, asked) > 0)


increases = compiled(_increases)


def _room(market: Any, asked: Any, reduce_only: bool) -> int:
    """Return how many of the lots asked for the limits on the position leave room for; reduce-only: what there is to reduce."""
    others = worst_lots(market, asked) - asked.lots
    lots = min(asked.lots, market.max_position_lots - others)
    worth = lot_worth(market, asked)
    if market.max_position_value != math.inf and 0.0 < worth < math.inf:
        most = math.floor(min(market.max_position_value / worth, 4e18))
        if most * worth > market.max_position_value:  # the quotient was rounded up
            most -= 1
        lots = min(lots, int(most) - others)
    if reduce_only:
        lots = min(lots, -others) if asked.side * market.position_lots < 0 else 0
    return int(max(lots, 0))


room = compiled(_room)

# ---------------------------------------------------------------- how many messages


def _beyond_budget(gate: Any, now_ns: int) -> bool:
    """C9: deny when the messages of the last second have used up what orders may have of it."""
    if gate.messages < gate.orders_per_second:
        return False
    return bool(now_ns - gate.sent_ns[(gate.messages - gate.orders_per_second) % MOST_MESSAGES] < NS_PER_SECOND)


beyond_budget = compiled(_beyond_budget)


def _beyond_order_to_trade(gate: Any) -> bool:
    """C18: deny an order more than the day's fills allow."""
    if gate.max_order_to_trade == math.inf:
        return False
    return bool(gate.orders_today + 1 > gate.order_to_trade_free + gate.max_order_to_trade * gate.fills_today)


beyond_order_to_trade = compiled(_beyond_order_to_trade)
