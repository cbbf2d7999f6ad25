"""What is wrong with a strategy, in one sentence with the user's own line.

Compiled code says little: a field that does not exist is a bare KeyError of the compiler, a division by zero has no line. Plain
Python says all of it, so the function is run once more as plain Python on a copy of the record, and what that raises is told.
"""

import re
import traceback
from typing import Any

import numpy as np

from twosided.errors import StrategyError, suggest

__all__ = ["compile_failure", "failure"]

_SAMPLE = {"bid_ticks": 100, "ask_ticks": 102, "bid_lots": 10, "ask_lots": 10, "open": 1, "tick_size": 0.01, "lot_size": 1.0}
_NO_ATTRIBUTE = re.compile(r"has no attribute '(\w+)'")
_PIPELINE = re.compile(r"^(Failed in nopython mode pipeline|During: |\s*$)")
_LINE = re.compile(r"(?:line |\()(\d+)")
_RAISED_FROM = re.compile(r"\.*\s*Raised from .*")
_MOST_SHOWN = 160


def failure(name: str, function: Any, error: Exception, row: Any, when: str = "") -> StrategyError:
    """Return the error for *function*, which raised *error* when it was handed *row*."""
    frame = _last_frame(function, error)
    if frame is None:
        plain = _again(function, row.copy())
        frame = _last_frame(function, plain) if isinstance(plain, (type(error), FloatingPointError)) else None
        error = plain if type(plain) is type(error) else error
    line = frame.lineno if frame is not None else function.__code__.co_firstlineno
    where = f"{function.__code__.co_filename}:{line}"
    return StrategyError(f"strategy {name} raised {type(error).__name__}: {_words(error, row)}{when} ({where})")


def compile_failure(name: str, function: Any, error: Exception, row_dtype: np.dtype[Any]) -> StrategyError:
    """Return the error for *function*, whose compilation for a record of *row_dtype* ended in *error*."""
    row = np.ones(1, row_dtype)[0]
    for field, value in _SAMPLE.items():
        row["market"][field] = value
    plain = _again(function, row)
    file = function.__code__.co_filename
    if isinstance(plain, (AttributeError, NameError, TypeError, KeyError, IndexError)):
        frame = _last_frame(function, plain)
        where = f"{file}:{frame.lineno if frame is not None else function.__code__.co_firstlineno}"
        return StrategyError(f"strategy {name}: {_words(plain, row)} ({where})")
    said = [line for line in str(error).splitlines() if not _PIPELINE.match(line)]
    found = _LINE.search(str(error)[str(error).find(file) + 1 :]) if file in str(error) else None
    where = f"{file}:{found[1] if found else function.__code__.co_firstlineno}"
    reason = _RAISED_FROM.sub("", said[0] if said else type(error).__name__)[:_MOST_SHOWN]
    return StrategyError(
        f"strategy {name} is Python that cannot be compiled: {reason} ({where}); write it with numbers and arrays, "
        "or declare it with compiled=False, which does the same more slowly"
    )


def _again(function: Any, row: Any) -> Exception | None:
    """Return what *function* raises as plain Python."""
    try:
        with np.errstate(divide="raise", invalid="raise"):  # where compiled code divides by zero, numpy would go on with infinity
            function(row)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the user wants to know
        return error
    return None


def _last_frame(function: Any, error: Exception | None) -> traceback.FrameSummary | None:
    """Return the innermost frame in the strategy's own file beyond its first line, None where there is none."""
    first = function.__code__.co_firstlineno
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__ if error is not None else None)
        if frame.filename == function.__code__.co_filename and frame.lineno != first
    ]
    return frames[-1] if frames else None


def _words(error: Exception, row: Any) -> str:
    """Return what an error says; for a field that does not exist, the nearest that does."""
    missing = _NO_ATTRIBUTE.search(str(error))
    if missing is None:
        return str(error)
    return f"there is no field {missing[1]!r}{suggest(missing[1], _fields(row.dtype))}"


def _fields(dtype: np.dtype[Any]) -> list[str]:
    """Return the names of all fields, and of the fields in them."""
    names: list[str] = []
    for name in dtype.names or ():
        names += [name, *_fields(dtype[name].base)]
    return [name for name in names if name != "none"]
