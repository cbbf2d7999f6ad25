"""What a run was told, what it was given and how to get it again: the tables at the end of a report.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import yaml

from twosided.data.defects import DEFECTS
from twosided.engines.settings import ReplaySettings
from twosided.explain.basis import Basis
from twosided.explain.words import fee_words, market_name, price_currency, settings_of, typeset, unit_of
from twosided.market.instrument import Instrument
from twosided.market.run import Run
from twosided.risk.limits import Limits
from twosided.units import NS_PER_SECOND, duration_text, time_text

__all__ = ["calibration_rows", "configuration_file", "configuration_rows", "data_rows", "reproduction_rows"]

MOST_LISTED = 20
"""Elements of a list of facts that are written out."""

Rows = list[tuple[str, str]]


def configuration_rows(run: Run, basis: Basis) -> Rows:
    """Return what was assumed, each value as it took effect."""
    facts, settings = run.facts, settings_of(run)
    every = [("woken every", duration_text(facts["every_ns"]))] if facts.get("every_ns") else []
    return [
        ("strategy", facts["strategy"]),
        *_parameters(run),
        *every,
        *(row for instrument in run.instruments for row in _instrument(instrument, several=len(run.instruments) > 1)),
        *(_settings(settings, unit_of(run.instruments[0])) if settings else _flat(facts["settings"])),
        *((f"capital, {currency}", str(amount)) for currency, amount in (facts.get("capital") or {}).items()),
        *_basis(basis, basis.of(run)),
    ]


def _parameters(run: Run) -> Iterator[tuple[str, str]]:
    """Yield the strategy's parameters: where the run knows more of them than their values, with units and what 0 stood for."""
    known: Mapping[str, Any] = run.facts.get("parameters") or {}
    for name, value in run.facts["params"].items():
        more = known.get(name, {"used": value, "unit": "", "estimated": False})
        remark = (
            " (estimated, see calibration)"
            if more["estimated"]
            else f" ({_short(value)} asked for)"
            if more["used"] != value
            else ""
        )
        yield name, f"{_short(more['used'])} {more['unit']}".strip() + remark


def _short(value: Any) -> str:
    """Return a number with six digits, the rest stands in run.json; anything else as it is."""
    return typeset(f"{value:,.6g}") if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _instrument(instrument: Instrument, *, several: bool) -> Iterator[tuple[str, str]]:
    prefix, currency, unit = f"{market_name(instrument)}: " * several, instrument.currency, unit_of(instrument)
    if not several:
        yield "market", market_name(instrument)
    yield (
        f"{prefix}tick, lot",
        f"{instrument.tick_size.normalize():f} {price_currency(instrument)}, {instrument.lot_size.normalize():f} {unit}",
    )
    if instrument.inverse:
        yield f"{prefix}contract", f"inverse: one is worth {instrument.multiplier.normalize():f} / price, in {currency}"
    elif instrument.multiplier != 1:
        yield f"{prefix}multiplier", f"{instrument.multiplier.normalize():f} {currency} per unit of price"
    for band in instrument.tick_table:
        yield f"{prefix}tick from {band.from_price:f}", f"{band.tick_size:f} {price_currency(instrument)}"
    yield f"{prefix}fees", fee_words(instrument.fees, currency, unit)
    yield f"{prefix}money counted in", f"{instrument.money_quantum:f} {currency}"


def _settings(settings: ReplaySettings, unit: str) -> Iterator[tuple[str, str]]:
    orders = settings.orders
    yield "feed latency", str(settings.feed_latency)
    yield "latency of our requests", str(settings.entry_latency)
    yield "latency of the exchange's answers", str(settings.response_latency)
    yield "queue model", str(settings.queue)
    yield "partial fills", "yes" if settings.partial_fills else "no: any fill fills the whole order"
    yield "quotes", "post-only" if orders.post_only else "may take"
    yield "moved by", "replacing" if orders.replace else "cancelling and sending anew"
    yield "left where they are within", f"{orders.refresh_ticks} ticks of the wanted price"
    yield "renewed below", f"{orders.top_up_below:.0%} of the wanted size"
    if settings.opening_position:
        yield "opening position", f"{_short(settings.opening_position)} {unit}"
    for number, own in enumerate(settings.markets):
        for name, value in own.model_dump(exclude_none=True, mode="json").items():
            yield f"market {number}: {_words(name)}", str(getattr(own, name)) if isinstance(value, dict) else _plain(value, name)
    for name, value in ({} if settings.limits is None else settings.limits.stated()).items():
        yield f"limit: {_words(name)}", duration_text(value) if Limits.about(name)["unit"] == "duration" else str(value)
    yield "account sampled every", duration_text(settings.equity_every)
    missing = {"orders", "quotes", "decisions"} - set(settings.log)
    if missing:
        yield "not logged", ", ".join(sorted(missing))


def _basis(asked: Basis, used: Basis) -> Rows:
    known = used.days_per_year and used.hours_per_day
    whose = "" if asked.days_per_year and asked.hours_per_day else " (the venue's)"
    return [
        ("adverse selection within", duration_text(used.horizon_ns)),
        ("Sharpe sampled every", duration_text(used.period_ns)),
        ("trading year", f"{used.days_per_year:g} days of {used.hours_per_day:g} h{whose}" if known else "not known"),
    ]


def calibration_rows(run: Run) -> Rows:
    """Return what was estimated from the head of the recording, and from what; empty where nothing was."""
    found = run.facts.get("calibration")
    if not found:
        return []
    rows = [("looked at", f"{time_text(found['from_ns'])[:19]} to {time_text(found['until_ns'])[:19]} UTC, by our clock")]
    for name in ("sigma", "A", "k"):
        one = found[name]
        rows.append((name, f"{one['value']:.4g} {one['unit']}, 95 %: {one['low']:.4g} to {one['high']:.4g}"))
    distances = f"{found['nearest']:.4g} to {found['farthest']:.4g} {found['currency']} from the mid"
    trades = f"{found['trades']:,} trades in {found['seconds']:,.0f} s"
    rows += [
        ("taken from it", ", ".join(found["used"]) or "nothing: all parameters were given"),
        ("sigma rests on", f"{found['mid_samples']:,} changes of the mid over 1 s"),
        ("A and k rest on", f"{found['reaches']:,} times that trades reached {distances}, of {trades}"),
    ]
    return [*rows, *(("warning", warning) for warning in found["warnings"])]


def configuration_file(run: Run) -> str:
    """Return the YAML file with which `twosided replay` does this run again; empty where the run does not say."""
    asked = run.facts.get("configuration")
    if not asked:
        return ""
    ordered = {name: asked[name] for name in ("data", "instrument", "strategies", *asked) if name in asked}
    return yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=100)


_FIRST = ("names", "format", "start_ns", "end_ns", "events", "messages", "trades", "clock_offset_ns", "min_latency_ns")


def data_rows(run: Run) -> Rows:
    """Return what was read, and what was wrong with it."""
    facts = {name: value for name, value in run.facts["data"].items() if name != "instruments"}
    facts = {name: facts.pop(name) for name in _FIRST if name in facts} | facts
    defects = facts.pop("defects", None)
    rows = [(_words(name), value) for name, value in _flat(facts) if value]
    if not isinstance(defects, Mapping):
        return rows
    found = [
        (f"defects: {_words(name)}", f"{count:,}{f': {DEFECTS[name]}' * (name in DEFECTS)}") for name, count in defects.items()
    ]
    return [*rows, *(found or [("defects", "none")])]


def reproduction_rows(run: Run) -> Rows:
    """Return what makes this run this run."""
    facts = run.facts
    return [
        ("seed", str(facts["seed"])),
        ("digest", run.digest()),
        ("engine", str(facts["engine"])),
        *((f"version of {name}", str(version)) for name, version in facts["versions"].items()),
        *((_words(name), value) for name, value in _flat(facts["counts"])),
        ("events", f"{int(facts['events']):,}"),
        ("wall time", f"{float(facts['seconds']):.3g} s"),
        ("complete", "yes" if facts.get("complete", True) else "no: stopped before its end"),
    ]


def _flat(value: Any, name: str = "") -> Rows:
    """Return nested facts as (dotted name, text) rows; long lists are cut and say so."""
    if isinstance(value, Mapping):
        return [row for key, inner in value.items() for row in _flat(inner, f"{name}.{key}" if name else str(key))] or (
            [(name, "none")] if name else []
        )
    if isinstance(value, list | tuple):
        more = f" … {len(value) - MOST_LISTED:,} more" if len(value) > MOST_LISTED else ""
        if any(isinstance(one, Mapping | list | tuple) for one in value):
            rows = [row for i, one in enumerate(value[:MOST_LISTED]) for row in _flat(one, f"{name}[{i}]")]
            return [*rows, (name, more.strip())] if more else rows
        return [(name, ", ".join(_plain(one, name) for one in value[:MOST_LISTED]) + more if value else "none")]
    return [(name, _plain(value, name))]


def _words(name: str) -> str:
    """Write the name of a fact as words."""
    return name.removesuffix("_ns").replace("_", " ").replace(".", ": ")


def _plain(value: Any, name: str) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int) and name.endswith(("_ns", ".ns")):
        year_2000 = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * NS_PER_SECOND
        return time_text(value) if value > year_2000 else typeset(duration_text(value))
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)
