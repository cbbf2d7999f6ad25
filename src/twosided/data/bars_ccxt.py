"""Bars of a crypto exchange through ccxt, page by page.

Where you are in the pipe: before it, see `twosided.data.bars`. Needs the extra ``data``; this is the one module that imports ccxt.
"""

from functools import partial
from typing import Any

from twosided.data.bars import INTERVALS_S, SIMULATED, Bars, Limiter, Throttled, bars_of, patiently
from twosided.errors import InputError

try:
    import ccxt
except ImportError as error:
    raise InputError("bars of crypto exchanges need ccxt; install the extra: pip install 'twosided[data]'") from error

__all__ = ["binance_bars", "new_binance"]

_PAGE = 500  # bars a call


def new_binance(address: str | None = None, timeout_s: float = 10.0) -> Any:
    """Return ccxt's Binance, spot market only; *address* replaces that of the public interface."""
    exchange = ccxt.binance({"enableRateLimit": False, "timeout": int(timeout_s * 1000)})  # calls are limited here instead
    exchange.options |= {
        "defaultType": "spot",
        "fetchMarkets": {"types": ["spot"]},
        "fetchCurrencies": False,
        "fetchMargins": False,
    }
    if address:
        exchange.urls["api"]["public"] = address
    return exchange


def binance_bars(
    symbol: str = "BTC/USDT",
    interval: str = "1m",
    count: int = 1000,
    *,
    exchange: Any = None,
    limiter: Limiter | None = None,
) -> Bars:
    """Return the last *count* whole bars of *symbol*; the one that is still being made is left out.

    Args:
        symbol: as ccxt writes it.
        interval: one of `INTERVALS_S`.
        count: how many.
        exchange: of `new_binance`.
        limiter: of calls; 600 a minute unless given, a fifth of what the exchange allows.

    Raises:
        InputError: no network, no such symbol, or an answer that is none.
    """
    asked = exchange or new_binance()
    limit = limiter or Limiter(600, 60.0)
    bar_s = INTERVALS_S[interval]
    now_ms = patiently("Binance", limit, partial(_called, asked, asked.fetch_time, symbol))
    end_ms = now_ms // (bar_s * 1000) * bar_s * 1000
    since = end_ms - count * bar_s * 1000
    rows: list[list[float]] = []
    while since < end_ms:
        most = min(_PAGE, (end_ms - since) // (bar_s * 1000))
        call = partial(_called, asked, asked.fetch_ohlcv, symbol, interval, since, most)
        page = patiently("Binance", limit, call)
        rows += [[row[0] / 1000.0, *row[1:6]] for row in page if row[0] < end_ms]
        since = max(page[-1][0], since) + bar_s * 1000 if page else end_ms
    return bars_of("Binance", symbol, bar_s, rows)


def _called(exchange: Any, method: Any, symbol: str, *arguments: Any) -> Any:
    """Call ccxt and put its errors into our words."""
    try:
        answer = method(symbol, *arguments) if arguments else method()
    except (ccxt.RateLimitExceeded, ccxt.DDoSProtection):
        headers = {str(name).lower(): value for name, value in (exchange.last_response_headers or {}).items()}
        after = str(headers.get("retry-after", ""))
        raise Throttled(float(after) if after.isdigit() else 60.0) from None
    except ccxt.BadSymbol:
        raise InputError(f"Binance has no {symbol!r}; expected a pair such as BTC/USDT") from None
    except (ccxt.AuthenticationError, ccxt.PermissionDenied):
        raise InputError(f"Binance refuses this address or place; use {SIMULATED}") from None
    except ccxt.RequestTimeout:
        raise InputError(
            f"Binance did not answer within {exchange.timeout / 1000:g} s; try again later, or use {SIMULATED}"
        ) from None
    except ccxt.NetworkError as error:
        what = "Binance cannot be reached, or refuses this place, or its answer breaks off"
        raise InputError(f"{what} ({type(error).__name__}); without a network there is {SIMULATED}") from None
    except (ccxt.BaseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"Binance's answer is not one of bars ({type(error).__name__}); try again later") from None
    if arguments and not str(exchange.last_http_response).startswith("["):  # ccxt makes an empty list of what is not JSON
        raise InputError("Binance's answer is not one of bars; try again later")
    return answer
