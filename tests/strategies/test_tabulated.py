"""Looking quotes up in a table."""

import numpy as np
import pytest

from twosided.strategies.cartea_jaimungal import _TIMES, later
from twosided.strategies.tabulated import at, filled

pytestmark = pytest.mark.interpreted


def test_between_whole_inventories_distances_are_linear():
    table = np.array([1.0, 3.0, 4.0])  # inventories -1, 0, 1
    assert [at(table, 1, q) for q in (-1.0, -0.5, 0.0, 0.25, 1.0)] == [1.0, 2.0, 3.0, 3.25, 4.0]
    assert [at(table, 1, q) for q in (-9.0, 9.0)] == [1.0, 4.0]


def test_between_two_times_too_and_times_are_closer_together_towards_the_end():
    rows = np.arange(_TIMES + 1.0)
    table = rows[:, None] + np.array([1.0, 3.0, 4.0])
    assert later(table, 1, 1.0, 0.5) == _TIMES + 3.5
    assert later(table, 1, 0.0, 0.5) == 3.5
    assert later(table, 1, 0.25, 0.0) == 0.5 * _TIMES + 3.0
    assert later(table, 1, (10.5 / _TIMES) ** 2, 0.0) == pytest.approx(13.5, rel=1e-14)


def test_the_last_inventory_goes_on_with_the_last_slope():
    table = np.array([[1.0, 3.0, np.nan], [2.0, 2.5, np.nan]])
    np.testing.assert_array_equal(filled(table), [[1.0, 3.0, 5.0], [2.0, 2.5, 3.0]])
    assert np.isnan(table[0, 2])
