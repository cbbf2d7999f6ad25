"""LOBSTER and ITCH on the command line: the proof is printed, the day is stated with --date."""

import json
import struct

import pytest

MESSAGES = "34200.1,1,5,7,10000,1\n34200.2,4,5,7,10000,1\n"
BOOKS = "10100,3,10000,17\n10100,3,10000,10\n"
NAME = "ABC_2012-06-21_34200000_57600000_{}_1.csv"


@pytest.fixture
def day(tmp_path):
    paths = [tmp_path / NAME.format(kind) for kind in ("message", "orderbook")]
    for path, text in zip(paths, (MESSAGES, BOOKS), strict=True):
        path.write_text(text)
    return paths


@pytest.fixture
def feed(tmp_path):
    body = (
        b"A"
        + struct.pack(">HH", 7, 0)
        + (34_200 * 10**9).to_bytes(6, "big")
        + struct.pack(">QcI8sI", 1, b"B", 5, b"ABC     ", 10_000)
    )
    path = tmp_path / "feed.itch"
    path.write_bytes(struct.pack(">H", len(body)) + body)
    return path


def test_how_the_rebuilt_book_compares_with_the_recorded_one_is_printed(command, day):
    facts = json.loads(command("data", "info", *day, "--json").out)
    check = facts["book_check"]
    assert (check["against"], check["rows"], check["levels"], check["compared"], check["agree"]) == (
        "the recorded book",
        2,
        4,
        2,
        2,
    )
    out = " ".join(command("data", "info", *day).out.replace("│", " ").split())
    assert "the messages alone determine 50.00% of 2 rows and 50.000% of 4 levels in the recorded book; 2 of 2 agree" in out


def test_a_day_of_lobster_is_converted_and_described_again(command, day, tmp_path):
    written = json.loads(command("data", "convert", *day, "--out", tmp_path / "x.parquet", "--json").out)
    facts = json.loads(command("data", "info", tmp_path / "x.parquet", "--json").out)
    assert written["events"] == facts["events"] == 7
    assert facts["events_by_kind"] == {"TRADE": 1, "SNAPSHOT_BEGIN": 1, "SNAPSHOT_END": 1, "ADD": 3, "FILL": 1}


def test_the_day_of_a_feed_is_stated(command, refused, feed):
    assert "no day, nor does its name; state it: --date 2019-12-30" in refused("data", "info", feed)
    facts = json.loads(command("data", "info", feed, "--date", "2019-12-30", "--json").out)
    assert facts["start_ns"] == 1_577_682_000 * 10**9 + 34_200 * 10**9
    assert "date" in refused("data", "info", feed, "--date", "30.12.2019")


def test_a_day_that_a_format_does_not_need_is_refused(refused, raw):
    assert "holds its own dates; leave it out" in refused("data", "info", raw, "--date", "2019-12-30")
