"""New York's midnight, the day in a file's name, and where a trade between two ticks is put."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.data.itch_kernel import moved_price
from twosided.data.nasdaq import date_in, midnight_ns, moved, step_of

HOUR_NS = 3600 * 10**9


def test_midnight_is_new_yorks_in_winter_and_in_summer():
    assert midnight_ns(date(2019, 12, 30)) == 1_577_682_000 * 10**9  # 05:00 UTC
    assert midnight_ns(date(2012, 6, 21)) == 1_340_251_200 * 10**9  # 04:00 UTC


@pytest.mark.parametrize("day", [date(2019, 3, 8), date(2019, 3, 11), date(2019, 11, 1), date(2019, 11, 4)])
def test_the_opening_bell_is_at_half_past_nine_on_either_side_of_a_change_of_clocks(day):
    bell = datetime.fromtimestamp((midnight_ns(day) + 9 * HOUR_NS + HOUR_NS // 2) / 1e9, ZoneInfo("America/New_York"))
    assert (bell.date(), bell.hour, bell.minute) == (day, 9, 30)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("aapl_20191230_0935.itch50", date(2019, 12, 30)),
        ("01302019.NASDAQ_ITCH50.gz", date(2019, 1, 30)),
        ("S081321-v50.txt.gz", date(2021, 8, 13)),
        ("2019-12-30.itch", date(2019, 12, 30)),
        ("x-20191230-20191230.bin", date(2019, 12, 30)),
        ("20191230_20191231.itch", None),
        ("ES081321.bin", None),
        ("20191330.bin", None),
        ("120191230.bin", None),
        ("feed.itch", None),
    ],
)
def test_a_name_holds_one_day_or_none(name, day):
    assert date_in(name) == day


@pytest.mark.parametrize(
    ("tick", "step"), [("0.01", 100), ("0.0001", 1), ("0.005", 50), ("0.00005", 1), ("0.00015", 3), ("1", 10_000)]
)
def test_a_tick_is_so_many_units_of_a_hundredth_of_a_cent(tick, step):
    assert step_of(Decimal(tick)) == step


@pytest.mark.parametrize(("side", "ticks"), [(-1, 10_001), (1, 10_000), (0, 10_000)])
def test_a_midpoint_is_moved_up_for_a_seller_down_for_a_buyer_and_to_the_even_tick_for_nobody(side, ticks):
    assert moved(np.array([1_000_050]), np.array([side]), 100).tolist() == [ticks]


@pytest.mark.interpreted
@given(
    price=st.integers(1, 2**32 - 1),
    side=st.sampled_from([-1, 0, 1]),
    step=st.sampled_from([1, 3, 50, 100, 10_000]),
)
def test_a_trade_is_moved_by_less_than_a_tick_and_never_flatters_the_order_it_might_fill(price, side, step):
    ticks = int(moved(np.array([price]), np.array([side]), step)[0])
    assert abs(ticks * step - price) < step
    assert (ticks * step - price) * side <= 0
    assert side or 2 * abs(ticks * step - price) <= step
    assert price % step or ticks * step == price
    assert moved_price(price, side, step) == ticks
