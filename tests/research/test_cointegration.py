"""Tests of cointegration: they hold their level where nothing is, and find what is there."""

import numpy as np
import pytest
from pair_worlds import returning, walking

from twosided.errors import InputError
from twosided.research import cointegration
from twosided.research.cointegration import engle_granger, johansen, unit_root_p


def test_walks_that_have_nothing_to_do_with_each_other_are_taken_for_a_pair_at_about_the_nominal_rate():
    p, trace = [], []
    for seed in range(100):
        random = np.random.default_rng(seed)
        y, x = walking(random, 250), walking(random, 250)
        p.append(engle_granger(y, x).p)
        trace.append(johansen(np.column_stack([y, x])).trace_p[0])
    assert 0.015 <= np.mean(np.array(p) < 0.05) <= 0.10
    assert 0.015 <= np.mean(np.array(trace) < 0.05) <= 0.10


def test_a_pair_is_found_and_its_ratio_with_it():
    random = np.random.default_rng(1)
    x = walking(random, 500)
    y = 3.0 + 2.0 * x + returning(random, 500, 0.8)
    tests = engle_granger(y, x)
    assert tests.p < 1e-4
    assert tests.p_either == 2.0 * min(tests.p, tests.p_reversed)
    found = johansen(np.column_stack([y, x]))
    assert found.rank == 1
    assert found.trace_p[1] > 0.05
    assert found.vector[1] == pytest.approx(-2.0, abs=0.05)
    assert unit_root_p(x) > 0.05
    assert unit_root_p(y - 2.0 * x) < 0.01


TABLE_1 = {1: (6.50, 8.18, 11.65), 2: (15.66, 17.95, 23.52), 3: (28.71, 31.52, 37.22), 5: (66.49, 70.60, 78.87)}


@pytest.mark.parametrize("trends", TABLE_1)
def test_p_values_of_the_trace_agree_with_osterwald_lenum_s_critical_values(trends):
    for critical, level, error in zip(TABLE_1[trends], (0.1, 0.05, 0.01), (0.008, 0.004, 0.0035), strict=True):
        assert cointegration._trace_p(critical, trends) == pytest.approx(level, abs=error)


def test_a_multiple_is_refused_and_so_is_one_series():
    x = walking(np.random.default_rng(1), 200)
    with pytest.raises(InputError, match="one series is a multiple of the other"):
        engle_granger(2.0 * x, x)
    with pytest.raises(InputError, match="allowed: 2 to 6 columns"):
        johansen(x[:, None])
