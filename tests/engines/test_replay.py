"""What holds for every replay: one result however it is run, books and clocks kept apart, errors that say where."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import INSTRUMENT, MS, T0, Scene, play, random_market, scripted

from twosided.engines import replay_feed, replay_pass
from twosided.engines.flow import FlowSettings, generate_market
from twosided.engines.replay import replay
from twosided.engines.settings import Orders, ReplaySettings
from twosided.errors import InputError, StrategyError
from twosided.market.event import Flag, Kind
from twosided.market.order import OrderAction, Reason
from twosided.strategies.contract import Param, Wake, quote_ask, quote_bid, strategy


@strategy(
    half=Param(1.5),
    skew=Param(0.2),
    quantity=Param(5.0),
    memory={"decisions": "i8"},
    every_ns=5 * MS,
    signals=("imbalance", "volatility"),
)
def maker(ctx):
    m, p = ctx.market[0], ctx.params
    centre = 0.5 * (m.bid_ticks + m.ask_ticks) - p.skew * m.position_lots + ctx.signals.imbalance[0]
    width = p.half + 0.01 * ctx.signals.volatility[0]
    quote_bid(ctx, 0, 0, centre - width, p.quantity if m.position_lots < 40 else 0.0)
    quote_ask(ctx, 0, 0, centre + width, p.quantity if m.position_lots > -40 else 0.0)
    ctx.memory.decisions += 1


def plain(declared):
    """Return the same strategy, decided by Python."""
    return declared._replace(compiled=False)


def digest(events, chosen=maker, **changes):
    return replay(events, chosen, instruments=INSTRUMENT, settings=ReplaySettings(**changes)).digest()


# ---------------------------------------------------------------- one result


def test_the_same_inputs_give_the_same_digest_and_another_seed_draws_other_latencies():
    events = random_market(1)
    assert digest(events) == digest(events)
    sampled = {"entry_latency": "sampled", "response_latency": "sampled*2"}
    assert digest(events, seed=1, **sampled) == digest(events, seed=1, **sampled)
    assert digest(events, seed=1, **sampled) != digest(events, seed=2, **sampled)


@pytest.mark.parametrize("seed", range(4))
def test_a_plain_python_strategy_gives_the_same_digest_as_the_compiled_one(seed):
    events = random_market(seed)
    assert digest(events, plain(maker)) == digest(events)


def test_a_strategy_among_many_gives_the_digest_of_its_own_run():
    events = random_market(3)
    family = [maker.with_params(half=0.5 * i, skew=0.1 * i) for i in range(1, 8)]
    mixed = [plain(each) if i % 3 == 0 else each for i, each in enumerate(family)]
    together = replay(events, mixed, instruments=INSTRUMENT)
    assert [run.digest() for run in together] == [digest(events, each) for each in family]


def test_strategies_with_different_numbers_of_levels_run_in_one_call():
    events = random_market(4)
    three = scripted({2: [(1, i, 990 - i, 3) for i in range(3)]}, levels=3, every_ms=5)
    runs = replay(events, [maker, three], instruments=INSTRUMENT)
    assert runs[0].digest() == digest(events)
    assert runs[1].digest() == digest(events, three)


@pytest.mark.parametrize("wake", [Wake.BOOK, Wake.TRADE | Wake.TIMER, Wake.ORDER])
def test_what_wakes_one_strategy_changes_nothing_for_another(wake):
    events = random_market(9)
    assert replay(events, [maker, maker._replace(wake=wake)], instruments=INSTRUMENT)[0].digest() == digest(events)


def test_events_that_reach_us_before_their_own_time_are_seen_then():
    """Two clocks that were not brought together: what a strategy sees follows our clock, whatever the exchange's says."""
    late, early = Scene(feed_ms=1), Scene(feed_ms=-3)
    for scene, delay in ((late, 0), (early, 4)):
        for ms in range(1, 20):
            scene.depth(3 * ms + delay, 1, 100 + ms % 2, 10 + ms)
    seen = [play(scene, {0: [(1, 0, 90, 5)]}).decisions.filter(pl.col("ns") >= T0 + 5 * MS) for scene in (late, early)]
    same = min(map(len, seen))
    assert same > 40
    assert seen[0].head(same).equals(seen[1].head(same))


class LaddersOfTheirOwn(replay_feed.Feed):
    """A feed that does not notice when both clocks see a book's changes in one order."""

    def __init__(self, *given):
        super().__init__(*given)
        self.shared = False


@pytest.mark.parametrize("disorder", [False, True])
def test_a_ladder_of_our_own_gives_the_same_digest_as_the_shared_one(monkeypatch, disorder):
    events = random_market(5, disorder=disorder)
    shared = digest(events)
    monkeypatch.setattr(replay_pass, "Feed", LaddersOfTheirOwn)
    assert digest(events) == shared


@strategy(half=Param(0.0), quantity=Param(1.0), every_ns=20 * MS)
def patient(ctx):
    """Look at the market now and then, at how old the news is too, and wait where others may trade with it."""
    m = ctx.market[0]
    quantity = ctx.params.quantity + (ctx.now_ns - m.book_ns + m.trade_ticks) % 7
    quote_bid(ctx, 0, 0, m.bid_ticks + ctx.params.half, quantity if m.position_lots < 4000 else 0.0)
    quote_ask(ctx, 0, 0, m.ask_ticks - ctx.params.half, quantity if m.position_lots > -4000 else 0.0)


def session_by_order():
    """Return a lively minute order by order, in which now and then somebody trades with an order that nobody sees."""
    events, _instrument = generate_market(seed=2, seconds=60.0, by_order=True, settings=FlowSettings(acts_per_second=300.0))
    ends = np.flatnonzero(events["flags"] & Flag.LAST_OF_MESSAGE)[::9]
    hidden = events[ends]
    hidden["kind"], hidden["flags"], hidden["lots"] = Kind.TRADE, Flag.LAST_OF_MESSAGE | Flag.HIDDEN, 1
    hidden["ticks"] = 9_000 + np.arange(len(ends))
    return np.insert(events, ends + 1, hidden)


@pytest.mark.parametrize("wake", [Wake.TIMER, Wake.BOOK | Wake.TRADE, Wake.TRADE | Wake.ORDER, Wake.BOOK | Wake.TIMER])
@pytest.mark.parametrize(("half", "quantity", "post_only"), [(-1, 1, True), (0, 1, True), (1, 1, False), (4, 300, False)])
@pytest.mark.parametrize("market", [lambda: random_market(8, n=1500), session_by_order], ids=["by level", "by order"])
def test_messages_that_leave_the_top_alone_may_be_stepped_over(monkeypatch, market, half, quantity, post_only, wake):
    """Whoever is woken by the clock or by the market sees and gets the same as when every message is looked at in its turn."""
    events, chosen = market(), patient.with_params(half=half, quantity=quantity)._replace(wake=wake)
    changes = {"orders": {"post_only": post_only}, "entry_latency": "sampled*3"}
    stepped_over = digest(events, chosen, **changes)
    monkeypatch.setattr(replay_pass, "Feed", LaddersOfTheirOwn)
    monkeypatch.setattr(replay_pass, "RUN_AHEAD_NS", 0)
    assert digest(events, chosen, **changes) == stepped_over


def test_sharing_strategies_out_to_cores_changes_nothing(monkeypatch):
    events = random_market(4)
    several = [maker._replace(every_ns=(1 + i) * MS) for i in range(7)] + [plain(maker)]
    alone = [replay(events, each, instruments=INSTRUMENT).digest() for each in several]
    for fewest, cores in ((8, 4), (2, 3), (1, 2), (1, 16), (1, None)):
        monkeypatch.setattr("twosided.engines.replay.FEWEST_A_CORE", fewest)
        together = replay(events, several, instruments=INSTRUMENT, cores=cores)
        assert [run.digest() for run in together] == alone
        assert sum(run.facts["strategies_in_pass"] for run in together) >= len(several)


def test_ctrl_c_stops_every_core(monkeypatch):
    monkeypatch.setattr(replay_pass, "PROGRESS_EVERY", 20)
    monkeypatch.setattr("twosided.engines.replay.FEWEST_A_CORE", 1)

    def stop(*_):
        raise KeyboardInterrupt

    runs = replay(random_market(4), [plain(maker)] * 4, instruments=INSTRUMENT, cores=4, progress=stop)
    assert runs[0].facts["complete"] is False
    assert [run.facts["strategies_in_pass"] for run in runs] == [1] * 4  # all have come to an end


def test_no_core_is_too_few():
    with pytest.raises(InputError, match="cores is 0; allowed: 1 or more"):
        replay(random_market(4), maker, instruments=INSTRUMENT, cores=0)


def test_pausing_often_changes_nothing(monkeypatch):
    events = random_market(6)
    whole = digest(events)
    monkeypatch.setattr(replay_pass, "PROGRESS_EVERY", 7)
    seen = []
    run = replay(events, maker, instruments=INSTRUMENT, progress=lambda done, total: seen.append((done, total)))
    assert run.digest() == whole
    assert seen[-1] == (len(events), len(events))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_progress_goes_once_through_all_passes(monkeypatch):
    events, seen = random_market(6), []
    monkeypatch.setattr(replay_pass, "PROGRESS_EVERY", 50)
    deeper = scripted({2: [(1, 0, 990, 3)]}, levels=2, every_ms=5)
    replay(events, [maker, deeper, maker], instruments=INSTRUMENT, progress=lambda done, total: seen.append((done, total)))
    assert {total for _, total in seen} == {2 * len(events)}
    done = [done for done, _ in seen]
    assert done == sorted(done)
    assert done[-1] == 2 * len(events)


def test_logs_that_fill_up_are_emptied_and_nothing_is_lost():
    seconds = 120
    script = {ms: [(1, 0, 90 - ms % 7, 5)] for ms in range(2, seconds * 100, 10)}
    scene = Scene(bid=100, ask=102).quiet(seconds * 1000)
    run = play(scene, {**script, seconds * 100: []})
    assert len(run.decisions) == run.facts["counts"]["decisions"] == seconds * 1000
    assert run.decisions["ns"].is_sorted()


def test_when_orders_are_placed_it_does_not_matter_which_logs_are_kept():
    events = random_market(7)
    kept, bare = (
        replay(events, maker, instruments=INSTRUMENT, settings=ReplaySettings(log=log)) for log in (("orders", "quotes"), ())
    )
    assert kept.fills.equals(bare.fills)
    assert len(kept.orders) > 0
    assert len(bare.orders) == len(bare.quotes) == len(bare.decisions) == 0


# ---------------------------------------------------------------- accounts


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    queue=st.sampled_from(["conservative", "power:2", "log"]),
    taker=st.booleans(),
    partial=st.booleans(),
)
def test_every_lot_and_every_quantum_is_accounted_for(seed, queue, taker, partial):
    events = random_market(seed, n=400)
    chosen = ReplaySettings(queue=queue, orders=Orders(post_only=not taker), partial_fills=partial, opening_position=7)
    run = replay(events, maker, instruments=INSTRUMENT, settings=chosen)
    closing, unit = run.facts["closing"][0], INSTRUMENT.half_tick_lot
    rows = run.fills.rows(named=True)
    assert closing["position_lots"] == 7 + sum(row["side"] * row["lots"] for row in rows)
    paid = sum(row["fee"] + row["tax"] for row in rows)
    assert closing["cash"] == -sum(row["side"] * 2 * row["ticks"] * row["lots"] * unit for row in rows) - paid
    assert closing["fees"] + closing["taxes"] == paid
    assert run.equity.row(-1, named=True)["cash"] == closing["cash"]
    assert all(row["lots"] > 0 for row in rows)
    # what we were told adds up to what happened, up to reports still under way
    told = run.orders.filter(run.orders["action"].is_in([OrderAction.FILLED, OrderAction.PARTIALLY_FILLED]))
    assert 0 <= sum(row["lots"] for row in rows) - told["lots"].sum() <= 2 * 5 * 2


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_trades_never_fill_more_than_they_were(seed):
    events = random_market(seed, n=400)
    run = replay(events, maker, instruments=INSTRUMENT, settings=ReplaySettings(queue="conservative"))
    by_trades = run.fills.filter(run.fills["cause"].is_in([Reason.TRADE_AT_PRICE, Reason.TRADE_THROUGH]))
    for ns in by_trades["exch_ns"].unique():
        filled = by_trades.filter(by_trades["exch_ns"] == ns)["lots"].sum()
        assert filled <= events["lots"][(events["exch_ns"] == ns) & (events["kind"] == Kind.TRADE)].sum()


# ---------------------------------------------------------------- clocks and views


def test_a_strategy_sees_the_book_after_the_feed_latency_and_never_earlier():
    seen = []

    @strategy(every_ns=MS, wake=Wake.BOOK, compiled=False)
    def watch(ctx):
        seen.append(((ctx.now_ns - T0) / MS, int(ctx.market[0].bid_ticks)))

    scene = Scene(feed_ms=5).depth(10, 1, 101, 3).depth(20, 1, 101, 0)
    replay(scene.events(), watch, instruments=INSTRUMENT)
    assert seen == [(5, 100), (15, 101), (25, 100)]


def test_a_half_applied_message_wakes_nobody():
    seen = []

    @strategy(wake=Wake.BOOK, compiled=False)
    def watch(ctx):
        seen.append((int(ctx.market[0].bid_ticks), int(ctx.market[0].ask_ticks)))

    scene = Scene().depth(10, 1, 104, 3, half=True).depth(10, -1, 102, 0, half=True).depth(10, -1, 105, 2)
    replay(scene.events(), watch, instruments=INSTRUMENT)
    assert seen == [(100, 102), (104, 105)]


def test_strategies_are_woken_by_what_they_asked_for_and_told_why():
    seen = []

    @strategy(wake=Wake.TRADE | Wake.ORDER, compiled=False)
    def watch(ctx):
        seen.append(Wake(int(ctx.wake)))
        quote_bid(ctx, 0, 0, 100.0, 1.0)

    scene = Scene().trade(10, 1, 102, 1).quiet(30)
    replay(scene.events(), watch, instruments=INSTRUMENT, settings=ReplaySettings(entry_latency="1ms", response_latency="1ms"))
    assert seen == [Wake.TRADE, Wake.ORDER]


def test_nobody_is_asked_before_the_start_or_before_the_book_has_two_sides():
    events = Scene().quiet(50).events()
    only_bids = events[events["side"] > 0].copy()
    only_bids["flags"] = 1
    assert len(replay(only_bids, scripted({0: []}), instruments=INSTRUMENT).decisions) == 0
    late = replay(events, scripted({0: []}), instruments=INSTRUMENT, start_ns=T0 + 40 * MS)
    assert late.decisions["ns"].min() >= T0 + 40 * MS
    assert late.mids["exch_ns"].to_list() == [T0]


@pytest.mark.parametrize(("latency", "delay_ms"), [("recorded", 1), ("4ms", 4), ("0ms", 0)])
def test_the_feed_is_as_late_as_asked_for(latency, delay_ms):
    seen = []

    @strategy(wake=Wake.TRADE, compiled=False)
    def watch(ctx):
        seen.append((ctx.now_ns - T0) / MS)

    scene = Scene().trade(10, 1, 102, 1)
    replay(scene.events(), watch, instruments=INSTRUMENT, settings=ReplaySettings(feed_latency=latency))
    assert seen == [10 + delay_ms]


def test_a_strategy_finds_its_working_orders_position_and_cash():
    seen = []

    @strategy(every_ns=10 * MS, compiled=False)
    def watch(ctx):
        m = ctx.market[0]
        seen.append((int(m.working_bid_lots), int(m.position_lots), round(float(m.cash), 8)))
        quote_bid(ctx, 0, 0, 100.0, 10.0)

    scene = Scene(lots=1).trade(25, -1, 100, 5).quiet(41)
    replay(scene.events(), watch, instruments=INSTRUMENT, settings=ReplaySettings(orders=Orders(top_up_below=0)))
    assert seen == [(0, 0, 0.0), (10, 0, 0.0), (6, 4, -4 + 0.00008), (6, 4, -4 + 0.00008)]


# ---------------------------------------------------------------- interruptions and errors


def test_ctrl_c_leaves_a_valid_partial_run_marked_as_such(monkeypatch, tmp_path):
    monkeypatch.setattr(replay_pass, "PROGRESS_EVERY", 100)

    def stop(done, _total):
        if done >= 300:
            raise KeyboardInterrupt

    run = replay(random_market(9), maker, instruments=INSTRUMENT, progress=stop)
    assert run.facts["complete"] is False
    assert run.facts["events"] == 300
    assert type(run).load(run.save(tmp_path / "partial")).digest() == run.digest()


@pytest.mark.parametrize("how", ["compiled", "python"])
def test_an_exception_in_a_strategy_names_it_the_market_time_and_the_users_own_line(how):
    @strategy(every_ns=10 * MS)
    def clumsy(ctx):
        if ctx.now_ns > 1_700_000_000_025_000_000:
            raise ValueError("I did not expect that")
        ctx.quotes[0, 0, 0].lots = 0

    chosen = clumsy if how == "compiled" else plain(clumsy)
    with pytest.raises(StrategyError) as caught:
        replay(Scene().quiet(50).events(), chosen, instruments=INSTRUMENT)
    line = clumsy.function.__code__.co_firstlineno + 3
    assert "strategy clumsy raised ValueError: I did not expect that at 2023-11-14 22:13:20.031000000Z" in str(caught.value)
    assert f"test_replay.py:{line}" in str(caught.value)


def test_a_price_that_is_not_a_number_stops_the_run():
    @strategy(every_ns=10 * MS)
    def lost(ctx):
        quote_bid(ctx, 0, 0, math.nan, 1.0)

    with pytest.raises(StrategyError, match="a bid price is not a number"):
        replay(Scene().quiet(50).events(), lost, instruments=INSTRUMENT)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda e: e[:0], "there are no events"),
        (lambda e: e[::-1].copy(), "not in the order of local_ns"),
        (lambda e: _set(e, "market", 3), "market 3; allowed: 0 to 0"),
        (lambda e: _set(e, "kind", Kind.ADD), "both by level and order by order"),
        (lambda e: e[e["kind"] == Kind.TRADE], r"market 0 \(TEST\) is recorded without a book"),
        (lambda e: _set(e, "kind", 14), "kind that is not known"),
        (lambda e: _set(e, "lots", 2**61), "64 bits"),
        (lambda e: e["exch_ns"], "dtype"),
    ],
)
def test_events_that_cannot_be_replayed_are_refused_in_one_sentence(spoil, message):
    with pytest.raises(InputError, match=message):
        replay(spoil(random_market(1, n=50)), maker, instruments=INSTRUMENT)


def test_a_slow_strategy_in_python_does_not_keep_progress_and_ctrl_c_waiting(monkeypatch):
    monkeypatch.setattr(replay_pass, "PROGRESS_SECONDS", 0.0)
    seen = []

    def stop(done, _total):
        seen.append(done)
        if len(seen) == 3:
            raise KeyboardInterrupt

    run = replay(random_market(9), maker._replace(compiled=False), instruments=INSTRUMENT, progress=stop)
    assert run.facts["complete"] is False
    assert len(run.decisions) == 2  # the third was not acted upon any more


def test_an_opening_position_beyond_what_can_be_counted_is_refused():
    for held in (1e17, -1e17):
        with pytest.raises(InputError, match=r"opening_position is -?1e\+17; .* in 64 bits"):
            replay(random_market(1, n=50), maker, instruments=INSTRUMENT, settings=ReplaySettings(opening_position=held))


def test_strategies_with_assumptions_of_their_own_share_a_pass_and_change_nothing_of_each_other():
    """Latency, queue and partial fills belong to a strategy; what belongs to the market takes another pass."""
    events = random_market(5)
    assumed = [
        ReplaySettings(),
        ReplaySettings(entry_latency="3ms", queue="conservative"),
        ReplaySettings(response_latency="sampled*2", queue="optimistic", partial_fills=False),
        ReplaySettings(feed_latency="2ms", queue="log"),
    ]
    together = replay(events, [maker] * len(assumed), instruments=INSTRUMENT, settings=assumed)
    for run, settings in zip(together, assumed, strict=True):
        alone = replay(events, maker, instruments=INSTRUMENT, settings=settings)
        assert run.digest() == alone.digest()
        assert run.facts["settings"] == alone.facts["settings"] == settings.model_dump(mode="json")
    assert [run.facts["strategies_in_pass"] for run in together] == [3, 3, 3, 1]
    assert len({run.digest() for run in together}) == len(assumed)
    with pytest.raises(InputError, match=r"settings are a list of 2; allowed: .* as many as there are \(1\)"):
        replay(events, maker, instruments=INSTRUMENT, settings=assumed[:2])


def _set(events, field, value):
    events[field][-1] = value
    return events


def test_an_unknown_signal_is_refused_with_the_nearest_name():
    @strategy(signals=("imbalanse",))
    def curious(ctx):
        ctx.quotes[0, 0, 0].lots = 0

    with pytest.raises(InputError, match="did you mean 'imbalance'"):
        replay(random_market(1, n=50), curious, instruments=INSTRUMENT)


def test_orders_that_outgrow_the_tables_make_them_grow():
    n = 40
    script = {2: [(1, i, 90 - i, 1) for i in range(n)], 5: [(1, i, 40 - i, 1) for i in range(n)]}
    run = play(Scene(bid=100, ask=102).quiet(300), script, levels=n, orders={"replace": False}, entry_latency="100ms")
    assert run.facts["counts"]["messages_sent"] == 3 * n


def test_a_long_feed_latency_makes_the_ring_of_tops_grow():
    scene = Scene(feed_ms=1)
    for i in range(5000):
        scene.depth(1 + i * 0.001, 1, 100, 5 + i % 3)
    events = scene.events()
    events["local_ns"] = events["exch_ns"] + 100 * MS
    bids = []

    @strategy(wake=Wake.BOOK, compiled=False)
    def watch(ctx):
        bids.append(int(ctx.market[0].bid_lots))

    replay(events, watch, instruments=INSTRUMENT)
    assert bids == [10] + [5 + i % 3 for i in range(5000)]
