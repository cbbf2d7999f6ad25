"""What an event of one order does to a book: a list of orders per price says the same, however odd the events are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.market.event import EVENT, Flag, Kind
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.order_events import apply_order_event, order_of
from twosided.market.order_queues import ORDER_ID, ORDER_LOTS, ORDER_NOTE, queue_at
from twosided.market.orderbook import OrderBook
from twosided.market.touch import TouchTracker

pytestmark = pytest.mark.interpreted

ADD, MODIFY, CANCEL, FILL = Kind.ADD, Kind.MODIFY, Kind.CANCEL, Kind.FILL


def rows(*lines):
    """Build events from (kind, id, side, ticks, lots), each a message of its own."""
    events = np.zeros(len(lines), EVENT)
    for i, (kind, order_id, side, ticks, lots) in enumerate(lines):
        events[i] = (1000 + i, 2000 + i, order_id, lots, ticks, kind, Flag.LAST_OF_MESSAGE, side, 0)
    return events


class NaiveBook:
    """A list of [id, lots] for every side and price, first in line first."""

    def __init__(self):
        self.queues = {}
        self.orphans = self.duplicates = self.excessive = 0

    def find(self, order_id):
        for key, queue in self.queues.items():
            for order in queue:
                if order[0] == order_id:
                    return key, queue, order
        return None

    def remove(self, order_id):
        key, queue, order = self.find(order_id)
        queue.remove(order)
        if not queue:
            del self.queues[key]

    def add(self, order_id, side, ticks, lots):
        if side != 0 and lots > 0:
            self.queues.setdefault((side, ticks), []).append([order_id, lots])

    def apply(self, kind, order_id, side, ticks, lots):
        found = self.find(order_id)
        if kind == ADD:
            if found:
                self.duplicates += 1
                self.remove(order_id)
            self.add(order_id, side, ticks, lots)
            return
        if not found:
            self.orphans += 1
            if kind == MODIFY:
                self.add(order_id, side, ticks, lots)
            return
        (its_side, its_ticks), _queue, order = found
        if kind == MODIFY:
            side = side or its_side
            if (side, ticks) == (its_side, its_ticks) and 0 < lots <= order[1]:
                order[1] = lots
            else:
                self.remove(order_id)
                self.add(order_id, side, ticks, lots)
            return
        self.excessive += lots > order[1]
        if (kind == CANCEL and lots == 0) or lots >= order[1]:
            self.remove(order_id)
        else:
            order[1] -= lots

    def touch(self):
        bid = max((ticks for side, ticks in self.queues if side > 0), default=NO_BID)
        ask = min((ticks for side, ticks in self.queues if side < 0), default=NO_ASK)
        return bid, self.lots(1, bid), ask, self.lots(-1, ask)

    def lots(self, side, ticks):
        return sum(lots for _id, lots in self.queues.get((side, ticks), []))


def apply_all(events):
    """Return the book that *events* leave."""
    book = OrderBook()
    for event in events:
        book.make_room()
        apply_order_event(book.levels, book.orders, 0, order_of(book.orders, 0, event), event)
    return book


def content(book):
    """Return the queues of a book as `NaiveBook` has them."""
    return {
        (side, ticks): [
            [int(book.orders[node + ORDER_ID]), int(book.orders[node + ORDER_LOTS])]
            for node in queue_at(book.levels, book.orders, 0 if side > 0 else 1, ticks)
        ]
        for side in (1, -1)
        for ticks, _lots in book.depth(side)
    }


LINE = st.tuples(
    st.sampled_from([ADD, ADD, MODIFY, CANCEL, FILL]),
    st.integers(1, 6),
    st.sampled_from([1, -1, 1, -1, 0]),
    st.integers(-2, 3),
    st.integers(0, 4),
)


@given(st.lists(LINE, max_size=60))
def test_the_book_is_that_of_a_list_per_price(lines):
    naive, events = NaiveBook(), rows(*lines)
    for line in lines:
        naive.apply(*line)
    book = apply_all(events)
    book.validate()
    assert content(book) == naive.queues
    tracker = TouchTracker()
    touches = tracker.feed(events)
    assert (tracker.orphans, tracker.duplicates, tracker.excessive) == (naive.orphans, naive.duplicates, naive.excessive)
    assert tracker.orders == sum(map(len, naive.queues.values()))
    if len(touches):
        assert tuple(touches[["bid_ticks", "bid_lots", "ask_ticks", "ask_lots"]][-1].tolist()) == naive.touch()


@given(st.lists(LINE, max_size=60))
def test_who_stands_in_front_joined_earlier(lines):
    book = apply_all(rows(*lines))
    for side in (1, -1):
        for ticks, _lots in book.depth(side):
            joined = [
                int(book.orders[node + ORDER_NOTE]) for node in queue_at(book.levels, book.orders, 0 if side > 0 else 1, ticks)
            ]
            assert joined == sorted(set(joined))


def queue_of(*lines):
    return apply_all(rows(*lines)).queue(1, 100)


TWO = ((ADD, 1, 1, 100, 5), (ADD, 2, 1, 100, 7))


@pytest.mark.parametrize(
    ("event", "queue"),
    [
        pytest.param((MODIFY, 1, 1, 100, 3), [(1, 3), (2, 7)], id="smaller: keeps its place"),
        pytest.param((MODIFY, 1, 1, 100, 5), [(1, 5), (2, 7)], id="the same: keeps its place"),
        pytest.param((MODIFY, 1, 1, 100, 6), [(2, 7), (1, 6)], id="larger: last in line"),
        pytest.param((MODIFY, 1, 0, 100, 6), [(2, 7), (1, 6)], id="larger, without a side: last in line"),
        pytest.param((MODIFY, 1, 1, 101, 5), [(2, 7)], id="another price"),
        pytest.param((MODIFY, 1, -1, 100, 5), [(2, 7)], id="another side"),
        pytest.param((MODIFY, 1, 1, 100, 0), [(2, 7)], id="nothing left"),
        pytest.param((MODIFY, 3, 1, 100, 4), [(1, 5), (2, 7), (3, 4)], id="of an unknown order: a new one"),
        pytest.param((MODIFY, 3, 0, 100, 4), [(1, 5), (2, 7)], id="of an unknown order of unknown side: nothing"),
        pytest.param((CANCEL, 1, 1, 100, 0), [(2, 7)], id="cancel all"),
        pytest.param((CANCEL, 1, 1, 100, 2), [(1, 3), (2, 7)], id="cancel some: keeps its place"),
        pytest.param((CANCEL, 1, 1, 100, 9), [(2, 7)], id="cancel more than there is"),
        pytest.param((CANCEL, 3, 1, 100, 9), [(1, 5), (2, 7)], id="cancel an unknown order"),
        pytest.param((FILL, 1, 1, 100, 2), [(1, 3), (2, 7)], id="filled in part"),
        pytest.param((FILL, 1, 1, 100, 5), [(2, 7)], id="filled"),
        pytest.param((FILL, 1, 1, 100, 0), [(1, 5), (2, 7)], id="filled with nothing"),
        pytest.param((ADD, 1, 1, 100, 4), [(2, 7), (1, 4)], id="an id in use: the old order is replaced"),
    ],
)
def test_rules(event, queue):
    assert queue_of(*TWO, event) == queue


@pytest.mark.parametrize("order_id", [0, 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1])
def test_any_64_bit_id_is_found_again(order_id):
    assert queue_of((ADD, order_id, 1, 100, 5), *TWO[1:], (FILL, order_id, 1, 100, 5)) == [(2, 7)]


def test_a_snapshot_and_a_clear_forget_orders_and_levels():
    begin, end = np.zeros(2, EVENT)
    begin["kind"], end["kind"], end["flags"] = Kind.SNAPSHOT_BEGIN, Kind.SNAPSHOT_END, Flag.LAST_OF_MESSAGE
    tracker = TouchTracker()
    tracker.feed(np.concatenate([rows(*TWO, (ADD, 3, -1, 110, 1)), begin[None], rows((ADD, 2, 1, 90, 1)), end[None]]))
    assert (tracker.orders, tracker.duplicates) == (1, 0)
    clear = np.zeros(1, EVENT)
    clear["kind"], clear["flags"] = Kind.CLEAR, Flag.LAST_OF_MESSAGE
    assert tracker.feed(clear)["bid_ticks"].tolist() == [NO_BID]
    assert tracker.orders == 0
