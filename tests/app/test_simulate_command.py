"""``twosided simulate``: what it prints, what it writes, and what it refuses."""

import json

import pytest

from twosided._compile import INTERPRETED

SMALL = ("--paths", 200, "--horizon-s", 10, "--step-s", 0.1, "--quiet")

pytestmark = pytest.mark.skipif(INTERPRETED, reason="commands run compiled")


def test_a_comparison_shows_both_and_the_difference_with_its_interval(command):
    answer = command("simulate", "--compare", "fixed,glft", *SMALL)
    assert answer.code == 0
    assert answer.err == ""
    head, *rows = [line for line in answer.out.splitlines() if line.strip()]
    assert head.split() == ["fixed", "glft", "glft", "−", "fixed", "unit"]
    for label in ("mean ", "certainty equivalent, γ = 0.1", "5 % worst", "mean Sharpe", "standard deviation at the end", "fills"):
        assert any(label in row for row in rows), label
    assert "200 paths of 10 s in steps of 100 ms · Brownian mid, σ 0.01 per √s from 100" in answer.out
    assert "no fees" in answer.out


def test_json_has_every_figure_with_its_error_and_says_what_was_assumed(command):
    answer = command("simulate", "--compare", "fixed,glft", "--json", *SMALL, "--A", 2, "--set", "gamma=0.5", "--cores", 1)
    found = json.loads(answer.out)
    one, other = found["quoters"]
    assert (one["name"], other["name"]) == ("fixed", "glft")
    assert other["params"]["gamma"] == 0.5
    assert (other["params"]["A"], other["params"]["sigma"], other["params"]["k"]) == (2.0, 0.01, 20.0)
    assert one["params"]["max_position"] == 10.0  # as it took effect
    (difference,) = found["differences"]
    assert difference["mean"]["value"] == pytest.approx(other["mean"]["value"] - one["mean"]["value"])
    assert difference["mean"]["low"] < difference["mean"]["value"] < difference["mean"]["high"]
    assert "certainty equivalent, γ = 0.5" in one
    assert found["settings"]["A"] == 2.0
    assert found["paths"] == 200
    again = json.loads(command("simulate", "--compare", "fixed,glft", "--json", *SMALL, "--A", 2, "--set", "gamma=0.5").out)
    assert again["digest"] == found["digest"]


def test_own_strategies_are_simulated_like_shipped_ones(command, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from twosided import quote_ask, quote_bid, strategy\n"
        "@strategy(half=0.05)\n"
        "def mine(ctx):\n"
        "    market = ctx.market[0]\n"
        "    mid, half = 0.5 * (market.bid_ticks + market.ask_ticks), ctx.params.half / market.tick_size\n"
        "    quote_bid(ctx, 0, 0, mid - half, 1.0)\n"
        "    quote_ask(ctx, 0, 0, mid + half, 1.0)\n"
    )
    answer = command("simulate", "--compare", f"{path}:mine,fixed", *SMALL, "--snipers", "--latency", "5ms", "--maker-bps", "0.5")
    assert answer.code == 0
    assert "latency 5 ms · snipers · maker fee 0.5 bps" in " ".join(answer.out.split())
    assert "certainty equivalent" not in answer.out  # nobody has a risk aversion


def test_a_report_holds_the_table_the_figures_and_no_address(command, tmp_path):
    out = tmp_path / "new" / "simulation.html"
    answer = command("simulate", "--compare", "fixed,glft", *SMALL[:-1], "--out", out)
    assert answer.err == f"report: {out}\n"
    text = out.read_text()
    assert "<h1>" in text
    assert "The difference, path by path" in text
    assert text.count('class="figure"') == 6
    assert "src=" not in text.split("<script>")[0]
    assert [path.name for path in out.parent.iterdir()] == ["simulation.html"]


def test_a_single_path_has_no_errors_and_is_shown_all_the_same(command):
    answer = command("simulate", "--compare", "fixed,glft", "--paths", 1, "--horizon-s", 5)
    assert answer.code == 0
    assert "standard deviation" in answer.out
    tables = json.loads(command("simulate", "--preset", "avellaneda-stoikov-2008", "--paths", 1, "--json").out)
    assert tables["rows"][1]["ours"]["error"] is None
    assert json.loads(command("simulate", "--compare", "fixed", "--paths", 1, "--horizon-s", 5, "--json").out)["paths"] == 1


def test_a_single_quoter_is_reported_too(command, tmp_path):
    out = tmp_path / "one.html"
    assert command("simulate", "--compare", "glft", *SMALL, "--out", out).code == 0
    assert "mean P&amp;L" in out.read_text()


def test_the_tables_of_2008_stand_beside_what_was_published(command):
    found = json.loads(command("simulate", "--preset", "avellaneda-stoikov-2008", "--paths", 2000, "--json").out)
    assert len(found["rows"]) == 30
    for row in found["rows"]:
        if row.get("errors"):
            assert abs(float(row["errors"])) < 4.0
    first = found["rows"][1]
    assert (first["figure"], first["published"], first["exact"]) == ("profit", 65.0, 64.892543)
    assert first["ours"]["value"] == pytest.approx(64.9, abs=1.0)


def test_published_figures_are_left_out_where_the_setting_is_not_the_paper_s(command):
    answer = command("simulate", "--preset", "avellaneda-stoikov-2008", "--paths", 100, "--sigma", 1)
    assert "published and exact figures hold for the paper's settings only; given: sigma" in " ".join(answer.out.split())
    assert "64.893" not in answer.out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("glft-2013", "at inventory 5 and t = 0: bid 3.653479 below, ask 2.972522 above the mid"),
        ("hjb-readme", "ours: bid 4.5811, ask 1.4772"),
    ],
)
def test_presets_say_what_was_claimed_and_what_comes_out(command, name, said):
    answer = command("simulate", "--preset", name, "--paths", 20)
    assert answer.code == 0
    assert said in " ".join(answer.out.split())


def test_fifty_days_earn_a_fraction_of_what_was_claimed_and_less_in_a_harder_world(command):
    shorter = ("--step-s", 54, "--paths", 30, "--json")
    rows = {row["figure"]: row for row in json.loads(command("simulate", "--preset", "mvp-50-days", *shorter).out)["rows"]}
    earned, trade = rows["return in 50 days, %"], rows["profit per trade"]
    assert earned["claimed"] == 38.0
    assert earned["setting"]["value"] < 10.0
    assert earned["setting"]["value"] > 4 * earned["free"]["value"] > 4 * earned["fee"]["value"]
    assert earned["late"]["value"] > earned["informed"]["value"]
    assert trade["setting"] == pytest.approx(15.0, abs=1.5)  # a third of the 46 claimed


def test_help_names_the_presets_and_every_setting(command):
    text = " ".join(command("simulate", "--help").out.split())
    for word in ("--compare", "mvp-50-days", "--jump-rate", "--hawkes", "--informed", "--snipers", "--position-limit", "--cores"):
        assert word in text
    assert "--linear-probability" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nobody quotes; name strategies with --compare, for example --compare fixed,glft, or a --preset"),
        (("--compare", "fixd"), "strategy 'fixd' is unknown; did you mean 'fixed'?"),
        (("--compare", "fixed,fixed"), "--compare names fixed twice; allowed: each strategy once"),
        (("--compare", " , "), "--compare is ' , '; allowed: names of strategies with commas between, for example fixed,glft"),
        (("--compare", "glft", "--set", "gama=1"), "strategy glft has no parameter 'gama'; did you mean 'gamma'?"),
        (("--compare", "glft", "--set", "gamma"), "--set is 'gamma'; allowed: NAME=VALUE, for example gamma=0.1"),
        (("--compare", "fixed", "--out", "notes.txt"), "--out is 'notes.txt'; allowed: a file that ends in .html"),
        (("--preset", "glft-2014"), "--preset is 'glft-2014'; did you mean 'glft-2013'?"),
        (("--preset", "glft-2013", "--sigma", "0"), "--sigma is 0 and --k 0.3; allowed with a preset: above 0"),
        (("--preset", "avellaneda-stoikov-2008", "--k", "0"), "--sigma is 2 and --k 0; allowed with a preset: above 0"),
        (("--preset", "glft-2013", "--compare", "fixed"), "--preset says itself who quotes"),
        (("--compare", "fixed", "--paths", "0"), "--paths is '0'; allowed: greater than or equal to 1"),
        (("--compare", "fixed", "--sigma", "much"), "--sigma is 'much'; allowed"),
        (("--compare", "fixed", "--mid", "cauchy"), "--mid is 'cauchy'; allowed: 'brownian'"),
        (("--compare", "fixed", "--latency", "soon"), "--latency is 'soon'; allowed: a number and one of"),
        (("--compare", "fixed", "--step-s", "7"), "step_s is 7; allowed: a whole fraction of horizon_s 600"),
        (("--compare", "fixed", "--cores", "0"), "cores is 0; allowed: at least 1"),
        (("--compare", "fixed", "--risk-aversion", "-1"), "--risk-aversion is -1.0; allowed: a positive number, in 1/money"),
        (("--compare", "fixed", "--maker-bps", "5000"), "maker_bps is 5000; allowed: -1000 to 1000 bps"),
        (("--compare", "fixed", "--set", "quantity=0.5"), "quantity is 0.5"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(refused, arguments, said):
    assert said in refused("simulate", *arguments)
