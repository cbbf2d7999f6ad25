"""The report: one file, no network, everything said, nothing half-written."""

import html
import json
import re

import pytest
import yaml

from twosided.engines.settings import ReplaySettings
from twosided.errors import InputError
from twosided.explain.report import write_report
from twosided.explain.statistics import statistics
from twosided.market.instrument import Fees


@pytest.fixture(scope="module")
def session(runs):
    return runs.quoter(1, seconds=900)


@pytest.fixture(scope="module")
def page(session, tmp_path_factory):
    return write_report([session], tmp_path_factory.mktemp("report") / "report.html").read_text()


def without_plotly(page):
    """Cut the library out, so that what is left is ours."""
    start = page.index("<script>")
    return page[:start] + page[page.index("</script>", start) :]


def figures(page):
    return json.loads(re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.DOTALL)[1])


def test_it_asks_nothing_of_the_network(page):
    ours = without_plotly(page)
    assert not re.search(r'(src|href)\s*=\s*"?https?:|@import|url\(|fetch\(|XMLHttpRequest', ours)
    assert page.count("plotly.js v") == 1


def test_the_data_of_figures_cannot_end_the_script_they_stand_in(page):
    text = re.search(r'id="figures">(.*?)</script>', page, re.DOTALL)[1]
    assert "\\u003cb\\u003eP&L" in text  # a label with markup of ours
    assert "<" not in text


def test_every_place_for_a_figure_has_one_and_every_figure_a_place(page):
    places = re.findall(r'<div class="figure" id="([^"]+)"', page)
    assert sorted(places) == sorted(figures(page))
    assert len(places) == 7  # split, P&L, markouts, overview, close-up, spreads, positions


def test_it_says_what_was_earned_and_how_to_get_it_again(page, session):
    assert re.search(r"fixed (made|lost)", page)
    for text in (
        session.digest(),
        "half_spread_ticks",
        "made up",
        "defects: gaps",
        "2024-08-08 23:54:16",
        "version of twosided",
        "0.1.0",
    ):
        assert text in page, text


def table_of(page, kind):
    """Return the texts of a table's head and rows."""
    text = re.search(rf'<table class="{kind}">(.*?)</table>', page, re.DOTALL)[1]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", text, re.DOTALL)]
    return [[html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in row] for row in rows]


def test_the_fill_table_shows_both_ends_and_opens_to_every_fill(page, session):
    total = session.fills.height
    assert f"{total:,} fills in all. All of them rested." in page
    assert "Fee: positive was paid, negative is a rebate. No tax was charged." in page
    assert f"show the {total - 30:,} fills between" in page
    head, *rows = table_of(page, "fills")
    assert len(rows) == 31  # one of them has the button
    hidden = json.loads(re.search(r'id="fills-0">(.*?)</script>', page, re.DOTALL)[1])
    rows = [*rows[:15], *hidden, *rows[16:]]
    assert [row[0] for row in rows] == [f"{number:,}" for number in range(1, total + 1)]
    price, order, quantity = (head.index(name) for name in ("price, USDT", "order", "quantity, BTC"))
    for row, fill in zip(rows, session.fills.iter_rows(named=True), strict=True):
        assert row[order] == str(fill["order_id"])
        assert row[price] == f"{fill['ticks'] * 0.1:,.1f}"
        assert float(row[quantity]) == pytest.approx(fill["lots"] * 0.001)


def test_every_column_of_numbers_has_a_unit(page):
    head = table_of(page, "fills")[0]
    assert head == [
        *("#", "time, UTC", "order", "side", "price, USDT", "quantity, BTC", "why", "fee, USDT", "position, BTC"),
        *("to mid, ticks", "mid after 10 s, ticks"),
    ]
    assert all("," in name or name in {"", "fills"} for name in table_of(page, "groups")[0])


def test_the_date_of_a_run_within_a_day_stands_in_the_head(runs, tmp_path):
    head, first, *_ = table_of(write_report([runs.quoter(1, seconds=60)], tmp_path / "r.html").read_text(), "fills")
    assert head[1] == "time, 2024-08-08 UTC"
    assert re.fullmatch(r"23:5[45]:\d\d\.\d{6}", first[1])


def test_fills_of_several_markets_carry_their_units(runs, tmp_path):
    page = write_report([runs.random(1, instruments=(runs.BTC, runs.ES))], tmp_path / "r.html").read_text()
    head, *rows = table_of(page, "fills")
    prices = {row[head.index("market")]: row[head.index("price")] for row in rows if len(row) > 1}
    assert prices["BTCUSDT"].endswith(" USDT")
    assert prices["ESH4"].endswith(" USD")


def test_more_fills_than_a_page_can_hold_are_left_to_the_saved_run(runs, tmp_path, monkeypatch):
    monkeypatch.setattr("twosided.explain.fill_tables.MOST_ROWS", 60)
    run = runs.quoter(1, seconds=900)
    page = write_report([run], tmp_path / "r.html").read_text()
    assert f"show the 30 fills between</button> (of {run.fills.height - 30:,}; the saved run has them all)" in page


def number(text):
    return float(text.replace("−", "-").replace(",", "").split(" ")[0])


def test_the_table_of_sides_and_causes_agrees_with_the_table_of_numbers(page, session):
    head, *rows = table_of(page, "groups")
    columns = {row[0]: row for row in rows}
    split_of = statistics(session)["accounts"][0]["split"]
    spread, adverse = head.index("spread, USDT"), head.index("adverse within 10 s, USDT")
    assert number(columns["all"][spread]) == pytest.approx(split_of["spread"], abs=0.006)
    assert number(columns["all"][adverse]) == pytest.approx(split_of["adverse"], abs=0.006)
    for names in (("bought", "sold"), [name for name in columns if "our price" in name]):
        assert sum(number(columns[name][spread]) for name in names) == pytest.approx(split_of["spread"], abs=0.02)


def test_what_the_result_hangs_on_stands_at_its_head(runs, tmp_path):
    settings = ReplaySettings(entry_latency="7ms", queue="log").model_dump(mode="json")
    instrument = runs.BTC.model_copy(update={"fees": Fees(maker_bps="-0.5")})
    run = runs.quoter(1, seconds=2400, settings=settings, instrument=instrument)
    page = write_report([run], tmp_path / "r.html").read_text()
    head = page[: page.index("</header>")]
    assert "latency: feed recorded, orders 7 ms, answers 1 ms; queue log; fees: maker −0.5 bps" in head
    sharpe = statistics(run)["accounts"][0]
    assert f"{sharpe['sharpe']:,.1f} ± {sharpe['sharpe_error']:,.1f}".replace("-", "−") in head
    other = runs.quoter(1, seconds=60, strategy="other")
    page = write_report([run, other], tmp_path / "r.html").read_text()
    assert page[: page.index("</header>")].count("queue log") == 1  # in the card of the one


def test_the_configuration_is_in_words_and_shows_what_took_effect(runs, tmp_path):
    parameters = {
        "quantity": {"used": 0.01, "unit": "BTC", "estimated": False},
        "sigma": {"used": 5.57612345678, "unit": "price/sqrt(s)", "estimated": True},
    }
    calibration = {
        "from_ns": runs.START,
        "until_ns": runs.START + 120 * 10**9,
        "used": ["sigma"],
        "currency": "USDT",
        **{name: {"value": 5.57612, "low": 4.7, "high": 6.62, "unit": "x"} for name in ("sigma", "A", "k")},
        "mid_samples": 119,
        "reaches": 116,
        "nearest": 0.15,
        "farthest": 17.25,
        "trades": 4313,
        "seconds": 120.0,
        "warnings": ["hardly any trade"],
    }
    asked = {"data": {"files": ["x.gz"]}, "strategies": [{"name": "glft", "params": {"quantity": 0}}], "calibrate_first": "2m"}
    run = runs.quoter(
        1,
        seconds=60,
        params={"quantity": 0, "sigma": 5.57612345678},
        parameters=parameters,
        calibration=calibration,
        configuration=asked,
        every_ns=10**8,
        settings=ReplaySettings(queue="conservative").model_dump(mode="json"),
    )
    page = html.unescape(write_report([run], tmp_path / "r.html").read_text())
    rows = dict(re.findall(r"<tr><td>([^<]*)</td><td>([^<]*)</td></tr>", page))
    assert rows["quantity"] == "0.01 BTC (0 asked for)"
    assert rows["sigma"] in {"5.57612 price/sqrt(s) (estimated, see calibration)", "5.576 x, 95 %: 4.7 to 6.62"}
    assert "5.57612 price/sqrt(s) (estimated, see calibration)" in page
    assert "5.576 x, 95 %: 4.7 to 6.62" in page
    assert rows["looked at"] == "2024-08-08 23:54:16 to 2024-08-08 23:56:16 UTC, by our clock"
    assert "116 times that trades reached 0.15 to 17.25 USDT from the mid, of 4,313 trades in 120 s" in page
    assert rows["queue model"] == "conservative"
    assert rows["feed latency"] == "recorded"
    assert rows["account sampled every"] == "1 s"
    assert rows["woken every"] == "100 ms"
    assert rows["trading year"] == "365 days of 24 h (the venue's)"
    for raw in ("exponent", "1,000,000,000", "0 ns"):
        assert not any(raw in text for row in rows.items() for text in row)
    assert yaml.safe_load(re.search(r"<pre>(.*?)</pre>", page, re.DOTALL)[1]) == asked


def test_it_stays_small(page):
    data = len(json.dumps(figures(page)))
    assert data < 1_500_000
    assert len(page) - data < 5_200_000


def test_several_runs_have_a_tab_each_and_share_the_comparison(runs, session, tmp_path):
    other = runs.quoter(2, seconds=900, strategy="glft", maker_bps=-5, complete=False)
    page = write_report([session, other], tmp_path / "two.html").read_text()
    assert len(re.findall(r'<button role="tab"', page)) == 2
    assert len(re.findall(r'<section class="run"', page)) == 2
    assert "glft was stopped before the end of its data" in page
    assert "fixed was stopped" not in page


def test_what_users_write_is_text_and_never_markup(runs, tmp_path):
    evil = "</script><script>alert(1)</script>"
    run = runs.quoter(
        3,
        seconds=120,
        strategy=evil,
        params={evil: evil},
        data={"files": [evil], evil: 1},
        instrument=runs.BTC.model_copy(update={"symbol": evil}),
    )
    page = write_report([run, run], tmp_path / "evil.html").read_text()
    assert evil not in page
    assert "<script>alert" not in page
    assert figures(page)


@pytest.mark.parametrize("kind", ["no fills", "one fill", "no mids", "losses", "three markets"])
def test_every_kind_of_run_gets_a_report(runs, tmp_path, kind):
    base = {"market": 0, "order_id": 1, "ticks": 100, "fee": 0, "tax": 0, "maker": 1, "side": 1, "lots": 1, "cause": 12}
    mids = [{"exch_ns": runs.START, "market": 0, "bid_ticks": 100, "ask_ticks": 101}]
    run = {
        "no fills": lambda: runs.quoter(1, seconds=60, fill_chance=0),
        "one fill": lambda: runs.assemble((runs.BTC,), [{**base, "exch_ns": runs.START + 5}], mids, span_ns=runs.SECOND),
        "no mids": lambda: runs.assemble((runs.BTC,), [], [], span_ns=runs.SECOND),
        "losses": lambda: runs.quoter(1, seconds=60, maker_bps=900),
        "three markets": lambda: runs.random(1, instruments=(runs.BTC, runs.ES, runs.ETH)),
    }[kind]()
    page = write_report([run], tmp_path / "report.html").read_text()
    assert "Undefined" not in without_plotly(page)
    if kind == "no fills":
        assert "No order was filled in this run." in page
        assert "Nothing was earned or lost" in page


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left(session, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"file/report.html cannot be written: .*; nothing was left behind"):
        write_report([session], tmp_path / "file" / "report.html")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder cannot be written"):
        write_report([session], tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    with pytest.raises(InputError, match="at least one run"):
        write_report([], tmp_path / "none.html")


def test_an_older_report_is_replaced_whole(session, tmp_path):
    path = tmp_path / "new" / "report.html"
    assert write_report([session], path) == path
    first = path.read_text()
    write_report([session], path)
    assert path.read_text() == first  # and the same run gives the same file
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]


def test_the_table_of_causes_says_how_many_hedges_it_leaves_out(runs, session, tmp_path):
    run = runs.random(1)
    page = write_report([run], tmp_path / "r.html").read_text()
    assert f"fills by side and by cause, without {run.fills['hedge'].sum()} of hedges</h3>" in page
    assert "fills by side and by cause</h3>" in write_report([session], tmp_path / "r.html").read_text()
