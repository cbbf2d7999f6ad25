"""``twosided data`` says what is in a recording, and writes the same recording again."""

import json
from decimal import Decimal

import pytest

from twosided.data.store import Header, write_store
from twosided.engines.flow import generate_market
from twosided.market.instrument import Fees

SCRIPTED = {"events", "trades", "gaps", "crossed", "orphans", "clock_offset_ns", "tick_size", "lot_size", "start_ns", "end_ns"}


def test_a_real_recording_is_described(command, shared):
    facts = json.loads(command("data", "info", shared("data", "binance", "usdm_btcusdt_20240808.gz"), "--json").out)
    assert set(facts) >= SCRIPTED
    assert (facts["gaps"], facts["crossed"], facts["tick_size"]) == (0, 0, 0.1)
    assert facts["clock_offset_ns"] < -1_200_000_000
    assert facts["end_ns"] - facts["start_ns"] == pytest.approx(345e9, rel=0.01)
    assert facts["book_check"]["agree"] == facts["book_check"]["compared"] > 0


def test_the_table_says_the_same(command, session):
    facts = json.loads(command("data", "info", session, "--json").out)
    out = command("data", "info", session).out
    for word in (f"{facts['events']:,}", "clock offset", "latency", "crossed", "gaps", "orphans", "2024-01-02 14:30:00"):
        assert word in out


def test_small_lots_fees_and_what_is_counted_once_are_told(command, shared, session, tmp_path):
    recorded = shared("data", "binance", "spot_btcusdt_20240808.gz")
    facts = json.loads(command("data", "info", recorded, "--json").out)
    out = command("data", "info", recorded).out
    assert "0.01, 0.000001;" in out
    assert f"unknown removals │ {facts['unknown_removals']:,} of levels" in out
    assert out.count(f"{facts['defects']['exch_backwards']:,} messages, {facts['exch_backwards_share']:.2%}") == 1
    assert "exch backwards" not in out
    assert "fees" not in out
    command("data", "convert", recorded, "--out", tmp_path / "x.parquet")
    converted = command("data", "info", tmp_path / "x.parquet").out
    assert "book check       │ none: a converted file does not keep" in converted
    assert "made from        │ spot_btcusdt_20240808.gz" in converted
    assert "never runs backwards" in command("data", "info", session).out


def test_fees_that_a_file_states_are_told(command, tmp_path):
    events, instrument = generate_market(seed=1, seconds=1.0)
    charged = instrument.model_copy(update={"fees": Fees(maker_per_unit=Decimal("-0.002"))})
    header = {"instruments": (charged,), "events": len(events), "clock_offset_ns": 0, "min_latency_ns": 0, "defects": {}}
    words = {"names": ("made up",), "source_format": "generated", "notes": (), "inferred": ""}
    path = write_store(tmp_path / "x.parquet", Header(**header, **words), iter([events]))
    assert "fees             │ maker_per_unit -0.002" in command("data", "info", path).out


def test_a_converted_recording_replays_as_the_original_does(command, raw, tmp_path):
    converted = tmp_path / "x.parquet"
    written = json.loads(command("data", "convert", raw, "--out", converted, "--json").out)
    run = ("--strategy", "fixed", "--set", "half_spread=1", "--maker-bps", "2", "--json", "--quiet")
    both = [json.loads(command("replay", path, *run).out) for path in (raw, converted)]
    assert both[0]["digest"] == both[1]["digest"]
    assert both[0]["events"] == both[1]["events"] == written["events"]
    assert both[0]["fills"] > 0


def test_only_an_own_recording_is_replaced(command, refused, session, tmp_path):
    out = tmp_path / "x.parquet"
    for _ in range(2):
        assert command("data", "convert", session, "--out", out).code == 0
    (tmp_path / "diary.txt").write_text("mine")
    assert refused("data", "convert", session, "--out", "diary.txt") == (
        "diary.txt exists and is not a recording that we converted; name a new file"
    )


def test_the_clocks_can_be_told(command, raw):
    told = json.loads(command("data", "info", raw, "--min-latency", "2ms", "--json").out)
    default = json.loads(command("data", "info", raw, "--json").out)
    assert told["min_latency_ns"] == 2_000_000
    assert default["min_latency_ns"] == 500_000
    assert default["clock_offset_ns"] - told["clock_offset_ns"] == 1_500_000
    stated = json.loads(command("data", "info", raw, "--clock-offset-ns", "-7", "--json").out)
    assert stated["clock_offset_ns"] == -7
