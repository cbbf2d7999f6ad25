"""Checksums against a slow sum of whole numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.data import checksum
from twosided.data.checksum import Checksums
from twosided.market.event import EVENT

WORD = 1 << 64


def naive(rows):
    """Return the checksum of one block of events."""

    def mixed(state, word):
        state = (state ^ word) * 0xBF58476D1CE4E5B9 % WORD
        return state ^ (state >> 29)

    lanes = [1, 2, 3, 4, 5]
    for exch, local, number, lots, ticks, kind, flags, side, market in rows:
        last = (ticks % 2**32) << 32 | kind << 24 | flags << 16 | (side % 256) << 8 | market
        lanes = [mixed(lane, word % WORD) for lane, word in zip(lanes, (exch, local, number, lots, last), strict=True)]
    total = len(rows)
    for lane in lanes:
        total = mixed(total, lane)
    return f"{total:016x}"


def made(seed, count):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, count * EVENT.itemsize, dtype=np.uint8).view(EVENT)


def columns_of(events):
    return {name: np.ascontiguousarray(events[name]) for name in EVENT.names}


@pytest.mark.interpreted
@given(st.integers(0, 99), st.integers(0, 40), st.lists(st.integers(0, 40), max_size=4), st.sampled_from([1, 7, 64]))
def test_each_block_has_the_sum_of_its_events_however_they_come(seed, count, cuts, block):
    events, sums = made(seed, count), Checksums()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checksum, "EVENTS_PER_SUM", block)
        for part in np.split(events, sorted(min(cut, count) for cut in cuts)):
            sums.see(columns_of(part))
        rows = events.tolist()
        assert list(sums.finish()) == [naive(rows[begin : begin + block]) for begin in range(0, count, block)]


@pytest.mark.interpreted
def test_any_bit_matters():
    events = made(3, 20)
    sums = Checksums()
    sums.see(columns_of(events))
    whole = sums.finish()
    rng = np.random.default_rng(4)
    for bit in rng.integers(0, 8 * events.nbytes, 200).tolist():
        other = events.copy()
        other.view(np.uint8)[bit // 8] ^= 1 << bit % 8
        sums = Checksums()
        sums.see(columns_of(other))
        assert sums.finish() != whole
