"""Toxicity: signs that those who trade with us know more than we do, and a verdict in words.

Where you are in the pipe: events -> book -> *signals* -> strategy.

**VPIN**: volume is cut into buckets of V lots; VPIN is the mean of |bought - sold| / V over the last n buckets, 0 to 1. A trade
that does not fit into a bucket goes on in the next. It is 0 until n buckets are full. Where the venue does not name the aggressor,
the source splits the volume of a bar by its change of price: `bulk_buy_share`.

**Fill-rate anomaly**: own fills per opportunity (a trade that came while we quoted, or a second of quoting: the caller's choice,
but always the same one) of late against their own long average. The surprise is the number of standard deviations that a Poisson
count lies above what that average expects. Ratio 1 and surprise 0 until `WARM_FILLS` fills.

**Verdict**: `toxic_signs` compares signals with limits and returns a bit for each that is beyond; `toxic_words` says them.

Source: Easley, López de Prado and O'Hara (2012), "Flow toxicity and liquidity in a high-frequency world", Review of Financial
Studies 25, sections 1.2 and 1.3. Their warning and others' applies: VPIN moves with volume and volatility as well.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from twosided._compile import compiled
from twosided.errors import InputError

__all__ = [
    "BUCKETS",
    "FILL_RATE",
    "TOXICITY_LIMITS",
    "TRADES_PER_BUCKET",
    "VPIN",
    "WARM_FILLS",
    "bulk_buy_share",
    "toxic_signs",
    "toxic_words",
    "update_fill_rate",
    "update_usual_vpin",
    "update_vpin",
    "vpin",
]

Floats = npt.NDArray[np.float64]

BUCKETS = 50
TRADES_PER_BUCKET = 20

VPIN = np.dtype(
    (
        np.record,
        [
            ("value", "f8"),  # 0 to 1; 0 until warm
            ("count", "i8"),  # buckets that are full; warm from `BUCKETS` on
            ("bucket_lots", "f8"),  # size of the present bucket, fixed when it is opened
            ("filled", "f8"),  # lots in it, and those of them that were bought
            ("bought", "f8"),
            ("trades", "i8"),  # all, and their lots: for buckets of the usual size
            ("lots", "f8"),
            ("gaps", "f8", (BUCKETS,)),  # |bought - sold| of the last buckets, and their sizes
            ("volumes", "f8", (BUCKETS,)),
        ],
    )
)
"""Volume buckets of one market; zeroed at the start."""


def _close_bucket(row: Any) -> None:
    """Take a full bucket into the window, and look at the whole window anew."""
    place = row.count % BUCKETS
    row.gaps[place], row.volumes[place] = abs(2.0 * row.bought - row.filled), row.filled
    row.count += 1
    row.filled = row.bought = 0.0
    if row.count >= BUCKETS:
        gaps = volumes = 0.0
        for i in range(BUCKETS):
            gaps += row.gaps[i]
            volumes += row.volumes[i]
        row.value = gaps / volumes


close_bucket = compiled(_close_bucket)


def _update_vpin(row: Any, lots: float, buy_share: float, bucket_lots: float) -> None:
    """Take in *lots* of which *buy_share* (0 to 1) were bought; a bucket that is opened now will hold *bucket_lots*."""
    left = lots
    for _ in range(BUCKETS + 2):
        if left <= 0.0:
            break
        if row.filled == 0.0:
            row.bucket_lots = bucket_lots
        taken = min(left, row.bucket_lots - row.filled)
        row.filled += taken
        row.bought += taken * buy_share
        left -= taken
        if row.filled >= row.bucket_lots:
            close_bucket(row)
    if left > bucket_lots:  # all buckets of the window are this trade's: more of them would be the same
        left -= math.floor(left / bucket_lots) * bucket_lots
    if left > 0.0:
        row.bucket_lots, row.filled, row.bought = bucket_lots, left, left * buy_share


update_vpin = compiled(_update_vpin)


def _update_usual_vpin(row: Any, side: int, lots: int) -> None:
    """Take in a trade; buckets hold `TRADES_PER_BUCKET` trades of the mean size so far, the first as many trades from the start."""
    if side == 0:
        return
    row.trades += 1
    row.lots += lots
    if row.trades > TRADES_PER_BUCKET:
        update_vpin(row, float(lots), 1.0 if side > 0 else 0.0, TRADES_PER_BUCKET * row.lots / row.trades)


update_usual_vpin = compiled(_update_usual_vpin)


def _vpins(lots: Any, buy_share: Any, bucket_lots: float, state: Any, out: Any) -> None:
    """Write VPIN after each trade or bar."""
    row = state[0]
    for i in range(lots.shape[0]):
        update_vpin(row, lots[i], buy_share[i], bucket_lots)
        out[i] = row.value


vpins = compiled(_vpins)


def vpin(lots: npt.ArrayLike, buy_share: npt.ArrayLike, bucket_lots: float) -> Floats:
    """Return VPIN after each trade or bar, over the last `BUCKETS` buckets; 0 until they are full.

    Args:
        lots: traded, not negative, shape (n,).
        buy_share: of them that buyers took: 1 or 0 for a trade, any share for a bar (`bulk_buy_share`).
        bucket_lots: V; the source takes a fiftieth of a day's volume.

    Raises:
        InputError: shapes that differ, or numbers out of their range.
    """
    given, share = np.ascontiguousarray(lots, np.float64), np.ascontiguousarray(buy_share, np.float64)
    if given.ndim != 1 or given.shape != share.shape:
        raise InputError(f"buy_share has shape {share.shape}, lots {given.shape}; allowed: one share for each")
    if not (np.all((given >= 0) & np.isfinite(given)) and np.all((share >= 0) & (share <= 1)) and 0 < bucket_lots < math.inf):
        raise InputError(
            "lots, buy_share or bucket_lots is out of range; allowed: lots from 0, shares from 0 to 1, a bucket above 0"
        )
    out = np.empty(len(given))
    vpins(given, share, float(bucket_lots), np.zeros(1, VPIN), out)
    return out


def bulk_buy_share(price_changes: npt.ArrayLike) -> Floats:
    """Return the share of each bar's volume that counts as bought: Φ(change of price / standard deviation of all changes).

    Raises:
        InputError: fewer than two changes, or none that moves.
    """
    given = np.asarray(price_changes, np.float64)
    deviation = float(np.std(given, ddof=1)) if given.ndim == 1 and len(given) > 1 else 0.0
    if not 0 < deviation < math.inf:
        raise InputError(f"price_changes have shape {given.shape} and deviation {deviation:g}; allowed: at least two that differ")
    return np.array([0.5 * (1.0 + math.erf(change / deviation / math.sqrt(2.0))) for change in given])


# ---------------------------------------------------------------- own fills

WARM_FILLS = 20
_SHORT, _LONG = 50.0, 2000.0  # opportunities after which one's weight is 1/e

FILL_RATE = np.dtype(
    (
        np.record,
        [
            ("ratio", "f8"),  # fills per opportunity of late over the long average; 1 until warm (0 before the first update)
            ("surprise", "f8"),  # standard deviations above what the long average expects; 0 until warm
            ("count", "i8"),  # fills so far; warm from `WARM_FILLS` on
            ("short_fills", "f8"),  # weighted sums
            ("short_chances", "f8"),
            ("long_fills", "f8"),
            ("long_chances", "f8"),
        ],
    )
)
"""How often own quotes are hit; zeroed at the start."""


def _update_fill_rate(row: Any, opportunities: float, fills: int) -> None:
    """Take in *fills* that came in so many *opportunities*."""
    short, long = math.exp(-opportunities / _SHORT), math.exp(-opportunities / _LONG)
    row.short_fills = short * row.short_fills + fills
    row.short_chances = short * row.short_chances + opportunities
    row.long_fills = long * row.long_fills + fills
    row.long_chances = long * row.long_chances + opportunities
    row.count += fills
    row.ratio, row.surprise = 1.0, 0.0
    if row.count >= WARM_FILLS and row.long_fills > 0.0 and row.short_chances > 0.0:
        expected = row.long_fills / row.long_chances * row.short_chances
        row.ratio = row.short_fills / expected
        row.surprise = (row.short_fills - expected) / math.sqrt(expected)


update_fill_rate = compiled(_update_fill_rate)


# ---------------------------------------------------------------- verdict

TOXICITY_LIMITS = np.dtype(
    (
        np.record,
        [
            ("trade_imbalance", "f8"),  # absolute, 0 to 1
            ("volatility_ratio", "f8"),  # short over long
            ("vpin", "f8"),
            ("fill_surprise", "f8"),  # standard deviations
            ("spread_ratio", "f8"),
        ],
    )
)
"""Values from which on a sign is toxic; 0: that sign is not looked at."""

_WORDS = (
    "trades are one-sided: imbalance {:+.2f}",
    "short volatility is {:.1f} times the usual",
    "VPIN is {:.2f}",
    "our quotes are filled {:.1f} standard deviations more often than usual",
    "the spread is {:.1f} times its average",
)


def _toxic_signs(
    limits: Any, trade_imbalance: float, volatility_ratio: float, vpin_value: float, fill_surprise: float, spread_ratio: float
) -> int:
    """Return a bit for each sign that is at its limit or beyond, in the order of `TOXICITY_LIMITS`; 0: nothing is toxic."""
    signs = 0
    if 0.0 < limits.trade_imbalance <= abs(trade_imbalance):
        signs |= 1
    if 0.0 < limits.volatility_ratio <= volatility_ratio:
        signs |= 2
    if 0.0 < limits.vpin <= vpin_value:
        signs |= 4
    if 0.0 < limits.fill_surprise <= fill_surprise:
        signs |= 8
    if 0.0 < limits.spread_ratio <= spread_ratio:
        signs |= 16
    return signs


toxic_signs = compiled(_toxic_signs)


def toxic_words(signs: int, *values: float) -> str:
    """Return what `toxic_signs` found, in words; *values* are those that it was given, in their order. Empty: nothing."""
    return "; ".join(words.format(value) for bit, (words, value) in enumerate(zip(_WORDS, values, strict=True)) if signs >> bit & 1)
