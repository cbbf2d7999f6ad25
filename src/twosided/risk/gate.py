"""The gate: every order passes it or is denied with a reason; cancels always pass.

Where you are in the pipe: strategy -> *risk* -> order manager -> venue. The same kernels serve every engine. Its caller

1. tells it, in the records of `twosided.risk.state`, what it knows: position, every order that is open or may be, prices, clocks;
2. calls `on_mark` when the account can be valued anew, `on_fill` when an own fill is reported, `on_sent` when a message leaves;
3. asks `check_order` before each new order and each replace that is not only a reduction in place.

States: NORMAL; REDUCE_ONLY, where only orders pass that bring the position towards zero; HALTED, latched, where nothing but cancels
does. The worst case counts every order that may be open, UNKNOWN ones as well: one whose answer was lost is open until the venue
says otherwise.

What losses are measured on is the account: cash, fees taken off, and the position at the mid. It needs no cost basis, and hides
nothing: what was bought at 103 and sold at 101 is a loss of 2, wherever the mid stands.

Cost: `check_order` with all limits stated takes tens of nanoseconds (`benchmarks/risk_gate.py`); no loop in it but one over the
tick table.
"""

import math
from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.market.order import Reason
from twosided.risk.checks import (
    beyond_budget,
    beyond_gross,
    beyond_leverage,
    beyond_net,
    beyond_open_orders,
    beyond_open_value,
    beyond_order_to_trade,
    beyond_order_value,
    beyond_position,
    beyond_position_value,
    crosses_own,
    duplicates,
    increases,
    index_of,
    is_stale,
    off_table,
    outside_collar,
    reference_is_stale,
    room,
    too_large,
    too_small,
    would_take,
)
from twosided.risk.limits import MOST_FILLS_WATCHED, MOST_MESSAGES
from twosided.risk.state import MOST_CHANGES, OFF, State
from twosided.units import NS_PER_SECOND

__all__ = ["age_ns", "check_order", "kill", "on_fill", "on_mark", "on_sent", "pass_reduction", "rearm", "trim", "weigh"]

_NORMAL, _REDUCE_ONLY, _HALTED = int(State.NORMAL), int(State.REDUCE_ONLY), int(State.HALTED)
_DAY_NS = 86_400 * NS_PER_SECOND

_NONE = int(Reason.NONE)
_WHY_CLOCK_ERROR = int(Reason.CLOCK_ERROR)
_WHY_DAILY_LOSS = int(Reason.DAILY_LOSS)
_WHY_DEAD_MAN = int(Reason.DEAD_MAN)
_WHY_DRAWDOWN = int(Reason.DRAWDOWN)
_WHY_DUPLICATE = int(Reason.DUPLICATE)
_WHY_HALTED = int(Reason.HALTED)
_WHY_INVALID_PRICE = int(Reason.INVALID_PRICE)
_WHY_INVALID_SIZE = int(Reason.INVALID_SIZE)
_WHY_INVENTORY_AGE = int(Reason.INVENTORY_AGE)
_WHY_KILL_SWITCH = int(Reason.KILL_SWITCH)
_WHY_MAX_GROSS_VALUE = int(Reason.MAX_GROSS_VALUE)
_WHY_MAX_LEVERAGE = int(Reason.MAX_LEVERAGE)
_WHY_MAX_NET_VALUE = int(Reason.MAX_NET_VALUE)
_WHY_MAX_OPEN_ORDERS = int(Reason.MAX_OPEN_ORDERS)
_WHY_MAX_OPEN_VALUE = int(Reason.MAX_OPEN_VALUE)
_WHY_MAX_ORDER_QUANTITY = int(Reason.MAX_ORDER_QUANTITY)
_WHY_MAX_ORDER_VALUE = int(Reason.MAX_ORDER_VALUE)
_WHY_MAX_POSITION = int(Reason.MAX_POSITION)
_WHY_MAX_POSITION_VALUE = int(Reason.MAX_POSITION_VALUE)
_WHY_MESSAGE_BUDGET = int(Reason.MESSAGE_BUDGET)
_WHY_NOT_ALLOWED = int(Reason.NOT_ALLOWED)
_WHY_NOT_TRADING = int(Reason.NOT_TRADING)
_WHY_NO_EQUITY = int(Reason.NO_EQUITY)
_WHY_ORDER_TO_TRADE = int(Reason.ORDER_TO_TRADE)
_WHY_ORDER_WITHOUT_INTENT = int(Reason.ORDER_WITHOUT_INTENT)
_WHY_PRICE_COLLAR = int(Reason.PRICE_COLLAR)
_WHY_REDUCE_ONLY = int(Reason.REDUCE_ONLY)
_WHY_REPEATED_FILLS = int(Reason.REPEATED_FILLS)
_WHY_SELF_CROSS = int(Reason.SELF_CROSS)
_WHY_STALE_BOOK = int(Reason.STALE_BOOK)
_WHY_STALE_REFERENCE = int(Reason.STALE_REFERENCE)
_WHY_STALE_STREAM = int(Reason.STALE_STREAM)
_WHY_WOULD_CROSS = int(Reason.WOULD_CROSS)

# ---------------------------------------------------------------- may it pass?


def _trim(gate: Any, market: Any, asked: Any) -> int:
    """Return how many of the lots asked for leave the position within its limits, and in reduce-only what is left to reduce.

    A quote that is too large for what room there is can be sent smaller; an order that is too large by itself cannot be meant.
    """
    return room(market, asked, gate.state == _REDUCE_ONLY)


trim = compiled(_trim)


def _why_now(gate: Any, market: Any, now_ns: int) -> int:
    """Return why no order of this market may pass now, whatever it is; 0 when some may."""
    if gate.state == _HALTED:
        return _WHY_HALTED
    if market.allowed == 0:
        return _WHY_NOT_ALLOWED
    if market.trading == 0:
        return _WHY_NOT_TRADING
    if gate.require_dead_man != 0 and gate.dead_man_armed == 0:
        return _WHY_DEAD_MAN
    if gate.max_book_age_ns < OFF and is_stale(now_ns, market.book_ns, gate.max_book_age_ns):
        return _WHY_STALE_BOOK
    if gate.max_stream_age_ns < OFF and is_stale(now_ns, gate.stream_ns, gate.max_stream_age_ns):
        return _WHY_STALE_STREAM
    if gate.clock_error_ns > gate.max_clock_error_ns or -gate.clock_error_ns > gate.max_clock_error_ns:
        return _WHY_CLOCK_ERROR
    if gate.money_watched != 0 and not -math.inf < gate.profit < math.inf:
        return _WHY_NO_EQUITY
    return _WHY_STALE_REFERENCE if reference_is_stale(gate, market, now_ns) else _NONE


why_now = compiled(_why_now)


def _why_it(gate: Any, market: Any, asked: Any) -> int:
    """Return what is wrong with an order by itself, or beside the prices and orders that there are; 0 when nothing is."""
    if too_large(market, asked):
        return _WHY_MAX_ORDER_QUANTITY
    if too_small(market, asked):
        return _WHY_INVALID_SIZE
    if off_table(market, asked):
        return _WHY_INVALID_PRICE
    if outside_collar(market, asked):
        return _WHY_PRICE_COLLAR
    if beyond_order_value(market, asked):
        return _WHY_MAX_ORDER_VALUE
    if would_take(gate, market, asked):
        return _WHY_WOULD_CROSS
    if crosses_own(gate, market, asked):
        return _WHY_SELF_CROSS
    return _WHY_DUPLICATE if duplicates(gate, asked) else _NONE


why_it = compiled(_why_it)


def _why_exposure(gate: Any, market: Any, asked: Any) -> int:
    """Return the limit on what is open and held that an order would break; 0 without one."""
    if gate.state == _REDUCE_ONLY and increases(market, asked):
        return _WHY_REDUCE_ONLY
    if beyond_position(market, asked):
        return _WHY_MAX_POSITION
    if beyond_position_value(market, asked):
        return _WHY_MAX_POSITION_VALUE
    if beyond_open_orders(gate, asked):
        return _WHY_MAX_OPEN_ORDERS
    if beyond_open_value(market, asked):
        return _WHY_MAX_OPEN_VALUE
    if beyond_gross(gate, market, asked):
        return _WHY_MAX_GROSS_VALUE
    if beyond_net(gate, market, asked):
        return _WHY_MAX_NET_VALUE
    return _WHY_MAX_LEVERAGE if beyond_leverage(gate, market, asked) else _NONE


why_exposure = compiled(_why_exposure)


def _check_order(gate: Any, market: Any, asked: Any, now_ns: int) -> int:
    """Return the `Reason` for which an order is denied, 0 when it passes: then it is the one order that may leave next."""
    gate.intents = gate.orders_out
    reason = why_now(gate, market, now_ns)
    if reason == _NONE:
        reason = why_it(gate, market, asked)
    if reason == _NONE:
        reason = why_exposure(gate, market, asked)
    if reason == _NONE and beyond_order_to_trade(gate):
        reason = _WHY_ORDER_TO_TRADE
    if reason == _NONE and beyond_budget(gate, now_ns):
        reason = _WHY_MESSAGE_BUDGET
    if reason == _NONE:
        gate.intents += 1
    else:
        gate.denied[reason] += 1
    return int(reason)


check_order = compiled(_check_order)


def _pass_reduction(gate: Any) -> None:
    """Let an order be made smaller at its price: like a cancel, of a part, it always passes."""
    gate.intents = gate.orders_out + 1


pass_reduction = compiled(_pass_reduction)

# ---------------------------------------------------------------- states


def _judge(gate: Any, now_ns: int) -> bool:
    """Let the state follow from what is latched and what is so now; say whether it changed."""
    why = gate.halted
    state = _HALTED if why != _NONE else _NORMAL
    if why == _NONE:
        why = gate.kept
        if why == _NONE:
            why = gate.of_the_day
        if why == _NONE and gate.oldest_ns >= gate.max_age_ns:
            why = _WHY_INVENTORY_AGE
        state = _REDUCE_ONLY if why != _NONE else _NORMAL
    if state == gate.state and why == gate.why:
        return False
    if gate.n_changes < MOST_CHANGES:
        gate.change_ns[gate.n_changes] = now_ns
        gate.change_state[gate.n_changes] = state
        gate.change_why[gate.n_changes] = why
    gate.n_changes += 1
    gate.state, gate.why, gate.since_ns = state, why, now_ns
    return True


judge = compiled(_judge)


def _halt(gate: Any, reason: int) -> None:
    """Latch a halt; the first reason stays."""
    if gate.halted == _NONE:
        gate.halted = reason


halt = compiled(_halt)


def _watch_losses(gate: Any) -> None:
    """C8: latch what the day's loss and the drawdown have come to."""
    loss, fall = gate.day_open - gate.profit, gate.peak - gate.profit
    if loss >= gate.max_daily_loss:
        halt(gate, _WHY_DAILY_LOSS)
    if fall >= gate.max_drawdown:
        halt(gate, _WHY_DRAWDOWN)
    if loss >= gate.reduce_only_from * gate.max_daily_loss:
        gate.of_the_day = _WHY_DAILY_LOSS
    if fall >= gate.reduce_only_from * gate.max_drawdown:
        gate.kept = _WHY_DRAWDOWN


watch_losses = compiled(_watch_losses)


def _on_mark(gate: Any, equity: float, now_ns: int) -> bool:
    """Take in the account's value, quote currency, cash and positions at the mid; say whether the state changed.

    What is lost is counted from the first call on. A value that is not a number denies orders and changes nothing else.
    """
    day = (now_ns - gate.day_offset_ns) // _DAY_NS
    if gate.marked == 0 and -math.inf < equity < math.inf:
        gate.marked, gate.first, gate.day = 1, equity, day
    gate.profit = equity - gate.first if gate.marked == 1 else math.nan
    if -math.inf < gate.profit < math.inf:
        if day != gate.day:
            gate.day, gate.day_open, gate.of_the_day = day, gate.profit, _NONE
            gate.orders_today, gate.fills_today = 0, 0
        gate.peak = max(gate.peak, gate.profit)
        watch_losses(gate)
    if gate.oldest_ns >= gate.halt_age_ns:
        halt(gate, _WHY_INVENTORY_AGE)
    return judge(gate, now_ns)


on_mark = compiled(_on_mark)


def _kill(gate: Any, now_ns: int) -> bool:
    """C20: halt because a person says so; say whether the state changed."""
    halt(gate, _WHY_KILL_SWITCH)
    return judge(gate, now_ns)


kill = compiled(_kill)


def _rearm(gate: Any, now_ns: int) -> bool:
    """Begin anew because a person says so: losses count from here on; say whether the state changed."""
    gate.halted, gate.kept, gate.of_the_day = _NONE, _NONE, _NONE
    gate.day_open, gate.peak, gate.rearmed_ns = gate.profit, gate.profit, now_ns
    return judge(gate, now_ns)


rearm = compiled(_rearm)

# ---------------------------------------------------------------- what happened


def _on_sent(gate: Any, is_order: bool, now_ns: int) -> bool:
    """Count a message that leaves; C17: halt when an order leaves that had not just passed. Say whether the state changed."""
    gate.sent_ns[gate.messages % MOST_MESSAGES] = now_ns
    gate.messages += 1
    if not is_order:
        return False
    gate.orders_out += 1
    gate.orders_today += 1
    if gate.orders_out <= gate.intents:
        return False
    halt(gate, _WHY_ORDER_WITHOUT_INTENT)
    return judge(gate, now_ns)


on_sent = compiled(_on_sent)


def _age_fill(market: Any, side: int, lots: int, now_ns: int) -> None:
    """Let a fill change when the lots held were acquired on average: what is added is new, what goes leaves it as it was."""
    before = side * market.position_lots
    if before <= 0 and lots > -before:
        market.entry_ns = now_ns  # flat, or turned round: all that is held now is new
    elif before > 0:
        market.entry_ns += int((now_ns - market.entry_ns) * (lots / (before + lots)))
    market.position_lots += side * lots


age_fill = compiled(_age_fill)


def _on_fill(gate: Any, market: Any, side: int, lots: int, now_ns: int) -> bool:
    """Take in an own fill; C13: halt when too many of one side came too fast. Say whether the state changed."""
    age_fill(market, side, lots, now_ns)
    gate.fills_today += 1
    index = index_of(side)
    market.fill_ns[index, market.fills[index] % MOST_FILLS_WATCHED] = now_ns
    market.fills[index] += 1
    if market.fills[index] < gate.max_fills:
        return False
    first_ns = market.fill_ns[index, (market.fills[index] - gate.max_fills) % MOST_FILLS_WATCHED]
    if now_ns - first_ns > gate.fills_within_ns or first_ns < gate.rearmed_ns:
        return False
    halt(gate, _WHY_REPEATED_FILLS)
    return judge(gate, now_ns)


on_fill = compiled(_on_fill)


def _age_ns(market: Any, now_ns: int) -> int:
    """Return how long ago the lots held were acquired, on average; 0 when flat."""
    return int(now_ns - market.entry_ns) if market.position_lots != 0 else 0


age_ns = compiled(_age_ns)


def _weigh(market: Any) -> Any:
    """Return a market's worst case in the quote currency: gross, and in the direction of longs and of shorts (negative: the other).

    For `other_gross`, `other_long` and `other_short`: sums over the markets that an order is not for.
    """
    long_lots = np.int64(market.position_lots + market.open_lots[0])
    short_lots = np.int64(market.open_lots[1] - market.position_lots)
    worth = market.lot_value * market.quantum
    return max(long_lots, short_lots) * worth, long_lots * worth, short_lots * worth


weigh = compiled(_weigh)
