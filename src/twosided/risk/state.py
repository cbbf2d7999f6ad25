"""What a gate knows: limits as numbers to compare with, what its caller tells it, and what it remembers.

Where you are in the pipe: strategy -> *risk* -> order manager -> venue. A strategy has one `GATE`, one `MARKET_GATE` a market, and
one `ASKED`: plain records, which an engine keeps in its tables, a live session in its journal, and a test in an array of one.

Values are counted in money quanta as floats (whole numbers, exact below 2^53); what is added over markets is in the quote
currency. A limit that is off is beyond all numbers.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from enum import IntEnum
from typing import Any

import numpy as np

from twosided.errors import InputError
from twosided.market.instrument import Instrument
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.order import Reason
from twosided.risk.limits import MOST_FILLS_WATCHED, MOST_MESSAGES, Limits

__all__ = ["ASKED", "GATE", "MARKET_GATE", "MOST_CHANGES", "OFF", "State", "new_gate", "told"]

OFF = (1 << 62) - 1
"""A limit in whole numbers that is off."""

MOST_CHANGES = 256
"""Changes of state that a gate keeps; it counts all of them."""

_MOST_BANDS = 32
_SLACK = 1e-12  # sums over markets are floats: what equals a limit but for their rounding equals it
_LOSSES = ("max_daily_loss", "max_drawdown")
_ADDED = ("max_gross_value", "max_net_value", "max_leverage", *_LOSSES)  # over all markets


class State(IntEnum):
    """What a gate lets pass."""

    NORMAL = 0  # what keeps the limits
    REDUCE_ONLY = 1  # of that, what brings the position towards zero
    HALTED = 2  # cancels, until a person re-arms


def _record(fields: list[Any]) -> np.dtype[Any]:
    return np.dtype((np.record, fields), align=True)


GATE = _record(
    [
        # limits
        ("max_gross_value", "f8"),  # quote currency
        ("max_net_value", "f8"),
        ("max_leverage", "f8"),
        ("capital", "f8"),
        ("max_daily_loss", "f8"),
        ("max_drawdown", "f8"),
        ("reduce_only_from", "f8"),
        ("money_watched", "i8"),  # 1: a limit needs the account's value
        ("day_offset_ns", "i8"),
        ("max_age_ns", "i8"),
        ("halt_age_ns", "i8"),
        ("orders_per_second", "i8"),
        ("max_fills", "i8"),
        ("fills_within_ns", "i8"),
        ("max_open_orders", "i8"),
        ("max_reference_age_ns", "i8"),
        ("max_book_age_ns", "i8"),
        ("max_stream_age_ns", "i8"),
        ("max_clock_error_ns", "i8"),
        ("max_order_to_trade", "f8"),
        ("order_to_trade_free", "i8"),
        ("deny_duplicates", "i8"),
        ("deny_own_crossing", "i8"),
        ("post_only", "i8"),
        ("require_dead_man", "i8"),
        # told by the caller
        ("dead_man_armed", "i8"),
        ("stream_ns", "i8"),  # last sign of life of the stream of own orders
        ("clock_error_ns", "i8"),
        ("open_orders", "i8"),  # in all markets: every order that is live or may be
        ("other_gross", "f8"),  # worst case of the other markets than the order's, quote currency: see `gate.weigh`
        ("other_long", "f8"),
        ("other_short", "f8"),
        ("oldest_ns", "i8"),  # age of the oldest inventory of all markets
        # kept by the gate
        ("state", "i8"),  # State
        ("why", "i8"),  # Reason
        ("since_ns", "i8"),
        ("halted", "i8"),  # Reason of the halt, latched until a person re-arms; 0 none
        ("kept", "i8"),  # Reason of reduce-only until a person re-arms
        ("of_the_day", "i8"),  # Reason of reduce-only until the day is over
        ("marked", "i8"),  # 1 once the account was valued
        ("first", "f8"),  # its value then
        ("profit", "f8"),  # its value now - first
        ("day", "i8"),
        ("day_open", "f8"),  # profit when the day began
        ("peak", "f8"),  # the best profit
        ("rearmed_ns", "i8"),
        ("orders_today", "i8"),
        ("fills_today", "i8"),
        ("intents", "i8"),  # orders that may have left, and that have
        ("orders_out", "i8"),
        ("messages", "i8"),  # that have left, cancels included, and when the last of them did
        ("sent_ns", "i8", (MOST_MESSAGES,)),
        ("denied", "i8", (64,)),  # by Reason
        ("n_changes", "i8"),  # of state
        ("change_ns", "i8", (MOST_CHANGES,)),
        ("change_state", "i8", (MOST_CHANGES,)),
        ("change_why", "i8", (MOST_CHANGES,)),
    ]
)
"""One strategy."""

MARKET_GATE = _record(
    [
        # limits
        ("allowed", "i8"),
        ("price_collar", "f8"),  # fraction of the reference
        ("min_order_value", "f8"),  # quanta
        ("max_order_lots", "i8"),
        ("max_order_value", "f8"),
        ("max_open_value", "f8"),
        ("max_position_lots", "i8"),
        ("max_position_value", "f8"),
        ("quantum", "f8"),  # quote currency per money quantum
        ("n_bands", "i8"),  # tick table
        ("band_from", "i8", (_MOST_BANDS,)),
        ("band_step", "i8", (_MOST_BANDS,)),
        # told by the caller
        ("trading", "i8"),  # 1 in continuous trading
        ("bid_ticks", "i8"),  # best prices, as known here
        ("ask_ticks", "i8"),
        ("book_ns", "i8"),  # when the last message of the book came
        ("reference_ticks", "f8"),  # mid; NaN without one
        ("reference_ns", "i8"),
        ("lot_value", "f8"),  # of a lot at the reference, quanta; NaN without one
        ("position_lots", "i8"),
        ("orders", "i8"),  # every order that is live or may be
        ("open_lots", "i8", (2,)),  # in bids, in asks: each order at its largest
        ("open_value", "f8", (2,)),  # quanta
        ("own_bid_ticks", "i8"),  # best own prices, requests under way included
        ("own_ask_ticks", "i8"),
        # kept by the gate
        ("entry_ns", "i8"),  # when the lots held were bought, or sold short, on average
        ("fills", "i8", (2,)),  # of bids, of asks, and when the last of them were
        ("fill_ns", "i8", (2, MOST_FILLS_WATCHED)),
        ("log_reason", "i8", (2,)),  # what was last denied on each side, so that it is said once
        ("log_ticks", "i8", (2,)),
        ("log_lots", "i8", (2,)),
    ]
)
"""One strategy in one market."""

ASKED = _record(
    [
        ("side", "i8"),
        ("ticks", "i8"),
        ("lots", "i8"),
        ("lot_value", "f8"),  # of a lot at its price, quanta
        ("replaces", "i8"),  # 1: it takes the place of an open order
        ("freed_lots", "i8"),  # which counts so much in `open_lots`, and in `open_value`
        ("freed_value", "f8"),
        ("twins", "i8"),  # other open orders of its side, price and size
    ]
)
"""An order that wants to pass."""


def new_gate(limits: Limits, instruments: Sequence[Instrument]) -> tuple[Any, Any]:
    """Return a strategy's `GATE`, an array of one, and its `MARKET_GATE` records, as *limits* say: state normal, nothing happened.

    Raises:
        InputError: an allowed instrument that is not there, a tick table of more than 32 rows, or a limit on money of all markets
            where it is in several currencies.
    """
    _require_one_currency(limits, instruments)
    symbols = {each.symbol for each in instruments}
    for symbol in limits.instruments or ():
        if symbol not in symbols:
            raise InputError(f"instruments allows {symbol!r}, which is not traded here; known: {', '.join(sorted(symbols))}")
    gates, markets = np.zeros(1, GATE), np.zeros(len(instruments), MARKET_GATE)
    gate, age, halt = gates[0], limits.max_inventory_age, limits.inventory_age_halt
    for name in _ADDED:
        gate[name] = _or_infinite(getattr(limits, name)) * (1 - _SLACK if name in _LOSSES else 1 + _SLACK)
    gate.capital = float(limits.capital or 0)
    gate.reduce_only_from, gate.day_offset_ns = limits.reduce_only_from, limits.day_offset_ns
    gate.money_watched = int(any(value is not None for value in (limits.max_leverage, limits.max_daily_loss, limits.max_drawdown)))
    gate.max_age_ns, gate.halt_age_ns = _or_off(age), OFF if age is None or halt is None else _or_off(int(age * halt))
    gate.orders_per_second = OFF if limits.message_budget_per_second is None else limits.orders_per_second
    gate.max_fills, gate.fills_within_ns = _or_off(limits.max_fills_per_side), limits.fills_within
    gate.max_open_orders = _or_off(limits.max_open_orders)
    gate.max_reference_age_ns, gate.max_book_age_ns = limits.max_reference_age, _or_off(limits.max_book_age)
    gate.max_stream_age_ns, gate.max_clock_error_ns = _or_off(limits.max_stream_age), _or_off(limits.max_clock_error)
    gate.max_order_to_trade, gate.order_to_trade_free = _or_infinite(limits.max_order_to_trade), limits.order_to_trade_free
    for name in ("deny_duplicates", "deny_own_crossing", "post_only", "require_dead_man"):
        gate[name] = int(getattr(limits, name))
    for market, instrument in zip(markets, instruments, strict=True):
        _limit_market(market, limits, instrument)
    return gates, markets


def _limit_market(market: Any, limits: Limits, instrument: Instrument) -> None:
    quantum = instrument.money_quantum
    market.allowed = int(limits.instruments is None or instrument.symbol in limits.instruments)
    market.price_collar = math.inf if limits.price_collar_bps is None else limits.price_collar_bps / 10_000
    market.min_order_value = float((limits.min_order_value or Decimal(0)) / quantum)
    values = {
        "max_order_value": limits.max_order_value,
        "max_open_value": limits.max_open_value_per_side,
        "max_position_value": limits.max_position_value,
    }
    for name, limit in values.items():
        market[name] = math.inf if limit is None else float(limit / quantum)
    for name, limit in (("max_order_lots", limits.max_order_quantity), ("max_position_lots", limits.max_position)):
        market[name] = OFF if limit is None else min(int(limit / instrument.lot_size), OFF)  # part of a lot is none
    market.quantum = float(quantum)
    if len(instrument.tick_table) > _MOST_BANDS:
        raise InputError(f"{instrument.symbol} has a tick table of {len(instrument.tick_table)} rows; allowed: {_MOST_BANDS}")
    market.n_bands = len(instrument.tick_table)
    for i, band in enumerate(instrument.tick_table):
        market.band_from[i], market.band_step[i] = instrument.ticks(band.from_price), instrument.ticks(band.tick_size)
    market.reference_ticks = market.lot_value = math.nan
    market.bid_ticks = market.own_bid_ticks = NO_BID
    market.ask_ticks = market.own_ask_ticks = NO_ASK


def _or_off(limit: int | None) -> int:
    return OFF if limit is None else min(limit, OFF)


def _or_infinite(limit: Decimal | float | None) -> float:
    return math.inf if limit is None else float(limit)


def _require_one_currency(limits: Limits, instruments: Sequence[Instrument]) -> None:
    currencies = list(dict.fromkeys(each.currency for each in instruments))
    for name in _ADDED:
        if getattr(limits, name) is not None and len(currencies) > 1:
            raise InputError(
                f"{name} adds the markets' money, which is in {' and '.join(currencies)}; allowed with one currency only"
            )


def told(gate: Any) -> dict[str, Any]:
    """Return what became of a `GATE`, for people: its state and why, every change, and what was denied how often, by reason."""
    kept = min(int(gate.n_changes), MOST_CHANGES)
    return {
        "state": State(int(gate.state)).name,
        "why": Reason(int(gate.why)).name,
        "since_ns": int(gate.since_ns),
        "n_changes": int(gate.n_changes),
        "changes": [
            {
                "ns": int(gate.change_ns[i]),
                "state": State(int(gate.change_state[i])).name,
                "why": Reason(int(gate.change_why[i])).name,
            }
            for i in range(kept)
        ],
        "denied": {Reason(code).name: int(count) for code, count in enumerate(gate.denied) if count},
        "orders_out": int(gate.orders_out),
        "messages": int(gate.messages),
        "profit": float(gate.profit) if math.isfinite(gate.profit) else None,
    }
