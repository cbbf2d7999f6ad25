"""What the head of a recording says about the market: sigma, A and k, with 95 % intervals.

Where you are in the pipe: research, on top of all rooms: *events* in, parameters of strategies out. `--calibrate-first 10m` calls
`estimate` on the head of a recording and quotes from then on.

- **sigma**, price/sqrt(s): realised volatility, the root of the sum of squared changes of the mid, sampled every second, over the
  time they took.
- **A**, 1/s, and **k**, 1/price: intensity A·exp(-k·delta) at which trades reach distance delta from the mid on one side, by
  maximum likelihood (`twosided.research.intensity`). The distance is that of the deepest price that traded until the best prices
  or sizes were next seen to change, from the mid strictly before the trade, on the exchange's clock.

Only distances at least a tick beyond the usual touch are fitted: how often the touch itself trades is another matter, a spike that
no exponential meets. In markets where hardly anything trades deeper, the touch has to do, and a warning says so.
"""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError
from twosided.market.event import Events, exchange_order
from twosided.market.instrument import Instrument
from twosided.research.intensity import RateAt, Reaches, fit_intensity, observed_rates
from twosided.research.measured import Measured
from twosided.research.open_time import open_market, step_ticks
from twosided.strategies.contract import Strategy
from twosided.units import NS_PER_SECOND

__all__ = ["Estimate", "Measured", "estimate"]

SAMPLE_NS = NS_PER_SECOND
"""Distance between two samples of the mid."""

FEWEST_SECONDS = 30
FEWEST_CHANGES = 10
"""Seconds in which the mid has moved; fewer say nothing about volatility."""

FEWEST_REACHES = 20
FEW_REACHES = 100
"""Below the first there is no estimate, below the second a warning: its interval is ± 20 %."""

TOUCH_SHARE = 0.9
"""The usual touch is the half-spread that is not exceeded in this share of the time."""

DECAYS = 5.0
"""1/k: how far beyond the nearest distance rates are looked at, one by one, and virtual orders are placed."""

_SIDES = (1, -1)

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Estimate:
    """What was found, and from what.

    Args:
        sigma: volatility of the mid, price/sqrt(s).
        A: intensity at the mid on each side, 1/s.
        k: its decay, 1/price.
        seconds: open time that was looked at, on the exchange's clock.
        closed_s: seconds in which the venue said that the market was not open; they are left out.
        silent: share of the open time without any message, in silences of over a minute: what a closed market leaves behind.
        mid_samples: changes of the mid over one second.
        trades: in that time.
        reaches: intervals between book changes, of one side, whose trades reached *nearest* or deeper: what A and k rest on.
        nearest, farthest: distances from the mid that they cover, in price.
        currency: of prices.
        from_ns, until_ns: when the first and the last of what was looked at were received, our clock.
        warnings: what weakens the numbers, one sentence each.
        rates: how often each distance was reached by itself, which A·exp(-k·distance) must meet.
    """

    sigma: Measured
    A: Measured
    k: Measured
    seconds: float
    closed_s: float
    silent: float
    mid_samples: int
    trades: int
    reaches: int
    nearest: float
    farthest: float
    currency: str
    from_ns: int
    until_ns: int
    warnings: tuple[str, ...] = ()
    rates: tuple[RateAt, ...] = field(default=(), repr=False)

    def sentence(self) -> str:
        """Return what was found, for people, with 95 % intervals in brackets."""
        unit = self.currency
        closed = f" (and {self.closed_s:.0f} s in which the market was closed, left out)" if self.closed_s >= 1 else ""
        found = (
            f"from {self.seconds:.0f} s{closed}: sigma {self.sigma} {unit}/√s, realised over 1 s, {self.mid_samples} samples; "
            f"A {self.A} per second and side and k {self.k} per {unit}, from {self.reaches} times that trades reached "
            f"{self.nearest:.4g} to {self.farthest:.4g} {unit} from the mid ({self.trades} trades)"
        )
        return "; ".join([found, *self.warnings])

    def facts(self) -> dict[str, Any]:
        """Return everything that was found and from what, ready for JSON: what a Run keeps as ``facts["calibration"]``."""
        facts = {name: value for name, value in asdict(self).items() if name != "rates"}
        units = {"sigma": f"{self.currency}/√s", "A": "per second and side", "k": f"per {self.currency}"}
        return {**facts, **{name: {**facts[name], "unit": unit} for name, unit in units.items()}, "warnings": list(self.warnings)}

    def params_for(self, strategy: Strategy) -> dict[str, float]:
        """Return those of sigma, A and k that *strategy* has and that are not set yet."""
        return {name: getattr(self, name).value for name in ("sigma", "A", "k") if name in strategy.missing}


def estimate(
    events: Events, instrument: Instrument, until_ns: int | None = None, *, from_ns: int | None = None, market: int = 0
) -> Estimate:
    """Estimate sigma, A and k from the time in which the market was open (`twosided.research.open_time`).

    Args:
        events: by level, of dtype `EVENT`, in the order in which they were received.
        instrument: of *market*: its tick is the step of all distances.
        until_ns: only what was received before this time (our clock) is used: nothing that a strategy could not know by then.
        from_ns: time before this counts for nothing but the book that stands then.
        market: index of the market.

    Raises:
        InputError: too short, too few mid changes or too few trades for any estimate; the message says how many there were.
    """
    if until_ns is not None:
        events = events[: int(np.searchsorted(events["local_ns"], until_ns))]
    received = events["local_ns"]
    ordered = exchange_order(events[events["market"] == market])
    seen = open_market(ordered, instrument, from_ns=from_ns, market=market)
    if not len(seen.book):
        raise InputError(
            "nothing to calibrate on: this part of the recording never shows a bid and an ask of an open market; take a longer one"
        )
    book, trades = seen.book, seen.trades
    sigma, samples = _volatility(book[seen.valid], seen.end_ns, float(instrument.tick_size))
    reaches, warnings = _reaches(book, seen.valid, trades, seen.end_ns, instrument)
    fit = fit_intensity(reaches)
    hits = reaches.hits
    return Estimate(
        sigma=sigma,
        A=Measured.of(math.exp(fit.log_A), fit.log_A_error),
        k=Measured.of(fit.k, fit.k_error / fit.k),
        seconds=seen.seconds,
        closed_s=seen.closed_s,
        silent=seen.silent,
        mid_samples=samples,
        trades=len(trades),
        reaches=int(hits.sum()),
        nearest=float(reaches.nearest.min()),
        farthest=float(reaches.reached[hits].max()),
        currency=instrument.currency,
        from_ns=int(received[0]) if from_ns is None else max(int(received[0]), from_ns),
        until_ns=int(received[-1]),
        warnings=(*seen.warnings(), *warnings),
        rates=observed_rates(reaches, float(reaches.nearest.min()) + DECAYS / fit.k),
    )


def _volatility(book: Any, end_ns: int, tick: float) -> tuple[Measured, int]:
    """Return sqrt(sum r² / sum dt) of the mid's changes r from second to second, and their number; errors as of a mean of r²."""
    mid = 0.5 * tick * (book["bid_ticks"] + book["ask_ticks"])
    grid = np.arange(book["exch_ns"][0], end_ns + 1, SAMPLE_NS)
    squares = np.square(np.diff(mid[np.searchsorted(book["exch_ns"], grid, side="right") - 1]))
    moved = int(np.count_nonzero(squares))
    if len(squares) < FEWEST_SECONDS or moved < FEWEST_CHANGES:
        raise InputError(
            f"too little to estimate sigma: {len(squares)} seconds in {moved} of which the mid moved; "
            f"needed: {FEWEST_SECONDS} and {FEWEST_CHANGES}; calibrate on a longer head of the recording, or set sigma"
        )
    variance = float(squares.mean())
    error = float(squares.std()) / math.sqrt(len(squares))
    return Measured.of(math.sqrt(variance), 0.5 * error / variance), len(squares)


def _reaches(book: Any, valid: Bools, trades: Any, end_ns: int, instrument: Instrument) -> tuple[Reaches, tuple[str, ...]]:
    """Return how far trades reached between two changes of the touch, and what is weak about it.

    Distances are counted in half ticks here: twice a price less the sum of bid and ask.
    """
    seconds = np.diff(np.append(book["exch_ns"], end_ns)) / NS_PER_SECOND
    double_mid = book["bid_ticks"] + book["ask_ticks"]
    before = np.searchsorted(book["exch_ns"], trades["exch_ns"], side="left") - 1  # the last state strictly before the trade
    reached = np.full((2, len(book)), -np.inf)
    for row, side in enumerate(_SIDES):
        of_side = trades["side"] == side
        distance = side * (2 * trades["ticks"][of_side] - double_mid[before[of_side]])
        np.maximum.at(reached[row], before[of_side], distance)
    seconds, double_mid = seconds[valid], double_mid[valid]
    spread = (book["ask_ticks"] - book["bid_ticks"])[valid]
    step = step_ticks(instrument, 0.5 * float(np.median(double_mid)))
    tick = float(instrument.tick_size)

    def beyond(half_ticks: int) -> Reaches:
        # the nearest valid price at that distance or further; bid and ask are valid, so it is the same on both sides
        nearest = half_ticks + (-(half_ticks + double_mid)) % (2 * step)
        return Reaches(np.tile(seconds, 2), np.tile(0.5 * tick * nearest, 2), 0.5 * tick * reached[:, valid].ravel(), step * tick)

    weak = []
    reaches = beyond(_weighted_quantile(spread, seconds, TOUCH_SHARE) + 2 * step)
    if reaches.hits.sum() < FEWEST_REACHES or not reaches.decays:
        reaches = beyond(_weighted_quantile(spread, seconds, 0.5))
        weak.append("hardly any trade went beyond the touch, so A and k describe the touch")
    found = int(reaches.hits.sum())
    if found < FEWEST_REACHES:
        raise InputError(
            f"too few trades to estimate A and k: {len(trades)}, which reached the touch or beyond {found} times; "
            f"needed: {FEWEST_REACHES}; calibrate on a longer head of the recording, or set A and k"
        )
    if found < FEW_REACHES:
        weak.append(f"trades reached that far only {found} times, so the intervals are wide")
    return reaches, tuple(weak)


def _weighted_quantile(values: Any, weights: Floats, share: float) -> int:
    """Return the smallest value that is not exceeded by at least *share* of the weight."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return int(values[order][min(int(np.searchsorted(reached, share * reached[-1])), len(values) - 1)])
