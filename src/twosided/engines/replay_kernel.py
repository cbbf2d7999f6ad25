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

from twosided._compile import compiled
from twosided.engines.replay_decisions import ask_strategies
from twosided.engines.replay_exchange import run_exchange
from twosided.engines.replay_view import on_local_event, skim
from twosided.execution.reports import deliver_report
from twosided.execution.state import (
    DONE,
    EMPTY_LOGS,
    FOREVER,
    GROW,
    LOG_LIMIT,
    MORE,
    PAUSE,
    account_at,
    books_of,
    equity_at,
    exch_at,
    local_at,
    log_is_full,
    message_at,
    order_at,
    queues_of,
    strategy_at,
    venue_at,
)
from twosided.execution.venue import arrive
from twosided.execution.wire import pop_message
from twosided.market.ladder import NO_BID, is_full
from twosided.market.order_queues import is_book_full
from twosided.strategies.contract import Wake

__all__ = ["advance"]

_TIMER, _ORDER = int(Wake.TIMER), int(Wake.ORDER)


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
    order = order_at(s, message.order)
    strategy = strategy_at(s, order.strategy)
    if strategy.wake & _ORDER:
        strategy.pending |= _ORDER
        s.deciding = 1
        s.wake_market = order.market
    deliver_report(s, message)


deliver = compiled(_deliver)


def _needs_python(s: Any, books: Any) -> int:
    """Return why Python is needed before the next step, `DONE` when it is not."""
    if log_is_full(s):
        return EMPTY_LOGS
    s.attention = 0
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
        i = run_exchange(s, books, i, pause_at, limit)
        if s.attention == 1 or is_full(books) or (i >= n_exch and s.more == 1):
            continue
        happens, own = exch_at(s, i).exch_ns if i < n_exch else FOREVER, s.next_own_ns
        if i == pause_at and i < n_exch and happens <= min(limit, own):
            code = PAUSE
            break
        arrives_by = min(happens - 1, end if s.timers_only == 1 and j < n_local else heard, due)
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
                if s.skims == 1 and s.deciding == 0:
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
