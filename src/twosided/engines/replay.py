"""Replay of recorded order books, in memory or streamed: one pass through the data for any number of strategies.

Where you are in the pipe: the front door to all of it. Here is checked what is asked for; `replay_pass` does it.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from twosided.engines.replay_feed import Recorded
from twosided.engines.replay_pass import Pass, Progress
from twosided.engines.settings import ReplaySettings
from twosided.errors import InputError
from twosided.execution.wire import MOST_STRATEGIES
from twosided.market.event import BOOK_KINDS, BY_ORDER, EVENT, Events, Kind
from twosided.market.instrument import Instrument
from twosided.market.run import Run
from twosided.market.survey import Survey, survey
from twosided.strategies.contract import Strategy

__all__ = ["PER_STRATEGY", "Progress", "Recorded", "replay"]

FEWEST_A_CORE = 8
"""Strategies that are worth a core of their own: with fewer, rebuilding the books again costs more than is gained."""

PER_STRATEGY = ("entry_latency", "response_latency", "queue", "partial_fills", "limits")
"""Settings that may differ between the strategies of one pass; the others belong to the market that they share."""

_LATENCIES = dict.fromkeys(("entry_latency", "response_latency"))
_SAME = {name: ReplaySettings.model_fields[name].default for name in PER_STRATEGY}


@dataclass(frozen=True)
class _Bare:
    """Events that come without a file."""

    events: Events
    instruments: tuple[Instrument, ...]

    def chunks(self) -> Iterator[Events]:
        yield self.events

    def survey(self) -> Survey:
        return survey(self.events, len(self.instruments))

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
    cores: int | None = None,
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
    cores: int | None = None,
    progress: Progress | None = None,
) -> list[Run]: ...
def replay(
    data: Recorded | Events,
    strategies: Strategy | Sequence[Strategy],
    *,
    instruments: Sequence[Instrument] | Instrument | None = None,
    settings: ReplaySettings | Sequence[ReplaySettings] | None = None,
    start_ns: int | None = None,
    cores: int | None = None,
    progress: Progress | None = None,
) -> Run | list[Run]:
    """Replay recorded events through one strategy, or through several at once.

    Args:
        data: a recording (`twosided.load`), one that is read as it is replayed (`twosided.stream`), or an array of `EVENT`
            together with *instruments*.
        strategies: one, or a list: the books are rebuilt once for all of them, and each result is that of its own separate run.
        instruments: for events without a recording.
        settings: latencies, queue model and order handling; `ReplaySettings` says what is assumed without it. A list has those of
            each strategy: one pass serves all that differ in `PER_STRATEGY` only.
        start_ns: strategies are asked from this time on (our clock); the book is built from the beginning.
        cores: how many threads share the strategies of a recording in memory, `FEWEST_A_CORE` or more each; all there are unless
            it is said. No result depends on it.
        progress: called with (events done, events in all) a few times a second; where strategies cannot share a pass, all events
            count once for each pass. A KeyboardInterrupt stops the run, which is then returned as far as it got, with
            ``facts["complete"]`` False; as fills do, its order log may tell of reports that were still on their way to us.

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
    if len(asked) > MOST_STRATEGIES:
        raise InputError(f"strategies are {len(asked):,}; allowed: up to {MOST_STRATEGIES:,}")
    assumed = _settings_of(settings, len(asked))
    _require_markets(asked, assumed, len(recorded.instruments))
    passes: dict[Any, list[int]] = {}  # one for all that have as many quote levels and assume the same of the market
    kinds = _kinds_of(assumed)
    for i, (strategy, its) in enumerate(zip(asked, assumed, strict=True)):
        passes.setdefault((strategy.levels, kinds[id(its)]), []).append(i)
    if cores is not None and cores < 1:
        raise InputError(f"cores is {cores}; allowed: 1 or more")
    threads = (cores or os.cpu_count() or 1) if hasattr(recorded, "events") else 1  # a stream is read once at a time
    runs: dict[int, Run] = {}
    for number, chosen in enumerate(passes.values()):
        groups = _shared_out(chosen, min(threads, len(chosen) // FEWEST_A_CORE))
        started = [Pass(recorded, [asked[i] for i in group], [assumed[i] for i in group], start_ns, found) for group in groups]
        for group, finished in zip(groups, _side_by_side(started, _of_all(progress, number, len(passes))), strict=True):
            runs |= dict(zip(group, finished, strict=True))
    return runs[0] if isinstance(strategies, Strategy) else [runs[i] for i in range(len(asked))]


def _of_all(progress: Progress | None, number: int, count: int) -> Progress | None:
    """Return what pass *number* of *count*, one after the other, reports to, so that *progress* hears of all of them as one."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, count * total)


def _shared_out(items: list[int], parts: int) -> list[list[int]]:
    """Return *items* in *parts* of about one size, at least one."""
    return [list(part) for part in np.array_split(items, max(parts, 1))]


def _side_by_side(passes: list[Pass], progress: Progress | None) -> list[list[Run]]:
    """Run *passes* in a thread each, the first in this one, which alone reports progress; when it is stopped, all stop."""
    stopped = threading.Event()

    def until_stopped(_done: int, _total: int) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt

    with ThreadPoolExecutor(max(len(passes) - 1, 1)) as pool:
        others = [pool.submit(each.run, until_stopped) for each in passes[1:]]
        try:
            first = passes[0].run(progress)
        except BaseException:
            stopped.set()
            raise
        if not first[0].facts["complete"]:
            stopped.set()
        return [first, *(other.result() for other in others)]


def _kinds_of(assumed: Sequence[ReplaySettings]) -> dict[int, int]:
    """Return a number for each of *assumed*, by `id`: the same for those that assume the same of the market."""
    numbers: dict[ReplaySettings, int] = {}
    distinct = {id(each): each for each in assumed}
    return {key: numbers.setdefault(_of_the_market(each), len(numbers)) for key, each in distinct.items()}


def _of_the_market(settings: ReplaySettings) -> ReplaySettings:
    """Return *settings* without what may differ between the strategies of one pass."""
    markets = tuple(each.model_copy(update=_LATENCIES) for each in settings.markets)
    return settings.model_copy(update={**_SAME, "markets": markets})


def _settings_of(settings: ReplaySettings | Sequence[ReplaySettings] | None, count: int) -> list[ReplaySettings]:
    """Return the settings of each of *count* strategies."""
    if settings is None or isinstance(settings, ReplaySettings):
        return [settings or ReplaySettings()] * count
    if len(settings) != count:
        raise InputError(
            f"settings are a list of {len(settings)}; allowed: one for all strategies, or as many as there are ({count})"
        )
    return list(settings)


def _require_markets(strategies: Sequence[Strategy], assumed: Sequence[ReplaySettings], markets: int) -> None:
    """Refuse what is said of markets that are not there."""
    for strategy in strategies:
        for market in strategy.hedges:
            if not 0 <= market < markets:
                raise InputError(f"strategy {strategy.name} hedges in market {market}; allowed here: 0 to {markets - 1}")
    for settings in assumed:
        if len(settings.markets) > markets:
            raise InputError(f"settings.markets has {len(settings.markets)} entries; allowed: up to one per market ({markets})")


def _recorded(data: Recorded | Events, instruments: Sequence[Instrument] | Instrument | None) -> tuple[Recorded, Survey]:
    """Check what is to be replayed, and return it with what one look over its events found."""
    if isinstance(data, np.ndarray):
        if instruments is None:
            raise InputError("instruments is missing; an array of events must come with the instruments of its markets")
        if data.dtype != EVENT:
            raise InputError(f"events have dtype {data.dtype}; allowed: twosided.market.event.EVENT")
        data = _Bare(data, (instruments,) if isinstance(instruments, Instrument) else tuple(instruments))
    found = data.survey()
    if found.events == 0:
        raise InputError("there are no events; nothing can be replayed")
    if found.local_backwards:
        raise InputError("events are not in the order of local_ns; sort them, or read them with twosided.load")
    if found.most_market >= len(data.instruments):
        raise InputError(f"events refer to market {found.most_market}; allowed: 0 to {len(data.instruments) - 1}")
    for market, kinds in enumerate(found.kinds):
        _require_kinds(market, data.instruments[market].symbol, kinds)
    for instrument, ticks, lots in zip(data.instruments, found.most_ticks, found.most_lots, strict=True):
        instrument.require_headroom(ticks, lots)
    return data, found


def _require_kinds(market: int, symbol: str, kinds: frozenset[int]) -> None:
    """Refuse a market whose events are not those of one book."""
    if not kinds & BOOK_KINDS:
        problem = f"market {market} ({symbol}) is recorded without a book"
        raise InputError(f"{problem}; a replay needs the changes of one, beside its trades where there are any")
    if kinds - set(Kind):
        raise InputError(f"events of market {market} are of a kind that is not known; allowed: those of twosided.market.event.Kind")
    if Kind.DEPTH in kinds and kinds & BY_ORDER:
        problem = f"market {market} is recorded both by level and order by order"
        raise InputError(f"{problem}; expected DEPTH events, or ADD, MODIFY, CANCEL and FILL")
