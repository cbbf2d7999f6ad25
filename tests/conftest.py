"""What every test shares: where the recordings are, a fixed hypothesis profile, and a quiet console."""

import json
import os
from itertools import zip_longest
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


@pytest.fixture
def golden():
    """Compare with ``tests/golden/NAME.json``: a digest, and rows, of which the first that differs is shown.

    ``make golden`` (TWOSIDED_GOLDEN=write) is the only way these files change.
    """

    def compare(name: str, digest: str, rows: list[str]) -> None:
        path = Path(__file__).parent / "golden" / f"{name}.json"
        if os.environ.get("TWOSIDED_GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps({"digest": digest, "rows": rows}, indent=1) + "\n")
            return
        expected = json.loads(path.read_text())
        for number, (want, got) in enumerate(zip_longest(expected["rows"], rows, fillvalue="no row")):
            assert got == want, f"{path.name}: row {number} is the first that differs"
        assert digest == expected["digest"], f"{path.name}: the rows agree, something else differs"

    return compare
