"""What is wrong with a recording, counted while it is read and told in words.

Defects do not stop a replay; what does is a `DataError`.
"""

from typing import Any

__all__ = ["DEFECTS", "Defects"]

DEFECTS = {
    "gaps": "the sequence of updates has holes: levels may be out of date after each, up to the next snapshot",
    "no_snapshot": "the book begins without a snapshot: levels that never change are missing from it",
    "book_ends_early": "books that stand still while the rest of the recording goes on",
    "orphans": "changes, cancels and fills of orders that are not in the book",
    "duplicate_orders": "new orders with the id of one in the book, which they replace",
    "excess_lots": "cancels and fills of more lots than the order has",
    "stale_updates": "updates older than the book they would change, left out",
    "stale_snapshots": "snapshots older than the book, left out",
    "local_backwards": "messages before which the local clock stepped back by up to a second; their times were moved forward",
    "exch_backwards": "messages whose exchange time lies before that of the message before them",
    "book_time_backwards": "book messages whose exchange time contradicted their sequence numbers; their times were moved forward",
    "exchange_only": "rows of the exchange's side alone (hftbacktest repeats rows in the exchange's order), left out",
    "other_trades": "trades outside the book (insurance fund, liquidation transfers) or of no size, left out",
    "far_levels": "changes of levels at prices beyond 2^31 ticks, where nothing will trade, left out",
    "past_trades": "trades from before the recording began, which the venue repeats at its beginning, left out",
    "checksum_failures": "books whose checksum is not the one that the venue sent: wrong up to the next snapshot",
    "other_messages": "messages of a kind that is not needed, left out",
    "between_ticks": "trades between two ticks (hidden orders, crosses); their prices were moved to the tick that flatters nobody",
    "book_disagreements": "levels of the recorded book that disagree with the messages though these determine them; restated",
    "broken_trades": "trades that the venue took back later; they are still among the events",
    "unplaced_orders": "replacements of orders that were never added: without a side the new one has no place, left out",
    "unpriced_trades": "executions of orders that were never added, at a price that only the order had; no trade is made of them",
    "incomplete_orders": "records of an order or a trade without the price, size or side that they need, left out",
    "hidden_fills": "fills of orders that were never displayed, left out: they take nothing from the book",
    "bad_local_times": "records whose time of receipt the source calls inaccurate",
    "doubtful_books": "records at which the source says that its own book may be wrong",
    "bad_trade_ids": "trades whose id is not a number; their id is 0",
}
"""What is counted, in words."""

_MOST_NOTES = 20


class Defects:
    """Counts of `DEFECTS`, and one note for people on each of the first few.

    >>> defects = Defects()
    >>> defects.add("gaps", note="a.gz, line 7: update 12 follows 10")
    >>> defects.counts, defects["gaps"], defects["orphans"]
    ({'gaps': 1}, 1, 0)
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = dict.fromkeys(DEFECTS, 0)
        self.notes: list[str] = []

    def add(self, name: str, count: int = 1, *, note: str = "") -> None:
        """Count *count* more of a defect; the first few notes are kept."""
        self._counts[name] += count
        if note and count and len(self.notes) < _MOST_NOTES:
            self.notes.append(note)

    def note(self, text: str) -> None:
        """Keep a note on something that is no defect."""
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(text)

    def __getitem__(self, name: str) -> int:
        return self._counts[name]

    @property
    def counts(self) -> dict[str, int]:
        """Those that occurred."""
        return {name: count for name, count in self._counts.items() if count}

    def clear(self) -> None:
        """Forget everything: the recording is being read anew."""
        self.notes.clear()
        self._counts = dict.fromkeys(DEFECTS, 0)

    def restore(self, counts: dict[str, Any], notes: list[str]) -> None:
        """Add what a file says about the recording it was made from; names that are not known here are kept as they are."""
        for name, count in counts.items():
            self._counts[name] = self._counts.get(name, 0) + int(count)
        self.notes += notes
