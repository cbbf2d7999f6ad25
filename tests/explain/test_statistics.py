"""Statistics: each against its definition in plain Python, and None with a reason where it would mislead."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.errors import InputError
from twosided.explain.paths import pnl_path
from twosided.explain.split import split
from twosided.explain.statistics import LEAST_PERIODS, MOST_SCALING, Basis, statistics
from twosided.market.order import OrderAction, Reason

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def one(run, **basis):
    """Return the only account and the only market of a run, in one dictionary."""
    result = statistics(run, Basis(**basis))
    (account,), (market,) = result["accounts"], result["markets"]
    return {**account, **market, "reasons": {**account["reasons"], **market["reasons"]}}


@pytest.fixture(scope="module")
def session(runs):
    return runs.quoter(4, seconds=2400, capital={"USDT": "1000"})


def naive_pnl(run, market, at_ns):
    """Count the P&L at one instant from the fills."""
    instrument, k = run.instruments[market], run.instruments[market].half_tick_lot
    opening = run.facts["opening"][market]
    mids = [row for row in run.mids.to_dicts() if row["market"] == market]
    while len(mids) > 1 and mids[1]["exch_ns"] <= run.facts["start_ns"]:
        mids.pop(0)
    held, quanta = opening["position_lots"], 0
    halves = [row["bid_ticks"] + row["ask_ticks"] for row in mids]
    for fill in run.fills.to_dicts():
        if fill["market"] == market and fill["exch_ns"] <= at_ns:
            held += fill["side"] * fill["lots"]
            quanta -= fill["side"] * 2 * fill["ticks"] * fill["lots"] * k + fill["fee"] + fill["tax"]
    if at_ns == run.facts["end_ns"]:
        quanta -= run.facts["closing"][market]["funding"] - opening["funding"]
    now = [halves[0], *(half for half, row in zip(halves, mids, strict=True) if row["exch_ns"] <= at_ns)][-1]
    return instrument.money(quanta + held * now * k - opening["position_lots"] * halves[0] * k)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_the_equity_path_of_two_markets_is_their_sum_and_ends_at_the_total_of_the_split(runs, seed):
    run = runs.random(seed, instruments=(runs.BTC, runs.ETH), span_s=20)
    ns, pnl = pnl_path(run, (0, 1))
    for at, value in zip(ns.tolist(), pnl, strict=True):
        assert value == pytest.approx(naive_pnl(run, 0, at) + naive_pnl(run, 1, at), abs=1e-9)
    assert pnl[-1] == pytest.approx(sum(float(part.money("total")) for part in split(run)))


def test_ratios_follow_their_definitions_and_scale_with_the_stated_year(session, runs):
    found = one(session)
    pnl = [naive_pnl(session, 0, runs.START + minute * MINUTE) for minute in range(41)]
    changes = np.diff(pnl)
    year = math.sqrt(365 * 24 * 60)
    assert found["periods"] == 40
    assert found["sharpe"] == pytest.approx(np.mean(changes) / np.std(changes, ddof=1) * year)
    losses = math.sqrt(np.mean([min(change, 0) ** 2 for change in changes]))
    assert found["sortino"] == pytest.approx(np.mean(changes) / losses * year)
    shares = one(session, days_per_year=252, hours_per_day=6.5)
    assert shares["sharpe"] / found["sharpe"] == pytest.approx(math.sqrt(252 * 6.5 / (365 * 24)))
    assert found["sharpe_error"] > year / math.sqrt(40)


def test_no_ratio_below_thirty_periods(session):
    few = one(session, period_ns=2400 * SECOND // (LEAST_PERIODS - 1))
    assert few["sharpe"] is few["sortino"] is few["sharpe_error"] is None
    assert few["reasons"]["sharpe"].startswith("29 of the 30 non-overlapping periods of 1.379 min")
    assert one(session, period_ns=2400 * SECOND // LEAST_PERIODS)["sharpe"] is not None


def test_no_ratio_from_equity_recorded_more_rarely_than_its_period(runs):
    rare = runs.quoter(4, seconds=2400, equity_every_ns=100 * SECOND)
    assert "more rarely than every 1 min" in one(rare)["reasons"]["sharpe"]


def test_money_per_fill_day_and_month(session):
    found = one(session)
    assert found["pnl_per_fill"] * found["fills"] == pytest.approx(found["pnl"])
    assert found["pnl_per_day"] == pytest.approx(found["pnl"] * 36)
    assert found["fills_per_day"] == pytest.approx(found["fills"] * 36)
    month = one(session, days_per_year=12)  # a month of one day
    assert month["pnl_per_month"] == pytest.approx(found["pnl"] * 36)
    assert one(session, hours_per_day=2400 / 3600)["pnl_per_day"] == pytest.approx(found["pnl"])


def test_capital_is_stated_or_there_is_no_return_on_it(session, runs):
    found = one(session)
    assert found["return_on_capital"] == pytest.approx(found["pnl"] / 1000)
    assert found["drawdown_of_capital"] == pytest.approx(found["drawdown"] / 1000)
    unstated = one(runs.quoter(4, seconds=60))
    assert unstated["return_on_capital"] is unstated["drawdown_of_capital"] is None
    assert unstated["reasons"]["return_on_capital"] == "no capital was stated"
    with pytest.raises(InputError, match="capital in USDT is -5; allowed: more than 0"):
        statistics(runs.quoter(4, seconds=60, capital={"USDT": -5}))


def test_drawdown_is_the_largest_fall_from_a_peak(session):
    _, pnl = pnl_path(session, (0,))
    worst = max(max(pnl[: i + 1]) - pnl[i] for i in range(len(pnl)))
    assert one(session)["drawdown"] == pytest.approx(worst)


def test_the_two_cost_bases_and_the_split_agree(session):
    found = one(session)
    for method in ("fifo", "average"):
        assert found[f"realised_{method}"] + found[f"unrealised_{method}"] - found["fees_paid"] == pytest.approx(found["pnl"])
    assert sum(found["split"].values()) == pytest.approx(found["pnl"])
    assert 0 < found["win_rate"] < 1
    assert found["spread_capture_bps"] == pytest.approx(1e4 * found["split"]["spread"] / found["turnover"])


def test_inventory_is_weighted_by_time(runs):
    base = {"market": 0, "order_id": 1, "ticks": 100, "fee": 0, "tax": 0}
    fills = [
        {**base, "exch_ns": runs.START + 10 * SECOND, "side": -1, "lots": 40},
        {**base, "exch_ns": runs.START + 90 * SECOND, "side": 1, "lots": 60},
    ]
    mids = [{"exch_ns": runs.START, "market": 0, "bid_ticks": 100, "ask_ticks": 101}]
    found = one(runs.assemble((runs.BTC,), fills, mids, span_ns=100 * SECOND))
    assert found["mean_abs_inventory"] == pytest.approx(0.001 * (0.8 * 40 + 0.1 * 20))
    assert (found["max_abs_inventory"], found["position"], found["volume"]) == pytest.approx((0.04, 0.02, 0.1))
    assert found["maker_share"] == 0


def holding(runs, positions):
    """Return a run that holds the given positions, one a second."""
    steps = np.diff(positions, prepend=0)
    base = {"market": 0, "order_id": 1, "ticks": 100, "fee": 0, "tax": 0, "maker": 1}
    fills = [
        {**base, "exch_ns": runs.START + i * SECOND, "side": int(np.sign(step)), "lots": int(abs(step))}
        for i, step in enumerate(steps)
        if step
    ]
    mids = [{"exch_ns": runs.START, "market": 0, "bid_ticks": 100, "ask_ticks": 101}]
    return runs.assemble((runs.BTC,), fills, mids, span_ns=len(positions) * SECOND)


def test_the_half_life_of_an_ornstein_uhlenbeck_inventory_is_found(runs):
    random, b, path = np.random.default_rng(3), math.exp(-0.05), [0.0]
    for _ in range(6000):
        path.append(b * path[-1] + random.normal(0, 100))
    found = one(holding(runs, np.round(path).astype(int)))
    assert found["inventory_reversion_seconds"] == pytest.approx(20, rel=0.2)
    assert found["inventory_half_life_seconds"] == pytest.approx(found["inventory_reversion_seconds"] * math.log(2))


def test_an_inventory_that_does_not_revert_has_no_half_life(runs):
    walk = np.cumsum(np.random.default_rng(5).choice([-1, 1], 400))
    assert "random walk" in one(holding(runs, walk))["reasons"]["inventory_half_life_seconds"]
    assert "random walk" in one(holding(runs, np.arange(1, 400) ** 2))["reasons"]["inventory_half_life_seconds"]
    flicker = np.resize([5, -5], 200)
    assert "within one sampling period of 1 s" in one(holding(runs, flicker))["reasons"]["inventory_half_life_seconds"]
    assert "never changed" in one(holding(runs, np.zeros(100, int)))["reasons"]["inventory_reversion_seconds"]
    assert "9 of the 30 periods of 1 s" in one(holding(runs, np.ones(9, int)))["reasons"]["inventory_reversion_seconds"]


order_lists = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.sampled_from([-1, 1]), st.integers(95, 105)), max_size=12
)


@given(orders=order_lists, touches=st.lists(st.tuples(st.integers(0, 20), st.integers(97, 103)), max_size=10))
def test_presence_is_the_share_of_time_that_a_watcher_with_a_clock_would_note(runs, orders, touches):
    touches = sorted(touches)
    lines = [
        {"ns": runs.START + s * SECOND, "order_id": number, "side": side, "action": int(action), "ticks": ticks, "lots": 1}
        for number, (begin, length, side, ticks) in enumerate(orders)
        for s, action in ((begin, OrderAction.ACCEPTED), (begin + length, OrderAction.CANCELLED))
        if s <= 20
    ]
    run = runs.assemble(
        (runs.BTC,),
        [],
        [{"exch_ns": runs.START + s * SECOND, "market": 0, "bid_ticks": bid, "ask_ticks": bid + 1} for s, bid in touches],
        span_ns=20 * SECOND,
        orders=sorted(lines, key=lambda row: row["ns"]),
    )
    found = one(run)
    if not orders:
        assert found["two_sided_share"] is None
        return
    both = bid_at = ask_at = 0
    touch = None
    for second in range(20):
        touch = [touch, *(bid for s, bid in touches if s == second)][-1]
        standing = [(side, ticks) for begin, length, side, ticks in orders if begin <= second < begin + length]
        bids = [ticks for side, ticks in standing if side > 0]
        asks = [ticks for side, ticks in standing if side < 0]
        both += bool(bids and asks)
        bid_at += bool(bids and touch and max(bids) >= touch)
        ask_at += bool(asks and touch and min(asks) <= touch + 1)
    assert (found["two_sided_share"], found["bid_at_touch_share"], found["ask_at_touch_share"]) == pytest.approx(
        (both / 20, bid_at / 20, ask_at / 20)
    )


def test_refusals_are_counted_by_reason_and_never_mixed_with_what_was_not_sent(runs):
    lines = [
        (OrderAction.SEND_NEW, Reason.QUOTE),
        (OrderAction.REJECTED, Reason.WOULD_CROSS),
        (OrderAction.SEND_REPLACE, Reason.QUOTE_MOVED),
        (OrderAction.CANCEL_REJECTED, Reason.TOO_LATE),
        (OrderAction.SEND_NEW, Reason.QUOTE),
        (OrderAction.REJECTED, Reason.WOULD_CROSS),
        (OrderAction.SEND_CANCEL, Reason.QUOTE_WITHDRAWN),
        (OrderAction.DENIED, Reason.SELF_CROSS),
    ]
    rows = [{"ns": runs.START, "order_id": 1, "action": int(action), "reason": int(reason)} for action, reason in lines]
    found = one(runs.assemble((runs.BTC,), [], [], span_ns=SECOND, orders=rows))
    assert (found["requests"], found["refused"], found["refused_share"]) == (4, 3, 0.75)
    assert found["refused_by_reason"] == {"would cross": 2, "too late": 1}
    assert (found["denied"], found["denied_by_reason"]) == (1, {"self cross": 1})


def test_fills_by_side_and_by_cause_add_up(session):
    found = one(session)
    for kind in ("by_side", "by_cause"):
        groups = found[kind].values()
        assert sum(group["fills"] for group in groups) == found["fills"]
        assert sum(group["volume"] for group in groups) == pytest.approx(found["volume"])
        for name in ("spread", "adverse"):
            assert sum(group[name] for group in groups) == pytest.approx(found["split"][name])
        assert sum(group["paid"] for group in groups) == pytest.approx(found["fees_paid"])
    assert found["by_side"]["sold"]["markouts"][0]["horizon_seconds"] == 1


def test_pnl_before_fees_is_the_pnl_without_that_part(session):
    found = one(session)
    assert found["pnl_before_fees"] == pytest.approx(found["pnl"] - found["split"]["fees"])
    assert found["pnl_before_fees"] == pytest.approx(found["realised_fifo"] + found["unrealised_fifo"])


def test_a_run_is_not_scaled_to_what_it_is_a_tiny_part_of(runs, session):
    found = one(session)  # 40 minutes: 1/36 of a day, 1/1095 of a month
    assert found["pnl_per_day"] is not None
    assert found["pnl_per_month"] is found["fills_per_month"] is None
    assert found["reasons"]["pnl_per_month"] == f"40 min are less than 1/{MOST_SCALING} of a trading month"
    short = one(runs.quoter(4, seconds=60))
    assert short["pnl_per_day"] is short["fills_per_day"] is None


def test_without_a_trading_year_nothing_is_scaled_and_the_reason_says_what_to_state(runs):
    nowhere = runs.BTC.model_copy(update={"venue": ""})
    found = one(runs.quoter(4, seconds=2400, instrument=nowhere))
    for name in ("sharpe", "sortino", "pnl_per_day", "fills_per_month"):
        assert found[name] is None
        assert found["reasons"][name] == ("no trading year is known for venue '': state --days-per-year and --hours-per-day")
    assert found["periods"] == 40
    assert one(runs.quoter(4, seconds=2400, instrument=nowhere), days_per_year=365, hours_per_day=24)["sharpe"] is not None


def test_fill_rates_have_their_denominators_in_their_names(session):
    found = one(session)
    sent = session.orders.filter(session.orders["action"].is_in([1, 3])).height
    assert found["fills_per_quoted_order"] == pytest.approx(found["fills"] / sent)
    assert found["fills_per_hour"] == pytest.approx(found["fills"] * 1.5)
    assert found["quoted_orders"] == sent


def test_share_of_volume_only_where_the_market_s_volume_is_known(session):
    assert one(session)["share_of_volume"] is None
    traded = [10 * session.facts["closing"][0]["volume_lots"]]
    known = dataclasses.replace(session, facts={**session.facts, "market_volume_lots": traded})
    assert one(known)["share_of_volume"] == pytest.approx(0.1)


def test_an_empty_run_has_no_number_that_was_not_measured(runs):
    found = one(runs.assemble((runs.BTC,), [], [], span_ns=SECOND))
    for name in (
        "pnl_per_fill",
        "win_rate",
        "sharpe",
        "spread_capture_bps",
        "maker_share",
        "two_sided_share",
        "inventory_half_life_seconds",
    ):
        assert found[name] is None, name
        assert found["reasons"][name]
    assert (found["pnl"], found["drawdown"], found["fills"]) == (0, 0, 0)


def test_several_currencies_are_never_added_up(runs):
    result = statistics(runs.random(1, instruments=(runs.BTC, runs.ES, runs.ETH)))
    assert [(account["currency"], account["symbols"]) for account in result["accounts"]] == [
        ("USDT", ["BTCUSDT", "ETHUSDT"]),
        ("USD", ["ESH4"]),
    ]
    assert len(result["markets"]) == 3
    assert json.loads(json.dumps(result)) == result
