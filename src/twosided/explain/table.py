"""The headline table for terminals.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.
"""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from twosided.explain.summary import Row

__all__ = ["rich_table"]

_LONG = 20


def rich_table(rows: Sequence[Row], labels: Sequence[str], title: str = "", assumed: Sequence[str] = ()) -> Table:
    """Return *rows* (see `summary_rows`) as a table with one column per run; what is not given has its reason below the table.

    *assumed* is what each run's result hangs on, told last.

    Gains are blue and losses red where the terminal has colours; the sign says the same.
    """
    table = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("")
    for label in labels:
        table.add_column(Text(_in_lines(label)), justify="right", overflow="fold")
    table.add_column("unit", style="dim", overflow="fold")
    notes: dict[str, int] = {}
    section = ""
    for row in rows:
        if row.section != section:
            if section:
                table.add_row("")
            section = row.section
            table.add_row(Text(section, style="bold"))
        name = Text.assemble(f"  {row.label}", (_mark(row.remark, notes), "dim"))
        cells = []
        for value, cell, note in zip(row.values, row.cells, row.notes or ("",) * len(row.cells), strict=True):
            style = "" if not row.signed or not value else "blue" if value > 0 else "red"
            cells.append(Text.assemble((cell, style), (_mark(note, notes), "dim")))
        table.add_row(name, *cells, Text(row.unit), style="bold" if row.strong else "")
    said = [f"[{number}] {note}" for note, number in notes.items()]
    if len(set(assumed)) == 1:
        said.append(assumed[0])
    else:
        said += [f"{label}: {words}" for label, words in zip(labels, assumed, strict=False)]
    if said:
        table.caption = Text("\n".join(said), style="dim")
        table.caption_justify = "left"
    return table


def _in_lines(label: str) -> str:
    """Return the name of a composed strategy with a line for each part, if it is long: else its parts would break anywhere."""
    return label.replace("+", "\n+") if len(label) > _LONG else label


def _mark(note: str, notes: dict[str, int]) -> str:
    """Return the footnote mark of *note*, numbering it where it is new."""
    return f" [{notes.setdefault(note, len(notes) + 1)}]" if note else ""
