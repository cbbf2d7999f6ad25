"""From the numbers that stand in files to whole ticks and lots, exactly and fast.

Where you are in the pipe: file -> *numbers* -> events. Decimal text is never turned into binary floating point: its digits are
scaled as integers (some 20 ns per number), and a number between two steps is refused with its place, never rounded. Binary
floats, where a format has nothing else, are taken for the decimal number that they are nearest to, within four units in their last
place (0.1 × 3 is 0.3), and refused otherwise.
"""

import math
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = ["Ints", "Unusable", "infer_step", "steps_of", "unusable_text"]

Ints = npt.NDArray[np.int64]

MALFORMED, OFF_GRID, TOO_LARGE = 1, 2, 3
_LIMIT = 1 << 62
_TEN = np.array([10**power for power in range(19)], np.int64)
_MOST_EXPONENT = 400
_MOST_SHOWN = 60  # letters of a value in a message; no number of 64 bits has as many


class Unusable(NamedTuple):
    """The first number that is not a whole number of steps."""

    place: int  # which of them, from 0
    value: str
    code: int  # MALFORMED, OFF_GRID or TOO_LARGE


def unusable_text(found: Unusable, what: str, step: Decimal, step_name: str) -> str:
    """Return the sentence that says what is wrong with a number; *what* and *step_name* as in ``"price"`` and ``"tick size"``."""
    if found.code == OFF_GRID:
        return f"{what} is {found.value}, which is not a multiple of the {step_name} {step:f}"
    if found.code == TOO_LARGE:
        return f"{what} is {found.value}, which has more digits or steps of {step:f} than can be counted in 64 bits"
    return f"{what} is {found.value!r}; expected a decimal number"


def _scaled(mantissa: Any, exponent: int, unit: int) -> tuple[Any, int]:
    """Return (mantissa × 10^exponent / unit, 0), or (0, code) where that is not a whole number below 2^62."""
    if mantissa == 0:
        return mantissa, 0
    if exponent >= 0:
        if exponent > 18 or mantissa > _LIMIT // _TEN[exponent]:
            return np.int64(0), TOO_LARGE
        value = mantissa * _TEN[exponent]
    else:
        if exponent < -18 or mantissa % _TEN[-exponent] != 0:
            return np.int64(0), OFF_GRID
        value = mantissa // _TEN[-exponent]
    if value % unit != 0:
        return np.int64(0), OFF_GRID
    return value // unit, 0


scaled = compiled(_scaled)


def _exponent_of(text: Any, position: int) -> tuple[int, int]:
    """Read what follows an ``e``; return (exponent, next position), the position -1 where there is no number."""
    negative = False
    if position < len(text) and (text[position] == 43 or text[position] == 45):
        negative = text[position] == 45
        position += 1
    exponent, digits = 0, 0
    while position < len(text) and 48 <= text[position] <= 57:
        exponent = min(exponent * 10 + int(text[position]) - 48, _MOST_EXPONENT)
        digits += 1
        position += 1
    return (-exponent if negative else exponent), (position if digits > 0 else -1)


exponent_of = compiled(_exponent_of)


def _one_number(text: Any, position: int, scale: int, unit: int) -> tuple[Any, int, int]:
    """Read one number that begins at *position*; return (steps, next position, code)."""
    negative, mantissa, digits, decimals, zeros, exponent, in_fraction = False, np.int64(0), 0, 0, 0, 0, False
    if position < len(text) and (text[position] == 43 or text[position] == 45):  # + -
        negative = text[position] == 45
        position += 1
    while position < len(text) and text[position] != 10:
        letter = np.int64(text[position])
        position += 1
        if 48 <= letter <= 57:
            digits += 1
            if letter == 48 and in_fraction:  # zeros at the end of a fraction say nothing: keep them back
                zeros += 1
                continue
            if mantissa > 0 and (zeros > 17 or mantissa > (_LIMIT - 9) // _TEN[zeros + 1]):
                return mantissa, position, TOO_LARGE
            mantissa = (mantissa * _TEN[zeros + 1] if mantissa > 0 else mantissa) + letter - 48
            decimals += zeros + 1 if in_fraction else 0
            zeros = 0
        elif letter == 46 and not in_fraction:  # .
            in_fraction = True
        elif (letter == 69 or letter == 101) and digits > 0:  # noqa: PLR1714 - E e
            exponent, position = exponent_of(text, position)
            if position < 0 or (position < len(text) and text[position] != 10):
                return mantissa, 0, MALFORMED
        else:
            return mantissa, position, MALFORMED
    if digits == 0:
        return mantissa, position, MALFORMED
    steps, code = scaled(mantissa, exponent - decimals + scale, unit)
    return (-steps if negative else steps), position, code


one_number = compiled(_one_number)


def _parse_steps(text: Any, scale: int, unit: int, steps: Any) -> tuple[int, int]:
    """Read numbers that stand on lines of their own into *steps*; a step is unit × 10^-scale.

    Returns (how many were read, 0), or (index, code) of the first that is not a whole number of steps.
    """
    position = 0
    for index in range(len(steps)):
        number, position, code = one_number(text, position, scale, unit)
        if code != 0:
            return index, code
        steps[index] = number
        position += 1  # the end of the line
    return len(steps), 0 if position == len(text) + 1 else MALFORMED


parse_steps = compiled(_parse_steps)


def _unit_and_scale(step: Decimal) -> tuple[int, int]:
    """Return (u, s), integers with step = u × 10^-s."""
    scale = max(0, -int(step.as_tuple().exponent))
    unit = int(step.scaleb(scale))
    if not 0 < unit < _LIMIT or scale > 18:
        raise InputError(f"step is {step}; allowed: above 0, with at most 18 decimals")
    return unit, scale


def steps_of(values: pl.Series, step: Decimal, count_of: Decimal = Decimal(1)) -> tuple[Ints, Unusable | None]:
    """Return *values* divided by *step* as integers, and the first value for which that is not a whole number.

    Args:
        values: decimal numbers as text (``1.50``, ``-2``, ``1e-05``; no spaces), floats, or integers. Missing values are malformed.
        step: tick or lot size.
        count_of: what integers count.
    """
    if values.dtype.is_integer():
        return _integer_steps(values.to_numpy(), step, count_of)
    unit, scale = _unit_and_scale(step)
    if values.dtype == pl.Float64:
        return _float_steps(values.to_numpy(), unit, scale)
    steps = np.zeros(len(values), np.int64)
    if len(values) == 0:
        return steps, None
    text = np.frombuffer(values.fill_null("").str.join("\n").item().encode(), np.uint8)
    index, code = parse_steps(text, scale, unit, steps)
    if code == 0:
        return steps, None
    if index == len(steps):  # a line end inside a value: the numbers are on the wrong lines from there on
        index = next(i for i, value in enumerate(values.to_list()) if value is not None and "\n" in value)
    return steps, Unusable(int(index), str(values[int(index)] or "")[:_MOST_SHOWN], int(code))


def _float_steps(values: npt.NDArray[np.float64], unit: int, scale: int) -> tuple[Ints, Unusable | None]:
    power = float(10**scale)
    with np.errstate(all="ignore"):  # what is not finite is found below
        counts = np.rint(values * power / unit)
        nearest = counts * unit / power
        small = np.abs(counts) < 2**53
        on_grid = np.abs(values - nearest) <= 4 * np.spacing(np.abs(nearest))
    bad = np.flatnonzero(~(small & on_grid))
    if len(bad) == 0:
        return counts.astype(np.int64), None
    index = int(bad[0])
    value = float(values[index])
    code = MALFORMED if not math.isfinite(value) else OFF_GRID if small[index] else TOO_LARGE
    return np.zeros(len(values), np.int64), Unusable(index, repr(value), code)


def _integer_steps(values: npt.NDArray[Any], step: Decimal, count_of: Decimal) -> tuple[Ints, Unusable | None]:
    """Return ``values * count_of / step``: a fraction in lowest terms, so that nothing is larger than it has to be."""
    multiply, divide = (Fraction(count_of) / Fraction(step)).as_integer_ratio()
    limit = _LIMIT // multiply
    counts = values // divide
    too_large = (counts > limit) | (counts < -limit)
    bad = np.flatnonzero(too_large | (values % divide != 0))
    if len(bad) == 0:
        return counts.astype(np.int64) * multiply, None
    index = int(bad[0])
    code = TOO_LARGE if too_large[index] else OFF_GRID
    return np.zeros(len(values), np.int64), Unusable(index, f"{int(values[index]) * count_of:f}", code)


_VENUE_STEPS = [Decimal(digits) for digits in ("5", "2.5", "2", "1")]
_BINARY_STEPS = [Decimal(1) / 2**power for power in range(1, 10)]  # bonds move in 1/64 and finer


def infer_step(columns: Sequence[pl.Series]) -> Decimal | None:
    """Return the largest step of a kind that venues use (1, 2, 2.5, 5 times a power of ten; 1/2 ... 1/512) that divides all values.

    Zeros and what is not a number are left out; None where nothing is left. Floats count with 12 significant digits.
    """
    texts = [f"{value:.12g}" if isinstance(value, float) else value for column in columns for value in column[:500].drop_nulls()]
    step = _common_step(texts)
    if step is None:
        texts = [str(value) for column in columns for value in column.drop_nulls()]
        step = _common_step(texts)
    for column in columns:  # the compiled parser finds the few values that the first ones did not speak for
        while step is not None:
            found = steps_of(column, step)[1]
            if found is None or found.code != OFF_GRID:
                break
            texts.append(f"{float(found.value):.12g}" if column.dtype == pl.Float64 else found.value)
            finer = _common_step(texts)
            if finer == step:
                break
            step = finer
    return step


def _common_step(texts: list[str]) -> Decimal | None:
    """Return the largest usual step that divides all of a few numbers."""
    common, exponent = 0, 0
    for text in set(texts):
        number = _decimal_or_zero(text)
        if number == 0:
            continue
        below = int(number.normalize().as_tuple().exponent)
        if below < exponent:
            common, exponent = common * 10 ** (exponent - below), below
        common = math.gcd(common, int(number.scaleb(-exponent)))
    return _venue_step(Decimal(common).scaleb(exponent)) if common else None


def _decimal_or_zero(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() and -18 <= number.adjusted() <= 18 and len(number.as_tuple().digits) <= 24 else Decimal(0)


def _venue_step(divisor: Decimal) -> Decimal:
    """Return the largest usual step that divides *divisor*."""
    found: list[Decimal] = [step for step in _BINARY_STEPS if divisor % step == 0][:1]
    power = divisor.adjusted()
    while True:
        found += [step.scaleb(power) for step in _VENUE_STEPS if divisor % step.scaleb(power) == 0]
        if found and max(found) >= Decimal(1).scaleb(power):
            step = max(found).normalize()
            return step if int(step.as_tuple().exponent) <= 0 else step.quantize(Decimal(1))
        power -= 1
