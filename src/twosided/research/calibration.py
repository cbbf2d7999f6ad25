"""Everything that a recording says about its market, each number with its 95 % interval, unit and basis.

Where you are in the pipe: research, on top of all rooms: *events* in, parameters of strategies and the doubts about them out. What
an estimator cannot say of a recording is left out, with its reason among the remarks: never filled with a guess.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from twosided.errors import InputError
from twosided.market.event import Events, exchange_order
from twosided.market.instrument import Instrument
from twosided.research.calibrate import DECAYS, Estimate, estimate
from twosided.research.fill_study import FillStudy, fill_study
from twosided.research.hawkes import fit_hawkes
from twosided.research.impact import glosten_harris, huang_stoll, impact_slope, order_flow_imbalance
from twosided.research.intensity import RateAt
from twosided.research.measured import Measured
from twosided.research.open_time import open_market
from twosided.research.trade_signs import lee_ready, sign_accuracy, tick_rule
from twosided.research.volatility import SignaturePoint, realised, sampled, signature, two_scale
from twosided.units import NS_PER_SECOND, duration_text

__all__ = ["Calibration", "Row", "calibration"]

SIGNATURE_NS = tuple(int(seconds * 1e9) for seconds in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 300))
EVERY_NS = NS_PER_SECOND
_MOST_EVENTS = 50_000  # of a Hawkes fit: half a minute of one core


@dataclass(frozen=True)
class Row:
    """One estimate: what it is called, its number, its unit, and what it rests on."""

    name: str
    measured: Measured
    unit: str
    basis: str


@dataclass(frozen=True)
class Calibration:
    """What `calibration` returns.

    Args:
        estimate: sigma, A and k as strategies take them.
        rows: all estimates.
        signatures: realised volatility of trade prices and of the mid at several distances of samples.
        fills: the study of virtual orders; None where it could not be made.
        remarks: what could not be estimated, and why.
    """

    estimate: Estimate
    rows: tuple[Row, ...]
    signatures: dict[str, tuple[SignaturePoint, ...]]
    fills: FillStudy | None
    remarks: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        rows = {
            row.name: {
                "value": row.measured.value,
                "low": row.measured.low,
                "high": row.measured.high,
                "unit": row.unit,
                "basis": row.basis,
            }
            for row in self.rows
        }
        points = {
            name: [{"every_s": at.every_s, "sigma": at.sigma.value, "low": at.sigma.low, "high": at.sigma.high} for at in found]
            for name, found in self.signatures.items()
        }
        return {
            "strategy": self.estimate.facts(),
            "estimates": rows,
            "signature": points,
            "reaches": [_rate_facts(at) for at in self.estimate.rates],
            "virtual_orders": [_rate_facts(at) for at in (self.fills.rates if self.fills else ())],
            "remarks": [*self.estimate.warnings, *self.remarks],
        }


def _rate_facts(at: RateAt) -> dict[str, Any]:
    ends = {"rate": at.rate.value, "low": at.rate.low, "high": at.rate.high}
    return {"distance": at.distance, "reached": at.reached, "seconds": at.seconds, **ends}


@dataclass
class _Market:
    """The arrays that estimators take, by the exchange's clock; sweeps are trades of one side at one instant."""

    book: Any
    mid: Any
    trades: Any
    instrument: Instrument
    seconds: float

    @property
    def tick(self) -> float:
        return float(self.instrument.tick_size)


def calibration(events: Events, instrument: Instrument, *, from_ns: int | None = None, until_ns: int | None = None) -> Calibration:
    """Estimate everything that the events of one market allow, while it was open (`twosided.research.open_time`).

    Args:
        events: by level or order by order, of dtype `EVENT`, in the order in which they were received.
        instrument: of them.
        from_ns: time before this counts for nothing but the book that stands then.
        until_ns: only what was received before this time (our clock) is used.

    Raises:
        InputError: too little for sigma, A and k; the message says how much there was.
    """
    if until_ns is not None:
        events = events[: int(np.searchsorted(events["local_ns"], until_ns))]
    first = estimate(events, instrument, from_ns=from_ns)
    seen = _market(events, instrument, from_ns)
    unit = instrument.currency
    rows = [
        Row("sigma", first.sigma, f"{unit}/√s", f"mid, realised over 1 s, {first.mid_samples} samples"),
        Row("A", first.A, "1/s, each side", f"reaches beyond the touch, {first.reaches}"),
        Row("k", first.k, f"1/{unit}", f"the same, {first.nearest:.4g} to {first.farthest:.4g} {unit} from the mid"),
    ]
    remarks: list[str] = []
    if first.closed_s >= 1:
        remarks.append(f"the market was closed for {duration_text(round(first.closed_s * 1e9))} of the time, which is left out")
    study: list[FillStudy] = []
    for title, part in (
        ("volatility of trade prices", _volatility),
        ("virtual orders", lambda market: _virtual(market, first, study)),
        ("excitement of the flow", _excitement),
        ("sides of trades", _sides),
        ("impact of flow", _impact),
        ("parts of the spread", _spread),
    ):
        _add(rows, remarks, title, part, seen)
    price = seen.tick * seen.trades["ticks"]
    signatures = {
        "mid": signature(seen.book["exch_ns"], seen.mid, SIGNATURE_NS),
        "trades": signature(seen.trades["exch_ns"], price, SIGNATURE_NS) if len(price) else (),
    }
    return Calibration(first, tuple(rows), signatures, study[0] if study else None, tuple(remarks))


def _add(rows: list[Row], remarks: list[str], title: str, part: Callable[[_Market], list[Row]], seen: _Market) -> None:
    try:
        rows.extend(part(seen))
    except InputError as error:
        remarks.append(f"{title}: {error}")


def _market(events: Events, instrument: Instrument, from_ns: int | None) -> _Market:
    seen = open_market(exchange_order(events), instrument, from_ns=from_ns)
    book = seen.book[seen.valid]
    mid = 0.5 * float(instrument.tick_size) * (book["bid_ticks"] + book["ask_ticks"])
    return _Market(book, mid, seen.trades, instrument, seen.seconds)


def _volatility(seen: _Market) -> list[Row]:
    unit = f"{seen.instrument.currency}/√s"
    price, times = seen.tick * seen.trades["ticks"], seen.trades["exch_ns"]
    rows = [
        Row("sigma, trades, 1 s", realised(times, price, EVERY_NS), unit, f"trade prices, bounce included, {len(price)} trades")
    ]
    moved = np.append(True, np.diff(seen.mid) != 0)
    found = two_scale(seen.book["exch_ns"][moved], seen.mid[moved])
    basis = f"mid at its {found.changes} changes, step {found.step}, noise {found.noise:.3g}"
    return [*rows, Row("sigma, two scales", found.sigma, unit, basis)]


def _virtual(seen: _Market, first: Estimate, study: list[FillStudy]) -> list[Row]:
    farthest = first.nearest + DECAYS / first.k.value
    found = fill_study(seen.book, seen.trades, seen.tick, nearest=first.nearest, farthest=farthest)
    study.append(found)
    basis = f"virtual orders renewed every {found.wait_s:g} s, {found.placements} times"
    return [
        Row("A, virtual orders", found.A, "1/s, each side", basis),
        Row("k, virtual orders", found.k, f"1/{seen.instrument.currency}", "the same"),
    ]


def _sweeps(seen: _Market) -> tuple[Any, Any]:
    """Return the first trade of every sweep (one side, one instant), and the index of each sweep's last trade."""
    trades = seen.trades
    begins = np.append(True, (np.diff(trades["exch_ns"]) != 0) | (np.diff(trades["side"]) != 0))[: len(trades)]
    at = np.flatnonzero(begins)
    return trades[at], np.append(at[1:], len(trades)) - 1


def _excitement(seen: _Market) -> list[Row]:
    sweeps, _ = _sweeps(seen)
    sweeps = sweeps[np.append(True, np.diff(sweeps["exch_ns"]) > 0)[: len(sweeps)]][:_MOST_EVENTS]
    if not len(sweeps):
        raise InputError("no trades")
    times = (sweeps["exch_ns"] - int(seen.book["exch_ns"][0])) / NS_PER_SECOND
    seconds = seen.seconds if len(sweeps) < _MOST_EVENTS else float(times[-1])
    found = fit_hawkes(times, seconds, (sweeps["side"] > 0).astype(np.int8))
    basis = f"{found.events} sweeps, exponential kernel, branching ratio {found.branching:.3f}"
    names = ("sells", "buys")
    rows = [Row(f"mu, {name}", found.mu[kind], "1/s", basis) for kind, name in enumerate(names)]
    rows += [Row(f"alpha, {names[i]} after {names[j]}", found.alpha[i][j], "followers", "the same") for i in (0, 1) for j in (0, 1)]
    return [*rows, Row("beta", found.beta, "1/s", "the same")]


def _sides(seen: _Market) -> list[Row]:
    trades = seen.trades
    before = np.searchsorted(seen.book["exch_ns"], trades["exch_ns"], side="left") - 1
    trades, before = trades[before >= 0], before[before >= 0]
    price, quotes = trades["ticks"].astype(np.float64), seen.book[before]
    ticks = sign_accuracy(tick_rule(price), trades["side"])
    quoted = sign_accuracy(lee_ready(price, quotes["bid_ticks"], quotes["ask_ticks"]), trades["side"])
    basis = f"{ticks.trades} trades whose aggressor the venue names"
    return [Row("tick rule is right", ticks.right, "share", basis), Row("Lee-Ready is right", quoted.right, "share", basis)]


def _impact(seen: _Market) -> list[Row]:
    times = seen.book["exch_ns"]
    edges = np.arange(int(times[0]), int(times[-1]), EVERY_NS)
    if len(edges) < 3:
        raise InputError("the recording is too short")
    change = np.diff(sampled(times, seen.mid, EVERY_NS)[: len(edges)])
    lot, unit = float(seen.instrument.lot_size), seen.instrument.currency

    def summed(when: Any, values: Any) -> Any:
        place = np.searchsorted(edges, when, side="left") - 1  # an edge belongs to the interval that it ends
        inside = (place >= 0) & (place < len(change))
        return np.bincount(place[inside], weights=values[inside], minlength=len(change))

    volume = summed(seen.trades["exch_ns"], lot * seen.trades["side"] * seen.trades["lots"].astype(np.float64))
    columns = (seen.book[name].astype(np.float64) for name in ("bid_ticks", "bid_lots", "ask_ticks", "ask_lots"))
    imbalance = summed(times[1:], lot * order_flow_imbalance(*columns))
    rows = []
    for name, flow in (("Kyle's lambda", volume), ("OFI slope", imbalance)):
        found = impact_slope(change, flow)
        rows.append(Row(name, found.slope, f"{unit} per unit", f"{found.observations} intervals of 1 s, R² {found.r_squared:.3f}"))
    return rows


def _spread(seen: _Market) -> list[Row]:
    _, last = _sweeps(seen)
    trades, unit = seen.trades[last], seen.instrument.currency
    price, side = seen.tick * trades["ticks"], trades["side"].astype(np.float64)
    two = glosten_harris(price, side, float(seen.instrument.lot_size) * trades["lots"])
    three = huang_stoll(price, side)
    basis = f"Glosten-Harris, {two.trades} sweeps"
    last_basis = f"Huang-Stoll, {three.trades} sweeps"
    return [
        Row("half-spread that bounces", two.transitory, unit, basis),
        Row("half-spread that stays", two.adverse, unit, basis),
        Row("adverse share, two-way", two.adverse_share, "share", basis),
        Row("traded spread", three.spread, unit, last_basis),
        Row("adverse share, three-way", three.adverse, "share", last_basis),
        Row("inventory share", three.inventory, "share", last_basis),
        Row("processing share", three.processing, "share", last_basis),
        Row("reversal of sides", three.reversal, "probability", last_basis),
    ]
