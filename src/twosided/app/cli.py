"""The command ``twosided``: finds the part that is asked for, and turns every error into one sentence and an exit code.

Where you are in the pipe: at its mouth; every command is a thin layer over a function of another room.

A command's module is loaded when that command is called, so that ``twosided --help`` needs neither numba nor polars.

Exit codes: 0 done; 2 something was asked for that cannot be done, and nothing was written; 130 stopped by Ctrl-C.
"""

import importlib
import sys
import time
from collections.abc import Sequence

import click
from click.exceptions import NoArgsIsHelpError

from twosided.errors import TwosidedError, suggest

__all__ = ["cli", "main"]

FAILED = 2
INTERRUPTED = 130

COMMANDS = {
    "data": ("data_commands", "data", "say what is in recordings, and convert them"),
    "replay": ("replay_command", "replay", "replay a recording through one or more strategies"),
    "simulate": ("simulate_command", "simulate", "let quoters live through thousands of simulated futures"),
    "report": ("report_command", "report", "make the report again from saved runs, or compare them"),
    "calibrate": ("calibrate_commands", "calibrate", "find what a replay should assume from data"),
    "pairs": ("pairs_commands", "pairs", "say whether markets go together, and how many of one hedge the other"),
    "signals": ("signals_command", "signals", "say how well each signal foretells the next moves of a recorded mid"),
    "models": ("model_commands", "models", "print the quotes and schedules that a model calls optimal"),
    "strategies": ("strategy_commands", "strategies", "list the shipped strategies and their parameters"),
    "scenario": ("scenario_commands", "scenario", "put strategies through rough markets, and check what they did"),
    "demo": ("demo", "demo", "generate a session, trade it with two strategies, explain the difference"),
}
"""Name of a command: its module in this room, its name there, and one line about it."""


class LazyGroup(click.Group):
    """A group of `COMMANDS` that imports only the one that is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        """Import and return a command.

        Raises:
            click.UsageError: there is none of that name; the nearest is suggested.
        """
        if name not in COMMANDS:
            ctx.fail(f"there is no command {name!r}{suggest(name, COMMANDS)}")
        module, attribute, _ = COMMANDS[name]
        command: click.Command = getattr(importlib.import_module(f"twosided.app.{module}"), attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="twosided", message="%(prog)s %(version)s")
def cli() -> None:
    """A market maker's workbench: replay recorded order books through a quoting strategy, and explain the P&L."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (that of the process, if none is given) and return its exit code."""
    try:
        code = cli.main(args=arguments, prog_name="twosided", standalone_mode=False, obj=time.perf_counter())
    except NoArgsIsHelpError as shown:
        click.echo(shown.format_message(), err=True)
        return FAILED
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        return _complain(error.format_message().rstrip("."), f"; see {context.command_path} --help" if context else "")
    except TwosidedError as error:
        return _complain(str(error))
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        sys.stderr.close()
        return 0
    except OSError as error:
        return _complain(f"{error.filename or 'a file'}: {error.strerror or error}")
    except (click.Abort, KeyboardInterrupt):
        return _complain("stopped", code=INTERRUPTED)
    return code if isinstance(code, int) else 0


def _complain(problem: str, hint: str = "", code: int = FAILED) -> int:
    """Say in one line what is wrong."""
    click.echo(f"twosided: {' '.join(problem.split())}{hint}", err=True)
    return code
