"""``twosided report``: the report again, from saved Runs.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.
"""

from pathlib import Path

import click

from twosided.app.console import say
from twosided.app.output import REPORT
from twosided.errors import InputError
from twosided.explain.report import write_report
from twosided.market.run import Run

__all__ = ["report"]

_RUN = "run.json"


@click.command(short_help="make the report again from saved runs")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@click.option("--out", default=REPORT, show_default=True, metavar="FILE", help="the report to write")
def report(folders: tuple[str, ...], out: str) -> None:
    """Make one report of the Runs that stand in DIR..., each a saved Run or a folder of them."""
    runs = [Run.load(found) for folder in folders for found in _saved(Path(folder))]
    write_report(runs, Path(out))
    say(f"report: {out}")


def _saved(folder: Path) -> list[Path]:
    """Return the folders of saved Runs at or directly below *folder*.

    Raises:
        InputError: there are none.
    """
    if (folder / _RUN).exists():
        return [folder]
    found = sorted(entry.parent for entry in folder.glob(f"*/{_RUN}"))
    if not found:
        raise InputError(f"{folder} holds no saved Run; name a folder that `twosided replay --out` wrote")
    return found
