"""Asking strategies in a replay: what each is shown, and its answer handed to the order manager.

Where you are in the pipe: signals -> *strategy* -> order manager. `replay_kernel` calls this when timers or messages have marked
strategies.
"""

from typing import Any

from twosided._compile import compiled, function_at, further
from twosided.execution.order_manager import limit_quotes, manage
from twosided.execution.state import (
    DONE,
    EMPTY_LOGS,
    GROW,
    LOG_LIMIT,
    decision_at,
    desk_at,
    head_at,
    line_at,
    log_is_full,
    shown_market_at,
    shown_signal_at,
    signals_at,
    source_at,
    strategy_at,
    venue_at,
    view_at,
)
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.signals.by_name import reach_signal_at
from twosided.strategies.contract import DECIDE

__all__ = ["ask_strategies"]

call = function_at(DECIDE)


# ---------------------------------------------------------------- the exchange's side


def _may_decide(s: Any) -> bool:
    """Say whether strategies may be asked: the start has come, and every market shows a whole, two-sided, uncrossed book.

    What is the same for all their decisions now is prepared.
    """
    if s.now_ns < s.start_ns:
        return False
    for m in range(s.n_markets):
        view = view_at(s, m)
        if view.ready != 1 or view.bid_ticks == NO_BID or view.ask_ticks == NO_ASK or view.bid_ticks >= view.ask_ticks:
            return False
        limit_quotes(s, m)
    return True


may_decide = compiled(_may_decide)


def _show_signal(s: Any, k: int, j: int, m: int) -> None:
    """Show strategy *k* the *j*-th signal it asked for, as of now."""
    number = source_at(s, k, j).number
    if number >= 0:
        shown_signal_at(s, k, j, m).value = reach_signal_at(s.signal_at)(signals_at(s, m), number, s.now_ns)


show_signal = compiled(_show_signal)


def _show_market(s: Any, k: int, m: int) -> None:
    """Fill in what strategy *k* may see of market *m* now."""
    shown, view, line, quantum = shown_market_at(s, k, m), view_at(s, m), line_at(s, k, m), venue_at(s, m).quantum
    bids = desk_at(s, k, m, 0)
    asks = further(bids, 1)
    shown.bid_ticks, shown.ask_ticks, shown.bid_lots, shown.ask_lots = view.bid_ticks, view.ask_ticks, view.bid_lots, view.ask_lots
    shown.book_ns, shown.open = view.book_ns, view.open
    shown.trade_ticks, shown.trade_lots, shown.trade_side = view.trade_ticks, view.trade_lots, view.trade_side
    shown.position_lots, shown.cash = line.position_lots, line.cash * quantum
    shown.working_bid_lots, shown.working_ask_lots = bids.open_lots, asks.open_lots
    if s.signals_wanted != 0:
        for j in range(s.n_signals):
            show_signal(s, k, j, m)


show_market = compiled(_show_market, inline=True)


def _log_decision(s: Any, k: int) -> None:
    """Note that a strategy was asked."""
    row, shown = decision_at(s, s.n_decisions), shown_market_at(s, k, 0)
    s.n_decisions += 1
    if s.n_decisions > LOG_LIMIT:
        s.attention = 1
    row.ns, row.strategy, row.wake = s.now_ns, k, strategy_at(s, k).pending
    row.bid_ticks, row.ask_ticks, row.position_lots = shown.bid_ticks, shown.ask_ticks, shown.position_lots


log_decision = compiled(_log_decision)


def _lacks_room(s: Any) -> int:
    """Return why Python must make room before the next strategy is asked, `DONE` where there is enough."""
    if log_is_full(s):
        return EMPTY_LOGS
    return GROW if s.grow_messages == 1 or s.grow_taken == 1 else DONE


lacks_room = compiled(_lacks_room)


def _ask_strategies(s: Any) -> int:
    """Ask every marked strategy and manage its orders; return the one that Python must decide for, or a code to come back with."""
    if s.answered == 0 and s.strategy == 0 and not may_decide(s):
        for k in range(s.n_strategies):
            strategy_at(s, k).pending = 0
        s.deciding = 0
        return DONE
    one_each = s.n_levels == 1 and s.replace == 1
    while s.strategy < s.n_strategies:
        k = s.strategy
        strategy = strategy_at(s, k)
        if strategy.pending != 0:
            if s.answered == 0:
                if s.attention == 1 and lacks_room(s) != DONE:
                    return int(lacks_room(s))
                head = head_at(s, k)
                head.now_ns, head.wake, head.wake_market = s.now_ns, strategy.pending, s.wake_market
                m, markets = 0, s.n_markets
                while m < markets:
                    show_market(s, k, m)
                    m += 1
                if strategy.address == 0:
                    s.answered = 1
                    return int(k)
                call(strategy.address)(head)
            s.answered = 0
            strategy.decisions += 1
            if s.log_decisions == 1:
                log_decision(s, k)
            strategy.pending = 0
            manage(s, k, one_each and strategy.gated == 0)
        s.strategy += 1
    s.strategy, s.deciding = 0, 0
    return DONE


ask_strategies = compiled(_ask_strategies)
