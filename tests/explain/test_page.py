"""Pages are written completely or not at all."""

import plotly.graph_objects as go
import pytest

from twosided.errors import InputError
from twosided.explain.page import write_pictures, write_whole


def test_a_file_is_replaced_as_a_whole_and_nothing_lies_beside_it(tmp_path):
    path = tmp_path / "new" / "page.html"
    assert write_whole(path, "one") == path
    write_whole(str(path), "zwei ü")
    assert path.read_text(encoding="utf-8") == "zwei ü"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_written_leaves_what_was_there(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):  # in the middle of it
        write_whole(path, "half \ud800")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match=r"page.html/inside cannot be written: .*; nothing was left behind"):
        write_whole(path / "inside", "text")


def test_pictures_are_one_page_with_the_library_once(tmp_path):
    figure = go.Figure().add_scatter(y=[1, 2])
    path = write_pictures(str(tmp_path / "two.html"), "<two>", [("first & best", figure), ("", figure)])
    text = path.read_text(encoding="utf-8")
    assert text.count("Plotly.newPlot(") >= 2
    assert text.count("plotly.js v") == 1
    assert "&lt;two&gt;" in text
    assert text.count("<h2>") == 1
    assert "first &amp; best" in text
    with pytest.raises(InputError, match=r"--plot is '.*two\.png'; allowed: a file that ends in \.html"):
        write_pictures(str(tmp_path / "two.png"), "two", [])
