"""Which shipped strategies rightly fail which scenario, and why: a statement that a test holds against what is measured.

Where you are in the pipe: beside it. The statement is about `ROSTER` with the parameters of the lab in the market of seed 1. A
strategy that meets an expectation which it is said to fail is as much an error as one that fails what it is not said to fail.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from twosided.research.scenario import Trial
from twosided.strategies.catalogue import STRATEGIES

__all__ = ["GUARDED", "ROSTER", "declared", "failures", "surprises"]

GUARDED = "glft+volatility_width+liquidity_stress+toxicity_pause+inventory_size+one_sided+feed_guard"
"""A quoter with an overlay for each thing that scenarios do to it."""

ROSTER: Sequence[str] = (*STRATEGIES, "production", "notebook", GUARDED)
"""What ``twosided scenario all`` runs: the shipped strategies, the presets with overlays, and `GUARDED`."""

_PLAIN = tuple(STRATEGIES)
_DEAF = ("fixed", "skewed_size", "grid")
_THIN = ("glft", "cartea_jaimungal")


class _Statement(NamedTuple):
    expectations: tuple[str, ...]
    strategies: tuple[str, ...]
    reason: str


_PRODUCTION = (
    "It takes 0.1 s without a message for a dead feed, and one trade alone in a second for one-sided flow: in this market it is "
    "withdrawn three quarters of the time, rough or not."
)

_DECLARED: Mapping[str, tuple[_Statement, ...]] = {
    "volatility-spike": (
        _Statement(
            ("width", "size"),
            _PLAIN,
            "The width of a plain strategy rests on a volatility that it was told once, so it stays as it was: 0.94 to 1.01 times.",
        ),
        _Statement(
            ("width", "size"),
            ("production",),
            "production widens by 10 times the move of 5 s as a share of the price: five times the volatility of a quiet share is "
            "still less than a tenth of a per cent.",
        ),
        _Statement(
            ("size",),
            ("notebook",),
            "notebook divides its size by volatility / reference, and the estimate has come to 4.4 times by then, not to 5.",
        ),
        _Statement(("presence",), ("production",), _PRODUCTION),
    ),
    "one-sided-accumulation": (
        _Statement(
            ("further", "bid lower", "ask lower"),
            _DEAF,
            "fixed and grid do not look at their inventory, and skewed_size answers with sizes alone: prices stay where they are.",
        ),
    ),
    "trend": (
        _Statement(
            ("skew",),
            _DEAF,
            "fixed and grid do not look at their inventory, and skewed_size answers with sizes alone: prices stay where they are.",
        ),
    ),
    "toxic-flow": (
        _Statement(
            ("pause",), (*_PLAIN, "notebook"), "Without toxicity_pause nothing in the strategy knows that flow can be toxic."
        ),
        _Statement(
            ("markout", "loss"),
            _THIN,
            "Quoting half a tick from the mid is right for the arrivals that sigma, A and k were measured on, and an invitation to "
            "people who know the next 15 seconds.",
        ),
        _Statement(
            ("loss",),
            _DEAF,
            "A price that does not lean against inventory lets the informed fill it up to the limit on every swing.",
        ),
        _Statement(
            ("markout",),
            (GUARDED,),
            "The pause comes once trades have been one-sided for two seconds: what was filled before is the worst of it; there is "
            "less of it, so the loss stays small.",
        ),
        _Statement(("no false alarm", "return"), ("production",), _PRODUCTION),
    ),
    "flash-crash": (
        _Statement(
            ("loss",),
            ("fixed", "skewed_price", "skewed_size", "grid", *_THIN, "multi_venue"),
            "At the usual width it is full to the limit on the way down, and full the other way on the way up: it pays for both.",
        ),
        _Statement(("return",), ("production",), _PRODUCTION),
    ),
    "halt": (
        _Statement(
            ("return",),
            ("grid",),
            "It was at its limit when trading was halted, and never leans to get away from it: one side only until somebody comes.",
        ),
        _Statement(("return",), ("production",), _PRODUCTION),
    ),
    "feed-outage": (
        _Statement(("pulled",), (*_PLAIN, "notebook"), "Without feed_guard nothing in the strategy knows how old its market is."),
        _Statement(
            ("blind",),
            ("fixed", "skewed_price", "skewed_size", "avellaneda_stoikov", *_THIN, "multi_venue", "notebook"),
            "So its orders stay, and people who see the market fill them.",
        ),
        _Statement(
            ("return",), ("fixed", "grid"), "And are at the limit when the feed is back: one side only, until somebody comes."
        ),
        _Statement(("return",), ("production",), _PRODUCTION),
    ),
    "latency": (
        _Statement(
            ("messages", "presence"), ("production",), f"{_PRODUCTION} A slow feed comes in bursts: it goes on and off more often."
        ),
    ),
    "wide-spread": (
        _Statement(
            ("width", "size"),
            _PLAIN,
            "A plain strategy looks at the mid alone: in a spread of 14 ticks it quotes as in one of two, and is the market.",
        ),
        _Statement(("width", "size"), ("production",), "production has no overlay for liquidity."),
        _Statement(("return",), ("production",), _PRODUCTION),
    ),
}


def declared(scenario: str) -> dict[tuple[str, str], str]:
    """Return why a strategy rightly fails: (strategy, expectation) to the reason, of one scenario; nothing for your own."""
    return {
        (strategy, expectation): each.reason
        for each in _DECLARED.get(scenario, ())
        for strategy in each.strategies
        for expectation in each.expectations
    }


def failures(trials: Sequence[Trial]) -> list[tuple[str, str, str]]:
    """Return (what was not met, by whom, why that is right) of the trials of one scenario; those of one reason together."""
    reasons = declared(trials[0].scenario.name)
    found: dict[str, tuple[list[str], list[str]]] = {}
    for trial in trials:
        name = trial.run.facts["strategy"]
        for failed in trial.failed:
            expectations, strategies = found.setdefault(reasons.get((name, failed), f"{name}: not said"), ([], []))
            expectations.append(failed)
            strategies.append(name)
    return [
        (
            ", ".join(dict.fromkeys(expectations)),
            ", ".join(dict.fromkeys(strategies)),
            "" if reason.endswith("not said") else reason,
        )
        for reason, (expectations, strategies) in found.items()
    ]


def surprises(trials: Sequence[Trial]) -> list[str]:
    """Return in sentences where strategies of `ROSTER` did other than is declared; nothing where all is as it should be.

    Args:
        trials: of one scenario, in the order of `ROSTER`.
    """
    stated = set(declared(trials[0].scenario.name))
    found = {(name, failed) for name, trial in zip(ROSTER, trials, strict=True) for failed in trial.failed}
    new = [f"{name} fails {failed!r}, which is not declared" for name, failed in sorted(found - stated)]
    return [*new, *(f"{name} is declared to fail {failed!r}, and does not" for name, failed in sorted(stated - found))]
