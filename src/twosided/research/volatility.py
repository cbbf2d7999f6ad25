"""Volatility: of bars, of ticks, and how much of it is the bounce of prices between ticks.

Where you are in the pipe: research, on top of all rooms; plain functions of arrays, which know nothing of books or files.

| function | sees | answers | unit |
|---|---|---|---|
| `close_to_close` | closes of bars | volatility of the whole time | fraction/sqrt(s) |
| `ewma` | the same | volatility now | fraction/sqrt(s) |
| `parkinson`, `garman_klass` | highs, lows (opens, closes) | the same from fewer bars | fraction/sqrt(s) |
| `realised` | ticks, sampled every so often | volatility of the whole time, bounce included | price/sqrt(s) |
| `two_scale` | all ticks | the same, bounce taken out | price/sqrt(s) |

A fraction is a change of the logarithm. Ticks may be prices or their logarithms; the unit of the answer follows.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError
from twosided.research.columns import columns
from twosided.research.measured import Measured
from twosided.units import NS_PER_SECOND

__all__ = [
    "SignaturePoint",
    "TwoScale",
    "annualised",
    "close_to_close",
    "ewma",
    "garman_klass",
    "parkinson",
    "realised",
    "sampled",
    "signature",
    "two_scale",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

FEWEST = 10
"""Changes that an estimate needs at least."""

_FOUR_LOG_2 = 4.0 * math.log(2.0)
_RISKMETRICS = 0.94


# ---------------------------------------------------------------- bars


def close_to_close(close: Floats, bar_s: float) -> Measured:
    """Return sqrt(mean r² / bar_s), r the change of the logarithm from close to close.

    The mean change is taken for zero: over a bar it is far below its own error. The interval allows for fat tails (the error is
    that of a mean of r²), not for volatility that comes in clusters.

    Args:
        close: prices, shape (n,).
        bar_s: length of a bar, s.

    Raises:
        InputError: fewer than 11 bars, a price that is not positive, or none that moved.

    Source: the definition; Garman and Klass (1980), "On the estimation of security price volatilities from historical data", J. of
    Business 53, call it the classical estimator and measure the others by it.
    """
    return _root_of_mean(np.square(_log_changes(close)), bar_s)


def ewma(close: Floats, bar_s: float, decay: float = _RISKMETRICS) -> Measured:
    """Return the root of s² / bar_s with s² = decay·s² + (1 - decay)·r² after every bar, begun at the mean of r².

    The interval counts (1 + decay)/(1 - decay) effective Gaussian changes (32 at 0.94, so ± 27 %) and holds where volatility moves
    more slowly than that.

    Args:
        close: prices, shape (n,).
        bar_s: length of a bar, s.
        decay: weight of the past, in (0, 1); 0.94 is RiskMetrics' for days.

    Raises:
        InputError: as `close_to_close`, or a decay outside (0, 1).

    Source: J. P. Morgan and Reuters (1996), "RiskMetrics - Technical Document", 4th ed., section 5.2.
    """
    if not 0.0 < decay < 1.0:
        raise InputError(f"decay is {decay}; allowed: between 0 and 1")
    squares = np.square(_log_changes(close))
    _require_enough(len(squares), bar_s)
    weights = (1.0 - decay) * decay ** np.arange(len(squares) - 1, -1, -1.0)
    variance = float(weights @ squares) + decay ** len(squares) * float(squares.mean())
    _require_moved(variance)
    effective = min((1.0 + decay) / (1.0 - decay), float(len(squares)))
    return Measured.of(math.sqrt(variance / bar_s), math.sqrt(0.5 / effective))


def parkinson(high: Floats, low: Floats, bar_s: float) -> Measured:
    """Return sqrt(mean ln(H/L)² / (4 ln 2 · bar_s)).

    Five times as efficient as `close_to_close` for a continuous path without drift. Too low where a bar holds few trades, because
    the extremes between them go unseen (by 0.73 over the root of their number: 10 % at 50 trades a bar); too high where highs and
    lows bounce between bid and ask.

    Args:
        high: highest prices, shape (n,).
        low: lowest prices, shape (n,).
        bar_s: length of a bar, s.

    Raises:
        InputError: fewer than 10 bars, a price that is not positive, a low above its high, or none that moved.

    Source: Parkinson (1980), "The extreme value method for estimating the variance of the rate of return", J. of Business 53.
    """
    high, low = _positive(high, "high"), _positive(low, "low")
    if len(high) != len(low) or np.any(low > high):
        raise InputError("every bar needs a high and a low that is not above it, and as many of one as of the other")
    return _root_of_mean(np.square(np.log(high / low)) / _FOUR_LOG_2, bar_s)


def garman_klass(open_: Floats, high: Floats, low: Floats, close: Floats, bar_s: float) -> Measured:
    """Return the root of mean(½ ln(H/L)² - (2 ln 2 - 1) ln(C/O)²) / bar_s.

    7.4 times as efficient as `close_to_close`, with the weaknesses of `parkinson`; what happens between a close and the next open
    is not seen.

    Args:
        open_: first prices, shape (n,).
        high: highest prices.
        low: lowest prices.
        close: last prices.
        bar_s: length of a bar, s.

    Raises:
        InputError: as `parkinson`, or an open or a close outside the bar.

    Source: Garman and Klass (1980), "On the estimation of security price volatilities from historical data", J. of Business 53:
    the practical estimator, their sigma5 squared.
    """
    open_, high, low, close = (
        _positive(each, name) for each, name in zip((open_, high, low, close), ("open", "high", "low", "close"), strict=True)
    )
    if not len(open_) == len(high) == len(low) == len(close):
        raise InputError(f"there are {len(open_)} opens, {len(high)} highs, {len(low)} lows, {len(close)} closes; allowed: as many")
    if np.any(low > np.minimum(open_, close)) or np.any(high < np.maximum(open_, close)):
        raise InputError("every bar needs an open and a close that are not below its low nor above its high")
    squares = 0.5 * np.square(np.log(high / low)) - (2.0 * math.log(2.0) - 1.0) * np.square(np.log(close / open_))
    return _root_of_mean(squares, bar_s)


def annualised(sigma: Measured, days_per_year: float = 365.0, hours_per_day: float = 24.0) -> Measured:
    """Return a volatility in fraction/sqrt(s) as a fraction per square root of a year of that much trading.

    Raises:
        InputError: days or hours that are no positive number.
    """
    if not (0.0 < days_per_year < math.inf and 0.0 < hours_per_day <= 24.0):
        raise InputError(f"days_per_year is {days_per_year} and hours_per_day {hours_per_day}; allowed: above 0, hours up to 24")
    return sigma.scaled(math.sqrt(days_per_year * hours_per_day * 3600.0))


# ---------------------------------------------------------------- ticks


def realised(times_ns: Integers, values: Floats, every_ns: int) -> Measured:
    """Return sqrt(sum r² / T), r the change of the last value known from one sample to the next.

    Microstructure noise of variance w² adds 2 w² to every r², so the shorter the step the more of the answer is noise: `signature`
    shows it.

    Args:
        times_ns: when each value became known, never decreasing, shape (n,).
        values: prices or their logarithms.
        every_ns: distance of two samples, ns.

    Raises:
        InputError: fewer than 10 changes, or none that moved.

    Source: Andersen, Bollerslev, Diebold and Labys (2003), "Modeling and forecasting realized volatility", Econometrica 71.
    """
    return _root_of_mean(np.square(np.diff(sampled(times_ns, values, every_ns))), every_ns / NS_PER_SECOND)


def sampled(times_ns: Integers, values: Floats, every_ns: int) -> Floats:
    """Return the last value known at times_ns[0], and every *every_ns* after.

    Raises:
        InputError: *every_ns* is not positive, there are no values, other than one for each time, or times that decrease.
    """
    (values,) = columns(values=values)
    if every_ns <= 0 or not len(values):
        raise InputError(f"every_ns is {every_ns} and there are {len(values)} values; allowed: a positive step, and some values")
    if len(times_ns) != len(values) or np.any(np.diff(times_ns) < 0):
        raise InputError(f"there are {len(times_ns)} times and {len(values)} values; allowed: as many, times that never decrease")
    grid = np.arange(times_ns[0], times_ns[-1] + 1, every_ns)
    return np.asarray(values[np.searchsorted(times_ns, grid, side="right") - 1], np.float64)


@dataclass(frozen=True)
class TwoScale:
    """What `two_scale` returns.

    Args:
        sigma: volatility with the noise taken out, unit of the values per sqrt(s).
        noise: standard deviation of the noise of one value, unit of the values.
        step: changes over so many values make the slow scale.
        changes: values looked at, less one.
    """

    sigma: Measured
    noise: float
    step: int
    changes: int


def two_scale(times_ns: Integers, values: Floats, step: int | None = None) -> TwoScale:
    """Return the two-scale realised volatility: the bias of the slow scale, estimated by the fast one, taken off.

    With [K] the mean over K shifted grids of the sum of squared changes over K values, n̄ = (n - K + 1)/K, [1] the sum of squared
    single changes:

        IV = (1 - n̄/n)^-1 · ([K] - (n̄/n)·[1]),      w² = ([1] - IV) / 2n,      sigma = sqrt(IV / T)
        var IV = (2/n)·(1 + K(2K - 1)/(3(K - 1)))·Q + 8 w²·IV/(K - 1) + 8 n·w⁴/(K - 1)²

    with w² the variance of the noise and Q = T·∫sigma⁴ dt. For large K the variance is the source's 8 n/K²·w⁴ + (4/3)(K/n)·Q,
    which K = (12 w⁴/Q)^(1/3)·n^(2/3) makes smallest; the first term here is exact for small K too (of Gaussian changes), the second
    is that of the flat-top Bartlett kernel, which this estimator is. The noise is taken for independent from value to value. Where
    it is not (every step of a sweep printed as a trade) a K near the chosen 2 is too low, and a longer *step* helps.

    Args:
        times_ns: when each value was seen; only the first and the last time matter.
        values: prices (trades, or the mid after every change) or their logarithms, shape (n + 1,).
        step: K, from 2; chosen by the formula above, Q = IV², when None.

    Raises:
        InputError: fewer than 100 values, a step that leaves fewer than 10 changes, or nothing left after the correction.

    Source: Zhang, Mykland and Aït-Sahalia (2005), "A tale of two time scales", J. of the American Statistical Association 100: the
    two-scales estimator, its small-sample correction, its variance and the best K. The kernel's variance: Barndorff-Nielsen,
    Hansen, Lunde and Shephard (2008), "Designing realized kernels", Econometrica 76, the flat-top Bartlett kernel.
    """
    (values,) = columns(values=values)
    if len(times_ns) != len(values):
        raise InputError(f"there are {len(times_ns)} times and {len(values)} values; allowed: as many")
    n, seconds = len(values) - 1, (int(times_ns[-1]) - int(times_ns[0])) / NS_PER_SECOND if len(times_ns) else 0.0
    if n < 10 * FEWEST or seconds <= 0.0:
        raise InputError(f"two scales need 100 changes over some time; there are {max(n, 0)} over {seconds:g} s")
    fast = float(np.sum(np.square(np.diff(values))))
    _require_moved(fast)
    chosen = _best_step(values, fast) if step is None else step
    if not 2 <= chosen <= n // FEWEST or chosen != int(chosen):
        raise InputError(f"step is {chosen}; allowed: a whole number from 2 to {n // FEWEST}, a tenth of the changes")
    integrated = _integrated(values, fast, chosen)
    if integrated <= 0.0:
        raise InputError("nothing is left of the volatility once the noise is taken off: too few values, or all of it is noise")
    noise = max(fast - integrated, 0.0) / (2.0 * n)
    discrete = 2.0 / n * (1.0 + chosen * (2.0 * chosen - 1.0) / (3.0 * (chosen - 1.0)))
    variance = discrete * _quarticity(values, chosen, noise, integrated)
    variance += 8.0 * noise * integrated / (chosen - 1) + 8.0 * n * noise**2 / (chosen - 1) ** 2
    sigma = Measured.of(math.sqrt(integrated / seconds), 0.5 * math.sqrt(variance) / integrated)
    return TwoScale(sigma, math.sqrt(noise), chosen, n)


def _integrated(values: Floats, fast: float, step: int) -> float:
    """Return the integrated variance with *step* as the slow scale; *fast* is the sum of squared single changes."""
    n = len(values) - 1
    share = (n - step + 1) / (step * n)
    slow = float(np.sum(np.square(values[step:] - values[:-step]))) / step
    return (slow - share * fast) / (1.0 - share)


def _quarticity(values: Floats, step: int, noise: float, integrated: float) -> float:
    """Return Q: a third of the fourth moment of slow changes without their noise, and at least its value at steady volatility."""
    n = len(values) - 1
    spread = math.sqrt(float(np.mean((values[step:] - values[:-step]) ** 4)) / 3.0) - 2.0 * noise
    return max((n / step * max(spread, 0.0)) ** 2, integrated**2)


def _best_step(values: Floats, fast: float) -> int:
    """Return the K of least variance, from a first look with a hundredth of the values as the slow scale."""
    n = len(values) - 1
    first = _integrated(values, fast, max(n // 100, 2))
    if first <= 0.0:
        return n // FEWEST
    noise = max(fast - first, 0.0) / (2.0 * n)
    best = (12.0 * noise**2 / first**2) ** (1.0 / 3.0) * n ** (2.0 / 3.0)
    return int(min(max(math.ceil(best), 2), n // FEWEST))


@dataclass(frozen=True)
class SignaturePoint:
    """Realised volatility at one distance of samples; what does not fall as the distance grows is volatility, the rest is noise."""

    every_s: float
    sigma: Measured
    samples: int


def signature(times_ns: Integers, values: Floats, every_ns: tuple[int, ...]) -> tuple[SignaturePoint, ...]:
    """Return `realised` at each distance that leaves enough changes: what a signature plot draws.

    Source: Andersen, Bollerslev, Diebold and Labys (2000), "Great realizations", Risk 13.
    """
    found = []
    for step in every_ns:
        changes = np.diff(sampled(times_ns, values, step))
        if len(changes) >= FEWEST and np.any(changes):
            found.append(SignaturePoint(step / NS_PER_SECOND, realised(times_ns, values, step), len(changes)))
    return tuple(found)


# ---------------------------------------------------------------- shared


def _positive(prices: Floats, name: str) -> Floats:
    (prices,) = columns(**{name: prices})
    if not np.all(prices > 0.0):
        raise InputError(f"{name} holds {prices[prices <= 0.0][0]}; allowed: positive prices")
    return prices


def _log_changes(close: Floats) -> Floats:
    return np.asarray(np.diff(np.log(_positive(close, "close"))))


def _root_of_mean(squares: Floats, seconds: float) -> Measured:
    """Return sqrt(mean / seconds); the logarithm of a root has half the relative error of what is under it."""
    _require_enough(len(squares), seconds)
    mean = float(squares.mean())
    _require_moved(mean)
    error = float(squares.std(ddof=1)) / math.sqrt(len(squares))
    return Measured.of(math.sqrt(mean / seconds), 0.5 * error / mean)


def _require_enough(changes: int, seconds: float) -> None:
    if changes < FEWEST:
        raise InputError(f"too little to estimate volatility: {changes} changes; needed: {FEWEST}")
    if not 0.0 < seconds < math.inf:
        raise InputError(f"a bar or a step lasts {seconds} s; allowed: more than 0")


def _require_moved(variance: float) -> None:
    if not variance > 0.0:
        raise InputError("the price never moved: there is no volatility to estimate")
