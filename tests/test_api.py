"""`import twosided` is small, quick and exact: every public name is listed once, resolves, and is documented."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import twosided

SOURCE = Path(twosided.__file__)

PUBLIC = {
    *("load", "Recording", "stream", "StreamedRecording", "combine", "CombinedRecording"),  # data
    *("generate_market", "generate_venues"),  # generated data
    *("EVENT", "Kind", "Flag", "Status", "Instrument", "Fees", "tick_table", "with_price_bands"),  # a market
    *("strategy", "Strategy", "Param", "Wake", "quote_bid", "quote_ask", "withdraw", "find_strategy", "quote_table"),  # quoting
    *("quoter", "overlay", "make_plan", "compose"),  # composing
    *("replay", "ReplaySettings", "Limits", "estimate", "Run"),  # running
    *("simulate", "SimulationSettings", "QuoteTable", "Simulation"),  # simulating
    *("split", "statistics", "Basis", "write_report", "write_simulation_report"),  # explaining
    *("TwosidedError", "InputError", "DataError", "StrategyError"),  # errors
}


def test_the_public_names_are_exactly_these():
    assert set(twosided.__all__) == PUBLIC
    assert len(twosided.__all__) == len(PUBLIC)


def test_type_checkers_see_the_same_names_from_the_same_modules():
    tree = ast.parse(SOURCE.read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {name.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert seen == twosided._HOME
    assert set(seen) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_name_resolves_and_has_a_docstring(name):
    value = getattr(twosided, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__doc__


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'backtest'"):
        twosided.backtest  # noqa: B018


def test_dir_lists_the_public_names():
    assert set(dir(twosided)) >= PUBLIC


def test_importing_the_package_loads_none_of_the_heavy_libraries():
    heavy = ["numba", "numpy", "polars", "scipy", "plotly", "pydantic", "click", "rich"]
    code = f"import sys, twosided; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_help_loads_neither_numba_nor_polars():
    heavy = ["numba", "polars", "plotly"]
    code = f"import sys; from twosided.app.cli import main; main(['--help']); print([n for n in {heavy} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("[]")
