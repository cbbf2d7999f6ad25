"""One arena holds many books: what the kernels do there is what a dictionary of queues does for each book alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.market.ladder import ASK, BID, best_of, grow_books, is_full, level_of, new_books
from twosided.market.order_queues import (
    ORDER_BEHIND,
    ORDER_ID,
    ORDER_LOTS,
    ORDER_NOTE,
    ORDER_OWNER,
    ORDER_ROW,
    add_order,
    arrivals,
    clear_side,
    find_order,
    first_order,
    grow_orders,
    is_book_full,
    live_orders,
    new_orders,
    next_arrival,
    queue_at,
    reduce_order,
    remove_order,
    replace_order,
    some_order,
    ticks_of,
    validate_orders,
)

pytestmark = pytest.mark.interpreted

BOOKS = 2


class Arena:
    """Memory that begins with room for one order and one page, and grows as the callers of the kernels let it."""

    def __init__(self):
        self.levels, self.orders = new_books(2 * BOOKS, pages=1), new_orders(1)

    def make_room(self):
        while is_full(self.levels):
            self.levels = grow_books(self.levels)
        while is_book_full(self.levels, self.orders):
            self.orders = grow_orders(self.orders)

    def queues(self):
        """Return (book, side, ticks) -> [(id, lots)] of all that is reached from the best prices."""
        validate_orders(self.levels, self.orders, BOOKS)
        found = {}
        for row in range(2 * BOOKS):
            for ticks in PRICES:
                queue = [self.orders[node : node + 8] for node in queue_at(self.levels, self.orders, row, ticks)]
                if queue:
                    found[row // 2, BID if row % 2 == 0 else ASK, ticks] = [
                        (int(order[ORDER_ID]), int(order[ORDER_LOTS])) for order in queue
                    ]
        return found


def leave(queues, key, order_id):
    """Take an order out of the naive queues; one that is empty goes."""
    queues[key] = [(each, lots) for each, lots in queues[key] if each != order_id]
    if not queues[key]:
        del queues[key]


def apply(arena, queues, where, command, book, order_id, side, ticks, lots):
    """Give a command to the arena and to the naive queues; *where* knows the queue of each order."""
    arena.make_room()
    levels, orders, known = arena.levels, arena.orders, where.get((book, order_id))
    node = find_order(orders, book, order_id)
    assert (node != 0) == (known is not None)
    if command == "clear":
        clear_side(levels, orders, 2 * book + (side == ASK))
        for key in [each for each in queues if each[:2] == (book, side)]:
            for gone, _ in queues.pop(key):
                del where[book, gone]
    elif known is None:
        add_order(levels, orders, book, order_id, 5, 6, side, ticks, lots)
        queues.setdefault((book, side, ticks), []).append((order_id, lots))
        where[book, order_id] = (book, side, ticks)
    elif command == "replace":
        held, new = dict(queues[known])[order_id], (*known[:2], ticks)
        replace_order(levels, orders, node, ticks, lots)
        if new == known and lots <= held:
            queues[known] = [(each, lots if each == order_id else size) for each, size in queues[known]]
        else:
            leave(queues, known, order_id)
            queues.setdefault(new, []).append((order_id, lots))
            where[book, order_id] = new
    else:
        held = dict(queues[known])[order_id]
        if command == "reduce" and lots < held:
            queues[known] = [(each, size - lots if each == order_id else size) for each, size in queues[known]]
        else:
            leave(queues, known, order_id)
            del where[book, order_id]
        if command == "reduce":
            reduce_order(levels, orders, node, lots)
        else:
            remove_order(levels, orders, node)


PRICES = [-(2**31), -1, 0, 1, 4096, 2**31 - 1]
IDS = [0, 1, 2, 2**63 - 1, -1, -(2**63), (1 << 31) + 3, (5 << 31) + 7]  # the last two collide with 2; 64-bit ids wrap around
commands = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "remove", "reduce", "replace", "replace", "clear"]),
        st.integers(0, BOOKS - 1),
        st.sampled_from(IDS),
        st.sampled_from([BID, ASK]),
        st.sampled_from(PRICES),
        st.integers(1, 9),
    ),
    min_size=10,
    max_size=60,
)


@settings(max_examples=25)
@given(commands)
def test_after_any_commands_every_book_holds_the_naive_queues_and_every_invariant(script):
    arena, queues, where = Arena(), {}, {}
    for number, step in enumerate(script):
        if step[0] != "clear" or number % 5 == 0:  # seldom, or there would be nothing to see
            apply(arena, queues, where, *step)
        assert live_orders(arena.orders) == len(where)
    assert arena.queues() == queues


def test_a_full_arena_grows_with_orders_in_it_and_nodes_stay_the_same():
    arena = Arena()
    nodes = {}
    for number in range(40):
        arena.make_room()
        nodes[number] = add_order(
            arena.levels, arena.orders, number % BOOKS, number << 40, 1, 2, BID, PRICES[number % 6], 1 + number
        )
        assert nodes == {each: find_order(arena.orders, each % BOOKS, each << 40) for each in nodes}
    validate_orders(arena.levels, arena.orders, BOOKS)
    for number, node in nodes.items():
        order = arena.orders[node : node + 8]
        assert (order[ORDER_ID], order[ORDER_LOTS], order[ORDER_OWNER], order[ORDER_NOTE]) == (number << 40, 1 + number, 1, 2)
        assert ticks_of(arena.orders, node) == PRICES[number % 6]


def test_it_is_full_when_the_next_order_finds_no_line_or_its_price_no_page():
    levels, orders = new_books(2, pages=2), new_orders(2)
    add_order(levels, orders, 0, 1, 0, 0, BID, 100, 1)
    assert not is_book_full(levels, orders)
    add_order(levels, orders, 0, 2, 0, 0, BID, 100, 1)
    assert is_book_full(levels, orders)
    orders = grow_orders(orders)
    assert not is_book_full(levels, orders)
    add_order(levels, orders, 0, 3, 0, 0, BID, 5000, 1)
    assert is_book_full(levels, orders)
    assert not is_book_full(grow_books(levels), orders)


def test_a_line_that_is_free_is_the_next_one_taken():
    arena = Arena()
    for order_id in (1, 2, 3):
        arena.make_room()
        add_order(arena.levels, arena.orders, 0, order_id, 0, 0, BID, 0, 1)
    nodes = {order_id: find_order(arena.orders, 0, order_id) for order_id in (1, 3)}
    for order_id in (1, 3):
        remove_order(arena.levels, arena.orders, nodes[order_id])
    arena.orders = grow_orders(arena.orders)
    validate_orders(arena.levels, arena.orders, BOOKS)
    again = [add_order(arena.levels, arena.orders, 0, order_id, 0, 0, ASK, 1, 1) for order_id in (4, 5)]
    assert again == [nodes[3], nodes[1]]
    validate_orders(arena.levels, arena.orders, BOOKS)


def test_an_order_is_a_line_of_the_cache():
    for orders in (new_orders(), new_orders(1), grow_orders(new_orders(3))):
        assert orders.ctypes.data % 64 == 0
        assert orders.flags.c_contiguous


def test_one_arena_holds_several_books_whose_ids_do_not_meet():
    levels, orders = new_books(4), new_orders(64)
    for book, side, ticks in ((0, BID, 10), (1, ASK, 20), (1, BID, 15)):
        add_order(levels, orders, book, 7 if side == BID else 8, 0, 0, side, ticks, 3 + book)
    assert ticks_of(orders, find_order(orders, 0, 7)) == 10
    assert ticks_of(orders, find_order(orders, 1, 7)) == 15
    assert find_order(orders, 0, 8) == 0
    assert (best_of(levels, 0), best_of(levels, 2), best_of(levels, 3)) == (10, 15, 20)
    remove_order(levels, orders, find_order(orders, 1, 7))
    assert (level_of(levels, 0, 10), level_of(levels, 2, 15)) == (3, 0)
    clear_side(levels, orders, 3)
    assert live_orders(orders) == 1


def test_an_id_is_not_mistaken_for_the_same_number_in_another_book():
    levels, orders = new_books(6), new_orders(200)
    for number in range(32):
        for book in (0, 1, 2):
            add_order(levels, orders, book, number, 0, 0, BID, number, 1 + book)
    for number in range(32):
        for book in (0, 1, 2):
            node = find_order(orders, book, number)
            assert (orders[node + ORDER_ID], orders[node + ORDER_LOTS], ticks_of(orders, node)) == (number, 1 + book, number)
            assert find_order(orders, book + 2048, number) == 0  # whose hash is the same
            remove_order(levels, orders, node)
            assert find_order(orders, book, number) == 0


def test_the_head_of_a_queue_leads_to_the_others_and_is_none_where_nobody_ever_was():
    levels, orders = new_books(2), new_orders()
    nodes = [add_order(levels, orders, 0, order_id, 0, 0, ASK, -7, 1) for order_id in (1, 2)]
    assert first_order(levels, 1, -7) == nodes[0]
    assert (orders[nodes[0] + ORDER_BEHIND], orders[nodes[1] + ORDER_BEHIND]) == (nodes[1], 0)
    assert [first_order(levels, row, ticks) for row, ticks in ((0, -7), (1, -8), (1, 2**31 - 1))] == [0, 0, 0]
    remove_order(levels, orders, nodes[0])
    assert first_order(levels, 1, -7) == nodes[1]
    remove_order(levels, orders, nodes[1])
    assert first_order(levels, 1, -7) == 0


def test_some_order_is_the_next_one_in_memory():
    levels, orders = new_books(2), new_orders()
    assert some_order(orders, 0.0) == 0
    nodes = [add_order(levels, orders, 0, order_id, 0, 0, BID, order_id, 1) for order_id in range(10)]
    assert [some_order(orders, part) for part in (0.0, 0.09, 0.1, 0.5, 0.99)] == [nodes[0], nodes[0], nodes[1], nodes[5], nodes[9]]
    for node in nodes[4:]:
        remove_order(levels, orders, node)
    assert [some_order(orders, part) for part in (0.3, 0.4, 0.99)] == [nodes[3], nodes[0], nodes[0]]
    assert orders[some_order(orders, 0.0) + ORDER_ROW] == 0


def test_arrivals_are_counted_for_the_caller():
    orders = new_orders(1)
    assert [next_arrival(orders), next_arrival(orders), arrivals(grow_orders(orders))] == [1, 2, 2]
