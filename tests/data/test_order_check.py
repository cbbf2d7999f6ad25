"""What is wrong with single orders is counted while they are read, in pieces of any length."""

import numpy as np
import pytest

from twosided.data.defects import Defects
from twosided.data.order_check import OrderCheck
from twosided.market.event import EVENT, Flag, Kind

pytestmark = pytest.mark.interpreted


def rows(*lines):
    events = np.zeros(len(lines), EVENT)
    for i, (kind, order_id, lots, *market) in enumerate(lines):
        events[i] = (i, i, order_id, lots, 100, kind, Flag.LAST_OF_MESSAGE, 1, market[0] if market else 0)
    return events


EVENTS = rows(
    (Kind.ADD, 1, 5),
    (Kind.ADD, 1, 6),  # an id in use
    (Kind.CANCEL, 2, 0),  # nobody added it
    (Kind.FILL, 1, 7),  # more than it has, and then it is gone
    (Kind.FILL, 1, 1),
    (Kind.ADD, 1, 5, 1),  # of another market
    (Kind.MODIFY, 3, 4),  # taken up as a new order
    (Kind.CANCEL, 3, 4),
)
FOUND = {"orphans": 3, "duplicate_orders": 1, "excess_lots": 1}


@pytest.mark.parametrize("cut", range(len(EVENTS) + 1))
def test_what_is_wrong_is_counted_once(cut):
    defects = Defects()
    check = OrderCheck(defects, 2)
    check.see(EVENTS[:cut])
    check.see(EVENTS[cut:])
    assert defects.counts == FOUND


def test_a_recording_by_level_is_not_followed():
    defects = Defects()
    check = OrderCheck(defects, 1)
    check.see(rows((Kind.DEPTH, 0, 5), (Kind.TRADE, 0, 5)))
    assert check._trackers[0].messages == 0
    assert defects.counts == {}
