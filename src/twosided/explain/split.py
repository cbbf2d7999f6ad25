"""The split: where the P&L came from. An identity in integers, checked against the ledger's cash every time.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

Fill i at exchange time t_i, side s (+1 buy), size n, price p, fee f and tax x (positive = paid); m⁻_i the last valid mid strictly
before t_i, M_i the mid at min(t_i + h, T), h the declared horizon; q_h(u) the opening position plus all s n with
min(t_i + h, T) <= u; c the declared target position, clipped between 0 and q_h:

    spread    = Σ s n (m⁻ - p)              what the quotes earned against the mid; a taker's is negative
    adverse   = Σ s n (M - m⁻)              how the mid moved within h of the fill; negative = picked off
    fees      = -Σ (f + x) - funding
    alpha     = Σ_k c_k (m_{k+1} - m_k)     what a wanted position earned
    inventory = Σ_k (q_h - c)_k (m_{k+1} - m_k)     what an unwanted position earned
    hedge     = Σ over hedge fills [ s n (m_T - p) - f - x ]
    total     = cash_T - cash_0 + q_T m_T - q_0 m_0

Every sum but *hedge*, and q_h itself, runs over non-hedge fills. The value of q_h and c at a move of the mid is the one that held
just before it. ∫ q dm would contain the adverse part a second time: that is why q_h, not q.

Prices are in half ticks (a mid is bid + ask), so everything is a whole number; `Split` holds money quanta. Of an inverse contract a
price x stands for -c / x, rounded once (`Instrument.price_units`): the identity needs no more than whole numbers for prices.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

import numpy as np
import polars as pl

from twosided.errors import DataError, InputError
from twosided.explain.paths import Fills, Integers, Mids, fills_of, last_at, last_before, mids_of
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND

__all__ = ["HORIZON_NS", "PARTS", "Counted", "Split", "SplitError", "by_currency", "counted", "split", "split_by_currency"]

HORIZON_NS = 10 * NS_PER_SECOND
"""How long after a fill the mid's move is called adverse selection, unless the user says otherwise."""

PARTS = ("spread", "adverse", "fees", "alpha", "inventory", "hedge")
"""The parts, in the order in which they are shown; they add up to the total."""


class SplitError(RuntimeError):
    """The parts do not add up to the change in cash and position: an error in an engine or in this module, never the user's."""


@dataclass(frozen=True)
class Split:
    """P&L and its parts in whole money quanta of one currency."""

    currency: str
    quantum: Decimal
    spread: int
    adverse: int
    fees: int
    alpha: int
    inventory: int
    hedge: int
    total: int

    def parts(self) -> dict[str, int]:
        """Return the six parts, by name, in money quanta."""
        return {name: int(getattr(self, name)) for name in PARTS}

    def money(self, name: str) -> Decimal:
        """Return one part, or ``"total"``, as an exact amount of the currency."""
        return int(getattr(self, name)) * self.quantum

    def amounts(self) -> dict[str, Decimal]:
        """Return the six parts and then the total, by name, as exact amounts of `currency`."""
        return {name: self.money(name) for name in (*PARTS, "total")}

    def in_quanta(self, quantum: Decimal) -> "Split":
        """Return the same split counted in a finer *quantum*, which divides this one."""
        factor = int(self.quantum / quantum)
        amounts = {field.name: getattr(self, field.name) * factor for field in fields(self) if field.type is int}
        return Split(self.currency, quantum, **amounts)


@dataclass(frozen=True)
class Counted:
    """What makes up the split of one market, amount by amount.

    Args:
        currency: of the market.
        quantum: what amounts count.
        opening: value of what was held at the start.
        total: cash_T - cash_0 + q_T m_T - q_0 m_0, from the ledger and the last mid alone.
        amounts: (part, times, amounts): when each amount counts, exchange clock; a part may be in several.
    """

    currency: str
    quantum: Decimal
    opening: int
    total: int
    amounts: tuple[tuple[str, Integers, Integers], ...]

    def split(self) -> Split:
        """Return the sums."""
        sums = dict.fromkeys(PARTS, 0)
        for name, _, amounts in self.amounts:
            sums[name] += int(amounts.sum())
        return Split(self.currency, self.quantum, **sums, total=self.total)


def split(run: Run, horizon_ns: int = HORIZON_NS, targets: pl.DataFrame | None = None) -> tuple[Split, ...]:
    """Return the split of each market of *run*, in the order of its instruments.

    Args:
        run: what an engine returned.
        horizon_ns: h above, at least 0.
        targets: declared target positions, columns ``exch_ns``, ``market``, ``target_lots`` (i8), in the order of time, each valid
            until the next of its market; zero before the first. None: no target, so that *alpha* is zero.

    Raises:
        InputError: a negative horizon.
        DataError: a market was traded or held but never had a valid mid, or a frame is not in the order of time.
        SplitError: the parts do not add up to the total.
    """
    return tuple(counted(run, market, horizon_ns, targets).split() for market in range(len(run.instruments)))


def split_by_currency(run: Run, horizon_ns: int = HORIZON_NS, targets: pl.DataFrame | None = None) -> Mapping[str, Split]:
    """Return the sums of `split` over the markets of each currency, in the order in which currencies first occur."""
    return by_currency(split(run, horizon_ns, targets))


def by_currency(parts: Iterable[Split]) -> Mapping[str, Split]:
    """Return sums of splits, one per currency in the order in which they first occur; different ones are never added."""
    sums: dict[str, Split] = {}
    for part in parts:
        other = sums.get(part.currency)
        sums[part.currency] = _sum(other, part) if other else part
    return sums


def _sum(one: Split, other: Split) -> Split:
    quantum = min(one.quantum, other.quantum)
    a, b = one.in_quanta(quantum), other.in_quanta(quantum)
    return Split(a.currency, quantum, *(getattr(a, name) + getattr(b, name) for name in (*PARTS, "total")))


def counted(run: Run, market: int, horizon_ns: int = HORIZON_NS, targets: pl.DataFrame | None = None) -> Counted:
    """Return what the split of *market* is the sum of; arguments and errors as of `split`.

    A fill's spread and fees count when it happened, its adverse part h later, a move of the mid when it moved, funding when the
    equity was next recorded. A hedge counts its fees and its distance from the mid that held when it happened, and then every move.
    """
    if horizon_ns < 0:
        raise InputError(f"horizon_ns is {horizon_ns}; allowed: 0 or more")
    instrument = run.instruments[market]
    opening, closing = run.facts["opening"][market], run.facts["closing"][market]
    change = {name: int(closing[name]) - int(opening[name]) for name in ("cash", "taxes", "funding")}
    mids, fills = mids_of(run, market), fills_of(run, market)
    q_0, q_end = int(opening["position_lots"]), int(closing["position_lots"])
    kind = instrument.currency, instrument.money_quantum
    end = np.array([run.facts["end_ns"]], np.int64)
    if not len(mids.ns):
        if len(fills.ns) or q_0 or q_end:
            raise DataError(
                "the run's mids", instrument.symbol, "never a valid mid, so that its position has no value; expected one"
            )
        return Counted(*kind, int(opening["cash"]), change["cash"], (("fees", end, np.array([change["cash"]], np.int64)),))

    hedges, quotes = fills.where(fills.hedge == 1), fills.where(fills.hedge != 1)
    release = np.minimum(quotes.ns + horizon_ns, int(run.facts["end_ns"]))
    signed, hedged = (each.side * each.lots for each in (quotes, hedges))
    mid = instrument.price_units(mids.half_ticks)
    price, hedge_price = (instrument.price_units(2 * each.ticks) for each in (quotes, hedges))
    before, after = mid[last_before(mids.ns, quotes.ns)], mid[last_at(mids.ns, release)]
    moved, moves = mids.ns[1:], np.diff(mid)
    held, hedges_held = q_0 + _running(release, signed, moved), _running(hedges.ns, hedged, moved)
    wanted = _clipped(_target(targets, market, moved), held)

    quanta = instrument.unit_quanta
    at_hedge = mid[last_at(mids.ns, hedges.ns)]
    unfilled_tax = change["taxes"] - int(fills.tax.sum())
    paid_ns, paid = _funding(run, market, fills, change["funding"])
    result = Counted(
        *kind,
        opening=int(opening["cash"]) + q_0 * int(mid[0]) * quanta,
        total=change["cash"] + (q_end * int(mid[-1]) - q_0 * int(mid[0])) * quanta,
        amounts=(
            ("spread", quotes.ns, signed * (before - price) * quanta),
            ("adverse", release, signed * (after - before) * quanta),
            ("fees", quotes.ns, -(quotes.fee + quotes.tax)),
            ("fees", paid_ns, -paid),
            ("fees", end, np.array([-unfilled_tax], np.int64)),
            ("alpha", moved, wanted * moves * quanta),
            ("inventory", moved, (held - wanted) * moves * quanta),
            ("hedge", hedges.ns, hedged * (at_hedge - hedge_price) * quanta - hedges.fee - hedges.tax),
            ("hedge", moved, hedges_held * moves * quanta),
        ),
    )
    _prove(result.split(), instrument.symbol, mids, fills)
    return result


def _funding(run: Run, market: int, fills: Fills, total: int) -> tuple[Integers, Integers]:
    """Return when funding was paid, as far as the recorded equity tells, and how much: its sum is *total*."""
    rows = run.equity.filter((pl.col("market") == market) & (pl.col("ns") < run.facts["end_ns"]))
    if not total:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    instrument, opening = run.instruments[market], run.facts["opening"][market]
    value = fills.side * fills.lots * instrument.price_units(2 * fills.ticks) * instrument.unit_quanta
    spent = np.append(0, np.cumsum(value + fills.fee + fills.tax))
    ns = rows["ns"].to_numpy()
    # what cash lacks beyond what fills took; fills of the same instant may or may not be in it, so that only steady values count
    by_then = [
        int(opening["cash"]) - spent[np.searchsorted(fills.ns, ns, side)] - rows["cash"].to_numpy() for side in ("left", "right")
    ]
    steady = by_then[0] == by_then[1]
    so_far = np.append(by_then[0][steady], total)
    paid = np.diff(so_far, prepend=0)
    times = np.append(ns[steady], int(run.facts["end_ns"]))
    return times[paid != 0].astype(np.int64), paid[paid != 0].astype(np.int64)


def _running(times: Integers, amounts: Integers, at: Integers) -> Integers:
    """Return the sum of the *amounts* whose time lies strictly before each of *at*."""
    order = np.argsort(times, kind="stable")
    sums = np.concatenate([[0], np.cumsum(amounts[order])])
    return sums[np.searchsorted(times[order], at, "left")].astype(np.int64)


def _target(targets: pl.DataFrame | None, market: int, at: Integers) -> Integers:
    """Return the target that held just before each of *at*."""
    if targets is None:
        return np.zeros(len(at), np.int64)
    rows = targets.filter(pl.col("market") == market)
    times = rows["exch_ns"].to_numpy()
    if np.any(times[1:] < times[:-1]):
        raise DataError("targets", f"market {market}", "times decrease; expected the order of time")
    levels = np.concatenate([[0], rows["target_lots"].to_numpy()])
    return levels[np.searchsorted(times, at, "left")].astype(np.int64)


def _clipped(target: Integers, held: Integers) -> Integers:
    return np.clip(target, np.minimum(held, 0), np.maximum(held, 0))


def _prove(result: Split, symbol: str, mids: Mids, fills: Fills) -> None:
    difference = result.total - sum(result.parts().values())
    if difference:
        raise SplitError(
            f"{symbol}: the parts of the P&L differ from the change in cash and position by {difference} money quanta of "
            f"{result.quantum} ({len(fills.ns)} fills, {len(mids.ns)} mids): {result.parts()} against {result.total}"
        )
