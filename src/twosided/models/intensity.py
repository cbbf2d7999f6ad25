"""How often a quote is filled, as a function of its distance from the mid, and what that makes the best distance.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

Every intensity here is A at the mid and falls as A·exp(-k·delta) does there, so that A and k mean the same in each:

    Exponential         A·exp(-k·delta)                                      the usual one
    Power(tail=n)       A·(1 + k·delta/n)^-n above the mid                   large orders reach far: a heavier tail
    Logistic(shift=a)   A·(1 + e^a) / (1 + e^(a + k'·delta))                 a price at which everybody trades: it levels off

As n or a go to infinity, both become the exponential. Through the mid (delta < 0) the power law goes on as the exponential does.

A quote that costs p when it is filled (p = what the inventory was worth before, less after) earns Lambda(delta)·U(delta - p) a
second, U(x) = (1 - exp(-gamma·x))/gamma, or x where gamma is 0. The best distance solves (Guéant 2017, "Optimal market making",
arXiv 1605.01862, the maximiser of its Hamiltonian functions)

    delta = p + ln(1 + gamma/d(delta)) / gamma,   d = -Lambda'/Lambda, the local decay,

which has one solution as long as Lambda·Lambda'' < 2·Lambda'², as is so for all three.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import wrightomega

__all__ = ["Exponential", "Intensity", "Logistic", "Power", "best_distance", "earned"]

Floats = npt.NDArray[np.float64]

_ROUNDS = 100
_SMALL = 1e-8  # of gamma/decay, below which two terms of the series of ln(1 + x)/x are exact


@dataclass(frozen=True)
class Intensity(ABC):
    """An intensity of fills.

    Args:
        A: at the mid, 1/s.
        k: how fast it decays there, 1/price.
    """

    A: float
    k: float

    @abstractmethod
    def rate(self, distance: Floats) -> Floats:
        """Return Lambda, 1/s."""

    @abstractmethod
    def patience(self, distance: Floats) -> tuple[Floats, Floats]:
        """Return 1/d = -Lambda/Lambda' in price units, and its derivative."""

    def start(self, p: Floats) -> Floats:
        """Return where to start looking for the best distance when being filled costs *p*."""
        return p


@dataclass(frozen=True)
class Exponential(Intensity):
    """A·exp(-k·delta)."""

    def rate(self, distance: Floats) -> Floats:
        """Return Lambda, 1/s."""
        return np.asarray(self.A * np.exp(-self.k * distance), np.float64)

    def patience(self, distance: Floats) -> tuple[Floats, Floats]:
        """Return 1/k and 0."""
        return np.full_like(distance, 1.0 / self.k), np.zeros_like(distance)


@dataclass(frozen=True)
class Power(Intensity):
    """A·(1 + k·delta/n)^-n for delta above 0, A·exp(-k·delta) below; the tail exponent n is larger than 1."""

    tail: float = 3.0

    def rate(self, distance: Floats) -> Floats:
        """Return Lambda, 1/s."""
        scaled = self.k * distance
        return np.asarray(
            self.A * np.exp(np.where(scaled > 0, -self.tail * np.log1p(np.maximum(scaled, 0.0) / self.tail), -scaled)), np.float64
        )

    def patience(self, distance: Floats) -> tuple[Floats, Floats]:
        """Return 1/k + delta/n above the mid, 1/k below."""
        return 1.0 / self.k + np.maximum(distance, 0.0) / self.tail, np.where(distance > 0, 1.0 / self.tail, 0.0)


@dataclass(frozen=True)
class Logistic(Intensity):
    """A·(1 + e^a)/(1 + e^(a + k'·delta)), k' = k·(1 + e^-a): at most A·(1 + e^a), far through the mid."""

    shift: float = 0.0

    @property
    def steepness(self) -> float:
        """Return k', with which the decay at the mid is k."""
        return self.k * (1.0 + math.exp(-self.shift))

    def rate(self, distance: Floats) -> Floats:
        """Return Lambda, 1/s."""
        log_most = math.log(self.A) + float(np.logaddexp(0.0, self.shift))
        return np.asarray(np.exp(log_most - np.logaddexp(0.0, self.shift + self.steepness * distance)), np.float64)

    def patience(self, distance: Floats) -> tuple[Floats, Floats]:
        """Return (1 + e^-(a + k'·delta))/k' and its derivative."""
        falling = np.exp(-np.maximum(self.shift + self.steepness * distance, -700.0))
        return (1.0 + falling) / self.steepness, -falling

    def start(self, p: Floats) -> Floats:
        """Return the best distance without risk aversion, in closed form by Wright's omega function."""
        exponent = -(self.shift + self.steepness * p + 1.0)
        return np.asarray(p + (1.0 + wrightomega(exponent)) / self.steepness, np.float64)


def _half_spread(patience: Floats, gamma: float) -> tuple[Floats, Floats]:
    """Return ln(1 + gamma·x)/gamma and its derivative for x = 1/d; x and 1 where gamma is 0."""
    ratio = gamma * patience
    series = patience * (1.0 - 0.5 * np.minimum(ratio, 1.0))
    return np.where(ratio < _SMALL, series, np.log1p(ratio) / (gamma or 1.0)), 1.0 / (1.0 + ratio)


def best_distance(intensity: Intensity, p: Floats, gamma: float = 0.0) -> Floats:
    """Return the distance that earns most when being filled costs *p*, to rounding.

    Newton's method: the equation is increasing in delta, and never convex.

    Args:
        intensity: the intensity of fills.
        p: theta_q - theta_{q±1}, price units.
        gamma: risk aversion, 1/(price × quote); 0 counts money only.

    Raises:
        ArithmeticError: it did not settle.
    """
    distance = intensity.start(np.asarray(p, np.float64))
    for _ in range(_ROUNDS):
        patience, change = intensity.patience(distance)
        half, slope = _half_spread(patience, gamma)
        step = (p + half - distance) / (1.0 - slope * change)
        distance = distance + step
        if np.all(np.abs(step) <= 4e-15 * (np.abs(distance) + 1.0 / intensity.k)):
            return distance
    raise ArithmeticError("no best distance was found")


def earned(intensity: Intensity, p: Floats, gamma: float = 0.0) -> tuple[Floats, Floats]:
    """Return the Hamiltonian H(p), what the best quote earns (price/s), and its derivative H'(p) (1/s).

    H(p) = Lambda(delta)·U(delta - p),   H'(p) = -Lambda(delta)·exp(-gamma·(delta - p))   at the best delta
    """
    distance = best_distance(intensity, p, gamma)
    rate, margin = intensity.rate(distance), distance - p
    if gamma == 0.0:
        return rate * margin, -rate
    return -rate * np.expm1(-gamma * margin) / gamma, -rate * np.exp(-gamma * margin)
