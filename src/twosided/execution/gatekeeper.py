"""Between the order manager and the gate: tells it what is known here, and asks it.

Where you are in the pipe: strategy -> *risk* -> order manager -> venue. `twosided.risk.gate` decides; this reads what it must know
out of the engine's tables. Only strategies with limits come here (``gated``), so it is compiled only for them: the order manager
reaches it by address.

The order table is the one truth about what is open: exposure is added up anew from it each time, a handful of orders, so nothing
can drift. An order counts with the larger of what is open and what a replace under way asks for; one in state UNKNOWN as well.
"""

import math
from typing import Any

from twosided._compile import compiled, detached
from twosided.execution.codes import (
    DO_SEND_CANCEL,
    IS_PENDING_REPLACE,
    IS_UNKNOWN,
    WHY_HALTED,
    WHY_NONE,
    WHY_PRICE_OUT_OF_RANGE,
    WHY_QUOTE_SMALLER,
    WHY_REDUCE_ONLY,
)
from twosided.execution.ledger import worth
from twosided.execution.order_state import is_live
from twosided.execution.state import (
    CORE,
    FOREVER,
    asked_at,
    desk_at,
    first_number,
    gate_at,
    line_at,
    market_gate_at,
    order_at,
    unsettle,
    venue_at,
    view_at,
)
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.risk.gate import age_ns, check_order, on_fill, on_mark, on_sent, pass_reduction, trim, weigh
from twosided.risk.state import State

__all__ = ["ADDRESSES", "allowance", "reach_is_news", "reach_mark", "reach_note_fill", "reach_note_sent", "reach_vet"]

_NORMAL, _HALTED = int(State.NORMAL), int(State.HALTED)


def _lot_value(venue: Any, half_ticks: int) -> float:
    """Return what a lot is worth at a price in half ticks, quanta; NaN where it has no value."""
    if venue.fees.inverse_lot != 0 and half_ticks <= 0:
        return math.nan
    return abs(float(worth(venue.fees, half_ticks)))


lot_value = compiled(_lot_value)


def _largest_lots(order: Any) -> int:
    """Return the lots of an order that may trade at most, whatever becomes of a request under way."""
    if order.state in (IS_PENDING_REPLACE, IS_UNKNOWN):
        return int(max(order.open_lots, order.pending_lots))
    return int(order.open_lots)


largest_lots = compiled(_largest_lots)


def _largest_value(venue: Any, order: Any) -> float:
    """Return the most that an order may be worth, quanta."""
    value = lot_value(venue, 2 * order.ticks)
    if order.state in (IS_PENDING_REPLACE, IS_UNKNOWN):
        value = max(value, lot_value(venue, 2 * order.pending_ticks))
    return value * largest_lots(order)


largest_value = compiled(_largest_value)


def _see_orders(s: Any, k: int, m: int, index: int) -> None:
    """Add up the orders of one side of a market that are live or may be."""
    market, venue = market_gate_at(s, k, m), venue_at(s, m)
    first, unseen = first_number(s, k, m, index), desk_at(s, k, m, index).used
    lots, value, lowest, highest = 0, 0.0, NO_ASK, NO_BID
    for number in range(first, first + s.n_slots):
        if unseen == 0:
            break
        order = order_at(s, number)
        unseen -= order.used
        if not is_live(order.state):
            continue
        lots += largest_lots(order)
        value += largest_value(venue, order)
        other = order.pending_ticks if order.state in (IS_PENDING_REPLACE, IS_UNKNOWN) else order.ticks
        lowest, highest = min(lowest, order.ticks, other), max(highest, order.ticks, other)
        market.orders += 1
    market.open_lots[index], market.open_value[index] = lots, value
    if index == 0:
        market.own_bid_ticks = highest
    else:
        market.own_ask_ticks = lowest


see_orders = compiled(_see_orders)


def _see_market(s: Any, k: int, m: int) -> None:
    """Tell the gate what is known of a market."""
    market, view, venue = market_gate_at(s, k, m), view_at(s, m), venue_at(s, m)
    market.trading, market.bid_ticks, market.ask_ticks = view.open, view.bid_ticks, view.ask_ticks
    market.book_ns = market.reference_ns = view.book_ns
    market.position_lots = line_at(s, k, m).position_lots
    market.reference_ticks = market.lot_value = math.nan
    if view.bid_ticks != NO_BID and view.ask_ticks != NO_ASK:
        market.reference_ticks = 0.5 * (view.bid_ticks + view.ask_ticks)
        market.lot_value = lot_value(venue, view.bid_ticks + view.ask_ticks)
    market.orders = 0
    see_orders(s, k, m, 0)
    see_orders(s, k, m, 1)


see_market = compiled(_see_market)


def _see(s: Any, k: int, m: int) -> None:
    """Tell the gate all that an order in market *m* is checked against."""
    gate = gate_at(s, k)
    gate.dead_man_armed, gate.stream_ns, gate.clock_error_ns = 1, s.now_ns, 0  # a recording has none of these troubles
    gate.open_orders, gate.other_gross, gate.other_long, gate.other_short = 0, 0.0, 0.0, 0.0
    for each in range(s.n_markets):
        see_market(s, k, each)
        gate.open_orders += market_gate_at(s, k, each).orders
        if each != m:
            gross, long_value, short_value = weigh(market_gate_at(s, k, each))
            gate.other_gross += gross
            gate.other_long += long_value
            gate.other_short += short_value


see = compiled(_see)


def _twins(s: Any, k: int, m: int, asked: Any, replaced: int) -> int:
    """Return how many other orders are open with the side, price and size of the one asked for."""
    index, found = 0 if asked.side > 0 else 1, 0
    first, unseen = first_number(s, k, m, index), desk_at(s, k, m, index).used
    for number in range(first, first + s.n_slots):
        if unseen == 0:
            break
        order = order_at(s, number)
        unseen -= order.used
        if number == replaced or not is_live(order.state):
            continue
        moving = order.state == IS_PENDING_REPLACE
        ticks, lots = (order.pending_ticks, order.pending_lots) if moving else (order.ticks, order.open_lots)
        if ticks == asked.ticks and lots == asked.lots:
            found += 1
    return found


twins = compiled(_twins)


def _vet(s: Any, k: int, m: int, side: int, ticks: int, lots: int, replaced: int) -> int:
    """Return how many lots of an order may be sent, or the `Reason` of its denial as a negative number.

    *replaced* is the number of the order whose place it takes, -1 for a new one.
    """
    unsettle(s, k, m)
    see(s, k, m)
    gate, market, asked = gate_at(s, k), market_gate_at(s, k, m), asked_at(s, k)
    asked.side, asked.ticks, asked.lots = side, ticks, lots
    asked.lot_value = lot_value(venue_at(s, m), 2 * ticks)
    asked.replaces, asked.freed_lots, asked.freed_value = 0, 0, 0.0
    if replaced >= 0:
        order = order_at(s, replaced)
        asked.replaces, asked.freed_lots, asked.freed_value = 1, largest_lots(order), largest_value(venue_at(s, m), order)
    if not -math.inf < asked.lot_value < math.inf:
        gate.denied[WHY_PRICE_OUT_OF_RANGE] += 1
        return -WHY_PRICE_OUT_OF_RANGE
    fits = trim(gate, market, asked)
    if fits > 0:
        asked.lots = fits
    asked.twins = twins(s, k, m, asked, replaced)
    reason = check_order(gate, market, asked, s.now_ns)
    return int(asked.lots) if reason == WHY_NONE else -int(reason)


reach_vet, _vet_address = detached(_vet, "i8", CORE, *["i8"] * 6)


def _is_news(s: Any, k: int, m: int, side: int, ticks: int, lots: int, reason: int) -> bool:
    """Say whether a denial is another than the last one on this side of the market, and remember it; reason 0: it passed."""
    market, index = market_gate_at(s, k, m), 0 if side > 0 else 1
    same = market.log_reason[index] == reason
    if reason not in (WHY_HALTED, WHY_REDUCE_ONLY):
        same = same and market.log_ticks[index] == ticks and market.log_lots[index] == lots
    market.log_reason[index], market.log_ticks[index], market.log_lots[index] = reason, ticks, lots
    return not same


reach_is_news, _is_news_address = detached(_is_news, "?", CORE, *["i8"] * 6)


def _allowance(s: Any, k: int, m: int, side: int) -> int:
    """Return how many lots of a side may stay open in the gate's state: all, those that reduce the position, or none."""
    state = gate_at(s, k).state
    if state == _NORMAL:
        return FOREVER
    held = -side * line_at(s, k, m).position_lots
    return int(held) if state != _HALTED and held > 0 else 0


allowance = compiled(_allowance)


def _mark(s: Any, k: int) -> bool:
    """Value the account of strategy *k* as known here, let the gate judge, and say whether its state changed."""
    gate, equity, oldest_ns = gate_at(s, k), 0.0, 0
    for m in range(s.n_markets):
        line, view, venue, market = line_at(s, k, m), view_at(s, m), venue_at(s, m), market_gate_at(s, k, m)
        market.position_lots = line.position_lots
        if gate.marked == 0:
            market.entry_ns = s.now_ns  # what it began with
        oldest_ns = max(oldest_ns, age_ns(market, s.now_ns))
        money = line.cash
        if line.position_lots != 0:
            if view.bid_ticks == NO_BID or view.ask_ticks == NO_ASK:
                equity = math.nan
            else:
                money += line.position_lots * worth(venue.fees, view.bid_ticks + view.ask_ticks)
        equity += money * venue.quantum
    gate.oldest_ns = oldest_ns
    changed = on_mark(gate, equity, s.now_ns)
    if changed:
        for m in range(s.n_markets):
            unsettle(s, k, m)
    return bool(changed)


reach_mark, _mark_address = detached(_mark, "?", CORE, "i8")


def _note_sent(s: Any, k: int, action: int, reason: int) -> None:
    """Tell the gate that a message leaves."""
    gate = gate_at(s, k)
    if reason == WHY_QUOTE_SMALLER:
        pass_reduction(gate)
    on_sent(gate, action != DO_SEND_CANCEL, s.now_ns)


reach_note_sent, _note_sent_address = detached(_note_sent, None, CORE, *["i8"] * 3)


def _note_fill(s: Any, k: int, m: int, side: int, lots: int) -> None:
    """Tell the gate of an own fill, before the account is changed by it."""
    market = market_gate_at(s, k, m)
    market.position_lots = line_at(s, k, m).position_lots
    on_fill(gate_at(s, k), market, side, lots, s.now_ns)


reach_note_fill, _note_fill_address = detached(_note_fill, None, CORE, *["i8"] * 4)

ADDRESSES = {
    "vet": _vet_address,
    "is_news": _is_news_address,
    "mark": _mark_address,
    "note_sent": _note_sent_address,
    "note_fill": _note_fill_address,
}
"""What a replay in which a strategy has limits reaches by address."""
