"""The numbers of the order vocabulary as plain integers, which is what compiled code can pass around.

`twosided.market.order` says what each means: ``IS_`` is an `OrderState`, ``DO_`` an `OrderAction`, ``WHY_`` a `Reason`.
"""

from twosided.market.order import OrderAction, OrderState, Reason

__all__ = [
    "DO_ACCEPTED",
    "DO_CANCELLED",
    "DO_CANCEL_REJECTED",
    "DO_DENIED",
    "DO_FILLED",
    "DO_PARTIALLY_FILLED",
    "DO_REJECTED",
    "DO_REPLACED",
    "DO_SEND_CANCEL",
    "DO_SEND_NEW",
    "DO_SEND_REPLACE",
    "DO_TIMED_OUT",
    "IS_CANCELLED",
    "IS_FILLED",
    "IS_FREE",
    "IS_PENDING_CANCEL",
    "IS_PENDING_NEW",
    "IS_PENDING_REPLACE",
    "IS_REJECTED",
    "IS_UNKNOWN",
    "IS_WORKING",
    "WHY_BOOK_CROSSED",
    "WHY_HALTED",
    "WHY_NONE",
    "WHY_NOT_TRADING",
    "WHY_NO_FREE_SLOT",
    "WHY_OUTSIDE_BAND",
    "WHY_PRICE_OUT_OF_RANGE",
    "WHY_QUOTE",
    "WHY_QUOTE_MOVED",
    "WHY_QUOTE_SMALLER",
    "WHY_QUOTE_WITHDRAWN",
    "WHY_REDUCE_ONLY",
    "WHY_SELF_CROSS",
    "WHY_TOOK",
    "WHY_TOO_LATE",
    "WHY_TOP_UP",
    "WHY_TRADE_AT_PRICE",
    "WHY_TRADE_THROUGH",
    "WHY_TRIMMED",
    "WHY_WOULD_CROSS",
]

IS_CANCELLED = int(OrderState.CANCELLED)
IS_FILLED = int(OrderState.FILLED)
IS_FREE = int(OrderState.FREE)
IS_PENDING_CANCEL = int(OrderState.PENDING_CANCEL)
IS_PENDING_NEW = int(OrderState.PENDING_NEW)
IS_PENDING_REPLACE = int(OrderState.PENDING_REPLACE)
IS_REJECTED = int(OrderState.REJECTED)
IS_UNKNOWN = int(OrderState.UNKNOWN)
IS_WORKING = int(OrderState.WORKING)
DO_ACCEPTED = int(OrderAction.ACCEPTED)
DO_CANCELLED = int(OrderAction.CANCELLED)
DO_CANCEL_REJECTED = int(OrderAction.CANCEL_REJECTED)
DO_DENIED = int(OrderAction.DENIED)
DO_FILLED = int(OrderAction.FILLED)
DO_PARTIALLY_FILLED = int(OrderAction.PARTIALLY_FILLED)
DO_REJECTED = int(OrderAction.REJECTED)
DO_REPLACED = int(OrderAction.REPLACED)
DO_SEND_CANCEL = int(OrderAction.SEND_CANCEL)
DO_SEND_NEW = int(OrderAction.SEND_NEW)
DO_SEND_REPLACE = int(OrderAction.SEND_REPLACE)
DO_TIMED_OUT = int(OrderAction.TIMED_OUT)
WHY_BOOK_CROSSED = int(Reason.BOOK_CROSSED)
WHY_HALTED = int(Reason.HALTED)
WHY_NONE = int(Reason.NONE)
WHY_NOT_TRADING = int(Reason.NOT_TRADING)
WHY_NO_FREE_SLOT = int(Reason.NO_FREE_SLOT)
WHY_OUTSIDE_BAND = int(Reason.OUTSIDE_BAND)
WHY_PRICE_OUT_OF_RANGE = int(Reason.PRICE_OUT_OF_RANGE)
WHY_QUOTE = int(Reason.QUOTE)
WHY_QUOTE_MOVED = int(Reason.QUOTE_MOVED)
WHY_QUOTE_SMALLER = int(Reason.QUOTE_SMALLER)
WHY_QUOTE_WITHDRAWN = int(Reason.QUOTE_WITHDRAWN)
WHY_REDUCE_ONLY = int(Reason.REDUCE_ONLY)
WHY_SELF_CROSS = int(Reason.SELF_CROSS)
WHY_TOOK = int(Reason.TOOK)
WHY_TOO_LATE = int(Reason.TOO_LATE)
WHY_TOP_UP = int(Reason.TOP_UP)
WHY_TRADE_AT_PRICE = int(Reason.TRADE_AT_PRICE)
WHY_TRADE_THROUGH = int(Reason.TRADE_THROUGH)
WHY_TRIMMED = int(Reason.TRIMMED)
WHY_WOULD_CROSS = int(Reason.WOULD_CROSS)
