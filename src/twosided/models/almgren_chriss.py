"""How fast to trade out of a position: Almgren and Chriss (2000), "Optimal execution of portfolio transactions", J. Risk 3(2).

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

A position of X units is sold (X < 0: bought back) within T seconds in n equal buckets of tau = T/n; x_j is what is left after
bucket j, n_j = x_{j-1} - x_j what it trades. The mid is a Brownian motion; trading moves it for good by permanent·n_j, and costs
fixed + temporary·n_j/tau a unit on top. What is minimised is mean + risk_aversion × variance of the cost against the first mid.

    sigma          price/sqrt(s)       volatility of the mid
    temporary      price/(unit/s)      the paper's eta
    permanent      price/unit          the paper's gamma
    fixed          price               half the spread plus fees, the paper's epsilon
    risk_aversion  1/money             the paper's lambda

    x_j = X·sinh(kappa·(T - t_j)) / sinh(kappa·T)                                                   (section 2.2)
    2·(cosh(kappa·tau) - 1)/tau² = risk_aversion·sigma²/temporary~,  temporary~ = temporary - permanent·tau/2   (section 2.2)
    mean = permanent·X²/2 + fixed·|X| + temporary~/tau·sum n_j²,   variance = sigma²·tau·sum x_j², j = 1 … n  (sections 1.4, 1.5)

In continuous time (n = None) kappa = sigma·sqrt(risk_aversion/temporary), and sums are integrals. Valid while impact is linear and
the position small against what the market trades; nothing keeps a bucket within a share of the volume or at whole lots, for which
see `twosided.models.flattening`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError

__all__ = ["Execution", "Market", "efficient_frontier", "liquidate"]

Floats = npt.NDArray[np.float64]

_MOST_BUCKETS = 1_000_000


@dataclass(frozen=True)
class Market:
    """What trading costs and what waiting risks; units in the module's text.

    Raises:
        InputError: a negative number, or a volatility or temporary impact of 0.
    """

    sigma: float
    temporary: float
    permanent: float = 0.0
    fixed: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            needed = name in {"sigma", "temporary"}
            if not 0.0 <= value < math.inf or (needed and value == 0.0):
                raise InputError(f"{name} is {value!r}; allowed: a {'positive number' if needed else 'number of 0 or more'}")


@dataclass(frozen=True)
class Execution:
    """A schedule and what it costs.

    Args:
        times_s: when, from 0 to T.
        left: units still held at those times, from X to 0.
        mean: expected cost against the first mid, money.
        variance: of the cost, money².
        kappa: urgency, 1/s: the position's half-life in an unhurried market is ln 2/kappa.
    """

    times_s: Floats
    left: Floats
    mean: float
    variance: float
    kappa: float

    @property
    def traded(self) -> Floats:
        """Units traded in each bucket, of the sign of the position."""
        return -np.diff(self.left)


def liquidate(market: Market, *, position: float, horizon_s: float, risk_aversion: float, buckets: int | None = None) -> Execution:
    """Return the optimal way out of *position*.

    Args:
        market: costs and risks.
        position: X, units, signed.
        horizon_s: T.
        risk_aversion: 0 trades at an even pace.
        buckets: n; None for continuous time, of which 1001 points are returned.

    Raises:
        InputError: a value that is not allowed, or a cost beyond the range of numbers; or buckets so long that temporary -
            permanent·tau/2 is not positive: then it would pay to trade in one go, and the model has no answer.
    """
    if not 0.0 < horizon_s < math.inf or not math.isfinite(position) or not 0.0 <= risk_aversion < math.inf:
        raise InputError(
            f"position is {position!r}, horizon_s {horizon_s!r}, risk_aversion {risk_aversion!r}; allowed: a number, a positive "
            f"number, a number of 0 or more"
        )
    if buckets is not None and not (1 <= buckets <= _MOST_BUCKETS and buckets == int(buckets)):
        raise InputError(f"buckets is {buckets!r}; allowed: a whole number from 1 to {_MOST_BUCKETS:,}")
    with np.errstate(all="ignore"):  # what leaves the range of numbers is seen at the end
        if buckets is None:
            found = _continuous(market, position, horizon_s, risk_aversion)
        else:
            found = _in_buckets(market, position, horizon_s, risk_aversion, int(buckets))
    if not (math.isfinite(found.mean) and math.isfinite(found.variance) and np.all(np.isfinite(found.left))):
        raise InputError(
            f"the cost for {market}, position {position:g}, horizon_s {horizon_s:g}, risk_aversion {risk_aversion:g} exceeds the "
            f"range of numbers; allowed: less extreme parameters"
        )
    return found


def _in_buckets(market: Market, position: float, horizon_s: float, risk_aversion: float, buckets: int) -> Execution:
    tau = horizon_s / buckets
    temporary = market.temporary - 0.5 * market.permanent * tau
    if temporary <= 0.0:
        least = np.floor(0.5 * market.permanent * horizon_s / market.temporary) + 1.0
        raise InputError(f"buckets is {buckets}; allowed: at least {least:.0f}, so that temporary impact exceeds permanent·tau/2")
    kappa = 2.0 * math.asinh(0.5 * tau * market.sigma * math.sqrt(risk_aversion / temporary)) / tau
    times = np.linspace(0.0, horizon_s, buckets + 1, dtype=np.float64)
    left = position * _sinh_ratio(kappa, horizon_s - times, horizon_s)
    spent = temporary / tau * float(np.sum(np.diff(left) ** 2))
    variance = market.sigma * market.sigma * tau * float(np.sum(left[1:] ** 2))
    return Execution(times, left, _unavoidable(market, position) + spent, variance, kappa)


def _continuous(market: Market, position: float, horizon_s: float, risk_aversion: float) -> Execution:
    kappa = market.sigma * math.sqrt(risk_aversion / market.temporary)
    times = np.linspace(0.0, horizon_s, 1001, dtype=np.float64)
    left = position * _sinh_ratio(kappa, horizon_s - times, horizon_s)
    w = kappa * horizon_s
    if w < 1e-4:  # series of what stands below, whose terms cancel
        squared, held = 1.0 + w**4 / 45.0, 1.0 / 3.0 - 2.0 * w * w / 45.0
    else:
        coth, csch = 1.0 / math.tanh(w), math.exp(-w) * 2.0 / -math.expm1(-2.0 * w)
        squared, held = 0.5 * w * (coth + w * csch * csch), 0.5 * (coth / w - csch * csch)
    mean = _unavoidable(market, position) + market.temporary * position * position / horizon_s * squared
    return Execution(times, left, mean, market.sigma * market.sigma * horizon_s * position * position * held, kappa)


def _unavoidable(market: Market, position: float) -> float:
    return 0.5 * market.permanent * position * position + market.fixed * abs(position)


def _sinh_ratio(kappa: float, part: Floats, whole: float) -> Floats:
    """Return sinh(kappa·part)/sinh(kappa·whole), which is part/whole as kappa goes to 0."""
    if kappa * whole < 1e-9:
        return part / whole
    return np.asarray(np.exp(kappa * (part - whole)) * np.expm1(-2.0 * kappa * part) / math.expm1(-2.0 * kappa * whole))


def efficient_frontier(
    market: Market, *, position: float, horizon_s: float, risk_aversions: Sequence[float], buckets: int | None = None
) -> list[tuple[float, float, float]]:
    """Return (risk aversion, mean, standard deviation) of the best schedule for each risk aversion; arguments as of `liquidate`."""
    found = []
    for risk_aversion in risk_aversions:
        best = liquidate(market, position=position, horizon_s=horizon_s, risk_aversion=risk_aversion, buckets=buckets)
        found.append((float(risk_aversion), best.mean, math.sqrt(best.variance)))
    return found
