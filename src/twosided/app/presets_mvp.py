"""The preset ``mvp-50-days``: a program that claimed 38 % in 50 days, its setting, and what is left of it in a harder world.

The program's setting: gamma 0.01, inventory limit 300, drawdown stop 4 %, A 12, k 1000 per unit of relative distance, quotes of 25,
leverage up to 3, 50 days in 800,000 steps, 100,000 of cash, a maker rebate of 50 bps. It filled quotes without adverse selection.
It does not say the volatility, nor what A counts: 2 % a day of a price of 100, and orders a day, are ours, because 840 trades in 50
days are then the right order of size. Informed traders know the mid ten minutes ahead.
"""

import math
from typing import Any

from twosided.app.presets_answer import Answer, Asked
from twosided.engines.montecarlo import simulate
from twosided.engines.montecarlo_result import Estimate, Simulation
from twosided.strategies.contract import Param, quote_ask, quote_bid, strategy

__all__ = ["CLAIMED", "mvp_50_days", "mvp_quoter"]

DAY_S = 86_400.0
CASH = 100_000.0

CLAIMED = {"return": 38.0, "trades": 840, "per trade": 46.0, "won": "trades: 100 %, elsewhere 87 %"}

SETTINGS: dict[str, Any] = {
    "paths": 24,
    "horizon_s": 50 * DAY_S,
    "step_s": 5.4,
    "price": 100.0,
    "sigma": 2.0 / math.sqrt(DAY_S),
    "A": 12.0 / DAY_S,
    "k": 10.0,
    "maker_bps": -50,
    "position_limit": 300.0,
}

WORLDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("setting", "the setting: rebate 50 bps", {}),
    ("free", "no fees", {"maker_bps": 0}),
    ("fee", "fee 2 bps", {"maker_bps": 2}),
    ("late", "and 5 ms latency, snipers", {"maker_bps": 2, "latency": 5_000_000, "snipers": True}),
    (
        "informed",
        "and 10 % informed",
        {"maker_bps": 2, "latency": 5_000_000, "snipers": True, "informed": 0.1, "informed_horizon_s": 600.0},
    ),
)


@strategy(
    gamma=Param(0.01, unit="1/(price × quote)", minimum=1e-12),
    sigma=Param(unit="price/sqrt(s)", minimum=0),
    k=Param(unit="1/price", minimum=1e-12),
    quantity=25.0,
    capital=CASH,
    stop=Param(0.04, help="drawdown, of the highest equity, after which nothing is quoted any more"),
    leverage=3.0,
    memory={"peak": "f8", "stopped": "i8"},
)
def mvp_quoter(ctx: Any) -> None:
    """Quote r ± ln(1 + gamma/k)/gamma, r = mid - q·gamma·sigma²·(one day), within leverage, until the drawdown stop."""
    p, market, memory = ctx.params, ctx.market[0], ctx.memory
    mid = 0.5 * (market.bid_ticks + market.ask_ticks)
    position, price = market.position_lots * market.lot_size, mid * market.tick_size
    equity = p.capital + market.cash + position * price
    memory.peak = max(memory.peak, equity)
    if equity < (1.0 - p.stop) * memory.peak:
        memory.stopped = 1
    room = p.leverage * equity / price
    half = math.log(1.0 + p.gamma / p.k) / p.gamma / market.tick_size
    skew = position / p.quantity * p.gamma * p.sigma * p.sigma * 86_400.0 / market.tick_size
    size = p.quantity if memory.stopped == 0 else 0.0
    quote_bid(ctx, 0, 0, mid - skew - half, min(size, room - position))
    quote_ask(ctx, 0, 0, mid - skew + half, min(size, room + position))


def mvp_50_days(asked: Asked) -> Answer:
    """Simulate the setting, and the same with ever less of what made it easy."""
    rows: dict[str, dict[str, Any]] = {name: {"figure": label, "claimed": CLAIMED.get(name)} for name, label in _FIGURES}
    paths = 0
    for key, _, changes in WORLDS:
        found = simulate({"mvp": mvp_quoter}, asked.settings(**{**SETTINGS, **changes}), cores=asked.cores)
        paths = found.paths
        for name, value in _figures(found).items():
            rows[name][key] = value
    remarks = [
        "the claims contradict the setting: 50 bps of 2,500 and half a spread are about 15 a trade, a third of the 46 claimed",
        "a rebate of 50 bps is none that a venue pays; a source wrote -0.0025 for dollars a share, which is a rebate of 0.25 bps",
        "the mid is Brownian: 5 ms of it are far less than the half-spread, so snipers find little; jumps would feed them",
        "what is left still assumes that nine orders in ten know nothing, and that nobody else quotes",
        "assumed, because the source is silent: volatility 2 % a day, A per day, informed traders see 10 minutes ahead",
    ]
    columns = [("figure", ""), ("claimed", "claimed"), *((key, heading) for key, heading, _ in WORLDS)]
    return Answer(f"38 % in 50 days? {paths} paths of 50 days", columns, list(rows.values()), remarks)


_FIGURES = (
    ("return", "return in 50 days, %"),
    ("deviation", "its standard deviation, %"),
    ("drawdown", "largest drawdown, mean, %"),
    ("trades", "trades"),
    ("per trade", "profit per trade"),
    ("won", "won"),
)


def _figures(found: Simulation) -> dict[str, Any]:
    profit, deviation, drawdown = found.mean("mvp"), found.deviation("mvp"), found.mean("mvp", "drawdown")
    trades = found.mean("mvp", "fills")
    gained = float((found.values("mvp", "pnl") > 0.0).mean())
    percent = 100.0 / CASH
    return {
        "return": Estimate(profit.value * percent, profit.error * percent),
        "deviation": deviation.value * percent,
        "drawdown": drawdown.value * percent,
        "trades": round(trades.value),
        "per trade": profit.value / trades.value if trades.value else None,
        "won": f"paths: {100 * gained:.0f} %",
    }
