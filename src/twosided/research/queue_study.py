"""How wrong a guess of the place in a queue is: the same orders in both views of one market, order by order and by level.

Where you are in the pipe: research, on top of all rooms. A market recorded order by order says exactly when an order of ours would
have filled. `market.collapse` takes that knowledge away and leaves what most venues publish; each queue model then guesses.

*Probes* are orders of one lot that join the best price, wait as long as is asked, and are cancelled; filled ones are not renewed.
Both views show the same touch after every message, so the probes are the same in both, and every difference is the model's.
A probe that did not fill counts with the whole wait: the mean of that *restricted* wait needs no assumption about what comes later.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from twosided.engines.replay import replay
from twosided.engines.settings import ReplaySettings
from twosided.errors import InputError
from twosided.explain.markouts import Band, mean_band
from twosided.market.collapse import by_level
from twosided.market.event import BY_ORDER, Events
from twosided.market.instrument import Instrument
from twosided.market.order import OrderAction
from twosided.market.run import Run
from twosided.strategies.contract import Param, Strategy, quote_ask, quote_bid, strategy
from twosided.units import duration_text

__all__ = ["EXPONENTS", "MODELS", "Exponent", "ModelError", "QueueStudy", "probe", "queue_study"]

EXPONENTS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0)
"""Of the power model, among which the best is looked for."""

MODELS = ("conservative", "log", *(f"power:{exponent:g}" for exponent in EXPONENTS))

_STEPS = 10  # decisions during a wait
_DRAWS = 1_000  # of the block bootstrap
_FEWEST = 50  # probes
_SEED = 1

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]


@strategy(
    side=Param(1, integer=True, help="+1 joins the bid, -1 the ask"),
    steps=Param(_STEPS, integer=True, minimum=2, help="decisions from joining to cancelling"),
    phase=Param(0, integer=True, minimum=0, help="decisions before the first probe"),
    memory={"step": "i8", "begun": "i8", "ticks": "i8", "position": "i8", "done": "i8"},
)
def probe(ctx: Any) -> None:
    """Join the best price with one lot, leave it there, cancel it, wait one decision, and so on; a filled order is not renewed."""
    memory, params, market = ctx.memory, ctx.params, ctx.market[0]
    if memory.begun == 0:
        memory.begun, memory.step = 1, -params.phase
    if memory.step == 0:
        memory.ticks = market.bid_ticks if params.side > 0 else market.ask_ticks
        memory.position, memory.done = market.position_lots, 0
    if market.position_lots != memory.position or memory.step >= params.steps:
        memory.done = 1
    quantity = market.lot_size if memory.done == 0 and memory.step >= 0 else 0.0
    if params.side > 0:
        quote_bid(ctx, 0, 0, float(memory.ticks), quantity)
    else:
        quote_ask(ctx, 0, 0, float(memory.ticks), quantity)
    memory.step = memory.step + 1 if memory.step <= params.steps else 0


@dataclass(frozen=True)
class ModelError:
    """How one queue model compares with the truth, over the same probes; errors are model minus truth."""

    model: str
    filled: float  # share of the probes
    filled_error: Band
    wait_s: float  # mean restricted wait
    wait_error_s: Band
    wait_rms_error_s: float
    alike: float  # share of the probes that filled in both or in neither


@dataclass(frozen=True)
class Exponent:
    """The power model's exponent with the smallest squared error of the wait, and its 95 % interval by block bootstrap."""

    best: float
    low: float
    high: float


@dataclass(frozen=True)
class QueueStudy:
    """What `queue_study` returns."""

    instrument: str
    wait_s: float
    latency_s: float
    probes: int
    filled: float  # share of the probes that filled in truth
    mean_wait_s: float
    models: tuple[ModelError, ...]
    exponents: tuple[float, ...]  # of the power models that were tried
    exponent: Exponent


@dataclass
class _Outcome:
    """Of every probe of every strategy, in one order: when it was sent, and how long it waited: all the time if it did not fill."""

    sent_ns: Integers
    wait_ns: Integers
    usable: npt.NDArray[np.bool_] = field(repr=False)  # accepted, and its wait ended within the recording


def queue_study(
    events: Events,
    instrument: Instrument,
    *,
    wait_ns: int = 10_000_000_000,
    latency_ns: int = 1_000_000,
    start_ns: int | None = None,
    models: Sequence[str] = MODELS,
    progress: Progress | None = None,
) -> QueueStudy:
    """Place the same probes in both views of a market and compare.

    Args:
        events: one market order by order, in local order.
        instrument: of it.
        wait_ns: how long a probe waits.
        latency_ns: of orders and reports; the touch may move while a probe is under way.
        start_ns: the first probe is sent after this time, our clock; the beginning of the events if none is given.
        models: queue models in their short form; the exponent is looked for among those of the power model.
        progress: called with (replays done, replays in all).

    Raises:
        InputError: the market is recorded by level, or the recording is too short for a comparison.
    """
    if not np.isin(events["kind"], list(BY_ORDER)).any():
        problem = f"{instrument.symbol} is recorded by level: its queues are not known"
        raise InputError(f"{problem}; a study needs a recording order by order (LOBSTER, Databento MBO, ITCH)")
    step_ns = max(wait_ns // _STEPS, 1)
    probes = [
        probe.with_params({"side": side, "steps": _STEPS, "phase": phase})._replace(every_ns=step_ns)
        for phase in range(_STEPS + 2)
        for side in (1, -1)
    ]
    levels = by_level(events)

    def outcome(seen: Events, queue: str) -> _Outcome:
        settings = ReplaySettings(
            queue=queue,  # type: ignore[arg-type]
            entry_latency=latency_ns,  # type: ignore[arg-type]
            response_latency=latency_ns,  # type: ignore[arg-type]
            log=("orders", "decisions"),
        )
        runs = replay(seen, probes, instruments=instrument, settings=settings, start_ns=start_ns)
        parts = [_outcome_of(run, each, step_ns) for run, each in zip(runs, probes, strict=True)]
        return _Outcome(
            *(np.concatenate(column) for column in zip(*((p.sent_ns, p.wait_ns, p.usable) for p in parts), strict=True))
        )

    truth = outcome(events, "conservative")
    count = int(truth.usable.sum())
    if count < _FEWEST:
        problem = f"the recording has room for {count} probes of {duration_text(wait_ns)}"
        raise InputError(f"{problem}; expected at least {_FEWEST}: a longer recording, or a shorter --wait")
    guesses: dict[str, _Outcome] = {}
    for model in models:
        guesses[model] = outcome(levels, model)
        if progress is not None:
            progress(len(guesses), len(models))
    return _compare(instrument, truth, guesses, step_ns, latency_ns)


def _outcome_of(run: Run, strategy_: Strategy, step_ns: int) -> _Outcome:
    """Return what became of the probes of one run."""
    steps, phase = int(strategy_.values["steps"]), int(strategy_.values["phase"])
    asked = run.decisions["ns"].to_numpy()
    sent = asked[phase :: steps + 2]
    whole = steps * step_ns
    wait = np.full(len(sent), whole, np.int64)
    fills = run.fills.select("exch_ns").to_numpy()[:, 0]
    of = np.searchsorted(sent, fills, side="right") - 1
    wait[of] = np.minimum(fills - sent[of], whole)
    refused = run.orders.filter(pl.col("action") == int(OrderAction.REJECTED))["ns"].to_numpy()
    usable = sent + (steps + 1) * step_ns <= (asked[-1] if len(asked) else 0)
    usable[np.searchsorted(sent, refused, side="right") - 1] = False
    return _Outcome(sent, wait, usable)


def _compare(instrument: Instrument, truth: _Outcome, guesses: dict[str, _Outcome], step_ns: int, latency_ns: int) -> QueueStudy:
    usable = truth.usable
    whole = _STEPS * step_ns
    blocks = ((truth.sent_ns - truth.sent_ns.min()) // whole)[usable]
    true_wait = truth.wait_ns[usable] / 1e9
    true_filled = truth.wait_ns[usable] < whole
    compared, squared = [], {}
    for model, guess in guesses.items():
        if not np.array_equal(guess.sent_ns, truth.sent_ns):
            raise AssertionError("both views wake a strategy at the same times")
        wait, filled = guess.wait_ns[usable] / 1e9, guess.wait_ns[usable] < whole
        squared[model] = (wait - true_wait) ** 2
        compared.append(
            ModelError(
                model=model,
                filled=float(filled.mean()),
                filled_error=mean_band(filled.astype(np.float64) - true_filled, blocks),
                wait_s=float(wait.mean()),
                wait_error_s=mean_band(wait - true_wait, blocks),
                wait_rms_error_s=float(np.sqrt(squared[model].mean())),
                alike=float((filled == true_filled).mean()),
            )
        )
    powers = {float(model.partition(":")[2]): errors for model, errors in squared.items() if model.startswith("power:")}
    return QueueStudy(
        instrument=instrument.symbol,
        wait_s=whole / 1e9,
        latency_s=latency_ns / 1e9,
        probes=int(usable.sum()),
        filled=float(true_filled.mean()),
        mean_wait_s=float(true_wait.mean()),
        models=tuple(compared),
        exponents=tuple(sorted(powers)),
        exponent=_fit(powers, blocks),
    )


def _fit(powers: dict[float, Floats], blocks: Integers) -> Exponent:
    """Return the exponent with the smallest sum of squared errors, and the middle 95 % of those of resampled blocks."""
    exponents = np.array(sorted(powers))
    _numbers, member = np.unique(blocks, return_inverse=True)
    count = int(member.max()) + 1
    sums = np.stack([np.bincount(member, weights=powers[exponent], minlength=count) for exponent in exponents])
    drawn = np.random.default_rng(_SEED).multinomial(count, np.full(count, 1 / count), size=_DRAWS)
    found = exponents[np.argmin(drawn @ sums.T, axis=1)]
    best = exponents[int(np.argmin(sums.sum(axis=1)))]
    return Exponent(float(best), *(float(each) for each in np.quantile(found, [0.025, 0.975], method="nearest")))
