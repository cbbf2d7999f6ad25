"""The files of LOBSTER: what their names say, members of a zip, and lines of numbers as integers.

Where you are in the pipe: *file* -> reader -> events. A day of a share is two files, ``SYMBOL_YYYY-MM-DD_start_end_message_N.csv``
and the same with ``orderbook`` (start and end in ms after midnight, N levels); line k of the second is the book after line k of
the first. Numbers are whole, but for the time, whose decimals are nanoseconds: read exactly, some 2 ns a byte.
"""

import re
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from pathlib import PurePosixPath
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.data.files import InputFile, brief
from twosided.data.numbers import Ints
from twosided.errors import DataError, unreadable

__all__ = ["DayName", "Rows", "ZipMember", "day_name", "members"]

_NAME = re.compile(
    r"(?P<symbol>[A-Za-z0-9.+=^*#$-]+)_(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})_(?P<start>[0-9]{1,8})_(?P<end>[0-9]{1,8})"
    r"_(?P<kind>message|orderbook)_(?P<levels>[0-9]{1,4})\.csv(?:\.gz|\.zst)?"
)
_NEWLINE, _RETURN, _COMMA, _DOT, _MINUS, _ZERO, _NINE = b"\n\r,.-09"
_MOST_DIGITS, _MOST_SECONDS_DIGITS, _DECIMALS = 18, 6, 9
_MOST_SHOWN = 60
_HEAD_BYTES = 1 << 16


class DayName(NamedTuple):
    """What a file's name says; two files belong together when all of it but *kind* is equal."""

    day: date
    start_ms: int
    symbol: str
    end_ms: int
    levels: int
    kind: str  # message or orderbook


def day_name(name: str) -> DayName | None:
    """Return what the name of a file, in whatever folder, says; None where it is not one of LOBSTER's.

    >>> day_name("AAPL_2012-06-21_34200000_57600000_message_1.csv")
    DayName(day=datetime.date(2012, 6, 21), start_ms=34200000, symbol='AAPL', end_ms=57600000, levels=1, kind='message')
    """
    found = _NAME.fullmatch(PurePosixPath(name).name)
    if found is None:
        return None
    try:
        day = date.fromisoformat(found["day"])
    except ValueError:
        return None
    return DayName(day, int(found["start"]), found["symbol"], int(found["end"]), int(found["levels"]), found["kind"])


def members(file: InputFile) -> dict[str, DayName]:
    """Return the members of a zip archive that are LOBSTER's by their names; none where *file* is no such archive."""
    if not file.head.startswith(b"PK\x03\x04"):
        return {}
    try:
        with zipfile.ZipFile(file.path) as archive:
            found = {name: day_name(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError):
        return {}
    return {name: what for name, what in found.items() if what is not None}


class ZipMember(InputFile):
    """One member of an archive, read like a file; in errors it stands behind the archive as if that were a folder."""

    def __init__(self, archive: InputFile, member: str) -> None:
        self._archive, self._name = archive, member
        self.path, self.name, self.place = archive.path / member, member, "line"
        self._packing, self.member, self.bytes_total, self.bytes_read = "zip", "", archive.bytes_total, 0
        with self.open() as stream:
            self.head = stream.read(_HEAD_BYTES)

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the member as a stream of unpacked bytes.

        Raises:
            DataError: the archive is damaged, or packed in a way that is not known.
        """
        try:
            with self._archive.path.open("rb") as raw:
                self._raw = raw
                with self._named_failures(), zipfile.ZipFile(raw) as archive, archive.open(self._name) as unpacked:
                    yield unpacked
        except OSError as error:
            raise unreadable(self.path, error) from None
        except DataError:
            raise
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError, ValueError) as error:
            raise DataError(
                self.path, "", f"cannot be unpacked ({brief(error)}); expected a zip archive without a password"
            ) from None


class Rows:
    """Lines of comma-separated numbers as integers, some at a time.

    Args:
        file: without a header.
        names: of the columns; ``time`` is in seconds with up to nine decimals, and read in ns.
        stack: closes the file.
        one_more: whether a line may have one more column, of anything, which is left out.
    """

    def __init__(self, file: InputFile, names: list[str], stack: ExitStack, *, one_more: bool = False) -> None:
        self._file, self._names, self._one_more = file, names, one_more
        self.line = 1  # number of the next one
        self._blocks = stack.enter_context(closing(file.blocks()))
        self._block, self._position = b"", 0
        self._text: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)

    def take(self, most: int) -> Ints:
        """Return the next rows, shape (n, columns); fewer than *most* only at the end of the file.

        Raises:
            DataError: a line that does not hold such numbers.
        """
        out = np.zeros((most, len(self._names)), np.int64)
        count = 0
        while count < most:
            if self._position == len(self._text):
                block = next(self._blocks, None)
                if block is None:
                    break
                self._block, self._text, self._position = block, np.frombuffer(block, np.uint8), 0
            timed = self._names[0] == "time"
            rows, position, good = parse_rows(self._text, self._position, timed, self._one_more, out[count:])
            count, self.line, self._position = count + int(rows), self.line + int(rows), int(position)
            if not good:
                raise self._bad_line()
        return out[:count]

    def _bad_line(self) -> DataError:
        """Return what is wrong with the line that could not be read."""
        line = self._block[self._position : self._block.index(b"\n", self._position)]
        fields = line.decode("utf-8", "replace").removesuffix("\r").split(",")
        wanted, place = len(self._names), f"line {self.line}"
        if len(fields) != wanted and not (self._one_more and len(fields) == wanted + 1):
            names = brief(", ".join(self._names[:6]) + (", ..." if wanted > 6 else ""))
            return DataError(self._file.path, place, f"has {len(fields)} fields; expected {wanted}: {names}")
        for name, value in zip(self._names, fields, strict=False):
            seconds = name == "time"
            digits = rf"[0-9]{{1,{_MOST_SECONDS_DIGITS}}}(\.[0-9]{{1,9}}0*)?" if seconds else rf"-?[0-9]{{1,{_MOST_DIGITS}}}"
            if not re.fullmatch(digits, value, re.ASCII):
                allowed = "seconds with at most 9 decimals" if seconds else f"a whole number of at most {_MOST_DIGITS} digits"
                return DataError(self._file.path, place, f"{name} is {value[:_MOST_SHOWN]!r}; expected {allowed}")
        return DataError(
            self._file.path, place, f"cannot be read: {brief(line)!r}; expected {wanted} numbers and commas between them"
        )


def _parse_rows(text: Any, position: int, timed: bool, one_more: bool, out: Any) -> tuple[int, int, bool]:
    """Read lines that begin at *position* into *out*; every line ends with a newline.

    Returns (lines read, where the next begins, whether that one was good, if it was looked at).
    """
    columns = out.shape[1]
    for row in range(out.shape[0]):
        start = position
        if start == len(text):
            return row, start, True
        for column in range(columns):
            negative = text[position] == _MINUS
            if negative:
                position += 1
            value, digits, whole = np.int64(0), 0, timed and column == 0
            while _ZERO <= text[position] <= _NINE and digits < _MOST_DIGITS:
                value = value * 10 + np.int64(text[position]) - _ZERO
                digits += 1
                position += 1
            if digits == 0 or (whole and (negative or digits > _MOST_SECONDS_DIGITS)):
                return row, start, False
            if whole:
                decimals = 0
                if text[position] == _DOT:
                    position += 1
                    first = position
                    while _ZERO <= text[position] <= _NINE:
                        if decimals < _DECIMALS:
                            value = value * 10 + np.int64(text[position]) - _ZERO
                            decimals += 1
                        elif text[position] != _ZERO:
                            return row, start, False
                        position += 1
                    if position == first:
                        return row, start, False
                while decimals < _DECIMALS:
                    value *= 10
                    decimals += 1
            out[row, column] = -value if negative else value
            if column < columns - 1:
                if text[position] != _COMMA:
                    return row, start, False
                position += 1
        if one_more and text[position] == _COMMA:
            position += 1
            while text[position] != _NEWLINE and text[position] != _COMMA:
                position += 1
        if text[position] == _RETURN:
            position += 1
        if text[position] != _NEWLINE:
            return row, start, False
        position += 1
    return out.shape[0], position, True


parse_rows = compiled(_parse_rows)
