"""The order flow of a simulation: for each step and side, a mark that says how far the incoming orders reach.

Where you are in the pipe: the source of *events* of a Monte-Carlo run, beside the mid.

An order that would reach a quote at distance d from the mid arrives with intensity A·exp(-k·d), so that one does within a step with
probability p(d) = 1 - exp(-A·dt·exp(-k·d)). The mark of a step is one of the 2^32 whole numbers from 0 on, each as likely as any:
the quote is reached exactly when (mark + 1/2) / 2^32 is below p(d), which is p(d) to 1.2e-10. All quoters who are compared meet the
same marks, on both sides, which are independent of each other and of the mid.

*Hawkes*: orders on a side excite more of them: intensity at the mid mu + sum over earlier orders of n·b·exp(-b·age), n the share
that is excited, b the decay, mu = A·(1 - n), so that A is the mean again. Simulated exactly, by thinning (Ogata 1981);
each order's reach is exponential with rate k, and the furthest of a step becomes its mark. What a step holds counts as one order.

*Informed*: a share of orders belongs to people who know where the mid will stand some steps later. Theirs go to the side that gains
by it; the others stay where they are. Orders change sides, none is added.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled, table_at
from twosided._random import exponential_of, next_word, stream_word, uniform_of
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.engines.montecarlo_world import BRACKET, WORLD, buys_of, mids_of, sells_of

__all__ = ["MARKS", "bracket_table", "fill_marks", "flow_record", "is_reached", "reaching_marks"]


def flow_record(settings: SimulationSettings) -> dict[str, float]:
    """Return the values of the fields of `WORLD` that belong to the order flow."""
    rate = settings.A * settings.step_s
    return {
        "rate": rate,
        "k": settings.k,
        "linear": settings.linear_probability,
        "hawkes": settings.hawkes,
        "decay": settings.hawkes_decay * settings.step_s,
        "informed": settings.informed,
        "ahead": settings.informed_steps,
    }


_SMALL = 1e-4

MARKS = 4294967296
"""How many marks there are: halves of a word, so that one draw serves both sides. This one itself reaches nothing."""

_LOW = np.uint64(MARKS - 1)

_BRACKETS, _SHIFT = 1024, 22  # a bracket is of 2^22 marks: one mark in a thousand is so near the border that it is worked out
_SURE = 1e-9  # what the logarithm of a distance may be wrong by, and more

bracket_of = table_at(WORLD, "brackets", BRACKET, (_BRACKETS + 1,))


def reaching_marks(probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return how many marks, from 0 on, lie below each *probability*."""
    return np.asarray(np.ceil(probability * MARKS - 0.5))


def bracket_table(settings: SimulationSettings) -> npt.NDArray[Any]:
    """Return for each bracket of marks, and for `MARKS` itself, how far they reach: which spares most exponentials."""
    ends, k = np.arange(_BRACKETS + 1) / _BRACKETS, max(settings.k, np.finfo(np.float64).tiny)
    with np.errstate(divide="ignore", over="ignore"):
        hazard = ends if settings.linear_probability else -np.log1p(-ends)
        decays = np.log(settings.A * settings.step_s / hazard)  # infinite for mark 0, which everybody meets
        table = np.full(2 * (_BRACKETS + 1), -math.inf).view(BRACKET)
        table["surely"][:-1] = (decays[1:] - _SURE * (1.0 + np.abs(decays[1:]))) / k
        table["perhaps"][:-1] = (decays[:-1] + _SURE * (1.0 + np.abs(decays[:-1]))) / k
    return table


def _is_below(w: Any, mark: float, distance: float) -> bool:
    """Say whether *mark*, as a number from 0 to 1, is below the probability to be reached at *distance*."""
    hazard = w.rate * math.exp(-w.k * distance)
    if w.linear == 1:
        return bool(mark < min(hazard, 1.0))
    if hazard < _SMALL:  # 1 - exp(-h) would lose its digits
        return bool(mark < hazard * (1.0 - hazard * (0.5 - hazard / 6.0)))
    return bool(mark < 1.0 - math.exp(-hazard))


is_below = compiled(_is_below)


def _is_reached(w: Any, mark: int, distance: float) -> bool:
    """Say whether orders with this *mark* reach a quote at *distance* from the mid (price; negative: through it)."""
    bracket = bracket_of(w, mark >> _SHIFT)
    surely, perhaps = distance < bracket.surely, distance < bracket.perhaps
    if surely == perhaps:
        return bool(surely)
    return is_below(w, (mark + 0.5) / MARKS, distance)


is_reached = compiled(_is_reached, inline=True)


def _hawkes_mark(w: Any, word: Any, excitement: float) -> tuple[float, float]:
    """Return the mark of one step on one side and the excitement after it; time counts in steps."""
    base = w.rate * (1.0 - w.hawkes)
    last, now, mark = 0.0, 0.0, 1.0
    least = 1.0  # exp(-k·reach) of the order that reaches furthest: of each it is uniform, its reach being exponential
    while True:
        bound = base + excitement
        word = next_word(word)
        now += exponential_of(word) / bound
        if now >= 1.0:
            return mark, excitement * math.exp(-w.decay * (1.0 - last))
        excitement *= math.exp(-w.decay * (now - last))
        last = now
        word = next_word(word)
        if uniform_of(word) * bound < base + excitement:
            excitement += w.hawkes * w.decay
            word = next_word(word)
            least = min(least, uniform_of(word))
            mark = 1.0 - math.exp(-w.rate * least)


hawkes_mark = compiled(_hawkes_mark)


def _fill_marks(w: Any, count: int, step: int) -> None:
    """Fill the marks of sell orders, which hit bids, and of buy orders, which lift asks, for *count* steps from *step* on."""
    sells, buys, sell_stream, buy_stream = sells_of(w), buys_of(w), w.sell_stream, w.buy_stream
    if w.hawkes > 0.0:
        for i in range(count):
            sell, w.sell_excitement = hawkes_mark(w, stream_word(sell_stream, step + i), w.sell_excitement)
            buy, w.buy_excitement = hawkes_mark(w, stream_word(buy_stream, step + i), w.buy_excitement)
            sells[i], buys[i] = int(sell * MARKS), int(buy * MARKS)
    else:
        for i in range(count):
            word = stream_word(sell_stream, step + i)
            sells[i], buys[i] = np.int64(word >> np.uint64(32)), np.int64(word & _LOW)
    if w.informed > 0.0:
        mids = mids_of(w)
        for i in range(count):
            move = mids[i + w.ahead] - mids[i]
            if move != 0.0 and uniform_of(stream_word(w.informed_stream, step + i)) < w.informed:
                first = min(sells[i], buys[i])
                sells[i], buys[i] = (MARKS, first) if move > 0.0 else (first, MARKS)


fill_marks = compiled(_fill_marks)
