"""Hawkes processes with an exponential kernel, by maximum likelihood: how much of the flow is an answer to earlier flow.

Where you are in the pipe: research, on top of all rooms; plain functions of times.

Events of kind i (one kind, or buys and sells) come with the intensity

    lambda_i(t) = mu_i + sum over j of alpha_ij · sum over t_n of kind j before t of beta · exp(-beta·(t - t_n))

so alpha_ij is the mean number of direct followers of kind i of one event of kind j, and the largest eigenvalue of alpha (the
*branching ratio*) is the share of events that answer to others. All kinds forget at one rate beta, 1/s: that makes the likelihood
one pass over the events (Ozaki 1979, "Maximum likelihood estimation of Hawkes' self-exciting point processes", Ann. Inst. Statist.
Math. 31):

    ln L = sum over n of ln lambda_kind(n)(t_n) - sum over i of integral of lambda_i over the time watched

A pass costs some 40 ns an event of two kinds, gradient included, most of it one exp.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from twosided._compile import compiled
from twosided._random import Purpose, exponential_of, stream_of, stream_word, uniform_of
from twosided.errors import InputError
from twosided.research.measured import Measured

__all__ = ["Hawkes", "fit_hawkes", "log_likelihood", "simulate_hawkes"]

Floats = npt.NDArray[np.float64]
Kinds = npt.NDArray[np.int8]

FEWEST = 100
"""Events that a fit needs at least."""

_NONE = 1e-7
"""Of an alpha: below this the maximum lies at the boundary, where nobody answers."""

_DROP = 0.5 * 1.644854**2  # of the log-likelihood at the end of a one-sided 95 % interval


# ---------------------------------------------------------------- the likelihood


def _passed(
    times: Any, kinds: Any, count: int, seconds: float, mu: Any, alpha: Any, beta: float, ages: Any, slopes: Any, gradient: Any
) -> float:
    """Return ln L and write its *gradient*: by mu (count), alpha (count²), beta.

    ``ages[j]`` holds the sum of exp(-beta·(t - t_n)) over events of kind j so far, ``slopes[j]`` minus its derivative by beta.
    """
    at_beta = count + count * count
    for place in range(at_beta + 1):
        gradient[place] = 0.0
    for j in range(count):
        ages[j], slopes[j] = 0.0, 0.0
    value, last = 0.0, 0.0
    for n in range(len(times)):
        gone = times[n] - last
        decay = math.exp(-beta * gone)
        last = times[n]
        kind = kinds[n]
        rate, by_beta = mu[kind], 0.0
        for j in range(count):
            slopes[j] = decay * (slopes[j] + gone * ages[j])
            ages[j] = decay * ages[j]
            rate += alpha[kind, j] * beta * ages[j]
            by_beta += alpha[kind, j] * (ages[j] - beta * slopes[j])
        if not rate > 0.0:
            return -math.inf
        value += math.log(rate)
        gradient[kind] += 1.0 / rate
        for j in range(count):
            gradient[count + kind * count + j] += beta * ages[j] / rate
        gradient[at_beta] += by_beta / rate
        left = seconds - times[n]
        rest = math.exp(-beta * left)
        for i in range(count):
            value -= alpha[i, kind] * (1.0 - rest)
            gradient[count + i * count + kind] -= 1.0 - rest
            gradient[at_beta] -= alpha[i, kind] * left * rest
        ages[kind] += 1.0
    for i in range(count):
        value -= mu[i] * seconds
        gradient[i] -= seconds
    return value


passed = compiled(_passed)


def log_likelihood(times: Floats, kinds: Kinds, seconds: float, mu: Floats, alpha: Floats, beta: float) -> float:
    """Return ln L of the module's text.

    Args:
        times: of the events, s from the beginning of the watch, increasing, shape (n,).
        kinds: of each event, from 0, shape (n,).
        seconds: length of the watch.
        mu: intensities without any excitement, 1/s, shape (count,).
        alpha: mean numbers of direct followers, shape (count, count): of kind row, of one event of kind column.
        beta: rate of forgetting, 1/s.

    Raises:
        InputError: times that are not increasing or not within the watch, or shapes that do not fit.
    """
    times, kinds = _checked(times, kinds, seconds)
    mu, alpha = np.asarray(mu, np.float64), np.asarray(alpha, np.float64)
    if alpha.shape != (len(mu), len(mu)) or (len(kinds) and int(kinds.max()) >= len(mu)):
        raise InputError(f"mu has {len(mu)} kinds and alpha the shape {alpha.shape}; allowed: a square of as many")
    return _value(times, kinds, seconds, np.concatenate([mu, alpha.ravel(), [beta]]), len(mu))[0]


def _value(times: Floats, kinds: Kinds, seconds: float, at: Floats, count: int) -> tuple[float, Floats]:
    gradient, work = np.zeros(len(at)), np.zeros((2, count))
    mu, alpha = at[:count], at[count:-1].reshape(count, count)
    return float(passed(times, kinds, count, seconds, mu, alpha, float(at[-1]), work[0], work[1], gradient)), gradient


# ---------------------------------------------------------------- fitting


@dataclass(frozen=True)
class Hawkes:
    """A fit.

    Args:
        mu: intensity of each kind without any excitement, 1/s.
        alpha: mean numbers of direct followers: ``alpha[i][j]`` of kind i, of one event of kind j.
        beta: rate of forgetting, 1/s.
        branching: share of events that answer to others: the largest eigenvalue of alpha. From 1 on the flow would explode.
        log_likelihood: at the maximum.
        poisson_log_likelihood: of independent arrivals at a steady rate; twice the difference is what excitement explains.
        events: that were fitted.
    """

    mu: tuple[Measured, ...]
    alpha: tuple[tuple[Measured, ...], ...]
    beta: Measured
    branching: float
    log_likelihood: float
    poisson_log_likelihood: float
    events: int


def fit_hawkes(times: Floats, seconds: float, kinds: Kinds | None = None) -> Hawkes:
    """Return the parameters of greatest likelihood with 95 % intervals.

    Intervals are of the logarithm, from the inverse of the observed information; of a number that is known to no better than a
    half, they are symmetric and cut at zero. Where the greatest likelihood has an alpha of
    zero, its interval goes from 0 to where the likelihood, all else held, has fallen as far as a one-sided 95 % interval allows.

    Several events at one time must be made one before: a sweep that a venue reports as ten trades is one event, and ten at the same
    instant would send beta to infinity.

    Args:
        times: s from the beginning of the watch, increasing, shape (n,).
        seconds: length of the watch.
        kinds: 0 or 1 for each event (say, sells and buys); None for one kind.

    Raises:
        InputError: fewer than 100 events or a kind without any, times that do not increase, or a likelihood without a maximum.
    """
    times, kinds = _checked(times, np.zeros(len(times), np.int8) if kinds is None else kinds, seconds)
    counts = np.bincount(kinds) if len(kinds) else np.zeros(1)
    if len(times) < FEWEST or np.any(counts == 0):
        raise InputError(f"too few events to fit excitement: {', '.join(map(str, counts))} of each kind; needed: {FEWEST} in all")
    count = len(counts)
    rates = counts / seconds
    floor = np.concatenate([1e-6 * rates, np.full(count * count, 1e-9), [1e-3 / seconds]])
    # the scale of excitement is looked for from two sides: a likelihood may have more than one maximum
    pace = len(times) / seconds
    guesses = [np.concatenate([0.5 * rates, np.full(count * count, 0.5 / count), [beta * pace]]) for beta in (1.0, 30.0)]
    climbs = [_climbed(times, kinds, seconds, guess, floor, count) for guess in guesses]
    at, value = max(climbs, key=lambda each: each[1])
    return _measured(times, kinds, seconds, at, value, count, rates)


def _climbed(times: Floats, kinds: Kinds, seconds: float, guess: Floats, floor: Floats, count: int) -> tuple[Floats, float]:
    """Return a maximum of the likelihood above *floor*, found in logarithms, and its value."""

    def minus(log_at: Floats) -> tuple[float, Floats]:
        at = np.exp(log_at)
        value, gradient = _value(times, kinds, seconds, at, count)
        return -value, -gradient * at

    bounds = [(low, high) for low, high in zip(np.log(floor), np.log(1e6 * guess), strict=True)]
    options = {"maxiter": 500, "ftol": 1e-12, "gtol": 1e-4}
    found = minimize(minus, np.log(guess), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.exp(found.x), -float(found.fun)


def _measured(times: Floats, kinds: Kinds, seconds: float, at: Floats, value: float, count: int, rates: Floats) -> Hawkes:
    """Put intervals around the maximum."""
    inside = np.ones(len(at), bool)
    inside[count:-1] = at[count:-1] > _NONE
    gradient = _value(times, kinds, seconds, at, count)[1]
    logs = np.log(at)
    free = np.flatnonzero(inside)
    information = np.zeros((len(free), len(free)))
    for row, place in enumerate(free):
        ends = []
        for step in (1e-4, -1e-4):
            there = logs.copy()
            there[place] += step
            ends.append((_value(times, kinds, seconds, np.exp(there), count)[1] * np.exp(there))[free])
        information[row] = -(ends[0] - ends[1]) / 2e-4
    try:
        variance = np.diag(np.linalg.inv(0.5 * (information + information.T)))
    except np.linalg.LinAlgError:
        variance = np.full(len(free), -1.0)
    if not np.all((variance > 0.0) & np.isfinite(variance)):
        raise InputError(
            "the likelihood of an excited flow has no maximum here: the events do not tell excitement from its absence"
        )
    found: dict[int, Measured] = {
        int(place): _interval(float(at[place]), math.sqrt(each)) for place, each in zip(free, variance, strict=True)
    }
    for place in np.flatnonzero(~inside):
        found[int(place)] = Measured(0.0, 0.0, _DROP / max(-float(gradient[place]), 1e-12))
    alpha = at[count:-1].reshape(count, count)
    return Hawkes(
        mu=tuple(found[i] for i in range(count)),
        alpha=tuple(tuple(found[count + i * count + j] for j in range(count)) for i in range(count)),
        beta=found[len(at) - 1],
        branching=float(np.max(np.abs(np.linalg.eigvals(alpha)))),
        log_likelihood=value,
        poisson_log_likelihood=float(np.sum(rates * seconds * (np.log(rates) - 1.0))),
        events=len(times),
    )


def _interval(value: float, relative_error: float) -> Measured:
    if relative_error < 0.5:
        return Measured.of(value, relative_error)
    plain = Measured.around(value, value * relative_error)
    return Measured(value, max(plain.low, 0.0), plain.high)


def _checked(times: Floats, kinds: Kinds, seconds: float) -> tuple[Floats, Kinds]:
    times, kinds = np.ascontiguousarray(times, np.float64), np.ascontiguousarray(kinds, np.int8)
    if len(times) != len(kinds):
        raise InputError(f"there are {len(times)} times and {len(kinds)} kinds; allowed: as many")
    if not 0.0 < seconds < math.inf:
        raise InputError(f"seconds is {seconds}; allowed: a positive number")
    if len(times) and not (times[0] >= 0.0 and times[-1] <= seconds and np.all(np.diff(times) > 0.0)):
        raise InputError(f"times must increase from 0 to {seconds:g} s; events at the same instant are to be made one before")
    if len(kinds) and kinds.min() < 0:
        raise InputError(f"kinds has {kinds.min()}; allowed: 0 and more")
    return times, kinds


# ---------------------------------------------------------------- simulation


def _thinned(seconds: float, mu: Any, alpha: Any, beta: float, stream: Any, ages: Any, times: Any, kinds: Any) -> int:
    """Write events by thinning until *seconds* or until the arrays are full; return how many."""
    count, written, now, draw = len(mu), 0, 0.0, 0
    while written < len(times):
        bound = 0.0
        for i in range(count):
            bound += mu[i]
            for j in range(count):
                bound += alpha[i, j] * beta * ages[j]
        wait = exponential_of(stream_word(stream, draw)) / bound
        now += wait
        if now > seconds:
            return written
        decay = math.exp(-beta * wait)
        for j in range(count):
            ages[j] = decay * ages[j]
        place = bound * uniform_of(stream_word(stream, draw + 1))
        draw += 2
        for i in range(count):  # which kind, or none: intensities have fallen since the bound was taken
            place -= mu[i]
            for j in range(count):
                place -= alpha[i, j] * beta * ages[j]
            if place < 0.0:
                times[written], kinds[written] = now, i
                ages[i] += 1.0
                written += 1
                break
    return written


thinned = compiled(_thinned)


def simulate_hawkes(
    mu: Floats, alpha: Floats, beta: float, seconds: float, seed: int, most: int = 1_000_000
) -> tuple[Floats, Kinds]:
    """Return times (s) and kinds of a simulated flow that begins without any excitement.

    Args:
        mu: intensities without excitement, 1/s, shape (count,).
        alpha: mean numbers of direct followers, shape (count, count).
        beta: rate of forgetting, 1/s.
        seconds: how long.
        seed: of the draws.
        most: events at most.

    Raises:
        InputError: a number that is negative or none, shapes that do not fit, a flow that explodes (largest eigenvalue of alpha
            from 1 on), or more than *most* events.

    Source: Ogata (1981), algorithm 2: thinning under the intensity just after the last candidate, which bounds what follows.
    """
    mu, alpha = np.atleast_1d(np.asarray(mu, np.float64)), np.atleast_2d(np.asarray(alpha, np.float64))
    given = np.concatenate([mu.ravel(), alpha.ravel(), [beta, seconds]])
    if not (np.all(np.isfinite(given)) and np.all(given >= 0.0) and beta > 0.0 and np.any(mu > 0.0)):
        raise InputError(
            f"mu is {mu.tolist()}, alpha {alpha.tolist()}, beta {beta}, seconds {seconds}; allowed: numbers of 0 or more, some "
            f"mu and beta above 0"
        )
    if alpha.shape != (len(mu), len(mu)):
        raise InputError(f"mu has {len(mu)} kinds and alpha the shape {alpha.shape}; allowed: a square of as many")
    if np.max(np.abs(np.linalg.eigvals(alpha))) >= 1.0:
        raise InputError(f"alpha is {alpha.tolist()}; allowed: a largest eigenvalue below 1, else the flow explodes")
    times, kinds = np.zeros(most), np.zeros(most, np.int8)
    stream = np.uint64(stream_of(seed, int(Purpose.FLOW), 0))
    written = int(thinned(seconds, mu, alpha, beta, stream, np.zeros(len(mu)), times, kinds))
    if written == most:
        raise InputError(f"the flow has more than {most} events; allowed: fewer, or a larger most")
    return times[:written].copy(), kinds[:written].copy()
