"""When a resting order fills, and when it does not: the rules of `twosided.execution.venue`, one scene each."""

import pytest
from scene import INSTRUMENT, T0, Scene, actions, causes, fills, play, scripted

from twosided.engines.replay import replay
from twosided.engines.settings import ReplaySettings
from twosided.market.event import Kind, Status

pytestmark = pytest.mark.interpreted

BID_10 = {2: [(1, 0, 100, 10)]}
"""From 2 ms on, bid 10 lots at 100: decided at 2, at the exchange at 3, known here at 4 ms."""


def test_an_order_joins_the_end_of_the_queue_and_fills_once_the_queue_ahead_is_used_up():
    scene = Scene().trade(10, -1, 100, 7).trade(20, -1, 100, 5).trade(30, -1, 100, 4).quiet(40)
    run = play(scene, BID_10)
    assert fills(run) == [(20, 1, 100, 2), (30, 1, 100, 4)]
    assert causes(run) == ["TRADE_AT_PRICE"] * 2


def test_an_order_that_has_not_arrived_yet_is_not_filled():
    scene = Scene(lots=1).trade(2.9, -1, 100, 50).quiet(10)
    assert fills(play(scene, BID_10)) == []


def test_at_one_instant_the_exchange_event_comes_before_our_order():
    assert fills(play(Scene(lots=1).trade(3, -1, 100, 50).quiet(10), BID_10)) == []
    assert fills(play(Scene(lots=1).trade(3.001, -1, 100, 5).quiet(10), BID_10)) == [(3.001, 1, 100, 4)]


def test_a_trade_beyond_our_price_fills_whatever_stands_ahead():
    run = play(Scene(lots=500).trade(10, -1, 99, 4).quiet(20), BID_10)
    assert fills(run) == [(10, 1, 100, 4)]
    assert causes(run) == ["TRADE_THROUGH"]


def test_a_buyer_who_lifts_the_ask_does_not_fill_our_bid():
    assert fills(play(Scene(lots=1).trade(10, 1, 102, 50).trade(11, 1, 100, 50).quiet(20), BID_10)) == []


def test_a_trade_of_unknown_side_hits_the_side_of_the_book_its_price_is_on():
    assert fills(play(Scene(lots=1).trade(10, 0, 100, 5).quiet(20), BID_10)) == [(10, 1, 100, 4)]
    assert fills(play(Scene(lots=1).trade(10, 0, 102, 5).quiet(20), BID_10)) == []


def test_one_trade_is_one_budget_for_all_own_orders_in_price_time_order():
    quotes = {2: [(1, 0, 101, 3), (1, 1, 100, 10)]}
    run = play(Scene(lots=2).trade(10, -1, 100, 8).quiet(20), quotes, levels=2)
    # 3 go to the better bid, 2 to those ahead of us at 100, 3 are left for us
    assert fills(run) == [(10, 1, 101, 3), (10, 1, 100, 3)]


def test_the_opposite_best_quote_reaching_our_price_fills_us_for_what_it_displays():
    scene = Scene().depth(10, 1, 100, 0, half=True).depth(10, -1, 100, 4).quiet(20)
    run = play(scene, BID_10)
    assert fills(run) == [(10, 1, 100, 4)]
    assert causes(run) == ["BOOK_CROSSED"]


def test_the_same_display_never_fills_twice_until_its_level_is_updated():
    scene = Scene().depth(10, 1, 100, 0, half=True).depth(10, -1, 100, 4).depth(10.2, -1, 103, 5).depth(10.4, -1, 100, 3).quiet(20)
    assert fills(play(scene, BID_10)) == [(10, 1, 100, 4), (10.4, 1, 100, 3)]


def test_a_crossing_display_is_one_budget_for_all_own_orders():
    quotes = {2: [(1, 0, 101, 3), (1, 1, 100, 10)]}
    scene = Scene().depth(10, 1, 100, 0, half=True).depth(10, -1, 100, 5).quiet(20)
    assert fills(play(scene, quotes, levels=2)) == [(10, 1, 101, 3), (10, 1, 100, 2)]


def test_a_maker_fills_at_his_own_price_even_when_the_opposite_goes_through_it():
    scene = Scene().depth(10, 1, 100, 0, half=True).depth(10, -1, 97, 50).quiet(20)
    assert fills(play(scene, BID_10)) == [(10, 1, 100, 10)]


def test_a_book_that_is_crossed_only_in_the_middle_of_a_message_fills_nobody():
    scene = Scene().depth(10, -1, 100, 5, half=True).depth(10, -1, 100, 0).quiet(20)
    assert fills(play(scene, BID_10)) == []


def test_a_decrease_that_trades_explain_is_not_counted_again_as_cancels():
    # 10 ahead; 6 trade, and the level falls by these same 6: 4 are left ahead
    scene = Scene().trade(10, -1, 100, 6).depth(11, 1, 100, 4).trade(20, -1, 100, 4).trade(30, -1, 100, 1).quiet(40)
    for queue in ("conservative", "power:3", "log"):
        assert fills(play(scene, BID_10, queue=queue)) == [(30, 1, 100, 1)], queue


def test_with_the_conservative_model_cancels_come_from_behind_us_while_there_are_any():
    scene = Scene().depth(5, 1, 100, 30).depth(10, 1, 100, 10).trade(20, -1, 100, 12).quiet(30)
    assert fills(play(scene, BID_10)) == [(20, 1, 100, 2)]


def test_nobody_has_more_ahead_of_him_than_stands_at_his_price():
    scene = Scene().depth(10, 1, 100, 3).trade(20, -1, 100, 5).quiet(30)
    assert fills(play(scene, BID_10)) == [(20, 1, 100, 2)]


def test_a_probabilistic_queue_lets_cancels_ahead_of_us_help():
    # 10 ahead, 30 behind; 20 cancel: with power:1 three quarters of them from behind, so 5 leave the front
    scene = Scene().depth(5, 1, 100, 40).depth(10, 1, 100, 20).trade(20, -1, 100, 6).quiet(30)
    assert fills(play(scene, BID_10, queue="power:1")) == [(20, 1, 100, 1)]
    assert fills(play(scene, BID_10, queue="conservative")) == []


def test_orders_that_come_together_but_assume_different_queues_move_apart():
    scene = Scene().depth(5, 1, 100, 40).depth(10, 1, 100, 20).trade(20, -1, 100, 6).quiet(30)
    assumed = [
        ReplaySettings(entry_latency="1ms", response_latency="1ms", queue=queue)
        for queue in ("power:1", "power:1", "conservative", "power:2", "power:1")
    ]
    actors = [scripted(BID_10) for _ in assumed]
    together = replay(scene.events(), actors, instruments=INSTRUMENT, settings=assumed, start_ns=T0)
    assert [len(run.fills) for run in together] == [1, 1, 0, 0, 1]


def test_without_partial_fills_any_fill_is_a_whole_fill():
    run = play(Scene(lots=1).trade(10, -1, 100, 2).quiet(20), BID_10, partial_fills=False)
    assert fills(run) == [(10, 1, 100, 10)]


@pytest.mark.parametrize("status", [Status.HALT, Status.AUCTION, Status.CLOSED])
def test_nothing_fills_while_the_market_is_not_in_continuous_trading(status):
    scene = Scene(lots=1).status(8, status).trade(10, -1, 100, 50).depth(11, 1, 100, 0, half=True).depth(11, -1, 99, 5).quiet(20)
    assert fills(play(scene, BID_10)) == []


def test_an_order_sent_into_a_halt_that_we_have_not_heard_of_is_refused_with_the_reason():
    run = play(Scene(lots=1).status(2.5, Status.HALT).quiet(20), BID_10)
    assert ("REJECTED", "NOT_TRADING") in actions(run)


def test_in_a_halt_that_we_know_of_nothing_is_sent_and_what_works_is_cancelled():
    run = play(Scene(lots=1).quiet(5).status(10, Status.HALT).quiet(20).status(30, Status.OPEN).quiet(40).quiet(50), BID_10)
    assert actions(run, "SEND_NEW", "SEND_CANCEL", "CANCELLED", "REJECTED") == [
        ("SEND_NEW", "QUOTE"),
        ("SEND_CANCEL", "QUOTE_WITHDRAWN"),
        ("CANCELLED", "NONE"),
        ("SEND_NEW", "QUOTE"),
    ]


def test_while_a_snapshot_is_being_told_nothing_fills_and_afterwards_the_queue_is_capped():
    scene = Scene().mark(10, Kind.SNAPSHOT_BEGIN, half=True).depth(10, -1, 99, 7, half=True).depth(10, -1, 99, 0, half=True)
    scene.depth(10, 1, 100, 4, half=True).depth(10, -1, 102, 4, half=True).mark(10, Kind.SNAPSHOT_END)
    scene.trade(20, -1, 100, 5).quiet(30)
    assert fills(play(scene, BID_10)) == [(20, 1, 100, 1)]


def test_a_taker_walks_the_displayed_levels_and_remembers_what_it_took():
    scene = Scene(lots=4).depth(1, -1, 103, 4).quiet(6).quiet(20).quiet(30)
    run = play(scene, {2: [(1, 0, 103, 6)]}, orders={"post_only": False})
    # the report of the fill comes back at 4 ms, the strategy asks again, and finds what the first order left
    assert fills(run) == [(3, 1, 102, 4), (3, 1, 103, 2), (5, 1, 103, 2)]
    assert causes(run) == ["TOOK"] * 3
    assert run.fills["maker"].to_list() == [0, 0, 0]


def test_fees_follow_the_role():
    made = play(Scene(lots=1).trade(10, -1, 100, 5).quiet(20), BID_10)
    took = play(Scene(lots=4).quiet(20), {2: [(1, 0, 102, 4)]}, orders={"post_only": False})
    # 4 lots at 1.00 are 4.00: -0.2 bps of it are -0.00008, 3 bps of 4.08 are 0.001224; money is counted in 1e-8
    assert made.fills["fee"].to_list() == [-8_000]
    assert took.fills["fee"].to_list() == [122_400]


def test_a_long_position_pays_a_positive_funding_rate_on_the_value_at_the_mid():
    scene = Scene(lots=1).trade(10, -1, 100, 5).funding(20, 100_000).quiet(30)
    run = play(scene, BID_10)
    # 4 lots at a mid of 1.01 are worth 4.04; 100,000e-9 of it are 0.000404
    closing = run.facts["closing"][0]
    assert closing["funding"] == 40_400
    assert closing["cash"] == -4 * 10**8 + 8_000 - 40_400
