"""What flow does to prices: simulated markets give back what they were made of, as often as their intervals say."""

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.research.impact import glosten_harris, huang_stoll, impact_slope, order_flow_imbalance

SPREAD, ADVERSE, INVENTORY, REVERSAL = 0.1, 0.2, 0.3, 0.8
TWO = {"transitory": 0.03, "transitory_per_unit": 0.001, "adverse": 0.01, "adverse_per_unit": 0.002, "adverse_share": 0.016 / 0.049}
THREE = {
    "spread": SPREAD,
    "adverse": ADVERSE,
    "inventory": INVENTORY,
    "processing": 1 - ADVERSE - INVENTORY,
    "reversal": REVERSAL,
}


def sides(random, count, chance):
    """Return sides that turn with *chance* from one to the next."""
    return np.where(np.cumsum(random.random(count) < chance) % 2 == 0, 1.0, -1.0)


def kyle(random, count=500):
    """Return changes and flow per interval, both like their neighbours."""
    flow = np.convolve(random.normal(size=count + 4), np.ones(5), "valid")
    noise = np.convolve(random.normal(size=count + 2), np.ones(3), "valid")
    return 0.02 * flow + 0.05 * noise, flow


def spread_of_two(random, count=2000):
    signs, volumes = sides(random, count, 0.5), random.exponential(3.0, count)
    value = np.cumsum((0.01 + 0.002 * volumes) * signs + random.normal(0, 0.02, count))
    return value + (0.03 + 0.001 * volumes) * signs, signs, volumes


def spread_of_three(random, count=4000):
    signs, half, runs = sides(random, count, REVERSAL), SPREAD / 2, 1 - 2 * REVERSAL
    surprise = np.zeros(count)
    surprise[2:] = signs[1:-1] - runs * signs[:-2]
    value = np.cumsum(ADVERSE * half * surprise + random.normal(0, 0.01, count))
    inventory = INVENTORY * half * np.concatenate([[0], np.cumsum(signs)[:-1]])
    return value + inventory + half * signs, signs


def of_two(random):
    return vars(glosten_harris(*spread_of_two(random)))


def of_three(random):
    return vars(huang_stoll(*spread_of_three(random)))


def test_intervals_of_a_slope_hold_the_truth_95_times_in_100(covered):
    found = covered(lambda random: {"slope": impact_slope(*kyle(random)).slope}, {"slope": 0.02})
    assert 0.93 <= found["slope"] <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("intervals", "truth"), [(of_two, TWO), (of_three, THREE)])
def test_intervals_of_both_decompositions_hold_the_truth_95_times_in_100(covered, intervals, truth):
    found = covered(intervals, truth)
    assert all(0.93 <= each <= 0.97 for each in found.values()), found


@pytest.mark.parametrize(("intervals", "truth"), [(of_two, TWO), (of_three, THREE)])
def test_some_simulated_spreads_are_split_again(covered, intervals, truth):
    assert min(covered(intervals, truth, 30).values()) > 0.82


def test_flow_imbalance_by_hand():
    """Case by case: growth, a better price, a level gone, on the bid; and on the ask with the other sign."""
    bid, bid_size = np.array([10.0, 10, 11, 10]), np.array([5.0, 8, 2, 6])
    size = np.full(4, 7.0)
    np.testing.assert_array_equal(order_flow_imbalance(bid, bid_size, np.full(4, 12.0), size), [3, 2, -2])
    np.testing.assert_array_equal(order_flow_imbalance(np.full(4, 9.0), size, 22 - bid, bid_size), [-3, -2, 2])


def test_a_slope_is_that_of_a_regression_with_a_constant():
    changes, flow = kyle(np.random.default_rng(1))
    found = impact_slope(changes + 7.0, 1000.0 * flow)
    assert found.slope.value == pytest.approx(np.polyfit(1000 * flow, changes, 1)[0])
    assert found.r_squared == pytest.approx(np.corrcoef(flow, changes)[0, 1] ** 2)
    assert found.observations == 500


def test_intervals_are_wider_where_neighbours_are_alike():
    random = np.random.default_rng(2)
    flow, noise = random.normal(size=1000), random.normal(size=1000)
    plain = impact_slope(flow + noise, flow).slope
    held = impact_slope(np.repeat((flow + noise)[:250], 4), np.repeat(flow[:250], 4)).slope
    assert held.high - held.low > 1.5 * (plain.high - plain.low)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: impact_slope(np.ones(50), np.ones(50)), "50 intervals of time; needed: 100"),
        (lambda: impact_slope(np.ones(150), np.ones(150)), "flow is 1 in every interval"),
        (lambda: impact_slope(np.arange(150.0), np.arange(150.0) == 7), "too little happens in them"),
        (lambda: glosten_harris(np.ones(50), np.ones(50), np.ones(50)), "49 changes of price; needed: 100"),
        (lambda: glosten_harris(np.arange(150.0), np.ones(150), np.ones(150)), "every trade has the volume 1"),
        (lambda: huang_stoll(np.arange(150.0), np.ones(150)), "all trades have one side"),
        (lambda: huang_stoll(np.ones(150), np.tile([1.0, -1.0], 75)), "every trade has the price 1"),
        (lambda: impact_slope(np.full(150, np.nan), np.arange(150.0)), "price_changes holds nan"),
        (lambda: impact_slope(np.ones(150), np.arange(151.0)), "flow has 151 numbers and price_changes has 150"),
        (lambda: glosten_harris(np.arange(150.0), np.ones(150), -np.arange(150.0)), "volumes holds -1; allowed"),
    ],
)
def test_what_cannot_be_regressed_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()
