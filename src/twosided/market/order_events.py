"""What an event of one order does to a book by order: the one place that says so.

Where you are in the pipe: *events* -> *book*. Replay, the touch and the checks of a recording all apply events through
`apply_order_event`, so that they agree on the odd ones too: an event on an order that is not in the book changes nothing (but a
MODIFY that says side, price and size is taken for a new order), an ADD of an id that is in use replaces that order, and nobody
loses more lots than he has.

Every order carries in `ORDER_NOTE` when it joined its queue, counted over all orders of the arena: of two orders at one price the
one with the smaller number stands in front.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.market.event import Kind
from twosided.market.order_queues import (
    ORDER_LOTS,
    ORDER_NOTE,
    ORDER_ROW,
    add_order,
    find_order,
    next_arrival,
    reduce_order,
    remove_order,
    replace_order,
    ticks_of,
)

__all__ = ["apply_order_event", "order_of"]

_ADD, _MODIFY, _CANCEL = int(Kind.ADD), int(Kind.MODIFY), int(Kind.CANCEL)


def _order_of(orders: Any, book: int, event: Any) -> int:
    """Return the node of the order that an event is about, 0 where the book has none; ids beyond 63 bits wrap around."""
    order_id: Any = np.int64(event["id"])
    return int(find_order(orders, book, order_id))


order_of = compiled(_order_of)


def _joins_again(orders: Any, node: int, event: Any) -> bool:
    """Say whether a MODIFY sends an order to the end of a queue: unless it only becomes smaller, it does."""
    if event["side"] != 0 and (event["side"] > 0) == (orders[node + ORDER_ROW] & 1 == 1):
        return True
    return bool(event["lots"] > orders[node + ORDER_LOTS] or event["ticks"] != ticks_of(orders, node))


joins_again = compiled(_joins_again)


def _add(levels: Any, orders: Any, book: int, event: Any) -> None:
    """Put the order of an event at the end of its queue."""
    if event["lots"] > 0 and event["side"] != 0:
        order_id: Any = np.int64(event["id"])
        ticks: Any = np.int64(event["ticks"])
        side: Any = np.int64(event["side"])
        add_order(levels, orders, book, order_id, 0, next_arrival(orders), side, ticks, event["lots"])


add = compiled(_add, inline=True)


def _apply_order_event(levels: Any, orders: Any, book: int, node: int, event: Any) -> None:
    """Let a book take in an ADD, MODIFY, CANCEL or FILL; *node* is that of the event's order, 0 where the book has none.

    The caller has seen to it that the book is not full.
    """
    kind = event["kind"]
    if kind == _ADD:
        if node != 0:
            remove_order(levels, orders, node)
        add(levels, orders, book, event)
    elif kind == _MODIFY:
        if node == 0:
            add(levels, orders, book, event)
        elif event["lots"] <= 0:
            remove_order(levels, orders, node)
        elif not joins_again(orders, node, event):
            reduce_order(levels, orders, node, orders[node + ORDER_LOTS] - event["lots"])
        elif event["side"] == 0:
            ticks: Any = np.int64(event["ticks"])
            orders[node + ORDER_NOTE] = next_arrival(orders)
            replace_order(levels, orders, node, ticks, event["lots"])
        else:
            remove_order(levels, orders, node)
            add(levels, orders, book, event)
    elif node != 0:
        if kind == _CANCEL and event["lots"] <= 0:
            remove_order(levels, orders, node)
        elif event["lots"] > 0:
            reduce_order(levels, orders, node, event["lots"])


apply_order_event = compiled(_apply_order_event, inline=True)
