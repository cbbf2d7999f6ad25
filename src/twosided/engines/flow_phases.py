"""What changes in a generated market while it runs: phases, heartbeats, a feed that falls silent or slow.

Where you are in the pipe: a source of *events*, beside `twosided.engines.flow`. Phases change what people do; the other functions
change what reaches us of it, and leave the exchange's side alone.
"""

from typing import Any, Self, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from twosided.errors import InputError
from twosided.market.event import EVENT, Events, Flag, Kind, Status

__all__ = ["Phase", "silenced", "slowed", "with_heartbeats"]


class Phase(BaseModel):
    """What holds from a moment on; what is None stays as it was before.

    Names and units are those of `FlowSettings`, but for what only a phase has. While the market is not open nobody trades, but
    makers go on: the book finds its new place.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    at_s: float = Field(ge=0, description="when it begins, seconds since the opening")
    acts_per_second: float | None = Field(default=None, gt=0)
    volatility_ticks: float | None = Field(default=None, ge=0)
    impact_ticks: float | None = Field(default=None, ge=0)
    half_spread_ticks: float | None = Field(default=None, ge=0)
    trade_share: float | None = Field(default=None, gt=0, le=0.05)
    informed_share: float | None = Field(default=None, ge=0, le=1)
    resting_orders: int | None = Field(default=None, ge=20)
    drift_ticks: float | None = Field(default=None, description="of the efficient price, ticks per second")
    news_ticks: float = Field(default=0.0, description="the efficient price jumps by so much, and makers know it at once")
    crowd: float | None = Field(default=None, ge=-1, le=1, description="side of the uninformed: 1 all buy, -1 all sell, 0 balanced")
    status: Status | None = Field(default=None, description="what the venue says as it begins")

    @model_validator(mode="after")
    def _begins_in_order(self) -> Self:
        if self.status is not None and self.status not in (Status.OPEN, Status.HALT):
            raise ValueError(f"status is {self.status.name}; allowed: OPEN and HALT")
        return self


def with_heartbeats(events: Events, every_ns: int) -> Events:
    """Return *events* of one market with the venue's status said again every *every_ns*, between messages.

    So that the age of a feed is measured by its heart, not by a book that may have no reason to change.

    Raises:
        InputError: *every_ns* is not positive.
    """
    if every_ns <= 0:
        raise InputError(f"every_ns is {every_ns}; allowed: more than 0")
    exch = events["exch_ns"]
    beats = np.arange(exch[0] + every_ns, exch[-1] + 1, every_ns)
    places = np.searchsorted(exch, beats, "right")
    said = np.flatnonzero(events["kind"] == Kind.STATUS)
    latest = said[np.maximum(np.searchsorted(said, places, "left") - 1, 0)] if len(said) else None
    hearts = np.zeros(len(beats), EVENT)
    hearts["exch_ns"], hearts["kind"], hearts["flags"] = beats, Kind.STATUS, Flag.LAST_OF_MESSAGE
    hearts["lots"] = Status.OPEN if latest is None else events["lots"][latest]
    hearts["market"] = events["market"][0]
    least_ns = int((events["local_ns"] - exch).min())
    hearts["local_ns"] = np.maximum(events["local_ns"][places - 1], beats + least_ns)
    return cast("Events", np.insert(events, places, hearts))


def silenced(events: Events, from_ns: int, until_ns: int) -> Events:
    """Return *events* of which nothing reaches us between two moments of our clock; all of it comes at the end."""
    late = events.copy()
    hidden = (late["local_ns"] >= from_ns) & (late["local_ns"] < until_ns)
    late["local_ns"][hidden] = until_ns
    return late


def slowed(events: Events, factor: float) -> Events:
    """Return *events* that take *factor* times as long to reach us; messages do not overtake each other.

    Raises:
        InputError: a factor below 1.
    """
    if not factor >= 1:
        raise InputError(f"factor is {factor}; allowed: 1 or more")
    late = events.copy()
    taken: Any = (late["local_ns"] - late["exch_ns"]) * factor
    late["local_ns"] = np.maximum.accumulate(late["exch_ns"] + taken.astype(np.int64))
    return late
