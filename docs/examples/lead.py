"""A strategy for two markets: it quotes the first around what the second, which moves first, says that the first is worth.

fair price = the leader's mid + the basis, an exponential mean of (own mid - leader's mid) over `basis_seconds`; long inventory
lowers both quotes, by `skew` half-spreads at the limit. With `lead` below 1 the own mid has a say again; with 0 only it has one.
"""

import math

from twosided import Param, quote_ask, quote_bid, strategy


@strategy(
    half_spread=Param(0.2, unit="bps", minimum=0),
    lead=Param(1.0, minimum=0, maximum=1, help="weight of the leader's price against the own mid"),
    basis_seconds=Param(10.0, unit="s", minimum=0.001),
    skew=Param(1.0, unit="half-spreads", minimum=0),
    quantity=Param(0.01, unit="base units", minimum=0),
    max_position=Param(0.1, unit="base units", minimum=0),
    memory={"basis": "f8", "at_ns": "i8"},
    every_ns=50_000_000,
)
def lead(ctx):
    own, leader, p, memory = ctx.market[0], ctx.market[1], ctx.params, ctx.memory
    own_mid = 0.5 * (own.bid_ticks + own.ask_ticks) * own.tick_size
    leader_mid = 0.5 * (leader.bid_ticks + leader.ask_ticks) * leader.tick_size
    if memory.at_ns == 0:
        memory.basis = own_mid - leader_mid
    else:
        weight = 1.0 - math.exp(-1e-9 * (ctx.now_ns - memory.at_ns) / p.basis_seconds)
        memory.basis += weight * (own_mid - leader_mid - memory.basis)
    memory.at_ns = ctx.now_ns

    fair = own_mid + p.lead * (leader_mid + memory.basis - own_mid)
    half = 1e-4 * fair * p.half_spread
    position = own.position_lots * own.lot_size
    fair -= p.skew * half * position / p.max_position
    quote_bid(ctx, 0, 0, (fair - half) / own.tick_size, min(p.quantity, p.max_position - position))
    quote_ask(ctx, 0, 0, (fair + half) / own.tick_size, min(p.quantity, p.max_position + position))
