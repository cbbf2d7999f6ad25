"""What a simulation assumes about the mid, the order flow and the venue: every number by name, with its unit.

Where you are in the pipe: this is the source of *events*, and the *venue*, of a Monte-Carlo run.
"""

import math
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from twosided.errors import InputError
from twosided.market.instrument import Exact, Fees, Instrument
from twosided.units import NS_PER_SECOND, duration_ns

__all__ = ["SimulationSettings"]

_MOST_STEPS = 2**40
_MOST_A_STEP = 10_000  # jumps, or excited orders, one by one
_MOST_AHEAD = 1_000_000  # steps that are kept in memory
_PRICES = 1e-20, 1e20  # whose ticks have exact decimals
_LARGEST_JUMP = 5
_SAME = 1e-9
_FINE_DIGITS = 6  # strategies count in ticks: where prices are continuous, in a millionth of the price

Duration = Annotated[int, BeforeValidator(lambda text: duration_ns(text) if isinstance(text, str) else text), Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class SimulationSettings(BaseModel):
    """Everything a simulation assumes. The same settings, quoters and seed give the same digest, on any number of cores.

    Seconds may be read as any unit of time, and prices as any unit of price, as long as all settings share them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0, lt=2**63, description="of every random draw")
    paths: int = Field(default=10_000, ge=1, lt=2**40, description="how many futures are drawn; all quoters meet the same ones")
    horizon_s: Positive = Field(default=600.0, description="length of a path, seconds")
    step_s: Positive = Field(default=0.1, description="seconds from one decision to the next")

    mid: Literal["brownian", "geometric", "jumps", "ornstein_uhlenbeck", "heston"] = Field(
        default="brownian", description="how the mid moves: brownian, geometric, jumps, ornstein_uhlenbeck or heston"
    )
    price: Positive = Field(default=100.0, description="the mid at the start")
    sigma: NotNegative = Field(default=0.01, description="volatility of the mid at the start, price/sqrt(s)")
    drift: float = Field(default=0.0, allow_inf_nan=False, description="drift of the mid at the start, price/s; 0 is a martingale")
    jump_rate: NotNegative = Field(default=0.0, description="jumps: how many per second")
    jump_size: NotNegative = Field(default=0.0, description="jumps: standard deviation of one, price at the start")
    reversion: NotNegative = Field(
        default=0.0, description="ornstein_uhlenbeck: pull of the mid to its start, heston: of the variance to its mean, 1/s"
    )
    vol_of_vol: NotNegative = Field(default=0.0, description="heston: volatility of the variance over its mean, 1/sqrt(s)")
    correlation: float = Field(default=0.0, ge=-1, le=1, description="heston: of the mid with its variance")

    A: Positive = Field(default=0.2, description="orders per second on each side that would reach a quote at the mid")
    k: NotNegative = Field(default=20.0, description="decay of that intensity with a quote's distance from the mid, 1/price")
    order_size: float | None = Field(default=None, gt=0, description="mean size of an incoming order; without it, any quote's size")
    hawkes: float = Field(
        default=0.0, ge=0, lt=1, description="share of orders that earlier ones on the same side excited; 0: Poisson"
    )
    hawkes_decay: Positive = Field(default=1.0, description="how fast excitement fades, 1/s")
    informed: float = Field(default=0.0, ge=0, le=1, description="share of orders that know where the mid goes next")
    informed_horizon_s: NotNegative = Field(default=0.0, description="how far ahead they know it, seconds; 0: one step")
    snipers: bool = Field(default=False, description="somebody takes every quote that the mid has passed before a cancel arrives")
    latency: Duration = Field(default=0, description="from a move of the mid until our answer to it stands in the market")
    linear_probability: bool = Field(
        default=False, description="fill probability λ·dt, as in the 2008 paper, instead of 1 - exp(-λ·dt)"
    )

    tick_size: Exact | None = Field(
        default=None, gt=0, description="price step, quotes round outward to it; without it prices are continuous"
    )
    lot_size: Exact = Field(default=Decimal(1), gt=0, description="quantity step, in base units")
    maker_bps: Exact = Field(default=Decimal(0), description="fee on fills, 1e-4 of value; negative is a rebate")
    maker_per_unit: Exact = Field(default=Decimal(0), description="fee on fills, money per unit of quantity; negative is a rebate")
    position_limit: float | None = Field(default=None, gt=0, description="nothing fills that would bring the position beyond it")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.steps < 1 or abs(self.steps * self.step_s - self.horizon_s) > _SAME * self.horizon_s:
            raise ValueError(f"step_s is {self.step_s:g}; allowed: a whole fraction of horizon_s {self.horizon_s:g}")
        if self.steps > _MOST_STEPS:
            raise ValueError(f"horizon_s / step_s is {self.steps}; allowed: up to {_MOST_STEPS} steps")
        for name, per_s in (("jump_rate", self.jump_rate), ("A", self.A if self.hawkes else 0.0)):
            if per_s * self.step_s > _MOST_A_STEP:
                raise ValueError(
                    f"{name} is {per_s:g}; allowed where each is drawn: up to {_MOST_A_STEP:,} in a step of {self.step_s:g} s"
                )
        if not _PRICES[0] <= self.price <= _PRICES[1]:
            raise ValueError(f"price is {self.price:g}; allowed: from {_PRICES[0]:g} to {_PRICES[1]:g}")
        if self.jump_size > _LARGEST_JUMP * self.price:
            raise ValueError(f"jump_size is {self.jump_size:g}; allowed: up to {_LARGEST_JUMP} times the price, {self.price:g}")
        for name, steps in (("informed_horizon_s", self.informed_steps), ("latency", self.latency_steps)):
            if steps > _MOST_AHEAD:
                raise ValueError(f"{steps:,} steps of {self.step_s:g} s are {name}; allowed: up to {_MOST_AHEAD:,}")
        if self.linear_probability and self.hawkes:
            raise ValueError("linear_probability is the paper's, whose orders are Poisson; allowed: without hawkes")
        for name, mids in _ONLY_WITH.items():
            if getattr(self, name) and self.mid not in mids:
                raise ValueError(
                    f"{name} is {getattr(self, name):g}, but mid {self.mid} has none; allowed: with mid {' or '.join(mids)}"
                )
        return self

    @property
    def steps(self) -> int:
        """How many steps a path has."""
        return round(self.horizon_s / self.step_s)

    @property
    def latency_steps(self) -> int:
        """Whole steps from a decision until it stands in the market."""
        return int(self.latency / NS_PER_SECOND / self.step_s + _SAME)

    @property
    def informed_steps(self) -> int:
        """How many steps ahead informed traders see."""
        return max(1, round(self.informed_horizon_s / self.step_s))

    def instrument(self) -> Instrument:
        """Return what is traded.

        Raises:
            InputError: fees beyond any venue's.
        """
        try:
            fees = Fees(maker_bps=self.maker_bps, maker_per_unit=self.maker_per_unit)
        except ValueError as error:
            raise InputError(f"maker_bps is {self.maker_bps}; allowed: -1000 to 1000 bps in steps of 1e-5") from error
        tick = self.tick_size or Decimal(1).scaleb(math.floor(math.log10(self.price)) - _FINE_DIGITS)
        return Instrument(symbol="simulated", tick_size=tick, lot_size=self.lot_size, fees=fees)


_ONLY_WITH = {
    "drift": ("brownian", "geometric", "jumps", "heston"),
    "jump_rate": ("jumps",),
    "jump_size": ("jumps",),
    "reversion": ("ornstein_uhlenbeck", "heston"),
    "vol_of_vol": ("heston",),
    "correlation": ("heston",),
}
"""Settings that only some mids read: to state them with another would be a silent mistake."""
