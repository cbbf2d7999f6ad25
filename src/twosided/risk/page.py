"""The tables of docs/risk.md, made of what the code says: limits with their units and defaults, and the reasons of denials.

Where you are in the pipe: beside it. A test proves that the page has these tables; `make golden` writes them anew.
"""

from twosided.market.order import Reason
from twosided.risk.limits import Limits
from twosided.units import duration_text

__all__ = ["limits_table", "reasons_table"]


def limits_table() -> str:
    """Return every limit as a Markdown table."""
    rows = [f"| `{name}` | {_unit(name)} | {field.description} | {_control(name)} |" for name, field in Limits.model_fields.items()]
    return "\n".join(["| limit | unit | what it bounds | control |", "|---|---|---|---|", *rows])


def reasons_table() -> str:
    """Return every reason that belongs to a control as a Markdown table, by control."""
    reasons = sorted((reason for reason in Reason if reason.control), key=lambda reason: (int(reason.control[1:]), int(reason)))
    rows = [f"| {reason.control} | {int(reason)} | `{reason.name}` | {reason.words} |" for reason in reasons]
    return "\n".join(["| control | code | `Reason` | why |", "|---|---|---|---|", *rows])


def _control(name: str) -> str:
    return str(Limits.about(name)["control"])


def _unit(name: str) -> str:
    """Return the unit of a limit, with what holds where it is not stated."""
    unit, default = str(Limits.about(name)["unit"]), Limits.model_fields[name].default
    if default is None or default is False:
        return unit
    return f"{unit}; {duration_text(default) if unit == 'duration' else default} unless stated"
