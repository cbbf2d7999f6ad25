"""Fills by side and by cause: who filled us, and what each kind of fill was worth.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

The parts `spread` and `adverse` of the split are sums over fills, so they can be told apart by side and by cause without loss: the
groups of either kind add up to the split, to the last quantum. Hedge fills are left out, as there.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twosided.explain.markouts import HORIZONS_NS, Markout, markouts
from twosided.explain.paths import fills_of, last_at, last_before, mids_of
from twosided.explain.split import HORIZON_NS
from twosided.market.order import FillCause
from twosided.market.run import Run

__all__ = ["CAUSES", "SIDES", "FillGroup", "fill_groups"]

SIDES = {1: "bought", -1: "sold"}
CAUSES = {
    FillCause.TRADE_AT_PRICE: "trade at our price",
    FillCause.TRADE_THROUGH: "trade through our price",
    FillCause.BOOK_CROSSED: "book reached our price",
    FillCause.TOOK: "taken by us",
}
"""What people call the causes of fills."""


@dataclass(frozen=True)
class FillGroup:
    """Some fills of one market; money in quanta."""

    kind: str  # "side" or "cause"
    name: str  # of `SIDES` or `CAUSES`
    fills: int
    lots: int
    spread: int
    adverse: int
    paid: int  # fees and taxes
    markouts: tuple[Markout, ...]


def fill_groups(
    run: Run, market: int, horizon_ns: int = HORIZON_NS, markout_horizons_ns: tuple[int, ...] = HORIZONS_NS
) -> tuple[FillGroup, ...]:
    """Return the fills of *market* by side, then by cause; a group that nothing fell into is left out.

    Args:
        run: what an engine returned.
        market: index of the instrument.
        horizon_ns: h of the split.
        markout_horizons_ns: of each group's markouts.

    Raises:
        DataError: a frame of the run is not in the order of time.
    """
    mids, fills = mids_of(run, market), fills_of(run, market)
    fills = fills.where(fills.hedge != 1)
    if not len(mids.ns) or not len(fills.ns):
        return ()
    instrument = run.instruments[market]
    mid, price = instrument.price_units(mids.half_ticks), instrument.price_units(2 * fills.ticks)
    before = mid[last_before(mids.ns, fills.ns)]
    after = mid[last_at(mids.ns, np.minimum(fills.ns + horizon_ns, int(run.facts["end_ns"])))]
    signed, quanta = fills.side * fills.lots, instrument.unit_quanta

    def group(kind: str, name: str, chosen: npt.NDArray[np.bool_], **only: int) -> FillGroup:
        return FillGroup(
            kind,
            name,
            fills=int(np.sum(chosen)),
            lots=int(fills.lots[chosen].sum()),
            spread=int((signed * (before - price))[chosen].sum()) * quanta,
            adverse=int((signed * (after - before))[chosen].sum()) * quanta,
            paid=int((fills.fee + fills.tax)[chosen].sum()),
            markouts=tuple(one for one in markouts(run, markout_horizons_ns, **only) if one.market == market),
        )

    found = [group("side", name, fills.side == side, side=side) for side, name in SIDES.items()]
    found += [group("cause", name, fills.cause == int(cause), cause=int(cause)) for cause, name in CAUSES.items()]
    return tuple(one for one in found if one.fills)
