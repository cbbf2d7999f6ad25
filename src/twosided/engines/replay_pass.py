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
        self.alike: Any = np.ndarray(len(dtypes), dtypes[0], memory.data, strides=(row_bytes,))  # for what all rows begin with
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
            self.alike["market"]["tick_size"][:, m] = float(instrument.tick_size)
            self.alike["market"]["lot_size"][:, m] = float(instrument.lot_size)
            self._open(m, instrument, found.most_ticks[m])
        self.alike["start_ns"] = self.start_ns
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
        table, markets, strategies, assumed = (
            self.tables["strategies"],
            len(self.recorded.instruments),
            self.strategies,
            self.assumed,
        )
        for row, strategy in zip(self.rows, strategies, strict=True):
            strategy.fill_params(row, self.recorded.instruments)
        self.tables["desks"]["hedge"] = [[[m in each.hedges] * 2 for m in range(markets)] for each in strategies]
        wakes = np.array([int(each.wake) for each in strategies])
        table["wake"], table["every_ns"] = wakes, [each.every_ns for each in strategies]
        table["next_ns"] = np.where(wakes & Wake.TIMER != 0, self.start_ns + table["every_ns"], FOREVER)
        table["address"] = [each.address(markets) for each in strategies]
        table["partial_fills"] = [each.partial_fills for each in assumed]
        queues = [(each.queue.kind, each.queue.exponent) for each in assumed]
        table["queue"] = [queues.index(queue) for queue in queues]
        table["queue_kind"] = [_QUEUES[each.queue.kind] for each in assumed]
        table["queue_exponent"] = [each.queue.exponent for each in assumed]
        apart = markets > 1 and bool(self.core.log_orders)  # the log of several markets tells of reports as they come
        table["unread"] = (wakes != Wake.TIMER) | np.array([each.limits is not None for each in assumed]) | apart
        shortest_entry_ns = self._fill_latencies()
        self.core.next_timer_ns = int(table["next_ns"].min())
        woken = bool(np.any(wakes & (Wake.BOOK | Wake.TRADE)))
        self.core.run_ahead_ns = min(shortest_entry_ns, RUN_AHEAD_NS) if woken else RUN_AHEAD_NS
        self.core.timers_only = int(np.all(wakes == Wake.TIMER))
        self.core.skims = int(self.core.one_stream and not self.core.signals_wanted)
        self.core.extends = int(self.core.skims and len(self.recorded.instruments) == 1)

    def _fill_latencies(self) -> int:
        """Give every line its latencies, a constant or quantiles to draw from; return the shortest from us to a market."""
        known: dict[tuple[Latency, int], int] = {}  # the number of each table of quantiles
        quantiles: list[Any] = []

        def number_of(latency: Latency, m: int) -> int:
            key = (latency, m if latency.kind == "sampled" else 0)
            if key not in known:
                known[key] = len(quantiles)
                quantiles.append(latency_table(latency, self.recorded, m))
            return known[key]

        def numbers_of(assumed: ReplaySettings) -> list[list[int]]:
            markets = [assumed.market(m) for m in range(len(self.recorded.instruments))]
            return [[number_of(its.entry_latency, m), number_of(its.response_latency, m)] for m, its in enumerate(markets)]

        distinct = {id(each): numbers_of(each) for each in {id(each): each for each in self.assumed}.values()}
        lines, numbers = self.tables["lines"], np.array([distinct[id(each)] for each in self.assumed])
        drawn = np.array(quantiles, np.int64)
        lines["latency_table"] = numbers
        lines["latency_ns"] = np.where(drawn[:, 0] == drawn[:, -1], drawn[:, 0], -1)[numbers]
        self.tables["latencies"] = drawn.view(CELL)
        return int(drawn[numbers[:, :, TO_VENUE], 0].min())

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
            tables["tops"]["first"] -= seen_exch  # those that say -1 stay below every place that is asked for
            tables["tops"]["last"] -= seen_exch
            tables["venues"]["holds"] -= seen_exch
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
        facts = self._facts(seconds, complete=complete)
        return [
            Run(
                instruments=tuple(self.recorded.instruments),
                facts={**self._facts_of(k), **facts},
                mids=mids,
                **{name: partial(self.logs.frame, log, k) for name, log in names.items()},
            )
            for k in range(len(self.strategies))
        ]

    def _facts(self, seconds: float, *, complete: bool) -> dict[str, Any]:
        """Return what is known of the pass."""
        venues = self.tables["venues"]
        return {
            "engine": "replay",
            "seed": self.settings.seed,
            "start_ns": self.start_ns,
            "end_ns": self.end_ns,
            "events": self.done,
            "seconds": seconds,
            "strategies_in_pass": len(self.strategies),
            "complete": complete,
            "data": self.recorded.facts(),
            "by_order": venues["by_order"].astype(bool).tolist(),
            "market_volume_lots": venues["volume_lots"].tolist(),
            "versions": dict(_versions()),
        }

    def _facts_of(self, k: int) -> dict[str, Any]:
        """Return what is known of strategy *k*."""
        strategy, assumed, row = self.strategies[k], self.assumed[k], self.tables["strategies"][k]
        return {
            "strategy": strategy.name,
            "params": strategy.resolved(),
            "every_ns": strategy.every_ns,
            "settings": assumed.model_dump(mode="json"),
            "opening": _accounts(self.opening[k]),
            "closing": _accounts(self.tables["accounts"][k]),
            "risk": None if assumed.limits is None else told(self.tables["gates"][k]),
            "counts": {"decisions": int(row["decisions"]), "messages_sent": int(row["sent"])},
        }


def _grow_ring(tops: Any, venues: Any) -> Any:
    """Return a ring of twice the size with the same content."""
    size = tops.shape[1]
    larger = np.zeros((tops.shape[0], 2 * size), tops.dtype)
    for m, venue in enumerate(venues):
        for number in range(int(venue.tops_out) - 1, int(venue.tops_in)):  # from the one that we see
            larger[m, number & (2 * size - 1)] = tops[m, number & (size - 1)]
    return larger


def _accounts(rows: Any) -> list[dict[str, int]]:
    return [dict(zip(ACCOUNT.names or (), row, strict=True)) for row in rows.tolist()]


def _from_start(logs: Logs, start_ns: int) -> pl.DataFrame:
    """Return the touches from the start on; each market's first row is the one that held at the start."""
    mids = logs.frame("mids")
    before = mids.filter(pl.col("exch_ns") <= start_ns).group_by("market", maintain_order=True).last().select(mids.columns)
    return pl.concat([before, mids.filter(pl.col("exch_ns") > start_ns)])


@cache
def _versions() -> dict[str, str]:
    """Return what ran; looking it up takes milliseconds."""
    return {"python": platform.python_version(), **{name: version(name) for name in ("twosided", "numba", "numpy", "polars")}}
