"""Parquet files as frames of rows in constant memory; whatever Polars says about a damaged file becomes one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from twosided.data.files import InputFile, brief
from twosided.errors import DataError

__all__ = ["ROWS_PER_BLOCK", "frames", "is_parquet", "metadata_of", "rows_of", "schema_of"]

ROWS_PER_BLOCK = 1 << 18
_MAGIC = b"PAR1"


def is_parquet(file: InputFile) -> bool:
    """Say whether a file begins as Parquet files do."""
    return file.head.startswith(_MAGIC)


@contextmanager
def _named_failures(file: InputFile) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, UnicodeDecodeError, MemoryError) as error:
        raise DataError(file.path, "", f"is a truncated or corrupt Parquet file ({brief(error)})") from None


def metadata_of(file: InputFile) -> dict[str, str]:
    """Return the file's own key-value metadata.

    Raises:
        DataError: the file is damaged.
    """
    with _named_failures(file):
        return pl.read_parquet_metadata(file.path)


def schema_of(file: InputFile) -> dict[str, pl.DataType]:
    """Return names and types of the columns.

    Raises:
        DataError: the file is damaged.
    """
    with _named_failures(file):
        return dict(pl.read_parquet_schema(file.path))


def rows_of(file: InputFile) -> int:
    """Return how many rows the file says that it has.

    Raises:
        DataError: the file is damaged.
    """
    with _named_failures(file):
        return int(pl.scan_parquet(file.path, glob=False).select(pl.len()).collect().item())


def frames(file: InputFile, columns: list[str]) -> Iterator[pl.DataFrame]:
    """Yield the rows of *columns*, in order, some 262,144 at a time.

    Raises:
        DataError: the file is damaged.
    """
    with _named_failures(file):
        rows, done = rows_of(file), 0
        for frame in pl.scan_parquet(file.path, glob=False).select(columns).collect_batches(chunk_size=ROWS_PER_BLOCK):
            done += frame.height
            file.bytes_read = file.bytes_total * done // max(rows, 1)
            yield frame
