"""Several markets in one run: each has its own latency, order handling and opening position, and hedges are marked as such."""

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from scene import MS, T0, Scene, random_market

from twosided.engines.replay import replay
from twosided.engines.replay_feed import latency_table
from twosided.engines.settings import Latency, Orders, ReplaySettings
from twosided.errors import InputError
from twosided.explain.split import split, split_by_currency
from twosided.market.instrument import Fees, Instrument
from twosided.market.order import OrderAction
from twosided.strategies.catalogue import find_strategy
from twosided.strategies.contract import quote_ask, quote_bid, strategy, withdraw

PERP = Instrument(symbol="PERP", tick_size="0.01", lot_size="1", fees=Fees(maker_bps="-0.2", taker_bps="3"))
SPOT = Instrument(symbol="SPOT", tick_size="0.05", lot_size="2", fees=Fees(maker_bps="1", taker_bps="4"))
THIRD = Instrument(symbol="THIRD", tick_size="1", lot_size="0.5", currency="EUR")


def together(*markets):
    """Merge scenes, or events of one market each, by our clock."""
    parts = [market.events() if isinstance(market, Scene) else market.copy() for market in markets]
    for number, events in enumerate(parts):
        events["market"] = number
    merged = np.concatenate(parts)
    return merged[np.argsort(merged["local_ns"], kind="stable")]


def sent_to_heard(run, market):
    """Return ms from each new order to its acknowledgement."""
    rows = run.orders.filter(pl.col("market") == market)
    sent = rows.filter(pl.col("action") == OrderAction.SEND_NEW).select("order_id", "ns")
    heard = rows.filter(pl.col("action") == OrderAction.ACCEPTED).select("order_id", pl.col("ns").alias("heard"))
    pairs = sent.join(heard, on="order_id")
    return ((pairs["heard"] - pairs["ns"]) / MS).to_list()


@strategy(every_ns=MS, quantity=2.0)
def at_the_touch(ctx):
    for m in range(ctx.quotes.shape[0]):
        quote_bid(ctx, m, 0, ctx.market[m].bid_ticks, ctx.params.quantity)
        quote_ask(ctx, m, 0, ctx.market[m].ask_ticks, ctx.params.quantity)


# ---------------------------------------------------------------- what is assumed of each market


def test_each_market_has_its_own_latency_where_one_is_given():
    events = together(Scene().quiet(40), Scene().quiet(40), Scene().quiet(40))
    settings = ReplaySettings(
        entry_latency="1ms", response_latency="2ms", markets=[{}, {"entry_latency": "5ms"}, {"response_latency": "9ms"}]
    )
    run = replay(events, at_the_touch, instruments=(PERP, SPOT, THIRD), settings=settings)
    for market, ms in enumerate((3, 7, 10)):
        assert set(sent_to_heard(run, market)) == {ms}
    assert run.facts["settings"]["markets"][1]["entry_latency"]["ns"] == 5 * MS


def test_a_sampled_latency_is_sampled_from_the_market_s_own_messages():
    events = together(Scene(feed_ms=1).quiet(40), Scene(feed_ms=6).quiet(40))
    settings = ReplaySettings(entry_latency="sampled", response_latency="0ns")
    run = replay(events, at_the_touch, instruments=(PERP, SPOT), settings=settings)
    assert set(sent_to_heard(run, 0)) == {1}
    assert set(sent_to_heard(run, 1)) == {6}


def test_a_sampled_feed_draws_each_message_from_its_own_market():
    events = together(Scene(feed_ms=1).quiet(40), Scene(feed_ms=6).quiet(40))
    seen = {0: [], 1: []}

    @strategy(every_ns=MS, wake=2, compiled=False)
    def watcher(ctx):
        seen[int(ctx.wake_market)].append(int(ctx.now_ns))

    replay(events, watcher, instruments=(PERP, SPOT), settings=ReplaySettings(feed_latency="sampled"))
    assert (seen[1][0] - T0) / MS == 6


class _Only:
    def __init__(self, events):
        self.events = events

    def chunks(self):
        yield self.events


def test_a_market_without_messages_has_no_latency_to_sample():
    with pytest.raises(InputError, match="latency of market 1 is sampled, but it has no messages"):
        latency_table(Latency(kind="sampled"), _Only(Scene().events()), 1)


def test_strategies_that_differ_in_a_market_s_latency_share_a_pass_and_change_nothing_for_each_other():
    events = together(random_market(1), random_market(2))
    assumed = [ReplaySettings(markets=[{}, {"entry_latency": latency}]) for latency in ("1ms", "4ms", "sampled")]
    runs = replay(events, [at_the_touch] * 3, instruments=(PERP, SPOT), settings=assumed)
    assert [run.facts["strategies_in_pass"] for run in runs] == [3, 3, 3]
    alone = [replay(events, at_the_touch, instruments=(PERP, SPOT), settings=each).digest() for each in assumed]
    assert [run.digest() for run in runs] == alone
    assert len(set(alone)) == 3


def test_one_market_may_take_while_the_other_only_makes():
    @strategy(every_ns=MS)
    def crosser(ctx):
        for m in range(2):
            quote_bid(ctx, m, 0, ctx.market[m].ask_ticks, 2.0)

    events = together(Scene().quiet(40), Scene().quiet(40))
    run = replay(events, crosser, instruments=(PERP, SPOT), settings=ReplaySettings(markets=[{}, {"post_only": False}]))
    assert run.fills.select("market", "maker").unique().rows() == [(1, 0)]
    turned = ReplaySettings(orders=Orders(post_only=False), markets=[{"post_only": True}])
    other = replay(events, crosser, instruments=(PERP, SPOT), settings=turned)
    assert other.fills["market"].unique().to_list() == [1]


def test_each_market_may_begin_with_a_position():
    events = together(Scene().quiet(40), Scene().quiet(40))
    seen = []

    @strategy(compiled=False, every_ns=MS)
    def holder(ctx):
        seen.append((int(ctx.market[0].position_lots), int(ctx.market[1].position_lots)))

    settings = ReplaySettings(opening_position=3, markets=[{}, {"opening_position": -8}])
    run = replay(events, holder, instruments=(PERP, SPOT), settings=settings)
    assert set(seen) == {(3, -4)}  # lots of 1 and of 2
    assert [each["position_lots"] for each in run.facts["opening"]] == [3, -4]
    moved = ReplaySettings(opening_position=3, markets=[{"opening_position": 0}])
    assert replay(events, holder, instruments=(PERP, SPOT), settings=moved).facts["opening"][0]["position_lots"] == 0


def test_settings_of_markets_that_are_not_there_are_refused():
    events = Scene().quiet(40).events()
    with pytest.raises(InputError, match=r"settings.markets has 2 entries; allowed: up to one per market \(1\)"):
        replay(events, at_the_touch, instruments=PERP, settings=ReplaySettings(markets=[{}, {}]))
    with pytest.raises(ValidationError, match="entry_latency is 'recorded'"):
        ReplaySettings(markets=[{"entry_latency": "recorded"}])


# ---------------------------------------------------------------- hedges


@strategy(every_ns=MS, hedges=(1,))
def quoter_and_hedger(ctx):
    """Make a market in the first, and take in the second until both positions cancel."""
    quote_bid(ctx, 0, 0, ctx.market[0].bid_ticks, 2.0)
    quote_ask(ctx, 0, 0, ctx.market[0].ask_ticks, 2.0)
    held = ctx.market[0].position_lots * ctx.market[0].lot_size + ctx.market[1].position_lots * ctx.market[1].lot_size
    open_bids = ctx.market[1].working_bid_lots * ctx.market[1].lot_size
    open_asks = ctx.market[1].working_ask_lots * ctx.market[1].lot_size
    quote_bid(ctx, 1, 0, ctx.market[1].ask_ticks, max(-held - open_bids, 0.0))
    quote_ask(ctx, 1, 0, ctx.market[1].bid_ticks, max(held - open_asks, 0.0))


def test_fills_in_a_market_that_is_declared_for_hedging_are_hedges_and_the_split_says_so():
    events = together(random_market(1), random_market(2))
    settings = ReplaySettings(queue="optimistic", markets=[{}, {"post_only": False}])
    run = replay(events, quoter_and_hedger, instruments=(PERP, SPOT), settings=settings)
    by_market = run.fills.group_by("market").agg(pl.col("hedge").unique(), pl.len()).sort("market").rows()
    assert [(market, marks) for market, marks, _ in by_market] == [(0, [0]), (1, [1])]
    quoted, hedged = split(run)
    assert (quoted.hedge, quoted.total) == (0, sum(quoted.parts().values()))
    assert hedged.parts() == {**dict.fromkeys(quoted.parts(), 0), "hedge": hedged.total}
    unit, last = SPOT.half_tick_lot, run.mids.filter(pl.col("market") == 1).rows(named=True)[-1]
    mid = last["bid_ticks"] + last["ask_ticks"]
    naive = sum(
        fill["side"] * fill["lots"] * (mid - 2 * fill["ticks"]) * unit - fill["fee"] - fill["tax"]
        for fill in run.fills.filter(pl.col("market") == 1).rows(named=True)
    )
    assert hedged.hedge == naive
    both = split_by_currency(run)["USD"]
    assert both.money("total") == quoted.money("total") + hedged.money("total")


def test_marking_hedges_changes_the_explanation_and_nothing_else():
    events = together(random_market(1), random_market(2))
    settings = ReplaySettings(queue="optimistic", markets=[{}, {"post_only": False}])
    marked = replay(events, quoter_and_hedger, instruments=(PERP, SPOT), settings=settings)
    plain = replay(events, quoter_and_hedger._replace(hedges=()), instruments=(PERP, SPOT), settings=settings)
    assert plain.fills.drop("hedge").rows() == marked.fills.drop("hedge").rows()
    assert [part.total for part in split(plain)] == [part.total for part in split(marked)]


def quotes_and_exits(*, marked):
    """Return a strategy that quotes both sides of one market, and gets out at the market when it holds 4 lots; marked or not."""

    @strategy(every_ns=MS)
    def both(ctx):
        market = ctx.market[0]
        held = market.position_lots
        if held >= 4:
            withdraw(ctx, 0)
            quote_ask(ctx, 0, 0, market.bid_ticks, held, hedge=marked)
        elif held <= -4:
            withdraw(ctx, 0)
            quote_bid(ctx, 0, 0, market.ask_ticks, -held, hedge=marked)
        else:
            quote_bid(ctx, 0, 0, market.bid_ticks, 2.0)
            quote_ask(ctx, 0, 0, market.ask_ticks, 2.0)

    return both


CONSERVATIVE = ReplaySettings(entry_latency="3ms", response_latency="1ms", queue="conservative")
EXITS = ReplaySettings(queue="optimistic", orders=Orders(post_only=False))


def test_in_one_market_orders_that_are_hedges_are_marked_and_the_split_keeps_them_apart_exactly():
    events = random_market(5, n=2000)
    plain, marked = replay(
        events, [quotes_and_exits(marked=False), quotes_and_exits(marked=True)], instruments=PERP, settings=EXITS
    )
    assert plain.fills.drop("hedge").rows() == marked.fills.drop("hedge").rows()
    assert plain.orders.rows() == marked.orders.rows()
    hedges = marked.fills.filter(pl.col("hedge") == 1)
    assert 5 < len(hedges) < len(marked.fills) - 20
    assert hedges["maker"].to_list().count(0) > 3
    assert plain.fills["hedge"].sum() == 0
    (before,), (after,) = split(plain), split(marked)
    last = marked.mids.rows(named=True)[-1]
    mid, unit = last["bid_ticks"] + last["ask_ticks"], PERP.half_tick_lot
    assert after.hedge == sum(
        fill["side"] * fill["lots"] * (mid - 2 * fill["ticks"]) * unit - fill["fee"] - fill["tax"]
        for fill in hedges.rows(named=True)
    )
    assert after.total == before.total == sum(after.parts().values())
    assert after.fees - before.fees == hedges["fee"].sum()


def test_an_order_that_is_moved_to_hedge_is_what_it_was_until_the_move_arrives():
    def script(hedge_at_ms):
        @strategy(every_ns=MS, compiled=False)
        def mover(ctx):
            moved = ctx.now_ns >= T0 + 20 * MS
            quote_bid(ctx, 0, 0, 101 if moved else 100, 5.0, hedge=ctx.now_ns >= T0 + hedge_at_ms * MS)

        return mover

    def marks(hedge_at_ms):
        # 2 lots at 100 while the replace is under way, 1 at 101 before its answer, then 5 that renew it
        scene = Scene().trade(22.5, -1, 100, 12).trade(23.5, -1, 101, 1).trade(30, -1, 101, 9).quiet(50)
        run = replay(scene.events(), script(hedge_at_ms), instruments=PERP, settings=CONSERVATIVE, start_ns=T0)
        return run.fills.select("ticks", "lots", "hedge").rows()

    assert marks(20) == [(100, 2, 0), (101, 1, 1), (101, 5, 1)]
    assert marks(10) == [(100, 2, 1), (101, 1, 1), (101, 5, 1)]  # the order stayed where it was: from then on it was a hedge
    assert marks(25) == [(100, 2, 0), (101, 1, 0), (101, 5, 1)]
    assert marks(40) == [(100, 2, 0), (101, 1, 0), (101, 5, 0)]


def test_exits_are_hedges_where_the_overlay_says_so():
    events, settings = random_market(5, n=2000), ReplaySettings(queue="optimistic", orders=Orders(post_only=False))
    numbers = {"half_spread": 1.0, "unit": "ticks", "quantity": 2.0, "reduction_sigma": 0.01, "reduction_gamma": 1.0}
    named = [f"fixed+aggressive_reduction{more}" for more in ("", "+exits_as_hedges")]
    plain, marked = replay(
        events,
        [find_strategy(name).with_params(numbers)._replace(every_ns=MS) for name in named],
        instruments=PERP,
        settings=settings,
    )
    assert plain.fills.drop("hedge").rows() == marked.fills.drop("hedge").rows()
    exits = marked.fills.filter(pl.col("hedge") == 1)
    assert 0 in exits["maker"]
    assert ((exits["position_lots"] - exits["side"] * exits["lots"]) * exits["side"] < 0).all()  # each got out of what was held
    assert plain.fills["hedge"].sum() == 0


def test_a_hedge_in_a_market_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="strategy quoter_and_hedger hedges in market 1; allowed here: 0 to 0"):
        replay(Scene().quiet(40).events(), quoter_and_hedger, instruments=PERP)
