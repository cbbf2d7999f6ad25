"""Quoters, overlays, and strategies composed of them.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

    @quoter(half_spread=Param(5.0, unit="ticks", minimum=0))
    def simple(ctx):
        half = ctx.params.half_spread
        make_plan(ctx.memory.plan, mid_ticks(ctx.market[0]), half, half, ctx.params.quantity, ctx.params.quantity)

    @overlay(night_width=Param(2.0, unit="times the width", minimum=1))
    def night(ctx):
        ctx.memory.plan.half_bid *= ctx.params.night_width
        ctx.memory.plan.half_ask *= ctx.params.night_width

    compose(simple, night)          # on the command line: --strategy mine.py:simple+night

A quoter alone is a strategy like any other. Overlays act in the order in which they are named: each sees the plan as those before
it left it. All of them see the same ``ctx``, with the parameters, signals and memory of all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from twosided.errors import InputError
from twosided.strategies.chain import Stage, chained
from twosided.strategies.contract import Param, Prepare, Strategy, Wake, strategy
from twosided.strategies.plan import PLAN, place_plan
from twosided.strategies.quoting import INVENTORY, settle

__all__ = ["Overlay", "compose", "overlay", "quoter"]

_UNHURRIED_NS = 2**62
"""Period of the timer of an overlay that does not ask for one: the strategy's own is shorter."""


def quoter(
    *,
    memory: Mapping[str, Any] | None = None,
    signals: tuple[str, ...] = (),
    every_ns: int = 100_000_000,
    wake: Wake = Wake.TIMER,
    levels: int = 1,
    prepare: Prepare = settle,
    compiled: bool = True,
    **params: Param | float | str,
) -> Callable[[Stage], Strategy]:
    """Declare a function that makes a plan as a strategy, which overlays can modify.

    Args:
        memory: as of `strategy`, like all that follows; ``memory.plan`` is there besides.
        signals: names.
        every_ns: period of the timer.
        wake: what wakes it.
        levels: quotes a side.
        prepare: one of your own calls `settle` first.
        compiled: False is plain Python.
        params: those of `INVENTORY` are there besides.

    Raises:
        InputError: as `strategy`.
    """
    declare = strategy(
        memory={**(memory or {}), "plan": PLAN},
        signals=signals,
        every_ns=every_ns,
        wake=wake,
        levels=levels,
        prepare=prepare,
        compiled=compiled,
        hedges=(),
        **{**params, **INVENTORY},
    )

    def finish(function: Stage) -> Strategy:
        return _of_stages(declare(function), (function, place_plan))

    return finish


@dataclass(frozen=True)
class Overlay:
    """A declared overlay: a stage that modifies a plan. Made by `overlay`.

    Args:
        declared: its function with what it declares, in the form of a strategy that writes no quotes.
    """

    declared: Strategy

    @property
    def name(self) -> str:
        """The function's name, which is that of the overlay."""
        return self.declared.name


def overlay(
    *,
    memory: Mapping[str, Any] | None = None,
    signals: tuple[str, ...] = (),
    every_ns: int = _UNHURRIED_NS,
    wake: Wake = Wake.TIMER,
    prepare: Prepare | None = None,
    compiled: bool = True,
    hedges: tuple[int, ...] = (),
    **params: Param | float | str,
) -> Callable[[Stage], Overlay]:
    """Declare a function that modifies ``ctx.memory.plan`` as an overlay.

    Args:
        memory: as of `strategy`, like all that follows; everything is added to what the strategy has that it modifies.
        signals: names.
        every_ns: the longest period of the timer that it can do with.
        wake: what wakes it.
        prepare: runs after that of the strategy and of the overlays before it.
        compiled: False is plain Python, and makes the whole strategy so.
        hedges: markets in which it only hedges, by quotes of its own: the plan is one for market 0.
        params: begin their names, and those of memory, with the overlay's subject, so that they never clash.

    Raises:
        InputError: as `strategy`.
    """
    declare = strategy(
        memory=memory,
        signals=signals,
        every_ns=every_ns,
        wake=wake,
        levels=1,
        prepare=prepare,
        compiled=compiled,
        hedges=hedges,
        **params,
    )
    return lambda function: Overlay(declare(function))


def compose(base: Strategy, *overlays: Overlay) -> Strategy:
    """Return *base* with *overlays*, which act in the order in which they stand here, and in the name.

    Raises:
        InputError: *base* is no quoter but writes its quotes itself, an overlay stands twice, or two parts declare the same name.
    """
    return reduce(_with, overlays, base)


def _with(base: Strategy, added: Overlay) -> Strategy:
    """Return *base* with one overlay more, in front of the last stage."""
    if not base.stages:
        raise InputError(
            f"strategy {base.name} writes its quotes itself, and an overlay modifies a plan; declare it with @quoter, "
            f"see docs/overlays.md"
        )
    name, other = f"{base.name}+{added.name}", added.declared
    if other.function in base.stages:
        raise InputError(f"the overlay {added.name} stands twice in {name}: {base.name} has it already")
    _require_distinct(name, "parameter", base.params, other.params)
    own, more = _fields(base.memory), _fields(other.memory)
    _require_distinct(name, "memory field", own, more)
    merged = base._replace(
        name=name,
        params={**base.params, **other.params},
        memory=np.dtype([*own.values(), *more.values()], align=True),
        signals=tuple(dict.fromkeys((*base.signals, *other.signals))),
        every_ns=min(base.every_ns, other.every_ns),
        wake=base.wake | other.wake,
        prepare=_one_after_the_other(base.prepare, other.prepare),
        compiled=base.compiled and other.compiled,
        hedges=tuple(dict.fromkeys((*base.hedges, *other.hedges))),
    )
    return _of_stages(merged, (*base.stages[:-1], other.function, base.stages[-1]))


def _of_stages(declared: Strategy, stages: tuple[Stage, ...]) -> Strategy:
    return declared._replace(function=chained(stages), stages=stages, _addresses={})


def _require_distinct(name: str, what: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    for each in other:
        if each in one:
            raise InputError(f"strategy {name} has the {what} {each} twice; each of its parts needs a name of its own for it")


def _fields(memory: Any) -> dict[str, tuple[Any, ...]]:
    """Return the fields of a memory by name, as numpy takes them, without the one that stands for none."""
    dtype = np.dtype(memory)
    return {name: (name, dtype[name].base, dtype[name].shape) for name in dtype.names or () if name != "none"}


def _one_after_the_other(first: Prepare | None, second: Prepare | None) -> Prepare | None:
    if first is None or second is None:
        return first or second

    def prepare(params: Any, instruments: tuple[Any, ...], memory: Any) -> None:
        first(params, instruments, memory)
        second(params, instruments, memory)

    return prepare
