"""Signals of a recording as a table: what a strategy is shown at those times in a replay."""

import pytest

from twosided.engines.flow import generate_market
from twosided.engines.replay import replay
from twosided.errors import InputError
from twosided.signals.by_name import SIGNALS
from twosided.signals.paths import signal_paths
from twosided.strategies.contract import strategy

EVERY_NS = 100_000_000


@pytest.mark.parametrize("by_order", [False, True])
def test_a_row_is_what_a_strategy_is_shown(by_order):
    shown, tops = {}, {}

    @strategy(signals=SIGNALS, every_ns=EVERY_NS, compiled=False)
    def listener(ctx):
        market = ctx.market[0]
        shown[ctx.now_ns] = [float(ctx.signals[name][0]) for name in SIGNALS]
        tops[ctx.now_ns] = [int(market.bid_ticks), int(market.ask_ticks), int(market.bid_lots), int(market.ask_lots)]

    events, instrument = generate_market(seed=4, seconds=150.0, by_order=by_order)
    replay(events, listener, instruments=instrument)
    paths = signal_paths(events, EVERY_NS)
    rows = [row for row, ns in enumerate(paths.ns) if int(ns) in shown]
    assert len(rows) > 1400
    for row in rows:
        assert paths.values[row].tolist() == shown[int(paths.ns[row])]
        assert paths.tops[row].tolist() == tops[int(paths.ns[row])]


def test_nothing_is_refused():
    with pytest.raises(InputError, match="every_ns is 0"):
        signal_paths(generate_market(seed=4, seconds=1.0)[0], 0)
