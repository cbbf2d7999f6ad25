"""One table of a simulation: quoters side by side, and how they differ; the same rows for the terminal, JSON and the report.

Where you are in the pipe: ... -> fills -> ledger -> *explanation*.

All quoters met the same futures, so a difference is known far better than either side of it: its standard error is that of the
difference path by path.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from twosided.engines.montecarlo_result import Estimate, Simulation
from twosided.explain.summary import Row, amount_text
from twosided.units import NS_PER_SECOND, duration_text

__all__ = ["Line", "market_words", "simulation_lines", "simulation_results", "simulation_rows"]

_PARTS = (("spread", "spread"), ("adverse", "adverse selection"), ("inventory", "inventory"), ("fees", "fees"))
_QUANTILES = ((0.01, "1 % worst"), (0.05, "5 % worst"), (0.5, "median"), (0.95, "5 % best"))


@dataclass(frozen=True)
class Line:
    """One figure of every quoter, with the difference of each from the first where it is a mean.

    ``errors`` are standard errors, None where there is none.
    """

    section: str
    label: str
    unit: str
    values: tuple[float, ...]
    errors: tuple[float | None, ...]
    differences: tuple[Estimate | None, ...] = ()
    signed: bool = False
    strong: bool = False


def simulation_lines(simulation: Simulation, gamma: float | None = None) -> list[Line]:
    """Return every figure of the comparison.

    Args:
        simulation: the result of `twosided.simulate`.
        gamma: risk aversion of the certainty equivalent, 1/money; without it there is none.
    """
    lines = [_mean(simulation, "P&L", "mean", "pnl", "money", signed=True, strong=True)]
    if gamma is not None:
        lines.append(_certainty(simulation, gamma))
    lines.append(_deviation(simulation, "P&L", "standard deviation", "pnl", "money"))
    lines += [_quantile(simulation, "P&L", label, "pnl", level, "money") for level, label in _QUANTILES]
    lines.append(_share(simulation))
    lines += [
        _mean(simulation, "Where it came from", label, column, "money", sign=-1.0 if column == "fees" else 1.0, signed=True)
        for column, label in _PARTS
    ]
    lines += [
        _mean(simulation, "Risk", "mean Sharpe of a path", "sharpe", ""),
        _quantile(simulation, "Risk", "its 5 % worst", "sharpe", 0.05, ""),
        _mean(simulation, "Risk", "mean largest drawdown", "drawdown", "money"),
        _deviation(simulation, "Inventory", "standard deviation at the end", "position", "units"),
        _mean(simulation, "Inventory", "mean |inventory|", "mean_abs_position", "units"),
        _mean(simulation, "Inventory", "mean largest |inventory|", "max_abs_position", "units"),
        _mean(simulation, "Trading", "fills", "fills", "a path"),
        _mean(simulation, "Trading", "of these to snipers", "sniped", "a path"),
        _mean(simulation, "Trading", "quoted spread", "quoted_spread", "price"),
    ]
    return lines


def _mean(
    simulation: Simulation,
    section: str,
    label: str,
    column: str,
    unit: str,
    *,
    sign: float = 1.0,
    signed: bool = False,
    strong: bool = False,
) -> Line:
    found = [simulation.mean(name, column) for name in simulation.names]
    others = [simulation.difference(name, simulation.names[0], column) for name in simulation.names[1:]]
    return Line(
        section,
        label,
        unit,
        tuple(sign * each.value for each in found),
        tuple(each.error for each in found),
        (None, *(Estimate(sign * each.value, each.error) for each in others)),
        signed,
        strong,
    )


def _certainty(simulation: Simulation, gamma: float) -> Line:
    names = simulation.names
    found = [simulation.certainty_equivalent(name, gamma) for name in names]
    differences = (None, *(simulation.certainty_difference(name, names[0], gamma) for name in names[1:]))
    values, errors = tuple(each.value for each in found), tuple(each.error for each in found)
    label = f"certainty equivalent, γ = {gamma:g}"
    return Line("P&L", label, "money", values, errors, differences, signed=True, strong=True)


def _deviation(simulation: Simulation, section: str, label: str, column: str, unit: str) -> Line:
    found = [simulation.deviation(name, column) for name in simulation.names]
    return Line(section, label, unit, tuple(each.value for each in found), tuple(each.error for each in found))


def _quantile(simulation: Simulation, section: str, label: str, column: str, level: float, unit: str) -> Line:
    values = tuple(float(np.quantile(simulation.values(name, column), level)) for name in simulation.names)
    return Line(section, label, unit, values, (None,) * len(values), signed=column == "pnl")


def _share(simulation: Simulation) -> Line:
    shares = [100.0 * float(np.mean(simulation.values(name, "pnl") < 0.0)) for name in simulation.names]
    count = len(simulation.sample)
    return Line("P&L", "paths that lost", "%", tuple(shares), tuple(math.sqrt(p * (100.0 - p) / count) for p in shares))


# ---------------------------------------------------------------- forms


def simulation_rows(lines: list[Line]) -> list[Row]:
    """Return *lines* as rows of text: a column per quoter, then one per difference from the first, with its 95 % interval."""
    scale = max((abs(value) for value in lines[0].values), default=0.0)  # money has as many decimals as the mean P&L
    return [_row(line, scale) for line in lines if any(line.values) or line.section == "P&L"]


def _row(line: Line, scale: float) -> Row:
    finite = [abs(value) for value in line.values if math.isfinite(value)]
    if line.unit == "money" and math.isfinite(scale):
        finite.append(scale)
    largest = max(finite, default=0.0)
    largest = max(largest, 10.0) if line.unit == "%" else largest
    cells = [_with_error(value, error, largest) for value, error in zip(line.values, line.errors, strict=True)]
    values: list[float | None] = [value if math.isfinite(value) else None for value in line.values]
    for each in line.differences[1:] if line.differences else (None,) * (len(line.values) - 1):
        cells.append("" if each is None else _with_interval(each, largest))
        values.append(None if each is None or not math.isfinite(each.value) else each.value)
    return Row(line.section, line.label, line.unit, tuple(values), tuple(cells), signed=line.signed, strong=line.strong)


def _with_error(value: float, error: float | None, largest: float) -> str:
    if not math.isfinite(value):
        return "–"
    text = amount_text(value, largest)
    uncertain = "" if not error else amount_text(error, largest)
    return f"{text} ± {uncertain}" if any(digit in uncertain for digit in "123456789") else text


def _with_interval(each: Estimate, largest: float) -> str:
    if not math.isfinite(each.value):
        return "–"
    low, high = each.interval
    if not math.isfinite(each.error):
        return _plus(each.value, largest)
    return f"{_plus(each.value, largest)} ({_plus(low, largest)}…{_plus(high, largest)})"


def _plus(value: float, largest: float) -> str:
    text = amount_text(value, largest)
    return f"+{text}" if value > 0.0 and not text.startswith("-") and any(digit in text for digit in "123456789") else text


def simulation_results(simulation: Simulation, lines: list[Line]) -> dict[str, Any]:
    """Return everything as JSON takes it; numbers in full."""
    return {
        "quoters": [
            {
                "name": name,
                "params": simulation.params[name],
                **{line.label: _number(line.values[k], line.errors[k]) for line in lines},
            }
            for k, name in enumerate(simulation.names)
        ],
        "differences": [
            {
                "quoter": name,
                "from": simulation.names[0],
                **{line.label: _interval(line.differences[k]) for line in lines if line.differences},
            }
            for k, name in enumerate(simulation.names)
            if k > 0
        ],
        "settings": simulation.settings.model_dump(mode="json"),
        "paths": simulation.paths,
        "complete": simulation.complete,
        "digest": simulation.digest,
        "seconds": simulation.seconds,
    }


def _number(value: float, error: float | None) -> dict[str, float | None]:
    return {"value": _plain(value), "error": None if error is None else _plain(error)}


def _interval(each: Estimate | None) -> dict[str, float | None] | None:
    if each is None:
        return None
    low, high = each.interval
    return {"value": _plain(each.value), "error": _plain(each.error), "low": _plain(low), "high": _plain(high)}


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def market_words(simulation: Simulation) -> str:
    """Say in a sentence or two what the quoters met."""
    s = simulation.settings
    mid = "a recorded mid" if simulation.recorded else f"{_MIDS[s.mid]}, σ {s.sigma:g} per √s from {s.price:g}"
    orders = "Hawkes" if s.hawkes else "Poisson"
    words = [
        f"{simulation.paths:,} paths of {_seconds(s.horizon_s)} in steps of {_seconds(s.step_s)}",
        mid,
        f"{orders} orders, A {s.A:g} per s, k {s.k:g}" + (f", mean size {s.order_size:g}" if s.order_size else ""),
    ]
    if s.informed:
        words.append(f"{100 * s.informed:g} % informed")
    if s.latency:
        words.append(f"latency {duration_text(s.latency)}")
    words.append("snipers" if s.snipers else "no snipers")
    if s.maker_bps or s.maker_per_unit:
        fee = [f"{s.maker_bps:g} bps"] * bool(s.maker_bps) + [f"{s.maker_per_unit:g} per unit"] * bool(s.maker_per_unit)
        words.append("maker fee " + " and ".join(fee))
    else:
        words.append("no fees")
    return " · ".join(words)


def _seconds(seconds: float) -> str:
    return duration_text(round(seconds * NS_PER_SECOND))


_MIDS = {
    "brownian": "Brownian mid",
    "geometric": "geometric Brownian mid",
    "jumps": "Brownian mid with jumps",
    "ornstein_uhlenbeck": "Ornstein-Uhlenbeck mid",
    "heston": "mid of stochastic volatility",
}
