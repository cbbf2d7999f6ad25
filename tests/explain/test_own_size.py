"""A warning where the recorded market could not have stayed as it was."""

import pytest

from twosided.explain.own_size import quote_lots, size_warnings


def sized(runs, **facts):
    return runs.quoter(1, seconds=300, **facts)


def test_small_orders_are_not_remarked_on(runs):
    run = sized(runs, market_volume_lots=[10**9], typical_lots=[{"touch_lots": 10**6, "trade_lots": 10}])
    assert size_warnings(run) == []
    assert size_warnings(sized(runs)) == []  # an engine that does not know the market's sizes


def test_too_large_a_share_of_volume_is_told_with_its_number(runs):
    own = int(sized(runs).fills["lots"].sum())
    (said,) = size_warnings(sized(runs, market_volume_lots=[own * 10]))
    assert "own fills are 10.0% of all that traded." in said
    assert said.startswith("BTCUSDT binance: own orders are not small against the market: ")
    assert size_warnings(sized(runs, market_volume_lots=[own * 20])) == []  # 5 % exactly
    assert size_warnings(sized(runs, market_volume_lots=[0])) == []  # a recording without trades


def test_too_large_a_quote_is_told_with_its_numbers_and_units(runs):
    run = sized(runs)
    lots = quote_lots(run, 0)
    (said,) = size_warnings(sized(runs, typical_lots=[{"touch_lots": 2 * lots, "trade_lots": 1}]))
    shown, own = f"{2 * lots * 0.001:g}", f"{lots * 0.001:g}"
    assert f"own quotes of {own} BTC stand beside {shown} displayed at the touch (50% of it; the usual trade is 0.001)" in said
    assert size_warnings(sized(runs, typical_lots=[{"touch_lots": 4 * lots, "trade_lots": 0}])) == []


@pytest.mark.parametrize("frame", ["orders", "quotes"])
def test_the_size_of_quotes_is_known_from_either_log(runs, frame):
    run = sized(runs)
    other = {"orders": "quotes", "quotes": "orders"}[frame]
    bare = type(run)(**{name: getattr(run, name) for name in ("instruments", "facts", "fills", "decisions", "equity", "mids")},
                     **{frame: getattr(run, frame), other: getattr(run, other).clear()})  # fmt: skip
    assert quote_lots(bare, 0) == quote_lots(run, 0) > 0


def test_every_market_has_its_own_sentence(runs):
    run = runs.random(1, instruments=(runs.BTC, runs.ES), market_volume_lots=[1, 10**9])
    (said,) = size_warnings(run)
    assert said.startswith("BTCUSDT")
