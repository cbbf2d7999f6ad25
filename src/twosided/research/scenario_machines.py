"""Scenarios of venues and machines: a halt, a feed that falls silent, latency, fees.

Where you are in the pipe: beside it, see `twosided.research.scenario`.
"""

from functools import partial

from twosided.engines.flow_phases import Phase, silenced, slowed
from twosided.engines.settings import Latency, ReplaySettings
from twosided.market.event import Events, Kind, Status
from twosided.market.instrument import Fees
from twosided.market.order import OrderAction
from twosided.research.expectations import Expectation
from twosided.research.scenario import Scenario, Span
from twosided.research.scenario_common import ALWAYS, EARLY, ROUGH_S, number_or, presence, ratio_or, spans_until
from twosided.research.scenario_watch import Watch
from twosided.units import NS_PER_SECOND

__all__ = ["MACHINES"]


def _orders_in_halt(watch: Watch) -> float:
    heard = watch.heard(Status.HALT)
    return float(watch.sent(heard, watch.heard(Status.OPEN, heard), OrderAction.SEND_NEW, OrderAction.SEND_REPLACE))


def _fills_in_halt(watch: Watch) -> float:
    said = watch.events[watch.events["kind"] == Kind.STATUS]
    halted = watch.seconds(said["exch_ns"][said["lots"] == Status.HALT])
    return float(watch.fills_between(float(halted[0]), float(halted[-1])))


def _gone_after_halt(watch: Watch) -> float:
    return watch.pulled_after(watch.heard(Status.HALT))


_HALT = Scenario(
    name="halt",
    sentence="Trading is halted for half a minute on bad news; the book moves without trades, and it opens 60 ticks lower.",
    how="At 60 s the venue says HALT and the efficient price and makers' belief fall by 60 ticks; makers go on, nobody trades; "
    "at 90 s it says OPEN.",
    spans=spans_until(90, 150),
    phases=(Phase(at_s=ROUGH_S, news_ticks=-60.0, status=Status.HALT), Phase(at_s=90, status=Status.OPEN)),
    expectations=(
        Expectation(
            "no order", "sends no order from when it hears of the halt until it hears of its end", _orders_in_halt, high=0.0
        ),
        Expectation(
            "cancels",
            "and all its orders are gone by its next decision (100 ms) and the way there: cancels pass",
            _gone_after_halt,
            high=0.12,
            unit="s",
        ),
        Expectation("no fill", "and nothing is filled", _fills_in_halt, high=0.0, unit="fills"),
        presence("return", 95, 150, 0.8, "from 5 s after the reopening"),
        *ALWAYS,
    ),
)


_OUTAGE = (ROUGH_S, 80.0)
_DECLARED_S = 1.0


def _hidden(events: Events) -> Events:
    origin = int(events["exch_ns"][0])
    return silenced(events, *(origin + round(at * NS_PER_SECOND) for at in _OUTAGE))


def _most_age(watch: Watch) -> float:
    """Return after which silence the strategy says that it withdraws; a second where it does not say."""
    return float(watch.run.facts["params"].get("feed_most_age_s", _DECLARED_S))


def _pulled(watch: Watch) -> float:
    from_s, until_s = watch.silence()
    return min(watch.pulled_after(from_s), until_s - from_s) - _most_age(watch)


def _blind_fills(watch: Watch) -> float:
    from_s, until_s = watch.silence()
    return float(watch.fills_between(from_s + _most_age(watch) + 0.25, until_s))


_FEED = Scenario(
    name="feed-outage",
    sentence="Nothing comes over the feed for 20 s, not even a heartbeat; the market goes on, and our orders stand in it.",
    how="All that would have reached us from 60 to 80 s, heartbeats once a second included, comes at 80 s. The efficient price "
    "drifts by 1.5 ticks a second meanwhile. Answers to our orders still come.",
    spans=spans_until(80, 120),
    phases=(Phase(at_s=ROUGH_S, drift_ticks=1.5), Phase(at_s=80, drift_ticks=0.0)),
    heard=_hidden,
    expectations=(
        Expectation(
            "pulled",
            "all orders are gone within 0.25 s of the age at which it gives up a silent feed: feed_most_age_s, or 1 s",
            _pulled,
            high=0.25,
            unit="s later",
        ),
        Expectation("blind", "and nothing is filled from then until the feed is back", _blind_fills, high=0.0, unit="fills"),
        presence("return", 85, 120, 0.8, "from 5 s after the feed is back"),
        *ALWAYS,
    ),
)

_SLOWER = 50


def _worse(watch: Watch) -> float | str:
    base = watch.base
    if base is None:
        return "there is nothing to compare with"
    return number_or(watch.markout(20, 180, 1.0) - base.markout(20, 180, 1.0), "nothing was filled")


def _messages_more(watch: Watch) -> float | str:
    if watch.base is None:
        return "there is nothing to compare with"
    kinds = (OrderAction.SEND_NEW, OrderAction.SEND_REPLACE, OrderAction.SEND_CANCEL)
    return ratio_or(watch.sent(20, 180, *kinds), watch.base.sent(20, 180, *kinds), "nothing was sent")


_LATENCY = Scenario(
    name="latency",
    sentence="Everything takes fifty times as long as usual: the feed to us, our orders to the venue, its answers.",
    how="The same market twice. First as usual: feed 0.5 ms and more, orders and answers 1 ms. Then all of it × 50, to the end.",
    spans=(EARLY, Span("slow", 20, 180)),
    heard=partial(slowed, factor=_SLOWER),
    assumed=ReplaySettings(
        entry_latency=Latency(kind="constant", ns=_SLOWER * 1_000_000),
        response_latency=Latency(kind="constant", ns=_SLOWER * 1_000_000),
    ),
    compared=True,
    expectations=(
        Expectation(
            "markout",
            "a lot filled has lost at most 1.5 ticks more after 1 s than in the same market at the usual pace",
            _worse,
            -1.5,
            unit="ticks a lot",
        ),
        Expectation(
            "messages",
            "and it sends no more than 1.2 times as many messages: no storm of repeats",
            _messages_more,
            high=1.2,
            unit="times",
        ),
        presence("presence", 20, 180, 0.8, "while all is slow"),
        *ALWAYS,
    ),
)


_DEARER = Fees(maker_per_unit="0.02", taker_per_unit="0.03")  # type: ignore[arg-type]


def _wider_by(watch: Watch) -> float | str:
    base = watch.base
    if base is None:
        return "there is nothing to compare with"
    more = watch.mean(watch.width, 20, 120) - base.mean(base.width, 20, 120)
    if more == 0.0:
        return "it quotes the same whatever is charged: fees are no part of its formula"
    return more


def _paid(watch: Watch) -> float | str:
    fills = watch.run.fills
    if fills.height == 0:
        return "nothing was filled"
    quantum = float(watch.run.instruments[0].money_quantum)
    return round(float(fills["fee"].sum()) * quantum / (float(fills["lots"].sum()) * watch.lot), 9)


_FEES = Scenario(
    name="fee-change",
    sentence="The venue starts to charge 0.02 a share for resting orders, two ticks, where it charged nothing.",
    how="Two runs of the same market: fees are a property of the instrument, not of a moment. Before: none. After: 0.02 a share "
    "for makers, 0.03 for takers, the whole time.",
    spans=(EARLY, Span("with the fee", 20, 120)),
    fees=_DEARER,
    compared=True,
    expectations=(
        Expectation(
            "width", "where the strategy reads fees, its width follows their sign: dearer is wider", _wider_by, 0.05, unit="ticks"
        ),
        Expectation("paid", "what is paid for a lot is the maker's fee", _paid, 0.02, 0.02, unit="money a lot"),
        *ALWAYS,
    ),
)


MACHINES = (_HALT, _FEED, _LATENCY, _FEES)
"""In the order in which they are listed."""
