"""What a preset is asked, and what it answers: rows for a table and for JSON, and remarks.

Where you are in the pipe: ... -> ledger -> *explanation*.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from twosided.app.config import Draft
from twosided.engines.montecarlo_result import Estimate
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.errors import InputError

__all__ = ["Answer", "Asked", "answer_table", "number"]


@dataclass(frozen=True)
class Asked:
    """What the user said beside the name of a preset."""

    draft: Draft
    cores: int | None = None

    def settings(self, **preset: Any) -> SimulationSettings:
        """Return the preset's settings, with those that the user gave in their places.

        Raises:
            InputError: one that cannot be used; no preset's quoters can do without sigma and k.
        """
        given = self.draft.values.get("simulation", {})
        merged = Draft({"simulation": {**preset, **given}}, self.draft.origins)
        settings = merged.section("simulation", SimulationSettings)
        if settings.sigma == 0.0 or settings.k == 0.0:
            raise InputError(f"--sigma is {settings.sigma:g} and --k {settings.k:g}; allowed with a preset: above 0")
        return settings

    @property
    def given(self) -> Sequence[str]:
        """Names of the settings that the user gave."""
        return [name for name in self.draft.values.get("simulation", {}) if name not in {"paths", "seed"}]


@dataclass(frozen=True)
class Answer:
    """A table.

    ``columns`` are (key, heading); a row has text or a number under each key; ``remarks`` stand below.
    """

    title: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Mapping[str, Any]]
    remarks: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """Return it for JSON; numbers in full."""
        rows = [{key: _plain(value) for key, value in row.items()} for row in self.rows]
        return {"title": self.title, "rows": rows, "remarks": list(self.remarks), **self.facts}


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        return {"value": _plain(value.value), "error": _plain(value.error)}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def number(value: Any) -> str:
    """Return a cell: a number with five digits, an estimate with as many as its error deserves."""
    if value is None:
        return ""
    if isinstance(value, Estimate) and not math.isfinite(value.error):  # of a single path
        value = value.value
    if isinstance(value, Estimate):
        decimals = 2 if value.error >= 0.1 else 3 if value.error >= 0.01 else 4
        return f"{value.value:,.{decimals}f} ± {value.error:.{decimals}f}"
    if isinstance(value, float):
        return f"{value:,.5g}" if math.isfinite(value) else "–"
    return str(value)


def answer_table(answer: Answer) -> Table:
    """Return *answer* for a terminal."""
    table = Table(title=answer.title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for place, (_, heading) in enumerate(answer.columns):
        table.add_column(heading, justify="left" if place == 0 else "right", overflow="fold")
    before: Any = None
    for row in answer.rows:
        group = row.get("group")
        if group is not None and before is not None and group != before:
            table.add_row("")
        before = group
        table.add_row(*(Text(number(row.get(key))) for key, _ in answer.columns))
    if answer.remarks:
        table.caption = Text("\n".join(answer.remarks), style="dim")
        table.caption_justify = "left"
    return table
