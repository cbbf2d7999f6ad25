"""All signals of a recording as a table, at regular times: what a strategy would have been shown then.

Where you are in the pipe: events -> book -> *signals*; for research. The very kernels that engines call (`by_name`) follow a book
of their own, so a row is what `ctx.signals` holds at that moment in a replay with the recording's own feed latency: a test says so.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled, words_of
from twosided.errors import InputError
from twosided.market.event import Events, Flag, Kind, Status
from twosided.market.ladder import NO_ASK, NO_BID, best_of, clear_row, grow_books, is_full, level_of, new_books, set_level
from twosided.market.order_events import apply_order_event, order_of
from twosided.market.order_queues import clear_side, grow_orders, is_book_full, live_orders, new_orders
from twosided.signals.by_name import SIGNALS, SIGNALS_OF_MARKET, hear, see_book, see_trade, signal_at

__all__ = ["SignalPaths", "signal_paths"]

Floats = npt.NDArray[np.float64]

_DEPTH, _TRADE, _ADD, _LAST = int(Kind.DEPTH), int(Kind.TRADE), int(Kind.ADD), int(Flag.LAST_OF_MESSAGE)
_BEGIN, _END, _CLEAR, _STATUS, _OPEN = (
    int(Kind.SNAPSHOT_BEGIN),
    int(Kind.SNAPSHOT_END),
    int(Kind.CLEAR),
    int(Kind.STATUS),
    int(Status.OPEN),
)
_IN_SNAPSHOT = 2

_FOLLOWED = np.dtype(
    (
        np.record,
        [
            ("bid", "i8"),  # after the last whole message
            ("ask", "i8"),
            ("bid_lots", "i8"),
            ("ask_lots", "i8"),
            ("ready", "i8"),  # 1: the book is whole; 2: within a snapshot
            ("dirty", "i8"),  # the message at hand has touched the book
            ("open", "i8"),
            ("next_ns", "i8"),  # of the next row
            ("rows", "i8"),  # written
            ("wanted", "i8"),  # groups of signals
        ],
    )
)


def _clear(books: Any, orders: Any, row: int) -> None:
    """Forget a side, by order or by level."""
    if live_orders(orders) > 0:
        clear_side(books, orders, row)
    clear_row(books, row)


clear = compiled(_clear)


def _apply(event: Any, books: Any, orders: Any, state: Any) -> None:
    """Let the book take in an event that is not a trade."""
    kind = event["kind"]
    if kind == _DEPTH:
        set_level(books, 0 if event["side"] > 0 else 1, event["ticks"], event["lots"])
        state.dirty = 1
    elif kind >= _ADD:
        apply_order_event(books, orders, 0, order_of(orders, 0, event), event)
        state.dirty = 1
    elif kind in (_BEGIN, _CLEAR):
        side = event["side"] if kind == _CLEAR else 0
        if side >= 0:
            clear(books, orders, 0)
        if side <= 0:
            clear(books, orders, 1)
        state.dirty = 1
        if kind == _BEGIN:
            state.ready = _IN_SNAPSHOT
    elif kind == _END:
        state.ready, state.dirty = 1, 1
    elif kind == _STATUS:
        state.open = 1 if event["lots"] == _OPEN else 0


apply = compiled(_apply)


def _after_message(books: Any, state: Any, signals: Any, now_ns: int) -> None:
    """Look at the book that a whole message left."""
    state.dirty = 0
    bid, ask = best_of(books, 0), best_of(books, 1)
    whole = bid != NO_BID and ask != NO_ASK and bid < ask
    if state.ready == 0 and whole:
        state.ready = 1
    state.bid, state.ask = bid, ask
    state.bid_lots = level_of(books, 0, bid) if bid != NO_BID else 0
    state.ask_lots = level_of(books, 1, ask) if ask != NO_ASK else 0
    if state.ready == 1 and whole:
        see_book(signals, state.wanted, now_ns, bid, ask, state.bid_lots, state.ask_lots)


after_message = compiled(_after_message)


def _write_row(state: Any, signals: Any, values: Any, tops: Any) -> None:
    """Write what is known at `next_ns`."""
    row = state.rows
    for number in range(values.shape[1]):
        values[row, number] = signal_at(signals, number, state.next_ns)
    if state.ready == 1 and state.open == 1 and state.bid != NO_BID and state.ask != NO_ASK and state.bid < state.ask:
        tops[row, 0], tops[row, 1], tops[row, 2], tops[row, 3] = state.bid, state.ask, state.bid_lots, state.ask_lots
    state.rows += 1


write_row = compiled(_write_row)


def _follow(
    events: Any, begin: int, market: int, every_ns: int, books: Any, orders: Any, states: Any, kept: Any, values: Any, tops: Any
) -> int:
    """Take in ``events[begin:]`` and return where it stopped: at the end, or before an event that needs a larger book."""
    words, queues, state, signals = words_of(books), words_of(orders), states[0], kept[0]
    for index in range(begin, events.shape[0]):
        event = events[index]
        if event["market"] != market:
            continue
        if is_book_full(words, queues):
            return index
        now_ns = event["local_ns"]
        while state.rows < values.shape[0] and state.next_ns < now_ns:
            write_row(state, signals, values, tops)
            state.next_ns += every_ns
        hear(signals, now_ns)
        if event["kind"] == _TRADE:
            side: Any = np.int64(event["side"])
            ticks: Any = np.int64(event["ticks"])
            see_trade(signals, state.wanted, now_ns, side, ticks, event["lots"], state.bid, state.ask)
        else:
            apply(event, words, queues, state)
        if event["flags"] & _LAST != 0 and state.dirty == 1:
            after_message(words, state, signals, now_ns)
    return int(events.shape[0])


follow = compiled(_follow)


class SignalPaths(NamedTuple):
    """Signals at regular times.

    Args:
        ns: our clock, shape (n,).
        values: shape (n, signals), in the order of `SIGNALS`.
        tops: bid, ask, and the lots there, shape (n, 4); lots are 0 where there was no whole, uncrossed book in continuous trading.
    """

    ns: npt.NDArray[np.int64]
    values: Floats
    tops: npt.NDArray[np.int64]


def signal_paths(events: Events, every_ns: int = 100_000_000, market: int = 0) -> SignalPaths:
    """Return all signals of a market every *every_ns*, messages of that very instant included.

    Args:
        events: in the order of our clock.
        every_ns: between rows; the first is that long after the first event.
        market: which.

    Raises:
        InputError: no events, or a period that is not positive.
    """
    if every_ns <= 0 or not len(events):
        raise InputError(f"every_ns is {every_ns}, of {len(events)} events; allowed: a positive period, and events")
    begin_ns = int(events["local_ns"][0])
    ns = np.arange(begin_ns + every_ns, int(events["local_ns"][-1]), every_ns)
    values, tops = np.zeros((len(ns), len(SIGNALS))), np.zeros((len(ns), 4), np.int64)
    states, kept = np.zeros(1, _FOLLOWED), np.zeros(1, SIGNALS_OF_MARKET)
    states["bid"], states["ask"], states["open"], states["wanted"] = NO_BID, NO_ASK, 1, -1
    states["next_ns"] = begin_ns + every_ns
    books, orders = new_books(2), new_orders()
    events, done = np.require(events, requirements=["C", "A"]), 0
    while done < len(events):
        if is_full(books):
            books = grow_books(books)
        if is_book_full(books, orders):
            orders = grow_orders(orders)
        done = int(follow(events, done, market, every_ns, books, orders, states, kept, values, tops))
    return SignalPaths(ns, values, tops)
