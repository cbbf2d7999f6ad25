"""Everything a replay knows between two calls: one record, and tables that it knows the addresses of.

Where you are in the pipe: this is the memory behind book, order manager, venue and ledger. The engine keeps nothing in local variables
across a return, because it returns to Python whenever a strategy that is plain Python must decide, a log is full, a
progress bar wants to move, or a book has to grow.

Every helper is handed `CORE`, and finds a table's record with a function named after it: ``order_at(s, k, slot)`` is slot *slot* of
strategy *k*. Own orders are few and prices are many: each strategy has a row of order slots, and each market keeps the range of
prices at which anybody's own orders rest, so that an event away from them costs two comparisons.
"""

from typing import Any

import numpy as np

from twosided._compile import CHECKED, address_of_array, compiled, record_at
from twosided.execution.ledger import ACCOUNT, FEES
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.order import DECISION, EQUITY, FILL, MID, ORDER_EVENT, QUOTE_CHANGE
from twosided.signals.top import SIGNALS_OF_MARKET
from twosided.strategies.contract import HEADER, MARKET_VIEW, QUOTE

__all__ = [
    "CORE",
    "FOREVER",
    "LATENCY_POINTS",
    "LOG_CAPACITY",
    "LOG_HEADROOM",
    "TABLES",
    "TAKEN_HEADROOM",
    "account_at",
    "decision_at",
    "equity_at",
    "fill_at",
    "head_at",
    "heap_at",
    "latency_at",
    "line_at",
    "log_is_full",
    "message_at",
    "mid_at",
    "new_tables",
    "order_at",
    "order_event_at",
    "point_at",
    "quote_at",
    "quote_change_at",
    "shown_market_at",
    "shown_signal_at",
    "signals_at",
    "source_at",
    "strategy_at",
    "taken_at",
    "top_at",
    "venue_at",
    "view_at",
    "wanted_at",
]

FOREVER = (1 << 63) - 1
"""A time that never comes."""

LOG_CAPACITY, LOG_HEADROOM = 1 << 16, 1 << 13
"""Rows of each log, and how many a single step may add at most before the log is emptied."""

TAKEN_HEADROOM = 128
_TAKEN_CAPACITY = 256
_TOPS_CAPACITY = 1 << 12
LATENCY_POINTS = 1024


def _record(fields: list[Any]) -> np.dtype[Any]:
    return np.dtype((np.record, fields), align=True)


TABLES = (
    "venues",
    "views",
    "signals",
    "tops",
    "strategies",
    "accounts",
    "lines",
    "orders",
    "taken",
    "messages",
    "heap",
    "wanted",
    "latencies",
    "rows",
    "sources",
    "fills",
    "order_log",
    "quote_log",
    "decisions",
    "equity",
    "mids",
)
"""Names of the tables; `CORE` has a field with the address of each."""

CORE = _record(
    [
        ("next_exch", "i8"),  # cursors into the two streams of events
        ("next_local", "i8"),
        ("pause_at", "i8"),  # return to Python when next_exch gets here
        ("now_ns", "i8"),
        ("start_ns", "i8"),  # strategies are woken from here on, our clock
        ("shared_book", "i8"),  # 1: both clocks see the book's messages in one order, so one ladder serves both
        ("deciding", "i8"),  # 1 while strategies are being asked
        ("strategy", "i8"),  # the one being asked
        ("answered", "i8"),  # 1: Python has decided for it
        ("wake_market", "i8"),
        ("next_timer_ns", "i8"),
        ("next_equity_ns", "i8"),
        ("equity_every_ns", "i8"),
        ("grow_tops", "i8"),
        ("grow_messages", "i8"),
        ("grow_taken", "i8"),
        ("n_messages", "i8"),  # in flight
        ("free_message", "i8"),  # head of the list of free message records, -1 when none
        ("n_fills", "i8"),  # rows in the logs
        ("n_orders", "i8"),
        ("n_quotes", "i8"),
        ("n_decisions", "i8"),
        ("n_equity", "i8"),
        ("n_mids", "i8"),
        ("log_orders", "i8"),  # which logs are kept
        ("log_quotes", "i8"),
        ("log_decisions", "i8"),
        ("seed", "i8"),
        ("post_only", "i8"),
        ("replace", "i8"),
        ("refresh_ticks", "i8"),
        ("partial_fills", "i8"),
        ("queue_kind", "i8"),
        ("queue_exponent", "f8"),
        ("top_up_below", "f8"),
        # sizes of the tables
        ("n_strategies", "i8"),
        ("n_markets", "i8"),
        ("n_slots", "i8"),
        ("n_levels", "i8"),
        ("n_signals", "i8"),  # most that any strategy shows
        ("tops_size", "i8"),
        ("taken_size", "i8"),
        ("messages_size", "i8"),
        ("row_bytes", "i8"),  # of a strategy's row, and where in it things are
        ("market_offset", "i8"),
        ("quotes_offset", "i8"),
        ("signals_offset", "i8"),
        # addresses of the tables, see TABLES
        *[(name, "i8") for name in TABLES],
    ]
)

VENUE = _record(
    [
        ("status", "i8"),  # Status
        ("ready", "i8"),  # 1 once the book is whole: after a snapshot, or the first two-sided state of a file without one
        ("snapshot", "i8"),  # 1 between SNAPSHOT_BEGIN and SNAPSHOT_END
        ("dirty", "i8"),  # the message being applied has touched the book
        ("bid", "i8"),  # last valid touch
        ("ask", "i8"),
        ("n_resting", "i8"),  # own orders of all strategies
        ("n_taken", "i8"),
        ("bid_low", "i8"),  # range of own resting bids and asks of all strategies
        ("bid_high", "i8"),
        ("ask_low", "i8"),
        ("ask_high", "i8"),
        ("tops_in", "i8"),  # book messages seen by the exchange, and here
        ("tops_out", "i8"),
        ("volume_lots", "i8"),  # traded by everybody while strategies ran
        ("n_bands", "i8"),  # tick table
        ("band_from", "i8", (32,)),
        ("band_step", "i8", (32,)),
        ("fees", FEES),
        ("quantum", "f8"),  # quote currency per money quantum
    ]
)
"""One market at the exchange."""

VIEW = _record(
    [
        ("bid_ticks", "i8"),
        ("ask_ticks", "i8"),
        ("bid_lots", "i8"),
        ("ask_lots", "i8"),
        ("book_ns", "i8"),
        ("trade_ticks", "i8"),
        ("trade_lots", "i8"),
        ("trade_side", "i8"),
        ("open", "i8"),
        ("ready", "i8"),
        ("causes", "i8"),  # Wake bits of the message being applied
        ("dirty", "i8"),
    ]
)
"""One market as known here, after feed latency; the same for all strategies."""

TOP = _record([("bid", "i8"), ("ask", "i8"), ("bid_lots", "i8"), ("ask_lots", "i8"), ("ready", "i8")])

ORDER = _record(
    [
        # as known here
        ("state", "i8"),  # OrderState
        ("id", "i8"),  # the strategy's message number
        ("market", "i8"),
        ("side", "i8"),
        ("ticks", "i8"),
        ("open_lots", "i8"),
        ("filled_lots", "i8"),
        ("pending_ticks", "i8"),  # asked for by a replace under way
        ("pending_lots", "i8"),
        ("level", "i8"),  # quote level it serves at this decision, -1 none
        ("in_flight", "i8"),  # messages about it under way, either direction
        # at the exchange
        ("resting", "i8"),
        ("venue_ticks", "i8"),
        ("venue_lots", "i8"),  # open there
        ("venue_filled", "i8"),
        ("ahead", "f8"),  # lots before it in the queue
        ("explained", "i8"),  # traded at its price since the level's last update
        ("priority", "i8"),  # time priority among own orders
    ]
)
"""A slot for one own order: both sides of the wire."""

MESSAGE = _record(
    [
        ("ns", "i8"),  # arrival
        ("rank", "i8"),  # 0: reaches the exchange, 1: reaches us
        ("market", "i8"),
        ("strategy", "i8"),
        ("number", "i8"),  # order of sending within the strategy
        ("slot", "i8"),
        ("order_id", "i8"),
        ("action", "i8"),  # OrderAction
        ("reason", "i8"),
        ("ticks", "i8"),
        ("lots", "i8"),  # total size asked for, or filled, or open after a replace
        ("fee", "i8"),  # of a fill, fee and tax, quanta
        ("next_free", "i8"),
    ]
)
"""An own message under way."""

STRATEGY = _record(
    [
        ("address", "i8"),  # of its machine code, 0: Python decides
        ("every_ns", "i8"),
        ("next_ns", "i8"),
        ("wake", "i8"),  # causes it wants
        ("pending", "i8"),  # causes since it was last asked
        ("sent", "i8"),  # messages sent: the key of its random draws
        ("received", "i8"),
        ("queued", "i8"),  # arrivals at the exchange, for time priority
        ("decisions", "i8"),
        ("n_taken", "i8"),
    ]
)

LINE = _record([("last_entry_ns", "i8"), ("last_response_ns", "i8"), ("position_lots", "i8"), ("cash", "i8")])
"""One strategy's connection to one market: messages do not overtake each other; and the account as known here."""

TAKEN = _record([("market", "i8"), ("side", "i8"), ("ticks", "i8"), ("lots", "i8")])
"""Displayed lots that a strategy has used up, until the level is next updated."""


CELL = _record([("number", "i8")])
SHOWN = _record([("value", "f8")])


# ---------------------------------------------------------------- tables


def new_tables(n_strategies: int, n_markets: int, n_slots: int, n_levels: int) -> dict[str, Any]:
    """Return all tables but the strategies' ``rows`` and ``sources``, empty, by name."""
    n_messages = max(256, 4 * n_slots * n_strategies)
    messages = np.zeros(n_messages, MESSAGE)
    messages["next_free"] = np.arange(1, n_messages + 1)
    messages["next_free"][-1] = -1
    views = np.zeros(n_markets, VIEW)
    venues = np.zeros(n_markets, VENUE)
    for each, bid, ask in ((views, "bid_ticks", "ask_ticks"), (venues, "bid", "ask")):
        each[bid], each[ask] = NO_BID, NO_ASK
    for low in ("bid_low", "ask_low"):
        venues[low] = NO_ASK
    for high in ("bid_high", "ask_high"):
        venues[high] = NO_BID
    return {
        "venues": venues,
        "views": views,
        "signals": np.zeros(n_markets, SIGNALS_OF_MARKET),
        "tops": np.zeros((n_markets, _TOPS_CAPACITY), TOP),
        "strategies": np.zeros(n_strategies, STRATEGY),
        "accounts": np.zeros((n_strategies, n_markets), ACCOUNT),
        "lines": np.zeros((n_strategies, n_markets), LINE),
        "orders": np.zeros((n_strategies, n_slots), ORDER),
        "taken": np.zeros((n_strategies, _TAKEN_CAPACITY), TAKEN),
        "messages": messages,
        "heap": np.zeros(n_messages, CELL),
        "wanted": np.zeros((n_strategies, n_markets, 2, n_levels), QUOTE),
        "latencies": np.zeros((2, LATENCY_POINTS), CELL),
        "fills": np.zeros(LOG_CAPACITY, FILL),
        "order_log": np.zeros(LOG_CAPACITY, ORDER_EVENT),
        "quote_log": np.zeros(LOG_CAPACITY, QUOTE_CHANGE),
        "decisions": np.zeros(LOG_CAPACITY, DECISION),
        "equity": np.zeros(LOG_CAPACITY, EQUITY),
        "mids": np.zeros(LOG_CAPACITY, MID),
    }


def point_at(core: Any, tables: dict[str, Any]) -> None:
    """Write sizes and addresses of *tables* into *core*: before the first call, and whenever a table was replaced by a larger one."""
    core.n_strategies, core.n_slots = tables["orders"].shape
    core.n_markets = len(tables["venues"])
    core.n_levels = tables["wanted"].shape[3]
    core.n_signals = tables["sources"].shape[1]
    core.tops_size, core.taken_size = tables["tops"].shape[1], tables["taken"].shape[1]
    core.messages_size = len(tables["messages"])
    for name in TABLES:
        core[name] = address_of_array(tables[name])


def _within(index: int, count: int) -> None:
    if not 0 <= index < count:
        raise IndexError("a table of the engine was read beyond its end")


within = compiled(_within)


_venues_record = record_at(VENUE)
_VENUE_BYTES = VENUE.itemsize


def _venue_at(s: Any, m: int) -> Any:
    """Return market *m* at the exchange, a `VENUE`."""
    if CHECKED:
        within(m, s.n_markets)
    return _venues_record(s.venues, (m) * _VENUE_BYTES)


venue_at = compiled(_venue_at, inline=True)

_views_record = record_at(VIEW)
_VIEW_BYTES = VIEW.itemsize


def _view_at(s: Any, m: int) -> Any:
    """Return market *m* as known here, a `VIEW`."""
    if CHECKED:
        within(m, s.n_markets)
    return _views_record(s.views, (m) * _VIEW_BYTES)


view_at = compiled(_view_at, inline=True)

_signals_record = record_at(SIGNALS_OF_MARKET)
_SIGNALS_OF_MARKET_BYTES = SIGNALS_OF_MARKET.itemsize


def _signals_at(s: Any, m: int) -> Any:
    """Return the signals of market *m*."""
    if CHECKED:
        within(m, s.n_markets)
    return _signals_record(s.signals, (m) * _SIGNALS_OF_MARKET_BYTES)


signals_at = compiled(_signals_at, inline=True)

_tops_record = record_at(TOP)
_TOP_BYTES = TOP.itemsize


def _top_at(s: Any, m: int, i: int) -> Any:
    """Return place *i* of the ring of tops of market *m*, a `TOP`."""
    if CHECKED:
        within(m, s.n_markets)
        within(i, s.tops_size)
    return _tops_record(s.tops, (m * s.tops_size + i) * _TOP_BYTES)


top_at = compiled(_top_at, inline=True)

_strategies_record = record_at(STRATEGY)
_STRATEGY_BYTES = STRATEGY.itemsize


def _strategy_at(s: Any, k: int) -> Any:
    """Return what the engine knows about strategy *k*, a `STRATEGY`."""
    if CHECKED:
        within(k, s.n_strategies)
    return _strategies_record(s.strategies, (k) * _STRATEGY_BYTES)


strategy_at = compiled(_strategy_at, inline=True)

_accounts_record = record_at(ACCOUNT)
_ACCOUNT_BYTES = ACCOUNT.itemsize


def _account_at(s: Any, k: int, m: int) -> Any:
    """Return strategy *k*'s account in market *m* at the exchange, an `ACCOUNT`."""
    if CHECKED:
        within(k, s.n_strategies)
        within(m, s.n_markets)
    return _accounts_record(s.accounts, (k * s.n_markets + m) * _ACCOUNT_BYTES)


account_at = compiled(_account_at, inline=True)

_lines_record = record_at(LINE)
_LINE_BYTES = LINE.itemsize


def _line_at(s: Any, k: int, m: int) -> Any:
    """Return strategy *k*'s connection to market *m*, a `LINE`."""
    if CHECKED:
        within(k, s.n_strategies)
        within(m, s.n_markets)
    return _lines_record(s.lines, (k * s.n_markets + m) * _LINE_BYTES)


line_at = compiled(_line_at, inline=True)

_orders_record = record_at(ORDER)
_ORDER_BYTES = ORDER.itemsize


def _order_at(s: Any, k: int, slot: int) -> Any:
    """Return an order slot of strategy *k*, an `ORDER`."""
    if CHECKED:
        within(k, s.n_strategies)
        within(slot, s.n_slots)
    return _orders_record(s.orders, (k * s.n_slots + slot) * _ORDER_BYTES)


order_at = compiled(_order_at, inline=True)

_taken_record = record_at(TAKEN)
_TAKEN_BYTES = TAKEN.itemsize


def _taken_at(s: Any, k: int, i: int) -> Any:
    """Return the *i*-th level that strategy *k* used up, a `TAKEN`."""
    if CHECKED:
        within(k, s.n_strategies)
        within(i, s.taken_size)
    return _taken_record(s.taken, (k * s.taken_size + i) * _TAKEN_BYTES)


taken_at = compiled(_taken_at, inline=True)

_messages_record = record_at(MESSAGE)
_MESSAGE_BYTES = MESSAGE.itemsize


def _message_at(s: Any, number: int) -> Any:
    """Return message *number*, a `MESSAGE`."""
    if CHECKED:
        within(number, s.messages_size)
    return _messages_record(s.messages, (number) * _MESSAGE_BYTES)


message_at = compiled(_message_at, inline=True)

_heap_record = record_at(CELL)
_CELL_BYTES = CELL.itemsize


def _heap_at(s: Any, i: int) -> Any:
    """Return place *i* of the heap of messages, a `CELL`."""
    if CHECKED:
        within(i, s.messages_size)
    return _heap_record(s.heap, (i) * _CELL_BYTES)


heap_at = compiled(_heap_at, inline=True)

_wanted_record = record_at(QUOTE)
_QUOTE_BYTES = QUOTE.itemsize


def _wanted_at(s: Any, k: int, m: int, index: int, level: int) -> Any:
    """Return a quote of strategy *k* as last logged, a `QUOTE`."""
    if CHECKED:
        within(k, s.n_strategies)
        within(m, s.n_markets)
        within(index, 2)
        within(level, s.n_levels)
    return _wanted_record(s.wanted, (((k * s.n_markets + m) * 2 + index) * s.n_levels + level) * _QUOTE_BYTES)


wanted_at = compiled(_wanted_at, inline=True)

_latencies_record = record_at(CELL)


def _latency_at(s: Any, row: int, i: int) -> Any:
    """Return a quantile of the latency to the venue (row 0) or to us (1), a `CELL`."""
    if CHECKED:
        within(row, 2)
        within(i, LATENCY_POINTS)
    return _latencies_record(s.latencies, (row * LATENCY_POINTS + i) * _CELL_BYTES)


latency_at = compiled(_latency_at, inline=True)

_sources_record = record_at(CELL)


def _source_at(s: Any, k: int, j: int) -> Any:
    """Return which signal strategy *k* is shown as its *j*-th, a `CELL`."""
    if CHECKED:
        within(k, s.n_strategies)
        within(j, s.n_signals)
    return _sources_record(s.sources, (k * s.n_signals + j) * _CELL_BYTES)


source_at = compiled(_source_at, inline=True)

_fills_record = record_at(FILL)
_FILL_BYTES = FILL.itemsize


def _fill_at(s: Any, i: int) -> Any:
    """Return row *i* of the log of fills."""
    if CHECKED:
        within(i, LOG_CAPACITY)
    return _fills_record(s.fills, (i) * _FILL_BYTES)


fill_at = compiled(_fill_at, inline=True)

_order_log_record = record_at(ORDER_EVENT)
_ORDER_EVENT_BYTES = ORDER_EVENT.itemsize


def _order_event_at(s: Any, i: int) -> Any:
    """Return row *i* of the log of orders."""
    if CHECKED:
        within(i, LOG_CAPACITY)
    return _order_log_record(s.order_log, (i) * _ORDER_EVENT_BYTES)


order_event_at = compiled(_order_event_at, inline=True)

_quote_log_record = record_at(QUOTE_CHANGE)
_QUOTE_CHANGE_BYTES = QUOTE_CHANGE.itemsize


def _quote_change_at(s: Any, i: int) -> Any:
    """Return row *i* of the log of quotes."""
    if CHECKED:
        within(i, LOG_CAPACITY)
    return _quote_log_record(s.quote_log, (i) * _QUOTE_CHANGE_BYTES)


quote_change_at = compiled(_quote_change_at, inline=True)

_decisions_record = record_at(DECISION)
_DECISION_BYTES = DECISION.itemsize


def _decision_at(s: Any, i: int) -> Any:
    """Return row *i* of the log of decisions."""
    if CHECKED:
        within(i, LOG_CAPACITY)
    return _decisions_record(s.decisions, (i) * _DECISION_BYTES)


decision_at = compiled(_decision_at, inline=True)

_equity_record = record_at(EQUITY)
_EQUITY_BYTES = EQUITY.itemsize


def _equity_at(s: Any, i: int) -> Any:
    """Return row *i* of the log of accounts."""
    if CHECKED:
        within(i, LOG_CAPACITY)
    return _equity_record(s.equity, (i) * _EQUITY_BYTES)


equity_at = compiled(_equity_at, inline=True)

_mids_record = record_at(MID)
_MID_BYTES = MID.itemsize


def _mid_at(s: Any, i: int) -> Any:
    """Return row *i* of the log of touches."""
    if CHECKED:
        within(i, LOG_CAPACITY)
    return _mids_record(s.mids, (i) * _MID_BYTES)


mid_at = compiled(_mid_at, inline=True)

_head_at_record = record_at(HEADER)
_HEADER_BYTES = HEADER.itemsize


def _head_at(s: Any, k: int) -> Any:
    """Return the head of strategy *k*'s row, a `HEADER`."""
    if CHECKED:
        within(k, s.n_strategies)
    return _head_at_record(s.rows, k * s.row_bytes)


head_at = compiled(_head_at, inline=True)

_shown_market_at_record = record_at(MARKET_VIEW)
_MARKET_VIEW_BYTES = MARKET_VIEW.itemsize


def _shown_market_at(s: Any, k: int, m: int) -> Any:
    """Return market *m* as shown to strategy *k*, a `MARKET_VIEW`."""
    if CHECKED:
        within(k, s.n_strategies)
        within(m, s.n_markets)
    return _shown_market_at_record(s.rows, k * s.row_bytes + s.market_offset + m * _MARKET_VIEW_BYTES)


shown_market_at = compiled(_shown_market_at, inline=True)

_quote_at_record = record_at(QUOTE)


def _quote_at(s: Any, k: int, m: int, index: int, level: int) -> Any:
    """Return a quote that strategy *k* wants, a `QUOTE`."""
    if CHECKED:
        within(k, s.n_strategies)
        within(m, s.n_markets)
        within(index, 2)
        within(level, s.n_levels)
    return _quote_at_record(s.rows, k * s.row_bytes + s.quotes_offset + ((m * 2 + index) * s.n_levels + level) * _QUOTE_BYTES)


quote_at = compiled(_quote_at, inline=True)

_shown_signal_at_record = record_at(SHOWN)
_SHOWN_BYTES = SHOWN.itemsize


def _shown_signal_at(s: Any, k: int, j: int, m: int) -> Any:
    """Return the *j*-th signal of market *m* as shown to strategy *k*, a `SHOWN`."""
    if CHECKED:
        within(k, s.n_strategies)
        within(j, s.n_signals)
        within(m, s.n_markets)
    return _shown_signal_at_record(s.rows, k * s.row_bytes + s.signals_offset + (j * s.n_markets + m) * _SHOWN_BYTES)


shown_signal_at = compiled(_shown_signal_at, inline=True)


def _log_is_full(s: Any) -> bool:
    """Say whether a log must be emptied before the next step."""
    limit = LOG_CAPACITY - LOG_HEADROOM
    return bool(
        s.n_fills > limit
        or s.n_orders > limit
        or s.n_quotes > limit
        or s.n_decisions > limit
        or s.n_equity > limit
        or s.n_mids > limit
    )


log_is_full = compiled(_log_is_full)
