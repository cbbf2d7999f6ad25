"""The book by order does what a dictionary of queues does, and says which invariant is broken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.market.ladder import ASK, BID, FIRST_IN_LINE, LAST_IN_LINE, new_books, place_at
from twosided.market.order_queues import (
    _AHEAD,
    _FREE,
    _LIVE,
    _TABLE,
    _TOUCHED,
    _WHERE,
    ORDER_BEHIND,
    ORDER_ID,
    ORDER_LOTS,
    ORDER_ROW,
    find_order,
    new_orders,
)
from twosided.market.orderbook import OrderBook


class NaiveBook:
    """Orders in a dictionary, queues in lists: slow and obvious."""

    def __init__(self):
        self.orders = {}  # id -> [side, ticks, lots]
        self.queues = {}  # (side, ticks) -> ids, first in line first

    def add(self, order_id, side, ticks, lots):
        self.orders[order_id] = [side, ticks, lots]
        self.queues.setdefault((side, ticks), []).append(order_id)

    def cancel(self, order_id):
        side, ticks, _ = self.orders.pop(order_id)
        self.queues[side, ticks].remove(order_id)
        if not self.queues[side, ticks]:
            del self.queues[side, ticks]

    def reduce(self, order_id, lots):
        self.orders[order_id][2] -= lots
        if self.orders[order_id][2] == 0:
            self.cancel(order_id)

    def replace(self, order_id, ticks, lots):
        side, old_ticks, old_lots = self.orders[order_id]
        if ticks == old_ticks and lots <= old_lots:
            self.orders[order_id][2] = lots
            return
        self.cancel(order_id)
        self.add(order_id, side, ticks, lots)

    def clear(self, side):
        for order_id in [each for each, order in self.orders.items() if order[0] == side]:
            self.cancel(order_id)

    def depth(self, side):
        prices = sorted((ticks for where, ticks in self.queues if where == side), reverse=side == BID)
        return [(ticks, sum(lots for _, lots in self.queue(side, ticks))) for ticks in prices]

    def queue(self, side, ticks):
        return [(order_id, self.orders[order_id][2]) for order_id in self.queues.get((side, ticks), [])]


# Few ids, so that they come back; those of one line begin their search in one slot, so that the table is one long collision.
ids = st.one_of(st.integers(0, 5), st.integers(0, 5).map(lambda number: (number << 31) + (number ^ 7)), st.just(2**63 - 1))
prices = st.sampled_from([99, 100, 100, 100, 101, 4095, 4096, -(2**31), 2**31 - 1])
commands = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "cancel", "reduce", "replace", "clear"]),
        ids,
        st.sampled_from([BID, ASK]),
        prices,
        st.integers(1, 9),
    ),
    min_size=20,
    max_size=50,
)


def play(book, naive, command, order_id, side, ticks, lots):
    """Give a command that makes sense to both books."""
    if command == "clear":
        if order_id == 0:  # seldom, or there would be nothing to see
            book.clear(side)
            naive.clear(side)
    elif order_id not in naive.orders:
        book.add(order_id, side, ticks, lots)
        naive.add(order_id, side, ticks, lots)
    elif command == "reduce":
        lots = min(lots, naive.orders[order_id][2])
        book.reduce(order_id, lots)
        naive.reduce(order_id, lots)
    elif command == "replace":
        book.replace(order_id, ticks, lots)
        naive.replace(order_id, ticks, lots)
    else:
        book.cancel(order_id)
        naive.cancel(order_id)


@pytest.mark.interpreted
@settings(max_examples=30)
@given(commands)
def test_any_commands_leave_the_same_book_as_the_naive_one(script):
    book, naive = OrderBook(), NaiveBook()
    book.levels, book.orders = new_books(2, pages=1), new_orders(1)  # so few that both must grow, with orders in them
    for step in script:
        play(book, naive, *step)
        assert len(book) == len(naive.orders)
    for side in (BID, ASK):
        assert book.depth(side) == naive.depth(side)
    for side, ticks in naive.queues:
        assert book.queue(side, ticks) == naive.queue(side, ticks)
    book.validate()


@pytest.fixture
def three_in_line():
    book = OrderBook()
    for order_id, lots in ((1, 5), (2, 7), (3, 2)):
        book.add(order_id, BID, 100, lots)
    return book


@pytest.mark.interpreted
def test_best_prices_mid_and_spread():
    book = OrderBook()
    assert (book.best_bid, book.best_ask, book.mid, book.spread) == (None, None, None, None)
    book.add(1, BID, 99, 1)
    book.add(2, ASK, 102, 1)
    assert (book.best_bid, book.best_ask, book.mid, book.spread) == (99, 102, 100.5, 3)
    book.cancel(1)
    assert (book.best_bid, book.mid) == (None, None)


@pytest.mark.interpreted
def test_queue_position_counts_orders_and_lots_ahead(three_in_line):
    assert [three_in_line.queue_position(order_id) for order_id in (1, 2, 3)] == [(0, 0), (1, 5), (2, 12)]
    three_in_line.cancel(1)
    assert three_in_line.queue_position(3) == (1, 7)


@pytest.mark.interpreted
@pytest.mark.parametrize("leaving", [1, 2, 3])
def test_first_middle_and_last_leave_a_queue_that_still_works(three_in_line, leaving):
    three_in_line.cancel(leaving)
    three_in_line.add(4, BID, 100, 1)
    assert [order_id for order_id, _ in three_in_line.queue(BID, 100)] == [each for each in (1, 2, 3, 4) if each != leaving]
    three_in_line.validate()


@pytest.mark.interpreted
def test_a_smaller_size_keeps_the_place_and_a_larger_one_or_a_new_price_loses_it(three_in_line):
    three_in_line.replace(1, 100, 4)
    assert three_in_line.queue(BID, 100) == [(1, 4), (2, 7), (3, 2)]
    three_in_line.reduce(2, 6)
    assert three_in_line.queue(BID, 100) == [(1, 4), (2, 1), (3, 2)]
    three_in_line.replace(1, 100, 5)
    assert three_in_line.queue(BID, 100) == [(2, 1), (3, 2), (1, 5)]
    three_in_line.replace(2, 101, 1)
    three_in_line.replace(2, 100, 1)
    assert three_in_line.queue(BID, 100) == [(3, 2), (1, 5), (2, 1)]


def test_arrays_grow_with_orders_and_with_prices():
    book = OrderBook()
    for order_id in range(9_000):
        book.add(order_id, BID if order_id % 2 else ASK, 100_000 * (order_id % 90), 1 + order_id % 7)
    for order_id in range(0, 9_000, 3):
        book.cancel(order_id)
    book.validate()
    assert len(book) == 6_000
    assert book.queue(BID, 100_000) == [(order_id, 1 + order_id % 7) for order_id in range(1, 9_000, 90) if order_id % 3]


def damaged(word, change):
    """Return a function that changes a word of the arena: of an order by its id, or of the header."""

    def damage(book):
        node = 0 if word[0] == "header" else int(find_order(book.orders, 0, word[0]))
        book.orders[node + word[1]] = change(book.orders[node + word[1]])

    return damage


def damaged_end(which, lots):
    """Return a function that forgets an end of the queue, or changes what the ladder counts there."""

    def damage(book):
        book.levels[place_at(book.levels, 0, 100) + which] = lots

    return damage


def forget_an_order(book):
    book.orders[book.orders[_TABLE] :][book.orders[book.orders[_TABLE] :] != 0] = 0


def find_one_twice(book):
    table = book.orders[book.orders[_TABLE] :]
    table[(table == 0).nonzero()[0][0]] = table.max()


def cancelled_lots(book):
    book.cancel(2)
    book.orders[book.orders[_FREE] + ORDER_LOTS] = 1


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        (damaged((2, ORDER_LOTS), lambda lots: lots - 1), "bid 100: the level holds 14 lots, its orders 13"),
        (damaged_end(0, 15), "bid 100: the level holds 15 lots, its orders 14"),
        (damaged((2, ORDER_LOTS), lambda _: 0), "bid 100: order 2 has lots"),
        (damaged((2, ORDER_ROW), lambda _: 1), "bid 100: order 2 knows its side, price and place"),
        (damaged((2, _WHERE), lambda where: where + 1), "bid 100: order 2 knows its side, price and place"),
        (damaged((2, _WHERE), lambda where: where + 2**32), "bid 100: order 2 knows its side, price and place"),
        (damaged((2, _AHEAD), lambda _: 0), "bid 100: order 2 and the one ahead of it know each other"),
        (damaged((2, ORDER_BEHIND), lambda _: 0), "bid 100: the level knows its first and last order"),
        (damaged((3, ORDER_BEHIND), lambda node: node + 8), "bid 100: the level knows its first and last order"),
        (damaged_end(FIRST_IN_LINE, 0), "bid 100: the level knows its first and last order"),
        (damaged_end(LAST_IN_LINE, 0), "bid 100: the level knows its first and last order"),
        (damaged((2, ORDER_ID), lambda _: 9), "bid 100: order 9 is found by its id"),
        (forget_an_order, "bid 100: order 1 is found by its id"),
        (find_one_twice, "the table finds 4 orders, not 3"),
        (damaged(("header", _LIVE), lambda live: live + 1), "the queues hold 3 orders, not 4"),
        (damaged(("header", _TOUCHED), lambda touched: touched + 1), "0 free lines and 3 orders are 4 lines in all"),
        (cancelled_lots, "the free line 16 has no lots"),
    ],
)
def test_validate_names_the_broken_invariant(three_in_line, damage, invariant):
    three_in_line.validate()
    damage(three_in_line)
    with pytest.raises(AssertionError, match=invariant):
        three_in_line.validate()


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("command", "message"),
    [
        (lambda book: book.add(1, BID, 100, 1), "order_id is 1, which is already in the book"),
        (lambda book: book.add(2**63, BID, 100, 1), "allowed: 0 to 2\\^63 - 1"),
        (lambda book: book.add(9, 0, 100, 1), "side is 0; allowed: \\+1"),
        (lambda book: book.add(9, BID, 2**31, 1), "ticks is 2147483648; allowed: a 32-bit"),
        (lambda book: book.add(9, BID, 100, 0), "lots is 0; allowed: 1 or more"),
        (lambda book: book.cancel(9), "order_id is 9, which is not in the book"),
        (lambda book: book.reduce(1, 6), "lots is 6; allowed: 1 to the order's size, 5"),
        (lambda book: book.replace(1, 100, 0), "lots is 0; allowed: 1 or more"),
        (lambda book: book.queue_position(-1), "order_id is -1, which is not in the book"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(three_in_line, command, message):
    with pytest.raises(InputError, match=message):
        command(three_in_line)
    three_in_line.validate()
    assert three_in_line.queue(BID, 100) == [(1, 5), (2, 7), (3, 2)]
