"""The structure of a book by order: who stands where in the queue at every price.

An order is a line of eight 64-bit words, one cache line, in an arena; it knows its neighbours in the queue, its price and the place
of that price in the ladder (`market/ladder.py`), where the lots are counted and the first and the last order of the queue are kept.
So an order that joins or leaves a queue of others touches itself, a neighbour or two and that place; only a level that appears or
goes disturbs the rest of the ladder, which says which price is best and which is next; any 32-bit price is allowed. Orders are
found by their id in an open-addressing table, at most half full, of one word a slot: what leaves is closed up behind, so no
tombstones remain. A message costs about a fifth more than in dense arrays that know the range of prices beforehand, 26 to 35 ns on
a busy core (`benchmarks/orderbook.py`, `docs/decisions/0004-book-by-order.md`). The worst cases are ids made to collide, which turn
the table into a list, and the question for a queue position, which walks the orders in front. Loops that hand the arrays on should
hand on `words_of` them: counting references would cost several times the book.

One pair of arrays, ``levels`` (a ladder's memory, two rows a book, as for books by level) and ``orders`` (the arena), holds any
number of books, so that compiled code passes two arguments:

    orders = [ header ] [ line 1 ] [ line 2 ] ... [ table of hash << 32 | node ]

A *node* is where in ``orders`` a line begins; 0 is none. `OrderBook` of `market/orderbook.py` wraps one book for use from Python.
Where you are in the pipe: events -> *book* -> signals -> strategy; the matching engine, and the replay of recordings order by
order, stand on the same kernels.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.market.ladder import (
    FIRST_IN_LINE,
    LAST_IN_LINE,
    NO_ASK,
    NO_BID,
    best_of,
    is_full,
    level_of,
    make_place,
    next_level,
    place_at,
    require,
    set_level,
    validate_row,
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

_AHEAD, _WHERE = 6, 7  # the other words of an order; where it stands: its price << 32 | the place of that price in the ladder
_LINE = 8  # words of an order, and of the header
_CAPACITY, _LIVE, _FREE, _TOUCHED, _MASK, _TABLE, _ARRIVED = 0, 1, 2, 3, 4, 5, 6  # words of the header
_LOW_HALF = 0xFFFF_FFFF

Orders = npt.NDArray[np.int64]


def new_orders(capacity: int = 8192) -> Orders:
    """Return memory for *capacity* orders in any number of books; the ladder of B books is ``new_books(2 * B)``."""
    slots = 4
    while slots < 2 * capacity:
        slots *= 2
    table = _LINE * (capacity + 1)
    memory = np.zeros(table + slots + _LINE, np.int64)
    skipped = -memory.ctypes.data // 8 % _LINE  # so that an order is one line of the cache
    orders = memory[skipped : skipped + table + slots]
    orders[_CAPACITY], orders[_MASK], orders[_TABLE] = capacity, slots - 1, table
    return orders


def grow_orders(orders: Orders) -> Orders:
    """Return *orders* with room for twice as many; nodes and results stay the same."""
    larger = new_orders(2 * int(orders[_CAPACITY]))
    end = _LINE * (1 + int(orders[_TOUCHED]))
    larger[_LINE:end] = orders[_LINE:end]
    for word in (_LIVE, _FREE, _TOUCHED, _ARRIVED):
        larger[word] = orders[word]
    _enter_all_c(larger)
    return larger


def _is_book_full(levels: Any, orders: Any) -> bool:
    """Say whether the next order might find no room: call `grow_books` and `grow_orders` first."""
    return bool(orders[_LIVE] >= orders[_CAPACITY] or is_full(levels))


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

# ---------------------------------------------------------------- the table that finds orders


def _hash(book: int, order_id: int) -> int:
    """Return 31 bits, of which the lowest say in which slot a search begins."""
    folded = (order_id ^ (order_id >> 31) ^ (book << 20)) & 0x7FFF_FFFF
    return int(((folded * 0x9E37_79B1) >> 24) & 0x7FFF_FFFF)  # 2^32 / golden ratio; the product stays below 2^63


_hash_c = compiled(_hash)


def _hash_of(orders: Any, node: int) -> int:
    """Return the hash of an order."""
    return int(_hash_c(orders[node + ORDER_ROW] >> 1, orders[node + ORDER_ID]))


_hash_of_c = compiled(_hash_of)


def _enter(orders: Any, node: int) -> None:
    """Put an order into the table."""
    table, mask, hashed = orders[_TABLE], orders[_MASK], _hash_of_c(orders, node)
    slot = hashed & mask
    while orders[table + slot] != 0:
        slot = (slot + 1) & mask
    orders[table + slot] = hashed << 32 | node


_enter_c = compiled(_enter)


def _enter_all(orders: Any) -> None:
    """Put all orders into an empty table."""
    for node in range(_LINE, _LINE * (1 + orders[_TOUCHED]), _LINE):
        if orders[node + ORDER_LOTS] > 0:
            _enter_c(orders, node)


_enter_all_c = compiled(_enter_all)


def _find_order(orders: Any, book: int, order_id: int) -> int:
    """Return the node of an order, 0 where *book* has none of that id."""
    table, mask, hashed = orders[_TABLE], orders[_MASK], _hash_c(book, order_id)
    slot = hashed & mask
    entry = orders[table + slot]
    while entry != 0:
        node = entry & _LOW_HALF
        if entry >> 32 == hashed and orders[node + ORDER_ID] == order_id and orders[node + ORDER_ROW] >> 1 == book:
            return int(node)
        slot = (slot + 1) & mask
        entry = orders[table + slot]
    return 0


find_order = compiled(_find_order)


def _leave(orders: Any, node: int) -> None:
    """Take an order out of the table and move up those behind it that would not be found across the hole."""
    table, mask = orders[_TABLE], orders[_MASK]
    hole = _hash_of_c(orders, node) & mask
    while orders[table + hole] & _LOW_HALF != node:
        hole = (hole + 1) & mask
    slot = (hole + 1) & mask
    entry = orders[table + slot]
    while entry != 0:
        if ((slot - (entry >> 32)) & mask) >= ((slot - hole) & mask):
            orders[table + hole] = entry
            hole = slot
        slot = (slot + 1) & mask
        entry = orders[table + slot]
    orders[table + hole] = 0


_leave_c = compiled(_leave)

# ---------------------------------------------------------------- the queue at one price


def _join(levels: Any, orders: Any, node: int, ticks: int, lots: int) -> None:
    """Put an order of *lots* at the end of the queue at *ticks*."""
    row = orders[node + ORDER_ROW]
    place = make_place(levels, row, ticks)
    ahead = levels[place + LAST_IN_LINE]
    orders[node + ORDER_LOTS] = lots
    orders[node + ORDER_BEHIND] = 0
    orders[node + _AHEAD] = ahead
    orders[node + _WHERE] = ticks << 32 | place
    levels[place + LAST_IN_LINE] = node
    if ahead == 0:
        levels[place + FIRST_IN_LINE] = node
        set_level(levels, row, ticks, lots)
    else:
        orders[ahead + ORDER_BEHIND] = node
        levels[place] += lots


_join_c = compiled(_join, inline=True)


def _quit(levels: Any, orders: Any, node: int) -> None:
    """Take an order out of its queue; a level that is left without orders goes."""
    place, ahead, behind = orders[node + _WHERE] & _LOW_HALF, orders[node + _AHEAD], orders[node + ORDER_BEHIND]
    if ahead == 0:
        levels[place + FIRST_IN_LINE] = behind
    else:
        orders[ahead + ORDER_BEHIND] = behind
    if behind == 0:
        levels[place + LAST_IN_LINE] = ahead
    else:
        orders[behind + _AHEAD] = ahead
    if ahead == 0 and behind == 0:
        set_level(levels, orders[node + ORDER_ROW], ticks_of(orders, node), 0)
    else:
        levels[place] -= orders[node + ORDER_LOTS]


_quit_c = compiled(_quit, inline=True)

# ---------------------------------------------------------------- messages


def _add_order(levels: Any, orders: Any, book: int, order_id: int, owner: int, note: int, side: int, ticks: int, lots: int) -> int:
    """Put a new order behind all others at its price and return its node.

    The caller has seen to it that the book is not full, the id is free and *lots* is positive.
    """
    node = orders[_FREE]
    if node != 0:
        orders[_FREE] = orders[node + ORDER_BEHIND]
    else:
        orders[_TOUCHED] += 1
        node = orders[_TOUCHED] * _LINE
    orders[_LIVE] += 1
    orders[node + ORDER_ID] = order_id
    orders[node + ORDER_ROW] = 2 * book + (0 if side > 0 else 1)
    orders[node + ORDER_OWNER] = owner
    orders[node + ORDER_NOTE] = note
    _enter_c(orders, node)
    _join_c(levels, orders, node, ticks, lots)
    return int(node)


add_order = compiled(_add_order, inline=True)


def _ticks_of(orders: Any, node: int) -> int:
    """Return the price of an order."""
    return int(orders[node + _WHERE] >> 32)


ticks_of = compiled(_ticks_of)


def _first_order(levels: Any, row: int, ticks: int) -> int:
    """Return the node at the head of the queue at *ticks*, 0 where there is none; ``ORDER_BEHIND`` leads on from it."""
    place = place_at(levels, row, ticks)
    return int(levels[place + FIRST_IN_LINE]) if place != 0 else 0


first_order = compiled(_first_order)


def _some_order(orders: Any, part: float) -> int:
    """Return the node of the first order found in memory from *part* (0 to 1) of it on, 0 where there are no orders."""
    touched = orders[_TOUCHED]
    start = int(part * touched)
    for step in range(touched):
        node = _LINE * (1 + (start + step) % touched)
        if orders[node + ORDER_LOTS] > 0:
            return int(node)
    return 0


some_order = compiled(_some_order)


def _remove_order(levels: Any, orders: Any, node: int) -> None:
    """Let an order leave the book; its line, whose `ORDER_LOTS` are 0 until then, may be given to the next one."""
    _quit_c(levels, orders, node)
    _leave_c(orders, node)
    orders[node + ORDER_LOTS] = 0
    orders[node + ORDER_BEHIND] = orders[_FREE]
    orders[_FREE] = node
    orders[_LIVE] -= 1


remove_order = compiled(_remove_order)


def _reduce_order(levels: Any, orders: Any, node: int, lots: int) -> None:
    """Take *lots* from an order, which keeps its place; one that has nothing left leaves the book."""
    if lots >= orders[node + ORDER_LOTS]:
        remove_order(levels, orders, node)
        return
    orders[node + ORDER_LOTS] -= lots
    levels[orders[node + _WHERE] & _LOW_HALF] -= lots


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
        remove_order(levels, orders, first_order(levels, row, ticks))


clear_side = compiled(_clear_side)


# ---------------------------------------------------------------- checking


def validate_orders(levels: Orders, orders: Orders, books: int = 1) -> None:
    """Check every invariant of the structure of all *books*.

    Raises:
        AssertionError: naming the invariant that does not hold.
    """
    live, free = 0, 0
    for row in range(2 * books):
        validate_row(levels, row)
        ticks = int(best_of(levels, row))
        while ticks not in {NO_BID, NO_ASK}:
            live += _validate_queue(levels, orders, row, ticks)
            ticks = int(next_level(levels, row, ticks))
    require(live == orders[_LIVE], f"the queues hold {live} orders, not {orders[_LIVE]}")
    node = int(orders[_FREE])
    while node != 0 and free <= orders[_TOUCHED]:
        require(bool(orders[node + ORDER_LOTS] == 0), f"the free line {node} has no lots")
        free, node = free + 1, int(orders[node + ORDER_BEHIND])
    require(free + live == orders[_TOUCHED], f"{free} free lines and {live} orders are {orders[_TOUCHED]} lines in all")
    found = int(np.count_nonzero(orders[orders[_TABLE] :]))
    require(found == live, f"the table finds {found} orders, not {live}")


def _validate_queue(levels: Orders, orders: Orders, row: int, ticks: int) -> int:
    """Check the queue at one price and return how many orders stand in it."""
    queue, total, where = queue_at(levels, orders, row, ticks), 0, f"{'bid' if row % 2 == 0 else 'ask'} {ticks}"
    place = int(place_at(levels, row, ticks))
    require(bool(queue and levels[place + LAST_IN_LINE] == queue[-1]), f"{where}: the level knows its first and last order")
    for ahead, node in zip([0, *queue], queue, strict=False):
        order = orders[node : node + _LINE]
        each = f"{where}: order {order[ORDER_ID]}"
        require(bool(order[_AHEAD] == ahead), f"{each} and the one ahead of it know each other")
        require((order[ORDER_ROW], order[_WHERE]) == (row, ticks << 32 | place), f"{each} knows its side, price and place")
        require(bool(order[ORDER_LOTS] > 0), f"{each} has lots")
        require(find_order(orders, row >> 1, int(order[ORDER_ID])) == node, f"{each} is found by its id")
        total += int(order[ORDER_LOTS])
    held = int(level_of(levels, row, ticks))
    require(total == held, f"{where}: the level holds {held} lots, its orders {total}")
    return len(queue)


def queue_at(levels: Orders, orders: Orders, row: int, ticks: int) -> list[int]:
    """Return the nodes of the queue at a price, first in line first; a broken one that runs in a circle ends when it must have."""
    node = int(first_order(levels, row, ticks))
    queue: list[int] = []
    while node != 0 and len(queue) <= orders[_LIVE]:
        queue.append(node)
        node = int(orders[node + ORDER_BEHIND])
    return queue
