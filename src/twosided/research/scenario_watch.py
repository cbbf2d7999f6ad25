"""What a strategy did in a scenario, second by second: what it saw, planned and quoted, and which of its orders stood.

Where you are in the pipe: events -> ... -> ledger -> explanation; a `Watch` is made of a `Run` and of what `watched` noted.

A Run holds wishes in whole ticks and lots. What an overlay changed is seen more sharply in the plan before it is rounded, and only
there stands why. So a quoter gets one more stage in front of the last one: it writes the plan down and changes nothing.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided.explain.paths import exact_pnl_path, fills_of, last_at, mids_of, standing_path
from twosided.market.event import Events, Kind, Status
from twosided.market.order import OrderAction
from twosided.market.run import Run
from twosided.strategies.compose import compose, overlay
from twosided.strategies.contract import Strategy
from twosided.units import NS_PER_SECOND

__all__ = ["Watch", "Watched", "last_at_s", "watched"]

Floats = npt.NDArray[np.float64]

_ROWS = 1 << 14
_LEAST_NS = 20_000_000
"""At most so many plans are noted, and not more often than this: enough for five minutes."""

_NUMBERS = ("centre", "half_bid", "half_ask", "to_buy", "to_sell")


@overlay(
    memory={
        "noted": "i8",
        "noted_ns": ("i8", (_ROWS,)),
        "noted_causes": ("i8", (_ROWS,)),
        **{f"noted_{name}": ("f8", (_ROWS,)) for name in _NUMBERS},
    }
)
def _note(ctx: Any) -> None:
    """Write the plan down."""
    memory, plan = ctx.memory, ctx.memory.plan
    i = memory.noted
    if i < _ROWS and (i == 0 or ctx.now_ns - memory.noted_ns[i - 1] >= _LEAST_NS):
        memory.noted_ns[i] = ctx.now_ns
        memory.noted_causes[i] = plan.causes
        memory.noted_centre[i] = plan.centre
        memory.noted_half_bid[i], memory.noted_half_ask[i] = plan.half_bid, plan.half_ask
        memory.noted_to_buy[i], memory.noted_to_sell[i] = plan.to_buy, plan.to_sell
        memory.noted = i + 1


@dataclass(frozen=True)
class Watched:
    """A strategy that writes down its plans.

    Args:
        strategy: to be replayed; it does what it did without.
        notes: the memory of its latest replay comes last; empty where the strategy writes its quotes itself and has no plan.
    """

    strategy: Strategy
    notes: list[Any]


def watched(strategy: Strategy) -> Watched:
    """Return *strategy* with a stage more that writes its plans down, as it is where it makes none."""
    notes: list[Any] = []
    if not strategy.stages:
        return Watched(strategy, notes)

    def keep(_params: Any, _instruments: tuple[Any, ...], memory: Any) -> None:
        notes.append(memory)

    noting = replace(_note, declared=replace(_note.declared, prepare=keep))
    return Watched(compose(strategy, noting).called(strategy.name), notes)


class Watch:
    """One strategy in one scenario, as arrays over its decisions; prices and distances in ticks, quantities in base units.

    Attributes:
        run: what the replay returned.
        t: seconds since the opening, by our clock, of each decision.
        mid, market_spread: what it saw.
        position: what it believed to hold.
        bid, ask: the nearest quotes that it wanted from then on; NaN without.
        to_bid, to_ask: distances of the planned quotes from the mid; of the quotes themselves where there is no plan.
        size: planned for both sides together, before limits; of the quotes where there is no plan.
        causes: bits of `twosided.strategies.plan.Cause`; 0 where there is no plan.
        limit: the strategy's position limit.
        base: the same in the market that this one is compared with; None where it is compared with itself before.
    """

    def __init__(self, run: Run, notes: Any, events: Events, limit: float, base: "Watch | None" = None) -> None:
        self.run, self.events, self.limit, self.base = run, events, limit, base
        self.origin_ns = int(events["exch_ns"][0])
        self.lot = float(run.instruments[0].lot_size)
        seen = run.decisions
        self.ns = seen["ns"].to_numpy()
        self.t: Floats = (self.ns - self.origin_ns) / NS_PER_SECOND
        bid, ask = seen["bid_ticks"].to_numpy(), seen["ask_ticks"].to_numpy()
        self.market_bid, self.market_ask = bid, ask
        self.mid, self.market_spread = (bid + ask) / 2, (ask - bid).astype(np.float64)
        self.position: Floats = seen["position_lots"].to_numpy() * self.lot
        self.bid, bid_size = self._quotes(1)
        self.ask, ask_size = self._quotes(-1)
        self.quoted: Floats = bid_size + ask_size
        self.to_bid, self.to_ask, self.size = self.mid - self.bid, self.ask - self.mid, self.quoted
        self.causes = np.zeros(len(self.t), np.int64)
        if notes is not None and notes["noted"]:
            self._take_plan(notes)
        self.fills = fills_of(run, 0)
        self.fill_t: Floats = self.seconds(self.fills.ns)

    def _quotes(self, side: int) -> tuple[Floats, Floats]:
        """Return the nearest quote of a side and the quantity on all its levels, as they were wanted after each decision."""
        frame = self.run.quotes
        chosen = frame["side"].to_numpy() == side
        ns, level, ticks, lots = (frame[name].to_numpy()[chosen] for name in ("ns", "level", "ticks", "lots"))
        best, size = np.full(len(self.ns), np.nan), np.zeros(len(self.ns))
        for each in np.unique(level):
            own = level == each
            at = np.searchsorted(ns[own], self.ns, "right") - 1
            held = np.where(at >= 0, lots[own][at], 0)
            price = np.where(held > 0, ticks[own][at], np.nan)
            best = np.fmax(best, price) if side > 0 else np.fmin(best, price)
            size += held * self.lot
        return best, size

    def _take_plan(self, notes: Any) -> None:
        count = int(notes["noted"])
        at = last_at(notes["noted_ns"][:count], self.ns)
        centre, half_bid, half_ask, to_buy, to_sell = (notes[f"noted_{name}"][:count][at] for name in _NUMBERS)
        self.to_bid, self.to_ask = self.mid - (centre - half_bid), centre + half_ask - self.mid
        self.size = np.maximum(to_buy, 0.0) + np.maximum(to_sell, 0.0)
        self.causes = notes["noted_causes"][:count][at]

    # -- what can be asked of it

    @property
    def width(self) -> Floats:
        """Planned distance from bid to ask."""
        return np.asarray(self.to_bid + self.to_ask, np.float64)

    def seconds(self, ns: Any) -> Floats:
        """Return times as seconds since the opening."""
        return np.asarray((ns - self.origin_ns) / NS_PER_SECOND, np.float64)

    def within(self, from_s: float, to_s: float) -> npt.NDArray[np.bool_]:
        """Say which decisions were made between two times."""
        return np.asarray((self.t >= from_s) & (self.t < to_s))

    def mean(self, values: Floats, from_s: float, to_s: float) -> float:
        """Return the mean of *values* over the decisions of a stretch of time, NaN left out; NaN where there are none."""
        chosen = values[self.within(from_s, to_s)]
        chosen = chosen[np.isfinite(chosen)]
        return float(chosen.mean()) if len(chosen) else float("nan")

    def presence(self, from_s: float, to_s: float) -> float:
        """Return the share of decisions of a stretch of time after which it wanted both a bid and an ask."""
        both = np.isfinite(self.bid) & np.isfinite(self.ask)
        return self.mean(both.astype(np.float64), from_s, to_s)

    def standing(self, side: int) -> tuple[Floats, Any]:
        """Return (seconds, ticks) of the own best order that stood at the exchange; 0 ticks where there was none."""
        ns, ticks = standing_path(self.run, 0, side)
        return self.seconds(ns), ticks

    def pulled_after(self, at_s: float) -> float:
        """Return how long after *at_s* the last own order was gone from the exchange, in s; infinite where some always stood."""
        (bid_t, bids), (ask_t, asks) = self.standing(1), self.standing(-1)
        times = np.unique(np.concatenate([bid_t, ask_t, [at_s]]))
        there = (bids[last_at_s(bid_t, times)] != 0) | (asks[last_at_s(ask_t, times)] != 0)
        free = times[(times >= at_s) & ~there]
        return float(free[0] - at_s) if len(free) else float("inf")

    def sent(self, from_s: float, to_s: float, *actions: OrderAction) -> int:
        """Return how many messages of these kinds left us in a stretch of time."""
        t = self.seconds(self.run.orders["ns"].to_numpy())
        kinds = np.isin(self.run.orders["action"].to_numpy(), [int(each) for each in actions])
        return int(np.sum(kinds & (t >= from_s) & (t < to_s)))

    def fills_between(self, from_s: float, to_s: float) -> int:
        """Return how many fills happened at the exchange in a stretch of time."""
        return int(np.sum((self.fill_t >= from_s) & (self.fill_t < to_s)))

    def markout(self, from_s: float, to_s: float, horizon_s: float) -> float:
        """Return what a lot that was filled in a stretch of time had earned *horizon_s* later, in ticks; NaN without fills."""
        chosen = (self.fill_t >= from_s) & (self.fill_t < to_s)
        if not chosen.any():
            return float("nan")
        mids = mids_of(self.run, 0)
        later = mids.half_ticks[last_at(mids.ns, self.fills.ns[chosen] + round(horizon_s * NS_PER_SECOND))] / 2
        earned = self.fills.side[chosen] * (later - self.fills.ticks[chosen])
        return float(np.average(earned, weights=self.fills.lots[chosen]))

    def earned(self, from_s: float, to_s: float) -> float:
        """Return the P&L of a stretch of time, in money."""
        ns, pnl = exact_pnl_path(self.run, 0)
        ends = [self.origin_ns + round(at * NS_PER_SECOND) for at in (from_s, to_s)]
        before, after = pnl[last_at(ns, ends)]
        return float(after - before)

    def heard(self, status: Status, after_s: float = 0.0) -> float:
        """Return when we first heard of *status* after a time, in s; infinite where never."""
        said = self.events[(self.events["kind"] == Kind.STATUS) & (self.events["lots"] == status)]
        t = self.seconds(said["local_ns"])
        t = t[t >= after_s]
        return float(t[0]) if len(t) else float("inf")

    def silence(self) -> tuple[float, float]:
        """Return (from, until) of the longest time in which nothing reached us, in s."""
        t = self.seconds(self.events["local_ns"])
        longest = int(np.argmax(np.diff(t)))
        return float(t[longest]), float(t[longest + 1])


def last_at_s(times: Floats, at: Floats) -> npt.NDArray[np.intp]:
    """Return the index of the last of *times* at or before each of *at*; the first where there is none."""
    return np.maximum(np.searchsorted(times, at, "right") - 1, 0)
