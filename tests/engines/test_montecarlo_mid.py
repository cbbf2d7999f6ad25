"""Mids are what their formulas say: martingales where they should be, with the variance they should have."""

import math

import numpy as np
import pytest

from twosided._compile import INTERPRETED
from twosided.engines.montecarlo import simulate
from twosided.engines.montecarlo_quoters import QuoteTable
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.errors import InputError

NOBODY = QuoteTable(np.full(3, np.nan), np.full(3, np.nan))
STEPS = 20
MANY = pytest.mark.skipif(INTERPRETED, reason="thousands of paths")


def mids(paths=40_000, **settings):
    """Return [path, step]: the mid at the beginning of each step."""
    asked = {"horizon_s": 2.0, "step_s": 0.1, "price": 100.0, "sigma": 3.0, "seed": 11, **settings}
    settings = SimulationSettings(paths=paths, **asked)
    return simulate(NOBODY, settings, keep_paths=paths).trace[:, 0, :, 0]


MARTINGALES = {
    "brownian": {},
    "geometric": {"mid": "geometric", "sigma": 20.0},
    "jumps": {"mid": "jumps", "jump_rate": 1.0, "jump_size": 20.0},
    "heston": {"mid": "heston", "sigma": 20.0, "reversion": 2.0, "vol_of_vol": 1.5, "correlation": -0.7},
}


@MANY
@pytest.mark.parametrize("name", MARTINGALES)
def test_without_drift_a_mid_is_a_martingale(name):
    path = mids(**MARTINGALES[name])
    for at in (5, 19):
        away = path[:, at] - 100.0
        assert abs(away.mean()) < 3.5 * away.std() / math.sqrt(len(away))
    moves, before = path[:, 19] - path[:, 9], path[:, 9] - 100.0
    assert abs(np.corrcoef(moves, before)[0, 1]) < 0.03  # where it goes does not depend on where it came from


@MANY
def test_arithmetic_brownian_motion_has_the_variance_sigma_squared_t_and_the_drift_that_is_stated():
    path = mids(drift=5.0)
    assert path[:, 10].mean() - 100.0 == pytest.approx(5.0 * 1.0, abs=4 * 3.0 / 200)
    assert path[:, 10].std() == pytest.approx(3.0, rel=0.015)


@MANY
def test_geometric_brownian_motion_is_lognormal():
    returns = np.log(mids(mid="geometric", sigma=20.0)[:, 10] / 100.0)
    assert returns.std() == pytest.approx(0.2, rel=0.015)
    assert returns.mean() == pytest.approx(-0.02, abs=4 * 0.2 / 200)


@MANY
def test_jumps_add_their_variance():
    returns = np.log(mids(mid="jumps", sigma=10.0, jump_rate=2.0, jump_size=15.0)[:, 10] / 100.0)
    assert returns.var() == pytest.approx(0.1**2 + 2.0 * 0.15**2, rel=0.04)


@MANY
def test_ornstein_uhlenbeck_has_its_known_variance_and_decay():
    a, sigma = 1.7, 3.0
    path = mids(mid="ornstein_uhlenbeck", reversion=a)
    for at in (3, 10, 19):
        t = 0.1 * at
        assert path[:, at].var() == pytest.approx(sigma**2 * (1 - math.exp(-2 * a * t)) / (2 * a), rel=0.03)
    slope = np.polyfit(path[:, 10] - 100.0, path[:, 14] - 100.0, 1)[0]
    assert slope == pytest.approx(math.exp(-a * 0.4), abs=0.02)


@MANY
def test_ornstein_uhlenbeck_without_a_pull_is_brownian():
    assert np.allclose(mids(50, mid="ornstein_uhlenbeck"), mids(50))


@MANY
def test_stochastic_volatility_has_the_mean_variance_fat_tails_and_the_leverage_of_its_correlation():
    path = np.log(mids(mid="heston", sigma=20.0, reversion=2.0, vol_of_vol=1.5, correlation=-0.7) / 100.0)
    returns = np.diff(path, axis=1)
    assert returns[:, -1].var() == pytest.approx(0.2**2 * 0.1, rel=0.08)
    kurtosis = (returns[:, -1] ** 4).mean() / returns[:, -1].var() ** 2
    assert kurtosis > 3.5
    assert np.corrcoef(returns[:, 5], returns[:, 7] ** 2)[0, 1] < -0.05  # a fall is followed by more variance


@pytest.mark.interpreted
def test_a_recorded_path_is_the_path():
    recorded = [100.0, 100.5, 100.25, 101.0, 99.0]
    found = simulate(NOBODY, SimulationSettings(paths=2, step_s=0.5), mids=recorded, keep_paths=2)
    assert found.trace[:, 0, :, 0].tolist() == [recorded[:-1]] * 2
    assert found.settings.horizon_s == 2.0
    assert found.recorded


@pytest.mark.interpreted
@pytest.mark.parametrize("name", MARTINGALES)
def test_paths_differ_and_a_seed_is_a_seed(name):
    one, again, other = (mids(3, seed=seed, **MARTINGALES[name]) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.any(one[:, 5] == other[:, 5])
    assert len(set(one[:, 5])) == 3


@pytest.mark.parametrize("bad", [[100.0], [], [[1.0, 2.0]], [1.0, float("nan")], [1.0, float("inf")]])
def test_a_path_that_is_none_is_refused(bad):
    with pytest.raises(InputError, match=r"mids has shape .* allowed: one row of at least two finite prices"):
        simulate(NOBODY, SimulationSettings(paths=1), mids=bad)
