"""Overlays of two markets: the fair price of the other moves the centre, and the hedge follows inventory outside its band only."""

import math

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.market.instrument import Instrument
from twosided.models.no_trade_band import no_trade_band
from twosided.strategies.compose import compose
from twosided.strategies.fixed import fixed
from twosided.strategies.overlays.hedge import hedger
from twosided.strategies.overlays.pair import carry, pair_alpha

pytestmark = pytest.mark.interpreted

START_NS = 1_700_000_000_000_000_000
PLAIN = {"half_spread": 5.0, "unit": "ticks", "max_position": 1000.0}
INSTRUMENTS = tuple(Instrument(symbol=name, tick_size="0.01", lot_size="1") for name in ("A", "B"))


class Desk:
    """A strategy that is shown two markets, each as (mid in ticks, position); both are four ticks wide."""

    def __init__(self, overlay, **params):
        self.strategy = compose(fixed, overlay).with_params(PLAIN, **params)
        self.row = np.zeros(1, self.strategy.row_dtype(2))[0]
        self.strategy.fill_params(self.row, INSTRUMENTS)
        self.row.start_ns = START_NS

    def see(self, seconds, first, second, volatility=0.0, working=0):
        self.row.now_ns = START_NS + round(seconds * 1e9)
        for view, (mid, position) in zip(self.row.market, (first, second), strict=True):
            view.bid_ticks, view.ask_ticks, view.bid_lots, view.ask_lots = mid - 2, mid + 2, 100, 100
            view.position_lots, view.tick_size, view.lot_size, view.open = position, 0.01, 1.0, 1
        self.row.market[1].working_bid_lots = working
        if "volatility" in (self.row.signals.dtype.names or ()):
            self.row.signals.volatility[1] = volatility
        self.strategy(self.row)
        return self

    def quotes(self, market):
        return tuple((int(q["ticks"]), int(q["lots"])) for q in self.row.quotes[market, :, 0])

    def centre(self):
        """Where the plan's centre is, in ticks; quotes may have been kept from crossing."""
        return float(self.row.memory.plan.centre)


def test_the_centre_follows_the_other_market_and_its_mean_takes_over_in_time():
    desk = Desk(pair_alpha, pair_mean_s=10.0)
    desk.see(0.0, (100_000, 0), (50_000, 0))
    assert desk.centre() == 100_000
    assert desk.see(0.1, (100_000, 0), (50_006, 0)).centre() == pytest.approx(100_006)
    for step in range(2, 1000):
        desk.see(0.1 * step, (100_000, 0), (50_006, 0))
    assert desk.centre() == pytest.approx(100_000, abs=1e-3)  # the basis is another now


def test_the_basis_is_an_exponential_mean():
    desk = Desk(pair_alpha, pair_mean_s=10.0, pair_sample_s=0.1)
    desk.see(0.0, (100_000, 0), (50_000, 0))
    for step in range(1, 101):
        desk.see(0.1 * step, (100_000, 0), (50_000 - 1000, 0))
    left = 1010.0 - desk.row.memory.pair_filter.intercept
    assert left == pytest.approx(10.0 * math.exp(-10.0 / 10.0), rel=1e-9)


def test_ratio_weight_threshold_and_bound():
    def shift(**params):
        desk = Desk(pair_alpha, **params)
        desk.see(0.0, (100_000, 0), (10_000, 0))
        return round(desk.see(0.1, (100_000, 0), (10_001, 0)).centre() - 100_000, 9)

    assert shift(pair_ratio=10.0) == 10
    assert shift(pair_ratio=10.0, pair_weight=0.4) == 4
    assert shift(pair_ratio=10.0, pair_most=3.0) == 3
    assert shift(pair_ratio=-1.0) == -1
    assert shift(pair_ratio=10.0, pair_from_z=3.0) == 10  # nothing to compare with yet
    quiet = Desk(pair_alpha, pair_from_z=3.0)
    for step in range(100):
        quiet.see(0.1 * step, (100_000 + 3 * (-1) ** step, 0), (10_000, 0))
    assert quiet.see(10.0, (100_003, 0), (10_000, 0)).centre() == 100_003  # within three deviations
    assert quiet.see(10.01, (100_020, 0), (10_000, 0)).centre() < 100_010


def test_a_ratio_that_walks_is_learnt():
    random, mid = np.random.default_rng(1), 10_000
    desk = Desk(pair_alpha, pair_ratio=1.5, pair_drift=0.5, pair_mean_s=1000.0)
    for step in range(2000):
        mid += int(random.integers(-20, 21))
        desk.see(0.1 * step, (2 * mid + 50_000, 0), (mid, 0))
    assert desk.row.memory.pair_filter.slope == pytest.approx(2.0, abs=0.02)


def test_a_dated_future_is_quoted_around_its_cost_of_carry_which_runs_out():
    desk = Desk(carry, carry_rate=0.05, carry_yield=0.02, carry_days=36.5, carry_most=1e6)
    fair = 100_000 * math.exp(0.03 * 0.1)
    assert desk.see(0.0, (100_290, 0), (100_000, 0)).centre() == pytest.approx(fair, rel=1e-12)
    later = 100_000 * math.exp(0.03 * 0.05)
    assert desk.see(18.25 * 86_400, (100_150, 0), (100_000, 0)).centre() == pytest.approx(later, rel=1e-12)
    assert desk.see(40 * 86_400, (100_001, 0), (100_000, 0)).centre() == pytest.approx(100_000)


def test_a_perpetual_is_quoted_around_what_its_funding_makes_of_it():
    desk = Desk(carry, carry_contract="perpetual", carry_rate=0.2095, carry_iota=0.1095, carry_kappa=1095.0)
    assert desk.see(0.0, (100_000, 0), (100_000, 0)).centre() == pytest.approx(
        100_000 * (1095 - 0.1095) / (1095 - 0.2095), rel=1e-12
    )


def test_the_cheap_side_is_quoted_nearer():
    def widths(mid, aggression=0.5):
        desk = Desk(carry, carry_aggression=aggression, half_spread=20.0, carry_weight=0.0)
        (bid, _), (ask, _) = desk.see(0.0, (mid, 0), (100_000, 0)).quotes(0)
        return mid - bid, ask - mid

    assert widths(99_990) == (10, 20)  # below its fair price: eager to buy
    assert widths(100_010) == (20, 10)
    assert widths(100_000) == (20, 20)
    assert widths(99_990, aggression=0.0) == (20, 20)


def test_inventory_is_offset_outside_the_band_and_only_to_its_edge():
    desk = Desk(hedger, hedge_band=3.0, hedge_ratio=2.0)
    assert desk.see(0.0, (100_000, 1), (100_000, 0)).quotes(1) == ((0, 0), (0, 0))
    assert desk.see(0.1, (100_000, 5), (100_000, 0)).quotes(1)[1] == (99_998, 7)  # sells at the bid: 10 wanted, 3 left
    assert desk.see(0.2, (100_000, 5), (100_000, -7)).quotes(1)[1][1] == 0  # at the edge
    assert desk.see(0.3, (100_000, -5), (100_000, -7)).quotes(1)[0] == (100_002, 14)
    assert desk.quotes(1)[1][1] == 0


def test_an_order_under_way_stands_until_the_market_leaves_it():
    desk = Desk(hedger, hedge_band=1.0)
    desk.see(0.0, (100_000, -9), (100_000, 0))
    assert desk.quotes(1)[0] == (100_002, 8)
    assert desk.see(0.1, (100_000, -12), (99_999, 0), working=8).quotes(1)[0] == (100_002, 8)
    assert desk.see(0.2, (100_000, -12), (100_003, 0), working=8).quotes(1)[0] == (100_005, 11)


def test_the_band_is_the_one_that_costs_least():
    desk = Desk(hedger, hedge_gamma=1e-3, hedge_fee=1.0, hedge_memory_s=1e9)
    desk.see(0.0, (100_000, 0), (100_000, 0), volatility=4.0)
    for step in range(1, 11):
        desk.see(step, (100_000, step % 2 * 2), (100_000, 0), volatility=4.0)
    expected = no_trade_band(cost=0.02 + 1e-4 * 1000.0, variance=4.0, gamma=1e-3, sigma=0.04)
    assert desk.row.memory.hedge_band_now == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("overlay", [pair_alpha, carry, hedger])
def test_one_market_is_not_enough(overlay):
    strategy = compose(fixed, overlay)
    row = np.zeros(1, strategy.row_dtype(1))[0]
    with pytest.raises(InputError, match="looks at market 1, and the run has one market"):
        strategy.fill_params(row, INSTRUMENTS[:1])


def test_the_hedger_declares_market_1_as_one_of_hedges():
    assert compose(fixed, pair_alpha, hedger).hedges == (1,)
    assert compose(fixed, pair_alpha).hedges == ()
