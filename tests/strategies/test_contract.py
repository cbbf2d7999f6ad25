"""What a strategy declares is checked when it is declared, and what it asks for is rounded outward, the same way in every mode."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided._compile import INTERPRETED
from twosided.errors import InputError
from twosided.execution.state import DESK, ORDER
from twosided.market.instrument import Instrument
from twosided.strategies.contract import (
    HEADER,
    MARKET_VIEW,
    MOST_LEVELS,
    QUOTE,
    Param,
    Wake,
    _ask_ticks,
    _bid_ticks,
    _whole_lots,
    ask_ticks,
    bid_ticks,
    quote_ask,
    quote_bid,
    strategy,
    whole_lots,
    withdraw,
)

pytestmark = pytest.mark.interpreted

# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("param", "value", "seen"),
    [
        (Param(), 5, 5.0),
        (Param(), "5.5", 5.5),  # as the command line hands it over
        (Param(minimum=0, maximum=1), 0, 0.0),
        (Param(minimum=0, maximum=1), 1, 1.0),
        (Param(integer=True), 3.0, 3),
        (Param(integer=True), "7", 7),
        (Param(integer=True), 2**53 - 1, 2**53 - 1),
        (Param(choices=("bps", "ticks")), "ticks", 1),
    ],
)
def test_a_value_is_handed_over_as_the_number_that_compiled_code_sees(param, value, seen):
    checked = param.checked("x", value)
    assert checked == seen
    assert isinstance(checked, int) == (param.integer or bool(param.choices))


@pytest.mark.parametrize("value", [math.nan, math.inf, "nan", "-inf", "five", "", None, True, [1], 1j])
def test_what_is_not_a_finite_number_is_refused(value):
    with pytest.raises(InputError) as caught:
        Param(unit="ticks").checked("half_spread", value)
    assert str(caught.value) == f"parameter half_spread is {value!r}; allowed: a number in ticks"


@pytest.mark.parametrize(
    ("param", "value", "allowed"),
    [
        (Param(minimum=0), -0.1, "a number, at least 0"),
        (Param(maximum=1), 1.1, "a number, at most 1"),
        (Param(unit="ticks", minimum=0.5, maximum=100), 0, "a number in ticks from 0.5 to 100"),
        (Param(integer=True, minimum=1), 1.5, "a whole number, at least 1"),
        (Param(integer=True), "1.5", "a whole number"),
        (Param(integer=True), 2**53 + 1, "a whole number"),  # no float between 2^53 and 2^53 + 2
        (Param(integer=True), 1e300, "a whole number"),
        (Param(choices=("bps", "ticks")), "percent", "bps, ticks"),
        (Param(choices=("bps", "ticks")), 1, "bps, ticks"),
    ],
)
def test_a_refusal_names_the_parameter_the_value_and_what_is_allowed(param, value, allowed):
    with pytest.raises(InputError) as caught:
        param.checked("x", value)
    assert str(caught.value) == f"parameter x is {value!r}; allowed: {allowed}"


@strategy(
    gamma=Param(unit="1/ticks", minimum=0),
    sigma=Param(unit="ticks/sqrt(s)", minimum=0),
    levels_kept=Param(3, integer=True, minimum=1),
    unit=Param("ticks", choices=("bps", "ticks")),
    quantity=2.5,
)
def quoter(ctx):
    quote_bid(ctx, 0, 0, 99.0 - ctx.params.gamma, ctx.params.quantity)


def test_a_plain_number_is_a_parameter_with_a_default():
    assert quoter.params["quantity"] == Param(2.5)
    assert quoter.missing == ("gamma", "sigma")


def test_an_unknown_parameter_suggests_the_nearest():
    with pytest.raises(InputError, match=r"^strategy quoter has no parameter 'gama'; did you mean 'gamma'\?$"):
        quoter.with_params(gama=1)
    with pytest.raises(
        InputError, match=r"^strategy quoter has no parameter 'zzz'; known: gamma, levels_kept, quantity, sigma, unit$"
    ):
        quoter.with_params({"zzz": 1})


def test_a_missing_parameter_says_how_to_set_it():
    with pytest.raises(InputError, match=r"^strategy quoter needs parameter gamma \(1/ticks\); set it with --set gamma=…$"):
        quoter.resolved()
    with pytest.raises(
        InputError, match=r"needs parameter sigma \(ticks/sqrt\(s\)\); .*, or let --calibrate-first 10m estimate it$"
    ):
        quoter.with_params(gamma=1).resolved()


def test_values_are_checked_when_they_are_set_and_stay_when_more_are():
    with pytest.raises(InputError, match="parameter gamma is -1; allowed: a number in 1/ticks, at least 0"):
        quoter.with_params(gamma=-1)
    ready = quoter.with_params(gamma=1).with_params({"sigma": 2}, unit="bps")
    assert ready.resolved() == {"gamma": 1, "sigma": 2, "levels_kept": 3, "unit": "bps", "quantity": 2.5}
    assert ready.missing == ()
    assert quoter.missing == ("gamma", "sigma")  # the declaration is not changed


# ---------------------------------------------------------------- declarations


@pytest.mark.parametrize("name", ["size", "T", "flags", "data", "shape", "max", "item"])
@pytest.mark.parametrize("where", ["params", "memory", "signals"])
def test_names_that_numpys_records_use_themselves_are_refused(name, where):
    declared = {"params": {name: 1.0}, "memory": {"memory": {name: "f8"}}, "signals": {"signals": (name,)}}[where]
    with pytest.raises(InputError, match=rf"^strategy mine declares '{name}', which numpy's records use themselves"):

        @strategy(**declared)
        def mine(ctx): ...


def test_a_strategy_takes_one_argument():
    with pytest.raises(InputError, match=r"^strategy two takes \(ctx, more\); allowed: exactly one argument, ctx$"):

        @strategy()
        def two(ctx, more): ...


@pytest.mark.parametrize("options", [{"every_ns": 0}, {"every_ns": -1}, {"levels": 0}, {"wake": Wake(0)}])
def test_a_declaration_that_makes_no_sense_is_refused(options):
    with pytest.raises(InputError, match=r"^strategy mine: every_ns and levels must be positive and wake not empty$"):

        @strategy(**options)
        def mine(ctx): ...


def test_more_levels_than_an_engine_counts_are_refused():
    with pytest.raises(InputError, match=r"^strategy mine declares 4,097 levels; allowed: up to 4,096$"):

        @strategy(levels=MOST_LEVELS + 1)
        def mine(ctx): ...

    assert np.iinfo(DESK["used"]).max >= 4 * MOST_LEVELS + 5, "the slots of a desk, see replay_pass"
    assert np.iinfo(ORDER["level"]).max >= MOST_LEVELS


@pytest.mark.parametrize(
    ("param", "said"),
    [
        (Param(-1, minimum=0), "parameter x is -1; allowed: a number, at least 0"),
        (Param("percent", choices=("bps", "ticks")), "parameter x is 'percent'; allowed: bps, ticks"),
        (Param(0.5, integer=True), "parameter x is 0.5; allowed: a whole number"),
    ],
)
def test_a_default_that_would_not_be_allowed_is_refused_at_once(param, said):
    with pytest.raises(InputError, match=rf"^strategy mine: {said}$"):

        @strategy(x=param)
        def mine(ctx): ...


def test_a_strategy_wakes_ten_times_a_second_unless_it_says_otherwise():
    assert (quoter.every_ns, quoter.wake, quoter.levels, quoter.compiled) == (100_000_000, Wake.TIMER, 1, True)


# ---------------------------------------------------------------- the record it is handed


@strategy(
    levels=3, memory={"table": ("f8", (7,)), "seen": "i8"}, signals=("imbalance", "volatility"), a=1.0, b=Param(2, integer=True)
)
def other(ctx): ...


@strategy(levels=3)
def bare(ctx): ...


@pytest.mark.parametrize("markets", [1, 2, 5])
def test_rows_of_all_strategies_with_as_many_levels_begin_alike(markets):
    one, two = other.row_dtype(markets), bare.row_dtype(markets)
    shared = [*HEADER.names, "market", "quotes"]
    assert list(one.names[: len(shared)]) == list(two.names[: len(shared)]) == shared
    assert [one.fields[name] for name in shared] == [two.fields[name] for name in shared]
    assert [one.fields[name] for name in HEADER.names] == [HEADER.fields[name] for name in HEADER.names]
    assert one["market"].shape == (markets,)
    assert one["quotes"].shape == (markets, 2, 3)
    assert (one["market"].base, one["quotes"].base) == (MARKET_VIEW, QUOTE)
    assert one.names[len(shared) :] == ("signals", "params", "memory")


def test_signals_parameters_and_memory_are_there_by_name():
    row = other.row_dtype(2)
    assert row["signals"].names == ("imbalance", "volatility")
    assert row["signals"]["volatility"].shape == (2,)
    assert {name: row["params"][name] for name in row["params"].names} == {"a": np.dtype("f8"), "b": np.dtype("i8")}
    assert row["memory"]["table"].shape == (7,)
    assert bare.row_dtype(1)["params"].names == ("none",)


def row_of(strategy_, markets=1, tick=0.01, lot=0.1):
    row = np.zeros(1, strategy_.row_dtype(markets))[0]
    for m in range(markets):
        row.market[m].tick_size, row.market[m].lot_size = tick, lot
    return row


def test_parameters_are_written_and_prepare_fills_memory_once_before_the_first_event():
    calls = []

    def prepare(params, instruments, memory):
        calls.append((params.gamma, [each.symbol for each in instruments]))
        memory.table[:] = params.gamma * np.arange(4)

    @strategy(
        gamma=2.0,
        count=Param(3, integer=True),
        unit=Param("b", choices=("a", "b")),
        memory={"table": ("f8", (4,))},
        prepare=prepare,
    )
    def tabled(ctx):
        quote_bid(ctx, 0, 0, ctx.memory.table[ctx.params.count], 1.0)

    row = row_of(tabled)
    tabled.with_params(gamma=5).fill_params(row, (Instrument(symbol="X", tick_size=1, lot_size=1),))
    assert calls == [(5.0, ["X"])]
    assert (row.params.gamma, row.params.count, row.params.unit) == (5.0, 3, 1)
    assert row.memory.table.tolist() == [0, 5, 10, 15]
    tabled(row)
    tabled(row)
    assert len(calls) == 1
    assert row.quotes[0, 0, 0].ticks == 15


def test_nothing_is_prepared_while_a_parameter_is_missing():
    with pytest.raises(InputError, match="needs parameter gamma"):
        quoter.fill_params(row_of(quoter), ())


# ---------------------------------------------------------------- rounding outward

prices = st.floats(-(2.0**31) + 2, 2.0**31 - 2)


@pytest.mark.parametrize(
    ("price", "bid", "ask"),
    [
        (100.0, 100, 100),
        (100.5, 100, 101),
        (99.99999999999, 100, 100),  # noise
        (100.00000000001, 100, 100),
        (99.9999, 99, 100),
        (100.0001, 100, 101),
        (-0.5, -1, 0),
        (-100.5, -101, -100),
        (0.1 * 3 / 0.1, 3, 3),
        (0.0, 0, 0),
    ],
)
def test_a_bid_rounds_down_and_an_ask_up_but_noise_is_not_a_tick(price, bid, ask):
    assert (bid_ticks(price), ask_ticks(price)) == (bid, ask)


@given(prices)
def test_neither_side_is_rounded_towards_the_mid_and_neither_by_more_than_a_tick(price):
    noise = max(1e-9, abs(price) * 1e-15)
    assert price - 1 < bid_ticks(price) <= price + noise
    assert price - noise <= ask_ticks(price) < price + 1
    assert (bid_ticks(price), ask_ticks(price)) == (_bid_ticks(price), _ask_ticks(price))
    assert bid_ticks(price) == -ask_ticks(-price)


@given(st.integers(-(2**31) + 2, 2**31 - 2), st.integers(-2, 2))
def test_a_whole_tick_stays_itself_after_two_roundings_of_floats_at_any_price(ticks, steps):
    price = float(ticks)
    for _ in range(abs(steps)):
        price = math.nextafter(price, math.copysign(math.inf, steps))
    assert (bid_ticks(price), ask_ticks(price)) == (ticks, ticks)


@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf, 2.0**31, -(2.0**31) - 1])
def test_a_price_that_is_none_is_an_error_and_not_a_quote(price):
    with pytest.raises(ValueError, match="a bid price is not a number or out of range"):
        bid_ticks(price)
    with pytest.raises(ValueError, match="an ask price is not a number or out of range"):
        ask_ticks(price)


@pytest.mark.parametrize(
    ("quantity", "lot_size", "lots"),
    [
        (1.0, 0.1, 10),
        (0.3, 0.1, 3),  # 2.9999999999999996 in floats
        (0.29, 0.1, 2),
        (0.09, 0.1, 0),
        (0.0, 0.1, 0),
        (-5.0, 0.1, 0),
        (123_456.78901234, 1e-8, 12_345_678_901_234),
        (1e9, 1e-8, 10**17),
    ],
)
def test_quantities_are_whole_lots_rounded_down(quantity, lot_size, lots):
    assert whole_lots(quantity, lot_size) == _whole_lots(quantity, lot_size) == lots


@given(st.integers(0, 10**12), st.sampled_from(["1", "0.1", "0.001", "0.00001", "0.000001", "0.00000001", "100", "0.25"]))
def test_every_number_of_lots_survives_the_way_through_a_quantity(lots, lot_size):
    assert whole_lots(float(lots) * float(lot_size), float(lot_size)) == lots


@pytest.mark.parametrize("quantity", [math.nan, math.inf, -math.inf, 1e30])
def test_a_size_that_is_none_is_an_error_and_not_a_quote(quantity):
    with pytest.raises(ValueError, match="a quote size is not a number or out of range"):
        whole_lots(quantity, 0.1)


# ---------------------------------------------------------------- writing quotes


def test_quotes_are_written_in_ticks_and_lots_of_their_own_market_side_and_level():
    @strategy(levels=2)
    def both(ctx):
        quote_bid(ctx, 1, 0, 99.7, 1.0)
        quote_ask(ctx, 1, 1, 100.2, 0.55)

    row = row_of(both, markets=2)
    both(row)
    expected = np.zeros((2, 2, 2), QUOTE)
    expected[1, 0, 0], expected[1, 1, 1] = (99, 10, 0), (101, 5, 0)
    assert row.quotes.tolist() == expected.tolist()


def test_a_quote_of_nothing_is_no_quote_whatever_its_price():
    @strategy()
    def nothing(ctx):
        quote_bid(ctx, 0, 0, math.nan, 0.0)
        quote_ask(ctx, 0, 0, math.inf, 0.05)  # less than a lot

    row = row_of(nothing)
    row.quotes[:] = (5, 5, 1)
    nothing(row)
    assert [quote.tolist() for quote in row.quotes[0, :, 0]] == [(0, 0, 0), (0, 0, 0)]


def test_withdrawing_takes_all_quotes_of_one_market():
    @strategy(levels=2)
    def leave(ctx):
        withdraw(ctx, 1)

    row = row_of(leave, markets=2)
    row.quotes["lots"] = 9
    leave(row)
    assert row.quotes["lots"].tolist() == [[[9, 9], [9, 9]], [[0, 0], [0, 0]]]


# ---------------------------------------------------------------- compiled and not


@strategy(memory={"ewma": "f8", "seen": "i8"}, weight=Param(0.3, minimum=0, maximum=1), quantity=1.0)
def averaging(ctx):
    view = ctx.market[0]
    mid = 0.5 * (view.bid_ticks + view.ask_ticks)
    if ctx.memory.seen == 0:
        ctx.memory.ewma = mid
    ctx.memory.ewma += ctx.params.weight * (mid - ctx.memory.ewma)
    ctx.memory.seen += 1
    quote_bid(ctx, 0, 0, ctx.memory.ewma - math.sqrt(float(ctx.memory.seen)), ctx.params.quantity)
    quote_ask(ctx, 0, 0, ctx.memory.ewma + math.exp(0.1 * view.position_lots), ctx.params.quantity)


views = st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 50), st.integers(-20, 20)), max_size=12)


@given(views)
def test_compiled_and_plain_python_write_the_same_quotes_and_memory(both_ways, seen):
    compiled, plain = both_ways(averaging, {}, [(bid, bid + spread, position, 0.0) for bid, spread, position in seen])
    assert compiled == plain


def test_python_decides_where_the_strategy_or_the_mode_says_so():
    @strategy(compiled=False)
    def thoughtful(ctx):
        print(ctx)  # noqa: T201 - no compiled code could

    assert thoughtful.address(1) == 0
    assert (averaging.address(1) == 0) == INTERPRETED


@pytest.mark.skipif(INTERPRETED, reason="there is no machine code")
def test_machine_code_is_shared_by_all_settings_and_made_once_per_number_of_markets():
    assert averaging.address(1) == averaging.with_params(weight=0.5).address(1)
    assert averaging.address(1) != averaging.address(2)
