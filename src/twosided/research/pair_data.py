"""Two series of prices at the same moments.

Where you are in the pipe: research, on top of all rooms: recordings or bars in, samples at equal times out.

Prices are compared by when they were *known*: a bar at its end, a mid of a recording at the end of its step. Only moments that
both have are kept. Wrong time zones or clocks show in `lead_lag`: moves of prices that belong together correlate most at shift 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twosided.data.bar_files import PriceSeries
from twosided.errors import InputError
from twosided.market.event import Events
from twosided.market.instrument import Instrument
from twosided.market.touch import touches
from twosided.units import NS_PER_SECOND, duration_text, time_text

__all__ = ["FEWEST", "LeadLag", "PairData", "aligned", "best_shift", "lead_lag", "mids", "thinned"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

FEWEST = 60
"""Common samples, below which nothing is said."""

_NO_SPREAD = 1e-6
"""Share of the variance of changes: what is left below it is rounding."""

_HOUR_NS = 3600 * NS_PER_SECOND
_STEPS = 5


@dataclass(frozen=True)
class PairData:
    """Samples of two prices at the same moments.

    Attributes:
        names: of the two.
        known_ns: shape (n,), increasing.
        y, x: prices (or their logarithms) of the first and the second, shape (n,).
        every_ns: the usual distance of two samples.
        notes: what was assumed and left out.
    """

    names: tuple[str, str]
    known_ns: Integers
    y: Floats
    x: Floats
    every_ns: int
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.known_ns)

    @property
    def gaps(self) -> int:
        """How many steps are longer than usual; each counts as one."""
        return int(np.sum(np.diff(self.known_ns) > self.every_ns))

    def logarithms(self) -> "PairData":
        """Return the same with logarithms of prices: the ratio is then one of values, not of units."""
        return replace(self, y=np.log(self.y), x=np.log(self.x))

    def part(self, begin: int, end: int) -> "PairData":
        """Return the samples from *begin* up to *end*."""
        return replace(self, known_ns=self.known_ns[begin:end], y=self.y[begin:end], x=self.x[begin:end])


@dataclass(frozen=True)
class LeadLag:
    """How moves of the two correlate when the second's times are shifted.

    Args:
        shift_ns: a positive shift compares the first with what the second did that much earlier: the second leads.
        correlation: of changes over one step; NaN where fewer than 30 are left.
    """

    shift_ns: int
    correlation: float


def mids(events: Events, instrument: Instrument, name: str, every_ns: int) -> PriceSeries:
    """Return the mid that was known here at every whole multiple of *every_ns*, from the first two-sided book to the end.

    Crossed and one-sided states are passed over: the last mid before them holds.

    Raises:
        InputError: a step that is not positive, or fewer than two samples.
    """
    if every_ns <= 0:
        raise InputError(f"every_ns is {every_ns}; allowed: a positive step")
    seen = touches(events)
    seen = seen[(seen["bid_lots"] > 0) & (seen["ask_lots"] > 0) & (seen["bid_ticks"] < seen["ask_ticks"])]
    if not len(seen):
        raise InputError(f"{name} has no two-sided book; pairs compare mids")
    times = seen["local_ns"]
    first, last = -(-int(times[0]) // every_ns), int(events["local_ns"][-1]) // every_ns
    grid = np.arange(first, last + 1) * every_ns
    if len(grid) < 2:
        lasts = duration_text(int(events["local_ns"][-1]) - int(times[0]))
        raise InputError(f"{name} lasts {lasts}; allowed: at least two steps of {duration_text(every_ns)}")
    at = np.searchsorted(times, grid, side="right") - 1
    tick_size = float(instrument.tick_size)
    prices = 0.5 * tick_size * (seen["bid_ticks"][at] + seen["ask_ticks"][at]).astype(np.float64)
    note = f"{name}: mids every {duration_text(every_ns)}, {len(grid):,} of them, our clock"
    return PriceSeries(name, grid, prices, every_ns, (note,))


def thinned(series: PriceSeries, every_ns: int) -> PriceSeries:
    """Return only the prices that were known at whole multiples of *every_ns*, UTC.

    Raises:
        InputError: a step that is not a multiple of that of *series*.
    """
    if every_ns == series.every_ns:
        return series
    if every_ns <= 0 or every_ns % series.every_ns:
        usual = duration_text(series.every_ns)
        raise InputError(f"{series.name} has a price every {usual}; allowed: a multiple of it, not {duration_text(every_ns)}")
    kept = series.known_ns % every_ns == 0
    note = f"{series.name}: {int(np.sum(kept)):,} of them, every {duration_text(every_ns)}"
    return PriceSeries(series.name, series.known_ns[kept], series.prices[kept], every_ns, (*series.notes, note))


def aligned(first: PriceSeries, second: PriceSeries) -> PairData:
    """Return the samples of both at the moments that both have.

    Raises:
        InputError: a price that is not a positive number, one that never moves, one that is the other in another unit, or fewer
            than 60 moments in common.
    """
    for series in (first, second):
        if not np.all(np.isfinite(series.prices) & (series.prices > 0.0)):
            raise InputError(f"{series.name} holds a price that is not a positive number; leave such samples out")
    common, at_first, at_second = np.intersect1d(first.known_ns, second.known_ns, assume_unique=True, return_indices=True)
    if len(common) < FEWEST:
        spans = " and ".join(f"{each.name} ({_span(each)})" for each in (first, second))
        raise InputError(
            f"{spans} have {len(common)} moments in common; allowed: at least {FEWEST}. Are dates, zones and steps right?"
        )
    steps, counts = np.unique(np.diff(common), return_counts=True)
    note = f"{len(common):,} moments in common, of {len(first):,} and {len(second):,}"
    data = PairData(
        (first.name, second.name),
        common,
        first.prices[at_first],
        second.prices[at_second],
        int(steps[np.argmax(counts)]),
        (*first.notes, *second.notes, note),
    )
    for name, values in zip(data.names, (data.y, data.x), strict=True):
        if not np.ptp(values) > 0.0:
            raise InputError(f"{name} does not move in the {len(common):,} moments that both have; there is nothing to compare")
    away_y, away_x = data.y - data.y.mean(), data.x - data.x.mean()
    spread = away_y - float(away_x @ away_y) / float(away_x @ away_x) * away_x
    if float(np.var(spread)) < _NO_SPREAD * float(np.var(np.diff(data.y))):
        raise InputError(f"{first.name} is {second.name} in another unit; there is no spread between them")
    return data


def _span(series: PriceSeries) -> str:
    return f"{time_text(int(series.known_ns[0]))[:19]} to {time_text(int(series.known_ns[-1]))[:19]}"


def lead_lag(first: PriceSeries, second: PriceSeries, every_ns: int) -> tuple[LeadLag, ...]:
    """Return the correlation of changes over *every_ns* at shifts of up to five steps, and of whole hours up to twelve.

    Hours tell a wrong time zone; they are left out where a step is an hour or more.
    """
    shifts = {step * every_ns for step in range(-_STEPS, _STEPS + 1)}
    if every_ns < _HOUR_NS:
        shifts |= {hour * _HOUR_NS for hour in range(-12, 13)}
    return tuple(LeadLag(shift, _correlation_at(first, second, every_ns, shift)) for shift in sorted(shifts))


def _correlation_at(first: PriceSeries, second: PriceSeries, every_ns: int, shift_ns: int) -> float:
    common, a, b = np.intersect1d(first.known_ns, second.known_ns + shift_ns, assume_unique=True, return_indices=True)
    whole = np.diff(common) == every_ns
    if np.sum(whole) < 30:
        return float("nan")
    moves = [np.diff(np.log(prices))[whole] for prices in (first.prices[a], second.prices[b])]
    if any(not np.ptp(each) > 0.0 for each in moves):
        return float("nan")
    return float(np.corrcoef(*moves)[0, 1])


def best_shift(found: Sequence[LeadLag]) -> LeadLag:
    """Return the shift at which moves correlate most."""
    known = [each for each in found if np.isfinite(each.correlation)]
    return max(known, key=lambda each: each.correlation) if known else LeadLag(0, float("nan"))
