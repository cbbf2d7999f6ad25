"""A desk for tests of the gate: a market at 150, and what its caller would tell it; and a judge who only knows the rules."""

import math
from fractions import Fraction

import numpy as np

from twosided.market.instrument import Instrument, TickBand
from twosided.market.order import Reason
from twosided.risk.gate import check_order, trim
from twosided.risk.limits import Limits
from twosided.risk.state import ASKED, State, new_gate

SHARE = Instrument(symbol="SHARE", tick_size="0.01", lot_size="1")
BANDED = Instrument(
    symbol="BANDED",
    tick_size="0.01",
    lot_size="1",
    tick_table=(TickBand(from_price="0", tick_size="0.01"), TickBand(from_price="100", tick_size="0.05")),
)
S = 1_000_000_000
NOW = 1_000_000 * S
MID = 15_000


class Desk:
    """A gate, one market of it, and an order to ask for; prices in ticks of 0.01."""

    def __init__(self, instrument=SHARE, **limits):
        self.instrument, self.limits = instrument, Limits(**limits)
        (self.gate,), (self.market,) = new_gate(self.limits, [instrument])
        self.asked = np.zeros(1, ASKED)[0]
        self.now_ns = NOW
        m = self.market
        m.trading, m.bid_ticks, m.ask_ticks = 1, MID - 1, MID + 1
        m.book_ns = m.reference_ns = self.gate.stream_ns = NOW
        m.reference_ticks, m.lot_value = MID, self.value(MID)

    def value(self, ticks):
        """Return what a lot is worth at a price, quanta."""
        return float(2 * ticks * self.instrument.half_tick_lot)

    def tell(self, **known):
        """Tell the gate something: of the market, or of itself."""
        for name, value in known.items():
            record = self.market if name in self.market.dtype.names else self.gate
            record[name] = value
        return self

    def put(self, side, ticks, lots, replaces=None, twins=0):
        """Write down an order; *replaces* is (ticks, lots) of the one whose place it takes."""
        a = self.asked
        a.side, a.ticks, a.lots, a.lot_value, a.twins = side, ticks, lots, self.value(ticks), twins
        a.replaces = int(replaces is not None)
        a.freed_lots, a.freed_value = (replaces[1], self.value(replaces[0]) * replaces[1]) if replaces else (0, 0.0)
        return a

    def ask(self, side, ticks, lots, **more):
        """Return the verdict on an order: PASS, or the name of the reason."""
        code = check_order(self.gate, self.market, self.put(side, ticks, lots, **more), self.now_ns)
        return Reason(code).name if code else "PASS"

    def room(self, side, ticks, lots, **more):
        """Return how many lots the limits on the position leave room for."""
        return trim(self.gate, self.market, self.put(side, ticks, lots, **more))


def judge(desk, side, ticks, lots, replaces=None, twins=0):
    """Return the verdict that follows from the limits as people write them: exact fractions, no records, no order of haste."""
    limits, m, g = desk.limits, desk.market, desk.gate
    price, lot = Fraction(ticks) * Fraction(desk.instrument.tick_size), Fraction(desk.instrument.lot_size)
    mid = None if math.isnan(m.reference_ticks) else Fraction(float(m.reference_ticks)) * Fraction(desk.instrument.tick_size)
    quantum = Fraction(desk.instrument.money_quantum)
    index = 0 if side > 0 else 1
    freed_lots = replaces[1] if replaces else 0
    freed_value = Fraction(replaces[0]) * Fraction(desk.instrument.tick_size) * replaces[1] * lot if replaces else 0
    held, same, opposite = side * int(m.position_lots), int(m.open_lots[index]) - freed_lots, int(m.open_lots[1 - index])
    worst = held + same + lots
    value = abs(price) * lot * lots
    worth = None if mid is None else max(abs(price), abs(mid)) * lot
    gross_lots, gross_before = max(worst, opposite - held), max(worst - lots + freed_lots, opposite - held)

    def over(amount, limit):
        return limit is not None and (amount is None or amount > Fraction(limit))

    def old(then_ns, limit_ns):
        return limit_ns is not None and abs(desk.now_ns - int(then_ns)) > limit_ns

    gross = None if worth is None else Fraction(float(g.other_gross)) + gross_lots * worth
    net = None if worth is None else Fraction(float(g.other_long if side > 0 else g.other_short)) + worst * worth
    left = Fraction(limits.capital or 0) + Fraction(float(g.profit))
    collar = limits.price_collar_bps
    rules = [
        ("HALTED", g.state == State.HALTED),
        ("NOT_ALLOWED", limits.instruments is not None and desk.instrument.symbol not in limits.instruments),
        ("NOT_TRADING", m.trading == 0),
        ("DEAD_MAN", limits.require_dead_man and g.dead_man_armed == 0),
        ("STALE_BOOK", old(m.book_ns, limits.max_book_age)),
        ("STALE_STREAM", old(g.stream_ns, limits.max_stream_age)),
        ("CLOCK_ERROR", over(abs(int(g.clock_error_ns)), limits.max_clock_error)),
        ("STALE_REFERENCE", collar is not None and (mid is None or old(m.reference_ns, limits.max_reference_age))),
        ("MAX_ORDER_QUANTITY", over(lots * lot, limits.max_order_quantity) or lots > 2**52),
        ("INVALID_SIZE", lots < 1 or value < Fraction(limits.min_order_value or 0)),
        ("PRICE_COLLAR", collar is not None and (mid is None or abs(price - mid) > mid * Fraction(collar) / 10_000)),
        ("MAX_ORDER_VALUE", over(value, limits.max_order_value)),
        ("WOULD_CROSS", limits.post_only and (ticks >= m.ask_ticks if side > 0 else ticks <= m.bid_ticks)),
        ("SELF_CROSS", limits.deny_own_crossing and (ticks >= m.own_ask_ticks if side > 0 else ticks <= m.own_bid_ticks)),
        ("DUPLICATE", limits.deny_duplicates and twins > 0),
        ("REDUCE_ONLY", g.state == State.REDUCE_ONLY and (held >= 0 or worst > 0)),
        ("MAX_POSITION", over(worst * lot, limits.max_position)),
        ("MAX_POSITION_VALUE", over(None if worth is None else worst * worth, limits.max_position_value)),
        ("MAX_OPEN_ORDERS", over(int(g.open_orders) + 1 - (replaces is not None), limits.max_open_orders)),
        (
            "MAX_OPEN_VALUE",
            over(Fraction(float(m.open_value[index])) * quantum - freed_value + value, limits.max_open_value_per_side),
        ),
        ("MAX_GROSS_VALUE", gross_lots > gross_before and over(gross, limits.max_gross_value)),
        ("MAX_NET_VALUE", over(net, limits.max_net_value)),
        (
            "MAX_LEVERAGE",
            limits.max_leverage is not None and gross_lots > gross_before and over(gross, Fraction(limits.max_leverage) * left),
        ),
    ]
    return next((name for name, broken in rules if broken), "PASS")
