"""Faults met in the tools we compete with, each a case here. (docs/decisions/0002: where fills agree and where they do not.)"""

import json
import os
import subprocess
import sys

import polars as pl
import pytest
from scene import INSTRUMENT, OrderScene, Scene, fills, play

from twosided._compile import INTERPRETED
from twosided.data.recording import load
from twosided.engines.replay import replay
from twosided.errors import DataError, StrategyError
from twosided.strategies.contract import quote_bid, strategy

BID_10 = {2: [(1, 0, 100, 10)]}


def partial_fills(kind):
    """Return a market in which a bid of 10 lots at 100 fills for 4, then for 3, and then no more."""
    if kind is Scene:
        return Scene(bid=99).trade(10, -1, 100, 4).trade(20, -1, 99, 3).quiet(40)
    return OrderScene(bid=99).add(5, 3, 1, 98, 9).fill(10, 3, 1, 98, 4).fill(20, 3, 1, 98, 3).quiet(40)


@pytest.mark.interpreted
@pytest.mark.parametrize("kind", [Scene, OrderScene])
def test_partial_fills_reach_position_and_cash(kind):
    run = play(partial_fills(kind), BID_10, orders={"top_up_below": 0.0})
    assert [lots for _ms, _side, _ticks, lots in fills(run)] == [4, 3]
    (closing,) = run.facts["closing"]
    assert closing["position_lots"] == run.decisions["position_lots"][-1] == 7
    paid = INSTRUMENT.money(closing["cash"])
    fees = INSTRUMENT.money(closing["fees"])
    assert paid == pytest.approx(-7 * 1.00 - fees, abs=1e-12)


@pytest.mark.interpreted
def test_every_fill_order_and_decision_is_logged():
    run = play(Scene().trade(10, -1, 100, 13).trade(30, -1, 99, 50).quiet(60), BID_10)
    assert run.fills["lots"].sum() == run.facts["closing"][0]["volume_lots"]
    assert (run.fills["side"] * run.fills["lots"]).sum() == run.facts["closing"][0]["position_lots"]
    filled = run.orders.filter(pl.col("action").is_in([9, 10]))  # PARTIALLY_FILLED, FILLED
    assert filled["lots"].to_list() == run.fills["lots"].to_list()
    assert len(run.decisions) == run.facts["counts"]["decisions"]


def test_a_missing_file_is_not_the_end_of_the_data(tmp_path):
    first = tmp_path / "first.csv"
    first.write_text("exch_ns,local_ns,kind,side,price,size\n1,1,depth,bid,99,1\n1,1,depth,ask,100,1\n")
    with pytest.raises(DataError, match=r"second\.csv: no such file"):
        load([first, tmp_path / "second.csv"])


@strategy(memory={"table": ("f8", (4,))})
def careless(ctx):
    ctx.memory.table[ctx.market[0].bid_lots] = 1.0


def test_an_index_out_of_range_is_an_error_in_a_sentence_and_the_process_goes_on():
    events = Scene().quiet(500).events()
    with pytest.raises(StrategyError, match=rf"strategy careless raised IndexError: .*{__file__}:\d+\)"):
        replay(events, careless, instruments=INSTRUMENT)
    assert fills(play(Scene().trade(10, -1, 100, 13).quiet(20), BID_10)) == [(10, 1, 100, 3)]


@strategy()
def joiner(ctx):
    quote_bid(ctx, 0, 0, float(ctx.market[0].bid_ticks), 1.0)


SECOND = """
import json, sys
sys.path.insert(0, {here!r})
from scene import INSTRUMENT, Scene
from test_where_peers_fail import joiner
from twosided._compile import cache_hits
from twosided.engines import replay_pass
from twosided.engines.replay import replay
run = replay(Scene().quiet(500).events(), joiner, instruments=INSTRUMENT)
print(json.dumps([cache_hits(replay_pass._advance[0]), cache_hits(joiner._addresses[1, 1][0]), run.digest()]))
"""


@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
def test_the_next_process_compiles_neither_the_engine_nor_the_strategy():
    run = replay(Scene().quiet(500).events(), joiner, instruments=INSTRUMENT)
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - as text, for another process
    done = subprocess.run([sys.executable, "-c", SECOND.format(here=here)], stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout) == [[1, 0], [1, 0], run.digest()]
