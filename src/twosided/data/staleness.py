"""For how long, and by how much, one book's best prices were other than another's: what `overlay` measures as it goes."""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.market.ladder import NO_ASK, NO_BID, best_of

__all__ = ["MEASURE", "compare", "new_measure"]

MEASURE = np.dtype(
    (
        np.record,
        [
            ("bid_ticks", "<i8"),  # the book's best prices after the last message
            ("ask_ticks", "<i8"),
            ("now_ns", "<i8"),  # the latest exchange time so far, 0 before the first message
            ("is_stale", "<i8"),  # 1 while the base has other best prices
            ("stretch_ns", "<i8"),  # for how long it has had them
            ("changes", "<i8"),  # the results: see `overlay.Staleness`
            ("total_ns", "<i8"),
            ("stale_ns", "<i8"),
            ("longest_ns", "<i8"),
            ("furthest_ticks", "<i8"),
        ],
    ),
)

_FAR = NO_ASK >> 1  # a side that is empty is at no distance


def new_measure() -> Any:
    """Return a `MEASURE` of nothing yet."""
    measure: Any = np.zeros(1, MEASURE)[0]
    measure.bid_ticks, measure.ask_ticks = NO_BID, NO_ASK
    return measure


def _pass_time(now_ns: int, measure: Any) -> None:
    """Add the time since the last message to what the state after it was."""
    elapsed_ns = max(now_ns - measure.now_ns, 0) if measure.now_ns != 0 else 0
    measure.now_ns = max(measure.now_ns, now_ns)
    measure.total_ns += elapsed_ns
    if measure.is_stale == 0:
        measure.stretch_ns = 0
        return
    measure.stale_ns += elapsed_ns
    measure.stretch_ns += elapsed_ns
    measure.longest_ns = max(measure.longest_ns, measure.stretch_ns)


pass_time = compiled(_pass_time)


def _compare(books: Any, base: int, book: int, now_ns: int, is_best: bool, measure: Any) -> None:
    """Take in the state after a message at *now_ns*: the rows from *base* on should have the best prices of those from *book* on.

    *is_best* says whether only best prices told it.
    """
    pass_time(now_ns, measure)
    bid, ask = best_of(books, book), best_of(books, book + 1)
    if is_best and (bid != measure.bid_ticks or ask != measure.ask_ticks):
        measure.changes += 1
    measure.bid_ticks, measure.ask_ticks = bid, ask
    bid_off, ask_off = abs(bid - best_of(books, base)), abs(ask - best_of(books, base + 1))
    measure.is_stale = 1 if bid_off + ask_off > 0 else 0
    if bid_off < _FAR:
        measure.furthest_ticks = max(measure.furthest_ticks, bid_off)
    if ask_off < _FAR:
        measure.furthest_ticks = max(measure.furthest_ticks, ask_off)


compare = compiled(_compare)
