"""``twosided data``: what is in a recording, and the same recording normalised once.

Where you are in the pipe: at its source: *events* -> book -> signals -> strategy -> ...
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from twosided.app.config import DataConfig, Draft, InstrumentConfig
from twosided.app.console import ReadingProgress, print_json, print_table, say
from twosided.app.options import DATA, put_given, with_settings
from twosided.data.defects import DEFECTS
from twosided.data.files import InputFile
from twosided.data.formats import open_source
from twosided.data.info import convert as convert_recording
from twosided.data.info import describe
from twosided.data.source import Source
from twosided.data.store import is_stored
from twosided.errors import DataError, InputError
from twosided.units import duration_text, time_text

__all__ = ["data"]

Facts = dict[str, Any]


@click.group()
def data() -> None:
    """Say what is in recordings, and convert them."""


@with_settings(*DATA)
@data.command(short_help="print what is in a recording")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def info(files: tuple[str, ...], as_json: bool, **values: Any) -> None:
    """Print what is in a recording: instrument, span, events, defects, clocks. Several files continue one another."""
    source, clocks = _opened(files, values)
    with ReadingProgress().shown() as progress:
        facts = describe(source, **clocks, progress=progress)
    if as_json:
        print_json(facts)
    else:
        print_table(_table(facts))


@with_settings(*DATA)
@data.command(short_help="write a recording as one Parquet file, which reads fast")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--out", required=True, metavar="FILE", help="the Parquet file to write")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def convert(files: tuple[str, ...], out: str, as_json: bool, **values: Any) -> None:
    """Write a recording as one Parquet file with both clocks brought together; replay takes either."""
    _require_ours(Path(out))
    source, clocks = _opened(files, values)
    with ReadingProgress().shown() as progress:
        facts = convert_recording(source, out, **clocks, progress=progress)
    if as_json:
        print_json(facts)
    else:
        inferred = f"; {facts['inferred']}" if facts["inferred"] else ""
        say(f"{facts['out']}: {facts['events']:,} events, {facts['bytes'] / 1e6:.1f} MB{inferred}")


def _opened(files: tuple[str, ...], values: dict[str, Any]) -> tuple[Source, dict[str, Any]]:
    """Return the source of *files* and what was said about its clocks."""
    draft = Draft()
    draft.put(("data", "files"), files, "FILE")
    put_given(draft, DATA, values)
    read = draft.section("data", DataConfig)
    said = draft.section("instrument", InstrumentConfig)
    source = open_source(
        read.files,
        format=read.format,
        symbol=said.symbol,
        tick_size=said.tick_size,
        lot_size=said.lot_size,
        date=read.date,
    )
    return source, {"min_latency_ns": read.min_latency, "clock_offset_ns": read.clock_offset_ns}


def _require_ours(path: Path) -> None:
    """Make sure that *path* is free, or holds a recording that was converted before.

    Raises:
        InputError: something else is there.
    """
    if path.exists() and not _is_ours(path):
        raise InputError(f"{path} exists and is not a recording that we converted; name a new file")


def _is_ours(path: Path) -> bool:
    try:
        return is_stored(InputFile(path)) is not None
    except DataError:
        return False


def _table(facts: Facts) -> Table:
    """Return the facts for people."""
    table = Table(show_header=False, show_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for label, value in (*_contents(facts), *_state(facts), *_clocks(facts)):
        table.add_row(label, Text(value))
    return table


def _contents(facts: Facts) -> list[tuple[str, str]]:
    kinds = ", ".join(f"{count:,} {kind.lower().replace('_', ' ')}" for kind, count in facts["events_by_kind"].items())
    return [
        ("files", f"{', '.join(facts['files'])} ({facts['format']})"),
        *([("made from", ", ".join(facts["made_from"]))] if facts["made_from"] else []),
        ("instrument", " ".join(filter(None, (facts["instrument"], facts["venue"], facts["currency"])))),
        ("tick, lot", "; ".join(filter(None, (*dict.fromkeys(map(_steps, facts["instruments"])), facts["inferred"])))),
        *(("fees", text) for text in dict.fromkeys(map(_fees, facts["instruments"])) if text),
        ("span", f"{time_text(facts['start_ns'])} to {time_text(facts['end_ns'])}, {duration_text(facts['span_ns'])}"),
        ("events", f"{facts['events']:,} in {facts['messages']:,} messages: {kinds}"),
    ]


def _steps(instrument: Facts) -> str:
    """Return tick and lot with the digits that the file gives them."""
    return f"{Decimal(instrument['tick_size']):f}, {Decimal(instrument['lot_size']):f}"


def _fees(instrument: Facts) -> str:
    """Return the fees that the file states; a replay charges them unless it is told others."""
    rates = {name: rate for name, rate in instrument["fees"].items() if name != "tiers" and Decimal(rate)}
    return ", ".join(f"{name} {rate}" for name, rate in rates.items()) + ", tiers" * bool(instrument["fees"]["tiers"])


def _state(facts: Facts) -> list[tuple[str, str]]:
    rows = [("crossed", f"{facts['crossed']:,} states after a whole message")]
    for name in dict.fromkeys(("gaps", "orphans", *facts["defects"])):
        count = facts["defects"].get(name, 0)
        if name != "exch_backwards":  # stands among the clocks
            rows.append((name.replace("_", " "), f"{count:,}{': ' * bool(count)}{DEFECTS.get(name, '') if count else ''}"))
    if facts["unknown_removals"]:
        beyond = "of levels that the book did not have: usual where its snapshot shows fewer levels than change later"
        rows.append(("unknown removals", f"{facts['unknown_removals']:,} {beyond}"))
    check = facts["book_check"]
    if check and check["compared"]:
        rows.append(("book check", _book_check(check)))
    elif facts["made_from"]:
        rows.append(("book check", "none: a converted file does not keep the venue's own best prices"))
    return [*rows, *(("note", note) for note in facts["notes"])]


def _book_check(check: Facts) -> str:
    """Say what the rebuilt book was compared with, and how it came out."""
    if "rows" not in check:
        return f"{check['agree']:,} of {check['compared']:,} states agree with {check['against']}"
    restated = check["came_with_more"] + check["came_with_less"] + check["gone_unseen"]
    return (
        f"the messages alone determine {check['rows_determined'] / check['rows']:.2%} of {check['rows']:,} rows and "
        f"{check['compared'] / check['levels']:.3%} of {check['levels']:,} levels in {check['against']}; {check['agree']:,} of "
        f"{check['compared']:,} agree; {restated:,} levels that changed unseen were restated from it"
    )


def _clocks(facts: Facts) -> list[tuple[str, str]]:
    quantiles = ", ".join(f"{name} {duration_text(value)}" for name, value in facts["latency_ns"]["corrected"].items())
    return [
        (
            "clock offset",
            f"{duration_text(facts['clock_offset_ns'])}, which makes the smallest latency {duration_text(facts['min_latency_ns'])}",
        ),
        ("latency", quantiles),
        ("exchange time", _backwards(facts)),
        ("same millisecond", f"{facts['same_millisecond_share']:.1%} of messages share theirs with the one before"),
    ]


def _backwards(facts: Facts) -> str:
    count = facts["defects"].get("exch_backwards", 0)
    return f"runs backwards in {count:,} messages, {facts['exch_backwards_share']:.2%}" if count else "never runs backwards"
