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

__all__ = ["HORIZON_NS", "PARTS", "Split", "SplitError", "by_currency", "split", "split_by_currency"]

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
    if horizon_ns < 0:
        raise InputError(f"horizon_ns is {horizon_ns}; allowed: 0 or more")
    return tuple(_market_split(run, market, horizon_ns, targets) for market in range(len(run.instruments)))


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


def _market_split(run: Run, market: int, horizon_ns: int, targets: pl.DataFrame | None) -> Split:
    instrument = run.instruments[market]
    opening, closing = run.facts["opening"][market], run.facts["closing"][market]
    change = {name: int(closing[name]) - int(opening[name]) for name in ("cash", "taxes", "funding")}
    mids, fills = mids_of(run, market), fills_of(run, market)
    q_0, q_end = int(opening["position_lots"]), int(closing["position_lots"])
    if not len(mids.ns):
        if len(fills.ns) or q_0 or q_end:
            raise DataError(
                "the run's mids", instrument.symbol, "never a valid mid, so that its position has no value; expected one"
            )
        return Split(instrument.currency, instrument.money_quantum, 0, 0, change["cash"], 0, 0, 0, change["cash"])

    hedges, quotes = fills.where(fills.hedge == 1), fills.where(fills.hedge != 1)
    release = np.minimum(quotes.ns + horizon_ns, int(run.facts["end_ns"]))
    signed = quotes.side * quotes.lots
    mid = instrument.price_units(mids.half_ticks)
    price, hedge_price = (instrument.price_units(2 * each.ticks) for each in (quotes, hedges))
    before, after = mid[last_before(mids.ns, quotes.ns)], mid[last_at(mids.ns, release)]
    held = q_0 + _running(release, signed, mids.ns[1:])
    wanted = _clipped(_target(targets, market, mids.ns[1:]), held)
    moves, m_0, m_end = np.diff(mid), int(mid[0]), int(mid[-1])

    quanta = instrument.unit_quanta
    hedge_cost = int((hedges.fee + hedges.tax).sum())
    result = Split(
        instrument.currency,
        instrument.money_quantum,
        spread=int((signed * (before - price)).sum()) * quanta,
        adverse=int((signed * (after - before)).sum()) * quanta,
        fees=-int(quotes.fee.sum()) - (change["taxes"] - int(hedges.tax.sum())) - change["funding"],
        alpha=int((wanted * moves).sum()) * quanta,
        inventory=int(((held - wanted) * moves).sum()) * quanta,
        hedge=int((hedges.side * hedges.lots * (m_end - hedge_price)).sum()) * quanta - hedge_cost,
        total=change["cash"] + (q_end * m_end - q_0 * m_0) * quanta,
    )
    return _proved(result, instrument.symbol, mids, fills)


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


def _proved(result: Split, symbol: str, mids: Mids, fills: Fills) -> Split:
    difference = result.total - sum(result.parts().values())
    if difference:
        raise SplitError(
            f"{symbol}: the parts of the P&L differ from the change in cash and position by {difference} money quanta of "
            f"{result.quantum} ({len(fills.ns)} fills, {len(mids.ns)} mids): {result.parts()} against {result.total}"
        )
    return result
