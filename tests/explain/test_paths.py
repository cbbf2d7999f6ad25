"""Step functions of a run: what stood in the market, and P&L to the last fill, each against a watcher with a clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.explain.paths import exact_pnl_path, pnl_path, standing_path
from twosided.explain.split import split
from twosided.market.order import OrderAction

SECOND = 1_000_000_000
SPAN = 20
lives = st.lists(
    st.tuples(
        st.integers(0, SPAN),  # accepted at
        st.sampled_from([-1, 1]),
        st.lists(st.tuples(st.integers(0, 6), st.integers(95, 105)), min_size=1, max_size=4),  # seconds at a price
        st.sampled_from([OrderAction.FILLED, OrderAction.CANCELLED, None]),
        st.booleans(),  # filled in part on the way
    ),
    max_size=12,
)


def order_log(runs, orders):
    """Return the lines of the log, and per order what stood when: (side, [(from second, to second, ticks)])."""
    lines, stood = [], []
    for number, (at, side, prices, end, partial) in enumerate(orders, 1):
        now, held = at, []
        for i, (seconds, ticks) in enumerate(prices):
            action = OrderAction.REPLACED if i else OrderAction.ACCEPTED
            lines.append((now, number, side, action, ticks))
            if partial:
                lines.append((now, number, side, OrderAction.PARTIALLY_FILLED, ticks))
            held.append((now, now + seconds, ticks))
            now += seconds
        if end is None:
            held[-1] = (*held[-1][:1], SPAN, held[-1][2])
        else:
            lines.append((now, number, side, end, prices[-1][1]))
        stood.append((side, held))
    lines.sort(key=lambda line: line[0])
    rows = [
        {"ns": runs.START + at * SECOND, "order_id": number, "side": side, "action": int(action), "ticks": ticks, "lots": 1}
        for at, number, side, action, ticks in lines
        if at <= SPAN
    ]
    return rows, stood


def best_at(stood, side, second):
    prices = [ticks for its_side, held in stood if its_side == side for a, b, ticks in held if a <= second < b]
    return side * max(side * ticks for ticks in prices) if prices else 0


@given(orders=lives)
def test_the_best_order_that_stands_is_the_one_that_a_watcher_sees(runs, orders):
    rows, stood = order_log(runs, orders)
    run = runs.assemble((runs.BTC,), [], [], span_ns=SPAN * SECOND, orders=rows)
    for side in (1, -1):
        times, ticks = standing_path(run, 0, side)
        assert np.all(np.diff(times) > 0)
        seen = ticks[np.searchsorted(times, runs.START + np.arange(SPAN) * SECOND, "right") - 1]
        assert seen.tolist() == [best_at(stood, side, second) for second in range(SPAN)]


def test_a_constant_response_latency_is_taken_off_so_that_times_are_the_exchange_s(runs):
    rows, _ = order_log(runs, [(5, 1, [(4, 100)], OrderAction.CANCELLED, False)])
    for latency, shift in (({"kind": "constant", "ns": SECOND}, 1), ({"kind": "sampled", "ns": 0}, 0)):
        run = runs.assemble((runs.BTC,), [], [], span_ns=SPAN * SECOND, orders=rows, settings={"response_latency": latency})
        times, ticks = standing_path(run, 0, 1)
        assert [(int(at - runs.START) // SECOND, int(price)) for at, price in zip(times[1:], ticks[1:], strict=True)] == [
            (5 - shift, 100),
            (9 - shift, 0),
        ]


def test_what_was_wished_for_and_refused_never_stood(runs):
    rows = [
        {"ns": runs.START, "order_id": 1, "side": 1, "action": int(action), "ticks": 100, "lots": 1}
        for action in (OrderAction.SEND_NEW, OrderAction.REJECTED, OrderAction.DENIED)
    ]
    wishes = [{"ns": runs.START, "market": 0, "side": 1, "ticks": 100, "lots": 1}]
    run = runs.assemble((runs.BTC,), [], [], span_ns=SECOND, orders=rows, quotes=wishes)
    assert not standing_path(run, 0, 1)[1].any()


@given(seed=st.integers(0, 2**32))
def test_exact_pnl_agrees_with_the_samples_and_ends_at_the_total(runs, seed):
    run = runs.random(seed, span_s=20)
    times, pnl = exact_pnl_path(run, 0)
    funding = run.facts["closing"][0]["funding"] - run.facts["opening"][0]["funding"]
    paid = run.instruments[0].money(funding)  # at the very end, when no fill or mid need be
    total = float(split(run)[0].money("total"))
    assert pnl[-1] == pytest.approx(total + (paid if times[-1] < run.facts["end_ns"] else 0), abs=1e-9)
    sampled_ns, sampled = pnl_path(run, [0])
    inside = (sampled_ns >= times[0]) & (sampled_ns < run.facts["end_ns"])
    exact = pnl[np.searchsorted(times, sampled_ns[inside], "right") - 1]
    assert exact == pytest.approx(sampled[inside], abs=1e-9)


def test_there_is_no_exact_pnl_without_a_mid(runs):
    assert len(exact_pnl_path(runs.assemble((runs.BTC,), [], [], span_ns=SECOND), 0)[0]) == 0
