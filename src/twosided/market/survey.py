"""One look over an array of events, for everything that must be known before it is replayed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.market.event import Events

__all__ = ["Survey", "survey"]

_LOCAL_BACKWARDS, _EXCH_BACKWARDS, _EARLY, _MOST_MARKET, _KINDS, _MOST = 0, 1, 2, 3, 4, 5


@dataclass(frozen=True)
class Survey:
    """What a pass over events found."""

    local_backwards: int  # events whose local_ns is before that of the event before
    exch_backwards: int  # the same for exch_ns
    early: int  # events whose local_ns is before their exch_ns
    most_market: int
    kinds: frozenset[int]
    most_ticks: tuple[int, ...]  # largest |ticks|, per market
    most_lots: tuple[int, ...]


def _survey(events: Any, found: Any) -> None:
    """Fill *found*: counts, a bit set of kinds, and pairs of (largest |ticks|, largest lots) for every market."""
    markets = (found.shape[0] - _MOST) // 2
    last_local, last_exch = np.int64(0), np.int64(0)
    for i in range(events.shape[0]):
        event = events[i]
        if i > 0:
            if event.local_ns < last_local:
                found[_LOCAL_BACKWARDS] += 1
            if event.exch_ns < last_exch:
                found[_EXCH_BACKWARDS] += 1
        if event.local_ns < event.exch_ns:
            found[_EARLY] += 1
        last_local, last_exch = event.local_ns, event.exch_ns
        market = np.int64(event.market)
        found[_MOST_MARKET] = max(found[_MOST_MARKET], market)
        found[_KINDS] |= np.int64(1) << np.int64(min(event.kind, 62))
        if market < markets:
            at = _MOST + 2 * market
            found[at] = max(found[at], abs(np.int64(event.ticks)))
            found[at + 1] = max(found[at + 1], event.lots)


survey_kernel = compiled(_survey)


def survey(events: Events, markets: int) -> Survey:
    """Return what one pass over *events* of *markets* markets finds."""
    found = np.zeros(_MOST + 2 * markets, np.int64)
    survey_kernel(np.require(events, requirements=["C", "A"]), found)
    kinds = frozenset(kind for kind in range(63) if int(found[_KINDS]) >> kind & 1)
    counts = [int(value) for value in found]
    return Survey(counts[0], counts[1], counts[2], counts[3], kinds, tuple(counts[_MOST::2]), tuple(counts[_MOST + 1 :: 2]))
