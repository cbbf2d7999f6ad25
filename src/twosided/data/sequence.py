"""What follows what in a book that is a snapshot and numbered changes: rules without files or sockets.

The rules are Binance's ("How to manage a local order book correctly", developers.binance.com, spot and USD-M futures). Update ids
only grow. A change covers ``first_id`` to ``last_id`` (``U``, ``u``); on futures, where ids are shared with other symbols and so
have holes, it names the ``previous_id`` (``pu``) that it follows.
"""

from collections import deque
from enum import Enum
from typing import Any, NamedTuple

__all__ = ["BookSequence", "Change", "Verdict"]

_MOST_KEPT = 10_000


class Change(NamedTuple):
    """One numbered change; *what* is the caller's own."""

    first_id: int
    last_id: int
    previous_id: int | None  # futures only
    what: Any = None


class Verdict(Enum):
    """What is to be done with a change."""

    APPLY = "it follows"
    GAP = "apply it, but something before it is missing"
    STALE = "leave it out: the book contains it"
    COVERED = "leave it out: the snapshot before it contains it"
    WAIT = "keep it back until there is a snapshot"


class BookSequence:
    """Decides, change by change, whether a book is whole.

    Changes that arrive before the snapshot that they belong on are kept (the latest 10,000) and handed back with it.

    Args:
        wait: whether changes are kept back until the first snapshot, instead of being applied to an empty book.

    >>> book = BookSequence(wait=True)
    >>> book.change(Change(5, 7, None)), book.change(Change(8, 9, None))
    (<Verdict.WAIT: 'keep it back until there is a snapshot'>, <Verdict.WAIT: 'keep it back until there is a snapshot'>)
    >>> [(change.first_id, change.last_id) for change in book.snapshot(7)]
    [(8, 9)]
    >>> book.change(Change(8, 9, None)), book.change(Change(12, 13, None))
    (<Verdict.APPLY: 'it follows'>, <Verdict.GAP: 'apply it, but something before it is missing'>)
    """

    def __init__(self, *, wait: bool) -> None:
        self.wait = wait
        self.last_id: int | None = None  # where the book stands
        self._snapshot_id: int | None = None  # set from a snapshot to the first change after it
        self._whole = False
        self._lost_at = -1  # the last id of which the book was whole
        self._kept: deque[Change] = deque(maxlen=_MOST_KEPT)

    def change(self, change: Change) -> Verdict:
        """Say what is to be done with the next change, and take it as done."""
        if self.wait:
            self._kept.append(change)
            return Verdict.WAIT
        if self._snapshot_id is not None and change.last_id <= self._snapshot_id:
            return Verdict.COVERED
        if self.last_id is not None and change.last_id <= self.last_id:
            return Verdict.STALE
        joins = self.last_id is None or self._joins(change)
        if not joins and self._whole:
            self._whole, self._lost_at = False, self.last_id or -1
        if not joins:
            self._kept.clear()
        if not self._whole:
            self._kept.append(change)
        self.last_id, self._snapshot_id = change.last_id, None
        return Verdict.APPLY if joins else Verdict.GAP

    def snapshot(self, update_id: int) -> list[Change] | None:
        """Take a snapshot; return the changes to give to `change` again after it, None where it is older than the book."""
        if update_id <= (self._lost_at if not self._whole else self.last_id or -1):
            return None
        again = [change for change in self._kept if change.last_id > update_id]
        self._kept.clear()
        self.wait, self._whole = False, True
        self.last_id = self._snapshot_id = update_id
        return again

    def _joins(self, change: Change) -> bool:
        if self._snapshot_id is not None:
            if change.previous_id is None:
                return change.first_id <= self._snapshot_id + 1
            return change.first_id <= self._snapshot_id or change.previous_id <= self._snapshot_id
        if change.previous_id is None:
            return change.first_id == (self.last_id or 0) + 1
        return change.previous_id == self.last_id
