"""Which format a file has, by its content, and how a `Source` is made of several.

Where you are in the pipe: *files* -> reader -> events. A file says what it is in its first bytes; its name says nothing.
The instrument comes from the file where the file knows it and from the user otherwise. Where neither states the tick or the lot
they are inferred from the head of the recording: the result says so in a sentence (`Source.inferred`), and a later price or size
that does not fit is an error.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date as calendar_date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from twosided.data.binance import BinanceReader, binance_start_ns, is_binance
from twosided.data.bybit import BybitReader, is_bybit
from twosided.data.capture import capture_start_ns
from twosided.data.coinbase import CoinbaseReader, is_coinbase
from twosided.data.databento import databento_reader, databento_start_ns, is_databento
from twosided.data.defects import Defects
from twosided.data.files import InputFile
from twosided.data.hftbacktest import HftbacktestReader, hftbacktest_start_ns, is_hftbacktest
from twosided.data.hyperliquid import HyperliquidReader, is_hyperliquid
from twosided.data.itch import ItchReader, is_itch, itch_start_ns
from twosided.data.kraken import KrakenReader, is_kraken
from twosided.data.lobster import LobsterReader, is_lobster, lobster_start_ns
from twosided.data.numbers import infer_step
from twosided.data.plain import PlainReader, is_plain, plain_start_ns
from twosided.data.raw import Raw, Reader, Settings
from twosided.data.source import RawSource, Source, Stream
from twosided.data.store import StoredSource, is_stored
from twosided.data.tardis import is_tardis, tardis_reader, tardis_start_ns
from twosided.errors import DataError, InputError, suggest
from twosided.market.event import Kind
from twosided.market.instrument import Fees, Instrument
from twosided.units import exact_decimal

__all__ = ["FORMATS", "Format", "open_source"]

_DEFINITION = "definition"  # the kind of file that describes instruments and is read beside others
_HEAD_MESSAGES = 1_000
_SIZED = (Kind.DEPTH, Kind.TRADE, Kind.ADD, Kind.MODIFY, Kind.CANCEL, Kind.FILL)  # events with a price and a size


class Format(NamedTuple):
    """One recorded format."""

    name: str
    what: str  # in words
    kind_of: Callable[[InputFile], str | None]  # which of its kinds of file this is; None: not this format
    start_ns: Callable[[InputFile], int]  # the first local time in a file
    reader: Callable[[str], Callable[[Settings], Reader]] | None  # of a kind of file; None: stored events, nothing to decide
    trades_inside: bool = False  # its books contain the trades: those are not read beside them
    needs_date: bool = False  # times in it are since midnight: the name says the day, or the user


FORMATS = (
    Format("bybit", "a capture of Bybit's streams, lines of JSON", is_bybit, capture_start_ns, lambda _kind: BybitReader),
    Format("coinbase", "a capture of Coinbase's streams", is_coinbase, capture_start_ns, lambda _kind: CoinbaseReader),
    Format("kraken", "a capture of Kraken's streams", is_kraken, capture_start_ns, lambda _kind: KrakenReader),
    Format("hyperliquid", "a capture of Hyperliquid's streams", is_hyperliquid, capture_start_ns, lambda _kind: HyperliquidReader),
    Format(
        "binance",
        "a capture of Binance's streams, lines of `<local ns> <json>`",
        lambda file: "" if is_binance(file.head) else None,
        binance_start_ns,
        lambda _kind: BinanceReader,
    ),
    Format("databento", "a DBN file of Databento", is_databento, databento_start_ns, databento_reader, trades_inside=True),
    Format("tardis", "a CSV file of Tardis.dev", is_tardis, tardis_start_ns, tardis_reader),
    Format("hftbacktest", "an npz file of hftbacktest", is_hftbacktest, hftbacktest_start_ns, lambda _kind: HftbacktestReader),
    Format("twosided", "a Parquet file of this package", is_stored, lambda _file: 0, None),
    Format(
        "itch",
        "messages of NASDAQ TotalView-ITCH 5.0, each behind its length",
        is_itch,
        itch_start_ns,
        lambda _kind: ItchReader,
        needs_date=True,
    ),
    Format(
        "lobster",
        "messages and order books of LOBSTER, a zip or CSV",
        is_lobster,
        lobster_start_ns,
        lambda _kind: LobsterReader,
        needs_date=True,
    ),
    Format("plain", "a CSV or Parquet file with the columns of this package", is_plain, plain_start_ns, lambda _kind: PlainReader),
)
"""What is recognised, in this order."""


def open_source(
    paths: str | Path | Iterable[str | Path],
    *,
    format: str | None = None,  # noqa: A002 - the word that users know it by
    symbol: str | None = None,
    tick_size: str | float | Decimal | None = None,
    lot_size: str | float | Decimal | None = None,
    fees: Fees | None = None,
    date: str | calendar_date | None = None,
) -> Source:
    """Return a `Source` of one file, or of several that continue one another (in any order).

    Args:
        paths: files; gzip is unpacked on the way.
        format: name of a format, where the files are not to be recognised by their content.
        symbol: which instrument to read where files hold several, and its name where they do not say.
        tick_size: price step; needed only where the files do not state it and it is not to be inferred.
        lot_size: quantity step, likewise.
        fees: what the venue charges.
        date: the day of times since midnight, ``"2019-12-30"``; needed only where a format has such times and no day in its name.

    Raises:
        DataError: a file is missing, empty, of no known format, or cannot be read.
        InputError: an argument that cannot be used.
    """
    files = [InputFile(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    if not files:
        raise InputError("paths is empty; expected at least one file")
    twice = next((file for i, file in enumerate(files) if any(file.path.samefile(other.path) for other in files[:i])), None)
    if twice is not None:
        raise InputError(f"paths names {twice.path} twice; expected every file once")
    tick, lot, day = _stated(tick_size, "tick_size"), _stated(lot_size, "lot_size"), _day(date)
    found = [_recognise(file, format) for file in files]
    known = found[0][0]
    for file, (other, _kind) in zip(files, found, strict=True):
        if other is not known:
            raise DataError(file.path, "", f"is {other.what}, but {files[0].name} is {known.what}; expected files of one format")
    if day is not None and not known.needs_date:
        raise InputError(f"date is {day}, but {known.what} holds its own dates; leave it out")
    if known.reader is None:
        return _stored(files, symbol, tick, lot, fees)
    beside = tuple(file for file, (_format, kind) in zip(files, found, strict=True) if kind == _DEFINITION)
    kinds = sorted({kind for _format, kind in found} - {_DEFINITION}, key=lambda kind: kind != "trades")
    if not kinds:
        raise DataError(files[0].path, "", "describes instruments and holds no events; name it beside the file that does")
    if len([kind for kind in kinds if kind != "trades"]) > 1:
        raise InputError(f"paths hold {' and '.join(kinds)}; expected one description of the book, and trades beside it")
    if known.trades_inside and len(kinds) > 1:
        raise InputError(f"paths hold {' and '.join(kinds)}; {kinds[1]} contains the trades: leave the others out")
    streams = []
    for kind in kinds:
        of_kind = [file for file, (_format, its) in zip(files, found, strict=True) if its == kind]
        if len(of_kind) > 1:
            of_kind.sort(key=known.start_ns)
        streams.append(Stream(tuple(of_kind), known.reader(kind), beside))
    head = _Head(tuple(streams), symbol, day, tick)
    instruments, inferred = head.instruments(symbol, tick, lot, fees)
    return RawSource(known.name, tuple(streams), instruments, inferred, symbol=symbol, day=day, tick_size=tick)


def _stored(files: list[InputFile], symbol: str | None, tick: Decimal | None, lot: Decimal | None, fees: Fees | None) -> Source:
    """Return a source of stored events, whose instruments are known; what the user states must agree, fees may be others."""
    source = StoredSource(files)
    for instrument in source.instruments:
        for name, stated, known in (
            ("symbol", symbol, instrument.symbol if len(source.instruments) == 1 else symbol),
            ("tick size", tick, instrument.tick_size),
            ("lot size", lot, instrument.lot_size),
        ):
            if stated is not None and stated != known:
                raise DataError(files[0].path, "", f"its {name} is {known}, not {stated}; the file states it, so leave it out")
    if fees is not None:
        source.instruments = tuple(instrument.model_copy(update={"fees": fees}) for instrument in source.instruments)
    return source


def _stated(value: str | float | Decimal | None, name: str) -> Decimal | None:
    if value is None:
        return None
    step = exact_decimal(value, name=name)
    if step <= 0:
        raise InputError(f"{name} is {step}; allowed: above 0")
    return step


def _day(value: str | calendar_date | None) -> calendar_date | None:
    if value is None or isinstance(value, calendar_date):
        return value
    try:
        return calendar_date.fromisoformat(value)
    except ValueError:
        raise InputError(f"date is {value!r:.60}; expected a day such as 2019-12-30") from None


def _recognise(file: InputFile, wanted: str | None) -> tuple[Format, str]:
    """Return the format of a file and which of its kinds it is."""
    names = [known.name for known in FORMATS]
    if wanted is not None and wanted not in names:
        raise InputError(f"format is {wanted!r}{suggest(wanted, names)}")
    for known in FORMATS:
        kind = known.kind_of(file)
        if kind is None:
            continue
        if wanted is not None and known.name != wanted:
            expected = next(each for each in FORMATS if each.name == wanted)
            raise DataError(file.path, "", f"is {known.what}; expected {expected.what}, as --format {wanted} says")
        return known, kind
    begin = file.head[:32].split(b"\n")[0]
    raise DataError(file.path, "", f"is of no known format (it begins with {begin!r}); known: {', '.join(names)}")


class _Head:
    """The first messages of a recording: what they say about the instrument."""

    def __init__(self, streams: tuple[Stream, ...], symbol: str | None, day: calendar_date | None, tick: Decimal | None) -> None:
        self.symbol, self.venue, self.currency, self.multiplier, self.messages = "", "", "USD", Decimal(1), 0
        self._name = streams[0].files[0].path
        self._prices: dict[int, list[pl.Series]] = {}
        self._sizes: dict[int, list[pl.Series]] = {}
        for stream in streams:
            self._survey(stream, Settings(symbol, Defects(), beside=stream.beside, day=day, tick_size=tick))

    def _survey(self, stream: Stream, settings: Settings) -> None:
        reader, messages = stream.reader(settings), 0
        for raw in _raws(reader, stream):
            messages += raw.messages
            for market in np.unique(raw.events["market"]).tolist():
                rows = np.flatnonzero((raw.events["market"] == market) & np.isin(raw.events["kind"], _SIZED))
                self._prices.setdefault(market, []).append(_texts_of(raw.prices.gather(rows), raw.unit))
                self._sizes.setdefault(market, []).append(_texts_of(raw.sizes.gather(rows), Decimal(1)))
            if messages >= _HEAD_MESSAGES:
                break
        self.messages += messages
        self.symbol, self.venue, self.currency, self.multiplier = reader.symbol, reader.venue, reader.currency, reader.multiplier
        self._tick, self._lot = reader.tick_size, reader.lot_size

    def instruments(
        self, symbol: str | None, tick: Decimal | None, lot: Decimal | None, fees: Fees | None
    ) -> tuple[tuple[Instrument, ...], str]:
        """Return the instruments, and the sentence about what was inferred ("" where nothing was)."""
        if not self._prices:
            raise DataError(self._name, "", "holds no events; expected changes of a book or trades")
        markets = max(self._prices) + 1
        tick, lot = tick or self._tick, lot or self._lot
        names = self._symbols(symbol, markets)
        instruments, inferred = [], []
        for market in range(markets):
            its_tick = tick or self._infer(self._prices.get(market, []), "tick")
            its_lot = lot or self._infer(self._sizes.get(market, []), "lot")
            instruments.append(
                Instrument(
                    symbol=names[market],
                    venue=self.venue,
                    currency=self.currency,
                    multiplier=self.multiplier,
                    tick_size=its_tick,
                    lot_size=its_lot,
                    fees=fees or Fees(),
                )
            )
            steps = [f"tick size {its_tick:f}"] * (tick is None) + [f"lot size {its_lot:f}"] * (lot is None)
            inferred.append(" and ".join(steps) + (f" of {names[market]}" if markets > 1 else ""))
        if tick is not None and lot is not None:
            return tuple(instruments), ""
        override = "--tick and --lot override" if tick is lot else f"--{'tick' if tick is None else 'lot'} overrides"
        sentence = (
            f"{', '.join(inferred)} inferred from the first {self.messages:,} messages, the file does not state them; {override}"
        )
        return tuple(instruments), sentence

    def _infer(self, columns: list[pl.Series], what: str) -> Decimal:
        step = infer_step(columns)
        if step is None:
            problem = f"does not state the {what} size, and its head has nothing to infer it from; state --{what}"
            raise DataError(self._name, "", problem)
        return step

    def _symbols(self, symbol: str | None, markets: int) -> list[str]:
        """Return a name per market: the file's, else the user's (comma-separated for several markets)."""
        names = (self.symbol or symbol or "unnamed").split(",")
        if markets == 1 or len(names) == markets:
            return names if len(names) == markets else [",".join(names)]
        if symbol is not None:
            raise InputError(f"symbol is {symbol!r}, but there are {markets} markets; expected as many names, separated by commas")
        return [f"{names[0]}-{market}" for market in range(markets)]


def _texts_of(values: pl.Series, unit: Decimal) -> pl.Series:
    """Return *values* as they are but for integers, which count *unit*: those become decimal texts."""
    if not values.dtype.is_integer():
        return values
    return pl.Series([f"{value * unit:f}" for value in values], dtype=pl.String)


def _raws(reader: Reader, stream: Stream) -> Iterator[Raw]:
    for file in stream.files:
        yield from reader.read(file)
    yield from reader.finish()
