"""Limit up-limit down as in the United States: nobody trades outside the bands, and a quote that rests on one stops the market.

Where you are in the pipe: trades and touch -> *price bands* -> status. The reference is the arithmetic mean of the trades of the
last five minutes, or since the opening where that is less long ago; it replaces the one that holds when it differs by a per cent
and that one has held for 30 s. The first is the first trade, after a pause too. Bands are reference × (1 ∓ share), rounded to the
nearest tick, multiplied at certain hours. When the best ask is at the lower band or the best bid at the upper one, a *limit state*
begins: bands stand still; it ends when that quote is gone, or after 15 s in a *pause* of five minutes, or until the close.

`twosided.market.band_rules` has the numbers. Simplified: the opening and reopening trade stand for the auctions; there is no
straddle state, which is the listing exchange's to declare; every trade is eligible.

Per trade or quote some tens of nanoseconds. State: one record and the ring of the last minutes' trades.
"""

from decimal import Decimal
from enum import IntEnum
from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.market.band_rules import PPM, LimitUpDownRule
from twosided.market.instrument import Instrument
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.recent_trades import RING_FIELDS, drop_oldest, ns_at, push

__all__ = ["LIMITS", "Phase", "limits_deadline", "limits_pass_time", "limits_quote", "limits_trade", "new_limits"]


class Phase(IntEnum):
    """What a share is in."""

    OUTSIDE = 0  # of the session: there are no bands
    NORMAL = 1
    LIMIT_DOWN = 2  # the best ask is at the lower band
    LIMIT_UP = 3  # the best bid is at the upper band
    PAUSED = 4


LIMITS = np.dtype(
    (
        np.record,
        [
            *RING_FIELDS,
            ("lookback_ns", "i8"),  # the rule
            ("least_move_ppm", "i8"),
            ("least_hold_ns", "i8"),
            ("limit_state_ns", "i8"),
            ("pause_ns", "i8"),
            ("no_reopening_ns", "i8"),
            ("ppm", "i8"),
            ("most", "i8"),  # 1e-4 ticks; 0: no such limit
            ("reference", "i8"),  # 1e-4 ticks; 0: none yet, so no bands
            ("held_since_ns", "i8"),
            ("low_ticks", "i8"),  # NO_BID where there is no band
            ("high_ticks", "i8"),  # NO_ASK where there is no band
            ("phase", "i8"),  # Phase
            ("since_ns", "i8"),  # beginning of the limit state
            ("until_ns", "i8"),  # end of the pause
            ("window", "i8"),  # row of the windows that has not ended
            ("session", "i8"),  # its end; 0 before the first
            ("pauses", "i8"),  # so far
        ],
    )
)
"""The state of one share."""

_FINE = 10_000
_FOREVER = (1 << 63) - 1
_OUTSIDE, _NORMAL, _DOWN, _UP, _PAUSED = (int(phase) for phase in Phase)


def new_limits(rule: LimitUpDownRule, instrument: Instrument, previous_close: Decimal) -> Any:
    """Return the state before the first trade of a share that closed at *previous_close*.

    Raises:
        InputError: a close that is not positive.
    """
    state = np.zeros(1, LIMITS)[0]
    for name in ("lookback_ns", "least_move_ppm", "least_hold_ns", "limit_state_ns", "pause_ns", "no_reopening_ns"):
        state[name] = getattr(rule, name)
    state.ppm, most = rule.width(previous_close)
    state.most = int(most * _FINE / instrument.tick_size)
    state.low_ticks, state.high_ticks = NO_BID, NO_ASK
    return state


def _forget(state: Any) -> None:
    """Begin anew: the next trade is the reference."""
    state.kept, state.total_ticks, state.reference = 0, 0, 0
    state.low_ticks, state.high_ticks = NO_BID, NO_ASK


forget = compiled(_forget)


def _set_bands(state: Any, factor: int) -> None:
    """Put the bands around the reference."""
    if state.reference == 0:
        return
    half = (state.reference * state.ppm + PPM // 2) // PPM
    if state.most > 0:
        half = min(half, state.most)
    half *= factor
    state.low_ticks = max((state.reference - half + _FINE // 2) // _FINE, 0)
    state.high_ticks = (state.reference + half + _FINE // 2) // _FINE


set_bands = compiled(_set_bands)


def _limits_deadline(state: Any) -> int:
    """Return when the state will change if nothing else happens: the end of a limit state or of a pause."""
    if state.phase == _PAUSED:
        return int(state.until_ns)
    if state.phase in (_DOWN, _UP):
        return int(state.since_ns + state.limit_state_ns)
    return _FOREVER


limits_deadline = compiled(_limits_deadline)


def _meet_deadline(state: Any, ns: int) -> None:
    """Do what is due at *ns*, a deadline: pause, or open again."""
    if state.phase == _PAUSED:
        state.phase = _NORMAL
        forget(state)
    else:
        state.phase = _PAUSED
        state.pauses += 1
        late = ns >= state.session - state.no_reopening_ns
        state.until_ns = state.session if late else ns + state.pause_ns


meet_deadline = compiled(_meet_deadline)


def _limits_pass_time(state: Any, ring: Any, windows: Any, ns: int) -> None:
    """Let time pass until *ns*, which no deadline precedes (see `limits_deadline`): old trades leave, the reference moves.

    Args:
        state: of `LIMITS`.
        ring: of `recent_trades`.
        windows: `LimitUpDownRule.windows`, shape (n, 4).
        ns: exchange time; never less than before.
    """
    while state.window < windows.shape[0] and ns >= windows[state.window, 1]:
        state.window += 1
    if state.window == windows.shape[0] or ns < windows[state.window, 0]:
        state.phase = _OUTSIDE
        forget(state)
        return
    if windows[state.window, 3] != state.session:
        state.session, state.phase = windows[state.window, 3], _NORMAL
        forget(state)
    if ns == limits_deadline(state):
        meet_deadline(state, ns)
    while state.kept > 0 and ns_at(state, ring, 0) <= ns - state.lookback_ns:
        drop_oldest(state, ring)
    if state.phase != _NORMAL:
        return
    if state.kept > 0 and state.reference > 0 and ns - state.held_since_ns >= state.least_hold_ns:
        mean = (2 * state.total_ticks * _FINE + state.kept) // (2 * state.kept)
        if abs(mean - state.reference) * PPM >= state.reference * state.least_move_ppm:
            state.reference, state.held_since_ns = mean, ns
    set_bands(state, windows[state.window, 2])


limits_pass_time = compiled(_limits_pass_time)


def _limits_trade(state: Any, ring: Any, windows: Any, ns: int, ticks: int) -> None:
    """Take in a trade, outside a pause. The ring must have room for one more. Arguments as of `limits_pass_time`."""
    limits_pass_time(state, ring, windows, ns)
    if state.phase in (_OUTSIDE, _PAUSED):
        return
    push(state, ring, ns, ticks)
    if state.reference == 0:
        state.reference, state.held_since_ns = ticks * _FINE, ns
        set_bands(state, windows[state.window, 2])


limits_trade = compiled(_limits_trade)


def _limits_quote(state: Any, ring: Any, windows: Any, ns: int, bid_ticks: int, ask_ticks: int) -> None:
    """Take in a new touch: a limit state begins or ends. An empty side is `NO_BID` or `NO_ASK`; a crossed touch is left alone.

    Other arguments as of `limits_pass_time`.
    """
    limits_pass_time(state, ring, windows, ns)
    if bid_ticks >= ask_ticks:
        return
    if state.phase == _NORMAL and state.reference > 0 and (ask_ticks <= state.low_ticks or bid_ticks >= state.high_ticks):
        state.phase, state.since_ns = _DOWN if ask_ticks <= state.low_ticks else _UP, ns
    elif (state.phase == _DOWN and ask_ticks > state.low_ticks) or (state.phase == _UP and bid_ticks < state.high_ticks):
        state.phase = _NORMAL


limits_quote = compiled(_limits_quote)
