"""The report: one file, no network, everything said, nothing half-written."""

import json
import re

import pytest

from twosided.errors import InputError
from twosided.explain.report import write_report


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
        "versions.twosided",
        "0.1.0",
    ):
        assert text in page, text


def test_the_fill_table_shows_both_ends_and_states_the_total(page, session):
    total = session.fills.height
    assert f"{total:,} fills in all" in page
    assert f"{total - 30:,} fills not shown" in page
    assert len(re.findall(r"<td class=\"text\">(?:buy|sell)</td>", page)) == 30


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
