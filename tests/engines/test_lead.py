"""The example for two markets on real recordings: Binance's BTCUSDT perpetual around the spot of the same minutes."""

from pathlib import Path

import polars as pl
import pytest

from twosided.data.combine import combine
from twosided.data.recording import load
from twosided.engines.replay import replay
from twosided.explain.split import split, split_by_currency
from twosided.explain.statistics import statistics
from twosided.strategies.catalogue import find_strategy

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "lead.py"


@pytest.fixture(scope="module")
def both(shared):
    """Forty seconds of both; what one machine recorded has one clock."""
    perp = load(shared("data", "binance", "usdm_btcusdt_20240808.gz"))
    spot = load([shared("data", "binance", f"spot_btcusdt_2024080{day}.gz") for day in (8, 9)])
    until = perp.span_ns[0] + 40_000_000_000
    cut = [part.beginning(until_ns=until) for part in (perp, spot)]
    assert (perp.instruments[0].venue, spot.instruments[0].venue) == ("binance-futures", "binance")
    assert perp.clock_offset_ns - spot.clock_offset_ns > 3_000_000  # the perpetual's messages took longer to get here
    return combine(cut, one_clock=True)


@pytest.fixture(scope="module")
def runs(both):
    lead = find_strategy(f"{EXAMPLE}:lead")
    return replay(both, [lead.with_params(lead=0), lead])


def test_it_quotes_the_perpetual_and_only_watches_the_spot(runs):
    for run in runs:
        assert run.fills.height > 20
        assert run.fills["market"].unique().to_list() == [0]
        assert run.orders["market"].unique().to_list() == [0]
        perp, spot = split(run)
        assert sum(perp.parts().values()) == perp.total != 0
        assert spot.total == 0
        assert split_by_currency(run)["USDT"].money("total") == perp.money("total")


def test_the_spot_makes_a_difference_and_the_quotes_follow_the_fair_price(runs):
    alone, led = runs
    assert alone.digest() != led.digest()
    wanted = [run.quotes.filter((pl.col("side") == 1) & (pl.col("lots") > 0))["ticks"] for run in runs]
    assert wanted[1].len() > 2 * wanted[0].len()  # the leader moves more often than the own mid


def test_one_clock_keeps_the_perpetual_s_longer_way(both, runs):
    """The smallest latency of its whole recording was 3.8 ms longer than that of the spot's, and stays so."""
    assert both.shifts_ns[1] == 0
    assert 3_500_000 < both.shifts_ns[0] < 4_000_000
    assert runs[0].facts["data"]["clocks"].startswith("one local clock")
    assert [each["symbol"] for each in statistics(runs[0])["markets"]] == ["BTCUSDT", "BTCUSDT"]
