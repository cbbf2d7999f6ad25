"""What is said about a recording is what a slow count over its events finds."""

import itertools
import json

import numpy as np
import pytest

from twosided.data.book_check import BookCheck
from twosided.data.formats import open_source
from twosided.data.info import _Latencies, convert, describe
from twosided.data.recording import load
from twosided.errors import InputError
from twosided.market.event import EVENT, Flag, Kind
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.touch import touches

PROMISED = {
    "events",
    "trades",
    "gaps",
    "crossed",
    "orphans",
    "clock_offset_ns",
    "tick_size",
    "lot_size",
    "start_ns",
    "end_ns",
}


@pytest.mark.parametrize("name", ["spot", "futures", "plain", "trades", "changes", "quotes", "levels"])
def test_counts_are_those_of_the_events(recording_file, name):
    path = recording_file(name)
    told, recording = describe(open_source(path)), load(path)
    events = recording.events
    assert set(told) > PROMISED
    assert json.loads(json.dumps(told)) == told
    assert told["events"] == len(events)
    assert told["trades"] == sum(event["kind"] == Kind.TRADE for event in events)
    assert told["messages"] == sum(bool(event["flags"] & Flag.LAST_OF_MESSAGE) for event in events)
    assert told["events_by_kind"] == {
        Kind(kind).name: int(count) for kind, count in zip(*np.unique(events["kind"], return_counts=True), strict=True)
    }
    assert (told["start_ns"], told["end_ns"]) == (events["exch_ns"].min(), events["exch_ns"].max())
    assert (told["clock_offset_ns"], told["min_latency_ns"]) == (recording.clock_offset_ns, recording.min_latency_ns)
    assert told["defects"] == recording.defects
    ends = events[events["flags"] & Flag.LAST_OF_MESSAGE != 0]
    latency = ends["local_ns"] - ends["exch_ns"]
    assert told["latency_ns"]["corrected"]["max"] == latency.max()
    assert told["latency_ns"]["corrected"]["min"] == latency.min()
    assert told["latency_ns"]["recorded"]["p50"] - told["clock_offset_ns"] == told["latency_ns"]["corrected"]["p50"]
    milliseconds = (ends["exch_ns"] // 1_000_000).tolist()
    same = sum(a == b for a, b in itertools.pairwise(milliseconds))
    assert told["same_millisecond_share"] == same / len(ends)
    assert told["exch_backwards_share"] == (np.diff(ends["exch_ns"]) < 0).sum() / len(ends)


def test_crossed_states_are_counted_after_whole_messages_only(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    made.change([["101", "1"]], [["100.5", "0"], ["101.5", "1"]])  # crossed inside the message only
    made.change([["102", "1"]]).change([["90", "1"]]).change([["102", "0"]])
    told = describe(open_source(made.write(tmp_path / "a")))
    assert told["crossed"] == 2
    assert told["gaps"] == 0


def test_the_offset_can_be_stated(recording_file):
    source = open_source(recording_file("futures"))
    assert describe(source, clock_offset_ns=0)["clock_offset_ns"] == 0
    assert describe(source, min_latency_ns=9)["min_latency_ns"] == 9
    with pytest.raises(InputError, match="state one of them"):
        describe(source, min_latency_ns=9, clock_offset_ns=0)


def test_a_stored_file_is_described_as_what_it_was_made_from(recording_file, tmp_path):
    path, out = recording_file("futures"), tmp_path / "out.parquet"
    convert(open_source(path), out)
    before, after = describe(open_source(path)), describe(open_source(out))
    assert after["made_from"] == ["futures.txt"]
    for name in set(before) - {"files", "format", "made_from", "book_check"}:
        assert before[name] == after[name], name


def touch_at(lines, index):
    """Return the touch after the message that event *index* ends."""
    before = lines[lines["event"] <= index]
    names = ("bid_ticks", "bid_lots", "ask_ticks", "ask_lots")
    return tuple(int(before[-1][name]) for name in names) if len(before) else (NO_BID, 0, NO_ASK, 0)


def naive_check(events, quotes):
    """Return (compared, agree) of each book update with the last quote at or before its id, if a quote as late was seen."""
    lines, compared, agree = touches(events), 0, 0
    for i, event in enumerate(events):
        if not event["flags"] & Flag.LAST_OF_MESSAGE or event["kind"] == Kind.TRADE:
            continue
        before = [quote for quote in quotes if quote[0] <= event["id"]]
        if not before or quotes[-1][0] < event["id"]:
            continue
        compared += 1
        agree += touch_at(lines, i) == before[-1][1:]
    return compared, agree


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("block", [1, 3, 50])
def test_the_check_of_the_book_is_that_of_a_slow_search(seed, block):
    rng = np.random.default_rng(seed)
    events = np.zeros(40, EVENT).view(np.recarray)
    events["kind"] = np.where(rng.random(40) < 0.8, Kind.DEPTH, Kind.TRADE)
    events["side"], events["lots"] = rng.choice([1, -1], 40), rng.integers(0, 3, 40)
    events["ticks"] = 100 - events["side"] * rng.integers(1, 4, 40)
    events["id"] = np.cumsum(rng.integers(1, 3, 40))
    events["flags"] = Flag.LAST_OF_MESSAGE
    lines = touches(events)
    quotes = []
    for number in sorted(set(rng.integers(5, int(events["id"][-1]) + 2, 20).tolist())):
        line = lines[max(int(np.searchsorted(lines["id"], number, side="right")) - 1, 0)]
        wrong = rng.random() < 0.2
        quotes.append((number, line["bid_ticks"] + wrong, line["bid_lots"], line["ask_ticks"], line["ask_lots"]))
    quotes = [quote for quote in quotes if abs(quote[1]) < 2**31 and quote[3] < 2**31]
    check = BookCheck()
    for begin in range(0, 40, block):
        updates = [i for i in range(begin, min(begin + block, 40)) if events["kind"][i] == Kind.DEPTH]
        books = [[int(events["id"][i]), *touch_at(lines, i)] for i in updates]
        fresh = quotes[len(quotes) * begin // 40 : len(quotes) * min(begin + block, 40) // 40]
        check.see(np.array(books, np.int64).reshape(-1, 5), np.array(fresh, np.int64).reshape(-1, 5))
    result = check.result()
    assert (result["compared"], result["agree"]) == naive_check(events, quotes)
    books = int((events["kind"] == Kind.DEPTH).sum())
    assert result["compared"] + sum(result["not_compared"].values()) == books


def test_long_recordings_keep_every_second_latency_and_the_extremes(monkeypatch):
    monkeypatch.setattr("twosided.data.info._MOST_LATENCIES", 100)
    latencies, values = _Latencies(), np.random.default_rng(1).permutation(1000)
    for begin in range(0, 1000, 33):
        latencies.see(values[begin : begin + 33])
    assert latencies.every == 16
    assert np.concatenate(latencies._kept).tolist() == values[::16].tolist()
    found = latencies.quantiles(10)
    assert (found["min"], found["max"]) == (-10, 989)
    assert abs(found["p50"] - 490) < 150
