"""What things are called: markets, the unit of their quantities, and what a run assumed.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.
"""

from collections.abc import Sequence
from decimal import Decimal

from pydantic import ValidationError

from twosided.engines.settings import MarketSettings, ReplaySettings
from twosided.explain.basis import US_SHARES, Basis, trading_year
from twosided.market.instrument import Fees, Instrument
from twosided.market.run import Run

__all__ = [
    "assumptions",
    "currencies_apart",
    "decimals_of",
    "fee_words",
    "listed",
    "market_name",
    "price_currency",
    "settings_of",
    "typeset",
    "unit_of",
]


def market_name(instrument: Instrument) -> str:
    """Return an instrument with its venue."""
    return f"{instrument.symbol} {instrument.venue}".strip()


def price_currency(instrument: Instrument) -> str:
    """Return what prices are in; an inverse contract is paid in its currency, but quoted in another, which it does not name."""
    return "quote currency" if instrument.inverse else instrument.currency


def unit_of(instrument: Instrument) -> str:
    """Return what quantities are counted in: BTC for BTCUSDT, contracts where there is a multiplier, shares, or the symbol."""
    symbol, currency = instrument.symbol, instrument.currency
    if instrument.inverse:
        return "contracts"
    if symbol.endswith(currency) and len(symbol) > len(currency):
        return symbol.removesuffix(currency).rstrip("-/_:. ") or symbol
    if instrument.multiplier != 1:
        return "contracts"
    return "shares" if trading_year(instrument) == US_SHARES else symbol


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a price or quantity in these steps has."""
    return max(-int(step.normalize().as_tuple().exponent), 0)


def typeset(text: str) -> str:
    """Write a true minus sign before digits."""
    return text.replace("-", "−") if any(digit.isdigit() for digit in text) else text


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return words as people list them: one, two and three."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def currencies_apart(run: Run, basis: Basis) -> str:
    """Return the sentence about money in several currencies; empty where there is one, or where one was chosen to report in."""
    currencies = list(dict.fromkeys(instrument.currency for instrument in run.instruments))
    if basis.reporting is not None:
        return ""
    return f"Money is in {listed(currencies)}: each has an account of its own, and they are not added." * (len(currencies) > 1)


def settings_of(run: Run) -> ReplaySettings | None:
    """Return the settings of a replay; None where *run* is not one."""
    try:
        return ReplaySettings.model_validate(run.facts["settings"])
    except ValidationError:
        return None


def fee_words(fees: Fees, currency: str, unit: str) -> str:
    """Return the fees and taxes that are charged, with their units; a rebate is negative."""
    one = unit.removesuffix("s") if unit in {"shares", "contracts"} else unit
    said = [
        f"{words} {typeset(f'{getattr(fees, name).normalize():f}')}{' bps' if name.endswith('bps') else f' {currency} per {one}'}"
        for name, words in _RATES.items()
        if getattr(fees, name)
    ]
    if fees.tiers:
        said.append(f"other rates from a traded value of {', '.join(f'{tier.from_value.normalize():f}' for tier in fees.tiers)} on")
    return ", ".join(said) or "none"


def _own_latency(number: int, own: MarketSettings) -> str:
    """Return the latencies of a market that has its own, in words."""
    named = {"orders": own.entry_latency, "answers": own.response_latency}
    said = ", ".join(f"{name} {latency}" for name, latency in named.items() if latency is not None)
    return f"in market {number}: {said}" if said else ""


_RATES = {
    "maker_bps": "maker",
    "maker_per_unit": "maker",
    "taker_bps": "taker",
    "taker_per_unit": "taker",
    "tax_buy_bps": "tax on purchases",
    "tax_sell_bps": "tax on sales",
}


def assumptions(run: Run) -> str:
    """Return in a line what a run's result hangs on: latencies, queue model, fees."""
    parts, settings = [], settings_of(run)
    if settings is not None:
        known = run.facts.get("by_order") or [False]
        queue = "exact, order by order" if all(known) else str(settings.queue)
        parts.append(
            f"latency: feed {settings.feed_latency}, orders {settings.entry_latency}, answers {settings.response_latency}; "
            f"queue {queue}"
        )
        own = [_own_latency(number, each) for number, each in enumerate(settings.markets)]
        parts += [words for words in own if words]
        parts += ["fills in whole orders only"] * (not settings.partial_fills)
        parts += ["quotes may take"] * (not settings.orders.post_only)
    fees = (fee_words(each.fees, each.currency, unit_of(each)) for each in run.instruments)
    parts.append(f"fees: {'; '.join(dict.fromkeys(fees))}")
    return "; ".join(parts)
