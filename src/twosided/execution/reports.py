"""Reports: what the venue says of own orders, and what the order manager learns from it.

Where you are in the pipe: venue -> *order manager*, the way back.

A report travels to us by `wire`. But where nothing but its timer wakes a strategy, nobody can tell when between two decisions a
report arrived. One that arrives by the next decision is taken in at once, as of the time at which it arrives, unless an older one
is still under way: it needs neither memory nor a place in the order of all messages. A strategy with limits is watched at each
report, so its reports come at their time.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.execution.codes import (
    DO_ACCEPTED,
    DO_CANCEL_REJECTED,
    DO_CANCELLED,
    DO_FILLED,
    DO_PARTIALLY_FILLED,
    DO_REPLACED,
    IS_PENDING_CANCEL,
    IS_PENDING_NEW,
    IS_PENDING_REPLACE,
)
from twosided.execution.gatekeeper import reach_note_fill
from twosided.execution.ledger import worth
from twosided.execution.order_manager import log_order, watch
from twosided.execution.order_state import is_live, next_state
from twosided.execution.state import desk_at, line_at, order_at, strategy_at, venue_at
from twosided.execution.wire import heard_ns, send_to_us

__all__ = ["deliver_report", "report_answer", "report_fill"]


def _close_report(s: Any, ns: int, order: Any, desk: Any, state: int, action: int, reason: int, ticks: int, lots: int) -> None:
    """Finish a report that arrives at *ns*: the order's state, a line of the log, and its slot, where that was the last of it."""
    order.state = state
    log_order(s, ns, order, action, reason, ticks, lots)
    if order.in_flight == 0 and order.place == 0 and not is_live(state):
        order.used = 0
        desk.used -= 1
    if strategy_at(s, order.strategy).gated == 1:
        desk.settled = 0
        watch(s, order.strategy)


close_report = compiled(_close_report, inline=True)


def _on_answer(s: Any, ns: int, number: int, action: int, reason: int, ticks: int, lots: int) -> None:
    """Take in what became of a request; a side is settled while its orders are just as they were asked for."""
    order = order_at(s, number)
    desk = desk_at(s, order.strategy, order.market, 0 if order.side > 0 else 1)
    if action == DO_REPLACED:
        if order.state != IS_PENDING_REPLACE or ticks != order.pending_ticks or lots != order.pending_lots:
            desk.settled = 0
        desk.open_lots += lots - order.open_lots
        order.ticks, order.open_lots = ticks, lots
        state = next_state(order.state, DO_REPLACED, reason)
    elif action == DO_ACCEPTED:
        if order.state != IS_PENDING_NEW:
            desk.settled = 0
        state = next_state(order.state, DO_ACCEPTED, reason)
    else:
        if action != DO_CANCELLED or order.state != IS_PENDING_CANCEL:
            desk.settled = 0
        if action != DO_CANCEL_REJECTED:
            desk.open_lots -= order.open_lots
            order.open_lots = 0
        state = next_state(order.state, action, reason)
    close_report(s, ns, order, desk, state, action, reason, ticks, lots)


on_answer = compiled(_on_answer, inline=True)


def _on_fill(s: Any, ns: int, number: int, action: int, reason: int, ticks: int, lots: int, fee: int) -> None:
    """Take in a fill: position and cash as known here."""
    order = order_at(s, number)
    k, m = order.strategy, order.market
    desk, line, fees = desk_at(s, k, m, 0 if order.side > 0 else 1), line_at(s, k, m), venue_at(s, m).fees
    if strategy_at(s, k).gated == 1:
        reach_note_fill(s.note_fill)(s, k, m, order.side, lots)
    desk.settled = 0
    line.position_lots += order.side * lots
    line.cash -= order.side * lots * worth(fees, 2 * ticks) + fee
    order.filled_lots += lots
    desk.open_lots -= min(order.open_lots, lots)
    order.open_lots = max(order.open_lots - lots, 0)
    order.pending_lots = max(order.pending_lots - lots, 0)
    state = next_state(order.state, action, reason)
    close_report(s, ns, order, desk, state, action, reason, ticks, lots)


on_fill = compiled(_on_fill, inline=True)


def _is_read_at_once(s: Any, strategy: Any, ns: int) -> bool:
    """Say whether nobody could tell a report that arrives at *ns* from one that arrives now."""
    return bool(strategy.unread == 0 and ns <= min(strategy.next_ns, s.heard_until_ns))


is_read_at_once = compiled(_is_read_at_once)


def _report_answer(s: Any, number: int, action: int, reason: int, ticks: int, lots: int) -> None:
    """Report what became of a request about order *number*, which is in the book or not as the answer says."""
    order = order_at(s, number)
    strategy = strategy_at(s, order.strategy)
    ns = heard_ns(s, strategy, line_at(s, order.strategy, order.market))
    if is_read_at_once(s, strategy, ns):
        on_answer(s, ns, number, action, reason, ticks, lots)
    else:
        send_to_us(s, ns, number, action, reason, ticks, lots, 0)


report_answer = compiled(_report_answer, inline=True)


def _report_fill(s: Any, number: int, action: int, reason: int, ticks: int, lots: int, fee: int) -> int:
    """Report a fill of order *number*, which has left the book if that was the rest of it; return when we hear of it."""
    order = order_at(s, number)
    strategy = strategy_at(s, order.strategy)
    ns = heard_ns(s, strategy, line_at(s, order.strategy, order.market))
    if is_read_at_once(s, strategy, ns):
        on_fill(s, ns, number, action, reason, ticks, lots, fee)
    else:
        send_to_us(s, ns, number, action, reason, ticks, lots, fee)
    return int(ns)


report_fill = compiled(_report_fill)


def _deliver_report(s: Any, message: Any) -> None:
    """Let a report that travelled arrive."""
    number: Any = np.int64(message.order)
    action: Any = np.int64(message.action)
    reason: Any = np.int64(message.reason)
    order = order_at(s, number)
    order.in_flight -= 1
    strategy_at(s, order.strategy).unread -= 1
    if action in (DO_FILLED, DO_PARTIALLY_FILLED):
        on_fill(s, message.ns, number, action, reason, message.ticks, message.lots, message.fee)
    else:
        on_answer(s, message.ns, number, action, reason, message.ticks, message.lots)


deliver_report = compiled(_deliver_report)
