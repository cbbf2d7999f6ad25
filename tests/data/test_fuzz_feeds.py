"""Damaged files of Databento and damaged captures: an error in one sentence or a valid recording, and never anything else."""

import io
import zipfile

import pytest
from capture_files import SMALL, bybit_small, plain
from damage import fuzz
from dbn_files import definition, metadata, small

READERS = {
    "bybit": ["bybit", "bybit stamped"],
    "coinbase": ["coinbase", "coinbase wrapped"],
    "kraken": ["kraken 1", "kraken 2"],
    "hyperliquid": ["hyperliquid"],
    "databento": ["mbo", "mbp-1", "mbp-10", "trades"],
}
STEPS = ({}, {"tick_size": "0.05", "lot_size": "0.01"}, {"tick_size": "0.5", "lot_size": "0.25"})
FEW, MANY = 600, 100_000


def contents_of(reader):
    return [small(name) if reader == "databento" else SMALL[name]().encode() for name in READERS[reader]]


def both(counts, rounds):
    """Say whether the damage was neither too harsh nor too mild to say anything."""
    return sum(counts.values()) == rounds and min(counts.values()) > rounds // 50


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files_are_refused_or_read(tmp_path, assert_valid, reader):
    counts = fuzz(contents_of(reader), tmp_path / "data", assert_valid, rounds=FEW, seed=f"{reader} 1", steps=STEPS)
    assert both(counts, FEW), counts


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_a_hundred_thousand_damaged_files_are_refused_or_read(tmp_path, assert_valid, reader):
    counts = fuzz(contents_of(reader), tmp_path / "data", assert_valid, rounds=MANY, seed=f"{reader} 2", steps=STEPS)
    assert both(counts, MANY), counts


@pytest.mark.parametrize("rounds", [FEW // 2, pytest.param(MANY // 5, marks=pytest.mark.slow)])
def test_damaged_definitions_are_refused_or_read(tmp_path, assert_valid, rounds):
    good, damaged = tmp_path / "mbo", tmp_path / "definition"
    good.write_bytes(small("mbo"))
    content = metadata("definition") + definition() + definition("NQH4", 18)
    counts = fuzz([content], damaged, assert_valid, rounds=rounds, seed="definition", beside=[good], steps=({},))
    assert both(counts, rounds), counts


@pytest.mark.parametrize("rounds", [FEW // 2, pytest.param(MANY // 5, marks=pytest.mark.slow)])
def test_damaged_zip_archives_are_refused_or_read(tmp_path, assert_valid, rounds):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.data", plain(bybit_small()))
    counts = fuzz([packed.getvalue()], tmp_path / "data", assert_valid, rounds=rounds, seed="zip", steps=STEPS)
    assert counts["refused"] > rounds // 2, counts
