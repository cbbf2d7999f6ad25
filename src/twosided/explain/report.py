"""One self-contained HTML file that explains one run, or compares several. It opens without a network.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*: the last stop.

The file holds plotly.js once (about 5 MB) and the figures as data (about 1 MB for a run, whatever its length). The words stand in
``report.html.j2``, the looks in ``report.css``; this module gathers what they say. User strings are escaped by the template.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from twosided.errors import InputError
from twosided.explain.assumption_band import band_figure, band_of
from twosided.explain.basis import Basis
from twosided.explain.comparison_plots import split_bars_figure
from twosided.explain.comparison_report import comparison_section
from twosided.explain.facts import calibration_rows, configuration_file, configuration_rows, data_rows, reproduction_rows
from twosided.explain.far_quotes import far_warnings
from twosided.explain.fill_tables import fill_table, group_table
from twosided.explain.market_plots import (
    MOST_MARKERS,
    STRETCHES,
    busiest_window,
    close_up_figure,
    inventory_figure,
    market_figure,
    spread_figure,
    watched_figure,
)
from twosided.explain.own_size import size_warnings
from twosided.explain.page import write_whole
from twosided.explain.paths import fills_of, mids_of
from twosided.explain.plots import RUN_COLOURS, Picture, markout_figure, pnl_figure, run_colour, split_figures
from twosided.explain.risk_words import risk_sentences
from twosided.explain.split import PARTS, Split, split_by_currency
from twosided.explain.statistics import statistics
from twosided.explain.summary import PART_LABELS, Row, amount_text, is_watched, run_labels, summary_rows
from twosided.explain.words import assumptions, currencies_apart, market_name, typeset
from twosided.market.run import Run
from twosided.units import duration_text, time_text

__all__ = ["MOST_DETAILED", "write_report"]

MOST_DETAILED = len(RUN_COLOURS)
"""Of more runs than this only the first ones are shown in detail; all are compared."""

MOST_NAMED = 3
"""Of more runs than this the headline names the best and the worst."""


def write_report(runs: Sequence[Run], path: str | Path, basis: Basis | None = None) -> Path:
    """Write the report of *runs* to *path*, completely or not at all; a file that is there is replaced. Return the path.

    Args:
        runs: at least one; several are compared, in this order.
        path: the HTML file.
        basis: as in `twosided.explain.statistics.statistics`.

    Raises:
        InputError: no run, or the place cannot be written.
        DataError: a run contradicts itself.
    """
    if not runs:
        raise InputError("a report needs at least one run, and got none")
    return write_whole(path, _page(runs, basis or Basis()))


# ---------------------------------------------------------------- the page


class _Album:
    """The figures of the page, by the id of the element that each is drawn in."""

    def __init__(self) -> None:
        self._figures: dict[str, Any] = {}

    def add(self, picture: Picture, label: str) -> dict[str, Any]:
        """Return what the template needs to place *picture*."""
        if isinstance(picture, str):
            return {"reason": picture}
        name = f"figure-{len(self._figures)}"
        self._figures[name] = picture.to_json()
        return {"reason": "", "id": name, "height": int(picture.layout.height), "label": label}

    def json(self) -> str:
        """Return all figures as one JSON object. It may stand inside a script element: plotly writes ``<`` as an escape."""
        return "{" + ",".join(f'"{name}":{figure}' for name, figure in self._figures.items()) + "}"


def _page(runs: Sequence[Run], basis: Basis) -> str:
    full, album = run_labels(runs), _Album()
    labels = _short(full)
    results = [statistics(run, basis) for run in runs]
    shown, names = runs[:MOST_DETAILED], labels[:MOST_DETAILED]
    rows = summary_rows(shown, basis, results[:MOST_DETAILED])
    notes = {
        note: number for number, note in enumerate(dict.fromkeys(one for row in rows for one in (row.remark, *row.notes) if one), 1)
    }
    points = max(6000 // (len(runs) + 1), 500)
    splits = [split_by_currency(run, basis.horizon_ns) for run in runs]
    alone = len(runs) == 1 and len(splits[0]) == 1
    described = [
        {
            "label": label,
            "assumed": assumptions(run),
            "colour": run_colour(index),
            "accounts": [_account(account, part[account["currency"]], result["markets"]) for account in result["accounts"]],
            "markets": list(_markets(run, result["markets"], index, album, points)),
            **_run(run, basis, result),
        }
        for index, (run, label, part, result) in enumerate(zip(shown, names, splits, results, strict=False))
    ]
    environment = Environment(
        loader=PackageLoader("twosided.explain", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.globals["zip"] = zip
    return environment.get_template("report.html.j2").render(
        headline=_headline(labels, splits),
        assumed=list(dict.fromkeys(map(assumptions, runs))),
        kind=_kind(full, labels),
        scope=_scope(runs),
        runs=described,
        undescribed=len(runs) - len(shown),
        warnings=_warnings(runs, labels, basis),
        figures=_figures(runs, labels, basis, album, points, alone=alone),
        bands=[_band(run, label, album) for run, label in zip(shown, names, strict=True) if band_of(run)],
        comparison=comparison_section(runs, labels, basis, results, album.add) if len(runs) > 1 else None,
        pnl_caption="After fees, open positions valued at the mid."
        + " Named: the first, the best, the worst." * (len(runs) > MOST_DETAILED),
        split_caption=_split_caption(splits, basis),
        markout_caption="Mean over fills; negative: the market moved against us. Band: 95 %, fills clustered by blocks of time.",
        alone=alone,
        columns=_columns(_sections(rows, notes), 2 if len(runs) <= 2 else 1),
        notes=list(notes),
        plotly_js=Markup(get_plotlyjs()),  # noqa: S704 - plotly's
        figures_json=Markup(album.json()),  # noqa: S704 - see there
    )


def _short(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels without the name of the strategy, where there are several and all begin with the same: `_kind` says it once."""
    names, traits = zip(*(label.partition(" ")[::2] for label in labels), strict=True)
    return traits if len(labels) > 2 and len(set(names)) == 1 and all(traits) else tuple(labels)


def _kind(full: Sequence[str], labels: Sequence[str]) -> str:
    """Return what the page is; *labels* are the *full* ones, or what `_short` left of them."""
    if len(full) == 1:
        return "report"
    name = "" if full[0] == labels[0] else f" of {full[0].removesuffix(labels[0]).rstrip()}"
    return f"comparison of {len(full)} runs{name}"


def _figures(
    runs: Sequence[Run], labels: Sequence[str], basis: Basis, album: _Album, points: int, *, alone: bool
) -> dict[str, Any]:
    """Return the figures that have all runs in them."""
    few = len(runs) <= MOST_DETAILED
    pictures = split_figures(runs, labels, basis.horizon_ns, 560 if alone else 300) if few else []
    bars = [] if few else [("", split_bars_figure(runs, labels, basis.horizon_ns))]
    return {
        "splits": [(title, album.add(picture, f"P&L split {title}".strip())) for title, picture in [*pictures, *bars]],
        "pnl": album.add(pnl_figure(runs, labels, points), "P&L over time"),
        "markouts": album.add(markout_figure(runs[:MOST_DETAILED], labels[:MOST_DETAILED]), "markout curve"),
    }


def _warnings(runs: Sequence[Run], labels: Sequence[str], basis: Basis) -> list[str]:
    """Return what one should know before believing anything."""
    said = [
        f"{label} was stopped before the end of its data."
        for run, label in _pairs(runs, labels)
        if not run.facts.get("complete", True)
    ]
    said += [sentence for sentence in dict.fromkeys(currencies_apart(run, basis) for run in runs) if sentence]
    for run, label in _pairs(runs, labels):
        sentences = [*risk_sentences(run), *size_warnings(run), *far_warnings(run)]
        said += [f"{label}: {sentence}" if len(runs) > 1 else sentence for sentence in sentences]
    return said


def _pairs(runs: Sequence[Run], labels: Sequence[str]) -> list[tuple[Run, str]]:
    return list(zip(runs, labels, strict=True))


def _band(run: Run, label: str, album: _Album) -> dict[str, Any]:
    """Return what became of a run under other assumptions."""
    band = band_of(run) or {}
    return {"label": label, "figure": album.add(band_figure(run), f"{label}: P&L under other assumptions"), **band}


def _headline(labels: Sequence[str], splits: Sequence[Mapping[str, Split]]) -> str:
    if len(labels) > MOST_NAMED:
        ranked = sorted(range(len(labels)), key=lambda index: next(iter(splits[index].values())).total)
        best, worst = (_headline([labels[index]], [splits[index]]) for index in (ranked[-1], ranked[0]))
        return f"{len(labels)} runs: at best {best}, at worst {worst}"
    verdicts = (
        f"{label} {' and '.join(f'{_verb(part)} {_size(part)} {part.currency}' for part in parts.values())}"
        for label, parts in zip(labels, splits, strict=True)
    )
    return "; ".join(verdicts)


def _verb(part: Split) -> str:
    return "lost" if part.total < 0 else "made"


def _size(part: Split, name: str = "total") -> str:
    """Return the size of a part without its sign, with as many decimals as the largest part deserves."""
    return amount_text(abs(float(part.money(name))), _largest(part))


def _largest(part: Split) -> float:
    return max(abs(float(part.money(name))) for name in (*PARTS, "total"))


def _scope(runs: Sequence[Run]) -> str:
    places = dict.fromkeys(market_name(instrument) for run in runs for instrument in run.instruments)
    start, end = min(int(run.facts["start_ns"]) for run in runs), max(int(run.facts["end_ns"]) for run in runs)
    events = sorted({int(run.facts["events"]) for run in runs})
    many = f"{events[0]:,} events" if len(events) == 1 else f"{events[0]:,} to {events[-1]:,} events"
    first, last = time_text(start)[:19], time_text(end)[:19]
    last = last[11:] if last[:10] == first[:10] else last
    return f"{', '.join(places)} · {first} to {last} UTC ({duration_text(end - start)}) · {many}"


def _split_caption(splits: Sequence[Mapping[str, Split]], basis: Basis) -> str:
    zero = [name for name in ("alpha", "hedge") if not any(getattr(part, name) for parts in splits for part in parts.values())]
    left_out = (
        f" {' and '.join(zero).capitalize()} are zero and left out."
        if len(zero) > 1
        else f" {zero[0].capitalize()} is zero."
        if zero
        else ""
    )
    return (
        f"Adverse selection: what the mid moved within {duration_text(basis.horizon_ns)} of a fill; inventory: what it moved "
        f"afterwards. The parts add up exactly.{left_out}"
    )


def _sections(rows: Sequence[Row], notes: Mapping[str, int]) -> list[tuple[str, list[dict[str, Any]]]]:
    sections: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        marks = [notes.get(note, "") for note in row.notes or ("",) * len(row.cells)]
        signs = [0 if not row.signed or not value else 1 if value > 0 else -1 for value in row.values]
        cells = list(zip((typeset(cell) for cell in row.cells), signs, marks, strict=True))
        mark = notes.get(row.remark, "")
        line = {"label": row.label, "mark": mark, "unit": row.unit, "cells": cells, "strong": row.strong}
        sections.setdefault(row.section, []).append(line)
    return list(sections.items())


def _columns(sections: list[tuple[str, Any]], count: int) -> list[list[tuple[str, Any]]]:
    """Return *sections*, in their order, in *count* columns of about the same length."""
    if count == 1:
        return [sections]
    sizes = np.cumsum([len(rows) + 2 for _, rows in sections])
    cut = int(np.argmin(np.abs(2 * sizes - sizes[-1]))) + 1
    return [sections[:cut], sections[cut:]]


# ---------------------------------------------------------------- one run


def _run(run: Run, basis: Basis, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said about a run in tables."""
    return {
        "complete": run.facts.get("complete", True),
        "fills": fill_table(run, basis),
        "calibration": calibration_rows(run),
        "configuration": configuration_rows(run, basis),
        "configuration_file": configuration_file(run),
        "data": data_rows(run),
        "reproduction": reproduction_rows(run),
        "groups": [group_table(run, index, market, basis) for index, market in enumerate(result["markets"])],
    }


def _account(account: Mapping[str, Any], part: Split, markets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    positions = [markets[market] for market in account["markets"] if not is_watched(markets[market])]
    sharpe = account["sharpe"]
    return {
        "currency": part.currency,
        "verb": _verb(part),
        "size": _size(part),
        "pnl": f"{'−' if part.total < 0 else '+' if part.total else ''}{_size(part)}",
        "sign": (part.total > 0) - (part.total < 0),
        "sentence": _sentence(part),
        "figures": [
            ("fills", f"{account['fills']:,}"),
            ("largest drawdown", f"{amount_text(account['drawdown'], _largest(part))} {part.currency}"),
            ("Sharpe, annualised", "not given" if sharpe is None else typeset(f"{sharpe:,.1f} ± {account['sharpe_error']:,.1f}")),
            *(
                (
                    f"closing position, {market['symbol']} {market['venue']}" if len(positions) > 1 else "closing position",
                    typeset(f"{market['position']:,.6g} {market['unit']}"),
                )
                for market in positions[:2]
            ),
        ],
    }


def _sentence(part: Split) -> str:
    """Say in words where the money came from, largest part first."""
    amounts = sorted(((name, value) for name, value in part.parts().items() if value), key=lambda one: -abs(one[1]))
    words = [f"{PART_LABELS[name]} {'earned' if value > 0 else 'cost'} {_size(part, name)}" for name, value in amounts]
    text = ", ".join(words) or "no money was made or lost"
    return text[0].upper() + text[1:] + "."


def _markets(run: Run, sheets: Sequence[Mapping[str, Any]], index: int, album: _Album, points: int) -> Iterator[dict[str, Any]]:
    """Yield what is shown of each market: of one that was only watched, beside others, its price and the basis."""
    traded = [market for market, sheet in enumerate(sheets) if not is_watched(sheet)]
    for market, sheet in enumerate(sheets):
        if traded and is_watched(sheet):
            yield _watched(run, market, traded[0], album)
        else:
            yield _market(run, market, index, album, points)


def _watched(run: Run, market: int, against: int, album: _Album) -> dict[str, Any]:
    """Return what is shown of a market that was only looked at."""
    name, other = market_name(run.instruments[market]), market_name(run.instruments[against])
    return {
        "name": name,
        "watched": True,
        "overview": album.add(watched_figure(run, market, against), f"{name}: price and basis"),
        "overview_caption": f"Nothing was quoted here. Basis: the mid of {other} over this mid, less one.",
    }


def _market(run: Run, market: int, index: int, album: _Album, points: int) -> dict[str, Any]:
    instrument, window = run.instruments[market], busiest_window(run, market)
    name = market_name(instrument)
    drawn = len(mids_of(run, market).ns)
    thin = f"Lines keep the shape of {drawn:,} changes in at most {points:,} points (MinMaxLTTB). " if drawn > points else ""
    fills = fills_of(run, market)
    most = max(int(np.sum(fills.side > 0)), int(np.sum(fills.side < 0)))
    few = f"Of the fills at most {MOST_MARKERS:,} a side are drawn. " if most > MOST_MARKERS else ""
    stretch = duration_text((int(run.facts["end_ns"]) - int(run.facts["start_ns"])) // STRETCHES)
    picture = {
        "name": name,
        "overview": album.add(market_figure(run, market, colour=index, points=points), f"{name}: quotes, fills, position, P&L"),
        "overview_caption": f"{thin}{few}Distances from the mid are means over {stretch}. Drag to zoom, double-click to return.",
        "spreads": album.add(spread_figure(run, market, colour=index), f"{name}: spreads"),
        "inventory": album.add(inventory_figure(run, market), f"{name}: inventory"),
        "close_up": None,
        "watched": False,
    }
    if window:
        figure = close_up_figure(run, market, window, colour=index, points=2 * points)
        picture["close_up"] = album.add(figure, f"{name}: close-up")
        picture["close_up_words"] = duration_text(window[1] - window[0])
        picture["close_up_caption"] = (
            f"From {time_text(window[0])[11:19]} UTC: the stretch with the most fills. Own bid and ask are orders that stood in "
            f"the market, not wishes; the P&L moves with every fill and every mid."
        )
    return picture
