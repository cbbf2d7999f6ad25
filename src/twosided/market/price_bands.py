"""Price bands and pauses of a recorded or generated market, written into its events.

Where you are in the pipe: *events* -> events. Which price limits hold, and when trading pauses, follows from trades, the touch and
a published rule (`band_rules`). `price_bands` says it as a table of what changed when; `with_price_bands` puts it among the events,
as BAND and STATUS, which every engine obeys: strategies see the limits, orders beyond them are refused, nothing is filled in a
pause.

A recording is what happened: nothing in it is undone. Where its venue had the same rule, no trade lies outside; where it had none
(a generated market), `PriceBands.refused` counts the trades that would not have been.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.market.band_rules import BandRule, LimitUpDownRule, band_rule, days_of
from twosided.market.event import EVENT, Events, Flag, Kind, Status, exchange_order
from twosided.market.instrument import Instrument
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.limit_up_down import Phase, limits_deadline, limits_pass_time, limits_quote, limits_trade, new_limits
from twosided.market.recent_trades import grow_ring, is_ring_full, new_ring
from twosided.market.tick_tables import step_rows
from twosided.market.touch import touches
from twosided.market.volatility_control import control_pass_time, control_trade, new_control
from twosided.units import exact_decimal

__all__ = ["BAND_CHANGE", "PriceBands", "price_bands", "with_price_bands"]

BAND_CHANGE = np.dtype(
    (
        np.record,
        [
            ("exch_ns", "<i8"),
            ("local_ns", "<i8"),
            ("low_ticks", "<i8"),  # NO_BID where there is no limit
            ("high_ticks", "<i8"),  # NO_ASK where there is no limit
            ("phase", "<i8"),  # limit up-down: Phase; volatility control: 1 in a cooling-off period, else 0
        ],
    )
)
"""What holds from an instant on."""

_TRADE = int(Kind.TRADE)
_PAUSED = int(Phase.PAUSED)
_NEXT, _LINES, _LAST_NS, _TOUCH = 0, 1, 2, 3  # words of the cursor
_SPARE = 4  # lines that one event may need


@dataclass(frozen=True)
class PriceBands:
    """What `price_bands` returns.

    Attributes:
        changes: shape (n,), dtype `BAND_CHANGE`, by exchange time.
        refused: trades of the recording that lie outside the limits.
        triggers: cooling-off periods or pauses.
    """

    changes: npt.NDArray[np.record]
    refused: int
    triggers: int


def _write_change(event: Any, ns: int, state: Any, phase: int, lines: Any, cursor: Any) -> None:
    """Note what holds from *ns* on, where it is not what the line before says; *event* is known at *ns* or just after."""
    count = cursor[_LINES]
    low, high, before = NO_BID, NO_ASK, 0
    if count > 0:
        low, high, before = lines[count - 1].low_ticks, lines[count - 1].high_ticks, lines[count - 1].phase
    if state.low_ticks == low and state.high_ticks == high and phase == before:
        return
    line = lines[count]
    line.exch_ns, line.local_ns = ns, ns + (event.local_ns - event.exch_ns)
    line.low_ticks, line.high_ticks, line.phase = state.low_ticks, state.high_ticks, phase
    cursor[_LINES] = count + 1


write_change = compiled(_write_change)


def _follow_control(events: Any, state: Any, ring: Any, windows: Any, steps: Any, lines: Any, cursor: Any) -> None:
    """Take events into a volatility control until they end, or until ring or lines may not suffice."""
    while cursor[_NEXT] < events.shape[0] and not is_ring_full(state, ring) and cursor[_LINES] + _SPARE <= lines.shape[0]:
        event = events[cursor[_NEXT]]
        ns = event.exch_ns
        if event.kind == _TRADE:
            ticks: Any = np.int64(event.ticks)
            control_trade(state, ring, windows, steps, ns, ticks)
        else:
            control_pass_time(state, ring, windows, steps, ns)
        write_change(event, ns, state, 1 if state.until_ns > 0 else 0, lines, cursor)
        cursor[_NEXT] += 1


follow_control = compiled(_follow_control)


def _follow_limits(events: Any, tops: Any, state: Any, ring: Any, windows: Any, lines: Any, cursor: Any) -> None:
    """Take events and the touches that they left into limit up-down until they end, or until ring or lines may not suffice."""
    while cursor[_NEXT] < events.shape[0] and not is_ring_full(state, ring) and cursor[_LINES] + _SPARE <= lines.shape[0]:
        event = events[cursor[_NEXT]]
        ns = event.exch_ns
        while limits_deadline(state) <= ns:
            due = limits_deadline(state)
            limits_pass_time(state, ring, windows, due)
            write_change(event, due, state, state.phase, lines, cursor)
        if event.kind == _TRADE:
            ticks: Any = np.int64(event.ticks)
            cursor[_LAST_NS] += ticks < state.low_ticks or ticks > state.high_ticks
            limits_trade(state, ring, windows, ns, ticks)
        else:
            limits_pass_time(state, ring, windows, ns)
        if cursor[_TOUCH] < tops.shape[0] and tops[cursor[_TOUCH]].event == cursor[_NEXT]:
            top = tops[cursor[_TOUCH]]
            limits_quote(state, ring, windows, ns, top.bid_ticks, top.ask_ticks)
            cursor[_TOUCH] += 1
        write_change(event, ns, state, state.phase, lines, cursor)
        cursor[_NEXT] += 1


follow_limits = compiled(_follow_limits)


def price_bands(
    events: Events,
    instrument: Instrument,
    rule: str | BandRule,
    *,
    previous_close: str | float | Decimal | None = None,
    market: int = 0,
) -> PriceBands:
    """Return which price limits hold when, and when trading pauses.

    Args:
        events: of one or several markets, shape (n,), dtype `EVENT`.
        instrument: of *market*.
        rule: its name, see `band_rule`, or the rule.
        previous_close: limit up-down needs it: it decides how wide bands are. A volatility control takes it as reference until a
            trade is old enough; without it there are no limits until then.
        market: whose limits.

    Raises:
        InputError: an unknown rule, or a previous close that is missing or not positive.
    """
    rule = band_rule(rule) if isinstance(rule, str) else rule
    close = None if previous_close is None else exact_decimal(previous_close, name="previous_close")
    ours = exchange_order(events[events["market"] == market])
    if not len(ours):
        return PriceBands(cast("Any", np.zeros(0, BAND_CHANGE)), 0, 0)
    days = days_of(int(ours["exch_ns"][0]), int(ours["exch_ns"][-1]), rule.timezone)
    if isinstance(rule, LimitUpDownRule):
        if close is None:
            raise InputError(f"rule {rule.name} needs previous_close: how wide its bands are depends on it")
        state = new_limits(rule, instrument, close)
        tops, windows = touches(ours, market), rule.windows(days, close)
        changes, cursor = _followed(ours, state, lambda *end: follow_limits(ours, tops, state, end[0], windows, *end[1:]))
        return PriceBands(changes, int(cursor[_LAST_NS]), int(state.pauses))
    reference = 0 if close is None else instrument.ticks(close, name="previous_close")
    control = new_control(rule, reference)
    windows, steps = rule.windows(days), step_rows(instrument)
    changes, _ = _followed(ours, control, lambda *end: follow_control(ours, control, end[0], windows, steps, *end[1:]))
    return PriceBands(changes, int(control.refused), int(control.all_triggers))


def _followed(ours: Events, state: Any, follow: Any) -> tuple[Any, npt.NDArray[np.int64]]:
    """Run *follow* (ring, lines, cursor) over all events, with arrays that grow."""
    lines: Any = np.zeros(4096, BAND_CHANGE)
    ring, cursor = new_ring(), np.zeros(4, np.int64)
    while cursor[_NEXT] < len(ours):
        follow(ring, lines, cursor)
        if is_ring_full(state, ring):
            ring = grow_ring(ring, state)
        if cursor[_LINES] + _SPARE > len(lines):
            lines = np.concatenate([lines, np.zeros_like(lines)])
    return lines[: cursor[_LINES]].copy(), cursor


def with_price_bands(
    events: Events,
    instrument: Instrument,
    rule: str | BandRule,
    *,
    previous_close: str | float | Decimal | None = None,
    market: int = 0,
) -> Events:
    """Return *events* with BAND for every change of the limits, and STATUS where a pause begins and ends.

    They arrive here as late as the event that made them known. Arguments and errors as of `price_bands`.
    """
    rule = band_rule(rule) if isinstance(rule, str) else rule
    changes: Any = price_bands(events, instrument, rule, previous_close=previous_close, market=market).changes
    paused = (changes["phase"] == _PAUSED) & isinstance(rule, LimitUpDownRule)
    added = np.concatenate(
        [
            _said(changes, changes["low_ticks"], NO_BID, Kind.BAND, -1),
            _said(changes, changes["high_ticks"], NO_ASK, Kind.BAND, 1),
            _said(changes, np.where(paused, Status.HALT, Status.OPEN), Status.OPEN, Kind.STATUS, 0),
        ]
    )
    added = added[np.argsort(added["exch_ns"], kind="stable")]
    added["market"] = market
    added["flags"] = np.where(np.diff(added["exch_ns"], append=np.int64(-1)) != 0, Flag.LAST_OF_MESSAGE, 0)
    both = np.concatenate([events, added])
    return cast("Events", both[np.argsort(both["local_ns"], kind="stable")])


def _said(changes: Any, values: npt.NDArray[np.int64], none: int, kind: Kind, side: int) -> Any:
    """Return an event for each of *changes* where *values* became another; *none* is what held before the first."""
    changed = np.diff(values, prepend=np.int64(none)) != 0
    events: Any = np.zeros(np.count_nonzero(changed), EVENT)
    for name in ("exch_ns", "local_ns"):
        events[name] = changes[name][changed]
    events["kind"], events["side"] = kind, side
    if kind == Kind.STATUS:
        events["lots"] = values[changed]
    else:
        events["lots"] = values[changed] != none
        events["ticks"] = np.where(values[changed] != none, values[changed], 0)
    return events
