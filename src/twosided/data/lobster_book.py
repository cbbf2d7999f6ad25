"""What LOBSTER's messages say and what its book shows, brought together: *rows* -> events.

The messages alone do not determine the book: orders from before the first row, and levels that left the N visible ones, changed
unseen. So `Follower` keeps a book by order of its own, and where the recorded row and the messages differ it says what the row
shows, in the same message:

- The levels of the first row, less what the first message did, become a snapshot of *anonymous* orders, one a level.
- A reference to an order that is not in the book takes its lots from the anonymous orders of that level, the first in line first:
  they were there before everybody whose arrival was seen.
- A level that comes into view with more lots than our book has there gains an anonymous order at the end of its queue; with fewer,
  it loses anonymous ones first and then from the end of the queue. A level of ours that the row does not show in its range goes.
- The orders of a level that was out of view are *doubtful* from then on: each may have become smaller, or another may have taken
  its place. So they stand in for unknown orders after the anonymous ones, and what is left of one that the file deletes with fewer
  lots than it had is somebody else's, who is anonymous.

Ids of anonymous orders count from 2^62, which no venue's reach (the reader refuses those that do).

A price was *in view* when it was no worse than the N-th level of the row before, or that side showed fewer than N. What a row shows
there is determined by the messages alone, and must agree with our book before anything is restated: `RowCheck` counts.
A row with ten levels takes 1.2 µs here, and 3 µs with the reading of its text (GOOG 2012-06-21, one core of a busy machine).
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.data.book_check import RowCheck
from twosided.data.defects import Defects
from twosided.data.files import InputFile
from twosided.data.nasdaq import Made
from twosided.data.numbers import Ints
from twosided.data.raw import new_events
from twosided.market.event import Events, Flag, Kind, Status
from twosided.market.ladder import NO_ASK, NO_BID, best_of, grow_books, is_full, level_of, new_books, next_level
from twosided.market.order_queues import (
    ORDER_BEHIND,
    ORDER_ID,
    ORDER_LOTS,
    ORDER_OWNER,
    add_order,
    find_order,
    first_order,
    grow_orders,
    is_book_full,
    live_orders,
    new_orders,
    reduce_order,
    remove_order,
)

__all__ = ["ANONYMOUS", "DIRECTION", "ID", "PRICE", "SIZE", "TIME", "TYPE", "Follower", "events_of"]

ANONYMOUS = 1 << 62
"""The first id of orders that the file does not name."""

TIME, TYPE, ID, SIZE, PRICE, DIRECTION = range(6)
"""Columns of a message; time in ns since 1970, price in ticks."""

SUBMITTED, REDUCED, DELETED, EXECUTED, HIDDEN, CROSS, HALT = range(1, 8)
"""Types of message."""

_ADD, _CANCEL, _FILL, _TRADE, _STATUS = int(Kind.ADD), int(Kind.CANCEL), int(Kind.FILL), int(Kind.TRADE), int(Kind.STATUS)
_BEGIN, _END = int(Kind.SNAPSHOT_BEGIN), int(Kind.SNAPSHOT_END)
_HIDDEN_FLAG, _SNAPSHOT, _LAST = int(Flag.HIDDEN), int(Flag.SNAPSHOT), int(Flag.LAST_OF_MESSAGE)
_HALTED, _AUCTION, _OPEN = int(Status.HALT), int(Status.AUCTION), int(Status.OPEN)

# words of a follower's state
_COUNT, _NEXT_ID, _RESTATING, _BID_BOUND, _ASK_BOUND, _FIRST_WRONG = range(6)
_COUNTS = 6
_ROWS, _ROWS_DETERMINED, _ROWS_AGREE, _LEVELS, _DETERMINED, _AGREE, _EXTRA, _CAME_MORE, _CAME_FEWER, _GHOSTS, _BORROWED = range(
    _COUNTS, _COUNTS + 11
)
_STATE = _COUNTS + 11
_DOUBTFUL = 1  # owner of orders that are anonymous, or were out of view
# whom lots are taken from: the first anonymous order in line, the last doubtful one with a name, the last of all
_ANONYM, _NAMED, _ANYBODY = range(3)
_NOTHING_IN_VIEW = (NO_ASK, NO_BID)  # bounds that no price is inside of


def _put(out: Any, places: Any, count: int, row: Any, place: int, kind: int, order_id: int, side: int, lots: int) -> int:
    """Write one event with the time and the price of *row* and return how many there are now."""
    event = out[count]
    event["exch_ns"], event["local_ns"], event["id"] = row[TIME], row[TIME], order_id
    event["lots"], event["ticks"], event["kind"], event["side"] = lots, row[PRICE], kind, side
    event["flags"] = 0
    places[count] = place
    return count + 1


put = compiled(_put)


def _say(row: Any, place: int, sided: bool, out: Any, places: Any, count: int) -> int:
    """Write the one or two events that a message says by itself and return how many there are now.

    *sided*: whether the direction of a hidden execution means anything.
    """
    what, side, lots = row[TYPE], row[DIRECTION], row[SIZE]
    if what == SUBMITTED:
        return int(put(out, places, count, row, place, _ADD, row[ID], side, lots))
    if what == REDUCED:
        return int(put(out, places, count, row, place, _CANCEL, row[ID], side, lots))
    if what == DELETED:
        return int(put(out, places, count, row, place, _CANCEL, row[ID], side, 0))
    if what == EXECUTED:
        count = put(out, places, count, row, place, _TRADE, 0, -side, lots)
        return int(put(out, places, count, row, place, _FILL, row[ID], side, lots))
    if what == HALT:
        status = _HALTED if row[PRICE] < 0 else _AUCTION if row[PRICE] == 0 else _OPEN
        count = put(out, places, count, row, place, _STATUS, 0, 0, status)
        out[count - 1]["ticks"] = 0
        return count
    if lots == 0:  # a cross in which nobody traded
        return count
    count = put(out, places, count, row, place, _TRADE, 0, -side if what == HIDDEN and sided else 0, lots)
    out[count - 1]["flags"] = _HIDDEN_FLAG
    return count


say = compiled(_say)


def _say_all(table: Any, first_place: int, sided: bool, out: Any, places: Any) -> int:
    """Write what all messages say by themselves; return how many events that is."""
    count = 0
    for k in range(table.shape[0]):
        count = say(table[k], first_place + k, sided, out, places, count)
    return count


say_all = compiled(_say_all)


def _pick(levels: Any, orders: Any, book_row: int, ticks: int, whom: int) -> int:
    """Return the node of the order at a price that lots are taken from next, 0 where there is none of the kind."""
    found, node = 0, first_order(levels, book_row, ticks)
    while node != 0:
        if whom == _ANYBODY or (
            orders[node + ORDER_OWNER] == _DOUBTFUL and (orders[node + ORDER_ID] >= ANONYMOUS) == (whom == _ANONYM)
        ):
            found = node
            if whom == _ANONYM:
                break
        node = orders[node + ORDER_BEHIND]
    return int(found)


pick = compiled(_pick)


def _take_off(
    row: Any,
    place: int,
    kind: int,
    side: int,
    ticks: int,
    lots: int,
    whom: int,
    levels: Any,
    orders: Any,
    state: Any,
    out: Any,
    places: Any,
) -> int:
    """Take *lots* from the orders at a price that `_pick` finds, and return how many are left when there are no more."""
    book_row = 0 if side > 0 else 1
    while lots > 0:
        node = pick(levels, orders, book_row, ticks, whom)
        if node == 0:
            break
        taken = min(lots, orders[node + ORDER_LOTS])
        count = put(out, places, state[_COUNT], row, place, kind, orders[node + ORDER_ID], side, taken)
        out[count - 1]["ticks"] = ticks
        state[_COUNT] = count
        reduce_order(levels, orders, node, taken)
        lots -= taken
    return int(lots)


take_off = compiled(_take_off)


def _add_anonymous(
    row: Any, place: int, side: int, ticks: int, lots: int, levels: Any, orders: Any, state: Any, out: Any, places: Any
) -> None:
    """Add an anonymous order; the book is not full."""
    order_id = ANONYMOUS + state[_NEXT_ID]
    state[_NEXT_ID] += 1
    add_order(levels, orders, 0, order_id, _DOUBTFUL, 0, side, ticks, lots)
    count = put(out, places, state[_COUNT], row, place, _ADD, order_id, side, lots)
    out[count - 1]["ticks"] = ticks
    state[_COUNT] = count


add_anonymous = compiled(_add_anonymous)


def _take_in(row: Any, place: int, sided: bool, levels: Any, orders: Any, state: Any, out: Any, places: Any) -> None:
    """Write the events of one message and let the book take them in; there is room for them."""
    what = row[TYPE]
    if what in (HIDDEN, CROSS, HALT):
        state[_COUNT] = say(row, place, sided, out, places, state[_COUNT])
        return
    node = find_order(orders, 0, row[ID])
    if what == SUBMITTED:
        if node != 0:
            remove_order(levels, orders, node)
            state[_COUNT] = put(out, places, state[_COUNT], row, place, _CANCEL, row[ID], row[DIRECTION], 0)
        state[_COUNT] = say(row, place, sided, out, places, state[_COUNT])
        add_order(levels, orders, 0, row[ID], 0, 0, row[DIRECTION], row[PRICE], row[SIZE])
        return
    kind, rest = _FILL if what == EXECUTED else _CANCEL, row[SIZE]
    if what == EXECUTED:
        state[_COUNT] = put(out, places, state[_COUNT], row, place, _TRADE, 0, -row[DIRECTION], row[SIZE])
    if node != 0:
        held, doubtful = orders[node + ORDER_LOTS], orders[node + ORDER_OWNER] == _DOUBTFUL
        taken = held if what == DELETED else min(held, rest)
        said = 0 if what == DELETED else taken
        state[_COUNT] = put(out, places, state[_COUNT], row, place, kind, row[ID], row[DIRECTION], said)
        reduce_order(levels, orders, node, taken)
        if doubtful and taken > rest:  # it had become smaller unseen: what is left is somebody else's
            add_anonymous(row, place, row[DIRECTION], row[PRICE], taken - rest, levels, orders, state, out, places)
        rest -= min(held, rest)
    if rest > 0:
        state[_BORROWED] += 1
        for whom in (_ANONYM, _NAMED):
            rest = take_off(row, place, kind, row[DIRECTION], row[PRICE], rest, whom, levels, orders, state, out, places)


take_in = compiled(_take_in)


def _doubt(levels: Any, orders: Any, book_row: int, ticks: int, newcomer: int) -> None:
    """Remember that the orders at a price, but for the *newcomer*, may have changed unseen."""
    node = first_order(levels, book_row, ticks)
    while node != 0:
        if orders[node + ORDER_ID] != newcomer:
            orders[node + ORDER_OWNER] = _DOUBTFUL
        node = orders[node + ORDER_BEHIND]


doubt = compiled(_doubt)


def _count_side(shown: Any, side: int, newcomer: int, levels: Any, orders: Any, state: Any) -> tuple[bool, bool, bool]:
    """Compare one side of a recorded row with our book.

    Returns whether all its levels were in view, whether those that were agree, and whether anything is to be restated.
    """
    row, across = (0, 2) if side > 0 else (1, 0)
    bound = state[_BID_BOUND] if side > 0 else state[_ASK_BOUND]
    determined, agrees, same = True, True, True
    ours = best_of(levels, row)
    for place in range(shown.shape[0] // 4):
        lots = shown[4 * place + across + 1]
        ticks = shown[4 * place + across] if lots > 0 else (NO_BID if side > 0 else NO_ASK)
        while ours not in (NO_BID, NO_ASK) and (ours - ticks) * side > 0:
            same = False
            if (ours - bound) * side >= 0:
                state[_EXTRA] += 1
                agrees = False
            else:
                state[_GHOSTS] += 1
            ours = next_level(levels, row, ours)
        if lots == 0:
            break
        held = level_of(levels, row, ticks)
        state[_LEVELS] += 1
        same = same and held == lots
        if (ticks - bound) * side >= 0:
            state[_DETERMINED] += 1
            state[_AGREE] += held == lots
            agrees = agrees and held == lots
        else:
            determined = False
            doubt(levels, orders, row, ticks, newcomer)
            state[_CAME_MORE] += held < lots
            state[_CAME_FEWER] += held > lots
        if ours == ticks:
            ours = next_level(levels, row, ours)
    return determined, agrees, same


count_side = compiled(_count_side)


def _restate_side(row: Any, place: int, shown: Any, side: int, levels: Any, orders: Any, state: Any, out: Any, places: Any) -> bool:
    """Let one side of our book, and the events, be what the row shows; False where the book must grow before it can go on."""
    book_row, across = (0, 2) if side > 0 else (1, 0)
    ours = best_of(levels, book_row)
    for number in range(shown.shape[0] // 4):
        lots = shown[4 * number + across + 1]
        ticks = shown[4 * number + across] if lots > 0 else (NO_BID if side > 0 else NO_ASK)
        while ours not in (NO_BID, NO_ASK) and (ours - ticks) * side > 0:
            beyond = next_level(levels, book_row, ours)
            all_of_it = level_of(levels, book_row, ours)
            take_off(row, place, _CANCEL, side, ours, all_of_it, _ANYBODY, levels, orders, state, out, places)
            ours = beyond
        if lots == 0:
            break
        held = level_of(levels, book_row, ticks)
        if held > lots:
            rest = held - lots
            for whom in (_ANONYM, _NAMED, _ANYBODY):
                rest = take_off(row, place, _CANCEL, side, ticks, rest, whom, levels, orders, state, out, places)
        elif held < lots:
            if is_book_full(levels, orders):
                return False
            add_anonymous(row, place, side, ticks, lots - held, levels, orders, state, out, places)
        if ours == ticks:
            ours = next_level(levels, book_row, ticks)
    return True


restate_side = compiled(_restate_side)


def _set_bounds(shown: Any, state: Any) -> None:
    """Remember how far this row lets one see."""
    last = shown.shape[0] - 4
    state[_ASK_BOUND] = shown[last] if shown[last + 1] > 0 else NO_ASK
    state[_BID_BOUND] = shown[last + 2] if shown[last + 3] > 0 else NO_BID


set_bounds = compiled(_set_bounds)


def _follow(
    table: Any, book: Any, begin: int, first_place: int, sided: bool, levels: Any, orders: Any, state: Any, out: Any, places: Any
) -> int:
    """Follow messages and recorded rows from *begin* on; return where it stopped: at the end, or where room is needed."""
    spare = 8 + book.shape[1]
    for k in range(begin, table.shape[0]):
        if is_book_full(levels, orders) or state[_COUNT] + live_orders(orders) + spare > out.shape[0]:
            return k
        place, shown = first_place + k, book[k]
        if state[_RESTATING] == 0:
            take_in(table[k], place, sided, levels, orders, state, out, places)
            newcomer = table[k, ID] if table[k, TYPE] == SUBMITTED else -1
            bids, bids_agree, bids_same = count_side(shown, 1, newcomer, levels, orders, state)
            asks, asks_agree, asks_same = count_side(shown, -1, newcomer, levels, orders, state)
            state[_ROWS] += 1
            state[_ROWS_DETERMINED] += bids and asks
            state[_ROWS_AGREE] += bids_agree and asks_agree
            if not (bids_agree and asks_agree) and state[_FIRST_WRONG] == 0:
                state[_FIRST_WRONG] = place
            state[_RESTATING] = not (bids_same and asks_same)
        if state[_RESTATING] != 0:
            for side in (1, -1):
                if not restate_side(table[k], place, shown, side, levels, orders, state, out, places):
                    return k
            state[_RESTATING] = 0
        set_bounds(shown, state)
    return int(table.shape[0])


follow = compiled(_follow)


def events_of(table: Ints, first_place: int, *, sided: bool) -> Made:
    """Return what messages say by themselves, where there is no recorded book."""
    out, places = new_events(2 * len(table)), np.zeros(2 * len(table), np.int64)
    count = int(say_all(table, first_place, sided, out, places))
    return Made(out[:count], places[:count])


class Follower:
    """Follows one day's messages and recorded rows.

    Args:
        file: of the rows, for notes.
        check: what it compares is counted there, and disagreements in *defects* too.
        next_id: how many anonymous orders there were before, on other days.
        sided: whether the direction of hidden executions means anything.
    """

    def __init__(self, file: InputFile, check: RowCheck, defects: Defects, next_id: int, *, sided: bool) -> None:
        self._file, self._check, self._defects, self._sided = file, check, defects, sided
        self._levels, self._orders = new_books(2), new_orders()
        self._state = np.zeros(_STATE, np.int64)
        self._state[_NEXT_ID] = next_id
        self._state[_BID_BOUND], self._state[_ASK_BOUND] = _NOTHING_IN_VIEW

    @property
    def next_id(self) -> int:
        """How many anonymous orders there were."""
        return int(self._state[_NEXT_ID])

    def snapshot(self, message: Ints, shown: Ints, place: int) -> Made:
        """Return the book before the first *message*, after which the file shows *shown*, and start from it."""
        before: dict[tuple[int, int], int] = {}
        for level in shown.reshape(-1, 4).tolist():
            for side, ticks, lots in ((-1, *level[:2]), (1, *level[2:])):
                if lots > 0:
                    before[side, ticks] = lots
        what, key = message[TYPE], (int(message[DIRECTION]), int(message[PRICE]))
        if what in {SUBMITTED, REDUCED, DELETED, EXECUTED}:
            before[key] = before.get(key, 0) + int(-message[SIZE] if what == SUBMITTED else message[SIZE])
        events, book = new_events(len(before) + 2), [(*key, lots) for key, lots in sorted(before.items()) if lots > 0]
        events = events[: len(book) + 2]
        events["exch_ns"] = events["local_ns"] = message[TIME]
        events["kind"], events["flags"] = _ADD, _SNAPSHOT
        events["kind"][0], events["kind"][-1] = _BEGIN, _END
        events["flags"][-1] |= _LAST
        for event, (side, ticks, lots) in zip(events[1:-1], book, strict=True):
            order_id = ANONYMOUS + self.next_id
            self._state[_NEXT_ID] += 1
            event["id"], event["side"], event["ticks"], event["lots"] = order_id, side, ticks, lots
            self._make_room()
            add_order(self._levels, self._orders, 0, order_id, _DOUBTFUL, 0, side, ticks, lots)
        return Made(events, np.full(len(events), place))

    def take(self, table: Ints, book: Ints, first_place: int) -> Made:
        """Return the events of messages and the rows recorded after them; *first_place* is the line of the first."""
        pieces: list[tuple[Events, Ints]] = []
        begin = 0
        while begin < len(table):
            self._make_room()
            room = 4 * len(table) + 2 * (int(live_orders(self._orders)) + book.shape[1] + 8)
            out, places = new_events(room), np.zeros(room, np.int64)
            self._state[_COUNT] = 0
            begin = int(follow(table, book, begin, first_place, self._sided, self._levels, self._orders, self._state, out, places))
            count = int(self._state[_COUNT])
            pieces.append((out[:count], places[:count]))
        self._report()
        return Made(np.concatenate([piece[0] for piece in pieces]), np.concatenate([piece[1] for piece in pieces]))

    def _report(self) -> None:
        """Hand on what was counted."""
        counts, wrong = self._state[_COUNTS:], int(self._state[_DETERMINED] - self._state[_AGREE] + self._state[_EXTRA])
        note = f"{self._file.path}, line {self._state[_FIRST_WRONG]}: the recorded book is not what the messages say"
        self._defects.add("book_disagreements", wrong, note=note)
        self._check.add(*counts.tolist())
        counts[:] = 0
        self._state[_FIRST_WRONG] = 0

    def _make_room(self) -> None:
        if is_full(self._levels):
            self._levels = grow_books(self._levels)
        if is_book_full(self._levels, self._orders):
            self._orders = grow_orders(self._orders)
