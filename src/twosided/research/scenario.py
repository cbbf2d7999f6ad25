"""The scenario lab: a quoter in a market that gets rough on purpose, and whether it behaved.

Where you are in the pipe: all of it. A scenario is a market made by the matching engine (`twosided.engines.flow`) with phases in
which something happens, and what is expected of a quoter meanwhile. Every strategy sees the same market; all of them share a pass.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from twosided.engines.flow import FlowSettings, generate_market
from twosided.engines.flow_phases import Phase, with_heartbeats
from twosided.engines.replay import replay
from twosided.engines.settings import ReplaySettings
from twosided.market.event import Events
from twosided.market.instrument import Fees, Instrument
from twosided.market.run import Run
from twosided.research.expectations import FAIL, Check, Expectation, check
from twosided.research.scenario_watch import Watch, Watched, watched
from twosided.strategies.contract import Strategy
from twosided.strategies.quoting import DEFAULT_LIMIT_QUOTES
from twosided.units import NS_PER_SECOND

__all__ = ["LAB", "LAB_OF", "QUIET", "Scenario", "Span", "Trial", "prepared", "run_scenario"]

QUIET = FlowSettings(volatility_ticks=0.65, daily_curve=False)
"""The market before and after: a price of 100, a tick of 0.01, a volatility of 1 % in a day of 6.5 hours, a spread of 2 ticks."""

LAB: dict[str, float | str] = {
    "quantity": 10.0,
    "max_position": 100.0,
    "sigma": 0.0074,
    "A": 3.8,
    "k": 178.0,
    "gamma": 10.0,
    "phi": 0.0003,
    "half_spread": 1.5,
    "skew": 0.5,
    "step": 1.5,
    "unit": "ticks",
}
"""Parameters of the lab, where a strategy has them and nobody set them: sigma, A and k are what `twosided calibrate` finds in an
hour of the quiet market (a test repeats it); the distances are of the size of that market's spread."""

LAB_OF: dict[str, dict[str, float | str]] = {"avellaneda_stoikov": {"gamma": 1.0}}
"""Where a strategy's own formula wants another value: its width is gamma·sigma² times what is left of ten minutes."""

_USUAL = ReplaySettings()

HEARTBEAT_NS = NS_PER_SECOND
"""The venue says that it is alive once a second."""


@dataclass(frozen=True)
class Span:
    """A stretch of a scenario: its name, and from when until when, in seconds since the opening."""

    name: str
    from_s: float
    to_s: float


@dataclass(frozen=True)
class Scenario:
    """One scenario.

    Args:
        name: of the command line.
        sentence: what happens.
        how: how it is made, with its numbers.
        spans: before, during and after; they say how long it lasts.
        expectations: what a quoter should do.
        phases: what changes in the market.
        settings: what the market is like at first.
        heard: what changes between the exchange and us.
        assumed: latencies and the rest of a replay.
        fees: what the venue charges; nothing by default.
        compared: replay the same market without *heard*, *assumed* and *fees* as well, to compare with.
    """

    name: str
    sentence: str
    how: str
    spans: tuple[Span, ...]
    expectations: tuple[Expectation, ...]
    phases: tuple[Phase, ...] = ()
    settings: FlowSettings = QUIET
    heard: Callable[[Events], Events] | None = None
    assumed: ReplaySettings = _USUAL
    fees: Fees | None = None
    compared: bool = False

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.spans[-1].to_s


@dataclass(frozen=True)
class Trial:
    """What became of one strategy in one scenario."""

    scenario: Scenario
    watch: Watch
    checks: tuple[Check, ...]

    @property
    def run(self) -> Run:
        """What the replay returned."""
        return self.watch.run

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the expectations that it did not meet."""
        return tuple(each.expectation for each in self.checks if each.verdict == FAIL)


def prepared(strategy: Strategy) -> Strategy:
    """Return *strategy* with the parameters of `LAB` that nobody set."""
    known = {**LAB, **LAB_OF.get(strategy.name.split("+", maxsplit=1)[0], {})}
    own = {name: value for name, value in known.items() if name in strategy.params and name not in strategy.values}
    return strategy.with_params(own)


def run_scenario(scenario: Scenario, strategies: Sequence[Strategy | Watched], *, seed: int = 1) -> list[Trial]:
    """Let *strategies* live through *scenario*, each alone in the same market, and check what is expected of them.

    Args:
        scenario: one of `twosided.research.scenarios.SCENARIOS`, or your own.
        strategies: with all their parameters; `prepared` gives those of the lab. A `Watched` one is compiled but once for several
            scenarios.
        seed: another one is another market of the same kind.

    Raises:
        InputError, StrategyError: as `twosided.replay`.
    """
    asked = [each if isinstance(each, Watched) else watched(each) for each in strategies]
    plain, instrument = _market(scenario.settings, scenario.phases, scenario.seconds, seed)
    bases: list[Watch | None] = [None] * len(asked)
    if scenario.compared:
        bases = list(_watches(plain, instrument, asked, _USUAL, bases))
    events = plain if scenario.heard is None else scenario.heard(plain)
    if scenario.fees is not None:
        instrument = instrument.model_copy(update={"fees": scenario.fees})
    found = _watches(events, instrument, asked, scenario.assumed, bases)
    return [Trial(scenario, one, tuple(check(each, one) for each in scenario.expectations)) for one in found]


@lru_cache(maxsize=16)
def _market(settings: FlowSettings, phases: tuple[Phase, ...], seconds: float, seed: int) -> tuple[Events, Instrument]:
    events, instrument = generate_market(seed, seconds, settings=settings, phases=phases)
    return with_heartbeats(events, HEARTBEAT_NS), instrument


def _watches(
    events: Events, instrument: Instrument, asked: Sequence[Watched], assumed: ReplaySettings, bases: Sequence[Watch | None]
) -> list[Watch]:
    for each in asked:
        each.notes.clear()
    runs = replay(events, [each.strategy for each in asked], instruments=instrument, settings=assumed)
    return [
        Watch(run, one.notes[-1] if one.notes else None, events, _limit(run), base)
        for run, one, base in zip(runs, asked, bases, strict=True)
    ]


def _limit(run: Run) -> float:
    """Return the position limit that a strategy settled on; infinite where it has none."""
    params, lot = run.facts["params"], float(run.instruments[0].lot_size)
    if "max_position" not in params:
        return math.inf
    return float(params["max_position"] or DEFAULT_LIMIT_QUOTES * (params["quantity"] or lot))
