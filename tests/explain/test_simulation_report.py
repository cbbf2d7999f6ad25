"""The report of a simulation says who did best only where that is more than chance, and shows money with sense."""

import pytest

from twosided._compile import INTERPRETED
from twosided.engines.montecarlo import simulate
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.explain.simulation_plots import difference_figure, distribution_figure, frontier_figure, path_figure
from twosided.explain.simulation_report import write_simulation_report
from twosided.explain.simulation_summary import market_words, simulation_lines, simulation_rows

pytestmark = pytest.mark.skipif(INTERPRETED, reason="hundreds of paths")

SETTINGS = SimulationSettings(paths=400, horizon_s=20.0, step_s=0.1, sigma=0.05, A=1.0, k=5.0)


def constant(distance):
    return lambda _q, _left: (distance, distance)


@pytest.fixture(scope="module")
def unequal():
    return simulate({"good": constant(0.2), "silly": constant(1.5)}, SETTINGS, keep_paths=1)


def headline(simulation, path, gamma=None):
    return write_simulation_report(simulation, path, gamma).read_text().split("<h1>")[1].split("</h1>")[0]


def test_a_clear_winner_is_named(unequal, tmp_path):
    assert headline(unequal, tmp_path / "a.html").startswith("good has the highest mean P&amp;L")
    assert headline(unequal, tmp_path / "b.html", 0.1).startswith("good has the highest certainty equivalent")


def test_what_may_be_chance_is_no_win(tmp_path):
    alike = simulate({"one": constant(0.2), "other": constant(0.19)}, SETTINGS)
    assert headline(alike, tmp_path / "c.html").startswith("No clear winner by mean P&amp;L: ")


def test_names_are_escaped(tmp_path):
    found = simulate({"<b>bold</b>": constant(0.2)}, SETTINGS, keep_paths=1)
    text = write_simulation_report(found, tmp_path / "d.html").read_text()
    assert "<b>bold</b>" not in text


def test_rows_hold_a_column_per_quoter_and_one_per_difference(unequal):
    rows = simulation_rows(simulation_lines(unequal, 0.5))
    assert {len(row.cells) for row in rows} == {3}
    mean = rows[0]
    assert mean.label == "mean"
    assert mean.values[2] == pytest.approx(mean.values[1] - mean.values[0])
    assert "…" in mean.cells[2]
    assert "of these to snipers" not in [row.label for row in rows]  # nobody was


def test_parts_add_up_to_the_mean(unequal):
    lines = {line.label: line for line in simulation_lines(unequal)}
    parts = [lines[name].values[0] for name in ("spread", "adverse selection", "inventory", "fees")]
    assert sum(parts) == pytest.approx(lines["mean"].values[0])


def test_pictures_show_every_path_once_or_say_why_there_is_none(unequal):
    figure = distribution_figure(unequal, "pnl", "P&L")
    for trace in figure.data:
        assert sum(trace.y[1:-1][::2]) == pytest.approx(100.0)
    assert len(frontier_figure(unequal).data) == 2
    assert sum(difference_figure(unequal, "pnl", "d").data[0].y) == pytest.approx(100.0)
    assert not isinstance(path_figure(unequal), str)
    few = simulate({"one": constant(0.2)}, SETTINGS.model_copy(update={"paths": 5}))
    assert distribution_figure(few, "pnl", "P&L") == "Fewer than 20 paths show no distribution."
    assert difference_figure(few, "pnl", "d") == "One quoter alone differs from nobody."
    assert path_figure(few) == "No path was kept step by step."


def test_the_market_is_told_in_a_sentence(unequal):
    assert market_words(unequal) == (
        "400 paths of 20 s in steps of 100 ms · Brownian mid, σ 0.05 per √s from 100 · Poisson orders, A 1 per s, k 5 · no snipers"
        " · no fees"
    )


def test_a_figure_that_a_quoter_does_not_have_is_a_dash_and_so_is_the_difference():
    found = simulate(
        {"bids": lambda _held, _left: (0.3, None), "both": lambda _held, _left: (0.3, 0.3)}, SimulationSettings(paths=20)
    )
    row = next(row for row in simulation_rows(simulation_lines(found)) if row.label == "quoted spread")
    assert row.cells[0] == row.cells[2] == "–"
    assert row.values[0] is row.values[2] is None
