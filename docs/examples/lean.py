"""A strategy of one's own: half a spread on each side of a mid that leans against the inventory."""

from twosided import Param, quote_ask, quote_bid, strategy


@strategy(half_spread=Param(1.0, unit="ticks", minimum=0), lean=Param(unit="ticks per unit held", minimum=0), quantity=10.0)
def lean(ctx):
    market = ctx.market[0]
    position = market.position_lots * market.lot_size
    fair = 0.5 * (market.bid_ticks + market.ask_ticks) - ctx.params.lean * position  # long: both quotes come down
    quote_bid(ctx, 0, 0, fair - ctx.params.half_spread, ctx.params.quantity)
    quote_ask(ctx, 0, 0, fair + ctx.params.half_spread, ctx.params.quantity)
