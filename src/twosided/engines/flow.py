"""A market made from a seed: order flow through the matching engine.

Where you are in the pipe: this is a source of *events*; behind it stands the same matching engine as behind the sandbox exchange.

Somebody acts at random moments that come in clusters: every trade excites more action (a Hawkes process, simulated exactly by
thinning; Ogata 1981), and activity is higher at the open and the close. There are three kinds of people.

- *Informed traders* know the efficient price, a martingale that moves with every act, and so in the market's own, clustered time.
  They buy up to it when it is above the ask and sell down to it when it is below the bid.
- *Uninformed traders* send market orders whose signs persist, as when a large order is cut into small ones.
- *Makers* do not know the efficient price. Their common belief moves by `impact_ticks` with every surprise in the sign of trades
  (as beliefs are revised in Madhavan, Richardson, Roomans 1997), which makes it a martingale too. They post behind it, pull or
  move what the belief has made too cheap, and withdraw other orders now and then.

So prices move because somebody may know something, a trade is followed by a move in its direction, and who rests at the touch pays
for it. `docs/decisions/0003-order-flow.md` says how the constants were chosen and what comes out.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from twosided._compile import compiled, words_of
from twosided.engines.flow_people import (
    EXCITED_ACTS,
    FLOW_STATE,
    TAKERS,
    WARM_UP_S,
    candidate,
    draw,
    next_act,
    post,
    trade,
    withdraw,
)
from twosided.engines.flow_phases import Phase
from twosided.engines.flow_stream import write_act, write_book, write_status
from twosided.errors import InputError
from twosided.execution.matching import REPORT, most_reports
from twosided.market.event import EVENT, Events, Status
from twosided.market.instrument import Instrument
from twosided.market.ladder import NO_ASK, NO_BID, grow_books, is_full, new_books
from twosided.market.order import OrderAction
from twosided.market.order_queues import ORDER_ID, grow_orders, is_book_full, live_orders, new_orders, ticks_of
from twosided.units import NS_PER_SECOND

__all__ = ["FlowSettings", "Phase", "generate_market", "new_flow"]


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
    daily_curve: bool = Field(default=True, description="more happens at the open and the close")
    start_ns: int = Field(default=1_704_205_800 * NS_PER_SECOND, gt=0, description="exchange time of the opening, UTC")


_INSTRUMENT = Instrument(symbol="FLOW", tick_size=Decimal("0.01"), lot_size=Decimal(1), venue="twosided")
_OPENING_TICKS = 10_000

# ---------------------------------------------------------------- the session


def _act(levels: Any, orders: Any, reports: Any, events: Any, count: int, flow: Any) -> int:
    """Let one person act and write it down, unless the book is warming up; return how many events there are."""
    order_id, old_ticks = flow.orders + 1, NO_BID
    live = live_orders(orders)
    choice = draw(flow)
    if choice < flow.trade_share:
        made = trade(levels, orders, reports, flow)
    elif (choice - flow.trade_share) * (live + flow.resting_orders) >= (1.0 - flow.trade_share) * live:
        made = post(levels, orders, reports, flow)
    else:
        node = candidate(levels, orders, flow)
        order_id, old_ticks = orders[node + ORDER_ID], ticks_of(orders, node)
        made = withdraw(levels, orders, reports, flow, node)
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
        next_act(flow)
        if flow.now_s < until_s:
            count = _act_c(levels, orders, reports, events, count, flow)
    return count


run = compiled(_run)


def generate_market(
    seed: int = 1,
    seconds: float = 23_400.0,
    *,
    settings: FlowSettings | None = None,
    by_order: bool = False,
    market: int = 0,
    phases: Sequence[Phase] = (),
) -> tuple[Events, Instrument]:
    """Make one trading session.

    Args:
        seed: what the session is a function of, together with the other arguments.
        seconds: how long it lasts; 6.5 hours by default.
        settings: what kind of market.
        by_order: write ADD, MODIFY, FILL and CANCEL of orders instead of DEPTH of levels; TRADE and all times are the same. A FILL
            takes its lots from the order, and an order with nothing left is gone; MODIFY is what `OrderBook.replace` does.
        market: number that the events carry.
        phases: what changes on the way, in order of time, within the session.

    Returns:
        Events, beginning with a snapshot and the opening; and the instrument.

    Raises:
        InputError: a seed, length or market number out of bounds, or phases out of order.
    """
    if not 0 <= market < 256:
        raise InputError(f"market is {market}; allowed: 0 to 255")
    for earlier, later in pairwise([0.0, *(phase.at_s for phase in phases), seconds]):
        if later < earlier:
            raise InputError(f"a phase begins at {later:g} s or {earlier:g} s; allowed: in order of time, up to {seconds:g} s")
    first = settings or FlowSettings()
    flow, instrument = new_flow(seed, seconds, first, by_order=by_order, market=market)
    return _Session(flow, first).events(phases), instrument


class _Session:
    """The arrays of a session, which grow where the kernels say that they must."""

    def __init__(self, flow: Any, settings: FlowSettings) -> None:
        self.flow, self.settings = flow, settings
        self.levels, self.orders = new_books(2), new_orders()
        self.reports = np.zeros(most_reports(len(self.orders) // 8), REPORT)
        self.buffer: Any = np.zeros(1 << 17, EVENT)

    def events(self, phases: Sequence[Phase]) -> Events:
        """Play the session and return what happened."""
        self._play(until_s=0.0)
        self.flow.now_s = 0.0  # waiting has no memory: who would have come next comes as if he had just begun to wait
        opening = write_book(self.levels, self.orders, self.buffer, self.flow)
        parts = [self.buffer[:opening].copy()]
        for phase in phases:
            parts += self._play(until_s=phase.at_s)
            self.flow.now_s = phase.at_s
            parts.append(self._enter(phase))
        return np.concatenate([*parts, *self._play(until_s=float(self.flow.end_s))])

    def _enter(self, phase: Phase) -> Events:
        """Let *phase* begin, and return what the venue says of it."""
        flow = self.flow
        given = phase.model_dump(exclude_none=True)
        self.settings = self.settings.model_copy(update={name: given[name] for name in FlowSettings.model_fields if name in given})
        trading = flow.trade_share > 0 if phase.status is None else phase.status == Status.OPEN
        _set(flow, self.settings)
        flow.trade_share *= trading
        flow.drift_ticks, flow.crowd = given.get("drift_ticks", flow.drift_ticks), given.get("crowd", flow.crowd)
        flow.efficient_ticks += phase.news_ticks
        flow.belief_ticks += phase.news_ticks
        said = 0 if phase.status is None else write_status(self.buffer, 0, flow, phase.status)
        return cast("Events", self.buffer[:said].copy())

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


def new_flow(seed: int, seconds: float, settings: FlowSettings, *, by_order: bool, market: int) -> tuple[Any, Instrument]:
    """Return the state of a session before its first act, and what is traded in it.

    Raises:
        InputError: a seed or length out of bounds.
    """
    if not 0 <= seed < 2**63:
        raise InputError(f"seed is {seed}; allowed: 0 to 2^63 - 1")
    if not 0 < seconds <= 10**6:
        raise InputError(f"seconds is {seconds}; allowed: more than 0, at most 1,000,000")
    flow = np.zeros(1, FLOW_STATE)[0]
    _set(flow, settings)
    flow.seed, flow.by_order, flow.market, flow.end_s = seed, by_order, market, seconds
    flow.now_s, flow.crowd_sign = -WARM_UP_S, 1.0
    flow.efficient_ticks = flow.belief_ticks = _OPENING_TICKS + 0.5
    flow.highest_bid, flow.lowest_ask = NO_ASK, NO_BID
    flow.exch_ns = flow.local_ns = settings.start_ns - 1
    return flow, _INSTRUMENT


def _set(flow: Any, settings: FlowSettings) -> None:
    """Let *settings* hold from now on."""
    for name in set(FlowSettings.model_fields) & set(FLOW_STATE.fields or ()):
        flow[name] = getattr(settings, name)
    rate = settings.acts_per_second
    flow.base_rate = rate * (1.0 - settings.trade_share * TAKERS * EXCITED_ACTS)
    flow.step_ticks = settings.volatility_ticks * math.sqrt(3.0 / rate)  # a uniform step of half-width h has variance h²/3
