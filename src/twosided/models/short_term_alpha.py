"""Optimal quotes where the mid has a drift that comes and goes, and market orders foretell it.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

Cartea, Jaimungal and Penalva (2015), section 10.4.2, with the dealer of `twosided.models.cartea_jaimungal`, who may quote at any
distance (the book's quotes at the touch). The mid has drift a, the short-term alpha,

    dS = a·dt + sigma·dW,   da = -zeta·a·dt + eta·dB,   a jumps by epsilon with each buying market order, by -epsilon with a sale

    a        price/s          zeta     1/s        how fast it fades: half-life ln 2/zeta
    eta      price/s^(3/2)    epsilon  price/s    what one market order adds

so that a fill is itself news: at the ask one has sold what now rises. In the time left, tau,

    h' = a·q - phi·q² - zeta·a·h_a + eta²/2·h_aa + A·[h(a+epsilon, q) + h(a-epsilon, q) - 2h]
         + A·H(h(a+epsilon, q) - h(a+epsilon, q-1)) + A·H(h(a-epsilon, q) - h(a-epsilon, q+1)),   H(p) = max exp(-k·d)·(d - p)
    h(0) = -alpha·q²,   ask distance d = 1/k + h(a+epsilon, q) - h(a+epsilon, q-1),   bid distance with -epsilon and q+1

where d is 0 or more: an order cannot be reached with a probability above 1, and the equation is ill-posed if it could. So no quote
is through the mid, unlike in the models without a signal.

On a grid of a, to five standard deviations of where it lives, with differences of second order, one-sided for the drift, which
points inwards: the edges need no condition. A jump is a whole number of steps; one below a step is a parabola through three points.
In time by backward differentiation (BDF). The quotes are right to about 1e-3/k.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp
from scipy.sparse import csr_array, diags_array, eye_array, kron

__all__ = ["distances"]

Floats = npt.NDArray[np.float64]

_STEPS = 30  # of the grid of a, on each side of 0
_DEVIATIONS = 5.0
_TOLERANCE = 1e-7


def distances(
    signal: Floats,
    *,
    A: float,  # noqa: N803 - the name in the literature
    k: float,
    phi: float,
    q_max: int,
    remaining_s: float,
    alpha: float = 0.0,
    zeta: float,
    eta: float = 0.0,
    epsilon: float = 0.0,
    steps: int = _STEPS,
) -> tuple[Floats, Floats]:
    """Return the optimal distances for each present value of the short-term alpha and each inventory from -q_max to q_max.

    Args:
        signal: present values of a, price/s, a vector.
        A: rate of market orders on each side, 1/s.
        k: decay with the distance of the probability to be reached, 1/price.
        phi: running penalty, price/(quote × s), 0 or more.
        q_max: inventory bound, quotes.
        remaining_s: T - t, seconds, finite.
        alpha: terminal penalty, price/quote.
        zeta: how fast a fades, 1/s, 0 or more.
        eta: its volatility, price/s^(3/2), 0 or more.
        epsilon: its jump at a market order, price/s, 0 or more.
        steps: of the grid of a on each side of 0; somewhat more where a whole number of them is to make *epsilon*.

    Returns:
        Bid and ask distances in price units, a row per signal; NaN for the bid at q_max and the ask at -q_max.

    Raises:
        ArithmeticError: the solver gave up.
    """
    signal = np.atleast_1d(np.asarray(signal, np.float64))
    grid, jump = _grid(float(np.max(np.abs(signal))), A, zeta, eta, epsilon, steps)
    shape = (2 * q_max + 1, len(grid))
    q = np.repeat(np.arange(-q_max, q_max + 1, dtype=np.float64), len(grid))
    source = k * (q * np.tile(grid, shape[0]) - phi * q * q)

    one = eye_array(len(grid), format="csr")
    up, down = (_shift(len(grid), each) for each in (jump, -jump))
    drift = kron(eye_array(shape[0]), _generator(grid, zeta, eta) + A * (up + down - 2.0 * one), format="csr")
    # what a sale, or a purchase, costs: h(a ± epsilon, q) - h(a ± epsilon, q ∓ 1), for all q but the first, or last
    inner = (shape[0] - 1, shape[0])
    sold = kron(diags_array([-1.0, 1.0], offsets=[0, 1], shape=inner), up, format="csr")
    bought = kron(diags_array([1.0, -1.0], offsets=[0, 1], shape=inner), down, format="csr")
    seller = kron(eye_array(*inner, k=1).T, one, format="csr")
    buyer = kron(eye_array(*inner).T, one, format="csr")

    asked = np.geterr()  # what the caller wants to hear of holds for our own arithmetic, and not for the solver's, see below

    @np.errstate(**asked)
    def change(_time: float, value: Floats) -> Floats:
        sales, purchases = _earned(sold @ value)[0], _earned(bought @ value)[0]
        return np.asarray(source + drift @ value + A * (seller @ sales + buyer @ purchases), np.float64)

    @np.errstate(**asked)
    def jacobian(_time: float, value: Floats) -> csr_array:
        sales, purchases = (diags_array(_earned(each @ value)[1]) @ each for each in (sold, bought))
        return drift + A * (seller @ sales + buyer @ purchases)

    with np.errstate(all="ignore"):  # scipy subtracts from rows of memory that nobody has written yet, and does not use the result
        solved = solve_ivp(
            change,
            (0.0, remaining_s),
            -k * alpha * q * q,
            method="BDF",
            t_eval=[remaining_s],
            jac=jacobian,
            rtol=_TOLERANCE,
            atol=_TOLERANCE,
        )
    if not solved.success or not np.all(np.isfinite(solved.y)):
        raise ArithmeticError(f"the value function was not found: {solved.message}")
    step = np.diff(solved.y[:, -1].reshape(shape), axis=0)
    bid = [np.maximum(1.0 - np.interp(signal - epsilon, grid, row), 0.0) / k for row in step]
    ask = [np.maximum(1.0 + np.interp(signal + epsilon, grid, row), 0.0) / k for row in step]
    none = np.full(len(signal), np.nan)
    return np.stack([*bid, none], axis=1), np.stack([none, *ask], axis=1)


def _grid(largest: float, A: float, zeta: float, eta: float, epsilon: float, steps: int) -> tuple[Floats, float]:  # noqa: N803
    """Return the grid of a, and how many of its steps *epsilon* is: a whole number, or less than one."""
    spread = math.sqrt((0.5 * eta * eta + A * epsilon * epsilon) / zeta) if zeta > 0.0 else 0.0
    reach = max(_DEVIATIONS * spread, largest) + 2.0 * epsilon or 1.0
    jump = epsilon / (reach / steps)
    if jump >= 1.0:
        jump = math.ceil(jump)
    step = epsilon / jump if jump >= 1.0 else reach / steps
    half = math.ceil(reach / step * (1.0 - 1e-12))
    return np.asarray(step * np.arange(-half, half + 1), np.float64), jump


def _generator(grid: Floats, zeta: float, eta: float) -> csr_array:
    """Return the matrix of -zeta·a·h'(a) + eta²/2·h''(a), without h'' at the edges."""
    n, step = len(grid), grid[1] - grid[0]
    inward = np.where(grid > 0.0, -1, 1)
    slope = np.zeros((n, n))
    for steps, weight in enumerate((-1.5, 2.0, -0.5)):
        slope[np.arange(n), np.clip(np.arange(n) + steps * inward, 0, n - 1)] += weight * inward / step
    bend = (np.eye(n, k=1) + np.eye(n, k=-1) - 2.0 * np.eye(n)) / (step * step)
    bend[0], bend[-1] = 0.0, 0.0
    return csr_array(-zeta * grid[:, None] * slope + 0.5 * eta * eta * bend)


def _shift(n: int, jump: float) -> csr_array:
    """Return the matrix that takes h(a) to h(a + jump steps); beyond the edge, the edge's."""
    whole = np.trunc(jump)
    part = jump - whole  # of one step, where jumps are smaller
    matrix = np.zeros((n, n))
    weights = {-1: 0.5 * part * (part - 1.0), 0: 1.0 - part * part, 1: 0.5 * part * (part + 1.0)}
    for steps, weight in weights.items():
        matrix[np.arange(n), np.clip(np.arange(n) + int(whole) + steps, 0, n - 1)] += weight
    return csr_array(matrix)


def _earned(p: Floats) -> tuple[Floats, Floats]:
    """Return the largest exp(-d)·(d - p) over d of 0 or more, and its derivative in p."""
    reached = np.exp(-np.maximum(1.0 + p, 0.0))
    return reached * np.maximum(1.0, -p), -reached
