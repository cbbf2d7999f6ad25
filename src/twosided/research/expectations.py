"""What a scenario expects of a quoter: a rule in words, a number that is measured, and the range that it should be in.

Where you are in the pipe: beside it: a `Watch` goes in, a `Check` comes out. A measurement that has nothing to look at says so in a
sentence, and the check is then "n/a": neither passed nor failed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from twosided.research.scenario_watch import Watch

__all__ = ["FAIL", "NOT_APPLICABLE", "PASS", "Check", "Expectation", "check"]

PASS, FAIL, NOT_APPLICABLE = "pass", "fail", "n/a"

Measure = Callable[[Watch], float | str]


@dataclass(frozen=True)
class Expectation:
    """One thing that is expected.

    Args:
        name: short, unique in its scenario.
        rule: in words, for people.
        measure: returns the number, or a sentence that says why there is none.
        low: the number should be at least this.
        high: at most this.
        unit: of the number.
    """

    name: str
    rule: str
    measure: Measure
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""


@dataclass(frozen=True)
class Check:
    """What became of an expectation: ``measured`` is None where there was nothing to measure, and ``remark`` says why."""

    expectation: str
    rule: str
    measured: float | None
    low: float
    high: float
    unit: str
    verdict: str
    remark: str = ""

    @property
    def found(self) -> str:
        """What was measured in words; why nothing was where that is so."""
        if self.measured is None:
            return self.remark
        if self.unit.startswith("of "):
            return f"{_text(100 * self.measured)} % {self.unit}"
        return f"{_text(self.measured)} {self.unit}".strip()

    @property
    def allowed(self) -> str:
        """The range in words."""
        ends = [f"{end:g}" for end in (self.low, self.high) if math.isfinite(end)]
        if self.low == self.high:
            return ends[0]
        if len(ends) == 2:
            return f"{ends[0]} to {ends[1]}"
        return ("≥ " if math.isfinite(self.low) else "≤ ") + ends[0]


def check(expectation: Expectation, watch: Watch) -> Check:
    """Measure what *expectation* is about, and judge it."""
    found = expectation.measure(watch)
    about = (expectation.low, expectation.high, expectation.unit)
    if isinstance(found, str):
        return Check(expectation.name, expectation.rule, None, *about, NOT_APPLICABLE, found)
    held = expectation.low <= found <= expectation.high
    return Check(expectation.name, expectation.rule, float(found), *about, PASS if held else FAIL)


def _text(value: float) -> str:
    """Return three digits, as 0.0986, 19.1 or 1,230."""
    if math.isinf(value):
        return "never" if value > 0 else "-inf"
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"
