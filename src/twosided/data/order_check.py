"""Counts what is wrong with a recording order by order while it is read: references to orders that are not there, and the like.

Where you are in the pipe: files -> reader -> *check* -> events. The book itself is none of its business: whoever replays the
events builds his own, by the same rules (`market/order_events.py`).
"""

from twosided.data.defects import Defects
from twosided.market.event import Events, Kind
from twosided.market.touch import TouchTracker

__all__ = ["OrderCheck"]


class OrderCheck:
    """Follows the orders of every market that is recorded order by order.

    Args:
        defects: where what is found is counted.
        markets: how many there are.
    """

    def __init__(self, defects: Defects, markets: int) -> None:
        self._defects = defects
        self._trackers = [TouchTracker(market) for market in range(markets)]
        self._before = [0, 0, 0]
        self._by_order = False

    def see(self, events: Events) -> None:
        """Take in the next events."""
        self._by_order = self._by_order or int(events["kind"].max(initial=0)) >= Kind.ADD
        if not self._by_order:
            return
        for tracker in self._trackers:
            tracker.feed(events)
        now = [
            sum(tracker.orphans for tracker in self._trackers),
            sum(tracker.duplicates for tracker in self._trackers),
            sum(tracker.excessive for tracker in self._trackers),
        ]
        for name, count, before in zip(("orphans", "duplicate_orders", "excess_lots"), now, self._before, strict=True):
            self._defects.add(name, count - before)
        self._before = now
