"""Events per second of a replay of several markets, against one market of as many events: single core, warm, from memory.

Each market is a feed of its own, and one strategy quotes in all of them: per event there are as many quotes, orders and fills to
manage as with one market. Timed is the whole of `replay`. The ratio is that of the two rates of one run of this script.
"""

import math
import time
from typing import Any

import numpy as np

from _measure import medians, on_one_core, report

on_one_core()  # before polars starts its threads

from _quoter import PARAMS  # noqa: E402
from feeds import EVENTS, INSTRUMENT, generate  # noqa: E402
from twosided.data.combine import combine  # noqa: E402
from twosided.data.recording import Recording  # noqa: E402
from twosided.engines.replay import Recorded, replay  # noqa: E402
from twosided.engines.settings import ReplaySettings  # noqa: E402
from twosided.strategies.contract import quote_ask, quote_bid, strategy  # noqa: E402

REPEATS = 7
MARKETS = (2, 4, 8)


@strategy(**PARAMS)
def quoter(ctx: Any) -> None:
    """Do in every market what the benchmarks' quoter does in one."""
    params = ctx.params
    for m in range(ctx.quotes.shape[0]):
        market = ctx.market[m]
        held = market.position_lots * market.lot_size / params.quantity
        fair = 0.5 * (market.bid_ticks + market.ask_ticks) - params.skew_ticks * held
        bid = min(math.floor(fair - params.half_spread_ticks), market.bid_ticks)
        ask = max(math.ceil(fair + params.half_spread_ticks), market.ask_ticks)
        quote_bid(ctx, m, 0, float(bid), params.quantity if held < params.most_quantities - 0.5 else 0.0)
        quote_ask(ctx, m, 0, float(ask), params.quantity if held > 0.5 - params.most_quantities else 0.0)


def recordings(count: int, events: int) -> Recorded:
    """Return *count* markets of *events* in all."""
    parts = []
    for number in range(count):
        instrument = INSTRUMENT.model_copy(update={"symbol": f"GENERATED{number}"})
        parts.append(Recording(generate(events // count, seed=1 + number), (instrument,), 0, 0))
    return combine(parts) if count > 1 else parts[0]


def main() -> None:
    """Print one line per number of markets."""
    settings = ReplaySettings(queue="power:2")

    def seconds(data: Recorded) -> float:
        began = time.perf_counter()
        replay(data, quoter, settings=settings)
        return time.perf_counter() - began

    one = recordings(1, EVENTS)
    for count in MARKETS:
        several = recordings(count, EVENTS)
        (merged,) = several.chunks()
        runs = (lambda: seconds(one), lambda: seconds(several))  # noqa: B023 - called before the next turn of the loop
        medians(*runs, repeats=1)  # compile
        alone, together = medians(*runs, repeats=REPEATS)
        workload = (
            f"{len(merged):,} L2 events in all, a bid and an ask in each market every 100 ms, one core, warm; peer: one market"
        )
        rates = len(merged) / together, len(np.concatenate(list(one.chunks()))) / alone
        report(f"replay_{count}_markets", rates[0], "events/s", workload, rates[1], peer="one market")


if __name__ == "__main__":
    main()
