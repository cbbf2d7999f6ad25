"""One look over an array of events, for everything that must be known before it is replayed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.market.event import Events

__all__ = ["Survey", "survey"]

_LOCAL_BACKWARDS, _EXCH_BACKWARDS, _EARLY, _MOST_MARKET, _MARKETS = 0, 1, 2, 3, 4
_KINDS, _TICKS, _LOTS, _WORDS = 0, 1, 2, 3  # words of a market


@dataclass(frozen=True)
class Survey:
    """What a pass over events found."""

    local_backwards: int  # events whose local_ns is before that of the event before
    exch_backwards: int  # the same for exch_ns
    early: int  # events whose local_ns is before their exch_ns
    most_market: int
    kinds: tuple[frozenset[int], ...]  # per market
    most_ticks: tuple[int, ...]  # largest |ticks|, per market
    most_lots: tuple[int, ...]


def _survey(events: Any, found: Any) -> None:
    """Fill *found*: counts, and for every market a bit set of kinds, the largest |ticks| and the largest lots."""
    markets = (found.shape[0] - _MARKETS) // _WORDS
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
        if market < markets:
            at = _MARKETS + _WORDS * market
            found[at + _KINDS] |= np.int64(1) << np.int64(min(event.kind, 62))
            found[at + _TICKS] = max(found[at + _TICKS], abs(np.int64(event.ticks)))
            found[at + _LOTS] = max(found[at + _LOTS], event.lots)


survey_kernel = compiled(_survey)


def survey(events: Events, markets: int) -> Survey:
    """Return what one pass over *events* of *markets* markets finds."""
    found = np.zeros(_MARKETS + _WORDS * markets, np.int64)
    survey_kernel(np.require(events, requirements=["C", "A"]), found)
    counts = [int(value) for value in found]
    rows = [counts[at : at + _WORDS] for at in range(_MARKETS, len(counts), _WORDS)]
    kinds = tuple(frozenset(kind for kind in range(63) if row[_KINDS] >> kind & 1) for row in rows)
    return Survey(
        local_backwards=counts[_LOCAL_BACKWARDS],
        exch_backwards=counts[_EXCH_BACKWARDS],
        early=counts[_EARLY],
        most_market=counts[_MOST_MARKET],
        kinds=kinds,
        most_ticks=tuple(row[_TICKS] for row in rows),
        most_lots=tuple(row[_LOTS] for row in rows),
    )
