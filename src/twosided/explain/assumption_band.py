"""What a result hangs on: P&L under other assumptions, as a table, a picture and one sentence.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

``facts["sensitivity"]`` of a Run, which `twosided.research.sensitivity` writes, holds ``rows`` and ``notes``. A row is one
assumption and one account: ``kind`` (base, latency, queue, fees), ``setting`` (in words), ``currency``, ``pnl`` and ``change``
(from the base; exact decimals as text), ``fills``, and ``max_inventory`` in ``unit``.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

import plotly.graph_objects as go
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from twosided.explain.plots import INK, MARKET, MINUS, PLUS, Picture, signed_text, styled
from twosided.explain.summary import amount_text
from twosided.explain.words import listed
from twosided.market.run import Run

__all__ = ["MUCH", "band_figure", "band_of", "band_table", "verdict"]

MUCH = Decimal("0.5")
"""A profit of which an assumption takes more than this share is said to hang on it, even where it stays a profit."""

Row = Mapping[str, Any]


def band_of(run: Run) -> dict[str, Any] | None:
    """Return ``{"rows", "notes", "verdict"}`` with money as exact decimals; None where the run was not tried otherwise."""
    found = run.facts.get("sensitivity")
    if not found:
        return None
    rows = [{**row, "pnl": Decimal(row["pnl"]), "change": Decimal(row["change"])} for row in found["rows"]]
    return {"verdict": verdict(rows), "rows": rows, "notes": list(found["notes"])}


def verdict(rows: Sequence[Row]) -> str:
    """Return in a sentence (one per currency) whether the result hangs on a guess."""
    return " ".join(_verdict(account) for account in _accounts(rows))


def _accounts(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows of each currency; the base comes first in each."""
    currencies = dict.fromkeys(row["currency"] for row in rows)
    return [[row for row in rows if row["currency"] == currency] for currency in currencies]


def _verdict(rows: Sequence[Row]) -> str:
    base, others = rows[0], rows[1:]
    currency, largest = base["currency"], _largest(rows)
    if not any(row["fills"] for row in rows):
        return f"Nothing was filled under any assumption ({currency})."
    amount = f"{amount_text(float(abs(base['pnl'])), largest)} {currency}"
    word = "profit" if base["pnl"] > 0 else "loss" if base["pnl"] < 0 else "result"
    if turned := [row for row in others if row["pnl"] * base["pnl"] < 0 or (base["pnl"] == 0) != (row["pnl"] == 0)]:
        names = listed([row["setting"] for row in turned], "or")
        return f"The {word} of {amount} changes its sign with {names}{_beside(rows, turned, word)}."
    low, high = (_money(each, largest) for each in (min(row["pnl"] for row in rows), max(row["pnl"] for row in rows)))
    stays = f"It stays a {word} under every assumption tried, from {low} to {high} {currency}"
    if taken := [row["setting"] for row in others if base["pnl"] > 0 and -row["change"] > MUCH * base["pnl"]]:
        return f"{stays}; but more than half of it goes with {listed(taken, 'or')}."
    if not others:
        return f"{stays}."
    return f"{stays}; {_moves(others, largest)}."


_KINDS = {"latency": "order latency", "queue": "the queue model", "fees": "a basis point of fees"}


def _moves(others: Sequence[Row], largest: float) -> str:
    """Return by how much each kind of assumption moves a result at most."""
    most = {kind: max((abs(row["change"]) for row in others if row["kind"] == kind), default=None) for kind in _KINDS}
    first, *more = [(_KINDS[kind], _money(change, largest)) for kind, change in most.items() if change is not None]
    return listed([f"{first[0]} moves it by at most {first[1]}", *(f"{words} by {change}" for words, change in more)])


def _beside(rows: Sequence[Row], turned: Sequence[Row], word: str) -> str:
    """Return what to add where only other fees turn a result: fees are known, latencies and queues are guessed."""
    guessed = [row["pnl"] for row in rows if row["kind"] != "fees"]
    if any(row["kind"] != "fees" for row in turned):
        return ": the result hangs on a guess"
    if len(guessed) < 2:
        return ""
    low, high = (_money(each, _largest(rows)) for each in (min(guessed), max(guessed)))
    return f"; under every latency and queue tried it stays a {word}, from {low} to {high} {rows[0]['currency']}"


def _largest(rows: Sequence[Row]) -> float:
    return max(abs(float(row["pnl"])) for row in rows)


def _money(value: Decimal, largest: float, *, plus: bool = False) -> str:
    return signed_text(float(value), largest) if plus else signed_text(float(value), largest).removeprefix("+")


def band_table(run: Run, label: str) -> Table | None:
    """Return the table for terminals, with its sentence and remarks below; None where the run was not tried otherwise."""
    band = band_of(run)
    if band is None:
        return None
    title = Text(f"{label}: if the assumptions were others", style="bold")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("assumption")
    for name in ("P&L", "change"):
        table.add_column(name, justify="right")
    table.add_column("unit", style="dim")
    table.add_column("fills", justify="right")
    table.add_column("largest position", justify="right")
    for rows in _accounts(band["rows"]):
        largest = _largest(rows)
        for row in rows:
            cells = [Text(amount_text(float(row[name]), largest), style=_style(row[name])) for name in ("pnl", "change")]
            if row["kind"] == "base":
                cells[1] = Text("")
            held = f"{row['max_inventory']:,.6g} {row['unit']}"
            strong = "bold" if row["kind"] == "base" else ""
            table.add_row(row["setting"], *cells, row["currency"], f"{row['fills']:,}", held, style=strong)
    table.caption = Text("\n".join([band["verdict"], *band["notes"]]), style="dim")
    table.caption_justify = "left"
    return table


def _style(amount: Decimal) -> str:
    return "blue" if amount > 0 else "red" if amount < 0 else ""


def band_figure(run: Run) -> Picture:
    """Return P&L under each assumption: a dot each, joined to the base value, with the line where it is zero.

    One panel per currency would be rare; of several currencies the first is drawn, the table has them all.
    """
    band = band_of(run)
    if band is None or len(band["rows"]) < 2:
        return "No other assumption was tried."
    rows = _accounts(band["rows"])[0]
    base, others, largest = rows[0], rows[1:], _largest(rows)
    if not any(row["fills"] for row in rows):
        return "Nothing was filled under any assumption."
    settings, values = [escape(row["setting"]) for row in others], [float(row["pnl"]) for row in others]
    changes = [_money(row["change"], largest, plus=True) for row in others]
    colours = [PLUS if value > 0 else MINUS if value < 0 else INK for value in values]
    figure = go.Figure()
    for setting, value, colour in zip(settings, values, colours, strict=True):
        line = {"color": colour, "width": 2}
        figure.add_scatter(x=[float(base["pnl"]), value], y=[setting] * 2, mode="lines", line=line, hoverinfo="skip")
    figure.add_scatter(
        x=values,
        y=settings,
        mode="markers",
        marker={"color": colours, "size": 11, "line": {"color": "white", "width": 1}},
        customdata=[f"{change}<br>{row['fills']:,} fills" for change, row in zip(changes, others, strict=True)],
        hovertemplate=f"%{{y}}<br>%{{x:,.4f}} {escape(base['currency'])}, %{{customdata}}<extra></extra>",
    )
    for row, setting, change in zip(others, settings, changes, strict=True):
        text = f"{_money(row['pnl'], largest, plus=True)} <span style='color:{MARKET}'>({change})</span>"
        where = {"x": 1.01, "xref": "paper", "xanchor": "left", "y": setting}
        figure.add_annotation(**where, text=text, showarrow=False, font={"size": 11.5}, align="left")
    low, high = min(0.0, *values, float(base["pnl"])), max(0.0, *values, float(base["pnl"]))
    pad = 0.06 * (high - low or 1.0)
    figure.add_vline(x=0, line={"color": INK, "width": 1}, layer="below")
    figure.add_vline(x=float(base["pnl"]), line={"color": INK, "width": 1.5, "dash": "dot"}, layer="below")
    figure.add_annotation(
        x=float(base["pnl"]), y=1, yref="paper", yanchor="bottom", text=f"as assumed {_money(base['pnl'], largest, plus=True)}",
        showarrow=False, font={"size": 12},
    )  # fmt: skip
    styled(figure, 90 + 30 * len(others), legend=False)
    figure.update_layout(margin={"l": 10, "r": 165, "t": 26, "b": 44})
    figure.update_xaxes(title_text=f"P&L, {escape(base['currency'])}", range=[low - pad, high + pad])
    figure.update_yaxes(autorange="reversed", showgrid=True, ticks="", type="category")
    return figure
