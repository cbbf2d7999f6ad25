"""The compiled half of `overlay`: the base, the book over it, and what has been said of the book.

Three books lie in one `market.ladder`. The *base* is what snapshots and changes say. The *book* is the base with the best prices
that are later laid over it. *Said* is what the events written so far amount to. Every message goes the same way: it sets base and
book, each level of the book that it sets by hand is *touched* (put on a list), and in the end the levels on the list that are
another than was said are written as events. The next change takes the touched levels back to the base.

Nothing is written, and `said` is not moved, before there is room for all events of a message: one that finds too little is left,
and begun again when there is more, because everything before can be done twice. A level of a change costs some 250 ns, best prices
some 450 ns (memory for new prices included); the worst case is a change while many best prices wait, all of which are laid again.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.data.staleness import compare
from twosided.market.event import Flag, Kind
from twosided.market.ladder import NO_ASK, NO_BID, best_of, clear_row, free_pages, level_of, make_place, set_level

__all__ = ["BEST_PRICES", "COLUMNS", "ROWS", "SILENT", "SPARE_PAGES", "STATE", "follow", "keep_needed"]

BEST_PRICES, SILENT = 64, 128
"""Flags that a reader gives to what is not an event yet: the two levels (bid, ask) of a message of best prices; a message that
changes no level."""

BASE, BOOK, SAID, ROWS = 0, 2, 4, 6
"""First row of each book in the ladder (bids; asks are the next one), and how many rows there are."""

SPARE_PAGES = 3
"""A level that is set may take a page in each book."""

_ID, _BID, _BID_LOTS, _ASK, _ASK_LOTS = 0, 1, 2, 3, 4
COLUMNS = 5
"""Columns of best prices that wait, and of checks: update id, bid ticks, bid lots, ask ticks, ask lots."""

STATE = np.dtype(
    (
        np.record,
        [
            ("begun", "<i8"),  # 1 once there is a base
            ("last_id", "<i8"),  # of its last change
            ("last_best_id", "<i8"),  # of best prices
            ("oldest", "<i8"),  # numbers of the best prices that wait: from this one
            ("newest", "<i8"),  # up to, without, this one
            ("n_touched", "<i8"),  # levels on the list
            ("n_told", "<i8"),  # of these, from the first, known to be as was said
            ("n_events", "<i8"),  # written by this call
            ("n_checks", "<i8"),
            ("wanted_events", "<i8"),  # by the message that was left
            ("messages", "<i8"),  # of best prices so far
            ("late", "<i8"),  # of these, too late to say anything
        ],
    ),
)

_LAST, _NOT_LAST = int(Flag.LAST_OF_MESSAGE), 255 - int(Flag.LAST_OF_MESSAGE)
_DEPTH, _SNAPSHOT_BEGIN = int(Kind.DEPTH), int(Kind.SNAPSHOT_BEGIN)


def _set(books: Any, row: int, ticks: int, lots: int) -> None:
    """Let a level hold *lots*."""
    set_level(books, row, ticks, lots)


set_row = compiled(_set)


def _row_of(side: int) -> int:
    """Return the row of *side* in a book."""
    return 0 if side > 0 else 1


row_of = compiled(_row_of)


# ---------------------------------------------------------------- events


def _has_room(wanted: int, out: Any, state: Any) -> bool:
    """Say whether *wanted* more events have room, and remember how many were wanted."""
    state.wanted_events = wanted
    return bool(len(out) - state.n_events >= wanted)


has_room = compiled(_has_room)


def _copy(events: Any, index: int, out: Any, origin: Any, state: Any) -> None:
    """Write ``events[index]`` as it is."""
    out[state.n_events] = events[index]
    origin[state.n_events] = index
    state.n_events += 1


copy = compiled(_copy)


def _tell(events: Any, index: int, books: Any, touched: Any, out: Any, origin: Any, state: Any) -> None:
    """Write the touched levels that are another than was said, with times and id of ``events[index]``."""
    like = events[index]
    for place in range(state.n_told, state.n_touched):
        row, ticks = touched[place] & 1, touched[place] >> 1
        lots = level_of(books, BOOK + row, ticks)
        if lots != level_of(books, SAID + row, ticks):
            set_row(books, SAID + row, ticks, lots)
            event = out[state.n_events]
            event["exch_ns"], event["local_ns"], event["id"] = like["exch_ns"], like["local_ns"], like["id"]
            event["kind"], event["side"], event["ticks"], event["lots"] = _DEPTH, 1 - 2 * row, ticks, lots
            origin[state.n_events] = index
            state.n_events += 1
    state.n_told = state.n_touched


tell = compiled(_tell)


def _end_message(before: int, out: Any, state: Any) -> None:
    """Mark the last event, where there are more than *before*, as the last of its message."""
    if state.n_events > before:
        out[state.n_events - 1]["flags"] = out[state.n_events - 1]["flags"] | _LAST


end_message = compiled(_end_message)


# ---------------------------------------------------------------- levels; each says False where there is no room for one


def _set_base(event: Any, books: Any) -> bool:
    """Let a level of the base, and of the book, hold what *event* says."""
    if free_pages(books) < SPARE_PAGES:
        return False
    row, ticks = row_of(event["side"]), int(event["ticks"])
    make_place(books, SAID + row, ticks)
    set_row(books, BASE + row, ticks, event["lots"])
    set_row(books, BOOK + row, ticks, event["lots"])
    return True


set_base = compiled(_set_base)


def _touch(books: Any, touched: Any, row: int, ticks: int, lots: int, state: Any) -> bool:
    """Let a level of the book alone hold *lots*."""
    if free_pages(books) < SPARE_PAGES or state.n_touched == len(touched):
        return False
    make_place(books, SAID + row, ticks)
    set_row(books, BOOK + row, ticks, lots)
    touched[state.n_touched] = 2 * ticks + row
    state.n_touched += 1
    return True


touch = compiled(_touch)


def _lay_side(books: Any, touched: Any, row: int, ticks: int, lots: int, state: Any) -> bool:
    """Let a side of the book have *lots* at *ticks* and nothing better; no lots say nothing."""
    if lots == 0:
        return True
    best = best_of(books, BOOK + row)
    while (best - ticks) * (1 - 2 * row) > 0:
        if not touch(books, touched, row, best, 0, state):
            return False
        best = best_of(books, BOOK + row)
    return level_of(books, BOOK + row, ticks) == lots or touch(books, touched, row, ticks, lots, state)


lay_side = compiled(_lay_side)


def _lay(best: Any, books: Any, touched: Any, state: Any) -> bool:
    """Lay best prices over the book."""
    return lay_side(books, touched, 0, best[_BID], best[_BID_LOTS], state) and lay_side(
        books, touched, 1, best[_ASK], best[_ASK_LOTS], state
    )


lay = compiled(_lay)


def _lay_waiting(books: Any, touched: Any, waiting: Any, state: Any) -> bool:
    """Lay all best prices that are later than the base over the book."""
    while state.oldest < state.newest and waiting[state.oldest % len(waiting), _ID] <= state.last_id:
        state.oldest += 1
    for number in range(state.oldest, state.newest):  # noqa: SIM110 - all() is not for compiled code
        if not lay(waiting[number % len(waiting)], books, touched, state):
            return False
    return True


lay_waiting = compiled(_lay_waiting)


def _keep_needed(keys: Any, books: Any) -> int:
    """Move to the front of *keys*, touched levels, those that are other than in the base or than was said; return how many."""
    kept = 0
    for place in range(len(keys)):
        row, ticks = keys[place] & 1, keys[place] >> 1
        lots = level_of(books, BOOK + row, ticks)
        if lots != level_of(books, BASE + row, ticks) or lots != level_of(books, SAID + row, ticks):
            keys[kept] = keys[place]
            kept += 1
    return kept


keep_needed = compiled(_keep_needed)


# ---------------------------------------------------------------- messages; each says False where it is to be begun again


def _take_best(events: Any, begin: int, books: Any, touched: Any, waiting: Any, out: Any, origin: Any, state: Any) -> bool:
    """Take in best prices: they wait for changes of earlier ids, and lie over the book until one of a later id."""
    bid, ask = events[begin], events[begin + 1]
    number = np.int64(bid["id"])
    if number <= max(state.last_id, state.last_best_id):
        state.messages += 1
        state.late += 1
        return True
    best = waiting[state.newest % len(waiting)]
    if state.newest - state.oldest == len(waiting):
        state.oldest += 1
    best[_ID], best[_BID], best[_BID_LOTS], best[_ASK], best[_ASK_LOTS] = (
        number,
        bid["ticks"],
        bid["lots"],
        ask["ticks"],
        ask["lots"],
    )
    if state.begun != 0:
        if not lay(best, books, touched, state) or not has_room(state.n_touched - state.n_told, out, state):
            return False
        before = state.n_events
        tell(events, begin, books, touched, out, origin, state)
        end_message(before, out, state)
    state.newest += 1
    state.last_best_id = number
    state.messages += 1
    return True


take_best = compiled(_take_best)


def _forget(count: int, touched: Any, state: Any) -> None:
    """Drop the first *count* touched levels."""
    for place in range(count, state.n_touched):
        touched[place - count] = touched[place]
    state.n_touched -= count
    state.n_told = state.n_touched


forget = compiled(_forget)


def _take_change(
    events: Any, begin: int, end: int, books: Any, touched: Any, waiting: Any, out: Any, origin: Any, state: Any
) -> bool:
    """Take in the change ``events[begin:end]``: its own levels, in its order, and then those that are no more touched."""
    end = begin if events[begin]["flags"] & SILENT != 0 else end
    for index in range(begin, end):
        if not set_base(events[index], books):
            return False
    state.last_id, state.n_told = np.int64(events[begin]["id"]), 0
    untouched = state.n_touched
    for place in range(untouched):
        row, ticks = touched[place] & 1, touched[place] >> 1
        set_row(books, BOOK + row, ticks, level_of(books, BASE + row, ticks))
    if not lay_waiting(books, touched, waiting, state) or not has_room(end - begin + state.n_touched, out, state):
        return False
    before = state.n_events
    for index in range(begin, end):
        row, ticks = row_of(events[index]["side"]), int(events[index]["ticks"])
        lots = level_of(books, BOOK + row, ticks)
        copy(events, index, out, origin, state)
        made = out[state.n_events - 1]
        made["flags"] = made["flags"] & _NOT_LAST
        if lots != level_of(books, BASE + row, ticks):  # else it may be the first of two that set the level, and stays
            made["lots"] = lots
        set_row(books, SAID + row, ticks, lots)
    tell(events, begin, books, touched, out, origin, state)
    end_message(before, out, state)
    forget(untouched, touched, state)
    return True


take_change = compiled(_take_change)


def _take_snapshot(
    events: Any, begin: int, end: int, books: Any, touched: Any, waiting: Any, out: Any, origin: Any, state: Any
) -> bool:
    """Take in the snapshot ``events[begin:end]``, and lay what is later over it as a message of its own."""
    for row in range(ROWS):
        clear_row(books, row)
    state.last_id, state.n_touched, state.n_told = np.int64(events[begin]["id"]), 0, 0
    for index in range(begin, end):
        if events[index]["kind"] == _DEPTH and not set_base(events[index], books):
            return False
    if not lay_waiting(books, touched, waiting, state) or not has_room(end - begin + state.n_touched, out, state):
        return False
    for index in range(begin, end):
        copy(events, index, out, origin, state)
        if events[index]["kind"] == _DEPTH:
            set_row(books, SAID + row_of(events[index]["side"]), int(events[index]["ticks"]), events[index]["lots"])
    before = state.n_events
    tell(events, end - 1, books, touched, out, origin, state)
    end_message(before, out, state)
    return True


take_snapshot = compiled(_take_snapshot)


def _take_other(events: Any, begin: int, end: int, out: Any, origin: Any, state: Any) -> bool:
    """Let ``events[begin:end]`` pass."""
    if not has_room(end - begin, out, state):
        return False
    for index in range(begin, end):
        copy(events, index, out, origin, state)
    return True


take_other = compiled(_take_other)


def _lots_of_best(books: Any, row: int) -> int:
    """Return the lots at the best price of a row, 0 where it is empty."""
    best = best_of(books, row)
    return level_of(books, row, best) if NO_BID < best < NO_ASK else 0


lots_of_best = compiled(_lots_of_best)


def _note_base(number: int, books: Any, checks: Any, state: Any) -> None:
    """Write down the touch of the base after its change *number*."""
    line = checks[state.n_checks]
    line[_ID], line[_BID], line[_ASK] = number, best_of(books, BASE), best_of(books, BASE + 1)
    line[_BID_LOTS], line[_ASK_LOTS] = lots_of_best(books, BASE), lots_of_best(books, BASE + 1)
    state.begun = 1
    state.n_checks += 1


note_base = compiled(_note_base)


def _follow(
    events: Any,
    begin: int,
    books: Any,
    touched: Any,
    waiting: Any,
    state: Any,
    measure: Any,
    out: Any,
    origin: Any,
    checks: Any,
) -> int:
    """Take in ``events[begin:]``, message by message; return where it stopped: at the end, or where a message wants more room.

    *books* are `ROWS` rows of a ladder, *touched* numbers of levels (2 · ticks + row), *waiting* and *checks* rows of `COLUMNS`,
    *state* is a `STATE`, *measure* a `MEASURE`. Events are written to *out*, and to *origin* of which of *events* each is made.
    """
    for end in range(begin + 1, len(events) + 1):
        if events[end - 1]["flags"] & _LAST == 0:
            continue
        first = events[begin]
        is_best, is_snapshot = first["flags"] & BEST_PRICES != 0, first["kind"] == _SNAPSHOT_BEGIN
        is_change = not is_best and (first["kind"] == _DEPTH or first["flags"] & SILENT != 0)
        if is_best:
            done = take_best(events, begin, books, touched, waiting, out, origin, state)
        elif is_change:
            done = take_change(events, begin, end, books, touched, waiting, out, origin, state)
        elif is_snapshot:
            done = take_snapshot(events, begin, end, books, touched, waiting, out, origin, state)
        else:
            done = take_other(events, begin, end, out, origin, state)
        if not done:
            return begin
        if is_change or is_snapshot:
            note_base(int(np.int64(first["id"])), books, checks, state)
        if state.begun != 0 and (is_best or is_change or is_snapshot):
            compare(books, BASE, BOOK, first["exch_ns"], is_best, measure)
        begin = end
    return begin


follow = compiled(_follow)
