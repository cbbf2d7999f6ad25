"""Everything a replay knows between two calls: one record, and tables that it knows the addresses of.

Where you are in the pipe: this is the memory behind book, order manager, venue and ledger. The engine keeps nothing in local
variables across a return, because it returns to Python whenever a strategy that is plain Python must decide, a log is full,
a progress bar wants to move, or a book has to grow.

Every helper is handed `CORE`, and finds a table's record with a function named after it: ``venue_at(s, m)`` is market *m* at the
exchange. Own orders are few and prices are many, so own orders are found in two ways. Each strategy has a *desk* for each side of
each market, `n_slots` numbers wide, where the order manager looks for its orders. And what rests at the exchange is a book of its
own, two more rows of the ladder for each market: an event at a price finds the orders of all strategies there, in the order in
which they joined the queue, without asking the strategies one by one.
"""

import math
from typing import Any

import numpy as np

from twosided._compile import address_of_array, compiled, table_at, words_at
from twosided.execution.ledger import ACCOUNT, FEES
from twosided.market.event import EVENT
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.order import DECISION, EQUITY, FILL, MID, ORDER_EVENT, QUOTE_CHANGE
from twosided.risk.state import ASKED, GATE, MARKET_GATE
from twosided.signals.by_name import SIGNALS_OF_MARKET
from twosided.strategies.contract import HEADER, MARKET_VIEW, QUOTE

__all__ = [
    "CORE",
    "DONE",
    "EMPTY_LOGS",
    "FOREVER",
    "GROW",
    "LATENCY_POINTS",
    "LOG_CAPACITY",
    "LOG_HEADROOM",
    "LOG_LIMIT",
    "MORE",
    "PAUSE",
    "TABLES",
    "TAKEN_HEADROOM",
    "account_at",
    "asked_at",
    "books_of",
    "decision_at",
    "desk_at",
    "equity_at",
    "exch_at",
    "fill_at",
    "first_number",
    "gate_at",
    "group_at",
    "head_at",
    "heap_at",
    "latency_at",
    "line_at",
    "local_at",
    "log_is_full",
    "market_gate_at",
    "message_at",
    "mid_at",
    "new_tables",
    "on_lines",
    "order_at",
    "order_event_at",
    "own_row",
    "point_at",
    "queues_of",
    "quote_at",
    "quote_change_at",
    "shown_market_at",
    "shown_signal_at",
    "signals_at",
    "source_at",
    "strategy_at",
    "taken_at",
    "top_at",
    "unsettle",
    "venue_at",
    "view_at",
    "wanted_at",
    "way_at",
]

FOREVER = (1 << 63) - 1
"""A time that never comes."""

DONE, PAUSE, EMPTY_LOGS, GROW, MORE = -1, -2, -3, -4, -5
"""Why the engine came back to Python; 0 or more is the strategy that Python must decide for."""

LOG_CAPACITY, LOG_HEADROOM = 1 << 16, 1 << 13
"""Rows of each log, and how many a single step may add at most before the log is emptied."""

LOG_LIMIT = LOG_CAPACITY - LOG_HEADROOM
"""Rows from which on a log wants to be emptied."""

TAKEN_HEADROOM = 128
_TAKEN_CAPACITY = 256
_TOPS_CAPACITY = 1 << 7
LATENCY_POINTS = 1024
_LINE_BYTES = 64


def _record(fields: list[Any], *, whole_lines: bool = False) -> np.dtype[Any]:
    dtype = np.dtype((np.record, fields), align=True)
    if not whole_lines:
        return dtype
    kinds, offsets = zip(*(dtype.fields[name][:2] for name in dtype.names), strict=True)  # type: ignore[index, union-attr]
    size = -(-dtype.itemsize // _LINE_BYTES) * _LINE_BYTES
    padded = {"names": dtype.names, "formats": kinds, "offsets": offsets, "itemsize": size}
    return np.dtype((np.record, padded), align=True)


TABLES = (
    "books",
    "queues",
    "exch",
    "local",
    "venues",
    "views",
    "signals",
    "tops",
    "strategies",
    "accounts",
    "lines",
    "desks",
    "orders",
    "groups",
    "taken",
    "messages",
    "ways",
    "heap",
    "wanted",
    "latencies",
    "rows",
    "sources",
    "gates",
    "market_gates",
    "asked",
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
        ("more", "i8"),  # 1: they are windows on longer ones
        ("pause_at", "i8"),  # return to Python when next_exch gets here
        ("now_ns", "i8"),
        ("start_ns", "i8"),  # strategies are woken from here on, our clock
        ("shared_book", "i8"),  # 1: both clocks see the book's messages in one order, so one ladder serves both
        ("one_stream", "i8"),  # 1: moreover both read the very same events
        ("timers_only", "i8"),  # 1: nothing but timers wakes a strategy
        ("skims", "i8"),  # 1: no signal is kept, so messages that wake nobody may be stepped over
        ("extends", "i8"),  # 1: a message that leaves the top of book alone may extend the latest TOP instead of making one
        ("same_top", "i8"),  # 1: extending, and nothing but levels since the latest TOP
        ("heard_until_ns", "i8"),  # the recording goes on until then at least, our clock
        ("run_ahead_ns", "i8"),  # how far the exchange's side may run ahead of ours: no request sent meanwhile arrives before that
        ("deciding", "i8"),  # 1 while strategies are being asked
        ("strategy", "i8"),  # the one being asked
        ("answered", "i8"),  # 1: Python has decided for it
        ("wake_market", "i8"),
        ("next_timer_ns", "i8"),
        ("next_equity_ns", "i8"),
        ("equity_every_ns", "i8"),
        ("next_own", "i8"),  # the earliest own message, -1 without one, and when it arrives
        ("next_own_ns", "i8"),
        ("attention", "i8"),  # 1 when the loop must look up from the events: a log or a table fills
        ("grow_tops", "i8"),
        ("grow_messages", "i8"),
        ("grow_taken", "i8"),
        ("n_messages", "i8"),  # in flight
        ("n_heap", "i8"),  # of these, on the heap
        ("free_message", "i8"),  # head of the list of free message records, -1 when none
        ("free_group", "i8"),  # and of free groups
        ("budget", "i8"),  # number of the trade or fill whose lots are being spent, see STRATEGY
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
        ("replace", "i8"),
        ("refresh_ticks", "i8"),
        ("top_up_below", "f8"),
        # sizes of the tables
        ("n_strategies", "i8"),
        ("n_markets", "i8"),
        ("n_latencies", "i8"),
        ("n_slots", "i8"),  # of a desk
        ("n_orders_kept", "i8"),  # slots of all desks
        ("own_rows", "i8"),  # the ladder's row of the first market's own bids
        ("n_levels", "i8"),
        ("wakes", "i8"),  # causes for which any strategy wants to be woken
        ("signals_wanted", "i8"),  # bits of the groups that any strategy asks for, see signals.by_name
        *[(name, "i8") for name in ("see_book", "see_trade", "signal_at")],  # addresses of functions, 0 where no signal is wanted
        *[(name, "i8") for name in ("vet", "is_news", "mark", "note_fill", "note_sent")],  # and of the gate's, 0 without limits
        ("n_signals", "i8"),  # most that any strategy shows
        ("tops_size", "i8"),
        ("taken_size", "i8"),
        ("messages_size", "i8"),
        ("n_exch", "i8"),
        ("n_local", "i8"),
        ("row_bytes", "i8"),  # of a strategy's row, and where in it things are
        ("head_offset", "i8"),
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
        ("top_moved", "i8"),  # moreover at a best price or beyond, or trading began or ended
        ("mixed", "i8"),  # 1: it holds more than changes of the book
        ("by_order", "i8"),  # 1: recorded order by order, so places in a queue are exact
        ("aggressor", "i8"),  # by order: who came for the orders that the message fills, +1 or -1; 0 not known
        ("crossed", "i8"),  # 1: after the last whole message the best bid was not below the best ask
        ("bid", "i8"),  # last valid touch
        ("ask", "i8"),
        ("n_resting", "i8"),  # own orders of all strategies
        ("n_explained", "i8"),  # of their groups, how many have seen a trade at their price since their level's last update
        ("n_taken", "i8"),  # levels that strategies have used something of
        ("taken_marks", "i8"),  # a bit for the last six of the price of each: where it is not set nothing was taken
        ("tops_in", "i8"),  # TOPs that the exchange has sent, and that we have seen
        ("tops_out", "i8"),
        ("holds", "i8"),  # index of the last event after which the latest TOP holds, -1 where a message of more than levels made it
        ("volume_lots", "i8"),  # traded by everybody while strategies ran
        ("lowest_sell", "i8"),  # price limits: NO_BID and NO_ASK where there are none
        ("highest_buy", "i8"),
        ("n_bands", "i8"),  # tick table
        ("band_from", "i8", (32,)),
        ("band_step", "i8", (32,)),
        ("post_only", "i8"),  # 1: own orders that would take are refused
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
        ("highest_bid", "i8"),  # where post-only quotes are held; written before strategies are asked
        ("lowest_ask", "i8"),
        ("banded", "i8"),  # 1: the market has a tick table, and these two do not count
    ]
)
"""One market as known here, after feed latency; the same for all strategies."""

TOP = _record(
    [
        ("bid", "i8"),
        ("ask", "i8"),
        ("bid_lots", "i8"),
        ("ask_lots", "i8"),
        ("ready", "i8"),
        ("first", "i8"),  # index of the last event of the message that made it, -1 where that holds more than levels
        ("last", "i8"),  # and of the last message that left it alone, once there is another TOP
    ]
)
"""The best prices after a book message, or after several that left them alone, on their way from the exchange to us."""

DESK = _record(
    [
        ("open_lots", "i8"),  # of its orders, as known here
        ("latest", "i4"),  # number of the slot that was taken last
        ("used", "i2"),  # slots taken: orders that live, rest, or have messages under way
        ("settled", "i1"),  # 1: once what is under way succeeds, its orders are what the last goals ask for
        ("hedge", "i1"),  # 1: all of its orders are hedges
    ]
)
"""A strategy's side of a market."""

WANTED = _record(
    [
        ("ticks", "i8"),  # the quote as last logged
        ("lots", "i8"),
        ("goal_lots", "i8"),  # how much of it may be sent, and where: nothing while the market is closed
        ("goal_ticks", "i4"),
        ("hedge", "i1"),  # 1: its order is to be a hedge
        ("changed", "i1"),  # 1: the quote is another than at the decision before
        ("unserved", "i2"),  # 1: no order serves it yet at this decision
    ]
)
"""One quote level, as the order manager sees it: with one level, both sides of a market are a line of the cache."""

ORDER = _record(
    [
        # at the exchange: the first line of the cache
        ("after", "i4"),  # 1 + the number of the own order, of any strategy, that joined this queue after it; 0 none
        ("before", "i4"),  # the same of the one that joined before it
        ("group", "i4"),  # which knows where in the queue it stands, see GROUP
        ("row", "i4"),  # of the ladder, of its side of its market: a constant, as market, side and strategy are
        ("place", "i8"),  # of its price in the ladder of own orders; 0: it does not rest
        ("venue_ticks", "i8"),
        ("venue_lots", "i8"),  # open there
        ("venue_filled", "i8"),
        ("id", "i8"),  # the strategy's message number
        ("side", "i8"),
        # as known here: the second
        ("strategy", "i8"),  # whose desk the slot is on: a constant, as market and side are
        ("market", "i8"),
        ("ticks", "i8"),
        ("open_lots", "i8"),
        ("filled_lots", "i8"),
        ("pending_ticks", "i8"),  # asked for by a replace under way
        ("pending_lots", "i8"),
        ("in_flight", "i2"),  # messages about it under way, either direction
        ("level", "i2"),  # quote level it serves at this decision, -1 none
        ("state", "i1"),  # OrderState
        ("used", "i1"),  # 1: counted in the desk's `used`
        ("hedge", "i1"),  # 1: its fills are those of a hedge
        ("pending_hedge", "i1"),  # the same, once a replace under way is accepted
    ]
)
"""A slot for one own order: both sides of the wire, a line of the cache each. Its *number* counts through the desks of all."""

GROUP = _record(
    [
        ("ahead", "f8"),  # lots before its orders in the queue
        ("explained", "i8"),  # traded at their price since the level's last update
        ("queue", "i2"),  # what their strategies assume of places in it: its number, kind and exponent
        ("kind", "i2"),
        ("members", "i4"),
        ("exponent", "f8"),
        ("arrived", "i8"),  # by order: how many recorded orders had joined a queue before they did
        ("budget", "i8"),  # the latest trade at their price, by `CORE.budget`
        ("ahead_before", "f8"),  # what was ahead when that trade came
        ("next", "i4"),  # the groups at a price are a ring; of a free record: the next one
        ("previous", "i4"),
    ]
)
"""Own orders at one price, of any strategies, that stand alike in the queue: what moves one moves all of them."""

MESSAGE = _record(
    [
        ("ns", "i8"),  # arrival
        ("key", "i8"),  # what comes first at one instant: which way, market, strategy, order of sending within the strategy
        ("ticks", "i8"),
        ("lots", "i8"),  # total size asked for, or filled, or open after a replace
        ("fee", "i8"),  # of a fill, fee and tax, quanta
        ("rank", "i8"),  # 0: reaches the exchange, 1: reaches us
        ("next", "i4"),  # the one behind it on its way, or in the list of free records; -1 none
        ("order", "i4"),  # number of the slot of the order that it is about
        ("action", "i4"),  # OrderAction
        ("reason", "i4"),
    ]
)
"""An own message under way: 64 bytes, a line of the cache."""

WAY = _record([("first", "i8"), ("last", "i8")])
"""Messages to the exchange, and to us, that were sent in the order in which they arrive; -1: none. The others are on the heap."""

STRATEGY = _record(
    [
        # what is looked at for each of its decisions, requests and reports: a line of the cache
        ("address", "i8"),  # of its machine code, 0: Python decides
        ("every_ns", "i8"),
        ("next_ns", "i8"),
        ("pending", "i1"),  # causes since it was last asked
        ("wake", "i1"),  # causes it wants
        ("gated", "i2"),  # 1: it has limits
        ("unread", "i4"),  # reports on their way to us, and one more for good where each must come at its time, see `reports`
        ("sent", "i8"),  # messages sent: the key of its random draws
        ("received", "i8"),
        ("decisions", "i8"),
        ("n_taken", "i4"),
        ("queue", "i4"),  # number of what it assumes of places in a queue: equal where kind and exponent are
        # what its decisions and messages need is the first line of the cache, what its trades need the second
        ("partial_fills", "i8"),
        ("queue_kind", "i8"),
        ("queue_exponent", "f8"),
        ("budget", "i8"),  # the trade or fill, by `CORE.budget`, that the next two are about
        ("lots_left", "i8"),  # what of its lots has not met an order of this strategy
        ("lots_ahead", "f8"),  # and what the orders in front of this strategy's took at its own price
    ],
    whole_lines=True,
)

LINE = _record(
    [
        ("last_entry_ns", "i8"),  # arrival of the last message each way: they do not overtake each other
        ("last_response_ns", "i8"),
        ("position_lots", "i8"),  # the account as known here
        ("cash", "i8"),
        ("funding", "i8"),
        ("latency_ns", "i8", (2,)),  # of messages to the exchange, and to us; -1: a random point of a table of quantiles
        ("latency_table", "i4", (2,)),  # which
    ]
)
"""One strategy's connection to one market: a line of the cache."""

TAKEN = _record([("market", "i8"), ("side", "i8"), ("ticks", "i8"), ("lots", "i8")])
"""Displayed lots that a strategy has used up, until the level is next updated."""


CELL = _record([("number", "i8")])
SHOWN = _record([("value", "f8")])


# ---------------------------------------------------------------- tables


def on_lines(extents: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Return zeros that begin where a line of the cache does."""
    size = dtype.itemsize * math.prod(extents)
    memory = np.zeros(size + _LINE_BYTES, np.uint8)
    return np.ndarray(extents, dtype, memory.data, -memory.ctypes.data % _LINE_BYTES)


def new_tables(n_strategies: int, n_markets: int, n_slots: int, n_levels: int) -> dict[str, Any]:
    """Return all tables but the strategies' ``rows`` and ``sources``, empty, by name; *n_slots* are those of one desk."""
    n_messages = max(256, 4 * n_slots * n_strategies)
    messages = on_lines((n_messages,), MESSAGE)
    messages["next"] = np.arange(1, n_messages + 1)
    messages["next"][-1] = -1
    orders = on_lines((n_strategies, n_markets, 2, n_slots), ORDER)
    orders["strategy"] = np.arange(n_strategies)[:, None, None, None]
    orders["market"] = np.arange(n_markets)[:, None, None]
    orders["side"] = np.array([1, -1])[:, None]
    orders["row"] = 2 * orders["market"] + (orders["side"] < 0)
    groups = on_lines((orders.size,), GROUP)  # at most one for each order
    groups["next"] = np.arange(1, orders.size + 1)
    views = on_lines((n_markets,), VIEW)
    venues = on_lines((n_markets,), VENUE)
    for each, bid, ask in ((views, "bid_ticks", "ask_ticks"), (venues, "bid", "ask")):
        each[bid], each[ask] = NO_BID, NO_ASK
    venues["holds"] = -1
    return {
        "venues": venues,
        "views": views,
        "signals": on_lines((n_markets,), SIGNALS_OF_MARKET),
        "tops": on_lines((n_markets, _TOPS_CAPACITY), TOP),
        "strategies": on_lines((n_strategies,), STRATEGY),
        "accounts": on_lines((n_strategies, n_markets), ACCOUNT),
        "lines": on_lines((n_strategies, n_markets), LINE),
        "desks": on_lines((n_strategies, n_markets, 2), DESK),
        "orders": orders,
        "groups": groups,
        "taken": on_lines((n_strategies, _TAKEN_CAPACITY), TAKEN),
        "messages": messages,
        "ways": np.full(2, -1, np.int64).repeat(2).view(WAY),
        "heap": on_lines((n_messages,), CELL),
        "wanted": on_lines((n_strategies, n_markets, 2, n_levels), WANTED),
        "latencies": on_lines((1, LATENCY_POINTS), CELL),
        "gates": on_lines((1,), GATE),  # as many as strategies only where one has limits: they are large
        "market_gates": on_lines((1, 1), MARKET_GATE),
        "asked": on_lines((1,), ASKED),
        "fills": np.zeros(LOG_CAPACITY, FILL),
        "order_log": np.zeros(LOG_CAPACITY, ORDER_EVENT),
        "quote_log": np.zeros(LOG_CAPACITY, QUOTE_CHANGE),
        "decisions": np.zeros(LOG_CAPACITY, DECISION),
        "equity": np.zeros(LOG_CAPACITY, EQUITY),
        "mids": np.zeros(LOG_CAPACITY, MID),
    }


def point_at(core: Any, tables: dict[str, Any]) -> None:
    """Write sizes and addresses of *tables* into *core*: before the first call, and after a table was replaced by a larger one."""
    core.n_strategies, core.n_markets, _, core.n_slots = tables["orders"].shape
    core.wakes = np.bitwise_or.reduce(tables["strategies"]["wake"])
    core.n_orders_kept = tables["orders"].size
    core.n_levels = tables["wanted"].shape[3]
    core.n_signals = tables["sources"].shape[1]
    core.n_latencies = tables["latencies"].shape[0]
    core.tops_size, core.taken_size = tables["tops"].shape[1], tables["taken"].shape[1]
    core.messages_size = len(tables["messages"])
    core.n_exch, core.n_local = len(tables["exch"]), len(tables["local"])
    if core.n_local:
        core.heard_until_ns = tables["local"]["local_ns"][-1]
    for name in TABLES:
        core[name] = address_of_array(tables[name])


books_of = words_at(CORE, "books")  # books_of(s): all ladders, see market.ladder
queues_of = words_at(CORE, "queues")  # queues_of(s): the orders of all books by order, see market.order_queues
# what a helper calls to find a record; m is a market, k a strategy
venue_at = table_at(CORE, "venues", VENUE, ("n_markets",))  # venue_at(s, m): market m at the exchange
view_at = table_at(CORE, "views", VIEW, ("n_markets",))  # view_at(s, m): market m as known here
signals_at = table_at(CORE, "signals", SIGNALS_OF_MARKET, ("n_markets",))  # signals_at(s, m)
top_at = table_at(
    CORE,
    "tops",
    TOP,
    (
        "n_markets",
        "tops_size",
    ),
)  # top_at(s, m, i): place i of the ring
strategy_at = table_at(CORE, "strategies", STRATEGY, ("n_strategies",))  # strategy_at(s, k)
account_at = table_at(
    CORE,
    "accounts",
    ACCOUNT,
    (
        "n_strategies",
        "n_markets",
    ),
)  # account_at(s, k, m): at the exchange
line_at = table_at(
    CORE,
    "lines",
    LINE,
    (
        "n_strategies",
        "n_markets",
    ),
)  # line_at(s, k, m)
desk_at = table_at(CORE, "desks", DESK, ("n_strategies", "n_markets", 2))  # desk_at(s, k, m, 0 bids or 1 asks)
order_at = table_at(CORE, "orders", ORDER, ("n_orders_kept",))  # order_at(s, number)
group_at = table_at(CORE, "groups", GROUP, ("n_orders_kept",))  # group_at(s, number)
taken_at = table_at(
    CORE,
    "taken",
    TAKEN,
    (
        "n_strategies",
        "taken_size",
    ),
)  # taken_at(s, k, i)
message_at = table_at(CORE, "messages", MESSAGE, ("messages_size",))  # message_at(s, number)
way_at = table_at(CORE, "ways", WAY, (2,))  # way_at(s, 0 to the exchange or 1 to us)
heap_at = table_at(CORE, "heap", CELL, ("messages_size",))  # heap_at(s, i).number
wanted_at = table_at(
    CORE,
    "wanted",
    WANTED,
    (
        "n_strategies",
        "n_markets",
        2,
        "n_levels",
    ),
)  # wanted_at(s, k, m, 0 bids or 1 asks, level)
latency_at = table_at(CORE, "latencies", CELL, ("n_latencies", LATENCY_POINTS))  # latency_at(s, table, i).number
source_at = table_at(
    CORE,
    "sources",
    CELL,
    (
        "n_strategies",
        "n_signals",
    ),
)  # source_at(s, k, j).number: which signal is shown
gate_at = table_at(CORE, "gates", GATE, ("n_strategies",))  # gate_at(s, k), where it has limits
market_gate_at = table_at(CORE, "market_gates", MARKET_GATE, ("n_strategies", "n_markets"))  # market_gate_at(s, k, m)
asked_at = table_at(CORE, "asked", ASKED, ("n_strategies",))  # asked_at(s, k): the order that is being checked
exch_at = table_at(CORE, "exch", EVENT, ("n_exch",))  # exch_at(s, i): event i in the order of the exchange's clock
local_at = table_at(CORE, "local", EVENT, ("n_local",))  # local_at(s, j): event j in the order of ours
fill_at = table_at(CORE, "fills", FILL, (LOG_CAPACITY,))
order_event_at = table_at(CORE, "order_log", ORDER_EVENT, (LOG_CAPACITY,))
quote_change_at = table_at(CORE, "quote_log", QUOTE_CHANGE, (LOG_CAPACITY,))
decision_at = table_at(CORE, "decisions", DECISION, (LOG_CAPACITY,))
equity_at = table_at(CORE, "equity", EQUITY, (LOG_CAPACITY,))
mid_at = table_at(CORE, "mids", MID, (LOG_CAPACITY,))
# and within a strategy's row
head_at = table_at(CORE, "rows", HEADER, ("n_strategies",), row=("row_bytes", "head_offset"))
shown_market_at = table_at(CORE, "rows", MARKET_VIEW, ("n_strategies", "n_markets"), row=("row_bytes", "market_offset"))
quote_at = table_at(CORE, "rows", QUOTE, ("n_strategies", "n_markets", 2, "n_levels"), row=("row_bytes", "quotes_offset"))
shown_signal_at = table_at(CORE, "rows", SHOWN, ("n_strategies", "n_signals", "n_markets"), row=("row_bytes", "signals_offset"))


def _first_number(s: Any, k: int, m: int, index: int) -> int:
    """Return the number of the first slot of strategy *k*'s desk for the bids (*index* 0) or asks (1) of market *m*."""
    return int(((k * s.n_markets + m) * 2 + index) * s.n_slots)


first_number = compiled(_first_number)


def _unsettle(s: Any, k: int, m: int) -> None:
    """Let the next decision look at all orders of strategy *k* in market *m*."""
    desk_at(s, k, m, 0).settled = 0
    desk_at(s, k, m, 1).settled = 0


unsettle = compiled(_unsettle)


def _own_row(s: Any, m: int, side: int) -> int:
    """Return the ladder's row of own resting orders: a level is 1, its queue holds 1 + the orders' numbers."""
    return int(s.own_rows + 2 * m + (0 if side > 0 else 1))


own_row = compiled(_own_row)


def _log_is_full(s: Any) -> bool:
    """Say whether a log must be emptied before the next step."""
    return bool(
        s.n_fills > LOG_LIMIT
        or s.n_orders > LOG_LIMIT
        or s.n_quotes > LOG_LIMIT
        or s.n_decisions > LOG_LIMIT
        or s.n_equity > LOG_LIMIT
        or s.n_mids > LOG_LIMIT
    )


log_is_full = compiled(_log_is_full)
