"""A and k from virtual orders: how soon would an order at a distance from the mid have been reached?

Where you are in the pipe: research, on top of all rooms. Every *wait*, one virtual order is placed at each distance on both sides
of the mid and left there. It is reached by the first trade at its price or through it on its side, and is renewed at the end of the
wait; so the answer is that of somebody who requotes every *wait*, the drift of the mid in between included.
`twosided.research.intensity` asks the same of a mid that is known at every moment. In a market that is what the models say both
agree; how far they differ shows what requoting slowly costs.

With F(d) orders reached at distance d, and E(d) seconds that unreached ones stood there, the likelihood of the rates A·exp(-k·d) is
that of F(d) ~ Poisson(E(d)·A·exp(-k·d)); orders placed at one moment live through the same trades, so intervals come from blocks of
time.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError
from twosided.research.block_bootstrap import intervals
from twosided.research.intensity import RateAt
from twosided.research.measured import Measured
from twosided.units import NS_PER_SECOND

__all__ = ["FillStudy", "fill_study", "fit_rates"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

FEWEST = 20
_NEWTON = 30
_MOST_DISTANCES = 80
_SHOWN = 0.1  # of the time at the commonest distance


@dataclass(frozen=True)
class FillStudy:
    """What virtual orders say.

    Args:
        A: intensity at the mid on each side, 1/s.
        k: its decay, 1/price.
        rates: what was observed, which the fit must meet, at each distance but those at which orders hardly ever stood.
        wait_s: how long an order stood before it was renewed.
        placements: moments at which orders were placed.
    """

    A: Measured
    k: Measured
    rates: tuple[RateAt, ...]
    wait_s: float
    placements: int


def fill_study(book: Any, trades: Any, tick: float, *, nearest: float, farthest: float, wait_ns: int = NS_PER_SECOND) -> FillStudy:
    """Place virtual orders and fit A and k.

    Args:
        book: `TOUCH` rows by the exchange's clock, all of them two-sided and not crossed.
        trades: `EVENT` rows of trades with a side, by the same clock.
        tick: distance of valid prices.
        nearest: smallest distance from the mid, price: beyond the usual touch, where A and k are meant to hold.
        farthest: largest distance.
        wait_ns: until orders are renewed.

    Raises:
        InputError: fewer than 100 placements, fewer than 20 orders reached, or orders not reached less often farther out.
    """
    half_ticks = _ladder(_half_ticks(nearest, tick), _half_ticks(farthest, tick))
    fills, exposure = _outcomes(book, trades, wait_ns, half_ticks)
    if len(fills) < 100:
        raise InputError(
            f"{len(fills)} moments at which orders could be placed; needed: 100: a longer recording, or a shorter wait"
        )
    distances = 0.5 * tick * half_ticks
    used = exposure.sum(axis=0) > 0.0
    fills, exposure, distances = fills[:, used], exposure[:, used], distances[used]
    if fills.sum() < FEWEST:
        raise InputError(f"{int(fills.sum())} virtual orders were reached; needed: {FEWEST}: a longer recording, or nearer orders")
    A, k = fit_rates(fills, exposure, distances)  # noqa: N806
    moments = np.concatenate([fills, exposure], axis=1)
    rate = fills.sum(axis=0) / exposure.sum(axis=0)
    count = len(distances)
    left = (fills - rate * exposure).sum(axis=1, keepdims=True)
    observed = intervals(moments, lambda sums: sums[:, :count] / np.maximum(sums[:, count:], 1e-12), left)
    stood = exposure.sum(axis=0)
    rates = tuple(
        RateAt(float(distance), int(reached), float(seconds), Measured(each.value, max(each.low, 0.0), each.high))
        for distance, reached, seconds, each in zip(distances, fills.sum(axis=0), stood, observed, strict=True)
        if seconds > _SHOWN * stood.max()
    )
    return FillStudy(A, k, rates, wait_ns / NS_PER_SECOND, len(fills))


def fit_rates(fills: Floats, exposure: Floats, distances: Floats) -> tuple[Measured, Measured]:
    """Return A and k of greatest Poisson likelihood, with intervals by blocks.

    Args:
        fills: orders reached, one row per moment of placement, in the order of time, one column per distance.
        exposure: seconds that they stood until reached or renewed, same shape.
        distances: price, shape (columns,).

    Raises:
        InputError: no order was reached, or stood at some distance for no time, or orders are not reached less often farther out,
            so that no exponential fits.
    """
    if not (fills.sum() > 0.0 and np.all(exposure.sum(axis=0) > 0.0)):
        raise InputError("A and k need orders that were reached, and time at every distance")
    count, scale = len(distances), float(np.mean(distances))

    def fitted(sums: Floats) -> Floats:
        reached, seconds = sums[:, :count], sums[:, count:]
        log_a, k = np.log(np.maximum(reached.sum(1), 0.5) / seconds.sum(1)) + 1.0, np.full(len(sums), 1.0)
        x = distances / scale
        for _ in range(_NEWTON):
            expected = seconds * np.exp(np.clip(log_a[:, None] - k[:, None] * x, -60.0, 60.0))
            by_a, by_k = (reached - expected).sum(1), -((reached - expected) * x).sum(1)
            aa, ak, kk = expected.sum(1), -(expected * x).sum(1), (expected * x * x).sum(1)
            det = np.maximum(aa * kk - ak * ak, 1e-300)
            log_a = log_a + np.clip((kk * by_a - ak * by_k) / det, -1.0, 1.0)
            k = k + np.clip((aa * by_k - ak * by_a) / det, -1.0, 1.0)
        return np.stack([log_a, k / scale], axis=1)

    moments = np.concatenate([fills, exposure], axis=1)
    at = fitted(moments.sum(axis=0)[None, :])[0]
    if not (np.all(np.isfinite(at)) and at[1] > 0.0):
        raise InputError("virtual orders are not reached less often farther out, so that no intensity A·exp(-k·distance) fits")
    left = fills - exposure * np.exp(at[0] - at[1] * distances)
    log_a, k = intervals(moments, fitted, np.stack([left.sum(1), left @ distances], axis=1))
    return Measured(*(float(np.exp(each)) for each in (log_a.value, log_a.low, log_a.high))), k


def _half_ticks(distance: float, tick: float) -> int:
    return max(round(2.0 * distance / tick), 1)


def _ladder(nearest: int, farthest: int) -> Integers:
    """Return distances in half ticks, not too many, in neighbouring pairs: a mid lies on a tick or between two."""
    stride = 2 * max(-(-(farthest - nearest) // _MOST_DISTANCES), 1)
    pairs = np.arange(nearest, farthest + 1, stride)
    return np.sort(np.concatenate([pairs, pairs + 1]))


def _outcomes(book: Any, trades: Any, wait_ns: int, half_ticks: Integers) -> tuple[Floats, Floats]:
    """Return orders reached and seconds stood, by moment of placement and by distance in half ticks."""
    columns = len(half_ticks)
    starts = np.arange(int(book["exch_ns"][0]), int(book["exch_ns"][-1]) - wait_ns, wait_ns)
    known = np.searchsorted(book["exch_ns"], starts, side="right") - 1
    double_mid = (book["bid_ticks"] + book["ask_ticks"])[known]
    fills, exposure = np.zeros((len(starts), columns)), np.zeros((len(starts), columns))
    first = np.searchsorted(trades["exch_ns"], starts, side="right")
    last = np.searchsorted(trades["exch_ns"], starts + wait_ns, side="right")
    for row, (start, mid, begin, end) in enumerate(zip(starts, double_mid, first, last, strict=True)):
        on_lattice = (half_ticks + int(mid)) % 2 == 0  # the others are no prices
        within = trades[begin:end]
        for side in (1, -1):
            of_side = within[within["side"] == side]
            deepest = np.maximum.accumulate(side * (2 * of_side["ticks"].astype(np.int64) - int(mid)))
            hit = np.searchsorted(deepest, half_ticks)  # the first trade that came so deep
            reached = hit < len(deepest)
            stood = np.full(columns, float(wait_ns))
            stood[reached] = of_side["exch_ns"][hit[reached]] - start
            fills[row] += reached & on_lattice
            exposure[row] += np.where(on_lattice, stood / NS_PER_SECOND, 0.0)
    return fills, exposure
