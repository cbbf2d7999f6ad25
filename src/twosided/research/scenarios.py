"""The scenarios that are shipped.

Where you are in the pipe: beside it, see `twosided.research.scenario`. A scenario of your own is one more `Scenario`: phases of a
market, and expectations, each a rule in words with a function of a `Watch` that measures one number.
"""

from collections.abc import Mapping

from twosided.research.scenario import Scenario
from twosided.research.scenario_machines import MACHINES
from twosided.research.scenario_markets import MARKETS

__all__ = ["SCENARIOS"]

SCENARIOS: Mapping[str, Scenario] = {each.name: each for each in (*MARKETS, *MACHINES)}
"""The shipped scenarios by name."""
