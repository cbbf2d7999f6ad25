"""A recording in memory: the clocks are brought together by a rule that is stated, and so are the facts."""

import json

import pytest

from twosided.data.recording import DEFAULT_MIN_LATENCY_NS, load
from twosided.errors import InputError
from twosided.market.event import EVENT

HEADER = "exch_ns,local_ns,kind,side,price,size\n"


@pytest.fixture
def behind(tmp_path):
    """A local clock that runs 500 behind: recorded latencies are -400, -200 and -300."""
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "1000,600,trade,buy,100,1\n1100,900,trade,buy,100,2\n1300,1000,trade,sell,99,1\n")
    return path


def test_the_smallest_latency_becomes_half_a_millisecond(behind):
    recording = load(behind)
    assert recording.min_latency_ns == DEFAULT_MIN_LATENCY_NS == 500_000
    assert recording.clock_offset_ns == -400 - 500_000
    assert recording.events["local_ns"].tolist() == [501_000, 501_300, 501_400]


def test_the_smallest_latency_can_be_stated(behind):
    recording = load(behind, min_latency_ns=50)
    assert (recording.clock_offset_ns, recording.min_latency_ns) == (-450, 50)
    assert recording.events["local_ns"].tolist() == [1050, 1350, 1450]


@pytest.mark.parametrize("offset", [0, -500, 100])
def test_the_offset_can_be_stated(behind, offset):
    recording = load(behind, clock_offset_ns=offset)
    assert recording.events["local_ns"].tolist() == [600 - offset, 900 - offset, 1000 - offset]
    assert (recording.clock_offset_ns, recording.min_latency_ns) == (offset, -400 - offset)


def test_the_two_are_not_stated_together(behind):
    with pytest.raises(InputError, match="min_latency_ns is 5 and clock_offset_ns 0; state one of them"):
        load(behind, clock_offset_ns=0, min_latency_ns=5)
    with pytest.raises(InputError, match="min_latency_ns is -1; allowed: 0 or more"):
        load(behind, min_latency_ns=-1)


def test_events_are_records_in_local_order_and_valid(recording_file, assert_valid):
    for name in ("spot", "futures", "plain", "trades", "changes", "quotes", "levels"):
        recording = load(recording_file(name))
        assert recording.events.dtype == EVENT
        assert_valid(recording)


def test_facts_are_ready_for_json_and_name_no_folder(recording_file):
    path = recording_file("futures")
    facts = load(path).facts()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["names"] == ["futures.txt"]
    assert str(path.parent) not in json.dumps(facts)
    assert facts["format"] == "binance"
    assert (facts["events"], facts["messages"], facts["trades"]) == (40, 19, 9)
    assert facts["clock_offset_ns"] == -2_000_000 - 500_000
    assert facts["start_ns"] < facts["end_ns"]
    assert facts["instruments"][0]["symbol"] == "BTCUSDT"


def test_progress_is_told_from_nothing_to_everything(recording_file):
    told = []
    load(recording_file("plain"), progress=told.append)
    assert told[-1] == 1.0
    assert told == sorted(told)


def test_amounts_that_64_bits_cannot_count_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "1000,600,trade,buy,2000000000,1000000000\n")
    with pytest.raises(InputError, match="too many money quanta"):
        load(path, tick_size="1", lot_size="1")


@pytest.mark.parametrize(
    ("last_change", "defects"), [(2000, {"book_ends_early": 1}), (10_500, {})], ids=["after a tenth", "near the end"]
)
def test_a_book_that_stands_still_while_trades_go_on_is_remarked_on(tmp_path, last_change, defects):
    path = tmp_path / "a.csv"
    ms = 1_000_000
    rows = [
        (1000, "depth", "bid", 99),
        (1000, "depth", "ask", 100),
        (last_change, "depth", "bid", 98),
        (11_000, "trade", "buy", 100),
    ]
    path.write_text(HEADER + "".join(f"{t * ms},{t * ms},{kind},{side},{price},1\n" for t, kind, side, price in sorted(rows)))
    recording = load(path, symbol="BTC")
    assert recording.defects == {"no_snapshot": 1, **defects}
    said = "the book of BTC stands still for the last 9 s of 10 s: what is quoted then is quoted blind"
    assert (said in recording.notes) == bool(defects)
