"""With equal settings every position and every fill is hftbacktest's; where the two differ, a rule of ours says why.

Equal settings: a probabilistic queue model, no partial fills, post-only orders that are cancelled and sent anew, 1 ms to the venue
and 1 ms back, a decision every 100 ms. docs/decisions/0002-agreement-with-hftbacktest.md lists the rules.
"""

import os
from bisect import bisect_left

import numpy as np
import pytest
from scene import Scene

from _quoter import PARAMS, quoter
from feeds import INSTRUMENT, PRICE_RANGE, generate
from twosided.engines.replay import replay
from twosided.engines.settings import Orders, ReplaySettings
from twosided.market.event import Flag
from twosided.market.instrument import Instrument
from twosided.market.order import FillCause

try:
    from _peer import converted, run_peer
except ImportError as error:
    if os.environ.get("CI"):
        raise
    pytest.skip(f"the peer is not installed ({error})", allow_module_level=True)

SCENE_INSTRUMENT = Instrument(symbol="SCENE", tick_size="0.01", lot_size="1", fees=INSTRUMENT.fees)
SCENE_PARAMS = {**PARAMS, "quantity": 10.0, "skew_ticks": 0.0}


def ours(events, queue, instrument=INSTRUMENT, params=PARAMS):
    """Replay *events* with the peer's settings."""
    settings = ReplaySettings(queue=queue, partial_fills=False, orders=Orders(replace=False))
    start_ns = int(events["exch_ns"][0])  # the peer's clock starts there
    return replay(events, quoter.with_params(params), instruments=instrument, settings=settings, start_ns=start_ns)


def theirs(events, queue, instrument=INSTRUMENT, params=PARAMS, price_range=PRICE_RANGE):
    """Run the peer on *events*."""
    kind, _, exponent = queue.partition(":")
    rows = converted(events, instrument)
    return run_peer(
        rows, instrument, params, price_range=price_range, queue=kind, exponent=float(exponent or 0), decisions=len(events)
    )


def one_by_one(events):
    """Return *events*, each a message of its own, which is how the peer takes them."""
    single = events.copy()
    single["flags"] |= np.uint8(Flag.LAST_OF_MESSAGE)
    return single


def fills_known(run):
    """Return how many fills had been reported at each decision."""
    return np.searchsorted(np.sort(run.fills["local_ns"].to_numpy()), run.decisions["ns"].to_numpy(), side="right")


def assert_same(run, peer, instrument=INSTRUMENT):
    assert run.decisions["ns"].to_list() == peer.decision_ns.tolist()
    assert run.decisions["position_lots"].to_list() == peer.position_lots.tolist()
    assert fills_known(run).tolist() == peer.trades.tolist()
    (closing,) = run.facts["closing"]
    assert instrument.quantity(closing["volume_lots"]) == pytest.approx(peer.volume, rel=1e-12)
    assert instrument.money(closing["fees"]) == pytest.approx(peer.fees, rel=1e-9)
    assert instrument.money(closing["cash"]) == pytest.approx(peer.cash, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("queue", ["power:1", "power:2", "power:3"])
def test_position_and_trades_agree_at_every_decision_and_money_at_the_end(queue):
    for seed in (1, 2, 3):
        events = one_by_one(generate(60_000, seed))
        run, peer = ours(events, queue), theirs(events, queue)
        assert_same(run, peer)
        assert len(run.decisions) > 350
        counts = run.fills["cause"].value_counts()
        assert dict(counts.rows()).keys() == {FillCause.TRADE_AT_PRICE, FillCause.TRADE_THROUGH, FillCause.BOOK_CROSSED}
        assert counts["count"].min() > 30  # every rule by which a resting order fills was used, not just once


def test_a_crossed_book_fills_the_peers_orders_and_none_of_ours():
    """A message that passes through a crossed state is not looked at before its end; and a book that stays crossed is no market."""
    scene = Scene(bid=100, ask=102, lots=500)
    scene.quiet(150)
    scene.depth(300, -1, 100, 7, half=True)  # our bid rests at 100: crossed, but only until ...
    scene.depth(300, -1, 100, 0)  # ... the end of the same message
    events = scene.quiet(600).events()
    peer = played_by_peer(events, "power:2")
    assert peer.trades.tolist() == [0, 0, 0, 1, 1, 1]
    for each in (events, one_by_one(events)):
        assert fills_known(played(each, "power:2")).tolist() == [0] * 6


def played(events, queue):
    return ours(events, queue, SCENE_INSTRUMENT, SCENE_PARAMS)


def played_by_peer(events, queue):
    return theirs(events, queue, SCENE_INSTRUMENT, SCENE_PARAMS, price_range=(0.01, 10.0))


def cancelled_behind(left, traded):
    """Our bid joins 100 lots at 100, 300 join behind it, cancels leave *left* of the 400, then *traded* lots are sold into it."""
    scene = Scene(bid=100, ask=102, lots=100)
    scene.depth(200, 1, 100, 400)
    scene.depth(300, 1, 100, left)
    scene.trade(400, -1, 100, traded, half=True)
    scene.depth(400, 1, 100, left - traded)
    return scene.quiet(700).events()


@pytest.mark.parametrize("queue", ["log", "power:1", "power:2", "power:3"])
@pytest.mark.parametrize("left", [350, 300])
def test_a_cancel_moves_an_order_up_its_queue_by_as_much_as_at_the_peer(queue, left):
    """The smallest trade that fills says where in its queue an order stands, to the lot."""
    trades = range(1, 101)
    smallest = trades[bisect_left(trades, True, key=lambda lots: len(played(cancelled_behind(left, lots), queue).fills) > 0)]
    assert 1 < smallest < 100
    for lots in (smallest - 1, smallest):
        events = cancelled_behind(left, lots)
        run, peer = played(events, queue), played_by_peer(events, queue)
        assert_same(run, peer, SCENE_INSTRUMENT)
        assert peer.trades[-1] == (lots == smallest)


def test_an_order_at_the_front_stays_there_whereas_the_peer_may_send_it_to_the_back():
    """The peer's estimate of what is ahead may fall below zero; the logarithm of that is not a number, and its order starts anew.

    400 lots, of which 100 ahead of ours, fall to 60: the estimate is less than nothing ahead, so we are first. The next cancel
    cannot change that. A trade of one lot then fills our order; the peer's order waits behind the 50 that are left.
    """
    scene = Scene(bid=100, ask=102, lots=100)
    scene.depth(200, 1, 100, 400)
    scene.depth(300, 1, 100, 60)
    scene.depth(320, 1, 100, 50)
    scene.trade(400, -1, 100, 1, half=True)
    events = scene.depth(400, 1, 100, 49).quiet(700).events()
    run, peer = played(events, "log"), played_by_peer(events, "log")
    assert run.fills["cause"].to_list() == [FillCause.TRADE_AT_PRICE]
    assert peer.trades.tolist()[-1] == 0
    assert_same(played(events, "power:2"), played_by_peer(events, "power:2"), SCENE_INSTRUMENT)  # squares know no such trouble
