"""A Run is saved whole or not at all, read back as it was or refused, and its digest is about what happened and nothing else."""

import errno
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from twosided.errors import DataError, InputError
from twosided.market.instrument import Fees, Instrument
from twosided.market.order import DECISION, EQUITY, FILL, MID, ORDER_EVENT, QUOTE_CHANGE
from twosided.market.run import FRAMES, Run, digest_of

DTYPES = {"fills": FILL, "orders": ORDER_EVENT, "quotes": QUOTE_CHANGE, "decisions": DECISION, "equity": EQUITY, "mids": MID}


def a_frame(name, rows=3):
    """A frame whose every cell is another number."""
    columns = [column for column in DTYPES[name].names if column != "strategy"]
    return pl.DataFrame({column: np.arange(rows) + 1000 * FRAMES.index(name) + 10 * i for i, column in enumerate(columns)})


def a_run(**changes):
    facts = {
        "strategy": "fixed",
        "params": {"half_spread": 5.0, "unit": "bps"},
        "seed": 7,
        "seconds": 1.25,
        "versions": {"twosided": "0.1.0"},
        "closing": [{"position_lots": 3, "cash": -(2**60), "fees": 5}],
    }
    instrument = Instrument(symbol="X", tick_size="0.1", lot_size="0.001", fees=Fees(maker_bps="-0.25"))
    frames = {name: a_frame(name) for name in FRAMES}
    return Run(**{"instruments": (instrument,), "facts": facts, **frames, **changes})


def with_cell(frame, column, row, value):
    values = frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values, frame[column].dtype))


def everything_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---------------------------------------------------------------- the digest


def test_the_digest_of_a_known_run_never_changes():
    assert a_run().digest() == "fec4e602d59f4b1af29a130e7be1580a"


def test_wall_time_versions_parameters_and_files_are_not_what_happened():
    other = a_run()
    other.facts.update(seconds=99.0, versions={"twosided": "9.9"}, data={"names": ["y.gz"]}, complete=True)
    assert other.digest() == a_run().digest()


@pytest.mark.parametrize("name", FRAMES)
def test_one_changed_integer_in_any_frame_changes_it(name):
    frame = a_frame(name)
    for column in frame.columns:
        for row in (0, 2):
            changed = with_cell(frame, column, row, frame[column][row] + 1)
            assert a_run(**{name: changed}).digest() != a_run().digest()


@pytest.mark.parametrize("name", FRAMES)
def test_so_does_another_type_name_order_or_number_of_columns_or_rows(name):
    frame = a_frame(name)
    first, second = frame.columns[:2]
    others = [
        frame.with_columns(pl.col(first).cast(pl.Int32)),
        frame.with_columns(pl.col(first).cast(pl.Float64)),
        frame.rename({first: "renamed"}),
        frame.select([second, first, *frame.columns[2:]]),
        frame.drop(first),
        frame.reverse(),
        frame.head(2),
        frame.clear(),
    ]
    digests = {a_run(**{name: other}).digest() for other in others} | {a_run().digest()}
    assert len(digests) == len(others) + 1


def test_so_do_the_closing_accounts():
    other = a_run()
    other.facts["closing"] = [{"position_lots": 3, "cash": -(2**60) + 1, "fees": 5}]
    assert other.digest() != a_run().digest()


def test_rows_cannot_move_from_one_frame_or_column_to_the_next():
    numbers = pl.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert digest_of({"x": numbers, "y": numbers.clear()}) != digest_of({"x": numbers.clear(), "y": numbers})
    assert digest_of({"x": pl.DataFrame({"a": [1, 2, 3]})}) != digest_of(
        {"x": pl.DataFrame({"a": [1]}), "y": pl.DataFrame({"a": [2, 3]})}
    )


def test_how_polars_keeps_a_column_in_memory_does_not_matter():
    whole = a_frame("fills", 6)
    pieces = pl.concat([whole.head(2), whole.slice(2, 3), whole.tail(1)], rechunk=False)
    assert digest_of({"fills": pieces}) == digest_of({"fills": whole})


def test_text_cannot_be_hashed_by_its_addresses():
    with pytest.raises(TypeError, match=r"column x\.a holds String; a Run holds numbers"):
        digest_of({"x": pl.DataFrame({"a": ["text"]})})


# ---------------------------------------------------------------- to disk and back


def test_a_run_comes_back_as_it_was(tmp_path):
    run = a_run()
    assert run.save(tmp_path / "deep" / "run") == tmp_path / "deep" / "run"
    back = Run.load(tmp_path / "deep" / "run")
    assert back.digest() == run.digest()
    assert (back.instruments, back.facts) == (run.instruments, run.facts)
    for name in FRAMES:
        assert_frame_equal(getattr(back, name), getattr(run, name))


def test_a_run_in_which_nothing_happened_comes_back_too(tmp_path):
    run = a_run(**{name: a_frame(name, 0) for name in FRAMES})
    assert Run.load(run.save(tmp_path / "run")).digest() == run.digest()


def test_it_is_a_folder_of_parquet_and_one_json_file_that_others_can_read(tmp_path):
    folder = a_run().save(tmp_path / "run")
    assert {path.name for path in folder.iterdir()} == {"run.json", *(f"{name}.parquet" for name in FRAMES)}
    assert json.loads((folder / "run.json").read_text())["instruments"][0]["tick_size"] == "0.1"
    assert {path.name for path in tmp_path.iterdir()} == {"run"}


def test_an_older_run_is_replaced_and_an_empty_folder_is_used(tmp_path):
    (tmp_path / "run").mkdir()
    a_run().save(tmp_path / "run")
    newer = a_run(fills=a_frame("fills", 1))
    newer.save(tmp_path / "run")
    assert Run.load(tmp_path / "run").digest() == newer.digest()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("foreign", ["notes.txt", "thesis/chapter.tex"])
@pytest.mark.parametrize("with_run", [False, True])
def test_a_folder_in_which_anything_else_stands_is_never_replaced(tmp_path, foreign, with_run):
    folder = tmp_path / "work"
    if with_run:
        a_run().save(folder)
    path = folder / foreign
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("years of work")
    before = everything_in(tmp_path)
    with pytest.raises(
        InputError, match=f"{folder} exists and holds {foreign.split('/')[0]}, which is not part of a Run; name a new folder"
    ):
        a_run().save(folder)
    assert everything_in(tmp_path) == before


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(InputError, match="is a file"):
        a_run().save(tmp_path / "run")
    with pytest.raises(InputError, match=r"cannot be written: .*; nothing was left behind"):
        a_run().save(tmp_path / "run" / "below")
    assert everything_in(tmp_path) == {"run": b"a file"}


# ---------------------------------------------------------------- when the disk fails


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), pl.exceptions.ComputeError("No space left on device")]
)
def test_a_disk_that_fills_up_leaves_what_was_there_before(tmp_path, monkeypatch, older, error):
    if older:
        a_run().save(tmp_path / "run")
    before = everything_in(tmp_path)
    write = pl.DataFrame.write_parquet

    def fills_up(frame, path, **options):
        if path.name == "quotes.parquet":
            raise error
        return write(frame, path, **options)

    monkeypatch.setattr(pl.DataFrame, "write_parquet", fills_up)
    with pytest.raises(InputError, match=r"run cannot be written: No space left on device; nothing was left behind$"):
        a_run(fills=a_frame("fills", 1)).save(tmp_path / "run")
    assert everything_in(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == older


def test_facts_that_json_cannot_hold_leave_nothing_behind(tmp_path):
    run = a_run()
    run.facts["seed"] = object()
    with pytest.raises(TypeError, match="JSON"):
        run.save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_an_older_run_survives_when_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    a_run().save(tmp_path / "run")
    before = everything_in(tmp_path)
    rename = type(tmp_path).rename

    def refuses(path, target):
        if target == tmp_path / "run" and not path.name.endswith(".old"):
            raise OSError(errno.EACCES, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(type(tmp_path), "rename", refuses)
    with pytest.raises(InputError, match="Permission denied; nothing was left behind"):
        a_run(fills=a_frame("fills", 1)).save(tmp_path / "run")
    assert everything_in(tmp_path) == before


FULL_DISK = """
import resource, signal, sys
import numpy as np
import polars as pl
from twosided.errors import InputError
from twosided.market.run import FRAMES, Run

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))  # no file may grow beyond that: what a full disk looks like from inside
many = pl.DataFrame({"ns": np.random.default_rng(1).integers(0, 2**60, 10_000)})
try:
    Run(instruments=(), facts={"closing": []}, **dict.fromkeys(FRAMES, many)).save(sys.argv[1])
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are of Unix")
def test_a_file_that_really_cannot_be_written_is_one_sentence(tmp_path):
    found = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path / "run")], capture_output=True, text=True, check=True)
    assert found.stdout.startswith(f"{tmp_path / 'run'} cannot be written: ")
    assert found.stdout.endswith("nothing was left behind\n")
    assert "too large" in found.stdout.lower()
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- what is not a Run


def edited(folder, **changes):
    path = folder / "run.json"
    content = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))


def test_a_changed_number_is_noticed(tmp_path):
    folder = a_run().save(tmp_path / "run")
    frame = pl.read_parquet(folder / "fills.parquet")
    with_cell(frame, "lots", 1, frame["lots"][1] + 1).write_parquet(folder / "fills.parquet")
    with pytest.raises(DataError, match=r"run: digest [0-9a-f]{32} differs from the saved [0-9a-f]{32}: a file was changed$"):
        Run.load(folder)


def test_a_changed_closing_account_is_noticed(tmp_path):
    folder = a_run().save(tmp_path / "run")
    edited(folder, facts={"closing": [{"cash": 10**12}]})
    with pytest.raises(DataError, match="a file was changed"):
        Run.load(folder)


@pytest.mark.parametrize("name", ["run.json", "mids.parquet"])
def test_a_missing_file_is_named(tmp_path, name):
    folder = a_run().save(tmp_path / "run")
    (folder / name).unlink()
    with pytest.raises(DataError, match=rf"not a saved Run \(.*{name}.*\); expected run\.json and 6 Parquet files"):
        Run.load(folder)
    with pytest.raises(DataError, match="not a saved Run"):
        Run.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "changes",
    [
        {"digest": None},
        {"facts": None},
        {"facts": {}},
        {"facts": []},
        {"instruments": None},
        {"instruments": [{"symbol": "X"}]},
        {"format": 2},
        {"format": None},
    ],
)
def test_facts_that_lack_something_or_come_from_another_time_are_refused(tmp_path, changes):
    folder = a_run().save(tmp_path / "run")
    edited(folder, **changes)
    with pytest.raises(DataError, match="not a saved Run"):
        Run.load(folder)


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '"run"', "\x00\xff"])
def test_facts_that_are_not_a_json_object_are_refused(tmp_path, content):
    folder = a_run().save(tmp_path / "run")
    (folder / "run.json").write_text(content, encoding="latin-1")
    with pytest.raises(DataError, match="not a saved Run"):
        Run.load(folder)


def test_a_parquet_file_damaged_anywhere_is_refused_and_never_crashes(tmp_path):
    folder = a_run().save(tmp_path / "run")
    path = folder / "equity.parquet"
    content = path.read_bytes()
    unchanged = Run.load(folder)
    for place in range(0, len(content), max(1, len(content) // 60)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            back = Run.load(folder)
        except DataError:
            continue
        assert back.digest() == unchanged.digest()  # a byte that says nothing
    for size in (0, 4, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(DataError):
            Run.load(folder)


def test_frozen_means_a_new_run_is_made_for_every_change():
    run = a_run()
    with pytest.raises(AttributeError):
        run.facts = {}
    before = run.digest()
    assert replace(run, fills=a_frame("fills", 1)).digest() != before
    assert replace(run, facts=run.facts).digest() == before
