"""Optimal quotes for any intensity of fills, by solving the Hamilton-Jacobi-Bellman equation as it stands.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

theta_q is what it is worth, in price × quote, to hold q quotes beyond their value at the mid. In the time left, tau,

    theta_q' = mu·q - phi·q² - gamma·sigma²·q²/2 + H(theta_q - theta_{q+1} + xi/2) + H(theta_q - theta_{q-1} + xi/2)
    theta_q(0) = -alpha·q² - xi·q²/2,      distance = best_distance(theta_q - theta_{q±1} + xi/2)

with H and best_distance of `twosided.models.intensity`, and no H for the side that would leave ±q_max (Guéant 2017, arXiv
1605.01862, the differential equations of the one-asset case; the impact xi as in Guéant, Lehalle and Fernandez-Tapia 2013, section
5.2). gamma > 0 is a utility -exp(-gamma·wealth), as in their paper; gamma = 0 with phi, alpha > 0 is Cartea and Jaimungal's
penalties.

    sigma  price/sqrt(s)   phi    price/(quote × s)   xi   price, the mid moves this much with each fill, against us
    mu     price/s         alpha  price/quote         A, k, gamma as everywhere
"""

import math

import numpy as np
import numpy.typing as npt

from twosided.models.intensity import Intensity, best_distance, earned
from twosided.models.value_function import integrate, stationary

__all__ = ["distances", "values"]

Floats = npt.NDArray[np.float64]

_TOLERANCE = 1e-10  # of k·theta; at 1e-12 a power law's change of curvature at the mid can take a minute


def values(
    intensity: Intensity,
    remaining_s: Floats,
    *,
    q_max: int,
    sigma: float = 0.0,
    gamma: float = 0.0,
    phi: float = 0.0,
    alpha: float = 0.0,
    mu: float = 0.0,
    xi: float = 0.0,
) -> Floats:
    """Return theta for each time left and each inventory from -q_max to q_max, up to a constant where the horizon is infinite.

    Args:
        intensity: of fills, on each side.
        remaining_s: seconds, increasing, at least one; an infinite one must be the only one.
        q_max: inventory bound, quotes.
        sigma: volatility, price/sqrt(s); it matters where gamma is not 0.
        gamma: risk aversion, 1/(price × quote).
        phi: running penalty, price/(quote × s).
        alpha: terminal penalty, price/quote; it does not matter with an infinite horizon.
        mu: drift of the mid, price/s.
        xi: market impact of a fill, price.

    Returns:
        A row per time, in price × quote.

    Raises:
        ArithmeticError: numbers out of range, or the solver gave up.
    """
    k = intensity.k
    q = np.arange(-q_max, q_max + 1, dtype=np.float64)
    source = k * (mu * q - (phi + 0.5 * gamma * sigma * sigma) * q * q)
    terminal = -k * (alpha + 0.5 * xi) * q * q

    def gain(p: Floats) -> tuple[Floats, Floats]:
        value, slope = earned(intensity, p / k + 0.5 * xi, gamma)
        return k * value, slope

    if remaining_s[0] == math.inf:
        theta = stationary(gain, source, _start(intensity, source))[None, :] / k
    else:
        theta = integrate(gain, source, terminal, np.asarray(remaining_s, np.float64), tolerance=_TOLERANCE) / k
    mirrored: Floats = 0.5 * (theta + theta[:, ::-1])
    return mirrored if mu == 0.0 else theta  # they differ by rounding


def _start(intensity: Intensity, source: Floats) -> Floats:
    """Return a value function from which Newton's method settles: of about the right steepness."""
    return np.asarray(-np.sqrt((source.max() - source) / intensity.A), np.float64)


def distances(
    intensity: Intensity, remaining_s: Floats, *, q_max: int, gamma: float = 0.0, xi: float = 0.0, **problem: float
) -> tuple[Floats, Floats]:
    """Return the optimal distances for each time left and each inventory from -q_max to q_max; arguments as of `values`.

    Returns:
        Bid and ask distances from the mid in price units, a row per time; NaN for the bid at q_max and the ask at -q_max.
    """
    theta = values(intensity, remaining_s, q_max=q_max, gamma=gamma, xi=xi, **problem)
    step = np.diff(theta, axis=1)
    none = np.full((len(theta), 1), np.nan)
    bid = best_distance(intensity, 0.5 * xi - step, gamma)
    ask = best_distance(intensity, 0.5 * xi + step, gamma)
    return np.hstack((bid, none)), np.hstack((none, ask))
