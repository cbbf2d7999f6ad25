"""Tables of quotes by name: what they contain, and how they refuse."""

import json

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.models.quotes import MODELS, optimal_quotes, quote_table

README = {"sigma": 0.3, "A": 0.5, "k": 0.3, "gamma": 0.1}
PENALISED = {"A": 0.5, "k": 0.3, "phi": 0.005}
NEEDED = {"cartea_jaimungal": PENALISED, "short_term_alpha": {**PENALISED, "zeta": 0.5}}


def needed(model):
    return NEEDED.get(model, README)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_needs_only_the_market_and_its_aversion(model):
    table = quote_table(model, **needed(model))
    q_max = MODELS[model].params["q_max"].default
    assert [row["q"] for row in table] == list(range(-q_max, q_max + 1))
    assert json.loads(json.dumps(table)) == table


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("horizon_s", [None, 5.0])
def test_rows_are_mirrored(model, horizon_s):
    table = quote_table(model, **needed(model), q_max=4, horizon_s=horizon_s)
    for row, mirror in zip(table, reversed(table), strict=True):
        assert row["bid"] == pytest.approx(mirror["ask"], abs=1e-9) if model == "short_term_alpha" else row["bid"] == mirror["ask"]


@pytest.mark.parametrize("model", MODELS)
def test_long_inventory_never_raises_a_quote(model):
    table = optimal_quotes(model, **needed(model), q_max=8, horizon_s=20.0)
    assert np.all(np.diff(table.bid[0, :-1]) > -1e-9)
    assert np.all(np.diff(table.ask[0, 1:]) < 1e-9)
    assert np.all(table.bid[0, 1:-1] + table.ask[0, 1:-1] > 0)


@pytest.mark.parametrize("model", [name for name in MODELS if "mu" in MODELS[name].params])
def test_a_mirrored_drift_gives_mirrored_quotes_and_a_rising_mid_raises_both(model):
    up = optimal_quotes(model, **needed(model), q_max=6, horizon_s=20.0, mu=0.02)
    down = optimal_quotes(model, **needed(model), q_max=6, horizon_s=20.0, mu=-0.02)
    still = optimal_quotes(model, **needed(model), q_max=6, horizon_s=20.0)
    np.testing.assert_allclose(up.bid[0], down.ask[0, ::-1], atol=1e-9)
    assert np.all(up.bid[0, :-1] < still.bid[0, :-1])
    assert np.all(up.ask[0, 1:] > still.ask[0, 1:])


@pytest.mark.parametrize("model", ["glft", "cartea_jaimungal"])
def test_several_times_in_one_integration_are_each_time_by_itself(model):
    times = [0.0, 0.5, 7.0, 60.0]
    table = optimal_quotes(model, **needed(model), q_max=10, remaining_s=times)
    for n, time in enumerate(times):
        alone = optimal_quotes(model, **needed(model), q_max=10, remaining_s=[time])
        np.testing.assert_allclose(table.bid[n], alone.bid[0], atol=1e-8)
        np.testing.assert_allclose(table.ask[n], alone.ask[0], atol=1e-8)


def test_the_same_question_is_answered_from_memory_and_nobody_can_spoil_the_answer():
    first = optimal_quotes("glft", **README)
    assert optimal_quotes("glft", **README, q_max="30") is first
    with pytest.raises(ValueError, match="read-only"):
        first.bid[0, 0] = 0.0


@pytest.mark.parametrize("times", [[], [1.0, 1.0], [2.0, 1.0], [-1.0], [1.0, float("inf")], [float("nan")]])
def test_times_left_are_increasing_numbers(times):
    with pytest.raises(InputError, match="remaining_s is"):
        optimal_quotes("glft", **README, remaining_s=times)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("mu", "inf", "a number of price/s"), ("xi", -1, "at least 0"), ("tail", 1, "at least 1.01"), ("shift", 31, "at most 30")],
)
def test_values_that_need_not_be_positive_have_their_own_bounds(name, value, said):
    model = next(each for each in MODELS if name in MODELS[each].params)
    with pytest.raises(InputError, match=f"{name} is .*; allowed: .*{said}"):
        quote_table(model, **{**needed(model), name: value})


def test_at_the_inventory_bound_one_side_is_not_quoted():
    table = quote_table("glft", **README, q_max=3, horizon_s=600)
    assert table[-1]["bid"] is None
    assert table[-1]["ask"] is not None
    assert table[0]["ask"] is None
    assert all(row["bid"] is not None and row["ask"] is not None for row in table[1:-1])


def test_a_bound_of_one_quote_is_enough():
    assert [row["bid"] is None for row in quote_table("glft", **README, q_max=1)] == [False, False, True]


def test_the_readme_preset():
    table = {row["q"]: row for row in quote_table("glft", **README, horizon_s=600, q_max=30)}
    assert round(table[5]["bid"], 4) == round(table[-5]["ask"], 4) == 4.5811
    assert round(table[5]["ask"], 4) == round(table[-5]["bid"], 4) == 1.4772


def test_avellaneda_and_stoikov_use_k_and_not_the_level_of_the_intensity():
    few = quote_table("avellaneda_stoikov", **{**README, "A": 0.01}, horizon_s=600)
    assert few == quote_table("avellaneda_stoikov", **{**README, "A": 1000.0}, horizon_s=600)
    assert few == quote_table("avellaneda_stoikov", sigma=0.3, k=0.3, gamma=0.1, horizon_s=600)
    assert few != quote_table("avellaneda_stoikov", **{**README, "k": 0.4}, horizon_s=600)


def test_numbers_may_be_given_as_text():
    assert quote_table("glft", sigma="0.3", A="0.5", k="0.3", gamma="0.1", q_max="2") == quote_table("glft", **README, q_max=2)


def test_an_unknown_model_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"model 'gltf' is unknown; did you mean 'glft'\?"):
        quote_table("gltf", **README)


def test_an_unknown_parameter_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"model glft has no parameter 'gama'; did you mean 'gamma'\?"):
        quote_table("glft", **README, gama=1)


@pytest.mark.parametrize("name", ["sigma", "A", "k", "gamma"])
def test_a_missing_parameter_is_named_with_its_unit(name):
    with pytest.raises(InputError, match=f"model glft needs {name}, .* \\("):
        quote_table("glft", **{key: value for key, value in README.items() if key != name})


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), float("-inf"), "much", True, [1]])
@pytest.mark.parametrize("name", ["sigma", "A", "k", "gamma", "q_max"])
def test_a_value_that_is_not_positive_and_finite_is_refused(name, value):
    with pytest.raises(InputError, match=f"{name} is .*; allowed: a positive "):
        quote_table("glft", **{**README, name: value})


@pytest.mark.parametrize("value", [0, -5, float("nan"), "soon"])
def test_a_horizon_must_be_positive_but_may_be_infinite(value):
    assert quote_table("glft", **README, horizon_s=float("inf")) == quote_table("glft", **README)
    with pytest.raises(InputError, match="horizon_s is"):
        quote_table("glft", **README, horizon_s=value)


@pytest.mark.parametrize("value", [2.5, 1001])
def test_the_bound_is_a_whole_number_up_to_a_thousand(value):
    with pytest.raises(InputError, match=r"q_max is .*; allowed: a positive whole number of quotes, at most 1000"):
        quote_table("glft", **README, q_max=value)


def test_a_dealer_may_mind_the_end_only():
    rows = quote_table("cartea_jaimungal", **{**PENALISED, "phi": 0}, alpha=0.1, horizon_s=100, q_max=3)
    assert rows[4]["ask"] < rows[3]["ask"] < rows[2]["ask"]


def test_where_holding_costs_more_than_trading_earns_it_says_so():
    with pytest.raises(InputError, match=r"model logistic: no stationary value .* holding can cost more .* a finite horizon"):
        quote_table("logistic", **{**README, "sigma": 30.0, "gamma": 1.0}, shift=-3, q_max=5)


@pytest.mark.parametrize("model", ["glft", "glft_closed_form"])
@pytest.mark.parametrize("extreme", [{"sigma": 1e200}, {"gamma": 1e200}])
def test_parameters_beyond_the_range_of_numbers_are_refused_in_one_sentence(model, extreme):
    with pytest.raises(InputError, match="exceed the range of numbers"):
        quote_table(model, **{**README, **extreme})
