"""The house keeps its shape: rooms as in the design, tests that mirror them, docstrings that say where one is."""

import ast
from pathlib import Path

import numpy as np
import pytest

import twosided
from twosided.market.event import EVENT

PACKAGE = Path(twosided.__file__).parent
TESTS = Path(__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = {"market", "data", "signals", "models", "strategies", "risk", "execution", "engines", "explain", "research", "app"}


def test_the_rooms_are_those_of_the_design():
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == ROOMS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_is_and_imports_at_its_top_only(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "no module docstring"
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    hidden = [node.lineno for function in functions for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert hidden == [], "imports inside functions"


def test_no_module_lies_deeper_than_three_folders():
    assert max(len(path.relative_to(PACKAGE).parts) for path in MODULES) <= 3


def test_tests_mirror_the_rooms():
    tested = {path.parent.relative_to(TESTS).parts[0] for path in TESTS.glob("*/test_*.py")}
    furnished = {room for room in ROOMS if len(list((PACKAGE / room).rglob("*.py"))) > 1}
    assert tested == furnished


def test_an_event_is_forty_bytes_laid_out_as_files_and_compiled_code_expect():
    layout = [(name, EVENT[name].str, EVENT.fields[name][1]) for name in EVENT.names]
    assert layout == [
        ("exch_ns", "<i8", 0),
        ("local_ns", "<i8", 8),
        ("id", "<u8", 16),
        ("lots", "<i8", 24),
        ("ticks", "<i4", 32),
        ("kind", "|u1", 36),
        ("flags", "|u1", 37),
        ("side", "|i1", 38),
        ("market", "|u1", 39),
    ]
    assert EVENT.itemsize == 40
    assert EVENT.type is np.record
