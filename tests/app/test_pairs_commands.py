"""``twosided pairs``: of bars and of recordings, as a table and as JSON."""

import json
import subprocess
import sys

import numpy as np
import pytest


def bars(path, prices):
    rows = [f"{1_700_000_040_000_000_000 + i * 60_000_000_000},1,1,1,{price:.6f},1" for i, price in enumerate(prices)]
    path.write_text("\n".join(["begin_ns,open,high,low,close,volume", *rows]) + "\n")
    return path


@pytest.fixture
def two(tmp_path):
    random = np.random.default_rng(1)
    x = 100.0 + 0.1 * np.cumsum(random.normal(size=400))
    y = 2.0 * x + 0.1 * random.normal(size=400)
    return (
        bars(tmp_path / "a.csv", y),
        bars(tmp_path / "b.csv", x),
        bars(tmp_path / "c.csv", 100.0 + 0.1 * np.cumsum(random.normal(size=400))),
    )


def test_two_markets_are_studied(command, two):
    answer = command("pairs", two[0], two[1])
    assert answer.code == 0
    for row in (
        "hedge ratio, least squares",
        "hedge ratio, Kalman, now",
        "Engle-Granger, a on b",
        "Johansen trace, rank 0",
        "half-life",
    ):
        assert row in answer.out
    found = json.loads(command("pairs", two[0], two[1], "--json").out)
    assert found["hedge_ratio"]["total_least_squares"]["value"] == pytest.approx(2.0, abs=0.1)
    assert found["names"] == ["a", "b"]
    assert json.loads(command("pairs", two[0], two[1], "--log", "--every", "2m", "--json").out)["samples"] == 200


def test_many_markets_are_scanned_and_infinite_half_lives_are_null(command, two):
    assert "believe 1" in command("pairs", "scan", *two).out
    rows = json.loads(command("pairs", "scan", *two, "--json").out)
    assert rows[0]["names"] == ["a", "b"]
    assert rows[-1]["half_life_s"]["high"] is None


def test_a_recording_against_itself_is_refused(refused, session):
    assert (
        refused("pairs", session, session)
        == "FLOW twosided (session.parquet) is FLOW twosided (session.parquet) in another unit; there is no spread between them"
    )


def test_what_cannot_be_read_is_said(refused, two):
    assert refused("pairs", two[0], two[1], "--every", "90s").startswith("a has a price every 1 min; allowed: a multiple of it")
    assert refused("pairs", two[0], two[1], "--zone", "nowhere").startswith("--zone is 'nowhere'; allowed: NAME=ZONE")
    assert refused("pairs", two[0], two[1], "--zone", "x=UTC").startswith("--zone x=… names no folder that is read")
    assert refused("pairs", "scan", two[0]).startswith("a scan of a; allowed: at least two series")
    assert "Missing argument 'B'" in refused("pairs", two[0])


def test_without_statsmodels_the_extra_is_named(two):
    """In a process of its own, in which that package cannot be imported."""
    code = (
        "import sys; sys.modules['statsmodels'] = None\n"
        f"from twosided.app.cli import main; sys.exit(main(['pairs', {str(two[0])!r}, {str(two[1])!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "twosided: tests of cointegration need statsmodels; install the extra: pip install 'twosided[pairs]'\n"
