"""The least that a book by order can be: arrays as long as the range of prices, ids in a table, queues as lists; no checks.

Prices must be known beforehand and lie close together, sizes and counts fit the array, and there is one market: what a book for one
recording could look like, and what `twosided.market.order_queues` is measured against.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled, words_of
from twosided.market.event import Events, Kind

__all__ = ["dense_book", "dense_memory"]

_ADD, _MODIFY, _FILL = int(Kind.ADD), int(Kind.MODIFY), int(Kind.FILL)
_FREE, _BEST = 0, 1  # words of the state: free lines, best bid, best ask
_LOTS, _TICKS, _SIDE, _AHEAD, _BEHIND = 0, 1, 2, 3, 4  # words of an order


def dense_memory(events: Events, orders: int) -> tuple[Any, ...]:
    """Return (base, prices, ids, lines, free lines, orders, levels, state) for events with at most so many orders at a time."""
    ticks = events["ticks"][(events["kind"] >= Kind.ADD) & (events["side"] != 0)]
    base, prices, slots = int(ticks.min()) - 1, int(np.ptp(ticks)) + 3, 1 << (2 * orders).bit_length()
    free, state = np.arange(orders, 0, -1), np.array([orders, 0, prices - 1])
    levels = np.zeros(2 * prices * 3, np.int64)  # lots, first, last of each price and side
    return (
        base,
        prices,
        np.zeros(slots, np.int64),
        np.zeros(slots, np.int64),
        free,
        np.zeros(8 * (orders + 1), np.int64),
        levels,
        state,
    )


def _home(order_id: int, mask: int) -> int:
    folded = (order_id ^ (order_id >> 31)) & 0x7FFF_FFFF
    return ((folded * 0x9E37_79B1) >> 24) & mask


home = compiled(_home)


def _forget(ids: Any, lines: Any, hole: int, mask: int) -> None:
    slot = (hole + 1) & mask
    while lines[slot] != 0:
        if ((slot - home(ids[slot], mask)) & mask) >= ((slot - hole) & mask):
            ids[hole], lines[hole] = ids[slot], lines[slot]
            hole = slot
        slot = (slot + 1) & mask
    lines[hole] = 0


forget = compiled(_forget)


def _quit(orders: Any, levels: Any, state: Any, line: int, prices: int) -> None:
    side, ahead, behind = orders[line + _SIDE], orders[line + _AHEAD], orders[line + _BEHIND]
    level = 3 * (side * prices + orders[line + _TICKS])
    levels[level] -= orders[line + _LOTS]
    if ahead != 0:
        orders[ahead + _BEHIND] = behind
    else:
        levels[level + 1] = behind
    if behind != 0:
        orders[behind + _AHEAD] = ahead
    else:
        levels[level + 2] = ahead
    best = state[_BEST + side]
    if side == 0:
        while best > 0 and levels[3 * best] == 0:
            best -= 1
    else:
        while best < prices - 1 and levels[3 * (prices + best)] == 0:
            best += 1
    state[_BEST + side] = best


quit_queue = compiled(_quit)


def _join(orders: Any, levels: Any, state: Any, line: int, prices: int, side: int, ticks: int, lots: int) -> None:
    level = 3 * (side * prices + ticks)
    last = levels[level + 2]
    orders[line + _LOTS], orders[line + _TICKS], orders[line + _SIDE] = lots, ticks, side
    orders[line + _AHEAD], orders[line + _BEHIND] = last, 0
    levels[level] += lots
    levels[level + 2] = line
    if last != 0:
        orders[last + _BEHIND] = line
    else:
        levels[level + 1] = line
    state[_BEST + side] = max(state[_BEST], ticks) if side == 0 else min(state[_BEST + 1], ticks)


join_queue = compiled(_join)


def _dense_book(events: Any, base: int, prices: int, ids: Any, lines: Any, free: Any, orders: Any, levels: Any, state: Any) -> int:
    """Apply all events and return how many orders are left."""
    mask = len(ids) - 1
    ids, lines, free, orders = words_of(ids), words_of(lines), words_of(free), words_of(orders)
    levels, state = words_of(levels), words_of(state)
    capacity = state[_FREE]
    for i in range(len(events)):
        event = events[i]
        if event.kind < _ADD:
            continue
        order_id: Any = np.int64(event.id)
        slot = home(order_id, mask)
        while lines[slot] != 0 and ids[slot] != order_id:
            slot = (slot + 1) & mask
        line, side, ticks, lots = lines[slot], (1 - event.side) >> 1, event.ticks - base, event.lots
        if event.kind == _ADD:
            if line == 0:
                state[_FREE] -= 1
                line = 8 * free[state[_FREE]]
                ids[slot], lines[slot] = order_id, line
                join_queue(orders, levels, state, line, prices, side, ticks, lots)
        elif line != 0:
            held = orders[line + _LOTS]
            if event.kind == _MODIFY and (ticks != orders[line + _TICKS] or lots > held):
                quit_queue(orders, levels, state, line, prices)
                join_queue(orders, levels, state, line, prices, side, ticks, lots)
                continue
            left = lots if event.kind == _MODIFY else 0 if lots == 0 else held - lots
            if left > 0:
                orders[line + _LOTS] = left
                levels[3 * (orders[line + _SIDE] * prices + orders[line + _TICKS])] -= held - left
            else:
                quit_queue(orders, levels, state, line, prices)
                forget(ids, lines, slot, mask)
                free[state[_FREE]] = line >> 3
                state[_FREE] += 1
    return int(capacity - state[_FREE])


dense_book = compiled(_dense_book)
