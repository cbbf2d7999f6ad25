"""How sure the difference of two runs is: a paired block bootstrap.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

Two runs on the same market earn and lose in the same minutes, so that their difference is known far better than either result. Its
error is found by drawing blocks of time again and again, the same blocks for both runs: a block keeps what is alike between
neighbours, a pair what is alike between runs. Blocks are drawn with replacement from a circle (Politis and Romano 1992, "A circular
block-resampling procedure for stationary data"); their length follows Politis and White 2004, "Automatic block-length selection for
the dependent bootstrap", corrected by Patton, Politis and White 2009. The interval is

    estimate ± t * s * sqrt(n / (n - b)),       t: 97.5 % of Student's with n/b - 1 degrees of freedom

with s the standard deviation of the resampled statistic, n increments, and b the length of a block: a percentile interval is too
narrow where n/b is small, and a stationary bootstrap a little more so (measured; `docs/decisions/0006-block-bootstrap.md`).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from twosided.explain.markouts import student_975
from twosided.explain.paths import Floats, Integers

__all__ = ["DRAWS", "LEAST_INCREMENTS", "Interval", "block_length", "drawn_blocks", "paired_interval"]

DRAWS = 1000
LEAST_INCREMENTS = 100
"""Fewer increments than this give no interval."""

_FEWEST_BLOCKS = 10
_SEED = 20090731
_AT_ONCE = 2_000_000  # numbers in memory

Statistic = Callable[[Floats], Floats]
"""From increments, shape (..., n), to a number each, shape (...)."""


class Interval(NamedTuple):
    """A difference with its 95 % interval; ``block`` is the length of the blocks that were drawn, in increments."""

    value: float
    low: float
    high: float
    block: int


def paired_interval(ours: Floats, base: Floats, statistic: Statistic, draws: int = DRAWS, seed: int = _SEED) -> Interval | None:
    """Return ``statistic(ours) - statistic(base)`` with its 95 % interval; None with fewer than `LEAST_INCREMENTS`.

    Args:
        ours: increments of one run, shape (n,).
        base: those of the other over the same times.
        statistic: what is compared.
        draws: how many times blocks are drawn.
        seed: of the draws.
    """
    n = len(ours)
    if n < LEAST_INCREMENTS:
        return None
    value = float(statistic(ours) - statistic(base))
    block = max(map(block_length, (ours, base, ours - base)))
    random = np.random.default_rng(seed)
    found = []
    for first in range(0, draws, step := max(_AT_ONCE // n, 1)):
        at = drawn_blocks(random, n, block, min(step, draws - first))
        found.append(statistic(ours[at]) - statistic(base[at]))
    error = float(np.std(np.concatenate(found), ddof=1)) * (n / (n - block)) ** 0.5
    half_width = student_975(n / block - 1) * error
    return Interval(value, value - half_width, value + half_width, block)


def drawn_blocks(random: np.random.Generator, n: int, block: int, draws: int) -> Integers:
    """Return indices into n increments, shape (draws, n): blocks of *block* neighbours on a circle, the last one cut."""
    starts = random.integers(0, n, (draws, -(-n // block)))
    at: Integers = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)[:, :n] % n
    return at


def block_length(values: Floats) -> int:
    """Return the length of blocks that makes the variance of a mean of *values* best known, from 1 to a tenth of their number.

    With R(k) the autocovariance at lag k, λ the flat-top window over M lags, twice as many as differ from zero:
    g = Σ λ(k/M) |k| R(k), D = 4/3 (Σ λ(k/M) R(k))², length (2 g² n / D)^(1/3) (Politis and White 2004, section 3.2).
    """
    n = len(values)
    most = int(min(np.ceil(3 * n**0.5), n // _FEWEST_BLOCKS))
    centred = values - np.mean(values)
    run_of_zeros = max(5, int(np.log10(n) ** 0.5))
    lags = min(int(np.ceil(n**0.5)) + run_of_zeros, n - 1)
    covariance = np.array([np.dot(centred[: n - lag], centred[lag:]) for lag in range(lags + 1)]) / n
    if covariance[0] <= 0 or most < 2:
        return 1
    significant = np.abs(covariance[1:] / covariance[0]) >= 2 * (np.log10(n) / n) ** 0.5
    width = min(2 * _lags_that_count(significant, run_of_zeros), lags)
    window = np.minimum(1.0, 2.0 * (1.0 - np.arange(1, width + 1) / width))
    weighted = window * covariance[1 : width + 1]
    g, long_run = 2.0 * float(np.sum(np.arange(1, width + 1) * weighted)), float(covariance[0] + 2.0 * np.sum(weighted))
    if long_run <= 0:  # a window of few lags may overshoot; nothing then says how long a block must be
        return most
    return int(np.clip(np.ceil((2.0 * g * g * n / (4.0 / 3.0 * long_run**2)) ** (1.0 / 3.0)), 1, most))


def _lags_that_count(significant: Floats, run_of_zeros: int) -> int:
    """Return after how many lags the next *run_of_zeros* are all like zero, at least 1; the last significant one where none are."""
    for first in range(len(significant) - run_of_zeros + 1):
        if not significant[first : first + run_of_zeros].any():
            return max(first, 1)
    return int(np.flatnonzero(significant)[-1]) + 1
