"""Sides of trades from prices: the rules by hand, and how often they are right."""

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.research.trade_signs import lee_ready, sign_accuracy, tick_rule


def test_the_tick_rule_follows_the_last_change():
    assert tick_rule(np.array([5.0, 5, 6, 6, 4, 4, 5])).tolist() == [0, 0, 1, 1, -1, -1, 1]
    assert tick_rule(np.array([])).tolist() == []


def test_lee_ready_looks_at_the_middle_first():
    prices = np.array([5.0, 6.0, 5.0, 5.5])
    assert lee_ready(prices, np.full(4, 5.0), np.full(4, 6.0)).tolist() == [-1, 1, -1, 1]


def test_accuracy_counts_only_what_both_know():
    found = sign_accuracy(np.array([1, 1, 0, -1, 1], np.int8), np.array([1, -1, 1, -1, 0], np.int8))
    assert (found.right.value, found.undecided, found.trades) == (pytest.approx(2 / 3), pytest.approx(0.25), 4)
    assert found.right.low < 2 / 3 < found.right.high
    with pytest.raises(InputError, match="no trade has both"):
        sign_accuracy(np.zeros(3, np.int8), np.ones(3, np.int8))


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(InputError, match="bid has 2 numbers and prices has 3; allowed: as many"):
        lee_ready(np.ones(3), np.ones(2), np.ones(3))
    with pytest.raises(InputError, match="prices holds nan"):
        tick_rule(np.array([1.0, np.nan]))
    with pytest.raises(InputError, match="3 signs and 4 true sides"):
        sign_accuracy(np.ones(3, np.int8), np.ones(4, np.int8))


def test_the_middle_of_prices_that_are_no_binary_fractions_is_the_middle():
    cents = np.arange(1, 2000, 2)
    bid, ask = cents / 100, (cents + 2) / 100
    prices = np.repeat(5.0, len(cents))
    prices[1:] = ((cents + 1) / 100)[1:]  # all in the middle, and rising
    assert np.any(2 * prices[1:] != bid[1:] + ask[1:])
    assert lee_ready(prices, bid, ask)[3:].tolist() == [1] * (len(cents) - 3)


def test_intervals_of_accuracy_hold_the_truth_95_times_in_100(covered):
    def intervals(random):
        truth = np.where(random.random(400) < 0.5, 1, -1).astype(np.int8)
        return {"right": sign_accuracy(np.where(random.random(400) < 0.85, truth, -truth), truth).right}

    assert 0.93 <= covered(intervals, {"right": 0.85})["right"] <= 0.97
