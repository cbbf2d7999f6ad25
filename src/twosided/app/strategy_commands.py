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
from twosided.strategies.catalogue import STRATEGIES, find_strategy
from twosided.strategies.contract import Param, Strategy

__all__ = ["strategies"]


@click.group()
def strategies() -> None:
    """List the shipped strategies and their parameters."""


@strategies.command("list")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def list_strategies(as_json: bool) -> None:
    """List the shipped strategies."""
    if as_json:
        print_json([_described(strategy) for strategy in STRATEGIES.values()])
        return
    table = Table("strategy", "what it does", show_edge=False)
    for strategy in STRATEGIES.values():
        table.add_row(strategy.name, _first_line(strategy))
    print_table(table)


@strategies.command(short_help="show the parameters of a strategy: unit, default, bounds")
@click.argument("name")
@click.option("--source", "with_source", is_flag=True, help="print the file that it is written in: a shipped one is an example")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def show(name: str, with_source: bool, as_json: bool) -> None:
    """Show what strategy NAME does and its parameters. NAME may also be your own: file.py:name."""
    strategy = find_strategy(name)
    if with_source:
        click.echo(Path(strategy.function.__code__.co_filename).read_text(encoding="utf-8"), nl=False)
        return
    if as_json:
        print_json(_described(strategy))
        return
    table = Table(
        "parameter", "default", "unit", "allowed", "meaning", show_edge=False, title=_first_line(strategy), title_justify="left"
    )
    for key, param in strategy.params.items():
        default = (
            "needed" if param.default is None else f"{param.default:g}" if isinstance(param.default, float) else str(param.default)
        )
        table.add_row(key, default, param.unit, _allowed(param), param.help)
    print_table(table)


def _first_line(strategy: Strategy) -> str:
    return (inspect.getdoc(strategy.function) or "").split("\n", 1)[0]


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
            "default": param.default,
            "unit": param.unit,
            "minimum": param.minimum if math.isfinite(param.minimum) else None,
            "maximum": param.maximum if math.isfinite(param.maximum) else None,
            "choices": list(param.choices),
            "integer": param.integer,
            "help": param.help,
        }
        for name, param in strategy.params.items()
    }
    return {"name": strategy.name, "help": _first_line(strategy), "params": params}
