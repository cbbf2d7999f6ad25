"""Volatility by squared changes: worked by hand, against the sums written out, and the same bits compiled and interpreted."""

import math

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.signals.volatility import VOLATILITY, _update_volatility, short_volatility, update_volatility, volatility_at

pytestmark = pytest.mark.interpreted

SECOND = 10**9


def after(*mids, time_constant_s=60.0):
    row = np.zeros(1, VOLATILITY)[0]
    for ns, mid in mids:
        update_volatility(row, ns, mid, time_constant_s)
    return row


def test_it_is_zero_until_the_mid_has_had_time_to_move():
    assert after((SECOND, 100.0)).value == 0.0
    assert after((SECOND, 100.0), (2 * SECOND, 100.0)).value == 0.0
    row = after((SECOND, 100.0), (SECOND, 101.0))  # within one nanosecond: counted, without a division by zero
    assert (row.value, row.squares, row.seconds, volatility_at(row, SECOND, 60.0)) == (0.0, 1.0, 0.0, 0.0)


def test_one_move_is_its_size_over_the_root_of_its_time():
    # a mid that moved by 3 ticks in 4 seconds: sqrt(9 / 4) ticks per sqrt second
    assert after((SECOND, 100.0), (5 * SECOND, 103.0)).value == 1.5


def test_it_forgets_with_its_time_constant_whether_the_mid_stands_still_or_says_so():
    row = after((SECOND, 100.0), (5 * SECOND, 103.0))
    expected = math.sqrt(9 * math.exp(-1) / (4 * math.exp(-1) + 60))
    assert volatility_at(row, 65 * SECOND, 60.0) == pytest.approx(expected, rel=1e-15)
    assert after((SECOND, 100.0), (5 * SECOND, 103.0), (65 * SECOND, 103.0)).value == pytest.approx(expected, rel=1e-15)


def test_arrays_give_the_weighted_sums_and_the_bits_of_plain_python():
    random = np.random.default_rng(3)
    ns = SECOND + np.cumsum(random.integers(0, SECOND, 60))
    mid = 100.0 + np.cumsum(random.integers(-2, 3, 60)) / 2
    found, plain = short_volatility(ns, mid, 5.0), np.zeros(1, VOLATILITY)[0]
    for i in range(60):
        _update_volatility(plain, ns[i], mid[i], 5.0)
        assert found[i] == plain.value
        weights = np.exp(-(ns[i] - ns[1 : i + 1]) * 1e-9 / 5.0)
        seconds = np.sum(weights * np.diff(ns[: i + 1]) * 1e-9)
        if seconds > 0:
            assert found[i] == pytest.approx(math.sqrt(np.sum(weights * np.diff(mid[: i + 1]) ** 2) / seconds), rel=1e-12)


@pytest.mark.parametrize(
    ("ns", "mid", "time_constant_s", "said"),
    [
        ([2, 1], [1.0, 1.0], 5.0, "ns runs backwards"),
        ([1, 2], [1.0], 5.0, "as many finite numbers"),
        ([1, 2], [1.0, math.nan], 5.0, "as many finite numbers"),
        ([1, 2], [1.0, 1.0], 0.0, "time_constant_s is 0"),
    ],
)
def test_what_cannot_be_used_is_refused(ns, mid, time_constant_s, said):
    with pytest.raises(InputError, match=said):
        short_volatility(ns, mid, time_constant_s)
