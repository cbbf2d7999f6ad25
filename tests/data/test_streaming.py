"""A streamed recording says of itself what the same recording in memory says, and replays to the same digest."""

import numpy as np
import pytest

from twosided.data.recording import load
from twosided.data.streaming import stream
from twosided.engines.replay import replay
from twosided.errors import DataError, InputError
from twosided.strategies.catalogue import find_strategy

HEADER = "exch_ns,local_ns,kind,side,price,size\n"
USDM = ("data", "binance", "usdm_btcusdt_20240808.gz")


@pytest.fixture
def backwards(tmp_path):
    """A clock that is wrong, an exchange time that steps back, and a book that falls silent."""
    rows = ["1000,600,depth,buy,99,5", "1000,600,depth,sell,101,5", "2000,1500,depth,buy,98,5", "1900,1600,trade,buy,101,2"]
    rows += [f"{5000 + i},{4600 + i},trade,sell,99,1" for i in range(0, 2000, 100)]
    path = tmp_path / "day.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("clock", [{}, {"min_latency_ns": 70}, {"clock_offset_ns": -100}])
def test_it_says_what_the_recording_in_memory_says(backwards, clock):
    whole, streamed = load(backwards, **clock), stream(backwards, **clock)
    assert np.array_equal(np.concatenate(list(streamed.chunks())), whole.events)
    assert streamed.facts() == whole.facts()
    assert streamed.survey() == whole.survey()
    assert streamed.span_ns == whole.span_ns
    for asked in ({}, {"most": 3}, {"until_ns": whole.span_ns[0] + 2000}, {"until_ns": whole.span_ns[0] + 2000, "most": 1}):
        assert np.array_equal(streamed.beginning(**asked).events, whole.beginning(**asked).events)


def test_it_can_be_read_again_and_again(backwards):
    streamed = stream(backwards)
    first, second = (np.concatenate(list(streamed.chunks())) for _ in range(2))
    assert np.array_equal(first, second)


def test_progress_is_told_and_ends_at_the_end(backwards):
    seen = []
    stream(backwards, progress=seen.append)
    assert seen[-1] == 1.0


def test_what_cannot_be_read_is_refused_as_load_refuses_it(tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text(HEADER)
    with pytest.raises(DataError, match="no events"):
        stream(empty)
    with pytest.raises(InputError, match="min_latency_ns"):
        stream(_quiet(tmp_path), min_latency_ns=-1)


def _quiet(folder):
    path = folder / "quiet.csv"
    path.write_text(HEADER + "1000,1600,depth,buy,99,5\n1000,1600,depth,sell,101,5\n")
    return path


def test_a_real_recording_is_replayed_alike(shared):
    path = shared(*USDM)
    strategy = find_strategy("fixed").with_params({"half_spread": 1.0})
    assert replay(stream(path), strategy).digest() == replay(load(path), strategy).digest()
