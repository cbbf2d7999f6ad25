"""How to trade out of a position in whole lots, within what the market and its rules allow: a problem for OR-Tools' CP-SAT.

Where you are in the pipe: events -> book -> signals -> *strategy* (its mathematics) -> risk -> order manager -> venue -> fills.

|position| lots are traded in n buckets of time, u_j of them in bucket j; x_j are left after it. Every number is an integer; money
counts in any quantum. The cost against the first mid is

    sum_j [ (temporary_j - permanent/2)·u_j² + risk·x_j² + order_cost·(u_j > 0) ] + permanent/2·position²

which is Almgren and Chriss's (in the terms of `twosided.models.almgren_chriss`, temporary is temporary·lot²/tau, permanent is
permanent·lot², risk is risk_aversion·sigma²·tau·lot²), plus a cost per order. Subject to

    participation   u_j at most max_participation of the bucket's expected volume (0 lots: the market is closed)
    lots            u_j a whole number of multiple_lots, and 0 or at least min_order_lots
    price band      permanent·(u_1 + … + u_j) + temporary_j·u_j at most room_j: what we push the price by, and how far it may go
    time            nothing is left after the last bucket

CP-SAT proves the optimum, or says how far from it the schedule can be when its (deterministic) time is over. One worker, fixed
seed: the same problem has the same answer. Needs the extra `execution` (pip install 'twosided[execution]').
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from twosided.errors import InputError

try:
    from ortools.sat.python import cp_model
except ImportError as error:
    raise InputError("schedules of whole lots need OR-Tools; install the extra: pip install 'twosided[execution]'") from error

__all__ = ["Flattening", "Schedule", "schedule"]

_LARGEST = 2**31  # of any number given; products of several may still leave CP-SAT's 64-bit integers, and are refused then
_CUTS = 100
_LIMITS: Mapping[str, str] = {
    "participation": "the participation limit",
    "band": "the price band",
    "minimum": "the smallest order",
}


@dataclass(frozen=True)
class Flattening:
    """What is to be traded, what it costs, and within which limits; see the module's text for units.

    Args:
        position_lots: signed; only its size matters to the schedule.
        temporary: for each bucket, quanta per lot: how much worse the price is for each lot traded in it.
        permanent: quanta per lot: how much worse it stays.
        risk: quanta per lot² that is left after a bucket.
        order_cost: quanta per bucket in which anything is traded.
        volume_lots: what the market is expected to trade in each bucket; None for no limit.
        max_participation: share of it that may be ours.
        multiple_lots: orders are whole multiples of it.
        min_order_lots: the smallest order.
        room: for each bucket, quanta by which the price may be pushed before it leaves its band; None for no band.

    Raises:
        InputError: a number that is negative, not whole or too large, or lists of different lengths.
    """

    position_lots: int
    temporary: tuple[int, ...]
    permanent: int = 0
    risk: int = 0
    order_cost: int = 0
    volume_lots: tuple[int, ...] | None = None
    max_participation: float = 1.0
    multiple_lots: int = 1
    min_order_lots: int = 0
    room: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name == "max_participation" or value is None:
                continue
            for number in value if isinstance(value, tuple) else (abs(value) if name == "position_lots" else value,):
                least = 1 if name == "multiple_lots" else 0
                if isinstance(number, bool) or not isinstance(number, int) or not least <= number < _LARGEST:
                    raise InputError(f"{name} is {value!r}; allowed: whole numbers from {least} to 2^31")
        for name in ("volume_lots", "room"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.temporary):
                raise InputError(f"{name} has {len(given)} buckets, temporary {len(self.temporary)}; allowed: as many")
        if not self.temporary:
            raise InputError("temporary is empty; allowed: a number for each bucket, at least one")
        if min(self.temporary) * 2 < self.permanent:
            raise InputError(f"permanent is {self.permanent}; allowed: at most twice the smallest temporary, {min(self.temporary)}")
        if not 0.0 < self.max_participation <= 1.0:
            raise InputError(f"max_participation is {self.max_participation!r}; allowed: a share above 0, at most 1")
        if self.position_lots % self.multiple_lots:
            raise InputError(
                f"position_lots is {self.position_lots}; allowed: a multiple of multiple_lots, {self.multiple_lots}; the rest "
                f"cannot be traded"
            )


@dataclass(frozen=True)
class Schedule:
    """What to trade when.

    Args:
        lots: for each bucket, of the opposite sign of the position: negative sells.
        left: lots held after each bucket.
        twice_cost: quanta, doubled to be whole: see the module's text.
        twice_bound: no schedule costs less than this; equal to the cost where the schedule is proved to be the best.
    """

    lots: tuple[int, ...]
    left: tuple[int, ...]
    twice_cost: int
    twice_bound: int

    @property
    def proved(self) -> bool:
        """Whether no schedule is better."""
        return self.twice_bound >= self.twice_cost


def schedule(problem: Flattening, *, effort_s: float = 2.0) -> Schedule:
    """Return the cheapest schedule.

    Args:
        problem: see there.
        effort_s: CP-SAT's deterministic time, about seconds; after it the best schedule so far is returned.

    Raises:
        InputError: no schedule keeps all limits, and which of them are in the way; or none was found in time; or costs beyond
            64-bit integers.
    """
    if not 0.0 < effort_s < math.inf:
        raise InputError(f"effort_s is {effort_s}; allowed: a positive number")
    model, traded = _model(problem)
    solver = _solver(effort_s)
    status = solver.solve(model)
    if status == cp_model.MODEL_INVALID:
        raise InputError(
            f"position_lots is {problem.position_lots}: costs of that many lots exceed 64-bit integers; allowed: fewer or coarser "
            f"lots, or a larger quantum of money"
        )
    if status in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        sign = -1 if problem.position_lots > 0 else 1
        lots = tuple(sign * solver.value(units) * problem.multiple_lots for units in traded)
        left = tuple(problem.position_lots + sum(lots[: n + 1]) for n in range(len(lots)))
        cost = _twice_cost(problem, lots, left)
        bound = math.ceil(solver.best_objective_bound - 1e-6) + problem.permanent * problem.position_lots**2
        return Schedule(lots, left, cost, cost if status == cp_model.OPTIMAL else min(bound, cost))
    if status == cp_model.INFEASIBLE:
        raise InputError(_why_not(problem, effort_s))
    raise InputError(f"no schedule was found with effort_s {effort_s:g}; allowed: more of it, fewer buckets or coarser lots")


def _twice_cost(problem: Flattening, lots: tuple[int, ...], left: tuple[int, ...]) -> int:
    """Return the cost of a schedule, doubled: the solver's own is a float, which has 53 bits."""
    paces = zip(problem.temporary, lots, strict=True)
    spent = sum((2 * temporary - problem.permanent) * each**2 + 2 * problem.order_cost * (each != 0) for temporary, each in paces)
    return spent + 2 * problem.risk * sum(each**2 for each in left) + problem.permanent * problem.position_lots**2


def _solver(effort_s: float) -> cp_model.CpSolver:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = effort_s
    return solver


def _most(problem: Flattening, bucket: int, without: str = "") -> int:
    """Return the largest order of a bucket by participation alone, in multiples."""
    most = abs(problem.position_lots)
    if problem.volume_lots is not None and without != "participation":
        most = min(most, math.floor(problem.volume_lots[bucket] * problem.max_participation + 1e-9))
    return most // problem.multiple_lots


def _model(problem: Flattening, without: str = "", *, costed: bool = True) -> tuple[cp_model.CpModel, list[cp_model.IntVar]]:
    """Return the model, and its orders in multiples; one limit may be left out, and the cost."""
    model = cp_model.CpModel()
    whole, multiple = abs(problem.position_lots) // problem.multiple_lots, problem.multiple_lots
    traded, cost = [], []
    for bucket, temporary in enumerate(problem.temporary):
        most = _most(problem, bucket, without)
        units = model.new_int_var(0, most, f"units {bucket}")
        active = model.new_bool_var(f"active {bucket}")
        least = max(1, -(-problem.min_order_lots // multiple)) if without != "minimum" else 1
        model.add(units >= least).only_enforce_if(active)
        model.add(units == 0).only_enforce_if(~active)
        traded.append(units)
        if problem.room is not None and without != "band":
            pushed = problem.permanent * multiple * sum(traded) + temporary * multiple * units
            model.add(pushed <= problem.room[bucket]).only_enforce_if(active)
        if not costed:
            continue
        cost.append((2 * temporary - problem.permanent) * multiple**2 * _square(model, units, most))
        cost.append(2 * problem.order_cost * active)
        if problem.risk and bucket < len(problem.temporary) - 1:
            left = model.new_int_var(0, whole, f"left {bucket}")
            model.add(left == whole - sum(traded))
            cost.append(2 * problem.risk * multiple**2 * _square(model, left, whole))
    model.add(sum(traded) == whole)
    if costed:
        model.minimize(sum(cost))
    return model, traded


def _square(model: cp_model.CpModel, number: cp_model.IntVar, most: int) -> cp_model.IntVar:
    """Return the square of a number from 0 to *most*, for a cost that is minimised: never less than it.

    Lines through neighbouring squares, (2a + 1)·n - a·(a + 1), are below n² for every whole n and meet it at a and a + 1. With one
    for each a they say it all; with fewer they are a guide for the solver's bound.
    """
    square = model.new_int_var(0, most * most, f"{number.name} squared")
    spacing = max(1, most // _CUTS)
    for a in range(0, most, spacing):
        model.add(square >= (2 * a + 1) * number - a * (a + 1))
    if spacing > 1:
        model.add_multiplication_equality(square, [number, number])
    return square


def _why_not(problem: Flattening, effort_s: float) -> str:
    """Return in words which limits leave no schedule."""
    found = []
    for name, words in _LIMITS.items():
        model, _ = _model(problem, name, costed=False)
        if _solver(effort_s).solve(model) in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            found.append(words)
    buckets = len(problem.temporary)
    said = f"no schedule trades {abs(problem.position_lots)} lots in {buckets} bucket{'s' if buckets > 1 else ''}"
    allowed = sum(_most(problem, bucket) for bucket in range(buckets)) * problem.multiple_lots
    if allowed < abs(problem.position_lots):
        said += f": participation allows {allowed}"
    if found:
        return f"{said}; without {' or without '.join(found)} there is one"
    return f"{said}; more than one of {', '.join(_LIMITS.values())} would have to give way"
