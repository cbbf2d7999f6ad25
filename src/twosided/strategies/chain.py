"""One function out of several that are called one after the other: how a strategy is put together of a quoter and overlays.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

The function is written for the occasion and its globals are the stages. So the compile cache, which follows globals, finds its
machine code in the next process, and misses it once any stage, or what a stage calls, was edited.
"""

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Stage", "chained", "stages_of"]

Stage = Callable[[Any], None]


def chained(stages: Sequence[Stage]) -> Stage:
    """Return a function of ``ctx`` that calls *stages* in order; they are plain functions, or all compiled."""
    names = [f"stage_{number}" for number in range(len(stages))]
    source = "def composed(ctx):\n" + "".join(f"    {name}(ctx)\n" for name in names)
    namespace: dict[str, Any] = {"__name__": __name__, **dict(zip(names, stages, strict=True))}
    exec(compile(source, "<composed strategy>", "exec"), namespace)  # noqa: S102 - the text above, nothing of the user's
    function: Stage = namespace["composed"]
    vars(function)["stages"] = tuple(stages)
    return function


def stages_of(function: Stage) -> tuple[Stage, ...]:
    """Return what *function* calls one after the other where `chained` made it, and else itself."""
    stages: tuple[Stage, ...] = vars(function).get("stages", (function,))
    return stages
