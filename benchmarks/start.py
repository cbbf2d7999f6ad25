"""What a user waits for: `import twosided`, the first result with a cold and with a warm cache, and peak memory, a process each."""

import os
import resource
import statistics
import sys
import tempfile
import time

from _measure import child_seconds, report, run_child

EVENTS = 100_000


def first_result() -> None:
    """Replay a small feed with our engine, as the only thing of a process."""
    from _quoter import quoter  # noqa: PLC0415 - imports are part of what is measured
    from feeds import INSTRUMENT, generate  # noqa: PLC0415
    from twosided.engines.replay import replay  # noqa: PLC0415

    replay(generate(EVENTS), quoter, instruments=INSTRUMENT)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def peer_result() -> None:
    """Do the same with the peer."""
    from _peer import converted, run_peer  # noqa: PLC0415
    from _quoter import PARAMS  # noqa: PLC0415
    from feeds import INSTRUMENT, PRICE_RANGE, generate  # noqa: PLC0415

    run_peer(converted(generate(EVENTS), INSTRUMENT), INSTRUMENT, PARAMS, price_range=PRICE_RANGE)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def import_package() -> None:
    """Import the package and say how long it took."""
    began = time.perf_counter()
    import twosided  # noqa: F401, PLC0415

    print(time.perf_counter() - began)


def main() -> None:
    """Print a line each."""
    imports = [float(run_child(__file__, "import")) for _ in range(7)]
    report("import_twosided", statistics.median(imports), "s", "`import twosided` in a new process")
    with tempfile.TemporaryDirectory() as cache:
        ours = {**os.environ, "TWOSIDED_CACHE": cache}
        cold = child_seconds(__file__, "ours", environment=ours)
        warm = statistics.median(child_seconds(__file__, "ours", environment=ours) for _ in range(5))
        theirs = statistics.median(child_seconds(__file__, "peer", environment=ours) for _ in range(3))
        workload = f"whole process: import, make {EVENTS:,} events, replay them, end"
        report("first_result_cold", cold, "s", f"{workload}; nothing cached", theirs)
        report("first_result_warm", warm, "s", f"{workload}; machine code cached", theirs)
        memory = [int(run_child(__file__, who, environment=ours).split()[-1]) / 1024 for who in ("ours", "peer")]
        report("peak_memory", memory[0], "MiB", workload, memory[1])


if __name__ == "__main__":
    {"import": import_package, "ours": first_result, "peer": peer_result}.get(sys.argv[1] if len(sys.argv) > 1 else "", main)()
