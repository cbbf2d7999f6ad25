"""Path-steps per second of a simulation in the setting of Avellaneda and Stoikov (2008), beside a plain numpy loop.

A path-step is one step of one path: a Gaussian move of the mid, an order flow on each side, two quotes that depend on inventory
and time, fills, and the accounts. Ours counts more than the loop does: P&L and its parts, drawdown, Sharpe, inventory, spread. The
loop draws all paths of a step at once, as mbt_gym and notebooks do, in pieces that fit the cache. Processor time is measured on one
core, which other work may share; the line about two cores is wall time.
"""

import math
import os
import time
from typing import Any

from _measure import medians, on_one_core, report

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
ALL = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
on_one_core()

import numpy as np  # noqa: E402

from twosided.app.presets_avellaneda_stoikov import SETTINGS, paper_quoters  # noqa: E402
from twosided.engines.montecarlo import simulate  # noqa: E402
from twosided.engines.montecarlo_quoters import QuoteTable  # noqa: E402
from twosided.engines.montecarlo_settings import SimulationSettings  # noqa: E402
from twosided.strategies.contract import Param, quote_ask, quote_bid, strategy  # noqa: E402

PATHS, GAMMA = 100_000, 0.1
ASKED = SimulationSettings(**{**SETTINGS, "paths": PATHS})
TABLE = QuoteTable.of_function(paper_quoters(GAMMA, ASKED)["inventory"], ASKED)
PATH_STEPS = PATHS * ASKED.steps
_PIECE = 2000


def in_ticks(params: Any, instruments: Any, _memory: Any) -> None:
    """Work out, once, what does not change: the skew of a lot per second that is left, and the constant part of the half-spread."""
    tick, lot = float(instruments[0].tick_size), float(instruments[0].lot_size)
    params["risk"] = params["gamma"] * params["sigma"] ** 2 / tick
    params["skew"] = params["risk"] * lot
    params["half"] = math.log1p(params["gamma"] / params["k"]) / params["gamma"] / tick


@strategy(gamma=GAMMA, sigma=Param(), k=Param(), horizon_s=1.0, risk=0.0, skew=0.0, half=0.0, prepare=in_ticks)
def paper(ctx: Any) -> None:
    """Quote as the paper does, through the contract."""
    p, market = ctx.params, ctx.market[0]
    left = p.horizon_s - (ctx.now_ns - ctx.start_ns) * 1e-9
    mid = 0.5 * (market.bid_ticks + market.ask_ticks) - market.position_lots * (p.skew * left)
    away = 0.5 * (p.risk * left) + p.half
    quote_bid(ctx, 0, 0, mid - away, 1.0)
    quote_ask(ctx, 0, 0, mid + away, 1.0)


def numpy_loop(paths: int, seed: int) -> float:
    """Return the mean P&L of the same quotes."""
    rng, total = np.random.default_rng(seed), 0.0
    s = ASKED
    for _ in range(paths // _PIECE):
        mid, cash, q = np.full(_PIECE, s.price), np.zeros(_PIECE), np.zeros(_PIECE)
        for i in range(s.steps):
            left = s.horizon_s - i * s.step_s
            risk = GAMMA * s.sigma * s.sigma * left
            away = 0.5 * risk + math.log1p(GAMMA / s.k) / GAMMA
            bid, ask = away + q * risk, away - q * risk
            bought = rng.random(_PIECE) < s.A * s.step_s * np.exp(-s.k * bid)
            sold = rng.random(_PIECE) < s.A * s.step_s * np.exp(-s.k * ask)
            cash += sold * (mid + ask) - bought * (mid - bid)
            q += bought
            q -= sold
            mid += s.sigma * math.sqrt(s.step_s) * rng.standard_normal(_PIECE)
        total += float((cash + q * mid).sum())
    return total / paths


def seconds_of(quoter: Any, *, cores: int = 1, wall: bool = False) -> float:
    clock = time.perf_counter if wall else time.process_time
    began = clock()
    simulate({"quoter": quoter}, ASKED, cores=cores)
    return clock() - began


def loop_seconds() -> float:
    began = time.process_time()
    numpy_loop(PATHS, 1)
    return time.process_time() - began


def main() -> None:
    """Print three lines."""
    seconds_of(TABLE), seconds_of(paper)  # compile
    table, general, loop = medians(lambda: seconds_of(TABLE), lambda: seconds_of(paper), loop_seconds)
    workload = f"A-S 2008, {PATHS:,} paths of {ASKED.steps} steps, processor time of one core"
    rate = PATH_STEPS / loop
    report("montecarlo_table", PATH_STEPS / table, "path-steps/s", f"{workload}, quotes from a table", rate, peer="numpy loop")
    report("montecarlo_strategy", PATH_STEPS / general, "path-steps/s", f"{workload}, the contract", rate, peer="numpy loop")
    if CORES > 1:
        os.sched_setaffinity(0, ALL)
        one, two = medians(lambda: seconds_of(TABLE, wall=True), lambda: seconds_of(TABLE, cores=2, wall=True))
        report("montecarlo_two_cores", PATH_STEPS / two, "path-steps/s", "the same, wall time", PATH_STEPS / one, peer="one core")


if __name__ == "__main__":
    main()
