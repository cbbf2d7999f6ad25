"""Everything a simulation knows between two calls of its loop: the market of a chunk of paths, and each quoter.

Where you are in the pipe: this is the memory behind events, venue and ledger of a Monte-Carlo run.

All state lives in records, because the loop returns to Python where Python must decide. Tables are reached through addresses in
them: a pointer costs nothing to hand on, while handing arrays on, with their counted references, took most of the time.
"""

from typing import Any

import numpy as np
from numba import types

from twosided._compile import compiled, words_at
from twosided.strategies.contract import HEADER, MARKET_VIEW, QUOTE

__all__ = [
    "BRACKET",
    "CELL",
    "COLUMNS",
    "FACE",
    "LANES",
    "QUOTER",
    "SHEET",
    "STANDING",
    "START_NS",
    "TABULATED",
    "TRACE",
    "WORLD",
    "buys_of",
    "fee_of",
    "jumps_of",
    "mids_of",
    "recorded_of",
    "sells_of",
    "time_of",
]

COLUMNS = (
    "pnl",
    "position",
    "spread",
    "adverse",
    "inventory",
    "fees",
    "fills",
    "sniped",
    "volume",
    "mean_abs_position",
    "max_abs_position",
    "sharpe",
    "drawdown",
    "quoted_spread",
)
"""What is kept of each path and quoter, in money and base units.

pnl = spread + adverse + inventory - fees: what fills were away from the mid, what the mid did in the step of a fill on what was
filled, and all that it did afterwards. The Sharpe ratio is that of the path's steps, times sqrt(steps).
"""

TRACE = ("mid", "bid", "ask", "position", "pnl")
"""What is kept of each step of the paths that are asked for: quotes as they stand (NaN: none), the rest at the step's beginning."""

LANES = 16
"""How many paths a thread walks in step where strategies are asked: while one waits for its numbers, the others go on."""

START_NS = 946_684_800_000_000_000
"""What strategies are told the time is when a path begins: the year 2000."""


def _record(fields: list[Any]) -> np.dtype[Any]:
    return np.dtype((np.record, fields), align=True)


WORLD = _record(
    [
        ("seed", "i8"),
        ("first_path", "i8"),  # number of this chunk's first path
        ("paths", "i8"),  # in this chunk
        ("steps", "i8"),
        ("block", "i8"),  # most steps made at a time
        # addresses, by step of the present block
        ("mids", "i8"),  # the mid at its beginning; known as far beyond the block as informed traders see
        ("jumps", "i8"),  # the part of its move that jumped
        ("sells", "i8"),  # marks of the orders that hit bids
        ("buys", "i8"),  # and of those that lift asks
        ("step_s", "f8"),
        ("tick_size", "f8"),  # 0: prices are continuous
        ("lot_size", "f8"),
        ("fee_rate", "f8"),  # of value
        ("fee_per_lot", "f8"),
        ("size_decay", "f8"),  # ln(1 - 1/mean) of the lots of an incoming order; 0: any quote's size
        ("snipers", "i8"),
        ("stale_share", "f8"),  # of a step's smooth move that nobody can answer in time
        ("stale_jumps", "f8"),  # 1: nor its jumps
        # the mid, see montecarlo_mid
        ("kind", "i8"),  # index in MID_KINDS
        ("recorded", "i8"),  # address of a recorded path
        ("last_recorded", "i8"),  # place of its last mid
        ("start", "f8"),  # the price at the start
        ("deviation", "f8"),  # of a step: price where the process is arithmetic, else relative
        ("shift", "f8"),  # of a step: drift and what keeps a martingale one
        ("pull", "f8"),  # share of its distance from the mean that a mid (a variance) keeps over a step (gives up in one)
        ("jump_mean", "f8"),  # jumps per step
        ("jump_deviation", "f8"),  # relative
        ("variance_deviation", "f8"),
        ("correlation", "f8"),
        ("variance", "f8"),  # state: of the present path, over its mean
        # the order flow, see montecarlo_flow
        ("rate", "f8"),  # A·dt: orders per step that would reach the mid
        ("k", "f8"),  # 1/price
        ("linear", "i8"),  # 1: fill probability λ·dt
        ("hawkes", "f8"),  # share of excited orders
        ("decay", "f8"),  # per step
        ("informed", "f8"),  # share
        ("ahead", "i8"),  # steps that informed traders see
        ("sell_excitement", "f8"),  # state: intensity per step above its base
        ("buy_excitement", "f8"),
        ("brackets", "i8"),  # address of `BRACKET`, how far the marks of each bracket reach
        # state
        ("path", "i8"),  # within the chunk
        ("lane", "i8"),  # which of the paths in step is being looked at (in the first one's record)
        ("step", "i8"),  # first of the present block
        ("count", "i8"),  # steps in it; 0 before it is made
        ("known", "i8"),  # mids known beyond the block's beginning
        ("quoter", "i8"),  # who is living through it
        ("mid_stream", "u8"),
        ("jump_stream", "u8"),
        ("variance_stream", "u8"),
        ("sell_stream", "u8"),
        ("buy_stream", "u8"),
        ("size_stream", "u8"),
        ("informed_stream", "u8"),
    ]
)
"""The market of one chunk of paths; of paths in step each has its own."""

QUOTER = _record(
    [
        ("tabled", "i8"),  # 1: quotes come from a table of inventory, 0: from a strategy
        ("plain", "i8"),  # 1: nothing stands between quotes and their fills, and machine code decides
        ("tabulated", "i8"),  # address of `TABULATED`, for each inventory and slice of time
        ("places", "i8"),  # how many those are
        ("cells", "i8"),  # and how many numbers: six each
        ("bound", "i8"),  # quotes
        ("both_sides", "i8"),  # inventories smaller than this have two quotes at all times
        ("slices", "i8"),  # of time: 1, or as many as there are steps
        ("quote_lots", "i8"),
        ("address", "i8"),  # of the strategy's machine code; 0: Python decides
        ("row", "i8"),  # addresses: its row, and how that is at the beginning of a path
        ("template", "i8"),
        ("signal_state", "i8"),
        ("row_bytes", "i8"),
        ("market_offset", "i8"),
        ("quotes_offset", "i8"),
        ("signals_offset", "i8"),
        ("n_signals", "i8"),
        ("signals_wanted", "i8"),  # bits of their groups
        ("signal_sources", "i8", (16,)),
        ("show_signals", "i8"),  # address of the machine code that does; 0 where there are none
        ("levels", "i8"),
        ("sheet", "i8"),  # address of the accounts of the paths that are walked in step
        ("standing", "i8"),  # address of the decisions that are on their way or stand
        ("slots", "i8"),  # how many that are: one more than steps of latency
        ("limit_lots", "i8"),
        # state
        ("i", "i8"),  # step within the block
        ("asked", "i8"),  # which of the paths in step it is asked about, if it is asked about all (in the first one's record)
        ("answered", "i8"),  # 1: Python has decided
        ("position", "i8"),  # lots
        ("pnl", "f8"),
        ("squares", "f8"),
        ("spread", "f8"),
        ("adverse", "f8"),
        ("fees", "f8"),
        ("fills", "i8"),
        ("sniped", "i8"),
        ("volume", "i8"),  # lots
        ("held", "i8"),  # sum over steps of |position|, lots
        ("most_held", "i8"),
        ("peak", "f8"),
        ("drawdown", "f8"),
        ("quoted", "i8"),  # steps with both sides
        ("quoted_spread", "f8"),
    ]
)
"""One quoter, and what became of it on the present path."""

SHEET = _record(
    [
        *[(name, "f8", (LANES,)) for name in ("move", "gain", "quantity", "pnl", "squares", "peak", "drawdown")],
        *[(name, "i8", (LANES,)) for name in ("position", "held", "most_held")],
        *[(name, "f8", (LANES,)) for name in ("spread", "adverse", "fees", "quoted_spread")],
        *[(name, "i8", (LANES,)) for name in ("fills", "volume", "quoted")],
    ]
)
"""The accounts of paths that are walked in step, side by side, so that one instruction marks four of them; names as in `QUOTER`.

``move`` is that of the mid in the present step, ``gain`` that of its fills at its mid, ``quantity`` the position in base units.
"""

FACE = _record(
    [
        *[(name, HEADER[name]) for name in HEADER.names or ()],
        *[(name, MARKET_VIEW[name]) for name in MARKET_VIEW.names or ()],
        ("quotes", QUOTE, (2,)),  # bid, ask
    ]
)
"""How the row of every strategy of one market and one level begins."""

CELL = np.dtype((np.record, [("number", "f8")]))

BRACKET = np.dtype((np.record, [("surely", "f8"), ("perhaps", "f8")]))
"""Distances from the mid: nearer than the first is reached by all marks of a bracket, no nearer than the second by none."""

TABULATED = np.dtype(
    (
        np.record,
        [
            ("bid_reach", "i8"),  # marks below it reach the bid; -1: there is none
            ("ask_reach", "i8"),
            ("nothing", "f8"),  # what a step captures per unit when nothing fills: 0
            ("bid", "f8"),  # the bid: its distance from the mid
            ("ask", "f8"),  # the ask
            ("both", "f8"),  # both
        ],
    )
)
"""What a table says for one inventory at one time; the last four are found by (1 if bought) + (2 if sold), without a branch."""

STANDING = np.dtype((np.record, [("price", "f8"), ("lots", "i8")]))
"""One quote as it was decided; 0 lots is none."""


# ---------------------------------------------------------------- what follows from them

mids_of = words_at(WORLD, "mids", types.float64)
jumps_of = words_at(WORLD, "jumps", types.float64)
recorded_of = words_at(WORLD, "recorded", types.float64)
sells_of = words_at(WORLD, "sells")
buys_of = words_at(WORLD, "buys")


def _time_of(w: Any, step: int) -> int:
    """Return what strategies are told the time is at the beginning of a step."""
    return START_NS + int(step * w.step_s * 1e9 + 0.5)


time_of = compiled(_time_of, inline=True)


def _fee(w: Any, price: float, lots: int) -> float:
    """Return the fee on a fill."""
    return float(lots * (abs(price) * w.lot_size * w.fee_rate + w.fee_per_lot))


fee_of = compiled(_fee, inline=True)
