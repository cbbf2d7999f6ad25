"""Tests of cointegration: whether some combination of prices that each wander comes back to where it was.

Where you are in the pipe: research, on top of all rooms. Needs the extra ``pairs``; this is the one module that imports
statsmodels, and it is loaded when a test is asked for.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from twosided.errors import InputError

try:
    from statsmodels.tools.sm_exceptions import CollinearityWarning
    from statsmodels.tsa.stattools import adfuller, coint
    from statsmodels.tsa.vector_ar.vecm import coint_johansen
except ImportError as error:
    raise InputError("tests of cointegration need statsmodels; install the extra: pip install 'twosided[pairs]'") from error

__all__ = ["EngleGranger", "Johansen", "engle_granger", "johansen", "unit_root_p"]

Floats = npt.NDArray[np.float64]

_MOST_LAGS = 20
"""Of changes, among which the information criterion chooses; Schwert's rule for long samples tries many more, to no use here."""


_TRACE_MOMENTS = ((3.04, 6.87), (10.01, 18.35), (20.96, 36.09), (35.76, 58.17), (54.51, 85.39), (77.30, 122.36))
"""Mean and variance of the trace's distribution with 1, 2, … common trends."""


@dataclass(frozen=True)
class EngleGranger:
    """Engle and Granger's test that there is no cointegration, with the series in either place.

    Args:
        statistic: of the regression of the first on the second.
        p: its p-value (MacKinnon's response surface).
        p_reversed: of the regression of the second on the first.
    """

    statistic: float
    p: float
    p_reversed: float

    @property
    def p_either(self) -> float:
        """P-value of the better of the two directions, paid for by doubling it (Bonferroni)."""
        return min(1.0, 2.0 * min(self.p, self.p_reversed))


@dataclass(frozen=True)
class Johansen:
    """Johansen's trace test, by rank: entry r tests that there are at most r relations.

    Args:
        trace: statistics.
        trace_p: their p-values, for prices without a trend.
        vector: the first relation, its first entry scaled to 1: series @ vector comes back.
        lags: of changes.
    """

    trace: tuple[float, ...]
    trace_p: tuple[float, ...]
    vector: tuple[float, ...]
    lags: int

    @property
    def rank(self) -> int:
        """How many relations there are at 5 %: the first r that is not rejected."""
        return next((r for r, p in enumerate(self.trace_p) if p > 0.05), len(self.trace_p))


def unit_root_p(series: Floats) -> float:
    """Return the p-value of the augmented Dickey-Fuller test that *series* wanders (with a constant; lags by AIC).

    Source: Dickey and Fuller (1979), J. of the American Statistical Association 74; p by MacKinnon (1994, 2010).
    """
    return float(adfuller(series, maxlag=_lags(len(series)), autolag="AIC", regression="c", result_object=False)[1])


def engle_granger(y: Floats, x: Floats) -> EngleGranger:
    """Return Engle and Granger's test of the residual of y on x and a constant, and of x on y (lags by AIC, at most 20).

    Args:
        y: samples, shape (n,).
        x: samples at the same times.

    Raises:
        InputError: one is a multiple of the other.

    Source: Engle and Granger (1987), "Co-integration and error correction", Econometrica 55; p-values of MacKinnon (2010),
    "Critical values for cointegration tests", Queen's University working paper 1227.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", CollinearityWarning)
        try:
            there, back = (coint(a, b, trend="c", maxlag=_lags(len(y)), autolag="aic") for a, b in ((y, x), (x, y)))
        except CollinearityWarning:
            raise InputError("one series is a multiple of the other; there is nothing to test") from None
    return EngleGranger(float(there[0]), float(there[1]), float(back[1]))


def johansen(series: Floats, lags: int = 1) -> Johansen:
    """Return Johansen's trace test, with an unrestricted constant and prices without a trend.

    Prices that have a trend are tested on the careful side: their statistic is smaller. (Tables for a trend, such as those that
    statsmodels prints, would reject 13 % of driftless walks at 5 %.)

    Args:
        series: samples at the same times, shape (n, k), k from 2 to 6.
        lags: of changes in the model.

    Raises:
        InputError: another number of series.

    Source: Johansen (1991), "Estimation and hypothesis testing of cointegration vectors", Econometrica 59; p-values: a
    gamma distribution with the right mean and variance, as proposed by Doornik (1998), J. of Economic Surveys 12; both simulated
    (20,000 draws of 800 steps), as he has none for this case. At the critical values of Osterwald-Lenum (1992), Oxford Bulletin
    54, table 1, they are within 0.011 of 10 % and 5 %.
    """
    if series.ndim != 2 or not 2 <= series.shape[1] <= 6:
        raise InputError(f"series has the shape {series.shape}; allowed: 2 to 6 columns")
    found = coint_johansen(series, 0, lags)
    trace = tuple(float(each) for each in found.lr1)
    k = series.shape[1]
    vector = np.asarray(found.evec)[:, 0]
    return Johansen(
        trace,
        tuple(_trace_p(each, k - r) for r, each in enumerate(trace)),
        tuple(float(each) for each in vector / vector[0]),
        lags,
    )


def _trace_p(statistic: float, k: int) -> float:
    mean, variance = _TRACE_MOMENTS[k - 1]
    return float(stats.gamma.sf(statistic, mean * mean / variance, scale=variance / mean))


def _lags(n: int) -> int:
    """Return Schwert's number of lags, within bounds."""
    return min(int(12.0 * (n / 100.0) ** 0.25), _MOST_LAGS)
