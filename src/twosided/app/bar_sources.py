"""Where bars come from: the key, the client, and the estimates that bars allow.

Where you are in the pipe: at its mouth, between the command line and `twosided.data.bars`.
"""

import importlib
import os
import sys

import click

from twosided.data.bars import SIMULATED, Bars
from twosided.data.bars_finnhub import KEY, Finnhub
from twosided.errors import InputError
from twosided.research.volatility import annualised, close_to_close, ewma, garman_klass, parkinson

__all__ = ["bar_volatilities", "binance", "finnhub"]


def finnhub() -> Finnhub:
    """Return a client with the key of the environment, or one that is typed, unseen, on a terminal.

    Raises:
        InputError: there is neither.
    """
    key = os.environ.get(KEY, "")
    if not key and sys.stdin.isatty():
        key = click.prompt(f"{KEY} (not shown)", hide_input=True, err=True)
    if not key:
        raise InputError(f"Finnhub needs a key in {KEY}, which is not set; without one there is {SIMULATED}")
    return Finnhub(key)


def binance(symbol: str, interval: str, count: int) -> Bars:
    """Return bars of Binance.

    Raises:
        InputError: ccxt is not installed (the message names the extra), or as `twosided.data.bars_ccxt.binance_bars`.
    """
    source = importlib.import_module("twosided.data.bars_ccxt")
    found: Bars = source.binance_bars(symbol, interval, count)
    return found


def bar_volatilities(bars: Bars) -> dict[str, dict[str, float]]:
    """Return each estimator's volatility, fraction/sqrt(s), with its interval, and what it is a year of 365 days of 24 hours."""
    found = {
        "close to close": close_to_close(bars.close, bars.bar_s),
        "EWMA, now": ewma(bars.close, bars.bar_s),
        "Parkinson": parkinson(bars.high, bars.low, bars.bar_s),
        "Garman-Klass": garman_klass(bars.open, bars.high, bars.low, bars.close, bars.bar_s),
    }
    return {
        name: {"value": each.value, "low": each.low, "high": each.high, "annual": annualised(each).value}
        for name, each in found.items()
    }
