"""Where cancels come from is known in these markets, so it is known which guess is right and which way the others are wrong."""

import numpy as np
import pytest

from twosided.engines.flow import generate_market
from twosided.errors import InputError
from twosided.market.collapse import by_level
from twosided.market.event import EVENT, Flag, Kind
from twosided.market.instrument import Instrument
from twosided.research.queue_study import queue_study

INSTRUMENT = Instrument(symbol="TEST", tick_size="0.01", lot_size="1")
MODELS = ("conservative", "log", "power:1", "power:3")
MS = 1_000_000


def market(cancels, seconds=600, seed=1):
    """A bid of 100 and an ask of 102, queues of some 20 orders of 5 lots: every 50 ms an arrival, a cancel or a sale, on each side.

    *cancels* says which place in the queue of n orders leaves.
    """
    rng = np.random.default_rng(seed)
    rows, queues, number, now = [], {1: [], -1: []}, 0, 1_700_000_000_000_000_000

    def tell(kind, order_id, side, lots, more=False):
        ticks = 100 if (side > 0) != (kind == Kind.TRADE) else 102
        flags = 0 if more else Flag.LAST_OF_MESSAGE
        rows.append((now, now + MS, order_id, lots, ticks, kind, flags, side, 0))

    def join(side, more=False):
        nonlocal number
        number += 1
        queues[side].append(number)
        tell(Kind.ADD, number, side, 5, more)

    for i in range(40):
        join(1 if i % 2 else -1, more=i < 39)
    for _ in range(seconds * 20):
        now += 50 * MS
        for side in (1, -1):
            now += 1
            queue, pick = queues[side], rng.random()
            if pick < 0.1 and len(queue) > 5:
                order_id = queue.pop(0)
                tell(Kind.TRADE, 0, -side, 5, more=True)
                tell(Kind.FILL, order_id, side, 5)
            elif pick < 0.5 and len(queue) > 10:
                tell(Kind.CANCEL, queue.pop(cancels(rng, len(queue))), side, 0)
            elif len(queue) < 30:
                join(side)
    return np.array(rows, EVENT)


def study(events, **more):
    found = queue_study(events, INSTRUMENT, wait_ns=10_000 * MS, models=MODELS, **more)
    return found, {model.model: model for model in found.models}


def test_where_only_the_last_in_line_cancel_the_conservative_model_is_the_truth():
    found, models = study(market(lambda _rng, n: n - 1))
    assert 0.2 < found.filled < 0.9
    exact = models["conservative"]
    assert (exact.alike, exact.wait_rms_error_s, exact.filled) == (1.0, 0.0, found.filled)
    for name in ("log", "power:1", "power:3"):
        assert models[name].filled_error.low > 0  # they let us move up by cancels that were behind us
        assert models[name].wait_error_s.high < 0


def test_where_only_the_first_in_line_cancel_every_model_is_too_slow():
    found, models = study(market(lambda _rng, _n: 0))
    assert found.filled > 0.5
    for model in models.values():
        assert model.wait_error_s.low > 0


def test_where_anybody_cancels_alike_a_share_in_proportion_is_unbiased_and_the_conservative_one_is_not():
    _found, models = study(market(lambda rng, n: int(rng.integers(n)), seconds=1200))
    low, high = models["power:1"].wait_error_s.low, models["power:1"].wait_error_s.high
    assert low < 0.35
    assert high > -0.35
    assert abs(models["power:1"].wait_error_s.mean) < abs(models["conservative"].wait_error_s.mean) / 3


def test_the_errors_are_model_minus_truth_over_the_same_probes():
    events, instrument = generate_market(seed=2, seconds=1_500, by_order=True)
    ticks = []
    found = queue_study(
        events, instrument, wait_ns=5_000 * MS, models=("log", "power:1", "power:2"), progress=lambda *done: ticks.append(done)
    )
    assert ticks == [(1, 3), (2, 3), (3, 3)]
    assert found.probes > 3_000
    for model in found.models:
        assert model.filled_error.mean == pytest.approx(model.filled - found.filled)
        assert model.wait_error_s.mean == pytest.approx(model.wait_s - found.mean_wait_s)
        assert 0 <= abs(model.filled - found.filled) <= 1 - model.alike <= 1
    assert found.exponents == (1.0, 2.0)
    best = {1.0: "power:1", 2.0: "power:2"}[found.exponent.best]
    assert best == min(found.models[1:], key=lambda model: model.wait_rms_error_s).model
    assert found.exponent.low <= found.exponent.best <= found.exponent.high


def test_probes_before_the_start_are_not_sent():
    events = market(lambda _rng, n: n - 1)
    all_of_it, _ = study(events)
    half = int(events["local_ns"][len(events) // 2])
    second_half, _ = study(events, start_ns=half)
    assert second_half.probes == pytest.approx(all_of_it.probes / 2, rel=0.1)


def test_what_cannot_be_studied_is_said():
    events = market(lambda _rng, n: n - 1, seconds=20)
    with pytest.raises(InputError, match="TEST is recorded by level: its queues are not known"):
        queue_study(by_level(events), INSTRUMENT)
    with pytest.raises(InputError, match=r"room for \d+ probes of 10 s; expected at least 50"):
        queue_study(events[:200], INSTRUMENT)
