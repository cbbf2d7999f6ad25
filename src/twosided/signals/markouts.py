"""Markouts of own fills as they come: how the mid moved since, at several horizons.

Where you are in the pipe: ... -> fills -> *signals* -> strategy: a strategy learns of its own adverse selection while it lasts.

The markout of a fill of side s at time t is s (M - m⁻): m⁻ the last mid strictly before t, M the last one at or before t + h, in
ticks; negative: picked off. It is known only when a mid later than t + h, or the clock, says that nothing came in between. So a
signal of horizon h is h old. `twosided.explain.markouts` is the same for a whole run, with bands.

State is one record for a strategy's memory (``memory={"markouts": MARKOUTS}``). Tell it of every mid with `see_mid`, of every own
fill with `see_fill`; read ``average[h]`` (of all fills), ``recent[h]`` (the last 20 weighing most) and ``count[h]``: 0 until a
fill's horizon has passed. Up to 512 fills may be waiting; of more, the oldest are ``lost`` to the horizons that have not passed.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = [
    "HORIZONS",
    "HORIZONS_NS",
    "MARKOUTS",
    "Markouts",
    "markouts_of",
    "see_fill",
    "see_mid",
    "set_horizons",
    "settle_markouts",
]

HORIZONS = 3
HORIZONS_NS = (1_000_000_000, 10_000_000_000, 60_000_000_000)
_WAITING = 512
_RECENT = 20

MARKOUTS = np.dtype(
    (
        np.record,
        [
            ("average", "f8", (HORIZONS,)),  # ticks
            ("recent", "f8", (HORIZONS,)),
            ("count", "i8", (HORIZONS,)),
            ("lost", "i8"),
            ("horizon_ns", "i8", (HORIZONS,)),  # state from here on; 1 s, 10 s, 1 min unless set otherwise
            ("following", "i8", (HORIZONS,)),  # number of the fill whose horizon passes next
            ("fills", "i8"),  # seen
            ("last_ns", "i8"),  # the last mid, and the last that came strictly before it
            ("last_mid", "f8"),
            ("mid_before", "f8"),
            ("fill_ns", "i8", (_WAITING,)),
            ("fill_side", "i8", (_WAITING,)),
            ("fill_mid", "f8", (_WAITING,)),
        ],
    )
)
"""Markouts of one market; zeroed at the start."""


def _set_horizons(row: Any, first_ns: int, second_ns: int, third_ns: int) -> None:
    """Choose the horizons, before the first fill."""
    row.horizon_ns[0], row.horizon_ns[1], row.horizon_ns[2] = first_ns, second_ns, third_ns


set_horizons = compiled(_set_horizons)


def _settle_markouts(row: Any, now_ns: int) -> None:
    """Count the fills whose horizons ended before *now_ns*: the last mid is the one that stood then."""
    for h in range(HORIZONS):
        while row.following[h] < row.fills:
            place = row.following[h] % _WAITING
            if row.fill_ns[place] + row.horizon_ns[h] >= now_ns:
                break
            markout = row.fill_side[place] * (row.last_mid - row.fill_mid[place])
            row.count[h] += 1
            row.following[h] += 1
            row.average[h] += (markout - row.average[h]) / row.count[h]
            row.recent[h] += (markout - row.recent[h]) / min(row.count[h], _RECENT)


settle_markouts = compiled(_settle_markouts)


def _see_mid(row: Any, now_ns: int, mid: float) -> None:
    """Take in the mid from *now_ns* on, in ticks."""
    settle_markouts(row, now_ns)
    if now_ns != row.last_ns:
        row.mid_before = mid if row.last_ns == 0 else row.last_mid
    row.last_ns, row.last_mid = now_ns, mid


see_mid = compiled(_see_mid)


def _see_fill(row: Any, ns: int, side: int) -> None:
    """Take in an own fill at *ns*, of which *side* is +1 for a purchase; after the first mid, and in the order of time."""
    settle_markouts(row, ns)
    if row.horizon_ns[0] == 0:
        set_horizons(row, HORIZONS_NS[0], HORIZONS_NS[1], HORIZONS_NS[2])
    for h in range(HORIZONS):
        if row.fills - row.following[h] >= _WAITING:
            row.following[h] += 1
            row.lost += 1
    place = row.fills % _WAITING
    row.fill_ns[place], row.fill_side[place] = ns, side
    row.fill_mid[place] = row.mid_before if row.last_ns == ns else row.last_mid
    row.fills += 1


see_fill = compiled(_see_fill)


class Markouts(NamedTuple):
    """Mean markout in ticks at each horizon, and of how many fills."""

    average: npt.NDArray[np.float64]
    fills: npt.NDArray[np.int64]


def _over_fills(mid_ns: Any, mid: Any, fill_ns: Any, side: Any, end_ns: int, state: Any) -> None:
    """Let mids and fills come in the order of time: a fill after the mids of its own instant."""
    row, seen = state[0], 0
    for i in range(fill_ns.shape[0]):
        while seen < mid_ns.shape[0] and mid_ns[seen] <= fill_ns[i]:
            see_mid(row, mid_ns[seen], mid[seen])
            seen += 1
        see_fill(row, fill_ns[i], side[i])
    while seen < mid_ns.shape[0] and mid_ns[seen] <= end_ns:
        see_mid(row, mid_ns[seen], mid[seen])
        seen += 1
    settle_markouts(row, end_ns + 1)


over_fills = compiled(_over_fills)


def markouts_of(
    mid_ns: npt.ArrayLike,
    mid: npt.ArrayLike,
    fill_ns: npt.ArrayLike,
    side: npt.ArrayLike,
    end_ns: int,
    horizons_ns: Sequence[int] = HORIZONS_NS,
) -> Markouts:
    """Return the mean markout of fills at three horizons; fills whose horizon lies beyond *end_ns* are left out.

    Args:
        mid_ns: from when on each mid stands, after 1970, in order, shape (n,).
        mid: ticks.
        fill_ns: of own fills, in order, none before the first mid, shape (m,).
        side: +1 bought, -1 sold.
        end_ns: of what was seen.
        horizons_ns: three, positive, rising.

    Raises:
        InputError: times that are not in order, or other horizons.
    """
    mids, fills = np.ascontiguousarray(mid_ns, np.int64), np.ascontiguousarray(fill_ns, np.int64)
    if np.any(np.diff(mids) < 0) or np.any(np.diff(fills) < 0) or (len(fills) and (not len(mids) or fills[0] < mids[0])):
        raise InputError("mid_ns or fill_ns runs backwards, or a fill comes before the first mid; allowed: times in order")
    if len(horizons_ns) != HORIZONS or not 0 < horizons_ns[0] <= horizons_ns[1] <= horizons_ns[2]:
        raise InputError(f"horizons_ns is {tuple(horizons_ns)}; allowed: {HORIZONS} that are positive and do not fall")
    state = np.zeros(1, MARKOUTS)
    set_horizons(state[0], *horizons_ns)
    over_fills(mids, np.ascontiguousarray(mid, np.float64), fills, np.ascontiguousarray(side, np.int64), end_ns, state)
    return Markouts(state["average"][0], state["count"][0])
