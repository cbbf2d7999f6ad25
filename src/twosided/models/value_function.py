"""How the value of an inventory evolves: one differential equation for each q, coupled to its neighbours by what trading is worth.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

    theta_q' = source_q + H(theta_q - theta_{q+1}) + H(theta_q - theta_{q-1})      in the time left, theta(0) = terminal

H, the Hamiltonian, is what a quote earns per second when being filled costs p: convex, decreasing. `twosided.models.hjb` has those
of general intensities. All numbers are dimensionless but for 1/s: whoever calls divides money by 1/k.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp
from scipy.sparse import bmat, diags_array
from scipy.sparse.linalg import splu

__all__ = ["STEEPEST", "Gain", "integrate", "stationary"]

Floats = npt.NDArray[np.float64]
Gain = Callable[[Floats], tuple[Floats, Floats]]
"""Returns H(p) and its derivative H'(p) for an array of p."""

_TOLERANCE = 1e-12
STEEPEST = 40.0
"""H goes on straight below p = -40: what that changes lasts e^-40 / eta seconds, and nothing overflows."""

_ROUNDS = 200
_MEANT = 1e6  # steeper than this, what holding costs is more than trading at any price earns: nothing is stationary
_FURTHEST = 4.0  # a difference of neighbours changes by no more than this and its size, lest a trading rate underflow


def _bounded(gain: Gain, p: Floats) -> tuple[Floats, Floats]:
    inside = np.maximum(p, -STEEPEST)
    value, slope = gain(inside)
    return value + slope * (p - inside), slope


def _flow(gain: Gain, source: Floats, theta: Floats) -> tuple[Floats, Floats, Floats]:
    """Return theta', and how fast one buys from each q but the last and sells from each but the first (1/s)."""
    step = np.diff(theta)
    bought, buying = _bounded(gain, -step)
    sold, selling = _bounded(gain, step)
    change = source.copy()
    change[:-1] += bought
    change[1:] += sold
    return change, -buying, -selling


def integrate(gain: Gain, source: Floats, terminal: Floats, remaining_s: Floats, *, tolerance: float) -> Floats:
    """Return theta for each of *remaining_s*, by LSODA (Hindmarsh and Petzold): orders to 12 and 5, implicit where it is stiff.

    Args:
        gain: the Hamiltonian, of one side; both are alike.
        source: for each q, 1/s.
        terminal: theta where no time is left.
        remaining_s: increasing, 0 or more.
        tolerance: of each step, relative and absolute; quotes are right to about ten times as much.

    Returns:
        A row per time.

    Raises:
        ArithmeticError: the solver gave up.
    """

    def change(_time: float, theta: Floats) -> Floats:
        return _flow(gain, source, theta)[0]

    def jacobian(_time: float, theta: Floats) -> Floats:
        _, buying, selling = _flow(gain, source, theta)
        band = np.zeros((3, len(theta)))
        band[0, 1:], band[2, :-1] = buying, selling
        band[1, :-1] -= buying
        band[1, 1:] -= selling
        return band

    times = np.asarray(remaining_s, np.float64)
    if times[-1] == 0.0:
        return np.tile(terminal, (len(times), 1))
    solved = solve_ivp(
        change,
        (0.0, times[-1]),
        terminal,
        method="LSODA",
        t_eval=times,
        jac=jacobian,
        lband=1,
        uband=1,
        rtol=tolerance,
        atol=tolerance,
    )
    if not solved.success or not np.all(np.isfinite(solved.y)):
        raise ArithmeticError(f"the value function was not found: {solved.message}")
    return np.asarray(solved.y.T, np.float64)


def stationary(gain: Gain, source: Floats, start: Floats) -> Floats:
    """Return theta, up to a constant, of an infinite horizon: where theta' is the same for every q.

    Newton's method, which for a convex H is Howard's policy iteration: it solves for the value of the present quotes, then takes
    the best quotes for that value, and cannot cycle. Far from the solution it goes a part of the way only.

    Raises:
        ArithmeticError: it did not settle; where intensities level off, an inventory can cost more than trading ever earns.
    """
    theta = start - start[len(start) // 2]
    ones = np.ones((len(theta), 1))
    for _ in range(_ROUNDS):
        change, buying, selling = _flow(gain, source, theta)
        leaving = np.append(buying, 0.0) + np.append(0.0, selling)
        generator = diags_array([-leaving, buying, selling], offsets=[0, 1, -1])
        fixed = np.zeros((1, len(theta)))
        fixed[0, len(theta) // 2] = 1.0
        bordered = bmat([[generator, -ones], [fixed, None]], format="csc")
        try:
            step = splu(bordered).solve(np.append(-change, 0.0))[:-1]
        except RuntimeError:  # singular: some inventory can no longer be left
            break
        furthest, steepest = (float(np.max(np.abs(np.diff(values)))) for values in (step, theta))
        if not furthest + steepest < _MEANT:
            break
        theta = theta + step * min(1.0, (_FURTHEST + steepest) / furthest) if furthest else theta
        if furthest <= _TOLERANCE * max(1.0, steepest):
            return np.asarray(theta, np.float64)
    raise ArithmeticError(
        "no stationary value was found (where intensities level off, holding can cost more than trading ever earns; a finite "
        "horizon has an answer)"
    )
