"""What README and docs show is what happens."""

import re
import shlex
from pathlib import Path

import pytest

from twosided.app.cli import main
from twosided.app.options import DATA, FEES, REPLAY
from twosided.data.formats import FORMATS
from twosided.data.store import Header, write_store
from twosided.engines.flow import generate_market

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
DOCS = sorted((ROOT / "docs").glob("*.md"))
SESSION = "out/demo/session.parquet"


def _blocks(kind: str, text: str = README) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def _commands(text: str) -> list[list[str]]:
    lines = re.findall(r"^ {4}(twosided .*)$", text, re.MULTILINE)
    return [shlex.split(line, comments=True)[1:] for line in lines]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A folder like a clone in which the demo has run, with ten minutes more than what `--calibrate-first 10m` takes."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "out" / "demo").mkdir(parents=True)
    (folder / "docs").symlink_to(ROOT / "docs")
    events, instrument = generate_market(seed=1, seconds=1200.0)
    header = Header(
        instruments=(instrument,),
        events=len(events),
        clock_offset_ns=0,
        min_latency_ns=500_000,
        names=("generated",),
        source_format="generated",
        defects={},
        notes=(),
        inferred="",
    )
    write_store(folder / SESSION, header, iter([events]))
    return folder


def test_the_two_commands_stand_on_the_first_screen():
    first = README.splitlines()[:20]
    assert any(line.startswith("    make demo") for line in first)
    assert any(line.startswith("    make test") for line in first)


def test_the_strategy_that_is_shown_is_the_one_that_is_run():
    (shown,) = _blocks("python")
    assert shown in (ROOT / "docs" / "examples" / "lean.py").read_text()


@pytest.mark.parametrize(
    ("line", "answer"), [block for text in _blocks("console") for block in re.findall(r"\$ (.*)\n(.*)\n", text)]
)
def test_error_messages_are_those_that_are_shown(capsys, monkeypatch, checkout, line, answer):
    monkeypatch.chdir(checkout)
    assert main(shlex.split(line)[1:]) == 2
    assert capsys.readouterr().err == answer + "\n"


@pytest.mark.parametrize("path", [ROOT / "README.md", *DOCS], ids=lambda path: path.name)
def test_commands_that_are_shown_work(capsys, monkeypatch, checkout, path):
    monkeypatch.chdir(checkout)
    for arguments in _commands(path.read_text()):
        if "FILE..." not in arguments and not any(name.endswith(".gz") for name in arguments):
            assert main(arguments) == 0, (arguments, capsys.readouterr().err)


def test_the_configuration_that_is_shown_works(capsys, monkeypatch, checkout):
    monkeypatch.chdir(checkout)
    assert main(["replay", "docs/examples/run.yaml"]) == 0, capsys.readouterr().err
    assert (checkout / "out" / "example" / "report.html").exists()


def test_the_python_that_is_shown_works(capsys, monkeypatch, checkout):
    monkeypatch.chdir(checkout)
    for block in _blocks("python", (ROOT / "docs" / "getting-started.md").read_text()):
        exec(compile(block, "getting-started.md", "exec"), {})  # noqa: S102
    assert "spread" in capsys.readouterr().out


@pytest.mark.parametrize("path", [ROOT / "README.md", *DOCS], ids=lambda path: path.name)
def test_links_lead_somewhere_and_options_exist(path):
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (path.parent / target).exists(), target
    known = {setting.flag for setting in (*DATA, *FEES, *REPLAY)} | {"--strategy", "--set", "--json", "--out", "--quiet", "--help"}
    shown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert {flag.replace("--no-", "--") for flag in shown} <= known


def test_every_format_is_in_the_table():
    text = (ROOT / "docs" / "data.md").read_text()
    assert re.findall(r"^\| `([a-z0-9]+)` \|", text.split("## The plain format")[0], re.MULTILINE) == [
        each.name for each in FORMATS
    ]
