"""`multi_venue`: one instrument quoted at several venues at once, around the middle of the best prices of all.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

    centre  = middle of the consolidated best bid and ask - skew × half_spread × position / limit
    half    = max(half_spread + fee of the venue, least_spread / 2)      a rebate tightens, a fee widens
    size    = quantity × rate of the venue / sum of all rates            rate: how fast offers there are filled

Never does a quote lock or cross the best price of *any* venue, nor an own order at another: what was quoted before may still be
working, so that a bid stays below the asks of the last decision as well. Nothing takes, so nothing trades through. The sum of all
bids has room below the total limit, that of all asks above its negative; see `venues` for the sizes.

Fees are the instruments'. All markets of the run are venues; they must have one tick size and currency.
"""

from collections.abc import Mapping
from typing import Any

from twosided._compile import compiled
from twosided.errors import InputError
from twosided.strategies.contract import Param, Wake, ask_ticks, bid_ticks, strategy, whole_lots, withdraw
from twosided.strategies.quoting import DEFAULT_LIMIT_QUOTES, UNIT, in_ticks
from twosided.strategies.venues import best_ask_of, best_bid_of, fee_per_unit, half_spread_at, size_at, venue_rate

__all__ = ["MOST_VENUES", "multi_venue"]

MOST_VENUES = 8

_PRIORS: Mapping[str, Any] = {
    f"fill_rate_{m}": Param(0.25, minimum=1e-6, help="prior; only proportions count") for m in range(MOST_VENUES)
}


def _settle(params: Any, instruments: tuple[Any, ...], memory: Any) -> None:
    """Read the venues' fees, and settle priors and limits.

    Raises:
        InputError: too many venues, venues of different tick sizes or currencies, or a size below one lot.
    """
    if len(instruments) > MOST_VENUES:
        raise InputError(f"multi_venue sees {len(instruments)} markets; allowed: up to {MOST_VENUES}")
    first = instruments[0]
    for each in instruments:
        if (each.tick_size, each.currency) != (first.tick_size, first.currency):
            raise InputError(
                f"multi_venue quotes one instrument, but {each.symbol} moves by {each.tick_size} {each.currency} and "
                f"{first.symbol} by {first.tick_size} {first.currency}; allowed: one tick size and currency"
            )
    least = len(instruments) * max(float(each.lot_size) for each in instruments)
    if params.quantity == 0.0:
        params.quantity = least
    if params.quantity < least:
        raise InputError(f"quantity is {params.quantity:g}; allowed: at least one lot for each of {len(instruments)} venues")
    if params.max_position == 0.0:
        params.max_position = DEFAULT_LIMIT_QUOTES * params.quantity
    priors = [float(params[f"fill_rate_{m}"]) for m in range(len(instruments))]
    for m, each in enumerate(instruments):
        memory.maker_bps[m], memory.maker_per_unit[m] = float(each.fees.maker_bps), float(each.fees.maker_per_unit)
        memory.prior[m] = priors[m] * len(priors) / sum(priors)


def _watch(ctx: Any) -> None:
    """Count what was offered and what was filled since the last decision."""
    memory, now = ctx.memory, ctx.now_ns
    seconds = (now - memory.at_ns) * 1e-9 if memory.at_ns > 0 else 0.0
    for m in range(ctx.market.shape[0]):
        market = ctx.market[m]
        if memory.at_ns > 0:
            memory.filled[m] += abs(market.position_lots - memory.position_lots[m]) * market.lot_size
            memory.offered[m] += memory.working[m] * seconds
        memory.position_lots[m] = market.position_lots
        memory.working[m] = (market.working_bid_lots + market.working_ask_lots) * market.lot_size
    memory.at_ns = now


watch = compiled(_watch)


def _rates(ctx: Any) -> float:
    """Write every venue's rate into memory; return the sum over open venues."""
    memory, filled, offered, total = ctx.memory, 0.0, 0.0, 0.0
    venues = ctx.market.shape[0]
    for m in range(venues):
        filled += memory.filled[m]
        offered += memory.offered[m]
    weight = ctx.params.prior_seconds * 2.0 * ctx.params.quantity / venues
    for m in range(venues):
        memory.rate[m] = venue_rate(memory.filled[m], memory.offered[m], filled, offered, weight, memory.prior[m])
        if ctx.market[m].open == 1:
            total += memory.rate[m]
    return total


rates = compiled(_rates)


def _own_touch(ctx: Any, side: int) -> int:
    """Return the best own price on a side (row 0 bids, 1 asks) that was quoted before and may still be working."""
    best = -(1 << 40) if side == 0 else 1 << 40
    for m in range(ctx.market.shape[0]):
        quote = ctx.quotes[m, side, 0]
        working = ctx.market[m].working_bid_lots if side == 0 else ctx.market[m].working_ask_lots
        if quote.ticks > 0 and (quote.lots > 0 or working > 0):
            best = max(best, quote.ticks) if side == 0 else min(best, quote.ticks)
    return int(best)


own_touch = compiled(_own_touch)


def _balance(ctx: Any, m: int, row: int, price: float) -> float:
    """Return how much the balances at a venue allow to buy (row 0) or to sell; without borrowing, one sells what is there."""
    market = ctx.market[m]
    if ctx.params.borrow == 1:
        return 1e18
    if row == 1:
        return float(max(market.position_lots * market.lot_size, 0.0))
    return float(max((ctx.params.venue_cash + market.cash) / max(price, 1e-12), 0.0))


balance = compiled(_balance)


def _quote_side(ctx: Any, row: int, centre: float, half: float, total_rate: float, bound: int) -> None:
    """Quote one side at every venue: row 0 bids, never above *bound*, or row 1 asks, never below it."""
    p, side = ctx.params, 1 - 2 * row
    position = 0.0
    for m in range(ctx.market.shape[0]):
        position += ctx.market[m].position_lots * ctx.market[m].lot_size
    room = p.max_position - side * position
    for m in range(ctx.market.shape[0]):
        market, quote = ctx.market[m], ctx.quotes[m, row, 0]
        quote.lots = 0
        if market.open == 0:
            continue
        price = centre * market.tick_size
        fee = fee_per_unit(price, ctx.memory.maker_bps[m], ctx.memory.maker_per_unit[m]) / market.tick_size
        away = half_spread_at(half, fee, 0.5 * in_ticks(market, p.least_spread, 0))
        held = market.position_lots * market.lot_size
        size = p.quantity * ctx.memory.rate[m] / total_rate
        allowed = min(room, balance(ctx, m, row, price))
        lots = whole_lots(size_at(size, side, held, p.venue_limit, p.venue_cut, p.least_quantity, allowed), market.lot_size)
        ticks = min(bid_ticks(centre - away), bound) if row == 0 else max(ask_ticks(centre + away), bound)
        if ticks >= 1 and lots > 0:  # what is withdrawn keeps its price: it may still be working
            quote.ticks, quote.lots = ticks, lots
        room -= quote.lots * market.lot_size


quote_side = compiled(_quote_side)


@strategy(
    half_spread=Param(2.0, minimum=0, help="distance of each quote from the centre before fees, in `unit`"),
    unit=UNIT,
    least_spread=Param(1.0, unit="bps", minimum=0, help="between bid and ask at one venue, whatever the rebate"),
    skew=Param(1.0, unit="half-spreads", minimum=0, help="shift of the centre at the total limit; long lowers it"),
    quantity=Param(0.0, unit="base units", minimum=0, help="on one side, at all venues together; 0 is one lot at each"),
    max_position=Param(0.0, unit="base units", minimum=0, help="at all venues together; 0 is ten quantities"),
    venue_limit=Param(100.0, unit="base units", minimum=0, help="position at one venue beyond which the side that adds is cut"),
    venue_cut=Param(0.5, minimum=0, maximum=1, help="what is left of that side"),
    least_quantity=Param(0.0, unit="base units", minimum=0, help="quoted at a venue at least, where there is room"),
    prior_seconds=Param(600.0, unit="s", minimum=0, help="how long a full quote must have stood to count as much as the priors"),
    borrow=Param("yes", choices=("no", "yes"), help="no: balances at each venue; one cannot sell what is not there"),
    venue_cash=Param(0.0, unit="money", minimum=0, help="held at each venue at the start; counts without borrowing"),
    **_PRIORS,
    memory={
        "maker_bps": ("f8", (MOST_VENUES,)),
        "maker_per_unit": ("f8", (MOST_VENUES,)),
        "prior": ("f8", (MOST_VENUES,)),
        "filled": ("f8", (MOST_VENUES,)),  # base units
        "offered": ("f8", (MOST_VENUES,)),  # base units × seconds
        "working": ("f8", (MOST_VENUES,)),
        "rate": ("f8", (MOST_VENUES,)),
        "position_lots": ("i8", (MOST_VENUES,)),
        "at_ns": "i8",
    },
    wake=Wake.TIMER | Wake.ORDER,
    prepare=_settle,
)
def multi_venue(ctx: Any) -> None:
    """Quote all venues around one centre, each by its fee and by how fast it fills."""
    p = ctx.params
    watch(ctx)
    bid, ask = best_bid_of(ctx.market), best_ask_of(ctx.market)
    total_rate = rates(ctx)
    if total_rate <= 0.0:
        for m in range(ctx.market.shape[0]):
            withdraw(ctx, m)
        return
    position = 0.0
    for m in range(ctx.market.shape[0]):
        position += ctx.market[m].position_lots * ctx.market[m].lot_size
    middle = 0.5 * (bid + ask)
    half = in_ticks(ctx.market[0], p.half_spread, p.unit)
    centre = middle - p.skew * half * min(max(position / p.max_position, -1.0), 1.0)
    old_bid, old_ask = own_touch(ctx, 0), own_touch(ctx, 1)
    quote_side(ctx, 0, centre, half, total_rate, min(ask, old_ask) - 1)
    quote_side(ctx, 1, centre, half, total_rate, max(bid, old_bid, own_touch(ctx, 0)) + 1)
