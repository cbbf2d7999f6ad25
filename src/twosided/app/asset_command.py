"""``twosided models assets``: quotes in several correlated assets.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.
"""

import math
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from rich.table import Table

from twosided.app.console import print_json, print_table, say
from twosided.app.lists import numbers, repeated
from twosided.errors import InputError
from twosided.explain.page import write_pictures
from twosided.explain.plots import MINUS, PLUS, styled
from twosided.models.multi_asset import coefficients, distances

__all__ = ["assets"]

_FARTHEST = 10  # quotes of inventory in the picture


@click.command(short_help="print quotes in several correlated assets, at one inventory of each")
@click.option("--sigma", type=numbers, required=True, metavar="NUMBERS", help="volatility of each mid (price/sqrt(s))")
@click.option(
    "--correlation",
    type=numbers,
    required=True,
    metavar="NUMBERS",
    help="of the mids: of 1 and 2, 1 and 3, …, 2 and 3, …; or one for all",
)
@click.option("--A", "level", type=numbers, required=True, metavar="NUMBERS", help="fills per second at the mid, on each side")
@click.option("--k", type=numbers, required=True, metavar="NUMBERS", help="decay of the intensity (1/price)")
@click.option("--gamma", type=float, required=True, help="risk aversion (1/money)")
@click.option("--size", type=numbers, default="1", metavar="NUMBERS", help="of the quotes, units  [default: 1]")
@click.option("--mu", type=numbers, default="0", metavar="NUMBERS", help="drift of the mids (price/s)  [default: 0]")
@click.option("--horizon-s", type=float, default=math.inf, help="time left; without it, the solution for an infinite horizon")
@click.option("--inventory", type=numbers, default="0", metavar="NUMBERS", help="held of each asset, units, signed  [default: 0]")
@click.option("--plot", metavar="FILE", help="draw the quotes against the inventory of the first asset: an HTML page of its own")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def assets(
    sigma: tuple[float, ...],
    correlation: tuple[float, ...],
    gamma: float,
    horizon_s: float,
    inventory: tuple[float, ...],
    plot: str | None,
    as_json: bool,
    **each: tuple[float, ...],
) -> None:
    """Print where to quote several correlated assets (Bergault, Evangelista, Guéant, Vieira 2021).

    NUMBERS is one for each asset, with commas between them, or one for all.
    """
    n = len(sigma)
    problem: dict[str, Any] = {"covariance": _covariance(sigma, correlation), "gamma": gamma, "remaining_s": horizon_s}
    problem |= {{"level": "A"}.get(name, name): np.array(repeated(values, n)) for name, values in each.items()}
    held = np.array(repeated(inventory, n))
    bid, ask = distances(held, **problem)
    if plot is not None:
        say(f"plot: {write_pictures(plot, f'Quotes in {n} correlated assets', [('', _figure(held, problem))])}")
    if as_json:
        a, b = coefficients(**problem)
        rows = [{"inventory": q, "bid": below, "ask": above} for q, below, above in zip(held, bid, ask, strict=True)]
        print_json({"assets": rows, "a": a.tolist(), "b": b.tolist()})
        return
    table = Table("asset", "inventory", "bid below mid", "ask above mid", show_edge=False)
    for number, (q, below, above) in enumerate(zip(held, bid, ask, strict=True), 1):
        table.add_row(str(number), f"{q:g}", f"{below:.6f}", f"{above:.6f}")
    print_table(table)


def _covariance(sigma: tuple[float, ...], correlation: tuple[float, ...]) -> npt.NDArray[np.float64]:
    n = len(sigma)
    if not all(each >= 0.0 and math.isfinite(each * each) for each in sigma):
        raise InputError(f"--sigma is {','.join(f'{each:g}' for each in sigma)}; allowed: numbers of 0 or more")
    pairs = n * (n - 1) // 2
    given = repeated(correlation, pairs)
    if len(given) != pairs or not all(-1.0 <= each <= 1.0 for each in given):
        shown = ",".join(f"{each:g}" for each in correlation)
        raise InputError(
            f"--correlation is {shown}; allowed: from -1 to 1, one number for all, or {pairs} for the pairs of {n} assets"
        )
    matrix = np.eye(n)
    matrix[np.triu_indices(n, 1)] = given
    return np.outer(sigma, sigma) * (matrix + np.triu(matrix, 1).T)


def _figure(held: npt.NDArray[np.float64], problem: dict[str, Any]) -> go.Figure:
    n, size = len(held), problem["size"]
    figure = make_subplots(rows=n, cols=1, shared_xaxes=True, vertical_spacing=0.16 / n)
    first = size[0] * np.arange(-_FARTHEST, _FARTHEST + 1.0)
    inventories = np.tile(held, (len(first), 1))
    inventories[:, 0] = first
    bid, ask = distances(inventories, **problem)
    for row in range(n):
        for name, quote, colour in (("ask", ask, MINUS), ("bid", -bid, PLUS)):
            look = {"color": colour, "width": 1.8}
            figure.add_scatter(x=first, y=quote[:, row], name=name, line=look, showlegend=row == 0, row=row + 1, col=1)
        figure.update_yaxes(title_text=f"asset {row + 1}: quote − mid", row=row + 1, col=1)
    styled(figure, 140 + 220 * n)
    figure.update_xaxes(title_text="inventory of asset 1, units (the others as given)", row=n, col=1)
    return figure
