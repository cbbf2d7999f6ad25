"""Quotes in several correlated assets: the closed-form approximation of Bergault, Evangelista, Guéant and Vieira (2021).

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

"Closed-form approximations in multi-asset market making", Applied Mathematical Finance 28(2), arXiv 1810.04383. The dealer of
Guéant, Lehalle and Fernandez-Tapia in n assets, with inventories q (a vector, in units of each asset, signed):

    Sigma   price_i × price_j / s      covariance of the mids
    A_i, k_i  1/s and 1/price_i        an order in asset i fills with intensity A_i·exp(-k_i·delta), on each side
    z_i     units                      size of its quotes
    gamma   1/money                    risk aversion; what counts is gamma·z_i, per (price × quote)
    mu_i    price_i / s                drift

A quadratic Hamiltonian H_i(p) ~ C_i·(1 - k_i·p + k_i²·p²/2), C_i = A_i/k_i·(1 + g_i)^-(1 + 1/g_i), g_i = gamma·z_i/k_i, makes
the value -q'·a·q - q'·b with the Riccati equation (a is the paper's matrix A)

    a' = 2·a·D·a - gamma/2·Sigma,  a(T) = 0,  D = diag(2·z_i·C_i·k_i²);   b' = 2·a·D·b + mu,  b(T) = 0
    a = D^-½·S·tanh(S·(T - t))·D^-½ / 2,   S = √gamma·(D^½·Sigma·D^½)^½
    b = -D^-½·S^-1·tanh(S·(T - t))·D^½·mu
    bid distance_i = ln(1 + g_i)/(gamma·z_i) + z_i·a_ii + 2·(a·q)_i + b_i,   ask distance_i with - 2·(a·q)_i - b_i

Valid where quotes stay within a few 1/k of the mid; there is no inventory bound. One asset with z = 1 is
`twosided.models.glft.closed_form_distances`.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from twosided.errors import InputError

__all__ = ["coefficients", "distances"]

Floats = npt.NDArray[np.float64]

_RISKLESS = 1e-14  # of the largest eigenvalue


def coefficients(
    *,
    covariance: Floats,
    A: Floats,  # noqa: N803 - the name in the literature
    k: Floats,
    gamma: float,
    size: Floats | None = None,
    mu: Floats | None = None,
    remaining_s: float = math.inf,
) -> tuple[Floats, Floats]:
    """Return a, an n × n matrix (money/unit²), and b, a vector (money/unit): the value of q is -q'·a·q - q'·b.

    Args:
        covariance: Sigma, n × n, symmetric, with no negative eigenvalue.
        A: intensity of fills at the mid in each asset, on each side, 1/s.
        k: its decay, 1/price.
        gamma: risk aversion, 1/money.
        size: of the quotes, units; 1 where not given.
        mu: drift of the mids, price/s; 0 where not given.
        remaining_s: T - t, seconds.

    Raises:
        InputError: arrays that do not fit, a covariance that is none, a number that is not positive, or, where time has no end, a
            drift that a portfolio without risk could hold: no inventory of it would ever be enough.
    """
    covariance, A, k, size, mu = _checked(covariance, A, k, gamma, size, mu, remaining_s)  # noqa: N806
    g = gamma * size / k
    worth = A * k * np.exp(-(1.0 + 1.0 / g) * np.log1p(g))  # C·k²
    root = np.sqrt(2.0 * size * worth)
    squares, vectors = eigh(root[:, None] * covariance * root)
    squares[squares <= _RISKLESS * np.max(np.abs(squares))] = 0.0  # by rounding: a portfolio without risk
    rates = np.sqrt(gamma * squares)  # of S, 1/s
    settled = np.tanh(rates * remaining_s) if remaining_s < math.inf else np.sign(rates)
    a = 0.5 * (vectors * (rates * settled)) @ vectors.T / (root[:, None] * root)
    if not np.any(mu):
        return a, np.zeros_like(mu)
    along = vectors.T @ (root * mu)
    along[np.abs(along) <= _RISKLESS * np.max(np.abs(along))] = 0.0
    if remaining_s == math.inf and np.any((rates == 0.0) & (along != 0.0)):
        raise InputError(
            f"mu is {mu.tolist()}; allowed without a horizon: none along a portfolio that has no risk, of which more is always "
            f"better"
        )
    held_s = np.divide(settled, rates, out=np.where(along != 0.0, remaining_s, 0.0), where=rates > 0.0)
    return a, -(vectors @ (held_s * along)) / root


def distances(
    inventory: Floats,
    *,
    covariance: Floats,
    A: Floats,  # noqa: N803
    k: Floats,
    gamma: float,
    size: Floats | None = None,
    mu: Floats | None = None,
    remaining_s: float = math.inf,
) -> tuple[Floats, Floats]:
    """Return the distances of bid and ask from each asset's mid, in its price units: two arrays of the shape of *inventory*.

    *inventory* is q, units of each asset, the assets along the last axis. The other arguments, and what is raised, are those of
    `coefficients`.
    """
    a, b = coefficients(covariance=covariance, A=A, k=k, gamma=gamma, size=size, mu=mu, remaining_s=remaining_s)
    z = np.ones(len(b)) if size is None else np.asarray(size, np.float64)
    held = np.asarray(inventory, np.float64)
    if held.shape[-1:] != b.shape or not np.all(np.isfinite(held)):
        raise InputError(f"inventory is {held.tolist()}; allowed: {len(b)} numbers, one for each asset, along the last axis")
    half = np.log1p(gamma * z / np.asarray(k)) / (gamma * z) + z * np.diag(a)
    skew = 2.0 * held @ a + b
    return half + skew, half - skew


def _checked(
    covariance: Floats,
    A: Floats,  # noqa: N803
    k: Floats,
    gamma: float,
    size: Floats | None,
    mu: Floats | None,
    remaining_s: float,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    covariance = np.asarray(covariance, np.float64)
    n = len(covariance)
    vectors = {"A": A, "k": k, "size": np.ones(n) if size is None else size, "mu": np.zeros(n) if mu is None else mu}
    vectors = {name: np.asarray(value, np.float64) for name, value in vectors.items()}
    if covariance.shape != (n, n) or not np.all(np.isfinite(covariance)) or not np.allclose(covariance, covariance.T):
        raise InputError(f"covariance is {covariance.tolist()}; allowed: a symmetric matrix of numbers")
    least = float(np.linalg.eigvalsh(covariance)[0])
    if least < -1e-12 * float(np.max(np.abs(covariance))):
        raise InputError(f"covariance has the eigenvalue {least:g}; allowed: none below 0")
    for name, value in vectors.items():
        if value.shape != (n,) or not np.all(np.isfinite(value)) or (name != "mu" and not np.all(value > 0.0)):
            kind = "numbers" if name == "mu" else "positive numbers"
            raise InputError(f"{name} is {value.tolist()}; allowed: {n} {kind}, one for each asset")
    if not 0.0 < gamma < math.inf or not remaining_s >= 0.0:
        raise InputError(f"gamma is {gamma}, remaining_s {remaining_s}; allowed: a positive number, and 0 seconds or more")
    return covariance, vectors["A"], vectors["k"], vectors["size"], vectors["mu"]
