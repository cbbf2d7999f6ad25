"""Monte-Carlo simulation: quoters against a stochastic mid and order flow, over as many futures as one likes.

Where you are in the pipe: all of it: events -> strategy -> venue -> fills -> ledger -> explanation.

`simulate` cuts the paths into chunks, lets the loop of `twosided.engines.montecarlo_kernel` run each on whichever core is free, and
gathers them in order. Every random number is keyed by (seed, path, purpose, step): neither cores nor chunks change a result, and
all quoters of one call meet the same futures.
"""

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import INTERPRETED, address_of_array
from twosided.engines.montecarlo_flow import bracket_table, flow_record
from twosided.engines.montecarlo_kernel import DONE, advance
from twosided.engines.montecarlo_mid import mid_record
from twosided.engines.montecarlo_quoters import Prepared, Quoter, QuoteTable, named, prepared, settled
from twosided.engines.montecarlo_result import SAMPLE, Moments, Simulation
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.engines.montecarlo_world import COLUMNS, TRACE, WORLD
from twosided.errors import InputError, TwosidedError
from twosided.strategies.contract import Strategy
from twosided.strategies.diagnosis import failure
from twosided.units import NS_PER_SECOND

__all__ = ["simulate"]

Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]
_Chunk = tuple[Floats, Moments]

_BLOCK = 1024
"""Steps of the market that are made at a time: they stay in the processor's cache for all quoters."""

_CHUNK_STEPS, _MOST_PATHS = 1 << 19, 4096
"""Path-steps of a chunk, about: some hundredths of a second, so that threads which share the chunks end nearly together."""


def simulate(
    quoters: Quoter | Sequence[Quoter] | Mapping[str, Quoter],
    settings: SimulationSettings | None = None,
    *,
    mids: npt.ArrayLike | None = None,
    quantity: float = 1.0,
    keep_paths: int = 0,
    cores: int | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Let quoters live through simulated futures, all of them through the same ones.

    Args:
        quoters: one or several, by name if they are in a mapping. A `Strategy`, asked once a step, whose ``sigma``, ``A``, ``k``
            and ``horizon_s`` are the simulation's unless they are set; a `QuoteTable`; or a plain function
            ``(inventory, time_left) -> (bid distance, ask distance)`` in base units, seconds and price, None for no quote.
        settings: the market and what is assumed; `SimulationSettings` says what holds without them.
        mids: a recorded path of the mid, one price a step, instead of a random one; it sets the horizon.
        quantity: size of each quote of a table or function, base units; a strategy says its own.
        keep_paths: of how many paths, from the first on, every step is kept (`Simulation.trace`).
        cores: how many threads run; all there are, and one where Python decides for a strategy. No result depends on it.
        progress: called with (paths done, paths in all). A KeyboardInterrupt ends the simulation; what there is is returned.

    Returns:
        A `Simulation`.

    Raises:
        InputError: settings, tables or parameters that cannot be used.
        StrategyError: a strategy raised, or cannot be compiled.
    """
    settings, recorded = _market(settings or SimulationSettings(), mids)
    if not 0 <= keep_paths <= settings.paths:
        raise InputError(f"keep_paths is {keep_paths}; allowed: 0 to {settings.paths}, the number of paths")
    if cores is not None and cores < 1:
        raise InputError(f"cores is {cores}; allowed: at least 1")
    ready: dict[str, Quoter] = {}
    for name, quoter in named(quoters).items():
        if isinstance(quoter, Strategy):
            ready[name] = settled(quoter, settings, recorded=recorded is not None)
        else:
            ready[name] = quoter if isinstance(quoter, QuoteTable) else QuoteTable.of_function(quoter, settings, quantity)
    trace = np.zeros((keep_paths, len(ready), settings.steps, len(TRACE)))

    began = time.perf_counter()
    basis = prepared(ready, settings, quantity)

    def worker() -> _Worker:
        return _Worker(ready, basis, settings, recorded, trace)

    first = worker()
    params = first.params()
    moments, digest, done = Moments(len(ready) * len(COLUMNS)), hashlib.sha256(), 0
    sample = np.empty((min(settings.paths, SAMPLE), len(ready), len(COLUMNS)))
    try:
        for results, found in _chunks(settings, first, worker, cores):
            moments.merge(found)
            digest.update(results.astype("<f8", copy=False).reshape(-1).data)
            sample[done : done + len(results)] = results[: max(SAMPLE - done, 0)]
            done += len(results)
            if progress is not None:
                progress(done, settings.paths)
    except KeyboardInterrupt:
        if done == 0:
            raise
    return Simulation(
        names=tuple(ready),
        settings=settings,
        params=params,
        paths=done,
        sample=sample[:done],
        moments=moments,
        trace=trace[:done],
        digest=digest.hexdigest()[:32],
        seconds=time.perf_counter() - began,
        recorded=recorded is not None,
    )


def _market(settings: SimulationSettings, mids: npt.ArrayLike | None) -> tuple[SimulationSettings, Floats | None]:
    """Return the settings that take effect, and the recorded path if there is one."""
    if mids is None:
        return settings, None
    recorded = np.ascontiguousarray(mids, np.float64)
    if recorded.ndim != 1 or len(recorded) < 2 or not np.all(np.isfinite(recorded)):
        raise InputError(f"mids has shape {recorded.shape}; allowed: one row of at least two finite prices")
    horizon = (len(recorded) - 1) * settings.step_s
    return settings.model_copy(update={"horizon_s": horizon, "price": float(recorded[0]), "mid": "brownian"}), recorded


# ---------------------------------------------------------------- one thread's share


class _Worker:
    """The memory of one thread, and the loop in it."""

    def __init__(
        self,
        quoters: Mapping[str, Quoter],
        ready: Prepared,
        settings: SimulationSettings,
        recorded: Floats | None,
        trace: Floats,
    ) -> None:
        self.quoters, self.trace = list(quoters.items()), trace
        self.bound, self.brackets = ready.bound(), bracket_table(settings)
        self.recorded = np.zeros(0) if recorded is None else recorded
        self.world = np.repeat(_new_world(settings, recorded), ready.lanes)
        self.world["brackets"], self.world["recorded"] = address_of_array(self.brackets), address_of_array(self.recorded)
        block, ahead = int(self.world["block"][0]), settings.informed_steps
        numbers, self.kept = {"mids": block + ahead + 1, "jumps": block + ahead, "sells": block, "buys": block}, list[Any]()
        for name, count in numbers.items():
            for w in self.world:
                self.kept.append(np.zeros(count, np.float64 if name in {"mids", "jumps"} else np.int64))
                w[name] = address_of_array(self.kept[-1])

    @property
    def python(self) -> bool:
        """Whether Python decides for anybody."""
        return any(q["tabled"] == 0 and q["address"] == 0 for q in self.bound.quoters[0])

    def params(self) -> dict[str, dict[str, Any]]:
        """Return each strategy's parameters as they stand when it has prepared itself."""
        found: dict[str, dict[str, Any]] = {}
        for (name, quoter), row in zip(self.quoters, self.bound.rows[0], strict=True):
            found[name] = {}
            if isinstance(quoter, Strategy):
                for each, param in quoter.params.items():
                    value = row["params"][each].item()
                    found[name][each] = param.choices[value] if param.choices else value
        return found

    def run(self, first: int, count: int) -> _Chunk:
        """Return the figures of *count* paths from path *first* on, [path, quoter, `COLUMNS`], and their moments."""
        self.world["first_path"], self.world["paths"] = first, count
        for name in ("path", "step", "count", "quoter", "lane"):
            self.world[name] = 0
        results = np.empty((count, len(self.quoters), len(COLUMNS)))
        trace = self.trace[first : first + count]
        k = DONE
        while True:
            try:
                k = advance(self.world, self.bound.quoters, results, trace)
                if k == DONE:
                    return results, Moments.of(results.reshape(count, -1))
                self.quoters[k][1].function(self.bound.rows[0][k])  # type: ignore[union-attr]
            except (TwosidedError, KeyboardInterrupt):
                raise
            except Exception as error:
                raise self._blame(error) from error

    def _blame(self, error: Exception) -> Exception:
        k, alone, world = int(self.world["quoter"][0]), int(self.world["lane"][0]), self.world[0]
        quoter, q = self.quoters[k][1], self.bound.quoters[alone, k]
        if not isinstance(quoter, Strategy):
            return error
        step, lane = int(world["step"] + q["i"]), alone + int(q["asked"])
        when = f" in step {step} of path {int(world['first_path'] + world['path']) + lane}"
        return failure(quoter.name, quoter.function, error, self.bound.rows[lane][k], when)


def _new_world(settings: SimulationSettings, recorded: Floats | None) -> npt.NDArray[Any]:
    """Return the `WORLD` of *settings*."""
    world = np.zeros(1, WORLD)
    late = settings.latency / NS_PER_SECOND
    lot = float(settings.lot_size)
    mean_lots = 0.0 if settings.order_size is None else settings.order_size / lot
    values: dict[str, float] = {
        "seed": settings.seed,
        "steps": settings.steps,
        "block": max(min(_BLOCK, settings.steps), settings.informed_steps),
        "step_s": settings.step_s,
        "tick_size": float(settings.tick_size or 0),
        "lot_size": lot,
        "fee_rate": float(settings.maker_bps) * 1e-4,
        "fee_per_lot": float(settings.maker_per_unit) * lot,
        "size_decay": 0.0 if mean_lots == 0.0 else float(np.log1p(-1.0 / mean_lots)) if mean_lots > 1.0 else -1e300,
        "snipers": settings.snipers,
        "stale_share": min(late / settings.step_s, 1.0) ** 0.5,
        "stale_jumps": late > 0.0,
    }
    for name, value in (values | mid_record(settings, recorded) | flow_record(settings)).items():
        world[name] = value
    return world


# ---------------------------------------------------------------- all of them


def _chunks(settings: SimulationSettings, first: _Worker, new_worker: Callable[[], _Worker], cores: int | None) -> Iterator[_Chunk]:
    """Yield the figures of all chunks in order, each computed by whichever thread was free."""
    lanes = len(first.world)
    size = max(1, min(_MOST_PATHS, _CHUNK_STEPS // settings.steps) // lanes) * lanes
    starts = range(0, settings.paths, size)
    threads = 1 if INTERPRETED or first.python else min(cores or _cores(), len(starts))
    if threads == 1:
        for start in starts:
            yield first.run(start, min(size, settings.paths - start))
        return

    idle = deque([first])

    def run(start: int) -> _Chunk:
        try:
            worker = idle.popleft()
        except IndexError:
            worker = new_worker()
        try:
            return worker.run(start, min(size, settings.paths - start))
        finally:
            idle.append(worker)

    with ThreadPoolExecutor(threads) as pool:
        under_way: deque[Future[_Chunk]] = deque()
        try:
            for start in starts:
                under_way.append(pool.submit(run, start))
                if len(under_way) > 2 * threads:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
