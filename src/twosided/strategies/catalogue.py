"""Strategies by name: those that are shipped, and the user's own out of a Python file.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

import importlib.util
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from twosided.errors import InputError, suggest, unreadable
from twosided.strategies.avellaneda_stoikov import avellaneda_stoikov
from twosided.strategies.cartea_jaimungal import cartea_jaimungal
from twosided.strategies.compose import Overlay, compose
from twosided.strategies.contract import Strategy
from twosided.strategies.fixed import fixed
from twosided.strategies.glft import glft
from twosided.strategies.grid import grid
from twosided.strategies.multi_venue import multi_venue
from twosided.strategies.overlays.alpha import alpha_shift, flow_shift, mean_reversion
from twosided.strategies.overlays.fills import adverse_selection, fill_rate
from twosided.strategies.overlays.hedge import exits_as_hedges, hedger
from twosided.strategies.overlays.holding import aggressive_reduction, inventory_size, one_sided, target_inventory
from twosided.strategies.overlays.pair import carry, pair_alpha
from twosided.strategies.overlays.pauses import feed_guard, toxicity_pause
from twosided.strategies.overlays.session import decision_interval, flatten_before_close
from twosided.strategies.overlays.touch import band_guard, queue_value
from twosided.strategies.overlays.width import linear_volatility, liquidity_stress, session_edges, volatility_width
from twosided.strategies.presets import PRESETS
from twosided.strategies.skewed_price import skewed_price
from twosided.strategies.skewed_size import skewed_size

__all__ = ["OVERLAYS", "PRESETS", "STRATEGIES", "find_overlay", "find_part", "find_strategy"]

STRATEGIES: Mapping[str, Strategy] = {
    each.name: each for each in (fixed, skewed_price, skewed_size, grid, avellaneda_stoikov, glft, cartea_jaimungal, multi_venue)
}
"""The shipped strategies."""

OVERLAYS: Mapping[str, Overlay] = {
    each.name: each
    for each in (
        volatility_width,
        linear_volatility,
        liquidity_stress,
        session_edges,
        adverse_selection,
        fill_rate,
        toxicity_pause,
        feed_guard,
        inventory_size,
        one_sided,
        target_inventory,
        aggressive_reduction,
        flatten_before_close,
        exits_as_hedges,
        alpha_shift,
        flow_shift,
        mean_reversion,
        queue_value,
        band_guard,
        decision_interval,
        pair_alpha,
        carry,
        hedger,
    )
}
"""The shipped overlays."""

_KNOWN: Mapping[str, Strategy] = {**STRATEGIES, **PRESETS}


def find_strategy(name: str) -> Strategy:
    """Return a shipped strategy or preset by its name, or the user's own by ``path/to/file.py:name``, with the overlays named.

    ``glft+volatility_width+inventory_size`` is `glft` with two overlays, which act in this order. An overlay of the user's own is
    named like a strategy, or by its name alone where it stands in the strategy's file. A user's file runs as a script would:
    modules beside it can be imported.

    Raises:
        InputError: an unknown name (the nearest known is suggested), a file that is missing, that fails when it is run, or that
            does not hold what is named, or parts that do not go together.
    """
    base, *added = _split(name)
    if not _is_file(base):
        if base not in _KNOWN:
            said = _follows(base) if base in OVERLAYS else suggest(base, _KNOWN)
            raise InputError(f"strategy {base!r} is unknown{said}")
        return compose(_KNOWN[base], *map(find_overlay, added))
    held = _held(base)
    own = {key: value for key, value in held.items() if isinstance(value, Overlay)}
    if isinstance(held.get(_inside(base)), Overlay):
        raise InputError(f"strategy {base!r} is unknown{_follows(base)}")
    return compose(_named(base, held, Strategy, "strategy"), *(own.get(each) or find_overlay(each) for each in added))


def find_part(name: str) -> Strategy:
    """Return what `find_strategy` returns, or the declaration of an overlay that is named alone: to be shown, not to be run.

    Raises:
        InputError: as `find_strategy`.
    """
    if name in OVERLAYS:
        return OVERLAYS[name].declared
    if _is_file(name) and len(_split(name)) == 1:
        found = _held(name).get(_inside(name))
        if isinstance(found, Overlay):
            return found.declared
    return find_strategy(name)


def find_overlay(name: str) -> Overlay:
    """Return a shipped overlay by its name, or one of the user's own by ``path/to/file.py:name``.

    Raises:
        InputError: as `find_strategy`.
    """
    if _is_file(name):
        return _named(name, _held(name), Overlay, "overlay")
    if name in _KNOWN:
        raise InputError(f"{name} is a strategy, not an overlay; a name is one strategy and then overlays, as glft+one_sided")
    if name not in OVERLAYS:
        raise InputError(f"overlay {name!r} is unknown{suggest(name, OVERLAYS)}")
    return OVERLAYS[name]


Part = TypeVar("Part", Strategy, Overlay)


def _follows(overlay: str) -> str:
    return f"; {overlay} is an overlay, which follows a strategy: glft+{overlay}"


def _split(name: str) -> list[str]:
    """Return what stands between the +; one in the path of the strategy's file is a part of it."""
    path = _path_of(name)
    if path.endswith(".py") and "+" in path and Path(path).is_file():
        first, *rest = name[len(path) :].split("+")
        return [path + first, *rest]
    return name.split("+")


def _is_file(name: str) -> bool:
    return _path_of(name).endswith(".py")


def _path_of(name: str) -> str:
    path, colon, _ = name.rpartition(":")
    return path if colon and not name.endswith(".py") else name


def _inside(name: str) -> str:
    """Return what follows the path of a file, empty where nothing does."""
    return name[len(_path_of(name)) + 1 :]


def _held(name: str) -> dict[str, Any]:
    """Return what the user's file defines."""
    return vars(_run_file(Path(_path_of(name))))


def _named(name: str, held: dict[str, Any], kind: type[Part], word: str) -> Part:
    """Return the strategy or overlay that *name* says, out of what its file defines."""
    path = _path_of(name)
    inside = _inside(name)
    parts = {key: value for key, value in held.items() if isinstance(value, kind)}
    if inside in parts:
        return parts[inside]
    if not parts:
        raise InputError(f"{path} holds no {word}; one is a function under @{word}, see twosided.strategies.contract")
    if not inside:
        raise InputError(f"{word} {name!r} does not say which one; allowed: {', '.join(f'{path}:{each}' for each in parts)}")
    raise InputError(f"{path} holds no {word} {inside!r}{suggest(inside, parts)}")


def _run_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise unreadable(path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError(f"strategy file {path} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        spec.loader.exec_module(module)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:
        said = error.msg if isinstance(error, SyntaxError) else error  # the full text of a syntax error names file and line again
        raise InputError(f"strategy file {path}{_line(error, path)}: {type(error).__name__}: {said}") from error
    return module


def _line(error: Exception, path: Path) -> str:
    """Return ``", line N"``, the last line of *path* that took part in *error*."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}" if error.lineno else ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""
