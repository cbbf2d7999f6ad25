"""What a run's limits did, in sentences: changes of state with their reasons, and what was denied.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.
"""

from typing import Any

from twosided.market.order import Reason
from twosided.market.run import Run
from twosided.units import time_text

__all__ = ["risk_sentences"]

MOST_CHANGES_SAID = 3
"""Changes of state that are written out; the run has all of them in ``facts["risk"]``."""

_STATES = {"NORMAL": "normal again", "REDUCE_ONLY": "reduce-only", "HALTED": "halted, everything cancelled"}


def risk_sentences(run: Run) -> list[str]:
    """Return what became of the limits of *run*; nothing where it had none."""
    risk: dict[str, Any] | None = run.facts.get("risk")
    if not risk:
        return []
    said = [_change(change) for change in risk["changes"][:MOST_CHANGES_SAID]]
    more = risk["n_changes"] - len(said)
    if more > 0:
        last = risk["state"].lower().replace("_", "-")
        said.append(f"limits: {more} more change{'s' * (more > 1)} of state, at the end {last}")
    denied = sorted(((count, Reason[name]) for name, count in risk["denied"].items()), reverse=True)
    words = ", ".join(f"{count:,} × {reason.name.lower().replace('_', ' ')}" for count, reason in denied if reason.control)
    if words:
        said.append(f"limits: denied, each time that it was asked: {words}")
    return said or ["limits: none was reached"]


def _change(change: dict[str, Any]) -> str:
    reason = Reason[change["why"]]
    why = f": {reason.name.lower().replace('_', ' ')} ({reason.words})" if reason != Reason.NONE else ""
    return f"limits: {_STATES[change['state']]} from {time_text(change['ns'])[:23]} UTC{why}"
