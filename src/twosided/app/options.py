"""Command-line options made from the fields of the configuration, so that names, defaults and help stand in one place.

Where you are in the pipe: at its mouth, between the command line and `twosided.app.config`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from twosided.app.config import DataConfig, Draft, InstrumentConfig, Place, ReplayConfig, StatisticsConfig
from twosided.engines.montecarlo_settings import SimulationSettings
from twosided.engines.settings import Orders, ReplaySettings
from twosided.market.instrument import Fees
from twosided.units import duration_text

__all__ = ["DATA", "FEES", "REPLAY", "SIMULATION", "STATISTICS", "Setting", "put_given", "with_settings"]

Command = TypeVar("Command", bound=click.Command)


@dataclass(frozen=True)
class Setting:
    """One option: its flag, the place of its value in the configuration, and what ``--help`` says."""

    flag: str
    place: Place
    help: str
    switch: bool = False

    @property
    def parameter(self) -> str:
        """The name under which click hands the value over."""
        return "__".join(map(str, self.place))

    def option(self) -> click.Option:
        """Return the option for click; it has no default of its own, so that what a file says is kept."""
        if self.switch:
            return click.Option([f"{self.flag}/--no-{self.flag[2:]}", self.parameter], default=None, help=self.help)
        return click.Option([self.flag, self.parameter], metavar="VALUE", help=self.help)


def _from(
    model: type[BaseModel], section: Place, names: Iterable[str] | None = None, flags: Mapping[str, str] | None = None
) -> list[Setting]:
    chosen = {name: model.model_fields[name] for name in names or model.model_fields}
    return [_setting((flags or {}).get(name, name), (*section, name), field) for name, field in chosen.items()]


def _setting(name: str, place: Place, field: FieldInfo) -> Setting:
    switch = field.annotation in (bool, bool | None)
    words = _WORDS.get(str(place[-1])) or field.description or ""
    default = _OF_THE_FILE if place[:2] == ("instrument", "fees") else _default(str(place[-1]), field.default)
    return Setting(f"--{name.replace('_', '-')}", place, f"{words}{default}", switch)


_OF_THE_FILE = "  [default: what the file says, else 0]"


def _default(name: str, value: Any) -> str:
    """Return what ``--help`` says of a default."""
    if value is None or value == {}:
        return ""
    if isinstance(value, bool):
        value = "yes" if value else "no"
    elif name in {"equity_every", "horizon", "period"}:
        value = duration_text(value)
    return f"  [default: {value:g}]" if isinstance(value, float) else f"  [default: {value}]"


_WORDS = {
    "maker_bps": "fee on fills of resting orders, 1e-4 of value; negative is a rebate",
    "taker_bps": "fee on fills of orders that take, 1e-4 of value",
    "taker_per_unit": "the same for orders that take",
    "tax_sell_bps": "tax on sales",
    "seed": "of every random draw",
    "feed_latency": "from the exchange to us: recorded, a duration, or sampled from the recorded ones (sampled*2: doubled)",
    "entry_latency": "of our orders to the exchange: a duration, or sampled",
    "response_latency": "of the exchange's answers to us: a duration, or sampled",
    "queue": "how a resting order moves up its queue: conservative, power, power:2, log",
    "partial_fills": "fill an order in parts",
}
"""What ``--help`` says of fields whose description in their model is meant for another reader, or is not needed there."""

_FLAGS = {"tick_size": "tick", "lot_size": "lot"}
_RATES = [name for name in Fees.model_fields if name != "tiers"]
_SETTINGS = [name for name in ReplaySettings.model_fields if name not in {"orders", "log", "markets", "limits"}]

DATA = [
    *_from(DataConfig, ("data",), ["format", "date", "min_latency", "clock_offset_ns"]),
    *_from(InstrumentConfig, ("instrument",), ["symbol", "tick_size", "lot_size"], _FLAGS),
]
"""How to read a file."""

FEES = [
    *_from(InstrumentConfig, ("instrument",), ["currency", "multiplier", "inverse"]),
    *_from(Fees, ("instrument", "fees"), _RATES),
]
"""What else to know about the instrument."""

STATISTICS = _from(StatisticsConfig, ("statistics",))
"""What statistics rest on."""

REPLAY = [
    *_from(DataConfig, ("data",), ["stream"]),
    *_from(ReplaySettings, ("settings",), _SETTINGS),
    *_from(Orders, ("settings", "orders")),
    *_from(ReplayConfig, (), ["one_clock", "start", "calibrate_first", "capital", "out"]),
    *STATISTICS,
]
"""What a replay assumes."""

SIMULATION = _from(SimulationSettings, ("simulation",), [n for n in SimulationSettings.model_fields if n != "linear_probability"])
"""What a simulation assumes; the 2008 paper's probability is its preset's alone."""


def with_settings(*settings: Setting) -> Callable[[Command], Command]:
    """Decorate a command with options; their values reach it as keyword arguments."""

    def add(command: Command) -> Command:
        command.params.extend(setting.option() for setting in settings)
        return command

    return add


def put_given(draft: Draft, settings: Iterable[Setting], values: Mapping[str, Any]) -> None:
    """Put every option that was given into *draft*."""
    for setting in settings:
        value = values.get(setting.parameter)
        if value is not None:
            draft.put(setting.place, value, setting.flag)
