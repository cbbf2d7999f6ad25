"""The compiled half of the ITCH reader: from bytes to events, one share's messages out of everybody's.

A message of another share costs a look at its length, type and locate. A file in which one message of forty is ours passes at 20
million a second of processor time, everything around it included. What an execution or a replacement leaves unsaid (price, side) is
looked up in a book by order, in which all orders stand at one price, because only the way from an id to its order is needed
here; an order's own ticks are its `ORDER_NOTE`.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.market.event import Flag, Kind, Status
from twosided.market.order_queues import (
    ORDER_NOTE,
    ORDER_ROW,
    add_order,
    find_order,
    is_book_full,
    reduce_order,
    remove_order,
)

__all__ = [
    "ANY_SYMBOL",
    "BAD_FLAG",
    "BAD_LENGTH",
    "BAD_PRICE",
    "BAD_SHARES",
    "BAD_SIDE",
    "BAD_STOCK",
    "BAD_TIME",
    "BAD_TYPE",
    "COUNT",
    "COUNTED",
    "FINE",
    "LENGTHS",
    "LOCATE",
    "MOST_EVENTS",
    "NO_LOCATE",
    "NO_MORE",
    "NO_ROOM",
    "OFF_TICK",
    "SEVERAL",
    "SIDED",
    "START_NS",
    "STATE",
    "STATUS",
    "STEP",
    "STOCK_AT",
    "SYMBOL",
    "moved_price",
    "scan",
]

_SIZES = dict(
    zip(
        "SRHYLVWKJhAFECXDUPQBINO",
        (12, 39, 25, 20, 26, 35, 12, 28, 35, 21, 36, 40, 31, 36, 23, 19, 35, 44, 40, 19, 50, 20, 48),
        strict=True,
    )
)
_STOCKS = dict(zip("RHYLKJhAFPQINO", (11, 11, 11, 15, 11, 11, 11, 24, 24, 24, 19, 28, 11, 11), strict=True))

LENGTHS = np.array([_SIZES.get(chr(letter), 0) for letter in range(256)], np.int64)
"""Length of a message by its type, 0 where there is none."""

STOCK_AT = np.array([_STOCKS.get(chr(letter), 0) for letter in range(256)], np.int64)
"""Where in a message the stock's name stands, 0 where it has none."""

(START_NS, LOCATE, SYMBOL, STATUS, STEP, SIDED, COUNT, _HOURS, _ACTION) = range(9)
COUNTED = {
    "other_messages": 9,
    "other_trades": 10,
    "broken_trades": 11,
    "between_ticks": 12,
    "unplaced_orders": 13,
    "unpriced_trades": 14,
}
"""Words of the state that count defects."""
STATE = 15
_OTHERS, _EMPTY, _BROKEN, _BETWEEN, _UNPLACED, _UNPRICED = COUNTED.values()

NO_LOCATE, ANY_SYMBOL = -1, 0

FINE, NO_MORE, MOST_EVENTS, NO_ROOM = 0, 1, 2, 3
"""Why a scan stopped: it did not (one message), the block is used up, *out* is, the book is."""
BAD_TYPE, BAD_LENGTH, BAD_TIME, BAD_SIDE, BAD_SHARES, BAD_PRICE, BAD_FLAG, BAD_STOCK, OFF_TICK, SEVERAL = range(10, 20)
"""Or what is wrong with the message at which it stopped."""

_UNKNOWN, _BEFORE, _DURING, _AFTER = 0, 1, 2, 3  # market hours
_ADD, _CANCEL, _FILL, _TRADE, _STATUS = int(Kind.ADD), int(Kind.CANCEL), int(Kind.FILL), int(Kind.TRADE), int(Kind.STATUS)
_HIDDEN = int(Flag.HIDDEN)
_CLOSED, _OPEN, _AUCTION, _HALT = int(Status.CLOSED), int(Status.OPEN), int(Status.AUCTION), int(Status.HALT)
_DAY_NS = 86_400_000_000_000
_MOST_TICKS, _MOST_CROSSED = 1 << 31, 1 << 40

_A, _B, _C, _D, _E, _F, _H, _M, _N, _O, _P, _Q, _R, _S, _T, _U, _V, _W, _X, _Y = b"ABCDEFHMNOPQRSTUVWXY"


def _number(block: Any, at: int, width: int) -> Any:
    """Return the big-endian number of *width* bytes at *at*; eight bytes wrap around beyond 63 bits."""
    value = np.int64(0)
    for place in range(at, at + width):
        value = (value << np.int64(8)) | np.int64(block[place])
    return value


number = compiled(_number, inline=True)


def _moved_price(price: int, side: int, step: int) -> int:
    """Return the ticks of a trade at *price*; `nasdaq.moved` for one number."""
    ticks = price // step
    rest = price - ticks * step
    if side < 0:
        return int(ticks + (1 if rest > 0 else 0))
    if side > 0:
        return int(ticks)
    return int(ticks + (1 if 2 * rest > step or (2 * rest == step and ticks & 1 == 1) else 0))


moved_price = compiled(_moved_price)


def _put(out: Any, places: Any, count: int, ns: int, place: int, kind: int, number_: int, side: int, ticks: int, lots: int) -> int:
    """Write one event and return how many there are now."""
    event = out[count]
    event["exch_ns"], event["local_ns"], event["id"], event["lots"] = ns, ns, number_, lots
    event["ticks"], event["kind"], event["flags"], event["side"] = ticks, kind, 0, side
    places[count] = place
    return count + 1


put = compiled(_put)


def _say_status(state: Any, ns: int, place: int, out: Any, places: Any, count: int) -> int:
    """Write the trading status where it is another than before, and return how many events there are now."""
    if state[_HOURS] in (_BEFORE, _AFTER):
        status = _CLOSED
    elif state[_ACTION] in (_H, _P):
        status = _HALT
    else:
        status = _AUCTION if state[_ACTION] == _Q else _OPEN
    if status == state[STATUS]:
        return count
    state[STATUS] = status
    return int(put(out, places, count, ns, place, _STATUS, 0, 0, 0, status))


say_status = compiled(_say_status)


def _new_order(
    block: Any, at: int, order_at: int, shares_at: int, price_at: int, side: int, step: int
) -> tuple[int, int, int, int]:
    """Return (what is wrong, id, shares, ticks) of an order in a message that begins at *at*."""
    shares, price = number(block, at + shares_at, 4), number(block, at + price_at, 4)
    if side == 0:
        return BAD_SIDE, 0, 0, 0
    if shares == 0:
        return BAD_SHARES, 0, 0, 0
    if price == 0 or price // step >= _MOST_TICKS:
        return BAD_PRICE, 0, 0, 0
    if price % step != 0:
        return OFF_TICK, 0, 0, 0
    return FINE, int(number(block, at + order_at, 8)), int(shares), int(price // step)


new_order = compiled(_new_order)


def _side_of(letter: int) -> int:
    """Return the side that B or S stands for, 0 for anything else."""
    return 1 if letter == _B else -1 if letter == _S else 0


side_of = compiled(_side_of)


def _enter(levels: Any, orders: Any, order_id: int, side: int, ticks: int, shares: int) -> None:
    """Remember an order; one of the same id is forgotten."""
    node = find_order(orders, 0, order_id)
    if node != 0:
        remove_order(levels, orders, node)
    add_order(levels, orders, 0, order_id, 0, ticks, side, 0, shares)


enter = compiled(_enter)


def _on_old_order(
    block: Any, at: int, kind: int, ns: int, place: int, levels: Any, orders: Any, state: Any, out: Any, places: Any
) -> int:
    """Write what a message says of an order that was there before (E, C, X, D, U); return what is wrong with it."""
    order_id, count = number(block, at + 11, 8), state[COUNT]
    node = find_order(orders, 0, order_id)
    side, ticks = 0, 0
    if node != 0:
        side, ticks = 1 if orders[node + ORDER_ROW] == 0 else -1, orders[node + ORDER_NOTE]
    if kind in (_D, _U):
        if kind == _U:
            if is_book_full(levels, orders):
                return NO_ROOM
            wrong, new_id, shares, new_ticks = new_order(block, at, 19, 27, 31, side if node != 0 else 1, state[STEP])
            if wrong != FINE:
                return int(wrong)
        count = put(out, places, count, ns, place, _CANCEL, order_id, side, ticks, 0)
        if node != 0:
            remove_order(levels, orders, node)
        if kind == _U and node == 0:
            state[_UNPLACED] += 1
        elif kind == _U:
            enter(levels, orders, new_id, side, new_ticks, shares)
            count = put(out, places, count, ns, place, _ADD, new_id, side, new_ticks, shares)
        state[COUNT] = count
        return FINE
    shares = number(block, at + 19, 4)
    if shares == 0:
        return BAD_SHARES
    if kind == _X:
        count = put(out, places, count, ns, place, _CANCEL, order_id, side, ticks, shares)
    else:
        at_ticks, printed = ticks, node != 0
        if kind == _C:
            letter, price = block[at + 31], number(block, at + 32, 4)
            if letter not in (_Y, _N):
                return BAD_FLAG
            if price == 0 or price // state[STEP] >= _MOST_TICKS - 1:
                return BAD_PRICE
            printed = letter == _Y
            at_ticks = moved_price(price, -side, state[STEP])
            state[_BETWEEN] += printed and price % state[STEP] != 0
        elif node == 0:
            state[_UNPRICED] += 1
        if printed:
            count = put(out, places, count, ns, place, _TRADE, number(block, at + 23, 8), -side, at_ticks, shares)
        count = put(out, places, count, ns, place, _FILL, order_id, side, ticks, shares)
    if node != 0:
        reduce_order(levels, orders, node, shares)
    state[COUNT] = count
    return FINE


on_old_order = compiled(_on_old_order)


def _on_trade(block: Any, at: int, kind: int, ns: int, place: int, state: Any, out: Any, places: Any) -> int:
    """Write a trade that took nothing from the book (P, Q); return what is wrong with it."""
    cross = kind == _Q
    shares = number(block, at + 11, 8) if cross else number(block, at + 20, 4)
    price = number(block, at + (27 if cross else 32), 4)
    side = 0 if cross else side_of(block[at + 19])
    if side == 0 and not cross:
        return BAD_SIDE
    if cross and shares == 0:
        state[_EMPTY] += 1
        return FINE
    if shares <= 0 or shares >= _MOST_CROSSED:
        return BAD_SHARES
    if price == 0 or price // state[STEP] >= _MOST_TICKS - 1:
        return BAD_PRICE
    side = -side if state[SIDED] != 0 else 0
    state[_BETWEEN] += price % state[STEP] != 0
    ticks, match = moved_price(price, side, state[STEP]), number(block, at + (31 if cross else 36), 8)
    state[COUNT] = put(out, places, state[COUNT], ns, place, _TRADE, match, side, ticks, shares)
    out[state[COUNT] - 1]["flags"] = _HIDDEN
    return FINE


on_trade = compiled(_on_trade)


def _on_message(block: Any, at: int, kind: int, place: int, levels: Any, orders: Any, state: Any, out: Any, places: Any) -> int:
    """Write the events of a message of our share, or of the market's hours; return what is wrong with it."""
    time = number(block, at + 5, 6)
    if time >= _DAY_NS:
        return BAD_TIME
    ns = state[START_NS] + time
    if kind in (_A, _F):
        if is_book_full(levels, orders):
            return NO_ROOM
        side = side_of(block[at + 19])
        wrong, order_id, shares, ticks = new_order(block, at, 11, 20, 32, side, state[STEP])
        if wrong == FINE:
            enter(levels, orders, order_id, side, ticks, shares)
            state[COUNT] = put(out, places, state[COUNT], ns, place, _ADD, order_id, side, ticks, shares)
        return int(wrong)
    if kind in (_E, _C, _X, _D, _U):
        return int(on_old_order(block, at, kind, ns, place, levels, orders, state, out, places))
    if kind in (_P, _Q):
        return int(on_trade(block, at, kind, ns, place, state, out, places))
    if kind == _S:
        letter = block[at + 11]
        if letter not in (_O, _S, _Q, _M, _E, _C):
            return BAD_FLAG
        state[_HOURS] = _BEFORE if letter in (_O, _S) else _DURING if letter == _Q else _AFTER
        state[COUNT] = say_status(state, ns, place, out, places, state[COUNT])
    elif kind == _H:
        letter = block[at + 19]
        if letter not in (_H, _P, _Q, _T):
            return BAD_FLAG
        state[_ACTION] = letter
        state[COUNT] = say_status(state, ns, place, out, places, state[COUNT])
    elif kind == _B:
        state[_BROKEN] += 1
    elif kind != _R:
        state[_OTHERS] += 1
    return FINE


on_message = compiled(_on_message)


def _is_ours(block: Any, at: int, kind: int, any_symbol: bool, stock_at: Any, state: Any) -> int:
    """Return 1 where a message is one of the share that is read, 0 where it is another's, else what is wrong with it.

    *any_symbol*: the only share in the file is read, whatever it is called.
    """
    locate = number(block, at + 1, 2)
    if locate != state[LOCATE]:
        if state[LOCATE] != NO_LOCATE:
            return SEVERAL if any_symbol else 0
        if not any_symbol and (stock_at[kind] == 0 or number(block, at + stock_at[kind], 8) != state[SYMBOL]):
            return 0
        state[LOCATE] = locate
    if stock_at[kind] != 0:
        stock = number(block, at + stock_at[kind], 8)
        if state[SYMBOL] == ANY_SYMBOL:
            state[SYMBOL] = stock
        elif state[SYMBOL] != stock:
            return BAD_STOCK
    return 1


is_ours = compiled(_is_ours)


def _scan(
    block: Any,
    position: int,
    begin: int,
    any_symbol: bool,
    lengths: Any,
    stock_at: Any,
    levels: Any,
    orders: Any,
    state: Any,
    out: Any,
    places: Any,
) -> tuple[int, int]:
    """Turn the messages from *position* on into events; *begin* is where in the file the block begins.

    Returns where it stopped, at the length of a message, and why.
    """
    state[COUNT] = 0
    skips = not any_symbol and state[LOCATE] != NO_LOCATE
    while position + 3 <= block.shape[0]:
        length: Any = np.int64(block[position]) * 256 + np.int64(block[position + 1])
        at = position + 2
        kind: Any = np.int64(block[at])
        if lengths[kind] != length or length == 0:
            return position, BAD_TYPE if lengths[kind] == 0 else BAD_LENGTH
        if at + length > block.shape[0]:
            break
        if skips and kind != _S and number(block, at + 1, 2) != state[LOCATE]:
            position = at + length
            continue
        if kind in (_V, _W):
            ours = 0
        elif kind == _S:
            ours = 1
        else:
            ours = is_ours(block, at, kind, any_symbol, stock_at, state)
        if ours > 1:
            return position, ours
        if ours == 1:
            if state[COUNT] + 2 > out.shape[0]:
                return position, MOST_EVENTS
            wrong = on_message(block, at, kind, begin + position, levels, orders, state, out, places)
            if wrong != FINE:
                return position, wrong
        position = at + length
    return position, NO_MORE


scan = compiled(_scan)
