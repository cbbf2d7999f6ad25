"""The loop of a simulation does what a slow, obvious one does, in every world; and snipers take what they should."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from montecarlo_oracle import live

from twosided._compile import INTERPRETED
from twosided.engines.montecarlo import simulate
from twosided.engines.montecarlo_quoters import QuoteTable
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.engines.montecarlo_world import COLUMNS, FACE, TRACE
from twosided.strategies.contract import HEADER, MARKET_VIEW, quote_ask, quote_bid, strategy

pytestmark = pytest.mark.interpreted

STEPS = 60
BUSY = SimulationSettings(paths=3, horizon_s=6.0, step_s=0.1, sigma=0.5, A=6.0, k=1.5, seed=4)
WORLDS = {
    "textbook": {},
    "linear": {"linear_probability": True},
    "fees": {"maker_bps": 3, "maker_per_unit": "-0.002"},
    "ticks": {"tick_size": "0.05"},
    "late": {"latency": "300ms", "snipers": True},
    "a little late": {"latency": "5ms", "snipers": True, "maker_bps": "-1"},
    "sizes": {"order_size": 0.5, "lot_size": "0.1"},
    "informed": {"informed": 0.6, "informed_horizon_s": 0.4},
    "limit": {"position_limit": 2.0},
    "all": {"latency": "150ms", "snipers": True, "informed": 0.3, "order_size": 0.7, "lot_size": "0.1", "maker_bps": 2},
}


def skewed(q, left):
    return 0.3 + 0.05 * q + 0.02 * left, 0.3 - 0.05 * q + 0.02 * left


def world(changes):
    return SimulationSettings(**{**BUSY.model_dump(), **changes})


def figures(found, name, path):
    return dict(zip(COLUMNS, found.sample[path, found.names.index(name)], strict=True))


@pytest.mark.parametrize("name", WORLDS)
def test_the_loop_does_what_the_oracle_does(name):
    settings = world(WORLDS[name])
    table = QuoteTable.of_function(skewed, settings)
    found = simulate({"table": table}, settings)
    mids = mids_of(settings)
    for path in range(settings.paths):
        largest = table.bid.shape[1] // 2

        def quotes(position, step, settings=settings, largest=largest):
            q = int(np.floor(round(position, 9) + 0.5))
            bid, ask = skewed(float(q), settings.horizon_s - step * settings.step_s)
            return (bid if q < largest else None), (ask if q > -largest else None)

        expected = live(settings, mids[path], quotes, path)
        got = figures(found, "table", path)
        for each, value in expected.items():
            assert got[each] == pytest.approx(value, abs=1e-9), (path, each)
        assert got["inventory"] == pytest.approx(got["pnl"] - got["spread"] - got["adverse"] + got["fees"], abs=1e-12)
    assert found.sample[:, 0, COLUMNS.index("fills")].sum() > 3


def mids_of(settings):
    """Return the mids of all paths, some steps beyond the horizon: those of the same paths, only longer."""
    longer = settings.horizon_s + (settings.informed_steps + 1) * settings.step_s
    nobody = QuoteTable(np.full(3, np.nan), np.full(3, np.nan))
    return simulate(nobody, settings.model_copy(update={"horizon_s": longer}), keep_paths=settings.paths).trace[:, 0, :, 0]


def test_the_short_cut_of_the_textbook_does_what_the_whole_loop_does():
    settings = world({"maker_bps": 1})
    short, whole = (simulate(skewed, settings, keep_paths=kept) for kept in (0, settings.paths))
    np.testing.assert_allclose(short.sample, whole.sample, rtol=0, atol=1e-11)
    assert short.sample[0, 0, COLUMNS.index("fills")] > 0


@pytest.mark.parametrize("changes", [{}, {"maker_bps": 1, "position_limit": 2.0}, {"hawkes": 0.5, "informed": 0.4}])
def test_the_short_cut_for_strategies_does_what_the_whole_loop_does_to_the_last_bit(changes):
    settings = world(changes)
    short, whole = (simulate(leaning, settings, keep_paths=kept) for kept in (0, settings.paths))
    assert short.digest == whole.digest
    assert short.digest == simulate(leaning._replace(compiled=False), settings).digest
    assert short.sample[0, 0, COLUMNS.index("fills")] > 0


@pytest.mark.parametrize("paths", [1, 7, 15, 16, 17, 37])
def test_paths_that_are_walked_in_step_are_those_that_are_walked_alone(paths):
    settings = world({"paths": paths, "horizon_s": 2.0})
    assert simulate(leaning, settings).digest == simulate(leaning._replace(compiled=False), settings).digest


@strategy(signals=("volatility",))
def leaning(ctx):
    market = ctx.market[0]
    last = market.trade_side * market.trade_lots + market.working_bid_lots - market.working_ask_lots
    lean = 0.01 * (market.position_lots + last + 0.1 * market.cash + ctx.signals.volatility[0]) / market.tick_size
    mid = 0.5 * (market.bid_ticks + market.ask_ticks) - lean
    quote_bid(ctx, 0, 0, mid - 0.3 / market.tick_size, 1.0)
    quote_ask(ctx, 0, 0, mid + 0.3 / market.tick_size, 1.0 if market.position_lots > -3 else 0.0)


def test_a_strategy_and_a_table_with_the_same_quotes_meet_the_same_fate_but_for_ticks():
    @strategy()
    def third(ctx):
        market = ctx.market[0]
        mid, half = 0.5 * (market.bid_ticks + market.ask_ticks), 0.3 / market.tick_size
        quote_bid(ctx, 0, 0, mid - half, 1.0)
        quote_ask(ctx, 0, 0, mid + half, 1.0)

    found = simulate({"strategy": third, "function": lambda _q, _left: (0.3, 0.3)}, BUSY)
    for column in ("position", "fills"):
        assert found.values("strategy", column) == pytest.approx(found.values("function", column))
    assert found.values("strategy", "pnl") == pytest.approx(found.values("function", "pnl"), abs=0.01)


# ---------------------------------------------------------------- snipers, by hand

FALL = [100.0, 100.0, 99.0, 99.0, 99.0]


def by_hand(mids, latency, **changes):
    quiet = SimulationSettings(paths=1, step_s=1.0, A=1e-12, k=0.0, snipers=True, latency=latency, position_limit=1.0, **changes)
    found = simulate(lambda _q, _left: (0.5, 0.5), quiet, mids=mids, keep_paths=1)
    return figures(found, found.names[0], 0), found.trace[0, 0]


def test_a_quote_that_the_mid_passes_within_latency_is_sniped_at_its_price():
    # decided at 100: bid 99.5. The mid falls to 99 in the second step, and a cancel takes one step.
    got, trace = by_hand(FALL, "1s")
    assert (got["sniped"], got["fills"], got["position"]) == (1, 1, 1)
    assert got["spread"] == pytest.approx(0.5)  # bought at 99.5 while the mid was still 100
    assert got["adverse"] == pytest.approx(-1.0)
    assert got["pnl"] == pytest.approx(-0.5)
    assert trace[1, TRACE.index("bid")] == pytest.approx(99.5)


def test_who_is_never_late_is_never_sniped():
    got, _ = by_hand(FALL, 0)
    assert (got["sniped"], got["fills"], got["pnl"]) == (0, 0, 0)


def test_of_a_smooth_move_only_what_happens_within_latency_cannot_be_answered():
    # a quarter of the step covers half of the move: to 99.5, which does not pass the bid; three quarters cover 0.87 of it
    assert by_hand(FALL, "250ms")[0]["sniped"] == 0
    assert by_hand(FALL, "750ms")[0]["sniped"] == 1


def test_a_rise_is_the_mirror_image_of_a_fall():
    got, _ = by_hand([200.0 - mid for mid in FALL], "1s")
    assert (got["sniped"], got["position"]) == (1, -1)
    assert got["pnl"] == pytest.approx(-0.5)


def test_quotes_decided_late_stand_late():
    # two steps of latency: in the third step stands what was decided in the first, and so on
    got, trace = by_hand([100.0, 100.0, 99.8, 99.8, 99.8, 99.8], "2s")
    bids = trace[:, TRACE.index("bid")]
    assert np.isnan(bids[:2]).all()
    assert bids[2:].tolist() == pytest.approx([99.5, 99.5, 99.3])
    assert got["fills"] == 0


def test_jumps_are_faster_than_anybody_who_is_late_at_all():
    jumpy = SimulationSettings(
        paths=12, horizon_s=6.0, step_s=0.1, mid="jumps", sigma=0.001, jump_rate=0.8, jump_size=1.0, A=1e-9, snipers=True, seed=3
    )
    late = simulate(lambda _q, _left: (0.2, 0.2), jumpy.model_copy(update={"latency": 1000}))
    prompt = simulate(lambda _q, _left: (0.2, 0.2), jumpy)
    assert late.mean("<lambda>", "sniped").value > 1.0
    assert late.mean("<lambda>").value < -0.5
    assert prompt.values("<lambda>", "sniped").sum() == 0


# ---------------------------------------------------------------- one digest


@strategy(gamma=0.1, memory={"asked": "i8"}, signals=("microprice_ticks", "volatility"), levels=2)
def two_levels(ctx):
    market = ctx.market[0]
    ctx.memory.asked += 1
    lean = ctx.params.gamma * market.position_lots / market.tick_size + 0.1 * ctx.signals.volatility[0]
    mid = ctx.signals.microprice_ticks[0] - lean
    for level in range(2):
        quote_bid(ctx, 0, level, mid - 0.2 * (level + 1) / market.tick_size, 1.0)
        quote_ask(ctx, 0, level, mid + 0.2 * (level + 1) / market.tick_size, 1.0)


TOGETHER = {"function": skewed, "strategy": two_levels}
HARD = WORLDS["all"] | {"paths": 2}


def test_python_decides_as_the_compiled_strategy_does():
    plain = two_levels._replace(compiled=False)
    one, other = (simulate({"s": each}, world(HARD)) for each in (two_levels, plain))
    assert one.digest == other.digest
    assert one.values("s", "fills").sum() > 0


def digests():
    return [simulate(TOGETHER, world({"paths": 2, **changes})).digest for changes in ({}, HARD)]


@pytest.mark.skipif(INTERPRETED, reason="compares the compiled with the interpreted form")
def test_compiled_and_interpreted_runs_have_the_same_digest():
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_montecarlo_kernel as t; print(*t.digests())"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", code, here], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == digests()


@strategy(gamma=0.3, memory={"asked": "i8", "mids": ("f8", (5,))})
def alternating(ctx):
    market, memory = ctx.market[0], ctx.memory
    mid = 0.5 * (market.bid_ticks + market.ask_ticks)
    mean = 0.2 * memory.mids.sum() if memory.asked >= 5 else mid
    memory.mids[memory.asked % 5] = mid
    memory.asked += 1
    lots = 1.0 + memory.asked % 2
    quote_bid(ctx, 0, 0, mean - ctx.params.gamma / market.tick_size, lots)
    quote_ask(ctx, 0, 0, mean + ctx.params.gamma / market.tick_size, 3.0 - lots if market.open else 0.0)


@pytest.mark.skipif(INTERPRETED, reason="thousands of paths")
def test_neither_cores_nor_chunks_nor_company_change_paths_that_are_walked_in_step(monkeypatch):
    settings = world({"paths": 500})
    both = {"leaning": leaning, "alternating": alternating}
    one = simulate(both, settings, cores=1)
    assert one.digest == simulate(both, settings, cores=2).digest
    monkeypatch.setattr("twosided.engines.montecarlo._CHUNK_STEPS", 40 * STEPS)
    chunked = simulate(both, settings, cores=3)
    assert chunked.digest == one.digest
    for each in ("mean", "comoment"):
        assert getattr(chunked.moments, each) == pytest.approx(getattr(one.moments, each))
    monkeypatch.setattr("twosided.engines.montecarlo._BLOCK", 17)
    assert simulate(both, settings, cores=1).digest == one.digest
    company = simulate({"table": skewed, "alternating": alternating, "two": two_levels}, settings)
    np.testing.assert_array_equal(company.sample[:, 1], one.sample[:, 1])


@pytest.mark.parametrize("each", [leaning, alternating])
def test_the_record_of_every_strategy_begins_as_the_loop_believes(each):
    row = each.row_dtype(1)
    places = {name: row.fields[name][1] for name in HEADER.names}
    places |= {name: row.fields["market"][1] + MARKET_VIEW.fields[name][1] for name in MARKET_VIEW.names}
    places["quotes"] = row.fields["quotes"][1]
    assert places == {name: place for name, (_, place) in FACE.fields.items()}


@pytest.mark.skipif(INTERPRETED, reason="thousands of paths")
def test_neither_cores_nor_chunks_nor_company_change_a_path(monkeypatch):
    settings = world(HARD | {"paths": 500})
    one = simulate(TOGETHER, settings, cores=1)
    assert simulate(TOGETHER, settings, cores=2).digest == one.digest
    monkeypatch.setattr("twosided.engines.montecarlo._CHUNK_STEPS", 7 * STEPS)
    chunked = simulate(TOGETHER, settings, cores=3)
    assert chunked.digest == one.digest
    monkeypatch.setattr("twosided.engines.montecarlo._BLOCK", 17)
    assert simulate(TOGETHER, settings, cores=1).digest == one.digest
    alone = simulate({"strategy": two_levels}, settings)
    np.testing.assert_array_equal(alone.sample[:, 0], one.sample[:, 1])


def test_the_first_paths_are_the_same_however_many_follow():
    few, many = (simulate(skewed, world({"paths": paths})) for paths in (2, 3))
    np.testing.assert_array_equal(few.sample, many.sample[:2])


def test_every_path_begins_with_a_clean_memory():
    @strategy(memory={"asked": "i8"})
    def once(ctx):
        ctx.memory.asked += 1
        lots = 1.0 if ctx.memory.asked == 1 else 0.0
        market = ctx.market[0]
        quote_bid(ctx, 0, 0, market.bid_ticks + 3.0 / market.tick_size, lots)

    found = simulate(once, world({"A": 1e6, "k": 0.0}))
    assert found.values("once", "fills").tolist() == [1, 1, 1]


def test_levels_share_the_size_of_the_orders_that_reach_them():
    @strategy(levels=2)
    def two_bids(ctx):
        for level in range(2):
            quote_bid(ctx, 0, level, ctx.market[0].bid_ticks - level, 1.0)

    always = {"A": 1e6, "k": 0.0, "sigma": 0.0, "paths": 1}
    assert simulate(two_bids, world(always)).values("two_bids", "position").tolist() == [2 * STEPS]
    assert simulate(two_bids, world(always | {"order_size": 1.0})).values("two_bids", "position").tolist() == [STEPS]
