"""Optimal quotes of Guéant, Lehalle and Fernandez-Tapia (2013), "Dealing with the inventory risk", arXiv 1105.3115v5.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

The dealer of Avellaneda and Stoikov whose inventory stays within ±q_max. Any price unit will do as long as all share it:

    sigma   price / sqrt(s)      volatility of the mid
    A, k    1/s and 1/price      an order at distance delta from the mid fills with intensity A·exp(-k·delta), on each side
    gamma   1 / (price × quote)  risk aversion; inventory q is counted in quotes, signed
    mu      price / s            drift of the mid (section 5.1)
    xi      price                each fill moves the mid by xi against us: up after a sale, down after a purchase (section 5.2)
    distances                    price; bid = mid - distance, ask = mid + distance

With alpha = k·gamma·sigma²/2, eta = A·exp(-k·xi/2)·(1 + gamma/k)^-(1 + k/gamma), the problem is a linear equation for v(q, t)
(theorem 1 and, with drift and impact, the propositions of section 5),

    v = exp(-M·(T - t))·z,   M tridiagonal with alpha·q² - k·mu·q on its diagonal and -eta beside it,   z = exp(-k·xi·q²/2)
    bid distance = ln(v_q / v_{q+1})/k + xi/2 + ln(1 + gamma/k)/gamma,   ask distance with v_{q-1}.

`twosided.models.linear` solves it. Valid while the mid is a Brownian motion, fills do not know more than xi of where it goes, and
orders are of one size; the closed form also needs inventories far from the bound and, in time, from the horizon (or use its tanh).
"""

import math

import numpy as np
import numpy.typing as npt

from twosided.models.avellaneda_stoikov import risk_half_spread
from twosided.models.linear import log_values

__all__ = ["closed_form_distances", "coefficients", "distances"]

Floats = npt.NDArray[np.float64]


def coefficients(
    *,
    sigma: float,
    A: float,  # noqa: N803 - the name in the literature
    k: float,
    gamma: float,
    xi: float = 0.0,
) -> tuple[float, float]:
    """Return alpha = k·gamma·sigma²/2 and eta = A·exp(-k·xi/2)·(1 + gamma/k)^-(1 + k/gamma), both in 1/s."""
    ratio = gamma / k
    return 0.5 * k * gamma * sigma * sigma, A * math.exp(-0.5 * k * xi - (1.0 + 1.0 / ratio) * math.log1p(ratio))


def distances(
    *,
    sigma: float,
    A: float,  # noqa: N803
    k: float,
    gamma: float,
    q_max: int,
    remaining_s: float = math.inf,
    mu: float = 0.0,
    xi: float = 0.0,
) -> tuple[Floats, Floats]:
    """Return the optimal distances for every whole inventory from -q_max to q_max, exact to about 1e-10.

    Args:
        sigma: volatility, price/sqrt(s).
        A: intensity of fills at the mid on each side, 1/s.
        k: its decay with the distance, 1/price.
        gamma: risk aversion, 1/(price × quote).
        q_max: inventory bound, in quotes, at least 1.
        remaining_s: T - t in seconds; infinite for the asymptotic quotes, which only the lowest eigenvector of M decides.
        mu: drift of the mid, price/s.
        xi: market impact of a fill, price.

    Returns:
        Bid and ask distances from the mid in price units, two arrays of 2·q_max + 1; NaN for the bid at q_max and the ask at
        -q_max, which are not quoted.

    Raises:
        ArithmeticError: parameters so extreme that numbers leave the range of a double.
    """
    alpha, eta = coefficients(sigma=sigma, A=A, k=k, gamma=gamma, xi=xi)
    q = np.arange(-q_max, q_max + 1, dtype=np.float64)
    log_v, _ = log_values(alpha * q * q - k * mu * q, eta, -0.5 * k * xi * q * q, remaining_s)
    if mu == 0.0:
        log_v = 0.5 * (log_v + log_v[::-1])  # mirrored but for rounding
    step = np.diff(log_v) / k
    base = risk_half_spread(gamma, k) + 0.5 * xi
    return np.append(base - step, np.nan), np.append(np.nan, base + step)


def closed_form_distances(
    inventory: Floats,
    *,
    sigma: float,
    A: float,  # noqa: N803
    k: float,
    gamma: float,
    remaining_s: float = math.inf,
    mu: float = 0.0,
    xi: float = 0.0,
) -> tuple[Floats, Floats]:
    """Return the closed-form approximation, without an inventory bound.

        bid distance = ln(1 + gamma/k)/gamma + xi/2 - m + (2q + 1)/2 · b,   ask distance with + m and (1 - 2q)
        c = exp(k·xi/4)·sqrt( sigma²·gamma / (2kA) · (1 + gamma/k)^(1 + k/gamma) ),   w = 2·sqrt(alpha·eta)·(T - t)
        b = c·(a + tanh w) / (1 + a·tanh w),   m = c·mu/(gamma·sigma²) · (tanh w + a·(1 - sech w)) / (1 + a·tanh w),   a = xi/c

    Far from the horizon b = c and m = c·mu/(gamma·sigma²), the paper's approximations (sections 4, 5.1 and 5.2). In time it
    is the one-asset case of `twosided.models.multi_asset` (Bergault, Evangelista, Guéant and Vieira 2021), to which *xi* adds the
    terminal value -xi·q²/2.

    Args:
        inventory: q, in quotes, any shape.
        sigma: volatility, price/sqrt(s).
        A: intensity of fills at the mid on each side, 1/s.
        k: its decay with the distance, 1/price.
        gamma: risk aversion, 1/(price × quote).
        remaining_s: T - t in seconds.
        mu: drift of the mid, price/s.
        xi: market impact of a fill, price.

    Returns:
        Two arrays of the shape of *inventory*, in price units.
    """
    alpha, eta = coefficients(sigma=sigma, A=A, k=k, gamma=gamma, xi=xi)
    limit = math.sqrt(alpha / eta) / k
    start, time = xi / limit, math.tanh(2.0 * math.sqrt(alpha * eta) * remaining_s)
    slope = limit * (start + time) / (1.0 + start * time)
    drift = limit * mu / (gamma * sigma * sigma) * (time + start * (1.0 - math.sqrt(1.0 - time * time))) / (1.0 + start * time)
    skew = slope * np.asarray(inventory, np.float64) - drift
    half = risk_half_spread(gamma, k) + 0.5 * (xi + slope)
    return half + skew, half - skew
