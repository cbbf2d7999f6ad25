"""The order state machine: its whole table, and an order's life against a venue behind a network that loses, repeats and reorders.

The faults are those that live quoters report: F1 answer lost, F2 request lost, F3 request twice, F4 fill before acknowledgement,
F5 cancel races with a fill, F6 cancel times out, F7 partial fill and then cancel, F8 reports twice or out of order.
"""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from twosided.execution.codes import WHY_NONE, WHY_TOO_LATE, WHY_WOULD_CROSS
from twosided.execution.order_state import ILLEGAL, is_final, is_live, next_state
from twosided.market.order import OrderAction, OrderState, Reason

pytestmark = pytest.mark.interpreted

FINAL = {OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED}
SENT = {OrderAction.SEND_NEW, OrderAction.SEND_CANCEL, OrderAction.SEND_REPLACE}
PENDING = {OrderState.PENDING_NEW, OrderState.PENDING_CANCEL, OrderState.PENDING_REPLACE}

# ---------------------------------------------------------------- the specification
# "." leaves the state as it is, "illegal" must not be sent. A final state answers every report with itself.

TABLE = """
action             FREE         PENDING_NEW  WORKING         PENDING_CANCEL  PENDING_REPLACE  UNKNOWN    any final
SEND_NEW           PENDING_NEW  illegal      illegal         illegal         illegal          illegal    illegal
SEND_CANCEL        illegal      illegal      PENDING_CANCEL  illegal         illegal          illegal    illegal
SEND_REPLACE       illegal      illegal      PENDING_REPLACE illegal         illegal          illegal    illegal
ACCEPTED           .            WORKING      .               .               .                WORKING    .
PARTIALLY_FILLED   .            WORKING      .               .               .                WORKING    .
FILLED             .            FILLED       FILLED          FILLED          FILLED           FILLED     .
CANCELLED          .            CANCELLED    CANCELLED       CANCELLED       CANCELLED        CANCELLED  .
REJECTED           .            REJECTED     .               .               .                REJECTED   .
REPLACED           .            .            .               .               WORKING          WORKING    .
CANCEL_REJECTED    .            .            .               WORKING         WORKING          .          .
CANCEL_TOO_LATE    .            .            .               UNKNOWN         UNKNOWN          .          .
TIMED_OUT          .            UNKNOWN      .               UNKNOWN         UNKNOWN          .          .
DENIED             .            .            .               .               .                .          .
"""


def transitions():
    """Yield (state, action, reason, expected) for every cell of the table."""
    header, *rows = TABLE.replace("any final", "FINAL").strip().splitlines()
    for row in rows:
        name, *cells = row.split()
        action = OrderAction.CANCEL_REJECTED if name == "CANCEL_TOO_LATE" else OrderAction[name]
        reason = Reason.TOO_LATE if name == "CANCEL_TOO_LATE" else Reason.WOULD_CROSS
        for column, cell in zip(header.split()[1:], cells, strict=True):
            for state in sorted(FINAL) if column == "FINAL" else [OrderState[column]]:
                expected = ILLEGAL if cell == "illegal" else state if cell == "." else OrderState[cell]
                yield pytest.param(state, action, reason, expected, id=f"{state.name}-{name}")


@pytest.mark.parametrize(("state", "action", "reason", "expected"), list(transitions()))
def test_every_state_answers_every_action_as_the_table_says(state, action, reason, expected):
    assert next_state(int(state), int(action), int(reason)) == expected


def test_the_table_is_complete():
    cells = {(p.values[0], p.values[1]) for p in transitions()}
    assert cells == {(state, action) for state in OrderState for action in OrderAction}


@pytest.mark.parametrize("state", list(OrderState))
def test_final_and_live_divide_all_states_but_the_empty_slot(state):
    assert is_final(int(state)) == (state in FINAL)
    assert is_live(int(state)) == (state not in FINAL and state != OrderState.FREE)


def test_the_numbers_never_change_because_runs_and_digests_hold_them():
    assert [state.name for state in sorted(OrderState)] == [
        *("FREE", "PENDING_NEW", "WORKING", "PENDING_CANCEL", "PENDING_REPLACE", "FILLED", "CANCELLED", "REJECTED", "UNKNOWN")
    ]
    assert [action.name for action in sorted(OrderAction)] == [
        *("SEND_NEW", "SEND_CANCEL", "SEND_REPLACE", "ACCEPTED", "REPLACED", "CANCELLED", "REJECTED", "CANCEL_REJECTED"),
        *("PARTIALLY_FILLED", "FILLED", "DENIED", "TIMED_OUT"),
    ]
    assert min(OrderState) == 0
    assert min(OrderAction) == 1


# ---------------------------------------------------------------- faults, one by one


def life(*actions, state=OrderState.FREE):
    """Return the states that an order goes through."""
    states = []
    for each in actions:
        action, reason = each if isinstance(each, tuple) else (each, WHY_NONE)
        state = OrderState(next_state(int(state), int(action), int(reason)))
        states.append(state.name)
    return states


A = OrderAction


def test_f1_an_order_whose_answer_was_lost_is_unknown_and_not_rejected_until_the_venue_says_that_it_works():
    assert life(A.SEND_NEW, A.TIMED_OUT, A.ACCEPTED) == ["PENDING_NEW", "UNKNOWN", "WORKING"]


def test_f2_an_order_that_never_arrived_ends_only_when_the_venue_says_so():
    assert life(A.SEND_NEW, A.TIMED_OUT, A.TIMED_OUT, A.REJECTED) == ["PENDING_NEW", "UNKNOWN", "UNKNOWN", "REJECTED"]


@pytest.mark.parametrize("request_", sorted(SENT))
def test_f3_nothing_is_sent_again_about_an_order_that_timed_out(request_):
    assert next_state(int(OrderState.UNKNOWN), int(request_), int(Reason.QUOTE)) == ILLEGAL


def test_f4_a_fill_before_the_acknowledgement_acknowledges_and_the_late_acknowledgement_changes_nothing():
    assert life(A.SEND_NEW, A.PARTIALLY_FILLED, A.ACCEPTED) == ["PENDING_NEW", "WORKING", "WORKING"]
    assert life(A.SEND_NEW, A.FILLED, A.ACCEPTED) == ["PENDING_NEW", "FILLED", "FILLED"]


def test_f5_a_cancel_that_lost_the_race_leaves_a_filled_order_filled_in_either_order_of_reports():
    late = (A.CANCEL_REJECTED, WHY_TOO_LATE)
    assert life(A.SEND_NEW, A.ACCEPTED, A.SEND_CANCEL, A.FILLED, late)[-2:] == ["FILLED", "FILLED"]
    assert life(A.SEND_NEW, A.ACCEPTED, A.SEND_CANCEL, late, A.FILLED)[-2:] == ["UNKNOWN", "FILLED"]


def test_f6_a_cancel_that_timed_out_leaves_an_order_that_may_still_trade():
    states = life(A.SEND_NEW, A.ACCEPTED, A.SEND_CANCEL, A.TIMED_OUT)
    assert states[-1] == "UNKNOWN"
    assert is_live(int(OrderState.UNKNOWN))
    assert life(A.CANCELLED, state=OrderState.UNKNOWN) == ["CANCELLED"]


def test_f7_a_partial_fill_while_a_cancel_is_under_way_does_not_end_the_waiting():
    assert life(A.SEND_NEW, A.ACCEPTED, A.SEND_CANCEL, A.PARTIALLY_FILLED, A.CANCELLED)[-2:] == ["PENDING_CANCEL", "CANCELLED"]


@pytest.mark.parametrize("end", [A.FILLED, A.CANCELLED])
@pytest.mark.parametrize("late", [A.ACCEPTED, A.PARTIALLY_FILLED, A.REPLACED, A.REJECTED, A.CANCEL_REJECTED, A.CANCELLED, A.FILLED])
def test_f8_whatever_comes_after_the_end_does_not_revive_an_order(end, late):
    *_, ended, after = life(A.SEND_NEW, A.ACCEPTED, end, late)
    assert after == ended == end.name


def test_a_replace_that_the_venue_refuses_leaves_the_order_working():
    assert life(A.SEND_NEW, A.ACCEPTED, A.SEND_REPLACE, (A.CANCEL_REJECTED, WHY_WOULD_CROSS))[-1] == "WORKING"


# ---------------------------------------------------------------- a venue, and a network that cannot be trusted


@dataclass(frozen=True)
class Request:
    number: int
    action: OrderAction
    total: int = 0  # size of the whole order, what has filled included
    refused: bool = False  # the venue will not like it


@dataclass(frozen=True)
class Report:
    number: int  # of the execution: the same in every copy
    action: OrderAction
    reason: Reason = Reason.NONE
    answers: int = 0  # the request that it answers
    lots: int = 0  # filled by it


@dataclass
class Venue:
    """What is true."""

    known: bool = False
    live: bool = False
    end: OrderAction | None = None
    total: int = 0
    filled: int = 0
    written: int = 0
    done: set[int] = field(default_factory=set)

    def report(self, action, **more):
        self.written += 1
        return Report(self.written, action, **more)

    def finish(self, action, **more):
        self.live, self.end = False, action
        return self.report(action, **more)

    def status(self):
        """Answer "what is it?" """
        if not self.known:
            return self.report(OrderAction.REJECTED)
        return self.report(OrderAction.ACCEPTED if self.live else self.end)

    def take(self, request):
        if request.number in self.done:
            return self.status()  # a copy of what was done already
        self.done.add(request.number)
        if request.action == OrderAction.SEND_NEW:
            self.known, self.total = True, request.total
            if request.refused:
                return self.finish(OrderAction.REJECTED, reason=Reason.WOULD_CROSS, answers=request.number)
            self.live = True
            return self.report(OrderAction.ACCEPTED, answers=request.number)
        if not self.live:
            return self.report(OrderAction.CANCEL_REJECTED, reason=Reason.TOO_LATE, answers=request.number)
        if request.action == OrderAction.SEND_CANCEL:
            return self.finish(OrderAction.CANCELLED, answers=request.number)
        if request.refused:
            return self.report(OrderAction.CANCEL_REJECTED, reason=Reason.WOULD_CROSS, answers=request.number)
        if request.total <= self.filled:
            return self.finish(OrderAction.CANCELLED, answers=request.number)
        self.total = request.total
        return self.report(OrderAction.REPLACED, answers=request.number)

    def trade(self, lots):
        lots = min(lots, self.total - self.filled)
        self.filled += lots
        if self.filled == self.total:
            return self.finish(OrderAction.FILLED, lots=lots)
        return self.report(OrderAction.PARTIALLY_FILLED, lots=lots)


@dataclass
class Client:
    """What we believe. It may only ask `next_state`; its own part is what every caller owes the state machine: a fill counts once,
    and an answer counts for the request that it answers."""

    state: OrderState = OrderState.FREE
    awaited: int = 0  # the request under way
    sent: int = 0
    asked_total: int = 0  # the largest size ever asked for
    filled: int = 0
    counted: set[int] = field(default_factory=set)

    def send(self, action, total, *, refused):
        """Return a request if it may be sent, None if not."""
        after = next_state(int(self.state), int(action), int(Reason.QUOTE))
        if after == ILLEGAL:
            return None
        assert self.awaited == 0, "a second request while one is under way"
        assert self.state in {OrderState.FREE, OrderState.WORKING}
        self.state = OrderState(after)
        self.sent += 1
        self.awaited = self.sent
        self.asked_total = max(self.asked_total, total)
        return Request(self.sent, action, total, refused)

    def hear(self, report):
        if report.lots and report.number not in self.counted:
            self.counted.add(report.number)
            self.filled += report.lots
        answer = report.action in {OrderAction.REPLACED, OrderAction.CANCEL_REJECTED}
        if answer and report.answers != self.awaited and self.state != OrderState.UNKNOWN:
            return
        self.step(report.action, report.reason)
        if self.awaited in {report.answers, 1} or self.state in FINAL:  # whatever we hear proves that request 1, the order, arrived
            self.awaited = 0

    def step(self, action, reason=Reason.NONE):
        before = self.state
        self.state = OrderState(next_state(int(before), int(action), int(reason)))
        if before in FINAL:
            assert self.state == before, "a final state came back to life"
        if before == OrderState.UNKNOWN and self.state != before:
            assert action not in SENT | {OrderAction.TIMED_OUT, OrderAction.DENIED}, "only the venue can end UNKNOWN"


fates = st.sampled_from(["arrives", "arrives", "arrives", "copied", "lost"])


class Life(RuleBasedStateMachine):
    """One order, from its first request to whatever end."""

    @initialize(lots=st.sampled_from([10, 1]), refused=st.sampled_from([False] * 7 + [True]))
    def submit(self, lots, refused):
        self.client, self.venue = Client(), Venue()
        self.requests, self.reports = [self.client.send(OrderAction.SEND_NEW, lots, refused=refused)], []

    # -- we

    @precondition(lambda self: self.client.state == OrderState.WORKING)
    @rule(lots=st.sampled_from([None, None, 0, 3, 20]), refused=st.booleans())
    def change_or_cancel(self, lots, refused):
        """Ask for so many open lots; None cancels."""
        if lots is None:
            self.requests.append(self.client.send(OrderAction.SEND_CANCEL, 0, refused=False))
        else:
            self.requests.append(self.client.send(OrderAction.SEND_REPLACE, self.client.filled + lots, refused=refused))

    @precondition(lambda self: self.client.state in PENDING)
    @rule()
    def lose_patience(self):
        self.client.step(OrderAction.TIMED_OUT)
        self.client.awaited = 0
        assert self.client.state == OrderState.UNKNOWN

    @precondition(lambda self: self.client.state in FINAL | {OrderState.UNKNOWN})
    @rule()
    def ask(self):
        """The venue can say that it never saw the order only when the order is no longer on its way."""
        if self.venue.known or not self.requests:
            self.reports.append(self.venue.status())

    # -- the network: any message may be next, so they overtake each other

    @precondition(lambda self: self.requests)
    @rule(n=st.integers(0, 3), fate=fates)
    def request_travels(self, n, fate):
        request = self.requests[n % len(self.requests)]
        if fate != "copied":
            self.requests.remove(request)
        if fate != "lost" and (self.venue.known or request.action == OrderAction.SEND_NEW):
            self.reports.append(self.venue.take(request))

    @precondition(lambda self: self.reports)
    @rule(n=st.integers(0, 3), fate=fates)
    def report_travels(self, n, fate):
        report = self.reports[n % len(self.reports)]
        if fate != "copied":
            self.reports.remove(report)
        if fate != "lost":
            self.client.hear(report)

    # -- the market

    @precondition(lambda self: self.venue.live)
    @rule(lots=st.sampled_from([1, 20]))
    def others_trade(self, lots):
        self.reports.append(self.venue.trade(lots))

    # -- what must hold at every moment

    @invariant()
    def an_order_that_can_trade_is_never_believed_to_have_ended(self):
        if self.venue.live or any(request.action == OrderAction.SEND_NEW for request in self.requests if not self.venue.known):
            assert is_live(int(self.client.state))

    @invariant()
    def what_is_believed_to_have_ended_has_ended_that_way(self):
        if self.client.state in FINAL:
            assert self.venue.end is None or self.venue.end.name == self.client.state.name

    @invariant()
    def filled_lots_never_exceed_the_venue_or_the_largest_size_asked_for(self):
        assert self.client.filled <= self.venue.filled <= self.client.asked_total

    @invariant()
    def nothing_may_be_sent_while_an_answer_is_missing_and_the_order_itself_never_again(self):
        for action in SENT:
            if self.client.state != OrderState.WORKING or action == OrderAction.SEND_NEW:
                assert next_state(int(self.client.state), int(action), int(Reason.QUOTE)) == ILLEGAL

    def teardown(self):
        """When all is delivered and the venue is asked, belief is truth."""
        if not hasattr(self, "client"):
            return
        for request in self.requests:
            if self.venue.known or request.action == OrderAction.SEND_NEW:
                self.reports.append(self.venue.take(request))
        for report in self.reports:
            self.client.hear(report)
        if self.client.state in PENDING:
            self.client.step(OrderAction.TIMED_OUT)
        self.client.hear(self.venue.status())
        expected = OrderState.WORKING if self.venue.live else OrderState[(self.venue.end or OrderAction.REJECTED).name]
        assert self.client.state == expected


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=400, stateful_step_count=16)
TestLife.pytestmark = [pytest.mark.interpreted]
