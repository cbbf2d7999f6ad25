"""Four generated venues quoted at once: the whole is the sum of its venues, exactly, and nothing protected is ever locked."""

import numpy as np
import polars as pl
import pytest

from twosided.data.combine import combine
from twosided.data.recording import Recording, load
from twosided.engines.flow_venues import generate_venues
from twosided.engines.replay import replay
from twosided.engines.settings import ReplaySettings
from twosided.explain.split import split, split_by_currency
from twosided.explain.statistics import statistics
from twosided.market.instrument import Fees
from twosided.strategies.catalogue import find_strategy

FEES = [Fees(maker_per_unit=fee) for fee in ("-0.0020", "-0.0025", "-0.0015", "0")]


@pytest.fixture(scope="module")
def run():
    events, instruments = generate_venues(seed=4, seconds=300.0, shares=(0.25, 0.30, 0.20, 0.15), fees=FEES)
    quoter = find_strategy("four-venues").with_params(half_spread=1.5, unit="ticks")
    return replay(Recording(events, instruments, 0, 500_000), quoter)


def test_every_venue_is_quoted_and_filled_and_pays_its_own_fees(run):
    assert run.fills["market"].unique().sort().to_list() == [0, 1, 2, 3]
    paid = [run.fills.filter(pl.col("market") == m).select(pl.col("fee").sum(), pl.col("lots").sum()).row(0) for m in range(4)]
    for (fee, lots), fees, instrument in zip(paid, FEES, run.instruments, strict=True):
        assert fee * instrument.money_quantum == lots * fees.maker_per_unit


def test_the_whole_is_the_sum_of_the_venues(run):
    venues = split(run)
    for each in venues:
        assert sum(each.parts().values()) == each.total
    whole = split_by_currency(run)["USD"]
    assert whole.total == sum(each.total for each in venues)
    signed = run.fills["side"] * run.fills["lots"]
    held = [int(run.facts["closing"][m]["position_lots"]) for m in range(4)]
    assert sum(held) == signed.sum()
    assert [int(signed.filter(run.fills["market"] == m).sum()) for m in range(4)] == held
    assert statistics(run)["markets"][0]["fills"] == (run.fills["market"] == 0).sum()


def test_the_total_stays_within_its_limit(run):
    position = (run.fills["side"] * run.fills["lots"]).cum_sum()
    assert position.abs().max() <= 2000


def test_no_quote_locks_one_of_its_own_at_any_venue(run):
    """Replay every change of what was wanted: at no instant is a bid at or above an ask, wherever the two are."""
    wanted = {}
    for (ns,), rows in run.quotes.group_by("ns", maintain_order=True):
        for market, side, ticks, lots in rows.select("market", "side", "ticks", "lots").rows():
            wanted[market, side] = ticks if lots else None
        bids = [ticks for (_, side), ticks in wanted.items() if side > 0 and ticks]
        asks = [ticks for (_, side), ticks in wanted.items() if side < 0 and ticks]
        assert not bids or not asks or max(bids) < min(asks), ns


def test_nothing_that_it_sends_takes(run):
    assert (run.fills["maker"] == 1).all()


def test_it_quotes_spot_and_perpetual_of_one_coin_as_two_venues(shared):
    """Not one instrument, and their basis shows: but one tick and currency, which is all that it asks for."""
    names = ("usdm_btcusdt_20240808.gz", "spot_btcusdt_20240808.gz")
    parts = [load(shared("data", "binance", name), tick_size="0.01") for name in names]
    until = parts[0].span_ns[0] + 20_000_000_000
    both = combine([part.beginning(until_ns=until) for part in parts], one_clock=True)
    quoter = find_strategy("multi_venue").with_params(half_spread=0.5, quantity=0.02, max_position=0.1, venue_limit=0.02)
    done = replay(both, quoter, settings=ReplaySettings(entry_latency="1ms"))
    assert done.quotes.height > 50
    for each in split(done):
        assert sum(each.parts().values()) == each.total
    lots = np.array([float(each.lot_size) for each in both.instruments])[done.fills["market"].to_numpy()]
    position = np.cumsum(done.fills["side"].to_numpy() * done.fills["lots"].to_numpy() * lots)
    assert 0 < np.abs(position).max() <= 0.1 + 1e-9
