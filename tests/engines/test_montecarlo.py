"""`twosided.simulate`: known answers, what it refuses and in which words, and how results add up."""

import math
from dataclasses import replace

import numpy as np
import pytest

from twosided import InputError, QuoteTable, SimulationSettings, StrategyError, find_strategy, quote_table, simulate
from twosided._compile import INTERPRETED
from twosided.app.presets_avellaneda_stoikov import EXACT, SETTINGS, paper_quoters
from twosided.app.presets_glft import GLFT, optimal_value
from twosided.engines.montecarlo_result import Moments
from twosided.engines.montecarlo_world import COLUMNS
from twosided.strategies.contract import quote_ask, quote_bid, strategy

MANY = pytest.mark.skipif(INTERPRETED, reason="thousands of paths")
FEW = SimulationSettings(paths=4, horizon_s=2.0, step_s=0.1, sigma=0.1, A=3.0, k=2.0)


def near(q, _left):
    return 0.2 + 0.01 * q, 0.2 - 0.01 * q


# ---------------------------------------------------------------- known answers


@MANY
@pytest.mark.parametrize("gamma", [0.1, 0.01, 1.0])
def test_the_tables_of_2008_come_out_within_their_standard_errors(gamma):
    settings = SimulationSettings(**{**SETTINGS, "paths": 30_000, "seed": 7})
    found = simulate(paper_quoters(gamma, settings), settings)
    for name in found.names:
        spread, profit, std_profit, std_q = EXACT[gamma, name]
        assert found.mean(name, "quoted_spread").value == pytest.approx(spread, rel=1e-5)
        ours = (found.mean(name), found.deviation(name), found.deviation(name, "position"))
        for estimate, exact in zip(ours, (profit, std_profit, std_q), strict=True):
            assert abs(estimate.value - exact) < 3.5 * estimate.error
        assert found.mean(name).error < 0.1


@MANY
def test_the_strategy_of_the_contract_gives_the_paper_s_table_too():
    settings = SimulationSettings(**{**SETTINGS, "paths": 10_000, "seed": 7})
    found = simulate(find_strategy("avellaneda_stoikov").with_params(max_position=60), settings)
    assert found.params["avellaneda_stoikov"]["horizon_s"] == 1.0
    assert found.params["avellaneda_stoikov"]["sigma"] == 2.0
    _, profit, std_profit, std_q = EXACT[0.1, "inventory"]
    for estimate, exact in (
        (found.mean("avellaneda_stoikov"), profit),
        (found.deviation("avellaneda_stoikov"), std_profit),
        (found.deviation("avellaneda_stoikov", "position"), std_q),
    ):
        assert abs(estimate.value - exact) < 3.5 * estimate.error


@MANY
def test_optimal_quotes_are_worth_what_the_theory_says_and_constant_ones_less():
    settings = SimulationSettings(**{**GLFT, "paths": 800, "horizon_s": 120.0, "step_s": 0.01, "seed": 3})
    table = QuoteTable.of_rows(quote_table("glft", sigma=0.3, A=0.9, k=0.3, gamma=0.01, q_max=30))
    found = simulate({"optimal": table}, settings)
    exact = optimal_value(settings, 0.01, 30) * (1.0 - 0.9 * math.exp(-1.0) * 0.01 / 2.0)  # one fill a step at most
    ours = found.certainty_equivalent("optimal", 0.01)
    assert abs(ours.value - exact) < 3.5 * ours.error
    assert ours.error < 0.01 * exact


@MANY
def test_common_futures_make_a_difference_far_better_known_than_either_side():
    settings = FEW.model_copy(update={"paths": 2000})
    found = simulate({"one": near, "other": lambda q, left: (near(q, left)[0] + 0.01, near(q, left)[1])}, settings)
    difference = found.difference("other", "one")
    by_hand = found.values("other", "pnl") - found.values("one", "pnl")
    assert difference.value == pytest.approx(by_hand.mean())
    assert difference.error == pytest.approx(by_hand.std(ddof=1) / math.sqrt(2000))
    assert difference.error < 0.5 * found.mean("one").error


# ---------------------------------------------------------------- how results add up


@pytest.mark.interpreted
def test_moments_of_chunks_are_those_of_the_whole():
    rows = np.random.default_rng(0).normal(3.0, 2.0, (100, 4))
    moments = Moments(4)
    for chunk in (rows[:1], rows[1:40], rows[40:]):
        moments.merge(Moments.of(chunk))
    assert moments.mean == pytest.approx(rows.mean(axis=0))
    assert moments.covariance() == pytest.approx(np.cov(rows, rowvar=False))


@strategy()
def late(ctx):
    market = ctx.market[0]
    quote_bid(ctx, 0, 0, market.bid_ticks - 0.3 / market.tick_size, 1.0)
    quote_ask(ctx, 0, 0, market.ask_ticks + 0.3 / market.tick_size, 1.0 if market.position_lots > 0 else 0.0)


def test_the_quoted_spread_is_the_mean_over_paths_that_were_ever_quoted_on_both_sides():
    """Only a bid until something is bought: paths on which nothing ever is have no spread, which is not one of 0."""
    found = simulate({"late": late, "near": near}, FEW.model_copy(update={"paths": 100}))
    spreads = found.values("late", "quoted_spread")
    there = spreads[~np.isnan(spreads)]
    assert 0 < len(there) < 100
    assert found.mean("late", "quoted_spread").value == pytest.approx(there.mean())
    assert found.mean("late", "quoted_spread").error == pytest.approx(there.std(ddof=1) / math.sqrt(len(there)), abs=1e-9)
    difference = found.difference("late", "near", "quoted_spread")
    assert difference.value == pytest.approx(there.mean() - found.mean("near", "quoted_spread").value)


@MANY
def test_a_sample_of_the_first_paths_is_kept_and_moments_are_of_all(monkeypatch):
    monkeypatch.setattr("twosided.engines.montecarlo.SAMPLE", 150)
    found = simulate(near, FEW.model_copy(update={"paths": 5000}))
    whole = found.moments.mean[COLUMNS.index("pnl")]
    assert found.sample.shape == (150, 1, len(COLUMNS))
    assert found.mean("near").value == whole
    assert found.paths == 5000
    assert found.frame("near").columns == list(COLUMNS)


@pytest.mark.interpreted
def test_the_certainty_equivalent_is_that_of_exponential_utility():
    found = simulate(near, FEW)
    pnl, gamma = found.values("near", "pnl"), 0.7
    assert found.certainty_equivalent("near", gamma).value == pytest.approx(-math.log(np.exp(-gamma * pnl).mean()) / gamma)
    assert found.certainty_difference("near", "near", gamma).value == 0.0
    with pytest.raises(InputError, match="gamma is 0; allowed: a positive number"):
        found.certainty_equivalent("near", 0)


@pytest.mark.interpreted
def test_unknown_names_are_told_with_the_nearest():
    found = simulate(near, FEW)
    with pytest.raises(InputError, match="quoter 'nera' was not simulated; did you mean 'near'"):
        found.mean("nera")
    with pytest.raises(InputError, match="column 'pln' is unknown; did you mean 'pnl'"):
        found.mean("near", "pln")


@pytest.mark.interpreted
def test_ctrl_c_returns_the_paths_that_are_done(monkeypatch):
    monkeypatch.setattr("twosided.engines.montecarlo._CHUNK_STEPS", FEW.steps)

    def stop(done, _total):
        if done == 2:
            raise KeyboardInterrupt

    found = simulate(near, FEW, progress=stop, cores=1)
    assert found.paths == 2
    assert not found.complete


@pytest.mark.interpreted
def test_quoters_have_names_and_namesakes_numbers():
    table = QuoteTable(np.full(3, 0.1), np.full(3, 0.1))
    assert simulate([near, near, table, table], FEW).names == ("near", "near 2", "table", "table 2")


# ---------------------------------------------------------------- what is refused


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"step_s": 0.3}, "step_s is 0.3; allowed: a whole fraction of horizon_s 2"),
        ({"jump_rate": 1.0}, "jump_rate is 1, but mid brownian has none; allowed: with mid jumps"),
        ({"drift": 1.0, "mid": "ornstein_uhlenbeck"}, "drift is 1, but mid ornstein_uhlenbeck has none"),
        ({"linear_probability": True, "hawkes": 0.5}, "linear_probability is the paper's, whose orders are Poisson"),
        ({"mid": "jumps", "jump_rate": 1e9, "jump_size": 1.0}, "jump_rate is 1e\\+09; allowed where each is drawn: up to 10,000"),
        ({"hawkes": 0.5, "A": 1e9}, "A is 1e\\+09; allowed where each is drawn"),
        ({"price": 1e300}, "price is 1e\\+300; allowed: from 1e-20 to 1e\\+20"),
        ({"mid": "jumps", "jump_rate": 1.0, "jump_size": 1e6}, "jump_size is 1e\\+06; allowed: up to 5 times the price"),
        ({"informed": 0.5, "informed_horizon_s": 1e12}, "steps of .* are informed_horizon_s; allowed: up to 1,000,000"),
        ({"latency": "20000d"}, "steps of .* are latency; allowed: up to 1,000,000"),
        ({"sigma": -1.0}, "sigma"),
        ({"A": 0.0}, "A"),
        ({"latency": "soon"}, "duration is 'soon'; allowed: a number and one of"),
        ({"mid": "cauchy"}, "brownian"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        SimulationSettings(**{**FEW.model_dump(), **changes})


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: simulate([], FEW), "quoters is empty; allowed: at least one strategy, table or function"),
        (lambda: simulate({"x": 3}, FEW), "quoter 'x' is 3; allowed: a strategy, a QuoteTable, or a function"),
        (lambda: simulate(near, FEW, keep_paths=5), "keep_paths is 5; allowed: 0 to 4"),
        (lambda: simulate(near, FEW, cores=0), "cores is 0; allowed: at least 1"),
        (lambda: simulate(near, FEW, quantity=0.5), "quantity is 0.5, which is not a multiple of the lot size 1"),
        (lambda: simulate(lambda q, _left: q, FEW), r"<lambda>\(-100, 2\) gave no two distances"),
        (lambda: simulate(near, FEW.model_copy(update={"position_limit": 1e6})), "allowed for a function of inventory: up to 1000"),
        (lambda: QuoteTable(np.zeros(4), np.zeros(4)), "bid has shape .* allowed: finite distances or NaN"),
        (lambda: QuoteTable(np.full(3, np.inf), np.zeros(3)), "bid has shape"),
        (lambda: QuoteTable(np.zeros(3), np.zeros(5)), r"bid has shape \(1, 3\) and ask \(1, 5\); allowed: the same"),
        (lambda: simulate(QuoteTable(np.zeros((21, 3)), np.zeros((21, 3))), FEW), "a table has 21 slices of time; allowed"),
        (lambda: simulate(find_strategy("glft"), FEW, mids=[100.0, 101.0]), "strategy glft needs parameter sigma"),
    ],
)
def test_calls_that_cannot_be_answered_say_why(call, said):
    with pytest.raises(InputError, match=said):
        call()


@strategy()
def broken(ctx):
    market = ctx.market[0]
    quote_bid(ctx, 0, 0, math.log(market.position_lots - 1.0), 1.0)


@pytest.mark.interpreted
@pytest.mark.parametrize("compiled", [True, False])
def test_a_strategy_that_raises_is_named_with_path_step_and_line(compiled):
    with pytest.raises(
        StrategyError, match=r"strategy broken raised ValueError: .* in step 0 of path 0 \(.*test_montecarlo.py:\d+\)"
    ):
        simulate(replace(broken, compiled=compiled), FEW)


@strategy(limit=0.0)
def afraid(ctx):
    market = ctx.market[0]
    quote_bid(ctx, 0, 0, market.bid_ticks - math.log(ctx.params.limit - market.ask_ticks * market.tick_size), 1.0)


@pytest.mark.interpreted
@pytest.mark.parametrize("compiled", [True, False])
def test_of_paths_that_are_walked_in_step_the_one_that_failed_is_named(compiled):
    settings = FEW.model_copy(update={"paths": 12})
    mids = simulate(near, settings, keep_paths=12).trace[:, 0, :, 0]
    second, highest = np.sort(mids.max(axis=1))[-2:]
    path, limit = int(mids.max(axis=1).argmax()), 0.5 * (second + highest)
    assert path > 0
    with pytest.raises(StrategyError, match=f"in step {int(np.argmax(mids[path] > limit))} of path {path} "):
        simulate(replace(afraid, compiled=compiled).with_params(limit=limit), settings)
