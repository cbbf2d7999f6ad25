"""Volatility: simulated prices give back what they were made of, and a recording shows the bounce."""

import numpy as np
import pytest

from twosided.data.recording import load
from twosided.errors import InputError
from twosided.market.event import Kind, exchange_order
from twosided.research.volatility import (
    annualised,
    close_to_close,
    ewma,
    garman_klass,
    parkinson,
    realised,
    sampled,
    signature,
    two_scale,
)

SIGMA, BAR_S = 1e-3, 60.0  # fraction/sqrt(s)
SECOND = 1_000_000_000


def closes(random, bars=500):
    return 100 * np.exp(np.cumsum(random.normal(0, SIGMA * np.sqrt(BAR_S), bars)))


def bars(random, count=100, pieces=100):
    """Return open, high, low and close of a continuous path: highest and lowest of a Brownian bridge in each piece."""
    variance = SIGMA**2 * BAR_S / pieces
    steps = random.normal(0, np.sqrt(variance), (count, pieces))
    begun = np.cumsum(steps, axis=1) - steps
    high, low = (
        begun + 0.5 * (steps + side * np.sqrt(steps**2 - 2 * variance * np.log(random.random(steps.shape)))) for side in (1, -1)
    )
    opened = np.cumsum(steps.sum(1)) - steps.sum(1)
    return [100 * np.exp(opened + each) for each in (0, high.max(1), low.min(1), steps.sum(1))]


def ticks(random, noise=0.0, sigma=0.3, count=5000, every_ns=SECOND // 5):
    times = np.arange(count + 1) * every_ns
    return times, np.cumsum(random.normal(0, sigma * np.sqrt(every_ns / 1e9), count + 1)) + random.normal(0, noise, count + 1)


def test_intervals_of_closes_hold_the_truth_95_times_in_100(covered):
    found = covered(
        lambda random: {"close": close_to_close(made := closes(random), BAR_S), "ewma": ewma(made, BAR_S)},
        {"close": SIGMA, "ewma": SIGMA},
    )
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


def test_intervals_of_ranges_hold_the_truth_95_times_in_100(covered):
    def intervals(random):
        open_, high, low, close = bars(random)
        return {"range": parkinson(high, low, BAR_S), "four": garman_klass(open_, high, low, close, BAR_S)}

    found = covered(intervals, {"range": SIGMA, "four": SIGMA})
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.5])
def test_intervals_of_two_scales_hold_the_truth_95_times_in_100_at_any_noise(covered, noise):
    found = covered(lambda random: {"sigma": two_scale(*ticks(random, noise)).sigma}, {"sigma": 0.3})
    assert 0.93 <= found["sigma"] <= 0.97


def test_intervals_of_realised_volatility_hold_the_truth_95_times_in_100(covered):
    found = covered(lambda random: {"sigma": realised(*ticks(random), SECOND)}, {"sigma": 0.3})
    assert 0.93 <= found["sigma"] <= 0.97


def test_ranges_know_as_much_from_five_times_fewer_bars():
    made = [bars(np.random.default_rng(seed)) for seed in range(200)]
    spread = [
        np.std([estimator.value for estimator in found])
        for found in (
            [close_to_close(close, BAR_S) for _, _, _, close in made],
            [parkinson(high, low, BAR_S) for _, high, low, _ in made],
            [garman_klass(*each, BAR_S) for each in made],
        )
    ]
    assert 3.5 < (spread[0] / spread[1]) ** 2 < 6.5  # 4.9 in theory
    assert 5.5 < (spread[0] / spread[2]) ** 2 < 9.5  # 7.4


def test_formulas_by_hand():
    close = np.exp([0.0, *np.cumsum([0.01, -0.02] * 5)])
    assert close_to_close(close, 4.0).value == pytest.approx(np.sqrt(0.00025 / 4))
    high, low = np.full(10, np.exp(0.03)), np.ones(10)
    assert parkinson(high, low, 1.0).value == pytest.approx(0.03 / np.sqrt(4 * np.log(2)))
    four = garman_klass(np.ones(10), high, low, np.full(10, np.exp(0.01)), 1.0)
    assert four.value == pytest.approx(np.sqrt(0.5 * 0.03**2 - (2 * np.log(2) - 1) * 0.01**2))
    assert annualised(four, 365, 24).value == pytest.approx(four.value * np.sqrt(365 * 86400))


def test_an_exponential_average_is_its_recursion():
    made = closes(np.random.default_rng(1), 40)
    squares = np.diff(np.log(made)) ** 2
    variance = squares.mean()
    for square in squares:
        variance = 0.9 * variance + 0.1 * square
    assert ewma(made, BAR_S, 0.9).value == pytest.approx(np.sqrt(variance / BAR_S))


def test_two_scales_are_the_obvious_loops():
    times, values = ticks(np.random.default_rng(2), 0.2, count=300)
    step, n = 7, 300
    slow = np.mean([np.sum(np.diff(values[shift::step]) ** 2) for shift in range(step)])
    fast = np.sum(np.diff(values) ** 2)
    mean_count = (n - step + 1) / step
    integrated = (slow - mean_count / n * fast) / (1 - mean_count / n)
    found = two_scale(times, values, step)
    assert found.sigma.value == pytest.approx(np.sqrt(integrated / 60.0))
    assert (found.step, found.changes) == (step, n)


def test_noise_is_taken_out_and_its_size_told():
    times, values = ticks(np.random.default_rng(3), 0.5, count=20_000)
    found = two_scale(times, values)
    assert found.noise == pytest.approx(0.5, rel=0.05)
    assert realised(times, values, SECOND // 5).value > 5 * 0.3  # what single changes say
    assert found.sigma.low < 0.3 < found.sigma.high


def test_the_last_value_known_is_sampled():
    times = np.array([10, 12, 12, 19, 40])
    np.testing.assert_array_equal(sampled(times, np.arange(5.0), 5), [0, 2, 3, 3, 3, 3, 4])


def test_a_signature_falls_to_the_volatility_where_there_is_noise():
    points = signature(*ticks(np.random.default_rng(4), 0.2, count=20_000), (SECOND // 5, SECOND, 10 * SECOND, 30 * SECOND))
    values = [point.sigma.value for point in points]
    assert values[0] > values[1] > 1.02 * values[2]
    assert points[-1].sigma.low < 0.3 < points[-1].sigma.high
    assert [point.every_s for point in points] == [0.2, 1.0, 10.0, 30.0]
    assert not signature(*ticks(np.random.default_rng(4)), (500 * SECOND,))  # two changes are none


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: close_to_close(np.ones(50), 1.0), "the price never moved"),
        (lambda: close_to_close(np.arange(1.0, 5), 1.0), "3 changes; needed: 10"),
        (lambda: close_to_close(np.arange(20.0), 1.0), "close holds 0.0; allowed: positive prices"),
        (lambda: close_to_close(np.arange(1.0, 20), 0.0), "a step lasts 0.0 s"),
        (lambda: ewma(np.arange(1.0, 20), 1.0, 1.0), "decay is 1.0"),
        (lambda: ewma(np.arange(1.0, 4), 1.0), "2 changes; needed: 10"),
        (lambda: ewma(np.arange(1.0, 20), np.nan), "a step lasts nan s"),
        (lambda: garman_klass(np.full(20, 9.0), np.full(20, 2.0), np.ones(20), np.ones(20), 1.0), "not below its low nor above"),
        (lambda: realised(np.arange(50), np.full(50, np.nan), 1), "values holds nan"),
        (lambda: realised(np.arange(40), np.arange(50.0), 1), "40 times and 50 values"),
        (lambda: realised(np.arange(50)[::-1], np.arange(50.0), 1), "times that never decrease"),
        (lambda: two_scale(np.arange(200), np.arange(200.0), 2.5), "step is 2.5; allowed: a whole number"),
        (lambda: annualised(close_to_close(np.arange(1.0, 20), 1.0), 0.0), "days_per_year is 0.0"),
        (lambda: parkinson(np.ones(20), np.full(20, 2.0), 1.0), "a low that is not above it"),
        (lambda: two_scale(np.arange(50), np.arange(50.0)), "two scales need 100 changes"),
        (lambda: two_scale(np.arange(200), np.arange(200.0), 60), "step is 60; allowed: a whole number from 2 to 19"),
        (lambda: realised(np.arange(50), np.arange(50.0), 0), "every_ns is 0"),
        (lambda: two_scale(np.arange(200), np.arange(200.0) % 2, 2), "nothing is left of the volatility"),
    ],
)
def test_what_cannot_be_estimated_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_a_recorded_future_s_prices_bounce_and_two_scales_take_it_out(shared):
    """Ten milliseconds apart a third of the variance of ES trades is bounce; ten seconds apart it is gone."""
    recording = load(shared("data", "databento", "esh4-glbx-mdp3-20231225.mbo.dbn.zst"))
    events = exchange_order(recording.events)
    trades = events[(events["kind"] == Kind.TRADE) & (events["exch_ns"] >= 1_703_545_200 * SECOND)]  # continuous trading
    seen, price = trades["exch_ns"].astype(np.int64), 0.25 * trades["ticks"]
    fast, slow = signature(seen, price, (SECOND // 100, 10 * SECOND))
    assert fast.sigma.value**2 > 1.4 * slow.sigma.value**2
    assert slow.sigma.low < two_scale(seen, price).sigma.value < slow.sigma.high
