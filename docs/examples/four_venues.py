"""Does quoting at four venues help? One generated session, the published settings, and all of the size at each venue alone.

python docs/examples/four_venues.py 3600 1
"""

import sys

import polars as pl

from twosided import Fees, Recording, find_strategy, generate_venues, replay, split

FEES = [Fees(maker_per_unit=fee) for fee in ("-0.0020", "-0.0025", "-0.0015", "0")]


def main(seconds, seed):
    events, instruments = generate_venues(seed, seconds, shares=(0.25, 0.30, 0.20, 0.15), fees=FEES)
    recording = Recording(events, instruments, 0, 500_000)
    half = {"half_spread": 1.5, "unit": "ticks"}
    four = find_strategy("four-venues").with_params(half)
    alone = [
        four.with_params({f"fill_rate_{m}": 1e-6 if m != only else 1.0 for m in range(4)}, least_quantity=0) for only in range(4)
    ]
    runs = replay(recording, [four, *alone])
    for name, run in zip(["four", *(f"only {each.venue}" for each in instruments)], runs, strict=True):
        parts = {}
        for one in split(run):
            for part, money in one.amounts().items():
                parts[part] = parts.get(part, 0) + money
        lots = run.fills.group_by("market").agg(pl.col("lots").sum()).sort("market")["lots"].to_list()
        amounts = {part: float(round(money, 2)) for part, money in parts.items()}
        sys.stdout.write(f"{name:13} {lots} {amounts}\n")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
