"""Other assumptions in one pass: each as if it had been run alone, fees to the last quantum."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import polars as pl
import pytest

from twosided.engines.flow import generate_market
from twosided.engines.replay import replay
from twosided.engines.settings import ReplaySettings
from twosided.errors import InputError
from twosided.explain.split import split_by_currency
from twosided.market.instrument import Fees, FeeTier, Instrument
from twosided.market.order import FILL
from twosided.market.run import Run
from twosided.research.sensitivity import fees_paid, sensitivities, sensitivity, variations
from twosided.strategies.catalogue import find_strategy

SETTINGS = ReplaySettings(entry_latency="4ms", response_latency="2ms", queue="power:2")
TIERED = Fees(
    maker_bps="-0.5",
    taker_bps="3.3",
    maker_per_unit="0.0013",
    tax_sell_bps="0.7",
    tiers=(
        FeeTier(from_value="5000", maker_bps="-0.7", taker_bps="3"),
        FeeTier(from_value="15000", maker_bps="0.2", taker_bps="2"),
    ),
)


@pytest.fixture(scope="module")
def market():
    events, instrument = generate_market(seed=3, seconds=90.0)
    return events, instrument.model_copy(update={"fees": TIERED})


@pytest.fixture(scope="module")
def quoter():
    return find_strategy("fixed").with_params(half_spread=0.5, unit="ticks", quantity=10)


@pytest.fixture(scope="module")
def found(market, quoter):
    return sensitivity(market[0], quoter, instruments=market[1], settings=SETTINGS)


def pnl(run: Run) -> Decimal:
    return next(iter(split_by_currency(run).values())).money("total")


def rows(found) -> dict[str, dict]:
    return {row["setting"]: row for row in found.run.facts["sensitivity"]["rows"]}


def test_the_base_comes_first_and_is_the_run_as_it_would_be_alone(found, market, quoter):
    alone = replay(market[0], quoter, instruments=market[1], settings=SETTINGS)
    assert found.run.digest() == alone.digest()
    first = found.frame.row(0, named=True)
    assert (first["kind"], first["pnl"], first["change"], first["fills"]) == ("base", float(pnl(alone)), 0.0, alone.fills.height)
    assert first["fills"] > 20


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("order latency × 0.5", {"entry_latency": "2ms", "response_latency": "1ms"}),
        ("order latency × 2", {"entry_latency": "8ms", "response_latency": "4ms"}),
        ("order latency × 5", {"entry_latency": "20ms", "response_latency": "10ms"}),
        ("queue conservative", {"queue": "conservative"}),
        ("queue optimistic", {"queue": "optimistic"}),
    ],
)
def test_each_assumption_gives_what_it_gives_alone(found, market, quoter, setting, changed):
    settings = ReplaySettings.model_validate({**SETTINGS.model_dump(mode="json"), **changed})
    alone = replay(market[0], quoter, instruments=market[1], settings=settings)
    assert found.variants[setting].digest() == alone.digest()
    row = rows(found)[setting]
    assert Decimal(row["pnl"]) == pnl(alone)
    assert Decimal(row["change"]) == pnl(alone) - pnl(found.run)
    assert row["fills"] == alone.fills.height


@pytest.mark.parametrize(("setting", "step"), [("fees + 1 bps", Decimal(1)), ("fees − 1 bps", Decimal(-1))])
def test_fees_are_exactly_those_of_a_replay_that_charges_them(found, market, quoter, setting, step):
    tiers = tuple(
        FeeTier(from_value=tier.from_value, maker_bps=tier.maker_bps + step, taker_bps=tier.taker_bps + step)
        for tier in TIERED.tiers
    )
    moved = TIERED.model_copy(update={"maker_bps": TIERED.maker_bps + step, "taker_bps": TIERED.taker_bps + step, "tiers": tiers})
    charged = replay(market[0], quoter, instruments=market[1].model_copy(update={"fees": moved}), settings=SETTINGS)
    assert Decimal(rows(found)[setting]["pnl"]) == pnl(charged)
    unpaid = ["fee", "tax"]
    assert charged.fills.drop(unpaid).equals(found.run.fills.drop(unpaid))  # own fills do not depend on fees


def test_the_same_rates_give_the_fees_that_were_paid(found):
    assert fees_paid(found.run, 0, found.run.instruments[0]) == found.run.fills["fee"].sum() != 0


@pytest.mark.interpreted
def test_fees_are_counted_fill_by_fill_with_tiers_by_the_value_traded_before():
    random = np.random.default_rng(1)
    instrument = Instrument(symbol="X", tick_size="0.01", lot_size="1", fees=TIERED)
    rows = [
        {"exch_ns": i, "side": int(side), "ticks": int(ticks), "lots": int(lots), "maker": int(maker)}
        for i, (side, ticks, lots, maker) in enumerate(
            zip(
                random.choice([1, -1], 60),
                random.integers(9000, 11000, 60),
                random.integers(1, 9, 60),
                random.integers(0, 2, 60),
                strict=True,
            )
        )
    ]
    names = [name for name in FILL.names if name != "strategy"]
    fills = pl.DataFrame({name: pl.Series(name, [row.get(name, 0) for row in rows], pl.Int64) for name in names})
    empty = dict.fromkeys(("instruments", "orders", "quotes", "decisions", "equity", "mids"), pl.DataFrame())
    run = Run(**{**empty, "instruments": (instrument,)}, fills=fills, facts={"opening": [{"turnover": 0}]})
    traded, paid, used = Decimal(0), 0, set()
    for row in rows:
        value = row["ticks"] * row["lots"] * instrument.tick_size
        rates = [each for each in TIERED.tiers if traded >= each.from_value][-1:] or [TIERED]
        used.add(type(rates[0]).__name__ + str(rates[0].maker_bps))
        bps, per_unit = (rates[0].maker_bps, TIERED.maker_per_unit) if row["maker"] else (rates[0].taker_bps, TIERED.taker_per_unit)
        paid += round_half_away(value * bps / 10_000 / instrument.money_quantum)
        paid += round_half_away(row["lots"] * per_unit / instrument.money_quantum)
        traded += value
    assert len(used) == 3  # the fills go through all tiers
    assert fees_paid(run, 0, instrument) == paid


def round_half_away(number: Decimal) -> int:
    return int(number.quantize(Decimal(1), ROUND_HALF_UP))


def test_all_of_it_is_one_pass_for_any_number_of_strategies(found, market, quoter):
    other = find_strategy("skewed_price")
    both = sensitivities(market[0], [quoter, other], instruments=market[1], settings=SETTINGS)
    assert both[1].run.facts["strategies_in_pass"] == 12
    assert both[0].run.digest() == found.run.digest()
    assert both[0].frame.equals(found.frame)
    assert both[1].run.facts["strategy"] == "skewed_price"


def test_the_frame_says_what_the_saved_run_says(found, tmp_path):
    assert found.frame.columns == ["kind", "setting", "currency", "pnl", "change", "fills", "max_inventory", "unit"]
    assert found.frame["kind"].to_list() == ["base", *["latency"] * 3, *["queue"] * 2, *["fees"] * 2]
    assert found.frame["max_inventory"].max() <= 100
    again = Run.load(found.run.save(tmp_path / "run"))
    assert again.facts["sensitivity"] == found.run.facts["sensitivity"]
    assert found.verdict


def test_what_cannot_be_tried_is_said(market, quoter):
    at_once = ReplaySettings(entry_latency=0, response_latency=0, queue="optimistic")
    dearest = market[1].model_copy(update={"fees": Fees(taker_bps=1000)})
    found = sensitivity(market[0], quoter, instruments=dearest, settings=at_once)
    assert found.frame["setting"].to_list() == ["as assumed", "queue conservative", "fees − 1 bps"]
    assert [note.split(":")[0] for note in found.notes] == ["Latency", "Fees"]


def test_drawn_latencies_are_scaled_by_their_factor():
    settings = ReplaySettings(entry_latency="sampled*2", response_latency="3ms")
    scaled = [each.settings for each in variations(settings)[0] if each.kind == "latency"]
    assert [str(each.entry_latency) for each in scaled] == ["sampled", "sampled*4", "sampled*10"]
    assert [str(each.response_latency) for each in scaled] == ["1.5 ms", "6 ms", "15 ms"]
    with pytest.raises(InputError, match=r"order latency is sampled\*500"):
        variations(ReplaySettings(entry_latency="sampled*500"))


def test_latencies_of_single_markets_are_scaled_as_well():
    slow = {"entry_latency": "4ms", "response_latency": "sampled*2"}
    tried, notes = variations(ReplaySettings(entry_latency="0ms", response_latency="0ms", markets=[{}, slow]))
    assert notes == []
    for factor in (0.5, 2, 5):
        (settings,) = (each.settings for each in tried if each.setting == f"order latency × {factor:g}")
        assert (settings.market(0).entry_latency.ns, settings.market(0).response_latency.ns) == (0, 0)
        assert settings.market(1).entry_latency.ns == factor * 4_000_000
        assert settings.market(1).response_latency.factor == 2 * factor


def test_queues_are_not_guessed_where_the_market_is_recorded_order_by_order(quoter):
    events, instrument = generate_market(seed=3, seconds=30.0, by_order=True)
    found = sensitivity(events, quoter, instruments=instrument)
    assert "queue" not in found.frame["kind"].to_list()
    assert any(note.startswith("Queue: recorded order by order") for note in found.notes)
