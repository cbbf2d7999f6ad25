"""Does the rebuilt book agree with the best prices that the venue sent beside it?

A venue's stream of best prices (Binance's bookTicker) says what the touch was after an update id, whenever it changed. So the book
of snapshots and changes alone must show, after the update with id u, the last best price with an id up to u. That can be
checked once a best price with a later id, or the same, was seen; the few updates before the first and after the last best price
cannot be. A file of LOBSTER holds the book itself after every message; there the reader compares.
"""

from typing import Any

import numpy as np

from twosided.data.numbers import Ints

__all__ = ["BookCheck", "RowCheck"]

_ID, _TOUCH, _COLUMNS = 0, slice(1, 5), 5  # columns: update id, bid ticks, bid lots, ask ticks, ask lots
_MOST_WAITING = 1 << 16


class BookCheck:
    """Compares, block by block, in constant memory."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything: the recording is being read anew."""
        self._books: Ints = np.zeros((0, _COLUMNS), np.int64)
        self._quotes: Ints = np.zeros((0, _COLUMNS), np.int64)
        self._compared = self._agreed = self._same_id = self._same_id_agreed = self._too_early = self._unknown = 0
        self._touch: dict[str, Any] = {}

    @property
    def has_quotes(self) -> bool:
        """Whether there were any best prices."""
        return len(self._quotes) > 0

    def see(self, books: Ints, quotes: Ints) -> None:
        """Take in the touch of the book after each update of a block, and its best prices.

        Args:
            books: shape (n, 5): update id, bid ticks, bid lots, ask ticks, ask lots; `NO_BID`, `NO_ASK` where a side is empty.
            quotes: shape (m, 5), likewise; those that come after one of a later id are left out.
        """
        self._books = np.concatenate([self._books, books])
        latest = np.maximum.accumulate(np.append(self._quotes[-1:, _ID], quotes[:, _ID]))
        in_order = quotes[:, _ID] >= latest[len(latest) - len(quotes) :]
        self._quotes = np.concatenate([self._quotes, quotes[in_order]])
        if len(self._quotes):
            self._compare()
        self._unknown += max(len(self._books) - _MOST_WAITING, 0)
        self._books, self._quotes = self._books[-_MOST_WAITING:], self._quotes[-_MOST_WAITING:]

    def say(self, touch: dict[str, Any]) -> None:
        """Add to the result how the touch was made: *touch*, ready for JSON."""
        self._touch = touch

    def _compare(self) -> None:
        ready = self._books[:, _ID] <= self._quotes[-1, _ID]
        books, self._books = self._books[ready], self._books[~ready]
        place = np.searchsorted(self._quotes[:, _ID], books[:, _ID], side="right") - 1
        self._too_early += int(np.count_nonzero(place < 0))
        books, place = books[place >= 0], place[place >= 0]
        quotes = self._quotes[place]
        agree = (books[:, _TOUCH] == quotes[:, _TOUCH]).all(axis=1)
        same = books[:, _ID] == quotes[:, _ID]
        self._compared += len(books)
        self._agreed += int(np.count_nonzero(agree))
        self._same_id += int(np.count_nonzero(same))
        self._same_id_agreed += int(np.count_nonzero(agree & same))
        if len(place):  # keep the quotes that may still be in force for books to come
            self._quotes = self._quotes[place.max() :]

    def result(self) -> dict[str, Any]:
        """Return how many book updates were compared with the best price in force at their id, and how many agreed."""
        return {
            "against": "the venue's best prices",
            "compared": self._compared,
            "agree": self._agreed,
            "share": self._agreed / self._compared if self._compared else None,
            "same_id_compared": self._same_id,
            "same_id_agree": self._same_id_agreed,
            "not_compared": {
                "before the first best price": self._too_early,
                "after the last best price": len(self._books) + self._unknown,
            },
            **self._touch,
        }


class RowCheck:
    """Compares a rebuilt book with the book that the file itself holds, row by row; the reader counts.

    A level of a row is *determined* when it was in view in the row before: then the messages alone say what it holds, and it must
    agree. The others came into view, and are compared too, but what happened to them unseen is nobody's mistake.
    """

    _NAMES = (
        "rows",
        "rows_determined",
        "rows_agree",
        "levels",
        "levels_determined",
        "levels_agree",
        "extra_levels",
        "came_with_more",
        "came_with_less",
        "gone_unseen",
        "borrowed",
    )

    def __init__(self) -> None:
        self._counts = dict.fromkeys(self._NAMES, 0)

    @property
    def has_rows(self) -> bool:
        """Whether there were any."""
        return self._counts["rows"] > 0

    def add(self, *counts: int) -> None:
        """Count more; *counts* in the order of the result of `result`."""
        for name, count in zip(self._NAMES, counts, strict=True):
            self._counts[name] += count

    def clear(self) -> None:
        """Forget everything: the recording is being read anew."""
        self._counts = dict.fromkeys(self._NAMES, 0)

    def result(self) -> dict[str, Any]:
        """Return the counts.

        ``compared`` levels are determined by the messages alone, of which ``agree`` agree; ``share`` is their ratio. ``rows`` and
        ``levels`` are all that the file has, ``rows_determined`` those of which every level is determined, ``rows_agree`` those
        of which no determined level disagrees. ``extra_levels`` are levels of ours, in view, that the file does not have.
        What changed unseen: ``came_with_more``, ``came_with_less`` (levels that came into view with other sizes than ours) and
        ``gone_unseen`` (levels of ours that the file does not show any more). ``borrowed`` messages refer to orders of whose
        arrival nothing was seen.
        """
        compared, agree = self._counts["levels_determined"], self._counts["levels_agree"]
        return {
            "against": "the recorded book",
            "compared": compared,
            "agree": agree,
            "share": agree / compared if compared else None,
            **{name: count for name, count in self._counts.items() if name not in {"levels_determined", "levels_agree"}},
        }
