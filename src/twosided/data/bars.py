"""Bars and quotes that come over a network: what they are, how calls are limited, and what is said when there is none.

Where you are in the pipe: before it: bars are not events; calibration takes volatility from them. Sources are
`twosided.data.bars_ccxt` (needs the extra ``data``) and `twosided.data.bars_finnhub`, each loaded when it is asked for. Clock and
sleep are handed in, so that nothing here waits in a test.
"""

import csv
import io
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from twosided.data.store import Header, write_store
from twosided.errors import InputError
from twosided.market.event import EVENT, Events, Flag, Kind
from twosided.market.instrument import Instrument

__all__ = [
    "INTERVALS_S",
    "SIMULATED",
    "Bars",
    "Limiter",
    "Quote",
    "Throttled",
    "bars_of",
    "patiently",
    "synthetic_book",
    "write_book",
]

Floats = npt.NDArray[np.float64]
T = TypeVar("T")

INTERVALS_S = {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "1d": 86_400}
"""Lengths of bars that both sources know, s."""

SIMULATED = "the simulated market (`twosided demo`, `twosided simulate`)"
"""Where to go instead; nothing is ever put in the place of data that could not be had."""

_TRIES = 3
_MOST_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Bars:
    """Bars in the order of time.

    Args:
        source, symbol: where they are from.
        bar_s: their length, s.
        begin_ns: when each begins, UTC.
        open, high, low, close: prices.
        volume: base units.
    """

    source: str
    symbol: str
    bar_s: int
    begin_ns: npt.NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.begin_ns)

    def csv_text(self) -> str:
        """Return them as CSV; times are ns since the epoch, UTC."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["begin_ns", "open", "high", "low", "close", "volume"])
        columns = (self.begin_ns, self.open, self.high, self.low, self.close, self.volume)
        writer.writerows(zip(*(column.tolist() for column in columns), strict=True))
        return text.getvalue()


def bars_of(source: str, symbol: str, bar_s: int, rows: Sequence[Sequence[float]]) -> Bars:
    """Return bars out of rows of begin (s), open, high, low, close, volume, sorted, each begin once.

    Raises:
        InputError: no rows, or a row that is no bar.
    """
    table = np.array(sorted({row[0]: tuple(row) for row in rows}.values()), np.float64).reshape(-1, 6)
    if not len(table):
        raise InputError(f"{source} has no bars of {symbol} for that time")
    _, opened, high, low, closed, volume = table.T
    wrong = (
        ~np.all(np.isfinite(table), axis=1) | (low > np.minimum(opened, closed)) | (high < np.maximum(opened, closed)) | (low <= 0)
    )
    if np.any(wrong):
        raise InputError(f"{source}: {tuple(table[wrong][0].tolist())} is no bar of {symbol}; expected low <= open, close <= high")
    begin_ns = np.round(table[:, 0] * 1000.0).astype(np.int64) * 1_000_000
    return Bars(source, symbol, bar_s, begin_ns, opened, high, low, closed, volume)


# ---------------------------------------------------------------- limits


class Throttled(Exception):  # noqa: N818 - it is waited out, an error only when patience ends
    """The source asks to wait so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"asked to wait {seconds:g} s")
        self.seconds = seconds


@dataclass
class Limiter:
    """Lets at most *calls* pass in any *period_s* seconds."""

    calls: int
    period_s: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _passed: deque[float] = field(default_factory=deque)

    def wait(self) -> None:
        """Return when the next call may be made."""
        if len(self._passed) == self.calls:
            left = self._passed.popleft() + self.period_s - self.clock()
            if left > 0.0:
                self.sleep(left)
        self._passed.append(self.clock())

    def patience(self, seconds: float) -> None:
        """Wait as long as the source asks."""
        self.sleep(seconds)


def patiently(source: str, limiter: Limiter, call: Callable[[], T]) -> T:
    """Return what *call* returns, within the limit, and again after each wait that the source asks for.

    Raises:
        InputError: it asks a third time, or for more than two minutes.
    """
    for left in range(_TRIES - 1, -1, -1):
        limiter.wait()
        try:
            return call()
        except Throttled as asked:
            if not left or asked.seconds > _MOST_PATIENCE_S:
                raise InputError(
                    f"{source} takes no more calls now and asks to wait {asked.seconds:g} s; try again later"
                ) from None
            limiter.patience(asked.seconds)
    raise AssertionError("unreachable")


# ---------------------------------------------------------------- one quote


@dataclass(frozen=True)
class Quote:
    """A last price: not a book."""

    source: str
    symbol: str
    price: float
    ns: int


def synthetic_book(quote: Quote, *, levels: int = 10, lots: int = 100) -> tuple[Events, Instrument]:
    """Return a book made up around one price, a cent from level to level and as deep everywhere; its symbol says so.

    Only the price is the market's. Spread, depth and everything after are invented: for trying tools, not for judging strategies.
    """
    instrument = Instrument(symbol=f"{quote.symbol} (synthetic book)", tick_size="0.01", lot_size="1", venue="synthetic")  # type: ignore[arg-type]
    bid = round(quote.price * 100.0)
    if bid <= levels:
        raise InputError(f"{quote.symbol} is quoted at {quote.price}; a synthetic book of {levels} levels needs a higher price")
    rows = [(0, 0, 0, Kind.SNAPSHOT_BEGIN)]
    rows += [(side, bid - n if side > 0 else bid + 1 + n, lots, Kind.DEPTH) for n in range(levels) for side in (1, -1)]
    rows += [(0, 0, 0, Kind.SNAPSHOT_END)]
    events = np.zeros(len(rows), EVENT).view(np.recarray)
    events["exch_ns"], events["local_ns"], events["flags"] = quote.ns, quote.ns, Flag.SNAPSHOT
    for name, column in zip(("side", "ticks", "lots", "kind"), zip(*rows, strict=True), strict=True):
        events[name] = column
    events["flags"][-1] |= Flag.LAST_OF_MESSAGE
    return events, instrument


def write_book(quote: Quote, path: str | Path) -> Path:
    """Write `synthetic_book` as a recording, which names what it is made from."""
    events, instrument = synthetic_book(quote)
    note = f"synthetic: one quote of {quote.source}, {quote.symbol} at {quote.price}; spread and depth are made up"
    header = Header(
        instruments=(instrument,),
        events=len(events),
        clock_offset_ns=0,
        min_latency_ns=0,
        names=(f"synthetic book of {quote.symbol}",),
        source_format="synthetic",
        defects={},
        notes=(note,),
        inferred="",
    )
    return write_store(Path(path), header, iter([events]))
