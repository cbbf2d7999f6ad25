"""One look over events, for everything that must be known before they are replayed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.market.event import Events, Kind

__all__ = ["Survey", "Surveyor", "survey"]

_TRADE, _FUNDING = int(Kind.TRADE), int(Kind.FUNDING)
_FOREVER = (1 << 63) - 1
_BLOCK = 128  # events that are looked at together: 5 KB

# words of what is found: of all events, and then of each market
_EVENTS, _LAST_LOCAL, _LAST_EXCH, _LOCAL_BACKWARDS, _EXCH_BACKWARDS, _SHORTEST, _LONGEST, _MOST_MARKET, _MARKETS = range(9)
_KINDS, _TICKS, _LOTS, _LAST_MOVE, _MOVES_BACKWARDS, _WORDS = range(6)


@dataclass(frozen=True)
class Survey:
    """What a pass over events found."""

    events: int
    local_backwards: int  # events whose local_ns is before that of the event before
    exch_backwards: int  # the same for exch_ns
    shortest_ns: int  # local_ns - exch_ns: smallest and largest
    longest_ns: int
    most_market: int
    kinds: tuple[frozenset[int], ...]  # per market
    most_ticks: tuple[int, ...]  # largest |ticks|, per market
    most_lots: tuple[int, ...]  # of anything but funding, whose lots are a rate
    moves_backwards: tuple[int, ...]  # per market, without trades: events whose exch_ns is before that of the one before


def _see_any(events: Any, begin: int, end: int, found: Any) -> None:
    """Take events *begin* to *end* into *found*, whatever they are."""
    markets = (found.shape[0] - _MARKETS) // _WORDS
    for i in range(begin, end):
        event = events[i]
        found[_LOCAL_BACKWARDS] += np.int64(event.local_ns < found[_LAST_LOCAL])
        found[_EXCH_BACKWARDS] += np.int64(event.exch_ns < found[_LAST_EXCH])
        found[_LAST_LOCAL], found[_LAST_EXCH] = event.local_ns, event.exch_ns
        found[_SHORTEST] = min(found[_SHORTEST], event.local_ns - event.exch_ns)
        found[_LONGEST] = max(found[_LONGEST], event.local_ns - event.exch_ns)
        market = np.int64(event.market)
        found[_MOST_MARKET] = max(found[_MOST_MARKET], market)
        if market < markets:
            at = _MARKETS + _WORDS * market
            found[at + _KINDS] |= np.int64(1) << np.int64(min(event.kind, 62))
            found[at + _TICKS] = max(found[at + _TICKS], abs(np.int64(event.ticks)))
            if event.kind != _FUNDING:
                found[at + _LOTS] = max(found[at + _LOTS], event.lots)
            if event.kind != _TRADE:
                found[at + _MOVES_BACKWARDS] += np.int64(event.exch_ns < found[at + _LAST_MOVE])
                found[at + _LAST_MOVE] = event.exch_ns


see_any = compiled(_see_any)


def _see_ordered(events: Any, begin: int, end: int, found: Any) -> bool:
    """Take events *begin* to *end* into *found* if one market's, no clock goes backwards, and none is FUNDING; else do nothing.

    Returns:
        Whether they were. Nearly all blocks of nearly all recordings are, and then hardly more is to be done than to read them.
    """
    market, at = events[begin].market, _MARKETS + _WORDS * np.int64(events[begin].market)
    if at >= found.shape[0]:
        return False
    local, exch = found[_LAST_LOCAL], found[_LAST_EXCH]
    shortest, longest = found[_SHORTEST], found[_LONGEST]
    kinds, highest, lowest, most_lots = np.int64(0), found[at + _TICKS], -found[at + _TICKS], found[at + _LOTS]
    other = backwards = False
    for i in range(begin, end):
        event = events[i]
        backwards |= (event.local_ns < local) | (event.exch_ns < exch)
        local, exch = event.local_ns, event.exch_ns
        shortest, longest = min(shortest, local - exch), max(longest, local - exch)
        other |= event.market != market
        kinds |= np.int64(1) << np.int64(min(event.kind, 62))
        highest, lowest = max(highest, np.int64(event.ticks)), min(lowest, np.int64(event.ticks))
        most_lots = max(most_lots, event.lots)
    # the last of them has to say when the book last moved
    if other or backwards or events[end - 1].kind == _TRADE or kinds >> np.int64(_FUNDING) & 1 == 1:
        return False
    found[_LAST_LOCAL], found[_LAST_EXCH], found[_SHORTEST], found[_LONGEST] = local, exch, shortest, longest
    found[_MOST_MARKET] = max(found[_MOST_MARKET], np.int64(market))
    found[at + _KINDS] |= kinds
    found[at + _TICKS], found[at + _LOTS] = max(highest, -lowest), most_lots
    found[at + _LAST_MOVE] = exch
    return True


see_ordered = compiled(_see_ordered)


def _survey(events: Any, found: Any) -> None:
    """Take *events* into *found*, see the words above; a market's kinds are a set of bits."""
    for begin in range(0, events.shape[0], _BLOCK):
        end = min(begin + _BLOCK, events.shape[0])
        if not see_ordered(events, begin, end, found):
            see_any(events, begin, end, found)
    found[_EVENTS] += events.shape[0]


survey_kernel = compiled(_survey)


class Surveyor:
    """Looks over the events of *markets* markets piece by piece."""

    def __init__(self, markets: int) -> None:
        self._found = np.zeros(_MARKETS + _WORDS * markets, np.int64)
        self._found[_SHORTEST], self._found[_LONGEST] = _FOREVER, -_FOREVER
        self._found[_LAST_LOCAL] = self._found[_LAST_EXCH] = -_FOREVER
        self._found[_MARKETS + _LAST_MOVE :: _WORDS] = -_FOREVER

    def see(self, events: Events) -> None:
        """Look over the next events."""
        survey_kernel(np.require(events, requirements=["C", "A"]), self._found)

    def found(self, *, clock_offset_ns: int = 0) -> Survey:
        """Return what was found so far, with *clock_offset_ns* taken off every local time."""
        words = [int(value) for value in self._found]
        rows = [words[at : at + _WORDS] for at in range(_MARKETS, len(words), _WORDS)]
        return Survey(
            events=words[_EVENTS],
            local_backwards=words[_LOCAL_BACKWARDS],
            exch_backwards=words[_EXCH_BACKWARDS],
            shortest_ns=words[_SHORTEST] - clock_offset_ns,
            longest_ns=words[_LONGEST] - clock_offset_ns,
            most_market=words[_MOST_MARKET],
            kinds=tuple(frozenset(kind for kind in range(63) if row[_KINDS] >> kind & 1) for row in rows),
            most_ticks=tuple(row[_TICKS] for row in rows),
            most_lots=tuple(row[_LOTS] for row in rows),
            moves_backwards=tuple(row[_MOVES_BACKWARDS] for row in rows),
        )


def survey(events: Events, markets: int) -> Survey:
    """Return what one pass over *events* of *markets* markets finds."""
    surveyor = Surveyor(markets)
    surveyor.see(events)
    return surveyor.found()
