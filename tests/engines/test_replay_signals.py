"""What strategies are shown of signals: by name, as of the moment of the decision, alike in every way of replaying."""

import numpy as np
import pytest
from scene import INSTRUMENT, MS, T0, Scene, random_market

from twosided.engines import replay_feed, replay_pass
from twosided.engines.replay import replay
from twosided.market.event import Kind, Status
from twosided.signals.by_name import SIGNALS
from twosided.strategies.contract import strategy


def heard(events, names=SIGNALS, every_ms=7, others=()):
    """Return what a strategy is shown: a row of (now, signals…) for each decision."""
    rows = []

    @strategy(signals=tuple(names), every_ns=every_ms * MS, compiled=False)
    def listener(ctx):
        rows.append([ctx.now_ns, *(float(ctx.signals[name][0]) for name in names)])

    replay(events, [listener, *others], instruments=INSTRUMENT, start_ns=T0)
    return np.array(rows)


def slowly(events, factor):
    """Let everything take *factor* times as long: averages over time need some."""
    for name in ("exch_ns", "local_ns"):
        events[name] = T0 + factor * (events[name] - T0)
    return events


def at(scene, ms, *names):
    """Return signals as shown *ms* after the beginning of a scene, the last of which it is."""
    return heard(scene.quiet(ms + 1).events(), names, every_ms=ms)[0, 1:].tolist()


def with_limits(events):
    """Add price limits where now and then a trade was."""
    limits = events[events["kind"] == Kind.TRADE][::10].copy()
    limits["kind"], limits["side"], limits["lots"] = Kind.BAND, np.arange(len(limits)) % 2 * 2 - 1, 1
    both = np.concatenate([events, limits])
    return both[np.argsort(both["local_ns"], kind="stable")]


class LaddersOfTheirOwn(replay_feed.Feed):
    """A feed that does not notice when both clocks see a book's changes in one order."""

    def __init__(self, *given):
        super().__init__(*given)
        self.shared = False


@pytest.mark.parametrize("disorder", [False, True])
def test_a_ladder_of_our_own_shows_the_same_signals_as_the_shared_one(monkeypatch, disorder):
    events = with_limits(slowly(random_market(5, n=6000, disorder=disorder), 25))
    events["lots"][(events["kind"] == Kind.TRADE) & (np.arange(len(events)) % 60 == 0)] *= 40  # some are large
    shared = heard(events, every_ms=100)
    assert np.all(np.isfinite(shared))
    assert all(len(set(column)) > 2 for column in shared.T), "a signal that never moves tells nothing of how it is kept"
    monkeypatch.setattr(replay_pass, "Feed", LaddersOfTheirOwn)
    np.testing.assert_array_equal(heard(events, every_ms=100), shared)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_does_not_depend_on_who_else_asks_for_which(name):
    @strategy(signals=("imbalance", "ofi", "feed_age_s"), every_ns=3 * MS)
    def another(ctx):
        ctx.quotes[0, 0, 0].lots = 0

    events = random_market(6)
    alone, together = heard(events, [name]), heard(events, SIGNALS, others=[another])
    np.testing.assert_array_equal(alone[:, 1], together[:, 1 + SIGNALS.index(name)])


def test_compiled_strategies_are_shown_what_plain_ones_are():
    @strategy(signals=SIGNALS, every_ns=7 * MS)
    def compiled(ctx):  # the last digits of all signals decide about the quote
        s = ctx.signals
        noise = s.ofi[0] + s.trade_imbalance[0] + s.short_volatility[0] + s.volatility[0] + s.spread_ratio[0]
        noise += (
            s.vpin[0] + s.hurst[0] + s.large_trade[0] + s.feed_age_s[0] + s.imbalance[0] + s.microprice_ticks[0] + s.spread_ticks[0]
        )
        ctx.quotes[0, 0, 0].ticks = 900 + int(noise * 1e9) % 50
        ctx.quotes[0, 0, 0].lots = 1

    events = random_market(8)
    runs = [replay(events, each, instruments=INSTRUMENT) for each in (compiled, compiled._replace(compiled=False))]
    assert len(runs[0].quotes) > 20
    assert runs[0].digest() == runs[1].digest()


def test_trade_imbalance_forgets_after_a_second():
    scene = Scene().trade(10, 1, 102, 30).trade(20, -1, 100, 10)
    assert at(scene, 500, "trade_imbalance") == [0.5]
    assert at(Scene().trade(10, 1, 102, 30).trade(20, -1, 100, 10), 1500, "trade_imbalance") == [0.0]


def test_a_trade_of_unknown_side_is_told_by_the_touch():
    assert at(Scene().trade(10, 0, 102, 30).trade(20, 0, 101, 30), 500, "trade_imbalance") == [1.0]


def test_order_flow_is_what_the_bid_gained_over_the_usual_size():
    assert at(Scene(lots=10).depth(400, 1, 100, 40), 500, "ofi") == [3.0]
    assert at(Scene(lots=10).depth(400, 1, 100, 40).depth(800, -1, 102, 40), 1600, "ofi") == [pytest.approx(-30 / 17.5, rel=2e-3)]


def test_the_spread_is_shown_in_ticks_and_against_its_average():
    scene = Scene(bid=100, ask=102).depth(11_000, -1, 102, 0, half=True).depth(11_000, -1, 106, 5)
    ticks, ratio = at(scene, 11_001, "spread_ticks", "spread_ratio")
    assert ticks == 6.0
    assert ratio == pytest.approx(3.0, rel=1e-3)


@pytest.mark.parametrize("message", ["status", "trade", "depth", "funding"])
def test_a_feed_lives_by_any_message_and_its_age_grows_in_silence(message):
    def scene():
        made = Scene()
        if message == "status":
            return made.status(700, Status.OPEN)  # a status that says what was known is a heartbeat
        if message == "trade":
            return made.trade(700, 1, 102, 1)
        return made.depth(700, 1, 90, 1) if message == "depth" else made.funding(700, 1)

    assert at(scene(), 1000, "feed_age_s") == [pytest.approx(0.299)]  # it took a millisecond to come
    assert at(scene(), 3000, "feed_age_s") == [pytest.approx(2.299)]


def test_a_half_built_book_is_not_looked_at():
    scene = Scene(bid=100, ask=102, lots=10).mark(100, Kind.SNAPSHOT_BEGIN).depth(100, 1, 50, 99).depth(100, -1, 151, 1)
    assert heard(scene.quiet(300).events(), ["imbalance"], every_ms=50)[:, 1].tolist() == [0.0, 0.0]
    scene = Scene(bid=100, ask=102, lots=10).depth(100, 1, 103, 30)  # crossed
    assert set(heard(scene.quiet(300).events(), ["imbalance"], every_ms=50)[:, 1]) == {0.0}
