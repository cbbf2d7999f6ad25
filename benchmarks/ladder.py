"""Nanoseconds to set a level of a book, near the touch, appearing and leaving at random: the hardest case for a processor."""

import time
from typing import Any

import numpy as np

from _measure import medians, on_one_core, report
from twosided._compile import compiled
from twosided.market.ladder import new_books, set_level

on_one_core()

CHANGES = 2_000_000


def _paged(books: Any, ticks: Any, lots: Any) -> int:
    total = 0
    for i in range(ticks.shape[0]):
        total += set_level(books, i & 1, ticks[i], lots[i])
    return total


def _dense(bids: Any, asks: Any, best: Any, ticks: Any, lots: Any) -> None:
    """Do the same on one array per side, as long as the range of prices, with a scan for the next best."""
    for i in range(ticks.shape[0]):
        at, size = ticks[i], lots[i]
        side = bids if i & 1 == 0 else asks
        side[at] = size
        if i & 1 == 0:
            if size > 0:
                best[0] = max(best[0], at)
            while best[0] > 0 and bids[best[0]] == 0:
                best[0] -= 1
        else:
            if size > 0:
                best[1] = min(best[1], at)
            while best[1] < asks.shape[0] - 1 and asks[best[1]] == 0:
                best[1] += 1


paged = compiled(_paged)
dense = compiled(_dense)


def main() -> None:
    """Print one line; the peer is a dense array by price, which is as long as the range of prices."""
    rng = np.random.default_rng(0)
    away = np.exp(rng.random(CHANGES) * np.log(3000)).astype(np.int64)
    ticks = np.where(np.arange(CHANGES) % 2 == 0, 5000 - away, 5000 + away)
    lots = np.where(rng.random(CHANGES) < 0.22, 0, rng.integers(1, 1000, CHANGES))

    def ours() -> float:
        books = new_books(2)
        began = time.perf_counter()
        paged(books, ticks, lots)
        return time.perf_counter() - began

    def theirs() -> float:
        sides, best = np.zeros((2, 10_000), np.int64), np.array([0, 9_999])
        began = time.perf_counter()
        dense(sides[0], sides[1], best, ticks, lots)
        return time.perf_counter() - began

    medians(ours, theirs, repeats=1)  # compile both
    seconds, dense_seconds = medians(ours, theirs, repeats=9)
    workload = f"{CHANGES:,} random changes up to 3,000 ticks from the touch, 22 % of them removals, one core"
    report("ladder_set_level", seconds / CHANGES * 1e9, "ns", workload, dense_seconds / CHANGES * 1e9, peer="dense array by price")


if __name__ == "__main__":
    main()
