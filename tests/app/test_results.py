"""Results are exact numbers, and stay so on their way into JSON."""

from decimal import Decimal

import pytest

from twosided.app.console import json_text
from twosided.app.results import results
from twosided.data.recording import load
from twosided.engines.replay import replay
from twosided.explain.statistics import Basis
from twosided.strategies.catalogue import find_strategy


@pytest.fixture
def run(raw):
    recording = load(raw, tick_size="0.1", lot_size="1")
    return replay(recording, find_strategy("fixed").with_params(half_spread=1, unit="ticks", quantity=2))


def test_results_are_exact_decimals(run):
    found = results(run, Basis())
    assert isinstance(found["pnl"], Decimal)
    assert sum(found["split"].values()) == found["pnl"]
    assert found["fills"] == run.fills.height


def test_json_keeps_every_digit_of_a_decimal():
    assert json_text({"pnl": Decimal("123456789012345.12345678"), "zero": Decimal("0E-8")}) == (
        '{\n "pnl": 123456789012345.12345678,\n "zero": 0.00000000\n}'
    )
