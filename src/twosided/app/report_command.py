"""``twosided report``: the report again, from saved Runs.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.
"""

from pathlib import Path
from typing import Any

import click

from twosided.app.config import Draft, StatisticsConfig
from twosided.app.console import say
from twosided.app.options import STATISTICS, put_given, with_settings
from twosided.app.output import REPORT, SESSION
from twosided.errors import InputError, unreadable
from twosided.explain.comparison_table import compare, sentences
from twosided.explain.report import write_report
from twosided.explain.summary import run_labels
from twosided.market.run import Run

__all__ = ["report"]

_RUN = "run.json"


@with_settings(*STATISTICS)
@click.command(short_help="make the report again from saved runs, or compare them")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@click.option("--out", default=REPORT, show_default=True, metavar="FILE", help="the report to write")
def report(folders: tuple[str, ...], out: str, **values: Any) -> None:
    """Make one report of the Runs that stand in DIR..., each a saved Run or a folder of them. Reports beside them are passed over.

    Several are held against the first: each difference with its 95 % interval, and a heat map for a grid of two parameters.
    """
    places = [place for folder in folders if (place := Path(folder)).name not in {REPORT, SESSION}]
    if not places:
        raise InputError(f"{folders[0]} is no saved Run; name the folder that it is in")
    runs = [Run.load(found) for place in places for found in _saved(place)]
    draft = Draft()
    put_given(draft, STATISTICS, values)
    basis = draft.section("statistics", StatisticsConfig).basis()
    write_report(runs, Path(out), basis)
    if len(runs) > 1:
        for sentence, _ in sentences(compare(runs, basis), run_labels(runs)):
            click.echo(sentence)
    say(f"report: {out}")


def _saved(folder: Path) -> list[Path]:
    """Return the folders of saved Runs at or directly below *folder*.

    Raises:
        DataError: there is no such folder.
        InputError: there are none.
    """
    if not folder.exists():
        raise unreadable(folder)
    if (folder / _RUN).exists():
        return [folder]
    found = sorted(entry.parent for entry in folder.glob(f"*/{_RUN}"))
    if not found:
        raise InputError(f"{folder} holds no saved Run; name a folder that `twosided replay --out` wrote")
    return found
