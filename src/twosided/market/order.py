"""The vocabulary of own orders: states, what may happen to them, and the records of the run's logs.

The numbers in these enumerations stand in saved Runs and in digests: add at the end, never renumber.
"""

from enum import IntEnum
from typing import Any, Self

import numpy as np

__all__ = [
    "DECISION",
    "EQUITY",
    "FILL",
    "MID",
    "ORDER_EVENT",
    "QUOTE_CHANGE",
    "FillCause",
    "OrderAction",
    "OrderState",
    "Reason",
]


def _record(fields: list[tuple[str, str]]) -> np.dtype[Any]:
    return np.dtype((np.record, fields))


class OrderState(IntEnum):
    """Where an own order stands, as far as we know.

    UNKNOWN is not REJECTED: a request whose answer was lost may be live at the venue, counts against every limit, and is never
    sent again before the venue has said what it is.
    """

    FREE = 0  # no order: an empty slot
    PENDING_NEW = 1  # sent, not acknowledged
    WORKING = 2  # acknowledged, rests
    PENDING_CANCEL = 3  # cancel sent
    PENDING_REPLACE = 4  # replace sent
    FILLED = 5
    CANCELLED = 6
    REJECTED = 7
    UNKNOWN = 8  # an answer is overdue


class OrderAction(IntEnum):
    """One line of the order log: what we sent, or what the venue reported."""

    SEND_NEW = 1
    SEND_CANCEL = 2
    SEND_REPLACE = 3
    ACCEPTED = 4
    REPLACED = 5
    CANCELLED = 6
    REJECTED = 7  # a new order was refused
    CANCEL_REJECTED = 8  # a cancel or replace came too late
    PARTIALLY_FILLED = 9
    FILLED = 10
    DENIED = 11  # never sent: stopped by our own checks
    TIMED_OUT = 12  # no answer in time: the order is UNKNOWN


class Reason(IntEnum):
    """Why an order was sent, moved, refused or stopped; every line of the order log has one.

    Each says in `words` what it means, and, where risk controls deny an order or change their state, which `control` that is. The
    tables of docs/results.md and docs/risk.md are made of this enumeration, and a test proves it.
    """

    words: str
    control: str

    def __new__(cls, number: int, words: str = "", control: str = "") -> Self:
        """Make a member of its number, what it means, and the risk control that it belongs to."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.words, member.control = words, control
        return member

    NONE = 0, "no reason is needed"
    QUOTE = 1, "the strategy asked for this quote"
    QUOTE_MOVED = 2, "the strategy moved it"
    QUOTE_WITHDRAWN = 3, "the strategy no longer wants it"
    QUOTE_SMALLER = 4, "reduced in place, queue priority kept"
    TOP_UP = 5, "little was left of it: replaced by the full size"
    WOULD_CROSS = 6, "post-only, and it would have taken liquidity", "C12"
    NOT_TRADING = 7, "the market is not in continuous trading", "C16"
    SELF_CROSS = 8, "would have met an own order on the other side", "C11"
    TOO_LATE = 9, "the order was gone when the request arrived"
    NO_FREE_SLOT = 10, "more requests in flight than the run keeps room for"
    PRICE_OUT_OF_RANGE = 11, "not positive, or beyond what the book can hold"
    TRADE_AT_PRICE = 12, "filled: the queue ahead was used up"
    TRADE_THROUGH = 13, "filled: a trade printed beyond our price"
    BOOK_CROSSED = 14, "filled: the opposite best quote reached our price"
    TOOK = 15, "filled on arrival, as taker"
    IMMEDIATE_REMAINDER = 16, "immediate-or-cancel: what could not trade at once"
    TRIMMED = 17, "sent smaller than asked for: the limits leave room for no more", "C6"
    PRICE_COLLAR = 18, "further from the reference price than price_collar_bps", "C1"
    STALE_REFERENCE = 19, "no reference price, or one older than max_reference_age", "C1"
    INVALID_PRICE = 20, "not a price of the tick table", "C2"
    INVALID_SIZE = 21, "less than one lot, or less than min_order_value", "C2"
    MAX_ORDER_QUANTITY = 22, "larger than max_order_quantity, or than any number of lots can be", "C3"
    MAX_ORDER_VALUE = 23, "worth more than max_order_value", "C4"
    MAX_OPEN_VALUE = 24, "open orders of this side would be worth more than max_open_value_per_side", "C5"
    MAX_POSITION = 25, "if every open order of this side filled, the position would be beyond max_position", "C6"
    MAX_POSITION_VALUE = 26, "if every open order of this side filled, it would be worth more than max_position_value", "C6"
    MAX_GROSS_VALUE = 27, "worst-case positions of all markets would add up to more than max_gross_value", "C7"
    MAX_NET_VALUE = 28, "worst-case positions of all markets would net to more than max_net_value", "C7"
    MAX_LEVERAGE = 29, "worst-case gross value would be more than max_leverage times what is left of the capital", "C7"
    DAILY_LOSS = 30, "lost since the day began: reduce-only from a share of max_daily_loss on, halted at all of it", "C8"
    DRAWDOWN = 31, "lost since the best moment: reduce-only from a share of max_drawdown on, halted at all of it", "C8"
    INVENTORY_AGE = 32, "inventory older than max_inventory_age: reduce-only; halted at inventory_age_halt times that", "C8"
    MESSAGE_BUDGET = 33, "the second's message budget is used up, but for what is kept for cancels", "C9"
    DUPLICATE = 34, "an own order of the same side, price and size is open", "C10"
    REPEATED_FILLS = 35, "as many fills of one side within the time as max_fills_per_side: halted", "C13"
    MAX_OPEN_ORDERS = 36, "as many orders are open as max_open_orders", "C14"
    STALE_BOOK = 37, "the book is older than max_book_age", "C15"
    STALE_STREAM = 38, "nothing was heard of own orders for longer than max_stream_age", "C15"
    CLOCK_ERROR = 39, "our clock may be wrong by more than max_clock_error", "C15"
    NOT_ALLOWED = 40, "the instrument is not one of those allowed", "C16"
    ORDER_WITHOUT_INTENT = 41, "more orders left than risk controls had passed: halted", "C17"
    ORDER_TO_TRADE = 42, "too many orders for the fills of the day", "C18"
    DEAD_MAN = 43, "neither dead-man timer nor cancel-on-disconnect is armed", "C19"
    KILL_SWITCH = 44, "a person stopped it: halted", "C20"
    REDUCE_ONLY = 45, "only orders that bring the position towards zero pass", "C8"
    HALTED = 46, "nothing passes but cancels, until a person re-arms", "C20"
    NO_EQUITY = 47, "the account cannot be valued, so losses cannot be watched", "C8"
    OUTSIDE_BAND = 48, "a purchase above, or a sale below, the price limit of the market"


class FillCause(IntEnum):
    """Why a fill happened; a subset of `Reason` by number."""

    TRADE_AT_PRICE = 12
    TRADE_THROUGH = 13
    BOOK_CROSSED = 14
    TOOK = 15


FILL = _record(
    [
        ("exch_ns", "<i8"),  # when the exchange matched it
        ("local_ns", "<i8"),  # when we learnt of it
        ("strategy", "<i4"),  # row of the strategy in a shared pass
        ("market", "<i1"),
        ("order_id", "<i4"),  # that strategy's own message number
        ("side", "<i1"),  # +1 we bought, -1 we sold
        ("ticks", "<i4"),
        ("lots", "<i8"),
        ("maker", "<i1"),  # 1 maker, 0 taker
        ("hedge", "<i1"),  # 1 when the order was marked as a hedge
        ("fee", "<i8"),  # money quanta, positive = paid; taxes are apart
        ("tax", "<i8"),  # money quanta
        ("position_lots", "<i8"),  # after the fill
        ("cause", "<i1"),  # FillCause
    ]
)
"""One own fill, in the order of the exchange's clock."""

ORDER_EVENT = _record(
    [
        ("ns", "<i8"),  # our clock
        ("strategy", "<i4"),
        ("market", "<i1"),
        ("order_id", "<i4"),
        ("action", "<i1"),  # OrderAction
        ("reason", "<i1"),  # Reason
        ("side", "<i1"),
        ("ticks", "<i8"),
        ("lots", "<i8"),  # size asked for, or filled by this report
        ("open_lots", "<i8"),  # what is still open, as far as we know
    ]
)
"""One line of the audit trail."""

QUOTE_CHANGE = _record(
    [
        ("ns", "<i8"),  # our clock
        ("strategy", "<i4"),
        ("market", "<i1"),
        ("side", "<i1"),
        ("level", "<i2"),  # 0 is nearest to the mid
        ("ticks", "<i8"),
        ("lots", "<i8"),  # 0: no quote on this level
    ]
)
"""What a strategy wanted, whenever that changed."""

DECISION = _record(
    [
        ("ns", "<i8"),  # our clock
        ("strategy", "<i4"),
        ("wake", "<i1"),  # bits of strategies.contract.Wake: why it was woken
        ("bid_ticks", "<i4"),  # what it saw of market 0
        ("ask_ticks", "<i4"),
        ("position_lots", "<i8"),  # what it believed to hold in market 0
    ]
)
"""One waking of a strategy."""

EQUITY = _record(
    [
        ("ns", "<i8"),  # exchange clock
        ("strategy", "<i4"),
        ("market", "<i1"),
        ("position_lots", "<i8"),
        ("cash", "<i8"),  # money quanta, fees, taxes and funding already taken off
        ("fees", "<i8"),  # money quanta, fees and taxes so far
        ("mid_half_ticks", "<i8"),  # bid + ask of the last valid mid, in ticks: twice the mid
    ]
)
"""The account at one instant; equity = cash + position_lots × mid_half_ticks × half_tick_lot; see
`twosided.market.instrument` for inverse contracts."""

MID = _record(
    [
        ("exch_ns", "<i8"),
        ("market", "<i1"),
        ("bid_ticks", "<i4"),
        ("ask_ticks", "<i4"),
    ]
)
"""The touch at the exchange whenever it changed after a whole message, valid (both sides, not crossed, market open) states only."""
