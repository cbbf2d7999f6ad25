"""The matching engine keeps price, then time, and every rule of order types and self-trade prevention."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.execution.matching import MatchingEngine, Report, SelfTrade, TimeInForce
from twosided.market.order import OrderAction, Reason

BUY, SELL = 1, -1
GTC, IOC, FOK = TimeInForce.GOOD_TILL_CANCELLED, TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL
HIGHEST, LOWEST = 2**31 - 1, -(2**31)


class NaiveEngine:
    """The rules in plain Python: a list of resting orders, sorted when somebody comes."""

    def __init__(self):
        self.resting = []  # dictionaries, in the order of their arrival

    def submit(self, order_id, side, lots, ticks=None, *, owner=0, time_in_force=GTC, post_only=False, self_trade=0):
        limit = ticks if ticks is not None else (HIGHEST if side == BUY else LOWEST)
        order = {"id": order_id, "side": side, "ticks": limit, "lots": lots, "owner": owner, "post_only": post_only}
        order["self_trade"] = self_trade
        if not LOWEST <= limit <= HIGHEST:
            return [self.say("REJECTED", "PRICE_OUT_OF_RANGE", order, lots, 0)]
        if post_only and self.opposite(order):
            return [self.say("REJECTED", "WOULD_CROSS", order, lots, 0)]
        reports = [self.say("ACCEPTED", "NONE", order, lots, lots)]
        if time_in_force != FOK or self.could_trade(order) >= lots:
            reports += self.match(order)
        if order["lots"] and (time_in_force != GTC or ticks is None):
            reports.append(self.say("CANCELLED", "IMMEDIATE_REMAINDER", order, order["lots"], 0))
        elif order["lots"]:
            self.resting.append(order)
        return reports

    def cancel(self, order_id):
        order = self.find(order_id)
        if order is None:
            return [Report(OrderAction.CANCEL_REJECTED, Reason.TOO_LATE, order_id, 0, 0, 0, 0, 0, maker=False)]
        self.resting.remove(order)
        return [self.say("CANCELLED", "NONE", order, order["lots"], 0)]

    def replace(self, order_id, ticks, lots):
        order = self.find(order_id)
        if order is None:
            return [Report(OrderAction.CANCEL_REJECTED, Reason.TOO_LATE, order_id, 0, 0, ticks, lots, 0, maker=False)]
        moved = {**order, "ticks": ticks, "lots": lots}
        if not LOWEST <= ticks <= HIGHEST:
            return [self.say("CANCEL_REJECTED", "PRICE_OUT_OF_RANGE", moved, lots, order["lots"])]
        if order["post_only"] and self.opposite(moved):
            return [self.say("CANCEL_REJECTED", "WOULD_CROSS", moved, lots, order["lots"])]
        reports = [self.say("REPLACED", "NONE", moved, lots, lots)]
        if ticks == order["ticks"] and lots <= order["lots"]:
            order["lots"] = lots
            return reports
        self.resting.remove(order)
        reports += self.match(moved)
        if moved["lots"]:
            self.resting.append(moved)
        return reports

    def find(self, order_id):
        return next((order for order in self.resting if order["id"] == order_id), None)

    def opposite(self, order):
        """Who would trade with *order*, in the order in which they would: by price, then by arrival (sorting is stable)."""
        crossing = [each for each in self.resting if each["side"] != order["side"]]
        crossing = [each for each in crossing if (order["ticks"] - each["ticks"]) * order["side"] >= 0]
        return sorted(crossing, key=lambda each: each["ticks"] * order["side"])

    def could_trade(self, order):
        found = 0
        for each in self.opposite(order):
            if order["owner"] and each["owner"] == order["owner"]:
                if order["self_trade"] == SelfTrade.CANCEL_INCOMING:
                    break
                continue
            found += each["lots"]
        return found

    def match(self, order):
        reports = []
        for maker in self.opposite(order):
            if not order["lots"]:
                break
            if order["owner"] and maker["owner"] == order["owner"]:
                if order["self_trade"] == SelfTrade.CANCEL_INCOMING:
                    reports.append(self.say("CANCELLED", "SELF_CROSS", order, order["lots"], 0))
                    order["lots"] = 0
                    break
                reports.append(self.say("CANCELLED", "SELF_CROSS", maker, maker["lots"], 0))
                self.resting.remove(maker)
                continue
            traded = min(order["lots"], maker["lots"])
            for each, reason in ((maker, "TRADE_AT_PRICE"), (order, "TOOK")):
                each["lots"] -= traded
                action = "PARTIALLY_FILLED" if each["lots"] else "FILLED"
                at = {**each, "ticks": maker["ticks"]}
                reports.append(self.say(action, reason, at, traded, each["lots"], maker=each is maker))
            if not maker["lots"]:
                self.resting.remove(maker)
        return reports

    @staticmethod
    def say(action, reason, order, lots, open_lots, maker=False):
        names = OrderAction[action], Reason[reason]
        return Report(*names, order["id"], order["owner"], order["side"], order["ticks"], lots, open_lots, maker)

    def depth(self, side):
        levels = {}
        for order in self.resting:
            if order["side"] == side:
                levels[order["ticks"]] = levels.get(order["ticks"], 0) + order["lots"]
        return sorted(levels.items(), reverse=side == BUY)

    def queue(self, side, ticks):
        return [(order["id"], order["lots"]) for order in self.resting if (order["side"], order["ticks"]) == (side, ticks)]


prices = st.sampled_from([98, 99, 99, 100, 100, 100, 101, 101, 102, HIGHEST, LOWEST, HIGHEST + 1])
sizes = st.integers(1, 9)
submissions = st.tuples(
    st.just("submit"),
    st.sampled_from([BUY, SELL]),
    sizes,
    st.one_of(prices, prices, st.none()),
    st.integers(0, 2),
    st.sampled_from([GTC, GTC, GTC, IOC, FOK]),
    st.booleans(),
    st.sampled_from(list(SelfTrade)),
)
commands = st.lists(
    st.one_of(
        submissions,
        submissions,
        submissions,
        st.tuples(st.just("cancel"), st.integers(1, 30)),
        st.tuples(st.just("replace"), st.integers(1, 30), prices, sizes),
    ),
    min_size=20,
    max_size=50,
)


def give(engine, number, command, *rest):
    if command == "submit":
        side, lots, ticks, owner, time_in_force, post_only, self_trade = rest
        rests = time_in_force == GTC and ticks is not None
        how = {"owner": owner, "time_in_force": time_in_force, "self_trade": self_trade, "post_only": post_only and rests}
        return engine.submit(number, side, lots, ticks, **how)
    return getattr(engine, command)(*rest)


@pytest.mark.interpreted
@settings(max_examples=40)
@given(commands)
def test_any_commands_give_the_reports_and_the_book_of_the_naive_engine(script):
    engine, naive = MatchingEngine(), NaiveEngine()
    for number, step in enumerate(script, start=1):
        assert give(engine, number, *step) == give(naive, number, *step)
        assert engine.book.spread is None or engine.book.spread > 0, "the book is never crossed, nor locked"
    for side in (BUY, SELL):
        assert engine.book.depth(side) == naive.depth(side)
        for ticks, _ in naive.depth(side):
            assert engine.book.queue(side, ticks) == naive.queue(side, ticks)
    engine.book.validate()


@pytest.mark.interpreted
@settings(max_examples=20)
@given(commands)
def test_no_lot_is_made_or_lost(script):
    engine = MatchingEngine()
    entered = gone = 0
    fills = {True: 0, False: 0}
    resting = {}  # id -> open lots, as the reports tell it
    for number, step in enumerate(script, start=1):
        for report in give(engine, number, *step):
            name = report.action.name
            if name in {"REJECTED", "CANCEL_REJECTED"}:
                continue
            if name in {"ACCEPTED", "REPLACED"}:
                entered += report.lots - resting.get(report.order_id, 0)
            elif name == "CANCELLED":
                gone += report.lots
            else:
                fills[report.maker] += report.lots
            resting[report.order_id] = report.open_lots
    assert fills[True] == fills[False], "every fill has a maker and a taker"
    book = sum(lots for side in (BUY, SELL) for _, lots in engine.book.depth(side))
    assert entered == gone + fills[True] + fills[False] + book
    assert sum(resting.values()) == book


def brief(reports):
    return [(report.action.name, report.order_id, report.ticks, report.lots) for report in reports]


@pytest.fixture
def engine():
    """Two sellers at 101, in this order: 1 with 5 lots and 2 with 4; seller 3 with 6 lots at 102."""
    engine = MatchingEngine()
    for order_id, lots, ticks in ((1, 5, 101), (2, 4, 101), (3, 6, 102)):
        engine.submit(order_id, SELL, lots, ticks, owner=order_id)
    return engine


@pytest.mark.interpreted
def test_the_best_price_trades_first_then_who_came_first_and_at_the_resting_price(engine):
    assert brief(engine.submit(9, BUY, 11, 105)) == [
        ("ACCEPTED", 9, 105, 11),
        ("FILLED", 1, 101, 5),
        ("PARTIALLY_FILLED", 9, 101, 5),
        ("FILLED", 2, 101, 4),
        ("PARTIALLY_FILLED", 9, 101, 4),
        ("PARTIALLY_FILLED", 3, 102, 2),
        ("FILLED", 9, 102, 2),
    ]
    assert engine.book.queue(SELL, 102) == [(3, 4)]


@pytest.mark.interpreted
def test_size_gives_no_priority(engine):
    engine.submit(4, SELL, 100, 101)
    assert [report.order_id for report in engine.submit(9, BUY, 1, 101) if report.maker] == [1]


@pytest.mark.interpreted
def test_what_a_limit_order_cannot_trade_rests_at_its_price(engine):
    engine.submit(9, BUY, 12, 101)
    assert engine.book.depth(BUY) == [(101, 3)]
    assert engine.book.best_ask == 102


@pytest.mark.interpreted
def test_nothing_of_a_market_order_rests(engine):
    reports = engine.submit(9, BUY, 20)
    assert reports[-1][:2] == (OrderAction.CANCELLED, Reason.IMMEDIATE_REMAINDER)
    assert reports[-1].lots == 5
    assert len(engine.book) == 0


@pytest.mark.interpreted
def test_immediate_or_cancel_takes_what_it_can(engine):
    reports = engine.submit(9, BUY, 20, 101, time_in_force=IOC)
    assert sum(report.lots for report in reports if report.maker) == 9
    assert brief(reports)[-1] == ("CANCELLED", 9, 101, 11)


@pytest.mark.interpreted
def test_fill_or_kill_takes_all_or_nothing(engine):
    assert brief(engine.submit(8, BUY, 10, 101, time_in_force=FOK)) == [("ACCEPTED", 8, 101, 10), ("CANCELLED", 8, 101, 10)]
    assert engine.book.depth(SELL) == [(101, 9), (102, 6)]
    assert brief(engine.submit(9, BUY, 9, 101, time_in_force=FOK))[-1] == ("FILLED", 9, 101, 4)


@pytest.mark.interpreted
def test_fill_or_kill_does_not_count_what_self_trade_prevention_would_take_away(engine):
    reports = engine.submit(8, BUY, 6, 101, owner=1, time_in_force=FOK)
    assert brief(reports) == [("ACCEPTED", 8, 101, 6), ("CANCELLED", 8, 101, 6)]
    assert engine.book.queue(SELL, 101) == [(1, 5), (2, 4)], "a killed order leaves its owner's other orders alone"
    reports = engine.submit(9, BUY, 4, 101, owner=1, time_in_force=FOK, self_trade=SelfTrade.CANCEL_INCOMING)
    assert reports[-1][:2] == (OrderAction.CANCELLED, Reason.IMMEDIATE_REMAINDER)


@pytest.mark.interpreted
def test_post_only_is_refused_where_it_would_trade_and_rests_elsewhere(engine):
    assert engine.submit(8, BUY, 1, 101, post_only=True)[0][:2] == (OrderAction.REJECTED, Reason.WOULD_CROSS)
    assert brief(engine.submit(9, BUY, 1, 100, post_only=True)) == [("ACCEPTED", 9, 100, 1)]
    assert engine.replace(9, 102, 1)[0][:2] == (OrderAction.CANCEL_REJECTED, Reason.WOULD_CROSS)
    assert engine.book.queue(BUY, 100) == [(9, 1)]


@pytest.mark.interpreted
def test_self_trade_prevention_cancels_the_resting_order_and_goes_on(engine):
    assert brief(engine.submit(9, BUY, 6, 101, owner=1)) == [
        ("ACCEPTED", 9, 101, 6),
        ("CANCELLED", 1, 101, 5),
        ("FILLED", 2, 101, 4),
        ("PARTIALLY_FILLED", 9, 101, 4),
    ]
    assert engine.book.depth(BUY) == [(101, 2)]


@pytest.mark.interpreted
def test_self_trade_prevention_cancels_what_is_left_of_the_incoming_order(engine):
    assert brief(engine.submit(9, BUY, 8, 102, owner=2, self_trade=SelfTrade.CANCEL_INCOMING)) == [
        ("ACCEPTED", 9, 102, 8),
        ("FILLED", 1, 101, 5),
        ("PARTIALLY_FILLED", 9, 101, 5),
        ("CANCELLED", 9, 102, 3),
    ]
    assert engine.book.queue(SELL, 101) == [(2, 4)]


@pytest.mark.interpreted
def test_owner_zero_may_trade_with_itself():
    engine = MatchingEngine()
    engine.submit(1, SELL, 1, 100)
    assert brief(engine.submit(2, BUY, 1, 100))[-1] == ("FILLED", 2, 100, 1)


@pytest.mark.interpreted
def test_a_replaced_order_trades_at_once_where_its_new_price_crosses(engine):
    engine.submit(9, BUY, 5, 100)
    assert brief(engine.replace(9, 101, 6)) == [
        ("REPLACED", 9, 101, 6),
        ("FILLED", 1, 101, 5),
        ("PARTIALLY_FILLED", 9, 101, 5),
        ("PARTIALLY_FILLED", 2, 101, 1),
        ("FILLED", 9, 101, 1),
    ]


@pytest.mark.interpreted
def test_only_a_smaller_size_keeps_the_place_in_the_queue(engine):
    engine.replace(1, 101, 3)
    assert engine.book.queue_position(1) == (0, 0)
    engine.replace(1, 101, 4)
    assert engine.book.queue_position(1) == (1, 4)


@pytest.mark.interpreted
def test_a_late_cancel_and_a_late_replace_are_answered(engine):
    engine.submit(9, BUY, 5, 101)
    late = (OrderAction.CANCEL_REJECTED, Reason.TOO_LATE)
    assert engine.cancel(1)[0][:2] == late
    assert engine.replace(1, 101, 1)[0][:2] == late


@pytest.mark.interpreted
def test_a_price_beyond_the_book_is_answered_with_a_rejection(engine):
    assert engine.submit(9, BUY, 1, 2**80)[0][:2] == (OrderAction.REJECTED, Reason.PRICE_OUT_OF_RANGE)
    assert engine.replace(1, -(2**80), 1)[0][:2] == (OrderAction.CANCEL_REJECTED, Reason.PRICE_OUT_OF_RANGE)


def test_an_order_may_meet_more_orders_than_there_was_room_for_reports():
    engine = MatchingEngine()
    for order_id in range(500):
        engine.submit(order_id, SELL, 1, 100 + order_id % 10)
    reports = engine.submit(1_000, BUY, 600)
    assert [report.order_id for report in reports if report.maker] == sorted(range(500), key=lambda each: (each % 10, each))
    assert len(reports) == 1_002


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("command", "message"),
    [
        (lambda engine: engine.submit(1, BUY, 1, 100), "order_id is 1, the id of an order that rests"),
        (lambda engine: engine.submit(-1, BUY, 1, 100), "order_id is -1; allowed: 0 to"),
        (lambda engine: engine.cancel(2**63), "allowed: 0 to 2\\^63 - 1"),
        (lambda engine: engine.submit(9, 2, 1, 100), "side is 2; allowed: \\+1"),
        (lambda engine: engine.submit(9, BUY, 0, 100), "lots is 0; allowed: 1 or more"),
        (lambda engine: engine.replace(1, 100, 0), "lots is 0; allowed: 1 or more"),
        (lambda engine: engine.submit(9, BUY, 1, post_only=True), "post_only is True for a market order"),
        (
            lambda engine: engine.submit(9, BUY, 1, 100, time_in_force=IOC, post_only=True),
            "for IMMEDIATE_OR_CANCEL, which cannot rest",
        ),
    ],
)
def test_what_makes_no_sense_raises_and_changes_nothing(engine, command, message):
    with pytest.raises(InputError, match=message):
        command(engine)
    assert engine.book.depth(SELL) == [(101, 9), (102, 6)]
