"""Events per second of a replay, and the peer's on the same feed with the same strategy: single core, warm, from memory.

Timed are the whole of `replay` (checks, books, fills with every rule, complete logs, the finished Run) and, for the peer, building
its backtest and running it: no fill, order or quote log, no partial fills.
"""

import time

from _measure import medians, on_one_core, report

on_one_core()  # before polars starts its threads

from _peer import converted, run_peer  # noqa: E402
from _quoter import PARAMS, quoter  # noqa: E402
from feeds import INSTRUMENT, PRICE_RANGE, generate  # noqa: E402
from twosided.engines.replay import replay  # noqa: E402
from twosided.engines.settings import ReplaySettings  # noqa: E402

REPEATS = 7


def main() -> None:
    """Print one line."""
    events = generate()
    rows = converted(events, INSTRUMENT)
    settings = ReplaySettings(queue="power:2")

    def ours() -> float:
        began = time.perf_counter()
        replay(events, quoter, instruments=INSTRUMENT, settings=settings)
        return time.perf_counter() - began

    def theirs() -> float:
        began = time.perf_counter()
        run_peer(rows, INSTRUMENT, PARAMS, price_range=PRICE_RANGE)
        return time.perf_counter() - began

    medians(ours, theirs, repeats=1)  # compile both
    seconds, peer_seconds = medians(ours, theirs, repeats=REPEATS)
    workload = f"{len(events):,} L2 events, seed 1, one bid and one ask every 100 ms, one core, warm; peer: ROI vector"
    report("replay_l2", len(events) / seconds, "events/s", workload, len(events) / peer_seconds)


if __name__ == "__main__":
    main()
