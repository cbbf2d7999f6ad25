"""Columns of numbers that belong together, as estimators take them.

Where you are in the pipe: research, on top of all rooms.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError

__all__ = ["columns"]

Floats = npt.NDArray[np.float64]


def columns(**given: Any) -> tuple[Floats, ...]:
    """Return the arrays as floats, in the order in which they are named.

    Raises:
        InputError: one that is no row of finite numbers, or of another length than the first.
    """
    found: list[Floats] = []
    for name, values in given.items():
        try:
            column = np.asarray(values, np.float64)
        except (TypeError, ValueError):
            column = np.zeros((0, 0))
        if column.ndim != 1:
            raise InputError(f"{name} is {type(values).__name__} of shape {np.shape(values)}; allowed: one row of numbers")
        if not np.all(np.isfinite(column)):
            raise InputError(f"{name} holds {column[~np.isfinite(column)][0]}; allowed: finite numbers")
        if found and len(column) != len(found[0]):
            raise InputError(f"{name} has {len(column)} numbers and {next(iter(given))} has {len(found[0])}; allowed: as many")
        found.append(column)
    return tuple(found)
