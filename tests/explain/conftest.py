"""Synthetic Runs: the explanation is tested without any engine.

`assemble` turns fills and mids into a Run whose accounts are counted in plain Python integers; `random_run` is adversarial (ties,
hedges, taxes, funding, takers far from the mid), `quoter_run` looks like a market maker's session.
"""

import bisect
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from twosided.market.instrument import Instrument
from twosided.market.order import DECISION, EQUITY, FILL, MID, ORDER_EVENT, QUOTE_CHANGE, FillCause, OrderAction, Reason
from twosided.market.run import Run

START = 1_723_161_256_000_000_000  # 2024-08-08 23:54:16 UTC
SECOND = 1_000_000_000
BTC = Instrument(symbol="BTCUSDT", venue="binance", currency="USDT", tick_size="0.1", lot_size="0.001")
ES = Instrument(symbol="ESH4", venue="cme", currency="USD", tick_size="0.25", lot_size="1", multiplier="50")
ETH = Instrument(symbol="ETHUSDT", venue="binance", currency="USDT", tick_size="0.01", lot_size="0.0001")


COIN = Instrument(symbol="XBTUSD", venue="bitmex", currency="XBT", tick_size="0.5", lot_size="100", inverse=True)


def lot_value(instrument, half_ticks):
    """Return what one lot counts for at a price, in quanta, from the definition of the contract."""
    price = Fraction(half_ticks) * Fraction(instrument.tick_size) / 2
    unit = Fraction(instrument.lot_size * instrument.multiplier) / Fraction(instrument.money_quantum)
    return -int(unit / price + Fraction(1, 2)) if instrument.inverse else int(unit * price)


def frame(dtype, rows):
    names = [name for name in dtype.names if name != "strategy"]
    return pl.DataFrame({name: pl.Series(name, [row.get(name, 0) for row in rows], pl.Int64) for name in names})


def assemble(
    instruments, fills, mids, *, span_ns, opening=None, funding=None, quotes=(), orders=(), equity_every_ns=SECOND, **facts
):
    """Count the money of *fills* (dicts in the order of time) and return the Run."""
    opening = opening or [{} for _ in instruments]
    funding = funding or [0] * len(instruments)
    empty = {"position_lots": 0, "cash": 0, "fees": 0, "taxes": 0, "funding": 0, "volume_lots": 0, "turnover": 0}
    opening = [{**empty, **one} for one in opening]
    closing = [dict(one) for one in opening]
    end = START + span_ns
    equity = []
    for market, instrument in enumerate(instruments):
        account = closing[market]
        own = [fill for fill in fills if fill["market"] == market]
        touch = [mid for mid in mids if mid["market"] == market]
        times = [mid["exch_ns"] for mid in touch]
        samples = [*range(START, end, equity_every_ns), end]
        at = 0
        for sample in samples:
            while at < len(own) and own[at]["exch_ns"] <= sample:
                fill = own[at]
                value = lot_value(instrument, 2 * fill["ticks"]) * fill["lots"]
                account["cash"] -= fill["side"] * value + fill["fee"] + fill["tax"]
                account["position_lots"] += fill["side"] * fill["lots"]
                account["fees"] += fill["fee"]
                account["taxes"] += fill["tax"]
                account["volume_lots"] += fill["lots"]
                account["turnover"] += abs(value)
                fill["position_lots"] = account["position_lots"]
                at += 1
            if sample == end:
                account["cash"] -= funding[market]
                account["funding"] += funding[market]
            index = bisect.bisect_right(times, sample) - 1
            equity.append(
                {
                    "ns": sample,
                    "market": market,
                    "position_lots": account["position_lots"],
                    "cash": account["cash"],
                    "fees": account["fees"] + account["taxes"],
                    "mid_half_ticks": touch[index]["bid_ticks"] + touch[index]["ask_ticks"] if index >= 0 else 0,
                }
            )
    equity.sort(key=lambda row: (row["ns"], row["market"]))
    known = {
        "strategy": "fixed",
        "params": {"half_spread_ticks": 5.0},
        "engine": "synthetic",
        "seed": 1,
        "start_ns": START,
        "end_ns": end,
        "events": len(mids),
        "seconds": 0.5,
        "versions": {"twosided": "0.1.0"},
        "data": {"files": ["made up"], "defects": {"gaps": 0}},
        "settings": {"latency": "1 ms"},
        "opening": opening,
        "closing": closing,
        "counts": {"decisions": 0},
        "complete": True,
    }
    return Run(
        instruments=tuple(instruments),
        facts={**known, **facts},
        fills=frame(FILL, fills),
        orders=frame(ORDER_EVENT, list(orders)),
        quotes=frame(QUOTE_CHANGE, list(quotes)),
        decisions=frame(DECISION, []),
        equity=frame(EQUITY, equity),
        mids=frame(MID, mids),
    )


def random_run(seed, *, n_fills=30, n_mids=60, instruments=(BTC,), span_s=60, hedges=True, positions=True, grid_ns=SECOND, **more):
    """Fills and mids at random instants of a coarse grid, so that ties are common."""
    random = np.random.default_rng(seed)
    steps = span_s * SECOND // grid_ns
    fills, mids = [], []
    for market in range(len(instruments)):
        mid = int(random.integers(500, 1500))
        for at in np.sort(random.integers(0, steps + 1, n_mids)):
            mid += int(random.integers(-3, 4))
            mids.append(
                {
                    "exch_ns": START + int(at) * grid_ns,
                    "market": market,
                    "bid_ticks": mid,
                    "ask_ticks": mid + int(random.integers(1, 4)),
                }
            )
        for at in np.sort(random.integers(0, steps + 1, n_fills)):
            fills.append(
                {
                    "exch_ns": START + int(at) * grid_ns,
                    "local_ns": START + int(at) * grid_ns + 1000,
                    "market": market,
                    "order_id": len(fills) + 1,
                    "side": int(random.choice([-1, 1])),
                    "ticks": mid + int(random.integers(-9, 10)),
                    "lots": int(random.integers(1, 20)),
                    "maker": int(random.integers(0, 2)),
                    "hedge": int(hedges and random.random() < 0.3),
                    "fee": int(random.integers(-500, 5000)),
                    "tax": int(random.integers(0, 300)),
                    "cause": int(FillCause.TRADE_AT_PRICE),
                }
            )
    fills.sort(key=lambda row: row["exch_ns"])
    mids.sort(key=lambda row: row["exch_ns"])
    opening = [
        {
            "position_lots": int(random.integers(-50, 51)) * positions,
            "cash": int(random.integers(-(10**9), 10**9)),
            "taxes": 7,
            "fees": 11,
        }
        for _ in instruments
    ]
    funding = [int(random.integers(-(10**6), 10**6)) for _ in instruments]
    return assemble(instruments, fills, mids, span_ns=span_s * SECOND, opening=opening, funding=funding, **more)


TURNS = {
    (False, True): (OrderAction.SEND_NEW, OrderAction.ACCEPTED),
    (True, True): (OrderAction.SEND_REPLACE, OrderAction.REPLACED),
    (True, False): (OrderAction.SEND_CANCEL, OrderAction.CANCELLED),
}
"""By whether an order stands and whether one is wanted: what is sent, and what the exchange answers."""


def quoter_run(
    seed,
    *,
    seconds=600,
    instrument=BTC,
    moves_per_s=5.0,
    half_spread_ticks=4,
    fill_chance=0.1,
    informed=0.5,
    maker_bps=0.2,
    q_max=50,
    lots=5,
    present=1.0,
    mid_ticks=610_000,
    **facts,
):
    """A quoter around a random walk: it is filled with *fill_chance* per move, of which *informed* are followed by the mid."""
    random = np.random.default_rng(seed)
    now, mid, position = START, mid_ticks, 0
    fills, mids, quotes, orders, shown = [], [], [], [], {1: 0, -1: 0}
    order_id = {1: 0, -1: 0}
    end, push, number = START + seconds * SECOND, 0, 0
    while (now := now + int(random.exponential(SECOND / moves_per_s)) + 1) < end:
        move = push if push and random.random() < 0.7 else int(random.integers(-2, 3))
        mid, push = mid + move, 0
        mids.append({"exch_ns": now, "market": 0, "bid_ticks": mid, "ask_ticks": mid + 1 + int(random.random() < 0.2)})
        skew = round(-2 * position / q_max) if q_max else 0
        out = random.random() > present
        for side in (1, -1):
            price = mid - half_spread_ticks + skew if side > 0 else mid + 1 + half_spread_ticks + skew
            if out or side * position >= q_max:
                price = 0
            if price != shown[side]:
                quotes.append({"ns": now, "market": 0, "side": side, "ticks": price, "lots": lots if price else 0})
                if price and not shown[side]:
                    number += 1
                    order_id[side] = number
                send, answer = TURNS[bool(shown[side]), bool(price)]
                row = {"ns": now, "order_id": order_id[side], "side": side, "ticks": price or shown[side], "lots": lots}
                orders.append({**row, "action": int(send), "reason": int(Reason.QUOTE)})
                orders.append({**row, "action": int(answer)})
                shown[side] = price
        side = int(random.choice([-1, 1]))
        if shown[side] and random.random() < fill_chance:
            value = Decimal(2 * shown[side] * lots * instrument.half_tick_lot)
            position += side * lots
            fills.append(
                {
                    "exch_ns": now + 1000,
                    "local_ns": now + 2_000_000,
                    "market": 0,
                    "order_id": order_id[side],
                    "side": side,
                    "ticks": shown[side],
                    "lots": lots,
                    "maker": 1,
                    "fee": int(value * Decimal(str(maker_bps)) / 10_000),
                    "tax": 0,
                    "hedge": 0,
                    "cause": int(random.choice([FillCause.TRADE_AT_PRICE, FillCause.TRADE_THROUGH])),
                }
            )
            push = -side * 6 if random.random() < informed else 0
    return assemble((instrument,), fills, mids, span_ns=seconds * SECOND, quotes=quotes, orders=orders, **facts)


@pytest.fixture(scope="session")
def runs():
    """Return the makers of synthetic Runs, by name."""
    return SimpleNamespace(
        assemble=assemble,
        random=random_run,
        quoter=quoter_run,
        BTC=BTC,
        ES=ES,
        ETH=ETH,
        COIN=COIN,
        lot_value=lot_value,
        START=START,
        SECOND=SECOND,
    )
