"""What commands share in talking to people and to other programs: progress, tables, exact JSON, Ctrl-C.

Results go to standard output; everything that is said on the way goes to standard error, so that ``--json`` can be piped.
"""

import json
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

__all__ = ["ReadingProgress", "ReplayProgress", "json_text", "print_json", "print_table", "say"]

_EXACT = "\x00{}\x00"
_QUOTED_EXACT = re.compile(r'"\\u0000([^"\\]*)\\u0000"')


def say(message: str, *, quiet: bool = False) -> None:
    """Tell a person something on standard error, unless *quiet*."""
    if not quiet:
        click.echo(message, err=True)


def json_text(value: Any) -> str:
    """Return *value* as JSON in which every `Decimal` is a number with exactly its own digits."""
    text = json.dumps(value, indent=1, default=_encoded, ensure_ascii=False, allow_nan=False)
    return _QUOTED_EXACT.sub(r"\1", text)


def _encoded(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _EXACT.format(f"{value:f}")
    if hasattr(value, "item"):  # a number of numpy's
        return value.item()
    return str(value)


def print_json(value: Any) -> None:
    """Write one JSON value to standard output."""
    click.echo(json_text(value))


def print_table(table: Any) -> None:
    """Write a rich table to standard output; where that is not a terminal, wide enough for every column."""
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 120).print(table)


class _Rate(ProgressColumn):
    """Events per second since the start."""

    def render(self, task: Task) -> Text:
        rate = task.completed / task.elapsed if task.elapsed and task.completed else 0.0
        return Text(f"{rate / 1e6:.2f} M events/s" if rate else "", style="cyan")


class ReadingProgress:
    """A bar for what reports how much of it is done, from 0 to 1; on terminals only."""

    def __init__(self, description: str = "read", *, quiet: bool = False) -> None:
        """Make a bar that is shown only on a terminal, and not if *quiet*."""
        self._bar = _bar((TextColumn("{task.description}"), BarColumn(), _PERCENT, TimeRemainingColumn()), quiet=quiet)
        self._task = self._bar.add_task(description, total=1.0)

    @contextmanager
    def shown(self) -> Iterator["ReadingProgress"]:
        """Show the bar for the length of a with block."""
        with self._bar:
            yield self

    def __call__(self, done: float) -> None:
        """Take the reader's word on how far it is."""
        self._bar.update(self._task, completed=done)


_PERCENT = TextColumn("{task.percentage:>3.0f} %")


def _bar(columns: tuple[ProgressColumn, ...], *, quiet: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)


class ReplayProgress:
    """A bar with events per second and the time left, on terminals only, that also notices Ctrl-C.

    The first Ctrl-C is remembered until the engine reports progress, and raised there: the engine then stops between two events and
    returns what it has. A second one stops at once.
    """

    def __init__(self, *, quiet: bool) -> None:
        """Make a bar that is shown only on a terminal, and not if *quiet*."""
        self.interrupted = False
        self._bar = _bar((TextColumn("{task.description}"), BarColumn(), _PERCENT, _Rate(), TimeRemainingColumn()), quiet=quiet)
        self._task = self._bar.add_task("replay", total=None)

    @contextmanager
    def shown(self) -> Iterator["ReplayProgress"]:
        """Show the bar, and take over Ctrl-C, for the length of a with block."""
        before = signal.signal(signal.SIGINT, self._notice)
        try:
            with self._bar:
                yield self
        finally:
            signal.signal(signal.SIGINT, before)

    def _notice(self, _number: int, _frame: Any) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def __call__(self, done: int, total: int) -> None:
        """Take the engine's word on how far it is.

        Raises:
            KeyboardInterrupt: Ctrl-C has been pressed.
        """
        self._bar.update(self._task, completed=done, total=total)
        if self.interrupted:
            raise KeyboardInterrupt
