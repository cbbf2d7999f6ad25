"""Pictures of a calibration: does an exponential fit, and how much of volatility is bounce?

Where you are in the pipe: research, on top of all rooms; the style is that of the report's pictures.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from twosided.explain.page import write_pictures
from twosided.explain.plots import MARKET, MINUS, PLUS, styled
from twosided.research.calibrate import Estimate
from twosided.research.calibration import Calibration
from twosided.research.fill_study import FillStudy
from twosided.research.intensity import RateAt

__all__ = ["intensity_figure", "signature_figure", "write_calibration_plots"]


def intensity_figure(found: Calibration) -> go.Figure:
    """Return how often trades reached each distance, and virtual orders there, with the exponentials that were fitted to both."""
    figure = go.Figure()
    first, fills = found.estimate, found.fills
    x = np.linspace(first.nearest, max(first.nearest + 5.0 / first.k.value, fills.rates[-1].distance if fills else 0.0), 100)
    _add_fit(figure, "reaches", first.rates, x, first, MINUS)
    if fills:
        _add_fit(figure, "virtual orders", fills.rates, x, fills, PLUS)
    styled(figure, 420)
    figure.update_xaxes(title_text=f"distance from the mid, {first.currency}", rangemode="tozero")
    figure.update_yaxes(title_text="reached, per second and side", type="log", dtick=1, exponentformat="power")
    return figure


def _add_fit(figure: go.Figure, name: str, rates: Sequence[RateAt], x: Any, fitted: Estimate | FillStudy, colour: str) -> None:
    """Draw what was observed with its intervals, and the exponential that was fitted to it."""
    seen = [at for at in rates if at.reached]
    value = np.array([at.rate.value for at in seen])
    low = np.array([max(at.rate.low, 0.02 * at.rate.value) for at in seen])
    figure.add_scatter(
        x=[at.distance for at in seen],
        y=value,
        error_y=_bars(low, value, np.array([at.rate.high for at in seen]), color=MARKET),
        mode="markers",
        marker={"size": 5, "color": colour},
        name=name,
    )
    y = fitted.A.value * np.exp(-fitted.k.value * x)
    figure.add_scatter(x=x, y=y, name=f"fitted to {name}", line={"color": colour, "width": 2})


def signature_figure(found: Calibration) -> go.Figure:
    """Return realised volatility against the distance of samples: what falls is bounce."""
    figure = go.Figure()
    for (name, points), colour in zip(found.signatures.items(), (PLUS, MINUS), strict=True):
        value = np.array([at.sigma.value for at in points])
        high, low = (np.array([getattr(at.sigma, end) for at in points]) for end in ("high", "low"))
        figure.add_scatter(
            x=[at.every_s for at in points],
            y=value,
            error_y=_bars(low, value, high),
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2},
        )
    styled(figure, 420)
    figure.update_xaxes(title_text="distance of samples, s", type="log", dtick=1, exponentformat="none")
    figure.update_yaxes(title_text=f"realised volatility, {found.estimate.currency}/√s", rangemode="tozero")
    return figure


def write_calibration_plots(found: Calibration, title: str, path: str) -> Path:
    """Write both pictures as one self-contained HTML page and return its path.

    Raises:
        InputError: the name does not end in .html, or the place cannot be written.
    """
    return write_pictures(
        path,
        title,
        [
            ("How often orders are reached, by distance from the mid", intensity_figure(found)),
            ("Volatility against the distance of samples: what falls is bounce", signature_figure(found)),
        ],
    )


def _bars(low: Any, value: Any, high: Any, **looks: Any) -> dict[str, Any]:
    """Return error bars from *low* to *high* around *value*."""
    return {
        "type": "data",
        "symmetric": False,
        "array": high - value,
        "arrayminus": value - low,
        "width": 0,
        "thickness": 1,
        **looks,
    }
