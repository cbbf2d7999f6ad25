"""Virtual orders: a simulated market gives back its A and k, and the bookkeeping is the obvious one."""

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.market.event import EVENT, Kind
from twosided.market.touch import TOUCH
from twosided.research.fill_study import _outcomes, fill_study, fit_rates

SECOND = 1_000_000_000
A, K, TICK = 3.0, 2.5, 0.1


def market(random, seconds=300.0, every_s=0.5):
    """Return a mid that rests, with the touch a tick from it, and Poisson arrivals that reach as deep as A and k say."""
    times = np.arange(0, int(seconds * SECOND), int(every_s * SECOND))
    book = np.zeros(len(times), TOUCH)
    book["exch_ns"], book["bid_ticks"], book["ask_ticks"] = times, 9_999, 10_001
    arrivals = np.sort(random.uniform(0, seconds, random.poisson(2 * A * seconds)))
    trades = np.zeros(len(arrivals), EVENT)
    trades["exch_ns"], trades["kind"] = arrivals * SECOND, Kind.TRADE
    trades["side"] = random.choice([-1, 1], len(arrivals))
    trades["ticks"] = 10_000 + trades["side"] * np.floor(random.exponential(1 / K, len(arrivals)) / TICK)
    return book, trades


def test_intervals_hold_the_truth_about_as_often_as_they_say(covered):
    def intervals(random):
        found = fill_study(*market(random), TICK, nearest=0.1, farthest=1.5)
        return {"A": found.A, "k": found.k}

    assert min(covered(intervals, {"A": A, "k": K}, 40).values()) > 0.85


@pytest.mark.slow
def test_intervals_of_rates_hold_the_truth_95_times_in_100(covered):
    def intervals(random):
        """Orders of one moment share their trades: 400 moments of deepest reaches, one second each, censored at the first."""
        distances = np.arange(1, 16) * TICK
        gaps = random.exponential(1.0, (400, 2, 40)).cumsum(axis=2) / A
        deep = np.floor(random.exponential(1 / K, gaps.shape) / TICK) * TICK
        fills, exposure = np.zeros((400, 15)), np.zeros((400, 15))
        for column, distance in enumerate(distances):
            first = np.where(deep > distance - 1e-9, gaps, np.inf).min(axis=2)
            fills[:, column] = (first < 1.0).sum(axis=1)
            exposure[:, column] = np.minimum(first, 1.0).sum(axis=1)
        found = fit_rates(fills, exposure, distances)
        return {"A": found[0], "k": found[1]}

    found = covered(intervals, {"A": A, "k": K})
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


def test_orders_are_reached_as_the_obvious_loop_says():
    book, trades = market(np.random.default_rng(2), seconds=30)
    book["ask_ticks"] += np.arange(len(book)) % 2  # a mid on and between ticks
    fills, exposure = _outcomes(book, trades, SECOND, np.arange(2, 13))
    for row in range(len(fills)):
        start, line = row * SECOND, book[np.searchsorted(book["exch_ns"], row * SECOND, side="right") - 1]
        for column, half_ticks in enumerate(range(2, 13)):
            double_mid, reached, stood = line["bid_ticks"] + line["ask_ticks"], 0, 0.0
            for side in (1, -1):
                if (double_mid + half_ticks) % 2:
                    continue
                when = [
                    int(each["exch_ns"]) - start
                    for each in trades
                    if start < each["exch_ns"] <= start + SECOND
                    and each["side"] == side
                    and side * (2 * int(each["ticks"]) - double_mid) >= half_ticks
                ]
                reached += bool(when)
                stood += min(when, default=SECOND) / SECOND
            assert (fills[row, column], exposure[row, column]) == (reached, pytest.approx(stood))


def test_rates_say_what_the_fit_must_meet():
    found = fill_study(*market(np.random.default_rng(3), 900.0), TICK, nearest=0.1, farthest=1.0)
    for each in found.rates:
        assert each.rate.value == pytest.approx(each.reached / each.seconds)
        assert each.rate.value == pytest.approx(A * np.exp(-K * each.distance), rel=0.35)
    assert [round(each.distance, 10) for each in found.rates] == [round(0.1 * n, 10) for n in range(1, 11)]


def test_too_little_is_refused():
    book, trades = market(np.random.default_rng(4), 50.0)
    with pytest.raises(InputError, match="49 moments at which orders could be placed; needed: 100"):
        fill_study(book, trades, TICK, nearest=0.1, farthest=1.0)
    book, trades = market(np.random.default_rng(4), 200.0)
    with pytest.raises(InputError, match="virtual orders were reached; needed: 20"):
        fill_study(book, trades[:5], TICK, nearest=0.1, farthest=1.0)
