"""Order by order nothing is guessed: our order stands at its exact place, and fills when the recording says that it would have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import MS, T0, OrderScene, Scene, causes, fills, play

from twosided.market.event import EVENT, Flag, Kind, Status

pytestmark = pytest.mark.interpreted

BID_10 = {2: [(1, 0, 100, 10)]}
"""From 2 ms on, bid 10 lots at 100: at the exchange at 3 ms, behind order 1 with its 10 lots, before whoever comes later."""


def test_the_fill_of_an_order_behind_ours_would_have_been_ours():
    scene = OrderScene().add(5, 3, 1, 100, 8).fill(10, 3, 1, 100, 4).quiet(20)
    run = play(scene, BID_10)
    assert fills(run) == [(10, 1, 100, 4)]
    assert causes(run) == ["TRADE_AT_PRICE"]


def test_the_fill_of_an_order_in_front_of_ours_is_not_ours():
    assert fills(play(OrderScene().fill(10, 1, 1, 100, 10).quiet(20), BID_10)) == []


def test_an_order_of_the_same_instant_that_came_first_stands_in_front():
    scene = OrderScene().add(3, 3, 1, 100, 5).fill(10, 3, 1, 100, 5).quiet(20)
    assert fills(play(scene, BID_10)) == []


def test_an_order_that_loses_its_place_goes_behind_ours():
    larger = OrderScene().modify(5, 1, 1, 100, 11).fill(10, 1, 1, 100, 6).quiet(20)
    assert fills(play(larger, BID_10)) == [(10, 1, 100, 6)]
    away_and_back = OrderScene().modify(5, 1, 1, 99, 10).modify(6, 1, 1, 100, 10).fill(10, 1, 1, 100, 6).quiet(20)
    assert fills(play(away_and_back, BID_10)) == [(10, 1, 100, 6)]


def test_an_order_that_becomes_smaller_keeps_its_place_in_front_of_ours():
    scene = OrderScene().modify(5, 1, 1, 100, 9).cancel(6, 1, 2).fill(10, 1, 1, 100, 6).quiet(20)
    assert fills(play(scene, BID_10)) == []


def test_a_fill_at_a_worse_price_has_passed_ours():
    scene = OrderScene().add(5, 3, 1, 99, 8).fill(10, 3, 1, 99, 4).quiet(20)
    run = play(scene, BID_10)
    assert fills(run) == [(10, 1, 100, 4)]
    assert causes(run) == ["TRADE_THROUGH"]


def test_the_fill_of_an_order_that_nobody_added_was_there_before_us():
    at_our_price = OrderScene()._add(10, Kind.FILL, 1, 100, 5, order_id=77).quiet(20)
    assert fills(play(at_our_price, BID_10)) == []
    beyond = OrderScene()._add(10, Kind.FILL, 1, 99, 5, order_id=77).quiet(20)
    assert fills(play(beyond, BID_10)) == [(10, 1, 100, 5)]


@pytest.mark.parametrize("kind", [Scene, OrderScene])
def test_a_trade_with_a_hidden_order_fills_ours_only_beyond_its_price(kind):
    assert fills(play(kind().hidden(10, -1, 100, 50).quiet(20), BID_10)) == []
    assert fills(play(kind().hidden(10, -1, 99, 5).quiet(20), BID_10)) == [(10, 1, 100, 5)]
    assert fills(play(kind().hidden(10, 0, 99, 5).quiet(20), BID_10)) == [(10, 1, 100, 5)]


def test_a_trade_with_a_displayed_order_counts_once_though_it_is_told_twice():
    scene = OrderScene().add(5, 3, 1, 99, 8).fill(10, 3, 1, 99, 8).quiet(20)
    run = play(scene, {2: [(1, 0, 100, 20)]})
    assert fills(run) == [(10, 1, 100, 8)]
    assert run.facts["market_volume_lots"] == [8]


def test_the_fill_of_the_aggressors_own_order_is_nobodys_to_take():
    """An ask in the book moves down to meet a bid (CME tells it as trade, fill of the bid, fill of the ask): we sold nothing."""
    scene = OrderScene(bid=100, ask=102).add(5, 3, -1, 104, 4)
    scene._add(10, Kind.TRADE, -1, 100, 4, half=True)
    scene._add(10, Kind.FILL, 1, 100, 4, half=True, order_id=1)
    scene._add(10, Kind.FILL, -1, 100, 4, order_id=3).quiet(20)
    assert fills(play(scene, {2: [(-1, 0, 102, 10)]})) == []


def test_several_fills_of_one_sweep_are_spent_one_after_the_other():
    scene = OrderScene().add(5, 3, 1, 100, 4).add(5, 4, 1, 99, 9)
    scene.fill(10, 1, 1, 100, 10, half=True).fill(10, 3, 1, 100, 4, half=True).fill(10, 4, 1, 99, 9).quiet(20)
    run = play(scene, BID_10)
    assert fills(run) == [(10, 1, 100, 4), (10, 1, 100, 6)]
    assert causes(run) == ["TRADE_AT_PRICE", "TRADE_THROUGH"]


def test_an_order_that_arrives_at_our_price_from_the_other_side_fills_us_once():
    scene = OrderScene().cancel(5, 1).quiet(6).add(10, 3, -1, 100, 4).cancel(11, 2).quiet(20)
    run = play(scene, {2: [(1, 0, 100, 10)], 15: [(1, 0, 100, 10)]})
    assert fills(run) == [(10, 1, 100, 4)]
    assert causes(run) == ["BOOK_CROSSED"]


def test_what_we_took_of_a_level_comes_back_only_when_the_level_was_empty():
    """A cancel at the level is no new display; a level that has gone and come again is."""
    once = OrderScene().cancel(5, 1).quiet(6).add(10, 3, -1, 100, 4).add(11, 5, -1, 104, 1).cancel(12, 3, 1).quiet(20)
    assert fills(play(once, {2: [(1, 0, 100, 10)]})) == [(10, 1, 100, 4)]
    again = OrderScene().cancel(5, 1).quiet(6).add(10, 3, -1, 100, 4).cancel(11, 3).add(12, 4, -1, 100, 2).quiet(20)
    assert fills(play(again, {2: [(1, 0, 100, 10)]})) == [(10, 1, 100, 4), (12, 1, 100, 2)]


@pytest.mark.parametrize("status", [Status.HALT, Status.AUCTION, Status.CLOSED])
def test_nothing_fills_while_the_market_is_not_open(status):
    scene = OrderScene().add(5, 3, 1, 100, 8).status(8, status).fill(8.2, 3, 1, 100, 4).status(8.4, Status.OPEN)
    assert fills(play(scene.fill(8.6, 3, 1, 100, 3).quiet(20), BID_10)) == [(8.6, 1, 100, 3)]


@pytest.mark.parametrize("kind", [Scene, OrderScene])
def test_nothing_fills_while_the_book_is_crossed_and_nobody_is_asked(kind):
    """Before an opening auction bids stand above asks; when they have met, trading begins."""
    scene = kind()
    if kind is Scene:
        scene.depth(10, 1, 103, 5).trade(11, -1, 99, 4).depth(20, 1, 103, 0).quiet(30)
    else:
        scene.add(10, 3, 1, 103, 5).hidden(11, -1, 99, 4).cancel(20, 3).quiet(30)
    run = play(scene, BID_10)
    assert fills(run) == []
    asked = (run.decisions["ns"].to_numpy() - T0) / MS
    assert not ((asked > 11) & (asked < 21)).any()
    assert ((asked > 21) & (asked < 30)).any()


def test_the_book_is_crossed_until_the_end_of_a_message():
    scene = OrderScene().add(10, 3, 1, 103, 5, half=True).fill(10, 2, -1, 102, 5, half=True).cancel(10, 3).quiet(20)
    assert fills(play(scene, {2: [(-1, 0, 102, 3)]})) == []  # order 2 was in front of ours


def test_a_snapshot_in_the_middle_puts_everybody_in_front_of_us():
    scene = OrderScene().mark(5, Kind.SNAPSHOT_BEGIN, half=True)
    scene.add(5, 3, 1, 100, 6, half=True).add(5, 2, -1, 102, 10, half=True).mark(5, Kind.SNAPSHOT_END)
    scene.add(7, 4, 1, 100, 9).fill(10, 3, 1, 100, 6).fill(11, 4, 1, 100, 2).quiet(20)
    assert fills(play(scene, BID_10)) == [(11, 1, 100, 2)]


# ---------------------------------------------------------------- against a queue in which our order really stands


class Queue:
    """The orders at one price, ours among them; ours is not in the recording, so it stands there and moves nobody."""

    def __init__(self, ours):
        self.orders, self.left, self.fills = [], ours, []

    def place(self, order_id):
        return next((i for i, order in enumerate(self.orders) if order[0] == order_id), None)

    def join_ours(self):
        self.orders.append(["ours", self.left])

    def event(self, now, kind, order_id, lots):
        at = self.place(order_id)
        if kind == Kind.ADD:
            if at is not None:
                del self.orders[at]
            self.orders.append([order_id, lots])
        elif at is None:
            if kind == Kind.MODIFY:
                self.orders.append([order_id, lots])
        elif kind == Kind.MODIFY:
            if lots <= self.orders[at][1]:
                self.orders[at][1] = lots
            else:
                del self.orders[at]
                self.orders.append([order_id, lots])
        else:
            us = self.place("ours")
            if kind == Kind.FILL and us is not None and us < at and self.left:
                done = min(self.left, lots)
                self.left -= done
                self.fills.append((now, 1, 100, done))
            if lots == 0 or lots >= self.orders[at][1]:
                del self.orders[at]
            else:
                self.orders[at][1] -= lots


STEP = st.tuples(st.sampled_from([Kind.ADD, Kind.ADD, Kind.MODIFY, Kind.CANCEL, Kind.FILL]), st.integers(10, 15), st.integers(1, 5))


@given(st.lists(STEP, max_size=12), st.lists(STEP, min_size=1, max_size=30), st.booleans())
def test_fills_are_those_of_an_order_that_really_stands_in_the_queue(before, after, two_books):
    ours = 6
    queue, rows = Queue(ours), OrderScene().rows
    queue.orders.append([1, 10])
    for steps, start in ((before, 0.01), (after, 4.0)):
        for i, (kind, order_id, lots) in enumerate(steps):
            now = start + i * 0.1
            queue.event(now, kind, order_id, lots)
            exch = T0 + round(now * MS)
            rows.append((exch, exch + MS, order_id, lots, 100, kind, Flag.LAST_OF_MESSAGE, 1, 0))
        if steps is before:
            queue.join_ours()
    rows.append((T0 + 9 * MS, T0 + 10 * MS, 999, 1, 1, Kind.ADD, Flag.LAST_OF_MESSAGE, 1, 0))
    events = np.array(rows, EVENT)
    if two_books:  # two messages that our clock sees in the other order: then each clock has a book of its own
        late = np.array([(T0 + 8 * MS, T0 + 11 * MS, 998, 1, 1, *events[-1].tolist()[5:])], EVENT)
        events = np.concatenate([events, late])
    # one order, whatever has filled of it; from 1 ms on ours is decided, at 2 ms it is there
    run = play(events, {1: [(1, 0, 100, ours)]}, orders={"top_up_below": 0.0})
    assert fills(run)[: len(queue.fills)] == [(pytest.approx(now), *rest) for now, *rest in queue.fills]


@pytest.mark.parametrize("feed", ["recorded", "2ms"])
def test_compiled_or_not_and_with_one_book_or_two_the_result_is_the_same(feed):
    """The digest is that of the same scene told to both."""
    scene = OrderScene()
    for i in range(40):
        scene.add(5 + i, 10 + i, 1 if i % 3 else -1, 100 if i % 3 else 102, 2 + i % 5)
        if i > 4:
            scene.fill(5.5 + i, 8 + i, 1 if (i - 2) % 3 else -1, 100 if (i - 2) % 3 else 102, 1 + i % 3)
    events = scene.quiet(60).events()
    script = {2: [(1, 0, 100, 5), (-1, 0, 102, 5)]}
    one = play(events, script, feed_latency=feed)
    swapped = np.concatenate([events, events[-2:]])
    swapped["id"][-2:] += 10
    swapped["exch_ns"][-2:] = T0 + 70 * MS, T0 + 69 * MS
    swapped["local_ns"][-2:] = T0 + 75 * MS
    two = play(swapped, script, feed_latency=feed)
    assert fills(one)
    assert fills(one) == fills(two)[: len(fills(one))]
