"""Machine code of the replay, compiled on another core while this one does something else.

Where you are in the pipe: beside it. Compiling the replay takes as long as compiling and running the generator of markets; in its
first run on a machine the demo does both at once. What the other process compiles, this one then finds in the cache.
"""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context

import numpy as np

from twosided._compile import INTERPRETED, cache_folder
from twosided.app.config import StrategyConfig
from twosided.engines.replay import replay
from twosided.engines.replay_kernel import advance
from twosided.market.event import EVENT, Flag, Kind
from twosided.market.instrument import Instrument
from twosided.strategies.catalogue import find_strategy

__all__ = ["COMPILING", "compile_replay", "is_compiled", "warmed_up"]

COMPILING = "compiling the replay engine, once per machine: about half a minute"
"""What to say before the first replay."""

_INSTRUMENT = Instrument(symbol="WARM", tick_size="1", lot_size="1")  # type: ignore[arg-type]


def is_compiled() -> bool:
    """Say whether the cache has a replay; one of another version costs time, nothing else."""
    return INTERPRETED or any(cache_folder().glob(f"{advance.__name__}-*"))


@contextmanager
def warmed_up(strategies: Sequence[StrategyConfig]) -> Iterator[None]:
    """Compile the replay of *strategies* in another process during a with block, unless a replay was compiled before."""
    if is_compiled():
        yield
        return
    process = get_context("spawn").Process(target=compile_replay, args=(strategies,), daemon=True)
    process.start()
    try:
        yield
        process.join()
    finally:
        process.terminate()


def compile_replay(strategies: Sequence[StrategyConfig]) -> None:
    """Replay one event, so that all that *strategies* need is compiled; their values do not matter for that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that people see
    found = [find_strategy(each.name) for each in strategies]
    ready = [each.with_params(dict.fromkeys(each.missing, 1.0)) for each in found]
    events = np.zeros(1, EVENT).view(np.recarray)
    events["kind"], events["flags"] = Kind.DEPTH, Flag.LAST_OF_MESSAGE
    replay(events, ready, instruments=_INSTRUMENT)
