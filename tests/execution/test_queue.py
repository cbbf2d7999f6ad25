"""Queue position: trades advance it always, cancels by the model's guess, and nothing is counted twice."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.execution.queue import CONSERVATIVE, LOG, OPTIMISTIC, POWER, _queue_after_change, queue_after_change

pytestmark = pytest.mark.interpreted

MODELS = [
    (CONSERVATIVE, 0.0),
    (POWER, 1.0),
    (POWER, 2.0),
    (POWER, 3.0),
    (POWER, 0.5),
    (POWER, 100.0),
    (LOG, 0.0),
    (OPTIMISTIC, 0.0),
]
every_model = pytest.mark.parametrize(("kind", "exponent"), MODELS)


def naive(ahead, old, new, explained, kind, exponent):
    """The module's formula with fractions; weights that are not rational are taken as the nearest double."""
    cancelled = old - new - explained
    if cancelled > 0:
        behind = max(old - Fraction(ahead), 0)
        share = naive_share(float(ahead), float(behind), kind, exponent)
        ahead = ahead - (1 - share) * cancelled + min(behind - share * cancelled, 0)
    return max(min(ahead, new), 0)


def naive_share(ahead, behind, kind, exponent):
    """The share of cancels that come from behind."""
    if kind in {CONSERVATIVE, OPTIMISTIC}:
        return Fraction(int(kind == CONSERVATIVE))
    weights = [math.log(1 + lots) if kind == LOG else Decimal(lots) ** Decimal(exponent) for lots in (ahead, behind)]
    total = sum(weights)
    return Fraction(weights[1]) / Fraction(total) if total else Fraction(1)


def change(ahead, old, new, explained=0, kind=CONSERVATIVE, exponent=0.0):
    return queue_after_change(float(ahead), old, new, explained, kind, exponent)


# ---------------------------------------------------------------- known answers


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"kind": CONSERVATIVE}, 60.0),  # 40 behind: the 20 that left stood there
        ({"kind": POWER, "exponent": 1.0}, 60 - 0.6 * 20),  # 40 / 100 from behind
        ({"kind": POWER, "exponent": 2.0}, 60 - (1 - 1600 / 5200) * 20),
        ({"kind": POWER, "exponent": 3.0}, 60 - (1 - 64_000 / 280_000) * 20),
        ({"kind": OPTIMISTIC}, 40.0),
        ({"kind": LOG}, 60 - math.log(61) / (math.log(61) + math.log(41)) * 20),
    ],
)
def test_twenty_of_a_hundred_lots_are_cancelled_with_sixty_ahead(case, expected):
    assert change(60, 100, 80, **case) == pytest.approx(expected, rel=1e-14)


def test_conservative_cancels_reach_the_front_only_when_nobody_is_left_behind():
    assert change(60, 100, 60) == 60
    assert change(60, 100, 59) == 59
    assert change(60, 100, 10) == 10


def test_what_the_model_would_take_from_behind_beyond_what_is_there_comes_off_the_front():
    # log: weights are nearly equal, so 50 cancels ask for 20.7 from the 5 behind; the rest is paid by the front
    share = math.log(6) / (math.log(6) + math.log(56))
    assert share * 50 > 5
    assert change(55, 60, 10, kind=LOG) == pytest.approx(min(55 - (1 - share) * 50 + (5 - share * 50), 10))


@every_model
def test_first_in_the_queue_stays_first(kind, exponent):
    assert change(0, 100, 30, kind=kind, exponent=exponent) == 0
    assert change(0, 100, 500, kind=kind, exponent=exponent) == 0


@every_model
def test_new_orders_queue_behind_us(kind, exponent):
    assert change(60, 100, 500, kind=kind, exponent=exponent) == 60


@every_model
def test_a_level_that_vanishes_leaves_nobody_ahead(kind, exponent):
    assert change(60, 100, 0, kind=kind, exponent=exponent) == 0


@every_model
def test_a_decrease_that_trades_explain_is_not_counted_again(kind, exponent):
    # 30 traded: they came off `ahead` when they did (60 -> 30); the level's update says nothing new
    assert change(30, 100, 70, explained=30, kind=kind, exponent=exponent) == 30
    assert change(30, 100, 75, explained=30, kind=kind, exponent=exponent) == 30  # and 5 joined behind
    assert change(30, 100, 70, explained=29, kind=kind, exponent=exponent) > 29 - 1e-9  # one lot was cancelled


def test_halves_of_a_lot_are_kept():
    ahead = change(1, 2, 1, kind=POWER, exponent=1.0)
    assert ahead == 0.5


# ---------------------------------------------------------------- limits


def test_a_large_exponent_blames_whichever_side_is_larger():
    few_ahead = change(10, 100, 80, kind=POWER, exponent=100.0)
    assert few_ahead == pytest.approx(10)  # pessimistic: all from behind
    many_ahead = change(90, 100, 80, kind=POWER, exponent=100.0)
    assert many_ahead == pytest.approx(70)  # optimistic: all from the front


def test_the_largest_exponent_allowed_never_makes_a_queue_that_is_not_a_number():
    assert change(0, 1210, 0, kind=POWER, exponent=100.0) == 0
    assert change(10**12, 10**15, 10**14, kind=POWER, exponent=100.0) == 10**12


def test_a_small_exponent_splits_in_halves_however_the_queue_stands():
    assert change(10, 100, 90, kind=POWER, exponent=1e-9) == pytest.approx(5)
    assert change(90, 100, 90, kind=POWER, exponent=1e-9) == pytest.approx(85)


# ---------------------------------------------------------------- for whatever happens

lots = st.integers(0, 10**9)
aheads = st.floats(0, 1e9, allow_subnormal=False)
models = st.one_of(
    st.just((CONSERVATIVE, 0.0)),
    st.just((OPTIMISTIC, 0.0)),
    st.just((LOG, 0.0)),
    st.tuples(st.just(POWER), st.sampled_from([0.1, 1.0, 1.7, 2.0, 3.0, 100.0])),
)


@given(aheads, lots, lots, lots, models)
def test_compiled_is_interpreted_and_both_are_the_formula(ahead, old, new, explained, model):
    found = queue_after_change(ahead, old, new, explained, *model)
    assert found == _queue_after_change(ahead, old, new, explained, *model)
    assert found == pytest.approx(float(naive(Fraction(ahead), old, new, explained, *model)), rel=1e-9, abs=1e-6)


@given(aheads, lots, lots, lots, models)
def test_nobody_is_behind_more_than_the_level_holds_or_ahead_of_the_front(ahead, old, new, explained, model):
    found = queue_after_change(ahead, old, new, explained, *model)
    assert 0.0 <= found <= max(new, 0)
    assert found <= ahead  # nothing that happens to a level sends us back


@given(aheads, lots, lots, lots, models)
def test_every_guess_lies_between_the_conservative_and_the_optimistic_one(ahead, old, new, explained, model):
    worst, best = (queue_after_change(ahead, old, new, explained, kind, 0.0) for kind in (CONSERVATIVE, OPTIMISTIC))
    assert best - 1e-6 <= queue_after_change(ahead, old, new, explained, *model) <= worst + 1e-6


@given(aheads, lots, lots, lots, st.integers(0, 10**6), models)
def test_more_cancels_never_lengthen_the_queue_ahead(ahead, old, new, explained, more, model):
    fewer_left = max(new - more, 0)
    before = queue_after_change(ahead, old, new, explained, *model)
    after = queue_after_change(ahead, old, fewer_left, explained, *model)
    assert after <= before * (1 + 1e-12) + 1e-9


@given(aheads, lots, lots, lots, st.integers(0, 10**6), models)
def test_what_trades_explain_never_advances_us_again(ahead, old, new, explained, more, model):
    explained_more = queue_after_change(ahead, old, new, explained + more, *model)
    assert explained_more >= queue_after_change(ahead, old, new, explained, *model) * (1 - 1e-12) - 1e-9
