"""A replay of a small recording does, to the last order, what it did when the golden file was written."""

from decimal import Decimal

import pytest

from twosided.app.console import json_text
from twosided.app.results import results
from twosided.data.recording import load
from twosided.engines.replay import replay
from twosided.market.order import FillCause, OrderAction, Reason
from twosided.strategies.catalogue import find_strategy


@pytest.fixture
def run(raw):
    recording = load(raw, tick_size="0.1", lot_size="1")
    return replay(recording, find_strategy("fixed").with_params(half_spread=1, unit="ticks", quantity=2))


@pytest.mark.golden
def test_a_replay_is_the_golden_one(run, golden):
    rows = [
        f"{row['ns']} {OrderAction(row['action']).name} {Reason(row['reason']).name} {row['side']:+d} {row['lots']} @ {row['ticks']}"
        for row in run.orders.iter_rows(named=True)
    ]
    rows += [
        f"{row['exch_ns']} {FillCause(row['cause']).name} {row['side']:+d} {row['lots']} @ {row['ticks']} -> {row['position_lots']}"
        for row in run.fills.iter_rows(named=True)
    ]
    assert len(run.fills) > 10
    golden("replay_fixed", run.digest(), rows)


def test_results_are_exact_decimals(run):
    found = results(run)
    assert isinstance(found["pnl"], Decimal)
    assert sum(found["split"].values()) == found["pnl"]
    assert found["fills"] == run.fills.height


def test_json_keeps_every_digit_of_a_decimal():
    assert json_text({"pnl": Decimal("123456789012345.12345678"), "zero": Decimal("0E-8")}) == (
        '{\n "pnl": 123456789012345.12345678,\n "zero": 0.00000000\n}'
    )
