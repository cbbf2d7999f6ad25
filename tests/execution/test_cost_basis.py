"""What a position cost: average cost and first-in-first-out, against obvious versions in plain Python."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.execution.cost_basis import MOST_LOTS, average_cost, fifo, rounded_share

pytestmark = pytest.mark.interpreted
QUANTA = 50  # money quanta per half tick and lot


def half_away(number: Fraction) -> int:
    whole = int(abs(number) + Fraction(1, 2))
    return whole if number >= 0 else -whole


def naive_average(fills, position, mark):
    """Average cost with Python's integers and exact fractions; the opening position is (lots, half ticks)."""
    held, cost, realised = position[0], position[0] * position[1], []
    for side, ticks, lots, _ in fills:
        gain = 0
        closing = min(lots, abs(held)) if held * side < 0 else 0
        if closing:
            share = half_away(Fraction(cost * closing, abs(held)))
            gain = -side * closing * 2 * ticks - share
            cost -= share
        cost += side * (lots - closing) * 2 * ticks
        held += side * lots
        realised.append(gain * QUANTA)
    return realised, (held * mark - cost) * QUANTA, held, cost * QUANTA


def naive_fifo(fills, position, mark):
    """First in, first out, one lot at a time."""
    queue = [(-1, position[1])] * abs(position[0])
    sign = 1 if position[0] > 0 else -1
    pairs, realised = {}, []
    for i, (side, ticks, lots, _) in enumerate(fills):
        gain = 0
        for _lot in range(lots):
            if queue and sign * side < 0:
                opened, price = queue.pop(0)
                key = (opened, i, sign)
                pairs.setdefault(key, [0, 0])
                pairs[key][0] += 1
                pairs[key][1] += sign * (2 * ticks - price) * QUANTA
                gain += sign * (2 * ticks - price) * QUANTA
            else:
                sign = side
                queue.append((i, 2 * ticks))
        realised.append(gain)
    held = sign * len(queue)
    cost = sign * sum(price for _, price in queue)
    return realised, (held * mark - cost) * QUANTA, held, cost * QUANTA, pairs


fill_lists = st.lists(
    st.tuples(st.sampled_from([-1, 1]), st.integers(1, 300), st.integers(1, 12), st.integers(-40, 90)), max_size=25
)
openings = st.tuples(st.integers(-30, 30), st.integers(2, 600))


def columns(fills):
    side, ticks, lots, fees = (np.array([fill[i] for fill in fills], np.int64) for i in range(4))
    return side, 2 * ticks, lots, fees


@settings(max_examples=120)
@given(fill_lists, openings, st.integers(2, 600))
def test_both_agree_with_their_naive_versions_and_with_each_other_in_total(fills, position, mark):
    given_ = {"mark": mark, "unit_quanta": QUANTA, "opening_lots": position[0], "opening_price": position[1]}
    average = average_cost(*columns(fills), **given_)
    first, trips = fifo(*columns(fills), **given_)

    realised, unrealised, held, cost = naive_average(fills, position, mark)
    assert average.realised.tolist() == realised
    assert (average.unrealised, average.position_lots, average.cost) == (unrealised, held, cost)

    realised, unrealised, held, cost, pairs = naive_fifo(fills, position, mark)
    assert first.realised.tolist() == realised
    assert (first.unrealised, first.position_lots, first.cost) == (unrealised, held, cost)
    pair_columns = (trips.opened, trips.closed, trips.side, trips.lots, trips.gain)
    found = {(o, c, s): [n, g] for o, c, s, n, g in zip(*(column.tolist() for column in pair_columns), strict=True)}
    assert found == pairs

    spent = sum(side * lots * 2 * ticks for side, ticks, lots, _ in fills)
    expected = (held * mark - position[0] * position[1] - spent) * QUANTA - sum(fill[3] for fill in fills)
    assert average.total == first.total == expected


@given(fill_lists, openings)
def test_round_trips_share_out_the_fees_of_closed_lots_to_the_last_quantum(fills, position):
    *_, trips = fifo(*columns(fills), mark=0, unit_quanta=1, opening_lots=position[0], opening_price=position[1])
    in_trips = np.zeros(len(fills), np.int64)
    for ends in (trips.opened, trips.closed):
        for fill, lots in zip(ends, trips.lots, strict=True):
            if fill >= 0:
                in_trips[fill] += lots
    # the fees of fills of which no lot is open are all in the trips; those of untouched fills are not
    if all(used in {0, fill[2]} for used, fill in zip(in_trips, fills, strict=True)):
        assert trips.fees.sum() == sum(fill[3] for used, fill in zip(in_trips, fills, strict=True) if used)


def test_one_fill_through_zero_closes_the_long_and_opens_a_short_at_its_own_price():
    average = average_cost([1, -1], [200, 206], [10, 25], [0, 0], mark=2 * 101, unit_quanta=1)
    assert average.realised.tolist() == [0, 10 * 2 * 3]
    assert (average.position_lots, average.cost, average.unrealised) == (-15, -15 * 206, 15 * 2 * 2)


def test_the_methods_differ_in_when_profit_is_realised():
    # bought at 100 and at 110, sold one at 108
    given_ = {"mark": 216, "unit_quanta": 1}
    average = average_cost([1, 1, -1], [200, 220, 216], [1, 1, 1], [0, 0, 0], **given_)
    first, _ = fifo([1, 1, -1], [200, 220, 216], [1, 1, 1], [0, 0, 0], **given_)
    assert (average.realised.sum(), average.unrealised) == (2 * 3, 2 * 3)
    assert (first.realised.sum(), first.unrealised) == (2 * 8, 2 * -2)


def test_a_sale_below_cost_is_a_loss_although_the_mid_is_lower_still():
    average = average_cost([1, -1], [206, 202], [1, 1], [0, 0], mark=2 * 90, unit_quanta=1)
    assert (average.realised.sum(), average.unrealised) == (-4, 0)


def test_a_round_trip_wins_only_after_fees():
    *_, trips = fifo([1, -1, 1, -1], [200, 202, 200, 204], [1, 1, 1, 1], [1, 1, 1, 1], mark=0, unit_quanta=1)
    assert trips.net.tolist() == [0, 2]
    assert trips.win_rate == 0.5
    *_, none = fifo([1], [200], [1], [0], mark=0, unit_quanta=1)
    assert none.win_rate is None


@given(st.integers(-(2**62), 2**62), st.integers(1, MOST_LOTS - 1), st.data())
def test_a_share_is_exact_where_the_product_needs_more_than_64_bits(total, whole, data):
    part = data.draw(st.integers(0, whole))
    share = rounded_share(np.int64(total), np.int64(part), np.int64(whole))
    assert share == half_away(Fraction(total * part, whole))


def test_no_fills_leave_the_opening_position_at_its_cost():
    nothing = average_cost([], [], [], [], mark=210, unit_quanta=3, opening_lots=-4, opening_price=200)
    assert (nothing.total, nothing.unrealised, nothing.position_lots) == (-120, -120, -4)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (([1], [1, 2], [1], [0]), r"lengths \[1, 2, 1, 1\]"),
        (([0], [1], [1], [0]), "side holds 0; allowed"),
        (([1], [1], [0], [0]), "lots holds 0; allowed: 1 or more"),
        (([1], [1.5], [1], [0]), "price is an array of 1 dimensions and type float64"),
        (([1], [1], [2**52], [0]), "add up to 4.5e"),
    ],
)
def test_bad_input_is_named(arrays, message):
    with pytest.raises(InputError, match=message):
        fifo(*arrays, mark=0, unit_quanta=1)
