"""Reports that are taken in ahead of time, because nobody could tell: no result may depend on it.

A strategy with limits, however far they are from what it does, gets each report at its time. So the same strategy without them must
have the very same run.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import MS, Scene, Told, actions, play, random_market

from twosided.engines.replay import replay
from twosided.engines.replay_pass import Pass
from twosided.engines.settings import Orders, ReplaySettings
from twosided.market.order import OrderAction
from twosided.risk.limits import Limits
from twosided.strategies.contract import Wake, quote_ask, quote_bid, strategy

FAR = Limits(max_position=1e9)
ONE = random_market(5, n=250)
DISORDERED = random_market(6, n=250, disorder=True)
TWO = np.concatenate([random_market(5, n=120), random_market(8, n=120)])
TWO["market"][np.searchsorted(np.arange(len(TWO)), len(random_market(5, n=120))) :] = 1
TWO = TWO[np.argsort(TWO["local_ns"], kind="stable")]


class Chunked(Told):
    """Events in chunks of some rows each, which need not end with a message."""

    def __init__(self, events, rows):
        super().__init__(events)
        self.rows = rows or len(events)

    def chunks(self):
        for begin in range(0, len(self.events), self.rows):
            yield self.events[begin : begin + self.rows].copy()


@strategy(every_ns=3 * MS, levels=2, back=0.0, quantity=3.0)
def leaning(ctx):
    """Quote around the touch, by all that is known: position, cash and what is working."""
    for m in range(ctx.quotes.shape[0]):
        market = ctx.market[m]
        for level in range(2):
            back = ctx.params.back + level + (market.cash > 0.0)
            quote_bid(ctx, m, level, market.bid_ticks - back - (market.position_lots > 2), ctx.params.quantity)
            size = ctx.params.quantity + market.working_ask_lots % 2
            quote_ask(ctx, m, level, market.ask_ticks + back + (market.position_lots < -2), size)


TEAM = [
    leaning,
    leaning.with_params({"back": 1.0})._replace(every_ns=7 * MS),
    leaning.with_params({"quantity": 9.0})._replace(every_ns=40 * MS),
]
RESPONSES = st.sampled_from(["0ms", "1ms", "3ms", "8ms", "sampled"])


@settings(deadline=None, max_examples=120)
@given(
    events=st.sampled_from([ONE, DISORDERED, TWO]),
    rows=st.sampled_from([0, 7, 60, 300]),
    entry=st.sampled_from(["0ms", "2ms", "11ms", "sampled"]),
    responses=st.tuples(RESPONSES, RESPONSES),
    replaces=st.booleans(),
    post_only=st.booleans(),
    log=st.sampled_from([(), ("orders", "decisions")]),
)
def test_no_run_can_tell_whether_reports_were_taken_in_ahead_of_time(events, rows, entry, responses, replaces, post_only, log):
    chosen = ReplaySettings(
        entry_latency=entry,
        markets=[{"response_latency": each} for each in responses[: 1 + int(events["market"].max())]],
        orders=Orders(replace=replaces, post_only=post_only),
        log=log,
    )
    limited = chosen.model_copy(update={"limits": FAR})
    recorded = Chunked(events, rows)
    ahead, in_time = replay(recorded, TEAM, settings=chosen), replay(recorded, TEAM, settings=limited)
    assert sum(len(run.fills) for run in ahead) > 5
    assert [run.digest() for run in ahead] == [run.digest() for run in in_time]
    assert in_time[0].facts["risk"] is not None
    mixed = replay(recorded, TEAM, settings=[chosen, limited, chosen])
    assert [run.digest() for run in mixed] == [run.digest() for run in ahead]


def waits(*strategies, events=ONE, **assumed):
    """Return for each strategy whether its reports wait until their time."""
    recorded = Chunked(events, 0)
    chosen = [ReplaySettings(**assumed)] * len(strategies)
    return Pass(recorded, list(strategies), chosen, None, recorded.survey()).tables["strategies"]["unread"].tolist()


def test_reports_come_at_their_time_where_somebody_could_tell():
    alert = leaning._replace(wake=Wake.TIMER | Wake.ORDER)
    assert waits(leaning, alert, leaning._replace(wake=Wake.TRADE), leaning._replace(wake=Wake.BOOK)) == [0, 1, 1, 1]
    assert waits(leaning, limits=FAR) == [1]
    assert waits(leaning, events=TWO) == [1]  # the order log has the reports of all markets in the order of their times
    assert waits(leaning, events=TWO, log=()) == [0]


@pytest.mark.interpreted
def test_a_report_is_logged_when_it_arrives_and_not_when_the_exchange_sends_it():
    run = play(Scene().quiet(30), {2: [(1, 0, 99, 4)]}, response_latency="700us")
    assert run.orders["ns"].diff().to_list()[1:] == [1_700_000]


@pytest.mark.interpreted
def test_a_report_that_would_come_after_the_end_of_the_data_is_never_read():
    run = play(Scene().quiet(3), {2: [(1, 0, 99, 4)]}, response_latency="2ms")
    assert actions(run) == [("SEND_NEW", "QUOTE")]
    assert play(Scene().quiet(4), {2: [(1, 0, 99, 4)]}, response_latency="2ms").orders["action"][-1] == OrderAction.ACCEPTED


@pytest.mark.interpreted
def test_a_recording_ends_even_where_its_last_events_are_heard_before_they_happen():
    run = play(Scene(feed_ms=-9).quiet(10), {0: [(1, 0, 99, 4)]}, response_latency="2ms")
    assert actions(run)[:2] == [("SEND_NEW", "QUOTE"), ("ACCEPTED", "NONE")]
    assert run.facts["events"] == 3
