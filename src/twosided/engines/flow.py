"""A market made from a seed: order flow through the matching engine.

Where you are in the pipe: this is a source of *events*; behind it stands the same matching engine as behind the sandbox exchange.

Somebody acts at random moments that come in clusters: every trade excites more action (a Hawkes process, simulated exactly by
thinning; Ogata 1981), and activity is higher at the open and the close. There are three kinds of people.

- *Informed traders* know the efficient price, a martingale that moves with every act, and so in the market's own, clustered time.
  They buy up to it when it is above the ask and sell down to it when it is below the bid.
- *Uninformed traders* send market orders whose signs persist, as when a large order is cut into small ones.
- *Makers* do not know the efficient price. Their common belief moves by `impact_ticks` with every surprise in the sign of trades
  (Madhavan, Richardson, Roomans 1997, equation 2), which makes it a martingale too. They post behind it, pull or move what the
  belief has made too cheap, and withdraw other orders now and then.

So prices move because somebody may know something, a trade is followed by a move in its direction, and who rests at the touch pays
for it. `docs/decisions/0003-order-flow.md` says how the constants were chosen and what comes out.
"""

import math
from decimal import Decimal
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from twosided._compile import compiled, words_of
from twosided._random import Purpose, uniform
from twosided.engines.flow_stream import write_act, write_book
from twosided.errors import InputError
from twosided.execution.matching import (
    IMMEDIATE,
    POST_ONLY,
    REPORT,
    amend_order,
    cancel_order,
    most_reports,
    submit_order,
)
from twosided.market.event import EVENT, Events
from twosided.market.instrument import Instrument
from twosided.market.ladder import NO_BID, best_of, grow_books, is_full, new_books
from twosided.market.order import OrderAction
from twosided.market.order_queues import (
    ORDER_ID,
    ORDER_LOTS,
    ORDER_ROW,
    first_order,
    grow_orders,
    is_book_full,
    live_orders,
    new_orders,
    some_order,
    ticks_of,
)
from twosided.units import NS_PER_SECOND

__all__ = ["FlowSettings", "generate_market"]

_FLOW = int(Purpose.FLOW)


class FlowSettings(BaseModel):
    """What kind of market; the defaults resemble a liquid share at 100 with a tick of 0.01."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    acts_per_second: float = Field(default=36.0, gt=0, description="about how many orders, cancels and trades together")
    volatility_ticks: float = Field(default=0.85, ge=0, description="of the efficient price, ticks per sqrt second")
    impact_ticks: float = Field(default=0.8, ge=0, description="move of the makers' belief per surprising trade")
    half_spread_ticks: float = Field(default=0.3, ge=0, description="least distance of makers' orders from their belief")
    trade_share: float = Field(default=0.035, gt=0, le=0.05, description="share of acts that are traders'")
    informed_share: float = Field(default=0.4, ge=0, le=1, description="share of traders who know the efficient price")
    resting_orders: int = Field(default=140, ge=20, description="about how many orders rest")
    order_lots: int = Field(default=20, ge=1, description="least size of makers' orders; the mean is 2.7 times that")
    trade_lots: int = Field(default=40, ge=1, description="least size of traders' orders; the mean is 2.7 times that")
    min_latency_ns: int = Field(default=500_000, ge=0, description="least feed latency")
    extra_latency_ns: int = Field(default=600_000, ge=0, description="mean of what comes on top, skewed to the right")
    start_ns: int = Field(default=1_704_205_800 * NS_PER_SECOND, gt=0, description="exchange time of the opening, UTC")


_INSTRUMENT = Instrument(symbol="FLOW", tick_size=Decimal("0.01"), lot_size=Decimal(1), venue="twosided")
_OPENING_TICKS = 10_000

# Calibrated once: docs/decisions/0003-order-flow.md.
_EXCITED_ACTS, _DECAY_PER_S = 16.0, 5.0  # how many acts each trade draws after it in the mean, and how fast they come
_TAKERS = 0.87  # share of traders who find something to trade
_STAY = 0.75  # an uninformed trader keeps to the side of the last one
_COLLAR_TICKS = 5  # his market order goes no further than this beyond the touch
_SLIP_TICKS = 0.2  # an informed trader wants to gain more than this
_SIGN_MEMORY = 0.25  # how much of the next trade's sign makers expect from the last: the autocorrelation that comes out
_NEAR_TICKS, _FAR_TICKS, _FAR_SHARE = 2.0, 10.0, 0.4  # how far behind the least half-spread makers post: two exponentials
_ALERT = 0.95  # share of withdrawals that look first for orders at the touch that the belief has made too cheap
_MOVE_SHARE, _REDUCE_SHARE = 0.2, 0.1  # of withdrawals: to another price, to half the size; the others are cancels
_TAIL, _LARGEST = 1.5, 40.0  # sizes: exponent of the Pareto distribution, and the largest in multiples of the least
_WARM_UP_S = 30.0  # not recorded: the book finds its shape

_FLOW_STATE = np.dtype(
    (
        np.record,
        [
            ("seed", "i8"),
            ("by_order", "i8"),  # 1: write order by order
            ("market", "i8"),
            ("start_ns", "i8"),
            ("end_s", "f8"),
            ("min_latency_ns", "i8"),
            ("extra_latency_ns", "i8"),
            ("base_rate", "f8"),  # per second, without excitement
            ("step_ticks", "f8"),  # half-width of the efficient price's step per act
            ("impact_ticks", "f8"),
            ("half_spread_ticks", "f8"),
            ("trade_share", "f8"),
            ("informed_share", "f8"),
            ("resting_orders", "f8"),
            ("order_lots", "f8"),
            ("trade_lots", "f8"),
            ("now_s", "f8"),  # since the opening; negative while the book warms up
            ("excited_rate", "f8"),  # per second, on top of the base rate
            ("efficient_ticks", "f8"),
            ("belief_ticks", "f8"),
            ("last_sign", "f8"),  # of the last trade
            ("crowd_sign", "f8"),  # of the uninformed
            ("draws", "i8"),  # random numbers used so far
            ("orders", "i8"),  # last order id
            ("trades", "i8"),  # last trade id
            ("messages", "i8"),
            ("exch_ns", "i8"),  # of the last message
            ("local_ns", "i8"),
        ],
    )
)


def _draw(flow: Any) -> float:
    """Return the next number in [0, 1) of this session."""
    flow.draws += 1
    return float(uniform(flow.seed, _FLOW, flow.draws))


_draw_c = compiled(_draw)


def _exponential(flow: Any) -> float:
    """Return an exponential number of mean one."""
    return -math.log(1.0 - _draw_c(flow))


_exponential_c = compiled(_exponential)


def _size(flow: Any, least_lots: float) -> int:
    """Return a heavy-tailed size: Pareto, cut off."""
    return int(least_lots * min(math.exp(_exponential_c(flow) / _TAIL), _LARGEST))


_size_c = compiled(_size)


def _activity(flow: Any, now_s: float) -> float:
    """Return the time of day's factor: 1.6 at the open and the close, 0.7 at noon, 1 in the mean."""
    part = 2.0 * min(max(now_s, 0.0), flow.end_s) / flow.end_s - 1.0
    return float(0.7 + 0.9 * part * part)


_activity_c = compiled(_activity)


def _next_act(flow: Any) -> None:
    """Let time pass until somebody acts, and the efficient price move."""
    while True:
        bound = 1.6 * flow.base_rate + flow.excited_rate
        wait_s = _exponential_c(flow) / bound
        flow.now_s += wait_s
        flow.excited_rate *= math.exp(-_DECAY_PER_S * wait_s)
        if _draw_c(flow) * bound < _activity_c(flow, flow.now_s) * flow.base_rate + flow.excited_rate:
            break
    flow.efficient_ticks += flow.step_ticks * (2.0 * _draw_c(flow) - 1.0)


_next_act_c = compiled(_next_act)


def _trade(levels: Any, orders: Any, reports: Any, flow: Any) -> int:
    """Let a trader come; return how many reports that made."""
    bid, ask = best_of(levels, 0), best_of(levels, 1)
    lots = _size_c(flow, flow.trade_lots)
    informed = _draw_c(flow) < flow.informed_share
    if informed and flow.efficient_ticks > ask + _SLIP_TICKS:
        side, limit = 1, int(math.floor(flow.efficient_ticks))
    elif informed and flow.efficient_ticks < bid - _SLIP_TICKS:
        side, limit = -1, int(math.ceil(flow.efficient_ticks))
    elif informed:
        return 0
    else:
        if _draw_c(flow) >= _STAY:
            flow.crowd_sign = -flow.crowd_sign
        side = 1 if flow.crowd_sign > 0 else -1
        limit = int(ask + _COLLAR_TICKS if side > 0 else bid - _COLLAR_TICKS)
    flow.orders += 1
    count = submit_order(levels, orders, reports, 0, flow.orders, 0, side, limit, lots, IMMEDIATE)
    if count > 2:  # accepted and at least one pair of fills
        flow.belief_ticks += flow.impact_ticks * (side - _SIGN_MEMORY * flow.last_sign)
        flow.last_sign = side
        flow.excited_rate += _EXCITED_ACTS * _DECAY_PER_S
    return int(count)


_trade_c = compiled(_trade)


def _maker_ticks(flow: Any, side: int) -> int:
    """Return where a maker would post: outside the belief and the least half-spread, rounded outward."""
    mean = _FAR_TICKS if _draw_c(flow) < _FAR_SHARE else _NEAR_TICKS
    distance = flow.half_spread_ticks + mean * _exponential_c(flow)
    if side > 0:
        return int(math.floor(flow.belief_ticks - distance))
    return int(math.ceil(flow.belief_ticks + distance))


_maker_ticks_c = compiled(_maker_ticks)


def _post(levels: Any, orders: Any, reports: Any, flow: Any) -> int:
    """Let a maker post an order; return how many reports that made."""
    side = 1 if _draw_c(flow) < 0.5 else -1
    flow.orders += 1
    ticks = _maker_ticks_c(flow, side)
    return int(submit_order(levels, orders, reports, 0, flow.orders, 0, side, ticks, _size_c(flow, flow.order_lots), POST_ONLY))


_post_c = compiled(_post)


def _is_stale(levels: Any, flow: Any, side: int) -> bool:
    """Say whether the belief has made the touch of *side* too cheap for its makers."""
    row = 0 if side > 0 else 1
    return bool((flow.belief_ticks - best_of(levels, row)) * side < flow.half_spread_ticks)


_is_stale_c = compiled(_is_stale)


def _candidate(levels: Any, orders: Any, flow: Any) -> int:
    """Return the order that a maker thinks of withdrawing: first in line at a stale touch, else any."""
    if _draw_c(flow) < _ALERT:
        for side in (1, -1):
            if _is_stale_c(levels, flow, side):
                row = 0 if side > 0 else 1
                return int(first_order(levels, row, best_of(levels, row)))
    return int(some_order(orders, _draw_c(flow)))


_candidate_c = compiled(_candidate)


def _withdraw(levels: Any, orders: Any, reports: Any, flow: Any, node: int) -> int:
    """Let a maker move, reduce or cancel an order; return how many reports that made."""
    order_id, side, lots = orders[node + ORDER_ID], 1 - 2 * orders[node + ORDER_ROW], orders[node + ORDER_LOTS]
    choice = _draw_c(flow)
    if choice < _MOVE_SHARE:
        return int(amend_order(levels, orders, reports, 0, order_id, _maker_ticks_c(flow, side), lots))
    if choice < _MOVE_SHARE + _REDUCE_SHARE and lots > 1:
        return int(amend_order(levels, orders, reports, 0, order_id, ticks_of(orders, node), lots - lots // 2))
    return int(cancel_order(levels, orders, reports, 0, order_id))


_withdraw_c = compiled(_withdraw)

# ---------------------------------------------------------------- the session


def _act(levels: Any, orders: Any, reports: Any, events: Any, count: int, flow: Any) -> int:
    """Let one person act and write it down, unless the book is warming up; return how many events there are."""
    order_id, old_ticks = flow.orders + 1, NO_BID
    live = live_orders(orders)
    choice = _draw_c(flow)
    if choice < flow.trade_share:
        made = _trade_c(levels, orders, reports, flow)
    elif (choice - flow.trade_share) * (live + flow.resting_orders) >= (1.0 - flow.trade_share) * live:
        made = _post_c(levels, orders, reports, flow)
    else:
        node = _candidate_c(levels, orders, flow)
        order_id, old_ticks = orders[node + ORDER_ID], ticks_of(orders, node)
        made = _withdraw_c(levels, orders, reports, flow, node)
    if made == 0 or reports[0].action == OrderAction.REJECTED or reports[0].action == OrderAction.CANCEL_REJECTED:
        return count
    if flow.now_s < 0.0:
        return count
    return write_act(levels, orders, reports, made, events, count, flow, order_id, reports[0].side, old_ticks)


_act_c = compiled(_act)


def _run(levels: Any, orders: Any, reports: Any, events: Any, flow: Any, until_s: float) -> int:
    """Let people act until *until_s*, or until some array might not suffice; return how many events were written."""
    count, levels, orders = 0, words_of(levels), words_of(orders)
    while flow.now_s < until_s and not is_book_full(levels, orders) and count + 3 * live_orders(orders) + 3 <= len(events):
        _next_act_c(flow)
        if flow.now_s < until_s:
            count = _act_c(levels, orders, reports, events, count, flow)
    return count


run = compiled(_run)


def generate_market(
    seed: int = 1, seconds: float = 23_400.0, *, settings: FlowSettings | None = None, by_order: bool = False, market: int = 0
) -> tuple[Events, Instrument]:
    """Make one trading session.

    Args:
        seed: what the session is a function of, together with the other arguments.
        seconds: how long it lasts; 6.5 hours by default.
        settings: what kind of market.
        by_order: write ADD, MODIFY, FILL and CANCEL of orders instead of DEPTH of levels; TRADE and all times are the same. A FILL
            takes its lots from the order, and an order with nothing left is gone; MODIFY is what `OrderBook.replace` does.
        market: number that the events carry.

    Returns:
        Events, beginning with a snapshot and the opening; and the instrument.

    Raises:
        InputError: a seed, length or market number out of bounds.
    """
    if not 0 <= seed < 2**63:
        raise InputError(f"seed is {seed}; allowed: 0 to 2^63 - 1")
    if not 0 < seconds <= 10**6:
        raise InputError(f"seconds is {seconds}; allowed: more than 0, at most 1,000,000")
    if not 0 <= market < 256:
        raise InputError(f"market is {market}; allowed: 0 to 255")
    session = _Session(seed, seconds, settings or FlowSettings(), by_order, market)
    return session.events(), _INSTRUMENT


class _Session:
    """The arrays of a session, which grow where the kernels say that they must."""

    def __init__(self, seed: int, seconds: float, settings: FlowSettings, by_order: bool, market: int) -> None:
        self.flow = _new_flow(seed, seconds, settings, by_order, market)
        self.levels, self.orders = new_books(2), new_orders()
        self.reports = np.zeros(most_reports(len(self.orders) // 8), REPORT)
        self.buffer: Any = np.zeros(1 << 17, EVENT)

    def events(self) -> Events:
        """Play the session and return what happened."""
        self._play(until_s=0.0)
        self.flow.now_s = 0.0  # waiting has no memory: who would have come next comes as if he had just begun to wait
        opening = write_book(self.levels, self.orders, self.buffer, self.flow)
        return np.concatenate([self.buffer[:opening].copy(), *self._play(until_s=float(self.flow.end_s))])

    def _play(self, until_s: float) -> list[Events]:
        parts: list[Events] = []
        while self.flow.now_s < until_s:
            count = run(self.levels, self.orders, self.reports, self.buffer, self.flow, until_s)
            parts.append(self.buffer[:count].copy())
            self._grow()
        return parts

    def _grow(self) -> None:
        if is_full(self.levels):
            self.levels = grow_books(self.levels)
        if is_book_full(self.levels, self.orders):
            self.orders = grow_orders(self.orders)
            self.reports = np.zeros(most_reports(len(self.orders) // 8), REPORT)
        if 4 * live_orders(self.orders) > len(self.buffer):
            self.buffer = np.zeros(2 * len(self.buffer), EVENT)


def _new_flow(seed: int, seconds: float, settings: FlowSettings, by_order: bool, market: int) -> Any:
    """Return the state of a session before its first act."""
    flow = np.zeros(1, _FLOW_STATE)[0]
    for name in set(FlowSettings.model_fields) & set(_FLOW_STATE.fields or ()):
        flow[name] = getattr(settings, name)
    rate = settings.acts_per_second
    flow.seed, flow.by_order, flow.market, flow.end_s = seed, by_order, market, seconds
    flow.base_rate = rate * (1.0 - settings.trade_share * _TAKERS * _EXCITED_ACTS)
    flow.step_ticks = settings.volatility_ticks * math.sqrt(3.0 / rate)  # a uniform step of half-width h has variance h²/3
    flow.now_s, flow.crowd_sign = -_WARM_UP_S, 1.0
    flow.efficient_ticks = flow.belief_ticks = _OPENING_TICKS + 0.5
    flow.exch_ns = flow.local_ns = settings.start_ns - 1
    return flow
