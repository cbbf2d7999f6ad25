"""What is asked about a pair: do they go together, how many of one hedge the other, how soon they come back, does it last.

Where you are in the pipe: research, on top of all rooms. Needs the extra ``pairs``: tests are those of
`twosided.research.cointegration`, which is loaded with this module.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from twosided.data.bar_files import PriceSeries
from twosided.errors import InputError
from twosided.research.cointegration import EngleGranger, Johansen, engle_granger, johansen, unit_root_p
from twosided.research.false_discovery import adjusted_p
from twosided.research.hedge_ratio import (
    Drifting,
    Line,
    kalman_ratio,
    least_squares_ratio,
    total_least_squares_ratio,
)
from twosided.research.mean_reversion import Reversion, reversion
from twosided.research.measured import TWO_SIDED_95, Measured
from twosided.research.pair_data import LeadLag, PairData, aligned, best_shift, lead_lag
from twosided.signals.pairs import spread_path
from twosided.units import duration_text, time_text

__all__ = ["PairStudy", "Scanned", "Stability", "scan_pairs", "study_pair"]

Floats = npt.NDArray[np.float64]

WINDOWS = 5
SLOWER = (4, 16)
LEVEL = 0.05
SPAN = 100.0
"""Samples: mean age of those with which the last value of the spread is compared."""

_FEWEST_IN_WINDOW = 60


@dataclass(frozen=True)
class Stability:
    """Whether it is the same pair all along.

    Args:
        halves: hedge ratio by least squares in the first and the second half.
        halves_p: p-value of equal ratios in both, by their errors.
        halves_cointegrated_p: Engle and Granger's, first on second, in each half.
        half_lives_s: in each half.
        windows: ratio in each of five equal parts; empty where they would be short.
        windows_p: Engle and Granger's in each.
        drift_p: of a ratio that does not drift, by the Kalman filter.
    """

    halves: tuple[Measured, Measured]
    halves_p: float
    halves_cointegrated_p: tuple[float, float]
    half_lives_s: tuple[Measured, Measured]
    windows: tuple[float, ...]
    windows_p: tuple[float, ...]
    drift_p: float


@dataclass(frozen=True)
class PairStudy:
    """What `study_pair` returns: `facts` for machines, fields for people.

    Args:
        data: what it rests on.
        correlation: of changes from one sample to the next.
        shifts: the same with the second's times shifted.
        unit_root_p: of each price, that it wanders (large: it does, as it must for cointegration to mean anything).
        least_squares, total_least_squares, kalman: hedge ratios.
        engle_granger, johansen: tests of cointegration.
        reversion: of the spread of least squares.
        slower: half-lives (s) of the same spread where only every 4th and every 16th sample is looked at.
        z: of the spread now, against the mean and deviation of all.
        z_recent: against those of the last *span* samples or so, exponentially weighted.
        span: samples.
        stability: see `Stability`.
        remarks: what the reader should know before using any of it.
    """

    data: PairData
    correlation: Measured
    shifts: tuple[LeadLag, ...]
    unit_root_p: tuple[float, float]
    least_squares: Line
    total_least_squares: Line
    kalman: Drifting
    engle_granger: EngleGranger
    johansen: Johansen
    reversion: Reversion
    slower: tuple[Measured, ...]
    z: float
    z_recent: float
    span: float
    stability: Stability
    remarks: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Return in a sentence whether they are a pair at 5 %, and whether they were one all along."""
        names = f"{self.data.names[0]} and {self.data.names[1]}"
        engle_granger, johansen = self.engle_granger.p_either <= LEVEL, self.johansen.rank == 1
        if not engle_granger and not johansen:
            return f"{names} are not shown to be a pair"
        if not engle_granger or not johansen:
            return f"{names} are a pair by one test only, {'Engle-Granger' if engle_granger else 'Johansen'}'s"
        stable = self.stability
        held = sum(p <= LEVEL for p in stable.windows_p)
        steady = held == len(stable.windows_p) and min(stable.halves_p, stable.drift_p) >= LEVEL
        windows = f", in {held} of {len(stable.windows_p)} windows" if stable.windows_p else ""
        return f"{names} are a pair by both tests{windows}" + ("" if steady else "; it is not the same pair all along")

    def facts(self) -> dict[str, Any]:
        """Return all of it but whole series, for JSON."""
        data = self.data
        return {
            "names": list(data.names),
            "samples": len(data),
            "from": time_text(int(data.known_ns[0])),
            "until": time_text(int(data.known_ns[-1])),
            "every_s": data.every_ns / 1e9,
            "gaps": data.gaps,
            "correlation": asdict(self.correlation),
            "shifts": [asdict(each) for each in self.shifts],
            "unit_root_p": list(self.unit_root_p),
            "hedge_ratio": {
                "least_squares": asdict(self.least_squares.ratio),
                "total_least_squares": asdict(self.total_least_squares.ratio),
                "kalman_now": asdict(self.kalman.ratio),
            },
            "intercept": self.least_squares.intercept,
            "engle_granger": asdict(self.engle_granger),
            "johansen": {**asdict(self.johansen), "rank": self.johansen.rank},
            "half_life_s": asdict(self.reversion.half_life_s),
            "half_life_s_of_every_4th_16th": [asdict(each) for each in self.slower],
            "kappa_per_s": asdict(self.reversion.kappa),
            "spread_deviation": self.reversion.deviation,
            "z": self.z,
            "z_recent": self.z_recent,
            "span": self.span,
            "stability": asdict(self.stability),
            "verdict": self.verdict,
            "remarks": list(self.remarks),
            "notes": list(data.notes),
        }


def study_pair(first: PriceSeries, second: PriceSeries, *, logarithms: bool = False, span: float = SPAN) -> PairStudy:
    """Return everything about a pair; *first* is hedged by *second*.

    Args:
        first: prices of what is hedged.
        second: prices of the hedge.
        logarithms: compare logarithms of prices.
        span: mean age of the samples with which the last value of the spread is compared.

    Raises:
        InputError: see `aligned`.
    """
    prices = aligned(first, second)
    data = prices.logarithms() if logarithms else prices
    y, x, every_s = data.y, data.x, data.every_ns / 1e9
    line = least_squares_ratio(y, x)
    filtered = kalman_ratio(y, x)
    tests, trace, back = engle_granger(y, x), johansen(np.column_stack([y, x])), reversion(line.spread, every_s)
    shifts = lead_lag(first, second, data.every_ns)
    found = PairStudy(
        data=data,
        correlation=_correlation(y, x),
        shifts=shifts,
        unit_root_p=(unit_root_p(y), unit_root_p(x)),
        least_squares=line,
        total_least_squares=total_least_squares_ratio(y, x),
        kalman=filtered,
        engle_granger=tests,
        johansen=trace,
        reversion=back,
        slower=tuple(
            reversion(line.spread[::step], step * every_s).half_life_s for step in SLOWER if len(data) >= step * _FEWEST_IN_WINDOW
        ),
        z=float(line.spread[-1] / np.std(line.spread)),
        z_recent=float(spread_path(line.spread, span)[-1, 0]),
        span=span,
        stability=_stability(data, filtered.drift_p),
        remarks=(),
    )
    return replace(found, remarks=tuple(_remarks(found)))


def _correlation(y: Floats, x: Floats) -> Measured:
    """Return the correlation of changes, with Fisher's interval."""
    found = float(np.corrcoef(np.diff(y), np.diff(x))[0, 1])
    middle, width = math.atanh(min(max(found, -1.0 + 1e-12), 1.0 - 1e-12)), TWO_SIDED_95 / math.sqrt(len(y) - 4)
    return Measured(found, math.tanh(middle - width), math.tanh(middle + width))


def _stability(data: PairData, drift_p: float) -> Stability:
    n, every_s = len(data), data.every_ns / 1e9
    halves = [data.part(0, n // 2), data.part(n // 2, n)]
    lines = [least_squares_ratio(each.y, each.x) for each in halves]
    errors = [(line.ratio.high - line.ratio.low) / (2.0 * TWO_SIDED_95) for line in lines]
    distance = abs(lines[0].ratio.value - lines[1].ratio.value) / math.hypot(*errors)
    edges = np.linspace(0, n, WINDOWS + 1).astype(int) if n >= WINDOWS * _FEWEST_IN_WINDOW else np.array([0])
    windows = [data.part(int(a), int(b)) for a, b in itertools.pairwise(edges)]
    return Stability(
        halves=(lines[0].ratio, lines[1].ratio),
        halves_p=2.0 * float(stats.norm.sf(distance)),
        halves_cointegrated_p=(engle_granger(halves[0].y, halves[0].x).p, engle_granger(halves[1].y, halves[1].x).p),
        half_lives_s=(reversion(lines[0].spread, every_s).half_life_s, reversion(lines[1].spread, every_s).half_life_s),
        windows=tuple(least_squares_ratio(each.y, each.x).ratio.value for each in windows),
        windows_p=tuple(engle_granger(each.y, each.x).p for each in windows),
        drift_p=drift_p,
    )


def _remarks(found: PairStudy) -> list[str]:
    remarks = []
    best = best_shift(found.shifts)
    if best.shift_ns:
        remarks.append(
            f"moves correlate most ({best.correlation:.2f}) with {found.data.names[1]} shifted by {duration_text(best.shift_ns)}, "
            f"not at 0 ({_at_zero(found.shifts):.2f}): is a time zone or a clock wrong, or does one lead?"
        )
    if found.engle_granger.p > LEVEL:
        remarks.append(
            "cointegration is not shown at 5 %: the intervals of least squares take it for granted, and so does the z-score"
        )
    for name, p in zip(found.data.names, found.unit_root_p, strict=True):
        if p < LEVEL:
            remarks.append(f"{name} does not wander (p {p:.3f}): it comes back by itself here, so that cointegration says little")
    if found.stability.halves_p < LEVEL:
        remarks.append("the hedge ratio is not the same in both halves")
    if found.stability.drift_p < LEVEL:
        remarks.append("the hedge ratio drifts: use the Kalman filter's, which is that of now")
    if any(each.low > found.reversion.half_life_s.high for each in found.slower):
        remarks.append(
            "the spread does not come back at one speed: half-lives are longer where it is looked at less often, as when a quick "
            "bounce lies on a slow wandering; plan with the longer"
        )
    if found.data.gaps:
        remarks.append(f"{found.data.gaps:,} steps are longer than {duration_text(found.data.every_ns)}; each counts as one step")
    return remarks


def _at_zero(shifts: Sequence[LeadLag]) -> float:
    return next(each.correlation for each in shifts if each.shift_ns == 0)


# ---------------------------------------------------------------- many pairs


@dataclass(frozen=True)
class Scanned:
    """One pair of a universe.

    Args:
        names: first and second.
        samples: that both have.
        p: Engle and Granger's, the better direction, doubled.
        q: false-discovery rate at which it is still believed (Benjamini-Yekutieli: whatever the dependence).
        q_independent: the same if tests were independent (Benjamini-Hochberg).
        ratio: by least squares.
        half_life_s: of the spread.
        z: of the spread now.
    """

    names: tuple[str, str]
    samples: int
    p: float
    q: float
    q_independent: float
    ratio: Measured
    half_life_s: Measured
    z: float


def scan_pairs(universe: Sequence[PriceSeries], *, logarithms: bool = False) -> tuple[Scanned, ...]:
    """Return every pair of *universe*, the most credible first.

    Of m series there are m(m - 1)/2 pairs, and 5 % of those that have nothing to do with each other pass a test at 5 %. q says
    which to believe; as pairs share series, their tests depend on one another, so the one that holds under any dependence leads.

    Raises:
        InputError: fewer than two series, two of one name, or a pair that cannot be compared (`aligned`).
    """
    names = [series.name for series in universe]
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError(f"a scan of {', '.join(names) or 'nothing'}; allowed: at least two series, each once")
    found = []
    for first, second in itertools.combinations(universe, 2):
        data = aligned(first, second)
        data = data.logarithms() if logarithms else data
        line = least_squares_ratio(data.y, data.x)
        back = reversion(line.spread, data.every_ns / 1e9)
        z = float(line.spread[-1] / np.std(line.spread))
        found.append((data, engle_granger(data.y, data.x).p_either, line.ratio, back.half_life_s, z))
    p = np.array([each[1] for each in found])
    q, q_independent = adjusted_p(p), adjusted_p(p, dependent=False)
    rows = [
        Scanned(data.names, len(data), p_one, float(q[i]), float(q_independent[i]), ratio, half_life, z)
        for i, (data, p_one, ratio, half_life, z) in enumerate(found)
    ]
    return tuple(sorted(rows, key=lambda row: row.p))
