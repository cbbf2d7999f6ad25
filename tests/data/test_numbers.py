"""Numbers of files become whole steps exactly as decimal arithmetic says, or are refused with their place."""

import math
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twosided.data.numbers import MALFORMED, OFF_GRID, TOO_LARGE, infer_step, steps_of, unusable_text

STEPS = ["1", "0.1", "0.01", "0.25", "0.000001", "0.015625", "5", "100", "2.5"]


def naive(text, step):
    """Return (steps, code) by decimal arithmetic."""
    try:
        if set(text) - set("0123456789.+-eE"):  # Decimal also reads spaces, underscores, NaN and other scripts
            return None, MALFORMED
        value = Decimal(text)
    except InvalidOperation:
        return None, MALFORMED
    steps = value / Decimal(step)
    if steps != steps.to_integral_value():
        return None, OFF_GRID
    return (int(steps), 0) if abs(steps) < 2**62 else (None, TOO_LARGE)


number_texts = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**7), max_value=10**7).map(str),
    st.integers(-(10**9), 10**9).map(lambda i: f"{i / 100:.8f}"),
    st.integers(-(10**12), 10**12).map(str),
    st.text("0123456789.eE+-", max_size=8),
    st.text(max_size=5).filter(lambda text: "\n" not in text),
)


@pytest.mark.interpreted
@given(st.lists(number_texts, min_size=1, max_size=4), st.sampled_from(STEPS))
@example(["-0", "+1.0", "1e2", "1.e1", ".5e1", "0e-999"], "1")
@example(["1", "nan"], "1")
@example(["1", ""], "1")
@example(["9" * 30], "1")
def test_text_becomes_the_steps_that_decimal_arithmetic_says(texts, step):
    steps, bad = steps_of(pl.Series(texts, dtype=pl.String), Decimal(step))
    expected = [naive(text, step) for text in texts]
    place = next((i for i, (_, code) in enumerate(expected) if code), None)
    if place is None:
        assert bad is None
        assert steps.tolist() == [value for value, _ in expected]
    else:
        assert bad is not None
        assert bad.place == place
        assert bad.value == texts[place]
        assert (bad.code == MALFORMED) == (expected[place][1] == MALFORMED)


@pytest.mark.interpreted
def test_nothing_is_rounded():
    for text in ("100.15", "100.05000000001", "0.1499999999999999999"):
        assert steps_of(pl.Series([text]), Decimal("0.1"))[1].code in {OFF_GRID, TOO_LARGE}


@pytest.mark.interpreted
def test_trailing_zeros_cost_no_digits():
    steps, bad = steps_of(pl.Series(["123456789012.50000000000000000000"]), Decimal("0.5"))
    assert bad is None
    assert steps.tolist() == [246913578025]


def test_missing_and_split_values_are_malformed():
    assert steps_of(pl.Series([None, "1"], dtype=pl.String), Decimal(1))[1].place == 0
    found = steps_of(pl.Series(["1", "2\n3", "4"]), Decimal(1))[1]
    assert found is not None
    assert found.code == MALFORMED


@given(st.integers(-(10**9), 10**9), st.sampled_from(["0.1", "0.01", "0.25", "0.001", "5"]))
def test_floats_are_the_decimal_that_they_are_nearest_to(count, step):
    value = float(count * Decimal(step))
    noisy = [value, np.nextafter(value, math.inf), np.nextafter(value, -math.inf), count * float(step)]
    steps, bad = steps_of(pl.Series(noisy), Decimal(step))
    assert bad is None
    assert steps.tolist() == [count] * 4


@pytest.mark.parametrize(("value", "code"), [(math.nan, MALFORMED), (math.inf, MALFORMED), (0.15, OFF_GRID), (1e300, TOO_LARGE)])
def test_other_floats_are_refused(value, code):
    found = steps_of(pl.Series([1.0, value]), Decimal("0.1"))[1]
    assert (found.place, found.code) == (1, code)


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (["61800.20", "61800.10", "100"], "0.1"),
        (["61800.3"], "0.1"),  # one price says nothing about its digits: the largest usual step that divides it
        (["100", "300"], "100"),
        (["4.75", "4.50", "5"], "0.25"),
        (["0.015625", "0.03125"], "0.015625"),
        (["7", "14"], "1"),
        (["0.00", "nan", "x", "12.5"], "2.5"),
        (["1e-05", "3E-5"], "0.00001"),
    ],
)
def test_the_step_inferred_is_the_largest_usual_one_that_divides_all_values(values, step):
    assert infer_step([pl.Series(values)]) == Decimal(step)
    assert f"{infer_step([pl.Series(values)]):f}" == step


def test_a_step_is_inferred_from_values_far_into_the_column_too():
    assert infer_step([pl.Series(["5"] * 2000 + ["5.01"])]) == Decimal("0.01")
    assert infer_step([pl.Series(["0"] * 2000 + ["20"])]) == Decimal(20)


def test_floats_with_noise_show_their_step():
    assert infer_step([pl.Series([0.1 * 3, 0.7, 1e5 + 0.2])]) == Decimal("0.1")


def test_nothing_is_inferred_from_nothing():
    assert infer_step([]) is None
    assert infer_step([pl.Series(["0", "0.0"])]) is None


def test_the_sentence_names_value_and_step():
    found = steps_of(pl.Series(["100.15"]), Decimal("0.1"))[1]
    assert (
        unusable_text(found, "price", Decimal("0.1"), "tick size")
        == "price is 100.15, which is not a multiple of the tick size 0.1"
    )


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1)),
    st.sampled_from([Decimal(text) for text in ("1e-9", "1e-4", "1")]),
    st.sampled_from([Decimal(text) for text in ("0.01", "0.25", "0.03", "5")]),
)
def test_integers_that_count_something_become_whole_steps_or_the_first_that_does_not_is_named(values, count_of, step):
    steps, bad = steps_of(pl.Series(values, dtype=pl.Int64), step, count_of)
    exact = [Fraction(value) * Fraction(count_of) / Fraction(step) for value in values]
    usable = [each.denominator == 1 and abs(each) < 2**62 for each in exact]
    if bad is None:
        assert steps.tolist() == exact
    else:
        assert bad.place == usable.index(False)
        assert Decimal(bad.value) == Decimal(values[bad.place]) * count_of
