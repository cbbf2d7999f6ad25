"""A command line to call in tests, which checks the rules that hold for every failure."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from twosided.app.cli import main
from twosided.data.store import Header, write_store
from twosided.engines.flow import generate_market
from twosided.market.event import Events
from twosided.market.instrument import Instrument


@dataclass(frozen=True)
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys):
    """Run ``twosided`` with these arguments in this process."""

    def run(*arguments: object) -> Answer:
        code = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def refused(command, tmp_path, monkeypatch):
    """Run a command that must fail with exit code 2, one sentence and nothing written; return the sentence."""

    def run(*arguments: object) -> str:
        monkeypatch.chdir(tmp_path)
        before = _content(tmp_path)
        answer = command(*arguments)
        assert answer.code == 2
        assert answer.out == ""
        assert answer.err.startswith("twosided: ")
        assert answer.err.count("\n") == 1
        assert "Traceback" not in answer.err
        assert _content(tmp_path) == before
        assert not list(tmp_path.glob(".*"))  # nothing half-written either
        return answer.err.removeprefix("twosided: ").rstrip("\n")

    return run


@pytest.fixture(scope="session")
def stored():
    """Return what writes events of one instrument to a file of our own format."""
    return _stored


@pytest.fixture(scope="session")
def session(tmp_path_factory) -> Path:
    """Two minutes of a generated market, converted."""
    return _stored(tmp_path_factory.mktemp("session") / "session.parquet", *generate_market(seed=3, seconds=120.0))


@pytest.fixture(scope="session")
def session_by_order(tmp_path_factory) -> Path:
    """Ten minutes of one, order by order."""
    made = generate_market(seed=3, seconds=600.0, by_order=True)
    return _stored(tmp_path_factory.mktemp("session") / "by_order.parquet", *made)


def _stored(path: Path, events: Events, instrument: Instrument) -> Path:
    header = Header(
        instruments=(instrument,),
        events=len(events),
        clock_offset_ns=0,
        min_latency_ns=int((events["local_ns"] - events["exch_ns"]).min()),
        names=("generated",),
        source_format="generated",
        defects={},
        notes=(),
        inferred="",
    )
    return write_store(path, header, iter([events]))


@pytest.fixture
def raw(tmp_path) -> Path:
    """A recording by our plain format, whose local clock is behind the exchange's."""
    lines = ["exch_ns,local_ns,kind,side,price,size"]
    second = 1_704_205_800_000_000_000
    lines += [
        f"{second},{second - 10**8},{row}"
        for row in ("snapshot_begin,,0,0", "depth,bid,99.9,5", "depth,ask,100.1,5", "snapshot_end,,0,0")
    ]
    for i in range(1, 400):
        now = second + i * 10**7
        row = ("depth,bid,99.8,7", "trade,sell,99.9,3", "depth,bid,99.9,2", "trade,buy,100.1,4", "depth,bid,99.9,5")[i % 5]
        lines.append(f"{now},{now - 10**8 + i * 997},{row}")
    path = tmp_path / "book.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
