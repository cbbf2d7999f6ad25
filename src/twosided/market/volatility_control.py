"""Volatility control as at Hong Kong Exchanges: an order that would trade too far from the price of five minutes ago is refused.

Where you are in the pipe: orders -> *price bands* -> matching. Not a halt. While it watches, the limits are
reference × (1 ∓ share), rounded inward to valid prices, and move as the reference does: the last price that is at least `lookback`
old. The first order that would trade outside is refused and begins a cooling-off period, in which the limits stand still and orders
that would trade outside are refused as well; then it watches again. `twosided.market.band_rules` has the numbers.

Per trade some tens of nanoseconds: every trade enters and leaves a ring once. State: one record and the ring of the last minutes'
price changes.
"""

from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided.market.band_rules import PPM, VolatilityControlRule
from twosided.market.ladder import NO_ASK, NO_BID
from twosided.market.recent_trades import RING_FIELDS, drop_oldest, newest_ticks, ns_at, push, ticks_at
from twosided.market.tick_tables import valid_at_or_above, valid_at_or_below

__all__ = ["CONTROL", "control_pass_time", "control_trade", "new_control"]

CONTROL = np.dtype(
    (
        np.record,
        [
            *RING_FIELDS,
            ("ppm", "i8"),  # the rule
            ("lookback_ns", "i8"),
            ("cooling_ns", "i8"),
            ("most_triggers", "i8"),
            ("reference_ticks", "i8"),  # 0: none yet, so no limits
            ("low_ticks", "i8"),  # NO_BID where there is no limit
            ("high_ticks", "i8"),  # NO_ASK where there is no limit
            ("until_ns", "i8"),  # end of the cooling-off period; 0 outside one
            ("triggers", "i8"),  # in this session
            ("all_triggers", "i8"),  # so far
            ("refused", "i8"),  # orders so far
            ("window", "i8"),  # row of the windows that has not ended
            ("session", "i8"),
        ],
    )
)
"""The state of one instrument."""


def new_control(rule: VolatilityControlRule, reference_ticks: int = 0) -> Any:
    """Return the state before the first trade; *reference_ticks* holds until there is a price that is old enough."""
    state = np.zeros(1, CONTROL)[0]
    for name in ("ppm", "lookback_ns", "cooling_ns", "most_triggers"):
        state[name] = getattr(rule, name)
    state.reference_ticks = reference_ticks
    state.low_ticks, state.high_ticks, state.session = NO_BID, NO_ASK, -1
    return state


def _find_window(state: Any, windows: Any, ns: int) -> bool:
    """Go to the window that *ns* is in; say whether it is in one."""
    while state.window < windows.shape[0] and ns >= windows[state.window, 1]:
        state.window += 1
    if state.window == windows.shape[0] or ns < windows[state.window, 0]:
        return False
    if windows[state.window, 2] != state.session:
        state.session, state.triggers = windows[state.window, 2], 0
    return True


find_window = compiled(_find_window)


def _control_pass_time(state: Any, ring: Any, windows: Any, steps: Any, ns: int) -> None:
    """Let time pass until *ns*: the reference moves on, a cooling-off period ends, sessions begin and end.

    Args:
        state: of `CONTROL`.
        ring: of `recent_trades`.
        windows: `VolatilityControlRule.windows`, shape (n, 3).
        steps: `tick_tables.step_rows`, shape (m, 2).
        ns: exchange time; never less than before.
    """
    watched = find_window(state, windows, ns)
    if state.until_ns > 0 and ns >= state.until_ns:
        state.until_ns = 0
    old_ns = ns - state.lookback_ns
    while state.kept > 1 and ns_at(state, ring, 1) <= old_ns:
        drop_oldest(state, ring)
    if state.kept > 0 and ns_at(state, ring, 0) <= old_ns:
        state.reference_ticks = ticks_at(state, ring, 0)
    if state.until_ns > 0:
        return
    state.low_ticks, state.high_ticks = NO_BID, NO_ASK
    if watched and state.reference_ticks > 0 and (state.most_triggers == 0 or state.triggers < state.most_triggers):
        low = -(-state.reference_ticks * (PPM - state.ppm) // PPM)
        state.low_ticks = valid_at_or_above(steps, low)
        state.high_ticks = valid_at_or_below(steps, state.reference_ticks * (PPM + state.ppm) // PPM)


control_pass_time = compiled(_control_pass_time)


def _control_trade(state: Any, ring: Any, windows: Any, steps: Any, ns: int, ticks: int) -> bool:
    """Let an order come that would trade at *ticks*; return whether it may. The ring must have room for one more.

    Arguments as of `control_pass_time`.
    """
    control_pass_time(state, ring, windows, steps, ns)
    if state.low_ticks <= ticks <= state.high_ticks:
        if newest_ticks(state, ring) != ticks:  # what the last price was at any time, does not need the others
            push(state, ring, ns, ticks)
        return True
    state.refused += 1
    if state.until_ns == 0:
        state.until_ns = ns + state.cooling_ns
        state.triggers += 1
        state.all_triggers += 1
    return False


control_trade = compiled(_control_trade)
