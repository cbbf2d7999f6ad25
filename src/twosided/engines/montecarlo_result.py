"""What a simulation returns: moments of every figure over all paths, a sample of paths, and how quoters differ.

Where you are in the pipe: ... -> fills -> ledger -> *explanation* begins here.

All quoters met the same paths, so a difference between two of them has a far smaller error than either mean.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import logsumexp

from twosided._compile import compiled
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.engines.montecarlo_world import COLUMNS
from twosided.errors import InputError, suggest

__all__ = ["SAMPLE", "Estimate", "Moments", "Simulation"]

Floats = npt.NDArray[np.float64]

SAMPLE = 65_536
"""Paths of which every figure is kept, the first ones: memory does not grow with the number of paths beyond it."""

Z95 = 1.959964


@dataclass(frozen=True)
class Estimate:
    """A number from a simulation and its standard error."""

    value: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval."""
        return self.value - Z95 * self.error, self.value + Z95 * self.error


def _gather(rows: Any, mean: Any, away: Any, comoment: Any, absent: Any) -> None:
    """Fill the *mean* and *comoment* (both 0 before) of vectors, one a row, in which NaN counts as 0; *away* is room for one.

    *absent* counts the NaN of each column.
    """
    count, width = rows.shape
    for i in range(count):
        for j in range(width):
            nothing = math.isnan(rows[i, j])
            absent[j] += nothing
            mean[j] += 0.0 if nothing else rows[i, j]
    for j in range(width):
        mean[j] /= count
    for i in range(count):
        for j in range(width):
            away[j] = (0.0 if math.isnan(rows[i, j]) else rows[i, j]) - mean[j]
        for j in range(width):
            for k in range(width):
                comoment[j, k] += away[j] * away[k]


gather = compiled(_gather, nogil=True)


class Moments:
    """Number, mean and comoments of vectors, gathered in chunks that are merged in order (Chan, Golub, LeVeque 1983)."""

    def __init__(self, width: int) -> None:
        """Begin with no vectors of *width* numbers."""
        self.count = 0
        self.mean = np.zeros(width)
        self.comoment = np.zeros((width, width))
        self.absent = np.zeros(width, np.int64)

    @classmethod
    def of(cls, rows: Floats) -> "Moments":
        """Return those of vectors, one a row, in which NaN counts as 0. Other threads of Python run meanwhile."""
        found = cls(rows.shape[1])
        gather(rows, found.mean, np.zeros(rows.shape[1]), found.comoment, found.absent)
        found.count = len(rows)
        return found

    def merge(self, other: "Moments") -> None:
        """Take in the vectors of *other*."""
        shift, total = other.mean - self.mean, self.count + other.count
        self.comoment += other.comoment + np.outer(shift, shift) * (self.count * other.count / total)
        self.mean += shift * (other.count / total)
        self.absent += other.absent
        self.count = total

    def present(self, j: int) -> Estimate:
        """Return the mean of column *j* over the vectors that have a number there, NaN where none has."""
        present = self.count - int(self.absent[j])
        mean = self.mean[j] * (self.count / present) if present else math.nan
        squares = self.comoment[j, j] + self.count * self.mean[j] ** 2 - present * mean**2
        return Estimate(float(mean), math.sqrt(max(squares, 0.0) / (present - 1) / present) if present > 1 else math.nan)

    def covariance(self) -> Floats:
        """Return the unbiased covariance matrix; NaN of a single vector."""
        return np.asarray(self.comoment / (self.count - 1)) if self.count > 1 else np.full_like(self.comoment, np.nan)


@dataclass(frozen=True)
class Simulation:
    """The outcome of `twosided.simulate`.

    Args:
        names: of the quoters, in order.
        settings: what was assumed.
        params: per quoter, its parameters as they took effect.
        paths: how many were simulated; fewer than asked for after Ctrl-C.
        sample: [path, quoter, column] of the first paths, at most `SAMPLE`.
        moments: of all paths, quoter after quoter, column after column.
        trace: [path, quoter, step, `TRACE`] of the paths that were asked for.
        digest: a hash of every figure of every path.
        seconds: wall time.
    """

    names: tuple[str, ...]
    settings: SimulationSettings
    params: dict[str, dict[str, Any]]
    paths: int
    sample: Floats = field(repr=False)
    moments: Moments = field(repr=False)
    trace: Floats = field(repr=False)
    digest: str
    seconds: float
    recorded: bool = False

    @property
    def complete(self) -> bool:
        """False where Ctrl-C came before the last path."""
        return self.paths == self.settings.paths

    def _quoter(self, name: str) -> int:
        if name not in self.names:
            raise InputError(f"quoter {name!r} was not simulated{suggest(name, self.names)}")
        return self.names.index(name)

    def _place(self, name: str, column: str) -> int:
        if column not in COLUMNS:
            raise InputError(f"column {column!r} is unknown{suggest(column, COLUMNS)}")
        return self._quoter(name) * len(COLUMNS) + COLUMNS.index(column)

    def frame(self, name: str) -> pl.DataFrame:
        """Return the figures of the sampled paths of a quoter, one row a path.

        Raises:
            InputError: there is no such quoter.
        """
        return pl.DataFrame(self.sample[:, self._quoter(name)], schema=list(COLUMNS))

    def values(self, name: str, column: str) -> Floats:
        """Return one figure of the sampled paths.

        Raises:
            InputError: there is no such quoter or column.
        """
        self._place(name, column)
        return np.asarray(self.sample[:, self._quoter(name), COLUMNS.index(column)])

    def mean(self, name: str, column: str = "pnl") -> Estimate:
        """Return the mean over all paths, of the quoted spread over those on which both sides were ever quoted."""
        place = self._place(name, column)
        if column == "quoted_spread":
            return self.moments.present(place)
        return Estimate(float(self.moments.mean[place]), math.sqrt(self.moments.covariance()[place, place] / self.paths))

    def deviation(self, name: str, column: str = "pnl") -> Estimate:
        """Return the standard deviation over all paths; its error by the sample's fourth moment (delta method)."""
        place = self._place(name, column)
        deviation = math.sqrt(self.moments.covariance()[place, place])
        away = self.values(name, column) - self.moments.mean[place]
        fourth = float(np.mean(away**4))
        spread = max(fourth - deviation**4, 0.0)
        return Estimate(deviation, math.sqrt(spread / self.paths) / (2.0 * deviation) if deviation > 0.0 else 0.0)

    def difference(self, name: str, base: str, column: str = "pnl") -> Estimate:
        """Return the mean of *name* less that of *base*, over the paths that both met."""
        one, other = self._place(name, column), self._place(base, column)
        if self.moments.absent[one] or self.moments.absent[other]:  # other paths for each: no pairs
            first, second = self.moments.present(one), self.moments.present(other)
            return Estimate(first.value - second.value, math.hypot(first.error, second.error))
        cov = self.moments.covariance()
        variance = cov[one, one] + cov[other, other] - 2.0 * cov[one, other]
        return Estimate(float(self.moments.mean[one] - self.moments.mean[other]), math.sqrt(max(variance, 0.0) / self.paths))

    def certainty_equivalent(self, name: str, gamma: float) -> Estimate:
        """Return the sure amount that is worth as much as the P&L to a dealer of risk aversion *gamma* (1/money), from the sample.

            -(1/gamma)·ln E[exp(-gamma·P&L)], the criterion of Avellaneda-Stoikov and GLFT; about mean - gamma/2·variance

        Raises:
            InputError: *gamma* is not a positive number.
        """
        value, weights = self._utility(name, gamma)
        return Estimate(value, _error(weights / gamma))

    def certainty_difference(self, name: str, base: str, gamma: float) -> Estimate:
        """Return the certainty equivalent of *name* less that of *base*, over the paths that both met."""
        (one, ours), (other, theirs) = self._utility(name, gamma), self._utility(base, gamma)
        return Estimate(one - other, _error((ours - theirs) / gamma))

    def _utility(self, name: str, gamma: float) -> tuple[float, Floats]:
        """Return the certainty equivalent, and each path's disutility over the mean disutility."""
        if not 0.0 < gamma < math.inf:
            raise InputError(f"gamma is {gamma!r}; allowed: a positive number, in 1/money")
        loss = -gamma * self.values(name, "pnl")
        total = float(logsumexp(loss) - math.log(len(loss)))
        return -total / gamma, np.exp(loss - total)


def _error(values: Floats) -> float:
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan
