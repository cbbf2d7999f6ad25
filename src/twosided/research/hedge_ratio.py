"""How many of x hedge one of y: three answers, each with its 95 % interval, and what each takes for granted.

Where you are in the pipe: research, on top of all rooms; plain functions of arrays.

| function | takes for granted | right when |
|---|---|---|
| `least_squares_ratio` | x is seen without noise | x is the cleaner of the two |
| `total_least_squares_ratio` | both prices are noisy, in proportion to how much they move | both bounce |
| `kalman_ratio` | line and ratio walk at random | the ratio drifts; its answer is that of now |

The first two fit y = a + b·x + u. Their intervals hold when the pair is cointegrated, u is autoregressive of the first order and
knows nothing of the moves of x: the error of a sum of u·(x - mean) is then that of independent terms times 1/(1 - phi)². When u
wanders there is no ratio, and no interval holds.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from twosided.research.measured import Measured
from twosided.signals.pairs import kalman_path

__all__ = ["Drifting", "Line", "kalman_ratio", "least_squares_ratio", "long_run_deviation", "total_least_squares_ratio"]

Floats = npt.NDArray[np.float64]

_SKIP = 10  # first surprises, which a start that knows nothing makes large
_CLOSEST = 1.0  # of 1 - phi, times 1/n: what cannot be told from a walk counts as that close to one
_LOG_LOW, _LOG_HIGH = -30.0, 8.0  # of drift over noise


@dataclass(frozen=True)
class Line:
    """A line y = intercept + ratio·x.

    Args:
        ratio: units of x that hedge one of y.
        intercept: unit of y.
        spread: y less the line, shape (n,).
    """

    ratio: Measured
    intercept: float
    spread: Floats


@dataclass(frozen=True)
class Drifting:
    """What the Kalman filter says.

    Args:
        ratio: now.
        path: ratio after each sample, shape (n,).
        deviations: of its error, shape (n,).
        surprises: standardised one-step errors, shape (n,); the first `_SKIP` are 0.
        noise: variance of y around the line.
        drift_intercept, drift_ratio: variances a step.
        drift_p: p-value of a ratio that does not drift.
    """

    ratio: Measured
    path: Floats
    deviations: Floats
    surprises: Floats
    noise: float
    drift_intercept: float
    drift_ratio: float
    drift_p: float


def least_squares_ratio(y: Floats, x: Floats) -> Line:
    """Return b = Σ(x - x̄)(y - ȳ) / Σ(x - x̄)², with the error omega / sqrt(Σ(x - x̄)²), see `long_run_deviation`.

    Source: Engle and Granger (1987), Econometrica 55, step one; the error: Phillips and Park (1988), "Asymptotic equivalence of
    ordinary and generalized least squares in regressions with integrated regressors", J. of the American Statistical Association
    83, for regressors that know nothing of the residual.
    """
    away_x, away_y = x - x.mean(), y - y.mean()
    squares = float(away_x @ away_x)
    ratio = float(away_x @ away_y) / squares
    return _line(y, x, ratio, lambda omega, _spread: omega / math.sqrt(squares))


def total_least_squares_ratio(y: Floats, x: Floats) -> Line:
    """Return the line with the smallest squared distances, each axis measured in deviations of its one-step changes.

    With d = var(Δy)/var(Δx) and S the sums of squares and products around the means:

        b = [S_yy - d·S_xx + sqrt((S_yy - d·S_xx)² + 4 d·S_xy²)] / (2 S_xy)

    which solves Σ u·z = 0 with z = d·(x - x̄) + b·(y - ȳ); the error is omega·sqrt(Σ z²) over the derivative of that sum.

    Source: Deming (1943), "Statistical Adjustment of Data"; Fuller (1987), "Measurement Error Models", (1.3.7).
    """
    away_x, away_y = x - x.mean(), y - y.mean()
    s_xx, s_yy, s_xy = float(away_x @ away_x), float(away_y @ away_y), float(away_x @ away_y)
    d = float(np.var(np.diff(y)) / np.var(np.diff(x)))
    difference = s_yy - d * s_xx
    ratio = (difference + math.sqrt(difference * difference + 4.0 * d * s_xy * s_xy)) / (2.0 * s_xy)

    def error(omega: float, spread: Floats) -> float:
        z = d * away_x + ratio * away_y
        return omega * math.sqrt(float(z @ z)) / abs(float(spread @ away_y) - float(away_x @ z))

    return _line(y, x, ratio, error)


def _line(y: Floats, x: Floats, ratio: float, error: Callable[[float, Floats], float]) -> Line:
    intercept = float(y.mean() - ratio * x.mean())
    spread = y - intercept - ratio * x
    half_width = float(stats.t.ppf(0.975, len(y) - 2)) * error(long_run_deviation(spread), spread)
    return Line(Measured(ratio, ratio - half_width, ratio + half_width), intercept, spread)


def long_run_deviation(spread: Floats) -> float:
    """Return omega = s / (1 - phi), s the deviation of the spread's unforeseen part, phi its first autocorrelation.

    phi is corrected for its bias by (1 + 3 phi)/n, and never nearer to 1 than 1/n.

    Source: Marriott and Pope (1954), "Bias in the estimation of autocorrelations", Biometrika 41, for the correction.
    """
    n = len(spread)
    earlier, later = spread[:-1] - spread.mean(), spread[1:] - spread.mean()
    phi = float(earlier @ later) / float(earlier @ earlier)
    unforeseen = later - phi * earlier
    phi = min(phi + (1.0 + 3.0 * phi) / n, 1.0 - _CLOSEST / n)
    return math.sqrt(float(unforeseen @ unforeseen) / (n - 2)) / (1.0 - phi)


def kalman_ratio(y: Floats, x: Floats) -> Drifting:
    """Return the ratio now and on the way, of a line whose intercept and ratio walk at random (`twosided.signals.pairs`).

    The intercept is that at the first x, about which the line turns.

    The two variances of the walks, over that of the noise, are those of highest likelihood; the noise follows from them. Whether
    the ratio drifts at all is a likelihood-ratio test: half of chi-square with one degree of freedom, as zero is at the edge. Fat
    tails would pass for drift, so the ratio is divided by (kurtosis - 1)/2 of the standardised surprises, by which they inflate the
    variance of a variance (at least 1). The interval takes the variances for known.

    Source: Harvey (1989), "Forecasting, Structural Time Series Models and the Kalman Filter", chapter 3.4, for the likelihood
    without the noise; Self and Liang (1987), J. of the American Statistical Association 82, for the edge.
    """
    y_scale = float(np.var(np.diff(y)))
    x_scale = max(float(np.var(x)), 1e-300)
    origin, start = y[0], float(np.polyfit(x, y, 1)[0])

    def run(logs: Floats) -> Floats:
        a, b = np.exp(np.clip(logs, _LOG_LOW, _LOG_HIGH))
        known = 1e4 * (1.0 + float(np.var(y)) / y_scale)  # so much that the data decide
        b = 0.0 if logs[1] < _LOG_LOW else b / x_scale
        return kalman_path(
            y - origin, x, drift_a=a, drift_b=b, noise=1.0, slope=start, variance_a=known, variance_b=known / x_scale
        )

    def minus_likelihood(logs: Floats) -> float:
        surprise, variance = run(logs)[_SKIP:, 3:].T
        scale = max(float(np.mean(np.square(surprise) / variance)), 1e-300)
        return 0.5 * (len(surprise) * math.log(scale) + float(np.sum(np.log(variance))))

    fixed = min(
        (
            optimize.minimize_scalar(
                lambda a: minus_likelihood(np.array([a, -math.inf])), bounds=bounds, method="bounded", options={"xatol": 0.01}
            )
            for bounds in ((-16.0, -2.0), (-4.0, _LOG_HIGH))
        ),
        key=lambda found: float(found.fun),
    )
    begin = [np.array([fixed.x, b]) for b in (-14.0, -7.0)]
    best = min(
        (optimize.minimize(minus_likelihood, at, method="Nelder-Mead", options={"xatol": 0.02, "fatol": 0.01}) for at in begin),
        key=lambda found: float(found.fun),
    )
    gain = max(float(fixed.fun) - float(best.fun), 0.0)
    logs = best.x if gain > 0.0 else np.array([fixed.x, -math.inf])
    path = run(logs)
    noise = float(np.mean(np.square(path[_SKIP:, 3]) / path[_SKIP:, 4]))
    deviations = np.sqrt(path[:, 2] * noise)
    surprises = np.zeros(len(y))
    surprises[_SKIP:] = path[_SKIP:, 3] / np.sqrt(noise * path[_SKIP:, 4])
    inflation = max(0.5 * (float(stats.kurtosis(surprises[_SKIP:], fisher=False)) - 1.0), 1.0)
    walks = noise * np.exp(np.clip(logs, _LOG_LOW, _LOG_HIGH)) * np.array([1.0, 1.0 / x_scale])
    return Drifting(
        ratio=Measured.around(float(path[-1, 1]), float(deviations[-1])),
        path=path[:, 1],
        deviations=deviations,
        surprises=surprises,
        noise=noise,
        drift_intercept=float(walks[0]),
        drift_ratio=0.0 if logs[1] < _LOG_LOW else float(walks[1]),
        drift_p=0.5 * float(stats.chi2.sf(2.0 * gain / inflation, 1)) if gain > 0.0 else 1.0,
    )
