"""Errors that a user can act on.

Every message names the parameter or file, the value it got, what is allowed, and where possible the next step.
The command line turns each of them into one sentence on standard error and exit code 2, without a traceback.
"""

import difflib
from collections.abc import Iterable

__all__ = ["DataError", "InputError", "StrategyError", "TwosidedError", "suggest", "unreadable"]


class TwosidedError(Exception):
    """The root of all errors that this package raises on purpose."""


class InputError(TwosidedError, ValueError):
    """A parameter, option or configuration that cannot be used as it stands."""


class DataError(InputError):
    """A file that cannot be read as what it claims to be.

    Args:
        source: the file's name.
        where: the place in it, for example ``"line 17"`` or ``"byte 40960"``; empty when the whole file is meant.
        problem: what was found, and what was expected.
    """

    def __init__(self, source: object, where: str, problem: str) -> None:
        self.source, self.where, self.problem = str(source), where, problem
        super().__init__(f"{self.source}{', ' + where if where else ''}: {problem}")


class StrategyError(TwosidedError):
    """A strategy raised; the message carries its name, the market time and the user's own file and line."""


def unreadable(path: object, error: OSError | None = None) -> DataError:
    """Return what is said of a file that cannot be opened, everywhere in the same words; without *error* it is not there."""
    if error is None or isinstance(error, FileNotFoundError):
        return DataError(path, "", "no such file")
    return DataError(path, "", f"cannot be read: {error.strerror or error}")


def suggest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known name, and the whole list where none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(names)}"
