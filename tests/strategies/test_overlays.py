"""Each overlay against a case worked out by hand: half-width 10 ticks, 8 units a side, limit 80, mid 1000.00, tick 0.01."""

import math

import pytest

from twosided.errors import InputError
from twosided.models.almgren_chriss import Market, liquidate
from twosided.strategies.catalogue import OVERLAYS, STRATEGIES, find_strategy
from twosided.strategies.compose import compose

pytestmark = pytest.mark.interpreted

BASE = {"half_spread": 10, "unit": "ticks", "quantity": 8, "max_position": 80}
MIDNIGHT = 1_700_006_400_000_000_000
assert MIDNIGHT % 86_400_000_000_000 == 0


@pytest.fixture
def watch(watched):
    """Watch `fixed` with overlays."""

    def start(names, **params):
        parts = [OVERLAYS[name] for name in names.split("+")]
        return watched(compose(STRATEGIES["fixed"], *parts), {**BASE, **params})

    return start


def width(quotes):
    """Return how far bid and ask are from 100,000 ticks."""
    return 100_000 - quotes.bid, quotes.ask - 100_000


def sizes(quotes):
    return (quotes.bids[0][1] if quotes.bids else 0), (quotes.asks[0][1] if quotes.asks else 0)


# ---------------------------------------------------------------- width


def _shaken(asked, move, seconds, until=0.0):
    """Move the mid up and down by *move* ticks at each tenth of a second; return what is quoted at 100,000 at last."""
    steps = round(seconds * 10)
    for step in range(steps + 1):
        side = move if step % 2 else 0
        quotes = asked(bid=99_990 + side, ask=100_010 + side, elapsed_s=until + step * 0.1)
    return quotes


def test_volatility_width_at_the_reference_and_at_four_times_it(watch):
    # two ticks ten times a second: 2·sqrt(10) = 6.32 ticks/sqrt(s) = 0.0632 price/sqrt(s)
    sigma = 0.02 * math.sqrt(10.0)
    calm = watch("volatility_width", volatility_reference=sigma * 1.001, volatility_half_life_s=2)
    assert (width(_shaken(calm, 2, 6.0)), calm.causes) == ((10, 10), [])
    wild = watch("volatility_width", volatility_reference=sigma / 4, volatility_half_life_s=2)
    quotes = _shaken(wild, 2, 6.0)
    assert width(quotes) == (40, 40)
    assert sizes(quotes) == (1, 1)  # 8 · 4^-1.25 = 1.41
    assert wild.causes == ["VOLATILITY"]
    most = watch("volatility_width", volatility_reference=sigma / 4, volatility_half_life_s=2, volatility_most=3)
    assert width(_shaken(most, 2, 6.0)) == (30, 30)


def test_volatility_width_follows_a_jump_of_volatility_by_its_half_life(watch):
    # from v to 5 v: after n half-lives the variance is 25 - 24/2^n times v²
    sigma = 0.02 * math.sqrt(10.0)
    asked = watch("volatility_width", volatility_reference=sigma, volatility_half_life_s=2, volatility_most=100)
    _shaken(asked, 2, 40.0)
    for half_lives in (1, 2, 3):
        _shaken(asked, 10, 2.0, until=40.0 + 2.0 * (half_lives - 1))
        assert asked.plan.half_bid == pytest.approx(10 * math.sqrt(25 - 24 / 2**half_lives), rel=0.02)


def test_volatility_width_waits_a_half_life(watch):
    asked = watch("volatility_width", volatility_reference=0.001, volatility_half_life_s=2)
    assert width(_shaken(asked, 2, 1.8)) == (10, 10)
    assert width(_shaken(asked, 2, 0.2, until=1.8))[0] > 10


def test_a_reference_of_0_is_the_strategy_s_sigma_or_an_error(watch, watched):
    with pytest.raises(InputError, match="volatility_reference is 0, which stands for the strategy's sigma, but it has none"):
        watch("volatility_width")
    model = {"sigma": 0.07, "k": 20.0, "A": 1.0}
    assert watched(find_strategy("glft+volatility_width"), model).row.params.volatility_reference == 0.07


def test_linear_volatility(watch):
    # 200 ticks/sqrt(s) over 5 s of a mid of 100,000: 0.4472 %; times 1 + 100·0.004472
    asked = watch("linear_volatility", linear_slope=100)
    assert width(asked(short_volatility=200.0)) == (15, 15)
    assert asked.plan.half_ask == pytest.approx(10 * (1 + 100 * 200 * math.sqrt(5) / 100_000))


def test_liquidity_stress_by_spread_and_by_a_thin_touch(watch):
    asked = watch("liquidity_stress")
    assert (width(asked(spread_ratio=1.0, bid_lots=100, ask_lots=100)), asked.causes) == ((10, 10), [])
    quotes = asked(spread_ratio=2.1, bid_lots=100, ask_lots=100, elapsed_s=1)
    assert (width(quotes), sizes(quotes), asked.causes) == ((15, 15), (4, 4), ["LIQUIDITY"])
    assert width(asked(spread_ratio=2.0, bid_lots=100, ask_lots=100, elapsed_s=2)) == (10, 10)
    assert width(asked(spread_ratio=1.0, bid_lots=24, ask_lots=100, elapsed_s=3)) == (15, 15)
    for second in range(4, 400):  # until it is what the touch is like
        quotes = asked(spread_ratio=1.0, bid_lots=24, ask_lots=100, elapsed_s=second)
    assert width(quotes) == (10, 10)


@pytest.mark.parametrize(
    ("hour", "half", "size"),
    [
        (8.0, 20, 4),  # the open
        (8.0 + 150 / 3600, 15, 6),  # half of 300 s later
        (8.0 + 300 / 3600, 10, 8),
        (12.0, 10, 8),
        (16.0 - 75 / 3600, 18, 5),  # three quarters into the last 300 s
        (16.0, 20, 4),
        (17.0, 10, 8),
    ],
)
def test_session_edges(watch, hour, half, size):
    asked = watch("session_edges", edges_open_s=8 * 3600, edges_close_s=16 * 3600)
    quotes = asked(start_ns=MIDNIGHT, elapsed_s=hour * 3600)
    assert (width(quotes), sizes(quotes)) == ((half, half), (size, size))


def test_a_session_may_close_the_next_day(watch):
    asked = watch("session_edges", edges_open_s=23 * 3600, edges_close_s=3600)
    assert [width(asked(start_ns=MIDNIGHT, elapsed_s=hour * 3600))[0] for hour in (0.5, 1.0, 23.0)] == [10, 20, 20]


# ---------------------------------------------------------------- own fills


def test_adverse_selection_widens_on_bad_markouts_and_lets_go_later_than_it_began(watch):
    asked = watch("adverse_selection", adverse_fills=1.0, adverse_half_life_s=1e9, adverse_enter=0.5, adverse_leave=0.25)

    def fill(at_s, position, move):
        """Be filled at 100,000, and see the mid *move* ticks away when the horizon of a second is over."""
        asked(elapsed_s=at_s, position=asked.row.market[0].position_lots)
        asked(elapsed_s=at_s + 0.1, position=position)
        return asked(elapsed_s=at_s + 1.2, position=position, bid=99_990 + move, ask=100_010 + move)

    fill(0.0, 8, -8)  # bought, and it fell by 8: average -4, not beyond 0.5 · 10
    assert asked.causes == []
    fill(2.0, 16, -8)  # -6
    assert (asked.plan.half_bid, asked.causes) == (15.0, ["ADVERSE_SELECTION"])
    fill(4.0, 8, -2)  # sold, and it fell: +2; average -2, within 0.25 · 10
    assert (asked.plan.half_bid, asked.causes) == (10.0, [])
    fill(6.0, 0, 8)  # sold, and it rose: -5, not beyond
    assert asked.plan.half_bid == 10.0
    fill(8.0, -8, 6)  # -5.5
    assert asked.plan.half_bid == 15.0
    fill(10.0, 0, -1)  # bought, fell by 1: -3.25, still beyond the lower limit
    assert asked.plan.half_bid == 15.0


def test_adverse_selection_lets_go_without_fills(watch):
    asked = watch("adverse_selection", adverse_fills=0.01, adverse_half_life_s=10.0)
    for at_s, position, move in ((0.0, 0, 0), (0.1, 8, 0), (1.2, 8, -8)):
        asked(elapsed_s=at_s, position=position, bid=99_990 + move, ask=100_010 + move)
    assert asked.plan.half_bid == 15.0
    asked(elapsed_s=1.2 + 30.0, position=8)  # -8 / 8 = -1
    assert asked.plan.half_bid == 10.0


def test_adverse_selection_keeps_the_last_fills_that_wait(watch):
    asked = watch("adverse_selection", adverse_horizon_s=1000.0)
    for step in range(200):
        asked(elapsed_s=step, position=step % 2)
    assert asked.row.memory.adverse_count == 64
    assert asked.row.memory.adverse_due_ns.max() - asked.row.now_ns == 1000 * 10**9


def test_fill_rate_widens_then_stops_then_lets_go(watch):
    asked = watch("fill_rate", fill_half_life=10)
    seen = []
    for step in range(60):  # a fill at each decision: the share is 1 - 2^(-n / 10)
        quotes = asked(elapsed_s=step * 0.1, position=step % 2)
        seen.append("stop" if not quotes.bids else width(quotes)[0])
    assert seen[:23] == [10] * 23  # 1 - 2^-2.3 = 0.797
    assert seen[25:33] == [15] * 8
    assert seen[35:] == ["stop"] * 25  # 1 - 2^-3.4 = 0.905
    assert asked.causes == ["FILL_RATE"]
    for _ in range(5):
        quotes = asked(elapsed_s=6.5, position=1)
    assert width(quotes) == (10, 10)


# ---------------------------------------------------------------- pauses


def test_toxicity_pause_needs_trades_to_be_one_sided_for_a_while(watch):
    asked = watch("toxicity_pause")
    for second, imbalance, quoted in [
        (0.0, 1.0, True),  # one trade
        (1.0, 0.8, True),
        (2.0, 0.8, False),
        (2.5, 0.2, False),  # a second of rest
        (3.0, 0.2, False),
        (3.1, -0.9, True),
        (5.0, 0.0, True),
        (6.0, -0.9, True),
        (8.0, -0.9, False),
    ]:
        assert bool(asked(elapsed_s=second, trade_imbalance=imbalance).bids) == quoted, second
        assert (asked.causes == ["TRADE_IMBALANCE"]) == (not quoted)


def test_toxicity_pause_by_short_volatility(watch):
    asked = watch("toxicity_pause")  # 2 % in 5 s of 100,000 ticks: 894 ticks/sqrt(s)
    assert asked(elapsed_s=0, short_volatility=890.0).bids
    assert not asked(elapsed_s=1, short_volatility=900.0).asks
    assert asked.causes == ["SHORT_VOLATILITY"]


def test_toxicity_pause_by_vpin(watch):
    asked = watch("toxicity_pause", toxicity_vpin=0.7)
    assert asked(elapsed_s=0, vpin=0.7).bids
    assert not asked(elapsed_s=1, vpin=0.71).bids
    assert asked.causes == ["VPIN"]
    assert watch("toxicity_pause")(vpin=1.0).bids


def test_feed_guard(watch):
    asked = watch("feed_guard", feed_most_age_s=0.5)
    assert asked(feed_age_s=0.5).bids
    quotes = asked(feed_age_s=0.51)
    assert (quotes.bids, quotes.asks, asked.causes) == ([], [], ["STALE_FEED"])
    assert asked(feed_age_s=0.0).bids


# ---------------------------------------------------------------- inventory


@pytest.mark.parametrize(
    ("position", "params", "expected"),
    [
        (0, {}, (8, 8)),
        (40, {}, (6, 8)),  # 1 - 0.5 · 0.5
        (-40, {}, (8, 6)),
        (80, {}, (0, 8)),  # no room
        (40, {"inventory_shrink": 1.0}, (4, 8)),
        (79, {"inventory_shrink": 1.0}, (1, 8)),  # a lot is left
        (60, {"inventory_shrink": 1.0, "inventory_floor": 3}, (3, 8)),
        (40, {"inventory_grow": 0.5}, (6, 10)),
        (40, {"inventory_law": "step"}, (8, 8)),
        (41, {"inventory_law": "step"}, (4, 8)),
        (-41, {"inventory_law": "step"}, (8, 4)),
    ],
)
def test_inventory_size(watch, position, params, expected):
    assert sizes(watch("inventory_size", **params)(position=position)) == expected


@pytest.mark.parametrize(("position", "expected"), [(0, (8, 8)), (63, (8, 8)), (64, (0, 8)), (-63, (8, 8)), (-64, (8, 0))])
def test_one_sided(watch, position, expected):
    asked = watch("one_sided")
    assert sizes(asked(position=position)) == expected
    assert (asked.causes == ["ONE_SIDED"]) == (0 in expected)


def test_target_inventory_leans_towards_the_target(watch):
    asked = watch("target_inventory", target_position=20)
    assert [width(asked(position=position)) for position in (20, 60, -20)] == [(10, 10), (15, 5), (5, 15)]
    wider = watch("target_inventory", target_lean=1.2, target_widen=0.8)
    assert width(wider(position=40)) == (6 + 14, 4)  # the notebook's 99.90 / 100.02, in other units
    assert width(wider(position=-40)) == (4, 6 + 14)


def test_aggressive_reduction_sells_what_costs_more_to_hold_than_to_cross(watch):
    # a quote costs 0.1 · 0.1² · 60 = 0.06 to hold; crossing 10 ticks + 1 bps of 1000 = 0.2: 3.33 quotes of 8 are worth holding
    asked = watch("aggressive_reduction", reduction_sigma=0.1, reduction_taker_bps=1)
    assert width(asked(position=26)) == (10, 10)
    quotes = asked(position=40)
    assert (quotes.bids, quotes.asks) == ([], [(99_990, 13)])  # 40 - 26.67
    assert asked.causes == ["HOLDING_COSTS"]
    quotes = asked(position=-40)
    assert (quotes.bids, quotes.asks) == ([(100_010, 13)], [])
    assert width(asked(position=0)) == (10, 10)


# ---------------------------------------------------------------- the clock


def test_flatten_before_close_follows_almgren_and_chriss(watch):
    params = {"flatten_close_s": 16 * 3600, "flatten_window_s": 1000, "flatten_sigma": 0.1, "flatten_temporary": 0.01}
    asked = watch("flatten_before_close", flatten_risk_aversion=0.01, **params)

    def at(left_s, position):
        return asked(start_ns=MIDNIGHT, elapsed_s=16 * 3600 - left_s, position=position)

    assert width(at(1001, 40)) == (10, 10)
    share = liquidate(Market(sigma=0.1, temporary=0.01), position=1.0, horizon_s=1000, risk_aversion=0.01).left
    quotes = at(999, 40)
    assert not quotes.bids  # nothing that adds
    for left_s in (990, 700, 500, 20):
        kept = 40 * share[1000 - left_s]
        assert at(left_s, 40).asks == [(99_990, math.floor(40 - kept + 1e-9))], left_s
        assert at(left_s, -40).bids[0][0] == 100_010
    assert at(0, 3).asks == [(99_990, 3)]
    assert asked.causes == ["FLATTENING"]
    assert at(500, 0) == at(500, 0)
    assert not at(500, 0).bids
    assert width(at(-1, 10)) == (10, 10)  # the next day


def test_decision_interval_shortens_with_volatility_within_the_budget(watch):
    asked = watch("decision_interval", interval_reference=0.05, interval_slow_s=1.0, interval_fast_s=0.2, interval_messages_per_s=8)

    def changes(volatility, from_s, position=0):
        """Return at which tenths of the following second quotes follow a mid that moves all the time."""
        bids = [
            asked(
                elapsed_s=from_s + step / 10, bid=99_990 + step, ask=100_010 + step, short_volatility=volatility, position=position
            )
            for step in range(11)
        ]
        return [step for step in range(1, 11) if bids[step] != bids[step - 1]]

    assert changes(5.0, 0.0) == [10]
    assert changes(10.0, 100.0) == [5, 10]
    assert changes(1000.0, 200.0) == [3, 6, 9]  # 2 messages / 8 a second = 0.25 s
    assert asked.causes == ["INTERVAL"]
    still = asked(elapsed_s=300.0)
    assert asked(elapsed_s=300.1, bid=98_990, ask=99_010) == still
    assert asked(elapsed_s=300.2, bid=98_990, ask=99_010, position=1) != still  # a fill


# ---------------------------------------------------------------- the centre and the touch


def test_alpha_shift(watch):
    asked = watch("alpha_shift", alpha_imbalance=2.0, alpha_most=6)
    assert width(asked()) == (10, 10)  # before the first book
    assert width(asked(microprice_ticks=100_003.0)) == (7, 13)
    assert width(asked(microprice_ticks=100_003.0, imbalance=0.5)) == (6, 14)
    assert width(asked(microprice_ticks=100_009.0)) == (4, 16)
    assert width(asked(microprice_ticks=99_000.0)) == (16, 4)


def test_flow_shift(watch):
    asked = watch("flow_shift", flow_ofi=4.0, flow_trades=2.0, flow_from=0.3)
    assert width(asked(ofi=0.2)) == (10, 10)
    assert width(asked(ofi=0.5)) == (8, 12)
    assert width(asked(ofi=-0.5, trade_imbalance=-1.0)) == (14, 6)
    assert width(asked(ofi=100.0)) == (5, 15)


def test_mean_reversion_only_where_the_mid_reverts(watch):
    asked = watch("mean_reversion", reversion_strength=0.5, reversion_half_life_s=10)
    asked(elapsed_s=0, hurst=0.4)

    def centre(mid, elapsed_s, hurst):
        asked(elapsed_s=elapsed_s, bid=mid - 10, ask=mid + 10, hurst=hurst)
        return asked.plan.centre - mid

    assert centre(100_008, 10, 0.45) == 0.0  # not below the limit
    assert centre(100_008, 20, 0.44) == -1.0  # 8, half of it forgotten every 10 s: 2 above the average
    assert centre(100_106, 30, 0.44) == -5.0  # no more
    assert centre(99_906, 40, 0.3) == 5.0


def test_queue_value_joins_stays_and_leaves(watch):
    asked = watch("queue_value", half_spread=1)

    def at(micro):
        quotes = asked(bid=100_000, ask=100_001, microprice_ticks=micro)
        return quotes.bid - 100_000, quotes.ask - 100_001

    # planned: 100,000.5 ± 1, a tick behind the touch once rounded outward
    assert at(100_000.5) == (0, 0)  # both sides are worth half a tick
    assert at(100_000.7) == (0, 0)  # the ask's edge, 0.3, is enough to stay
    assert at(100_000.8) == (0, 1)  # 0.2 is not
    assert at(100_000.65) == (0, 1)  # nor is 0.35 to join again
    assert at(100_000.59) == (0, 0)
    assert at(100_000.1) == (-1, 0)
    wide = asked(bid=100_000, ask=100_004, microprice_ticks=100_003.9)
    assert (wide.bid, wide.ask) == (100_001, 100_003)  # not a large tick: as planned


def test_queue_value_leaves_deep_quotes_alone_and_counts_the_fee(watch):
    deep = watch("queue_value")(bid=100_000, ask=100_001, microprice_ticks=100_000.5)
    assert (deep.bid, deep.ask) == (99_990, 100_011)
    dear = watch("queue_value", half_spread=1, queue_fee_bps=0.03)(bid=100_000, ask=100_001, microprice_ticks=100_000.5)
    assert (dear.bid, dear.ask) == (99_999, 100_002)  # 0.3 ticks of fee leave 0.2 of edge


def test_band_guard(watch):
    asked = watch("band_guard", band_lookback_s=64.0)  # 90,000 to 110,000 around the first mid
    assert width(asked()) == (10, 10)

    def at(mid, elapsed_s):
        return asked(bid=mid - 10, ask=mid + 10, elapsed_s=elapsed_s)

    near = at(109_000, 1.0)  # room 1,000 of 3,000: a third of the size, 1.67 times the width
    assert (near.bids, near.asks, asked.causes) == ([(108_983, 2)], [(109_017, 2)], ["BAND"])
    edge = at(109_990, 2.0)
    assert (edge.bids, edge.asks) == ([(109_970, 1)], [])  # the ask would lie outside
    assert at(90_010, 3.0).bids == []
    outside = at(110_001, 4.0)
    assert (outside.bids, outside.asks) == ([], [])
    assert not at(110_001, 62.0).bids
    assert at(110_001, 69.5).bids  # around what the mid was 64 s ago by then


def test_band_guard_keeps_to_the_market_s_own_limits_where_it_has_some(watch):
    asked = watch("band_guard", band_near=0.5)
    assert asked(band_low_ticks=99_000, band_high_ticks=101_000).asks == [(100_010, 8)]
    near = asked(bid=100_740, ask=100_760, elapsed_s=1.0, band_low_ticks=99_000, band_high_ticks=101_000)
    assert (near.bids, near.asks, asked.causes) == ([(100_735, 4)], [(100_765, 4)], ["BAND"])  # room 250 of 500
    assert asked(bid=101_000, ask=101_020, elapsed_s=2.0, band_low_ticks=99_000, band_high_ticks=101_000).bids == []
    assert asked(
        bid=101_000, ask=101_020, elapsed_s=2.0, band_low_ticks=99_000, band_high_ticks=2**31 - 1
    ).bids  # one-sided: its own


def test_band_guard_keeps_every_rung_inside(watched):
    asked = watched(
        compose(STRATEGIES["grid"], OVERLAYS["band_guard"]), {**BASE, "quantity": 4, "step": 20, "rungs": 4, "band_near": 0}
    )
    assert len(asked().asks) == 4
    quotes = asked(bid=109_940, ask=109_960, elapsed_s=1)  # asks at 109,960, 980, 110,000, 020
    assert [price for price, _ in quotes.asks] == [109_960, 109_980, 110_000]
