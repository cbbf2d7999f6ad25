"""Own messages under way, in both directions, and the latency they are given.

Messages of one strategy to one market travel on one connection: they arrive in the order in which they were sent, like on TCP,
whatever latency each of them drew. The latency of a message depends on the seed, the direction and the strategy's own message
number only.

They come out by arrival; at one instant what reaches the exchange comes before what reaches us, then market, then strategy, then
the order of sending: a message's `key` is one number that says all four. Nearly always messages are sent in the order in which they
arrive, so each way has a list of those that were, and only a message that overtakes another goes on a heap: the earliest of all is
the first of one of the three.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided._random import Purpose, random_bits
from twosided.execution.state import FOREVER, heap_at, latency_at, line_at, message_at, order_at, strategy_at, way_at

__all__ = ["MOST_STRATEGIES", "TO_VENUE", "heard_ns", "pop_message", "send_to_us", "send_to_venue"]

TO_VENUE, TO_US = 0, 1
_ENTRY, _RESPONSE = int(Purpose.ENTRY_LATENCY), int(Purpose.RESPONSE_LATENCY)
_PER_WAY, _PER_MARKET, _PER_STRATEGY = 1 << 62, 1 << 54, 1 << 32  # markets are a byte; a log's order numbers end at 31 bits

MOST_STRATEGIES = _PER_MARKET // _PER_STRATEGY
"""As many can share one pass."""


def _is_earlier(one: Any, two: Any) -> bool:
    """Say whether message *one* comes before message *two*: a single question, whose answer can nearly always be foreseen."""
    return bool((one.ns < two.ns) | ((one.ns == two.ns) & (one.key < two.key)))


is_earlier = compiled(_is_earlier)


def _push_on_heap(s: Any, number: int) -> None:
    """Put a message on the heap."""
    message, at = message_at(s, number), s.n_heap
    s.n_heap = at + 1
    while at > 0:
        parent = (at - 1) >> 1
        if not is_earlier(message, message_at(s, heap_at(s, parent).number)):
            break
        heap_at(s, at).number = heap_at(s, parent).number
        at = parent
    heap_at(s, at).number = number


push_on_heap = compiled(_push_on_heap)


def _push_aside(s: Any, number: int, way: Any) -> None:
    """Let a message travel that is the only one in its list, or arrives before the last one in it."""
    if way.first < 0:
        way.first = way.last = number
    else:
        push_on_heap(s, number)
    if s.next_own < 0 or is_earlier(message_at(s, number), message_at(s, s.next_own)):
        s.next_own, s.next_own_ns = number, message_at(s, number).ns


push_aside = compiled(_push_aside)


def _push(s: Any, number: int, rank: int) -> None:
    """Let message *number*, whose record is filled in, travel to the exchange (*rank* 0) or to us (1)."""
    message, way = message_at(s, number), way_at(s, rank)
    message.next = -1
    if way.first >= 0 and is_earlier(message_at(s, way.last), message):  # nearly always, and then it is not the earliest of all
        message_at(s, way.last).next = number
        way.last = number
    else:
        push_aside(s, number, way)
    s.n_messages += 1
    if 2 * s.n_messages > s.messages_size:
        s.grow_messages = s.attention = 1


push = compiled(_push, inline=True)


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
        message = message_at(s, heap_at(s, child).number)
        if child + 1 < size and is_earlier(message_at(s, heap_at(s, child + 1).number), message):
            child += 1
        if not is_earlier(message_at(s, heap_at(s, child).number), message_at(s, last)):
            break
        heap_at(s, at).number = heap_at(s, child).number
        at = child
    heap_at(s, at).number = last


pop_from_heap = compiled(_pop_from_heap)


def _earliest(s: Any) -> int:
    """Return the number of the message that arrives first, -1 without one."""
    number, other = way_at(s, TO_VENUE).first, way_at(s, TO_US).first
    if number < 0 or (other >= 0 and message_at(s, other).ns < message_at(s, number).ns):
        number = other
    if s.n_heap > 0 and (number < 0 or is_earlier(message_at(s, heap_at(s, 0).number), message_at(s, number))):
        number = heap_at(s, 0).number
    return int(number)


earliest = compiled(_earliest)


def _pop_message(s: Any) -> int:
    """Take out the earliest message and return its number; the record stays readable until the next send."""
    number = s.next_own
    message = message_at(s, number)
    following = message.next
    if way_at(s, TO_VENUE).first == number:
        way_at(s, TO_VENUE).first = following
    elif way_at(s, TO_US).first == number:
        way_at(s, TO_US).first = following
    else:
        pop_from_heap(s)
    s.n_messages -= 1
    message.next = s.free_message
    s.free_message = number
    s.next_own = earliest(s) if way_at(s, TO_US).first >= 0 or s.n_heap > 0 else way_at(s, TO_VENUE).first
    s.next_own_ns = message_at(s, s.next_own).ns if s.next_own >= 0 else FOREVER
    return int(number)


pop_message = compiled(_pop_message, inline=True)


def _drawn_ns(s: Any, table: int, purpose: int, number: int) -> int:
    """Return a random point of the quantiles of a latency."""
    return int(latency_at(s, table, int(random_bits(s.seed, purpose, number) & np.uint64(1023))).number)


drawn_ns = compiled(_drawn_ns)


def _latency_ns(s: Any, line: Any, way: int, purpose: int, number: int) -> int:
    """Return the latency of a strategy's message *number* on *line*: its constant, or a random point of its quantiles."""
    constant = line.latency_ns[way]
    return int(constant) if constant >= 0 else int(drawn_ns(s, line.latency_table[way], purpose, number))


latency_ns = compiled(_latency_ns, inline=True)


def _new_message(s: Any) -> int:
    """Take a free record and return its number."""
    number = s.free_message
    s.free_message = message_at(s, number).next
    return int(number)


new_message = compiled(_new_message)


def _send_to_venue(s: Any, about: int, action: int, ticks: int, lots: int) -> None:
    """Send a request about order *about* to its market; it arrives one order-entry latency from now."""
    order = order_at(s, about)
    k, m = order.strategy, order.market
    number, strategy, line = new_message(s), strategy_at(s, k), line_at(s, k, m)
    strategy.sent += 1
    arrival = s.now_ns + latency_ns(s, line, TO_VENUE, _ENTRY, strategy.sent)
    line.last_entry_ns = max(line.last_entry_ns, arrival)
    message = message_at(s, number)
    message.ns, message.rank = line.last_entry_ns, TO_VENUE
    message.key = m * _PER_MARKET + k * _PER_STRATEGY + strategy.sent
    message.order, message.action, message.reason = about, action, 0
    message.ticks, message.lots = ticks, lots
    order.in_flight += 1
    push(s, number, TO_VENUE)


send_to_venue = compiled(_send_to_venue)


def _heard_ns(s: Any, strategy: Any, line: Any) -> int:
    """Return when the next report of *strategy* on *line* reaches us: one response latency from now, or with the one before it."""
    strategy.received += 1
    arrival = s.now_ns + latency_ns(s, line, TO_US, _RESPONSE, strategy.received)
    line.last_response_ns = max(line.last_response_ns, arrival)
    return int(line.last_response_ns)


heard_ns = compiled(_heard_ns, inline=True)


def _send_to_us(s: Any, ns: int, about: int, action: int, reason: int, ticks: int, lots: int, fee: int) -> None:
    """Send a report about order *about*, the latest of its strategy; it arrives at *ns*, see `heard_ns`."""
    order = order_at(s, about)
    k, m = order.strategy, order.market
    number, strategy = new_message(s), strategy_at(s, k)
    message = message_at(s, number)
    message.ns, message.rank = ns, TO_US
    message.key = _PER_WAY + m * _PER_MARKET + k * _PER_STRATEGY + strategy.received
    message.order, message.action, message.reason = about, action, reason
    message.ticks, message.lots, message.fee = ticks, lots, fee
    order.in_flight += 1
    strategy.unread += 1
    push(s, number, TO_US)


send_to_us = compiled(_send_to_us)
