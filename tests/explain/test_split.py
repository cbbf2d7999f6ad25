"""The split of design.md, section "Ledger": an identity, whatever happened."""

import itertools
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosided.errors import DataError, InputError
from twosided.explain.split import PARTS, SplitError, split, split_by_currency

SECOND = 1_000_000_000


def naive_split(runs, run, market, horizon_ns, targets=None):
    """Walk the mid path, one move at a time, and look at every fill at each."""
    instrument, facts = run.instruments[market], run.facts
    mids = [row for row in run.mids.to_dicts() if row["market"] == market]
    fills = [row for row in run.fills.to_dicts() if row["market"] == market]
    while len(mids) > 1 and mids[1]["exch_ns"] <= facts["start_ns"]:
        mids.pop(0)
    wanted = [row for row in (targets.to_dicts() if targets is not None else []) if row["market"] == market]
    path = [(row["exch_ns"], runs.lot_value(instrument, row["bid_ticks"] + row["ask_ticks"])) for row in mids]
    end, (opening, closing) = facts["end_ns"], (facts["opening"][market], facts["closing"][market])

    def mid_before(ns):
        return [path[0][1], *(value for at, value in path if at < ns)][-1]

    def mid_at(ns):
        return [path[0][1], *(value for at, value in path if at <= ns)][-1]

    parts = dict.fromkeys(PARTS, 0)
    for fill in fills:
        s, n, p = fill["side"], fill["lots"], runs.lot_value(instrument, 2 * fill["ticks"])
        if fill["hedge"]:
            parts["hedge"] += s * n * (path[-1][1] - p) - fill["fee"] - fill["tax"]
        else:
            parts["spread"] += s * n * (mid_before(fill["exch_ns"]) - p)
            parts["adverse"] += s * n * (mid_at(min(fill["exch_ns"] + horizon_ns, end)) - mid_before(fill["exch_ns"]))
            parts["fees"] -= fill["fee"] + fill["tax"]
    parts["fees"] -= closing["funding"] - opening["funding"]
    for (_, old), (at, new) in itertools.pairwise(path):
        q = opening["position_lots"] + sum(
            fill["side"] * fill["lots"] for fill in fills if not fill["hedge"] and min(fill["exch_ns"] + horizon_ns, end) < at
        )
        c = [0, *(row["target_lots"] for row in wanted if row["exch_ns"] < at)][-1]
        c = max(min(c, max(q, 0)), min(q, 0))
        parts["alpha"] += c * (new - old)
        parts["inventory"] += (q - c) * (new - old)
    return parts


@st.composite
def target_frames(draw, markets):
    rows = draw(st.lists(st.tuples(st.integers(-5, 65), st.integers(0, markets - 1), st.integers(-60, 60)), max_size=12))
    return [(seconds, market, lots) for seconds, market, lots in sorted(rows)]


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32),
    n_fills=st.integers(0, 40),
    n_mids=st.integers(1, 60),
    horizon_s=st.sampled_from([0, 1, 10, 1000]),
    wanted=target_frames(3),
)
def test_the_parts_add_up_to_the_change_in_cash_and_position_and_agree_with_a_walk_along_the_mid(
    runs, seed, n_fills, n_mids, horizon_s, wanted
):
    run = runs.random(seed, n_fills=n_fills, n_mids=n_mids, instruments=(runs.BTC, runs.ES, runs.COIN))
    columns = [[runs.START + seconds * SECOND for seconds, _, _ in wanted], *([row[i] for row in wanted] for i in (1, 2))]
    schema = {"exch_ns": pl.Int64, "market": pl.Int64, "target_lots": pl.Int64}
    targets = pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)
    for market, result in enumerate(split(run, horizon_s * SECOND, targets)):
        assert result.parts() == naive_split(runs, run, market, horizon_s * SECOND, targets)
        opening, closing = run.facts["opening"][market], run.facts["closing"][market]
        touch = run.mids.filter(pl.col("market") == market).rows(named=True)
        while len(touch) > 1 and touch[1]["exch_ns"] <= runs.START:
            touch.pop(0)
        m_0, m_end = (runs.lot_value(run.instruments[market], row["bid_ticks"] + row["ask_ticks"]) for row in (touch[0], touch[-1]))
        value = closing["position_lots"] * m_end - opening["position_lots"] * m_0
        assert sum(result.parts().values()) == result.total == closing["cash"] - opening["cash"] + value


def one_fill(runs, fill, mids, **more):
    base = {"market": 0, "order_id": 1, "maker": 1, "hedge": 0, "fee": 0, "tax": 0, "lots": 10}
    touch = [{"exch_ns": runs.START + s * SECOND, "market": 0, "bid_ticks": bid, "ask_ticks": bid + 2} for s, bid in mids]
    at = {"exch_ns": runs.START + fill.pop("second") * SECOND}
    return split(runs.assemble((runs.BTC,), [{**base, **at, **fill}], touch, span_ns=100 * SECOND, **more))[0]


def test_a_bid_filled_below_the_mid_earns_the_spread_and_loses_what_the_mid_then_falls(runs):
    # mid 101 ticks; bought 10 lots at 99; the mid falls by 1 within ten seconds, by 4 more afterwards
    result = one_fill(runs, {"second": 20, "side": 1, "ticks": 99, "fee": 30}, [(0, 100), (25, 99), (50, 95)])
    tick = 2 * runs.BTC.half_tick_lot * 10
    assert result.parts() == {
        "spread": 2 * tick,
        "adverse": -1 * tick,
        "fees": -30,
        "alpha": 0,
        "inventory": -4 * tick,
        "hedge": 0,
    }


def test_the_mid_of_the_very_instant_of_a_fill_is_not_the_mid_before_it(runs):
    result = one_fill(runs, {"second": 20, "side": 1, "ticks": 99}, [(0, 100), (20, 97)])
    tick = 2 * runs.BTC.half_tick_lot * 10
    assert (result.spread, result.adverse, result.inventory) == (2 * tick, -3 * tick, 0)


def test_a_horizon_beyond_the_end_ends_with_the_run(runs):
    result = one_fill(runs, {"second": 95, "side": -1, "ticks": 105}, [(0, 100), (99, 103)])
    tick = 2 * runs.BTC.half_tick_lot * 10
    assert (result.spread, result.adverse, result.inventory) == (4 * tick, -3 * tick, 0)


def test_what_a_wanted_position_earns_is_alpha_and_only_up_to_the_position_held(runs):
    wanted = pl.DataFrame({"exch_ns": [runs.START], "market": [0], "target_lots": [4]})
    run = runs.assemble(
        (runs.BTC,),
        [],
        [{"exch_ns": runs.START + s * SECOND, "market": 0, "bid_ticks": bid, "ask_ticks": bid} for s, bid in ((0, 100), (9, 103))],
        span_ns=10 * SECOND,
        opening=[{"position_lots": 10}],
    )
    (result,) = split(run, targets=wanted)
    assert (result.alpha, result.inventory) == (4 * 6 * runs.BTC.half_tick_lot, 6 * 6 * runs.BTC.half_tick_lot)
    (more,) = split(run, targets=wanted.with_columns(target_lots=pl.lit(99)))
    assert (more.alpha, more.inventory) == (result.total, 0)
    (against,) = split(run, targets=wanted.with_columns(target_lots=pl.lit(-3)))
    assert (against.alpha, against.inventory) == (0, result.total)


def test_hedges_are_kept_out_of_every_other_part(runs):
    fill = {"second": 20, "side": 1, "ticks": 102, "hedge": 1, "maker": 0, "fee": 5, "tax": 3}
    result = one_fill(runs, fill, [(0, 100), (50, 107)])
    assert result.parts() == dict.fromkeys(PARTS, 0) | {"hedge": 6 * 2 * runs.BTC.half_tick_lot * 10 - 8}


def test_markets_of_one_currency_are_summed_in_the_finer_quantum(runs):
    fine = runs.BTC.model_copy(update={"symbol": "FINE", "tick_size": runs.BTC.tick_size / 10**7})
    assert fine.money_quantum < runs.BTC.money_quantum
    run = runs.random(5, instruments=(runs.BTC, runs.ES, fine))
    btc, es, other = split(run)
    sums = split_by_currency(run)
    assert list(sums) == ["USDT", "USD"]
    assert sums["USD"] == es
    for name in (*PARTS, "total"):
        assert sums["USDT"].money(name) == btc.money(name) + other.money(name)
    assert sum(sums["USDT"].parts().values()) == sums["USDT"].total


def test_an_account_that_does_not_follow_from_the_fills_is_an_internal_error_that_names_the_difference(runs):
    run = runs.random(3)
    closing = [{**run.facts["closing"][0], "cash": run.facts["closing"][0]["cash"] + 17}]
    with pytest.raises(SplitError, match=r"BTCUSDT: the parts of the P&L differ .* by 17 money quanta"):
        split(replace(run, facts={**run.facts, "closing": closing}))


def test_a_position_without_any_mid_cannot_be_valued(runs):
    run = runs.random(3)
    with pytest.raises(DataError, match="BTCUSDT: never a valid mid"):
        split(replace(run, mids=run.mids.clear()))


def test_a_market_that_was_never_touched_and_never_valid_has_an_empty_split(runs):
    run = runs.assemble((runs.BTC,), [], [], span_ns=SECOND, funding=[0])
    assert split(run)[0].total == 0


def test_frames_out_of_the_order_of_time_are_refused(runs):
    run = runs.random(3)
    with pytest.raises(DataError, match=r"mids, BTCUSDT, row 1: time .* follows"):
        split(replace(run, mids=run.mids.reverse()))
    with pytest.raises(InputError, match="horizon_ns is -1"):
        split(run, -1)


def test_amounts_are_exact_and_in_the_currency(runs):
    (part,) = split(runs.random(3))
    amounts = part.amounts()
    assert list(amounts) == [*PARTS, "total"]
    assert sum(amounts[name] for name in PARTS) == amounts["total"] == part.total * part.quantum
