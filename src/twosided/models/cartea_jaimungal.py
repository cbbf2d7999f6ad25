"""Optimal quotes of Cartea, Jaimungal and Penalva (2015), "Algorithmic and High-Frequency Trading", chapter 10.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

A dealer who counts money, and pays phi·q² a second for holding q and alpha·q² for what is left at the end T (section 10.2):

    A, k    1/s and 1/price     market orders arrive at rate A (the book's lambda) on each side, and reach distance delta with
                                probability exp(-k·delta) (the book's kappa)
    phi     price/(quote × s)   running penalty
    alpha   price/quote         terminal penalty
    mu      price/s             drift of the mid
    q_max   quotes              inventory bound, at least 1

The value h of an inventory is the logarithm of the solution of a linear equation (section 10.2, with lambda and kappa alike on both
sides):

    h = ln(w)/k,   w = exp(B·(T - t))·z,   B tridiagonal with k·mu·q - phi·k·q² on its diagonal and A/e beside it,
    z = exp(-alpha·k·q²),   bid distance = 1/k - h_{q+1} + h_q,   ask distance = 1/k - h_{q-1} + h_q

They are the limit of Guéant, Lehalle and Fernandez-Tapia's as gamma goes to 0 with phi = gamma·sigma²/2. Valid while fills carry
no information; `twosided.models.short_term_alpha` is for where they do, and for a drift that comes and goes.
"""

import math

import numpy as np
import numpy.typing as npt

from twosided.models.linear import log_values

__all__ = ["distances", "values"]

Floats = npt.NDArray[np.float64]


def _log_values(
    A: float,  # noqa: N803 - the name in the literature
    k: float,
    phi: float,
    alpha: float,
    mu: float,
    q_max: int,
    remaining_s: float,
) -> tuple[Floats, float]:
    q = np.arange(-q_max, q_max + 1, dtype=np.float64)
    log_w, level = log_values(k * (phi * q * q - mu * q), A * math.exp(-1.0), -alpha * k * q * q, remaining_s)
    return (0.5 * (log_w + log_w[::-1]) if mu == 0.0 else log_w), level  # mirrored but for rounding


def values(
    *,
    A: float,  # noqa: N803
    k: float,
    phi: float,
    alpha: float,
    q_max: int,
    remaining_s: float,
    mu: float = 0.0,
) -> Floats:
    """Return h, what holding each inventory from -q_max to q_max is worth beyond its value at the mid, in price × quote.

    Arguments as of `distances`; *remaining_s* is finite.
    """
    log_w, level = _log_values(A, k, phi, alpha, mu, q_max, remaining_s)
    return (log_w + level) / k


def distances(
    *,
    A: float,  # noqa: N803
    k: float,
    phi: float,
    q_max: int,
    alpha: float = 0.0,
    remaining_s: float = math.inf,
    mu: float = 0.0,
) -> tuple[Floats, Floats]:
    """Return the optimal distances for every whole inventory from -q_max to q_max, exact to about 1e-10/k.

    Args:
        A: rate of market orders on each side, 1/s.
        k: decay with the distance of the probability to be reached, 1/price.
        phi: running penalty, price/(quote × s), positive where the horizon is infinite.
        q_max: inventory bound, quotes.
        alpha: terminal penalty, price/quote; it does not matter with an infinite horizon.
        remaining_s: T - t, seconds.
        mu: drift of the mid, price/s.

    Returns:
        Bid and ask distances from the mid in price units, two arrays of 2·q_max + 1; NaN for the bid at q_max and the ask at
        -q_max, which are not quoted.

    Raises:
        ArithmeticError: parameters so extreme that numbers leave the range of a double.
    """
    step = np.diff(_log_values(A, k, phi, alpha, mu, q_max, remaining_s)[0])
    return np.append((1.0 - step) / k, np.nan), np.append(np.nan, (1.0 + step) / k)
