"""``twosided simulate``: quoters against thousands of simulated futures, and what tells them apart.

Where you are in the pipe: all of it: events -> strategy -> venue -> fills -> ledger -> explanation.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from twosided.app.assignments import assigned
from twosided.app.config import Draft
from twosided.app.console import ReplayProgress, print_json, print_table, say
from twosided.app.options import SIMULATION, put_given, with_settings
from twosided.app.presets import PRESETS
from twosided.app.presets_answer import Asked, answer_table
from twosided.engines.montecarlo import simulate as run_simulation
from twosided.engines.montecarlo_result import Simulation
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.errors import InputError, suggest
from twosided.explain.simulation_report import write_simulation_report
from twosided.explain.simulation_summary import market_words, simulation_lines, simulation_results, simulation_rows
from twosided.explain.table import rich_table
from twosided.strategies.catalogue import find_strategy
from twosided.strategies.contract import Strategy

__all__ = ["simulate"]

INTERRUPTED = 130
_MOST_TRACED = 2_000_000
"""Steps of a path that a report draws; a longer path is left out."""


@with_settings(*SIMULATION)
@click.command(short_help="let quoters live through thousands of simulated futures")
@click.option(
    "--compare", "compared", metavar="NAME,NAME", help="strategies, shipped or your own (file.py:name), on the same futures"
)
@click.option("--preset", metavar="NAME", help=f"a published setting, with its claims: {', '.join(PRESETS)}")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="a parameter of the strategies; again for more")
@click.option(
    "--risk-aversion",
    type=float,
    metavar="GAMMA",
    help="of the certainty equivalent, 1/money  [default: gamma of the first strategy that has one]",
)
@click.option("--cores", type=int, metavar="NUMBER", help="threads; no result depends on it  [default: all cores]")
@click.option("--out", metavar="FILE", help="write an HTML report, for example out/simulation.html")
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of the table")
@click.option("--quiet", is_flag=True, help="no progress and no remarks on standard error")
@click.pass_context
def simulate(
    ctx: click.Context,
    /,
    compared: str | None,
    preset: str | None,
    assignments: tuple[str, ...],
    risk_aversion: float | None,
    cores: int | None,
    out: str | None,
    as_json: bool,
    quiet: bool,
    **values: Any,
) -> None:
    """Simulate quoters on the same futures: P&L, inventory and Sharpe side by side, and their differences path by path.

    Strategies that need sigma, A or k get those of the simulated market unless --set says otherwise.
    """
    draft = Draft()
    put_given(draft, SIMULATION, values)
    if preset is not None:
        if compared or assignments or out or risk_aversion is not None:
            raise InputError("--preset says itself who quotes; allowed beside it: settings of the market, --cores and --json")
        _answer_preset(preset, Asked(draft, cores), as_json=as_json)
        return
    if not compared:
        raise InputError("nobody quotes; name strategies with --compare, for example --compare fixed,glft, or a --preset")
    if out and Path(out).suffix.lower() != ".html":
        raise InputError(f"--out is {out!r}; allowed: a file that ends in .html")
    settings = draft.section("simulation", SimulationSettings)
    quoters = _quoters(compared, assignments)
    gamma = risk_aversion if risk_aversion is not None else _gamma(list(quoters.values()))
    if gamma is not None and not 0.0 < gamma < 1e12:
        raise InputError(f"--risk-aversion is {gamma!r}; allowed: a positive number, in 1/money")
    traced = int(bool(out) and settings.steps * len(quoters) <= _MOST_TRACED)
    with ReplayProgress(quiet=quiet).shown() as progress:
        found = run_simulation(quoters, settings, keep_paths=traced, cores=cores, progress=progress)
    _show(found, gamma, as_json=as_json)
    if out:
        write_simulation_report(found, Path(out), gamma)
        say(f"report: {out}", quiet=quiet)
    if not found.complete:
        say(f"stopped by Ctrl-C after {found.paths:,} of {settings.paths:,} paths", quiet=quiet)
        ctx.exit(INTERRUPTED)


def _answer_preset(name: str, asked: Asked, *, as_json: bool) -> None:
    if name not in PRESETS:
        raise InputError(f"--preset is {name!r}{suggest(name, PRESETS)}")
    answer = PRESETS[name].answer(asked)
    if as_json:
        print_json({"preset": name, **answer.json()})
    else:
        print_table(answer_table(answer))


def _quoters(compared: str, assignments: Sequence[str]) -> dict[str, Strategy]:
    """Return the strategies by name; one that is named twice is told apart by a number."""
    names = [name.strip() for name in compared.split(",") if name.strip()]
    if not names:
        raise InputError(f"--compare is {compared!r}; allowed: names of strategies with commas between, for example fixed,glft")
    strategies = assigned([find_strategy(name) for name in names], assignments)
    found: dict[str, Strategy] = {}
    for each in strategies:
        if each.name in found:
            raise InputError(f"--compare names {each.name} twice; allowed: each strategy once")
        found[each.name] = each
    return found


def _gamma(strategies: Sequence[Strategy]) -> float | None:
    """Return the risk aversion of the first strategy that has one."""
    for each in strategies:
        value = each.values.get("gamma", each.params["gamma"].default if "gamma" in each.params else None)
        if value is not None:
            return float(value)
    return None


def _show(found: Simulation, gamma: float | None, *, as_json: bool) -> None:
    lines = simulation_lines(found, gamma)
    if as_json:
        print_json(simulation_results(found, lines))
        return
    labels = [*found.names, *(f"{name} − {found.names[0]}" for name in found.names[1:])]
    told = [f"{market_words(found)}\n± one standard error; differences path by path, 95 % intervals"]
    print_table(rich_table(simulation_rows(lines), labels, assumed=told))
