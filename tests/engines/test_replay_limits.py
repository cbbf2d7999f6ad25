"""A replay with limits: what the gate stops is not sent and is logged, a halt cancels everything, and the run says when and why."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import INSTRUMENT, MS, T0, Scene, actions, play, random_market, scripted
from test_replay import digest, maker, plain

from twosided.engines.replay import replay
from twosided.engines.settings import Orders, ReplaySettings
from twosided.market.order import OrderAction
from twosided.risk.limits import Limits
from twosided.strategies.contract import Wake, quote_ask, quote_bid, strategy

BOTH = [(1, 0, 100, 5), (-1, 0, 110, 5)]


def busy(ms=60):
    """Return a market of 100 at 110 in which every millisecond somebody sells 4, or buys 4, in turn."""
    scene = Scene(100, 110, 10)
    for i in range(1, ms):
        scene.trade(i + 0.5, *((-1, 100) if i % 2 else (1, 110)), 4)
    return scene


def falling(ms=60, step=1):
    """Return a market that falls a tick a millisecond, while its bids are hit."""
    scene = Scene(1000, 1002, 1)
    for i in range(1, ms):
        scene.trade(i + 0.2, -1, 1000 - step * (i - 1), 3)
        scene.depth(i + 0.5, 1, 1000 - step * (i - 1), 0, half=True).depth(i + 0.5, 1, 1000 - step * i, 1, half=True)
        scene.depth(i + 0.5, -1, 1002 - step * (i - 1), 0, half=True).depth(i + 0.5, -1, 1002 - step * i, 1)
    return scene


def follower(lots=2.0, every_ms=1):
    """Return a quoter of the touch."""

    @strategy(every_ns=every_ms * MS, wake=Wake.TIMER, compiled=False)
    def touch(ctx):
        quote_bid(ctx, 0, 0, ctx.market[0].bid_ticks, lots)
        quote_ask(ctx, 0, 0, ctx.market[0].ask_ticks + 50, lots)

    return touch


def run_follower(scene, limits, lots=2.0, **more):
    assumed = {"entry_latency": "0ms", "response_latency": "0ms", "queue": "optimistic", **more}
    return replay(
        scene.events(), follower(lots), instruments=INSTRUMENT, settings=ReplaySettings(limits=limits, **assumed), start_ns=T0
    )


def denials(run):
    """Return the reasons of what was denied, in order."""
    return [reason for _, reason in actions(run, "DENIED")]


def worst_positions(run, until_ns=2**62):
    """Return the largest position, long and short, that fills and open orders could have come to, from the order log alone."""
    position, open_lots, side_of, most = 0, {}, {}, [0, 0]
    for row in run.orders.filter(run.orders["ns"] < until_ns).iter_rows(named=True):
        order, action = row["order_id"], OrderAction(row["action"])
        side_of.setdefault(order, row["side"])
        if action in (OrderAction.PARTIALLY_FILLED, OrderAction.FILLED):
            position += row["side"] * row["lots"]
        if action == OrderAction.SEND_REPLACE:
            open_lots[order] = max(row["lots"], row["open_lots"])
        elif action != OrderAction.DENIED:
            open_lots[order] = row["open_lots"]
        for index, side in enumerate((1, -1)):
            working = sum(lots for each, lots in open_lots.items() if side_of[each] == side)
            most[index] = max(most[index], side * position + working)
    return most


# ---------------------------------------------------------------- without limits


def test_limits_that_never_bind_change_no_order_and_no_fill():
    events = random_market(5, 300)
    free = replay(events, maker, instruments=INSTRUMENT)
    wide = replay(events, maker, instruments=INSTRUMENT, settings=ReplaySettings(limits=Limits(max_position=10_000)))
    assert wide.digest() == free.digest()
    assert free.facts["risk"] is None
    assert wide.facts["risk"]["state"] == "NORMAL"
    assert wide.facts["risk"]["orders_out"] == wide.orders.filter(wide.orders["action"].is_in([1, 3])).height > 0


# ---------------------------------------------------------------- position


def test_a_quote_is_sent_smaller_where_the_position_limit_leaves_less_room():
    run = play(busy(12), {2: BOTH}, limits=Limits(max_position=3))
    assert actions(run)[:2] == [("SEND_NEW", "TRIMMED")] * 2
    assert run.orders["lots"][0] == 3


def test_a_quote_is_denied_where_there_is_no_room_and_the_log_says_so_once():
    run = play(busy(40), {2: BOTH[:1]}, limits=Limits(max_position=4))
    assert run.fills["position_lots"].max() == 4
    assert denials(run) == ["MAX_POSITION"]
    assert run.facts["risk"]["denied"]["MAX_POSITION"] > 1  # it is asked for anew at each decision


@settings(max_examples=8)
@given(seed=st.integers(0, 50), limit=st.integers(1, 30), replaces=st.booleans())
def test_the_position_that_open_orders_could_lead_to_never_exceeds_the_limit(seed, limit, replaces):
    chosen = ReplaySettings(limits=Limits(max_position=limit), orders=Orders(replace=replaces), entry_latency="3ms")
    run = replay(random_market(seed, 300), maker, instruments=INSTRUMENT, settings=chosen)
    assert max(worst_positions(run)) <= limit
    assert not len(run.fills) or run.fills["position_lots"].abs().max() <= limit


@pytest.mark.parametrize("replaces", [True, False])
def test_trimmed_orders_are_left_in_peace(replaces):
    scene = Scene(100, 110, 10)
    for i in range(5, 60):
        scene.quiet(i)
    run = play(scene, {2: [(1, 0, 100, 20)]}, limits=Limits(max_position=4), orders={"replace": replaces})
    assert actions(run) == [("SEND_NEW", "TRIMMED"), ("ACCEPTED", "NONE")]


# ---------------------------------------------------------------- losses


def test_losses_first_let_only_reducing_orders_pass_and_then_halt():
    run = run_follower(falling(), Limits(max_daily_loss="1", reduce_only_from=0.5))
    changes = [(each["state"], each["why"]) for each in run.facts["risk"]["changes"]]
    assert changes == [("REDUCE_ONLY", "DAILY_LOSS"), ("HALTED", "DAILY_LOSS")]
    reduce_ns, halt_ns = (each["ns"] for each in run.facts["risk"]["changes"])
    sent = run.orders.filter(run.orders["action"].is_in([OrderAction.SEND_NEW, OrderAction.SEND_REPLACE]))
    assert (sent.filter(sent["ns"] < reduce_ns)["side"] == 1).any()
    assert not (sent.filter(sent["ns"] >= reduce_ns)["side"] == 1).any()
    assert sent.filter(sent["ns"] >= halt_ns).height == 0
    assert {"REDUCE_ONLY", "HALTED"} <= set(denials(run))
    assert ("SEND_CANCEL", "DAILY_LOSS") in actions(run)
    last = (
        run.orders.group_by("order_id", maintain_order=True).last().filter(run.orders["order_id"].unique(maintain_order=True) > 0)
    )
    assert set(last["open_lots"]) == {0}  # nothing is left open


def test_a_halt_stays_although_the_loss_is_made_good():
    scene = falling(20)
    for i in range(20, 60):  # the market rises beyond where it began
        scene.depth(i, 1, 1000 + i, 1, half=True).depth(i, -1, 1100, 1, half=True)
        scene.depth(i, -1, 1002 - 19, 0)
    run = run_follower(scene, Limits(max_drawdown="0.2"))
    assert run.facts["risk"]["state"] == "HALTED"
    assert run.facts["risk"]["profit"] > 0
    assert run.facts["risk"]["changes"][-1]["why"] == "DRAWDOWN"


@pytest.mark.parametrize("levels", [1, 2])
def test_in_reduce_only_open_orders_never_overshoot_zero(levels):
    asks = [(-1, level, 110 + level, 9 // levels) for level in range(levels)]
    events, script = busy(70).events(), {2: [(1, 0, 100, 4)], 12: [], 30: asks}
    chosen = ReplaySettings(limits=Limits(max_inventory_age="5ms"), queue="conservative")
    run = replay(events, scripted(script, levels), instruments=INSTRUMENT, settings=chosen, start_ns=T0)
    first, second = run.facts["risk"]["changes"][:2]
    assert (first["state"], first["why"], second["state"]) == ("REDUCE_ONLY", "INVENTORY_AGE", "NORMAL")
    assert first["ns"] < T0 + 30 * MS < second["ns"]
    assert worst_positions(run, second["ns"])[1] == 0
    assert 0 in run.fills["position_lots"]


# ---------------------------------------------------------------- messages, fills, prices


def test_a_message_budget_holds_orders_back_and_lets_cancels_go():
    run = run_follower(falling(ms=80), Limits(message_budget_per_second=20, cancel_reserve=0.5))
    sent = run.orders.filter(run.orders["action"].is_in([OrderAction.SEND_NEW, OrderAction.SEND_CANCEL, OrderAction.SEND_REPLACE]))
    times = sent["ns"].to_numpy()
    orders = sent.filter(sent["action"] != OrderAction.SEND_CANCEL)
    assert orders.height <= 10
    assert "MESSAGE_BUDGET" in denials(run)
    assert (sent["action"] == OrderAction.SEND_CANCEL).any()  # what could not be moved was cancelled
    assert len(times) <= 20


def test_too_many_fills_of_one_side_halt_at_once():
    run = run_follower(falling(), Limits(max_fills_per_side=3, fills_within="1s"))
    assert run.facts["risk"]["why"] == "REPEATED_FILLS"
    assert len(run.fills) == 3
    assert ("SEND_CANCEL", "REPEATED_FILLS") in actions(run)


def test_what_a_price_collar_denies_is_not_sent():
    run = play(busy(10), {2: [(1, 0, 50, 5), (-1, 0, 110, 5)]}, limits=Limits(price_collar_bps=1000))
    assert denials(run) == ["PRICE_COLLAR"]
    assert set(run.orders.filter(run.orders["action"] != OrderAction.DENIED)["side"]) == {-1}


def test_an_order_that_must_not_move_is_cancelled_instead():
    run = play(busy(20), {2: [(1, 0, 99, 5)], 8: [(1, 0, 60, 5)]}, limits=Limits(price_collar_bps=1000))
    assert ("DENIED", "PRICE_COLLAR") in actions(run)
    assert actions(run, "SEND_CANCEL") == [("SEND_CANCEL", "QUOTE_WITHDRAWN")]


def test_a_silent_feed_stops_new_orders():
    scene = Scene(100, 110, 10).quiet(80)
    run = play(scene, {40: BOTH}, limits=Limits(max_book_age="30ms"))
    assert set(denials(run)) == {"STALE_BOOK"}
    assert actions(run, "SEND_NEW") == []


# ---------------------------------------------------------------- one result


def test_a_gated_strategy_gives_the_digest_of_its_own_run_among_others_compiled_or_not():
    events = random_market(7, 300)
    tight = ReplaySettings(limits=Limits(max_position=6, max_daily_loss="0.4", message_budget_per_second=400))
    alone = replay(events, maker, instruments=INSTRUMENT, settings=tight)
    assert alone.digest() != digest(events)
    mixed = replay(events, [maker, maker, plain(maker)], instruments=INSTRUMENT, settings=[ReplaySettings(), tight, tight])
    assert [run.digest() for run in mixed] == [digest(events), alone.digest(), alone.digest()]
    assert [run.facts["risk"] for run in mixed] == [None, alone.facts["risk"], alone.facts["risk"]]


# ---------------------------------------------------------------- what is under way


def test_a_replace_under_way_counts_with_the_larger_size():
    scene = Scene(100, 110, 1).trade(8, -1, 100, 4).quiet(30)  # one ahead of us: three of our four trade
    script = {2: [(1, 0, 100, 4)], 11: [(1, 0, 100, 4), (1, 1, 99, 4)]}
    run = play(scene, script, levels=2, limits=Limits(max_position=8), entry_latency="5ms")
    sent = run.orders.filter(run.orders["action"].is_in([OrderAction.SEND_NEW, OrderAction.SEND_REPLACE]))
    assert actions(run)[:1] == [("SEND_NEW", "QUOTE")]
    assert sent["lots"].to_list() == [4, 4, 1]  # held 3, topped up to 4, so one is left
    assert max(worst_positions(run)) == 8


def test_a_halt_cancels_when_the_report_comes_not_at_the_next_decision():
    quoter = scripted({0: [(1, 0, 100, 20)]}, every_ms=50)
    scene = Scene(100, 110, 1)
    for ms in range(60, 70):
        scene.trade(ms, -1, 100, 2)
    chosen = ReplaySettings(limits=Limits(max_fills_per_side=2, fills_within="1s"), queue="conservative")
    run = replay(scene.quiet(80).events(), quoter, instruments=INSTRUMENT, settings=chosen, start_ns=T0)
    (cancelled,) = run.orders.filter(run.orders["action"] == OrderAction.SEND_CANCEL).iter_rows(named=True)
    reports = run.orders.filter(run.orders["action"] == OrderAction.PARTIALLY_FILLED)
    assert cancelled["ns"] == reports["ns"][1]
