"""Limit up-limit down: the table of widths, a day told by hand, and any day against the rule read aloud."""

from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.market.band_rules import LimitUpDownRule, band_rule
from twosided.market.instrument import Instrument
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.limit_up_down import Phase, limits_deadline, limits_pass_time, limits_quote, limits_trade, new_limits
from twosided.market.recent_trades import grow_ring, is_ring_full, new_ring

pytestmark = pytest.mark.interpreted

S = 1_000_000_000
DAY = date(2024, 3, 5)
CENT = Instrument(symbol="X", tick_size="0.01", lot_size=1)


def at(text):
    return int(datetime.combine(DAY, time.fromisoformat(text), ZoneInfo("America/New_York")).timestamp() * 1000) * 1_000_000


class Share:
    """A share that is spoken to in times of day; time passes in it as in an engine, deadline by deadline."""

    def __init__(self, name="luld-tier1", close="100", instrument=CENT):
        rule = band_rule(name)
        self.state, self.ring = new_limits(rule, instrument, Decimal(close)), new_ring()
        self.windows = rule.windows([DAY], Decimal(close))

    def _until(self, text):
        ns = at(text)
        while limits_deadline(self.state) <= ns:
            limits_pass_time(self.state, self.ring, self.windows, limits_deadline(self.state))
        return ns

    def trade(self, text, ticks):
        limits_trade(self.state, self.ring, self.windows, self._until(text), ticks)
        return self

    def quote(self, text, bid, ask):
        limits_quote(self.state, self.ring, self.windows, self._until(text), bid, ask)
        return Phase(int(self.state.phase))

    def bands(self, text):
        limits_pass_time(self.state, self.ring, self.windows, self._until(text))
        return int(self.state.low_ticks), int(self.state.high_ticks)


@pytest.mark.parametrize(
    ("tier", "close", "open_", "close_"),  # bands around 1.00 in cents, at noon and in the last 25 minutes
    [
        (1, "3.01", (95, 105), (90, 110)),
        (2, "3.01", (90, 110), (90, 110)),
        (1, "3", (80, 120), (60, 140)),
        (2, "3", (80, 120), (60, 140)),
        (2, "0.75", (80, 120), (60, 140)),
        (1, "0.74", (85, 115), (70, 130)),
        (2, "0.01", (85, 115), (70, 130)),
    ],
)
def test_how_wide_bands_are(tier, close, open_, close_):
    noon, late = (Share(f"luld-tier{tier}", close).trade(when, 100) for when in ("12:00", "15:35"))
    assert noon.bands("12:00") == open_
    assert late.bands("15:35") == close_


def test_under_seventy_five_cents_the_smaller_of_a_share_and_of_fifteen_cents_holds():
    assert Share(close="0.5").trade("12:00", 10).bands("12:00") == (3, 18)  # 75 % of 10 cents: 2.5 and 17.5


def test_the_open_was_doubled_before_the_eighteenth_amendment_and_is_not_now():
    for name, opening in (("luld-tier1", (9500, 10500)), ("luld-tier1-2014", (9000, 11000))):
        share = Share(name).trade("09:30", 10000)
        assert share.bands("09:44:59") == opening
        assert share.bands("09:45") == (9500, 10500)
        assert share.bands("15:35") == (9000, 11000)
        assert share.bands("16:00") == (NO_BID, NO_ASK)


def test_the_reference_is_the_mean_of_five_minutes_and_moves_by_a_per_cent_or_not_at_all():
    share = Share().trade("10:00:00", 10000).trade("10:00:10", 10199)  # mean 10099.5
    assert share.bands("10:00:40") == (9500, 10500)
    share.trade("10:00:41", 10101)  # mean 10100: one per cent
    assert share.bands("10:00:41") == (9595, 10605)
    share.trade("10:00:50", 12000)
    assert share.bands("10:01:10") == (9595, 10605)  # it has held for 29 s
    assert share.bands("10:01:11") == (10046, 11104)  # the mean of the four is 10575
    assert share.bands("10:05:41") == (11400, 12600)  # only the last trade is younger than five minutes
    assert share.bands("10:30") == (11400, 12600)  # without trades the last reference stays


def test_a_limit_state_that_ends_in_time_stops_nothing():
    share = Share().trade("10:00", 10000)
    assert share.quote("10:01:00", 9400, 9501) == Phase.NORMAL
    assert share.quote("10:01:01", 9400, 9500) == Phase.LIMIT_DOWN
    assert share.quote("10:01:15.999", 9400, 9501) == Phase.NORMAL
    assert share.quote("10:01:20", 10500, 10600) == Phase.LIMIT_UP
    share.trade("10:01:21", 10500)
    assert share.bands("10:01:34.999") == (9500, 10500)  # nothing moves meanwhile, though the mean is 2.5 % higher
    assert share.quote("10:01:34.999", 10499, 10600) == Phase.NORMAL
    assert share.bands("10:01:35") == (9738, 10763)
    assert share.state.pauses == 0


def test_after_fifteen_seconds_a_pause_and_after_five_minutes_a_new_beginning():
    share = Share().trade("10:00", 10000)
    share.quote("10:01", 9400, 9500)
    assert share.quote("10:01:15", 9400, 9501) == Phase.PAUSED  # too late
    assert int(share.state.until_ns) == at("10:06:15")
    share.trade("10:03", 8000)  # what is printed in a pause counts nothing
    assert share.quote("10:06:15", 9000, 9010) == Phase.NORMAL
    assert share.bands("10:06:15") == (NO_BID, NO_ASK)
    assert share.trade("10:06:16", 9000).bands("10:06:16") == (8550, 9450)  # the reopening trade is the reference


def test_a_pause_near_the_close_lasts_until_the_close():
    share = Share().trade("15:40", 10000)
    share.quote("15:49:45", 8900, 9000)
    assert share.quote("15:50", 8900, 9000) == Phase.PAUSED
    assert share.quote("15:59:59", 9500, 9501) == Phase.PAUSED
    assert share.quote("16:00", 9500, 9501) == Phase.OUTSIDE


def test_a_crossed_touch_is_nobody_s_limit_state():
    assert Share().trade("10:00", 10000).quote("10:01", 9600, 9500) == Phase.NORMAL


def test_a_close_that_is_none_is_refused():
    with pytest.raises(InputError, match="previous_close is 0; allowed: above 0"):
        Share(close="0")


# ---------------------------------------------------------------- any day

RULE = LimitUpDownRule("x", "", "UTC", (time(0), time(1)), 20, 10_000, 4, 3, 9, 15, ((Decimal(0), 50_000, Decimal(0)),), ())
WINDOWS = np.array([[5, 60, 1, 100], [60, 100, 2, 100]], np.int64)


def half_up(fraction):
    return floor(fraction + Fraction(1, 2))


class ReadAloud:
    """The rule in lists and fractions, asked at every single nanosecond."""

    def __init__(self):
        self.trades, self.reference, self.since, self.phase, self.entered, self.until = [], None, 0, Phase.OUTSIDE, 0, 0
        self.low = self.high = None

    def pass_time(self, ns):
        window = next((row for row in WINDOWS.tolist() if row[0] <= ns < row[1]), None)
        if window is None:
            self.phase, self.reference, self.trades = Phase.OUTSIDE, None, []
            return
        if self.phase == Phase.OUTSIDE:
            self.phase = Phase.NORMAL
        if self.phase == Phase.PAUSED and ns >= self.until:
            self.phase, self.reference, self.trades = Phase.NORMAL, None, []
        if self.phase in {Phase.LIMIT_DOWN, Phase.LIMIT_UP} and ns >= self.entered + 3:
            self.phase, self.until = Phase.PAUSED, 100 if ns >= 85 else ns + 9
        self.trades = [(when, ticks) for when, ticks in self.trades if when > ns - 20]
        if self.phase == Phase.NORMAL and self.reference is not None:
            if self.trades and ns - self.since >= 4 and self.asked:
                mean = Fraction(half_up(Fraction(sum(ticks for _, ticks in self.trades), len(self.trades)) * 10_000), 10_000)
                if abs(mean - self.reference) >= self.reference / 100:
                    self.reference, self.since = mean, ns
            half = Fraction(half_up(self.reference * 10_000 / 20), 10_000) * window[2]
            self.low, self.high = half_up(self.reference - half), half_up(self.reference + half)

    def step(self, ns, last, kind, ticks):
        for each in range(last + 1, ns + 1):
            self.asked = each == ns
            if self.asked or (self.phase, each) == (Phase.PAUSED, self.until) or self.entered + 3 == each:
                self.pass_time(each)
        if kind == "trade" and self.phase not in {Phase.OUTSIDE, Phase.PAUSED}:
            self.trades.append((ns, ticks))
            if self.reference is None:
                self.reference, self.since, self.asked = Fraction(ticks), ns, False
                self.pass_time(ns)
        elif kind == "quote":
            bid, ask = ticks - 1, ticks + 1
            if self.phase == Phase.NORMAL and self.reference is not None and (ask <= self.low or bid >= self.high):
                self.phase, self.entered = Phase.LIMIT_DOWN if ask <= self.low else Phase.LIMIT_UP, ns
            elif (self.phase == Phase.LIMIT_DOWN and ask > self.low) or (self.phase == Phase.LIMIT_UP and bid < self.high):
                self.phase = Phase.NORMAL


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["trade", "quote"]), st.integers(9_300, 10_700)), max_size=60))
def test_any_day_goes_as_the_rule_reads(told):
    state, ring, aloud, ns = new_limits(RULE, CENT, Decimal(1)), new_ring()[:16], ReadAloud(), 0
    for wait, kind, ticks in told:
        before, ns = ns, ns + wait
        if is_ring_full(state, ring):
            ring = grow_ring(ring, state)
        while limits_deadline(state) <= ns:
            limits_pass_time(state, ring, WINDOWS, limits_deadline(state))
        if kind == "trade":
            limits_trade(state, ring, WINDOWS, ns, ticks)
        else:
            limits_quote(state, ring, WINDOWS, ns, ticks - 1, ticks + 1)
        aloud.step(ns, before, kind, ticks)
        assert state.phase == aloud.phase
        assert (state.reference == 0) == (aloud.reference is None)
        if aloud.reference is not None and aloud.phase != Phase.PAUSED:
            assert (state.low_ticks, state.high_ticks) == (aloud.low, aloud.high)
