"""``twosided models`` prints the numbers of the models."""

import csv
import json

import numpy as np
import pytest

from twosided.app.model_plot import quote_figure
from twosided.models.quotes import optimal_quotes

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


def test_a_picture_is_a_page_of_its_own(command, tmp_path):
    page = tmp_path / "out" / "quotes.html"
    answer = command("models", "quotes", "cartea_jaimungal", "--A", 0.5, "--k", 0.3, "--phi", 0.005, "--q-max", 4, "--plot", page)
    assert answer.code == 0
    assert "quotes.html" in answer.err
    text = page.read_text()
    assert "Plotly.newPlot" in text
    assert 'src="http' not in text
    assert all(word in text for word in ("inventory, quotes", "price units", "phi 0.005"))


def test_the_picture_has_the_quotes_of_the_table():
    table = optimal_quotes("glft", sigma=0.3, A=0.9, k=0.3, gamma=0.01, q_max=3)
    ask, bid, middle, spread = quote_figure(table, "glft").data
    np.testing.assert_array_equal(bid.y, -table.bid[0])
    np.testing.assert_array_equal(ask.y, table.ask[0])
    np.testing.assert_allclose(spread.y[1:-1], (table.bid + table.ask)[0, 1:-1])
    assert middle.y[3] == 0.0
    assert list(bid.x) == [-3, -2, -1, 0, 1, 2, 3]


def test_a_picture_is_html(refused):
    said = refused("models", "quotes", "glft", "--sigma", 1, "--A", 1, "--k", 1, "--gamma", 1, "--plot", "quotes.png")
    assert said == "--plot is 'quotes.png'; allowed: a file that ends in .html"


@pytest.mark.parametrize(
    "arguments",
    [
        ("avellaneda_stoikov", "--sigma", 0.3, "--k", 0.3, "--gamma", 0.1),
        ("glft_closed_form", "--sigma", 0.3, "--A", 0.5, "--k", 0.3, "--gamma", 0.1, "--mu", -0.01, "--xi", 0.1),
        ("cartea_jaimungal", "--A", 0.5, "--k", 0.3, "--phi", 0.01, "--alpha", 0.1, "--horizon-s", 60),
        ("short_term_alpha", "--A", 0.5, "--k", 0.3, "--phi", 0.01, "--zeta", 0.5, "--signal", 0.1, "--q-max", 3),
        ("power", "--sigma", 0.3, "--A", 0.5, "--k", 0.3, "--gamma", 0.1, "--tail", 2.5),
        ("logistic", "--sigma", 0.3, "--A", 0.5, "--k", 0.3, "--gamma", 0.1, "--shift", 1),
    ],
)
def test_every_model_prints(command, arguments):
    rows = json.loads(command("models", "quotes", *arguments, "--json").out)
    assert len(rows) >= 7
    middle = rows[len(rows) // 2]
    assert middle["q"] == 0
    assert middle["bid"] + middle["ask"] > 0


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
