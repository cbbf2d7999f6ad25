"""The band of a hedge: where its cost is least, which a simulation of it confirms."""

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.models.no_trade_band import band_cost, no_trade_band

WORLD = {"cost": 0.02, "variance": 4.0, "gamma": 0.01, "sigma": 0.5}


def test_it_is_where_the_cost_is_least_and_the_cube_root_of_the_cost():
    band = no_trade_band(**WORLD)
    assert all(band_cost(band, **WORLD) < band_cost(factor * band, **WORLD) for factor in (0.9, 1.1))
    assert no_trade_band(**{**WORLD, "cost": 8 * WORLD["cost"]}) == pytest.approx(2.0 * band)
    assert no_trade_band(**{**WORLD, "cost": 0.0}) == 0.0
    assert no_trade_band(**{**WORLD, "variance": 0.0}) == 0.0


def test_the_cost_is_that_of_a_simulated_hedge():
    """The distance from the target as a reflected walk: what it costs a second is `band_cost`, within the simulation's error."""
    band, dt, random = no_trade_band(**WORLD), 0.005, np.random.default_rng(1)
    traded, risk = 0.0, 0.0
    away, steps = random.uniform(-band, band, 2000), 4000
    for _ in range(steps):
        away += np.sqrt(WORLD["variance"] * dt) * random.normal(size=2000)
        back = np.clip(away, -band, band)
        traded += np.sum(np.abs(away - back))
        away = back
        risk += np.sum(away * away)
    seconds = 2000 * steps * dt
    found = WORLD["cost"] * traded / seconds + 0.5 * WORLD["gamma"] * WORLD["sigma"] ** 2 * risk * dt / seconds
    assert found == pytest.approx(band_cost(band, **WORLD), rel=0.05)


def test_what_makes_no_band_is_refused():
    for name, value in (("cost", -1.0), ("variance", -1.0), ("gamma", 0.0), ("sigma", 0.0)):
        with pytest.raises(InputError, match=rf"{name} is {value}"):
            no_trade_band(**{**WORLD, name: value})
    with pytest.raises(InputError, match=r"band is 0.0"):
        band_cost(0.0, **WORLD)
