"""A price ladder: how many lots rest at each price, and what the best price is.

A side is cut into pages of 4,096 prices, and a page into 64 words of 64 bits, the *marks*, that say which prices hold anything;
one more word, the *summary*, says which marks may not be zero (set when a level appears, mended by the next search). Pages exist
only where there have been orders, so any 32-bit price is allowed and an outlier costs one page; a *tower* of bitmaps says which
exist, each with a bit for every word of the one below that is not zero. Setting a level is a look-up in the directory of pages and
three stores, without an unpredictable branch. Removing the best level finds the next one with two bit searches inside its page. The
worst case is a best level that leaves nothing behind in its page: up the tower and down again, for each page on the way that was
left empty, some tens of nanoseconds together where there are few. `benchmarks/ladder.py` measures setting a level.

The whole of it, for any number of books, is one array of 64-bit integers, so that compiled code passes one argument:

    [ where the next page begins, where the first one does, where memory ends ] [ a block for every row ] [ page ] [ page ] ...
    page = [ summary, marks; the rest of 4,096 words is not used ] [ lots ] [ first in line ] [ last in line ]

A *row* is one side of one book. A row's block is its best price, the tower, and the directory from page of prices to where that
page begins (0: none). The *place* of a price is where its lots are counted; two more words for every price, `FIRST_IN_LINE` and
`LAST_IN_LINE` behind that place, are for books by order (`market/order_queues.py`) and are never touched here. `Ladder` wraps one
book for use from Python.
"""

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled, highest_bit, lowest_bit
from twosided.errors import InputError

__all__ = [
    "ASK",
    "BID",
    "FIRST_IN_LINE",
    "LAST_IN_LINE",
    "NO_ASK",
    "NO_BID",
    "Ladder",
    "best_of",
    "clear_row",
    "free_pages",
    "grow_books",
    "improvement",
    "is_full",
    "level_of",
    "make_place",
    "mark_of",
    "move_best",
    "new_books",
    "next_level",
    "place_at",
    "require",
    "set_level",
    "validate_row",
    "write_level",
]

BID, ASK = 1, -1
"""Sides, as everywhere in this package."""

NO_BID, NO_ASK = -(1 << 40), 1 << 40
"""Best prices of an empty side: worse than any price, so that ``bid < ask`` still holds."""

_HEAD = 8  # words before the rows
_FREE, _START, _END = 0, 1, 2  # where the next page will begin, where the first one does, where memory ends
_PAGE = 1 << 14  # words of a page, which begins at a multiple of them
_SUMMARY, _MARKS, _LOTS = 0, 64, 4096
FIRST_IN_LINE, LAST_IN_LINE = 4096, 8192
"""Where, behind a price's place, a book by order keeps the first and the last order of the queue there."""
_LEAVES = 1 << 20  # pages that a row may have
_BEST = 0  # words of a row's block
_TOWER = (8, 8 + (1 << 14), 8 + (1 << 14) + (1 << 8), 8 + (1 << 14) + (1 << 8) + (1 << 2))  # one word at the top
_DIRECTORY = _TOWER[3] + 4
_ROW = _DIRECTORY + _LEAVES

Books = npt.NDArray[np.int64]


def _zeros(words: int) -> Books:
    """Return zeros that cost memory and time only where they are written: numpy's would come in pages of 2 MB, one for each row."""
    return np.frombuffer(mmap.mmap(-1, 8 * words, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), np.int64)


def new_books(rows: int, pages: int = 64) -> Books:
    """Return memory for *rows* empty sides; memory is touched only where prices appear. Even rows are bids, odd rows asks."""
    start = (_HEAD + rows * _ROW + _PAGE - 1) // _PAGE * _PAGE
    books = _zeros(start + pages * _PAGE)
    books[_FREE], books[_START], books[_END] = start, start, len(books)
    for row in range(rows):
        books[_HEAD + row * _ROW + _BEST] = NO_BID if row % 2 == 0 else NO_ASK
    return books


def grow_books(books: Books) -> Books:
    """Return *books* with room for twice as many pages; content and results stay the same."""
    start, end = int(books[_START]), int(books[_END])
    larger = _zeros(end + end - start)
    used = np.flatnonzero(books)
    larger[used] = books[used]
    larger[_END] = len(larger)
    return larger


def _is_full(books: Any) -> bool:
    """Say whether the next `set_level` might find no free page: call `grow_books` first."""
    return bool(books[_FREE] >= books[_END])


is_full = compiled(_is_full)


def _free_pages(books: Any) -> int:
    """Return how many pages are free: a level that is set needs one at most."""
    return int((books[_END] - books[_FREE]) // _PAGE)


free_pages = compiled(_free_pages)


def _page_at(books: Any, row: int, ticks: int) -> int:
    """Return where in *books* the page of *ticks* begins, 0 where there is none."""
    return int(books[_HEAD + row * _ROW + _DIRECTORY + (ticks >> 12) + (_LEAVES >> 1)])


_page_at_c = compiled(_page_at)


def _add_page(books: Any, row: int, ticks: int) -> int:
    """Take the next free page for the prices around *ticks* and return where it begins."""
    head, leaf, page = _HEAD + row * _ROW, (ticks >> 12) + (_LEAVES >> 1), books[_FREE]
    books[_FREE] = page + _PAGE
    books[head + _DIRECTORY + leaf] = page
    for floor in range(4):
        books[head + _TOWER[floor] + (leaf >> 6)] |= np.int64(1) << np.int64(leaf & 63)
        leaf >>= 6
    return int(page)


_add_page_c = compiled(_add_page)


def _place_at(books: Any, row: int, ticks: int) -> int:
    """Return where in *books* the lots at *ticks* are counted, 0 where there is no page for them."""
    page = _page_at_c(books, row, ticks)
    return int(page + _LOTS + (ticks & 4095)) if page != 0 else 0


place_at = compiled(_place_at)


def _make_place(books: Any, row: int, ticks: int) -> int:
    """Return where in *books* the lots at *ticks* are counted; a page that does not exist is made."""
    page = _page_at_c(books, row, ticks)
    if page == 0:
        page = _add_page_c(books, row, ticks)
    return int(page + _LOTS + (ticks & 4095))


make_place = compiled(_make_place)


def _level_of(books: Any, row: int, ticks: int) -> int:
    """Return the lots at *ticks*."""
    place = place_at(books, row, ticks)
    return int(books[place]) if place != 0 else 0


level_of = compiled(_level_of)


def _mark_of(books: Any, row: int, ticks: int) -> int:
    """Return 1 where there is a level at *ticks*, else 0, without a branch.

    A mark is one bit, where the level's lots may be a line of memory that nobody has read. Without a page (0), what is read lies in
    the array's head, and does not count.
    """
    page = _page_at_c(books, row, ticks)
    place = ticks & 4095
    return int((books[page + _MARKS + (place >> 6)] >> np.int64(place & 63)) & np.int64(page != 0))


mark_of = compiled(_mark_of)


def _best_of(books: Any, row: int) -> int:
    """Return the best price of a row, `NO_BID` or `NO_ASK` when it is empty."""
    return int(books[_HEAD + row * _ROW + _BEST])


best_of = compiled(_best_of)


def _improvement(books: Any, row: int, ticks: int) -> int:
    """Return by how many ticks *ticks* is better than the best price: 0 there, negative behind it."""
    return int((ticks - books[_HEAD + row * _ROW + _BEST]) * (1 - 2 * (row & 1)))


improvement = compiled(_improvement)


def _write_level(books: Any, row: int, ticks: int, lots: int) -> int:
    """Let the level at *ticks* hold *lots* and return what it held before; the best price is left to `move_best`."""
    page = _page_at_c(books, row, ticks)
    if page == 0:
        if lots == 0:
            return 0
        page = _add_page_c(books, row, ticks)
    place = ticks & 4095
    old = books[page + _LOTS + place]
    books[page + _LOTS + place] = lots
    # without branches: whether a level appears or leaves cannot be predicted, and a wrong guess costs more than the stores
    present = np.int64(lots != 0)
    word, bit = place >> 6, place & 63
    books[page + _MARKS + word] = (books[page + _MARKS + word] & ~(np.int64(1) << np.int64(bit))) | (present << np.int64(bit))
    books[page + _SUMMARY] |= present << np.int64(word)
    return int(old)


write_level = compiled(_write_level, inline=True)


def _below(word: Any, index: int) -> Any:
    """Return *word* with only the bits below *index*."""
    return word & ~(np.int64(-1) << np.int64(index))


_bits_below = compiled(_below)


def _above(word: Any, index: int) -> Any:
    """Return *word* with only the bits above *index*."""
    return word & (np.int64(-2) << np.int64(index))


_bits_above = compiled(_above)


def _best_in_page(books: Any, page: int, down: bool) -> int:
    """Return the place (0 to 4095) of the best level of a page, -1 where it is empty; mends the summary as it goes."""
    summary = books[page + _SUMMARY]
    while summary != 0:
        word = highest_bit(summary) if down else lowest_bit(summary)
        marks = books[page + _MARKS + word]
        if marks != 0:
            return int(word * 64 + (highest_bit(marks) if down else lowest_bit(marks)))
        summary &= ~(np.int64(1) << np.int64(word))
        books[page + _SUMMARY] = summary
    return -1


_best_place = compiled(_best_in_page)


def _next_in_page(books: Any, page: int, place: int, down: bool) -> int:
    """Return the place of the next level beyond *place* in a page, -1 where there is none."""
    word = place >> 6
    marks = books[page + _MARKS + word]
    marks = _bits_below(marks, place & 63) if down else _bits_above(marks, place & 63)
    summary = books[page + _SUMMARY]
    summary = _bits_below(summary, word) if down else _bits_above(summary, word)
    while marks == 0 and summary != 0:
        word = highest_bit(summary) if down else lowest_bit(summary)
        summary &= ~(np.int64(1) << np.int64(word))
        marks = books[page + _MARKS + word]
    if marks == 0:
        return -1
    return int(word * 64 + (highest_bit(marks) if down else lowest_bit(marks)))


_next_place = compiled(_next_in_page)


def _next_leaf(books: Any, head: int, leaf: int, down: bool) -> int:
    """Return the next leaf beyond *leaf* that has a page, -1 where there is none: up the tower to a bit that is set, and down."""
    floor, found = 0, np.int64(0)
    while found == 0:
        if floor == 4:
            return -1
        found = books[head + _TOWER[floor] + (leaf >> 6)]
        found = _bits_below(found, leaf & 63) if down else _bits_above(found, leaf & 63)
        leaf >>= 6
        floor += 1
    while True:
        floor -= 1
        leaf = leaf * 64 + (highest_bit(found) if down else lowest_bit(found))
        if floor == 0:
            return int(leaf)
        found = books[head + _TOWER[floor - 1] + leaf]


_next_leaf_c = compiled(_next_leaf)


def _next_level(books: Any, row: int, ticks: int) -> int:
    """Return the next price with lots beyond *ticks*, away from the touch; `NO_BID` or `NO_ASK` where there is none."""
    head, down = _HEAD + row * _ROW, row & 1 == 0
    leaf, page = (ticks >> 12) + (_LEAVES >> 1), _page_at_c(books, row, ticks)
    place = _next_place(books, page, ticks & 4095, down) if page != 0 else -1
    while place < 0:
        leaf = _next_leaf_c(books, head, leaf, down)
        if leaf < 0:
            return NO_BID if down else NO_ASK
        place = _best_place(books, books[head + _DIRECTORY + leaf], down)
    return int((leaf - (_LEAVES >> 1)) * 4096 + place)


next_level = compiled(_next_level)


def _move_best(books: Any, row: int, ticks: int, lots: int, improved: int) -> None:
    """Let the best price follow a level that now holds *lots* and was by *improved* ticks better than the best before."""
    if improved + np.int64(lots == 0) > 0:  # a better level, or the best one leaves: one rare branch
        if lots != 0:
            books[_HEAD + row * _ROW + _BEST] = ticks
        elif improved == 0:
            books[_HEAD + row * _ROW + _BEST] = next_level(books, row, ticks)


move_best = compiled(_move_best, inline=True)


def _set_level(books: Any, row: int, ticks: int, lots: int) -> int:
    """Let the level at *ticks* hold *lots* (0 removes it) and return what it held before."""
    improved = improvement(books, row, ticks)
    old = write_level(books, row, ticks, lots)
    move_best(books, row, ticks, lots, improved)
    return int(old)


set_level = compiled(_set_level, inline=True)


def _clear_row(books: Any, row: int) -> None:
    """Remove all levels of a row: as many steps as it has levels."""
    best = best_of(books, row)
    while best not in (NO_BID, NO_ASK):
        set_level(books, row, best, 0)
        best = best_of(books, row)


clear_row = compiled(_clear_row)


class Ladder:
    """One book by level: a bid side and an ask side.

    >>> book = Ladder()
    >>> book.set(BID, 99, 5); book.set(ASK, 101, 3)
    0
    0
    >>> book.best_bid, book.best_ask, book.mid, book.spread
    (99, 101, 100.0, 2)
    """

    def __init__(self) -> None:
        self.books = new_books(2)

    def set(self, side: int, ticks: int, lots: int) -> int:
        """Let the level at *ticks* hold *lots*; 0 removes it. Return what it held before.

        Raises:
            InputError: a side that is not ±1, a price beyond 32 bits, or a size that is negative or beyond 63 bits.
        """
        row = self._row(side)
        _require_ticks(ticks)
        if not 0 <= lots < 2**63:
            raise InputError(f"lots is {lots}; allowed: 0 to 2^63 - 1")
        if is_full(self.books):
            self.books = grow_books(self.books)
        return int(set_level(self.books, row, ticks, lots))

    def lots(self, side: int, ticks: int) -> int:
        """Return the lots at *ticks*.

        Raises:
            InputError: a side that is not ±1, or a price beyond 32 bits.
        """
        row = self._row(side)
        _require_ticks(ticks)
        return int(level_of(self.books, row, ticks))

    def clear(self, side: int = 0) -> None:
        """Remove all levels of *side*, of both with 0.

        Raises:
            InputError: a side that is none of these.
        """
        for each in (BID, ASK) if side == 0 else (side,):
            clear_row(self.books, self._row(each))

    @property
    def best_bid(self) -> int | None:
        """The highest bid in ticks, None without one."""
        best = int(best_of(self.books, 0))
        return None if best == NO_BID else best

    @property
    def best_ask(self) -> int | None:
        """The lowest ask in ticks, None without one."""
        best = int(best_of(self.books, 1))
        return None if best == NO_ASK else best

    @property
    def mid(self) -> float | None:
        """Half-way between the best prices in ticks, None unless both exist."""
        return None if self.best_bid is None or self.best_ask is None else (self.best_bid + self.best_ask) / 2

    @property
    def spread(self) -> int | None:
        """Best ask minus best bid in ticks, None unless both exist; not positive in a crossed book."""
        return None if self.best_bid is None or self.best_ask is None else self.best_ask - self.best_bid

    def depth(self, side: int, levels: int | None = None) -> list[tuple[int, int]]:
        """Return (ticks, lots) of the best *levels* of a side, all of them by default, best first.

        Raises:
            InputError: a side that is not ±1.
        """
        row = self._row(side)
        found: list[tuple[int, int]] = []
        ticks = int(best_of(self.books, row))
        while ticks not in {NO_BID, NO_ASK} and (levels is None or len(found) < levels):
            found.append((ticks, self.lots(side, ticks)))
            ticks = int(next_level(self.books, row, ticks))
        return found

    def validate(self) -> None:
        """Check every invariant of the structure against the plain content of its pages.

        Raises:
            AssertionError: naming the invariant that does not hold.
        """
        for side in (BID, ASK):
            validate_row(self.books, self._row(side))

    @staticmethod
    def _row(side: int) -> int:
        if side not in {BID, ASK}:
            raise InputError(f"side is {side}; allowed: +1 (bid) or -1 (ask)")
        return 0 if side == BID else 1


def _require_ticks(ticks: int) -> None:
    """Refuse a price outside the ladder: compiled code would read memory that is not the book's."""
    if not -(2**31) <= ticks < 2**31:
        raise InputError(f"ticks is {ticks}; allowed: a 32-bit integer")


def validate_row(books: Books, row: int) -> None:
    """Check one row as `Ladder.validate` does.

    Raises:
        AssertionError: naming the invariant that does not hold.
    """
    head, name = _HEAD + row * _ROW, "bid" if row % 2 == 0 else "ask"
    directory = books[head + _DIRECTORY : head + _ROW]
    levels: dict[int, int] = {}
    for leaf in np.flatnonzero(directory):
        page = int(directory[leaf])
        lots = books[page + _LOTS : page + _LOTS + 4096]
        base = (int(leaf) - (_LEAVES >> 1)) * 4096
        levels |= {base + int(place): int(lots[place]) for place in np.flatnonzero(lots)}
        bits = np.unpackbits(books[page + _MARKS : page + _MARKS + 64].view(np.uint8), bitorder="little")
        require(np.array_equal(bits != 0, lots != 0), f"{name}: the marks of page {leaf} say where its levels are")
        words = np.unpackbits(books[page + _SUMMARY : page + _SUMMARY + 1].view(np.uint8), bitorder="little")
        require(
            bool((words.astype(bool) | ~lots.reshape(64, 64).any(axis=1)).all()),
            f"{name}: the summary of page {leaf} misses no word",
        )
        for floor in range(4):
            at = int(leaf) >> 6 * floor
            marked = bool(books[head + _TOWER[floor] + (at >> 6)] >> (at & 63) & 1)
            require(marked, f"{name}: page {leaf} is marked as existing on floor {floor} of the tower")
    require(all(lots > 0 for lots in levels.values()), f"{name}: no level holds a negative number of lots")
    best = (max(levels, default=NO_BID)) if row % 2 == 0 else (min(levels, default=NO_ASK))
    require(int(books[head + _BEST]) == best, f"{name}: the best price is {best}, not {books[head + _BEST]}")


def require(holds: bool, invariant: str) -> None:
    """Raise an AssertionError that names the invariant unless it holds."""
    if not holds:
        raise AssertionError(invariant)
