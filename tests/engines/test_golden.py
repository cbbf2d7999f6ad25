"""Golden runs: shipped strategies on a fixed market, to the last integer. `make golden` is the only way these files change."""

import pytest
from scene import INSTRUMENT, random_market

from twosided.engines.replay import replay
from twosided.engines.settings import ReplaySettings
from twosided.strategies.catalogue import find_strategy

CASES = {
    "fixed": {"half_spread": 1.0, "unit": "ticks", "quantity": 5},
    "skewed_price": {"quantity": 5},
    "skewed_size": {"quantity": 5},
    "grid": {"quantity": 3},
    "avellaneda_stoikov": {"quantity": 5, "sigma": 0.05, "k": 60, "horizon_s": 5},
    "glft": {"quantity": 5, "sigma": 0.05, "A": 1.0, "k": 60},
}


def run_case(name):
    settings = ReplaySettings(seed=11, queue="power:2", entry_latency="sampled", response_latency="sampled")
    strategy = find_strategy(name).with_params(CASES[name])._replace(every_ns=5_000_000)
    return replay(random_market(2024, n=1500), strategy, instruments=INSTRUMENT, settings=settings)


@pytest.mark.golden
@pytest.mark.parametrize("name", CASES)
def test_a_shipped_strategy_does_what_it_did(name, golden):
    run = run_case(name)
    assert len(run.fills) >= 10
    golden(
        f"strategy_{name}",
        run.digest(),
        [" ".join(f"{key}={value}" for key, value in row.items()) for row in run.fills.rows(named=True)],
    )
