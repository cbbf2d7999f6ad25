"""Whether a result hangs on a guess: the same strategy under other latencies, queue models and fees, in one pass over the data.

Where you are in the pipe: beside it: engines run the variants, the explanation says what they mean.

Orders that take half, twice and five times as long (there and back); the queue models that bound what can be known of a place in a
queue; fees a basis point dearer and cheaper. Latency and queue need a replay each, but share the pass and its books. Fees need
none: what is quoted and filled does not depend on them, so the ledger counts the money of the same fills again, in integers. (A
strategy that reads ``ctx.market[M].cash`` could tell; none that ships does.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
import polars as pl

from twosided._compile import compiled
from twosided.engines.replay import Progress, Recorded, replay
from twosided.engines.settings import Latency, MarketSettings, QueueModel, ReplaySettings
from twosided.errors import InputError
from twosided.execution.ledger import ACCOUNT, book_fill, fee_schedule
from twosided.explain.assumption_band import band_of
from twosided.explain.paths import fills_of, position_path
from twosided.explain.split import split_by_currency
from twosided.explain.words import typeset, unit_of
from twosided.market.event import Events
from twosided.market.instrument import Fees, Instrument
from twosided.market.run import Run
from twosided.strategies.contract import Strategy

__all__ = ["FEE_STEP_BPS", "LATENCY_FACTORS", "Sensitivity", "fees_paid", "sensitivities", "sensitivity", "variations"]

LATENCY_FACTORS = (0.5, 2.0, 5.0)
"""Orders and answers take this many times as long; 1 is the base."""

FEE_STEP_BPS = Decimal(1)
"""By so much both the maker's and the taker's fee are moved, up and down."""

_QUEUES = ("conservative", "optimistic")
Part = TypeVar("Part", ReplaySettings, MarketSettings)

_LONGEST_NS = 2**62
_MOST_FACTOR = 1000.0


@dataclass(frozen=True)
class Sensitivity:
    """What `sensitivity` returns.

    Attributes:
        run: the base run, as it would be alone; its ``facts["sensitivity"]`` holds the rest, so that it is saved and reported.
        frame: one row per assumption and currency, the base first: ``kind``, ``setting``, ``currency``, ``pnl``, ``change`` (from
            the base), ``fills``, ``max_inventory`` and its ``unit``.
        verdict: in a sentence, whether the result hangs on a guess.
        notes: what was not tried, and why.
        variants: the runs behind the rows of latency and queue, by ``setting``.
    """

    run: Run
    frame: pl.DataFrame
    verdict: str
    notes: tuple[str, ...]
    variants: dict[str, Run]


@dataclass(frozen=True)
class _Variation:
    kind: str
    setting: str
    settings: ReplaySettings


def sensitivity(
    data: Recorded | Events,
    strategy: Strategy,
    *,
    instruments: Sequence[Instrument] | Instrument | None = None,
    settings: ReplaySettings | None = None,
    start_ns: int | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Replay *data* through *strategy* as *settings* say, and under other assumptions, in one pass.

    Args:
        data: as in `twosided.replay`.
        strategy: one.
        instruments: as there.
        settings: the assumptions to start from.
        start_ns: as there.
        progress: as there.

    Raises:
        InputError, StrategyError: as `twosided.replay`.
    """
    (found,) = sensitivities(data, [strategy], instruments=instruments, settings=settings, start_ns=start_ns, progress=progress)
    return found


def sensitivities(
    data: Recorded | Events,
    strategies: Sequence[Strategy],
    *,
    instruments: Sequence[Instrument] | Instrument | None = None,
    settings: ReplaySettings | None = None,
    start_ns: int | None = None,
    progress: Progress | None = None,
) -> list[Sensitivity]:
    """Return the `sensitivity` of each of *strategies*; all of their variants share one pass."""
    base = settings or ReplaySettings()
    tried, notes = variations(base)
    assumed = [base, *(each.settings for each in tried)]
    runs = replay(
        data,
        [strategy for strategy in strategies for _ in assumed],
        instruments=instruments,
        settings=[each for _ in strategies for each in assumed],
        start_ns=start_ns,
        progress=progress,
    )
    groups = [runs[first : first + len(assumed)] for first in range(0, len(runs), len(assumed))]
    return [_sensitivity(own, tried, notes) for own in groups]


def variations(settings: ReplaySettings) -> tuple[list[_Variation], list[str]]:
    """Return the other assumptions that need a replay of their own, and in words what is not tried, and why."""
    tried, notes = [], []
    latencies = [*_latencies(settings).values(), *(each for market in settings.markets for each in _latencies(market).values())]
    if all(each.kind == "constant" and each.ns == 0 for each in latencies):
        notes.append("Latency: orders take no time in the base run, so there is nothing to scale; state one to see what it costs.")
    else:
        for factor in LATENCY_FACTORS:
            changed = _slower(settings, factor).model_copy(
                update={"markets": tuple(_slower(market, factor) for market in settings.markets)}
            )
            tried.append(_Variation("latency", f"order latency × {factor:g}", changed))
    for kind in _QUEUES:
        if settings.queue.kind != kind:
            changed = settings.model_copy(update={"queue": QueueModel(kind=kind)})  # type: ignore[arg-type]
            tried.append(_Variation("queue", f"queue {kind}", changed))
    return tried, notes


def _latencies(part: ReplaySettings | MarketSettings) -> dict[str, Latency]:
    """Return the order latencies that *part* states."""
    stated = {name: getattr(part, name) for name in ("entry_latency", "response_latency")}
    return {name: latency for name, latency in stated.items() if latency is not None}


def _slower(part: Part, factor: float) -> Part:
    """Return *part* with every order latency that it states *factor* times as long."""
    return part.model_copy(update={name: _scaled(latency, factor) for name, latency in _latencies(part).items()})


def _scaled(latency: Latency, factor: float) -> Latency:
    """Return a latency *factor* times as long.

    Raises:
        InputError: it could not be stated.
    """
    longer = latency.model_copy(update={"ns": round(latency.ns * factor), "factor": latency.factor * factor})
    if longer.ns > _LONGEST_NS or longer.factor > _MOST_FACTOR:
        raise InputError(f"order latency is {latency}; allowed with other assumptions: one that can be {factor:g} times as long")
    return longer if latency.kind == "sampled" else longer.model_copy(update={"factor": latency.factor})


# ---------------------------------------------------------------- rows


def _sensitivity(runs: Sequence[Run], tried: Sequence[_Variation], notes: Sequence[str]) -> Sensitivity:
    base, said = runs[0], list(notes)
    places = [f"{each.symbol}" for each, exact in zip(base.instruments, _exact(base), strict=True) if exact]
    if len(places) == len(base.instruments):
        said.append("Queue: recorded order by order, so that places are exact and nothing is guessed.")
    variants = [
        (each, run)
        for each, run in zip(tried, runs[1:], strict=True)
        if each.kind != "queue" or len(places) < len(base.instruments)
    ]
    totals = _totals(base)
    rows = _rows("base", "as assumed", base, totals, totals)
    for each, run in variants:
        rows += _rows(each.kind, each.setting, run, _totals(run), totals)
    for step in (FEE_STEP_BPS, -FEE_STEP_BPS):
        moved, problem = _with_fees(base, step)
        setting = typeset(f"fees {step:+} bps").replace("+", "+ ").replace("−", "− ")
        if problem:
            said.append(problem)
        else:
            rows += _rows("fees", setting, base, {name: totals[name] + moved[name] for name in totals}, totals)
    run = base.with_facts(sensitivity={"rows": rows, "notes": said})
    band = band_of(run)
    verdict = band["verdict"] if band else ""
    return Sensitivity(run, _frame(rows), verdict, tuple(said), {each.setting: run for each, run in variants})


def _exact(run: Run) -> list[bool]:
    return list(run.facts.get("by_order") or [False] * len(run.instruments))


def _totals(run: Run) -> dict[str, Decimal]:
    return {currency: part.money("total") for currency, part in split_by_currency(run).items()}


def _rows(kind: str, setting: str, run: Run, totals: dict[str, Decimal], base: dict[str, Decimal]) -> list[dict[str, Any]]:
    """Return a row per currency; the largest position is that of the account's market with the most fills."""
    rows = []
    for currency, total in totals.items():
        markets = [market for market, each in enumerate(run.instruments) if each.currency == currency]
        fills = {market: len(fills_of(run, market).ns) for market in markets}
        most = max(markets, key=lambda market: fills[market])
        _, held = position_path(run, most)
        rows.append(
            {
                "kind": kind,
                "setting": setting,
                "currency": currency,
                "pnl": f"{total:f}",
                "change": f"{total - base[currency]:f}",
                "fills": sum(fills.values()),
                "max_inventory": run.instruments[most].quantity(int(np.max(np.abs(held)))),
                "unit": unit_of(run.instruments[most]),
            }
        )
    return rows


def _frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([{**row, "pnl": float(row["pnl"]), "change": float(row["change"])} for row in rows])


# ---------------------------------------------------------------- fees


def _with_fees(run: Run, step_bps: Decimal) -> tuple[dict[str, Decimal], str]:
    """Return by how much P&L changes with fees *step_bps* higher, per currency, or why it cannot be said."""
    moved: dict[str, Decimal] = {}
    for market, instrument in enumerate(run.instruments):
        try:
            dearer = instrument.model_copy(update={"fees": _moved(instrument.fees, step_bps)})
        except ValueError:
            return {}, f"Fees: {typeset(f'{step_bps:+}')} bps would leave the range that fees may have ({instrument.symbol})."
        more = fees_paid(run, market, dearer) - fees_paid(run, market, instrument)
        moved[instrument.currency] = moved.get(instrument.currency, Decimal(0)) - more * instrument.money_quantum
    return moved, ""


def _moved(fees: Fees, step_bps: Decimal) -> Fees:
    """Return *fees* with every rate of value *step_bps* higher; fees per unit and taxes stay."""

    def rates(of: Any) -> dict[str, Decimal]:
        return {name: getattr(of, name) + step_bps for name in ("maker_bps", "taker_bps")}

    tiers = [{**tier.model_dump(), **rates(tier)} for tier in fees.tiers]
    return Fees.model_validate({**fees.model_dump(), **rates(fees), "tiers": tiers})


def _pay(account: Any, fees: Any, side: Any, ticks: Any, lots: Any, maker: Any) -> None:
    """Enter fills into *account*, in their order."""
    for i in range(side.shape[0]):
        book_fill(account, fees, side[i], ticks[i], lots[i], maker[i] != 0)


pay = compiled(_pay)


def fees_paid(run: Run, market: int, instrument: Instrument) -> int:
    """Return what the fills of *run* in *market* would have paid in fees at the rates of *instrument*, in money quanta.

    The ledger's own arithmetic: each fee rounded once, tiers by the value traded so far. Taxes are not among them.
    """
    fills, account = fills_of(run, market), np.zeros(1, ACCOUNT)[0]
    account["turnover"] = run.facts["opening"][market]["turnover"]
    pay(account, fee_schedule(instrument), fills.side, fills.ticks, fills.lots, fills.maker)
    return int(account["fees"])
