"""The trades of the last minutes, in a ring that forgets from its old end: what price bands are reckoned from.

Where you are in the pipe: inside *price bands*. A ring is an array of 64-bit integers, two for each trade: time and ticks. Its
length in trades is a power of two; kernels leave when `is_ring_full`, and `grow_ring` doubles it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled

__all__ = ["RING_FIELDS", "drop_oldest", "grow_ring", "is_ring_full", "new_ring", "newest_ticks", "ns_at", "push", "ticks_at"]

RING_FIELDS = [("first", "i8"), ("kept", "i8"), ("total_ticks", "i8")]
"""What the state of its user holds of a ring: index of the oldest trade, number of trades, sum of their prices."""

_FEWEST = 1024


def new_ring() -> npt.NDArray[np.int64]:
    """Return an empty ring."""
    return np.zeros(2 * _FEWEST, np.int64)


def grow_ring(ring: npt.NDArray[np.int64], state: Any) -> npt.NDArray[np.int64]:
    """Return a ring of twice the length with the same trades, oldest first."""
    trades = np.roll(ring.reshape(-1, 2), -int(state["first"]), axis=0)
    state["first"] = 0
    return np.concatenate([trades.reshape(-1), np.zeros_like(ring)])


def _is_ring_full(state: Any, ring: Any) -> bool:
    """Say whether there is no room for another trade."""
    return bool(2 * state.kept >= ring.shape[0])


is_ring_full = compiled(_is_ring_full)


def _ns_at(state: Any, ring: Any, place: int) -> int:
    """Return the time of the trade at *place*; 0 is the oldest."""
    return int(ring[(2 * (state.first + place)) & (ring.shape[0] - 1)])


ns_at = compiled(_ns_at)


def _ticks_at(state: Any, ring: Any, place: int) -> int:
    """Return the price of the trade at *place*; 0 is the oldest."""
    return int(ring[((2 * (state.first + place)) & (ring.shape[0] - 1)) + 1])


ticks_at = compiled(_ticks_at)


def _newest_ticks(state: Any, ring: Any) -> int:
    """Return the price of the newest trade; 0 where there is none."""
    return ticks_at(state, ring, state.kept - 1) if state.kept > 0 else 0


newest_ticks = compiled(_newest_ticks)


def _push(state: Any, ring: Any, ns: int, ticks: int) -> None:
    """Take in a trade; there must be room."""
    place = (2 * (state.first + state.kept)) & (ring.shape[0] - 1)
    ring[place], ring[place + 1] = ns, ticks
    state.kept += 1
    state.total_ticks += ticks


push = compiled(_push)


def _drop_oldest(state: Any, ring: Any) -> None:
    """Forget the oldest trade; there must be one."""
    state.total_ticks -= ticks_at(state, ring, 0)
    state.first = (state.first + 1) & (ring.shape[0] // 2 - 1)
    state.kept -= 1


drop_oldest = compiled(_drop_oldest)
