"""Two markets of one value in a replay: hedged, inventory earns and loses less, and every unit of money is accounted for."""

import numpy as np
import polars as pl
import pytest
from scene import MS, T0

from twosided.engines.replay import replay
from twosided.engines.settings import ReplaySettings
from twosided.explain.split import split, split_by_currency
from twosided.market.event import EVENT, Flag, Kind
from twosided.market.instrument import Fees, Instrument
from twosided.strategies.catalogue import find_strategy

INSTRUMENTS = (
    Instrument(symbol="SPOT", tick_size="0.01", lot_size="1", fees=Fees(maker_bps="0", taker_bps="0.1")),
    Instrument(symbol="FUTURE", tick_size="0.01", lot_size="1", fees=Fees(maker_bps="0", taker_bps="0.1")),
)
SETTINGS = ReplaySettings(markets=[{}, {"post_only": False}], equity_every="100ms")
QUOTER = {"half_spread": 2.0, "unit": "ticks", "quantity": 5.0, "max_position": 40.0}


def two_of_one_value(seed=1, steps=3000):
    """Every 100 ms one walk moves both books, two ticks wide, and somebody trades two ticks beyond the mid of the first."""
    random = np.random.default_rng(seed)
    mid, rows, standing = 10_000, [], {0: None, 1: None}
    for step in range(steps):
        now = T0 + step * 100 * MS
        mid += int(random.integers(-1, 2))
        for market in (0, 1):
            wanted = {(1, mid - 1), (-1, mid + 1)}
            gone = (standing[market] or set()) - wanted
            changes = [(side, ticks, 0) for side, ticks in gone] + [(side, ticks, 50) for side, ticks in wanted]
            rows += [(now, market, Kind.DEPTH, 0, *change) for change in changes[:-1]]
            rows.append((now, market, Kind.DEPTH, Flag.LAST_OF_MESSAGE, *changes[-1]))
            standing[market] = wanted
        if random.random() < 0.4:
            side = int(random.choice([1, -1]))
            rows.append((now + 50 * MS, 0, Kind.TRADE, Flag.LAST_OF_MESSAGE, side, mid + 3 * side, 20))
    events = np.zeros(len(rows), EVENT)
    for event, (now, market, kind, flags, side, ticks, lots) in zip(events, rows, strict=True):
        event["exch_ns"], event["local_ns"], event["market"] = now, now + MS, market
        event["kind"], event["flags"], event["side"], event["ticks"], event["lots"] = kind, flags, side, ticks, lots
    return events


@pytest.fixture(scope="module")
def runs():
    hedged = find_strategy("fixed+hedger").with_params(QUOTER, hedge_gamma=3.0, hedge_fee=0.1)
    return replay(
        two_of_one_value(), [find_strategy("fixed").with_params(QUOTER), hedged], instruments=INSTRUMENTS, settings=SETTINGS
    )


def net(run):
    """Return the position of both markets together after each fill."""
    return np.cumsum((run.fills["side"] * run.fills["lots"]).to_numpy())


def inventory_moves(run):
    """Return what the positions in both markets earn from one equity row to the next, in half ticks times lots."""
    earned = 0
    for market in (0, 1):
        rows = run.equity.filter(pl.col("market") == market)
        earned = earned + rows["position_lots"].to_numpy()[:-1] * np.diff(rows["mid_half_ticks"].to_numpy())
    return earned


def test_hedge_fills_are_marked_and_the_quoter_s_are_not(runs):
    _, hedged = runs
    marks = hedged.fills.group_by("market").agg(pl.col("hedge").unique(), pl.len()).sort("market").rows()
    assert [(market, mark) for market, mark, _ in marks] == [(0, [0]), (1, [1])]
    assert all(count > 30 for _, _, count in marks)


def test_hedged_what_it_holds_and_what_that_earns_vary_less(runs):
    alone, hedged = runs
    assert np.std(net(hedged)) < 0.5 * np.std(net(alone))
    assert np.var(inventory_moves(hedged)) < 0.3 * np.var(inventory_moves(alone))


def test_the_band_saves_trades(runs):
    _, banded = runs
    at_once = find_strategy("fixed+hedger").with_params(QUOTER, hedge_band=1e-9)
    (always,) = replay(two_of_one_value(), [at_once], instruments=INSTRUMENTS, settings=SETTINGS)
    count = [int(run.fills.filter(pl.col("hedge") == 1)["lots"].sum()) for run in (banded, always)]
    assert 0 < count[0] < 0.9 * count[1]


def test_the_split_is_exact_in_both_markets_and_together(runs):
    for run in runs:
        parts = split(run)
        for part in parts:
            assert sum(part.parts().values()) == part.total
        assert split_by_currency(run)["USD"].money("total") == sum(part.money("total") for part in parts)
    assert split(runs[1])[1].parts() == {**dict.fromkeys(split(runs[1])[1].parts(), 0), "hedge": split(runs[1])[1].total}
