"""Tables of quotes by name: what they contain, and how they refuse."""

import json

import pytest

from twosided.errors import InputError
from twosided.models.quotes import MODELS, quote_table

README = {"sigma": 0.3, "A": 0.5, "k": 0.3, "gamma": 0.1}


@pytest.mark.parametrize("model", MODELS)
def test_every_model_needs_only_the_market_and_gamma(model):
    table = quote_table(model, **README)
    assert [row["q"] for row in table] == list(range(-30, 31))
    assert json.loads(json.dumps(table)) == table


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("horizon_s", [None, 5.0])
def test_rows_are_mirrored(model, horizon_s):
    table = quote_table(model, **README, q_max=4, horizon_s=horizon_s)
    for row, mirror in zip(table, reversed(table), strict=True):
        assert row["bid"] == mirror["ask"]


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


@pytest.mark.parametrize("model", ["glft", "glft_closed_form"])
@pytest.mark.parametrize("extreme", [{"sigma": 1e200}, {"gamma": 1e200}])
def test_parameters_beyond_the_range_of_numbers_are_refused_in_one_sentence(model, extreme):
    with pytest.raises(InputError, match="exceed the range of numbers"):
        quote_table(model, **{**README, **extreme})
