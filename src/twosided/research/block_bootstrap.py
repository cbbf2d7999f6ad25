"""Intervals of what is computed from sums over time, where neighbours are alike: a circular block bootstrap.

Where you are in the pipe: research, on top of all rooms. Regressions and fitted rates are functions of sums of moments. So a
block of rows is drawn as one difference of two running sums, and draws cost what their blocks cost, not their rows. The scheme and
the interval are those of `twosided.explain.comparison_bootstrap` (Politis and Romano 1992; Politis and White 2004 for the length).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError
from twosided.explain.comparison_bootstrap import block_length
from twosided.explain.markouts import student_975
from twosided.research.measured import Measured

__all__ = ["intervals", "least_squares"]

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""From sums of moments, shape (draws, m), to statistics, shape (draws, p)."""

DRAWS = 500
_LEAST_USABLE = 0.9  # of the draws
_SEED = 20090731
_AT_ONCE = 2_000_000  # numbers in memory
_SINGULAR = 1e12  # condition from which on a regression is not solved
_MOST_BLOCKS = 2_000
"""Of one draw: longer blocks than needed only cost precision of the error, and that is enough here."""


def intervals(moments: Floats, statistic: Statistic, influence: Floats, *, least_block: int = 1) -> tuple[Measured, ...]:
    """Return each statistic of the sums of *moments* with its 95 % interval.

    Args:
        moments: one row per observation, in the order of time, shape (n, m).
        statistic: what is wanted of their sums; its draws that are not finite are left out.
        influence: how each observation moves each statistic, up to a factor, shape (n, p): tells how long a block must be.
        least_block: rows that a block has at least, where it is known that so many hang together.

    Raises:
        InputError: the statistic is not finite, or hardly any draw of it is.
    """
    n = len(moments)
    value = statistic(moments.sum(axis=0)[None, :])[0]
    needed = max(least_block, *(block_length(np.ascontiguousarray(column)) for column in influence.T))
    block = min(max(needed, -(-n // _MOST_BLOCKS)), max(n // 10, 1))
    running = np.zeros((n + block + 1, moments.shape[1]))
    np.cumsum(np.concatenate([moments, moments[:block]]), axis=0, out=running[1:])
    sums = running[block : n + block] - running[:n]  # of the block that begins at each row
    random, count = np.random.default_rng(_SEED), max(round(n / block), 1)
    found = []
    for first in range(0, DRAWS, step := max(_AT_ONCE // (count * moments.shape[1]), 1)):
        at = random.integers(0, n, (min(step, DRAWS - first), count))
        found.append(statistic(sums[at].sum(axis=1) * (n / (count * block))))
    drawn = np.concatenate(found)
    if not np.all(np.isfinite(value)) or np.mean(np.isfinite(drawn)) < _LEAST_USABLE:
        raise InputError("the data do not tell the parts of this estimate from one another: too little happens in them")
    error = np.array([np.std(column[np.isfinite(column)], ddof=1) for column in drawn.T]) * (n / (n - block)) ** 0.5
    half_width = student_975(max(n / block - 1, 1.0)) * error
    return tuple(
        Measured(float(each), float(each - width), float(each + width)) for each, width in zip(value, half_width, strict=True)
    )


def least_squares(
    design: Floats, outcome: Floats, statistic: Callable[[Floats, Floats], Floats] | None = None
) -> tuple[tuple[Measured, ...], float]:
    """Return the coefficients of a regression without a constant, with intervals by blocks, and its R².

    Args:
        design: shape (n, p); a column of ones where a constant is wanted.
        outcome: shape (n,).
        statistic: what is wanted instead of the coefficients, shape (draws, any), of draws of them, shape (draws, p), and of the
            sums X'X, shape (draws, p, p).
    """
    p = design.shape[1]
    upper = [(i, j) for i in range(p) for j in range(i, p)]
    products = [design[:, i] * design[:, j] for i, j in upper] + [design[:, i] * outcome for i in range(p)]
    moments = np.stack(products, axis=1)

    def solved(sums: Floats) -> Floats:
        square = np.empty((len(sums), p, p))
        for place, (i, j) in enumerate(upper):
            square[:, i, j] = square[:, j, i] = sums[:, place]
        singular = np.linalg.cond(square) > _SINGULAR  # a draw of quiet blocks alone says nothing
        square[singular] = np.eye(p)
        found = np.asarray(np.linalg.solve(square, sums[:, len(upper) :, None])[:, :, 0])
        found[singular] = np.nan
        return found if statistic is None else statistic(found, square)

    left = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
    total = float(np.sum(np.square(outcome - outcome.mean())))
    explained = 1.0 - float(np.sum(np.square(left - left.mean()))) / total if total > 0.0 else 0.0
    return intervals(moments, solved, design * left[:, None]), explained
