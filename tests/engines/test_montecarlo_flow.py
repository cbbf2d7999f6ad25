"""Order flow: Poisson counts, Hawkes rates and clusters, informed traders, and who is reached."""

import math

import numpy as np
import pytest

from twosided._compile import INTERPRETED, address_of_array
from twosided.engines.montecarlo import _new_world, simulate
from twosided.engines.montecarlo_flow import MARKS, bracket_table, is_reached
from twosided.engines.montecarlo_settings import SimulationSettings

MANY = pytest.mark.skipif(INTERPRETED, reason="thousands of paths")


def at(bid, ask):
    return lambda _q, _left: (bid, ask)


def fills(quotes, **settings):
    """Return fills per path, of 100 s in steps of 0.01 s."""
    asked = {"paths": 400, "horizon_s": 100.0, "step_s": 0.01, "sigma": 0.0, "A": 2.0, "k": 1.5, "seed": 5, **settings}
    found = simulate({"q": quotes}, SimulationSettings(**asked))
    return found.values("q", "fills")


@MANY
@pytest.mark.parametrize("distance", [0.0, 0.5, 1.0, -0.2])
def test_poisson_fills_have_the_rate_a_exp_minus_k_delta_and_its_variance(distance):
    counts = fills(at(distance, None), position_limit=500.0)
    expected = 100.0 * 2.0 * math.exp(-1.5 * distance)
    assert counts.mean() == pytest.approx(expected, rel=0.02)  # at most one a step: 1 % less at 2 a second
    assert counts.var() == pytest.approx(expected, rel=0.25)


@MANY
def test_both_sides_are_independent_coins_and_may_fill_in_one_step():
    found = simulate(at(0.0, 0.0), SimulationSettings(paths=50_000, horizon_s=1.0, step_s=1.0, sigma=0.0, A=math.log(2), k=1.0))
    counts = np.bincount(found.values("<lambda>", "fills").astype(int), minlength=3) / 50_000
    assert counts.tolist() == pytest.approx([0.25, 0.5, 0.25], abs=0.01)


@MANY
def test_hawkes_orders_have_the_mean_rate_a_and_come_in_clusters():
    poisson, hawkes = fills(at(0.0, None), position_limit=500.0), fills(at(0.0, None), position_limit=500.0, hawkes=0.6)
    assert hawkes.mean() == pytest.approx(200.0, rel=0.03)
    # long-run variance of a count over its mean: 1 / (1 - n)² = 6.25
    assert hawkes.var() / hawkes.mean() == pytest.approx(6.25, rel=0.25)
    assert poisson.var() / poisson.mean() < 1.3


@MANY
def test_hawkes_orders_reach_as_far_as_poisson_ones():
    near, far = (fills(at(d, None), position_limit=500.0, hawkes=0.5, hawkes_decay=0.5).mean() for d in (0.0, 1.0))
    assert far / near == pytest.approx(math.exp(-1.5), rel=0.05)


@MANY
def test_informed_orders_take_the_side_that_gains_and_are_no_more_than_before():
    asked = {"paths": 4000, "horizon_s": 20.0, "step_s": 0.1, "sigma": 0.3, "A": 0.5, "k": 1.0, "seed": 8}
    blind, told = (simulate(at(0.5, 0.5), SimulationSettings(**asked, informed=share)) for share in (0.0, 0.4))
    assert abs(blind.mean("<lambda>", "adverse").value) < 3.5 * blind.mean("<lambda>", "adverse").error
    assert told.mean("<lambda>", "fills").value == pytest.approx(blind.mean("<lambda>", "fills").value, rel=0.02)
    # a fill is informed with probability 0.4, and then loses E|move| = sigma·sqrt(dt)·sqrt(2/pi)
    lost = 0.4 * 0.3 * math.sqrt(0.1) * math.sqrt(2.0 / math.pi)
    a_fill = told.mean("<lambda>", "adverse").value / told.mean("<lambda>", "fills").value
    assert a_fill == pytest.approx(-lost, rel=0.05)


@MANY
def test_a_fill_is_the_smaller_of_own_size_and_the_orders():
    asked = {"paths": 2000, "horizon_s": 10.0, "step_s": 0.1, "sigma": 0.0, "lot_size": "0.01", "order_size": 0.5}
    found = simulate(at(0.0, 0.0), SimulationSettings(**asked))
    mean = found.values("<lambda>", "volume").sum() / found.values("<lambda>", "fills").sum()
    lots = np.arange(1, 2000)
    geometric = (1 / 50) * (1 - 1 / 50) ** (lots - 1)
    assert mean == pytest.approx(float((np.minimum(lots, 100) * geometric).sum()) * 0.01, rel=0.02)


@pytest.mark.interpreted
@pytest.mark.parametrize("linear", [False, True])
def test_brackets_spare_exponentials_and_change_nothing(linear):
    settings = SimulationSettings(horizon_s=1.0, step_s=0.1, A=4.0, k=2.0, linear_probability=linear)
    world, brackets = _new_world(settings, None), bracket_table(settings)
    world["brackets"] = address_of_array(brackets)
    rng = np.random.default_rng(0)
    for distance in [*rng.uniform(-3.0, 6.0, 300), 0.0, -2.56, -2.6, 7.67, 500.0]:
        rate = 0.4 * math.exp(-2.0 * distance)
        probability = min(rate, 1.0) if linear else -math.expm1(-rate)
        border = int(probability * MARKS)
        for mark in (0, border - 2, border + 2, MARKS - 1, MARKS, *rng.integers(0, MARKS, 5).tolist()):
            if 0 <= mark <= MARKS:
                assert is_reached(world[0], mark, distance) == ((mark + 0.5) / MARKS < probability)
