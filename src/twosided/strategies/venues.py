"""What a quoter of one instrument at several venues must reckon with: best prices of all, fees with their sign, shares, room.

Where you are in the pipe: inside a *strategy*; `multi_venue` is made of these. Each is a function of numbers or of ``ctx.market``,
the records of all venues; a venue that is not in continuous trading counts nowhere.
"""

from typing import Any

from twosided._compile import compiled

__all__ = ["best_ask_of", "best_bid_of", "fee_per_unit", "half_spread_at", "size_at", "venue_rate"]

_NO_BID, _NO_ASK = -(1 << 40), 1 << 40


def _best_bid_of(markets: Any) -> int:
    """Return the highest bid of all open venues, in ticks: the consolidated best bid."""
    best = _NO_BID
    for m in range(markets.shape[0]):
        if markets[m].open == 1:
            best = max(best, markets[m].bid_ticks)
    return int(best)


best_bid_of = compiled(_best_bid_of)


def _best_ask_of(markets: Any) -> int:
    """Return the lowest ask of all open venues, in ticks: the consolidated best ask."""
    best = _NO_ASK
    for m in range(markets.shape[0]):
        if markets[m].open == 1:
            best = min(best, markets[m].ask_ticks)
    return int(best)


best_ask_of = compiled(_best_ask_of)


def _fee_per_unit(price: float, maker_bps: float, maker_per_unit: float) -> float:
    """Return what a maker pays for one unit at *price*, in money; negative where he is paid.

    The two kinds of fee stay apart until here: -0.0025 money per share is a quarter of a cent, not 25 bps of the value.
    """
    return price * maker_bps * 1e-4 + maker_per_unit


fee_per_unit = compiled(_fee_per_unit)


def _half_spread_at(half_spread: float, fee: float, least: float) -> float:
    """Return half_spread + fee, at least *least*: a fee widens, a rebate (negative) tightens. All in the same unit."""
    return max(half_spread + fee, least)


half_spread_at = compiled(_half_spread_at)


def _venue_rate(filled: float, offered: float, all_filled: float, all_offered: float, prior_weight: float, prior: float) -> float:
    """Return how fast what is offered at a venue is filled, by what was seen there and by a prior.

    rate = (filled + prior × mean rate × prior_weight) / (offered + prior_weight), the mean rate that of all venues together; before
    anything was filled anywhere it is the prior. Only the proportions of venues count.

    Args:
        filled: lots that were filled here.
        offered: lots × seconds that were working here.
        all_filled: the same of all venues.
        all_offered: the same of all venues.
        prior_weight: lots × seconds that the prior is worth.
        prior: this venue's rate over the mean of all venues, as supposed beforehand.
    """
    if all_filled <= 0.0 or all_offered <= 0.0:
        return prior
    mean = all_filled / all_offered
    return (filled + prior * mean * prior_weight) / (offered + prior_weight)


venue_rate = compiled(_venue_rate)


def _size_at(size: float, side: int, position: float, soft_limit: float, cut: float, least: float, room: float) -> float:
    """Return how much to quote on a side of a venue.

    Beyond *soft_limit* at that venue the side that would add to its position is cut: long there, the **bid** shrinks; short there,
    the ask. At least *least* is quoted, but never more than there is *room* for.
    """
    if side * position > soft_limit:
        size *= cut
    return max(min(max(size, least), room), 0.0)


size_at = compiled(_size_at)
