"""What a user wrote wrong is said in one sentence with the user's own line, whether the compiler or the market found it."""

import math
from pathlib import Path

import numpy as np
import pytest

from twosided._compile import INTERPRETED
from twosided.engines.replay import replay
from twosided.errors import StrategyError
from twosided.market.event import EVENT, Flag, Kind
from twosided.market.instrument import Instrument
from twosided.strategies.catalogue import find_strategy
from twosided.strategies.compose import compose, overlay
from twosided.strategies.contract import Param, quote_bid, strategy

HERE = Path(__file__)
INSTRUMENT = Instrument(symbol="TEST", tick_size="0.01", lot_size="1")


def line_of(mark):
    """Return the line of this file that ends with a comment."""
    lines = [number for number, line in enumerate(HERE.read_text().splitlines(), 1) if line.endswith(f"# {mark}")]
    assert len(lines) == 1
    return lines[0]


def helper(ctx):
    return ctx.nothing  # in a helper


@strategy()
def typo(ctx):
    quote_bid(ctx, 0, 0, ctx.market[0].bid_tick, 1.0)  # typo


@strategy(half_spread=Param(1.0))
def parameter(ctx):
    quote_bid(ctx, 0, 0, ctx.params.halfspread, 1.0)  # parameter


@strategy(memory={"seen": "i8"})
def memory(ctx):
    ctx.memory.sen = 1  # memory


@strategy(half_spread=Param(1.0))
def wrong_parameter(ctx):
    quote_bid(ctx, 0, 0, ctx.params.qqq, 1.0)  # wrong parameter


@overlay(night_width=Param(2.0))
def night(ctx):
    plan = ctx.memory.plan
    plan.size = 2.0 * plan.half_bid  # no size of a plan


night_strategy = compose(find_strategy("fixed"), night)


@strategy()
def undefined(ctx):
    quote_bid(ctx, 0, 0, midprice, 1.0)  # noqa: F821  # undefined


@strategy()
def in_a_helper(ctx):
    quote_bid(ctx, 0, 0, helper(ctx), 1.0)


@strategy()
def arguments(ctx):
    quote_bid(ctx, 0, 1.0)  # arguments


@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
@pytest.mark.parametrize(
    ("wrong", "said", "mark"),
    [
        (typo, "there is no field 'bid_tick'; did you mean 'bid_ticks'?", "typo"),
        (parameter, "there is no field 'halfspread'; did you mean 'half_spread'?", "parameter"),
        (memory, "there is no field 'sen'; did you mean 'seen'?", "memory"),
        (wrong_parameter, "there is no field 'qqq'; known: half_spread (", "wrong parameter"),
        (
            night_strategy,
            "there is no field 'size'; known: centre, half_bid, half_ask, to_buy, to_sell, step, rungs, paused, keep",
            "no size of a plan",
        ),
        (undefined, "name 'midprice' is not defined", "undefined"),
        (in_a_helper, "there is no field 'nothing'", "in a helper"),
        (arguments, "", "arguments"),
    ],
)
def test_what_python_would_say_is_said_when_it_cannot_be_compiled(wrong, said, mark):
    with pytest.raises(StrategyError) as caught:
        wrong.address(1)
    message = str(caught.value)
    assert message.startswith(f"strategy {wrong.name}: {said}")
    assert message.endswith(f"({HERE}:{line_of(mark)})")
    assert "\n" not in message


@strategy()
def formats(ctx):
    len(f"{ctx.now_ns:.2f}")  # formats


@strategy()
def imports(ctx):
    import decimal  # noqa: PLC0415  # imports

    decimal.Decimal(int(ctx.now_ns))


@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
@pytest.mark.parametrize("fine", [formats, imports])
def test_python_that_only_the_compiler_minds_is_told_what_to_do(fine):
    with pytest.raises(StrategyError, match=r"is Python that cannot be compiled: .*compiled=False") as caught:
        fine.address(1)
    assert f"({HERE}:{line_of(fine.name)})" in str(caught.value)
    assert len(str(caught.value)) < 500


@strategy(memory={"table": ("f8", (4,))})
def zero(ctx):
    nothing = ctx.market[0].trade_lots
    share = 1.0 / nothing  # zero
    ctx.memory.table[0] = share
    quote_bid(ctx, 0, 0, share, 1.0)


@strategy(memory={"table": ("f8", (4,))})
def beyond(ctx):
    i = ctx.market[0].bid_lots
    ctx.memory.table[i] = 1.0  # beyond


@strategy()
def market(ctx):
    quote_bid(ctx, 0, 0, float(ctx.market[3].bid_ticks), 1.0)  # market


@strategy()
def level(ctx):
    quote_bid(ctx, 0, 1, 99.0, 1.0)  # level


@strategy()
def quoted_market(ctx):
    quote_bid(ctx, 1, 0, 99.0, 1.0)  # quoted market


@strategy()
def below(ctx):
    quote_bid(ctx, 0, -1, 99.0, 1.0)  # below


@strategy()
def no_size(ctx):
    quote_bid(ctx, 0, 0, 99.0, math.inf)  # no size


@strategy()
def no_number(ctx):
    quote_bid(ctx, 0, 0, math.nan, 1.0)  # no number


def replay_a_moment(tried):
    events = np.zeros(3, EVENT)
    events["kind"], events["side"], events["ticks"], events["lots"] = Kind.DEPTH, (1, -1, 1), (100, 102, 1), 10
    events["exch_ns"] = events["local_ns"] = 0, 0, 10**9
    events["flags"] = 0, Flag.LAST_OF_MESSAGE, Flag.LAST_OF_MESSAGE
    return replay(events, tried, instruments=INSTRUMENT)


@pytest.mark.interpreted
@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(
    ("wrong", "said", "mark"),
    [
        (beyond, "IndexError", "beyond"),
        (market, "IndexError", "market"),
        (level, "IndexError: a quote is on a level that the strategy did not declare", "level"),
        (quoted_market, "IndexError: a quote is for a market that is not in this run", "quoted market"),
        (below, "IndexError: a quote is on a level", "below"),
        (no_size, "ValueError: a quote size is not a number", "no size"),
        (no_number, "ValueError: a bid price is not a number", "no number"),
    ],
)
def test_what_goes_wrong_in_the_market_names_the_line_compiled_or_not(wrong, said, mark, compiled):
    with pytest.raises(StrategyError) as caught:
        replay_a_moment(wrong._replace(compiled=compiled))
    message = str(caught.value)
    assert message.startswith(f"strategy {wrong.name} raised {said}")
    assert message.endswith(f"({HERE}:{line_of(mark)})")


@pytest.mark.skipif(INTERPRETED, reason="numpy divides by zero without an error")
def test_a_division_by_zero_in_compiled_code_names_the_line():
    with pytest.raises(StrategyError, match=rf"raised ZeroDivisionError: .*:{line_of('zero')}\)$"):
        replay_a_moment(zero)
