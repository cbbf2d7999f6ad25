"""Nanoseconds of processor time to take one event into a book by order: a generated session, a crowd, recordings if present.

The peer is a dense book that knows the range of prices beforehand. ``touch_by_order`` is `TouchTracker`, which also counts what is
wrong with the events and writes a line whenever the touch changes.
"""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from _measure import medians, on_one_core, report

on_one_core()

from _dense_book import dense_book, dense_memory  # noqa: E402
from twosided._compile import compiled, words_of  # noqa: E402
from twosided._random import Purpose, uniform  # noqa: E402
from twosided.data.recording import load  # noqa: E402
from twosided.engines.flow import generate_market  # noqa: E402
from twosided.market.event import EVENT, Events, Flag, Kind  # noqa: E402
from twosided.market.ladder import grow_books, is_full, new_books  # noqa: E402
from twosided.market.order_events import apply_order_event, order_of  # noqa: E402
from twosided.market.order_queues import grow_orders, is_book_full, live_orders, new_orders  # noqa: E402
from twosided.market.touch import TouchTracker  # noqa: E402

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
RECORDINGS = {
    "ESH4": SHARED / "databento" / "esh4-glbx-mdp3-20231225.mbo.dbn.zst",
    "AAPL (ITCH)": SHARED / "itch" / "aapl_20191230_0935.itch50",
}
CROWD, LIVE, PRICES = 1_000_000, 4000, 150
_ADD, _MODIFY, _CANCEL, _FILL, _LAST = int(Kind.ADD), int(Kind.MODIFY), int(Kind.CANCEL), int(Kind.FILL), int(Flag.LAST_OF_MESSAGE)
_KEY = int(Purpose.FLOW)


def _build(events: Any, begin: int, levels: Any, orders: Any) -> int:
    """Apply ``events[begin:]`` and return where it stopped: at the end, or before an event that needs larger arrays."""
    levels, orders = words_of(levels), words_of(orders)
    for i in range(begin, len(events)):
        event = events[i]
        if event.kind >= _ADD:
            if is_book_full(levels, orders):
                return i
            apply_order_event(levels, orders, 0, order_of(orders, 0, event), event)
    return len(events)


build = compiled(_build)


def _fill_crowd(events: Any, resting: Any, seed: int) -> None:
    """Write events of a book with up to ``len(resting)`` orders: what happens to an order may happen to any of them."""
    live, order_id, draws = 0, 0, 0
    for i in range(len(events)):
        event, draws = events[i], draws + 4
        first, second, third = uniform(seed, _KEY, draws), uniform(seed, _KEY, draws + 1), uniform(seed, _KEY, draws + 2)
        away = 1 + min(int(-0.2 * PRICES * math.log(1.0 - third)), PRICES - 1)
        if live < len(resting) and (first < 0.5 or 2 * live < len(resting)):
            order_id += 1 + int(9.0 * uniform(seed, _KEY, draws + 3))
            order = resting[live]
            order[0], order[1] = order_id, 1 if second < 0.5 else -1
            order[2], order[3] = -order[1] * away, 1 + order_id % 100
            live, kind, lots = live + 1, _ADD, order[3]
        else:
            order = resting[int(second * live)]
            kind, lots = _CANCEL, order[3]
            if first > 0.9 and lots > 1:
                kind, lots = _MODIFY, lots - lots // 2
                order[3] = lots
            elif first > 0.8 and lots > 1:
                kind, lots = _FILL, lots // 2
                order[3] -= lots
            elif first > 0.7:
                kind, order[2] = _MODIFY, -order[1] * away
        event.id, event.side, event.ticks, event.kind, event.lots, event["flags"] = order[0], order[1], order[2], kind, lots, _LAST
        if kind == _CANCEL:
            live -= 1
            order[:] = resting[live]


fill_crowd = compiled(_fill_crowd)


def crowd() -> Events:
    """Return a book of some 4,000 orders on 300 prices, near the touch more than far from it."""
    events: Any = np.zeros(CROWD, EVENT)
    fill_crowd(events, np.zeros((LIVE, 4), np.int64), 1)
    return events


def seconds_to_build(events: Events) -> float:
    """Build the book in new memory."""
    levels, orders, begin = new_books(2), new_orders(), 0
    began = time.process_time()
    while begin < len(events):
        if is_full(levels):
            levels = grow_books(levels)
        if is_book_full(levels, orders):
            orders = grow_orders(orders)
        begin = int(build(events, begin, levels, orders))
    return time.process_time() - began


def measure(name: str, events: Events, repeats: int) -> None:
    """Print two lines for one source of events."""
    levels, orders = new_books(2), new_orders(1 << 17)
    build(events, 0, levels, orders)

    def dense() -> float:
        memory = dense_memory(events, 1 << 14)
        began = time.process_time()
        dense_book(events, *memory)
        return time.process_time() - began

    def touches() -> float:
        began = time.process_time()
        TouchTracker().feed(events)
        return time.process_time() - began

    build_s, dense_s, touch_s = medians(lambda: seconds_to_build(events), dense, touches, repeats=repeats)
    workload = f"{name}: {len(events):,} events, {live_orders(orders):,} orders left at the end, one core, new memory each time"
    report("book_by_order", build_s / len(events) * 1e9, "ns/event", workload, dense_s / len(events) * 1e9, peer="dense book")
    report("touch_by_order", touch_s / len(events) * 1e9, "ns/event", workload)


def main() -> None:
    """Print the lines of all sources; recordings that are not there are left out."""
    measure("generated session, seed 1", generate_market(seed=1, by_order=True)[0], repeats=9)
    measure("crowd on 300 prices", crowd(), repeats=9)
    for name, path in RECORDINGS.items():
        if path.exists():
            measure(name, load(path).events, repeats=25)


if __name__ == "__main__":
    main()
