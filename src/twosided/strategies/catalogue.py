"""Strategies by name: those that are shipped, and the user's own out of a Python file.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

import importlib.util
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from twosided.errors import InputError, suggest
from twosided.strategies.avellaneda_stoikov import avellaneda_stoikov
from twosided.strategies.cartea_jaimungal import cartea_jaimungal
from twosided.strategies.contract import Strategy
from twosided.strategies.fixed import fixed
from twosided.strategies.glft import glft
from twosided.strategies.grid import grid
from twosided.strategies.skewed_price import skewed_price
from twosided.strategies.skewed_size import skewed_size

__all__ = ["STRATEGIES", "find_strategy"]

STRATEGIES: Mapping[str, Strategy] = {
    each.name: each for each in (fixed, skewed_price, skewed_size, grid, avellaneda_stoikov, glft, cartea_jaimungal)
}
"""The shipped strategies."""


def find_strategy(name: str) -> Strategy:
    """Return a shipped strategy by its name, or one of the user's own by ``path/to/file.py:name``.

    A user's file runs as a script would: modules beside it can be imported.

    Raises:
        InputError: an unknown name (the nearest known is suggested), or a file that is missing, that fails when it is run, or
            that does not hold the strategy.
    """
    path, colon, inside = name.rpartition(":")
    if not colon and name.endswith(".py"):
        path, inside = name, ""
    if not path.endswith(".py"):
        if name not in STRATEGIES:
            raise InputError(f"strategy {name!r} is unknown{suggest(name, STRATEGIES)}")
        return STRATEGIES[name]
    held = {key: value for key, value in vars(_run_file(Path(path))).items() if isinstance(value, Strategy)}
    if inside in held:
        return held[inside]
    if not held:
        raise InputError(f"{path} holds no strategy; one is a function under @strategy, see twosided.strategies.contract")
    if not inside:
        raise InputError(f"strategy {name!r} does not say which one; allowed: {', '.join(f'{path}:{each}' for each in held)}")
    raise InputError(f"{path} holds no strategy {inside!r}{suggest(inside, held)}")


def _run_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"strategy file {path} does not exist")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError(f"strategy file {path} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        spec.loader.exec_module(module)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:
        said = error.msg if isinstance(error, SyntaxError) else error  # the full text of a syntax error names file and line again
        raise InputError(f"strategy file {path}{_line(error, path)}: {type(error).__name__}: {said}") from error
    return module


def _line(error: Exception, path: Path) -> str:
    """Return ``", line N"``, the last line of *path* that took part in *error*."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}" if error.lineno else ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""
