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

import numpy as np

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
    WHY_OUTSIDE_BAND,
    WHY_SELF_CROSS,
    WHY_TOO_LATE,
    WHY_TOOK,
    WHY_TRADE_AT_PRICE,
    WHY_TRADE_THROUGH,
    WHY_WOULD_CROSS,
)
from twosided.execution.ledger import book_fill
from twosided.execution.reports import report_answer, report_fill
from twosided.execution.resting import first_resting, leave, move_up, part, rest, taken_ahead
from twosided.execution.state import (
    LOG_LIMIT,
    TAKEN_HEADROOM,
    account_at,
    desk_at,
    fill_at,
    first_number,
    group_at,
    order_at,
    own_row,
    strategy_at,
    taken_at,
    venue_at,
)
from twosided.market.event import Status
from twosided.market.ladder import NO_ASK, NO_BID, best_of, level_of, next_level

__all__ = ["arrive", "fill_crossed", "forget_taken", "on_execution", "on_trade"]

_OPEN = int(Status.OPEN)


def _is_open(venue: Any) -> bool:
    """Say whether own orders are accepted and filled."""
    return bool(venue.status == _OPEN and venue.ready == 1)


is_open = compiled(_is_open)


# ---------------------------------------------------------------- filling


def _fill(s: Any, books: Any, number: int, ticks: int, lots: int, maker: bool, reason: int) -> None:
    """Fill *lots* of an order at *ticks*: book it, take it out of the book when nothing is left, report it, log it."""
    order = order_at(s, number)
    k, m = order.strategy, order.market
    venue, account = venue_at(s, m), account_at(s, k, m)
    fee, tax = book_fill(account, venue.fees, order.side, ticks, lots, maker)
    order.venue_lots -= lots
    order.venue_filled += lots
    action = DO_FILLED if order.venue_lots == 0 else DO_PARTIALLY_FILLED
    if order.venue_lots == 0 and order.place != 0:
        leave(s, books, venue, number)
    heard = report_fill(s, number, action, reason, ticks, lots, fee + tax)
    row = fill_at(s, s.n_fills)
    s.n_fills += 1
    if s.n_fills > LOG_LIMIT:
        s.attention = 1
    row.exch_ns, row.local_ns, row.strategy, row.market = s.now_ns, heard, k, m
    row.order_id, row.side, row.ticks, row.lots = order.id, order.side, ticks, lots
    row.maker, row.hedge, row.fee, row.tax = int(maker), order.hedge, fee, tax
    row.position_lots, row.cause = account.position_lots, reason


fill = compiled(_fill)


def _fillable(s: Any, order: Any, lots: int) -> int:
    """Return how much of an order fills when *lots* could: all of it when its strategy's partial fills are switched off."""
    return int(min(lots, order.venue_lots)) if strategy_at(s, order.strategy).partial_fills == 1 else int(order.venue_lots)


fillable = compiled(_fillable)


def _open_budget(s: Any) -> None:
    """Begin to spend another trade or fill: every strategy is alone in its market, so each has all of its lots."""
    s.budget += 1


open_budget = compiled(_open_budget)


def _spender(s: Any, k: int, lots: int) -> Any:
    """Return strategy *k*, which has *lots* to spend unless it has spent some of this budget already."""
    strategy = strategy_at(s, k)
    if strategy.budget != s.budget:
        strategy.budget, strategy.lots_left, strategy.lots_ahead = s.budget, lots, 0.0
    return strategy


spender = compiled(_spender)


def _trade_at_price(s: Any, books: Any, number: int, lots: int) -> None:
    """Spend a trade of *lots* at an order's own price, rule (a): first on what is ahead of it, then on the order."""
    order = order_at(s, number)
    budget = spender(s, order.strategy, lots)
    group = group_at(s, order.group)
    move_up(s, group, order.market, lots)
    budget.lots_ahead = taken_ahead(group.ahead_before, budget.lots_ahead, budget.lots_left)
    ahead = max(group.ahead_before - budget.lots_ahead, 0.0)
    if ahead != group.ahead:  # its strategy had spent some of the trade
        part(s, order, ahead)
    reached = int(math.floor(budget.lots_left - budget.lots_ahead + 0.5))  # a guessed position is rounded to the nearest whole lot
    if ahead < 1e-9 and reached > 0:
        done = fillable(s, order, reached)
        budget.lots_left -= done
        fill(s, books, number, order.venue_ticks, done, True, WHY_TRADE_AT_PRICE)


trade_at_price = compiled(_trade_at_price, inline=True)


def _trade_through(s: Any, books: Any, number: int, lots: int, reason: int) -> None:
    """Spend a trade of *lots* on an order that nobody stands in front of, rule (b)."""
    order = order_at(s, number)
    budget = spender(s, order.strategy, lots)
    if budget.lots_left > 0:
        done = fillable(s, order, budget.lots_left)
        budget.lots_left -= done
        fill(s, books, number, order.venue_ticks, done, True, reason)


trade_through = compiled(_trade_through)


def _on_trade(s: Any, books: Any, m: int, side: int, ticks: int, lots: int) -> None:
    """Spend a trade on the own orders it reaches: rules (a) and (b).

    *side* is that of the orders it hits: +1 when the aggressor sold; *ticks* and *lots* are its price and size.
    """
    open_budget(s)
    row = own_row(s, m, side)
    at = best_of(books, row)
    while at not in (NO_BID, NO_ASK) and (at - ticks) * side >= 0:
        following = first_resting(s, books, m, side, at)
        while following != 0:
            number = following - 1
            following = int(order_at(s, number).after)
            if at == ticks:
                trade_at_price(s, books, number, lots)
            else:
                trade_through(s, books, number, lots, WHY_TRADE_THROUGH)
        at = next_level(books, row, at)


on_trade = compiled(_on_trade)


def _on_execution(s: Any, books: Any, m: int, side: int, ticks: int, lots: int, arrival: int) -> None:
    """Spend the recorded fill of a resting order on the own orders that would have traded before it: rules (a) and (b) by order.

    *side* and *ticks* are the filled order's, *arrival* says when it joined its queue (0: before all of ours).
    """
    open_budget(s)
    row = own_row(s, m, side)
    at = best_of(books, row)
    while at not in (NO_BID, NO_ASK) and (at - ticks) * side >= 0:
        following = first_resting(s, books, m, side, at)
        while following != 0:
            number = following - 1
            order = order_at(s, number)
            following = int(order.after)
            if at != ticks:
                trade_through(s, books, number, lots, WHY_TRADE_THROUGH)
            elif group_at(s, order.group).arrived < arrival:
                trade_through(s, books, number, lots, WHY_TRADE_AT_PRICE)
        at = next_level(books, row, at)


on_execution = compiled(_on_execution)


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
        venue_at(s, m).taken_marks |= np.int64(1) << np.int64(ticks & 63)
        entry = taken_at(s, k, i)
        entry.market, entry.side, entry.ticks, entry.lots = m, side, ticks, 0
        if strategy_at(s, k).n_taken + TAKEN_HEADROOM > s.taken_size:
            s.grow_taken = s.attention = 1
    taken_at(s, k, i).lots += lots


take_level = compiled(_take_level)


def _forget_taken(s: Any, m: int, side: int, ticks: int) -> None:
    """A level was updated: what was taken from its old content no longer counts."""
    venue = venue_at(s, m)
    if (venue.taken_marks >> np.int64(ticks & 63)) & 1 == 0:
        return
    for k in range(s.n_strategies):
        i = find_taken(s, k, m, side, ticks)
        if i >= 0:
            last = strategy_at(s, k).n_taken - 1
            entry, moved = taken_at(s, k, i), taken_at(s, k, last)
            entry.market, entry.side, entry.ticks, entry.lots = moved.market, moved.side, moved.ticks, moved.lots
            strategy_at(s, k).n_taken = last
            venue.n_taken -= 1
    if venue.n_taken == 0:
        venue.taken_marks = 0


forget_taken = compiled(_forget_taken)


def _consume(s: Any, books: Any, number: int, limit_ticks: int, maker: bool, reason: int) -> None:
    """Fill an order against the displayed opposite levels up to *limit_ticks*, best first; a maker fills at its own price."""
    order = order_at(s, number)
    k, m, side = order.strategy, order.market, order.side
    row = 2 * m + (1 if side > 0 else 0)
    level = best_of(books, row)
    while order.venue_lots > 0 and level not in (NO_BID, NO_ASK) and (limit_ticks - level) * side >= 0:
        i = find_taken(s, k, m, -side, level)
        left = level_of(books, row, level) - (taken_at(s, k, i).lots if i >= 0 else 0)
        if left > 0:
            done = fillable(s, order, left)
            take_level(s, k, m, -side, level, min(done, left))
            fill(s, books, number, order.venue_ticks if maker else level, done, maker, reason)
        level = next_level(books, row, level)


consume = compiled(_consume)


def _fill_crossed(s: Any, books: Any, m: int) -> None:
    """After a whole message: fill own orders whose price the opposite best quote has reached, rule (c)."""
    for side in (1, -1):
        opposite, row = best_of(books, 2 * m + (1 if side > 0 else 0)), own_row(s, m, side)
        at = best_of(books, row)
        while at not in (NO_BID, NO_ASK) and (at - opposite) * side >= 0:
            following: Any = first_resting(s, books, m, side, at)
            while following != 0:
                number = following - 1
                order = order_at(s, number)
                following = int(order.after)
                group_at(s, order.group).ahead = 0.0
                consume(s, books, number, at, True, WHY_BOOK_CROSSED)
            at = next_level(books, row, at)


fill_crossed = compiled(_fill_crossed)


# ---------------------------------------------------------------- own requests


def _crosses_own(s: Any, order: Any, ticks: int) -> bool:
    """Say whether *order* at *ticks* would meet a resting order of the same strategy on the other side."""
    first = first_number(s, order.strategy, order.market, 1 if order.side > 0 else 0)
    unseen = desk_at(s, order.strategy, order.market, 1 if order.side > 0 else 0).used
    for number in range(first, first + s.n_slots):
        if unseen == 0:
            break
        other = order_at(s, number)
        unseen -= other.used
        if other.place != 0 and (ticks - other.venue_ticks) * order.side >= 0:
            return True
    return False


crosses_own = compiled(_crosses_own)


def _refusal(s: Any, books: Any, venue: Any, order: Any, ticks: int) -> int:
    """Return the `Reason` for which an order at *ticks* cannot be accepted, NONE when it can."""
    row: Any = np.int64(order.row)
    side = order.side
    if not is_open(venue):
        return WHY_NOT_TRADING
    highest, lowest = venue.highest_buy, venue.lowest_sell  # both are read: nobody can foresee which will be asked for
    if (ticks - (highest if side > 0 else lowest)) * side > 0:
        return WHY_OUTSIDE_BAND
    if (ticks - best_of(books, s.own_rows + (row ^ 1))) * side >= 0 and crosses_own(s, order, ticks):  # else it is nobody's
        return WHY_SELF_CROSS
    if venue.post_only == 1 and (ticks - best_of(books, row ^ 1)) * side >= 0:
        return WHY_WOULD_CROSS
    return WHY_NONE


refusal = compiled(_refusal, inline=True)


def _place(s: Any, books: Any, venue: Any, number: int, ticks: int, lots: int) -> None:
    """Let an accepted order trade what it can and rest with what is left."""
    if venue.post_only == 0 and venue.crossed == 0:
        order = order_at(s, number)
        order.venue_ticks, order.venue_lots = ticks, lots
        consume(s, books, number, ticks, False, WHY_TOOK)
        lots = order.venue_lots
    if lots > 0:
        rest(s, books, venue, number, ticks, lots)


place = compiled(_place, inline=True)


def _answer(s: Any, books: Any, venue: Any, order: Any, message: Any) -> tuple[int, int, int, int]:
    """Return what the exchange does about a request, why, and the price and the open lots that it reports.

    A replace names the total size, with what has filled already, so a fill that overtakes the request cannot make the order trade
    too much. One that is refused leaves the order as it is.
    """
    action: Any = np.int64(message.action)
    ticks, lots = message.ticks, message.lots
    if action == DO_SEND_NEW:
        reason = refusal(s, books, venue, order, ticks)
        return DO_ACCEPTED if reason == WHY_NONE else DO_REJECTED, reason, ticks, lots
    at, standing = order.venue_ticks, order.venue_lots
    if order.place == 0:
        return DO_CANCEL_REJECTED, WHY_TOO_LATE, at, 0
    if action == DO_SEND_CANCEL:
        return DO_CANCELLED, WHY_NONE, at, standing
    open_lots = lots - order.venue_filled
    if open_lots <= 0:
        return DO_CANCELLED, WHY_NONE, at, 0
    if ticks != at or open_lots > standing:
        reason = refusal(s, books, venue, order, ticks)
        if reason != WHY_NONE:
            return DO_CANCEL_REJECTED, reason, at, standing
    return DO_REPLACED, WHY_NONE, ticks, open_lots


answer = compiled(_answer, inline=True)


def _arrive(s: Any, books: Any, message: Any) -> None:
    """Handle a request that has reached the exchange: a smaller size at the same price keeps its place in the queue."""
    number: Any = np.int64(message.order)
    order = order_at(s, number)
    venue = venue_at(s, order.market)
    order.in_flight -= 1
    done, reason, ticks, lots = answer(s, books, venue, order, message)
    comes = done == DO_ACCEPTED
    if done == DO_REPLACED and ticks == order.venue_ticks and lots <= order.venue_lots:
        order.venue_lots = lots
    elif done in (DO_CANCELLED, DO_REPLACED):
        leave(s, books, venue, number)
        if done == DO_REPLACED:
            order.hedge, comes = order.pending_hedge, True
    report_answer(s, number, done, reason, ticks, lots)
    if comes:
        place(s, books, venue, number, ticks, lots)


arrive = compiled(_arrive, inline=True)
