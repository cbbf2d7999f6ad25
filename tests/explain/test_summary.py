"""One table for the terminal and the report: what it says, and what it refuses to say."""

import pytest
from rich.console import Console

from twosided.explain.statistics import Basis, statistics
from twosided.explain.summary import amount_text, run_labels, summary_rows
from twosided.explain.table import rich_table


@pytest.fixture(scope="module")
def two(runs):
    return [runs.quoter(1, seconds=2400), runs.quoter(2, seconds=300, strategy="glft", maker_bps=-0.5)]


def by_label(rows):
    return {(row.section, row.label): row for row in rows}


def test_the_first_row_is_the_pnl_and_the_next_six_add_up_to_it(two):
    rows = summary_rows(two)
    assert rows[0].label == "P&L"
    assert rows[0].strong
    for column in (0, 1):
        parts = [row.values[column] for row in rows[1:7]]
        assert sum(parts) == pytest.approx(rows[0].values[column])


def test_each_column_is_its_own_run(two):
    rows = by_label(summary_rows(two))
    for column, run in enumerate(two):
        (account,), (market,) = (statistics(run)[name] for name in ("accounts", "markets"))
        assert rows["Trading", "fills"].values[column] == account["fills"]
        assert rows["Inventory", "closing position"].values[column] == market["position"]
        assert rows["Markouts", "10 s after a fill"].values[column] == market["markouts"][1]["bps"]["mean"]


def test_what_is_not_given_is_a_dash_with_the_reason_and_never_a_number(two):
    sharpe = by_label(summary_rows(two))["Risk", "Sharpe ratio"]
    assert sharpe.values[0] is not None
    assert "±" in sharpe.cells[0]
    assert (sharpe.values[1], sharpe.cells[1]) == (None, "–")
    assert sharpe.notes == ("", "5 of the 30 non-overlapping periods of 1 min that it needs")
    assert "365 days of 24 h" in sharpe.remark


def test_runs_of_venues_with_other_years_are_each_scaled_to_their_own(runs):
    shares = runs.BTC.model_copy(update={"venue": "nasdaq"})
    both = [runs.quoter(1, seconds=2400), runs.quoter(1, seconds=2400, instrument=shares)]
    rows = by_label(summary_rows(both))
    assert "each scaled to its own trading year" in rows["Risk", "Sharpe ratio"].remark
    assert ("Trading", "P&L per trading day") in rows
    crypto, stock = rows["Risk", "Sharpe ratio"].values
    assert crypto / stock == pytest.approx((365 * 24 / (252 * 6.5)) ** 0.5)


def test_the_table_says_who_was_filled_why_and_what_was_refused(two):
    rows = by_label(summary_rows(two))
    market = statistics(two[0])["markets"][0]
    bought = market["by_side"]["bought"]["markouts"][1]["bps"]["mean"]
    assert rows["Markouts", "10 s after a purchase"].values[0] == bought
    counts = [row.values[0] for (section, label), row in rows.items() if label.startswith("fills: ")]
    assert sum(counts) == market["fills"]
    assert rows["Result", "P&L before fees, taxes, funding"].values[0] == statistics(two[0])["accounts"][0]["pnl_before_fees"]
    assert rows["Quotes", "requests refused"].cells == ("0", "0")


def test_quantities_carry_the_unit_that_they_are_counted_in(two):
    rows = by_label(summary_rows(two))
    assert rows["Inventory", "closing position"].unit == "BTC"


def test_the_stated_assumptions_are_the_ones_used(two):
    rows = by_label(summary_rows(two, Basis(horizon_ns=2 * 10**9, period_ns=8 * 10**9, days_per_year=252, hours_per_day=6.5)))
    assert "over 8 s, scaled to a year of 252 days of 6.5 h" in rows["Risk", "Sharpe ratio"].remark
    assert ("Result", "adverse selection within 2 s") in rows


def test_rows_about_capital_and_market_volume_appear_only_where_they_are_known(runs):
    labels = [(row.label, row.unit) for row in summary_rows([runs.quoter(1, seconds=60)])]
    known = [
        (row.label, row.unit) for row in summary_rows([runs.quoter(1, seconds=60, capital={"USDT": 100}, market_volume_lots=[9])])
    ]
    added = [
        ("largest drawdown", "of capital"),
        ("return over the run", "of capital"),
        ("turnover", "× capital"),
        ("own share of volume", ""),
    ]
    assert [label for label in known if label not in labels] == added


def test_runs_that_trade_different_markets_share_a_table_without_sharing_numbers(runs):
    rows = by_label(summary_rows([runs.random(1, instruments=(runs.BTC,)), runs.random(2, instruments=(runs.ES,))]))
    assert rows["Result USDT", "P&L"].values[1] is None
    assert rows["Result USD", "P&L"].values[0] is None
    assert rows["Inventory ESH4 cme", "closing position"].notes == ("not traded in this run", "")
    assert rows["Markouts BTCUSDT binance", "1 s after a fill"].notes[1] == "not traded in this run"


def test_runs_of_one_strategy_are_told_apart_by_the_parameters_that_differ(runs):
    def run(strategy, **params):
        return runs.assemble((runs.BTC,), [], [], span_ns=10**9, strategy=strategy, params=params)

    labels = run_labels([run("a", x=1, y=2), run("a", x=3, y=2), run("b", x=1), run("c"), run("c")])
    assert labels == ("a x=1", "a x=3", "b", "c (1)", "c (2)")


@pytest.mark.parametrize(
    ("value", "largest", "text"),
    [
        (1234567.891, None, "1,234,567.89"),
        (-0.00012345, None, "-0.00012345"),
        (0.0123456, None, "0.012346"),
        (-0.001, 500.0, "0.00"),  # no "-0.00"
        (0.0, None, "0.00"),
    ],
)
def test_amounts_have_as_many_decimals_as_they_deserve(value, largest, text):
    assert amount_text(value, largest) == text


def test_the_terminal_table_numbers_its_notes_and_shows_markup_as_text(two):
    console = Console(width=120)
    with console.capture() as captured:
        console.print(rich_table(summary_rows(two), ["fixed", "[bold]glft[/bold]"], "Result of the replay"))
    text = captured.get()
    assert "[bold]glft[/bold]" in text
    line = next(line for line in text.splitlines() if "Sharpe ratio" in line)
    assert "Sharpe ratio [1]" in line
    assert "– [2]" in line
    assert "[2] 5 of the 30 non-overlapping periods of 1 min that it needs" in text


def test_long_names_of_composed_strategies_break_between_their_parts(runs):
    names = [
        f"glft+volatility_width+inventory_size+adverse_selection+{last}" for last in ("one_sided", "toxicity_pause", "feed_guard")
    ]
    console = Console(width=120)
    with console.capture() as captured:
        console.print(rich_table(summary_rows([runs.quoter(seed) for seed in (1, 2, 3)]), names))
    head = captured.get().partition("─")[0].split()
    assert head == [
        "glft",
        "glft",
        "glft",
        *3 * ["+volatility_width"],
        *3 * ["+inventory_size"],
        *3 * ["+adverse_selection"],
        *head[12:],
    ]
    assert head[12:] == ["+one_sided", "+toxicity_pause", "+feed_guard", "unit"]
