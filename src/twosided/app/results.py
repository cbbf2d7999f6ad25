"""What ``twosided replay --json`` prints of a Run: exact money, and parts that add up.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.
"""

from typing import Any

import polars as pl

from twosided.explain.assumption_band import band_of
from twosided.explain.far_quotes import far_warnings
from twosided.explain.own_size import size_warnings
from twosided.explain.reporting import REPORTED_PARTS, reported
from twosided.explain.split import PARTS, Split, split, split_by_currency
from twosided.explain.statistics import Basis, statistics
from twosided.explain.words import currencies_apart
from twosided.market.run import Run

__all__ = ["results"]


def results(run: Run, basis: Basis) -> dict[str, Any]:
    """Return the results of *run*. Money is in the currency named beside it, as decimals with all their digits.

    ``pnl`` is exactly the sum of the parts of ``split``; ``fees`` are fees, taxes and funding paid, exactly ``-split["fees"]``
    (those of hedge fills are in its part ``hedge``);
    ``position`` and ``volume`` (bought plus sold) are quantities of the instrument; ``events_per_second`` is about wall time and
    the only figure that differs from one run to the next. ``sensitivity`` is there where other assumptions were tried,
    ``risk`` where there were limits, ``warnings``
    are sentences about what should not be believed or added.

    ``accounts`` has the money of each currency, ``markets`` money and quantities of each market. Of several markets ``symbol``,
    ``position`` and ``volume`` are null; of several currencies ``currency``, ``pnl``, ``split`` and ``fees``: they are not added.
    ``reported`` adds them in a currency that was chosen for that (`twosided.explain.reporting`), else it is null.
    """
    parts, sums = split(run, basis.horizon_ns), split_by_currency(run, basis.horizon_ns)
    markets = [_market(run, market, part) for market, part in enumerate(parts)]
    accounts = [_money(part) for part in sums.values()]
    apart = currencies_apart(run, basis)
    seconds = run.facts["seconds"]
    return {
        "strategy": run.facts["strategy"],
        "params": run.facts["params"],
        "parameters": run.facts.get("parameters"),
        "calibration": run.facts.get("calibration"),
        **_only(markets, "symbol", "position", "volume"),
        **_only(accounts, "currency", "pnl", "split", "fees"),
        "accounts": accounts,
        "reported": _reported(run, basis),
        "markets": markets,
        "fills": run.fills.height,
        "events": run.facts["events"],
        "events_per_second": round(run.facts["events"] / seconds) if seconds else None,
        "seconds": seconds,
        "complete": run.facts["complete"],
        "start_ns": run.facts["start_ns"],
        "end_ns": run.facts["end_ns"],
        "seed": run.facts["seed"],
        "digest": run.digest(),
        "sensitivity": band_of(run),
        "risk": run.facts.get("risk"),
        "warnings": [apart] * bool(apart) + size_warnings(run) + far_warnings(run),
        "statistics": statistics(run, basis),
    }


def _only(sheets: list[dict[str, Any]], *names: str) -> dict[str, Any]:
    """Return values of the only one of *sheets*, None where there are several."""
    return {name: sheets[0][name] if len(sheets) == 1 else None for name in names}


def _money(part: Split) -> dict[str, Any]:
    return {
        "currency": part.currency,
        "pnl": part.money("total"),
        "split": {name: part.money(name) for name in PARTS},
        "fees": 0 - part.money("fees"),
    }


def _reported(run: Run, basis: Basis) -> dict[str, Any] | None:
    if basis.reporting is None:
        return None
    found = reported(run, basis.reporting, basis.horizon_ns)
    split = {name: found.money(name) for name in REPORTED_PARTS}
    return {"currency": found.currency, "pnl": found.money("total"), "split": split}


def _market(run: Run, market: int, part: Split) -> dict[str, Any]:
    instrument, lots = run.instruments[market], run.fills.filter(pl.col("market") == market)["lots"]
    return {
        "symbol": instrument.symbol,
        "venue": instrument.venue,
        **_money(part),
        "position": run.facts["closing"][market]["position_lots"] * instrument.lot_size,
        "volume": int(lots.sum()) * instrument.lot_size,
        "fills": len(lots),
    }
