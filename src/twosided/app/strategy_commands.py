"""``twosided strategies``: what can be chosen with ``--strategy``, and what can be said with ``--set``.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

import inspect
import math
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from twosided.app.console import print_json, print_table
from twosided.strategies.catalogue import OVERLAYS, PRESETS, STRATEGIES, find_part
from twosided.strategies.chain import Stage, stages_of
from twosided.strategies.contract import Param, Strategy

__all__ = ["strategies"]


@click.group()
def strategies() -> None:
    """List the shipped strategies and overlays, and their parameters."""


@strategies.command("list")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def list_strategies(as_json: bool) -> None:
    """List the shipped strategies, and the overlays that can be added to them: --strategy glft+volatility_width+inventory_size."""
    overlays = [each.declared for each in OVERLAYS.values()]
    if as_json:
        kinds = (("strategy", STRATEGIES.values()), ("preset", PRESETS.values()), ("overlay", overlays))
        print_json([{"kind": kind, **_described(each)} for kind, parts in kinds for each in parts])
        return
    for title, parts in (("strategy", STRATEGIES.values()), ("+ overlay", overlays)):
        table = Table(title, "what it does", show_edge=False)
        for each in parts:
            table.add_row(each.name, *_first_lines(each))
        print_table(table)
    table = Table("preset", "composed of", show_edge=False)
    for each in PRESETS.values():
        table.add_row(each.name, "+".join(_parts(each)))
    print_table(table)


@strategies.command(short_help="show the parameters of a strategy: unit, default, bounds")
@click.argument("name")
@click.option("--source", "with_source", is_flag=True, help="print the file that it is written in: a shipped one is an example")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def show(name: str, with_source: bool, as_json: bool) -> None:
    """Show what a strategy, an overlay or a strategy with overlays does, and its parameters.

    NAME may also be your own: file.py:name.
    """
    strategy = find_part(name)
    if with_source:
        for file in dict.fromkeys(stage.__code__.co_filename for stage in _stages(strategy)):
            click.echo(Path(file).read_text(encoding="utf-8"), nl=False)
        return
    if as_json:
        print_json(_described(strategy))
        return
    table = Table(
        "parameter",
        "default",
        "unit",
        "allowed",
        "meaning",
        show_edge=False,
        title="\n".join(_first_lines(strategy)),
        title_justify="left",
    )
    for key, param in strategy.params.items():
        value = strategy.values.get(key, param.default)
        default = "needed" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
        table.add_row(key, default, param.unit, _allowed(param), param.help)
    print_table(table)


def _stages(strategy: Strategy) -> tuple[Stage, ...]:
    """Return what a strategy is put together of, but for the stage that turns every plan into quotes."""
    stages = stages_of(strategy.function)
    return stages[:-1] or stages


def _parts(strategy: Strategy) -> list[str]:
    """Return the names of what a strategy is put together of, in the order in which they act."""
    return [stage.__name__ for stage in _stages(strategy)]


def _first_lines(strategy: Strategy) -> list[str]:
    """Return what each part of a strategy does, in the order in which they act."""
    return [(inspect.getdoc(stage) or "").split("\n", 1)[0] for stage in _stages(strategy)]


def _allowed(param: Param) -> str:
    if param.choices:
        return ", ".join(param.choices)
    low = f"{param.minimum:g} ≤ " if param.minimum > -math.inf else ""
    high = f" ≤ {param.maximum:g}" if param.maximum < math.inf else ""
    kind = "whole number" if param.integer else "number"
    return f"{low}{kind}{high}"


def _described(strategy: Strategy) -> dict[str, Any]:
    params = {
        name: {
            "default": strategy.values.get(name, param.default),
            "unit": param.unit,
            "minimum": param.minimum if math.isfinite(param.minimum) else None,
            "maximum": param.maximum if math.isfinite(param.maximum) else None,
            "choices": list(param.choices),
            "integer": param.integer,
            "help": param.help,
        }
        for name, param in strategy.params.items()
    }
    return {"name": strategy.name, "parts": _parts(strategy), "help": "\n".join(_first_lines(strategy)), "params": params}
