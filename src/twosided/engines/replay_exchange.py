"""The exchange's side of a replay: recorded events move its book and fill own orders.

Where you are in the pipe: *events -> book*, and *venue -> fills* where own orders rest. `replay_kernel` calls this in the order of
the exchange's clock; `replay_view` is what we see of it, later.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.execution.ledger import book_funding
from twosided.execution.resting import cap_queues, on_level_change
from twosided.execution.state import (
    LOG_LIMIT,
    account_at,
    exch_at,
    mid_at,
    own_row,
    queues_of,
    top_at,
    venue_at,
)
from twosided.execution.venue import (
    fill_crossed,
    forget_taken,
    on_execution,
    on_trade,
)
from twosided.market.event import Flag, Kind, Status
from twosided.market.ladder import (
    NO_ASK,
    NO_BID,
    best_of,
    clear_row,
    improvement,
    is_full,
    level_of,
    mark_of,
    move_best,
    write_level,
)
from twosided.market.order_events import apply_order_event, order_of
from twosided.market.order_queues import ORDER_NOTE, ORDER_ROW, clear_side, is_book_full, ticks_of

__all__ = ["clear", "run_exchange"]

_DEPTH, _TRADE, _LAST = int(Kind.DEPTH), int(Kind.TRADE), int(Flag.LAST_OF_MESSAGE)
_BEGIN, _END, _CLEAR, _STATUS = int(Kind.SNAPSHOT_BEGIN), int(Kind.SNAPSHOT_END), int(Kind.CLEAR), int(Kind.STATUS)
_FUNDING, _BAND = int(Kind.FUNDING), int(Kind.BAND)
_ADD, _MODIFY, _FILL = int(Kind.ADD), int(Kind.MODIFY), int(Kind.FILL)
_HIDDEN = int(Flag.HIDDEN)
_OPEN = int(Status.OPEN)


def _clear(s: Any, books: Any, m: int, row: int) -> None:
    """Forget a side of market *m*."""
    if venue_at(s, m).by_order == 1:
        clear_side(books, queues_of(s), row)
    else:
        clear_row(books, row)


clear = compiled(_clear)


def _on_rare_exchange_event(s: Any, books: Any, event: Any) -> None:
    """Apply an event that is neither a change of the book nor a trade to the exchange's side."""
    m: Any = np.int64(event.market)
    venue = venue_at(s, m)
    venue.top_moved = 1
    if event.kind == _BEGIN:
        clear(s, books, m, 2 * m)
        clear(s, books, m, 2 * m + 1)
        venue.snapshot, venue.ready, venue.dirty = 1, 0, 1
    elif event.kind == _END:
        venue.snapshot, venue.ready, venue.dirty = 0, 1, 1
        cap_queues(s, books, m)
    elif event.kind == _CLEAR:
        if event.side >= 0:
            clear(s, books, m, 2 * m)
        if event.side <= 0:
            clear(s, books, m, 2 * m + 1)
        venue.dirty = 1
        cap_queues(s, books, m)
    elif event.kind == _STATUS:
        venue.status = event.lots
    elif event.kind == _BAND and event.side > 0:
        venue.highest_buy = np.int64(event.ticks) if event.lots > 0 else NO_ASK
    elif event.kind == _BAND:
        venue.lowest_sell = np.int64(event.ticks) if event.lots > 0 else NO_BID
    elif event.kind == _FUNDING and venue.bid != NO_BID:
        for k in range(s.n_strategies):
            book_funding(account_at(s, k, m), venue.fees, venue.bid + venue.ask, event.lots)


on_rare_exchange_event = compiled(_on_rare_exchange_event)


def _may_fill(venue: Any) -> bool:
    """Say whether own orders are filled now."""
    return bool(venue.status == _OPEN and venue.ready == 1 and venue.crossed == 0)


may_fill = compiled(_may_fill)


def _on_exchange_trade(s: Any, books: Any, event: Any) -> None:
    """Let a recorded trade hit own orders; a trade of unknown side hits the side of the book that its price is on.

    By order, a trade with a displayed order leaves that to the order's FILL. One with a hidden order takes nothing from a queue.
    """
    m: Any = np.int64(event.market)
    venue = venue_at(s, m)
    venue.aggressor = event.side
    if s.now_ns >= s.start_ns:
        venue.volume_lots += event.lots
    if venue.n_resting == 0 or not may_fill(venue):
        return
    hidden = event["flags"] & _HIDDEN != 0
    if venue.by_order == 1 and not hidden:
        return
    ticks: Any = np.int64(event.ticks)
    side: Any = -np.int64(event.side)
    if side == 0:
        if ticks <= best_of(books, 2 * m):
            side = 1
        elif ticks >= best_of(books, 2 * m + 1):
            side = -1
    if side != 0 and hidden:
        on_execution(s, books, m, side, ticks, event.lots, 0)
    elif side != 0:
        on_trade(s, books, m, side, ticks, event.lots)


on_exchange_trade = compiled(_on_exchange_trade)


def _on_recorded_fill(s: Any, books: Any, m: int, orders: Any, node: int, event: Any) -> None:
    """Let own orders trade before the recorded order that a FILL is about; one that nobody added was there before all of ours.

    An order of the aggressor's side is the aggressor's own, which was in the book and moved to trade: it rested for nobody.
    """
    venue = venue_at(s, m)
    side: Any = np.int64(event.side)
    ticks: Any = np.int64(event.ticks)
    arrival = 0
    if node != 0:
        side, ticks, arrival = 1 - 2 * (orders[node + ORDER_ROW] & 1), ticks_of(orders, node), orders[node + ORDER_NOTE]
    if side not in (0, venue.aggressor) and may_fill(venue):
        on_execution(s, books, m, side, ticks, event.lots, arrival)


on_recorded_fill = compiled(_on_recorded_fill)


def _on_order_event(s: Any, books: Any, event: Any) -> None:
    """Apply an event of one order to the exchange's side."""
    m: Any = np.int64(event.market)
    venue, orders = venue_at(s, m), queues_of(s)
    node = order_of(orders, m, event)
    if event.kind == _FILL and venue.n_resting > 0:
        on_recorded_fill(s, books, m, orders, node, event)
    row: Any = 2 * m + (0 if event.side > 0 else 1)
    ticks: Any = np.int64(event.ticks)
    if node != 0:
        row, ticks = orders[node + ORDER_ROW], ticks_of(orders, node)
    apply_order_event(books, orders, m, node, event)
    venue.dirty = 1
    if (ticks - best_of(books, row)) * (1 - 2 * (row & 1)) >= 0 or (node != 0 and event.kind in (_ADD, _MODIFY)):
        venue.top_moved = 1  # an order that comes again may stand anywhere
    if venue.n_taken > 0 and node != 0 and level_of(books, row, ticks) == 0:
        forget_taken(s, m, 1 - 2 * (row & 1), ticks)
    if is_book_full(books, orders):
        s.attention = 1


on_order_event = compiled(_on_order_event)


def _log_mid(s: Any, m: int, bid: int, ask: int) -> None:
    """Note a new valid touch."""
    venue = venue_at(s, m)
    venue.bid, venue.ask = bid, ask
    row = mid_at(s, s.n_mids)
    s.n_mids += 1
    if s.n_mids > LOG_LIMIT:
        s.attention = 1
    row.exch_ns, row.market, row.bid_ticks, row.ask_ticks = s.now_ns, m, bid, ask


log_mid = compiled(_log_mid)


def _reaches_own(s: Any, books: Any, m: int, bid: int, ask: int) -> bool:
    """Say whether a best price has come to where own orders of the other side rest."""
    return bool(ask <= best_of(books, own_row(s, m, 1)) or bid >= best_of(books, own_row(s, m, -1)))


reaches_own = compiled(_reaches_own)


def _after_book_message(s: Any, books: Any, m: int, i: int) -> None:
    """Check the exchange's book after a whole message: fill what it crosses, note the touch, send the top on its way to us."""
    venue = venue_at(s, m)
    venue.top_moved = 0
    bid, ask = best_of(books, 2 * m), best_of(books, 2 * m + 1)
    valid = bid != NO_BID and ask != NO_ASK and bid < ask
    venue.crossed = 0 if bid < ask else 1
    if venue.ready == 0 and venue.snapshot == 0 and valid:
        venue.ready = 1  # a file without a snapshot: the book counts as whole once it has two sides
    if venue.status == _OPEN and venue.ready == 1:
        if venue.n_resting > 0 and bid < ask and reaches_own(s, books, m, bid, ask):
            fill_crossed(s, books, m)
        if valid and (bid != venue.bid or ask != venue.ask):
            log_mid(s, m, bid, ask)
    if s.shared_book == 1:
        ring = s.tops_size
        top_at(s, m, (venue.tops_in - 1) & (ring - 1)).last = venue.holds
        top = top_at(s, m, venue.tops_in & (ring - 1))
        venue.tops_in += 1
        s.same_top = int(s.extends == 1 and venue.mixed == 0)
        top.bid, top.ask, top.ready = bid, ask, venue.ready
        top.first = venue.holds = -1 if venue.mixed == 1 else i
        top.bid_lots = level_of(books, 2 * m, bid) if bid != NO_BID else 0
        top.ask_lots = level_of(books, 2 * m + 1, ask) if ask != NO_ASK else 0
        if venue.tops_in - venue.tops_out >= ring - 1:  # the one that we see is still looked at
            s.grow_tops = s.attention = 1


after_book_message = compiled(_after_book_message, inline=True)


def _on_exchange_event(s: Any, books: Any, event: Any, i: int) -> None:
    """Apply event *i* to the exchange's side."""
    m: Any = np.int64(event.market)
    kind = event.kind
    venue = venue_at(s, m)
    if kind == _DEPTH:
        ticks: Any = np.int64(event.ticks)
        side: Any = np.int64(event.side)
        lots = event.lots
        row = 2 * m + (0 if side > 0 else 1)
        improved = improvement(books, row, ticks)
        old = write_level(books, row, ticks, lots)
        move_best(books, row, ticks, lots, improved)
        venue.dirty = 1
        venue.top_moved |= np.int64(improved >= 0)
        # own orders there come first: they are rare, and whether a level shrank cannot be predicted
        if venue.n_resting > 0 and mark_of(books, own_row(s, m, side), ticks) != 0 and (lots < old or venue.n_explained > 0):
            on_level_change(s, books, m, side, ticks, old, lots)
        if venue.n_taken > 0:
            forget_taken(s, m, side, ticks)
    elif kind >= _ADD:
        on_order_event(s, books, event)
    else:
        venue.mixed, s.same_top = 1, 0
        if kind == _TRADE:
            on_exchange_trade(s, books, event)
        else:
            on_rare_exchange_event(s, books, event)
    if event["flags"] & _LAST:
        if venue.dirty == 1:
            venue.dirty = 0
            # a level that is updated behind the best may have something again for who has used it up
            if s.same_top == 1 and venue.top_moved == 0 and venue.n_taken == 0:
                venue.holds = i
            else:
                after_book_message(s, books, m, i)
        if venue.mixed == 1:
            venue.mixed, venue.aggressor = 0, 0


on_exchange_event = compiled(_on_exchange_event, inline=True)


def _run_exchange(s: Any, books: Any, i: int, stop: int, limit_ns: int) -> int:
    """Apply the exchange's events from *i* on, up to *stop* and until *limit_ns*, while nothing else comes first; return where."""
    while i < stop and s.attention == 0:
        event = exch_at(s, i)
        if event.exch_ns > limit_ns or event.exch_ns > s.next_own_ns or is_full(books):
            break
        s.now_ns = event.exch_ns
        on_exchange_event(s, books, event, i)
        i += 1
    return int(i)


run_exchange = compiled(_run_exchange)
