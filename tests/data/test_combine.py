"""Several recordings become one: markets numbered, events merged by our clock, facts of all; streamed as in memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.data import combine as module
from twosided.data.combine import combine
from twosided.data.recording import Recording, load
from twosided.data.streaming import stream
from twosided.engines.replay import replay
from twosided.engines.settings import ReplaySettings
from twosided.errors import InputError
from twosided.market.event import EVENT, Flag, Kind
from twosided.market.instrument import Instrument
from twosided.market.survey import survey
from twosided.strategies.contract import quote_ask, quote_bid, strategy

HEADER = "exch_ns,local_ns,kind,side,price,size\n"


def recording(times, symbol="A", latency=0, offset=0):
    """Return a recording of one market with an event at each of *times* (ours); its ids count through them."""
    events = np.zeros(len(times), EVENT)
    events["local_ns"], events["exch_ns"], events["id"] = times, np.asarray(times) - latency, range(len(times))
    events["kind"], events["flags"] = Kind.TRADE, Flag.LAST_OF_MESSAGE
    return Recording(events, (Instrument(symbol=symbol, tick_size="0.01", lot_size="1"),), offset, latency)


times = st.lists(st.integers(0, 30), min_size=1, max_size=40).map(sorted)


@given(st.lists(times, min_size=1, max_size=4), st.integers(1, 5))
def test_merging_piece_by_piece_is_a_stable_sort_of_everything(listed, size):
    parts = [recording(each, symbol=f"M{number}") for number, each in enumerate(listed)]
    naive = sorted((ns, market, number) for market, each in enumerate(listed) for number, ns in enumerate(each))
    for chunks in (1000, size):
        pieces = [iter([np.array(part.events[at : at + chunks]) for at in range(0, len(part.events), chunks)]) for part in parts]
        numbered = [_numbered(piece, market) for market, piece in enumerate(pieces)]
        merged = list(module._merged(numbered))
        assert all(len(piece) for piece in merged)
        rows = np.concatenate(merged)[["local_ns", "market", "id"]].tolist()
        assert rows == naive
    if max(each[0] for each in listed) <= min(each[-1] for each in listed):
        kept = [row for row in naive if row[0] <= min(each[-1] for each in listed)]
        assert combine(parts).events[["local_ns", "market", "id"]].tolist() == kept
        assert combine(parts, tails=True).events[["local_ns", "market", "id"]].tolist() == naive


def _numbered(pieces, market):
    for piece in pieces:
        piece["market"] = market
        yield piece


def test_the_parts_stay_what_they_are_and_the_whole_is_said():
    one, two = recording([10, 20, 30], "A", latency=4), recording([15, 20], "B", latency=7)
    before = one.events.copy(), two.events.copy()
    both = combine([one, two], tails=True)
    (events,) = both.chunks()
    assert events["market"].tolist() == [0, 1, 0, 1, 0]
    assert np.array_equal(one.events, before[0])
    assert np.array_equal(two.events, before[1])
    assert [each.symbol for each in both.instruments] == ["A", "B"]
    assert (both.span_ns, both.overlap_ns) == ((10, 30), (15, 20))
    said, seen = both.survey(), survey(events, 2)
    for name in ("events", "local_backwards", "shortest_ns", "longest_ns", "most_market", "kinds", "most_ticks", "most_lots"):
        assert getattr(said, name) == getattr(seen, name), name
    assert said.moves_backwards == seen.moves_backwards
    facts = both.facts()
    assert facts["events"] == 5
    assert [each["events"] for each in facts["recordings"]] == [3, 2]
    assert facts["clocks"] == "each recording's clocks were corrected by its own rule"


def test_one_clock_takes_the_smallest_offset_for_all():
    """What arrived first at one machine does so in the replay, although the exchanges' clocks differ."""
    one, two = recording([1010, 1030], "A", latency=4, offset=-1000), recording([1005, 1030], "B", latency=4, offset=-990)
    both = combine([one, two], one_clock=True, tails=True)  # recorded at 10 and 30, and at 15 and 40
    (events,) = both.chunks()
    assert events["local_ns"].tolist() == [1010, 1015, 1030, 1040]
    assert both.survey().shortest_ns == 4
    assert both.span_ns == (1010, 1040)
    assert "one offset for all" in both.facts()["clocks"]


def test_markets_count_on_from_one_recording_to_the_next():
    two = combine([recording([1, 9], "A"), recording([2, 9], "B")])
    third = recording([3, 9], "C")
    (events,) = combine([*two.parts, third]).chunks()
    assert events["market"].tolist() == [0, 1, 2, 0, 1, 2]


def test_the_whole_ends_where_the_first_of_them_does_and_says_what_it_leaves_out():
    """Nobody is asked to quote by a book that stands still, unless he wants to."""
    one, two = recording([10, 20, 2_000_000_000], "A"), recording([15, 25], "B")
    both = combine([one, two])
    assert both.events["local_ns"].tolist() == [10, 15, 20, 25]
    assert both.span_ns == (10, 25)
    assert both.notes == ("the last 2 s of A are left out: another recording has ended before",)
    assert combine([one, two], tails=True).notes == ()


def test_the_beginning_is_cut_by_our_clock_and_by_count():
    both = combine([recording([10, 20, 30], "A"), recording([15, 25, 30], "B")])
    assert both.beginning(until_ns=25).events["local_ns"].tolist() == [10, 15, 20]
    assert both.beginning(most=2).events["market"].tolist() == [0, 1]


def test_what_cannot_be_combined_is_refused():
    with pytest.raises(InputError, match="recordings is empty"):
        combine([])
    with pytest.raises(InputError, match="two recordings are of A; files that continue one another"):
        combine([recording([1], "A"), recording([2], "A")])
    with pytest.raises(InputError, match=r"one ends at 1970-01-01 00:00:00\.000000002Z, another begins"):
        combine([recording([1, 2], "A"), recording([3, 4], "B")])
    many = [recording([1], f"M{number}") for number in range(module.MOST_MARKETS + 1)]
    with pytest.raises(InputError, match="257 markets; allowed: up to 256"):
        combine(many)


# ---------------------------------------------------------------- replayed


@strategy(wake=15, quantity=1.0)
def both_sides(ctx):
    for m in range(ctx.quotes.shape[0]):
        quote_bid(ctx, m, 0, ctx.market[m].bid_ticks, ctx.params.quantity)
        quote_ask(ctx, m, 0, ctx.market[m].ask_ticks, ctx.params.quantity)


@pytest.fixture
def files(tmp_path):
    """Two markets whose times interlock, one of them with an exchange time that steps back."""
    rng = np.random.default_rng(5)
    made = []
    for name, middle in (("one", 100), ("two", 500)):
        exch = np.cumsum(rng.integers(1, 40, 400)) * 1_000_000
        rows = []
        for number, ns in enumerate(exch):
            local = ns + int(rng.integers(1, 20)) * 1_000_000
            side = rng.choice(["buy", "sell"])
            if number % 3:
                price = middle + (-1 if side == "buy" else 1) * int(rng.integers(1, 4))
                rows.append((local, f"{ns},{local},depth,{side},{price},{rng.integers(1, 9)}"))
            else:
                rows.append((local, f"{ns},{local},trade,{side},{middle + int(rng.integers(-2, 3))},{rng.integers(1, 9)}"))
        path = tmp_path / f"{name}.csv"
        path.write_text(HEADER + "\n".join(row for _, row in sorted(rows)) + "\n")
        made.append(path)
    return made


def read(how, path):
    return how(path, symbol=path.stem, tick_size=1, lot_size=1)


@pytest.mark.parametrize("clock", [False, True])
def test_streamed_in_memory_and_mixed_replay_to_one_digest(files, clock, monkeypatch):
    settings = ReplaySettings(queue="conservative")
    whole = combine([read(load, path) for path in files], one_clock=clock)
    digest = replay(whole, both_sides, settings=settings).digest()
    monkeypatch.setattr("twosided.data.overview._PIECE", 7)
    for how in ((load, load), (stream, stream), (load, stream)):
        both = combine([read(each, path) for each, path in zip(how, files, strict=True)], one_clock=clock)
        run = replay(both, both_sides, settings=settings)
        assert run.digest() == digest
        assert run.facts["data"] == whole.facts()
        assert hasattr(both, "events") == (how == (load, load))
    assert run.fills["market"].n_unique() == 2


def test_a_market_replayed_beside_another_fills_as_it_does_alone(files):
    """Decisions are shared, because both must have a book, so the strategy quotes one fixed price and says nothing of the other."""

    @strategy(every_ns=1_000_000, bid=98.0)
    def patient(ctx):
        quote_bid(ctx, 0, 0, ctx.params.bid, 1.0)

    one, two = (read(load, path) for path in files)
    start = max(one.span_ns[0], two.span_ns[0]) + 2_000_000_000
    alone = replay(one, patient, start_ns=start).fills
    beside = replay(combine([one, two]), patient, start_ns=start).fills
    assert alone.height > 3
    assert beside.filter(beside["market"] == 0).rows() == alone.rows()
