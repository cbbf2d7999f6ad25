"""Replay of more events than fit into memory: events per second and the most memory that the process ever held.

The feed of 5 million events is written one after the other, each time with a cleared book and later, to a stored file in a
temporary folder: five bytes an event. A process of its own then looks over the file, replays it with complete logs and takes the
digest. It takes minutes; `EVENTS=20000000 python benchmarks/stream.py` asks for another number of events than 200 million.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from _measure import report, run_child
from _quoter import quoter
from feeds import EVENTS, INSTRUMENT, generate
from twosided.data.store import Header, write_store
from twosided.data.streaming import stream
from twosided.engines.replay import replay
from twosided.engines.settings import ReplaySettings
from twosided.market.event import Events, Flag, Kind

SECOND = 1_000_000_000


def main() -> None:
    """Print three lines."""
    times = max(int(os.environ.get("EVENTS", "200000000")) // EVENTS, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed.parquet"
        events = write(path, times)
        looked, replayed, peak = (float(word) for word in run_child(__file__, str(path)).split())
    workload = f"{events:,} events streamed from Parquet, complete logs and digest, one bid and one ask every 100 ms"
    report("stream_look_over", events / looked, "events/s", workload)
    report("stream_replay", events / replayed, "events/s", workload)
    report("stream_peak_memory", peak, "MiB", workload)


def write(path: Path, times: int) -> int:
    """Write the feed *times* times and return how many events that is."""
    feed = generate()
    clear = feed[:1].copy()
    clear["kind"], clear["side"], clear["lots"], clear["flags"] = Kind.CLEAR, 0, 0, np.uint8(Flag.LAST_OF_MESSAGE)
    once = np.concatenate([clear, feed])
    length = (int(once["local_ns"][-1] - once["exch_ns"][0]) // SECOND + 1) * SECOND

    def days() -> Iterator[Events]:
        for day in range(times):
            events = once.copy()
            events["exch_ns"] += day * length
            events["local_ns"] += day * length
            yield events

    header = Header(
        instruments=(INSTRUMENT,),
        events=times * len(once),
        clock_offset_ns=0,
        min_latency_ns=int((once["local_ns"] - once["exch_ns"]).min()),
        names=("generated",),
        source_format="generated",
        defects={},
        notes=(),
        inferred="",
    )
    write_store(path, header, days())
    return times * len(once)


def child(path: str) -> None:
    """Print the seconds of both passes and the peak of memory in MiB."""
    began = time.perf_counter()
    recording = stream(path)
    looked = time.perf_counter() - began
    began = time.perf_counter()
    replay(recording, quoter, settings=ReplaySettings(queue="power:2")).digest()
    print(looked, time.perf_counter() - began, peak_mib())


def peak_mib() -> float:
    """Return the most memory this process held; what getrusage says includes the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


if __name__ == "__main__":
    child(sys.argv[1]) if len(sys.argv) > 1 else main()
