"""Damaged files of Databento and damaged captures: an error in one sentence or a valid recording, and never anything else."""

import io
import json
import random
import struct
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from capture_files import SMALL, bybit_small, plain
from damage import fuzz, mutated
from dbn_files import definition, metadata, small

from twosided.data.recording import load
from twosided.errors import InputError
from twosided.market.event import Kind

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


# ---------------------------------------------------------------- what was read is what stands there


def in_units(recording):
    """Return (kind, side, price, size, exchange time) of trades and levels, exactly, as Fractions."""
    tick, lot = (Fraction(step) for step in (recording.instruments[0].tick_size, recording.instruments[0].lot_size))
    events = recording.events[np.isin(recording.events["kind"], (Kind.TRADE, Kind.DEPTH))]
    columns = [events[name].tolist() for name in ("kind", "side", "ticks", "lots", "exch_ns")]
    return [(kind, side, ticks * tick, lots * lot, time) for kind, side, ticks, lots, time in zip(*columns, strict=True)]


def bybit_twin(content):
    """Return the same of a capture of Bybit in lines of JSON, read line by line without any care for speed."""
    found, topic, last, latest = [], "", 0, 0
    for line in content.splitlines():
        message = json.loads(line)
        data, said = message.get("data"), message.get("topic", "")
        if said.startswith("orderbook."):
            topic = topic or said
            if said != topic or (message["type"] == "delta" and last and data["u"] <= last):
                continue
            last, latest = data["u"], max(latest, message.get("cts", message["ts"]))
            found += [
                (Kind.DEPTH, side, Fraction(price), Fraction(size), latest * 10**6)
                for side, key in ((1, "b"), (-1, "a"))
                for price, size, *_ in data[key]
            ]
        elif said.startswith("publicTrade."):
            found += [
                (Kind.TRADE, {"Buy": 1, "Sell": -1}[each["S"]], Fraction(each["p"]), Fraction(each["v"]), each["T"] * 10**6)
                for each in data
                if each.get("BT") is not True and Fraction(each["v"])
            ]
    return found


def trades_twin(content):
    """Return the same of a DBN file of trades, record by record."""
    found, position = [], 8 + int.from_bytes(content[4:8], "little")
    while position < len(content):
        length, rtype = content[position] * 4, content[position + 1]
        if rtype == 0:
            time, price, size, action, side = struct.unpack_from("<8xqqIcc", content, position)
            if action == b"T" and size and size != 2**32 - 1 and price != 2**63 - 1:
                found.append((Kind.TRADE, {b"B": 1, b"A": -1, b"N": 0}[side], Fraction(price, 10**9), Fraction(size), time))
        position += length
    return found


@pytest.mark.parametrize("rounds", [FEW, pytest.param(MANY // 5, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("twin", "content", "steps"),
    [
        (bybit_twin, plain(bybit_small()).encode(), {"tick_size": "0.01", "lot_size": "0.01"}),
        (trades_twin, small("trades"), {"tick_size": "0.00001"}),
    ],
)
def test_what_is_read_from_a_damaged_file_is_what_stands_there(tmp_path, twin, content, steps, rounds):
    rng, path, compared = random.Random("twin"), tmp_path / "data", 0
    for _ in range(rounds):
        damaged = mutated(content, rng)
        path.write_bytes(damaged)
        try:
            recording = load(path, clock_offset_ns=0, **steps)
        except InputError:
            continue
        if recording.format == ("bybit" if twin is bybit_twin else "databento") and not recording.defects.get("far_levels"):
            assert in_units(recording) == twin(damaged)
            compared += 1
    assert compared > rounds // 50
