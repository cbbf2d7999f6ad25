"""The demo runs on nothing but this package, prints one table, and says where its report is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from twosided.data.recording import load
from twosided.market.run import Run


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> tuple[Path, str, str]:
    """Return the demo's folder, and what it said on standard output and standard error."""
    folder = tmp_path_factory.mktemp("demo") / "out" / "demo"
    done = subprocess.run([sys.executable, "-m", "twosided", "demo", "--out", folder], capture_output=True, text=True, check=True)
    return folder, done.stdout, done.stderr


def test_the_session_has_half_a_million_events_and_can_be_read_again(demo):
    recording = load(demo[0] / "session.parquet")
    assert len(recording.events) >= 500_000
    assert recording.instruments[0].symbol == "FLOW"


def test_one_table_has_both_strategies_side_by_side(demo):
    out = demo[1]
    header = next(line for line in out.splitlines() if line.strip())
    assert header.split()[:2] == ["fixed", "glft"]
    for word in ("P&L", "spread", "adverse selection", "inventory", "fills per quoted order", "after a fill", "Sharpe", "drawdown"):
        assert word in out


def test_the_last_line_says_where_the_report_is(demo):
    folder, out, _ = demo
    assert out.splitlines()[-1] == f"report: {folder / 'report.html'}"
    page = (folder / "report.html").read_text()
    assert "<script src" not in page
    assert "<link" not in page
    assert "glft" in page


def test_both_runs_are_saved_and_glft_was_calibrated_before_it_quoted(demo):
    folder, _, err = demo
    fixed, glft = Run.load(folder / "fixed"), Run.load(folder / "glft")
    assert "sigma" in err
    assert glft.facts["params"]["sigma"] > 0
    assert fixed.facts["start_ns"] == glft.facts["start_ns"]
    assert fixed.fills.height > 100
    assert glft.fills.height > 100


def test_timing_is_told(demo):
    assert "s in all" in demo[2]


def test_a_run_of_the_demo_can_be_made_again_from_its_session(demo, tmp_path):
    glft = Run.load(demo[0] / "glft")
    again = tmp_path / "run.yaml"
    again.write_text(yaml.safe_dump(glft.facts["configuration"]))
    arguments = [sys.executable, "-m", "twosided", "replay", again, "--json", "--quiet"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["digest"] == glft.digest()
