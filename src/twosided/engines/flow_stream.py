"""What happened in a generated market, written down as events: by level or order by order.

Where you are in the pipe: between the matching engine of `twosided.engines.flow` and whoever reads its *events*. Every act that
changed the book or traded is one message. ``flow`` is the record of the session's state; `flow.py` says what its fields are.
"""

import math
from typing import Any

from twosided._compile import compiled
from twosided._random import Purpose, uniform
from twosided.market.event import Flag, Kind, Status
from twosided.market.ladder import NO_ASK, NO_BID, best_of, level_of, next_level
from twosided.market.order_queues import ORDER_BEHIND, ORDER_ID, ORDER_LOTS, find_order, first_order, ticks_of

__all__ = ["write_act", "write_book", "write_status"]

_FEED = int(Purpose.FEED_LATENCY)
_LAST, _SNAPSHOT = int(Flag.LAST_OF_MESSAGE), int(Flag.SNAPSHOT)


def _begin_message(flow: Any) -> None:
    """Stamp a message: exchange times are distinct, local times never go backwards."""
    flow.messages += 1
    flow.exch_ns = max(flow.exch_ns + 1, flow.start_ns + int(flow.now_s * 1e9))
    wait = -math.log(1.0 - uniform(flow.seed, _FEED, flow.messages))
    latency_ns = flow.min_latency_ns + int(0.5 * flow.extra_latency_ns * wait * wait)  # the mean of wait² is 2
    flow.local_ns = max(flow.local_ns + 1, flow.exch_ns + latency_ns)


_begin_message_c = compiled(_begin_message)


def _write(events: Any, count: int, flow: Any, kind: int, flags: int, event_id: int, side: int, ticks: int, lots: int) -> int:
    """Write one event of the current message and return how many there are."""
    event = events[count]
    event.exch_ns = flow.exch_ns
    event.local_ns = flow.local_ns
    event.id = event_id
    event.lots = lots
    event.ticks = ticks
    event.kind = kind
    event.flags = flags
    event.side = side
    event.market = flow.market
    return count + 1


_write_c = compiled(_write)


def _write_status(events: Any, count: int, flow: Any, status: int) -> int:
    """Write what the venue says of trading, as a message of its own; return how many events there are."""
    _begin_message_c(flow)
    return int(_write_c(events, count, flow, Kind.STATUS, _LAST, flow.messages, 0, 0, status))


write_status = compiled(_write_status)


def _write_book(levels: Any, orders: Any, events: Any, flow: Any) -> int:
    """Write the snapshot, and that the market is open; return how many events that took."""
    _begin_message_c(flow)
    count = _write_c(events, 0, flow, Kind.SNAPSHOT_BEGIN, _SNAPSHOT, flow.messages, 0, 0, 0)
    for row in range(2):
        side, ticks = 1 - 2 * row, best_of(levels, row)
        while ticks != NO_BID and ticks != NO_ASK:  # noqa: PLR1714 - compiled code compares numbers
            if flow.by_order:
                node = first_order(levels, row, ticks)
                while node != 0:
                    lots = orders[node + ORDER_LOTS]
                    count = _write_c(events, count, flow, Kind.ADD, _SNAPSHOT, orders[node + ORDER_ID], side, ticks, lots)
                    node = orders[node + ORDER_BEHIND]
            else:
                lots = level_of(levels, row, ticks)
                count = _write_c(events, count, flow, Kind.DEPTH, _SNAPSHOT, flow.messages, side, ticks, lots)
            ticks = next_level(levels, row, ticks)
    count = _write_c(events, count, flow, Kind.SNAPSHOT_END, _SNAPSHOT | _LAST, flow.messages, 0, 0, 0)
    return write_status(events, count, flow, Status.OPEN)


write_book = compiled(_write_book)


def _write_act(
    levels: Any, orders: Any, reports: Any, made: int, events: Any, count: int, flow: Any, order_id: int, side: int, old_ticks: int
) -> int:
    """Write what an act did as one message; return how many events there are.

    An order that rested before stood at *old_ticks*, else *old_ticks* is `NO_BID`.
    """
    begin = count
    _begin_message_c(flow)
    for line in range(made):
        report = reports[line]
        if report.maker == 1:
            flow.trades += 1
            count = _write_c(events, count, flow, Kind.TRADE, 0, flow.trades, -report.side, report.ticks, report.lots)
            if flow.by_order:
                count = _write_c(events, count, flow, Kind.FILL, 0, report.order_id, report.side, report.ticks, report.lots)
    node = find_order(orders, 0, order_id)
    if flow.by_order:
        if node != 0:
            kind = Kind.ADD if old_ticks == NO_BID else Kind.MODIFY
            count = _write_c(events, count, flow, kind, 0, order_id, side, ticks_of(orders, node), orders[node + ORDER_LOTS])
        elif old_ticks != NO_BID:
            count = _write_c(events, count, flow, Kind.CANCEL, 0, order_id, side, old_ticks, reports[0].lots)
    else:
        count = _write_levels_c(levels, reports, made, events, count, flow)
        if old_ticks != NO_BID:
            count = _write_depth_c(levels, events, count, flow, side, old_ticks)
        if node != 0 and ticks_of(orders, node) != old_ticks:
            count = _write_depth_c(levels, events, count, flow, side, ticks_of(orders, node))
    if count > begin:
        events[count - 1].flags = _LAST
    return count


def _write_depth(levels: Any, events: Any, count: int, flow: Any, side: int, ticks: int) -> int:
    """Write what a level holds now; return how many events there are."""
    lots = level_of(levels, 0 if side > 0 else 1, ticks)
    return _write_c(events, count, flow, Kind.DEPTH, 0, flow.messages, side, ticks, lots)


_write_depth_c = compiled(_write_depth)


def _write_levels(levels: Any, reports: Any, made: int, events: Any, count: int, flow: Any) -> int:
    """Write each level that fills have touched, once; return how many events there are."""
    ticks, side = NO_BID, 0
    for line in range(made):
        report = reports[line]
        if report.maker == 1:
            if ticks not in (NO_BID, report.ticks):
                count = _write_depth_c(levels, events, count, flow, side, ticks)
            ticks, side = report.ticks, report.side
    if ticks != NO_BID:
        count = _write_depth_c(levels, events, count, flow, side, ticks)
    return count


_write_levels_c = compiled(_write_levels)
write_act = compiled(_write_act)
