"""Price limits in a replay: an order beyond them is refused with the reason; strategies know them as late as the feed is."""

import numpy as np
import pytest
from scene import INSTRUMENT, MS, T0, Scene, actions, fills, play

from twosided.engines.replay import replay
from twosided.market.event import Kind, Status
from twosided.market.price_bands import with_price_bands
from twosided.strategies.contract import Wake, strategy

pytestmark = pytest.mark.interpreted

FAR = (1 << 31) - 1


def limit(scene, ms, side, ticks):
    """Tell that nobody buys above (side +1) or sells below (-1) *ticks*; 0 lifts the limit."""
    return scene._add(ms, Kind.BAND, side, ticks, 1 if ticks else 0)


@pytest.mark.parametrize(
    ("side", "ticks", "bound", "refused"),
    [(1, 100, 100, False), (1, 100, 99, True), (-1, 102, 102, False), (-1, 102, 103, True)],
)
def test_an_order_beyond_the_limit_of_its_side_is_refused(side, ticks, bound, refused):
    scene = limit(Scene(), 1, side, bound)
    limit(scene, 1, -side, 90 if side < 0 else 110)  # the other side's own limit is no matter of this order
    run = play(scene.quiet(20), {2: [(side, 0, ticks, 5)]})
    assert (("REJECTED", "OUTSIDE_BAND") in actions(run)) == refused
    assert (("ACCEPTED", "NONE") in actions(run)) == (not refused)


def test_a_limit_that_is_lifted_refuses_nothing():
    scene = limit(limit(Scene(), 1, 1, 99), 5, 1, 0)
    assert actions(play(scene.quiet(20), {6: [(1, 0, 100, 5)]}), "ACCEPTED", "REJECTED") == [("ACCEPTED", "NONE")]


def test_an_order_that_moves_beyond_the_limit_stays_where_it_is():
    scene = limit(Scene(), 1, 1, 99)
    run = play(scene.quiet(20), {2: [(1, 0, 98, 5)], 10: [(1, 0, 100, 5)]})
    assert ("CANCEL_REJECTED", "OUTSIDE_BAND") in actions(run)


def test_a_strategy_sees_the_limits_when_the_feed_brings_them():
    seen = []

    @strategy(signals=("band_low_ticks", "band_high_ticks"), wake=Wake.BOOK, compiled=False)
    def watcher(ctx):
        seen.append(((ctx.now_ns - T0) / MS, ctx.signals.band_low_ticks[0], ctx.signals.band_high_ticks[0]))

    scene = limit(limit(limit(Scene(), 5, -1, 95), 8, 1, 105), 12, -1, 0)
    replay(scene.quiet(20).events(), watcher, instruments=INSTRUMENT, start_ns=T0)
    assert seen[-3:] == [(6, 95, FAR), (9, 95, 105), (13, 0, 105)]
    assert seen[0][1:] == (0, FAR)


def test_a_pause_that_the_rule_declares_stops_trading_and_ends():
    hour = 3600 * 1000
    noon = Scene(bid=9990, ask=10010)  # the scene's clock begins at 22:13 UTC: in New York the session is over
    shift = (-(T0 // MS) % (24 * hour)) + 17 * hour  # to noon of the next day there
    scene = noon.trade(1000, 1, 10000, 1).depth(2000, -1, 9500, 5).depth(2000, 1, 9990, 0).depth(2000, 1, 9400, 5)
    scene.depth(400_000, -1, 9501, 5, half=True).depth(400_000, -1, 9500, 0).quiet(400_100)
    events = scene.events()
    for name in ("exch_ns", "local_ns"):
        events[name] += shift * MS
    both = with_price_bands(events, INSTRUMENT, "luld-tier1", previous_close="100")
    status = both[both["kind"] == Kind.STATUS]
    assert status["lots"].tolist() == [Status.HALT, Status.OPEN]
    assert np.diff(status["exch_ns"]).tolist() == [300 * 1_000_000_000]

    @strategy(every_ns=1_000_000_000, compiled=False)
    def always(ctx):
        quote = ctx.quotes[0, 0, 0]
        quote.ticks, quote.lots = 9300, 1

    run = replay(both, always, instruments=INSTRUMENT)
    sent = [ns for ns, action in run.orders.select("ns", "action").rows() if action == 1]
    halt, reopened = status["local_ns"].tolist()
    assert all(not halt < ns < reopened for ns in sent)
    assert fills(run) == []
