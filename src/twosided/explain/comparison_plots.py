"""Pictures of many runs: a heat map of a grid of parameters, P&L split as bars, distributions of the changes of equity.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*. For the style see `twosided.explain.plots`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from twosided.explain.comparison_bootstrap import paired_interval
from twosided.explain.comparison_table import increments, not_comparable, step_ns
from twosided.explain.plots import INK, MARKET, MINUS, PLUS, RUN_COLOURS, SHORT_PARTS, Picture, run_colour, styled
from twosided.explain.split import HORIZON_NS, PARTS, split_by_currency
from twosided.explain.summary import amount_text
from twosided.explain.words import typeset
from twosided.market.run import Run
from twosided.units import duration_text

__all__ = ["Grid", "alike_best", "distribution_figure", "grid_of", "heat_map_figure", "split_bars_figure"]

LEAST_SIDE = 2
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
PART_COLOURS = {
    "spread": "#0072B2",
    "adverse": "#D55E00",
    "fees": "#8A8F98",
    "alpha": "#009E73",
    "inventory": "#E69F00",
    "hedge": "#5B3A8C",
}
_PALE = "#F7F8F9"


# ---------------------------------------------------------------- a grid of parameters


@dataclass(frozen=True)
class Grid:
    """Runs of one strategy that differ in two parameters, each value of one with each of the other.

    ``runs`` holds the place of each run among those given, shape (len(y), len(x)).
    """

    x_name: str
    y_name: str
    x: tuple[float | str, ...]
    y: tuple[float | str, ...]
    runs: tuple[tuple[int, ...], ...]


def grid_of(runs: Sequence[Run]) -> Grid | None:
    """Return the grid that *runs* form by ``facts["params"]``; None where they form none, or differ in anything else."""
    params = [run.facts["params"] for run in runs]
    if len(runs) < LEAST_SIDE**2 or len({run.facts["strategy"] for run in runs}) > 1:
        return None
    settings = {str(run.facts["settings"]) for run in runs}
    varying = [name for name in params[0] if len({str(each.get(name)) for each in params}) > 1]
    alike = len(settings) == 1 and all(run.instruments == runs[0].instruments for run in runs)  # fees are the instrument's
    if len(varying) != 2 or not alike or any(not_comparable(run, runs[0]) for run in runs[1:]):
        return None
    sides = [_sorted({each[name] for each in params}) for name in varying]
    places = {tuple(each[name] for name in varying): index for index, each in enumerate(params)}
    if len(places) != len(runs) or len(runs) != len(sides[0]) * len(sides[1]):
        return None
    (x_name, x), (y_name, y) = sorted(zip(varying, sides, strict=True), key=lambda side: -len(side[1]))
    turned = varying[0] != x_name
    found = tuple(tuple(places[(b, a) if turned else (a, b)] for a in x) for b in y)
    return Grid(x_name, y_name, tuple(x), tuple(y), found)


def _sorted(values: set[Any]) -> list[Any]:
    """Return numbers by size, anything else by its name."""
    numbers = all(isinstance(value, int | float) for value in values)
    return sorted(values) if numbers else sorted(values, key=str)


def alike_best(runs: Sequence[Run], currency: str) -> list[bool]:
    """Return for each run but the best whether its P&L cannot be told apart from the best (95 %, paired block bootstrap)."""
    step = max(map(step_ns, runs))
    changes = [increments(run, currency, step) for run in runs]
    best = changes[int(np.argmax([each.sum() for each in changes]))]
    return [_alike(each, best) for each in changes]


def _alike(changes: Any, best: Any) -> bool:
    count = min(len(changes), len(best))
    found = paired_interval(changes[:count], best[:count], lambda values: np.asarray(values.sum(axis=-1)))
    return changes is not best and found is not None and found.high >= 0.0


def heat_map_figure(
    grid: Grid, values: Sequence[float | None], unit: str, *, units: Mapping[str, str], alike: Sequence[bool] = ()
) -> Picture:
    """Return a heat map of one number per run: blue is above zero, vermilion below, white is zero.

    Args:
        grid: see `grid_of`.
        values: one per run, in the order in which the grid was found in them; None is left empty.
        unit: of the values.
        units: of parameters, by name.
        alike: which runs cannot be told apart from the best, marked ≈.
    """
    known = [abs(value) for value in values if value is not None]
    largest = max(known, default=0.0)
    if not known:
        return "There is no such number for any of these runs."
    places = np.array(grid.runs)
    x_name, y_name = escape(grid.x_name), escape(grid.y_name)
    text = [[_cell(values[index], largest, alike=bool(alike) and alike[index]) for index in row] for row in places]
    figure = go.Figure(
        go.Heatmap(
            z=[[values[index] for index in row] for row in places],
            x=[_value(value) for value in grid.x],
            y=[_value(value) for value in grid.y],
            text=text,
            texttemplate="%{text}",
            textfont={"size": 12},
            zmid=0,
            zmin=-largest or -1.0,
            zmax=largest or 1.0,
            colorscale=[[0, MINUS], [0.5, _PALE], [1, PLUS]],
            xgap=2,
            ygap=2,
            showscale=False,  # every cell has its number
            hovertemplate=f"{x_name} %{{x}}<br>{y_name} %{{y}}<br>%{{z:,.4f}} {escape(unit)}<extra></extra>",
        )
    )
    styled(figure, 90 + 44 * max(len(grid.y), 3), legend=False)
    for axis, name in ((figure.update_xaxes, grid.x_name), (figure.update_yaxes, grid.y_name)):
        title = f"{name}, {units[name]}" if units.get(name) else name
        axis(type="category", title_text=escape(title), showgrid=False, ticks="", showline=False)
    return figure


def _value(value: float | str) -> str:
    return typeset(f"{value:,.6g}") if isinstance(value, int | float) else escape(str(value))


def _cell(value: float | None, largest: float, *, alike: bool) -> str:
    if value is None:
        return ""
    text = f"{typeset(amount_text(value, largest))}{' ≈' if alike else ''}"
    return f"<span style='color:white'>{text}</span>" if abs(value) > 0.62 * largest else text


# ---------------------------------------------------------------- one line per run


def split_bars_figure(runs: Sequence[Run], labels: Sequence[str], horizon_ns: int = HORIZON_NS) -> Picture:
    """Return the split of the P&L as a bar per run (and currency): gains to the right, losses to the left, a mark at their sum."""
    lines = [
        (f"{label}, {part.currency}" if len(parts) > 1 else label, part)
        for run, label in zip(runs, labels, strict=True)
        for parts in [split_by_currency(run, horizon_ns)]
        for part in parts.values()
    ]
    if not any(any(part.parts().values()) for _, part in lines):
        return "Nothing was earned or lost: every part of the P&L is zero."
    names = [escape(name) for name, _ in lines]
    figure = go.Figure()
    for part in PARTS:
        amounts = [float(each.money(part)) for _, each in lines]
        if not any(amounts):
            continue
        title = SHORT_PARTS.get(part, part).replace("<br>", " ")
        hover = f"%{{y}}<br>{title} %{{x:,.4f}}<extra></extra>"
        figure.add_bar(x=amounts, y=names, orientation="h", name=title, marker={"color": PART_COLOURS[part]}, hovertemplate=hover)
    figure.add_scatter(
        x=[float(each.money("total")) for _, each in lines],
        y=names,
        mode="markers",
        name="P&L",
        marker={"symbol": "diamond", "size": 10, "color": INK, "line": {"color": "white", "width": 1.5}},
        hovertemplate="%{y}<br>P&L %{x:,.4f}<extra></extra>",
    )
    return _with_a_line_per_run(figure, len(names), " / ".join(dict.fromkeys(part.currency for _, part in lines)), legend=True)


def distribution_figure(runs: Sequence[Run], labels: Sequence[str], currency: str) -> Picture:
    """Return how the changes of equity of each run are distributed: box the middle half, whiskers 5 to 95 %, dots the extremes."""
    step = max(map(step_ns, runs))
    changes = [increments(run, currency, step) for run in runs]
    if not any(each.any() for each in changes):
        return "Equity never changed."
    figure = go.Figure()
    for index, (label, each) in enumerate(zip(labels, changes, strict=True)):
        if not len(each):
            continue
        low, first, middle, third, high = (float(value) for value in np.quantile(each, QUANTILES))
        name, colour = escape(label), run_colour(index) if len(runs) <= len(RUN_COLOURS) else MARKET
        # a box whose statistics are given, so that the file does not hold every change
        figure.add_box(
            y=[name], q1=[first], median=[middle], q3=[third], lowerfence=[low], upperfence=[high], mean=[float(each.mean())],
            orientation="h", marker={"color": colour}, line={"width": 1.5}, width=0.55, hoverinfo="x", boxmean=True,
        )  # fmt: skip
        figure.add_scatter(
            x=[float(each.min()), float(each.max())], y=[name] * 2, mode="markers", marker={"color": colour, "size": 6},
            hovertemplate="%{x:,.4f}<extra></extra>",
        )  # fmt: skip
    return _with_a_line_per_run(figure, len(runs), f"P&L over {duration_text(step)}, {currency}", legend=False)


def _with_a_line_per_run(figure: go.Figure, count: int, title: str, *, legend: bool) -> go.Figure:
    figure.update_layout(barmode="relative")
    figure.add_vline(x=0, line={"color": INK, "width": 1}, layer="below")
    styled(figure, 110 + 34 * max(count, 2), legend=legend)
    figure.update_xaxes(title_text=escape(title))
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False, ticks="")
    return figure
