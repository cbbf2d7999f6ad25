"""What a report says where it has several runs: the table of differences, the heat maps, the distributions.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*; a part of `twosided.explain.report`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from twosided.explain.basis import Basis
from twosided.explain.comparison_bootstrap import DRAWS
from twosided.explain.comparison_plots import alike_best, distribution_figure, grid_of, heat_map_figure
from twosided.explain.comparison_table import compare, comparison_columns, sentences, step_ns
from twosided.explain.plots import RUN_COLOURS, Picture, run_colour
from twosided.explain.words import unit_of
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND, duration_text

__all__ = ["comparison_section"]

Place = Callable[[Picture, str], dict[str, Any]]
"""Puts a picture with its label on the page."""


def comparison_section(
    runs: Sequence[Run], labels: Sequence[str], basis: Basis, results: Sequence[dict[str, Any]], place: Place
) -> dict[str, Any]:
    """Return what the template needs: sentences, a table per currency, pictures.

    Args:
        runs: at least two; the first is what the others are held against.
        labels: of the runs.
        basis: of *results*.
        results: `statistics` of each run.
        place: see `Place`.
    """
    frame = compare(runs, basis, results, labels)
    currencies = list(dict.fromkeys(frame["currency"]))
    few = len(runs) <= len(RUN_COLOURS)
    told = sentences(frame, labels)
    return {
        "first": labels[0],
        "sentences": [(text, doubtful) for text, doubtful in told if few or doubtful],
        "tables": [
            (each, comparison_columns(frame, each, labels, _unit_of_positions(runs, each), step_ns(runs[0]))) for each in currencies
        ],
        "lines": [(label, run_colour(index) if few else "") for index, label in enumerate(labels)],
        "caption": _caption(frame, labels[0]),
        "distributions": [place(distribution_figure(runs, labels, each), f"changes of equity, {each}") for each in currencies],
        "heat_maps": _heat_maps(runs, results, currencies, place),
    }


def _unit_of_positions(runs: Sequence[Run], currency: str) -> str:
    """Return what positions of the accounts in *currency* are counted in; empty where that is more than one thing."""
    units = {unit_of(each) for run in runs for each in run.instruments if each.currency == currency}
    return units.pop() if len(units) == 1 else ""


def _caption(frame: pl.DataFrame, first: str) -> str:
    found = frame.filter(pl.col("statistic") == "pnl")["block_s"].drop_nulls().to_list()
    lengths = dict.fromkeys(duration_text(round(seconds * NS_PER_SECOND)) for seconds in (min(found), max(found))) if found else {}
    blocks = f", each {' to '.join(lengths)} long" if lengths else ""
    return (
        f"Small: the difference from {first}, and its 95 % interval where it has one ({DRAWS:,} draws of blocks of time{blocks}, "
        "the same for both); where that does not hold zero, blue is better and vermilion worse."
    )


def _heat_maps(
    runs: Sequence[Run], results: Sequence[Mapping[str, Any]], currencies: Sequence[str], place: Place
) -> list[tuple[str, dict[str, Any]]]:
    """Return (title, figure) of P&L and drawdown by two parameters; nothing where runs form no grid."""
    grid = grid_of(runs)
    if grid is None:
        return []
    units = {name: each["unit"] for name, each in (runs[0].facts.get("parameters") or {}).items()}
    maps = []
    for currency in currencies:
        accounts = [next(each for each in result["accounts"] if each["currency"] == currency) for result in results]
        for title, values, alike in (
            ("P&L", [each["pnl"] for each in accounts], alike_best(runs, currency)),
            ("Largest drawdown", [-each["drawdown"] for each in accounts], []),
        ):
            figure = heat_map_figure(grid, values, currency, units=units, alike=alike)
            maps.append((f"{title} by parameters, {currency}", place(figure, f"{title} by parameters, {currency}")))
    return maps
