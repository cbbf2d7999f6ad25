"""What a function means: a digest of all that decides what its compiled form does.

Where you are in the pipe: under all of it. `_kernel` names machine code after it, which therefore cannot go stale.

It covers bytecode and constants, the values of globals, all of the same for every helper that is reached, and the versions of
numba, numpy and Python.
"""

import enum
import hashlib
import os
import platform
import sys
import types as python_types
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import config, types

__all__ = ["meaning"]

_VERSIONS = repr((numba.__version__, np.__version__, sys.version_info[:3], platform.machine(), bool(config.BOUNDSCHECK))).encode()
_TRANSLATION = Path(__file__).with_name("_kernel.py").read_bytes()  # how a function becomes machine code


def meaning(function: Any) -> bytes:
    """Return a digest of all that decides what compiled *function* does.

    Raises:
        TypeError: a kernel reaches helpers through a module of this package (``module.helper``); their names would not be
            followed, so they must be imported by name.
    """
    digest = hashlib.sha256(_VERSIONS + _TRANSLATION)
    _digest_function(getattr(function, "py_func", function), digest, set())
    return digest.digest()


def _digest_function(function: Any, digest: Any, seen: set[Any]) -> None:
    if function in seen:
        digest.update(b"seen " + function.__qualname__.encode())
        return
    seen.add(function)
    code = function.__code__
    _digest_code(code, digest)
    if not function.__module__.startswith("twosided."):  # machine code remembers lines: an error must name today's
        digest.update(repr((code.co_filename, code.co_firstlineno)).encode() + code.co_linetable)
    _digest_value((function.__defaults__, sorted((function.__kwdefaults__ or {}).items())), digest, seen)
    for cell in function.__closure__ or ():
        _digest_value(cell.cell_contents, digest, seen)
    names = _names(code)
    for name in names:
        if name in function.__globals__:
            digest.update(name.encode())
            value = function.__globals__[name]
            if isinstance(value, python_types.ModuleType):
                _digest_module(value, names, digest, seen)
            else:
                _digest_value(value, digest, seen)


def _names(code: python_types.CodeType) -> list[str]:
    inner = [name for const in code.co_consts if isinstance(const, python_types.CodeType) for name in _names(const)]
    return [*code.co_names, *inner]


def _digest_code(code: python_types.CodeType, digest: Any) -> None:
    digest.update(code.co_code + repr((code.co_names, code.co_varnames, code.co_freevars)).encode())
    for const in code.co_consts:
        if isinstance(const, python_types.CodeType):
            _digest_code(const, digest)
        else:
            digest.update(repr(const).encode())


_STDLIB = str(Path(os.__file__).parent)


def _is_versioned(module: python_types.ModuleType) -> bool:
    """Say whether a module's content changes only with a version that is part of every name in the cache."""
    if module.__name__.split(".")[0] in {"numba", "numpy"} or module.__name__ in sys.builtin_module_names:
        return True
    file = getattr(module, "__file__", None) or ""
    return file.startswith(_STDLIB) and "-packages" not in file


def _digest_module(module: python_types.ModuleType, names: list[str], digest: Any, seen: set[Any]) -> None:
    """Take in what a function of *names* can reach through *module*: ``helpers.fair_price`` changes when that file is edited."""
    digest.update(module.__name__.encode())
    if module.__name__.split(".")[0] == "twosided":
        raise TypeError(f"compiled code reaches the module {module.__name__}; import the names it needs from it instead")
    if _is_versioned(module) or (module, *names) in seen:
        return
    seen.add((module, *names))
    for name in names:
        value = vars(module).get(name)
        if isinstance(value, python_types.ModuleType):
            _digest_module(value, names, digest, seen)
        elif value is not None:
            digest.update(name.encode())
            _digest_value(value, digest, seen)


def _digest_value(value: Any, digest: Any, seen: set[Any]) -> None:
    if hasattr(value, "py_func"):
        digest.update(repr(sorted(value.targetoptions.items())).encode())  # such as whether it is copied into its callers
        value = value.py_func
    if isinstance(value, python_types.FunctionType):
        _digest_function(value, digest, seen)
    elif isinstance(value, python_types.ModuleType):
        _digest_module(value, [], digest, seen)
    elif isinstance(value, tuple | list):  # repr would abbreviate the arrays in it, and give functions an address
        digest.update(f"{type(value).__qualname__} of {len(value)}".encode())
        for each in value:
            _digest_value(each, digest, seen)
    elif isinstance(value, types.Type):
        digest.update(repr(value).encode())
    elif isinstance(value, enum.EnumType):
        digest.update(repr(list(value.__members__.items())).encode())
    elif isinstance(value, np.ndarray):
        digest.update(repr((value.dtype, value.shape)).encode() + value.tobytes())
    elif hasattr(value, "_defn"):  # one of numba's intrinsics
        _digest_function(value._defn, digest, seen)  # noqa: SLF001
    elif isinstance(value, type) or callable(value):
        digest.update(f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}".encode())
    else:
        digest.update(repr(value).encode())
