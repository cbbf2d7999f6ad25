"""Strategy presets: what the sources say their settings give."""

import math

import pytest

from twosided.strategies.catalogue import PRESETS, find_strategy

pytestmark = pytest.mark.interpreted

START = {"bid": 9_990, "ask": 10_010}  # mid 100.00, tick 0.01


def test_a_preset_is_found_by_its_name_which_it_keeps():
    for name, preset in PRESETS.items():
        assert find_strategy(name) is preset
        assert preset.name == name
        assert not preset.missing
    assert find_strategy("production+alpha_shift").name == "production+alpha_shift"
    assert find_strategy("production").with_params(half_spread=7.0).resolved()["half_spread"] == 7.0


@pytest.mark.parametrize(
    ("name", "half", "size", "limit"),
    [("fixed-5bps", 5, 100, 1000), ("fixed-10bps", 10, 1, 20), ("fixed-5c", 5, 1, 20), ("fixed-skewed-size", 5, 100, 1000)],
)
def test_the_naive_quoters(decide, name, half, size, limit):
    quotes = decide(PRESETS[name], **START)
    assert (quotes.bids, quotes.asks) == ([(10_000 - half, size)], [(10_000 + half, size)])
    assert not decide(PRESETS[name], position=limit, **START).bids


def test_sizes_of_the_skewed_one_change_by_half(decide):
    quotes = decide(PRESETS["fixed-skewed-size"], position=-999, **START)
    assert (quotes.bids[0][1], quotes.asks[0][1]) == (149, 1)  # 1 more to sell up to the limit
    assert decide(PRESETS["fixed-skewed-size"], position=500, **START).bids[0][1] == 75


def test_production(watched):
    asked = watched(PRESETS["production"])
    quotes = asked(**START)
    assert (quotes.bids, quotes.asks) == ([(9_995, 100)], [(10_005, 100)])
    quotes = asked(position=500, elapsed_s=60, **START)
    assert (quotes.bids[0][1], quotes.asks[0][1]) == (75, 125)
    assert asked(position=950, elapsed_s=120, **START).bids[0][1] == 50  # room: 1000 - 950
    move = 0.019 / math.sqrt(5.0) * 10_000  # 1.9 % in 5 s
    asked(elapsed_s=180, short_volatility=move, **START)
    assert asked.plan.half_bid == pytest.approx(5 * (1 + 10 * 0.019))
    assert not asked(elapsed_s=240, short_volatility=move * 1.1, **START).bids
    assert not asked(elapsed_s=300, trade_imbalance=0.71, **START).asks
    assert asked(elapsed_s=360, feed_age_s=0.1, **START).bids
    assert not asked(elapsed_s=420, feed_age_s=0.11, **START).bids


def test_the_notebook(watched):
    def asked(**view):
        watch = watched(PRESETS["notebook"])
        return watch(**START, bid_lots=50, ask_lots=50, spread_ratio=view.pop("spread_ratio", 1.0), **view)

    flat = asked()
    assert (flat.bids, flat.asks) == ([(9_995, 1000)], [(10_005, 1000)])
    assert (asked(position=50_000).bid, asked(position=50_000).ask) == (9_990, 10_002)
    assert asked(position=50_001).bids[0][1] == 500
    assert asked(spread_ratio=2.1).bids[0][1] == 500
    assert asked(ofi=0.29) == flat
    assert asked(ofi=2.0).bid == 9_996


def test_the_notebook_in_a_spike_of_volatility(watched):
    # five times 1 % a day: 0.0327 price/sqrt(s), moves of 10.3 ticks ten times a second
    watch = watched(PRESETS["notebook"], {"volatility_reference": 0.1 * math.sqrt(10.0) / 5})
    for step in range(2000):
        side = 10 * (step % 2)
        quotes = watch(bid=9_990 + side, ask=10_010 + side, elapsed_s=step / 10, bid_lots=50, ask_lots=50, spread_ratio=1.0)
    assert watch.plan.half_bid == pytest.approx(20, rel=0.01)
    assert [lots for _, lots in quotes.bids + quotes.asks] == [pytest.approx(200, abs=2)] * 2
