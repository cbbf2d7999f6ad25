"""How the mid of a simulation moves: one kernel per process, each filling a block of steps of one path.

Where you are in the pipe: the source of *events* of a Monte-Carlo run.

With Z, Z' standard normal, dt the step, s = sigma / price and u = drift / price (both relative to the price at the start):

    brownian            m + drift·dt + sigma·sqrt(dt)·Z
    geometric           m·exp((u - s²/2)·dt + s·sqrt(dt)·Z)
    jumps               the same, times exp(J - rate·dt·(e^(j²/2) - 1)), J the sum of Poisson(rate·dt) normal jumps of deviation
                        j = jump_size / price (Merton 1976): the compensator keeps it a martingale
    ornstein_uhlenbeck  p + (m - p)·e^(-a·dt) + sigma·sqrt((1 - e^(-2a·dt)) / 2a)·Z, p the price at the start, a = reversion: exact
    heston              m·exp((u - s²y/2)·dt + s·sqrt(y·dt)·Z) with y the variance over its mean, which moves by
                        a·(1 - y)·dt + vol_of_vol·sqrt(y·dt)·(rho·Z + sqrt(1 - rho²)·Z'), y floored at 0 where it is used
                        (full truncation; Lord, Koekkoek, van Dijk 2010): a martingale at any step, because y is known before Z

Without drift all but ornstein_uhlenbeck are martingales. Variates are keyed by (seed, purpose, path, step).
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided._random import exponential_of, next_word, normal_of, stream_word
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.engines.montecarlo_world import jumps_of, mids_of, recorded_of

__all__ = ["MID_KINDS", "fill_mids", "mid_record"]

MID_KINDS = ("brownian", "geometric", "jumps", "ornstein_uhlenbeck", "heston", "recorded")

_BROWNIAN, _GEOMETRIC, _JUMPS, _OU, _HESTON, _RECORDED = range(len(MID_KINDS))


def mid_record(settings: SimulationSettings, recorded: npt.NDArray[np.float64] | None) -> dict[str, float]:
    """Return the values of the fields of `WORLD` that belong to the mid."""
    dt, price = settings.step_s, settings.price
    values: dict[str, float] = {"kind": MID_KINDS.index(settings.mid), "start": price, "deviation": settings.sigma * math.sqrt(dt)}
    if recorded is not None:
        return {"kind": _RECORDED, "start": float(recorded[0]), "last_recorded": len(recorded) - 1}
    if settings.mid == "brownian":
        return values | {"shift": settings.drift * dt}
    a = settings.reversion
    if settings.mid == "ornstein_uhlenbeck":
        spread = math.sqrt(-math.expm1(-2.0 * a * dt) / (2.0 * a)) if a > 0.0 else math.sqrt(dt)
        return values | {"deviation": settings.sigma * spread, "pull": math.exp(-a * dt)}
    relative, jump, rate = settings.sigma / price * math.sqrt(dt), settings.jump_size / price, settings.jump_rate * dt
    drift = settings.drift / price * dt
    values |= {"deviation": relative, "shift": drift - 0.5 * relative * relative - rate * math.expm1(0.5 * jump * jump)}
    if settings.mid == "heston":
        values |= {"shift": drift, "pull": a * dt, "variance_deviation": settings.vol_of_vol * math.sqrt(dt)}
    return values | {"jump_mean": rate, "jump_deviation": jump, "correlation": settings.correlation}


def _fill_brownian(w: Any, first: int, count: int, step: int) -> None:
    """Continue an arithmetic Brownian motion."""
    mids = mids_of(w)
    mid, deviation, shift, stream = mids[first], w.deviation, w.shift, w.mid_stream
    for i in range(count):
        mid = mid + shift + deviation * normal_of(stream_word(stream, step + i))
        mids[first + 1 + i] = mid


fill_brownian = compiled(_fill_brownian)


def _fill_geometric(w: Any, first: int, count: int, step: int) -> None:
    """Continue a geometric Brownian motion."""
    mids = mids_of(w)
    mid = mids[first]
    for i in range(count):
        mid = mid * math.exp(w.shift + w.deviation * normal_of(stream_word(w.mid_stream, step + i)))
        mids[first + 1 + i] = mid


fill_geometric = compiled(_fill_geometric)


def _fill_jumps(w: Any, first: int, count: int, step: int) -> None:
    """Continue a geometric Brownian motion with jumps, and note how far each step jumped."""
    mids, jumps = mids_of(w), jumps_of(w)
    mid = mids[first]
    for i in range(count):
        mid = mid * math.exp(w.shift + w.deviation * normal_of(stream_word(w.mid_stream, step + i)))
        word = stream_word(w.jump_stream, step + i)
        passed, jump = exponential_of(word), 0.0
        while passed < w.jump_mean:
            word = next_word(word)
            jump += w.jump_deviation * normal_of(word)
            word = next_word(word)
            passed += exponential_of(word)
        before = mid
        if jump != 0.0:
            mid = mid * math.exp(jump)
        jumps[first + i] = mid - before
        mids[first + 1 + i] = mid


fill_jumps = compiled(_fill_jumps)


def _fill_ornstein_uhlenbeck(w: Any, first: int, count: int, step: int) -> None:
    """Continue an Ornstein-Uhlenbeck process around the price at the start."""
    mids = mids_of(w)
    mid = mids[first]
    for i in range(count):
        mid = w.start + (mid - w.start) * w.pull + w.deviation * normal_of(stream_word(w.mid_stream, step + i))
        mids[first + 1 + i] = mid


fill_ornstein_uhlenbeck = compiled(_fill_ornstein_uhlenbeck)


def _fill_heston(w: Any, first: int, count: int, step: int) -> None:
    """Continue a mid whose variance moves by itself."""
    mids = mids_of(w)
    mid, y = mids[first], w.variance
    across = math.sqrt(1.0 - w.correlation * w.correlation)
    for i in range(count):
        variance = max(y, 0.0)
        root = math.sqrt(variance)
        z = normal_of(stream_word(w.mid_stream, step + i))
        mid = mid * math.exp(w.shift - 0.5 * w.deviation * w.deviation * variance + w.deviation * root * z)
        both = w.correlation * z + across * normal_of(stream_word(w.variance_stream, step + i))
        y = y + w.pull * (1.0 - variance) + w.variance_deviation * root * both
        mids[first + 1 + i] = mid
    w.variance = y


fill_heston = compiled(_fill_heston)


def _fill_mids(w: Any, first: int, count: int, step: int) -> None:
    """Fill ``mids[first + 1 : first + 1 + count]``, the mids after each of *count* steps from *step* on; ``mids[first]`` is before.

    ``jumps[first : first + count]`` becomes the part of each move that was a jump, where there are any. A recorded path stands
    still beyond its end.
    """
    if w.kind == _BROWNIAN:
        fill_brownian(w, first, count, step)
    elif w.kind == _GEOMETRIC:
        fill_geometric(w, first, count, step)
    elif w.kind == _JUMPS:
        fill_jumps(w, first, count, step)
    elif w.kind == _OU:
        fill_ornstein_uhlenbeck(w, first, count, step)
    elif w.kind == _HESTON:
        fill_heston(w, first, count, step)
    else:
        mids, recorded = mids_of(w), recorded_of(w)
        for i in range(count):
            mids[first + 1 + i] = recorded[min(step + 1 + i, w.last_recorded)]


fill_mids = compiled(_fill_mids)
