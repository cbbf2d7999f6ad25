"""Our side of a replay: the book as it reaches us, signals, and whom a message wakes.

Where you are in the pipe: events -> *book -> signals* -> strategy. `replay_kernel` calls this in the order of our clock.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.engines.replay_exchange import clear
from twosided.execution.state import (
    account_at,
    line_at,
    local_at,
    queues_of,
    signals_at,
    strategy_at,
    top_at,
    venue_at,
    view_at,
)
from twosided.market.event import Flag, Kind, Status
from twosided.market.ladder import NO_ASK, NO_BID, best_of, level_of, set_level
from twosided.market.order_events import apply_order_event, order_of
from twosided.market.order_queues import is_book_full
from twosided.signals.by_name import ON_ANYTHING, ON_BANDS, ON_BOOKS, ON_TRADES, hear, reach_see_book, reach_see_trade, see_band
from twosided.strategies.contract import Wake

__all__ = ["on_local_event", "skim"]

_DEPTH, _TRADE, _LAST = int(Kind.DEPTH), int(Kind.TRADE), int(Flag.LAST_OF_MESSAGE)
_BEGIN, _END, _STATUS, _FUNDING = int(Kind.SNAPSHOT_BEGIN), int(Kind.SNAPSHOT_END), int(Kind.STATUS), int(Kind.FUNDING)
_ADD, _BAND = int(Kind.ADD), int(Kind.BAND)
_OPEN = int(Status.OPEN)
_IN_SNAPSHOT = 2  # a view's `ready` between the begin and the end of a snapshot
_BOOK, _TRADED = int(Wake.BOOK), int(Wake.TRADE)


def _on_rare_local_event(s: Any, books: Any, event: Any, row: int) -> None:
    """Apply an event that is neither a change of the book nor a trade to our view."""
    m: Any = np.int64(event.market)
    view = view_at(s, m)
    if event.kind == _STATUS:
        view.open = 1 if event.lots == _OPEN else 0
        view.causes |= _BOOK
        return
    if event.kind == _BAND:
        view.causes |= _BOOK
        if s.signals_wanted & ON_BANDS != 0:
            side: Any = np.int64(event.side)
            ticks: Any = np.int64(event.ticks)
            see_band(signals_at(s, m), side, ticks, event.lots)
        return
    if event.kind == _FUNDING:
        for k in range(s.n_strategies):
            line, funding = line_at(s, k, m), account_at(s, k, m).funding
            line.cash -= funding - line.funding
            line.funding = funding
        return
    view.dirty = 1
    if event.kind == _BEGIN:
        view.ready = _IN_SNAPSHOT
    elif event.kind == _END:
        view.ready = 1
    if s.shared_book == 0 and event.kind != _END:
        if event.kind == _BEGIN or event.side >= 0:
            clear(s, books, m, row)
        if event.kind == _BEGIN or event.side <= 0:
            clear(s, books, m, row + 1)


on_rare_local_event = compiled(_on_rare_local_event)


def _show_top(s: Any, m: int, bid: int, ask: int, bid_lots: int, ask_lots: int) -> None:
    """Let a top of book become what strategies see, update signals, and note whether it is a reason to wake them."""
    view = view_at(s, m)
    if bid != view.bid_ticks or ask != view.ask_ticks or bid_lots != view.bid_lots or ask_lots != view.ask_lots:
        view.causes |= _BOOK
    view.bid_ticks, view.ask_ticks, view.bid_lots, view.ask_lots = bid, ask, bid_lots, ask_lots
    view.book_ns = s.now_ns
    if s.signals_wanted & ON_BOOKS != 0 and view.ready == 1 and bid != NO_BID and ask != NO_ASK and bid < ask:
        reach_see_book(s.see_book)(signals_at(s, m), s.signals_wanted, s.now_ns, bid, ask, bid_lots, ask_lots)


show_top = compiled(_show_top)


def _after_local_message(s: Any, books: Any, m: int) -> None:
    """Finish a message on our side: look at the book it left, and mark the strategies that it should wake."""
    view = view_at(s, m)
    if view.dirty == 1:
        view.dirty = 0
        if s.shared_book == 1:
            venue = venue_at(s, m)
            top = top_at(s, m, venue.tops_out & (s.tops_size - 1))
            venue.tops_out += 1
            view.ready = top.ready
            show_top(s, m, top.bid, top.ask, top.bid_lots, top.ask_lots)
        else:
            row = 2 * (s.n_markets + m)
            bid, ask = best_of(books, row), best_of(books, row + 1)
            if view.ready == 0 and bid != NO_BID and ask != NO_ASK and bid < ask:
                view.ready = 1
            bid_lots = level_of(books, row, bid) if bid != NO_BID else 0
            ask_lots = level_of(books, row + 1, ask) if ask != NO_ASK else 0
            show_top(s, m, bid, ask, bid_lots, ask_lots)
    if view.causes & s.wakes != 0:
        wake_all(s, view.causes, m)
    view.causes = 0


def _wake_all(s: Any, causes: int, m: int) -> None:
    """Mark every strategy that wants to be woken by one of *causes*."""
    for k in range(s.n_strategies):
        strategy = strategy_at(s, k)
        if strategy.wake & causes:
            strategy.pending |= strategy.wake & causes
            s.deciding = 1
    s.wake_market = m


wake_all = compiled(_wake_all)
after_local_message = compiled(_after_local_message)


def _change_our_book(s: Any, books: Any, event: Any) -> None:
    """Apply a change of a book to the one that follows our clock."""
    book: Any = s.n_markets + np.int64(event.market)
    if event.kind == _DEPTH:
        ticks: Any = np.int64(event.ticks)
        set_level(books, 2 * book + (0 if event.side > 0 else 1), ticks, event.lots)
        return
    orders = queues_of(s)
    apply_order_event(books, orders, book, order_of(orders, book, event), event)
    if is_book_full(books, orders):
        s.attention = 1


change_our_book = compiled(_change_our_book)


def _see_trade_here(s: Any, event: Any) -> None:
    """Let signals see a trade as it reaches us."""
    m: Any = np.int64(event.market)
    side: Any = np.int64(event.side)
    ticks: Any = np.int64(event.ticks)
    view = view_at(s, m)
    reach_see_trade(s.see_trade)(
        signals_at(s, m), s.signals_wanted, s.now_ns, side, ticks, event.lots, view.bid_ticks, view.ask_ticks
    )


see_trade_here = compiled(_see_trade_here)


def _on_local_event(s: Any, books: Any, event: Any, j: int) -> Any:
    """Apply event *j* to our side, and with it the rest of a message of book changes only; return the index of the last one."""
    m: Any = np.int64(event.market)
    kind = event.kind
    view = view_at(s, m)
    if s.signals_wanted & ON_ANYTHING != 0:
        hear(signals_at(s, m), s.now_ns)
    if kind == _DEPTH or kind >= _ADD:
        if s.one_stream == 1 and view.dirty == 0:
            first = top_at(s, m, venue_at(s, m).tops_out & (s.tops_size - 1)).first
            if first >= j:  # the exchange's side has seen to all of it
                view.dirty = 1
                after_local_message(s, books, m)
                return first
        view.dirty = 1
        if s.shared_book == 0:
            change_our_book(s, books, event)
    elif kind == _TRADE:
        view.trade_ticks, view.trade_lots, view.trade_side = event.ticks, event.lots, event.side
        view.causes |= _TRADED
        if s.signals_wanted & ON_TRADES != 0:
            see_trade_here(s, event)
    else:
        on_rare_local_event(s, books, event, 2 * (s.n_markets + m))
    if event["flags"] & _LAST:
        after_local_message(s, books, m)
    return j


on_local_event = compiled(_on_local_event, inline=True)


def _last_heard(s: Any, j: int, until_ns: int) -> int:
    """Return the last event of the last message, from event *j* on, that has reached us by *until_ns*."""
    while local_at(s, j + 1).local_ns <= until_ns:
        j += 1
    return int(j)


last_heard = compiled(_last_heard)


def _differs(view: Any, top: Any) -> bool:
    """Say whether a top of book is another than the one that strategies see."""
    return bool(
        top.bid != view.bid_ticks or top.ask != view.ask_ticks or top.bid_lots != view.bid_lots or top.ask_lots != view.ask_lots
    )


differs = compiled(_differs)


def _holds_until(s: Any, m: int, venue: Any) -> int:
    """Return the last event after which the TOP of market *m* that we see still holds."""
    if venue.tops_out == venue.tops_in:
        return int(venue.holds)
    return int(top_at(s, m, (venue.tops_out - 1) & (s.tops_size - 1)).last)


holds_until = compiled(_holds_until)


def _skim(s: Any, j: int, until_ns: int) -> int:
    """Step over the messages of book changes only that reach us from event *j* on until *until_ns*; return where that ends.

    The events of a message have one time. For when no signal is kept: then only the last top of book before a decision is ever
    looked at. It ends with the first one that wakes somebody.
    """
    while j < s.n_local:
        event = local_at(s, j)
        kind = event.kind
        m: Any = np.int64(event.market)
        view, venue = view_at(s, m), venue_at(s, m)
        if event.local_ns > until_ns or (kind != _DEPTH and kind < _ADD) or view.dirty == 1:
            break
        last, wakes = holds_until(s, m, venue), False
        if last < j:  # a message that made a TOP
            top = top_at(s, m, venue.tops_out & (s.tops_size - 1))
            if top.first < j:
                break
            wakes = s.wakes & _BOOK != 0 and differs(view, top)
            view.ready = top.ready
            view.bid_ticks, view.ask_ticks, view.bid_lots, view.ask_lots = top.bid, top.ask, top.bid_lots, top.ask_lots
            venue.tops_out += 1
            last = top.first if wakes else holds_until(s, m, venue)
        if local_at(s, last).local_ns > until_ns:
            last = last_heard(s, j, until_ns)
        view.book_ns = local_at(s, last).local_ns
        j = last + 1
        if wakes:
            s.now_ns = view.book_ns
            wake_all(s, _BOOK, m)
            break
    return int(j)


skim = compiled(_skim, inline=True)
