"""The ladder is the naive book after every command; and when its memory is damaged, `validate` says what is broken."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_ladder import NaiveLadder

from twosided.errors import InputError
from twosided.market.ladder import (
    _BEST,
    _DIRECTORY,
    _HEAD,
    _LEAVES,
    _LOTS,
    _MARKS,
    _ROW,
    _SUMMARY,
    _TOWER,
    ASK,
    BID,
    NO_ASK,
    NO_BID,
    Ladder,
    best_of,
    clear_row,
    free_pages,
    grow_books,
    is_full,
    level_of,
    new_books,
    next_level,
    set_level,
)

pytestmark = pytest.mark.interpreted

LOWEST, HIGHEST = -(2**31), 2**31 - 1
EDGES = [
    *(LOWEST, LOWEST + 1, LOWEST + 4095, LOWEST + 4096, HIGHEST, HIGHEST - 1, HIGHEST - 4095, HIGHEST - 4096),  # of the range
    *(-4097, -4096, -4095, -1, 0, 1, 4095, 4096, 4097, 8191, 8192),  # of pages
    *(-65, -64, -63, 63, 64, 65, 127, 128),  # of words
    *(262_143, 262_144, -262_144, -262_145),  # of words of the bitmap of pages
]

words = st.integers(-4, 4).map((64).__mul__)  # one price in each of a few words of two pages
prices = st.one_of(st.integers(-3, 3), words, words, st.sampled_from(EDGES), st.integers(60, 70), st.integers(LOWEST, HIGHEST))
sizes = st.one_of(st.just(0), st.integers(1, 9), st.just(2**63 - 1))
sides = st.sampled_from([BID, ASK])
set_commands = st.tuples(st.just("set"), sides, prices, sizes)
commands = st.lists(
    st.one_of(
        set_commands,
        set_commands,
        set_commands,
        st.tuples(st.just("remove best"), sides),
        st.tuples(st.just("clear"), st.sampled_from([-1, 0, 1])),
    ),
    max_size=40,
)


def apply(command, book):
    """Do a command; return what it answers."""
    match command:
        case ("set", side, ticks, lots):
            return book.set(side, ticks, lots)
        case ("remove best", side):
            best = book.best_bid if side == BID else book.best_ask
            return None if best is None else book.set(side, best, 0)
        case ("clear", side):
            return book.clear(side)


@settings(max_examples=120)
@given(commands)
def test_after_every_command_it_says_what_the_naive_book_says(listed):
    book, naive = Ladder(), NaiveLadder()
    book.books = new_books(2, pages=2)  # so few that it must grow
    for command in listed:
        assert apply(command, book) == apply(command, naive)
        assert (book.best_bid, book.best_ask, book.mid, book.spread) == (naive.best_bid, naive.best_ask, naive.mid, naive.spread)
        if command[0] == "set":
            assert book.lots(*command[1:3]) == naive.lots(*command[1:3])
            assert book.lots(-command[1], command[2]) == naive.lots(-command[1], command[2])
    for side in (BID, ASK):
        assert book.depth(side) == naive.depth(side)
        assert book.depth(side, 2) == naive.depth(side, 2)
    book.validate()


@given(st.lists(st.tuples(prices, st.integers(1, 5)), max_size=30), st.lists(prices, max_size=10))
def test_the_next_level_beyond_any_price_is_the_nearest_one_whether_or_not_something_rests_there(levels, probes):
    for side, none in ((BID, NO_BID), (ASK, NO_ASK)):
        book = Ladder()
        for ticks, lots in levels:
            book.set(side, ticks, lots)
        row = 0 if side == BID else 1
        for probe in [*probes, *(ticks for ticks, _ in levels)]:
            beyond = [ticks for ticks, _ in levels if (probe - ticks) * side > 0]
            expected = max(beyond, default=none) if side == BID else min(beyond, default=none)
            assert next_level(book.books, row, probe) == expected


# ---------------------------------------------------------------- as a picture


def picture(book):
    """Draw a book: asks above, bids below, best in the middle."""
    asks = [f"{'':>5} | {ticks:>5} | {lots}" for ticks, lots in reversed(book.depth(ASK))]
    bids = [f"{lots:>5} | {ticks:>5} |" for ticks, lots in book.depth(BID)]
    return "\n".join([*asks, *bids])


def test_a_small_book():
    book = Ladder()
    for side, ticks, lots in ((BID, 99, 5), (BID, 98, 7), (ASK, 101, 3), (ASK, 104, 9), (BID, 98, 2)):
        book.set(side, ticks, lots)
    assert picture(book).splitlines() == [
        "      |   104 | 9",
        "      |   101 | 3",
        "    5 |    99 |",
        "    2 |    98 |",
    ]
    assert (book.best_bid, book.best_ask, book.mid, book.spread) == (99, 101, 100.0, 2)


def test_an_empty_book_has_no_prices():
    book = Ladder()
    assert (book.best_bid, book.best_ask, book.mid, book.spread) == (None, None, None, None)
    assert book.depth(BID) == book.depth(ASK) == []
    book.set(BID, 99, 1)
    assert (book.mid, book.spread) == (None, None)
    assert NO_BID < LOWEST
    assert HIGHEST < NO_ASK


def test_removing_what_is_not_there_takes_no_memory():
    book = Ladder()
    assert book.set(BID, 5_000_000, 0) == 0
    assert free_pages(book.books) == free_pages(new_books(2))
    book.validate()


def test_a_message_half_applied_may_be_crossed_and_is_mended_by_its_second_half():
    book = Ladder()
    for side, ticks, lots in ((BID, 99, 5), (ASK, 100, 3), (ASK, 103, 4)):
        book.set(side, ticks, lots)
    book.set(BID, 101, 2)  # the market moved up, and the bid arrives first
    assert (book.best_bid, book.best_ask, book.spread, book.mid) == (101, 100, -1, 100.5)
    book.validate()
    book.set(ASK, 100, 0)
    assert (book.best_bid, book.best_ask, book.spread) == (101, 103, 2)
    book.validate()


@pytest.mark.parametrize("first", [0, 4096])
@pytest.mark.parametrize("side", [BID, ASK])
def test_words_of_a_page_that_have_become_empty_are_passed_over(side, first):
    book = Ladder()
    for word in range(5):
        book.set(side, side * (first + 64 * word), 1)
    for word in (1, 2, 3):
        book.set(side, side * (first + 64 * word), 0)
    book.set(side, side * (first + 6000), 1)  # in another page
    book.set(side, side * (first + 6000), 0)
    best = side * (first + 256)
    assert (book.best_bid if side == BID else book.best_ask) == best
    assert next_level(book.books, 0 if side == BID else 1, best) == side * first
    assert book.depth(side) == [(best, 1), (side * first, 1)]


@pytest.mark.parametrize("side", [BID, ASK])
def test_so_are_those_of_the_page_that_a_search_enters(side):
    book = Ladder()
    for ticks in (4096, 4096 + 64, 4096 + 128, 9000):
        book.set(side, side * ticks, ticks)
    book.set(side, side * (4096 + 128), 0)
    book.set(side, side * (4096 + 64), 0)
    assert book.depth(side) == [(side * 9000, 9000), (side * 4096, 4096)]
    book.set(side, side * 9000, 0)
    assert book.depth(side) == [(side * 4096, 4096)]


def test_clearing_one_side_leaves_the_other():
    book = Ladder()
    for ticks in (-5000, 99, 7000):
        book.set(BID, ticks, 1)
        book.set(ASK, ticks + 1, 2)
    book.clear(BID)
    assert (book.best_bid, book.depth(BID)) == (None, [])
    assert book.depth(ASK) == [(-4999, 2), (100, 2), (7001, 2)]
    book.validate()
    book.set(BID, 99, 3)
    assert book.depth(BID) == [(99, 3)]


# ---------------------------------------------------------------- memory


def test_it_grows_beyond_its_first_pages_without_forgetting():
    book = Ladder()
    prices_far_apart = [i * 4096 * (-1) ** i for i in range(150)]
    for ticks in prices_far_apart:
        book.set(BID, ticks, 1 + abs(ticks))
    assert book.depth(BID) == [(ticks, 1 + abs(ticks)) for ticks in sorted(prices_far_apart, reverse=True)]
    book.validate()


def test_books_say_when_they_are_full_and_grow_in_room_only():
    books = new_books(2, pages=3)
    for i in range(3):
        assert not is_full(books)
        set_level(books, 1, i * 4096, 7)
    assert is_full(books)
    grown = grow_books(books)
    assert not is_full(grown)
    for i in range(3):
        set_level(grown, 0, i * 4096, 5)
    assert is_full(grown)
    assert [level_of(grown, 1, i * 4096) for i in range(3)] == [7, 7, 7]
    assert best_of(grown, 0) == 2 * 4096
    assert best_of(books, 0) == NO_BID  # the old memory is untouched


def test_rows_are_books_of_their_own():
    books = new_books(6)
    for row in range(6):
        set_level(books, row, 100 + row, row + 1)
    assert [best_of(books, row) for row in range(6)] == [100, 101, 102, 103, 104, 105]
    assert [[level_of(books, row, 100 + i) for i in range(6)] for row in range(6)] == np.diag(range(1, 7)).tolist()
    clear_row(books, 3)
    assert [best_of(books, row) for row in range(6)] == [100, 101, 102, NO_ASK, 104, 105]


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("side", [0, 2, -2])
def test_a_side_is_plus_or_minus_one(side):
    book = Ladder()
    for command in (lambda: book.set(side, 1, 1), lambda: book.lots(side, 1), lambda: book.depth(side)):
        with pytest.raises(InputError, match=rf"^side is {side}; allowed: \+1 \(bid\) or -1 \(ask\)$"):
            command()
    if side:
        with pytest.raises(InputError, match=f"^side is {side}; allowed"):
            book.clear(side)


@pytest.mark.parametrize("ticks", [LOWEST - 1, HIGHEST + 1, NO_BID, NO_ASK, 2**62])
def test_prices_have_32_bits(ticks):
    book = Ladder()
    for command in (lambda: book.set(BID, ticks, 1), lambda: book.lots(BID, ticks)):
        with pytest.raises(InputError, match=f"^ticks is {ticks}; allowed: a 32-bit integer$"):
            command()


@pytest.mark.parametrize("lots", [-1, 2**63])
def test_sizes_are_not_negative_and_have_63_bits(lots):
    with pytest.raises(InputError, match=f"^lots is {lots}; allowed: "):
        Ladder().set(ASK, 1, lots)


# ---------------------------------------------------------------- what validate finds


def damaged(place, change):
    """A book with bids at 99 and 98 and an ask at 101, whose memory was changed at a place of the bids' page or row."""
    book = Ladder()
    for side, ticks, lots in ((BID, 99, 5), (BID, 98, 7), (ASK, 101, 3)):
        book.set(side, ticks, lots)
    book.validate()
    page = int(book.books[_HEAD + _DIRECTORY + (_LEAVES >> 1)])
    where = {"page": page, "bid": _HEAD, "ask": _HEAD + _ROW}[place[0]] + place[1]
    book.books[where] = change(book.books[where])
    return book


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        (("page", _LOTS + 99), lambda _: 0, "bid: the marks of page 524288 say where its levels are"),
        (("page", _LOTS + 50), lambda _: 4, "bid: the marks of page 524288 say where its levels are"),
        (("page", _MARKS + 1), lambda marks: marks | 1, "bid: the marks of page 524288 say where its levels are"),
        (("page", _SUMMARY), lambda _: 0, "bid: the summary of page 524288 misses no word"),
        (("bid", _TOWER[0] + (524_288 >> 6)), lambda _: 0, "bid: page 524288 is marked as existing on floor 0 of the tower"),
        (("bid", _TOWER[1] + (524_288 >> 12)), lambda _: 0, "bid: page 524288 is marked as existing on floor 1 of the tower"),
        (("bid", _TOWER[2] + (524_288 >> 18)), lambda _: 0, "bid: page 524288 is marked as existing on floor 2 of the tower"),
        (("bid", _TOWER[3]), lambda _: 0, "bid: page 524288 is marked as existing on floor 3 of the tower"),
        (("page", _LOTS + 98), lambda _: -7, "bid: no level holds a negative number of lots"),
        (("bid", _BEST), lambda _: 98, "bid: the best price is 99, not 98"),
        (("ask", _BEST), lambda _: NO_ASK, f"ask: the best price is 101, not {NO_ASK}"),
    ],
)
def test_validate_names_the_broken_invariant(place, change, message):
    with pytest.raises(AssertionError) as caught:
        damaged(place, change).validate()
    assert str(caught.value) == message


def test_a_summary_may_promise_too_much_until_the_next_search():
    book = damaged(("page", _SUMMARY), lambda summary: summary | (1 << 40))
    book.validate()
    book.set(BID, 99, 0)
    assert book.best_bid == 98
