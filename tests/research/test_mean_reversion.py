"""How soon a spread comes back: intervals that hold near a random walk, and say when nothing comes back."""

import math

import numpy as np
import pytest
from pair_worlds import returning, walking

from twosided.errors import InputError
from twosided.research.hedge_ratio import least_squares_ratio
from twosided.research.mean_reversion import reversion


@pytest.mark.parametrize(("n", "phi"), [(300, 0.5), (300, 0.95), (1500, 0.98)])
def test_the_interval_of_a_fitted_spread_holds_the_truth(covered, n, phi):
    def intervals(random):
        x = walking(random, n)
        spread = least_squares_ratio(2.0 * x + returning(random, n, phi), x).spread
        return {"half-life": reversion(spread, 60.0).half_life_s}

    truth = 60.0 * math.log(2.0) / -math.log(phi)
    assert 0.92 <= covered(intervals, {"half-life": truth}, seeds=300)["half-life"] <= 0.985


def test_the_interval_of_a_spread_with_a_known_ratio(covered):
    truth = math.log(2.0) / -math.log(0.95)
    found = covered(
        lambda random: {"half-life": reversion(returning(random, 400, 0.95), 1.0, regressors=0).half_life_s},
        {"half-life": truth},
        seeds=400,
    )
    assert 0.92 <= found["half-life"] <= 0.98


def test_the_value_is_as_often_too_long_as_too_short():
    truth, phi = math.log(2.0) / -math.log(0.97), 0.97
    found = [reversion(returning(np.random.default_rng(s), 400, phi), 1.0, regressors=0).half_life_s.value for s in range(300)]
    assert 0.43 < np.mean(np.array(found) < truth) < 0.57


def test_a_walk_is_not_said_to_come_back():
    ends = []
    for seed in range(100):
        random = np.random.default_rng(seed)
        x, y = walking(random, 400), walking(random, 400)
        ends.append(reversion(least_squares_ratio(y, x).spread, 1.0).half_life_s.high)
    assert np.mean(np.isinf(ends)) >= 0.94  # 2.5 % are expected to be taken for one that does


def test_what_is_too_short_or_still_is_refused():
    with pytest.raises(InputError, match="has 29 samples; allowed: at least 30"):
        reversion(np.arange(29.0), 1.0)
    with pytest.raises(InputError, match="does not move"):
        reversion(np.ones(100), 1.0)
