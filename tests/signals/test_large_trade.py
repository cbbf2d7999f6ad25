"""The alarm for large trades: a sweep is one trade, ten times the usual is large, and it passes."""

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.signals.large_trade import HOLD_NS, LARGE_TRADE, TIMES, WARM, _update_large_trade, large_trade, large_trade_at

pytestmark = pytest.mark.interpreted

SECOND = 10**9


def trades(*last, usual=10, count=WARM):
    """Return columns of *count* usual trades, a second apart, and then *last*: (seconds after, side, lots)."""
    rows = [(SECOND * (1 + i), 1 if i % 2 else -1, usual) for i in range(count)]
    rows += [(int(SECOND * (count + after)), side, lots) for after, side, lots in last]
    return np.array(rows).T


@pytest.mark.parametrize(
    ("last", "alarm"),
    [
        ([(1, -1, 99)], 0.0),
        ([(1, -1, 100)], -1.0),
        ([(1, 1, 50), (1, 1, 50)], 1.0),  # one sweep through two orders
        ([(1, 1, 50), (1, -1, 50)], 0.0),
        ([(1, 1, 50), (1.5, 1, 50)], 0.0),
        ([(1, 0, 500)], 0.0),  # nobody knows whose
        ([(1, 1, 200), (6, 1, 1)], 0.0),  # it has passed
        ([(1, 1, 200), (5.9, -1, 1)], 1.0),
    ],
)
def test_a_sweep_of_ten_times_the_usual_size_raises_it(last, alarm):
    found = large_trade(*trades(*last))
    assert set(found[:WARM]) == {0.0}
    assert found[-1] == alarm
    assert (TIMES, HOLD_NS) == (10.0, 5 * SECOND)


def test_before_it_is_warm_nothing_is_unusual():
    assert set(large_trade(*trades((1, 1, 5000), count=WARM - 1))) == {0.0}


def test_arrays_give_the_bits_of_plain_python():
    random = np.random.default_rng(1)
    ns, side, lots = (
        SECOND + np.cumsum(random.integers(0, 2, 300)) * SECOND,
        random.integers(-1, 2, 300),
        random.geometric(0.1, 300),
    )
    lots[::30] *= 20
    found, row = large_trade(ns, side, lots), np.zeros(1, LARGE_TRADE)[0]
    for i in range(300):
        _update_large_trade(row, ns[i], side[i], lots[i])
        assert large_trade_at(row, ns[i]) == found[i]
    assert {-1.0, 0.0, 1.0} == set(found)
    with pytest.raises(InputError, match="runs backwards"):
        large_trade([2, 1], [1, 1], [1, 1])
