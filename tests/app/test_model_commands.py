"""``twosided models`` prints the numbers of the models."""

import csv
import json

import pytest

GLFT = ("models", "quotes", "glft", "--sigma", 0.3, "--A", 0.9, "--k", 0.3, "--gamma", 0.01)


def test_quotes_are_those_of_the_paper(command, shared):
    quoted = {row["q"]: row for row in json.loads(command(*GLFT, "--horizon-s", 600, "--q-max", 30, "--json").out)}
    with shared("reference", "glft_2013_quotes.csv").open() as file:
        expected = [row for row in csv.DictReader(file) if row["set"] == "fig1-3"]
    assert len(expected) > 40
    for row in expected:
        assert quoted[int(row["q"])]["bid"] == pytest.approx(float(row["delta_bid_t0"]), abs=1e-6)
        assert quoted[int(row["q"])]["ask"] == pytest.approx(float(row["delta_ask_t0"]), abs=1e-6)


def test_a_side_that_is_not_quoted_is_null(command):
    rows = json.loads(command(*GLFT, "--q-max", 3, "--json").out)
    assert [row["q"] for row in rows] == [-3, -2, -1, 0, 1, 2, 3]
    assert rows[0]["ask"] is None
    assert rows[-1]["bid"] is None
    assert rows[3]["bid"] == rows[3]["ask"]


def test_the_table_says_the_same(command):
    out = command(*GLFT, "--q-max", 3).out
    assert "3.544453" in out
    assert "no quote" in out


def test_models_are_listed(command):
    assert "avellaneda_stoikov" in command("models", "list").out
    assert {"glft", "avellaneda_stoikov"} <= {row["name"] for row in json.loads(command("models", "list", "--json").out)}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("glfft",), "model 'glfft' is unknown; did you mean 'glft'?"),
        (("glft", "--sigma", 1), "model glft needs A"),
        (("glft", "--sigma", "x", "--A", 1, "--k", 1, "--gamma", 1), "sigma is 'x'; allowed: a positive number"),
        (("glft", "--sigma", "nan", "--A", 1, "--k", 1, "--gamma", 1), "sigma is 'nan'; allowed: a positive number"),
        (("glft", "--sigma", "-1", "--A", 1, "--k", 1, "--gamma", 1), "sigma is '-1'; allowed: a positive number"),
        (
            ("glft", "--sigma", 1, "--A", 1, "--k", 1, "--gamma", 1, "--q-max", 2.5),
            "q_max is '2.5'; allowed: a positive whole number",
        ),
    ],
)
def test_what_cannot_be_computed_is_said(refused, arguments, said):
    assert refused("models", "quotes", *arguments).startswith(said)
