"""The loop of a simulation for compiled strategies whom nothing hinders: sixteen paths in step, some 23 ns a path-step.

Where you are in the pipe: strategy -> venue -> fills -> ledger of a Monte-Carlo run, the part that must be fast.

What a strategy answers rests on its last fill by a long chain of operations, so sixteen paths go through each part of a step
together: *show* them the market, *ask* all, see *who is met*, let those *take* their fills, *mark* all. While one chain waits, the
others go on. What else that rests on:

- The strategy is compiled into a loop over the records of all paths (`asked_in_turn`), and that is called by address: one call for
  sixteen decisions, and constants stay in registers.
- A record's beginning is the same for all strategies (`FACE`), so whatever is read or written there is at a fixed place.
- Accounts stand side by side (`SHEET`): one instruction marks four paths.
- Who is filled is gathered in the bits of one number. A branch that depends on a random number is often guessed wrongly, and a
  store whose address depends on one makes all later reads wait: so neither happens before everybody's outcome is known.

Of the 23 ns, with the strategy of `benchmarks/montecarlo.py`: strategy 6, who is met 5, market 4, fills 3, showing 3, marks 1.
Worst case: a strategy that is itself much longer than the rest of a step gains nothing here, and loses nothing.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import from_dtype, types

from twosided._compile import compiled, detached, function_at, lowest_bit, table_at
from twosided.engines.montecarlo_flow import is_reached
from twosided.engines.montecarlo_world import CELL, FACE, LANES, QUOTER, SHEET, buys_of, fee_of, mids_of, sells_of, time_of
from twosided.signals.by_name import SIGNALS_OF_MARKET, see_book, signal_at

__all__ = ["asked_in_turn", "asker_at", "follow_together", "show_signals_address", "show_signals_at"]

face_of = table_at(QUOTER, "row", FACE, (1,))
sheet_of = table_at(QUOTER, "sheet", SHEET, (1,))
signals_of = table_at(QUOTER, "signal_state", SIGNALS_OF_MARKET, (1,))
shown_signal_of = table_at(QUOTER, "row", CELL, (1, "n_signals"), row=("row_bytes", "signals_offset"))


# ---------------------------------------------------------------- asking

_ASKED = types.void(from_dtype(QUOTER), types.int64)

asker_at = function_at(types.FunctionType(_ASKED))
"""``asker_at(q.address)(q, count)``: let the strategy of *q* decide on each of *count* records, which stand one after the other."""


def asked_in_turn(decide: Any, row_dtype: np.dtype[Any]) -> tuple[Callable[..., Any], Any]:
    """Return the function behind `asker_at` for a compiled strategy *decide*, and its signature."""
    row_of = table_at(QUOTER, "row", row_dtype, (LANES,))

    def decide_in_turn(q: Any, count: int) -> None:
        for lane in range(count):
            q.asked = lane
            decide(row_of(q, lane))

    return decide_in_turn, _ASKED


# ---------------------------------------------------------------- one step, part by part


def _show_signals(q: Any, now_ns: int, bid_ticks: int, ask_ticks: int) -> None:
    """Let a strategy's signals see the book, and show them."""
    signals = signals_of(q, 0)
    see_book(signals, q.signals_wanted, now_ns, bid_ticks, ask_ticks, 1, 1)
    for j in range(q.n_signals):
        shown_signal_of(q, 0, j).number = signal_at(signals, q.signal_sources[j], now_ns)


show_signals_at, show_signals_address = detached(_show_signals, None, QUOTER, *["i8"] * 3)
"""``show_signals_at(q.show_signals)(q, …)``: most strategies ask for no signals, and need not wait for them to be compiled."""


def _show(face: Any, s: Any, lane: int, now_ns: int, mid: float, after: float) -> None:
    """Show a strategy the mid, as `_show` of the whole loop does, and prepare the path's accounts for the step."""
    half = int(math.floor(2.0 * mid / face.tick_size + 0.5))  # the mid in half-ticks
    face.now_ns = now_ns
    face.bid_ticks = (half - 1) >> 1
    face.ask_ticks = (half + 2) >> 1
    face.book_ns = now_ns
    face.position_lots = s.position[lane]
    face.cash = s.pnl[lane] - s.quantity[lane] * mid
    s.move[lane] = after - mid
    s.gain[lane] = 0.0


show = compiled(_show, inline=True)


def _who_is_met(w: Any, face: Any, s: Any, lane: int, mid: float, sell: int, buy: int) -> int:
    """Return 1 if the orders of a step reach the bid, plus 2 if they reach the ask; take notice of what is quoted."""
    bid, ask = face.quotes[0], face.quotes[1]
    bid_price, ask_price = bid.ticks * face.tick_size, ask.ticks * face.tick_size
    bid_lots, ask_lots = bid.lots, ask.lots
    face.working_bid_lots, face.working_ask_lots = bid_lots, ask_lots
    met = 0
    if bid_lots > 0 and ask_lots > 0:
        s.quoted[lane] += 1
        s.quoted_spread[lane] += ask_price - bid_price
    if bid_lots > 0:
        met |= int(is_reached(w, sell, mid - bid_price))
    if ask_lots > 0:
        met |= int(is_reached(w, buy, ask_price - mid)) << 1
    return met


who_is_met = compiled(_who_is_met, inline=True)


def _take_fill(w: Any, limit_lots: int, face: Any, s: Any, lane: int, side: int, mid: float) -> None:
    """Let the orders of a step have the quote of a side, as far as the position limit lets them."""
    quote, sign, position = face.quotes[side], 1 - 2 * side, s.position[lane]
    ticks, lots = quote.ticks, min(quote.lots, limit_lots - sign * position)
    if lots <= 0:
        return
    price, size = ticks * face.tick_size, lots * w.lot_size
    fee, earned = fee_of(w, price, lots), size * (sign * (mid - price))
    position += sign * lots
    face.trade_ticks, face.trade_lots, face.trade_side = ticks, lots, -sign
    s.fills[lane] += 1
    s.volume[lane] += lots
    s.fees[lane] += fee
    s.spread[lane] += earned
    s.adverse[lane] += sign * size * s.move[lane]
    s.gain[lane] += earned - fee
    s.position[lane], s.quantity[lane] = position, position * w.lot_size


take_fill = compiled(_take_fill, inline=True)


def _mark(s: Any) -> None:
    """Book what a step brought to all paths, those that are not there included: four are as fast as one."""
    for lane in range(LANES):
        change = s.gain[lane] + s.quantity[lane] * s.move[lane]
        pnl = s.pnl[lane] + change
        peak = max(s.peak[lane], pnl)
        held = abs(s.position[lane])
        s.pnl[lane] = pnl
        s.squares[lane] += change * change
        # what is added to a maximum changes nothing; without it the compiler stores only what grew, which takes ten times as long
        s.peak[lane] = peak + 0.0
        s.drawdown[lane] = max(s.drawdown[lane], peak - pnl) + 0.0
        s.held[lane] += held
        s.most_held[lane] += max(held - s.most_held[lane], 0)


mark = compiled(_mark, inline=True)


# ---------------------------------------------------------------- a block


def _open_accounts(s: Any, q: Any, lane: int, lot_size: float) -> None:
    """Copy a path's accounts to their place beside the others'."""
    s.pnl[lane], s.squares[lane], s.peak[lane], s.drawdown[lane] = q.pnl, q.squares, q.peak, q.drawdown
    s.held[lane], s.most_held[lane], s.position[lane], s.quantity[lane] = q.held, q.most_held, q.position, q.position * lot_size
    s.spread[lane], s.adverse[lane], s.fees[lane], s.quoted_spread[lane] = q.spread, q.adverse, q.fees, q.quoted_spread
    s.fills[lane], s.volume[lane], s.quoted[lane] = q.fills, q.volume, q.quoted


open_accounts = compiled(_open_accounts)


def _close_accounts(s: Any, q: Any, lane: int) -> None:
    """Copy a path's accounts back."""
    q.pnl, q.squares, q.peak, q.drawdown = s.pnl[lane], s.squares[lane], s.peak[lane], s.drawdown[lane]
    q.held, q.most_held, q.position = s.held[lane], s.most_held[lane], s.position[lane]
    q.spread, q.adverse, q.fees, q.quoted_spread = s.spread[lane], s.adverse[lane], s.fees[lane], s.quoted_spread[lane]
    q.fills, q.volume, q.quoted = s.fills[lane], s.volume[lane], s.quoted[lane]


close_accounts = compiled(_close_accounts)


def _follow_together(world: Any, quoters: Any, k: int, lanes: int) -> None:
    """Do what `_follow` does for a compiled strategy of one level where no quote is late, none is sniped, and orders have no size.

    A test holds the two equal to the last bit.
    """
    w, q = world[0], quoters[0, k]
    s, limit_lots = sheet_of(q, 0), q.limit_lots
    for lane in range(lanes):
        open_accounts(s, quoters[lane, k], lane, w.lot_size)
    for i in range(w.count):
        now_ns = time_of(w, w.step + i)
        for lane in range(lanes):
            mids = mids_of(world[lane])
            show(face_of(quoters[lane, k], 0), s, lane, now_ns, mids[i], mids[i + 1])
        if q.n_signals > 0:
            for lane in range(lanes):
                face = face_of(quoters[lane, k], 0)
                show_signals_at(q.show_signals)(quoters[lane, k], now_ns, face.bid_ticks, face.ask_ticks)
        q.i = i
        asker_at(q.address)(q, lanes)
        met = 0
        for lane in range(lanes):
            v = world[lane]
            met |= who_is_met(w, face_of(quoters[lane, k], 0), s, lane, mids_of(v)[i], sells_of(v)[i], buys_of(v)[i]) << (2 * lane)
        while met != 0:
            bit = lowest_bit(met)
            met &= met - 1
            lane = bit >> 1
            take_fill(w, limit_lots, face_of(quoters[lane, k], 0), s, lane, bit & 1, mids_of(world[lane])[i])
        mark(s)
    for lane in range(lanes):
        close_accounts(s, quoters[lane, k], lane)


follow_together = compiled(_follow_together)
