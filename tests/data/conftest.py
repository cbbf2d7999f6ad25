"""Small recordings of each format, written by the tests themselves, and the check that what was read is a valid recording."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from twosided.market.event import Flag, Kind

sys.path.insert(0, str(Path(__file__).resolve().parent))  # what writes the files of some formats stands beside the tests

MS = 1_000_000
T0 = 1_700_000_000_000  # ms


class Capture:
    """Writes Binance captures line by line; local time runs 2 ms behind the exchange's, as a clock does that is set wrong."""

    def __init__(self, *, futures=False):
        self.futures, self.lines, self.now_ms = futures, [], T0
        self.last_id = 100

    def add(self, message, *, local_ns=None, stream="x"):
        body = {"stream": f"btcusdt@{stream}", "data": message} if stream else message
        self.lines.append(f"{local_ns or (self.now_ms - 2) * MS} {json.dumps(body, separators=(',', ':'))}")
        self.now_ms += 10
        return self

    def snapshot(self, bids, asks, update_id=None, **extra):
        times = {"E": self.now_ms, "T": self.now_ms - 1} if self.futures else {}
        body = {"lastUpdateId": self.last_id if update_id is None else update_id, **times, "bids": bids, "asks": asks}
        return self.add({**body, **extra}, stream="")

    def change(self, bids=(), asks=(), *, first=None, last=None, previous=None, **extra):
        first = self.last_id + 1 if first is None else first
        last = first + 1 if last is None else last
        body = {"e": "depthUpdate", "E": self.now_ms, "s": "BTCUSDT", "U": first, "u": last, "b": list(bids), "a": list(asks)}
        if self.futures:
            body |= {"pu": self.last_id if previous is None else previous, "T": self.now_ms - 1}
        self.last_id = last
        return self.add({**body, **extra}, stream="depth@100ms")

    def trade(self, price, size, *, buyer_rested=False, number=1, kind="trade", **extra):
        identity = {"t": number} if kind == "trade" else {"a": number}
        body = {"e": kind, "E": self.now_ms, "T": self.now_ms, "s": "BTCUSDT", **identity, "p": price, "q": size, "m": buyer_rested}
        return self.add({**body, **extra}, stream=kind)

    def quote(self, update_id, bid, ask, **extra):
        body = {"u": update_id, "s": "BTCUSDT", "b": bid[0], "B": bid[1], "a": ask[0], "A": ask[1]}
        return self.add({**body, **extra}, stream="bookTicker")

    def write(self, path):
        content = "".join(f"{line}\n" for line in self.lines).encode()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        return path


@pytest.fixture
def capture():
    return Capture


def _small_capture(futures):
    made = Capture(futures=futures)
    made.change([["99.9", "1.5"]], [["100.2", "0.5"]])
    made.trade("100.1", "0.25", number=7)
    made.change([["99.8", "2"]], first=103, last=104)
    made.snapshot([["99.9", "1.5"], ["99.8", "1"]], [["100.1", "2"], ["100.2", "0.5"]], update_id=103)
    for step in range(8):
        made.change([["99.7", f"{step}.25"]], [["100.1", f"{9 - step}"], ["100.3", "0"]])
        made.trade("100.1", "0.5", number=8 + step, buyer_rested=step % 2 == 1)
        made.quote(made.last_id, ("99.9", "1.5"), ("100.1", f"{9 - step}"))
    return "".join(f"{line}\n" for line in made.lines)


PLAIN = """exch_ns,local_ns,kind,side,price,size,id,market
1000,2000,snapshot_begin,,,,1,0
1000,2000,depth,bid,99.5,3,1,0
1000,2000,depth,ask,100.5,2,1,0
1000,2000,snapshot_end,,,,1,0
1100,2100,trade,buy,100.5,1,2,0
1100,2100,depth,ask,100.5,1,2,0
1200,2200,depth,bid,99.75,1,3,0
1300,2250,clear,ask,,,4,0
1400,2300,status,,,3,5,0
1500,2400,funding,,,-0.0001,6,0
1600,2500,trade,sell,99.75,0.5,7,0
1700,2600,depth,bid,99.75,0,8,0
"""

TRADES = """exchange,symbol,timestamp,local_timestamp,id,side,price,amount
deribit,BTC-PERP,1700000000000000,1700000000001000,11,buy,100.5,2
deribit,BTC-PERP,1700000000000000,1700000000001000,12,buy,101,1
deribit,BTC-PERP,1700000000100000,1700000000101500,13,sell,99.5,4
deribit,BTC-PERP,1700000000200000,1700000000201500,x4,unknown,100,1
"""

CHANGES = """exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount
deribit,BTC-PERP,1699999999900000,1699999999901000,true,bid,99.5,10
deribit,BTC-PERP,1699999999900000,1699999999901000,true,ask,100.5,7
deribit,BTC-PERP,1699999999900000,1699999999901200,true,ask,101,7
deribit,BTC-PERP,1700000000000000,1700000000001000,false,ask,100.5,5
deribit,BTC-PERP,1700000000000000,1700000000001000,false,ask,101,6
deribit,BTC-PERP,1700000000150000,1700000000151000,false,bid,99.5,0
deribit,BTC-PERP,1700000000150000,1700000000152000,false,bid,99,3
"""

QUOTES = """exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount
deribit,BTC-PERP,1700000000000000,1700000000001000,5,100.5,99.5,10
deribit,BTC-PERP,1700000000010000,1700000000011000,5,100.5,99.5,8
deribit,BTC-PERP,1700000000020000,1700000000021000,4,101,99.5,8
deribit,BTC-PERP,1700000000030000,1700000000031000,,,99.5,8
deribit,BTC-PERP,1700000000040000,1700000000041000,,,,
deribit,BTC-PERP,1700000000050000,1700000000051000,3,101,100,1
"""

LEVEL_COLUMNS = ",".join(f"{side}[{level}].{what}" for level in (0, 1) for side in ("asks", "bids") for what in ("price", "amount"))
LEVELS = f"""exchange,symbol,timestamp,local_timestamp,{LEVEL_COLUMNS}
deribit,BTC-PERP,1700000000000000,1700000000001000,100.5,5,99.5,10,101,7,99,3
deribit,BTC-PERP,1700000000010000,1700000000011000,100.5,5,99.5,10,101,7,99,3
deribit,BTC-PERP,1700000000020000,1700000000021000,101,7,99.5,10,101.5,2,99,4
deribit,BTC-PERP,1700000000030000,1700000000031000,101,7,100,1,,,,
"""

TEXTS = {
    "spot": _small_capture(futures=False),
    "futures": _small_capture(futures=True),
    "plain": PLAIN,
    "trades": TRADES,
    "changes": CHANGES,
    "quotes": QUOTES,
    "levels": LEVELS,
}


@pytest.fixture
def text_of():
    """Return the content of a small recording: spot, futures, plain, trades, changes, quotes or levels."""
    return TEXTS.__getitem__


@pytest.fixture
def recording_file(tmp_path):
    """Return a function that writes one of the small recordings and returns its path."""

    def write(name, *, text=None, folder=tmp_path, as_name=None):
        path = folder / (as_name or (f"{name}.txt" if name in {"spot", "futures"} else f"{name}.csv"))
        path.write_text(TEXTS[name] if text is None else text)
        return path

    return write


HFT = np.dtype(
    [
        ("ev", "u8"),
        ("exch_ts", "i8"),
        ("local_ts", "i8"),
        ("px", "f8"),
        ("qty", "f8"),
        ("order_id", "u8"),
        ("ival", "i8"),
        ("fval", "f8"),
    ],
    align=True,
)
EXCH, LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28


@pytest.fixture
def npz(tmp_path):
    """Return a function that writes rows of (kind and flags, exch_ts, local_ts, px, qty) as hftbacktest does."""

    def write(rows, name="a.npz", *, packed=False):
        data = np.zeros(len(rows), HFT)
        for i, row in enumerate(rows):
            data[i] = (*row, 0, 0, 0.0)
        path = tmp_path / name
        (np.savez_compressed if packed else np.savez)(path, data=data)
        return path

    return write


SMALL_NPZ = [
    (3 | EXCH | LOCAL | BUY, 100, 200, 99.0, 0.0),
    (4 | EXCH | LOCAL | BUY, 100, 200, 99.5, 3.0),
    (4 | EXCH | LOCAL | BUY, 100, 200, 99.0, 1.0),
    (3 | EXCH | LOCAL | SELL, 100, 200, 101.0, 0.0),
    (4 | EXCH | LOCAL | SELL, 100, 200, 100.5, 2.0),
    (4 | EXCH | LOCAL | SELL, 100, 200, 101.0, 2.0),
    (2 | EXCH | LOCAL | BUY, 150, 230, 100.5, 0.5),
    (1 | EXCH | SELL, 150, 260, 100.5, 1.5),
    (1 | EXCH | LOCAL | BUY, 160, 240, 98.5, 4.0),
    (1 | LOCAL | SELL, 150, 260, 100.5, 1.5),
    (5 | EXCH | LOCAL | SELL, 170, 265, 100.5, 1.5),
    (3 | EXCH | LOCAL | BUY, 200, 300, 99.0, 0.0),
    (4 | EXCH | LOCAL | BUY, 200, 300, 99.5, 2.0),
    (3 | EXCH | LOCAL, 300, 400, 0.0, 0.0),
]


@pytest.fixture
def small_npz(npz):
    return lambda **options: npz(SMALL_NPZ, **options)


def _assert_valid(recording):
    events = recording.events
    assert set(events["kind"].tolist()) <= {kind.value for kind in Kind}
    assert np.isin(events["side"], (-1, 0, 1)).all()
    assert (events["lots"][events["kind"] != Kind.FUNDING] >= 0).all()
    assert (np.diff(events["local_ns"]) >= 0).all()
    assert (events["exch_ns"] >= 0).all()
    assert (events["market"] < len(recording.instruments)).all()
    assert events["flags"][-1] & Flag.LAST_OF_MESSAGE
    json.dumps(recording.facts())


@pytest.fixture
def assert_valid():
    """Return the check that a recording is one that engines can read."""
    return _assert_valid
