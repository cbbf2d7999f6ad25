"""What each signal says about the next move of the mid, measured where nothing was fitted.

Where you are in the pipe: research, on top of all rooms: *events* in, correlations with their doubts out.

Signals are looked at every 100 ms, as a strategy would see them. Those with a direction are correlated with the move of the mid
over the next horizon, m(t + h) - m(t); those without (volatility, spread, toxicity) with its size |m(t + h) - m(t)|. What is
fitted (the micro-price, the weights of a combination) is fitted on the first half of the recording; every number is of the second.

Only samples with a whole, uncrossed book in continuous trading count, and none after a minute without any message: a closed
market would dilute everything.

Windows of one horizon overlap, and markets have moods, so observations are far from independent: intervals are of a circular block
bootstrap whose blocks are at least two horizons long (`block_bootstrap`). With a dozen signals and three horizons, one or two of
forty 95 % intervals leave out zero by chance.

The study is of the mid as it stood when the signal was seen. It says nothing about what can be earned: the move that a signal
foretells is nearly always less than half the spread.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError
from twosided.market.event import Events, Kind
from twosided.research.block_bootstrap import intervals
from twosided.research.measured import Measured
from twosided.signals.by_name import SIGNALS
from twosided.signals.microprice import fit_microprice
from twosided.signals.paths import SignalPaths, signal_paths
from twosided.units import NS_PER_SECOND, duration_text

__all__ = ["DIRECTED", "Forecast", "SignalStudy", "signal_study"]

Floats = npt.NDArray[np.float64]

EVERY_NS = 100_000_000
DIRECTED = ("imbalance", "microprice_ticks", "ofi", "trade_imbalance", "large_trade")
"""Signals that point up or down; the others say how much."""

_OF_LIMITS = ("band_low_ticks", "band_high_ticks")
_FITTED = "microprice (Stoikov)"
_COMBINED = "all directed, by regression"
_FEWEST = 200
_SILENCE_S = 60.0  # without any message: the market is taken for closed


@dataclass(frozen=True)
class Forecast:
    """One signal at one horizon.

    Args:
        signal: its name.
        horizon_s: how far ahead.
        of: "move" or "size of move".
        correlation: on the second half, with its 95 % interval; None where the signal or the mid never moves.
        first_half: the same on the first half.
        observations: of the second half.
    """

    signal: str
    horizon_s: float
    of: str
    correlation: Measured | None
    first_half: float | None
    observations: int

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.correlation is not None and (self.correlation.low > 0 or self.correlation.high < 0)


@dataclass(frozen=True)
class SignalStudy:
    """What `signal_study` returns: how much of the recording could be used, and a forecast for each signal and horizon."""

    seconds: float
    samples: int
    forecasts: tuple[Forecast, ...]

    def facts(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "seconds": self.seconds,
            "samples": self.samples,
            "forecasts": [{**asdict(each), "significant": each.significant} for each in self.forecasts],
        }


def signal_study(
    events: Events,
    horizons_ns: Sequence[int] = (NS_PER_SECOND, 5 * NS_PER_SECOND, 10 * NS_PER_SECOND),
    *,
    start_ns: int | None = None,
) -> SignalStudy:
    """Correlate every signal of the first market with the next moves of its mid.

    Args:
        events: in the order of our clock.
        horizons_ns: multiples of 100 ms.
        start_ns: samples before it are left out; signals warm up from the beginning.

    Raises:
        InputError: a horizon that is not such a multiple, or a recording with too little continuous trading for it.

    Price limits are left out where the recording has none.
    """
    for horizon_ns in horizons_ns:
        if horizon_ns <= 0 or horizon_ns % EVERY_NS:
            raise InputError(f"a horizon is {horizon_ns / NS_PER_SECOND:g} s; allowed: multiples of 0.1 s")
    paths = signal_paths(events, EVERY_NS)
    usable = (paths.tops[:, 2] > 0) & (paths.values[:, SIGNALS.index("feed_age_s")] <= _SILENCE_S)
    if start_ns is not None:
        usable &= paths.ns >= start_ns
    if usable.sum() < 2 * _FEWEST:
        raise InputError(f"{int(usable.sum())} samples of 100 ms have a whole book in continuous trading; needed: {2 * _FEWEST}")
    first = np.flatnonzero(usable)[0]
    paths = SignalPaths(paths.ns[first:], paths.values[first:], paths.tops[first:])
    usable = usable[first:]
    half = int(np.flatnonzero(usable)[int(usable.sum()) // 2])
    later_ns, lasts_ns = (len(paths.ns) - half) * EVERY_NS, len(paths.ns) * EVERY_NS
    if max(horizons_ns, default=0) >= later_ns:
        asked, there, allowed = (duration_text(ns) for ns in (max(horizons_ns), lasts_ns, later_ns))
        since = "" if start_ns is None else " from the start on"
        raise InputError(
            f"a horizon is {asked}, but the recording lasts {there}{since}; allowed: less than {allowed}, which is its second half"
        )
    mid = np.asarray(0.5 * (paths.tops[:, 0] + paths.tops[:, 1]), np.float64)
    columns = _columns(paths, mid, usable, half)
    if not np.any((events["kind"] == Kind.BAND) & (events["lots"] > 0)):
        columns = {name: values for name, values in columns.items() if name not in _OF_LIMITS}
    found = [
        _forecast(name, values, mid, usable, half, horizon_ns // EVERY_NS)
        for name, values in columns.items()
        for horizon_ns in horizons_ns
    ]
    directed = np.stack([columns[name] for name in DIRECTED], axis=1)
    for horizon_ns in horizons_ns:
        steps = horizon_ns // EVERY_NS
        found.append(_forecast(_COMBINED, _combined(directed, mid, usable, half, steps), mid, usable, half, steps))
    return SignalStudy(float(usable.sum()) * EVERY_NS / NS_PER_SECOND, int(usable.sum()), tuple(found))


def _columns(paths: SignalPaths, mid: Floats, usable: npt.NDArray[np.bool_], half: int) -> dict[str, Floats]:
    """Return each signal's values; prices become distances from the mid."""
    columns = {name: paths.values[:, number].copy() for number, name in enumerate(SIGNALS)}
    columns["microprice_ticks"] -= mid
    early = np.flatnonzero(usable[:half])
    changed = np.append(True, np.any(np.diff(paths.tops[early], axis=0) != 0, axis=1))
    try:
        fitted = fit_microprice(*paths.tops[early[changed]].T)
    except InputError:  # a book that hardly moves in the first half: nothing was learnt
        return columns
    tops = np.where(usable[:, None], paths.tops, np.array([0, 1, 1, 1]))
    return columns | {_FITTED: fitted.price(*tops.T) - np.where(usable, mid, 0.5)}


def _pairs(
    values: Floats, mid: Floats, usable: npt.NDArray[np.bool_], begin: int, end: int, steps: int, *, directed: bool
) -> tuple[Floats, Floats]:
    """Return signal and move of the samples from *begin* whose horizon ends before *end*."""
    at = np.arange(begin, max(end - steps, begin))
    at = at[usable[at] & usable[at + steps]]
    move = mid[at + steps] - mid[at]
    return values[at], move if directed else np.abs(move)


def _forecast(name: str, values: Floats, mid: Floats, usable: npt.NDArray[np.bool_], half: int, steps: int) -> Forecast:
    directed = name in {*DIRECTED, _FITTED, _COMBINED}
    early = _pairs(values, mid, usable, 0, half, steps, directed=directed)
    later = _pairs(values, mid, usable, half, len(mid), steps, directed=directed)
    measured = None
    if len(later[0]) >= max(_FEWEST, 4 * steps) and min(np.std(later[0]), np.std(later[1])) > 0:
        try:
            measured = _correlation(*later, steps)
        except InputError:  # too little happens for a bootstrap
            measured = None
    before = float(np.corrcoef(*early)[0, 1]) if len(early[0]) > 2 and min(np.std(early[0]), np.std(early[1])) > 0 else None
    return Forecast(name, steps * EVERY_NS / NS_PER_SECOND, "move" if directed else "size of move", measured, before, len(later[0]))


def _correlation(x: Floats, y: Floats, steps: int) -> Measured:
    """Return the correlation with its interval."""
    u, v = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()

    def statistic(sums: Floats) -> Floats:
        n, su, sv, suu, svv, suv = sums.T
        spread = (n * suu - su * su) * (n * svv - sv * sv)
        return np.where(spread > 0, (n * suv - su * sv) / np.sqrt(np.maximum(spread, 1e-300)), np.nan)[:, None]

    rho = float(np.mean(u * v))
    influence = (u * v - 0.5 * rho * (u * u + v * v))[:, None]
    moments = np.stack([np.ones(len(u)), u, v, u * u, v * v, u * v], axis=1)
    return intervals(moments, statistic, influence, least_block=2 * steps)[0]


def _combined(directed: Floats, mid: Floats, usable: npt.NDArray[np.bool_], half: int, steps: int) -> Floats:
    """Return the forecast of a regression on all directed signals, fitted on the first half."""
    at = np.arange(0, max(half - steps, 0))
    at = at[usable[at] & usable[at + steps]]
    moving = np.std(directed[at], axis=0) > 0 if len(at) else np.zeros(directed.shape[1], bool)
    if not moving.any():
        return np.zeros(len(mid))
    design = np.column_stack([np.ones(len(at)), directed[at][:, moving]])
    weights = np.linalg.lstsq(design, mid[at + steps] - mid[at], rcond=None)[0]
    return np.asarray(weights[0] + directed[:, moving] @ weights[1:])
