"""Strategies with parameters set, by name: the settings of the sources that asked for this package.

Where you are in the pipe: events -> book -> signals -> *strategy* -> risk -> order manager -> venue -> fills -> ledger.

A preset is a strategy like any other: parameters can be set over its own, and overlays can follow it.
"""

import math
from collections.abc import Mapping

from twosided.strategies.compose import Overlay, compose
from twosided.strategies.contract import Strategy
from twosided.strategies.fixed import fixed
from twosided.strategies.multi_venue import multi_venue
from twosided.strategies.overlays.alpha import flow_shift
from twosided.strategies.overlays.fills import fill_rate
from twosided.strategies.overlays.holding import inventory_size, one_sided, target_inventory
from twosided.strategies.overlays.pauses import feed_guard, toxicity_pause
from twosided.strategies.overlays.width import linear_volatility, liquidity_stress, volatility_width
from twosided.strategies.skewed_size import skewed_size

__all__ = ["PRESETS"]


def _preset(name: str, base: Strategy, *overlays: Overlay, **values: float | str) -> tuple[str, Strategy]:
    composed = compose(base, *overlays).with_params(values)
    return name, composed.called(name)


_DAILY_PERCENT = 0.01 * 100.0 / math.sqrt(23_400.0)
"""1 % a day of a price of 100, in price/sqrt(s) of a session of 6.5 hours."""

PRESETS: Mapping[str, Strategy] = dict(
    [
        _preset("fixed-5bps", fixed, half_spread=5.0, unit="bps", quantity=100.0, max_position=1000.0),
        _preset("fixed-10bps", fixed, half_spread=10.0, unit="bps", quantity=1.0, max_position=20.0),
        _preset("fixed-5c", fixed, half_spread=0.05, unit="money", quantity=1.0, max_position=20.0),
        _preset("fixed-skewed-size", skewed_size, half_spread=5.0, unit="bps", skew=0.5, quantity=100.0, max_position=1000.0),
        _preset(
            "production",
            fixed,
            linear_volatility,
            inventory_size,
            fill_rate,
            toxicity_pause,
            one_sided,
            feed_guard,
            half_spread=5.0,
            unit="bps",
            quantity=100.0,
            max_position=1000.0,
            linear_slope=10.0,
            inventory_shrink=0.5,
            inventory_grow=0.5,
            inventory_floor=10.0,
            fill_widen_at=0.8,
            fill_width=1.5,
            fill_stop_at=0.9,
            toxicity_trade_imbalance=0.7,
            toxicity_persist_s=0.0,
            toxicity_volatility=0.02,
            one_sided_at=1.0,
            feed_most_age_s=0.1,
        ),
        _preset(
            "notebook",
            fixed,
            target_inventory,
            volatility_width,
            liquidity_stress,
            inventory_size,
            flow_shift,
            half_spread=0.05,
            unit="money",
            quantity=1000.0,
            max_position=100_000.0,
            target_lean=1.2,
            target_widen=0.8,
            volatility_reference=_DAILY_PERCENT,
            volatility_half_life_s=20.0,
            volatility_width_power=math.log(4.0) / math.log(5.0),
            volatility_size_power=1.0,
            liquidity_spread=2.0,
            liquidity_width=1.5,
            liquidity_size=0.5,
            inventory_law="step",
            inventory_from=0.5,
            inventory_shrink=0.5,
            flow_from=0.3,
        ),
        _preset(
            "four-venues",
            multi_venue,
            quantity=400.0,
            max_position=2000.0,
            venue_limit=100.0,
            venue_cut=0.5,
            least_quantity=10.0,
            least_spread=1.0,
            fill_rate_0=0.25,
            fill_rate_1=0.30,
            fill_rate_2=0.20,
            fill_rate_3=0.15,
        ),
    ]
)
"""The presets by name.

``fixed-…`` are the naive quoters: 5 bps a side of 100 units; a full spread of 0.2 % of the mid; 0.10 in money; sizes tilted by up
to half.

``production``: half a spread of 5 bps, times 1 + 10·volatility; sizes times 1 ∓ 0.5·|q|/limit, at least 10; fills at more than 0.8
of decisions widen by half, at more than 0.9 stop; trades of a second one-sided beyond 0.7, or a move beyond 2 % in 5 s, pause it,
and so does a feed silent for 100 ms. Its daily loss, position value and inventory age are limits of `twosided.risk`.

``notebook``: 99.95 / 100.05 at a mid of 100; at five times the reference volatility 99.80 / 100.20 and 200 instead of 1,000; with
half the limit bought 99.90 / 100.02, and beyond it half the size on the side that adds; an order flow imbalance beyond 0.3 moves
the centre.

``four-venues``: 400 units over four venues by fill rates .25, .30, .20, .15, at least 10 at each; 2,000 in total; half of the side
that adds beyond 100 at a venue; a spread of at least 1 bp. The fees, -0.0020, -0.0025, -0.0015 and 0 money per share, are the
instruments'.
"""
