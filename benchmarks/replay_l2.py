"""Events per second of a replay, and the peer's on the same feed with the same strategy: single core, warm, from memory.

Timed are the whole of `replay` (checks, books, fills with every rule, the finished Run) and, for the peer, building its backtest
and running it. Equal work: fills, equity and every touch are logged here, and nothing by the peer. The lines named `complete_logs`
are what `replay` does unless told otherwise: every order, quote and decision as well.

Once with a decision every 100 ms, and once with one after every event: there each event is a message of its own, since the peer
wakes for every event, and strategies here for whole messages only.
"""

import time
from functools import partial

import numpy as np

from _measure import medians, on_one_core, report

on_one_core()  # before polars starts its threads

from _peer import converted, run_peer  # noqa: E402
from _quoter import PARAMS, quoter  # noqa: E402
from feeds import INSTRUMENT, PRICE_RANGE, generate  # noqa: E402
from twosided.engines.replay import replay  # noqa: E402
from twosided.engines.settings import ReplaySettings  # noqa: E402
from twosided.market.event import Events, Flag  # noqa: E402
from twosided.strategies.contract import Strategy, Wake  # noqa: E402

REPEATS = 7


def main() -> None:
    """Print four lines."""
    events = generate()
    compare("replay_l2", events, quoter, 100_000_000, "every 100 ms")
    events["flags"] |= np.uint8(Flag.LAST_OF_MESSAGE)
    compare("replay_l2_every_event", events, quoter._replace(wake=Wake.BOOK | Wake.TRADE), 0, "after every event")


def compare(name: str, events: Events, strategy: Strategy, every_ns: int, when: str) -> None:
    """Print a line for each kind of log."""
    rows = converted(events, INSTRUMENT)
    fills_only, complete = ReplaySettings(queue="power:2", log=()), ReplaySettings(queue="power:2")
    kinds = {name: fills_only, f"{name}_complete_logs": complete}

    def ours(settings: ReplaySettings) -> float:
        began = time.perf_counter()
        replay(events, strategy, instruments=INSTRUMENT, settings=settings)
        return time.perf_counter() - began

    def theirs() -> float:
        began = time.perf_counter()
        run_peer(rows, INSTRUMENT, PARAMS, price_range=PRICE_RANGE, every_ns=every_ns)
        return time.perf_counter() - began

    runs = (*(partial(ours, settings) for settings in kinds.values()), theirs)
    medians(*runs, repeats=1)  # compile all
    *seconds, peer_seconds = medians(*runs, repeats=REPEATS)
    workload = f"{len(events):,} L2 events, seed 1, one bid and one ask {when}, one core, warm; peer: ROI vector, no logs"
    for kind, value in zip(kinds, seconds, strict=True):
        report(kind, len(events) / value, "events/s", workload, len(events) / peer_seconds)


if __name__ == "__main__":
    main()
