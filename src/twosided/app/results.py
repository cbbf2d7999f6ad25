"""What ``twosided replay --json`` prints of a Run: exact money, and parts that add up.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.
"""

from typing import Any

from twosided.errors import InputError
from twosided.explain.assumption_band import band_of
from twosided.explain.own_size import size_warnings
from twosided.explain.split import PARTS, split_by_currency
from twosided.explain.statistics import Basis, statistics
from twosided.market.run import Run

__all__ = ["results"]


def results(run: Run, basis: Basis) -> dict[str, Any]:
    """Return the results of *run*. Money is in the quote currency, as decimals with all their digits.

    ``pnl`` is exactly the sum of the parts of ``split``; ``fees`` are fees, taxes and funding paid, exactly ``-split["fees"]``;
    ``position`` and ``volume`` (bought plus sold) are quantities of the instrument; ``events_per_second`` is about wall time and
    the only figure that differs from one run to the next. ``sensitivity`` is there where other assumptions were tried, ``warnings``
    are sentences about own orders that are not small.

    Raises:
        InputError: the run has more than one market.
    """
    if len(run.instruments) != 1:
        raise InputError(f"the run has {len(run.instruments)} markets; results are printed for one")
    (account,) = split_by_currency(run, basis.horizon_ns).values()
    instrument, closing, seconds = run.instruments[0], run.facts["closing"][0], run.facts["seconds"]
    return {
        "strategy": run.facts["strategy"],
        "params": run.facts["params"],
        "parameters": run.facts.get("parameters"),
        "calibration": run.facts.get("calibration"),
        "symbol": instrument.symbol,
        "currency": account.currency,
        "pnl": account.money("total"),
        "split": {part: account.money(part) for part in PARTS},
        "fees": 0 - account.money("fees"),
        "position": closing["position_lots"] * instrument.lot_size,
        "volume": int(run.fills["lots"].sum()) * instrument.lot_size,
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
        "warnings": size_warnings(run),
        "statistics": statistics(run, basis),
    }
