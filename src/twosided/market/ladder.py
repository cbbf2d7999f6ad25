"""A price ladder: how many lots rest at each price, and what the best price is.

A side is cut into pages of 4,096 prices, and a page into 64 words of 64 bits, the *marks*, that say which prices hold anything;
one more word, the *summary*, says which marks may not be zero (set when a level appears, mended by the next search). Pages exist
only where there have been orders, so any 32-bit price is allowed and an outlier costs one page. Setting a level is a look-up in
the directory of pages and three stores, without an unpredictable branch. Removing the best level finds the next one with two
bit searches inside its page. The worst case is a best level that leaves nothing behind in its page: the other pages are then
found in a bitmap of 16,384 words, a few microseconds if the next order is at the far end of the range. `benchmarks/ladder.py`
measures both.

The whole of it, for any number of books, is one array of 64-bit integers, so that compiled code passes one argument:

    [ next free page, number of pages, where pages begin ] [ a block for every row ] [ page 1 ] [ page 2 ] ...

A *row* is one side of one book. A row's block is its best price, the bitmap of pages that exist, and the directory from page of
prices to page of memory (0: none). `Ladder` wraps one book for use from Python.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled, highest_bit, lowest_bit
from twosided.errors import InputError

__all__ = [
    "ASK",
    "BID",
    "NO_ASK",
    "NO_BID",
    "Ladder",
    "best_of",
    "clear_row",
    "grow_books",
    "is_full",
    "level_of",
    "new_books",
    "next_level",
    "set_level",
]

BID, ASK = 1, -1
"""Sides, as everywhere in this package."""

NO_BID, NO_ASK = -(1 << 40), 1 << 40
"""Best prices of an empty side: worse than any price, so that ``bid < ask`` still holds."""

_HEAD = 3  # words before the rows
_FREE, _PAGES, _BASE = 0, 1, 2  # next free page, number of pages, where page 0 would begin
_BEST = 0  # words of a row's block
_USED = 8  # bitmap of pages that exist
_N_USED = 1 << 14
_DIRECTORY = _USED + _N_USED
_N_DIRECTORY = 1 << 20
_ROW = _DIRECTORY + _N_DIRECTORY
_SUMMARY, _MARKS, _LOTS = 0, 8, 72  # words of a page
_PAGE = _LOTS + 4096

Books = npt.NDArray[np.int64]


def new_books(rows: int, pages: int = 64) -> Books:
    """Return memory for *rows* empty sides; memory is touched only where prices appear. Even rows are bids, odd rows asks."""
    books = np.zeros(_HEAD + rows * _ROW + (pages + 1) * _PAGE, np.int64)
    books[_FREE], books[_PAGES], books[_BASE] = 1, pages, _HEAD + rows * _ROW
    for row in range(rows):
        books[_HEAD + row * _ROW + _BEST] = NO_BID if row % 2 == 0 else NO_ASK
    return books


def grow_books(books: Books) -> Books:
    """Return *books* with room for twice as many pages; content and results stay the same."""
    pages, start = int(books[_PAGES]), int(books[_BASE])
    larger = np.zeros(start + (2 * pages + 1) * _PAGE, np.int64)
    used = np.flatnonzero(books[:start])
    larger[used] = books[used]
    larger[start : start + (pages + 1) * _PAGE] = books[start:]
    larger[_PAGES] = 2 * pages
    return larger


def _is_full(books: Any) -> bool:
    """Say whether the next `set_level` might find no free page: call `grow_books` first."""
    return bool(books[_FREE] > books[_PAGES])


is_full = compiled(_is_full)


def _page_at(books: Any, row: int, ticks: int) -> int:
    """Return where in *books* the page of *ticks* begins, 0 where there is none."""
    number = books[_HEAD + row * _ROW + _DIRECTORY + (ticks >> 12) + (_N_DIRECTORY >> 1)]
    if number == 0:
        return 0
    return int(books[_BASE] + number * _PAGE)


_page_at_c = compiled(_page_at)


def _level_of(books: Any, row: int, ticks: int) -> int:
    """Return the lots at *ticks*."""
    page = _page_at_c(books, row, ticks)
    if page == 0:
        return 0
    return int(books[page + _LOTS + (ticks & 4095)])


level_of = compiled(_level_of)


def _best_of(books: Any, row: int) -> int:
    """Return the best price of a row, `NO_BID` or `NO_ASK` when it is empty."""
    return int(books[_HEAD + row * _ROW + _BEST])


best_of = compiled(_best_of)


def _set_level(books: Any, row: int, ticks: int, lots: int) -> int:
    """Let the level at *ticks* hold *lots* (0 removes it) and return what it held before."""
    head = _HEAD + row * _ROW
    entry = head + _DIRECTORY + (ticks >> 12) + (_N_DIRECTORY >> 1)
    number = books[entry]
    if number == 0:
        if lots == 0:
            return 0
        number = _add_page(books, head, entry)
    page = books[_BASE] + number * _PAGE
    place = ticks & 4095
    old = books[page + _LOTS + place]
    books[page + _LOTS + place] = lots
    # without branches: whether a level appears or leaves cannot be predicted, and a wrong guess costs more than the stores
    present = np.int64(lots != 0)
    word, bit = place >> 6, place & 63
    books[page + _MARKS + word] = (books[page + _MARKS + word] & ~(np.int64(1) << np.int64(bit))) | (present << np.int64(bit))
    books[page + _SUMMARY] |= present << np.int64(word)
    best = books[head + _BEST]
    if lots != 0:
        if (ticks - best) * (1 - 2 * (row & 1)) > 0:
            books[head + _BEST] = ticks
    elif ticks == best:
        books[head + _BEST] = next_level(books, row, ticks)
    return int(old)


def _new_page(books: Any, head: int, entry: int) -> int:
    """Take the next free page for a directory *entry* and return its number."""
    number = books[_FREE]
    books[_FREE] = number + 1
    books[entry] = number
    leaf = entry - head - _DIRECTORY
    books[head + _USED + (leaf >> 6)] |= np.int64(1) << np.int64(leaf & 63)
    return int(number)


_add_page = compiled(_new_page)


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


def _next_level(books: Any, row: int, ticks: int) -> int:
    """Return the next price with lots beyond *ticks*, away from the touch; `NO_BID` or `NO_ASK` where there is none."""
    head, down = _HEAD + row * _ROW, row & 1 == 0
    leaf = (ticks >> 12) + (_N_DIRECTORY >> 1)
    page = _page_at_c(books, row, ticks)
    if page != 0:
        place = _next_place(books, page, ticks & 4095, down)
        if place >= 0:
            return int((leaf - (_N_DIRECTORY >> 1)) * 4096 + place)
    group = leaf >> 6
    leaves = books[head + _USED + group]
    leaves = _bits_below(leaves, leaf & 63) if down else _bits_above(leaves, leaf & 63)
    while True:
        while leaves != 0:
            bit = highest_bit(leaves) if down else lowest_bit(leaves)
            leaves &= ~(np.int64(1) << np.int64(bit))
            leaf = group * 64 + bit
            page = books[_BASE] + books[head + _DIRECTORY + leaf] * _PAGE
            place = _best_place(books, page, down)
            if place >= 0:
                return int((leaf - (_N_DIRECTORY >> 1)) * 4096 + place)
        group += -1 if down else 1
        if group < 0 or group >= _N_USED:
            return NO_BID if down else NO_ASK
        leaves = books[head + _USED + group]


next_level = compiled(_next_level)
set_level = compiled(_set_level, inline=True)


def _clear_row(books: Any, row: int) -> None:
    """Remove all levels of a row: as many steps as it has pages, times the size of a page."""
    head = _HEAD + row * _ROW
    for group in range(_N_USED):
        leaves = books[head + _USED + group]
        while leaves != 0:
            bit = lowest_bit(leaves)
            leaves &= ~(np.int64(1) << np.int64(bit))
            page = books[_BASE] + books[head + _DIRECTORY + group * 64 + bit] * _PAGE
            if books[page + _SUMMARY] != 0:
                for offset in range(page, page + _PAGE):
                    books[offset] = 0
    books[head + _BEST] = NO_BID if row & 1 == 0 else NO_ASK


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
            _validate_row(self.books, self._row(side))

    @staticmethod
    def _row(side: int) -> int:
        if side not in {BID, ASK}:
            raise InputError(f"side is {side}; allowed: +1 (bid) or -1 (ask)")
        return 0 if side == BID else 1


def _require_ticks(ticks: int) -> None:
    """Refuse a price outside the ladder: compiled code would read memory that is not the book's."""
    if not -(2**31) <= ticks < 2**31:
        raise InputError(f"ticks is {ticks}; allowed: a 32-bit integer")


def _validate_row(books: Books, row: int) -> None:
    """Check one row; see `Ladder.validate`."""
    head, name = _HEAD + row * _ROW, "bid" if row % 2 == 0 else "ask"
    directory = books[head + _DIRECTORY : head + _ROW]
    levels: dict[int, int] = {}
    for leaf in np.flatnonzero(directory):
        page = books[_BASE] + int(directory[leaf]) * _PAGE
        lots = books[page + _LOTS : page + _PAGE]
        base = (int(leaf) - (_N_DIRECTORY >> 1)) * 4096
        levels |= {base + int(place): int(lots[place]) for place in np.flatnonzero(lots)}
        bits = np.unpackbits(books[page + _MARKS : page + _LOTS].view(np.uint8), bitorder="little")
        _require(np.array_equal(bits != 0, lots != 0), f"{name}: the marks of page {leaf} say where its levels are")
        words = np.unpackbits(books[page + _SUMMARY : page + _SUMMARY + 1].view(np.uint8), bitorder="little")
        _require(
            bool((words.astype(bool) | ~lots.reshape(64, 64).any(axis=1)).all()),
            f"{name}: the summary of page {leaf} misses no word",
        )
        _require(bool(books[head + _USED + (leaf >> 6)] >> (leaf & 63) & 1), f"{name}: page {leaf} is marked as existing")
    _require(all(lots > 0 for lots in levels.values()), f"{name}: no level holds a negative number of lots")
    best = (max(levels, default=NO_BID)) if row % 2 == 0 else (min(levels, default=NO_ASK))
    _require(int(books[head + _BEST]) == best, f"{name}: the best price is {best}, not {books[head + _BEST]}")


def _require(holds: bool, invariant: str) -> None:
    if not holds:
        raise AssertionError(invariant)
