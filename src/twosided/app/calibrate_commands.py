"""``twosided calibrate``: what data says about the assumptions of a replay.

Where you are in the pipe: beside it; a thin layer over `twosided.research`.
"""

from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from twosided.app.config import DataConfig, Draft, InstrumentConfig
from twosided.app.console import ReadingProgress, print_json, print_table
from twosided.app.options import DATA, put_given, with_settings
from twosided.data.recording import load
from twosided.errors import InputError
from twosided.explain.markouts import Band
from twosided.research.queue_study import QueueStudy, queue_study
from twosided.units import duration_ns, moment_ns

__all__ = ["calibrate"]


@click.group()
def calibrate() -> None:
    """Find what a replay should assume."""


@with_settings(*DATA)
@calibrate.command(short_help="how wrong each queue model is, and the exponent that is least so")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--wait", default="10s", show_default=True, metavar="TIME", help="how long an order waits before it is cancelled")
@click.option("--latency", default="1ms", show_default=True, metavar="TIME", help="of orders and reports")
@click.option("--start", metavar="TIME", help="when the first order is sent: a UTC time as 2023-12-25T23:00, or a duration as 10m")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def queue(files: tuple[str, ...], wait: str, latency: str, start: str | None, as_json: bool, **values: Any) -> None:
    """Measure queue models where the truth is known.

    FILE is recorded order by order. Orders of one lot join the best price again and again; the recording says exactly when they
    would have filled. The same orders in the same market by level show how wrong each guess of the place in the queue is.
    """
    draft = Draft()
    draft.put(("data", "files"), files, "FILE")
    put_given(draft, DATA, values)
    read, said = draft.section("data", DataConfig), draft.section("instrument", InstrumentConfig)
    recording = load(
        read.files,
        format=read.format,
        date=read.date,
        symbol=said.symbol,
        tick_size=said.tick_size,
        lot_size=said.lot_size,
        min_latency_ns=read.min_latency,
        clock_offset_ns=read.clock_offset_ns,
    )
    if len(recording.instruments) > 1:
        raise InputError(f"the recording holds {len(recording.instruments)} markets; choose one with --symbol")
    with ReadingProgress("replay").shown() as progress:
        study = queue_study(
            recording.events,
            recording.instruments[0],
            wait_ns=duration_ns(wait, name="--wait"),
            latency_ns=duration_ns(latency, name="--latency"),
            start_ns=None if start is None else moment_ns(start, int(recording.events["local_ns"][0]), name="--start"),
            progress=lambda done, total: progress(done / total),
        )
    if as_json:
        print_json(asdict(study))
        return
    print_table(_table(study))
    click.echo(_sentence(study))


def _table(study: QueueStudy) -> Table:
    table = Table(
        title=f"{study.instrument}: {study.probes:,} orders of one lot at the best price, {study.wait_s:g} s each",
        caption="errors are model minus truth [95 % band]; a wait ends with the fill or the cancel",
        show_edge=False,
    )
    for heading in ("queue model", "filled", "error, % points", "mean wait", "error, s", "rms error, s", "end alike"):
        table.add_column(heading, justify="left" if heading == "queue model" else "right")
    table.add_row("truth", f"{study.filled:.2%}", "", f"{study.mean_wait_s:.3f} s", "", "", "", style="bold")
    for model in study.models:
        table.add_row(
            model.model,
            f"{model.filled:.2%}",
            _band(model.filled_error, 100, 2),
            f"{model.wait_s:.3f} s",
            _band(model.wait_error_s, 1, 3),
            f"{model.wait_rms_error_s:.3f}",
            f"{model.alike:.2%}",
        )
    return table


def _band(band: Band, scale: float, digits: int) -> str:
    if band.mean is None or band.low is None or band.high is None:
        return "–" if band.mean is None else f"{scale * band.mean:+.{digits}f}"
    return f"{scale * band.mean:+.{digits}f} [{scale * band.low:+.{digits}f}, {scale * band.high:+.{digits}f}]"


def _sentence(study: QueueStudy) -> str:
    best = study.exponent
    return (
        f"smallest squared error of the wait: --queue power:{best.best:g}, 95 % interval {best.low:g} to {best.high:g} "
        f"(of exponents {study.exponents[0]:g} to {study.exponents[-1]:g})"
    )
