"""Markouts: the signed move of the mid after each fill, with a band that knows that windows overlap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from twosided.errors import InputError
from twosided.explain.markouts import LEAST_BLOCKS, markouts, mean_band, student_975

SECOND = 1_000_000_000


@given(seed=st.integers(0, 2**32), horizon_s=st.integers(1, 70), n_fills=st.integers(0, 30))
def test_each_markout_is_the_signed_move_from_the_mid_before_the_fill_to_the_mid_a_horizon_later(runs, seed, horizon_s, n_fills):
    run = runs.random(seed, n_fills=n_fills)
    (found,) = markouts(run, [horizon_s * SECOND])
    path = [(row["exch_ns"], (row["bid_ticks"] + row["ask_ticks"]) / 2) for row in run.mids.to_dicts()]
    while len(path) > 1 and path[1][0] <= runs.START:
        path.pop(0)
    moves, relative, late = [], [], 0
    for fill in run.fills.to_dicts():
        if fill["hedge"]:
            continue
        at = fill["exch_ns"] + horizon_s * SECOND
        if at > run.facts["end_ns"]:
            late += 1
            continue
        before = [path[0][1], *(mid for ns, mid in path if ns < fill["exch_ns"])][-1]
        after = [path[0][1], *(mid for ns, mid in path if ns <= at)][-1]
        moves.append(fill["side"] * (after - before))
        relative.append(1e4 * moves[-1] / before)
    assert (found.fills, found.left_out) == (len(moves), late)
    if moves:
        assert found.ticks.mean == pytest.approx(np.mean(moves))
        assert found.bps.mean == pytest.approx(np.mean(relative))
    else:
        assert found.ticks == found.bps == (None, None, None)


def coverage(seed, samples, band):
    """Return how often the band holds the true mean, zero, of a random walk seen through dense, overlapping windows."""
    random = np.random.default_rng(seed)
    hits = 0
    for _ in range(samples):
        walk = np.cumsum(random.normal(size=2100))
        times = np.sort(random.choice(2000, 1000, replace=False))
        hits += band(walk[times + 50] - walk[times], times // 50)
    return hits / samples


def test_the_band_covers_the_true_mean_although_windows_overlap_and_a_naive_one_does_not():
    def ours(values, blocks):
        band = mean_band(values, blocks)
        return band.low <= 0 <= band.high

    def naive(values, _blocks):
        return abs(np.mean(values)) <= 1.96 * np.std(values) / len(values) ** 0.5

    assert 0.92 <= coverage(1, 600, ours) <= 0.985
    assert coverage(1, 600, naive) < 0.5


def test_independent_values_get_the_textbook_band():
    values = np.random.default_rng(2).normal(0.3, 1, 4000)
    band = mean_band(values, 2 * np.arange(4000))  # no two blocks are neighbours
    half = 1.96 * np.std(values, ddof=1) / 4000**0.5
    assert (band.low, band.high) == pytest.approx((np.mean(values) - half, np.mean(values) + half), rel=1e-3)


def test_few_blocks_give_a_mean_without_a_band():
    band = mean_band(np.arange(40.0), np.arange(40) % (LEAST_BLOCKS - 1))
    assert band == (19.5, None, None)


@pytest.mark.parametrize("freedom", [9, 12, 30, 1000])
def test_students_quantile(freedom):
    assert student_975(freedom) == pytest.approx(stdtrit(freedom, 0.975), abs=1e-3)


def test_a_horizon_must_be_positive(runs):
    with pytest.raises(InputError, match="markout horizon is 0 ns"):
        markouts(runs.random(1), [0])
