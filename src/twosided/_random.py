"""Counter-based random numbers: the value depends on (seed, purpose, counter) and on nothing that happened before.

So neither the number of strategies nor of cores, chunks or restarts changes a draw, and two purposes never share a stream.
The mixer is SplitMix64's finaliser (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", figure 13).
Compiled and interpreted code give the same bits: only 64-bit integer arithmetic is used.
"""

from enum import IntEnum
from typing import Any

import numpy as np

from twosided._compile import INTERPRETED, compiled

__all__ = ["Purpose", "random_bits", "uniform"]


class Purpose(IntEnum):
    """What a draw is for; part of its key, so that streams are independent."""

    FEED_LATENCY = 1
    ENTRY_LATENCY = 2
    RESPONSE_LATENCY = 3
    FLOW = 4
    BOOTSTRAP = 5


def _random_bits(seed: Any, purpose: Any, counter: Any) -> Any:
    """Return 64 random bits for the key (*seed*, *purpose*, *counter*)."""
    word = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + np.uint64(purpose)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    word = (word ^ (word >> np.uint64(31))) + np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


if INTERPRETED:

    def random_bits(seed: Any, purpose: Any, counter: Any) -> Any:
        """Return 64 random bits for the key (*seed*, *purpose*, *counter*)."""
        with np.errstate(over="ignore"):  # wrapping at 2^64 is what the mixer is made of
            return _random_bits(seed, purpose, counter)

else:
    random_bits = compiled(_random_bits)


def _uniform(seed: Any, purpose: Any, counter: Any) -> float:
    """Return a number in [0, 1) with 53 random bits."""
    return float(random_bits(seed, purpose, counter) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


uniform = compiled(_uniform)
