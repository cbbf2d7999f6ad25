"""The compiled half of `overlay`: a book, and what its levels would be without the best prices that lie over it.

The book is two rows of a `market.ladder`. The *base* differs from it only where best prices touched a level since the last change:
such levels stand in a list, with what the base has there, and are found by a hash table (linear probing; neighbouring prices have
neighbouring places). A message that finds no room for its levels or events is left and begun again when there is more: until its
events are written, all that is done for it can be done twice. A level of a change costs some 60 ns, best prices some 200 ns.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.market.event import Flag, Kind
from twosided.market.ladder import NO_ASK, NO_BID, best_of, clear_row, free_pages, level_of, next_level, set_level

__all__ = ["BEST_PRICES", "COLUMNS", "SILENT", "STATE", "TOUCHED_COLUMNS", "follow", "rehash"]

BEST_PRICES, SILENT = 64, 128
"""Flags that a reader gives to what is not an event yet: the two levels (bid, ask) of a message of best prices; a message that
changes no level."""

_ID, _BID, _BID_LOTS, _ASK, _ASK_LOTS = 0, 1, 2, 3, 4  # of best prices that wait, and of checks
COLUMNS = 5

_KEY, _BASE, _OLD, _NOTED, _OWN = 0, 1, 2, 3, 4  # of a touched level: 2 · ticks + row; its lots in the base; what was said of it
TOUCHED_COLUMNS = 5  # last; during which message that was noted, and which message sets it itself

STATE = np.dtype(
    (
        np.record,
        [
            ("begun", "<i8"),  # 1 once there is a base
            ("last_id", "<i8"),  # of its last change
            ("last_best_id", "<i8"),  # of best prices
            ("bid_ticks", "<i8"),  # the base's touch
            ("bid_lots", "<i8"),
            ("ask_ticks", "<i8"),
            ("ask_lots", "<i8"),
            ("oldest", "<i8"),  # numbers of the best prices that wait: from this one
            ("newest", "<i8"),  # up to, without, this one
            ("behind_snapshot", "<i8"),  # 1 while best prices are to be laid over a snapshot
            ("n_messages", "<i8"),  # so far
            ("n_touched", "<i8"),
            ("n_events", "<i8"),  # written by this call
            ("n_checks", "<i8"),
            ("wanted_pages", "<i8"),  # by the message that was left
            ("wanted_events", "<i8"),
            ("shown_bid_ticks", "<i8"),  # the book's best prices after the last message
            ("shown_ask_ticks", "<i8"),
            ("now_ns", "<i8"),  # its exchange time
            ("stale", "<i8"),  # 1 while the base has other best prices
            ("stretch_ns", "<i8"),  # for how long it has had them
            ("messages", "<i8"),  # counts: see `overlay.Staleness`
            ("late", "<i8"),
            ("changes", "<i8"),
            ("total_ns", "<i8"),
            ("stale_ns", "<i8"),
            ("longest_ns", "<i8"),
            ("furthest_ticks", "<i8"),
        ],
    ),
)

_FAR = NO_ASK >> 1  # a side that is empty is at no distance
_LAST, _NOT_LAST = int(Flag.LAST_OF_MESSAGE), 255 - int(Flag.LAST_OF_MESSAGE)
_DEPTH, _SNAPSHOT_BEGIN = int(Kind.DEPTH), int(Kind.SNAPSHOT_BEGIN)


def _set_row(books: Any, row: int, ticks: int, lots: int) -> None:
    """Let a level of the book hold *lots*."""
    set_level(books, row, ticks, lots)


set_row = compiled(_set_row)


def _has_room(books: Any, out: Any, state: Any, pages: int, events: int) -> bool:
    """Say whether there is room for *pages* more of levels and for *events* more, and remember what was wanted."""
    state.wanted_pages, state.wanted_events = pages, events
    return bool(free_pages(books) >= pages and len(out) - state.n_events >= events)


has_room = compiled(_has_room)


# ---------------------------------------------------------------- events


def _copy(event: Any, index: int, out: Any, origin: Any, state: Any) -> None:
    """Write *event*, which is number *index* of those given, as it is."""
    out[state.n_events] = event
    origin[state.n_events] = index
    state.n_events += 1


copy = compiled(_copy)


def _say(row: int, ticks: int, lots: int, like: Any, index: int, out: Any, origin: Any, state: Any) -> None:
    """Write that a level now holds *lots*, with the times and the id of *like*, which is number *index* of those given."""
    event = out[state.n_events]
    event["exch_ns"], event["local_ns"], event["id"] = like["exch_ns"], like["local_ns"], like["id"]
    event["kind"], event["side"], event["ticks"], event["lots"] = _DEPTH, 1 - 2 * row, ticks, lots
    origin[state.n_events] = index
    state.n_events += 1


say = compiled(_say)


def _end_message(begin: int, out: Any, origin: Any, state: Any) -> None:
    """Mark the last event, where it was made of those given from *begin* on, as the last of its message."""
    last = state.n_events - 1
    if last >= 0 and origin[last] >= begin:
        out[last]["flags"] = out[last]["flags"] | _LAST


end_message = compiled(_end_message)


# ---------------------------------------------------------------- touched levels


def _slot_of(table: Any, touched: Any, key: int) -> int:
    """Return the slot that leads to *key*, or the free one where it would stand."""
    slot = key & (len(table) - 1)
    while table[slot] != 0 and touched[table[slot] - 1, _KEY] != key:
        slot = (slot + 1) & (len(table) - 1)
    return int(slot)


slot_of = compiled(_slot_of)


def _find(table: Any, touched: Any, row: int, ticks: int) -> int:
    """Return where in the list a level stands, -1 where best prices did not touch it."""
    return int(table[slot_of(table, touched, 2 * ticks + row)] - 1)


find = compiled(_find)


def _note(books: Any, table: Any, touched: Any, row: int, ticks: int, state: Any) -> bool:
    """Add a level, as it is now, to the list; False where that is full."""
    key = 2 * ticks + row
    slot = slot_of(table, touched, key)
    if table[slot] != 0:
        return True
    if state.n_touched == len(touched):
        return False
    entry = touched[state.n_touched]
    state.n_touched += 1
    table[slot] = state.n_touched
    entry[_KEY], entry[_BASE], entry[_OWN] = key, level_of(books, row, ticks), -1
    entry[_OLD], entry[_NOTED] = entry[_BASE], state.n_messages
    return True


note = compiled(_note)


def _rehash(table: Any, touched: Any, count: int) -> None:
    """Let an empty *table* lead to the first *count* touched levels."""
    for place in range(count):
        table[slot_of(table, touched, touched[place, _KEY])] = place + 1


rehash = compiled(_rehash)


def _empty(table: Any, touched: Any, count: int) -> None:
    """Let *table* lead nowhere: from the last level to the first, so that what stood in the way of each is still there."""
    for place in range(count - 1, -1, -1):
        table[slot_of(table, touched, touched[place, _KEY])] = 0


empty = compiled(_empty)


def _forget(books: Any, table: Any, touched: Any, state: Any) -> None:
    """Drop the levels that are what the base has."""
    empty(table, touched, state.n_touched)
    kept = 0
    for place in range(state.n_touched):
        key = touched[place, _KEY]
        if level_of(books, key & 1, key >> 1) != touched[place, _BASE]:
            for column in range(TOUCHED_COLUMNS):
                touched[kept, column] = touched[place, column]
            kept += 1
    state.n_touched = kept
    rehash(table, touched, kept)


forget = compiled(_forget)


# ---------------------------------------------------------------- best prices


def _set_and_say(
    books: Any, table: Any, touched: Any, row: int, ticks: int, lots: int, like: Any, index: int, out: Any, origin: Any, state: Any
) -> bool:
    """Let best prices set a level, and write it where it is another than before; False where there is no room."""
    if level_of(books, row, ticks) == lots:
        return True
    if not has_room(books, out, state, 1, 1) or not note(books, table, touched, row, ticks, state):
        return False
    set_row(books, row, ticks, lots)
    say(row, ticks, lots, like, index, out, origin, state)
    return True


set_and_say = compiled(_set_and_say)


def _lay_and_say(
    books: Any, table: Any, touched: Any, row: int, ticks: int, lots: int, like: Any, index: int, out: Any, origin: Any, state: Any
) -> bool:
    """Let a side have *lots* at *ticks* and nothing better, and write what changes; False where there is no room.

    No lots say nothing.
    """
    if lots == 0:
        return True
    best = best_of(books, row)
    while (best - ticks) * (1 - 2 * row) > 0:
        if not set_and_say(books, table, touched, row, best, 0, like, index, out, origin, state):
            return False
        best = best_of(books, row)
    return set_and_say(books, table, touched, row, ticks, lots, like, index, out, origin, state)


lay_and_say = compiled(_lay_and_say)


def _set(books: Any, table: Any, touched: Any, row: int, ticks: int, lots: int, out: Any, state: Any) -> bool:
    """Let best prices set a level, and write nothing yet; False where there is no room."""
    if level_of(books, row, ticks) == lots:
        return True
    if not has_room(books, out, state, 1, 0) or not note(books, table, touched, row, ticks, state):
        return False
    set_row(books, row, ticks, lots)
    return True


set_quietly = compiled(_set)


def _lay(books: Any, table: Any, touched: Any, row: int, ticks: int, lots: int, out: Any, state: Any) -> bool:
    """Do as `_lay_and_say`, and write nothing yet."""
    if lots == 0:
        return True
    best = best_of(books, row)
    while (best - ticks) * (1 - 2 * row) > 0:
        if not set_quietly(books, table, touched, row, best, 0, out, state):
            return False
        best = best_of(books, row)
    return set_quietly(books, table, touched, row, ticks, lots, out, state)


lay = compiled(_lay)


def _drop_waiting(waiting: Any, state: Any) -> None:
    """Forget the best prices that wait for no change any more."""
    while state.oldest < state.newest and waiting[state.oldest % len(waiting), _ID] <= state.last_id:
        state.oldest += 1


drop_waiting = compiled(_drop_waiting)


def _keep_waiting(bid: Any, ask: Any, waiting: Any, state: Any) -> None:
    """Keep best prices for a change of an earlier id that may be under way."""
    best = waiting[state.newest % len(waiting)]
    best[_ID], best[_BID], best[_BID_LOTS] = np.int64(bid["id"]), bid["ticks"], bid["lots"]
    best[_ASK], best[_ASK_LOTS] = ask["ticks"], ask["lots"]
    state.newest += 1
    state.oldest = max(state.oldest, state.newest - len(waiting))
    state.last_best_id = best[_ID]


keep_waiting = compiled(_keep_waiting)


def _take_best(
    events: Any, begin: int, books: Any, table: Any, touched: Any, waiting: Any, state: Any, out: Any, origin: Any
) -> bool:
    """Take in best prices; False where there is no room."""
    bid, ask = events[begin], events[begin + 1]
    number = np.int64(bid["id"])
    if number <= state.last_id or number <= state.last_best_id:
        state.messages += 1
        state.late += 1
        return True
    if state.begun != 0:
        if not lay_and_say(books, table, touched, 0, bid["ticks"], bid["lots"], bid, begin, out, origin, state):
            return False
        if not lay_and_say(books, table, touched, 1, ask["ticks"], ask["lots"], ask, begin + 1, out, origin, state):
            return False
        end_message(begin, out, origin, state)
    keep_waiting(bid, ask, waiting, state)
    state.messages += 1
    return True


take_best = compiled(_take_best)


# ---------------------------------------------------------------- changes and snapshots


def _find_base(books: Any, table: Any, touched: Any, row: int, state: Any) -> tuple[int, int]:
    """Return price and lots of the best level of a side of the base."""
    best = best_of(books, row)
    while NO_BID < best < NO_ASK and find(table, touched, row, best) >= 0:
        best = next_level(books, row, best)
    lots = level_of(books, row, best) if NO_BID < best < NO_ASK else 0
    for place in range(state.n_touched):
        key, base = touched[place, _KEY], touched[place, _BASE]
        if key & 1 == row and base != 0 and ((key >> 1) - best) * (1 - 2 * row) > 0:
            best, lots = key >> 1, base
    return best, lots


find_base = compiled(_find_base)


def _see_base(number: int, books: Any, table: Any, touched: Any, state: Any, checks: Any) -> None:
    """Find the touch of the base after its change *number*, and write it down."""
    state.begun = 1
    state.bid_ticks, state.bid_lots = find_base(books, table, touched, 0, state)
    state.ask_ticks, state.ask_lots = find_base(books, table, touched, 1, state)
    line = checks[state.n_checks]
    line[_ID], line[_BID], line[_BID_LOTS] = number, state.bid_ticks, state.bid_lots
    line[_ASK], line[_ASK_LOTS] = state.ask_ticks, state.ask_lots
    state.n_checks += 1


see_base = compiled(_see_base)


def _set_base(event: Any, books: Any, table: Any, touched: Any, out: Any, state: Any) -> bool:
    """Let the base's level hold what *event* says; False where there is no room."""
    row = 0 if event["side"] > 0 else 1
    place = find(table, touched, row, event["ticks"]) if state.n_touched > 0 else -1
    if place >= 0:
        touched[place, _BASE] = event["lots"]
        return True
    if not has_room(books, out, state, 1, 0):
        return False
    set_row(books, row, event["ticks"], event["lots"])
    return True


set_base = compiled(_set_base)


def _uncover(books: Any, touched: Any, state: Any) -> None:
    """Let the book be the base again, and note, once for this message, what was said of the levels."""
    for place in range(state.n_touched):
        entry = touched[place]
        row, ticks = entry[_KEY] & 1, entry[_KEY] >> 1
        if entry[_NOTED] != state.n_messages:
            entry[_OLD], entry[_NOTED] = level_of(books, row, ticks), state.n_messages
        set_row(books, row, ticks, entry[_BASE])


uncover = compiled(_uncover)


def _cover(books: Any, table: Any, touched: Any, waiting: Any, state: Any, out: Any) -> bool:
    """Lay all best prices that wait over the base; False where there is no room."""
    for number in range(state.oldest, state.newest):
        best = waiting[number % len(waiting)]
        if not lay(books, table, touched, 0, best[_BID], best[_BID_LOTS], out, state):
            return False
        if not lay(books, table, touched, 1, best[_ASK], best[_ASK_LOTS], out, state):
            return False
    return True


cover = compiled(_cover)


def _take_change(
    events: Any, begin: int, end: int, books: Any, table: Any, touched: Any, waiting: Any, state: Any, out: Any, origin: Any
) -> bool:
    """Take in the change ``events[begin:end]``; False where there is no room."""
    end = begin if events[begin]["flags"] & SILENT != 0 else end
    for index in range(begin, end):
        if not set_base(events[index], books, table, touched, out, state):
            return False
    uncover(books, touched, state)
    state.last_id = np.int64(events[begin]["id"])
    drop_waiting(waiting, state)
    if not cover(books, table, touched, waiting, state, out):
        return False
    if not has_room(books, out, state, 0, end - begin + state.n_touched):
        return False
    for index in range(begin, end):
        row, ticks = 0 if events[index]["side"] > 0 else 1, events[index]["ticks"]
        copy(events[index], index, out, origin, state)
        made = out[state.n_events - 1]
        made["flags"] = made["flags"] & _NOT_LAST
        place = find(table, touched, row, ticks) if state.n_touched > 0 else -1
        if place >= 0:
            touched[place, _OWN] = state.n_messages
            made["lots"] = level_of(books, row, ticks)
    for place in range(state.n_touched):
        entry = touched[place]
        row, ticks = entry[_KEY] & 1, entry[_KEY] >> 1
        lots = level_of(books, row, ticks)
        if entry[_OWN] != state.n_messages and entry[_OLD] != lots:
            say(row, ticks, lots, events[begin], begin, out, origin, state)
    end_message(begin, out, origin, state)
    forget(books, table, touched, state)
    return True


take_change = compiled(_take_change)


def _take_snapshot(
    events: Any, begin: int, end: int, books: Any, table: Any, touched: Any, waiting: Any, state: Any, out: Any, origin: Any
) -> bool:
    """Take in the snapshot ``events[begin:end]``, over which best prices are yet to be laid; False where there is no room."""
    clear_row(books, 0)
    clear_row(books, 1)
    empty(table, touched, state.n_touched)
    state.n_touched = 0
    for index in range(begin, end):
        if events[index]["kind"] == _DEPTH and not set_base(events[index], books, table, touched, out, state):
            return False
    if not has_room(books, out, state, 0, end - begin):
        return False
    state.last_id = np.int64(events[begin]["id"])
    drop_waiting(waiting, state)
    for index in range(begin, end):
        copy(events[index], index, out, origin, state)
    state.behind_snapshot = 1
    return True


take_snapshot = compiled(_take_snapshot)


def _cover_snapshot(
    events: Any, index: int, books: Any, table: Any, touched: Any, waiting: Any, state: Any, out: Any, origin: Any
) -> bool:
    """Lay the best prices that wait over the snapshot that event *index* ended, as a message of its own; False without room."""
    like = events[index]
    for number in range(state.oldest, state.newest):
        best = waiting[number % len(waiting)]
        if not lay_and_say(books, table, touched, 0, best[_BID], best[_BID_LOTS], like, index, out, origin, state):
            return False
        if not lay_and_say(books, table, touched, 1, best[_ASK], best[_ASK_LOTS], like, index, out, origin, state):
            return False
    end_message(index, out, origin, state)
    state.behind_snapshot = 0
    return True


cover_snapshot = compiled(_cover_snapshot)


# ---------------------------------------------------------------- what was known when


def _compare(now_ns: int, is_best: bool, books: Any, state: Any) -> None:
    """Add up for how long the base had other best prices than the book, and count the changes that only best prices told."""
    elapsed_ns = max(now_ns - state.now_ns, 0) if state.now_ns != 0 else 0
    state.now_ns = max(state.now_ns, now_ns)
    state.total_ns += elapsed_ns
    if state.stale != 0:
        state.stale_ns += elapsed_ns
        state.stretch_ns += elapsed_ns
        state.longest_ns = max(state.longest_ns, state.stretch_ns)
    else:
        state.stretch_ns = 0
    bid, ask = best_of(books, 0), best_of(books, 1)
    if is_best and (bid != state.shown_bid_ticks or ask != state.shown_ask_ticks):
        state.changes += 1
    state.shown_bid_ticks, state.shown_ask_ticks = bid, ask
    bid_off, ask_off = abs(bid - state.bid_ticks), abs(ask - state.ask_ticks)
    state.stale = 1 if bid_off + ask_off > 0 else 0
    if bid_off < _FAR:
        state.furthest_ticks = max(state.furthest_ticks, bid_off)
    if ask_off < _FAR:
        state.furthest_ticks = max(state.furthest_ticks, ask_off)


compare = compiled(_compare)


def _follow(
    events: Any,
    begin: int,
    books: Any,
    table: Any,
    touched: Any,
    waiting: Any,
    state: Any,
    out: Any,
    origin: Any,
    checks: Any,
) -> int:
    """Take in ``events[begin:]``, message by message; return where it stopped: at the end, or where a message wants more room.

    *books* are two rows of a ladder, *touched* rows of `TOUCHED_COLUMNS`, to which *table* leads; *waiting* and *checks* are rows of
    `COLUMNS`: update id, bid ticks, bid lots, ask ticks, ask lots; *state* is a `STATE`. Events are written to *out*, and to *origin*
    of which of *events* each is made.
    """
    for end in range(begin + 1, len(events) + 1):
        if events[end - 1]["flags"] & _LAST == 0:
            continue
        first = events[begin]
        is_best, is_snapshot = first["flags"] & BEST_PRICES != 0, first["kind"] == _SNAPSHOT_BEGIN
        is_change = not is_best and (first["kind"] == _DEPTH or first["flags"] & SILENT != 0)
        if is_best:
            done = take_best(events, begin, books, table, touched, waiting, state, out, origin)
        elif is_change:
            done = take_change(events, begin, end, books, table, touched, waiting, state, out, origin)
        elif is_snapshot and state.behind_snapshot == 0:
            done = take_snapshot(events, begin, end, books, table, touched, waiting, state, out, origin)
        elif not is_snapshot:
            done = has_room(books, out, state, 0, end - begin)
            if done:
                for index in range(begin, end):
                    copy(events[index], index, out, origin, state)
        else:
            done = True
        if done and is_snapshot:
            done = cover_snapshot(events, end - 1, books, table, touched, waiting, state, out, origin)
        if not done:
            return begin
        if is_change or is_snapshot:
            see_base(np.int64(first["id"]), books, table, touched, state, checks)
        if state.begun != 0 and (is_best or is_change or is_snapshot):
            compare(first["exch_ns"], is_best, books, state)
        state.n_messages += 1
        begin = end
    return begin


follow = compiled(_follow)
