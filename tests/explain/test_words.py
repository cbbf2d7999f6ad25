"""Things have the names that traders give them."""

from decimal import Decimal

import pytest

from twosided.engines.settings import ReplaySettings
from twosided.explain.words import assumptions, fee_words, unit_of
from twosided.market.instrument import Fees, FeeTier, Instrument


@pytest.mark.parametrize(
    ("symbol", "currency", "venue", "multiplier", "unit"),
    [
        ("BTCUSDT", "USDT", "binance", 1, "BTC"),
        ("BTC-USD", "USD", "coinbase", 1, "BTC"),
        ("ETH/USD", "USD", "kraken", 1, "ETH"),
        ("ESH4", "USD", "GLBX.MDP3", 50, "contracts"),
        ("AAPL", "USD", "NASDAQ", 1, "shares"),
        ("FLOW", "USD", "twosided", 1, "shares"),
        ("THING", "USD", "", 1, "THING"),
        ("USD", "USD", "", 1, "USD"),
    ],
)
def test_quantities_are_counted_in_the_base(symbol, currency, venue, multiplier, unit):
    instrument = Instrument(
        symbol=symbol, currency=currency, venue=venue, multiplier=str(multiplier), tick_size="0.1", lot_size="1"
    )
    assert unit_of(instrument) == unit


def test_fees_are_said_with_their_units():
    assert fee_words(Fees(), "USD", "shares") == "none"
    assert fee_words(Fees(maker_per_unit="-0.0020", taker_bps="3"), "USD", "shares") == ("maker −0.002 USD per share, taker 3 bps")
    tier = FeeTier(from_value="1000", maker_bps="1", taker_bps="2")
    assert fee_words(Fees(tax_sell_bps="10", tiers=(tier,)), "HKD", "shares") == (
        "tax on sales 10 bps, other rates from a traded value of 1000 on"
    )


@pytest.mark.parametrize("name", [name for name in Fees.model_fields if name != "tiers"])
def test_no_fee_is_left_unsaid(name):
    assert "7" in fee_words(Fees(**{name: Decimal(7)}), "USD", "BTC")


def test_the_assumptions_of_a_run_stand_in_one_line(runs):
    settings = ReplaySettings(entry_latency="2ms", response_latency="sampled*2", queue="power:2", partial_fills=False)
    run = runs.quoter(1, seconds=5, settings=settings.model_dump(mode="json"))
    assert assumptions(run) == (
        "latency: feed recorded, orders 2 ms, answers sampled*2; queue power:2; fills in whole orders only; fees: none"
    )
    known = runs.quoter(1, seconds=5, settings=settings.model_dump(mode="json"), by_order=[True])
    assert "queue exact, order by order;" in assumptions(known)  # the setting was not needed
    assert assumptions(runs.quoter(1, seconds=5)) == "fees: none"  # not a replay
