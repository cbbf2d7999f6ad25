"""The one record that every source of market data is turned into, and every engine reads.

Where you are in the pipe: *events* -> book -> signals -> strategy -> risk -> order manager -> venue -> fills -> ledger.

One event is 40 bytes. Events of one market that follow each other with equal times form a **message**; its last event carries
``LAST_OF_MESSAGE``. Books are checked, and strategies woken, only after it, because a half-applied message may be crossed.
A file keeps its events in the order in which they arrived here (``local_ns`` never decreases); the exchange's own order is the
stable sort by ``exch_ns``.

A market is recorded by level (DEPTH) or order by order (ADD, MODIFY, CANCEL, FILL), never both; the four have `side` and `ticks` of
the resting order, as far as the venue says them. A TRADE with an order that was displayed stands in front of the FILL that it
caused; the FILL moves the book, the TRADE does not. What is said of an order that nobody added is left alone, but for a MODIFY
that says everything: that order is taken up as a new one.
"""

from enum import IntEnum, IntFlag

import numpy as np
import numpy.typing as npt

__all__ = ["BOOK_KINDS", "BY_ORDER", "EVENT", "Events", "Flag", "Kind", "Status", "exchange_order"]

EVENT = np.dtype(
    (
        np.record,
        [
            (
                "exch_ns",
                "<i8",
            ),  # matching time where the venue sends it, else its send time; ns since epoch UTC, exchange clock
            (
                "local_ns",
                "<i8",
            ),  # receipt here; ns since epoch UTC, our clock, corrected by the offset that the source reports
            ("id", "<u8"),  # order id (order by order), update or trade id (by level); 0 where the source has none
            ("lots", "<i8"),  # new size of the level (DEPTH), size traded (TRADE), size of the order; Status for STATUS
            ("ticks", "<i4"),  # price in the instrument's price quantum
            ("kind", "u1"),  # Kind
            ("flags", "u1"),  # Flag; in kernels event["flags"], because numpy's scalars have a `.flags` of their own
            ("side", "i1"),  # +1 bid or buyer, -1 ask or seller, 0 unknown; for TRADE the aggressor's side
            ("market", "u1"),  # index into the run's instruments
        ],
    ),
)
"""Layout of one event; pinned by a test, because files and compiled code depend on it."""

Events = npt.NDArray[np.record]
"""A one-dimensional array of ``EVENT``."""


class Kind(IntEnum):
    """What an event says."""

    DEPTH = 1  # the level at `ticks` on `side` now holds `lots`; 0 removes it
    TRADE = 2  # `lots` changed hands at `ticks`; `side` is the aggressor's
    SNAPSHOT_BEGIN = 3  # forget the book; DEPTH or ADD events up to SNAPSHOT_END rebuild it
    SNAPSHOT_END = 4
    CLEAR = 5  # forget one side (`side` ±1) or both (0)
    STATUS = 6  # the market's trading status is now `lots`, a Status
    FUNDING = 7  # a funding payment is exchanged; `lots` is the rate in 1e-9 of value, positive = longs pay
    BAND = 8  # a price limit changed: nobody buys above (`side` +1) or sells below (-1) `ticks`; no limit where `lots` is 0
    ADD = 10  # a new order `id` of `lots` at `ticks`, last in its queue
    MODIFY = 11  # order `id` now has `lots` at `ticks`; unless only its size shrank it is last in its queue
    CANCEL = 12  # `lots` of order `id` leave, all of it where `lots` is 0 or more than it has
    FILL = 13  # order `id` traded `lots`; with nothing left it is gone


BY_ORDER = frozenset({Kind.ADD, Kind.MODIFY, Kind.CANCEL, Kind.FILL})
"""The kinds that make a market one that is recorded order by order."""

BOOK_KINDS = BY_ORDER | {Kind.DEPTH}
"""The kinds that change a book."""


class Flag(IntFlag):
    """Bits of ``flags``."""

    LAST_OF_MESSAGE = 1
    SNAPSHOT = 2  # part of a snapshot: restates the book, does not change it
    HIDDEN = 4  # a trade with an order that was not displayed: it takes nothing from any queue


class Status(IntEnum):
    """Trading status of a market. Own orders are accepted and filled in OPEN only."""

    CLOSED = 0
    OPEN = 1  # continuous trading
    AUCTION = 2
    HALT = 3


def exchange_order(events: Events) -> Events:
    """Return *events* in the order of the exchange's clock: a stable sort by ``exch_ns``; the same array when sorted already."""
    times = events["exch_ns"]
    if np.all(times[1:] >= times[:-1]):
        return events
    return events[np.argsort(times, kind="stable")]
