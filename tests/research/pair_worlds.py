"""Pairs whose truth is known."""

import numpy as np
from scipy.signal import lfilter

from twosided.data.bar_files import PriceSeries

MINUTE_NS = 60 * 10**9
START_NS = 1_700_000_040_000_000_000


def returning(random, n, phi):
    """Return an autoregression from where it rests."""
    noise = random.normal(size=n)
    noise[0] /= np.sqrt(1.0 - phi * phi)
    return lfilter([1.0], [1.0, -phi], noise)


def walking(random, n):
    return np.cumsum(random.normal(size=n))


def series(name, prices, begin=0, every_ns=MINUTE_NS):
    known = START_NS // every_ns * every_ns + every_ns * np.arange(begin, begin + len(prices))
    return PriceSeries(name, known, np.asarray(prices, float), every_ns)
