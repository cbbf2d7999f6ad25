"""Files as streams of bytes: plain, gzip, zstd or zip by content, in lines or blocks; each failure is a sentence with its place."""

import gzip
import io
import sys
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from twosided.errors import DataError, unreadable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["InputFile", "brief"]

_HEAD_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 22
_GZIP, _ZSTD, _PARQUET, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"PK\x03\x04"


def brief(said: object) -> str:
    """Return what a library said, on one line of at most 160 characters."""
    return " ".join(str(said).split())[:160]


class InputFile:
    """One file of a recording.

    Attributes:
        path: as the user wrote it, for messages.
        name: without folders, for reports.
        head: its first 64 KiB, unpacked.
        place: what a position in it is called: "line", or "row" (from 0) in Parquet and npz files.
        member: the one file in a zip archive, which is read in its place; "" where there is no such.
        bytes_read: how much of `bytes_total` the current pass has read, as it stands on disk.

    Raises:
        DataError: missing, a folder, unreadable, empty, or a packed file that is corrupt within its head.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.name = self.path.name
        self.bytes_read = 0
        if self.path.is_dir():
            raise DataError(path, "", "is a folder; name the files in it")
        try:
            self.bytes_total = self.path.stat().st_size
            with self.path.open("rb") as file:
                magic = file.read(4)
        except OSError as error:
            raise unreadable(path, error) from None
        if not magic:
            raise DataError(path, "", "is empty (0 bytes); expected recorded market data")
        self._packing = "gzip" if magic.startswith(_GZIP) else "zstd" if magic == _ZSTD else ""
        self.member = self._only_member() if magic == _ZIP else ""
        if self.member:
            self._packing = "zip"
        with self.open() as stream:
            self.head = stream.read(_HEAD_BYTES)
        if not self.head:
            raise DataError(path, "", "is empty once unpacked; expected recorded market data")
        self.place = "row" if self.head.startswith((_PARQUET, _ZIP)) else "line"
        if self._packing and self.place == "row":
            problem = f"is packed with {self._packing}, though its content is packed already; unpack it first: {self._packing} -d"
            raise DataError(path, "", problem)

    def _only_member(self) -> str:
        """Return the name of the one file in a zip archive, "" where there are several or it is an array of numpy.

        Raises:
            DataError: the archive has no list of its files that can be read.
        """
        try:
            with zipfile.ZipFile(self.path) as archive:
                members = [name for name in archive.namelist() if not name.endswith("/")]
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError) as error:
            with self.path.open("rb") as file:
                if b".npy" in file.read(128):
                    return ""
            raise DataError(self.path, "", f"is a truncated or corrupt zip archive ({brief(error)})") from None
        return members[0] if len(members) == 1 and not members[0].endswith(".npy") else ""

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the file as a stream of unpacked bytes; failures while reading name the byte on disk.

        Raises:
            DataError: the file cannot be read, or its packed stream is corrupt or breaks off.
        """
        try:
            with self.path.open("rb") as raw:
                self._raw: BinaryIO = raw
                with self._named_failures():
                    if self.member:
                        with zipfile.ZipFile(raw) as archive, archive.open(self.member) as unpacked:
                            yield unpacked
                    elif self._packing:
                        packed = gzip.GzipFile(fileobj=raw) if self._packing == "gzip" else zstd.ZstdFile(raw)
                        with io.BufferedReader(packed, _HEAD_BYTES * 4) as unpacked:
                            yield unpacked
                    else:
                        yield raw
        except OSError as error:
            raise unreadable(self.path, error) from None

    @contextmanager
    def _named_failures(self) -> Iterator[None]:
        try:
            yield
        except EOFError:
            problem = f"the {self._packing} stream breaks off: the file is truncated; expected its end mark"
            raise DataError(self.path, f"byte {self._raw.tell()}", problem) from None
        except (gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
            problem = f"the {self._packing} stream is corrupt before this place ({brief(error)})"
            raise DataError(self.path, f"byte {self._raw.tell()}", problem) from None
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError) as error:
            if not self.member:
                raise
            problem = f"the zip archive is corrupt before this place ({brief(error)})"
            raise DataError(self.path, f"byte {self._raw.tell()}", problem) from None

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield (line number from 1, line with its end)."""
        with self.open() as stream:
            for number, line in enumerate(stream, 1):
                if number & 1023 == 0:
                    self.bytes_read = self._raw.tell()
                yield number, line
        self.bytes_read = self.bytes_total

    def pieces(self) -> Iterator[bytes]:
        """Yield the content in pieces of some 4 MiB, cut anywhere."""
        with self.open() as stream:
            while piece := stream.read(_BLOCK_BYTES):
                self.bytes_read = self._raw.tell()
                yield piece
        self.bytes_read = self.bytes_total

    def blocks(self) -> Generator[bytes, None, None]:
        """Yield the content in blocks of some 4 MiB of whole lines, each with its end; a last end is added where it is missing."""
        rest = b""
        for piece in self.pieces():
            block = rest + piece
            end = block.rfind(b"\n") + 1
            rest = block[end:]
            if end:
                yield block[:end]
        if rest:
            yield rest + b"\n"
