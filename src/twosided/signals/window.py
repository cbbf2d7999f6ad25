"""Sums over the last second, or any span of time, of whole numbers: exact, in sixteen words, however much happens in it.

Where you are in the pipe: events -> book -> *signals* -> strategy.

Time is cut into sixteenths of the span, counted from 1970. A sum is over the present sixteenth and the fifteen before, so that it
covers between 15/16 and all of the span. Nothing is weighted; what leaves is subtracted in whole numbers, which leaves no error.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled

__all__ = ["PARTS", "WINDOW", "add_to_window", "move_window"]

PARTS = 16

WINDOW = np.dtype(
    (
        np.record,
        [
            ("up", "i8"),  # two sums over the window, such as of bought and sold lots
            ("down", "i8"),
            ("part", "i8"),  # number of the present sixteenth
            ("ups", "i8", (PARTS,)),
            ("downs", "i8", (PARTS,)),
        ],
    )
)
"""Two sums over the last sixteen sixteenths of a span of time; zeroed at the start."""


def _move_window(row: Any, now_ns: int, span_ns: int) -> None:
    """Let a `WINDOW` end now: what is older than the span leaves."""
    part = now_ns // (span_ns // PARTS)
    if part <= row.part:
        return
    gone = min(part - row.part, PARTS)
    for k in range(gone):
        place = (row.part + 1 + k) % PARTS
        row.up -= row.ups[place]
        row.down -= row.downs[place]
        row.ups[place] = row.downs[place] = 0
    row.part = part


move_window = compiled(_move_window)


def _add_to_window(row: Any, now_ns: int, span_ns: int, up: int, down: int) -> None:
    """Let a `WINDOW` end now, and add to its sums."""
    move_window(row, now_ns, span_ns)
    place = row.part % PARTS
    row.up += up
    row.down += down
    row.ups[place] += up
    row.downs[place] += down


add_to_window = compiled(_add_to_window)
