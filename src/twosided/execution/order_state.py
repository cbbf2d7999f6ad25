"""The order state machine: what we believe about an own order, and what each report changes.

Where you are in the pipe: strategy -> risk -> *order manager* -> venue. The same function runs in replay and live, without I/O.
Reports may come late, twice or in another order than things happened, so every state answers every report:

- a final state never becomes a live one again;
- a fill before its acknowledgement acknowledges;
- an answer that is overdue makes the order UNKNOWN, which only a report about this very order can end;
- a cancel or replace that came "too late" while we have seen no end of the order makes it UNKNOWN too: the venue must be asked.

The caller owes it two things that a state cannot know: a fill is counted once, by its execution number; and while a request is
under way, an answer to a replace or cancel is passed on only if it answers that request.
"""

from twosided._compile import compiled
from twosided.execution.codes import (
    DO_ACCEPTED,
    DO_CANCEL_REJECTED,
    DO_CANCELLED,
    DO_FILLED,
    DO_PARTIALLY_FILLED,
    DO_REJECTED,
    DO_REPLACED,
    DO_SEND_CANCEL,
    DO_SEND_NEW,
    DO_SEND_REPLACE,
    DO_TIMED_OUT,
    IS_CANCELLED,
    IS_FILLED,
    IS_FREE,
    IS_PENDING_CANCEL,
    IS_PENDING_NEW,
    IS_PENDING_REPLACE,
    IS_REJECTED,
    IS_UNKNOWN,
    IS_WORKING,
    WHY_TOO_LATE,
)

__all__ = ["ILLEGAL", "is_final", "is_live", "next_state"]

ILLEGAL = -1
"""Returned for a request that must not be sent in this state."""


def _is_final(state: int) -> bool:
    """Say whether the order has ended and can never trade again."""
    return state in (IS_FILLED, IS_CANCELLED, IS_REJECTED)


is_final = compiled(_is_final)


def _is_live(state: int) -> bool:
    """Say whether the order may trade: its open lots count against every limit. UNKNOWN counts."""
    return state != IS_FREE and not is_final(state)


is_live = compiled(_is_live)


def _next_state(state: int, action: int, reason: int) -> int:
    """Return the `OrderState` after *action* (an `OrderAction`: something we do, or a report), or `ILLEGAL`.

    Only sending can be illegal: a request needs an order that works and has no other request under way.
    """
    if action == DO_SEND_NEW:
        return IS_PENDING_NEW if state == IS_FREE else ILLEGAL
    if action == DO_SEND_CANCEL:
        return IS_PENDING_CANCEL if state == IS_WORKING else ILLEGAL
    if action == DO_SEND_REPLACE:
        return IS_PENDING_REPLACE if state == IS_WORKING else ILLEGAL
    if is_final(state) or state == IS_FREE:
        return state
    if action == DO_FILLED:
        return IS_FILLED
    if action == DO_CANCELLED:
        return IS_CANCELLED
    pending_new = state == IS_PENDING_NEW
    unknown = state == IS_UNKNOWN
    if action == DO_REJECTED:
        return IS_REJECTED if pending_new or unknown else state
    if action == DO_TIMED_OUT:
        return state if state == IS_WORKING else IS_UNKNOWN
    if action in (DO_ACCEPTED, DO_PARTIALLY_FILLED):
        return IS_WORKING if pending_new or unknown else state
    if action == DO_REPLACED:
        return IS_WORKING if state == IS_PENDING_REPLACE or unknown else state
    if action == DO_CANCEL_REJECTED and state in (IS_PENDING_CANCEL, IS_PENDING_REPLACE):
        return IS_UNKNOWN if reason == WHY_TOO_LATE else IS_WORKING
    return state


next_state = compiled(_next_state)
