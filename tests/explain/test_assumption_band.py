"""The sentence says whether a result hangs on a guess, and the picture shows it."""

import io
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.console import Console

from twosided.explain.assumption_band import band_figure, band_of, band_table, verdict


def rows(base, others, *, fills=10, currency="USD"):
    amounts = {"as assumed": base, **others}
    return [
        {
            "kind": "base" if setting == "as assumed" else "latency",
            "setting": setting,
            "currency": currency,
            "pnl": Decimal(pnl),
            "change": Decimal(pnl) - Decimal(base),
            "fills": fills,
            "max_inventory": 3.0,
            "unit": "shares",
        }
        for setting, pnl in amounts.items()
    ]


@pytest.mark.parametrize(
    ("base", "others", "sentence"),
    [
        (
            "12.5",
            {"slow": "-3", "dear": "-8", "fast": "14"},
            "The profit of 12.50 USD changes its sign with slow or dear: the result hangs on a guess.",
        ),
        (
            "-12.5",
            {"slow": "-30", "cheap": "2"},
            "The loss of 12.50 USD changes its sign with cheap: the result hangs on a guess.",
        ),
        (
            "12.5",
            {"slow": "11", "dear": "12"},
            "It stays a profit under every assumption tried, from 11.00 to 12.50 USD; order latency moves it by at most 1.50.",
        ),
        (
            "12.5",
            {"slow": "6", "fast": "20"},
            "It stays a profit under every assumption tried, from 6.00 to 20.00 USD; but more than half of it goes with slow.",
        ),
        (
            "-12.5",
            {"slow": "-30"},
            "It stays a loss under every assumption tried, from −30.00 to −12.50 USD; order latency moves it by at most 17.50.",
        ),
        ("0", {"slow": "-30"}, "The result of 0.00 USD changes its sign with slow: the result hangs on a guess."),
        ("12.5", {}, "It stays a profit under every assumption tried, from 12.50 to 12.50 USD."),
    ],
)
def test_the_sentence(base, others, sentence):
    assert verdict(rows(base, others)) == sentence


def test_fees_are_known_and_told_apart_from_guesses():
    tried = rows("12.5", {"slow": "11", "fees + 1 bps": "-3"})
    tried[-1]["kind"] = "fees"
    told = "The profit of 12.50 USD changes its sign with fees + 1 bps"
    assert verdict(tried) == f"{told}; under every latency and queue tried it stays a profit, from 11.00 to 12.50 USD."
    assert verdict([tried[0], tried[2]]) == f"{told}."
    tried[1]["pnl"] = Decimal(-1)
    assert verdict(tried) == "The profit of 12.50 USD changes its sign with slow or fees + 1 bps: the result hangs on a guess."


def test_each_kind_of_assumption_is_told_by_how_much_it_moves_the_result():
    tried = rows("12.5", {"slow": "11", "fast": "13", "behind": "10", "fees": "14"})
    tried[3]["kind"], tried[4]["kind"] = "queue", "fees"
    said = "order latency moves it by at most 1.50, the queue model by 2.50 and a basis point of fees by 1.50."
    assert verdict(tried).endswith(said)


def test_nothing_filled_is_no_result():
    assert verdict(rows("0", {"slow": "0"}, fills=0)) == "Nothing was filled under any assumption (USD)."


def test_each_currency_has_its_sentence():
    assert verdict([*rows("1", {"slow": "-2"}), *rows("1", {"slow": "-2"}, currency="EUR")]).count("slow") == 2


@pytest.fixture
def run(runs):
    found = rows("12.5", {"slow <b>": "-3", "dear": "8"})
    plain = [{**row, "pnl": str(row["pnl"]), "change": str(row["change"])} for row in found]
    return replace(
        runs.quoter(1, seconds=60), facts={**runs.quoter(1, seconds=60).facts, "sensitivity": {"rows": plain, "notes": ["so"]}}
    )


def test_the_table_has_every_assumption_its_sentence_and_remarks(run):
    console = Console(width=200, file=io.StringIO())
    console.print(band_table(run, "fixed"))
    text = console.file.getvalue()
    for words in ("fixed: if the assumptions were others", "slow <b>", "-3.00", "-15.50", "3 shares", "changes its sign", "so"):
        assert words in text, words


def test_the_picture_joins_every_assumption_to_the_base_and_colours_losses(run):
    figure = band_figure(run)
    dots = figure.data[-1]
    assert list(dots.x) == [-3.0, 8.0]
    assert list(dots.y) == ["slow &lt;b&gt;", "dear"]
    assert dots.marker.color[0] != dots.marker.color[1]
    assert [list(line.x) for line in figure.data[:-1]] == [[12.5, -3.0], [12.5, 8.0]]
    low, high = figure.layout.xaxis.range
    assert low < -3
    assert high > 12.5
    assert figure.layout.xaxis.title.text == "P&L, USD"
    assert [line.x0 for line in figure.layout.shapes] == [0, 12.5]


def test_a_run_that_was_not_tried_otherwise_has_none(runs):
    plain = runs.quoter(1, seconds=60)
    assert band_of(plain) is None
    assert band_table(plain, "fixed") is None
    assert band_figure(plain) == "No other assumption was tried."
