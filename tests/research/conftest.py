"""How often intervals hold the truth: 1,000 seeds, and 93 to 97 % is what a true 95 % gives (its own standard error is 0.7 %)."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))  # `pair_worlds`, which tests of pairs share


@pytest.fixture(scope="session")
def covered():
    """Return in which share of *seeds* each interval of ``intervals(random)``, a dict by name, holds ``truth[name]``."""

    def share(intervals, truth, seeds=1000):
        inside = dict.fromkeys(truth, 0)
        for seed in range(seeds):
            found = intervals(np.random.default_rng(seed))
            for name, true in truth.items():
                inside[name] += found[name].low < true < found[name].high
        return {name: count / seeds for name, count in inside.items()}

    return share
