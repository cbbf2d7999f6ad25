"""Own messages under way, in both directions, and the latency they are given.

Messages of one strategy to one market travel on one connection: they arrive in the order in which they were sent, like on TCP,
whatever latency each of them drew. The latency of a message depends on the seed, the direction and the strategy's own message
number only.

They come out by arrival; at one instant what reaches the exchange comes before what reaches us, then market, then strategy, then
the order of sending. Nearly always messages are sent in the order in which they arrive, so each way has a list of those that were,
and only a message that overtakes another goes on a heap: the earliest of all is the first of one of the three.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided._random import Purpose, random_bits
from twosided.execution.state import FOREVER, heap_at, latency_at, line_at, message_at, order_at, strategy_at, way_at

__all__ = ["TO_VENUE", "heard_ns", "pop_message", "send_to_us", "send_to_venue"]

TO_VENUE, TO_US = 0, 1
_ENTRY, _RESPONSE = int(Purpose.ENTRY_LATENCY), int(Purpose.RESPONSE_LATENCY)


def _earlier(s: Any, a: int, b: int) -> bool:
    """Say whether message *a* comes before message *b*."""
    one, two = message_at(s, a), message_at(s, b)
    if one.ns != two.ns:
        return bool(one.ns < two.ns)
    if one.rank != two.rank:
        return bool(one.rank < two.rank)
    if one.market != two.market:
        return bool(one.market < two.market)
    if one.strategy != two.strategy:
        return bool(one.strategy < two.strategy)
    return bool(one.number < two.number)


earlier = compiled(_earlier)


def _push_on_heap(s: Any, number: int) -> None:
    """Put a message on the heap."""
    at = s.n_heap
    s.n_heap = at + 1
    while at > 0:
        parent = (at - 1) >> 1
        if not earlier(s, number, heap_at(s, parent).number):
            break
        heap_at(s, at).number = heap_at(s, parent).number
        at = parent
    heap_at(s, at).number = number


push_on_heap = compiled(_push_on_heap)


def _push(s: Any, number: int) -> None:
    """Let message *number*, whose record is filled in, travel."""
    message = message_at(s, number)
    way = way_at(s, message.rank)
    message.next = -1
    if way.first >= 0 and earlier(s, way.last, number):  # nearly always, and then it is not the earliest of all
        message_at(s, way.last).next = number
        way.last = number
    else:
        if way.first < 0:
            way.first, way.last = number, number
        else:
            push_on_heap(s, number)
        if s.next_own < 0 or earlier(s, number, s.next_own):
            s.next_own, s.next_own_ns = number, message.ns
    s.n_messages += 1
    if 2 * s.n_messages > s.messages_size:
        s.grow_messages = s.attention = 1


push = compiled(_push)


def _pop_from_heap(s: Any) -> None:
    """Take the first message off the heap."""
    size = s.n_heap - 1
    s.n_heap = size
    last = heap_at(s, size).number
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and earlier(s, heap_at(s, child + 1).number, heap_at(s, child).number):
            child += 1
        if not earlier(s, heap_at(s, child).number, last):
            break
        heap_at(s, at).number = heap_at(s, child).number
        at = child
    heap_at(s, at).number = last


pop_from_heap = compiled(_pop_from_heap)


def _next_message(s: Any) -> int:
    """Return the number of the message that arrives first, -1 without one."""
    number, other = way_at(s, TO_VENUE).first, way_at(s, TO_US).first
    if number < 0 or (other >= 0 and message_at(s, other).ns < message_at(s, number).ns):
        number = other
    if s.n_heap > 0 and (number < 0 or earlier(s, heap_at(s, 0).number, number)):
        number = heap_at(s, 0).number
    return int(number)


next_message = compiled(_next_message)


def _pop_message(s: Any) -> int:
    """Take out the earliest message and return its number; the record stays readable until the next send."""
    number = s.next_own
    message = message_at(s, number)
    way = way_at(s, message.rank)
    if way.first == number:
        way.first = message.next
    else:
        pop_from_heap(s)
    s.n_messages -= 1
    message.next = s.free_message
    s.free_message = number
    s.next_own = next_message(s)
    s.next_own_ns = message_at(s, s.next_own).ns if s.next_own >= 0 else FOREVER
    return int(number)


pop_message = compiled(_pop_message)


def _latency_ns(s: Any, line: Any, way: int, purpose: int, number: int) -> int:
    """Return the latency of a strategy's message *number* on *line*: its constant, or a random point of its quantiles."""
    constant = line.latency_ns[way]
    if constant >= 0:
        return int(constant)
    return int(latency_at(s, line.latency_table[way], int(random_bits(s.seed, purpose, number) & np.uint64(1023))).number)


latency_ns = compiled(_latency_ns)


def _new_message(s: Any) -> int:
    """Take a free record and return its number."""
    number = s.free_message
    s.free_message = message_at(s, number).next
    return int(number)


new_message = compiled(_new_message)


def _send_to_venue(s: Any, about: int, action: int, ticks: int, lots: int) -> None:
    """Send a request about order *about* to its market; it arrives one order-entry latency from now."""
    order = order_at(s, about)
    k = order.strategy
    number, strategy, line = new_message(s), strategy_at(s, k), line_at(s, k, order.market)
    strategy.sent += 1
    arrival = s.now_ns + latency_ns(s, line, TO_VENUE, _ENTRY, strategy.sent)
    line.last_entry_ns = max(line.last_entry_ns, arrival)
    message = message_at(s, number)
    message.ns, message.rank = line.last_entry_ns, TO_VENUE
    message.market, message.strategy, message.number = order.market, k, strategy.sent
    message.order, message.action, message.reason = about, action, 0
    message.ticks, message.lots = ticks, lots
    order.in_flight += 1
    push(s, number)


send_to_venue = compiled(_send_to_venue)


def _heard_ns(s: Any, strategy: Any, line: Any) -> int:
    """Return when the next report of *strategy* on *line* reaches us: one response latency from now, or with the one before it."""
    strategy.received += 1
    arrival = s.now_ns + latency_ns(s, line, TO_US, _RESPONSE, strategy.received)
    line.last_response_ns = max(line.last_response_ns, arrival)
    return int(line.last_response_ns)


heard_ns = compiled(_heard_ns)


def _send_to_us(s: Any, ns: int, about: int, action: int, reason: int, ticks: int, lots: int, fee: int) -> None:
    """Send a report about order *about*, the latest of its strategy; it arrives at *ns*, see `heard_ns`."""
    order = order_at(s, about)
    number, strategy = new_message(s), strategy_at(s, order.strategy)
    message = message_at(s, number)
    message.ns, message.rank = ns, TO_US
    message.market, message.strategy, message.number = order.market, order.strategy, strategy.received
    message.order, message.action, message.reason = about, action, reason
    message.ticks, message.lots, message.fee = ticks, lots, fee
    order.in_flight += 1
    strategy.unread += 1
    push(s, number)


send_to_us = compiled(_send_to_us)
