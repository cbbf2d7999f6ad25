"""Own orders that rest at the exchange: who stands at which price, and what is ahead of each in the queue there.

Where you are in the pipe: memory of the *venue*, which fills them (`execution.venue`). They are a book of their own, two rows of
the ladder for each market: a level is 1 where anybody rests, and a list leads through the orders there as they joined.

Orders that come to the same queue at one instant, of strategies that assume the same about it, have the same lots ahead of them
until they leave. So a place in the queue belongs to a *group*, and a level that changes moves groups, not orders. The groups at a
price are a ring, so that any order there leads to all of them. A trade moves a whole group too; an order for which it did less,
because its strategy had spent some of the trade's lots on another, goes on in a group of its own.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.execution.queue import queue_after_change
from twosided.execution.state import group_at, order_at, own_row, queues_of, strategy_at, venue_at
from twosided.market.ladder import FIRST_IN_LINE, LAST_IN_LINE, level_of, make_place, place_at, set_level
from twosided.market.order_queues import arrivals

__all__ = [
    "cap_queues",
    "first_resting",
    "leave",
    "move_up",
    "on_level_change",
    "part",
    "rest",
    "taken_ahead",
]


# ---------------------------------------------------------------- groups


def _forget_explained(venue: Any, group: Any) -> None:
    """The level of *group* is up to date: no trade at its price is left to explain what happens to it."""
    if group.explained != 0:
        group.explained = 0
        venue.n_explained -= 1


forget_explained = compiled(_forget_explained)


def _new_group(s: Any, beside: int, ahead: float, arrived: int) -> Any:
    """Return the number of a new group of one order, in the ring of group *beside*; -1: alone at its price."""
    number = s.free_group
    group = group_at(s, number)
    s.free_group = np.int64(group.next)
    group.ahead, group.arrived = ahead, arrived
    group.explained, group.budget, group.members = 0, 0, 1
    if beside < 0:
        group.next, group.previous = number, number
    else:
        before = group_at(s, beside)
        group.next, group.previous = before.next, beside
        group_at(s, before.next).previous = number
        before.next = number
    return number


new_group = compiled(_new_group)


def _quit_group(s: Any, venue: Any, order: Any) -> None:
    """Take *order* out of its group; one that is left without orders goes."""
    group = group_at(s, order.group)
    group.members -= 1
    if group.members == 0:
        forget_explained(venue, group)
        group_at(s, group.previous).next = group.next
        group_at(s, group.next).previous = group.previous
        group.next = s.free_group
        s.free_group = np.int64(order.group)


quit_group = compiled(_quit_group, inline=True)


def _join_group(s: Any, order: Any, last: int, ahead: float, arrived: int) -> None:
    """Let *order* join the group of the own order that came last to its queue (1 + its number, 0: none), or found one."""
    strategy = strategy_at(s, order.strategy)
    beside: Any = np.int64(-1)
    if last != 0:
        beside = np.int64(order_at(s, last - 1).group)
        group = group_at(s, beside)
        if group.ahead == ahead and group.explained == 0 and group.arrived == arrived and group.queue == strategy.queue:
            group.members += 1
            order.group = beside
            return
    order.group = new_group(s, beside, ahead, arrived)
    group = group_at(s, order.group)
    group.queue, group.kind, group.exponent = strategy.queue, strategy.queue_kind, strategy.queue_exponent


join_group = compiled(_join_group, inline=True)


def _part(s: Any, order: Any, ahead: float) -> None:
    """Let *order*, which has other *ahead* of it than its group, leave that for one of its own."""
    group = group_at(s, order.group)
    if group.members == 1:
        group.ahead = ahead
        return
    number = new_group(s, int(order.group), ahead, group.arrived)
    own = group_at(s, number)
    own.explained, own.budget, own.ahead_before = group.explained, group.budget, group.ahead_before
    own.queue, own.kind, own.exponent = group.queue, group.kind, group.exponent
    if own.explained != 0:
        venue_at(s, order.market).n_explained += 1
    group.members -= 1
    order.group = number


part = compiled(_part)


# ---------------------------------------------------------------- who rests where


def _change_level(books: Any, row: int, ticks: int, lots: int) -> None:
    """Let a level appear or go: rare, so not copied into those who ask for it."""
    set_level(books, row, ticks, lots)


change_level = compiled(_change_level)


def _rest(s: Any, books: Any, venue: Any, number: int, ticks: int, lots: int) -> None:
    """Put an order into the book of its *venue*, at the end of the queue at *ticks*."""
    order = order_at(s, number)
    row: Any = np.int64(order.row)
    place, ahead = make_place(books, s.own_rows + row, ticks), float(level_of(books, row, ticks))
    last = books[place + LAST_IN_LINE]
    order.place, order.venue_ticks, order.venue_lots = place, ticks, lots
    venue.n_resting += 1
    join_group(s, order, last, ahead, arrivals(queues_of(s)))
    order.before, order.after = last, 0
    books[place + LAST_IN_LINE] = number + 1
    if last != 0:
        order_at(s, last - 1).after = number + 1
    else:
        books[place + FIRST_IN_LINE] = number + 1
        change_level(books, s.own_rows + row, ticks, 1)


rest = compiled(_rest, inline=True)


def _leave(s: Any, books: Any, venue: Any, number: int) -> None:
    """Take an order out of the book of its *venue*."""
    order = order_at(s, number)
    place, before, after = order.place, order.before, order.after
    order.place, order.venue_lots = 0, 0
    venue.n_resting -= 1
    quit_group(s, venue, order)
    if before != 0:
        order_at(s, before - 1).after = after
    else:
        books[place + FIRST_IN_LINE] = after
    if after != 0:
        order_at(s, after - 1).before = before
    else:
        books[place + LAST_IN_LINE] = before
        if before == 0:
            change_level(books, s.own_rows + np.int64(order.row), order.venue_ticks, 0)


leave = compiled(_leave, inline=True)


def _first_resting(s: Any, books: Any, m: int, side: int, ticks: int) -> int:
    """Return 1 + the number of the own order that joined the queue at *ticks* first, 0 where there is none."""
    place = place_at(books, own_row(s, m, side), ticks)
    return int(books[place + FIRST_IN_LINE]) if place != 0 else 0


first_resting = compiled(_first_resting)


# ---------------------------------------------------------------- moving up the queue


def _on_level_change(s: Any, books: Any, m: int, side: int, ticks: int, old_lots: int, new_lots: int) -> None:
    """Move the own orders at a level up their queue after its total changed.

    A level that grew, and saw no trade, leaves them all where they are: nobody has more ahead of him than stands at his price.
    """
    first = first_resting(s, books, m, side, ticks)
    if first == 0:
        return
    venue = venue_at(s, m)
    start: Any = np.int64(order_at(s, first - 1).group)
    at = start
    while True:
        group = group_at(s, at)
        group.ahead = queue_after_change(group.ahead, old_lots, new_lots, group.explained, group.kind, group.exponent)
        forget_explained(venue, group)
        at = np.int64(group.next)
        if at == start:
            break


on_level_change = compiled(_on_level_change)


def _taken_ahead(ahead: float, lots_ahead: float, lots_left: float) -> float:
    """Return what of a trade is spent on others in front of an order that had *ahead* lots before it.

    Args:
        ahead: lots before it when the trade came.
        lots_ahead: what others in front of its strategy's orders have been given of it.
        lots_left: what its strategy's orders have not.
    """
    return lots_ahead + min(max(ahead - lots_ahead, 0.0), max(lots_left - lots_ahead, 0.0))


taken_ahead = compiled(_taken_ahead)


def _move_up(s: Any, group: Any, m: int, lots: int) -> None:
    """Let a trade of *lots* at its price, the one being spent, move *group* up its queue.

    It moves as one of a strategy that has all of these lots to spend, and keeps in mind what was ahead of it before.
    """
    if group.budget != s.budget:
        group.budget, group.ahead_before = s.budget, group.ahead
        group.ahead = max(group.ahead - taken_ahead(group.ahead, 0.0, float(lots)), 0.0)
        if group.explained == 0:
            venue_at(s, m).n_explained += 1
        group.explained += lots


move_up = compiled(_move_up)


def _cap_queues(s: Any, books: Any, m: int) -> None:
    """After a snapshot: nobody has more ahead of him than stands at his price; by order, all that stand there are in front."""
    venue = venue_at(s, m)
    for number in range(s.n_orders_kept):
        order = order_at(s, number)
        if order.place != 0 and order.market == m:
            row: Any = np.int64(order.row)
            group = group_at(s, order.group)
            group.ahead = min(group.ahead, float(level_of(books, row, order.venue_ticks)))
            group.arrived = arrivals(queues_of(s))
            forget_explained(venue, group)


cap_queues = compiled(_cap_queues)
