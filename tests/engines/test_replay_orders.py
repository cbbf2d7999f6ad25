"""How quotes become orders: the smallest set of requests, queue priority kept, races with fills."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import INSTRUMENT, Scene, actions, fills, play, random_market

from twosided.risk.limits import Limits

pytestmark = pytest.mark.interpreted

SENT = ("SEND_NEW", "SEND_CANCEL", "SEND_REPLACE")


def test_a_quote_that_does_not_change_sends_one_order_and_nothing_more():
    run = play(Scene().quiet(50), {2: [(1, 0, 100, 10), (-1, 0, 102, 10)]})
    assert actions(run, *SENT) == [("SEND_NEW", "QUOTE")] * 2
    assert run.facts["counts"]["messages_sent"] == 2


def test_a_moved_quote_is_one_replace():
    run = play(Scene().quiet(50), {2: [(1, 0, 100, 10)], 20: [(1, 0, 99, 10)]})
    assert actions(run, *SENT) == [("SEND_NEW", "QUOTE"), ("SEND_REPLACE", "QUOTE_MOVED")]


def test_where_the_venue_cannot_replace_it_is_a_cancel_and_a_new_order():
    run = play(Scene().quiet(50), {2: [(1, 0, 100, 10)], 20: [(1, 0, 99, 10)]}, orders={"replace": False})
    assert actions(run, *SENT) == [("SEND_NEW", "QUOTE"), ("SEND_CANCEL", "QUOTE_MOVED"), ("SEND_NEW", "QUOTE")]


def test_a_withdrawn_quote_is_a_cancel():
    run = play(Scene().quiet(50), {2: [(1, 0, 100, 10)], 20: []})
    assert actions(run) == [("SEND_NEW", "QUOTE"), ("ACCEPTED", "NONE"), ("SEND_CANCEL", "QUOTE_WITHDRAWN"), ("CANCELLED", "NONE")]


def test_within_the_refresh_tolerance_an_order_stays():
    quotes = {2: [(1, 0, 100, 10)], 20: [(1, 0, 99, 10)], 30: [(1, 0, 97, 10)]}
    run = play(Scene().quiet(50), quotes, orders={"refresh_ticks": 2})
    assert actions(run, *SENT) == [("SEND_NEW", "QUOTE"), ("SEND_REPLACE", "QUOTE_MOVED")]


def test_orders_that_serve_within_the_tolerance_are_left_alone_until_a_quote_changes():
    """Looked at anew, the orders at 96 and 95 would serve the first two quotes better, and the one at 99 nobody."""
    quotes = {2: [(1, 0, 99, 5)], 20: [(1, 0, 97, 5), (1, 1, 96, 5), (1, 2, 95, 5)]}
    run = play(Scene().quiet(50), quotes, levels=3, orders={"refresh_ticks": 2})
    assert actions(run, *SENT) == [("SEND_NEW", "QUOTE")] * 3


def test_a_bid_that_did_not_move_is_withdrawn_when_an_own_ask_comes_down_to_it():
    quotes = {2: [(1, 0, 100, 5), (-1, 0, 102, 5)], 20: [(1, 0, 100, 5), (-1, 0, 100, 5)]}
    run = play(Scene(bid=97, ask=105).quiet(50), quotes)
    assert actions(run, *SENT)[2:4] == [("SEND_CANCEL", "QUOTE_WITHDRAWN"), ("SEND_REPLACE", "QUOTE_MOVED")]


def test_a_smaller_quote_is_reduced_in_place_and_keeps_its_turn():
    scene = Scene().depth(10, 1, 100, 500).trade(30, -1, 100, 12).quiet(50)
    run = play(scene, {2: [(1, 0, 100, 10)], 15: [(1, 0, 100, 4)]})
    assert actions(run, *SENT) == [("SEND_NEW", "QUOTE"), ("SEND_REPLACE", "QUOTE_SMALLER")]
    assert fills(run) == [(30, 1, 100, 2)]


def test_a_larger_quote_does_not_give_up_its_turn_until_little_is_open():
    quotes = {2: [(1, 0, 100, 10)], 15: [(1, 0, 100, 14)]}
    assert actions(play(Scene().quiet(50), quotes), *SENT) == [("SEND_NEW", "QUOTE")]
    run = play(Scene(lots=1).trade(10, -1, 100, 7).quiet(50), {2: [(1, 0, 100, 10)]})
    assert actions(run, *SENT) == [("SEND_NEW", "QUOTE"), ("SEND_REPLACE", "TOP_UP")]


def test_a_shifted_ladder_of_quotes_keeps_the_orders_whose_price_is_still_wanted():
    first = [(1, 0, 100, 5), (1, 1, 99, 5), (1, 2, 98, 5)]
    shifted = [(1, 0, 99, 5), (1, 1, 98, 5), (1, 2, 97, 5)]
    run = play(Scene().quiet(50), {2: first, 20: shifted}, levels=3)
    assert actions(run, *SENT) == [("SEND_NEW", "QUOTE")] * 3 + [("SEND_REPLACE", "QUOTE_MOVED")]


def test_a_post_only_quote_is_held_inside_the_opposite_best():
    run = play(Scene(bid=100, ask=102).quiet(50), {2: [(1, 0, 107, 5)], 20: [(-1, 0, 95, 5)]})
    sent = run.orders.filter(run.orders["action"] == 1)
    assert sent["ticks"].to_list() == [101, 101]


def test_a_post_only_order_that_would_cross_when_it_arrives_is_refused():
    scene = Scene().depth(2.5, -1, 100, 3, half=True).depth(2.5, 1, 100, 0).quiet(20)
    run = play(scene, {2: [(1, 0, 100, 5)], 3: []})
    assert actions(run, "REJECTED") == [("REJECTED", "WOULD_CROSS")]


def test_a_refused_replace_leaves_the_old_order_working():
    scene = Scene().depth(20.5, -1, 101, 3).trade(30, -1, 99, 2).quiet(40)
    run = play(scene, {2: [(1, 0, 100, 5)], 20: [(1, 0, 101, 5)], 21: [(1, 0, 100, 5)]})
    assert ("CANCEL_REJECTED", "WOULD_CROSS") in actions(run)
    assert fills(run) == [(30, 1, 100, 2)]


def test_quotes_that_would_meet_each_other_are_not_sent():
    run = play(Scene(bid=90, ask=110).quiet(50), {2: [(1, 0, 100, 5), (-1, 0, 100, 5)]})
    assert actions(run) == [("DENIED", "SELF_CROSS"), ("SEND_NEW", "QUOTE"), ("ACCEPTED", "NONE")]


def test_an_order_that_would_meet_an_own_resting_order_is_refused():
    # the ask moves away at the same decision, but its replace and the new bid are refused or accepted in the order they arrive
    run = play(Scene(bid=90, ask=110).quiet(50), {2: [(-1, 0, 100, 5)], 20: [(1, 0, 100, 5)]})
    assert ("REJECTED", "SELF_CROSS") in actions(run)


def test_a_fill_that_overtakes_the_cancel_counts_and_the_cancel_is_too_late():
    scene = Scene(lots=1).trade(20.5, -1, 100, 50).quiet(40)
    run = play(scene, {2: [(1, 0, 100, 10)], 20: []})
    assert fills(run) == [(20.5, 1, 100, 10)]
    assert actions(run)[-2:] == [("FILLED", "TRADE_AT_PRICE"), ("CANCEL_REJECTED", "TOO_LATE")]
    assert run.facts["closing"][0]["position_lots"] == 10


def test_a_fill_that_overtakes_a_replace_cannot_make_the_order_trade_too_much():
    scene = Scene(lots=1).trade(20.5, -1, 100, 7).trade(30, -1, 98, 50).quiet(40)
    run = play(scene, {2: [(1, 0, 100, 10)], 20: [(1, 0, 99, 10)], 22: [(1, 0, 99, 4)]}, orders={"top_up_below": 0})
    assert sum(lots for _, _, _, lots in fills(run)) == 10


def test_reports_reach_the_strategy_one_response_latency_after_the_exchange():
    run = play(Scene(lots=1).trade(10, -1, 100, 5).quiet(20), {2: [(1, 0, 100, 10)]}, response_latency="3ms")
    row = run.fills.row(0, named=True)
    assert row["local_ns"] - row["exch_ns"] == 3_000_000


def test_prices_are_rounded_outward_to_the_tick_table():
    bands = ({"from_price": "0", "tick_size": "0.01"}, {"from_price": "1.00", "tick_size": "0.05"})
    instrument = INSTRUMENT.model_validate({**INSTRUMENT.model_dump(), "tick_table": bands})
    run = play(
        Scene(bid=110, ask=130).quiet(50), {2: [(1, 0, 108, 5), (-1, 0, 131, 5)], 20: [(1, 0, 98, 5)]}, instrument=instrument
    )
    sent = run.orders.filter(run.orders["action"].is_in([1, 3]))
    assert sent["ticks"].to_list() == [105, 135, 98]


def test_every_line_of_the_order_log_has_an_order_a_time_and_a_reason_in_order_of_time():
    scene = Scene(lots=1).trade(10, -1, 100, 5).trade(20, 1, 102, 5).quiet(50)
    run = play(scene, {2: [(1, 0, 100, 10), (-1, 0, 102, 10)], 30: []})
    assert run.orders["ns"].is_sorted()
    assert (run.orders["order_id"] > 0).all()
    requested = run.orders.filter(run.orders["action"] <= 3)
    assert (requested["reason"] > 0).all()


@pytest.mark.parametrize("ticks", [2**31, -(2**31), 2**45])
def test_a_price_that_no_book_can_hold_is_denied_once_and_not_sent(ticks):
    run = play(Scene().quiet(30), {2: [(1, 0, ticks, 5), (-1, 0, 105, 5)], 20: [(1, 0, 99, 5)]})
    assert actions(run, "DENIED") == [("DENIED", "PRICE_OUT_OF_RANGE")]
    assert actions(run, "SEND_NEW") == [("SEND_NEW", "QUOTE")] * 2


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), refresh=st.integers(0, 2), entry_ms=st.sampled_from([1, 7]), lots=st.sampled_from([2, 40]))
def test_a_quote_with_one_order_is_served_by_the_same_rules_as_any_other(seed, refresh, entry_ms, lots):
    """With limits, which never bind here, no order is taken for the frequent case of one that only has to move."""
    rng, events, script = np.random.default_rng(seed), random_market(seed, n=120), {}
    for ms in range(2, 120, 5):
        wanted = [(side, 0, 1000 - side * int(rng.integers(1, 4)), int(rng.integers(1, lots))) for side in (1, -1)]
        script[ms] = [quote for quote in wanted if rng.random() < 0.85]
    both = [
        play(events, script, orders={"refresh_ticks": refresh}, entry_latency=f"{entry_ms}ms", limits=limits)
        for limits in (None, Limits(max_position=1_000_000))
    ]
    assert both[0].orders.equals(both[1].orders)
    assert both[0].fills.equals(both[1].fills)
