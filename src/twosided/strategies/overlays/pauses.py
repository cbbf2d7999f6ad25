"""Overlays that withdraw all quotes for a while: `feed_guard`.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.
"""

from typing import Any

from twosided.strategies.compose import overlay
from twosided.strategies.contract import Param
from twosided.strategies.plan import Cause, pause

__all__ = ["feed_guard"]

_STALE_FEED = int(Cause.STALE_FEED)


@overlay(feed_most_age_s=Param(1.0, unit="s", minimum=0, help="how long the feed may be silent"))
def feed_guard(ctx: Any) -> None:
    """Withdraw while nothing has come of the market for more than feed_most_age_s."""
    if (ctx.now_ns - ctx.market[0].book_ns) * 1e-9 > ctx.params.feed_most_age_s:
        pause(ctx.memory.plan, _STALE_FEED)
