"""A trading year is the venue's, or stated, or there is none: never guessed."""

import pytest

from twosided.errors import InputError
from twosided.explain.basis import Basis, trading_year


def with_venue(runs, *venues):
    instruments = [runs.BTC.model_copy(update={"venue": venue}) for venue in venues]
    return runs.assemble(instruments, [], [], span_ns=10**9)


@pytest.mark.parametrize(
    ("venue", "year"),
    [
        ("binance-futures", (365, 24)),
        ("okex-swap", (365, 24)),
        ("XNAS.ITCH", (252, 6.5)),
        ("NASDAQ", (252, 6.5)),
        ("GLBX.MDP3", (252, 23)),
        ("twosided", (252, 6.5)),
        ("", None),
        ("somewhere", None),
    ],
)
def test_the_year_of_a_venue(runs, venue, year):
    assert trading_year(with_venue(runs, venue).instruments[0]) == year
    found = Basis().of(with_venue(runs, venue))
    assert (found.days_per_year, found.hours_per_day) == (year or (None, None))


def test_what_is_stated_goes_before_the_venue(runs):
    found = Basis(days_per_year=250).of(with_venue(runs, "binance"))
    assert (found.days_per_year, found.hours_per_day) == (250, 24)
    assert Basis(days_per_year=250, hours_per_day=8).of(with_venue(runs, "")).periods_per_year == 250 * 8 * 60


def test_venues_that_differ_have_no_year_in_common(runs):
    assert Basis().of(with_venue(runs, "binance", "nasdaq")).days_per_year is None
    assert Basis().of(with_venue(runs, "binance", "bybit")).days_per_year == 365


def test_lengths_follow_from_the_year(runs):
    known = Basis().of(with_venue(runs, "nyse"))
    assert known.day_ns == 6.5 * 3600e9
    assert known.month_ns == pytest.approx(21 * 6.5 * 3600e9)
    assert known.periods_per_year == 252 * 6.5 * 60
    assert Basis().day_ns is Basis().month_ns is Basis().periods_per_year is None


def test_a_basis_is_positive():
    with pytest.raises(InputError, match="period_ns is 0; allowed: more than 0"):
        Basis(period_ns=0)
    with pytest.raises(InputError, match="hours_per_day is -1; allowed: more than 0"):
        Basis(hours_per_day=-1)
