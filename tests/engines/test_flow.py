"""The generated market: the matching engine's own stream, the same for the same seed, and as hard to earn from as a real one."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from twosided.engines.flow import FlowSettings, generate_market
from twosided.engines.replay import replay
from twosided.engines.settings import ReplaySettings
from twosided.errors import InputError
from twosided.explain.split import split
from twosided.market.event import Flag, Kind, Status
from twosided.market.ladder import ASK, BID
from twosided.market.orderbook import OrderBook
from twosided.market.touch import touches
from twosided.strategies.fixed import fixed
from twosided.units import NS_PER_SECOND

SHORT_S = 12.0


@pytest.fixture(scope="module")
def short():
    """A short session by level."""
    return generate_market(seed=5, seconds=SHORT_S)[0]


@pytest.fixture(scope="module")
def short_by_order():
    """The same session order by order."""
    return generate_market(seed=5, seconds=SHORT_S, by_order=True)[0]


def messages(events):
    """Cut events into messages."""
    ends = np.flatnonzero(events["flags"] & Flag.LAST_OF_MESSAGE) + 1
    return np.split(events, ends)[:-1]


# ---------------------------------------------------------------- the stream


@pytest.mark.interpreted
@pytest.mark.parametrize("stream", ["short", "short_by_order"])
def test_a_session_opens_with_a_snapshot_of_several_levels_and_the_status(stream, request):
    opening, status, *later = messages(request.getfixturevalue(stream))
    assert opening["kind"][0] == Kind.SNAPSHOT_BEGIN
    assert opening["kind"][-1] == Kind.SNAPSHOT_END
    assert (opening["flags"] & Flag.SNAPSHOT).all()
    for side in (BID, ASK):
        assert len(np.unique(opening["ticks"][opening["side"] == side])) >= 5
    assert [(event.kind, event.lots) for event in status] == [(Kind.STATUS, Status.OPEN)]
    expected = {Kind.DEPTH, Kind.TRADE} if stream == "short" else {Kind.ADD, Kind.MODIFY, Kind.CANCEL, Kind.FILL, Kind.TRADE}
    assert {int(kind) for message in later for kind in message["kind"]} == expected


@pytest.mark.interpreted
def test_times_are_those_of_a_message_and_the_feed_is_late_but_in_order(short):
    whole = messages(short)
    for name in ("exch_ns", "local_ns"):
        assert all((message[name] == message[name][0]).all() for message in whole)
        assert (np.diff([message[name][0] for message in whole]) > 0).all()
    latency_ns = short["local_ns"] - short["exch_ns"]
    settings = FlowSettings()
    assert latency_ns.min() >= settings.min_latency_ns
    assert short["exch_ns"][0] == settings.start_ns
    assert short["exch_ns"][-1] < settings.start_ns + SHORT_S * NS_PER_SECOND


@pytest.mark.interpreted
def test_events_carry_their_market():
    events, _ = generate_market(seed=5, seconds=1.0, market=3)
    assert (events["market"] == 3).all()


class LevelBook:
    """A book by level as a dictionary."""

    def __init__(self):
        self.lots = {BID: {}, ASK: {}}

    def set(self, event):
        self.lots[int(event.side)][int(event.ticks)] = int(event.lots)
        if event.lots == 0:
            del self.lots[int(event.side)][int(event.ticks)]

    def depth(self, side):
        return sorted(self.lots[side].items(), reverse=side == BID)


def apply_to_orders(book, event):
    """Let a book by order take in an event of a session by order; FILL takes its lots from the order."""
    order_id, side, ticks, lots = int(event.id), int(event.side), int(event.ticks), int(event.lots)
    if event.kind == Kind.ADD:
        book.add(order_id, side, ticks, lots)
    elif event.kind == Kind.MODIFY:
        book.replace(order_id, ticks, lots)
    elif event.kind == Kind.CANCEL:
        assert (order_id, lots) in book.queue(side, ticks), "what is cancelled is what was open"
        book.cancel(order_id)
    elif event.kind == Kind.FILL:
        best = book.best_bid if side == BID else book.best_ask
        assert ticks == best, "trades are at the best price"
        assert book.queue(side, ticks)[0][0] == order_id, "the first in line trades first"
        book.reduce(order_id, lots)


@pytest.mark.interpreted
def test_both_streams_tell_of_the_same_book_and_it_is_never_crossed(short, short_by_order):
    levels, orders = LevelBook(), OrderBook()
    by_level, by_order = messages(short), messages(short_by_order)
    assert len(by_level) == len(by_order)
    for left, right in zip(by_level, by_order, strict=True):
        assert (left[["exch_ns", "local_ns"]][0]) == (right[["exch_ns", "local_ns"]][0])
        for event in left:
            if event.kind == Kind.DEPTH:
                levels.set(event)
        for event in right:
            apply_to_orders(orders, event)
        for side in (BID, ASK):
            assert levels.depth(side)[:3] == orders.depth(side, 3)
        assert orders.spread is None or orders.spread > 0
    for side in (BID, ASK):
        assert levels.depth(side) == orders.depth(side)
    orders.validate()


@pytest.mark.interpreted
def test_both_streams_print_the_same_trades_and_each_has_its_fill(short, short_by_order):
    prints = short_by_order[short_by_order["kind"] == Kind.TRADE]
    assert short[short["kind"] == Kind.TRADE].tobytes() == prints.tobytes()
    fills = short_by_order[short_by_order["kind"] == Kind.FILL]
    for name in ("exch_ns", "ticks", "lots"):
        assert np.array_equal(fills[name], prints[name])
    assert np.array_equal(fills["side"], -prints["side"]), (
        "a trade's side is the aggressor's, a fill's that of the order that rested"
    )
    assert np.array_equal(np.diff(prints["id"]), np.ones(len(prints) - 1))


def test_arrays_grow_as_the_market_needs():
    busy = FlowSettings(acts_per_second=800.0, resting_orders=30_000, trade_share=0.001)
    book = OrderBook()
    for event in generate_market(seed=1, seconds=1.0, settings=busy, by_order=True)[0]:
        apply_to_orders(book, event)
    book.validate()
    assert len(book) > 8_192


def test_a_seed_is_a_session(short):
    assert generate_market(seed=5, seconds=SHORT_S)[0].tobytes() == short.tobytes()
    other = generate_market(seed=6, seconds=SHORT_S)[0]
    assert other.tobytes() != short.tobytes()


def test_interpreted_code_makes_the_same_session(short):
    program = "; ".join(
        (
            "import hashlib",
            "from twosided.engines.flow import generate_market",
            f"print(hashlib.sha256(generate_market(seed=5, seconds={SHORT_S})[0].tobytes()).hexdigest())",
        )
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    said = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert said.stdout.strip() == hashlib.sha256(short.tobytes()).hexdigest()


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed is -1; allowed: 0 to"),
        ({"seconds": 0.0}, "seconds is 0.0; allowed: more than 0"),
        ({"seconds": float("nan")}, "seconds is nan; allowed"),
        ({"market": 256}, "market is 256; allowed: 0 to 255"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        generate_market(**arguments)


@pytest.mark.interpreted
def test_settings_that_would_explode_are_refused():
    with pytest.raises(ValueError, match="trade_share"):
        FlowSettings(trade_share=0.07)


# ---------------------------------------------------------------- the market: whole sessions against stated bounds


class Session:
    """A whole session and what the tests look at."""

    def __init__(self, seed):
        self.events, self.instrument = generate_market(seed)
        touch = touches(self.events)
        self.times, self.mid = touch["exch_ns"], (touch["bid_ticks"] + touch["ask_ticks"]) / 2
        self.spread, self.seconds = touch["ask_ticks"] - touch["bid_ticks"], np.diff(touch["exch_ns"]) / NS_PER_SECOND
        self.touch_lots = (touch["bid_lots"] + touch["ask_lots"]) / 2
        prints = self.events[self.events["kind"] == Kind.TRADE]
        first = np.unique(prints["exch_ns"], return_index=True)[1]  # one order may print several times
        self.trade_times, self.signs = prints["exch_ns"][first], prints["side"][first].astype(float)

    def mid_at(self, times):
        return self.mid[np.maximum(np.searchsorted(self.times, times, side="right") - 1, 0)]

    def variance_rate(self, seconds):
        """Variance of overlapping moves of the mid over so many seconds, per second."""
        every = np.arange(self.times[0], self.times[-1], NS_PER_SECOND)
        mid = self.mid_at(every)
        return np.mean((mid[seconds:] - mid[:-seconds]) ** 2) / seconds

    def markout(self, seconds):
        """Mean move of the mid in the direction of a trade, from just before it."""
        before = self.mid_at(self.trade_times - 1)
        return np.mean(self.signs * (self.mid_at(self.trade_times + round(seconds * NS_PER_SECOND)) - before))

    def mean_over_time(self, values):
        return np.average(values[:-1], weights=self.seconds)


@pytest.fixture(scope="module", params=[1, 2])
def session(request):
    return Session(request.param)


def test_a_session_is_large_and_two_sided_all_day(session):
    assert len(session.events) >= 500_000
    assert session.spread.min() >= 1
    assert session.spread.max() < 50
    assert session.instrument.tick_size * 10_000 == 100


def test_the_spread_is_mostly_one_to_three_ticks(session):
    shares = [session.mean_over_time(session.spread == ticks) for ticks in (1, 2, 3)]
    assert min(shares) > 0.05
    assert sum(shares) > 0.97
    assert 1.5 < session.mean_over_time(session.spread) < 2.5


def test_the_queue_at_the_touch_is_a_few_trades_deep(session):
    traded = session.events["lots"][session.events["kind"] == Kind.TRADE].sum() / len(session.trade_times)
    assert 2 < session.mean_over_time(session.touch_lots) / traded < 6


def test_the_mid_is_close_to_a_martingale(session):
    assert 0.7 < session.variance_rate(1) / session.variance_rate(60) < 1.3


def test_the_mid_moves_as_much_as_the_efficient_price_is_set_to(session):
    assert np.sqrt(session.variance_rate(60)) == pytest.approx(FlowSettings().volatility_ticks, rel=0.15)


def test_trades_come_in_clusters_and_their_signs_persist(session):
    seconds = ((session.trade_times - session.trade_times[0]) // NS_PER_SECOND).astype(int)
    counts = np.bincount(seconds)
    assert counts.var() / counts.mean() > 2, "a Poisson process has 1"
    correlations = [np.corrcoef(session.signs[:-lag], session.signs[lag:])[0, 1] for lag in (1, 2, 3)]
    assert correlations[0] > 0.15
    assert min(correlations) > 0.03


def test_activity_is_higher_at_the_open_and_the_close(session):
    begin, end = session.times[0], session.times[-1]
    thirds = np.histogram(session.trade_times, bins=3, range=(begin, end))[0]
    assert thirds[1] < 0.8 * min(thirds[0], thirds[2])


def test_a_trade_is_followed_by_a_move_in_its_direction_worth_about_half_a_spread(session):
    half_spread = session.mean_over_time(session.spread) / 2
    assert 0 < session.markout(0.1) < session.markout(1) < session.markout(10)
    assert 0.7 < session.markout(10) / half_spread < 1.3
    assert session.markout(60) == pytest.approx(session.markout(10), rel=0.25), "it does not come back"


def test_feed_latency_is_skewed_to_the_right(session):
    last = session.events[(session.events["flags"] & Flag.LAST_OF_MESSAGE) != 0]
    latency_ns = last["local_ns"] - last["exch_ns"]
    assert latency_ns.min() >= 500_000
    assert np.median(latency_ns) < 0.85 * latency_ns.mean()
    assert np.quantile(latency_ns, 0.999) > 8_000_000


def test_a_quoter_without_skill_earns_nothing_at_the_touch_and_a_little_further_out(session):
    quoters = [fixed.with_params(half_spread=half, unit="ticks", quantity=100) for half in (0.5, 1.5)]
    runs = replay(session.events, quoters, instruments=session.instrument, settings=ReplaySettings(log=()))
    edge = []
    for run in runs:
        (parts,) = split(run)
        tick_lots = 2 * session.instrument.half_tick_lot * run.fills["lots"].sum()
        edge.append((parts.spread + parts.adverse) / tick_lots)  # ticks per lot, ten seconds after the fill
    assert -0.5 < edge[0] < 0.05
    assert 0.1 < edge[1] < 1.2
