"""What all benchmarks share: one core, alternating runs, medians, one JSON line each."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["PEER", "REPEATS", "child_seconds", "medians", "on_one_core", "report", "run_child"]

REPEATS = 5
"""Runs of which the median is taken, at least."""

PEER = "hftbacktest 2.4.4"


def on_one_core() -> None:
    """Keep this process, and the processes it starts, on one core; call it before libraries count the cores for their threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def medians(*runs: Callable[[], float], repeats: int = REPEATS) -> list[float]:
    """Return the median of what each of *runs* returned, called in turn: what slows the machine down for a while hits all alike."""
    results = [[run() for run in runs] for _ in range(repeats)]
    return [statistics.median(values) for values in zip(*results, strict=True)]


def run_child(script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a benchmark's own file in a process of its own and return what it printed."""
    command = [sys.executable, str(Path(script).resolve()), *arguments]
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def child_seconds(script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> float:
    """Return the wall time of such a process, start and end of the interpreter included."""
    began = time.perf_counter()
    run_child(script, *arguments, environment=environment)
    return time.perf_counter() - began


def report(name: str, value: float, unit: str, workload: str, peer_value: float | None = None, *, peer: str = PEER) -> None:
    """Print one benchmark's line; ``ratio`` is always value / peer_value, so below 1 is good where the unit is a time or a size."""
    line = {
        "name": name,
        "value": float(f"{value:.4g}"),
        "unit": unit,
        "peer": peer if peer_value is not None else None,
        "peer_value": float(f"{peer_value:.4g}") if peer_value is not None else None,
        "ratio": float(f"{value / peer_value:.3g}") if peer_value is not None else None,
        "workload": workload,
    }
    print(json.dumps(line), flush=True)
