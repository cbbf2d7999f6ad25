"""hftbacktest npz: the rows that were seen here, in order, and what its clears mean."""

import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.data.defects import Defects
from twosided.data.hftbacktest import HftbacktestReader
from twosided.data.raw import Settings
from twosided.data.recording import load
from twosided.errors import DataError
from twosided.market.event import EVENT, Flag, Kind

EXCH, LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28
BOTH = EXCH | LOCAL
LAST, SNAPSHOT = int(Flag.LAST_OF_MESSAGE), int(Flag.SNAPSHOT)
STEPS = {"tick_size": "0.5", "lot_size": "0.5", "clock_offset_ns": 0}


@pytest.mark.parametrize("packed", [False, True])
def test_rows_seen_here_are_read_in_their_order(small_npz, packed):
    recording = load(small_npz(packed=packed), **STEPS)
    events = recording.events
    assert list(
        zip(*(events[name].tolist() for name in ("exch_ns", "local_ns", "kind", "side", "ticks", "lots", "flags")), strict=True)
    ) == [
        (100, 200, Kind.DEPTH, 1, 199, 6, SNAPSHOT),
        (100, 200, Kind.DEPTH, 1, 198, 2, SNAPSHOT),
        (100, 200, Kind.DEPTH, -1, 201, 4, SNAPSHOT),
        (100, 200, Kind.DEPTH, -1, 202, 4, SNAPSHOT | LAST),
        (150, 230, Kind.TRADE, 1, 201, 1, LAST),
        (160, 240, Kind.DEPTH, 1, 197, 8, LAST),
        (150, 260, Kind.DEPTH, -1, 201, 3, LAST),
        (200, 300, Kind.DEPTH, 1, 198, 0, SNAPSHOT),  # cleared from the touch to 99.0 and not restated; 98.5 stays
        (200, 300, Kind.DEPTH, 1, 199, 4, SNAPSHOT | LAST),
        (300, 400, Kind.CLEAR, 0, 0, 0, LAST),
    ]
    assert recording.defects == {"exch_backwards": 1, "exchange_only": 1, "other_messages": 1}
    assert recording.format == "hftbacktest"


def test_floats_with_noise_in_their_last_place_are_on_the_grid(npz):
    rows = [(1 | BOTH | BUY, 1, 2, 0.1 * 3, 0.1 + 0.2), (1 | BOTH | BUY, 2, 3, 100 * 0.1, 1e3 * 0.1)]
    events = load(npz(rows), tick_size="0.1", lot_size="0.1").events
    assert events["ticks"].tolist() == [3, 100]
    assert events["lots"].tolist() == [3, 1000]


def test_a_book_bigger_than_a_page_of_rows_is_read_whole(npz, monkeypatch):
    rows = [(1 | BOTH | (BUY if i % 2 else SELL), i // 3, i // 3 + 5, 50.0 + i % 7, float(i % 5)) for i in range(200)]
    path = npz(rows)
    whole = load(path, tick_size="1", lot_size="1").events
    for size in (1, 7, 64):
        monkeypatch.setattr("twosided.data.hftbacktest._ROWS", size)
        assert (load(path, tick_size="1", lot_size="1").events == whole).all()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((10 | BOTH | BUY, 2, 3, 1.0, 1.0), "row 1: ev is .* which is order by order"),
        ((77 | BOTH | BUY, 2, 3, 1.0, 1.0), "row 1: ev is .* which is of no known kind"),
        ((1 | BOTH, 2, 3, 1.0, 1.0), "row 1: ev is .* depth without a side"),
        ((1 | BOTH | BUY, 2, 3, np.nan, 1.0), "row 1: price is 'nan'"),
        ((1 | BOTH | BUY, 2, 3, 1.25, 1.0), "row 1: price is 1.25, which is not a multiple of the tick size 0.5; --tick 0.25"),
        ((1 | BOTH | BUY, 2, 3, 1.0, -1.0), "row 1: size is -1.0; allowed: 0 or more"),
        ((1 | BOTH | BUY, 2, -3, 1.0, 1.0), "row 1: local_ns is -3"),
    ],
)
def test_a_row_that_cannot_be_is_named(npz, row, said):
    with pytest.raises(DataError, match=said):
        load(npz([(1 | BOTH | BUY, 1, 2, 1.0, 1.0), row]), **STEPS)


def test_a_crossed_snapshot_is_refused(npz):
    rows = [(4 | BOTH | BUY, 1, 2, 101.0, 1.0), (4 | BOTH | SELL, 1, 2, 100.0, 1.0)]
    with pytest.raises(DataError, match=r"row 0: the snapshot is crossed: best bid 101.0, best ask 100.0"):
        load(npz(rows), **STEPS)


def test_a_damaged_or_foreign_archive_is_one_sentence(small_npz, tmp_path):
    content = small_npz().read_bytes()
    path = tmp_path / "bad.npz"
    for damaged in (content[: len(content) // 2], content[:-30], content[:70] + b"\xff" * 30 + content[100:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"bad.npz.*(truncated or corrupt npz|its array is)"):
            load(path)
    np.savez(path, data=np.zeros(5))
    with pytest.raises(DataError, match="its array is float64; expected one dimension with the fields ev"):
        load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.csv", "1,2,3")
    with pytest.raises(DataError, match="no known format"):
        load(path)


levels = st.dictionaries(st.integers(1, 12), st.integers(1, 4), max_size=6)


@pytest.mark.interpreted
@given(levels, levels, st.integers(1, 12), st.sampled_from([1, -1]))
def test_a_clear_up_to_a_price_forgets_what_hftbacktest_forgets(old, new, limit, side):
    """hftbacktest removes every level of the side from its best to the price, and sets what follows."""
    within = [ticks for ticks in old if (ticks - limit) * side >= 0]
    rows = [(ticks, lots, Kind.DEPTH, 0) for ticks, lots in old.items()]
    clear = [(limit, 1, Kind.CLEAR, SNAPSHOT)]
    restated = [(ticks, lots, Kind.DEPTH, SNAPSHOT) for ticks, lots in new.items()]
    events = np.zeros(len(rows) + 1 + len(restated), EVENT).view(np.recarray)
    for i, (ticks, lots, kind, flags) in enumerate(rows + clear + restated):
        events[i] = (1, 1, 0, lots, ticks, kind, flags, side, 0)
    if rows:
        events["flags"][len(rows) - 1] |= LAST
    events["flags"][-1] |= LAST
    reader = HftbacktestReader(Settings(None, Defects()))
    settled, origin = reader.settle(events)
    book = {}
    for event in settled:
        assert event["kind"] == Kind.DEPTH
        book[int(event["ticks"])] = int(event["lots"])
    expected = {**{ticks: lots for ticks, lots in old.items() if ticks not in within}, **new}
    assert {ticks: lots for ticks, lots in book.items() if lots} == expected
    assert len(origin) == len(settled)
    if len(settled):
        assert settled["flags"][-1] & LAST
        assert np.count_nonzero(settled["flags"] & LAST) <= 2
