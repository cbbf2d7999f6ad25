"""Venues and files that repeat the whole visible book with every message: what changed from one to the next.

Where you are in the pipe: file -> reader -> grid -> *settle* -> events. A message that states the book consists of the DEPTH of
each of its levels, or of a CLEAR where it has none. It becomes the levels that are gone, at zero lots, and those that are new or
have another size; the first one becomes a snapshot. Whatever else stands in a message (trades) passes through, in front of the
levels, and a message of such events alone says nothing about the book. Two states of L levels are compared in L² steps.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.data.numbers import Ints
from twosided.data.raw import new_events
from twosided.market.event import Events, Flag, Kind

__all__ = ["StateDifferences"]

_LAST, _SNAPSHOT = int(Flag.LAST_OF_MESSAGE), int(Flag.SNAPSHOT)
_NOT_LAST = 255 - _LAST
_DEPTH, _CLEAR, _BEGIN, _END = int(Kind.DEPTH), int(Kind.CLEAR), int(Kind.SNAPSHOT_BEGIN), int(Kind.SNAPSHOT_END)


class StateDifferences:
    """Keeps the last state between the blocks of one pass.

    Args:
        may_cross: whether the first state may be crossed, as books are before the open: its levels are then not marked as a
            snapshot, which the source would refuse.
    """

    def __init__(self, *, may_cross: bool = False) -> None:
        self._before = new_events(0)
        self._begun, self._may_cross = False, may_cross

    def settle(self, events: Events) -> tuple[Events, Ints]:
        """Return the differences, and from which of *events* each was made."""
        room = 2 * len(events) + len(self._before) + 2
        out, origin, last = new_events(room), np.zeros(room, np.int64), np.zeros(2, np.int64)
        mark = _SNAPSHOT if not self._may_cross or not _begins_crossed(events) else 0
        count = int(differences(events, self._before, self._begun, mark, out, origin, last))
        if last[1]:
            stated = events[last[0] : last[1]]
            self._before, self._begun = stated[stated["kind"] == Kind.DEPTH], True
        return out[:count], origin[:count]


def _begins_crossed(events: Events) -> bool:
    """Say whether the first state among *events* has a bid at or above an ask."""
    stating = np.flatnonzero(np.isin(events["kind"], (Kind.DEPTH, Kind.CLEAR)))
    if not len(stating):
        return False
    end = int(np.argmax(events["flags"][stating[0] :] & _LAST)) + stating[0] + 1
    levels = events[stating[0] : end]
    levels = levels[levels["kind"] == Kind.DEPTH]
    bids, asks = levels["ticks"][levels["side"] > 0], levels["ticks"][levels["side"] < 0]
    return len(bids) > 0 and len(asks) > 0 and bool(bids.max() >= asks.min())


def _has_level(rows: Any, begin: int, end: int, level: Any, with_lots: bool) -> bool:
    """Say whether *level* is among ``rows[begin:end]``, by side and price, and by size too where *with_lots*."""
    for index in range(begin, end):
        row = rows[index]
        if row["ticks"] == level["ticks"] and row["side"] == level["side"] and row["kind"] == _DEPTH:
            return bool(not with_lots or row["lots"] == level["lots"])
    return False


has_level = compiled(_has_level)


def _put(out: Any, origin: Any, count: int, like: Any, index: int, kind: int) -> int:
    """Write one event with the times and the id of ``like[index]`` and return how many there are now."""
    event = out[count]
    event["exch_ns"], event["local_ns"], event["id"] = like[index]["exch_ns"], like[index]["local_ns"], like[index]["id"]
    event["kind"] = kind
    origin[count] = index
    return count + 1


put = compiled(_put)


def _put_level(out: Any, origin: Any, count: int, like: Any, index: int, level: Any, lots: int) -> int:
    """Write that *level* now holds *lots* and return how many events there are now."""
    event = out[count]
    event["side"], event["ticks"], event["lots"] = level["side"], level["ticks"], lots
    return int(put(out, origin, count, like, index, _DEPTH))


put_level = compiled(_put_level)


def _differences(events: Any, before: Any, begun: bool, mark: int, out: Any, origin: Any, last: Any) -> int:
    """Write into *out* what changes from each message of whole states to the next, the first one as a snapshot; return how many.

    *before* holds the levels of the last state of the call before, *mark* is the flag of the levels of a snapshot. *origin* says
    which of *events* each was made from, and *last* where the last state begins and ends.
    """
    count, begin, old, old_begin, old_end = 0, 0, before, 0, len(before)
    for end in range(1, len(events) + 1):
        if events[end - 1]["flags"] & _LAST == 0:
            continue
        first, stating = count, -1
        for index in range(begin, end):
            if events[index]["kind"] == _DEPTH or events[index]["kind"] == _CLEAR:
                stating = index if stating < 0 else stating
            else:
                out[count] = events[index]
                out[count]["flags"] = out[count]["flags"] & _NOT_LAST
                origin[count] = index
                count += 1
        if stating >= 0:
            opening = count
            if not begun:
                count = put(out, origin, count, events, stating, _BEGIN)
            for index in range(old_begin, old_end):
                if old[index]["kind"] == _DEPTH and not has_level(events, begin, end, old[index], False):
                    count = put_level(out, origin, count, events, stating, old[index], 0)
            for index in range(begin, end):
                if events[index]["kind"] == _DEPTH and not has_level(old, old_begin, old_end, events[index], True):
                    count = put_level(out, origin, count, events, index, events[index], events[index]["lots"])
            if not begun:
                count = put(out, origin, count, events, stating, _END)
                for index in range(opening, count):
                    out[index]["flags"] = mark
                out[opening]["flags"] = _SNAPSHOT
                out[count - 1]["flags"] = _SNAPSHOT
                begun = True
            old, old_begin, old_end = events, begin, end
            last[0], last[1] = begin, end
        if count > first:
            out[count - 1]["flags"] = out[count - 1]["flags"] | _LAST
        begin = end
    return count


differences = compiled(_differences)
