"""The proof on real recordings: nothing is missing, nothing crosses, and the venue's own best prices agree."""

import pytest

from twosided.data.formats import open_source
from twosided.data.info import convert, describe
from twosided.data.recording import load
from twosided.errors import DataError
from twosided.market.event import Kind, exchange_order
from twosided.market.touch import TouchTracker

RECORDINGS = {
    "futures": ["usdm_btcusdt_20240808.gz"],
    "spot": ["spot_btcusdt_20240809.gz", "spot_btcusdt_20240808.gz"],
}


@pytest.fixture(scope="session", params=RECORDINGS)
def recording_paths(request, shared):
    return request.param, [shared("data", "binance", name) for name in RECORDINGS[request.param]]


def test_no_gap_no_crossed_state_and_the_venue_agrees(recording_paths):
    name, paths = recording_paths
    told = describe(open_source(paths))
    assert (told["gaps"], told["crossed"], told["orphans"]) == (0, 0, 0)
    assert set(told["defects"]) == {"exch_backwards"}
    check = told["book_check"]
    assert check["compared"] > 6_000  # every update of the book but those outside the span of the best prices
    assert check["share"] > 0.99
    assert check["same_id_compared"] > 600  # where a best price has the very id of an update, all agree
    assert check["same_id_agree"] == check["same_id_compared"]
    assert sum(check["not_compared"].values()) <= 2
    assert told["snapshots"] == 1
    assert told["trades"] == {"futures": 21_313, "spot": 19_904}[name]
    assert told["tick_size"] == {"futures": 0.1, "spot": 0.01}[name]
    assert told["clock_offset_ns"] < -1_200_000_000  # the local clock runs 1.27 s behind
    assert told["latency_ns"]["recorded"]["max"] < 0 < told["latency_ns"]["corrected"]["min"]


def test_the_book_is_never_crossed_in_the_exchange_s_order_either(recording_paths):
    _, paths = recording_paths
    recording = load(paths)
    tracker = TouchTracker()
    tracker.feed(exchange_order(recording.events))
    assert tracker.crossed == 0
    assert tracker.updates > 6_000


def test_converted_and_raw_are_the_same(recording_paths, tmp_path):
    _, paths = recording_paths
    out = tmp_path / "out.parquet"
    convert(open_source(paths), out)
    raw, stored = load(paths), load(out)
    assert (raw.events == stored.events).all()
    assert raw.facts()["defects"] == stored.facts()["defects"]


def test_the_second_spot_file_alone_begins_without_a_snapshot(shared):
    recording = load(shared("data", "binance", "spot_btcusdt_20240809.gz"))
    assert recording.defects["no_snapshot"] == 1
    assert "gaps" not in recording.defects
    assert recording.events["kind"][0] == Kind.DEPTH


def test_a_real_recording_that_breaks_off_names_the_byte(shared, tmp_path):
    content = shared("data", "binance", "usdm_btcusdt_20240808.gz").read_bytes()
    path = tmp_path / "cut.gz"
    path.write_bytes(content[:1_000_000])
    with pytest.raises(DataError, match=r"cut.gz, byte 1000000: the gzip stream breaks off: the file is truncated"):
        load(path)


def test_a_tick_that_does_not_divide_the_prices_is_refused(shared):
    path = shared("data", "binance", "usdm_btcusdt_20240808.gz")
    with pytest.raises(
        DataError, match=r"line \d+: price is \S+, which is not a multiple of the tick size 0.5; --tick 0.1 would fit both"
    ):
        load(path, tick_size="0.5", lot_size="0.001")
