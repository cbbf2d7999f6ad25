"""Every bad input is one clear sentence and exit code 2; no traceback, and nothing is written.

The fixture ``refused`` checks all of that; a test says which sentence. Files are tried by every command that reads them.
"""

import gzip
import subprocess
import sys

import pytest

HEADER = "exch_ns,local_ns,kind,side,price,size"
NS = 1_704_205_800_000_000_000


def rows(*lines: str) -> str:
    """Return a plain CSV file: a valid snapshot, then *lines*, each a millisecond later and written as kind,side,price,size."""
    book = [
        f"{NS},{NS + 500_000},{row}"
        for row in ("snapshot_begin,,0,0", "depth,bid,99.9,5", "depth,ask,100.1,5", "snapshot_end,,0,0")
    ]
    more = [
        line if line.count(",") > 3 else f"{NS + i * 10**6},{NS + i * 10**6 + 500_000},{line}" for i, line in enumerate(lines, 1)
    ]
    return "\n".join([HEADER, *book, *more]) + "\n"


BAD_FILES = {
    "missing": (None, "no such file"),
    "empty": ("", "is empty (0 bytes); expected recorded market data"),
    "no events": (HEADER + "\n", "holds no events"),
    "wrong format": ("<html><body>not found</body></html>\n", "is of no known format"),
    "negative size": (rows("depth,bid,99.8,-3"), "line 6: size is -3"),
    "not a number": (rows("depth,bid,ninety,3"), "line 6: price is"),
    "crossed snapshot": (rows().replace("bid,99.9", "bid,100.2"), "the snapshot is crossed: best bid 100.2, best ask 100.1"),
    "unordered time": (rows("depth,bid,99.8,3", f"{NS},{NS - 10**10},depth,bid,99.7,3"), "line 7"),
    "unknown kind": (rows("dpeth,bid,99.8,3"), "line 6: kind is 'dpeth'"),
    "unknown side": (rows("depth,left,99.8,3"), "line 6: side is 'left'"),
    "column missing": (rows().replace(",size", "").replace(",5\n", "\n").replace(",0\n", "\n"), "size"),
}


@pytest.mark.parametrize(
    "subcommand", [("data", "info"), ("data", "convert", "--out", "x.parquet"), ("replay", "--strategy", "fixed", "--out", "out")]
)
@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_cannot_be_read(refused, tmp_path, name, subcommand):
    content, said = BAD_FILES[name]
    if content is not None:
        (tmp_path / "book.csv").write_text(content)
    sentence = refused(*subcommand, "book.csv", *(("--json",) if subcommand[-1] != "out" else ("--json", "--quiet")))
    assert "book.csv" in sentence
    assert said in sentence


@pytest.mark.parametrize("subcommand", [("data", "info"), ("replay", "--strategy", "fixed", "--quiet")])
def test_a_truncated_file_is_named_with_its_byte(refused, tmp_path, subcommand):
    whole = gzip.compress(rows(*[f"depth,bid,99.{i % 9},{i}" for i in range(20_000)]).encode())
    (tmp_path / "book.csv.gz").write_bytes(whole[: len(whole) // 2])
    sentence = refused(*subcommand, "book.csv.gz")
    assert "book.csv.gz, byte" in sentence
    assert "truncated" in sentence


def test_a_parquet_file_that_breaks_off_is_refused(refused, session, tmp_path):
    content = session.read_bytes()
    (tmp_path / "x.parquet").write_bytes(content[: len(content) // 2])
    assert "x.parquet" in refused("replay", "x.parquet", "--strategy", "fixed", "--quiet")


def test_a_tick_that_does_not_divide_the_prices(refused, tmp_path):
    (tmp_path / "book.csv").write_text(rows("trade,buy,100.1,1"))
    sentence = refused("replay", "book.csv", "--strategy", "fixed", "--tick", "0.25", "--lot", "1")
    assert "book.csv, line 3: price is 99.9, which is not a multiple of the tick size 0.25" in sentence


BAD_REQUESTS = {
    "no strategy": ((), "no strategy is given; name one with --strategy"),
    "unknown strategy": (("--strategy", "gltf"), "strategy 'gltf' is unknown; did you mean 'glft'?"),
    "parameter missing": (("--strategy", "glft"), "strategy glft needs parameter sigma (price/sqrt(s)); set it with --set sigma="),
    "unknown parameter": (
        ("--strategy", "fixed", "--set", "half_spred=1"),
        "no parameter 'half_spred'; did you mean 'half_spread'?",
    ),
    "out of bounds": (
        ("--strategy", "fixed", "--set", "half_spread=-1"),
        "parameter half_spread is -1; allowed: a number, at least 0",
    ),
    "wrong type": (("--strategy", "fixed", "--set", "half_spread=wide"), "parameter half_spread is 'wide'; allowed: a number"),
    "not a number": (("--strategy", "fixed", "--set", "half_spread=nan"), "parameter half_spread is nan; allowed: a number"),
    "no choice": (("--strategy", "fixed", "--set", "unit=pips"), "parameter unit is 'pips'; allowed: bps, ticks, money"),
    "no assignment": (("--strategy", "fixed", "--set", "half_spread"), "--set is 'half_spread'; allowed: NAME=VALUE"),
    "not a lot": (("--strategy", "fixed", "--set", "quantity=0.5"), "quantity is 0.5, which is not a multiple of the lot size 1"),
    "latency": (("--strategy", "fixed", "--entry-latency", "soon"), "--entry-latency is 'soon'; allowed: a number and one of ns"),
    "negative latency": (("--strategy", "fixed", "--entry-latency", "-1ms"), "--entry-latency is '-1ms'"),
    "queue": (("--strategy", "fixed", "--queue", "fifo"), "--queue is 'fifo'; allowed: 'conservative', 'power', 'power:2', 'log',"),
    "seed": (("--strategy", "fixed", "--seed", "-1"), "--seed is '-1'; allowed: greater than or equal to 0"),
    "fee": (("--strategy", "fixed", "--maker-bps", "one"), "--maker-bps is 'one'; allowed: a decimal number"),
    "fee out of bounds": (("--strategy", "fixed", "--maker-bps", "2000"), "a fee of 2000 bps is 20 % of value"),
    "tick": (("--strategy", "fixed", "--tick", "0"), "--tick is '0'; allowed: greater than 0"),
    "other tick": (("--strategy", "fixed", "--tick", "0.02"), "its tick size is 0.01, not 0.02"),
    "format": (("--strategy", "fixed", "--format", "tradis"), "format is 'tradis'; did you mean 'tardis'?"),
    "capital": (("--strategy", "fixed", "--capital", "-5"), "--capital is '-5'; allowed: greater than 0"),
    "duration": (("--strategy", "fixed", "--calibrate-first", "10"), "--calibrate-first is '10'; allowed: a number and one of ns"),
    "long head": (("--strategy", "fixed", "--calibrate-first", "3h"), "--calibrate-first is 3 h, but the recording lasts 2 min"),
    "short head": (("--strategy", "glft", "--calibrate-first", "1s"), "too little to estimate sigma"),
    "missing strategy file": (("--strategy", "mine.py:f"), "mine.py: no such file"),
    "a folder for out": (
        ("--strategy", "fixed", "--out", "taken"),
        "taken exists and holds diary.txt, which is not ours to replace",
    ),
    "a file for out": (("--strategy", "fixed", "--out", "taken/diary.txt"), "taken/diary.txt is a file; allowed: a new folder"),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_request_that_cannot_be_met(refused, session, tmp_path, name):
    arguments, said = BAD_REQUESTS[name]
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "diary.txt").write_text("mine")
    assert said in refused("replay", session, *arguments, "--quiet")


def test_a_report_of_what_is_no_run(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    assert refused("report", "empty") == "empty holds no saved Run; name a folder that `twosided replay --out` wrote"
    assert refused("report", "none") == "none: no such file"
    (tmp_path / "report.html").write_text("")
    assert refused("report", "report.html") == "report.html is no saved Run; name the folder that it is in"


def test_a_run_that_was_changed_is_not_reported(command, refused, session, tmp_path):
    command("replay", session, "--strategy", "fixed", "--out", tmp_path / "out", "--quiet")
    facts = tmp_path / "out" / "fixed" / "run.json"
    facts.write_text(facts.read_text().replace('"digest": "', '"digest": "0'))
    assert "a file was changed" in refused("report", "out")


LIMITED = """
import resource, sys
from twosided.app.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "arguments", [("data", "convert", "--out", "x.parquet"), ("replay", "--strategy", "fixed", "--out", "out", "--quiet")]
)
def test_a_full_disk_leaves_nothing_behind(command, session, tmp_path, arguments):
    command("replay", session, "--strategy", "fixed", "--quiet")  # machine code is in the cache now
    before = set(tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments, session], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"twosided: {arguments[-1] if arguments[0] == 'data' else 'out'}")
    assert "cannot be written" in done.stderr
    assert done.stderr.count("\n") == 1
    assert set(tmp_path.iterdir()) == before
