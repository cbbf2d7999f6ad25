"""The structure of a book by order: who stands where in the queue at every price.

Orders and levels are lines of eight 64-bit words, one cache line each, in an arena. An order knows its level and its neighbours in
the queue; a level knows the first and the last order and where in the ladder its lots are counted, so that an order that joins or
leaves a queue of others touches itself, two neighbours, its level and one word of the ladder. Only a level that appears or goes
disturbs the rest of the ladder (`market/ladder.py`), which says which price is best and which is next; any 32-bit price is allowed.
Orders by their id, and levels by their price, are found in one open-addressing table, at most half full; what leaves is closed up
behind, so no tombstones remain. A message costs about 45 ns with 400 live orders and 50 to 65 ns with 4,000, on 50 to 500 prices;
with 100,000, where every step misses the caches, 360 ns (adds and cancels of random orders in equal parts, one core of a busy
machine). The worst cases are the last order of a side leaving, where the ladder looks for another level in vain, 7 µs, and the
question for a queue position, which walks the orders in front.

One pair of arrays, ``levels`` (a ladder's memory, two rows a book, as for books by level) and ``orders`` (the arena), holds any
number of books, so that compiled code passes two arguments:

    orders = [ header ] [ line 1 ] [ line 2 ] ... [ table of (key, line) pairs ]

A *node* is where in ``orders`` a line begins; 0 is none. `OrderBook` of `market/orderbook.py` wraps one book for use from Python.
Where you are in the pipe: events -> *book* -> signals -> strategy; the matching engine, and the replay of recordings order by
order, stand on the same kernels.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.market.ladder import (
    _LOTS,
    NO_ASK,
    NO_BID,
    _page_at_c,
    _require,
    _validate_row,
    best_of,
    is_full,
    level_of,
    next_level,
    set_level,
)

__all__ = [
    "ORDER_BEHIND",
    "ORDER_ID",
    "ORDER_LOTS",
    "ORDER_NOTE",
    "ORDER_OWNER",
    "ORDER_ROW",
    "add_order",
    "arrivals",
    "clear_side",
    "find_order",
    "first_order",
    "grow_orders",
    "is_book_full",
    "live_orders",
    "new_orders",
    "next_arrival",
    "queue_at",
    "reduce_order",
    "remove_order",
    "replace_order",
    "some_order",
    "ticks_of",
    "validate_orders",
]

ORDER_ID, ORDER_ROW, ORDER_LOTS, ORDER_BEHIND, ORDER_OWNER, ORDER_NOTE = 0, 1, 2, 3, 4, 5
"""Words of an order. Its row is 2 × book, plus 1 for an ask; behind is the next in line or 0; owner and note are the caller's."""

_AHEAD, _LEVEL = 6, 7  # the other words of an order
_LEVEL_TICKS, _LEVEL_ROW, _FIRST, _LAST, _COUNTER = 0, 1, 2, 3, 4  # words of a level; its row is ~row, which no order's is
_LINE = 8  # words of a line, and of the header, which stands where line 0 would be
_CAPACITY, _IN_USE, _FREE, _TOUCHED, _MASK, _TABLE, _LIVE, _ARRIVED = 0, 1, 2, 3, 4, 5, 6, 7  # words of the header

Orders = npt.NDArray[np.int64]


def new_orders(capacity: int = 8192) -> Orders:
    """Return memory for *capacity* orders and levels, in any number of books; the ladder of B books is ``new_books(2 * B)``."""
    slots = 4
    while slots < 2 * capacity:
        slots *= 2
    table = _LINE * (capacity + 1)
    orders = np.zeros(table + 2 * slots, np.int64)
    orders[_CAPACITY], orders[_MASK], orders[_TABLE] = capacity, slots - 1, table
    return orders


def grow_orders(orders: Orders) -> Orders:
    """Return *orders* with room for twice as many; nodes and results stay the same."""
    larger = new_orders(2 * int(orders[_CAPACITY]))
    end, table = _LINE * (1 + int(orders[_TOUCHED])), int(orders[_TABLE])
    larger[_LINE:end] = orders[_LINE:end]
    for word in (_IN_USE, _FREE, _TOUCHED, _LIVE, _ARRIVED):
        larger[word] = orders[word]
    for key, node in orders[table:].reshape(-1, 2):
        if node != 0:
            _enter_c(larger, node, key)
    return larger


def _is_book_full(levels: Any, orders: Any) -> bool:
    """Say whether the next order, and its level, might find no room: call `grow_books` and `grow_orders` first."""
    return bool(orders[_IN_USE] + 2 > orders[_CAPACITY] or is_full(levels))


is_book_full = compiled(_is_book_full)


def _live_orders(orders: Any) -> int:
    """Return how many orders there are, in all books."""
    return int(orders[_LIVE])


live_orders = compiled(_live_orders)


def _next_arrival(orders: Any) -> int:
    """Return 1, 2, 3, ...: for callers that number the orders as they join a queue."""
    orders[_ARRIVED] += 1
    return int(orders[_ARRIVED])


next_arrival = compiled(_next_arrival)


def _arrivals(orders: Any) -> int:
    """Return how often `next_arrival` was asked."""
    return int(orders[_ARRIVED])


arrivals = compiled(_arrivals)

# ---------------------------------------------------------------- lines and the table that finds them


def _take_line(orders: Any) -> int:
    """Return a line that is not in use."""
    node = orders[_FREE]
    if node != 0:
        orders[_FREE] = orders[node + ORDER_BEHIND]
    else:
        orders[_TOUCHED] += 1
        node = orders[_TOUCHED] * _LINE
    orders[_IN_USE] += 1
    return int(node)


_take_line_c = compiled(_take_line)


def _give_line(orders: Any, node: int) -> None:
    """Let a line be taken again; in a line that nobody uses, `ORDER_LOTS` is 0."""
    orders[node + ORDER_LOTS] = 0
    orders[node + ORDER_BEHIND] = orders[_FREE]
    orders[_FREE] = node
    orders[_IN_USE] -= 1


_give_line_c = compiled(_give_line)


def _home(orders: Any, space: int, key: int) -> int:
    """Return the slot at which a search begins; the *space* of an order's id is its book, that of a level's price is ~row."""
    folded = (key ^ (key >> 31) ^ (space << 20)) & 0x7FFF_FFFF
    return int(((folded * 0x9E37_79B1) >> 24) & orders[_MASK])  # 2^32 / golden ratio; the product stays below 2^63


_home_c = compiled(_home)


def _space(orders: Any, node: int) -> int:
    """Return the space of the key of a line."""
    row = orders[node + ORDER_ROW]
    return int(row if row < 0 else row >> 1)


_space_c = compiled(_space)


def _enter(orders: Any, node: int, key: int) -> None:
    """Put a line into the table."""
    slot, table, mask = _home_c(orders, _space_c(orders, node), key), orders[_TABLE], orders[_MASK]
    while orders[table + 2 * slot + 1] != 0:
        slot = (slot + 1) & mask
    orders[table + 2 * slot] = key
    orders[table + 2 * slot + 1] = node


_enter_c = compiled(_enter)


def _find(orders: Any, space: int, key: int) -> int:
    """Return the node with that key, 0 where there is none."""
    slot, table, mask = _home_c(orders, space, key), orders[_TABLE], orders[_MASK]
    while True:
        node = orders[table + 2 * slot + 1]
        if node == 0 or (orders[table + 2 * slot] == key and _space_c(orders, node) == space):
            return int(node)
        slot = (slot + 1) & mask


_find_c = compiled(_find)


def _leave(orders: Any, node: int, key: int) -> None:
    """Take a line out of the table and move up those behind it that would not be found across the hole."""
    hole, table, mask = _home_c(orders, _space_c(orders, node), key), orders[_TABLE], orders[_MASK]
    while orders[table + 2 * hole + 1] != node:
        hole = (hole + 1) & mask
    slot = (hole + 1) & mask
    while orders[table + 2 * slot + 1] != 0:
        other, other_key = orders[table + 2 * slot + 1], orders[table + 2 * slot]
        home = _home_c(orders, _space_c(orders, other), other_key)
        if ((slot - home) & mask) >= ((slot - hole) & mask):
            orders[table + 2 * hole] = other_key
            orders[table + 2 * hole + 1] = other
            hole = slot
        slot = (slot + 1) & mask
    orders[table + 2 * hole + 1] = 0


_leave_c = compiled(_leave)

# ---------------------------------------------------------------- the queue at one price


def _new_level(levels: Any, orders: Any, row: int, ticks: int, lots: int) -> int:
    """Let a level of *lots* appear and return its node."""
    level = _take_line_c(orders)
    set_level(levels, row, ticks, lots)
    orders[level + _LEVEL_TICKS] = ticks
    orders[level + _LEVEL_ROW] = ~row
    orders[level + _FIRST] = 0
    orders[level + _LAST] = 0
    orders[level + _COUNTER] = _page_at_c(levels, row, ticks) + _LOTS + (ticks & 4095)
    _enter_c(orders, level, ticks)
    return int(level)


_new_level_c = compiled(_new_level)


def _join(levels: Any, orders: Any, node: int, ticks: int, lots: int) -> None:
    """Put an order of *lots* at the end of the queue at *ticks*."""
    row = orders[node + ORDER_ROW]
    level = _find_c(orders, ~row, ticks)
    if level == 0:
        level = _new_level_c(levels, orders, row, ticks, lots)
        orders[level + _FIRST] = node
    else:
        levels[orders[level + _COUNTER]] += lots
        orders[orders[level + _LAST] + ORDER_BEHIND] = node
    orders[node + _AHEAD] = orders[level + _LAST]
    orders[node + ORDER_BEHIND] = 0
    orders[level + _LAST] = node
    orders[node + _LEVEL] = level
    orders[node + ORDER_LOTS] = lots


_join_c = compiled(_join)


def _quit(levels: Any, orders: Any, node: int) -> None:
    """Take an order out of its queue; a level that is left without orders goes."""
    level, ahead, behind = orders[node + _LEVEL], orders[node + _AHEAD], orders[node + ORDER_BEHIND]
    if ahead == 0 and behind == 0:
        ticks = orders[level + _LEVEL_TICKS]
        set_level(levels, ~orders[level + _LEVEL_ROW], ticks, 0)
        _leave_c(orders, level, ticks)
        _give_line_c(orders, level)
        return
    levels[orders[level + _COUNTER]] -= orders[node + ORDER_LOTS]
    if ahead == 0:
        orders[level + _FIRST] = behind
    else:
        orders[ahead + ORDER_BEHIND] = behind
    if behind == 0:
        orders[level + _LAST] = ahead
    else:
        orders[behind + _AHEAD] = ahead


_quit_c = compiled(_quit)

# ---------------------------------------------------------------- messages


def _add_order(levels: Any, orders: Any, book: int, order_id: int, owner: int, note: int, side: int, ticks: int, lots: int) -> int:
    """Put a new order behind all others at its price and return its node.

    The caller has seen to it that the book is not full, the id is free and *lots* is positive.
    """
    node = _take_line_c(orders)
    orders[node + ORDER_ID] = order_id
    orders[node + ORDER_ROW] = 2 * book + (0 if side > 0 else 1)
    orders[node + ORDER_OWNER] = owner
    orders[node + ORDER_NOTE] = note
    orders[_LIVE] += 1
    _enter_c(orders, node, order_id)
    _join_c(levels, orders, node, ticks, lots)
    return node


add_order = compiled(_add_order)


def _find_order(orders: Any, book: int, order_id: int) -> int:
    """Return the node of an order, 0 where *book* has none of that id."""
    return _find_c(orders, book, order_id)


find_order = compiled(_find_order)


def _ticks_of(orders: Any, node: int) -> int:
    """Return the price of an order."""
    return int(orders[orders[node + _LEVEL] + _LEVEL_TICKS])


ticks_of = compiled(_ticks_of)


def _first_order(orders: Any, row: int, ticks: int) -> int:
    """Return the node at the head of the queue at *ticks*, 0 where there is none; ``ORDER_BEHIND`` leads on from it."""
    level = _find_c(orders, ~row, ticks)
    return int(orders[level + _FIRST]) if level != 0 else 0


first_order = compiled(_first_order)


def _some_order(orders: Any, part: float) -> int:
    """Return the node of the first order found in memory from *part* (0 to 1) of it on, 0 where there are no orders."""
    touched = orders[_TOUCHED]
    start = int(part * touched)
    for step in range(touched):
        node = _LINE * (1 + (start + step) % touched)
        if orders[node + ORDER_LOTS] > 0 and orders[node + ORDER_ROW] >= 0:
            return int(node)
    return 0


some_order = compiled(_some_order)


def _remove_order(levels: Any, orders: Any, node: int) -> None:
    """Let an order leave the book; its line may be given to the next one."""
    _quit_c(levels, orders, node)
    _leave_c(orders, node, orders[node + ORDER_ID])
    _give_line_c(orders, node)
    orders[_LIVE] -= 1


remove_order = compiled(_remove_order)


def _reduce_order(levels: Any, orders: Any, node: int, lots: int) -> None:
    """Take *lots* from an order, which keeps its place; one that has nothing left leaves the book."""
    if lots >= orders[node + ORDER_LOTS]:
        remove_order(levels, orders, node)
        return
    orders[node + ORDER_LOTS] -= lots
    levels[orders[orders[node + _LEVEL] + _COUNTER]] -= lots


reduce_order = compiled(_reduce_order)


def _replace_order(levels: Any, orders: Any, node: int, ticks: int, lots: int) -> None:
    """Let an order have *lots* at *ticks*: it keeps its place when only its size shrinks, else it goes to the end of the queue."""
    shrinks_by = orders[node + ORDER_LOTS] - lots
    if shrinks_by >= 0 and ticks == ticks_of(orders, node):
        reduce_order(levels, orders, node, shrinks_by)
        return
    _quit_c(levels, orders, node)
    _join_c(levels, orders, node, ticks, lots)


replace_order = compiled(_replace_order)


def _clear_side(levels: Any, orders: Any, row: int) -> None:
    """Let all orders of a row leave: as many steps as it has orders."""
    while True:
        ticks = best_of(levels, row)
        if ticks in (NO_BID, NO_ASK):
            return
        remove_order(levels, orders, first_order(orders, row, ticks))


clear_side = compiled(_clear_side)


# ---------------------------------------------------------------- checking


def validate_orders(levels: Orders, orders: Orders, books: int = 1) -> None:
    """Check every invariant of the structure of all *books*.

    Raises:
        AssertionError: naming the invariant that does not hold.
    """
    live, prices, free = 0, 0, 0
    for row in range(2 * books):
        _validate_row(levels, row)
        ticks = int(best_of(levels, row))
        while ticks not in {NO_BID, NO_ASK}:
            live, prices = live + _validate_queue(levels, orders, row, ticks), prices + 1
            ticks = int(next_level(levels, row, ticks))
    _require(live == orders[_LIVE], f"the queues hold {live} orders, not {orders[_LIVE]}")
    _require(live + prices == orders[_IN_USE], f"{live} orders and {prices} levels use {orders[_IN_USE]} lines")
    node = int(orders[_FREE])
    while node != 0 and free <= orders[_TOUCHED]:
        free, node = free + 1, int(orders[node + ORDER_BEHIND])
    _require(free + live + prices == orders[_TOUCHED], f"{free} free lines and those in use are {orders[_TOUCHED]} in all")
    found = int(np.count_nonzero(orders[orders[_TABLE] + 1 :: 2]))
    _require(found == live + prices, f"the table finds {found} lines, not {live + prices}")


def _validate_queue(levels: Orders, orders: Orders, row: int, ticks: int) -> int:
    """Check the queue at one price and return how many orders stand in it."""
    queue, total, where = queue_at(orders, row, ticks), 0, f"{'bid' if row % 2 == 0 else 'ask'} {ticks}"
    level = int(_find_c(orders, ~row, ticks))
    _require(bool(level != 0 and orders[level + _LAST] == queue[-1]), f"{where}: the level knows its first and last order")
    for ahead, node in zip([0, *queue], queue, strict=False):
        order = orders[node : node + _LINE]
        each = f"{where}: order {order[ORDER_ID]}"
        _require(bool(order[_AHEAD] == ahead), f"{each} and the one ahead of it know each other")
        _require((order[ORDER_ROW], order[_LEVEL]) == (row, level), f"{each} stands at its own level")
        _require(bool(order[ORDER_LOTS] > 0), f"{each} has lots")
        _require(find_order(orders, row >> 1, int(order[ORDER_ID])) == node, f"{each} is found by its id")
        total += int(order[ORDER_LOTS])
    held = int(level_of(levels, row, ticks))
    _require(total == held, f"{where}: the level holds {held} lots, its orders {total}")
    return len(queue)


def queue_at(orders: Orders, row: int, ticks: int) -> list[int]:
    """Return the nodes of the queue at a price, first in line first; a broken one that runs in a circle ends when it must have."""
    node = int(first_order(orders, row, ticks))
    queue: list[int] = []
    while node != 0 and len(queue) <= orders[_LIVE]:
        queue.append(node)
        node = int(orders[node + ORDER_BEHIND])
    return queue
