"""`twosided replay --market A --market B`: several markets in one run, on the command line and in a file; money kept apart."""

import json
from decimal import Decimal

import polars as pl
import pytest

from twosided.engines.flow import generate_market
from twosided.market.run import Run

QUOTER = """
from twosided import quote_ask, quote_bid, strategy, withdraw

@strategy(quantity=10.0, hedges=(1,))
def lead(ctx):
    for m in range(2):
        quote_bid(ctx, m, 0, ctx.market[m].bid_ticks, ctx.params.quantity)
        quote_ask(ctx, m, 0, ctx.market[m].ask_ticks, ctx.params.quantity)
"""


@pytest.fixture(scope="module")
def markets(tmp_path_factory, stored):
    """Two generated sessions of two minutes, the second of another symbol, in euros."""
    folder, made = tmp_path_factory.mktemp("markets"), []
    for seed, name, currency in ((3, "ONE", "USD"), (4, "TWO", "EUR")):
        events, instrument = generate_market(seed=seed, seconds=60.0)
        made.append(
            stored(folder / f"{name}.parquet", events, instrument.model_copy(update={"symbol": name, "currency": currency}))
        )
    (folder / "lead.py").write_text(QUOTER)
    return folder, *made


def _json(command, *arguments):
    answer = command("replay", *arguments, "--json", "--quiet")
    assert (answer.code, answer.err) == (0, "")
    return json.loads(answer.out, parse_float=Decimal)


def test_several_markets_are_replayed_and_their_money_is_kept_apart(command, markets, tmp_path):
    folder, one, two = markets
    asked = ("--market", one, "--market", two, "--strategy", f"{folder / 'lead.py'}:lead")
    found = _json(command, *asked, "--out", tmp_path / "out")
    assert [each["symbol"] for each in found["markets"]] == ["ONE", "TWO"]
    assert [each["currency"] for each in found["accounts"]] == ["USD", "EUR"]
    assert [found[name] for name in ("pnl", "split", "fees", "currency", "position", "symbol")] == [None] * 6
    for market, account in zip(found["markets"], found["accounts"], strict=True):
        assert market["fills"] > 10
        assert {name: market[name] for name in account} == account
        assert sum(market["split"].values()) == market["pnl"]
    assert found["markets"][1]["split"]["hedge"] == found["markets"][1]["pnl"] != 0
    assert found["warnings"][0] == "Money is in USD and EUR: each has an account of its own, and they are not added."
    said = [each["pnl"] for each in found["statistics"]["markets"]]
    assert said == [pytest.approx(each["pnl"]) for each in found["markets"]]
    table = command("replay", *asked, "--quiet").out
    assert "each has an account of its own, and they are not added" in table
    assert "they are not added" in (tmp_path / "out" / "report.html").read_text()
    run = Run.load(tmp_path / "out" / "lead")
    assert run.digest() == found["digest"]
    assert run.fills.group_by("market").agg(pl.col("hedge").unique()).sort("market")["hedge"].to_list() == [[0], [1]]


def test_in_one_currency_there_is_a_total_and_each_market_s_own(command, markets):
    folder, one, two = markets
    asked = ("--market", one, "--market", two, "--strategy", f"{folder / 'lead.py'}:lead", "--currency", "USD")
    found = _json(command, *asked, "--capital", "1000")
    assert found["pnl"] == sum(each["pnl"] for each in found["markets"])
    assert sum(found["split"].values()) == found["pnl"]
    table = command("replay", *asked, "--quiet").out
    assert "Result ONE" in table
    assert "Result TWO" in table
    assert "not added" not in table


def test_a_file_says_what_holds_for_all_markets_and_for_each(command, markets, tmp_path):
    folder, one, two = markets
    config = tmp_path / "run.yaml"
    config.write_text(f"""
data: {{stream: true}}
instrument: {{fees: {{maker_bps: 1}}}}
markets:
  - data: {{files: {one}}}
  - data: {{files: [{two}]}}
    instrument: {{currency: USD, fees: {{maker_bps: -1}}}}
strategies:
  - name: {folder / "lead.py"}:lead
settings:
  entry_latency: 2ms
  markets: [{{}}, {{entry_latency: 5ms, post_only: false}}]
""")
    found = _json(command, config, "--out", tmp_path / "out")
    run = Run.load(tmp_path / "out" / "lead")
    paid = run.fills.group_by("market").agg(pl.col("fee").sum()).sort("market")["fee"].to_list()
    assert paid[0] > 0 > paid[1]
    assert found["markets"][1]["fees"] == 0  # those of hedges are in the part hedge
    assert [str(each.fees.maker_bps) for each in run.instruments] == ["1", "-1"]
    assert run.facts["settings"]["markets"][1]["entry_latency"]["ns"] == 5_000_000
    assert [each["names"] for each in run.facts["data"]["recordings"]] == [["ONE.parquet"], ["TWO.parquet"]]
    report = (tmp_path / "out" / "report.html").read_text()
    assert "in market 1: orders 5 ms" in report
    again = tmp_path / "again.yaml"  # what the run says of itself makes it again
    again.write_text(json.dumps(run.facts["configuration"]))
    assert _json(command, again)["digest"] == found["digest"]


def test_a_coin_margined_contract_is_stated_with_an_option(command, session):
    quotes = ("--strategy", "fixed", "--set", "half_spread=0.5", "--set", "unit=ticks", "--set", "quantity=100")
    found = _json(command, session, *quotes, "--inverse", "--currency", "BTC", "--maker-bps", "0")
    assert found["currency"] == "BTC"
    assert found["fills"] > 5
    assert sum(found["split"].values()) == found["pnl"] != 0


BAD = {
    "nothing to read": ((), "no recording is given; name its files, or each of several markets with --market FILE[,FILE]"),
    "both ways": (("ONE", "--market", "TWO"), "both say what is read; write --market before each of several markets"),
    "one market twice": (("--market", "ONE", "--market", "ONE"), "two recordings are of ONE"),
    "an option for all": (("--market", "ONE", "--market", "TWO", "--min-latency", "soon"), "--min-latency is 'soon'"),
    "capital in two currencies": (
        ("--market", "ONE", "--market", "TWO", "--capital", "9"),
        "capital is 9, but money is in USD and EUR; allowed with one currency only",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_met_is_refused_in_a_sentence(refused, markets, name):
    _, one, two = markets
    arguments, said = BAD[name]
    paths = [{"ONE": one, "TWO": two}.get(each, each) for each in arguments]
    assert said in refused("replay", *paths, "--strategy", "fixed", "--quiet")


def test_a_file_that_says_twice_what_is_read_is_refused(refused, markets, tmp_path):
    _, one, _ = markets
    (tmp_path / "run.yaml").write_text(
        f"data: {{files: x.gz}}\nmarkets: [{{data: {{files: {one}}}}}]\nstrategies: [{{name: fixed}}]\n"
    )
    assert refused("replay", "run.yaml") == "run.yaml: data.files and markets both say what is read; state one of them"


def test_a_mistake_in_one_market_is_named_with_its_line(refused, tmp_path):
    (tmp_path / "run.yaml").write_text("markets:\n  - data: {files: x.gz, formt: lobster}\nstrategies: [{name: fixed}]\n")
    assert "line 2: markets.0.data.formt is unknown; did you mean 'format'?" in refused("replay", "run.yaml")


def test_accounts_are_added_in_a_currency_that_was_chosen_at_a_rate_of_their_own(command, markets, refused):
    folder, one, two = markets
    asked = ("--market", one, "--market", two, "--strategy", f"{folder / 'lead.py'}:lead", "--report-in", "USD")
    apart = _json(command, *asked[:-2])
    assert apart["reported"] is None
    found = _json(command, *asked, "--rates", "EUR=1.25")
    assert found["digest"] == apart["digest"]
    assert not found["warnings"]
    for name, amount in found["reported"]["split"].items():
        assert amount == sum(
            account["split"].get(name, 0) * rate for account, rate in zip(found["accounts"], (1, Decimal("1.25")), strict=True)
        )
    assert sum(found["reported"]["split"].values()) == found["reported"]["pnl"]
    moving = _json(command, *asked, "--rates", "EUR=market:0")["reported"]
    assert sum(moving["split"].values()) == moving["pnl"]
    assert moving["split"]["currency"] != 0
    table = command("replay", *asked, "--rates", "EUR=market:0", "--quiet").out
    assert "Result of all accounts, in USD" in table
    assert "exchange rates" in table
    assert "they are not added" not in table
    asked = (*asked, "--quiet")
    assert refused("replay", *asked).startswith("money is in EUR, and no rate to USD is given; state one: EUR=1.08, or the market")
    assert refused("replay", *asked, "--rates", "EUR").startswith("--rates is 'EUR'; allowed: CURRENCY=PRICE")
    assert refused("replay", *asked, "--rates", "EUR=cheap").startswith("--rates: the rate of EUR is 'cheap'; allowed: a decimal")
