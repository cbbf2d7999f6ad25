"""The two streams of events that a replay reads, a window of each at a time.

Where you are in the pipe: *events* -> book -> signals -> strategy. The events of a recording come in the order of our clock, all at
once or in chunks. The exchange's clock may order them otherwise: an event can be put in its place there as soon as nothing that is
still to come can lie before it, and a recording's longest latency says when that is.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from twosided._random import Purpose, random_bits
from twosided.engines.settings import Latency
from twosided.errors import InputError
from twosided.execution.state import LATENCY_POINTS
from twosided.market.event import EVENT, Events, Flag
from twosided.market.instrument import Instrument
from twosided.market.merge import markets_in_exchange_order
from twosided.market.survey import Survey

__all__ = ["Feed", "Part", "Recorded", "latency_table"]


class Recorded(Protocol):
    """What `replay` needs of a recording; `twosided.Recording` is one, and `twosided.StreamedRecording` another."""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """One per market."""
        ...

    def chunks(self) -> Iterator[Events]:
        """Yield the events in the order of our clock, anew at each call."""
        ...

    def survey(self) -> Survey:
        """Return what one look over all of them finds."""
        ...

    def facts(self) -> dict[str, Any]:
        """Say what was read and which defects it had."""
        ...


@runtime_checkable
class BothOrders(Protocol):
    """A recording that keeps its events in both orders, so that not every replay has to find the exchange's."""

    def in_exchange_order(self) -> Events | None:
        """Return all events by exchange time, at one instant by market; None where they are not in memory."""
        ...


class Part(NamedTuple):
    """What comes next in both streams; the same array where one order serves both."""

    exch: Events
    local: Events
    is_last: bool


class Feed:
    """The streams of *recorded* with the feed latency that is asked for.

    Attributes:
        one_stream: both clocks see the events in one order.
        shared: they see at least the changes of books in one order, market by market, and no event before it happened.
    """

    def __init__(self, recorded: Recorded, found: Survey, latency: Latency, seed: int) -> None:
        self._recorded, self._found, self._latency, self._seed = recorded, found, latency, seed
        made = latency.kind != "recorded"  # such latencies keep the exchange's order and are never negative
        self.one_stream = made or found.exch_backwards == 0
        self.shared = made or (found.shortest_ns >= 0 and (self.one_stream or not any(found.moves_backwards)))

    def parts(self) -> Iterator[Part]:
        """Yield both streams from the beginning; the first part has events in both."""
        if self._latency.kind == "recorded":
            yield from self._paired()
            return
        in_order = (Part(part.exch, part.exch, part.is_last) for part in self._paired())
        yield from self._delayed(in_order) if self._latency.kind == "constant" else self._sampled(in_order)

    def _paired(self) -> Iterator[Part]:
        if isinstance(self._recorded, BothOrders) and (known := self._recorded.in_exchange_order()) is not None:
            (chunk,) = self._recorded.chunks()
            yield Part(known, chunk, is_last=True)
            return
        yield from _paired(self._recorded.chunks(), self._found)

    def _delayed(self, parts: Iterator[Part]) -> Iterator[Part]:
        for part in parts:
            events = part.exch.copy()
            events["local_ns"] = events["exch_ns"] + self._latency.ns
            if len(events) or part.is_last:
                yield Part(events, events, part.is_last)

    def _sampled(self, parts: Iterator[Part]) -> Iterator[Part]:
        """Draw the latency of each message from its market's; all come on one connection and do not overtake each other."""
        tables = [latency_table(self._latency, self._recorded, market) for market in range(len(self._recorded.instruments))]
        messages, arrived = 0, -(1 << 62)
        rest: Any = np.zeros(0, EVENT)
        for part in parts:
            whole = np.concatenate([rest, part.exch])
            ends = np.flatnonzero(whole["flags"] & Flag.LAST_OF_MESSAGE)
            cut = len(whole) if part.is_last else int(ends[-1]) + 1 if len(ends) else 0
            events, rest = whole[:cut], whole[cut:]
            numbers = range(messages, messages + len(ends))
            points = [int(random_bits(self._seed, Purpose.FEED_LATENCY, n)) & (LATENCY_POINTS - 1) for n in numbers]
            drawn = np.array(tables)[events["market"][ends], points]
            arrivals = np.maximum.accumulate(np.maximum(events["exch_ns"][ends] + drawn, arrived))
            if len(ends):
                messages, arrived = messages + len(ends), int(arrivals[-1])
            events["local_ns"] = arrived  # what follows the last whole message arrives with it
            events["local_ns"][: ends[-1] + 1 if len(ends) else 0] = np.repeat(arrivals, np.diff(ends, prepend=-1))
            if cut or part.is_last:
                yield Part(events, events, part.is_last)


def _paired(chunks: Iterator[Events], found: Survey) -> Iterator[Part]:
    """Yield *chunks*, which are in the order of our clock, with what they let us know of the exchange's."""
    waiting: list[Events] = []  # not yet in its place in the exchange's order
    chunk = next(chunks, None)
    while chunk is not None:
        following = next(chunks, None)
        if found.exch_backwards == 0:
            yield Part(chunk, chunk, following is None)
        else:
            ordered = markets_in_exchange_order(np.concatenate([*waiting, chunk]) if waiting else chunk, len(found.kinds))
            certain_ns = chunk["local_ns"][-1] - found.longest_ns
            cut = len(ordered) if following is None else int(np.searchsorted(ordered["exch_ns"], certain_ns, side="right"))
            waiting = [ordered[cut:]]
            yield Part(ordered[:cut], chunk, following is None)
        chunk = following


def latency_table(latency: Latency, recorded: Recorded, market: int) -> Any:
    """Return 1,024 quantiles of a latency in ns; one that is sampled is sampled from the messages of *market*.

    Raises:
        InputError: there are none.
    """
    if latency.kind == "constant":
        return np.full(LATENCY_POINTS, latency.ns, np.int64)
    measured = []
    for events in recorded.chunks():
        last = events[(events["flags"] & Flag.LAST_OF_MESSAGE != 0) & (events["market"] == market)]
        measured.append(last["local_ns"] - last["exch_ns"])
    in_order = np.sort(np.concatenate(measured))
    if not len(in_order):
        raise InputError(f"a latency of market {market} is sampled, but it has no messages; state a duration")
    points = ((np.arange(LATENCY_POINTS) + 0.5) / LATENCY_POINTS * len(in_order)).astype(np.int64)
    return np.maximum((in_order[points] * latency.factor).astype(np.int64), 0)
