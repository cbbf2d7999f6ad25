"""Exact steps from the numbers that people write to the integers that engines count with, and back.

Times are nanoseconds since the epoch, UTC. Prices are integers in ticks, quantities integers in lots. Decimal strings are
never passed through binary floating point: ``"0.1"`` is one tenth.
"""

import math
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from twosided.errors import InputError

__all__ = [
    "NS_PER_SECOND",
    "duration_ns",
    "duration_text",
    "exact_decimal",
    "moment_ns",
    "time_text",
    "whole_steps",
]

NS_PER_SECOND = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86_400 * 10**9,
}
_MOST_DIGITS = 28
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zµ]+)\s*")


def duration_ns(text: str | int, *, name: str = "duration") -> int:
    """Parse ``"10m"``, ``"100ms"``, ``"1.5s"`` into nanoseconds; an integer is taken as nanoseconds.

    Raises:
        InputError: no unit, an unknown unit, a negative number, a fraction of a nanosecond, or 2^63 ns (292 years) and more.
    """
    if isinstance(text, int):
        if isinstance(text, bool) or not 0 <= text < 2**63:
            raise InputError(f"{name} is {text}; allowed: a number of nanoseconds from 0 to 2^63 - 1")
        return text
    match = _DURATION.fullmatch(text)
    if not match or match[2] not in _UNITS:
        raise InputError(f"{name} is {text!r}; allowed: a number and one of {', '.join(_UNITS)}, for example '100ms' or '10m'")
    nanoseconds = Fraction(match[1]) * _UNITS[match[2]]
    if nanoseconds.denominator != 1:
        raise InputError(f"{name} is {text!r}, which is not a whole number of nanoseconds")
    if nanoseconds >= 2**63:
        raise InputError(f"{name} is {text!r}; allowed: less than 292 years")
    return int(nanoseconds)


def duration_text(nanoseconds: int) -> str:
    """Format a duration in the largest unit in which it reads well: ``1.5 s``, ``250 µs``, ``6.5 h``."""
    for unit, size in (
        ("d", 86_400 * 10**9),
        ("h", 3600 * 10**9),
        ("min", 60 * 10**9),
        ("s", 10**9),
        ("ms", 10**6),
        ("µs", 10**3),
    ):
        if abs(nanoseconds) >= size:
            return f"{nanoseconds / size:.4g} {unit}"
    return f"{nanoseconds} ns"


def time_text(ns: int) -> str:
    """Format nanoseconds since the epoch as ``2024-08-08 23:54:16.299000000Z``: all digits, always UTC."""
    seconds, rest = divmod(int(ns), NS_PER_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest:09d}Z"


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?")


def moment_ns(text: str, after_ns: int, *, name: str = "start") -> int:
    """Parse a time, UTC unless it says otherwise (``"2023-12-25T23:00"``), or a duration after *after_ns* (``"10m"``).

    Raises:
        InputError: it is neither.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        try:
            return after_ns + duration_ns(text, name=name)
        except InputError:
            problem = f"{name} is {text!r}; allowed: a UTC time as '2023-12-25T23:00', or a duration from the beginning as '10m'"
            raise InputError(problem) from None
    try:
        whole = datetime.fromisoformat(match[1] + (match[3] or "Z"))
    except ValueError as error:
        raise InputError(f"{name} is {text!r}: {error}") from None
    return int(whole.timestamp()) * NS_PER_SECOND + int((match[2] or "").ljust(9, "0"))


def exact_decimal(value: str | float | Decimal, *, name: str = "value") -> Decimal:
    """Return the decimal number that a person meant: ``0.1`` and ``"0.1"`` are both exactly one tenth.

    Raises:
        InputError: not a number, NaN or infinite, 1e28 or more, or with more than 28 decimals: decimal arithmetic would round.
    """
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise InputError(f"{name} is {value!r}; allowed: a decimal number") from None
    if not number.is_finite():
        raise InputError(f"{name} is {value}; allowed: a finite number")
    if number and (number.adjusted() >= _MOST_DIGITS or int(number.as_tuple().exponent) < -_MOST_DIGITS):
        raise InputError(f"{name} is {value}; allowed: a number below 1e{_MOST_DIGITS} with at most {_MOST_DIGITS} decimals")
    return number


def whole_steps(value: str | float | Decimal, step: Decimal, *, name: str = "value", step_name: str = "step") -> int:
    """Return ``value / step`` where it is a whole number.

    Raises:
        InputError: *step* does not divide *value*.
    """
    number = exact_decimal(value, name=name)
    steps = Fraction(number) / Fraction(step)  # a decimal quotient is rounded: a hair beside a multiple would pass for one
    if steps.denominator != 1:
        below = math.floor(steps) * step
        raise InputError(
            f"{name} is {number}, which is not a multiple of the {step_name} {step}; the nearest below is {below.normalize():f}"
        )
    return int(steps)
