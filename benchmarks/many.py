"""What one of 64 strategies in one pass costs, against a pass of its own, and against the peer, which has no other way.

Single core, warm, from memory, the whole of `replay`. The 64 differ in half-spread (0.5 to 4 ticks) and skew (0.05 to 0.5 ticks per
quantity held); of the separate runs eight of the 64 are timed. Both with complete logs and with fills and equity only, which is
what a search reads. The peer's rate is that of its fastest book with one of them. Last, with all cores, wall time.
"""

import os
import time
from functools import partial
from statistics import mean

import numpy as np

from _measure import medians, on_one_core, report

CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
on_one_core()  # before polars starts its threads

from _peer import converted, run_peer  # noqa: E402
from _quoter import PARAMS, quoter  # noqa: E402
from feeds import INSTRUMENT, PRICE_RANGE, generate  # noqa: E402
from twosided.engines.replay import replay  # noqa: E402
from twosided.engines.settings import ReplaySettings  # noqa: E402

K, REPEATS = 64, 3
LOGS = {"many": ("orders", "quotes", "decisions"), "many_fills_only": ()}


def main() -> None:
    """Print a line for each kind of log: the ratio is that of the cost per strategy; then the peer's, and that of all cores."""
    events = generate()
    steps = zip(np.linspace(0.5, 4, K), np.linspace(0.05, 0.5, K), strict=True)
    strategies = [quoter.with_params(PARAMS | {"half_spread_ticks": half, "skew_ticks": skew}) for half, skew in steps]

    def together(settings: ReplaySettings, cores: int = 1) -> float:
        began = time.perf_counter()
        replay(events, strategies, instruments=INSTRUMENT, settings=settings, cores=cores)
        return time.perf_counter() - began

    def alone(settings: ReplaySettings) -> float:
        seconds = []
        for strategy in strategies[:: K // 8]:
            began = time.perf_counter()
            replay(events, strategy, instruments=INSTRUMENT, settings=settings)
            seconds.append(time.perf_counter() - began)
        return mean(seconds)

    for name, log in LOGS.items():
        settings = ReplaySettings(queue="power:2", log=log)
        both = partial(together, settings), partial(alone, settings)
        medians(*both, repeats=1)
        seconds, one = medians(*both, repeats=REPEATS)
        workload = (
            f"{len(events):,} L2 events x {K} strategies in one pass, cost per strategy against separate runs, one core, warm"
        )
        report(name, K * len(events) / seconds, "strategy-events/s", workload, len(events) / one, peer="twosided, one by one")
    rows = converted(events, INSTRUMENT)

    def theirs() -> float:
        began = time.perf_counter()
        run_peer(rows, INSTRUMENT, PARAMS, price_range=PRICE_RANGE)
        return time.perf_counter() - began

    theirs()
    seconds, peer_seconds = medians(partial(together, settings), theirs, repeats=REPEATS)
    workload = (
        f"{len(events):,} L2 events x {K} strategies, fills and equity, against {K} runs of the peer (no logs), one core, warm"
    )
    report("many_peer", K * len(events) / seconds, "strategy-events/s", workload, len(events) / peer_seconds)
    if len(CORES) > 1:
        os.sched_setaffinity(0, CORES)
        seconds, all_seconds = medians(partial(together, settings), partial(together, settings, len(CORES)), repeats=REPEATS)
        rate, workload = (
            K * len(events) / seconds,
            f"{len(events):,} L2 events x {K} strategies, fills and equity, {len(CORES)} cores",
        )
        report("many_all_cores", K * len(events) / all_seconds, "strategy-events/s", workload, rate, peer="one core")


if __name__ == "__main__":
    main()
