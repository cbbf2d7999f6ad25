"""Tick tables as they were published: their edges, what the reductions changed, and prices rounded on them."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.market.instrument import Instrument
from twosided.market.tick_tables import (
    mifid_liquidity_band,
    step_rows,
    tick_table,
    tick_tables,
    valid_at_or_above,
    valid_at_or_below,
)

pytestmark = pytest.mark.interpreted

OLD, NOW, NEXT = (tick_table(f"hkex-{year}") for year in (2006, 2025, 2026))


def steps(table, price):
    return str(table.step(price, down=True)), str(table.step(price))


@pytest.mark.parametrize(
    ("price", "old", "now", "planned"),  # each (down, up)
    [
        ("0.25", ("0.001", "0.005"), ("0.001", "0.005"), ("0.001", "0.005")),
        ("0.5", ("0.005", "0.01"), ("0.005", "0.01"), ("0.005", "0.005")),
        ("10", ("0.01", "0.02"), ("0.01", "0.01"), ("0.005", "0.01")),
        ("20", ("0.02", "0.05"), ("0.01", "0.02"), ("0.01", "0.02")),
        ("50", ("0.05", "0.05"), ("0.02", "0.05"), ("0.02", "0.05")),
        ("100", ("0.05", "0.1"), ("0.05", "0.1"), ("0.05", "0.1")),
        ("200", ("0.1", "0.2"), ("0.1", "0.2"), ("0.1", "0.2")),
        ("500", ("0.2", "0.5"), ("0.2", "0.5"), ("0.2", "0.5")),
        ("1000", ("0.5", "1"), ("0.5", "1"), ("0.5", "1")),
        ("2000", ("1", "2"), ("1", "2"), ("1", "2")),
        ("5000", ("2", "5"), ("2", "5"), ("2", "5")),
    ],
)
def test_steps_at_the_edges_of_the_hong_kong_tables(price, old, now, planned):
    assert [steps(table, price) for table in (OLD, NOW, NEXT)] == [old, now, planned]


def test_below_fifty_dollars_the_old_and_the_new_table_differ():
    assert Decimal(50) - OLD.step(50, down=True) == Decimal("49.95")
    assert Decimal(50) - NOW.step(50, down=True) == Decimal("49.98")
    assert (OLD.valid("49.98"), NOW.valid("49.98")) == (False, True)
    assert (OLD.valid("49.95"), NOW.valid("49.95")) == (True, False)
    assert OLD.step(50) == NOW.step(50) == Decimal("0.05")
    with pytest.raises(InputError, match=r"price is 49\.98, which is not on the tick table hkex-2006; there, prices move by 0\.05"):
        OLD.step("49.98")


def test_each_table_says_since_when_and_where_it_was_read():
    assert (OLD.since, NOW.since, NEXT.since) == (date(2006, 7, 24), date(2025, 8, 4), None)
    for table in tick_tables().values():
        assert table.sources
        assert table.about


def test_the_mifid_table_is_one_sequence_shifted_from_band_to_band():
    """1, 2, 5, 10, …: each liquidity band is one step finer, each price row one coarser, and nothing is finer than 0.0001."""
    sequence = [Decimal(digit).scaleb(power) for power in range(-6, 4) for digit in (1, 2, 5)]
    starts = [Decimal(0), *(Decimal(digit).scaleb(power) for power in range(-1, 5) for digit in (1, 2, 5))]
    first = sequence.index(Decimal("0.0005"))
    for band in range(6):
        table = tick_table(f"mifid-{band + 1}")
        for row, start in enumerate(starts):
            assert table.step(start) == max(sequence[first + row - band], Decimal("0.0001")), (band, start)


@pytest.mark.parametrize(
    ("transactions", "band"),
    [(0, 1), (9.99, 1), (10, 2), (79, 2), (80, 3), (599, 3), (600, 4), (1999, 4), (2000, 5), (8999, 5), (9000, 6), (1e6, 6)],
)
def test_the_liquidity_band_of_a_share(transactions, band):
    assert mifid_liquidity_band(transactions) == f"mifid-{band}"


def test_what_is_not_there_is_refused_in_words():
    with pytest.raises(InputError, match=r"tick table 'hkex-2024' is unknown; did you mean 'hkex-20"):
        tick_table("hkex-2024")
    with pytest.raises(InputError, match=r"daily_transactions is -1; allowed: 0 or more"):
        mifid_liquidity_band(-1)
    assert mifid_liquidity_band(0) == "mifid-1"
    with pytest.raises(InputError, match="daily_transactions is nan"):
        mifid_liquidity_band(float("nan"))


@pytest.mark.parametrize("name", sorted(tick_tables()))
def test_every_table_fits_an_instrument_and_the_engine(name):
    table = tick_table(name)
    instrument = Instrument(symbol="X", tick_size=table.tick_size, lot_size=1, tick_table=table.bands)
    assert len(step_rows(instrument)) == len(table.bands) <= 32


@given(st.sampled_from(sorted(tick_tables())), st.integers(10, 3_000_000))
def test_rounding_on_a_table_goes_to_the_nearest_valid_price_outward(name, ticks):
    table = tick_table(name)
    rows = step_rows(Instrument(symbol="X", tick_size=table.tick_size, lot_size=1, tick_table=table.bands))
    below, above = int(valid_at_or_below(rows, ticks)), int(valid_at_or_above(rows, ticks))
    assert below <= ticks <= above
    for end in (below, above):
        assert table.valid(end * table.tick_size)
    assert not any(table.valid(each * table.tick_size) for each in range(max(below + 1, above - 300), above) if each != ticks)
    assert (below == above) == table.valid(ticks * table.tick_size)


def test_without_a_table_every_tick_is_valid():
    rows = step_rows(Instrument(symbol="X", tick_size="0.01", lot_size=1))
    assert np.array_equal(rows, [[0, 1]])
    assert valid_at_or_below(rows, 123) == valid_at_or_above(rows, 123) == 123
