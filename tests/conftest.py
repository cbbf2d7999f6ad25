"""What every test shares: where the recordings are, a fixed hypothesis profile, and a quiet console."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SHARED = Path(__file__).resolve().parents[2] / "shared"

# Derandomised: the same examples in every run, so that a failure on one machine is a failure on all.
settings.register_profile("fixed", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fixed")


def _shared(*parts: str) -> Path:
    path = SHARED.joinpath(*parts)
    if not path.exists():
        reason = f"{'/'.join(('shared', *parts))} is not beside the project"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, and CI must have it")
        pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def shared():
    """Return a path below the shared folder; skips where it is absent, fails in CI."""
    return _shared
