"""Runs side by side: differences with intervals, grids as heat maps, and no comparison of what cannot be compared."""

import html
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from twosided.explain.comparison_plots import alike_best, distribution_figure, grid_of, heat_map_figure, split_bars_figure
from twosided.explain.comparison_table import compare, comparison_columns, increments, not_comparable, sentences, step_ns
from twosided.explain.paths import pnl_path
from twosided.explain.report import MOST_DETAILED, write_report
from twosided.explain.statistics import statistics
from twosided.explain.summary import run_labels
from twosided.market.instrument import Fees

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def base(runs):
    return runs.quoter(1, seconds=900)


@pytest.fixture(scope="module")
def rebated(runs):
    """The same quotes and fills on the same market, charged otherwise."""
    return runs.quoter(1, seconds=900, maker_bps=-2, strategy="rebated")


@pytest.fixture(scope="module")
def frame(base, rebated):
    return compare([base, rebated])


def row(frame, run, statistic):
    (found,) = frame.filter((pl.col("run") == run) & (pl.col("statistic") == statistic)).iter_rows(named=True)
    return found


# ---------------------------------------------------------------- increments


def test_increments_add_up_to_the_pnl_of_the_whole_steps(base):
    step = step_ns(base)
    assert step == SECOND  # 900 of them
    changes = increments(base, "USDT", step)
    assert len(changes) == 900
    ns, pnl = pnl_path(base, [0])
    assert changes.sum() == pytest.approx(pnl[-1])
    assert np.array_equal(increments(base, "USDT", 7 * SECOND), np.diff(pnl[np.searchsorted(ns, runs_grid(base, 7), "right") - 1]))


def runs_grid(run, seconds):
    start = run.facts["start_ns"]
    return np.arange(start, run.facts["end_ns"] + 1, seconds * SECOND)


@pytest.mark.parametrize(("seconds", "every", "step"), [(60, 1, 1), (900, 5, 10), (5000, 1, 10), (5000, 60, 60)])
def test_steps_are_round_no_finer_than_samples_and_at_most_a_thousand(runs, seconds, every, step):
    mids = [{"exch_ns": runs.START, "market": 0, "bid_ticks": 100, "ask_ticks": 101}]
    run = runs.assemble((runs.BTC,), [], mids, span_ns=seconds * SECOND, equity_every_ns=every * SECOND)
    assert step_ns(run) == step * SECOND


# ---------------------------------------------------------------- the frame


def test_values_are_those_of_the_statistics_and_differences_are_from_the_first(frame, base, rebated):
    first, second = (statistics(run)["accounts"][0] for run in (base, rebated))
    pnl = row(frame, "rebated", "pnl")
    assert pnl["value"] == second["pnl"]
    assert pnl["difference"] == pytest.approx(second["pnl"] - first["pnl"])
    assert pnl["low"] < pnl["difference"] < pnl["high"]
    assert (pnl["low"] + pnl["high"]) / 2 == pytest.approx(pnl["difference"])
    assert row(frame, "fixed", "pnl")["difference"] is None
    assert row(frame, "rebated", "drawdown")["low"] is None
    assert row(frame, "rebated", "fills")["difference"] == 0


def test_a_rebate_on_the_same_fills_is_told_apart_although_the_pnl_is_not_from_zero(frame):
    pnl = row(frame, "rebated", "pnl")
    assert pnl["low"] > 0  # pairs take out what the market did to both
    assert (
        row(frame, "rebated", "volatility")["high"] - row(frame, "rebated", "volatility")["low"]
        < row(frame, "fixed", "volatility")["value"]
    )


def test_a_short_run_has_no_interval_and_says_why(runs):
    pair = [runs.quoter(1, seconds=60, strategy=name, maker_bps=bps) for name, bps in (("a", 0), ("b", -5))]
    found = compare(pair)
    pnl = row(found, "b", "pnl")
    assert pnl["low"] is None
    assert pnl["reason"] == "60 of the 100 changes of equity over 1 s that an interval needs"
    ((said, doubtful),) = sentences(found, ["a", "b"])
    assert said.startswith("b made ")
    assert "how sure that is cannot be said: 60 of the 100" in said
    assert not doubtful


def test_the_sentence_says_whether_two_runs_can_be_told_apart(frame, base):
    ((said, _),) = sentences(frame, ["fixed", "rebated"])
    assert re.fullmatch(r"rebated made [\d.]+ USDT more than fixed; 95 % interval of the difference [\d.]+ to [\d.]+\.", said)
    same = compare([base, replace(base, facts={**base.facts, "strategy": "same"})])
    ((said, _),) = sentences(same, ["fixed", "same"])
    assert said.endswith("0.00 to 0.00: by P&L the two cannot be told apart.")


# ---------------------------------------------------------------- what cannot be compared


def test_other_markets_money_times_and_recordings_are_refused_in_words(runs, base):
    assert not_comparable(base, base) == ""
    cases = {
        "it trades ESH4 cme, not BTCUSDT binance": runs.quoter(1, seconds=900, instrument=runs.ES),
        "it ran from 2024-08-08 23:54:16 to 2024-08-09 00:04:16, not from 2024-08-08 23:54:16 to 2024-08-09 00:09:16": runs.quoter(
            1, seconds=600
        ),
        "its recording is another one: mids differ": runs.quoter(2, seconds=900),
        "its money is EUR, not USDT": replace(base, instruments=(runs.BTC.model_copy(update={"currency": "EUR"}),)),
    }
    for sentence, other in cases.items():
        assert not_comparable(other, base) == sentence


def test_what_cannot_be_compared_has_values_and_a_warning_but_no_difference(runs, base, tmp_path):
    other = runs.quoter(2, seconds=900, strategy="other")
    found = compare([base, other])
    pnl = row(found, "other", "pnl")
    assert pnl["value"] is not None
    assert (pnl["difference"], pnl["low"], pnl["reason"]) == (None, None, "its recording is another one: mids differ")
    assert sentences(found, ["fixed", "other"]) == [
        ("other is not held against fixed: its recording is another one: mids differ.", True)
    ]
    page = write_report([base, other], tmp_path / "r.html").read_text()
    assert '<p class="warning">other is not held against fixed: its recording is another one: mids differ.</p>' in page


def test_a_beginning_that_another_feed_latency_moved_a_little_is_the_same_time(base):
    moved = replace(base, facts={**base.facts, "start_ns": base.facts["start_ns"] + SECOND // 10})
    assert not_comparable(moved, base) == ""


# ---------------------------------------------------------------- grids


def grid(runs, *, spreads=(1, 2), gammas=(0.1, 0.5, 2.5), names=("half_spread", "gamma"), seconds=200):
    params = [dict(zip(names, (spread, gamma), strict=True)) for gamma in gammas for spread in spreads]
    return [runs.quoter(1, seconds=seconds, maker_bps=-index, params=each) for index, each in enumerate(params)]


def test_a_grid_of_two_parameters_is_found_in_any_order(runs):
    made = grid(runs)
    shuffled = [made[index] for index in (3, 0, 5, 1, 4, 2)]
    found = grid_of(shuffled)
    assert (found.x_name, found.x, found.y_name, found.y) == ("gamma", (0.1, 0.5, 2.5), "half_spread", (1, 2))
    for y, line in zip(found.y, found.runs, strict=True):
        for x, index in zip(found.x, line, strict=True):
            assert shuffled[index].facts["params"] == {"half_spread": y, "gamma": x}


def test_what_is_no_grid_has_no_heat_map(runs):
    made = grid(runs)
    other_settings = replace(made[0], facts={**made[0].facts, "settings": {"latency": "2 ms"}})
    assert grid_of(made[:5]) is None  # one is missing
    assert grid_of([*made, made[0]]) is None  # one stands twice
    assert grid_of([other_settings, *made[1:]]) is None
    assert grid_of([*made[:5], runs.quoter(2, seconds=200, params=made[5].facts["params"])]) is None  # another market
    charged = made[0].instruments[0].model_copy(update={"fees": Fees(maker_bps=1)})
    assert grid_of([replace(made[0], instruments=(charged,)), *made[1:]]) is None
    assert grid_of(made[:2]) is None  # one parameter
    assert grid_of([runs.quoter(1, seconds=60)]) is None


def test_the_heat_map_has_every_number_where_it_belongs_and_white_is_zero(runs):
    made = grid(runs)
    values = [-2.0, 1.0, None, 4.0, 0.5, -0.25]
    figure = heat_map_figure(grid_of(made), values, "USDT", units={"gamma": "1/USDT"}, alike=[False, True] + [False] * 4)
    heat = figure.data[0]
    assert [list(line) for line in heat.z] == [[-2.0, None, 0.5], [1.0, 4.0, -0.25]]
    assert (heat.zmin, heat.zmid, heat.zmax) == (-4, 0, 4)
    assert heat.text[1][0] == "1.000 ≈"
    assert heat.text[0][1] == ""
    assert figure.layout.xaxis.title.text == "gamma, 1/USDT"
    assert figure.layout.yaxis.title.text == "half_spread"


def test_runs_that_cannot_be_told_apart_from_the_best_are_marked(runs, base):
    random = np.random.default_rng(1)

    def shaken(run):
        noise = random.integers(-(10**10), 10**10, run.equity.height)  # 100 USDT a second, each way
        return replace(run, equity=run.equity.with_columns(cash=pl.col("cash") + noise))

    alike = [shaken(base), shaken(base)]
    assert sorted(alike_best(alike, "USDT")) == [False, True]  # one of them is the best
    far = runs.quoter(1, seconds=900, maker_bps=-900)
    assert alike_best([*alike, far], "USDT") == [False] * 3


# ---------------------------------------------------------------- pictures and page


def test_bars_of_the_split_add_up_to_the_mark(base, rebated):
    figure = split_bars_figure([base, rebated], ["a <b>", "c"])
    bars, mark = figure.data[:-1], figure.data[-1]
    assert np.sum([bar.x for bar in bars], axis=0) == pytest.approx(mark.x)
    assert list(mark.y) == ["a &lt;b&gt;", "c"]
    assert figure.layout.xaxis.title.text == "USDT"


def test_distributions_are_the_quantiles_of_the_changes(base, rebated):
    figure = distribution_figure([base, rebated], ["a", "b"], "USDT")
    changes = increments(base, "USDT", SECOND)
    box, ends = figure.data[:2]
    assert (box.lowerfence[0], box.median[0], box.upperfence[0]) == tuple(np.quantile(changes, [0.05, 0.5, 0.95]))
    assert list(ends.x) == [changes.min(), changes.max()]
    assert figure.layout.xaxis.title.text == "P&amp;L over 1 s, USDT"


def test_nothing_earned_is_a_sentence_instead_of_an_empty_picture(runs):
    idle = [runs.quoter(1, seconds=60, fill_chance=0, strategy=name) for name in "ab"]
    assert split_bars_figure(idle, "ab") == "Nothing was earned or lost: every part of the P&L is zero."
    assert distribution_figure(idle, "ab", "USDT") == "Equity never changed."


def test_a_pair_in_the_report_has_its_table(base, rebated, frame, tmp_path):
    page = html.unescape(write_report([base, rebated], tmp_path / "r.html").read_text())
    table = re.search(r'<table class="compared">(.*?)</table>', page, re.DOTALL)[1]
    columns = comparison_columns(frame, "USDT", run_labels([base, rebated]), "BTC", SECOND)
    assert re.findall(r"<th>([^<]+)", table) == [column.name for column in columns]
    assert re.findall(r"<th>[^<]+<small>([^<]+)", table) == [column.unit for column in columns if column.unit]
    for column in columns:
        for text in column.cells[1][:3]:
            assert text in table
    _, difference, interval, sign = columns[0].cells[1]
    assert sign == 1  # better for sure, and blue
    assert f'<small><span class="plus">{difference}</span></small><small><span class="plus">{interval}</span></small>' in table
    assert "Held against fixed" in page


@pytest.mark.parametrize("kind", ["no fills", "no mids", "three markets", "an instant"])
def test_every_kind_of_pair_gets_a_report(runs, tmp_path, kind):
    mids = [{"exch_ns": runs.START, "market": 0, "bid_ticks": 100, "ask_ticks": 101}]
    run = {
        "no fills": lambda: runs.quoter(1, seconds=60, fill_chance=0),
        "no mids": lambda: runs.assemble((runs.BTC,), [], [], span_ns=SECOND),
        "three markets": lambda: runs.random(1, instruments=(runs.BTC, runs.ES, runs.ETH)),
        "an instant": lambda: runs.assemble((runs.BTC,), [], mids, span_ns=0),
    }[kind]()
    page = write_report([run, run], tmp_path / "r.html").read_text()
    tables = re.findall(r'<table class="compared">', page)
    assert len(tables) == len({each.currency for each in run.instruments})
    if kind == "three markets":  # of BTC and ETH positions do not add up, of ESH4 they are in contracts
        assert re.findall(r"<th>largest position(?:<small>(\w+)</small>)?</th>", page) == ["contracts"]
    found = compare([run, run])
    assert set(found["difference"].drop_nulls()) == {0.0}


def test_a_single_run_is_held_against_nothing(base, tmp_path):
    page = write_report([base], tmp_path / "r.html").read_text()
    assert "Held against" not in page
    assert 'class="compared"' not in page


def test_many_runs_are_all_compared_and_the_first_shown_in_detail(runs, tmp_path):
    made = grid(runs, spreads=(1, 2, 3), seconds=120)
    assert len(made) > MOST_DETAILED
    page = html.unescape(write_report(made, tmp_path / "r.html").read_text())
    assert len(re.findall(r'<section class="run"', page)) == MOST_DETAILED
    assert "From here on only the first 6 runs" in page
    assert re.search(r"9 runs: at best half_spread=\d gamma=[\d.]+ (made|lost)", page)
    assert page.count("by parameters, USDT</h3>") == 2
    table = re.search(r'<table class="compared">(.*?)</table>', page, re.DOTALL)[1]
    assert len(re.findall(r"<tr><td>half_spread=", table)) == 9
    for label in run_labels(made):
        assert label.removeprefix("fixed ") in table


def test_what_several_runs_have_in_common_is_said_once(runs, tmp_path):
    page = html.unescape(write_report(grid(runs, spreads=(1, 2), seconds=120), tmp_path / "r.html").read_text())
    assert "comparison of 6 runs of fixed</p>" in page
    assert re.search(r"<h1>6 runs: at best half_spread=\d gamma=[\d.]+ (made|lost) .*, at worst half_spread=", page)
    assert "fixed half_spread" not in page
    two = html.unescape(write_report(grid(runs, spreads=(1, 2), seconds=120)[:2], tmp_path / "r.html").read_text())
    assert "comparison of 2 runs</p>" in two
    assert "<h1>fixed half_spread=1 " in two


def test_what_is_assumed_otherwise_and_own_size_stand_in_the_report(runs, tmp_path):
    row = {"currency": "USDT", "fills": 9, "max_inventory": 1.0, "unit": "BTC"}
    tried = [
        {**row, "kind": "base", "setting": "as assumed", "pnl": "2", "change": "0"},
        {**row, "kind": "latency", "setting": "order latency × 5", "pnl": "-1", "change": "-3"},
    ]
    facts = {"sensitivity": {"rows": tried, "notes": ["Queue: exact."]}, "market_volume_lots": [1]}
    page = html.unescape(write_report([runs.quoter(1, seconds=60, **facts)], tmp_path / "r.html").read_text())
    assert "The profit of 2.000 USDT changes its sign with order latency × 5: the result hangs on a guess." in page
    assert "Queue: exact." in page
    assert 'aria-label="fixed: P&L under other assumptions"' in page
    assert '<p class="warning">BTCUSDT binance: own orders are not small against the market: own fills are' in page
