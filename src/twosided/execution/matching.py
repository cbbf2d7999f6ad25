"""The matching engine: price, then time.

An incoming order trades with the best opposite price first, and at one price with whoever came first, always at the *resting*
order's price. It may be a limit or a market order; good till cancelled, immediate-or-cancel (the rest is cancelled) or fill-or-kill
(all at once or nothing); and post-only (refused if it would trade). Orders of one owner never trade with each other: either the
resting one is cancelled and matching goes on, or what is left of the incoming one is. Owner 0 is anonymous and may trade with
anybody. An order that is made smaller keeps its place; a new price or a larger size sends it to the end of the queue.

Everything that happens is a *report*, in the order in which it happens: the answer to the command first, then for each fill the
maker's report and the taker's, then what became of the rest.

Where you are in the pipe: order manager -> *venue* -> fills. The generated order flow and the sandbox exchange are driven by the
kernels ``submit_order``, ``cancel_order`` and ``amend_order``; from Python use `MatchingEngine`.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.market.ladder import best_of, next_level
from twosided.market.order import OrderAction, Reason
from twosided.market.order_queues import (
    ORDER_BEHIND,
    ORDER_ID,
    ORDER_LOTS,
    ORDER_NOTE,
    ORDER_OWNER,
    ORDER_ROW,
    add_order,
    find_order,
    first_order,
    reduce_order,
    remove_order,
    replace_order,
    ticks_of,
)
from twosided.market.orderbook import OrderBook

__all__ = [
    "IMMEDIATE",
    "KILL_UNLESS_WHOLE",
    "POST_ONLY",
    "PREVENT_INCOMING",
    "REPORT",
    "MatchingEngine",
    "Report",
    "SelfTrade",
    "TimeInForce",
    "amend_order",
    "cancel_order",
    "most_reports",
    "submit_order",
]

IMMEDIATE, KILL_UNLESS_WHOLE, POST_ONLY, PREVENT_INCOMING = 1, 2, 4, 8
"""Bits of ``how`` in the kernels: nothing rests; nothing happens unless all of it trades at once; nothing trades on arrival; an
order that meets its owner's is itself cancelled (without this bit, the resting one is)."""

HIGHEST_TICKS, LOWEST_TICKS = 2**31 - 1, -(2**31)
"""The ends of the price range; a market order is a limit order at the end of it that does not rest."""

REPORT = np.dtype(
    (
        np.record,
        [
            ("action", "<i8"),  # OrderAction
            ("reason", "<i8"),  # Reason
            ("order_id", "<i8"),
            ("owner", "<i8"),
            ("side", "<i8"),  # the order's: +1 buys, -1 sells
            ("ticks", "<i8"),  # of a fill: where it traded; else the order's own price
            ("lots", "<i8"),  # of a fill or cancellation: how many lots; else the order's size
            ("open_lots", "<i8"),  # what is open after this report
            ("maker", "<i8"),  # of a fill: 1 rested, 0 took
        ],
    )
)
"""One line of what the matching engine has to say."""


class TimeInForce(IntEnum):
    """How long an order lives; the values are the kernels' bits."""

    GOOD_TILL_CANCELLED = 0
    IMMEDIATE_OR_CANCEL = IMMEDIATE
    FILL_OR_KILL = IMMEDIATE + KILL_UNLESS_WHOLE


class SelfTrade(IntEnum):
    """Which of two orders of one owner is cancelled when they would trade; the values are the kernels' bits."""

    CANCEL_RESTING = 0
    CANCEL_INCOMING = PREVENT_INCOMING


class Report(NamedTuple):
    """One report; fields as in `REPORT`."""

    action: OrderAction
    reason: Reason
    order_id: int
    owner: int
    side: int
    ticks: int
    lots: int
    open_lots: int
    maker: bool


def _most_reports(resting: int) -> int:
    """Return how many reports one command can make when *resting* orders rest: two for each, the answer and the rest."""
    return 2 * resting + 2


most_reports = compiled(_most_reports)


def _report(
    reports: Any,
    count: int,
    action: Any,
    reason: Any,
    order_id: int,
    owner: int,
    side: int,
    ticks: int,
    lots: int,
    open_lots: int,
    maker: int,
) -> int:
    """Write one report and return how many there are."""
    report = reports[count]
    report.action = action
    report.reason = reason
    report.order_id = order_id
    report.owner = owner
    report.side = side
    report.ticks = ticks
    report.lots = lots
    report.open_lots = open_lots
    report.maker = maker
    return count + 1


_report_c = compiled(_report)


def _crosses(levels: Any, book: int, side: int, ticks: int) -> bool:
    """Say whether an order at *ticks* would reach the other side."""
    return bool((ticks - best_of(levels, 2 * book + (1 if side > 0 else 0))) * side >= 0)


_crosses_c = compiled(_crosses)


def _takeable(levels: Any, orders: Any, book: int, owner: int, side: int, ticks: int, lots: int, how: int) -> int:
    """Return how much of *lots* would trade at once; looks no further than it must."""
    row, found = 2 * book + (1 if side > 0 else 0), 0
    price = best_of(levels, row)
    while found < lots and (ticks - price) * side >= 0:
        node = first_order(levels, row, price)
        while node != 0 and found < lots:
            if owner == 0 or orders[node + ORDER_OWNER] != owner:
                found += orders[node + ORDER_LOTS]
            elif how & PREVENT_INCOMING:
                return found
            node = orders[node + ORDER_BEHIND]
        price = next_level(levels, row, price)
    return found


_takeable_c = compiled(_takeable)


def _match(
    levels: Any,
    orders: Any,
    reports: Any,
    count: int,
    book: int,
    order_id: int,
    owner: int,
    side: int,
    ticks: int,
    lots: int,
    how: int,
) -> tuple[int, int]:
    """Trade an incoming order with what rests at *ticks* or better; return how many reports there are and how much is left."""
    row, left = 2 * book + (1 if side > 0 else 0), lots
    while left > 0 and _crosses_c(levels, book, side, ticks):
        price = best_of(levels, row)
        node = first_order(levels, row, price)
        maker_id, maker_owner, resting = orders[node + ORDER_ID], orders[node + ORDER_OWNER], orders[node + ORDER_LOTS]
        if owner != 0 and maker_owner == owner:
            if how & PREVENT_INCOMING:
                count = _report_c(
                    reports, count, OrderAction.CANCELLED, Reason.SELF_CROSS, order_id, owner, side, ticks, left, 0, 0
                )
                return count, 0
            remove_order(levels, orders, node)
            count = _report_c(
                reports, count, OrderAction.CANCELLED, Reason.SELF_CROSS, maker_id, owner, -side, price, resting, 0, 0
            )
            continue
        traded = min(left, resting)
        left -= traded
        reduce_order(levels, orders, node, traded)
        action = OrderAction.FILLED if traded == resting else OrderAction.PARTIALLY_FILLED
        count = _report_c(
            reports, count, action, Reason.TRADE_AT_PRICE, maker_id, maker_owner, -side, price, traded, resting - traded, 1
        )
        action = OrderAction.FILLED if left == 0 else OrderAction.PARTIALLY_FILLED
        count = _report_c(reports, count, action, Reason.TOOK, order_id, owner, side, price, traded, left, 0)
    return count, left


_match_c = compiled(_match)


def _submit_order(
    levels: Any, orders: Any, reports: Any, book: int, order_id: int, owner: int, side: int, ticks: int, lots: int, how: int
) -> int:
    """Let an order arrive and return how many reports it made.

    The caller has seen to it that the id is free, *lots* positive, the book not full, and that there is room for `most_reports`.
    """
    if ticks > HIGHEST_TICKS or ticks < LOWEST_TICKS:
        return _report_c(reports, 0, OrderAction.REJECTED, Reason.PRICE_OUT_OF_RANGE, order_id, owner, side, ticks, lots, 0, 0)
    if how & POST_ONLY and _crosses_c(levels, book, side, ticks):
        return _report_c(reports, 0, OrderAction.REJECTED, Reason.WOULD_CROSS, order_id, owner, side, ticks, lots, 0, 0)
    count = _report_c(reports, 0, OrderAction.ACCEPTED, Reason.NONE, order_id, owner, side, ticks, lots, lots, 0)
    left = lots
    if not how & KILL_UNLESS_WHOLE or _takeable_c(levels, orders, book, owner, side, ticks, lots, how) >= lots:
        count, left = _match_c(levels, orders, reports, count, book, order_id, owner, side, ticks, lots, how)
    if left > 0 and how & IMMEDIATE:
        return _report_c(
            reports, count, OrderAction.CANCELLED, Reason.IMMEDIATE_REMAINDER, order_id, owner, side, ticks, left, 0, 0
        )
    if left > 0:
        add_order(levels, orders, book, order_id, owner, how, side, ticks, left)
    return count


submit_order = compiled(_submit_order)


def _cancel_order(levels: Any, orders: Any, reports: Any, book: int, order_id: int) -> int:
    """Take an order out of the book and return how many reports that made: one."""
    node = find_order(orders, book, order_id)
    if node == 0:
        return _report_c(reports, 0, OrderAction.CANCEL_REJECTED, Reason.TOO_LATE, order_id, 0, 0, 0, 0, 0, 0)
    owner, lots, ticks = orders[node + ORDER_OWNER], orders[node + ORDER_LOTS], ticks_of(orders, node)
    side = 1 - 2 * (orders[node + ORDER_ROW] & 1)
    remove_order(levels, orders, node)
    return _report_c(reports, 0, OrderAction.CANCELLED, Reason.NONE, order_id, owner, side, ticks, lots, 0, 0)


cancel_order = compiled(_cancel_order)


def _amend_order(levels: Any, orders: Any, reports: Any, book: int, order_id: int, ticks: int, lots: int) -> int:
    """Let a resting order have *lots* open at *ticks*, where it may trade at once; return how many reports that made.

    An order that may not have the new price is left as it was.
    """
    node = find_order(orders, book, order_id)
    if node == 0:
        return _report_c(reports, 0, OrderAction.CANCEL_REJECTED, Reason.TOO_LATE, order_id, 0, 0, ticks, lots, 0, 0)
    owner, how, before = orders[node + ORDER_OWNER], orders[node + ORDER_NOTE], orders[node + ORDER_LOTS]
    side = 1 - 2 * (orders[node + ORDER_ROW] & 1)
    if ticks > HIGHEST_TICKS or ticks < LOWEST_TICKS:
        return _report_c(
            reports, 0, OrderAction.CANCEL_REJECTED, Reason.PRICE_OUT_OF_RANGE, order_id, owner, side, ticks, lots, before, 0
        )
    crosses = _crosses_c(levels, book, side, ticks)
    if crosses and how & POST_ONLY:
        return _report_c(reports, 0, OrderAction.CANCEL_REJECTED, Reason.WOULD_CROSS, order_id, owner, side, ticks, lots, before, 0)
    count = _report_c(reports, 0, OrderAction.REPLACED, Reason.NONE, order_id, owner, side, ticks, lots, lots, 0)
    if not crosses:
        replace_order(levels, orders, node, ticks, lots)
        return count
    remove_order(levels, orders, node)
    count, left = _match_c(levels, orders, reports, count, book, order_id, owner, side, ticks, lots, how)
    if left > 0:
        add_order(levels, orders, book, order_id, owner, how, side, ticks, left)
    return count


amend_order = compiled(_amend_order)


class MatchingEngine:
    """One market.

    >>> engine = MatchingEngine()
    >>> _ = engine.submit(1, ASK, 5, 101)
    >>> [(report.action.name, report.ticks, report.lots) for report in engine.submit(2, BID, 7, 102)]
    [('ACCEPTED', 102, 7), ('FILLED', 101, 5), ('PARTIALLY_FILLED', 101, 5)]
    >>> engine.book.best_bid, engine.book.best_ask
    (102, None)
    """

    def __init__(self) -> None:
        self.book = OrderBook()
        self._reports = np.zeros(64, REPORT)

    def submit(
        self,
        order_id: int,
        side: int,
        lots: int,
        ticks: int | None = None,
        *,
        owner: int = 0,
        time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED,
        post_only: bool = False,
        self_trade: SelfTrade = SelfTrade.CANCEL_RESTING,
    ) -> list[Report]:
        """Let an order arrive; without *ticks* it is a market order, of which nothing ever rests.

        A price beyond 32 bits and a post-only order that would trade are answered with a report, not an exception.

        Raises:
            InputError: an id that rests already or has more than 63 bits, a side that is not ±1, a size that is not positive, or
                post-only where nothing can rest.
        """
        _check_id(order_id)
        if order_id in self.book:
            raise InputError(f"order_id is {order_id}, the id of an order that rests; allowed: an id not in use")
        if side not in {1, -1}:
            raise InputError(f"side is {side}; allowed: +1 (buy) or -1 (sell)")
        if lots <= 0:
            raise InputError(f"lots is {lots}; allowed: 1 or more")
        how = int(time_in_force) | int(self_trade)
        if ticks is None:
            ticks, how = HIGHEST_TICKS if side == 1 else LOWEST_TICKS, how | IMMEDIATE
        if post_only and how & IMMEDIATE:
            raise InputError(
                f"post_only is True for {'a market order' if time_in_force == 0 else time_in_force.name}, which cannot rest"
            )
        how |= POST_ONLY if post_only else 0
        self._make_room()
        return self._read(submit_order(*self._arrays, 0, order_id, owner, side, _clip(ticks), lots, how))

    def cancel(self, order_id: int) -> list[Report]:
        """Cancel an order; one that does not rest (any more) is answered with CANCEL_REJECTED, TOO_LATE.

        Raises:
            InputError: an id beyond 63 bits.
        """
        _check_id(order_id)
        return self._read(cancel_order(*self._arrays, 0, order_id))

    def replace(self, order_id: int, ticks: int, lots: int) -> list[Report]:
        """Let an order have *lots* open at *ticks*.

        What is refused is answered with CANCEL_REJECTED and leaves the order as it was.

        Raises:
            InputError: an id beyond 63 bits, or a size that is not positive.
        """
        _check_id(order_id)
        if lots <= 0:
            raise InputError(f"lots is {lots}; allowed: 1 or more (0 is a cancel)")
        self._make_room()
        return self._read(amend_order(*self._arrays, 0, order_id, _clip(ticks), lots))

    @property
    def _arrays(self) -> tuple[Any, Any, Any]:
        return self.book.levels, self.book.orders, self._reports

    def _make_room(self) -> None:
        self.book.make_room()
        if len(self._reports) < most_reports(len(self.book)):
            self._reports = np.zeros(2 * most_reports(len(self.book)), REPORT)

    def _read(self, count: int) -> list[Report]:
        lines = self._reports[:count].tolist()
        return [Report._make((OrderAction(line[0]), Reason(line[1]), *line[2:-1], bool(line[-1]))) for line in lines]


def _check_id(order_id: int) -> None:
    if not 0 <= order_id < 2**63:
        raise InputError(f"order_id is {order_id}; allowed: 0 to 2^63 - 1")


def _clip(ticks: int) -> int:
    """Return *ticks*, or where it is beyond 64 bits a price that is refused all the same."""
    return max(min(ticks, 2**62), -(2**62))
