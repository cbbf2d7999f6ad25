"""``--set NAME=VALUE``: parameters of strategies out of the command line.

Where you are in the pipe: at its mouth.
"""

import math
from collections.abc import Sequence

from twosided.errors import InputError
from twosided.strategies.contract import Strategy

__all__ = ["assigned", "replaced"]


def assigned(strategies: Sequence[Strategy], assignments: Sequence[str]) -> list[Strategy]:
    """Return *strategies* with what was assigned; an assignment goes to every strategy that declares it.

    Raises:
        InputError: not an assignment, a parameter that none of them has, or a value that is not allowed.
    """
    found = list(strategies)
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set is {text!r}; allowed: NAME=VALUE, for example gamma=0.1")
        if not any(name in strategy.params for strategy in found):
            found[0].with_params({name: value})  # says what is known instead
        found = [each.with_params({name: _number(value)}) if name in each.params else each for each in found]
    return found


def replaced(strategies: Sequence[Strategy], ready: Sequence[Strategy]) -> list[str]:
    """Return a sentence for each of *strategies* whose own settings, a preset's, an assignment has changed in *ready*."""
    said = []
    for before, after in zip(strategies, ready, strict=True):
        changed = {name: value for name, value in before.values.items() if after.values[name] != value}
        if changed:
            were = ", ".join(f"{name}={value}" for name, value in changed.items())
            now = ", ".join(f"{name}={after.values[name]}" for name in changed)
            said.append(f"--set changes {before.name} from {were} to {now}")
    return said


def _number(text: str) -> float | int | str:
    """Return *text* as a number where it is one."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(text) if math.isfinite(number) and text.lstrip("+-").isdigit() else number
