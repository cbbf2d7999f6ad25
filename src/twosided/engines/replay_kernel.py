"""The replay loop: one pass over recorded events, books, own messages and strategies, which can stop anywhere and go on.

Where you are in the pipe: all of it: events -> book -> signals -> strategy -> order manager -> venue -> fills -> ledger.

Two streams of the same events are read at once: in the order of the exchange's clock, which moves the exchange's book and fills
own orders, and in the order of ours, which is what strategies see. At one instant: exchange event, own request arriving, report,
local event, timer; then market, then sequence.

Where both clocks see the book's messages in the same order (nearly always), our book is the exchange's, later: then one ladder is
kept, and the top of book after each message travels to us through a ring. Otherwise a second ladder follows the local
stream. The results are the same where both ways are possible, and a test says so.

Unless the market wakes a strategy, what we see matters only when a timer rings or a report arrives: the exchange's side runs ahead
to that time, and ours follows in one go, stepping over messages of levels only, whose outcome waits in the ring. Where only timers
wake strategies, own messages arrive ahead of our side too.

The two streams may be windows on longer ones: the loop asks for more before it looks beyond the end of either.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled, function_at
from twosided.execution.ledger import book_funding
from twosided.execution.order_manager import manage, on_report
from twosided.execution.order_state import is_live
from twosided.execution.state import (
    FOREVER,
    LOG_LIMIT,
    account_at,
    books_of,
    decision_at,
    desk_at,
    equity_at,
    exch_at,
    first_number,
    head_at,
    line_at,
    local_at,
    log_is_full,
    message_at,
    mid_at,
    order_at,
    own_row,
    queues_of,
    shown_market_at,
    shown_signal_at,
    signals_at,
    source_at,
    strategy_at,
    top_at,
    venue_at,
    view_at,
)
from twosided.execution.venue import (
    arrive,
    cap_queues,
    fill_crossed,
    forget_taken,
    on_execution,
    on_level_change,
    on_trade,
)
from twosided.execution.wire import pop_message
from twosided.market.event import Flag, Kind, Status
from twosided.market.ladder import NO_ASK, NO_BID, best_of, clear_row, has_level, is_full, level_of, set_level
from twosided.market.order_events import apply_order_event, order_of
from twosided.market.order_queues import ORDER_NOTE, ORDER_ROW, clear_side, is_book_full, ticks_of
from twosided.signals.top import update_signals
from twosided.strategies.contract import DECIDE, Wake

__all__ = ["DONE", "EMPTY_LOGS", "GROW", "MORE", "PAUSE", "advance"]

DONE, PAUSE, EMPTY_LOGS, GROW, MORE = -1, -2, -3, -4, -5
"""Why `advance` returned; 0 or more is the strategy that Python must decide for."""

_DEPTH, _TRADE, _LAST = int(Kind.DEPTH), int(Kind.TRADE), int(Flag.LAST_OF_MESSAGE)
_BEGIN, _END, _CLEAR, _STATUS = int(Kind.SNAPSHOT_BEGIN), int(Kind.SNAPSHOT_END), int(Kind.CLEAR), int(Kind.STATUS)
_FUNDING = int(Kind.FUNDING)
_ADD, _FILL = int(Kind.ADD), int(Kind.FILL)
_HIDDEN = int(Flag.HIDDEN)
_OPEN = int(Status.OPEN)
_IN_SNAPSHOT = 2  # a view's `ready` between the begin and the end of a snapshot
_TIMER, _BOOK, _TRADED, _ORDER = int(Wake.TIMER), int(Wake.BOOK), int(Wake.TRADE), int(Wake.ORDER)

call = function_at(DECIDE)


# ---------------------------------------------------------------- the exchange's side


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
    row, ticks = -1, 0
    if venue.n_taken > 0 and node != 0:
        row, ticks = orders[node + ORDER_ROW], ticks_of(orders, node)
    apply_order_event(books, orders, m, node, event)
    venue.dirty = 1
    if row >= 0 and level_of(books, row, ticks) == 0:
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
    venue.dirty = 0
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
        top = top_at(s, m, venue.tops_in & (ring - 1))
        venue.tops_in += 1
        top.bid, top.ask, top.ready, top.last = bid, ask, venue.ready, -1 if venue.mixed == 1 else i
        top.bid_lots = level_of(books, 2 * m, bid) if bid != NO_BID else 0
        top.ask_lots = level_of(books, 2 * m + 1, ask) if ask != NO_ASK else 0
        if venue.tops_in - venue.tops_out >= ring:
            s.grow_tops = s.attention = 1


after_book_message = compiled(_after_book_message)


def _on_exchange_event(s: Any, books: Any, event: Any, i: int) -> None:
    """Apply event *i* to the exchange's side."""
    m: Any = np.int64(event.market)
    kind = event.kind
    venue = venue_at(s, m)
    if kind == _DEPTH:
        ticks: Any = np.int64(event.ticks)
        side: Any = np.int64(event.side)
        lots = event.lots
        old = set_level(books, 2 * m + (0 if side > 0 else 1), ticks, lots)
        venue.dirty = 1
        if venue.n_resting > 0 and (lots < old or venue.n_explained > 0) and has_level(books, own_row(s, m, side), ticks):
            on_level_change(s, books, m, side, ticks, old, lots)
        if venue.n_taken > 0:
            forget_taken(s, m, side, ticks)
    elif kind >= _ADD:
        on_order_event(s, books, event)
    else:
        venue.mixed = 1
        if kind == _TRADE:
            on_exchange_trade(s, books, event)
        else:
            on_rare_exchange_event(s, books, event)
    if event["flags"] & _LAST:
        if venue.dirty == 1:
            after_book_message(s, books, m, i)
        venue.mixed, venue.aggressor = 0, 0


on_exchange_event = compiled(_on_exchange_event, inline=True)


# ---------------------------------------------------------------- our side


def _on_rare_local_event(s: Any, books: Any, event: Any, row: int) -> None:
    """Apply an event that is neither a change of the book nor a trade to our view."""
    m: Any = np.int64(event.market)
    view = view_at(s, m)
    if event.kind == _STATUS:
        view.open = 1 if event.lots == _OPEN else 0
        view.causes |= _BOOK
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
    if s.signals_wanted == 1 and bid != NO_BID and ask != NO_ASK:
        update_signals(signals_at(s, m), s.now_ns, bid, ask, bid_lots, ask_lots)


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


def _on_local_event(s: Any, books: Any, event: Any, j: int) -> Any:
    """Apply event *j* to our side, and with it the rest of a message of book changes only; return the index of the last one."""
    m: Any = np.int64(event.market)
    kind = event.kind
    view = view_at(s, m)
    if kind == _DEPTH or kind >= _ADD:
        if s.one_stream == 1 and view.dirty == 0:
            last = top_at(s, m, venue_at(s, m).tops_out & (s.tops_size - 1)).last
            if last >= j:  # the exchange's side has seen to all of it
                view.dirty = 1
                after_local_message(s, books, m)
                return last
        view.dirty = 1
        if s.shared_book == 0:
            change_our_book(s, books, event)
    elif kind == _TRADE:
        view.trade_ticks, view.trade_lots, view.trade_side = event.ticks, event.lots, event.side
        view.causes |= _TRADED
    else:
        on_rare_local_event(s, books, event, 2 * (s.n_markets + m))
    if event["flags"] & _LAST:
        after_local_message(s, books, m)
    return j


on_local_event = compiled(_on_local_event, inline=True)


def _skim(s: Any, j: int, until_ns: int) -> int:
    """Step over the messages of book changes only that reach us from event *j* on until *until_ns*; return where that ends.

    For when the market wakes nobody and no signal is kept: only the last top of book is ever looked at.
    """
    while j < s.n_local:
        event = local_at(s, j)
        kind = event.kind
        m: Any = np.int64(event.market)
        view, venue = view_at(s, m), venue_at(s, m)
        if event.local_ns > until_ns or (kind != _DEPTH and kind < _ADD) or view.dirty == 1:
            break
        top = top_at(s, m, venue.tops_out & (s.tops_size - 1))
        if top.last < j:
            break
        venue.tops_out += 1
        view.ready, view.book_ns = top.ready, event.local_ns
        view.bid_ticks, view.ask_ticks, view.bid_lots, view.ask_lots = top.bid, top.ask, top.bid_lots, top.ask_lots
        j = top.last + 1
    return int(j)


skim = compiled(_skim)


# ---------------------------------------------------------------- asking strategies


def _may_decide(s: Any) -> bool:
    """Say whether strategies may be asked: the start has come, and every market shows a whole, two-sided, uncrossed book."""
    if s.now_ns < s.start_ns:
        return False
    for m in range(s.n_markets):
        view = view_at(s, m)
        if view.ready != 1 or view.bid_ticks == NO_BID or view.ask_ticks == NO_ASK or view.bid_ticks >= view.ask_ticks:
            return False
    return True


may_decide = compiled(_may_decide)


def _show_signal(s: Any, k: int, j: int, m: int) -> None:
    """Show strategy *k* the *j*-th signal it asked for."""
    source, values = source_at(s, k, j).number, signals_at(s, m)
    if source == 0:
        shown_signal_at(s, k, j, m).value = values.imbalance
    elif source == 1:
        shown_signal_at(s, k, j, m).value = values.microprice_ticks
    elif source == 2:
        shown_signal_at(s, k, j, m).value = values.volatility


show_signal = compiled(_show_signal)


def _working_lots(s: Any, k: int, m: int, index: int) -> int:
    """Return the open lots of the bids (*index* 0) or asks (1) that strategy *k* believes to have in market *m*."""
    first, unseen, lots = first_number(s, k, m, index), desk_at(s, k, m, index).used, 0
    for number in range(first, first + s.n_slots):
        if unseen == 0:
            break
        order = order_at(s, number)
        unseen -= order.used
        if is_live(order.state):
            lots += order.open_lots
    return int(lots)


working_lots = compiled(_working_lots)


def _show_market(s: Any, k: int) -> None:
    """Fill strategy *k*'s row with what it may see now."""
    head = head_at(s, k)
    head.now_ns, head.start_ns = s.now_ns, s.start_ns
    head.wake, head.wake_market = strategy_at(s, k).pending, s.wake_market
    for m in range(s.n_markets):
        shown, view, line = shown_market_at(s, k, m), view_at(s, m), line_at(s, k, m)
        shown.bid_ticks, shown.ask_ticks = view.bid_ticks, view.ask_ticks
        shown.bid_lots, shown.ask_lots = view.bid_lots, view.ask_lots
        shown.book_ns, shown.open = view.book_ns, view.open
        shown.trade_ticks, shown.trade_lots, shown.trade_side = view.trade_ticks, view.trade_lots, view.trade_side
        shown.position_lots, shown.cash = line.position_lots, line.cash * venue_at(s, m).quantum
        shown.working_bid_lots, shown.working_ask_lots = working_lots(s, k, m, 0), working_lots(s, k, m, 1)
        for j in range(s.n_signals):
            show_signal(s, k, j, m)


show_market = compiled(_show_market)


def _log_decision(s: Any, k: int) -> None:
    """Note that a strategy was asked."""
    strategy_at(s, k).decisions += 1
    if s.log_decisions == 1:
        row, shown = decision_at(s, s.n_decisions), shown_market_at(s, k, 0)
        s.n_decisions += 1
        if s.n_decisions > LOG_LIMIT:
            s.attention = 1
        row.ns, row.strategy, row.wake = s.now_ns, k, strategy_at(s, k).pending
        row.bid_ticks, row.ask_ticks, row.position_lots = shown.bid_ticks, shown.ask_ticks, shown.position_lots


log_decision = compiled(_log_decision)


def _ask_strategies(s: Any) -> int:
    """Ask every marked strategy and manage its orders; return the one that Python must decide for, or a code to come back with."""
    if s.answered == 0 and s.strategy == 0 and not may_decide(s):
        for k in range(s.n_strategies):
            strategy_at(s, k).pending = 0
        s.deciding = 0
        return DONE
    while s.strategy < s.n_strategies:
        k = s.strategy
        if strategy_at(s, k).pending != 0:
            if s.answered == 0:
                if log_is_full(s):
                    return EMPTY_LOGS
                if s.grow_messages == 1 or s.grow_taken == 1:
                    return GROW
                show_market(s, k)
                if strategy_at(s, k).address == 0:
                    s.answered = 1
                    return int(k)
                call(strategy_at(s, k).address)(head_at(s, k))
            s.answered = 0
            log_decision(s, k)
            strategy_at(s, k).pending = 0
            manage(s, k)
        s.strategy += 1
    s.strategy, s.deciding = 0, 0
    return DONE


ask_strategies = compiled(_ask_strategies)


# ---------------------------------------------------------------- time


def _ring_timers(s: Any) -> None:
    """Mark every strategy whose timer has come, and find when the next one comes."""
    s.next_timer_ns = FOREVER
    for k in range(s.n_strategies):
        strategy = strategy_at(s, k)
        if strategy.next_ns <= s.now_ns:
            strategy.pending |= _TIMER
            strategy.next_ns += strategy.every_ns
            s.deciding = 1
            s.wake_market = -1
        s.next_timer_ns = min(s.next_timer_ns, strategy.next_ns)


ring_timers = compiled(_ring_timers)


def _log_equity(s: Any) -> None:
    """Note every account in every market, at the exchange, now."""
    for k in range(s.n_strategies):
        for m in range(s.n_markets):
            account, venue = account_at(s, k, m), venue_at(s, m)
            if venue.bid == NO_BID:
                continue
            row = equity_at(s, s.n_equity)
            s.n_equity += 1
            if s.n_equity > LOG_LIMIT:
                s.attention = 1
            row.ns, row.strategy, row.market = s.now_ns, k, m
            row.position_lots, row.cash, row.fees = account.position_lots, account.cash, account.fees + account.taxes
            row.mid_half_ticks = venue.bid + venue.ask


log_equity = compiled(_log_equity)


def _deliver(s: Any, books: Any) -> None:
    """Let the earliest own message arrive."""
    message = message_at(s, pop_message(s))
    s.now_ns = message.ns
    if message.rank == 0:
        arrive(s, books, message)
        return
    strategy = strategy_at(s, message.strategy)
    if strategy.wake & _ORDER:
        strategy.pending |= _ORDER
        s.deciding = 1
        s.wake_market = message.market
    on_report(s, message)


deliver = compiled(_deliver)


def _needs_python(s: Any, books: Any) -> int:
    """Return why Python is needed before the next step, `DONE` when it is not."""
    s.attention = 0
    if log_is_full(s):
        return EMPTY_LOGS
    if s.grow_tops == 1 or s.grow_messages == 1 or s.grow_taken == 1 or is_book_full(books, queues_of(s)):
        return GROW
    return DONE


needs_python = compiled(_needs_python)


def _advance(s: Any) -> int:
    """Go on until the data ends, Python is needed, or it is time to pause; return why (see `DONE` and the others)."""
    books = books_of(s)
    i, j = s.next_exch, s.next_local
    n_exch, n_local = s.n_exch, s.n_local
    pause_at = min(s.pause_at, n_exch)
    end = FOREVER if s.more == 1 else local_at(s, n_local - 1).local_ns  # nothing happens after the last event has reached us
    code = DONE
    while True:
        if s.deciding == 1:
            s.next_exch, s.next_local = i, j
            code = ask_strategies(s)
            if code != DONE:
                break
        if s.attention == 1 or is_full(books):
            code = needs_python(s, books)
            if code != DONE:
                break
        if i >= n_exch or j >= n_local:
            if s.more == 1:
                code = MORE
                break
            if i >= n_exch and j >= n_local:
                break
        own, due = s.next_own_ns, min(s.next_timer_ns, s.next_equity_ns)
        heard = local_at(s, j).local_ns if j < n_local else FOREVER
        limit = min(own, heard + s.run_ahead_ns, due) if j < n_local else min(own, due)
        # the exchange's events, as long as nothing else comes first
        while i < pause_at and s.attention == 0:
            event = exch_at(s, i)
            if event.exch_ns > limit or event.exch_ns > s.next_own_ns or is_full(books):
                break
            s.now_ns = event.exch_ns
            on_exchange_event(s, books, event, i)
            i += 1
        if s.attention == 1 or is_full(books) or (i >= n_exch and s.more == 1):
            continue
        happens, own = exch_at(s, i).exch_ns if i < n_exch else FOREVER, s.next_own_ns
        if i == pause_at and i < n_exch and happens <= min(limit, own):
            code = PAUSE
            break
        arrives_by = min(happens - 1, end if s.timers_only == 1 else heard, due)
        if own <= arrives_by:
            while own <= arrives_by and s.deciding == 0 and s.attention == 0 and not is_full(books):
                deliver(s, books)
                own = s.next_own_ns
            continue
        # our side of events, as long as nothing else comes first
        if heard < happens and heard <= due:
            limit = min(own - 1, happens - 1, due)
            if s.skims == 1:
                j = skim(s, j, limit)
            while j < n_local and s.deciding == 0 and s.attention == 0 and not is_full(books):
                event = local_at(s, j)
                if event.local_ns > limit:
                    break
                s.now_ns = event.local_ns
                j = on_local_event(s, books, event, j) + 1
                if s.skims == 1:
                    j = skim(s, j, limit)
            continue
        s.now_ns = due
        if due == s.next_timer_ns:
            ring_timers(s)
        else:
            log_equity(s)
            s.next_equity_ns += s.equity_every_ns
    s.next_exch, s.next_local = i, j
    return int(code)


loop = compiled(_advance, inline=True)


def advance(core: Any) -> int:
    """Go on with the replay whose `CORE` is the only element of *core*; see `_advance`."""
    return int(loop(core[0]))
