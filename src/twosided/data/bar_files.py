"""Bars in files: prices of one instrument, each with the time at which it was known.

Where you are in the pipe: beside it: bars are not events; what compares prices of several instruments takes them.

Two kinds of files are read, plain or packed:

- **minute bars of QuantConnect's Lean**: ``20131007_quote.zip`` or ``…_trade.zip``, one a day, or the folder that holds them. A
  row is ``milliseconds since midnight, open, high, low, close, …``, of bid and ask in a quote file. Files of stocks are in
  1e-4 of a dollar and in New York's time, files of futures (a member for each contract) in dollars and in UTC: nothing in them
  says so, so the zone that was taken is in the notes, and can be given. Of quote bars the price is the mid at the close, which
  does not bounce between bid and ask; a folder of both is read for its quotes. Of futures the contract with most bars is taken.
- **CSV with a header**: a column ``begin_ns`` (UTC) or ``date``, and ``adj close`` or else ``close``.

A bar's price is known at its end, so that is its time.
"""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from twosided.data.files import InputFile
from twosided.errors import DataError, InputError, unreadable
from twosided.units import NS_PER_SECOND, duration_text

__all__ = ["PriceSeries", "holds_bars", "read_bars"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_LEAN = re.compile(r"(\d{8})_(quote|trade)\.zip")
_MEMBER = re.compile(r"\d{8}_([a-z0-9.]+)_minute_(?:quote|trade)(?:_(\d{6}))?\.csv")
_STOCK_ZONE, _FUTURE_ZONE = "America/New_York", "UTC"
_STOCK_UNIT = 1e-4
_MINUTE_NS = 60 * NS_PER_SECOND
_DATES = ("%Y-%m-%d", "%m/%d/%Y", "%Y%m%d")


@dataclass(frozen=True)
class PriceSeries:
    """Prices of one instrument.

    Attributes:
        name: of the instrument.
        known_ns: when each price was known, ns since the epoch, UTC, strictly increasing, shape (n,).
        prices: shape (n,).
        every_ns: the usual distance of two.
        notes: what was assumed, chosen and left out, a sentence each.
    """

    name: str
    known_ns: Integers
    prices: Floats
    every_ns: int
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.known_ns)


def holds_bars(path: str | Path) -> bool:
    """Say whether *path* looks like bars rather than recorded events: a folder, a Lean file, or a CSV file with a close."""
    path = Path(path)
    if path.is_dir() or _LEAN.fullmatch(path.name):
        return True
    if not path.is_file() or not re.search(r"\.csv(\.gz|\.zst)?$", path.name):
        return False
    return "close" in _header(InputFile(path).head)


def _header(head: bytes) -> list[str]:
    first = head.split(b"\n", 1)[0].decode(errors="replace")
    return [each.strip().strip('"').lower() for each in first.strip().lstrip("\ufeff").split(",")]


def read_bars(paths: Sequence[str | Path], *, zone: str | None = None) -> PriceSeries:
    """Return the prices of one instrument out of files (or a folder) that continue one another.

    Args:
        paths: of one kind; see the module's text.
        zone: of the times in Lean files, such as "UTC" or "America/New_York"; the vendor's usual one unless given.

    Raises:
        DataError: a file that is missing or is not what it claims to be; the message has its line.
        InputError: an unknown zone, or files of different kinds or instruments.
    """
    files = [file for path in map(Path, paths) for file in (_of_folder(path) if path.is_dir() else [path])]
    if not files:
        raise InputError("no file of bars is named")
    lean = [bool(_LEAN.fullmatch(file.name)) for file in files]
    if all(lean):
        return _read_lean(sorted(files, key=lambda file: file.name), zone)
    if any(lean) or len(files) > 1:
        raise InputError(f"{len(files)} files of bars are named; allowed: Lean's of one instrument, or one CSV file")
    if zone is not None:
        raise InputError(f"a zone ({zone}) is given for {files[0].name}; only Lean's files need one")
    return _read_csv(files[0])


def _of_folder(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if _LEAN.fullmatch(path.name))
    quotes = [path for path in found if "quote" in path.name]
    if not found:
        raise DataError(folder, "", "is a folder without bars; expected files like 20131007_quote.zip")
    return quotes or found


# ---------------------------------------------------------------- Lean


class _Counts(Counter[str]):
    """How many bars were left out, by the reason in words."""

    def notes(self, of: int) -> list[str]:
        return [f"{number:,} of {of:,} bars left out: {reason}" for reason, number in self.items() if number]


def _read_lean(files: Sequence[Path], zone: str | None) -> PriceSeries:
    kinds = {_LEAN.fullmatch(file.name)[2] for file in files}  # type: ignore[index]
    if len(kinds) > 1:
        raise InputError("files of quotes and of trades are named; allowed: one kind (quotes have no bounce)")
    contents = [_members(file) for file in files]
    symbols = {symbol for content in contents for symbol, _ in content}
    if len(symbols) != 1:
        raise InputError(f"the files hold {', '.join(sorted(symbols))}; allowed: one instrument")
    sizes = Counter[str]()
    for content in contents:
        for (_, contract), rows in content.items():
            sizes[contract] += len(rows)
    symbol, contract = symbols.pop(), max(sorted(sizes), key=lambda each: sizes[each])
    chosen = zone or (_FUTURE_ZONE if contract else _STOCK_ZONE)
    left_out, bars = _Counts(), 0
    times: list[int] = []
    prices: list[float] = []
    for file, content in zip(files, contents, strict=True):
        rows = content.get((symbol, contract), [])
        midnight = _midnight(file, chosen)
        bars += len(rows)
        for number, row in enumerate(rows, 1):
            price = _lean_price(file, number, row, left_out)
            if price is None:
                continue
            ns = _lean_ns(file, number, row[0], midnight)
            if times and ns <= times[-1]:
                left_out["their time does not come after that of the bar before"] += 1
                continue
            times.append(ns)
            prices.append(price if contract else price * _STOCK_UNIT)
    notes = [
        f"{symbol.upper()}: times are taken to be {chosen}"
        + ("" if zone else f", the vendor's for {'futures' if contract else 'stocks'}")
    ]
    if len(sizes) > 1:
        notes.append(f"{symbol.upper()}: contract {contract} of {', '.join(sorted(sizes))}, which has most bars")
    notes += left_out.notes(bars)
    name = f"{symbol.upper()} {contract}".strip()
    return _series(files[0], name, times, prices, tuple(notes))


def _members(file: Path) -> dict[tuple[str, str], list[list[str]]]:
    """Return the rows of each member by symbol and contract ("" where there is only one)."""
    if not file.is_file():
        raise unreadable(file)
    found: dict[tuple[str, str], list[list[str]]] = {}
    try:
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                match = _MEMBER.fullmatch(name)
                if not match:
                    raise DataError(file, name, "is no minute bars; expected a name like 20131007_spy_minute_quote.csv")
                text = archive.read(name).decode("ascii", errors="replace")
                found[match[1], match[2] or ""] = [row for row in csv.reader(io.StringIO(text)) if row]
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise DataError(file, "", f"is no zip archive that can be read: {error}") from None
    return found


def _midnight(file: Path, zone: str) -> datetime:
    try:
        where = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"zone is {zone!r}; allowed: a name such as UTC or America/New_York") from None
    try:
        return datetime.strptime(file.name[:8], "%Y%m%d").replace(tzinfo=where)
    except ValueError:
        raise DataError(file, "", f"{file.name[:8]} is no date") from None


def _lean_ns(file: Path, number: int, text: str, midnight: datetime) -> int:
    """Return the end of the bar that begins so many milliseconds after midnight: by the wall's clock, as the vendor counts."""
    try:
        begin_ms = int(text)
    except ValueError:
        begin_ms = -1
    if not 0 <= begin_ms < 86_400_000:
        raise DataError(file, f"line {number}", f"begins at {text!r}; expected milliseconds since midnight")
    seconds, rest_ms = divmod(begin_ms, 1000)
    hours, seconds = divmod(seconds, 3600)
    wall = midnight.replace(hour=hours, minute=seconds // 60, second=seconds % 60)
    return int(wall.timestamp()) * NS_PER_SECOND + rest_ms * 1_000_000 + _MINUTE_NS


def _lean_price(file: Path, number: int, row: list[str], left_out: _Counts) -> float | None:
    """Return the mid at the close of a quote bar, the close of a trade bar; None where there is none, which is counted."""
    if len(row) not in {6, 11}:
        raise DataError(file, f"line {number}", f"has {len(row)} columns; expected 6 (trades) or 11 (quotes)")
    needed = [row[4]] if len(row) == 6 else [row[4], row[9]]
    if not all(needed):
        left_out["one side has no quote"] += 1
        return None
    try:
        values = [float(each) for each in needed]
    except ValueError:
        raise DataError(file, f"line {number}", f"closes at {' / '.join(needed)}; expected prices") from None
    if not all(np.isfinite(value) and value > 0.0 for value in values):
        raise DataError(file, f"line {number}", f"closes at {' / '.join(needed)}; expected prices")
    if len(values) == 2 and values[0] > values[1]:
        left_out["bid above ask"] += 1
        return None
    return values[0] if len(values) == 1 else 0.5 * (values[0] + values[1])


# ---------------------------------------------------------------- CSV


def _read_csv(path: Path) -> PriceSeries:
    with InputFile(path).open() as stream:
        text = stream.read().decode("utf-8-sig", errors="replace")
    lines = text.splitlines()
    header = _header(lines[0].encode()) if lines else []
    time_name = next((name for name in ("begin_ns", "date") if name in header), None)
    price_name = next((name for name in ("adj close", "close") if name in header), None)
    if time_name is None or price_name is None:
        raise DataError(path, "line 1", f"has the columns {', '.join(header)}; expected begin_ns or date, and close")
    time_at, price_at = header.index(time_name), header.index(price_name)
    left_out = _Counts()
    times: list[int] = []
    prices: list[float] = []
    for number, row in enumerate(csv.reader(lines[1:]), 2):
        if not row:
            continue
        if len(row) != len(header):
            raise DataError(path, f"line {number}", f"has {len(row)} columns; expected {len(header)}")
        if row[price_at].strip().lower() in {"", "null", "nan"}:
            left_out["no price"] += 1
            continue
        ns, price = _csv_ns(path, number, row[time_at]), _csv_price(path, number, row[price_at])
        if times and ns <= times[-1]:
            raise DataError(
                path, f"line {number}", f"{row[time_at]} does not come after the row before; expected the order of time"
            )
        times.append(ns)
        prices.append(price)
    notes = [f"{price_name} of each bar", *left_out.notes(len(lines) - 1)]
    series = _series(path, path.name.split(".")[0], times, prices, tuple(notes))
    return PriceSeries(series.name, series.known_ns + series.every_ns, series.prices, series.every_ns, series.notes)


def _csv_ns(path: Path, number: int, text: str) -> int:
    if text.strip().isdigit() and len(text.strip()) > 8:
        return int(text)
    for form in _DATES:
        try:
            return int(datetime.strptime(text.strip(), form).replace(tzinfo=UTC).timestamp()) * NS_PER_SECOND
        except ValueError:
            continue
    raise DataError(path, f"line {number}", f"{text!r} is no time; expected ns since 1970 UTC, or a date such as 2018-12-31")


def _csv_price(path: Path, number: int, text: str) -> float:
    try:
        price = float(text)
    except ValueError:
        price = np.nan
    if not (np.isfinite(price) and price > 0.0):
        raise DataError(path, f"line {number}", f"closes at {text!r}; expected a price")
    return price


def _series(path: Path, name: str, times: list[int], prices: list[float], notes: tuple[str, ...]) -> PriceSeries:
    if len(times) < 2:
        raise DataError(path, "", f"holds {len(times)} bars that can be used; expected at least 2 ({'; '.join(notes)})")
    known = np.array(times, np.int64)
    steps, counts = np.unique(np.diff(known), return_counts=True)
    every_ns = int(steps[np.argmax(counts)])
    return PriceSeries(
        name, known, np.array(prices), every_ns, (*notes, f"{name}: {len(times):,} prices, {duration_text(every_ns)} apart")
    )
