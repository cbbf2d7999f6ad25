"""Whether what we know is still true: age of the feed, gaps in its numbers, latency, age of own quotes.

Where you are in the pipe: events -> book -> *signals* -> strategy.

A feed lives by anything that comes over it, heartbeats included. How long the *book* has not changed says nothing: a real one is
silent for more than 200 ms three quarters of the time. A sequence number that jumps says that messages are missing, whatever the
age. All ages are 0 before there is anything to be old.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = [
    "LATENCY",
    "LIVENESS",
    "QUOTE_AGE",
    "age_s_of",
    "feed_age_s",
    "hear_message",
    "is_alive",
    "note_quote",
    "quote_age_s",
    "silent_share",
    "update_latency",
]

Floats = npt.NDArray[np.float64]

LIVENESS = np.dtype(
    (
        np.record,
        [
            ("heard_ns", "i8"),  # when anything last came, our clock; 0 before
            ("sequence", "i8"),  # number of the last message that had one; 0 before
            ("missed", "i8"),  # numbers that were left out
            ("repeated", "i8"),  # messages whose number was not above the one before
        ],
    )
)
"""One feed; zeroed at the start."""


def _hear_message(row: Any, now_ns: int, sequence: int) -> None:
    """Take in a message or heartbeat; *sequence* is its number, 0 where it has none."""
    row.heard_ns = now_ns
    if sequence > 0:
        if row.sequence > 0 and sequence > row.sequence + 1:
            row.missed += sequence - row.sequence - 1
        if sequence <= row.sequence:
            row.repeated += 1
        else:
            row.sequence = sequence


hear_message = compiled(_hear_message)


def _age_s_of(since_ns: int, now_ns: int) -> float:
    """Return the seconds from *since_ns* to now; 0 where that is 0."""
    return (now_ns - since_ns) * 1e-9 if since_ns != 0 else 0.0


age_s_of = compiled(_age_s_of)


def _is_alive(row: Any, now_ns: int, timeout_ns: int) -> bool:
    """Say whether something came within *timeout_ns*; a feed that has never said anything is not alive."""
    return bool(row.heard_ns != 0 and now_ns - row.heard_ns <= timeout_ns)


is_alive = compiled(_is_alive)


def _ages(ns: Any, at_ns: Any, state: Any, out: Any) -> None:
    """Write the age at each of *at_ns*, messages of that very instant included."""
    row, heard = state[0], 0
    for i in range(at_ns.shape[0]):
        while heard < ns.shape[0] and ns[heard] <= at_ns[i]:
            hear_message(row, ns[heard], 0)
            heard += 1
        out[i] = age_s_of(row.heard_ns, at_ns[i])


ages = compiled(_ages)


def feed_age_s(ns: npt.ArrayLike, at_ns: npt.ArrayLike) -> Floats:
    """Return the age of a feed in seconds at each of *at_ns*; 0 before its first message.

    Args:
        ns: when messages and heartbeats came, in order, shape (n,).
        at_ns: in order, shape (m,).

    Raises:
        InputError: times that are not in order.
    """
    heard, asked = _ordered(ns, "ns"), _ordered(at_ns, "at_ns")
    out = np.empty(len(asked))
    ages(heard, asked, np.zeros(1, LIVENESS), out)
    return out


def silent_share(ns: npt.ArrayLike, longer_ns: int) -> float:
    """Return the share of time in which the last message was more than *longer_ns* ago, from the first message to the last.

    Raises:
        InputError: fewer than two messages, or times that are not in order.
    """
    heard = _ordered(ns, "ns")
    if len(heard) < 2 or heard[0] == heard[-1]:
        raise InputError(f"ns has {len(heard)} times; allowed: at least two that differ")
    return float(np.sum(np.maximum(np.diff(heard) - longer_ns, 0)) / (heard[-1] - heard[0]))


def _ordered(ns: npt.ArrayLike, name: str) -> npt.NDArray[np.int64]:
    times = np.ascontiguousarray(ns, np.int64)
    if times.ndim != 1 or np.any(np.diff(times) < 0):
        raise InputError(f"{name} runs backwards; allowed: nanoseconds in order")
    return times


# ---------------------------------------------------------------- latency

LATENCY = np.dtype(
    (
        np.record,
        [
            ("last_s", "f8"),
            ("usual_s", "f8"),  # mean, the last 200 weighing most; 0 before the first
            ("worst_s", "f8"),
            ("count", "i8"),  # warm from 20 on
        ],
    )
)
"""Delays of messages, or of acknowledgements; zeroed at the start."""

_MEMORY = 200


def _update_latency(row: Any, delay_ns: int) -> None:
    """Take in one delay: receipt less sending of a message, or acknowledgement less sending of an order."""
    row.last_s = delay_ns * 1e-9
    row.count += 1
    row.usual_s += (row.last_s - row.usual_s) / min(row.count, _MEMORY)
    row.worst_s = row.last_s if row.count == 1 else max(row.worst_s, row.last_s)


update_latency = compiled(_update_latency)


# ---------------------------------------------------------------- own quotes

QUOTE_AGE = np.dtype((np.record, [("ticks", "i8", (2,)), ("since_ns", "i8", (2,))]))
"""Since when own quotes stand at their price: bid, ask; zeroed at the start, and 0: there is none."""


def _note_quote(row: Any, now_ns: int, side: int, ticks: int, lots: int) -> None:
    """Take in an own quote as it stands (*side* 0 the bid, 1 the ask): a new price begins a new age, a new size does not."""
    if lots == 0:
        row.since_ns[side] = 0
    elif row.since_ns[side] == 0 or row.ticks[side] != ticks:
        row.ticks[side], row.since_ns[side] = ticks, now_ns


note_quote = compiled(_note_quote)


def _quote_age_s(row: Any, now_ns: int) -> float:
    """Return the age of the older quote in seconds; 0 without any."""
    return max(age_s_of(row.since_ns[0], now_ns), age_s_of(row.since_ns[1], now_ns))


quote_age_s = compiled(_quote_age_s)
