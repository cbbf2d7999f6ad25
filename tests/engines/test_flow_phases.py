"""Phases of a generated market, heartbeats, and a feed that falls silent or slow."""

import numpy as np
import pytest

from twosided.engines.flow import FlowSettings, generate_market
from twosided.engines.flow_phases import Phase, silenced, slowed, with_heartbeats
from twosided.errors import InputError
from twosided.market.event import Flag, Kind, Status
from twosided.market.touch import touches
from twosided.units import NS_PER_SECOND

FLAT = FlowSettings(daily_curve=False)
START = FLAT.start_ns


def seconds(events):
    return (events["exch_ns"] - START) / NS_PER_SECOND


def mid_at(events, times):
    touch = touches(events)
    at = np.searchsorted(touch["exch_ns"], START + np.asarray(times) * NS_PER_SECOND, "right") - 1
    return (touch["bid_ticks"][at] + touch["ask_ticks"][at]) / 2


@pytest.mark.interpreted
def test_until_its_first_phase_a_session_is_the_one_without():
    plain, _ = generate_market(5, 8.0, settings=FLAT)
    phased, _ = generate_market(5, 8.0, settings=FLAT, phases=[Phase(at_s=4.0, volatility_ticks=9.0)])
    assert phased[seconds(phased) < 4].tobytes() == plain[seconds(plain) < 4].tobytes()
    assert phased.tobytes() != plain.tobytes()


@pytest.mark.interpreted
def test_a_drift_moves_the_price_and_a_jump_of_the_news_at_once():
    rising, _ = generate_market(5, 60.0, settings=FLAT, phases=[Phase(at_s=10.0, drift_ticks=1.0, informed_share=1.0)])
    assert mid_at(rising, 60.0) - mid_at(rising, 10.0) == pytest.approx(50, abs=20)
    jumping, _ = generate_market(5, 50.0, settings=FLAT, phases=[Phase(at_s=10.0, news_ticks=-60.0)])
    assert mid_at(jumping, 50.0) - mid_at(jumping, 10.0) == pytest.approx(-60, abs=15)


@pytest.mark.interpreted
def test_a_crowd_trades_on_one_side_only():
    events, _ = generate_market(5, 30.0, settings=FLAT, phases=[Phase(at_s=0.0, crowd=-1.0, informed_share=0.0)])
    prints = events[(events["kind"] == Kind.TRADE) & (seconds(events) > 5)]
    assert len(prints) > 10
    assert (prints["side"] == -1).all()


@pytest.mark.interpreted
def test_nobody_trades_in_a_halt_but_the_book_moves():
    phases = [Phase(at_s=5.0, news_ticks=-60.0, status=Status.HALT), Phase(at_s=25.0, status=Status.OPEN)]
    events, _ = generate_market(5, 40.0, settings=FLAT, phases=phases)
    said = events[events["kind"] == Kind.STATUS]
    assert said["lots"].tolist() == [Status.OPEN, Status.HALT, Status.OPEN]
    halted = events[(events["exch_ns"] > said["exch_ns"][1]) & (events["exch_ns"] < said["exch_ns"][2])]
    assert Kind.TRADE not in halted["kind"]
    assert len(halted) > 50
    assert mid_at(events, 24.9) - mid_at(events, 5.0) == pytest.approx(-60, abs=15)
    assert Kind.TRADE in events["kind"][events["exch_ns"] > said["exch_ns"][2]]


@pytest.mark.interpreted
def test_without_the_curve_the_opening_is_no_busier_than_noon():
    shares = []
    for settings in (FlowSettings(), FLAT):
        events, _ = generate_market(5, 60.0, settings=settings)
        counts = np.histogram(seconds(events), bins=3, range=(0, 60))[0]
        shares.append(counts[1] / counts.mean())
    assert shares[0] < 0.85 < shares[1]


@pytest.mark.interpreted
def test_phases_come_in_order_of_time():
    with pytest.raises(InputError, match="a phase begins at 2 s or 3 s; allowed: in order of time, up to 5 s"):
        generate_market(5, 5.0, phases=[Phase(at_s=3.0), Phase(at_s=2.0)])
    with pytest.raises(ValueError, match="status is AUCTION; allowed: OPEN and HALT"):
        Phase(at_s=0.0, status=Status.AUCTION)


@pytest.mark.interpreted
def test_hearts_beat_between_messages_and_say_what_the_venue_said_last():
    phases = [Phase(at_s=2.5, status=Status.HALT)]
    plain, _ = generate_market(5, 6.0, settings=FLAT, phases=phases)
    events = with_heartbeats(plain, NS_PER_SECOND)
    assert (np.diff(events["exch_ns"]) >= 0).all()
    assert (np.diff(events["local_ns"]) >= 0).all()
    beats = events[(events["kind"] == Kind.STATUS) & (events["exch_ns"] % NS_PER_SECOND == 0) & (seconds(events) > 0)]
    assert [round(at) for at in seconds(beats)] == [1, 2, 3, 4, 5]
    assert beats["lots"].tolist() == [Status.OPEN] * 2 + [Status.HALT] * 3
    before = events[np.flatnonzero(np.isin(events["exch_ns"], beats["exch_ns"])) - 1]
    assert (before["flags"] & Flag.LAST_OF_MESSAGE != 0).all(), "a message is never cut in two"
    assert np.delete(events, np.flatnonzero(np.isin(events["exch_ns"], beats["exch_ns"]))).tobytes() == plain.tobytes()
    with pytest.raises(InputError, match="every_ns is 0; allowed: more than 0"):
        with_heartbeats(plain, 0)


@pytest.mark.interpreted
def test_what_is_silenced_comes_at_the_end_and_the_exchange_does_not_notice():
    events, _ = generate_market(5, 6.0, settings=FLAT)
    quiet = silenced(events, START + 2 * NS_PER_SECOND, START + 4 * NS_PER_SECOND)
    late = quiet["local_ns"] != events["local_ns"]
    assert late.sum() > 20
    assert (quiet["local_ns"][late] == START + 4 * NS_PER_SECOND).all()
    assert (np.diff(quiet["local_ns"]) >= 0).all()
    for name in set(events.dtype.names) - {"local_ns"}:
        assert np.array_equal(quiet[name], events[name])


@pytest.mark.interpreted
def test_a_slow_feed_is_late_in_proportion_and_in_order():
    events, _ = generate_market(5, 3.0, settings=FLAT)
    late = slowed(events, 50)
    asked = 50 * (events["local_ns"] - events["exch_ns"])
    assert (late["local_ns"] - late["exch_ns"] >= asked).all()
    assert np.mean(late["local_ns"] - late["exch_ns"] == asked) > 0.1
    assert (np.diff(late["local_ns"]) >= 0).all()
    with pytest.raises(InputError, match=r"factor is 0\.5; allowed: 1 or more"):
        slowed(events, 0.5)
