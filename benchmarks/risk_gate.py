"""Nanoseconds of processor time to check an order against every limit there is.

The gate by itself: what its caller does to know what is open (`twosided.execution.gatekeeper`) is left out.
"""

import time
from typing import Any

import numpy as np

from _measure import medians, on_one_core, report
from twosided._compile import compiled
from twosided.market.instrument import Instrument
from twosided.risk.gate import check_order, on_sent, trim
from twosided.risk.limits import Limits
from twosided.risk.state import ASKED, new_gate

on_one_core()

ORDERS = 1_000_000
INSTRUMENT = Instrument(symbol="SHARE", tick_size="0.01", lot_size="1")
EVERY = Limits(
    price_collar_bps=100,
    min_order_value=1,
    max_order_quantity=1000,
    max_order_value=200_000,
    max_open_value_per_side=500_000,
    max_position=1000,
    max_position_value=200_000,
    max_gross_value=500_000,
    max_net_value=300_000,
    max_leverage=3,
    capital=100_000,
    max_daily_loss=5000,
    max_drawdown=10_000,
    max_inventory_age="15min",
    message_budget_per_second=1000,
    deny_duplicates=True,
    deny_own_crossing=True,
    post_only=True,
    max_fills_per_side=20,
    max_open_orders=100,
    max_book_age="1s",
    max_stream_age="1s",
    max_clock_error="1ms",
    max_order_to_trade=100,
    instruments=("SHARE",),
    require_dead_man=True,
)


def _check_all(gates: Any, markets: Any, asked: Any, positions: Any, begin_ns: int) -> int:
    gate, market, passed = gates[0], markets[0], 0
    for i in range(asked.shape[0]):
        now_ns = begin_ns + i * 2_000_000
        market.position_lots = positions[i]
        market.book_ns = market.reference_ns = gate.stream_ns = now_ns
        order = asked[i]
        fits = trim(gate, market, order)
        if fits > 0:
            order.lots = fits
        if check_order(gate, market, order, now_ns) == 0:
            on_sent(gate, True, now_ns)
            gate.fills_today += 1
            passed += 1
    return passed


check_all = compiled(_check_all)


def orders() -> tuple[Any, Any]:
    """Return random orders around 150, a few per cent of which break a limit, and the position at each."""
    rng = np.random.default_rng(0)
    asked = np.zeros(ORDERS, ASKED)
    asked["side"] = rng.choice([1, -1], ORDERS)
    asked["ticks"] = 15_000 - asked["side"] * rng.integers(1, 152, ORDERS)
    asked["lots"] = rng.integers(1, 1020, ORDERS)
    asked["lot_value"] = asked["ticks"] * 2.0 * INSTRUMENT.half_tick_lot
    return asked, rng.integers(-900, 900, ORDERS)


def main() -> None:
    """Print one line."""
    asked, positions = orders()
    share = 0.0

    def ours() -> float:
        nonlocal share
        gates, markets = new_gate(EVERY, [INSTRUMENT])
        market = markets[0]
        gates[0].dead_man_armed, market.trading = 1, 1
        market.bid_ticks, market.ask_ticks, market.own_bid_ticks, market.own_ask_ticks = 14_999, 15_001, 14_990, 15_010
        market.reference_ticks, market.lot_value = 15_000, 15_000 * 2.0 * INSTRUMENT.half_tick_lot
        fresh = asked.copy()
        began = time.process_time()
        share = check_all(gates, markets, fresh, positions, 10**18) / ORDERS
        return (time.process_time() - began) / ORDERS * 1e9

    ours()
    (value,) = medians(ours)
    report("risk_gate", value, "ns an order", f"trim, check and note {ORDERS} orders, every limit stated; {share:.1%} pass")


if __name__ == "__main__":
    main()
