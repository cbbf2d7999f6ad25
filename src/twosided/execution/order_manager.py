"""The order manager: from the quotes a strategy wants to the smallest set of new, cancel and replace requests.

Where you are in the pipe: strategy -> risk -> *order manager* -> venue. The state machine is `twosided.execution.order_state`.

For each market and side, with the quotes wanted and the orders that may still trade:

1. an order at (or within `refresh_ticks` of) a wanted price serves that quote and keeps its place in the queue, whichever level it
   served before; it is reduced in place when too large, and renewed when less than `top_up_below` of the wanted size is open;
2. a quote without an order moves an order that serves none (one replace, or a cancel and a new order), else a new order is sent;
3. orders that serve no quote are cancelled.

A side whose orders, once all requests under way succeed, are what the quotes ask for is *settled*, and left alone until its quotes
change or something else happens to its orders.

An order is a hedge where the quote that it serves is one; while a replace is under way, it is what it was. What is a hedge and what
is not changes no order.

Where a strategy has limits, every new order and every replace but a reduction in place passes the gate first
(`twosided.execution.gatekeeper`); what it denies is logged and not sent, and an order that was to be moved is cancelled instead. In
reduce-only and when halted, what may not stay open is cancelled at once.

A request is sent only about an order that has none under way. A side with an order in state UNKNOWN gets no new ones. Post-only
quotes are held one step inside the opposite best price; with a tick table, prices are rounded outward to a valid one.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled, further
from twosided.execution.codes import (
    DO_DENIED,
    DO_SEND_CANCEL,
    DO_SEND_NEW,
    DO_SEND_REPLACE,
    IS_FREE,
    IS_PENDING_CANCEL,
    IS_PENDING_NEW,
    IS_PENDING_REPLACE,
    IS_UNKNOWN,
    IS_WORKING,
    WHY_HALTED,
    WHY_NO_FREE_SLOT,
    WHY_PRICE_OUT_OF_RANGE,
    WHY_QUOTE,
    WHY_QUOTE_MOVED,
    WHY_QUOTE_SMALLER,
    WHY_QUOTE_WITHDRAWN,
    WHY_REDUCE_ONLY,
    WHY_SELF_CROSS,
    WHY_TOP_UP,
    WHY_TRIMMED,
)
from twosided.execution.gatekeeper import allowance, reach_is_news, reach_mark, reach_note_sent, reach_vet
from twosided.execution.order_state import is_live, next_state
from twosided.execution.state import (
    FOREVER,
    LOG_LIMIT,
    desk_at,
    first_number,
    gate_at,
    order_at,
    order_event_at,
    quote_at,
    quote_change_at,
    strategy_at,
    unsettle,
    venue_at,
    view_at,
    wanted_at,
)
from twosided.execution.wire import send_to_venue
from twosided.risk.state import State

__all__ = ["limit_quotes", "log_order", "manage", "step_at", "watch"]

_NORMAL, _HALTED = int(State.NORMAL), int(State.HALTED)
_SENTINEL = 1 << 40
_MOST_TICKS = (1 << 31) - (1 << 20)
"""Books hold 32-bit prices; the rest is room for rounding to a step."""


def _step_at(venue: Any, ticks: int, below: bool) -> int:
    """Return the tick-table step that holds at *ticks*, or just below it where a band begins there."""
    step = 1
    for i in range(venue.n_bands):
        if venue.band_from[i] < ticks or (venue.band_from[i] == ticks and not below):
            step = venue.band_step[i]
    return int(step)


step_at = compiled(_step_at)


def _on_the_table(venue: Any, view: Any, side: int, ticks: int) -> int:
    """Return where a quote may be sent where there is a tick table: `allowed_ticks` with steps of any width."""
    if side > 0:
        if venue.post_only == 1 and ticks >= view.ask_ticks:
            ticks = view.ask_ticks - step_at(venue, view.ask_ticks, True)
        return int(ticks - ticks % step_at(venue, ticks, False))
    if venue.post_only == 1 and ticks <= view.bid_ticks:
        ticks = view.bid_ticks + step_at(venue, view.bid_ticks, False)
    return int(ticks + -ticks % step_at(venue, ticks, True))


on_the_table = compiled(_on_the_table)


def _limit_quotes(s: Any, m: int) -> None:
    """Find where post-only quotes in market *m* are held, as its book is seen now."""
    view, venue = view_at(s, m), venue_at(s, m)
    view.banded = 1 if venue.n_bands > 0 else 0
    view.highest_bid, view.lowest_ask = _SENTINEL, -_SENTINEL
    if venue.post_only == 1:
        view.highest_bid, view.lowest_ask = view.ask_ticks - 1, view.bid_ticks + 1


limit_quotes = compiled(_limit_quotes)


def _allowed_ticks(s: Any, m: int, view: Any, side: int, ticks: int) -> int:
    """Return where a quote may be sent: on the tick table, rounded outward, and when post-only inside the opposite best."""
    if view.banded == 1:
        return int(on_the_table(venue_at(s, m), view, side, ticks))
    return int(min(ticks, view.highest_bid) if side > 0 else max(ticks, view.lowest_ask))


allowed_ticks = compiled(_allowed_ticks, inline=True)


def _log_order(s: Any, ns: int, order: Any, action: int, reason: int, ticks: int, lots: int) -> None:
    """Write one line of the audit trail: what left us, or reached us, at *ns*."""
    if s.log_orders == 0:
        return
    row = order_event_at(s, s.n_orders)
    s.n_orders += 1
    if s.n_orders > LOG_LIMIT:
        s.attention = 1
    row.ns, row.strategy, row.market, row.order_id = ns, order.strategy, order.market, order.id
    row.action, row.reason, row.side = action, reason, order.side
    row.ticks, row.lots, row.open_lots = ticks, lots, order.open_lots


log_order = compiled(_log_order)


def _request(s: Any, number: int, action: int, reason: int, ticks: int, lots: int) -> None:
    """Send a request about an order. *lots* is the size that should be open; the venue is told the total."""
    order = order_at(s, number)
    order.state = next_state(order.state, action, reason)
    order.pending_ticks, order.pending_lots = ticks, lots
    if strategy_at(s, order.strategy).gated == 1:
        reach_note_sent(s.note_sent)(s, order.strategy, action, reason)
    log_order(s, s.now_ns, order, action, reason, ticks, lots)
    send_to_venue(s, number, action, ticks, lots + order.filled_lots)


request = compiled(_request, inline=True)


def _send_new(s: Any, k: int, m: int, side: int, level: int, ticks: int, lots: int, reason: int, hedge: int) -> None:
    """Send a new order from a free slot; without one the quote waits for the next decision, and the log says so."""
    index = 0 if side > 0 else 1
    first = first_number(s, k, m, index)
    for number in range(first, first + s.n_slots):
        order = order_at(s, number)
        if order.used == 0:
            order.used = 1
            desk = desk_at(s, k, m, index)
            desk.used += 1
            desk.latest = number
            desk.open_lots += lots
            order.state = IS_FREE
            order.ticks, order.open_lots = ticks, lots
            order.filled_lots, order.venue_filled, order.level = 0, 0, level
            order.hedge = order.pending_hedge = hedge
            order.id = strategy_at(s, k).sent + 1
            request(s, number, DO_SEND_NEW, reason, ticks, lots)
            return
    log_denied(s, k, m, side, ticks, lots, WHY_NO_FREE_SLOT)


def _deny(s: Any, k: int, m: int, side: int, ticks: int, lots: int, reason: int) -> None:
    """Log a quote that our own checks stopped."""
    unsettle(s, k, m)
    if s.log_orders == 0:
        return
    row = order_event_at(s, s.n_orders)
    s.n_orders += 1
    if s.n_orders > LOG_LIMIT:
        s.attention = 1
    row.ns, row.strategy, row.market, row.order_id = s.now_ns, k, m, 0
    row.action, row.reason, row.side = DO_DENIED, reason, side
    row.ticks, row.lots, row.open_lots = ticks, lots, 0


log_denied = compiled(_deny)
send_new = compiled(_send_new)


def _vetted(s: Any, k: int, m: int, side: int, ticks: int, lots: int, replaced: int) -> int:
    """Return how many lots of an order the gate lets pass; 0: it is denied, and the log says so once."""
    found = reach_vet(s.vet)(s, k, m, side, ticks, lots, replaced)
    if reach_is_news(s.is_news)(s, k, m, side, ticks, lots, max(-found, 0)) and found < 0:
        log_denied(s, k, m, side, ticks, lots, -found)
    return max(found, 0)


vetted = compiled(_vetted)


def _serves(order: Any) -> bool:
    """Say whether an order could serve a quote."""
    return bool(order.state in (IS_WORKING, IS_PENDING_NEW, IS_PENDING_REPLACE))


serves = compiled(_serves)


def _price_asked(order: Any) -> int:
    """Return the price at which an order will stand once requests under way are done."""
    return int(order.pending_ticks if order.state == IS_PENDING_REPLACE else order.ticks)


price_asked = compiled(_price_asked)


def _serve(order: Any, level: int, hedge: int) -> None:
    """Let an order serve the quote of *level*, and be what that is for."""
    order.level, order.pending_hedge = level, hedge
    if order.state != IS_PENDING_REPLACE:
        order.hedge = hedge


serve = compiled(_serve)


def _nearest_order(s: Any, first: int, used: int, ticks: int) -> int:
    """Return the order of a desk nearest to *ticks*, within the refresh tolerance, that serves no quote yet; -1 without one."""
    found, nearest = -1, s.refresh_ticks + 1
    for number in range(first, first + s.n_slots):
        if used == 0:
            break
        order = order_at(s, number)
        used -= order.used
        if order.level < 0 and serves(order):
            distance = abs(price_asked(order) - ticks)
            if distance < nearest:
                found, nearest = number, distance
    return found


nearest_order = compiled(_nearest_order)


def _adjust_size(s: Any, number: int, lots: int) -> bool:
    """Bring the size of an order that keeps its price near to *lots*: smaller at once, larger only when little is left.

    Return False where the venue cannot replace and the order is cancelled to make room for a new one.
    """
    order = order_at(s, number)
    if order.state != IS_WORKING:
        if order.pending_lots != lots:
            desk_at(s, order.strategy, order.market, 0 if order.side > 0 else 1).settled = 0
        return True
    if order.open_lots > lots:
        reason = WHY_QUOTE_SMALLER
    elif order.open_lots < lots * s.top_up_below:
        reason = WHY_TOP_UP
    else:
        return True
    if reason == WHY_TOP_UP and strategy_at(s, order.strategy).gated == 1:
        lots = vetted(s, order.strategy, order.market, order.side, order.ticks, lots, number)
        if lots <= order.open_lots:
            return True
    if s.replace == 1:
        request(s, number, DO_SEND_REPLACE, reason, order.ticks, lots)
        return True
    request(s, number, DO_SEND_CANCEL, reason, order.ticks, order.open_lots)
    order.level = -1
    return False


adjust_size = compiled(_adjust_size)


def _movable_order(s: Any, first: int, used: int) -> int:
    """Return a working order of a desk that serves no quote, -1 without one."""
    for number in range(first, first + s.n_slots):
        if used == 0:
            break
        order = order_at(s, number)
        used -= order.used
        if order.state == IS_WORKING and order.level < 0:
            return number
    return -1


movable_order = compiled(_movable_order)


def _forget_levels(s: Any, first: int, used: int) -> tuple[int, int]:
    """Let no order of a desk serve a quote.

    Return how many of its orders live and are not being cancelled, and how many levels they occupy.
    """
    idle, busy = 0, 0
    for number in range(first, first + s.n_slots):
        if used == 0:
            break
        order = order_at(s, number)
        used -= order.used
        order.level = -1
        if is_live(order.state) and order.state != IS_PENDING_CANCEL:
            idle += 1
            busy += s.n_levels if order.state == IS_UNKNOWN else 1
    return idle, busy


forget_levels = compiled(_forget_levels, inline=True)


def _manage_alone(s: Any, k: int, m: int, side: int, desk: Any, goal: Any) -> bool:
    """Send the first order for the only quote of a side, or move its only order there: of all cases the most frequent.

    Return False where it is another case.
    """
    number: Any = np.int64(desk.latest)
    ticks: Any = np.int64(goal.goal_ticks)
    order = order_at(s, number)
    if goal.goal_lots == 0:
        return False
    if desk.used == 0:
        desk.settled = 1
        send_new(s, k, m, side, 0, ticks, goal.goal_lots, WHY_QUOTE, goal.hedge)
        return True
    if desk.used != 1 or order.state != IS_WORKING or abs(order.ticks - ticks) <= s.refresh_ticks:
        return False  # one that works is one of those that are used
    desk.settled, order.pending_hedge = 1, goal.hedge
    request(s, number, DO_SEND_REPLACE, WHY_QUOTE_MOVED, ticks, goal.goal_lots)
    return True


manage_alone = compiled(_manage_alone, inline=True)


def _manage_side(s: Any, k: int, m: int, index: int) -> None:
    """Bring the orders of the bids (*index* 0) or asks (1) of a market to the goals; see the module's text for the rules."""
    side, levels, gated = 1 - 2 * index, s.n_levels, strategy_at(s, k).gated == 1
    first, desk = first_number(s, k, m, index), desk_at(s, k, m, index)
    desk.settled = 1  # until something is found that another decision must look at again
    idle, busy = forget_levels(s, first, desk.used)  # idle: orders that serve no quote, and are not being cancelled
    allowed, unserved = allowance(s, k, m, side) if gated else FOREVER, 0
    left = allowed
    for level in range(levels):  # 1. orders that can stay
        goal = wanted_at(s, k, m, index, level)
        ticks: Any = np.int64(goal.goal_ticks)
        lots = min(goal.goal_lots, left)
        left -= lots
        goal.unserved = 0
        if lots == 0:
            if goal.goal_lots > 0:
                note_stopped(s, k, m, side, ticks, goal.goal_lots)
            continue
        number = nearest_order(s, first, desk.used, ticks) if idle > 0 else -1
        if number >= 0:
            idle -= 1
            serve(order_at(s, number), level, goal.hedge)
            if order_at(s, number).hedge != goal.hedge:
                desk.settled = 0
            if adjust_size(s, number, lots):
                continue
            busy -= 1
        goal.unserved = 1
        unserved += 1
    left = allowed
    for level in range(levels if unserved > 0 else 0):  # 2. quotes without an order
        goal = wanted_at(s, k, m, index, level)
        lots = min(goal.goal_lots, left)
        left -= lots
        if goal.unserved == 0:
            continue
        ticks = np.int64(goal.goal_ticks)
        number = movable_order(s, first, desk.used) if idle > 0 else -1
        if number >= 0 and s.replace == 1:
            if gated:
                lots = vetted(s, k, m, side, ticks, lots, number)
            if lots > 0:
                idle -= 1
                order_at(s, number).level, order_at(s, number).pending_hedge = level, goal.hedge
                request(s, number, DO_SEND_REPLACE, WHY_QUOTE_MOVED, ticks, lots)
            continue
        if number >= 0:
            idle -= 1
            busy -= 1
            request(s, number, DO_SEND_CANCEL, WHY_QUOTE_MOVED, order_at(s, number).ticks, order_at(s, number).open_lots)
        if busy >= levels:
            desk.settled = 0
            continue
        if gated:
            lots = vetted(s, k, m, side, ticks, lots, -1)
        if lots > 0:
            why = WHY_QUOTE if lots == goal.goal_lots else WHY_TRIMMED
            send_new(s, k, m, side, level, ticks, lots, why, goal.hedge)
            busy += 1
    if idle > 0:
        cancel_others(s, first, desk)  # 3. orders that nobody wants


def _cancel_others(s: Any, first: int, desk: Any) -> None:
    """Cancel the orders of a desk that serve no quote; one with a request under way has to wait."""
    unseen = desk.used
    for number in range(first, first + s.n_slots):
        if unseen == 0:
            break
        order = order_at(s, number)
        unseen -= order.used
        if order.level >= 0:
            continue
        if order.state == IS_WORKING:
            request(s, number, DO_SEND_CANCEL, WHY_QUOTE_WITHDRAWN, order.ticks, order.open_lots)
        elif is_live(order.state) and order.state != IS_PENDING_CANCEL:
            desk.settled = 0


cancel_others = compiled(_cancel_others)


def _note_stopped(s: Any, k: int, m: int, side: int, ticks: int, lots: int) -> None:
    """Log once that the gate's state lets no order of a side pass."""
    reason = WHY_HALTED if gate_at(s, k).state == _HALTED else WHY_REDUCE_ONLY
    gate_at(s, k).denied[reason] += 1
    unsettle(s, k, m)
    if reach_is_news(s.is_news)(s, k, m, side, ticks, lots, reason):
        log_denied(s, k, m, side, ticks, lots, reason)


note_stopped = compiled(_note_stopped)


manage_side = compiled(_manage_side)


def _withdraw_unpriceable(s: Any, k: int, m: int, index: int, level: int) -> None:
    """Withdraw a quote at a price that a book cannot hold, and log it once."""
    quote, last = quote_at(s, k, m, index, level), wanted_at(s, k, m, index, level)
    if last.ticks != quote.ticks:
        log_denied(s, k, m, 1 - 2 * index, quote.ticks, quote.lots, WHY_PRICE_OUT_OF_RANGE)
    last.ticks, quote.lots = quote.ticks, 0


withdraw_unpriceable = compiled(_withdraw_unpriceable)


def _log_quote(s: Any, k: int, m: int, side: int, level: int, ticks: int, lots: int) -> None:
    """Write one line of the log of quotes."""
    row = quote_change_at(s, s.n_quotes)
    s.n_quotes += 1
    if s.n_quotes > LOG_LIMIT:
        s.attention = 1
    row.ns, row.strategy, row.market = s.now_ns, k, m
    row.side, row.level, row.ticks, row.lots = side, level, ticks, lots


log_quote = compiled(_log_quote)


def _hold_back_bids(s: Any, k: int, m: int, lowest: int) -> None:
    """Let no bid be sent that would meet the *lowest* own ask; one that is new is logged."""
    meets = False
    for level in range(s.n_levels):
        goal = wanted_at(s, k, m, 0, level)
        if goal.lots <= 0:
            continue
        if goal.changed == 1 and goal.ticks >= lowest:
            log_denied(s, k, m, 1, goal.ticks, goal.lots, WHY_SELF_CROSS)
        if goal.goal_ticks >= lowest:
            meets = True
    for level in range(s.n_levels if meets else 0):
        goal = wanted_at(s, k, m, 0, level)
        if goal.goal_ticks >= lowest:
            goal.goal_lots = 0
            desk_at(s, k, m, 0).settled = 0


hold_back_bids = compiled(_hold_back_bids)


def _set_goals(s: Any, k: int, m: int, side: int, view: Any, desk: Any, quotes: Any, goals: Any) -> int:
    """Find where each quote of a side may be sent, and log those that changed; with another goal than before it is not settled.

    Return the highest bid that is asked for, or the lowest price to which an ask may be sent.
    """
    best = -side * _SENTINEL
    for level in range(s.n_levels):
        quote, goal = further(quotes, level), further(goals, level)
        asked_ticks, asked_lots = quote.ticks, quote.lots
        changed = asked_lots != goal.lots or (asked_ticks != goal.ticks and asked_lots != 0)
        if changed:
            if asked_lots > 0 and not -_MOST_TICKS < asked_ticks < _MOST_TICKS:
                withdraw_unpriceable(s, k, m, 0 if side > 0 else 1, level)
                changed, asked_lots = goal.lots != 0, quote.lots
            goal.ticks, goal.lots = asked_ticks, asked_lots
            if s.log_quotes == 1 and changed:
                log_quote(s, k, m, side, level, asked_ticks, asked_lots)
        goal.changed = 1 if changed else 0
        lots: Any = 0
        ticks: Any = np.int64(goal.goal_ticks)
        hedge: Any = np.int64(goal.hedge)
        if asked_lots > 0:
            lots, ticks = asked_lots * view.open, allowed_ticks(s, m, view, side, asked_ticks)
            hedge = 1 if quote.hedge != 0 or desk.hedge == 1 else 0
            best = max(best, asked_ticks) if side > 0 else min(best, ticks)
        if ticks != goal.goal_ticks or lots != goal.goal_lots or hedge != goal.hedge:
            goal.goal_ticks, goal.goal_lots, goal.hedge = ticks, lots, hedge
            desk.settled = 0
    return int(best)


set_goals = compiled(_set_goals, inline=True)


def _enforce(s: Any, k: int, m: int, index: int) -> None:
    """Cancel, or make smaller in place, the working orders of a side that the gate's state does not let stay open."""
    left, first, unseen = allowance(s, k, m, 1 - 2 * index), first_number(s, k, m, index), desk_at(s, k, m, index).used
    why = gate_at(s, k).why
    for number in range(first, first + s.n_slots):
        if unseen == 0:
            break
        order = order_at(s, number)
        unseen -= order.used
        if order.state == IS_WORKING and order.open_lots > left:
            if left > 0 and s.replace == 1:
                request(s, number, DO_SEND_REPLACE, WHY_QUOTE_SMALLER, order.ticks, left)
            else:
                request(s, number, DO_SEND_CANCEL, why, order.ticks, order.open_lots)
            unsettle(s, k, m)
        if is_live(order.state):
            left = max(left - order.open_lots, 0)


enforce = compiled(_enforce)


def _watch(s: Any, k: int) -> None:
    """Let the gate of strategy *k* look at the account, and bring its orders within what the gate's state allows."""
    reach_mark(s.mark)(s, k)
    if gate_at(s, k).state != _NORMAL:
        for m in range(s.n_markets):
            enforce(s, k, m, 0)
            enforce(s, k, m, 1)


watch = compiled(_watch)


def _manage_market(s: Any, k: int, m: int, simple: bool) -> None:
    """Bring strategy *k*'s orders in a market to the quotes it wants now; *simple*: one level, replaces, no limits."""
    levels, view = s.n_levels, view_at(s, m)
    bid_desk, bid_quotes, bid_goals = desk_at(s, k, m, 0), quote_at(s, k, m, 0, 0), wanted_at(s, k, m, 0, 0)
    ask_desk, ask_quotes, ask_goals = further(bid_desk, 1), further(bid_quotes, levels), further(bid_goals, levels)
    highest_bid = set_goals(s, k, m, 1, view, bid_desk, bid_quotes, bid_goals)
    lowest_ask = set_goals(s, k, m, -1, view, ask_desk, ask_quotes, ask_goals)
    if highest_bid >= lowest_ask:
        hold_back_bids(s, k, m, lowest_ask)
    if bid_desk.settled == 0 and not (simple and manage_alone(s, k, m, 1, bid_desk, bid_goals)):
        manage_side(s, k, m, 0)
    if ask_desk.settled == 0 and not (simple and manage_alone(s, k, m, -1, ask_desk, ask_goals)):
        manage_side(s, k, m, 1)


manage_market = compiled(_manage_market, inline=True)


def _manage(s: Any, k: int, simple: bool) -> None:
    """Bring strategy *k*'s orders in every market to the quotes it wants now; *simple*: one level, replaces, no limits."""
    if not simple and strategy_at(s, k).gated == 1:
        watch(s, k)
    m, markets = 0, s.n_markets
    while m < markets:
        manage_market(s, k, m, simple)
        m += 1


manage = compiled(_manage, inline=True)
