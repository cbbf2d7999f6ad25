"""Counter-based random numbers: the value depends on (seed, purpose, counter) and on nothing that happened before.

So neither the number of strategies nor of cores, chunks or restarts changes a draw, and two purposes never share a stream.
The mixer is SplitMix64's finaliser (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", figure 13).
Compiled and interpreted code give the same bits: only 64-bit integer arithmetic, and what IEEE 754 or one libm decides, is used.

A simulation draws a stream per path and purpose: ``stream_of(seed, purpose, path)`` once, then ``stream_word(stream, step)`` for
each step, and `uniform_of`, `normal_of` or `exponential_of` of that word. Normal variates come from the ziggurat of Marsaglia
and Tsang (2000), "The ziggurat method for generating random variables", with 256 layers; the layer and the place in it are
separate bits of the word, as Doornik (2005) advises. One word in a hundred is not enough; the words after it are mixed out of
itself, so that a variate is a function of its key alone.
"""

import math
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import INTERPRETED, compiled

__all__ = [
    "Purpose",
    "exponential_of",
    "normal_of",
    "random_bits",
    "stream_of",
    "stream_word",
    "uniform",
    "uniform_of",
]


class Purpose(IntEnum):
    """What a draw is for; part of its key, so that streams are independent."""

    FEED_LATENCY = 1
    ENTRY_LATENCY = 2
    RESPONSE_LATENCY = 3
    FLOW = 4
    BOOTSTRAP = 5
    MID = 6
    MID_JUMP = 7
    MID_VARIANCE = 8
    SELL_ORDERS = 9
    BUY_ORDERS = 10
    ORDER_SIZE = 11
    INFORMED = 12


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


# ---------------------------------------------------------------- streams


def _next_word(word: Any) -> Any:
    """Return the word that follows *word* where one is not enough: SplitMix64's step and finaliser."""
    word = word + np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def _stream_word(stream: Any, counter: Any) -> Any:
    """Return the 64 random bits of *stream* at *counter*."""
    return next_word(stream + np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15))


if INTERPRETED:

    def next_word(word: Any) -> Any:
        """Return the word that follows *word* where one is not enough."""
        with np.errstate(over="ignore"):
            return _next_word(word)

    def stream_word(stream: Any, counter: Any) -> Any:
        """Return the 64 random bits of *stream* at *counter*."""
        with np.errstate(over="ignore"):
            return _stream_word(stream, counter)

else:
    next_word = compiled(_next_word, inline=True)
    stream_word = compiled(_stream_word, inline=True)

stream_of = random_bits
"""``stream_of(seed, purpose, number)``: where the stream of this seed, purpose and number (say, of a path) begins."""

_UNIT = 1.0 / 9007199254740992.0  # 2^-53


def _uniform_of(word: Any) -> float:
    """Return a number in [0, 1) with 53 random bits."""
    return float(np.int64(word >> np.uint64(11))) * _UNIT  # processors convert signed integers faster


uniform_of = compiled(_uniform_of, inline=True)

_EDGE, _AREA = 3.6541528853610092, 0.004928673233974648
"""Where the tail of the normal density begins, and the area of each layer, the lowest with the tail: one decides the other."""


def _layers() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the right ends of the layers below exp(-x²/2), from the innermost (0) outwards, and the curve's height at each."""
    ends = [_AREA * math.exp(0.5 * _EDGE * _EDGE), _EDGE]  # the lowest is as wide as a rectangle of its height and area would be
    while len(ends) < 256:
        ends.append(math.sqrt(-2.0 * math.log(_AREA / ends[-1] + math.exp(-0.5 * ends[-1] * ends[-1]))))
    ends.append(0.0)
    return np.array(ends[::-1]), np.array([math.exp(-0.5 * end * end) for end in ends[::-1]])


_ENDS, _HEIGHTS = _layers()


def _rare_normal(word: Any) -> float:
    """Return the normal variate of a *word* that lies in the wedge of a layer, or in the tail."""
    while True:
        layer: Any = np.int64(word & np.uint64(255))
        place = 2.0 * uniform_of(word) - 1.0
        x = place * _ENDS[layer + 1]
        if abs(x) < _ENDS[layer]:
            return float(x)
        word = next_word(word)
        if layer == 255:
            while True:
                beyond = -math.log(1.0 - uniform_of(word)) / _EDGE
                word = next_word(word)
                if -2.0 * math.log(1.0 - uniform_of(word)) > beyond * beyond:
                    return _EDGE + beyond if place > 0.0 else -_EDGE - beyond
                word = next_word(word)
        low, high = _HEIGHTS[layer + 1], _HEIGHTS[layer]
        if low + uniform_of(word) * (high - low) < math.exp(-0.5 * x * x):
            return float(x)
        word = next_word(word)


rare_normal = compiled(_rare_normal)


def _normal_of(word: Any) -> float:
    """Return a standard normal variate."""
    layer: Any = np.int64(word & np.uint64(255))
    x = (2.0 * uniform_of(word) - 1.0) * _ENDS[layer + 1]
    if abs(x) < _ENDS[layer]:
        return float(x)
    return rare_normal(word)


normal_of = compiled(_normal_of, inline=True)


def _exponential_of(word: Any) -> float:
    """Return an exponential variate of mean 1."""
    return -math.log(1.0 - uniform_of(word))


exponential_of = compiled(_exponential_of, inline=True)
