"""One self-contained HTML file about a simulation: how quoters compare, in numbers and pictures. It opens without a network.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*: the last stop. The words stand in ``simulation.html.j2``, the
looks are those of every report.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from twosided.engines.montecarlo_result import SAMPLE, Simulation
from twosided.explain.page import write_whole
from twosided.explain.plots import Picture, run_colour
from twosided.explain.simulation_plots import difference_figure, distribution_figure, frontier_figure, path_figure
from twosided.explain.simulation_summary import Line, market_words, simulation_lines, simulation_rows
from twosided.explain.summary import Row, amount_text
from twosided.explain.words import typeset

__all__ = ["write_simulation_report"]


def write_simulation_report(simulation: Simulation, path: str | Path, gamma: float | None = None) -> Path:
    """Write the report of *simulation* to *path*, completely or not at all; a file that is there is replaced. Return the path.

    Args:
        simulation: the result of `twosided.simulate`; with ``keep_paths=1`` or more a path is drawn step by step.
        path: the HTML file.
        gamma: risk aversion of the certainty equivalent, 1/money; without it there is none.

    Raises:
        InputError: the place cannot be written.
    """
    return write_whole(path, _page(simulation, gamma))


def _page(simulation: Simulation, gamma: float | None) -> str:
    lines = simulation_lines(simulation, gamma)
    pictures: dict[str, tuple[Picture, str]] = {
        "pnl": (distribution_figure(simulation, "pnl", "P&L of a path"), "distribution of the P&L"),
        "difference": (difference_figure(simulation, "pnl", "difference of the P&L on one path"), "distribution of the difference"),
        "position": (distribution_figure(simulation, "position", "inventory at the end"), "distribution of the inventory"),
        "sharpe": (
            distribution_figure(simulation, "sharpe", "Sharpe of a path, over the horizon"),
            "distribution of Sharpe ratios",
        ),
        "frontier": (frontier_figure(simulation), "mean against risk"),
        "path": (path_figure(simulation), "one path"),
    }
    drawn = {name: picture.to_json() for name, (picture, _) in pictures.items() if not isinstance(picture, str)}
    environment = Environment(
        loader=PackageLoader("twosided.explain", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("simulation.html.j2").render(
        headline=_headline(simulation, lines, gamma),
        scope=market_words(simulation),
        complete=simulation.complete,
        cards=[_card(simulation, lines, k) for k in range(len(simulation.names))],
        columns=[*simulation.names, *(f"{name} − {simulation.names[0]}" for name in simulation.names[1:])],
        sections=_sections(simulation_rows(lines)),
        figures={name: _place(name, picture, label) for name, (picture, label) in pictures.items()},
        sample=f"the first {SAMPLE:,} paths" if simulation.paths > SAMPLE else f"all {simulation.paths:,} paths",
        alone=len(simulation.names) == 1,
        params=[(name, list(simulation.params[name].items())) for name in simulation.names],
        settings=[(name, str(value)) for name, value in simulation.settings.model_dump(mode="json").items() if value],
        digest=simulation.digest,
        seconds=f"{simulation.seconds:.1f}",
        plotly_js=Markup(get_plotlyjs()),  # noqa: S704 - plotly's
        figures_json=Markup("{" + ",".join(f'"{name}":{text}' for name, text in drawn.items()) + "}"),  # noqa: S704 - plotly escapes <
    )


def _place(name: str, picture: Picture, label: str) -> dict[str, Any]:
    if isinstance(picture, str):
        return {"reason": picture}
    return {"reason": "", "id": name, "height": int(picture.layout.height), "label": label}


def _line(lines: Sequence[Line], beginning: str) -> Line | None:
    return next((line for line in lines if line.section == "P&L" and line.label.startswith(beginning)), None)


def _headline(simulation: Simulation, lines: Sequence[Line], gamma: float | None) -> str:
    """Say who did best, by the certainty equivalent where there is one, and whether that is more than chance."""
    names, mean, certainty = simulation.names, _line(lines, "mean"), _line(lines, "certainty")
    assert mean is not None  # noqa: S101 - it is always the first
    if len(names) == 1:
        return f"{names[0]}: mean P&L {_text(mean, 0)}"
    judged = certainty or mean
    best, second, *rest = sorted(range(len(names)), key=lambda k: -judged.values[k])
    if gamma is None:
        lead = simulation.difference(names[best], names[second])
    else:
        lead = simulation.certainty_difference(names[best], names[second], gamma)
    what = "certainty equivalent" if certainty else "mean P&L"
    told = [f"{names[k]} {_text(judged, k)}" for k in (best, second, *rest)]
    if lead.interval[0] <= 0.0:
        return f"No clear winner by {what}: {', '.join(told)}"
    return f"{names[best]} has the highest {what}: {_text(judged, best)}, against {', '.join(told[1:])}"


def _text(line: Line, k: int) -> str:
    return typeset(amount_text(line.values[k], max(map(abs, line.values))))


def _card(simulation: Simulation, lines: Sequence[Line], k: int) -> dict[str, Any]:
    mean, deviation, lost = (_line(lines, name) for name in ("mean", "standard deviation", "paths that lost"))
    certainty = _line(lines, "certainty")
    assert mean is not None and deviation is not None and lost is not None  # noqa: S101, PT018 - there always are
    figures = [("standard deviation", _text(deviation, k)), ("paths that lost", f"{lost.values[k]:.1f} %")]
    if certainty is not None:
        figures.insert(0, (certainty.label, _text(certainty, k)))
    error = mean.errors[k] or 0.0
    return {
        "name": simulation.names[k],
        "colour": run_colour(k),
        "mean": _text(mean, k),
        "error": typeset(amount_text(error, max(map(abs, mean.values)))),
        "sign": (mean.values[k] > 0) - (mean.values[k] < 0),
        "figures": figures,
    }


def _sections(rows: Sequence[Row]) -> list[tuple[str, list[dict[str, Any]]]]:
    sections: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        signs = [_sign(value, cell) if row.signed and value else 0 for value, cell in zip(row.values, row.cells, strict=True)]
        cells = list(zip((typeset(cell) for cell in row.cells), signs, strict=True))
        sections.setdefault(row.section, []).append({"label": row.label, "unit": row.unit, "cells": cells, "strong": row.strong})
    return list(sections.items())


def _sign(value: float, text: str) -> int:
    """Return the sign of a value that is not shown as zero."""
    shown = text.partition(" ")[0]
    return 0 if not any(digit in shown for digit in "123456789") else 1 if value > 0 else -1
