"""A small language for replay tests: a market told event by event in milliseconds, and a quoter that follows a script."""

import numpy as np

from twosided.engines.replay import replay
from twosided.engines.settings import Orders, ReplaySettings
from twosided.market.event import EVENT, Flag, Kind, Status
from twosided.market.instrument import Fees, Instrument
from twosided.market.order import OrderAction, Reason
from twosided.market.survey import Surveyor
from twosided.strategies.contract import Wake, strategy

MS = 1_000_000
T0 = 1_700_000_000_000_000_000

INSTRUMENT = Instrument(symbol="TEST", tick_size="0.01", lot_size="1", fees=Fees(maker_bps="-0.2", taker_bps="3"))


class Scene:
    """Events in the order in which they are told; each call is one message unless `half` says that more follows."""

    def __init__(self, bid=100, ask=102, lots=10, feed_ms=1):
        self.rows, self.feed_ms = [], feed_ms
        self.depth(0, 1, bid, lots, half=True)
        self.depth(0, -1, ask, lots)

    def _add(self, ms, kind, side, ticks, lots, half=False, order_id=0, hidden=False):
        flags = (0 if half else Flag.LAST_OF_MESSAGE) | (Flag.HIDDEN if hidden else 0)
        exch = T0 + round(ms * MS)
        self.rows.append((exch, exch + self.feed_ms * MS, order_id, lots, ticks, kind, flags, side, 0))
        return self

    def depth(self, ms, side, ticks, lots, half=False):
        return self._add(ms, Kind.DEPTH, side, ticks, lots, half)

    def trade(self, ms, aggressor, ticks, lots, half=False):
        return self._add(ms, Kind.TRADE, aggressor, ticks, lots, half)

    def hidden(self, ms, aggressor, ticks, lots):
        return self._add(ms, Kind.TRADE, aggressor, ticks, lots, hidden=True)

    def status(self, ms, status):
        return self._add(ms, Kind.STATUS, 0, 0, status)

    def funding(self, ms, rate_1e9):
        return self._add(ms, Kind.FUNDING, 0, 0, rate_1e9)

    def mark(self, ms, kind, side=0, half=False):
        return self._add(ms, kind, side, 0, 0, half)

    def quiet(self, ms):
        """Let time pass: restate the best bid far away from everything."""
        return self.depth(ms, 1, 1, 1)

    def events(self):
        return np.array(self.rows, EVENT)


class Told:
    """Events in memory, with what `replay` asks of a recording; others let `chunks` come in pieces."""

    def __init__(self, events):
        self.events, self.instruments = events, (INSTRUMENT,) * (int(events["market"].max()) + 1)

    def chunks(self):
        yield self.events

    def survey(self):
        surveyor = Surveyor(len(self.instruments))
        for chunk in self.chunks():
            surveyor.see(chunk)
        return surveyor.found()

    def facts(self):
        return {}


class OrderScene(Scene):
    """A scene told order by order: it begins with order 1 bid and order 2 asked."""

    def __init__(self, bid=100, ask=102, lots=10, feed_ms=1):
        self.rows, self.feed_ms = [], feed_ms
        self.add(0, 1, 1, bid, lots, half=True)
        self.add(0, 2, -1, ask, lots)

    def add(self, ms, order_id, side, ticks, lots, half=False):
        return self._add(ms, Kind.ADD, side, ticks, lots, half, order_id)

    def modify(self, ms, order_id, side, ticks, lots, half=False):
        return self._add(ms, Kind.MODIFY, side, ticks, lots, half, order_id)

    def cancel(self, ms, order_id, lots=0, half=False):
        return self._add(ms, Kind.CANCEL, 0, 0, lots, half, order_id)

    def fill(self, ms, order_id, side, ticks, lots, half=False):
        """Let an order trade: the trade, then the fill."""
        self._add(ms, Kind.TRADE, -side, ticks, lots, half=True)
        return self._add(ms, Kind.FILL, side, ticks, lots, half, order_id)

    def quiet(self, ms):
        """Let time pass: a new order far away from everything."""
        return self.add(ms, 1_000_000 + len(self.rows), 1, 1, 1)


def random_market(seed, n=600, disorder=False):
    """Return a random two-sided market: messages of some levels, trades, now and then a halt, and one crossed state in twenty."""
    rng = np.random.default_rng(seed)
    rows, now, mid, held = [], T0, 1000, {1: set(), -1: set()}
    for _ in range(n):
        now += int(rng.integers(0, 3)) * MS
        mid += int(rng.integers(-1, 2)) * (rng.random() < 0.3)
        local = now + MS + int(rng.integers(0, 3)) * 100_000
        pick = rng.random()
        if pick < 0.25:
            side = int(rng.choice([1, -1]))
            rows.append((now, local, 0, int(rng.integers(1, 30)), mid + side, Kind.TRADE, Flag.LAST_OF_MESSAGE, side, 0))
        elif pick < 0.26:
            rows.append((now, local, 0, int(rng.choice([Status.HALT, Status.OPEN])), 0, Kind.STATUS, Flag.LAST_OF_MESSAGE, 0, 0))
        else:
            levels = []
            for _ in range(int(rng.integers(1, 5))):
                side = int(rng.choice([1, -1]))
                levels.append((side, mid - side * int(rng.integers(1, 6)), int(rng.integers(0, 40))))
                if rng.random() < 0.95:  # what the new level would cross is gone
                    side, ticks, _lots = levels[-1]
                    levels += [(-side, other, 0) for other in sorted(held[-side]) if (ticks - other) * side >= 0]
                for side, ticks, lots in levels:
                    (held[side].add if lots else held[side].discard)(ticks)
            rows += [(now, local, 0, lots, ticks, Kind.DEPTH, 0, side, 0) for side, ticks, lots in levels]
            rows[-1] = (*rows[-1][:6], Flag.LAST_OF_MESSAGE, *rows[-1][7:])
    events = np.array(rows, EVENT)
    events["local_ns"] = np.maximum.accumulate(events["local_ns"])
    if disorder:  # trades seen here before the book messages that the exchange sent first
        late = (events["kind"] == Kind.TRADE) & (rng.random(len(events)) < 0.3)
        events["exch_ns"][late] -= 4 * MS
    return events


def scripted(script, levels=1, every_ms=1):
    """Return a strategy that wants, from each time in *script* (ms) on, the given quotes: (side, level, ticks, lots) each."""
    times = sorted(script)

    @strategy(every_ns=every_ms * MS, wake=Wake.TIMER, levels=levels, compiled=False)
    def actor(ctx):
        now = (ctx.now_ns - T0) / MS
        past = [ms for ms in times if ms <= now]
        for side in (0, 1):
            for level in range(levels):
                ctx.quotes[0, side, level].lots = 0
        for side, level, ticks, lots in script[past[-1]] if past else ():
            quote = ctx.quotes[0, 0 if side > 0 else 1, level]
            quote.ticks, quote.lots = ticks, lots

    return actor


def play(scene, script, *, levels=1, instrument=INSTRUMENT, orders=None, **settings):
    """Replay a scene with a scripted quoter: one millisecond each way, only trades advance the queue, unless said otherwise."""
    assumed = {"entry_latency": "1ms", "response_latency": "1ms", "queue": "conservative", **settings}
    events = scene.events() if isinstance(scene, Scene) else scene
    chosen = ReplaySettings(orders=Orders(**(orders or {})), **assumed)
    return replay(events, scripted(script, levels), instruments=instrument, settings=chosen, start_ns=T0)


def fills(run):
    """Return (ms at the exchange, side, ticks, lots) of every fill."""
    rows = run.fills.select("exch_ns", "side", "ticks", "lots").rows()
    return [((ns - T0) / MS, side, ticks, lots) for ns, side, ticks, lots in rows]


def causes(run):
    """Return the reason of every fill."""
    return [Reason(cause).name for cause in run.fills["cause"]]


def actions(run, *names):
    """Return (action, reason) of the order log by name, or only those of the given actions."""
    told = [(OrderAction(action).name, Reason(reason).name) for action, reason in run.orders.select("action", "reason").rows()]
    return [each for each in told if not names or each[0] in names]
