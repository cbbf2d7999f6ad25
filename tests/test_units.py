"""What people write becomes exact integers, or one sentence that says what is allowed."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.units import duration_ns, duration_text, exact_decimal, moment_ns, time_text, whole_steps

pytestmark = pytest.mark.interpreted


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0s", 0),
        ("1ns", 1),
        ("250us", 250_000),
        ("250µs", 250_000),
        ("100ms", 100_000_000),
        ("1.5s", 1_500_000_000),
        (" 10 m ", 600_000_000_000),
        ("10min", 600_000_000_000),
        ("6.5h", 23_400_000_000_000),
        ("1d", 86_400_000_000_000),
        ("0.1s", 100_000_000),  # one tenth exactly, although no binary number is
        (1_234, 1_234),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text, nanoseconds):
    assert duration_ns(text) == nanoseconds


@pytest.mark.parametrize("text", ["10", "10 minutes", "-1s", "ms", "", "1e3ms", "1,5s", "1.s", "nan s"])
def test_a_duration_without_a_known_unit_is_refused_with_an_example(text):
    with pytest.raises(InputError, match=r"^latency is .*; allowed: a number and one of ns, us, .*, for example '100ms' or '10m'$"):
        duration_ns(text, name="latency")


@pytest.mark.parametrize("text", ["0.5ns", "1.0000000001s", "1.0000000000000000000000000000000000001s"])
def test_a_fraction_of_a_nanosecond_is_refused_however_small(text):
    with pytest.raises(InputError, match="not a whole number of nanoseconds"):
        duration_ns(text)


@pytest.mark.parametrize("duration", [-1, True, "1000000d", 2**63, "99999999999999999999999999999s"])
def test_durations_that_no_64_bit_clock_can_count_are_refused(duration):
    with pytest.raises(InputError, match=f"^every is {duration!r}; allowed: "):
        duration_ns(duration, name="every")


@given(st.integers(0, 2**63 - 1))
def test_every_nanosecond_survives_the_way_through_text(nanoseconds):
    assert duration_ns(f"{nanoseconds}ns") == duration_ns(nanoseconds) == nanoseconds
    assert duration_ns(f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}s") == nanoseconds


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (250_000, "250 µs"),
        (1_500_000_000, "1.5 s"),
        (-1_270_000_000, "-1.27 s"),
        (90_000_000_000, "1.5 min"),
        (23_400_000_000_000, "6.5 h"),
        (172_800_000_000_000, "2 d"),
    ],
)
def test_durations_are_shown_in_the_unit_in_which_they_read_well(nanoseconds, text):
    assert duration_text(nanoseconds) == text


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (1_723_161_256_299_000_001, "2024-08-08 23:54:16.299000001Z"),
        (0, "1970-01-01 00:00:00.000000000Z"),
        (-1, "1969-12-31 23:59:59.999999999Z"),
        (2**63 - 1, "2262-04-11 23:47:16.854775807Z"),
    ],
)
def test_times_show_every_nanosecond_in_utc(ns, text):
    assert time_text(ns) == text
    assert time_text(np.int64(ns)) == text


@pytest.mark.parametrize("value", ["0.1", 0.1, Decimal("0.1"), "1e-1", np.float64(0.1), np.float32(0.1)])
def test_a_tenth_is_a_tenth_whoever_writes_it(value):
    assert exact_decimal(value) == Decimal("0.1")


@pytest.mark.parametrize("value", ["abc", "", "0,1", None, True, "0x10", [1], float("nan"), "inf", "sNaN", Decimal("-Infinity")])
def test_what_is_not_a_finite_number_is_refused_by_name(value):
    with pytest.raises(InputError, match=r"^tick_size is .*; allowed: a (decimal|finite) number"):
        exact_decimal(value, name="tick_size")


@pytest.mark.parametrize("value", ["1e999999999", "1e-999999999", "1e29", "0." + "3" * 40])
def test_numbers_that_no_market_writes_are_refused_before_anybody_calculates_with_them(value):
    with pytest.raises(InputError, match=r"^price is .*; allowed: "):
        exact_decimal(value, name="price")


decimals = st.decimals("-1e9", "1e9", places=8, allow_nan=False)


@given(st.integers(-(10**12), 10**12), st.decimals("0.00000001", "1000", places=8))
def test_a_whole_number_of_steps_is_counted_exactly(steps, step):
    assert whole_steps(steps * step, step) == steps
    assert whole_steps(str(steps * step), step) == steps


@given(decimals, st.decimals("0.00000001", "1000", places=8))
def test_a_number_is_either_a_multiple_of_the_step_or_refused(value, step):
    exact = Fraction(value) / Fraction(step)
    if exact.denominator == 1:
        assert whole_steps(value, step) == exact
    else:
        with pytest.raises(InputError):
            whole_steps(value, step)


def test_the_refusal_names_value_step_and_the_nearest_multiple_below():
    with pytest.raises(InputError) as caught:
        whole_steps("100.005", Decimal("0.01"), name="price", step_name="tick size")
    assert str(caught.value) == "price is 100.005, which is not a multiple of the tick size 0.01; the nearest below is 100"
    with pytest.raises(InputError, match=r"the nearest below is -0\.3$"):
        whole_steps("-0.25", Decimal("0.1"))


def test_a_hair_beside_a_multiple_is_not_a_multiple():
    with pytest.raises(InputError, match="not a multiple"):
        whole_steps("0.3000000000000000000000000001", Decimal("0.3"))
    with pytest.raises(InputError, match="not a multiple"):
        whole_steps(0.1 + 0.2, Decimal("0.1"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-12-25T23:00", 1_703_545_200_000_000_000),
        ("2023-12-25 23:00:00Z", 1_703_545_200_000_000_000),
        ("2023-12-25T18:00:00-05:00", 1_703_545_200_000_000_000),
        ("2023-12-25T23:00:00.000000001", 1_703_545_200_000_000_001),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("10m", 600_000_000_005),
    ],
)
def test_a_moment_is_a_time_or_a_duration_from_the_beginning(text, expected):
    assert moment_ns(text, 5) == expected


@given(st.integers(0, 2**62))
def test_a_time_that_was_written_is_read_again(ns):
    assert moment_ns(time_text(ns), 0) == ns


@pytest.mark.parametrize("text", ["", "noon", "2023-13-01T00:00", "2023-12-25T25:00", "10", "2023-12-25"])
def test_what_is_no_moment_is_refused_with_an_example(text):
    with pytest.raises(InputError, match="start is"):
        moment_ns(text, 0)
