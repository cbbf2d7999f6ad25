"""Runs side by side: what each statistic is, how it differs from the first run's, and how sure that is.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

Differences are taken between runs that saw the same market over the same time; other pairs get none, and a sentence that says why.
Intervals (95 %, `twosided.explain.comparison_bootstrap`) are given where a statistic is one of the changes of equity:

- ``pnl``: their sum over the run; ``volatility``: their standard deviation; over `step_ns` each, at most 1,000 of them;
- ``sharpe``: over `Basis.period_ns` each, as in `twosided.explain.statistics`.

The others are what they are: a difference in fills or in the largest drawdown of one path has no error that a resampled path would
tell.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import polars as pl

from twosided.explain.basis import Basis
from twosided.explain.comparison_bootstrap import LEAST_INCREMENTS, Interval, paired_interval
from twosided.explain.paths import Floats, last_at, pnl_path
from twosided.explain.statistics import statistics
from twosided.explain.summary import amount_text, is_watched, run_labels
from twosided.explain.words import listed, market_name, typeset
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND, duration_text, time_text

__all__ = ["Column", "compare", "comparison_columns", "increments", "not_comparable", "sentences", "step_ns"]

MOST_STEPS = 1000
MOST_APART_NS = NS_PER_SECOND
"""Runs whose beginnings and ends differ by no more than this are over the same time: another feed latency moves them so much."""

_STEP_SECONDS = (1, 2, 4, 10, 20, 40, 60, 120, 300, 600, 1800, 3600)


# ---------------------------------------------------------------- what may be compared


def not_comparable(run: Run, base: Run) -> str:
    """Return in words why *run* and *base* cannot be held against each other; empty where they can."""
    markets, others = ([market_name(each) for each in one.instruments] for one in (run, base))
    if markets != others:
        return f"it trades {listed(markets)}, not {listed(others)}"
    currencies, other_currencies = ([each.currency for each in one.instruments] for one in (run, base))
    if currencies != other_currencies:
        return f"its money is {listed(currencies)}, not {listed(other_currencies)}"
    spans = [(int(one.facts["start_ns"]), int(one.facts["end_ns"])) for one in (run, base)]
    if max(abs(ours - theirs) for ours, theirs in zip(*spans, strict=True)) > MOST_APART_NS:
        ours, theirs = (f"{time_text(start)[:19]} to {time_text(end)[:19]}" for start, end in spans)
        return f"it ran from {ours}, not from {theirs}"
    common = max(start for start, _ in spans), min(end for _, end in spans)
    if not _mids_within(run, *common).equals(_mids_within(base, *common)):
        return "its recording is another one: mids differ"
    return ""


def _mids_within(run: Run, start: int, end: int) -> pl.DataFrame:
    return run.mids.filter((pl.col("exch_ns") > start) & (pl.col("exch_ns") <= end))


# ---------------------------------------------------------------- increments


def step_ns(run: Run) -> int:
    """Return over which time changes of equity are taken: a round one, no shorter than samples are, for at most `MOST_STEPS`."""
    span = int(run.facts["end_ns"]) - int(run.facts["start_ns"])
    sampled = np.diff(run.equity.filter(pl.col("market") == 0)["ns"].to_numpy())
    finest = max(int(np.median(sampled)) if len(sampled) else 0, -(-span // MOST_STEPS), 1)
    return next((seconds * NS_PER_SECOND for seconds in _STEP_SECONDS if seconds * NS_PER_SECOND >= finest), finest)


def increments(run: Run, currency: str, step: int, start_ns: int | None = None) -> Floats:
    """Return the changes of a run's equity in *currency* over whole, non-overlapping steps of *step* ns from its start on."""
    start = int(run.facts["start_ns"]) if start_ns is None else start_ns
    ns, pnl = pnl_path(run, [market for market, each in enumerate(run.instruments) if each.currency == currency])
    grid = start + step * np.arange((int(run.facts["end_ns"]) - start) // step + 1, dtype=np.int64)
    changes: Floats = np.diff(pnl[last_at(ns, grid)])
    return changes


def _total(changes: Floats) -> Floats:
    return np.asarray(changes.sum(axis=-1))


def _volatility(changes: Floats) -> Floats:
    return np.asarray(changes.std(axis=-1, ddof=1))


def _ratio(changes: Floats) -> Floats:
    spread = changes.std(axis=-1, ddof=1)
    return np.asarray(np.divide(changes.mean(axis=-1), spread, out=np.zeros_like(spread), where=spread > 0))


# ---------------------------------------------------------------- the frame


def compare(
    runs: Sequence[Run],
    basis: Basis | None = None,
    results: Sequence[dict[str, Any]] | None = None,
    labels: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Return every statistic of every run, and its difference from the first run's.

    Args:
        runs: the first is what the others are held against.
        basis: as in `twosided.statistics`.
        results: what `statistics` gave for each run on this basis, where it is at hand.
        labels: a name for each run; `run_labels` if none are given.

    Returns:
        One row per run, currency and statistic: ``run`` (its label), ``currency``, ``statistic``, ``value``, ``difference``,
        ``low`` and ``high`` (the 95 % interval of the difference), ``block_s`` (length of the blocks that were drawn), ``reason``
        (why there is no difference, or no interval). What is not given is null.
    """
    basis = basis or Basis()
    results = results or [statistics(run, basis) for run in runs]
    rows: list[dict[str, Any]] = []
    for index, (run, label, result) in enumerate(zip(runs, labels or run_labels(runs), results, strict=True)):
        reason = not_comparable(run, runs[0])
        for account in result["accounts"]:
            values = _values(run, account, result)
            base = next((each for each in results[0]["accounts"] if each["currency"] == account["currency"]), account)
            bases = _values(runs[0], base, results[0])
            found = {} if reason or index == 0 else _intervals(run, runs[0], account["currency"], basis)
            for name, value in values.items():
                row = {"run": label, "currency": account["currency"], "statistic": name, "value": value}
                rows.append(row | _against(value, bases.get(name), reason, found.get(name), first=index == 0))
    names = dict.fromkeys(("run", "currency", "statistic"), pl.String)
    numbers = dict.fromkeys(("value", "difference", "low", "high", "block_s"), pl.Float64)
    return pl.DataFrame(rows, schema={**names, **numbers, "reason": pl.String}, orient="row")


Found = tuple[Interval, float] | str


def _against(value: float | None, base: float | None, reason: str, found: Found | None, *, first: bool) -> dict[str, Any]:
    """Return the columns about a difference."""
    nothing = {"difference": None, "low": None, "high": None, "block_s": None, "reason": reason}
    if first or reason or value is None or base is None:
        return nothing
    difference = value - base
    told = {**nothing, "difference": difference}
    if isinstance(found, str):
        return {**told, "reason": found}
    if found is None:
        return told
    interval, step_s = found
    shift = difference - interval.value  # the last step of a run is hardly ever a whole one
    return {**told, "low": interval.low + shift, "high": interval.high + shift, "block_s": interval.block * step_s}


def _values(run: Run, account: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the statistics of one account that are compared, in the order in which they are shown."""
    markets = [sheet for sheet in (result["markets"][market] for market in account["markets"]) if not is_watched(sheet)]
    changes = increments(run, account["currency"], step_ns(run))
    values = {
        "pnl": account["pnl"],
        "volatility": float(_volatility(changes)) if len(changes) > 1 else None,
        "sharpe": account["sharpe"],
        "drawdown": account["drawdown"],
        **{name: account["split"][name] for name in ("spread", "adverse", "fees", "inventory")},
        "fills": account["fills"],
        "turnover": account["turnover"],
    }
    if len(markets) == 1:  # positions of several markets do not add up
        values |= {name: markets[0][name] for name in ("mean_abs_inventory", "max_abs_inventory")}
    return values


def _intervals(run: Run, base: Run, currency: str, basis: Basis) -> dict[str, Found]:
    """Return the interval of each difference that has one, scaled to its unit, and the seconds of an increment; or why not."""
    step = max(step_ns(run), step_ns(base))
    of = basis.of(base)
    year = (of.periods_per_year or 0.0) ** 0.5
    found: dict[str, Found] = {}
    for name, statistic, each, scale in (
        ("pnl", _total, step, 1.0),
        ("volatility", _volatility, step, 1.0),
        ("sharpe", _ratio, basis.period_ns, year),
    ):
        found[name] = _interval(run, base, currency, statistic, each, scale)
    return found


def _interval(run: Run, base: Run, currency: str, statistic: Callable[[Floats], Floats], step: int, scale: float) -> Found:
    start = max(int(run.facts["start_ns"]), int(base.facts["start_ns"]))
    ours, theirs = (increments(one, currency, step, start) for one in (run, base))
    count = min(len(ours), len(theirs))
    interval = paired_interval(ours[:count], theirs[:count], statistic)
    if interval is None:
        return f"{count} of the {LEAST_INCREMENTS} changes of equity over {duration_text(step)} that an interval needs"
    scaled = Interval(interval.value * scale, interval.low * scale, interval.high * scale, interval.block)
    return scaled, step / NS_PER_SECOND


# ---------------------------------------------------------------- how it is shown


@dataclass(frozen=True)
class Column:
    """One statistic of the table: a cell per run, as (value, difference, interval, sign).

    ``sign`` is that of a difference whose interval is on one side of zero and means better or worse (+1, -1), else 0.
    """

    name: str
    unit: str
    cells: tuple[tuple[str, str, str, int], ...]


_TITLES = {
    "pnl": "P&L",
    "volatility": "volatility of P&L",
    "sharpe": "Sharpe ratio",
    "drawdown": "largest drawdown",
    "spread": "spread",
    "adverse": "adverse selection",
    "fees": "fees, taxes, funding",
    "inventory": "inventory",
    "fills": "fills",
    "turnover": "turnover",
    "mean_abs_inventory": "mean absolute position",
    "max_abs_inventory": "largest position",
}
_COUNTED = ("volatility", "sharpe", "fills", "turnover", "mean_abs_inventory", "max_abs_inventory")
"""Not amounts of money on the scale of the P&L."""

_BETTER = {"pnl": 1, "sharpe": 1, "volatility": -1}


def comparison_columns(frame: pl.DataFrame, currency: str, labels: Sequence[str], unit: str, step: int) -> list[Column]:
    """Return what `compare` found in *currency* as columns of a table with a line per run.

    Args:
        frame: what `compare` returned.
        currency: of the account.
        labels: of the runs, in the order of the lines.
        unit: of positions.
        step: `step_ns` of the first run.
    """
    frame = frame.filter(pl.col("currency") == currency)
    units = {"sharpe": "annualised", "fills": "", "mean_abs_inventory": unit, "max_abs_inventory": unit}
    units |= {"volatility": f"{currency} per {duration_text(step)}"}
    money = frame.filter(~pl.col("statistic").is_in(_COUNTED))["value"].abs().max()
    columns = []
    for name in frame["statistic"].unique(maintain_order=True):
        rows = {row["run"]: row for row in frame.filter(pl.col("statistic") == name).iter_rows(named=True)}
        volatility = max((row["value"] or 0.0 for row in rows.values()), default=0.0)
        largest = volatility if name == "volatility" else cast("float", money or 0.0)  # all amounts with as many decimals
        cells = tuple(_cell(name, rows.get(label), largest) for label in labels)
        columns.append(Column(_TITLES[name], units.get(name, currency), cells))
    return columns


def _cell(name: str, row: Mapping[str, Any] | None, largest: float) -> tuple[str, str, str, int]:
    if row is None or row["value"] is None:
        return "–", "", "", 0
    value = _written(name, row["value"], largest)
    if row["difference"] is None:
        return value, "", "", 0
    difference = _plus(name, row["difference"], largest)
    if row["low"] is None:
        return value, difference, "", 0
    interval = f"[{_plus(name, row['low'], largest)}, {_plus(name, row['high'], largest)}]"
    sure = (row["low"] > 0) - (row["high"] < 0)
    return value, difference, interval, sure * _BETTER[name]


def _written(name: str, value: float, largest: float) -> str:
    if name in {"fills", "turnover"} or (name.endswith("inventory") and abs(value) >= 1e4):
        return typeset(f"{value:,.0f}")
    if name in _COUNTED and name != "volatility":
        return typeset(f"{value:,.1f}" if name == "sharpe" else f"{value:,.4g}")
    return typeset(amount_text(value, largest))


def _plus(name: str, value: float, largest: float) -> str:
    text = _written(name, value, largest)
    return text if text.startswith("−") or not value else f"+{text}"


def sentences(frame: pl.DataFrame, labels: Sequence[str]) -> list[tuple[str, bool]]:
    """Return for each run but the first, and each currency, whether it made more than the first.

    With each sentence stands whether it is a warning: that the two cannot be held against each other at all.
    """
    return [said for label in labels[1:] for said in _sentences(frame.filter(pl.col("run") == label), label, labels[0])]


def _sentences(rows: pl.DataFrame, label: str, base: str) -> Iterator[tuple[str, bool]]:
    for row in rows.filter(pl.col("statistic") == "pnl").iter_rows(named=True):
        currency, difference = row["currency"], row["difference"]
        if difference is None:
            yield f"{label} is not held against {base}: {row['reason']}.", True
            continue
        largest = max(abs(difference), abs(row["low"] or 0.0), abs(row["high"] or 0.0))
        how = "more" if difference >= 0 else "less"
        made = f"{label} made {amount_text(abs(difference), largest)} {currency} {how} than {base}"
        if row["low"] is None:
            yield f"{made}; how sure that is cannot be said: {row['reason']}.", False
            continue
        low, high = (typeset(amount_text(row[name], largest)) for name in ("low", "high"))
        sure = "" if row["low"] > 0 or row["high"] < 0 else ": by P&L the two cannot be told apart"
        yield f"{made}; 95 % interval of the difference {low} to {high}{sure}.", False
