"""How a run was made, written into the Run itself: what was asked for, what it became, and what was estimated.

Where you are in the pipe: after the engine, before the explanation. A Run that was saved says with which configuration
`twosided replay` makes it again, to the same digest.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_fields
from typing import Any

from twosided.explain.words import unit_of
from twosided.market.instrument import Instrument
from twosided.market.run import Run
from twosided.research.calibrate import Estimate
from twosided.strategies.contract import Strategy

__all__ = ["Provenance"]

_ELSEWHERE = {"out"}
"""What a run was asked for that has nothing to do with what it is."""


@dataclass
class Provenance:
    """What is known of one strategy's run beside what the engine says.

    Args:
        asked: the whole configuration as the user wrote it.
        name: how the user names the strategy.
        given: the strategy with the user's values.
        found: what was estimated from the head of the recording, if anything was.
    """

    asked: Mapping[str, Any]
    name: str
    given: Strategy
    found: Estimate | None = None
    _used: dict[str, Any] = field(default_factory=dict)

    def ready(self) -> Strategy:
        """Return the strategy with what was estimated; its parameters are noted as they stand when it has prepared itself."""
        estimated = {} if self.found is None else self.found.params_for(self.given)
        strategy = self.given.with_params(estimated)

        def prepare(params: Any, instruments: tuple[Any, ...], memory: Any) -> None:
            if strategy.prepare is not None:
                strategy.prepare(params, instruments, memory)
            for name, param in strategy.params.items():
                value = params[name].item()
                self._used[name] = param.choices[value] if param.choices else value

        return with_fields(strategy, prepare=prepare)

    def added_to(self, run: Run) -> Run:
        """Return *run* with ``configuration``, ``parameters`` and ``calibration`` among its facts."""
        facts = {**run.facts, "configuration": self._configuration(), "parameters": self._parameters(run.instruments)}
        if self.found is not None:
            facts["calibration"] = {**self.found.facts(), "used": list(self.found.params_for(self.given))}
        return with_fields(run, facts=facts)

    def _configuration(self) -> dict[str, Any]:
        """Return the configuration that makes this run alone; values are as the user wrote them, ready for JSON and YAML."""
        asked = {**self.asked, "strategies": [{"name": self.name, "params": dict(self.given.values)}]}
        kept = {name: value for name, value in asked.items() if name not in _ELSEWHERE}
        plain: dict[str, Any] = json.loads(json.dumps(kept, default=str))
        return plain

    def _parameters(self, instruments: Sequence[Instrument]) -> dict[str, Any]:
        estimated = set() if self.found is None else set(self.found.params_for(self.given))
        return {
            name: {
                "used": self._used.get(name),
                "unit": unit_of(instruments[0]) if param.unit == "base units" else param.unit,
                "estimated": name in estimated,
            }
            for name, param in self.given.params.items()
        }
