"""DBN, Databento's binary encoding, as blocks of records of one kind with the byte at which each stands.

Where you are in the pipe: *file* -> records -> reader -> events. A file is its metadata and then records, each with its own length
(in words of four bytes) and type. All records of a schema have one layout, so whole pieces of the file are viewed as an array; only
where others stand among them (a live capture) are they looked for one by one. Layouts and metadata are those of `databento-dbn`;
the layouts read here are the same in versions 1 to 3 but for definitions, which have one each. Bytes are counted in the unpacked
file.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import databento_dbn as dbn
import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.data.files import InputFile, brief
from twosided.data.numbers import Ints
from twosided.errors import DataError

__all__ = ["SCHEMAS", "Header", "header_of", "is_dbn", "record_blocks"]

SCHEMAS: dict[str, Any] = {
    "mbo": dbn.MBOMsg,
    "mbp-1": dbn.MBP1Msg,
    "mbp-10": dbn.MBP10Msg,
    "trades": dbn.TradeMsg,
    "definition": dbn.InstrumentDefMsg,
}
"""What is read, and its record in the newest version."""

_OLD_DEFINITIONS = {1: dbn.InstrumentDefMsgV1, 2: dbn.InstrumentDefMsgV2}
_RTYPES = {
    "mbo": dbn.RType.MBO,
    "mbp-1": dbn.RType.MBP_1,
    "mbp-10": dbn.RType.MBP_10,
    "trades": dbn.RType.MBP_0,
    "definition": dbn.RType.INSTRUMENT_DEF,
}
_MAGIC = b"DBN"
_PRELUDE, _WORD, _FEWEST_WORDS = 8, 4, 4
_MOST_METADATA = 1 << 28
_WRONG_LENGTH, _UNKNOWN = 1, 2
_KNOWN = np.zeros(256, np.bool_)
_KNOWN[[int(getattr(dbn.RType, name)) for name in dir(dbn.RType) if name.isupper()]] = True

Records = npt.NDArray[Any]


class Header(NamedTuple):
    """What a file says about itself."""

    schema: str
    version: int
    dataset: str
    names: dict[int, str]  # of instruments, by their number; empty where the file does not say
    with_ts_out: bool
    end: int  # byte at which the records begin


def is_dbn(head: bytes) -> bool:
    """Say whether a file that begins with *head* is DBN."""
    return head.startswith(_MAGIC) and len(head) > len(_MAGIC) and head[3] < 32


def header_of(file: InputFile) -> Header:
    """Return the metadata.

    Raises:
        DataError: they are truncated or corrupt, or of a schema that is not read here.
    """
    content = bytearray(file.head)
    length = _PRELUDE + int.from_bytes(content[4:_PRELUDE], "little")
    if length > _MOST_METADATA:
        raise DataError(file.path, "byte 4", f"the metadata have {length} bytes; expected at most {_MOST_METADATA}")
    if length > len(content):
        content = bytearray()
        for piece in file.pieces():
            content += piece
            if len(content) >= length:
                break
    if len(content) < length:
        raise DataError(
            file.path, f"byte {len(content)}", f"the file is truncated: it breaks off in its metadata of {length} bytes"
        )
    try:
        metadata = dbn.Metadata.decode(bytes(content[:length]))
        schema = str(metadata.schema)
        names = _names(metadata)
        header = Header(schema, content[3], metadata.dataset, names, metadata.ts_out, length)
    except (dbn.DBNError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise DataError(file.path, "byte 0", f"the metadata are corrupt ({brief(error)})") from None
    if schema not in SCHEMAS:
        raise DataError(file.path, "byte 0", f"holds DBN of schema {schema}; expected {', '.join(SCHEMAS)}")
    return header


def _names(metadata: Any) -> dict[int, str]:
    """Return the names of instruments by their number, whichever of the two the user asked by."""
    names: dict[int, str] = {}
    by_number = metadata.stype_in == dbn.SType.INSTRUMENT_ID
    for asked, intervals in metadata.mappings.items():
        for interval in intervals:
            number, name = (asked, interval["symbol"]) if by_number else (interval["symbol"], asked)
            if number.isdecimal():
                names[int(number)] = name
    return names


def record_blocks(file: InputFile, header: Header) -> Iterator[tuple[Ints, Records, int]]:
    """Yield (bytes at which they stand, records of the file's schema, how many others were passed over), piece by piece.

    Raises:
        DataError: a record that breaks off, of a length that it cannot have, or of a type that DBN does not know.
    """
    splitter = _Splitter(file, header)
    for content in _after(file, header.end):
        yield splitter.split(content)
    if splitter.rest:  # shorter than a record of the schema, but not necessarily than another
        yield splitter.split(b"", alone=True)
    if splitter.rest:
        expected = splitter.rest[0] * _WORD
        problem = f"the file is truncated: a record breaks off after {len(splitter.rest)} of {expected} bytes"
        raise DataError(file.path, f"byte {splitter.position}", problem)


class _Splitter:
    """Cuts pieces of a file into records; ``rest`` is what has not been cut yet, and begins at byte ``position``."""

    def __init__(self, file: InputFile, header: Header) -> None:
        record = SCHEMAS[header.schema]
        if header.schema == "definition":
            record = _OLD_DEFINITIONS.get(header.version, record)
        fields = record._dtypes + [("ts_out", "u8")] * header.with_ts_out  # noqa: SLF001 - its published layout
        self._layout, self._rtype = np.dtype(fields), int(_RTYPES[header.schema])
        self._file, self._schema = file, header.schema
        self.position, self.rest = header.end, b""

    def split(self, content: bytes, *, alone: bool = False) -> tuple[Ints, Records, int]:
        """Return the next records; they may be of any kind unless the first look says that all are of the schema."""
        buffer, size = self.rest + content, self._layout.itemsize
        count = len(buffer) // size
        records = np.frombuffer(buffer, self._layout, count)
        others, end, places = 0, count * size, np.arange(count, dtype=np.int64) * size
        if alone or not ((records["length"] == size // _WORD) & (records["rtype"] == self._rtype)).all():
            letters = np.frombuffer(buffer, np.uint8)
            places = np.zeros(len(buffer) // (_FEWEST_WORDS * _WORD) + 1, np.int64)
            found, others, end, code = (int(number) for number in find_records(letters, self._rtype, size, _KNOWN, places))
            if code:
                raise self._error(letters[end:], self.position + end, code)
            places = places[:found]
            records = letters[places[:, None] + np.arange(size)].reshape(-1).view(self._layout)
        places += self.position
        self.position, self.rest = self.position + end, buffer[end:]
        return places, records, others

    def _error(self, letters: npt.NDArray[np.uint8], position: int, code: int) -> DataError:
        if code == _UNKNOWN:
            problem = f"a record's type is {letters[1]}, which DBN does not know; expected records of {self._schema}"
        else:
            size = self._layout.itemsize
            problem = f"a record of type {letters[1]} states a length of {int(letters[0]) * _WORD} bytes; "
            problem += f"expected {size} for {self._schema}, type {self._rtype}"
        return DataError(self._file.path, f"byte {position}", problem)


def _after(file: InputFile, begin: int) -> Iterator[bytes]:
    """Yield the content from byte *begin* on."""
    for piece in file.pieces():
        if begin < len(piece):
            yield piece[begin:]
        begin = max(0, begin - len(piece))


def _find_records(letters: Any, rtype: int, size: int, known: Any, places: Any) -> tuple[int, int, int, int]:
    """Write into *places* where records of type *rtype* begin.

    Returns (how many, how many others, where it stopped, 0): before a record that is not whole, or with a code at a wrong one.
    """
    found, others, position = 0, 0, 0
    while position + 1 < len(letters):
        length = 4 * int(letters[position])
        if length < 16 or (letters[position + 1] == rtype and length != size):
            return found, others, position, _WRONG_LENGTH
        if not known[letters[position + 1]]:
            return found, others, position, _UNKNOWN
        if position + length > len(letters):
            break
        if letters[position + 1] == rtype:
            places[found] = position
            found += 1
        else:
            others += 1
        position += length
    return found, others, position, 0


find_records = compiled(_find_records)
