"""Pictures that compare Runs, and the style that all pictures share.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

Each function here and in `twosided.explain.market_plots` returns a Plotly figure, or a sentence that says why there is none. One
rule for colours: blue is + (a purchase, a gain), vermilion is - (a sale, a loss), grey is the market, and each run has its own; all
are told apart by people who do not see red and green (Okabe and Ito 2008, Tol 2021). Prices and positions hold until they change,
so they are drawn as steps. Long series are thinned with MinMaxLTTB (van der Donckt et al. 2023, arXiv 2305.00332), which picks from
the extremes of every stretch of time those that keep the shape.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from tsdownsample import MinMaxLTTBDownsampler

from twosided.explain.markouts import markouts
from twosided.explain.paths import Integers, pnl_path
from twosided.explain.split import HORIZON_NS, PARTS, Split, split_by_currency
from twosided.explain.summary import amount_text
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND, duration_text

__all__ = [
    "INK",
    "MARKET",
    "MINUS",
    "PLUS",
    "RUN_COLOURS",
    "SHORT_PARTS",
    "Picture",
    "dates",
    "faint",
    "markout_figure",
    "pnl_figure",
    "run_colour",
    "signed_text",
    "split_figures",
    "styled",
    "thinned",
    "zero_line",
]

Picture = Any
"""A plotly Figure, or a string: why there is none."""

PLUS, MINUS, MARKET, INK = "#0072B2", "#D55E00", "#8A8F98", "#20242B"
HAIRLINE, AXIS = "#E3E6EA", "#B9BEC6"
RUN_COLOURS = ("#5B3A8C", "#009E73", "#E69F00", "#56B4E9", "#8C564B", "#20242B")
FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
CURVE_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
SHORT_PARTS = {"adverse": "adverse<br>selection", "fees": "fees, taxes,<br>funding"}


# ---------------------------------------------------------------- shared by all figures


def thinned(ns: Integers, values: npt.NDArray[Any], points: int) -> npt.NDArray[np.intp]:
    """Return the indices, at most *points*, of the rows to draw: all of a short series, else those that keep its shape.

    MinMaxLTTB may drop an extreme beside another; the highest and the lowest value of all are always kept.
    """
    if len(ns) <= points:
        return np.arange(len(ns))
    shape = MinMaxLTTBDownsampler().downsample(np.ascontiguousarray(ns), np.ascontiguousarray(values), n_out=max(points - 2, 3))
    chosen: npt.NDArray[np.intp] = np.unique(np.append(np.asarray(shape, np.intp), [np.argmin(values), np.argmax(values)]))
    return chosen


def dates(ns: Integers) -> npt.NDArray[np.float64]:
    """Return milliseconds since the epoch, which plotly shows as UTC."""
    return (ns // 1000) / 1000.0


def styled(figure: go.Figure, height: int, *, legend: bool = True) -> go.Figure:
    """Give *figure* the looks that all pictures of a report share; *height* in pixels."""
    figure.update_layout(
        template="none",
        height=height,
        font={"family": FONT, "size": 12, "color": INK},
        margin={"l": 70, "r": 36, "t": 34 if legend else 14, "b": 46},
        paper_bgcolor="white",
        plot_bgcolor="white",
        hovermode="closest",
        hoverlabel={"font": {"family": FONT, "size": 12}, "bgcolor": "white"},
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "font": {"size": 12}},
        modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)", "color": MARKET, "activecolor": INK},
        bargap=0.25,
    )
    axis: dict[str, Any] = {"showgrid": True, "gridcolor": HAIRLINE, "zeroline": False, "showline": True, "linecolor": AXIS}
    axis |= {"ticks": "outside", "ticklen": 4, "tickcolor": AXIS, "exponentformat": "none", "separatethousands": True}
    axis["automargin"] = True
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.update_yaxes(title={"standoff": 8})
    return figure


def _make_room_for_legend(figure: go.Figure, width: int = 500) -> None:
    """Make *figure* higher where the names in its legend do not fit beside each other in *width* pixels, so that none is hidden."""
    names = [trace.name or "" for trace in figure.data if trace.showlegend is not False]
    if figure.layout.showlegend and names:
        beside = max(width // (max(map(len, names)) * 7 + 46), 1)
        more = 19 * (-(-len(names) // beside) - 1)
        figure.update_layout(height=figure.layout.height + more, margin={"t": figure.layout.margin.t + more})


def zero_line(figure: go.Figure, **where: Any) -> None:
    """Draw the line where a value is zero."""
    figure.add_hline(y=0, line={"color": INK, "width": 1}, layer="below", **where)


def run_colour(index: int) -> str:
    """Return the colour of the run at *index* of those compared."""
    return RUN_COLOURS[index % len(RUN_COLOURS)]


def faint(colour: str, alpha: float) -> str:
    """Return *colour* (``#rrggbb``) with an opacity from 0 to 1."""
    return f"rgba({int(colour[1:3], 16)},{int(colour[3:5], 16)},{int(colour[5:7], 16)},{alpha})"


# ---------------------------------------------------------------- comparing runs


def pnl_figure(runs: Sequence[Run], labels: Sequence[str], points: int = 3000) -> Picture:
    """Return P&L over time, one line per run, one panel per currency.

    Of more runs than there are colours the first, the best and the worst stand out; the others are grey.
    """
    currencies = list(dict.fromkeys(instrument.currency for run in runs for instrument in run.instruments))
    figure = make_subplots(rows=len(currencies), cols=1, shared_xaxes=True, vertical_spacing=0.06)
    moved = False
    for row, currency in enumerate(currencies, 1):
        styles = _run_styles(runs, currency)
        for (run, label), (colour, width, named) in sorted(
            zip(zip(runs, labels, strict=True), styles, strict=True), key=_named_last
        ):
            markets = [market for market, instrument in enumerate(run.instruments) if instrument.currency == currency]
            if not markets:
                continue
            ns, pnl = pnl_path(run, markets)
            moved = moved or bool(np.any(pnl))
            chosen = thinned(ns, pnl, points)
            figure.add_scatter(
                x=dates(ns[chosen]),
                y=pnl[chosen],
                name=escape(label),
                legendgroup=label,
                showlegend=row == 1 and named,
                line={"shape": "hv", "color": colour, "width": width},
                hovertemplate=f"%{{x}} UTC<br>%{{y:,.4f}} {currency}<extra>{escape(label)}</extra>",
                row=row,
                col=1,
            )
        zero_line(figure, row=row, col=1)
        figure.update_yaxes(title_text=f"P&L, {escape(currency)}", row=row, col=1)
    if not moved:
        return "Nothing was earned or lost at any time."
    styled(figure, 330 + 200 * (len(currencies) - 1), legend=len(runs) > 1)
    _make_room_for_legend(figure)
    figure.update_xaxes(type="date", hoverformat="%H:%M:%S.%3f")
    figure.update_xaxes(title_text="time, UTC", row=len(currencies), col=1)
    return figure


Style = tuple[str, float, bool]
"""A line's colour and width, and whether the legend has it."""


def _run_styles(runs: Sequence[Run], currency: str) -> list[Style]:
    """Return how each run's line is drawn."""
    if len(runs) <= len(RUN_COLOURS):
        return [(run_colour(index), 1.6, True) for index in range(len(runs))]
    made = [float(parts[currency].total) if currency in parts else 0.0 for parts in map(split_by_currency, runs)]
    styles: list[Style] = [(faint(MARKET, 0.55), 0.9, False)] * len(runs)
    for index, colour in ((0, INK), (int(np.argmin(made)), MINUS), (int(np.argmax(made)), PLUS)):
        styles[index] = (colour, 1.8, True)
    return styles


def _named_last(one: tuple[Any, Style]) -> bool:
    """Sort lines that stand out behind the others, so that they are drawn over them."""
    return one[1][2]


def split_figures(
    runs: Sequence[Run], labels: Sequence[str], horizon_ns: int = HORIZON_NS, height: int = 300
) -> list[tuple[str, Picture]]:
    """Return (title, waterfall) for each run and currency: the parts of the P&L, and what they add up to.

    Waterfalls of one currency have one scale. Only one with an empty title is returned where there is nothing to tell apart.
    """
    splits = [
        (label, part) for run, label in zip(runs, labels, strict=True) for part in split_by_currency(run, horizon_ns).values()
    ]
    splits = [(label, part) for label, part in splits if any(part.parts().values())]
    if not splits:
        return [("", "Nothing was earned or lost: every part of the P&L is zero.")]
    several = len({part.currency for _, part in splits}) > 1
    shown = [name for name in PARTS if name not in {"alpha", "hedge"} or any(getattr(part, name) for _, part in splits)]
    scales = _scales([part for _, part in splits], shown)
    titles = [f"{label}, {part.currency}" if several else label for label, part in splits] if len(splits) > 1 else [""]
    return [
        (title, _waterfall(part, shown, scales[part.currency], height)) for title, (_, part) in zip(titles, splits, strict=True)
    ]


def _waterfall(part: Split, shown: Sequence[str], scale: tuple[float, float], height: int) -> go.Figure:
    amounts = [float(part.money(name)) for name in shown] + [float(part.money("total"))]
    largest, (low, high) = max(map(abs, amounts)), scale
    figure = go.Figure()
    figure.add_waterfall(
        x=[SHORT_PARTS.get(name, name) for name in shown] + ["<b>P&L</b>"],
        y=amounts,
        measure=["relative"] * len(shown) + ["total"],
        text=[signed_text(amount, largest) for amount in amounts],
        textposition="outside",
        textfont={"size": 11},
        cliponaxis=False,
        constraintext="none",
        increasing={"marker": {"color": PLUS}},
        decreasing={"marker": {"color": MINUS}},
        totals={"marker": {"color": INK}},
        connector={"line": {"color": MARKET, "width": 1, "dash": "dot"}},
        hoverinfo="skip",
    )
    zero_line(figure)
    pad = 0.14 * (high - low or 1.0)
    figure.update_yaxes(title_text=escape(part.currency), range=[low - pad, high + pad])
    styled(figure, height, legend=False)
    figure.update_xaxes(showgrid=False, ticks="", tickangle=0, tickfont={"size": 11})
    return figure


def _scales(parts: Sequence[Split], shown: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the range of each currency's waterfalls: one for all of them, so that bars compare."""
    scales: dict[str, tuple[float, float]] = {}
    for part in parts:
        levels = np.cumsum([float(part.money(name)) for name in shown])
        low, high = scales.get(part.currency, (0.0, 0.0))
        scales[part.currency] = (min(low, float(levels.min())), max(high, float(levels.max())))
    return scales


def signed_text(amount: float, largest: float) -> str:
    """Return an amount with its sign, + or a true minus, and as many decimals as *largest* deserves."""
    text = amount_text(amount, largest)
    return text.replace("-", "−") if text.startswith("-") else f"+{text}" if amount else text


def markout_figure(runs: Sequence[Run], labels: Sequence[str]) -> Picture:
    """Return the mean signed move of the mid after a fill, against the time since the fill, with 95 % bands."""
    figure = go.Figure()
    several = any(len(run.instruments) > 1 for run in runs)
    index = 0
    for run, label in zip(runs, labels, strict=True):
        horizons = [round(seconds * NS_PER_SECOND) for seconds in CURVE_SECONDS]
        curve = markouts(run, horizons)
        for market, instrument in enumerate(run.instruments):
            # a horizon that most fills do not reach inside the run would show another sample than its neighbours
            points = [one for one in curve if one.market == market and one.fills and one.left_out <= one.fills]
            if points:
                name = escape(f"{label}, {instrument.symbol}" if several else label)
                _markout_curve(figure, points, name, run_colour(index))
            index += 1
    if not figure.data:
        return "No markouts: no fill had its horizon inside the run."
    zero_line(figure)
    styled(figure, 330, legend=index > 1)
    _make_room_for_legend(figure)
    figure.update_xaxes(
        type="log",
        title_text="time since the fill",
        tickvals=[seconds for seconds in CURVE_SECONDS if seconds not in {0.2, 2, 20}],
        ticktext=["0.1 s", "0.5 s", "1 s", "5 s", "10 s", "30 s", "1 min", "2 min", "5 min"],
    )
    figure.update_yaxes(title_text="move of the mid, bps")
    return figure


def _markout_curve(figure: go.Figure, points: Sequence[Any], name: str, colour: str) -> None:
    banded = [one for one in points if one.bps.low is not None]
    if banded:
        seconds = [one.horizon_ns / NS_PER_SECOND for one in banded]
        figure.add_scatter(
            x=seconds + seconds[::-1],
            y=[one.bps.low for one in banded] + [one.bps.high for one in reversed(banded)],
            fill="toself",
            fillcolor=faint(colour, 0.16),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            legendgroup=name,
            showlegend=False,
        )
    figure.add_scatter(
        x=[one.horizon_ns / NS_PER_SECOND for one in points],
        y=[one.bps.mean for one in points],
        mode="lines+markers",
        name=name,
        legendgroup=name,
        line={"color": colour, "width": 2},
        marker={
            "size": 7,
            "color": [colour if one.bps.low is not None else "white" for one in points],
            "line": {"color": colour, "width": 1.5},
        },
        customdata=[[duration_text(one.horizon_ns), one.fills, one.blocks] for one in points],
        hovertemplate="%{customdata[0]} after the fill<br>%{y:+.4f} bps<br>%{customdata[1]:,} fills in %{customdata[2]:,} blocks"
        f"<extra>{name}</extra>",
    )
