"""How wrong queue models are, on the recordings at hand: prints the tables of docs/queue-models.md.

Not a matter of speed, but like the other scripts here it takes minutes and its result goes into the docs.
"""

import argparse
from pathlib import Path

from twosided.data.recording import load
from twosided.engines.flow import generate_market
from twosided.explain.markouts import Band
from twosided.research.queue_study import MODELS, QueueStudy, queue_study
from twosided.units import duration_ns, moment_ns

RECORDINGS = (  # file below the data folder, first probe, wait
    ("databento/esh4-glbx-mdp3-20231225.mbo.dbn.zst", "2023-12-25T23:00", "10s"),
    ("lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip", "1m", "10s"),
    ("lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip", "1m", "10s"),
    ("itch/aapl_20191230_0935.itch50", "10s", "2s"),
)
SHOWN = [
    model
    for model in MODELS
    if model in {"conservative", "log", "power:0.5", "power:1", "power:2", "power:3", "power:5", "power:10"}
]


def band(value: Band, scale: float, digits: int) -> str:
    """Return a mean and its band."""
    if value.mean is None or value.low is None or value.high is None:
        return "–"
    return f"{scale * value.mean:+.{digits}f} [{scale * value.low:+.{digits}f}, {scale * value.high:+.{digits}f}]"


def show(title: str, study: QueueStudy) -> None:
    """Print one study as a table."""
    print(f"\n### {title}\n")
    print(
        f"{study.probes:,} orders, {study.wait_s:g} s each; in truth {study.filled:.2%} fill, mean wait {study.mean_wait_s:.3f} s. "
        f"Best exponent {study.exponent.best:g} [{study.exponent.low:g}, {study.exponent.high:g}].\n"
    )
    print("| model | filled | error, % points | error of the mean wait, s | rms error of a wait, s | end alike |")
    print("|---|---|---|---|---|---|")
    for model in study.models:
        if model.model in SHOWN:
            print(
                f"| {model.model} | {model.filled:.2%} | {band(model.filled_error, 100, 2)} | {band(model.wait_error_s, 1, 3)} "
                f"| {model.wait_rms_error_s:.3f} | {model.alike:.2%} |"
            )


def main() -> None:
    """Study the generated session, then each recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the recordings")
    folder = parser.parse_args().data
    show("Generated session, 6.5 h", queue_study(*generate_market(seed=1, by_order=True)))
    for name, start, wait in RECORDINGS:
        recording = load(folder / name)
        study = queue_study(
            recording.events,
            recording.instruments[0],
            wait_ns=duration_ns(wait),
            start_ns=moment_ns(start, int(recording.events["local_ns"][0])),
        )
        show(f"{study.instrument}, `{Path(name).name}`", study)


if __name__ == "__main__":
    main()
