"""Databento's DBN files of schemas mbo, mbp-1, mbp-10 and trades, with a file of definitions beside them if there is one.

Where you are in the pipe: file -> `dbn` -> *reader* -> events. ``ts_event``, when the venue's matching engine dealt with it, is the
exchange's time; ``ts_recv``, when Databento's capture received it, is local time. Records of one instrument up to F_LAST, or to
another ``ts_event``, are one message, known here when its last record was. Prices count 1e-9; sizes are whole numbers, so the lot
is 1. Tick, currency and multiplier are those of the definition, else the tick is inferred.

Order by order (mbo), by Databento's normalisation: A is an ADD, M a MODIFY, C a CANCEL of its size, R a CLEAR, T a TRADE with the
aggressor's side. F, a fill of a resting order, moves no book there: the C or M that follows in the same message does. Here the
FILL does, so a C is left with what it takes beyond the fills before it, and with nothing is left out; a M says what remains either
way (and, where a hidden part is shown anew, sends the order to the end of the queue). An F that no C or M follows filled an order
that was never displayed: it is left out, and a T without any other F is HIDDEN. A run of F_SNAPSHOT records restates the book, at
the time of its latest order.

By level (mbp-1, mbp-10) every record shows the book after it: the last one of a message counts (`states.py`); T is a TRADE.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import databento_dbn as dbn
import numpy as np
import numpy.typing as npt
import polars as pl

from twosided._compile import compiled
from twosided.data.dbn import SCHEMAS, Header, header_of, is_dbn, record_blocks
from twosided.data.files import InputFile
from twosided.data.numbers import Ints
from twosided.data.raw import Raw, Reader, Settings, new_events, with_brackets
from twosided.data.states import StateDifferences
from twosided.errors import DataError
from twosided.market.event import Events, Flag, Kind

__all__ = ["DatabentoReader", "databento_reader", "databento_start_ns", "is_databento"]

_UNIT = Decimal("1e-9")
_NO_PRICE, _NO_SIZE = dbn.UNDEF_PRICE, dbn.UNDEF_ORDER_SIZE
_LAST, _SNAPSHOT, _HIDDEN = int(Flag.LAST_OF_MESSAGE), int(Flag.SNAPSHOT), int(Flag.HIDDEN)
_ADD, _CANCEL, _MODIFY, _CLEAR, _TRADE, _FILL, _NONE = b"ACMRTFN"
_KINDS = {
    _ADD: Kind.ADD,
    _CANCEL: Kind.CANCEL,
    _MODIFY: Kind.MODIFY,
    _CLEAR: Kind.CLEAR,
    _TRADE: Kind.TRADE,
    _FILL: Kind.FILL,
    _NONE: Kind.CLEAR,  # left out before its kind matters
}
_KIND_OF = np.zeros(256, np.uint8)
_KIND_OF[list(_KINDS)] = list(_KINDS.values())
_SIDES = {ord("B"): 1, ord("A"): -1, ord("N"): 0}
_SIDE_OF = np.full(256, 2, np.int8)
_SIDE_OF[list(_SIDES)] = list(_SIDES.values())
_MOST_NAMED = 20
_MOST_MULTIPLIER, _MOST_DECIMALS = 10**12, 9

Mask = npt.NDArray[np.bool_]


class _Definition(NamedTuple):
    """What a definition says that matters here."""

    tick_size: Decimal | None
    multiplier: Decimal
    currency: str


class _Rows(NamedTuple):
    """Records of one instrument and the bytes at which they stand."""

    file: InputFile
    places: Ints
    records: npt.NDArray[Any]

    def at(self, keep: Any) -> "_Rows":
        return _Rows(self.file, self.places[keep], self.records[keep])


def is_databento(file: InputFile) -> str | None:
    """Return the schema of a DBN file, None where it is none.

    Raises:
        DataError: its metadata are corrupt, or of a schema that is not read.
    """
    return header_of(file).schema if is_dbn(file.head) else None


def databento_start_ns(file: InputFile) -> int:
    """Return the time of receipt of the first record, 0 where there is none."""
    header = header_of(file)
    blocks = (records for _places, records, _others in record_blocks(file, header) if len(records))
    return next((int(records["ts_recv"][0]) for records in blocks), 0)


def databento_reader(schema: str) -> Callable[[Settings], Reader]:
    """Return what reads files of *schema*."""
    return partial(DatabentoReader, schema=schema)


class DatabentoReader:
    """Reads one instrument of files of one schema; the module says by which rules."""

    def __init__(self, settings: Settings, schema: str) -> None:
        self._wanted, self._defects, self._beside = settings.symbol, settings.defects, settings.beside
        self._schema = schema
        self.symbol, self.venue, self.currency, self.multiplier = self._wanted or "", "", "USD", Decimal(1)
        self.tick_size: Decimal | None = None
        self.lot_size = Decimal(1)
        self._number = -1  # of the instrument, once it is known
        self._publisher = -1
        self._differences = StateDifferences(may_cross=True)

    def read(self, file: InputFile) -> Iterator[Raw]:
        """Yield the events of *file*.

        Raises:
            DataError: a record that cannot be, several instruments, or none of the name asked for.
        """
        file.place = "byte"
        header = header_of(file)
        self.venue = header.dataset
        rows = (self._ours(_Rows(file, places, records), header, others) for places, records, others in record_blocks(file, header))
        for whole in _whole_messages(rows):
            yield self._raw(whole)

    def finish(self) -> Iterator[Raw]:
        """Yield nothing: nothing is held back."""
        return iter(())

    def settle(self, events: Events) -> tuple[Events, Ints | None]:
        """Return *events*; the states of books by level become the differences to the state before."""
        return self._differences.settle(events) if self._schema.startswith("mbp") else (events, None)

    # ------------------------------------------------------------ whose records

    def _ours(self, rows: _Rows, header: Header, others: int) -> _Rows:
        """Keep the records of the instrument that is read; the first one decides where the user did not."""
        self._defects.add("other_messages", others)
        if not len(rows.records):
            return rows
        numbers = rows.records["instrument_id"]
        if self._number < 0:
            self._choose(rows, header)
        elsewhere = numbers != self._number
        if elsewhere.any():
            if self._wanted is None or self._is_wanted(header, elsewhere, numbers):
                raise self._several(rows, header, elsewhere)
            rows = rows.at(~elsewhere)
        if self._schema != "trades" and len(rows.records):
            self._check_publisher(rows)
        return rows

    def _choose(self, rows: _Rows, header: Header) -> None:
        """Decide which instrument is read, and take what its definition says."""
        if self._wanted is None:
            self._number = int(rows.records["instrument_id"][0])
        else:
            named = [number for number, name in header.names.items() if name == self._wanted]
            if not named and self._wanted.isdecimal():
                named = [int(self._wanted)]
            if not named:
                raise DataError(
                    rows.file.path, "", f"has no instrument {self._wanted!r:.60}; it has {_listed(header.names.values())}"
                )
            present = [number for number in named if (rows.records["instrument_id"] == number).any()]
            self._number = (present or named)[0]
        self.symbol = header.names.get(self._number, self.symbol or str(self._number))
        if self._beside:
            self.tick_size, self.multiplier, self.currency = _definition_of(self._beside, self.symbol, self._number)

    def _is_wanted(self, header: Header, elsewhere: Mask, numbers: npt.NDArray[np.uint32]) -> bool:
        """Say whether records of another number have the same name (a continuous contract that rolls)."""
        return any(header.names.get(int(number)) == self._wanted for number in np.unique(numbers[elsewhere]))

    def _several(self, rows: _Rows, header: Header, elsewhere: Mask) -> DataError:
        place = int(np.argmax(elsewhere))
        other = int(rows.records["instrument_id"][place])
        if self._wanted is not None:
            problem = f"{self._wanted} stands for instruments {self._number} and {other}; choose one by its number with --symbol"
        else:
            names = [header.names.get(number, str(number)) for number in (self._number, other)]
            known = f" of {_listed(header.names.values())}" if len(header.names) > 2 else ""
            problem = f"has records of {names[0]} and of {names[1]}; choose one{known} with --symbol"
        return DataError(rows.file.path, f"byte {rows.places[place]}", problem)

    def _check_publisher(self, rows: _Rows) -> None:
        publishers = rows.records["publisher_id"]
        if self._publisher < 0:
            self._publisher = int(publishers[0])
        wrong = np.flatnonzero(publishers != self._publisher)
        if len(wrong):
            problem = f"has books of publishers {self._publisher} and {publishers[wrong[0]]}; expected one venue per file"
            raise DataError(rows.file.path, f"byte {rows.places[wrong[0]]}", problem)

    # ------------------------------------------------------------ events

    def _raw(self, rows: _Rows) -> Raw:
        """Turn whole messages into a raw block."""
        action = _letters(rows, "action")
        side = _SIDE_OF[_letters(rows, "side")]
        flags = rows.records["flags"]
        for wrong, name, said in ((_KIND_OF[action] == 0, "action", "A, C, M, R, T, F or N"), (side == 2, "side", "A, B or N")):
            if wrong.any():
                place = int(np.argmax(wrong))
                problem = f"{name} is {rows.records[name][place].decode('latin-1')!r}; expected {said}"
                raise DataError(rows.file.path, f"byte {rows.places[place]}", problem)
        in_snapshot = flags & dbn.F_SNAPSHOT != 0
        self._defects.add("bad_local_times", int(np.count_nonzero((flags & dbn.F_BAD_TS_RECV != 0) & ~in_snapshot)))
        self._defects.add("doubtful_books", int(np.count_nonzero(flags & dbn.F_MAYBE_BAD_BOOK != 0)))
        begins = _begins(rows.records)
        if self._schema == "mbo":
            return self._orders(rows, action, side, begins)
        return self._levels(rows, action, side, begins)

    def _events(self, rows: _Rows, begins: Mask) -> tuple[Events, Ints]:
        """Return events with the times of their messages, and which message each belongs to."""
        records = rows.records
        message = np.cumsum(begins) - 1
        first = np.flatnonzero(begins)
        events = new_events(len(records))
        last = np.append(first[1:], len(records)) - 1
        events["local_ns"] = records["ts_recv"].astype(np.int64)[last][message]
        events["exch_ns"] = np.maximum.reduceat(records["ts_event"].astype(np.int64), first)[message]
        return events, message

    def _orders(self, rows: _Rows, action: npt.NDArray[np.uint8], side: npt.NDArray[np.int8], begins: Mask) -> Raw:
        """Return a block of events order by order."""
        records = rows.records
        events, message = self._events(rows, begins)
        in_snapshot = records["flags"] & dbn.F_SNAPSHOT != 0
        priced, sized = records["price"] != _NO_PRICE, records["size"] != _NO_SIZE
        needs = (action == _ADD) | (action == _MODIFY) | (action == _TRADE) | (action == _FILL)
        unplaced = (needs & ~(priced & sized)) | ((action == _ADD) & ((side == 0) | (records["size"] == 0)))
        self._defects.add("incomplete_orders", int(np.count_nonzero(unplaced)))
        self._defects.add("other_messages", int(np.count_nonzero(action == _NONE)))
        keep = ~unplaced & (action != _NONE)
        lots = np.where(sized & (action != _CLEAR), records["size"], 0).astype(np.int64)
        self._defects.add("hidden_fills", _settle_fills(message, records["order_id"], action, lots, keep))
        filled = np.unique(message[keep & (action == _FILL)])
        hidden = (action == _TRADE) & ~np.isin(message, filled)
        restating = np.unique(message[keep & in_snapshot & (action != _CLEAR)])
        keep &= ~((action == _CLEAR) & in_snapshot & np.isin(message, restating))  # SNAPSHOT_BEGIN says it
        events["id"], events["side"], events["kind"] = records["order_id"], side, _KIND_OF[action]
        events["flags"] = in_snapshot * _SNAPSHOT + hidden * _HIDDEN
        prices = np.where(priced & (action != _CLEAR), records["price"], 0)
        rows, events, message = rows.at(keep), events[keep], message[keep]
        starts = np.append(True, message[1:] != message[:-1])[: len(message)]
        ends = np.append(message[1:] != message[:-1], True)[: len(message)]
        events["flags"] |= (ends * _LAST).astype(np.uint8)
        raw = Raw(rows.file, events, pl.Series(prices[keep]), pl.Series(lots[keep]), rows.places, unit=_UNIT)
        bracketed = (events["flags"] & _SNAPSHOT != 0) & np.isin(message, restating)
        return with_brackets(raw, starts & bracketed, ends & bracketed)

    def _levels(self, rows: _Rows, action: npt.NDArray[np.uint8], side: npt.NDArray[np.int8], begins: Mask) -> Raw:
        """Return a block of trades and, for books by level, of the state after each message."""
        events, message = self._events(rows, begins)
        records = rows.records
        events["kind"], events["side"], events["id"] = Kind.TRADE, side, records["sequence"]
        empty = (records["price"] == _NO_PRICE) | (records["size"] == _NO_SIZE) | (records["size"] == 0)
        trades = np.flatnonzero((action == _TRADE) & ~empty)
        self._defects.add("other_trades", int(np.count_nonzero((action == _TRADE) & empty)))
        if self._schema == "trades":
            self._defects.add("other_messages", int(np.count_nonzero(action != _TRADE)))
        ends = np.append(np.flatnonzero(begins)[1:], len(records)) - 1
        source, levels, prices, sizes = _states(rows.at(ends), SCHEMAS[self._schema])
        source = ends[source]
        origin = np.concatenate([trades, source])
        all_prices = np.concatenate([records["price"][trades], prices])
        all_sizes = np.concatenate([records["size"][trades].astype(np.int64), sizes])
        order = np.argsort(message[origin], kind="stable")
        origin = origin[order]
        result = events[origin]
        is_level = order >= len(trades)
        result["side"][is_level] = levels[order[is_level] - len(trades)]
        result["kind"][is_level] = np.where(result["side"][is_level] == 0, Kind.CLEAR, Kind.DEPTH)
        last = np.append(message[origin][1:] != message[origin][:-1], True)[: len(origin)]
        result["flags"] = last * _LAST
        return Raw(rows.file, result, pl.Series(all_prices[order]), pl.Series(all_sizes[order]), rows.places[origin], unit=_UNIT)


def _letters(rows: _Rows, name: str) -> npt.NDArray[np.uint8]:
    """Return a field of one letter as its code."""
    return np.ascontiguousarray(rows.records[name]).view(np.uint8)


def _begins(records: npt.NDArray[Any]) -> Mask:
    """Return which records begin a message; in a run of snapshot records only a clear does."""
    begins = np.ones(len(records), np.bool_)
    flags = records["flags"]
    in_snapshot = flags & dbn.F_SNAPSHOT != 0
    both = in_snapshot[1:] & in_snapshot[:-1]
    new = (
        (records["ts_event"][1:] != records["ts_event"][:-1])
        | (flags[:-1] & dbn.F_LAST != 0)
        | (in_snapshot[1:] != in_snapshot[:-1])
    )
    begins[1:] = np.where(both, records["action"][1:] == b"R", new)
    return begins


def _whole_messages(blocks: Iterator[_Rows]) -> Iterator[_Rows]:
    """Yield the records of *blocks* so that no message is cut."""
    rest: _Rows | None = None
    for block in blocks:
        rows = block
        if rest is not None:
            rows = _Rows(block.file, np.concatenate([rest.places, block.places]), np.concatenate([rest.records, block.records]))
        if not len(rows.records):
            continue
        cut = int(np.flatnonzero(_begins(rows.records))[-1])
        if cut:
            yield rows.at(slice(cut))
        rest = rows.at(slice(cut, None))
    if rest is not None:
        yield rest


def _states(rows: _Rows, layout: Any) -> tuple[Ints, Ints, Ints, Ints]:
    """Return (record, side, price, size) of all levels that the records show, record by record; side 0 where one shows none.

    Raises:
        DataError: levels that are not in the order of their prices.
    """
    names = [name for name, _type in layout._dtypes if name.startswith("bid_px_")]  # noqa: SLF001 - its published layout
    depth, count = len(names), len(rows.records)
    side = np.repeat([1, -1], depth)
    prices, sizes = np.zeros((count, 2 * depth), np.int64), np.zeros((count, 2 * depth), np.int64)
    for column, name in enumerate(names + [name.replace("bid", "ask") for name in names]):
        prices[:, column] = rows.records[name]
        sizes[:, column] = rows.records[name.replace("_px_", "_sz_")]
    there = (prices != _NO_PRICE) & (sizes > 0)
    for begin, better in ((0, np.less), (depth, np.greater)):
        near, far = slice(begin, begin + depth - 1), slice(begin + 1, begin + depth)
        wrong = there[:, near] & there[:, far] & ~better(prices[:, far], prices[:, near])
        if wrong.any():
            record, level = np.argwhere(wrong)[0].tolist()
            problem = f"level {level + 2} is not behind level {level + 1}; expected the best price first"
            raise DataError(rows.file.path, f"byte {rows.places[record]}", problem)
    shown, place = np.nonzero(np.column_stack([there, ~there.any(axis=1)] if depth else [np.zeros((count, 1), np.bool_)]))
    is_level = place < 2 * depth
    result = [np.zeros(len(shown), np.int64) for _ in range(3)]
    for values, table in zip(result, (np.broadcast_to(side, prices.shape), prices, sizes), strict=True):
        values[is_level] = table[shown[is_level], place[is_level]]
    return shown, result[0], result[1], result[2]


def _settle_fills(message: Ints, ids: npt.NDArray[np.uint64], action: npt.NDArray[np.uint8], lots: Ints, keep: Mask) -> int:
    """Let no lot leave twice: change *lots* of cancels and *keep* in place; return how many fills were of orders never shown."""
    fills = np.flatnonzero(keep & (action == _FILL))
    rows = np.flatnonzero(keep & np.isin(message, message[fills]))
    rows = rows[np.lexsort((ids[rows], message[rows]))]
    return int(settle_sorted_fills(rows, message, ids, action, lots, keep))


def _settle_sorted_fills(rows: Any, message: Any, ids: Any, action: Any, lots: Any, keep: Any) -> int:
    """Do so for *rows* of messages with fills, sorted by message, order and place."""
    begin, hidden = 0, 0
    for end in range(1, len(rows) + 1):
        if end < len(rows) and message[rows[end]] == message[rows[begin]] and ids[rows[end]] == ids[rows[begin]]:
            continue
        last_change = -1
        for place in range(begin, end):
            if action[rows[place]] == _CANCEL or action[rows[place]] == _MODIFY:
                last_change = place
        filled = 0
        for place in range(begin, end):
            row = rows[place]
            if action[row] == _FILL:
                if place > last_change:
                    keep[row] = False
                    hidden += 1
                else:
                    filled += lots[row]
            elif action[row] == _CANCEL:
                if filled > 0:
                    lots[row] = max(lots[row] - filled, 0)
                    keep[row] = lots[row] > 0
                filled = 0
            elif action[row] == _MODIFY:
                filled = 0
        begin = end
    return hidden


settle_sorted_fills = compiled(_settle_sorted_fills)


def _definition_of(files: tuple[InputFile, ...], symbol: str, number: int) -> _Definition:
    """Return the last definition of an instrument.

    Raises:
        DataError: there is none.
    """
    found: dict[str, tuple[Any, InputFile, int]] = {}
    others: set[str] = set()
    for file in files:
        for places, records, _others in record_blocks(file, header_of(file)):
            for how, ours in (("name", records["raw_symbol"] == symbol.encode()), ("number", records["instrument_id"] == number)):
                if ours.any():
                    found[how] = records[ours][-1], file, int(places[ours][-1])
            others |= {name.decode("latin-1") for name in np.unique(records["raw_symbol"]).tolist()}
    # the name first: numbers are given anew with the years; but that of a continuous contract is no raw symbol
    if not found:
        raise DataError(files[0].path, "", f"has no definition of {symbol}; it has {_listed(others) or 'none'}")
    record, file, place = found.get("name") or found["number"]
    multiplier = _multiplier_of(record)
    if multiplier >= _MOST_MULTIPLIER or int(multiplier.as_tuple().exponent) < -_MOST_DECIMALS:
        problem = f"a point of {symbol} is worth {multiplier:.12g}, the amount of a tick over the tick; "
        problem += f"expected less than {_MOST_MULTIPLIER} with {_MOST_DECIMALS} decimals at most"
        raise DataError(file.path, f"byte {place}", problem)
    return _Definition(_fixed(record["min_price_increment"]), multiplier, record["currency"].decode("latin-1") or "USD")


def _multiplier_of(record: Any) -> Decimal:
    """Return what one unit of price is worth: the amount of a tick over the tick, else the contract's size, else 1.

    The amount is in the unit of the venue's display price, as the display factor says.
    """
    names = "min_price_increment", "min_price_increment_amount", "display_factor"
    tick, amount, factor = (_fixed(record[name]) for name in names)
    if tick is not None and amount is not None:
        return _plain(amount / (tick * (factor or 1)))
    return _fixed(record["unit_of_measure_qty"]) or Decimal(1)


def _fixed(value: Any) -> Decimal | None:
    """Return a number that counts 1e-9, None where it is not defined or not positive."""
    return _plain(int(value) * _UNIT) if 0 < value < _NO_PRICE else None


def _plain(number: Decimal) -> Decimal:
    """Return *number* without zeros at the end of its fraction, and without an exponent."""
    short = number.normalize()
    return short if int(short.as_tuple().exponent) <= 0 else short.quantize(Decimal(1))


def _listed(names: Any) -> str:
    shown = sorted(set(names))
    return ", ".join(shown[:_MOST_NAMED]) + (f" and {len(shown) - _MOST_NAMED} more" if len(shown) > _MOST_NAMED else "")
