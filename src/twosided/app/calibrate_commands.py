"""``twosided calibrate``: what data says about the parameters of strategies and the assumptions of a replay.

Where you are in the pipe: beside it; a thin layer over `twosided.research`.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from twosided.app.assignments import assigned
from twosided.app.bar_sources import bar_volatilities, binance, finnhub
from twosided.app.config import Draft
from twosided.app.console import ReadingProgress, print_json, print_table, say
from twosided.app.one_market import read_one_market
from twosided.app.options import DATA, put_given, with_settings
from twosided.app.strategy_file import require_strategy_file, write_strategy_file
from twosided.data.bars import INTERVALS_S, write_book
from twosided.data.recording import Recording
from twosided.errors import InputError
from twosided.explain.markouts import Band
from twosided.explain.page import require_page, write_whole
from twosided.research.calibration import Calibration, calibration
from twosided.research.calibration_plots import write_calibration_plots
from twosided.research.queue_study import QueueStudy, queue_study
from twosided.strategies.catalogue import find_strategy
from twosided.units import duration_ns, moment_ns, time_text

__all__ = ["calibrate"]


class _RecordingOrCommand(click.Group):
    """A group that takes what is not one of its commands for a recording to estimate everything from."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command where none is named."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [estimates.name or "", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_RecordingOrCommand)
def calibrate() -> None:
    """Find out of data what strategies and replays should assume.

    `twosided calibrate FILE...` is short for `twosided calibrate estimates FILE...`
    """


@with_settings(*DATA)
@calibrate.command(short_help="estimate volatility, A and k, excitement, impact, parts of the spread; write a strategy file")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--strategy", "name", default="glft", show_default=True, metavar="NAME", help="of the file that --out writes")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="a parameter of the strategy; again for more")
@click.option("--start", metavar="TIME", help="leave out what is before: a UTC time as 2023-12-25T23:00, or a duration as 10m")
@click.option("--end", metavar="TIME", help="leave out what is after; a duration counts from the beginning of the recording")
@click.option("--out", metavar="FILE", help="write a calibrated configuration, which replay takes: strategy.yaml")
@click.option("--plot", metavar="FILE", help="draw the fit and the volatility signature: an HTML page of its own")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.option("--quiet", is_flag=True, help="no progress and no remarks on standard error")
def estimates(
    files: tuple[str, ...],
    name: str,
    assignments: tuple[str, ...],
    start: str | None,
    end: str | None,
    out: str | None,
    plot: str | None,
    as_json: bool,
    quiet: bool,
    **values: Any,
) -> None:
    """Estimate what a recording says about its market, with 95 % intervals.

    Where the venue says when it is open, only that time counts; else --start and --end take the trading hours out of a recording.

    FILE... is one recording, in files that continue one another. docs/calibration.md says what each number means.
    """
    draft = Draft()
    draft.put(("data", "files"), files, "FILE")
    put_given(draft, DATA, values)
    chosen = assigned([find_strategy(name)], assignments)[0]
    if out:
        require_strategy_file(out)
    if plot:
        require_page(plot)
    recording = read_one_market(draft)
    from_ns, until_ns = _window(recording, start, end)
    found = calibration(recording.events, recording.instruments[0], from_ns=from_ns, until_ns=until_ns)
    if plot:
        say(f"plot: {write_calibration_plots(found, ', '.join(recording.names), plot)}", quiet=quiet)
    if out:
        read = {**draft.values, **({} if (until_ns or from_ns) is None else {"start": time_text(until_ns or from_ns or 0)})}
        write_strategy_file(out, read, name, chosen.with_params(found.estimate.params_for(chosen)), found)
        say(f"strategy: {out}; next: twosided replay {out}", quiet=quiet)
    if as_json:
        print_json(found.facts())
        return
    print_table(_estimates_table(found, ", ".join(recording.names)))
    for remark in (*found.estimate.warnings, *found.remarks):
        say(remark, quiet=quiet)


@calibrate.command(short_help="fetch bars from Binance or Finnhub, and estimate volatility from them")
@click.argument("source", type=click.Choice(["binance", "finnhub"]))
@click.argument("symbol")
@click.option("--interval", type=click.Choice(list(INTERVALS_S)), default="1m", show_default=True, help="length of a bar")
@click.option("--count", type=click.IntRange(11, 100_000), default=1000, show_default=True, help="how many bars")
@click.option("--out", metavar="FILE", help="write the bars as CSV")
@click.option("--book", metavar="FILE", help="finnhub: write a synthetic book made of one quote instead, a labelled recording")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def bars(source: str, symbol: str, interval: str, count: int, out: str | None, book: str | None, as_json: bool) -> None:
    """Estimate volatility from bars that come over the network: SYMBOL is like BTC/USDT of binance, AAPL of finnhub.

    Finnhub's key is taken from FINNHUB_API_KEY, or asked for on a terminal, where it is not shown.
    """
    for path in filter(None, (out, book)):
        if Path(path).exists():
            raise InputError(f"{path} exists; name a new file")
    if book and source != "finnhub":
        raise InputError("--book makes a synthetic book of a Finnhub quote; binance has real books: record them")
    if book:
        quote = finnhub().quote(symbol)
        say(f"{write_book(quote, book)}: a SYNTHETIC book around {quote.price}; only the price is the market's")
        return
    fetched = finnhub().bars(symbol, interval, count) if source == "finnhub" else binance(symbol, interval, count)
    found = bar_volatilities(fetched)
    if out:
        write_whole(out, fetched.csv_text())
    if as_json:
        print_json({"source": fetched.source, "symbol": symbol, "bars": len(fetched), "interval": interval, "estimates": found})
        return
    table = Table(title=f"{fetched.source} {symbol}: {len(fetched)} bars of {interval}", caption="95 % intervals", show_edge=False)
    for heading in ("estimator", "fraction/√s", "95 % interval", "a year (365 × 24 h)"):
        table.add_column(heading, justify="left" if heading == "estimator" else "right")
    for name, row in found.items():
        table.add_row(name, f"{row['value']:.4g}", f"{row['low']:.4g} to {row['high']:.4g}", f"{row['annual']:.2%}")
    print_table(table)


def _window(recording: Recording, start: str | None, end: str | None) -> tuple[int | None, int | None]:
    """Return from when and until when the recording is looked at; None where nothing was said.

    Raises:
        InputError: no time, or none within the recording.
    """
    first_ns, last_ns = recording.span_ns
    from_ns = None if start is None else moment_ns(start, first_ns, name="--start")
    until_ns = None if end is None else moment_ns(end, first_ns, name="--end")
    if from_ns is not None and not first_ns <= from_ns < last_ns:
        raise InputError(f"--start is {start}; allowed: from {time_text(first_ns)} to before {time_text(last_ns)}")
    if until_ns is not None and not (from_ns or first_ns) < until_ns < last_ns:
        raise InputError(f"--end is {end}; allowed: after {time_text(from_ns or first_ns)} and before {time_text(last_ns)}")
    return from_ns, until_ns


def _estimates_table(found: Calibration, title: str) -> Table:
    table = Table(title=title, caption="95 % intervals", show_edge=False)
    for heading in ("estimate", "value", "95 % interval", "unit", "from"):
        table.add_column(heading, justify="right" if heading in {"value", "95 % interval"} else "left", overflow="fold")
    for row in found.rows:
        ends = f"{row.measured.low:.4g} to {row.measured.high:.4g}"
        table.add_row(row.name, f"{row.measured.value:.4g}", ends, row.unit, row.basis)
    return table


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
    recording = read_one_market(draft)
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
