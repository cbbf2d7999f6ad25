"""Bars and quotes of Finnhub (finnhub.io), over its REST interface.

Where you are in the pipe: before it, see `twosided.data.bars`. The key travels in a header, never in an address, and no message
or log shows it. The client is a few lines of the standard library: Finnhub's own puts the key into the address of every call.
"""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from twosided.data.bars import INTERVALS_S, SIMULATED, Bars, Limiter, Quote, Throttled, bars_of, patiently
from twosided.errors import InputError

__all__ = ["KEY", "Finnhub"]

KEY = "FINNHUB_API_KEY"
"""The environment variable that holds the key; there is no other place for it."""

_ADDRESS = "https://finnhub.io/api/v1"
_RESOLUTIONS = {"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "1d": "D"}
_PAGE = 5_000  # bars asked for at a time
_DAYS = {60: 3.5, 300: 3.5, 900: 3.5, 1800: 3.5, 3600: 3.5, 86_400: 1.5}
"""How much longer than its bars a stretch of time is, in which a market is closed at nights and weekends."""
_LONGEST_CLOSED_S = 5 * 86_400
"""A long weekend with its nights: what is looked at is longer than that, so that a closed market is not one without bars."""


class Finnhub:
    """A client of at most 60 calls a minute.

    Args:
        key: of an account.
        address: of the service.
        limiter: of its calls.
        now_s: seconds since the epoch.
        timeout_s: of one call.
    """

    def __init__(
        self,
        key: str,
        *,
        address: str = _ADDRESS,
        limiter: Limiter | None = None,
        now_s: Callable[[], float] = time.time,
        timeout_s: float = 10.0,
    ) -> None:
        if not key.strip() or not key.strip().isprintable() or not key.strip().isascii():
            raise InputError(f"{KEY} does not hold a key; https://finnhub.io gives one")
        self._key, self._address, self._now_s, self._timeout_s = key.strip(), address, now_s, timeout_s
        self._limiter = limiter or Limiter(60, 60.0)

    def __repr__(self) -> str:
        return f"Finnhub(address={self._address!r})"

    def bars(self, symbol: str, interval: str = "1m", count: int = 1000) -> Bars:
        """Return the last *count* whole bars, or fewer where there are no more; the one that is still being made is left out.

        Raises:
            InputError: no network, a key that is not taken or a plan without bars, no such symbol, or an answer that is none.
        """
        bar_s, now_s = INTERVALS_S[interval], int(self._now_s())
        until = now_s
        rows: list[tuple[float, ...]] = []
        while len(rows) < count:
            page = min(count - len(rows), _PAGE)
            begin = until - int(page * bar_s * _DAYS[bar_s]) - _LONGEST_CLOSED_S
            query = {"symbol": symbol, "resolution": _RESOLUTIONS[interval], "from": begin, "to": until}
            found = _candles(self._get("stock/candle", query), symbol)
            if not found:
                break
            rows = [row for row in found if row[0] + bar_s <= now_s] + rows
            until = int(found[0][0]) - 1
        return bars_of("Finnhub", symbol, bar_s, rows[-count:])

    def quote(self, symbol: str) -> Quote:
        """Return the last price.

        Raises:
            InputError: as `bars`.
        """
        answer = self._get("quote", {"symbol": symbol})
        price, seconds = (answer.get(name) if isinstance(answer, dict) else None for name in ("c", "t"))
        if not isinstance(price, (int, float)) or not isinstance(seconds, (int, float)) or not 0 < price < 1e7:
            raise InputError(f"Finnhub has no price of {symbol}")
        return Quote("Finnhub", symbol, float(price), int(seconds) * 1_000_000_000)

    def _get(self, path: str, query: dict[str, Any]) -> Any:
        request = urllib.request.Request(f"{self._address}/{path}?{urllib.parse.urlencode(query)}")  # noqa: S310 - the address is ours
        request.add_unredirected_header("X-Finnhub-Token", self._key)  # nobody but Finnhub gets the key
        return patiently("Finnhub", self._limiter, lambda: self._answer(request, path))

    def _answer(self, request: urllib.request.Request, path: str) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as response:  # noqa: S310
                body = response.read()
            return json.loads(body)
        except urllib.error.HTTPError as error:
            error.close()
            raise _refusal(error.code, error.headers.get("Retry-After"), path) from None
        except TimeoutError:
            raise InputError(f"Finnhub did not answer within {self._timeout_s:g} s; try again later, or use {SIMULATED}") from None
        except (http.client.HTTPException, ValueError):
            raise InputError("Finnhub's answer breaks off or is not JSON; try again") from None
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                raise InputError(
                    f"Finnhub did not answer within {self._timeout_s:g} s; try again later, or use {SIMULATED}"
                ) from None
            raise InputError(
                f"Finnhub cannot be reached ({type(reason).__name__}); without a network there is {SIMULATED}"
            ) from None


def _refusal(code: int, retry_after: str | None, path: str) -> Exception:
    if code == 429:
        return Throttled(float(retry_after) if retry_after and retry_after.isdigit() else 60.0)
    if code == 401:
        return InputError(f"Finnhub does not take the key in {KEY}; check it, or use {SIMULATED}")
    if code == 403:
        what = "bars (its free plan has none)" if path == "stock/candle" else "this"
        return InputError(
            f"the Finnhub plan of this key does not include {what}; --book makes a synthetic book of one quote, or use {SIMULATED}"
        )
    return InputError(f"Finnhub answers with HTTP status {code}; try again later, or use {SIMULATED}")


def _candles(answer: Any, symbol: str) -> list[tuple[float, ...]]:
    """Return rows of begin, open, high, low, close, volume out of Finnhub's columns."""
    if isinstance(answer, dict) and answer.get("s") == "no_data":
        return []
    if not isinstance(answer, dict) or answer.get("s") != "ok":
        raise InputError(f"Finnhub's answer for {symbol} is not one of bars")
    try:
        return sorted(tuple(map(float, row)) for row in zip(*(answer[name] for name in "tohlcv"), strict=True))
    except (KeyError, TypeError, ValueError):
        raise InputError(f"Finnhub's bars of {symbol} lack a column, or one is shorter than another") from None
