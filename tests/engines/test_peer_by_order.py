"""Order by order, every order fills when hftbacktest's does, to the nanosecond, unless a rule of ours says why not.

One order at a time joins the best price, waits two seconds and is cancelled, so that no difference has consequences for the next.
Equal settings: exact queues, no partial fills, post-only, 1 ms to the venue and back, every event a message of its own, which is
how the peer takes them. docs/decisions/0002-agreement-with-hftbacktest.md lists the rules.
"""

import os
from typing import NamedTuple

import numpy as np
import pytest
from scene import OrderScene

from twosided.engines.flow import generate_market
from twosided.engines.replay import replay
from twosided.engines.settings import Orders, ReplaySettings
from twosided.market.event import Flag, Kind
from twosided.market.instrument import Instrument
from twosided.market.order import FillCause
from twosided.strategies.contract import Param, quote_ask, quote_bid, strategy

try:
    from _peer import converted_by_order, run_peer_probes
except ImportError as error:
    if os.environ.get("CI"):
        raise
    pytest.skip(f"the peer is not installed ({error})", allow_module_level=True)

STEPS, EVERY_NS = 20, 100_000_000


@strategy(
    side=Param(1), steps=Param(STEPS), every_ns=EVERY_NS, memory={"step": "i8", "ticks": "i8", "position": "i8", "done": "i8"}
)
def probe(ctx):
    """Join the best price with one lot, leave it there, cancel it, and so on; a filled order is not renewed."""
    memory, params, market = ctx.memory, ctx.params, ctx.market[0]
    if memory.step == 0:
        memory.ticks = market.bid_ticks if params.side > 0 else market.ask_ticks
        memory.position, memory.done = market.position_lots, 0
    if market.position_lots != memory.position or memory.step >= params.steps - 1:
        memory.done = 1
    lots = 1.0 if memory.done == 0 else 0.0
    if params.side > 0:
        quote_bid(ctx, 0, 0, float(memory.ticks), lots)
    else:
        quote_ask(ctx, 0, 0, float(memory.ticks), lots)
    memory.step = memory.step + 1 if memory.step < params.steps else 0


class Outcome(NamedTuple):
    """When each order filled, 0 for not at all, here and there, and why it did here."""

    ours: np.ndarray
    theirs: np.ndarray
    cause: np.ndarray


def outcome(events, instrument, side, *, moves=False, steps=STEPS):
    events = events.copy()
    events["flags"] |= np.uint8(Flag.LAST_OF_MESSAGE)
    rows = converted_by_order(events, instrument, moves=moves)
    prices = rows["px"][rows["px"] > 0]
    price_range = (float(prices.min()) - 1, float(prices.max()) + 1)
    log = run_peer_probes(
        rows, instrument, price_range=price_range, side=side, quantity=1.0, steps=steps, every_ns=EVERY_NS, most=len(events)
    )
    settings = ReplaySettings(partial_fills=False, orders=Orders(replace=False))
    asked = probe.with_params({"side": side, "steps": steps})
    run = replay(events, asked, instruments=instrument, settings=settings, start_ns=int(events["exch_ns"][0]))
    sent = log[:, 0]
    assert np.isin(sent, run.decisions["ns"].to_numpy()).all()
    ours, cause = np.zeros((2, len(log)), np.int64)
    at = np.searchsorted(sent, run.fills["exch_ns"].to_numpy(), side="right") - 1
    ours[at], cause[at] = run.fills["exch_ns"].to_numpy(), run.fills["cause"].to_numpy()
    return Outcome(ours, log[:, 1], cause)


@pytest.mark.parametrize("side", [1, -1])
def test_every_order_fills_when_the_peers_does_unless_a_trade_at_a_worse_price_passed_it(side):
    """The peer looks for own orders in the filled order's queue only: a trade at a worse price passes its better orders by."""
    events, instrument = generate_market(seed=1, seconds=5_000, by_order=True)
    found = outcome(events, instrument, side)
    same = found.ours == found.theirs
    passed = ~same
    assert set(found.cause[passed]) == {FillCause.TRADE_THROUGH}
    assert (found.ours[passed] > 0).all()  # never an order that fills there and not here
    later_there = found.theirs[passed] > 0
    assert (found.theirs[passed][later_there] > found.ours[passed][later_there]).all()
    # what agrees is not just what never fills
    assert same.sum() > 2_000
    for cause in (FillCause.TRADE_AT_PRICE, FillCause.BOOK_CROSSED):
        assert (found.cause[same] == cause).sum() > 20
        assert not (found.cause[passed] == cause).any()


SCENE_INSTRUMENT = Instrument(symbol="SCENE", tick_size="0.01", lot_size="1")


@pytest.mark.parametrize("moves", [True, False])
def test_an_order_that_moves_away_and_back_stands_behind_ours(moves):
    """Told as a MODIFY or as CANCEL and ADD: it loses its place, and the next trade with it would have been ours first."""
    scene = OrderScene(bid=100, ask=105, lots=10).quiet(90)
    scene.modify(300, 1, 1, 98, 10).modify(400, 1, 1, 100, 10).fill(500, 1, 1, 100, 2)
    events = scene.quiet(5_000).events()
    found = outcome(events, SCENE_INSTRUMENT, 1, moves=moves)
    assert found.ours[0] == found.theirs[0] == events["exch_ns"][events["kind"] == Kind.FILL][0]


def test_a_trade_below_our_bid_fills_it_here_and_passes_it_by_at_the_peer():
    """The others at our price have left, so ours is the best bid of all: a seller who trades two ticks lower met it first."""
    scene = OrderScene(bid=100, ask=105, lots=10).quiet(90)
    scene.add(300, 4, 1, 98, 5).cancel(400, 1).fill(500, 4, 1, 98, 2)
    events = scene.quiet(5_000).events()
    found = outcome(events, SCENE_INSTRUMENT, 1)
    assert found.cause[0] == FillCause.TRADE_THROUGH
    assert found.theirs[0] == 0
