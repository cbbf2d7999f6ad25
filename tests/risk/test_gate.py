"""Every control has the smallest order that it denies and the nearest that it does not; whatever comes, limits hold."""

import math

import numpy as np
import pytest
from desk import BANDED, MID, NOW, SHARE, Desk, S, judge
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.market.instrument import Instrument
from twosided.market.order import Reason
from twosided.risk.gate import age_ns, kill, on_fill, on_mark, on_sent, pass_reduction, rearm, weigh
from twosided.risk.limits import Limits
from twosided.risk.state import State, new_gate, told

pytestmark = pytest.mark.interpreted

BID, ASK = 1, -1
DAY = 86_400 * S


# ---------------------------------------------------------------- each control, both sides of its limit


@pytest.mark.parametrize(
    ("limits", "known", "denied", "passes", "reason"),
    [
        ({"price_collar_bps": 100}, {}, (BID, 15_151, 1), (BID, 15_150, 1), "PRICE_COLLAR"),
        ({"price_collar_bps": 100}, {}, (ASK, 14_849, 1), (ASK, 14_850, 1), "PRICE_COLLAR"),
        ({"min_order_value": 300}, {}, (BID, 14_999, 2), (BID, 15_000, 2), "INVALID_SIZE"),
        ({}, {}, (BID, 15_000, 0), (BID, 15_000, 1), "INVALID_SIZE"),
        ({}, {}, (BID, 15_000, -1), (BID, 15_000, 1), "INVALID_SIZE"),
        ({"max_order_quantity": 100}, {}, (BID, 15_000, 101), (BID, 15_000, 100), "MAX_ORDER_QUANTITY"),
        ({}, {}, (BID, 15_000, 2**52 + 1), (BID, 15_000, 2**52), "MAX_ORDER_QUANTITY"),
        ({"max_order_value": 15_000}, {}, (BID, 15_001, 100), (BID, 15_000, 100), "MAX_ORDER_VALUE"),
        (
            {"max_open_value_per_side": 30_000},
            {"open_value": (15_000e8, 0), "open_lots": (100, 0)},
            (BID, 15_001, 100),
            (BID, 15_000, 100),
            "MAX_OPEN_VALUE",
        ),
        ({"max_open_value_per_side": 30_000}, {"open_value": (30_000e8, 0)}, (BID, 1, 1), (ASK, 15_000, 200), "MAX_OPEN_VALUE"),
        ({"max_position": 1000}, {"position_lots": 450}, (BID, 15_000, 551), (BID, 15_000, 550), "MAX_POSITION"),
        ({"max_position": 1000}, {"position_lots": 450}, (ASK, 15_000, 1451), (ASK, 15_000, 1450), "MAX_POSITION"),
        ({"max_position": 1000}, {"position_lots": 1200}, (BID, 15_000, 1), (ASK, 15_000, 2200), "MAX_POSITION"),
        (
            {"max_position": 1000},
            {"position_lots": 450, "open_lots": (500, 70)},
            (BID, 15_000, 51),
            (BID, 15_000, 50),
            "MAX_POSITION",
        ),
        ({"max_position_value": 150_000}, {"position_lots": 450}, (BID, 15_000, 551), (BID, 15_000, 550), "MAX_POSITION_VALUE"),
        # below the mid it is the mid that a position will be valued at, above it the price paid
        ({"max_position_value": 150_000}, {"position_lots": 450}, (BID, 14_000, 551), (BID, 14_000, 550), "MAX_POSITION_VALUE"),
        ({"max_position_value": 150_000}, {"position_lots": 450}, (BID, 20_000, 301), (BID, 20_000, 300), "MAX_POSITION_VALUE"),
        ({"max_gross_value": 150_000}, {"other_gross": 75_000.0}, (ASK, 15_000, 501), (ASK, 15_000, 500), "MAX_GROSS_VALUE"),
        ({"max_net_value": 150_000}, {"other_long": -50_000.0}, (BID, 20_000, 1001), (BID, 20_000, 1000), "MAX_NET_VALUE"),
        ({"max_net_value": 150_000}, {"other_short": 75_000.0}, (ASK, 15_000, 501), (ASK, 15_000, 500), "MAX_NET_VALUE"),
        ({"max_leverage": 3, "capital": 50_000}, {}, (BID, 15_000, 1001), (BID, 15_000, 1000), "MAX_LEVERAGE"),
        ({"max_leverage": 3, "capital": 50_000}, {"profit": -10_000.0}, (BID, 15_000, 801), (BID, 15_000, 800), "MAX_LEVERAGE"),
        ({"deny_own_crossing": True}, {"own_ask_ticks": 15_010}, (BID, 15_010, 1), (BID, 15_009, 1), "SELF_CROSS"),
        ({"deny_own_crossing": True}, {"own_bid_ticks": 14_990}, (ASK, 14_990, 1), (ASK, 14_991, 1), "SELF_CROSS"),
        ({"post_only": True}, {}, (BID, 15_001, 1), (BID, 15_000, 1), "WOULD_CROSS"),
        ({"post_only": True}, {}, (ASK, 14_999, 1), (ASK, 15_000, 1), "WOULD_CROSS"),
    ],
)
def test_an_order_beyond_a_limit_is_denied_and_the_nearest_within_it_passes(limits, known, denied, passes, reason):
    desk = Desk(**limits).tell(**known)
    assert desk.ask(*denied) == reason
    assert desk.ask(*passes) == "PASS"
    assert desk.gate.denied[Reason[reason]] == 1


@pytest.mark.parametrize(
    ("limits", "bad", "good", "reason"),
    [
        (
            {"price_collar_bps": 100, "max_reference_age": "1s"},
            {"reference_ns": NOW - S - 1},
            {"reference_ns": NOW - S},
            "STALE_REFERENCE",
        ),
        (
            {"price_collar_bps": 100, "max_reference_age": "1s"},
            {"reference_ns": NOW + S + 1},
            {"reference_ns": NOW + S},
            "STALE_REFERENCE",
        ),
        ({"price_collar_bps": 100}, {"reference_ticks": math.nan}, {"reference_ticks": 15_000.5}, "STALE_REFERENCE"),
        ({"price_collar_bps": 100}, {"reference_ticks": math.inf}, {"reference_ticks": 15_000.5}, "STALE_REFERENCE"),
        ({"max_position_value": 150_000}, {"lot_value": math.nan}, {"lot_value": 150e8}, "MAX_POSITION_VALUE"),
        ({"max_gross_value": 150_000}, {"other_gross": math.nan}, {"other_gross": 0.0}, "MAX_GROSS_VALUE"),
        ({"max_net_value": 150_000}, {"other_long": math.nan}, {"other_long": 0.0}, "MAX_NET_VALUE"),
        ({"max_drawdown": 100}, {"profit": math.nan}, {"profit": 0.0}, "NO_EQUITY"),
        ({"max_open_orders": 3}, {"open_orders": 3}, {"open_orders": 2}, "MAX_OPEN_ORDERS"),
        ({"max_book_age": "250ms"}, {"book_ns": NOW - 250_000_001}, {"book_ns": NOW - 250_000_000}, "STALE_BOOK"),
        ({"max_stream_age": "5s"}, {"stream_ns": NOW - 5 * S - 1}, {"stream_ns": NOW - 5 * S}, "STALE_STREAM"),
        ({"max_clock_error": "1ms"}, {"clock_error_ns": 1_000_001}, {"clock_error_ns": 1_000_000}, "CLOCK_ERROR"),
        ({"max_clock_error": "1ms"}, {"clock_error_ns": -1_000_001}, {"clock_error_ns": -1_000_000}, "CLOCK_ERROR"),
        ({}, {"trading": 0}, {"trading": 1}, "NOT_TRADING"),
        ({"require_dead_man": True}, {"dead_man_armed": 0}, {"dead_man_armed": 1}, "DEAD_MAN"),
        (
            {"max_order_to_trade": 5, "order_to_trade_free": 10},
            {"orders_today": 15, "fills_today": 1},
            {"orders_today": 14},
            "ORDER_TO_TRADE",
        ),
    ],
)
def test_what_is_stale_missing_or_used_up_denies_any_order(limits, bad, good, reason):
    desk = Desk(**limits).tell(**bad)
    assert desk.ask(BID, 15_000, 1) == reason
    assert desk.tell(**good).ask(BID, 15_000, 1) == "PASS"


def test_only_instruments_on_the_list_are_traded():
    two = [SHARE, SHARE.model_copy(update={"symbol": "OTHER"})]
    _, markets = new_gate(Limits(instruments=("OTHER",)), two)
    assert list(markets["allowed"]) == [0, 1]
    assert Desk().tell(allowed=0).ask(BID, 15_000, 1) == "NOT_ALLOWED"


def test_a_price_must_be_one_of_the_tick_table():
    desk = Desk(BANDED)
    assert [desk.ask(BID, ticks, 1) for ticks in (9_999, 10_000, 10_001, 10_005)] == ["PASS", "PASS", "INVALID_PRICE", "PASS"]


def test_an_order_like_one_that_is_open_is_denied_only_where_that_was_asked_for():
    assert Desk(deny_duplicates=True).ask(BID, 15_000, 1, twins=1) == "DUPLICATE"
    assert Desk(deny_duplicates=True).ask(BID, 15_000, 1, twins=0) == "PASS"
    assert Desk().ask(BID, 15_000, 1, twins=1) == "PASS"


def test_a_replace_takes_the_place_of_what_it_replaces():
    desk = Desk(max_position=10, max_open_orders=1, max_open_value_per_side=1500).tell(
        open_orders=1, open_lots=(10, 0), open_value=(1_500e8, 0.0)
    )
    assert desk.ask(BID, 14_999, 10) == "MAX_POSITION"
    assert desk.ask(BID, 14_999, 10, replaces=(15_000, 10)) == "PASS"
    assert desk.ask(BID, 14_999, 11, replaces=(15_000, 10)) == "MAX_POSITION"


def test_a_gross_limit_that_is_broken_already_lets_reducing_orders_pass():
    desk = Desk(max_gross_value=1000, max_leverage=1, capital=1000).tell(position_lots=100)
    assert desk.ask(BID, 15_000, 1) == "MAX_GROSS_VALUE"
    assert desk.ask(ASK, 15_000, 100) == "PASS"


# ---------------------------------------------------------------- messages


def test_the_message_budget_holds_in_any_second_and_a_share_is_kept_for_cancels():
    desk = Desk(message_budget_per_second=5, cancel_reserve=0.4)  # so three of them may be orders
    sent = []
    for ms in range(0, 2500, 100):
        desk.now_ns = NOW + ms * S // 1000
        if desk.ask(BID, 15_000, 1) == "PASS":
            on_sent(desk.gate, True, desk.now_ns)
            sent.append(ms)
    assert sent == [0, 100, 200, 1000, 1100, 1200, 2000, 2100, 2200]


def test_cancels_use_up_the_budget_of_orders_but_are_never_held_back():
    desk = Desk(message_budget_per_second=2, cancel_reserve=0.5)
    for _ in range(5000):  # also beyond what the ring remembers
        assert not on_sent(desk.gate, False, desk.now_ns)
    assert desk.ask(BID, 15_000, 1) == "MESSAGE_BUDGET"
    desk.now_ns += S
    assert desk.ask(BID, 15_000, 1) == "PASS"


def test_orders_out_equal_intents_in():
    desk = Desk()
    assert desk.ask(BID, 15_000, 1) == "PASS"
    assert not on_sent(desk.gate, True, NOW)
    assert on_sent(desk.gate, True, NOW)  # nobody had asked for this one
    assert told(desk.gate)["why"] == "ORDER_WITHOUT_INTENT"
    assert desk.ask(BID, 15_000, 1) == "HALTED"


def test_what_passed_and_was_not_sent_is_no_credit_for_later():
    desk = Desk()
    desk.ask(BID, 15_000, 1)
    desk.ask(BID, 15_000, 1)
    assert not on_sent(desk.gate, True, NOW)
    assert on_sent(desk.gate, True, NOW)


def test_a_reduction_in_place_needs_no_leave():
    desk = Desk(max_position=1).tell(position_lots=5)
    pass_reduction(desk.gate)
    assert not on_sent(desk.gate, True, NOW)


# ---------------------------------------------------------------- states


def test_a_loss_first_lets_only_reducing_orders_pass_and_then_halts():
    desk = Desk(max_daily_loss=100)
    assert not on_mark(desk.gate, 5000.0, NOW)  # what it begins with is no profit
    assert not on_mark(desk.gate, 4925.01, NOW)
    assert on_mark(desk.gate, 4925.0, NOW)
    assert (desk.gate.state, desk.gate.why) == (State.REDUCE_ONLY, Reason.DAILY_LOSS)
    assert not on_mark(desk.gate, 4900.01, NOW)
    assert on_mark(desk.gate, 4900.0, NOW)
    assert (desk.gate.state, desk.gate.why) == (State.HALTED, Reason.DAILY_LOSS)


def test_reduce_only_of_a_daily_loss_ends_with_the_day_and_a_halt_does_not():
    desk = Desk(max_daily_loss=100, day_starts="14:30")
    half_past_two = NOW // DAY * DAY + 14 * 3600 * S + 1800 * S
    on_mark(desk.gate, 0.0, half_past_two - 2)
    on_mark(desk.gate, -80.0, half_past_two - 1)
    assert desk.gate.state == State.REDUCE_ONLY
    on_mark(desk.gate, -80.0, half_past_two)
    assert desk.gate.state == State.NORMAL
    on_mark(desk.gate, -180.0, half_past_two + 1)
    on_mark(desk.gate, 0.0, half_past_two + DAY)
    assert desk.gate.state == State.HALTED


def test_a_drawdown_counts_from_the_best_moment_and_over_days_and_stays_until_re_armed():
    desk = Desk(max_drawdown=100, reduce_only_from=0.5)
    for day, equity in enumerate((0.0, 500.0, 450.0)):
        on_mark(desk.gate, equity, NOW + day * DAY)
    assert (desk.gate.state, desk.gate.why) == (State.REDUCE_ONLY, Reason.DRAWDOWN)
    on_mark(desk.gate, 499.0, NOW + 9 * DAY)
    assert desk.gate.state == State.REDUCE_ONLY
    assert rearm(desk.gate, NOW + 9 * DAY)
    assert desk.gate.state == State.NORMAL


@given(
    marks=st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), max_size=20),
    orders=st.lists(st.tuples(st.sampled_from([BID, ASK]), st.integers(1, 30_000), st.integers(1, 1000)), max_size=10),
)
def test_halted_stays_halted_whatever_happens_until_a_person_re_arms(marks, orders):
    desk = Desk(max_drawdown=100).tell(position_lots=50)
    kill(desk.gate, NOW)
    for step, equity in enumerate(marks):
        on_mark(desk.gate, equity, NOW + step * DAY)
        on_fill(desk.gate, desk.market, BID, 1, NOW)
        on_sent(desk.gate, False, NOW)  # cancels go
        assert (desk.gate.state, desk.gate.why) == (State.HALTED, Reason.KILL_SWITCH)
    assert {desk.ask(*order) for order in orders} <= {"HALTED"}
    assert rearm(desk.gate, NOW)
    assert desk.gate.state == State.NORMAL


def test_every_change_of_state_is_told_with_its_time_and_reason():
    desk = Desk(max_daily_loss=100)
    on_mark(desk.gate, 0.0, NOW)
    on_mark(desk.gate, -80.0, NOW + 1)
    on_mark(desk.gate, -100.0, NOW + 2)
    rearm(desk.gate, NOW + 3)
    assert [tuple(each.values()) for each in told(desk.gate)["changes"]] == [
        (NOW + 1, "REDUCE_ONLY", "DAILY_LOSS"),
        (NOW + 2, "HALTED", "DAILY_LOSS"),
        (NOW + 3, "NORMAL", "NONE"),
    ]


def test_inventory_that_grows_old_must_go_and_at_three_times_the_age_halts():
    desk = Desk(max_inventory_age="15min", inventory_age_halt=3).tell(position_lots=5)
    minute = 60 * S
    states = []
    for minutes in (14, 15, 44, 45):
        desk.tell(oldest_ns=minutes * minute)
        on_mark(desk.gate, 0.0, NOW)
        states.append(State(int(desk.gate.state)).name)
    assert states == ["NORMAL", "REDUCE_ONLY", "REDUCE_ONLY", "HALTED"]


def test_the_age_of_inventory_is_the_mean_of_its_lots_and_begins_anew_when_the_side_changes():
    desk, minute = Desk(), 60 * S

    def fill(side, lots, minutes):
        on_fill(desk.gate, desk.market, side, lots, NOW + minutes * minute)
        return age_ns(desk.market, NOW + minutes * minute) / minute

    assert fill(BID, 10, 0) == 0
    assert fill(BID, 10, 10) == 5  # ten lots of ten minutes, ten new ones
    assert fill(ASK, 15, 20) == 15  # what is sold takes no age with it
    assert fill(ASK, 10, 30) == 0  # now short, all of it new
    assert fill(BID, 5, 40) == 0  # flat
    assert desk.market.position_lots == 0


def test_a_run_of_fills_on_one_side_halts_and_the_same_fills_more_slowly_or_on_both_sides_do_not():
    fast = Desk(max_fills_per_side=3, fills_within="1s")
    assert [on_fill(fast.gate, fast.market, BID, 1, NOW + i * S // 2) for i in range(3)] == [False, False, True]
    assert told(fast.gate)["why"] == "REPEATED_FILLS"
    slow = Desk(max_fills_per_side=3, fills_within="1s")
    assert not any(on_fill(slow.gate, slow.market, BID, 1, NOW + i * (S // 2 + 1)) for i in range(100))
    both = Desk(max_fills_per_side=3, fills_within="1s")
    assert not any(on_fill(both.gate, both.market, side, 1, NOW) for side in (BID, ASK, BID, ASK))


def test_after_re_arming_earlier_fills_do_not_count():
    desk = Desk(max_fills_per_side=2, fills_within="1s")
    on_fill(desk.gate, desk.market, BID, 1, NOW)
    assert on_fill(desk.gate, desk.market, BID, 1, NOW + 1)
    rearm(desk.gate, NOW + 2)
    assert not on_fill(desk.gate, desk.market, BID, 1, NOW + 3)
    assert on_fill(desk.gate, desk.market, BID, 1, NOW + 4)


# ---------------------------------------------------------------- room


def test_the_room_left_is_what_the_check_lets_pass():
    desk = Desk(max_position=1000, max_position_value=150_000).tell(position_lots=450)
    assert (desk.room(BID, 15_000, 10_000), desk.room(ASK, 15_000, 10_000)) == (550, 1450)
    assert desk.room(BID, 15_000, 7) == 7


@given(
    position=st.integers(-3000, 3000),
    others=st.integers(0, 500),
    price=st.integers(1, 40_000),
    lots=st.integers(1, 5000),
    side=st.sampled_from([BID, ASK]),
    most=st.integers(1, 2000),
    value=st.integers(1, 400_000),
)
def test_what_is_trimmed_passes_and_one_lot_more_would_not(position, others, price, lots, side, most, value):
    desk = Desk(max_position=most, max_position_value=value).tell(position_lots=position, open_lots=(others, others))
    room = desk.room(side, price, lots)
    assert 0 <= room <= lots
    assert room == 0 or desk.ask(side, price, room) == "PASS"
    assert room == lots or desk.ask(side, price, room + 1) in ("MAX_POSITION", "MAX_POSITION_VALUE")


# ---------------------------------------------------------------- the judge

LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "price_collar_bps": st.sampled_from([1, 50, 100]),
        "min_order_value": st.integers(1, 500),
        "max_order_quantity": st.integers(1, 60),
        "max_order_value": st.integers(500, 9000),
        "max_open_value_per_side": st.integers(500, 20_000),
        "max_position": st.integers(1, 100),
        "max_position_value": st.integers(100, 15_000),
        "max_gross_value": st.integers(100, 20_000),
        "max_net_value": st.integers(100, 15_000),
        "max_open_orders": st.integers(1, 5),
        "max_book_age": st.just("1s"),
        "max_stream_age": st.just("1s"),
        "max_clock_error": st.just("1ms"),
        "deny_duplicates": st.booleans(),
        "deny_own_crossing": st.booleans(),
        "post_only": st.booleans(),
        "require_dead_man": st.booleans(),
        "instruments": st.just(("SHARE",)),
    },
)
KNOWN = st.fixed_dictionaries(
    {
        "position_lots": st.integers(-120, 120),
        "open_lots": st.tuples(st.integers(0, 60), st.integers(0, 60)),
        "open_value": st.tuples(st.integers(0, 15_000 * 10**8), st.integers(0, 15_000 * 10**8)),
        "open_orders": st.integers(0, 5),
        "own_bid_ticks": st.integers(14_900, 15_000),
        "own_ask_ticks": st.integers(15_000, 15_100),
        "other_gross": st.integers(0, 9000),
        "other_long": st.integers(-9000, 9000),
        "other_short": st.integers(-9000, 9000),
        "trading": st.sampled_from([1, 1, 1, 0]),
        "book_ns": st.sampled_from([NOW, NOW, NOW - 2 * S]),
        "stream_ns": st.sampled_from([NOW, NOW, NOW + 2 * S]),
        "reference_ns": st.sampled_from([NOW, NOW, NOW - 6 * S]),
        "clock_error_ns": st.sampled_from([0, 0, -2_000_000]),
        "dead_man_armed": st.sampled_from([1, 1, 0]),
        "state": st.sampled_from([State.NORMAL, State.NORMAL, State.REDUCE_ONLY, State.HALTED]),
    }
)
ORDERS = st.tuples(st.sampled_from([BID, ASK]), st.integers(14_800, 15_200), st.integers(-1, 80))


@settings(max_examples=150)
@given(
    limits=LIMITS,
    leverage=st.none() | st.tuples(st.sampled_from([0.5, 1, 3]), st.integers(100, 9000)),
    known=KNOWN,
    order=ORDERS,
    replaces=st.none() | st.tuples(st.integers(14_900, 15_100), st.integers(1, 10)),
    twins=st.integers(0, 1),
)
def test_the_gate_says_what_the_rules_say(limits, leverage, known, order, replaces, twins):
    if leverage:
        limits = limits | {"max_leverage": leverage[0], "capital": leverage[1]}
    desk = Desk(**limits).tell(**known)
    if replaces:  # what is replaced is among what is open
        index = 0 if order[0] > 0 else 1
        desk.market.open_lots[index] += replaces[1]
        desk.market.open_value[index] += desk.value(replaces[0]) * replaces[1]
        desk.gate.open_orders += 1
    assert desk.ask(*order, replaces=replaces, twins=twins) == judge(desk, *order, replaces=replaces, twins=twins)


@settings(max_examples=100)
@given(limits=LIMITS, known=KNOWN, order=ORDERS, twins=st.integers(0, 1))
def test_mirrored_inputs_give_mirrored_verdicts(limits, known, order, twins):
    side, ticks, lots = order
    limits = {name: value for name, value in limits.items() if "value" not in name}  # a bid and an ask off the mid differ in value
    seen = Desk(**limits).tell(**known).ask(side, ticks, lots, twins=twins)
    mirrored = known | {
        "position_lots": -known["position_lots"],
        "open_lots": known["open_lots"][::-1],
        "own_bid_ticks": 2 * MID - known["own_ask_ticks"],
        "own_ask_ticks": 2 * MID - known["own_bid_ticks"],
    }
    assert Desk(**limits).tell(**mirrored).ask(-side, 2 * MID - ticks, lots, twins=twins) == seen


# ---------------------------------------------------------------- a day of orders, fills, cancels and lost answers


class Session:
    """Open orders in plain Python, and a gate that hears of them as an engine would tell it."""

    def __init__(self, **limits):
        self.desk, self.orders, self.position = Desk(**limits), [], 0

    def tell(self):
        side_of = {BID: [o for o in self.orders if o[0] == BID], ASK: [o for o in self.orders if o[0] == ASK]}
        lots = tuple(sum(o[2] for o in side_of[side]) for side in (BID, ASK))
        values = tuple(sum(self.desk.value(o[1]) * o[2] for o in side_of[side]) for side in (BID, ASK))
        self.desk.tell(position_lots=self.position, open_lots=lots, open_value=values, open_orders=len(self.orders))
        return lots, values

    def act(self, kind, side, ticks, lots):
        self.tell()
        if kind == "new" and self.desk.ask(side, ticks, lots) == "PASS":
            assert not on_sent(self.desk.gate, True, NOW)
            self.orders.append((side, ticks, lots, "working"))
        elif kind == "cancel" and self.orders:
            on_sent(self.desk.gate, False, NOW)
            self.orders.pop(lots % len(self.orders))
        elif kind == "lost" and self.orders:  # no answer in time: unknown, and still in the sums
            chosen = lots % len(self.orders)
            self.orders[chosen] = (*self.orders[chosen][:3], "unknown")
        elif kind == "fill" and self.orders:
            chosen = lots % len(self.orders)
            order = self.orders.pop(chosen)
            done = 1 + lots % order[2]
            self.position += order[0] * done
            if order[2] > done:
                self.orders.append((order[0], order[1], order[2] - done, order[3]))


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["new", "new", "new", "cancel", "lost", "fill", "fill"]),
        st.sampled_from([BID, ASK]),
        st.integers(14_950, 15_050),
        st.integers(1, 40),
    ),
    max_size=40,
)


@settings(max_examples=60)
@given(acts=ACTS)
def test_whatever_orders_are_thrown_at_it_no_limit_is_ever_exceeded(acts):
    session = Session(
        max_position=50, max_open_value_per_side=9000, max_order_quantity=30, max_open_orders=4, max_position_value=7000
    )
    for act in acts:
        session.act(*act)
        lots, values = session.tell()
        assert max(session.position + lots[0], lots[1] - session.position) <= 50
        assert max(session.position + lots[0], lots[1] - session.position) * 150 <= 7000
        assert max(values) <= 9000e8
        assert len(session.orders) <= 4
        assert session.desk.gate.halted == Reason.NONE


@settings(max_examples=60)
@given(start=st.integers(-50, 50), acts=ACTS)
def test_reduce_only_never_increases_a_position_nor_turns_it_round(start, acts):
    session = Session()
    session.position = start
    session.desk.tell(state=State.REDUCE_ONLY)
    for act in acts:
        before = session.position
        session.act(*act)
        assert abs(session.position) <= abs(before)
        assert session.position * start >= 0


# ---------------------------------------------------------------- several markets


def test_a_market_weighs_its_worst_case_in_the_currency():
    desk = Desk().tell(position_lots=100, open_lots=(20, 300))
    assert weigh(desk.market) == (200 * 150.0, 120 * 150.0, 200 * 150.0)
    desk.tell(lot_value=math.nan)
    assert all(math.isnan(each) for each in weigh(desk.market))


def test_sums_over_markets_want_one_currency():
    coin = Instrument(symbol="COIN", tick_size="0.5", lot_size="1", currency="BTC", inverse=True)
    new_gate(Limits(max_position=5), [SHARE, coin])
    with pytest.raises(ValueError, match="max_daily_loss adds the markets' money, which is in USD and BTC"):
        new_gate(Limits(max_daily_loss=5), [SHARE, coin])


def test_an_instrument_that_is_not_there_cannot_be_allowed():
    with pytest.raises(ValueError, match="instruments allows 'SHRAE', which is not traded here; known: SHARE"):
        new_gate(Limits(instruments=("SHRAE",)), [SHARE])


def test_limits_in_lots_are_rounded_down():
    small = Instrument(symbol="S", tick_size="0.01", lot_size="0.3")
    _, markets = new_gate(Limits(max_position=1, max_order_quantity="0.9"), [small])
    assert (markets[0].max_position_lots, markets[0].max_order_lots) == (3, 3)
    assert np.isinf(markets[0].max_position_value)
