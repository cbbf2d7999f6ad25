"""What README and docs show is what happens."""

import dataclasses
import inspect
import re
import shlex
from pathlib import Path

import click
import pytest

from twosided.app.cli import COMMANDS, cli, main
from twosided.data.formats import FORMATS
from twosided.data.store import Header, write_store
from twosided.engines.flow import generate_market
from twosided.market import order
from twosided.market.run import FRAMES, Run
from twosided.signals.by_name import SIGNALS
from twosided.strategies import contract
from twosided.strategies.catalogue import OVERLAYS, PRESETS, STRATEGIES
from twosided.strategies.contract import HEADER, MARKET_VIEW
from twosided.strategies.plan import PLAN
from twosided.units import duration_text

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
DOCS = sorted((ROOT / "docs").glob("*.md"))
SESSION = "out/demo/session.parquet"


def _blocks(kind: str, text: str = README) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def _commands(text: str) -> list[list[str]]:
    joined = re.sub(r" *\\\n *", " ", text)  # a line that ends in a backslash goes on
    lines = re.findall(r"^ {4}(twosided .*)$", joined, re.MULTILINE)
    return [shlex.split(line, comments=True)[1:] for line in lines]


def _all_commands() -> list[click.Command]:
    """Return every command and subcommand, however deep."""

    def below(command: click.Command) -> list[click.Command]:
        return [command, *(deep for inner in getattr(command, "commands", {}).values() for deep in below(inner))]

    return [each for name in COMMANDS for each in below(cli.get_command(click.Context(cli), name))]


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
        if not any(name.isupper() or name.endswith(".gz") for name in arguments):  # FILE... and the like stand for the reader's own
            assert main(arguments) == 0, (arguments, capsys.readouterr().err)


def test_the_configuration_that_is_shown_works(capsys, monkeypatch, checkout):
    monkeypatch.chdir(checkout)
    assert main(["replay", "docs/examples/run.yaml"]) == 0, capsys.readouterr().err
    assert (checkout / "out" / "example" / "report.html").exists()


@pytest.mark.parametrize("page", ["getting-started.md", "results.md"])
def test_the_python_that_is_shown_works(capsys, monkeypatch, checkout, page):
    monkeypatch.chdir(checkout)
    assert (
        main(["replay", SESSION, "--strategy", "fixed", "--set", "half_spread=1", "--set", "unit=ticks", "--out", "out/fixed"]) == 0
    )
    capsys.readouterr()
    for block in _blocks("python", (ROOT / "docs" / page).read_text()):
        exec(compile(block, page, "exec"), {})  # noqa: S102
    assert "'spread': Decimal(" in capsys.readouterr().out


@pytest.mark.parametrize(("page", "said"), [("replay.md", "order latency"), ("comparison.md", "volatility")])
def test_the_python_that_follows_commands_works(capsys, monkeypatch, checkout, page, said):
    monkeypatch.chdir(checkout)
    text = (ROOT / "docs" / page).read_text()
    assert [main(arguments) for arguments in _commands(text)] == [0] * len(_commands(text))
    for block in _blocks("python", text):
        exec(compile(block, page, "exec"), {})  # noqa: S102
    assert said in capsys.readouterr().out


# ---------------------------------------------------------------- tables


def _section(page: str, heading: str) -> str:
    """Return what stands under a heading of a page of the docs."""
    return (ROOT / "docs" / page).read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]


def _first_cells(text: str) -> list[str]:
    """Return the code in the first cells of a text's tables, without what stands in brackets."""
    cells = re.findall(r"^\| (`[^|]*?) \|", text, re.MULTILINE)
    return [re.split(r"[\[(.]", code)[0] for cell in cells for code in re.findall(r"`([^`]+)`", cell)]


def test_the_table_of_ctx_has_every_field_and_no_other():
    shown = _first_cells(_section("strategy.md", "What `ctx` holds"))
    assert sorted(shown) == sorted([*HEADER.names, "market", "quotes", "signals", "params", "memory"])
    assert sorted(STRATEGIES["fixed"].row_dtype(1).names) == sorted(shown)
    assert _first_cells(_section("strategy.md", "A market")) == list(MARKET_VIEW.names)


def test_the_tables_of_declarations_have_every_argument():
    section = _section("strategy.md", "What a strategy declares")
    arguments = [
        name for name, each in inspect.signature(contract.strategy).parameters.items() if each.kind is not each.VAR_KEYWORD
    ]
    fields = [field.name for field in dataclasses.fields(contract.Param)]
    assert sorted(_first_cells(section)) == sorted([*arguments, *fields])
    assert f"every_ns` | {duration_text(contract.Strategy.every_ns)} |" in section
    assert f"levels` | {contract.Strategy.levels} |" in section
    quotes = re.findall(r"^\| `((\w+)\((.*)\))` \|", _section("strategy.md", "Quotes"), re.MULTILINE)
    assert [name for _, name, _ in quotes] == ["quote_bid", "quote_ask", "withdraw"]
    for _, name, listed in quotes:
        assert listed.split(", ") == list(inspect.signature(getattr(contract, f"_{name}")).parameters)


def test_the_tables_of_wakes_and_signals_are_complete():
    wakes = re.findall(r"^\| `([A-Z]+)` \| (\d+) \|", _section("strategy.md", "Wakes"), re.MULTILINE)
    assert [(name, int(bit)) for name, bit in wakes] == [(each.name, each.value) for each in contract.Wake]
    assert _first_cells(_section("strategy.md", "Signals")) == list(SIGNALS)


@pytest.mark.parametrize(
    ("frame", "dtype"),
    [*zip(FRAMES, (order.FILL, order.ORDER_EVENT, order.QUOTE_CHANGE, order.DECISION, order.EQUITY, order.MID), strict=True)],
)
def test_the_table_of_a_log_has_every_column(frame, dtype):
    shown = _first_cells(_section("results.md", f"`run.{frame}`"))
    assert sorted(shown) == sorted(set(dtype.names) - {"strategy"})


@pytest.mark.parametrize("codes", [order.FillCause, order.OrderAction, order.Reason], ids=lambda codes: codes.__name__)
def test_the_table_of_codes_has_every_number(codes):
    table = _section("results.md", "Codes").split(f"| `{codes.__name__}` |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| ([\d, ]+) \| (`[^|]*`) \|", table, re.MULTILINE)
    shown = [
        (int(number), name)
        for numbers, names in rows
        for number, name in zip(numbers.split(", "), re.findall(r"`(\w+)`", names), strict=True)
    ]
    assert shown == [(each.value, each.name) for each in codes]


def test_the_table_of_reasons_says_what_the_enumeration_says():
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.*?) \|$", _section("results.md", "Codes").split("| `Reason` |")[1], re.MULTILINE)
    assert [(int(number), name, words) for number, name, words in rows] == [
        (each.value, each.name, each.words) for each in order.Reason
    ]


def test_the_table_of_facts_has_every_key(monkeypatch, checkout):
    monkeypatch.chdir(checkout)
    asked = [
        "--strategy",
        "fixed",
        "--calibrate-first",
        "10m",
        "--capital",
        "1000",
        "--sensitivity",
        "--out",
        "out/facts",
        "--quiet",
    ]
    assert main(["replay", SESSION, *asked]) == 0
    facts = Run.load("out/facts/fixed").facts
    text = _section("results.md", "`run.facts`")
    assert sorted(_first_cells(text)) == sorted(facts)
    account = re.search(r"the account per market: (.*?); money", text)[1]
    assert sorted(re.findall(r"`(\w+)`", account)) == sorted(facts["closing"][0])


@pytest.mark.parametrize("path", [ROOT / "README.md", *DOCS], ids=lambda path: path.name)
def test_links_lead_somewhere_and_options_exist(path):
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (path.parent / target).exists(), target
    known = {"--help", *(flag for command in _all_commands() for param in command.params for flag in param.opts)}
    shown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert {flag.replace("--no-", "--") for flag in shown} <= known


def test_the_page_of_overlays_lists_every_one_with_its_parameters_and_every_preset():
    rows = re.findall(r"^\| `(\w+)` \|.*\|(.*)\|.*\|$", _section("overlays.md", "What ships"), re.MULTILINE)
    assert {name: re.findall(r"`(\w+)`", params) for name, params in rows} == {
        name: list(each.declared.params) for name, each in OVERLAYS.items()
    }
    presets = re.findall(r"^\| `([\w-]+)` \| ([\w+]+) \|$", _section("overlays.md", "Presets"), re.MULTILINE)
    assert dict(presets) == {
        name: "+".join(stage.__name__ for stage in preset.stages[:-1]) or preset.function.__name__
        for name, preset in PRESETS.items()
    }
    (shown,) = _blocks("python", _section("overlays.md", "Of one's own"))
    assert shown in (ROOT / "docs" / "examples" / "thin.py").read_text()
    fields = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", _section("overlays.md", "Of one's own"), re.MULTILINE)
    assert [name for each in fields for name in re.findall(r"\w+", each)] == list(PLAN.names)


def test_the_log_of_plans_that_is_shown_works(capsys, monkeypatch, checkout):
    monkeypatch.chdir(checkout)
    (shown,) = _blocks("python", _section("overlays.md", "Why a quote is where it is"))
    exec(compile(shown, "overlays.md", "exec"), {})  # noqa: S102
    assert "half_bid" in capsys.readouterr().out


def test_every_format_is_in_the_table():
    text = (ROOT / "docs" / "data.md").read_text()
    assert re.findall(r"^\| `([a-z0-9]+)` \|", text.split("## The plain format")[0], re.MULTILINE) == [
        each.name for each in FORMATS
    ]
