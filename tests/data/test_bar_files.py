"""Bars in files: minute bars of Lean in their zones, and CSV files; what cannot be used is counted, what is broken has its line."""

import gzip
import zipfile
from datetime import UTC, datetime

import pytest

from twosided.data.bar_files import holds_bars, read_bars
from twosided.errors import DataError, InputError


def lean(folder, day, members, kind="quote"):
    folder.mkdir(exist_ok=True)
    path = folder / f"{day}_{kind}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, rows in members.items():
            archive.writestr(f"{day}_{name}.csv", "\n".join(rows))
    return path


def quote(ms, bid, ask):
    return f"{ms},{bid},{bid},{bid},{bid},5,{ask},{ask},{ask},{ask},7"


def at(series, index):
    return datetime.fromtimestamp(int(series.known_ns[index]) / 1e9, UTC).strftime("%Y-%m-%d %H:%M")


STOCK = {"spy_minute_quote": [quote(34_200_000, 1672000, 1673000), quote(34_260_000, 1673000, 1674000)]}


def test_a_stock_s_bars_are_new_york_s_in_summer_and_in_winter_and_known_at_their_end(tmp_path):
    lean(tmp_path / "spy", "20131007", STOCK)
    lean(tmp_path / "spy", "20131107", STOCK)
    series = read_bars([tmp_path / "spy"])
    assert [at(series, i) for i in range(4)] == ["2013-10-07 13:31", "2013-10-07 13:32", "2013-11-07 14:31", "2013-11-07 14:32"]
    assert series.prices.tolist() == pytest.approx([167.25, 167.35] * 2)
    assert series.every_ns == 60 * 10**9
    assert series.notes[0] == "SPY: times are taken to be America/New_York, the vendor's for stocks"
    assert at(read_bars([tmp_path / "spy"], zone="UTC"), 0) == "2013-10-07 09:31"


def test_of_a_future_the_contract_with_most_bars_is_read_in_utc_and_dollars(tmp_path):
    members = {
        "es_minute_quote_201312": [quote(ms, 1676.5, 1676.75) for ms in (0, 60_000, 120_000)],
        "es_minute_quote_201403": [quote(0, 1670.5, 1672.75)],
    }
    series = read_bars([lean(tmp_path / "es", "20131007", members)])
    assert series.name == "ES 201312"
    assert at(series, 0) == "2013-10-07 00:01"
    assert set(series.prices) == {1676.625}
    assert "contract 201312 of 201312, 201403" in series.notes[1]


def test_bars_that_cannot_be_used_are_counted(tmp_path):
    rows = [quote(0, 10, 11), "60000,,,,,,11,11,11,11,7", quote(120_000, 12, 11), quote(120_000, 10, 11), quote(60_000, 10, 11)]
    series = read_bars([lean(tmp_path / "es", "20131007", {"es_minute_quote_201312": rows})])
    assert len(series) == 2
    said = "\n".join(series.notes)
    for reason in ("one side has no quote", "bid above ask", "their time does not come after"):
        assert f"1 of 5 bars left out: {reason}" in said


def test_quotes_are_preferred_to_trades_of_the_same_folder(tmp_path):
    lean(tmp_path / "spy", "20131007", STOCK)
    lean(tmp_path / "spy", "20131007", {"spy_minute_trade": ["34200000,1,1,1,990000,5"] * 2}, kind="trade")
    assert read_bars([tmp_path / "spy"]).prices[0] == pytest.approx(167.25)
    one = read_bars([lean(tmp_path / "t", "20131007", {"spy_minute_trade": [f"{m}00000,1,1,1,990000,5" for m in (0, 6)]}, "trade")])
    assert one.prices.tolist() == pytest.approx([99.0, 99.0])


def test_csv_files_of_both_kinds(tmp_path):
    daily = tmp_path / "index.csv.gz"
    daily.write_bytes(
        gzip.compress(
            b"Date,Open,High,Low,Close,Adj Close,Volume\n1/4/1999,1,2,1,2,1.5,9\n1/5/1999,1,2,1,2,null,9\n1/6/1999,1,2,1,2,1.75,9\n"
        )
    )
    series = read_bars([daily])
    assert series.prices.tolist() == [1.5, 1.75]
    assert series.name == "index"
    ours = tmp_path / "bars.csv"
    ours.write_text("begin_ns,open,high,low,close,volume\n1700000000000000000,1,2,1,2,9\n1700000060000000000,1,2,1,3,9\n")
    series = read_bars([ours])
    assert series.known_ns.tolist() == [1_700_000_060_000_000_000, 1_700_000_120_000_000_000]  # at its end
    assert holds_bars(daily)
    assert holds_bars(ours)
    assert holds_bars(tmp_path)
    events = tmp_path / "book.csv"
    events.write_text("exch_ns,local_ns,kind,side,price,size\n")
    assert not holds_bars(events)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["1,2,3"], r"line 1: has 3 columns; expected 6 \(trades\) or 11"),
        ([quote(0, 10, 11), quote("soon", 10, 11)], "line 2: begins at 'soon'; expected milliseconds"),
        ([quote(90_000_000, 10, 11)], "line 1: begins at '90000000'"),
        ([quote(0, "ten", 11)], "line 1: closes at ten / 11; expected prices"),
        ([quote(0, -1, 11)], "line 1: closes at -1 / 11; expected prices"),
        ([quote(0, 10, 11)], "holds 1 bars that can be used"),
    ],
)
def test_a_broken_bar_has_its_line(tmp_path, rows, said):
    path = lean(tmp_path / "es", "20131007", {"es_minute_quote_201312": rows})
    with pytest.raises(DataError, match=said):
        read_bars([path])


def test_what_is_not_bars_is_refused(tmp_path):
    (tmp_path / "20131007_quote.zip").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(DataError, match="is no zip archive that can be read"):
        read_bars([tmp_path / "20131007_quote.zip"])
    with pytest.raises(DataError, match="is no minute bars"):
        read_bars([lean(tmp_path / "x", "20131007", {"notes": ["1"]})])
    with pytest.raises(DataError, match="no such file"):
        read_bars([tmp_path / "y" / "20131007_quote.zip"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="is a folder without bars"):
        read_bars([tmp_path / "empty"])
    with pytest.raises(InputError, match="zone is 'Mars'"):
        read_bars([lean(tmp_path / "spy", "20131007", STOCK)], zone="Mars")
    for text, said in (
        ("a,b\n1,2\n", "line 1: has the columns a, b"),
        ("date,close\n2018-01-02,1\n2018-01-01,1\n", "line 3: 2018-01-01 does not come after"),
        ("date,close\nsoon,1\n", "line 2: 'soon' is no time"),
        ("date,close\n2018-01-02,x\n", "line 2: closes at 'x'"),
        ("date,close\n2018-01-02\n", "line 2: has 1 columns"),
    ):
        (tmp_path / "bars.csv").write_text(text)
        with pytest.raises(DataError, match=said):
            read_bars([tmp_path / "bars.csv"])


def test_the_recorded_minutes_of_the_future_and_of_the_fund_are_read(shared):
    future, fund = read_bars([shared("data", "bars", "es_minute")]), read_bars([shared("data", "bars", "spy_minute")])
    assert (future.name, len(future), fund.name, len(fund)) == ("ES 201312", 6868, "SPY", 4557)
    assert "46 of 6,918 bars left out: one side has no quote" in future.notes
    assert len(read_bars([shared("data", "bars", "sp500.csv.gz")])) == 5031
