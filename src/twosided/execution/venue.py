"""The exchange's side of a replay: own orders standing in a recorded book, and the rules by which they fill.

Where you are in the pipe: order manager -> *venue* -> fills -> ledger.

A resting order fills

(a) from trades at its price, once the queue ahead of it is used up, unless they were with hidden orders;
(b) from trades beyond its price;
(c) when the opposite best quote reaches or crosses its price after a whole message, for at most what is displayed there.

Where the market is recorded order by order nothing is guessed. Our order joins its queue after some orders and before others: the
recorded FILL of one that joined later, or at a worse price, would have been ours first. Those are rules (a) and (b), with the
FILL's lots. A snapshot in the middle restates orders without saying who came first, so all of them are taken to stand in front.

The quantity of a trade, or of a crossing level, is one budget, spent over a strategy's own orders in price-time order: the same
liquidity never fills twice. What crossing orders and takers used up of a level is remembered until that level is next updated.
A level's decrease that trades already explain is not counted again as cancels. Makers fill at their own price, takers at the
level's.

Nothing is accepted or filled while the market is not in continuous trading or its book is not whole, and nothing is filled
while its book is crossed: before an auction that is no price at which anybody trades.
"""

import math
from typing import Any

from twosided._compile import compiled
from twosided.execution.codes import (
    DO_ACCEPTED,
    DO_CANCEL_REJECTED,
    DO_CANCELLED,
    DO_FILLED,
    DO_PARTIALLY_FILLED,
    DO_REJECTED,
    DO_REPLACED,
    DO_SEND_CANCEL,
    DO_SEND_NEW,
    WHY_BOOK_CROSSED,
    WHY_NONE,
    WHY_NOT_TRADING,
    WHY_SELF_CROSS,
    WHY_TOO_LATE,
    WHY_TOOK,
    WHY_TRADE_AT_PRICE,
    WHY_TRADE_THROUGH,
    WHY_WOULD_CROSS,
)
from twosided.execution.ledger import book_fill
from twosided.execution.queue import queue_after_change
from twosided.execution.state import (
    TAKEN_HEADROOM,
    account_at,
    fill_at,
    message_at,
    order_at,
    queues_of,
    strategy_at,
    taken_at,
    venue_at,
)
from twosided.execution.wire import send_to_us
from twosided.market.event import Status
from twosided.market.ladder import NO_ASK, NO_BID, best_of, level_of, next_level
from twosided.market.order_queues import arrivals

__all__ = ["arrive", "cap_queues", "fill_crossed", "forget_taken", "on_execution", "on_level_change", "on_trade"]

_OPEN = int(Status.OPEN)


def _is_open(venue: Any) -> bool:
    """Say whether own orders are accepted and filled."""
    return bool(venue.status == _OPEN and venue.ready == 1)


is_open = compiled(_is_open)


# ---------------------------------------------------------------- who rests where


def _refresh_range(s: Any, m: int) -> None:
    """Find the range of prices at which own orders rest in market *m*, after one has left."""
    venue = venue_at(s, m)
    venue.bid_low, venue.bid_high, venue.ask_low, venue.ask_high = NO_ASK, NO_BID, NO_ASK, NO_BID
    for k in range(s.n_strategies):
        for slot in range(s.n_slots):
            order = order_at(s, k, slot)
            if order.resting == 1 and order.market == m:
                _widen_range_c(venue, order)


def _widen_range(venue: Any, order: Any) -> None:
    """Take a resting order into the range of its side."""
    if order.side > 0:
        venue.bid_low = min(venue.bid_low, order.venue_ticks)
        venue.bid_high = max(venue.bid_high, order.venue_ticks)
    else:
        venue.ask_low = min(venue.ask_low, order.venue_ticks)
        venue.ask_high = max(venue.ask_high, order.venue_ticks)


_widen_range_c = compiled(_widen_range)
refresh_range = compiled(_refresh_range)


def _rest(s: Any, books: Any, k: int, order: Any, ticks: int, lots: int) -> None:
    """Put an order into the book at the end of the queue at *ticks*."""
    m = order.market
    row = 2 * m + (0 if order.side > 0 else 1)
    order.resting, order.venue_ticks, order.venue_lots = 1, ticks, lots
    order.ahead = float(level_of(books, row, ticks))
    order.explained = 0
    order.arrived = arrivals(queues_of(s))
    strategy = strategy_at(s, k)
    strategy.queued += 1
    strategy.n_resting += 1
    order.priority = strategy.queued
    venue_at(s, m).n_resting += 1
    _widen_range_c(venue_at(s, m), order)


rest = compiled(_rest)


def _leave(s: Any, k: int, order: Any) -> None:
    """Take an order of strategy *k* out of the book."""
    order.resting, order.venue_lots = 0, 0
    strategy_at(s, k).n_resting -= 1
    venue_at(s, order.market).n_resting -= 1
    refresh_range(s, order.market)


leave = compiled(_leave)


# ---------------------------------------------------------------- filling


def _fill(s: Any, k: int, slot: int, ticks: int, lots: int, maker: bool, reason: int) -> None:
    """Fill *lots* of an order at *ticks*: book it, log it, report it, and take it out of the book when nothing is left."""
    order = order_at(s, k, slot)
    m = order.market
    fee, tax = book_fill(account_at(s, k, m), venue_at(s, m).fees, order.side, ticks, lots, maker)
    order.venue_lots -= lots
    order.venue_filled += lots
    action = DO_FILLED if order.venue_lots == 0 else DO_PARTIALLY_FILLED
    heard = send_to_us(s, k, slot, order, action, reason, ticks, lots, fee + tax)
    row = fill_at(s, s.n_fills)
    s.n_fills += 1
    row.exch_ns, row.local_ns, row.strategy, row.market = s.now_ns, heard, k, m
    row.order_id, row.side, row.ticks, row.lots = order.id, order.side, ticks, lots
    row.maker, row.hedge, row.fee, row.tax = int(maker), 0, fee, tax
    row.position_lots, row.cause = account_at(s, k, m).position_lots, reason
    if order.venue_lots == 0 and order.resting == 1:
        leave(s, k, order)


fill = compiled(_fill)


def _whole(s: Any, k: int, order: Any, lots: int) -> int:
    """Return how much of an order of strategy *k* fills when *lots* could: all of it when partial fills are switched off."""
    return int(min(lots, order.venue_lots)) if strategy_at(s, k).partial_fills == 1 else int(order.venue_lots)


fillable = compiled(_whole)


def _next_in_priority(s: Any, k: int, m: int, side: int, ticks: int, priority: int) -> int:
    """Return the slot of the resting order that comes after (*ticks*, *priority*) in price-time order, -1 when there is none."""
    found, unseen = -1, strategy_at(s, k).n_resting
    for slot in range(s.n_slots):
        if unseen == 0:
            break
        order = order_at(s, k, slot)
        unseen -= order.resting
        if order.resting == 0 or order.market != m or order.side != side:
            continue
        behind = (ticks - order.venue_ticks) * side
        if behind < 0 or (behind == 0 and order.priority <= priority):
            continue
        if found < 0:
            found = slot
            continue
        best = order_at(s, k, found)
        better = (order.venue_ticks - best.venue_ticks) * side
        if better > 0 or (better == 0 and order.priority < best.priority):
            found = slot
    return found


next_in_priority = compiled(_next_in_priority)


def _on_trade(s: Any, m: int, side: int, ticks: int, lots: int) -> None:
    """Spend a trade on the own orders it reaches: rules (a) and (b).

    *side* is that of the orders it hits: +1 when the aggressor sold; *ticks* and *lots* are its price and size.
    """
    for k in range(s.n_strategies):
        budget = lots
        used_by_others = 0.0  # lots of others that the trade has consumed at its own price
        at, priority = NO_ASK if side > 0 else NO_BID, 0
        while True:
            slot = next_in_priority(s, k, m, side, at, priority)
            if slot < 0:
                break
            order = order_at(s, k, slot)
            at, priority = order.venue_ticks, order.priority
            beyond = (at - ticks) * side
            if beyond < 0:
                break
            if beyond > 0:
                if budget > 0:
                    done = fillable(s, k, order, budget)
                    budget -= done
                    fill(s, k, slot, at, done, True, WHY_TRADE_THROUGH)
                continue
            order.explained += lots
            before = min(max(order.ahead - used_by_others, 0.0), max(budget - used_by_others, 0.0))
            used_by_others += before
            order.ahead = max(order.ahead - used_by_others, 0.0)
            reached = int(math.floor(budget - used_by_others + 0.5))  # a guessed position is rounded to the nearest whole lot
            if order.ahead < 1e-9 and reached > 0:
                done = fillable(s, k, order, reached)
                budget -= done
                fill(s, k, slot, at, done, True, WHY_TRADE_AT_PRICE)


on_trade = compiled(_on_trade)


def _on_level_change(s: Any, m: int, side: int, ticks: int, old_lots: int, new_lots: int) -> None:
    """Move the own orders at a level up their queue after its total changed."""
    for k in range(s.n_strategies):
        strategy = strategy_at(s, k)
        unseen = strategy.n_resting
        for slot in range(s.n_slots):
            if unseen == 0:
                break
            order = order_at(s, k, slot)
            unseen -= order.resting
            if order.resting == 1 and order.venue_ticks == ticks and order.side == side and order.market == m:
                kind, exponent = strategy.queue_kind, strategy.queue_exponent
                order.ahead = queue_after_change(order.ahead, old_lots, new_lots, order.explained, kind, exponent)
                order.explained = 0


on_level_change = compiled(_on_level_change)


def _on_execution(s: Any, m: int, side: int, ticks: int, lots: int, arrival: int) -> None:
    """Spend the recorded fill of a resting order on the own orders that would have traded before it: rules (a) and (b) by order.

    *side* and *ticks* are the filled order's, *arrival* says when it joined its queue (0: before all of ours).
    """
    for k in range(s.n_strategies):
        budget = lots
        at, priority = NO_ASK if side > 0 else NO_BID, 0
        while budget > 0:
            slot = next_in_priority(s, k, m, side, at, priority)
            if slot < 0:
                break
            order = order_at(s, k, slot)
            at, priority = order.venue_ticks, order.priority
            beyond = (at - ticks) * side
            if beyond < 0:
                break
            if beyond > 0 or order.arrived < arrival:
                done = fillable(s, k, order, budget)
                budget -= done
                fill(s, k, slot, at, done, True, WHY_TRADE_THROUGH if beyond > 0 else WHY_TRADE_AT_PRICE)


on_execution = compiled(_on_execution)


def _cap_queues(s: Any, books: Any, m: int) -> None:
    """After a snapshot: nobody has more ahead of him than stands at his price; by order, all that stand there are in front."""
    for k in range(s.n_strategies):
        for slot in range(s.n_slots):
            order = order_at(s, k, slot)
            if order.resting == 1 and order.market == m:
                row = 2 * m + (0 if order.side > 0 else 1)
                order.ahead = min(order.ahead, float(level_of(books, row, order.venue_ticks)))
                order.arrived = arrivals(queues_of(s))
                order.explained = 0


cap_queues = compiled(_cap_queues)


# ---------------------------------------------------------------- displayed liquidity that was used up


def _find_taken(s: Any, k: int, m: int, side: int, ticks: int) -> int:
    """Return the index of what strategy *k* took at a level, -1 when nothing."""
    for i in range(strategy_at(s, k).n_taken):
        entry = taken_at(s, k, i)
        if entry.ticks == ticks and entry.side == side and entry.market == m:
            return i
    return -1


find_taken = compiled(_find_taken)


def _take_level(s: Any, k: int, m: int, side: int, ticks: int, lots: int) -> None:
    """Remember that strategy *k* used *lots* of a displayed level."""
    i = find_taken(s, k, m, side, ticks)
    if i < 0:
        i = strategy_at(s, k).n_taken
        if i >= s.taken_size:
            raise ValueError("one strategy used up more levels at once than a replay can follow; its size is far from small")
        strategy_at(s, k).n_taken += 1
        venue_at(s, m).n_taken += 1
        entry = taken_at(s, k, i)
        entry.market, entry.side, entry.ticks, entry.lots = m, side, ticks, 0
        if strategy_at(s, k).n_taken + TAKEN_HEADROOM > s.taken_size:
            s.grow_taken = s.attention = 1
    taken_at(s, k, i).lots += lots


take_level = compiled(_take_level)


def _forget_taken(s: Any, m: int, side: int, ticks: int) -> None:
    """A level was updated: what was taken from its old content no longer counts."""
    for k in range(s.n_strategies):
        i = find_taken(s, k, m, side, ticks)
        if i >= 0:
            last = strategy_at(s, k).n_taken - 1
            entry, moved = taken_at(s, k, i), taken_at(s, k, last)
            entry.market, entry.side, entry.ticks, entry.lots = moved.market, moved.side, moved.ticks, moved.lots
            strategy_at(s, k).n_taken = last
            venue_at(s, m).n_taken -= 1


forget_taken = compiled(_forget_taken)


def _consume(s: Any, books: Any, k: int, slot: int, limit_ticks: int, maker: bool, reason: int) -> None:
    """Fill an order against the displayed opposite levels up to *limit_ticks*, best first; a maker fills at its own price."""
    order = order_at(s, k, slot)
    m, side = order.market, order.side
    row = 2 * m + (1 if side > 0 else 0)
    level = best_of(books, row)
    while order.venue_lots > 0 and level not in (NO_BID, NO_ASK) and (limit_ticks - level) * side >= 0:
        i = find_taken(s, k, m, -side, level)
        left = level_of(books, row, level) - (taken_at(s, k, i).lots if i >= 0 else 0)
        if left > 0:
            done = fillable(s, k, order, left)
            take_level(s, k, m, -side, level, min(done, left))
            fill(s, k, slot, order.venue_ticks if maker else level, done, maker, reason)
        level = next_level(books, row, level)


consume = compiled(_consume)


def _fill_crossed(s: Any, books: Any, m: int) -> None:
    """After a whole message: fill own orders whose price the opposite best quote has reached, rule (c)."""
    for k in range(s.n_strategies):
        for side in (1, -1):
            opposite = best_of(books, 2 * m + (1 if side > 0 else 0))
            at, priority = NO_ASK if side > 0 else NO_BID, 0
            while True:
                slot = next_in_priority(s, k, m, side, at, priority)
                if slot < 0:
                    break
                order = order_at(s, k, slot)
                at, priority = order.venue_ticks, order.priority
                if (at - opposite) * side < 0:
                    break
                order.ahead = 0.0
                consume(s, books, k, slot, at, True, WHY_BOOK_CROSSED)


fill_crossed = compiled(_fill_crossed)


# ---------------------------------------------------------------- own requests


def _crosses_own(s: Any, k: int, slot: int, side: int, ticks: int) -> bool:
    """Say whether an order at *ticks* would meet an own resting order of the other side."""
    order = order_at(s, k, slot)
    for other_slot in range(s.n_slots):
        other = order_at(s, k, other_slot)
        if other.resting == 1 and other.market == order.market and other.side == -side and (ticks - other.venue_ticks) * side >= 0:
            return True
    return False


crosses_own = compiled(_crosses_own)


def _refusal(s: Any, books: Any, k: int, slot: int, ticks: int) -> int:
    """Return the `Reason` for which an order at *ticks* cannot be accepted, NONE when it can."""
    order = order_at(s, k, slot)
    venue = venue_at(s, order.market)
    if not is_open(venue):
        return WHY_NOT_TRADING
    if crosses_own(s, k, slot, order.side, ticks):
        return WHY_SELF_CROSS
    opposite = best_of(books, 2 * order.market + (1 if order.side > 0 else 0))
    if s.post_only == 1 and (ticks - opposite) * order.side >= 0:
        return WHY_WOULD_CROSS
    return WHY_NONE


refusal = compiled(_refusal)


def _report(s: Any, k: int, slot: int, action: int, reason: int, ticks: int, lots: int) -> None:
    """Send a report that is not a fill."""
    order = order_at(s, k, slot)
    send_to_us(s, k, slot, order, action, reason, ticks, lots, 0)


report = compiled(_report)


def _place(s: Any, books: Any, k: int, slot: int, ticks: int, lots: int) -> None:
    """Let an accepted order trade what it can and rest with what is left."""
    order = order_at(s, k, slot)
    order.venue_ticks, order.venue_lots = ticks, lots
    if s.post_only == 0 and venue_at(s, order.market).crossed == 0:
        consume(s, books, k, slot, ticks, False, WHY_TOOK)
    if order.venue_lots > 0:
        rest(s, books, k, order, ticks, order.venue_lots)


place = compiled(_place)


def _arrive(s: Any, books: Any, number: int) -> None:
    """Handle a request that has reached the exchange."""
    message = message_at(s, number)
    k, slot, action, ticks, lots = message.strategy, message.slot, message.action, message.ticks, message.lots
    order = order_at(s, k, slot)
    order.in_flight -= 1
    if action == DO_SEND_NEW:
        reason = refusal(s, books, k, slot, ticks)
        if reason != WHY_NONE:
            report(s, k, slot, DO_REJECTED, reason, ticks, lots)
            return
        report(s, k, slot, DO_ACCEPTED, WHY_NONE, ticks, lots)
        place(s, books, k, slot, ticks, lots)
    elif order.resting == 0:
        report(s, k, slot, DO_CANCEL_REJECTED, WHY_TOO_LATE, order.venue_ticks, 0)
    elif action == DO_SEND_CANCEL:
        open_lots = order.venue_lots
        leave(s, k, order)
        report(s, k, slot, DO_CANCELLED, WHY_NONE, order.venue_ticks, open_lots)
    else:
        replace_order(s, books, k, slot, ticks, lots)


def _replace_order(s: Any, books: Any, k: int, slot: int, ticks: int, total_lots: int) -> None:
    """Give a resting order a new price and total size; a smaller size at the same price keeps its place in the queue.

    The total includes what has filled already, so a fill that overtakes the request cannot make the order trade too much.
    A refused replace leaves the order as it is.
    """
    order = order_at(s, k, slot)
    open_lots = total_lots - order.venue_filled
    if open_lots <= 0:
        leave(s, k, order)
        report(s, k, slot, DO_CANCELLED, WHY_NONE, order.venue_ticks, 0)
        return
    if ticks == order.venue_ticks and open_lots <= order.venue_lots:
        order.venue_lots = open_lots
        report(s, k, slot, DO_REPLACED, WHY_NONE, ticks, open_lots)
        return
    reason = refusal(s, books, k, slot, ticks)
    if reason != WHY_NONE:
        report(s, k, slot, DO_CANCEL_REJECTED, reason, order.venue_ticks, order.venue_lots)
        return
    leave(s, k, order)
    report(s, k, slot, DO_REPLACED, WHY_NONE, ticks, open_lots)
    place(s, books, k, slot, ticks, open_lots)


replace_order = compiled(_replace_order)
arrive = compiled(_arrive)
