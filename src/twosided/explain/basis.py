"""What statistics rest on: horizons, sampling, and how long venues trade.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

A year that does not fit scales a Sharpe ratio by a factor of two or more, so it is never guessed: a venue that is not in
`TRADING_YEARS` has none, and what needs one is not given until the user states it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from twosided.errors import InputError
from twosided.explain.markouts import HORIZONS_NS
from twosided.explain.reporting import Reporting
from twosided.explain.split import HORIZON_NS
from twosided.market.instrument import Instrument
from twosided.market.run import Run
from twosided.units import NS_PER_SECOND

__all__ = ["TRADING_YEARS", "US_SHARES", "Basis", "TradingYear", "trading_year"]


class TradingYear(NamedTuple):
    """Trading days in a year, and trading hours in a day."""

    days: float
    hours: float


_NEVER_CLOSED = TradingYear(365.0, 24.0)
US_SHARES = TradingYear(252.0, 6.5)
_CRYPTO = (
    "binance bitfinex bitflyer bitget bitmex bitstamp bybit coinbase coinex crypto deribit dydx ftx gate gateio gemini huobi htx "
    "hyperliquid kraken kucoin mexc okcoin okex okx phemex poloniex upbit whitebit woo"
)
_SHARES = "arcx bats dbeq edga edgx epiq iex iexg memx nasdaq nyse xase xbos xchi xcis xnas xnys xpsx"

TRADING_YEARS: Mapping[str, TradingYear] = {
    **dict.fromkeys(_CRYPTO.split(), _NEVER_CLOSED),
    **dict.fromkeys(_SHARES.split(), US_SHARES),
    "glbx": TradingYear(252.0, 23.0),  # CME Globex: closed for an hour a day
    "twosided": US_SHARES,  # the generated session
}
"""By the first word of a venue's name in lower case: ``binance-futures`` is ``binance``, ``XNAS.ITCH`` is ``xnas``."""


def trading_year(instrument: Instrument) -> TradingYear | None:
    """Return the trading year of an instrument's venue; None where it is not known."""
    return TRADING_YEARS.get(instrument.venue.lower().replace("-", " ").replace(".", " ").split(" ")[0])


@dataclass(frozen=True)
class Basis:
    """What statistics rest on; every figure that depends on one of these is shown with it.

    Args:
        horizon_ns: of the split's adverse part.
        markout_horizons_ns: of the markouts.
        period_ns: sampling of equity for Sharpe and Sortino.
        inventory_period_ns: sampling of the position for its mean reversion.
        reporting: the currency in which accounts of several are also shown together; None: they are kept apart.
        days_per_year, hours_per_day: for scaling money to days, months and years; None: what `TRADING_YEARS` has for the venue.

    Raises:
        InputError: one of them is not positive.
    """

    horizon_ns: int = HORIZON_NS
    markout_horizons_ns: tuple[int, ...] = HORIZONS_NS
    period_ns: int = 60 * NS_PER_SECOND
    inventory_period_ns: int = NS_PER_SECOND
    days_per_year: float | None = None
    hours_per_day: float | None = None
    reporting: Reporting | None = None

    def __post_init__(self) -> None:
        for name in ("period_ns", "inventory_period_ns", "days_per_year", "hours_per_day"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} is {value}; allowed: more than 0")

    def of(self, run: Run) -> Self:
        """Return this basis with the trading year of *run*'s venues where none was stated; None stays where they have none."""
        years = {trading_year(instrument) for instrument in run.instruments}
        year = years.pop() if len(years) == 1 else None
        days, hours = (None, None) if year is None else year
        return replace(self, days_per_year=self.days_per_year or days, hours_per_day=self.hours_per_day or hours)

    @property
    def day_ns(self) -> float | None:
        """Length of a trading day, ns; None where it is not known."""
        return None if self.hours_per_day is None else self.hours_per_day * 3600.0 * NS_PER_SECOND

    @property
    def month_ns(self) -> float | None:
        """Length of a twelfth of a trading year, ns."""
        return None if self.day_ns is None or self.days_per_year is None else self.day_ns * self.days_per_year / 12.0

    @property
    def periods_per_year(self) -> float | None:
        """How many sampling periods a trading year has."""
        return None if self.month_ns is None else 12.0 * self.month_ns / self.period_ns
