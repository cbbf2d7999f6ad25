"""What a replay is told: one validated configuration, out of a YAML file, the command line, or both.

Where you are in the pipe: at its mouth. `docs/examples/run.yaml` shows every section. A `Draft` collects values and remembers where
each came from; `Draft.checked` returns a `ReplayConfig`, or says in one sentence which value of which line or option is wrong.
Paths in a YAML file are relative to the current folder, as on the command line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date as calendar_date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from twosided.engines.settings import ReplaySettings
from twosided.errors import DataError, InputError, suggest, unreadable
from twosided.explain.basis import Basis
from twosided.explain.reporting import Reporting
from twosided.market.instrument import Exact, Fees
from twosided.units import NS_PER_SECOND, duration_ns, exact_decimal

__all__ = [
    "DataConfig",
    "Draft",
    "InstrumentConfig",
    "MarketConfig",
    "ReplayConfig",
    "StatisticsConfig",
    "StrategyConfig",
    "one_sentence",
]

Place = tuple[str | int, ...]
Section = TypeVar("Section", bound=BaseModel)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _nanoseconds(value: Any) -> Any:
    return duration_ns(value) if isinstance(value, str) else value


Duration = Annotated[int, BeforeValidator(_nanoseconds)]


def _priced(value: Any) -> Any:
    """Return rates: out of ``BTC=market:0,EUR=1.08``, or of a mapping."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",")]
        if not all(name.strip() and price for name, _, price in pairs):
            raise ValueError(f"value is {value!r}; allowed: CURRENCY=PRICE with commas between them, like BTC=market:0,EUR=1.08")
        value = {name.strip(): price.strip() for name, _, price in pairs}
    if not isinstance(value, dict):
        return value
    return {
        name: price if str(price).startswith("market:") else exact_decimal(price, name=f"the rate of {name}")
        for name, price in value.items()
    }


Rates = Annotated[dict[str, Decimal | str], BeforeValidator(_priced)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class DataConfig(_Frozen):
    """Which recordings are read; several files continue one another."""

    files: Names = Field(min_length=1, description="recordings, in order of time")
    format: str | None = Field(default=None, description="format of the files; found out from their content if not given")
    date: calendar_date | None = Field(
        default=None, description="the day of times since midnight, where no file name holds it: 2019-12-30"
    )
    min_latency: Duration | None = Field(
        default=None,
        ge=0,
        description="what the smallest feed latency is taken for; 500 µs for raw recordings, which sets the clocks' offset",
    )
    clock_offset_ns: int | None = Field(
        default=None, description="the offset itself, where it is known: taken off every local time"
    )
    stream: bool = Field(
        default=False, description="read the files as they are replayed, in constant memory: twice, but never as a whole"
    )


class InstrumentConfig(_Frozen):
    """What the files do not say about the instrument, or what replaces what they say."""

    symbol: str | None = Field(default=None, description="the instrument to read, or its name where the file has none")
    tick_size: Exact | None = Field(default=None, gt=0, description="price step, in quote currency")
    lot_size: Exact | None = Field(default=None, gt=0, description="quantity step, in base units")
    currency: str | None = Field(default=None, description="quote currency")
    multiplier: Exact | None = Field(default=None, gt=0, description="value of one unit of quantity per unit of price")
    inverse: bool | None = Field(
        default=None, description="coin-margined: one unit of quantity is worth multiplier / price, in currency, which is the coin"
    )
    fees: Fees | None = Field(default=None, description="fees and taxes; the unit is in each name, negative is a rebate")


class StatisticsConfig(_Frozen):
    """What statistics rest on; see `twosided.explain.statistics.Basis`."""

    horizon: Duration = Field(
        default=10 * NS_PER_SECOND, ge=0, description="how long after a fill the mid's move counts as adverse selection"
    )
    period: Duration = Field(default=60 * NS_PER_SECOND, gt=0, description="sampling of the equity for Sharpe and Sortino ratios")
    days_per_year: float | None = Field(
        default=None, gt=0, description="trading days in a year; the venue's where it is known (crypto 365, US shares 252)"
    )
    hours_per_day: float | None = Field(
        default=None, gt=0, description="trading hours in a day; the venue's where it is known (crypto 24, US shares 6.5)"
    )

    report_in: str | None = Field(
        default=None, description="a currency in which accounts of several currencies are also shown together, with --rates"
    )
    rates: Rates = Field(
        default={}, description="price of each other currency in it, a number or a market of the run: BTC=market:0,EUR=1.08"
    )

    def basis(self) -> Basis:
        """Return it as statistics take it."""
        return Basis(
            horizon_ns=self.horizon,
            period_ns=self.period,
            days_per_year=self.days_per_year,
            hours_per_day=self.hours_per_day,
            reporting=Reporting(self.report_in, self.rates) if self.report_in else None,
        )


class MarketConfig(_Frozen):
    """One of several markets: what would stand at the top if it were alone."""

    data: DataConfig
    instrument: InstrumentConfig = InstrumentConfig()

    @property
    def reading(self) -> dict[str, Any]:
        """What `twosided.data.recording.load` and its like are told besides the files."""
        return {
            "format": self.data.format,
            "date": self.data.date,
            "min_latency_ns": self.data.min_latency,
            "clock_offset_ns": self.data.clock_offset_ns,
            "symbol": self.instrument.symbol,
            "tick_size": self.instrument.tick_size,
            "lot_size": self.instrument.lot_size,
        }


class StrategyConfig(_Frozen):
    """A shipped strategy by its name, or one of the user's own as ``file.py:name``, with its parameters."""

    name: str
    params: dict[str, Any] = {}


class ReplayConfig(_Frozen):
    """Everything that ``twosided replay`` needs to know."""

    data: DataConfig | None = None
    instrument: InstrumentConfig = InstrumentConfig()
    markets: tuple[MarketConfig, ...] = Field(
        default=(), description="several markets in one run, each with its own data and instrument; what stands above holds for all"
    )
    one_clock: bool = Field(
        default=False, description="several markets were recorded by one machine: one offset of the clocks is right for all"
    )
    strategies: tuple[StrategyConfig, ...] = Field(min_length=1, description="run side by side on the same events")
    calibrate_first: Duration | None = Field(
        default=None,
        gt=0,
        description="estimate sigma, A and k from this much of the recording (from start on), then quote; for example 10m",
    )
    start: str | None = Field(
        default=None, description="when strategies are first asked: a UTC time as 2023-12-25T23:00, or a duration as 10m"
    )
    settings: ReplaySettings = ReplaySettings()
    statistics: StatisticsConfig = StatisticsConfig()
    capital: Exact | None = Field(default=None, gt=0, description="capital that returns are stated on, in quote currency")
    out: str | None = Field(default=None, description="folder for the saved runs and report.html")

    @model_validator(mode="before")
    @classmethod
    def _what_holds_for_all_holds_for_each(cls, values: Any) -> Any:
        """Write the sections data and instrument of all into each market, where it does not say otherwise."""
        if not isinstance(values, dict) or not isinstance(values.get("markets"), list) or not values["markets"]:
            return values
        common = {name: values.get(name) or {} for name in ("data", "instrument")}
        if not all(isinstance(section, dict) for section in common.values()):
            return values
        if "files" in common["data"]:
            raise ValueError("data.files and markets both say what is read; state one of them")
        markets = [
            {**market, **{name: _laid_over(section, market.get(name)) for name, section in common.items()}}
            if isinstance(market, dict)
            else market
            for market in values["markets"]
        ]
        return {**{name: value for name, value in values.items() if name != "data"}, "markets": markets}

    @model_validator(mode="after")
    def _something_is_read(self) -> Self:
        if self.data is None and not self.markets:
            raise ValueError("no recording is given; name its files, or each of several markets with --market FILE[,FILE]")
        return self

    @property
    def each_market(self) -> tuple[MarketConfig, ...]:
        """Every recording that is read: one, or one per entry of `markets`."""
        return self.markets or ((MarketConfig(data=self.data, instrument=self.instrument),) if self.data else ())


def _laid_over(common: dict[str, Any], own: Any) -> Any:
    """Return a section in which what is said of one market replaces what is said of all; fees are one saying."""
    return {**common, **own} if isinstance(own, dict) else common if own is None else own


# ---------------------------------------------------------------- collecting


@dataclass
class Draft:
    """Values on their way to a `ReplayConfig`, each with the place that it came from."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Place, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path) -> "Draft":
        """Read a YAML file.

        Raises:
            DataError: it is missing, or not a YAML mapping, or a key stands in it twice; names file and line.
        """
        try:
            root = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except OSError as error:
            raise unreadable(path, error) from None
        except UnicodeDecodeError as error:
            raise DataError(path, f"byte {error.start}", "not UTF-8 text; expected a YAML configuration") from None
        except yaml.MarkedYAMLError as error:
            line = f"line {error.problem_mark.line + 1}" if error.problem_mark else ""
            raise DataError(path, line, f"not YAML: {error.problem}") from None
        except yaml.YAMLError as error:
            raise DataError(path, "", f"not YAML: {error}") from None
        if not isinstance(root, yaml.MappingNode):
            raise DataError(path, "", "not a YAML mapping; expected sections such as data, strategies, settings")
        draft = cls()
        for place, node in _nodes(root, (), path):
            shown = ".".join(map(str, place))
            draft.origins[place] = f"{path}, line {node.start_mark.line + 1}: {shown}"
        draft.origins[()] = str(path)
        draft.values = yaml.constructor.SafeConstructor().construct_document(root)
        return draft

    def put(self, place: Place, value: Any, origin: str) -> None:
        """Set a value given on the command line; it goes before what a file says."""
        section = self.values
        for name in place[:-1]:
            inner = section.get(str(name))
            section[str(name)] = inner = dict(inner) if isinstance(inner, dict) else {}
            section = inner
        section[str(place[-1])] = value
        self.origins[place] = origin

    def checked(self) -> ReplayConfig:
        """Return the configuration.

        Raises:
            InputError: one sentence about the first value that cannot be used, and how many more there are.
        """
        return self._checked(ReplayConfig, self.values, ())

    def section(self, name: str, model: type[Section]) -> Section:
        """Return one section, for commands that need no more.

        Raises:
            InputError: as `checked`.
        """
        return self._checked(model, self.values.get(name, {}), (name,))

    def _checked(self, model: type[Section], values: Any, place: Place) -> Section:
        try:
            return model.model_validate(values)
        except ValidationError as error:
            inside = {origin[len(place) :]: text for origin, text in self.origins.items() if origin[: len(place)] == place}
            raise InputError(one_sentence(error, model, inside)) from None


def _nodes(node: yaml.Node, place: Place, path: str | Path) -> Iterator[tuple[Place, yaml.Node]]:
    """Yield every place of a YAML document with its node, and refuse a key that stands twice."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise DataError(path, f"line {key.start_mark.line + 1}", f"{key.value} stands here a second time")
            seen.add(key.value)
            yield (*place, key.value), key
            yield from _nodes(value, (*place, key.value), path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*place, index), value
            yield from _nodes(value, (*place, index), path)


# ---------------------------------------------------------------- errors


def one_sentence(error: ValidationError, model: type[BaseModel], origins: Mapping[Place, str] | None = None) -> str:
    """Return the first problem of *error* as a sentence: where it is, what was found, and what is allowed."""
    problems = error.errors(include_url=False)
    first = problems[0]
    place = tuple(first["loc"])
    where = _origin(place, origins or {})
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return _problem(first, place, where, model) + more


def _origin(place: Place, origins: Mapping[Place, str]) -> str:
    """Return where the value at *place* came from: the nearest enclosing place that is known."""
    if place[:1] == ("markets",) and place not in origins and place[2:] in origins:
        return origins[place[2:]]  # said of all markets
    for length in range(len(place), 0, -1):
        if place[:length] in origins:
            rest = "".join(f".{part}" for part in place[length:])
            return origins[place[:length]] + rest
    shown = ".".join(map(str, place))
    return ": ".join(filter(None, (origins.get(()), shown)))


def _problem(first: Any, place: Place, where: str, model: type[BaseModel]) -> str:
    kind, value = first["type"], first["input"]
    if kind == "extra_forbidden":
        return f"{where} is unknown{suggest(str(place[-1]), _keys(model, place[:-1]))}"
    if kind == "missing":
        return f"{where} is missing"
    if kind == "value_error":
        said = str(first["ctx"]["error"])
        generic = re.fullmatch(r"(?:value|duration|latency|queue model) is (.*)", said, re.DOTALL)
        return f"{where} is {generic[1]}" if generic else ": ".join(filter(None, (where, said)))
    allowed = (
        re.sub(r"^Input should be (a |an )?valid ", r"\1", first["msg"])
        .removeprefix("Input should be ")
        .removeprefix("Input should ")
    )
    return f"{where} is {_shown(value)}; allowed: {allowed}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _keys(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys that are known at *place* of *model*."""
    for part in place:
        if isinstance(part, int):
            continue
        inner = _model_in(model.model_fields[str(part)].annotation) if str(part) in model.model_fields else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation such as ``tuple[Model, ...]`` or ``Model | None`` is about."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in getattr(annotation, "__args__", ()) if (found := _model_in(inner))), None)
