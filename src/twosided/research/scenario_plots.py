"""The picture of a scenario: quotes against the market, width, inventory and states on one clock, with its phases shaded.

Where you are in the pipe: beside it: a `Trial` goes in, a page comes out.
"""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from twosided.explain.page import write_pictures
from twosided.explain.plots import INK, MARKET, MINUS, PLUS, faint, run_colour, styled, thinned, zero_line
from twosided.market.event import Status
from twosided.research.expectations import FAIL, PASS, Check
from twosided.research.scenario import Trial
from twosided.research.scenario_watch import Floats, Watch, last_at_s
from twosided.strategies.plan import Cause

__all__ = ["scenario_figure", "write_scenario_page"]

_POINTS = 4000
_SILENT_S = 3.0
"""A feed that was silent for longer is drawn as such."""

_SEEN_S = 0.05
"""A shorter moment with an order on one side only cannot be seen: one of two requests arrived before the other."""

_WIDTH, _OWN = run_colour(0), {1: PLUS, -1: MINUS}


def write_scenario_page(path: str, trials: Sequence[Trial]) -> Path:
    """Write the page of one scenario: for each strategy its checks and its picture; return the path.

    Raises:
        InputError: as `twosided.explain.page.write_pictures`.
    """
    scenario = trials[0].scenario
    parts: list[tuple[str, Any]] = [("", f"<p>{escape(scenario.sentence)}</p><p style='color:#667'>{escape(scenario.how)}</p>")]
    for trial in trials:
        name = trial.run.facts["strategy"]
        parts += [(name, _table(trial.checks)), ("", scenario_figure(trial))]
    return write_pictures(path, f"Scenario {scenario.name}", parts)


def _table(checks: Sequence[Check]) -> str:
    head = "".join(f"<th align='left'>{name}</th>" for name in ("", "expectation", "measured", "allowed", "rule"))
    rows = "".join(map(_row, checks))
    return f"<table cellpadding='4' style='font-size:13px;border-collapse:collapse'><tr>{head}</tr>{rows}</table>"


def _row(one: Check) -> str:
    colour = {PASS: PLUS, FAIL: MINUS}.get(one.verdict, MARKET)
    cells = (
        f"<b style='color:{colour}'>{one.verdict}</b>",
        escape(one.expectation),
        escape(one.found),
        escape(one.allowed),
        escape(one.rule),
    )
    return "<tr>" + "".join(f"<td valign='top' style='border-top:1px solid #e3e6ea'>{cell}</td>" for cell in cells) + "</tr>"


def scenario_figure(trial: Trial) -> go.Figure:
    """Return four panels on one clock: prices and fills, widths, inventory, and states."""
    watch, scenario = trial.watch, trial.scenario
    states = list(_states(watch))
    heights = [300, 130, 130, 30 + 22 * len(states)]
    figure = make_subplots(
        rows=4, cols=1, shared_xaxes=True, row_heights=[each / sum(heights) for each in heights], vertical_spacing=0.035
    )
    _draw_prices(figure, watch)
    _draw_widths(figure, watch)
    _draw_inventory(figure, watch)
    _draw_states(figure, states)
    for number, span in enumerate(scenario.spans):
        rough = span.name not in {"warm-up", "before", "after"}
        if rough:
            figure.add_vrect(x0=span.from_s, x1=span.to_s, fillcolor=faint("#E69F00", 0.13), line_width=0, layer="below")
        elif number:
            figure.add_vline(x=span.from_s, line={"color": MARKET, "width": 1, "dash": "dot"}, layer="below")
        where = {"xref": "x", "yref": "paper", "x": (span.from_s + span.to_s) / 2, "y": 1.0, "yanchor": "bottom"}
        figure.add_annotation(text=span.name, showarrow=False, font={"size": 12, "color": INK}, **where)
    styled(figure, sum(heights) + 130)
    figure.update_layout(legend={"y": 1.035, "itemsizing": "constant"}, margin={"t": 64, "l": 110})
    figure.update_xaxes(range=[0, scenario.seconds], hoverformat=".2f", ticksuffix="")
    figure.update_xaxes(title_text="seconds since the opening, our clock", row=4, col=1)
    figure.update_yaxes(showgrid=False, row=4, col=1, tickmode="array", tickvals=list(range(len(states))))
    figure.update_yaxes(ticktext=[name for name, *_ in states], range=[len(states) - 0.4, -0.6], row=4, col=1)
    return figure


def _line(figure: go.Figure, row: int, x: Floats, y: Floats, name: str, **style: Any) -> None:
    there = np.isfinite(y)
    known = np.flatnonzero(there)
    kept = np.zeros(len(y), np.bool_)
    if len(known):
        kept[known[thinned(np.ascontiguousarray((x[known] * 1e9).astype(np.int64)), y[known], _POINTS)]] = True
    kept[np.flatnonzero(np.diff(there.astype(np.int8), prepend=1) == -1)] = True  # where a line begins to have a hole
    options = {"mode": "lines", "hovertemplate": f"%{{x:.1f}} s: %{{y:,.6g}}<extra>{name}</extra>", **style}
    figure.add_scatter(x=x[kept], y=y[kept], name=name, row=row, col=1, connectgaps=False, **options)


def _until_it_ended(t: Floats, ticks: Any, end_s: float) -> tuple[Floats, Floats]:
    """Return the steps of an order's price, NaN without one, with a point more where it ends, up to which it is drawn."""
    price = np.where(ticks == 0, np.nan, ticks.astype(np.float64))
    t, price = np.append(np.maximum(t, 0.0), end_s), np.append(price, price[-1:])
    ends = np.flatnonzero(np.isnan(price[1:]) & ~np.isnan(price[:-1])) + 1
    return np.insert(t, ends, t[ends]), np.insert(price, ends, price[ends - 1])


def _draw_prices(figure: go.Figure, watch: Watch) -> None:
    instrument = watch.run.instruments[0]
    tick = float(instrument.tick_size)
    market: dict[str, Any] = {"legendgroup": "market", "line": {"shape": "hv", "color": MARKET, "width": 1}}
    _line(figure, 1, watch.t, watch.market_bid * tick, "market bid, ask, as we saw it", **market)
    shade = {"fill": "tonexty", "fillcolor": faint(MARKET, 0.2), "showlegend": False}
    _line(figure, 1, watch.t, watch.market_ask * tick, "market ask", **market, **shade)
    for side, name in ((1, "own bid"), (-1, "own ask")):
        t, price = _until_it_ended(*watch.standing(side), float(watch.t[-1]))
        _line(figure, 1, t, price * tick, name, line={"shape": "hv", "color": _OWN[side], "width": 1.1})
    for side, name, symbol in ((1, "bought", "triangle-up"), (-1, "sold", "triangle-down")):
        own = watch.fills.side == side
        if own.any():
            marker = {"symbol": symbol, "size": 8, "color": _OWN[side], "line": {"color": "white", "width": 0.5}}
            lots = watch.fills.lots[own] * watch.lot
            figure.add_scatter(
                x=watch.fill_t[own],
                y=watch.fills.ticks[own] * tick,
                mode="markers",
                name=name,
                marker=marker,
                customdata=lots,
                hovertemplate=f"%{{x:.1f}} s: {name} %{{customdata:g}} at %{{y:,.2f}}<extra></extra>",
                row=1,
                col=1,
            )
    figure.update_yaxes(title_text=f"price, {escape(instrument.currency)}", tickformat=",.2f", row=1, col=1)


def _draw_widths(figure: go.Figure, watch: Watch) -> None:
    _line(
        figure,
        2,
        watch.t,
        watch.market_spread,
        "market spread",
        line={"shape": "hv", "color": MARKET, "width": 1},
        showlegend=False,
    )
    if watch.base is not None:
        line = {"shape": "hv", "color": _WIDTH, "width": 1, "dash": "dot"}
        _line(figure, 2, watch.base.t, watch.base.width, "width in the market compared with", line=line)
    _line(figure, 2, watch.t, watch.width, "own width as planned", line={"shape": "hv", "color": _WIDTH, "width": 1.5})
    shown = np.concatenate([watch.width[np.isfinite(watch.width)], watch.market_spread[watch.t > 1.0]])
    top = 1.15 * float(np.quantile(shown, 0.995)) if len(shown) else 1.0
    figure.update_yaxes(title_text="width, ticks<br>(grey: market)", range=[0, top], row=2, col=1)


def _draw_inventory(figure: go.Figure, watch: Watch) -> None:
    t = np.concatenate([[0.0], watch.fill_t, watch.t[-1:]])
    held = watch.run.fills["position_lots"].to_numpy() * watch.lot
    held = np.concatenate([[0.0], held, held[-1:] if len(held) else [0.0]])
    style = {"line": {"shape": "hv", "color": INK, "width": 1.2}, "fill": "tozeroy", "fillcolor": faint(MARKET, 0.25)}
    _line(figure, 3, t, held, "inventory", showlegend=False, **style)
    if np.isfinite(watch.limit):
        for end in (-watch.limit, watch.limit):
            figure.add_hline(y=end, line={"color": INK, "width": 1, "dash": "dash"}, row=3, col=1)
        figure.update_yaxes(range=[-1.15 * watch.limit, 1.15 * watch.limit], row=3, col=1)
    zero_line(figure, row=3, col=1)
    figure.update_yaxes(title_text="inventory, shares<br>(dashed: limit)", row=3, col=1)


State = tuple[str, str, list[tuple[float, float]]]
"""A name, a colour, and from when until when it held."""


def _states(watch: Watch) -> Iterator[State]:
    """Yield which orders stood, why the plan was not what the formula alone says, and what the venue and the feed did."""
    (bid_t, bids), (ask_t, asks) = watch.standing(1), watch.standing(-1)
    t = np.unique(np.concatenate([bid_t, ask_t]))
    bid, ask = bids[last_at_s(bid_t, t)] != 0, asks[last_at_s(ask_t, t)] != 0
    yield "both sides", INK, _stretches(watch, t, bid & ask)
    for name, colour, chosen in (
        ("bid only", PLUS, bid & ~ask),
        ("ask only", MINUS, ask & ~bid),
        ("no orders", MARKET, ~bid & ~ask),
    ):
        stretches = [each for each in _stretches(watch, t, chosen) if each[1] - each[0] > _SEEN_S]
        if stretches:
            yield name, colour, stretches
    for cause in Cause:
        held = (watch.causes & int(cause)) != 0
        if held.any():
            yield cause.name.lower().replace("_", " "), _WIDTH, _stretches(watch, watch.t, held)
    halted = watch.heard(Status.HALT)
    if np.isfinite(halted):
        yield "venue halted", "#E69F00", [(halted, watch.heard(Status.OPEN, halted))]
    silent = watch.silence()
    if silent[1] - silent[0] > _SILENT_S:
        yield "feed silent", "#E69F00", [silent]


def _stretches(watch: Watch, t: Floats, chosen: Any) -> list[tuple[float, float]]:
    """Return from when until when *chosen* held; what is so at one of the times holds until the next."""
    edges = np.flatnonzero(np.diff(chosen.astype(np.int8), prepend=0, append=0))
    ends = np.append(t, watch.seconds(watch.events["local_ns"][-1:]))
    return [(float(ends[begin]), float(ends[end])) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _draw_states(figure: go.Figure, states: Sequence[State]) -> None:
    for place, (name, colour, stretches) in enumerate(states):
        x = [value for begin, end in stretches for value in (begin, end, None)]
        figure.add_scatter(
            x=x,
            y=[place] * len(x),
            mode="lines",
            line={"color": colour, "width": 9},
            name=name,
            showlegend=False,
            hovertemplate=f"%{{x:.1f}} s<extra>{name}</extra>",
            row=4,
            col=1,
        )
