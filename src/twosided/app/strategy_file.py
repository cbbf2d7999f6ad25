"""The file that ``twosided calibrate --out`` writes: a configuration of a replay, with the numbers that data gave.

Where you are in the pipe: at its mouth. Its first line says that it is ours to replace.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from twosided.errors import InputError
from twosided.explain.page import write_whole
from twosided.research.calibration import Calibration
from twosided.strategies.contract import Strategy
from twosided.units import time_text

__all__ = ["require_strategy_file", "write_strategy_file"]

_OURS = "# Written by twosided calibrate"


def require_strategy_file(path: str) -> None:
    """Make sure that *path* is a free name, or a file that was written here before.

    Raises:
        InputError: it is something else.
    """
    place = Path(path)
    if place.suffix not in {".yaml", ".yml"}:
        raise InputError(f"--out is {path!r}; allowed: a file that ends in .yaml, which replay takes for a configuration")
    if place.is_dir() or (place.exists() and not place.read_bytes().startswith(_OURS.encode())):
        raise InputError(f"{path} exists and was not written by calibrate; name a new file")


def write_strategy_file(path: str, read: Mapping[str, Any], name: str, strategy: Strategy, found: Calibration) -> None:
    """Write what a replay of the same recording with the calibrated strategy is told.

    Args:
        path: of the file.
        read: the sections that say how the recording is read, and from when on.
        name: by which the strategy is found.
        strategy: with its parameters.
        found: what they rest on; it goes into comments, interval by interval.

    Raises:
        InputError: the place cannot be written.
    """
    first = found.estimate
    comments = [
        f"{_OURS} from {first.seconds:.0f} s of data, {time_text(first.from_ns)} to {time_text(first.until_ns)}.",
        "# Replay other data, or begin after these: a result on the data that a strategy was calibrated on flatters it.",
        *(f"# {row.name}: {row.measured} {row.unit}" for row in found.rows if row.name in {"sigma", "A", "k"}),
    ]
    values = {**_plain(read), "strategies": [{"name": name, "params": _plain(strategy.values)}]}
    body = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    write_whole(path, "\n".join(comments) + "\n" + body)


def _plain(value: Any) -> Any:
    """Return *value* made of what YAML has words for, every digit kept."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, (Decimal, date)):
        return str(value)
    return value.item() if hasattr(value, "item") else value
