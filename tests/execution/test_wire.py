"""Own messages under way come out in the order of the specification, never overtake on a line, and each draws its own latency."""

import heapq
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided._compile import address_of_array
from twosided._random import Purpose, random_bits
from twosided.execution.state import (
    CELL,
    CORE,
    FOREVER,
    LATENCY_POINTS,
    LINE,
    MESSAGE,
    STRATEGY,
    WAY,
    first_number,
    new_tables,
)
from twosided.execution.wire import TO_US, TO_VENUE, heard_ns, pop_message, send_to_us, send_to_venue
from twosided.market.order import OrderAction, Reason

pytestmark = pytest.mark.interpreted

N_STRATEGIES, N_MARKETS, N_SLOTS = 3, 2, 2
MESSAGES = 64
SEED = 2  # the first request is slow, the next two are fast


def quantiles(values):
    """Spread values over the quantiles of a latency."""
    return np.sort(np.resize(np.array(values), LATENCY_POINTS))


class Wire:
    """The kernels with the tables they need."""

    def __init__(self, entry=(5,), response=(7,), *, n_messages=MESSAGES, seed=SEED):
        messages = np.zeros(n_messages, MESSAGE)
        messages["next"] = [*range(1, n_messages), -1]
        latencies = np.zeros((2, LATENCY_POINTS), CELL)
        lines = np.zeros((N_STRATEGIES, N_MARKETS), LINE)
        for way, values in enumerate((entry, response)):
            latencies["number"][way] = quantiles(values)
            lines["latency_table"][:, :, way] = way
            lines["latency_ns"][:, :, way] = values[0] if len(set(values)) == 1 else -1
        self.tables = {
            "strategies": np.zeros(N_STRATEGIES, STRATEGY),
            "lines": lines,
            "orders": new_tables(N_STRATEGIES, N_MARKETS, N_SLOTS, 1)["orders"],
            "messages": messages,
            "ways": np.full(4, -1, np.int64).view(WAY),
            "heap": np.zeros(n_messages, CELL),
            "latencies": latencies,
        }
        self.core_array = np.zeros(1, CORE)  # the record is a view of it
        self.core = self.core_array[0]
        self.core.n_strategies, self.core.n_markets, self.core.n_slots = N_STRATEGIES, N_MARKETS, N_SLOTS
        self.core.n_latencies = len(latencies)
        self.core.n_orders_kept = self.tables["orders"].size
        self.core.messages_size, self.core.next_own, self.core.next_own_ns, self.core.seed = n_messages, -1, FOREVER, seed
        for name, table in self.tables.items():
            self.core[name] = address_of_array(table)
        for k in range(N_STRATEGIES):
            for market in range(N_MARKETS):
                self.tables["orders"][k, market, 0, 0]["id"] = 100 * k + market

    def send(self, direction, k, market):
        number = first_number(self.core, k, market, 0)
        if direction == TO_VENUE:
            send_to_venue(self.core, number, int(OrderAction.SEND_NEW), 17, 3)
        else:
            ns = heard_ns(self.core, self.tables["strategies"][k], self.tables["lines"][k, market])
            send_to_us(self.core, ns, number, int(OrderAction.FILLED), int(Reason.TRADE_AT_PRICE), 17, 3, -2)

    def pop(self):
        """Return the earliest message as (ns, rank, market, strategy, number)."""
        message = self.tables["messages"][pop_message(self.core)]
        key = int(message["key"])
        assert key >> 62 == message["rank"]
        return int(message["ns"]), key >> 62, key >> 54 & 0xFF, key >> 32 & 0x3FFFFF, key & 0xFFFFFFFF

    def pop_all(self):
        return [self.pop() for _ in range(int(self.core.n_messages))]


@dataclass
class Naive:
    """A heap of tuples, and dictionaries."""

    latencies: dict
    heap: list = field(default_factory=list)
    numbers: dict = field(default_factory=dict)
    last: dict = field(default_factory=dict)

    def send(self, now, direction, k, market):
        number = self.numbers[direction, k] = self.numbers.get((direction, k), 0) + 1
        purpose = Purpose.ENTRY_LATENCY if direction == TO_VENUE else Purpose.RESPONSE_LATENCY
        point = int(random_bits(SEED, int(purpose), number)) % LATENCY_POINTS
        arrival = max(now + int(self.latencies[direction][point]), self.last.get((direction, k, market), 0))
        self.last[direction, k, market] = arrival
        heapq.heappush(self.heap, (arrival, direction, market, k, number))


latencies = st.lists(st.integers(0, 20), min_size=1, max_size=8)
sends = st.tuples(st.sampled_from([TO_VENUE, TO_US]), st.integers(0, N_STRATEGIES - 1), st.integers(0, N_MARKETS - 1))
steps = st.lists(st.one_of(sends, sends, st.just("pop"), st.integers(0, 15)), max_size=60)


@given(latencies, latencies, steps)
def test_messages_come_out_by_time_then_rank_market_strategy_and_number(entry, response, listed):
    wire, naive, now = Wire(entry, response), Naive({TO_VENUE: quantiles(entry), TO_US: quantiles(response)}), 1000
    for step in listed:
        if step == "pop":
            if naive.heap:
                assert wire.pop() == heapq.heappop(naive.heap)
        elif isinstance(step, int):
            now += step
        else:
            wire.core.now_ns = now
            wire.send(*step)
            naive.send(now, *step)
        assert wire.core.n_messages == len(naive.heap)
        assert wire.core.next_own_ns == (naive.heap[0][0] if naive.heap else FOREVER)
    assert wire.pop_all() == [heapq.heappop(naive.heap) for _ in range(len(naive.heap))]


def test_at_one_instant_the_exchange_comes_first_then_market_strategy_and_the_order_of_sending():
    wire = Wire(entry=(5,), response=(5,))
    everyone = [(k, m) for k in (2, 0, 1) for m in (1, 0)]
    for k, m in everyone:
        wire.send(TO_US, k, m)
        wire.send(TO_VENUE, k, m)
        wire.send(TO_VENUE, k, m)
    popped = wire.pop_all()
    assert {each[0] for each in popped} == {5}
    assert [each[1:4] for each in popped] == [(0, m, k) for m in (0, 1) for k in (0, 1, 2) for _ in range(2)] + [
        (1, m, k) for m in (0, 1) for k in (0, 1, 2)
    ]


def test_messages_on_one_line_never_overtake_each_other_whatever_latency_they_drew():
    wire = Wire(entry=(1000, 0, 300), response=(0, 900))
    for i in range(30):
        wire.core.now_ns = 10 * i
        wire.send(TO_VENUE, 0, 0)
        wire.send(TO_US, 0, 0)
    popped = wire.pop_all()
    for direction in (TO_VENUE, TO_US):
        numbers = [each[4] for each in popped if each[1] == direction]
        assert numbers == sorted(numbers)


def test_lines_to_different_markets_do_not_wait_for_each_other():
    wire = Wire(entry=(1000, 0))
    draws = [1000 * (int(random_bits(SEED, int(Purpose.ENTRY_LATENCY), n)) % LATENCY_POINTS >= 512) for n in (1, 2, 3)]
    assert draws == [1000, 0, 0]
    for market in (0, 1, 0):
        wire.send(TO_VENUE, 0, market)
    assert sorted(wire.pop_all()) == sorted([(draws[0], 0, 0, 0, 1), (draws[1], 0, 1, 0, 2), (max(draws[0], draws[2]), 0, 0, 0, 3)])


def arrivals_of(k, script):
    """Return when the messages of strategy *k* arrive in a script of (now, direction, strategy, market)."""
    wire = Wire(entry=range(1, 900, 7), response=range(2, 500, 3), n_messages=256)
    for now, *sending in script:
        wire.core.now_ns = now
        wire.send(*sending)
    return [each[:3] + each[4:] for each in wire.pop_all() if each[3] == k]


@given(st.lists(st.tuples(st.just(0), sends), max_size=30))
def test_a_latency_depends_on_the_strategy_s_own_message_number_only(listed):
    script = [(10 * i, *sending) for i, (_, sending) in enumerate(listed)]
    for k in range(N_STRATEGIES):
        assert arrivals_of(k, script) == arrivals_of(k, [step for step in script if step[2] == k])


def test_the_two_directions_draw_from_streams_of_their_own():
    wire = Wire(entry=range(LATENCY_POINTS), response=range(LATENCY_POINTS), n_messages=512)
    for _ in range(100):
        wire.send(TO_VENUE, 0, 0)
        wire.send(TO_US, 0, 1)
    points = [[int(random_bits(SEED, int(purpose), n)) % LATENCY_POINTS for n in range(1, 101)] for purpose in (2, 3)]
    popped = wire.pop_all()
    for direction in (TO_VENUE, TO_US):
        arrivals = [each[0] for each in popped if each[1] == direction]
        assert arrivals == np.maximum.accumulate(points[direction]).tolist()
    assert points[0] != points[1]


def test_another_seed_is_another_world():
    def drawn(seed):
        wire = Wire(entry=range(LATENCY_POINTS), seed=seed)
        wire.send(TO_VENUE, 0, 0)
        return wire.pop()[0]

    assert len({drawn(seed) for seed in range(8)}) > 4
    assert drawn(3) == drawn(3)


def test_a_message_carries_what_was_sent_and_the_order_knows_that_it_is_under_way():
    wire = Wire()
    wire.core.now_ns = 100
    wire.send(TO_US, 1, 1)
    order = wire.tables["orders"][1, 1, 0, 0]
    assert order["in_flight"] == 1
    wire.send(TO_VENUE, 1, 1)
    assert order["in_flight"] == 2
    request, report = (wire.tables["messages"][pop_message(wire.core)].copy() for _ in range(2))
    names = ("ns", "order", "action", "reason", "ticks", "lots")
    assert tuple(request[name] for name in names) == (105, 12, OrderAction.SEND_NEW, 0, 17, 3)
    assert tuple(report[name] for name in names) == (107, 12, OrderAction.FILLED, Reason.TRADE_AT_PRICE, 17, 3)
    assert report["fee"] == -2


def test_records_are_used_again():
    wire = Wire(n_messages=4)
    for i in range(50):
        wire.core.now_ns = 10 * i
        wire.send(TO_VENUE, 0, 0)
        wire.send(TO_US, 1, 1)
        assert [each[0] for each in wire.pop_all()] == [10 * i + 5, 10 * i + 7]


def test_the_engine_is_asked_for_room_before_there_is_none():
    wire = Wire(n_messages=8)
    for i in range(1, 9):
        wire.send(TO_VENUE, 0, 0)
        assert wire.core.grow_messages == (i > 4)
    assert wire.core.free_message == -1


def test_new_tables_chain_their_free_messages():
    table = new_tables(2, 1, 4, 1)["messages"]["next"]
    assert table.tolist() == [*range(1, len(table)), -1]
