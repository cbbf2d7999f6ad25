"""Limits and pauses as events: when they come, how late they are known, and that nothing else is touched."""

from datetime import UTC, datetime

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.market.event import EVENT, Flag, Kind, Status
from twosided.market.instrument import Instrument
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.limit_up_down import Phase
from twosided.market.price_bands import price_bands, with_price_bands

pytestmark = pytest.mark.interpreted

S = 1_000_000_000
NOON = int(datetime(2024, 3, 5, 17, 0, tzinfo=UTC).timestamp()) * S  # in New York
CENT = Instrument(symbol="X", tick_size="0.01", lot_size=1)
LAST = int(Flag.LAST_OF_MESSAGE)


def market(*told, feed_ms=2):
    """Build events from (seconds after noon, kind, side, ticks, lots), each a message, known after *feed_ms*."""
    events = np.zeros(len(told), EVENT)
    for i, (seconds, kind, side, ticks, lots) in enumerate(told):
        ns = NOON + round(seconds * 1000) * 1_000_000
        events[i] = (ns, ns + feed_ms * 1_000_000, i, lots, ticks, kind, LAST, side, 0)
    return events


CRASH = market(
    (0, Kind.DEPTH, 1, 9990, 5),
    (0.1, Kind.DEPTH, -1, 10010, 5),
    (1, Kind.TRADE, 1, 10000, 1),
    (2, Kind.DEPTH, 1, 9990, 0),
    (3, Kind.DEPTH, -1, 9500, 5),  # sellers at the lower band
    (40, Kind.DEPTH, -1, 9400, 5),
    (400, Kind.TRADE, -1, 9400, 1),
)


def seconds(lines, name="exch_ns"):
    return ((lines[name] - NOON) / S).tolist()


def test_what_holds_when():
    found = price_bands(CRASH, CENT, "luld-tier1", previous_close="100")
    changes = found.changes
    assert seconds(changes) == [0, 1, 3, 18, 318, 400]
    assert seconds(changes, "local_ns") == [0.002, 1.002, 3.002, 18.002, 318.002, 400.002]
    assert changes["phase"].tolist() == [Phase.NORMAL, Phase.NORMAL, Phase.LIMIT_DOWN, Phase.PAUSED, Phase.NORMAL, Phase.NORMAL]
    bands = list(zip(changes["low_ticks"].tolist(), changes["high_ticks"].tolist(), strict=True))
    assert bands == [(NO_BID, NO_ASK)] + [(9500, 10500)] * 3 + [(NO_BID, NO_ASK), (8930, 9870)]
    assert (found.triggers, found.refused) == (1, 0)


def test_limits_and_pauses_stand_among_the_events_which_stay_as_they_are():
    both = with_price_bands(CRASH, CENT, "luld-tier1", previous_close="100")
    added = both[np.isin(both["kind"], (Kind.BAND, Kind.STATUS))]
    told = [
        (float(at), Kind(int(e["kind"])).name, int(e["side"]), int(e["ticks"]), int(e["lots"]))
        for at, e in zip(seconds(added), added, strict=True)
    ]
    assert told == [
        (1, "BAND", -1, 9500, 1),
        (1, "BAND", 1, 10500, 1),
        (18, "STATUS", 0, 0, Status.HALT),
        (318, "BAND", -1, 0, 0),
        (318, "BAND", 1, 0, 0),
        (318, "STATUS", 0, 0, Status.OPEN),
        (400, "BAND", -1, 8930, 1),
        (400, "BAND", 1, 9870, 1),
    ]
    assert added["flags"].tolist() == [0, LAST, LAST, 0, 0, LAST, 0, LAST]
    assert np.array_equal(both[~np.isin(both["kind"], (Kind.BAND, Kind.STATUS))], CRASH)
    assert (np.diff(both["local_ns"]) >= 0).all()


def test_a_volatility_control_counts_the_trades_that_it_would_have_refused():
    hong_kong = int(datetime(2024, 10, 8, 2, 0, tzinfo=UTC).timestamp()) * S - NOON  # ten in the morning
    events = market(
        (0, Kind.TRADE, 1, 1000, 1),
        (299, Kind.TRADE, 1, 1050, 1),
        (300, Kind.TRADE, -1, 890, 1),
        (301, Kind.TRADE, -1, 895, 1),
        (700, Kind.TRADE, 1, 950, 1),
    )
    for name in ("exch_ns", "local_ns"):
        events[name] += hong_kong
    found = price_bands(events, CENT, "hkex-vcm-large")
    assert (found.refused, found.triggers) == (2, 1)
    assert [tuple(line)[2:] for line in found.changes.tolist()] == [(900, 1100, 1), (945, 1155, 0)]
    both = with_price_bands(events, CENT, "hkex-vcm-large")
    assert set(both["kind"].tolist()) == {Kind.TRADE, Kind.BAND}  # not a halt
    low, high = price_bands(events, CENT, "hkex-vcm-large", previous_close="10").changes[["low_ticks", "high_ticks"]][0]
    assert (low, high) == (900, 1100)


def test_arrays_grow_with_a_busy_day_and_several_markets_are_apart():
    rng = np.random.default_rng(5)
    prices = 10000 + np.cumsum(rng.integers(-80, 81, 3000))
    told = [(i * 0.05, Kind.TRADE, 1, int(price), 1) for i, price in enumerate(prices)]
    events = market(*told)
    other = events.copy()
    other["market"], other["ticks"] = 1, 77
    both = np.concatenate([events, other])
    both = both[np.argsort(both["local_ns"], kind="stable")]
    alone, together = (price_bands(each, CENT, "luld-tier1", previous_close="100") for each in (events, both))
    assert len(alone.changes) > 2
    assert np.array_equal(alone.changes, together.changes)
    assert alone.refused == together.refused > 0
    assert len(price_bands(both, CENT, "luld-tier1", previous_close="1", market=1).changes) == 1
    assert len(price_bands(events, CENT, "luld-tier1", previous_close="100", market=3).changes) == 0


def test_limit_up_down_wants_to_know_yesterday_s_close():
    with pytest.raises(InputError, match=r"rule luld-tier1 needs previous_close: how wide its bands are depends on it"):
        price_bands(CRASH, CENT, "luld-tier1")
