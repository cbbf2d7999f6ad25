"""Events per second of a replay, and the peer's on the same feed with the same strategy: single core, warm, from memory.

Timed are the whole of `replay` (checks, books, fills with every rule, complete logs, the finished Run) and, for the peer, building
its backtest and running it: no fill, order or quote log, no partial fills.

Once with a decision every 100 ms, and once with one after every event: there each event is a message of its own, since the peer
wakes for every event, and strategies here for whole messages only.
"""

import time

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
EVERY_EVENT = 1_000_000  # events that are each a decision: it takes ten times as long


def main() -> None:
    """Print two lines."""
    events = generate()
    compare("replay_l2", events, quoter, 100_000_000, "every 100 ms")
    each = events[:EVERY_EVENT].copy()
    each["flags"] |= np.uint8(Flag.LAST_OF_MESSAGE)
    compare("replay_l2_every_event", each, quoter._replace(wake=Wake.BOOK | Wake.TRADE), 0, "after every event")


def compare(name: str, events: Events, strategy: Strategy, every_ns: int, when: str) -> None:
    """Print one line."""
    rows = converted(events, INSTRUMENT)
    settings = ReplaySettings(queue="power:2")

    def ours() -> float:
        began = time.perf_counter()
        replay(events, strategy, instruments=INSTRUMENT, settings=settings)
        return time.perf_counter() - began

    def theirs() -> float:
        began = time.perf_counter()
        run_peer(rows, INSTRUMENT, PARAMS, price_range=PRICE_RANGE, every_ns=every_ns)
        return time.perf_counter() - began

    medians(ours, theirs, repeats=1)  # compile both
    seconds, peer_seconds = medians(ours, theirs, repeats=REPEATS)
    workload = f"{len(events):,} L2 events, seed 1, one bid and one ask {when}, one core, warm; peer: ROI vector"
    report(name, len(events) / seconds, "events/s", workload, len(events) / peer_seconds)


if __name__ == "__main__":
    main()
