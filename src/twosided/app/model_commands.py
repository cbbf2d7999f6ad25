"""``twosided models``: the quotes and schedules that a model calls optimal, as numbers to check or to plot.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.
"""

from typing import Any

import click
from rich.table import Table

from twosided.app.asset_command import assets
from twosided.app.console import print_json, print_table, say
from twosided.app.model_plot import write_plot
from twosided.app.schedule_commands import schedule
from twosided.errors import InputError
from twosided.models.quotes import MODELS, ModelParam, optimal_quotes

__all__ = ["models"]

DECLARED: dict[str, ModelParam] = {}
"""Every parameter of every model, as the first that needs it declares it; a name means the same in all of them."""
for _model in MODELS.values():
    for _name, _param in _model.params.items():
        if _name not in DECLARED or (_param.default is None and DECLARED[_name].default is not None):
            DECLARED[_name] = _param


@click.group()
def models() -> None:
    """Print what a model calls optimal: quotes, quotes in several assets, schedules."""


models.add_command(assets)
models.add_command(schedule)

_ELSEWHERE = {
    "multi_asset": ("models assets", "several correlated assets: Bergault, Evangelista, Guéant and Vieira 2021"),
    "almgren_chriss": ("models schedule almgren_chriss", "how fast to trade out of a position: Almgren and Chriss 2000"),
    "flattening": ("models schedule flattening", "the same in whole lots, within limits of the market"),
}
"""Models that answer another question than `models quotes`: the command that asks it, and what it is."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def list_models(as_json: bool) -> None:
    """List the models and their parameters."""
    if as_json:
        rows: list[dict[str, Any]] = [
            {"name": model.name, "help": model.help, "params": list(model.params), "command": f"models quotes {model.name}"}
            for model in MODELS.values()
        ]
        print_json(rows + [{"name": name, "help": what, "command": where} for name, (where, what) in _ELSEWHERE.items()])
        return
    table = Table(show_edge=False)
    for heading in ("model", "parameters", "what it is"):
        table.add_column(heading, overflow="fold")
    for model in MODELS.values():
        table.add_row(model.name, ", ".join(model.params), model.help)
    for name, (where, what) in _ELSEWHERE.items():
        table.add_row(name, f"twosided {where} --help", what)
    print_table(table)


@models.command(short_help="print the distances of bid and ask from the mid, one row per inventory")
@click.argument("model")
@click.option("--plot", metavar="FILE", help="draw them: an HTML page of its own, for example out/quotes.html")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def quotes(model: str, plot: str | None, as_json: bool, **values: Any) -> None:
    """Print MODEL's distances of bid and ask from the mid, one row per inventory (in quotes).

    Prices are in whatever unit the parameters share: ticks, or money.
    """
    if model in _ELSEWHERE:
        raise InputError(f"{model} is not asked here; see twosided {_ELSEWHERE[model][0]} --help")
    given = {name: value for name, value in values.items() if value is not None}
    quoted = optimal_quotes(model, **given)
    rows = quoted.rows()
    if plot is not None:
        say(f"plot: {write_plot(quoted, model, given, plot)}")
    if as_json:
        print_json(rows)
        return
    table = Table("q", "bid below mid", "ask above mid", show_edge=False)
    for row in rows:
        table.add_row(str(row["q"]), *("no quote" if row[side] is None else f"{row[side]:.6f}" for side in ("bid", "ask")))
    print_table(table)


for _name, _param in DECLARED.items():
    _default = "" if _param.default is None else f", default {_param.default:g}"
    quotes.params.append(
        click.Option([f"--{_name.replace('_', '-')}", _name], metavar="NUMBER", help=f"{_param.help} ({_param.unit}{_default})")
    )
