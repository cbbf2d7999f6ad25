"""One currency for all: the parts still add up, to the last digit, and exchange rates have a part of their own."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.explain.reporting import REPORTED_PARTS, Reporting, reported
from twosided.explain.split import PARTS, split

SECOND = 10**9


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), n_fills=st.integers(0, 40), horizon_s=st.sampled_from([0, 1, 10, 1000]))
def test_the_parts_add_up_to_what_the_accounts_are_worth_at_both_ends(runs, seed, n_fills, horizon_s):
    run = runs.random(seed, n_fills=n_fills, instruments=(runs.BTC, runs.ES, runs.COIN))
    found = reported(run, Reporting("USDT", {"USD": Decimal("1.0007"), "XBT": "market:0"}), horizon_s * SECOND)
    assert sum(found.amounts[name] for name in REPORTED_PARTS) == found.amounts["total"]

    def mid(market, at):
        rows = run.mids.filter(run.mids["market"] == market)
        held = rows.filter(rows["exch_ns"] <= at) if at is not None else rows
        row = (held if held.height else rows.head(1)).tail(1).to_dicts()[0]
        return row["bid_ticks"] + row["ask_ticks"]

    def worth(at, accounts):
        value = 0
        for market, instrument in enumerate(run.instruments):
            price = int(instrument.price_units(mid(market, at)))
            own = accounts[market]["cash"] + accounts[market]["position_lots"] * price * instrument.unit_quanta
            rate = {"USDT": 1, "USD": Decimal("1.0007"), "XBT": mid(0, at) * runs.BTC.tick_size / 2}[instrument.currency]
            value += own * instrument.money_quantum * rate
        return value

    expected = worth(None, run.facts["closing"]) - worth(runs.START, run.facts["opening"])
    assert found.money("total") == pytest.approx(expected, abs=Decimal("1e-14"))


def test_with_a_constant_rate_every_part_is_the_account_s_times_the_rate(runs):
    run = runs.random(7, instruments=(runs.BTC, runs.ES))
    found = reported(run, Reporting("USDT", {"USD": Decimal("1.25")}))
    parts = split(run)
    for name in (*PARTS, "total"):
        assert found.money(name) == parts[0].money(name) + parts[1].money(name) * Decimal("1.25")
    assert found.money("currency") == 0


def test_a_known_answer_by_hand(runs):
    """A coin's contract earns 1 coin at 100 on the way to 150; held from there to the end it is worth 50 more."""
    coin = replace_symbol(runs.ES, "COIN")
    half = Decimal("0.25") / 2
    mids = [
        {"market": 0, "exch_ns": runs.START, "bid_ticks": 399, "ask_ticks": 401},  # 100 USD a coin
        {"market": 0, "exch_ns": runs.START + 20 * SECOND, "bid_ticks": 599, "ask_ticks": 601},  # 150
        {"market": 1, "exch_ns": runs.START, "bid_ticks": 39, "ask_ticks": 41},
    ]
    fill = {"market": 1, "side": 1, "lots": 1, "fee": 0, "tax": 0, "maker": 1, "hedge": 0, "order_id": 1, "cause": 12}
    fills = [
        {**fill, "exch_ns": runs.START + 5 * SECOND, "ticks": 40},
        {**fill, "exch_ns": runs.START + 6 * SECOND, "ticks": 44, "side": -1, "order_id": 2},
    ]
    run = runs.assemble((runs.ES, coin), fills, mids, span_ns=30 * SECOND)
    assert half * 800 == 100
    found = reported(run, Reporting("USD", {"COIN": "market:0"}))
    earned = 4 * Decimal("0.25") * 50  # coins: four ticks of 0.25, fifty a point
    assert split(run)[1].money("spread") == earned
    assert found.money("spread") == earned * 100
    assert found.money("currency") == earned * 50
    assert found.money("total") == earned * 150


def replace_symbol(instrument, currency):
    return instrument.model_copy(update={"symbol": "COINCONTRACT", "currency": currency})


def test_funding_counts_when_the_equity_shows_it(runs):
    run = runs.random(3, instruments=(runs.BTC, runs.COIN), n_fills=10)
    moved = run.facts["closing"][1]["funding"] - run.facts["opening"][1]["funding"]
    assert moved  # paid at the very end
    without = replace(run, facts={**run.facts, "closing": [run.facts["closing"][0], _unpaid(run.facts["closing"][1], moved)]})
    reporting = Reporting("USDT", {"XBT": "market:0"})
    last = run.mids.filter(run.mids["market"] == 0).tail(1).to_dicts()[0]
    rate = (last["bid_ticks"] + last["ask_ticks"]) * runs.BTC.tick_size / 2
    difference = reported(run, reporting).money("fees") - reported(without, reporting).money("fees")
    assert difference == -moved * runs.COIN.money_quantum * rate


def _unpaid(closing, amount):
    return {**closing, "cash": closing["cash"] + amount, "funding": closing["funding"] - amount}


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ({}, "money is in USD, and no rate to USDT is given; state one: USD=1.08, or the market whose price it is: USD=market:0"),
        ({"USD": Decimal(0)}, "the rate of USD is 0; allowed: a positive number"),
        ({"USD": "market:2"}, "the rate of USD is 'market:2'; allowed: a number, or market:0 to market:1"),
        ({"USD": "spot"}, "the rate of USD is 'spot'; allowed:"),
        ({"USD": "market:1"}, "the rate of USD is the price of ESH4, which is in USD; allowed: a market whose prices are in USDT"),
    ],
)
def test_a_currency_without_a_rate_is_refused(runs, rates, said):
    run = runs.random(1, instruments=(runs.BTC, runs.ES))
    with pytest.raises(InputError, match=f"^{said}"):
        reported(run, Reporting("USDT", rates))
