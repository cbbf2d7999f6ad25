"""A pair from end to end: aligned by when prices were known, studied, and found among many."""

import numpy as np
import pytest
from pair_worlds import MINUTE_NS, START_NS, returning, series, walking

from twosided.data.bar_files import PriceSeries, read_bars
from twosided.data.recording import load
from twosided.errors import InputError
from twosided.market.event import EVENT, Flag, Kind
from twosided.market.instrument import Instrument
from twosided.research.pair_data import aligned, best_shift, lead_lag, mids, thinned
from twosided.research.pairs import scan_pairs, study_pair


def a_pair(seed=1, n=500, phi=0.8):
    random = np.random.default_rng(seed)
    x = 100.0 + 0.1 * walking(random, n)
    return series("A", 5.0 + 2.0 * x + 0.1 * returning(random, n, phi)), series("B", x)


def test_only_moments_that_both_have_are_compared():
    first, second = series("A", np.arange(1.0, 201.0)), series("B", np.arange(1.0, 201.0) ** 2, begin=100)
    data = aligned(first, second)
    assert len(data) == 100
    assert data.known_ns[0] == START_NS // MINUTE_NS * MINUTE_NS + 100 * MINUTE_NS
    assert (data.y[0], data.x[0]) == (101.0, 1.0)
    assert data.gaps == 0
    hole = PriceSeries("B", np.delete(second.known_ns, 50), np.delete(second.prices, 50), MINUTE_NS)
    assert aligned(first, hole).gaps == 1


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (series("B", np.arange(1.0, 51.0)), "50 moments in common; allowed: at least 60"),
        (series("B", np.arange(1.0, 201.0), begin=1000), "0 moments in common"),
        (series("B", np.full(200, 7.0)), "B does not move"),
        (series("B", [*range(1, 100), np.nan, *range(100, 200)]), "B holds a price that is not a positive number"),
        (series("B", 3.0 * np.arange(1.0, 201.0) ** 2), "A is B in another unit"),
    ],
)
def test_what_cannot_be_compared_is_said(second, said):
    with pytest.raises(InputError, match=said):
        study_pair(series("A", np.arange(1.0, 201.0) ** 2), second)


def test_a_study_finds_what_the_pair_was_made_of():
    found = study_pair(*a_pair(n=1000))
    for ratio in (found.least_squares.ratio, found.total_least_squares.ratio, found.kalman.ratio):
        assert ratio.low < 2.0 < ratio.high
    assert found.engle_granger.p < 0.001
    assert found.johansen.rank == 1
    assert found.reversion.half_life_s.low < 60.0 * np.log(2.0) / -np.log(0.8) < found.reversion.half_life_s.high
    assert found.z == pytest.approx(found.least_squares.spread[-1] / np.std(found.least_squares.spread))
    assert found.stability.halves_p > 0.01
    assert max(found.stability.halves_cointegrated_p) < 0.01
    assert len(found.stability.windows) == 5
    assert found.verdict == "A and B are a pair by both tests, in 5 of 5 windows"
    assert found.remarks == ()
    facts = found.facts()
    assert facts["hedge_ratio"]["least_squares"]["value"] == found.least_squares.ratio.value
    assert facts["samples"] == 1000


def test_a_ratio_that_changes_half_way_is_noticed():
    random = np.random.default_rng(2)
    x = 100.0 + 0.1 * walking(random, 800)
    y = np.where(np.arange(800) < 400, 2.0 * x, 2.5 * x - 0.5 * x[400]) + 0.1 * random.normal(size=800)
    found = study_pair(series("A", y), series("B", x))
    assert found.stability.halves_p < 0.001
    assert found.stability.halves[0].value == pytest.approx(2.0, abs=0.1)
    assert found.stability.halves[1].value == pytest.approx(2.5, abs=0.1)
    assert any("not the same in both halves" in remark for remark in found.remarks)
    assert not found.verdict.endswith("in 5 of 5 windows")


def test_walks_are_not_called_a_pair():
    random = np.random.default_rng(3)
    found = study_pair(series("A", 100.0 + 0.1 * walking(random, 500)), series("B", 100.0 + 0.1 * walking(random, 500)))
    assert found.engle_granger.p > 0.05
    assert found.reversion.half_life_s.high == np.inf
    assert "cointegration is not shown at 5 %" in " ".join(found.remarks)
    assert found.verdict == "A and B are not shown to be a pair"


def test_of_many_pairs_the_true_one_is_believed_and_no_other():
    random = np.random.default_rng(4)
    others = [series(f"W{i}", 100.0 + 0.1 * walking(random, 500)) for i in range(4)]
    rows = scan_pairs([*a_pair(), *others])
    assert len(rows) == 15
    assert rows[0].names == ("A", "B")
    assert [row.names for row in rows if row.q <= 0.05] == [("A", "B")]
    assert all(row.q_independent <= row.q for row in rows)
    assert [row.p for row in rows] == sorted(row.p for row in rows)


def test_a_wrong_zone_shows_in_the_shift_at_which_moves_agree():
    first, second = a_pair(n=2000)
    assert best_shift(lead_lag(first, second, MINUTE_NS)).shift_ns == 0
    late = PriceSeries("B", second.known_ns + 4 * 3600 * 10**9, second.prices, MINUTE_NS)
    assert best_shift(lead_lag(first, late, MINUTE_NS)).shift_ns == -4 * 3600 * 10**9
    assert any("is a time zone or a clock wrong" in remark for remark in study_pair(first, late).remarks)


def test_mids_of_a_recording_are_those_known_at_whole_steps():
    told = [
        (0.2, 1, 100, 5),
        (0.3, -1, 104, 5),
        (1.5, -1, 102, 5),
        (2.0, 1, 101, 5),
        (2.1, 1, 103, 5),
        (2.2, 1, 103, 0),
        (4.9, 1, 99, 5),
    ]
    events = np.zeros(len(told), EVENT)
    for event, (second, side, ticks, lots) in zip(events, told, strict=True):
        event["exch_ns"] = event["local_ns"] = START_NS + round(second * 1e9)
        event["kind"], event["flags"], event["side"], event["ticks"], event["lots"] = (
            Kind.DEPTH,
            Flag.LAST_OF_MESSAGE,
            side,
            ticks,
            lots,
        )
    instrument = Instrument(symbol="X", tick_size="0.5", lot_size="1")
    found = mids(events, instrument, "X", 10**9)
    assert found.known_ns.tolist() == [START_NS + s * 10**9 for s in (1, 2, 3, 4)]
    assert found.prices.tolist() == [51.0, 50.75, 50.75, 50.75]  # crossed at 2.1 s, uncrossed at 2.2 s
    with pytest.raises(InputError, match="at least two steps of 1 h"):
        mids(events, instrument, "X", 3600 * 10**9)
    with pytest.raises(InputError, match="X has no two-sided book"):
        mids(events[:1], instrument, "X", 10**9)


def test_bars_are_thinned_at_whole_multiples():
    found = thinned(series("A", np.arange(1.0, 101.0)), 5 * MINUTE_NS)
    assert np.all(found.known_ns % (5 * MINUTE_NS) == 0)
    assert len(found) == 20
    with pytest.raises(InputError, match="a price every 1 min; allowed: a multiple"):
        thinned(series("A", np.arange(1.0, 101.0)), 10**9)


# ---------------------------------------------------------------- recorded


@pytest.fixture(scope="module")
def future_and_fund(shared):
    return read_bars([shared("data", "bars", "es_minute")]), read_bars([shared("data", "bars", "spy_minute")])


def test_minutes_of_the_future_and_the_fund_agree_at_shift_zero_and_only_there(future_and_fund):
    found = {each.shift_ns: each.correlation for each in lead_lag(*future_and_fund, MINUTE_NS)}
    assert found[0] > 0.9
    assert max(value for shift, value in found.items() if shift) < 0.15


def test_the_future_and_the_fund_are_a_pair_of_ten_to_one(future_and_fund):
    found = study_pair(*future_and_fund)
    assert found.least_squares.ratio.value == pytest.approx(10.0, rel=0.01)
    assert found.engle_granger.p < 0.001
    assert found.johansen.rank == 1
    assert any("does not come back at one speed" in remark for remark in found.remarks)


def test_the_perpetual_and_the_spot_are_a_pair_of_one_to_one(shared):
    perp = load(shared("data", "binance", "usdm_btcusdt_20240808.gz"))
    spot = load([shared("data", "binance", f"spot_btcusdt_2024080{day}.gz") for day in (8, 9)])
    one, other = (mids(each.events, each.instruments[0], name, 10**9) for each, name in ((perp, "perp"), (spot, "spot")))
    found = study_pair(one, other)
    assert found.least_squares.ratio.value == pytest.approx(1.0, abs=0.05)
    assert found.correlation.low > 0.8
    assert found.engle_granger.p < 0.05
