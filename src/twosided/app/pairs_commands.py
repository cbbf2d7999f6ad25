"""``twosided pairs``: do two markets go together, how many of one hedge the other, and which pairs of many to believe.

Where you are in the pipe: beside it; a thin layer over `twosided.research.pairs`, which needs the extra ``pairs``.
"""

import importlib
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from twosided.app.console import print_json, print_table, say
from twosided.data.bar_files import PriceSeries, holds_bars, read_bars
from twosided.data.recording import load
from twosided.errors import InputError
from twosided.research.measured import Measured
from twosided.research.pair_data import mids, thinned
from twosided.units import duration_ns, duration_text, time_text

__all__ = ["pairs"]

_DEFAULT_EVERY = "1s"


class _TwoOrCommand(click.Group):
    """A group that takes what is not one of its commands for the first of two markets."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command where none is named."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [study.name or "", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_TwoOrCommand)
def pairs() -> None:
    """Say whether markets go together, and how many of one hedge the other.

    `twosided pairs A B` is short for `twosided pairs study A B`. A market is a recording (files joined by commas continue one
    another), a folder of minute bars, or a CSV file of bars; docs/pairs.md says what each number means.
    """


_EVERY = click.option(
    "--every", metavar="TIME", help=f"distance of two samples  [default: of recordings {_DEFAULT_EVERY}, of bars their own]"
)
_LOG = click.option("--log", "logarithms", is_flag=True, help="compare logarithms of prices: the ratio is one of values")
_ZONE = click.option(
    "--zone", "zones", multiple=True, metavar="NAME=ZONE", help="time zone of the minute bars in the folder NAME; again for more"
)
_JSON = click.option("--json", "as_json", is_flag=True, help="print JSON")
_QUIET = click.option("--quiet", is_flag=True, help="no remarks on standard error")


@pairs.command(short_help="tests, hedge ratios, half-life, z-score and stability of two markets")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@_EVERY
@_LOG
@_ZONE
@click.option("--span", type=float, default=100.0, show_default=True, help="samples, mean age of those the z-score compares with")
@_JSON
@_QUIET
def study(
    first: str,
    second: str,
    every: str | None,
    logarithms: bool,
    zones: tuple[str, ...],
    span: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Study the pair A, B: how many B hedge one A."""
    research = importlib.import_module("twosided.research.pairs")
    one, other = _read((first, second), every, zones)
    found = research.study_pair(one, other, logarithms=logarithms, span=span)
    if as_json:
        print_json(_without_infinities(found.facts()))
        return
    print_table(_study_table(found))
    click.echo(f"{found.verdict}.")
    for remark in (*found.data.notes, *found.remarks):
        say(remark, quiet=quiet)


@pairs.command(short_help="every pair of many markets, with the share of false discoveries under control")
@click.argument("markets", nargs=-1, required=True, metavar="MARKET...")
@_EVERY
@_LOG
@_ZONE
@_JSON
@_QUIET
def scan(
    markets: tuple[str, ...],
    every: str | None,
    logarithms: bool,
    zones: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Test every pair of MARKET..., and say which to believe."""
    research = importlib.import_module("twosided.research.pairs")
    universe = _read(markets, every, zones)
    found = research.scan_pairs(universe, logarithms=logarithms)
    if as_json:
        print_json(_without_infinities([asdict(each) for each in found]))
        return
    print_table(_scan_table(found))
    for note in (note for series in universe for note in series.notes):
        say(note, quiet=quiet)


# ---------------------------------------------------------------- reading


def _read(markets: tuple[str, ...], every: str | None, zones: tuple[str, ...]) -> list[PriceSeries]:
    zone_of = _zones(zones)
    step = None if every is None else duration_ns(every, name="--every")
    found = [_series(each, step, zone_of) for each in markets]
    if zone_of:
        raise InputError(f"--zone {next(iter(zone_of))}=… names no folder that is read; allowed: the name of one")
    return _named_apart(found, markets)


def _zones(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in given:
        name, equals, zone = each.partition("=")
        if not equals or not name or not zone:
            raise InputError(f"--zone is {each!r}; allowed: NAME=ZONE, such as es_minute=UTC")
        found[name] = zone
    return found


def _series(market: str, every_ns: int | None, zone_of: dict[str, str]) -> PriceSeries:
    """Return the prices of one market; a zone that it uses up is taken out of *zone_of*."""
    files = market.split(",")
    if holds_bars(files[0]):
        folder = Path(files[0]) if Path(files[0]).is_dir() else Path(files[0]).parent
        bars = read_bars(files, zone=zone_of.pop(folder.resolve().name, None))
        return bars if every_ns is None else thinned(bars, every_ns)
    recording = load(files)
    if len(recording.instruments) > 1:
        raise InputError(
            f"{market} holds {len(recording.instruments)} markets; convert the one that is meant: twosided data convert"
        )
    instrument = recording.instruments[0]
    name = f"{instrument.symbol} {instrument.venue}".strip()
    return mids(recording.events, instrument, name, every_ns or duration_ns(_DEFAULT_EVERY))


def _named_apart(found: list[PriceSeries], markets: tuple[str, ...]) -> list[PriceSeries]:
    """Return the series with the files' names added where several are of one name."""
    names = [series.name for series in found]
    if len(set(names)) == len(names):
        return found
    return [
        PriceSeries(
            f"{series.name} ({Path(market.split(',')[0]).name})", series.known_ns, series.prices, series.every_ns, series.notes
        )
        for series, market in zip(found, markets, strict=True)
    ]


# ---------------------------------------------------------------- writing


def _study_table(found: Any) -> Table:
    data = found.data
    first, second = data.names
    table = Table(
        title=f"{first} and {second}: {len(data):,} samples, {duration_text(data.every_ns)} apart, "
        f"{time_text(int(data.known_ns[0]))[:16]} to {time_text(int(data.known_ns[-1]))[:16]} UTC",
        caption="intervals are 95 %",
        show_edge=False,
    )
    for heading in ("", "value", "95 % interval or p-value", ""):
        table.add_column(heading, justify="right" if heading.startswith(("value", "95")) else "left", overflow="fold")
    table.add_row("correlation of changes", *_measured(found.correlation), "")
    for name, p in zip(data.names, found.unit_root_p, strict=True):
        table.add_row(f"{name} wanders", "", f"p {p:.3g}", "ADF: small p: it does not")
    table.add_section()
    unit = f"{second} per {first}"
    table.add_row("hedge ratio, least squares", *_measured(found.least_squares.ratio), unit)
    table.add_row("hedge ratio, total least squares", *_measured(found.total_least_squares.ratio), unit)
    table.add_row("hedge ratio, Kalman, now", *_measured(found.kalman.ratio), unit)
    table.add_section()
    tests, trace = found.engle_granger, found.johansen
    table.add_row(f"Engle-Granger, {first} on {second}", f"{tests.statistic:.2f}", f"p {tests.p:.3g}", "small p: cointegrated")
    table.add_row("Engle-Granger, the other way", "", f"p {tests.p_reversed:.3g}", "")
    for rank, (statistic, p) in enumerate(zip(trace.trace, trace.trace_p, strict=True)):
        table.add_row(f"Johansen trace, rank {rank}", f"{statistic:.2f}", f"p {p:.3g}", f"small p: more than {rank}")
    table.add_section()
    table.add_row("half-life of the spread, s", *_measured(found.reversion.half_life_s), "ln 2 / kappa")
    for step, each in zip((4, 16), found.slower, strict=False):
        table.add_row(f"… of every {step}th sample", *_measured(each), "")
    table.add_row("deviation of the spread", f"{found.reversion.deviation:.4g}", "", f"unit of {first}")
    table.add_row("z-score now, against all", f"{found.z:+.2f}", "", "")
    table.add_row("z-score now, recent", f"{found.z_recent:+.2f}", "", f"mean age {found.span:g} samples")
    table.add_section()
    stability = found.stability
    for name, ratio, p, life in zip(
        ("first", "second"), stability.halves, stability.halves_cointegrated_p, stability.half_lives_s, strict=True
    ):
        ends = _measured(ratio)
        table.add_row(f"{name} half: hedge ratio", *ends, f"Engle-Granger p {p:.3g}; half-life {life.value:.3g} s")
    table.add_row("ratios of both halves are equal", "", f"p {stability.halves_p:.3g}", "")
    if stability.windows:
        passed = sum(p < 0.05 for p in stability.windows_p)
        span = f"{min(stability.windows):.4g} to {max(stability.windows):.4g}"
        table.add_row("ratio in five windows", "", span, f"cointegrated at 5 % in {passed} of {len(stability.windows)}")
    table.add_row("the ratio does not drift", "", f"p {stability.drift_p:.3g}", "Kalman filter, likelihood ratio")
    return table


def _scan_table(found: Any) -> Table:
    believed = sum(row.q <= 0.05 for row in found)
    table = Table(
        title=f"pairs: {len(found)}; at a false-discovery rate of 5 % believe {believed}",
        caption="q: rate at which a pair is still believed, whatever the dependence of the tests (B-H: if they were independent)",
        show_edge=False,
    )
    for heading in ("pair", "samples", "p", "q", "q (B-H)", "hedge ratio", "half-life, s", "z now"):
        table.add_column(heading, justify="left" if heading == "pair" else "right", overflow="fold")
    for row in found:
        half_life = f"{row.half_life_s.value:.3g} [{row.half_life_s.low:.3g}, {row.half_life_s.high:.3g}]"
        ratio = f"{row.ratio.value:.4g}"
        cells = (f"{row.samples:,}", f"{row.p:.3g}", f"{row.q:.3g}", f"{row.q_independent:.3g}", ratio, half_life, f"{row.z:+.2f}")
        table.add_row(" / ".join(row.names), *cells, style="bold" if row.q <= 0.05 else "")
    return table


def _measured(found: Measured) -> tuple[str, str]:
    return f"{found.value:.5g}", f"{found.low:.5g} to {found.high:.5g}"


def _without_infinities(value: Any) -> Any:
    """Return *value* for JSON: None where a number is infinite or none."""
    if isinstance(value, dict):
        return {key: _without_infinities(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_infinities(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
