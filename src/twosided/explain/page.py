"""Pages and other texts that are written completely or not at all.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*: where it reaches the disk. Every page of `twosided` is one file
that opens without a network.
"""

import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

import plotly.graph_objects as go

from twosided.errors import InputError

__all__ = ["require_page", "write_pictures", "write_whole"]

_STYLE = "body{max-width:900px;margin:24px auto;font-family:Inter,Helvetica,Arial,sans-serif;color:#20242B}h2{font-size:16px}"


def write_whole(path: str | Path, text: str) -> Path:
    """Write *text* to *path*, completely or not at all; a file that is there is replaced. Return the path.

    Raises:
        InputError: the place cannot be written; what was there is as it was.
    """
    path, partial = Path(path), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            partial = Path(file.name)
            file.write(text)
        partial.chmod(0o644)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}; nothing was left behind") from None
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)
    return path


def require_page(path: str) -> None:
    """Make sure that *path*, given as ``--plot``, is the name of a page.

    Raises:
        InputError: it does not end in .html.
    """
    if Path(path).suffix.lower() != ".html":
        raise InputError(f"--plot is {path!r}; allowed: a file that ends in .html")


def write_pictures(path: str, title: str, pictures: Sequence[tuple[str, go.Figure | str]]) -> Path:
    """Write pictures, each under its heading (text, or "" for none), as one page, and return its path.

    A string stands for itself: HTML between the pictures.

    Raises:
        InputError: as `require_page` and `write_whole`.
    """
    require_page(path)
    parts, is_first = [], True
    for heading, figure in pictures:
        if isinstance(figure, str):
            drawn = figure
        else:
            drawn = figure.to_html(full_html=False, include_plotlyjs=is_first, config={"displaylogo": False})
            is_first = False
        parts.append(f"<h2>{escape(heading)}</h2>{drawn}" if heading else drawn)
    head = f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title><style>{_STYLE}</style>"
    return write_whole(path, f"{head}<h1 style='font-size:20px'>{escape(title)}</h1>{''.join(parts)}</html>")
