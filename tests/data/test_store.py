"""Stored recordings: the very same events, and either a whole file or none."""

import contextlib
import errno
import json
import os

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.data import store
from twosided.data.checksum import Checksums
from twosided.data.formats import open_source
from twosided.data.info import convert
from twosided.data.recording import load
from twosided.data.store import Header
from twosided.errors import DataError, InputError
from twosided.market.event import EVENT, Kind
from twosided.market.instrument import Fees, Instrument
from twosided.market.run import digest_of


def digest(recording):
    return digest_of({"events": pl.DataFrame({name: np.ascontiguousarray(recording.events[name]) for name in EVENT.names})})


def checksums_of(frame):
    sums = Checksums()
    sums.see({name: frame[name].to_numpy() for name in frame.columns})
    return sums.finish()


@pytest.fixture
def stored(recording_file, tmp_path):
    out = tmp_path / "stored.parquet"
    convert(open_source(recording_file("futures")), out)
    return out


@pytest.mark.parametrize("name", ["spot", "futures", "plain", "trades", "changes", "quotes", "levels"])
def test_raw_and_stored_give_the_same_events(recording_file, tmp_path, name):
    raw, out = recording_file(name), tmp_path / "out.parquet"
    told = []
    result = convert(open_source(raw), out, progress=told.append)
    before, after = load(raw), load(out)
    assert digest(before) == digest(after)
    assert before.instruments == after.instruments
    assert (before.clock_offset_ns, before.min_latency_ns) == (after.clock_offset_ns, after.min_latency_ns)
    assert (before.defects, before.notes, before.inferred) == (after.defects, after.notes, after.inferred)
    assert (result["events"], result["clock_offset_ns"]) == (len(before.events), before.clock_offset_ns)
    assert result["bytes"] == out.stat().st_size
    assert json.loads(json.dumps(result)) == result
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([raw.name, out.name])


def test_a_column_is_stored_for_each_field(stored):
    assert pl.read_parquet_schema(stored) == {
        "exch_ns": pl.Int64,
        "local_ns": pl.Int64,
        "id": pl.UInt64,
        "lots": pl.Int64,
        "ticks": pl.Int32,
        "kind": pl.UInt8,
        "flags": pl.UInt8,
        "side": pl.Int8,
        "market": pl.UInt8,
    }
    assert json.loads(pl.read_parquet_metadata(stored)["twosided"])["names"] == ["futures.txt"]


def test_times_are_stored_corrected_and_not_corrected_again(recording_file, tmp_path):
    out = tmp_path / "out.parquet"
    convert(open_source(recording_file("futures")), out, clock_offset_ns=-2_000_000)
    assert (pl.read_parquet(out)["local_ns"] >= pl.read_parquet(out)["exch_ns"]).all()
    recording = load(out)
    assert recording.clock_offset_ns == -2_000_000
    assert recording.events["local_ns"].tolist() == pl.read_parquet(out)["local_ns"].to_list()
    assert (
        load(out, clock_offset_ns=0).events["local_ns"].tolist()
        == load(recording_file("futures"), clock_offset_ns=0).events["local_ns"].tolist()
    )
    assert load(out, min_latency_ns=7).min_latency_ns == 7


def test_converting_again_keeps_everything_but_the_file(stored, tmp_path):
    again = tmp_path / "again.parquet"
    convert(open_source(stored), again)
    assert digest(load(stored)) == digest(load(again))
    assert open_source(again).made_from == ("futures.txt",)


def test_stored_pieces_join_and_their_clocks_are_set_together(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    for i in range(20):
        made.change([["99.4", f"{i}.5"]])
    pieces, steps = [], {"tick_size": "0.1", "lot_size": "0.1"}
    for number, lines in enumerate((made.lines[:9], made.lines[9:])):
        piece = capture()
        piece.lines = lines
        out = tmp_path / f"{1 - number}.parquet"
        convert(open_source(piece.write(tmp_path / f"{number}.gz"), **steps), out, min_latency_ns=1_000 * (1 + number))
        pieces.append(out)
    whole, joined = load(made.write(tmp_path / "whole.gz"), **steps), load(pieces)
    assert (joined.events == whole.events).all()
    assert joined.clock_offset_ns == whole.clock_offset_ns
    assert joined.names == ("1.parquet", "0.parquet")


def test_other_instruments_do_not_join(recording_file, tmp_path):
    outs = []
    for tick in ("0.1", "0.05"):
        outs.append(tmp_path / f"{tick}.parquet")
        convert(open_source(recording_file("futures"), tick_size=tick, lot_size="0.25"), outs[-1])
    with pytest.raises(DataError, match="holds other instruments than"):
        load(outs)


def test_what_the_file_states_cannot_be_stated_otherwise_but_fees_can(stored):
    assert load(stored, tick_size="0.1", lot_size="0.25", symbol="BTCUSDT").inferred == load(stored).inferred
    with pytest.raises(DataError, match=r"its tick size is 0.1, not 0.2; the file states it, so leave it out"):
        load(stored, tick_size="0.2")
    with pytest.raises(DataError, match="its symbol is BTCUSDT, not ETHUSDT"):
        load(stored, symbol="ETHUSDT")
    assert load(stored, fees=Fees(taker_bps=5)).instruments[0].fees == Fees(taker_bps=5)


def test_an_older_file_is_replaced_and_an_input_is_not(recording_file, stored):
    before = stored.read_bytes()
    convert(open_source(recording_file("spot")), stored)
    assert stored.read_bytes() != before
    with pytest.raises(InputError, match="is one of the files to convert; name another"):
        convert(open_source(stored), stored)


def test_places_that_cannot_be_written_are_refused(recording_file, tmp_path):
    source = open_source(recording_file("spot"))
    with pytest.raises(InputError, match="is a folder; name a file in it"):
        convert(source, tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        convert(source, tmp_path / "nowhere" / "a.parquet")


def test_a_full_disk_leaves_nothing_behind(recording_file, tmp_path, monkeypatch):
    def on_full_disk(path):
        link = path.with_name("link-to-full-disk")
        link.symlink_to("/dev/full")
        return link

    monkeypatch.setattr(store, "_partial_name", on_full_disk)
    out = tmp_path / "out.parquet"
    with pytest.raises(InputError, match=r"out.parquet cannot be written: .*No space left on device.*nothing was left behind"):
        convert(open_source(recording_file("spot")), out)
    assert [path.name for path in tmp_path.iterdir()] == ["spot.txt"]


def test_a_recording_that_breaks_off_leaves_nothing_behind(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    for _ in range(2000):
        made.change([["99.4", "1"]])
    path, out = made.write(tmp_path / "a"), tmp_path / "out.parquet"
    out.write_text("older")
    source = open_source(path)
    path.write_text(path.read_text() + "not a line\n")
    with pytest.raises(DataError, match="a, line 2002"):
        convert(source, out)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "out.parquet"]
    assert out.read_text() == "older"
    fails = iter([False, True])

    class Breaking(type(source)):
        def chunks(self):
            broken = next(fails)
            for events in super().chunks():
                yield events
                if broken:
                    raise DataError(path, "line 5", "broke off while it was written")

    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    again = open_source(path)
    again.__class__ = Breaking
    with pytest.raises(DataError, match="broke off while it was written"):
        convert(again, out)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "out.parquet"]
    assert out.read_text() == "older"


def _rewritten(stored, *, header=None, **columns):
    """Write the stored file again with other columns or another header, and the checksums that it would have."""
    metadata = json.loads(pl.read_parquet_metadata(stored)["twosided"])
    frame = pl.read_parquet(stored).with_columns(**columns)
    if not sum(frame.null_count().row(0)) and frame.schema["ticks"] == pl.Int32:
        metadata["checksums"] = checksums_of(frame)
    frame.write_parquet(stored, metadata={"twosided": json.dumps({**metadata, **(header or {})})})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": pl.lit(9, pl.UInt8)}, "row 0: kind is 9, which no event can have"),
        ({"lots": pl.lit(-1, pl.Int64)}, "row 0: lots is -1"),
        ({"side": pl.lit(2, pl.Int8)}, "row 0: side is 2"),
        ({"market": pl.lit(1, pl.UInt8)}, "row 0: market is 1"),
        ({"flags": pl.lit(0, pl.UInt8)}, "its last message does not end"),
        ({"exch_ns": pl.lit(-1, pl.Int64)}, "row 0: exch_ns is -1"),
        ({"local_ns": pl.col("local_ns") - 2 * 10**9 * pl.int_range(pl.len())}, "row 1: local time .* is 1.98 s before"),
        ({"ticks": pl.col("ticks").cast(pl.Int64)}, "the column 'ticks' is Int64; expected Int32"),
        ({"id": pl.lit(None, pl.UInt64)}, "a value is missing"),
        ({"header": {"format": 1}}, "is of version 1 of this format; this package reads version 2"),
        ({"header": {"checksums": []}}, "has 0 checksums of 40 events; convert the recording again"),
        (
            {"header": {"checksums": ["0123456789abcdef"]}},
            r"stored.parquet, rows 0 to 39: their checksum is \w+; expected 0123456789",
        ),
        ({"header": {"instruments": []}}, "version"),
        ({"header": {"events": "many"}}, "its metadata cannot be read"),
        ({"header": {"events": 3}}, "holds 40 events; expected 3"),
    ],
)
def test_a_file_that_was_changed_is_refused(stored, change, said):
    _rewritten(stored, **change)
    with pytest.raises(DataError, match=said):
        load(stored)


def test_long_recordings_are_read_in_pieces_that_cut_no_message(capture, tmp_path, monkeypatch):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    for i in range(60):
        made.change([[f"9{i % 10}.4", f"{i}"], ["80", f"{i + 1}"]])
    path, out = made.write(tmp_path / "a.gz"), tmp_path / "out.parquet"
    convert(open_source(path), out)
    monkeypatch.setattr("twosided.data.parquet.ROWS_PER_BLOCK", 7)
    chunks = list(open_source(out).chunks())
    assert len(chunks) > 5
    assert all(chunk["flags"][-1] & 1 for chunk in chunks)
    assert (np.concatenate(chunks)["ticks"] == load(path).events["ticks"]).all()


def test_writing_is_tried_again_by_nobody(tmp_path, recording_file, monkeypatch):
    def refuse(*_args, **_options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", refuse)
    with pytest.raises(InputError, match="Read-only file system; nothing was left behind"):
        convert(open_source(recording_file("spot")), tmp_path / "out.parquet")


@pytest.fixture(scope="module")
def long_file(tmp_path_factory):
    """Return a stored file of 60,000 events whose numbers hardly compress, and the digest of what is in it."""
    rng, path = np.random.default_rng(5), tmp_path_factory.mktemp("stored") / "long.parquet"
    events = np.zeros(60_000, EVENT)
    events["exch_ns"] = events["local_ns"] = 10**18 + np.cumsum(rng.integers(0, 10**7, len(events)))
    events["id"], events["lots"] = rng.integers(0, 1 << 40, len(events)), rng.integers(0, 10**6, len(events))
    events["ticks"], events["side"] = rng.integers(1, 10**6, len(events)), rng.choice((-1, 1), len(events))
    events["kind"], events["flags"] = Kind.DEPTH, 1
    facts = {"source_format": "plain", "defects": {}, "notes": (), "inferred": "", "names": ("made",)}
    instruments = (Instrument(symbol="X", venue="Y", currency="EUR", tick_size="0.01", lot_size="1"),)
    header = Header(instruments=instruments, events=len(events), clock_offset_ns=0, min_latency_ns=0, **facts)
    return store.write_store(path, header, iter([events[:7], events[7:]])), digest(load(path))


@settings(max_examples=150, deadline=None)
@given(where=st.floats(0, 1), count=st.sampled_from([1, 8, 200, 4096]))
def test_zeroed_bytes_anywhere_are_an_error_or_change_nothing(long_file, where, count):
    path, whole = long_file
    content = bytearray(path.read_bytes())
    begin = int(where * (len(content) - 1))
    if not any(content[begin : begin + count]):
        return
    content[begin : begin + count] = bytes(len(content[begin : begin + count]))
    damaged = path.with_name("damaged.parquet")
    damaged.write_bytes(content)
    with contextlib.suppress(DataError):
        assert digest(load(damaged)) == whole  # what was zeroed means nothing to a reader


@settings(max_examples=50, deadline=None)
@given(where=st.floats(0.01, 0.99))
def test_200_zeroed_bytes_in_the_middle_are_always_an_error(long_file, where):
    path, _ = long_file
    content = bytearray(path.read_bytes())
    begin = int(where * len(content))
    content[begin : begin + 200] = bytes(200)
    damaged = path.with_name("damaged.parquet")
    damaged.write_bytes(content)
    with pytest.raises(DataError, match=r"damaged\.parquet"):
        list(open_source(damaged).chunks())
