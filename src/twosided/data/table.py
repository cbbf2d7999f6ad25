"""CSV in blocks of text columns: every field as it stands, its line number beside it, and whole messages in each block."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from twosided.data.files import InputFile, brief
from twosided.data.numbers import Ints, steps_of, unusable_text
from twosided.errors import DataError

__all__ = ["LINE", "changed", "column_ns", "header_of", "mapped", "tables", "whole_groups"]

LINE = " line"
"""Name of the column of line numbers; no header can have it, because names are stripped."""

_NEWLINE, _COMMA = b"\n,"


def header_of(head: bytes) -> list[str]:
    """Return the column names on the first line."""
    return [name.strip() for name in head.split(b"\n", 1)[0].decode("utf-8", "replace").strip("\r\ufeff").split(",")]


def tables(file: InputFile) -> Iterator[pl.DataFrame]:
    """Yield text columns by the header's names, and `LINE`; empty fields are empty text.

    Raises:
        DataError: a line with another number of fields than the header, or bytes that are not UTF-8.
    """
    names = header_of(file.head)
    if len(set(names)) != len(names):
        raise DataError(file.path, "line 1", f"names a column twice: {brief(', '.join(names))}")
    first = 1
    for block in file.blocks():
        begin, content = (2, block[block.index(b"\n") + 1 :]) if first == 1 else (first, block)
        first += block.count(b"\n")
        if content:
            yield _table(file, begin, content.replace(b"\r\n", b"\n"), names)


def _table(file: InputFile, first: int, content: bytes, names: list[str]) -> pl.DataFrame:
    letters = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(letters == _NEWLINE)
    fields = np.diff(np.searchsorted(np.flatnonzero(letters == _COMMA), ends), prepend=0) + 1
    wrong = np.flatnonzero(fields != len(names))
    if len(wrong):
        problem = f"has {fields[wrong[0]]} fields; expected {len(names)}: {brief(', '.join(names))}"
        raise DataError(file.path, f"line {first + wrong[0]}", problem)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = first + content[: error.start].count(b"\n")
        raise DataError(file.path, f"line {line}", "holds bytes that are not UTF-8; expected text") from None
    frame = pl.read_csv(content, has_header=False, schema=dict.fromkeys(names, pl.String), quote_char=None).fill_null("")
    if frame.height != len(ends):
        raise DataError(file.path, f"line {first}", f"begins a block of {len(ends)} lines of which {frame.height} could be split")
    return frame.with_columns(pl.int_range(first, first + frame.height, dtype=pl.Int64).alias(LINE))


def whole_groups(blocks: Iterator[pl.DataFrame], begins: Callable[[pl.DataFrame], npt.NDArray[np.bool_]]) -> Iterator[pl.DataFrame]:
    """Yield the rows of *blocks* so that no group of rows is cut; *begins* says which rows begin a group."""
    rest = None
    for block in blocks:
        rows = block if rest is None else pl.concat([rest, block])
        if not rows.height:
            continue
        starts = np.flatnonzero(begins(rows))
        cut = int(starts[-1]) if len(starts) else 0
        if cut:
            yield rows[:cut]
        rest = rows[cut:]
    if rest is not None:
        yield rest


def changed(*columns: pl.Series | npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return, for each row, whether any of the columns differs from the row before; True for the first."""
    result = np.zeros(len(columns[0]), np.bool_)
    result[:1] = True
    for column in columns:
        if isinstance(column, pl.Series):
            result |= column.ne_missing(column.shift()).to_numpy()
        else:
            result[1:] |= column[1:] != column[:-1]
    return result


def column_ns(file: InputFile, frame: pl.DataFrame, name: str, unit_ns: int) -> Ints:
    """Return a column of times in ns; in the file they are whole or decimal numbers of *unit_ns*.

    Raises:
        DataError: a value that is not a time.
    """
    times, bad = steps_of(frame[name], Decimal(1) / unit_ns)
    if bad is not None:
        raise DataError(
            file.path, f"{file.place} {frame[LINE][bad.place]}", unusable_text(bad, name, Decimal(1) / unit_ns, "unit of time")
        )
    return times


def mapped(file: InputFile, frame: pl.DataFrame, name: str, meanings: dict[str, int]) -> Ints:
    """Return a column of words as the numbers that they mean.

    Raises:
        DataError: another word.
    """
    numbers = frame[name].replace_strict(list(meanings), list(meanings.values()), default=None, return_dtype=pl.Int64)
    if numbers.null_count():
        place = int(numbers.is_null().arg_max() or 0)
        known = ", ".join(word or "nothing" for word in meanings)
        raise DataError(file.path, f"{file.place} {frame[LINE][place]}", f"{name} is {frame[name][place]!r:.60}; allowed: {known}")
    return numbers.to_numpy()
