"""Order flow: what was added to and taken from the touch, and who traded.

Where you are in the pipe: events -> book -> *signals* -> strategy.

**Order flow imbalance** of a change of the touch, in lots (primes after the change; b, a best prices, q their sizes):

    e = 1[b' >= b] q_b' - 1[b' <= b] q_b - 1[a' <= a] q_a' + 1[a' >= a] q_a

is what bids gained less what asks gained: orders added, cancelled and traded alike. Summed over a window it moves prices: in the
model of the source, where D lots stand at each price, by (sum of e) / 2D ticks. So `ofi_at` divides by the average size of the
touch: half of it is that move in ticks. It is 0 before anything happened.

**Multi-level order flow imbalance** is the same for the best price, the second best, and so on: a vector. Over arrays only: the
engines' shared ladder sends no more than the touch to our side.

**Trade imbalance** is (bought - sold) / (bought + sold) lots by aggressor over a window, -1 to 1, and 0 where nothing traded.

Source: Cont, Kukanov and Stoikov (2014), "The price impact of order book events", Journal of Financial Econometrics 12, eqs. (1) to
(5); several levels: Xu, Gould and Howison (2018), "Multi-level order-flow imbalance in a limit order book", Market Microstructure
and Liquidity 4.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.signals.window import PARTS, WINDOW, add_to_window, move_window

__all__ = [
    "OFI",
    "aggressor_of",
    "multi_level_ofi",
    "ofi",
    "ofi_at",
    "require_columns",
    "trade_imbalance",
    "trade_imbalance_at",
    "update_ofi",
    "update_trade_imbalance",
]

Floats = npt.NDArray[np.float64]

OFI = np.dtype(
    (
        np.record,
        [
            ("flow", WINDOW),  # up: what is positive of e, down: what is negative, lots
            ("bid", "i8"),  # the touch before
            ("ask", "i8"),
            ("bid_lots", "i8"),
            ("ask_lots", "i8"),
            ("depth", "f8"),  # average of the two sizes over time
            ("seconds", "f8"),  # that it rests on, weighted
            ("last_ns", "i8"),  # 0 before the first touch
        ],
    )
)
"""Order flow of one market over a window of time; zeroed at the start."""

_DEPTH_S = 60.0  # time constant of the average size of the touch


def _flow_of(bid: int, ask: int, bid_lots: int, ask_lots: int, bid2: int, ask2: int, bid_lots2: int, ask_lots2: int) -> int:
    """Return e of the change from the first touch to the second."""
    flow = 0
    if bid2 >= bid:
        flow += bid_lots2
    if bid2 <= bid:
        flow -= bid_lots
    if ask2 <= ask:
        flow -= ask_lots2
    if ask2 >= ask:
        flow += ask_lots
    return flow


flow_of = compiled(_flow_of)


def _update_ofi(row: Any, now_ns: int, span_ns: int, bid: int, ask: int, bid_lots: int, ask_lots: int) -> None:
    """Take in a touch with both sides."""
    if row.last_ns != 0:
        flow = flow_of(row.bid, row.ask, row.bid_lots, row.ask_lots, bid, ask, bid_lots, ask_lots)
        if flow != 0:
            add_to_window(row.flow, now_ns, span_ns, max(flow, 0), max(-flow, 0))
        decay = math.exp(-(now_ns - row.last_ns) * 1e-9 / _DEPTH_S)
        stood = _DEPTH_S * (1.0 - decay)
        seconds = decay * row.seconds + stood
        if seconds > 0.0:
            row.depth += (0.5 * (row.bid_lots + row.ask_lots) - row.depth) * stood / seconds
        row.seconds = seconds
    else:
        row.depth = 0.5 * (bid_lots + ask_lots)
    row.bid, row.ask, row.bid_lots, row.ask_lots, row.last_ns = bid, ask, bid_lots, ask_lots, now_ns


update_ofi = compiled(_update_ofi)


def _ofi_at(row: Any, now_ns: int, span_ns: int) -> float:
    """Return the flow of the span that ends now over the average size of the touch; 0 without any."""
    move_window(row.flow, now_ns, span_ns)
    return (row.flow.up - row.flow.down) / row.depth if row.depth > 0.0 else 0.0


ofi_at = compiled(_ofi_at)


def _ofi_over(touches: Any, span_ns: int, state: Any, lots: Any, depths: Any) -> None:
    """Write the flow of the span that ends with each touch, in lots and over the average size."""
    row = state[0]
    for i in range(touches.shape[0]):
        now_ns = touches[i, 0]
        update_ofi(row, now_ns, span_ns, touches[i, 1], touches[i, 2], touches[i, 3], touches[i, 4])
        depths[i] = ofi_at(row, now_ns, span_ns)
        lots[i] = row.flow.up - row.flow.down


ofi_over = compiled(_ofi_over)


def ofi(
    ns: npt.ArrayLike,
    bid_ticks: npt.ArrayLike,
    ask_ticks: npt.ArrayLike,
    bid_lots: npt.ArrayLike,
    ask_lots: npt.ArrayLike,
    span_ns: int = 1_000_000_000,
) -> tuple[Floats, Floats]:
    """Return the order flow imbalance of the span that ends with each touch: in lots, and over the average size of the touch.

    Args:
        ns: when each touch was seen, after 1970 and never backwards, shape (n,).
        bid_ticks: best bids, whole numbers.
        ask_ticks: best asks.
        bid_lots: what is displayed at the bid.
        ask_lots: and at the ask.
        span_ns: of the window, 16 ns or more; it covers between 15/16 and all of it.

    Raises:
        InputError: shapes that differ, or time that runs backwards.
    """
    touches = require_columns(ns, bid_ticks, ask_ticks, bid_lots, ask_lots)
    _require_span(span_ns)
    lots, depths = np.empty(len(touches)), np.empty(len(touches))
    ofi_over(touches, span_ns, np.zeros(1, OFI), lots, depths)
    return lots, depths


def multi_level_ofi(
    bid_ticks: npt.ArrayLike, bid_lots: npt.ArrayLike, ask_ticks: npt.ArrayLike, ask_lots: npt.ArrayLike
) -> npt.NDArray[np.int64]:
    """Return e of each change for each level of a book: the m-th column compares the m-th best prices, in lots, shape (n - 1, m).

    Args:
        bid_ticks: the best m bids after each message, best first, shape (n, m); likewise the others.
        bid_lots: 0 where there is no such level (its price then does not matter).
        ask_ticks: asks.
        ask_lots: of them.

    Raises:
        InputError: shapes that differ.
    """
    bid, bids, ask, asks = (np.asarray(given, np.int64) for given in (bid_ticks, bid_lots, ask_ticks, ask_lots))
    if bid.ndim != 2 or not bid.shape == bids.shape == ask.shape == asks.shape:
        raise InputError(f"bid_ticks has shape {bid.shape}; allowed: (messages, levels), alike for all four")
    far = np.int64(1) << 40
    bid, ask = np.where(bids > 0, bid, -far), np.where(asks > 0, ask, far)  # a level that is not there is beyond all that are
    up = np.where(bid[1:] >= bid[:-1], bids[1:], 0) - np.where(bid[1:] <= bid[:-1], bids[:-1], 0)
    down = np.where(ask[1:] <= ask[:-1], asks[1:], 0) - np.where(ask[1:] >= ask[:-1], asks[:-1], 0)
    return np.asarray(up - down, np.int64)


# ---------------------------------------------------------------- trades


def _aggressor_of(side: int, ticks: int, bid: int, ask: int) -> int:
    """Return a trade's aggressor: as the venue says, else a buyer at the ask or above, a seller at the bid or below."""
    if side != 0:
        return side
    if ticks >= ask > bid:
        return 1
    return -1 if ticks <= bid < ask else 0


aggressor_of = compiled(_aggressor_of)


def _update_trade_imbalance(row: Any, now_ns: int, span_ns: int, side: int, lots: int) -> None:
    """Take in a trade of *lots* whose aggressor is known (0: it is not counted); *row* is a `WINDOW`."""
    if side != 0:
        add_to_window(row, now_ns, span_ns, lots if side > 0 else 0, lots if side < 0 else 0)


update_trade_imbalance = compiled(_update_trade_imbalance)


def _trade_imbalance_at(row: Any, now_ns: int, span_ns: int) -> float:
    """Return (bought - sold) / (bought + sold) lots of the span that ends now; 0 without trades."""
    move_window(row, now_ns, span_ns)
    total = row.up + row.down
    return (row.up - row.down) / total if total > 0 else 0.0


trade_imbalance_at = compiled(_trade_imbalance_at)


def _trade_imbalances(trades: Any, span_ns: int, state: Any, out: Any) -> None:
    """Write the imbalance after each trade."""
    row = state[0]
    for i in range(trades.shape[0]):
        update_trade_imbalance(row, trades[i, 0], span_ns, trades[i, 1], trades[i, 2])
        out[i] = trade_imbalance_at(row, trades[i, 0], span_ns)


trade_imbalances = compiled(_trade_imbalances)


def trade_imbalance(ns: npt.ArrayLike, side: npt.ArrayLike, lots: npt.ArrayLike, span_ns: int = 1_000_000_000) -> Floats:
    """Return (bought - sold) / (bought + sold) lots of the span that ends with each trade, that trade included.

    Args:
        ns: of each trade, after 1970 and never backwards, shape (n,).
        side: of its aggressor, +1, -1, or 0 where it is not known (such trades are not counted).
        lots: its size.
        span_ns: of the window, 16 ns or more; it covers between 15/16 and all of it.

    Raises:
        InputError: shapes that differ, or time that runs backwards.
    """
    trades = require_columns(ns, side, lots)
    _require_span(span_ns)
    out = np.empty(len(trades))
    trade_imbalances(trades, span_ns, np.zeros(1, WINDOW), out)
    return out


def require_columns(ns: npt.ArrayLike, *others: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return whole numbers side by side, times first.

    Raises:
        InputError: shapes that differ, or times that are not positive or run backwards.
    """
    columns = [np.asarray(given, np.int64) for given in (ns, *others)]
    if columns[0].ndim != 1 or any(column.shape != columns[0].shape for column in columns):
        raise InputError(
            f"shapes are {', '.join(str(column.shape) for column in columns)}; allowed: one number each for every time"
        )
    if len(columns[0]) and (columns[0][0] <= 0 or np.any(np.diff(columns[0]) < 0)):
        raise InputError("ns runs backwards or is not positive; allowed: nanoseconds since 1970, in order")
    return np.stack(columns, axis=1)


def _require_span(span_ns: int) -> None:
    if span_ns < PARTS:
        raise InputError(f"span_ns is {span_ns}; allowed: {PARTS} or more")
