"""The limits that a strategy must keep: everything is off until it is stated.

Where you are in the pipe: strategy -> *risk* -> order manager -> venue. `twosided.risk.state` turns limits into the integers that
compiled code compares with; `twosided.risk.gate` compares.

A quantity or value limit holds in each market of a strategy; losses, leverage, gross and net value, messages and the number of
open orders are counted over all of them.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from twosided.errors import DataError, InputError, suggest, unreadable
from twosided.market.instrument import Exact
from twosided.units import NS_PER_SECOND, duration_ns

__all__ = ["MOST_FILLS_WATCHED", "MOST_MESSAGES", "Limits", "limits_in", "read_limits"]

MOST_MESSAGES, MOST_FILLS_WATCHED = 1024, 64
"""How many messages of the last second, and fills of a side, a gate remembers."""

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_WHOLE = re.compile(r"\s*[+-]?\d+\s*")
_UNNAMED = re.compile(r"(?:value|duration) (is .*)", re.DOTALL)


def _duration(value: Any) -> Any:
    return duration_ns(value) if isinstance(value, str) else value


def _time_of_day(value: Any) -> Any:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"day_starts is {value!r}; allowed: a time of day, UTC, in quotes, as '14:30'")
    return value


def _whole(value: Any) -> Any:
    """Refuse what pydantic would refuse in its own words."""
    if isinstance(value, bool) or (isinstance(value, str) and _WHOLE.fullmatch(value) is None):
        raise ValueError(f"value is {value!r}; allowed: a whole number")
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(f"value is {value:g}; allowed: a whole number")
    return value


Duration = Annotated[int, BeforeValidator(_duration)]
Whole = Annotated[int, BeforeValidator(_whole)]


def _limit(control: str, unit: str, words: str, **bounds: Any) -> Any:
    """Declare a limit that is off unless stated."""
    return Field(default=None, description=words, json_schema_extra={"control": control, "unit": unit}, **bounds)


def _switch(control: str, words: str) -> Any:
    return Field(default=False, description=words, json_schema_extra={"control": control, "unit": "yes or no"})


def _with(default: Any, control: str, unit: str, words: str, *, of: tuple[str, ...], **bounds: Any) -> Any:
    """Declare what belongs to one of the limits *of*, and says nothing alone."""
    about: dict[str, Any] = {"control": control, "unit": unit, "of": list(of)}
    return Field(default=default, description=words, json_schema_extra=about, **bounds)


class Limits(BaseModel):
    """What a strategy may do at most; money is in the quote currency, quantities in units of the instrument, durations like 15min.

    Raises:
        pydantic.ValidationError: a limit that is not positive, or two that contradict each other; `read_limits` and the command
            line turn it into an `InputError` of one sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    price_collar_bps: float | None = _limit("C1", "bps", "furthest that an order's price may be from the mid", gt=0, le=10_000)
    max_reference_age: Duration = _with(
        5 * NS_PER_SECOND,
        "C1",
        "duration",
        "with price_collar_bps: an older mid is no reference",
        of=("price_collar_bps",),
        gt=0,
    )
    min_order_value: Exact | None = _limit("C2", "money", "smallest value of an order: the venue's minimum notional", gt=0)
    max_order_quantity: Exact | None = _limit("C3", "quantity", "largest order", gt=0)
    max_order_value: Exact | None = _limit("C4", "money", "largest value of an order", gt=0)
    max_open_value_per_side: Exact | None = _limit("C5", "money", "value of all open bids, and of all open asks, of a market", gt=0)
    max_position: Exact | None = _limit(
        "C6", "quantity", "position, long or short, if every open order that adds to it filled: unknown ones too", gt=0
    )
    max_position_value: Exact | None = _limit("C6", "money", "the same, as value", gt=0)
    max_gross_value: Exact | None = _limit("C7", "money", "worst-case positions of all markets, added without their signs", gt=0)
    max_net_value: Exact | None = _limit("C7", "money", "the same, added with their signs", gt=0)
    max_leverage: float | None = _limit("C7", "times", "gross value over capital plus profit so far", gt=0)
    capital: Exact | None = _limit("C7", "money", "what max_leverage is measured on", gt=0)
    max_daily_loss: Exact | None = _limit("C8", "money", "loss since the day began, open positions at the mid, that halts", gt=0)
    max_drawdown: Exact | None = _limit("C8", "money", "loss since the best moment that halts", gt=0)
    reduce_only_from: float = _with(
        0.75,
        "C8",
        "share",
        "share of max_daily_loss and max_drawdown from which only reducing orders pass",
        of=("max_daily_loss", "max_drawdown"),
        gt=0,
        le=1,
    )
    day_starts: Annotated[str, BeforeValidator(_time_of_day)] = _with(
        "00:00", "C8", "time, UTC", "when a new day begins", of=("max_daily_loss", "max_order_to_trade")
    )
    max_inventory_age: Duration | None = _limit(
        "C8", "duration", "mean age of the lots held (those added last make it younger) from which only reducing orders pass", gt=0
    )
    inventory_age_halt: float | None = _limit("C8", "times", "with max_inventory_age: halt at so many times of it", ge=1)
    message_budget_per_second: Whole | None = _limit(
        "C9", "messages", "most messages, cancels included, in any second", ge=2, le=MOST_MESSAGES
    )
    cancel_reserve: float = _with(
        0.2, "C9", "share", "share of the message budget that only cancels may use", of=("message_budget_per_second",), ge=0, lt=1
    )
    deny_duplicates: bool = _switch("C10", "deny an order like one that is open: same side, price and size")
    deny_own_crossing: bool = _switch("C11", "deny a bid that would meet an own ask, and the reverse, requests under way included")
    post_only: bool = _switch("C12", "deny an order that would take, as far as is known here")
    max_fills_per_side: Whole | None = _limit(
        "C13", "fills", "fills of one side of a market within fills_within that halt", ge=1, le=MOST_FILLS_WATCHED
    )
    fills_within: Duration = _with(
        NS_PER_SECOND, "C13", "duration", "with max_fills_per_side: within what time", of=("max_fills_per_side",), gt=0
    )
    max_open_orders: Whole | None = _limit("C14", "orders", "most orders that are open or may be", ge=1)
    max_book_age: Duration | None = _limit("C15", "duration", "age of the last message of the book", gt=0)
    max_stream_age: Duration | None = _limit("C15", "duration", "age of the last sign of life of the stream of own orders", gt=0)
    max_clock_error: Duration | None = _limit("C15", "duration", "by how much our clock may be wrong", gt=0)
    instruments: tuple[str, ...] | None = _limit("C16", "symbols", "the only instruments that orders may be sent for", min_length=1)
    max_order_to_trade: float | None = _limit("C18", "orders a fill", "most new and replacing orders of a day for each fill", gt=0)
    order_to_trade_free: Whole = _with(
        1000, "C18", "orders", "with max_order_to_trade: orders of a day that it lets go free", of=("max_order_to_trade",), ge=0
    )
    require_dead_man: bool = _switch("C19", "deny every order until dead-man timer or cancel-on-disconnect is armed")

    @model_validator(mode="after")
    def _say_something(self) -> Self:
        for name in type(self).model_fields:
            of = self.about(name).get("of", ())
            if name in self.model_fields_set and of and not self.model_fields_set & set(of):
                raise ValueError(f"{name} says nothing without {' or '.join(of)}; state that limit too, or leave {name} out")
        return self

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.max_leverage is not None and self.capital is None:
            raise ValueError(f"max_leverage is {self.max_leverage:g} without capital; state capital, which it is measured on")
        if self.capital is not None and self.max_leverage is None:
            raise ValueError("capital says nothing without max_leverage; state that limit too, or leave capital out")
        if self.inventory_age_halt is not None and self.max_inventory_age is None:
            raise ValueError("inventory_age_halt is given without max_inventory_age, of which it counts the times")
        low, high = self.min_order_value, self.max_order_value
        if low is not None and high is not None and low > high:
            raise ValueError(f"min_order_value is {low}; allowed: at most max_order_value ({high})")
        if self.message_budget_per_second is not None and self.orders_per_second < 1:
            budget = self.message_budget_per_second
            raise ValueError(f"cancel_reserve is {self.cancel_reserve:g}, which leaves no order of a budget of {budget} messages")
        return self

    @property
    def orders_per_second(self) -> int:
        """Messages of a second that may be orders: the budget without the reserve for cancels, which is rounded up."""
        budget = self.message_budget_per_second or 0
        return budget - int(-(-budget * self.cancel_reserve // 1))

    @property
    def day_offset_ns(self) -> int:
        """When the day begins, ns after midnight UTC."""
        hours, minutes = self.day_starts.split(":")
        return (int(hours) * 60 + int(minutes)) * 60 * NS_PER_SECOND

    @classmethod
    def about(cls, name: str) -> dict[str, Any]:
        """Return what is known of a limit: its ``control`` and ``unit``, and ``of`` which limits it needs one."""
        return dict(cls.model_fields[name].json_schema_extra or {})  # type: ignore[arg-type]

    def __str__(self) -> str:
        """Return the limits that are stated, short."""
        return ", ".join(f"{name}={value}" for name, value in self.stated().items()) or "none"

    def stated(self) -> dict[str, Any]:
        """Return the limits that differ from what holds without them, as people write them."""
        return self.model_dump(mode="json", exclude_defaults=True)


def read_limits(source: str | Path | Mapping[str, Any]) -> Limits:
    """Return limits out of a YAML file or a mapping of names to values.

    Raises:
        DataError: the file cannot be read, is not a YAML mapping, or states a limit twice.
        InputError: an unknown limit (the nearest known one is suggested), or a value that is not allowed; one sentence.
    """
    origin = f"{source}: " if isinstance(source, str | Path) else ""
    values = limits_in(source)
    try:
        return Limits.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        raise InputError(f"{origin}limit {name!r} is unknown{suggest(name, Limits.model_fields)}")
    if first["type"] == "value_error":
        said = str(first["ctx"]["error"])
        unnamed = _UNNAMED.fullmatch(said) if name else None
        raise InputError(f"{origin}{name} {unnamed[1]}" if unnamed else f"{origin}{said}")
    raise InputError(f"{origin}{name} is {first['input']!r}; allowed: {first['msg'].removeprefix('Input should be ')}")


def limits_in(source: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """Return what a YAML file or a mapping says, name to value, with no value checked: more may be stated elsewhere.

    Raises:
        DataError: the file cannot be read, is not a YAML mapping, or states a limit twice.
        InputError: it has a heading over its limits.
    """
    values = _read_yaml(source) if isinstance(source, str | Path) else dict(source)
    if isinstance(values.get("limits"), Mapping):
        origin = f"{source}: " if isinstance(source, str | Path) else ""
        raise InputError(f"{origin}leave out the heading limits: and state the limits without it, as max_position: 100")
    return values


def _read_yaml(path: str | Path) -> dict[str, Any]:
    try:
        root = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        _refuse_twice(root, path)
        values = None if root is None else yaml.constructor.SafeConstructor().construct_document(root)
    except OSError as error:
        raise unreadable(path, error) from None
    except (UnicodeDecodeError, yaml.reader.ReaderError):
        raise DataError(path, "", "not text; expected a YAML file of limits, such as max_position: 100") from None
    except yaml.YAMLError as error:
        raise DataError(path, "", f"not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise DataError(path, "", "not a YAML mapping; expected limits such as max_position: 100")
    return values


def _refuse_twice(root: yaml.Node | None, path: str | Path) -> None:
    """Refuse a limit that is stated a second time: YAML itself would take the last."""
    seen: set[str] = set()
    for key, _ in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value in seen:
            raise DataError(path, f"line {key.start_mark.line + 1}", f"{key.value} stands here a second time")
        seen.add(key.value)
