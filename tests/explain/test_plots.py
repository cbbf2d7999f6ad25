"""Pictures: what is drawn is what happened, thinned without losing extremes, and nothing is drawn empty."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.explain.market_plots import (
    STRETCHES,
    busiest_window,
    close_up_figure,
    inventory_figure,
    market_figure,
    spread_figure,
    stretch_means,
)
from twosided.explain.plots import markout_figure, pnl_figure, split_figures, thinned
from twosided.explain.split import split

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def session(runs):
    return runs.quoter(1, seconds=900, present=0.9)


@pytest.fixture(scope="module")
def quiet(runs):
    return runs.quoter(1, seconds=60, fill_chance=0)


def traces(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


@given(st.integers(3, 3000), st.integers(0, 2**32))
def test_thinning_keeps_the_highest_and_the_lowest_point_and_both_ends(count, seed):
    random = np.random.default_rng(seed)
    ns = np.cumsum(random.integers(1, 100, count))
    values = np.cumsum(random.integers(-3, 4, count))
    chosen = thinned(ns, values, 200)
    assert len(chosen) <= 200
    assert np.all(np.diff(chosen) > 0)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    assert (values[chosen].min(), values[chosen].max()) == (values.min(), values.max())


def test_the_pnl_line_ends_at_the_total_of_the_split(session):
    (line,) = [trace for trace in pnl_figure([session], ["a"]).data if trace.type == "scatter"]
    assert line.y[0] == 0
    assert line.y[-1] == pytest.approx(float(split(session)[0].money("total")))
    assert line.line.shape == "hv"


def test_the_waterfall_shows_the_parts_and_their_sum(session):
    ((title, figure),) = split_figures([session], ["a"])
    (bars,) = figure.data
    assert title == ""
    result = split(session)[0]
    assert list(bars.y) == pytest.approx(
        [float(result.money(name)) for name in ("spread", "adverse", "fees", "inventory", "total")]
    )
    assert bars.measure[-1] == "total"


def test_the_waterfall_shows_alpha_and_hedge_where_there_are_any(runs):
    ((_, figure),) = split_figures([runs.random(1)], ["a"])
    (bars,) = figure.data
    assert "hedge" in bars.x
    assert "alpha" not in bars.x


def test_fills_stand_where_and_when_they_happened_buys_and_sells_apart(session):
    drawn = traces(market_figure(session, 0))
    for side, name, symbol in ((1, "bought", "triangle-up"), (-1, "sold", "triangle-down")):
        rows = session.fills.filter(session.fills["side"] == side)
        trace = drawn[f"{name} ({rows.height:,})"]
        assert trace.marker.symbol == symbol
        assert np.allclose(trace.y, rows["ticks"].to_numpy() * 0.1)
        assert np.allclose(trace.x, rows["exch_ns"].to_numpy() / 1e6)


def test_hedges_are_hollow(runs):
    run = runs.random(1)
    rows = run.fills.filter((run.fills["hedge"] == 1) & (run.fills["side"] == -1))
    trace = traces(market_figure(run, 0))[f"sold, hedges ({rows.height:,})"]
    assert trace.marker.symbol == "triangle-down-open"
    assert len(trace.x) == rows.height > 0


def test_waterfalls_beside_each_other_have_one_scale_for_each_currency(runs):
    several = [runs.quoter(1, seconds=60), runs.quoter(2, seconds=900), runs.random(1, instruments=(runs.ES,))]
    figures = dict(split_figures(several, ["short", "long", "other"]))
    ranges = {title: tuple(figure.layout.yaxis.range) for title, figure in figures.items()}
    assert ranges["short, USDT"] == ranges["long, USDT"] != ranges["other, USD"]
    for figure in figures.values():
        low, high = figure.layout.yaxis.range
        (bars,) = figure.data
        levels = np.cumsum(bars.y[:-1])
        assert low < min(0, levels.min())
        assert high > max(0, levels.max())


def test_the_waterfall_calls_all_that_is_in_its_fees_by_name(session):
    ((_, figure),) = split_figures([session], ["a"])
    assert "fees, taxes,<br>funding" in figure.data[0].x


def close_up(run):
    return close_up_figure(run, 0, busiest_window(run, 0))


def test_the_time_without_an_own_order_is_a_hole_in_its_line(session):
    start, end = session.facts["start_ns"], session.facts["end_ns"]
    bid = traces(close_up_figure(session, 0, (start, end), points=10**6))["own bid"]
    assert np.isnan(bid.y).any()
    shown = bid.y[~np.isnan(bid.y)]
    assert shown.min() > 0  # no line falls to zero where there is no order


def test_a_figure_of_a_window_lies_in_the_window(session):
    start, end = busiest_window(session, 0)
    for trace in close_up(session).data:
        if len(trace.x):
            assert min(trace.x) >= start / 1e6 - 1
            assert max(trace.x) <= end / 1e6 + 1


def test_the_pnl_of_a_close_up_moves_with_every_fill(session):
    start, end = busiest_window(session, 0)
    times = session.fills.filter(session.fills["exch_ns"].is_between(start, end))["exch_ns"].to_numpy()
    (pnl,) = [trace for trace in close_up(session).data if trace.yaxis == "y3"]
    assert np.isin(times // 1000 / 1000.0, np.asarray(pnl.x)).all()
    assert pnl.y[0] == 0


def test_over_the_whole_run_own_orders_are_shown_as_distances_from_the_mid(runs):
    session = runs.quoter(1, seconds=900, half_spread_ticks=30, q_max=10**6)  # no limit, so no skew
    drawn = traces(market_figure(session, 0))
    for name, sign in (("own bid", -1), ("own ask", 1)):
        assert len(drawn[name].x) == STRETCHES + 1
        assert drawn[name].yaxis == "y2"
        assert np.nanmin(sign * drawn[name].y) > 29
        assert np.nanmax(sign * drawn[name].y) < 32


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-9, 9), st.integers(0, 5)), max_size=20))
def test_a_stretch_shows_the_mean_over_its_time(rows):
    stretch, values, lengths = (np.array(column, np.int64) for column in (zip(*rows, strict=True) if rows else ([], [], [])))
    means = stretch_means(stretch, values, lengths, 5)
    for i, mean in enumerate(means):
        instants = [value for at, value, length in rows if at == i for _ in range(length)]
        assert mean == pytest.approx(np.mean(instants)) if instants else np.isnan(mean)


def test_every_axis_has_a_unit(session):
    for figure in (market_figure(session, 0), close_up(session)):
        titles = [axis.title.text for axis in figure.select_yaxes()]
        assert titles[0] == "price, USDT"
        assert "position,<br>BTC" in titles
        assert all("," in title for title in titles)
    assert inventory_figure(session, 0).layout.xaxis.title.text.startswith("position, BTC;")
    assert spread_figure(session, 0).layout.xaxis.title.text.startswith("spread, ticks of 0.1 USDT")


def test_the_busiest_window_holds_the_most_fills(session, quiet):
    start, end = busiest_window(session, 0)
    times = session.fills["exch_ns"].to_numpy()
    inside = np.sum((times >= start) & (times <= end))
    grid = np.arange(session.facts["start_ns"], session.facts["end_ns"] - (end - start), SECOND)
    assert inside >= 0.9 * max(np.sum((times >= at) & (times <= at + end - start)) for at in grid)
    assert busiest_window(quiet, 0) is None


def test_distributions_are_shares_of_time(session):
    market, own = spread_figure(session, 0).data
    assert sum(market.y) == pytest.approx(1)
    assert sum(own.y) == pytest.approx(1)
    (bars,) = inventory_figure(session, 0).data
    assert sum(bars.y) == pytest.approx(1)
    assert np.allclose(np.diff(bars.x), 0.005)  # a position that moves by five lots: one bar each


def test_a_few_very_wide_moments_do_not_squeeze_the_distribution_and_are_said(runs):
    mids = [
        {"exch_ns": runs.START + s * SECOND, "market": 0, "bid_ticks": 100, "ask_ticks": 900 if s == 500 else 102}
        for s in range(1000)
    ]
    figure = spread_figure(runs.assemble((runs.BTC,), [], mids, span_ns=1000 * SECOND), 0)
    assert max(figure.data[0].x) == 2
    assert "wider than 10, not shown:<br>market 0.10% of time" in figure.layout.xaxis.title.text


def test_the_markout_curve_leaves_out_horizons_that_most_fills_do_not_reach(runs):
    curve = traces(markout_figure([runs.quoter(1, seconds=100)], ["a"]))["a"]
    assert max(curve.x) == 30  # of a 100 s run, a 60 s horizon would see the first 40 s only


def test_bands_are_drawn_where_they_exist(session):
    band, curve = markout_figure([session], ["a"]).data
    assert band.fill == "toself"
    assert max(band.x) < max(curve.x)


def test_where_there_is_nothing_to_show_a_sentence_says_so(runs, quiet):
    nothing = runs.assemble((runs.BTC,), [], [], span_ns=SECOND)
    assert pnl_figure([quiet], ["a"]) == "Nothing was earned or lost at any time."
    assert split_figures([quiet], ["a"])[0][1].startswith("Nothing was earned or lost")
    assert markout_figure([quiet], ["a"]).startswith("No markouts")
    assert inventory_figure(quiet, 0) == "The position was zero throughout."
    assert close_up_figure(nothing, 0, (0, 1)).startswith("BTCUSDT never had a valid bid and ask")
    assert market_figure(nothing, 0).startswith("BTCUSDT never had a valid bid and ask")
    assert spread_figure(nothing, 0).startswith("Neither the market nor the strategy")


def test_names_that_look_like_markup_are_text(session):
    figure = pnl_figure([session, session], ["<b>bold</b>", "b"])
    assert figure.data[0].name == "&lt;b&gt;bold&lt;/b&gt;"
