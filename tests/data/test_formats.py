"""A file says what it is by its content; what it does not say is asked for or inferred aloud."""

import gzip
from decimal import Decimal

import pytest

from twosided.data.formats import open_source
from twosided.data.recording import load
from twosided.errors import DataError, InputError
from twosided.market.instrument import Fees


@pytest.mark.parametrize(
    ("name", "known_as"),
    [("spot", "binance"), ("futures", "binance"), ("plain", "plain")]
    + [(name, "tardis") for name in ("trades", "changes", "quotes", "levels")],
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_format_is_recognised_whatever_the_name(tmp_path, text_of, name, known_as, packed):
    path = tmp_path / "data.bin"
    content = text_of(name).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    assert open_source(path).format == known_as
    assert open_source(path, format=known_as).format == known_as


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02", b"hello\n", b"a,b,c\n1,2,3\n", b'{"e":"trade"}\n', b"PK\x05\x06" + b"\0" * 18, b"%PDF-1.4"]
)
def test_an_unknown_format_says_what_was_found_and_what_is_known(tmp_path, content):
    path = tmp_path / "data"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is of no known format \(it begins with .*known: bybit, .*binance, .*tardis, "):
        open_source(path)


def test_a_stated_format_must_be_the_files(recording_file):
    with pytest.raises(DataError, match=r"is a capture of Binance's streams.*expected a CSV file of Tardis.dev"):
        open_source(recording_file("spot"), format="tardis")
    with pytest.raises(InputError, match=r"format is 'tardsi'; did you mean 'tardis'\?"):
        open_source(recording_file("spot"), format="tardsi")


def test_files_of_different_formats_do_not_join(recording_file):
    with pytest.raises(DataError, match="expected files of one format"):
        open_source([recording_file("spot"), recording_file("plain")])


def test_two_descriptions_of_one_book_do_not_join(recording_file):
    with pytest.raises(InputError, match=r"quotes.*expected one description of the book"):
        open_source([recording_file("quotes"), recording_file("changes")])


def test_a_file_named_twice_is_refused(recording_file):
    path = recording_file("plain")
    with pytest.raises(InputError, match="twice; expected every file once"):
        open_source([path, path.parent / "." / path.name])


def test_no_files_are_refused():
    with pytest.raises(InputError, match="paths is empty"):
        open_source([])


def test_steps_that_nobody_states_are_inferred_aloud(recording_file):
    source = open_source(recording_file("futures"))
    assert (source.instruments[0].tick_size, source.instruments[0].lot_size) == (Decimal("0.1"), Decimal("0.25"))
    assert source.inferred == (
        "tick size 0.1 and lot size 0.25 inferred from the first 27 messages, "
        "the file does not state them; --tick and --lot override"
    )
    assert open_source(recording_file("futures"), tick_size="0.1").inferred.startswith("lot size 0.25 inferred")
    assert open_source(recording_file("futures"), tick_size="0.1").inferred.endswith("--lot overrides")
    assert not open_source(recording_file("futures"), tick_size="0.1", lot_size="0.01").inferred
    assert load(recording_file("futures")).facts()["inferred"] == source.inferred


def test_what_was_inferred_and_does_not_hold_is_an_error_that_says_what_to_state(capture, tmp_path):
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    for _ in range(11_000):
        made.change([["99.4", "1"]])
    made.change([["99.45", "1"]])
    path = made.write(tmp_path / "a.gz")
    message = (
        r"a.gz, line 11002: price is 99.45, which is not a multiple of the tick size 0.1 "
        r"\(inferred from the head of the recording\); --tick 0.05 would fit both"
    )
    with pytest.raises(DataError, match=message):
        load(path)
    assert len(load(path, tick_size="0.05").events) == 11_005


def test_what_cannot_be_inferred_is_asked_for(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("exch_ns,local_ns,kind,side,price,size\n1,2,clear,,,\n")
    with pytest.raises(DataError, match="does not state the tick size, and its head has nothing to infer it from; state --tick"):
        open_source(path)


@pytest.mark.parametrize(("name", "value"), [("tick_size", "0"), ("tick_size", -1), ("lot_size", "x"), ("lot_size", float("nan"))])
def test_a_step_that_cannot_be_is_refused(recording_file, name, value):
    with pytest.raises(InputError, match=f"{name} is"):
        open_source(recording_file("plain"), **{name: value})


def test_the_user_names_what_the_file_does_not(recording_file):
    fees = Fees(maker_bps="-0.5")
    (instrument,) = open_source(recording_file("plain"), symbol="ABC", tick_size=0.25, lot_size="0.5", fees=fees).instruments
    assert (instrument.symbol, instrument.tick_size, instrument.lot_size, instrument.fees) == (
        "ABC",
        Decimal("0.25"),
        Decimal("0.5"),
        fees,
    )
    assert open_source(recording_file("plain")).instruments[0].symbol == "unnamed"


def test_a_file_without_events_is_refused(capture, tmp_path):
    made = capture()
    made.lines.append('1700000000000000000 {"stream":"btcusdt@markPrice","data":{"e":"markPriceUpdate","s":"BTCUSDT"}}')
    with pytest.raises(DataError, match="holds no events"):
        open_source(made.write(tmp_path / "other.gz"))
    best_prices_of_no_book = capture().quote(5, ("1", "1"), ("2", "1")).write(tmp_path / "best.gz")
    with pytest.raises(DataError, match="holds no events"):
        load(best_prices_of_no_book)
