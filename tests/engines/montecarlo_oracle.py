"""A slow, obvious simulation of one path, to hold the loop of `twosided.engines.montecarlo_kernel` against."""

import math
from decimal import Decimal

import numpy as np

from twosided._random import Purpose, exponential_of, stream_of, stream_word, uniform_of


def draw(settings, purpose, path, counter):
    return np.uint64(stream_word(np.uint64(stream_of(settings.seed, int(purpose), path)), counter))


def draws(settings, purpose, path, count):
    return [draw(settings, purpose, path, i) for i in range(count)]


def marks(settings, path, mids):
    """Uniform marks of sell and buy orders, with informed ones moved to the side that gains."""
    steps = settings.steps
    words = [int(word) for word in draws(settings, Purpose.SELL_ORDERS, path, steps)]
    sells = [((word >> 32) + 0.5) / 2**32 for word in words]
    buys = [((word & 0xFFFFFFFF) + 0.5) / 2**32 for word in words]
    for i, word in enumerate(draws(settings, Purpose.INFORMED, path, steps)):
        later = mids[i + settings.informed_steps]
        if later != mids[i] and uniform_of(word) < settings.informed:
            best = min(sells[i], buys[i])
            sells[i], buys[i] = (1.0, best) if later > mids[i] else (best, 1.0)
    return sells, buys


def round_out(price, side, tick):
    if tick is None:
        return price
    ticks = Decimal(float(price)) / tick
    return float(tick * ticks.to_integral_value("ROUND_FLOOR" if side > 0 else "ROUND_CEILING"))


def live(settings, mids, quotes, path=0):
    """Follow one path. ``quotes(position, step)`` gives bid and ask distances, None for no quote; sizes are one unit.

    *mids* go beyond the horizon by as many steps as informed traders see.

    Returns a dictionary of the figures that the loop calls by the same names, without those of the Sharpe ratio's kind.
    """
    sells, buys = marks(settings, path, mids)
    late, dt = settings.latency / 1e9, settings.step_s
    steps_late = int(late / dt + 1e-9)
    share = math.sqrt(min(late / dt, 1.0))
    limit = settings.position_limit or math.inf
    figures = dict.fromkeys(("pnl", "position", "spread", "adverse", "fees", "fills", "sniped", "volume"), 0.0)
    cash, position, decided = 0.0, 0.0, []
    for i in range(settings.steps):
        mid, move = mids[i], mids[i + 1] - mids[i]
        bid, ask = quotes(position, i)
        decided.append(
            (
                None if bid is None else round_out(mid - bid, 1, settings.tick_size),
                None if ask is None else round_out(mid + ask, -1, settings.tick_size),
            )
        )
        if i < steps_late:
            continue
        reached = mid + share * move
        for side, price, mark in zip((1, -1), decided[i - steps_late], (sells[i], buys[i]), strict=True):
            if price is None:
                continue
            size = min(1.0, limit - side * position)
            if size <= 0:
                continue
            distance = side * (mid - price)
            rate = settings.A * dt * math.exp(-settings.k * distance)
            probability = min(rate, 1.0) if settings.linear_probability else 1.0 - math.exp(-rate)
            sniped = settings.snipers and side * (price - reached) > 0
            if not sniped and mark >= probability:
                continue
            if not sniped and settings.order_size is not None:
                mean = settings.order_size / float(settings.lot_size)
                word = draw(settings, Purpose.ORDER_SIZE, path, 2 * i + (side < 0))
                lots = 1 + int(exponential_of(word) / -math.log(1.0 - 1.0 / mean))
                size = min(size, lots * float(settings.lot_size))
            fee = size * (price * float(settings.maker_bps) * 1e-4 + float(settings.maker_per_unit))
            cash -= side * size * price + fee
            position += side * size
            figures["fees"] += fee
            figures["fills"] += 1
            figures["sniped"] += sniped
            figures["volume"] += size
            figures["spread"] += size * distance
            figures["adverse"] += side * size * move
    figures["position"] = position
    figures["pnl"] = cash + position * mids[settings.steps]
    return figures
