"""What is wrong with a strategy, in one sentence with the user's own line.

Compiled code says little: a field that does not exist is a bare KeyError of the compiler, a division by zero has no line. Plain
Python says all of it, so the function is run once more as plain Python on a copy of the record, and what that raises is told.
"""

import re
import traceback
from types import CodeType
from typing import Any

import numpy as np

from twosided.errors import StrategyError, suggest
from twosided.strategies.chain import stages_of

__all__ = ["compile_failure", "failure"]

_SAMPLE = {"bid_ticks": 100, "ask_ticks": 102, "bid_lots": 10, "ask_lots": 10, "open": 1, "tick_size": 0.01, "lot_size": 1.0}
_NO_ATTRIBUTE = re.compile(r"has no attribute '(\w+)'|^attribute '(\w+)' of 'numpy.generic' objects is not writable")
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
    return StrategyError(f"strategy {name} raised {type(error).__name__}: {_words(error, row)}{when} ({_where(function, frame)})")


def compile_failure(name: str, function: Any, error: Exception, row_dtype: np.dtype[Any]) -> StrategyError:
    """Return the error for *function*, whose compilation for a record of *row_dtype* ended in *error*."""
    row = np.ones(1, row_dtype)[0]
    for field, value in _SAMPLE.items():
        row["market"][field] = value
    plain = _again(function, row)
    if isinstance(plain, (AttributeError, NameError, TypeError, KeyError, IndexError)):
        return StrategyError(f"strategy {name}: {_words(plain, row)} ({_where(function, _last_frame(function, plain))})")
    code = next((code for code in _own_code(function) if code.co_filename in str(error)), _own_code(function)[0])
    file = code.co_filename
    said = [line for line in str(error).splitlines() if not _PIPELINE.match(line)]
    found = _LINE.search(str(error)[str(error).find(file) + 1 :]) if file in str(error) else None
    where = f"{file}:{found[1] if found else code.co_firstlineno}"
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


def _own_code(function: Any) -> list[CodeType]:
    """Return the code that people wrote: the function's, or that of the stages it was put together of, without the last."""
    stages = stages_of(function)
    return [stage.__code__ for stage in stages[:-1] or stages]


def _where(function: Any, frame: traceback.FrameSummary | None) -> str:
    """Return file and line of *frame*, or else of the function."""
    if frame is not None:
        return f"{frame.filename}:{frame.lineno}"
    code = _own_code(function)[0]
    return f"{code.co_filename}:{code.co_firstlineno}"


def _last_frame(function: Any, error: Exception | None) -> traceback.FrameSummary | None:
    """Return the innermost frame in the strategy's own files beyond the first line of a function, None where there is none."""
    own = _own_code(function)
    files, firsts = {code.co_filename for code in own}, {(code.co_filename, code.co_firstlineno) for code in own}
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__ if error is not None else None)
        if frame.filename in files and (frame.filename, frame.lineno) not in firsts
    ]
    return frames[-1] if frames else None


def _words(error: Exception, row: Any) -> str:
    """Return what an error says; for a field that does not exist, the nearest that does."""
    missing = _NO_ATTRIBUTE.search(str(error))
    if missing is None:
        return str(error)
    name = missing[1] or missing[2]
    known = _fields_beside(name, error, row.dtype)
    if missing[2]:  # an attribute that every record has, not a slip of the pen: no near name would be meant
        return f"there is no field {name!r}; known: {', '.join(known)}"
    return f"there is no field {name!r}{suggest(name, known)}"


def _fields_beside(name: str, error: Exception, dtype: np.dtype[Any]) -> list[str]:
    """Return the fields of the record that was asked for *name*, or all where it cannot be told which one that was."""
    asked = getattr(getattr(error, "obj", None), "dtype", None)  # known when a field is read
    if asked is None or not asked.names:
        lines = [frame.line or "" for frame in traceback.extract_tb(error.__traceback__)]
        owners = re.findall(rf"(\w+)(?:\[[^]]*\])?\.{name}\b", " ".join(lines))
        asked = next((found for owner in owners if (found := _inner(dtype, owner)) is not None), None)
    known = [each for each in (asked.names or () if asked is not None else ()) if each != "none"]
    return known or _fields(dtype)


def _inner(dtype: np.dtype[Any], name: str) -> np.dtype[Any] | None:
    """Return the record that is the field *name*, however deep; None where there is none."""
    for field in dtype.names or ():
        base = dtype[field].base
        found = base if field == name and base.names else _inner(base, name)
        if found is not None:
            return found
    return None


def _fields(dtype: np.dtype[Any]) -> list[str]:
    """Return the names of all fields, and of the fields in them."""
    names: list[str] = []
    for name in dtype.names or ():
        names += [name, *_fields(dtype[name].base)]
    return [name for name in names if name != "none"]
