"""Optimal quotes of Guéant, Lehalle and Fernandez-Tapia (2013), "Dealing with the inventory risk", arXiv 1105.3115v5.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

The dealer of Avellaneda and Stoikov whose inventory stays within ±q_max. Any price unit will do as long as all share it:

    sigma   price / sqrt(s)      volatility of the mid
    A, k    1/s and 1/price      an order at distance delta from the mid fills with intensity A·exp(-k·delta), on each side
    gamma   1 / (price × quote)  risk aversion; inventory q is counted in quotes, signed
    distances                    price; bid = mid - distance, ask = mid + distance

With alpha = k·gamma·sigma²/2 and eta = A·(1 + gamma/k)^-(1 + k/gamma) the problem is a linear equation for v(q, t) (theorem 1),

    v = exp(-M·(T - t))·1,   M tridiagonal with alpha·q² on its diagonal and -eta beside it,
    bid distance = ln(v_q / v_{q+1}) / k + ln(1 + gamma/k) / gamma,   ask distance with v_{q-1}.

How it is computed. v falls like exp(-q²·sqrt(alpha/eta)/2), below the smallest double for large bounds, and below the rounding
error of its largest element long before: eigenvectors or a Padé exponential of M lose the outer quotes at q_max = 30 already.
Here every number is a ratio or a probability. The lowest eigenvector f of M comes as ratios of neighbours from a continued
fraction. M seen relative to f is the generator of a Markov chain, whose transition matrix P(T - t) is found by squaring: only
positive numbers are added and multiplied, so small elements keep their digits. Then v_q is f_q·sum_j P_qj / f_j up to a factor
that no quote sees, summed in logarithms. Cost: about thirty products of (q_max + 1)-square matrices; none for an infinite horizon.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh_tridiagonal
from scipy.special import logsumexp

from twosided.models.avellaneda_stoikov import risk_half_spread

__all__ = ["closed_form_distances", "coefficients", "distances"]

Floats = npt.NDArray[np.float64]

_TERMS = 30  # of the exponential series; the terms shrink at least as fast as 1.5^n / n!
_SETTLED = 60.0  # after this many relaxation times what is left of the terminal condition is below 1e-26


def coefficients(*, sigma: float, A: float, k: float, gamma: float) -> tuple[float, float]:  # noqa: N803 - the name in the literature
    """Return alpha = k·gamma·sigma²/2 and eta = A·(1 + gamma/k)^-(1 + k/gamma), both in 1/s."""
    ratio = gamma / k
    return 0.5 * k * gamma * sigma * sigma, A * math.exp(-(1.0 + 1.0 / ratio) * math.log1p(ratio))


def distances(
    *,
    sigma: float,
    A: float,  # noqa: N803
    k: float,
    gamma: float,
    q_max: int,
    remaining_s: float = math.inf,
) -> tuple[Floats, Floats]:
    """Return the optimal distances for every whole inventory from -q_max to q_max, exact to about 1e-10.

    Args:
        sigma: volatility, price/sqrt(s).
        A: intensity of fills at the mid on each side, 1/s.
        k: its decay with the distance, 1/price.
        gamma: risk aversion, 1/(price × quote).
        q_max: inventory bound, in quotes, at least 1.
        remaining_s: T - t in seconds; infinite for the asymptotic quotes, which only the lowest eigenvector of M decides.

    Returns:
        Bid and ask distances from the mid in price units, two arrays of 2·q_max + 1; NaN for the bid at q_max and the ask at
        -q_max, which are not quoted.
    """
    alpha, eta = coefficients(sigma=sigma, A=A, k=k, gamma=gamma)
    diagonal = alpha * np.arange(-q_max, q_max + 1, dtype=np.float64) ** 2
    lowest, second = eigh_tridiagonal(diagonal, np.full(2 * q_max, -eta), eigvals_only=True, select="i", select_range=(0, 1))
    falls = _neighbour_ratios(alpha, eta, q_max, lowest)
    log_v = np.concatenate(([0.0], np.cumsum(np.log(falls))))
    if remaining_s < math.inf:
        elapsed = min(remaining_s, _SETTLED / (second - lowest))
        log_v += logsumexp(np.log(_positive(_chain(eta, falls, elapsed))) - log_v, axis=1)
    outward = (log_v[:-1] - log_v[1:]) / k  # of the side that takes the inventory from |q| to |q| + 1
    bid = risk_half_spread(gamma, k) + np.concatenate((-outward[::-1], outward, [np.nan]))
    return bid, bid[::-1].copy()


def _neighbour_ratios(alpha: float, eta: float, q_max: int, lowest: float) -> Floats:
    """Return f_{q+1} / f_q for q = 0 … q_max - 1, f the eigenvector of M's lowest eigenvalue lambda.

    Row q of M·f = lambda·f, divided by eta·f_q, reads f_{q-1}/f_q = (alpha·q² - lambda)/eta - f_{q+1}/f_q: a continued fraction
    that starts at the edge, beyond which f is 0. Going inwards errors shrink.
    """
    ratios = np.empty(q_max)
    ratio = 0.0
    for q in range(q_max, 0, -1):
        ratio = 1.0 / ((alpha * q * q - lowest) / eta - ratio)
        ratios[q - 1] = ratio
    return ratios


def _chain(eta: float, falls: Floats, elapsed_s: float) -> Floats:
    """Return the transition matrix over *elapsed_s* of the chain of |q|: up at rate eta·f_{q+1}/f_q, down at eta·f_{q-1}/f_q.

    From 0 both neighbours are 1. Each element keeps its relative precision: a series, then squarings, of non-negative numbers.
    """
    up = eta * np.append(falls, 0.0)
    up[0] *= 2.0
    down = eta / np.append(np.inf, falls)
    fastest = float(np.max(up + down))
    doublings = max(0, math.ceil(math.log2(max(fastest * elapsed_s, 1.0))))
    mean_jumps = fastest * elapsed_s / 2.0**doublings  # at most 1
    stay, up, down = 1.0 - (up + down) / fastest, up / fastest, down / fastest
    term = np.eye(len(up))
    matrix = term.copy()
    for jumps in range(1, _TERMS):
        moved = np.maximum(stay, 0.0)[:, None] * term
        moved[:-1] += up[:-1, None] * term[1:]
        moved[1:] += down[1:, None] * term[:-1]
        term = moved * (mean_jumps / jumps)
        matrix += term
    for _ in range(doublings):
        matrix /= matrix.sum(axis=1, keepdims=True)  # rows of probabilities: rounding must not grow with each squaring
        matrix = matrix @ matrix
    matrix /= matrix.sum(axis=1, keepdims=True)
    return matrix


def _positive(matrix: Floats) -> Floats:
    """Return *matrix* with zeros, which underflowed and contribute nothing, as the smallest double, so that it has logarithms."""
    return np.asarray(np.maximum(matrix, np.finfo(np.float64).tiny))


def closed_form_distances(
    inventory: Floats,
    *,
    sigma: float,
    A: float,  # noqa: N803
    k: float,
    gamma: float,
    remaining_s: float = math.inf,
) -> tuple[Floats, Floats]:
    """Return the closed-form approximation, without an inventory bound.

        bid distance = ln(1 + gamma/k)/gamma + (2q + 1)/2 · c·tanh(2·sqrt(alpha·eta)·(T - t)),   ask distance with (1 - 2q),
        c = sqrt( sigma²·gamma / (2kA) · (1 + gamma/k)^(1 + k/gamma) )

    The paper's approximation for the infinite horizon; the hyperbolic tangent is the one-asset Riccati solution of Bergault,
    Evangelista, Guéant and Vieira (2021), "Closed-form approximations in multi-asset market making".

    Args:
        inventory: q, in quotes, any shape.
        sigma: volatility, price/sqrt(s).
        A: intensity of fills at the mid on each side, 1/s.
        k: its decay with the distance, 1/price.
        gamma: risk aversion, 1/(price × quote).
        remaining_s: T - t in seconds.

    Returns:
        Two arrays of the shape of *inventory*, in price units.
    """
    alpha, eta = coefficients(sigma=sigma, A=A, k=k, gamma=gamma)
    slope = math.sqrt(alpha / eta) / k * math.tanh(2.0 * math.sqrt(alpha * eta) * remaining_s)
    skew = slope * np.asarray(inventory, np.float64)
    half = risk_half_spread(gamma, k) + 0.5 * slope
    return half + skew, half - skew
