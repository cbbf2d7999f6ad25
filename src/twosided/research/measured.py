"""A number with its 95 % interval.

Where you are in the pipe: research, on top of all rooms.
"""

import math
from dataclasses import dataclass

__all__ = ["TWO_SIDED_95", "Measured"]

TWO_SIDED_95 = 1.959964
"""97.5 % of a standard normal variate."""


@dataclass(frozen=True)
class Measured:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, relative_error: float) -> "Measured":
        """Return the interval of a positive number whose logarithm has the standard error *relative_error*."""
        factor = math.exp(TWO_SIDED_95 * relative_error)
        return cls(value, value / factor, value * factor)

    @classmethod
    def around(cls, value: float, error: float) -> "Measured":
        """Return the interval of a number of either sign with the standard error *error*."""
        return cls(value, value - TWO_SIDED_95 * error, value + TWO_SIDED_95 * error)

    def scaled(self, factor: float) -> "Measured":
        """Return the same in another unit; *factor* is positive."""
        return Measured(self.value * factor, self.low * factor, self.high * factor)

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.3g} to {self.high:.3g})"
