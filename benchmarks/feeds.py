"""The generated feed of benchmarks and of the comparison with hftbacktest: an L2 book that moves, from a seed, in a second.

Its statistics are those of a busy crypto perpetual in round numbers: 150 messages and 1,400 events a second. Seven messages in ten
restate a geometric number of levels, many near the touch and some thousands of ticks away; the others are bursts of trades by one
aggressor that walk the book, buyers following buyers. Sizes are log-logistic. The first message is the whole book. A message takes
1 ms plus a gamma of mean 1 ms to get here, and messages do not overtake each other. Nothing in it can be predicted for long, so it
says something about speed and about agreement, and nothing about profit.

Run as a script it prints what generating the feed costs.
"""

import json
import math
import time
from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided._random import Purpose, uniform
from twosided.market.event import EVENT, Events, Flag, Kind
from twosided.market.instrument import Fees, Instrument
from twosided.market.ladder import Books, best_of, level_of, new_books, set_level

__all__ = ["EVENTS", "INSTRUMENT", "PRICE_RANGE", "generate"]

EVENTS = 5_000_000

INSTRUMENT = Instrument(symbol="GENERATED", tick_size="0.1", lot_size="0.001", fees=Fees(maker_bps="-0.5", taker_bps="7"))

PRICE_RANGE = (55_000.0, 65_000.0)
"""In quote currency: every price of the feed lies in it."""

_START_NS = 1_700_000_000_000_000_000
_BID = 600_000  # ticks, at the start
_SNAPSHOT_LEVELS = 2000
_MESSAGES_PER_S = 150.0
_LONGEST = 64  # events of one message, at most
_DEPTH, _TRADE = int(Kind.DEPTH), int(Kind.TRADE)
_LAST, _SNAPSHOT = int(Flag.LAST_OF_MESSAGE), int(Flag.SNAPSHOT)
_KEY = int(Purpose.FLOW)


def _draw(rng: Any) -> float:
    """Return the next random number in [0, 1); *rng* is (seed, numbers drawn so far)."""
    rng[1] += 1
    return float(uniform(rng[0], _KEY, rng[1]))


draw = compiled(_draw)


def _geometric(rng: Any, p: float, most: int) -> int:
    """Return 1 + the number of failures before a success of probability *p*, at most *most*."""
    return min(1 + int(math.log(1.0 - draw(rng)) / math.log(1.0 - p)), most)


geometric = compiled(_geometric)


def _size(rng: Any, median_lots: float, shape: float) -> int:
    """Return a log-logistic number of lots, at least 1; one in a thousand is beyond 1,000^shape medians."""
    u = draw(rng)
    return max(int(median_lots * math.exp(shape * math.log((u + 1e-6) / (1.0 - u + 1e-6)))), 1)


random_size = compiled(_size)


def _put(events: Any, n: int, kind: int, side: int, ticks: int, lots: int) -> int:
    """Write event *n* without its times and return n + 1."""
    event = events[n]
    event.kind, event.side, event.ticks, event.lots = kind, side, ticks, lots
    return n + 1


put = compiled(_put)


def _snapshot(events: Any, books: Any, rng: Any) -> int:
    """Write the first message: a full book one tick wide. Return the number of events."""
    n = 0
    for i in range(_SNAPSHOT_LEVELS):
        for row in range(2):
            side = 1 - 2 * row
            ticks, lots = _BID + row - side * i, random_size(rng, 400.0, 0.7)
            set_level(books, row, ticks, lots)
            n = put(events, n, _DEPTH, side, ticks, lots)
    for i in range(n):
        events[i]["flags"] = _SNAPSHOT
    return n


snapshot = compiled(_snapshot)


def _burst(events: Any, n: int, books: Any, rng: Any, aggressor: int) -> int:
    """Write the trades of a buyer (+1) or seller (-1) from the touch on, then each level they changed; return the next *n*."""
    row, first = (1 if aggressor > 0 else 0), n
    median = 250.0 if draw(rng) < 0.04 else 12.0  # now and then somebody sweeps
    for _ in range(geometric(rng, 0.5, 12)):
        ticks = best_of(books, row)
        resting = level_of(books, row, ticks)
        lots = min(random_size(rng, median, 0.9), resting)
        set_level(books, row, ticks, resting - lots)
        n = put(events, n, _TRADE, aggressor, ticks, lots)
    for i in range(first, n):
        if i == first or events[i].ticks != events[i - 1].ticks:
            ticks = np.int64(events[i].ticks)
            n = put(events, n, _DEPTH, -aggressor, ticks, level_of(books, row, ticks))
    return n


burst = compiled(_burst)


def _requotes(events: Any, n: int, books: Any, rng: Any) -> int:
    """Write levels that change: better prices in a wide spread, else a third near the touch and the rest up to 3,000 ticks away."""
    for _ in range(geometric(rng, 0.085, 60)):
        row = int(2.0 * draw(rng))
        side = 1 - 2 * row
        best = best_of(books, row)
        if (best_of(books, 1 - row) - best) * side > 1 and draw(rng) < 0.25:
            ticks, lots = best + side, random_size(rng, 250.0, 0.7)
        else:
            away = int(5.0 * draw(rng)) if draw(rng) < 0.3 else int(math.exp(draw(rng) * math.log(3000.0)))
            ticks, lots = best - side * away, 0 if draw(rng) < 0.22 else random_size(rng, 400.0, 0.7)
        set_level(books, row, ticks, lots)
        n = put(events, n, _DEPTH, side, ticks, lots)
    return n


requotes = compiled(_requotes)


def _stamp(events: Any, first: int, n: int, exch_ns: int, local_ns: int) -> None:
    """Give the events of one message their times, and mark its last."""
    for i in range(first, n):
        events[i].exch_ns, events[i].local_ns = exch_ns, local_ns
    events[n - 1]["flags"] |= _LAST


stamp = compiled(_stamp)


def _generate(events: Any, books: Any, rng: Any) -> int:
    """Fill *events* message by message and return how many were written; room for one longest message is left over."""
    exch, local, aggressor = _START_NS, _START_NS, 1
    first, n = 0, snapshot(events, books, rng)
    while True:
        latency = 1e6 - 0.5e6 * math.log((1.0 - draw(rng)) * (1.0 - draw(rng)))  # ns: 1 ms and a gamma of shape 2
        local = max(local, exch + int(latency))
        stamp(events, first, n, exch, local)
        if n + _LONGEST > events.shape[0]:
            return n
        first = n
        exch += 1 + int(-math.log(1.0 - draw(rng)) / _MESSAGES_PER_S * 1e9)
        if draw(rng) < 0.31:
            if draw(rng) < 0.08:
                aggressor = -aggressor
            n = burst(events, n, books, rng, aggressor)
        else:
            n = requotes(events, n, books, rng)


fill_feed = compiled(_generate)


def generate(events: int = EVENTS, seed: int = 1) -> Events:
    """Return at most *events* events, at least that many less 64, of whole messages in the order of both clocks.

    Args:
        events: at least 5,000, of which the first message, the book, takes 4,000.
        seed: another number, another market.
    """
    feed = np.zeros(events, EVENT)
    books: Books = new_books(2)
    return feed[: fill_feed(feed, books, np.array([seed, 0], np.int64))]


def main() -> None:
    """Print what a feed costs: generating is not what is measured elsewhere, and must not take long."""
    generate(5000)
    began = time.perf_counter()
    feed = generate()
    seconds = time.perf_counter() - began
    line = {"name": "generate_feed", "value": round(seconds / len(feed) * 1e9, 1), "unit": "ns/event"}
    print(json.dumps(line | {"peer": None, "peer_value": None, "ratio": None, "workload": f"{len(feed):,} events, L2, seed 1"}))


if __name__ == "__main__":
    main()
