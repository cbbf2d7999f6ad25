"""Calibration on the head of a recording: finds what a simulated market was made of, and says when it cannot."""

import dataclasses
import json
import re

import numpy as np
import pytest

from twosided.data.recording import load
from twosided.errors import InputError
from twosided.market.event import EVENT, Flag, Kind, exchange_order
from twosided.market.instrument import Instrument, TickBand
from twosided.market.touch import touches
from twosided.research.calibrate import Measured, _reaches, estimate
from twosided.strategies.catalogue import STRATEGIES

START = 1_700_000_000_000_000_000
LATENCY = 2_000_000
COIN = Instrument(symbol="COIN", tick_size="0.1", lot_size="1", currency="EUR")
TRUTH = {"A": 3.0, "k": 2.5, "sigma": 0.25}  # per second, per EUR, EUR/sqrt(s)


class Tape:
    """Builds a recording, message by message."""

    def __init__(self):
        self.rows = []
        self.levels = (None, None)

    def touch(self, at_s, bid, ask, lots=5):
        old = dict(zip((1, -1), self.levels, strict=True))
        changes = []
        for side, ticks in ((1, bid), (-1, ask)):
            if old[side] is not None and old[side] != ticks:
                changes.append((side, old[side], 0))
            changes.append((side, ticks, lots))
        self.levels = (bid, ask)
        for n, (side, ticks, size) in enumerate(changes):
            self._add(at_s, Kind.DEPTH, side, ticks, size, last=n == len(changes) - 1)

    def trade(self, at_s, side, ticks, lots=1):
        self._add(at_s, Kind.TRADE, side, ticks, lots, last=True)

    def _add(self, at_s, kind, side, ticks, lots, *, last):
        ns = START + round(at_s * 1e9)
        self.rows.append((ns, ns + LATENCY, 0, lots, ticks, kind, Flag.LAST_OF_MESSAGE if last else 0, side, 0))

    @property
    def events(self):
        return np.array(self.rows, EVENT).view(np.recarray)


def simulated(seed=1, *, seconds=600, every_s=0.1, tick=0.1, prints=1, step=1):
    """Return a recording of a mid that moves by whole steps and of Poisson arrivals on both sides; each sweep prints its prices."""
    random = np.random.default_rng(seed)
    tape = Tape()
    bid, lots = 10_000, 5
    chance = (TRUTH["sigma"] / (step * tick)) ** 2 * every_s
    for n in range(round(seconds / every_s)):
        now = n * every_s
        bid += step * int(random.choice([-1, 1])) if random.random() < chance else 0
        ask = bid + step * int(random.integers(1, 3))
        lots = 11 - lots  # another size: a book that changes tells that the mid still holds
        tape.touch(now, bid, ask, lots)
        mid = 0.5 * (bid + ask)
        for arrival_s in np.sort(random.uniform(0.0, every_s, random.poisson(20.0 * every_s))):
            side = int(random.choice([-1, 1]))
            deep = random.exponential(1 / TRUTH["k"]) + np.log(TRUTH["A"] / 10.0) / TRUTH["k"]  # 10 a second and side in all
            nearest = ask if side > 0 else bid
            beyond = np.floor((deep / tick - abs(nearest - mid)) / step)
            if beyond >= 0:
                for _ in range(prints):
                    tape.trade(now + 0.99 * arrival_s + 1e-6, side, nearest)
                    tape.trade(now + 0.99 * arrival_s + 1e-6, side, nearest + side * step * int(beyond))
    return tape.events


@pytest.fixture(scope="module")
def recording():
    return simulated()


@pytest.fixture(scope="module")
def found(recording):
    return estimate(recording, COIN)


def reached_one_event_at_a_time(events):
    """Return the deepest distances in half ticks, by (index of the interval, side), by the obvious loop over books of one level."""
    best, double_mid, interval, deepest, waiting = {}, None, -1, {}, []
    for event in events:
        if event["kind"] == Kind.TRADE and double_mid is not None:
            side = int(event["side"])
            distance = side * (2 * int(event["ticks"]) - double_mid)
            deepest[interval, side] = max(distance, deepest.get((interval, side), distance))
        elif event["kind"] == Kind.DEPTH:
            waiting.append(event)
            if event["flags"] & Flag.LAST_OF_MESSAGE:
                best.update({int(each["side"]): int(each["ticks"]) for each in waiting if each["lots"]})
                double_mid, interval, waiting = best[1] + best[-1], interval + 1, []
    return deepest


def test_reaches_agree_with_the_obvious_loop():
    events = simulated(6, seconds=40)
    expected = reached_one_event_at_a_time(events)
    book = touches(events)
    reaches, _ = _reaches(book, np.ones(len(book), bool), events[events["kind"] == Kind.TRADE], int(events["exch_ns"][-1]), COIN)
    half_ticks = (reaches.reached / 0.05).reshape(2, -1)
    found = {
        (n, side): round(half_ticks[row, n]) for row, side in enumerate((1, -1)) for n in np.flatnonzero(half_ticks[row] > -np.inf)
    }
    assert found == expected
    assert len(found) > 100
    # the nearest distance is on that side's lattice, a tick beyond the usual touch of one tick, and less than a tick further
    nearest = (reaches.nearest / 0.05).round().astype(int).reshape(2, -1)
    double_mid = book["bid_ticks"] + book["ask_ticks"]
    assert np.all((double_mid + nearest[0]) % 2 == 0)
    assert np.all((double_mid - nearest[1]) % 2 == 0)
    assert set(np.unique(nearest)) == {4, 5}


@pytest.mark.parametrize("name", ["sigma", "A", "k"])
def test_finds_what_the_market_was_made_of(found, name):
    measured = getattr(found, name)
    assert measured.low < TRUTH[name] < measured.high
    # errors of the logarithm: sigma's of n Gaussian changes, k's of an exponential mean, A's of a count and of k at that distance
    k_error = 1 / np.sqrt(found.reaches)
    errors = {"sigma": 1 / np.sqrt(2 * 599), "k": k_error, "A": k_error * np.hypot(1, TRUTH["k"] * found.nearest)}
    assert np.log(measured.high / measured.low) == pytest.approx(2 * 1.96 * errors[name], rel=0.2)
    assert measured.value == pytest.approx(np.sqrt(measured.low * measured.high))


def test_the_intervals_hold_the_truth_most_of_the_time():
    inside = {"sigma": 0, "A": 0, "k": 0}
    for seed in range(20):
        once = estimate(simulated(100 + seed, seconds=60), COIN)
        for name in inside:
            inside[name] += getattr(once, name).low < TRUTH[name] < getattr(once, name).high
    assert min(inside.values()) >= 16


def test_counts_say_what_the_numbers_rest_on(recording, found):
    assert found.seconds == pytest.approx(600, abs=0.2)
    assert found.mid_samples == 599
    assert found.trades == np.count_nonzero(recording["kind"] == Kind.TRADE)
    assert found.nearest == pytest.approx(0.2)  # the usual touch is a tick away from the mid, and one tick beyond
    assert found.farthest > 1.0
    assert found.reaches > 1000
    assert found.warnings == ()


def test_only_what_was_received_before_then_is_used(recording):
    until = START + 60 * 10**9 + LATENCY
    head = recording[recording["local_ns"] < until]
    spoiled = recording.copy()
    spoiled["ticks"][len(head) :] += 500
    assert estimate(spoiled, COIN, until) == estimate(head, COIN)
    assert estimate(head, COIN).seconds < 60


def test_printing_a_sweep_in_many_trades_changes_nothing_but_their_count():
    once, often = (estimate(simulated(4, seconds=60, prints=prints), COIN) for prints in (1, 5))
    assert often.trades == 5 * once.trades
    assert (often.A, often.k, often.reaches) == (once.A, once.k, once.reaches)


def test_distances_are_from_the_mid_strictly_before_the_trade():
    # each trade goes three ticks beyond a mid that moves there in the same nanosecond
    tape = Tape()
    for n in range(200):
        bid = 10_000 + (n % 2) * 6
        tape.touch(n, bid, bid + 2)
        if n:
            tape.trade(n, 1 if n % 2 else -1, bid + 1 + (1 if n % 2 else -1) * (n // 2 % 2))
    seen = estimate(tape.events, COIN)
    assert seen.farthest == pytest.approx(0.7)  # six ticks of mid and one more; from the mid afterwards it would be one tick


def test_the_exchange_s_clock_decides_even_where_it_runs_backwards_in_the_file(recording):
    late = recording.copy()
    trades = np.flatnonzero(late["kind"] == Kind.TRADE)
    order = np.arange(len(late), dtype=float)
    order[trades] += 3.5  # trades arrive some events later than the exchange stamped them
    late = late[np.argsort(order, kind="stable")]
    assert np.any(np.diff(late["exch_ns"]) < 0)
    moved = estimate(late, COIN)
    straight = estimate(recording, COIN)
    assert (moved.A, moved.k, moved.sigma) == (straight.A, straight.k, straight.sigma)


def test_a_tick_table_s_step_is_the_lattice():
    table = (TickBand(from_price=0, tick_size="0.1"), TickBand(from_price=500, tick_size="0.5"))
    coarse = Instrument(symbol="COIN", tick_size="0.1", lot_size="1", tick_table=table)
    seen = estimate(simulated(2, step=5), coarse)
    assert seen.k.low < TRUTH["k"] < seen.k.high
    assert seen.A.low < TRUTH["A"] < seen.A.high


def test_crossed_and_one_sided_states_count_as_no_time_at_all(recording):
    middle = int(np.flatnonzero((recording["kind"] == Kind.DEPTH) & (recording["side"] > 0))[3000])
    middle -= 1 - int(recording["flags"][middle - 1] & Flag.LAST_OF_MESSAGE)  # to the first event of the message
    first, second = recording[:middle].copy(), recording[middle:].copy()
    now = (int(first["exch_ns"][-1]) - START) / 1e9 + 1e-6
    tape = Tape()
    tape.levels = (None, None)
    tape.touch(now, 10_900, 9_000)
    for n in range(1, 300):
        tape.trade(now + 0.1 * n, 1, 11_000)
    for clock in ("exch_ns", "local_ns"):
        second[clock] += 50 * 10**9
    closing = Tape()
    closing.rows = [
        (START + round((now + 49.999) * 1e9),) * 2 + (0, 0, ticks, Kind.DEPTH, Flag.LAST_OF_MESSAGE, side, 0)
        for side, ticks in ((1, 10_900), (-1, 9_000))
    ]
    seen = estimate(np.concatenate([first, tape.events, closing.events, second]).view(np.recarray), COIN)
    plain = estimate(recording, COIN)
    assert seen.k.value == pytest.approx(plain.k.value, rel=1e-3)
    assert seen.A.value == pytest.approx(plain.A.value, rel=1e-3)
    assert seen.farthest == plain.farthest
    assert seen.sigma.value == pytest.approx(plain.sigma.value * np.sqrt(599 / 649), rel=1e-3)  # the mid stood still meanwhile


def test_markets_are_kept_apart(recording):
    other = recording.copy()
    other["market"], other["ticks"] = 1, other["ticks"] + 77
    both = np.concatenate([recording, other])
    both = both[np.argsort(both["local_ns"], kind="stable")].view(np.recarray)
    assert estimate(both, COIN) == estimate(recording, COIN)
    first, second = estimate(both, COIN), estimate(both, COIN, market=1)
    assert (second.A, second.k) == (first.A, first.k)
    assert second.sigma.value == pytest.approx(first.sigma.value)


def touch_only(reaching=0):
    """Return 300 s in which trades happen at the touch, but for a few that go a tick beyond."""
    tape = Tape()
    for n in range(300):
        bid = 10_000 + n % 2
        tape.touch(n, bid, bid + 1)
        tape.trade(n + 0.5, 1, bid + 1 + (n < reaching))
    return tape.events


def test_where_hardly_anything_goes_beyond_the_touch_it_is_used_with_a_warning():
    seen = estimate(touch_only(reaching=8), COIN)
    assert seen.nearest == pytest.approx(0.05)
    assert seen.reaches == 300
    assert any("hardly any trade went beyond the touch" in warning for warning in seen.warnings)


def test_reaches_at_one_distance_only_make_the_touch_do():
    seen = estimate(touch_only(reaching=30), COIN)
    # of 600 intervals, of a second and a side, half reach the touch and one in twenty a tick further
    touch, further = -np.log(1 - 0.5), -np.log(1 - 0.05)
    assert seen.k.value == pytest.approx(np.log(touch / further) / 0.1, rel=0.05)
    assert seen.warnings[0].startswith("hardly any trade went beyond the touch")


def test_few_reaches_are_warned_about(recording):
    head = recording[recording["local_ns"] < START + 40 * 10**9]
    trades = np.flatnonzero(head["kind"] == Kind.TRADE)
    seen = estimate(np.delete(head, trades[len(trades) // 3 :]).view(np.recarray), COIN)
    assert 20 <= seen.reaches < 100
    assert seen.warnings == (f"trades reached that far only {seen.reaches} times, so the intervals are wide",)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (np.zeros(0, EVENT).view(np.recarray), "never shows a bid and an ask"),
        (simulated(seconds=10), r"too little to estimate sigma: 9 seconds in \d+ of which the mid moved; needed: 30 and 10"),
        (touch_only()[:100], r"too little to estimate sigma|too few trades"),
        (touch_only(), "all reach equally far beyond the touch"),
    ],
)
def test_too_little_is_refused_with_what_there_was(events, said):
    with pytest.raises(InputError, match=said):
        estimate(events, COIN)


def test_without_trades_a_and_k_are_refused(recording):
    with pytest.raises(InputError, match=r"too few trades to estimate A and k: 0, .* needed: 20; calibrate on a longer head"):
        estimate(recording[recording["kind"] != Kind.TRADE], COIN)


def test_fills_only_the_parameters_that_are_missing(found):
    assert found.params_for(STRATEGIES["glft"]) == {"sigma": found.sigma.value, "A": found.A.value, "k": found.k.value}
    assert found.params_for(STRATEGIES["glft"].with_params(k=1.0)) == {"sigma": found.sigma.value, "A": found.A.value}
    assert found.params_for(STRATEGIES["avellaneda_stoikov"]) == {"sigma": found.sigma.value, "k": found.k.value}
    assert found.params_for(STRATEGIES["fixed"]) == {}
    assert not STRATEGIES["glft"].with_params(found.params_for(STRATEGIES["glft"])).missing


def test_says_what_it_found_in_one_sentence(found):
    sentence = found.sentence()
    assert re.search(r"from 600 s: sigma 0\.2\d+ \(0\.2\d+ to 0\.2\d+\) EUR/√s, realised over 1 s, 599 samples", sentence)
    assert re.search(r"A \d\.\d+ \(.*\) per second and side and k \d\.\d+ \(.*\) per EUR, from \d+ times", sentence)


def test_an_interval_is_symmetric_in_the_logarithm():
    assert Measured.of(2.0, 0.1) == Measured(
        2.0, pytest.approx(2 * np.exp(-0.196), rel=1e-5), pytest.approx(2 * np.exp(0.196), rel=1e-5)
    )


@pytest.fixture(scope="module")
def perpetual(shared):
    return load(shared("data", "binance", "usdm_btcusdt_20240808.gz"))


@pytest.fixture(scope="module")
def perpetual_reaches(perpetual):
    """Return how far trades reached, from the mid strictly before them."""
    events = exchange_order(perpetual.events)
    book, trades = touches(events), events[events["kind"] == Kind.TRADE]
    valid = book["bid_ticks"] < book["ask_ticks"]
    return _reaches(book, valid, trades, int(events["exch_ns"][-1]), perpetual.instruments[0])[0]


def often(reaches, seconds, distance):
    """Return how many times a second and side trades reached *distance* or more."""
    return np.count_nonzero(reaches.reached >= distance - 1e-9 * reaches.tick) / (2 * seconds)


def test_numbers_of_a_recorded_perpetual_are_plausible(perpetual):
    seen = estimate(perpetual.events, perpetual.instruments[0])
    assert seen.currency == "USDT"
    assert 4 < seen.sigma.value < 16  # 0.8 to 3 % a day at 61,800 would be 1.7 to 6.3; these six minutes were livelier
    assert seen.nearest == pytest.approx(0.15)  # the spread is one tick of 0.1 for more than 90 % of the time
    assert not seen.warnings


def test_a_recorded_intensity_lies_between_counting_sweeps_by_the_second_and_counting_every_trade(perpetual):
    """A second in which trades reached beyond the touch has one arrival at least; a trade beyond it is one at most.

    Distances are from the best prices strictly before each trade, as bookTicker says them within a millisecond, so that the steps
    of a sweep between which the touch was seen to move are arrivals of their own, each a short way from the mid of its moment. From
    depth updates alone, 52 ms apart, only the deepest step of each update counts, from a mid that is older: then A is 0.63.
    """
    seen = estimate(perpetual.events, perpetual.instruments[0])
    events = exchange_order(perpetual.events)
    book, trades = touches(events), events[events["kind"] == Kind.TRADE]
    before = np.searchsorted(book["exch_ns"], trades["exch_ns"], side="left") - 1
    trades, before = trades[before >= 0], before[before >= 0]
    double_mid = (book["bid_ticks"] + book["ask_ticks"])[before]
    far = trades["side"] * (2 * trades["ticks"] - double_mid) * 0.05 >= seen.nearest - 1e-9
    seconds_and_sides = set(zip((trades["exch_ns"][far] // 10**9).tolist(), trades["side"][far].tolist(), strict=True))
    at_nearest = seen.A.value * np.exp(-seen.k.value * seen.nearest)
    assert len(seconds_and_sides) / (2 * seen.seconds) < at_nearest < np.count_nonzero(far) / (2 * seen.seconds)


def test_the_fit_has_the_rate_of_the_recorded_reaches_and_their_mean_depth(perpetual, perpetual_reaches):
    """What maximum likelihood of an exponential fixes, where an interval seldom has more than one reach: its level and its mean."""
    seen = estimate(perpetual.events, perpetual.instruments[0])
    rate = often(perpetual_reaches, seen.seconds, seen.nearest)
    assert seen.A.value * np.exp(-seen.k.value * seen.nearest) == pytest.approx(rate, rel=0.03)
    assert 1 / seen.k.value == pytest.approx(perpetual_reaches.depths.mean() + 0.5 * perpetual_reaches.tick, rel=0.1)


def test_an_exponential_is_above_recorded_reaches_half_way_and_below_them_far_out(perpetual, perpetual_reaches):
    """Their depths scatter more than an exponential's, whose standard deviation is its mean: most are shallow, some very deep.

    Two tails of equal level and mean must cross, so the fit is too high around its mean and too low beyond. It is what the models
    ask for, and good near the touch; nobody should quote 20 USDT away by it.
    """
    seen = estimate(perpetual.events, perpetual.instruments[0])
    depths = perpetual_reaches.depths
    assert depths.std() > 1.5 * depths.mean()
    for distance, is_above in ((1.0, True), (2.0, True), (10.0, False), (20.0, False)):
        fitted = seen.A.value * np.exp(-seen.k.value * distance)
        assert (fitted > often(perpetual_reaches, seen.seconds, distance)) == is_above


def test_a_shorter_head_agrees_within_its_wider_intervals(perpetual):
    first_minutes = estimate(perpetual.events, perpetual.instruments[0], int(perpetual.events["local_ns"][0]) + 180 * 10**9)
    whole = estimate(perpetual.events, perpetual.instruments[0])
    assert first_minutes.A.high / first_minutes.A.low > whole.A.high / whole.A.low
    for name in ("sigma", "A", "k"):
        short, long = getattr(first_minutes, name), getattr(whole, name)
        assert 0.4 < short.value / long.value < 2.5


def test_what_was_found_can_be_kept_with_a_run(perpetual):
    seen = estimate(perpetual.events, perpetual.instruments[0])
    facts = json.loads(json.dumps(seen.facts()))
    for name, unit in (("sigma", "USDT/√s"), ("A", "per second and side"), ("k", "per USDT")):
        assert facts[name] == {**dataclasses.asdict(getattr(seen, name)), "unit": unit}
    assert facts["from_ns"] == perpetual.events["local_ns"][0]
    assert facts["until_ns"] == perpetual.events["local_ns"][-1]
    assert {"seconds", "mid_samples", "trades", "reaches", "nearest", "farthest", "warnings", "currency"} < set(facts)
