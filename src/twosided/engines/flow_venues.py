"""One instrument on several venues, made from a seed: the people of `flow_people` spread over several books.

Where you are in the pipe: a source of *events*, as `twosided.engines.flow` is of one market.

There is one efficient price, one belief of the makers and one clustered flow of acts, those of a market of one venue; every act
happens at one of the venues, chosen by its share. So all venues together are as busy and as volatile as one market, and each is
thinner. They are tied together as protected quotes are:

- a trader takes from the venue with the best price first, at one price by share, level by level: nobody trades through a better
  quote elsewhere;
- a maker posts outside the best opposite price of all venues: at the exchanges' clock no two venues are ever locked or crossed.

Every venue has messages and a feed latency of its own, and no two messages have one time. Seen from here, where one venue's news
may be late, they do cross at times. What is ideal in it: makers and routers see all venues at once, and nobody prefers a venue for
its fees.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from twosided._compile import compiled, words_of
from twosided.engines.flow import FlowSettings, new_flow
from twosided.engines.flow_people import candidate, draw, next_act, post, remember_trade, wish, withdraw
from twosided.engines.flow_stream import write_act, write_book
from twosided.errors import InputError
from twosided.execution.matching import IMMEDIATE, REPORT, most_reports, submit_order
from twosided.market.event import EVENT, Events
from twosided.market.instrument import Fees, Instrument
from twosided.market.ladder import NO_ASK, NO_BID, best_of, grow_books, is_full, new_books
from twosided.market.order import OrderAction
from twosided.market.order_queues import ORDER_ID, grow_orders, is_book_full, live_orders, new_orders, ticks_of

__all__ = ["generate_venues"]

MOST_VENUES = 16
_SWEEPS = 64
"""A trader looks for the best price so often at most."""


def _best_bid(levels: Any) -> int:
    """Return the highest bid of all venues."""
    best = NO_BID
    for v in range(len(levels)):
        best = max(best, best_of(levels[v], 0))
    return int(best)


best_bid = compiled(_best_bid)


def _best_ask(levels: Any) -> int:
    """Return the lowest ask of all venues."""
    best = NO_ASK
    for v in range(len(levels)):
        best = min(best, best_of(levels[v], 1))
    return int(best)


best_ask = compiled(_best_ask)


def _choose(flow: Any, shares: Any, levels: Any, row: int, ticks: int) -> int:
    """Return a venue by share: of those whose best price in *row* is *ticks*; of all where *row* is negative."""
    total, last = 0.0, 0
    for v in range(shares.shape[0]):
        if row < 0 or best_of(levels[v], row) == ticks:
            total, last = total + shares[v], v
    left = draw(flow) * total
    for v in range(last):
        if row < 0 or best_of(levels[v], row) == ticks:
            left -= shares[v]
            if left < 0.0:
                return v
    return last


choose = compiled(_choose)


def _write(
    v: int,
    levels: Any,
    orders: Any,
    reports: Any,
    made: int,
    events: Any,
    count: int,
    flow: Any,
    clocks: Any,
    order_id: int,
    old: int,
) -> int:
    """Write what an act at venue *v* did, with that venue's latency; return how many events there are."""
    if made == 0 or reports[0].action == OrderAction.REJECTED or reports[0].action == OrderAction.CANCEL_REJECTED:
        return count
    if flow.now_s < 0.0:
        return count
    flow.market, flow.local_ns = v, clocks[v]
    count = write_act(levels, orders, reports, made, events, count, flow, order_id, reports[0].side, old)
    clocks[v] = flow.local_ns
    return int(count)


write = compiled(_write)


def _filled(reports: Any, made: int) -> int:
    """Return how many lots traded."""
    lots = 0
    for line in range(made):
        if reports[line].maker == 1:
            lots += reports[line].lots
    return lots


filled = compiled(_filled)


def _sweep(levels: Any, orders: Any, reports: Any, events: Any, count: int, flow: Any, shares: Any, clocks: Any) -> int:
    """Let a trader take what he wants, always at the best price of all venues; return how many events there are."""
    side, limit, lots = wish(flow, best_bid(levels), best_ask(levels))
    found = 0
    for _ in range(_SWEEPS):
        row = 1 if side > 0 else 0
        best = best_ask(levels) if side > 0 else best_bid(levels)
        if side == 0 or lots <= 0 or best in (NO_ASK, NO_BID) or (best - limit) * side > 0:
            break
        v = choose(flow, shares, levels, row, best)
        flow.orders += 1
        book, queues = words_of(levels[v]), words_of(orders[v])
        made = submit_order(book, queues, reports, 0, flow.orders, 0, side, best, lots, IMMEDIATE)
        lots -= filled(reports, made)
        found += filled(reports, made)
        count = write(v, book, queues, reports, made, events, count, flow, clocks, flow.orders, NO_BID)
    if found > 0:
        remember_trade(flow, side)
    return count


sweep = compiled(_sweep)


def _act(levels: Any, orders: Any, reports: Any, events: Any, count: int, flow: Any, shares: Any, clocks: Any) -> int:
    """Let one person act at one of the venues; return how many events there are."""
    choice = draw(flow)
    if choice < flow.trade_share:
        return int(sweep(levels, orders, reports, events, count, flow, shares, clocks))
    v = choose(flow, shares, levels, -1, 0)
    flow.highest_bid, flow.lowest_ask = best_ask(levels) - 1, best_bid(levels) + 1
    book, queues = words_of(levels[v]), words_of(orders[v])
    order_id, old_ticks = flow.orders + 1, NO_BID
    live, usual = live_orders(queues), flow.resting_orders * shares[v]
    if (choice - flow.trade_share) * (live + usual) >= (1.0 - flow.trade_share) * live:
        made = post(book, queues, reports, flow)
    else:
        node = candidate(book, queues, flow)
        order_id, old_ticks = queues[node + ORDER_ID], ticks_of(queues, node)
        made = withdraw(book, queues, reports, flow, node)
    return int(write(v, book, queues, reports, made, events, count, flow, clocks, order_id, old_ticks))


act = compiled(_act)


def _room(levels: Any, orders: Any, events: Any, count: int) -> bool:
    """Say whether all arrays suffice for another act."""
    live = 0
    for v in range(len(levels)):
        if is_book_full(words_of(levels[v]), words_of(orders[v])):
            return False
        live += live_orders(words_of(orders[v]))
    return bool(count + 3 * live + 3 * _SWEEPS <= len(events))


room = compiled(_room)


def _run(levels: Any, orders: Any, reports: Any, events: Any, flow: Any, shares: Any, clocks: Any, until_s: float) -> int:
    """Let people act until *until_s*, or until some array might not suffice; return how many events were written.

    Args:
        levels: totals of a book for each of n venues, as a tuple.
        orders: the orders of these books.
        reports: room for what one order does.
        events: to write to.
        flow: state of the session.
        shares: of the acts that happen at each venue, shape (n,); their sum is 1.
        clocks: our time of the last message of each venue, shape (n,).
        until_s: seconds since the opening.
    """
    count = 0
    while flow.now_s < until_s and room(levels, orders, events, count):
        next_act(flow)
        if flow.now_s < until_s:
            count = act(levels, orders, reports, events, count, flow, shares, clocks)
    return count


run = compiled(_run)


def generate_venues(
    seed: int = 1,
    seconds: float = 23_400.0,
    *,
    shares: Sequence[float] = (0.25, 0.25, 0.25, 0.25),
    fees: Sequence[Fees] = (),
    settings: FlowSettings | None = None,
) -> tuple[Events, tuple[Instrument, ...]]:
    """Make one trading session of one instrument on several venues.

    Args:
        seed: what the session is a function of, together with the other arguments.
        seconds: how long it lasts.
        shares: of the acts that happen at each venue; any positive numbers, of which the proportions count.
        fees: what each venue charges; nothing by default.
        settings: what kind of market all of them together are.

    Returns:
        Events of markets 0, 1, …, by level, in the order of our clock, beginning with a snapshot of each; and the instruments.

    Raises:
        InputError: a seed, length, share, or number of shares or fees out of bounds.
    """
    weights = np.array(shares, np.float64)
    if not 1 <= len(weights) <= MOST_VENUES or not (np.isfinite(weights) & (weights > 0)).all():
        raise InputError(f"shares is {tuple(shares)}; allowed: 1 to {MOST_VENUES} positive numbers")
    if fees and len(fees) != len(weights):
        raise InputError(f"fees has {len(fees)} entries; allowed: one for each of {len(weights)} venues, or none")
    flow, instrument = new_flow(seed, seconds, settings or FlowSettings(), by_order=False, market=0)
    events = _Venues(flow, weights / weights.sum()).events()
    instruments = tuple(
        instrument.model_copy(update={"venue": f"venue-{v}", **({"fees": fees[v]} if fees else {})}) for v in range(len(weights))
    )
    return events, instruments


class _Venues:
    """The arrays of a session, which grow where the kernels say that they must."""

    def __init__(self, flow: Any, shares: Any) -> None:
        self.flow, self.shares = flow, shares
        self.levels = tuple(new_books(2) for _ in shares)
        self.orders = tuple(new_orders() for _ in shares)
        self.clocks = np.full(len(shares), flow.local_ns, np.int64)
        self.reports = np.zeros(most_reports(len(self.orders[0]) // 8), REPORT)
        self.buffer: Any = np.zeros(1 << 17, EVENT)

    def events(self) -> Events:
        """Play the session and return what happened, in the order of our clock."""
        self._play(until_s=0.0)
        self.flow.now_s = 0.0
        parts = [self._opening(v) for v in range(len(self.shares))]
        every = np.concatenate([*parts, *self._play(until_s=float(self.flow.end_s))])
        return cast("Events", every[np.argsort(every["local_ns"], kind="stable")])

    def _opening(self, v: int) -> Events:
        flow = self.flow
        flow.market, flow.local_ns = v, self.clocks[v]
        count = write_book(self.levels[v], self.orders[v], self.buffer, flow)
        self.clocks[v] = flow.local_ns
        return cast("Events", self.buffer[:count].copy())

    def _play(self, until_s: float) -> list[Events]:
        parts: list[Events] = []
        while self.flow.now_s < until_s:
            count = run(self.levels, self.orders, self.reports, self.buffer, self.flow, self.shares, self.clocks, until_s)
            parts.append(self.buffer[:count].copy())
            self._grow()
        return parts

    def _grow(self) -> None:
        self.levels = tuple(grow_books(each) if is_full(each) else each for each in self.levels)
        self.orders = tuple(
            grow_orders(each) if is_book_full(book, each) else each for book, each in zip(self.levels, self.orders, strict=True)
        )
        self.reports = np.zeros(most_reports(max(map(len, self.orders)) // 8), REPORT)
        if 8 * sum(map(live_orders, self.orders)) > len(self.buffer):
            self.buffer = np.zeros(2 * len(self.buffer), EVENT)
