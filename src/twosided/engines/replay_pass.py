"""One pass of a replay: the arrays that the loop works on, and what drives it.

Where you are in the pipe: all of it. `Pass` prepares the tables, calls the loop of `replay_kernel` until the data ends, and makes a
`Run` for each strategy of what was logged. The loop comes back whenever Python is needed: to decide for a strategy that is not
compiled, to empty logs, to enlarge a book, to read on, to show progress or notice Ctrl-C.
"""

import platform
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl
from numba import from_dtype, types

from twosided._compile import INTERPRETED, compiled
from twosided.engines.replay_feed import Feed, Recorded, latency_table
from twosided.engines.replay_kernel import advance
from twosided.engines.replay_logs import COUNTERS, Logs
from twosided.engines.settings import Latency, ReplaySettings
from twosided.errors import InputError, StrategyError, TwosidedError
from twosided.execution.gatekeeper import ADDRESSES as GATE_ADDRESSES
from twosided.execution.ledger import ACCOUNT, fee_schedule
from twosided.execution.queue import CONSERVATIVE, LOG, OPTIMISTIC, POWER
from twosided.execution.state import (
    CELL,
    CORE,
    DONE,
    EMPTY_LOGS,
    FOREVER,
    GROW,
    LOG_CAPACITY,
    LOG_LIMIT,
    MORE,
    PAUSE,
    new_tables,
    on_lines,
    point_at,
)
from twosided.execution.wire import TO_VENUE
from twosided.market.event import BY_ORDER, Events, Status
from twosided.market.instrument import Instrument
from twosided.market.ladder import NO_ASK, NO_BID, grow_books, is_full, new_books
from twosided.market.order import EQUITY
from twosided.market.order_queues import grow_orders, is_book_full, new_orders
from twosided.market.run import Run
from twosided.market.survey import Survey
from twosided.risk.state import ASKED, GATE, MARKET_GATE, new_gate, told
from twosided.signals.by_name import ADDRESSES as SIGNAL_ADDRESSES
from twosided.signals.by_name import signal_numbers, wanted_groups
from twosided.strategies.contract import Strategy, Wake
from twosided.strategies.diagnosis import failure
from twosided.units import time_text

__all__ = ["Pass", "Progress"]

PROGRESS_EVERY = 500_000
"""Events between two looks at the progress bar and Ctrl-C."""

PROGRESS_SECONDS = 0.2
"""The same while Python decides, which may take long."""

LOGS_IN_MEMORY, LOGS_OF_A_STREAM = 1 << 30, 1 << 23
"""Bytes that one log may take in memory: what is read as it is replayed is meant to take little."""

RUN_AHEAD_NS = 1_000_000_000
"""How far the exchange's side of events may run ahead of ours, market time, where no strategy is woken by the market."""

_ORDERS = 1024
"""Recorded orders there is room for at first: the smaller the table that finds them, the more of it is in the cache."""

_QUEUES = {"conservative": CONSERVATIVE, "power": POWER, "log": LOG, "optimistic": OPTIMISTIC}

Progress = Callable[[int, int], None]

_SIGNATURE = types.int64(types.Array(from_dtype(CORE), 1, "C"))

_advance: list[Callable[..., int]] = []  # the loop, compiled (or found in the cache) at the first replay of a process


class Pass:
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
        settings = self.settings = assumed[0]  # all are alike but for what may differ between strategies
        self.found = found
        self.feed = Feed(recorded, found, settings.feed_latency, settings.seed)
        self.parts = self.feed.parts()
        first = next(self.parts)
        self.start_ns = int(first.local["local_ns"][0]) if start_ns is None else int(start_ns)
        self.behind, self.last_ns = 0, 0  # events that the window has left behind, and the exchange time of the last of them
        shared = self.feed.shared
        markets, levels = len(recorded.instruments), strategies[0].levels
        slots = 4 * levels + 5  # odd, so that desks do not all fall on the same few sets of the processor's cache
        self.tables = new_tables(len(strategies), markets, slots, levels)
        rows = 2 * markets * (1 if shared else 2)
        self.tables |= {"books": new_books(rows + 2 * markets), "queues": new_orders(_ORDERS)}
        self._look_at(np.ascontiguousarray(first.exch), np.ascontiguousarray(first.local))
        self.core_array = np.zeros(1, CORE)
        self.core = self.core_array[0]
        self.core.own_rows = rows
        self.logs = Logs(len(strategies), LOGS_IN_MEMORY if first.is_last else LOGS_OF_A_STREAM)
        self.next_progress = 0.0
        self._lay_out_rows(markets)
        self._fill_core(shared=shared, more=not first.is_last)
        self._fill_markets(found)
        self._fill_strategies()
        self._fill_gates()
        point_at(self.core, self.tables)
        if not _advance:
            _advance.append(advance if INTERPRETED else compiled(advance, _SIGNATURE, nogil=True))

    # -- preparation

    def _lay_out_rows(self, markets: int) -> None:
        """Lay the strategies' rows out in one table: each has a record of its own, and all begin alike."""
        dtypes = [strategy.row_dtype(markets) for strategy in self.strategies]
        row_bytes = max(dtype.itemsize for dtype in dtypes)
        row_bytes += -row_bytes % 64  # whole lines of the cache
        memory = on_lines((len(dtypes) * row_bytes,), np.dtype(np.uint8))
        self.rows = [np.ndarray(1, dtype, memory.data, k * row_bytes)[0] for k, dtype in enumerate(dtypes)]
        self.core.row_bytes = row_bytes
        for name in ("market", "quotes", "signals"):
            self.core[f"{name}_offset"] = dtypes[0].fields[name][1]  # type: ignore[index]
        sources = np.full((len(dtypes), max(1, *(len(strategy.signals) for strategy in self.strategies), 1)), -1, np.int64)
        for k, strategy in enumerate(self.strategies):
            sources[k, : len(strategy.signals)] = signal_numbers(strategy.signals, strategy.name)
        self.core.signals_wanted = wanted_groups(sources[sources >= 0].tolist())
        if self.core.signals_wanted:
            self._reach(SIGNAL_ADDRESSES)
        self.tables |= {"rows": memory, "sources": sources.view(CELL)}

    def _fill_core(self, *, shared: bool, more: bool) -> None:
        core, settings = self.core, self.settings
        core.shared_book = int(shared)
        core.more = int(more)
        core.one_stream = int(shared and self.feed.one_stream)
        core.start_ns = self.start_ns
        core.next_own, core.next_own_ns = -1, FOREVER
        core.equity_every_ns = settings.equity_every
        core.next_equity_ns = -(-self.start_ns // settings.equity_every) * settings.equity_every
        core.seed = settings.seed
        core.replace = int(settings.orders.replace)
        core.refresh_ticks, core.top_up_below = settings.orders.refresh_ticks, settings.orders.top_up_below
        core.log_orders, core.log_quotes, core.log_decisions = (
            int(name in settings.log) for name in ("orders", "quotes", "decisions")
        )

    def _fill_markets(self, found: Survey) -> None:
        for m, instrument in enumerate(self.recorded.instruments):
            venue = self.tables["venues"][m]
            venue.by_order = bool(found.kinds[m] & BY_ORDER)
            venue.status, self.tables["views"][m].open = Status.OPEN, 1
            venue.lowest_sell, venue.highest_buy = NO_BID, NO_ASK
            self.tables["venues"]["fees"][m] = fee_schedule(instrument)
            venue.quantum = float(instrument.money_quantum)
            venue.post_only = int(self.settings.market(m).post_only)
            bands = instrument.tick_table
            if len(bands) > len(venue.band_from):
                raise InputError(f"{instrument.symbol} has a tick table of {len(bands)} rows; allowed: {len(venue.band_from)}")
            venue.n_bands = len(bands)
            for i, band in enumerate(bands):
                venue.band_from[i], venue.band_step[i] = instrument.ticks(band.from_price), instrument.ticks(band.tick_size)
            for row in self.rows:
                row["start_ns"] = self.start_ns
                row["market"][m]["tick_size"] = float(instrument.tick_size)
                row["market"][m]["lot_size"] = float(instrument.lot_size)
            self._open(m, instrument, found.most_ticks[m])
        self.opening = self.tables["accounts"].copy()

    def _open(self, m: int, instrument: Instrument, most_ticks: int) -> None:
        """Let every strategy begin with the opening position of market *m*."""
        held = self.settings.market(m).opening_position
        opening = instrument.lots(held, name="opening_position")
        try:
            instrument.require_headroom(most_ticks, abs(opening))
        except InputError as error:
            raise InputError(f"opening_position is {held:g}; {error}") from None
        self.tables["accounts"]["position_lots"][:, m] = opening
        self.tables["lines"]["position_lots"][:, m] = opening

    def _fill_strategies(self) -> None:
        table, markets = self.tables["strategies"], len(self.recorded.instruments)
        known: dict[tuple[Latency, int], int] = {}  # the number of each table of quantiles
        quantiles: list[Any] = []
        shortest_entry_ns = RUN_AHEAD_NS
        for k, (strategy, assumed) in enumerate(zip(self.strategies, self.assumed, strict=True)):
            for m in range(markets):
                line, its = self.tables["lines"][k, m], assumed.market(m)
                self.tables["desks"]["hedge"][k, m] = m in strategy.hedges
                for way, latency in enumerate((its.entry_latency, its.response_latency)):
                    key = (latency, m if latency.kind == "sampled" else 0)
                    if key not in known:
                        known[key] = len(quantiles)
                        quantiles.append(latency_table(latency, self.recorded, m))
                    drawn = quantiles[known[key]]
                    if way == TO_VENUE:
                        shortest_entry_ns = min(shortest_entry_ns, drawn[0])
                    line["latency_table"][way], line["latency_ns"][way] = known[key], drawn[0] if drawn[0] == drawn[-1] else -1
            table[k].partial_fills = int(assumed.partial_fills)
            table[k].queue_kind, table[k].queue_exponent = _QUEUES[assumed.queue.kind], assumed.queue.exponent
            strategy.fill_params(self.rows[k], self.recorded.instruments)
            table[k].address = strategy.address(markets)
            table[k].every_ns, table[k].wake = strategy.every_ns, int(strategy.wake)
            table[k].next_ns = self.start_ns + strategy.every_ns if strategy.wake & 1 else FOREVER
            in_order = markets == 1 or not self.core.log_orders  # the log of several markets tells of reports as they come
            table[k].reads_ahead = int(strategy.wake == Wake.TIMER and assumed.limits is None and in_order)
        self.tables["latencies"] = np.array(quantiles, np.int64).view(CELL)
        self.core.next_timer_ns = int(table["next_ns"].min())
        woken = any(strategy.wake & (Wake.BOOK | Wake.TRADE) for strategy in self.strategies)
        self.core.run_ahead_ns = int(shortest_entry_ns) if woken else RUN_AHEAD_NS
        self.core.timers_only = int(all(strategy.wake == Wake.TIMER for strategy in self.strategies))
        self.core.skims = int(self.core.one_stream and not self.core.signals_wanted)
        # of levels with timers only, nearly every message has one at the touch, and asking costs more than it saves
        worth_asking = woken or any(kinds & BY_ORDER for kinds in self.found.kinds)
        self.core.extends = int(self.core.skims and len(self.recorded.instruments) == 1 and worth_asking)

    def _fill_gates(self) -> None:
        """Give a gate to every strategy that has limits; where none has, there is no table of them."""
        if all(assumed.limits is None for assumed in self.assumed):
            return
        count, instruments = len(self.strategies), self.recorded.instruments
        gates, asked = np.zeros(count, GATE), np.zeros(count, ASKED)
        market_gates = np.zeros((count, len(instruments)), MARKET_GATE)
        for k, assumed in enumerate(self.assumed):
            if assumed.limits is not None:
                (gates[k],), market_gates[k] = new_gate(assumed.limits, instruments)
                self.tables["strategies"][k].gated = 1
        self.tables |= {"gates": gates, "market_gates": market_gates, "asked": asked}
        self._reach(GATE_ADDRESSES)

    def _reach(self, addresses: Mapping[str, Callable[[], int]]) -> None:
        """Have functions compiled that are reached by address."""
        for name, address in addresses.items():
            self.core[name] = address()

    # -- reading

    @property
    def done(self) -> int:
        """How many events the exchange's side has seen."""
        return self.behind + int(self.core.next_exch)

    def _look_at(self, exch: Events, local: Events) -> None:
        """Let these be what the loop reads."""
        self.tables |= {"exch": exch, "local": exch if self.feed.one_stream else local}

    def _read_on(self) -> None:
        """Move the windows on: what both sides have seen goes, the next part of the recording comes."""
        core, tables, part = self.core, self.tables, next(self.parts)
        seen_exch, seen_local = int(core.next_exch), int(core.next_local)
        if self.feed.one_stream:
            seen_exch = seen_local = min(seen_exch, seen_local)
            for end in ("first", "last"):
                tables["tops"][end] -= seen_exch  # those that say -1 stay below every place that is asked for
        if seen_exch:
            self.last_ns = int(tables["exch"]["exch_ns"][seen_exch - 1])
        exch = np.concatenate([tables["exch"][seen_exch:], part.exch])
        self._look_at(exch, exch if self.feed.one_stream else np.concatenate([tables["local"][seen_local:], part.local]))
        self.behind += seen_exch
        core.next_exch -= seen_exch
        core.pause_at -= seen_exch
        core.next_local -= seen_local
        core.more = int(not part.is_last)
        point_at(core, tables)

    # -- running

    def run(self, progress: Progress | None) -> list[Run]:
        """Go through the data and return one Run per strategy."""
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
        core, total = self.core, self.found.events
        core.pause_at = PROGRESS_EVERY
        while True:
            code = self._advance_once()
            if code >= 0:
                self._decide(code, progress)
            elif code == PAUSE:
                core.pause_at = core.next_exch + PROGRESS_EVERY
                if progress is not None:
                    progress(self.done, total)
            elif code == MORE:
                self._read_on()
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
            progress(self.done, self.found.events)

    def _blame(self, k: int, error: Exception) -> StrategyError:
        strategy = self.strategies[k]
        return failure(strategy.name, strategy.function, error, self.rows[k], f" at {time_text(int(self.core.now_ns))}")

    def _empty_logs(self) -> None:
        """Keep the tables of the logs that are nearly full, and give the engine new ones."""
        for name, (counter, dtype) in COUNTERS.items():
            if self.core[counter] > LOG_LIMIT:
                self._keep_log(name)
                self.tables[name] = np.zeros(LOG_CAPACITY, dtype)
        point_at(self.core, self.tables)

    def _keep_log(self, name: str) -> None:
        counter, _ = COUNTERS[name]
        self.logs.keep(name, self.tables[name][: int(self.core[counter])])
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
        for name in COUNTERS:
            self._keep_log(name)
        at = int(self.core.next_exch)
        self.end_ns = int(self.tables["exch"]["exch_ns"][at - 1]) if at else self.last_ns
        rows = []
        for k in range(len(self.strategies)):
            for m, venue in enumerate(state["venues"]):
                if venue.bid != NO_BID:
                    account = state["accounts"][k, m]
                    fees = account.fees + account.taxes
                    rows.append((self.end_ns, k, m, account.position_lots, account.cash, fees, venue.bid + venue.ask))
        if rows:
            self.logs.keep("equity", np.array(rows, EQUITY))

    # -- results

    def _make_runs(self, seconds: float, *, complete: bool) -> list[Run]:
        """Return one Run per strategy."""
        names = {"fills": "fills", "orders": "order_log", "quotes": "quote_log", "decisions": "decisions", "equity": "equity"}
        mids = cache(partial(_from_start, self.logs, self.start_ns))  # one for all
        return [
            Run(
                instruments=tuple(self.recorded.instruments),
                facts=self._facts(k, seconds, complete=complete),
                mids=mids,
                **{name: partial(self.logs.frame, log, k) for name, log in names.items()},
            )
            for k in range(len(self.strategies))
        ]

    def _facts(self, k: int, seconds: float, *, complete: bool) -> dict[str, Any]:
        state, strategy = self.tables, self.strategies[k]
        return {
            "engine": "replay",
            "strategy": strategy.name,
            "params": strategy.resolved(),
            "every_ns": strategy.every_ns,
            "settings": self.assumed[k].model_dump(mode="json"),
            "seed": self.settings.seed,
            "start_ns": self.start_ns,
            "end_ns": self.end_ns,
            "events": self.done,
            "seconds": seconds,
            "strategies_in_pass": len(self.strategies),
            "complete": complete,
            "data": self.recorded.facts(),
            "opening": [_account(row) for row in self.opening[k]],
            "closing": [_account(row) for row in state["accounts"][k]],
            "by_order": [bool(venue.by_order) for venue in state["venues"]],
            "market_volume_lots": [int(venue.volume_lots) for venue in state["venues"]],
            "risk": None if self.assumed[k].limits is None else told(state["gates"][k]),
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


def _from_start(logs: Logs, start_ns: int) -> pl.DataFrame:
    """Return the touches from the start on; each market's first row is the one that held at the start."""
    mids = logs.frame("mids")
    before = mids.filter(pl.col("exch_ns") <= start_ns).group_by("market", maintain_order=True).last().select(mids.columns)
    return pl.concat([before, mids.filter(pl.col("exch_ns") > start_ns)])


@cache
def _versions() -> dict[str, str]:
    """Return what ran; looking it up takes milliseconds."""
    return {"python": platform.python_version(), **{name: version(name) for name in ("twosided", "numba", "numpy", "polars")}}
