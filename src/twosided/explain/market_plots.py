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
    exact_pnl_path,
    fills_of,
    last_at,
    mids_of,
    pnl_path,
    position_path,
    standing_path,
    time_shares,
)
from twosided.explain.plots import INK, MARKET, MINUS, PLUS, Picture, dates, faint, run_colour, styled, thinned, zero_line
from twosided.explain.words import decimals_of, market_name, price_currency, typeset, unit_of
from twosided.market.instrument import Instrument
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND

__all__ = [
    "MOST_MARKERS",
    "STRETCHES",
    "busiest_window",
    "close_up_figure",
    "inventory_figure",
    "market_figure",
    "spread_figure",
    "stretch_means",
    "watched_figure",
]

MOST_MARKERS = 2500
"""Most fills drawn on one side of a market; beyond it they are thinned, and the report says so."""

MOST_BARS = 60
STRETCHES = 240
"""Into so many equal parts a run is cut to show typical distances from the mid."""

SIDES = ((1, "own bid", PLUS), (-1, "own ask", MINUS))
GROUPED = 12
"""Up to so many ticks the bars of two spreads stand beside each other; wider ones would be hairlines, and lie over each other."""

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


def market_figure(run: Run, market: int, *, colour: int = 0, points: int = 3000) -> Picture:
    """Return four panels on one clock, for a whole run: the touch with fills, distances of own orders, the position, the P&L.

    Over hours a spread is thinner than a line, so own orders have a panel of their own, as distances from the mid.

    Args:
        run: what an engine returned.
        market: index of the instrument.
        colour: index of the run's colour.
        points: at most so many steps per line.
    """
    start, end = int(run.facts["start_ns"]), int(run.facts["end_ns"])
    panels = _Panels(run, market, start, end, points, [0.4, 0.24, 0.16, 0.2])
    if panels.reason:
        return panels.reason
    panels.touch()
    panels.fills()
    panels.distances(2)
    panels.position(3)
    panels.pnl(4, *pnl_path(run, [market]), run_colour(colour), "")
    return panels.finished(760)


def watched_figure(run: Run, market: int, against: int, *, points: int = 3000) -> Picture:
    """Return two panels of a market that a strategy only looked at: its touch, and the basis of the market that it traded.

    Args:
        run: what an engine returned.
        market: index of the instrument that was watched.
        against: index of one that was traded: drawn is 1e4 × (its mid / the watched mid - 1), in bps.
        points: at most so many steps per line.
    """
    panels = _Panels(run, market, int(run.facts["start_ns"]), int(run.facts["end_ns"]), points, [0.6, 0.4])
    if panels.reason:
        return panels.reason
    panels.touch()
    panels.basis(2, against)
    return panels.finished(460)


def close_up_figure(run: Run, market: int, window: tuple[int, int], *, colour: int = 0, points: int = 6000) -> Picture:
    """Return three panels for a short stretch: the touch with own orders and fills, the position, the P&L from its beginning.

    Args:
        run: what an engine returned.
        market: index of the instrument.
        window: (start_ns, end_ns).
        colour: index of the run's colour.
        points: at most so many steps per line.
    """
    panels = _Panels(run, market, *window, points, [0.6, 0.2, 0.2])
    if panels.reason:
        return panels.reason
    panels.touch()
    panels.orders()
    panels.fills()
    panels.position(2)
    ns, pnl = exact_pnl_path(run, market)
    panels.pnl(3, ns, pnl - pnl[last_at(ns, window[0])], run_colour(colour), "<br>from here")
    return panels.finished(640)


class _Panels:
    """The panels of one market on one clock, as they are filled."""

    def __init__(self, run: Run, market: int, start: int, end: int, points: int, heights: list[float]) -> None:
        self._run, self._market, self._start, self._end, self._points = run, market, start, end, points
        self._instrument, self._mids = run.instruments[market], mids_of(run, market)
        self._tick, self._lot = float(self._instrument.tick_size), float(self._instrument.lot_size)
        self._decimals, self._rows = decimals_of(self._instrument.tick_size), len(heights)
        never = f"{self._instrument.symbol} never had a valid bid and ask, so there is nothing to draw."
        self.reason = "" if len(self._mids.ns) else never
        self._figure = make_subplots(
            rows=len(heights), cols=1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.1 / len(heights)
        )

    def _line(self, ns: Integers, values: npt.NDArray[Any], row: int, hover: str, **style: Any) -> None:
        ns, values = _within(ns, values, self._start, self._end)
        chosen = thinned(ns, values, self._points)
        style = {"showlegend": False, **style, "hovertemplate": f"%{{x}}<br>{hover}"}
        self._figure.add_scatter(x=dates(ns[chosen]), y=values[chosen], mode="lines", row=row, col=1, **style)

    def _price(self, name: str) -> str:
        return f"%{{y:,.{self._decimals}f}}<extra>{name}</extra>"

    def touch(self) -> None:
        """Draw the market's best prices, shaded between."""
        mids, style = self._mids, {"legendgroup": "market", "line": {"shape": "hv", "color": MARKET, "width": 1}}
        self._line(mids.ns, mids.bid * self._tick, 1, self._price("bid"), name="market bid, ask", showlegend=True, **style)
        shade = {"fill": "tonexty", "fillcolor": faint(MARKET, 0.18)}
        self._line(mids.ns, mids.ask * self._tick, 1, self._price("ask"), **style, **shade)
        self._figure.update_yaxes(
            title_text=f"price, {escape(price_currency(self._instrument))}", tickformat=f",.{self._decimals}f", row=1, col=1
        )

    def orders(self) -> None:
        """Draw the prices at which own orders stood."""
        for side, name, own in SIDES:
            ns, ticks = standing_path(self._run, self._market, side)
            if np.any(ticks):
                x, y = _gapped(*_within(ns, ticks, self._start, self._end), self._points)
                self._step(x, y * self._tick, 1, name, own, self._price(name))

    def _step(self, x: Any, y: Any, row: int, name: str, colour: str, hover: str) -> None:
        style = {"shape": "hv", "color": colour, "width": 1.2}
        template = f"%{{x}}<br>{hover}"
        self._figure.add_scatter(x=x, y=y, mode="lines", name=name, line=style, row=row, col=1, hovertemplate=template)

    def fills(self) -> None:
        """Draw where and when we were filled; hedges are hollow."""
        fills = fills_of(self._run, self._market)
        fills = fills.where((fills.ns >= self._start) & (fills.ns <= self._end))
        for side, name, symbol, own in ((1, "bought", "triangle-up", PLUS), (-1, "sold", "triangle-down", MINUS)):
            for hedge, purpose, form in ((0, "", ""), (1, ", hedges", "-open")):
                chosen = fills.where((fills.side == side) & (fills.hedge == hedge))
                _markers(self._figure, self._instrument, chosen, name + purpose, symbol + form, own)

    def distances(self, row: int) -> None:
        """Draw how far from the mid the market's best prices and our own stood: means over equal stretches of time."""
        mids, edges = self._mids, np.linspace(self._start, self._end, STRETCHES + 1).astype(np.int64)
        sides = {side: standing_path(self._run, self._market, side) for side, *_ in SIDES}
        times = np.unique(np.concatenate([edges, mids.ns, *(ns for ns, _ in sides.values())])).astype(np.int64)
        times = times[(times >= max(self._start, int(mids.ns[0]))) & (times < self._end)]
        stretch, lengths = np.searchsorted(edges, times, "right") - 1, time_shares(times, self._end)
        at = last_at(mids.ns, times)
        twice_mid = mids.half_ticks[at]
        hover = "%{y:+,.1f} ticks<extra>"
        for best, name in ((mids.bid, "bid"), (mids.ask, "ask")):
            half = stretch_means(stretch, best[at] - twice_mid / 2, lengths, STRETCHES)
            style = {"line": {"shape": "hv", "color": MARKET, "width": 1}, "fillcolor": faint(MARKET, 0.18)}
            fill = {} if name == "bid" else {"fill": "tonexty"}
            self._figure.add_scatter(
                x=dates(edges),
                y=np.append(half, half[-1:]),
                mode="lines",
                showlegend=False,
                row=row,
                col=1,
                hovertemplate=f"%{{x}}<br>{hover}market {name}</extra>",
                **style,
                **fill,
            )
        for side, name, own in SIDES:
            ns, ticks = sides[side]
            price = ticks[last_at(ns, times)]
            there = price != 0
            if np.any(there):
                away = (2 * price - twice_mid)[there] / 2
                mean = stretch_means(stretch[there], away, lengths[there], STRETCHES)
                self._step(dates(edges), np.append(mean, mean[-1:]), row, name, own, f"{hover}{name}</extra>")
        self._figure.update_yaxes(title_text="from the mid,<br>ticks", tickformat=",", row=row, col=1)
        zero_line(self._figure, row=row, col=1)

    def basis(self, row: int, against: int) -> None:
        """Draw how far the mid of another market is from this one's, in bps."""
        other = mids_of(self._run, against)
        if not len(other.ns):
            return
        first = max(int(self._mids.ns[0]), int(other.ns[0]))
        times = np.unique(np.concatenate([self._mids.ns, other.ns])).astype(np.int64)
        times = times[times >= first]
        own = self._mids.half_ticks[last_at(self._mids.ns, times)] * self._tick
        its = other.half_ticks[last_at(other.ns, times)] * float(self._run.instruments[against].tick_size)
        name = escape(market_name(self._run.instruments[against]))
        line = {"shape": "hv", "color": INK, "width": 1}
        self._line(times, 1e4 * (its / own - 1.0), row, f"%{{y:+,.2f}} bps<extra>{name}</extra>", line=line)
        self._figure.update_yaxes(title_text="basis, bps", row=row, col=1)
        zero_line(self._figure, row=row, col=1)

    def position(self, row: int) -> None:
        """Draw the position."""
        times, held = position_path(self._run, self._market)
        times, held = np.append(times, self._run.facts["end_ns"]), np.append(held, held[-1])
        unit = escape(unit_of(self._instrument))
        style = {"line": {"shape": "hv", "color": INK, "width": 1.2}, "fill": "tozeroy", "fillcolor": faint(MARKET, 0.25)}
        self._line(times, held * self._lot, row, f"%{{y:,.6g}} {unit}<extra>position</extra>", **style)
        self._figure.update_yaxes(title_text=f"position,<br>{unit}", row=row, col=1)
        zero_line(self._figure, row=row, col=1)

    def pnl(self, row: int, ns: Integers, pnl: npt.NDArray[Any], colour: str, since: str) -> None:
        """Draw the P&L of this market."""
        currency, line = escape(self._instrument.currency), {"shape": "hv", "color": colour, "width": 1.5}
        self._line(ns, pnl, row, f"%{{y:,.4f}} {currency}<extra>P&L</extra>", line=line)
        self._figure.update_yaxes(title_text=f"P&L, {currency}{since}", row=row, col=1)
        zero_line(self._figure, row=row, col=1)

    def finished(self, height: int) -> go.Figure:
        """Return the figure."""
        figure = styled(self._figure, height)
        figure.update_layout(legend={"itemsizing": "constant"})
        figure.update_xaxes(type="date", hoverformat="%H:%M:%S.%3f", range=dates(np.array([self._start, self._end])).tolist())
        figure.update_xaxes(title_text="time, UTC", row=self._rows, col=1)
        return figure


def stretch_means(
    stretch: npt.NDArray[np.intp], values: npt.NDArray[Any], lengths: Integers, count: int
) -> npt.NDArray[np.float64]:
    """Return for each of *count* stretches of time the mean of its *values*, weighted by their *lengths*; NaN without any."""
    whole = np.bincount(stretch, weights=lengths.astype(np.float64), minlength=count)
    sums = np.bincount(stretch, weights=values * lengths.astype(np.float64), minlength=count)
    return np.where(whole > 0, sums / np.maximum(whole, 1.0), np.nan)


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


def _markers(figure: go.Figure, instrument: Instrument, fills: Fills, name: str, symbol: str, colour: str) -> None:
    count = len(fills.ns)
    if not count:
        return
    chosen = thinned(fills.ns, fills.ticks, MOST_MARKERS)
    unit, decimals = escape(unit_of(instrument)), decimals_of(instrument.tick_size)
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
            "line": {"width": 1.5, "color": colour} if symbol.endswith("open") else {"width": edge, "color": "white"},
        },
        customdata=fills.lots[chosen] * float(instrument.lot_size),
        hovertemplate=f"%{{x}}<br>{name} %{{customdata:,.6g}} {unit} at %{{y:,.{decimals}f}}<extra></extra>",
        row=1,
        col=1,
    )


def spread_figure(run: Run, market: int, *, colour: int = 0) -> Picture:
    """Return how often the market's spread, and that of our own orders, was how wide, by share of time."""
    mids, start, end = mids_of(run, market), int(run.facts["start_ns"]), int(run.facts["end_ns"])
    (bid_ns, bids), (ask_ns, asks) = standing_path(run, market, 1), standing_path(run, market, -1)
    times = np.unique(np.concatenate([bid_ns, ask_ns]))
    bid, ask = bids[last_at(bid_ns, times)], asks[last_at(ask_ns, times)]
    both = (bid != 0) & (ask != 0)
    series = [
        (mids.ask - mids.bid, time_shares(np.maximum(mids.ns, start), end), "market", MARKET),
        ((ask - bid)[both], time_shares(np.maximum(times, start), end)[both], "own orders", run_colour(colour)),
    ]
    series = [one for one in series if one[1].sum()]
    if not series:
        return "Neither the market nor the strategy ever showed a bid and an ask together."
    widest = max(10, *(_reached(values, lengths, 0.995) for values, lengths, *_ in series))
    top = max(int(values[values <= widest].max()) for values, *_ in series)
    figure, beyond = go.Figure(), []
    for values, lengths, name, shade in series:
        near = values <= widest
        _bars(figure, values[near], lengths[near], name, shade, whole=int(lengths.sum()), narrowest=top / 100)
        if not np.all(near):
            share = lengths[~near].sum() / lengths.sum()
            beyond.append(f"{name} {share:.2%}" if share >= 1e-4 else f"{name} less than 0.01%")
    styled(figure, 300 if beyond else 280)
    tail = f"<br>wider than {widest}, not shown:<br>{', '.join(beyond)} of time" if beyond else ""
    tick = f"{run.instruments[market].tick_size.normalize():f} {escape(price_currency(run.instruments[market]))}"
    figure.update_layout(barmode="group" if top <= GROUPED else "overlay")
    figure.update_xaxes(title_text=f"spread, ticks of {tick}{tail}", showgrid=False, range=[0, top + 1], tickformat=",d")
    if top <= GROUPED:
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
    words = typeset(f"mean over time {mean:,.4g} (dashed)")
    figure.update_xaxes(title_text=f"position, {escape(unit_of(run.instruments[market]))}; {words}", showgrid=False)
    figure.update_yaxes(title_text="share of time", tickformat=".2~%", rangemode="tozero")
    return figure


def _bars(
    figure: go.Figure,
    values: Integers,
    lengths: Integers,
    name: str,
    colour: str,
    *,
    whole: int,
    scale: float = 1.0,
    narrowest: float = 0.0,
) -> None:
    """Add a histogram weighted by time: one bar per value, or per equal range of values where there are more than `MOST_BARS`.

    *whole* is the time that counts as all of it, ns. Bars that would be narrower than *narrowest* are drawn that wide.
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
        width=narrowest if width < narrowest else None,
        customdata=texts,
        hovertemplate=f"{name} %{{customdata}}<br>%{{y:.2%}} of time<extra></extra>",
    )
