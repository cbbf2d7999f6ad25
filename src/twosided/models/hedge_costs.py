"""Two ways to protect a long position until a date: sell futures, or buy puts; what each costs, whatever the price does.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

A short future costs its spread and fee, and gives up every gain; a put costs its premium, and keeps the gains. With F the future's
price now, S' the price then, K the strike, p the put's price and c what a trade costs a unit, per unit held:

    unhedged  S' - S        future  S' - S + (F - S') - c_F        put  S' - S + max(K - S', 0) - p·e^{rT} - c_P

(the premium is paid now, so its interest counts). Income of the holding itself, q, is the same in all three and left out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from twosided.errors import InputError
from twosided.models.black_scholes import black_scholes
from twosided.models.carry import fair_future

__all__ = ["HedgeCosts", "hedge_costs"]

MOVES = (-0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3)


@dataclass(frozen=True)
class HedgeCosts:
    """What `hedge_costs` returns; money, for the whole position.

    Args:
        future: its price.
        premium: of one put.
        delta: of one put.
        outlay_future: paid at once: spread and fee.
        outlay_put: the premium, spread and fee.
        worst_future: result if the price falls to nothing (and, hedged, wherever it goes).
        worst_put: the worst result: at the strike and anywhere below.
        break_even: price then above which the put was the better choice.
        rows: for each move of the price: (price then, unhedged, with futures, with puts).
    """

    future: float
    premium: float
    delta: float
    outlay_future: float
    outlay_put: float
    worst_future: float
    worst_put: float
    break_even: float
    rows: tuple[tuple[float, float, float, float], ...]

    def table(self) -> str:
        """Return the comparison as text."""
        head = f"{'price then':>12} {'unhedged':>14} {'futures':>14} {'puts':>14}"
        body = [f"{price:12,.2f} {alone:14,.2f} {future:14,.2f} {put:14,.2f}" for price, alone, future, put in self.rows]
        tail = [
            f"paid at once: futures {self.outlay_future:,.2f}, puts {self.outlay_put:,.2f}",
            f"at worst: futures {self.worst_future:,.2f}, puts {self.worst_put:,.2f}; puts are better above {self.break_even:,.2f}",
        ]
        return "\n".join([head, *body, *tail])


def hedge_costs(
    position: float,
    *,
    spot: float,
    strike: float,
    years: float,
    sigma: float,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
    future_cost: float = 0.0,
    put_cost: float = 0.0,
    future: float | None = None,
    moves: Sequence[float] = MOVES,
) -> HedgeCosts:
    """Return what protecting *position* costs by futures and by puts.

    Args:
        position: units held, positive.
        spot: price now.
        strike: of the puts.
        years: until both expire.
        sigma: volatility, a fraction per square root of a year.
        rate: interest, a year, continuously compounded.
        dividend_yield: of what is held, the same.
        future_cost: half-spread and fee of a future, per unit.
        put_cost: the same of a put.
        future: the future's price; the fair one (`twosided.models.carry`) unless given.
        moves: of the price until then, fractions.

    Raises:
        InputError: a position that is not positive, a negative cost, a move to below zero, or as `black_scholes`.
    """
    if not 0.0 < position < math.inf:
        raise InputError(f"position is {position}; allowed: positive; a short one is protected by calls")
    for name, value in (("future_cost", future_cost), ("put_cost", put_cost)):
        if not 0.0 <= value < math.inf:
            raise InputError(f"{name} is {value}; allowed: at least 0")
    if any(not -1.0 <= move < math.inf for move in moves):
        raise InputError(f"moves are {list(moves)}; allowed: fractions from -1")
    option = black_scholes("put", spot=spot, strike=strike, years=years, sigma=sigma, rate=rate, dividend_yield=dividend_yield)
    price = fair_future(spot, years=years, rate=rate, dividend_yield=dividend_yield) if future is None else future
    grown = math.exp(rate * years)
    short, paid = price - spot - future_cost, option.price * grown + put_cost

    def results(then: float) -> tuple[float, float, float, float]:
        with_put = max(then, strike) - spot - paid
        return then, position * (then - spot), position * short, position * with_put

    return HedgeCosts(
        future=price,
        premium=option.price,
        delta=option.delta,
        outlay_future=position * future_cost,
        outlay_put=position * (option.price + put_cost),
        worst_future=position * short,
        worst_put=position * (strike - spot - paid),
        break_even=level if (level := price - future_cost + paid) > strike else 0.0,
        rows=tuple(results(spot * (1.0 + move)) for move in moves),
    )
