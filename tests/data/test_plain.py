"""Plain CSV and Parquet: columns by name, whole messages, and every contradiction named."""

from decimal import Decimal

import polars as pl
import pytest

from twosided.data.recording import load
from twosided.errors import DataError
from twosided.market.event import Flag, Kind

LAST, SNAPSHOT = int(Flag.LAST_OF_MESSAGE), int(Flag.SNAPSHOT)
STEPS = {"tick_size": "0.25", "lot_size": "0.5", "clock_offset_ns": 0}


def parquet_of(path, **changes):
    """Write the rows of a CSV file as Parquet with proper types."""
    types = {"exch_ns": pl.Int64, "local_ns": pl.Int64, "price": pl.Float64, "size": pl.Float64, "id": pl.Int64, "market": pl.Int8}
    frame = pl.read_csv(path, schema_overrides={**types, "kind": pl.String, "side": pl.String}).with_columns(**changes)
    out = path.with_suffix(".parquet")
    frame.write_parquet(out)
    return out


def test_every_kind_is_read(recording_file):
    events = load(recording_file("plain"), **STEPS).events
    assert list(
        zip(*(events[name].tolist() for name in ("exch_ns", "kind", "side", "ticks", "lots", "id", "flags")), strict=True)
    ) == [
        (1000, Kind.SNAPSHOT_BEGIN, 0, 0, 0, 1, SNAPSHOT),
        (1000, Kind.DEPTH, 1, 398, 6, 1, SNAPSHOT),
        (1000, Kind.DEPTH, -1, 402, 4, 1, SNAPSHOT),
        (1000, Kind.SNAPSHOT_END, 0, 0, 0, 1, SNAPSHOT | LAST),
        (1100, Kind.TRADE, 1, 402, 2, 2, 0),
        (1100, Kind.DEPTH, -1, 402, 2, 2, LAST),
        (1200, Kind.DEPTH, 1, 399, 2, 3, LAST),
        (1300, Kind.CLEAR, -1, 0, 0, 4, LAST),
        (1400, Kind.STATUS, 0, 0, 3, 5, LAST),
        (1500, Kind.FUNDING, 0, 0, -100_000, 6, LAST),
        (1600, Kind.TRADE, -1, 399, 1, 7, LAST),
        (1700, Kind.DEPTH, 1, 399, 0, 8, LAST),
    ]


def test_a_snapshot_is_one_message_at_the_time_of_its_end(recording_file, text_of):
    text = (
        text_of("plain")
        .replace("1000,2000,depth,ask", "1001,2010,depth,ask")
        .replace("1000,2000,snapshot_end", "1002,2020,snapshot_end")
    )
    events = load(recording_file("plain", text=text), **STEPS).events
    assert events["flags"][:5].tolist() == [SNAPSHOT, SNAPSHOT, SNAPSHOT, SNAPSHOT | LAST, 0]
    assert events["exch_ns"][:4].tolist() == [1002] * 4
    assert events["local_ns"][:4].tolist() == [2020] * 4


def test_columns_may_stand_in_any_order_and_optional_ones_be_absent(recording_file, text_of):
    rows = [line.split(",") for line in text_of("plain").splitlines()]
    text = "\n".join(",".join(row[i] for i in (5, 2, 3, 1, 0, 4)) for row in rows) + "\n"
    expected = load(recording_file("plain"), **STEPS).events.copy()
    expected["id"] = 0
    assert (load(recording_file("plain", text=text), **STEPS).events == expected).all()


def test_parquet_gives_the_same_events_with_floats_decimals_or_text(recording_file):
    path = recording_file("plain")
    expected = load(path, **STEPS).events
    for kind in (pl.Float64, pl.String, pl.Decimal(18, 6)):
        out = parquet_of(path, price=pl.col("price").cast(kind), size=pl.col("size").cast(kind))
        recording = load(out, **STEPS)
        assert recording.format == "plain"
        assert (recording.events == expected).all()


def test_windows_line_ends_and_a_byte_order_mark_are_read(recording_file, text_of):
    text = "\ufeff" + text_of("plain").replace("\n", "\r\n")
    assert (load(recording_file("plain", text=text), **STEPS).events == load(recording_file("plain"), **STEPS).events).all()


def test_several_markets_have_several_instruments(recording_file):
    text = """exch_ns,local_ns,kind,side,price,size,market
1,10,depth,bid,99.5,2,0
1,10,depth,bid,4.75,300,1
2,11,trade,sell,99.5,1,0
2,12,trade,sell,4.75,100,1
"""
    recording = load(recording_file("plain", text=text), symbol="ES,AAPL")
    assert [(each.symbol, each.tick_size, each.lot_size) for each in recording.instruments] == [
        ("ES", Decimal("0.5"), Decimal(1)),
        ("AAPL", Decimal("0.25"), Decimal(100)),
    ]
    assert recording.inferred.startswith("tick size 0.5 and lot size 1 of ES, tick size 0.25 and lot size 100 of AAPL inferred")
    assert recording.events["flags"].tolist() == [LAST] * 4
    assert recording.events["lots"].tolist() == [2, 3, 1, 1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("exch_ns,", "exchange_ns,", "lacks the column 'exch_ns' and has the column 'exchange_ns'; expected exch_ns, local_ns"),
        ("id,market", "id,id", "line 1: names a column twice"),
        ("depth,bid", "depht,bid", "line 3: kind is 'depht'; allowed: depth, trade"),
        ("depth,bid", "depth,", "line 3: a depth row without a side"),
        ("depth,bid", "depth,up", "line 3: side is 'up'; allowed"),
        ("99.5,3", "nan,3", "line 3: price is 'nan'"),
        ("99.5,3", "99.5,-3", "line 3: size is -3; allowed: 0 or more"),
        ("99.5,3", "99.5,", "line 3: size is ''; expected a decimal number"),
        ("99.5,3", "100.5,3", "line 3: the snapshot is crossed: best bid 100.50, best ask 100.50"),
        ("snapshot_end", "clear", "line 5: expected only depth between snapshot_begin and snapshot_end"),
        ("1000,2000,snapshot_begin,,,,1,0\n", "", "line 4: a snapshot ends that never began"),
        ("1000,2000,depth,bid,99.5,3", "1000,2000,snapshot_begin,,,", "line 3: a snapshot begins inside another"),
        ("1000,2000,depth,ask,100.5,2,1,0", "1000,2000,depth,ask,100.5,2,1,1", "line 4: (expected one market|market is 1)"),
        ("status,,,3", "status,,,4", "line 10: status is 4; allowed: 0 closed"),
        ("funding,,,-0.0001", "funding,,,1e-12", "line 11: funding rate is 1e-12"),
        (",8,0\n", ",8.5,0\n", "line 13: id is '8.5'"),
        (",8,0\n", ",8,x\n", "line 13: market is 'x'"),
        ("1100,2100,trade", "x,2100,trade", "line 6: exch_ns is 'x'"),
        ("1100,2100,trade", "1100.5,2100,trade", "line 6: exch_ns is 1100.5"),
    ],
)
def test_what_contradicts_itself_is_named(recording_file, text_of, old, new, said):
    text = text_of("plain")
    assert old in text
    with pytest.raises(DataError, match=said):
        load(recording_file("plain", text=text.replace(old, new, 1)), **STEPS)


def test_a_file_that_ends_inside_a_snapshot_is_refused(recording_file, text_of):
    text = "\n".join(text_of("plain").splitlines()[:4]) + "\n"
    with pytest.raises(DataError, match="line 4: the file ends inside a snapshot"):
        load(recording_file("plain", text=text), **STEPS)


def test_parquet_errors_name_rows_and_columns(recording_file):
    path = recording_file("plain")
    with pytest.raises(DataError, match="row 1: price is 'nan'"):
        load(parquet_of(path, price=pl.lit(None, pl.Float64)), **STEPS)
    with pytest.raises(DataError, match="the column 'price' is of type Boolean; expected numbers or text"):
        load(parquet_of(path, price=pl.lit(value=True)), **STEPS)
    with pytest.raises(DataError, match="has the column 'extra'"):
        load(parquet_of(path, extra=pl.lit(1)), **STEPS)


def test_a_damaged_parquet_file_is_one_sentence(recording_file):
    path = parquet_of(recording_file("plain"))
    content = path.read_bytes()
    for damaged in (content[:-20], content[:40], b"PAR1" + b"\0" * 50):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="truncated or corrupt Parquet file"):
            load(path)


def test_a_price_limit_is_read_and_lifted(recording_file, text_of):
    text = text_of("plain") + "1800,2800,band,ask,98.5,1,9,0\n1800,2800,band,bid,101.5,1,9,0\n1900,2900,band,bid,0,0,10,0\n"
    events = load(recording_file("plain", text=text), **STEPS).events[-3:]
    assert [(int(e["kind"]), int(e["side"]), int(e["ticks"]), int(e["lots"])) for e in events] == [
        (Kind.BAND, -1, 394, 2),
        (Kind.BAND, 1, 406, 2),
        (Kind.BAND, 1, 0, 0),
    ]
