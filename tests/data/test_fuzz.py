"""A damaged file gives an error in one sentence or a valid recording, and never anything else."""

import io
import random
import zipfile

import numpy as np
import polars as pl
import pytest
from damage import mutated, survive

from twosided.data.formats import open_source
from twosided.data.info import convert

ROUNDS = 1_500


@pytest.mark.parametrize("name", ["spot", "futures", "plain", "trades", "changes", "quotes", "levels"])
def test_damaged_text_is_refused_or_read(tmp_path, text_of, assert_valid, name):
    rng, counts = random.Random(f"{name} 1"), {"refused": 0, "read": 0}
    content, path = text_of(name).encode(), tmp_path / "data"
    for _ in range(ROUNDS // 3):
        path.write_bytes(mutated(content, rng))
        survive(path, assert_valid, rng, counts)
    assert min(counts.values()) > ROUNDS // 50, counts  # otherwise the damage is too harsh or too mild to say anything


def test_a_damaged_npz_is_refused_or_read(tmp_path, small_npz, assert_valid):
    rng, counts = random.Random(2), {"refused": 0, "read": 0}
    with zipfile.ZipFile(small_npz()) as archive:
        inner = archive.read("data.npy")
    whole, path = small_npz(packed=True).read_bytes(), tmp_path / "data"
    for i in range(ROUNDS // 2):
        if i % 3 == 0:
            path.write_bytes(mutated(whole, rng))
        else:  # damage the array, inside an archive that is whole
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as archive:
                archive.writestr("data.npy", mutated(inner, rng))
            path.write_bytes(buffer.getvalue())
        survive(path, assert_valid, rng, counts)
    assert min(counts.values()) > ROUNDS // 50, counts


@pytest.mark.parametrize("kind", ["plain", "stored"])
def test_a_damaged_parquet_file_is_refused_or_read(tmp_path, recording_file, assert_valid, kind):
    rng, counts = random.Random(f"{kind} 3"), {"refused": 0, "read": 0}
    good, path = tmp_path / "good.parquet", tmp_path / "data"
    if kind == "stored":
        convert(open_source(recording_file("futures")), good)
    else:
        pl.read_csv(recording_file("plain"), infer_schema_length=None).write_parquet(good)
    content = good.read_bytes()
    for _ in range(ROUNDS // 3):
        path.write_bytes(mutated(content, rng))
        survive(path, assert_valid, rng, counts)
    assert counts["refused"] > ROUNDS // 50, counts


@pytest.mark.parametrize("kind", ["plain", "stored"])
def test_damaged_values_in_a_whole_parquet_file_are_refused_or_read(tmp_path, recording_file, assert_valid, kind):
    rng, counts = random.Random(f"{kind} 4"), {"refused": 0, "read": 0}
    good, path = tmp_path / "good.parquet", tmp_path / "data"
    metadata = {}
    if kind == "stored":
        convert(open_source(recording_file("futures")), good)
        metadata = {"twosided": pl.read_parquet_metadata(good)["twosided"]}
    else:
        pl.read_csv(recording_file("plain"), infer_schema_length=None).write_parquet(good)
    frame = pl.read_parquet(good)
    for _ in range(ROUNDS // 5):
        column = rng.choice(frame.columns)
        values = frame[column].to_list()
        values[rng.randrange(len(values))] = rng.choice(
            (None, 0, 1, -1, 2, 9, 255, 2**31, 2**62, -(2**63), 1.5, float("nan"), "x", values[0])
        )
        damaged = pl.Series(column, values, dtype=frame[column].dtype, strict=False)
        frame.with_columns(damaged).write_parquet(path, metadata=metadata)
        survive(path, assert_valid, rng, counts)
    assert min(counts.values()) > ROUNDS // 100, counts


def test_a_damaged_gzip_file_is_refused_or_read(tmp_path, capture, assert_valid):
    rng, counts = random.Random(5), {"refused": 0, "read": 0}
    made = capture().snapshot([["99.5", "3"]], [["100.5", "3"]])
    for i in range(200):
        made.change([["99.4", f"{np.sin(i):.2f}".strip("-")]])
    content, path = made.write(tmp_path / "a.gz").read_bytes(), tmp_path / "data"
    for _ in range(ROUNDS // 3):
        path.write_bytes(mutated(content, rng))
        survive(path, assert_valid, rng, counts)
    assert counts["refused"] > ROUNDS // 4
