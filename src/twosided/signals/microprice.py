"""Stoikov's micro-price: the mid, corrected by where it will go, as learnt from how this book has moved.

Where you are in the pipe: events -> book -> *signals* -> strategy.

A book's state x is the bucket of its queue imbalance and its spread. Between two changes of the touch it goes from x to y with
probability P(x, y), and the mid moves by g(x) on average. The micro-price is the mid expected after all future moves,

    mid + G*(x),     G* = g + P G* = Σ_k P^k g                                                                           [ticks]

The source adds up the moves one by one, G* = Σ_k B^k G_1 with G_1 = (I - Q)⁻¹ g and B = (I - Q)⁻¹ T, where Q and T are the parts
of P in which the mid stays and moves: the same sum, since (I - Q)(I - B) = I - P. Each transition is counted a second time mirrored
(bid and ask exchanged, the move's sign turned): then G* of a mirrored book is the negative, and the sum converges. It is found by
solving a linear system over one half of the states. A state that was never seen has G* = 0.

The adjusted mid is a martingale if the model is right; `research.signal_study` measures what it forecasts out of sample.

Source: Stoikov (2018), "The micro-price: a high-frequency estimator of future prices", Quantitative Finance 18, theorem 3.1 and
section 4.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.signals.flow import require_columns

__all__ = ["MicroPrice", "adjustment_of", "fit_microprice"]

Floats = npt.NDArray[np.float64]


def _bucket_of(bid_lots: int, ask_lots: int, buckets: int) -> int:
    """Return the bucket of an imbalance, 0 (only asks) to buckets - 1, symmetric about the middle one."""
    half, total = buckets // 2, float(bid_lots + ask_lots)
    if total <= 0.0:
        return half
    steps = min(int(abs(bid_lots - ask_lots) / total * (half + 0.5) + 0.5), half)
    return half + steps if bid_lots > ask_lots else half - steps


bucket_of = compiled(_bucket_of)


def _adjustment_of(table: Any, spread: int, bid_lots: int, ask_lots: int) -> float:
    """Return G* in ticks from a *table* [spread - 1, bucket]; its last row serves all wider spreads."""
    return float(table[min(max(spread, 1), table.shape[0]) - 1, bucket_of(bid_lots, ask_lots, table.shape[1])])


adjustment_of = compiled(_adjustment_of)


def _adjustments(table: Any, tops: Any, out: Any) -> None:
    """Write the micro-price of each row of *tops*: bid, ask, and the lots there."""
    for i in range(tops.shape[0]):
        bid, ask = tops[i, 0], tops[i, 1]
        out[i] = 0.5 * (bid + ask) + adjustment_of(table, ask - bid, tops[i, 2], tops[i, 3])


adjustments = compiled(_adjustments)


def _count(tops: Any, seen: Any, moves: Any, table: Any) -> None:
    """Count transitions of states, each mirrored too: *seen* [from, to], *moves* [from] in half-ticks."""
    spreads, buckets = table.shape
    before, mid_before = -1, 0
    for i in range(tops.shape[0]):
        spread = min(tops[i, 1] - tops[i, 0], spreads) - 1
        state = spread * buckets + bucket_of(tops[i, 2], tops[i, 3], buckets)
        mid = tops[i, 0] + tops[i, 1]
        if before >= 0:
            mirrored, mirrored_before = mirror(state, buckets), mirror(before, buckets)
            seen[before, state] += 1.0
            seen[mirrored_before, mirrored] += 1.0
            moves[before] += mid - mid_before
            moves[mirrored_before] -= mid - mid_before
        before, mid_before = state, mid


def _mirror(state: int, buckets: int) -> int:
    """Return the state with bid and ask exchanged."""
    return state - state % buckets + buckets - 1 - state % buckets


mirror = compiled(_mirror)
count = compiled(_count)


@dataclass(frozen=True)
class MicroPrice:
    """A fitted micro-price.

    Args:
        table: G* in ticks, shape (spreads, buckets): rows are spreads of 1, 2, … ticks, the last of that and more; columns go from
            only asks to only bids. A strategy copies it to its memory and asks `adjustment_of`.
        transitions: how many began in each state, mirrored ones included, same shape.
    """

    table: Floats
    transitions: npt.NDArray[np.int64]

    def price(self, bid_ticks: npt.ArrayLike, ask_ticks: npt.ArrayLike, bid_lots: npt.ArrayLike, ask_lots: npt.ArrayLike) -> Floats:
        """Return the micro-price of each book in ticks.

        Raises:
            InputError: shapes that differ.
        """
        tops = _tops(bid_ticks, ask_ticks, bid_lots, ask_lots)
        out = np.empty(len(tops))
        adjustments(self.table, tops, out)
        return out


def fit_microprice(
    bid_ticks: npt.ArrayLike,
    ask_ticks: npt.ArrayLike,
    bid_lots: npt.ArrayLike,
    ask_lots: npt.ArrayLike,
    *,
    buckets: int = 11,
    spreads: int = 4,
) -> MicroPrice:
    """Learn the micro-price from the touch as it changed.

    Args:
        bid_ticks: best bid after each change of the touch, in order, shape (n,); below the ask.
        ask_ticks: best ask.
        bid_lots: displayed at the bid.
        ask_lots: and at the ask.
        buckets: of imbalance, odd.
        spreads: told apart, in ticks; wider ones are one.

    Raises:
        InputError: a crossed book, shapes that differ, an even number of buckets, or a book that hardly leaves its states.
    """
    tops = _tops(bid_ticks, ask_ticks, bid_lots, ask_lots)
    if buckets < 3 or buckets % 2 == 0 or spreads < 1:
        raise InputError(f"buckets is {buckets} and spreads {spreads}; allowed: an odd number from 3 on, and 1 or more")
    if len(tops) < 2 or np.any(tops[:, 0] >= tops[:, 1]):
        raise InputError(f"the touch has {len(tops)} rows; allowed: at least two, each with its bid below its ask")
    table = np.zeros((spreads, buckets))
    seen, moves = np.zeros((table.size, table.size)), np.zeros(table.size)
    count(tops, seen, moves, table)
    begun = seen.sum(axis=1)
    chance = seen / np.maximum(begun, 1.0)[:, None]
    drift = 0.5 * moves / np.maximum(begun, 1.0)
    states = np.arange(table.size)
    other = states - states % buckets + buckets - 1 - states % buckets
    lower = states[states % buckets < buckets // 2]  # what is asked for: the middle is 0, and above is the negative
    system = np.eye(len(lower)) - (chance[np.ix_(lower, lower)] - chance[np.ix_(lower, other[lower])])
    if np.linalg.cond(system) > 1e10:
        raise InputError("the book hardly leaves the states that it is in: a micro-price cannot be told from so few changes")
    found = np.linalg.solve(system, drift[lower])
    flat = table.reshape(-1)
    flat[lower], flat[other[lower]] = found, -found
    return MicroPrice(table, begun.astype(np.int64).reshape(table.shape))


def _tops(*columns: npt.ArrayLike) -> npt.NDArray[np.int64]:
    return require_columns(np.arange(1, len(np.asarray(columns[0])) + 1), *columns)[:, 1:]
