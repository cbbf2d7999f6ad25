"""The preset ``avellaneda-stoikov-2008``: tables 1 to 3 of the paper, from our simulation.

M. Avellaneda and S. Stoikov (2008), "High-frequency trading in a limit order book", Quantitative Finance 8(3), 217-224: s = 100,
T = 1, sigma = 2, dt = 0.005, q = 0, k = 1.5, A = 140; fills with probability λ·dt; 1,000 paths. The *inventory* strategy quotes
around the reservation price, the *symmetric* one around the mid, with the same mean spread.

`PUBLISHED` are the paper's figures; `EXACT` the moments of the same scheme by recursion over the Markov chain of inventories,
without simulation. Moments do not tell the paper's moves of ±sigma·sqrt(dt) from our normal ones: fills do not depend on the mid.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from twosided.app.presets_answer import Answer, Asked
from twosided.engines.montecarlo import simulate
from twosided.engines.montecarlo_quoters import QuoteFunction
from twosided.engines.montecarlo_result import Estimate, Simulation
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.models.avellaneda_stoikov import optimal_spread, reservation_price

__all__ = ["EXACT", "PUBLISHED", "SETTINGS", "avellaneda_stoikov_2008", "paper_quoters"]

FIGURES = ("spread", "profit", "std profit", "std q")

PUBLISHED: dict[tuple[float, str], tuple[float, float, float, float]] = {
    (0.1, "inventory"): (1.49, 65.0, 6.6, 2.9),
    (0.1, "symmetric"): (1.49, 68.4, 12.7, 8.4),
    (0.01, "inventory"): (1.35, 68.6, 8.7, 5.1),
    (0.01, "symmetric"): (1.35, 68.8, 12.8, 8.7),
    (1.0, "inventory"): (3.02, 31.4, 5.0, 1.7),
    (1.0, "symmetric"): (3.02, 44.0, 11.0, 5.1),
}

EXACT: dict[tuple[float, str], tuple[float, float, float, float]] = {
    (0.1, "inventory"): (1.49177, 64.892543, 6.543152, 2.926791),
    (0.1, "symmetric"): (1.49177, 68.222759, 13.455753, 8.399444),
    (0.01, "inventory"): (1.349009, 68.399628, 8.960561, 5.212538),
    (0.01, "symmetric"): (1.349009, 68.66612, 13.677465, 8.711662),
    (1.0, "inventory"): (3.031651, 31.454502, 4.837919, 1.641393),
    (1.0, "symmetric"): (3.031651, 43.68529, 10.733212, 5.17137),
}

SETTINGS: dict[str, Any] = {
    "paths": 50_000,
    "horizon_s": 1.0,
    "step_s": 0.005,
    "price": 100.0,
    "sigma": 2.0,
    "A": 140.0,
    "k": 1.5,
    "linear_probability": True,
}


def paper_quoters(gamma: float, settings: SimulationSettings) -> dict[str, QuoteFunction]:
    """Return both strategies of the paper for a risk aversion *gamma*."""
    sigma, k = settings.sigma, settings.k
    times = settings.horizon_s - settings.step_s * np.arange(settings.steps)
    mean_half = float(np.mean([0.5 * optimal_spread(gamma, sigma, k, left) for left in times]))

    def inventory(q: float, left: float) -> tuple[float, float]:
        half, skew = 0.5 * optimal_spread(gamma, sigma, k, left), reservation_price(0.0, q, gamma, sigma, left)
        return half - skew, half + skew

    def symmetric(_q: float, _left: float) -> tuple[float, float]:
        return mean_half, mean_half

    return {"inventory": inventory, "symmetric": symmetric}


def avellaneda_stoikov_2008(asked: Asked) -> Answer:
    """Simulate the three tables."""
    settings = asked.settings(**SETTINGS)
    rows = []
    for gamma in dict.fromkeys(gamma for gamma, _ in PUBLISHED):
        found = simulate(paper_quoters(gamma, settings), settings, cores=asked.cores)
        rows += list(_rows(gamma, found, known=not asked.given))
    remarks = ["published: of 1,000 paths, one standard error is about 0.2 to 0.4 of profit; exact: by recursion, no simulation"]
    remarks.append("the symmetric quoter's mean is higher, and so is its risk: what it is worth is the certainty equivalent")
    if asked.given:
        remarks.append(f"published and exact figures hold for the paper's settings only; given: {', '.join(asked.given)}")
    columns = [("name", "γ, strategy"), ("figure", ""), ("published", "published"), ("exact", "exact")]
    title = f"Avellaneda and Stoikov (2008), tables 1 to 3, {settings.paths:,} paths"
    return Answer(title, [*columns, ("ours", "ours"), ("errors", "errors off")], rows, remarks)


def _rows(gamma: float, found: Simulation, *, known: bool) -> Iterator[dict[str, Any]]:
    for name in found.names:
        spread = Estimate(found.mean(name, "quoted_spread").value, 0.0)
        ours = (spread, found.mean(name), found.deviation(name), found.deviation(name, "position"))
        for place, (figure, estimate) in enumerate(zip(FIGURES, ours, strict=True)):
            exact = EXACT[gamma, name][place] if known else None
            off = None if exact is None or not estimate.error > 0.0 else f"{(estimate.value - exact) / estimate.error:+.1f}"
            published = PUBLISHED[gamma, name][place] if known else None
            shown = {"published": published, "exact": exact, "ours": estimate, "errors": off}
            yield {"group": (gamma, name), "name": f"{gamma:g} {name}" if place == 0 else "", "figure": figure, **shown}
        certainty = found.certainty_equivalent(name, gamma)
        yield {"group": (gamma, name), "name": "", "figure": "certainty equivalent", "ours": certainty}
