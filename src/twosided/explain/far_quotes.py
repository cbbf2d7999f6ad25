"""Why nothing was filled: quotes that stood where nobody trades.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.
"""

import numpy as np
import polars as pl

from twosided.explain.paths import last_at, mids_of
from twosided.explain.words import market_name
from twosided.market.run import Run

__all__ = ["far_warnings"]

_FAR = 10  # times the market's own half-spread


def far_warnings(run: Run) -> list[str]:
    """Return a sentence for each market that was quoted, never filled, and quoted far from its mid."""
    found = (_warning(run, market) for market in range(len(run.instruments)))
    return [sentence for sentence in found if sentence]


def _warning(run: Run, market: int) -> str:
    quotes = run.quotes.filter((pl.col("market") == market) & (pl.col("lots") > 0))
    mids, instrument = mids_of(run, market), run.instruments[market]
    if not len(quotes) or not len(mids.ns) or len(run.fills.filter(pl.col("market") == market)):
        return ""
    mid = mids.half_ticks[last_at(mids.ns, quotes["ns"].to_numpy())]
    own = float(np.median(np.abs(2 * quotes["ticks"].to_numpy() - mid)))  # in half ticks, as all of this
    usual = float(np.median(mids.ask - mids.bid))
    if own <= _FAR * usual:
        return ""
    step = float(instrument.tick_size) / 2
    return (
        f"{market_name(instrument)}: nothing was filled: quotes stood {own * step:,.6g} from the mid (median), the market's own "
        f"best prices {usual * step:,.6g}; parameters such as gamma and horizon_s may not suit prices of this size"
    )
