"""The presets ``glft-2013`` and ``hjb-readme``: optimal quotes with an inventory bound, against constant ones.

O. Guéant, C.-A. Lehalle, J. Fernandez-Tapia (2013), "Dealing with the inventory risk", arXiv 1105.3115v5, figures 1 to 3: sigma 0.3
tick/sqrt(s), A 0.9/s, k 0.3/tick, gamma 0.01, T 600 s, inventory bound 30. What their dealer's P&L is worth is known without
simulation: by theorem 1 the value at no inventory is that of a sure ln(v_0(0)) / k, v = exp(-M·T)·1.

``hjb-readme`` is the setting of a program's notes: sigma 0.1, 0.2, 0.3, A 140, k 1.5, gamma 0.1, s 100, T 1, steps of 1/2520,
quotes renewed every 1/252; its naive quoter's whole spread is 0.2 % of the mid.
"""

import math
from typing import Any

import numpy as np
from scipy.linalg import expm

from twosided.app.presets_answer import Answer, Asked
from twosided.engines.montecarlo import simulate
from twosided.engines.montecarlo_quoters import QuoteTable
from twosided.engines.montecarlo_result import Estimate, Simulation
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.models import glft
from twosided.models.avellaneda_stoikov import risk_half_spread

__all__ = ["glft_2013", "hjb_readme", "optimal_value"]

BOUND = 30

GLFT: dict[str, Any] = {"paths": 1000, "horizon_s": 600.0, "step_s": 0.01, "price": 100.0, "sigma": 0.3, "A": 0.9, "k": 0.3}
HJB: dict[str, Any] = {"paths": 5000, "horizon_s": 1.0, "step_s": 1 / 2520, "price": 100.0, "A": 140.0, "k": 1.5}
_MODEL_STEPS = 252
_NAIVE_HALF_SPREAD = 0.001  # of the mid: 0.2 % in all

COLUMNS = (
    ("name", "quoter"),
    ("mean", "mean P&L"),
    ("deviation", "standard deviation"),
    ("position", "std of final inventory"),
    ("certainty", "certainty equivalent"),
    ("optimum", "of the optimum, exact"),
)


def optimal_value(settings: SimulationSettings, gamma: float, bound: int) -> float:
    """Return the certainty equivalent of the best quotes in continuous time, from no inventory: ln(v_0) / k, v = exp(-M·T)·1."""
    alpha, eta = glft.coefficients(sigma=settings.sigma, A=settings.A, k=settings.k, gamma=gamma)
    matrix = np.diag(alpha * np.arange(-bound, bound + 1.0) ** 2) - eta * (np.eye(2 * bound + 1, k=1) + np.eye(2 * bound + 1, k=-1))
    lowest = float(np.linalg.eigvalsh(matrix)[0])  # taken out, so that nothing overflows
    values = expm((lowest * np.eye(2 * bound + 1) - matrix) * settings.horizon_s) @ np.ones(2 * bound + 1)
    return (math.log(values[bound]) - lowest * settings.horizon_s) / settings.k


def _constant(half: float) -> QuoteTable:
    return QuoteTable(np.full(2 * BOUND + 1, half), np.full(2 * BOUND + 1, half))


def _rows(found: Simulation, gamma: float, optimum: float | None, group: Any = None) -> list[dict[str, Any]]:
    return [
        {
            "group": group,
            "name": name if group is None else f"sigma {group:g}: {name}",
            "mean": found.mean(name),
            "deviation": found.deviation(name),
            "position": found.deviation(name, "position"),
            "certainty": found.certainty_equivalent(name, gamma),
            "optimum": optimum,
        }
        for name in found.names
    ]


def glft_2013(asked: Asked) -> Answer:
    """Simulate the paper's dealer with its optimal quotes, their closed form, and quotes that ignore inventory."""
    settings, gamma = asked.settings(**GLFT), 0.01
    market = {"sigma": settings.sigma, "A": settings.A, "k": settings.k, "gamma": gamma}
    inventory = np.arange(-BOUND, BOUND + 1, dtype=np.float64)
    quoters = {
        "optimal, infinite horizon": QuoteTable(*glft.distances(**market, q_max=BOUND)),
        "closed form": QuoteTable(*glft.closed_form_distances(inventory, **market)),
        "constant": _constant(risk_half_spread(gamma, settings.k)),
    }
    found = simulate(quoters, settings, cores=asked.cores)
    rows = _rows(found, gamma, optimal_value(settings, gamma, BOUND))
    gain = found.certainty_difference("optimal, infinite horizon", "constant", gamma)
    lost = settings.A * math.exp(-settings.k * risk_half_spread(gamma, settings.k)) * settings.step_s / 2.0
    bid, ask = glft.distances(**market, q_max=BOUND, remaining_s=settings.horizon_s)
    remarks = [
        f"optimal against constant quotes: certainty equivalent {gain.value:+,.1f} ± {gain.error:.1f}, prices in ticks",
        f"at inventory 5 and t = 0: bid {bid[BOUND + 5]:.6f} below, ask {ask[BOUND + 5]:.6f} above the mid (exact, finite horizon)",
        f"the exact optimum is of continuous time; one fill a side and step, at most, costs about {100 * lost:.2f} %",
    ]
    title = f"Guéant, Lehalle, Fernandez-Tapia (2013), γ {gamma:g}, bound {BOUND}, {found.paths:,} paths"
    return Answer(title, COLUMNS, rows, remarks)


def _finite_horizon(settings: SimulationSettings, gamma: float) -> QuoteTable:
    """Return the optimal quotes of a finite horizon, renewed `_MODEL_STEPS` times."""
    market = {"sigma": settings.sigma, "A": settings.A, "k": settings.k, "gamma": gamma}
    slices = min(_MODEL_STEPS, settings.steps)
    left = settings.horizon_s * (1.0 - np.arange(slices) / slices)
    sides = [glft.distances(**market, q_max=BOUND, remaining_s=float(each)) for each in left]
    return QuoteTable(np.array([bid for bid, _ in sides]), np.array([ask for _, ask in sides]))


def hjb_readme(asked: Asked) -> Answer:
    """Simulate a naive quoter against the optimal one at three volatilities."""
    gamma, rows, paths = 0.1, [], 0
    differences: list[tuple[float, Estimate]] = []
    for sigma in (0.1, 0.2, 0.3):
        settings = asked.settings(**{**HJB, "sigma": sigma})
        quoters = {"naive, 0.2 %": _constant(_NAIVE_HALF_SPREAD * settings.price), "optimal": _finite_horizon(settings, gamma)}
        found = simulate(quoters, settings, cores=asked.cores)
        rows += _rows(found, gamma, optimal_value(settings, gamma, BOUND), settings.sigma)
        differences.append((settings.sigma, found.certainty_difference("optimal", "naive, 0.2 %", gamma)))
        paths = found.paths
        if "sigma" in asked.given:
            break
    bid, ask = glft.distances(sigma=0.3, A=0.5, k=0.3, gamma=0.1, q_max=BOUND, remaining_s=600.0)
    remarks = [
        *(f"sigma {sigma:g}: optimal is worth {each.value:+.2f} ± {each.error:.2f} more than naive" for sigma, each in differences),
        "most of it because 0.2 % is far from the best constant spread here, 2/k, not because of inventory",
        "claimed for sigma 0.3, A 0.5, k 0.3, T 600 at inventory 5: bid 4.5811, ask 1.4772",
        f"ours: bid {bid[BOUND + 5]:.4f}, ask {ask[BOUND + 5]:.4f}",
    ]
    return Answer(f"Naive against optimal, γ {gamma:g}, bound {BOUND}, {paths:,} paths", COLUMNS, rows, remarks)
