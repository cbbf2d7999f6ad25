"""Own orders at the exchange: groups move exactly as each order would by itself, and never lose or keep anybody."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided._compile import address_of_array
from twosided.execution.queue import CONSERVATIVE, POWER, queue_after_change
from twosided.execution.resting import cap_queues, first_resting, leave, on_level_change, rest
from twosided.execution.state import CORE, FOREVER, TABLES, new_tables
from twosided.execution.venue import on_trade
from twosided.execution.wire import pop_message
from twosided.market.ladder import level_of, new_books, set_level
from twosided.market.order_queues import new_orders, next_arrival

pytestmark = pytest.mark.interpreted

MODELS = ((POWER, 2.0), (POWER, 2.0), (POWER, 3.0), (CONSERVATIVE, 0.0))  # of the strategies
SLOTS = 3
PRICES = (98, 99, 100)
BIDS = 0


@dataclass
class Naive:
    """One order, moved by itself."""

    strategy: int
    ticks: int
    lots: int
    ahead: float
    arrived: int
    explained: int = 0


class Exchange:
    """The kernels with the tables they need, and the same orders one by one, in the order in which they came."""

    def __init__(self):
        self.tables = new_tables(len(MODELS), 1, SLOTS, 1)
        self.books, self.queues = new_books(4), new_orders(64)
        self.tables |= {"books": self.books, "queues": self.queues}
        for k, (kind, exponent) in enumerate(MODELS):
            strategy = self.tables["strategies"][k]
            strategy["queue"], strategy["queue_kind"], strategy["queue_exponent"] = MODELS.index((kind, exponent)), kind, exponent
            strategy["partial_fills"] = k % 2
        self.core_array = np.zeros(1, CORE)  # the record is a view of it
        s = self.core = self.core_array[0]
        s.n_strategies, s.n_markets, s.n_slots, s.own_rows, s.n_orders_kept = len(MODELS), 1, SLOTS, 2, self.tables["orders"].size
        s.messages_size, s.n_levels = len(self.tables["messages"]), 1
        s.next_own, s.next_own_ns = -1, FOREVER
        for name in set(TABLES) & set(self.tables):
            s[name] = address_of_array(self.tables[name])
        self.naive = {}

    def number(self, k, slot):
        return 2 * k * SLOTS + slot  # on the desk for bids

    def order(self, number):
        return self.tables["orders"].reshape(-1)[number]

    def group(self, number):
        return self.tables["groups"][number]

    def toggle(self, k, slot, ticks, lots):
        """Let an order leave, or come."""
        number = self.number(k, slot)
        if number in self.naive:
            leave(self.core, self.books, self.tables["venues"][0], number)
            del self.naive[number]
        else:
            rest(self.core, self.books, self.tables["venues"][0], number, ticks, lots)
            self.naive[number] = Naive(k, ticks, lots, float(level_of(self.books, BIDS, ticks)), int(self.queues[6]))

    def level(self, ticks, lots):
        old = set_level(self.books, BIDS, ticks, lots)
        on_level_change(self.core, self.books, 0, 1, ticks, old, lots)
        for order in self.naive.values():
            if order.ticks == ticks:
                order.ahead = queue_after_change(order.ahead, old, lots, order.explained, *MODELS[order.strategy])
                order.explained = 0

    def trade(self, ticks, lots):
        on_trade(self.core, self.books, 0, 1, ticks, lots)
        while self.core.next_own >= 0:
            pop_message(self.core)  # nobody reads the reports
        left, in_front = [lots] * len(MODELS), [0.0] * len(MODELS)
        for number, order in sorted(self.naive.items(), key=lambda each: -each[1].ticks):  # stable: by price, then by time
            k, reached = order.strategy, 0
            if order.ticks == ticks:
                order.explained += lots
                in_front[k] += min(max(order.ahead - in_front[k], 0.0), max(left[k] - in_front[k], 0.0))
                order.ahead = max(order.ahead - in_front[k], 0.0)
                reached = math.floor(left[k] - in_front[k] + 0.5) if order.ahead < 1e-9 else 0
            elif order.ticks > ticks:
                reached = left[k]
            if reached > 0:
                filled = min(reached, order.lots) if k % 2 else order.lots
                left[k] -= filled
                order.lots -= filled
                if order.lots == 0:
                    del self.naive[number]

    def snapshot(self):
        """Recorded orders join somewhere, and a snapshot restates the book."""
        next_arrival(self.queues)
        cap_queues(self.core, self.books, 0)
        for order in self.naive.values():
            order.ahead = min(order.ahead, float(level_of(self.books, BIDS, order.ticks)))
            order.arrived, order.explained = int(self.queues[6]), 0

    def check(self):
        s, found, members = self.core, {}, {}
        for ticks in PRICES:
            following, groups = first_resting(s, self.books, 0, 1, ticks), set()
            while following:
                order = self.order(following - 1)
                group = self.group(order.group)
                found[following - 1] = Naive(
                    int(order.strategy), ticks, int(order.venue_lots), float(group.ahead), int(group.arrived), int(group.explained)
                )
                assert (group.kind, group.exponent) == MODELS[order.strategy]
                members[int(order.group)] = members.get(int(order.group), 0) + 1
                groups.add(int(order.group))
                following = int(order.after)
            if groups:
                at = start = min(groups)
                ring = []
                while not ring or at != start:
                    ring.append(at)
                    assert self.group(self.group(at).next).previous == at
                    at = int(self.group(at).next)
                assert sorted(ring) == sorted(groups)
        assert found == self.naive
        assert [number for number in found if found[number].ticks == PRICES[0]] == [
            number for number in self.naive if self.naive[number].ticks == PRICES[0]
        ]
        assert all(self.group(number).members == count for number, count in members.items())
        free, at = 0, int(s.free_group)
        while at < self.tables["orders"].size:
            free, at = free + 1, int(self.group(at).next)
        assert free + len(members) == self.tables["orders"].size
        venue = self.tables["venues"][0]
        assert venue["n_resting"] == len(self.naive)
        assert venue["n_explained"] == sum(1 for number in members if self.group(number).explained)


steps = st.one_of(
    st.tuples(st.just("toggle"), st.integers(0, 3), st.integers(0, SLOTS - 1), st.sampled_from(PRICES), st.integers(1, 6)),
    st.tuples(st.just("toggle"), st.integers(0, 3), st.integers(0, SLOTS - 1), st.just(99), st.integers(1, 6)),
    st.tuples(st.just("level"), st.sampled_from(PRICES), st.integers(0, 20)),
    st.tuples(st.just("trade"), st.sampled_from(PRICES), st.integers(1, 20)),
    st.tuples(st.just("snapshot")),
)


@given(st.lists(steps, min_size=10, max_size=40))
def test_groups_move_as_their_orders_would_one_by_one(told):
    exchange = Exchange()
    for ticks in PRICES:
        exchange.level(ticks, 10)
    for name, *arguments in told:
        getattr(exchange, name)(*arguments)
        exchange.check()


def test_orders_that_come_at_one_instant_share_a_place_and_a_trade_that_one_of_them_has_spent_parts_it_from_them():
    exchange = Exchange()
    exchange.level(99, 10)
    for k, slot in ((0, 0), (1, 0), (0, 1), (2, 0)):
        exchange.toggle(k, slot, 99, 1)
    groups = [int(exchange.order(exchange.number(k, slot)).group) for k, slot in ((0, 0), (1, 0), (0, 1), (2, 0))]
    assert groups[0] == groups[1] == groups[2] != groups[3]  # the last assumes something else about queues
    exchange.toggle(0, 2, 100, 2)
    exchange.trade(99, 9)  # strategy 0 spends two of them on its better order
    exchange.check()
    parted = [int(exchange.order(exchange.number(k, slot)).group) for k, slot in ((0, 0), (1, 0))]
    assert parted[0] != parted[1] == groups[1]
    assert exchange.group(parted[0]).ahead == 3.0
    assert exchange.group(parted[1]).ahead == 1.0
