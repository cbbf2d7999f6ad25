"""Statistics of one market of a Run: inventory, quotes, requests, fills by kind.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

Quantities are in units of the instrument.

- ``unit``: what quantities are counted in.
- ``position``, ``volume`` (bought plus sold), ``share_of_volume``: own volume / all that traded (``facts["market_volume_lots"]``).
- ``mean_abs_inventory`` (weighted by time), ``max_abs_inventory``.
- ``inventory_reversion_seconds`` = 1/κ and ``inventory_half_life_seconds`` = ln 2 / κ: q_{j+1} = a + b q_j + e fitted by least
  squares to the position every `Basis.inventory_period_ns`, κ = -ln b / period. Only where a Dickey-Fuller test (with a constant,
  5 %: t < -2.86) tells it from a random walk.
- ``quoted_orders``: new orders and replacements sent. ``fills_per_quoted_order``: fills / that. ``fills_per_hour``.
- ``requests``: new orders, replacements and cancels sent. ``refused``, ``refused_share``, ``refused_by_reason``: those that the
  exchange refused. ``denied``, ``denied_by_reason``: quotes that our own checks stopped, so that nothing was sent.
- ``two_sided_share``: share of time with an own bid and an own ask standing in the market, see `twosided.explain.paths`
  (`standing_path`). ``bid_at_touch_share``, ``ask_at_touch_share``: share of time at which the own best bid (ask) stands at or
  inside the market's.
- ``markouts``: one entry per horizon, see `twosided.explain.markouts`.
- ``by_side``, ``by_cause``: fills, their volume, spread, adverse part, fees and taxes paid (money), and markouts, see
  `twosided.explain.fill_groups`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from twosided.explain.basis import Basis
from twosided.explain.fill_groups import FillGroup, fill_groups
from twosided.explain.markouts import Markout, markouts
from twosided.explain.paths import Floats, Integers, fills_of, last_at, mids_of, position_path, standing_path, time_shares
from twosided.explain.words import unit_of
from twosided.market.instrument import Instrument
from twosided.market.order import OrderAction, Reason
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND, duration_text

__all__ = ["LEAST_PERIODS", "Measured", "explained", "market_statistics", "over", "span_ns"]

LEAST_PERIODS = 30
"""Fewer non-overlapping periods than this give no Sharpe or Sortino ratio, and no fit to the inventory."""

DICKEY_FULLER_5_PERCENT = -2.86

Measured = float | int | str
"""A value, or in words why there is none."""

QUOTED = (OrderAction.SEND_NEW, OrderAction.SEND_REPLACE)
SENT = (*QUOTED, OrderAction.SEND_CANCEL)
REFUSED = (OrderAction.REJECTED, OrderAction.CANCEL_REJECTED)


def explained(measured: Mapping[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """Turn reasons into None and list them apart."""
    reasons = {name: value for name, value in measured.items() if isinstance(value, str)}
    return {**plain, **{name: None if name in reasons else value for name, value in measured.items()}, "reasons": reasons}


def over(part: float, whole: float, reason: str) -> Measured:
    """Return a ratio, or the reason where its denominator is zero."""
    return part / whole if whole else reason


def span_ns(run: Run) -> int:
    """Return the length of a run."""
    return int(run.facts["end_ns"]) - int(run.facts["start_ns"])


def market_statistics(run: Run, basis: Basis, market: int) -> dict[str, Any]:
    """Return the statistics of one market as described above."""
    instrument, fills = run.instruments[market], fills_of(run, market)
    times, held = position_path(run, market)
    weights = time_shares(times, int(run.facts["end_ns"]))
    traded = run.facts["market_volume_lots"][market] if "market_volume_lots" in run.facts else 0
    quoted, requests = _logged(run, market, *QUOTED).height, _logged(run, market, *SENT).height
    refused, denied = _logged(run, market, *REFUSED), _logged(run, market, OrderAction.DENIED)
    horizons = basis.markout_horizons_ns
    groups = fill_groups(run, market, basis.horizon_ns, horizons)
    hours = span_ns(run) / (3600 * NS_PER_SECOND)
    measured = {
        "share_of_volume": over(int(fills.lots.sum()), int(traded), "the market's volume is not known"),
        "mean_abs_inventory": over(
            instrument.quantity(float(np.sum(np.abs(held) * weights.astype(np.float64)))),
            float(weights.sum()),
            "the run has no length",
        ),
        **_reversion(run, basis, times, held),
        "fills_per_quoted_order": over(len(fills.ns), quoted, "no orders were logged"),
        "fills_per_hour": over(len(fills.ns), hours, "the run has no length"),
        "refused_share": over(refused.height, requests, "no orders were logged"),
        **_presence(run, market),
    }
    plain = {
        "symbol": instrument.symbol,
        "venue": instrument.venue,
        "currency": instrument.currency,
        "unit": unit_of(instrument),
        "fills": len(fills.ns),
        "position": instrument.quantity(float(run.facts["closing"][market]["position_lots"])),
        "volume": instrument.quantity(float(fills.lots.sum())),
        "max_abs_inventory": instrument.quantity(float(np.max(np.abs(held)))),
        "quoted_orders": quoted,
        "requests": requests,
        "refused": refused.height,
        "refused_by_reason": _by_reason(refused),
        "denied": denied.height,
        "denied_by_reason": _by_reason(denied),
        "markouts": [_markout(one) for one in markouts(run, horizons) if one.market == market],
        "by_side": {group.name: _group(group, instrument) for group in groups if group.kind == "side"},
        "by_cause": {group.name: _group(group, instrument) for group in groups if group.kind == "cause"},
    }
    return explained(measured, plain)


def _logged(run: Run, market: int, *actions: OrderAction) -> pl.DataFrame:
    return run.orders.filter((pl.col("market") == market) & pl.col("action").is_in([int(action) for action in actions]))


def _by_reason(rows: pl.DataFrame) -> dict[str, int]:
    """Return how many lines of the order log have which reason, in words, the most frequent first."""
    counts = sorted(rows.group_by("reason").len().iter_rows(), key=lambda one: (-one[1], one[0]))
    return {Reason(reason).name.lower().replace("_", " "): count for reason, count in counts}


def _markout(one: Markout) -> dict[str, Any]:
    return {
        "horizon_seconds": one.horizon_ns / NS_PER_SECOND,
        "fills": one.fills,
        "left_out": one.left_out,
        "blocks": one.blocks,
        "ticks": one.ticks._asdict(),
        "bps": one.bps._asdict(),
    }


def _group(group: FillGroup, instrument: Instrument) -> dict[str, Any]:
    money = {name: instrument.money(getattr(group, name)) for name in ("spread", "adverse", "paid")}
    listed = [_markout(one) for one in group.markouts]
    return {"fills": group.fills, "volume": instrument.quantity(group.lots), **money, "markouts": listed}


def _reversion(run: Run, basis: Basis, times: Integers, held: Integers) -> dict[str, Measured]:
    """Return 1/κ and ln 2 / κ of the position, seconds."""
    periods, name = span_ns(run) // basis.inventory_period_ns, duration_text(basis.inventory_period_ns)
    grid = int(run.facts["start_ns"]) + basis.inventory_period_ns * np.arange(periods + 1, dtype=np.int64)
    result = _autoregression(held[last_at(times, grid)].astype(np.float64), name)
    if isinstance(result, str):
        return {"inventory_reversion_seconds": result, "inventory_half_life_seconds": result}
    seconds = -basis.inventory_period_ns / NS_PER_SECOND / float(np.log(result))
    return {"inventory_reversion_seconds": seconds, "inventory_half_life_seconds": float(np.log(2.0)) * seconds}


def _autoregression(samples: Floats, period: str) -> float | str:
    """Return b of q_{j+1} = a + b q_j + e, 0 < b < 1, or why there is none."""
    if len(samples) <= LEAST_PERIODS:
        return f"{max(len(samples) - 1, 0)} of the {LEAST_PERIODS} periods of {period} that it needs"
    x, y = samples[:-1] - np.mean(samples[:-1]), samples[1:] - np.mean(samples[1:])
    squares = float(np.sum(x * x))
    if squares == 0:
        return "the inventory never changed"
    slope = float(np.sum(x * y)) / squares
    error = (float(np.sum((y - slope * x) ** 2)) / (len(x) - 2) / squares) ** 0.5
    if slope >= 1 or (error > 0 and (slope - 1) / error > DICKEY_FULLER_5_PERCENT):
        return "the inventory cannot be told from a random walk (Dickey-Fuller, 5 %)"
    if slope <= 0:
        return f"the inventory reverts within one sampling period of {period}"
    return slope


def _presence(run: Run, market: int) -> dict[str, Measured]:
    names = ("two_sided_share", "bid_at_touch_share", "ask_at_touch_share")
    start, end = int(run.facts["start_ns"]), int(run.facts["end_ns"])
    if not run.orders.height or end <= start:
        return dict.fromkeys(names, "no orders were logged")
    mids, (bid_ns, bids), (ask_ns, asks) = mids_of(run, market), standing_path(run, market, 1), standing_path(run, market, -1)
    times = np.unique(np.concatenate([[start], bid_ns, ask_ns, mids.ns])).astype(np.int64)
    times = times[(times >= start) & (times < end)]
    weights = time_shares(times, end).astype(np.float64)
    bid, ask = bids[last_at(bid_ns, times)], asks[last_at(ask_ns, times)]
    shown = np.full(len(times), False) if not len(mids.ns) else times >= mids.ns[0]
    best_bid, best_ask = (column[last_at(mids.ns, times)] if len(mids.ns) else bid for column in (mids.bid, mids.ask))
    states = ((bid != 0) & (ask != 0), (bid != 0) & (bid >= best_bid) & shown, (ask != 0) & (ask <= best_ask) & shown)
    return {name: float(np.sum(weights * state) / (end - start)) for name, state in zip(names, states, strict=True)}
