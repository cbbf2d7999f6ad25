"""Several venues of one instrument: never locked at the exchanges' clock, never traded through, as busy together as one market."""

import numpy as np
import pytest

from twosided.engines.flow import generate_market
from twosided.engines.flow_venues import generate_venues
from twosided.errors import InputError
from twosided.market.event import Flag, Kind, exchange_order
from twosided.market.instrument import Fees
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.touch import touches

SHARES = (0.25, 0.30, 0.20, 0.15)


@pytest.fixture(scope="module")
def session():
    return generate_venues(seed=2, seconds=600.0, shares=SHARES)


def best_of_all(events, markets):
    """Yield (event, best bid, best ask of all venues before it) in the order of the exchanges."""
    parts = [events[events["market"] == m] for m in range(markets)]
    tops = [
        {int(each["event"]): (int(each["bid_ticks"]), int(each["ask_ticks"])) for each in touches(part, m)}
        for m, part in enumerate(parts)
    ]
    now, seen = [(NO_BID, NO_ASK)] * markets, [0] * markets
    for event in events:
        m = int(event["market"])
        yield event, max(bid for bid, _ in now), min(ask for _, ask in now)
        now[m] = tops[m].get(seen[m], now[m])
        seen[m] += 1


def test_no_two_venues_are_locked_and_nobody_trades_through_a_better_price(session):
    events, instruments = session
    trades = 0
    for event, bid, ask in best_of_all(exchange_order(events), len(instruments)):
        assert bid < ask
        if event["kind"] == Kind.TRADE and bid > NO_BID:
            trades += 1
            assert event["ticks"] == (ask if event["side"] > 0 else bid)
    assert trades > 1000


def test_together_they_are_one_market_and_each_has_its_share(session):
    events, _ = session
    alone, _ = generate_market(seed=2, seconds=600.0)
    traded = [events["lots"][(events["kind"] == Kind.TRADE) & (events["market"] == m)].sum() for m in range(4)]
    assert sum(traded) == pytest.approx(alone["lots"][alone["kind"] == Kind.TRADE].sum(), rel=0.4)
    assert np.argsort(traded).tolist() == np.argsort(SHARES).tolist()


def test_every_venue_has_messages_of_its_own_in_the_order_of_our_clock(session):
    events, instruments = session
    assert [each.venue for each in instruments] == ["venue-0", "venue-1", "venue-2", "venue-3"]
    assert (np.diff(events["local_ns"]) >= 0).all()
    last = events["flags"] & Flag.LAST_OF_MESSAGE != 0
    assert (events["market"][1:][~last[:-1]] == events["market"][:-1][~last[:-1]]).all()  # no message is torn
    for m in range(4):
        ours = events[events["market"] == m]
        assert ours["kind"][0] == Kind.SNAPSHOT_BEGIN
        assert (np.diff(ours["exch_ns"]) >= 0).all()
    assert (events["local_ns"] - events["exch_ns"]).min() >= 500_000


def test_a_session_is_a_function_of_its_arguments():
    fees = [Fees(maker_per_unit="-0.002"), Fees()]
    events, instruments = generate_venues(seed=7, seconds=2.0, shares=(2, 1), fees=fees)
    again, _ = generate_venues(seed=7, seconds=2.0, shares=(200, 100), fees=fees)
    other, _ = generate_venues(seed=8, seconds=2.0, shares=(2, 1))
    assert np.array_equal(events, again)
    assert not np.array_equal(events, other)
    assert [each.fees for each in instruments] == fees


@pytest.mark.interpreted
def test_compiled_and_interpreted_sessions_are_one():
    events, _ = generate_venues(seed=7, seconds=2.0, shares=(2, 1))
    assert (len(events), int(events["lots"].sum()), int(events["ticks"].sum())) == (136, 18482, 1299445)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"shares": ()}, r"shares is \(\); allowed: 1 to 16 positive numbers"),
        ({"shares": (1, 0)}, r"shares is \(1, 0\); allowed: 1 to 16 positive numbers"),
        ({"fees": [Fees()]}, r"fees has 1 entries; allowed: one for each of 4 venues, or none"),
        ({"seed": -1}, r"seed is -1"),
        ({"seconds": 0}, r"seconds is 0"),
    ],
)
def test_what_makes_no_session_is_refused(arguments, said):
    with pytest.raises(InputError, match=said):
        generate_venues(**arguments)
