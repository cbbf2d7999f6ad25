"""What a recording order by order would have looked like by level: the same messages, and only the totals that they left.

Where you are in the pipe: events -> *events*. Whoever wants to know how good a guess from totals is needs both views of one market.
"""

from typing import Any, cast

import numpy as np

from twosided._compile import compiled
from twosided.market.event import EVENT, Events, Flag, Kind
from twosided.market.ladder import grow_books, is_full, level_of, new_books
from twosided.market.order_events import apply_order_event, order_of
from twosided.market.order_queues import ORDER_ROW, clear_side, grow_orders, is_book_full, new_orders, ticks_of

__all__ = ["by_level"]

_DEPTH, _ADD = int(Kind.DEPTH), int(Kind.ADD)
_BEGIN, _END, _CLEAR = int(Kind.SNAPSHOT_BEGIN), int(Kind.SNAPSHOT_END), int(Kind.CLEAR)
_LAST = int(Flag.LAST_OF_MESSAGE)
_ALL_BUT_LAST = 0xFF ^ _LAST
_OUT, _TOUCHED = 0, 1  # words of the state: events written, levels touched by the message so far
_FEW = 64  # levels that are compared to write each once; in longer messages a level may be written twice, with the same lots


def _touch(touched: Any, state: Any, row: int, ticks: int) -> None:
    """Remember that the message has touched a level."""
    count = state[_TOUCHED]
    for i in range(max(count - _FEW, 0), count):
        if touched[2 * i] == row and touched[2 * i + 1] == ticks:
            return
    touched[2 * count], touched[2 * count + 1] = row, ticks
    state[_TOUCHED] = count + 1


touch = compiled(_touch)


def _write(event: Any, out: Any, state: Any, kind: int, side: int, ticks: int, lots: int, flags: int) -> None:
    """Write one event with the times of *event*."""
    line = out[state[_OUT]]
    line.exch_ns, line.local_ns, line.id, line.market = event.exch_ns, event.local_ns, event.id, event.market
    line.kind, line.side, line.ticks, line.lots, line["flags"] = kind, side, ticks, lots, flags
    state[_OUT] += 1


write = compiled(_write)


def _end_message(event: Any, books: Any, touched: Any, out: Any, state: Any) -> None:
    """Write the levels that the message has touched."""
    flags = event["flags"] & _ALL_BUT_LAST
    for i in range(state[_TOUCHED]):
        row, ticks = touched[2 * i], touched[2 * i + 1]
        write(event, out, state, _DEPTH, 1 - 2 * (row & 1), ticks, level_of(books, row, ticks), flags)
    state[_TOUCHED] = 0


end_message = compiled(_end_message)


def _take(event: Any, books: Any, orders: Any, touched: Any, out: Any, state: Any) -> None:
    """Take in one event: orders change the book, everything else is passed on."""
    m: Any = np.int64(event.market)
    if event.kind < _ADD:
        if event.kind == _END:
            end_message(event, books, touched, out, state)
        write(event, out, state, event.kind, event.side, event.ticks, event.lots, event["flags"] & _ALL_BUT_LAST)
        if event.kind in (_BEGIN, _CLEAR):
            for row in range(2):
                if event.kind == _BEGIN or event.side == 0 or (event.side < 0) == (row == 1):
                    clear_side(books, orders, 2 * m + row)
        return
    node = order_of(orders, m, event)
    if node != 0:
        touch(touched, state, orders[node + ORDER_ROW], ticks_of(orders, node))
    apply_order_event(books, orders, m, node, event)
    node = order_of(orders, m, event)
    if node != 0:
        touch(touched, state, orders[node + ORDER_ROW], ticks_of(orders, node))


take = compiled(_take)


def _collapse(events: Any, begin: int, first: int, books: Any, orders: Any, touched: Any, out: Any, state: Any) -> Any:
    """Take in ``events[begin:]``; return (where it stopped, where the output of the message begun there begins)."""
    for i in range(begin, events.shape[0]):
        if is_book_full(books, orders):
            return i, first
        event = events[i]
        take(event, books, orders, touched, out, state)
        if event["flags"] & _LAST:
            end_message(event, books, touched, out, state)
            if state[_OUT] > first:
                last = out[state[_OUT] - 1]
                last["flags"] = last["flags"] | _LAST
            first = state[_OUT]
    return events.shape[0], first


collapse = compiled(_collapse)


def by_level(events: Events) -> Events:
    """Return *events* with the changes of single orders replaced by what they left of each level, at the end of each message.

    Trades, snapshots, clears and statuses stay where they are. A message that changed nothing is gone.

    Args:
        events: shape (n,), dtype `EVENT`, any number of markets, order by order.
    """
    markets = 1 + int(events["market"].max(initial=0))
    books, orders = new_books(2 * markets), new_orders()
    out, touched = np.zeros(3 * len(events) + 1, EVENT), np.zeros(4 * len(events) + 2, np.int64)
    state, begin, first = np.zeros(2, np.int64), 0, 0
    while begin < len(events):
        if is_full(books):
            books = grow_books(books)
        if is_book_full(books, orders):
            orders = grow_orders(orders)
        begin, first = collapse(events, begin, first, books, orders, touched, out, state)
    return cast("Events", out[: state[_OUT]].copy())
