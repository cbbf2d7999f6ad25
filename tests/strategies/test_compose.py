"""A strategy composed of a quoter and overlays: what it declares is what its parts declare, and they act in order."""

from pathlib import Path

import numpy as np
import pytest

from twosided import replay
from twosided._compile import INTERPRETED
from twosided.errors import InputError, StrategyError
from twosided.market.event import EVENT, Flag, Kind
from twosided.market.instrument import Instrument
from twosided.strategies.catalogue import OVERLAYS, STRATEGIES
from twosided.strategies.compose import compose, overlay, quoter
from twosided.strategies.contract import Param, Wake, strategy
from twosided.strategies.plan import Cause, cause_words, make_plan
from twosided.strategies.quoting import mid_ticks

INSTRUMENT = Instrument(symbol="X", tick_size="0.01", lot_size="1")


def _prepare(params, _instruments, memory):
    memory.twice_prepared += params.twice_factor


@quoter(half=Param(5.0, unit="ticks", minimum=0), every_ns=50_000_000)
def simple(ctx):
    make_plan(ctx.memory.plan, mid_ticks(ctx.market[0]), ctx.params.half, ctx.params.half, 8.0, 8.0)


@overlay(
    twice_factor=2.0,
    memory={"twice_prepared": "f8", "twice_table": ("f8", (3,))},
    signals=("imbalance",),
    wake=Wake.TRADE,
    every_ns=10_000_000,
    prepare=_prepare,
)
def twice(ctx):
    ctx.memory.plan.half_bid *= ctx.params.twice_factor
    ctx.memory.plan.causes |= 1


@overlay(less_ticks=3.0)
def less(ctx):
    ctx.memory.plan.half_bid -= ctx.params.less_ticks


@pytest.mark.interpreted
def test_overlays_act_in_the_order_of_the_name(decide):
    assert decide(simple).bid == 100_000 - 5
    assert decide(compose(simple, twice, less)).bid == 100_000 - (2 * 5 - 3)
    assert decide(compose(simple, less, twice)).bid == 100_000 - 2 * (5 - 3)
    assert compose(simple, less, twice).name == "simple+less+twice"
    assert decide(compose(compose(simple, less), twice)) == decide(compose(simple, less, twice))


@pytest.mark.interpreted
def test_a_composed_strategy_declares_what_its_parts_declare():
    found = compose(simple, less, twice)
    assert list(found.params) == ["half", "quantity", "max_position", "target_position", "less_ticks", "twice_factor"]
    assert set(found.row_dtype(1)["memory"].names) == {"plan", "twice_prepared", "twice_table"}
    assert found.signals == ("imbalance",)
    assert found.wake == Wake.TIMER | Wake.TRADE
    assert found.every_ns == 10_000_000
    assert compose(simple, less).every_ns == 50_000_000
    row = np.zeros(1, found.row_dtype(1))[0]
    found.with_params(twice_factor=4.0).fill_params(row, (INSTRUMENT,))
    assert row.memory.twice_prepared == 4.0
    assert row.params.quantity == 1.0  # settled by the quoter


@pytest.mark.interpreted
def test_a_quoter_alone_is_what_it_was_before(decide):
    decide(compose(simple, twice))
    assert simple.name == "simple"
    assert "twice_factor" not in simple.params


@pytest.mark.interpreted
def test_names_that_clash_are_refused():
    @overlay(half=1.0)
    def same_parameter(_ctx):
        pass

    @overlay(memory={"plan": "f8"})
    def same_memory(_ctx):
        pass

    with pytest.raises(InputError, match=r"strategy simple\+same_parameter has the parameter half twice"):
        compose(simple, same_parameter)
    with pytest.raises(InputError, match=r"strategy simple\+same_memory has the memory field plan twice"):
        compose(simple, same_memory)


@pytest.mark.interpreted
def test_a_strategy_that_quotes_by_itself_cannot_be_modified():
    @strategy()
    def direct(_ctx):
        pass

    with pytest.raises(InputError, match=r"strategy direct writes its quotes itself.* declare it with @quoter"):
        compose(direct, less)


@pytest.mark.interpreted
def test_no_two_overlays_that_ship_clash():
    everything = compose(STRATEGIES["grid"], *OVERLAYS.values())
    assert everything.stages[1:-1] == tuple(each.declared.function for each in OVERLAYS.values())
    for name, each in OVERLAYS.items():
        subjects = {param.split("_")[0] for param in each.declared.params}
        assert len(subjects) <= 1, f"{name}: parameters begin with one subject"


@pytest.mark.interpreted
def test_causes_are_said_in_words():
    bits = int(Cause.ONE_SIDED) | int(Cause.STALE_FEED)
    assert cause_words(bits) == [Cause.ONE_SIDED.words, Cause.STALE_FEED.words]
    assert cause_words(0) == []
    assert len({int(cause) for cause in Cause}) == len(Cause)
    assert all(int(cause).bit_count() == 1 for cause in Cause)


# ---------------------------------------------------------------- what goes wrong in a part is told with its line


def _events(count=30):
    events = np.zeros(count, EVENT).view(np.recarray)
    events.exch_ns = 1_700_000_000_000_000_000 + np.arange(count) * 50_000_000
    events.local_ns = events.exch_ns + 1_000_000
    events.kind, events.flags, events.lots = Kind.DEPTH, Flag.LAST_OF_MESSAGE, 10
    events.side = np.where(np.arange(count) % 2, -1, 1)
    events.ticks = np.where(np.arange(count) % 2, 1002, 1000)
    return events


@overlay(wrong_from=3, memory={"wrong_seen": "i8"})
def wrong(ctx):
    ctx.memory.wrong_seen += 1
    if ctx.memory.wrong_seen > ctx.params.wrong_from:
        raise ValueError("seen enough")


@overlay()
def misspelt(ctx):
    ctx.memory.plan.half_bidd = 1.0


def _line(each, part):
    lines = Path(__file__).read_text().splitlines()
    first = each.declared.function.__code__.co_firstlineno
    return next(number for number, line in enumerate(lines, 1) if number > first and part in line)


def test_an_overlay_that_raises_is_told_with_its_line():
    line = _line(wrong, "raise ValueError")
    with pytest.raises(StrategyError, match=rf"strategy simple\+wrong\+less raised ValueError: seen enough at .*\(.*py:{line}\)"):
        replay(_events(), compose(simple, wrong, less), instruments=INSTRUMENT)


@pytest.mark.skipif(INTERPRETED, reason="plain Python makes a new field")
def test_an_overlay_that_cannot_be_compiled_is_told_with_its_line():
    with pytest.raises(StrategyError, match=rf"strategy simple\+misspelt.*py:{_line(misspelt, 'half_bidd')}\)"):
        replay(_events(), compose(simple, misspelt), instruments=INSTRUMENT)
