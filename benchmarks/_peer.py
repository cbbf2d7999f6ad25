"""hftbacktest 2.4 on the same feed with the same strategy: the peer of the benchmarks and of tests/engines/test_peer.py.

Its fastest book, the ROI vector, is used. Its exchange applies every event by itself where ours looks only at whole messages, and
its partial-fill exchange does not book partial fills, so comparisons are made without them.
"""

from dataclasses import dataclass
from typing import Any

import hftbacktest as hft
import numpy as np
import numpy.typing as npt
from hftbacktest.types import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    event_dtype,
)
from numba import njit

from twosided.market.event import Events, Kind
from twosided.market.instrument import Instrument

__all__ = ["PeerRun", "converted", "converted_by_order", "run_peer", "run_peer_probes"]

MAKER_FEE, TAKER_FEE = -0.00005, 0.0007  # of value; the same as feeds.INSTRUMENT has in bps


@dataclass(frozen=True)
class PeerRun:
    """What the peer did: the clock, its position and the number of its trades at each decision, and the account at the end."""

    decision_ns: npt.NDArray[np.int64]
    position_lots: npt.NDArray[np.int64]
    trades: npt.NDArray[np.int64]
    volume: float
    cash: float  # fees taken off
    fees: float


def converted(events: Events, instrument: Instrument) -> npt.NDArray[np.void]:
    """Return the levels and trades of *events* as the peer's records."""
    rows = np.zeros(len(events), event_dtype)
    kind = np.where(events["kind"] == Kind.TRADE, np.uint64(TRADE_EVENT), np.uint64(DEPTH_EVENT))
    side = np.where(events["side"] > 0, np.uint64(BUY_EVENT), np.uint64(SELL_EVENT))
    rows["ev"] = kind | side | np.uint64(EXCH_EVENT) | np.uint64(LOCAL_EVENT)
    rows["exch_ts"], rows["local_ts"] = events["exch_ns"], events["local_ns"]
    rows["px"] = _prices(events["ticks"], instrument)
    rows["qty"] = np.round(events["lots"] * float(instrument.lot_size), -int(instrument.lot_size.as_tuple().exponent))
    return rows


def converted_by_order(events: Events, instrument: Instrument, *, moves: bool = False) -> npt.NDArray[np.void]:
    """Return *events* of single orders as the peer's records.

    Its FILL does not change the book; the CANCEL, or the MODIFY to what is left, that must follow does. Of orders that lose their
    place a CANCEL and an ADD are made, unless *moves* asks for its own MODIFY.
    """
    lines: list[tuple[int, int]] = []  # kind and event
    left: dict[int, tuple[int, int]] = {}  # ticks and lots by order
    lots = events["lots"].copy()
    for i, (kind, order_id, ticks, size) in enumerate(events[["kind", "id", "ticks", "lots"]].tolist()):
        if kind == Kind.ADD:
            left[order_id] = (ticks, size)
            lines.append((ADD_ORDER_EVENT, i))
        elif kind == Kind.CANCEL:
            del left[order_id]
            lines.append((CANCEL_ORDER_EVENT, i))
        elif kind == Kind.MODIFY:
            stays = left[order_id][0] == ticks and size <= left[order_id][1]
            left[order_id] = (ticks, size)
            lines += [(MODIFY_ORDER_EVENT, i)] if stays or moves else [(CANCEL_ORDER_EVENT, i), (ADD_ORDER_EVENT, i)]
        elif kind == Kind.FILL:
            left[order_id] = (ticks, left[order_id][1] - size)
            lines += [(FILL_EVENT, i), (MODIFY_ORDER_EVENT if left[order_id][1] else CANCEL_ORDER_EVENT, i)]
            lots[i] = left[order_id][1]  # of the line that follows
        elif kind == Kind.TRADE:
            lines.append((TRADE_EVENT, i))
    kinds, of = np.array(lines, np.int64).T
    rows = np.zeros(len(lines), event_dtype)
    side = np.where(events["side"][of] > 0, np.uint64(BUY_EVENT), np.uint64(SELL_EVENT))
    rows["ev"] = kinds.astype(np.uint64) | side | np.uint64(EXCH_EVENT) | np.uint64(LOCAL_EVENT)
    rows["exch_ts"], rows["local_ts"], rows["order_id"] = events["exch_ns"][of], events["local_ns"][of], events["id"][of]
    rows["px"] = _prices(events["ticks"][of], instrument)
    rows["qty"] = np.round(lots[of] * float(instrument.lot_size), -int(instrument.lot_size.as_tuple().exponent))
    return rows


def _prices(ticks: npt.NDArray[np.int32], instrument: Instrument) -> npt.NDArray[np.float64]:
    """Return prices rounded to the decimals of the tick, so that the peer's ticks are ours."""
    return np.round(ticks * float(instrument.tick_size), -int(instrument.tick_size.as_tuple().exponent))


_FOREVER_NS, _FEED = 10**18, 2  # how long to wait for the next event, and what says that one came


@njit  # a jitclass argument: numba cannot keep this on disk, so the peer compiles it again in every process
def _quote(backtest, every_ns, half_spread_ticks, skew_ticks, quantity, most_quantities, log):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Quote as `_quoter.quoter` does; keep orders whose price is still wanted, cancel the others."""
    tick_size, n = backtest.depth(0).tick_size, 0
    while (backtest.elapse(every_ns) == 0) if every_ns > 0 else (backtest.wait_next_feed(False, _FOREVER_NS) == _FEED):
        backtest.clear_inactive_orders(0)
        depth, position = backtest.depth(0), backtest.position(0)
        if n < len(log):
            log[n, 0], log[n, 2] = backtest.current_timestamp, backtest.state_values(0).num_trades
            log[n, 1] = np.int64(np.round(position / depth.lot_size))
        n += 1
        held = position / quantity
        fair = 0.5 * (depth.best_bid_tick + depth.best_ask_tick) - skew_ticks * held
        bid = min(np.int64(np.floor(fair - half_spread_ticks)), depth.best_bid_tick)
        ask = max(np.int64(np.ceil(fair + half_spread_ticks)), depth.best_ask_tick)
        want_bid, want_ask = held < most_quantities - 0.5, held > 0.5 - most_quantities
        orders = backtest.orders(0).values()
        while orders.has_next():
            order = orders.get()
            if order.side == hft.BUY and order.price_tick == bid and want_bid:
                want_bid = False
            elif order.side == hft.SELL and order.price_tick == ask and want_ask:
                want_ask = False
            elif order.cancellable:
                backtest.cancel(0, order.order_id, False)
        if want_bid:
            backtest.submit_buy_order(0, np.uint64(bid), bid * tick_size, quantity, hft.GTX, hft.LIMIT, False)
        if want_ask:
            backtest.submit_sell_order(0, np.uint64(ask), ask * tick_size, quantity, hft.GTX, hft.LIMIT, False)
    return n


def run_peer(
    rows: npt.NDArray[np.void],
    instrument: Instrument,
    params: dict[str, float],
    *,
    price_range: tuple[float, float],
    queue: str = "power",
    exponent: float = 2.0,
    latency_ns: int = 1_000_000,
    every_ns: int = 100_000_000,
    decisions: int = 0,
) -> PeerRun:
    """Run the peer over *rows* from memory, and keep what it saw at the first *decisions* decisions.

    Args:
        rows: see `converted`.
        instrument: for tick and lot size.
        params: of the strategy, see `_quoter.PARAMS`.
        price_range: lowest and highest price that its book holds.
        queue: "power" with *exponent*, "log", or "fifo" for rows order by order.
        exponent: of the power model.
        latency_ns: of orders and of responses.
        every_ns: between decisions; 0: one after every event that is heard of.
        decisions: rows of the log; more decisions are made and not logged.
    """
    backtest = _backtest(rows, instrument, price_range, queue, exponent, latency_ns)
    log = np.zeros((decisions, 3), np.int64)
    made = _quote(backtest, every_ns, *(params[name] for name in _ORDER), log)
    values = backtest.state_values(0)
    account = (values.trading_volume, values.balance - values.fee, values.fee)
    backtest.close()
    log = log[:made]
    return PeerRun(log[:, 0], log[:, 1], log[:, 2], *account)


_ORDER = ("half_spread_ticks", "skew_ticks", "quantity", "most_quantities")


def _backtest(
    rows: npt.NDArray[np.void],
    instrument: Instrument,
    price_range: tuple[float, float],
    queue: str,
    exponent: float,
    latency_ns: int,
) -> Any:
    """Return the peer, ready to run; arguments as for `run_peer`."""
    asset = hft.BacktestAsset().data(rows).linear_asset(1.0).constant_order_latency(latency_ns, latency_ns)
    if queue == "fifo":
        asset = asset.l3_fifo_queue_model()
    else:
        asset = asset.power_prob_queue_model(exponent) if queue == "power" else asset.log_prob_queue_model()
    asset = asset.no_partial_fill_exchange().trading_value_fee_model(MAKER_FEE, TAKER_FEE)
    asset = asset.tick_size(float(instrument.tick_size)).lot_size(float(instrument.lot_size))
    asset = asset.roi_lb(price_range[0]).roi_ub(price_range[1]).last_trades_capacity(0)
    return hft.ROIVectorMarketDepthBacktest([asset])


@njit
def _probe(backtest, every_ns, steps, side, quantity, log):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Join the best price with one order, leave it there for *steps* - 1 decisions, cancel it, and so on; log (sent, filled at)."""
    n, step, working = 0, 0, 0
    while backtest.elapse(every_ns) == 0 and n < len(log):
        orders = backtest.orders(0)
        if working and orders.get(np.uint64(working)).status == hft.FILLED:
            log[n, 1] = orders.get(np.uint64(working)).exch_timestamp
            working = 0
        if step == 0:
            depth = backtest.depth(0)
            log[n, 0] = backtest.current_timestamp
            working = n + 1
            if side > 0:
                backtest.submit_buy_order(0, np.uint64(working), depth.best_bid, quantity, hft.GTX, hft.LIMIT, False)
            else:
                backtest.submit_sell_order(0, np.uint64(working), depth.best_ask, quantity, hft.GTX, hft.LIMIT, False)
        elif step == steps - 1 and working and orders.get(np.uint64(working)).cancellable:
            backtest.cancel(0, np.uint64(working), False)
        step += 1
        if step > steps:
            n, step, working = n + 1, 0, 0
            backtest.clear_inactive_orders(0)
    return n


def run_peer_probes(
    rows: npt.NDArray[np.void],
    instrument: Instrument,
    *,
    price_range: tuple[float, float],
    side: int,
    quantity: float,
    steps: int,
    every_ns: int,
    queue: str = "fifo",
    exponent: float = 2.0,
    latency_ns: int = 1_000_000,
    most: int = 100_000,
) -> npt.NDArray[np.int64]:
    """Return (sent, filled at or 0) of orders that join the best price one after the other, each for *steps* decisions."""
    backtest = _backtest(rows, instrument, price_range, queue, exponent, latency_ns)
    log = np.zeros((most, 2), np.int64)
    made = _probe(backtest, every_ns, steps, side, quantity, log)
    backtest.close()
    return log[:made]
