"""``twosided models schedule``: when to trade out of a position.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.
"""

import importlib
import math
from typing import Any

import click
from rich.table import Table

from twosided.app.console import print_json, print_table, say
from twosided.app.lists import repeated, whole_numbers
from twosided.app.schedule_plot import frontier_figure, left_figure, lots_figure
from twosided.errors import InputError
from twosided.explain.page import write_pictures
from twosided.models.almgren_chriss import Market, efficient_frontier, liquidate

__all__ = ["schedule"]

_ROWS = 11  # of the table in continuous time
_PLOT = click.option("--plot", metavar="FILE", help="draw it: an HTML page of its own, for example out/schedule.html")
_JSON = click.option("--json", "as_json", is_flag=True, help="print JSON")


@click.group()
def schedule() -> None:
    """Print when to trade out of a position."""


@schedule.command("almgren_chriss", short_help="weigh what trading costs against what waiting risks, units of any size")
@click.option("--position", type=float, required=True, help="what is held, units, signed")
@click.option("--horizon-s", type=float, required=True, help="seconds in which it must be gone")
@click.option("--sigma", type=float, required=True, help="volatility of the mid (price/sqrt(s))")
@click.option("--temporary", type=float, required=True, help="temporary impact (price per unit a second)")
@click.option("--permanent", type=float, default=0.0, show_default=True, help="permanent impact (price per unit)")
@click.option("--fixed", type=float, default=0.0, show_default=True, help="half the spread plus fees (price)")
@click.option("--risk-aversion", type=float, default=0.0, show_default=True, help="1/money; 0 trades at an even pace")
@click.option("--buckets", type=int, help="equal buckets of time; without it, time is continuous")
@_PLOT
@_JSON
def almgren_chriss(
    position: float,
    horizon_s: float,
    risk_aversion: float,
    buckets: int | None,
    plot: str | None,
    as_json: bool,
    **market: float,
) -> None:
    """Print the schedule of Almgren and Chriss (2000): what is left when, what it costs, and how uncertain that is."""
    costs: dict[str, Any] = {"position": position, "horizon_s": horizon_s, "buckets": buckets}
    best = liquidate(Market(**market), **costs, risk_aversion=risk_aversion)
    deviation = math.sqrt(best.variance)
    if plot is not None:
        pictures = [("What is left", left_figure(best))]
        if risk_aversion > 0.0:
            around = [risk_aversion * 10 ** (step / 8 - 3) for step in range(49)]
            pictures.append(
                (
                    "What else could be chosen",
                    frontier_figure(efficient_frontier(Market(**market), **costs, risk_aversions=around), best),
                )
            )
        say(f"plot: {write_pictures(plot, 'Almgren-Chriss: trading out of a position', pictures)}")
    if as_json:
        print_json(
            {
                "times_s": best.times_s.tolist(),
                "left": best.left.tolist(),
                "traded": best.traded.tolist(),
                "mean_cost": best.mean,
                "std_cost": deviation,
                "kappa_per_s": best.kappa,
            }
        )
        return
    table = Table(
        "after, s",
        "left",
        "traded since",
        show_edge=False,
    )
    every = 1 if buckets else (len(best.times_s) - 1) // (_ROWS - 1)
    before = position
    for time, left in zip(best.times_s[::every], best.left[::every], strict=True):
        table.add_row(f"{time:.6g}", f"{left + 0.0:.6g}", f"{before - left:.6g}")  # + 0: no minus before a zero
        before = float(left)
    print_table(table)
    click.echo(f"cost {best.mean:.6g}, standard deviation {deviation:.6g}")


@schedule.command("flattening", short_help="the same in whole lots, within what the market and its rules allow (OR-Tools)")
@click.option("--position-lots", type=int, required=True, help="what is held, lots, signed")
@click.option("--temporary", type=whole_numbers, required=True, metavar="NUMBERS", help="quanta per lot and lot traded, per bucket")
@click.option("--buckets", type=click.IntRange(1), help="how many buckets of time, where one number is given for all of them")
@click.option("--permanent", type=int, default=0, show_default=True, help="quanta per lot, for each lot traded so far")
@click.option("--risk", type=int, default=0, show_default=True, help="quanta per lot² that is left after a bucket")
@click.option("--order-cost", type=int, default=0, show_default=True, help="quanta per bucket in which anything is traded")
@click.option("--volume-lots", type=whole_numbers, metavar="NUMBERS", help="what the market trades in each bucket; 0: it is closed")
@click.option("--max-participation", type=float, default=1.0, show_default=True, help="share of it that may be ours")
@click.option("--multiple-lots", type=int, default=1, show_default=True, help="orders are whole multiples of it")
@click.option("--min-order-lots", type=int, default=0, show_default=True, help="the smallest order")
@click.option("--room", type=whole_numbers, metavar="NUMBERS", help="quanta by which the price may be pushed, per bucket")
@click.option(
    "--effort-s", type=click.FloatRange(0, min_open=True), default=2.0, show_default=True, help="how long to look for better"
)
@_PLOT
@_JSON
def flattening(
    temporary: tuple[int, ...], buckets: int | None, effort_s: float, plot: str | None, as_json: bool, **problem: Any
) -> None:
    """Print the cheapest schedule of whole lots, or say which limit leaves none.

    NUMBERS is one for each bucket, with commas between them, or one for all. Money counts in quanta of any size.
    """
    solver = importlib.import_module("twosided.models.flattening")
    temporary = repeated(temporary, buckets or 1)
    if buckets is not None and len(temporary) != buckets:
        raise InputError(f"--buckets is {buckets}, and --temporary has {len(temporary)} numbers; allowed: as many, or one for all")
    for name in ("volume_lots", "room"):
        problem[name] = problem[name] and repeated(problem[name], len(temporary))
    asked = solver.Flattening(temporary=temporary, **problem)
    found = solver.schedule(asked, effort_s=effort_s)
    if plot is not None:
        most = [volume * asked.max_participation for volume in asked.volume_lots] if asked.volume_lots else None
        figure = lots_figure(found.lots, (asked.position_lots, *found.left), most)
        say(f"plot: {write_pictures(plot, 'Trading out of a position in whole lots', [('', figure)])}")
    if as_json:
        facts = {"cost": found.twice_cost / 2, "no_schedule_below": found.twice_bound / 2, "proved": found.proved}
        print_json({"lots": found.lots, "left": found.left, **facts})
        return
    said = "no schedule is cheaper" if found.proved else f"no schedule costs less than {found.twice_bound / 2:,.1f}"
    table = Table("bucket", "lots", "left", show_edge=False)
    for number, (lots, left) in enumerate(zip(found.lots, found.left, strict=True), 1):
        table.add_row(str(number), f"{lots:+d}" if lots else "0", str(left))
    print_table(table)
    click.echo(f"cost {found.twice_cost / 2:,.1f} quanta; {said}")
