"""Pictures of one market of one Run: quotes, fills, position and P&L on one clock, and distributions.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*. For the style see `twosided.explain.plots`.
"""

from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from twosided.explain.paths import (
    Fills,
    Integers,
    fills_of,
    last_at,
    mids_of,
    pnl_path,
    position_path,
    quote_path,
    time_shares,
)
from twosided.explain.plots import INK, MARKET, MINUS, PLUS, Picture, dates, faint, run_colour, styled, thinned, zero_line
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND

__all__ = ["MOST_MARKERS", "busiest_window", "inventory_figure", "market_figure", "spread_figure"]

MOST_MARKERS = 2500
"""Most fills drawn on one side of a market; beyond it they are thinned, and the report says so."""

MOST_BARS = 60
CLOSE_UP_SECONDS = (10, 30, 60, 120, 300, 600)
CLOSE_UP_FILLS = 40
"""The close-up is the shortest of these windows that holds so many fills: enough to see, few enough to tell apart."""


def busiest_window(run: Run, market: int) -> tuple[int, int] | None:
    """Return (start_ns, end_ns) of the stretch with the most fills; None where the run is hardly longer, or without fills."""
    fills, start, end = fills_of(run, market).ns, int(run.facts["start_ns"]), int(run.facts["end_ns"])
    lengths = [seconds * NS_PER_SECOND for seconds in CLOSE_UP_SECONDS if 2 * seconds * NS_PER_SECOND <= end - start]
    if not len(fills) or not lengths:
        return None
    for length in lengths:
        counts = np.searchsorted(fills, fills + length, "right") - np.arange(len(fills))
        if counts.max() >= CLOSE_UP_FILLS:
            break
    first = int(fills[int(np.argmax(counts))]) - length // 20
    first = max(min(first, end - length), start)
    return first, first + length


def market_figure(run: Run, market: int, *, colour: int = 0, points: int = 3000, window: tuple[int, int] | None = None) -> Picture:
    """Return three panels on one clock: the touch with own quotes and fills, the position, the P&L of this market.

    Args:
        run: what an engine returned.
        market: index of the instrument.
        colour: index of the run's colour.
        points: at most so many steps per line.
        window: (start_ns, end_ns); the whole run where None.
    """
    instrument, mids = run.instruments[market], mids_of(run, market)
    if not len(mids.ns):
        return f"{instrument.symbol} never had a valid bid and ask, so there is nothing to draw."
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, row_heights=[0.6, 0.2, 0.2], vertical_spacing=0.035)
    start, end = window or (int(run.facts["start_ns"]), int(run.facts["end_ns"]))
    tick = float(instrument.tick_size)
    decimals = max(-int(instrument.tick_size.normalize().as_tuple().exponent), 0)

    def line(ns: Integers, values: npt.NDArray[Any], row: int, **style: Any) -> None:
        ns, values = _within(ns, values, start, end)
        chosen = thinned(ns, values, points)
        figure.add_scatter(x=dates(ns[chosen]), y=values[chosen], mode="lines", row=row, col=1, **style)

    market_line = {"shape": "hv", "color": MARKET, "width": 1}
    price = f"%{{x}}<br>%{{y:,.{decimals}f}}"
    line(
        mids.ns,
        mids.bid * tick,
        1,
        name="market bid, ask",
        legendgroup="market",
        line=market_line,
        hovertemplate=f"{price}<extra>bid</extra>",
    )
    shade = {"fill": "tonexty", "fillcolor": faint(MARKET, 0.18)}
    line(
        mids.ns,
        mids.ask * tick,
        1,
        legendgroup="market",
        showlegend=False,
        line=market_line,
        hovertemplate=f"{price}<extra>ask</extra>",
        **shade,
    )
    for side, name, own in ((1, "own bid", PLUS), (-1, "own ask", MINUS)):
        ns, ticks = quote_path(run, market, side)
        if np.any(ticks):
            x, y = _gapped(*_within(ns, ticks, start, end), points)
            style = {"shape": "hv", "color": own, "width": 1.2}
            figure.add_scatter(
                x=x, y=y * tick, mode="lines", name=name, line=style, row=1, col=1, hovertemplate=f"{price}<extra>{name}</extra>"
            )
    fills = fills_of(run, market)
    fills = fills.where((fills.ns >= start) & (fills.ns <= end))
    for side, name, symbol, own in ((1, "bought", "triangle-up", PLUS), (-1, "sold", "triangle-down", MINUS)):
        _markers(figure, run, market, fills.where(fills.side == side), name, symbol, own)

    times, held = position_path(run, market)
    times, held = np.append(times, run.facts["end_ns"]), np.append(held, held[-1])
    hover = {"hovertemplate": "%{x}<br>%{y:,.6g}<extra>position</extra>", "showlegend": False}
    line(
        times,
        held * float(instrument.lot_size),
        2,
        line={"shape": "hv", "color": INK, "width": 1.2},
        fill="tozeroy",
        fillcolor=faint(MARKET, 0.25),
        **hover,
    )
    ns, pnl = pnl_path(run, [market])
    pnl = pnl - pnl[last_at(ns, start)]
    hover["hovertemplate"] = "%{x}<br>%{y:,.4f}<extra>P&L</extra>"
    line(ns, pnl, 3, line={"shape": "hv", "color": run_colour(colour), "width": 1.5}, **hover)

    for row in (2, 3):
        zero_line(figure, row=row, col=1)
    styled(figure, 640)
    figure.update_xaxes(type="date", hoverformat="%H:%M:%S.%3f", range=dates(np.array([start, end])).tolist())
    figure.update_xaxes(title_text="time, UTC", row=3, col=1)
    figure.update_yaxes(title_text=f"price, {escape(instrument.currency)}", tickformat=f",.{decimals}f", row=1, col=1)
    figure.update_yaxes(title_text="position", row=2, col=1)
    figure.update_yaxes(title_text=f"P&L, {escape(instrument.currency)}{'<br>from here' if window else ''}", row=3, col=1)
    return figure


def _within(ns: Integers, values: npt.NDArray[Any], start: int, end: int) -> tuple[Integers, npt.NDArray[Any]]:
    """Return the part of a step function between two times, both ends drawn."""
    if int(ns[0]) > end:
        return ns[:0], values[:0]
    first, last = int(last_at(ns, start)), int(last_at(ns, end))
    times = ns[first : last + 1].copy()
    times[0] = max(int(times[0]), start)
    return np.append(times, end), np.append(values[first : last + 1], values[last])


def _gapped(ns: Integers, ticks: Integers, points: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return a line of quotes with holes where there was no quote for as long as one drawn point stands for.

    Shorter holes cannot be seen at that size, and would cost three points each.
    """
    if not len(ns):
        return np.zeros(0), np.zeros(0)
    lengths = np.diff(ns, append=ns[-1])
    hole = (ticks == 0) & (lengths * points > (ns[-1] - ns[0]))
    kept = (ticks != 0) | hole
    ns, ticks, hole = ns[kept], ticks[kept], hole[kept]
    present = np.flatnonzero(~hole)
    chosen = np.zeros(len(ns), np.bool_)
    chosen[present[thinned(ns[present], ticks[present], points)]] = True
    chosen |= hole
    return dates(ns[chosen]), np.where(hole, np.nan, ticks.astype(np.float64))[chosen]


def _markers(figure: go.Figure, run: Run, market: int, fills: Fills, name: str, symbol: str, colour: str) -> None:
    instrument, count = run.instruments[market], len(fills.ns)
    if not count:
        return
    chosen = thinned(fills.ns, fills.ticks, MOST_MARKERS)
    size, edge = (11, 0.8) if count < 50 else (8, 0.5) if count < 400 else (4, 0)
    figure.add_scatter(
        x=dates(fills.ns[chosen]),
        y=fills.ticks[chosen] * float(instrument.tick_size),
        mode="markers",
        name=f"{name} ({count:,})",
        marker={
            "opacity": 1 if edge else 0.6,
            "symbol": symbol,
            "size": size,
            "color": colour,
            "line": {"width": edge, "color": "white"},
        },
        customdata=fills.lots[chosen] * float(instrument.lot_size),
        hovertemplate=f"%{{x}}<br>{name} %{{customdata:,.6g}} at %{{y:,.8g}}<extra></extra>",
        row=1,
        col=1,
    )


def spread_figure(run: Run, market: int, *, colour: int = 0) -> Picture:
    """Return how often the market's spread, and our own, was how wide, by share of time."""
    mids, start, end = mids_of(run, market), int(run.facts["start_ns"]), int(run.facts["end_ns"])
    (bid_ns, bids), (ask_ns, asks) = quote_path(run, market, 1), quote_path(run, market, -1)
    times = np.unique(np.concatenate([bid_ns, ask_ns]))
    bid, ask = bids[last_at(bid_ns, times)], asks[last_at(ask_ns, times)]
    both = (bid != 0) & (ask != 0)
    series = [
        (mids.ask - mids.bid, time_shares(np.maximum(mids.ns, start), end), "market", MARKET),
        ((ask - bid)[both], time_shares(np.maximum(times, start), end)[both], "own quotes", run_colour(colour)),
    ]
    series = [one for one in series if one[1].sum()]
    if not series:
        return "Neither the market nor the strategy ever showed a bid and an ask together."
    widest = max(10, *(_reached(values, lengths, 0.995) for values, lengths, *_ in series))
    figure, beyond = go.Figure(), []
    for values, lengths, name, shade in series:
        near = values <= widest
        _bars(figure, values[near], lengths[near], name, shade, whole=int(lengths.sum()))
        if not np.all(near):
            share = lengths[~near].sum() / lengths.sum()
            beyond.append(f"{name} {share:.2%}" if share >= 1e-4 else f"{name} less than 0.01%")
    styled(figure, 280)
    tail = f"<br>wider than {widest}, not shown: {', '.join(beyond)} of time" if beyond else ""
    tick = f"{run.instruments[market].tick_size.normalize():f}"
    figure.update_layout(barmode="group")
    top = max(int(values[values <= widest].max()) for values, *_ in series)
    figure.update_xaxes(title_text=f"spread, ticks of {tick}{tail}", showgrid=False, range=[0, top + 1], tickformat=",d")
    if top <= 12:
        figure.update_xaxes(dtick=1)
    figure.update_yaxes(title_text="share of time", tickformat=".2~%", rangemode="tozero")
    return figure


def _reached(values: Integers, lengths: Integers, share: float) -> int:
    """Return the value at or below which a step function is for this share of the time."""
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(lengths[order])
    return int(values[order][np.searchsorted(sums, share * sums[-1])])


def inventory_figure(run: Run, market: int) -> Picture:
    """Return how long which position was held, by share of time."""
    times, held = position_path(run, market)
    if not np.any(held):
        return "The position was zero throughout."
    figure = go.Figure()
    lengths = time_shares(times, int(run.facts["end_ns"]))
    _bars(figure, held, lengths, "position", INK, whole=int(lengths.sum()), scale=float(run.instruments[market].lot_size))
    mean = float(np.sum(held * (lengths / lengths.sum()))) * float(run.instruments[market].lot_size) if lengths.sum() else 0.0
    figure.add_vline(x=mean, line={"color": MINUS if mean < 0 else PLUS, "width": 1.5, "dash": "dash"})
    styled(figure, 280, legend=False)
    figure.update_xaxes(title_text=f"position; mean over time {mean:,.4g} (dashed)".replace("-", "−"), showgrid=False)
    figure.update_yaxes(title_text="share of time", tickformat=".2~%", rangemode="tozero")
    return figure


def _bars(
    figure: go.Figure, values: Integers, lengths: Integers, name: str, colour: str, *, whole: int, scale: float = 1.0
) -> None:
    """Add a histogram weighted by time: one bar per value, or per equal range of values where there are more than `MOST_BARS`.

    *whole* is the time that counts as all of it, ns.
    """
    low, high = int(values.min()), int(values.max())
    step = int(np.gcd.reduce(values - low)) or 1  # a position that moves by five lots has every fifth value only
    width = -(-((high - low) // step + 1) // MOST_BARS) * step
    shares = np.bincount((values - low) // width, weights=lengths.astype(np.float64)) / max(whole, 1)
    left = low + width * np.arange(len(shares))
    right = left + width - step
    texts = [f"{a * scale:,.6g}" if a == b else f"{a * scale:,.6g} to {b * scale:,.6g}" for a, b in zip(left, right, strict=True)]
    figure.add_bar(
        x=(left + right) / 2 * scale,
        y=shares,
        name=name,
        marker={"color": colour},
        customdata=texts,
        hovertemplate=f"{name} %{{customdata}}<br>%{{y:.2%}} of time<extra></extra>",
    )
