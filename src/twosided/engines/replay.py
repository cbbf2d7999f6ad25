"""Replay of recorded order books: one pass through the data for any number of strategies.

`replay` prepares arrays, calls the loop of `twosided.engines.replay_kernel` until the data ends, and makes a `Run` of what it
logged. The loop comes back whenever Python is needed: to decide for a strategy that is not compiled, to empty logs, to enlarge a
book, to show progress or notice Ctrl-C.
"""

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any, Protocol, overload

import numpy as np
import polars as pl
from numba import from_dtype, types

from twosided._compile import INTERPRETED, compiled
from twosided._random import Purpose, random_bits
from twosided.engines.replay_kernel import DONE, EMPTY_LOGS, GROW, PAUSE, advance
from twosided.engines.settings import Latency, ReplaySettings
from twosided.errors import InputError, StrategyError, TwosidedError, suggest
from twosided.execution.ledger import ACCOUNT, fee_schedule
from twosided.execution.queue import CONSERVATIVE, LOG, OPTIMISTIC, POWER
from twosided.execution.state import CELL, CORE, FOREVER, LATENCY_POINTS, LOG_CAPACITY, LOG_HEADROOM, new_tables, point_at
from twosided.market.event import BOOK_KINDS, BY_ORDER, EVENT, Events, Flag, Kind, Status, exchange_order
from twosided.market.instrument import Instrument
from twosided.market.ladder import NO_BID, grow_books, is_full, new_books
from twosided.market.order import DECISION, EQUITY, FILL, MID, ORDER_EVENT, QUOTE_CHANGE
from twosided.market.order_queues import grow_orders, is_book_full, new_orders
from twosided.market.run import Run
from twosided.market.survey import Survey, survey
from twosided.signals.top import SIGNALS
from twosided.strategies.contract import Strategy, Wake
from twosided.strategies.diagnosis import failure
from twosided.units import time_text

__all__ = ["Recorded", "replay"]

PROGRESS_EVERY = 500_000
"""Events between two looks at the progress bar and Ctrl-C."""

PROGRESS_SECONDS = 0.2
"""The same while Python decides, which may take long."""

RUN_AHEAD_NS = 1_000_000_000
"""How far the exchange's side of events may run ahead of ours, market time, where no strategy is woken by the market."""

PER_STRATEGY = ("entry_latency", "response_latency", "queue", "partial_fills")
"""Settings that may differ between the strategies of one pass; the others belong to the market that they share."""

_SAME = {name: ReplaySettings.model_fields[name].default for name in PER_STRATEGY}
_QUEUES = {"conservative": CONSERVATIVE, "power": POWER, "log": LOG, "optimistic": OPTIMISTIC}

Progress = Callable[[int, int], None]


class Recorded(Protocol):
    """What `replay` needs of a recording; `twosided.data.Recording` is one."""

    @property
    def events(self) -> Events:
        """Events in the order of our clock."""
        ...

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """One per market."""
        ...

    def facts(self) -> dict[str, Any]:
        """Say what was read and which defects it had."""
        ...


@dataclass(frozen=True)
class _Bare:
    """Events that come without a file."""

    events: Events
    instruments: tuple[Instrument, ...]

    def facts(self) -> dict[str, Any]:
        return {"names": ["(events in memory)"], "events": len(self.events)}


@overload
def replay(
    data: Recorded | Events,
    strategies: Strategy,
    *,
    instruments: Sequence[Instrument] | Instrument | None = None,
    settings: ReplaySettings | Sequence[ReplaySettings] | None = None,
    start_ns: int | None = None,
    progress: Progress | None = None,
) -> Run: ...
@overload
def replay(
    data: Recorded | Events,
    strategies: Sequence[Strategy],
    *,
    instruments: Sequence[Instrument] | Instrument | None = None,
    settings: ReplaySettings | Sequence[ReplaySettings] | None = None,
    start_ns: int | None = None,
    progress: Progress | None = None,
) -> list[Run]: ...
def replay(
    data: Recorded | Events,
    strategies: Strategy | Sequence[Strategy],
    *,
    instruments: Sequence[Instrument] | Instrument | None = None,
    settings: ReplaySettings | Sequence[ReplaySettings] | None = None,
    start_ns: int | None = None,
    progress: Progress | None = None,
) -> Run | list[Run]:
    """Replay recorded events through one strategy, or through several at once.

    Args:
        data: a recording (`twosided.load`), or an array of `EVENT` together with *instruments*.
        strategies: one, or a list: the books are rebuilt once for all of them, and each result is that of its own separate run.
        instruments: for events without a recording.
        settings: latencies, queue model and order handling; `ReplaySettings` says what is assumed without it. A list has those of
            each strategy: one pass serves all that differ in `PER_STRATEGY` only.
        start_ns: strategies are asked from this time on (our clock); the book is built from the beginning.
        progress: called with (events done, events in all) a few times a second. A KeyboardInterrupt stops the run, which is then
            returned as far as it got, with ``facts["complete"]`` False.

    Returns:
        A `Run`, or a list of them in the order of *strategies*.

    Raises:
        InputError: data or parameters that cannot be used.
        StrategyError: a strategy raised.
    """
    recorded, found = _recorded(data, instruments)
    asked = [strategies] if isinstance(strategies, Strategy) else list(strategies)
    if not asked:
        raise InputError("strategies is empty; allowed: at least one")
    assumed = _settings_of(settings, len(asked))
    passes: dict[Any, list[int]] = {}  # one for all that have as many quote levels and assume the same of the market
    for i, (strategy, its) in enumerate(zip(asked, assumed, strict=True)):
        passes.setdefault((strategy.levels, its.model_copy(update=_SAME)), []).append(i)
    runs: dict[int, Run] = {}
    for chosen in passes.values():
        engine = _Engine(recorded, [asked[i] for i in chosen], [assumed[i] for i in chosen], start_ns, found)
        runs |= dict(zip(chosen, engine.run(progress), strict=True))
    return runs[0] if isinstance(strategies, Strategy) else [runs[i] for i in range(len(asked))]


def _settings_of(settings: ReplaySettings | Sequence[ReplaySettings] | None, count: int) -> list[ReplaySettings]:
    """Return the settings of each of *count* strategies."""
    if settings is None or isinstance(settings, ReplaySettings):
        return [settings or ReplaySettings()] * count
    if len(settings) != count:
        raise InputError(
            f"settings are a list of {len(settings)}; allowed: one for all strategies, or as many as there are ({count})"
        )
    return list(settings)


def _recorded(data: Recorded | Events, instruments: Sequence[Instrument] | Instrument | None) -> tuple[Recorded, Survey]:
    """Check what is to be replayed, and return it with what one look over its events found."""
    if isinstance(data, np.ndarray):
        if instruments is None:
            raise InputError("instruments is missing; an array of events must come with the instruments of its markets")
        listed = (instruments,) if isinstance(instruments, Instrument) else tuple(instruments)
        data = _Bare(data, listed)
    events = data.events
    if events.dtype != EVENT:
        raise InputError(f"events have dtype {events.dtype}; allowed: twosided.market.event.EVENT")
    if len(events) == 0:
        raise InputError("there are no events; nothing can be replayed")
    found = survey(events, len(data.instruments))
    if found.local_backwards:
        raise InputError("events are not in the order of local_ns; sort them, or read them with twosided.load")
    if found.most_market >= len(data.instruments):
        raise InputError(f"events refer to market {found.most_market}; allowed: 0 to {len(data.instruments) - 1}")
    for market, kinds in enumerate(found.kinds):
        if not kinds & BOOK_KINDS:
            problem = f"market {market} ({data.instruments[market].symbol}) is recorded without a book"
            raise InputError(f"{problem}; a replay needs the changes of one, beside its trades where there are any")
        if kinds - set(Kind):
            raise InputError(
                f"events of market {market} are of a kind that is not known; allowed: those of twosided.market.event.Kind"
            )
        if Kind.DEPTH in kinds and kinds & BY_ORDER:
            problem = f"market {market} is recorded both by level and order by order"
            raise InputError(f"{problem}; expected DEPTH events, or ADD, MODIFY, CANCEL and FILL")
    for instrument, ticks, lots in zip(data.instruments, found.most_ticks, found.most_lots, strict=True):
        instrument.require_headroom(ticks, lots)
    return data, found


# ---------------------------------------------------------------- the two streams


def _feed(events: Events, latency: Latency, seed: int) -> Events:
    """Return the events in the order of our clock, with the feed latency that is asked for."""
    if latency.kind == "recorded":
        return events
    events = exchange_order(events).copy()
    if latency.kind == "constant":
        events["local_ns"] = events["exch_ns"] + latency.ns
        return events
    last = (events["flags"] & Flag.LAST_OF_MESSAGE) != 0
    table = _latency_table(latency, events)
    ends = np.flatnonzero(last)
    draws = np.array([int(random_bits(seed, Purpose.FEED_LATENCY, i)) & (LATENCY_POINTS - 1) for i in range(len(ends))])
    arrival = np.maximum.accumulate(events["exch_ns"][ends] + table[draws])  # one connection: messages do not overtake
    message = np.searchsorted(ends, np.arange(len(events)))
    events["local_ns"] = arrival[np.minimum(message, len(ends) - 1)]
    return events


def _latency_table(latency: Latency, events: Events) -> Any:
    """Return 1,024 quantiles of a latency in ns."""
    if latency.kind == "constant":
        return np.full(LATENCY_POINTS, latency.ns, np.int64)
    last = (events["flags"] & Flag.LAST_OF_MESSAGE) != 0
    recorded = np.sort(events["local_ns"][last] - events["exch_ns"][last])
    points = ((np.arange(LATENCY_POINTS) + 0.5) / LATENCY_POINTS * len(recorded)).astype(np.int64)
    return np.maximum((recorded[points] * latency.factor).astype(np.int64), 0)


def _one_order(events: Events, exch: Events) -> bool:
    """Say whether both clocks see the messages that change books in the same order, market by market."""
    if exch is events:
        return True
    moves = events[events["kind"] != Kind.TRADE]
    for m in np.unique(moves["market"]):
        times = moves["exch_ns"][moves["market"] == m]
        if np.any(times[1:] < times[:-1]):
            return False
    return True


# ---------------------------------------------------------------- one pass


_SIGNATURE = types.int64(types.Array(from_dtype(CORE), 1, "C"))

_advance: list[Callable[..., int]] = []  # the loop, compiled (or found in the cache) at the first replay of a process


@dataclass
class _Logs:
    """Rows taken out of the engine's logs so far."""

    fills: list[Any] = field(default_factory=list)
    order_log: list[Any] = field(default_factory=list)
    quote_log: list[Any] = field(default_factory=list)
    decisions: list[Any] = field(default_factory=list)
    equity: list[Any] = field(default_factory=list)
    mids: list[Any] = field(default_factory=list)


_COUNTERS = {
    "fills": ("n_fills", FILL),
    "order_log": ("n_orders", ORDER_EVENT),
    "quote_log": ("n_quotes", QUOTE_CHANGE),
    "decisions": ("n_decisions", DECISION),
    "equity": ("n_equity", EQUITY),
    "mids": ("n_mids", MID),
}


class _Engine:
    """The arrays of one pass and what drives them."""

    def __init__(
        self,
        recorded: Recorded,
        strategies: list[Strategy],
        assumed: list[ReplaySettings],
        start_ns: int | None,
        found: Survey,
    ) -> None:
        self.recorded, self.strategies, self.assumed = recorded, strategies, assumed
        settings = self.settings = assumed[0]  # all are alike but for PER_STRATEGY
        self.local = np.ascontiguousarray(_feed(recorded.events, settings.feed_latency, settings.seed))
        made = settings.feed_latency.kind != "recorded"  # such latencies keep the exchange's order and are never negative
        self.exch = self.local if made or found.exch_backwards == 0 else exchange_order(self.local)
        self.start_ns = int(self.local["local_ns"][0]) if start_ns is None else int(start_ns)
        shared = (made or found.early == 0) and _one_order(self.local, self.exch)
        markets, levels = len(recorded.instruments), strategies[0].levels
        slots = 4 * levels + 5  # odd, so that desks do not all fall on the same few sets of the processor's cache
        self.tables = new_tables(len(strategies), markets, slots, levels)
        rows = 2 * markets * (1 if shared else 2)
        self.tables |= {"books": new_books(rows + 2 * markets), "queues": new_orders()}
        self.tables |= {"exch": self.exch, "local": self.local}
        self.core_array = np.zeros(1, CORE)
        self.core = self.core_array[0]
        self.core.own_rows = rows
        self.logs = _Logs()
        self.next_progress = 0.0
        self._lay_out_rows(markets)
        self._fill_core(shared=shared)
        self._fill_markets(found)
        self._fill_strategies()
        point_at(self.core, self.tables)

    # -- preparation

    def _lay_out_rows(self, markets: int) -> None:
        """Lay the strategies' rows out in one table: each has a record of its own, and all begin alike."""
        dtypes = [strategy.row_dtype(markets) for strategy in self.strategies]
        row_bytes = max(dtype.itemsize for dtype in dtypes)
        row_bytes += -row_bytes % 8
        memory = np.zeros(len(dtypes) * row_bytes, np.uint8)
        self.rows = [np.ndarray(1, dtype, memory.data, k * row_bytes)[0] for k, dtype in enumerate(dtypes)]
        self.core.row_bytes = row_bytes
        for name in ("market", "quotes", "signals"):
            self.core[f"{name}_offset"] = dtypes[0].fields[name][1]  # type: ignore[index]
        sources = np.full((len(dtypes), max(1, *(len(strategy.signals) for strategy in self.strategies), 1)), -1, np.int64)
        for k, strategy in enumerate(self.strategies):
            for j, name in enumerate(strategy.signals):
                if name not in SIGNALS:
                    raise InputError(f"strategy {strategy.name} asks for the signal {name!r}{suggest(name, SIGNALS)}")
                sources[k, j] = SIGNALS.index(name)
        self.core.signals_wanted = int((sources >= 0).any())
        self.tables |= {"rows": memory, "sources": sources.view(CELL)}

    def _fill_core(self, *, shared: bool) -> None:
        core, settings = self.core, self.settings
        core.shared_book = int(shared)
        core.one_stream = int(shared and self.exch is self.local)
        core.start_ns = self.start_ns
        core.next_own, core.next_own_ns = -1, FOREVER
        core.equity_every_ns = settings.equity_every
        core.next_equity_ns = -(-self.start_ns // settings.equity_every) * settings.equity_every
        core.seed = settings.seed
        core.post_only, core.replace = int(settings.orders.post_only), int(settings.orders.replace)
        core.refresh_ticks, core.top_up_below = settings.orders.refresh_ticks, settings.orders.top_up_below
        core.log_orders, core.log_quotes, core.log_decisions = (
            int(name in settings.log) for name in ("orders", "quotes", "decisions")
        )

    def _fill_markets(self, found: Survey) -> None:
        for m, instrument in enumerate(self.recorded.instruments):
            venue = self.tables["venues"][m]
            venue.by_order = bool(found.kinds[m] & BY_ORDER)
            venue.status, self.tables["views"][m].open = Status.OPEN, 1
            self.tables["venues"]["fees"][m] = fee_schedule(instrument)
            venue.quantum = float(instrument.money_quantum)
            bands = instrument.tick_table
            if len(bands) > len(venue.band_from):
                raise InputError(f"{instrument.symbol} has a tick table of {len(bands)} rows; allowed: {len(venue.band_from)}")
            venue.n_bands = len(bands)
            for i, band in enumerate(bands):
                venue.band_from[i], venue.band_step[i] = instrument.ticks(band.from_price), instrument.ticks(band.tick_size)
            for row in self.rows:
                row["market"][m]["tick_size"] = float(instrument.tick_size)
                row["market"][m]["lot_size"] = float(instrument.lot_size)
        first, held = self.recorded.instruments[0], self.settings.opening_position
        opening = first.lots(held, name="opening_position")
        try:
            first.require_headroom(found.most_ticks[0], abs(opening))
        except InputError as error:
            raise InputError(f"opening_position is {held:g}; {error}") from None
        self.tables["accounts"]["position_lots"][:, 0] = opening
        self.tables["lines"]["position_lots"][:, 0] = opening
        self.opening = self.tables["accounts"].copy()

    def _fill_strategies(self) -> None:
        table, latencies = self.tables["strategies"], self.tables["latencies"]["number"]
        known: dict[Latency, Any] = {}
        for k, (strategy, assumed) in enumerate(zip(self.strategies, self.assumed, strict=True)):
            for way, latency in enumerate((assumed.entry_latency, assumed.response_latency)):
                if latency not in known:
                    known[latency] = _latency_table(latency, self.recorded.events)
                latencies[k, way] = known[latency]
                table[k].latency_ns[way] = known[latency][0] if known[latency][0] == known[latency][-1] else -1
            table[k].partial_fills = int(assumed.partial_fills)
            table[k].queue_kind, table[k].queue_exponent = _QUEUES[assumed.queue.kind], assumed.queue.exponent
            strategy.fill_params(self.rows[k], self.recorded.instruments)
            table[k].address = strategy.address(len(self.recorded.instruments))
            table[k].every_ns, table[k].wake = strategy.every_ns, int(strategy.wake)
            table[k].next_ns = self.start_ns + strategy.every_ns if strategy.wake & 1 else FOREVER
        self.core.next_timer_ns = int(table["next_ns"].min())
        woken = any(strategy.wake & (Wake.BOOK | Wake.TRADE) for strategy in self.strategies)
        self.core.run_ahead_ns = 0 if woken else RUN_AHEAD_NS

    # -- running

    def run(self, progress: Progress | None) -> list[Run]:
        """Go through the data and return one Run per strategy."""
        if not _advance:
            _advance.append(advance if INTERPRETED else compiled(advance, _SIGNATURE))
        began = time.perf_counter()
        complete = True
        try:
            self._drive(progress)
        except KeyboardInterrupt:
            complete = False
        self._close()
        seconds = time.perf_counter() - began
        return self._make_runs(seconds, complete=complete)

    def _drive(self, progress: Progress | None) -> None:
        core, total = self.core, len(self.local)
        core.pause_at = PROGRESS_EVERY
        while True:
            code = self._advance_once()
            if code >= 0:
                self._decide(code, progress)
            elif code == PAUSE:
                core.pause_at = core.next_exch + PROGRESS_EVERY
                if progress is not None:
                    progress(int(core.next_exch), total)
            elif code == EMPTY_LOGS:
                self._empty_logs()
            elif code == GROW:
                self._grow()
            elif code == DONE:
                if progress is not None:
                    progress(total, total)
                return

    def _advance_once(self) -> int:
        """Call the loop; what a compiled strategy raised becomes a `StrategyError`."""
        try:
            return int(_advance[0](self.core_array))
        except (TwosidedError, KeyboardInterrupt):
            raise
        except Exception as error:
            core = self.core
            if core.deciding == 0 or core.answered == 1:
                raise
            raise self._blame(int(core.strategy), error) from error

    def _decide(self, k: int, progress: Progress | None) -> None:
        """Let Python decide for strategy *k*, and report progress a few times a second: it may take long."""
        try:
            self.strategies[k].function(self.rows[k])
        except KeyboardInterrupt:
            raise
        except Exception as error:
            raise self._blame(k, error) from error
        if progress is not None and time.monotonic() > self.next_progress:
            self.next_progress = time.monotonic() + PROGRESS_SECONDS
            progress(int(self.core.next_exch), len(self.local))

    def _blame(self, k: int, error: Exception) -> StrategyError:
        strategy = self.strategies[k]
        return failure(strategy.name, strategy.function, error, self.rows[k], f" at {time_text(int(self.core.now_ns))}")

    def _empty_logs(self) -> None:
        """Keep the tables of the logs that are nearly full, and give the engine new ones."""
        for name, (counter, dtype) in _COUNTERS.items():
            if self.core[counter] > LOG_CAPACITY - LOG_HEADROOM:
                self._keep_log(name)
                self.tables[name] = np.zeros(LOG_CAPACITY, dtype)
        point_at(self.core, self.tables)

    def _keep_log(self, name: str) -> None:
        counter, _ = _COUNTERS[name]
        getattr(self.logs, name).append(self.tables[name][: int(self.core[counter])])
        self.core[counter] = 0

    def _grow(self) -> None:
        """Enlarge whatever is nearly full."""
        core, arrays = self.core, self.tables
        if is_full(arrays["books"]):
            arrays["books"] = grow_books(arrays["books"])
        if is_book_full(arrays["books"], arrays["queues"]):
            arrays["queues"] = grow_orders(arrays["queues"])
        if core.grow_tops:
            arrays["tops"] = _grow_ring(arrays["tops"], arrays["venues"])
        if core.grow_messages:
            n = len(arrays["messages"])
            arrays["messages"] = np.concatenate([arrays["messages"], np.zeros(n, arrays["messages"].dtype)])
            arrays["heap"] = np.concatenate([arrays["heap"], np.zeros(n, CELL)])
            arrays["messages"]["next"][n:] = np.arange(n + 1, 2 * n + 1)
            arrays["messages"]["next"][-1] = core.free_message
            core.free_message = n
        if core.grow_taken:
            arrays["taken"] = np.concatenate([arrays["taken"], np.zeros_like(arrays["taken"])], axis=1)
        core.grow_tops = core.grow_messages = core.grow_taken = 0
        point_at(core, arrays)

    def _close(self) -> None:
        """Note every account once more, at the end."""
        state = self.tables
        for name in _COUNTERS:
            self._keep_log(name)
        self.end_ns = int(self.exch["exch_ns"][max(int(self.core.next_exch) - 1, 0)])
        rows = []
        for k in range(len(self.strategies)):
            for m, venue in enumerate(state["venues"]):
                if venue.bid != NO_BID:
                    account = state["accounts"][k, m]
                    fees = account.fees + account.taxes
                    rows.append((self.end_ns, k, m, account.position_lots, account.cash, fees, venue.bid + venue.ask))
        if rows:
            self.logs.equity.append(np.array(rows, EQUITY))

    # -- results

    def _make_runs(self, seconds: float, *, complete: bool) -> list[Run]:
        """Return one Run per strategy."""
        names = {"fills": "fills", "orders": "order_log", "quotes": "quote_log", "decisions": "decisions", "equity": "equity"}
        count, mids = len(self.strategies), self._mids()
        rows = {name: _by_strategy(getattr(self.logs, log), count) for name, log in names.items()}
        return [
            Run(
                instruments=tuple(self.recorded.instruments),
                facts=self._facts(k, seconds, complete=complete),
                mids=mids,
                **{name: _frame(rows[name][k], _COUNTERS[log][1]) for name, log in names.items()},
            )
            for k in range(count)
        ]

    def _mids(self) -> pl.DataFrame:
        """Return the touches from the start on; each market's first row is the one that held at the start."""
        mids = _frame(self.logs.mids, MID)
        before = mids.filter(pl.col("exch_ns") <= self.start_ns).group_by("market", maintain_order=True).last().select(mids.columns)
        return pl.concat([before, mids.filter(pl.col("exch_ns") > self.start_ns)])

    def _facts(self, k: int, seconds: float, *, complete: bool) -> dict[str, Any]:
        state, strategy = self.tables, self.strategies[k]
        done = int(self.core.next_exch)
        return {
            "engine": "replay",
            "strategy": strategy.name,
            "params": strategy.resolved(),
            "every_ns": strategy.every_ns,
            "settings": self.assumed[k].model_dump(mode="json"),
            "seed": self.settings.seed,
            "start_ns": self.start_ns,
            "end_ns": self.end_ns,
            "events": done,
            "seconds": seconds,
            "strategies_in_pass": len(self.strategies),
            "complete": complete,
            "data": self.recorded.facts(),
            "opening": [_account(row) for row in self.opening[k]],
            "closing": [_account(row) for row in state["accounts"][k]],
            "by_order": [bool(venue.by_order) for venue in state["venues"]],
            "market_volume_lots": [int(venue.volume_lots) for venue in state["venues"]],
            "counts": {"decisions": int(state["strategies"][k].decisions), "messages_sent": int(state["strategies"][k].sent)},
            "versions": dict(_versions()),
        }


def _grow_ring(tops: Any, venues: Any) -> Any:
    """Return a ring of twice the size with the same content."""
    size = tops.shape[1]
    larger = np.zeros((tops.shape[0], 2 * size), tops.dtype)
    for m, venue in enumerate(venues):
        for number in range(int(venue.tops_out), int(venue.tops_in)):
            larger[m, number & (2 * size - 1)] = tops[m, number & (size - 1)]
    return larger


def _account(row: Any) -> dict[str, int]:
    return {name: int(row[name]) for name in ACCOUNT.names or ()}


def _by_strategy(chunks: list[Any], count: int) -> list[list[Any]]:
    """Return the rows of each of *count* strategies, in the order in which they were logged."""
    if count == 1:
        return [chunks]
    parts: list[list[Any]] = [[] for _ in range(count)]
    for chunk in chunks:
        rows = chunk[np.argsort(chunk["strategy"], kind="stable")]
        bounds = np.searchsorted(rows["strategy"], np.arange(count + 1))
        for k, part in enumerate(parts):
            part.append(rows[bounds[k] : bounds[k + 1]])
    return parts


_BLOCK = 2048  # rows that stay in the processor's cache while one column after the other is taken out of them


def _frame(chunks: list[Any], dtype: np.dtype[Any]) -> pl.DataFrame:
    """Return log rows as a frame, without the column that says which strategy they are of."""
    columns = {name: np.empty(sum(map(len, chunks)), np.int64) for name in dtype.names or () if name != "strategy"}
    at = 0
    for rows in chunks:
        for first in range(0, len(rows), _BLOCK):
            block = rows[first : first + _BLOCK]
            for name, column in columns.items():
                column[at : at + len(block)] = block[name]
            at += len(block)
    return pl.DataFrame(columns)


@cache
def _versions() -> dict[str, str]:
    """Return what ran; looking it up takes milliseconds."""
    return {"python": platform.python_version(), **{name: version(name) for name in ("twosided", "numba", "numpy", "polars")}}
