"""Hedge ratios: where the truth is known each interval holds it about as often as it says."""

import numpy as np
import pytest
from pair_worlds import returning, walking

from twosided.research.hedge_ratio import kalman_ratio, least_squares_ratio, total_least_squares_ratio
from twosided.research.measured import Measured

RATIO = 2.0


@pytest.mark.parametrize("phi", [0.5, 0.95])
def test_least_squares_where_the_hedge_is_seen_without_noise(covered, phi):
    def intervals(random):
        x = walking(random, 600)
        y = 3.0 + RATIO * x + returning(random, 600, phi)
        return {"ratio": least_squares_ratio(y, x).ratio}

    assert 0.90 <= covered(intervals, {"ratio": RATIO}, seeds=400)["ratio"] <= 0.98


def test_total_least_squares_where_both_are_noisy_and_least_squares_is_too_low(covered):
    def intervals(random):
        value = walking(random, 600)
        x = value + returning(random, 600, 0.5)
        y = 3.0 + RATIO * (value + returning(random, 600, 0.5))
        return {"total": total_least_squares_ratio(y, x).ratio, "least": least_squares_ratio(y, x).ratio}

    found = covered(intervals, {"total": RATIO, "least": RATIO}, seeds=400)
    assert 0.90 <= found["total"] <= 0.98
    assert found["least"] < 0.85


def test_total_least_squares_does_not_care_which_is_hedged_nor_in_which_unit():
    random = np.random.default_rng(1)
    value = walking(random, 400)
    x, y = value + random.normal(size=400), 3.0 + RATIO * value + random.normal(size=400)
    there, back = total_least_squares_ratio(y, x).ratio.value, total_least_squares_ratio(x, y).ratio.value
    assert there == pytest.approx(1.0 / back, rel=1e-9)
    assert total_least_squares_ratio(100.0 * y, x).ratio.value == pytest.approx(100.0 * there, rel=1e-9)


def test_the_filter_follows_a_ratio_that_drifts(covered):
    def intervals(random):
        x, ratio = walking(random, 500), RATIO + 0.05 * walking(random, 500)
        found = kalman_ratio(5.0 + ratio * (x - x[0]) + random.normal(size=500), x)
        drifts.append(found.drift_p)
        truth = float(ratio[-1])
        return {"error": Measured(0.0, found.ratio.low - truth, found.ratio.high - truth)}

    drifts = []
    assert 0.85 <= covered(intervals, {"error": 0.0}, seeds=40)["error"] <= 0.99
    assert np.mean(np.array(drifts) < 0.05) > 0.9


def test_a_ratio_that_stands_still_is_rarely_said_to_drift_whatever_the_spread_and_its_tails(covered):
    def intervals(random):
        x = walking(random, 500)
        shocks = random.standard_t(3, size=500)
        spread = np.zeros(500)
        for i in range(1, 500):
            spread[i] = 0.8 * spread[i - 1] + shocks[i]
        found = kalman_ratio(5.0 + RATIO * x + spread, x)
        drifts.append(found.drift_p)
        return {"ratio": found.ratio}

    drifts = []
    assert covered(intervals, {"ratio": RATIO}, seeds=40)["ratio"] >= 0.85
    assert np.mean(np.array(drifts) < 0.05) <= 0.1
