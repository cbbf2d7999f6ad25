"""The people of a generated market: who acts next, what traders want, where makers post and what they withdraw.

Where you are in the pipe: behind the matching engine of `twosided.engines.flow` (one market) and `twosided.engines.flow_venues`
(several venues of one instrument). ``flow`` is the record of the session's state, `FLOW_STATE`.
"""

import math
from typing import Any

import numpy as np

from twosided._compile import compiled
from twosided._random import Purpose, uniform
from twosided.execution.matching import IMMEDIATE, POST_ONLY, amend_order, cancel_order, submit_order
from twosided.market.ladder import best_of
from twosided.market.order_queues import ORDER_ID, ORDER_LOTS, ORDER_ROW, first_order, some_order, ticks_of

__all__ = [
    "EXCITED_ACTS",
    "FLOW_STATE",
    "TAKERS",
    "WARM_UP_S",
    "candidate",
    "draw",
    "next_act",
    "post",
    "remember_trade",
    "trade",
    "wish",
    "withdraw",
]

_FLOW = int(Purpose.FLOW)

# Calibrated once: docs/decisions/0003-order-flow.md.
EXCITED_ACTS, _DECAY_PER_S = 16.0, 5.0  # how many acts each trade draws after it in the mean, and how fast they come
TAKERS = 0.87  # share of traders who find something to trade
_STAY = 0.75  # an uninformed trader keeps to the side of the last one
_COLLAR_TICKS = 5  # his market order goes no further than this beyond the touch
_SLIP_TICKS = 0.2  # an informed trader wants to gain more than this
_SIGN_MEMORY = 0.25  # how much of the next trade's sign makers expect from the last: the autocorrelation that comes out
_NEAR_TICKS, _FAR_TICKS, _FAR_SHARE = 2.0, 10.0, 0.4  # how far behind the least half-spread makers post: two exponentials
_ALERT = 0.95  # share of withdrawals that look first for orders at the touch that the belief has made too cheap
_MOVE_SHARE, _REDUCE_SHARE = 0.2, 0.1  # of withdrawals: to another price, to half the size; the others are cancels
_TAIL, _LARGEST = 1.5, 40.0  # sizes: exponent of the Pareto distribution, and the largest in multiples of the least
WARM_UP_S = 30.0  # not recorded: the book finds its shape

FLOW_STATE = np.dtype(
    (
        np.record,
        [
            ("seed", "i8"),
            ("by_order", "i8"),  # 1: write order by order
            ("market", "i8"),
            ("start_ns", "i8"),
            ("end_s", "f8"),
            ("daily_curve", "i8"),  # 1: activity follows the time of day
            ("min_latency_ns", "i8"),
            ("extra_latency_ns", "i8"),
            ("base_rate", "f8"),  # per second, without excitement
            ("step_ticks", "f8"),  # half-width of the efficient price's step per act
            ("drift_ticks", "f8"),  # of the efficient price, per second
            ("impact_ticks", "f8"),
            ("half_spread_ticks", "f8"),
            ("trade_share", "f8"),
            ("crowd", "f8"),  # side that the uninformed lean to, from -1 to 1
            ("informed_share", "f8"),
            ("resting_orders", "f8"),
            ("order_lots", "f8"),
            ("trade_lots", "f8"),
            ("now_s", "f8"),  # since the opening; negative while the book warms up
            ("excited_rate", "f8"),  # per second, on top of the base rate
            ("efficient_ticks", "f8"),
            ("belief_ticks", "f8"),
            ("highest_bid", "i8"),  # ticks: where makers may post; no bound in a market of one venue
            ("lowest_ask", "i8"),
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


draw = compiled(_draw)


def _exponential(flow: Any) -> float:
    """Return an exponential number of mean one."""
    return -math.log(1.0 - draw(flow))


exponential = compiled(_exponential)


def _size(flow: Any, least_lots: float) -> int:
    """Return a heavy-tailed size: Pareto, cut off."""
    return int(least_lots * min(math.exp(exponential(flow) / _TAIL), _LARGEST))


size = compiled(_size)


def _activity(flow: Any, now_s: float) -> float:
    """Return the time of day's factor: 1.6 at the open and the close, 0.7 at noon, 1 in the mean; 1 where there is no curve."""
    if flow.daily_curve == 0:
        return 1.0
    part = 2.0 * min(max(now_s, 0.0), flow.end_s) / flow.end_s - 1.0
    return float(0.7 + 0.9 * part * part)


activity = compiled(_activity)


def _next_act(flow: Any) -> None:
    """Let time pass until somebody acts, and the efficient price move."""
    before_s = flow.now_s
    while True:
        bound = 1.6 * flow.base_rate + flow.excited_rate
        wait_s = exponential(flow) / bound
        flow.now_s += wait_s
        flow.excited_rate *= math.exp(-_DECAY_PER_S * wait_s)
        if draw(flow) * bound < activity(flow, flow.now_s) * flow.base_rate + flow.excited_rate:
            break
    flow.efficient_ticks += flow.step_ticks * (2.0 * draw(flow) - 1.0) + flow.drift_ticks * (flow.now_s - before_s)


next_act = compiled(_next_act)


def _wish(flow: Any, bid: int, ask: int) -> tuple[int, int, int]:
    """Return what a trader wants who sees this touch: (side, price that he pays at the worst, lots); side 0: nothing."""
    lots = size(flow, flow.trade_lots)
    informed = draw(flow) < flow.informed_share
    if informed and flow.efficient_ticks > ask + _SLIP_TICKS:
        return 1, int(math.floor(flow.efficient_ticks)), lots
    if informed and flow.efficient_ticks < bid - _SLIP_TICKS:
        return -1, int(math.ceil(flow.efficient_ticks)), lots
    if informed:
        return 0, 0, 0
    if draw(flow) >= _STAY + (1.0 - _STAY) * flow.crowd * flow.crowd_sign:
        flow.crowd_sign = -flow.crowd_sign
    side = 1 if flow.crowd_sign > 0 else -1
    return side, int(ask + _COLLAR_TICKS if side > 0 else bid - _COLLAR_TICKS), lots


wish = compiled(_wish)


def _remember_trade(flow: Any, side: int) -> None:
    """Let makers learn from a trader who found something, and more people act."""
    flow.belief_ticks += flow.impact_ticks * (side - _SIGN_MEMORY * flow.last_sign)
    flow.last_sign = side
    flow.excited_rate += EXCITED_ACTS * _DECAY_PER_S


remember_trade = compiled(_remember_trade)


def _trade(levels: Any, orders: Any, reports: Any, flow: Any) -> int:
    """Let a trader come; return how many reports that made."""
    side, limit, lots = wish(flow, best_of(levels, 0), best_of(levels, 1))
    if side == 0:
        return 0
    flow.orders += 1
    count = submit_order(levels, orders, reports, 0, flow.orders, 0, side, limit, lots, IMMEDIATE)
    if count > 2:  # accepted and at least one pair of fills
        remember_trade(flow, side)
    return int(count)


trade = compiled(_trade)


def _maker_ticks(flow: Any, side: int) -> int:
    """Return where a maker would post: outside the belief and the least half-spread, rounded outward."""
    mean = _FAR_TICKS if draw(flow) < _FAR_SHARE else _NEAR_TICKS
    distance = flow.half_spread_ticks + mean * exponential(flow)
    if side > 0:
        return int(min(int(math.floor(flow.belief_ticks - distance)), flow.highest_bid))
    return int(max(int(math.ceil(flow.belief_ticks + distance)), flow.lowest_ask))


maker_ticks = compiled(_maker_ticks)


def _post(levels: Any, orders: Any, reports: Any, flow: Any) -> int:
    """Let a maker post an order; return how many reports that made."""
    side = 1 if draw(flow) < 0.5 else -1
    flow.orders += 1
    ticks = maker_ticks(flow, side)
    return int(submit_order(levels, orders, reports, 0, flow.orders, 0, side, ticks, size(flow, flow.order_lots), POST_ONLY))


post = compiled(_post)


def _is_stale(levels: Any, flow: Any, side: int) -> bool:
    """Say whether the belief has made the touch of *side* too cheap for its makers."""
    row = 0 if side > 0 else 1
    return bool((flow.belief_ticks - best_of(levels, row)) * side < flow.half_spread_ticks)


is_stale = compiled(_is_stale)


def _candidate(levels: Any, orders: Any, flow: Any) -> int:
    """Return the order that a maker thinks of withdrawing: first in line at a stale touch, else any."""
    if draw(flow) < _ALERT:
        for side in (1, -1):
            if is_stale(levels, flow, side):
                row = 0 if side > 0 else 1
                return int(first_order(levels, row, best_of(levels, row)))
    return int(some_order(orders, draw(flow)))


candidate = compiled(_candidate)


def _withdraw(levels: Any, orders: Any, reports: Any, flow: Any, node: int) -> int:
    """Let a maker move, reduce or cancel an order; return how many reports that made."""
    order_id, side, lots = orders[node + ORDER_ID], 1 - 2 * orders[node + ORDER_ROW], orders[node + ORDER_LOTS]
    choice = draw(flow)
    if choice < _MOVE_SHARE:
        return int(amend_order(levels, orders, reports, 0, order_id, maker_ticks(flow, side), lots))
    if choice < _MOVE_SHARE + _REDUCE_SHARE and lots > 1:
        return int(amend_order(levels, orders, reports, 0, order_id, ticks_of(orders, node), lots - lots // 2))
    return int(cancel_order(levels, orders, reports, 0, order_id))


withdraw = compiled(_withdraw)
