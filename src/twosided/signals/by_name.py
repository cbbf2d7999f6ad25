"""The signals that a strategy can ask for by name, as ``ctx.signals.name[market]``: kept once per market for all strategies.

Where you are in the pipe: events -> book -> *signals* -> strategy.

They follow the book as it reaches us: each message that leaves a whole, uncrossed book with two sides, each trade, and each event
of any kind as a sign of life. Signals come in groups, one bit each; a group that nobody asked for is not kept and costs nothing.
What depends on time passing (sums over a window, averages, ages) is brought up to the moment of the decision when it is shown.
`docs/signals.md` lists units, warm-up and what is shown before it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from twosided._compile import compiled, detached
from twosided.errors import InputError, suggest
from twosided.signals.flow import OFI, aggressor_of, ofi_at, trade_imbalance_at, update_ofi, update_trade_imbalance
from twosided.signals.hurst import HURST, update_hurst
from twosided.signals.large_trade import LARGE_TRADE, large_trade_at, update_large_trade
from twosided.signals.liveness import age_s_of
from twosided.signals.spread import SPREAD, spread_ratio_at, update_spread
from twosided.signals.top import imbalance_of, weighted_mid_of
from twosided.signals.toxicity import VPIN, update_usual_vpin
from twosided.signals.volatility import VOLATILITY, update_volatility, volatility_at
from twosided.signals.window import WINDOW

__all__ = [
    "ADDRESSES",
    "NO_LIMIT_TICKS",
    "SIGNALS",
    "SIGNALS_OF_A_MID",
    "SIGNALS_OF_MARKET",
    "hear",
    "reach_see_book",
    "reach_see_trade",
    "reach_signal_at",
    "see_band",
    "see_book",
    "see_trade",
    "signal_at",
    "signal_numbers",
    "wanted_groups",
]

_TOP, _LONG, _SHORT, _SPREAD, _OFI, _TRADES, _FEED, _VPIN, _HURST, _LARGE, _BAND = (1 << bit for bit in range(11))

_GROUPS = {
    "imbalance": _TOP,
    "microprice_ticks": _TOP,
    "volatility": _LONG,
    "short_volatility": _SHORT,
    "spread_ticks": _SPREAD,
    "spread_ratio": _SPREAD,
    "ofi": _OFI,
    "trade_imbalance": _TRADES,
    "feed_age_s": _FEED,
    "vpin": _VPIN,
    "hurst": _HURST,
    "large_trade": _LARGE,
    "band_low_ticks": _BAND,
    "band_high_ticks": _BAND,
}

SIGNALS = tuple(_GROUPS)
"""Names that a strategy can ask for; their places are the numbers that `signal_at` takes."""

SIGNALS_OF_A_MID = (
    "imbalance",
    "microprice_ticks",
    "volatility",
    "short_volatility",
    "spread_ticks",
    "spread_ratio",
    "feed_age_s",
    "hurst",
    "band_low_ticks",
    "band_high_ticks",
)
"""Those that a simulation of the mid alone can give: without sizes (imbalance is 0), price limits, or trades but one's own."""

ON_BOOKS = _TOP | _LONG | _SHORT | _SPREAD | _OFI | _HURST
"""Groups that must see books."""

ON_TRADES = _TRADES | _VPIN | _LARGE
"""Groups that must see trades."""

ON_ANYTHING = _FEED
"""Groups that must see every event."""

ON_BANDS = _BAND
"""Groups that must see price limits."""

NO_LIMIT_TICKS = 2147483647.0
"""What `band_high_ticks` shows where nothing limits buyers: beyond any price that a book can hold."""

SIGNALS_OF_MARKET = np.dtype(
    (
        np.record,
        [
            ("imbalance", "f8"),
            ("microprice_ticks", "f8"),
            ("long", VOLATILITY),
            ("short", VOLATILITY),
            ("spread", SPREAD),
            ("ofi", OFI),
            ("trades", WINDOW),
            ("vpin", VPIN),
            ("hurst", HURST),
            ("large", LARGE_TRADE),
            ("low_ticks", "f8"),  # price limits; 0 where there is none
            ("high_ticks", "f8"),
            ("heard_ns", "i8"),  # when anything last came of this market; 0 before
        ],
    )
)
"""What is kept of one market; zeroed at the start."""

LONG_S, SHORT_S = 60.0, 5.0
"""Time constants of `volatility` and `short_volatility`."""

SPREAD_S = 60.0
"""Time constant of the average that `spread_ratio` is taken against."""

FLOW_NS = 1_000_000_000
"""The window of `ofi` and `trade_imbalance`."""


def signal_numbers(names: Sequence[str], strategy: str, available: Sequence[str] = SIGNALS) -> list[int]:
    """Return the numbers of the signals of these *names*, for which *strategy* asks.

    Args:
        names: of signals.
        strategy: its name, for the error.
        available: those that the engine has something to make from.

    Raises:
        InputError: a name that is not known, or a signal that this engine has nothing to make from.
    """
    for name in names:
        if name not in SIGNALS:
            raise InputError(f"strategy {strategy} asks for the signal {name!r}{suggest(name, SIGNALS)}")
        if name not in available:
            raise InputError(f"strategy {strategy} asks for the signal {name!r}; available here: {', '.join(available)}")
    return [SIGNALS.index(name) for name in names]


def wanted_groups(numbers: Sequence[int]) -> int:
    """Return the bits of the groups that these signals belong to."""
    return int(np.bitwise_or.reduce(np.array([_GROUPS[SIGNALS[number]] for number in numbers], np.int64)))


def _see_book(row: Any, wanted: int, now_ns: int, bid: int, ask: int, bid_lots: int, ask_lots: int) -> None:
    """Take in a whole, uncrossed book with two sides."""
    if wanted & _TOP != 0:
        row.imbalance = imbalance_of(bid_lots, ask_lots)
        row.microprice_ticks = weighted_mid_of(bid, ask, bid_lots, ask_lots)
    if wanted & _LONG != 0:
        update_volatility(row.long, now_ns, 0.5 * (bid + ask), LONG_S)
    if wanted & _SHORT != 0:
        update_volatility(row.short, now_ns, 0.5 * (bid + ask), SHORT_S)
    if wanted & _SPREAD != 0:
        update_spread(row.spread, now_ns, float(ask - bid), SPREAD_S)
    if wanted & _OFI != 0:
        update_ofi(row.ofi, now_ns, FLOW_NS, bid, ask, bid_lots, ask_lots)
    if wanted & _HURST != 0:
        update_hurst(row.hurst, now_ns, 0.5 * (bid + ask))


see_book = compiled(_see_book)
reach_see_book, _see_book_address = detached(_see_book, None, SIGNALS_OF_MARKET, *["i8"] * 6)


def _see_trade(row: Any, wanted: int, now_ns: int, side: int, ticks: int, lots: int, bid: int, ask: int) -> None:
    """Take in a trade; *bid* and *ask* are the touch that is known when it comes."""
    aggressor = aggressor_of(side, ticks, bid, ask)
    if wanted & _TRADES != 0:
        update_trade_imbalance(row.trades, now_ns, FLOW_NS, aggressor, lots)
    if wanted & _VPIN != 0:
        update_usual_vpin(row.vpin, aggressor, lots)
    if wanted & _LARGE != 0:
        update_large_trade(row.large, now_ns, aggressor, lots)


see_trade = compiled(_see_trade)
reach_see_trade, _see_trade_address = detached(_see_trade, None, SIGNALS_OF_MARKET, *["i8"] * 7)


def _hear(row: Any, now_ns: int) -> None:
    """Note that something came of this market, whatever it says."""
    row.heard_ns = now_ns


hear = compiled(_hear)


def _see_band(row: Any, side: int, ticks: int, lots: int) -> None:
    """Take in a price limit: of buyers where *side* is +1, of sellers where it is -1; none where *lots* is 0."""
    if side > 0:
        row.high_ticks = float(ticks) if lots > 0 else 0.0
    else:
        row.low_ticks = float(ticks) if lots > 0 else 0.0


see_band = compiled(_see_band)


def _signal_at(row: Any, number: int, now_ns: int) -> float:
    """Return the signal of this *number* as of now; 0 for a number below 0."""
    value = 0.0
    if number == 0:
        value = row.imbalance
    elif number == 1:
        value = row.microprice_ticks
    elif number == 2:
        value = row.long.value
    elif number == 3:
        value = volatility_at(row.short, now_ns, SHORT_S)
    elif number == 4:
        value = row.spread.last
    elif number == 5:
        value = spread_ratio_at(row.spread, now_ns, SPREAD_S)
    elif number == 6:
        value = ofi_at(row.ofi, now_ns, FLOW_NS)
    elif number == 7:
        value = trade_imbalance_at(row.trades, now_ns, FLOW_NS)
    elif number == 8:
        value = age_s_of(row.heard_ns, now_ns)
    elif number == 9:
        value = row.vpin.value
    elif number == 10:
        value = row.hurst.value if row.hurst.count > 0 else 0.5
    elif number == 11:
        value = large_trade_at(row.large, now_ns)
    elif number == 12:
        value = row.low_ticks
    elif number == 13:
        value = row.high_ticks if row.high_ticks > 0.0 else NO_LIMIT_TICKS
    return value


signal_at = compiled(_signal_at)
reach_signal_at, _signal_at_address = detached(_signal_at, "f8", SIGNALS_OF_MARKET, "i8", "i8")

ADDRESSES = {"see_book": _see_book_address, "see_trade": _see_trade_address, "signal_at": _signal_at_address}
"""What a replay in which a strategy wants signals reaches by address."""
