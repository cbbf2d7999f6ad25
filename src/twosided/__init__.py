"""A market maker's workbench: one quoting strategy, unchanged, from calibration through replay to the explanation of its P&L.

Events move a book; signals read the book; a strategy turns what it sees into quotes; risk trims them; the order manager turns
quotes into orders; a venue fills them; the ledger counts; the explanation shows why money was made or lost.

The names below are the public interface. Each is loaded when it is first used, so that importing this package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twosided.data.combine import CombinedRecording, combine
    from twosided.data.recording import Recording, load
    from twosided.data.streaming import StreamedRecording, stream
    from twosided.engines.flow import generate_market
    from twosided.engines.flow_venues import generate_venues
    from twosided.engines.montecarlo import simulate
    from twosided.engines.montecarlo_quoters import QuoteTable
    from twosided.engines.montecarlo_result import Simulation
    from twosided.engines.montecarlo_settings import SimulationSettings
    from twosided.engines.replay import replay
    from twosided.engines.settings import ReplaySettings
    from twosided.errors import DataError, InputError, StrategyError, TwosidedError
    from twosided.explain.report import write_report
    from twosided.explain.simulation_report import write_simulation_report
    from twosided.explain.split import split
    from twosided.explain.statistics import Basis, statistics
    from twosided.market.event import EVENT, Flag, Kind, Status
    from twosided.market.instrument import Fees, Instrument
    from twosided.market.price_bands import with_price_bands
    from twosided.market.run import Run
    from twosided.market.tick_tables import tick_table
    from twosided.models.quotes import quote_table
    from twosided.research.calibrate import estimate
    from twosided.risk.limits import Limits
    from twosided.strategies.catalogue import find_strategy
    from twosided.strategies.compose import compose, overlay, quoter
    from twosided.strategies.contract import Param, Strategy, Wake, quote_ask, quote_bid, strategy, withdraw
    from twosided.strategies.plan import make_plan

_HOMES = {
    "twosided.data.combine": ("CombinedRecording", "combine"),
    "twosided.data.recording": ("Recording", "load"),
    "twosided.data.streaming": ("StreamedRecording", "stream"),
    "twosided.engines.flow": ("generate_market",),
    "twosided.engines.flow_venues": ("generate_venues",),
    "twosided.engines.montecarlo": ("simulate",),
    "twosided.engines.montecarlo_quoters": ("QuoteTable",),
    "twosided.engines.montecarlo_result": ("Simulation",),
    "twosided.engines.montecarlo_settings": ("SimulationSettings",),
    "twosided.engines.replay": ("replay",),
    "twosided.engines.settings": ("ReplaySettings",),
    "twosided.errors": ("DataError", "InputError", "StrategyError", "TwosidedError"),
    "twosided.explain.report": ("write_report",),
    "twosided.explain.simulation_report": ("write_simulation_report",),
    "twosided.explain.split": ("split",),
    "twosided.explain.statistics": ("Basis", "statistics"),
    "twosided.market.event": ("EVENT", "Flag", "Kind", "Status"),
    "twosided.market.instrument": ("Fees", "Instrument"),
    "twosided.market.price_bands": ("with_price_bands",),
    "twosided.market.run": ("Run",),
    "twosided.market.tick_tables": ("tick_table",),
    "twosided.models.quotes": ("quote_table",),
    "twosided.research.calibrate": ("estimate",),
    "twosided.risk.limits": ("Limits",),
    "twosided.strategies.catalogue": ("find_strategy",),
    "twosided.strategies.compose": ("compose", "overlay", "quoter"),
    "twosided.strategies.contract": ("Param", "Strategy", "Wake", "quote_ask", "quote_bid", "strategy", "withdraw"),
    "twosided.strategies.plan": ("make_plan",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "EVENT",
    "Basis",
    "CombinedRecording",
    "DataError",
    "Fees",
    "Flag",
    "InputError",
    "Instrument",
    "Kind",
    "Limits",
    "Param",
    "QuoteTable",
    "Recording",
    "ReplaySettings",
    "Run",
    "Simulation",
    "SimulationSettings",
    "Status",
    "Strategy",
    "StrategyError",
    "StreamedRecording",
    "TwosidedError",
    "Wake",
    "combine",
    "compose",
    "estimate",
    "find_strategy",
    "generate_market",
    "generate_venues",
    "load",
    "make_plan",
    "overlay",
    "quote_ask",
    "quote_bid",
    "quote_table",
    "quoter",
    "replay",
    "simulate",
    "split",
    "statistics",
    "strategy",
    "stream",
    "tick_table",
    "with_price_bands",
    "withdraw",
    "write_report",
    "write_simulation_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
