"""What an engine assumes about latency, queues and orders: every guess by name, so that a report can show it.

All of it can stand in a YAML file or on the command line in the short form shown with each field.
"""

import re
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from twosided.errors import InputError
from twosided.risk.limits import Limits
from twosided.units import duration_ns, duration_text

__all__ = ["Latency", "MarketSettings", "Orders", "QueueModel", "ReplaySettings"]

_SAMPLED = re.compile(r"sampled(?:\s*[*×]\s*([0-9.]+))?")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Latency(_Frozen):
    """How long a message travels.

    ``"recorded"``: as in the recording (feed only). ``"1ms"``: always that long. ``"sampled"`` or ``"sampled*2"``: drawn from the
    feed latencies of the recording, times a factor. Messages on one connection never overtake each other.
    """

    kind: Literal["recorded", "constant", "sampled"]
    ns: int = Field(default=0, ge=0)
    factor: float = Field(default=1.0, gt=0, le=1000)

    @classmethod
    def parse(cls, text: Any) -> Any:
        """Read the short form; anything else is left to pydantic."""
        if isinstance(text, int) and not isinstance(text, bool):
            return cls(kind="constant", ns=text)
        if not isinstance(text, str):
            return text
        if text == "recorded":
            return cls(kind="recorded")
        if match := _SAMPLED.fullmatch(text):
            return cls(kind="sampled", factor=float(match[1] or 1))
        try:
            return cls(kind="constant", ns=duration_ns(text, name="latency"))
        except InputError as error:
            raise ValueError(f"{error}; or 'recorded', 'sampled', 'sampled*2'") from None

    def __str__(self) -> str:
        if self.kind == "constant":
            return duration_text(self.ns)
        return self.kind if self.factor == 1 else f"{self.kind}*{self.factor:g}"


class QueueModel(_Frozen):
    """How a resting order moves up its queue when only the level's total is known.

    With V lots ahead, W behind, and a decrease of the level that trades do not explain, the share taken from behind is

    - ``"conservative"``: all of it while there is any behind: only trades advance us;
    - ``"power:n"``: W^n / (V^n + W^n);
    - ``"log"``: ln(1 + W) / (ln(1 + V) + ln(1 + W));
    - ``"optimistic"``: none of it while there is any ahead: every cancel advances us.
    """

    kind: Literal["conservative", "power", "log", "optimistic"] = "power"
    exponent: float = Field(default=3.0, gt=0, le=100)

    @classmethod
    def parse(cls, text: Any) -> Any:
        """Read the short form; anything else is left to pydantic."""
        if not isinstance(text, str):
            return text
        kind, _, exponent = text.partition(":")
        if kind not in {"conservative", "power", "log", "optimistic"} or (exponent and kind != "power"):
            raise ValueError(f"queue model is {text!r}; allowed: 'conservative', 'power', 'power:2', 'log', 'optimistic'")
        try:
            return cls(kind=kind, exponent=float(exponent or 3.0))  # type: ignore[arg-type]
        except ValueError:
            raise ValueError(f"queue model is {text!r}; allowed: an exponent above 0, up to 100, as in 'power:2'") from None

    def __str__(self) -> str:
        return f"power:{self.exponent:g}" if self.kind == "power" else self.kind


AnyLatency = Annotated[Latency, BeforeValidator(Latency.parse)]
AnyQueue = Annotated[QueueModel, BeforeValidator(QueueModel.parse)]
Duration = Annotated[int, BeforeValidator(lambda text: duration_ns(text) if isinstance(text, str) else text), Field(ge=0)]


class Orders(_Frozen):
    """How the order manager turns quotes into orders."""

    post_only: bool = Field(default=True, description="quotes never take: a bid is held below the best ask")
    replace: bool = Field(default=True, description="the venue replaces an order in one message")
    refresh_ticks: int = Field(default=0, ge=0, description="a working order this close to its quote stays")
    top_up_below: float = Field(default=0.5, ge=0, le=1, description="renew an order with less than this share open")


class ResolvedMarket(NamedTuple):
    """What holds in one market."""

    entry_latency: Latency
    response_latency: Latency
    post_only: bool
    opening_position: float


class MarketSettings(_Frozen):
    """What is assumed of one of several markets; what is not given here is as `ReplaySettings` say for all."""

    entry_latency: Annotated[Latency | None, BeforeValidator(Latency.parse)] = None
    response_latency: Annotated[Latency | None, BeforeValidator(Latency.parse)] = None
    post_only: bool | None = Field(default=None, description="False where orders may take, as a hedge does")
    opening_position: float | None = Field(default=None, description="quantity held at the start")


class ReplaySettings(_Frozen):
    """Everything a replay assumes. The same settings, data, strategy and seed give the same digest."""

    seed: int = Field(default=0, ge=0, lt=2**63)
    feed_latency: AnyLatency = Latency(kind="recorded")
    entry_latency: AnyLatency = Latency(kind="constant", ns=1_000_000)
    response_latency: AnyLatency = Latency(kind="constant", ns=1_000_000)
    queue: AnyQueue = QueueModel()
    partial_fills: bool = Field(default=True, description="False: any fill fills the whole order, as some peers assume")
    orders: Orders = Orders()
    opening_position: float = Field(default=0.0, description="quantity held at the start, in the first market")
    markets: tuple[MarketSettings, ...] = Field(default=(), description="one per market, in their order, where they differ")
    limits: Limits | None = Field(default=None, description="what the strategy must keep: see docs/risk.md")
    equity_every: Duration = Field(default=1_000_000_000, gt=0, description="sampling of the equity curve")
    log: tuple[Literal["orders", "quotes", "decisions"], ...] = ("orders", "quotes", "decisions")

    @model_validator(mode="after")
    def _orders_travel_at_stated_speeds(self) -> Self:
        for name in ("entry_latency", "response_latency"):
            asked = [getattr(self, name), *(getattr(each, name) for each in self.markets)]
            if any(latency is not None and latency.kind == "recorded" for latency in asked):
                raise ValueError(f"{name} is 'recorded'; allowed: a duration such as '1ms', or 'sampled' from the feed's latencies")
        return self

    def market(self, number: int) -> "ResolvedMarket":
        """Return what is assumed of market *number*."""
        own = self.markets[number] if number < len(self.markets) else MarketSettings()
        held = self.opening_position if number == 0 else 0.0
        return ResolvedMarket(
            self.entry_latency if own.entry_latency is None else own.entry_latency,
            self.response_latency if own.response_latency is None else own.response_latency,
            self.orders.post_only if own.post_only is None else own.post_only,
            held if own.opening_position is None else own.opening_position,
        )
