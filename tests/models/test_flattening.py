"""Trading out in whole lots: against exhaustive search, against Almgren and Chriss, and what is said where it cannot be done."""

import builtins
import importlib
import itertools
import sys

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.models import almgren_chriss

pytest.importorskip("ortools")
from twosided.models.flattening import Flattening, schedule


def twice_cost(problem, orders):
    left, total = abs(problem.position_lots), problem.permanent * problem.position_lots**2
    for temporary, lots in zip(problem.temporary, orders, strict=True):
        left -= lots
        total += (2 * temporary - problem.permanent) * lots**2 + 2 * problem.risk * left**2 + 2 * problem.order_cost * (lots > 0)
    return total


def allowed(problem, orders):
    done = 0
    for bucket, lots in enumerate(orders):
        done += lots
        if lots == 0:
            continue
        if lots % problem.multiple_lots or lots < problem.min_order_lots:
            return False
        if problem.volume_lots is not None and lots > problem.volume_lots[bucket] * problem.max_participation + 1e-9:
            return False
        if problem.room is not None and problem.permanent * done + problem.temporary[bucket] * lots > problem.room[bucket]:
            return False
    return done == abs(problem.position_lots)


def by_trying_all(problem):
    whole = range(abs(problem.position_lots) + 1)
    found = [
        twice_cost(problem, orders)
        for orders in itertools.product(whole, repeat=len(problem.temporary))
        if allowed(problem, orders)
    ]
    return min(found, default=None)


CASES = [
    Flattening(12, (5, 5, 5), risk=1),
    Flattening(-12, (5, 9, 3), permanent=4, risk=2),
    Flattening(12, (5, 5, 5, 5), risk=1, order_cost=300),
    Flattening(12, (5, 5, 5), risk=3, volume_lots=(20, 0, 30), max_participation=0.3),
    Flattening(12, (5, 5, 5), risk=3, volume_lots=(20, 10, 30), max_participation=0.3),
    Flattening(12, (5, 5, 5), risk=3, multiple_lots=4),
    Flattening(12, (5, 5, 5, 5), risk=1, min_order_lots=5, order_cost=10),
    Flattening(12, (5, 5, 5), permanent=2, risk=9, room=(30, 60, 60)),
    Flattening(0, (5, 5)),
]


@pytest.mark.parametrize("problem", CASES, ids=range(len(CASES)))
def test_no_schedule_is_cheaper(problem):
    best = by_trying_all(problem)
    if best is None:
        with pytest.raises(InputError, match="no schedule trades"):
            schedule(problem)
        return
    found = schedule(problem)
    orders = [abs(lots) for lots in found.lots]
    assert allowed(problem, orders)
    assert found.twice_cost == twice_cost(problem, orders) == best
    assert found.proved
    assert sum(found.lots) == -problem.position_lots
    assert found.left[-1] == 0


@pytest.mark.parametrize(("lots", "permanent"), [(1000, 0), (1000, 200), (10_000, 200)])
def test_in_small_lots_it_is_almgren_and_chriss(lots, permanent):
    problem = Flattening(lots, (1000,) * 12, permanent=permanent, risk=90)
    market = almgren_chriss.Market(sigma=1.0, temporary=1000.0, permanent=float(permanent))
    smooth = almgren_chriss.liquidate(market, position=lots, horizon_s=12.0, risk_aversion=90.0, buckets=12)
    found = schedule(problem)
    assert found.proved
    np.testing.assert_allclose(found.left, smooth.left[1:], atol=1.5)  # lots
    assert found.twice_cost / 2 == pytest.approx(smooth.mean + 90.0 * smooth.variance, rel=1e-2 / lots)
    assert found.twice_cost / 2 >= smooth.mean + 90.0 * smooth.variance


def test_costs_above_what_a_float_holds_are_exact():
    problem = Flattening(10_000, (2_000_001, 2_000_003), risk=1)
    found = schedule(problem)
    assert found.twice_cost == twice_cost(problem, [abs(lots) for lots in found.lots])
    large = Flattening(100_001, (20_000_001, 20_000_003))
    assert schedule(large).twice_cost == twice_cost(large, [abs(lots) for lots in schedule(large).lots]) > 2**53


def test_costs_beyond_64_bits_are_refused():
    with pytest.raises(InputError, match="position_lots is 2000000000: costs of that many lots exceed 64-bit integers"):
        schedule(Flattening(2_000_000_000, (1000,) * 8))
    with pytest.raises(InputError, match="effort_s is nan; allowed: a positive number"):
        schedule(CASES[0], effort_s=float("nan"))


def test_the_same_problem_has_the_same_answer():
    problem = Flattening(300, (100,) * 6, risk=10, order_cost=5000, volume_lots=(400,) * 6, max_participation=0.25)
    assert schedule(problem) == schedule(problem)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (
            {"volume_lots": (100,) * 8, "max_participation": 0.1},
            "participation allows 80; without the participation limit there is one",
        ),
        ({"room": (5000,) * 8}, "without the price band there is one"),
        (
            {"min_order_lots": 30, "volume_lots": (250,) * 8, "max_participation": 0.1},
            "without the participation limit or without the smallest order there is one",
        ),
        (
            {"room": (5000,) * 8, "volume_lots": (100,) * 8, "max_participation": 0.1},
            "more than one of the participation limit, the price band, the smallest order would have to give way",
        ),
    ],
)
def test_where_there_is_none_the_reason_is_said(limits, said):
    with pytest.raises(InputError, match="no schedule trades 100 lots in 8 buckets") as error:
        schedule(Flattening(100, (1000,) * 8, **limits))
    assert str(error.value).endswith(said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"position_lots": 1.5}, "position_lots is 1.5; allowed: whole numbers"),
        ({"position_lots": 7, "multiple_lots": 2}, "allowed: a multiple of multiple_lots, 2"),
        ({"temporary": ()}, "temporary is empty"),
        ({"temporary": (1, -1)}, "temporary is"),
        ({"permanent": 11}, "at most twice the smallest temporary, 5"),
        ({"room": (1,)}, "room has 1 buckets, temporary 2"),
        ({"max_participation": 0.0}, "max_participation is 0.0"),
        ({"risk": 2**40}, "risk is"),
    ],
)
def test_a_problem_that_makes_no_sense_is_refused(change, said):
    with pytest.raises(InputError, match=said):
        Flattening(**{"position_lots": 10, "temporary": (5, 5), **change})


def test_without_the_extra_the_error_names_it(monkeypatch):
    real = builtins.__import__

    def absent(name, *arguments, **options):
        if name.startswith("ortools"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", absent)
    module = sys.modules.pop("twosided.models.flattening")
    try:
        with pytest.raises(InputError, match=r"pip install 'twosided\[execution\]'"):
            importlib.import_module("twosided.models.flattening")
    finally:
        sys.modules["twosided.models.flattening"] = module
