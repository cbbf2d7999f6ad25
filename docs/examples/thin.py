"""A quoter and an overlay of one's own: twice as wide where the touch is thin."""

from twosided import Param, make_plan, overlay, quoter


@quoter(half=Param(2.0, unit="ticks", minimum=0))
def steady(ctx):
    market, params = ctx.market[0], ctx.params
    mid = 0.5 * (market.bid_ticks + market.ask_ticks)
    make_plan(ctx.memory.plan, mid, params.half, params.half, params.quantity, params.quantity)


@overlay(thin_lots=20.0, thin_width=Param(2.0, unit="times the width", minimum=1))
def thin(ctx):
    market, plan = ctx.market[0], ctx.memory.plan
    if min(market.bid_lots, market.ask_lots) < ctx.params.thin_lots:
        plan.half_bid *= ctx.params.thin_width
        plan.half_ask *= ctx.params.thin_width
