"""``twosided scenario``: a quoter in a market that gets rough on purpose, and whether it behaved.

Where you are in the pipe: all of it; a thin layer over `twosided.research.scenario`.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from twosided.app.assignments import assigned
from twosided.app.console import print_json, print_table, say
from twosided.app.warm_up import COMPILING, is_compiled
from twosided.errors import InputError, suggest
from twosided.research.expectations import FAIL, PASS, Check
from twosided.research.scenario import Scenario, Trial, prepared, run_scenario
from twosided.research.scenario_plots import write_scenario_page
from twosided.research.scenario_verdicts import ROSTER, failures, surprises
from twosided.research.scenario_watch import watched
from twosided.research.scenarios import SCENARIOS
from twosided.strategies.catalogue import find_strategy
from twosided.strategies.contract import Strategy

__all__ = ["scenario"]

_STYLES = {PASS: "blue", FAIL: "red"}


@click.command(short_help="put a strategy through a volatility spike, a flash crash, a halt, …, and check what it did")
@click.argument("name", metavar="NAME|list|all")
@click.option(
    "--strategy", "names", multiple=True, metavar="NAME", help="a shipped strategy, or your own: file.py:name; again for more"
)
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="a parameter of the strategies; again for more")
@click.option("--seed", default=1, show_default=True, help="another seed is another market of the same kind")
@click.option("--out", metavar="DIR", help="write a page with a picture for each scenario")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.option("--quiet", is_flag=True, help="no remarks on standard error")
def scenario(
    name: str, names: tuple[str, ...], assignments: tuple[str, ...], seed: int, out: str | None, as_json: bool, quiet: bool
) -> None:
    """Let strategies live through a scenario, and check what is expected of them.

    NAME is a scenario; "list" says which there are; "all" runs every one of them, over the shipped strategies if none is named.

    Parameters that nobody sets are those of the lab, which suit its market; docs/scenarios.md has them, and how to write your own.
    """
    if name == "list":
        _list(as_json=as_json)
        return
    if name not in SCENARIOS and name != "all":
        raise InputError(f"scenario {name!r} is unknown{suggest(name, [*SCENARIOS, 'list', 'all'])}")
    if not names and name != "all":
        raise InputError("no strategy is given; name one with --strategy, for example --strategy glft+volatility_width")
    if not is_compiled():
        say(COMPILING, quiet=quiet)
    strategies = _strategies(names or ROSTER, assignments)
    chosen = list(SCENARIOS.values()) if name == "all" else [SCENARIOS[name]]
    ready = [watched(each) for each in strategies]
    trials = {each.name: run_scenario(each, ready, seed=seed) for each in chosen}
    if out:
        for each, found in trials.items():
            say(f"picture: {write_scenario_page(str(Path(out) / f'{each}.html'), found)}", quiet=quiet)
    if as_json:
        print_json([_facts(each, trials[each.name]) for each in chosen])
    elif name == "all":
        _print_matrix(trials, known=not names and not assignments and seed == 1)
    else:
        for trial in trials[name]:
            print_table(_checks_table(trial))


def _strategies(names: Sequence[str], assignments: Sequence[str]) -> list[Strategy]:
    """Return strategies with what was assigned, and else the parameters of the lab."""
    ready = [prepared(each) for each in assigned([find_strategy(each) for each in names], assignments)]
    for each in ready:
        each.resolved()
    return ready


def _list(*, as_json: bool) -> None:
    if as_json:
        print_json([_described(each) for each in SCENARIOS.values()])
        return
    table = Table("scenario", "what happens", "market time", show_edge=False)
    for each in SCENARIOS.values():
        table.add_row(each.name, each.sentence, f"{each.seconds:g} s")
    print_table(table)


def _described(one: Scenario) -> dict[str, Any]:
    expected = [{"expectation": each.name, "rule": each.rule, "unit": each.unit} for each in one.expectations]
    return {"scenario": one.name, "sentence": one.sentence, "how": one.how, "seconds": one.seconds, "expectations": expected}


def _facts(one: Scenario, trials: Sequence[Trial]) -> dict[str, Any]:
    strategies = [
        {
            "strategy": trial.run.facts["strategy"],
            "params": trial.run.facts["params"],
            "fills": trial.run.fills.height,
            "digest": trial.run.digest(),
            "checks": [_check_facts(each) for each in trial.checks],
        }
        for trial in trials
    ]
    return {"scenario": one.name, "sentence": one.sentence, "strategies": strategies}


def _check_facts(one: Check) -> dict[str, Any]:
    return {
        "expectation": one.expectation,
        "rule": one.rule,
        "measured": one.measured if one.measured is not None and math.isfinite(one.measured) else None,
        "found": one.found,
        "unit": one.unit,
        "allowed": one.allowed,
        "verdict": one.verdict,
        "remark": one.remark,
    }


def _checks_table(trial: Trial) -> Table:
    title = f"{trial.scenario.name}: {trial.run.facts['strategy']}, {trial.run.fills.height} fills"
    table = Table(title=title, title_justify="left", show_edge=False, caption=trial.scenario.sentence, caption_justify="left")
    for heading in ("expectation", "rule", "measured", "allowed", "verdict"):
        table.add_column(heading, justify="right" if heading == "measured" else "left")
    for one in trial.checks:
        table.add_row(one.expectation, one.rule, one.found, one.allowed, Text(one.verdict, style=_STYLES.get(one.verdict, "dim")))
    return table


def _print_matrix(trials: dict[str, list[Trial]], *, known: bool) -> None:
    """Print how many expectations each strategy met, and which it did not; of the shipped ones also why that is right."""
    table = Table(title="expectations met, of those that applied", title_justify="left", show_edge=False)
    table.add_column("strategy", overflow="fold")
    for name in trials:
        table.add_column(name.replace("-", "\n"), justify="right", vertical="bottom")
    for place, trial in enumerate(next(iter(trials.values()))):
        name = trial.run.facts["strategy"].replace("+", "\n+")
        table.add_row(name, *(_cell(found[place]) for found in trials.values()))
    print_table(table)
    not_met = Table(title="what was not met", title_justify="left", show_edge=False, show_lines=True, expand=True)
    for heading, share in (("scenario", 3), ("expectation", 2), ("by", 4), *([("why", 7)] if known else [])):
        not_met.add_column(heading, overflow="fold", ratio=share)
    for name, found in trials.items():
        for expectations, strategies, reason in failures(found):
            not_met.add_row(name, expectations, strategies, *([reason] if known else []))
    print_table(not_met)
    for found in trials.values() if known else ():
        for sentence in surprises(found):
            click.echo(f"{found[0].scenario.name}: {sentence}")


def _cell(trial: Trial) -> Text:
    judged = [each for each in trial.checks if each.verdict in _STYLES]
    passed = sum(each.verdict == PASS for each in judged)
    return Text(f"{passed}/{len(judged)}", style=_STYLES[PASS if passed == len(judged) else FAIL])
