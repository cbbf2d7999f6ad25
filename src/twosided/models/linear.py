"""The linear equation under Guéant-Lehalle-Fernandez-Tapia and Cartea-Jaimungal: v' = -M·v in the time left, M tridiagonal.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

M has d_q on its diagonal (what holding q costs, 1/s) and -eta beside it (what trading is worth, 1/s); v = exp(-M·tau)·z, and quotes
are differences of ln v. v falls like exp(-q²·sqrt(alpha/eta)/2), below the smallest double for large bounds, and below the rounding
error of its largest element long before: eigenvectors or a Padé exponential of M lose the outer quotes at 30 already. So here
every number is a ratio or a probability. The lowest eigenvector f of M comes as ratios of neighbours from two continued fractions.
M seen relative to f is the generator of a Markov chain, whose transition matrix P(tau) is found by squaring: only positive numbers
are added and multiplied, so small elements keep their digits. Then v_q = exp(-lambda·tau)·f_q·sum_j P_qj·z_j / f_j, in logarithms.
Cost: about thirty products of square matrices as long as the grid; none for an infinite horizon.

Where z/f spans more than `_WIDEST`, what underflows in P could matter; there ln v is integrated as a differential equation.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh_tridiagonal
from scipy.special import logsumexp

from twosided.models.value_function import integrate

__all__ = ["ground_state", "log_values"]

Floats = npt.NDArray[np.float64]

_TERMS = 30  # of the exponential series; the terms shrink at least as fast as 1.5^n / n!
_SETTLED = 60.0  # after this many relaxation times what is left of the terminal condition is below 1e-26
_WIDEST = 500.0  # ln of the range of z/f: what underflows in P (e^-708) is then below e^-200 of what is kept
_TOLERANCE = 1e-12  # of ln v
_STEPS = 3  # of Newton's method, which starts from LAPACK's eigenvalue


def ground_state(diagonal: Floats, eta: float) -> tuple[Floats, float, float]:
    """Return ln f, f the eigenvector of the lowest eigenvalue of M with largest element about 1, that eigenvalue, and the gap.

    Row q of M·f = lambda·f, divided by eta·f_q, reads f_{q-1}/f_q = (d_q - lambda)/eta - f_{q+1}/f_q: a continued fraction that
    starts at the edge, beyond which f is 0. Going inwards errors shrink. Both meet where holding costs least; that they fit there
    corrects lambda, of which LAPACK knows the digits above the rounding error of the largest d_q only.

    Args:
        diagonal: d_q, 1/s, convex in q.
        eta: 1/s, positive.

    Returns:
        ln f of the length of *diagonal*, lambda and the distance to the second eigenvalue, both in 1/s.
    """
    centre = int(np.argmin(diagonal))
    lowest, second = eigh_tridiagonal(
        diagonal, np.full(len(diagonal) - 1, -eta), eigvals_only=True, select="i", select_range=(0, 1)
    )
    for _ in range(_STEPS):
        right = _ratios(diagonal[centre + 1 :], eta, lowest)
        left = _ratios(diagonal[:centre][::-1], eta, lowest)
        weight = 1.0 + sum(float(np.sum(np.cumprod(side) ** 2)) for side in (left, right))
        first = sum(float(side[0]) for side in (left, right) if len(side))
        lowest += (diagonal[centre] - lowest - eta * first) / weight
    log_f = np.concatenate((np.cumsum(np.log(left))[::-1], [0.0], np.cumsum(np.log(right))))
    return log_f, float(lowest), float(second - lowest)


def _ratios(diagonal: Floats, eta: float, lowest: float) -> Floats:
    """Return f_{n} / f_{n-1} along *diagonal*, which leads from the centre (left out) to an edge."""
    ratios = np.empty(len(diagonal))
    ratio = 0.0
    for n in range(len(diagonal) - 1, -1, -1):
        ratio = eta / (diagonal[n] - lowest - eta * ratio)
        ratios[n] = ratio
    return ratios


def log_values(diagonal: Floats, eta: float, log_terminal: Floats, remaining_s: float) -> tuple[Floats, float]:
    """Return x and c with ln v = x + c, v = exp(-M·remaining_s)·exp(log_terminal).

    Two numbers, because c = -lambda·remaining_s grows with time, and would take the digits of the differences of x, the quotes.
    For an infinite horizon x is ln f, and c NaN.

    Args:
        diagonal: d_q, 1/s, convex in q, for neighbouring inventories.
        eta: 1/s, positive.
        log_terminal: ln z.
        remaining_s: seconds, 0 or more.
    """
    log_f, lowest, gap = ground_state(diagonal, eta)
    if remaining_s == math.inf:
        return log_f, math.nan
    elapsed_s = min(remaining_s, _SETTLED / gap)
    log_u = log_terminal - log_f
    if np.ptp(log_u) > _WIDEST:
        return _integrated(diagonal - lowest, eta, log_terminal, elapsed_s), -lowest * remaining_s
    chain = _chain(eta, np.diff(log_f), elapsed_s)
    positive = np.maximum(chain, np.finfo(np.float64).tiny)  # zeros underflowed and contribute nothing
    return log_f + np.asarray(logsumexp(np.log(positive) + log_u, axis=1), np.float64), -lowest * remaining_s


def _chain(eta: float, slope: Floats, elapsed_s: float) -> Floats:
    """Return the transition matrix over *elapsed_s* of the chain with rates eta·f_{q±1}/f_q, *slope* being ln f_{q+1}/f_q.

    Each element keeps its relative precision: a series, then squarings, of non-negative numbers.
    """
    up = eta * np.append(np.exp(slope), 0.0)
    down = eta * np.append(0.0, np.exp(-slope))
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
    settled: Floats = matrix / matrix.sum(axis=1, keepdims=True)
    return settled


def _integrated(diagonal: Floats, eta: float, log_terminal: Floats, remaining_s: float) -> Floats:
    """Return ln v by its own equation: l' = -d_q + eta·exp(l_{q+1} - l_q) + eta·exp(l_{q-1} - l_q)."""

    def gain(p: Floats) -> tuple[Floats, Floats]:
        value = eta * np.exp(-p)
        return value, -value

    (log_v,) = integrate(gain, -diagonal, log_terminal, np.array([remaining_s]), tolerance=_TOLERANCE)
    return np.asarray(log_v, np.float64)
