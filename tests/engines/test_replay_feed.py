"""A recording in chunks is replayed as if it were in memory, wherever it is cut; the exchange's order is found on the way."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scene import Told, random_market

from twosided.engines.replay import replay
from twosided.engines.replay_feed import Feed
from twosided.engines.settings import Latency, ReplaySettings
from twosided.market.event import Flag, exchange_order
from twosided.strategies.contract import Wake, quote_ask, quote_bid, strategy

MARKETS = {disorder: random_market(21, n=400, disorder=disorder) for disorder in (False, True)}


class Chunked(Told):
    """A recording that comes in chunks, which end where *cuts* say, at the end of the message."""

    def __init__(self, events, cuts=()):
        super().__init__(events)
        self.cuts = cuts

    def chunks(self):
        ends = np.flatnonzero(self.events["flags"] & Flag.LAST_OF_MESSAGE) + 1
        places = sorted({int(ends[min(np.searchsorted(ends, cut), len(ends) - 1)]) for cut in self.cuts} - {len(self.events)})
        for begin, end in zip([0, *places], [*places, len(self.events)], strict=True):
            yield self.events[begin:end].copy()


@strategy(every_ns=3_000_000, wake=Wake.TIMER | Wake.TRADE | Wake.ORDER)
def around(ctx):
    market = ctx.market[0]
    quantity = 2.0 + (ctx.now_ns - market.book_ns) % 3
    quote_bid(ctx, 0, 0, market.bid_ticks - (1.0 if market.position_lots > 0 else 0.0), quantity)
    quote_ask(ctx, 0, 0, market.ask_ticks + (1.0 if market.position_lots < 0 else 0.0), quantity)


cuts = st.lists(st.integers(0, 500), max_size=6).map(tuple)
latencies = st.sampled_from(["recorded", "2ms", "sampled", "0ms"])
wakes = st.sampled_from([Wake.TIMER | Wake.TRADE | Wake.ORDER, Wake.BOOK | Wake.TRADE, Wake.TIMER])


@given(cuts, st.booleans(), latencies, wakes)
@example((0,), True, "2ms", Wake.TIMER)  # a first chunk of which nothing has its place yet
@settings(deadline=None, max_examples=150)
def test_a_stream_has_the_digest_of_the_recording_in_memory(places, disorder, latency, wake):
    assumed, chosen = (
        ReplaySettings(feed_latency=latency, entry_latency="sampled", response_latency="3ms"),
        around._replace(wake=wake),
    )
    whole = replay(Chunked(MARKETS[disorder]), chosen, settings=assumed)
    assert len(whole.fills) > 1
    streamed = replay(Chunked(MARKETS[disorder], places), chosen, settings=assumed)
    assert streamed.digest() == whole.digest()
    assert streamed.facts["events"] == len(MARKETS[disorder])
    assert streamed.facts["end_ns"] == whole.facts["end_ns"]


@given(cuts, st.booleans(), latencies)
@settings(deadline=None, max_examples=60)
def test_both_streams_are_whole_and_in_order_wherever_the_recording_is_cut(places, disorder, latency):
    recorded = Chunked(MARKETS[disorder], places)
    feed = Feed(recorded, recorded.survey(), Latency.parse(latency), seed=3)
    parts = list(feed.parts())
    exch, local = (np.concatenate([getattr(part, name) for part in parts]) for name in ("exch", "local"))
    assert [part.is_last for part in parts] == [False] * (len(parts) - 1) + [True]
    assert np.all(local["local_ns"][1:] >= local["local_ns"][:-1])
    names = [name for name in exch.dtype.names if name != "local_ns"]
    assert np.array_equal(exch[names], exchange_order(MARKETS[disorder])[names])
    if latency == "recorded":
        assert np.array_equal(local, MARKETS[disorder])
        assert feed.one_stream == (not disorder)


def test_sampled_feed_latencies_come_from_the_recording_and_messages_do_not_overtake():
    recorded = Chunked(MARKETS[False])
    late = next(Feed(recorded, recorded.survey(), Latency.parse("sampled"), seed=3).parts()).local
    assert np.all(late["local_ns"][1:] >= late["local_ns"][:-1])
    measured = MARKETS[False]["local_ns"] - MARKETS[False]["exch_ns"]
    assert (late["local_ns"] - late["exch_ns"]).min() >= measured.min()
    assert len(np.unique(late["local_ns"] - late["exch_ns"])) == len(np.unique(measured)) > 1


def test_ctrl_c_while_streaming_leaves_a_run_of_what_was_replayed(monkeypatch):
    monkeypatch.setattr("twosided.engines.replay_pass.PROGRESS_EVERY", 50)

    def stop(done, _total):
        if done >= 200:
            raise KeyboardInterrupt

    run = replay(Chunked(MARKETS[True], (90, 130, 250)), around, progress=stop)
    assert (run.facts["complete"], run.facts["events"]) == (False, 200)


def test_events_that_step_back_from_one_chunk_to_the_next_are_refused():
    events = MARKETS[False].copy()
    recorded = Chunked(np.concatenate([events[200:], events[:200]]), (200,))
    with pytest.raises(Exception, match="not in the order of local_ns"):
        replay(recorded, around)


def test_a_survey_in_pieces_is_the_survey_of_the_whole():
    for disorder in (False, True):
        assert Chunked(MARKETS[disorder], (17, 100, 333)).survey() == Chunked(MARKETS[disorder]).survey()
    assert Chunked(MARKETS[True]).survey().exch_backwards > 0
