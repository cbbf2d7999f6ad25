"""The pictures of `twosided models schedule --plot FILE`: what is left when, and what else could be chosen.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.
"""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from twosided.explain.plots import INK, MARKET, MINUS, PLUS, styled
from twosided.models.almgren_chriss import Execution

__all__ = ["frontier_figure", "left_figure", "lots_figure"]


def left_figure(best: Execution) -> go.Figure:
    """Return what is left against time, beside an even pace."""
    figure = go.Figure()
    in_buckets = len(best.times_s) < 1001
    ends = [best.times_s[0], best.times_s[-1]], [best.left[0], best.left[-1]]
    figure.add_scatter(x=ends[0], y=ends[1], name="even pace", line={"color": MARKET, "width": 1.5, "dash": "dot"})
    mode = "lines+markers" if in_buckets and len(best.times_s) <= 81 else "lines"
    figure.add_scatter(x=best.times_s, y=best.left, name="best", mode=mode, line={"color": PLUS, "width": 2})
    styled(figure, 420)
    figure.update_xaxes(title_text="time, s")
    figure.update_yaxes(title_text="left, units", rangemode="tozero")
    return figure


def frontier_figure(frontier: Sequence[tuple[float, float, float]], best: Execution) -> go.Figure:
    """Return the expected cost against its standard deviation for other risk aversions, *best* marked."""
    figure = go.Figure()
    aversions, means, deviations = zip(*frontier, strict=True)
    figure.add_scatter(
        x=deviations,
        y=means,
        customdata=aversions,
        name="best for another risk aversion",
        line={"color": MARKET, "width": 2},
        hovertemplate="risk aversion %{customdata:.3g}<br>cost %{y:,.6g} ± %{x:,.6g}<extra></extra>",
    )
    figure.add_scatter(
        x=[math.sqrt(best.variance)], y=[best.mean], name="this one", mode="markers", marker={"size": 9, "color": MINUS}
    )
    styled(figure, 420)
    figure.update_xaxes(title_text="standard deviation of the cost, money")
    figure.update_yaxes(title_text="expected cost, money")
    return figure


def lots_figure(lots: Sequence[int], left: Sequence[int], most: Sequence[float] | None) -> go.Figure:
    """Return what is traded in each bucket, within the participation limit, and what is left after it (one number more)."""
    figure = go.Figure()
    buckets = list(range(1, len(lots) + 1))
    figure.add_bar(x=buckets, y=[abs(each) for each in lots], name="traded", marker={"color": PLUS})
    if most is not None:
        figure.add_scatter(
            x=buckets,
            y=list(most),
            name="most that participation allows",
            mode="markers",
            marker={"color": MINUS, "symbol": "line-ew-open", "size": 18, "line": {"width": 2}},
        )
    figure.add_scatter(
        x=[0, *buckets],
        y=[abs(each) for each in left],
        name="left",
        mode="lines+markers",
        line={"color": INK, "width": 1.5, "shape": "hv"},
    )
    styled(figure, 420)
    figure.update_xaxes(title_text="bucket of time", dtick=max(1, len(lots) // 20))
    figure.update_yaxes(title_text="lots", rangemode="tozero")
    return figure
