"""Hong Kong's volatility control: published triggers, a hand-told afternoon, and any trades against a rule read aloud."""

from datetime import date, datetime, time
from fractions import Fraction
from math import ceil, floor
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.market.band_rules import VolatilityControlRule, band_rule
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.recent_trades import grow_ring, is_ring_full, new_ring
from twosided.market.volatility_control import control_pass_time, control_trade, new_control

pytestmark = pytest.mark.interpreted

S = 1_000_000_000
DAY = date(2024, 10, 8)
EVERY_TICK = np.array([[0, 1]], np.int64)


def at(text, day=DAY):
    return int(datetime.combine(day, time.fromisoformat(text), ZoneInfo("Asia/Hong_Kong")).timestamp()) * S


class Control:
    """A control that is spoken to in times of day."""

    def __init__(self, name, steps=EVERY_TICK, reference=0):
        rule = band_rule(name)
        self.state, self.ring, self.windows, self.steps = new_control(rule, reference), new_ring(), rule.windows([DAY]), steps

    def trade(self, text, ticks):
        return control_trade(self.state, self.ring, self.windows, self.steps, at(text), ticks)

    def limits(self, text):
        control_pass_time(self.state, self.ring, self.windows, self.steps, at(text))
        return int(self.state.low_ticks), int(self.state.high_ticks)


@pytest.mark.parametrize(
    ("begin", "end", "reference", "low", "high"),
    [  # what HKEX published of 8 October 2024, Hang Seng TECH futures
        ("10:35:49", "10:40:49", 4865, 4622, 5108),
        ("10:35:43", "10:40:43", 4900, 4655, 5145),
        ("09:34:30", "09:39:30", 5321, 5055, 5587),
    ],
)
def test_triggers_as_they_were_published(begin, end, reference, low, high):
    future = Control("hkex-vcm-futures")
    assert future.trade("09:16:00", reference)
    assert future.limits(begin) == (low, high)
    assert not future.trade(begin, low - 1)
    assert int(future.state.until_ns) == at(end)
    assert future.limits(end) == (low, high)
    assert future.state.until_ns == 0


@pytest.mark.parametrize(("name", "share"), [("large", "0.1"), ("mid", "0.15"), ("small", "0.2"), ("futures", "0.05")])
def test_each_size_class_has_its_share(name, share):
    control = Control(f"hkex-vcm-{name}")
    control.trade("10:00", 1_000_000)
    distance = int(Fraction(share) * 1_000_000)
    assert control.limits("10:05") == (1_000_000 - distance, 1_000_000 + distance)


def test_it_is_not_a_halt_inside_the_band_one_trades_on_and_it_may_trigger_again():
    share = Control("hkex-vcm-large")
    assert share.trade("10:00", 1000)
    assert share.trade("10:05", 901)
    assert not share.trade("10:05:01", 899)  # the order that triggers is refused itself
    assert share.trade("10:06", 900)
    assert not share.trade("10:09", 1101)  # the band stands, however old its reference grows
    assert share.limits("10:10:00") == (900, 1100)
    assert share.limits("10:10:01") == (811, 991)  # five minutes ago the last price was 901
    assert not share.trade("10:10:01", 800)
    assert share.limits("10:11") == (811, 991)
    assert (share.state.all_triggers, share.state.refused) == (2, 3)


def test_it_watches_neither_the_first_quarter_of_a_session_nor_the_last_twenty_minutes():
    share = Control("hkex-vcm-large", reference=1000)
    free, bound = (NO_BID, NO_ASK), (900, 1100)
    told = [("09:30", free), ("09:44:59", free), ("09:45", bound), ("11:59:59", bound), ("12:00", free), ("13:14:59", free)]
    told += [("13:15", bound), ("15:39:59", bound), ("15:40", free), ("15:59", free)]
    assert [(text, share.limits(text)) for text, _ in told] == told


def test_limits_are_rounded_inward_to_valid_prices():
    steps = np.array([[0, 1], [1000, 50]], np.int64)
    share = Control("hkex-vcm-large", steps)
    share.trade("10:00", 1150)
    assert share.limits("10:05") == (1050, 1250)  # 1035 and 1265


def test_without_a_price_that_is_old_enough_there_is_no_limit():
    share = Control("hkex-vcm-large")
    share.trade("10:00", 1000)
    assert share.limits("10:04:59") == (NO_BID, NO_ASK)
    assert share.limits("10:05:00") == (900, 1100)


def test_a_rule_that_is_not_there_is_refused_in_words():
    with pytest.raises(InputError, match=r"price band rule 'hkex-vcm-larg' is unknown; did you mean 'hkex-vcm-large'\?"):
        band_rule("hkex-vcm-larg")


# ---------------------------------------------------------------- any trades


def read_aloud(rule, windows, trades):
    """Yield (allowed, low, high) of each trade from the whole history, in fractions."""
    accepted, cooling, triggers = [], None, {}
    for ns, ticks in trades:
        session = next((n for start, end, n in windows if start <= ns < end), None)
        reference = next((price for when, price in reversed(accepted) if when <= ns - rule.lookback_ns), None)
        if cooling is not None and ns >= cooling[0]:
            cooling = None
        low, high = NO_BID, NO_ASK
        if cooling is not None:
            low, high = cooling[1:]
        elif session is not None and reference is not None and not 0 < rule.most_triggers <= triggers.get(session, 0):
            share = Fraction(rule.ppm, 1_000_000)
            low, high = ceil(reference * (1 - share)), floor(reference * (1 + share))
        allowed = low <= ticks <= high
        if allowed:
            accepted.append((ns, ticks))
        elif cooling is None:
            cooling = (ns + rule.cooling_ns, low, high)
            triggers[session] = triggers.get(session, 0) + 1
        yield allowed, low, high


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(-120, 120)), max_size=60),
    st.sampled_from([50_000, 100_001]),
    st.sampled_from([0, 1, 2]),
    st.integers(1, 12),
)
def test_any_trades_are_judged_as_the_rule_reads(moves, ppm, most, lookback):
    rule = VolatilityControlRule("x", "", "UTC", ppm, lookback, 7, most, ())
    windows = np.array([[3, 50, 0], [60, 200, 1]], np.int64)
    times = np.cumsum([wait for wait, _ in moves], dtype=np.int64)
    trades = [(int(ns), 1000 + move) for ns, (_, move) in zip(times, moves, strict=True)]
    state, ring = new_control(rule), new_ring()[:16]
    told = []
    for ns, ticks in trades:
        if is_ring_full(state, ring):
            ring = grow_ring(ring, state)
        allowed = control_trade(state, ring, windows, EVERY_TICK, ns, ticks)
        told.append((allowed, int(state.low_ticks), int(state.high_ticks)))
    assert told == list(read_aloud(rule, windows.tolist(), trades))
