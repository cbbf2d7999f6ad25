"""Several recordings as one of several markets: numbered one after the other, their events merged by our clock.

Where you are in the pipe: recordings in memory (`recording`) or streamed (`streaming`) -> *merged* -> events -> replay.

Each recording keeps the correction of its clocks that it was read with: by default its own smallest latency is taken for 0.5 ms.
What was recorded by one machine shares our clock, and so its offset: ``one_clock=True`` takes one offset for all, the smallest,
so that what arrived first here also does so in the replay. It then rests on the exchanges' clocks being together, which nothing in
the files can prove; both rules are stated in the facts.

Of events that arrived at the same nanosecond those of the recording that was named first come first. Where one recording ends,
so does the whole: a strategy would go on to quote by a book that stands still. ``tails=True`` keeps what the others have then.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from twosided.data.overview import pieces
from twosided.data.recording import Recording
from twosided.data.streaming import StreamedRecording
from twosided.errors import InputError
from twosided.market.event import EVENT, Events
from twosided.market.instrument import Instrument
from twosided.market.merge import markets_in_exchange_order
from twosided.market.survey import Survey
from twosided.units import duration_text, time_text

__all__ = ["MOST_MARKETS", "CombinedRecording", "combine"]

MOST_MARKETS = 256
"""An event has one byte for its market."""

_FOREVER = (1 << 63) - 1


@dataclass(frozen=True)
class CombinedRecording:
    """What `combine` returns: `replay` takes it as it takes a `Recording`.

    Attributes:
        parts: the recordings, in the order of their markets.
        instruments: one per market.
        shifts_ns: what is added to the local times of each part so that all have one clock; zeros without ``one_clock``.
        one_clock, tails: whether that was asked for.
    """

    parts: tuple[Recording | StreamedRecording, ...] = field(repr=False)
    instruments: tuple[Instrument, ...]
    shifts_ns: tuple[int, ...]
    one_clock: bool
    tails: bool

    def chunks(self) -> Iterator[Events]:
        """Yield the events in the order of our clock: all at once where all parts are in memory, else as far as each was read."""
        if self._in_memory:
            yield self._events
        else:
            yield from self._read()

    @property
    def events(self) -> Events:
        """All events in the order of our clock.

        Raises:
            AttributeError: a part is streamed, so they are not in memory.
        """
        if not self._in_memory:
            raise AttributeError("events of a streamed recording are not in memory; iterate over chunks()")
        return self._events

    def in_exchange_order(self) -> Events | None:
        """Return all events by exchange time, at one instant by market, kept once found; None where they are not in memory."""
        return self._ordered if self._in_memory else None

    @property
    def _in_memory(self) -> bool:
        return all(isinstance(part, Recording) for part in self.parts)

    @cached_property
    def _ordered(self) -> Events:
        return markets_in_exchange_order(self._events, len(self.instruments))

    @cached_property
    def _events(self) -> Events:
        return np.concatenate(list(self._read()))

    def _read(self) -> Iterator[Events]:
        """Yield the events of all parts until the end."""
        end = self.span_ns[1]
        for events in _merged([self._renumbered(number) for number in range(len(self.parts))]):
            cut = int(np.searchsorted(events["local_ns"], end, side="right"))
            if cut:
                yield events[:cut]
            if cut < len(events):
                return

    def _renumbered(self, number: int) -> Iterator[Events]:
        """Yield copies of a part's events, in pieces, with its markets and times as they are in the whole."""
        part = self.parts[number]
        first = sum(len(each.instruments) for each in self.parts[:number])
        for chunk in part.chunks():
            for piece in pieces(chunk) if isinstance(part, Recording) else (chunk,):
                events = piece.copy()
                events["market"] += first
                events["local_ns"] += self.shifts_ns[number]
                if len(events):
                    yield events

    def survey(self) -> Survey:
        """Return what a replay must know before it begins, from what is known of the parts: nothing is read for it.

        So events that the end cuts off are counted. Whether exchanges' times run backwards in the merged order is not looked up:
        with several parts they are taken to.
        """
        surveys = [part.survey() for part in self.parts]
        shifted = list(zip(surveys, self.shifts_ns, strict=True))
        return Survey(
            events=sum(each.events for each in surveys),
            local_backwards=sum(each.local_backwards for each in surveys),
            exch_backwards=sum(each.exch_backwards for each in surveys) + len(surveys) - 1,
            shortest_ns=min(each.shortest_ns + shift for each, shift in shifted),
            longest_ns=max(each.longest_ns + shift for each, shift in shifted),
            most_market=len(self.instruments) - 1,
            kinds=tuple(kinds for each in surveys for kinds in each.kinds),
            most_ticks=tuple(ticks for each in surveys for ticks in each.most_ticks),
            most_lots=tuple(lots for each in surveys for lots in each.most_lots),
            moves_backwards=tuple(moves for each in surveys for moves in each.moves_backwards),
        )

    def facts(self) -> dict[str, Any]:
        """Return what a Run keeps about its data, ready for JSON: of all together, and of each part by itself."""
        each = [part.facts() for part in self.parts]
        defects = {name for facts in each for name in facts["defects"]}
        return {
            "names": [name for facts in each for name in facts["names"]],
            "format": ", ".join(dict.fromkeys(facts["format"] for facts in each)),
            "instruments": [instrument.model_dump(mode="json") for instrument in self.instruments],
            **{name: sum(facts[name] for facts in each) for name in ("events", "messages", "trades")},
            "start_ns": min(facts["start_ns"] for facts in each),
            "end_ns": max(facts["end_ns"] for facts in each),
            "clocks": self.clocks,
            "defects": {name: sum(facts["defects"].get(name, 0) for facts in each) for name in sorted(defects)},
            "notes": list(self.notes),
            "inferred": self.inferred,
            "recordings": each,
        }

    @property
    def clocks(self) -> str:
        """How the clocks of the parts were brought together, in a sentence."""
        if self.one_clock:
            return "one local clock: one offset for all recordings, the smallest of theirs"
        return "each recording's clocks were corrected by its own rule"

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of all parts, and what was left out at their ends."""
        end = self.span_ns[1]
        left_out = tuple(
            f"the last {duration_text(last - end)} of {_names(part)} are left out: another recording has ended before"
            for part, (_, last) in zip(self.parts, self._spans, strict=True)
            if last > end
        )
        return (*left_out, *(note for part in self.parts for note in part.notes))

    @property
    def inferred(self) -> str:
        """The sentences about steps that were inferred from the data."""
        return " ".join(part.inferred for part in self.parts if part.inferred)

    @property
    def span_ns(self) -> tuple[int, int]:
        """When the first event arrived, and when the whole ends, our clock."""
        firsts, lasts = zip(*self._spans, strict=True)
        return min(firsts), max(lasts) if self.tails else min(lasts)

    @property
    def overlap_ns(self) -> tuple[int, int]:
        """From when on, and until when, every part has events, our clock."""
        firsts, lasts = zip(*self._spans, strict=True)
        return max(firsts), min(lasts)

    @property
    def _spans(self) -> list[tuple[int, int]]:
        shifted = zip(self.parts, self.shifts_ns, strict=True)
        return [(part.span_ns[0] + shift, part.span_ns[1] + shift) for part, shift in shifted]

    def beginning(self, *, until_ns: int | None = None, most: int | None = None) -> Recording:
        """Return what had arrived before *until_ns*, our clock, and of that at most *most* events, as a recording in memory."""
        taken: list[Any] = [np.zeros(0, EVENT)]
        count = 0
        for events in self.chunks():
            cut = len(events) if until_ns is None else int(np.searchsorted(events["local_ns"], until_ns))
            taken.append(events[:cut])
            count += cut
            if cut < len(events) or (most is not None and count >= most):
                break
        first = self.parts[0]
        return Recording(np.concatenate(taken)[:most], self.instruments, first.clock_offset_ns, first.min_latency_ns)


def _names(part: Recording | StreamedRecording) -> str:
    return ", ".join(" ".join(filter(None, (instrument.symbol, instrument.venue))) for instrument in part.instruments)


def combine(
    recordings: Iterable[Recording | StreamedRecording], *, one_clock: bool = False, tails: bool = False
) -> CombinedRecording:
    """Return several recordings as one, in which the markets of each follow those of the one before.

    Args:
        recordings: what `load` and `stream` returned, of any formats and venues; where one is streamed, all are read as they are
            replayed.
        one_clock: they were recorded by one machine, so that one offset is right for all; see the module's text.
        tails: go on when one of them has ended, until the last one ends.

    Raises:
        InputError: none, more than `MOST_MARKETS` markets, the same market of the same venue twice, or no time that all have.
    """
    parts = tuple(recordings)
    if not parts:
        raise InputError("recordings is empty; allowed: at least one")
    instruments = tuple(instrument for part in parts for instrument in part.instruments)
    if len(instruments) > MOST_MARKETS:
        raise InputError(f"recordings have {len(instruments)} markets; allowed: up to {MOST_MARKETS}")
    names = [_names(part) for part in parts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two recordings are of {twice}; files that continue one another are one recording: load them together")
    smallest = min(part.clock_offset_ns for part in parts)
    shifts = tuple(part.clock_offset_ns - smallest if one_clock else 0 for part in parts)
    whole = CombinedRecording(parts, instruments, shifts, one_clock, tails)
    first, last = whole.overlap_ns
    if first > last:
        raise InputError(f"recordings have no time in common: one ends at {time_text(last)}, another begins at {time_text(first)}")
    return whole


def _merged(parts: list[Iterator[Events]]) -> Iterator[Events]:
    """Yield the events of *parts*, each in the order of our clock, in that order; of equal times those of earlier parts first.

    An event can go as soon as every part that goes on has shown a later one.
    """
    waiting: list[Events] = [next(part, np.zeros(0, EVENT)) for part in parts]
    goes_on = [len(events) > 0 for events in waiting]
    while any(goes_on):
        latest = [int(events["local_ns"][-1]) if more else _FOREVER for events, more in zip(waiting, goes_on, strict=True)]
        behind = int(np.argmin(latest))
        cuts = [int(np.searchsorted(events["local_ns"], latest[behind])) for events in waiting]
        if any(cuts):
            yield _in_order([events[:cut] for events, cut in zip(waiting, cuts, strict=True)])
        waiting = [events[cut:] for events, cut in zip(waiting, cuts, strict=True)]
        following = next(parts[behind], None)
        goes_on[behind] = following is not None
        if following is not None:
            waiting[behind] = np.concatenate([waiting[behind], following])
    if any(len(events) for events in waiting):
        yield _in_order(waiting)


def _in_order(parts: list[Events]) -> Events:
    events: Any = np.concatenate(parts)
    ordered: Events = events[np.argsort(events["local_ns"], kind="stable")]
    return ordered
