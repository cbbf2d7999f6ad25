"""``twosided signals``: what each signal says about the next moves of a recorded market's mid.

Where you are in the pipe: beside it; a thin layer over `twosided.research.signal_study`.
"""

from typing import Any

import click
from rich.table import Table

from twosided.app.config import Draft
from twosided.app.console import print_json, print_table
from twosided.app.one_market import read_one_market
from twosided.app.options import DATA, put_given, with_settings
from twosided.research.signal_study import Forecast, SignalStudy, signal_study
from twosided.units import duration_ns, moment_ns

__all__ = ["signals"]


@with_settings(*DATA)
@click.command(short_help="how well each signal foretells the next moves of the mid, with error bars")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--horizons", default="1s,5s,10s", show_default=True, metavar="TIME,...", help="how far ahead; multiples of 100ms")
@click.option("--start", metavar="TIME", help="leave out what is before: a UTC time as 2023-12-25T23:00, or a duration as 10m")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def signals(files: tuple[str, ...], horizons: str, start: str | None, as_json: bool, **values: Any) -> None:
    """Correlate every signal with the next move of the mid, on the second half of a recording.

    FILE... is one recording, in files that continue one another. docs/signals.md says what the numbers mean.
    """
    draft = Draft()
    draft.put(("data", "files"), files, "FILE")
    put_given(draft, DATA, values)
    asked = [duration_ns(text, name="--horizons") for text in horizons.split(",")]
    recording = read_one_market(draft)
    start_ns = None if start is None else moment_ns(start, int(recording.events["local_ns"][0]), name="--start")
    study = signal_study(recording.events, asked, start_ns=start_ns)
    if as_json:
        print_json({"data": list(recording.names), **study.facts()})
        return
    print_table(_table(study, ", ".join(recording.names)))


def _table(study: SignalStudy, title: str) -> Table:
    by_name: dict[str, list[Forecast]] = {}
    for forecast in study.forecasts:
        by_name.setdefault(forecast.signal, []).append(forecast)
    table = Table(
        title=f"{title}: {study.samples:,} samples of 100 ms",
        caption="correlation on the second half [95 % interval by blocks]; * leaves out zero; – never moved, or too little",
        show_edge=False,
    )
    table.add_column("signal")
    table.add_column("with")
    for forecast in next(iter(by_name.values())):
        table.add_column(f"next {forecast.horizon_s:g} s", justify="right")
    for name, row in by_name.items():
        table.add_row(name, row[0].of, *(_cell(forecast) for forecast in row))
    return table


def _cell(forecast: Forecast) -> str:
    found = forecast.correlation
    if found is None:
        return "–"
    return f"{found.value:+.3f} [{found.low:+.2f}, {found.high:+.2f}]{'*' if forecast.significant else ' '}"
