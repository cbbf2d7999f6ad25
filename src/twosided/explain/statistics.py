"""Statistics of a Run: every number with its definition and unit, and None with a reason where it would mislead.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

`statistics` returns a dictionary that JSON can hold: what was assumed, ``accounts`` (one per currency: money) and ``markets`` (one
per market: inventory, quotes). In each of these a value that cannot be given is None and ``reasons`` says why.

**Accounts.** Money in the account's currency.

- ``pnl``, ``split``: total and parts of `twosided.explain.split`. ``fees_paid``: fees and taxes, positive = paid; ``funding_paid``.
- ``realised_fifo``, ``unrealised_fifo``, ``realised_average``, ``unrealised_average``: `twosided.execution.cost_basis`, no fees.
- ``return_on_capital``: pnl / stated capital over the run, not annualised; only where ``facts["capital"]`` (by currency) has it.
- ``fills``; ``pnl_per_fill``: pnl / fills. ``round_trips``, ``win_rate``: FIFO pairs of lots, and the share of them that earned
  more than their fees. ``pnl_per_round_trip``: mean net gain of those.
- ``pnl_per_day``, ``pnl_per_month``, ``fills_per_day``, ``fills_per_month``: scaled by time from the run's span to a trading day
  (`Basis.hours_per_day`) and a twelfth of a year (`Basis.days_per_year` / 12 days). For a short run arithmetic, not a forecast.
- ``sharpe``: mean / standard deviation (n - 1) of the changes of equity over ``periods`` whole, non-overlapping periods of
  `Basis.period_ns`, times sqrt(periods per year), no interest deducted. ``sharpe_error``: its standard error, per period
  sqrt((1 + S²/2) / n), annualised alike (Lo 2002, Financial Analysts Journal 58(4), eq. 9; takes changes as independent).
  ``sortino``: the same mean over the root mean square of the losses, target zero. None of them below `LEAST_PERIODS` periods.
- ``drawdown``: the largest fall of equity from an earlier peak, on the equity frame, money; ``drawdown_of_capital``: its share of
  stated capital. (A share of the peak P&L is not given: P&L starts at zero, and a share of nearly nothing says nothing.)
- ``turnover``: value bought plus sold; ``turnover_of_capital``: a multiple; ``maker_share``: share of turnover that rested.
- ``spread_capture_bps``: spread part / turnover of non-hedge fills, in 1e-4.

**Markets.** Quantities in units of the instrument.

- ``position``, ``volume`` (bought plus sold), ``share_of_volume``: own volume / all that traded (``facts["market_volume_lots"]``).
- ``mean_abs_inventory`` (weighted by time), ``max_abs_inventory``.
- ``inventory_reversion_seconds`` = 1/κ and ``inventory_half_life_seconds`` = ln 2 / κ: q_{j+1} = a + b q_j + e fitted by least
  squares to the position every `Basis.inventory_period_ns`, κ = -ln b / period. Only where a Dickey-Fuller test (with a constant,
  5 %: t < -2.86) tells it from a random walk.
- ``quoted_orders``: new orders and replacements sent. ``fills_per_quoted_order``: fills / that. ``fills_per_hour``.
- ``two_sided_share``: share of time with a bid and an ask wanted, on any level. ``bid_at_touch_share``, ``ask_at_touch_share``:
  share of time at which the own best bid (ask) is at or inside the market's. Wanted quotes by our clock, the touch by the
  exchange's: each change of quote is off by one latency.
- ``markouts``: one entry per horizon, see `twosided.explain.markouts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from twosided.errors import InputError
from twosided.execution.cost_basis import CostBasis, RoundTrips, average_cost, fifo
from twosided.explain.markouts import HORIZONS_NS, markouts
from twosided.explain.paths import Floats, Integers, fills_of, last_at, mids_of, pnl_path, position_path, quote_path, time_shares
from twosided.explain.split import HORIZON_NS, PARTS, Split, split_by_currency
from twosided.market.order import OrderAction
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND, duration_text, exact_decimal

__all__ = ["LEAST_PERIODS", "Basis", "statistics"]

LEAST_PERIODS = 30
"""Fewer non-overlapping periods than this give no Sharpe or Sortino ratio, and no fit to the inventory."""

DICKEY_FULLER_5_PERCENT = -2.86

Measured = float | int | str
"""A value, or in words why there is none."""


@dataclass(frozen=True)
class Basis:
    """What statistics rest on; every figure that depends on one of these is shown with it.

    Args:
        horizon_ns: of the split's adverse part.
        markout_horizons_ns: of the markouts.
        period_ns: sampling of equity for Sharpe and Sortino.
        inventory_period_ns: sampling of the position for its mean reversion.
        days_per_year, hours_per_day: annualisation. 365 days of 24 hours for markets that never close; 252 of 6.5 for US equities.

    Raises:
        InputError: one of them is not positive.
    """

    horizon_ns: int = HORIZON_NS
    markout_horizons_ns: tuple[int, ...] = HORIZONS_NS
    period_ns: int = 60 * NS_PER_SECOND
    inventory_period_ns: int = NS_PER_SECOND
    days_per_year: float = 365.0
    hours_per_day: float = 24.0

    def __post_init__(self) -> None:
        for name in ("period_ns", "inventory_period_ns", "days_per_year", "hours_per_day"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name)}; allowed: more than 0")

    @property
    def day_ns(self) -> float:
        """Length of a trading day, ns."""
        return self.hours_per_day * 3600.0 * NS_PER_SECOND

    @property
    def periods_per_year(self) -> float:
        """How many sampling periods a trading year has."""
        return self.days_per_year * self.day_ns / self.period_ns


def statistics(run: Run, basis: Basis | None = None) -> dict[str, Any]:
    """Return the statistics of *run* as described above.

    Raises:
        DataError: the run contradicts itself (see `split`).
        InputError: stated capital that is not a positive amount.
    """
    basis = basis or Basis()
    return {
        "span_seconds": _span_ns(run) / NS_PER_SECOND,
        "horizon_seconds": basis.horizon_ns / NS_PER_SECOND,
        "period_seconds": basis.period_ns / NS_PER_SECOND,
        "inventory_period_seconds": basis.inventory_period_ns / NS_PER_SECOND,
        "days_per_year": basis.days_per_year,
        "hours_per_day": basis.hours_per_day,
        "accounts": [_account(run, basis, part) for part in split_by_currency(run, basis.horizon_ns).values()],
        "markets": [_market(run, basis, market) for market in range(len(run.instruments))],
    }


def _explained(measured: Mapping[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """Turn reasons into None and list them apart."""
    reasons = {name: value for name, value in measured.items() if isinstance(value, str)}
    return {**plain, **{name: None if name in reasons else value for name, value in measured.items()}, "reasons": reasons}


def _over(part: float, whole: float, reason: str) -> Measured:
    return part / whole if whole else reason


def _span_ns(run: Run) -> int:
    return int(run.facts["end_ns"]) - int(run.facts["start_ns"])


# ---------------------------------------------------------------- accounts


def _account(run: Run, basis: Basis, part: Split) -> dict[str, Any]:
    markets = [market for market, instrument in enumerate(run.instruments) if instrument.currency == part.currency]
    capital = _capital(run, part.currency)
    costs = [_cost_bases(run, market) for market in markets]
    pnl = float(part.money("total"))
    trades = sum(len(fills_of(run, market).ns) for market in markets)
    turnover = sum(_turnover(run, market) for market in markets)
    days = _span_ns(run) / basis.day_ns
    months = days / (basis.days_per_year / 12.0)
    nets = np.concatenate(
        [trips.net * float(run.instruments[market].money_quantum) for market, (*_, trips) in zip(markets, costs, strict=True)]
    )
    ns, equity = pnl_path(run, markets)
    drawdown = float(np.max(np.maximum.accumulate(equity) - equity))
    no_capital, no_fills, no_time = "no capital was stated", "there were no fills", "the run has no length"
    measured = {
        "return_on_capital": _over(pnl, capital, no_capital),
        "pnl_per_fill": _over(pnl, trades, no_fills),
        "win_rate": float(np.mean(nets > 0)) if len(nets) else "there were no round trips",
        "pnl_per_round_trip": float(np.mean(nets)) if len(nets) else "there were no round trips",
        "pnl_per_day": _over(pnl, days, no_time),
        "pnl_per_month": _over(pnl, months, no_time),
        "fills_per_day": _over(trades, days, no_time),
        "fills_per_month": _over(trades, months, no_time),
        **_ratios(run, basis, ns, equity),
        "drawdown": drawdown,
        "drawdown_of_capital": _over(drawdown, capital, no_capital),
        "turnover_of_capital": _over(turnover, capital, no_capital),
        "maker_share": _over(sum(_turnover(run, market, maker=1) for market in markets), turnover, no_fills),
        "spread_capture_bps": _over(
            1e4 * float(part.money("spread")), sum(_turnover(run, market, hedge=0) for market in markets), no_fills
        ),
    }
    plain = {
        "currency": part.currency,
        "symbols": [run.instruments[market].symbol for market in markets],
        "pnl": pnl,
        "split": {name: float(part.money(name)) for name in PARTS},
        "fees_paid": sum(_paid(run, market, "fees") + _paid(run, market, "taxes") for market in markets),
        "funding_paid": sum(_paid(run, market, "funding") for market in markets),
        "fills": trades,
        "round_trips": len(nets),
        "turnover": turnover,
        "capital": capital or None,
    }
    for name, index in (("average", 0), ("fifo", 1)):
        for kind in ("realised", "unrealised"):
            amounts = (
                run.instruments[market].money(int(np.sum(getattr(cost[index], kind))))
                for market, cost in zip(markets, costs, strict=True)
            )
            plain[f"{kind}_{name}"] = sum(amounts)
    return _explained(measured, plain)


def _capital(run: Run, currency: str) -> float:
    """Return stated capital, 0 where there is none."""
    stated = run.facts.get("capital") or {}
    if currency not in stated:
        return 0.0
    amount = exact_decimal(stated[currency], name=f"capital in {currency}")
    if amount <= 0:
        raise InputError(f"capital in {currency} is {amount}; allowed: more than 0")
    return float(amount)


def _paid(run: Run, market: int, name: str) -> float:
    return run.instruments[market].money(int(run.facts["closing"][market][name]) - int(run.facts["opening"][market][name]))


def _turnover(run: Run, market: int, **only: int) -> float:
    """Return value bought plus sold, in fills that have these values."""
    fills, instrument = fills_of(run, market), run.instruments[market]
    for name, value in only.items():
        fills = fills.where(getattr(fills, name) == value)
    return instrument.money(int(np.abs(2 * fills.ticks * fills.lots).sum()) * instrument.half_tick_lot)


def _cost_bases(run: Run, market: int) -> tuple[CostBasis, CostBasis, RoundTrips]:
    fills, mids, instrument = fills_of(run, market), mids_of(run, market), run.instruments[market]
    arrays = (fills.side, fills.ticks, fills.lots, fills.fee + fills.tax)
    given = {
        "mark_half_ticks": int(mids.half_ticks[-1]) if len(mids.ns) else 0,
        "half_tick_lot": instrument.half_tick_lot,
        "opening_lots": int(run.facts["opening"][market]["position_lots"]),
        "opening_half_ticks": int(mids.half_ticks[0]) if len(mids.ns) else 0,
    }
    return (average_cost(*arrays, **given), *fifo(*arrays, **given))


def _ratios(run: Run, basis: Basis, ns: Integers, equity: Floats) -> dict[str, Measured]:
    """Return Sharpe, its error, Sortino and the number of periods."""
    periods = _span_ns(run) // basis.period_ns
    grid = int(run.facts["start_ns"]) + basis.period_ns * np.arange(periods + 1, dtype=np.int64)
    changes = np.diff(equity[last_at(ns, grid)])
    spread, losses = (
        (float(np.std(changes, ddof=1)), float(np.sqrt(np.mean(np.minimum(changes, 0) ** 2)))) if periods > 1 else (0.0, 0.0)
    )
    reason = ""
    if periods < LEAST_PERIODS:
        reason = f"{periods} of the {LEAST_PERIODS} non-overlapping periods of {duration_text(basis.period_ns)} that it needs"
    elif len(ns) > 2 and np.median(np.diff(ns)) > basis.period_ns:
        reason = f"equity was recorded more rarely than every {duration_text(basis.period_ns)}"
    elif spread == 0:
        reason = "equity never changed"
    if reason:
        return {"periods": int(periods), "sharpe": reason, "sharpe_error": reason, "sortino": reason}
    scale, mean = basis.periods_per_year**0.5, float(np.mean(changes))
    return {
        "periods": int(periods),
        "sharpe": mean / spread * scale,
        "sharpe_error": float(((1.0 + 0.5 * (mean / spread) ** 2) / periods) ** 0.5) * scale,
        "sortino": mean / losses * scale if losses else "no period lost money",
    }


# ---------------------------------------------------------------- markets


def _market(run: Run, basis: Basis, market: int) -> dict[str, Any]:
    instrument, fills = run.instruments[market], fills_of(run, market)
    times, held = position_path(run, market)
    weights = time_shares(times, int(run.facts["end_ns"]))
    traded = run.facts["market_volume_lots"][market] if "market_volume_lots" in run.facts else 0
    sends = (OrderAction.SEND_NEW, OrderAction.SEND_REPLACE)
    quoted = run.orders.filter((pl.col("market") == market) & pl.col("action").is_in([int(send) for send in sends])).height
    hours = _span_ns(run) / (3600 * NS_PER_SECOND)
    measured = {
        "share_of_volume": _over(int(fills.lots.sum()), int(traded), "the market's volume is not known"),
        "mean_abs_inventory": _over(
            instrument.quantity(float(np.sum(np.abs(held) * weights.astype(np.float64)))),
            float(weights.sum()),
            "the run has no length",
        ),
        **_reversion(run, basis, times, held),
        "fills_per_quoted_order": _over(len(fills.ns), quoted, "no orders were logged"),
        "fills_per_hour": _over(len(fills.ns), hours, "the run has no length"),
        **_presence(run, market),
    }
    plain = {
        "symbol": instrument.symbol,
        "venue": instrument.venue,
        "currency": instrument.currency,
        "fills": len(fills.ns),
        "position": instrument.quantity(float(run.facts["closing"][market]["position_lots"])),
        "volume": instrument.quantity(float(fills.lots.sum())),
        "max_abs_inventory": instrument.quantity(float(np.max(np.abs(held)))),
        "quoted_orders": quoted,
        "markouts": [
            {
                "horizon_seconds": one.horizon_ns / NS_PER_SECOND,
                "fills": one.fills,
                "left_out": one.left_out,
                "blocks": one.blocks,
                "ticks": one.ticks._asdict(),
                "bps": one.bps._asdict(),
            }
            for one in markouts(run, basis.markout_horizons_ns)
            if one.market == market
        ],
    }
    return _explained(measured, plain)


def _reversion(run: Run, basis: Basis, times: Integers, held: Integers) -> dict[str, Measured]:
    """Return 1/κ and ln 2 / κ of the position, seconds."""
    periods, name = _span_ns(run) // basis.inventory_period_ns, duration_text(basis.inventory_period_ns)
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
    if not run.quotes.height or end <= start:
        return dict.fromkeys(names, "no quotes were logged")
    mids, (bid_ns, bids), (ask_ns, asks) = mids_of(run, market), quote_path(run, market, 1), quote_path(run, market, -1)
    times = np.unique(np.concatenate([[start], bid_ns, ask_ns, mids.ns])).astype(np.int64)
    times = times[(times >= start) & (times < end)]
    weights = time_shares(times, end).astype(np.float64)
    bid, ask = bids[last_at(bid_ns, times)], asks[last_at(ask_ns, times)]
    shown = np.full(len(times), False) if not len(mids.ns) else times >= mids.ns[0]
    best_bid, best_ask = (column[last_at(mids.ns, times)] if len(mids.ns) else bid for column in (mids.bid, mids.ask))
    states = ((bid != 0) & (ask != 0), (bid != 0) & (bid >= best_bid) & shown, (ask != 0) & (ask <= best_ask) & shown)
    return {name: float(np.sum(weights * state) / (end - start)) for name, state in zip(names, states, strict=True)}
