"""Where own size is no longer small against the market's: a replay cannot show how others would have answered it.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

Recorded prices do not move for own orders. Two numbers say whether that may be taken for true.

- Own share of all that traded. By the square-root law of impact (Tóth et al. 2011, Physical Review X 1, 021006) a share f of what
  trades, bought or sold, moves the price by about sigma * sqrt(f), sigma that of the same stretch of time: 5 % by a fifth of all
  that the price moves by itself. `MOST_SHARE` is there.
- Own quote against what is displayed at the touch. Others lean on the imbalance (B - A) / (B + A) of the best sizes. Where both are
  alike, a quote of x times them shifts it by x / (2 + x): a quarter by 0.11, as much as a ninth of the way to an empty other side.
  `MOST_OF_TOUCH` is there. The size of a trade says how many of them a quote needs; it is told, and no reason to warn.
"""

from statistics import median

import polars as pl

from twosided.explain.words import market_name, unit_of
from twosided.market.instrument import Instrument
from twosided.market.order import OrderAction
from twosided.market.run import Run

__all__ = ["MOST_OF_TOUCH", "MOST_SHARE", "quote_lots", "size_warnings"]

MOST_SHARE = 0.05
"""Own volume over all that traded; more is no longer small."""

MOST_OF_TOUCH = 0.25
"""Own quote over the median size displayed at the touch; more is no longer small."""

_QUOTED = (int(OrderAction.SEND_NEW), int(OrderAction.SEND_REPLACE))


def size_warnings(run: Run) -> list[str]:
    """Return a sentence for each market in which own orders are too large for the recorded market to stay as it was.

    Reads ``facts["market_volume_lots"]`` and, where it is there, ``facts["typical_lots"]`` (`twosided.market.typical_sizes`).
    """
    found = (_warning(run, market, instrument) for market, instrument in enumerate(run.instruments))
    return [sentence for sentence in found if sentence]


def quote_lots(run: Run, market: int) -> int:
    """Return the median size of the orders sent, in lots; of the quotes wished for where orders were not logged, 0 without any."""
    sent = run.orders.filter((pl.col("market") == market) & pl.col("action").is_in(_QUOTED))["lots"]
    wished = run.quotes.filter((pl.col("market") == market) & (pl.col("lots") > 0))["lots"]
    sizes = sent if len(sent) else wished
    return int(median(sizes.to_list())) if len(sizes) else 0


def _warning(run: Run, market: int, instrument: Instrument) -> str:
    reasons = [*_volume(run, market), *_quotes(run, market, instrument)]
    if not reasons:
        return ""
    return (
        f"{market_name(instrument)}: own orders are not small against the market: {'; '.join(reasons)}. "
        "A replay does not show how others would have answered."
    )


def _volume(run: Run, market: int) -> list[str]:
    traded = (run.facts.get("market_volume_lots") or [0] * len(run.instruments))[market]
    own = int(run.fills.filter(pl.col("market") == market)["lots"].sum())
    if not traded or own <= MOST_SHARE * traded:  # where no trades are recorded, nobody knows
        return []
    return [f"own fills are {own / traded:.1%} of all that traded"]


def _quotes(run: Run, market: int, instrument: Instrument) -> list[str]:
    typical = (run.facts.get("typical_lots") or [{}] * len(run.instruments))[market]
    touch, trade, own = typical.get("touch_lots", 0), typical.get("trade_lots", 0), quote_lots(run, market)
    if not touch or own <= MOST_OF_TOUCH * touch:
        return []
    unit = unit_of(instrument)
    shown, quoted, traded = (f"{instrument.quantity(lots):,.6g}" for lots in (touch, own, trade))
    aside = f"; the usual trade is {traded}" if trade else ""
    return [f"own quotes of {quoted} {unit} stand beside {shown} displayed at the touch ({own / touch:.0%} of it{aside})"]
