"""The scenario lab: every shipped strategy in every scenario does what is declared of it, and nothing else."""

import numpy as np
import pytest

from twosided.engines.flow import generate_market
from twosided.engines.replay import replay
from twosided.research.calibrate import estimate
from twosided.research.expectations import FAIL, NOT_APPLICABLE, PASS, Expectation, check
from twosided.research.scenario import LAB, QUIET, prepared, run_scenario
from twosided.research.scenario_plots import write_scenario_page
from twosided.research.scenario_verdicts import GUARDED, ROSTER, declared, failures, surprises
from twosided.research.scenario_watch import watched
from twosided.research.scenarios import SCENARIOS
from twosided.strategies.catalogue import find_strategy
from twosided.strategies.contract import quote_ask, quote_bid, strategy
from twosided.strategies.plan import Cause


@pytest.fixture(scope="module")
def roster():
    """Every strategy of the roster, compiled once for all scenarios."""
    return [watched(prepared(find_strategy(name))) for name in ROSTER]


@pytest.fixture(scope="module")
def trials(roster):
    """All of them in every scenario, found when first asked for."""
    known = {}

    def of(name):
        if name not in known:
            known[name] = run_scenario(SCENARIOS[name], roster)
        return known[name]

    return of


def measured(trial, name):
    return next(each.measured for each in trial.checks if each.expectation == name)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_shipped_strategy_fails_what_is_declared_and_nothing_else(name, trials):
    assert surprises(trials(name)) == []


def test_a_strategy_that_passes_what_it_is_declared_to_fail_is_a_surprise(trials):
    found = trials("trend")
    guarded = found[-1]
    assert surprises([guarded, *found[1:]]) == ["fixed is declared to fail 'skew', and does not"]
    assert surprises([*found[:-1], found[0]]) == [f"{GUARDED} fails 'skew', which is not declared"]
    assert [row[:2] for row in failures(found)] == [("skew", "fixed, skewed_size, grid")]


def test_every_declared_failure_is_of_something_that_there_is():
    for name, scenario in SCENARIOS.items():
        known = {each.name for each in scenario.expectations}
        for strategy_name, expectation in declared(name):
            assert strategy_name in ROSTER
            assert expectation in known


def test_bare_glft_does_not_answer_to_volatility_and_the_overlay_does(trials):
    found = dict(zip(ROSTER, trials("volatility-spike"), strict=True))
    assert measured(found["glft"], "width") == pytest.approx(1.0, abs=0.05)
    assert measured(found["glft"], "size") == 1.0
    assert 3 <= measured(found[GUARDED], "width") <= 5
    assert measured(found[GUARDED], "size") <= 0.2


def test_a_pause_says_why(trials):
    guarded = trials("toxic-flow")[-1].watch
    paused = np.isnan(guarded.bid) & np.isnan(guarded.ask)
    assert (guarded.causes[paused & guarded.within(60, 120)] & (Cause.TRADE_IMBALANCE | Cause.SHORT_VOLATILITY) != 0).all()
    outage = trials("feed-outage")[-1].watch
    assert (outage.causes[outage.within(61.5, 79.5)] & Cause.STALE_FEED != 0).all()


def test_a_strategy_that_is_watched_does_what_it_does_unwatched(trials):
    trial = trials("trend")[-1]
    events, instrument = trial.watch.events, trial.run.instruments[0]
    assert replay(events, prepared(find_strategy(GUARDED)), instruments=instrument).digest() == trial.run.digest()


def test_the_lab_knows_its_market():
    events, instrument = generate_market(1, 3600.0, settings=QUIET)
    found = estimate(events, instrument, int(events["local_ns"][-1]))
    assert LAB["sigma"] == pytest.approx(found.sigma.value, rel=0.01)
    assert LAB["A"] == pytest.approx(found.A.value, rel=0.01)
    assert LAB["k"] == pytest.approx(found.k.value, rel=0.01)


@strategy(compiled=False)
def crosses_over(ctx):
    """Bid above the ask after a minute: what no expectation should let pass."""
    market, late = ctx.market[0], ctx.now_ns - ctx.start_ns > 60_000_000_000
    quote_bid(ctx, 0, 0, market.ask_ticks + 1.0 if late else market.bid_ticks - 3.0, 10.0)
    quote_ask(ctx, 0, 0, market.ask_ticks + 3.0, 10.0)


def test_a_strategy_that_writes_its_quotes_itself_is_judged_by_them():
    (trial,) = run_scenario(SCENARIOS["fee-change"], [crosses_over])
    verdicts = {each.expectation: each for each in trial.checks}
    assert verdicts["book"].verdict == FAIL
    assert verdicts["book"].measured == pytest.approx(600, abs=5)
    assert verdicts["limit"].verdict == NOT_APPLICABLE
    assert verdicts["limit"].found == "the strategy has no max_position"
    assert trial.watch.mean(trial.watch.width, 20, 50) == pytest.approx(8, abs=1)


@pytest.mark.interpreted
def test_a_number_in_its_range_passes_and_a_sentence_does_not_apply():
    def judged(value):
        return check(Expectation("e", "rule", lambda _watch: value, 1.0, 2.0, "ticks"), None)

    assert [judged(value).verdict for value in (1.0, 2.0, 0.99, 2.01, float("inf"), "why")] == [
        PASS,
        PASS,
        FAIL,
        FAIL,
        FAIL,
        NOT_APPLICABLE,
    ]
    assert judged(1.234567).found == "1.23 ticks"
    assert judged("why").found == "why"
    assert judged(1.0).allowed == "1 to 2"


def test_a_scenario_becomes_one_page(tmp_path, trials):
    page = write_scenario_page(str(tmp_path / "feed.html"), trials("feed-outage")[-2:]).read_text(encoding="utf-8")
    for text in ("Scenario feed-outage", GUARDED, "stale feed", "feed silent", "inventory, shares", "during"):
        assert text in page
    assert page.count("Plotly.newPlot") == 2
