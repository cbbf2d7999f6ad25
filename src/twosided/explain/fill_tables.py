"""Tables of fills for the report: every fill with what became of it, and sums by side and by cause.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from twosided.explain.basis import Basis
from twosided.explain.paths import fills_of, last_at, last_before, mids_of
from twosided.explain.summary import NOTHING, amount_text
from twosided.explain.words import decimals_of, market_name, price_currency, typeset, unit_of
from twosided.market.order import FillCause
from twosided.market.run import Run
from twosided.units import duration_text, time_text

__all__ = ["FIRST_AND_LAST", "MOST_ROWS", "fill_table", "group_table"]

FIRST_AND_LAST = 15
"""Fills shown at each end of the table before a reader asks for the rest."""

MOST_ROWS = 10_000
"""Fills that a report holds, half of them from each end; the saved run has them all."""

TEXT_COLUMNS = {"time", "market", "side", "role", "why"}
"""Columns that hold words."""

Cells = dict[str, tuple[str, str]]


def fill_table(run: Run, basis: Basis) -> dict[str, Any]:
    """Return the fills in the order of time: columns, the first and last rows, and those between them as JSON."""
    total = run.fills.height
    numbered = run.fills.with_row_index("row")
    held = numbered if total <= MOST_ROWS else numbered.head(MOST_ROWS // 2).vstack(numbered.tail(MOST_ROWS // 2))
    lines = _lines(run, held, basis)
    constant = {name for name in ("fee", "tax") if not (run.fills[name] != 0).any()}
    constant |= {"role"} if len({line["role"][1] for line in lines}) == 1 else set()
    constant |= {"market"} if len(run.instruments) == 1 else set()
    shown = [(name, header) for name, (header, _) in (lines[0].items() if lines else ()) if name not in constant]
    rows = [[line[name][1] for name, _ in shown] for line in lines]
    hidden = rows[FIRST_AND_LAST:-FIRST_AND_LAST] if total > 2 * FIRST_AND_LAST else []
    return {
        "columns": [(header, name in TEXT_COLUMNS) for name, header in shown],
        "first": rows[:FIRST_AND_LAST] if hidden else rows,
        "last": rows[-FIRST_AND_LAST:] if hidden else [],
        "hidden": f"{len(hidden):,}" if hidden else "",
        "hidden_json": Markup(json.dumps(hidden, ensure_ascii=False).replace("<", "\\u003c")),  # noqa: S704 - cannot end its script
        "left_out": f" (of {total - 2 * FIRST_AND_LAST:,}; the saved run has them all)" if total > MOST_ROWS else "",
        "caption": _caption(lines, constant, total, basis),
    }


def _caption(lines: list[Cells], constant: set[str], total: int, basis: Basis) -> str:
    roles = {"maker": " All of them rested.", "taker": " All of them took."}
    role = roles.get(lines[0]["role"][1], "") if lines and "role" in constant else ""
    unpaid = sorted(constant & {"fee", "tax"})
    sign = "" if "fee" in constant else " Fee: positive was paid, negative is a rebate."
    return (
        f"{total:,} fills in all.{role} To mid: how much better the price was than the mid before the fill. Mid after: how far the "
        f"mid then moved within {duration_text(basis.horizon_ns)}, positive in our favour.{sign}"
        f"{' No ' + ' and no '.join(unpaid) + ' was charged.' if unpaid else ''}"
    )


def _lines(run: Run, fills: Any, basis: Basis) -> list[Cells]:
    """Return each fill as column -> (header, text)."""
    markets, times = fills["market"].to_numpy(), fills["exch_ns"].to_numpy()
    before, after = np.zeros(len(times), np.int64), np.zeros(len(times), np.int64)
    for market in range(len(run.instruments)):
        mids, own = mids_of(run, market), markets == market
        if len(mids.ns):
            before[own] = mids.half_ticks[last_before(mids.ns, times[own])]
            ends = np.minimum(times[own] + basis.horizon_ns, int(run.facts["end_ns"]))
            after[own] = mids.half_ticks[last_at(mids.ns, ends)]
    days = {time_text(int(run.facts[name]))[:10] for name in ("start_ns", "end_ns")}
    day = days.pop() if len(days) == 1 else ""
    rows = zip(fills.iter_rows(named=True), before.tolist(), after.tolist(), strict=True)
    return [
        _line(run, fill, twice_before, twice_after, day, duration_text(basis.horizon_ns))
        for fill, twice_before, twice_after in rows
    ]


def _line(run: Run, fill: Mapping[str, Any], before: int, after: int, day: str, horizon: str) -> Cells:
    instrument, side = run.instruments[fill["market"]], int(fill["side"])
    decimals, unit, currency = decimals_of(instrument.tick_size), unit_of(instrument), instrument.currency
    several = len(run.instruments) > 1

    def measured(name: str, text: str, its_unit: str) -> tuple[str, str]:
        return (name, f"{typeset(text)} {its_unit}") if several else (f"{name}, {its_unit}", typeset(text))

    return {
        "#": ("#", f"{fill['row'] + 1:,}"),
        "time": (f"time, {day} UTC" if day else "time, UTC", time_text(fill["exch_ns"])[11 if day else 0 : 26]),
        "market": ("market", instrument.symbol),
        "order": ("order", str(fill["order_id"])),
        "side": ("side", "buy" if side > 0 else "sell"),
        "price": measured("price", f"{fill['ticks'] * instrument.tick_size:,.{decimals}f}", price_currency(instrument)),
        "quantity": measured("quantity", f"{instrument.quantity(fill['lots']):,.8g}", unit),
        "role": ("role", ("hedge, " if fill["hedge"] else "") + ("maker" if fill["maker"] else "taker")),
        "why": ("why", FillCause(fill["cause"]).name.lower().replace("_", " ") if fill["cause"] else ""),
        "fee": measured("fee", f"{instrument.money(fill['fee']):,.6f}", currency),
        "tax": measured("tax", f"{instrument.money(fill['tax']):,.6f}", currency),
        "position": measured("position", f"{instrument.quantity(fill['position_lots']):,.8g}", unit),
        "to mid": ("to mid, ticks", typeset(f"{side * (before - 2 * fill['ticks']) / 2:+,.1f}")),
        "mid after": (f"mid after {horizon}, ticks", typeset(f"{side * (after - before) / 2:+,.1f}")),
    }


def group_table(run: Run, index: int, market: Mapping[str, Any], basis: Basis) -> dict[str, Any]:
    """Return the fills of a market (by its *index*, and its statistics) by side, by cause and in all: columns and rows."""
    instrument, hedges = run.instruments[index], fills_of(run, index).hedge.sum()
    by_side, by_cause = market["by_side"], market["by_cause"]
    names = ("fills", "volume", "spread", "adverse", "paid")
    whole = {name: sum(group[name] for group in by_side.values()) for name in names} | {"markouts": market["markouts"]}
    often_first = sorted(by_cause.items(), key=lambda one: -one[1]["fills"])
    groups = [*by_side.items(), *often_first, ("all", whole)]
    largest = max(abs(group[name]) for _, group in groups for name in ("spread", "adverse", "paid"))
    currency = instrument.currency
    return {
        "name": market_name(instrument),
        "without": f", without {hedges:,} of hedges" if hedges else "",
        "columns": [
            "",
            "fills",
            f"quantity, {market['unit']}",
            f"spread, {currency}",
            f"adverse within {duration_text(basis.horizon_ns)}, {currency}",
            f"fees and taxes, {currency}",
            f"net, {currency}",
            *(f"mid after {duration_text(horizon)}, bps" for horizon in basis.markout_horizons_ns),
        ],
        "rows": [
            (name, name == "all", name == "all" or (name, group) == often_first[0], _cells(group, largest))
            for name, group in groups
        ]
        if by_side
        else [],
    }


def _cells(group: Mapping[str, Any], largest: float) -> list[tuple[str, int]]:
    """Return texts with the sign that colours them."""
    parts = [group["spread"], group["adverse"], -group["paid"]]
    cells = [(f"{group['fills']:,}", 0), (f"{group['volume']:,.8g}", 0)]
    cells += [(typeset(amount_text(value, largest)), (value > 0) - (value < 0)) for value in (*parts, sum(parts))]
    return [*cells, *(_move(one["bps"]) for one in group["markouts"])]


def _move(band: Mapping[str, float | None]) -> tuple[str, int]:
    mean, low = band["mean"], band["low"]
    if mean is None:
        return NOTHING, 0
    half_width = "" if low is None else f" ± {mean - low:.2f}"
    return typeset(f"{mean:+.2f}{half_width}"), (mean > 0) - (mean < 0)
