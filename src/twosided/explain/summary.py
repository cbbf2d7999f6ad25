"""One table for any number of runs side by side: the same rows for the terminal, the report and tests.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from twosided.explain.fill_groups import CAUSES
from twosided.explain.markouts import LEAST_BLOCKS
from twosided.explain.reporting import REPORTED_PARTS, Reported, reported
from twosided.explain.split import PARTS
from twosided.explain.statistics import Basis, statistics
from twosided.explain.words import settings_of
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND, duration_text

__all__ = ["PART_LABELS", "Row", "amount_text", "is_watched", "run_labels", "summary_rows"]

PART_LABELS = {
    "spread": "spread",
    "adverse": "adverse selection",
    "fees": "fees, taxes, funding",
    "alpha": "alpha",
    "inventory": "inventory",
    "hedge": "hedge",
    "currency": "exchange rates",
}
"""What people call the parts of the split."""

NOTHING = "–"
ABSENT = "not traded in this run"
SECTIONS = ("Result", "Risk", "Markouts", "Inventory", "Trading", "Quotes")


@dataclass(frozen=True)
class Row:
    """One line: a value per run, as a number (None: not given) and as text.

    ``signed`` says that the sign means gain or loss. ``notes`` holds, per run, why a value is not given, empty where it is;
    ``remark`` what one must know about the whole row. ``strong`` marks the row to read first.
    """

    section: str
    label: str
    unit: str
    values: tuple[float | None, ...]
    cells: tuple[str, ...]
    signed: bool = False
    notes: tuple[str, ...] = ()
    remark: str = ""
    strong: bool = False


@dataclass(frozen=True)
class _Column:
    """One run's accounts by currency and markets by name."""

    accounts: dict[str, dict[str, Any]]
    markets: dict[str, dict[str, Any]]


def run_labels(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return a short name for each run: its strategy, with what differs (parameters, settings) where two would have the same."""
    names, traits = [str(run.facts["strategy"]) for run in runs], [_traits(run) for run in runs]
    labels = []
    for name, own in zip(names, traits, strict=True):
        namesakes = [others for others, other_name in zip(traits, names, strict=True) if other_name == name]
        differing = [key for key in own if len({others.get(key) for others in namesakes}) > 1]
        labels.append(" ".join([name, *(f"{key}={own[key]}" for key in differing)]))
    return tuple(
        label if labels.count(label) == 1 else f"{label} ({labels[:i].count(label) + 1})" for i, label in enumerate(labels)
    )


def _traits(run: Run) -> dict[str, str]:
    """Return what may tell two runs of one strategy apart, in short forms."""
    settings = settings_of(run)
    more = {} if settings is None else {name: value for name, value in settings if name not in {"orders", "log"}}
    return {name: str(value) for name, value in {**run.facts["params"], **more}.items()}


def amount_text(value: float, largest: float | None = None) -> str:
    """Return an amount with as many decimals as *largest* (itself, if not given) deserves: four digits or so, at least cents."""
    scale = abs(value if largest is None else largest)
    decimals = 2 if scale >= 10 or scale == 0 else 3 if scale >= 1 else 4 if scale >= 0.1 else 6 if scale >= 1e-3 else 8
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if not any(digit in text for digit in "123456789") else text


def summary_rows(runs: Sequence[Run], basis: Basis | None = None, results: Sequence[dict[str, Any]] | None = None) -> list[Row]:
    """Return the rows of the headline table: P&L and its split, risk, trading, inventory, quotes, markouts.

    Args:
        runs: one column each, in this order; see `run_labels` for their names.
        basis: as in `statistics`.
        results: what `statistics` gave for each run on this basis, where it is at hand.

    Raises:
        DataError, InputError: as `statistics`.
    """
    basis = basis or Basis()
    columns = []
    for result in results or [statistics(run, basis) for run in runs]:
        accounts = {account["currency"]: account for account in result["accounts"]}
        columns.append(_Column(accounts, {_market_name(market): market for market in result["markets"]}))
    currencies = list(dict.fromkeys(name for column in columns for name in column.accounts))
    markets = list(dict.fromkeys(name for column in columns for name in column.markets))
    several = len(markets) > 1
    watched = {name for name in markets if all(is_watched(column.markets[name]) for column in columns if name in column.markets)}
    markets = [name for name in markets if name not in watched] or markets
    spans = {int(run.facts["end_ns"]) - int(run.facts["start_ns"]) for run in runs}
    bases = [basis.of(run) for run in runs]
    rows: list[Row] = []
    for currency in currencies:
        found = [column.accounts.get(currency) for column in columns]
        rows += _account_rows(found, currency, f" {currency}" if len(currencies) > 1 else "", bases, spans)
    if basis.reporting is not None:
        rows += _reported_rows([reported(run, basis.reporting, basis.horizon_ns) for run in runs], basis.horizon_ns)
    for name in markets:
        unit = next(column.markets[name]["unit"] for column in columns if name in column.markets)
        found = [column.markets.get(name) for column in columns]
        rows += _market_rows(found, unit, f" {name}" if several else "", basis.horizon_ns)
        if len(markets) > 1:
            rows += _market_money_rows(found, f" {name}", basis.horizon_ns)
    return sorted(rows, key=lambda row: SECTIONS.index(row.section.split()[0]))


def is_watched(market: Mapping[str, Any]) -> bool:
    """Say whether a strategy only looked at a market, going by its statistics: nothing was asked for and nothing held there."""
    return not (market["requests"] or market["denied"] or market["fills"] or market["max_abs_inventory"])


def _market_name(market: dict[str, Any]) -> str:
    return f"{market['symbol']} {market['venue']}".strip()


Sheet = dict[str, Any]
Writer = Callable[[Any], str]


@dataclass(frozen=True)
class _Sheets:
    """The sheets of one account or market, one per run (None: not in that run), and what its sections are called."""

    sheets: Sequence[Sheet | None]
    suffix: str

    def row(self, section: str, label: str, unit: str, name: str, write: Writer, **more: Any) -> Row:
        """Return the row of one named value."""
        values = tuple(None if sheet is None else {**sheet.get("split", {}), **sheet}[name] for sheet in self.sheets)
        cells = tuple(NOTHING if value is None else write(value) for value in values)
        notes = tuple(
            ABSENT if sheet is None else sheet["reasons"].get(name, "") if value is None else ""
            for sheet, value in zip(self.sheets, values, strict=True)
        )
        return Row(section + self.suffix, label, unit, values, cells, notes=notes, **more)


def _account_rows(
    sheets: Sequence[Sheet | None], currency: str, suffix: str, bases: Sequence[Basis], spans: set[int]
) -> Iterator[Row]:
    basis = bases[0]
    present, row = [sheet for sheet in sheets if sheet is not None], _Sheets(sheets, suffix).row
    largest = max(abs(value) for sheet in present for value in (sheet["pnl"], *sheet["split"].values()))

    def money(value: float) -> str:
        return amount_text(value, largest)

    yield from _split_rows(row, currency, money, basis.horizon_ns)
    yield row("Result", "P&L before fees, taxes, funding", currency, "pnl_before_fees", money, signed=True)
    yield row("Result", "realised, FIFO, before fees", currency, "realised_fifo", money, signed=True)
    yield row("Result", "unrealised, FIFO", currency, "unrealised_fifo", money, signed=True)

    year = f"from changes of equity over {duration_text(basis.period_ns)}{_year(bases)}; ± standard error"
    sharpe = row("Risk", "Sharpe ratio", "annualised", "sharpe", "{:,.1f}".format, signed=True, remark=year)
    errors = [None if sheet is None else sheet["sharpe_error"] for sheet in sheets]
    cells = [cell if error is None else f"{cell} ± {error:,.1f}" for cell, error in zip(sharpe.cells, errors, strict=True)]
    yield replace(sharpe, cells=tuple(cells))
    yield row("Risk", "Sortino ratio", "annualised", "sortino", "{:,.1f}".format, signed=True, remark=year)
    yield row("Risk", "largest drawdown", currency, "drawdown", money)
    if any(sheet["capital"] for sheet in present):
        yield row("Risk", "largest drawdown", "of capital", "drawdown_of_capital", "{:.2%}".format)
        yield row("Risk", "return over the run", "of capital", "return_on_capital", "{:.2%}".format, signed=True)
        yield row("Risk", "turnover", "× capital", "turnover_of_capital", "{:,.1f}".format)

    yield row("Trading", "fills", "", "fills", "{:,}".format)
    yield row("Trading", "turnover", currency, "turnover", "{:,.0f}".format)
    yield row("Trading", "spread captured", "bps of turnover", "spread_capture_bps", "{:.3f}".format, signed=True)
    yield row("Trading", "maker share", "of turnover", "maker_share", "{:.1%}".format)
    yield row("Trading", "P&L per fill", currency, "pnl_per_fill", amount_text, signed=True)
    pairs = "lots paired first in, first out; won: earned more than their fees"
    yield row("Trading", "round trips", "", "round_trips", "{:,}".format, remark=pairs)
    yield row("Trading", "round trips won", "", "win_rate", "{:.1%}".format, remark=pairs)
    span = duration_text(next(iter(spans))) if len(spans) == 1 else "each run's span"
    scaled = f"scaled by time from {span}: arithmetic, not a forecast"
    for name, length in (("day", _day(bases)), ("month", _month(bases))):
        words = f"{name} of {length}" if length else f"trading {name}"
        yield row("Trading", f"P&L per {words}", currency, f"pnl_per_{name}", amount_text, signed=True, remark=scaled)
        yield row("Trading", f"fills per {words}", "", f"fills_per_{name}", "{:,.0f}".format, remark=scaled)


def _split_rows(row: Callable[..., Row], currency: str, money: Writer, horizon_ns: int) -> Iterator[Row]:
    yield row("Result", "P&L", currency, "pnl", money, signed=True, strong=True)
    for name in PARTS:
        label = PART_LABELS[name] + (f" within {duration_text(horizon_ns)}" if name == "adverse" else "")
        yield row("Result", label, currency, name, money, signed=True)


def _reported_rows(found: Sequence[Reported], horizon_ns: int) -> Iterator[Row]:
    """Yield P&L and split of all accounts together, in the currency that was chosen to report in."""
    sheets: list[Sheet | None] = [
        {"pnl": float(each.money("total")), "split": {name: float(each.money(name)) for name in REPORTED_PARTS}, "reasons": {}}
        for each in found
    ]
    largest = max(abs(float(each.money(name))) for each in found for name in each.amounts)
    row = _Sheets(sheets, f" of all accounts, in {found[0].currency}").row

    def money(value: float) -> str:
        return amount_text(value, largest)

    yield from _split_rows(row, found[0].currency, money, horizon_ns)
    yield row("Result", PART_LABELS["currency"], found[0].currency, "currency", money, signed=True)


def _market_money_rows(sheets: Sequence[Sheet | None], suffix: str, horizon_ns: int) -> Iterator[Row]:
    """Yield P&L and split of one of several markets; what was traded in none of the runs that have it is left out."""
    present = [sheet for sheet in sheets if sheet is not None]
    largest = max(abs(value) for sheet in present for value in (sheet["pnl"], *sheet["split"].values()))
    if largest:
        yield from _split_rows(
            _Sheets(sheets, suffix).row, present[0]["currency"], lambda value: amount_text(value, largest), horizon_ns
        )


def _year(bases: Sequence[Basis]) -> str:
    years = {(basis.days_per_year, basis.hours_per_day) for basis in bases}
    days, hours = years.pop()
    if years:
        return ", each scaled to its own trading year"
    return f", scaled to a year of {days:g} days of {hours:g} h" if days and hours else ""


def _day(bases: Sequence[Basis]) -> str:
    """Return the length of a trading day in words; empty where it is not known, or not the same in all runs."""
    hours = {basis.hours_per_day for basis in bases}
    return f"{hours.pop():g} h" if len(hours) == 1 and None not in hours else ""


def _month(bases: Sequence[Basis]) -> str:
    days = {basis.days_per_year for basis in bases}
    return f"{(days.pop() or 0) / 12:.3g} days" if len(days) == 1 and None not in days else ""


def _market_rows(sheets: Sequence[Sheet | None], unit: str, suffix: str, horizon_ns: int) -> Iterator[Row]:
    row, present = _Sheets(sheets, suffix).row, [sheet for sheet in sheets if sheet is not None]

    def seconds(value: float) -> str:
        return duration_text(round(value * NS_PER_SECOND))

    yield row("Trading", "fills per hour", "", "fills_per_hour", "{:,.1f}".format)
    sent = "over new orders and replacements sent"
    yield row("Trading", "fills per quoted order", "", "fills_per_quoted_order", "{:.4f}".format, remark=sent)
    for cause in CAUSES.values():
        if any(cause in sheet["by_cause"] for sheet in present):
            yield _cause_row(sheets, cause, f"Trading{suffix}")
    if any(sheet["share_of_volume"] is not None for sheet in present):
        yield row("Trading", "own share of volume", "", "share_of_volume", "{:.2%}".format)
    yield row("Inventory", "closing position", unit, "position", _quantity)
    yield row("Inventory", "mean absolute position over time", unit, "mean_abs_inventory", _quantity)
    yield row("Inventory", "largest absolute position", unit, "max_abs_inventory", _quantity)
    yield row("Inventory", "mean-reversion time", "1/κ", "inventory_reversion_seconds", seconds)
    yield row("Inventory", "half-life", "ln 2/κ", "inventory_half_life_seconds", seconds)
    yield row("Quotes", "two-sided", "of time", "two_sided_share", "{:.1%}".format)
    yield row("Quotes", "bid at the touch", "of time", "bid_at_touch_share", "{:.1%}".format)
    yield row("Quotes", "ask at the touch", "of time", "ask_at_touch_share", "{:.1%}".format)
    yield _refused_row(sheets, f"Quotes{suffix}")
    for index, one in enumerate(present[0]["markouts"]):
        after = f"{seconds(one['horizon_seconds'])} after"
        yield _markout_row([_none_or(sheet, "markouts", index) for sheet in sheets], f"{after} a fill", f"Markouts{suffix}")
        if round(one["horizon_seconds"] * NS_PER_SECOND) == horizon_ns:
            for side, words in (("bought", "a purchase"), ("sold", "a sale")):
                sides = [_none_or(sheet, "by_side", side, "markouts", index) for sheet in sheets]
                yield _markout_row(sides, f"{after} {words}", f"Markouts{suffix}")


def _quantity(value: float) -> str:
    return f"{value:,.6g}"


def _none_or(sheet: Sheet | None, *path: str | int) -> Any:
    """Return what stands at *path* of a sheet; None where the market was not traded, NOTHING where the path ends early."""
    found: Any = sheet
    for part in path if sheet is not None else ():
        if isinstance(found, dict) and part not in found:
            return NOTHING
        found = found[part]
    return found


def _cause_row(sheets: Sequence[Sheet | None], cause: str, section: str) -> Row:
    """Return how many fills had a cause."""
    counts = [None if sheet is None else sheet["by_cause"].get(cause, {"fills": 0})["fills"] for sheet in sheets]
    cells = [
        NOTHING if sheet is None or count is None else f"{count:,} ({count / max(sheet['fills'], 1):.0%})"
        for sheet, count in zip(sheets, counts, strict=True)
    ]
    notes = tuple(ABSENT if count is None else "" for count in counts)
    return Row(section, f"fills: {cause}", "", tuple(counts), tuple(cells), notes=notes)


def _refused_row(sheets: Sequence[Sheet | None], section: str) -> Row:
    """Return how many requests the exchange refused, and why, and what was never sent."""
    counts = tuple(None if sheet is None else sheet["refused"] for sheet in sheets)
    cells = tuple(
        NOTHING if sheet is None else f"{sheet['refused']:,}" + (f" ({sheet['refused_share']:.2%})" if sheet["refused"] else "")
        for sheet in sheets
    )
    return Row(section, "requests refused", "of those sent", counts, cells, notes=tuple(map(_refusals, sheets)))


def _refusals(sheet: Sheet | None) -> str:
    if sheet is None:
        return ABSENT
    refused = [f"{count:,} {reason}" for reason, count in sheet["refused_by_reason"].items()]
    denied = [f"{count:,} {reason}" for reason, count in sheet["denied_by_reason"].items()]
    words = [f"refused: {', '.join(refused)}"] * bool(refused) + [f"never sent: {', '.join(denied)}"] * bool(denied)
    return "; ".join(words)


def _markout_row(found: Sequence[Any], label: str, section: str) -> Row:
    """Return a row of markouts, one per run: a dictionary, None where there is no such market, `NOTHING` where no such fill."""
    values, cells, notes = zip(*map(_markout_cell, found), strict=True)
    remark = "mean signed move of the mid, [95 % band]; negative: picked off"
    return Row(section, label, "bps", values, cells, signed=True, notes=notes, remark=remark)


def _markout_cell(one: Any) -> tuple[float | None, str, str]:
    """Return (value, text, note) of one markout."""
    if one is None:
        return None, NOTHING, ABSENT
    if one == NOTHING:
        return None, NOTHING, "there was no such fill"
    mean, low, high = (one["bps"][name] for name in ("mean", "low", "high"))
    if mean is None:
        return None, NOTHING, "no fill had its horizon inside the run"
    if low is None:
        return mean, f"{mean:+.3f}", f"no band: fills in fewer than {LEAST_BLOCKS} separate blocks of time"
    return mean, f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]", ""
