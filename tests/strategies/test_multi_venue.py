"""Several venues quoted at once, asked without an engine: what must hold whatever the venues show, hold and charge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.market.instrument import Fees, Instrument
from twosided.strategies.catalogue import find_strategy
from twosided.strategies.multi_venue import multi_venue
from twosided.strategies.venues import fee_per_unit, half_spread_at, size_at, venue_rate

pytestmark = pytest.mark.interpreted

four_venues = find_strategy("four-venues")
NO_FEES = [Fees()] * 4
PUBLISHED = [Fees(maker_per_unit=fee) for fee in ("-0.0020", "-0.0025", "-0.0015", "0")]
FINE = 1_000_000  # ticks: a price of 100 in steps of 0.0001, to see fees that are fractions of a cent


class Venues:
    """A strategy and what it sees; asking it returns quotes as (ticks, lots) or None, by venue and side."""

    def __init__(self, strategy=four_venues, fees=NO_FEES, tick="0.0001", lot="1", **params):
        self.row = np.zeros(1, strategy.row_dtype(len(fees)))[0]
        instruments = [Instrument(symbol="X", tick_size=tick, lot_size=lot, fees=each) for each in fees]
        strategy.with_params(params).fill_params(self.row, tuple(instruments))
        self.strategy = strategy
        self.row.now_ns = 1_700_000_000_000_000_000
        for market in self.row.market:
            market.tick_size, market.lot_size, market.open = float(tick), float(lot), 1
        self.see([(FINE - 100, FINE + 100)] * len(fees))

    def see(self, touches=None, positions=None, working=None, seconds=0.1):
        self.row.now_ns += round(seconds * 1e9)
        for m, market in enumerate(self.row.market):
            if touches is not None:
                market.bid_ticks, market.ask_ticks = touches[m]
            if positions is not None:
                market.position_lots = positions[m]
            if working is not None:
                market.working_bid_lots = market.working_ask_lots = working[m]
        return self

    def quotes(self):
        self.strategy(self.row)
        return [[(int(q["ticks"]), int(q["lots"])) if q["lots"] else None for q in sides[:, 0]] for sides in self.row.quotes]

    def sizes(self, row):
        return [side[row][1] if side[row] else 0 for side in self.quotes()]


# ---------------------------------------------------------------- the published settings


def test_sizes_go_by_fill_rates():
    assert Venues().sizes(0) == Venues().sizes(1) == [111, 133, 88, 66]  # 400 × .25, .30, .20, .15 over .90


def test_a_rebate_tightens_and_a_fee_widens():
    free = Venues().quotes()
    assert free[0][0][0] == FINE - 200  # 2 bps below the middle
    paid = Venues(fees=PUBLISHED).quotes()
    assert [bid[0] - FINE for bid, _ in paid] == [-180, -175, -185, -200]
    assert [ask[0] - FINE for _, ask in paid] == [180, 175, 185, 200]
    charged = Venues(fees=[Fees(maker_per_unit="0.0020"), Fees(maker_bps="1"), Fees(maker_bps="-1"), Fees()]).quotes()
    assert [ask[0] - FINE for _, ask in charged] == [220, 300, 100, 200]


def test_no_rebate_makes_the_spread_smaller_than_the_least():
    quotes = Venues(fees=[Fees(maker_bps="-5")] * 4).quotes()
    assert {(bid[0] - FINE, ask[0] - FINE) for bid, ask in quotes} == {(-50, 50)}  # 1 bp between them


def test_long_at_a_venue_shrinks_the_bid_there_and_short_the_ask():
    held = Venues().see(positions=[101, -101, 100, -100])
    assert held.sizes(0) == [55, 133, 88, 66]
    assert held.sizes(1) == [111, 66, 88, 66]


def test_what_is_cut_keeps_ten_shares_but_no_more_than_the_limit_leaves():
    small = Venues(quantity=60).see(positions=[101, 0, 0, 0])
    assert small.sizes(0) == [10, 20, 13, 10]
    near = Venues().see(positions=[1700, 100, 50, 0])
    assert near.sizes(0) == [55, 95, 0, 0]  # 150 to go until 2,000
    assert Venues().see(positions=[2000, 500, -500, 0]).sizes(0) == [0, 0, 0, 0]
    assert Venues().see(positions=[-2500, 500, 0, 0]).sizes(1) == [0, 0, 0, 0]


def test_long_inventory_anywhere_lowers_all_quotes_by_half_spreads():
    flat, full = Venues().quotes(), Venues().see(positions=[0, 0, 1000, 0]).quotes()
    moved = {now[row][0] - before[row][0] for now, before in zip(full, flat, strict=True) for row in range(2)}
    assert moved == {-100}  # half the limit, half of 2 bps


# ---------------------------------------------------------------- protected quotes


def test_a_quote_stays_outside_the_best_price_of_every_venue():
    spread = [(FINE - 300, FINE - 250), (FINE - 900, FINE + 900), (FINE - 900, FINE + 900), (FINE + 200, FINE + 300)]
    quotes = Venues().see(spread).quotes()  # crossed between venues: a bid of +200 against an ask of -250
    assert all(bid[0] < FINE - 250 and ask[0] > FINE + 200 for bid, ask in quotes)


def test_a_bid_stays_below_asks_that_may_still_be_working_elsewhere():
    venues = Venues().see(working=[5] * 4)
    before = min(ask[0] for _, ask in venues.quotes())
    up = venues.see([(FINE + 900, FINE + 1100)] * 4).quotes()
    assert max(bid[0] for bid, _ in up) == before - 1
    after = venues.see().quotes()
    assert max(bid[0] for bid, _ in after) == FINE + 799


def test_a_venue_that_is_not_open_is_neither_quoted_nor_protected():
    venues = Venues().see([(FINE - 100, FINE + 100)] * 3 + [(FINE - 900, FINE - 800)])
    venues.row.market[3].open = 0
    quotes = venues.quotes()
    assert quotes[3] == [None, None]
    assert quotes[0][0] == (FINE - 200, 133)  # and its share is the others'
    for market in venues.row.market:
        market.open = 0
    assert venues.quotes() == [[None, None]] * 4


VENUE = st.tuples(
    st.integers(-60, 60), st.integers(1, 40), st.integers(-700, 700), st.integers(0, 50), st.sampled_from([1, 1, 1, 0])
)
FEE = st.sampled_from(["-0.5", "-0.0025", "0", "0.003", "0.2"])


@settings(max_examples=40)
@given(
    st.lists(st.lists(VENUE, min_size=3, max_size=3), min_size=1, max_size=6),
    st.lists(FEE, min_size=3, max_size=3),
    st.sampled_from([0, 1, 3, 25]),
    st.sampled_from([0, 5]),
    st.sampled_from(["no", "yes"]),
)
def test_whatever_the_state(told, fees, half, least, borrow):
    venues = Venues(
        four_venues,
        [Fees(maker_per_unit=fee) for fee in fees],
        tick="0.1",
        half_spread=half,
        unit="ticks",
        least_spread=least,
        borrow=borrow,
        max_position=900,
        venue_cash=1e5,
    )
    resting = {0: [], 1: []}
    for state in told:
        venues.see(
            [(1000 + middle, 1000 + middle + wide) for middle, wide, *_ in state],
            [one[2] for one in state],
            [one[3] for one in state],
        )
        for market, one in zip(venues.row.market, state, strict=True):
            market.open = one[4]
        quotes = venues.quotes()
        bids, asks = ([side[row] for side in quotes if side[row]] for row in range(2))
        is_open = [one for one in state if one[4]]
        for ticks, _ in bids:  # never locks or crosses what is protected, nor an own order of the last decision
            assert all(ticks < 1000 + middle + wide for middle, wide, *_ in is_open)
            assert all(ticks < ask for ask in resting[1])
        for ticks, _ in asks:
            assert all(ticks > 1000 + middle for middle, *_ in is_open)
            assert all(ticks > bid for bid in resting[0])
            assert all(ticks > bid for bid, _ in bids)
        total = sum(one[2] for one in state)  # limits
        assert sum(lots for _, lots in bids) <= max(900 - total, 0)
        assert sum(lots for _, lots in asks) <= max(900 + total, 0)
        for side, one in zip(quotes, state, strict=True):
            assert one[4] or side == [None, None]
            if borrow == "no" and side[1]:
                assert side[1][1] <= max(one[2], 0)
        resting = {row: [quote[0] for quote in each] for row, each in ((0, bids), (1, asks))}


@settings(max_examples=40)
@given(st.lists(VENUE, min_size=4, max_size=4), st.integers(0, 600))
def test_mirrored_venues_have_mirrored_quotes(told, seconds):
    def asked(sign):
        touches = [sorted((FINE + sign * (middle - wide), FINE + sign * (middle + wide))) for middle, wide, *_ in told]
        venues = Venues(fees=PUBLISHED, unit="ticks", half_spread=200, least_spread=0).see(
            touches, [sign * one[2] for one in told], seconds=seconds
        )
        return venues.quotes()

    for one, other in zip(asked(1), asked(-1), strict=True):
        for mine, mirrored in ((one[0], other[1]), (one[1], other[0])):
            assert (mine is None) == (mirrored is None)
            if mine is not None:
                assert (mine[0] - FINE, mine[1]) == (FINE - mirrored[0], mirrored[1])


# ---------------------------------------------------------------- measured rates and balances


def test_sizes_follow_what_was_filled_of_what_was_offered():
    venues = Venues(prior_seconds=1.0, max_position=100_000, venue_limit=100_000)
    venues.see(working=[50] * 4).quotes()
    position = np.zeros(4, np.int64)
    for _ in range(400):  # the last venue, which was thought the slowest, fills ten times as much
        position += [1, 1, 1, 10]
        sizes = venues.see(positions=position.tolist()).sizes(1)
    assert sizes[3] > 2.5 * max(sizes[:3])
    assert sum(sizes) == pytest.approx(400, abs=4)


def test_priors_weigh_as_long_as_they_are_said_to():
    even = {"filled": 30.0, "offered": 100.0, "all_filled": 40.0, "all_offered": 400.0, "prior": 0.5}
    assert venue_rate(**even, prior_weight=0.0) == 0.3
    assert venue_rate(**even, prior_weight=100.0) == (30 + 0.5 * 0.1 * 100) / 200
    assert venue_rate(0.0, 50.0, 0.0, 200.0, 100.0, 0.5) == 0.5


def test_without_borrowing_one_sells_what_is_there_and_buys_what_is_paid_for():
    venues = Venues(borrow="no", venue_cash=2_000.0).see(positions=[50, 0, 200, -5])
    quotes = venues.quotes()
    assert [ask[1] if ask else 0 for _, ask in quotes] == [50, 0, 88, 0]
    assert [bid[1] for bid, _ in quotes] == [20, 20, 20, 20]  # 2,000 at about 100 a share, less than the share by rate


# ---------------------------------------------------------------- numbers


def test_fees_keep_their_unit():
    assert fee_per_unit(100.0, 0.0, -0.0025) == -0.0025
    assert fee_per_unit(100.0, -0.0025, 0.0) == pytest.approx(-0.000025)
    assert half_spread_at(2.0, -0.5, 1.0) == 1.5
    assert half_spread_at(2.0, 0.5, 1.0) == 2.5
    assert half_spread_at(2.0, -1.5, 1.0) == 1.0
    assert size_at(80.0, 1, 101.0, 100.0, 0.5, 10.0, 1e9) == 40.0
    assert size_at(80.0, -1, 101.0, 100.0, 0.5, 10.0, 1e9) == 80.0
    assert size_at(80.0, 1, 0.0, 100.0, 0.5, 10.0, 7.0) == 7.0


@pytest.mark.parametrize(
    ("fees", "more", "said"),
    [
        ([Fees()] * 9, {}, r"multi_venue sees 9 markets; allowed: up to 8"),
        (NO_FEES, {"quantity": 3}, r"quantity is 3; allowed: at least one lot for each of 4 venues"),
    ],
)
def test_what_cannot_be_quoted_is_refused(fees, more, said):
    with pytest.raises(InputError, match=said):
        Venues(multi_venue, fees, **more)


def test_venues_of_one_instrument_have_one_tick():
    row = np.zeros(1, multi_venue.row_dtype(2))[0]
    instruments = [Instrument(symbol=f"X{tick}", tick_size=tick, lot_size=1) for tick in ("0.01", "0.1")]
    with pytest.raises(InputError, match=r"X0\.1 moves by 0\.1 USD and X0\.01 by 0\.01 USD; allowed: one tick size and currency"):
        multi_venue.fill_params(row, tuple(instruments))
