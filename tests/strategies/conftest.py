"""A strategy asked once, without an engine: what it sees is given, what it wants to quote is returned."""

from dataclasses import dataclass
from types import FunctionType

import numpy as np
import pytest

from twosided._compile import INTERPRETED
from twosided.market.instrument import Instrument
from twosided.strategies.plan import Cause

START_NS = 1_700_000_000_000_000_000


@dataclass(frozen=True)
class Quotes:
    """Prices in ticks and sizes in lots, nearest level first; sides that are not quoted are left out."""

    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]

    @property
    def bid(self):
        return self.bids[0][0] if self.bids else None

    @property
    def ask(self):
        return self.asks[0][0] if self.asks else None


def _ready(strategy, params, tick_size, lot_size):
    row = np.zeros(1, strategy.row_dtype(1))[0]
    instrument = Instrument(symbol="X", tick_size=tick_size, lot_size=lot_size)
    strategy.with_params(params).fill_params(row, (instrument,))
    row.market[0].tick_size, row.market[0].lot_size = float(tick_size), float(lot_size)
    return row


def _see(row, bid, ask, position, elapsed_s):
    row.start_ns, row.now_ns = START_NS, START_NS + round(elapsed_s * 1e9)
    view = row.market[0]
    view.bid_ticks, view.ask_ticks, view.position_lots, view.open = bid, ask, position, 1
    view.bid_lots = view.ask_lots = 5
    return row


def _decide(strategy, params=None, *, bid=99_990, ask=100_010, position=0, elapsed_s=0.0, tick="0.01", lot="1"):
    """Return the `Quotes` of *strategy* that sees a touch in ticks and a position in lots."""
    row = _see(_ready(strategy, params or {}, tick, lot), bid, ask, position, elapsed_s)
    strategy(row)
    bids, asks = ([(int(q["ticks"]), int(q["lots"])) for q in side if q["lots"]] for side in row.quotes[0])
    return Quotes(bids, asks)


class Watched:
    """A strategy asked again and again: what it sees is given, what it plans and quotes is returned."""

    def __init__(self, strategy, params=None, tick="0.01", lot="1"):
        self.strategy, self.row = strategy, _ready(strategy, params or {}, tick, lot)

    def __call__(self, *, bid=99_990, ask=100_010, position=0, elapsed_s=0.0, bid_lots=5, ask_lots=5, start_ns=START_NS, **signals):
        """Return the `Quotes` at a touch, a position in lots and a time since the start; a signal that is not given is 0."""
        row = _see(self.row, bid, ask, position, elapsed_s)
        row.now_ns, row.start_ns = row.now_ns - START_NS + start_ns, start_ns
        row.market[0].bid_lots, row.market[0].ask_lots = bid_lots, ask_lots
        for name in self.strategy.signals:
            row.signals[name] = signals.get(name, 0.0)
        self.strategy(row)
        bids, asks = ([(int(q["ticks"]), int(q["lots"])) for q in side if q["lots"]] for side in row.quotes[0])
        return Quotes(bids, asks)

    @property
    def plan(self):
        return self.row.memory.plan

    @property
    def causes(self):
        return [cause.name for cause in Cause if int(self.plan.causes) & cause]


def interpreted(function):
    """Return *function*, and all that it calls, as plain Python."""
    function = getattr(function, "py_func", function)
    names = {}
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if hasattr(value, "py_func") or name.startswith("stage_"):
            names[name] = interpreted(value)
    return FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__, function.__defaults__)


def _both_ways(strategy, params, views):
    """Return what a strategy wrote for each view, compiled and as plain Python; a view is (bid, ask, position, elapsed_s)."""
    strategy.address(1)
    ways = [strategy.function] if INTERPRETED else [strategy._addresses[1, strategy.levels][0]]
    ways.append(interpreted(strategy.function))
    written = []
    for function in ways:
        row = _ready(strategy, params, "0.01", "0.1")
        written.append([])
        for view in views:
            function(_see(row, *view))
            written[-1].append((row.quotes.tobytes(), row.memory.tobytes()))
    return written


@pytest.fixture(scope="session")
def decide():
    return _decide


@pytest.fixture(scope="session")
def watched():
    """Return a function of (strategy, params) to a strategy that is asked again and again."""
    return Watched


@pytest.fixture(scope="session")
def both_ways():
    return _both_ways
