"""A book by order, for use from Python: add, cancel, reduce, replace, and who stands where in the queue.

Where you are in the pipe: events -> *book* -> signals -> strategy. `market/order_queues.py` holds the structure, its cost and its
worst cases; the matching engine uses its kernels.
"""

from collections.abc import Iterator

from twosided.errors import InputError
from twosided.market.ladder import ASK, BID, NO_ASK, NO_BID, best_of, grow_books, is_full, level_of, new_books, next_level
from twosided.market.order_queues import (
    ORDER_ID,
    ORDER_LOTS,
    ORDER_ROW,
    add_order,
    clear_side,
    find_order,
    grow_orders,
    is_book_full,
    live_orders,
    new_orders,
    queue_at,
    reduce_order,
    remove_order,
    replace_order,
    ticks_of,
    validate_orders,
)

__all__ = ["OrderBook"]


class OrderBook:
    """One book by order.

    >>> book = OrderBook()
    >>> book.add(1, BID, 99, 5); book.add(2, BID, 99, 3); book.add(3, ASK, 101, 4)
    >>> book.best_bid, book.best_ask, book.depth(BID), book.queue_position(2)
    (99, 101, [(99, 8)], (1, 5))
    """

    def __init__(self) -> None:
        self.levels = new_books(2)
        self.orders = new_orders()

    def __len__(self) -> int:
        return int(live_orders(self.orders))

    def __contains__(self, order_id: int) -> bool:
        return bool(find_order(self.orders, 0, order_id) != 0)

    def make_room(self) -> None:
        """Grow the arrays where the next message to the book might not fit."""
        if is_full(self.levels):
            self.levels = grow_books(self.levels)
        if is_book_full(self.levels, self.orders):
            self.orders = grow_orders(self.orders)

    def add(self, order_id: int, side: int, ticks: int, lots: int, *, owner: int = 0) -> None:
        """Put a new order at the end of the queue at *ticks*.

        Raises:
            InputError: an id in use or beyond 63 bits, a side that is not ±1, a price beyond 32 bits, a size that is not positive.
        """
        if not 0 <= order_id < 2**63:
            raise InputError(f"order_id is {order_id}; allowed: 0 to 2^63 - 1")
        if order_id in self:
            raise InputError(f"order_id is {order_id}, which is already in the book; allowed: an id not in use")
        if side not in {BID, ASK}:
            raise InputError(f"side is {side}; allowed: +1 (bid) or -1 (ask)")
        _check_price_and_size(ticks, lots)
        self.make_room()
        add_order(self.levels, self.orders, 0, order_id, owner, 0, side, ticks, lots)

    def cancel(self, order_id: int) -> None:
        """Let an order leave.

        Raises:
            InputError: no such order.
        """
        remove_order(self.levels, self.orders, self._node(order_id))

    def reduce(self, order_id: int, lots: int) -> None:
        """Take *lots* from an order, which keeps its place; with nothing left it leaves.

        Raises:
            InputError: no such order, or *lots* not between 1 and its size.
        """
        node = self._node(order_id)
        if not 1 <= lots <= self.orders[node + ORDER_LOTS]:
            raise InputError(f"lots is {lots}; allowed: 1 to the order's size, {self.orders[node + ORDER_LOTS]}")
        reduce_order(self.levels, self.orders, node, lots)

    def replace(self, order_id: int, ticks: int, lots: int) -> None:
        """Let an order have *lots* at *ticks*; unless only its size shrinks, it goes to the end of the queue.

        Raises:
            InputError: no such order, a price beyond 32 bits, a size that is not positive.
        """
        node = self._node(order_id)
        _check_price_and_size(ticks, lots)
        self.make_room()
        replace_order(self.levels, self.orders, node, ticks, lots)

    def clear(self, side: int = 0) -> None:
        """Remove all orders of *side*, of both with 0."""
        for each in (BID, ASK) if side == 0 else (side,):
            clear_side(self.levels, self.orders, self._row(each))

    @property
    def best_bid(self) -> int | None:
        """The highest bid in ticks, None without one."""
        best = int(best_of(self.levels, 0))
        return None if best == NO_BID else best

    @property
    def best_ask(self) -> int | None:
        """The lowest ask in ticks, None without one."""
        best = int(best_of(self.levels, 1))
        return None if best == NO_ASK else best

    @property
    def mid(self) -> float | None:
        """Half-way between the best prices in ticks, None unless both exist."""
        return None if self.best_bid is None or self.best_ask is None else (self.best_bid + self.best_ask) / 2

    @property
    def spread(self) -> int | None:
        """Best ask minus best bid in ticks, None unless both exist; not positive in a crossed book."""
        return None if self.best_bid is None or self.best_ask is None else self.best_ask - self.best_bid

    def lots(self, side: int, ticks: int) -> int:
        """Return the lots at *ticks*."""
        return int(level_of(self.levels, self._row(side), ticks))

    def depth(self, side: int, levels: int | None = None) -> list[tuple[int, int]]:
        """Return (ticks, lots) of the best *levels* of a side, all of them by default, best first."""
        found: list[tuple[int, int]] = []
        for ticks in self._prices(self._row(side)):
            if len(found) == levels:
                break
            found.append((ticks, self.lots(side, ticks)))
        return found

    def queue(self, side: int, ticks: int) -> list[tuple[int, int]]:
        """Return (order id, lots) of the orders at *ticks*, first in line first."""
        return [
            (int(self.orders[node + ORDER_ID]), int(self.orders[node + ORDER_LOTS]))
            for node in queue_at(self.levels, self.orders, self._row(side), ticks)
        ]

    def queue_position(self, order_id: int) -> tuple[int, int]:
        """Return how many orders, and how many lots, stand in front of an order; as many steps as there are.

        Raises:
            InputError: no such order.
        """
        node = self._node(order_id)
        ahead = queue_at(self.levels, self.orders, int(self.orders[node + ORDER_ROW]), int(ticks_of(self.orders, node)))
        ahead = ahead[: ahead.index(node)]
        return len(ahead), sum(int(self.orders[each + ORDER_LOTS]) for each in ahead)

    def validate(self) -> None:
        """Check every invariant of the structure.

        Raises:
            AssertionError: naming the invariant that does not hold.
        """
        validate_orders(self.levels, self.orders)

    def _node(self, order_id: int) -> int:
        node = int(find_order(self.orders, 0, order_id)) if 0 <= order_id < 2**63 else 0
        if node == 0:
            raise InputError(f"order_id is {order_id}, which is not in the book")
        return node

    def _prices(self, row: int) -> Iterator[int]:
        ticks = int(best_of(self.levels, row))
        while ticks not in {NO_BID, NO_ASK}:
            yield ticks
            ticks = int(next_level(self.levels, row, ticks))

    @staticmethod
    def _row(side: int) -> int:
        return 0 if side == BID else 1


def _check_price_and_size(ticks: int, lots: int) -> None:
    if not -(2**31) <= ticks < 2**31:
        raise InputError(f"ticks is {ticks}; allowed: a 32-bit integer")
    if lots <= 0:
        raise InputError(f"lots is {lots}; allowed: 1 or more")
