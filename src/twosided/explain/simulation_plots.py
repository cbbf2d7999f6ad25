"""Pictures of a simulation: distributions of quoters over each other, differences path by path, and one path from near.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*. Style and colours are those of `twosided.explain.plots`.
"""

from html import escape

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from twosided.engines.montecarlo_result import Simulation
from twosided.engines.montecarlo_world import TRACE
from twosided.explain.plots import INK, MARKET, MINUS, PLUS, Picture, faint, run_colour, styled, zero_line

__all__ = ["difference_figure", "distribution_figure", "frontier_figure", "path_figure"]

Floats = npt.NDArray[np.float64]

_MOST_BINS = 60
_LEAST = 20  # paths; fewer show no shape
_SHOWN = (0.001, 0.999)
_POINTS = 1500


def distribution_figure(simulation: Simulation, column: str, title: str, height: int = 300) -> Picture:
    """Return the distributions of one figure over the sampled paths, all quoters on one scale; a mark at each mean."""
    if len(simulation.sample) < _LEAST:
        return f"Fewer than {_LEAST} paths show no distribution."
    values = [simulation.values(name, column) for name in simulation.names]
    edges = _edges(np.concatenate(values), whole=column == "position")
    figure = go.Figure()
    for k, (name, own) in enumerate(zip(simulation.names, values, strict=True)):
        counts, _ = np.histogram(np.clip(own, edges[0], edges[-1]), edges)
        share = 100.0 * counts / len(own)
        colour = run_colour(k)
        figure.add_scatter(
            x=np.repeat(edges, 2),
            y=np.concatenate(([0.0], np.repeat(share, 2), [0.0])),
            name=escape(name),
            legendgroup=name,
            line={"color": colour, "width": 1.6},
            fill="tozeroy",
            fillcolor=faint(colour, 0.18),
            hovertemplate=f"%{{x:,.4g}}<br>%{{y:.2f}} % of paths<extra>{escape(name)}</extra>",
        )
        figure.add_vline(x=float(own.mean()), line={"color": colour, "width": 1.6, "dash": "dash"})
    if edges[0] < 0.0 < edges[-1]:
        figure.add_vline(x=0.0, line={"color": INK, "width": 1}, layer="below")
    styled(figure, height, legend=len(values) > 1)
    figure.update_xaxes(title_text=title, range=[float(edges[0]), float(edges[-1])])
    figure.update_yaxes(title_text="% of paths", rangemode="tozero")
    return figure


def _edges(values: Floats, *, whole: bool = False) -> Floats:
    """Return the edges of bins that hold nearly all of *values*, the rest at their ends; of whole numbers, centred on them."""
    low, high = (float(np.quantile(values, level)) for level in _SHOWN)
    bins = int(min(_MOST_BINS, 2.0 * len(values) ** (1.0 / 3.0)))  # Rice's rule
    if whole and np.array_equal(values, np.round(values)) and high - low < 4 * _MOST_BINS:
        every = max(1, int(np.ceil((high - low + 1) / _MOST_BINS)))
        return np.arange(np.floor(low) - 0.5, np.ceil(high) + every + 0.5, every)
    pad = 0.02 * (high - low) or 0.5
    return np.linspace(low - pad, high + pad, bins + 1, dtype=np.float64)


def difference_figure(simulation: Simulation, column: str, title: str, height: int = 300) -> Picture:
    """Return the distribution, path by path, of what each quoter had more than the first."""
    if len(simulation.names) < 2:
        return "One quoter alone differs from nobody."
    if len(simulation.sample) < _LEAST:
        return f"Fewer than {_LEAST} paths show no distribution."
    base = simulation.values(simulation.names[0], column)
    found = [simulation.values(name, column) - base for name in simulation.names[1:]]
    edges = _edges(np.concatenate(found))
    figure = go.Figure()
    for k, (name, own) in enumerate(zip(simulation.names[1:], found, strict=True), 1):
        counts, _ = np.histogram(np.clip(own, edges[0], edges[-1]), edges)
        middles = 0.5 * (edges[1:] + edges[:-1])
        colours = [PLUS if middle > 0.0 else MINUS for middle in middles] if len(found) == 1 else run_colour(k)
        label = f"{name} − {simulation.names[0]}"
        figure.add_bar(
            x=middles,
            y=100.0 * counts / len(own),
            name=escape(label),
            marker={"color": colours, "line": {"width": 0}},
            opacity=0.85 if len(found) == 1 else 0.55,
            hovertemplate=f"%{{x:,.4g}}<br>%{{y:.2f}} % of paths<extra>{escape(label)}</extra>",
        )
    figure.add_vline(x=0.0, line={"color": INK, "width": 1})
    styled(figure, height, legend=len(found) > 1)
    figure.update_layout(barmode="overlay", bargap=0.06)
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(title_text="% of paths")
    return figure


def frontier_figure(simulation: Simulation, height: int = 300) -> Picture:
    """Return mean against risk: each quoter a point, with 95 % intervals."""
    figure = go.Figure()
    for k, name in enumerate(simulation.names):
        mean, deviation = simulation.mean(name), simulation.deviation(name)
        figure.add_scatter(
            x=[deviation.value],
            y=[mean.value],
            error_x={"array": [1.96 * deviation.error], "color": run_colour(k), "thickness": 1.4, "width": 4},
            error_y={"array": [1.96 * mean.error], "color": run_colour(k), "thickness": 1.4, "width": 4},
            mode="markers",
            name=escape(name),
            cliponaxis=False,
            marker={"size": 11, "color": run_colour(k)},
            hovertemplate=f"standard deviation %{{x:,.4g}}<br>mean %{{y:,.4g}}<extra>{escape(name)}</extra>",
        )
    means = [simulation.mean(name).value for name in simulation.names]
    styled(figure, height)
    figure.update_xaxes(title_text="standard deviation of the P&L", rangemode="tozero")
    low, high = min(0.0, *means), max(0.0, *means)
    figure.update_yaxes(title_text="mean P&L", range=[low - 0.12 * (high - low), high + 0.2 * (high - low)])
    zero_line(figure)
    return figure


def path_figure(simulation: Simulation, path: int = 0, height: int = 720) -> Picture:
    """Return one path: mid and quotes of each quoter, their inventories and P&L over time."""
    if path >= len(simulation.trace):
        return "No path was kept step by step."
    steps = simulation.trace.shape[2]
    chosen = np.unique(np.linspace(0, steps - 1, min(steps, _POINTS)).astype(np.int64))
    seconds = chosen.astype(np.float64) * simulation.settings.step_s
    rows = simulation.trace[path][:, chosen]
    titles = ("mid", "quotes from the mid", "inventory", "P&L")
    figure = make_subplots(rows=4, cols=1, shared_xaxes=True, vertical_spacing=0.04, row_heights=[0.22, 0.3, 0.22, 0.26])
    figure.add_scatter(x=seconds, y=rows[0, :, 0], name="mid", showlegend=False, line={"color": MARKET, "width": 1.4}, row=1, col=1)
    for k, name in enumerate(simulation.names):
        _add_quoter(figure, seconds, rows[k], name, run_colour(k))
    for row in (2, 3, 4):
        zero_line(figure, row=row, col=1)
    styled(figure, height)
    for row, title in enumerate(titles, 1):
        figure.update_yaxes(title_text=title, row=row, col=1)
    figure.update_xaxes(title_text="seconds", row=4, col=1)
    return figure


def _add_quoter(figure: go.Figure, seconds: Floats, rows: Floats, name: str, colour: str) -> None:
    quotes = (TRACE.index("bid"), TRACE.index("ask"))
    for column in quotes:
        figure.add_scatter(
            x=seconds,
            y=rows[:, column] - rows[:, 0],
            name=escape(name),
            legendgroup=name,
            showlegend=column == quotes[0],
            line={"color": colour, "width": 1, "shape": "hv"},
            hovertemplate=f"%{{y:+,.4g}}<extra>{escape(name)} {TRACE[column]}</extra>",
            row=2,
            col=1,
        )
    for place, column in ((3, TRACE.index("position")), (4, TRACE.index("pnl"))):
        figure.add_scatter(
            x=seconds,
            y=rows[:, column],
            legendgroup=name,
            showlegend=False,
            line={"color": colour, "width": 1.4, "shape": "hv"},
            hovertemplate=f"%{{y:,.5g}}<extra>{escape(name)} {TRACE[column]}</extra>",
            row=place,
            col=1,
        )
