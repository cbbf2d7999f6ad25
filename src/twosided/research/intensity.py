"""Fits A and k of the arrival intensity A·exp(-k·delta) to how far trades reached between two looks at the book.

Where you are in the pipe: research, on top of all rooms; `twosided.research.calibrate` prepares what is fitted here.

While the known mid stands, for dt seconds, an order at distance delta on one side is reached with probability
1 - exp(-A·exp(-k·delta)·dt). All that such an interval says is how far its trades reached: whether one sweep or ten did it, an
order there would have been filled once. Counting every trade as an arrival instead overstates A (threefold in a recording whose
book comes in batches of 50 ms), because one move is counted again and again against a mid that is no longer true.

Prices are a lattice, so a reach of x means at least x and less than x + one tick. The likelihood of interval i is, with
L(x) = A·exp(-k·x)·dt_i and n the nearest distance that is looked at,

    exp(-L(n))                         where nothing reached n,
    exp(-L(x + tick)) - exp(-L(x))     where trades reached x;

as dt goes to 0 it becomes the exponential tail whose estimator is k = 1/(mean excess over n). Both parameters are found by Newton's
method, and their covariance is the inverse of the observed information.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError
from twosided.research.measured import Measured

__all__ = ["Intensity", "RateAt", "Reaches", "fit_intensity", "observed_rates"]

Floats = npt.NDArray[np.float64]

_STEPS = 100
_CONVERGED = 1e-10  # of the Newton decrement: squared distance to the maximum in standard errors


@dataclass(frozen=True)
class Reaches:
    """How far trades reached, one element per interval and side; all in price units and seconds.

    Args:
        seconds: how long the mid stood.
        nearest: the smallest distance on the lattice of that interval that is looked at.
        reached: distance of the deepest price from the mid; below *nearest*, or -inf, where no trade came so far.
        tick: step of the lattice.
    """

    seconds: Floats
    nearest: Floats
    reached: Floats
    tick: float

    @property
    def hits(self) -> npt.NDArray[np.bool_]:
        """Where trades reached at least the nearest distance."""
        return np.asarray(self.reached >= self.nearest - 1e-9 * self.tick)

    @property
    def depths(self) -> Floats:
        """Of the hits, how much deeper than the nearest distance they reached."""
        hits = self.hits
        return np.asarray(self.reached[hits] - self.nearest[hits])

    @property
    def decays(self) -> bool:
        """Whether some reached deeper than others: without that nothing is known about k."""
        return bool(np.any(self.depths > 0.5 * self.tick))


@dataclass(frozen=True)
class RateAt:
    """How often orders at one *distance* (price) were reached: *reached* of them in *seconds*, *rate* per second."""

    distance: float
    reached: int
    seconds: float
    rate: Measured


@dataclass(frozen=True)
class Intensity:
    """The fit: ln A and k with their standard errors."""

    log_A: float  # noqa: N815 - the literature's name
    k: float
    log_A_error: float  # noqa: N815
    k_error: float


def fit_intensity(reaches: Reaches) -> Intensity:
    """Return the maximum of the likelihood of the module's text.

    Args:
        reaches: at least two hits that are not all at their nearest distance.

    Raises:
        InputError: all reach equally far, or the likelihood has no maximum: the data do not decay with the distance.
    """
    hits = reaches.hits
    if hits.sum() < 2 or not reaches.decays:
        raise InputError("the trades all reach equally far beyond the touch, which says nothing about how intensity decays")
    distances, place = np.unique(reaches.nearest[~hits], return_inverse=True)
    exposure: Floats = np.bincount(place, weights=reaches.seconds[~hits], minlength=len(distances)).astype(np.float64)
    k = 1.0 / (float(reaches.depths.mean()) + 0.5 * reaches.tick)
    total = float(np.sum(exposure * np.exp(-k * distances)) + np.sum(reaches.seconds[hits] * np.exp(-k * reaches.nearest[hits])))
    at = np.array([np.log(hits.sum() / total), k])
    value, gradient, hessian = _log_likelihood(at, reaches, hits, distances, exposure)
    for _ in range(_STEPS):
        step = np.linalg.solve(hessian, -gradient)
        decrement = float(gradient @ step)
        if decrement < 0.0:  # not concave here: climb instead
            step, decrement = gradient / np.abs(np.diag(hessian)), np.inf
        length = 1.0
        while length > 1e-6:
            there = at + length * step
            found = _log_likelihood(there, reaches, hits, distances, exposure) if there[1] > 0.0 else None
            if found is not None and found[0] >= value:
                at, (value, gradient, hessian) = there, found
                break
            length *= 0.5
        if decrement < _CONVERGED or length <= 1e-6:
            break
    information = np.linalg.inv(-hessian)
    if not (np.all(np.diag(information) > 0.0) and np.all(np.isfinite(information))):
        raise InputError(
            "the trades do not become rarer with the distance from the mid, so that no intensity A·exp(-k·distance) fits"
        )
    return Intensity(float(at[0]), float(at[1]), float(np.sqrt(information[0, 0])), float(np.sqrt(information[1, 1])))


def _log_likelihood(
    at: Floats, reaches: Reaches, hits: npt.NDArray[np.bool_], distances: Floats, exposure: Floats
) -> tuple[float, Floats, Floats]:
    """Return the log-likelihood at (ln A, k), its gradient and its Hessian."""
    rate, slope = np.exp(at[0]), at[1]
    x, dt = reaches.reached[hits], reaches.seconds[hits]
    beyond = x + reaches.tick
    missed = rate * np.exp(-slope * distances) * exposure
    here, past = rate * np.exp(-slope * x) * dt, rate * np.exp(-slope * beyond) * dt
    between = np.maximum(here - past, 1e-300)
    odds = 1.0 / np.expm1(between)  # d ln(1 - exp(-between)) / d between
    curve = -odds * (1.0 + odds)
    value = float(-missed.sum() - past.sum() + np.log(-np.expm1(-between)).sum())
    # d/d lnA multiplies an intensity by 1, d/dk by minus its distance
    between_k = beyond * past - x * here
    between_kk = x * x * here - beyond * beyond * past
    gradient = np.array(
        [
            -missed.sum() - past.sum() + (odds * between).sum(),
            (distances * missed).sum() + (beyond * past).sum() + (odds * between_k).sum(),
        ]
    )
    aa = -missed.sum() - past.sum() + (odds * between + curve * between * between).sum()
    ak = (distances * missed).sum() + (beyond * past).sum() + (odds * between_k + curve * between * between_k).sum()
    kk = (
        -(distances * distances * missed).sum()
        - (beyond * beyond * past).sum()
        + (odds * between_kk + curve * between_k * between_k).sum()
    )
    return value, gradient, np.array([[aa, ak], [ak, kk]])


_HALVINGS = 60  # of a bracket of the rate
_MOST_DISTANCES = 40
_FEWEST_HITS = 5  # at a distance; fewer say next to nothing


def observed_rates(reaches: Reaches, farthest: float) -> tuple[RateAt, ...]:
    """Return the rate at each distance by itself, from the nearest to *farthest*: what the exponential must meet.

    The greatest likelihood of a rate r of which an interval of dt seconds shows only whether something came: the sum of
    dt / (exp(r·dt) - 1) over the intervals where it did is the time of the others. At each step of the lattice, every interval has
    its own price, half a tick from that of others; the distance is their mean.

    Args:
        reaches: as of `fit_intensity`.
        farthest: distance, price.
    """
    steps = max(int((farthest - float(reaches.nearest.min())) / reaches.tick), 0)
    found = []
    for step in range(0, steps + 1, 1 + steps // _MOST_DISTANCES):
        hits = reaches.reached >= reaches.nearest + (step - 1e-9) * reaches.tick
        count, seconds, missed = int(hits.sum()), float(reaches.seconds.sum()), float(reaches.seconds[~hits].sum())
        if count < _FEWEST_HITS or missed <= 0.0:
            continue
        dt, low, high = reaches.seconds[hits], count / seconds, count / missed
        for _ in range(_HALVINGS):
            rate = math.sqrt(low * high)
            low, high = (rate, high) if _time_of_hits(rate, dt) > missed else (low, rate)
        information = float(np.sum(np.square(dt) / (4.0 * np.square(np.sinh(np.minimum(0.5 * rate * dt, 300.0))))))
        distance = float(np.average(reaches.nearest, weights=reaches.seconds)) + step * reaches.tick
        found.append(RateAt(distance, count, seconds, Measured.of(rate, 1.0 / (rate * math.sqrt(information)))))
    return tuple(found)


def _time_of_hits(rate: float, dt: Floats) -> float:
    return float(np.sum(dt / np.expm1(np.minimum(rate * dt, 700.0))))
