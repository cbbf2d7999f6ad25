"""What sizes are typical: medians over time and over trades."""

import numpy as np

from twosided.market.event import EVENT, Flag, Kind
from twosided.market.typical_sizes import typical_sizes


def event(ns, kind, side, ticks, lots, market=0):
    last = Flag.LAST_OF_MESSAGE
    return (ns, ns, 0, lots, ticks, kind, last, side, market)


def test_sizes_weigh_by_how_long_they_were_shown_and_trades_by_their_number():
    rows = [
        event(0, Kind.DEPTH, 1, 99, 4),
        event(0, Kind.DEPTH, -1, 101, 7),
        *(event(10 + i, Kind.DEPTH, 1, 99, 1000 + i) for i in range(5)),  # shown for a moment each
        *(event(10 + i, Kind.DEPTH, -1, 101, 1000 + i) for i in range(5)),
        event(15, Kind.DEPTH, 1, 99, 6),
        event(15, Kind.DEPTH, -1, 101, 7),
        event(90, Kind.TRADE, 1, 101, 3),
        event(91, Kind.TRADE, 1, 101, 5),
        event(95, Kind.TRADE, -1, 99, 900),
        event(100, Kind.TRADE, 1, 50, 1, market=1),
    ]
    events = np.array(rows, EVENT)
    assert typical_sizes(events, 2) == [{"touch_lots": 7, "trade_lots": 5}, {"touch_lots": 0, "trade_lots": 1}]


def test_one_sided_and_crossed_states_do_not_count():
    events = np.array([event(0, Kind.DEPTH, 1, 99, 4), event(50, Kind.DEPTH, -1, 98, 9), event(60, Kind.TRADE, 1, 98, 2)], EVENT)
    assert typical_sizes(events, 1) == [{"touch_lots": 0, "trade_lots": 2}]
