"""A checksum of events, block by block: what was stored is read again, or it is an error.

Parquet's own checks do not see every damage: Polars reads a page whose bytes were zeroed as other numbers. So each 262,144 events
have a 64-bit sum in the file's metadata. Five lanes, one a word of the event, are multiplied and folded each (as in SplitMix64), so
that the processor works on all at once: 8 ns an event, where reading it takes 110 and more (two busy cores).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled

__all__ = ["EVENTS_PER_SUM", "Checksums"]

EVENTS_PER_SUM = 1 << 18
_LANES = 5
_NAMES = ("exch_ns", "local_ns", "id", "lots", "ticks", "kind", "flags", "side", "market")

Words = npt.NDArray[np.uint64]


def _mixed(state: Any, word: Any) -> Any:
    """Return a lane's *state* after *word*."""
    state = (state ^ word) * np.uint64(0xBF58476D1CE4E5B9)
    return state ^ (state >> np.uint64(29))


mixed = compiled(_mixed)


def _absorb(
    lanes: Any, exch: Any, local: Any, number: Any, lots: Any, ticks: Any, kind: Any, flags: Any, side: Any, market: Any
) -> None:
    """Let *lanes* take in events, given as columns of unsigned numbers."""
    first, second, third, fourth, fifth = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4]
    for i in range(len(exch)):
        small = (
            (np.uint64(kind[i]) << np.uint64(24)) | (np.uint64(flags[i]) << np.uint64(16)) | (np.uint64(side[i]) << np.uint64(8))
        )
        first = mixed(first, exch[i])
        second = mixed(second, local[i])
        third = mixed(third, number[i])
        fourth = mixed(fourth, lots[i])
        fifth = mixed(fifth, (np.uint64(ticks[i]) << np.uint64(32)) | small | np.uint64(market[i]))
    lanes[0], lanes[1], lanes[2], lanes[3], lanes[4] = first, second, third, fourth, fifth


absorb = compiled(_absorb)


def _folded(lanes: Any, count: int) -> Any:
    """Return one sum of *lanes* that have seen *count* events."""
    total = np.uint64(count)
    for lane in lanes:
        total = mixed(total, lane)
    return total


folded = compiled(_folded)


class Checksums:
    """Sums up events that come in pieces of any length.

    Attributes:
        sums: of the blocks that are complete.
    """

    def __init__(self) -> None:
        self.sums: list[str] = []
        self._lanes, self._count = _fresh(), 0

    def see(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take in the next events: *columns* has an array of each field of `EVENT`."""
        words = [columns[name].view(f"u{columns[name].itemsize}") for name in _NAMES]
        begin, count = 0, len(words[0])
        while begin < count:
            end = min(begin + EVENTS_PER_SUM - self._count, count)
            with np.errstate(over="ignore"):  # wrapping at 2^64 is what mixing is made of
                absorb(self._lanes, *[column[begin:end] for column in words])
            self._count += end - begin
            begin = end
            if self._count == EVENTS_PER_SUM:
                self._close()

    def finish(self) -> tuple[str, ...]:
        """Return all sums, with that of what is left."""
        if self._count:
            self._close()
        return tuple(self.sums)

    def _close(self) -> None:
        with np.errstate(over="ignore"):
            total = int(folded(self._lanes, self._count))
        self.sums.append(f"{total:016x}")
        self._lanes, self._count = _fresh(), 0


def _fresh() -> Words:
    """Return lanes that have seen nothing."""
    return np.arange(1, _LANES + 1, dtype=np.uint64)
