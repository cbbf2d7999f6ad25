"""The spread against its average over time: worked by hand, against the sum written out, arrays against streaming."""

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.signals.spread import SPREAD, WARM_S, _update_spread, spread_ratio, spread_ratio_at

pytestmark = pytest.mark.interpreted

SECOND = 10**9


def test_it_is_one_until_warm_and_then_a_wide_spread_is_wider_than_its_average():
    ns = np.array([1, 5, 12, 13]) * SECOND
    found = spread_ratio(ns, [2.0, 2.0, 2.0, 6.0])
    np.testing.assert_allclose(found, [1.0, 1.0, 1.0, 3.0], rtol=1e-12)
    assert WARM_S == 10.0


def test_the_average_is_over_time_and_not_over_messages():
    random = np.random.default_rng(1)
    ns = SECOND + np.cumsum(random.integers(0, 2 * SECOND, 50))
    spread = random.integers(1, 9, 50).astype(float)
    found, row = spread_ratio(ns, spread, 7.0), np.zeros(1, SPREAD)[0]
    for i in range(50):
        _update_spread(row, ns[i], spread[i], 7.0)
        assert spread_ratio_at(row, ns[i], 7.0) == found[i]
        edges = np.exp(-(ns[i] - ns[: i + 1]) * 1e-9 / 7.0)  # a weight's integral from one message to the next
        stood = np.diff(edges)
        warm = (ns[i] - ns[0]) * 1e-9 >= WARM_S
        assert found[i] == pytest.approx(spread[i] * stood.sum() / np.sum(stood * spread[:i]) if warm else 1.0, rel=1e-9)
    assert spread_ratio_at(row, ns[-1] + 100 * SECOND, 7.0) == pytest.approx(1.0, abs=1e-5)  # the wide one has become the usual one


def test_what_cannot_be_used_is_refused():
    with pytest.raises(InputError, match="spread is -1"):
        spread_ratio([1, 2], [1.0, -1.0])
    with pytest.raises(InputError, match="time_constant_s is 0"):
        spread_ratio([1, 2], [1.0, 1.0], 0.0)
