"""The touch as it moved: one line for each whole message after which the best bid, the best ask or a size there was another.

Where you are in the pipe: events -> *book* -> signals. Statistics, calibration and the checks of a recording need the best prices
of every state, not the book behind them. An event of a level costs some 30 ns, and 15 ns more where it ends a message (two million
random changes on 40 levels, one core); one of an order twice that; a snapshot or a clear costs a walk over the pages of
`market.ladder`. Nothing here looks inside a message, because a half-applied message may be crossed.

`touches` takes a whole array; `TouchTracker` takes a recording in pieces, keeps the book between them and counts what it meets.
"""

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled, words_of
from twosided.market.event import Events, Flag, Kind
from twosided.market.ladder import NO_ASK, NO_BID, best_of, clear_row, grow_books, is_full, level_of, new_books, set_level
from twosided.market.order_events import apply_order_event, order_of
from twosided.market.order_queues import (
    ORDER_LOTS,
    clear_side,
    grow_orders,
    is_book_full,
    live_orders,
    new_orders,
)

__all__ = ["TOUCH", "TouchTracker", "touches"]

TOUCH = np.dtype(
    (
        np.record,
        [
            ("event", "<i8"),  # index of the message's last event
            ("exch_ns", "<i8"),  # of that event
            ("local_ns", "<i8"),
            ("id", "<u8"),
            ("bid_ticks", "<i8"),  # NO_BID where the side is empty
            ("bid_lots", "<i8"),  # 0 where the side is empty
            ("ask_ticks", "<i8"),  # NO_ASK where the side is empty
            ("ask_lots", "<i8"),
        ],
    ),
)
"""The best prices after a whole message; crossed and one-sided states are included."""

Touches = npt.NDArray[np.record]

_BID, _BID_LOTS, _ASK, _ASK_LOTS = 0, 1, 2, 3  # words of the state: the touch as last written
_CHANGED = 4  # 1 when the book was set since the last whole message
_MESSAGES, _UPDATES, _CROSSED, _UNKNOWN = 5, 6, 7, 8  # counts
_LINES = 9  # lines written by the last call
_ORPHANS, _DUPLICATES, _EXCESSIVE = 10, 11, 12  # counts
_STATE = 13

_DEPTH, _SNAPSHOT_BEGIN, _CLEAR = int(Kind.DEPTH), int(Kind.SNAPSHOT_BEGIN), int(Kind.CLEAR)
_ADD, _CANCEL, _FILL = int(Kind.ADD), int(Kind.CANCEL), int(Kind.FILL)
_LAST, _IN_SNAPSHOT = int(Flag.LAST_OF_MESSAGE), int(Flag.SNAPSHOT)


def _clear(books: Any, orders: Any, row: int) -> None:
    """Forget a side, by order or by level."""
    if live_orders(orders) > 0:
        clear_side(books, orders, row)
    clear_row(books, row)


clear = compiled(_clear)


def _apply_order(event: Any, books: Any, orders: Any, state: Any) -> None:
    """Let the book take in an event of one order, and count what is wrong with it."""
    node = order_of(orders, 0, event)
    if event["kind"] == _ADD:
        state[_DUPLICATES] += node != 0
    elif node == 0:
        state[_ORPHANS] += 1
    elif event["kind"] >= _CANCEL and event["lots"] > orders[node + ORDER_LOTS]:
        state[_EXCESSIVE] += 1
    apply_order_event(books, orders, 0, node, event)
    state[_CHANGED] = 1


apply_order = compiled(_apply_order)


def _apply_event(event: Any, books: Any, orders: Any, state: Any) -> None:
    """Let the book of two rows take in one event."""
    kind = event["kind"]
    if kind == _DEPTH:
        old = set_level(books, 0 if event["side"] > 0 else 1, event["ticks"], event["lots"])
        state[_CHANGED] = 1
        if old == 0 and event["lots"] == 0 and event["flags"] & _IN_SNAPSHOT == 0:
            state[_UNKNOWN] += 1
    elif kind >= _ADD:
        apply_order(event, books, orders, state)
    elif kind in (_SNAPSHOT_BEGIN, _CLEAR):
        side = event["side"] if kind == _CLEAR else 0
        if side >= 0:
            clear(books, orders, 0)
        if side <= 0:
            clear(books, orders, 1)
        state[_CHANGED] = 1


apply_event = compiled(_apply_event)


def _write_touch(event: Any, index: int, books: Any, state: Any, line: Any) -> None:
    """Count the state after a whole message and write it in the next *line* where the touch changed."""
    bid, ask = best_of(books, 0), best_of(books, 1)
    bid_lots = level_of(books, 0, bid) if bid != NO_BID else 0
    ask_lots = level_of(books, 1, ask) if ask != NO_ASK else 0
    state[_UPDATES] += 1
    state[_CROSSED] += bid >= ask
    if bid == state[_BID] and ask == state[_ASK] and bid_lots == state[_BID_LOTS] and ask_lots == state[_ASK_LOTS]:
        return
    state[_BID], state[_ASK], state[_BID_LOTS], state[_ASK_LOTS] = bid, ask, bid_lots, ask_lots
    line["event"], line["exch_ns"], line["local_ns"], line["id"] = index, event["exch_ns"], event["local_ns"], event["id"]
    line["bid_ticks"], line["bid_lots"], line["ask_ticks"], line["ask_lots"] = bid, bid_lots, ask, ask_lots
    state[_LINES] += 1


write_touch = compiled(_write_touch)


def _track(events: Any, begin: int, first: int, market: int, books: Any, orders: Any, state: Any, out: Any) -> int:
    """Take in ``events[begin:]`` and return where it stopped: at the end, or before an event that needs a larger book.

    *first* is added to an event's index where it is written; *out* has a place for every event.
    """
    books, orders, state = words_of(books), words_of(orders), words_of(state)
    for index in range(begin, len(events)):
        event = events[index]
        if event["market"] != market:
            continue
        if is_book_full(books, orders):
            return index
        apply_event(event, books, orders, state)
        if event["flags"] & _LAST != 0:
            state[_MESSAGES] += 1
            if state[_CHANGED] != 0:
                state[_CHANGED] = 0
                write_touch(event, first + index, books, state, out[state[_LINES]])
    return len(events)


track = compiled(_track)


class TouchTracker:
    """Follows the touch of one market through a recording that comes in pieces.

    Args:
        market: index of the market whose book is followed.
    """

    def __init__(self, market: int = 0) -> None:
        self._market = market
        self._books, self._orders = new_books(2), new_orders()
        self._state = np.zeros(_STATE, np.int64)
        self._state[_BID], self._state[_ASK] = NO_BID, NO_ASK
        self._events = 0

    def feed(self, events: Events) -> Touches:
        """Take in the next *events* and return one `TOUCH` for each whole message after which the touch was another.

        ``event`` counts from the first event ever fed. Sizes are lots, prices ticks.
        """
        out = cast("Touches", np.zeros(len(events), TOUCH))
        self._state[_LINES] = 0
        begin = 0
        while begin < len(events):
            if is_full(self._books):
                self._books = grow_books(self._books)
            if is_book_full(self._books, self._orders):
                self._orders = grow_orders(self._orders)
            begin = int(track(events, begin, self._events, self._market, self._books, self._orders, self._state, out))
        self._events += len(events)
        return out[: self._state[_LINES]]

    @property
    def messages(self) -> int:
        """Whole messages of the market so far, trades included."""
        return int(self._state[_MESSAGES])

    @property
    def updates(self) -> int:
        """Whole messages that set or cleared levels."""
        return int(self._state[_UPDATES])

    @property
    def crossed(self) -> int:
        """Of the `updates`, those after which the best bid was not below the best ask."""
        return int(self._state[_CROSSED])

    @property
    def unknown_removals(self) -> int:
        """Removals of levels that were not in the book: usual where a snapshot shows fewer levels than later changes touch."""
        return int(self._state[_UNKNOWN])

    @property
    def orphans(self) -> int:
        """Changes, cancels and fills of orders that are not in the book."""
        return int(self._state[_ORPHANS])

    @property
    def duplicates(self) -> int:
        """New orders with the id of one that is in the book."""
        return int(self._state[_DUPLICATES])

    @property
    def excessive(self) -> int:
        """Cancels and fills of more than the order has."""
        return int(self._state[_EXCESSIVE])

    @property
    def orders(self) -> int:
        """Orders in the book now."""
        return int(live_orders(self._orders))


def touches(events: Events, market: int = 0) -> Touches:
    """Return the `TOUCH` after each whole message of *market* after which the touch was another than before.

    Args:
        events: shape (n,), dtype `EVENT`, in the order in which the book is to be built (local, or `exchange_order`).
        market: index of the market.
    """
    return TouchTracker(market).feed(events)
