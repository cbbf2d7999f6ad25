"""Queue position when only the total of a level is known.

A resting order stands behind ``ahead`` lots. Trades at its price use up the queue from the front. A decrease of the level that
trades do not explain is somebody's cancel, and whether that was ahead of us or behind is a guess: the queue model. `ahead` is a
float because a guess of "half a lot was ahead" must not be rounded away.
"""

import math
from typing import Any

from twosided._compile import compiled

__all__ = ["CONSERVATIVE", "LOG", "OPTIMISTIC", "POWER", "queue_after_change"]

CONSERVATIVE, POWER, LOG, OPTIMISTIC = 0, 1, 2, 3


def _power(base: float, exponent: float) -> float:
    """Return base^exponent for base >= 0 by arithmetic that compiled and interpreted code do alike."""
    if base <= 0.0:
        return 0.0
    if exponent == 1.0:
        return base
    if exponent == 2.0:
        return base * base
    if exponent == 3.0:
        return base * base * base
    return math.exp(exponent * math.log(base))


_pow = compiled(_power)


def _share_behind(ahead: float, behind: float, kind: int, exponent: float) -> float:
    """Return the share of unexplained cancels that is taken from behind us, 0 to 1."""
    if kind == CONSERVATIVE:
        return 1.0
    if kind == OPTIMISTIC:
        return 0.0
    if kind == POWER:
        larger = max(ahead, behind)
        if exponent > 3.0 and larger > 0.0:  # only the ratio matters, and 1210^100 is beyond what a float holds
            ahead, behind = ahead / larger, behind / larger
        weight_ahead, weight_behind = _pow(ahead, exponent), _pow(behind, exponent)
    else:
        weight_ahead, weight_behind = math.log(1.0 + ahead), math.log(1.0 + behind)
    total = weight_ahead + weight_behind
    return weight_behind / total if total > 0.0 else 1.0


_behind_share = compiled(_share_behind)


def _queue_after_change(ahead: float, old_lots: int, new_lots: int, explained_lots: int, kind: int, exponent: float) -> float:
    """Return the lots ahead of us after our level went from *old_lots* to *new_lots*.

    Args:
        ahead: lots ahead before.
        old_lots: the level's total before; own orders are not part of a recording.
        new_lots: its total now.
        explained_lots: traded at this price since the level's last update, and taken off *ahead* when they traded.
        kind: CONSERVATIVE, POWER, LOG or OPTIMISTIC.
        exponent: of POWER.

    With c the unexplained decrease, p the share taken from behind and W the lots behind:
    ahead - (1 - p)·c + min(W - p·c, 0), held between 0 and the new total. What p would take from behind beyond what is there
    comes off the front as well. So whoever is first stays first.
    """
    if ahead <= 0.0:
        return 0.0
    cancelled = float(old_lots - new_lots - explained_lots)
    if cancelled > 0.0:
        behind = max(old_lots - ahead, 0.0)
        share = _behind_share(ahead, behind, kind, exponent)
        ahead = ahead - (1.0 - share) * cancelled + min(behind - share * cancelled, 0.0)
    return max(min(ahead, float(new_lots)), 0.0)


queue_after_change: Any = compiled(_queue_after_change, inline=True)
