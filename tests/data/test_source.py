"""Order in time, several markets and several streams: what a source does with whatever a reader gives it."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.data.formats import open_source
from twosided.data.recording import load
from twosided.data.source import _merge
from twosided.errors import DataError
from twosided.market.event import EVENT, Flag

HEADER = "exch_ns,local_ns,kind,side,price,size\n"
SECOND = 1_000_000_000


def plain(tmp_path, times, name="a.csv"):
    """Write one trade per (exch_ns, local_ns)."""
    path = tmp_path / name
    path.write_text(HEADER + "".join(f"{exch},{local},trade,buy,100,1\n" for exch, local in times))
    return path


def test_small_steps_back_of_the_local_clock_are_moved_forward_and_counted(tmp_path):
    path = plain(tmp_path, [(10, 5 * SECOND), (20, 4 * SECOND), (30, 4 * SECOND + 1), (40, 6 * SECOND)])
    recording = load(path, clock_offset_ns=0)
    assert recording.events["local_ns"].tolist() == [5 * SECOND, 5 * SECOND, 5 * SECOND, 6 * SECOND]
    assert recording.defects["local_backwards"] == 2
    assert "a.csv, line 3: the local clock stepped back" in recording.notes[0]


def test_larger_steps_back_are_unordered_time(tmp_path):
    path = plain(tmp_path, [(10, 5 * SECOND), (20, 4 * SECOND - 1)])
    with pytest.raises(DataError, match=r"a.csv, line 3: local time .* is 1 s before .*expected times in order"):
        load(path)


def test_files_that_overlap_are_unordered_time(tmp_path):
    first = plain(tmp_path, [(0, 1 * SECOND), (0, 9 * SECOND)], "a.csv")
    second = plain(tmp_path, [(0, 3 * SECOND)], "b.csv")
    with pytest.raises(DataError, match=r"b.csv, line 2: local time"):
        load([first, second])


def test_exchange_time_that_runs_backwards_is_counted_not_refused(tmp_path):
    recording = load(plain(tmp_path, [(10, 100), (8, 110), (20, 120), (18, 130), (18, 140), (17, 150)]))
    assert recording.defects == {"exch_backwards": 2}  # a nanosecond is how readers say "later at the same time"
    assert recording.events["exch_ns"].tolist() == [10, 8, 20, 18, 18, 17]


@pytest.mark.parametrize("times", [(-1, 5), (5, -1), (2**62, 5), (5, 2**62)])
def test_a_time_that_is_none_is_refused(tmp_path, times):
    with pytest.raises(DataError, match=r"line 2: (exch|local)_ns is"):
        load(plain(tmp_path, [times]))


def test_a_source_can_be_read_again_and_counts_anew(tmp_path):
    source = open_source(plain(tmp_path, [(10, 100), (8, 110)]))
    for _ in range(2):
        assert sum(len(chunk) for chunk in source.chunks()) == 2
        assert source.defects.counts == {"exch_backwards": 1}
        assert source.fraction_read == 1.0


def test_reading_in_blocks_is_reading_at_once(tmp_path, monkeypatch, text_of):
    for name in ("plain", "changes", "levels", "trades"):
        path = tmp_path / f"{name}.csv"
        path.write_text(text_of(name))
        whole = load(path)
        for size in (40, 90, 300):
            monkeypatch.setattr("twosided.data.files._BLOCK_BYTES", size)
            pieces = load(path)
            assert (pieces.events == whole.events).all()
        monkeypatch.undo()


streams = st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3)), max_size=6), min_size=1, max_size=3)


@given(streams, st.lists(st.integers(0, 6), max_size=3))
def test_merging_is_a_stable_sort_by_local_time_that_cuts_no_message(streams, cuts):
    """A stream is a list of messages (time, number of events)."""
    parts = []
    for number, stream in enumerate(streams):
        messages = []
        for index, (time, count) in enumerate(sorted(stream, key=lambda message: message[0])):
            message = np.zeros(count, EVENT)
            message["local_ns"], message["id"], message["market"] = time, index, number
            message["flags"][-1] = Flag.LAST_OF_MESSAGE
            messages.append(message)
        places = sorted({0, *(cut for cut in cuts if cut < len(messages)), len(messages)})
        parts.append([np.concatenate(messages[a:b]) for a, b in itertools.pairwise(places) if b > a])
    merged = list(_merge([iter(part) for part in parts]))
    found = np.concatenate(merged) if merged else np.zeros(0, EVENT)
    flat = [events for part in parts for events in part]
    assert sorted(found.tolist()) == sorted(np.concatenate(flat).tolist() if flat else [])
    assert (np.diff(found["local_ns"]) >= 0).all()
    for number in range(len(streams)):  # each stream keeps its own order
        own = found[found["market"] == number]
        assert own.tolist() == [event for events in parts[number] for event in events.tolist()]
    message = np.cumsum(np.concatenate(([0], found["flags"][:-1] & Flag.LAST_OF_MESSAGE)))
    for each in np.unique(message[: len(found)]):
        assert len({(event["market"], event["id"]) for event in found[message[: len(found)] == each]}) == 1
