"""A draw is a function of (seed, purpose, counter) and of nothing else: the same bits everywhere, for ever."""

import math

import numpy as np
import pytest
from scipy import stats

from twosided._compile import INTERPRETED, compiled
from twosided._random import (
    _ENDS,
    Purpose,
    _random_bits,
    exponential_of,
    normal_of,
    random_bits,
    stream_of,
    stream_word,
    uniform,
    uniform_of,
)

pytestmark = pytest.mark.interpreted

MASK = 2**64 - 1
KNOWN = {  # (seed, purpose, counter): computed once, and never again
    (0, 1, 0): 0x7AB40E090F363A7D,
    (0, 1, 1): 0xBFEF8030DDC2D772,
    (0, 2, 0): 0x52EAD7E36EA7FEA8,
    (1, 1, 0): 0x0F9BF81AB2A0EFFC,
    (42, 3, 7): 0xFFDDF5AFA4C61C33,
    (2**63 - 1, 5, 2**62): 0x44A65D7CA4D23F7E,
    (12_345, 4, 1_000_000): 0x2C249F906EA76A94,
}


def naive(seed, purpose, counter):
    """SplitMix64's finaliser on the key, the counter added in between, with Python's integers."""
    word = (seed * 0xD1342543DE82EF95 + purpose) & MASK
    for addend in (counter * 0x9E3779B97F4A7C15, 0):
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
        word = ((word ^ (word >> 31)) + addend) & MASK
    return word


@pytest.mark.parametrize(("key", "bits"), list(KNOWN.items()))
def test_known_keys_give_known_bits_in_every_mode(key, bits):
    assert int(random_bits(*key)) == bits == naive(*key)


def test_interpreted_and_compiled_agree_bit_by_bit():
    keys = [(seed, purpose, counter) for seed in (0, 1, 2**62) for purpose in Purpose for counter in range(50)]
    with np.errstate(over="ignore"):
        plain = [int(_random_bits(*key)) for key in keys]
    assert [int(random_bits(*key)) for key in keys] == plain == [naive(*key) for key in keys]


def test_purposes_keep_their_numbers_because_streams_hang_on_them():
    assert {purpose.name: int(purpose) for purpose in Purpose} == {
        "FEED_LATENCY": 1,
        "ENTRY_LATENCY": 2,
        "RESPONSE_LATENCY": 3,
        "FLOW": 4,
        "BOOTSTRAP": 5,
        "MID": 6,
        "MID_JUMP": 7,
        "MID_VARIANCE": 8,
        "SELL_ORDERS": 9,
        "BUY_ORDERS": 10,
        "ORDER_SIZE": 11,
        "INFORMED": 12,
    }


def test_uniform_has_53_bits_and_stays_below_one():
    for key in KNOWN:
        assert uniform(*key) == (naive(*key) >> 11) / 2**53
    draws = [uniform(7, 1, i) for i in range(1000)]
    assert 0.0 <= min(draws) < 0.01
    assert 0.99 < max(draws) < 1.0


def test_the_largest_word_is_still_below_one():
    assert float(2**53 - 1) * (1.0 / 9007199254740992.0) < 1.0


N = 4000  # draws per stream; a correlation then has a standard error of 1/sqrt(4000) = 0.016


def stream(seed, purpose, shift=0):
    return np.array([uniform(seed, purpose, i + shift) for i in range(N)])


@pytest.mark.skipif(INTERPRETED, reason="thousands of draws; the bits are the same")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((0, 1), (0, 2)),  # two purposes
        ((0, 2), (0, 3)),
        ((0, 1), (1, 1)),  # neighbouring seeds
        ((5, 4), (6, 5)),
        ((0, 1), (0, 1, 1)),  # one stream against itself, a step later
    ],
)
def test_streams_are_uncorrelated(one, other):
    a, b = stream(*one), stream(*other)
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(N)
    assert abs(np.corrcoef((a - 0.5) ** 2, (b - 0.5) ** 2)[0, 1]) < 4 / np.sqrt(N)
    assert not set(a) & set(b[: N - 2]) or other == (0, 1, 1)


@pytest.mark.skipif(INTERPRETED, reason="thousands of draws; the bits are the same")
def test_a_stream_is_uniform_in_every_part_of_the_interval_and_every_bit():
    counts, _ = np.histogram(stream(3, 2), bins=16, range=(0, 1))
    assert ((counts - N / 16) ** 2 / (N / 16)).sum() < 38  # chi-squared, 15 degrees of freedom: 0.1 %
    words = np.array([int(random_bits(3, 2, i)) for i in range(N)], np.uint64)
    for bit in range(64):
        ones = int(((words >> np.uint64(bit)) & np.uint64(1)).sum())
        assert abs(ones - N / 2) < 4.5 * np.sqrt(N) / 2


# ---------------------------------------------------------------- streams


def word(stream, counter):
    return np.uint64(stream_word(np.uint64(stream), counter))


def naive_normal(bits):
    """Marsaglia and Tsang's ziggurat, written down once more with Python's own numbers."""

    def height(x):
        return math.exp(-0.5 * x * x)

    while True:
        layer, place = bits & 255, 2.0 * (bits >> 11) / 2**53 - 1.0
        x = place * _ENDS[layer + 1]
        if abs(x) < _ENDS[layer]:
            return x
        bits = naive_next(bits)
        if layer == 255:
            while True:
                beyond = -math.log(1.0 - (bits >> 11) / 2**53) / _ENDS[255]
                bits = naive_next(bits)
                if -2.0 * math.log(1.0 - (bits >> 11) / 2**53) > beyond**2:
                    return math.copysign(_ENDS[255] + beyond, place)
                bits = naive_next(bits)
        low, high = height(_ENDS[layer + 1]), height(_ENDS[layer])
        if low + (bits >> 11) / 2**53 * (high - low) < height(x):
            return x
        bits = naive_next(bits)


def naive_next(bits):
    bits = (bits + 0x9E3779B97F4A7C15) & MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


def test_a_stream_s_word_is_splitmix_at_its_counter():
    stream = stream_of(3, Purpose.MID, 17)
    for counter in (0, 1, 5, 10**12):
        assert int(word(stream, counter)) == naive_next((int(stream) + counter * 0x9E3779B97F4A7C15) & MASK)


def test_normals_are_the_ziggurat_s_in_every_layer_wedge_and_tail():
    tails = [(layer << 0) | (top << 56) for layer in (255, 254, 128, 1, 0) for top in (0, 1, 127, 128, 254, 255)]
    stream = stream_of(1, Purpose.MID, 0)
    for bits in [*tails, *(int(word(stream, i)) for i in range(400))]:
        assert normal_of(np.uint64(bits)) == pytest.approx(naive_normal(bits), rel=1e-13)


def test_layers_have_equal_areas_and_end_where_the_tail_begins():
    areas = _ENDS[1:256] * (np.exp(-0.5 * _ENDS[0:255] ** 2) - np.exp(-0.5 * _ENDS[1:256] ** 2))
    tail = math.sqrt(math.pi / 2) * math.erfc(_ENDS[255] / math.sqrt(2)) + _ENDS[255] * math.exp(-0.5 * _ENDS[255] ** 2)
    assert areas == pytest.approx(np.full(255, tail), rel=1e-9)


def _fill(out, stream):
    for i in range(len(out)):
        out[i] = normal_of(stream_word(stream, i))


@pytest.mark.skipif(INTERPRETED, reason="millions of draws; the bits are the same")
def test_normals_have_the_moments_tails_and_shape_of_the_normal_distribution():
    draws = np.empty(4_000_000)
    compiled(_fill)(draws, np.uint64(stream_of(8, Purpose.MID, 3)))
    n = len(draws)
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((draws**power).mean() - mean) < 4 * math.sqrt(variance / n)
    for edge in (1.0, 3.0, 3.6541, 3.7, 4.5):  # within, at and beyond the edge of the tail
        expected = n * math.erfc(edge / math.sqrt(2))
        assert abs((np.abs(draws) > edge).sum() - expected) < 4 * math.sqrt(expected)
    assert stats.kstest(draws, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 4 / math.sqrt(n)


def test_exponentials_invert_the_distribution():
    stream = stream_of(2, Purpose.ORDER_SIZE, 0)
    for i in range(20):
        bits = word(stream, i)
        assert exponential_of(bits) == -math.log(1.0 - uniform_of(bits))
