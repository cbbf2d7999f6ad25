"""Events per second of a replay order by order, and the peer's on the same session with the same strategy.

Single core, warm, from memory. Timed are the whole of `replay` (checks, book, exact queues, all logs, the finished Run) and, for
the peer, building its backtest with first-in-first-out queues and running it: no fill, order or quote log, no partial fills. Both
rates count the events of our feed; the peer is told a fill, and what it leaves of the order, in two rows.

Once with a decision every 3.5 s, which is every 140 events as in `replay_l2.py`, and once every 100 ms, every 4 events: that is
mostly the cost of decisions and orders.
"""

import time
from functools import partial

from _measure import medians, on_one_core, report

on_one_core()  # before polars starts its threads

from _peer import converted_by_order, run_peer  # noqa: E402
from _quoter import quoter  # noqa: E402
from twosided.engines.flow import generate_market  # noqa: E402
from twosided.engines.replay import replay  # noqa: E402

PARAMS = {"half_spread_ticks": 0.5, "skew_ticks": 0.1, "quantity": 1.0, "most_quantities": 10.0}
EVERY_NS = {"replay_l3": 3_500_000_000, "replay_l3_busy": 100_000_000}
REPEATS = 7


def main() -> None:
    """Print two lines."""
    events, instrument = generate_market(seed=1, by_order=True)
    rows = converted_by_order(events, instrument)
    prices = rows["px"][rows["px"] > 0]
    price_range = (float(prices.min()) - 1, float(prices.max()) + 1)

    def ours(every_ns: int) -> float:
        began = time.perf_counter()
        replay(events, quoter.with_params(PARAMS)._replace(every_ns=every_ns), instruments=instrument)
        return time.perf_counter() - began

    def theirs(every_ns: int) -> float:
        began = time.perf_counter()
        run_peer(rows, instrument, PARAMS, price_range=price_range, queue="fifo", every_ns=every_ns)
        return time.perf_counter() - began

    for name, every_ns in EVERY_NS.items():
        both = partial(ours, every_ns), partial(theirs, every_ns)
        medians(*both, repeats=1)  # compile both
        seconds, peer_seconds = medians(*both, repeats=REPEATS)
        workload = (
            f"{len(events):,} L3 events, generated session of 6.5 h, one bid and one ask every {every_ns / 1e9} s, one core, warm"
        )
        report(name, len(events) / seconds, "events/s", workload, len(events) / peer_seconds)


if __name__ == "__main__":
    main()
