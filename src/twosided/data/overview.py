"""What a recording is like as a whole, gathered from its events piece by piece: times, counts, silences, the scale of money.

Where you are in the pipe: any source -> *looked over* -> a recording in memory (`recording`) or one that is streamed (`streaming`).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from twosided.market.event import Events, Flag, Kind
from twosided.market.instrument import Instrument
from twosided.units import duration_text

__all__ = ["Overview", "pieces"]

MOST_SILENCE = 0.1
"""A book that does not change for this share of the recording at its end is remarked on."""

_PIECE = 1 << 16
_MOVES = ~np.isin(np.arange(256), (Kind.TRADE, Kind.STATUS, Kind.FUNDING, Kind.BAND))
_LATEST = 1 << 62


def pieces(events: Events) -> Iterator[Events]:
    """Yield *events* in pieces that fit the processor's cache."""
    return (events[begin : begin + _PIECE] for begin in range(0, len(events), _PIECE))


class Overview:
    """What was seen so far of the recording of *instruments*."""

    def __init__(self, instruments: tuple[Instrument, ...]) -> None:
        self._instruments = instruments
        self.events = self.messages = self.trades = 0
        self.shortest_ns = _LATEST  # smallest local_ns - exch_ns
        self.start_ns, self.end_ns = _LATEST, -_LATEST  # exchange's clock
        self.first_local_ns = self.last_local_ns = 0  # our clock
        self._book_ns: dict[int, int] = {}
        self._most_ticks, self._most_lots = [0] * len(instruments), [0] * len(instruments)

    def see(self, events: Events) -> None:
        """Take in the next events, which are in the order of our clock."""
        if not len(events):
            return
        exch, local = events["exch_ns"], events["local_ns"]
        self.first_local_ns = self.first_local_ns if self.events else int(local[0])
        self.last_local_ns = int(local[-1])
        self.events += len(events)
        self.messages += int(np.count_nonzero(events["flags"] & Flag.LAST_OF_MESSAGE))
        self.shortest_ns = min(self.shortest_ns, int((local - exch).min()))
        self.start_ns, self.end_ns = min(self.start_ns, int(exch.min())), max(self.end_ns, int(exch.max()))
        moves, traded = _MOVES[events["kind"]], np.flatnonzero(events["kind"] == Kind.TRADE)
        self.trades += len(traded)
        for m in range(len(self._instruments)):
            trades = events[traded[events["market"][traded] == m]]
            self._most_ticks[m] = max(self._most_ticks[m], int(np.max(np.abs(trades["ticks"]), initial=0)))
            self._most_lots[m] = max(self._most_lots[m], int(np.max(trades["lots"], initial=0)))
            ours = (moves & (events["market"] == m))[::-1]
            if ours.any():
                self._book_ns[m] = int(local[len(events) - 1 - int(np.argmax(ours))])

    def require_headroom(self) -> None:
        """Prove that 64-bit integers can count money on the scale of the largest trade.

        Raises:
            InputError: they cannot; a coarser lot or tick is needed.
        """
        for instrument, ticks, lots in zip(self._instruments, self._most_ticks, self._most_lots, strict=True):
            instrument.require_headroom(ticks, lots)

    def silences(self) -> Iterator[str]:
        """Yield a sentence for each market whose book stands still for the last part of the recording, `MOST_SILENCE` or more."""
        for market, instrument in enumerate(self._instruments):
            silence = self.last_local_ns - self._book_ns.get(market, self.last_local_ns)
            if silence > MOST_SILENCE * (self.last_local_ns - self.first_local_ns):
                yield (
                    f"the book of {instrument.symbol} stands still for the last {duration_text(silence)} "
                    f"of {duration_text(self.last_local_ns - self.first_local_ns)}: what is quoted then is quoted blind"
                )

    def facts(self) -> dict[str, Any]:
        """Return counts and times, ready for JSON."""
        return {
            "instruments": [instrument.model_dump(mode="json") for instrument in self._instruments],
            "events": self.events,
            "messages": self.messages,
            "trades": self.trades,
            "start_ns": self.start_ns,
            "end_ns": self.end_ns,
        }
