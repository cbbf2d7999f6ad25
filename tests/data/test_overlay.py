"""A book under best prices, against a twin that builds it anew for every message, and against a venue that knows the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.data import overlay
from twosided.data.overlay import BEST_PRICES, SILENT, Overlay
from twosided.market.event import EVENT, Flag, Kind
from twosided.market.ladder import NO_ASK, NO_BID

LAST, SNAPSHOT = int(Flag.LAST_OF_MESSAGE), int(Flag.SNAPSHOT)
EMPTY = ({}, {})


class Change:
    """Sets levels (side, ticks, lots)."""

    def __init__(self, number, levels):
        self.number, self.levels = number, levels

    def rows(self, at):
        rows = [(at, at, self.number, lots, ticks, Kind.DEPTH, 0, side, 0) for side, ticks, lots in self.levels]
        return rows or [(at, at, self.number, 0, 0, 0, SILENT, 0, 0)]


class Snapshot(Change):
    """Restates the book."""

    def rows(self, at):
        edges = [(at, at, self.number, 0, 0, kind, SNAPSHOT, 0, 0) for kind in (Kind.SNAPSHOT_BEGIN, Kind.SNAPSHOT_END)]
        inside = [(at, at, self.number, lots, ticks, Kind.DEPTH, SNAPSHOT, side, 0) for side, ticks, lots in self.levels]
        return [edges[0], *inside, edges[1]]


class Best:
    """States the touch; a side of no lots says nothing."""

    def __init__(self, number, bid, ask):
        self.number, self.bid, self.ask = number, bid, ask

    def rows(self, at):
        (bid, bid_lots), (ask, ask_lots) = self.bid, self.ask
        head = (at, at, self.number)
        flags = BEST_PRICES
        return [(*head, bid_lots, bid, Kind.DEPTH, flags, 1, 0), (*head, ask_lots, ask, Kind.DEPTH, flags, -1, 0)]


class Trade:
    """Passes through."""

    number = 7

    def rows(self, at):
        return [(at, at, self.number, 3, 100, Kind.TRADE, 0, 1, 0)]


def events_of(message, at):
    """Return the raw events of a message."""
    rows = message.rows(at)
    events = np.zeros(len(rows), EVENT)
    for place, row in enumerate(rows):
        events[place] = row
    events["flags"][-1] |= LAST
    return events


class Twin:
    """Keeps everything and lays all of it over the base, each time."""

    def __init__(self, most_waiting):
        self.base, self.begun, self.last, self.said, self.waiting, self.most = EMPTY, False, -1, -1, [], most_waiting

    def take(self, message):
        if isinstance(message, Best):
            if message.number > max(self.last, self.said):
                self.waiting, self.said = [*self.waiting, message][-self.most :], message.number
        elif isinstance(message, Change):
            book = EMPTY if isinstance(message, Snapshot) else self.base
            self.base = tuple(dict(side) for side in book)
            for side, ticks, lots in message.levels:
                self.base[side < 0][ticks] = lots
            self.base = tuple({ticks: lots for ticks, lots in side.items() if lots} for side in self.base)
            self.begun, self.last = True, message.number
            self.waiting = [best for best in self.waiting if best.number > self.last]

    @property
    def book(self):
        if not self.begun:
            return EMPTY
        book = tuple(dict(side) for side in self.base)
        for best in self.waiting:
            for side, levels, (at, lots) in zip((1, -1), book, (best.bid, best.ask), strict=True):
                if lots:
                    for ticks in [ticks for ticks in levels if (ticks - at) * side > 0]:
                        del levels[ticks]
                    levels[at] = lots
        return book


def touch_of(book):
    bids, asks = book
    bid, ask = max(bids, default=NO_BID), min(asks, default=NO_ASK)
    return bid, bids.get(bid, 0), ask, asks.get(ask, 0)


class Consumer:
    """Applies settled events, and makes sure that they are whole messages in which nothing is said without need."""

    def __init__(self):
        self.book = ({}, {})

    def take(self, events, message):
        before = [dict(side) for side in self.book]
        for event in events:
            if event["kind"] == Kind.SNAPSHOT_BEGIN:
                self.book = ({}, {})
            elif event["kind"] == Kind.DEPTH:
                self.book[int(event["side"] < 0)][int(event["ticks"])] = int(event["lots"])
        self.book = tuple({ticks: lots for ticks, lots in side.items() if lots} for side in self.book)
        if len(events):
            assert events["flags"][-1] & LAST
            assert not (events["flags"] & (BEST_PRICES | SILENT)).any()
        if isinstance(message, Trade | Snapshot):
            return
        assert not (events["flags"][:-1] & LAST).any()
        own = {(side, ticks) for side, ticks, _ in message.levels} if isinstance(message, Change) else set()
        named = [(int(event["side"]), int(event["ticks"])) for event in events]
        others = [level for level in named if level not in own]
        assert len(set(others)) == len(others)
        for event in events:
            side, ticks, lots = int(event["side"]), int(event["ticks"]), int(event["lots"])
            assert (side, ticks) in own or lots != before[int(side < 0)].get(ticks, 0)


def settled_parts(messages, cuts, follower=None):
    """Yield (message, the events that it became, the checks up to it) for messages that come in blocks which end at *cuts*."""
    follower, at = Overlay() if follower is None else follower, 0
    for begin, end in zip([0, *cuts], [*cuts, len(messages)], strict=True):
        raws = []
        for message in messages[begin:end]:
            at += 1_000
            raws.append(events_of(message, at))
        if not raws:
            continue
        starts = np.cumsum([0, *(len(raw) for raw in raws)])
        found = follower.settle(np.concatenate(raws))
        assert (np.diff(np.searchsorted(starts, found.origin, side="right")) >= 0).all()
        checks = iter(found.checks.tolist())
        for number, message in enumerate(messages[begin:end]):
            mine = (found.origin >= starts[number]) & (found.origin < starts[number + 1])
            yield message, found.events[mine], next(checks) if isinstance(message, Change) else None
        assert next(checks, None) is None


ticks = st.integers(-4, 4)
lots = st.integers(0, 3)
levels = st.lists(st.tuples(st.sampled_from((1, -1)), ticks, lots), max_size=5)
numbers = st.integers(0, 12)
messages = st.lists(
    st.one_of(
        st.builds(Change, numbers, levels),
        st.builds(Best, numbers, st.tuples(ticks, lots), st.tuples(ticks, lots)),
        st.builds(Best, numbers, st.tuples(ticks, lots), st.tuples(ticks, lots)),
        st.builds(Snapshot, numbers, levels),
        st.builds(Trade),
    ),
    max_size=25,
)


def in_sequence(messages):
    """Return *messages* with ids that grow as those of a venue do: changes in order, best prices around them."""
    at = 0
    for message in messages:
        if isinstance(message, Change):
            at += 1 + message.number % 4
            message.number = at
        elif isinstance(message, Best):
            message.number = max(at + message.number - 4, 0)
    return messages


@pytest.fixture(params=["roomy", "tight"])
def room(request, monkeypatch):
    """Begin with so little memory that it must grow again and again, or with plenty."""
    if request.param == "tight":
        monkeypatch.setattr(overlay, "_FIRST_PAGES", 1)
        monkeypatch.setattr(overlay, "_FIRST_TOUCHED", 1)
        monkeypatch.setattr(overlay, "_SPARE_EVENTS", 0)
    monkeypatch.setattr(overlay, "_MOST_WAITING", 3)


@pytest.mark.interpreted
@pytest.mark.usefixtures("room")
def test_the_book_is_at_every_moment_what_is_known_by_the_latest_ids():
    @settings(max_examples=150, deadline=None)
    @given(messages, st.lists(st.integers(0, 25), max_size=3), st.booleans(), st.sampled_from((1, 5_000)))
    def check(messages, cuts, orderly, spacing):
        messages = in_sequence(messages) if orderly else messages
        for message in messages:  # prices that are far apart stand on pages of their own
            if isinstance(message, Change):
                message.levels = [(side, ticks * spacing, lots) for side, ticks, lots in message.levels]
            elif isinstance(message, Best):
                message.bid, message.ask = ((ticks * spacing, lots) for ticks, lots in (message.bid, message.ask))
        twin, consumer = Twin(3), Consumer()
        cuts = sorted(min(cut, len(messages)) for cut in cuts)
        for message, events, check in settled_parts(messages, cuts):
            twin.take(message)
            consumer.take(events, message)
            assert consumer.book == twin.book
            if check is not None:
                assert tuple(check) == (message.number, *touch_of(twin.base))

    check()


def venue_messages(rng, steps):
    """Return what a venue sends of a random book, mixed up between the two streams, and the book after each update id."""
    truth = {0: ({98: 5, 97: 5}, {102: 5, 103: 5})}
    changed, sent, best = {}, [], []
    for number in range(1, steps + 1):
        bids, asks = (dict(side) for side in truth[number - 1])
        bid, ask = max(bids), min(asks)
        side = rng.integers(2)
        at = int(rng.integers(bid - 2, ask)) if side == 0 else int(rng.integers(bid + 1, ask + 3))
        size = int(rng.integers(0, 4))
        levels = asks if side else bids
        if size or (at in levels and len(levels) > 1):
            levels.pop(at, None)
            levels |= {at: size} if size else {}
        truth[number] = bids, asks
        changed[side, at] = True
        if touch_of(truth[number]) != touch_of(truth[number - 1]):
            bid, bid_lots, ask, ask_lots = touch_of(truth[number])
            best.append((number + rng.exponential(2.0), Best(number, (bid, bid_lots), (ask, ask_lots))))
        if rng.random() < 0.15:
            since = [message for _, message in sent][-1].number if sent else 0
            levels = []
            for side, at in changed:  # the venue is silent about what is as it was
                before, now = (truth[each][side].get(at, 0) for each in (since, number))
                if before != now:
                    levels.append((-1 if side else 1, at, now))
            changed.clear()
            sent.append((number + 1.0, Change(number, levels)))
    snapshot = Snapshot(
        0, [(1, at, size) for at, size in truth[0][0].items()] + [(-1, at, size) for at, size in truth[0][1].items()]
    )
    best_times = np.maximum.accumulate([time for time, _ in best])  # each stream keeps its order
    mixed = sorted([*sent, *zip(best_times.tolist(), (each for _, each in best), strict=True)], key=lambda each: each[0])
    return [snapshot, *(message for _, message in mixed)], truth


@pytest.mark.parametrize("seed", range(30))
def test_the_touch_is_the_venue_s_after_every_message_and_the_book_wherever_it_said_all(seed):
    messages, truth = venue_messages(np.random.default_rng(seed), 300)
    consumer, latest, changed, stale, late, changes, shown = Consumer(), 0, 0, 0, 0, 0, None
    cuts = sorted(np.random.default_rng(seed).integers(0, len(messages), 3).tolist())
    longest = stretch = 0
    follower = Overlay()
    was_stale = False
    for message, events, _ in settled_parts(messages, cuts, follower):
        if isinstance(message, Best):
            late += message.number <= max(changed, 0)
        consumer.take(events, message)
        latest = max(latest, message.number)
        changed = message.number if isinstance(message, Change) else changed
        assert touch_of(consumer.book) == touch_of(truth[latest])
        if latest == changed:
            assert consumer.book == truth[latest]
        touch = touch_of(consumer.book)[::2]
        stretch = stretch + 1_000 if was_stale else 0
        stale, longest = stale + 1_000 * was_stale, max(longest, stretch)
        accepted = isinstance(message, Best) and message.number == latest
        if accepted or isinstance(message, Change):
            changes += accepted and shown is not None and touch != shown
            shown = touch
        was_stale = touch != touch_of(truth[changed])[::2]
    found = follower.staleness
    assert found.messages == sum(isinstance(message, Best) for message in messages)
    assert (found.late, found.changes) == (late, changes)
    assert found.stale_ns == pytest.approx(stale, abs=1_000)  # the last message need not be one that is compared
    assert found.longest_ns == pytest.approx(longest, abs=1_000)


def test_a_level_that_vanishes_and_returns_is_restored_though_the_change_is_silent_about_it():
    steps = [
        Snapshot(1, [(1, 99, 5), (1, 98, 4), (-1, 101, 6)]),
        Best(2, (98, 4), (101, 6)),
        Best(3, (99, 2), (100, 1)),
        Change(4, [(-1, 103, 1)]),
    ]
    consumer = Consumer()
    books = []
    for message, events, _ in settled_parts(steps, []):
        consumer.take(events, message)
        books.append(tuple(dict(side) for side in consumer.book))
    assert books == [
        ({99: 5, 98: 4}, {101: 6}),
        ({98: 4}, {101: 6}),
        ({99: 2, 98: 4}, {100: 1, 101: 6}),
        ({99: 5, 98: 4}, {101: 6, 103: 1}),
    ]


def test_what_is_known_without_best_prices_passes_unchanged():
    steps = [Snapshot(1, [(1, 99, 5), (-1, 101, 6)]), Trade(), Change(2, [(1, 99, 4), (1, 99, 3)]), Change(3, []), Trade()]
    raw = [events_of(message, at) for at, message in enumerate(steps)]
    settled = Overlay().settle(np.concatenate(raw))
    assert settled.events.tolist() == np.concatenate([part for part in raw if not (part["flags"] & SILENT).any()]).tolist()


def test_memory_stays_what_it_was_however_many_messages_there_are():
    follower = Overlay()
    pages = len(follower._books)
    follower.settle(events_of(Snapshot(0, [(1, 99, 5), (-1, 101, 6)]), 1))
    for block in range(40):
        numbers = range(1 + 1_000 * block, 1_001 + 1_000 * block)
        raw = [events_of(Best(number, (99 - number % 50, 1 + number % 3), (101, 6)), number) for number in numbers]
        follower.settle(np.concatenate(raw))
    assert len(follower._touched) == overlay._FIRST_TOUCHED
    assert len(follower._waiting) == overlay._MOST_WAITING
    assert len(follower._books) == pages
    assert follower.staleness.changes == 39_999 + 1
