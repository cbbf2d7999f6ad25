"""Statistics of a Run: every number with its definition and unit, and None with a reason where it would mislead.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

`statistics` returns a dictionary that JSON can hold: what was assumed, ``accounts`` (one per currency: money) and ``markets`` (one
per market: inventory, quotes). In each of these a value that cannot be given is None and ``reasons`` says why. ``days_per_year``
and ``hours_per_day`` are those that were used: stated, or the venue's (`twosided.explain.basis`), None where nobody knows.

**Accounts.** Money in the account's currency; ``markets`` and ``symbols`` are those whose money it is. Currencies are never added.

- ``pnl``, ``split``: total and parts of `twosided.explain.split`. ``fees_paid``: fees and taxes, positive = paid; ``funding_paid``.
- ``realised_fifo``, ``unrealised_fifo``, ``realised_average``, ``unrealised_average``: `twosided.execution.cost_basis`, no fees.
- ``return_on_capital``: pnl / stated capital over the run, not annualised; only where ``facts["capital"]`` (by currency) has it.
- ``fills``; ``pnl_per_fill``: pnl / fills. ``round_trips``, ``win_rate``: FIFO pairs of lots, and the share of them that earned
  more than their fees. ``pnl_per_round_trip``: mean net gain of those.
- ``pnl_before_fees``: pnl less the split's part ``fees``: before fees, taxes and funding.
- ``pnl_per_day``, ``pnl_per_month``, ``fills_per_day``, ``fills_per_month``: scaled by time from the run's span to a trading day
  (`Basis.hours_per_day`) and a twelfth of a year (`Basis.days_per_year` / 12 days). Arithmetic, not a forecast; and not given where
  the run is shorter than 1 / `MOST_SCALING` of that.
- ``sharpe``: mean / standard deviation (n - 1) of the changes of equity over ``periods`` whole, non-overlapping periods of
  `Basis.period_ns`, times sqrt(periods per year), no interest deducted. ``sharpe_error``: its standard error, per period
  sqrt((1 + S²/2) / n), annualised alike (Lo 2002, Financial Analysts Journal 58(4), its case of independent changes).
  ``sortino``: the same mean over the root mean square of the losses, target zero. None of them below `LEAST_PERIODS` periods.
- ``drawdown``: the largest fall of equity from an earlier peak, on the equity frame, money; ``drawdown_of_capital``: its share of
  stated capital. (A share of the peak P&L is not given: P&L starts at zero, and a share of nearly nothing says nothing.)
- ``turnover``: value bought plus sold; ``turnover_of_capital``: a multiple; ``maker_share``: share of turnover that rested.
- ``spread_capture_bps``: spread part / turnover of non-hedge fills, in 1e-4.

**Markets**: ``pnl`` and ``split`` of each, and `twosided.explain.market_statistics`.
"""

from typing import Any

import numpy as np

from twosided.errors import InputError
from twosided.execution.cost_basis import CostBasis, RoundTrips, average_cost, fifo
from twosided.explain.basis import Basis
from twosided.explain.market_statistics import LEAST_PERIODS, Measured, explained, market_statistics, over, span_ns
from twosided.explain.paths import Floats, Integers, fills_of, last_at, mids_of, pnl_path
from twosided.explain.split import PARTS, Split, by_currency, split
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND, duration_text, exact_decimal

__all__ = ["LEAST_PERIODS", "MOST_SCALING", "Basis", "statistics"]

MOST_SCALING = 50
"""A run is scaled up by at most this factor to a day or a month: five minutes say nothing of a month."""


def statistics(run: Run, basis: Basis | None = None) -> dict[str, Any]:
    """Return the statistics of *run* as described above.

    Raises:
        DataError: the run contradicts itself (see `split`).
        InputError: stated capital that is not a positive amount.
    """
    basis = (basis or Basis()).of(run)
    parts = split(run, basis.horizon_ns)
    return {
        "span_seconds": span_ns(run) / NS_PER_SECOND,
        "horizon_seconds": basis.horizon_ns / NS_PER_SECOND,
        "period_seconds": basis.period_ns / NS_PER_SECOND,
        "inventory_period_seconds": basis.inventory_period_ns / NS_PER_SECOND,
        "days_per_year": basis.days_per_year,
        "hours_per_day": basis.hours_per_day,
        "accounts": [_account(run, basis, part) for part in by_currency(parts).values()],
        "markets": [{**_money(part), **market_statistics(run, basis, market)} for market, part in enumerate(parts)],
    }


def _money(part: Split) -> dict[str, Any]:
    return {"pnl": float(part.money("total")), "split": {name: float(part.money(name)) for name in PARTS}}


# ---------------------------------------------------------------- accounts


def _account(run: Run, basis: Basis, part: Split) -> dict[str, Any]:
    markets = [market for market, instrument in enumerate(run.instruments) if instrument.currency == part.currency]
    capital = _capital(run, part.currency)
    costs = [_cost_bases(run, market) for market in markets]
    pnl = float(part.money("total"))
    trades = sum(len(fills_of(run, market).ns) for market in markets)
    turnover = sum(_turnover(run, market) for market in markets)
    nets = np.concatenate(
        [trips.net * float(run.instruments[market].money_quantum) for market, (*_, trips) in zip(markets, costs, strict=True)]
    )
    ns, equity = pnl_path(run, markets)
    drawdown = float(np.max(np.maximum.accumulate(equity) - equity))
    no_capital, no_fills = "no capital was stated", "there were no fills"
    measured = {
        "return_on_capital": over(pnl, capital, no_capital),
        "pnl_per_fill": over(pnl, trades, no_fills),
        "win_rate": float(np.mean(nets > 0)) if len(nets) else "there were no round trips",
        "pnl_per_round_trip": float(np.mean(nets)) if len(nets) else "there were no round trips",
        **_scaled(run, "day", basis.day_ns, pnl=pnl, fills=trades),
        **_scaled(run, "month", basis.month_ns, pnl=pnl, fills=trades),
        **_ratios(run, basis, ns, equity),
        "drawdown": drawdown,
        "drawdown_of_capital": over(drawdown, capital, no_capital),
        "turnover_of_capital": over(turnover, capital, no_capital),
        "maker_share": over(sum(_turnover(run, market, maker=1) for market in markets), turnover, no_fills),
        "spread_capture_bps": over(
            1e4 * float(part.money("spread")), sum(_turnover(run, market, hedge=0) for market in markets), no_fills
        ),
    }
    plain = {
        "currency": part.currency,
        "symbols": [run.instruments[market].symbol for market in markets],
        "markets": markets,
        **_money(part),
        "pnl_before_fees": float(part.money("total") - part.money("fees")),
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
    return explained(measured, plain)


def _scaled(run: Run, unit: str, unit_ns: float | None, **amounts: float) -> dict[str, Measured]:
    """Return amounts per day or month, scaled by time."""
    span = span_ns(run)
    if unit_ns is None:
        reason = _no_year(run)
    elif span * MOST_SCALING < unit_ns:
        reason = f"{duration_text(span)} are less than 1/{MOST_SCALING} of a trading {unit}"
    else:
        return {f"{name}_per_{unit}": amount * unit_ns / span for name, amount in amounts.items()}
    return {f"{name}_per_{unit}": reason for name in amounts}


def _no_year(run: Run) -> str:
    venues = ", ".join(dict.fromkeys(repr(instrument.venue) for instrument in run.instruments))
    return f"no trading year is known for venue {venues}: state --days-per-year and --hours-per-day"


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
    return instrument.money(int(np.abs(instrument.price_units(2 * fills.ticks) * fills.lots).sum()) * instrument.unit_quanta)


def _cost_bases(run: Run, market: int) -> tuple[CostBasis, CostBasis, RoundTrips]:
    fills, mids, instrument = fills_of(run, market), mids_of(run, market), run.instruments[market]
    arrays = (fills.side, instrument.price_units(2 * fills.ticks), fills.lots, fills.fee + fills.tax)
    mid = instrument.price_units(mids.half_ticks)
    given = {
        "mark": int(mid[-1]) if len(mid) else 0,
        "unit_quanta": instrument.unit_quanta,
        "opening_lots": int(run.facts["opening"][market]["position_lots"]),
        "opening_price": int(mid[0]) if len(mid) else 0,
    }
    return (average_cost(*arrays, **given), *fifo(*arrays, **given))


def _ratios(run: Run, basis: Basis, ns: Integers, equity: Floats) -> dict[str, Measured]:
    """Return Sharpe, its error, Sortino and the number of periods."""
    periods = span_ns(run) // basis.period_ns
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
    elif basis.periods_per_year is None:
        reason = _no_year(run)
    if reason or basis.periods_per_year is None:
        return {"periods": int(periods), "sharpe": reason, "sharpe_error": reason, "sortino": reason}
    scale, mean = basis.periods_per_year**0.5, float(np.mean(changes))
    return {
        "periods": int(periods),
        "sharpe": mean / spread * scale,
        "sharpe_error": float(((1.0 + 0.5 * (mean / spread) ** 2) / periods) ** 0.5) * scale,
        "sortino": mean / losses * scale if losses else "no period lost money",
    }
