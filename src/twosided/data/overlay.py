"""A book that its own changes move in steps, and the venue's best prices in between: what is known of it at every moment.

Where you are in the pipe: file -> reader -> grid -> *settle* -> events. Venues send changes of the book in batches, every 50 or
100 ms, and beside them the best prices, each time they change; both carry the ids of one sequence of updates. The *base* is what
snapshots and changes say. The *book* is the base, and over it, in the order of their ids, all best prices whose id is later than
the last change's: above its best bid and below its best ask nothing rests, and at both what it says. A change is silent about a
level that went and came back since the one before, so with each change every level that best prices had touched, and that no
later ones touch, is again what the base says. The events are the differences: a message of best prices becomes the levels that
are another than before, a change its own levels and those that return.

The work is done by `overlay_kernel`; here is the memory that it needs and enlarges.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twosided.data.numbers import Ints
from twosided.data.overlay_kernel import BEST_PRICES, COLUMNS, ROWS, SILENT, SPARE_PAGES, STATE, follow, keep_needed
from twosided.data.raw import new_events
from twosided.data.staleness import new_measure
from twosided.market.event import Events, Flag
from twosided.market.ladder import free_pages, grow_books, new_books

__all__ = ["BEST_PRICES", "SILENT", "Overlay", "Settled", "Staleness"]

_MOST_WAITING = 1 << 13  # best prices kept for a change of an earlier id to come: seconds of them, and such a change lays all
_FIRST_PAGES, _FIRST_TOUCHED = 1 << 11, 1 << 12  # memory is taken only where prices are
_SPARE_EVENTS = 1 << 13


class Settled(NamedTuple):
    """What became of a block."""

    events: Events
    origin: Ints  # from which of the given events each was made
    checks: Ints  # update id, bid ticks, bid lots, ask ticks, ask lots of the base after each change of it
    best: Ints  # the best prices of the block, in the same columns


class Staleness(NamedTuple):
    """What best prices said that changes did not, or only later; times by the exchange's clock."""

    messages: int  # of best prices
    late: int  # of these, messages that came after a change of the same or a later id: they only check it
    changes: int  # messages of best prices after which the best bid or the best ask was another
    total_ns: int  # from the first state to the last
    stale_ns: int  # while the base had another best bid or ask than the book
    longest_ns: int  # of these, the longest stretch
    furthest_ticks: int  # by how much a best price of the base was off at most


class Overlay:
    """Follows one market through a recording that comes in blocks, in constant memory."""

    def __init__(self) -> None:
        self._books = new_books(ROWS, _FIRST_PAGES)
        self._touched: Ints = np.zeros(_FIRST_TOUCHED, np.int64)
        self._waiting = np.zeros((_MOST_WAITING, COLUMNS), np.int64)
        self._state: Any = np.zeros(1, STATE)[0]
        self._state.last_id = self._state.last_best_id = -1
        self._measure = new_measure()

    def settle(self, events: Events) -> Settled:
        """Return the events that *events*, whole messages in the order of their arrival, amount to.

        A change is DEPTH events with its id, or one event with the flag `SILENT`; best prices are two with `BEST_PRICES`, bid and
        ask. Whatever is neither, nor a snapshot, passes through. A side of best prices that has no lots says nothing.
        """
        state = self._state
        checks = np.zeros((int(np.count_nonzero(events["flags"] & Flag.LAST_OF_MESSAGE)), COLUMNS), np.int64)
        made: list[Events] = [new_events(0)]
        origins: list[Ints] = [np.zeros(0, np.int64)]
        state.n_checks = begin = 0
        while begin < len(events):
            room = max(len(events) - begin + _SPARE_EVENTS, int(state.wanted_events))
            out, origin = new_events(room), np.zeros(room, np.int64)
            state.n_events = 0
            memory = self._books, self._touched, self._waiting, state, self._measure
            begin = int(follow(events, begin, *memory, out, origin, checks))
            made.append(out[: state.n_events])
            origins.append(origin[: state.n_events])
            self._make_room()
        return Settled(np.concatenate(made), np.concatenate(origins), checks[: state.n_checks], _best_of(events))

    def _make_room(self) -> None:
        """Give the next message what it may want of levels."""
        if free_pages(self._books) < SPARE_PAGES:
            self._books = grow_books(self._books)
        if self._state.n_touched == len(self._touched):
            self._shorten_list()

    def _shorten_list(self) -> None:
        """Drop from the list of touched levels what is there twice and what need not be; lengthen it where that is not enough."""
        keys = np.unique(self._touched)
        kept = int(keep_needed(keys, self._books))
        self._touched = np.zeros(max(len(self._touched), 4 * kept), np.int64)
        self._touched[:kept] = keys[:kept]
        self._state.n_touched, self._state.n_told = kept, 0

    @property
    def staleness(self) -> Staleness:
        """What was found so far."""
        state, measure = self._state, self._measure
        return Staleness(int(state.messages), int(state.late), *(int(measure[name]) for name in Staleness._fields[2:]))


def _best_of(events: Events) -> Ints:
    """Return the best prices among *events*, in the columns of a check."""
    both = events[events["flags"] & BEST_PRICES != 0]
    bids, asks = both[0::2], both[1::2]
    columns: list[npt.NDArray[Any]] = [bids["id"].astype(np.int64), bids["ticks"], bids["lots"], asks["ticks"], asks["lots"]]
    return np.column_stack(columns).astype(np.int64)
