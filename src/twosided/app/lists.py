"""Options that take several numbers: ``--sigma 0.3,0.4``.

Where you are in the pipe: at its mouth.
"""

from typing import Any

import click

__all__ = ["numbers", "repeated", "whole_numbers"]


def numbers(text: str) -> tuple[float, ...]:
    """Return numbers with commas between them, as click's type of an option."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r}; allowed: numbers with commas between them, like 0.3,0.4") from None


def whole_numbers(text: str) -> tuple[int, ...]:
    """Return whole numbers with commas between them, as click's type of an option."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r}; allowed: whole numbers with commas between them, like 3,4") from None


def repeated(given: tuple[Any, ...], length: int) -> tuple[Any, ...]:
    """Return one number as many times as there are buckets or assets, and several as they are."""
    return given * length if len(given) == 1 else given
