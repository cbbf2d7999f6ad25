"""Writes small DBN files, record by record, through the layouts that databento-dbn publishes."""

import datetime as dt
from types import SimpleNamespace

import databento_dbn as dbn
import numpy as np

LAST, SNAPSHOT, BAD_TIME, DOUBTFUL = dbn.F_LAST, dbn.F_SNAPSHOT, dbn.F_BAD_TS_RECV, dbn.F_MAYBE_BAD_BOOK
NUMBER, T0 = 17, 1_700_000_000_000_000_000
PRICE = 1_000_000_000
LAYOUTS = {"mbo": dbn.MBOMsg, "mbp-1": dbn.MBP1Msg, "mbp-10": dbn.MBP10Msg, "trades": dbn.TradeMsg}
RTYPES = {"mbo": 160, "mbp-1": 1, "mbp-10": 10, "trades": 0}


def metadata(schema, names=None, *, by_number=False, ts_out=False, version=3):
    """Return the head of a file; *names* of instruments by their number."""
    names = {NUMBER: "ESH4"} if names is None else names
    answers = {}
    for number, name in names.items():
        asked, answer = (str(number), name) if by_number else (name, str(number))
        answers.setdefault(asked, []).append(answer)
    days = {"start_date": dt.date(2023, 11, 14), "end_date": dt.date(2023, 11, 15)}
    mappings = [
        SimpleNamespace(raw_symbol=asked, intervals=[SimpleNamespace(**days, symbol=answer) for answer in each])
        for asked, each in answers.items()
    ]
    kinds = (dbn.SType.INSTRUMENT_ID, dbn.SType.RAW_SYMBOL) if by_number else (dbn.SType.RAW_SYMBOL, dbn.SType.INSTRUMENT_ID)
    head = dbn.Metadata(
        "GLBX.MDP3",
        T0,
        *kinds,
        dbn.Schema.from_str(schema) if isinstance(schema, str) else schema,
        symbols=list(answers),
        mappings=mappings,
        ts_out=ts_out,
        version=version,
    )
    return bytes(head)


def record(
    schema, action, side="N", price=None, size=0, *, at=0, flags=0, order=0, number=NUMBER, publisher=1, levels=(), **fields
):
    """Return one record; *at* is in ms, received 1 ms later; *levels* are (bid, its size, ask, its size), best first."""
    layout = np.dtype(LAYOUTS[schema]._dtypes)
    row = np.zeros(1, layout)
    row["length"], row["rtype"] = layout.itemsize // 4, RTYPES[schema]
    row["publisher_id"], row["instrument_id"], row["flags"] = publisher, number, flags
    row["ts_event"], row["ts_recv"] = T0 + at * 1_000_000, T0 + (at + 1) * 1_000_000
    row["action"], row["side"], row["size"] = action.encode(), side.encode(), size
    row["price"] = dbn.UNDEF_PRICE if price is None else round(price * PRICE)
    if schema == "mbo":
        row["order_id"] = order
    for name in layout.names:
        if "_px_" in name:
            row[name] = dbn.UNDEF_PRICE
    for level, (bid, bid_size, ask, ask_size) in enumerate(levels):
        for side_name, level_price, level_size in (("bid", bid, bid_size), ("ask", ask, ask_size)):
            if level_price is not None:
                row[f"{side_name}_px_{level:02}"], row[f"{side_name}_sz_{level:02}"] = round(level_price * PRICE), level_size
    for name, value in fields.items():
        row[name] = value
    return row.tobytes()


def definition(symbol="ESH4", number=NUMBER, tick=0.25, **fields):
    """Return one definition: by default of a future of 50 a point, quoted by the venue in hundredths."""
    values = {"min_price_increment_amount": round(0.125 * PRICE), "unit_of_measure_qty": 50 * PRICE, "currency": "USD", **fields}
    display = values.pop("display_factor", PRICE // 100)
    made = dbn.InstrumentDefMsg(
        1,
        number,
        T0,
        T0,
        tick if tick == dbn.UNDEF_PRICE else round(tick * PRICE),
        display,
        symbol,
        "ES",
        "FUT",
        dbn.InstrumentClass.FUTURE,
        dbn.SecurityUpdateAction.ADD,
        **values,
    )
    return bytes(made)


def small(schema):
    """Return a small recording of *schema*."""
    levels = [(100 - i * 0.25, 5 + i, 100.25 + i * 0.25, 7 + i) for i in range(10 if schema == "mbp-10" else 1)]
    pieces = [metadata(schema)]
    if schema == "mbo":
        pieces += [record(schema, "R", flags=SNAPSHOT | BAD_TIME)]
        pieces += [
            record(schema, "A", side, price, 4, order=order, at=-5, flags=SNAPSHOT | BAD_TIME, ts_recv=T0)
            for order, (side, price) in enumerate((("B", 100.0), ("B", 99.75), ("A", 100.5), ("A", 100.75)), 1)
        ]
    for step in range(6):
        at, price = 10 * step + 10, 100.25 + step % 2 * 0.25
        if schema == "mbo":
            order = 10 + step
            pieces += [
                record(schema, "A", "A", price, 3, order=order, at=at, flags=LAST),
                record(schema, "T", "B", price, 2, order=90, at=at + 2),
                record(schema, "F", "A", price, 2, order=order, at=at + 2),
                record(schema, "M", "A", price, 1, order=order, at=at + 2, flags=LAST),
                record(schema, "T", "B", price, 1, order=91, at=at + 4),
                record(schema, "F", "A", price, 1, order=order, at=at + 4),
                record(schema, "C", "A", price, 1, order=order, at=at + 4, flags=LAST),
            ]
        elif schema == "trades":
            pieces.append(record(schema, "T", "AB"[step % 2], price, step + 1, at=at, sequence=step))
        else:
            shown = [(bid, bid_size + step, ask, ask_size) for bid, bid_size, ask, ask_size in levels[step % 2 :]]
            pieces += [
                record(schema, "T", "B", price, 1, at=at, levels=shown, sequence=step),
                record(schema, "C", "A", price, 1, at=at, flags=LAST, levels=shown, sequence=step),
            ]
    return b"".join(pieces)
