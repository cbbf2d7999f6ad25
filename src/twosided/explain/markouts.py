"""Markouts: how the mid moved after each fill, and how sure one can be of the mean.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

The markout of a fill at horizon h is s (M - m⁻): s = +1 for a purchase, -1 for a sale, m⁻ the last valid mid strictly before the
fill, M the last valid mid at or before t + h. Negative: the market moved against us, we were picked off. Each fill counts once
whatever its size; hedge fills are left out, and so are fills whose t + h lies beyond the end of the run (a shortened window would
flatter them).

Two fills less than h apart share a part of their windows, so their markouts are not independent, and a standard error that takes
them as independent is too small by the square root of how many fall into one window. The band here clusters: fills are gathered in
non-overlapping blocks of length h, a window then reaches into the next block at most, and with S_j the sum of deviations in block j

    variance of the mean = Σ_j S_j² + 2 Σ_j S_j S_{j+1}    (over n², times G / (G - 1) for G blocks)

which is the truncated estimator of Hansen and Hodrick (1980, Journal of Political Economy 88) on blocks with one lag. The lag
term is dropped where it is negative, so that the band errs on the wide side, and the quantile is Student's with G - 1 degrees of
freedom. Below `LEAST_BLOCKS` blocks no band is given.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twosided.errors import InputError
from twosided.explain.paths import Floats, Integers, fills_of, last_at, last_before, mids_of
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND

__all__ = ["HORIZONS_NS", "LEAST_BLOCKS", "Band", "Markout", "markouts", "mean_band", "student_975"]

HORIZONS_NS = (NS_PER_SECOND, 10 * NS_PER_SECOND, 60 * NS_PER_SECOND)
LEAST_BLOCKS = 10


class Band(NamedTuple):
    """A mean and its 95 % confidence band; None where there is nothing to say it from."""

    mean: float | None
    low: float | None
    high: float | None


class Markout(NamedTuple):
    """Mean markout of one market at one horizon."""

    market: int
    horizon_ns: int
    fills: int  # used
    left_out: int  # fills whose horizon lies beyond the end of the run
    blocks: int  # blocks of the horizon's length that hold a fill
    ticks: Band
    bps: Band  # of the mid before the fill


def markouts(run: Run, horizons_ns: Sequence[int] = HORIZONS_NS, *, side: int = 0, cause: int = 0) -> tuple[Markout, ...]:
    """Return the markouts of each market of *run* at each horizon: markets outside, horizons inside.

    Args:
        run: what an engine returned.
        horizons_ns: times after the fill.
        side: +1 purchases only, -1 sales only, 0 both.
        cause: only fills of this `FillCause`; 0 all.

    Raises:
        InputError: a horizon that is not positive.
        DataError: a frame of the run is not in the order of time.
    """
    for horizon_ns in horizons_ns:
        if horizon_ns <= 0:
            raise InputError(f"markout horizon is {horizon_ns} ns; allowed: more than 0")
    found = (_of_market(run, market, horizons_ns, side, cause) for market in range(len(run.instruments)))
    return tuple(one for listed in found for one in listed)


def _of_market(run: Run, market: int, horizons_ns: Sequence[int], side: int, cause: int) -> list[Markout]:
    mids, fills = mids_of(run, market), fills_of(run, market)
    fills = fills.where((fills.hedge != 1) & ((fills.side == side) | (side == 0)) & ((fills.cause == cause) | (cause == 0)))
    if not len(mids.ns) or not len(fills.ns):
        empty = Band(None, None, None)
        return [Markout(market, horizon_ns, 0, 0, 0, empty, empty) for horizon_ns in horizons_ns]
    before = mids.half_ticks[last_before(mids.ns, fills.ns)]
    results = []
    for horizon_ns in horizons_ns:
        whole = fills.ns + horizon_ns <= int(run.facts["end_ns"])
        times, start = fills.ns[whole], before[whole]
        move = 0.5 * (fills.side[whole] * (mids.half_ticks[last_at(mids.ns, times + horizon_ns)] - start))
        blocks = (times - int(run.facts["start_ns"])) // horizon_ns
        ticks, bps = mean_band(move, blocks), mean_band(2e4 * move / start, blocks)
        results.append(Markout(market, horizon_ns, len(times), len(whole) - len(times), len(np.unique(blocks)), ticks, bps))
    return results


def mean_band(values: Floats, blocks: Integers) -> Band:
    """Return the mean of *values* with its 95 % band; *blocks* is the number of the time block of each, in any order."""
    if not len(values):
        return Band(None, None, None)
    mean = float(np.mean(values))
    numbers, member = np.unique(blocks, return_inverse=True)
    if len(numbers) < LEAST_BLOCKS:
        return Band(mean, None, None)
    sums = np.bincount(member, weights=values - mean)
    neighbours = sums[1:] * sums[:-1] * (np.diff(numbers) == 1)
    variance = (float(np.sum(sums**2)) + max(2.0 * float(np.sum(neighbours)), 0.0)) * len(numbers) / (len(numbers) - 1)
    half_width = student_975(len(numbers) - 1) * variance**0.5 / len(values)
    return Band(mean, mean - half_width, mean + half_width)


def student_975(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's distribution, to 1e-3 from 9 degrees of freedom on.

    Abramowitz and Stegun 26.7.5; the exact one would cost half a second of importing scipy.special.
    """
    z = 1.959963984540054
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return float(z + sum(term / freedom ** (power + 1) for power, term in enumerate(terms)))
