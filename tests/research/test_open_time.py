"""Closed hours dilute nothing: what estimators see is the open market, as if it had never closed."""

import numpy as np
import pytest

from twosided.data.recording import load
from twosided.engines.flow import generate_market
from twosided.errors import InputError
from twosided.market.event import EVENT, Flag, Kind, Status, exchange_order
from twosided.research.calibrate import estimate
from twosided.research.calibration import calibration
from twosided.research.open_time import open_market
from twosided.units import moment_ns

HOUR_NS = 3600 * 10**9


@pytest.fixture(scope="module")
def market():
    return generate_market(seed=3, seconds=300.0)


def status(at_ns, value):
    said = np.zeros(1, EVENT).view(np.recarray)
    said["exch_ns"], said["local_ns"], said["lots"], said["kind"] = at_ns, at_ns, value, Kind.STATUS
    said["flags"] = Flag.LAST_OF_MESSAGE
    return said


def split_by_a_night(events, *, moved_ticks=0, silent=False):
    """Return the same market, closed for 17 hours in its middle, in which its prices move."""
    cut = int(np.flatnonzero(events["flags"] & Flag.LAST_OF_MESSAGE)[np.count_nonzero(events["flags"] & 1) // 2]) + 1
    first, second = events[:cut].copy(), events[cut:].copy()
    shut = int(first["exch_ns"][-1])
    second["ticks"] += moved_ticks
    first_state = np.zeros(1, EVENT).view(np.recarray)
    first_state["exch_ns"] = first_state["local_ns"] = shut + 2
    first_state["kind"], first_state["flags"] = Kind.CLEAR, Flag.LAST_OF_MESSAGE
    book = rebuilt(first, moved_ticks, shut + 3)
    for part in (first_state, book, second):
        part["exch_ns"] += 17 * HOUR_NS
        part["local_ns"] += 17 * HOUR_NS
    said = (first[:0], first[:0]) if silent else (status(shut + 1, Status.CLOSED), status(shut + 4 + 17 * HOUR_NS, Status.OPEN))
    if moved_ticks == 0:
        first_state, book = first[:0], first[:0]
    return np.concatenate([first, said[0], first_state, book, said[1], second]).view(np.recarray)


def rebuilt(events, moved_ticks, at_ns):
    """Return the book that stands after *events*, moved, as changes of levels."""
    levels = {}
    for event in events[events["kind"] == Kind.DEPTH]:
        levels[int(event["side"]), int(event["ticks"])] = int(event["lots"])
    rows = [
        (at_ns, at_ns, 0, lots, ticks + moved_ticks, Kind.DEPTH, Flag.LAST_OF_MESSAGE, side, 0)
        for (side, ticks), lots in levels.items()
        if lots
    ]
    return np.array(rows, EVENT).view(np.recarray)


@pytest.mark.parametrize("moved_ticks", [0, 5000])
def test_a_night_in_which_the_venue_says_it_is_closed_changes_nothing(market, moved_ticks):
    events, instrument = market
    plain, split = estimate(events, instrument), estimate(split_by_a_night(events, moved_ticks=moved_ticks), instrument)
    assert split.closed_s == pytest.approx(17 * 3600, rel=1e-3)
    assert split.seconds == pytest.approx(plain.seconds, abs=1.0)
    for name in ("sigma", "A", "k"):
        assert getattr(split, name).value == pytest.approx(getattr(plain, name).value, rel=0.02), name
    assert split.warnings == plain.warnings
    assert "(and 61200 s in which the market was closed, left out)" in split.sentence()


def test_all_estimates_leave_the_night_out(market):
    events, instrument = market
    plain, split = (calibration(each, instrument) for each in (events, split_by_a_night(events, moved_ticks=5000)))
    assert split.remarks[0] == "the market was closed for 17 h of the time, which is left out"
    for before, after in zip(plain.rows, split.rows, strict=True):
        assert after.measured.value == pytest.approx(before.measured.value, rel=0.05, abs=1e-3), before.name


def test_a_venue_that_says_nothing_leaves_a_silence_that_is_measured(market):
    events, instrument = market
    split = estimate(split_by_a_night(events, silent=True), instrument)
    share = 17 * 3600 / (17 * 3600 + 300)
    assert split.silent == pytest.approx(share, abs=1e-3)
    assert split.sigma.value == pytest.approx(estimate(events, instrument).sigma.value * np.sqrt(1 - share), rel=0.01)
    assert split.warnings[0].startswith("for 100% of the time no message came (1 silence of over a minute, the longest 17 h)")


def test_a_market_in_which_little_happens_is_not_called_closed(market):
    events, instrument = market
    slow = events.copy()
    for clock in ("exch_ns", "local_ns"):
        slow[clock] = slow[clock][0] + 500 * (slow[clock] - slow[clock][0])  # a message every few minutes
    assert estimate(slow, instrument).silent == 0.0


def test_time_before_the_start_counts_for_the_book_alone(market):
    events, instrument = market
    middle = int(events["exch_ns"][0]) + 100 * 10**9
    seen = open_market(exchange_order(events), instrument, from_ns=middle)
    assert seen.book["exch_ns"][0] == middle  # the state of the book that stands then, not the first change after
    assert seen.seconds == pytest.approx(200, abs=1.0)
    assert seen.trades["exch_ns"].min() > middle
    assert estimate(events, instrument, from_ns=middle).from_ns == middle
    with pytest.raises(InputError, match="never shows a bid and an ask of an open market"):
        estimate(np.concatenate([status(0, Status.HALT), events[events["kind"] != Kind.STATUS]]).view(np.recarray), instrument)


def test_a_future_s_night_is_found_and_its_hour_can_be_taken_out(shared):
    recording = load(shared("data", "databento", "esh4-glbx-mdp3-20231225.mbo.dbn.zst"))
    whole = estimate(recording.events, recording.instruments[0])
    assert whole.seconds == pytest.approx(7200, abs=2)  # from 22:00: the orders of the snapshot are up to 11 hours older
    assert 0.3 < whole.silent < 0.4
    assert [warning.split("; ")[0].split(": ")[-1] for warning in whole.warnings[:2]] == [
        "a closed market dilutes sigma and A",
        "it dilutes sigma",
    ]
    hour = estimate(recording.events, recording.instruments[0], from_ns=moment_ns("2023-12-25T23:00", 0))
    assert hour.sigma.value == pytest.approx(whole.sigma.value * np.sqrt(whole.seconds / hour.seconds), rel=0.1)
    assert hour.sigma.low < 0.077 < hour.sigma.high
    assert not any("dilutes" in warning for warning in hour.warnings)
