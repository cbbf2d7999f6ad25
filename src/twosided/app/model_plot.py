"""The picture of `twosided models quotes MODEL --plot FILE`: where a model quotes, against inventory.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.
"""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from twosided.explain.page import write_pictures
from twosided.explain.plots import INK, MARKET, MINUS, PLUS, styled
from twosided.models.quotes import QuoteTable

__all__ = ["quote_figure", "write_plot"]


def quote_figure(table: QuoteTable, title: str) -> go.Figure:
    """Return bid and ask relative to the mid, and below them the spread, against inventory."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.06)
    q, bid, ask = table.inventory, -table.bid[-1], table.ask[-1]
    sides = (("ask", ask, MINUS), ("bid", bid, PLUS))
    for name, quote, colour in sides:
        _curve(figure, q, quote, name, colour, 1)
    _curve(figure, q, 0.5 * (bid + ask), "middle of both", MARKET, 1, dash="dot")
    _curve(figure, q, ask - bid, "spread", INK, 2, legend=False)
    figure.add_hline(y=0, line={"color": INK, "width": 1.2}, row=1, col=1)
    figure.add_annotation(text="mid", x=1, xref="x domain", xanchor="right", y=0, yanchor="bottom", showarrow=False, row=1, col=1)
    styled(figure, 560)
    figure.update_layout(title={"text": title, "x": 0.01, "font": {"size": 14}}, margin={"t": 84}, hovermode="x unified")
    figure.update_xaxes(title_text="inventory, quotes (long is positive)", row=2, col=1)
    figure.update_yaxes(title_text="quote − mid, price units", row=1, col=1)
    figure.update_yaxes(title_text="spread, price units", rangemode="tozero", row=2, col=1)
    return figure


def _curve(
    figure: go.Figure, x: Any, y: Any, name: str, colour: str, row: int, *, dash: str = "solid", legend: bool = True
) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        name=name,
        mode="lines+markers" if len(x) <= 81 and dash == "solid" else "lines",
        line={"color": colour, "width": 1.8, "dash": dash},
        marker={"size": 4},
        hovertemplate="%{y:,.6g}",
        showlegend=legend,
        row=row,
        col=1,
    )


def write_plot(table: QuoteTable, model: str, given: Mapping[str, Any], path: str) -> Path:
    """Write the picture as one self-contained HTML page and return its path.

    Raises:
        InputError: the name does not end in .html, or the place cannot be written.
    """
    said = ", ".join(f"{name} {value}" for name, value in given.items())
    figure = quote_figure(table, f"<b>{model}</b>: where it quotes<br><span style='font-size:12px'>{escape(said)}</span>")
    return write_pictures(path, f"{model}: where it quotes", [("", figure)])
