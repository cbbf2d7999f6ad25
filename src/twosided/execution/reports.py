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
    DO_CANCELLED,
    DO_FILLED,
    DO_PARTIALLY_FILLED,
    DO_REJECTED,
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

__all__ = ["deliver_report", "report"]


def _is_as_asked(order: Any, action: int, ticks: int, lots: int) -> bool:
    """Say whether a report confirms just what the last request asked for."""
    if action == DO_ACCEPTED:
        return bool(order.state == IS_PENDING_NEW)
    if action == DO_REPLACED:
        return bool(order.state == IS_PENDING_REPLACE and ticks == order.pending_ticks and lots == order.pending_lots)
    return bool(action == DO_CANCELLED and order.state == IS_PENDING_CANCEL)


is_as_asked = compiled(_is_as_asked)


def _on_report(s: Any, ns: int, number: int, action: int, reason: int, ticks: int, lots: int, fee: int) -> None:
    """Take in a report that arrives at *ns*: state and open size of the order, position and cash as known here."""
    order = order_at(s, number)
    k, m = order.strategy, order.market
    desk, gated = desk_at(s, k, m, 0 if order.side > 0 else 1), strategy_at(s, k).gated == 1
    if gated or not is_as_asked(order, action, ticks, lots):
        desk.settled = 0
    if action in (DO_FILLED, DO_PARTIALLY_FILLED):
        line, fees = line_at(s, k, m), venue_at(s, m).fees
        if gated:
            reach_note_fill(s.note_fill)(s, k, m, order.side, lots)
        line.position_lots += order.side * lots
        line.cash -= order.side * lots * worth(fees, 2 * ticks) + fee
        order.filled_lots += lots
        order.open_lots = max(order.open_lots - lots, 0)
        order.pending_lots = max(order.pending_lots - lots, 0)
    elif action == DO_REPLACED:
        order.ticks, order.open_lots = ticks, lots
    elif action in (DO_CANCELLED, DO_REJECTED):
        order.open_lots = 0
    order.state = next_state(order.state, action, reason)
    log_order(s, ns, order, action, reason, ticks, lots)
    if order.in_flight == 0 and order.place == 0 and not is_live(order.state):
        order.used = 0
        desk.used -= 1
    if gated:
        watch(s, k)


on_report = compiled(_on_report)


def _report(s: Any, number: int, action: int, reason: int, ticks: int, lots: int, fee: int) -> int:
    """Report about order *number*, which is in or out of the book as the report says; return when we hear of it."""
    order = order_at(s, number)
    strategy = strategy_at(s, order.strategy)
    ns = heard_ns(s, strategy, line_at(s, order.strategy, order.market))
    if strategy.reads_ahead == 1 and strategy.unread == 0 and ns <= min(strategy.next_ns, s.heard_until_ns):
        on_report(s, ns, number, action, reason, ticks, lots, fee)
    else:
        send_to_us(s, ns, number, action, reason, ticks, lots, fee)
    return int(ns)


report = compiled(_report)


def _deliver_report(s: Any, message: Any) -> None:
    """Let a report that travelled arrive."""
    number: Any = np.int64(message.order)
    action: Any = np.int64(message.action)
    reason: Any = np.int64(message.reason)
    order_at(s, number).in_flight -= 1
    strategy_at(s, message.strategy).unread -= 1
    on_report(s, message.ns, number, action, reason, message.ticks, message.lots, message.fee)


deliver_report = compiled(_deliver_report)
