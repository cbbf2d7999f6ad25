"""The command line finds its commands, and every mistake in calling it is one sentence."""

import subprocess
import sys

import pytest

from twosided.app.cli import COMMANDS


def test_help_lists_every_command(command):
    answer = command("--help")
    assert answer.code == 0
    for name in COMMANDS:
        assert f"  {name} " in answer.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(command, name):
    answer = command(name, "--help")
    assert answer.code == 0
    assert "Usage: twosided " + name in answer.out


def test_the_version_is_that_of_the_package(command):
    assert command("--version").out == "twosided 0.1.0\n"


def test_without_a_command_the_help_is_shown(command):
    answer = command()
    assert (answer.code, answer.out) == (2, "")
    assert "Commands:" in answer.err


def test_an_unknown_command_is_answered_with_the_nearest(refused):
    assert refused("relpay") == "there is no command 'relpay'; did you mean 'replay'?; see twosided --help"


def test_an_unknown_option_is_named(refused):
    assert refused("models", "list", "--jsn").startswith("No such option")


def test_the_module_runs_as_the_command_does():
    done = subprocess.run([sys.executable, "-m", "twosided", "relpay"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'replay'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_pipe_is_no_error():
    source = "from twosided.app.cli import main; import sys; sys.exit(main(['strategies', 'list', '--json']))"
    done = subprocess.run(f'{sys.executable} -c "{source}" | head -c 1', shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert (done.stdout, done.stderr) == ("[", "")


def test_help_says_that_fees_come_from_the_file(command):
    words = " ".join(command("replay", "--help").out.split())
    assert words.count("[default: what the file says, else 0]") == 6
