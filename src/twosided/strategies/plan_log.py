"""What a composed strategy planned at each decision, and why: for pictures and tables of what overlays did.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

    strategy, log = logged(find_strategy("glft+volatility_width"))
    replay(recording, strategy)
    log.frame()

The log is kept in the strategy's memory, so it works compiled, in every engine, and the digest of the run stays what it was.
"""

from typing import Any

import numpy as np
import polars as pl

from twosided.errors import InputError
from twosided.strategies.compose import compose, overlay
from twosided.strategies.contract import Strategy
from twosided.strategies.plan import PLAN, cause_words

__all__ = ["PlanLog", "logged"]

_ROW = np.dtype((np.record, [("now_ns", "i8"), ("plan", PLAN)]))


class PlanLog:
    """The plans of one run, after it."""

    def __init__(self, most: int) -> None:
        self._memory: Any = None
        self.most = most

    def attach(self, _params: Any, _instruments: tuple[Any, ...], memory: Any) -> None:
        """Remember where the strategy of a run that begins keeps its memory."""
        self._memory = memory

    def frame(self) -> pl.DataFrame:
        """Return ``now_ns``, the fields of `PLAN`, and ``why`` (the causes in words), one row a decision.

        Raises:
            InputError: there has been no run, or it decided more often than the log has rows.
        """
        count = 0 if self._memory is None else int(self._memory["log_count"])
        if not 0 < count <= self.most:
            raise InputError(f"the log of plans has {count} decisions; allowed: 1 to {self.most}, see logged(most=…)")
        rows = self._memory["log_rows"][:count]
        plans = {name: rows["plan"][name].copy() for name in PLAN.names or ()}
        words = {int(bits): "; ".join(cause_words(int(bits))) for bits in np.unique(plans["causes"])}
        return pl.DataFrame({"now_ns": rows["now_ns"].copy(), **plans, "why": [words[int(bits)] for bits in plans["causes"]]})


def _log_plan(ctx: Any) -> None:
    """Keep the plan as it is about to be quoted."""
    memory, plan = ctx.memory, ctx.memory.plan
    if memory.log_count < memory.log_rows.shape[0]:
        row = memory.log_rows[memory.log_count]
        row.now_ns = ctx.now_ns
        kept = row.plan
        kept.centre, kept.half_bid, kept.half_ask, kept.step = plan.centre, plan.half_bid, plan.half_ask, plan.step
        kept.to_buy, kept.to_sell, kept.rungs, kept.keep = plan.to_buy, plan.to_sell, plan.rungs, plan.keep
        kept.paused, kept.may_take, kept.hedge, kept.causes = plan.paused, plan.may_take, plan.hedge, plan.causes
    memory.log_count += 1


def logged(strategy: Strategy, *, most: int = 100_000) -> tuple[Strategy, PlanLog]:
    """Return a composed strategy that keeps a log of its plans, and the log.

    Args:
        strategy: a quoter, alone or with overlays.
        most: decisions that the log has room for, about 100 bytes each.

    Raises:
        InputError: the strategy makes no plans but writes its quotes itself.
    """
    log = PlanLog(most)
    stage = overlay(memory={"log_count": "i8", "log_rows": (_ROW, (most,))}, prepare=log.attach)(_log_plan)
    return compose(strategy, stage).called(strategy.name), log
